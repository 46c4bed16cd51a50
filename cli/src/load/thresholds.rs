//! What must hold of a run, and whether it did.

use serde::{Deserialize, Serialize};

use super::result::{Latency, millis};
use super::span::Span;

/// What must hold; nothing that is not given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Thresholds {
    /// The latency that half of the calls may exceed.
    pub(crate) p50: Option<Span>,
    /// The latency that one call in twenty may exceed.
    pub(crate) p95: Option<Span>,
    /// The latency that one in a hundred may exceed.
    pub(crate) p99: Option<Span>,
    /// The latency that one in a thousand may exceed.
    pub(crate) p999: Option<Span>,
    /// The share of calls that may fail, from 0 to 1.
    pub(crate) errors: Option<f64>,
    /// The share of the calls that were asked for which must be answered well before the run is over, from 0 to 1.
    pub(crate) achieved: Option<f64>,
}

/// A threshold that was held against a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    /// Which: `p99`, `briefing p99`.
    pub(crate) what: String,
    /// What was to hold, in milliseconds or as a share.
    pub(crate) limit: f64,
    /// What came out; unset when there was nothing to measure, which is a miss.
    pub(crate) measured: Option<f64>,
    /// Whether it held.
    pub(crate) held: bool,
}

/// What came out of some calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome<'a> {
    /// Of the calls that were answered.
    pub(crate) latency: &'a Latency,
    /// Calls that were to be made, and those that failed.
    pub(crate) asked: u64,
    pub(crate) failed: u64,
    /// Calls that were answered well before the run was over.
    pub(crate) in_time: u64,
}

impl Thresholds {
    /// Takes `p99=10ms`.
    pub(crate) fn set(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text
            .split_once('=')
            .ok_or("it looks like p99=10ms or errors=0.001")?;
        let span = || value.parse().map(Some);
        let share = || {
            value
                .parse()
                .map(Some)
                .map_err(|_| format!("`{value}` is no share from 0 to 1"))
        };
        match name {
            "p50" => self.p50 = span()?,
            "p95" => self.p95 = span()?,
            "p99" => self.p99 = span()?,
            "p999" => self.p999 = span()?,
            "errors" => self.errors = share()?,
            "achieved" => self.achieved = share()?,
            _ => {
                return Err(format!(
                    "`{name}` is none of p50, p95, p99, p999, errors, achieved"
                ));
            }
        }
        Ok(())
    }

    /// Whether anything must hold of latencies.
    pub(crate) fn has_latency(&self) -> bool {
        let spans = [self.p50, self.p95, self.p99, self.p999];
        spans.iter().any(Option::is_some)
    }

    /// What the form of a file does not say.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, share) in [("errors", self.errors), ("achieved", self.achieved)] {
            if let Some(share) = share
                && !(0.0..=1.0).contains(&share)
            {
                return Err(format!("{name}: {share} is no share from 0 to 1"));
            }
        }
        Ok(())
    }

    /// Holds them against an outcome; `of` is put before the names.
    pub(crate) fn judge(&self, of: &str, outcome: Outcome<'_>) -> Vec<Verdict> {
        let Outcome {
            latency,
            asked,
            failed,
            in_time,
        } = outcome;
        let name = |what: &str| format!("{of} {what}").trim_start().to_owned();
        let any = latency.count > 0;
        let spans = [
            ("p50", self.p50, latency.p50_ms),
            ("p95", self.p95, latency.p95_ms),
            ("p99", self.p99, latency.p99_ms),
            ("p999", self.p999, latency.p999_ms),
        ];
        let at_most = |(what, limit, measured): (&str, Option<Span>, f64)| {
            let limit = millis(limit?.0);
            Some(Verdict {
                what: name(what),
                limit,
                measured: any.then_some(measured),
                held: any && measured <= limit,
            })
        };
        let mut verdicts: Vec<Verdict> = spans.into_iter().filter_map(at_most).collect();
        let errors = share(failed, asked);
        // Calls from before the first one that counts may be answered in time as well.
        let well = share(in_time.min(asked), asked);
        verdicts.extend(self.errors.map(|limit| Verdict {
            what: name("errors"),
            limit,
            measured: errors,
            held: errors.is_some_and(|errors| errors <= limit),
        }));
        verdicts.extend(self.achieved.map(|limit| Verdict {
            what: name("achieved"),
            limit,
            measured: well,
            held: well.is_some_and(|well| well >= limit),
        }));
        verdicts
    }
}

impl Verdict {
    /// For people: `p99 4.2 ms, at most 10 ms`.
    pub(crate) fn words(&self) -> String {
        let is_share = self.what.ends_with("errors") || self.what.ends_with("achieved");
        let said = |number: f64| {
            if is_share {
                format!("{} %", rounded(number * 100.0))
            } else {
                format!("{} ms", rounded(number))
            }
        };
        let bound = if self.what.ends_with("achieved") {
            "at least"
        } else {
            "at most"
        };
        let measured = self.measured.map_or("nothing measured".into(), said);
        format!("{} {measured}, {bound} {}", self.what, said(self.limit))
    }
}

/// No more decimals than say something.
fn rounded(number: f64) -> String {
    let decimals = match number {
        ..10.0 => 3,
        ..100.0 => 1,
        _ => return format!("{number:.0}"),
    };
    let text = format!("{number:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share needs no more digits than a float has"
)]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latency(p99_ms: f64) -> Latency {
        Latency {
            count: 100,
            p50_ms: 1.0,
            p99_ms,
            ..Latency::default()
        }
    }

    fn judged(text: &str, asked: u64, failed: u64) -> Vec<(String, bool)> {
        let thresholds: Thresholds = toml::from_str(text).unwrap();
        let outcome = Outcome {
            latency: &latency(12.5),
            asked,
            failed,
            in_time: asked - failed,
        };
        let verdicts = thresholds.judge("", outcome);
        verdicts
            .into_iter()
            .map(|one| (one.words(), one.held))
            .collect()
    }

    #[test]
    fn a_threshold_holds_or_not() {
        assert_eq!(
            judged("p50 = '1ms'\np99 = '10ms'", 100, 0),
            [
                ("p50 1 ms, at most 1 ms".into(), true),
                ("p99 12.5 ms, at most 10 ms".into(), false)
            ]
        );
        assert_eq!(
            judged("errors = 0.01\nachieved = 0.99", 100, 2),
            [
                ("errors 2 %, at most 1 %".into(), false),
                ("achieved 98 %, at least 99 %".into(), false)
            ]
        );
        assert_eq!(
            judged("errors = 0", 0, 0),
            [("errors nothing measured, at most 0 %".into(), false)]
        );
    }

    #[test]
    fn a_threshold_of_the_command_line_takes_the_place_of_the_files() {
        let mut thresholds: Thresholds = toml::from_str("p99 = '10ms'").unwrap();
        thresholds.set("p99=20ms").unwrap();
        thresholds.set("errors=0.5").unwrap();
        assert_eq!(thresholds.p99, "20ms".parse().ok());
        for wrong in ["p99", "p98=1ms", "p99=1", "errors=few"] {
            assert!(thresholds.set(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_from_0_to_1() {
        for (text, is_share) in [
            ("errors=0", true),
            ("achieved=1", true),
            ("errors=-0.1", false),
            ("achieved=95", false),
            ("errors=nan", false),
            ("errors=inf", false),
        ] {
            let mut thresholds = Thresholds::default();
            thresholds.set(text).unwrap();
            assert_eq!(thresholds.check().is_ok(), is_share, "{text}");
        }
    }
}
