//! What a value means, by the vocabulary of its snapshot.
//!
//! The dataset changed its values over the years; each version of its own description was read for this table:
//!
//! | form | snapshots of the dataset | values |
//! |---|---|---|
//! | codes | until January 2020 | `3` visa free, `2` visa on arrival, `1` travel authorisation, `0` visa required, `-1` own country |
//! | letters | February to May 2020 | `VF`, `VOA`, `ETA`, `VR`; a number of days, visa free |
//! | words | since November 2020 | `visa free`, `visa on arrival`, `e-visa`, `eta`, `visa required`, `covid ban`, `no admission`; a number of days, visa free |
//!
//! `1` and `2` stood the other way round until September 2019, so in an older snapshot of codes they are rejected. A
//! snapshot that holds numbers from -1 to 3 only is of codes: no number of days is so small.
//!
//! Codes and letters have no electronic visa: it was counted as `visa required`, or as `ETA`.

use proto::Day;
use proto::culture::v1::VisaRequirement;

/// The vocabulary of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Numbers from -1 to 3.
    Codes,
    /// Abbreviations.
    Letters,
    /// Words.
    Words,
}

/// What a value says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) requirement: VisaRequirement,
    /// How many days a stay may last; 0: not said.
    pub(super) days: i32,
    /// Whether it was a ban for the pandemic, which is another rule than a border that is closed for another reason.
    pub(super) is_covid_ban: bool,
}

/// The numbers of days that the dataset knows; the largest stays are of a year.
const DAYS: std::ops::RangeInclusive<i32> = 7..=366;
/// Since this day `1` and `2` mean what they mean here.
const CODES_SINCE: &str = "2019-10-28";

impl Form {
    /// The vocabulary that holds all values of a snapshot.
    pub(super) fn of(values: &[&str]) -> Form {
        let is_code = |value: &&str| matches!(*value, "-1" | "0" | "1" | "2" | "3");
        let is_letters = |value: &&str| matches!(*value, "VF" | "VOA" | "EV" | "VR");
        if values.iter().all(is_code) {
            Form::Codes
        } else if values.iter().any(is_letters) {
            Form::Letters
        } else {
            Form::Words
        }
    }
}

/// What a value means in a snapshot of a day, or that it means nothing known.
pub(super) fn meaning(form: Form, day: Day, value: &str) -> Result<Meaning, String> {
    let requirement = match form {
        Form::Codes => code(day, value)?,
        Form::Letters | Form::Words => match value.parse::<i32>() {
            Ok(days) => return visa_free_for(days),
            Err(_) => word(value)?,
        },
    };
    Ok(Meaning {
        requirement,
        days: 0,
        is_covid_ban: value.eq_ignore_ascii_case("covid ban"),
    })
}

fn code(day: Day, value: &str) -> Result<VisaRequirement, String> {
    if matches!(value, "1" | "2") && day.to_string().as_str() < CODES_SINCE {
        return Err(format!(
            "`{value}` in a snapshot before {CODES_SINCE}: 1 and 2 stood the other way round until then"
        ));
    }
    match value {
        "3" => Ok(VisaRequirement::VisaFree),
        "2" => Ok(VisaRequirement::VisaOnArrival),
        "1" => Ok(VisaRequirement::TravelAuthorisation),
        "0" => Ok(VisaRequirement::VisaRequired),
        _ => Err(format!(
            "`{value}` between two countries means nothing known"
        )),
    }
}

fn visa_free_for(days: i32) -> Result<Meaning, String> {
    if !DAYS.contains(&days) {
        let (least, most) = (DAYS.start(), DAYS.end());
        return Err(format!("`{days}`: {least} to {most} days are known"));
    }
    Ok(Meaning {
        requirement: VisaRequirement::VisaFree,
        days,
        is_covid_ban: false,
    })
}

fn word(value: &str) -> Result<VisaRequirement, String> {
    match value.to_lowercase().as_str() {
        "vf" | "visa free" => Ok(VisaRequirement::VisaFree),
        "eta" => Ok(VisaRequirement::TravelAuthorisation),
        "voa" | "visa on arrival" => Ok(VisaRequirement::VisaOnArrival),
        "ev" | "e-visa" => Ok(VisaRequirement::EVisa),
        "vr" | "visa required" => Ok(VisaRequirement::VisaRequired),
        "covid ban" | "no admission" => Ok(VisaRequirement::NoAdmission),
        _ => Err(format!("`{value}` means nothing known")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        crate::dates::parse_day(text).unwrap()
    }

    fn requirement(form: Form, value: &str) -> Option<VisaRequirement> {
        let found = meaning(form, day("2019-11-23"), value).ok();
        found.map(|found| found.requirement)
    }

    #[test]
    fn a_snapshot_tells_its_own_vocabulary() {
        assert_eq!(Form::of(&["0", "3", "-1", "2"]), Form::Codes);
        assert_eq!(Form::of(&["VR", "30", "ETA"]), Form::Letters);
        assert_eq!(Form::of(&["visa free", "30"]), Form::Words);
        assert_eq!(Form::of(&["30", "90"]), Form::Words);
    }

    #[test]
    fn a_number_is_a_code_or_days_by_its_vocabulary() {
        assert_eq!(
            requirement(Form::Codes, "3"),
            Some(VisaRequirement::VisaFree)
        );
        assert_eq!(
            requirement(Form::Codes, "2"),
            Some(VisaRequirement::VisaOnArrival)
        );
        assert_eq!(
            requirement(Form::Codes, "1"),
            Some(VisaRequirement::TravelAuthorisation)
        );
        assert_eq!(requirement(Form::Codes, "-1"), None);
        let days = meaning(Form::Words, day("2024-01-05"), "30").unwrap();
        assert_eq!(
            (days.requirement, days.days),
            (VisaRequirement::VisaFree, 30)
        );
        for unknown in ["3", "-1", "400", "Hayya Entry Permit", ""] {
            assert_eq!(requirement(Form::Words, unknown), None, "{unknown}");
        }
    }

    #[test]
    fn codes_that_changed_places_are_not_guessed() {
        let old = day("2019-09-28");
        assert!(meaning(Form::Codes, old, "2").is_err());
        assert!(meaning(Form::Codes, old, "3").is_ok());
    }

    #[test]
    fn a_ban_for_the_pandemic_is_a_rule_of_its_own() {
        let of = |value| meaning(Form::Words, day("2021-01-25"), value).unwrap();
        assert_ne!(of("covid ban"), of("no admission"));
        assert_eq!(of("covid ban").requirement, of("no admission").requirement);
    }
}
