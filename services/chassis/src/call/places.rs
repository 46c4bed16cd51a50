//! The places of the calls of a connection, which are given back at their deadlines at the latest.
//!
//! An answer is moved on when its reader takes some of it, and not before: whoever reads nothing would keep their calls
//! from ever ending, and with enough of them everybody else from being let in. So the connection itself looks after the
//! deadlines of its calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::limit::Permit;

/// How often a connection looks.
pub(crate) const EVERY: Duration = Duration::from_secs(5);

/// The places of calls that have a deadline, by that.
#[derive(Debug, Default)]
pub(crate) struct Places(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    by_deadline: BTreeMap<(Instant, u64), Permit>,
    number: u64,
}

/// A call's hold on its place.
#[derive(Debug)]
pub(super) enum Place {
    /// Until the call ends.
    Own(#[expect(dead_code, reason = "its drop is what it is for")] Permit),
    /// Until then, or its deadline.
    Until(Arc<Places>, (Instant, u64)),
}

impl Places {
    /// Holds a place for a call.
    pub(super) fn hold(self: &Arc<Self>, permit: Permit, deadline: Option<Instant>) -> Place {
        let Some(deadline) = deadline else {
            return Place::Own(permit);
        };
        let mut held = self.lock();
        held.number += 1;
        let key = (deadline, held.number);
        held.by_deadline.insert(key, permit);
        Place::Until(Arc::clone(self), key)
    }

    /// Gives back the places of calls whose deadlines have passed.
    pub(crate) fn give_back(&self) {
        let now = (Instant::now(), 0);
        let mut held = self.lock();
        let left = held.by_deadline.split_off(&now);
        held.by_deadline = left;
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // Nothing that can panic runs while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Place::Until(places, key) = self {
            places.lock().by_deadline.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::limit::Limit;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_place_is_given_back_with_its_call_or_at_its_deadline() {
        let (limit, places) = (Limit::new(10), Arc::new(Places::default()));
        let admit = || limit.admit("/trade/Get").unwrap();
        let soon = Instant::now() + Duration::from_secs(1);
        let unread = places.hold(admit(), Some(soon));
        let later = places.hold(admit(), Some(soon + Duration::from_secs(60)));
        let feed = places.hold(admit(), None);
        places.give_back();
        assert_eq!(limit.running(), 3);
        tokio::time::advance(Duration::from_secs(2)).await;
        places.give_back();
        assert_eq!(limit.running(), 2);
        drop((unread, later, feed));
        assert_eq!(limit.running(), 0);
    }
}
