//! How many calls run at once. Above the limit a call is answered at once instead of queued: a queue
//! only makes everyone late.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proto::error::v1::ErrorReason;
use tonic::{Code, Status};

use crate::telemetry::{self, OVERLOADED, WATCHERS};

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Neither needs a login, so neither may take the places of calls that do. An overloaded process that fails its health
/// check is restarted, and its load falls on the others: a check, which has a deadline, is always answered.
const CHECK: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";
/// Those who watch the health at a time.
const MAX_WATCHING: usize = 256;

#[derive(Debug)]
pub(super) struct Limit {
    running: Arc<AtomicUsize>,
    checking: Arc<AtomicUsize>,
    watching: Arc<AtomicUsize>,
    max: usize,
}

/// A place among the calls that run, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit(Arc<AtomicUsize>);

impl Limit {
    pub(super) fn new(max: usize) -> Self {
        Self {
            running: Arc::default(),
            checking: Arc::default(),
            watching: Arc::default(),
            max,
        }
    }

    pub(super) fn running(&self) -> usize {
        let all = [&self.running, &self.checking, &self.watching];
        all.iter().map(|some| some.load(Ordering::Relaxed)).sum()
    }

    pub(super) fn admit(&self, path: &str) -> Result<Permit, Status> {
        match path {
            CHECK => Ok(Permit::new(&self.checking).0),
            WATCH => take(&self.watching, MAX_WATCHING).ok_or_else(too_many_watchers),
            _ => take(&self.running, self.max).ok_or_else(overloaded),
        }
    }

    /// How many calls may run.
    pub(super) fn max(&self) -> usize {
        self.max
    }
}

fn take(running: &Arc<AtomicUsize>, max: usize) -> Option<Permit> {
    let (permit, before) = Permit::new(running);
    (before < max).then_some(permit)
}

impl Permit {
    /// One more place, and how many were taken before.
    fn new(running: &Arc<AtomicUsize>) -> (Permit, usize) {
        let before = running.fetch_add(1, Ordering::Relaxed);
        (Permit(Arc::clone(running)), before)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn overloaded() -> Status {
    telemetry::refused(OVERLOADED);
    shed("too many calls run in this process")
}

fn too_many_watchers() -> Status {
    telemetry::refused(WATCHERS);
    shed("too many watch the health of this process")
}

fn shed(why: &str) -> Status {
    proto::status_retry(
        Code::ResourceExhausted,
        ErrorReason::Overloaded,
        why,
        RETRY_AFTER,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_above_the_limit_is_shed_until_another_ends() {
        let limit = Limit::new(2);
        let first = limit.admit("/trade/Get").unwrap();
        let _second = limit.admit("/trade/Get").unwrap();
        let shed = limit.admit("/trade/Get").unwrap_err();
        assert_eq!(shed.code(), Code::ResourceExhausted);
        assert_eq!(limit.running(), 2);
        drop(first);
        assert!(limit.admit("/trade/Get").is_ok());
    }

    #[test]
    fn a_health_check_is_answered_under_load() {
        let limit = Limit::new(0);
        assert!(limit.admit("/trade/Get").is_err());
        assert!(limit.admit(CHECK).is_ok());
    }

    #[test]
    fn who_asks_for_the_health_takes_no_place_of_a_call() {
        let limit = Limit::new(1);
        let watching: Vec<Permit> = (0..MAX_WATCHING)
            .map(|_| limit.admit(WATCH).unwrap())
            .collect();
        assert!(limit.admit(WATCH).is_err());
        let _check = limit.admit(CHECK).unwrap();
        assert!(limit.admit("/trade/Get").is_ok());
        assert_eq!(limit.running(), watching.len() + 1);
    }
}
