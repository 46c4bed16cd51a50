//! The clock of a run: a thread that begins each call when it is due. The timers of the runtime are no finer than a
//! millisecond, in which a fast server has answered many calls.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::arrival::Schedule;
use super::meter::{histogram, note};

/// Waking more often would cost more than it gives.
const SHORTEST: Duration = Duration::from_micros(50);
/// How soon an end is noticed.
const LONGEST: Duration = Duration::from_millis(20);

/// Begins each call of a schedule when it is due, until the schedule or the run ends. Answers how late calls were begun.
pub(super) fn pace(
    schedule: Schedule,
    start: Instant,
    stop: &AtomicBool,
    mut begin: impl FnMut(Duration),
) -> Histogram<u64> {
    let mut lateness = histogram();
    for due in schedule {
        let Some(late) = wait(due, start, stop) else {
            break;
        };
        note(&mut lateness, late);
        begin(due);
    }
    lateness
}

/// Waits until a call is due; how late it has become. None when the run has ended.
fn wait(due: Duration, start: Instant, stop: &AtomicBool) -> Option<Duration> {
    loop {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        // Before the start nothing has passed.
        let now = Instant::now().saturating_duration_since(start);
        let is_begun = Instant::now() >= start;
        if is_begun && now >= due {
            return Some(now.saturating_sub(due));
        }
        let left = (start + due).saturating_duration_since(Instant::now());
        thread::park_timeout(left.clamp(SHORTEST, LONGEST));
    }
}

#[cfg(test)]
mod tests {
    use super::super::arrival::Segment;
    use super::*;

    fn schedule(rate: f64, millis: u64) -> Schedule {
        Schedule::new(vec![Segment {
            from: rate,
            to: rate,
            length: Duration::from_millis(millis),
        }])
    }

    #[test]
    fn every_call_is_begun_and_none_before_it_is_due() {
        let (start, stop) = (Instant::now(), AtomicBool::new(false));
        let mut begun = 0;
        let lateness = pace(schedule(2_000.0, 50), start, &stop, |due| {
            assert!(start.elapsed() >= due);
            begun += 1;
        });
        assert_eq!((begun, lateness.len()), (100, 100));
    }

    #[test]
    fn a_run_that_is_ended_begins_no_more_calls() {
        let (start, stop) = (Instant::now(), AtomicBool::new(false));
        let mut begun = 0;
        pace(schedule(1_000.0, 60_000), start, &stop, |_| {
            begun += 1;
            stop.store(begun == 5, Ordering::Relaxed);
        });
        assert_eq!(begun, 5);
    }
}
