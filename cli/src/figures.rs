//! How a figure is written for people.

use proto::trade::v1 as wire;
use proto::{Decimal, format_decimal};
use wire::growth::Outcome;
use wire::{EmptyReason, GrowthGap, Measure, ObservationFlag, SideOutcome, Valuation};

const BILLION: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
const MILLION: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

/// An exact decimal with a comma every three digits: `87,673,764,182`.
pub(crate) fn grouped(decimal: &str) -> String {
    let (whole, decimals) = decimal.split_once('.').unwrap_or((decimal, ""));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |d| ("-", d));
    let mut text = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !decimals.is_empty() {
        text.push('.');
        text.push_str(decimals);
    }
    text
}

/// A ratio as per cent with one decimal and its sign: `+23.6 %`.
pub(crate) fn percent(ratio: &str) -> String {
    let parsed = proto::parse_decimal(ratio);
    parsed.map_or_else(
        |_| ratio.to_owned(),
        |ratio| {
            let per_cent = (ratio * proto::Decimal::ONE_HUNDRED).round_dp(1);
            format!("{per_cent:+.1} %")
        },
    )
}

/// A share or another ratio without a direction, as per cent with one decimal: `52.3 %`.
pub(crate) fn share(ratio: &str) -> String {
    let parsed = proto::parse_decimal(ratio);
    parsed.map_or_else(
        |_| ratio.to_owned(),
        |ratio| format!("{:.1} %", (ratio * Decimal::ONE_HUNDRED).round_dp(1)),
    )
}

/// A stated ratio as per cent with all its digits: `18 %`, `23.6 %`.
pub(crate) fn exact_percent(ratio: &str) -> String {
    let parsed = proto::parse_decimal(ratio);
    parsed.map_or_else(
        |_| ratio.to_owned(),
        |ratio| format!("{} %", format_decimal(ratio * Decimal::ONE_HUNDRED)),
    )
}

/// An amount as a person writes it, to two decimals of bn or m: `14.93 bn`.
pub(crate) fn short(amount: &str) -> String {
    in_unit(amount, 2)
}

fn in_unit(amount: &str, decimals: u32) -> String {
    let Ok(amount) = proto::parse_decimal(amount) else {
        return amount.to_owned();
    };
    let (unit, word) = unit_of(amount);
    let scaled = format_decimal((amount / unit).round_dp(decimals));
    format!("{}{word}", grouped(&scaled))
}

fn unit_of(amount: Decimal) -> (Decimal, &'static str) {
    match amount.abs() {
        size if size >= BILLION => (BILLION, " bn"),
        size if size >= MILLION => (MILLION, " m"),
        _ => (Decimal::ONE, ""),
    }
}

/// A stated amount in bn or m with the digits that were stated, given what one unit of the last is worth: `41.0 bn`. As
/// [`short`] has it, where nobody says how precise it is.
pub(crate) fn stated(amount: &str, precision: &str) -> String {
    let parsed = proto::parse_decimal(amount).ok();
    let Some((amount, digit)) = parsed.zip(proto::parse_decimal(precision).ok()) else {
        return short(amount);
    };
    let (unit, word) = unit_of(amount);
    let digits = decimals((digit / unit).normalize());
    format!("{}{word}", grouped(&format!("{:.digits$}", amount / unit)))
}

/// A stated ratio as per cent with the digits that were stated, given what one unit of the last is worth: `30.0 %`.
pub(crate) fn stated_percent(ratio: &str, precision: &str) -> String {
    let parsed = proto::parse_decimal(ratio).ok();
    let Some((value, digit)) = parsed.zip(proto::parse_decimal(precision).ok()) else {
        return exact_percent(ratio);
    };
    let digits = decimals((digit * Decimal::ONE_HUNDRED).normalize());
    format!("{:.digits$} %", value * Decimal::ONE_HUNDRED)
}

fn decimals(digit: Decimal) -> usize {
    usize::try_from(digit.scale()).unwrap_or_default()
}

/// An amount in bn or m to three decimals, where the difference matters: `17.527 bn`.
pub(crate) fn fine(amount: &str) -> String {
    in_unit(amount, 3)
}

/// An exact amount with its currency: `25,250,000,000 USD`.
pub(crate) fn money(money: &proto::r#type::v1::Money) -> String {
    format!("{} {}", grouped(&money.amount), money.currency_code)
}

/// An amount in millions with one decimal, for columns: `87,673.8`. Empty where there is none.
pub(crate) fn millions(amount: &str) -> String {
    let parsed = proto::parse_decimal(amount);
    parsed.map_or_else(
        |_| amount.to_owned(),
        |amount| grouped(&format!("{:.1}", (amount / MILLION).round_dp(1))),
    )
}

/// Why there is no growth, in terms of the year before.
pub(crate) fn growth_gap(gap: i32) -> String {
    gap_text(gap, "the year before")
}

/// Growth, or why there is none.
pub(crate) fn growth(growth: Option<&wire::Growth>) -> String {
    let Some(growth) = growth else {
        return String::new();
    };
    match &growth.outcome {
        Some(Outcome::Ratio(ratio)) => percent(ratio),
        Some(Outcome::Gap(gap)) => gap_text(*gap, &growth.base_period),
        None => String::new(),
    }
}

fn gap_text(gap: i32, base: &str) -> String {
    match GrowthGap::try_from(gap).unwrap_or_default() {
        GrowthGap::Unspecified => "-".into(),
        GrowthGap::BaseNotPublished => format!("no figure for {base}"),
        GrowthGap::BaseIsZero => format!("{base} is zero"),
        GrowthGap::ClassificationDiffers => format!("{base} has another classification"),
        GrowthGap::LowerBound => "a lower bound".into(),
        GrowthGap::Implied => "an implied figure".into(),
        GrowthGap::MonthsMissing => "months are missing".into(),
        GrowthGap::PartMissing => format!("{base} lacks exports or imports"),
        GrowthGap::BaseIsNegative => format!("{base} is below zero"),
        GrowthGap::DatasetDiffers => "another dataset".into(),
        GrowthGap::ReporterDiffers => "another reporter".into(),
        GrowthGap::PartnerDiffers => "another partner".into(),
        GrowthGap::FlowDiffers => "another flow".into(),
        GrowthGap::CodeDiffers => "other goods".into(),
        GrowthGap::MonthsDiffer => "other months".into(),
        GrowthGap::ValuationDiffers => "another valuation".into(),
        GrowthGap::CurrencyDiffers => "another currency".into(),
    }
}

/// Growth as a ratio, or the name of the reason why there is none.
pub(crate) fn growth_cells(growth: Option<&wire::Growth>) -> (String, String) {
    match growth.and_then(|growth| growth.outcome.as_ref()) {
        Some(Outcome::Ratio(ratio)) => (ratio.clone(), String::new()),
        Some(Outcome::Gap(gap)) => {
            let gap = GrowthGap::try_from(*gap).unwrap_or_default();
            (String::new(), gap.as_str_name().to_owned())
        }
        None => Default::default(),
    }
}

/// What must be known of the figures that a statement was held against, as a remark; empty where there is nothing.
pub(crate) fn term_remark(terms: &[wire::Term]) -> String {
    let rounded = i32::from(ObservationFlag::Rounded);
    let rounded = terms.iter().any(|term| term.flags.contains(&rounded));
    let own = terms.iter().filter(|term| term.own_source).count();
    let what = match (rounded, terms.len()) {
        (true, 1) => "a rounded figure",
        (true, _) => "rounded figures",
        (false, 1) => "a figure",
        (false, _) => "figures",
    };
    match own {
        0 if !rounded => String::new(),
        0 => format!(" ({what})"),
        own if own == terms.len() => format!(" ({what} of the statement's own source)"),
        _ => format!(" ({what}, in part of the statement's own source)"),
    }
}

/// Flags in words.
pub(crate) fn flags(flags: &[i32]) -> String {
    let words = flags.iter().map(|flag| flag_text(*flag));
    words.collect::<Vec<_>>().join(", ")
}

fn flag_text(flag: i32) -> &'static str {
    match ObservationFlag::try_from(flag).unwrap_or_default() {
        ObservationFlag::Unspecified => "another flag",
        ObservationFlag::Provisional => "provisional",
        ObservationFlag::Estimated => "estimated",
        ObservationFlag::QuantityEstimated => "quantity estimated",
        ObservationFlag::NetWeightEstimated => "weight estimated",
        ObservationFlag::Implied => "implied",
        ObservationFlag::LowerBound => "lower bound",
        ObservationFlag::Unverified => "unverified",
        ObservationFlag::Rounded => "rounded",
        ObservationFlag::Aggregated => "aggregated",
    }
}

/// What holding a statement against figures came to.
pub(crate) fn outcome(outcome: i32) -> &'static str {
    match SideOutcome::try_from(outcome).unwrap_or_default() {
        SideOutcome::Unspecified => "nothing to check",
        SideOutcome::Fits => "fits",
        SideOutcome::Contradicts => "contradicts",
        SideOutcome::CannotBeChecked => "cannot be checked",
    }
}

/// How values are valued.
pub(crate) fn valuation(valuation: i32) -> &'static str {
    match Valuation::try_from(valuation).unwrap_or_default() {
        Valuation::Unspecified => "valuation not stated",
        Valuation::Cif => "CIF",
        Valuation::Fob => "FOB",
    }
}

/// How the values are valued; of a measure, each of its parts.
pub(crate) fn series_valuation(series: &wire::Series) -> String {
    if series.measure == i32::from(Measure::Unspecified) {
        return valuation(series.valuation).to_owned();
    }
    let [exports, imports] = [series.export_valuation, series.import_valuation].map(valuation);
    if exports == imports {
        return exports.to_owned();
    }
    format!("exports {exports}, imports {imports}")
}

/// Where a series goes on under another classification.
pub(crate) fn class_break(point: &wire::ClassificationBreak) -> String {
    format!(
        "From {} on the classification is {} (before: {}).",
        point.period, point.after, point.before
    )
}

/// Why a series is empty.
pub(crate) fn empty(series: &wire::Series) -> String {
    let wire::Series {
        dataset,
        reporter,
        partner,
        code,
        ..
    } = series;
    let pair = format!("{reporter} with {partner}");
    match EmptyReason::try_from(series.empty_reason).unwrap_or_default() {
        EmptyReason::Unspecified => "no figures".into(),
        EmptyReason::ReporterNotCovered => format!("{dataset} has no figures of {reporter}"),
        EmptyReason::PartnerNotCovered => format!("{dataset} has no figures of {pair}"),
        EmptyReason::FlowNotCovered => format!("{dataset} has no figures of {pair} in this flow"),
        EmptyReason::CommodityNotCovered => {
            format!("{dataset} has no figures of {pair} for {code}, under this classification")
        }
        EmptyReason::FrequencyNotCovered => {
            format!("{dataset} has {code} of {pair} for periods of another length only")
        }
        EmptyReason::PeriodNotCovered => {
            format!("{dataset} has {code} of {pair}, but for none of these periods")
        }
        EmptyReason::NotYetRecorded => "these figures were recorded later than that".into(),
        EmptyReason::NotPublishedYet => {
            format!(
                "{dataset} has {code} of {pair}; {reporter} has not published these periods yet"
            )
        }
        EmptyReason::UnknownCode => format!("{code} is no code of this classification"),
        EmptyReason::NotReported => format!(
            "{reporter} published these periods in {dataset}, without {code} of {pair}: no trade, or suppressed"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_by_thousands() {
        assert_eq!(grouped("87673764182"), "87,673,764,182");
        assert_eq!(grouped("-1234.5"), "-1,234.5");
        assert_eq!(grouped("999"), "999");
    }

    #[test]
    fn an_amount_is_written_in_bn_or_m() {
        assert_eq!(short("17620000000"), "17.62 bn");
        assert_eq!(short("14932203389.830508"), "14.93 bn");
        assert_eq!(short("-5800000000"), "-5.8 bn");
        assert_eq!(short("850500000"), "850.5 m");
        assert_eq!(short("999999"), "999,999");
        assert_eq!(millions("87673764182"), "87,673.8");
        assert_eq!(millions("-49999"), "0.0");
        assert_eq!(millions(""), "");
    }

    #[test]
    fn a_stated_figure_keeps_the_digits_that_were_stated() {
        assert_eq!(stated("41000000000", "100000000"), "41.0 bn");
        assert_eq!(stated("17625000000", "1000000"), "17.625 bn");
        assert_eq!(stated("30000000000", "1000000000"), "30 bn");
        assert_eq!(stated("30000000000", "10000000000"), "30 bn");
        assert_eq!(stated("41000000000", ""), "41 bn");
        assert_eq!(stated_percent("0.3", "0.001"), "30.0 %");
        assert_eq!(stated_percent("0.18", "0.01"), "18 %");
        assert_eq!(stated_percent("0.236", ""), "23.6 %");
    }

    #[test]
    fn a_ratio_without_direction_has_no_sign() {
        assert_eq!(share("0.522523"), "52.3 %");
        assert_eq!(exact_percent("0.236"), "23.6 %");
        assert_eq!(exact_percent("0.18"), "18 %");
    }

    #[test]
    fn a_ratio_is_shown_as_per_cent() {
        assert_eq!(percent("0.235644"), "+23.6 %");
        assert_eq!(percent("-0.05"), "-5.0 %");
        assert_eq!(percent("0"), "+0.0 %");
    }
}
