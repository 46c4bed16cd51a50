//! Options of the commands that move figures in bulk.

use std::path::PathBuf;

use clap::Args;
use proto::Slug;

use super::ServerArgs;

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
