//! Options of rankings.

use clap::{Args, Subcommand};
use proto::{Classification, Code, Country, Flow, Period, Slug};

use super::answer::{AnswerArgs, AsOfArgs, BasisArgs, ChartArgs};

/// What is ranked.
#[derive(Debug, Subcommand)]
pub(crate) enum RankCommand {
    /// Rank the partners of a reporter: value, share, growth, place a year before
    ///
    /// Example: `entente trade rank partners KAZ --flow X --period 2022 --top 5`
    Partners(PartnersArgs),
    /// Rank the goods of a reporter with a partner
    ///
    /// Example: `entente trade rank commodities CHN KAZ --flow X --level 4 --within 87 --period 2022`
    Commodities(CommoditiesArgs),
    /// Rank the sectors of a reporter with a partner; they may overlap, so nothing is added up
    ///
    /// Example: `entente trade rank sectors CHN KAZ --flow X --period 2022`
    Sectors(SectorsArgs),
}

/// Options of `entente trade rank partners`.
#[derive(Debug, Args)]
pub(crate) struct PartnersArgs {
    /// Whose partners: ISO 3166-1 alpha-3, such as KAZ
    pub(crate) reporter: Country,
    /// TOTAL, or a code of 2 to 6 digits
    #[arg(long, default_value = "TOTAL", conflicts_with = "sector")]
    pub(crate) code: Code,
    /// The sum over a sector's codes, instead of one code
    #[arg(long, value_name = "ID", value_parser = Slug::parse)]
    pub(crate) sector: Option<Slug>,
    #[command(flatten)]
    pub(crate) ranked: RankedArgs,
}

/// Options of `entente trade rank commodities`.
#[derive(Debug, Args)]
pub(crate) struct CommoditiesArgs {
    /// Whose statistics: ISO 3166-1 alpha-3, such as CHN
    pub(crate) reporter: Country,
    /// With whom: alpha-3, or WLD for all partners together
    pub(crate) partner: Country,
    /// Digits of the codes that are ranked: 2, 4 or 6
    #[arg(long, default_value = "2", value_parser = parse_level)]
    pub(crate) level: i32,
    /// Only codes that begin with these digits: 87
    #[arg(long, default_value = "", value_name = "DIGITS")]
    pub(crate) within: String,
    #[command(flatten)]
    pub(crate) ranked: RankedArgs,
}

/// Options of `entente trade rank sectors`.
#[derive(Debug, Args)]
pub(crate) struct SectorsArgs {
    /// Whose statistics: ISO 3166-1 alpha-3, such as CHN
    pub(crate) reporter: Country,
    /// With whom: alpha-3, or WLD for all partners together
    pub(crate) partner: Country,
    #[command(flatten)]
    pub(crate) ranked: RankedArgs,
}

/// Options of every ranking.
#[derive(Debug, Args)]
pub(crate) struct RankedArgs {
    /// Dataset that is asked; figures of different datasets are never merged
    #[arg(long, default_value = "comtrade", value_name = "ID", value_parser = Slug::parse)]
    pub(crate) dataset: Slug,
    /// M imports, X exports, T total trade as published, RM, RX, …
    #[arg(long, default_value = "X")]
    pub(crate) flow: Flow,
    /// For which time: 2022, 2022-05, or 2022-01..2022-05
    #[arg(long)]
    pub(crate) period: Period,
    #[command(flatten)]
    pub(crate) basis: BasisArgs,
    /// Only figures under this classification; else the newest of the Harmonized System that the period has
    #[arg(long, value_name = "CODE")]
    pub(crate) classification: Option<Classification>,
    /// How many places are shown; the rest is one line
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=1_000))]
    pub(crate) top: i32,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) chart: ChartArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

impl RankedArgs {
    /// The classification; empty for the newest.
    pub(crate) fn classification_text(&self) -> String {
        let text = self.classification.map(|given| given.to_string());
        text.unwrap_or_default()
    }
}

/// Digits of the codes of a level.
pub(super) fn parse_level(text: &str) -> Result<i32, String> {
    match text {
        "2" => Ok(2),
        "4" => Ok(4),
        "6" => Ok(6),
        _ => Err("2, 4 or 6 digits".into()),
    }
}
