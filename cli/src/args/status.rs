//! Options of the status.

use clap::Args;

use super::answer::ServerArgs;

/// Options of `entente status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Write it as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Show it again every so many seconds, until Ctrl-C
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    pub(crate) watch: Option<u64>,
    /// Wait so long, at most, until every process answers, as after a restart; no question takes longer
    #[arg(
        long,
        default_value_t = 0,
        hide_default_value = true,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(0..=86_400)
    )]
    pub(crate) wait: u64,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
