//! Whether what is kept is what was recorded: of running services, and of backups.
//!
//! # Layout
//!
//! * this file: which of the two. `live`: running services, which check themselves. `folder`: a backup, read here.

mod folder;
mod live;

use anyhow::bail;

use crate::args::verify::VerifyArgs;

/// Verifies a backup or running services. What is wrong is written as it is found; then it ends with an error.
pub(crate) async fn run(args: &VerifyArgs) -> anyhow::Result<()> {
    let faults = match &args.folder {
        Some(folder) => folder::verify(folder, args).await?,
        None => live::verify(args).await?,
    };
    match faults {
        0 => Ok(()),
        1 => bail!("there is a fault; docs/operations.md says what to do about it"),
        faults => bail!("there are {faults} faults; docs/operations.md says what to do about them"),
    }
}
