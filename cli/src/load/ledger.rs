//! Which stream was told of which event. There is an entry from when a call is made until all is told of it, so that a
//! message that comes again finds none, and counts for nothing. A call that failed may have recorded its event: of the
//! latest of these there are entries as well.

use std::collections::{HashMap, VecDeque};

/// Calls that failed and are still looked out for: a server that refuses everything is not to fill the memory.
const MOST_FAILED: usize = 10_000;

/// Events by the numbers of their calls, and who was told of them.
#[derive(Debug)]
pub(super) struct Ledger {
    streams: usize,
    recorded: u64,
    missing: u64,
    open: HashMap<u64, Entry>,
    /// From the first to the last; some are complete by now.
    failed: VecDeque<u64>,
}

/// An event that is not complete.
#[derive(Debug)]
struct Entry {
    call: Call,
    /// By stream.
    told: Vec<u64>,
    left: usize,
}

/// What became of the call that is to record an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Running,
    /// Only now somebody is to be told.
    Recorded,
    Failed,
}

const BITS: usize = u64::BITS as usize;

impl Ledger {
    /// Of so many streams, at least one.
    pub(super) fn new(streams: usize) -> Ledger {
        Ledger {
            streams,
            recorded: 0,
            missing: 0,
            open: HashMap::new(),
            failed: VecDeque::new(),
        }
    }

    /// The call of this number is made, and may record an event.
    pub(super) fn expect(&mut self, number: u64) {
        let entry = Entry {
            call: Call::Running,
            told: vec![0; self.streams.div_ceil(BITS)],
            left: self.streams,
        };
        self.open.insert(number, entry);
    }

    /// It recorded the event.
    pub(super) fn record(&mut self, number: u64) {
        if let Some(entry) = self.open.get_mut(&number) {
            entry.call = Call::Recorded;
            self.recorded += 1;
            self.missing += entry.left as u64;
            self.strike_out(number);
        }
    }

    /// It failed, and may have recorded the event all the same.
    pub(super) fn fail(&mut self, number: u64) {
        let Some(entry) = self.open.get_mut(&number) else {
            return;
        };
        entry.call = Call::Failed;
        self.strike_out(number);
        self.failed.push_back(number);
        if self.failed.len() > MOST_FAILED
            && let Some(oldest) = self.failed.pop_front()
        {
            self.open.remove(&oldest);
        }
    }

    /// A stream, counted from 0, was told of the event of this number; false when it had been told before.
    pub(super) fn tell(&mut self, number: u64, stream: usize) -> bool {
        let Some(entry) = self.open.get_mut(&number) else {
            return false;
        };
        let (word, bit) = (&mut entry.told[stream / BITS], 1 << (stream % BITS));
        let is_new = *word & bit == 0;
        *word |= bit;
        entry.left -= usize::from(is_new);
        if entry.call == Call::Recorded {
            self.missing -= u64::from(is_new);
        }
        self.strike_out(number);
        is_new
    }

    /// Pairs of an event that was recorded and a stream.
    pub(super) fn expected(&self) -> u64 {
        self.recorded * self.streams as u64
    }

    /// Those of them in which the stream was not told.
    pub(super) fn missing(&self) -> u64 {
        self.missing
    }

    fn strike_out(&mut self, number: u64) {
        let entry = self.open.get(&number);
        if entry.is_some_and(|entry| entry.call != Call::Running && entry.left == 0) {
            self.open.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls with these numbers are made.
    fn expecting(streams: usize, numbers: impl IntoIterator<Item = u64>) -> Ledger {
        let mut ledger = Ledger::new(streams);
        numbers.into_iter().for_each(|number| ledger.expect(number));
        ledger
    }

    #[test]
    fn an_event_whose_call_failed_hides_no_loss_of_another() {
        let mut ledger = expecting(3, [1, 2]);
        ledger.record(1);
        assert!(ledger.tell(1, 0));
        // Its call ran into the deadline, and yet it was recorded.
        ledger.fail(2);
        (0..3).for_each(|stream| assert!(ledger.tell(2, stream)));
        assert_eq!((ledger.expected(), ledger.missing()), (3, 2));
    }

    #[test]
    fn a_stream_that_is_told_twice_stands_for_no_other() {
        let mut ledger = expecting(100, [7]);
        ledger.record(7);
        assert!(ledger.tell(7, 64));
        assert!(!ledger.tell(7, 64));
        assert_eq!(ledger.missing(), 99);
    }

    #[test]
    fn what_comes_again_when_all_was_told_is_nothing_new() {
        let mut ledger = expecting(2, [1, 2]);
        for number in [1, 2] {
            (0..2).for_each(|stream| assert!(ledger.tell(number, stream)));
        }
        ledger.record(1);
        ledger.fail(2);
        for number in [1, 2] {
            (0..2).for_each(|stream| assert!(!ledger.tell(number, stream)));
        }
        assert_eq!((ledger.expected(), ledger.missing()), (2, 0));
        assert!(ledger.open.is_empty());
    }

    #[test]
    fn what_is_complete_takes_no_memory_whichever_comes_first() {
        let mut ledger = expecting(70, [1, 2]);
        ledger.record(1);
        (0..70).for_each(|stream| assert!(ledger.tell(1, stream)));
        (0..70).for_each(|stream| assert!(ledger.tell(2, stream)));
        ledger.record(2);
        assert_eq!((ledger.expected(), ledger.missing()), (140, 0));
        assert!(ledger.open.is_empty());
    }

    #[test]
    fn calls_that_fail_one_after_the_other_take_no_more_and_more_memory() {
        let most = MOST_FAILED as u64;
        let mut ledger = expecting(1, 0..=most);
        (0..=most).for_each(|number| ledger.fail(number));
        assert_eq!(ledger.open.len(), MOST_FAILED);
        assert!(!ledger.tell(0, 0) && ledger.tell(most, 0));
        assert_eq!((ledger.expected(), ledger.missing()), (0, 0));
    }
}
