//! The clock of a run: a thread that begins each call when it is due. The timers of the runtime are no finer than a
//! millisecond, in which a fast server has answered many calls.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::arrival::Schedule;

/// Waking more often would cost more than it gives.
const SHORTEST: Duration = Duration::from_micros(50);
/// How soon an interruption is noticed.
const LONGEST: Duration = Duration::from_millis(20);

/// Begins each call of a schedule when it is due, until the schedule ends or the run is interrupted.
pub(super) fn pace(
    schedule: Schedule,
    start: Instant,
    stop: &AtomicBool,
    mut begin: impl FnMut(Duration),
) {
    for due in schedule {
        if !wait(start + due, stop) {
            return;
        }
        begin(due);
    }
}

/// Waits until a call is due; false when the run was interrupted.
fn wait(due: Instant, stop: &AtomicBool) -> bool {
    while !stop.load(Ordering::Relaxed) {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        thread::park_timeout(left.clamp(SHORTEST, LONGEST));
    }
    false
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
        pace(schedule(2_000.0, 50), start, &stop, |due| {
            assert!(start.elapsed() >= due);
            begun += 1;
        });
        assert_eq!(begun, 100);
    }

    #[test]
    fn a_run_that_is_interrupted_begins_no_more_calls() {
        let (start, stop) = (Instant::now(), AtomicBool::new(false));
        let mut begun = 0;
        pace(schedule(1_000.0, 60_000), start, &stop, |_| {
            begun += 1;
            stop.store(begun == 5, Ordering::Relaxed);
        });
        assert_eq!(begun, 5);
    }
}
