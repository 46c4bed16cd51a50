//! Visa rules: how one is shown, and a list of them.

use std::io::Write;

use prost_types::Timestamp;
use proto::culture::v1 as wire;
use wire::{VisaPurpose, VisaRequirement, VisaRule};

use super::PAGE;
use crate::args::answer::AnswerArgs;
use crate::args::visa::ListVisaArgs;
use crate::client::{self, request};
use crate::record::{More, Shown, VisaRules, write_list};
use crate::sources::Footnotes;
use crate::{dates, names, output, words};

/// Lists visa rules.
pub(super) async fn list(args: &ListVisaArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::culture(&server.server).await?;
    let (country, partner) = args.countries.to_wire();
    let limit = args.limit.limit as usize;
    let all = output::pages(limit, async |page_token, left: i32| {
        let asked = wire::ListVisaRulesRequest {
            country: country.clone(),
            partner: partner.clone(),
            window: args.dates.to_wire(),
            page_size: left.min(PAGE),
            page_token,
            as_of: args.as_of.to_wire(),
        };
        let page = client.list_visa_rules(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.visa_rules, page.next_page_token))
    });
    let all = all.await?;
    let answer = wire::ListVisaRulesResponse {
        visa_rules: all.entries,
        next_page_token: all.next,
    };
    write_list::<VisaRules>(
        &answer.visa_rules,
        &args.language.language,
        More::of(&answer.next_page_token),
        *output,
        ("entente.culture.v1.ListVisaRulesResponse", &answer),
        out,
    )
}

impl Shown for VisaRules {
    const TITLES: &'static [&'static str] = &[
        "visa rule",
        "citizens of",
        "enter",
        "requirement",
        "purposes",
        "begins",
        "ends",
        "source",
    ];
    const CSV: &'static [&'static str] = &[
        "visa_rule",
        "citizens_of",
        "destination",
        "requirement",
        "days_allowed",
        "purposes",
        "start_after",
        "start_date",
        "start_by",
        "end_after",
        "end_date",
        "legal_basis",
        "note",
        "source_title",
        "source_publisher",
        "source_uri",
        "recorded",
    ];

    fn row(rule: &VisaRule, _: &str, notes: &mut Footnotes) -> Vec<String> {
        vec![
            words::id(&rule.name).to_owned(),
            rule.citizens_of.clone(),
            rule.destination.clone(),
            requirement(rule),
            names::all_shown::<VisaPurpose>(&rule.purposes),
            begins(rule),
            ends(rule),
            notes.all_marks(&rule.sources),
        ]
    }

    fn cells(rule: &VisaRule, _: &str) -> Vec<String> {
        let source = rule.sources.first().cloned().unwrap_or_default();
        let days = match rule.days_allowed {
            0 => String::new(),
            days => days.to_string(),
        };
        vec![
            rule.name.clone(),
            rule.citizens_of.clone(),
            rule.destination.clone(),
            names::shown::<VisaRequirement>(rule.requirement),
            days,
            names::all_shown::<VisaPurpose>(&rule.purposes),
            dates::date(rule.start_after.as_ref()),
            dates::date(rule.start_date.as_ref()),
            dates::date(rule.start_by.as_ref()),
            dates::date(rule.end_after.as_ref()),
            dates::date(rule.end_date.as_ref()),
            rule.legal_basis.clone(),
            output::safe(&rule.note),
            output::safe(&source.title),
            output::safe(&source.publisher),
            output::safe(&source.uri),
            words::instant(rule.create_time.as_ref()),
        ]
    }

    fn lines(rule: &VisaRule, _: &str) -> Vec<(String, String)> {
        let rows = [
            ("citizens of", words::country_with_code(&rule.citizens_of)),
            ("enter", words::country_with_code(&rule.destination)),
            ("requirement", requirement(rule)),
            ("purposes", names::all_shown::<VisaPurpose>(&rule.purposes)),
            ("begins", begins(rule)),
            ("ends", ends(rule)),
            ("rests on", rule.legal_basis.clone()),
            ("remark", rule.note.clone()),
        ];
        rows.map(|(title, text)| (title.to_owned(), text)).to_vec()
    }

    fn times(rule: &VisaRule) -> (Option<&Timestamp>, Option<&Timestamp>) {
        (rule.create_time.as_ref(), rule.update_time.as_ref())
    }

    fn title(rule: &VisaRule, _: &str) -> String {
        let VisaRule {
            citizens_of,
            destination,
            ..
        } = rule;
        format!("{citizens_of} to {destination}: {}", requirement(rule))
    }

    fn etag(rule: &VisaRule) -> &str {
        &rule.etag
    }
}

/// What is needed, and for how long a stay: `visa free, 30 days`.
pub(crate) fn requirement(rule: &VisaRule) -> String {
    let requirement = names::shown::<VisaRequirement>(rule.requirement);
    match rule.days_allowed {
        0 => requirement,
        days => format!("{requirement}, {days} days"),
    }
}

/// When it came into force, as exactly as it is known.
pub(crate) fn begins(rule: &VisaRule) -> String {
    let VisaRule {
        start_after,
        start_date,
        start_by,
        ..
    } = rule;
    match (start_after, start_date, start_by) {
        (_, None, None) => "not known".to_owned(),
        (_, None, seen) => format!("by {}", dates::date(seen.as_ref())),
        (None, start, _) => dates::date(start.as_ref()),
        (after, start, _) => bounded(&dates::date(after.as_ref()), &dates::date(start.as_ref())),
    }
}

/// When it ended, as exactly as it is known.
pub(crate) fn ends(rule: &VisaRule) -> String {
    match (rule.end_after.as_ref(), rule.end_date.as_ref()) {
        (None, end) => dates::date(end),
        (after, None) => format!("last seen {}", dates::date(after)),
        (after, end) => bounded(&dates::date(after), &dates::date(end)),
    }
}

/// Some day behind one date and not behind the other.
pub(super) fn bounded(after: &str, by: &str) -> String {
    format!("after {after}, by {by}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Option<proto::r#type::v1::CivilDate> {
        text.parse::<proto::CivilDate>().ok().map(Into::into)
    }

    #[test]
    fn a_rule_begins_and_ends_as_exactly_as_it_is_known() {
        let mut rule = VisaRule {
            start_after: date("2023-11-06"),
            start_date: date("2023-12-03"),
            end_after: date("2025-01-12"),
            ..Default::default()
        };
        assert_eq!(begins(&rule), "after 2023-11-06, by 2023-12-03");
        assert_eq!(ends(&rule), "last seen 2025-01-12");
        rule.start_after = None;
        rule.end_after = None;
        assert_eq!(begins(&rule), "2023-12-03");
        assert_eq!(ends(&rule), "");
        rule.start_date = None;
        assert_eq!(begins(&rule), "not known");
        rule.start_by = date("2019-11-23");
        assert_eq!(begins(&rule), "by 2019-11-23");
    }

    #[test]
    fn as_many_cells_as_titles() {
        let rule = VisaRule::default();
        let row = VisaRules::row(&rule, "en", &mut Footnotes::default());
        assert_eq!(row.len(), VisaRules::TITLES.len());
        assert_eq!(VisaRules::cells(&rule, "en").len(), VisaRules::CSV.len());
    }
}
