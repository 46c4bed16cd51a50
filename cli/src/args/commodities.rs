//! Options of commodity codes: their names, and what they are in another revision.

use clap::Args;
use proto::{Classification, Code};

use super::answer::AnswerArgs;

/// Options of `entente trade commodities`.
#[derive(Debug, Args)]
pub(crate) struct CommoditiesArgs {
    /// H0 to H6, S1 to S4, B4, B5
    pub(crate) classification: Classification,
    /// One code, or the first digits and `*`: 8703, '87*'
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "PATTERN"
    )]
    pub(crate) code: String,
    /// Only codes whose name has this text, in any language
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TEXT"
    )]
    pub(crate) contains: String,
    /// Show at most this many codes
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente trade convert`.
#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// Codes of 2, 4 or 6 digits; a shorter one stands for all codes of 6 digits below it
    #[arg(required = true, value_name = "CODE")]
    pub(crate) codes: Vec<Code>,
    /// The revision of the codes
    #[arg(long, value_name = "CODE")]
    pub(crate) from: Classification,
    /// The revision that they are brought to
    #[arg(long, value_name = "CODE")]
    pub(crate) to: Classification,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}
