//! One service's part of a watch: what it tells next, and how far it has come.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::StreamExt;
use proto::Country;
use proto::gateway::v1::Unreachable;
use tokio::sync::{Semaphore, mpsc, watch};
use tonic::{Code, Status};

use super::tail::Tail;
use super::upstream::{self, Entries, Entry};
use crate::ask::Services;
use crate::backoff::Backoff;
use crate::cursor::Point;
use crate::which::Which;

/// How long who catches up may leave untaken what was read for them, before their place is given to another.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a place is one watcher's at most.
const TURN: Duration = Duration::from_secs(60);

/// What a lane needs to follow the feed for itself.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) services: Services,
    pub(crate) pair: [Country; 2],
    /// Places for those that catch up.
    pub(crate) places: Arc<Semaphore>,
}

/// What a lane tells.
#[derive(Debug)]
pub(crate) enum Told {
    Entry(Arc<Entry>),
    Lost(Unreachable),
    Back,
}

/// One service's part of a watch.
pub(crate) struct Lane {
    pub(crate) which: Which,
    /// How far it has come; `None`: it begins once the service is reached.
    pub(crate) point: Option<Point>,
    way: Way,
    tail: Arc<Tail>,
    changed: watch::Receiver<()>,
    /// Whether it was told that the service is lost.
    knows_lost: bool,
    /// A feed of its own, while it stands before what the tail keeps.
    own: Option<mpsc::Receiver<Result<Entry, Status>>>,
    /// What came from that and is not told yet.
    caught: Option<Result<Entry, Status>>,
    backoff: Backoff,
}

impl Lane {
    pub(crate) fn new(which: Which, tail: Arc<Tail>, point: Option<Point>, way: Way) -> Lane {
        Lane {
            which,
            point,
            way,
            changed: tail.subscribe(),
            tail,
            knows_lost: false,
            own: None,
            caught: None,
            backoff: super::backoff(),
        }
    }

    /// What it tells next; `None`: it must wait.
    ///
    /// # Errors
    /// Why the feed cannot go on.
    pub(crate) fn next(&mut self) -> Result<Option<Told>, Status> {
        self.changed.borrow_and_update();
        let tail = Arc::clone(&self.tail);
        let state = tail.state();
        if let Some(status) = &state.failed {
            return Err(self.refused(status));
        }
        if state.lost.is_some() != self.knows_lost {
            self.knows_lost = state.lost.is_some();
            return Ok(Some(state.lost.clone().map_or(Told::Back, Told::Lost)));
        }
        let Some(point) = self.point.or(state.head) else {
            return Ok(None);
        };
        self.point = Some(point);
        if state.covers(point.position) {
            (self.own, self.caught) = (None, None);
            let next = state.next_after(point.position);
            let head = state.head;
            drop(state);
            return Ok(self.take_shared(next, head));
        }
        drop(state);
        self.take_own()
    }

    /// Takes what the tail has, or moves on to its end.
    fn take_shared(&mut self, next: Option<Arc<Entry>>, head: Option<Point>) -> Option<Told> {
        let Some(entry) = next else {
            let point = self.point.zip(head);
            self.point = point.map(|(point, head)| Point {
                position: head.position,
                time: head.time.max(point.time),
            });
            return None;
        };
        self.pass(&entry).then_some(Told::Entry(entry))
    }

    /// Moves past an entry; whether it is to be told: not when it holds nothing, or was recorded by the instant up to
    /// which all is known.
    fn pass(&mut self, entry: &Entry) -> bool {
        let before = self.point.unwrap_or(Point::START);
        let time = entry.time.unwrap_or(before.time);
        self.point = Some(Point {
            position: entry.position,
            time: time.max(before.time),
        });
        !entry.changes.is_empty() && time > before.time
    }

    /// Takes what came from a feed of its own, which is opened where there is none.
    fn take_own(&mut self) -> Result<Option<Told>, Status> {
        match self.caught.take() {
            Some(Ok(entry)) => {
                self.backoff.reset();
                let is_told = self.pass(&entry);
                return Ok(is_told.then(|| Told::Entry(Arc::new(entry))));
            }
            Some(Err(status)) if status.code() == Code::OutOfRange => {
                return Err(self.refused(&status));
            }
            Some(Err(_)) => {
                let wait = self.backoff.next();
                self.own = Some(self.catch_up(wait));
            }
            None if self.own.is_none() => {
                self.own = Some(self.catch_up(Duration::ZERO));
            }
            None => {}
        }
        Ok(None)
    }

    /// The feed from where it stands, after a while, and once there is a place for it.
    ///
    /// A task of its own reads it: who no longer takes what it reads gives the place up, and asks for one again when
    /// they go on.
    fn catch_up(&self, wait: Duration) -> mpsc::Receiver<Result<Entry, Status>> {
        let Way {
            services,
            pair,
            places,
        } = self.way.clone();
        let which = self.which;
        let after = self.point.unwrap_or(Point::START).position;
        let (tell, told) = mpsc::channel(1);
        tokio::spawn(async move {
            let turn = async {
                tokio::time::sleep(wait).await;
                places.acquire_owned().await
            };
            let _place = tokio::select! {
                place = turn => place,
                () = tell.closed() => return,
            };
            let entries = upstream::watch(services, which, pair, after);
            // Then others have their turn.
            drop(tokio::time::timeout(TURN, pump(entries, &tell)).await);
        });
        told
    }

    /// Waits until there may be something to tell. Dropping the future loses nothing.
    pub(crate) async fn wait(&mut self) {
        let Some(own) = &mut self.own else {
            // The sender lives in the tail.
            drop(self.changed.changed().await);
            return;
        };
        if self.caught.is_some() {
            return;
        }
        tokio::select! {
            changed = self.changed.changed() => drop(changed),
            next = own.recv() => {
                let ended = || Err(Status::unavailable("the feed ended"));
                self.caught = Some(next.unwrap_or_else(ended));
            }
        }
    }

    /// An error that ends the watch, with whose it is.
    fn refused(&self, status: &Status) -> Status {
        let message = format!("{}: {}", self.which.name(), status.message());
        Status::with_details(status.code(), message, status.details().to_vec().into())
    }
}

/// Passes on what comes until nobody takes it any more.
async fn pump(mut entries: Entries, tell: &mpsc::Sender<Result<Entry, Status>>) {
    loop {
        let next = tokio::select! {
            next = entries.next() => next,
            () = tell.closed() => return,
        };
        let Some(entry) = next else {
            return;
        };
        let taken = tokio::time::timeout(PATIENCE, tell.send(entry)).await;
        if !matches!(taken, Ok(Ok(()))) {
            return;
        }
    }
}
