//! Who wrote what: a journal read forward, write by write.
//!
//! The journal itself is the record of who changed what, so nothing is kept beside it. A page looks at a bounded part of
//! it, however long it is and however little passes the filter, and says where the next one begins.

use bytes::Bytes;
use prost::Message;
use proto::journal::v1 as wire;
use proto::{PageToken, PageTokenError, page_size, query_digest, to_timestamp};
use store::{Entry, Position, Stamp, Write};

use crate::error::Error;
use crate::journals::Kept;
use crate::list::Page;

/// Entries of the journal that a page looks at, and their bytes.
const MAX_LOOKED_AT: usize = 1_000;
const MAX_BYTES_LOOKED_AT: usize = 16 << 20;
/// A page that has reached this size ends.
const PAGE_BYTES: usize = 1 << 20;
/// Changes of one write that are told.
const MAX_CHANGES: usize = 1_000;

/// A model whose changes can be told in a line.
pub trait Audited: store::Model {
    /// What a change did, by the name of its field in the change message, and to which record.
    fn told(change: Self::Change) -> wire::AuditChange;
}

/// A change of that kind to the record of that name.
pub fn audit_change(kind: &str, name: impl Into<String>) -> wire::AuditChange {
    wire::AuditChange {
        kind: kind.to_owned(),
        name: name.into(),
    }
}

/// Which writes, and from where on.
#[derive(Debug)]
pub(crate) struct Query {
    caller: String,
    name_prefix: String,
    size: usize,
    digest: u64,
    start: Place,
}

/// A place between two writes: behind an entry, and behind so many writes of the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    after: Position,
    writes: u64,
}

impl Place {
    fn encode(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.after.to_be_bytes());
        bytes[8..].copy_from_slice(&self.writes.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Place> {
        let (after, writes) = bytes.split_first_chunk()?;
        Some(Place {
            after: Position::from_be_bytes(*after),
            writes: u64::from_be_bytes(writes.try_into().ok()?),
        })
    }
}

impl Query {
    /// Parses a request, all but whose journal it is about.
    ///
    /// # Errors
    /// [`Error::PageToken`], and [`Error::Invalid`].
    pub(crate) fn parse(request: wire::ListAuditEntriesRequest) -> Result<Query, Error> {
        let wire::ListAuditEntriesRequest {
            parent,
            after_position,
            caller,
            name_prefix,
            page_size: size,
            page_token,
        } = request;
        let digest = query_digest(&[
            b"ListAuditEntriesRequest",
            parent.as_bytes(),
            &after_position.to_be_bytes(),
            caller.as_bytes(),
            name_prefix.as_bytes(),
        ]);
        let size = page_size(size, 100, 500)? as usize;
        Ok(Query {
            caller,
            name_prefix,
            size,
            digest,
            start: start(after_position, &page_token, digest)?,
        })
    }

    /// The page. It reads the disk.
    ///
    /// # Errors
    /// Those of the journal.
    pub(crate) fn page(&self, journal: &dyn Kept) -> Result<Page<wire::AuditEntry>, store::Error> {
        let last = journal.head().stamp.position;
        let mut cursor = journal.entries(self.start.after)?;
        let mut walk = Walk::default();
        let mut done = usize::try_from(self.start.writes).unwrap_or(usize::MAX);
        while let Some(entry) = cursor.next(last)? {
            let writes = entry.stamped_writes()?.into_iter().enumerate();
            for (index, (stamp, write)) in writes.skip(done) {
                if walk.page.len() >= self.size || walk.page_bytes >= PAGE_BYTES {
                    return Ok(self.until(walk, entry.stamp.position - 1, index));
                }
                walk.take(self.tell(journal, &entry, stamp, write)?);
            }
            done = 0;
            if walk.has_seen_enough(&entry) && entry.stamp.position < last {
                return Ok(self.until(walk, entry.stamp.position, 0));
            }
        }
        Ok((walk.page, String::new()))
    }

    fn until(&self, walk: Walk, after: Position, writes: usize) -> Page<wire::AuditEntry> {
        let place = Place {
            after,
            writes: writes as u64,
        };
        (walk.page, PageToken::encode(self.digest, &place.encode()))
    }

    /// A write as it is told; `None` when it does not pass.
    fn tell(
        &self,
        journal: &dyn Kept,
        entry: &Entry,
        stamp: Stamp,
        write: Write,
    ) -> Result<Option<wire::AuditEntry>, store::Error> {
        if !self.caller.is_empty() && self.caller != write.who {
            return Ok(None);
        }
        let count = i32::try_from(write.changes.len()).unwrap_or(i32::MAX);
        let told = write
            .changes
            .into_iter()
            .map(|change| journal.told(entry, change));
        let mut changes: Vec<wire::AuditChange> = told.collect::<Result<_, _>>()?;
        let names = changes.iter().map(|change| &change.name);
        if !names
            .chain([&write.subject])
            .any(|name| name.starts_with(&self.name_prefix))
        {
            return Ok(None);
        }
        changes.truncate(MAX_CHANGES);
        Ok(Some(wire::AuditEntry {
            position: stamp.position,
            record_time: Some(to_timestamp(stamp.time)),
            caller: write.who,
            request_id: request_id(&write.request_id),
            subject: write.subject,
            changes,
            change_count: count,
        }))
    }
}

/// Where a page begins.
fn start(after: Position, token: &str, digest: u64) -> Result<Place, Error> {
    if token.is_empty() {
        return Ok(Place { after, writes: 0 });
    }
    let cursor = PageToken::decode(token, digest)?;
    Ok(Place::decode(&cursor).ok_or(PageTokenError::Malformed)?)
}

fn request_id(bytes: &Bytes) -> String {
    uuid::Uuid::from_slice(bytes).map_or_else(|_| String::new(), |id| id.to_string())
}

/// A page on its way, and what it cost so far.
#[derive(Default)]
struct Walk {
    page: Vec<wire::AuditEntry>,
    page_bytes: usize,
    entries: usize,
    bytes: usize,
}

impl Walk {
    fn take(&mut self, told: Option<wire::AuditEntry>) {
        self.page_bytes += told.as_ref().map_or(0, Message::encoded_len);
        self.page.extend(told);
    }

    fn has_seen_enough(&mut self, entry: &Entry) -> bool {
        self.entries += 1;
        self.bytes += entry.body().len();
        self.entries >= MAX_LOOKED_AT || self.bytes >= MAX_BYTES_LOOKED_AT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(caller: &str, page_token: &str) -> wire::ListAuditEntriesRequest {
        wire::ListAuditEntriesRequest {
            parent: "journals/events".into(),
            caller: caller.into(),
            page_token: page_token.into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_token_continues_the_question_that_it_came_from() {
        let query = Query::parse(request("desk", "")).unwrap();
        let (_, token) = query.until(Walk::default(), 7, 3);
        let next = Query::parse(request("desk", &token)).unwrap();
        assert_eq!(
            next.start,
            Place {
                after: 7,
                writes: 3
            }
        );
        assert!(Query::parse(request("mallory", &token)).is_err());
        let short = PageToken::encode(query.digest, b"short");
        assert!(Query::parse(request("desk", &short)).is_err());
    }
}
