//! Files that are read as a whole, up to a bound.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, ensure};

/// Reads a file that has at most so many bytes of UTF-8, and was opened at a path. A device or a pipe has no size before it
/// is read.
pub(crate) fn read(file: File, path: &Path, most: u64) -> anyhow::Result<String> {
    let named = || format!("reading {}", path.display());
    let mut bytes = Vec::new();
    let read = file.take(most + 1).read_to_end(&mut bytes);
    read.with_context(named)?;
    let is_larger = bytes.len() as u64 > most;
    ensure!(!is_larger, "{} is larger than {most} bytes", path.display());
    String::from_utf8(bytes).with_context(named)
}
