//! One process of a service: its connections, and whether it is well.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chassis::{ClientTls, telemetry};
use metrics::{Counter, Label, counter, gauge};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::address::Address;
use super::check::Check;
use super::connection::Connection;
use super::eject::Ejection;
use super::failure::Failure;
use crate::backoff::Backoff;
use crate::vitals::short;

/// Pause between two questions for the health.
const CHECK_PAUSE: Duration = Duration::from_secs(2);
const CHECK_LIMIT: Duration = Duration::from_secs(1);
/// How long a connection may take until the first answer over it.
const OPEN_LIMIT: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Connections for calls from the start: two, so that two cores can read and write at a time.
const FOR_CALLS: usize = 2;
const FOR_UPLOADS: usize = 1;
/// Connections of a kind to one replica at most.
const MOST: usize = 16;
/// Places on a connection for uploads, of which each takes two, above which another one is opened: uploads that a
/// service is slow to take fill the window of their connection, and hold up whatever else is sent on it.
const CROWDED: usize = 6;

/// What a call sends, which decides on the connections that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A message that is sent at once.
    Whole,
    /// As much as may come.
    Piped,
}

/// One process of a service.
#[derive(Debug)]
pub(super) struct Replica {
    address: Address,
    place: SocketAddr,
    tls: Option<ClientTls>,
    check: Check,
    calls: Lane,
    uploads: Lane,
    serving: AtomicBool,
    failing: AtomicBool,
    /// Whether a call waits for it although it was found failing, and whether it is just being tried.
    awaited: AtomicBool,
    trying: AtomicBool,
    ejection: Ejection,
    ejections: Counter,
    needy: Arc<Notify>,
}

/// Connections that carry one kind of calls.
#[derive(Debug)]
struct Lane {
    connections: RwLock<Vec<Arc<Connection>>>,
    wanted: AtomicUsize,
    /// Calls on each connection above which another one is opened; none means half of its places.
    crowded: Option<usize>,
}

impl Replica {
    pub(super) fn new(
        address: &Address,
        place: SocketAddr,
        service: &'static str,
        tls: Option<ClientTls>,
    ) -> Replica {
        Replica {
            tls,
            check: Check::new(address, service),
            address: address.clone(),
            place,
            calls: Lane::new(FOR_CALLS, None),
            uploads: Lane::new(FOR_UPLOADS, Some(CROWDED)),
            serving: AtomicBool::new(false),
            failing: AtomicBool::new(false),
            awaited: AtomicBool::new(false),
            trying: AtomicBool::new(false),
            ejection: Ejection::new(),
            ejections: counter!("entente_backend_ejections_total", "backend" => short(service)),
            needy: Arc::default(),
        }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn place(&self) -> SocketAddr {
        self.place
    }

    /// Whether calls should go to it.
    pub(super) fn is_well(&self) -> bool {
        self.is_reached() && !self.ejection.is_out()
    }

    /// Whether it says that it serves.
    pub(super) fn is_reached(&self) -> bool {
        self.serving.load(Ordering::Relaxed)
    }

    /// Whether it may be well in a moment: it was not found failing, or is just being tried again.
    pub(super) fn is_hopeful(&self) -> bool {
        let again = [&self.awaited, &self.trying];
        !self.is_failing() || again.iter().any(|flag| flag.load(Ordering::Relaxed))
    }

    /// Whether it was not well when it was last tried.
    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// Has it tried again soon, for a call that has nowhere else to go.
    pub(super) fn await_again(&self) {
        if !self.awaited.swap(true, Ordering::Relaxed) {
            self.needy.notify_one();
        }
    }

    /// Says how it is.
    pub(super) fn report(&self, backend: &'static str) {
        let labels = [
            Label::new("backend", backend),
            Label::new("replica", self.place.to_string()),
        ];
        let set = |name: &'static str, value: usize| {
            gauge!(name, labels.iter()).set(telemetry::float(value));
        };
        set("entente_backend_calls_running", self.load());
        set(
            "entente_backend_connections",
            self.calls.count() + self.uploads.count(),
        );
        set("entente_backend_up", self.is_reached().into());
        set("entente_backend_ejected", self.ejection.is_out().into());
    }

    /// Until when it is left out.
    pub(super) fn out_until(&self) -> Instant {
        self.ejection.until()
    }

    /// How many calls it is at.
    pub(super) fn load(&self) -> usize {
        self.calls.load() + self.uploads.load()
    }

    /// A connection for a call.
    pub(super) fn connection(&self, kind: Kind) -> Option<Arc<Connection>> {
        let lane = match kind {
            Kind::Whole => &self.calls,
            Kind::Piped => &self.uploads,
        };
        let (connection, crowded) = lane.least();
        if crowded && lane.want_another() {
            self.needy.notify_one();
        }
        connection
    }

    /// A call was answered.
    pub(super) fn succeeded(&self) {
        self.ejection.succeeded();
    }

    /// A call was not answered, or with UNAVAILABLE.
    pub(super) fn failed(&self) {
        if self.ejection.failed() {
            self.ejections.increment(1);
            tracing::warn!(replica = %self.place, address = %self.address, "a replica is left out for a while");
        }
    }

    /// Keeps it connected and its health known, for as long as it is polled. `changed` is called after each change.
    pub(super) async fn keep(&self, changed: impl Fn()) {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            self.trying.store(true, Ordering::Relaxed);
            self.awaited.store(false, Ordering::Relaxed);
            if let Err(failure) = self.tend(&changed).await {
                self.note_failure(&failure);
            }
            self.trying.store(false, Ordering::Relaxed);
            changed();
            // Whoever closes what was just opened is not asked without a pause.
            tokio::time::sleep(FIRST_PAUSE).await;
            if self.is_reached() {
                backoff.reset();
                self.rest(CHECK_PAUSE).await;
            } else {
                self.rest(backoff.next()).await;
            }
        }
    }

    /// Waits until it is to be looked after again, or a connection is needed.
    async fn rest(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.needy.notified() => {}
        }
    }

    /// Opens what connections are missing, or asks for the health over one that is there.
    async fn tend(&self, changed: &impl Fn()) -> Result<(), Failure> {
        let mut opened = false;
        for lane in [&self.calls, &self.uploads] {
            // No more at a time than are missing now: what is lost at once waits for the next time.
            for _ in 0..lane.missing() {
                let (connection, serving) = match self.open().await {
                    Ok(open) => open,
                    // It has to do with those that it has.
                    Err(_) if lane.is_open() => break,
                    Err(failure) => return Err(failure),
                };
                lane.add(connection);
                self.note_health(serving);
                changed();
                opened = true;
            }
        }
        if !opened {
            self.note_health(self.ask().await?);
        }
        Ok(())
    }

    async fn open(&self) -> Result<(Arc<Connection>, bool), Failure> {
        let opening = async {
            let stream = self.address.connect(self.place, self.tls.as_ref()).await?;
            Connection::open(stream, &self.check, &self.needy).await
        };
        let opened = timeout(OPEN_LIMIT, opening).await;
        opened.map_err(|_| Failure::Silent)?
    }

    async fn ask(&self) -> Result<bool, Failure> {
        // Full or not: there are spare places for this question.
        let connection = self.calls.open().ok_or(Failure::Full)?;
        let asked = timeout(CHECK_LIMIT, connection.ask(&self.check)).await;
        let answer = asked.map_err(|_| Failure::Silent)?;
        if let Err(Failure::Broken(_) | Failure::Refused(_)) = answer {
            connection.give_up();
        }
        answer
    }

    fn note_health(&self, serving: bool) {
        self.failing.store(!serving, Ordering::Relaxed);
        let before = self.serving.swap(serving, Ordering::Relaxed);
        match (before, serving) {
            (false, true) => {
                tracing::info!(replica = %self.place, address = %self.address, "a replica serves");
            }
            (true, false) => {
                tracing::info!(replica = %self.place, address = %self.address, "a replica serves no more");
            }
            (true, true) | (false, false) => {}
        }
    }

    fn note_failure(&self, failure: &Failure) {
        let failing = self.failing.swap(true, Ordering::Relaxed);
        self.serving.store(false, Ordering::Relaxed);
        if !failing {
            tracing::warn!(replica = %self.place, address = %self.address, %failure, "a replica is lost");
        }
    }
}

impl Lane {
    fn new(wanted: usize, crowded: Option<usize>) -> Lane {
        Lane {
            connections: RwLock::default(),
            wanted: AtomicUsize::new(wanted),
            crowded,
        }
    }

    fn load(&self) -> usize {
        let connections = self.connections.read();
        let connections = connections.unwrap_or_else(PoisonError::into_inner);
        connections.iter().map(|connection| connection.load()).sum()
    }

    /// How many connections there are.
    fn count(&self) -> usize {
        let connections = self.connections.read();
        let connections = connections.unwrap_or_else(PoisonError::into_inner);
        let open = connections
            .iter()
            .filter(|connection| !connection.is_lost());
        open.count()
    }

    /// The connection with the fewest calls, if it has a place, and whether it has as many as it should.
    fn least(&self) -> (Option<Arc<Connection>>, bool) {
        let connections = self.connections.read();
        let connections = connections.unwrap_or_else(PoisonError::into_inner);
        let Some(least) = least_of(&connections) else {
            return (None, false);
        };
        let (load, places) = (least.load(), least.places());
        let crowded = load >= self.crowded.unwrap_or(places / 2);
        ((load < places).then(|| least.clone()), crowded)
    }

    /// A connection that is not lost, be it full.
    fn open(&self) -> Option<Arc<Connection>> {
        let connections = self.connections.read();
        let connections = connections.unwrap_or_else(PoisonError::into_inner);
        least_of(&connections).cloned()
    }

    /// Whether one more will be opened.
    fn want_another(&self) -> bool {
        let wanted = self.wanted.load(Ordering::Relaxed);
        wanted < MOST && self.missing() == 0 && {
            self.wanted.store(wanted + 1, Ordering::Relaxed);
            true
        }
    }

    /// How many connections are missing; those that were lost are let go.
    fn missing(&self) -> usize {
        let mut connections = self
            .connections
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        connections.retain(|connection| !connection.is_lost());
        let wanted = self.wanted.load(Ordering::Relaxed);
        wanted.saturating_sub(connections.len())
    }

    fn is_open(&self) -> bool {
        self.open().is_some()
    }

    fn add(&self, connection: Arc<Connection>) {
        let mut connections = self
            .connections
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        connections.push(connection);
    }
}

fn least_of(connections: &[Arc<Connection>]) -> Option<&Arc<Connection>> {
    let open = connections.iter().filter(|one| !one.is_lost());
    open.min_by_key(|one| one.load())
}
