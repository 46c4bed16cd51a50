//! The files of certificates: written whole, and new ones all together or not at all. Where files are replaced, each is
//! the old or the new one at any time; a failure in the middle leaves some replaced, and says at which file it stopped.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tempfile::NamedTempFile;

/// Certificates are for everybody; a key is for its owner alone, as temporary files are anyway.
const CERTIFICATE: u32 = 0o644;
const KEY: u32 = 0o600;

/// The files of a certificate and its key.
pub(super) struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    pub(super) fn of(name: &str) -> Pair {
        Pair {
            certificate: format!("{name}.pem"),
            key: format!("{name}.key"),
        }
    }
}

/// A folder that files are made for, by one process at a time: another one's key would stand beside a certificate.
pub(super) struct Target {
    folder: PathBuf,
    _lock: File,
    made: Vec<(NamedTempFile, PathBuf)>,
}

impl Target {
    /// Makes the folder where there is none, and waits for others who make files there.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Target> {
        store::create_durably(folder, 0o777)?;
        Ok(Target {
            folder: folder.to_owned(),
            _lock: lock(folder)?,
            made: Vec::new(),
        })
    }

    /// Whether the two files are there. One without the other is refused.
    pub(super) fn has(&self, pair: &Pair) -> anyhow::Result<bool> {
        let Pair { certificate, key } = pair;
        match [certificate, key].map(|file| self.is_there(file)) {
            [true, false] => bail!("{certificate} is there without {key}"),
            [false, true] => bail!("{key} is there without {certificate}"),
            [both, _] => Ok(both),
        }
    }

    /// Whether any file of these is there.
    pub(super) fn has_any(&self, mut pairs: impl Iterator<Item = Pair>) -> bool {
        pairs.any(|pair| self.is_there(&pair.certificate) || self.is_there(&pair.key))
    }

    /// A link counts, wherever it points.
    fn is_there(&self, file: &str) -> bool {
        self.folder.join(file).symlink_metadata().is_ok()
    }

    /// A certificate and its key that are there.
    pub(super) fn read(&self, pair: &Pair) -> anyhow::Result<(String, String)> {
        let read = |file: &String| fs::read_to_string(self.folder.join(file)).context(file.clone());
        Ok((read(&pair.certificate)?, read(&pair.key)?))
    }

    /// Makes two files, which do not have their names yet. The key takes its name first, so that whoever reads the
    /// new certificate finds its key.
    pub(super) fn make(&mut self, pair: &Pair, certificate: &str, key: &str) -> anyhow::Result<()> {
        self.make_one(&pair.key, key, KEY)?;
        self.make_one(&pair.certificate, certificate, CERTIFICATE)
    }

    fn make_one(&mut self, name: &str, text: &str, mode: u32) -> anyhow::Result<()> {
        let file = unnamed(&self.folder, text.as_bytes(), mode)?;
        self.made.push((file, self.folder.join(name)));
        Ok(())
    }

    /// Gives all that was made its name, and takes the place of what has it already only if `over`.
    pub(super) fn commit(self, over: bool) -> anyhow::Result<()> {
        let mut named = Vec::new();
        for (file, path) in self.made {
            let persisted = if over {
                file.persist(&path)
            } else {
                file.persist_noclobber(&path)
            };
            if let Err(error) = persisted {
                let error = anyhow::Error::from(error.error).context(path.display().to_string());
                return Err(if over { error } else { undo(&named, error) });
            }
            named.push(path);
        }
        Ok(File::open(&self.folder)?.sync_all()?)
    }
}

/// A whole file on the disk, with its mode, that has no name in its folder yet. Dropped before it gets one, it is gone.
pub(crate) fn unnamed(folder: &Path, text: &[u8], mode: u32) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    let opened = file.as_file();
    opened.set_permissions(Permissions::from_mode(mode))?;
    opened.sync_all()?;
    Ok(file)
}

/// Takes a folder for this process alone, for as long as the file lives; waits for whoever has it.
pub(crate) fn lock(folder: &Path) -> io::Result<File> {
    let file = File::open(folder)?;
    file.lock()?;
    Ok(file)
}

/// Takes what was new away again.
fn undo(named: &[PathBuf], error: anyhow::Error) -> anyhow::Error {
    let left = named.iter().filter(|path| fs::remove_file(path).is_err());
    left.fold(error, |error, path| {
        error.context(format!("{} is left", path.display()))
    })
}
