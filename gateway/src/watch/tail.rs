//! The end of a service's feed for a pair, which all who watch the pair share.
//!
//! One task follows the feed, whoever watches, and keeps what came last within bounds. A watcher that stands within it
//! takes from there; one that stands before it follows the feed for itself until it has caught up (`lane.rs`). So a
//! thousand watchers of a pair are one stream of each service, and none of them holds anything.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::TryStreamExt;
use proto::Country;
use proto::gateway::v1::Unreachable;
use tokio::sync::watch;
use tonic::{Code, Status};

use super::upstream::{self, Entry};
use crate::ask::Services;
use crate::backoff::Backoff;
use crate::cursor::Point;
use crate::outage::unreachable;
use crate::which::Which;

/// What is kept, at most.
const MAX_ENTRIES: usize = 256;
const MAX_BYTES: usize = 4 << 20;

/// The end of a feed.
#[derive(Debug)]
pub(crate) struct Tail {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

/// What is known of a feed.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// All that came after this is kept; `None`: the service was not reached yet.
    pub(crate) start: Option<Point>,
    /// How far the feed was followed.
    pub(crate) head: Option<Point>,
    kept: VecDeque<Arc<Entry>>,
    bytes: usize,
    /// Why the service is lost, while it is.
    pub(crate) lost: Option<Unreachable>,
    /// Why the feed cannot be followed any more.
    pub(crate) failed: Option<Status>,
}

impl State {
    /// The first entry that is kept after a position.
    pub(crate) fn next_after(&self, position: u64) -> Option<Arc<Entry>> {
        let next = self
            .kept
            .partition_point(|entry| entry.position <= position);
        self.kept.get(next).cloned()
    }

    /// Whether all that comes after a position is kept, or is still to come.
    pub(crate) fn covers(&self, position: u64) -> bool {
        let within = self.start.zip(self.head);
        within.is_some_and(|(start, head)| (start.position..=head.position).contains(&position))
    }

    fn keep(&mut self, entry: Entry) {
        self.bytes += entry.bytes;
        self.kept.push_back(Arc::new(entry));
        while self.kept.len() > MAX_ENTRIES || self.bytes > MAX_BYTES {
            let Some(gone) = self.kept.pop_front() else {
                break;
            };
            self.bytes -= gone.bytes;
            self.start = Some(Point {
                position: gone.position,
                time: gone.time.unwrap_or_default(),
            });
        }
    }
}

impl Tail {
    pub(crate) fn new() -> Tail {
        Tail {
            state: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says when something is new.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.send_replace(());
    }

    /// Where to follow the feed from.
    async fn place(&self, services: &Services, which: Which) -> Result<Point, Status> {
        if let Some(head) = self.state().head {
            return Ok(head);
        }
        let here = upstream::stand(services, which).await?;
        self.change(|state| {
            state.start = Some(here);
            state.head = Some(here);
        });
        Ok(here)
    }

    fn arrive(&self, entry: Entry) {
        let mut state = self.state();
        let before = state.head.unwrap_or(Point::START);
        state.head = Some(Point {
            position: entry.position.max(before.position),
            time: entry.time.unwrap_or(before.time),
        });
        // Who waits need not know of what is not theirs.
        if !entry.changes.is_empty() {
            state.keep(entry);
            drop(state);
            self.changed.send_replace(());
        }
    }
}

/// Follows a feed for ever: when it is lost, again from where it was lost.
pub(crate) async fn follow(tail: Arc<Tail>, services: Services, which: Which, pair: [Country; 2]) {
    let mut backoff = super::backoff();
    loop {
        let status = match follow_once(&tail, &services, which, pair, &mut backoff).await {
            Err(status) => status,
            Ok(()) => Status::unavailable("the feed ended"),
        };
        if status.code() == Code::OutOfRange {
            return tail.change(|state| state.failed = Some(status));
        }
        tail.change(|state| state.lost = Some(unreachable(which.name(), &status)));
        tokio::time::sleep(backoff.next()).await;
    }
}

async fn follow_once(
    tail: &Tail,
    services: &Services,
    which: Which,
    pair: [Country; 2],
    backoff: &mut Backoff,
) -> Result<(), Status> {
    let place = tail.place(services, which).await?;
    let mut entries = upstream::open(services, which, pair, place.position).await?;
    tail.change(|state| state.lost = None);
    while let Some(entry) = entries.try_next().await? {
        backoff.reset();
        tail.arrive(entry);
    }
    Ok(())
}
