//! The replicas of a service, and the choice among them.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use chassis::ClientTls;
use futures_util::future::join_all;
use metrics::{Counter, counter, gauge};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::address::Address;
use super::budget::Budget;
use super::connection::Connection;
use super::failure::Failure;
use super::replica::{Kind, Replica};
use crate::vitals::short;

/// Pause between two look-ups of the same name.
const LOOKUP_PAUSE: Duration = Duration::from_secs(5);
/// The same while none of the replicas serves: one that was made anew may have another place.
const LOST_PAUSE: Duration = Duration::from_millis(500);
/// How long a call waits at most for a replica that is being connected to: a little longer than an attempt takes,
/// which ends the waiting when it fails.
const HOPE: Duration = Duration::from_secs(3);
/// The same when all were found failing, and are tried again for this call: one may have started since.
const LAST_HOPE: Duration = Duration::from_secs(1);

/// The replicas of a service. Dropped, they are let go.
#[derive(Debug)]
pub(super) struct Pool {
    shared: Arc<Shared>,
    following: JoinHandle<()>,
    pub(super) budget: Budget,
    pub(super) retries: Counter,
}

#[derive(Debug)]
struct Shared {
    service: &'static str,
    tls: Option<ClientTls>,
    members: RwLock<Vec<Member>>,
    /// Whether nobody wants members any more; changed with them locked.
    closed: AtomicBool,
    turn: AtomicUsize,
    changed: Notify,
    reached: watch::Sender<bool>,
    /// Whether the addresses were looked up before.
    looked_up: AtomicBool,
}

/// A replica and the task that keeps it.
#[derive(Debug)]
struct Member {
    replica: Arc<Replica>,
    keeping: JoinHandle<()>,
}

/// Where a call goes.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) replica: Arc<Replica>,
    pub(super) connection: Arc<Connection>,
}

/// What there is to choose from at a moment.
enum Found {
    Choice(Choice),
    /// One may come in a moment.
    Hope,
    Nothing,
}

/// How much better it is to choose one replica than another: the smaller, the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// It is well: those with few calls first.
    Well(usize),
    /// It was tried for this call before.
    Tried(usize),
    /// It is left out: those that have been for longest first.
    Out(Instant),
    /// It was not well when it was last asked.
    Unwell,
}

impl Pool {
    pub(super) fn start(
        service: &'static str,
        addresses: Vec<Address>,
        tls: Option<ClientTls>,
    ) -> Pool {
        let shared = Arc::new(Shared {
            service,
            tls,
            members: RwLock::default(),
            closed: AtomicBool::new(false),
            turn: AtomicUsize::new(0),
            changed: Notify::new(),
            reached: watch::Sender::new(false),
            looked_up: AtomicBool::new(false),
        });
        // There before the first replica is, so that the first time is seen as one more.
        counter!("entente_backend_ejections_total", "backend" => short(service)).increment(0);
        Pool {
            following: tokio::spawn(follow(shared.clone(), addresses)),
            shared,
            budget: Budget::new(),
            retries: counter!("entente_backend_retries_total", "backend" => short(service)),
        }
    }

    /// Says how its replicas are, and what may be tried again.
    pub(super) fn report(&self) {
        let backend = short(self.shared.service);
        let members = self.shared.read();
        members
            .iter()
            .for_each(|member| member.replica.report(backend));
        let reached = *self.shared.reached.borrow();
        gauge!("entente_backend_reached", "backend" => backend).set(u8::from(reached));
        let left = u32::try_from(self.budget.left()).unwrap_or(u32::MAX);
        gauge!("entente_backend_retry_budget", "backend" => backend).set(left);
    }

    /// Whether a replica serves.
    pub(super) fn reached(&self) -> watch::Receiver<bool> {
        self.shared.reached.subscribe()
    }

    /// All replicas, in the order of their places.
    pub(super) fn replicas(&self) -> Vec<Arc<Replica>> {
        let members = self.shared.read();
        let mut replicas: Vec<_> = members.iter().map(|one| one.replica.clone()).collect();
        replicas.sort_by_key(|replica| replica.place());
        replicas
    }

    /// Chooses a replica, another than `tried` if there is one.
    pub(super) async fn choose(
        &self,
        kind: Kind,
        tried: Option<&Replica>,
    ) -> Result<Choice, Failure> {
        match self.shared.find(kind, tried) {
            Found::Choice(choice) => Ok(choice),
            Found::Hope | Found::Nothing => self.wait(kind, tried).await,
        }
    }

    /// Whether there is a replica besides this one that calls should go to.
    pub(super) fn has_other(&self, than: &Replica) -> bool {
        let members = self.shared.read();
        let others = members.iter().map(|member| &*member.replica);
        others
            .filter(|other| !std::ptr::eq(*other, than))
            .any(Replica::is_well)
    }

    async fn wait(&self, kind: Kind, tried: Option<&Replica>) -> Result<Choice, Failure> {
        let limit = self.shared.hope();
        let waiting = async {
            let mut tried_again = false;
            loop {
                let mut changed = pin!(self.shared.changed.notified());
                changed.as_mut().enable();
                match self.shared.find(kind, tried) {
                    Found::Choice(choice) => return Ok(choice),
                    Found::Hope => changed.await,
                    // The last one may have gone while this call waited for it, and another may be back by now.
                    Found::Nothing if !tried_again => {
                        tried_again = true;
                        self.shared.await_again();
                    }
                    Found::Nothing => return Err(self.shared.nothing()),
                }
            }
        };
        let waited = tokio::time::timeout(limit, waiting).await;
        waited.unwrap_or_else(|_| Err(self.shared.nothing()))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.following.abort();
        self.shared.close();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

impl Shared {
    /// Waits for the time of the next look-up.
    async fn pause(&self) {
        let mut reached = self.reached.subscribe();
        let lost = async {
            // It cannot fail: who sends it is this one.
            drop(reached.wait_for(|reached| !reached).await);
            tokio::time::sleep(LOST_PAUSE).await;
        };
        // Whichever ends first, it is time.
        drop(tokio::time::timeout(LOOKUP_PAUSE, lost).await);
    }

    fn find(&self, kind: Kind, tried: Option<&Replica>) -> Found {
        let members = self.read();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let (before, after) = members.split_at(turn.checked_rem(members.len()).unwrap_or(0));
        let in_turn = after.iter().chain(before).map(|member| &member.replica);
        let best = match &members[..] {
            [only] => Some(&only.replica),
            _ => in_turn.clone().min_by_key(|replica| rank(replica, tried)),
        };
        if let Some(choice) = best.and_then(|best| Choice::of(best, kind)) {
            return Found::Choice(choice);
        }
        let mut rest: Vec<_> = in_turn.clone().collect();
        rest.sort_by_key(|replica| rank(replica, tried));
        if let Some(choice) = rest.iter().find_map(|replica| Choice::of(replica, kind)) {
            return Found::Choice(choice);
        }
        let early = !self.looked_up.load(Ordering::Relaxed);
        if early || rest.iter().any(|replica| replica.is_hopeful()) {
            return Found::Hope;
        }
        Found::Nothing
    }

    /// How long it is worth waiting.
    fn hope(&self) -> Duration {
        let members = self.read();
        let mut replicas = members.iter().map(|member| &member.replica);
        let all_fail = replicas.all(|replica| replica.is_failing());
        if all_fail && !members.is_empty() {
            return LAST_HOPE;
        }
        HOPE
    }

    /// Has all replicas tried again soon.
    fn await_again(&self) {
        let members = self.read();
        members
            .iter()
            .for_each(|member| member.replica.await_again());
    }

    /// Why there is nothing to choose from.
    fn nothing(&self) -> Failure {
        if *self.reached.borrow() {
            return Failure::Full;
        }
        Failure::Nowhere
    }

    /// Takes up what the addresses lead to, and lets the others go.
    fn follow(self: &Arc<Self>, found: HashMap<SocketAddr, Address>) {
        let mut members = self.write();
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        members.retain(|member| found.contains_key(&member.replica.place()));
        for (place, address) in found {
            if !members.iter().any(|member| member.replica.place() == place) {
                members.push(self.member(&address, place));
            }
        }
        drop(members);
        self.looked_up.store(true, Ordering::Relaxed);
        self.tell();
    }

    /// Lets all go, for good: a look-up that just ended on another thread brings none back.
    fn close(&self) {
        let mut members = self.write();
        self.closed.store(true, Ordering::Relaxed);
        members.clear();
    }

    fn member(self: &Arc<Self>, address: &Address, place: SocketAddr) -> Member {
        let replica = Arc::new(Replica::new(address, place, self.service, self.tls.clone()));
        let (kept, shared) = (replica.clone(), self.clone());
        let keeping = tokio::spawn(async move { kept.keep(|| shared.tell()).await });
        Member { replica, keeping }
    }

    /// What an address led to until now.
    fn known(&self, address: &Address) -> Vec<SocketAddr> {
        let members = self.read();
        let replicas = members.iter().map(|member| &member.replica);
        let known = replicas.filter(|replica| replica.address() == address);
        known.map(|replica| replica.place()).collect()
    }

    /// Tells whoever waits or watches that something has changed.
    fn tell(&self) {
        let reached = self.read().iter().any(|member| member.replica.is_reached());
        self.reached
            .send_if_modified(|before| std::mem::replace(before, reached) != reached);
        self.changed.notify_waiters();
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Member>> {
        self.members.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Member>> {
        self.members.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rank(replica: &Replica, tried: Option<&Replica>) -> Rank {
    if !replica.is_reached() {
        return Rank::Unwell;
    }
    if !replica.is_well() {
        return Rank::Out(replica.out_until());
    }
    if tried.is_some_and(|tried| std::ptr::eq(tried, replica)) {
        return Rank::Tried(replica.load());
    }
    Rank::Well(replica.load())
}

impl Choice {
    /// A connection of this replica, if it has one with a place.
    pub(super) fn of(replica: &Arc<Replica>, kind: Kind) -> Option<Choice> {
        Some(Choice {
            connection: replica.connection(kind)?,
            replica: replica.clone(),
        })
    }
}

/// Follows names to wherever they lead, for as long as it is polled.
async fn follow(shared: Arc<Shared>, addresses: Vec<Address>) {
    let mut failing = HashSet::new();
    loop {
        let mut found = HashMap::new();
        let looked_up = join_all(addresses.iter().map(Address::resolve)).await;
        for (address, places) in addresses.iter().zip(looked_up) {
            let places = match places {
                Ok(places) => {
                    failing.remove(address);
                    places
                }
                Err(error) => {
                    if failing.insert(address) {
                        tracing::warn!(%address, %error, "an address leads nowhere");
                    }
                    shared.known(address)
                }
            };
            found.extend(places.into_iter().map(|place| (place, address.clone())));
        }
        shared.follow(found);
        if !addresses.iter().any(Address::is_name) {
            return;
        }
        shared.pause().await;
    }
}
