//! Free space: writes stop before the disk is full, and a ballast file is given up so that a store on a
//! full disk still opens and reads.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;

use crate::Error;

/// Watches the free space of a store's folder.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    folder: PathBuf,
    reserve: u64,
}

/// What a store takes of its disk, and what is left there, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The journal's files.
    pub journal: u64,
    /// The view's files.
    pub view: u64,
    /// Records of the view.
    pub records: u64,
    /// What is free.
    pub free: u64,
    /// What must stay free: below it, writes are refused.
    pub reserve: u64,
    /// The ballast that is there.
    pub ballast: u64,
    /// The ballast that there should be.
    pub wanted_ballast: u64,
}

impl Space {
    pub(crate) fn new(folder: &Path, reserve: u64) -> Space {
        Space {
            folder: folder.to_owned(),
            reserve,
        }
    }

    /// What the files take; the rest of [`Usage`] is not known here.
    pub(crate) fn usage(&self) -> Result<Usage, Error> {
        let below = |name| bytes_below(&self.folder.join(name));
        let ballast = std::fs::metadata(self.folder.join("ballast"));
        Ok(Usage {
            journal: below("journal")?,
            view: below("view")?,
            free: self.free()?,
            reserve: self.reserve,
            ballast: ballast.map_or(0, |file| file.len()),
            ..Usage::default()
        })
    }

    fn free(&self) -> Result<u64, Error> {
        let stat = statvfs(&self.folder)
            .map_err(|e| Error::io("asking for the free space of", &self.folder, &e.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Refuses a write of about `bytes` that would eat into the reserve.
    pub(crate) fn check(&self, bytes: u64) -> Result<(), Error> {
        fail::fail_point!("space.check", |_| Err(self.full(0, bytes)));
        let free = self.free()?;
        if free >= self.reserve.saturating_add(bytes) {
            return Ok(());
        }
        Err(self.full(free, bytes))
    }

    fn full(&self, free: u64, bytes: u64) -> Error {
        Error::Full {
            folder: self.folder.clone(),
            free,
            needed: self.reserve.saturating_add(bytes),
        }
    }

    /// Gives the ballast up when space is short, and lays it down again when there is plenty.
    pub(crate) fn trim(&self, ballast: u64) -> Result<(), Error> {
        let path = self.folder.join("ballast");
        let free = self.free()?;
        if free < self.reserve {
            return self.give_up(&path);
        }
        let present = std::fs::metadata(&path).map_or(0, |file| file.len());
        if present == ballast || free < self.reserve + 2 * ballast {
            return Ok(());
        }
        if let Err(error) = lay(&path, ballast) {
            // Half a ballast is none.
            drop(remove(&path));
            tracing::warn!(file = %path.display(), %error, "there is no ballast: a restart on a full disk may not open");
        }
        Ok(())
    }

    fn give_up(&self, ballast: &Path) -> Result<(), Error> {
        remove(ballast)?;
        let (folder, free) = (self.folder.display(), self.free()?);
        if free < self.reserve {
            tracing::warn!(%folder, free, "the disk is nearly full and has no ballast any more: writes are refused");
        } else {
            tracing::warn!(%folder, free, "the disk was nearly full: the ballast is given up, and writes are accepted for as long as its room lasts");
        }
        Ok(())
    }
}

/// Bytes of all files below a folder; those that go meanwhile do not count.
fn bytes_below(folder: &Path) -> Result<u64, Error> {
    let failed = |e: &std::io::Error| Error::io("reading", folder, e);
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).map_err(|e| failed(&e))? {
        let entry = entry.map_err(|e| failed(&e))?;
        bytes += match entry.metadata() {
            Ok(found) if found.is_dir() => bytes_below(&entry.path())?,
            Ok(found) => found.len(),
            Err(e) if e.kind() == ErrorKind::NotFound => 0,
            Err(e) => return Err(failed(&e)),
        };
    }
    Ok(bytes)
}

fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io("removing", path, &e)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn lay(path: &Path, bytes: u64) -> std::io::Result<()> {
    let file: File = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    if bytes == 0 {
        return Ok(());
    }
    match allocate(&file, bytes) {
        // Not every file system can.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => write_zeros(&file, bytes),
        other => Ok(other?),
    }
}

fn allocate(file: &File, bytes: u64) -> Result<(), Errno> {
    fail::fail_point!("space.allocate", |_| Err(Errno::OPNOTSUPP));
    fallocate(file, FallocateFlags::empty(), 0, bytes)
}

/// Takes the room by filling it.
fn write_zeros(mut file: &File, bytes: u64) -> std::io::Result<()> {
    std::io::copy(&mut std::io::repeat(0).take(bytes), &mut file)?;
    file.sync_all()
}
