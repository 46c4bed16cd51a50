//! A run: calls that begin when they are due, whatever became of those before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::runtime::Handle;
use tokio::time::{sleep, sleep_until, timeout, timeout_at};
use tonic::Code;

use super::arrival::{Schedule, Segment};
use super::calls::{Call, Calls};
use super::kind::Kind;
use super::live::Live;
use super::meter::{Ended, Interval, Meter, Tally};
use super::pace::pace;
use super::result::{Latency, Tick, count};
use super::scenario::Scenario;
use super::stop::Stop;
use super::timeline::Timeline;
use super::watch::Crowd;
use super::wire::{Answered, Failure, Line, tell_left};

/// So long after the end of a run a call that came due in it is still begun.
const LAST: Duration = Duration::from_secs(1);
/// How long calls that are under way may still take when a run is interrupted.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long is waited before a call is made again: the first time and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// How often is looked whether the last calls have ended.
const LOOK: Duration = Duration::from_millis(5);

/// What stays the same from run to run.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) lines: Vec<Arc<Line>>,
    pub(super) calls: Calls,
    /// Who is told of events.
    pub(super) crowd: Option<Crowd>,
    /// From which the times in the names of events count.
    pub(super) epoch: Instant,
    /// Numbers calls over all runs, so that no key is written twice.
    pub(super) numbers: AtomicU64,
}

/// What came of a run.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) tallies: Vec<Tally>,
    pub(super) lateness: Histogram<u64>,
    pub(super) timeline: Vec<Tick>,
    /// How long it was measured.
    pub(super) length: Duration,
    /// Whether it was interrupted before its last call was due or had ended.
    pub(super) cut_short: bool,
}

/// What a run's tasks share.
#[derive(Debug)]
struct Running {
    ready: Arc<Ready>,
    meter: Meter,
    start: Instant,
    /// The end of warming up, and of the run, from the start.
    warm_up: Duration,
    end: Duration,
    deadline: Duration,
    retries: u8,
    max_in_flight: u64,
    in_flight: AtomicU64,
    /// Calls that were not made since the last look.
    refused: AtomicU64,
    /// By part, those that would have been measured.
    refused_measured: Vec<AtomicU64>,
    /// Whether the run was interrupted.
    stopped: AtomicBool,
    stop: Stop,
}

/// Runs a scenario at the rates of some segments, from a start that is still to come.
pub(super) async fn run(
    ready: &Arc<Ready>,
    scenario: &Scenario,
    segments: &[Segment],
    start: Instant,
    stop: &Stop,
    live: &mut Live,
) -> anyhow::Result<Measured> {
    let warm_up = scenario.warm_up.0;
    let schedule = Schedule::new(warmed(segments, warm_up));
    let parts = ready.calls.parts().len();
    let running = Arc::new(Running {
        ready: ready.clone(),
        meter: Meter::new(ready.lines.len(), parts),
        start,
        warm_up,
        end: schedule.length(),
        deadline: scenario.deadline.0,
        retries: scenario.retries,
        max_in_flight: scenario.max_in_flight.into(),
        in_flight: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        refused_measured: (0..parts).map(|_| AtomicU64::new(0)).collect(),
        stopped: AtomicBool::new(false),
        stop: stop.clone(),
    });
    let pacing = begin(&running, schedule.clone())?;
    let (mut timeline, length) = running.watch(&schedule, live).await;
    let paced = tokio::task::spawn_blocking(move || pacing.join()).await?;
    paced.map_err(|_| anyhow::anyhow!("the clock of the run broke"))?;
    let drained = running.drain().await;
    if let Some(rest) = running.rest(timeline.ticks()) {
        timeline.push_apart(rest);
    }
    Ok(Measured {
        tallies: running.tallies(scenario.max_in_flight),
        lateness: running.meter.lateness(),
        timeline: timeline.into_ticks(),
        length,
        cut_short: !drained || running.stopped.load(Ordering::Relaxed),
    })
}

/// The first rate for as long as warming up takes, and then the segments.
fn warmed(segments: &[Segment], warm_up: Duration) -> Vec<Segment> {
    let first = segments.first().filter(|_| !warm_up.is_zero());
    let warm = first.map(|first| Segment {
        to: first.from,
        length: warm_up,
        ..*first
    });
    warm.into_iter().chain(segments.iter().copied()).collect()
}

type Pacing = std::thread::JoinHandle<()>;

/// Begins calls from a thread of its own.
fn begin(running: &Arc<Running>, schedule: Schedule) -> anyhow::Result<Pacing> {
    let (running, runtime) = (running.clone(), Handle::current());
    let builder = std::thread::Builder::new().name("pace".into());
    let pacing = builder.spawn(move || {
        pace(schedule, running.start, &running.stopped, |due| {
            let number = running.ready.numbers.fetch_add(1, Ordering::Relaxed);
            if running.admit(number, due) {
                runtime.spawn(make(running.clone(), number, due));
            }
        });
    });
    Ok(pacing?)
}

/// Makes a call and counts it.
async fn make(running: Arc<Running>, number: u64, due: Duration) {
    let intended = running.start + due;
    // Here it has waited for a thread of the runtime as well, which is no fault of the server's.
    let late = Instant::now().saturating_duration_since(intended);
    let since_epoch = intended.saturating_duration_since(running.ready.epoch);
    let call = running.ready.calls.call(number, since_epoch);
    let part = call.part;
    let crowd = running.told_of(part, due);
    if let Some(crowd) = crowd {
        crowd.expect(number, since_epoch);
    }
    let (line, attempt) = running.attempt(number, call, intended).await;
    let ended = running.ended(part, due, late, attempt);
    if let Some(crowd) = crowd {
        crowd.ended(number, ended.outcome.is_ok());
    }
    running.meter.record(line, &ended);
    running.in_flight.fetch_sub(1, Ordering::Relaxed);
}

/// How a call went, over all times that it was made.
struct Attempt {
    outcome: Result<Answered, Failure>,
    retries: u64,
}

impl Running {
    /// Whether a call is made: there is room for it, and the run is not over.
    fn admit(&self, number: u64, due: Duration) -> bool {
        let is_over = Instant::now() > self.start + self.end + LAST;
        if !is_over && self.in_flight.fetch_add(1, Ordering::Relaxed) < self.max_in_flight {
            return true;
        }
        if !is_over {
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        if due >= self.warm_up {
            let part = self.ready.calls.part(number);
            self.refused_measured[part].fetch_add(1, Ordering::Relaxed);
        }
        false
    }

    /// Makes a call within its deadline, again where nobody was found; on which line it ended.
    async fn attempt(&self, number: u64, call: Call, intended: Instant) -> (usize, Attempt) {
        let deadline = intended + self.deadline;
        let (mut retries, mut pause) = (0, FIRST_PAUSE);
        loop {
            let line = self.line(number.wrapping_add(retries));
            let mut head = call.head.clone();
            tell_left(
                &mut head,
                deadline.saturating_duration_since(Instant::now()),
            );
            let calling = self.ready.lines[line].call(head, call.messages.clone());
            let outcome = timeout_at(deadline.into(), calling).await;
            let outcome = outcome.unwrap_or_else(|_| Err(late()));
            let again =
                call.repeatable && retries < self.retries.into() && is_unavailable(&outcome);
            if !again {
                return (line, Attempt { outcome, retries });
            }
            if timeout_at(deadline.into(), sleep(pause)).await.is_err() {
                let outcome = Err(late());
                return (line, Attempt { outcome, retries });
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            retries += 1;
        }
    }

    /// A connection by turns; one that is up, if any is.
    fn line(&self, number: u64) -> usize {
        let count = self.ready.lines.len();
        let first = usize::try_from(number % count as u64).unwrap_or_default();
        let turns = (0..count).map(|turn| (first + turn) % count);
        let up = turns
            .into_iter()
            .find(|line| self.ready.lines[*line].is_up());
        up.unwrap_or(first)
    }

    fn ended(&self, part: usize, due: Duration, late: Duration, attempt: Attempt) -> Ended {
        let now = Instant::now().saturating_duration_since(self.start);
        Ended {
            part,
            late,
            took: now.saturating_sub(due),
            outcome: attempt.outcome,
            retries: attempt.retries,
            measured: due >= self.warm_up,
            in_time: now >= self.warm_up
                && now <= self.end
                && !self.stopped.load(Ordering::Relaxed),
        }
    }

    /// Who is to be told of what a call of this part records that is due then; nobody of anything else.
    fn told_of(&self, part: usize, due: Duration) -> Option<&Crowd> {
        let kind = self.ready.calls.parts()[part].kind;
        let is_told = kind == Some(Kind::RecordEvent) && due >= self.warm_up;
        self.ready.crowd.as_ref().filter(|_| is_told)
    }

    /// Looks each second, until the run is over or interrupted; how long it was measured.
    async fn watch(&self, schedule: &Schedule, live: &mut Live) -> (Timeline, Duration) {
        let mut timeline = Timeline::new();
        let mut looked = Duration::ZERO;
        while looked < self.end {
            let next = self.next_look(looked);
            tokio::select! {
                () = sleep_until((self.start + next).into()) => {}
                () = self.stop.asked() => {
                    self.stopped.store(true, Ordering::Relaxed);
                    let now = Instant::now().saturating_duration_since(self.start);
                    return (timeline, now.saturating_sub(self.warm_up));
                }
            }
            let tick = self.tick(looked, next, schedule);
            if next <= self.warm_up {
                live.warming(&tick);
            } else {
                live.show(&tick);
                timeline.push(tick);
            }
            looked = next;
        }
        (timeline, self.end.saturating_sub(self.warm_up))
    }

    /// The next second from the end of warming up, or that end, or the run's.
    fn next_look(&self, looked: Duration) -> Duration {
        let next = looked + Duration::from_secs(1);
        let next = if looked < self.warm_up {
            next.min(self.warm_up)
        } else {
            next
        };
        next.min(self.end)
    }

    fn tick(&self, from: Duration, to: Duration, schedule: &Schedule) -> Tick {
        let Interval {
            latency,
            answered,
            failed,
        } = self.meter.interval();
        let refused = self.refused.swap(0, Ordering::Relaxed);
        let seconds = (to.saturating_sub(from)).as_secs_f64().max(1e-9);
        Tick {
            at: to.as_secs_f64() - self.warm_up.as_secs_f64(),
            asked: schedule.rate_at(from + (to.saturating_sub(from)) / 2),
            answered: count(answered) / seconds,
            failed: count(failed + refused) / seconds,
            in_flight: self.in_flight.load(Ordering::Relaxed),
            latency: Latency::of(&latency),
        }
    }

    /// Waits for the calls that are still under way: each has its deadline, and who interrupts does not wait for it;
    /// false when somebody did.
    async fn drain(&self) -> bool {
        let all = async {
            while self.in_flight.load(Ordering::Relaxed) > 0 {
                sleep(LOOK).await;
            }
        };
        // Calls that do not even end at their deadline are left out.
        drained(timeout(self.deadline + PATIENCE, all), &self.stop).await
    }

    /// What ended after the run, as a last entry of a second or longer, if anything did.
    fn rest(&self, timeline: &[Tick]) -> Option<Tick> {
        let Interval {
            latency,
            answered,
            failed,
        } = self.meter.interval();
        // What was under way when the run ended is no second of it, unless the server kept it waiting.
        let worst = timeline
            .iter()
            .map(|tick| tick.latency.max_ms)
            .fold(0.0, f64::max);
        let rest = Latency::of(&latency);
        let last = timeline.last().map_or(0.0, |tick| tick.at);
        let now = Instant::now().saturating_duration_since(self.start + self.warm_up);
        let seconds = (now.as_secs_f64() - last).max(1.0);
        (rest.max_ms > worst).then(|| Tick {
            at: last + seconds,
            answered: count(answered) / seconds,
            failed: count(failed) / seconds,
            latency: rest,
            ..Tick::default()
        })
    }

    fn tallies(&self, bound: u32) -> Vec<Tally> {
        let mut tallies = self.meter.tallies();
        for (tally, refused) in tallies.iter_mut().zip(&self.refused_measured) {
            tally.refuse(refused.load(Ordering::Relaxed), bound);
        }
        tallies
    }
}

/// Waits for the last calls; false when somebody interrupted it and they had not ended soon after.
async fn drained<T>(all: impl Future<Output = T>, stop: &Stop) -> bool {
    let enough = async {
        stop.asked().await;
        sleep(PATIENCE).await;
    };
    tokio::select! {
        _ = all => true,
        () = enough => false,
    }
}

fn late() -> Failure {
    Failure::new(Code::DeadlineExceeded, "no answer within the deadline")
}

fn is_unavailable(outcome: &Result<Answered, Failure>) -> bool {
    matches!(outcome, Err(failure) if failure.code == Code::Unavailable)
}

#[cfg(test)]
mod tests {
    use std::future;

    use super::*;

    #[tokio::test]
    async fn only_calls_that_had_not_ended_make_an_interruption_one() {
        let stop = Stop::pressed();
        assert!(drained(future::ready(()), &stop).await);
        assert!(!drained(future::pending::<()>(), &stop).await);
    }
}
