//! What came out of a run: what `--json` writes and `--compare` reads. Fields are only ever added.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::table::amount;
use super::thresholds::Verdict;
use crate::whole;

/// The form of the file.
const VERSION: u32 = 1;
/// A file of a result is no larger.
pub(super) const MAX_BYTES: u64 = 64 << 20;

/// A run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    /// The form of the file.
    pub(crate) version: u32,
    /// The version of Entente that measured.
    pub(crate) entente: String,
    /// The scenario's name.
    pub(crate) scenario: String,
    /// What it is for.
    pub(crate) about: String,
    /// The address.
    pub(crate) server: String,
    /// When it began, RFC 3339.
    pub(crate) started: String,
    /// How long it was measured, and how long it ran before.
    pub(crate) seconds: f64,
    pub(crate) warm_up_seconds: f64,
    /// Cores of the generator's machine.
    pub(crate) cores: usize,
    pub(crate) connections: u16,
    /// Whether it was ended before its time.
    pub(crate) interrupted: bool,
    /// All calls.
    pub(crate) calls: Counts,
    /// Calls a second: that were to be made, and that were answered well meanwhile.
    pub(crate) rate_asked: f64,
    pub(crate) rate_achieved: f64,
    /// How long answered calls took, and those that ran into the deadline.
    pub(crate) latency: Latency,
    /// Shares of calls (0 to 1) and the milliseconds that so many did not exceed.
    pub(crate) distribution: Vec<(f64, f64)>,
    /// How calls failed.
    pub(crate) errors: Vec<CodeCount>,
    /// By kind of call.
    pub(crate) methods: Vec<Method>,
    /// By second; of a long run by stretches of 2, 4, 8 and so on.
    pub(crate) timeline: Vec<Tick>,
    /// The streams that were open meanwhile.
    pub(crate) watchers: Option<Watched>,
    /// How well the generator kept its own time.
    pub(crate) generator: Generator,
    /// What was to hold.
    pub(crate) thresholds: Vec<Verdict>,
    /// The highest rate at which it held, where that was looked for.
    pub(crate) limit: Option<Limit>,
}

/// How many calls met which fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Counts {
    /// Were to be made.
    pub(crate) asked: u64,
    /// Were answered well.
    pub(crate) answered: u64,
    /// Were answered well before the run was over.
    pub(crate) in_time: u64,
    /// Failed, those that were not made among them.
    pub(crate) failed: u64,
    /// Were not made, because as many as may be were under way.
    pub(crate) refused: u64,
    /// Were made again after nobody was found; each counts once for every further time.
    pub(crate) retried: u64,
    /// Bytes of all answers.
    pub(crate) bytes: u64,
}

/// A code that calls failed with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CodeCount {
    /// gRPC's name; `GENERATOR_BUSY` for calls that were not made.
    pub(crate) code: String,
    pub(crate) count: u64,
    /// What the first one said.
    pub(crate) example: String,
}

/// A kind of call.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Method {
    pub(crate) call: String,
    pub(crate) calls: Counts,
    /// Calls a second that were answered well meanwhile.
    pub(crate) rate_achieved: f64,
    /// Of an ingest: figures a second.
    pub(crate) rows_achieved: Option<f64>,
    pub(crate) latency: Latency,
}

/// How long calls took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Latency {
    pub(crate) count: u64,
    pub(crate) mean_ms: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

/// A second of a run, or a longer stretch with the worst latencies of its seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Tick {
    /// Its end, in seconds from where measuring began.
    pub(crate) at: f64,
    /// Calls a second: that were to be made, that were answered well, that failed.
    pub(crate) asked: f64,
    pub(crate) answered: f64,
    pub(crate) failed: f64,
    /// Calls under way at its end.
    pub(crate) in_flight: u64,
    /// Of the calls that ended in it.
    pub(crate) latency: Latency,
}

/// Streams that were open meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Watched {
    /// How many.
    pub(crate) streams: u64,
    /// Messages with something that was recorded while it was measured.
    pub(crate) messages: u64,
    /// What was recorded meanwhile, once for each stream; and of how much of it the stream was not told in time.
    pub(crate) expected: u64,
    pub(crate) missing: u64,
    /// Messages of others, and signs of life.
    pub(crate) others: u64,
    /// How often a stream broke, and was opened again.
    pub(crate) broken: u64,
    /// From when something was to be recorded to its message.
    pub(crate) latency: Latency,
}

/// How well the generator kept its own time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Generator {
    /// How late calls left.
    pub(crate) lateness: Latency,
}

/// The search for the highest rate at which thresholds hold.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limit {
    /// Calls a second; none where not even the lowest held.
    pub(crate) rate: Option<f64>,
    /// Whether it was found, or only that it is higher.
    pub(crate) found: bool,
    /// Whether the search was ended before its time.
    pub(crate) interrupted: bool,
    /// The rates that were tried, in order.
    pub(crate) steps: Vec<Step>,
}

/// A rate that was tried.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Step {
    /// Calls a second that were to be made, and that were answered well.
    pub(crate) rate: f64,
    pub(crate) achieved: f64,
    pub(crate) latency: Latency,
    /// How late the generator began one call in a hundred, or later.
    pub(crate) lateness_p99_ms: f64,
    /// The share that failed.
    pub(crate) errors: f64,
    pub(crate) held: bool,
    /// What did not hold.
    pub(crate) broken: Vec<String>,
}

impl Latency {
    /// Of a histogram of microseconds.
    pub(crate) fn of(histogram: &Histogram<u64>) -> Latency {
        let at = |share: f64| millis(Duration::from_micros(histogram.value_at_quantile(share)));
        if histogram.is_empty() {
            return Latency::default();
        }
        Latency {
            count: histogram.len(),
            mean_ms: histogram.mean() / 1e3,
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: millis(Duration::from_micros(histogram.max())),
        }
    }
}

/// A figure of a latency.
pub(crate) type OfLatency = fn(&Latency) -> f64;

impl Latency {
    /// A figure of it; none when nothing was answered.
    pub(crate) fn given(&self, figure: OfLatency) -> Option<f64> {
        (self.count > 0).then(|| figure(self))
    }

    /// Whether so much of it is of the generator that nothing is known of the server.
    pub(crate) fn is_of_generator(&self, lateness_p99_ms: f64) -> bool {
        lateness_p99_ms > 1.0 && lateness_p99_ms > self.p99_ms / 2.0
    }
}

impl Step {
    /// For people: whether it held, or what did not.
    pub(crate) fn words(&self) -> String {
        if self.held {
            return "held".to_owned();
        }
        let broken = format!("broke {}", self.broken.join(", "));
        if self.latency.is_of_generator(self.lateness_p99_ms) {
            format!("{broken}; the generator was too slow")
        } else {
            broken
        }
    }
}

impl Limit {
    /// For people: what is known of it.
    pub(crate) fn words(&self) -> String {
        match (self.rate.map(amount), self.found, self.interrupted) {
            (Some(rate), true, _) => format!("The limit is at {rate} calls a second."),
            (Some(rate), false, true) => {
                format!(
                    "Interrupted: all held at {rate} calls a second, and the limit is not known."
                )
            }
            (Some(rate), false, false) => format!("The limit is above {rate} calls a second."),
            (None, _, true) => "Interrupted before any rate held.".to_owned(),
            (None, _, false) => "Not even the lowest rate held.".to_owned(),
        }
    }
}

/// The shares at which a distribution is told: each step leaves three quarters of what was left.
pub(crate) fn distribution(histogram: &Histogram<u64>) -> Vec<(f64, f64)> {
    if histogram.is_empty() {
        return Vec::new();
    }
    let mut left = 1.0;
    let mut points = Vec::new();
    // No share is told that has fewer calls behind it than one.
    while left * count(histogram.len()) >= 1.0 {
        let share = 1.0 - left;
        points.push((
            share,
            millis(Duration::from_micros(histogram.value_at_quantile(share))),
        ));
        left *= 0.75;
    }
    points.push((1.0, millis(Duration::from_micros(histogram.max()))));
    points
}

impl Report {
    /// Reads a file that `--json` wrote.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Report> {
        let name = path.display();
        let text = whole::read(path, MAX_BYTES)?;
        let report: Report = serde_json::from_str(&text)
            .with_context(|| format!("{name} is no result of `entente load`"))?;
        ensure!(
            report.version == VERSION,
            "{name} is of version {}, and this program reads {VERSION}",
            report.version
        );
        Ok(report)
    }

    /// As the file has it.
    pub(crate) fn json(&self) -> anyhow::Result<String> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    /// The kinds of calls, and, of several, all together.
    pub(crate) fn rows(&self) -> Vec<Method> {
        let mut rows = self.methods.clone();
        if rows.len() > 1 {
            rows.push(Method {
                call: "all".into(),
                calls: self.calls,
                rate_achieved: self.rate_achieved,
                latency: self.latency,
                rows_achieved: None,
            });
        }
        rows
    }

    /// An empty one of this program.
    pub(crate) fn new() -> Report {
        Report {
            version: VERSION,
            entente: env!("CARGO_PKG_VERSION").into(),
            ..Report::default()
        }
    }

    /// Whether all held that was to hold.
    pub(crate) fn held(&self) -> bool {
        self.thresholds.iter().all(|verdict| verdict.held)
    }

    /// The share of calls that failed; none when there were none.
    pub(crate) fn failed(&self) -> Option<f64> {
        (self.calls.asked > 0).then(|| count(self.calls.failed) / count(self.calls.asked))
    }
}

/// Milliseconds, to a thousandth.
pub(crate) fn millis(length: Duration) -> f64 {
    (length.as_secs_f64() * 1e6).round() / 1e3
}

/// A count, to be divided.
#[expect(
    clippy::cast_precision_loss,
    reason = "what is counted here stays far below 2^52"
)]
pub(crate) fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.json");
        let mut report = Report::new();
        report.scenario = "smoke".into();
        std::fs::write(&path, report.json().unwrap()).unwrap();
        assert_eq!(Report::read(&path).unwrap().scenario, "smoke");
        std::fs::write(&path, r#"{"version": 9}"#).unwrap();
        assert!(format!("{:#}", Report::read(&path).unwrap_err()).contains("of version 9"));
        std::fs::write(&path, "<html>").unwrap();
        assert!(format!("{:#}", Report::read(&path).unwrap_err()).contains("no result of"));
    }

    #[test]
    fn a_generator_that_was_too_slow_says_so_of_the_rate_that_broke() {
        let step = |lateness_p99_ms| Step {
            broken: vec!["p99".into()],
            lateness_p99_ms,
            latency: Latency {
                p99_ms: 12.0,
                ..Latency::default()
            },
            ..Step::default()
        };
        assert_eq!(step(0.2).words(), "broke p99");
        assert_eq!(step(9.0).words(), "broke p99; the generator was too slow");
    }

    #[test]
    fn a_search_that_was_interrupted_claims_no_limit() {
        let limit = |rate, found, interrupted| Limit {
            rate,
            found,
            interrupted,
            ..Limit::default()
        };
        assert_eq!(
            limit(Some(200.0), true, false).words(),
            "The limit is at 200 calls a second."
        );
        let told = limit(Some(200.0), false, true).words();
        assert!(told.contains("the limit is not known"), "{told}");
        assert!(limit(None, false, true).words().starts_with("Interrupted"));
    }

    #[test]
    fn a_distribution_ends_at_the_longest() {
        let mut histogram = Histogram::new(3).unwrap();
        (1..=1_000_u64).for_each(|micros| histogram.record(micros).unwrap());
        let points = distribution(&histogram);
        assert!(
            points.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1),
            "{points:?}"
        );
        assert_eq!(points.last().unwrap(), &(1.0, 1.0));
        assert!(distribution(&Histogram::new(3).unwrap()).is_empty());
    }
}
