//! The tokens of a file as calls are held against them.

use std::collections::HashMap;

use jiff::Timestamp;

use super::refusal::Failure;
use super::token::{self, Hash, Id};
use super::token_file::{self, Entry};
use super::watched::Written;
use crate::Caller;

/// The tokens of a file.
#[derive(Debug)]
pub(super) struct Book {
    by_id: HashMap<Id, Entry>,
}

/// A token that was believed, to be looked at again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    id: Id,
    hash: Hash,
}

impl Written for Book {
    const MAX_BYTES: u64 = token_file::MAX_BYTES;
    type Fault = token_file::Fault;

    fn parse(bytes: &[u8]) -> Result<Book, token_file::Fault> {
        let entries = token_file::parse(bytes)?;
        let by_id = entries.into_iter().map(|entry| (entry.id, entry));
        Ok(Book {
            by_id: by_id.collect(),
        })
    }
}

impl Book {
    /// Whose token this is.
    pub(super) fn believe(&self, text: &str) -> Result<(Caller, Ticket), Failure> {
        let (id, hash) = token::parse(text).ok_or(Failure::Unknown)?;
        let ticket = Ticket { id, hash };
        Ok((self.look(&ticket)?.clone(), ticket))
    }

    /// Whose it is now.
    pub(super) fn look(&self, ticket: &Ticket) -> Result<&Caller, Failure> {
        let entry = self.by_id.get(&ticket.id);
        let known = entry.filter(|entry| entry.hash.is(&ticket.hash) && !entry.revoked);
        let Entry {
            caller, expires, ..
        } = known.ok_or(Failure::Unknown)?;
        if expires.is_some_and(|expires| expires <= Timestamp::now()) {
            return Err(Failure::Expired);
        }
        Ok(caller)
    }
}
