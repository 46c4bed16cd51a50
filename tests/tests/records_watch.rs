//! What a feed of changes promises, held against the journal while many write, watchers come and go, and the process
//! is killed and started again: the six promises that etcd's validators of watches have, each a test of its own.
//!
//! * ordered: positions grow from message to message
//! * unique: no entry is told twice
//! * complete: no entry is left out
//! * atomic: an entry is told whole, in one message
//! * resumable: a watch after any position tells what any other one told after it
//! * idle positions: a quiet feed says where it stands, and nothing before that is told later

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use prost::Message;
use proto::culture::v1 as culture;
use proto::events::v1 as events;
use proto::journal::v1::{BackupJournalRequest, JournalEntry};
use tests::{Role, Server, Way, build_binary, programme, within_limit};
use tokio::task::JoinHandle;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;

/// Writers at a time, and records that each writes between two kills.
const WRITERS: usize = 4;
const WRITES: usize = 25;
const KILLS: usize = 3;
/// Records of a batch, which is one entry or a part of one.
const BATCH: usize = 3;

/// A message of a feed: where, whether it is an entry, and the names of what changed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    position: u64,
    is_entry: bool,
    names: Vec<String>,
}

/// A service whose feed is watched.
trait Watched: Copy + Send + Sync + 'static {
    const ROLE: Role;

    /// Creates records together.
    fn create(server: &Server, ids: Vec<String>)
    -> impl Future<Output = Result<(), Status>> + Send;
    /// The messages after a position, until the service ends or `last` is told.
    fn watch(server: &Server, after: u64, last: Option<u64>) -> JoinHandle<Vec<Told>>;
    /// The names that an entry of the journal holds.
    fn names(change: &[u8]) -> String;
}

#[derive(Clone, Copy)]
struct Events;
#[derive(Clone, Copy)]
struct Culture;

impl Watched for Events {
    const ROLE: Role = Role::Events;

    async fn create(server: &Server, ids: Vec<String>) -> Result<(), Status> {
        let request = |id: String| events::CreateEventRequest {
            allow_duplicate: true,
            ..tests::event(
                &id,
                &["CHN", "KAZ"],
                events::OfficeLevel::HeadOfState,
                "2024",
                "",
            )
        };
        let request = events::BatchCreateEventsRequest {
            requests: ids.into_iter().map(request).collect(),
            request_id: String::new(),
        };
        server
            .events()
            .batch_create_events(request)
            .await
            .map(|_| ())
    }

    fn watch(server: &Server, after: u64, last: Option<u64>) -> JoinHandle<Vec<Told>> {
        let mut client = server.events();
        tokio::spawn(async move {
            let request = events::WatchChangesRequest {
                after_position: after,
                ..Default::default()
            };
            let Ok(stream) = client.watch_changes(request).await else {
                return Vec::new();
            };
            let told = stream.into_inner().map_while(Result::ok).map(|message| {
                let changes = message.changes.iter();
                let names = changes.map(|change| Events::names(&change.encode_to_vec()));
                Told {
                    position: message.position,
                    is_entry: message.commit_time.is_some(),
                    names: names.collect(),
                }
            });
            until(last, told).await
        })
    }

    fn names(change: &[u8]) -> String {
        use events::events_change::Change;
        match events::EventsChange::decode(change)
            .unwrap()
            .change
            .unwrap()
        {
            Change::EventRecorded(recorded) => recorded.event.unwrap().name,
            Change::EventDeleted(deleted) => deleted.name,
            Change::AgreementRecorded(recorded) => recorded.agreement.unwrap().name,
            Change::AgreementDeleted(deleted) => deleted.name,
        }
    }
}

impl Watched for Culture {
    const ROLE: Role = Role::Culture;

    async fn create(server: &Server, ids: Vec<String>) -> Result<(), Status> {
        let request = culture::BatchCreateProgrammesRequest {
            requests: ids
                .iter()
                .map(|id| programme(id, &["CHN", "KAZ"], "2024"))
                .collect(),
            request_id: String::new(),
        };
        server
            .culture()
            .batch_create_programmes(request)
            .await
            .map(|_| ())
    }

    fn watch(server: &Server, after: u64, last: Option<u64>) -> JoinHandle<Vec<Told>> {
        let mut client = server.culture();
        tokio::spawn(async move {
            let request = culture::WatchChangesRequest {
                after_position: after,
                ..Default::default()
            };
            let Ok(stream) = client.watch_changes(request).await else {
                return Vec::new();
            };
            let told = stream.into_inner().map_while(Result::ok).map(|message| {
                let changes = message.changes.iter();
                let names = changes.map(|change| Culture::names(&change.encode_to_vec()));
                Told {
                    position: message.position,
                    is_entry: message.commit_time.is_some(),
                    names: names.collect(),
                }
            });
            until(last, told).await
        })
    }

    fn names(change: &[u8]) -> String {
        use culture::culture_change::Change;
        match culture::CultureChange::decode(change)
            .unwrap()
            .change
            .unwrap()
        {
            Change::ProgrammeRecorded(recorded) => recorded.programme.unwrap().name,
            Change::ProgrammeDeleted(deleted) => deleted.name,
            Change::MeasureRecorded(recorded) => recorded.measure.unwrap().name,
            Change::MeasureDeleted(deleted) => deleted.name,
            Change::VisaRuleRecorded(recorded) => recorded.visa_rule.unwrap().name,
            Change::VisaRuleDeleted(deleted) => deleted.name,
        }
    }
}

/// What a feed tells until it ends, or `last` is told.
async fn until(last: Option<u64>, told: impl Stream<Item = Told>) -> Vec<Told> {
    let mut told = std::pin::pin!(told);
    let mut seen = Vec::new();
    while let Some(message) = told.next().await {
        let is_last = last.is_some_and(|last| message.position >= last);
        seen.push(message);
        if is_last {
            break;
        }
    }
    seen
}

/// What was seen of a service's life.
struct Life {
    /// The journal: the names of each entry.
    entries: BTreeMap<u64, Vec<String>>,
    /// Batches that were acknowledged.
    acknowledged: Vec<Vec<String>>,
    /// Each watcher, over all restarts: it goes on after the last position that it saw.
    watchers: Vec<Vec<Told>>,
    /// A watch from each position of the journal on, to its end.
    resumed: Vec<(u64, Vec<Told>)>,
}

/// The entries of the journal.
async fn journal<W: Watched>(server: &Server) -> Vec<JournalEntry> {
    let request = BackupJournalRequest {
        name: format!("journals/{}", W::ROLE.name()),
        after_position: 0,
    };
    let parts = server
        .journals()
        .backup_journal(request)
        .await
        .unwrap()
        .into_inner();
    let parts: Vec<_> = parts.collect().await;
    parts
        .into_iter()
        .flat_map(|part| part.unwrap().entries)
        .collect()
}

/// The names in an entry, by the journal's own words.
fn names_in<W: Watched>(entry: &JournalEntry) -> Vec<String> {
    #[derive(Clone, PartialEq, Message)]
    struct Body {
        #[prost(message, repeated, tag = "1")]
        writes: Vec<store::Write>,
    }
    let body = Body::decode(&entry.body[..]).unwrap();
    let changes = body.writes.iter().flat_map(|write| &write.changes);
    changes.map(|change| W::names(change)).collect()
}

async fn write_until_killed<W: Watched>(server: &Server, round: usize) -> Vec<Vec<String>> {
    let written = AtomicUsize::new(0);
    let written = &written;
    let writer = |writer: usize| async move {
        let mut acknowledged = Vec::new();
        for write in 0..WRITES {
            let id = |of: usize| format!("r{round}-w{writer}-{write}-{of}");
            let ids: Vec<String> = (0..BATCH).map(id).collect();
            if W::create(server, ids.clone()).await.is_err() {
                break;
            }
            acknowledged.push(ids);
            // One of them ends the process while the others write and the watchers read.
            if written.fetch_add(1, Ordering::Relaxed) + 1 == WRITERS * WRITES * 3 / 4 {
                server.strike();
            }
        }
        acknowledged
    };
    let writers = (0..WRITERS).map(writer);
    futures_util::future::join_all(writers).await.concat()
}

/// Writes and watches through kills and restarts.
async fn live<W: Watched>() -> Life {
    build_binary().await;
    within_limit(live_on::<W>()).await
}

async fn live_on<W: Watched>() -> Life {
    let mut server = Server::start_as(W::ROLE, Way::Binary).await;
    let mut watchers: Vec<Vec<Told>> = vec![Vec::new(); 3];
    let mut acknowledged = Vec::new();
    for round in 0..=KILLS {
        let last_of = |seen: &Vec<Told>| seen.last().map_or(0, |told| told.position);
        let watching: Vec<_> = watchers
            .iter()
            .map(|seen| W::watch(&server, last_of(seen), None))
            .collect();
        acknowledged.extend(write_until_killed::<W>(&server, round).await);
        server.kill();
        for (seen, watch) in watchers.iter_mut().zip(watching) {
            seen.extend(watch.await.unwrap());
        }
        server.start_again().await;
    }
    let journal = journal::<W>(&server).await;
    let entries: BTreeMap<u64, Vec<String>> = journal
        .iter()
        .map(|entry| (entry.position, names_in::<W>(entry)))
        .collect();
    let last = *entries.keys().last().unwrap();
    for seen in &mut watchers {
        let after = seen.last().map_or(0, |told| told.position);
        if after < last {
            seen.extend(W::watch(&server, after, Some(last)).await.unwrap());
        }
    }
    let mut resumed = Vec::new();
    for after in (0..last).step_by(7) {
        resumed.push((after, W::watch(&server, after, Some(last)).await.unwrap()));
    }
    server.stop().await;
    Life {
        entries,
        acknowledged,
        watchers,
        resumed,
    }
}

fn entries_of(told: &[Told]) -> impl Iterator<Item = &Told> {
    told.iter().filter(|one| one.is_entry)
}

fn ordered(life: &Life) {
    for seen in &life.watchers {
        assert!(seen.is_sorted_by_key(|told| told.position));
        let entries: Vec<u64> = entries_of(seen).map(|told| told.position).collect();
        assert!(entries.is_sorted_by(|a, b| a < b), "{entries:?}");
    }
}

fn unique(life: &Life) {
    for seen in &life.watchers {
        let mut names: Vec<&String> = entries_of(seen).flat_map(|told| &told.names).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(
            names.len(),
            all,
            "each record was created once, and is told once"
        );
    }
}

fn complete(life: &Life) {
    for seen in &life.watchers {
        let told: Vec<u64> = entries_of(seen).map(|told| told.position).collect();
        let journal: Vec<u64> = life.entries.keys().copied().collect();
        assert_eq!(told, journal);
    }
    let journal: Vec<&String> = life.entries.values().flatten().collect();
    for id in life.acknowledged.iter().flatten() {
        let is_there = journal.iter().any(|name| name.ends_with(&format!("/{id}")));
        assert!(is_there, "{id} was acknowledged");
    }
    assert!(life.acknowledged.len() > WRITERS * WRITES / 2, "they wrote");
}

fn atomic(life: &Life) {
    for seen in &life.watchers {
        for told in entries_of(seen) {
            assert_eq!(
                told.names, life.entries[&told.position],
                "entry {}",
                told.position
            );
        }
    }
    // A batch is in one entry.
    for batch in &life.acknowledged {
        let holds = |names: &&Vec<String>| {
            names
                .iter()
                .any(|name| name.ends_with(&format!("/{}", batch[0])))
        };
        let entry = life.entries.values().find(holds).unwrap();
        for id in batch {
            assert!(
                entry.iter().any(|name| name.ends_with(&format!("/{id}"))),
                "{id}"
            );
        }
    }
}

fn resumable(life: &Life) {
    for (after, seen) in &life.resumed {
        let told: Vec<u64> = entries_of(seen).map(|told| told.position).collect();
        let rest: Vec<u64> = life
            .entries
            .range(after + 1..)
            .map(|(position, _)| *position)
            .collect();
        assert_eq!(told, rest, "after {after}");
        for told in entries_of(seen) {
            assert_eq!(told.names, life.entries[&told.position]);
        }
    }
}

macro_rules! promises {
    ($($module:ident $service:ident),+) => {$(
        mod $module {
            use super::{$service, live, within_limit};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_feed_is_ordered() {
                super::ordered(&live::<$service>().await);
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_feed_tells_nothing_twice() {
                super::unique(&live::<$service>().await);
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_feed_leaves_nothing_out() {
                super::complete(&live::<$service>().await);
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_feed_tells_an_entry_whole() {
                super::atomic(&live::<$service>().await);
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_feed_resumes_after_any_position() {
                super::resumable(&live::<$service>().await);
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_quiet_feed_says_where_it_stands() {
                within_limit(super::idle::<$service>()).await;
            }
        }
    )+};
}

promises!(of_events Events, of_culture Culture);

/// Idle positions never run ahead of what was told, and what comes after one is told after it; over a restart too.
async fn idle<W: Watched>() {
    let mut server = Server::start_as(W::ROLE, Way::InProcess).await;
    W::create(&server, vec!["first".into()]).await.unwrap();
    for round in 0..3 {
        let last = journal::<W>(&server).await.last().unwrap().position;
        // Nothing is written: the first message is a sign of life at the end of the journal.
        let quiet = W::watch(&server, last, Some(last)).await.unwrap();
        let expected = Told {
            position: last,
            is_entry: false,
            names: Vec::new(),
        };
        assert_eq!(quiet, [expected]);
        let watching = W::watch(&server, last, Some(last + 1));
        W::create(&server, vec![format!("later-{round}")])
            .await
            .unwrap();
        let told = watching.await.unwrap();
        let (entry, signs) = told.split_last().unwrap();
        assert!(
            signs
                .iter()
                .all(|sign| !sign.is_entry && sign.position == last),
            "{signs:?}"
        );
        assert_eq!((entry.position, entry.is_entry), (last + 1, true));
        server.restart_without_view().await;
    }
    server.stop().await;
}
