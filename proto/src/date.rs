//! Civil dates with their precision, days, and windows of days.

use std::fmt;
use std::str::FromStr;

use crate::excerpt::Excerpt;
use crate::fields::Violations;
use crate::period::{MAX_YEAR, digits};
use crate::r#type::v1 as wire;

/// A day of the civil calendar with the precision that its source gives. Ordered; what is less precise
/// comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate {
    year: u16,
    month: Option<u8>,
    day: Option<u8>,
}

impl CivilDate {
    /// As on the wire: 0 for a month or a day that is not known.
    pub fn new(year: i32, month: i32, day: i32) -> Result<CivilDate, Violations> {
        if !(1..=i32::from(MAX_YEAR)).contains(&year) {
            return Err(Violations::one(
                "year",
                format!("{year}: years are 1 to 9999"),
            ));
        }
        if !(0..=12).contains(&month) {
            let description = format!("{month}: months are 1 to 12, or 0 when not known");
            return Err(Violations::one("month", description));
        }
        if month == 0 && day != 0 {
            return Err(Violations::one("day", "must be 0 when `month` is 0"));
        }
        if day != 0 && !exists(year, month, day) {
            let description = format!("{year:04}-{month:02} has no day {day}");
            return Err(Violations::one("day", description));
        }
        Ok(CivilDate {
            year: u16::try_from(year).unwrap_or_default(),
            month: known(month),
            day: known(day),
        })
    }

    /// The year.
    pub fn year(self) -> u16 {
        self.year
    }

    /// The month, where known.
    pub fn month(self) -> Option<u8> {
        self.month
    }

    /// The day of the month, where known.
    pub fn day(self) -> Option<u8> {
        self.day
    }

    /// A number that sorts as the date does; what is less precise comes first. Below 2^23.
    pub fn ordinal(self) -> u32 {
        let part = |part: Option<u8>| u32::from(part.unwrap_or_default());
        u32::from(self.year) << 9 | part(self.month) << 5 | part(self.day)
    }

    /// The first day that it may mean.
    pub fn first(self) -> Day {
        Day::of(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1))
    }

    /// The last day that it may mean.
    pub fn last(self) -> Day {
        let month = self.month.unwrap_or(12);
        let first = Day::of(self.year, month, 1);
        self.day.map_or(Day(first.0.last_of_month()), |day| {
            Day::of(self.year, month, day)
        })
    }
}

/// A day of the civil calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(jiff::civil::Date);

impl Day {
    /// Parts that are known to make a day.
    fn of(year: u16, month: u8, day: u8) -> Day {
        let year = i16::try_from(year).unwrap_or(i16::MAX);
        let (month, day) = (month.cast_signed(), day.cast_signed());
        Day(jiff::civil::Date::new(year, month, day).unwrap_or(jiff::civil::Date::MAX))
    }

    /// The day on which an instant lies, in UTC. In microseconds since 1970.
    pub fn of_instant(micros: i64) -> Option<Day> {
        let instant = jiff::Timestamp::from_microsecond(micros).ok()?;
        let date = instant.to_zoned(jiff::tz::TimeZone::UTC).date();
        (1..=9999).contains(&date.year()).then_some(Day(date))
    }

    /// Its first instant in UTC, in microseconds since 1970.
    pub fn start(self) -> i64 {
        i64::from(Day(EPOCH).days_until(self)) * 86_400_000_000
    }

    /// So many days later, or earlier; the first or the last day there is when there are not so many.
    #[must_use]
    pub fn plus(self, days: i32) -> Day {
        let moved = self.0.checked_add(jiff::Span::new().days(days));
        let bound = if days < 0 {
            FIRST_DAY
        } else {
            jiff::civil::Date::MAX
        };
        Day(moved.unwrap_or(bound).max(FIRST_DAY))
    }

    /// How many days later another one is.
    pub fn days_until(self, other: Day) -> i32 {
        self.0.until(other.0).map_or(0, |span| span.get_days())
    }

    /// The day as a date.
    pub fn date(self) -> CivilDate {
        let unsigned = |part: i8| u8::try_from(part).ok();
        CivilDate {
            year: u16::try_from(self.0.year()).unwrap_or_default(),
            month: unsigned(self.0.month()),
            day: unsigned(self.0.day()),
        }
    }

    /// Its month as a date.
    pub fn month(self) -> CivilDate {
        CivilDate {
            day: None,
            ..self.date()
        }
    }

    /// Its year as a date.
    pub fn year(self) -> CivilDate {
        CivilDate {
            month: None,
            ..self.month()
        }
    }

    /// As [`CivilDate::ordinal`].
    pub fn ordinal(self) -> u32 {
        self.date().ordinal()
    }
}

const FIRST_DAY: jiff::civil::Date = jiff::civil::date(1, 1, 1);
const EPOCH: jiff::civil::Date = jiff::civil::date(1970, 1, 1);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Day({self})")
    }
}

impl TryFrom<wire::CivilDate> for Day {
    type Error = Violations;

    fn try_from(date: wire::CivilDate) -> Result<Day, Violations> {
        let date = CivilDate::try_from(date)?;
        match date.day {
            Some(_) => Ok(date.first()),
            None => Err(Violations::one(
                "",
                format!("{date}: a day is needed, with year, month and day"),
            )),
        }
    }
}

impl From<Day> for wire::CivilDate {
    fn from(day: Day) -> wire::CivilDate {
        day.date().into()
    }
}

/// A half-open window of days; an end that is not given is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DateWindow {
    start: Option<Day>,
    end: Option<Day>,
}

impl DateWindow {
    /// The first day inside.
    pub fn start(self) -> Option<Day> {
        self.start
    }

    /// The first day outside.
    pub fn end(self) -> Option<Day> {
        self.end
    }

    /// Whether a stretch of days, both ends included and open where they are not known, has a day inside.
    pub fn overlaps(self, first: Option<Day>, last: Option<Day>) -> bool {
        let begins_in_time = first.zip(self.end).is_none_or(|(first, end)| first < end);
        let ends_late_enough = last
            .zip(self.start)
            .is_none_or(|(last, start)| start <= last);
        begins_in_time && ends_late_enough
    }

    /// Whether a date may lie inside.
    pub fn may_hold(self, date: CivilDate) -> bool {
        self.overlaps(Some(date.first()), Some(date.last()))
    }
}

impl TryFrom<wire::DateWindow> for DateWindow {
    type Error = Violations;

    fn try_from(window: wire::DateWindow) -> Result<DateWindow, Violations> {
        let wire::DateWindow { start, end } = window;
        let mut violations = Violations::new();
        let mut bound = |field: &str, date: Option<wire::CivilDate>| {
            let date = date.map(CivilDate::try_from).transpose();
            violations
                .check_nested(field, date)
                .flatten()
                .map(CivilDate::first)
        };
        let (start, end) = (bound("start", start), bound("end", end));
        if start.zip(end).is_some_and(|(start, end)| start >= end) {
            violations.push("end", "must be after `start`");
        }
        violations.into_result(DateWindow { start, end })
    }
}

fn exists(year: i32, month: i32, day: i32) -> bool {
    let parts = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
    matches!(parts, (Ok(y), Ok(m), Ok(d)) if jiff::civil::Date::new(y, m, d).is_ok())
}

fn known(part: i32) -> Option<u8> {
    u8::try_from(part).ok().filter(|part| *part != 0)
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        for part in [self.month, self.day].into_iter().flatten() {
            write!(f, "-{part:02}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CivilDate({self})")
    }
}

/// Why a text is no date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Not of a form that is understood.
    #[error("{0} is no date: expected `2024-07-02`, `2024-07` or `2024`")]
    Form(Excerpt),
    /// Of the right form, but no day of the calendar.
    #[error("{0}")]
    Calendar(Violations),
}

impl FromStr for CivilDate {
    type Err = DateError;

    fn from_str(text: &str) -> Result<CivilDate, DateError> {
        let mut parts = text.splitn(3, '-');
        let mut part = |width| parts.next().map(|part| digits(part, width));
        let read = match (part(4), part(2), part(2)) {
            (Some(Some(year)), None, None) => Some((year, 0, 0)),
            (Some(Some(year)), Some(Some(month @ 1..)), None) => Some((year, month, 0)),
            (Some(Some(year)), Some(Some(month @ 1..)), Some(Some(day @ 1..))) => {
                Some((year, month, day))
            }
            _ => None,
        };
        let Some((year, month, day)) = read else {
            return Err(DateError::Form(Excerpt::of(text)));
        };
        CivilDate::new(year.into(), month.into(), day.into()).map_err(DateError::Calendar)
    }
}

impl TryFrom<wire::CivilDate> for CivilDate {
    type Error = Violations;

    fn try_from(date: wire::CivilDate) -> Result<CivilDate, Violations> {
        let wire::CivilDate { year, month, day } = date;
        CivilDate::new(year, month, day)
    }
}

impl From<CivilDate> for wire::CivilDate {
    fn from(date: CivilDate) -> wire::CivilDate {
        wire::CivilDate {
            year: date.year.into(),
            month: date.month.unwrap_or_default().into(),
            day: date.day.unwrap_or_default().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CivilDate, DateError, DateWindow, Day};
    use crate::r#type::v1 as wire;
    use proptest::prelude::*;

    #[test]
    fn a_date_may_mean_a_stretch_of_days() {
        let stretch = |text: &str| {
            let date: CivilDate = text.parse().unwrap();
            format!("{}..{}", date.first(), date.last())
        };
        assert_eq!(stretch("2024"), "2024-01-01..2024-12-31");
        assert_eq!(stretch("2024-02"), "2024-02-01..2024-02-29");
        assert_eq!(stretch("2024-07-02"), "2024-07-02..2024-07-02");
        assert_eq!(stretch("9999"), "9999-01-01..9999-12-31");
        let sorted = [
            "2023-12-31",
            "2024",
            "2024-01",
            "2024-01-01",
            "2024-01-02",
            "2024-02",
        ];
        let ordinals = sorted.map(|text| text.parse::<CivilDate>().unwrap().ordinal());
        assert!(ordinals.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn days_are_counted_over_the_ends_of_time() {
        let day = |text: &str| text.parse::<CivilDate>().unwrap().first();
        assert_eq!(day("2024-02-28").plus(2), day("2024-03-01"));
        assert_eq!(day("2024-02-28").days_until(day("2024-03-01")), 2);
        assert_eq!(day("0001-01-02").plus(-30), day("0001-01-01"));
        assert_eq!(day("9999-12-30").plus(30), day("9999-12-31"));
        assert_eq!(day("2024-02-28").month().to_string(), "2024-02");
        assert_eq!(day("2024-02-28").year().to_string(), "2024");
        assert_eq!(Day::of_instant(0), Some(day("1970-01-01")));
        assert_eq!(Day::of_instant(-1), Some(day("1969-12-31")));
        assert_eq!(Day::of_instant(i64::MAX), None);
        for text in ["0001-01-01", "1969-12-31", "2024-02-29", "9999-12-30"] {
            let start = day(text).start();
            assert_eq!(Day::of_instant(start), Some(day(text)));
            assert_ne!(Day::of_instant(start - 1), Some(day(text)));
        }
    }

    #[test]
    fn a_window_of_days_is_half_open() {
        let date = |year| wire::CivilDate {
            year,
            month: 0,
            day: 0,
        };
        let window = wire::DateWindow {
            start: Some(date(2023)),
            end: Some(date(2024)),
        };
        let window = DateWindow::try_from(window).unwrap();
        let day = |text: &str| Some(text.parse::<CivilDate>().unwrap().first());
        assert!(window.overlaps(day("2023-12-31"), day("2024-01-02")));
        assert!(!window.overlaps(day("2024-01-01"), None));
        assert!(!window.overlaps(None, day("2022-12-31")));
        assert!(window.overlaps(None, None));
        let backwards = wire::DateWindow {
            start: Some(date(2024)),
            end: Some(date(2024)),
        };
        let error = DateWindow::try_from(backwards).unwrap_err();
        assert_eq!(error.to_string(), "end: must be after `start`");
    }

    #[test]
    fn a_date_keeps_the_precision_of_its_source() {
        for text in [
            "2024",
            "2024-07",
            "2024-07-02",
            "2000-02-29",
            "0001-01-01",
            "9999-12-31",
        ] {
            let date: CivilDate = text.parse().unwrap();
            assert_eq!(date.to_string(), text);
            assert_eq!(CivilDate::try_from(wire::CivilDate::from(date)), Ok(date));
        }
        assert!("2024".parse::<CivilDate>().unwrap() < "2024-01".parse().unwrap());
    }

    #[test]
    fn days_that_never_were_are_refused() {
        let refused = |y, m, d| CivilDate::new(y, m, d).unwrap_err().to_string();
        assert_eq!(refused(1900, 2, 29), "day: 1900-02 has no day 29");
        assert!(refused(0, 1, 1).starts_with("year:"));
        assert!(refused(10_000, 1, 1).starts_with("year:"));
        assert!(refused(2024, 13, 0).starts_with("month:"));
        assert!(refused(2024, -1, 0).starts_with("month:"));
        assert!(refused(2024, 0, 5).starts_with("day:"));
        assert!(refused(2024, 1, -1).starts_with("day:"));
        assert!(refused(2024, 1, i32::MAX).starts_with("day:"));
        assert!(refused(i32::MIN, 1, 1).starts_with("year:"));
        assert_eq!(CivilDate::new(2024, 0, 0).unwrap().month(), None);
    }

    #[test]
    fn a_text_of_a_date_is_taken_literally() {
        for text in [
            "",
            "2024-00",
            "2024-07-00",
            "2024-7-2",
            "2024-07-02T00:00",
            "２０２４",
            "-2024",
        ] {
            let error = text.parse::<CivilDate>().unwrap_err();
            assert!(matches!(error, DateError::Form(_)), "{text}");
        }
        let error = "1900-02-29".parse::<CivilDate>().unwrap_err();
        assert!(matches!(error, DateError::Calendar(_)));
    }

    proptest! {
        #[test]
        fn what_is_read_is_printed_as_it_was(text in any::<String>(), near in "[0-9-]{0,12}") {
            for text in [text, near] {
                if let Ok(date) = text.parse::<CivilDate>() {
                    prop_assert_eq!(date.to_string(), text);
                }
            }
        }
    }
}
