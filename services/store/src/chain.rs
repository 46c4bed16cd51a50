//! The chain of hashes over a journal's entries, for who has a copy of them and no journal.

use crate::frame::{self, Header, MAX_BODY};
use crate::{Micros, Position};

/// How far a copy of a journal was followed: each entry's hash goes over the one before, so entries that follow each
/// other from the first on are those that were journaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    last: Position,
    hash: [u8; 32],
}

/// Why an entry of a copy does not follow those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unchained {
    /// An entry is missing, or stands twice.
    #[error("entry {found} stands where entry {expected} belongs")]
    Gap {
        /// The position that it says.
        found: Position,
        /// The position that follows.
        expected: Position,
    },
    /// It, or one before it, is not what was journaled.
    #[error("entry {0} has another hash than its bytes and the entries before it")]
    Hash(Position),
    /// No journal takes an entry of this size.
    #[error("entry {0} is larger than any entry of a journal")]
    TooLarge(Position),
}

impl Chain {
    /// Goes on after an entry that was followed before.
    pub fn after(last: Position, hash: [u8; 32]) -> Chain {
        Chain { last, hash }
    }

    /// Follows the next entry; one that is refused changes nothing.
    ///
    /// # Errors
    /// [`Unchained`] when it is not the next entry of the journal.
    pub fn follow(
        &mut self,
        position: Position,
        time: Micros,
        hash: &[u8],
        body: &[u8],
    ) -> Result<(), Unchained> {
        let expected = self.last + 1;
        if position != expected {
            let found = position;
            return Err(Unchained::Gap { found, expected });
        }
        if body.len() > MAX_BODY {
            return Err(Unchained::TooLarge(position));
        }
        let computed = self.hash_of(time, body);
        if computed[..] != *hash {
            return Err(Unchained::Hash(position));
        }
        self.last = position;
        self.hash = computed;
        Ok(())
    }

    /// The hash that the next entry has when it was committed then and holds this.
    pub fn hash_of(&self, time: Micros, body: &[u8]) -> [u8; 32] {
        let header = Header::new(self.last + 1, time, self.hash, body).encode();
        frame::hash(&header, body)
    }

    /// The last position that was followed; 0 before the first.
    pub fn last(&self) -> Position {
        self.last
    }

    /// The hash of the entry there; zeros before the first.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }
}
