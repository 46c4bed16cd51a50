//! A file that appears under its name when it is complete.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::NamedTempFile;

const BUFFER: usize = 256 << 10;

/// What is written to.
pub(crate) type Out = Box<dyn Write + Send>;

/// Where what is made goes.
pub(crate) enum Target {
    Stdout,
    /// What is no plain file (a pipe, a device) is written to as it is: it cannot be replaced.
    Special(File),
    /// Under a temporary name beside the last one, which it takes when it is complete. Dropped before, it is
    /// gone.
    Pending {
        file: NamedTempFile,
        path: PathBuf,
    },
}

impl Target {
    /// A file to write, or standard output.
    pub(crate) fn open(path: Option<&Path>) -> anyhow::Result<Target> {
        let Some(path) = path else {
            return Ok(Target::Stdout);
        };
        match path.metadata() {
            Ok(found) if found.is_dir() => anyhow::bail!("it is a folder"),
            Ok(found) if !found.is_file() => {
                let file = OpenOptions::new().write(true).open(path);
                Ok(Target::Special(file?))
            }
            // Through a link to the file that it names.
            Ok(_) => Target::pending(path.canonicalize()?),
            Err(_) => Target::pending(path.to_owned()),
        }
    }

    fn pending(path: PathBuf) -> anyhow::Result<Target> {
        let folder = match path.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
            Some(folder) => folder,
            None => anyhow::bail!("it names no file"),
        };
        let readable = std::fs::Permissions::from_mode(0o666);
        let file = tempfile::Builder::new()
            .prefix(".entente-export-")
            .permissions(readable)
            .tempfile_in(folder)
            .with_context(|| format!("in the folder {}", folder.display()))?;
        Ok(Target::Pending { file, path })
    }

    pub(crate) fn writer(&self) -> io::Result<Out> {
        Ok(match self {
            Target::Stdout => Box::new(BufWriter::with_capacity(BUFFER, io::stdout())),
            Target::Special(file) => Box::new(BufWriter::with_capacity(BUFFER, file.try_clone()?)),
            Target::Pending { file, .. } => Box::new(BufWriter::with_capacity(
                BUFFER,
                file.as_file().try_clone()?,
            )),
        })
    }

    /// Gives a complete file its name, when it is on the disk.
    pub(crate) fn commit(self) -> anyhow::Result<()> {
        if let Target::Pending { file, path } = self {
            file.as_file().sync_all()?;
            file.persist(path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
        entries.map(|entry| name(entry.unwrap())).collect()
    }

    #[test]
    fn a_file_has_its_name_when_it_is_complete_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let target = Target::open(Some(&path)).unwrap();
        let mut out = target.writer().unwrap();
        out.write_all(b"figures").unwrap();
        out.flush().unwrap();
        assert!(!path.exists());
        target.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"figures");
        assert_eq!(names(folder.path()), ["out.csv"]);
    }

    #[test]
    fn what_breaks_off_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        std::fs::write(&path, "old").unwrap();
        let target = Target::open(Some(&path)).unwrap();
        target.writer().unwrap().write_all(b"half").unwrap();
        drop(target);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["out.csv"]);
    }

    #[test]
    fn a_device_is_written_to_and_never_replaced() {
        let target = Target::open(Some(Path::new("/dev/null"))).unwrap();
        assert!(matches!(target, Target::Special(_)));
        target.commit().unwrap();
        assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let error = Target::open(Some(Path::new("/nowhere/out.csv")))
            .err()
            .unwrap();
        assert!(format!("{error:#}").contains("/nowhere"), "{error:#}");
        assert!(Target::open(Some(Path::new("/"))).is_err());
    }
}
