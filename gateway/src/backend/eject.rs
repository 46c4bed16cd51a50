//! Replicas that fail are left out for a while, and then tried again.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::Backoff;

/// Failures one after the other that mean that it is not the call's fault.
const FAILURES: u32 = 5;
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// What a replica has failed at lately. Looked at for every call, so it is numbers and not a lock.
#[derive(Debug)]
pub(super) struct Ejection {
    start: Instant,
    /// Milliseconds after the start until which it is left out; 0 when it is not.
    until: AtomicU64,
    failures: AtomicU32,
    pauses: Mutex<Backoff>,
}

impl Ejection {
    pub(super) fn new() -> Ejection {
        Ejection {
            start: Instant::now(),
            until: AtomicU64::new(0),
            failures: AtomicU32::new(0),
            pauses: Mutex::new(Backoff::new(FIRST, LONGEST)),
        }
    }

    /// Whether it is left out now.
    pub(super) fn is_out(&self) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        until != 0 && until > self.now()
    }

    /// Until when it is left out.
    pub(super) fn until(&self) -> Instant {
        self.start + Duration::from_millis(self.until.load(Ordering::Relaxed))
    }

    /// A call was answered.
    pub(super) fn succeeded(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
        if self.until.load(Ordering::Relaxed) != 0 && !self.is_out() {
            self.until.store(0, Ordering::Relaxed);
            self.lock().reset();
        }
    }

    /// A call was not answered, or with UNAVAILABLE; says whether it is left out from here on.
    pub(super) fn failed(&self) -> bool {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        // Once it was out, the first failure after that is enough.
        let known = self.until.load(Ordering::Relaxed) != 0;
        if self.is_out() || (failures < FAILURES && !known) {
            return false;
        }
        let pause = u64::try_from(self.lock().next().as_millis()).unwrap_or(u64::MAX);
        self.until.store(self.now() + pause, Ordering::Relaxed);
        self.failures.store(0, Ordering::Relaxed);
        true
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Backoff> {
        self.pauses.lock().expect("nothing panics while it is held")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_leave_it_out_for_longer_and_longer() {
        let ejection = Ejection::new();
        for _ in 1..FAILURES {
            assert!(!ejection.failed());
        }
        assert!(!ejection.is_out());
        assert!(ejection.failed() && ejection.is_out());

        tokio::time::advance(FIRST).await;
        assert!(!ejection.is_out());
        assert!(ejection.failed(), "the first failure after that is enough");
        tokio::time::advance(FIRST.mul_f32(0.99)).await;
        assert!(ejection.is_out(), "longer than the first time");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_makes_up_for_failures() {
        let ejection = Ejection::new();
        for _ in 0..100 {
            ejection.failed();
            ejection.succeeded();
        }
        assert!(!ejection.is_out());
    }
}
