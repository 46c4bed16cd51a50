//! Options of vintages, changes and comparisons.

use clap::Args;
use proto::{Country, Slug};

use super::answer::{AnswerArgs, AsOf, AsOfArgs, parse_as_of, parse_since};

/// Options of `entente trade vintages`.
#[derive(Debug, Args)]
pub(crate) struct VintagesArgs {
    /// `datasets/{dataset}/observations/{reporter}.{partner}.{flow}.{classification}.{code}.{period}`
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente trade changes`.
#[derive(Debug, Args)]
pub(crate) struct ChangesArgs {
    /// One country of the pair: ISO 3166-1 alpha-3, such as CHN
    pub(crate) first: Country,
    /// The other: KAZ
    pub(crate) second: Country,
    /// From this instant on (`2024-07-01T12:00:00Z`), or from this day on (its start, UTC)
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    pub(crate) since: Option<AsOf>,
    /// Until this instant, or this day (its end, UTC)
    #[arg(long, value_name = "TIME", value_parser = parse_as_of)]
    pub(crate) until: Option<AsOf>,
    /// Only figures of all goods together
    #[arg(long)]
    pub(crate) totals: bool,
    /// Only this dataset
    #[arg(long, value_name = "ID", value_parser = Slug::parse)]
    pub(crate) dataset: Option<Slug>,
    /// Show at most this many changes
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente trade compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The figure: `datasets/{dataset}/observations/{observation}`
    pub(crate) name: String,
    /// What it is held against; when not given, the same months a year before in the same series
    #[arg(default_value = "", hide_default_value = true)]
    pub(crate) base: String,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}
