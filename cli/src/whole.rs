//! Files that are read as a whole, up to a bound.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, ensure};

/// Reads a file that has at most so many bytes of UTF-8. A device or a pipe has no size before it is read.
pub(crate) fn read(path: &Path, most: u64) -> anyhow::Result<String> {
    let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
    read_opened(file, path, most)
}

/// The same, of one that was opened at a path.
pub(crate) fn read_opened(file: File, path: &Path, most: u64) -> anyhow::Result<String> {
    let named = || format!("reading {}", path.display());
    let mut bytes = Vec::new();
    let read = file.take(most + 1).read_to_end(&mut bytes);
    read.with_context(named)?;
    let is_larger = bytes.len() as u64 > most;
    ensure!(!is_larger, "{} is larger than {most} bytes", path.display());
    String::from_utf8(bytes).with_context(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_bound_and_a_device_no_further() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scenario.toml");
        std::fs::write(&path, "12345678").unwrap();
        assert_eq!(read(&path, 8).unwrap(), "12345678");
        for (path, most) in [(path.as_path(), 7), (Path::new("/dev/zero"), 1_000)] {
            let error = read(path, most).unwrap_err().to_string();
            let named = format!("{} is larger than {most} bytes", path.display());
            assert_eq!(error, named);
        }
        let error = read(Path::new("/nowhere.toml"), 8).unwrap_err();
        assert!(error.to_string().contains("/nowhere.toml"), "{error:#}");
    }
}
