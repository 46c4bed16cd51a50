//! The journals of a process: where they stand, and streamed out, which is what a copy is made of.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use chassis::Shutdown;
use futures_util::stream::{self, TryStreamExt};
use prost::Message;
use proto::journal::v1 as wire;
use proto::{Excerpt, Violations, to_timestamp};
use store::{Cursor, Entry, Head, Micros, Position, Store, Usage, Verification, system_clock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::codec::CompressionEncoding;
use tonic::{Request, Response, Status};
use wire::journal_service_server::{JournalService, JournalServiceServer};

use crate::audit::{Audited, Query};
use crate::error::Error;
use crate::feed::Messages;
use crate::register::{MAX_RESPONSE, Reply};
use crate::verify;

/// Backups at a time: each reads the disk as fast as its client takes it.
const MAX_BACKUPS: usize = 4;
/// Verifications at a time: each makes a second view on the disk.
const MAX_VERIFICATIONS: usize = 1;
/// A part that has reached this size ends. An entry has at most 3 MiB, but for one that a large write made.
const PART_BYTES: usize = 256 << 10;
const COLLECTION: &str = "journals/";

/// The journals of the services that a process runs, by their roles.
#[derive(Clone, Debug)]
pub struct Journals {
    by_role: BTreeMap<&'static str, Arc<dyn Kept>>,
    started: Micros,
    shutdown: Shutdown,
    backups: Arc<Semaphore>,
    verifications: Arc<Semaphore>,
}

impl Journals {
    /// None yet; streams of them end when `shutdown` is triggered.
    pub fn new(shutdown: Shutdown) -> Journals {
        Journals {
            by_role: BTreeMap::new(),
            started: system_clock(),
            shutdown,
            backups: Arc::new(Semaphore::new(MAX_BACKUPS)),
            verifications: Arc::new(Semaphore::new(MAX_VERIFICATIONS)),
        }
    }

    /// Adds the journal of a role.
    #[must_use]
    pub fn with<M: Audited + fmt::Debug>(
        mut self,
        role: &'static str,
        store: &Store<M>,
    ) -> Journals {
        self.by_role.insert(role, Arc::new(store.clone()));
        self
    }

    /// The service as a server takes it; compressed for clients that ask for it.
    pub fn server(self) -> JournalServiceServer<Journals> {
        JournalServiceServer::new(self)
            .max_encoding_message_size(MAX_RESPONSE)
            .send_compressed(CompressionEncoding::Gzip)
    }

    fn find(&self, field: &str, name: &str) -> Result<Arc<dyn Kept>, Error> {
        let role = name.strip_prefix(COLLECTION);
        let role = role.ok_or_else(|| {
            let name = Excerpt::of(name);
            Violations::one(
                field,
                format!("{name} is not of the form `journals/{{role}}`"),
            )
        })?;
        let found = self.by_role.get(role);
        let found = found.ok_or_else(|| Error::NotFound(Excerpt::of(name).to_string()))?;
        Ok(Arc::clone(found))
    }
}

/// A store, whatever its model.
pub(crate) trait Kept: fmt::Debug + Send + Sync {
    fn oldest(&self) -> Position;
    fn head(&self) -> Head;
    fn entries(&self, after: Position) -> Result<Box<dyn Cursor>, store::Error>;
    fn usage(&self) -> Result<Usage, store::Error>;
    fn verify(&self) -> Result<Verification, store::Error>;
    /// A change of an entry, in a line.
    fn told(&self, entry: &Entry, change: Bytes) -> Result<wire::AuditChange, store::Error>;
}

impl<M: Audited + fmt::Debug> Kept for Store<M> {
    fn oldest(&self) -> Position {
        Store::oldest(self)
    }

    fn head(&self) -> Head {
        Store::head(self)
    }

    fn entries(&self, after: Position) -> Result<Box<dyn Cursor>, store::Error> {
        Store::entries(self, after)
    }

    fn usage(&self) -> Result<Usage, store::Error> {
        Store::usage(self)
    }

    fn verify(&self) -> Result<Verification, store::Error> {
        Store::verify(self)
    }

    fn told(&self, entry: &Entry, change: Bytes) -> Result<wire::AuditChange, store::Error> {
        let change = M::Change::decode(change).map_err(|error| entry.undecodable(&error))?;
        Ok(M::told(change))
    }
}

/// Where a journal stands.
fn described(name: String, journal: &dyn Kept) -> wire::Journal {
    at(name, journal.oldest(), journal.head())
}

/// A journal that ends with an entry.
pub(crate) fn at(name: String, oldest_position: Position, head: Head) -> wire::Journal {
    let Head { stamp, hash } = head;
    wire::Journal {
        name,
        oldest_position,
        last_position: stamp.position,
        last_commit_time: (stamp.position > 0).then(|| to_timestamp(stamp.time)),
        last_hash: hash.to_vec(),
    }
}

fn status(journal: wire::Journal, started: Micros, usage: Usage) -> wire::JournalStatus {
    let Usage {
        journal: journal_bytes,
        view: view_bytes,
        records: view_records,
        free: free_bytes,
        reserve: reserve_bytes,
        ballast: ballast_bytes,
        wanted_ballast: wanted_ballast_bytes,
    } = usage;
    wire::JournalStatus {
        journal: Some(journal),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        start_time: Some(to_timestamp(started)),
        journal_bytes,
        view_bytes,
        view_records,
        free_bytes,
        reserve_bytes,
        ballast_bytes,
        wanted_ballast_bytes,
    }
}

/// A place for a kind of work, of which there are only so many.
fn place(places: &Arc<Semaphore>, what: &'static str) -> Result<OwnedSemaphorePermit, Error> {
    let place = Arc::clone(places).try_acquire_owned();
    place.map_err(|_| Error::TooMany(what))
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
pub(crate) async fn aside<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, store::Error> + Send + 'static,
) -> Result<T, Error> {
    Ok(store::aside(read).await?)
}

#[tonic::async_trait]
impl JournalService for Journals {
    async fn get_journal(&self, request: Request<wire::GetJournalRequest>) -> Reply<wire::Journal> {
        let wire::GetJournalRequest { name } = request.into_inner();
        let journal = self.find("name", &name)?;
        Ok(Response::new(described(name, &*journal)))
    }

    async fn get_journal_status(
        &self,
        request: Request<wire::GetJournalStatusRequest>,
    ) -> Reply<wire::JournalStatus> {
        let wire::GetJournalStatusRequest { name } = request.into_inner();
        let journal = self.find("name", &name)?;
        let started = self.started;
        let status = aside(move || {
            let usage = journal.usage()?;
            Ok(status(described(name, &*journal), started, usage))
        });
        Ok(Response::new(status.await?))
    }

    type VerifyJournalStream = Messages<wire::VerifyJournalResponse>;

    async fn verify_journal(
        &self,
        request: Request<wire::VerifyJournalRequest>,
    ) -> Reply<Self::VerifyJournalStream> {
        let wire::VerifyJournalRequest {
            name,
            effort_percent,
        } = request.into_inner();
        let journal = self.find("name", &name)?;
        let effort = verify::Effort::parse(effort_percent)?;
        let place = place(&self.verifications, "verifications")?;
        let oldest = journal.oldest();
        // The place goes with the work, which ends later than a caller who goes away.
        let begun = aside(move || Ok((journal.verify()?, place)));
        let (verification, place) = begun.await?;
        let reports = verify::reports(verification, effort, self.shutdown.clone(), place);
        let told = reports.map_ok(move |report| report.into_wire(&name, oldest));
        Ok(Response::new(Box::pin(told)))
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
        let journal = self.find("name", &name)?;
        let place = place(&self.backups, "backups")?;
        let start = aside(move || {
            let cursor = journal.entries(after_position)?;
            let described = described(name, &*journal);
            Ok(Backup {
                cursor,
                last: described.last_position,
                journal: Some(described),
                _place: place,
            })
        });
        let shutdown = self.shutdown.clone();
        let parts = stream::try_unfold((start.await?, shutdown), async |(mut backup, shutdown)| {
            if shutdown.is_triggered() {
                return Err(Error::Stopping.into());
            }
            let read = aside(move || backup.part().map(|part| (part, backup)));
            let (part, backup) = read.await.map_err(Status::from)?;
            Ok(part.map(|part| (part, (backup, shutdown))))
        });
        Ok(Response::new(Box::pin(parts)))
    }

    async fn list_audit_entries(
        &self,
        request: Request<wire::ListAuditEntriesRequest>,
    ) -> Reply<wire::ListAuditEntriesResponse> {
        let request = request.into_inner();
        let journal = self.find("parent", &request.parent)?;
        let query = Query::parse(request)?;
        let (entries, next_page_token) = aside(move || query.page(&*journal)).await?;
        Ok(Response::new(wire::ListAuditEntriesResponse {
            entries,
            next_page_token,
        }))
    }
}
