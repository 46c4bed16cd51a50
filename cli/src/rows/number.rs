//! Decimal numbers as publishers, pandas and R write them: exact, never through binary floats.

use proto::Scaled;

/// Decimals that a figure may have.
const DECIMALS: i32 = 6;
/// Digits that a figure may have in all.
const DIGITS: i32 = 18;
/// The longest text that is looked at: no figure that fits needs more.
const LONGEST: usize = 64;

const NO_NUMBER: &str = "not a plain decimal number";
const NEGATIVE: &str = "negative";
const TOO_LONG: &str = "over 18 digits";
const OUT_OF_RANGE: &str = "out of range";
const NOT_EXACT: &str = "an exponent that leaves over 6 decimals";

/// A figure, and whether it had over 6 decimals and was rounded (half to even).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) value: Scaled,
    pub(crate) rounded: bool,
}

/// Reads a number that is neither empty nor negative. The error says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Figure, &'static str> {
    let number = split(text.as_bytes())?;
    let value = match number {
        Split {
            whole,
            fraction,
            exponent: None,
        } if is_common(whole, fraction) => {
            let mantissa = fold(fold(0, whole), fraction);
            #[expect(clippy::cast_possible_truncation, reason = "at most 6")]
            Scaled::new(mantissa, fraction.len() as u8)
        }
        _ => return Digits::of(&number)?.figure(number.exponent.is_some()),
    };
    let rounded = false;
    value.map(|value| Figure { value, rounded }).ok_or(TOO_LONG)
}

/// Reads a number that is neither empty nor negative, times ten to the power `power`, and never rounds it.
pub(crate) fn parse_exact(text: &str, power: i32) -> Result<Scaled, &'static str> {
    let mut number = split(text.as_bytes())?;
    let given = number.exponent.unwrap_or(0);
    number.exponent = Some(given.saturating_add(power).clamp(-9_999, 9_999));
    let figure = Digits::of(&number)?
        .figure(true)
        .map_err(|fault| match fault {
            NOT_EXACT => "over 6 decimals",
            OUT_OF_RANGE => TOO_LONG,
            other => other,
        })?;
    Ok(figure.value)
}

/// A number's digits before and behind its point, and its exponent.
struct Split<'a> {
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: Option<i32>,
}

/// Fits as it stands.
fn is_common(whole: &[u8], fraction: &[u8]) -> bool {
    fraction.len() <= 6 && whole.len() + fraction.len() <= 18
}

fn fold(start: i64, digits: &[u8]) -> i64 {
    let append = |sum: i64, digit: &u8| sum * 10 + i64::from(digit - b'0');
    digits.iter().fold(start, append)
}

fn split(text: &[u8]) -> Result<Split<'_>, &'static str> {
    if text.first() == Some(&b'-') {
        return Err(if split(&text[1..]).is_ok() {
            NEGATIVE
        } else {
            NO_NUMBER
        });
    }
    let (whole, rest) = leading_digits(text);
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => leading_digits(rest),
        rest => (&rest[..0], rest),
    };
    let pointed = text.get(whole.len()) == Some(&b'.');
    if whole.is_empty() || (pointed && fraction.is_empty()) {
        return Err(NO_NUMBER);
    }
    let exponent = exponent(rest)?;
    Ok(Split {
        whole,
        fraction,
        exponent,
    })
}

fn leading_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at(length)
}

fn exponent(text: &[u8]) -> Result<Option<i32>, &'static str> {
    let (negative, digits) = match text {
        [] => return Ok(None),
        [b'e' | b'E', b'-', digits @ ..] => (true, digits),
        [b'e' | b'E', b'+', digits @ ..] | [b'e' | b'E', digits @ ..] => (false, digits),
        _ => return Err(NO_NUMBER),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NO_NUMBER);
    }
    if digits.len() > 4 {
        return Err(OUT_OF_RANGE);
    }
    let size = digits
        .iter()
        .fold(0, |size, digit| size * 10 + i32::from(digit - b'0'));
    Ok(Some(if negative { -size } else { size }))
}

/// The digits from the first to the last that is not zero. `first`, `point` and `last` count places
/// of one endless row of digits: the point stands before the place `point`.
struct Digits {
    significant: Vec<u8>,
    first: i32,
    point: i32,
}

impl Digits {
    fn of(number: &Split<'_>) -> Result<Self, &'static str> {
        if number.whole.len() + number.fraction.len() > LONGEST {
            return Err("longer than any figure");
        }
        let mut digits = [number.whole, number.fraction].concat();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..zeros);
        let place = |length: usize| i32::try_from(length).map_err(|_| OUT_OF_RANGE);
        Ok(Self {
            significant: digits,
            first: place(zeros)?,
            point: place(number.whole.len())? + number.exponent.unwrap_or(0),
        })
    }

    /// The digit of a place; zero outside.
    fn at(&self, place: i32) -> u8 {
        let index = usize::try_from(place - self.first).ok();
        let digit = index.and_then(|index| self.significant.get(index));
        digit.map_or(0, |digit| digit - b'0')
    }

    /// Behind the last digit.
    fn end(&self) -> i32 {
        self.first + i32::try_from(self.significant.len()).unwrap_or(i32::MAX)
    }

    fn figure(&self, exponent: bool) -> Result<Figure, &'static str> {
        let cut = self.point + DECIMALS;
        let rounded = self.end() > cut;
        if self.significant.is_empty() {
            return Ok(Figure {
                value: Scaled::ZERO,
                rounded: false,
            });
        }
        if rounded && exponent {
            return Err(NOT_EXACT);
        }
        let last = self.end().clamp(self.point, cut);
        if last - self.first > DIGITS {
            return Err(if exponent { OUT_OF_RANGE } else { TOO_LONG });
        }
        let places = self.first..last;
        let mantissa = places.fold(0, |sum: i64, place| sum * 10 + i64::from(self.at(place)));
        let up = i64::from(rounded && self.rounds_up(cut, mantissa));
        let value = scaled(mantissa + up, last - self.point).ok_or(TOO_LONG)?;
        Ok(Figure { value, rounded })
    }

    /// Half to even, by the digits from `cut` on.
    fn rounds_up(&self, cut: i32, mantissa: i64) -> bool {
        let beyond_half = self.end() > cut + 1;
        match self.at(cut) {
            5 if !beyond_half => mantissa % 2 == 1,
            digit => digit >= 5,
        }
    }
}

/// Rounding up can leave one digit too many, but only with zeros behind it.
fn scaled(mut mantissa: i64, mut scale: i32) -> Option<Scaled> {
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    Scaled::new(mantissa, u8::try_from(scale).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, &'static str> {
        parse(text).map(|figure| figure.value.to_string())
    }

    fn rounded(text: &str) -> (String, bool) {
        let figure = parse(text).unwrap();
        (figure.value.to_string(), figure.rounded)
    }

    #[test]
    fn floats_are_normalised_and_stay_exact() {
        let cases = [
            ("0", "0"),
            ("0.0", "0"),
            ("0.1", "0.1"),
            ("00012", "12"),
            ("123.450000", "123.45"),
            ("87673764182.0", "87673764182"),
            ("53621601767.0", "53621601767"),
            ("9007199254740993", "9007199254740993"),
            ("123456789012345678.000000000", "123456789012345678"),
            ("000000000000000000000001.5", "1.5"),
        ];
        for (text, value) in cases {
            assert_eq!(read(text), Ok(value.to_owned()), "{text}");
        }
    }

    #[test]
    fn exponents_that_come_out_even_are_taken() {
        let cases = [
            ("1.5E+09", "1500000000"),
            ("5.3621601767E10", "53621601767"),
            ("1e-05", "0.00001"),
            ("1.0e-6", "0.000001"),
            ("0e999", "0"),
            ("0.00000001e8", "1"),
            ("1e17", "100000000000000000"),
            ("120000e-8", "0.0012"),
        ];
        for (text, value) in cases {
            assert_eq!(read(text), Ok(value.to_owned()), "{text}");
        }
        for text in ["1e400", "1e18", "9e9999", "1e99999999999"] {
            assert_eq!(read(text), Err(OUT_OF_RANGE), "{text}");
        }
        for text in ["1e-7", "1.5e-06", "1e-400"] {
            assert_eq!(read(text), Err(NOT_EXACT), "{text}");
        }
    }

    #[test]
    fn a_power_of_ten_is_applied_exactly() {
        let exact = |text, power| parse_exact(text, power).map(|value| value.to_string());
        for (text, power, value) in [
            ("17.62", 9, "17620000000"),
            ("1234.5", 0, "1234.5"),
            ("1234.5", -5, "0.012345"),
            ("1.5E3", 6, "1500000000"),
            ("0", 18, "0"),
            ("123456789012345678", 0, "123456789012345678"),
        ] {
            assert_eq!(exact(text, power), Ok(value.to_owned()), "{text}");
        }
        assert_eq!(exact("1234.5", -6), Err("over 6 decimals"));
        assert_eq!(exact("0.0000001", 0), Err("over 6 decimals"));
        assert_eq!(exact("1", 18), Err(TOO_LONG));
        assert_eq!(exact("1", i32::MAX), Err(TOO_LONG));
        assert_eq!(exact("-1", 3), Err(NEGATIVE));
    }

    #[test]
    fn over_six_decimals_are_rounded_half_to_even() {
        let cases = [
            ("1.0000005", "1", true),
            ("1.0000015", "1.000002", true),
            ("1.00000051", "1.000001", true),
            ("1.00000049999999999999999999999999999999", "1", true),
            ("0.00000001", "0", true),
            ("0.9999999", "1", true),
            ("999999999999.9999999", "1000000000000", true),
            ("1.0000000", "1", false),
        ];
        for (text, value, is_rounded) in cases {
            assert_eq!(rounded(text), (value.to_owned(), is_rounded), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for text in [
            "1234567890123456789",
            "1234567890123.123456",
            "999999999999999999.9999999",
        ] {
            assert_eq!(read(text), Err(TOO_LONG), "{text}");
        }
        assert_eq!(read(&"1".repeat(70)), Err("longer than any figure"));
    }

    #[test]
    fn what_is_no_plain_number_is_refused() {
        let cases = [
            "",
            " ",
            "NaN",
            "nan",
            "inf",
            "-inf",
            "NA",
            "１２３",
            "1,234",
            "1 234",
            " 1",
            "1 ",
            "1\u{a0}234",
            "1'234",
            "1_000",
            ".5",
            "5.",
            "1.2.3",
            "+1",
            "1e",
            "1e+",
            "1e1.5",
            "0x10",
            "e5",
            "--1",
            "=1+1",
        ];
        for text in cases {
            assert_eq!(read(text), Err(NO_NUMBER), "{text}");
        }
        for text in ["-1", "-0.5", "-1e5"] {
            assert_eq!(read(text), Err(NEGATIVE), "{text}");
        }
    }
}
