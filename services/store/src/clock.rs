//! Time as an input: a decision gets it, it never asks for it.

use crate::Position;

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// Tells the time; the writer asks it once an entry.
pub type Clock = fn() -> Micros;

/// The clock of the machine.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place where time enters"
)]
pub fn system_clock() -> Micros {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
        })
}

/// Where and when an entry stands. Both grow strictly from entry to entry, so either names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The entry's position in the journal; 0 before the first.
    pub position: Position,
    /// When it was committed, strictly later than the entry before.
    pub time: Micros,
}

impl Stamp {
    /// The stamp of the entry after this one, at `now` or just after this one.
    pub(crate) fn next(self, now: Micros) -> Stamp {
        Stamp {
            position: self.position + 1,
            time: now.max(self.time + 1),
        }
    }
}
