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

/// Where and when a write stands. The time grows strictly from write to write, so it names one and orders
/// all; the position grows from entry to entry, and the writes of one entry share it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The entry's position in the journal; 0 before the first.
    pub position: Position,
    /// When it was committed, strictly later than the write before.
    pub time: Micros,
}

impl Stamp {
    /// The stamp of the first write of the next entry, at `now` or just after this one.
    pub(crate) fn next(self, now: Micros) -> Stamp {
        Stamp {
            position: self.position + 1,
            time: now.max(self.time + 1),
        }
    }

    /// The stamp of the first of an entry's writes, of which the last has this one.
    pub(crate) fn first_of(self, writes: usize) -> Stamp {
        let before =
            i64::try_from(writes.saturating_sub(1)).expect("an entry's writes are bounded");
        Stamp {
            position: self.position,
            time: self.time - before,
        }
    }

    /// The stamp of the write at `index` of the entry whose first write has this one.
    pub(crate) fn of_write(self, index: usize) -> Stamp {
        let index = i64::try_from(index).expect("an entry's writes are bounded");
        Stamp {
            position: self.position,
            time: self.time + index,
        }
    }
}
