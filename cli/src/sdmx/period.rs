//! Periods as SDMX writes them.

use proto::{Frequency, Month, Period};

const FORMS: &str =
    "expected `2024`, `2024-05`, `2024-M05`, `202405`, `2024-Q1`, `2024-S1` or `2024-01-01/P5M`";

/// The code of SDMX's list of frequencies; `_O`, other, for cumulated months.
pub(crate) fn frequency(period: Period) -> &'static str {
    match period.frequency() {
        Frequency::Year => "A",
        Frequency::Month => "M",
        Frequency::Cumulated => "_O",
    }
}

/// A year, a month, or for cumulated months the first day and how long it lasts.
pub(crate) fn format(period: Period) -> String {
    match period.frequency() {
        Frequency::Year | Frequency::Month => period.to_string(),
        Frequency::Cumulated => format!("{}-01/P{}M", period.start(), period.months()),
    }
}

/// Reads a period; the error says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Period, String> {
    let other = || format!("no period: {FORMS}");
    if !text.is_ascii() {
        return Err(other());
    }
    if let Some((start, length)) = text.split_once('/') {
        return range(start, length).unwrap_or_else(|| Err(other()));
    }
    let (year, rest) = text.split_at_checked(4).ok_or_else(other)?;
    let rest = match rest.strip_prefix('-') {
        Some("") => return Err(other()),
        Some(rest) => rest,
        None => rest,
    };
    let part = |letter: char, width| digits(rest.strip_prefix(letter)?, width);
    let (first, months) = if rest.is_empty() || rest == "A1" {
        (1, 12)
    } else if let Some(month) = digits(rest, 2).or_else(|| part('M', 2)) {
        (month, 1)
    } else if let Some(quarter @ 1..=4) = part('Q', 1) {
        (quarter * 3 - 2, 3)
    } else if let Some(half @ 1..=2) = part('S', 1) {
        (half * 6 - 5, 6)
    } else {
        return Err(other());
    };
    let year = digits(year, 4).ok_or_else(other)?;
    of_months(year, first, months)
}

/// Whether a frequency's code and a period agree. Codes other than of a year and a month are not looked at.
pub(super) fn agrees(code: &str, period: Period) -> bool {
    match code {
        "A" => period.frequency() == Frequency::Year,
        "M" => period.frequency() == Frequency::Month,
        "Q" => period.months() == 3,
        _ => true,
    }
}

/// `2024-01-01` or `2024-01`, and `P5M` or `P1Y`.
fn range(start: &str, length: &str) -> Option<Result<Period, String>> {
    let start = start.strip_suffix("T00:00:00").unwrap_or(start);
    let mut parts = start.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2)?;
    match (parts.next(), parts.next()) {
        (None | Some("01"), None) => {}
        _ => return None,
    }
    let length = length.strip_prefix('P')?;
    let months = match (length.strip_suffix('M'), length.strip_suffix('Y')) {
        (Some(months), _) => count(months)?,
        (None, Some(years)) => count(years)?.checked_mul(12)?,
        (None, None) => return None,
    };
    Some(of_months(year, month, months))
}

fn of_months(year: u16, month: u16, months: u16) -> Result<Period, String> {
    let start = u8::try_from(month).ok();
    let start = start.and_then(|month| Month::new(year, month));
    let start = start.ok_or("years are 0001 to 9999, months 01 to 12")?;
    let is_year = start.month() == 1 && months == 12;
    let end = start.plus(i32::from(months) - 1);
    let period = match months {
        0 => None,
        1 => Period::month(start.year(), start.month()),
        12 if is_year => Period::year(start.year()),
        _ => end.and_then(|end| Period::cumulated(start, end)),
    };
    period.ok_or_else(|| "at most 60 months, until the year 9999".to_owned())
}

/// Exactly `width` digits.
fn digits(text: &str, width: usize) -> Option<u16> {
    if text.len() == width {
        count(text)
    } else {
        None
    }
}

fn count(text: &str) -> Option<u16> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        for (text, period) in [
            ("2024", "2024"),
            ("2024-A1", "2024"),
            ("2024-01-01/P1Y", "2024"),
            ("2024-01/P12M", "2024"),
            ("2024-05", "2024-05"),
            ("2024-M05", "2024-05"),
            ("2024M05", "2024-05"),
            ("202405", "2024-05"),
            ("2024-05-01/P1M", "2024-05"),
            ("2024-Q2", "2024-04..2024-06"),
            ("2024-S2", "2024-07..2024-12"),
            ("2024-01-01/P5M", "2024-01..2024-05"),
            ("2024-01-01T00:00:00/P5M", "2024-01..2024-05"),
            ("2023-11/P4M", "2023-11..2024-02"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), period, "{text}");
        }
    }

    #[test]
    fn what_is_no_period_is_refused() {
        let wrong = [
            "",
            "20",
            "2024-",
            "2024-13",
            "2024-00",
            "0000",
            "2024-05-07",
            "2024-W01",
            "2024-Q5",
            "2024-A2",
            "2024-01-02/P5M",
            "2024-01-01/P0M",
            "2024-01-01/P61M",
            "2024-01-01/P5D",
            "2024-01-01/P+5M",
            "2024-01-01/2024-05",
            "9999-12/P2M",
            "２０２４",
            "2024-01-01/P",
            "2024-M5",
            "+024",
            "2024/P1M",
            "/",
            "2024-01-01-01/P1M",
        ];
        for text in wrong {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["2024", "2024-05", "2024-01..2024-05", "2023-11..2024-10"] {
            let period: Period = text.parse().unwrap();
            assert_eq!(parse(&format(period)), Ok(period));
            assert!(agrees(frequency(period), period));
        }
        assert_eq!(
            format("2024-01..2024-05".parse().unwrap()),
            "2024-01-01/P5M"
        );
        assert!(!agrees("M", "2024".parse().unwrap()) && !agrees("A", "2024-05".parse().unwrap()));
    }
}
