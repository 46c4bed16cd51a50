//! Options of `entente generate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use proto::Slug;

use super::answer::ServerArgs;
use crate::generate::MOST_ROWS;

/// Events of a server that is filled, at most: a record's id tells its number among how many, in 63 letters.
pub(crate) const MOST_RECORDS: u64 = 99_999_999;

/// Options of `entente generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// How many figures
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=MOST_ROWS)
    )]
    pub(crate) rows: u64,
    /// Which data: the same number gives the same, on every machine
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) seed: u64,
    /// Where they go
    #[arg(long, default_value = "comtrade", value_name = "FORMAT")]
    pub(crate) format: GenerateFormat,
    /// File of `comtrade`, and not of `direct`; it appears under its name when it is complete. Default: standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Dataset of `direct`; it is created when it does not exist
    #[arg(long, default_value = "generated", value_name = "ID", value_parser = Slug::parse)]
    pub(crate) dataset: Slug,
    /// Events of `direct`, and as many agreements, and a quarter as many programmes; below 100 million, which their ids
    /// have room for. Default: one for 500 figures, 20,000 at most
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(..=MOST_RECORDS)
    )]
    pub(crate) records: Option<u64>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Where generated data go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GenerateFormat {
    /// A file of figures in the layout of UN Comtrade's bulk files, for `entente import comtrade`
    Comtrade,
    /// Into a running server: figures with revisions, events, agreements, programmes
    ///
    /// Carries on where a run with the same rows and seed was cut off.
    Direct,
}
