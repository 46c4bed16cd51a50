//! Options of the mirror comparison and of the indicators.

use clap::{Args, ValueEnum};
use proto::trade::v1::{IndicatorKind, WorldReference};
use proto::{Classification, Code, Country, Period, Slug};

use super::amount::{Amount, parse_ratio};
use super::answer::{AnswerArgs, AsOfArgs, BasisArgs};
use super::rank::parse_level;

/// Options of `entente trade mirror`.
#[derive(Debug, Args)]
pub(crate) struct MirrorArgs {
    /// One side: ISO 3166-1 alpha-3, such as CHN
    pub(crate) first: Country,
    /// The other side: KAZ
    pub(crate) second: Country,
    /// For which time: 2022, 2022-05, or 2022-01..2022-05
    #[arg(long)]
    pub(crate) period: Period,
    #[command(flatten)]
    pub(crate) basis: BasisArgs,
    /// The first side's dataset and the second's; one, when both sides' figures are in the same
    #[arg(
        long,
        default_value = "comtrade",
        value_name = "FIRST,SECOND",
        value_delimiter = ',',
        value_parser = Slug::parse
    )]
    pub(crate) datasets: Vec<Slug>,
    /// TOTAL, or a code of 2 to 6 digits
    #[arg(long, default_value = "TOTAL")]
    pub(crate) code: Code,
    /// By codes of 2, 4 or 6 digits below --code as well, the largest gap first
    #[arg(long, value_parser = parse_level)]
    pub(crate) level: Option<i32>,
    /// How many of these codes
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=1_000))]
    pub(crate) top: i32,
    /// t in FOB = CIF / (1 + t): what is taken off an import at CIF
    #[arg(long, default_value = "0.06", value_name = "T", value_parser = parse_ratio)]
    pub(crate) cif_fob: Amount,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente trade indicators`.
#[derive(Debug, Args)]
pub(crate) struct IndicatorsArgs {
    /// i, whose statistics: ISO 3166-1 alpha-3, such as CHN
    pub(crate) reporter: Country,
    /// j, with whom
    #[arg(default_value = "WLD")]
    pub(crate) partner: Country,
    /// For which time: 2022, 2022-05, or 2022-01..2022-05
    #[arg(long)]
    pub(crate) period: Period,
    #[command(flatten)]
    pub(crate) basis: BasisArgs,
    /// Dataset that is asked; figures of different datasets are never merged
    #[arg(long, default_value = "comtrade", value_name = "ID", value_parser = Slug::parse)]
    pub(crate) dataset: Slug,
    /// k, the goods: TOTAL, or a code of 2 to 6 digits
    #[arg(long, default_value = "TOTAL")]
    pub(crate) code: Code,
    /// Only figures under this classification; else the newest of the Harmonized System that the period has
    #[arg(long, value_name = "CODE")]
    pub(crate) classification: Option<Classification>,
    /// Which, with commas between; all when not given
    #[arg(long, value_delimiter = ',')]
    pub(crate) kind: Vec<KindArg>,
    /// Where the world's exports come from
    #[arg(long, default_value = "published")]
    pub(crate) world: WorldArg,
    /// Digits of the codes that concentration and the aggregate index look at: 2, 4 or 6
    #[arg(long, default_value = "2", value_parser = parse_level)]
    pub(crate) level: i32,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// An indicator.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum KindArg {
    /// Revealed comparative advantage; needs --code
    Rca,
    /// Trade intensity; needs a partner
    Intensity,
    /// Grubel–Lloyd index of trade within one good
    GrubelLloyd,
    /// The same over all codes of --level
    GrubelLloydAggregate,
    /// Concentration of the reporter's partners (HHI)
    Partners,
    /// Concentration of what the reporter exports to the partner (HHI)
    Commodities,
}

impl KindArg {
    pub(crate) fn to_wire(self) -> IndicatorKind {
        match self {
            KindArg::Rca => IndicatorKind::Rca,
            KindArg::Intensity => IndicatorKind::TradeIntensity,
            KindArg::GrubelLloyd => IndicatorKind::GrubelLloyd,
            KindArg::GrubelLloydAggregate => IndicatorKind::GrubelLloydAggregate,
            KindArg::Partners => IndicatorKind::PartnerConcentration,
            KindArg::Commodities => IndicatorKind::CommodityConcentration,
        }
    }
}

/// Where the world's exports come from.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum WorldArg {
    /// The figures that the dataset has with the world as reporter
    Published,
    /// The sum over all reporters of the dataset
    Sum,
}

impl WorldArg {
    pub(crate) fn to_wire(self) -> WorldReference {
        match self {
            WorldArg::Published => WorldReference::Published,
            WorldArg::Sum => WorldReference::SumOfReporters,
        }
    }
}
