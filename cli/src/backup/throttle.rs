//! How fast something passes.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Holds what passes to so many bytes a second.
#[derive(Debug)]
pub(super) struct Throttle {
    rate: Option<u64>,
    free_at: Instant,
}

impl Throttle {
    /// One that holds nothing up when there is no rate.
    pub(super) fn new(rate: Option<u64>) -> Throttle {
        Throttle {
            rate,
            free_at: Instant::now(),
        }
    }

    /// Lets bytes pass that have come, and waits until the next may come.
    pub(super) async fn pass(&mut self, bytes: u64) {
        sleep_until(self.next(Instant::now(), bytes)).await;
    }

    /// When the next may come. What does not come in time is not made up for later.
    fn next(&mut self, now: Instant, bytes: u64) -> Instant {
        if let Some(rate) = self.rate {
            let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1));
            let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            self.free_at = self.free_at.max(now) + takes;
        }
        self.free_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_passes_for_what_may_pass_in_one() {
        let mut throttle = Throttle::new(Some(1_000));
        let start = throttle.free_at;
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(throttle.next(start, 1_000), at(1));
        assert_eq!(
            throttle.next(at(1), 500),
            at(1) + Duration::from_millis(500)
        );
        assert_eq!(throttle.next(at(9), 1_000), at(10));
    }

    #[test]
    fn without_a_rate_nothing_waits() {
        let mut throttle = Throttle::new(None);
        let start = throttle.free_at;
        assert_eq!(throttle.next(start, u64::MAX), start);
    }
}
