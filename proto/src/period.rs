//! Months, periods of published figures and windows of them.

use std::fmt;
use std::str::FromStr;

use crate::excerpt::Excerpt;
use crate::fields::Violations;
use crate::trade::v1 as wire_trade;
use crate::r#type::v1 as wire;

pub(crate) const MAX_YEAR: u16 = 9999;
const MONTHS: u32 = 12;
/// January of the year 10000: the exclusive end of the last month, and never a month of its own.
const END_OF_TIME: u32 = MAX_YEAR as u32 * MONTHS;
/// Nobody publishes longer ranges as one figure; it keeps the length of a [`Period`] in a byte.
const MAX_CUMULATED: u32 = 60;

/// A month of the years 1 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(u32);

impl Month {
    /// A month of a year, both from 1.
    pub fn new(year: u16, month: u8) -> Option<Month> {
        let valid = (1..=MAX_YEAR).contains(&year) && (1..=12).contains(&month);
        valid.then(|| Month((u32::from(year) - 1) * MONTHS + u32::from(month) - 1))
    }

    /// The year.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an ordinal is below 120,000"
    )]
    pub fn year(self) -> u16 {
        (self.0 / MONTHS) as u16 + 1
    }

    /// The month of the year, 1 to 12.
    pub fn month(self) -> u8 {
        (self.0 % MONTHS) as u8 + 1
    }

    /// Months since January of the year 1.
    pub fn ordinal(self) -> u32 {
        self.0
    }

    /// By [`Month::ordinal`]. The exclusive end of December 9999 is understood as well, so that the
    /// bounds of every period can be stored.
    pub fn from_ordinal(ordinal: u32) -> Option<Month> {
        (ordinal <= END_OF_TIME).then_some(Month(ordinal))
    }

    /// So many months later, or earlier.
    pub fn plus(self, months: i32) -> Option<Month> {
        self.0
            .checked_add_signed(months)
            .and_then(Month::from_ordinal)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.month())
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Month({self})")
    }
}

impl FromStr for Month {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Month, PeriodError> {
        let Some((year, month)) = text.split_once('-') else {
            return Err(form_error(text));
        };
        month_of(text, year, month)
    }
}

/// How long the periods of a series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Frequency {
    /// Years, as published for the year.
    Year,
    /// Single months.
    Month,
    /// Ranges of months published as one figure.
    Cumulated,
}

/// Why a number of the wire is no frequency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrequencyError {
    /// Zero.
    #[error("not given: a year, a month or cumulated months")]
    Unspecified,
    /// A number that this version does not know.
    #[error("unknown frequency {0}")]
    Unknown(i32),
}

impl Frequency {
    /// From the wire's number.
    pub fn from_wire(number: i32) -> Result<Frequency, FrequencyError> {
        use wire_trade::Frequency as Wire;
        match Wire::try_from(number) {
            Ok(Wire::Unspecified) => Err(FrequencyError::Unspecified),
            Ok(Wire::Year) => Ok(Frequency::Year),
            Ok(Wire::Month) => Ok(Frequency::Month),
            Ok(Wire::Cumulated) => Ok(Frequency::Cumulated),
            Err(_) => Err(FrequencyError::Unknown(number)),
        }
    }

    /// To the wire.
    pub fn to_wire(self) -> wire_trade::Frequency {
        match self {
            Frequency::Year => wire_trade::Frequency::Year,
            Frequency::Month => wire_trade::Frequency::Month,
            Frequency::Cumulated => wire_trade::Frequency::Cumulated,
        }
    }

    /// The number to store.
    pub fn id(self) -> u8 {
        match self {
            Frequency::Year => 1,
            Frequency::Month => 2,
            Frequency::Cumulated => 3,
        }
    }

    /// By [`Frequency::id`].
    pub fn from_id(id: u8) -> Option<Frequency> {
        match id {
            1 => Some(Frequency::Year),
            2 => Some(Frequency::Month),
            3 => Some(Frequency::Cumulated),
            _ => None,
        }
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Frequency::Year => "year",
            Frequency::Month => "month",
            Frequency::Cumulated => "cumulated",
        })
    }
}

/// What one published figure spans: a year, a month, or cumulated months. Ordered by start, then
/// length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    start: Month,
    months: u8,
}

impl Period {
    /// A year of 1 to 9999.
    pub fn year(year: u16) -> Option<Period> {
        let start = Month::new(year, 1)?;
        Some(Period { start, months: 12 })
    }

    /// A month of a year.
    pub fn month(year: u16, month: u8) -> Option<Period> {
        let start = Month::new(year, month)?;
        Some(Period { start, months: 1 })
    }

    /// From `first` to `last`, both included: 2 to 60 months that are not one calendar year, which is
    /// written as the year.
    pub fn cumulated(first: Month, last: Month) -> Option<Period> {
        span(first, last).ok()
    }

    /// A year, a month, or cumulated months.
    pub fn frequency(self) -> Frequency {
        match self.months {
            1 => Frequency::Month,
            12 if self.start.month() == 1 => Frequency::Year,
            _ => Frequency::Cumulated,
        }
    }

    /// The first month.
    pub fn start(self) -> Month {
        self.start
    }

    /// The first month after it.
    pub fn end(self) -> Month {
        Month(self.start.0 + self.months())
    }

    /// How many months it spans.
    pub fn months(self) -> u32 {
        u32::from(self.months)
    }

    /// The same months a year before: what growth like for like compares with.
    pub fn year_before(self) -> Option<Period> {
        let start = self.start.plus(-12)?;
        Some(Period { start, ..self })
    }

    /// From UN Comtrade's `YYYY` or `YYYYMM`.
    pub fn from_comtrade(text: &str) -> Result<Period, PeriodError> {
        match text.len() {
            4 => year_of(text, text),
            6 if text.is_ascii() => {
                let (year, month) = text.split_at(4);
                month_of(text, year, month).map(|start| Period { start, months: 1 })
            }
            _ => Err(comtrade_error(text)),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.frequency() {
            Frequency::Year => write!(f, "{:04}", self.start.year()),
            Frequency::Month => self.start.fmt(f),
            Frequency::Cumulated => write!(f, "{}..{}", self.start, Month(self.end().0 - 1)),
        }
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Period({self})")
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Period, PeriodError> {
        if let Some((first, last)) = text.split_once("..") {
            return span(month_within(text, first)?, month_within(text, last)?);
        }
        match text.split_once('-') {
            Some((year, month)) => {
                month_of(text, year, month).map(|start| Period { start, months: 1 })
            }
            None => year_of(text, text),
        }
    }
}

/// Why a text is no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// There is no text.
    #[error("empty: a period is `2024`, `2024-05` or `2024-01..2024-05`")]
    Empty,
    /// Digits of another script, such as full-width ones.
    #[error("{0} is not plain ASCII: periods are written with the digits 0 to 9")]
    NotAscii(Excerpt),
    /// Not of a form that is understood.
    #[error("{0} is no period: expected `2024`, `2024-05` or `2024-01..2024-05`")]
    Form(Excerpt),
    /// Neither `YYYY` nor `YYYYMM`.
    #[error("{0} is no period of UN Comtrade: expected `2024` or `202405`")]
    ComtradeForm(Excerpt),
    /// The year 0.
    #[error("{0}: years are 0001 to 9999")]
    Year(Excerpt),
    /// Month 0, or above 12.
    #[error("{0}: months are 01 to 12")]
    Month(Excerpt),
    /// The last month is not after the first.
    #[error("`{0}..{1}`: the last month must be after the first")]
    Order(Month, Month),
    /// January to December of one year.
    #[error("`{0}..{1}` is a whole year: write it as the year")]
    WholeYear(Month, Month),
    /// More than 60 months.
    #[error("`{0}..{1}` is longer than 60 months")]
    TooLong(Month, Month),
    /// The end of the last month that can be written, used as a month.
    #[error("`{0}` is after the last month, 9999-12")]
    AfterLast(Month),
}

fn span(first: Month, last: Month) -> Result<Period, PeriodError> {
    if last.0 >= END_OF_TIME {
        return Err(PeriodError::AfterLast(last));
    }
    if first >= last {
        return Err(PeriodError::Order(first, last));
    }
    let months = last.0 - first.0 + 1;
    if months == MONTHS && first.month() == 1 {
        return Err(PeriodError::WholeYear(first, last));
    }
    match u8::try_from(months) {
        Ok(short) if months <= MAX_CUMULATED => Ok(Period {
            start: first,
            months: short,
        }),
        Ok(_) | Err(_) => Err(PeriodError::TooLong(first, last)),
    }
}

/// The month in `part`; an error shows the whole `text`.
fn month_within(text: &str, part: &str) -> Result<Month, PeriodError> {
    match part.split_once('-') {
        Some((year, month)) => month_of(text, year, month),
        None => Err(form_error(text)),
    }
}

fn month_of(text: &str, year: &str, month: &str) -> Result<Month, PeriodError> {
    let start = year_of(text, year)?.start;
    match digits(month, 2) {
        Some(month @ 1..=12) => Ok(Month(start.0 + u32::from(month) - 1)),
        Some(_) => Err(PeriodError::Month(Excerpt::of(text))),
        None => Err(form_error(text)),
    }
}

fn year_of(text: &str, year: &str) -> Result<Period, PeriodError> {
    match digits(year, 4).map(Period::year) {
        Some(Some(period)) => Ok(period),
        Some(None) => Err(PeriodError::Year(Excerpt::of(text))),
        None => Err(form_error(text)),
    }
}

/// Exactly `width` ASCII digits; `str::parse` alone would take a sign.
pub(crate) fn digits(text: &str, width: usize) -> Option<u16> {
    let right = text.len() == width && text.bytes().all(|b| b.is_ascii_digit());
    if right { text.parse().ok() } else { None }
}

fn form_error(text: &str) -> PeriodError {
    if text.is_empty() {
        PeriodError::Empty
    } else if text.is_ascii() {
        PeriodError::Form(Excerpt::of(text))
    } else {
        PeriodError::NotAscii(Excerpt::of(text))
    }
}

fn comtrade_error(text: &str) -> PeriodError {
    match form_error(text) {
        PeriodError::Form(given) => PeriodError::ComtradeForm(given),
        other @ (PeriodError::Empty
        | PeriodError::NotAscii(_)
        | PeriodError::ComtradeForm(_)
        | PeriodError::Year(_)
        | PeriodError::Month(_)
        | PeriodError::Order(..)
        | PeriodError::WholeYear(..)
        | PeriodError::TooLong(..)
        | PeriodError::AfterLast(_)) => other,
    }
}

/// A half-open window of time; an end that is not given is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PeriodWindow {
    start: Option<Month>,
    end: Option<Month>,
}

impl PeriodWindow {
    /// All of time.
    pub const ALL: PeriodWindow = PeriodWindow {
        start: None,
        end: None,
    };

    /// From the start of `start` until the start of `end`, which must be after it.
    pub fn new(start: Option<Month>, end: Option<Month>) -> Option<PeriodWindow> {
        let ordered = start.zip(end).is_none_or(|(start, end)| start < end);
        ordered.then_some(PeriodWindow { start, end })
    }

    /// The first month inside.
    pub fn start(self) -> Option<Month> {
        self.start
    }

    /// The first month outside.
    pub fn end(self) -> Option<Month> {
        self.end
    }

    /// Whether all of `period` lies inside.
    pub fn contains(self, period: Period) -> bool {
        self.start.is_none_or(|start| start <= period.start())
            && self.end.is_none_or(|end| period.end() <= end)
    }
}

impl TryFrom<wire::PeriodWindow> for PeriodWindow {
    type Error = Violations;

    fn try_from(window: wire::PeriodWindow) -> Result<PeriodWindow, Violations> {
        let wire::PeriodWindow { start, end } = window;
        let mut violations = Violations::new();
        let start = violations.check("start", bound(&start)).flatten();
        let end = violations.check("end", bound(&end)).flatten();
        match PeriodWindow::new(start, end) {
            Some(window) => violations.into_result(window),
            None => Err(Violations::one("end", "must be after `start`")),
        }
    }
}

impl From<PeriodWindow> for wire::PeriodWindow {
    fn from(window: PeriodWindow) -> wire::PeriodWindow {
        let text = |bound: Option<Month>| bound.map(|month| month.to_string()).unwrap_or_default();
        wire::PeriodWindow {
            start: text(window.start),
            end: text(window.end),
        }
    }
}

/// Why a text is no bound of a window.
#[derive(Debug, thiserror::Error)]
enum BoundError {
    #[error(transparent)]
    Period(#[from] PeriodError),
    #[error("a bound is a year or a month, not a range")]
    Range,
}

fn bound(text: &str) -> Result<Option<Month>, BoundError> {
    if text.is_empty() {
        return Ok(None);
    }
    let period: Period = text.parse()?;
    match period.frequency() {
        Frequency::Year | Frequency::Month => Ok(Some(period.start())),
        Frequency::Cumulated => Err(BoundError::Range),
    }
}

#[cfg(test)]
mod tests {
    use super::{Frequency, FrequencyError, Month, Period, PeriodError, PeriodWindow};
    use crate::r#type::v1 as wire;
    use proptest::prelude::*;

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    fn refused(text: &str) -> String {
        text.parse::<Period>().unwrap_err().to_string()
    }

    #[test]
    fn each_form_says_its_frequency() {
        assert_eq!(period("2024").frequency(), Frequency::Year);
        assert_eq!(period("2024-05").frequency(), Frequency::Month);
        assert_eq!(period("2024-01..2024-05").frequency(), Frequency::Cumulated);
        assert_eq!(period("2023-04..2024-03").frequency(), Frequency::Cumulated);
        assert_eq!(period("2024-01..2024-05").months(), 5);
        assert_eq!(Period::year(2024), Some(period("2024")));
        assert_eq!(Period::month(2024, 5), Some(period("2024-05")));
    }

    #[test]
    fn a_period_ends_where_the_next_begins() {
        assert_eq!(period("2024").end(), Month::new(2025, 1).unwrap());
        assert_eq!(period("2024-12").end(), period("2025").start());
        assert_eq!(period("9999").end().to_string(), "10000-01");
    }

    #[test]
    fn periods_sort_by_start_then_length() {
        let mut periods = ["2025", "2024", "2024-01..2024-05", "2024-02", "2024-01"].map(period);
        periods.sort();
        let sorted = ["2024-01", "2024-01..2024-05", "2024", "2024-02", "2025"];
        assert_eq!(periods.map(|p| p.to_string()), sorted);
    }

    #[test]
    fn growth_compares_the_same_months() {
        assert_eq!(period("2024").year_before(), Some(period("2023")));
        let base = period("2024-01..2024-05").year_before();
        assert_eq!(base, Some(period("2023-01..2023-05")));
        assert_eq!(period("0001").year_before(), None);
    }

    #[test]
    fn a_whole_year_is_written_as_the_year() {
        let message = "`2024-01..2024-12` is a whole year: write it as the year";
        assert_eq!(refused("2024-01..2024-12"), message);
    }

    #[test]
    fn ranges_run_forward_and_not_for_ever() {
        assert!(refused("2024-05..2024-05").contains("after the first"));
        assert!(refused("2024-05..2024-01").contains("after the first"));
        assert!(refused("2020-01..2025-01").contains("longer than 60 months"));
        assert_eq!(period("2020-01..2024-12").months(), 60);
        let end = period("9999").end();
        assert_eq!(Period::cumulated(period("9999-05").start(), end), None);
    }

    #[test]
    fn what_is_no_period_says_why() {
        assert_eq!("".parse::<Period>(), Err(PeriodError::Empty));
        assert!(refused("２０２４").contains("not plain ASCII"));
        assert!(refused("2024-０5").contains("not plain ASCII"));
        assert!(refused("2024-00").contains("months are 01 to 12"));
        assert!(refused("2024-13").contains("months are 01 to 12"));
        assert!(refused("0000").contains("years are 0001 to 9999"));
        for text in [
            "10000",
            "24",
            "2024-5",
            "2024-05-01",
            "+202",
            "2024..2025",
            " 2024",
            "2024-1..",
            "..",
        ] {
            assert!(refused(text).contains("is no period"), "{text}");
        }
    }

    #[test]
    fn comtrade_writes_years_and_months() {
        assert_eq!(Period::from_comtrade("2012"), Ok(period("2012")));
        assert_eq!(Period::from_comtrade("201205"), Ok(period("2012-05")));
        for text in [
            "",
            "201200",
            "201213",
            "0000",
            "10000",
            "2012-05",
            "2012052",
            "２０１２",
            "20é5",
            "+12345",
        ] {
            assert!(Period::from_comtrade(text).is_err(), "{text}");
        }
        let form = Period::from_comtrade("2012-05").unwrap_err();
        assert!(form.to_string().contains("`2024` or `202405`"));
    }

    fn window(start: &str, end: &str) -> wire::PeriodWindow {
        wire::PeriodWindow {
            start: start.to_owned(),
            end: end.to_owned(),
        }
    }

    #[test]
    fn a_window_is_half_open() {
        let decade = PeriodWindow::try_from(window("2012", "2023")).unwrap();
        assert!(decade.contains(period("2012")));
        assert!(decade.contains(period("2022-12")));
        assert!(!decade.contains(period("2023-01")));
        assert!(!decade.contains(period("2022-11..2023-01")));
        assert!(!decade.contains(period("2011-12")));
        assert!(PeriodWindow::ALL.contains(period("0001")));
        assert!(PeriodWindow::ALL.contains(period("9999")));
    }

    #[test]
    fn a_bad_window_names_its_bounds() {
        let refused = |start, end| {
            PeriodWindow::try_from(window(start, end))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(refused("2023", "2023"), "end: must be after `start`");
        assert_eq!(refused("2024-01", "2023"), "end: must be after `start`");
        let both = refused("x", "2024-01..2024-05");
        assert!(both.starts_with("start: `x` is no period"));
        assert!(both.ends_with("end: a bound is a year or a month, not a range"));
    }

    #[test]
    fn frequencies_of_the_wire() {
        assert_eq!(Frequency::from_wire(0), Err(FrequencyError::Unspecified));
        assert_eq!(Frequency::from_wire(99), Err(FrequencyError::Unknown(99)));
        for frequency in [Frequency::Year, Frequency::Month, Frequency::Cumulated] {
            assert_eq!(
                Frequency::from_wire(frequency.to_wire().into()),
                Ok(frequency)
            );
            assert_eq!(Frequency::from_id(frequency.id()), Some(frequency));
        }
        assert_eq!(Frequency::from_id(0), None);
    }

    #[test]
    fn months_move_within_the_calendar() {
        let first = Month::from_ordinal(0).unwrap();
        assert_eq!(first.to_string(), "0001-01");
        assert_eq!(first.plus(-1), None);
        assert_eq!(Month::new(2024, 11).unwrap().plus(3), Month::new(2025, 2));
        assert_eq!(Month::from_ordinal(u32::MAX), None);
        assert_eq!(Month::new(10_000, 1), None);
        assert_eq!(Month::new(2024, 0), None);
        assert!("10000-01".parse::<Month>().is_err());
    }

    proptest! {
        #[test]
        fn a_period_is_printed_and_read_back(start in 0_u32..119_000, months in 1_u32..=60) {
            let first = Month::from_ordinal(start).unwrap();
            let last = Month::from_ordinal(start + months - 1).unwrap();
            let single = Period::month(first.year(), first.month());
            let whole = Period::year(first.year());
            for period in [single, whole, Period::cumulated(first, last)].into_iter().flatten() {
                prop_assert_eq!(period.to_string().parse(), Ok(period));
                prop_assert!(period.start() < period.end());
            }
        }

        #[test]
        fn a_month_is_printed_and_read_back(ordinal in 0_u32..119_988) {
            let month = Month::from_ordinal(ordinal).unwrap();
            prop_assert_eq!(Month::new(month.year(), month.month()), Some(month));
            prop_assert_eq!(month.to_string().parse(), Ok(month));
            prop_assert_eq!(month.ordinal(), ordinal);
        }

        #[test]
        fn nothing_breaks_the_parsers(text in any::<String>(), near in "[0-9.-]{0,18}") {
            for text in [text, near] {
                if let Ok(period) = text.parse::<Period>() {
                    prop_assert_eq!(period.to_string(), text.clone());
                }
                if let Ok(period) = Period::from_comtrade(&text) {
                    prop_assert_eq!(period.to_string().replace('-', ""), text.clone());
                }
            }
        }

        #[test]
        fn a_window_goes_over_the_wire_and_back(start in 0_u32..119_987, length in 1_u32..200) {
            let bound = |ordinal: u32| Month::from_ordinal(ordinal.min(119_987));
            let window = PeriodWindow::new(bound(start), bound(start + length)).unwrap();
            prop_assert_eq!(PeriodWindow::try_from(wire::PeriodWindow::from(window)), Ok(window));
        }
    }
}
