//! Visa rules: what citizens of one country need to enter another.

use std::collections::BTreeSet;

use proto::culture::v1 as wire;
use proto::r#type::v1::CivilDate as WireDate;
use proto::visa_rule_name;
use proto::{CivilDate, Country, DateWindow, Violations, check_each, check_sources, check_text};
use proto::{given, one_country, one_of, parse_agreement_name, parse_visa_rule_name, stored_date};
use records::{Page, Paging, Place, Record, Span, Topic, countries_only_in};
use store::State;
use wire::culture_change::Change;
use wire::{BatchCreateVisaRulesRequest, BatchCreateVisaRulesResponse, CreateVisaRuleRequest};
use wire::{CultureChange, DeleteVisaRuleRequest, ListVisaRuleVersionsRequest};
use wire::{ListVisaRulesRequest, UpdateVisaRuleRequest, VisaPurpose, VisaRequirement, VisaRule};

use crate::Model;
use crate::force::Term;

const MAX_DAYS: i32 = 3_660;
const MAX_NOTE: usize = 1_000;

/// All rules by date.
const BY_DATE: u8 = 1;
/// By topic, by date.
pub(crate) const BY_TOPIC: u8 = 2;
/// By pair, by the dates on which it came into force and ended.
pub(crate) const BY_CHANGE: u8 = 3;

records::fields!(
    Model,
    VisaRule,
    "visa_rule",
    [
        citizens_of,
        destination,
        requirement,
        days_allowed,
        purposes,
        start_date,
        start_after,
        start_by,
        end_date,
        end_after,
        legal_basis,
        sources,
        note,
    ],
    visa_rule_name,
    parse_visa_rule_name
);
records::create_request!(Model, CreateVisaRuleRequest, visa_rule_id, visa_rule: VisaRule);
records::batch_request!(
    Model,
    BatchCreateVisaRulesRequest of CreateVisaRuleRequest,
    BatchCreateVisaRulesResponse { visa_rules }
);
records::update_request!(Model, UpdateVisaRuleRequest, visa_rule: VisaRule);
records::delete_request!(Model, DeleteVisaRuleRequest of VisaRule);
records::list_request!(Model, ListVisaRulesRequest);
records::list_request!(Model, now: ListVisaRuleVersionsRequest);

impl Record<Model> for VisaRule {
    const KIND: u8 = 3;

    fn check(self) -> Result<VisaRule, Violations> {
        check(self)
    }

    fn recorded(self, before: Option<&VisaRule>) -> CultureChange {
        let former = before.map(|before| countries_only_in(countries(before), countries(&self)));
        let recorded = wire::VisaRuleRecorded {
            former_countries: former.unwrap_or_default(),
            visa_rule: Some(self),
        };
        CultureChange {
            change: Some(Change::VisaRuleRecorded(recorded)),
        }
    }

    fn deleted(self) -> CultureChange {
        let deleted = wire::VisaRuleDeleted {
            countries: countries(&self).map(ToString::to_string).collect(),
            name: self.name,
        };
        CultureChange {
            change: Some(Change::VisaRuleDeleted(deleted)),
        }
    }

    fn places(&self) -> Vec<Place> {
        // One that always was, as far as is known, stands before all others.
        let first = self.start_date.or(self.start_by);
        let at = stored_date(first).map_or(0, CivilDate::ordinal);
        let place = |index: u8, group: Vec<u8>| Place { index, group, at };
        let topics = self.topics();
        let topics = topics.iter().map(|topic| topic.bytes().to_vec());
        let mut places = vec![place(BY_DATE, Vec::new())];
        places.extend(topics.map(|group| place(BY_TOPIC, group)));
        places.extend(changes_by_pair(self));
        places
    }

    fn topics(&self) -> Vec<Topic> {
        let countries: Vec<Country> = countries(self)
            .filter_map(|code| code.parse().ok())
            .collect();
        Topic::all(&countries)
    }
}

/// Where a list of what happened between two countries finds a rule. Beginning and end may have one date, when only the
/// year is known.
fn changes_by_pair(rule: &VisaRule) -> Vec<Place> {
    let topics = rule.topics();
    let dates: BTreeSet<u32> = [rule.start_date, rule.end_date]
        .into_iter()
        .filter_map(|date| stored_date(date).map(CivilDate::ordinal))
        .collect();
    let pair = topics.iter().find(|topic| topic.is_pair());
    let places = pair.into_iter().flat_map(|pair| {
        dates.iter().map(|at| Place {
            index: BY_CHANGE,
            group: pair.bytes().to_vec(),
            at: *at,
        })
    });
    places.collect()
}

/// The two countries that it is about.
pub(crate) fn countries(rule: &VisaRule) -> impl Iterator<Item = &str> {
    [&rule.citizens_of[..], &rule.destination].into_iter()
}

fn check(rule: VisaRule) -> Result<VisaRule, Violations> {
    let VisaRule {
        name: _,
        citizens_of,
        destination,
        requirement,
        days_allowed,
        purposes,
        start_date,
        start_after,
        end_date,
        end_after,
        legal_basis,
        sources,
        note,
        etag: _,
        create_time: _,
        update_time: _,
        start_by,
    } = rule;
    let mut violations = Violations::new();
    let known = &mut violations;
    known.check("citizens_of", one_country(&citizens_of));
    known.check("destination", one_country(&destination));
    if !citizens_of.is_empty() && citizens_of == destination {
        known.push("destination", "is the country of the citizens");
    }
    let needed = one_of::<VisaRequirement>(requirement, "requirement of a visa rule");
    known.check("requirement", needed);
    if !(0..=MAX_DAYS).contains(&days_allowed) {
        let description = format!("{days_allowed}: 1 to {MAX_DAYS}, or 0 when it is not known");
        known.push("days_allowed", description);
    }
    let purposes = check_each("purposes", &purposes, purpose, known);
    let dates = [start_date, start_after, start_by, end_date, end_after];
    let term = check_term(dates, known);
    known.check("legal_basis", given(&legal_basis, parse_agreement_name));
    let sources = check_sources(sources, known);
    let note = known.check("note", given(&note, |text| check_text(text, MAX_NOTE)));
    let rule = VisaRule {
        citizens_of,
        destination,
        requirement,
        days_allowed,
        purposes,
        start_date: term.start.map(Into::into),
        start_after: term.start_after.map(Into::into),
        start_by: term.start_by.map(Into::into),
        end_date: term.end.map(Into::into),
        end_after: term.end_after.map(Into::into),
        legal_basis,
        sources,
        note: note.flatten().unwrap_or_default(),
        ..VisaRule::default()
    };
    records::check_size(&rule, &mut violations);
    violations.into_result(rule)
}

/// A purpose that is given.
pub(crate) fn purpose(purpose: i32) -> Result<VisaPurpose, String> {
    one_of(purpose, "purpose of a stay")
}

fn check_term(dates: [Option<WireDate>; 5], violations: &mut Violations) -> Term {
    let mut date = |field: &str, date: Option<WireDate>| {
        let date = date.map(CivilDate::try_from).transpose();
        violations.check_nested(field, date).flatten()
    };
    let [start, start_after, start_by, end, end_after] = dates;
    let needs_start = start_after.is_some() && start.is_none() && start_by.is_none();
    let has_another_start = start.is_some() || start_after.is_some();
    let term = Term {
        start: date("start_date", start),
        start_after: date("start_after", start_after),
        start_by: date("start_by", start_by),
        end: date("end_date", end),
        end_after: date("end_after", end_after),
    };
    if needs_start {
        violations.push("start_date", "is required with `start_after`");
    }
    if start_by.is_some() && has_another_start {
        let description = "is given only without `start_date` and `start_after`";
        violations.push("start_by", description);
        return term;
    }
    check_order(term, violations);
    term
}

/// There must be a way to read the dates, however vague they are, by which each bound lies where it says.
fn check_order(term: Term, violations: &mut Violations) {
    let Term {
        start,
        start_after,
        start_by,
        end,
        end_after,
    } = term;
    let (first, start_field) = match start_by {
        None => (start, "start_date"),
        Some(seen) => (Some(seen), "start_by"),
    };
    let can_be_later = |one: Option<CivilDate>, other: Option<CivilDate>| {
        let both = one.zip(other);
        both.is_none_or(|(one, other)| other.first() < one.last())
    };
    if !can_be_later(start, start_after) {
        violations.push("start_after", "must be before `start_date`");
    }
    if !can_be_later(end, first) {
        violations.push("end_date", format!("must be after `{start_field}`"));
    }
    if !can_be_later(end, end_after) {
        violations.push("end_after", "must be before `end_date`");
    }
    let seen = end_after.zip(first);
    if seen.is_some_and(|(seen, first)| seen.last() < first.first()) {
        violations.push("end_after", format!("is before `{start_field}`"));
    }
}

/// A page of visa rules.
#[derive(Debug)]
pub(crate) struct Query {
    paging: Paging,
    topic: Option<Topic>,
    window: DateWindow,
}

impl TryFrom<ListVisaRulesRequest> for Query {
    type Error = Violations;

    fn try_from(mut request: ListVisaRulesRequest) -> Result<Query, Violations> {
        let mut violations = Violations::new();
        let paging = Paging::take::<Model, _>(&mut request, (50, 500), &mut violations);
        let ListVisaRulesRequest {
            country,
            partner,
            window,
            page_size: _,
            page_token: _,
            as_of: _,
        } = request;
        let topic = Topic::parse(&country, &partner, &mut violations);
        let window = window.map(DateWindow::try_from).transpose();
        let window = violations.check_nested("window", window);
        let (Some(paging), Some(topic), Some(window)) = (paging, topic, window) else {
            return Err(violations);
        };
        violations.into_result(Query {
            paging,
            topic,
            window: window.unwrap_or_default(),
        })
    }
}

/// A page of visa rules, by date. A rule may have come into force before the day on which it was first seen, so a
/// window bounds no dates.
pub(crate) fn list(state: &State<'_>, query: &Query) -> Result<Page<VisaRule>, records::Error> {
    let Query {
        paging,
        topic,
        window,
    } = query;
    let span = match topic {
        Some(topic) => Span::of(BY_TOPIC, topic.bytes()),
        None => Span::of(BY_DATE, []),
    };
    let keep = |rule: &VisaRule| {
        let (first, last) = Term::of(rule).days();
        window.overlaps(first, last) && topic.is_none_or(|topic| topic.is_among(countries(rule)))
    };
    records::page_along::<Model, _>(state, paging, &span, keep)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proto::r#type::v1 as parts;

    pub(crate) fn date(text: &str) -> Option<WireDate> {
        (!text.is_empty()).then(|| text.parse::<CivilDate>().expect("a date").into())
    }

    /// A rule for citizens of China in Kazakhstan; dates as `start_after start end_after end`, `-` for none, and a
    /// start with `<` before it for a `start_by`.
    pub(crate) fn rule(requirement: VisaRequirement, dates: &str) -> VisaRule {
        let dates: Vec<&str> = dates
            .split(' ')
            .map(|text| text.trim_matches('-'))
            .collect();
        let [start_after, start, end_after, end_date] = dates[..] else {
            panic!("four dates");
        };
        let (start_date, start_by) = match start.strip_prefix('<') {
            None => (start, ""),
            Some(seen) => ("", seen),
        };
        VisaRule {
            citizens_of: "CHN".into(),
            destination: "KAZ".into(),
            requirement: requirement.into(),
            start_date: date(start_date),
            start_after: date(start_after),
            start_by: date(start_by),
            end_date: date(end_date),
            end_after: date(end_after),
            sources: vec![parts::Source {
                title: "Passport Index Dataset".into(),
                publisher: "Ilya Ilyankou".into(),
                ..parts::Source::default()
            }],
            ..VisaRule::default()
        }
    }

    fn faults(rule: VisaRule) -> Vec<String> {
        let violations = rule.check().err().unwrap_or_default();
        violations.iter().map(|(field, _)| field.into()).collect()
    }

    #[test]
    fn bounds_must_be_able_to_lie_where_they_say() {
        let faults = |dates: &str| faults(rule(VisaRequirement::VisaFree, dates));
        let none: [&str; 0] = [];
        for right in [
            "- - - -",
            "- 2023-11-10 - -",
            "- 2023 - 2023",
            "2023-11 2023-11 - -",
            "2022-08-03 2022-09-01 2023-01-01 2023-01-02",
            "- 2023-11-10 2023-11-10 -",
            "- - 2020-05-09 2020-11-19",
            "- <2019-11-23 - -",
            "- <2019-11-23 2019-11-23 2019-11-24",
            "- <2019-11 2019-11-23 2019-11-24",
            "- <2019 - 2019",
        ] {
            assert_eq!(faults(right), none, "{right}");
        }
        assert_eq!(faults("2023-11-09 - - -"), ["start_date"]);
        assert_eq!(faults("2023-11-10 2023-11-10 - -"), ["start_after"]);
        assert_eq!(faults("2023-12 2023-11-10 - -"), ["start_after"]);
        assert_eq!(faults("- 2023-11-10 - 2023-11-10"), ["end_date"]);
        assert_eq!(faults("- 2023-11-10 - 2022"), ["end_date"]);
        assert_eq!(faults("- - 2023-11-10 2023-11-10"), ["end_after"]);
        assert_eq!(faults("- 2023-11-10 2023-11-09 2024"), ["end_after"]);
        assert_eq!(faults("- <2019-11-23 - 2019-11-23"), ["end_date"]);
        assert_eq!(faults("- <2019-11-23 - 2019-10"), ["end_date"]);
        assert_eq!(faults("- <2019-11-23 2019-11-22 -"), ["end_after"]);
        assert_eq!(faults("2019-11-22 <2019-11-23 - -"), ["start_by"]);
    }

    #[test]
    fn a_rule_that_was_first_seen_on_a_day_has_no_other_start() {
        let seen = rule(VisaRequirement::VisaFree, "- <2019-11-23 - -");
        let twice = VisaRule {
            start_date: date("2019-11-23"),
            ..seen.clone()
        };
        assert_eq!(faults(twice), ["start_by"]);
        let vague = VisaRule {
            start_by: Some(WireDate::default()),
            ..seen.clone()
        };
        assert_eq!(faults(vague), ["start_by.year"]);
        assert_eq!(seen.clone().check().expect("it is right"), seen);
    }

    #[test]
    fn a_rule_stands_at_the_day_on_which_it_was_first_seen() {
        let at = |dates: &str| rule(VisaRequirement::VisaFree, dates).places()[0].at;
        assert_eq!(at("- - - 2020"), 0);
        assert_eq!(at("- <2019-11-23 - -"), at("- 2019-11-23 - -"));
    }

    #[test]
    fn each_fault_is_named_by_its_field() {
        let wrong = VisaRule {
            citizens_of: "WLD".into(),
            destination: String::new(),
            requirement: 0,
            days_allowed: 3_661,
            purposes: vec![1, 1, 0],
            start_date: Some(WireDate::default()),
            legal_basis: "treaties/a".into(),
            sources: Vec::new(),
            note: "n".repeat(1_001),
            ..VisaRule::default()
        };
        let fields = [
            "citizens_of",
            "destination",
            "requirement",
            "days_allowed",
            "purposes[1]",
            "purposes[2]",
            "start_date.year",
            "legal_basis",
            "sources",
            "note",
        ];
        assert_eq!(faults(wrong), fields);
        let home = VisaRule {
            destination: "CHN".into(),
            ..rule(VisaRequirement::VisaFree, "- - - -")
        };
        assert_eq!(faults(home), ["destination"]);
    }
}
