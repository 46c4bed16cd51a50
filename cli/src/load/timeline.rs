//! A run second by second, in bounded memory: of a long run, stretch by stretch.

use super::result::{Latency, Tick, count};

/// Entries at most: five hours and a half by second.
const MOST: usize = 20_000;

/// What was seen at each look.
#[derive(Debug)]
pub(super) struct Timeline {
    ticks: Vec<Tick>,
    most: usize,
    /// Looks that make an entry, and those that the last one has.
    stretch: u64,
    last: u64,
}

impl Timeline {
    pub(super) fn new() -> Timeline {
        Timeline::of(MOST)
    }

    /// Of so many entries at most, an even number.
    fn of(most: usize) -> Timeline {
        Timeline {
            ticks: Vec::new(),
            most,
            stretch: 1,
            last: 1,
        }
    }

    /// What was seen, from the first to the last.
    pub(super) fn ticks(&self) -> &[Tick] {
        &self.ticks
    }

    pub(super) fn push(&mut self, tick: Tick) {
        let before = self.ticks.len().checked_sub(2);
        let from = before.map_or(0.0, |before| self.ticks[before].at);
        if let Some(last) = self.ticks.last_mut().filter(|_| self.last < self.stretch) {
            *last = together(from, last, &tick);
            self.last += 1;
            return;
        }
        if self.ticks.len() == self.most {
            self.halve();
        }
        self.ticks.push(tick);
        self.last = 1;
    }

    /// Takes what belongs to no stretch of those before.
    pub(super) fn push_apart(&mut self, tick: Tick) {
        self.last = self.stretch;
        self.push(tick);
    }

    /// Makes one entry of each two.
    fn halve(&mut self) {
        let mut from = 0.0;
        let both = |two: &[Tick]| {
            let [first, second] = two else {
                return two[0];
            };
            let both = together(from, first, second);
            from = second.at;
            both
        };
        self.ticks = self.ticks.chunks(2).map(both).collect();
        self.stretch *= 2;
    }

    pub(super) fn into_ticks(self) -> Vec<Tick> {
        self.ticks
    }
}

/// Two that follow one another as one: rates by time, and the worst latencies, so that no stall is lost.
fn together(from: f64, first: &Tick, second: &Tick) -> Tick {
    let lengths = [first.at - from, second.at - first.at];
    let rate = |of: fn(&Tick) -> f64| {
        let calls = of(first) * lengths[0] + of(second) * lengths[1];
        calls / (lengths[0] + lengths[1]).max(1e-9)
    };
    Tick {
        at: second.at,
        asked: rate(|tick| tick.asked),
        answered: rate(|tick| tick.answered),
        failed: rate(|tick| tick.failed),
        in_flight: first.in_flight.max(second.in_flight),
        latency: worst(&first.latency, &second.latency),
    }
}

fn worst(first: &Latency, second: &Latency) -> Latency {
    let calls = first.count + second.count;
    let sum = first.mean_ms * count(first.count) + second.mean_ms * count(second.count);
    Latency {
        count: calls,
        mean_ms: sum / count(calls.max(1)),
        p50_ms: first.p50_ms.max(second.p50_ms),
        p90_ms: first.p90_ms.max(second.p90_ms),
        p95_ms: first.p95_ms.max(second.p95_ms),
        p99_ms: first.p99_ms.max(second.p99_ms),
        p999_ms: first.p999_ms.max(second.p999_ms),
        max_ms: first.max_ms.max(second.max_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::result::{MAX_BYTES, Report};

    /// A second in which as many calls were answered as its number says, and one took so many milliseconds.
    fn second(number: u32) -> Tick {
        Tick {
            at: number.into(),
            answered: number.into(),
            latency: Latency {
                count: 1,
                max_ms: number.into(),
                ..Latency::default()
            },
            ..Tick::default()
        }
    }

    #[test]
    fn a_long_run_is_told_by_stretches_and_none_of_its_calls_is_lost() {
        let mut timeline = Timeline::of(10);
        (1..=1_001).for_each(|number| timeline.push(second(number)));
        let ticks = timeline.into_ticks();
        assert!(ticks.len() <= 10, "{}", ticks.len());
        assert_eq!(ticks.last().map(|tick| tick.at), Some(1_001.0));
        let (mut from, mut answered, mut calls) = (0.0, 0.0, 0);
        for tick in &ticks {
            assert!((tick.latency.max_ms - tick.at).abs() < 1e-9, "{tick:?}");
            answered += tick.answered * (tick.at - from);
            calls += tick.latency.count;
            from = tick.at;
        }
        assert!((answered - 1_001.0 * 1_002.0 / 2.0).abs() < 1e-3);
        assert_eq!(calls, 1_001);
    }

    #[test]
    fn what_ended_after_a_long_run_is_no_part_of_its_last_stretch() {
        let mut timeline = Timeline::of(10);
        // Two seconds make a stretch by now, and the last one has one.
        (1..=11).for_each(|number| timeline.push(second(number)));
        timeline.push_apart(second(99));
        let ticks = timeline.into_ticks();
        assert_eq!(ticks[5..], [second(11), second(99)]);
    }

    #[test]
    fn the_longest_result_can_be_read_back() {
        // Every figure with as many digits as a float has.
        let [long, short] = [f64::MAX / 3.0, f64::MIN_POSITIVE / 3.0];
        let latency = Latency {
            count: u64::MAX,
            mean_ms: short,
            p50_ms: long,
            p90_ms: short,
            p95_ms: long,
            p99_ms: short,
            p999_ms: long,
            max_ms: short,
        };
        let tick = Tick {
            at: short,
            asked: long,
            answered: short,
            failed: long,
            in_flight: u64::MAX,
            latency,
        };
        let report = Report {
            timeline: vec![tick; MOST + 1],
            ..Report::new()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.json");
        let json = report.json().unwrap();
        // The rest of a result has as much room as the timeline.
        assert!((json.len() as u64) < MAX_BYTES / 2);
        std::fs::write(&path, json).unwrap();
        assert_eq!(Report::read(&path).unwrap().timeline, report.timeline);
    }
}
