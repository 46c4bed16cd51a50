//! Parts that records have in common: sources, themes, places, organisations. Each is brought to its normal form, or
//! refused by field.

use std::fmt;

use crate::country::{Country, CountryKind};
use crate::excerpt::Excerpt;
use crate::fields::Violations;
use crate::source::Source;
use crate::text::LocalizedText;
use crate::r#type::v1 as wire;

const MAX_SOURCES: usize = 20;
const MAX_NAME: usize = 200;
const ORGANISATION_CODE: std::ops::RangeInclusive<usize> = 2..=32;

/// A value of an enum that the wire knows and that is given.
///
/// # Errors
/// What is wrong with the number; `what` says what it should be.
pub fn one_of<E>(number: i32, what: &str) -> Result<E, String>
where
    E: TryFrom<i32> + Default + PartialEq,
{
    match E::try_from(number) {
        Ok(value) if value == E::default() => Err("is required".into()),
        Ok(value) => Ok(value),
        Err(_) => Err(format!("{number} is no {what}")),
    }
}

/// Checks the field `themes`: each once.
pub fn check_themes(themes: &[i32], violations: &mut Violations) -> Vec<i32> {
    check_each(
        "themes",
        themes,
        |number| one_of::<wire::Theme>(number, "theme"),
        violations,
    )
}

/// Checks the numbers of an enum in a field, each once.
pub fn check_each<T>(
    field: &str,
    numbers: &[i32],
    parse: impl Fn(i32) -> Result<T, String>,
    violations: &mut Violations,
) -> Vec<i32> {
    let mut checked = Vec::with_capacity(numbers.len());
    for (index, number) in numbers.iter().enumerate() {
        let field = format!("{field}[{index}]");
        if violations.check(&field, parse(*number)).is_none() {
            continue;
        }
        if checked.contains(number) {
            violations.push(field, "twice");
        } else {
            checked.push(*number);
        }
    }
    checked
}

/// Checks the field `sources`: 1 to 20.
pub fn check_sources(sources: Vec<wire::Source>, violations: &mut Violations) -> Vec<wire::Source> {
    if sources.is_empty() || sources.len() > MAX_SOURCES {
        let description = format!("{} sources: 1 to {MAX_SOURCES} are required", sources.len());
        violations.push("sources", description);
        return Vec::new();
    }
    let mut checked = Vec::with_capacity(sources.len());
    for (index, source) in sources.into_iter().enumerate() {
        let source =
            violations.check_nested(&format!("sources[{index}]"), Source::try_from(source));
        checked.extend(source.map(wire::Source::from));
    }
    checked
}

/// Checks a place among a record's sources, from 1.
///
/// # Errors
/// That there is no such source.
pub fn source_index(source: i32, sources: usize) -> Result<i32, String> {
    let is_there = usize::try_from(source).is_ok_and(|at| (1..=sources).contains(&at));
    if is_there {
        return Ok(source);
    }
    Err(format!(
        "{source} is no place among the {sources} sources, from 1"
    ))
}

/// A country code of one country: not the world, a group, or a rest.
///
/// # Errors
/// What is wrong with it.
pub fn one_country(code: &str) -> Result<Country, String> {
    let country: Country = code
        .parse()
        .map_err(|error: crate::CountryError| error.to_string())?;
    match country.kind() {
        CountryKind::Country | CountryKind::Former => Ok(country),
        CountryKind::World | CountryKind::Group | CountryKind::Unspecified => {
            Err(format!("{country} is not one country"))
        }
    }
}

/// Checks a place: a country, a name, or both.
///
/// # Errors
/// What is wrong with it, by field.
pub fn check_place(place: wire::Place) -> Result<wire::Place, Violations> {
    let wire::Place { country, name } = place;
    if country.is_empty() && name.is_none() {
        return Err(Violations::one("", "has neither country nor name"));
    }
    let mut violations = Violations::new();
    let country = violations.check("country", given(&country, one_country));
    let name = name.map(|name| LocalizedText::names(name, MAX_NAME));
    let name = violations.check_nested("name", name.transpose());
    violations.into_result(wire::Place {
        country: country
            .flatten()
            .map(|country| country.to_string())
            .unwrap_or_default(),
        name: name.flatten().map(Into::into),
    })
}

/// Checks an organisation: a code, a name, or both.
///
/// # Errors
/// What is wrong with it, by field.
pub fn check_organisation(
    organisation: wire::Organisation,
) -> Result<wire::Organisation, Violations> {
    let wire::Organisation { code, display_name } = organisation;
    let mut violations = Violations::new();
    if code.is_empty() && display_name.is_none() {
        violations.push("display_name", "is required without a code");
    }
    if !code.is_empty() && !is_organisation_code(&code) {
        let code = Excerpt::of(&code);
        let description =
            format!("{code}: 2 to 32 of `A-Z`, `0-9` and `-`, starting with a letter");
        violations.push("code", description);
    }
    let name = display_name.map(|name| LocalizedText::names(name, MAX_NAME));
    let name = violations.check_nested("display_name", name.transpose());
    violations.into_result(wire::Organisation {
        code,
        display_name: name.flatten().map(Into::into),
    })
}

fn is_organisation_code(code: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-';
    ORGANISATION_CODE.contains(&code.len())
        && code.bytes().all(allowed)
        && code.starts_with(|c: char| c.is_ascii_uppercase())
}

/// An optional text: empty is none.
///
/// # Errors
/// What is wrong with one that is given.
pub fn given<T, E: fmt::Display>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, E> {
    if text.is_empty() {
        return Ok(None);
    }
    parse(text).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_an_enum_is_known_and_given() {
        assert_eq!(
            one_of::<wire::Theme>(1, "theme"),
            Ok(wire::Theme::PoliticalTrust)
        );
        assert_eq!(one_of::<wire::Theme>(0, "theme"), Err("is required".into()));
        assert_eq!(
            one_of::<wire::Theme>(99, "theme"),
            Err("99 is no theme".into())
        );
        let mut violations = Violations::new();
        assert_eq!(check_themes(&[2, 1, 2, 77], &mut violations), [2, 1]);
        assert_eq!(
            violations.to_string(),
            "themes[2]: twice; themes[3]: 77 is no theme"
        );
    }

    #[test]
    fn a_place_among_sources_counts_from_one() {
        assert_eq!(source_index(2, 2), Ok(2));
        for wrong in [0, 3, -1, i32::MIN] {
            assert!(source_index(wrong, 2).is_err());
        }
    }

    #[test]
    fn the_world_is_not_one_country() {
        assert!(one_country("KAZ").is_ok());
        assert!(one_country("CT810").is_ok(), "the USSR was one");
        for wrong in ["WLD", "CT899", "kaz", ""] {
            assert!(one_country(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_organisation_has_a_code_or_a_name() {
        let organisation = |code: &str| wire::Organisation {
            code: code.into(),
            display_name: None,
        };
        for good in ["SCO", "UN", "BELT-AND-ROAD", "G20"] {
            assert!(check_organisation(organisation(good)).is_ok(), "{good}");
        }
        for wrong in ["", "S", "sco", "2G", "\u{421}\u{41e}", &"A".repeat(33)] {
            assert!(check_organisation(organisation(wrong)).is_err(), "{wrong}");
        }
    }
}
