//! Round numbers along an axis, and which periods get a label.

use proto::{Frequency, Period};

use crate::figures;

/// No sum of money is larger; what claims to be is left out of the scale.
const LARGEST: f64 = 1e30;
const STEPS: [f64; 4] = [1.0, 2.0, 5.0, 10.0];
const YEARS: [usize; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];
const MONTHS: [usize; 12] = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1_200, 6_000, 12_000];
const UNITS: [(f64, &str); 4] = [(1e12, "tn"), (1e9, "bn"), (1e6, "m"), (1e3, "thousand")];

/// A scale of round steps that has zero and all values on it.
#[derive(Debug)]
pub(crate) struct Axis {
    step: f64,
    /// The ends, in steps from zero.
    first: i32,
    last: i32,
    divisor: f64,
    word: &'static str,
}

/// A place on an axis.
#[derive(Debug)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) label: String,
}

impl Axis {
    /// For these values, with about so many steps.
    pub(crate) fn of(values: impl Iterator<Item = f64>, steps: u8) -> Axis {
        let values = values.filter(|value| value.abs() < LARGEST);
        let (low, high) = values.fold((0.0_f64, 0.0_f64), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let span = if high > low { high - low } else { 1.0 };
        let step = round_step(span / f64::from(steps.max(1)));
        let unit = UNITS.into_iter().find(|(size, _)| high.max(-low) >= *size);
        let (divisor, word) = unit.unwrap_or((1.0, ""));
        Axis {
            step,
            first: -steps_to(-low, step),
            last: steps_to(high, step).max(i32::from(low >= high)),
            divisor,
            word,
        }
    }

    /// The round numbers, from the lowest.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = Tick> {
        let decimals = decimals_of(self.step / self.divisor);
        (self.first..=self.last).map(move |steps| {
            let value = f64::from(steps) * self.step;
            let label = figures::grouped(&format!("{:.decimals$}", value / self.divisor));
            Tick { value, label }
        })
    }

    /// Where a value is, from 0 at the lower end to 1 at the upper.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let (low, high) = (f64::from(self.first), f64::from(self.last));
        ((value / self.step - low) / (high - low)).clamp(0.0, 1.0)
    }

    pub(crate) fn has_negative(&self) -> bool {
        self.first < 0
    }

    /// What the axis counts: `bn USD`.
    pub(crate) fn unit(&self, unit: &str) -> String {
        format!("{} {unit}", self.word).trim().to_owned()
    }

    /// A value as the axis counts it, with two decimals.
    pub(crate) fn fixed(&self, value: f64) -> String {
        figures::grouped(&format!("{:.2}", value / self.divisor))
    }

    /// A value as the axis counts it, to some three digits: `25.3`.
    pub(crate) fn figure(&self, value: f64) -> String {
        let scaled = value / self.divisor;
        let decimals = match scaled.abs() {
            100.0.. => 0,
            10.0.. => 1,
            1.0.. => 2,
            _ => 3,
        };
        let text = format!("{scaled:.decimals$}");
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        figures::grouped(if text == "-0" { "0" } else { text })
    }
}

/// The next 1, 2 or 5 with zeros.
fn round_step(least: f64) -> f64 {
    let magnitude = 10.0_f64.powf(least.log10().floor());
    let step = STEPS
        .map(|step| step * magnitude)
        .into_iter()
        .find(|step| *step >= least);
    step.unwrap_or(10.0 * magnitude)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "an axis has a handful of steps"
)]
fn steps_to(end: f64, step: f64) -> i32 {
    // A binary fraction just above a round number is that number.
    (end / step - 1e-9).ceil().max(0.0) as i32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a step has a handful of decimals"
)]
fn decimals_of(step: f64) -> usize {
    (-step.log10() - 1e-9).ceil().max(0.0) as usize
}

/// Which periods get a label when `most` have room: every so many, at round years or months.
pub(crate) fn labelled(x: &[String], most: usize) -> Vec<usize> {
    let periods: Vec<Option<Period>> = x.iter().map(|label| label.parse().ok()).collect();
    let monthly = periods.iter().flatten().next().map(|p| p.frequency()) == Some(Frequency::Month);
    let strides = if monthly { MONTHS } else { YEARS };
    let stride = strides
        .into_iter()
        .find(|stride| x.len().div_ceil(*stride) <= most.max(1));
    let stride = stride.unwrap_or(x.len().max(1));
    let is_round = |period: &Option<Period>| {
        period.is_some_and(|period| count_of(period, monthly).is_multiple_of(stride))
    };
    let first = periods.iter().position(is_round).unwrap_or_default();
    (first % stride..x.len()).step_by(stride).collect()
}

/// The year, or the months since January of the year 0.
fn count_of(period: Period, monthly: bool) -> usize {
    let months = period.start().ordinal() as usize + 12;
    if monthly { months } else { months / 12 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(values: &[f64]) -> (Vec<String>, String) {
        let axis = Axis::of(values.iter().copied(), 5);
        let labels = axis.ticks().map(|tick| tick.label).collect();
        (labels, axis.unit("USD"))
    }

    #[test]
    fn ticks_are_round_numbers_in_a_readable_unit() {
        let (labels, unit) = axis(&[25.25e9, 43.82e9]);
        assert_eq!(labels, ["0", "10", "20", "30", "40", "50"]);
        assert_eq!(unit, "bn USD");
        let (labels, unit) = axis(&[1.1e6]);
        assert_eq!(labels, ["0.0", "0.5", "1.0", "1.5"]);
        assert_eq!(unit, "m USD");
        let (labels, unit) = axis(&[7.0]);
        assert_eq!(labels, ["0", "2", "4", "6", "8"]);
        assert_eq!(unit, "USD");
        let (labels, unit) = axis(&[999_999_999_999_999_999.0]);
        assert_eq!(labels.last().map(String::as_str), Some("1,000,000"));
        assert_eq!(unit, "tn USD");
    }

    #[test]
    fn an_axis_goes_below_zero_only_for_a_negative_value() {
        let (labels, _) = axis(&[-3e9, 8e9]);
        assert_eq!(labels, ["-5", "0", "5", "10"]);
        let (labels, _) = axis(&[-3e9]);
        assert_eq!(labels, ["-3", "-2", "-1", "0"]);
    }

    #[test]
    fn nothing_zero_and_what_is_no_number_still_have_an_axis() {
        for values in [&[][..], &[0.0], &[f64::NAN], &[f64::INFINITY]] {
            let (labels, _) = axis(values);
            assert_eq!((labels[0].as_str(), labels.len()), ("0.0", 2), "{values:?}");
        }
        let axis = Axis::of([0.0].into_iter(), 5);
        assert!(axis.place(f64::INFINITY) <= 1.0);
    }

    #[test]
    fn a_figure_has_some_three_digits() {
        let axis = Axis::of([200e9].into_iter(), 5);
        let figures = [123.4e9, 25.25e9, 1.5e9, 0.0042e9, -0.1, 0.0].map(|v| axis.figure(v));
        assert_eq!(figures, ["123", "25.2", "1.5", "0.004", "0", "0"]);
    }

    #[test]
    fn labels_stand_at_round_periods() {
        let years: Vec<String> = (2012..=2024).map(|year| year.to_string()).collect();
        assert_eq!(labelled(&years, 13).len(), 13);
        assert_eq!(labelled(&years, 4), [3, 8]);
        let months: Vec<String> = (0..30)
            .map(|n| format!("{}-{:02}", 2020 + (n + 6) / 12, (n + 6) % 12 + 1))
            .collect();
        let labels = labelled(&months, 4);
        let labels: Vec<&str> = labels.iter().map(|at| months[*at].as_str()).collect();
        assert_eq!(labels, ["2021-01", "2022-01"]);
        assert_eq!(labelled(&[], 4), [0; 0]);
    }
}
