//! Options of statements and their check.

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use proto::trade::v1::{ObservationFlag, StatedMeasure};
use proto::{Country, Currency, Period, Slug};

use super::amount::{Amount, parse_amount, parse_ratio};
use super::answer::{AnswerArgs, AsOfArgs, ServerArgs, WindowArgs};

/// Options of `entente trade statements`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct StatementsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<StatementsCommand>,
    #[command(flatten)]
    pub(crate) list: ListStatementsArgs,
}

/// What to do with statements.
#[derive(Debug, Subcommand)]
pub(crate) enum StatementsCommand {
    /// List them
    ///
    /// Example: `entente trade statements list --pair CHN KAZ`
    List(ListStatementsArgs),
    /// Show one
    Show(ShowStatementArgs),
    /// Delete one; reads as of an earlier time still find it
    Delete(DeleteStatementArgs),
}

/// Options of `entente trade statements list`.
#[derive(Debug, Args)]
pub(crate) struct ListStatementsArgs {
    /// Only statements about these two
    #[arg(long, num_args = 2, value_names = ["COUNTRY", "PARTNER"])]
    pub(crate) pair: Vec<Country>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente trade statements show`.
#[derive(Debug, Args)]
pub(crate) struct ShowStatementArgs {
    /// The statement's id
    #[arg(value_parser = Slug::parse)]
    pub(crate) id: Slug,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente trade statements delete`.
#[derive(Debug, Args)]
pub(crate) struct DeleteStatementArgs {
    /// The statement's id
    #[arg(value_parser = Slug::parse)]
    pub(crate) id: Slug,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Options of `entente trade check`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("subject").args(["id", "all", "country"]).required(true))]
pub(crate) struct CheckArgs {
    /// A statement that is stored, by its id
    #[arg(value_parser = Slug::parse)]
    pub(crate) id: Option<Slug>,
    /// Every statement that is stored, as a table
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) said: SaidArgs,
    /// Datasets to hold it against, with commas between; all that have figures of the pair when not given
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = Slug::parse)]
    pub(crate) datasets: Vec<Slug>,
    /// How far a figure may be off
    #[arg(long, default_value = "0.5%", value_parser = parse_ratio)]
    pub(crate) tolerance: Amount,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// A statement by its parts, which is not stored.
#[derive(Debug, Args)]
pub(crate) struct SaidArgs {
    /// About whose trade: ISO 3166-1 alpha-3, such as CHN
    #[arg(long, requires_all = ["partner", "period", "value"])]
    pub(crate) country: Option<Country>,
    /// With whom; several with commas between, all together
    #[arg(long, value_delimiter = ',', requires = "country")]
    pub(crate) partner: Vec<Country>,
    /// What the figure counts, as the country sees it
    #[arg(long, default_value = "turnover", requires = "country")]
    pub(crate) measure: StatedArg,
    /// For which time: 2024, 2024-05, or 2024-01..2024-05
    #[arg(long, requires = "country")]
    pub(crate) period: Option<Period>,
    /// The figure as it was said, which tells how precise it is: 17.62bn, 850m, 17620000000
    #[arg(long, requires = "country", allow_hyphen_values = true, value_parser = parse_amount)]
    pub(crate) value: Option<Amount>,
    /// The currency of the figure
    #[arg(long, default_value = "USD", requires = "country")]
    pub(crate) currency: Currency,
    /// Growth over the same months a year before, as it was said: 18%
    #[arg(long, requires = "country", allow_hyphen_values = true, value_parser = parse_ratio)]
    pub(crate) growth: Option<Amount>,
    /// Whose statistics the figure is said to come from
    #[arg(long, value_name = "COUNTRY", requires = "country")]
    pub(crate) side: Option<Country>,
    /// What qualifies it, with commas between
    #[arg(long, value_delimiter = ',', requires = "country")]
    pub(crate) flag: Vec<FlagArg>,
}

/// What a stated figure counts.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StatedArg {
    /// Exports and imports together
    Turnover,
    /// From the country to its partners
    Exports,
    /// From the partners to the country
    Imports,
    /// The country's exports by its own customs, less the same goods by its partner's customs
    MirrorGap,
}

impl StatedArg {
    pub(crate) fn to_wire(self) -> StatedMeasure {
        match self {
            StatedArg::Turnover => StatedMeasure::Turnover,
            StatedArg::Exports => StatedMeasure::Exports,
            StatedArg::Imports => StatedMeasure::Imports,
            StatedArg::MirrorGap => StatedMeasure::MirrorGap,
        }
    }
}

/// What qualifies a stated figure.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FlagArg {
    /// "More than"
    LowerBound,
    /// Without a source that could be read
    Unverified,
    /// An estimate
    Estimated,
    /// Not final
    Provisional,
}

impl FlagArg {
    pub(crate) fn to_wire(self) -> ObservationFlag {
        match self {
            FlagArg::LowerBound => ObservationFlag::LowerBound,
            FlagArg::Unverified => ObservationFlag::Unverified,
            FlagArg::Estimated => ObservationFlag::Estimated,
            FlagArg::Provisional => ObservationFlag::Provisional,
        }
    }
}
