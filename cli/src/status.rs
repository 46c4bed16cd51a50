//! How all of it is, in a table: each process's version, since when it runs, where its journal stands, what it keeps, and
//! how much room is left.
//!
//! # Layout
//!
//! * this file: asking, again and again if that is wanted. `report`: what was answered, as a table and as JSON.
//!   `problems`: what is not well.

mod problems;
mod report;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::bail;
use proto::gateway::v1::{GatewayStatus, GetStatusRequest};
use proto::journal::v1::{GetJournalStatusRequest, JournalStatus};
use tokio::time::{Instant, MissedTickBehavior, sleep};
use tonic::{Code, Status};

use self::problems::{Problem, problems};
use self::report::Report;
pub(crate) use self::report::one_of_several;
use crate::args::answer::ServerArgs;
use crate::args::serve::Role;
use crate::args::status::StatusArgs;
use crate::client::{self, request, within};
use crate::interrupt::interrupted;
use crate::{backup, output};

/// How soon what does not answer yet is asked again.
const PAUSE: Duration = Duration::from_millis(200);
/// Clears a terminal.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Shows how it is; ends with an error when something is not well.
pub(crate) async fn run(args: &StatusArgs) -> anyhow::Result<()> {
    let Some(seconds) = args.watch else {
        return ended(show(args).await?);
    };
    let mut turns = tokio::time::interval(Duration::from_secs(seconds));
    // An answer that was slow to come is not made up for by asking without a pause.
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut wrong = 0;
    loop {
        tokio::select! {
            _ = turns.tick() => {}
            () = interrupted() => return ended(wrong),
        }
        tokio::select! {
            shown = show(args) => wrong = shown?,
            () = interrupted() => return ended(wrong),
        }
    }
}

fn ended(wrong: usize) -> anyhow::Result<()> {
    match wrong {
        0 => Ok(()),
        1 => bail!("something is not well"),
        wrong => bail!("{wrong} things are not well"),
    }
}

/// Asks and shows once; how much is not well.
async fn show(args: &StatusArgs) -> anyhow::Result<usize> {
    let (report, problems) = wait(args).await;
    let mut out = output::stdout();
    if args.watch.is_some() && !args.json && io::stdout().is_terminal() {
        write!(out, "{CLEAR}")?;
    }
    if args.json {
        report.json(&problems, &mut out)?;
    } else {
        report.table(&problems, &mut out)?;
    }
    out.flush()?;
    Ok(problems.len())
}

/// Asks until every process answers, if that is wanted. Then no question goes beyond the time that is waited.
async fn wait(args: &StatusArgs) -> (Report, Vec<Problem>) {
    let until = Instant::now() + Duration::from_secs(args.wait);
    let mut limit = args.server.limit();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if args.wait > 0 {
            limit = limit.min(left);
        }
        let report = ask(&args.server, limit).await;
        let problems = problems(&report);
        let is_lost = problems.iter().any(|one| one.is_lost);
        // One more would have less than a pause to be answered in.
        if !is_lost || Instant::now() + 2 * PAUSE >= until {
            return (report, problems);
        }
        sleep(PAUSE).await;
    }
}

/// Asks the process at an address for itself and for the services that it serves or passes calls to. One that
/// does not answer does not take the time of the others.
async fn ask(server: &ServerArgs, limit: Duration) -> Report {
    let asked = async |role| (role, within(limit, Box::pin(journal(role, server))).await);
    let (gateway, trade, events, culture) = tokio::join!(
        Box::pin(gateway(server, limit)),
        asked(Role::Trade),
        asked(Role::Events),
        asked(Role::Culture),
    );
    let mut journals = vec![trade, events, culture];
    // A service in a process of its own has no others beside it.
    journals.retain(|(_, answer)| {
        !answer
            .as_ref()
            .is_err_and(|error| is(error, Code::NotFound))
    });
    Report { gateway, journals }
}

/// How the gateway at an address is; none where no gateway is.
pub(crate) async fn gateway(
    server: &ServerArgs,
    limit: Duration,
) -> Option<anyhow::Result<GatewayStatus>> {
    let asked = async {
        let mut client = client::gateway(&server.server).await?;
        let mut asked = request(GetStatusRequest {}, server);
        // The gateway waits for a process that says nothing no longer than for half of it.
        asked.set_timeout(limit);
        Ok(client.get_status(asked).await?.into_inner())
    };
    match within(limit, asked).await {
        Err(error) if is(&error, Code::Unimplemented) => None,
        answer => Some(answer),
    }
}

async fn journal(role: Role, server: &ServerArgs) -> anyhow::Result<JournalStatus> {
    let mut client = client::journals(&server.server, role.name()).await?;
    let name = backup::name(role);
    let asked = request(GetJournalStatusRequest { name }, server);
    Ok(client.get_journal_status(asked).await?.into_inner())
}

fn is(error: &anyhow::Error, code: Code) -> bool {
    let status = error.downcast_ref::<Status>();
    status.is_some_and(|status| status.code() == code)
}
