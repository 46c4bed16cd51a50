//! Visa rules between two countries: those on a day, and what changed between two.

use std::collections::BTreeSet;

use proto::culture::v1 as wire;
use proto::r#type::v1::CivilDate as WireDate;
use proto::{Country, Day, Violations, parse_timestamp, stored_date};
use records::{Error, Span, Topic, standing};
use store::{Micros, State};
use wire::VisaRulesOnDay;
use wire::{FindVisaRulesRequest, FindVisaRulesResponse, ListVisaChangesRequest};
use wire::{ListVisaChangesResponse, VisaChange, VisaChanges, VisaPurpose, VisaRule};

use crate::Model;
use crate::force::{Between, Force, Term};
use crate::visa_rule::{BY_TOPIC, purpose};

/// Rules of a pair that are looked at.
const MAX_RULES: usize = 2_000;
/// Entries of the index that are looked at.
const MAX_LOOKS: usize = 20_000;
/// Changes of a direction that are told.
const MAX_CHANGES: usize = 500;

/// Two countries, and how they are asked about: citizens of the first come first.
#[derive(Clone, Copy, Debug)]
struct Pair {
    country: Country,
    partner: Country,
}

impl Pair {
    fn parse(country: &str, partner: &str, violations: &mut Violations) -> Option<Pair> {
        let [one, other] = Topic::parse_pair(country, partner, violations)?.countries();
        let is_first = one.to_string() == country;
        let (country, partner) = if is_first { (one, other) } else { (other, one) };
        Some(Pair { country, partner })
    }

    fn directions(self) -> [Direction; 2] {
        let direction = |citizens_of: Country, destination: Country| Direction {
            citizens_of: citizens_of.to_string(),
            destination: destination.to_string(),
        };
        [
            direction(self.country, self.partner),
            direction(self.partner, self.country),
        ]
    }

    /// The rules of both directions, by date.
    fn rules(self, state: &State<'_>, as_of: Option<Micros>) -> Result<Vec<VisaRule>, Error> {
        let as_of = as_of.unwrap_or(Micros::MAX);
        let pair = Topic::pair(self.country, self.partner);
        let span = Span::of(BY_TOPIC, pair.bytes());
        let mut rules = Vec::new();
        for (looks, met) in
            standing::<Model, VisaRule>(state, &span, as_of, false, None).enumerate()
        {
            // Those that were deleted are looked at as well.
            if rules.len() == MAX_RULES || looks == MAX_LOOKS {
                let description = format!("more than {MAX_RULES} rules between the two countries");
                return Err(Error::TooLarge(description));
            }
            rules.extend(met?.record);
        }
        Ok(rules)
    }
}

/// Whose citizens enter where.
#[derive(Clone, Debug)]
struct Direction {
    citizens_of: String,
    destination: String,
}

impl Direction {
    fn has(&self, rule: &VisaRule) -> bool {
        rule.citizens_of == self.citizens_of && rule.destination == self.destination
    }

    /// Its rules on a day.
    fn on(&self, rules: &[&VisaRule], day: Day) -> VisaRulesOnDay {
        let with = |force: Force| {
            let rules = rules.iter().filter(|rule| Term::of(rule).on(day) == force);
            rules.map(|rule| (*rule).clone()).collect()
        };
        VisaRulesOnDay {
            citizens_of: self.citizens_of.clone(),
            destination: self.destination.clone(),
            in_force: with(Force::Surely),
            uncertain: with(Force::Perhaps),
        }
    }
}

/// A question about the rules on a day.
#[derive(Debug)]
pub(crate) struct Find {
    pair: Pair,
    day: Day,
    purpose: Option<VisaPurpose>,
    as_of: Option<Micros>,
}

impl Find {
    /// Parses a request; `day` is the one that it asks about.
    pub(crate) fn parse(
        request: &FindVisaRulesRequest,
        day: Result<Day, Violations>,
    ) -> Result<Find, Violations> {
        let FindVisaRulesRequest {
            country,
            partner,
            day: _,
            purpose: asked,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let pair = Pair::parse(country, partner, &mut violations);
        let day = violations.check_nested("day", day);
        let asked = (*asked != 0).then(|| purpose(*asked)).transpose();
        let asked = violations.check("purpose", asked);
        let as_of = violations.check("as_of", as_of.as_ref().map(parse_timestamp).transpose());
        let (Some(pair), Some(day), Some(purpose), Some(as_of)) = (pair, day, asked, as_of) else {
            return Err(violations);
        };
        violations.into_result(Find {
            pair,
            day,
            purpose,
            as_of,
        })
    }

    /// Whether a rule is for the purpose that is asked about; one that names none is for all.
    fn is_for(&self, rule: &VisaRule) -> bool {
        let names = |purpose: VisaPurpose| rule.purposes.contains(&purpose.into());
        rule.purposes.is_empty() || self.purpose.is_none_or(names)
    }
}

/// The rules on a day, both ways.
pub(crate) fn find(state: &State<'_>, asked: &Find) -> Result<FindVisaRulesResponse, Error> {
    let rules = asked.pair.rules(state, asked.as_of)?;
    let of_direction = |direction: Direction| {
        let rules = rules.iter().filter(|rule| direction.has(rule));
        let rules: Vec<&VisaRule> = rules.filter(|rule| asked.is_for(rule)).collect();
        direction.on(&rules, asked.day)
    };
    records::bounded(FindVisaRulesResponse {
        directions: asked.pair.directions().map(of_direction).into(),
        day: Some(asked.day.into()),
    })
}

/// A question about what changed between two days.
#[derive(Debug)]
pub(crate) struct Compare {
    pair: Pair,
    start: Day,
    end: Day,
    as_of: Option<Micros>,
}

impl Compare {
    /// Parses a request; `end` is the last day that it asks about.
    pub(crate) fn parse(
        request: &ListVisaChangesRequest,
        end: Result<Day, Violations>,
    ) -> Result<Compare, Violations> {
        let ListVisaChangesRequest {
            country,
            partner,
            start_day,
            end_day: _,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let pair = Pair::parse(country, partner, &mut violations);
        let start = start_day.ok_or_else(|| Violations::one("", "is required"));
        let start = violations.check_nested("start_day", start.and_then(Day::try_from));
        let end = violations.check_nested("end_day", end);
        if start.zip(end).is_some_and(|(start, end)| end <= start) {
            violations.push("end_day", "must be after `start_day`");
        }
        let as_of = violations.check("as_of", as_of.as_ref().map(parse_timestamp).transpose());
        let (Some(pair), Some(start), Some(end), Some(as_of)) = (pair, start, end, as_of) else {
            return Err(violations);
        };
        violations.into_result(Compare {
            pair,
            start,
            end,
            as_of,
        })
    }

    /// Whether something happened, or may have, after the first day and by the last.
    fn may_hold(&self, happened: Between) -> bool {
        self.start < happened.latest && happened.earliest <= self.end
    }

    /// What a rule came to between the two days. One of which nothing but a day is known by which it had come into
    /// force may have done so in any time before: it would stand among the changes of all of them.
    fn changes_of(&self, rule: &VisaRule) -> Vec<VisaChange> {
        let term = Term::of(rule);
        let change = |happened: Option<Between>, ended, date, after| {
            let change = VisaChange {
                date,
                after,
                ended,
                visa_rule: Some(rule.clone()),
            };
            happened
                .is_some_and(|happened| self.may_hold(happened))
                .then_some(change)
        };
        let began = change(term.beginning(), false, rule.start_date, rule.start_after);
        let ended = change(term.ending(), true, rule.end_date, rule.end_after);
        began.into_iter().chain(ended).collect()
    }

    fn changes(&self, direction: &Direction, rules: &[VisaRule]) -> Result<VisaChanges, Error> {
        let rules: Vec<&VisaRule> = rules.iter().filter(|rule| direction.has(rule)).collect();
        let changes = rules.iter().flat_map(|rule| self.changes_of(rule));
        let mut changes: Vec<VisaChange> = changes.collect();
        if changes.len() > MAX_CHANGES {
            let description = format!("more than {MAX_CHANGES} changes; ask for closer days");
            return Err(Error::TooLarge(description));
        }
        // What ends on a day makes room for what begins on it.
        changes.sort_by_key(|change| (ordinal(change.date), !change.ended));
        let first = direction.on(&rules, self.start);
        let last = direction.on(&rules, self.end);
        Ok(VisaChanges {
            citizens_of: direction.citizens_of.clone(),
            destination: direction.destination.clone(),
            differs: asks(&first) != asks(&last),
            first: Some(first),
            last: Some(last),
            changes,
        })
    }
}

fn ordinal(date: Option<WireDate>) -> u32 {
    stored_date(date).map_or(0, proto::CivilDate::ordinal)
}

/// What the rules that are surely in force ask for: what is needed, for how many days, for which purposes.
fn asks(on_day: &VisaRulesOnDay) -> BTreeSet<(i32, i32, BTreeSet<i32>)> {
    let rules = on_day.in_force.iter();
    let asks = rules.map(|rule| {
        let purposes = rule.purposes.iter().copied().collect();
        (rule.requirement, rule.days_allowed, purposes)
    });
    asks.collect()
}

/// What changed between two days, both ways.
pub(crate) fn compare(
    state: &State<'_>,
    asked: &Compare,
) -> Result<ListVisaChangesResponse, Error> {
    let rules = asked.pair.rules(state, asked.as_of)?;
    let directions = asked.pair.directions();
    let changes = directions
        .iter()
        .map(|direction| asked.changes(direction, &rules));
    records::bounded(ListVisaChangesResponse {
        directions: changes.collect::<Result<_, Error>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visa_rule::tests::{date, rule};
    use wire::VisaRequirement;

    fn compare(start: &str, end: &str) -> Compare {
        let request = ListVisaChangesRequest {
            country: "KAZ".into(),
            partner: "CHN".into(),
            start_day: date(start),
            end_day: date(end),
            as_of: None,
        };
        let end = Day::try_from(date(end).expect("a date"));
        Compare::parse(&request, end).expect("it is right")
    }

    /// Changes of citizens of China, and whether the two days differ.
    fn told(rules: &[VisaRule], start: &str, end: &str) -> (Vec<String>, bool) {
        let asked = compare(start, end);
        let [kazakh, chinese] = asked.pair.directions();
        assert_eq!(
            (&kazakh.citizens_of[..], &kazakh.destination[..]),
            ("KAZ", "CHN")
        );
        let changes = asked.changes(&chinese, rules).expect("they are few");
        let line = |change: &VisaChange| {
            let what = if change.ended { "ended" } else { "began" };
            let rule = change.visa_rule.as_ref().expect("a rule");
            let date = stored_date(change.date).expect("a date");
            format!("{date} {what} {:?}", rule.requirement())
        };
        (changes.changes.iter().map(line).collect(), changes.differs)
    }

    #[test]
    fn what_began_and_ended_between_two_days_is_told_by_date() {
        let rules = [
            rule(VisaRequirement::VisaRequired, "- - - 2023-11-10"),
            rule(VisaRequirement::VisaFree, "- 2023-11-10 - -"),
        ];
        let (changes, differs) = told(&rules, "2023-11-09", "2023-11-10");
        let expected = ["2023-11-10 ended VisaRequired", "2023-11-10 began VisaFree"];
        assert_eq!(
            (&changes[..], differs),
            (&expected.map(String::from)[..], true)
        );
        let (changes, differs) = told(&rules, "2023-11-10", "2024-01-01");
        assert!(changes.is_empty() && !differs);
    }

    #[test]
    fn what_may_have_happened_between_two_days_is_told_as_well() {
        let rules = [rule(
            VisaRequirement::EVisa,
            "2022-05-02 2022-06-06 2022-07 -",
        )];
        let began = vec!["2022-06-06 began EVisa".to_owned()];
        assert_eq!(told(&rules, "2022-01-01", "2022-05-03").0, began);
        assert_eq!(told(&rules, "2022-06-05", "2022-06-06").0, began);
        assert!(told(&rules, "2022-01-01", "2022-05-02").0.is_empty());
        assert!(told(&rules, "2022-06-06", "2022-12-31").0.is_empty());
    }

    #[test]
    fn a_rule_did_not_come_into_force_on_the_day_on_which_it_was_first_seen() {
        let rules = [rule(
            VisaRequirement::VisaRequired,
            "- <2019-11-23 2020-05-09 2020-11-19",
        )];
        assert_eq!(told(&rules, "2019-01-01", "2019-12-31"), (vec![], true));
        assert_eq!(told(&rules, "2018-01-01", "2019-01-01"), (vec![], false));
        let ended = vec!["2020-11-19 ended VisaRequired".to_owned()];
        assert_eq!(told(&rules, "2019-01-01", "2020-12-31").0, ended);
        let asked = compare("2019-11-22", "2019-11-23");
        let [_, chinese] = asked.pair.directions();
        let changes = asked.changes(&chinese, &rules).expect("they are few");
        let (first, last) = (changes.first.expect("a day"), changes.last.expect("a day"));
        assert_eq!((first.in_force.len(), first.uncertain.len()), (0, 1));
        assert_eq!((last.in_force.len(), last.uncertain.len()), (1, 0));
    }

    #[test]
    fn another_rule_that_asks_for_the_same_is_no_difference() {
        let with_purposes = |dates: &str, purposes: &[VisaPurpose]| VisaRule {
            purposes: purposes.iter().map(|one| i32::from(*one)).collect(),
            ..rule(VisaRequirement::VisaFree, dates)
        };
        let (tourism, business) = (VisaPurpose::Tourism, VisaPurpose::Business);
        let rules = [
            with_purposes("- - - 2023-01-01", &[tourism, business]),
            with_purposes("- 2023-01-01 - 2024-01-01", &[business, tourism]),
            with_purposes("- 2024-01-01 - -", &[tourism]),
        ];
        let (changes, differs) = told(&rules, "2022-01-01", "2023-06-01");
        assert_eq!((changes.len(), differs), (2, false));
        assert!(told(&rules, "2022-01-01", "2024-01-01").1);
    }

    #[test]
    fn a_rule_that_names_no_purpose_is_for_all() {
        let request = FindVisaRulesRequest {
            country: "CHN".into(),
            partner: "KAZ".into(),
            purpose: VisaPurpose::Transport.into(),
            ..FindVisaRulesRequest::default()
        };
        let day = || Day::try_from(date("2024-01-01").expect("a date"));
        let asked = Find::parse(&request, day()).expect("it is right");
        let for_all = rule(VisaRequirement::VisaFree, "- - - -");
        let for_tourists = VisaRule {
            purposes: vec![VisaPurpose::Tourism.into()],
            ..for_all.clone()
        };
        assert!(asked.is_for(&for_all) && !asked.is_for(&for_tourists));
        let unknown = FindVisaRulesRequest {
            purpose: 99,
            partner: "CHN".into(),
            ..request
        };
        let error = Find::parse(&unknown, day()).expect_err("it is wrong");
        let fields: Vec<&str> = error.iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["partner", "purpose"]);
    }

    #[test]
    fn the_last_day_comes_after_the_first() {
        let request = ListVisaChangesRequest {
            country: "CHN".into(),
            partner: "KAZ".into(),
            start_day: date("2024-01-01"),
            ..ListVisaChangesRequest::default()
        };
        let end = Day::try_from(date("2024-01-01").expect("a date"));
        let error = Compare::parse(&request, end).expect_err("it is wrong");
        assert_eq!(error.to_string(), "end_day: must be after `start_day`");
    }
}
