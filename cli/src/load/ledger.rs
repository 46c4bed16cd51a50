//! Which stream was told of which event. What is complete is struck out, so that there is an entry only for events that
//! some stream is still to be told of, and for those that were recorded though their calls failed.

use std::collections::HashMap;

/// Events by the numbers of their calls, and who was told of them.
#[derive(Debug)]
pub(super) struct Ledger {
    streams: usize,
    recorded: u64,
    open: HashMap<u64, Entry>,
}

/// An event that is not complete.
#[derive(Debug)]
struct Entry {
    /// Whether its call was answered well: only then somebody is to be told.
    recorded: bool,
    /// By stream.
    told: Vec<u64>,
    left: usize,
}

const BITS: usize = u64::BITS as usize;

impl Ledger {
    /// Of so many streams, at least one.
    pub(super) fn new(streams: usize) -> Ledger {
        Ledger {
            streams,
            recorded: 0,
            open: HashMap::new(),
        }
    }

    /// The call of this number recorded an event.
    pub(super) fn record(&mut self, number: u64) {
        self.recorded += 1;
        self.entry(number).recorded = true;
        self.strike_out(number);
    }

    /// A stream, counted from 0, was told of the event of this number; false when it had been told before.
    pub(super) fn tell(&mut self, number: u64, stream: usize) -> bool {
        let entry = self.entry(number);
        let (word, bit) = (&mut entry.told[stream / BITS], 1 << (stream % BITS));
        let is_new = *word & bit == 0;
        *word |= bit;
        entry.left -= usize::from(is_new);
        self.strike_out(number);
        is_new
    }

    /// Pairs of an event that was recorded and a stream.
    pub(super) fn expected(&self) -> u64 {
        self.recorded * self.streams as u64
    }

    /// Those of them in which the stream was not told.
    pub(super) fn missing(&self) -> u64 {
        let recorded = self.open.values().filter(|entry| entry.recorded);
        recorded.map(|entry| entry.left as u64).sum()
    }

    fn entry(&mut self, number: u64) -> &mut Entry {
        let streams = self.streams;
        self.open.entry(number).or_insert_with(|| Entry {
            recorded: false,
            told: vec![0; streams.div_ceil(BITS)],
            left: streams,
        })
    }

    fn strike_out(&mut self, number: u64) {
        let entry = self.open.get(&number);
        if entry.is_some_and(|entry| entry.recorded && entry.left == 0) {
            self.open.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_whose_call_failed_hides_no_loss_of_another() {
        let mut ledger = Ledger::new(3);
        ledger.record(1);
        assert!(ledger.tell(1, 0));
        // Its call ran into the deadline, and yet it was recorded.
        (0..3).for_each(|stream| assert!(ledger.tell(2, stream)));
        assert_eq!((ledger.expected(), ledger.missing()), (3, 2));
    }

    #[test]
    fn a_stream_that_is_told_twice_stands_for_no_other() {
        let mut ledger = Ledger::new(100);
        ledger.record(7);
        assert!(ledger.tell(7, 64));
        assert!(!ledger.tell(7, 64));
        assert_eq!(ledger.missing(), 99);
    }

    #[test]
    fn what_is_complete_takes_no_memory_whichever_comes_first() {
        let mut ledger = Ledger::new(70);
        ledger.record(1);
        (0..70).for_each(|stream| assert!(ledger.tell(1, stream)));
        (0..70).for_each(|stream| assert!(ledger.tell(2, stream)));
        ledger.record(2);
        assert_eq!((ledger.expected(), ledger.missing()), (140, 0));
        assert!(ledger.open.is_empty());
    }
}
