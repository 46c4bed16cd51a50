//! Sums of published figures, exact, with all that qualifies them.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub};

use proto::{Decimal, Scaled, format_decimal};
use store::Micros;

use crate::figure::{Figure, Flags};

/// Decimals of a [`Total`], as many as a figure may have.
const DECIMALS: u8 = 6;
/// One, in a [`Total`]'s unit.
const ONE: i128 = 1_000_000;

/// An exact sum of figures, in millionths of the currency's unit. A figure has at most 18 digits, so that a
/// sum of as many as a dataset can hold fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Total(i128);

impl Total {
    pub(crate) const ZERO: Total = Total(0);

    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn is_negative(self) -> bool {
        self.0 < 0
    }

    pub(crate) fn abs(self) -> Total {
        Total(self.0.abs())
    }

    /// As a decimal; `None` beyond 28 digits, which no sum of published figures reaches.
    pub(crate) fn decimal(self) -> Option<Decimal> {
        Decimal::try_from_i128_with_scale(self.0, DECIMALS.into()).ok()
    }

    /// self / base, exact to 28 digits; `None` over zero.
    pub(crate) fn over(self, base: Total) -> Option<Decimal> {
        self.decimal()?.checked_div(base.decimal()?)
    }

    /// self / (1 + t), to 6 decimals.
    pub(crate) fn without(self, t: Decimal) -> Option<Total> {
        let divided = self.decimal()?.checked_div(Decimal::ONE + t)?;
        Total::rounded(divided)
    }

    /// A decimal, rounded half to even to 6 decimals.
    pub(crate) fn rounded(value: Decimal) -> Option<Total> {
        let mut value = value.round_dp(DECIMALS.into());
        value.rescale(DECIMALS.into());
        (value.scale() == u32::from(DECIMALS)).then(|| Total(value.mantissa()))
    }
}

impl From<Scaled> for Total {
    fn from(value: Scaled) -> Total {
        let power = 10_i128.pow(u32::from(DECIMALS - value.scale().min(DECIMALS)));
        Total(i128::from(value.mantissa()) * power)
    }
}

impl Add for Total {
    type Output = Total;

    fn add(self, other: Total) -> Total {
        Total(self.0 + other.0)
    }
}

impl AddAssign for Total {
    fn add_assign(&mut self, other: Total) {
        self.0 += other.0;
    }
}

impl Sub for Total {
    type Output = Total;

    fn sub(self, other: Total) -> Total {
        Total(self.0 - other.0)
    }
}

impl Neg for Total {
    type Output = Total;

    fn neg(self) -> Total {
        Total(-self.0)
    }
}

impl std::iter::Sum for Total {
    fn sum<I: Iterator<Item = Total>>(totals: I) -> Total {
        totals.fold(Total::ZERO, Add::add)
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (
            self.0.unsigned_abs() / ONE.unsigned_abs(),
            self.0.unsigned_abs() % ONE.unsigned_abs(),
        );
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let decimals = format!("{rest:06}");
        write!(f, "{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }
}

/// One figure, or the sum of several, with all that qualifies any of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) value: Total,
    pub(crate) flags: Flags,
    /// How many published figures it is made of.
    pub(crate) figures: u32,
    /// The latest vintage among them.
    pub(crate) vintage: Micros,
    /// Their sources.
    pub(crate) sources: Cited,
}

/// Numbers of sources within a dataset, each once. Most sums have one: it costs no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cited {
    first: Option<u32>,
    more: Vec<u32>,
}

impl Cited {
    fn add(&mut self, source: u32) {
        match self.first {
            None => self.first = Some(source),
            Some(first) if first == source || self.more.contains(&source) => {}
            Some(_) => self.more.push(source),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + use<'_> {
        self.first.into_iter().chain(self.more.iter().copied())
    }
}

impl Amount {
    pub(crate) fn of(figure: &Figure) -> Amount {
        let mut amount = Amount::default();
        amount.add(figure);
        amount
    }

    pub(crate) fn add(&mut self, figure: &Figure) {
        self.value += figure.value.into();
        self.flags = self.flags.and(figure.flags);
        self.figures += 1;
        self.vintage = self.vintage.max(figure.since);
        self.sources.add(figure.source);
    }

    /// Adds what another amount is made of, its value apart: a balance has both and subtracts.
    pub(crate) fn take_in(&mut self, other: &Amount) {
        self.flags = self.flags.and(other.flags);
        self.figures += other.figures;
        self.vintage = self.vintage.max(other.vintage);
        for source in other.sources.iter() {
            self.sources.add(source);
        }
    }
}

/// value / base − 1 with up to 6 decimals, rounded half to even; `None` over zero.
pub(crate) fn change(value: Total, base: Total) -> Option<String> {
    let quotient = value.over(base)?;
    Some(ratio(quotient - Decimal::ONE))
}

/// A ratio as the wire writes it: up to 6 decimals, rounded half to even.
pub(crate) fn ratio(value: Decimal) -> String {
    // `round_dp` rounds half to even.
    format_decimal(value.round_dp(DECIMALS.into()))
}

/// Parses a ratio of 0 to 1; without a text, `default`.
pub(crate) fn parse_share(text: &str, default: Decimal) -> Result<Decimal, String> {
    if text.is_empty() {
        return Ok(default);
    }
    let share = proto::parse_decimal(text).map_err(|error| error.to_string())?;
    if share < Decimal::ZERO || share > Decimal::ONE {
        return Err("must be 0 to 1".into());
    }
    Ok(share)
}

/// Shares of `total`, each rounded down or up to 6 decimals, that add up to the share of the sum of `parts`:
/// to exactly 1 when they make up the total. What rounding down leaves goes to the largest remainders.
/// `None` unless the total is above zero.
pub(crate) fn shares(parts: &[Total], total: Total) -> Option<Vec<Total>> {
    if total <= Total::ZERO {
        return None;
    }
    let split = |part: &Total| {
        let scaled = part.0 * ONE;
        (scaled.div_euclid(total.0), scaled.rem_euclid(total.0))
    };
    let split: Vec<(i128, i128)> = parts.iter().map(split).collect();
    let mut shares: Vec<i128> = split.iter().map(|(share, _)| *share).collect();
    let left: i128 = split.iter().map(|(_, rest)| rest).sum::<i128>() / total.0;
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|a, b| by_remainder(&split, *a, *b));
    for place in order
        .into_iter()
        .take(usize::try_from(left).unwrap_or_default())
    {
        shares[place] += 1;
    }
    Some(shares.into_iter().map(Total).collect())
}

fn by_remainder(split: &[(i128, i128)], a: usize, b: usize) -> Ordering {
    split[b].1.cmp(&split[a].1).then(a.cmp(&b))
}

/// Decimals of the shares that a concentration is computed from, so that its own six are right.
const FINE: i128 = 1_000_000_000_000;

/// Concentration of what is traded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Concentration {
    /// Herfindahl–Hirschman index: H = Σ share², shares of the sum of parts. (WITS metadata)
    pub(crate) hhi: Decimal,
    /// (H − 1/n) / (1 − 1/n); `None` with a single part. (WITS metadata)
    pub(crate) normalised: Option<Decimal>,
    /// n: the parts above zero.
    pub(crate) parts: u32,
}

impl Concentration {
    /// Of these parts; `None` when none is above zero.
    pub(crate) fn of(parts: impl Iterator<Item = Total>) -> Option<Concentration> {
        let parts: Vec<i128> = parts.map(|part| part.0).filter(|part| *part > 0).collect();
        let total: i128 = parts.iter().sum();
        if total == 0 {
            return None;
        }
        // Sums of more than a hundred of the largest figures are taken in whole units, to fit.
        let coarse = if total > i128::MAX / FINE { ONE } else { 1 };
        let squared = |part: &i128| ((part / coarse) * FINE / (total / coarse)).pow(2);
        let sum: i128 = parts.iter().map(squared).sum();
        let hhi = Decimal::try_from_i128_with_scale(sum, 24).ok()?;
        let n = Decimal::from(parts.len());
        let least = Decimal::ONE / n;
        let normalised = (hhi - least).checked_div(Decimal::ONE - least);
        Some(Concentration {
            hhi: hhi.round_dp(6),
            normalised: normalised.map(|h| h.max(Decimal::ZERO).round_dp(6)),
            parts: u32::try_from(parts.len()).unwrap_or(u32::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn total(text: &str) -> Total {
        text.parse::<Scaled>().expect("a decimal").into()
    }

    #[test]
    fn a_total_is_exact_and_prints_as_the_wire_writes() {
        let sum: Total = ["0.1", "0.2", "17620000000"].into_iter().map(total).sum();
        assert_eq!(sum.to_string(), "17620000000.3");
        assert_eq!((-total("0.000001")).to_string(), "-0.000001");
        assert_eq!(
            total("999999999999999999").to_string(),
            "999999999999999999"
        );
    }

    #[test]
    fn growth_is_rounded_half_to_even() {
        assert_eq!(
            change(total("31.2"), total("25.25")).as_deref(),
            Some("0.235644")
        );
        assert_eq!(change(total("1"), Total::ZERO), None);
    }

    /// By hand: 1/3 each is 0.333333 and a remainder; the first takes what is left.
    #[test]
    fn three_equal_parts_have_shares_that_add_up() {
        let shares = shares(&[total("1"), total("1"), total("1")], total("3")).expect("above zero");
        let shares: Vec<String> = shares.iter().map(Total::to_string).collect();
        assert_eq!(shares, ["0.333334", "0.333333", "0.333333"]);
    }

    /// By hand: shares 0.5, 0.3, 0.2 give H = 0.25 + 0.09 + 0.04 = 0.38 and, with n = 3,
    /// (0.38 − 1/3) / (2/3) = 0.07.
    #[test]
    fn concentration_worked_by_hand() {
        let parts = ["50", "30", "20", "0"].map(total);
        let found = Concentration::of(parts.into_iter()).expect("above zero");
        assert_eq!(format_decimal(found.hhi), "0.38");
        assert_eq!(
            found.normalised.map(format_decimal).as_deref(),
            Some("0.07")
        );
        assert_eq!(found.parts, 3);
    }

    /// By hand: 600 of the largest figures in each of two parts are a half each, and 0.25 + 0.25 = 0.5.
    #[test]
    fn the_largest_sums_have_a_concentration() {
        let largest = Total(total("999999999999999999").0 * 600);
        let found = Concentration::of([largest, largest].into_iter()).expect("above zero");
        assert_eq!(format_decimal(found.hhi), "0.5");
    }

    #[test]
    fn a_single_part_is_all_there_is() {
        let found = Concentration::of([total("7")].into_iter()).expect("above zero");
        assert_eq!(
            (format_decimal(found.hhi).as_str(), found.normalised),
            ("1", None)
        );
        assert_eq!(Concentration::of([Total::ZERO].into_iter()), None);
    }

    proptest! {
        #[test]
        fn shares_add_up_to_one(parts in prop::collection::vec(0_i64..1_000_000_000_000_000_000, 1..40)) {
            let parts: Vec<Total> = parts.into_iter().map(|part| Total(part.into())).collect();
            let total: Total = parts.iter().copied().sum();
            if let Some(shares) = shares(&parts, total) {
                prop_assert_eq!(shares.iter().copied().sum::<Total>(), Total(ONE));
                for (part, share) in parts.iter().zip(shares) {
                    prop_assert!((part.0 * ONE - share.0 * total.0).abs() < total.0);
                }
            }
        }

        #[test]
        fn a_total_survives_its_decimal(value in any::<i64>()) {
            let total = Total(value.into());
            prop_assert_eq!(total.decimal().and_then(Total::rounded), Some(total));
        }
    }
}
