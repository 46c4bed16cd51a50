//! Counts and latencies while a run goes on. Each connection has counters of its own, so that calls that end at the same
//! time do not wait for one another.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tonic::Code;

use super::result::{CodeCount, Counts};
use super::wire::{Answered, Failure};

/// Latencies to three digits.
const DIGITS: u8 = 3;
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

/// An empty histogram of microseconds.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new(DIGITS).expect("three digits are among what it can")
}

/// Records a length of time in microseconds; what is longer than a week is a week.
pub(super) fn note(histogram: &mut Histogram<u64>, took: Duration) {
    let micros = took.min(LONGEST).as_micros();
    let recorded = histogram.record(u64::try_from(micros).unwrap_or(u64::MAX));
    recorded.expect("a histogram that grows takes a week");
}

/// How a call ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its part of the mix.
    pub(super) part: usize,
    /// How late the generator began it.
    pub(super) late: Duration,
    /// From when it was to be made.
    pub(super) took: Duration,
    pub(super) outcome: Result<Answered, Failure>,
    /// How often it was made again.
    pub(super) retries: u64,
    /// Whether it belongs to what is measured, and whether that was still going on.
    pub(super) measured: bool,
    pub(super) in_time: bool,
}

/// All counters of a run.
#[derive(Debug)]
pub(super) struct Meter(Vec<Mutex<Shard>>);

/// The counters of one connection.
#[derive(Debug)]
struct Shard {
    parts: Vec<Tally>,
    lateness: Histogram<u64>,
    interval: Interval,
}

/// What became of the calls of a part.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) latency: Histogram<u64>,
    pub(super) counts: Counts,
    pub(super) codes: BTreeMap<i32, CodeCount>,
}

/// What became of calls since it was last asked.
#[derive(Clone, Debug)]
pub(super) struct Interval {
    pub(super) latency: Histogram<u64>,
    pub(super) answered: u64,
    pub(super) failed: u64,
}

impl Meter {
    /// For so many connections and parts.
    pub(super) fn new(shards: usize, parts: usize) -> Meter {
        let shard = || {
            Mutex::new(Shard {
                parts: vec![Tally::new(); parts],
                lateness: histogram(),
                interval: Interval::new(),
            })
        };
        Meter((0..shards.max(1)).map(|_| shard()).collect())
    }

    /// Counts a call.
    pub(super) fn record(&self, shard: usize, ended: &Ended) {
        let mut shard = lock(&self.0[shard % self.0.len()]);
        shard.interval.record(ended);
        if ended.measured {
            note(&mut shard.lateness, ended.late);
        }
        shard.parts[ended.part].record(ended);
    }

    /// What became of calls since the last time.
    pub(super) fn interval(&self) -> Interval {
        let mut all = Interval::new();
        for shard in &self.0 {
            let interval = std::mem::replace(&mut lock(shard).interval, Interval::new());
            all.add(&interval);
        }
        all
    }

    /// How late calls that were measured were begun.
    pub(super) fn lateness(&self) -> Histogram<u64> {
        let mut all = histogram();
        for shard in &self.0 {
            add(&mut all, &lock(shard).lateness);
        }
        all
    }

    /// By part, what became of all calls that were measured.
    pub(super) fn tallies(&self) -> Vec<Tally> {
        let mut all: Vec<Tally> = Vec::new();
        for shard in &self.0 {
            let shard = lock(shard);
            all.resize(shard.parts.len(), Tally::new());
            for (sum, tally) in all.iter_mut().zip(&shard.parts) {
                sum.add(tally);
            }
        }
        all
    }
}

/// A counter that panicked half-way is still a counter.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether its latency says something of the server: an answer, or that there was none for so long. Whoever is turned
/// away at once would make a failing server look fast.
fn is_timed(ended: &Ended) -> bool {
    match &ended.outcome {
        Ok(_) => true,
        Err(failure) => failure.code == Code::DeadlineExceeded,
    }
}

impl Tally {
    pub(super) fn new() -> Tally {
        Tally {
            latency: histogram(),
            counts: Counts::default(),
            codes: BTreeMap::new(),
        }
    }

    fn record(&mut self, ended: &Ended) {
        let Counts {
            asked,
            answered,
            in_time,
            failed,
            retried,
            bytes,
            ..
        } = &mut self.counts;
        if ended.in_time && ended.outcome.is_ok() {
            *in_time += 1;
        }
        if !ended.measured {
            return;
        }
        *asked += 1;
        *retried += ended.retries;
        if is_timed(ended) {
            note(&mut self.latency, ended.took);
        }
        match &ended.outcome {
            Ok(answer) => {
                *answered += 1;
                *bytes += answer.bytes;
            }
            Err(failure) => {
                *failed += 1;
                let code = proto::code_name(failure.code);
                self.fail(failure.code as i32, code, &failure.message, 1);
            }
        }
    }

    fn fail(&mut self, number: i32, code: &str, example: &str, count: u64) {
        let known = self.codes.entry(number).or_insert_with(|| CodeCount {
            code: code.to_owned(),
            count: 0,
            example: example.chars().take(200).collect(),
        });
        known.count += count;
    }

    /// Counts calls that were not made.
    pub(super) fn refuse(&mut self, calls: u64, bound: u32) {
        if calls == 0 {
            return;
        }
        self.counts.asked += calls;
        self.counts.failed += calls;
        self.counts.refused += calls;
        let why = format!(
            "not made: {bound} calls were under way, as many as max_in_flight lets be, or the generator had not come to \
             them a second after the run was over"
        );
        self.fail(i32::MAX, "GENERATOR_BUSY", &why, calls);
    }

    /// Adds what another one counted.
    pub(super) fn add(&mut self, other: &Tally) {
        add(&mut self.latency, &other.latency);
        let Counts {
            asked,
            answered,
            in_time,
            failed,
            refused,
            retried,
            bytes,
        } = other.counts;
        self.counts.asked += asked;
        self.counts.answered += answered;
        self.counts.in_time += in_time;
        self.counts.failed += failed;
        self.counts.refused += refused;
        self.counts.retried += retried;
        self.counts.bytes += bytes;
        for (number, code) in &other.codes {
            self.fail(*number, &code.code, &code.example, code.count);
        }
    }
}

impl Interval {
    fn new() -> Interval {
        Interval {
            latency: histogram(),
            answered: 0,
            failed: 0,
        }
    }

    fn record(&mut self, ended: &Ended) {
        if is_timed(ended) {
            note(&mut self.latency, ended.took);
        }
        match ended.outcome {
            Ok(_) => self.answered += 1,
            Err(_) => self.failed += 1,
        }
    }

    fn add(&mut self, other: &Interval) {
        add(&mut self.latency, &other.latency);
        self.answered += other.answered;
        self.failed += other.failed;
    }
}

fn add(sum: &mut Histogram<u64>, other: &Histogram<u64>) {
    sum.add(other)
        .expect("histograms that grow take each other");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(millis: u64, outcome: Result<Answered, Failure>) -> Ended {
        Ended {
            part: 0,
            late: Duration::ZERO,
            took: Duration::from_millis(millis),
            outcome,
            retries: 0,
            measured: true,
            in_time: true,
        }
    }

    fn failure(code: Code) -> Result<Answered, Failure> {
        Err(Failure::new(code, format!("{code:?}")))
    }

    #[test]
    fn the_counters_of_all_connections_add_up() {
        let meter = Meter::new(3, 1);
        for call in 0..30_usize {
            meter.record(call, &ended(2, Ok(Answered { bytes: 10 })));
        }
        meter.record(1, &ended(3, failure(Code::NotFound)));
        let tally = &meter.tallies()[0];
        assert_eq!(
            (
                tally.counts.asked,
                tally.counts.answered,
                tally.counts.failed
            ),
            (31, 30, 1)
        );
        assert_eq!((tally.counts.bytes, tally.latency.len()), (300, 30));
        let interval = meter.interval();
        assert_eq!((interval.answered, interval.failed), (30, 1));
        assert_eq!(meter.interval().answered, 0);
    }

    #[test]
    fn a_call_that_ran_into_its_deadline_has_a_latency_and_one_that_was_turned_away_has_none() {
        let meter = Meter::new(1, 1);
        meter.record(0, &ended(5_000, failure(Code::DeadlineExceeded)));
        meter.record(0, &ended(1, failure(Code::ResourceExhausted)));
        let tally = &meter.tallies()[0];
        assert_eq!(tally.latency.len(), 1);
        assert!(tally.latency.max() >= 5_000_000);
        let codes: Vec<&str> = tally.codes.values().map(|code| &*code.code).collect();
        assert_eq!(codes, ["DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"]);
    }

    #[test]
    fn a_call_that_was_not_made_is_an_error_of_the_generator() {
        let mut tally = Tally::new();
        tally.refuse(7, 100);
        assert_eq!(
            (
                tally.counts.asked,
                tally.counts.failed,
                tally.counts.refused
            ),
            (7, 7, 7)
        );
        let code = tally.codes.values().next().unwrap();
        assert_eq!((&*code.code, code.count), ("GENERATOR_BUSY", 7));
        assert!(code.example.contains("100 calls were under way"));
    }

    #[test]
    fn warming_up_is_not_counted() {
        let meter = Meter::new(1, 1);
        let warm = Ended {
            measured: false,
            in_time: false,
            ..ended(9, Ok(Answered::default()))
        };
        meter.record(0, &warm);
        assert_eq!(meter.tallies()[0].counts, Counts::default());
    }
}
