//! The questions to the trade service.

use clap::{Args, Subcommand};
use proto::{Classification, CodePattern, Country, Flow, Frequency, Slug};

use super::answer::{AnswerArgs, AsOfArgs, WindowArgs, parse_frequency};
use super::bulk::ExportArgs;
use super::commodities::{CommoditiesArgs, ConvertArgs};
use super::datasets::DatasetsArgs;
use super::mirror::{IndicatorsArgs, MirrorArgs};
use super::rank::RankCommand;
use super::sectors::SectorsArgs;
use super::series::{BalanceArgs, SeriesArgs};
use super::statements::{CheckArgs, StatementsArgs};
use super::vintages::{ChangesArgs, CompareArgs, VintagesArgs};

/// Which question.
#[derive(Debug, Subcommand)]
pub(crate) enum TradeCommand {
    /// List the datasets, show what one covers, create one, change the words of one
    Datasets(DatasetsArgs),
    /// Show the series of a reporter with a partner, with growth like for like
    ///
    /// Example: `entente trade series CHN KOR --flow X --from 2012 --to 2022`
    Series(Box<SeriesArgs>),
    /// Show exports, imports, balance and turnover of a reporter with a partner
    ///
    /// Example: `entente trade balance CHN KAZ --months 1..5 --svg balance.svg`
    Balance(Box<BalanceArgs>),
    /// Rank partners, goods or sectors
    #[command(subcommand)]
    Rank(RankCommand),
    /// Put both sides' figures of the same trade next to each other
    ///
    /// Example: `entente trade mirror CHN KAZ --period 2021 --datasets china-customs,kazakhstan-statistics`
    Mirror(MirrorArgs),
    /// Compute indicators, each with its inputs
    ///
    /// Example: `entente trade indicators CHN KAZ --period 2022 --code 87 --kind rca,intensity`
    Indicators(IndicatorsArgs),
    /// List, show, create, change and delete sectors: named groups of goods
    Sectors(SectorsArgs),
    /// List, show and delete statements: what somebody said about trade
    Statements(StatementsArgs),
    /// Hold a statement against the figures of each side
    ///
    /// Example: `entente trade check --country CHN --partner KAZ --period 2024-01..2024-05 --value 17.62bn
    /// --growth 18%`
    Check(Box<CheckArgs>),
    /// Show the versions of a figure, the latest first
    ///
    /// Example: `entente trade vintages datasets/comtrade/observations/CHN.KOR.X.H4.TOTAL.2012`
    Vintages(VintagesArgs),
    /// Show what was recorded or revised of a pair, both sides
    ///
    /// Example: `entente trade changes CHN KAZ --since 2024-07-01 --totals`
    Changes(ChangesArgs),
    /// Hold a figure against another one, or say why they are not like for like
    ///
    /// Example: `entente trade compare datasets/china-customs/observations/CHN.KAZ.T.NA.TOTAL.2022`
    Compare(CompareArgs),
    /// List the codes of a classification with their names
    ///
    /// Example: `entente trade commodities H6 --code '87*' --contains electric`
    Commodities(CommoditiesArgs),
    /// Say what codes of one revision are in another, by the tables that were imported
    ///
    /// Example: `entente trade convert 870380 --from H6 --to H5`
    Convert(ConvertArgs),
    /// List figures by filter
    ///
    /// Example: `entente trade list --reporter THA --flow M --code '0306*' --output csv`
    List(ListArgs),
    /// Show one figure by its name, with its source and vintage
    ///
    /// Example: `entente trade get datasets/comtrade/observations/CHN.KOR.X.H4.TOTAL.2012`
    Get(GetArgs),
    /// Write all figures that a filter lets through to a file: CSV, JSON lines, SDMX-CSV 2.0 or Parquet
    ///
    /// Example: `entente trade export --dataset comtrade --reporter CHN --format parquet --out china.parquet`
    Export(ExportArgs),
}

/// Options of `entente trade list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Dataset whose figures are listed
    #[arg(long, default_value = "comtrade", value_name = "ID", value_parser = Slug::parse)]
    pub(crate) dataset: Slug,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Show at most this many figures
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Which figures; all that is given must hold.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    /// Whose statistics
    #[arg(long, value_name = "COUNTRY")]
    pub(crate) reporter: Option<Country>,
    /// With whom
    #[arg(long, value_name = "COUNTRY")]
    pub(crate) partner: Option<Country>,
    /// M, X, T, RM, RX, …
    #[arg(long)]
    pub(crate) flow: Option<Flow>,
    /// TOTAL, a code, or its first digits and `*`: 87, 870380, '8703*'
    #[arg(long, value_name = "PATTERN")]
    pub(crate) code: Option<CodePattern>,
    /// H0 to H6, S1 to S4, B4, B5, NA
    #[arg(long, value_name = "CODE")]
    pub(crate) classification: Option<Classification>,
    /// How long each period is: year, month, cumulated
    #[arg(long, value_name = "LENGTH", value_parser = parse_frequency)]
    pub(crate) frequency: Option<Frequency>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
}

/// Options of `entente trade get`.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// `datasets/{dataset}/observations/{reporter}.{partner}.{flow}.{classification}.{code}.{period}`
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}
