//! What one journal entry holds: the writes of one group.

use bytes::Bytes;
use prost::Message;

use crate::{Error, Head, Micros, Position, Stamp};

/// One journal entry: what was committed together.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it stands, and when its last write was committed.
    pub stamp: Stamp,
    /// Its hash, which chains over all entries before it.
    pub hash: [u8; 32],
    body: Bytes,
}

/// One write of an entry: one decision's changes.
#[derive(Clone, PartialEq, Message)]
pub struct Write {
    /// Who asked for it.
    #[prost(string, tag = "1")]
    pub who: String,
    /// The client's request id, 16 bytes, or empty.
    #[prost(bytes = "bytes", tag = "2")]
    pub request_id: Bytes,
    /// Digest of the request that came with the id.
    #[prost(fixed64, tag = "3")]
    pub request_digest: u64,
    /// Name of the record that the write made or changed, where it is one.
    #[prost(string, tag = "4")]
    pub subject: String,
    /// The model's changes, encoded.
    #[prost(bytes = "bytes", repeated, tag = "5")]
    pub changes: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct Body {
    #[prost(message, repeated, tag = "1")]
    writes: Vec<Write>,
}

impl Entry {
    pub(crate) fn new(position: Position, time: Micros, hash: [u8; 32], body: Bytes) -> Entry {
        Entry {
            stamp: Stamp { position, time },
            hash,
            body,
        }
    }

    /// It, as the last one of a journal.
    pub(crate) fn head(&self) -> Head {
        Head {
            stamp: self.stamp,
            hash: self.hash,
        }
    }

    /// Bytes of its body.
    pub(crate) fn len(&self) -> usize {
        self.body.len()
    }

    /// Its body as the journal has it: what a copy of the journal holds.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The writes, in order.
    ///
    /// # Errors
    /// [`Error::Undecodable`] when the entry was written by something else.
    pub fn writes(&self) -> Result<Vec<Write>, Error> {
        Body::decode(self.body.clone())
            .map(|body| body.writes)
            .map_err(|error| self.undecodable(&error))
    }

    /// The writes, in order, each with its own instant.
    ///
    /// # Errors
    /// [`Error::Undecodable`] when the entry was written by something else.
    pub fn stamped_writes(&self) -> Result<Vec<(Stamp, Write)>, Error> {
        let writes = self.writes()?;
        let first = self.stamp.first_of(writes.len());
        let writes = writes.into_iter().enumerate();
        Ok(writes
            .map(|(index, write)| (first.of_write(index), write))
            .collect())
    }

    /// All changes of all writes, in order.
    ///
    /// # Errors
    /// [`Error::Undecodable`] when a change is not a `C`.
    pub fn changes<C: Message + Default>(&self) -> Result<Vec<C>, Error> {
        let writes = self.writes()?;
        let changes = writes.into_iter().flat_map(|write| write.changes);
        changes
            .map(|change| C::decode(change).map_err(|error| self.undecodable(&error)))
            .collect()
    }

    /// The error of an entry whose changes do not decode.
    pub fn undecodable(&self, error: &prost::DecodeError) -> Error {
        Error::Undecodable {
            position: self.stamp.position,
            what: error.to_string(),
        }
    }
}

/// Encodes an entry's body.
pub(crate) fn encode(writes: Vec<Write>) -> Vec<u8> {
    Body { writes }.encode_to_vec()
}
