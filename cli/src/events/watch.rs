//! Every change, a line each, as it is recorded.

use std::io::Write;

use proto::events::v1 as wire;
use tonic::Request;
use wire::WatchChangesResponse;
use wire::events_change::Change;

use crate::args::events::WatchArgs;
use crate::record::{Agreements, Events, Shown};
use crate::{client, output, words};

/// Prints changes until Ctrl-C, or until the service ends the stream.
pub(super) async fn run(args: &WatchArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut client = client::events(&args.server.server).await?;
    let (country, partner) = args.countries.to_wire();
    // Without a deadline: it goes on until somebody ends it.
    let asked = Request::new(wire::WatchChangesRequest {
        after_position: args.after,
        country,
        partner,
    });
    let mut changes = client.watch_changes(asked).await?.into_inner();
    loop {
        let next = tokio::select! {
            next = changes.message() => next?,
            stopped = tokio::signal::ctrl_c() => return Ok(stopped?),
        };
        let Some(entry) = next else {
            return Ok(());
        };
        // Signs of life are for the connection, not for people.
        if entry.changes.is_empty() {
            continue;
        }
        if args.json {
            output::json_line(out, "entente.events.v1.WatchChangesResponse", &entry)?;
        } else {
            lines(&entry, &args.language.language, out)?;
        }
        out.flush()?;
    }
}

fn lines(entry: &WatchChangesResponse, language: &str, out: &mut dyn Write) -> std::io::Result<()> {
    let when = words::second(entry.commit_time.as_ref());
    for change in &entry.changes {
        let what = change.change.as_ref().map(|change| told(change, language));
        let what = what.unwrap_or_default();
        writeln!(out, "{} {when} {what}", entry.position)?;
    }
    Ok(())
}

/// A change in a line: `recorded events/visit-2024-07: State visit`.
fn told(change: &Change, language: &str) -> String {
    match change {
        Change::EventRecorded(recorded) => {
            let event = recorded.event.clone().unwrap_or_default();
            let title = Events::title(&event, language);
            format!("recorded {}: {title}", event.name)
        }
        Change::EventDeleted(deleted) => format!("deleted {}", deleted.name),
        Change::AgreementRecorded(recorded) => {
            let agreement = recorded.agreement.clone().unwrap_or_default();
            let title = Agreements::title(&agreement, language);
            format!("recorded {}: {title}", agreement.name)
        }
        Change::AgreementDeleted(deleted) => format!("deleted {}", deleted.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_line_that_begins_with_its_position() {
        let deleted = wire::EventDeleted {
            name: "events/a".into(),
            countries: Vec::new(),
        };
        let entry = WatchChangesResponse {
            position: 7,
            commit_time: Some(proto::to_timestamp(1_720_000_000_000_000)),
            changes: vec![wire::EventsChange {
                change: Some(Change::EventDeleted(deleted)),
            }],
        };
        let mut out = Vec::new();
        lines(&entry, "en", &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "7 2024-07-03 09:46:40 deleted events/a\n"
        );
    }
}
