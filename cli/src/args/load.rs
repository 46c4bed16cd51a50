//! Options of `entente load`.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::answer::ServerArgs;
use crate::load::Span;

/// What is of a run alone.
const OF_A_RUN: [&str; 10] = [
    "scenario",
    "rate",
    "duration",
    "connections",
    "threshold",
    "only_thresholds",
    "find_limit",
    "step",
    "json",
    "html",
];

/// Options of `entente load`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option that is given or not"
)]
pub(crate) struct LoadArgs {
    /// A file in TOML, or one of those that Entente brings, by its name (--list)
    #[arg(value_name = "SCENARIO", required_unless_present_any = ["list", "compare"])]
    pub(crate) scenario: Option<String>,
    /// List the scenarios that Entente brings
    #[arg(long, conflicts_with = "compare", conflicts_with_all = OF_A_RUN)]
    pub(crate) list: bool,
    /// Show two results that --json wrote side by side, with ratios
    #[arg(
        long,
        num_args = 2,
        action = ArgAction::Set,
        value_names = ["A", "B"],
        conflicts_with_all = OF_A_RUN
    )]
    pub(crate) compare: Vec<PathBuf>,
    /// Calls a second, instead of what the scenario says
    #[arg(long, value_name = "RATE")]
    pub(crate) rate: Option<f64>,
    /// How long, instead of what the scenario says: 30s, 5m; not for a scenario of stages, nor for --find-limit
    #[arg(long, value_name = "TIME", conflicts_with = "find_limit")]
    pub(crate) duration: Option<Span>,
    /// Connections, instead of what the scenario says
    #[arg(long, value_name = "N")]
    pub(crate) connections: Option<u16>,
    /// What must hold, instead of what the scenario says or besides: p99=10ms, errors=0.001, achieved=0.99
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) threshold: Vec<String>,
    /// Hold nothing against the run but what --threshold says; an event that no watcher is told of stays a failure
    #[arg(long, requires = "threshold")]
    pub(crate) only_thresholds: bool,
    /// Raise the rate until a threshold breaks, and find the highest at which all hold (without --only-thresholds also
    /// p99=10ms when none is of latencies, errors=0.001 and achieved=0.95 when these are not given)
    #[arg(long)]
    pub(crate) find_limit: bool,
    /// How long each rate is tried by --find-limit
    #[arg(
        long,
        default_value = "5s",
        value_name = "TIME",
        value_parser = Span::some,
        requires = "find_limit"
    )]
    pub(crate) step: Span,
    /// Write the result to this file as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the result to this file as a page that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Show nothing while it runs
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
