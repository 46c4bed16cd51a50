//! The journals of a process, streamed out: what a copy is made of.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::stream;
use proto::journal::v1 as wire;
use proto::{Excerpt, Violations, to_timestamp};
use store::{Cursor, Position, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status};
use wire::journal_service_server::{JournalService, JournalServiceServer};

use crate::error::Error;
use crate::feed::Messages;
use crate::register::{MAX_RESPONSE, Reply};

/// Backups at a time: each reads the disk as fast as its client takes it.
const MAX_BACKUPS: usize = 4;
/// A part that has reached this size ends. An entry has at most 3 MiB, but for one that a large write made.
const PART_BYTES: usize = 256 << 10;
const COLLECTION: &str = "journals/";

/// The journals of the services that a process runs, by their roles.
#[derive(Clone, Debug)]
pub struct Journals {
    by_role: BTreeMap<&'static str, Arc<dyn Kept>>,
    places: Arc<Semaphore>,
}

impl Default for Journals {
    fn default() -> Journals {
        Journals {
            by_role: BTreeMap::new(),
            places: Arc::new(Semaphore::new(MAX_BACKUPS)),
        }
    }
}

impl Journals {
    /// Adds the journal of a role.
    #[must_use]
    pub fn with<M: store::Model + fmt::Debug>(
        mut self,
        role: &'static str,
        store: &Store<M>,
    ) -> Journals {
        self.by_role.insert(role, Arc::new(store.clone()));
        self
    }

    /// The service as a server takes it.
    pub fn server(self) -> JournalServiceServer<Journals> {
        JournalServiceServer::new(self).max_encoding_message_size(MAX_RESPONSE)
    }

    fn find(&self, name: &str) -> Result<Arc<dyn Kept>, Error> {
        let role = name.strip_prefix(COLLECTION);
        let role = role.ok_or_else(|| {
            let name = Excerpt::of(name);
            Violations::one(
                "name",
                format!("{name} is not of the form `journals/{{role}}`"),
            )
        })?;
        let found = self.by_role.get(role);
        let found = found.ok_or_else(|| Error::NotFound(Excerpt::of(name).to_string()))?;
        Ok(Arc::clone(found))
    }
}

/// A store, whatever its model.
trait Kept: fmt::Debug + Send + Sync {
    fn oldest(&self) -> Position;
    fn last(&self) -> Position;
    fn entries(&self, after: Position) -> Result<Box<dyn Cursor>, store::Error>;
}

impl<M: store::Model + fmt::Debug> Kept for Store<M> {
    fn oldest(&self) -> Position {
        Store::oldest(self)
    }

    fn last(&self) -> Position {
        Store::last(self).position
    }

    fn entries(&self, after: Position) -> Result<Box<dyn Cursor>, store::Error> {
        Store::entries(self, after)
    }
}

/// Where a journal stands.
fn described(name: &str, journal: &dyn Kept) -> Result<wire::Journal, store::Error> {
    let last = journal.last();
    let mut described = wire::Journal {
        name: name.to_owned(),
        oldest_position: journal.oldest(),
        last_position: last,
        last_commit_time: None,
        last_hash: vec![0; 32],
    };
    if last > 0
        && let Some(entry) = journal.entries(last - 1)?.next(last)?
    {
        described.last_commit_time = Some(to_timestamp(entry.stamp.time));
        described.last_hash = entry.hash.to_vec();
    }
    Ok(described)
}

/// A backup under way, and its place, which ends with it.
struct Backup {
    cursor: Box<dyn Cursor>,
    journal: Option<wire::Journal>,
    last: Position,
    _place: OwnedSemaphorePermit,
}

impl Backup {
    /// The next part; `None` at the end.
    fn part(&mut self) -> Result<Option<wire::BackupJournalResponse>, store::Error> {
        let mut part = wire::BackupJournalResponse {
            entries: Vec::new(),
            journal: self.journal.take(),
        };
        let mut bytes = 0;
        while bytes < PART_BYTES {
            let Some(entry) = self.cursor.next(self.last)? else {
                break;
            };
            bytes += entry.body().len();
            part.entries.push(wire::JournalEntry {
                position: entry.stamp.position,
                commit_time: Some(to_timestamp(entry.stamp.time)),
                hash: entry.hash.to_vec(),
                body: entry.body().to_vec(),
            });
        }
        let is_end = part.entries.is_empty() && part.journal.is_none();
        Ok((!is_end).then_some(part))
    }
}

/// Reads on a thread that may wait for the disk.
async fn aside<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, store::Error> + Send + 'static,
) -> Result<T, Error> {
    let read = tokio::task::spawn_blocking(read).await;
    Ok(read.map_err(|error| store::Error::Panicked(error.to_string()))??)
}

#[tonic::async_trait]
impl JournalService for Journals {
    async fn get_journal(&self, request: Request<wire::GetJournalRequest>) -> Reply<wire::Journal> {
        let wire::GetJournalRequest { name } = request.into_inner();
        let journal = self.find(&name)?;
        let described = aside(move || described(&name, &*journal)).await?;
        Ok(Response::new(described))
    }

    type BackupJournalStream = Messages<wire::BackupJournalResponse>;

    async fn backup_journal(
        &self,
        request: Request<wire::BackupJournalRequest>,
    ) -> Reply<Self::BackupJournalStream> {
        let wire::BackupJournalRequest {
            name,
            after_position,
        } = request.into_inner();
        let journal = self.find(&name)?;
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Error::TooMany("backups"))?;
        let start = aside(move || {
            let cursor = journal.entries(after_position)?;
            let described = described(&name, &*journal)?;
            Ok(Backup {
                cursor,
                last: described.last_position,
                journal: Some(described),
                _place: place,
            })
        });
        let parts = stream::try_unfold(start.await?, async |mut backup| {
            let read = aside(move || backup.part().map(|part| (part, backup)));
            let (part, backup) = read.await.map_err(Status::from)?;
            Ok(part.map(|part| (part, backup)))
        });
        Ok(Response::new(Box::pin(parts)))
    }
}
