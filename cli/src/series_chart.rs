//! The chart of a series: its periods without a gap, its figures where they were published.

use std::collections::BTreeMap;

use proto::trade::v1 as wire;
use proto::{Flow, Frequency, Month, Period};
use wire::{Measure, ObservationFlag, Series, SeriesPoint};

use crate::chart::{Chart, Line, Point};
use crate::{figures, sources, words};

/// Figures that are comparable (the month in which they start, for how many, and which part of the series), by
/// their place in time.
type Lines = BTreeMap<(u8, u32, usize), BTreeMap<u32, Option<Point>>>;

/// A part of each point that is drawn: what it is called, and its value.
type Part = (String, fn(&SeriesPoint) -> &str);

/// The chart of a series.
///
/// Cumulated figures make a line for each range of months, over the years: January to May is never joined
/// with January to June.
pub(crate) fn of(series: &Series) -> Chart {
    chart(series, &[(shown(series), |point| &point.value)])
}

/// The chart of a balance with the exports and imports that it is made of.
pub(crate) fn balance(series: &Series) -> Chart {
    let parts: [Part; 3] = [
        ("exports".into(), |point| &point.exports),
        ("imports".into(), |point| &point.imports),
        ("balance".into(), |point| &point.value),
    ];
    chart(series, &parts)
}

fn chart(series: &Series, parts: &[Part]) -> Chart {
    let parsed = |point| Some((period(point)?, point));
    let points: Vec<(Period, &SeriesPoint)> = series.points.iter().filter_map(parsed).collect();
    let frequency = points.first().map(|(period, _)| period.frequency());
    let frequency = frequency.unwrap_or(Frequency::Year);
    let mut lines = Lines::new();
    for (number, (_, value)) in parts.iter().enumerate() {
        for (period, point) in &points {
            let (start, months) = range(*period, frequency);
            let line = lines.entry((start, months, number)).or_default();
            line.insert(place(*period, frequency), drawn(point, value(point)));
        }
    }
    let places = lines.values().flat_map(BTreeMap::keys).copied();
    let (first, last) = (places.clone().min(), places.max());
    let places: Vec<u32> = match (first, last) {
        (Some(first), Some(last)) => (first..=last).collect(),
        (None, _) | (_, None) => Vec::new(),
    };
    let line = |(key, points): (&(u8, u32, usize), &BTreeMap<u32, Option<Point>>)| Line {
        name: name(*key, frequency, parts),
        points: places
            .iter()
            .map(|at| points.get(at).copied().flatten())
            .collect(),
    };
    Chart {
        title: title(series, parts),
        subtitle: subtitle(series),
        unit: series.currency_code.clone(),
        x: places.iter().map(|at| label(*at, frequency)).collect(),
        lines: lines.iter().map(line).collect(),
        footnotes: footnotes(series),
    }
}

fn period(point: &SeriesPoint) -> Option<Period> {
    point.period.parse().ok()
}

/// Nothing is drawn where a figure is missing.
fn drawn(point: &SeriesPoint, value: &str) -> Option<Point> {
    let qualifies = |flag: &i32| match ObservationFlag::try_from(*flag).unwrap_or_default() {
        ObservationFlag::Provisional
        | ObservationFlag::Estimated
        | ObservationFlag::Implied
        | ObservationFlag::Unverified
        | ObservationFlag::LowerBound => true,
        ObservationFlag::Unspecified
        | ObservationFlag::QuantityEstimated
        | ObservationFlag::NetWeightEstimated
        | ObservationFlag::Rounded
        | ObservationFlag::Aggregated => false,
    };
    Some(Point {
        value: value.parse().ok()?,
        hollow: point.flags.iter().any(qualifies),
    })
}

/// The same for all figures that belong on one line.
fn range(period: Period, frequency: Frequency) -> (u8, u32) {
    match frequency {
        Frequency::Year | Frequency::Month => (1, 1),
        Frequency::Cumulated => (period.start().month(), period.months()),
    }
}

/// The number of the year or the month.
fn place(period: Period, frequency: Frequency) -> u32 {
    let month = period.start().ordinal();
    match frequency {
        Frequency::Month => month,
        Frequency::Year | Frequency::Cumulated => month / 12,
    }
}

fn label(place: u32, frequency: Frequency) -> String {
    match frequency {
        Frequency::Month => Month::from_ordinal(place).map_or(String::new(), |m| m.to_string()),
        Frequency::Year | Frequency::Cumulated => format!("{:04}", place + 1),
    }
}

fn name((start, months, part): (u8, u32, usize), frequency: Frequency, parts: &[Part]) -> String {
    let (part, _) = &parts[part];
    if frequency != Frequency::Cumulated {
        return part.clone();
    }
    let first = u32::from(start) - 1;
    let last = first + months - 1;
    let years = match last / 12 {
        0 => String::new(),
        years => format!(" {years} y later"),
    };
    let [first, last] = [first, last].map(|at| u8::try_from(at % 12 + 1).unwrap_or_default());
    let range = format!("{} to {}{years}", words::month(first), words::month(last));
    if parts.len() == 1 {
        return range;
    }
    format!("{part}, {range}")
}

fn title(series: &Series, parts: &[Part]) -> String {
    let names = parts.iter().map(|(name, _)| name.as_str());
    format!(
        "{} with {}: {}, {}",
        words::country(&series.reporter),
        words::country(&series.partner),
        names.collect::<Vec<_>>().join(", "),
        if series.sector.is_empty() {
            &series.code
        } else {
            &series.sector
        }
    )
}

/// What the series is of.
fn shown(series: &Series) -> String {
    match Measure::try_from(series.measure).unwrap_or_default() {
        Measure::Balance => return "balance".into(),
        Measure::Turnover => return "turnover".into(),
        Measure::Unspecified => {}
    }
    match Flow::from_wire(series.flow) {
        Ok(Flow::Import) => "imports".into(),
        Ok(Flow::Export) => "exports".into(),
        Ok(Flow::TotalTrade) => "total trade".into(),
        Ok(other) => format!("flow {other}"),
        Err(_) => "unknown flow".into(),
    }
}

fn subtitle(series: &Series) -> String {
    if series.points.is_empty() {
        return format!("{}: {}", series.dataset, figures::empty(series));
    }
    let valuation = figures::series_valuation(series);
    format!("{}, {valuation}", series.dataset)
}

/// Where the classification changes, and the sources.
fn footnotes(series: &Series) -> Vec<String> {
    let breaks = series.breaks.iter().map(figures::class_break);
    let sources = series.sources.iter().enumerate();
    let sources = sources.map(|(at, source)| format!("[{}] {}", at + 1, sources::line(source)));
    breaks.chain(sources).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: &[(&str, &str)]) -> Series {
        let point = |(period, value): &(&str, &str)| SeriesPoint {
            period: (*period).into(),
            value: (*value).into(),
            ..SeriesPoint::default()
        };
        Series {
            reporter: "CHN".into(),
            partner: "KAZ".into(),
            flow: Flow::Export.to_wire().into(),
            code: "TOTAL".into(),
            currency_code: "USD".into(),
            points: points.iter().map(point).collect(),
            ..Series::default()
        }
    }

    fn values(line: &Line) -> Vec<Option<f64>> {
        let values = line.points.iter().map(|point| point.map(|p| p.value));
        values.collect()
    }

    #[test]
    fn a_period_without_a_figure_is_there_without_a_point() {
        let chart = of(&series(&[("2020-11", "1"), ("2021-02", "2.5")]));
        assert_eq!(chart.x, ["2020-11", "2020-12", "2021-01", "2021-02"]);
        assert_eq!(values(&chart.lines[0]), [Some(1.0), None, None, Some(2.5)]);
        assert_eq!(chart.title, "China with Kazakhstan: exports, TOTAL");
    }

    #[test]
    fn only_the_same_months_are_joined() {
        let chart = of(&series(&[
            ("2023-01..2023-05", "1"),
            ("2023-01..2023-06", "2"),
            ("2024-01..2024-05", "3"),
        ]));
        assert_eq!(chart.x, ["2023", "2024"]);
        let names: Vec<&str> = chart.lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["January to May", "January to June"]);
        assert_eq!(values(&chart.lines[0]), [Some(1.0), Some(3.0)]);
        assert_eq!(values(&chart.lines[1]), [Some(2.0), None]);
    }

    #[test]
    fn a_balance_is_drawn_with_what_it_is_made_of() {
        let mut series = series(&[("2020", "-1"), ("2021", "")]);
        series.measure = Measure::Balance.into();
        series.points[0].exports = "1".into();
        series.points[0].imports = "2".into();
        series.points[1].exports = "4".into();
        let chart = balance(&series);
        let names: Vec<&str> = chart.lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["exports", "imports", "balance"]);
        assert_eq!(values(&chart.lines[0]), [Some(1.0), Some(4.0)]);
        assert_eq!(values(&chart.lines[2]), [Some(-1.0), None]);
    }

    #[test]
    fn a_figure_that_is_not_final_is_hollow() {
        let mut series = series(&[("2020", "1"), ("2021", "2")]);
        series.points[0].flags = vec![ObservationFlag::Rounded.into()];
        series.points[1].flags = vec![ObservationFlag::Unverified.into()];
        let chart = of(&series);
        let hollow: Vec<bool> = chart.lines[0]
            .points
            .iter()
            .flatten()
            .map(|p| p.hollow)
            .collect();
        assert_eq!(hollow, [false, true]);
    }

    #[test]
    fn a_series_of_nothing_says_why() {
        let mut series = series(&[]);
        series.empty_reason = wire::EmptyReason::NotYetRecorded.into();
        let chart = of(&series);
        assert!(chart.x.is_empty() && chart.lines.is_empty());
        assert!(
            chart.subtitle.contains("recorded later"),
            "{}",
            chart.subtitle
        );
    }
}
