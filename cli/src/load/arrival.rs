//! When calls are to be made: whatever the answers do. A server that stalls meets the calls that come meanwhile, as it
//! does when people make them.

use std::time::Duration;

use serde::Deserialize;

use super::span::Span;

/// Calls a second that a scenario may ask for.
const LARGEST_RATE: f64 = 1e6;
/// Stages of a scenario.
const MOST_STAGES: usize = 100;

/// How a scenario says it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arrival {
    /// Calls a second, all the time.
    pub(crate) rate: Option<f64>,
    /// Calls a second at the beginning and at the end; evenly more or fewer in between.
    from: Option<f64>,
    to: Option<f64>,
    /// One after the other.
    #[serde(default)]
    stages: Vec<Stage>,
}

/// A part of a run.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stage {
    /// Calls a second, at its end.
    rate: f64,
    /// How long it is.
    #[serde(rename = "for")]
    length: Span,
    /// Whether the rate goes there evenly from that of the stage before, instead of at once.
    #[serde(default)]
    ramp: bool,
}

/// A stretch in which the rate goes evenly from one to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Segment {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) length: Duration,
}

impl Arrival {
    /// So many calls a second, all the time.
    pub(crate) fn constant(rate: f64) -> Arrival {
        Arrival {
            rate: Some(rate),
            ..Arrival::default()
        }
    }

    /// Whether it says itself how long it is.
    pub(crate) fn is_staged(&self) -> bool {
        !self.stages.is_empty()
    }

    /// The stretches of a run; `duration` is how long it is where no stages say so.
    pub(crate) fn segments(&self, duration: Option<Span>) -> Result<Vec<Segment>, String> {
        let segments = match (self, duration) {
            (
                Arrival {
                    rate: Some(rate),
                    from: None,
                    to: None,
                    stages,
                },
                Some(length),
            ) if stages.is_empty() => {
                vec![Segment {
                    from: *rate,
                    to: *rate,
                    length: length.0,
                }]
            }
            (
                Arrival {
                    rate: None,
                    from: Some(from),
                    to: Some(to),
                    stages,
                },
                Some(length),
            ) if stages.is_empty() => {
                vec![Segment {
                    from: *from,
                    to: *to,
                    length: length.0,
                }]
            }
            (
                Arrival {
                    rate: None,
                    from: None,
                    to: None,
                    stages,
                },
                None,
            ) if !stages.is_empty() => staged(stages)?,
            _ => return Err(NEITHER.into()),
        };
        segments.iter().try_for_each(Segment::check)?;
        Ok(segments)
    }
}

const NEITHER: &str =
    "arrival: give `rate`, or `from` and `to`, and `duration`; or `stages`, and no `duration`";

fn staged(stages: &[Stage]) -> Result<Vec<Segment>, String> {
    if stages.len() > MOST_STAGES {
        return Err(format!("arrival.stages: more than {MOST_STAGES}"));
    }
    let mut before = 0.0;
    let segment = |stage: &Stage| {
        let from = if stage.ramp { before } else { stage.rate };
        before = stage.rate;
        Segment {
            from,
            to: stage.rate,
            length: stage.length.0,
        }
    };
    Ok(stages.iter().map(segment).collect())
}

impl Segment {
    fn check(&self) -> Result<(), String> {
        for rate in [self.from, self.to] {
            if !(0.0..=LARGEST_RATE).contains(&rate) {
                return Err(format!(
                    "arrival: {rate} is no rate from 0 to {LARGEST_RATE} calls a second"
                ));
            }
        }
        if self.length.is_zero() {
            return Err("arrival: a duration of nothing".into());
        }
        Ok(())
    }

    /// Its beginning, and no more of it than is so long.
    pub(crate) fn first(self, length: Duration) -> Segment {
        let length = length.min(self.length);
        Segment {
            to: self.rate_at(length),
            length,
            ..self
        }
    }

    /// How many calls come in it.
    pub(crate) fn calls(&self) -> f64 {
        f64::midpoint(self.from, self.to) * self.length.as_secs_f64()
    }

    /// When so many calls have come, from its beginning.
    fn reached(&self, calls: f64) -> Duration {
        let slope = (self.to - self.from) / self.length.as_secs_f64();
        if calls <= 0.0 {
            return Duration::ZERO;
        }
        let seconds = if slope.abs() < 1e-9 {
            calls / self.from
        } else {
            // The root of from·t + slope·t²/2 = calls, in the form that loses no digits where the slope is small.
            let root = (self.from * self.from + 2.0 * slope * calls)
                .max(0.0)
                .sqrt();
            2.0 * calls / (self.from + root)
        };
        Duration::try_from_secs_f64(seconds).map_or(self.length, |at| at.min(self.length))
    }

    /// The rate at a time of it.
    fn rate_at(&self, at: Duration) -> f64 {
        let part = at.as_secs_f64() / self.length.as_secs_f64();
        self.from + (self.to - self.from) * part.min(1.0)
    }
}

/// The times of all calls, from the start of the run.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    segments: Vec<Segment>,
    /// The segment, when it began, and how many calls of it have come.
    at: usize,
    began: Duration,
    calls: f64,
}

impl Schedule {
    pub(crate) fn new(segments: Vec<Segment>) -> Schedule {
        Schedule {
            segments,
            at: 0,
            began: Duration::ZERO,
            calls: 0.0,
        }
    }

    /// How long it is.
    pub(crate) fn length(&self) -> Duration {
        self.segments.iter().map(|segment| segment.length).sum()
    }

    /// How many calls a second are asked for at a time of it.
    pub(crate) fn rate_at(&self, mut at: Duration) -> f64 {
        for segment in &self.segments {
            if at < segment.length {
                return segment.rate_at(at);
            }
            at -= segment.length;
        }
        0.0
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        loop {
            let segment = self.segments.get(self.at)?;
            if self.calls < segment.calls() {
                let at = self.began + segment.reached(self.calls);
                self.calls += 1.0;
                return Some(at);
            }
            // What is left of a call is made up in the next stretch, so that no change of rates drifts.
            self.calls -= segment.calls();
            self.began += segment.length;
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(text: &str, duration: Option<&str>) -> Vec<Duration> {
        let arrival: Arrival = toml::from_str(text).unwrap();
        let duration = duration.map(|text| text.parse().unwrap());
        Schedule::new(arrival.segments(duration).unwrap()).collect()
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced() {
        let times = times("rate = 4", Some("2s"));
        assert_eq!(times.len(), 8);
        assert_eq!(times[5], Duration::from_millis(1_250));
    }

    #[test]
    fn a_ramp_has_the_calls_of_its_mean_rate_and_more_at_its_end() {
        let times = times("from = 0\nto = 200", Some("10s"));
        assert_eq!(times.len(), 1_000);
        assert!(times.is_sorted());
        let first_half = times.iter().filter(|at| at.as_secs() < 5).count();
        assert!((245..=255).contains(&first_half), "{first_half}");
    }

    #[test]
    fn stages_follow_one_another() {
        let stages = "stages = [{ rate = 10, for = '2s' }, { rate = 30, for = '2s', ramp = true }, { rate = 0, for = '1s' }]";
        let times = times(stages, None);
        assert_eq!(times.len(), 20 + 40);
        assert!(times.iter().all(|at| *at < Duration::from_secs(4)));
        let arrival: Arrival = toml::from_str(stages).unwrap();
        let schedule = Schedule::new(arrival.segments(None).unwrap());
        assert_eq!(schedule.length(), Duration::from_secs(5));
        assert!((schedule.rate_at(Duration::from_secs(3)) - 20.0).abs() < 1e-9);
    }

    #[test]
    fn the_beginning_of_a_ramp_has_the_calls_until_then() {
        let ramp = Segment {
            from: 0.0,
            to: 200.0,
            length: Duration::from_secs(10),
        };
        let calls = |seconds| ramp.first(Duration::from_secs(seconds)).calls();
        let calls = format!("{:?}", [0, 5, 10, 20].map(calls));
        assert_eq!(calls, "[0.0, 250.0, 1000.0, 1000.0]");
    }

    #[test]
    fn what_says_two_things_or_none_is_refused() {
        for (text, duration) in [
            ("", Some("1s")),
            ("rate = 1", None),
            ("rate = 1\nfrom = 2\nto = 3", Some("1s")),
            ("from = 2", Some("1s")),
            ("stages = [{ rate = 1, for = '1s' }]", Some("1s")),
            ("rate = -1", Some("1s")),
            ("rate = nan", Some("1s")),
            ("rate = 1e9", Some("1s")),
            ("rate = 1", Some("0s")),
        ] {
            let arrival: Arrival = toml::from_str(text).unwrap();
            let duration = duration.map(|text| text.parse().unwrap());
            assert!(arrival.segments(duration).is_err(), "{text}");
        }
    }
}
