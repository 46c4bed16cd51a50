//! What is asked of a briefing.

use std::collections::BTreeSet;

use proto::gateway::v1 as wire;
use proto::{Country, Day, Frequency, Month, Period, Violations, parse_decimal, parse_timestamp};
use wire::{BriefingSection as Section, GetBriefingRequest};

use crate::asked::{pair, parse_audience};

/// All sections; that of changes only where it is asked since when.
const ALL: [Section; 7] = [
    Section::Trade,
    Section::Meetings,
    Section::Events,
    Section::Agreements,
    Section::Exchange,
    Section::Visa,
    Section::Changes,
];
const DEFAULT_YEARS: u16 = 3;
const MAX_YEARS: u16 = 20;

/// A briefing that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Query {
    /// The two, in the order of their codes.
    pub(crate) pair: [Country; 2],
    pub(crate) day: Day,
    pub(crate) period: Period,
    /// The instant as of which it is asked; now, where there is none.
    pub(crate) as_of: Option<i64>,
    /// Since when changes are told.
    pub(crate) since: Option<i64>,
    pub(crate) sections: BTreeSet<Section>,
    pub(crate) required: BTreeSet<Section>,
    pub(crate) is_public: bool,
    pub(crate) years: u16,
    /// As given; empty for the service's default.
    pub(crate) cif_fob_ratio: String,
}

impl Query {
    pub(crate) fn wants(&self, section: Section) -> bool {
        self.sections.contains(&section)
    }

    pub(crate) fn wants_any(&self, sections: &[Section]) -> bool {
        sections.iter().any(|section| self.wants(*section))
    }

    /// The codes of the two.
    pub(crate) fn codes(&self) -> [String; 2] {
        self.pair.map(|country| country.to_string())
    }

    /// The first month that has not ended by the day.
    pub(crate) fn end_of_figures(&self) -> Month {
        first_open_month(self.day)
    }

    /// The year that the period lies in, or ends in.
    pub(crate) fn year(&self) -> u16 {
        self.period.start().year()
    }

    /// The first year that is shown.
    pub(crate) fn first_year(&self) -> u16 {
        self.year().saturating_sub(self.years).max(1)
    }
}

fn first_open_month(day: Day) -> Month {
    let next = day.plus(1).date();
    Month::new(next.year(), next.month().unwrap_or(1)).expect("a day lies in a month")
}

impl TryFrom<GetBriefingRequest> for Query {
    type Error = Violations;

    fn try_from(request: GetBriefingRequest) -> Result<Query, Violations> {
        let GetBriefingRequest {
            country,
            partner,
            period,
            day,
            as_of,
            since,
            sections,
            required_sections,
            audience,
            years,
            cif_fob_ratio,
        } = request;
        let mut violations = Violations::new();
        let pair = pair(&country, &partner, &mut violations);
        let as_of = violations.check("as_of", as_of.as_ref().map(parse_timestamp).transpose());
        let since = violations.check("since", since.as_ref().map(parse_timestamp).transpose());
        if let (Some(Some(as_of)), Some(Some(since))) = (as_of, since)
            && since > as_of
        {
            violations.push("since", "is after `as_of`");
        }
        let day = violations.check_nested("day", day.map(Day::try_from).transpose());
        let day = day.and_then(|day| {
            let day = day.or_else(|| day_of(as_of.flatten()));
            violations.check(
                "day",
                day.ok_or("is required: `as_of` lies outside of the calendar"),
            )
        });
        let period = day.and_then(|day| {
            let period = parse_period(&period, day);
            violations.check("period", period)
        });
        let required = parse_sections("required_sections", &required_sections, &mut violations);
        let sections = parse_sections("sections", &sections, &mut violations);
        let sections = wanted(sections, since.flatten().is_some(), &mut violations);
        if let Some(missing) = required.iter().find(|section| !sections.contains(section)) {
            let name = missing.as_str_name();
            violations.push("required_sections", format!("{name} is not asked for"));
        }
        let is_public = violations.check("audience", parse_audience(audience));
        let years = violations.check("years", parse_years(years));
        violations.check("cif_fob_ratio", check_ratio(&cif_fob_ratio));
        match (pair, day, period, as_of, since, is_public, years) {
            (
                Some(pair),
                Some(day),
                Some(period),
                Some(as_of),
                Some(since),
                Some(public),
                Some(years),
            ) => violations.into_result(Query {
                pair,
                day,
                period,
                as_of,
                since,
                sections,
                required,
                is_public: public,
                years,
                cif_fob_ratio,
            }),
            _ => Err(violations),
        }
    }
}

/// The day of an instant, in UTC; today, where there is none or it is still to come.
fn day_of(as_of: Option<i64>) -> Option<Day> {
    let now = jiff::Timestamp::now().as_microsecond();
    Day::of_instant(as_of.map_or(now, |as_of| as_of.min(now)))
}

fn parse_period(text: &str, day: Day) -> Result<Period, String> {
    let open = first_open_month(day);
    if text.is_empty() {
        return Period::year(open.year() - 1)
            .ok_or_else(|| "is required: no year had ended".to_owned());
    }
    let period: Period = text
        .parse()
        .map_err(|error: proto::PeriodError| error.to_string())?;
    let crosses = period.start().year() != period.end().plus(-1).map_or(0, Month::year);
    if period.frequency() == Frequency::Month || crosses {
        return Err(format!(
            "{period} is neither a year nor several months of one"
        ));
    }
    if period.end() > open {
        return Err(format!("{period} had not ended by {day}"));
    }
    Ok(period)
}

fn parse_sections(field: &str, given: &[i32], violations: &mut Violations) -> BTreeSet<Section> {
    let mut sections = BTreeSet::new();
    for (at, number) in given.iter().enumerate() {
        match Section::try_from(*number) {
            Ok(Section::Unspecified) | Err(_) => {
                violations.push(format!("{field}[{at}]"), "is no section");
            }
            Ok(section) => drop(sections.insert(section)),
        }
    }
    sections
}

/// All that can be told, when nothing is named.
fn wanted(
    named: BTreeSet<Section>,
    has_since: bool,
    violations: &mut Violations,
) -> BTreeSet<Section> {
    if named.is_empty() {
        let told = |section: &Section| has_since || *section != Section::Changes;
        return ALL.into_iter().filter(told).collect();
    }
    if named.contains(&Section::Changes) && !has_since {
        violations.push("since", "is required for the section of changes");
    }
    named
}

fn parse_years(given: i32) -> Result<u16, String> {
    match u16::try_from(given) {
        Ok(0) => Ok(DEFAULT_YEARS),
        Ok(years) if years <= MAX_YEARS => Ok(years),
        _ => Err(format!("{given} is not within 0 and {MAX_YEARS}")),
    }
}

fn check_ratio(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let ratio = parse_decimal(text).map_err(|error| error.to_string())?;
    let within = ratio >= proto::Decimal::ZERO && ratio <= proto::Decimal::ONE;
    within
        .then_some(())
        .ok_or_else(|| "is not within 0 and 1".to_owned())
}
