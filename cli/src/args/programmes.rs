//! Options of programmes of exchange.

use clap::{Args, Subcommand, ValueEnum};
use proto::culture::v1::{ProgrammeKind, ProgrammeStatus};
use proto::r#type::v1::Theme;

use super::answer::{AnswerArgs, AsOfArgs};
use super::records::{
    CountriesArgs, CreateRecordsArgs, DatesArgs, DeleteRecordArgs, DuplicateArgs,
    ImportRecordsArgs, LanguageArgs, LimitArgs, ShowRecordArgs, UpdateRecordArgs,
    VersionsRecordArgs,
};
use crate::names::Choice;

/// Which question.
#[derive(Debug, Subcommand)]
pub(crate) enum ProgrammesCommand {
    /// List programmes by date, with their sources
    ///
    /// The status that a source observed and the one that somebody concluded stand in columns of their own.
    /// Example: `entente programmes list --pair CHN KAZ --kind language-institute`
    List(ListProgrammesArgs),
    /// Show one, with milestones, statuses and who says so
    ///
    /// Example: `entente programmes show lu-ban-oskemen`
    Show(ShowRecordArgs),
    /// Create one, or several at once, all or none
    ///
    /// The file holds a `CreateProgrammeRequest` as JSON, or a list of at most 500. Example:
    /// `{"programmeId": "tourism-year-2024", "programme": {"kind": "PROGRAMME_KIND_TOURISM_YEAR", "countries":
    /// [{"country": "KAZ", "role": "PROGRAMME_ROLE_FROM"}, {"country": "CHN", "role": "PROGRAMME_ROLE_TO"}],
    /// "startDate": {"year": 2024}, "title": {"texts": {"en": "Year of Kazakh tourism in China"}}, "sources":
    /// [{"title": "Interview", "publisher": "Kazinform"}]}}`
    Create(CreateProgrammesArgs),
    /// Change one: what the file gives, or the fields that --mask names
    ///
    /// Example: `entente programmes update --file workshop.json --mask milestones,sources`
    Update(UpdateRecordArgs),
    /// Delete one; reads as of an earlier time still find it, and its measures stay
    Delete(DeleteRecordArgs),
    /// Show the versions of one, the latest first
    Versions(VersionsRecordArgs),
    /// Create programmes from a CSV file in a known layout
    ///
    /// `--layout bridash` is the list of Confucius institutes of the `BRIDash` project: `id`, `confucius_institute`,
    /// `partner_uni`, `date_est`, `location_name`, `nearest_city`, `country`, `status`, `sources`. Each becomes a programme
    /// `bridash-ID` from China to the country. Its status is recorded as concluded, never as observed: the project
    /// took a web page that no longer answered for a closed institute. docs/imports.md says more.
    ///
    /// Rows are rejected, recorded and compared as by `entente events import`.
    ///
    /// Example: `entente programmes import --layout bridash confucius_institutes.csv --dry-run`
    Import(ImportProgrammesArgs),
}

/// Options of `entente programmes list`.
#[derive(Debug, Args)]
pub(crate) struct ListProgrammesArgs {
    #[command(flatten)]
    pub(crate) countries: CountriesArgs,
    /// Only of these kinds, with commas between
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(crate) kind: Vec<Choice<ProgrammeKind>>,
    /// Only with one of these themes
    #[arg(long, value_name = "THEMES", value_delimiter = ',')]
    pub(crate) theme: Vec<Choice<Theme>>,
    /// Only those that a source says to be, last of all dates, in one of these statuses
    #[arg(long, value_name = "STATUSES", value_delimiter = ',')]
    pub(crate) observed: Vec<Choice<ProgrammeStatus>>,
    /// Only those of which one of these statuses was concluded from something else
    #[arg(long, value_name = "STATUSES", value_delimiter = ',')]
    pub(crate) inferred: Vec<Choice<ProgrammeStatus>>,
    #[command(flatten)]
    pub(crate) dates: DatesArgs,
    /// Only with this institution: its code or its name
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) institution: String,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente programmes create`.
#[derive(Debug, Args)]
pub(crate) struct CreateProgrammesArgs {
    #[command(flatten)]
    pub(crate) create: CreateRecordsArgs,
    #[command(flatten)]
    pub(crate) duplicate: DuplicateArgs,
}

/// Options of `entente programmes import`.
#[derive(Debug, Args)]
pub(crate) struct ImportProgrammesArgs {
    #[command(flatten)]
    pub(crate) import: ImportRecordsArgs,
    #[command(flatten)]
    pub(crate) duplicate: DuplicateArgs,
    /// What the columns of the file mean
    #[arg(long)]
    pub(crate) layout: ProgrammeLayout,
}

/// What the columns of a file of programmes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgrammeLayout {
    /// `BRIDash`: Confucius institutes
    Bridash,
}
