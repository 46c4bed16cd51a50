//! Options that the commands of every kind of record share.

use std::path::PathBuf;

use clap::Args;
use proto::{CivilDate, Country};

use super::answer::{AnswerArgs, AsOf, AsOfArgs, ServerArgs, parse_as_of, parse_since};

/// In which language texts are shown.
#[derive(Debug, Args)]
pub(crate) struct LanguageArgs {
    /// Language of titles and names, BCP-47; where a text has none, a related language or English stands in
    #[arg(long, default_value = "en", value_name = "TAG", value_parser = parse_language)]
    pub(crate) language: String,
}

/// Reads a language tag.
pub(super) fn parse_language(text: &str) -> Result<String, String> {
    proto::check_language(text).map_err(|error| error.to_string())
}

/// Which countries.
#[derive(Debug, Args)]
pub(crate) struct CountriesArgs {
    /// Only with both of these two
    #[arg(long, num_args = 2, value_names = ["COUNTRY", "PARTNER"], conflicts_with = "country")]
    pub(crate) pair: Vec<Country>,
    /// Only with this country
    #[arg(long, value_name = "COUNTRY")]
    pub(crate) country: Option<Country>,
}

impl CountriesArgs {
    /// Country and partner as the wire has them; empty for any.
    pub(crate) fn to_wire(&self) -> (String, String) {
        let country = self.pair.first().or(self.country.as_ref());
        let text = |country: Option<&Country>| country.map(ToString::to_string).unwrap_or_default();
        (text(country), text(self.pair.get(1)))
    }
}

/// Which days.
#[derive(Debug, Args)]
pub(crate) struct DatesArgs {
    /// First date: 2024, 2024-07 or 2024-07-01
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<CivilDate>,
    /// Last date, included
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<CivilDate>,
}

impl DatesArgs {
    /// As the wire has it.
    pub(crate) fn to_wire(&self) -> Option<proto::r#type::v1::DateWindow> {
        crate::dates::window(self.from, self.to)
    }
}

/// How many records are shown.
#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// Show at most this many
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) limit: u32,
}

/// Options that show one record.
#[derive(Debug, Args)]
pub(crate) struct ShowRecordArgs {
    /// The record's id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options that create records.
#[derive(Debug, Args)]
pub(crate) struct CreateRecordsArgs {
    /// A file with the request as JSON, or a list of them; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Whether a record may look like one that is there.
#[derive(Debug, Args)]
pub(crate) struct DuplicateArgs {
    /// Create also what looks like a record that is there
    #[arg(long)]
    pub(crate) allow_duplicate: bool,
}

/// Options that change a record.
#[derive(Debug, Args)]
pub(crate) struct UpdateRecordArgs {
    /// A file with the record as JSON, by its `name`; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The fields to change, with commas between: `title,end_date`; all that the file gives when not given
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub(crate) mask: Vec<String>,
    /// Change it only if this is its etag; in place of the file's
    #[arg(long)]
    pub(crate) etag: Option<String>,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options that delete a record.
#[derive(Debug, Args)]
pub(crate) struct DeleteRecordArgs {
    /// The record's id
    pub(crate) id: String,
    /// Delete it only if this is its etag
    #[arg(long)]
    pub(crate) etag: Option<String>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Options that show a record's versions.
#[derive(Debug, Args)]
pub(crate) struct VersionsRecordArgs {
    /// The record's id, of a deleted one too
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of a question for the changes between two instants.
#[derive(Debug, Args)]
pub(crate) struct ChangesArgs {
    #[command(flatten)]
    pub(crate) countries: CountriesArgs,
    /// From this instant on (`2024-07-01T12:00:00Z`), or from this day on (its start, UTC)
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    pub(crate) since: Option<AsOf>,
    /// Until this instant, or this day (its end, UTC)
    #[arg(long, value_name = "TIME", value_parser = parse_as_of)]
    pub(crate) until: Option<AsOf>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of a feed of changes.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    pub(crate) countries: CountriesArgs,
    /// Begin behind this position; 0 begins with the first change of all
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    pub(crate) after: u64,
    /// Print the service's messages as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Options of an import of records.
#[derive(Debug, Args)]
pub(crate) struct ImportRecordsArgs {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Check and compare with what is stored, write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
