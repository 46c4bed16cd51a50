//! What is recorded of two countries, a line each, as it is recorded.
//!
//! A watch that breaks is opened again with the last cursor, so that nothing is missed and nothing told twice.

use std::io::{self, Write};
use std::time::Duration;

use proto::gateway::v1 as wire;
use tonic::{Code, Request, Status, Streaming};
use wire::{WatchRelationshipRequest, WatchRelationshipResponse};

use super::told;
use crate::args::relationship::WatchArgs;
use crate::client::{self, GatewayClient};
use crate::{output, words};

/// The full name of a message.
const MESSAGE: &str = "entente.gateway.v1.WatchRelationshipResponse";
/// How long to wait before a watch is opened again, at first and at most.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Prints what is recorded until Ctrl-C; then the cursor with which it goes on.
pub(super) async fn run(args: &WatchArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut cursor = args.cursor.clone().unwrap_or_default();
    // One listener for all messages, and asked first: a signal between two of them counts too.
    let mut stopped = std::pin::pin!(tokio::signal::ctrl_c());
    let client = client::gateway(&args.server.server).await?;
    let mut wait = FIRST_WAIT;
    loop {
        let followed = tokio::select! {
            biased;
            stopped = &mut stopped => {
                stopped?;
                break;
            }
            followed = follow(args, client.clone(), &mut cursor, &mut wait, out) => followed,
        };
        let status = match followed {
            Ok(status) if is_passing(status.code()) => status,
            Ok(status) => return Err(status.into()),
            Err(error) => return Err(error),
        };
        // Nothing is left to do when this fails.
        drop(writeln!(
            io::stderr(),
            "the watch broke: {}; it goes on from the last message",
            status.message()
        ));
        tokio::select! {
            biased;
            stopped = &mut stopped => {
                stopped?;
                break;
            }
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(LONGEST_WAIT),
        }
    }
    if !args.json && !cursor.is_empty() {
        writeln!(out, "cursor {cursor}")?;
    }
    Ok(out.flush()?)
}

/// Whether asking again may help.
fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::Unknown
            | Code::Internal
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
    )
}

/// Prints messages until the watch breaks; why it did.
async fn follow(
    args: &WatchArgs,
    client: GatewayClient,
    cursor: &mut String,
    wait: &mut Duration,
    out: &mut dyn Write,
) -> anyhow::Result<Status> {
    let mut messages = match open(args, client, cursor).await {
        Ok(messages) => messages,
        Err(status) => return Ok(status),
    };
    loop {
        let message = match messages.message().await {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(Status::unavailable("the gateway ended it")),
            Err(status) => return Ok(status),
        };
        *wait = FIRST_WAIT;
        message.cursor.clone_into(cursor);
        show(args, &message, out)?;
        out.flush()?;
    }
}

async fn open(
    args: &WatchArgs,
    mut client: GatewayClient,
    cursor: &str,
) -> Result<Streaming<WatchRelationshipResponse>, Status> {
    let services = args
        .services
        .iter()
        .map(|service| service.name().to_owned());
    // Without a deadline: it goes on until somebody ends it.
    let asked = Request::new(WatchRelationshipRequest {
        country: args.pair.first.to_string(),
        partner: args.pair.second.to_string(),
        cursor: cursor.to_owned(),
        from_beginning: args.from_beginning && cursor.is_empty(),
        services: services.collect(),
    });
    Ok(client.watch_relationship(asked).await?.into_inner())
}

fn show(
    args: &WatchArgs,
    message: &WatchRelationshipResponse,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    // Signs of life are for the connection, not for people.
    if message.service.is_empty() {
        return Ok(());
    }
    if args.json {
        return output::json_line(out, MESSAGE, message);
    }
    Ok(lines(message, &args.language.language, out)?)
}

fn lines(
    message: &WatchRelationshipResponse,
    language: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let service = &message.service;
    if let Some(lost) = &message.lost {
        writeln!(out, "{service} is lost: {} ({})", lost.message, lost.code)?;
    }
    if message.back {
        writeln!(out, "{service} is back")?;
    }
    let when = words::second(message.commit_time.as_ref());
    for line in told::lines(message, language) {
        writeln!(out, "{service} {} {when} {line}", message.position)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proto::events::v1 as events;

    use super::*;

    #[test]
    fn a_change_is_a_line_that_begins_with_whose_it_is() {
        let deleted = events::EventDeleted {
            name: "events/a".into(),
            countries: Vec::new(),
        };
        let mut message = WatchRelationshipResponse {
            service: "events".into(),
            position: 7,
            commit_time: Some(proto::to_timestamp(1_720_000_000_000_000)),
            events: vec![events::EventsChange {
                change: Some(events::events_change::Change::EventDeleted(deleted)),
            }],
            ..Default::default()
        };
        let text = |message: &WatchRelationshipResponse| {
            let mut out = Vec::new();
            lines(message, "en", &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            text(&message),
            "events 7 2024-07-03 09:46:40 deleted events/a\n"
        );
        message.events.clear();
        message.back = true;
        assert_eq!(text(&message), "events is back\n");
    }
}
