//! Folders that are still there after a power cut.

use std::fs::{DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::Error;

/// Who may enter a folder of data: its owner alone.
pub const OWNER_ONLY: u32 = 0o700;

/// Makes a folder with those above it, so that a power cut does not lose their names with all in them. Those that are
/// made get `mode`, less what the process may not give; those that are there stay as they are.
///
/// # Errors
/// [`Error::Io`].
pub fn create_durably(folder: &Path, mode: u32) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder
        .parent()
        .filter(|above| !above.as_os_str().is_empty());
    let above = above.unwrap_or(Path::new("."));
    create_durably(above, mode)?;
    let created = match DirBuilder::new().mode(mode).create(folder) {
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        created => created,
    };
    let synced = created.and_then(|()| File::open(above)?.sync_all());
    synced.map_err(|e| Error::io("creating", folder, &e))
}
