//! Whether a visa rule is in force on a day.
//!
//! A rule is in force from a first day until the day before its end, both of which may be known within bounds only:
//!
//! | bound | what is given | the day lies |
//! |---|---|---|
//! | first day | `start_date` | in it |
//! | | `start_after`, `start_date` | after the one, and not after the other |
//! | | `start_by` | in it, or on any day before |
//! | | none | before all days |
//! | end | `end_date` | in it |
//! | | `end_after`, `end_date` | after the one, and not after the other |
//! | | `end_after` | after it, or never |
//! | | neither | behind all days |
//!
//! A date that is not precise may be any of its days.

use proto::culture::v1::VisaRule;
use proto::{CivilDate, Day, stored_date};

/// When a rule is in force, as far as is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) start: Option<CivilDate>,
    pub(crate) start_after: Option<CivilDate>,
    pub(crate) start_by: Option<CivilDate>,
    pub(crate) end: Option<CivilDate>,
    pub(crate) end_after: Option<CivilDate>,
}

/// Whether a rule is in force on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Force {
    No,
    Perhaps,
    Surely,
}

/// The days between which something happened, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Between {
    pub(crate) earliest: Day,
    pub(crate) latest: Day,
}

impl Term {
    /// That of a rule that was checked.
    pub(crate) fn of(rule: &VisaRule) -> Term {
        Term {
            start: stored_date(rule.start_date),
            start_after: stored_date(rule.start_after),
            start_by: stored_date(rule.start_by),
            end: stored_date(rule.end_date),
            end_after: stored_date(rule.end_after),
        }
    }

    /// When it came into force; `None`: it always was, or all that is known is by when it had.
    pub(crate) fn beginning(self) -> Option<Between> {
        Some(between(self.start?, self.start_after))
    }

    /// The first day on which it was no longer in force; `None`: it goes on, or it is not known.
    pub(crate) fn ending(self) -> Option<Between> {
        Some(between(self.end?, self.end_after))
    }

    /// The first and the last day on which it may be in force.
    pub(crate) fn days(self) -> (Option<Day>, Option<Day>) {
        let first = self.beginning().map(|beginning| beginning.earliest);
        let last = self.ending().map(|ending| ending.latest.plus(-1));
        (first, last)
    }

    /// Whether it is in force on a day.
    pub(crate) fn on(self, day: Day) -> Force {
        let (beginning, ending) = (self.beginning(), self.ending());
        let may_have_begun = beginning.is_none_or(|beginning| beginning.earliest <= day);
        let has_surely_ended = ending.is_some_and(|ending| ending.latest <= day);
        if !may_have_begun || has_surely_ended {
            return Force::No;
        }
        let has_surely_begun = match (beginning, self.start_by) {
            (Some(beginning), _) => beginning.latest <= day,
            (None, Some(seen)) => seen.last() <= day,
            (None, None) => true,
        };
        let surely_goes_on = match (ending, self.end_after) {
            (Some(ending), _) => day < ending.earliest,
            (None, Some(seen)) => day <= seen.first(),
            (None, None) => true,
        };
        if has_surely_begun && surely_goes_on {
            Force::Surely
        } else {
            Force::Perhaps
        }
    }
}

/// On a date, or after one day and by another.
fn between(by: CivilDate, after: Option<CivilDate>) -> Between {
    Between {
        earliest: after.map_or(by.first(), |after| after.first().plus(1)),
        latest: by.last(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::culture::v1::VisaRequirement;
    use proto::r#type::v1::CivilDate as WireDate;

    use crate::visa_rule::tests::rule;

    fn day(text: &str) -> Day {
        let date: CivilDate = text.parse().expect("a date");
        Day::try_from(WireDate::from(date)).expect("a day")
    }

    /// What dates, as [`rule`] takes them, say of days: `-` no, `?` perhaps, `+` surely.
    fn told(dates: &str, days: &[&str]) -> String {
        let term = Term::of(&rule(VisaRequirement::VisaFree, dates));
        let on = |text: &&str| match term.on(day(text)) {
            Force::No => '-',
            Force::Perhaps => '?',
            Force::Surely => '+',
        };
        days.iter().map(on).collect()
    }

    #[test]
    fn exact_dates_leave_nothing_open() {
        let days = ["2023-11-09", "2023-11-10", "2024-12-31", "2025-01-01"];
        assert_eq!(told("- 2023-11-10 - 2025-01-01", &days), "-++-");
        assert_eq!(told("- 2023-11-10 - -", &days), "-+++");
        assert_eq!(told("- - - 2025-01-01", &days), "+++-");
        assert_eq!(told("- - - -", &days), "++++");
    }

    #[test]
    fn between_what_sources_saw_it_is_open() {
        let days = [
            "2022-06-01",
            "2022-06-02",
            "2022-06-06",
            "2022-07-03",
            "2022-07-04",
            "2022-08-02",
            "2022-08-03",
        ];
        let seen = "2022-06-01 2022-06-06 2022-07-03 2022-08-03";
        assert_eq!(told(seen, &days), "-?++??-");
        assert_eq!(told("- 2022-06-06 2022-07-03 2022-08-03", &days), "--++??-");
        assert_eq!(told("2022-06-01 2022-06-06 - 2022-08-03", &days), "-?++++-");
    }

    #[test]
    fn behind_what_a_source_saw_last_nothing_is_known() {
        let days = [
            "2022-06-05",
            "2022-06-06",
            "2022-07-03",
            "2022-07-04",
            "2030-01-01",
        ];
        assert_eq!(told("- 2022-06-06 2022-07-03 -", &days), "-++??");
        assert_eq!(told("- - 2022-07-03 -", &days), "+++??");
        assert_eq!(told("- 2022-06-06 2022-07 -", &days), "-+???");
    }

    #[test]
    fn before_what_a_source_saw_first_nothing_is_known() {
        let days = [
            "1990-01-01",
            "2019-11-22",
            "2019-11-23",
            "2020-05-09",
            "2020-05-10",
            "2020-11-18",
            "2020-11-19",
        ];
        assert_eq!(told("- <2019-11-23 - -", &days), "??+++++");
        assert_eq!(told("- <2019-11-23 2020-05-09 -", &days), "??++???");
        assert_eq!(told("- <2019-11-23 - 2020-11-19", &days), "??++++-");
        assert_eq!(
            told("- <2019-11-23 2020-05-09 2020-11-19", &days),
            "??++??-"
        );
        // Seen on some day of a year or a month: it had surely begun on its last day.
        assert_eq!(told("- <2019 2020-05-09 -", &days), "???+???");
        let days = ["2019-10-31", "2019-11-01", "2019-11-29", "2019-11-30"];
        assert_eq!(told("- <2019-11 - -", &days), "???+");
        // Seen in a month in which it may have ended as well: on no day is it sure.
        assert_eq!(told("- <2019-11 - 2019-11", &days), "???-");
    }

    #[test]
    fn a_vague_date_may_be_any_of_its_days() {
        let days = [
            "2022-12-31",
            "2023-01-01",
            "2023-12-30",
            "2023-12-31",
            "2024-05-31",
            "2024-06-01",
            "2024-06-29",
            "2024-06-30",
        ];
        assert_eq!(told("- 2023 - 2024-06", &days), "-??++??-");
        assert_eq!(told("2022 2023 - -", &days), "???+++++");
        assert_eq!(told("- 2023 2024-05 2024-06", &days), "-??+???-");
        // It began and ended in a year: on its last day it had surely ended.
        assert_eq!(told("- 2023 - 2023", &days), "-??-----");
    }

    #[test]
    fn the_days_on_which_it_may_be_in_force_are_those_on_which_it_is_not_surely_out() {
        for dates in [
            "- 2023-11-10 - 2025-01-01",
            "2022-06-01 2022-06-06 2022-07-03 2022-08-03",
            "- 2023 - 2024-06",
            "- 2023-01 - 2023-03",
            "2022-03 2022-06 - -",
            "- <2022-06 - -",
            "- <2022-06-06 - 2023-03",
        ] {
            let term = Term::of(&rule(VisaRequirement::VisaFree, dates));
            let (first, last) = term.days();
            for offset in 0..1_500 {
                let day = day("2021-12-01").plus(offset);
                let may =
                    first.is_none_or(|first| first <= day) && last.is_none_or(|last| day <= last);
                assert_eq!(may, term.on(day) != Force::No, "{dates} on {day}");
            }
        }
    }
}
