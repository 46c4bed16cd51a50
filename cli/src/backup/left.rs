//! What an interrupted run left behind what counts of a journal: whole messages whose entries follow, and maybe the
//! beginning of one more.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};
use proto::journal::v1::BackupJournalResponse;

use super::file::{MAGIC, Reader};
use super::{Kept, Seen, name};
use crate::args::serve::Role;
use crate::figures::grouped;

/// What is left of a service, and no manifest counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// Bytes behind those that count.
    pub(crate) bytes: u64,
    /// Entries in them that follow those that count.
    pub(crate) entries: u64,
    /// Bytes behind the last of these.
    pub(crate) beyond: u64,
}

impl Left {
    /// Reads what is left, where nothing may count, and hands on what follows, message by message.
    pub(crate) fn read(
        folder: &Path,
        role: Role,
        kept: Option<&Kept>,
        take: impl FnMut(&BackupJournalResponse) -> anyhow::Result<()>,
    ) -> anyhow::Result<Left> {
        let path = Kept::path(folder, role);
        let named = || path.display().to_string();
        let (start, mut seen) = match kept {
            Some(kept) => (kept.bytes, Seen::after(name(role), kept)?),
            None => (0, Seen::beginning(name(role))),
        };
        let bytes = match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            found => found.with_context(named)?.len(),
        };
        if bytes <= start.max(MAGIC.len() as u64) {
            return Ok(Left::default());
        }
        let mut reader = match Reader::part_of(&path, start, bytes) {
            // Whatever has the name of a copy and is none.
            Err(error) if kept.is_none() && !is_of_the_disk(&error) => {
                return Ok(Left {
                    bytes,
                    entries: 0,
                    beyond: bytes,
                });
            }
            opened => opened.with_context(named)?,
        };
        let counted = seen.last();
        let end = follow(&mut reader, &mut seen, take).with_context(named)?;
        Ok(Left {
            bytes: bytes - start,
            entries: seen.last() - counted,
            beyond: bytes - end,
        })
    }

    /// The same, only counted.
    pub(crate) fn of(
        folder: &Path,
        role: Role,
        kept: Option<&Kept>,
        stop: &AtomicBool,
    ) -> anyhow::Result<Left> {
        Left::read(folder, role, kept, |_| {
            ensure!(!stop.load(Ordering::Relaxed), "interrupted");
            Ok(())
        })
    }
}

/// Files of what interrupted runs left that a later run kept aside, by name.
pub(crate) fn kept_aside(folder: &Path) -> io::Result<Vec<String>> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.contains(".journal.left") {
            kept.push(name);
        }
    }
    kept.sort();
    Ok(kept)
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |number: u64| grouped(&number.to_string());
        let what = if self.entries == 1 {
            "entry"
        } else {
            "entries"
        };
        let (bytes, entries) = (count(self.bytes), count(self.entries));
        write!(f, "{bytes} bytes with {entries} {what}")
    }
}

/// Hands on the whole messages that follow what was seen; where they end in the file. Behind that the run was interrupted.
pub(super) fn follow(
    reader: &mut Reader,
    seen: &mut Seen,
    mut take: impl FnMut(&BackupJournalResponse) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    loop {
        let end = reader.offset();
        let part = match reader.part() {
            Ok(Some(part)) => part,
            Err(error) if is_of_the_disk(&error) => return Err(error),
            Ok(None) | Err(_) => return Ok(end),
        };
        let mut next = seen.clone();
        if next.take(&part).is_err() {
            return Ok(end);
        }
        take(&part)?;
        *seen = next;
    }
}

/// Whether something could not be read, and is not wrong in itself.
pub(super) fn is_of_the_disk(error: &anyhow::Error) -> bool {
    error.chain().any(<dyn std::error::Error>::is::<io::Error>)
}
