//! Programmes: how one is shown, and a list of them.

use std::io::Write;

use prost_types::Timestamp;
use proto::culture::v1 as wire;
use proto::r#type::v1::Theme;
use wire::{
    Institution, InstitutionRole, Milestone, MilestoneKind, ObservedStatus, Programme,
    ProgrammeKind, ProgrammeRole, ProgrammeStatus,
};

use super::{PAGE, organisation};
use crate::args::answer::AnswerArgs;
use crate::args::programmes::ListProgrammesArgs;
use crate::client::{self, request};
use crate::events::place_text;
use crate::record::{More, Programmes, Shown, write_list};
use crate::sources::Footnotes;
use crate::{dates, names, output, words};

/// Lists programmes.
pub(super) async fn list(args: &ListProgrammesArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::culture(&server.server).await?;
    let limit = args.limit.limit as usize;
    let all = output::pages(limit, async |page_token, left: i32| {
        let asked = wire::ListProgrammesRequest {
            filter: Some(filter(args)),
            page_size: left.min(PAGE),
            page_token,
            as_of: args.as_of.to_wire(),
        };
        let page = client.list_programmes(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.programmes, page.next_page_token))
    });
    let all = all.await?;
    let answer = wire::ListProgrammesResponse {
        programmes: all.entries,
        next_page_token: all.next,
    };
    write_list::<Programmes>(
        &answer.programmes,
        &args.language.language,
        More::of(&answer.next_page_token),
        *output,
        ("entente.culture.v1.ListProgrammesResponse", &answer),
        out,
    )
}

fn filter(args: &ListProgrammesArgs) -> wire::ProgrammeFilter {
    let (country, partner) = args.countries.to_wire();
    wire::ProgrammeFilter {
        country,
        partner,
        kinds: names::numbers(&args.kind),
        themes: names::numbers(&args.theme),
        observed_statuses: names::numbers(&args.observed),
        inferred_statuses: names::numbers(&args.inferred),
        window: args.dates.to_wire(),
        institution: args.institution.clone(),
    }
}

impl Shown for Programmes {
    const TITLES: &'static [&'static str] = &[
        "programme",
        "date",
        "kind",
        "countries",
        "title",
        "observed",
        "concluded",
        "source",
    ];
    const CSV: &'static [&'static str] = &[
        "programme",
        "kind",
        "countries",
        "start_date",
        "end_date",
        "title",
        "summary",
        "institutions",
        "places",
        "milestones",
        "observed_statuses",
        "inferred_status",
        "inferred_date",
        "inferred_basis",
        "legal_basis",
        "themes",
        "source_title",
        "source_publisher",
        "source_uri",
        "recorded",
    ];

    fn row(programme: &Programme, language: &str, notes: &mut Footnotes) -> Vec<String> {
        let observed = programme.observed_statuses.iter().map(observed);
        vec![
            words::id(&programme.name).to_owned(),
            date(programme),
            names::shown::<ProgrammeKind>(programme.kind),
            countries(programme),
            words::text_in(programme.title.as_ref(), language),
            observed.collect::<Vec<_>>().join(", "),
            inferred(programme),
            notes.all_marks(&programme.sources),
        ]
    }

    fn cells(programme: &Programme, language: &str) -> Vec<String> {
        let text = |text| output::safe(&words::text_in(text, language));
        let joined = |parts: Vec<String>| output::safe(&parts.join("; "));
        let institutions = programme.institutions.iter();
        let places = programme.places.iter();
        let inferred = programme.inferred_status.clone().unwrap_or_default();
        let source = programme.sources.first().cloned().unwrap_or_default();
        vec![
            programme.name.clone(),
            names::shown::<ProgrammeKind>(programme.kind),
            countries(programme),
            dates::date(programme.start_date.as_ref()),
            dates::date(programme.end_date.as_ref()),
            text(programme.title.as_ref()),
            text(programme.summary.as_ref()),
            joined(institutions.map(|one| institution(one, language)).collect()),
            joined(places.map(|place| place_text(place, language)).collect()),
            joined(programme.milestones.iter().map(milestone).collect()),
            joined(programme.observed_statuses.iter().map(observed).collect()),
            names::shown::<ProgrammeStatus>(inferred.status),
            dates::date(inferred.date.as_ref()),
            output::safe(&inferred.basis),
            programme.legal_basis.join(" "),
            names::all_shown::<Theme>(&programme.themes),
            output::safe(&source.title),
            output::safe(&source.publisher),
            output::safe(&source.uri),
            words::instant(programme.create_time.as_ref()),
        ]
    }

    fn lines(programme: &Programme, language: &str) -> Vec<(String, String)> {
        let mut rows = words::texts_from("title", programme.title.as_ref(), language);
        let mut line = |title: &str, text: String| rows.push((title.to_owned(), text));
        line("kind", names::shown::<ProgrammeKind>(programme.kind));
        for one in &programme.countries {
            let role = names::shown::<ProgrammeRole>(one.role);
            line(&role, words::country_with_code(&one.country));
        }
        line("date", date(programme));
        for one in &programme.institutions {
            line("institution", institution(one, language));
        }
        for place in &programme.places {
            line("place", place_text(place, language));
        }
        for one in &programme.milestones {
            line("milestone", milestone(one));
        }
        for one in &programme.observed_statuses {
            line("observed", format!("{} [{}]", observed(one), one.source));
        }
        line("concluded", inferred_in_full(programme));
        line("rests on", programme.legal_basis.join(", "));
        line("themes", names::all_shown::<Theme>(&programme.themes));
        let summary = programme.summary.as_ref();
        rows.extend(words::texts_from("summary", summary, language));
        rows
    }

    fn times(programme: &Programme) -> (Option<&Timestamp>, Option<&Timestamp>) {
        let Programme {
            create_time,
            update_time,
            ..
        } = programme;
        (create_time.as_ref(), update_time.as_ref())
    }

    fn title(programme: &Programme, language: &str) -> String {
        words::text_in(programme.title.as_ref(), language)
    }

    fn etag(programme: &Programme) -> &str {
        &programme.etag
    }
}

/// From when on, or from when to when; a programme without an end is not one of a day.
fn date(programme: &Programme) -> String {
    let (start, end) = (programme.start_date.as_ref(), programme.end_date.as_ref());
    match (start, end) {
        (Some(_), None) => format!("from {}", dates::date(start)),
        (Some(_) | None, _) => dates::span(start, end),
    }
}

/// Who takes part, and in which direction: `CHN to KAZ`, `CHN and KAZ`.
fn countries(programme: &Programme) -> String {
    let of = |role: ProgrammeRole| {
        let all = programme.countries.iter();
        let found = all.filter(|one| one.role == i32::from(role));
        let codes: Vec<&str> = found.map(|one| one.country.as_str()).collect();
        codes.join(" ")
    };
    let (from, to) = (of(ProgrammeRole::From), of(ProgrammeRole::To));
    let mutual = of(ProgrammeRole::Mutual).replace(' ', " and ");
    let directed = match (from.as_str(), to.as_str()) {
        ("", "") => String::new(),
        (from, "") => format!("from {from}"),
        ("", to) => format!("to {to}"),
        (from, to) => format!("{from} to {to}"),
    };
    let parts = [directed, mutual];
    let given = parts.into_iter().filter(|part| !part.is_empty());
    given.collect::<Vec<_>>().join(", ")
}

fn institution(one: &Institution, language: &str) -> String {
    let role = names::shown::<InstitutionRole>(one.role);
    let name = organisation(one.organisation.as_ref(), language);
    let country = match one.country.as_str() {
        "" => String::new(),
        country => format!(", {country}"),
    };
    format!("{role}: {name}{country}")
}

fn milestone(one: &Milestone) -> String {
    let Milestone {
        kind,
        date,
        source,
        note,
    } = one;
    let note = match note.as_str() {
        "" => String::new(),
        note => format!(" ({note})"),
    };
    let kind = names::shown::<MilestoneKind>(*kind);
    format!("{kind} {} [{source}]{note}", dates::date(date.as_ref()))
}

fn observed(one: &ObservedStatus) -> String {
    let status = names::shown::<ProgrammeStatus>(one.status);
    format!("{status} {}", dates::date(one.date.as_ref()))
}

/// The status that was concluded, and when.
fn inferred(programme: &Programme) -> String {
    let found = programme.inferred_status.as_ref().map(|one| {
        let status = names::shown::<ProgrammeStatus>(one.status);
        format!("{status} {}", dates::date(one.date.as_ref()))
    });
    found.unwrap_or_default().trim_end().to_owned()
}

/// With what it was concluded from, and by whom.
fn inferred_in_full(programme: &Programme) -> String {
    let Some(found) = &programme.inferred_status else {
        return String::new();
    };
    let who = match found.source {
        0 => "by whoever recorded it".to_owned(),
        source => format!("[{source}]"),
    };
    format!("{} {who}: {}", inferred(programme), found.basis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direction_is_told() {
        let country = |code: &str, role: ProgrammeRole| wire::ProgrammeCountry {
            country: code.into(),
            role: role.into(),
        };
        let mut programme = Programme {
            countries: vec![
                country("KAZ", ProgrammeRole::To),
                country("CHN", ProgrammeRole::From),
            ],
            ..Default::default()
        };
        assert_eq!(countries(&programme), "CHN to KAZ");
        programme.countries = vec![
            country("KAZ", ProgrammeRole::Mutual),
            country("CHN", ProgrammeRole::Mutual),
        ];
        assert_eq!(countries(&programme), "KAZ and CHN");
    }

    #[test]
    fn as_many_cells_as_titles() {
        let programme = Programme::default();
        let row = Programmes::row(&programme, "en", &mut Footnotes::default());
        assert_eq!(row.len(), Programmes::TITLES.len());
        assert_eq!(
            Programmes::cells(&programme, "en").len(),
            Programmes::CSV.len()
        );
    }
}
