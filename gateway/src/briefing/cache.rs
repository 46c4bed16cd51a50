//! Briefings that were made, by what was asked and where the services stood.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use metrics::{Counter, counter};
use moka::future::Cache as Kept;
use prost::Message;
use proto::gateway::v1::Briefing;
use tokio::sync::Semaphore;
use tonic::Status;

use super::outcome::Positions;
use super::query::Query;
use crate::ask::Asking;

/// Bytes of the briefings that are kept.
const CAPACITY: u64 = 64 << 20;
/// How many times as much a briefing takes in memory as it takes on the wire: it is many small texts.
const IN_MEMORY: usize = 6;
/// How long one is kept after it was last asked for.
const IDLE: Duration = Duration::from_secs(600);
/// Briefings that are made side by side by those who waited in vain for another's.
const MAX_OWN: usize = 4;

type Key = (Arc<Query>, Positions);

/// Whole answers; one in which a service is missing is nobody's but the caller's who had it made.
#[derive(Debug)]
pub(crate) struct Cache {
    kept: Kept<Key, Arc<Briefing>>,
    turns: Semaphore,
    counts: Counts,
}

/// How briefings were come by.
#[derive(Debug)]
struct Counts {
    hit: Counter,
    shared: Counter,
    miss: Counter,
    unkept: Counter,
    failed: Counter,
}

impl Counts {
    fn new() -> Counts {
        let counter = |outcome| counter!("entente_briefing_cache_total", "outcome" => outcome);
        Counts {
            hit: counter("hit"),
            shared: counter("shared"),
            miss: counter("miss"),
            unkept: counter("unkept"),
            failed: counter("failed"),
        }
    }

    /// Where one is counted that is kept, made by its caller or by another.
    fn kept(&self, is_own: bool) -> &Counter {
        if is_own { &self.miss } else { &self.shared }
    }
}

/// Why a briefing is not kept.
#[derive(Debug)]
enum Unkept {
    /// A service is missing.
    Partial(Arc<Briefing>),
    Failed(Status),
}

impl Unkept {
    /// What its caller gets.
    fn briefing(&self) -> Result<Arc<Briefing>, Status> {
        match self {
            Unkept::Partial(briefing) => Ok(Arc::clone(briefing)),
            Unkept::Failed(status) => Err(status.clone()),
        }
    }
}

impl Cache {
    pub(crate) fn new() -> Cache {
        let kept = Kept::builder()
            .max_capacity(CAPACITY)
            .weigher(|_, briefing: &Arc<Briefing>| {
                u32::try_from(briefing.encoded_len() * IN_MEMORY).unwrap_or(u32::MAX)
            })
            .time_to_idle(IDLE)
            .build();
        Cache {
            kept,
            turns: Semaphore::new(MAX_OWN),
            counts: Counts::new(),
        }
    }

    /// Counts a briefing that was made and is not to be kept, or was not made.
    pub(crate) fn pass_by<T>(&self, made: Result<T, Status>) -> Result<T, Status> {
        let counter = match made {
            Ok(_) => &self.counts.unkept,
            Err(_) => &self.counts.failed,
        };
        counter.increment(1);
        made
    }

    /// The briefing under a key, made when it is not there. Whoever asks for it meanwhile waits for the same one, for
    /// half of their own time at most; if that comes to nothing, for want of time perhaps, they make their own.
    pub(crate) async fn get<'a>(
        &self,
        key: Key,
        asking: &Asking,
        make: impl Fn() -> BoxFuture<'a, Result<Briefing, Status>>,
    ) -> Result<Arc<Briefing>, Status> {
        if let Some(briefing) = self.kept.get(&key).await {
            self.counts.hit.increment(1);
            return Ok(briefing);
        }
        let is_own = AtomicBool::new(false);
        let mut kept = pin!(self.kept.try_get_with(key, async {
            is_own.store(true, Ordering::Relaxed);
            keep(make().await)
        }));
        let half = tokio::time::timeout(asking.half_time(), &mut kept).await;
        let is_own = is_own.load(Ordering::Relaxed);
        let kept = match half {
            Ok(kept) => Some(kept),
            Err(_) if is_own => Some(kept.await),
            Err(_) => None,
        };
        match kept {
            Some(Ok(briefing)) => {
                self.counts.kept(is_own).increment(1);
                Ok(briefing)
            }
            Some(Err(unkept)) if is_own => self.pass_by(unkept.briefing()),
            Some(Err(_)) | None => self.pass_by(self.make_own(make()).await),
        }
    }

    /// Makes what nobody else waits for: a few at a time, since all who waited for one come here together.
    async fn make_own(
        &self,
        making: BoxFuture<'_, Result<Briefing, Status>>,
    ) -> Result<Arc<Briefing>, Status> {
        let _turn = self.turns.acquire().await;
        making.await.map(Arc::new)
    }
}

fn keep(made: Result<Briefing, Status>) -> Result<Arc<Briefing>, Unkept> {
    let briefing = Arc::new(made.map_err(Unkept::Failed)?);
    if briefing.unreachable.is_empty() {
        return Ok(briefing);
    }
    Err(Unkept::Partial(briefing))
}
