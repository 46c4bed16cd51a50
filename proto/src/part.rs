//! Parts that records have in common: titles, sources, themes, places, organisations. Each is brought to its normal
//! form, or refused by field.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;

use crate::country::{Country, CountryKind};
use crate::date::CivilDate;
use crate::excerpt::Excerpt;
use crate::fields::Violations;
use crate::source::Source;
use crate::text::LocalizedText;
use crate::r#type::v1 as wire;

const SOURCES: RangeInclusive<usize> = 1..=20;
const MAX_NAME: usize = 200;
const ORGANISATION_CODE: RangeInclusive<usize> = 2..=32;

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

/// Whether a filter lets something through: it wants nothing in particular, or one of what is given.
pub fn has_wanted(wanted: &[i32], given: &[i32]) -> bool {
    wanted.is_empty() || given.iter().any(|one| wanted.contains(one))
}

/// Checks a field of several entries: how many, and each by itself. Too many are not looked at.
pub fn check_list<T, U>(
    field: &str,
    entries: Vec<T>,
    count: RangeInclusive<usize>,
    check: impl Fn(T) -> Result<U, Violations>,
    violations: &mut Violations,
) -> Vec<U> {
    let given = entries.len();
    if !count.contains(&given) {
        let (least, most) = (count.start(), count.end());
        let description = match least {
            0 => format!("{given} {field}; at most {most}"),
            least => format!("{given} {field}: {least} to {most} are required"),
        };
        violations.push(field, description);
        return Vec::new();
    }
    let mut checked = Vec::with_capacity(given);
    for (index, entry) in entries.into_iter().enumerate() {
        checked.extend(violations.check_nested(&format!("{field}[{index}]"), check(entry)));
    }
    checked
}

/// Notes each entry of a field whose key another one had before.
pub fn check_once<K: Ord>(
    field: &str,
    keys: impl IntoIterator<Item = K>,
    violations: &mut Violations,
) {
    let mut seen = BTreeSet::new();
    for (index, key) in keys.into_iter().enumerate() {
        if !seen.insert(key) {
            violations.push(format!("{field}[{index}]"), "twice");
        }
    }
}

/// Checks the field `sources`: 1 to 20.
pub fn check_sources(sources: Vec<wire::Source>, violations: &mut Violations) -> Vec<wire::Source> {
    let check = |source| Source::try_from(source).map(Into::into);
    check_list("sources", sources, SOURCES, check, violations)
}

/// Checks the field `title`, which is required: of one line in each language.
pub fn check_title(
    title: Option<wire::LocalizedText>,
    max_chars: usize,
    violations: &mut Violations,
) -> Option<wire::LocalizedText> {
    let title = title.ok_or_else(|| Violations::one("", "is required"));
    let title = title.and_then(|title| LocalizedText::names(title, max_chars));
    violations.check_nested("title", title).map(Into::into)
}

/// Checks the field `summary`, which may be left out.
pub fn check_summary(
    summary: Option<wire::LocalizedText>,
    violations: &mut Violations,
) -> Option<wire::LocalizedText> {
    let summary = LocalizedText::try_from(summary?);
    violations.check_nested("summary", summary).map(Into::into)
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

/// What an organisation is found by: its code, and its name in each language.
pub fn organisation_texts(organisation: &wire::Organisation) -> impl Iterator<Item = &str> {
    let names = organisation.display_name.iter();
    let names = names.flat_map(|name| name.texts.values());
    let texts = std::iter::once(&organisation.code).chain(names);
    texts.map(String::as_str).filter(|text| !text.is_empty())
}

/// A date of a record that was checked.
pub fn stored_date(date: Option<wire::CivilDate>) -> Option<CivilDate> {
    CivilDate::try_from(date?).ok()
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
    fn a_list_has_so_many_entries_each_right_by_itself() {
        let checked = |entries: &[i32], count| {
            let mut violations = Violations::new();
            let small = |one| {
                (one < 9)
                    .then_some(one)
                    .ok_or_else(|| Violations::one("", "large"))
            };
            let checked = check_list("steps", entries.to_vec(), count, small, &mut violations);
            (checked, violations.to_string())
        };
        assert_eq!(checked(&[1, 2], 0..=2), (vec![1, 2], String::new()));
        let (kept, wrong) = checked(&[1, 9], 0..=2);
        assert_eq!((kept, &wrong[..]), (vec![1], "steps[1]: large"));
        assert_eq!(checked(&[1], 0..=0).1, "steps: 1 steps; at most 0");
        assert_eq!(checked(&[], 1..=3).1, "steps: 0 steps: 1 to 3 are required");
    }

    #[test]
    fn an_entry_may_be_there_once() {
        let mut violations = Violations::new();
        check_once("steps", ["a", "b", "a"], &mut violations);
        assert_eq!(violations.to_string(), "steps[2]: twice");
    }

    #[test]
    fn an_organisation_is_found_by_its_code_and_its_names() {
        let name = LocalizedText::new("en", "Shanghai Cooperation Organisation").unwrap();
        let organisation = wire::Organisation {
            code: "SCO".into(),
            display_name: Some(name.into()),
        };
        let texts: Vec<&str> = organisation_texts(&organisation).collect();
        assert_eq!(texts, ["SCO", "Shanghai Cooperation Organisation"]);
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
