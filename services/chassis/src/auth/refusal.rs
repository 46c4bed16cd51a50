//! Why a caller is turned away, as the caller is told and as the operator counts it.
//!
//! A caller learns that a token is not known or has expired, and nothing more: what exactly is wrong with one helps
//! those who make them up.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use proto::error::v1::ErrorReason;
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::{Caller, Role};

/// Pause between two lines of the log about failed logins; a flood of them must not become one of lines.
const TOLD_EVERY: Duration = Duration::from_secs(10);

static FAILED: AtomicU64 = AtomicU64::new(0);

/// How many logins have failed since the start of the process.
pub fn failed_logins() -> u64 {
    FAILED.load(Ordering::Relaxed)
}

/// Why a login fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("this call needs a login: send the header `authorization: Bearer TOKEN`")]
    Missing,
    #[error("the header `authorization` is not of the form `Bearer TOKEN`")]
    Malformed,
    #[error("the token is not known here, or no longer: ask for a new one")]
    Unknown,
    #[error("the token has expired: ask for a new one")]
    Expired,
    #[error("the gateway does not say whose call this is")]
    Unnamed,
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Status {
        let reason = ErrorReason::NotLoggedIn;
        proto::status(Code::Unauthenticated, reason, failure.to_string(), [])
    }
}

/// A method that nobody may call.
pub(super) fn nobody_may() -> Status {
    let message = "no rule allows this call";
    proto::status(Code::PermissionDenied, ErrorReason::NotAllowed, message, [])
}

/// A caller of too small a role.
pub(super) fn may_not(caller: &Caller, needed: Role) -> Status {
    let message = format!(
        "this call needs the role {}, and `{}` has the role {}",
        needed.name(),
        caller.name,
        caller.role.name()
    );
    proto::status(Code::PermissionDenied, ErrorReason::NotAllowed, message, [])
}

/// Counts failed logins, and tells of them now and then.
#[derive(Debug, Default)]
pub(super) struct Failures {
    untold: Mutex<Untold>,
}

#[derive(Debug, Default)]
struct Untold {
    failed: u64,
    told: Option<Instant>,
}

impl Failures {
    pub(super) fn note(&self, failure: Failure, peer: SocketAddr) {
        FAILED.fetch_add(1, Ordering::Relaxed);
        let failed = self
            .untold
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add();
        if let Some(failed) = failed {
            tracing::warn!(failed, %peer, last = %failure, "logins failed");
        }
    }
}

impl Untold {
    /// Adds one; how many there are when it is time to tell.
    fn add(&mut self) -> Option<u64> {
        self.failed += 1;
        let now = Instant::now();
        if self.told.is_some_and(|told| now < told + TOLD_EVERY) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.failed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_failures_is_told_in_few_lines() {
        let mut untold = Untold::default();
        assert_eq!(untold.add(), Some(1));
        assert!((0..1_000).all(|_| untold.add().is_none()));
        tokio::time::advance(TOLD_EVERY).await;
        assert_eq!(untold.add(), Some(1_001));
    }
}
