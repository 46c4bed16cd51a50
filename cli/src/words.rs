//! What the wire's codes and instants are called for people.

use proto::trade::v1 as wire;
use wire::{EmptyReason, IndicatorGap, IndicatorKind, MirrorGap, Relation, StatedMeasure};

/// A flow's code: `X`; empty where there is none.
pub(crate) fn flow(flow: i32) -> String {
    let flow = proto::Flow::from_wire(flow);
    flow.map(|flow| flow.to_string()).unwrap_or_default()
}

/// A country's name; its code where there is none.
pub(crate) fn country(code: &str) -> String {
    let country = code.parse::<proto::Country>();
    country.map_or_else(|_| code.to_owned(), |country| country.name().to_owned())
}

/// A country's code with its name: `KAZ (Kazakhstan)`.
pub(crate) fn country_with_code(code: &str) -> String {
    let country = code.parse::<proto::Country>();
    country.map_or_else(|_| code.to_owned(), |c| format!("{code} ({})", c.name()))
}

/// An instant to the microsecond, UTC; empty where there is none.
pub(crate) fn instant(timestamp: Option<&prost_types::Timestamp>) -> String {
    moment(timestamp)
        .map(|at| at.to_string())
        .unwrap_or_default()
}

/// An instant to the second, UTC, short enough for a cell.
pub(crate) fn second(timestamp: Option<&prost_types::Timestamp>) -> String {
    let at = moment(timestamp);
    let text = at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string());
    text.unwrap_or_default()
}

fn moment(timestamp: Option<&prost_types::Timestamp>) -> Option<jiff::Timestamp> {
    let micros = proto::parse_timestamp(timestamp?).ok()?;
    jiff::Timestamp::from_microsecond(micros).ok()
}

/// The English text, or the first there is.
pub(crate) fn text(texts: Option<&proto::r#type::v1::LocalizedText>) -> String {
    text_in(texts, "en")
}

/// The text for a reader of a language; see `proto::LocalizedText::get` for what stands in for it.
pub(crate) fn text_in(texts: Option<&proto::r#type::v1::LocalizedText>, language: &str) -> String {
    let parsed = texts.and_then(|texts| proto::LocalizedText::try_from(texts.clone()).ok());
    parsed
        .map(|texts| texts.get(language).to_owned())
        .unwrap_or_default()
}

/// All texts, a row a language, English first: `name en`.
pub(crate) fn texts(
    lead: &str,
    texts: Option<&proto::r#type::v1::LocalizedText>,
) -> Vec<(String, String)> {
    let texts = texts.cloned().unwrap_or_default().texts;
    let mut texts: Vec<(String, String)> = texts.into_iter().collect();
    texts.sort_by_key(|(language, _)| (language != "en", language.clone()));
    let titled = texts.into_iter();
    titled
        .map(|(language, text)| (format!("{lead}{language}"), text))
        .collect()
}

/// All texts, that of a language first under a bare title, the others with their languages: `title`, `title ru`.
pub(crate) fn texts_from(
    title: &str,
    texts: Option<&proto::r#type::v1::LocalizedText>,
    language: &str,
) -> Vec<(String, String)> {
    let first = text_in(texts, language);
    let mut rows = vec![(title.to_owned(), first.clone())];
    let others = self::texts(&format!("{title} "), texts).into_iter();
    rows.extend(others.filter(|(_, text)| *text != first));
    rows
}

/// The last part of a resource's name: `china-customs` of `datasets/china-customs`.
pub(crate) fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// A period as a person says it: `January to May 2024`.
pub(crate) fn period(text: &str) -> String {
    let Ok(period) = text.parse::<proto::Period>() else {
        return text.to_owned();
    };
    let (start, end) = (period.start(), period.end());
    let end = end.plus(-1).unwrap_or(end);
    match period.frequency() {
        proto::Frequency::Year => text.to_owned(),
        proto::Frequency::Month => month_and_year(start),
        proto::Frequency::Cumulated if start.year() == end.year() => {
            format!("{} to {}", month(start.month()), month_and_year(end))
        }
        proto::Frequency::Cumulated => {
            format!("{} to {}", month_and_year(start), month_and_year(end))
        }
    }
}

fn month_and_year(at: proto::Month) -> String {
    format!("{} {}", month(at.month()), at.year())
}

/// A month's name.
pub(crate) fn month(number: u8) -> &'static str {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let at = usize::from(number).checked_sub(1);
    at.and_then(|at| NAMES.get(at)).copied().unwrap_or("?")
}

/// What a stated figure counts.
pub(crate) fn stated_measure(measure: i32) -> &'static str {
    match StatedMeasure::try_from(measure).unwrap_or_default() {
        StatedMeasure::Unspecified => "figure",
        StatedMeasure::Turnover => "turnover",
        StatedMeasure::Exports => "exports",
        StatedMeasure::Imports => "imports",
        StatedMeasure::MirrorGap => "mirror gap",
    }
}

/// How codes of one revision stand to codes of another.
pub(crate) fn relation(relation: i32) -> &'static str {
    match Relation::try_from(relation).unwrap_or_default() {
        Relation::Unspecified => "not in any table that was imported",
        Relation::OneToOne => "1:1, one code for one code",
        Relation::ManyToOne => "n:1, several codes are one there",
        Relation::OneToMany => "1:n, one code is several there",
        Relation::ManyToMany => "n:n, several codes are several there",
    }
}

/// What a conversion did, or why it could not.
pub(crate) fn conversion(conversion: &wire::Conversion) -> String {
    let wire::Conversion {
        from,
        from_codes,
        to,
        to_codes,
        relation: kind,
        exact,
        path: _,
    } = conversion;
    let outcome = if *exact {
        "the same goods as a whole"
    } else {
        "not the same goods, so no value"
    };
    format!(
        "{from} {} is {to} {} ({}): {outcome}",
        some(from_codes),
        some(to_codes),
        relation(*kind)
    )
}

/// A few codes in full; of many, the first and how many more.
fn some(codes: &[String]) -> String {
    const SHOWN: usize = 4;
    match codes.get(SHOWN..) {
        Some([]) | None if codes.is_empty() => "nothing".into(),
        Some([]) | None => codes.join(", "),
        Some(more) => format!("{} and {} more", codes[..SHOWN].join(", "), more.len()),
    }
}

/// Why a line of a mirror lacks a number.
pub(crate) fn mirror_gap(gap: i32) -> &'static str {
    match MirrorGap::try_from(gap).unwrap_or_default() {
        MirrorGap::Unspecified => "another reason",
        MirrorGap::ExporterMissing => "the first figure is missing",
        MirrorGap::ImporterMissing => "the second figure is missing",
        MirrorGap::CurrencyDiffers => "different currencies",
        MirrorGap::ClassificationDiffers => "different revisions of the classification",
        MirrorGap::LowerBound => "one is a lower bound",
        MirrorGap::ValuationNotStated => {
            "not brought to FOB, since it is not stated to be CIF against FOB"
        }
        MirrorGap::BothZero => "both are zero",
    }
}

/// An indicator.
pub(crate) fn indicator(kind: i32) -> &'static str {
    match IndicatorKind::try_from(kind).unwrap_or_default() {
        IndicatorKind::Unspecified => "another indicator",
        IndicatorKind::Rca => "revealed comparative advantage",
        IndicatorKind::TradeIntensity => "trade intensity",
        IndicatorKind::GrubelLloyd => "Grubel-Lloyd",
        IndicatorKind::GrubelLloydAggregate => "Grubel-Lloyd, aggregate",
        IndicatorKind::PartnerConcentration => "concentration of partners",
        IndicatorKind::CommodityConcentration => "concentration of goods",
    }
}

/// Why an indicator has no value.
pub(crate) fn indicator_gap(gap: i32) -> &'static str {
    match IndicatorGap::try_from(gap).unwrap_or_default() {
        IndicatorGap::Unspecified => "",
        IndicatorGap::InputMissing => "an input was not published",
        IndicatorGap::DividesByZero => "a denominator is zero",
        IndicatorGap::NeedsCommodity => "it is about single goods: give --code",
        IndicatorGap::NeedsPartner => "it is about one partner: name one",
        IndicatorGap::NeedsFinerCodes => "it is about finer codes: ask for fewer digits",
        IndicatorGap::LowerBound => "an input is a lower bound",
    }
}

/// A figure that was needed and not found, and why.
pub(crate) fn missing(missing: &wire::MissingFigure) -> String {
    let wire::MissingFigure {
        dataset,
        reporter,
        partner,
        flow: direction,
        code,
        period,
        reason,
    } = missing;
    let parts = [
        format!("{reporter} with {partner}"),
        flow(*direction),
        code.clone(),
        period.clone(),
        id(dataset).to_owned(),
    ];
    let given = parts.into_iter().filter(|part| !part.is_empty());
    let figure = given.collect::<Vec<_>>().join(", ");
    format!("{figure}: {}", absence(*reason))
}

/// Why a single figure is not there.
pub(crate) fn absence(reason: i32) -> &'static str {
    match EmptyReason::try_from(reason).unwrap_or_default() {
        EmptyReason::Unspecified => "not there",
        EmptyReason::ReporterNotCovered => "no figures of this reporter",
        EmptyReason::PartnerNotCovered => "no figures with this partner",
        EmptyReason::FlowNotCovered => "no figures in this flow",
        EmptyReason::CommodityNotCovered => "no figures of this commodity",
        EmptyReason::FrequencyNotCovered => "only for periods of another length",
        EmptyReason::PeriodNotCovered => "not for this period",
        EmptyReason::NotYetRecorded => "recorded later than that",
        EmptyReason::NotPublishedYet => "not published yet",
        EmptyReason::UnknownCode => "no code of this classification",
        EmptyReason::NotReported => "published without it: no trade, or suppressed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_said_as_a_person_says_it() {
        assert_eq!(period("2024"), "2024");
        assert_eq!(period("2024-05"), "May 2024");
        assert_eq!(period("2024-01..2024-05"), "January to May 2024");
        assert_eq!(period("2023-11..2024-02"), "November 2023 to February 2024");
    }

    #[test]
    fn a_missing_figure_is_named_with_its_reason() {
        let figure = wire::MissingFigure {
            dataset: "datasets/china-customs".into(),
            reporter: "CHN".into(),
            partner: "KAZ".into(),
            flow: wire::Flow::Export.into(),
            code: "TOTAL".into(),
            period: "2024-03".into(),
            reason: EmptyReason::NotPublishedYet.into(),
        };
        assert_eq!(
            missing(&figure),
            "CHN with KAZ, X, TOTAL, 2024-03, china-customs: not published yet"
        );
    }
}
