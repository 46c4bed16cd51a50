//! Every change of a service's records, a line each, as it is recorded.

use std::io::Write;

use super::feeds::{Feed, Told};
use crate::args::records::WatchArgs;
use crate::{output, words};

/// Prints changes until Ctrl-C, or until the service ends the stream.
pub(crate) async fn watch<F: Feed>(args: &WatchArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut feed = F::connect(&args.server).await?;
    let mut entries = feed.watch(args).await?;
    // One listener for all entries, and asked first: a signal between two of them, or before the first, counts too.
    let mut stopped = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        let next = tokio::select! {
            biased;
            stopped = &mut stopped => return Ok(stopped?),
            next = entries.message() => next?,
        };
        let Some(entry) = next else {
            return Ok(());
        };
        let told = F::told(&entry, &args.language.language);
        // Signs of life are for the connection, not for people.
        if told.lines.is_empty() {
            continue;
        }
        if args.json {
            output::json_line(out, F::ENTRY, &entry)?;
        } else {
            lines(&told, out)?;
        }
        out.flush()?;
    }
}

fn lines(told: &Told<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    let when = words::second(told.commit_time);
    for line in &told.lines {
        writeln!(out, "{} {when} {line}", told.position)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proto::events::v1 as wire;

    use super::*;
    use crate::record::EventsFeed;

    #[test]
    fn a_change_is_a_line_that_begins_with_its_position() {
        let deleted = wire::EventDeleted {
            name: "events/a".into(),
            countries: Vec::new(),
        };
        let entry = wire::WatchChangesResponse {
            position: 7,
            commit_time: Some(proto::to_timestamp(1_720_000_000_000_000)),
            changes: vec![wire::EventsChange {
                change: Some(wire::events_change::Change::EventDeleted(deleted)),
            }],
        };
        let mut out = Vec::new();
        lines(&EventsFeed::told(&entry, "en"), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "7 2024-07-03 09:46:40 deleted events/a\n"
        );
    }
}
