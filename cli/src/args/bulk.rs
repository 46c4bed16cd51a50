//! Options of the commands that move figures in bulk.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use proto::{Currency, Slug};

use super::answer::{AsOfArgs, ServerArgs};
use super::trade::FilterArgs;
use crate::sdmx::Assignment;

/// Options of every import.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Files to import; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Take a file whole or not at all: it is read twice, and written only when no row is rejected
    ///
    /// The first reading remembers every figure of the file (some 75 bytes each) to find those that are
    /// given twice with different values. Standard input is kept in a temporary file meanwhile. A second
    /// reading that is cut off leaves whole batches; --ingest-id finishes it.
    #[arg(long)]
    pub(crate) all_or_nothing: bool,
    /// Check and count, write nothing
    #[arg(long, conflicts_with = "all_or_nothing")]
    pub(crate) dry_run: bool,
    /// Go on with an import that was cut off: the id that it printed, with the same file
    ///
    /// Batches are known by their place alone: another file under the id of a finished import is taken for
    /// what is in already.
    #[arg(long, value_name = "ID", value_parser = Slug::parse_loose)]
    pub(crate) ingest_id: Option<Slug>,
    /// Show at most this many rejected rows a file; all are counted
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) max_rejections: u16,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Options of an import from SDMX-CSV.
#[derive(Debug, Args)]
pub(crate) struct SdmxArgs {
    /// Dataset that takes the figures; it must exist
    #[arg(long, value_name = "ID", value_parser = Slug::parse)]
    pub(crate) dataset: Slug,
    /// Which column of the file holds what: REPORTER=DECLARANT,CODE=PRODUCT
    ///
    /// Left of the `=` stands the name that Entente's own files have (docs/sdmx.md lists them and the other
    /// names that are known without being told).
    #[arg(long, value_name = "NAME=COLUMN", value_delimiter = ',')]
    pub(crate) map: Vec<Assignment>,
    /// What a column that the file lacks would hold in every row: CLASSIFICATION=H6,FLOW=X
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    pub(crate) set: Vec<Assignment>,
    #[command(flatten)]
    pub(crate) import: ImportArgs,
}

/// Options of an export.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Dataset whose figures are written
    #[arg(long, default_value = "comtrade", value_name = "ID", value_parser = Slug::parse)]
    pub(crate) dataset: Slug,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    /// How the figures are written
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: ExportFormat,
    /// File to write; it appears under its name when it is complete. Default: standard output
    #[arg(long, value_name = "FILE", required_if_eq("format", "parquet"))]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One row a figure; text cells are safe to open in a spreadsheet
    Csv,
    /// One JSON object a line: the service's `Observation` as canonical protobuf JSON
    Jsonl,
    /// SDMX-CSV 2.0, which `entente import sdmx` reads again
    Sdmx,
    /// Parquet with exact decimals, for data tools; needs --out
    Parquet,
}

/// Options of `entente trade datasets create`.
#[derive(Debug, Args)]
pub(crate) struct CreateDatasetArgs {
    /// Its id: 1 to 63 of a-z, 0-9 and `-`, starting with a letter
    #[arg(value_name = "ID", value_parser = Slug::parse)]
    pub(crate) id: Slug,
    /// Short name for people, in English
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: String,
    /// Who publishes its figures
    #[arg(long, value_name = "TEXT")]
    pub(crate) publisher: String,
    /// Title of the page, table or file that they come from
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: String,
    /// Currency of all values: an ISO 4217 code
    #[arg(long, value_name = "CODE")]
    pub(crate) currency: Currency,
    /// How imports are valued, where the publisher states it
    #[arg(long, value_name = "VALUATION")]
    pub(crate) import_valuation: Option<ValuationArg>,
    /// How exports are valued, where the publisher states it
    #[arg(long, value_name = "VALUATION")]
    pub(crate) export_valuation: Option<ValuationArg>,
    /// Licence or terms, by SPDX name where there is one
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) licence: String,
    /// Address of the source, http or https
    #[arg(
        long,
        value_name = "URI",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) uri: String,
    /// The terms let the figures be shown outside your organisation
    #[arg(long)]
    pub(crate) may_be_shown_outside: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// What a value includes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ValuationArg {
    /// Cost, insurance and freight up to the importer's border
    Cif,
    /// Free on board at the exporter's border
    Fob,
}
