//! Options of the verification.

use std::path::PathBuf;

use clap::Args;

use super::answer::ServerArgs;
use super::serve::Role;

/// Options of `entente verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Folder of a backup; without it, running services are verified
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// Only this service; may be repeated. Without it, all that the server, or the backup, has
    #[arg(long, value_name = "SERVICE")]
    pub(crate) only: Vec<Role>,
    /// How much of one processor's time a running service may spend on it, in per cent
    #[arg(
        long,
        default_value_t = 25,
        value_name = "PERCENT",
        value_parser = clap::value_parser!(u8).range(1..=100)
    )]
    pub(crate) effort: u8,
    /// Write what was found as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
