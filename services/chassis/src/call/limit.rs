//! How many calls run at once. Above the limit a call is answered at once instead of queued: a queue
//! only makes everyone late.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proto::error::v1::ErrorReason;
use tonic::{Code, Status};

use crate::telemetry;

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// An overloaded process that fails its health check is restarted, and its load falls on the others.
const ALWAYS_ADMITTED: &str = "/grpc.health.v1.Health/Check";

#[derive(Debug)]
pub(super) struct Limit {
    running: Arc<AtomicUsize>,
    max: usize,
}

/// A place among the calls that run, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit(Arc<AtomicUsize>);

impl Limit {
    pub(super) fn new(max: usize) -> Self {
        Self {
            running: Arc::default(),
            max,
        }
    }

    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    pub(super) fn admit(&self, path: &str) -> Result<Permit, Status> {
        let before = self.running.fetch_add(1, Ordering::Relaxed);
        let permit = Permit(self.running.clone());
        if before < self.max || path == ALWAYS_ADMITTED {
            return Ok(permit);
        }
        Err(overloaded())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn overloaded() -> Status {
    telemetry::refused("overloaded");
    proto::status_retry(
        Code::ResourceExhausted,
        ErrorReason::Overloaded,
        "too many calls run in this process",
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
        assert!(limit.admit(ALWAYS_ADMITTED).is_ok());
    }
}
