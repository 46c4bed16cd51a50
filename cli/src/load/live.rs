//! How far a run is, on standard error: a line that changes on a terminal, a line a second elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::ProgressBar;

use super::result::Tick;
use super::table::{amount, time, time_of};
use crate::progress;

/// What is shown.
#[derive(Debug)]
pub(super) struct Live {
    bar: Option<ProgressBar>,
    /// What comes before the figures.
    title: String,
    length: Duration,
    quiet: bool,
}

impl Live {
    /// Of a run of this length, apart from warming up.
    pub(super) fn new(title: &str, length: Duration, quiet: bool) -> Live {
        let is_drawn = !quiet && io::stderr().is_terminal();
        Live {
            bar: is_drawn.then(|| drawn(title, length)),
            title: title.to_owned(),
            length,
            quiet,
        }
    }

    /// A second before measuring.
    pub(super) fn warming(&mut self, tick: &Tick) {
        self.tell(tick, "warming up");
    }

    /// A second of the run.
    pub(super) fn show(&mut self, tick: &Tick) {
        let left = self.length.as_secs_f64() - tick.at;
        let left = time((left.max(0.0)) * 1e3);
        self.tell(tick, &format!("{left} left"));
    }

    fn tell(&self, tick: &Tick, state: &str) {
        if self.quiet {
            return;
        }
        let line = words(tick, state);
        match &self.bar {
            Some(bar) => {
                bar.set_position(millis(tick.at));
                bar.set_message(line);
            }
            // Nobody may be left to read it.
            None => drop(writeln!(io::stderr(), "{} {line}", self.title)),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn drawn(title: &str, length: Duration) -> ProgressBar {
    let length = millis(length.as_secs_f64());
    progress::bar(Some(length), "{prefix} {bar:20} {msg}").with_prefix(title.to_owned())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float saturates, and a bar is not exact"
)]
fn millis(seconds: f64) -> u64 {
    (seconds * 1e3) as u64
}

fn words(tick: &Tick, state: &str) -> String {
    let Tick {
        answered,
        asked,
        failed,
        in_flight,
        latency,
        ..
    } = tick;
    format!(
        "{}/s of {}, p50 {}, p99 {}, max {}, {} failed, {in_flight} under way, {state}",
        amount(*answered),
        amount(*asked),
        time_of(latency, |latency| latency.p50_ms),
        time_of(latency, |latency| latency.p99_ms),
        time_of(latency, |latency| latency.max_ms),
        amount(*failed),
    )
}
