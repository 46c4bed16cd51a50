//! Options of `entente briefing`.

use clap::{Args, ValueEnum};
use proto::gateway::v1::BriefingSection;
use proto::{Day, Period};

use super::answer::{AsOf, AsOfArgs, ServerArgs, parse_since};
use super::events::PairArgs;
use super::records::LanguageArgs;
use crate::dates::parse_day;
use crate::names::Choice;

/// How a briefing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BriefingOutput {
    /// For the terminal
    Text,
    /// Markdown, with the sources as footnotes
    Markdown,
    /// The message as JSON
    Json,
}

/// Options of `entente briefing`.
#[derive(Debug, Args)]
pub(crate) struct BriefingArgs {
    #[command(flatten)]
    pub(crate) pair: PairArgs,
    /// The period that trade is about: 2023, or months of one year, 2024-01..2024-05; it must have ended by the day.
    /// The last year that had, when it is not given
    #[arg(long, value_name = "PERIOD")]
    pub(crate) period: Option<Period>,
    /// The day on which it is read; today (UTC) when it is not given
    #[arg(long = "on", value_name = "DAY", value_parser = parse_day)]
    pub(crate) on: Option<Day>,
    /// Tell what changed since this instant (`2024-07-01T12:00:00Z`), or this day (its start, UTC)
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    pub(crate) since: Option<AsOf>,
    /// Tell each change by itself, figures included, rather than by kind
    #[arg(long, requires = "since")]
    pub(crate) each_change: bool,
    /// Only these sections, with commas between
    #[arg(long, value_name = "SECTIONS", value_delimiter = ',')]
    pub(crate) section: Vec<Choice<BriefingSection>>,
    /// Fail, rather than answer without these sections, when a service does not answer
    #[arg(long, value_name = "SECTIONS", value_delimiter = ',')]
    pub(crate) require: Vec<Choice<BriefingSection>>,
    /// For everybody: only what its sources let out
    #[arg(long)]
    pub(crate) public: bool,
    /// How many years before the period's are shown
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=20))]
    pub(crate) years: i32,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    /// How it is written
    #[arg(long, short, default_value = "text", value_name = "FORMAT")]
    pub(crate) output: BriefingOutput,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
