//! Options of agreements.

use clap::{Args, Subcommand};
use proto::Day;
use proto::events::v1::{AgreementKind, AgreementState};
use proto::r#type::v1::Theme;

use super::answer::{AnswerArgs, AsOfArgs};
use super::records::{
    CountriesArgs, CreateRecordsArgs, DatesArgs, DeleteRecordArgs, DuplicateArgs,
    ImportRecordsArgs, LanguageArgs, LimitArgs, ShowRecordArgs, UpdateRecordArgs,
    VersionsRecordArgs,
};
use crate::dates::parse_day;
use crate::names::Choice;

/// Which question.
#[derive(Debug, Subcommand)]
pub(crate) enum AgreementsCommand {
    /// List agreements by the date of their first step, with their sources
    ///
    /// Example: `entente agreements list --pair CHN KAZ --kind treaty,agreement`
    List(ListAgreementsArgs),
    /// Show one, with every step of its life and who says so
    ///
    /// Example: `entente agreements show visa-free-2023`
    Show(ShowRecordArgs),
    /// Create one, or several at once, all or none
    ///
    /// The file holds a `CreateAgreementRequest` as JSON, or a list of at most 500. Example:
    /// `{"agreementId": "visa-free-2023", "agreement": {"kind": "AGREEMENT_KIND_AGREEMENT", "parties": [{"country":
    /// "CHN"}, {"country": "KAZ"}], "title": {"texts": {"en": "Mutual exemption from visas"}}, "steps": [{"kind":
    /// "STEP_KIND_ENTERED_INTO_FORCE", "date": {"year": 2023, "month": 11, "day": 10}, "source": 1}], "sources":
    /// [{"title": "Notice", "publisher": "Embassy"}]}}`
    Create(CreateAgreementsArgs),
    /// Change one: what the file gives, or the fields that --mask names
    ///
    /// Example: `entente agreements update --file visa-free.json --mask steps,sources`
    Update(UpdateRecordArgs),
    /// Delete one; reads as of an earlier time still find it
    Delete(DeleteRecordArgs),
    /// Show the versions of one, the latest first
    Versions(VersionsRecordArgs),
    /// Show where in its life each agreement is on a day, surely and possibly, and which steps decide
    ///
    /// Example: `entente agreements states --pair CHN KAZ --on 2023-11-10 --state in-force`
    States(StatesArgs),
    /// Create agreements from a CSV file, an agreement a row
    ///
    /// Columns, in any order: `id`, `kind`, `parties` (CHN;KAZ), `title_LANGUAGE` (at least one),
    /// `source_title`, `source_publisher`; and if known `organisations` (SCO), `summary_LANGUAGE`, a column for
    /// each step of its life with its date: `announced`, `signed`, `ratified`, `entered_into_force` (or
    /// `in_force`), `expired`, `denounced`; `event` (the id of the event that signed it), `themes`, `source_uri`,
    /// `source_date`, `licence`, `note`. Several dates of one step have `;` between, and each stays. A step of one
    /// party alone is written `KAZ:2024-03-01`.
    ///
    /// Rows are rejected, recorded and compared as by `entente events import`; docs/imports.md says more.
    ///
    /// Example: `entente agreements import treaties.csv --dry-run`
    Import(ImportAgreementsArgs),
}

/// Which agreements; all that is given must hold.
#[derive(Debug, Args)]
pub(crate) struct AgreementFilterArgs {
    #[command(flatten)]
    pub(crate) countries: CountriesArgs,
    /// Only of these kinds, with commas between
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(crate) kind: Vec<Choice<AgreementKind>>,
    /// Only with one of these themes
    #[arg(long, value_name = "THEMES", value_delimiter = ',')]
    pub(crate) theme: Vec<Choice<Theme>>,
    #[command(flatten)]
    pub(crate) dates: DatesArgs,
    /// Only those that were signed at this event, by its id
    #[arg(long, value_name = "ID")]
    pub(crate) event: Option<String>,
}

/// Options of `entente agreements list`.
#[derive(Debug, Args)]
pub(crate) struct ListAgreementsArgs {
    #[command(flatten)]
    pub(crate) filter: AgreementFilterArgs,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente agreements create`.
#[derive(Debug, Args)]
pub(crate) struct CreateAgreementsArgs {
    #[command(flatten)]
    pub(crate) create: CreateRecordsArgs,
    #[command(flatten)]
    pub(crate) duplicate: DuplicateArgs,
}

/// Options of `entente agreements states`.
#[derive(Debug, Args)]
pub(crate) struct StatesArgs {
    #[command(flatten)]
    pub(crate) filter: AgreementFilterArgs,
    /// On which day; today (UTC) when not given
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    pub(crate) on: Option<Day>,
    /// Only those that surely are, or may be, in one of these states
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    pub(crate) state: Vec<Choice<AgreementState>>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente agreements import`.
#[derive(Debug, Args)]
pub(crate) struct ImportAgreementsArgs {
    #[command(flatten)]
    pub(crate) import: ImportRecordsArgs,
    #[command(flatten)]
    pub(crate) duplicate: DuplicateArgs,
}
