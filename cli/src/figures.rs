//! How a figure is written for people.

use proto::trade::v1 as wire;
use wire::growth::Outcome;
use wire::{EmptyReason, GrowthGap, ObservationFlag, Valuation};

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

/// How values are valued.
pub(crate) fn valuation(valuation: i32) -> &'static str {
    match Valuation::try_from(valuation).unwrap_or_default() {
        Valuation::Unspecified => "valuation not stated",
        Valuation::Cif => "CIF",
        Valuation::Fob => "FOB",
    }
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
    fn a_ratio_is_shown_as_per_cent() {
        assert_eq!(percent("0.235644"), "+23.6 %");
        assert_eq!(percent("-0.05"), "-5.0 %");
        assert_eq!(percent("0"), "+0.0 %");
    }
}
