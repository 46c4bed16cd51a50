//! Figures of a subject, line by line, with growth like for like: value / value of the same months a year before − 1.

use std::collections::{BTreeMap, HashMap};

use proto::culture::v1 as wire;
use proto::r#type::v1::Source;
use proto::{Decimal, Period, PeriodWindow, Scaled, Violations, given, parse_timestamp};
use records::{Error, standing};
use store::{Micros, State};
use wire::get_measure_series_request::Subject as AskedSubject;
use wire::{GetMeasureSeriesRequest, Measure, MeasureFlag, MeasureGrowthGap, MeasureKind};
use wire::{MeasureLine, MeasurePoint, MeasureSeries, measure::Subject};

use crate::Model;
use crate::measure::{check_item, check_subject, is_not_available, of_subject, period, within};

/// Figures that are looked at.
const MAX_FIGURES: usize = 10_000;
const DECIMALS: u32 = 6;

/// A question about a subject's figures.
#[derive(Debug)]
pub(crate) struct Query {
    subject: Subject,
    kind: MeasureKind,
    item: String,
    window: PeriodWindow,
    as_of: Option<Micros>,
}

impl TryFrom<GetMeasureSeriesRequest> for Query {
    type Error = Violations;

    fn try_from(request: GetMeasureSeriesRequest) -> Result<Query, Violations> {
        let GetMeasureSeriesRequest {
            subject,
            kind,
            item,
            window,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let subject = subject.map(|subject| match subject {
            AskedSubject::Programme(name) => Subject::Programme(name),
            AskedSubject::Direction(direction) => Subject::Direction(direction),
        });
        let subject = check_subject(subject, &mut violations);
        let kind =
            MeasureKind::try_from(kind).map_err(|_| format!("{kind} is no kind of a measure"));
        let kind = violations.check("kind", kind);
        violations.check("item", given(&item, check_item));
        let window = window.map(PeriodWindow::try_from).transpose();
        let window = violations.check_nested("window", window);
        let as_of = violations.check("as_of", as_of.as_ref().map(parse_timestamp).transpose());
        let (Some(subject), Some(kind), Some(window), Some(as_of)) = (subject, kind, window, as_of)
        else {
            return Err(violations);
        };
        violations.into_result(Query {
            subject,
            kind,
            item,
            window: window.unwrap_or_default(),
            as_of,
        })
    }
}

impl Query {
    /// The window and the year before it, which growth is measured against.
    fn looked_at(&self) -> PeriodWindow {
        let start = self.window.start().and_then(|month| month.plus(-12));
        PeriodWindow::new(start, self.window.end()).unwrap_or(self.window)
    }

    fn lets_through(&self, measure: &Measure) -> bool {
        measure.subject.as_ref() == Some(&self.subject)
            && (self.kind == MeasureKind::Unspecified || self.kind == measure.kind())
            && (self.item.is_empty() || self.item == measure.item)
    }
}

/// The figures of a subject as series.
pub(crate) fn get(state: &State<'_>, query: &Query) -> Result<MeasureSeries, Error> {
    let as_of = query.as_of.unwrap_or(Micros::MAX);
    let span = within(
        of_subject(&query.subject, query.kind, &query.item),
        query.looked_at(),
    );
    let mut series = Series::default();
    for (looks, met) in standing::<Model, Measure>(state, &span, as_of, false, None).enumerate() {
        if looks == MAX_FIGURES {
            let description = format!("more than {MAX_FIGURES} figures; ask for a narrower window");
            return Err(Error::TooLarge(description));
        }
        let measure = met?.record.filter(|measure| query.lets_through(measure));
        if let Some((measure, period)) = measure.and_then(dated) {
            series.add(measure, period, query.window);
        }
    }
    records::bounded(series.told())
}

fn dated(measure: Measure) -> Option<(Measure, Period)> {
    let period = period(&measure)?;
    Some((measure, period))
}

/// What makes a line, in the order of lines.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    kind: i32,
    item: String,
    unit: String,
    publisher: String,
}

/// A figure that growth may be measured from.
struct Base {
    value: String,
    flags: Vec<i32>,
}

/// A line under way: its figures by period, and what is shown of them.
#[derive(Default)]
struct Line {
    bases: BTreeMap<Period, Base>,
    points: BTreeMap<Period, MeasurePoint>,
}

#[derive(Default)]
struct Series {
    lines: BTreeMap<Key, Line>,
    sources: Sources,
}

impl Series {
    fn add(&mut self, measure: Measure, period: Period, window: PeriodWindow) {
        let source = measure.source.unwrap_or_default();
        let key = Key {
            kind: measure.kind,
            item: measure.item,
            unit: measure.unit,
            publisher: source.publisher.clone(),
        };
        let line = self.lines.entry(key).or_default();
        let base = Base {
            value: measure.value.clone(),
            flags: measure.flags.clone(),
        };
        line.bases.insert(period, base);
        if window.contains(period) {
            let point = MeasurePoint {
                measure: measure.name,
                period: measure.period,
                value: measure.value,
                flags: measure.flags,
                source: self.sources.cite(source),
                vintage: measure.update_time,
                ..MeasurePoint::default()
            };
            line.points.insert(period, point);
        }
    }

    fn told(self) -> MeasureSeries {
        let lines = self.lines.into_iter();
        let lines = lines.filter(|(_, line)| !line.points.is_empty());
        MeasureSeries {
            lines: lines.map(|(key, line)| line.told(key)).collect(),
            sources: self.sources.list,
        }
    }
}

impl Line {
    fn told(self, key: Key) -> MeasureLine {
        let Line { bases, points } = self;
        let Key {
            kind,
            item,
            unit,
            publisher,
        } = key;
        let with_growth = |(period, point): (Period, MeasurePoint)| {
            let base = period.year_before().and_then(|before| bases.get(&before));
            let growth = growth(&point, base);
            MeasurePoint {
                growth_gap: growth.as_ref().err().copied().unwrap_or_default().into(),
                growth: growth.unwrap_or_default(),
                ..point
            }
        };
        MeasureLine {
            kind,
            item,
            unit,
            publisher,
            points: points.into_iter().map(with_growth).collect(),
        }
    }
}

/// The growth of a figure over that of the same months a year before, or the first of the gaps.
fn growth(now: &MeasurePoint, base: Option<&Base>) -> Result<String, MeasureGrowthGap> {
    let base = base.ok_or(MeasureGrowthGap::NoBase)?;
    if is_not_available(&now.flags) || is_not_available(&base.flags) {
        return Err(MeasureGrowthGap::NotAvailable);
    }
    let value = |text: &str| proto::parse_decimal(text);
    let (value, base_value) = value(&now.value)
        .and_then(|now| Ok((now, value(&base.value)?)))
        .map_err(|_| MeasureGrowthGap::NotAvailable)?;
    if base_value.is_zero() {
        return Err(MeasureGrowthGap::ZeroBase);
    }
    let bound = i32::from(MeasureFlag::LowerBound);
    if now.flags.contains(&bound) || base.flags.contains(&bound) {
        return Err(MeasureGrowthGap::LowerBound);
    }
    ratio(value, base_value).ok_or(MeasureGrowthGap::OutOfRange)
}

/// value / base − 1, rounded half to even; `None` beyond what a decimal of the wire can say.
fn ratio(value: Decimal, base: Decimal) -> Option<String> {
    let ratio = value.checked_div(base)?.checked_sub(Decimal::ONE)?;
    // `round_dp` rounds half to even.
    let ratio = Scaled::try_from(ratio.round_dp(DECIMALS)).ok()?;
    Some(ratio.to_string())
}

/// Sources, each once, numbered from 1 in the order in which they are cited.
#[derive(Default)]
struct Sources {
    places: HashMap<Vec<u8>, i32>,
    list: Vec<Source>,
}

impl Sources {
    fn cite(&mut self, source: Source) -> i32 {
        let key = prost::Message::encode_to_vec(&source);
        let next = i32::try_from(self.list.len() + 1).unwrap_or(i32::MAX);
        let place = *self.places.entry(key).or_insert(next);
        if place == next {
            self.list.push(source);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::tests::{by, flagged, students};

    fn series(measures: Vec<Measure>, start: &str) -> MeasureSeries {
        let window = proto::r#type::v1::PeriodWindow {
            start: start.into(),
            end: String::new(),
        };
        let window = PeriodWindow::try_from(window).expect("a window");
        let mut series = Series::default();
        for (measure, period) in measures.into_iter().filter_map(dated) {
            series.add(measure, period, window);
        }
        series.told()
    }

    /// Periods with growth, or the gap.
    fn told(series: &MeasureSeries) -> Vec<String> {
        let point = |point: &MeasurePoint| match point.growth_gap() {
            MeasureGrowthGap::Unspecified => format!("{} {}", point.period, point.growth),
            gap @ (MeasureGrowthGap::NoBase
            | MeasureGrowthGap::NotAvailable
            | MeasureGrowthGap::ZeroBase
            | MeasureGrowthGap::LowerBound
            | MeasureGrowthGap::OutOfRange) => format!("{} {gap:?}", point.period),
        };
        let points = series.lines.iter().flat_map(|line| &line.points);
        points.map(point).collect()
    }

    #[test]
    fn growth_compares_the_same_months_in_the_same_line() {
        let other_unit = Measure {
            unit: "students".into(),
            ..students("2016", "1")
        };
        let measures = vec![
            students("2016", "13996"),
            students("2016-01..2016-05", "100"),
            by("Ministry of Education", &students("2016", "1")),
            other_unit,
            students("2017", "14224"),
            students("2017-01..2017-05", "150"),
            students("2017-06", "7"),
        ];
        let series = series(measures, "");
        let lines: Vec<&str> = series
            .lines
            .iter()
            .map(|line| &line.publisher[..])
            .collect();
        assert_eq!(lines, ["AidData", "Ministry of Education", "AidData"]);
        let expected = [
            "2016-01..2016-05 NoBase",
            "2016 NoBase",
            "2017-01..2017-05 0.5",
            "2017 0.01629",
            "2017-06 NoBase",
            "2016 NoBase",
            "2016 NoBase",
        ];
        assert_eq!(told(&series), expected);
    }

    #[test]
    fn a_base_may_lie_before_the_window() {
        let measures = vec![students("2016", "100"), students("2017", "125")];
        assert_eq!(told(&series(measures, "2017")), ["2017 0.25"]);
    }

    #[test]
    fn each_gap_says_what_is_missing() {
        let pair = |base: Measure, now: Measure| told(&series(vec![base, now], "2017"));
        let missing = |period| flagged(&[MeasureFlag::NotAvailable], students(period, ""));
        let bound = |period| flagged(&[MeasureFlag::LowerBound], students(period, "5"));
        assert_eq!(
            pair(students("2015", "1"), students("2017", "1")),
            ["2017 NoBase"]
        );
        assert_eq!(
            pair(missing("2016"), students("2017", "1")),
            ["2017 NotAvailable"]
        );
        assert_eq!(
            pair(students("2016", "1"), missing("2017")),
            ["2017 NotAvailable"]
        );
        assert_eq!(
            pair(students("2016", "0"), students("2017", "1")),
            ["2017 ZeroBase"]
        );
        assert_eq!(
            pair(bound("2016"), students("2017", "1")),
            ["2017 LowerBound"]
        );
        assert_eq!(
            pair(students("2016", "1"), bound("2017")),
            ["2017 LowerBound"]
        );
        let (least, most) = (
            students("2016", "0.000001"),
            students("2017", &"9".repeat(18)),
        );
        assert_eq!(pair(least, most), ["2017 OutOfRange"]);
        assert_eq!(
            told(&series(vec![students("0001", "1")], "")),
            ["0001 NoBase"]
        );
    }

    #[test]
    fn growth_is_rounded_half_to_even() {
        let growth = |base: &str, now: &str| {
            ratio(base_of(now), base_of(base)).expect("a decimal can say it")
        };
        assert_eq!(growth("2000000", "2000001"), "0");
        assert_eq!(growth("2000000", "2000003"), "0.000002");
        assert_eq!(growth("3", "4"), "0.333333");
        assert_eq!(growth("4", "1"), "-0.75");
        assert_eq!(growth("4", "0"), "-1");
    }

    fn base_of(text: &str) -> Decimal {
        proto::parse_decimal(text).expect("a decimal")
    }

    #[test]
    fn a_source_is_told_once() {
        let measures = vec![
            students("2016", "1"),
            by("Ministry of Education", &students("2016", "2")),
            students("2017", "3"),
        ];
        let series = series(measures, "");
        assert_eq!(series.sources.len(), 2);
        let points = series.lines.iter().flat_map(|line| &line.points);
        let cited: Vec<i32> = points.map(|point| point.source).collect();
        assert_eq!(cited, [1, 1, 2]);
    }
}
