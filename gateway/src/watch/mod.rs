//! What is recorded of a pair as it is recorded, of all services in one stream with one cursor.
//!
//! # Layout
//!
//! * `upstream.rs`: the feed of a service, whichever it is.
//! * `tail.rs`: its end, which all who watch a pair share. `lane.rs`: one service's part of a watch.

mod lane;
mod tail;
mod upstream;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use chassis::{Shutdown, telemetry};
use futures_util::future::select_all;
use futures_util::{Stream, StreamExt, stream};
use metrics::gauge;
use proto::error::v1::ErrorReason;
use proto::gateway::v1::{WatchRelationshipRequest, WatchRelationshipResponse};
use proto::{Country, Violations, status_retry, to_timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status};

use crate::ask::Services;
use crate::asked::pair;
use crate::backoff::Backoff;
use crate::cursor::Cursor;
use crate::which::Which;
use lane::{Lane, Told, Way};
use tail::Tail;
use upstream::Changes;

/// Watchers at a time: each holds a place among the calls of the listener.
const MAX_WATCHERS: usize = 2_048;
/// Pairs that are watched at a time: each is a stream of each service.
const MAX_PAIRS: usize = 64;
/// Feeds that are followed at a time to catch up; others wait for their turn.
const MAX_CATCHING_UP: usize = 32;
/// How often a quiet watch says where it stands.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// Pauses before a service that was lost is asked again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The messages of a watch.
pub(crate) type Messages =
    Pin<Box<dyn Stream<Item = Result<WatchRelationshipResponse, Status>> + Send>>;

/// A watch that is asked for.
#[derive(Debug)]
pub(crate) struct Query {
    pair: [Country; 2],
    cursor: Cursor,
    which: Vec<Which>,
}

impl TryFrom<WatchRelationshipRequest> for Query {
    type Error = Violations;

    fn try_from(request: WatchRelationshipRequest) -> Result<Query, Violations> {
        let WatchRelationshipRequest {
            country,
            partner,
            cursor,
            from_beginning,
            services,
        } = request;
        let mut violations = Violations::new();
        let pair = pair(&country, &partner, &mut violations);
        if from_beginning && !cursor.is_empty() {
            violations.push("from_beginning", "is given only without a cursor");
        }
        let cursor = match &cursor[..] {
            "" if from_beginning => Some(Cursor::START),
            "" => Some(Cursor::default()),
            text => violations.check("cursor", Cursor::parse(text)),
        };
        let which = parse_services(&services, &mut violations);
        let (Some(pair), Some(cursor)) = (pair, cursor) else {
            return Err(violations);
        };
        violations.into_result(Query {
            pair,
            cursor,
            which,
        })
    }
}

fn parse_services(names: &[String], violations: &mut Violations) -> Vec<Which> {
    if names.is_empty() {
        return Which::ALL.to_vec();
    }
    let mut services = Vec::new();
    for (at, name) in names.iter().enumerate() {
        match Which::find(name) {
            Some(which) if services.contains(&which) => {
                violations.push(format!("services[{at}]"), "twice");
            }
            Some(which) => services.push(which),
            None => violations.push(format!("services[{at}]"), "is no service"),
        }
    }
    services
}

/// All watches of a gateway.
#[derive(Debug)]
pub(crate) struct Watches {
    services: Services,
    shutdown: Shutdown,
    places: Arc<Semaphore>,
    catching_up: Arc<Semaphore>,
    pairs: Mutex<HashMap<[Country; 2], Weak<Tails>>>,
}

/// The ends of the feeds of a pair, followed as long as somebody watches it.
#[derive(Debug)]
struct Tails {
    of: [Arc<Tail>; 3],
    following: [AbortHandle; 3],
}

impl Tails {
    fn follow(services: &Services, pair: [Country; 2]) -> Tails {
        let of = Which::ALL.map(|_| Arc::new(Tail::new()));
        let following = Which::ALL.map(|which| {
            let tail = Arc::clone(&of[which.place()]);
            tokio::spawn(tail::follow(tail, services.clone(), which, pair)).abort_handle()
        });
        Tails { of, following }
    }
}

impl Drop for Tails {
    fn drop(&mut self) {
        self.following.iter().for_each(AbortHandle::abort);
    }
}

impl Watches {
    pub(crate) fn new(services: Services, shutdown: Shutdown) -> Watches {
        Watches {
            services,
            shutdown,
            places: Arc::new(Semaphore::new(MAX_WATCHERS)),
            catching_up: Arc::new(Semaphore::new(MAX_CATCHING_UP)),
            pairs: Mutex::default(),
        }
    }

    /// Says how many watch, and how much.
    pub(crate) fn report(&self) {
        let watchers = MAX_WATCHERS.saturating_sub(self.places.available_permits());
        gauge!("entente_watchers").set(telemetry::float(watchers));
        let pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = pairs.values().filter(|tails| tails.strong_count() > 0);
        gauge!("entente_watched_pairs").set(telemetry::float(watched.count()));
    }

    /// Watches a pair.
    ///
    /// # Errors
    /// That there are too many watchers, or too many pairs.
    pub(crate) fn watch(&self, query: &Query) -> Result<Messages, Status> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| too_many("watchers"))?;
        let tails = self.tails(query.pair)?;
        let way = Way {
            services: self.services.clone(),
            pair: query.pair,
            places: Arc::clone(&self.catching_up),
        };
        let lane = |which: &Which| {
            let tail = Arc::clone(&tails.of[which.place()]);
            Lane::new(*which, tail, query.cursor.0[which.place()], way.clone())
        };
        let watcher = Watcher {
            lanes: query.which.iter().map(lane).collect(),
            cursor: query.cursor,
            turn: 0,
            has_greeted: false,
            quiet_until: Instant::now() + SIGN_OF_LIFE,
            _tails: tails,
            _place: place,
        };
        let messages = stream::try_unfold(watcher, async |mut watcher| {
            let message = watcher.next().await?;
            Ok(Some((message, watcher)))
        });
        let stopping = stream::once(async { Err(stopping()) });
        let until_stop = messages.take_until(self.shutdown.wait()).chain(stopping);
        Ok(Box::pin(until_stop))
    }

    fn tails(&self, pair: [Country; 2]) -> Result<Arc<Tails>, Status> {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tails) = pairs.get(&pair).and_then(Weak::upgrade) {
            // A feed that failed is not followed any more; who comes now finds out for themselves.
            let has_failed = tails.of.iter().any(|tail| tail.state().failed.is_some());
            if !has_failed {
                return Ok(tails);
            }
        }
        pairs.retain(|_, tails| tails.strong_count() > 0);
        if pairs.len() >= MAX_PAIRS {
            return Err(too_many("pairs that are watched"));
        }
        let tails = Arc::new(Tails::follow(&self.services, pair));
        pairs.insert(pair, Arc::downgrade(&tails));
        Ok(tails)
    }
}

fn backoff() -> Backoff {
    Backoff::new(FIRST_PAUSE, LONGEST_PAUSE)
}

fn too_many(what: &str) -> Status {
    let message = format!("too many {what}; try again in a moment");
    status_retry(
        Code::ResourceExhausted,
        ErrorReason::Overloaded,
        message,
        Duration::from_secs(1),
    )
}

fn stopping() -> Status {
    status_retry(
        Code::Unavailable,
        ErrorReason::ShuttingDown,
        "the gateway is stopping",
        Duration::from_secs(1),
    )
}

/// A watch under way.
struct Watcher {
    lanes: Vec<Lane>,
    /// All that was told is before it, and nothing else.
    cursor: Cursor,
    /// The lane whose turn is next.
    turn: usize,
    /// Whether it was said where it begins.
    has_greeted: bool,
    /// When it says again where it stands.
    quiet_until: Instant,
    _tails: Arc<Tails>,
    _place: OwnedSemaphorePermit,
}

impl Watcher {
    async fn next(&mut self) -> Result<WatchRelationshipResponse, Status> {
        loop {
            if let Some(message) = self.ready()? {
                self.quiet_until = Instant::now() + SIGN_OF_LIFE;
                return Ok(message);
            }
            let waits = self.lanes.iter_mut().map(|lane| Box::pin(lane.wait()));
            let is_quiet = timeout_at(self.quiet_until, select_all(waits))
                .await
                .is_err();
            if is_quiet {
                self.quiet_until = Instant::now() + SIGN_OF_LIFE;
                return Ok(self.here());
            }
        }
    }

    /// What is told next, each lane in its turn.
    fn ready(&mut self) -> Result<Option<WatchRelationshipResponse>, Status> {
        let lanes = self.lanes.len();
        for turn in self.turn..self.turn + lanes {
            let lane = &mut self.lanes[turn % lanes];
            if let Some(told) = lane.next()? {
                let which = lane.which;
                self.turn = (turn + 1) % lanes;
                return Ok(Some(self.tell(which, told)));
            }
        }
        if !self.has_greeted && self.lanes.iter().all(|lane| lane.point.is_some()) {
            return Ok(Some(self.here()));
        }
        Ok(None)
    }

    /// Where the watch stands.
    fn here(&mut self) -> WatchRelationshipResponse {
        for lane in &self.lanes {
            self.cursor.0[lane.which.place()] = lane.point;
        }
        self.has_greeted = true;
        WatchRelationshipResponse {
            cursor: self.cursor.encode(),
            ..WatchRelationshipResponse::default()
        }
    }

    fn tell(&mut self, which: Which, told: Told) -> WatchRelationshipResponse {
        let mut message = self.here();
        which.name().clone_into(&mut message.service);
        match told {
            Told::Entry(entry) => {
                message.position = entry.position;
                message.commit_time = entry.time.map(to_timestamp);
                match entry.changes.clone() {
                    Changes::Trade(changes) => message.trade = changes,
                    Changes::Events(changes) => message.events = changes,
                    Changes::Culture(changes) => message.culture = changes,
                }
            }
            Told::Lost(lost) => message.lost = Some(lost),
            Told::Back => message.back = true,
        }
        message
    }
}
