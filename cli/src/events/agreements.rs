//! Agreements: how one is shown, and a list of them.

use std::io::Write;

use prost_types::Timestamp;
use proto::events::v1 as wire;
use proto::r#type::v1::CivilDate;
use wire::{Agreement, AgreementKind, AgreementStep, StepKind};

use super::{PAGE, each_once, organisation, themes};
use crate::args::agreements::{AgreementFilterArgs, ListAgreementsArgs};
use crate::args::answer::AnswerArgs;
use crate::client::{self, request};
use crate::names::Named;
use crate::record::{Agreements, Events, More, Shown, full_name, write_list};
use crate::sources::Footnotes;
use crate::{dates, names, output, words};

/// Lists agreements.
pub(super) async fn list(args: &ListAgreementsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::events(&server.server).await?;
    let limit = args.limit.limit as usize;
    let all = output::pages(limit, async |page_token, left: i32| {
        let asked = wire::ListAgreementsRequest {
            filter: Some(filter(&args.filter)),
            page_size: left.min(PAGE),
            page_token,
            as_of: args.as_of.to_wire(),
        };
        let page = client.list_agreements(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.agreements, page.next_page_token))
    });
    let all = all.await?;
    let answer = wire::ListAgreementsResponse {
        agreements: all.entries,
        next_page_token: all.next,
    };
    write_list::<Agreements>(
        &answer.agreements,
        &args.language.language,
        More::of(&answer.next_page_token),
        *output,
        ("entente.events.v1.ListAgreementsResponse", &answer),
        out,
    )
}

/// The filter as the wire has it.
pub(super) fn filter(args: &AgreementFilterArgs) -> wire::AgreementFilter {
    let (country, partner) = args.countries.to_wire();
    let event = args.event.as_deref();
    wire::AgreementFilter {
        country,
        partner,
        kinds: names::numbers(&args.kind),
        themes: names::numbers(&args.theme),
        window: args.dates.to_wire(),
        event: event.map(full_name::<Events>).unwrap_or_default(),
    }
}

impl Shown for Agreements {
    const TITLES: &'static [&'static str] = &[
        "agreement",
        "kind",
        "parties",
        "title",
        "last step",
        "source",
    ];
    const CSV: &'static [&'static str] = &[
        "agreement",
        "kind",
        "parties",
        "title",
        "summary",
        "announced",
        "signed",
        "ratified",
        "entered_into_force",
        "expired",
        "denounced",
        "event",
        "themes",
        "source_title",
        "source_publisher",
        "source_uri",
        "recorded",
    ];

    fn row(agreement: &Agreement, language: &str, notes: &mut Footnotes) -> Vec<String> {
        vec![
            words::id(&agreement.name).to_owned(),
            names::shown::<AgreementKind>(agreement.kind),
            parties(agreement, language),
            words::text_in(agreement.title.as_ref(), language),
            last_step(agreement),
            notes.all_marks(&agreement.sources),
        ]
    }

    fn cells(agreement: &Agreement, language: &str) -> Vec<String> {
        let source = agreement.sources.first().cloned().unwrap_or_default();
        let mut cells = vec![
            agreement.name.clone(),
            names::shown::<AgreementKind>(agreement.kind),
            output::safe(&parties(agreement, language)),
            output::safe(&words::text_in(agreement.title.as_ref(), language)),
            output::safe(&words::text_in(agreement.summary.as_ref(), language)),
        ];
        let steps = StepKind::ALL.iter();
        cells.extend(steps.map(|kind| dates_of(agreement, kind.0)));
        cells.extend([
            agreement.event.clone(),
            themes(&agreement.themes),
            output::safe(&source.title),
            output::safe(&source.publisher),
            output::safe(&source.uri),
            words::instant(agreement.create_time.as_ref()),
        ]);
        cells
    }

    fn lines(agreement: &Agreement, language: &str) -> Vec<(String, String)> {
        let mut rows = words::texts_from("title", agreement.title.as_ref(), language);
        let mut line = |title: &str, text: String| rows.push((title.to_owned(), text));
        line("kind", names::shown::<AgreementKind>(agreement.kind));
        for party in &agreement.parties {
            let text = match party.country.as_str() {
                "" => organisation(party.organisation.as_ref(), language),
                code => words::country_with_code(code),
            };
            line("party", text);
        }
        for one in &agreement.steps {
            line("step", step(one));
        }
        line("signed at", agreement.event.clone());
        line("themes", themes(&agreement.themes));
        let summary = agreement.summary.as_ref();
        rows.extend(words::texts_from("summary", summary, language));
        rows
    }

    fn times(agreement: &Agreement) -> (Option<&Timestamp>, Option<&Timestamp>) {
        let Agreement {
            create_time,
            update_time,
            ..
        } = agreement;
        (create_time.as_ref(), update_time.as_ref())
    }

    fn title(agreement: &Agreement, language: &str) -> String {
        words::text_in(agreement.title.as_ref(), language)
    }

    fn etag(agreement: &Agreement) -> &str {
        &agreement.etag
    }
}

/// Who is bound by it: `CHN KAZ SCO`.
pub(super) fn parties(agreement: &Agreement, language: &str) -> String {
    let countries = each_once(agreement.parties.iter().map(|party| party.country.as_str()));
    let organisations = agreement
        .parties
        .iter()
        .map(|party| organisation(party.organisation.as_ref(), language));
    let organisations = organisations.filter(|name| !name.is_empty());
    let all = countries.into_iter().map(str::to_owned);
    all.chain(organisations).collect::<Vec<_>>().join(" ")
}

/// A step in a line, with the number of its source: `signed 2023-05-17, KAZ [2] (remark)`.
pub(super) fn step(step: &AgreementStep) -> String {
    let AgreementStep {
        kind,
        date,
        country,
        source,
        note,
    } = step;
    let whose = match country.as_str() {
        "" => String::new(),
        country => format!(", {country}"),
    };
    let note = match note.as_str() {
        "" => String::new(),
        note => format!(" ({note})"),
    };
    let kind = names::shown::<StepKind>(*kind);
    let date = dates::date(date.as_ref());
    format!("{kind} {date}{whose} [{source}]{note}")
}

/// The latest step of its life that has a date; of several on one day the later in life.
fn last_step(agreement: &Agreement) -> String {
    let parsed = |date: &CivilDate| proto::CivilDate::try_from(*date).ok();
    let last = agreement.steps.iter().max_by_key(|step| {
        let date = step.date.as_ref().and_then(parsed);
        (date, step.kind)
    });
    last.map(|step| {
        let kind = names::shown::<StepKind>(step.kind);
        format!("{kind} {}", dates::date(step.date.as_ref()))
    })
    .unwrap_or_default()
}

/// The dates of one kind of step, each with whose it is: `2023-05-17; KAZ:2023-08`.
fn dates_of(agreement: &Agreement, kind: StepKind) -> String {
    let steps = agreement.steps.iter();
    let of_kind = steps.filter(|step| step.kind == i32::from(kind));
    let dates = of_kind.map(|step| {
        let date = dates::date(step.date.as_ref());
        match step.country.as_str() {
            "" => date,
            country => format!("{country}:{date}"),
        }
    });
    dates.collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Option<CivilDate> {
        text.parse::<proto::CivilDate>().ok().map(Into::into)
    }

    fn at(kind: StepKind, text: &str, country: &str) -> AgreementStep {
        AgreementStep {
            kind: kind.into(),
            date: date(text),
            country: country.into(),
            source: 1,
            note: String::new(),
        }
    }

    #[test]
    fn conflicting_dates_stand_side_by_side() {
        let agreement = Agreement {
            steps: vec![
                at(StepKind::Signed, "2023-05-17", ""),
                at(StepKind::Signed, "2023-05", ""),
                at(StepKind::Ratified, "2023-08", "KAZ"),
            ],
            ..Default::default()
        };
        assert_eq!(dates_of(&agreement, StepKind::Signed), "2023-05-17;2023-05");
        assert_eq!(dates_of(&agreement, StepKind::Ratified), "KAZ:2023-08");
        assert_eq!(last_step(&agreement), "ratified 2023-08");
        assert_eq!(step(&agreement.steps[2]), "ratified 2023-08, KAZ [1]");
    }

    #[test]
    fn as_many_cells_as_titles() {
        let agreement = Agreement::default();
        let row = Agreements::row(&agreement, "en", &mut Footnotes::default());
        assert_eq!(row.len(), Agreements::TITLES.len());
        assert_eq!(
            Agreements::cells(&agreement, "en").len(),
            Agreements::CSV.len()
        );
    }
}
