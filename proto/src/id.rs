//! Resource ids and resource names.

use std::fmt;
use std::str::FromStr;

use crate::commodity::{Classification, ClassificationError, Code, CodeError, Commodity};
use crate::country::{Country, CountryError};
use crate::excerpt::Excerpt;
use crate::flow::{Flow, FlowError};
use crate::period::{Period, PeriodError};

const MAX_SLUG: usize = 63;

/// A resource id: 1 to 63 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

impl Slug {
    /// Starts with a letter and does not end with `-`.
    pub fn parse(text: &str) -> Result<Slug, SlugError> {
        let slug = Slug::parse_loose(text)?;
        if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(SlugError::Start(Excerpt::of(text)));
        }
        if text.ends_with('-') {
            return Err(SlugError::End(Excerpt::of(text)));
        }
        Ok(slug)
    }

    /// Starts with a letter or a digit: the id of an ingest, which may well be a date.
    pub fn parse_loose(text: &str) -> Result<Slug, SlugError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.is_empty() {
            Err(SlugError::Empty)
        } else if text.len() > MAX_SLUG {
            Err(SlugError::TooLong(Excerpt::of(text)))
        } else if !text.bytes().all(allowed) {
            Err(SlugError::Character(Excerpt::of(text)))
        } else if text.starts_with('-') {
            Err(SlugError::StartLoose(Excerpt::of(text)))
        } else {
            Ok(Slug(text.to_owned()))
        }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why a text is no resource id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    /// There is no text.
    #[error("empty: an id is 1 to 63 of `a-z`, `0-9` and `-`")]
    Empty,
    /// Longer than 63.
    #[error("{0} is longer than 63 characters")]
    TooLong(Excerpt),
    /// Something but `a-z`, `0-9` and `-`.
    #[error("{0} is no id: only `a-z`, `0-9` and `-` are allowed")]
    Character(Excerpt),
    /// Does not start with a letter.
    #[error("{0} is no id: it starts with a letter")]
    Start(Excerpt),
    /// Starts with neither a letter nor a digit.
    #[error("{0} is no id: it starts with a letter or a digit")]
    StartLoose(Excerpt),
    /// Ends with `-`.
    #[error("{0} is no id: it does not end with `-`")]
    End(Excerpt),
}

/// What names one figure inside a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObservationKey {
    /// Whose statistics.
    pub reporter: Country,
    /// With whom.
    pub partner: Country,
    /// Direction.
    pub flow: Flow,
    /// What was traded.
    pub commodity: Commodity,
    /// When.
    pub period: Period,
}

impl fmt::Display for ObservationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ObservationKey {
            reporter,
            partner,
            flow,
            commodity:
                Commodity {
                    classification,
                    code,
                },
            period,
        } = self;
        write!(
            f,
            "{reporter}.{partner}.{flow}.{classification}.{code}.{period}"
        )
    }
}

/// Why a text is no resource name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not of the form that the resource has.
    #[error("{given} is not of the form `{form}`")]
    Form {
        /// What was given.
        given: Excerpt,
        /// What is expected.
        form: &'static str,
    },
    /// An id in it.
    #[error("{0}")]
    Slug(#[from] SlugError),
    /// The reporter of an observation.
    #[error("reporter: {0}")]
    Reporter(CountryError),
    /// The partner of an observation.
    #[error("partner: {0}")]
    Partner(CountryError),
    /// The flow of an observation.
    #[error("flow: {0}")]
    Flow(#[from] FlowError),
    /// The classification of an observation.
    #[error("classification: {0}")]
    Classification(#[from] ClassificationError),
    /// The commodity code of an observation.
    #[error("code: {0}")]
    Code(#[from] CodeError),
    /// The period of an observation.
    #[error("period: {0}")]
    Period(#[from] PeriodError),
}

const INGEST: &str = "datasets/{dataset}/ingests/{ingest}";
const OBSERVATION: &str = "datasets/{dataset}/observations/{observation}";
const KEY: &str = "{reporter}.{partner}.{flow}.{classification}.{code}.{period}";

impl FromStr for ObservationKey {
    type Err = NameError;

    fn from_str(text: &str) -> Result<ObservationKey, NameError> {
        // A period may hold points itself, and is last.
        let parts: Vec<&str> = text.splitn(6, '.').collect();
        let [reporter, partner, flow, classification, code, period] = parts[..] else {
            return Err(form(text, KEY));
        };
        Ok(ObservationKey {
            reporter: reporter.parse().map_err(NameError::Reporter)?,
            partner: partner.parse().map_err(NameError::Partner)?,
            flow: flow.parse()?,
            commodity: Commodity {
                classification: classification.parse::<Classification>()?,
                code: code.parse::<Code>()?,
            },
            period: period.parse()?,
        })
    }
}

macro_rules! top_level_names {
    ($($name:ident, $parse:ident, $collection:literal, $form:literal;)+) => {$(
        #[doc = concat!("`", $form, "`.")]
        pub fn $name(id: &Slug) -> String {
            format!(concat!($collection, "{}"), id)
        }

        #[doc = concat!("The id in `", $form, "`.")]
        pub fn $parse(name: &str) -> Result<Slug, NameError> {
            top_level(name, $collection, $form)
        }
    )+};
}

top_level_names! {
    dataset_name, parse_dataset_name, "datasets/", "datasets/{dataset}";
    sector_name, parse_sector_name, "sectors/", "sectors/{sector}";
    statement_name, parse_statement_name, "statements/", "statements/{statement}";
    event_name, parse_event_name, "events/", "events/{event}";
    agreement_name, parse_agreement_name, "agreements/", "agreements/{agreement}";
    programme_name, parse_programme_name, "programmes/", "programmes/{programme}";
    measure_name, parse_measure_name, "measures/", "measures/{measure}";
    visa_rule_name, parse_visa_rule_name, "visaRules/", "visaRules/{visa_rule}";
}

/// The id behind the name of a collection, which is all that there is.
fn top_level(name: &str, collection: &str, form_of: &'static str) -> Result<Slug, NameError> {
    let id = name
        .strip_prefix(collection)
        .filter(|id| !id.contains('/'))
        .ok_or_else(|| form(name, form_of))?;
    Ok(Slug::parse(id)?)
}

/// `datasets/{dataset}/observations/{observation}`.
pub fn observation_name(dataset: &Slug, key: &ObservationKey) -> String {
    format!("datasets/{dataset}/observations/{key}")
}

/// The dataset and the key in `datasets/{dataset}/observations/{observation}`.
pub fn parse_observation_name(name: &str) -> Result<(Slug, ObservationKey), NameError> {
    let (dataset, key) = child(name, "/observations/").ok_or_else(|| form(name, OBSERVATION))?;
    Ok((Slug::parse(dataset)?, key.parse()?))
}

/// `datasets/{dataset}/ingests/{ingest}`.
pub fn ingest_name(dataset: &Slug, ingest: &Slug) -> String {
    format!("datasets/{dataset}/ingests/{ingest}")
}

/// The two ids in `datasets/{dataset}/ingests/{ingest}`.
pub fn parse_ingest_name(name: &str) -> Result<(Slug, Slug), NameError> {
    let (dataset, ingest) = child(name, "/ingests/").ok_or_else(|| form(name, INGEST))?;
    Ok((Slug::parse(dataset)?, Slug::parse_loose(ingest)?))
}

fn child<'a>(name: &'a str, collection: &str) -> Option<(&'a str, &'a str)> {
    let (dataset, id) = name.strip_prefix("datasets/")?.split_once(collection)?;
    let whole = !dataset.contains('/') && !id.contains('/');
    whole.then_some((dataset, id))
}

fn form(name: &str, form: &'static str) -> NameError {
    let given = Excerpt::of(name);
    NameError::Form { given, form }
}

#[cfg(test)]
mod tests {
    use super::{
        NameError, ObservationKey, Slug, SlugError, dataset_name, ingest_name, observation_name,
        parse_dataset_name, parse_ingest_name, parse_observation_name,
    };
    use crate::commodity::{Classification, Commodity};
    use crate::country::Country;
    use crate::flow::Flow;
    use crate::period::{Month, Period};
    use proptest::prelude::*;

    #[test]
    fn ids_are_short_and_plain() {
        for good in ["a", "comtrade", "un-comtrade-2", &"a".repeat(63)] {
            assert_eq!(Slug::parse(good).unwrap().as_str(), good);
        }
        assert_eq!(Slug::parse(""), Err(SlugError::Empty));
        assert!(matches!(
            Slug::parse(&"a".repeat(64)),
            Err(SlugError::TooLong(_))
        ));
        assert!(matches!(Slug::parse("2024"), Err(SlugError::Start(_))));
        assert!(matches!(Slug::parse("-a"), Err(SlugError::StartLoose(_))));
        assert!(matches!(Slug::parse("a-"), Err(SlugError::End(_))));
        for bad in ["A", "a_b", "a.b", "a/b", "\u{430}", "a b", ".."] {
            assert!(
                matches!(Slug::parse(bad), Err(SlugError::Character(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn an_ingest_may_be_named_by_its_day() {
        assert!(Slug::parse_loose("2024-07-02").is_ok());
        assert!(Slug::parse_loose("-2024").is_err());
        assert!(Slug::parse_loose("").is_err());
    }

    #[test]
    fn a_figure_is_named_by_what_it_counts() {
        let key: ObservationKey = "CHN.KOR.X.H4.TOTAL.2012".parse().unwrap();
        assert_eq!(key.flow, Flow::Export);
        assert_eq!(key.commodity.classification, Classification::H4);
        let dataset = Slug::parse("comtrade").unwrap();
        let name = observation_name(&dataset, &key);
        assert_eq!(
            name,
            "datasets/comtrade/observations/CHN.KOR.X.H4.TOTAL.2012"
        );
        assert_eq!(parse_observation_name(&name), Ok((dataset, key)));
    }

    #[test]
    fn cumulated_months_hold_points_themselves() {
        let text = "KAZ.CT490.T.H6.TOTAL.2024-01..2024-05";
        let key: ObservationKey = text.parse().unwrap();
        assert_eq!(key.period.months(), 5);
        assert_eq!(key.to_string(), text);
    }

    #[test]
    fn a_bad_name_says_which_part() {
        let refused = |key: &str| key.parse::<ObservationKey>().unwrap_err().to_string();
        assert!(refused("XXX.KOR.X.H4.TOTAL.2012").starts_with("reporter: unknown `XXX`"));
        assert!(refused("CHN.xxx.X.H4.TOTAL.2012").starts_with("partner:"));
        assert!(refused("CHN.KOR.E.H4.TOTAL.2012").starts_with("flow:"));
        assert!(refused("CHN.KOR.X.HS.TOTAL.2012").starts_with("classification:"));
        assert!(refused("CHN.KOR.X.H4.8.2012").starts_with("code:"));
        assert!(refused("CHN.KOR.X.H4.TOTAL.2012.05").starts_with("period:"));
        assert!(refused("CHN.KOR.X.H4.TOTAL").contains("not of the form"));
    }

    #[test]
    fn names_have_exactly_their_form() {
        let dataset = Slug::parse("comtrade").unwrap();
        let ingest = Slug::parse_loose("2024-07").unwrap();
        assert_eq!(
            parse_dataset_name(&dataset_name(&dataset)),
            Ok(dataset.clone())
        );
        let name = ingest_name(&dataset, &ingest);
        assert_eq!(parse_ingest_name(&name), Ok((dataset, ingest)));
        for bad in [
            "",
            "comtrade",
            "datasets/",
            "datasets/a/b",
            "/datasets/a",
            "datasets/A",
        ] {
            assert!(parse_dataset_name(bad).is_err(), "{bad}");
        }
        for bad in [
            "datasets/a/ingests/",
            "datasets/a/ingests/b/c",
            "datasets/a/b/ingests/c",
        ] {
            assert!(parse_ingest_name(bad).is_err(), "{bad}");
        }
        let form = parse_observation_name("datasets/a").unwrap_err();
        assert!(matches!(form, NameError::Form { .. }));
    }

    fn countries() -> impl Strategy<Value = Country> {
        proptest::sample::select(Country::all().collect::<Vec<_>>())
    }

    fn periods() -> impl Strategy<Value = Period> {
        (0_u32..119_900, 2_u32..=60).prop_map(|(start, months)| {
            let first = Month::from_ordinal(start).unwrap();
            let last = first.plus(i32::try_from(months).unwrap() - 1).unwrap();
            let range = Period::cumulated(first, last);
            range.or(Period::year(first.year())).unwrap()
        })
    }

    fn keys() -> impl Strategy<Value = ObservationKey> {
        let flows = proptest::sample::select(&Flow::ALL[..]);
        let classifications = proptest::sample::select(&Classification::ALL[..]);
        let codes = "TOTAL|[0-9]{2,6}".prop_map(|code| code.parse().unwrap());
        (
            countries(),
            countries(),
            flows,
            classifications,
            codes,
            periods(),
        )
            .prop_map(|(reporter, partner, flow, classification, code, period)| {
                ObservationKey {
                    reporter,
                    partner,
                    flow,
                    commodity: Commodity {
                        classification,
                        code,
                    },
                    period,
                }
            })
    }

    proptest! {
        #[test]
        fn a_name_is_printed_and_read_back(key in keys(), dataset in "[a-z][a-z0-9]{0,10}") {
            let dataset = Slug::parse(&dataset).unwrap();
            let name = observation_name(&dataset, &key);
            prop_assert_eq!(parse_observation_name(&name), Ok((dataset, key)));
        }

        #[test]
        fn nothing_breaks_the_parsers(text in any::<String>(), near in "(datasets|ingests|observations|[a-z./-]){0,8}") {
            for text in [text, near] {
                if let Ok(dataset) = parse_dataset_name(&text) {
                    prop_assert_eq!(dataset_name(&dataset), text.clone());
                }
                if let Ok((dataset, ingest)) = parse_ingest_name(&text) {
                    prop_assert_eq!(ingest_name(&dataset, &ingest), text.clone());
                }
                if let Ok((dataset, key)) = parse_observation_name(&text) {
                    prop_assert_eq!(observation_name(&dataset, &key), text.clone());
                }
                if let Ok(slug) = Slug::parse_loose(&text) {
                    prop_assert_eq!(slug.as_str(), &text);
                }
            }
        }

        #[test]
        fn nothing_breaks_the_parser_of_keys(text in any::<String>(), near in "(CHN|CT490|X|H4|TOTAL|20[0-9]{2}|[.-]){0,14}") {
            for text in [text, near] {
                if let Ok(key) = text.parse::<ObservationKey>() {
                    prop_assert_eq!(key.to_string(), text);
                }
            }
        }
    }
}
