//! A length of time as people write it: `500us`, `10ms`, `30s`, `5m`, `1h`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(pub(crate) Duration);

/// Units and their microseconds, the longer names first.
const UNITS: [(&str, u64); 5] = [
    ("us", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("m", 60_000_000),
    ("h", 3_600_000_000),
];
/// The longest: a week.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

impl Span {
    /// A length of time that is more than nothing.
    pub(crate) fn some(text: &str) -> Result<Span, String> {
        let span: Span = text.parse()?;
        if span.0.is_zero() {
            return Err("it must be more than nothing".into());
        }
        Ok(span)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Span, String> {
        let wrong =
            || format!("`{text}` is no length of time; it looks like 500us, 10ms, 30s, 5m or 1h");
        let at = text
            .find(|c: char| c.is_ascii_alphabetic())
            .ok_or_else(wrong)?;
        let (number, unit) = text.split_at(at);
        let unit = UNITS.iter().find(|(name, _)| *name == unit.trim());
        let (_, micros) = unit.ok_or_else(wrong)?;
        let number: u64 = number.trim().parse().map_err(|_| wrong())?;
        let span = number.checked_mul(*micros).map(Duration::from_micros);
        let span = span.filter(|span| *span <= LONGEST);
        span.map(Span)
            .ok_or_else(|| format!("`{text}` is longer than a week"))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX);
        let fits = |(_, size): &&(&str, u64)| micros > 0 && micros.is_multiple_of(*size);
        let (unit, size) = UNITS.iter().rev().find(fits).unwrap_or(&UNITS[2]);
        write!(f, "{}{unit}", micros / size)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_and_written_as_people_do() {
        for text in ["500us", "10ms", "30s", "5m", "1h"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("90 s".parse::<Span>().unwrap().to_string(), "90s");
        assert_eq!("0s".parse::<Span>().unwrap().to_string(), "0s");
        assert!(Span::some("0s").is_err() && Span::some("1s").is_ok());
        for text in [
            "",
            "10",
            "ten s",
            "-1s",
            "1.5s",
            "1y",
            "99999999999999999999s",
            "9999h",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
