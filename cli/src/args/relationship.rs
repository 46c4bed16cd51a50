//! Options of the commands that ask a gateway about two countries over all services.

use clap::{Args, ValueEnum};
use proto::Day;
use proto::gateway::v1::TimelineKind;

use super::answer::{AnswerArgs, AsOf, AsOfArgs, ServerArgs, parse_instant_after};
use super::events::PairArgs;
use super::records::{DatesArgs, LanguageArgs, LimitArgs};
use crate::names::Choice;

/// A service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    Trade,
    Events,
    Culture,
}

impl Service {
    /// As the wire has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Service::Trade => "trade",
            Service::Events => "events",
            Service::Culture => "culture",
        }
    }
}

/// Options of `entente timeline`.
#[derive(Debug, Args)]
pub(crate) struct TimelineArgs {
    #[command(flatten)]
    pub(crate) pair: PairArgs,
    #[command(flatten)]
    pub(crate) dates: DatesArgs,
    /// Only entries of this kind; may be given several times
    #[arg(long = "kind", value_name = "KIND")]
    pub(crate) kinds: Vec<Choice<TimelineKind>>,
    /// The latest first
    #[arg(long)]
    pub(crate) latest_first: bool,
    /// Only what its sources let be shown outside
    #[arg(long)]
    pub(crate) public: bool,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// A day, itself included.
    Day(Day),
    /// An instant, itself not included.
    Instant(AsOf),
}

fn parse_since(text: &str) -> Result<Since, &'static str> {
    match crate::dates::parse_day(text) {
        Ok(day) => Ok(Since::Day(day)),
        Err(_) => parse_instant_after(text).map(Since::Instant),
    }
}

/// Options of `entente changes`.
#[derive(Debug, Args)]
pub(crate) struct ChangesArgs {
    #[command(flatten)]
    pub(crate) pair: PairArgs,
    /// From this day on (2024-07-01, UTC), or after this instant (2024-07-01T12:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    pub(crate) since: Option<Since>,
    /// After this cursor, which `entente changes` and `entente watch` print
    #[arg(long, value_name = "CURSOR", conflicts_with = "since")]
    pub(crate) cursor: Option<String>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    pub(crate) pair: PairArgs,
    /// Go on after this cursor, which `entente changes` and `entente watch` print; from now on when not given
    #[arg(long, value_name = "CURSOR")]
    pub(crate) cursor: Option<String>,
    /// Begin with all that was ever recorded
    #[arg(long, conflicts_with = "cursor")]
    pub(crate) from_beginning: bool,
    /// Only what this service records; may be given several times
    #[arg(long = "service", value_name = "SERVICE")]
    pub(crate) services: Vec<Service>,
    /// Print the gateway's messages as JSON, one a line, each with its cursor
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_told_from_an_instant() {
        assert!(matches!(parse_since("2024-07-01"), Ok(Since::Day(_))));
        assert!(matches!(
            parse_since("2024-07-01T00:00:00Z"),
            Ok(Since::Instant(_))
        ));
        assert!(parse_since("2024-07").is_err());
    }
}
