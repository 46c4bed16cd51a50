//! The days of an event: as a calendar writes them, and as an event has them.

use std::fmt::Write as _;

use proto::{CivilDate, Day, Excerpt};

use super::lines::{Line, Lines};
use super::words::{DATE_PRECISION, END_PRECISION};

const SECONDS_OF_DAY: u64 = 86_400;
/// Longer than any event may be, and short enough for every arithmetic.
const FAR: i32 = 10_000;

/// A moment as a calendar writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) day: Day,
    /// Seconds of the day; `None` for a DATE.
    pub(super) time: Option<u64>,
    /// `Z`, a TZID, or nothing.
    zone: String,
}

impl Moment {
    /// Reads a DATE or a DATE-TIME.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(line: &Line) -> Result<Moment, String> {
        let text = line.value();
        let form = || {
            let given = Excerpt::of(text);
            format!(
                "{given} is no date: expected `20240702`, `20240702T093000` or `20240702T093000Z`"
            )
        };
        let (date, time) = match text.split_once(['T', 't']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let [year, month, day] = digits(date, [4, 2, 2]).ok_or_else(form)?;
        let is_utc = time.is_some_and(|time| time.ends_with(['Z', 'z']));
        let time = time.map(|time| seconds(time.trim_end_matches(['Z', 'z'])).ok_or_else(form));
        let time = time.transpose()?;
        if month == 0 || day == 0 {
            return Err(format!("{} has no such day", Excerpt::of(text)));
        }
        let date = CivilDate::new(year, month, day).map_err(|wrong| wrong.to_string())?;
        let zone = if is_utc {
            "Z"
        } else {
            line.param("TZID").unwrap_or_default()
        };
        Ok(Moment {
            day: date.first(),
            time,
            zone: zone.to_owned(),
        })
    }
}

/// Numbers of so many digits each, and nothing else.
fn digits<const N: usize>(text: &str, widths: [usize; N]) -> Option<[i32; N]> {
    let is_right =
        text.len() == widths.iter().sum::<usize>() && text.bytes().all(|b| b.is_ascii_digit());
    let mut rest = is_right.then_some(text)?;
    let mut numbers = [0; N];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let (digits, after) = rest.split_at(width);
        *number = digits.parse().ok()?;
        rest = after;
    }
    Some(numbers)
}

fn seconds(text: &str) -> Option<u64> {
    let [hour, minute, second] = digits(text, [2, 2, 2])?;
    // A leap second is the 60th.
    let exists = hour < 24 && minute < 60 && second <= 60;
    let seconds = hour * 3_600 + minute * 60 + second.min(59);
    u64::try_from(seconds).ok().filter(|_| exists)
}

/// The last day of an event, and what was mended to get it.
pub(super) type Last = Result<(Day, Option<&'static str>), String>;

/// The last day of an event that ends at a moment, which is outside.
///
/// # Errors
/// That it ends before it starts.
pub(super) fn until(start: &Moment, end: &Moment) -> Last {
    let Some(time) = end.time else {
        return match end.day.cmp(&start.day) {
            std::cmp::Ordering::Greater => Ok((end.day.plus(-1), None)),
            std::cmp::Ordering::Equal => Ok((start.day, one_day(start))),
            std::cmp::Ordering::Less => Err(before(start)),
        };
    };
    if (end.day, time) < (start.day, start.time.unwrap_or_default()) {
        let is_elsewhere = start.time.is_some() && start.zone != end.zone;
        // No two clocks are further apart than a day.
        return if is_elsewhere && end.day.days_until(start.day) <= 1 {
            let note = "is of another time zone, and by its date before DTSTART; taken as one day";
            Ok((start.day, Some(note)))
        } else {
            Err(before(start))
        };
    }
    let is_midnight = time == 0 && end.day > start.day;
    Ok((end.day.plus(-i32::from(is_midnight)), None))
}

fn one_day(start: &Moment) -> Option<&'static str> {
    // With a time of day before it, a DATE of the same day is an end inside that day.
    let is_date = start.time.is_none();
    is_date.then_some("is the day of DTSTART, although it is the first day after; taken as one day")
}

fn before(start: &Moment) -> String {
    format!("is before DTSTART, {}", start.day)
}

/// The last day of an event that lasts as long as a DURATION says.
///
/// # Errors
/// What is wrong with the duration.
pub(super) fn lasting(start: &Moment, duration: &str) -> Last {
    let text = duration.strip_prefix('+').unwrap_or(duration);
    if text.starts_with('-') {
        return Err(before(start));
    }
    let seconds = duration_of(text);
    let seconds = seconds.ok_or_else(|| {
        let given = Excerpt::of(duration);
        format!("{given} is no duration: expected `P2D`, `P1W` or `PT1H30M`")
    })?;
    if seconds == 0 && start.time.is_none() {
        let note = "is no time at all; taken as one day";
        return Ok((start.day, Some(note)));
    }
    let inside = start.time.unwrap_or_default().saturating_add(seconds);
    let days = inside.saturating_sub(1) / SECONDS_OF_DAY;
    let days = i32::try_from(days).unwrap_or(FAR).min(FAR);
    Ok((start.day.plus(days), None))
}

/// `P2DT3H`, `P1W`: seconds.
fn duration_of(text: &str) -> Option<u64> {
    let text = text.to_ascii_uppercase();
    let text = text.strip_prefix('P')?;
    let (days, time) = match text.split_once('T') {
        Some((days, time)) => (days, Some(time)),
        None => (text, None),
    };
    if text.is_empty() || time.is_some_and(str::is_empty) {
        return None;
    }
    let days = sum(days, &[('W', 7 * SECONDS_OF_DAY), ('D', SECONDS_OF_DAY)])?;
    let time = sum(
        time.unwrap_or_default(),
        &[('H', 3_600), ('M', 60), ('S', 1)],
    )?;
    Some(days.saturating_add(time))
}

/// Numbers, each before its unit, in the order of the units.
fn sum(text: &str, units: &[(char, u64)]) -> Option<u64> {
    let (mut rest, mut units) = (text, units.iter());
    let mut seconds = 0_u64;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .filter(|end| *end > 0)?;
        let (number, after) = rest.split_at(end);
        let unit = after.chars().next()?;
        let (_, length) = units.find(|(name, _)| *name == unit)?;
        // A number too long for one is longer than all that is allowed.
        let number = number.parse().unwrap_or(u64::MAX);
        seconds = seconds.saturating_add(length.saturating_mul(number));
        rest = &after[unit.len_utf8()..];
    }
    Some(seconds)
}

/// A date of which only the month or the year is known, when the stretch that a calendar has begins with it; a day
/// that was moved in another program is no longer the first of its month.
pub(super) fn starting(first: Day, precision: &str) -> Option<CivilDate> {
    of_precision(first, precision).filter(|date| date.first() == first)
}

/// As [`starting`], for the last day.
pub(super) fn ending(last: Day, precision: &str) -> Option<CivilDate> {
    of_precision(last, precision).filter(|date| date.last() == last)
}

fn of_precision(day: Day, precision: &str) -> Option<CivilDate> {
    let date = day.date();
    let (year, month) = (i32::from(date.year()), date.month().map_or(0, i32::from));
    match precision.to_ascii_uppercase().as_str() {
        "YEAR" => CivilDate::new(year, 0, 0).ok(),
        "MONTH" => CivilDate::new(year, month, 0).ok(),
        "DAY" => Some(date),
        _ => None,
    }
}

fn precision(date: CivilDate) -> &'static str {
    match (date.month(), date.day()) {
        (None, _) => "YEAR",
        (Some(_), None) => "MONTH",
        (Some(_), Some(_)) => "DAY",
    }
}

/// Writes the days of an event: all that its dates may mean.
pub(super) fn write(lines: &mut Lines, start: CivilDate, end: Option<CivilDate>) {
    let value = [("VALUE", "DATE")];
    let (first, last) = (start.first(), end.unwrap_or(start).last());
    lines.line("DTSTART", &value, &basic(first));
    let after = last.plus(1);
    if after > last {
        lines.line("DTEND", &value, &basic(after));
    } else {
        // The day after the last that there is cannot be written.
        lines.raw("DURATION", &format!("P{}D", first.days_until(last) + 1));
    }
    if start.day().is_none() {
        lines.raw(DATE_PRECISION, precision(start));
    }
    if let Some(end) = end {
        lines.raw(END_PRECISION, precision(end));
    }
}

/// `20240702`.
fn basic(day: Day) -> String {
    day.to_string().replace('-', "")
}

/// `20240702T093000Z`, for microseconds since 1970.
pub(super) fn utc(micros: i64) -> Option<String> {
    let mut text = basic(Day::of_instant(micros)?);
    let seconds = micros.div_euclid(1_000_000).rem_euclid(86_400);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    write!(text, "T{hour:02}{minute:02}{second:02}Z").ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::super::lines;
    use super::*;

    fn moment(text: &str) -> Result<Moment, String> {
        let text = format!("DTSTART{text}");
        let line = lines::read(text.as_bytes()).next().unwrap().unwrap();
        Moment::read(&line)
    }

    fn last(start: &str, end: &str) -> String {
        let start = moment(start).unwrap();
        let last = match end.strip_prefix('P') {
            Some(_) => lasting(&start, end),
            None => until(&start, &moment(end).unwrap()),
        };
        match last {
            Ok((day, None)) => day.to_string(),
            Ok((day, Some(_))) => format!("{day}, mended"),
            Err(wrong) => wrong,
        }
    }

    #[test]
    fn a_moment_is_a_date_with_or_without_a_time() {
        let utc = moment(":20240702T093001Z").unwrap();
        assert_eq!(
            (utc.day.to_string(), utc.time),
            ("2024-07-02".into(), Some(34_201))
        );
        assert_eq!(
            moment(";TZID=Asia/Almaty:20240702T093000").unwrap().zone,
            "Asia/Almaty"
        );
        assert_eq!(moment(";VALUE=DATE: 20240229 ").unwrap().time, None);
        for wrong in [
            "INVALID-DATE",
            "20230229",
            "20231301",
            "20230100",
            "20230001",
            "00000101",
            "2023-01-01",
            "202301",
            "20230101T",
            "20230101T240000",
            "20230101T1200",
            "20230101TZ",
            "２０２３０１０１",
            "",
        ] {
            assert!(moment(&format!(":{wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_end_is_outside() {
        assert_eq!(last(":20240702", ":20240704"), "2024-07-03");
        assert_eq!(last(":20240702", ":20240702"), "2024-07-02, mended");
        assert_eq!(
            last(":20240702", ":20240701"),
            "is before DTSTART, 2024-07-02"
        );
        assert_eq!(last(":20240702T090000", ":20240703T000000"), "2024-07-02");
        assert_eq!(last(":20240702T090000", ":20240703T000001"), "2024-07-03");
        assert_eq!(last(":20240702T090000", ":20240702T090000"), "2024-07-02");
        assert_eq!(
            last(":20240702T090000Z", ":20240702T085959Z"),
            "is before DTSTART, 2024-07-02"
        );
        let tokyo = ";TZID=Asia/Tokyo:20240702T080000";
        assert_eq!(last(tokyo, ":20240701T233000Z"), "2024-07-02, mended");
    }

    #[test]
    fn a_duration_is_counted_from_the_start() {
        assert_eq!(last(":20240702", "P1D"), "2024-07-02");
        assert_eq!(last(":20240702", "P1W"), "2024-07-08");
        assert_eq!(last(":20240702", "P0D"), "2024-07-02, mended");
        assert_eq!(last(":20240702T230000", "PT1H"), "2024-07-02");
        assert_eq!(last(":20240702T230000", "P1DT1H0M1S"), "2024-07-04");
        assert_eq!(last(":99991231", "P99999999999999999999D"), "9999-12-31");
        for wrong in [
            "P", "PT", "P1", "P1H", "PT1D", "P1D1W", "P-1D", "P1.5D", "PT1S1H",
        ] {
            assert!(
                last(":20240702", wrong).contains("is no duration"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_stretch_is_a_month_only_as_a_whole() {
        let day = |text: &str| text.parse::<CivilDate>().unwrap().first();
        let shown = |date: Option<CivilDate>| date.map(|date| date.to_string());
        assert_eq!(
            shown(starting(day("2024-05-01"), "MONTH")),
            Some("2024-05".into())
        );
        assert_eq!(shown(starting(day("2024-05-02"), "MONTH")), None);
        assert_eq!(
            shown(ending(day("2024-12-31"), "year")),
            Some("2024".into())
        );
        assert_eq!(shown(ending(day("2024-12-31"), "DECADE")), None);
    }

    #[test]
    fn an_instant_is_written_in_utc() {
        assert_eq!(utc(1_719_912_600_999_999).unwrap(), "20240702T093000Z");
        assert_eq!(utc(-1).unwrap(), "19691231T235959Z");
        assert_eq!(utc(i64::MAX), None);
    }
}
