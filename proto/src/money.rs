//! Exact amounts: decimals as the wire writes them, their compact form for storage, and money.

use std::fmt;
use std::str::FromStr;

pub use rust_decimal::Decimal;

use crate::excerpt::Excerpt;
use crate::fields::Violations;
use crate::r#type::v1 as wire;

const MAX_DIGITS: usize = 18;
const MAX_SCALE: u8 = 6;
const MANTISSA_END: u64 = 10_u64.pow(18);

/// Why a text or a number is no decimal of the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// There is no text.
    #[error("empty: a decimal such as `1234.56` is required")]
    Empty,
    /// `NaN`, `inf` and their like.
    #[error("{0} is not a number that can be published: digits are required")]
    NotFinite(Excerpt),
    /// `1e6`.
    #[error("{0} has an exponent: write the number in full")]
    Exponent(Excerpt),
    /// A sign other than one leading `-`.
    #[error("{0} has a misplaced sign: only a leading `-` is allowed")]
    Sign(Excerpt),
    /// A comma, space, underscore or apostrophe.
    #[error("{0} has separators: write the digits without them, with `.` before decimals")]
    Separator(Excerpt),
    /// Digits or signs that are not ASCII, such as full-width ones.
    #[error("{0} is not plain ASCII: numbers are written with the digits 0 to 9")]
    NotAscii(Excerpt),
    /// A point without digits on both sides, or a second one.
    #[error("{0} has a misplaced point: one `.` with digits on both sides")]
    Point(Excerpt),
    /// Too many digits in all.
    #[error("{0} has more than 18 digits")]
    TooManyDigits(Excerpt),
    /// Too many digits after the point.
    #[error("{0} has more than 6 decimals")]
    TooManyDecimals(Excerpt),
    /// Anything else.
    #[error("{0} is no decimal: expected digits such as `1234.56`")]
    NotDigits(Excerpt),
}

/// Parses a decimal as the wire writes it: an optional `-`, digits, optionally a `.` and up to 6
/// digits; at most 18 digits in all.
pub fn parse_decimal(text: &str) -> Result<Decimal, DecimalError> {
    Scaled::parse(text).map(Decimal::from)
}

/// Writes a decimal as the wire does: no trailing zeros, and no sign on zero.
pub fn format_decimal(value: Decimal) -> String {
    if value.is_zero() {
        return "0".to_owned();
    }
    value.normalize().to_string()
}

/// A decimal in the form to store: `mantissa` / 10^`scale`, with no trailing zero after the point, so
/// that equal values are equal. At most 18 digits, at most 6 of them decimals.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scaled {
    mantissa: i64,
    scale: u8,
}

impl Scaled {
    /// Zero.
    pub const ZERO: Scaled = Scaled {
        mantissa: 0,
        scale: 0,
    };

    /// From its parts, which need not be normalised; `None` beyond 18 digits or 6 decimals.
    pub fn new(mantissa: i64, scale: u8) -> Option<Scaled> {
        let fits = mantissa.unsigned_abs() < MANTISSA_END && scale <= MAX_SCALE;
        fits.then(|| normalised(mantissa, scale))
    }

    /// The digits, as an integer.
    pub fn mantissa(self) -> i64 {
        self.mantissa
    }

    /// How many of them are decimals.
    pub fn scale(self) -> u8 {
        self.scale
    }

    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// Parses like [`parse_decimal`], and allocates for an error only.
    pub fn parse(text: &str) -> Result<Scaled, DecimalError> {
        match read(text.as_bytes()) {
            Ok(scaled) => Ok(scaled),
            Err(fault) => Err(explain(text, fault)),
        }
    }
}

fn normalised(mut mantissa: i64, mut scale: u8) -> Scaled {
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    Scaled { mantissa, scale }
}

/// What [`read`] stumbled over.
#[derive(Clone, Copy)]
enum Fault {
    NoDigits,
    Byte(u8),
    Point,
    Digits,
    Decimals,
}

fn read(bytes: &[u8]) -> Result<Scaled, Fault> {
    let (negative, unsigned) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let (whole, decimals) = match unsigned.iter().position(|b| *b == b'.') {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let tail = decimals.unwrap_or_default();
    let mantissa = accumulate(accumulate(0, whole)?, tail)?;
    check_shape(whole.len(), decimals.map(<[u8]>::len))?;
    let mantissa = if negative { -mantissa } else { mantissa };
    let scale = u8::try_from(tail.len()).map_err(|_| Fault::Decimals)?;
    Ok(normalised(mantissa, scale))
}

/// Beyond 18 digits it wraps; [`check_shape`] refuses those.
fn accumulate(start: i64, digits: &[u8]) -> Result<i64, Fault> {
    digits.iter().try_fold(start, |sum, byte| match byte {
        b'0'..=b'9' => Ok(sum.wrapping_mul(10).wrapping_add(i64::from(byte - b'0'))),
        other => Err(Fault::Byte(*other)),
    })
}

fn check_shape(whole: usize, decimals: Option<usize>) -> Result<(), Fault> {
    match decimals {
        None if whole == 0 => Err(Fault::NoDigits),
        Some(0) => Err(Fault::Point),
        Some(_) if whole == 0 => Err(Fault::Point),
        Some(count) if count > usize::from(MAX_SCALE) => Err(Fault::Decimals),
        _ if whole + decimals.unwrap_or_default() > MAX_DIGITS => Err(Fault::Digits),
        _ => Ok(()),
    }
}

#[cold]
fn explain(text: &str, fault: Fault) -> DecimalError {
    let given = Excerpt::of(text);
    match fault {
        _ if text.is_empty() => DecimalError::Empty,
        _ if !text.is_ascii() => DecimalError::NotAscii(given),
        Fault::NoDigits => DecimalError::NotDigits(given),
        Fault::Byte(byte) => explain_byte(text, byte, given),
        Fault::Point => DecimalError::Point(given),
        Fault::Digits => DecimalError::TooManyDigits(given),
        Fault::Decimals => DecimalError::TooManyDecimals(given),
    }
}

fn explain_byte(text: &str, byte: u8, given: Excerpt) -> DecimalError {
    let unsigned = text.trim_start_matches(['-', '+']).to_ascii_lowercase();
    match byte {
        _ if ["nan", "inf", "infinity"].contains(&unsigned.as_str()) => {
            DecimalError::NotFinite(given)
        }
        b'e' | b'E' if unsigned.starts_with(|c: char| c.is_ascii_digit()) => {
            DecimalError::Exponent(given)
        }
        b'+' | b'-' => DecimalError::Sign(given),
        b',' | b'_' | b'\'' | b' ' => DecimalError::Separator(given),
        b'.' => DecimalError::Point(given),
        _ => DecimalError::NotDigits(given),
    }
}

impl From<Scaled> for Decimal {
    fn from(scaled: Scaled) -> Decimal {
        Decimal::new(scaled.mantissa, scaled.scale.into())
    }
}

impl TryFrom<Decimal> for Scaled {
    type Error = DecimalError;

    fn try_from(value: Decimal) -> Result<Scaled, DecimalError> {
        let value = value.normalize();
        let given = || Excerpt::of(&value.to_string());
        let scale = u8::try_from(value.scale()).unwrap_or(u8::MAX);
        if scale > MAX_SCALE {
            return Err(DecimalError::TooManyDecimals(given()));
        }
        let mantissa = i64::try_from(value.mantissa()).ok();
        let scaled = mantissa.and_then(|mantissa| Scaled::new(mantissa, scale));
        scaled.ok_or_else(|| DecimalError::TooManyDigits(given()))
    }
}

impl fmt::Display for Scaled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs();
        if self.scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let unit = 10_u64.pow(self.scale.into());
        let width = usize::from(self.scale);
        write!(f, "{sign}{}.{:0width$}", digits / unit, digits % unit)
    }
}

impl fmt::Debug for Scaled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scaled({self})")
    }
}

impl FromStr for Scaled {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Scaled, DecimalError> {
        Scaled::parse(text)
    }
}

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The US dollar.
    pub const USD: Currency = Currency(*b"USD");

    /// The code, three capitals.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({self})")
    }
}

/// Why a text is no currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CurrencyError {
    /// There is no text.
    #[error("empty: an ISO 4217 code (`USD`) is required")]
    Empty,
    /// Anything else.
    #[error("unknown {0}: not an ISO 4217 code such as `USD`")]
    Unknown(Excerpt),
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Currency, CurrencyError> {
        if text.is_empty() {
            return Err(CurrencyError::Empty);
        }
        let known = iso_currency::Currency::from_code(text).is_some();
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if known => Ok(Currency(code)),
            Ok(_) | Err(_) => Err(CurrencyError::Unknown(Excerpt::of(text))),
        }
    }
}

/// An exact amount in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// How much.
    pub amount: Decimal,
    /// Of what.
    pub currency: Currency,
}

impl TryFrom<wire::Money> for Money {
    type Error = Violations;

    fn try_from(money: wire::Money) -> Result<Money, Violations> {
        let wire::Money {
            currency_code,
            amount,
        } = money;
        let mut violations = Violations::new();
        let currency = violations.check("currency_code", currency_code.parse());
        let amount = violations.check("amount", parse_decimal(&amount));
        match (currency, amount) {
            (Some(currency), Some(amount)) => Ok(Money { amount, currency }),
            _ => Err(violations),
        }
    }
}

impl From<Money> for wire::Money {
    fn from(money: Money) -> wire::Money {
        wire::Money {
            currency_code: money.currency.to_string(),
            amount: format_decimal(money.amount),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", format_decimal(self.amount), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::{Currency, Decimal, DecimalError, Money, Scaled, format_decimal, parse_decimal};
    use crate::r#type::v1 as wire;
    use proptest::prelude::*;

    fn refused(text: &str) -> DecimalError {
        parse_decimal(text).unwrap_err()
    }

    #[test]
    fn a_decimal_is_what_it_says() {
        assert_eq!(
            parse_decimal("17620000000"),
            Ok(Decimal::from(17_620_000_000_i64))
        );
        assert_eq!(parse_decimal("-1234.560"), Ok(Decimal::new(-123_456, 2)));
        assert_eq!(parse_decimal("007"), Ok(Decimal::from(7)));
        assert!(parse_decimal("999999999999999999").is_ok());
        assert!(parse_decimal("-999999999999.999999").is_ok());
    }

    #[test]
    fn what_is_no_decimal_says_why() {
        assert_eq!(refused(""), DecimalError::Empty);
        for text in ["NaN", "nan", "inf", "-inf", "Infinity", "+inf"] {
            assert!(
                matches!(refused(text), DecimalError::NotFinite(_)),
                "{text}"
            );
        }
        for text in ["1e400", "1E6", "1.5e3", "1e"] {
            assert!(matches!(refused(text), DecimalError::Exponent(_)), "{text}");
        }
        for text in ["+1", "--1", "1-", "1+1", "-+1"] {
            assert!(matches!(refused(text), DecimalError::Sign(_)), "{text}");
        }
        for text in ["1,234", "1 234", "1_234", "1'234", " 1", "1 "] {
            assert!(
                matches!(refused(text), DecimalError::Separator(_)),
                "{text}"
            );
        }
        for text in ["１２", "1\u{202F}234", "−1", "1\u{a0}000", "٣"] {
            assert!(matches!(refused(text), DecimalError::NotAscii(_)), "{text}");
        }
        for text in [".5", "5.", ".", "-.5", "1.2.3", "1..2"] {
            assert!(matches!(refused(text), DecimalError::Point(_)), "{text}");
        }
        for text in ["-", "abc", "0x10", "e5", "=1", "1\0", "$5"] {
            assert!(
                matches!(refused(text), DecimalError::NotDigits(_)),
                "{text}"
            );
        }
    }

    #[test]
    fn digits_are_bounded() {
        let long = "1234567890123456789";
        assert!(matches!(refused(long), DecimalError::TooManyDigits(_)));
        assert!(matches!(
            refused("1234567890123.123456"),
            DecimalError::TooManyDigits(_)
        ));
        assert!(matches!(
            refused("0.1234567"),
            DecimalError::TooManyDecimals(_)
        ));
        let megabytes = "9".repeat(1 << 22);
        assert!(matches!(
            refused(&megabytes),
            DecimalError::TooManyDigits(_)
        ));
        assert!(refused(&megabytes).to_string().len() < 100);
    }

    #[test]
    fn zero_has_one_form() {
        for text in ["0", "-0", "0.0", "-0.000000", "000"] {
            assert_eq!(Scaled::parse(text), Ok(Scaled::ZERO));
            assert_eq!(format_decimal(parse_decimal(text).unwrap()), "0");
        }
        assert_eq!(format_decimal("-0.00".parse().unwrap()), "0");
        assert_eq!(Scaled::ZERO.to_string(), "0");
    }

    #[test]
    fn equal_values_are_equal_as_stored() {
        assert_eq!(Scaled::parse("1.50"), Scaled::parse("1.5"));
        assert_eq!(Scaled::new(1500, 3), Scaled::new(15, 1));
        assert_eq!(Scaled::parse("1500").unwrap().scale(), 0);
        assert_eq!(Scaled::parse("-0.05").unwrap().to_string(), "-0.05");
    }

    #[test]
    fn what_does_not_fit_the_store_is_refused() {
        assert_eq!(Scaled::new(1, 7), None);
        assert_eq!(Scaled::new(1_000_000_000_000_000_000, 0), None);
        assert_eq!(Scaled::new(i64::MIN, 0), None);
        let third = Decimal::ONE / Decimal::from(3);
        assert!(matches!(
            Scaled::try_from(third),
            Err(DecimalError::TooManyDecimals(_))
        ));
        assert!(matches!(
            Scaled::try_from(Decimal::MAX),
            Err(DecimalError::TooManyDigits(_))
        ));
        let padded: Decimal = "1.5000000000".parse().unwrap();
        assert_eq!(Scaled::try_from(padded).ok(), Scaled::new(15, 1));
    }

    #[test]
    fn money_names_both_faults() {
        let error = Money::try_from(wire::Money {
            currency_code: "usd".to_owned(),
            amount: "1e6".to_owned(),
        });
        let error = error.unwrap_err().to_string();
        assert!(error.contains("currency_code: unknown `usd`"));
        assert!(error.contains("amount: `1e6` has an exponent"));
    }

    #[test]
    fn currencies_are_those_of_iso_4217() {
        for code in ["USD", "CNY", "KZT", "EUR"] {
            assert_eq!(code.parse::<Currency>().unwrap().to_string(), code);
        }
        for text in ["", "usd", "US", "USDX", "AAA", "\u{421}NY", "$"] {
            assert!(text.parse::<Currency>().is_err(), "{text}");
        }
    }

    fn by_rust_decimal(text: &str) -> Option<Decimal> {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let decimals = text.split_once('.').map_or(0, |(_, tail)| tail.len());
        let pointed = text.starts_with(['.', '+']) || text.starts_with("-.") || text.ends_with('.');
        let other = !text
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'-' || b == b'.');
        if digits > 18 || decimals > 6 || pointed || other {
            return None;
        }
        text.parse().ok()
    }

    proptest! {
        #[test]
        fn both_parsers_agree(text in any::<String>(), near in "-?[0-9]{0,20}\\.?[0-9]{0,8}") {
            for text in [text, near] {
                let scaled = Scaled::parse(&text);
                prop_assert_eq!(scaled.clone().map(Decimal::from), parse_decimal(&text));
                prop_assert_eq!(scaled.ok().map(Decimal::from), by_rust_decimal(&text));
            }
        }

        #[test]
        fn a_decimal_is_printed_and_read_back(mantissa in -999_999_999_999_999_999_i64..=999_999_999_999_999_999, scale in 0_u8..=6) {
            let scaled = Scaled::new(mantissa, scale).unwrap();
            let decimal = Decimal::new(mantissa, scale.into());
            prop_assert_eq!(Decimal::from(scaled), decimal);
            prop_assert_eq!(Scaled::try_from(decimal), Ok(scaled));
            prop_assert_eq!(format_decimal(decimal), scaled.to_string());
            prop_assert_eq!(Scaled::parse(&scaled.to_string()), Ok(scaled));
            let money = Money { amount: decimal, currency: Currency::USD };
            prop_assert_eq!(Money::try_from(wire::Money::from(money)), Ok(money));
        }

        #[test]
        fn nothing_breaks_the_currency(text in any::<String>(), near in "[A-Z]{3}") {
            for text in [text, near] {
                if let Ok(currency) = text.parse::<Currency>() {
                    prop_assert_eq!(currency.as_str(), &text);
                }
            }
        }
    }
}
