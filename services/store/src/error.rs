//! What can go wrong with a store.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::Position;

/// Why the store could not do what was asked. Cheap to clone: one failed group answers many callers.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Another process has the folder open.
    #[error("{} is in use by another process; stop it, or choose another data folder", folder.display())]
    Locked {
        /// The store's folder.
        folder: PathBuf,
    },
    /// Stored bytes are not what was written.
    #[error("{} is damaged at byte {offset}: {what}; restore it from a backup", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Offset of the damaged part in bytes.
        offset: u64,
        /// What was found.
        what: String,
    },
    /// The view was made by, or holds, something this build cannot read.
    #[error("the view cannot be read: {0}")]
    View(String),
    /// The files of the view cannot be read or written.
    #[error("the files of the view fail: {0}")]
    Files(String),
    /// The second view, which a verification makes, failed; that says nothing of the journal or of the view.
    #[error("the second view of a verification failed: {0}")]
    SecondView(String),
    /// Free space is below the reserve; reads go on.
    #[error("{} has {free} bytes free and {needed} are needed; free some space", folder.display())]
    Full {
        /// The store's folder.
        folder: PathBuf,
        /// Bytes free.
        free: u64,
        /// Bytes that must stay free.
        needed: u64,
    },
    /// The operating system refused.
    #[error("{what} {}: {message}", file.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        file: PathBuf,
        /// What the system said.
        message: String,
    },
    /// The process, or the machine, has as many files open as it may.
    #[error("{what} {}: too many files are open", file.display())]
    TooManyFiles {
        /// What was tried.
        what: &'static str,
        /// On which file.
        file: PathBuf,
    },
    /// More writes wait than the queue holds; nothing was done.
    #[error("too many writes wait; try again in a moment")]
    Overloaded,
    /// A change, entry or value is larger than the store takes.
    #[error("{what} has {bytes} bytes, more than the {limit} that fit")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The store is closed or closing; nothing was done.
    #[error("the store is closed")]
    Closed,
    /// The journal no longer holds the position.
    #[error("position {asked} is no longer kept; the oldest is {oldest}")]
    PositionGone {
        /// The position asked for.
        asked: Position,
        /// The oldest position kept.
        oldest: Position,
    },
    /// The journal does not hold the position yet.
    #[error("position {asked} does not exist yet; the last is {last}")]
    PositionAhead {
        /// The position asked for.
        asked: Position,
        /// The last position.
        last: Position,
    },
    /// A journal entry has another position than the appender expected: somebody else appended.
    #[error("expected to append after position {expected}, but the journal ends at {last}")]
    Conflict {
        /// The position the appender saw.
        expected: Position,
        /// Where the journal ends.
        last: Position,
    },
    /// A decision or its application panicked; its effects were discarded.
    #[error("a write failed inside: {0}")]
    Panicked(String),
    /// A journaled change does not decode as the model's message.
    #[error("entry {position} does not decode: {what}")]
    Undecodable {
        /// The entry.
        position: Position,
        /// What the decoder said.
        what: String,
    },
}

impl Error {
    pub(crate) fn io(what: &'static str, file: &Path, error: &io::Error) -> Error {
        let file = file.to_owned();
        if let Some(Errno::MFILE | Errno::NFILE) = Errno::from_io_error(error) {
            return Error::TooManyFiles { what, file };
        }
        Error::Io {
            what,
            file,
            message: error.to_string(),
        }
    }
}

impl From<sled::Error> for Error {
    fn from(error: sled::Error) -> Error {
        Error::Files(error.to_string())
    }
}
