//! Options of copies of journals.

use std::path::PathBuf;

use clap::Args;

use super::answer::ServerArgs;
use super::serve::Role;

/// Options of `entente backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Whose journal
    #[arg(value_name = "SERVICE", required_unless_present = "check")]
    pub(crate) role: Option<Role>,
    /// File to write; beside it, FILE.part grows meanwhile. One that is there already is refused
    #[arg(long, value_name = "FILE", required_unless_present = "check")]
    pub(crate) out: Option<PathBuf>,
    /// Carry the copy in the file on after its last entry; where there is none yet, begin one
    #[arg(long = "continue", requires = "out")]
    pub(crate) carry_on: bool,
    /// Read this copy through and say whether it is whole; no service is asked
    #[arg(long, value_name = "FILE", conflicts_with_all = ["role", "out"])]
    pub(crate) check: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Options of `entente restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The copy
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Folder of the data; the service's folder inside, which has its name, must be empty or not there
    #[arg(long, env = "ENTENTE_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,
}
