//! Options of datasets.

use clap::{Args, Subcommand};
use proto::{CivilDate, Country, Slug};

use super::answer::{AnswerArgs, AsOfArgs};
use super::bulk::CreateDatasetArgs;
use super::texts::{Text, parse_text};

/// Options of `entente trade datasets`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DatasetsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<DatasetsCommand>,
    #[command(flatten)]
    pub(crate) list: ListDatasetsArgs,
}

/// What to do with datasets.
#[derive(Debug, Subcommand)]
pub(crate) enum DatasetsCommand {
    /// List them
    List(ListDatasetsArgs),
    /// Show one and what it covers: by reporter, flow and frequency the periods and the detail
    ///
    /// Example: `entente trade datasets show china-customs`
    Show(ShowDatasetArgs),
    /// Create a dataset: one publisher's figures in one currency
    Create(Box<CreateDatasetArgs>),
    /// Change the words of one: name, description, source, licence
    ///
    /// Example: `entente trade datasets update comtrade --name fr='UN Comtrade, annuel'`
    Update(Box<UpdateDatasetArgs>),
}

/// Options of `entente trade datasets list`.
#[derive(Debug, Args)]
pub(crate) struct ListDatasetsArgs {
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente trade datasets show`.
#[derive(Debug, Args)]
pub(crate) struct ShowDatasetArgs {
    /// The dataset's id
    #[arg(value_parser = Slug::parse)]
    pub(crate) id: Slug,
    /// Only what this reporter published
    #[arg(long, value_name = "COUNTRY")]
    pub(crate) reporter: Option<Country>,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente trade datasets update`.
#[derive(Debug, Args)]
pub(crate) struct UpdateDatasetArgs {
    /// The dataset's id
    #[arg(value_parser = Slug::parse)]
    pub(crate) id: Slug,
    /// Its name in a language: en=China's customs; once for each language
    #[arg(long, value_name = "LANGUAGE=TEXT", value_parser = parse_text)]
    pub(crate) name: Vec<Text>,
    /// What it covers, in a language; once for each language
    #[arg(long, value_name = "LANGUAGE=TEXT", value_parser = parse_text)]
    pub(crate) description: Vec<Text>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Where figures come from; what is not given stays.
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// Title of the page, table or file
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Who published it
    #[arg(long)]
    pub(crate) publisher: Option<String>,
    /// Its address
    #[arg(long, value_name = "URL")]
    pub(crate) uri: Option<String>,
    /// When it was published: 2024-07-02, 2024-07 or 2024
    #[arg(long, value_name = "DATE")]
    pub(crate) published_on: Option<CivilDate>,
    /// The licence or terms, by SPDX name where there is one
    #[arg(long)]
    pub(crate) licence: Option<String>,
    /// Whether its terms let it be shown outside your own organisation
    #[arg(long, value_name = "YES_OR_NO", value_parser = parse_yes)]
    pub(crate) shown_outside: Option<bool>,
    /// What a reader must know to judge it
    #[arg(long)]
    pub(crate) note: Option<String>,
}

impl SourceArgs {
    /// Puts what is given into a source; whether anything was.
    pub(crate) fn put_into(&self, source: &mut proto::r#type::v1::Source) -> bool {
        let before = source.clone();
        let SourceArgs {
            title,
            publisher,
            uri,
            published_on,
            licence,
            shown_outside,
            note,
        } = self;
        let put = |field: &mut String, given: &Option<String>| {
            if let Some(given) = given {
                field.clone_from(given);
            }
        };
        put(&mut source.title, title);
        put(&mut source.publisher, publisher);
        put(&mut source.uri, uri);
        put(&mut source.licence, licence);
        put(&mut source.note, note);
        if let Some(date) = published_on {
            source.published_on = Some((*date).into());
        }
        if let Some(shown) = shown_outside {
            source.may_be_shown_outside = *shown;
        }
        *source != before
    }
}

fn parse_yes(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("yes or no".into()),
    }
}
