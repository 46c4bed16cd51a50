//! Figures as the press writes them: `17.62bn`, `18%`.

use proto::{Decimal, Scaled, format_decimal, parse_decimal};

/// A figure with what one unit of its last digit is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) value: Decimal,
    /// `None` for one that is written in full, and therefore exact.
    pub(crate) precision: Option<Decimal>,
}

impl Amount {
    /// Decimal digits with what one of their units is worth: `31.2` in bn is 31.2 bn to 0.1 bn.
    pub(crate) fn scaled(digits: &str, unit: Decimal) -> Result<Amount, String> {
        let number = parse_decimal(digits).map_err(|error| error.to_string())?;
        let last_digit = last_digit(digits);
        let value = on_the_wire(number.checked_mul(unit))?;
        let precision = on_the_wire(last_digit.checked_mul(unit))?;
        Ok(Amount {
            value,
            precision: Some(precision),
        })
    }

    /// The precision as the wire has it; empty for an exact figure.
    pub(crate) fn precision_text(&self) -> String {
        self.precision.map(format_decimal).unwrap_or_default()
    }
}

/// What one unit of the last digit is worth: 0.01 for `17.62`.
fn last_digit(digits: &str) -> Decimal {
    let decimals = digits.split_once('.').map_or(0, |(_, tail)| tail.len());
    Decimal::new(1, u32::try_from(decimals).unwrap_or_default())
}

/// What the wire can hold: 18 digits, 6 of them decimals.
fn on_the_wire(value: Option<Decimal>) -> Result<Decimal, String> {
    let value = value.ok_or("too large")?;
    Scaled::try_from(value)
        .map(Decimal::from)
        .map_err(|error| error.to_string())
}

/// An amount: `17.62bn`, `850m`, or in full, `17620000000`.
pub(crate) fn parse_amount(text: &str) -> Result<Amount, String> {
    let text = text.trim();
    let end = text.find(|c: char| c.is_ascii_alphabetic());
    let (digits, unit) = text.split_at(end.unwrap_or(text.len()));
    let digits = digits.trim();
    let unit = match unit {
        "" => {
            let value = parse_decimal(digits).map_err(|error| error.to_string())?;
            return Ok(Amount {
                value,
                precision: None,
            });
        }
        "m" | "mn" => 1_000_000,
        "bn" => 1_000_000_000,
        "tn" => 1_000_000_000_000_i64,
        _ => {
            return Err(format!(
                "unit `{unit}`: write m, bn or tn, or the number in full"
            ));
        }
    };
    Amount::scaled(digits, Decimal::from(unit))
}

/// A ratio: `18%`, or in full, `0.18`; its last digit says how precise it is.
pub(crate) fn parse_ratio(text: &str) -> Result<Amount, String> {
    let text = text.trim().trim_start_matches('+');
    match text.strip_suffix('%') {
        Some(digits) => Amount::scaled(digits.trim(), Decimal::new(1, 2)),
        None => Amount::scaled(text, Decimal::ONE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> (String, String) {
        let amount = parse_amount(text).unwrap();
        (format_decimal(amount.value), amount.precision_text())
    }

    #[test]
    fn an_amount_is_as_precise_as_its_last_digit() {
        assert_eq!(amount("17.62bn"), ("17620000000".into(), "10000000".into()));
        assert_eq!(
            amount("41.0 bn"),
            ("41000000000".into(), "100000000".into())
        );
        assert_eq!(amount("850m"), ("850000000".into(), "1000000".into()));
        assert_eq!(amount("17620000000"), ("17620000000".into(), String::new()));
    }

    #[test]
    fn a_ratio_is_written_as_per_cent_or_in_full() {
        let ratio = |text| {
            let ratio = parse_ratio(text).unwrap();
            (format_decimal(ratio.value), ratio.precision_text())
        };
        assert_eq!(ratio("18%"), ("0.18".into(), "0.01".into()));
        assert_eq!(ratio("+23.6 %"), ("0.236".into(), "0.001".into()));
        assert_eq!(ratio("-0.5%"), ("-0.005".into(), "0.001".into()));
        assert_eq!(ratio("0.18"), ("0.18".into(), "0.01".into()));
    }

    #[test]
    fn what_is_no_figure_is_refused_with_what_to_write() {
        assert!(parse_amount("17.62 billions").unwrap_err().contains("bn"));
        assert!(parse_amount("17,62bn").unwrap_err().contains("separators"));
        assert!(parse_amount("").is_err());
        assert!(parse_amount("bn").is_err());
        assert!(parse_amount("999999999999bn").is_err());
        assert!(parse_ratio("some").is_err());
        assert!(parse_ratio("0.0000001%").is_err());
    }
}
