//! What a setup that was killed has left: files that never got their names, and may hold keys.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use anyhow::Context;

use super::share::SHARES;
use super::{AUTHORITY, GATEWAY, TOKENS};
use crate::certs;

/// How temporary files are named: so, and so long.
const PREFIX: &str = ".tmp";
const LENGTH: usize = 10;

/// Removes it from the folders that a setup makes, which it must have for itself.
pub(super) fn clear(dir: &Path) -> anyhow::Result<()> {
    let authority = dir.join(AUTHORITY);
    // Others make files in these two: `entente certs`, and `entente token`.
    let _certs = certs::lock(&authority)?;
    let _tokens = lock(&dir.join(GATEWAY).join(format!("{TOKENS}.lock")))?;
    clear_one(&authority)?;
    let mut folders = SHARES.iter().map(|share| dir.join(share.to));
    folders.try_for_each(|folder| clear_one(&folder))
}

/// Waits for whoever has a file's lock, where there is the file.
fn lock(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => file.lock().map(|()| Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn clear_one(folder: &Path) -> anyhow::Result<()> {
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| folder.display().to_string()),
    };
    for entry in found {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(is_temporary) {
            let path = entry.path();
            let removed = if entry.file_type()?.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            removed.with_context(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(())
}

fn is_temporary(name: &str) -> bool {
    name.len() == LENGTH && name.starts_with(PREFIX)
}
