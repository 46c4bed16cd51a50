//! Options of measures: figures of exchange.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use proto::Country;
use proto::culture::v1::MeasureKind;

use super::answer::{AnswerArgs, AsOfArgs, WindowArgs};
use super::records::{
    CountriesArgs, DeleteRecordArgs, ImportRecordsArgs, LimitArgs, VersionsRecordArgs,
};
use crate::names::Choice;

/// Which question.
#[derive(Debug, Subcommand)]
pub(crate) enum MeasuresCommand {
    /// List figures by period, with their sources
    ///
    /// Example: `entente measures list --pair KAZ CHN --kind students --from 2002 --to 2017`
    List(ListMeasuresArgs),
    /// Show one
    Show(ShowMeasureArgs),
    /// Record figures, all or none: new ones, and new versions of those that are there
    ///
    /// The file holds a `Measure` as JSON, or a list of at most 2,000. Example: `{"direction": {"from": "KAZ", "to":
    /// "CHN"}, "kind": "MEASURE_KIND_STUDENTS", "unit": "persons", "period": "2017", "value": "14224", "source":
    /// {"title": "Students", "publisher": "Ministry of Education"}}`
    Record(RecordMeasuresArgs),
    /// Delete one that was recorded in error; reads as of an earlier time still find it
    Delete(DeleteRecordArgs),
    /// Show the vintages of one, the latest first
    Versions(VersionsRecordArgs),
    /// Show the figures of a programme or a direction as series, with growth like for like
    ///
    /// Example: `entente measures series --direction KAZ CHN --kind students --from 2002 --plot`
    Series(MeasureSeriesArgs),
    /// Record figures from a CSV file in a known layout
    ///
    /// `--layout aiddata` is `AidData`'s public diplomacy dataset: `receiving_country`, `year`, and a column for each
    /// figure; each cell becomes a measure of its own from China to the country (students who came to China: from
    /// the country to China). `N/A` is recorded as not available, never as zero. docs/imports.md says which column
    /// is which kind, item and unit.
    ///
    /// A row with a cell that is no figure, or of a country that is not known, is rejected and told by line and
    /// column; the exit code is then 3. Importing a file again changes nothing; a changed figure becomes a new
    /// vintage.
    ///
    /// Example: `entente measures import --layout aiddata ChinesePublicDiplomacy.csv --dry-run`
    Import(ImportMeasuresArgs),
}

/// Options of `entente measures list`.
#[derive(Debug, Args)]
pub(crate) struct ListMeasuresArgs {
    /// Only of this programme, by its id
    #[arg(long, value_name = "ID")]
    pub(crate) programme: Option<String>,
    #[command(flatten)]
    pub(crate) countries: CountriesArgs,
    /// Only of these kinds, with commas between
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(crate) kind: Vec<Choice<MeasureKind>>,
    /// Only of this item: scholarships
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub(crate) item: String,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente measures show`.
#[derive(Debug, Args)]
pub(crate) struct ShowMeasureArgs {
    /// The measure's id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente measures record`.
#[derive(Debug, Args)]
pub(crate) struct RecordMeasuresArgs {
    /// A file with measures as JSON; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente measures series`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("subject").args(["programme", "direction"]).required(true))]
pub(crate) struct MeasureSeriesArgs {
    /// The figures of this programme, by its id
    #[arg(long, value_name = "ID")]
    pub(crate) programme: Option<String>,
    /// The figures from one country to another: of students of the one in the other
    #[arg(long, num_args = 2, value_names = ["COUNTRY", "DESTINATION"])]
    pub(crate) direction: Vec<Country>,
    /// What is counted
    #[arg(long)]
    pub(crate) kind: Option<Choice<MeasureKind>>,
    /// What exactly is counted: scholarships
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub(crate) item: String,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    /// Draw bars below each line
    #[arg(long)]
    pub(crate) plot: bool,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente measures import`.
#[derive(Debug, Args)]
pub(crate) struct ImportMeasuresArgs {
    #[command(flatten)]
    pub(crate) import: ImportRecordsArgs,
    /// What the columns of the file mean
    #[arg(long)]
    pub(crate) layout: MeasureLayout,
}

/// What the columns of a file of measures mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MeasureLayout {
    /// `AidData`: China's public diplomacy, by country and year
    Aiddata,
}
