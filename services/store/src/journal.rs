//! The narrow face of a journal.
//!
//! A decision depends on nothing but the state and its input, so a write that loses the race for a
//! position can be decided again on the newer state. This is all that a replicated journal needs to
//! stand behind the same face.

use std::fmt;

use crate::{Entry, Error, Micros};

/// An entry's place in the journal, from 1; 0 stands before the first.
pub type Position = u64;

/// An append-only, durable, totally ordered list of entries.
pub trait Journal: fmt::Debug + Send + Sync {
    /// Appends one entry after `expected` and returns once it is durable.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the journal does not end at `expected`; [`Error::Io`] when nothing was
    /// appended. A failure that leaves durability in doubt does not return: it ends the process.
    fn append(&self, expected: Position, time: Micros, body: &[u8]) -> Result<Position, Error>;

    /// A cursor that starts after `position`.
    ///
    /// # Errors
    /// [`Error::PositionGone`] or [`Error::PositionAhead`] when that place is not in the journal.
    fn after(&self, position: Position) -> Result<Box<dyn Cursor>, Error>;

    /// The oldest position that is kept.
    fn oldest(&self) -> Position;

    /// The last position.
    fn last(&self) -> Position;

    /// The hash of the entry at the last position, which chains over all before it.
    fn last_hash(&self) -> [u8; 32];

    /// Whether the journal ends with its last entry. It reads the disk, and waits for an entry that is being appended.
    ///
    /// # Errors
    /// [`Error::Damaged`] when anything stands behind the last entry, or the file ends before it: what is read is whole
    /// all the same, and the next start may refuse it.
    fn check_end(&self) -> Result<(), Error>;
}

/// Reads entries one after another.
pub trait Cursor: fmt::Debug + Send {
    /// The next entry, or `None` when that would be after `until`; later it may go on.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the entry's bytes are missing or not what was written; the cursor stays
    /// before it.
    fn next(&mut self, until: Position) -> Result<Option<Entry>, Error>;
}
