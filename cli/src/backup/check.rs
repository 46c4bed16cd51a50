//! A backup read through: the hash of each part, and the chain of all entries.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};

use super::file::{self, BUFFER};
use super::manifest::{Part, hex};
use super::{Kept, Left, Reader, Seen, name};
use crate::args::serve::Role;

/// What was found of a journal in a backup.
#[derive(Debug)]
pub(crate) struct Found {
    /// Whose journal.
    pub(crate) role: Role,
    /// The last entry up to which all is whole.
    pub(crate) last: u64,
    /// What an interrupted run left behind what counts.
    pub(crate) left: Left,
    /// What is wrong; nothing when all is well.
    pub(crate) faults: Vec<Fault>,
}

/// Something that is wrong with a backup.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The file.
    pub(crate) file: PathBuf,
    /// Where in it.
    pub(crate) offset: u64,
    /// The entry that is damaged or missing; all before it are whole.
    pub(crate) position: u64,
    /// What was found.
    pub(crate) what: String,
}

/// Checks what a backup has of a service. A fault is no error; not being able to look is.
pub(crate) fn check(
    folder: &Path,
    role: Role,
    kept: &Kept,
    bar: &ProgressBar,
    stop: &AtomicBool,
) -> anyhow::Result<Found> {
    let path = Kept::path(folder, role);
    let mut found = Found::of_nothing(role, Left::default());
    let bytes = match std::fs::metadata(&path) {
        Ok(file) => file.len(),
        Err(error) => {
            found.note(&path, 0, error.to_string());
            return Ok(found);
        }
    };
    file::ensure_regular(&path).with_context(|| path.display().to_string())?;
    // What cannot be read behind what counts is no fault of the backup.
    let left = Left::of(folder, role, Some(kept), stop);
    let unread = bytes.saturating_sub(kept.bytes);
    found.left = left.unwrap_or(Left {
        bytes: unread,
        entries: 0,
        beyond: unread,
    });
    for part in &kept.parts {
        if let Some(what) = fault_of(&path, bytes, part, bar, stop)? {
            let (first, last) = (part.first, part.last);
            let what = format!("the part with the entries {first} to {last} {what}");
            found.faults.push(Fault {
                file: path.clone(),
                offset: part.offset,
                position: first,
                what,
            });
        }
    }
    follow(&path, role, kept, &mut found, stop)?;
    Ok(found)
}

impl Found {
    /// Of a service of which nothing counts.
    pub(crate) fn of_nothing(role: Role, left: Left) -> Found {
        Found {
            role,
            last: 0,
            left,
            faults: Vec::new(),
        }
    }

    fn note(&mut self, file: &Path, offset: u64, what: String) {
        self.faults.push(Fault {
            file: file.to_owned(),
            offset,
            position: self.last + 1,
            what,
        });
    }
}

/// What is wrong with a part of a file with so many bytes.
fn fault_of(
    path: &Path,
    bytes: u64,
    part: &Part,
    bar: &ProgressBar,
    stop: &AtomicBool,
) -> anyhow::Result<Option<String>> {
    let end = part.offset.saturating_add(part.bytes);
    if end > bytes {
        let what = format!("is cut off: it ends at byte {end}, and the file has {bytes} bytes");
        return Ok(Some(what));
    }
    let is_same = hash_of(path, part, bar, stop)? == part.sha256;
    Ok((!is_same).then(|| "has another SHA-256".to_owned()))
}

/// The SHA-256 of a part.
fn hash_of(
    path: &Path,
    part: &Part,
    bar: &ProgressBar,
    stop: &AtomicBool,
) -> anyhow::Result<String> {
    let mut file = file::open(path)?;
    file.seek(SeekFrom::Start(part.offset))?;
    let mut rest = file.take(part.bytes);
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; BUFFER]);
    loop {
        ensure!(!stop.load(Ordering::Relaxed), "interrupted");
        let read = rest.read(&mut buffer)?;
        if read == 0 {
            let hash: [u8; 32] = hash.finalize().into();
            return Ok(hex(&hash));
        }
        hash.update(&buffer[..read]);
        bar.inc(read as u64);
    }
}

/// Follows the chain of entries to its end, or to the first that does not follow.
fn follow(
    path: &Path,
    role: Role,
    kept: &Kept,
    found: &mut Found,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let mut seen = Seen::default();
    let mut offset = 0;
    let followed = Reader::part_of(path, 0, kept.bytes).and_then(|mut reader| {
        offset = reader.offset();
        while let Some(part) = reader.part()? {
            ensure!(!stop.load(Ordering::Relaxed), "interrupted");
            seen.take(&part)?;
            offset = reader.offset();
        }
        Ok(())
    });
    ensure!(!stop.load(Ordering::Relaxed), "interrupted");
    found.last = seen.last();
    let ended = followed.and_then(|()| ends_as(&seen, role, kept));
    if let Err(error) = ended {
        found.note(path, offset, format!("{error:#}"));
    }
    Ok(())
}

/// Whether what was seen is all that the manifest counts.
fn ends_as(seen: &Seen, role: Role, kept: &Kept) -> anyhow::Result<()> {
    let journal = seen.whole()?;
    ensure!(
        journal.name == name(role),
        "it is a copy of {}",
        journal.name.escape_debug()
    );
    let is_all = seen.last() == kept.position && seen.hash() == kept.hash()?;
    ensure!(
        is_all,
        "it does not end with the entry that the manifest names"
    );
    Ok(())
}
