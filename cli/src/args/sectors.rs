//! Options of sectors.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use proto::{Classification, Code, Slug};

use super::answer::{AnswerArgs, AsOfArgs};
use super::texts::{Text, parse_text};

/// Options of `entente trade sectors`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SectorsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<SectorsCommand>,
    #[command(flatten)]
    pub(crate) list: ListSectorsArgs,
}

/// What to do with sectors.
#[derive(Debug, Subcommand)]
pub(crate) enum SectorsCommand {
    /// List them
    List(ListSectorsArgs),
    /// Show one, with its codes
    Show(ShowSectorArgs),
    /// Create one by options, or those of a file
    ///
    /// Example: `entente trade sectors create --id cars --name en=Cars --classification H6 --codes 8703`
    Create(CreateSectorsArgs),
    /// Change what is given of one, and leave the rest
    ///
    /// Example: `entente trade sectors update cars --name ru=Автомобили`
    Update(UpdateSectorArgs),
    /// Delete one; reads as of an earlier time still find it
    Delete(DeleteSectorArgs),
    /// Record the sectors that Entente ships; those that are there already are left as they are
    Install(InstallSectorsArgs),
}

/// Options of `entente trade sectors list`.
#[derive(Debug, Args)]
pub(crate) struct ListSectorsArgs {
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente trade sectors show`.
#[derive(Debug, Args)]
pub(crate) struct ShowSectorArgs {
    /// The sector's id
    #[arg(value_parser = Slug::parse)]
    pub(crate) id: Slug,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente trade sectors create`.
#[derive(Debug, Args)]
pub(crate) struct CreateSectorsArgs {
    /// A file with a `CreateSectorRequest` as JSON, or a list of them; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["id", "name", "description", "classification", "codes"])]
    pub(crate) from: Option<PathBuf>,
    /// The id: `a-z`, `0-9` and `-`
    #[arg(long, value_parser = Slug::parse, required_unless_present = "from")]
    pub(crate) id: Option<Slug>,
    /// The revision of the Harmonized System in which the codes are meant
    #[arg(long, value_name = "CODE", required_unless_present = "from")]
    pub(crate) classification: Option<Classification>,
    /// Codes of 2, 4 or 6 digits, with commas between
    #[arg(
        long,
        value_delimiter = ',',
        required_unless_present = "from",
        value_name = "CODES"
    )]
    pub(crate) codes: Vec<Code>,
    #[command(flatten)]
    pub(crate) words: SectorWords,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// What a sector is called.
#[derive(Debug, Args)]
pub(crate) struct SectorWords {
    /// Its name in a language: en=Automobiles; once for each language
    #[arg(long, value_name = "LANGUAGE=TEXT", value_parser = parse_text)]
    pub(crate) name: Vec<Text>,
    /// What it covers, in a language; once for each language
    #[arg(long, value_name = "LANGUAGE=TEXT", value_parser = parse_text)]
    pub(crate) description: Vec<Text>,
}

/// Options of `entente trade sectors update`.
#[derive(Debug, Args)]
pub(crate) struct UpdateSectorArgs {
    /// The sector's id
    #[arg(value_parser = Slug::parse)]
    pub(crate) id: Slug,
    /// The revision of the Harmonized System in which the codes are meant
    #[arg(long, value_name = "CODE")]
    pub(crate) classification: Option<Classification>,
    /// All its codes, with commas between
    #[arg(long, value_delimiter = ',', value_name = "CODES")]
    pub(crate) codes: Vec<Code>,
    #[command(flatten)]
    pub(crate) words: SectorWords,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Options of `entente trade sectors delete`.
#[derive(Debug, Args)]
pub(crate) struct DeleteSectorArgs {
    /// The sector's id
    #[arg(value_parser = Slug::parse)]
    pub(crate) id: Slug,
    #[command(flatten)]
    pub(crate) server: super::answer::ServerArgs,
}

/// Options of `entente trade sectors install`.
#[derive(Debug, Args)]
pub(crate) struct InstallSectorsArgs {
    #[command(flatten)]
    pub(crate) server: super::answer::ServerArgs,
}
