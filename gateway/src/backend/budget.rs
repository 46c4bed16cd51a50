//! How many attempts may be made again: a share of the calls, so that a backend in trouble is not asked twice as much
//! as one that is well.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

/// Thousandths of an attempt that each call is worth: two attempts for ten calls.
const PER_CALL: u64 = 200;
/// The same for each second, so that there is something to spend where calls are few.
const PER_SECOND: u64 = 3_000;
const ATTEMPT: u64 = 1_000;
/// What is not spent is worth nothing above this.
const MOST: u64 = 100 * ATTEMPT;

/// What is left to spend.
#[derive(Debug)]
pub(super) struct Budget {
    left: AtomicU64,
    since: Instant,
    /// Seconds since then that were counted.
    counted: AtomicU64,
}

impl Budget {
    pub(super) fn new() -> Budget {
        Budget {
            left: AtomicU64::new(10 * ATTEMPT),
            since: Instant::now(),
            counted: AtomicU64::new(0),
        }
    }

    /// Counts a call.
    pub(super) fn deposit(&self) {
        if self.left.load(Ordering::Relaxed) < MOST {
            self.left.fetch_add(PER_CALL, Ordering::Relaxed);
        }
    }

    /// Takes one attempt out, if there is one.
    pub(super) fn withdraw(&self) -> bool {
        self.count_seconds();
        let rest = |left: u64| left.min(MOST).checked_sub(ATTEMPT);
        let spent = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest);
        spent.is_ok()
    }

    /// How many attempts may be made at once.
    pub(super) fn left(&self) -> u64 {
        self.count_seconds();
        self.left.load(Ordering::Relaxed).min(MOST) / ATTEMPT
    }

    fn count_seconds(&self) {
        let now = self.since.elapsed().as_secs();
        let before = self.counted.fetch_max(now, Ordering::Relaxed);
        let new = now.saturating_sub(before).min(MOST / PER_SECOND);
        self.left.fetch_add(new * PER_SECOND, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn spend_all(budget: &Budget) -> usize {
        (0..1_000).take_while(|_| budget.withdraw()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn two_attempts_for_ten_calls_and_a_few_a_second() {
        let budget = Budget::new();
        assert_eq!(spend_all(&budget), 10);
        for _ in 0..50 {
            budget.deposit();
        }
        assert_eq!(spend_all(&budget), 10);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(spend_all(&budget), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_saved_is_bounded() {
        let budget = Budget::new();
        for _ in 0..1_000_000 {
            budget.deposit();
        }
        tokio::time::advance(Duration::from_secs(86_400)).await;
        assert_eq!(spend_all(&budget), 100);
    }
}
