//! Options of the imports.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use proto::{Classification, Slug};

use super::answer::ServerArgs;
use super::bulk::{ImportArgs, SdmxArgs};

/// Where the figures come from.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// The demonstration's figures and records: China and Kazakhstan, each with its sources
    ///
    /// What is there already stays as it is. `entente demo` serves them in a process of its own.
    ///
    /// Example: `entente import demo --server https://localhost:50051 --ca ca.pem --token-file admin.token`
    Demo(ServerArgs),
    /// Files of UN Comtrade: JSON or CSV from the API, bulk "final" CSV, CSV of the old site; plain or .gz
    ///
    /// Rows go in by batches, each whole or not at all. Importing a file again changes nothing (unless the
    /// file contradicts itself, which --all-or-nothing finds); a changed value becomes a revision and the
    /// old one is kept. Breakdowns (by customs procedure, mode of
    /// transport, second partner) are counted and left out, so they never end up in totals. A rejected
    /// row is told with line, column and reason, and the exit code is 3; the other rows go in.
    Comtrade(ComtradeArgs),
    /// Files of SDMX-CSV, 2.0 or 1.0: what `entente trade export --format sdmx` wrote, or another system; plain
    /// or .gz
    ///
    /// Each row states a whole figure. Rows without a value are counted and left out. A row whose unit is another
    /// currency than the dataset's, or whose action is a deletion, is rejected. What is expected of a file, and
    /// what each column means, stands in docs/sdmx.md.
    Sdmx(SdmxArgs),
    /// Statements from a CSV file, a claim a row
    ///
    /// Columns: `claim_id`, `pair`, `metric`, `period`, `value_usd_bn`, and if known `growth_pct`,
    /// `statistical_side`, `source_url`, `source_date`, `note`. A claim becomes the statement `claim-ID`. CHN-CA5 is China with the five
    /// countries of Central Asia together. Of the statistical side, a country code alone or before a bracket
    /// is the side; the whole text is kept. The file gives no title and no publisher: the address and its
    /// host stand for them. Importing a file again changes nothing; a stored statement that says something
    /// else is told and left as it is.
    ///
    /// Example: `entente import statements press_claims.csv --dry-run`
    Statements(StatementsArgs),
    /// A conversion table between two revisions, in place of the one before
    ///
    /// Columns: from, to, and if known relationship (1:1, n:1, 1:n, n:n). It is recorded whole or, when a row
    /// is rejected, not at all.
    ///
    /// Example: `entente import concordance HS2022toHS2017.csv --from H6 --to H5`
    Concordance(ConcordanceArgs),
    /// Names of commodities in a language
    ///
    /// Columns: hscode, description; others are left alone. Rejected rows are told, the others go in.
    ///
    /// Example: `entente import nomenclature harmonized-system.csv --classification H6 --language en`
    Nomenclature(NomenclatureArgs),
}

/// Options of an import from UN Comtrade.
#[derive(Debug, Args)]
pub(crate) struct ComtradeArgs {
    /// Dataset that takes the figures; it is created as UN Comtrade's when it does not exist
    #[arg(long, default_value = "comtrade", value_name = "ID", value_parser = Slug::parse)]
    pub(crate) dataset: Slug,
    #[command(flatten)]
    pub(crate) import: ImportArgs,
}

/// Options of an import of statements.
#[derive(Debug, Args)]
pub(crate) struct StatementsArgs {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Check and compare with what is stored, write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Options of an import of a conversion table.
#[derive(Debug, Args)]
pub(crate) struct ConcordanceArgs {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The revision that the table leads from
    #[arg(long, value_name = "CODE")]
    pub(crate) from: Classification,
    /// The revision that it leads to
    #[arg(long, value_name = "CODE")]
    pub(crate) to: Classification,
    /// Title of the table; its file's name when not given
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Who published the table
    #[arg(long, default_value = "not stated")]
    pub(crate) publisher: String,
    /// Its address
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "URL"
    )]
    pub(crate) uri: String,
    /// Check everything, write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Options of an import of names of commodities.
#[derive(Debug, Args)]
pub(crate) struct NomenclatureArgs {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The classification of the codes
    #[arg(long, value_name = "CODE")]
    pub(crate) classification: Classification,
    /// The language of the names, BCP-47
    #[arg(long, value_name = "TAG")]
    pub(crate) language: String,
    /// Check everything, write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
