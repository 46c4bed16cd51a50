//! A journal from a copy of its entries.

use std::fs;
use std::path::{Path, PathBuf};

use crate::folder::{OWNER_ONLY, create_durably};
use crate::segments::Segments;
use crate::{Config, Error, Journal, Micros, Position};

/// Writes a copy of a journal into a folder that has none, entry by entry. [`Store::open`](crate::Store::open) makes
/// the view of it.
#[derive(Debug)]
pub struct Restore {
    folder: PathBuf,
    journal: Segments,
}

impl Restore {
    /// Starts in a folder that is empty, or is not there yet.
    ///
    /// # Errors
    /// [`Error::Io`], also when the folder holds anything.
    pub fn start(folder: &Path, config: &Config) -> Result<Restore, Error> {
        let refused = |e: &std::io::Error| Error::io("restoring into", folder, e);
        create_durably(folder, OWNER_ONLY)?;
        if fs::read_dir(folder)
            .map_err(|e| refused(&e))?
            .next()
            .is_some()
        {
            let taken = std::io::Error::new(std::io::ErrorKind::AlreadyExists, "it is not empty");
            return Err(refused(&taken));
        }
        let journal = folder.join("journal");
        create_durably(&journal, OWNER_ONLY)?;
        Ok(Restore {
            folder: folder.to_owned(),
            journal: Segments::open(&journal, config.segment_bytes, 0)?,
        })
    }

    /// Appends the next entry; it is durable after [`Restore::finish`].
    ///
    /// # Errors
    /// [`Error::Conflict`] when it does not follow, [`Error::Damaged`] when its hash, which chains over all before it,
    /// is not `hash`: it is not what was copied.
    pub fn append(
        &mut self,
        position: Position,
        time: Micros,
        hash: &[u8],
        body: &[u8],
    ) -> Result<(), Error> {
        let expected = position.saturating_sub(1);
        self.journal.append_unsynced(expected, time, body)?;
        if self.journal.last_hash()[..] == *hash {
            return Ok(());
        }
        Err(Error::Damaged {
            file: self.folder.clone(),
            offset: 0,
            what: format!("entry {position} of the copy has another hash than its bytes"),
        })
    }

    /// Makes all of it durable.
    ///
    /// # Errors
    /// [`Error::Io`]: what was restored may not be used.
    pub fn finish(self) -> Result<(), Error> {
        self.journal.sync()?;
        let synced = fs::File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|e| Error::io("syncing", &self.folder, &e))
    }

    /// The last position that was restored.
    pub fn last(&self) -> Position {
        self.journal.last()
    }
}
