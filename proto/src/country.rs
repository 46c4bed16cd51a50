//! Countries and the other areas that trade figures name.

use std::fmt;
use std::str::FromStr;

use crate::country_table::{Area, MONACO, TABLE, id_of_m49};
use crate::excerpt::Excerpt;

/// A country, or another area that UN Comtrade counts: the world, a former country, a rest that is not
/// specified. Two bytes.
///
/// On the wire it is ISO 3166-1 alpha-3, `WLD`, or `CT` and Comtrade's three digits where ISO has no
/// code for exactly this area. Comtrade numbers areas where ISO numbers states: India is 699 there and
/// `CT356` is India until 1974, without Sikkim; neither is ever taken for the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(u16);

/// What sort of area a [`Country`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CountryKind {
    /// A country or territory of today, or a named part of one.
    Country,
    /// All countries together.
    World,
    /// A country or union that is no more.
    Former,
    /// Several countries that have figures of their own: their union is never added to them.
    Group,
    /// Not one country: a rest not elsewhere specified, bunkers, free zones.
    Unspecified,
}

impl Country {
    /// All countries together.
    pub const WORLD: Country = Country(0);

    /// By ISO 3166-1 alpha-3 or `WLD`, in capitals.
    pub fn from_alpha3(code: &str) -> Option<Country> {
        if code == "WLD" {
            return Some(Country::WORLD);
        }
        let iso = rust_iso3166::from_alpha3(code)?;
        Some(Country(id_of_m49(iso.numeric)))
    }

    /// By ISO 3166-1 alpha-2, in capitals: what other systems write, and never this wire.
    pub fn from_alpha2(code: &str) -> Option<Country> {
        let iso = rust_iso3166::from_alpha2(code)?;
        Some(Country(id_of_m49(iso.numeric)))
    }

    /// By M49 code, which is the ISO 3166-1 number of a country (840 is the USA); 0 and 1 are the
    /// world. Comtrade's own numbers of the five countries that it moved (251, 579, 699, 757, 842) are
    /// understood too. Former countries and rests are not in today's M49.
    pub fn from_m49(code: u16) -> Option<Country> {
        match code {
            0 | 1 => Some(Country::WORLD),
            251 | 579 | 699 | 757 | 842 => Some(Country(code)),
            m49 => {
                let area = TABLE.get(id_of_m49(m49))?;
                (area.m49 == Some(m49)).then_some(Country(area.id))
            }
        }
    }

    /// By UN Comtrade's area code, reporter or partner: 699 is India, 356 India until 1974.
    pub fn from_comtrade(code: u16) -> Option<Country> {
        Country::from_id(code).filter(|country| country.comtrade() == Some(code))
    }

    /// By [`Country::id`].
    pub fn from_id(id: u16) -> Option<Country> {
        TABLE.get(id).map(|area| Country(area.id))
    }

    /// The number to store: Comtrade's area code, and a number above 999 where Comtrade has none.
    pub fn id(self) -> u16 {
        self.0
    }

    /// UN Comtrade's area code; `None` for Monaco alone, which Comtrade counts with France.
    pub fn comtrade(self) -> Option<u16> {
        (self.0 != MONACO).then_some(self.0)
    }

    /// M49 code; `None` where today's M49 has none for exactly this area.
    pub fn m49(self) -> Option<u16> {
        self.area().and_then(|area| area.m49)
    }

    /// ISO 3166-1 alpha-3, `WLD` for the world; `None` where ISO has none for exactly this area.
    pub fn alpha3(self) -> Option<&'static str> {
        self.area().and_then(|area| area.alpha3)
    }

    /// English name.
    pub fn name(self) -> &'static str {
        self.area().map_or("", |area| area.name)
    }

    /// What sort of area it is.
    pub fn kind(self) -> CountryKind {
        self.area()
            .map_or(CountryKind::Unspecified, |area| area.kind)
    }

    /// Whether it stands beside others: not the world or a group, which hold others that have figures of
    /// their own.
    pub fn stands_beside_others(self) -> bool {
        match self.kind() {
            CountryKind::World | CountryKind::Group => false,
            CountryKind::Country | CountryKind::Former | CountryKind::Unspecified => true,
        }
    }

    /// The last year of a former country, where Comtrade says it.
    pub fn until(self) -> Option<u16> {
        self.area().and_then(|area| area.until)
    }

    /// Every area, in the order of ids.
    pub fn all() -> impl Iterator<Item = Country> {
        TABLE.iter().map(|area| Country(area.id))
    }

    fn area(self) -> Option<&'static Area> {
        TABLE.get(self.0)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.alpha3() {
            Some(code) => f.pad(code),
            None => f.pad(&format!("CT{:03}", self.0)),
        }
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({self})")
    }
}

/// Why a text is no country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountryError {
    /// There is no text.
    #[error(
        "empty: an ISO 3166-1 alpha-3 code (`CHN`), `WLD`, or `CT` and three digits is required"
    )]
    Empty,
    /// Letters that are not ASCII, such as Cyrillic ones that look alike.
    #[error("{0} is not plain ASCII: country codes are the letters A to Z of an English keyboard")]
    NotAscii(Excerpt),
    /// Right but for its case.
    #[error("{0} is in lower case: country codes are capitals (`CHN`)")]
    LowerCase(Excerpt),
    /// `CT` and digits that UN Comtrade does not use.
    #[error("unknown {0}: no area code of UN Comtrade")]
    UnknownArea(Excerpt),
    /// `CT` and digits of a country that has an ISO code.
    #[error("{given} is written `{alpha3}`: `CT` is for areas without an ISO 3166-1 code")]
    HasAlpha3 {
        /// What was given.
        given: Excerpt,
        /// What to write.
        alpha3: &'static str,
    },
    /// Anything else.
    #[error("unknown {0}: not an ISO 3166-1 alpha-3 code, `WLD`, or `CT` and three digits")]
    Unknown(Excerpt),
}

impl FromStr for Country {
    type Err = CountryError;

    fn from_str(text: &str) -> Result<Country, CountryError> {
        if text == "W00" {
            return Ok(Country::WORLD);
        }
        match area_digits(text) {
            Some(code) => from_area_code(text, code),
            None => Country::from_alpha3(text).ok_or_else(|| explain(text)),
        }
    }
}

fn area_digits(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("CT")?;
    let right = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
    if right { digits.parse().ok() } else { None }
}

fn from_area_code(text: &str, code: u16) -> Result<Country, CountryError> {
    let given = Excerpt::of(text);
    let Some(country) = Country::from_comtrade(code) else {
        return Err(CountryError::UnknownArea(given));
    };
    match country.alpha3() {
        Some(alpha3) => Err(CountryError::HasAlpha3 { given, alpha3 }),
        None => Ok(country),
    }
}

fn explain(text: &str) -> CountryError {
    let given = Excerpt::of(text);
    if text.is_empty() {
        CountryError::Empty
    } else if !text.is_ascii() {
        CountryError::NotAscii(given)
    } else if is_known(&text.to_ascii_uppercase()) {
        CountryError::LowerCase(given)
    } else {
        CountryError::Unknown(given)
    }
}

fn is_known(text: &str) -> bool {
    let area = area_digits(text).and_then(Country::from_comtrade);
    area.or_else(|| Country::from_alpha3(text)).is_some()
}

#[cfg(test)]
mod tests {
    use super::{Country, CountryError, CountryKind};
    use proptest::prelude::*;
    use std::path::Path;

    fn country(text: &str) -> Country {
        text.parse().unwrap()
    }

    fn refused(text: &str) -> CountryError {
        text.parse::<Country>().unwrap_err()
    }

    #[test]
    fn the_five_that_comtrade_moved() {
        for (alpha3, m49, comtrade) in [
            ("USA", 840, 842),
            ("FRA", 250, 251),
            ("IND", 356, 699),
            ("NOR", 578, 579),
            ("CHE", 756, 757),
        ] {
            let moved = country(alpha3);
            assert_eq!(Country::from_m49(m49), Some(moved));
            assert_eq!(Country::from_m49(comtrade), Some(moved));
            assert_eq!(Country::from_comtrade(comtrade), Some(moved));
            assert_eq!(moved.m49(), Some(m49));
            assert_eq!(moved.comtrade(), Some(comtrade));
            let other = Country::from_comtrade(m49).unwrap();
            assert_ne!(other, moved);
            assert_eq!(other.to_string(), format!("CT{m49}"));
        }
    }

    #[test]
    fn india_of_today_is_not_india_until_1974() {
        let former = country("CT356");
        assert_eq!(former.name(), "India (until 1974)");
        assert_eq!(former.kind(), CountryKind::Former);
        assert_eq!(former.until(), Some(1974));
        assert_eq!(former.m49(), None);
        assert_eq!(country("IND").kind(), CountryKind::Country);
    }

    #[test]
    fn a_rest_of_asia_is_not_a_country() {
        let rest = Country::from_comtrade(490).unwrap();
        assert_eq!(rest.to_string(), "CT490");
        assert_eq!(rest.kind(), CountryKind::Unspecified);
        assert_ne!(rest, country("TWN"));
        assert_eq!(country("TWN").m49(), Some(158));
        assert_eq!(country("CT412").name(), "Kosovo");
    }

    #[test]
    fn monaco_is_not_a_rest_of_europe() {
        let monaco = country("MCO");
        assert_eq!(monaco.comtrade(), None);
        assert_eq!(monaco.m49(), Some(492));
        assert_eq!(Country::from_m49(492), Some(monaco));
        assert_eq!(Country::from_id(monaco.id()), Some(monaco));
        assert_eq!(Country::from_comtrade(monaco.id()), None);
        let rest = Country::from_comtrade(492).unwrap();
        assert_eq!(rest.kind(), CountryKind::Unspecified);
    }

    #[test]
    fn the_world_has_several_names() {
        assert_eq!(country("WLD"), Country::WORLD);
        assert_eq!(country("W00"), Country::WORLD);
        assert_eq!(Country::from_comtrade(0), Some(Country::WORLD));
        assert_eq!(Country::from_m49(0), Some(Country::WORLD));
        assert_eq!(Country::from_m49(1), Some(Country::WORLD));
        assert_eq!(Country::WORLD.to_string(), "WLD");
        assert_eq!(Country::WORLD.kind(), CountryKind::World);
    }

    #[test]
    fn two_letters_are_understood_where_others_write_them() {
        assert_eq!(Country::from_alpha2("CN"), Some(country("CHN")));
        assert_eq!(Country::from_alpha2("IN"), Some(country("IND")));
        assert_eq!(Country::from_alpha2("cn"), None);
        assert_eq!(Country::from_alpha2("ZZ"), None);
    }

    #[test]
    fn the_smallest_codes_keep_their_zeros() {
        assert_eq!(Country::from_comtrade(58).unwrap().to_string(), "CT058");
        assert_eq!(country("CT058").until(), Some(1998));
    }

    #[test]
    fn what_is_no_country_says_why() {
        assert_eq!(refused(""), CountryError::Empty);
        assert!(matches!(refused("chn"), CountryError::LowerCase(_)));
        assert!(matches!(refused("Ct490"), CountryError::LowerCase(_)));
        let look_alike = refused("\u{421}HN").to_string();
        assert!(look_alike.starts_with("`\\u{421}HN` is not plain ASCII"));
        assert!(matches!(refused("CT999"), CountryError::UnknownArea(_)));
        for text in ["XYZ", "xyz", "CN", "CHN ", "156", "CT+12", "CT12", "EUR"] {
            assert!(matches!(refused(text), CountryError::Unknown(_)), "{text}");
        }
    }

    #[test]
    fn a_country_has_one_spelling() {
        let message = "`CT156` is written `CHN`: `CT` is for areas without an ISO 3166-1 code";
        assert_eq!(refused("CT156").to_string(), message);
        assert!(matches!(refused("CT000"), CountryError::HasAlpha3 { .. }));
        assert!(matches!(refused("CT842"), CountryError::HasAlpha3 { .. }));
    }

    #[test]
    fn every_area_is_printed_and_read_back() {
        for area in Country::all() {
            assert_eq!(area.to_string().parse(), Ok(area));
            assert_eq!(Country::from_id(area.id()), Some(area));
            assert!(!area.name().is_empty());
            if let Some(m49) = area.m49() {
                assert_eq!(Country::from_m49(m49), Some(area));
            }
        }
        assert_eq!(Country::all().count(), 313);
    }

    #[test]
    fn every_code_that_comtrade_lists_is_known() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/codes");
        for list in ["reporter.csv", "partner.csv"] {
            let Ok(text) = std::fs::read_to_string(folder.join(list)) else {
                println!("{list} is not here: nothing compared");
                continue;
            };
            let rows = text
                .lines()
                .filter_map(|line| line.split(',').next()?.parse().ok());
            let codes: Vec<u16> = rows.collect();
            assert!(codes.len() > 200);
            for code in codes {
                let area = Country::from_comtrade(code).unwrap_or_else(|| panic!("{code}"));
                assert_eq!(area.comtrade(), Some(code));
                assert_eq!(area.to_string().parse(), Ok(area));
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_breaks_the_parser(text in any::<String>(), near in "[A-Z0-9a-z]{0,6}") {
            for text in [text, near] {
                match text.parse::<Country>() {
                    Ok(country) => prop_assert!(text == "W00" || country.to_string() == text),
                    Err(error) => prop_assert!(!error.to_string().is_empty()),
                }
            }
        }
    }
}
