//! Questions to a gateway about two countries over all services.
//!
//! # Layout
//!
//! * `timeline`: what happened, by date. `changes`: what was recorded, since when. `watch`: what is recorded, as it is.
//! * `told`: the changes of all services in words.

mod changes;
mod timeline;
mod told;
mod watch;

use std::io::{self, Write};

use proto::gateway::v1::Unreachable;

use crate::args::relationship::{ChangesArgs, TimelineArgs, WatchArgs};
use crate::output;

pub(crate) use told::{Cells, cells};

/// `entente timeline`.
pub(crate) async fn run_timeline(args: &TimelineArgs) -> anyhow::Result<()> {
    let mut out = output::stdout();
    timeline::run(args, &mut out).await?;
    Ok(out.flush()?)
}

/// `entente changes`.
pub(crate) async fn run_changes(args: &ChangesArgs) -> anyhow::Result<()> {
    let mut out = output::stdout();
    changes::run(args, &mut out).await?;
    Ok(out.flush()?)
}

/// `entente watch`.
pub(crate) async fn run_watch(args: &WatchArgs) -> anyhow::Result<()> {
    watch::run(args, &mut output::stdout()).await
}

/// Tells on standard error whose answer is missing.
fn warn(unreachable: &[Unreachable]) {
    for lost in unreachable {
        let Unreachable {
            service,
            sections: _,
            code,
            message,
        } = lost;
        // Nothing is left to do when this fails.
        drop(writeln!(
            io::stderr(),
            "warning: {service} did not answer, what it has is missing: {message} ({code})"
        ));
    }
}
