//! Pauses that grow, and are never the same for two processes: those that lost a service together would come back
//! together.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Pauses between attempts that fail.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    /// Grows from `first` to `most` by doubling.
    pub(crate) fn new(first: Duration, most: Duration) -> Backoff {
        Backoff {
            first,
            most,
            failures: 0,
        }
    }

    /// Begins again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The pause after one more failure: half of what it has grown to, and up to as much again.
    pub(crate) fn next(&mut self) -> Duration {
        let grown = self.first * 2u32.saturating_pow(self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        jittered(grown.min(self.most))
    }
}

fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(0u8) % 1_000;
    pause / 2 + pause / 2_000 * u32::try_from(random).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_begin_again() {
        let (first, most) = (Duration::from_millis(50), Duration::from_secs(2));
        let mut backoff = Backoff::new(first, most);
        assert!((first / 2..=first).contains(&backoff.next()));
        for _ in 0..100 {
            assert!(backoff.next() <= most);
        }
        assert!(backoff.next() >= most / 2);
        backoff.reset();
        assert!(backoff.next() <= first);
    }
}
