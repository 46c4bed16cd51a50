//! Which countries a record is about.

use std::collections::BTreeSet;

use proto::{Country, Violations};

/// A country, or two in either order: what a list, a watch or a question about records names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic {
    low: Country,
    high: Country,
}

impl Topic {
    /// One country.
    pub fn country(country: Country) -> Topic {
        Topic {
            low: country,
            high: country,
        }
    }

    /// Two countries, in either order.
    pub fn pair(one: Country, other: Country) -> Topic {
        Topic {
            low: one.min(other),
            high: one.max(other),
        }
    }

    /// Every country that is named, and every two of them; each once.
    pub fn all(countries: &[Country]) -> Vec<Topic> {
        let mut topics = Vec::new();
        for (index, one) in countries.iter().enumerate() {
            let others = countries[index..].iter();
            topics.extend(others.map(|other| Topic::pair(*one, *other)));
        }
        topics.sort_unstable();
        topics.dedup();
        topics
    }

    /// All topics of a record that names countries by their codes. What is no code of one is passed over.
    pub fn all_named<'a>(codes: impl IntoIterator<Item = &'a str>) -> Vec<Topic> {
        let countries = codes.into_iter().filter_map(|code| code.parse().ok());
        Topic::all(&countries.collect::<Vec<Country>>())
    }

    /// Parses the fields `country` and `partner` of a request, of which both, the first or none may be given.
    pub fn parse(
        country: &str,
        partner: &str,
        violations: &mut Violations,
    ) -> Option<Option<Topic>> {
        if country.is_empty() && !partner.is_empty() {
            violations.push("country", "is required with a partner");
        }
        let mut given = |field: &str, text: &str| {
            let parsed = (!text.is_empty()).then(|| text.parse::<Country>());
            violations.check(field, parsed.transpose())
        };
        let (country, partner) = (given("country", country), given("partner", partner));
        let (country, partner) = (country?, partner?);
        if country.is_some() && country == partner {
            violations.push("partner", "is the country itself");
        }
        Some(
            country.map(|country| {
                partner.map_or(Topic::country(country), |p| Topic::pair(country, p))
            }),
        )
    }

    /// Parses the fields `country` and `partner` of a request that needs both.
    pub fn parse_pair(country: &str, partner: &str, violations: &mut Violations) -> Option<Topic> {
        for (field, text) in [("country", country), ("partner", partner)] {
            if text.is_empty() {
                violations.push(field, "is required");
            }
        }
        if country.is_empty() || partner.is_empty() {
            return None;
        }
        Topic::parse(country, partner, violations).flatten()
    }

    /// The one country, and the other; the same when there is one only.
    pub fn countries(self) -> [Country; 2] {
        [self.low, self.high]
    }

    /// Whether it is two countries.
    pub fn is_pair(self) -> bool {
        self.low != self.high
    }

    /// Whether it is about all its countries, given those that a record names, as they are written.
    pub fn is_among<'a>(self, countries: impl IntoIterator<Item = &'a str>) -> bool {
        let (low, high) = (self.low.to_string(), self.high.to_string());
        let (mut has_low, mut has_high) = (false, false);
        for country in countries {
            has_low |= country == low;
            has_high |= country == high;
        }
        has_low && has_high
    }

    /// The bytes by which keys name it.
    pub fn bytes(self) -> [u8; 4] {
        let ([a, b], [c, d]) = (self.low.id().to_be_bytes(), self.high.id().to_be_bytes());
        [a, b, c, d]
    }
}

/// Countries that one record names and the other does not, each once.
pub fn countries_only_in<'a>(
    one: impl IntoIterator<Item = &'a str>,
    other: impl IntoIterator<Item = &'a str>,
) -> Vec<String> {
    let other: BTreeSet<&str> = other.into_iter().collect();
    let one: BTreeSet<&str> = one.into_iter().collect();
    let gone = one.difference(&other);
    gone.map(ToString::to_string).collect()
}

/// Whether two records name the same two countries, or each names one only, the same.
pub fn are_about_the_same<'a>(
    one: impl IntoIterator<Item = &'a str>,
    other: impl IntoIterator<Item = &'a str>,
) -> bool {
    let one: BTreeSet<&str> = one.into_iter().collect();
    let other: BTreeSet<&str> = other.into_iter().collect();
    let shared = one.intersection(&other).count();
    shared >= 2 || (shared == 1 && one.len() == 1 && other.len() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(code: &str) -> Country {
        code.parse().expect("a country")
    }

    #[test]
    fn two_countries_are_a_topic_in_either_order() {
        let (china, kazakhstan) = (country("CHN"), country("KAZ"));
        assert_eq!(
            Topic::pair(china, kazakhstan),
            Topic::pair(kazakhstan, china)
        );
        assert!(Topic::pair(china, kazakhstan).is_among(["KAZ", "UZB", "CHN"]));
        assert!(!Topic::pair(china, kazakhstan).is_among(["KAZ", "UZB"]));
        assert!(Topic::country(china).is_among(["CHN"]));
    }

    #[test]
    fn all_topics_are_each_country_and_each_two() {
        let countries = ["CHN", "KAZ", "UZB", "CHN"].map(country);
        assert_eq!(Topic::all(&countries).len(), 6);
        assert_eq!(Topic::all(&countries[..1]), [Topic::country(countries[0])]);
        assert!(Topic::all(&[]).is_empty());
    }

    #[test]
    fn two_records_share_a_pair_or_their_only_country() {
        assert!(are_about_the_same(["CHN", "KAZ"], ["KAZ", "UZB", "CHN"]));
        assert!(!are_about_the_same(["CHN", "KAZ"], ["KAZ", "UZB"]));
        assert!(are_about_the_same(["KAZ", "KAZ"], ["KAZ"]));
        assert!(!are_about_the_same(["KAZ"], ["KAZ", "UZB"]));
        assert_eq!(countries_only_in(["UZB", "KAZ", "UZB"], ["KAZ"]), ["UZB"]);
    }

    #[test]
    fn what_is_wrong_with_a_topic_is_named() {
        let fields = |country, partner| {
            let mut violations = Violations::new();
            Topic::parse(country, partner, &mut violations);
            violations.to_string()
        };
        assert_eq!(fields("", ""), "");
        assert_eq!(fields("CHN", "KAZ"), "");
        assert!(fields("", "KAZ").starts_with("country: is required"));
        assert!(fields("CHN", "CHN").starts_with("partner: is the country"));
        assert!(fields("chn", "KAZ").starts_with("country:"));
        let mut violations = Violations::new();
        assert!(Topic::parse_pair("CHN", "", &mut violations).is_none());
        assert_eq!(violations.to_string(), "partner: is required");
    }
}
