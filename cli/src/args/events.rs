//! Options of events.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use proto::events::v1::{EventKind, EventStatus, OfficeLevel, ParticipantRole};
use proto::r#type::v1::Theme;
use proto::{Country, Day};

use super::answer::{AnswerArgs, AsOfArgs, ServerArgs};
use super::records::{
    ChangesArgs, CountriesArgs, CreateRecordsArgs, DatesArgs, DeleteRecordArgs, DuplicateArgs,
    ImportRecordsArgs, LanguageArgs, LimitArgs, ShowRecordArgs, UpdateRecordArgs,
    VersionsRecordArgs, WatchArgs, parse_language,
};
use crate::dates::parse_day;
use crate::names::Choice;

/// Which question.
#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// List events by date, with their sources
    ///
    /// Example: `entente events list --pair CHN KAZ --kind state-visit,summit --from 2013`
    List(Box<ListEventsArgs>),
    /// Show one, with all that is known of it
    ///
    /// Example: `entente events show visit-2024-07 --language fr`
    Show(ShowRecordArgs),
    /// Create one, or several at once, all or none
    ///
    /// The file holds a `CreateEventRequest` as JSON, or a list of at most 500. Example:
    /// `{"eventId": "visit-2024-07", "event": {"kind": "EVENT_KIND_STATE_VISIT", "status":
    /// "EVENT_STATUS_CONCLUDED", "startDate": {"year": 2024, "month": 7, "day": 2}, "title": {"texts": {"en":
    /// "State visit"}}, "participants": [{"country": "KAZ", "role": "PARTICIPANT_ROLE_HOST"}, {"country": "CHN",
    /// "role": "PARTICIPANT_ROLE_GUEST"}], "sources": [{"title": "Programme", "publisher": "Embassy"}]}}`
    Create(CreateEventsArgs),
    /// Change one: what the file gives, or the fields that --mask names
    ///
    /// Example: `entente events update --file visit.json --mask status,end_date`
    Update(UpdateRecordArgs),
    /// Delete one; reads as of an earlier time still find it
    Delete(DeleteRecordArgs),
    /// Show the versions of one, the latest first
    Versions(VersionsRecordArgs),
    /// Show what happened between two countries: events, and steps of agreements, in one order
    ///
    /// Example: `entente events timeline CHN KAZ --from 2023 --to 2024-07`
    Timeline(TimelineArgs),
    /// Show the last and the next meeting of two countries, and those whose dates do not say on which side they lie
    ///
    /// Example: `entente events meetings CHN KAZ --level head-of-state --on 2024-07-01`
    Meetings(MeetingsArgs),
    /// Count the meetings of two countries by year and kind
    ///
    /// Example: `entente events count CHN KAZ --from-year 2013 --to-year 2024`
    Count(CountArgs),
    /// Show what became of events and agreements between two instants
    ///
    /// Example: `entente events changes --pair CHN KAZ --since 2024-07-01`
    Changes(ChangesArgs),
    /// Write events as a calendar, or create events from one
    #[command(subcommand)]
    Calendar(CalendarCommand),
    /// Print every change of events and agreements, a line each, until Ctrl-C
    ///
    /// Each line begins with the position behind it: `--after POSITION` goes on from there. Example:
    /// `entente events watch --pair CHN KAZ --after 120`
    Watch(WatchArgs),
    /// Create events from a CSV file, an event a row
    ///
    /// Columns, in any order: `id`, `kind`, `status`, `start_date`, `title_LANGUAGE` (at least one: `title_en`),
    /// `countries` (CHN;KAZ), `source_title`, `source_publisher`; and if known `end_date`, `summary_LANGUAGE`,
    /// `host` (one of the countries; the others are its guests), `place_country`, `place`, `themes`
    /// (political-trust;culture-and-people), `organisations` (SCO;UN), `source_uri`, `source_date`, `licence`,
    /// `note` (of the source), `cameo_code`. Dates are 2024, 2024-07 or 2024-07-02. Several values of a cell have
    /// `;` between.
    ///
    /// Rejected rows are told by line and column, and the exit code is 3; the others go in, in batches that are
    /// recorded whole or not at all. Importing a file again changes nothing; a stored event that says something
    /// else is told and left as it is. docs/imports.md says more.
    ///
    /// With `--layout ceias` the file is the dataset "Who | Where | When" of the Central European Institute of Asian
    /// Studies: Year, Name, Level, Country.
    ///
    /// Example: `entente events import visits.csv --dry-run`
    Import(ImportEventsArgs),
}

/// Which events; all that is given must hold.
#[derive(Debug, Args)]
pub(crate) struct EventFilterArgs {
    #[command(flatten)]
    pub(crate) countries: CountriesArgs,
    /// Only of these kinds, with commas between
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(crate) kind: Vec<Choice<EventKind>>,
    /// Only with one of these themes
    #[arg(long, value_name = "THEMES", value_delimiter = ',')]
    pub(crate) theme: Vec<Choice<Theme>>,
    /// Only of these statuses
    #[arg(long, value_name = "STATUSES", value_delimiter = ',')]
    pub(crate) status: Vec<Choice<EventStatus>>,
    #[command(flatten)]
    pub(crate) dates: DatesArgs,
    /// Only with this participant: a country code, an organisation's code or name, a person's name
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) participant: String,
}

/// Options of `entente events list`.
#[derive(Debug, Args)]
pub(crate) struct ListEventsArgs {
    #[command(flatten)]
    pub(crate) filter: EventFilterArgs,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente events create`.
#[derive(Debug, Args)]
pub(crate) struct CreateEventsArgs {
    #[command(flatten)]
    pub(crate) create: CreateRecordsArgs,
    #[command(flatten)]
    pub(crate) duplicate: DuplicateArgs,
}

/// Two countries.
#[derive(Debug, Args)]
pub(crate) struct PairArgs {
    /// One country of the pair: ISO 3166-1 alpha-3, such as CHN
    pub(crate) first: Country,
    /// The other: KAZ
    pub(crate) second: Country,
}

/// Options of `entente events timeline`.
#[derive(Debug, Args)]
pub(crate) struct TimelineArgs {
    #[command(flatten)]
    pub(crate) pair: PairArgs,
    #[command(flatten)]
    pub(crate) dates: DatesArgs,
    /// The latest first
    #[arg(long)]
    pub(crate) descending: bool,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente events meetings`.
#[derive(Debug, Args)]
pub(crate) struct MeetingsArgs {
    #[command(flatten)]
    pub(crate) pair: PairArgs,
    /// Only meetings at this level: the lower of the highest that each of the two has there
    #[arg(long)]
    pub(crate) level: Option<Choice<OfficeLevel>>,
    /// The day from which is looked back and ahead; today (UTC) when not given
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    pub(crate) on: Option<Day>,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente events count`.
#[derive(Debug, Args)]
pub(crate) struct CountArgs {
    #[command(flatten)]
    pub(crate) pair: PairArgs,
    /// First year
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u16).range(1..=9998))]
    pub(crate) from_year: Option<u16>,
    /// Last year, included
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u16).range(1..=9998))]
    pub(crate) to_year: Option<u16>,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// What to do with a calendar.
#[derive(Debug, Subcommand)]
pub(crate) enum CalendarCommand {
    /// Write events as an RFC 5545 calendar
    ///
    /// Example: `entente events calendar export --pair CHN KAZ --from 2024 --out relations.ics`
    Export(Box<ExportCalendarArgs>),
    /// Create events from an RFC 5545 calendar
    ///
    /// A calendar says neither kind nor countries of its events: they are given here, and are the same for all. What
    /// was mended and what was refused is told by line. When anything is refused nothing is created and the command
    /// fails, unless --skip-refused leaves it out; then the exit code is 3.
    ///
    /// Example: `entente events calendar import visits.ics --kind visit --country KAZ --role host --country CHN
    /// --role guest --source-title "Calendar of visits" --source-publisher Protocol`
    Import(Box<ImportCalendarArgs>),
}

/// Options of `entente events calendar export`.
#[derive(Debug, Args)]
pub(crate) struct ExportCalendarArgs {
    #[command(flatten)]
    pub(crate) filter: EventFilterArgs,
    /// File to write; it appears under its name when it is complete. Default: standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// What the calendar is called
    #[arg(long, default_value = "Entente")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Options of `entente events calendar import`.
#[derive(Debug, Args)]
pub(crate) struct ImportCalendarArgs {
    /// The calendar; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What its events are
    #[arg(long)]
    pub(crate) kind: Choice<EventKind>,
    /// Who takes part in each; once for each country
    #[arg(long, required = true, value_name = "COUNTRY")]
    pub(crate) country: Vec<Country>,
    /// What part each country takes, in the order of the countries; all are parties when not given
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Vec<Choice<ParticipantRole>>,
    /// How far an event has come of which the calendar does not say it
    #[arg(long)]
    pub(crate) status: Option<Choice<EventStatus>>,
    /// Their themes, with commas between
    #[arg(long, value_name = "THEMES", value_delimiter = ',')]
    pub(crate) theme: Vec<Choice<Theme>>,
    /// What the calendar is called as a source
    #[arg(long, value_name = "TEXT")]
    pub(crate) source_title: String,
    /// Who published it
    #[arg(long, value_name = "TEXT")]
    pub(crate) source_publisher: String,
    /// Its address
    #[arg(
        long,
        value_name = "URL",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) source_uri: String,
    /// Its licence or terms
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) source_licence: String,
    /// The language of its texts, BCP-47
    #[arg(long, default_value = "en", value_name = "TAG", value_parser = parse_language)]
    pub(crate) language: String,
    /// Only say what would be done
    #[arg(long)]
    pub(crate) validate_only: bool,
    /// Leave out what is refused, and create the rest
    #[arg(long)]
    pub(crate) skip_refused: bool,
    #[command(flatten)]
    pub(crate) duplicate: DuplicateArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Options of `entente events import`.
#[derive(Debug, Args)]
pub(crate) struct ImportEventsArgs {
    #[command(flatten)]
    pub(crate) import: ImportRecordsArgs,
    #[command(flatten)]
    pub(crate) duplicate: DuplicateArgs,
    /// What the columns of the file mean
    #[arg(long, default_value = "entente")]
    pub(crate) layout: EventLayout,
}

/// What the columns of a file of events mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventLayout {
    /// An event a row, as above
    Entente,
    /// CEIAS, Who | Where | When: travel of China's leaders since 1949, of which only the years are known
    Ceias,
}
