//! Programmes: years of tourism, workshops, institutes, scholarships.

use std::collections::BTreeSet;

use proto::culture::v1 as wire;
use proto::r#type::v1::CivilDate as WireDate;
use proto::{CivilDate, Day, Violations, check_list, check_once, check_organisation, check_place};
use proto::{check_sources, check_summary, check_text, check_themes, check_title, given};
use proto::{is_same_text, one_country, one_of, organisation_texts, parse_agreement_name};
use proto::{parse_programme_name, programme_name, source_index, stored_date};
use records::{Place, Record, Span, Topic, are_about_the_same, countries_only_in, text_group};
use wire::{BatchCreateProgrammesRequest, BatchCreateProgrammesResponse, CreateProgrammeRequest};
use wire::{CultureChange, DeleteProgrammeRequest, InferredStatus, Institution, InstitutionRole};
use wire::{ListProgrammeVersionsRequest, ListProgrammesRequest, Milestone, MilestoneKind};
use wire::{
    ObservedStatus, Programme, ProgrammeBound, ProgrammeCountry, ProgrammeKind, ProgrammeRole,
};
use wire::{ProgrammeStatus, UpdateProgrammeRequest, culture_change::Change};

use crate::Model;

/// Every two of them are a key.
const MAX_COUNTRIES: usize = 40;
const MAX_INSTITUTIONS: usize = 50;
const MAX_PLACES: usize = 50;
const MAX_MILESTONES: usize = 100;
const MAX_STATUSES: usize = 20;
const MAX_LEGAL_BASIS: usize = 20;
const MAX_TITLE: usize = 300;
const MAX_NOTE: usize = 1_000;
/// Every two countries find every date of its life by an entry of its own.
const MAX_ENTRIES: usize = 8_000;

/// All programmes by date.
pub(crate) const BY_DATE: u8 = 1;
/// By topic, by date.
pub(crate) const BY_TOPIC: u8 = 2;
/// By the code or a name of an institution, by date.
pub(crate) const BY_INSTITUTION: u8 = 3;
/// By kind and title in a language, by date: what may have been entered twice.
const BY_TITLE: u8 = 4;
/// By pair, by the date of each point of its life: see [`points`].
pub(crate) const BY_POINT: u8 = 5;

records::fields!(
    Model,
    Programme,
    "programme",
    [
        kind,
        countries,
        institutions,
        places,
        start_date,
        end_date,
        milestones,
        observed_statuses,
        inferred_status,
        legal_basis,
        title,
        summary,
        themes,
        sources,
    ],
    programme_name,
    parse_programme_name
);
records::create_request!(
    Model, CreateProgrammeRequest, programme_id, programme: Programme, allow_duplicate
);
records::batch_request!(
    Model,
    BatchCreateProgrammesRequest of CreateProgrammeRequest,
    BatchCreateProgrammesResponse { programmes }
);
records::update_request!(Model, UpdateProgrammeRequest, programme: Programme);
records::delete_request!(Model, DeleteProgrammeRequest of Programme);
records::list_request!(Model, ListProgrammesRequest);
records::list_request!(Model, now: ListProgrammeVersionsRequest);

impl Record<Model> for Programme {
    const KIND: u8 = 1;

    fn check(self) -> Result<Programme, Violations> {
        check(self)
    }

    fn recorded(self, before: Option<&Programme>) -> CultureChange {
        let former = before.map(|before| countries_only_in(countries(before), countries(&self)));
        let recorded = wire::ProgrammeRecorded {
            former_countries: former.unwrap_or_default(),
            programme: Some(self),
        };
        CultureChange {
            change: Some(Change::ProgrammeRecorded(recorded)),
        }
    }

    fn deleted(self) -> CultureChange {
        let deleted = wire::ProgrammeDeleted {
            countries: countries(&self).map(ToString::to_string).collect(),
            name: self.name,
        };
        CultureChange {
            change: Some(Change::ProgrammeDeleted(deleted)),
        }
    }

    fn places(&self) -> Vec<Place> {
        // One whose first day is not known stands before all others.
        let at = stored_date(self.start_date).map_or(0, CivilDate::ordinal);
        let place = |index: u8, group: Vec<u8>| Place { index, group, at };
        let topics = self.topics();
        let topics = topics.iter().map(|topic| topic.bytes().to_vec());
        let institutions: BTreeSet<[u8; 8]> = texts(self).map(text_group).collect();
        let institutions = institutions.iter().map(|text| text.to_vec());
        let mut places = vec![place(BY_DATE, Vec::new())];
        places.extend(topics.map(|group| place(BY_TOPIC, group)));
        places.extend(points_by_pair(self));
        places.extend(institutions.map(|group| place(BY_INSTITUTION, group)));
        places.extend(titles(self).into_iter().map(|group| place(BY_TITLE, group)));
        places
    }

    fn topics(&self) -> Vec<Topic> {
        Topic::all_named(countries(self))
    }

    fn near(&self) -> Vec<Span> {
        let (_, last) = days(self);
        let until = last.map(|last| last.ordinal() + 1);
        let spans = titles(self).into_iter();
        spans
            .map(|group| Span::of(BY_TITLE, group).between(0, until))
            .collect()
    }

    fn resembles(&self, other: &Programme) -> bool {
        let ((first, last), (from, until)) = (days(self), days(other));
        let is_before = |last: Option<Day>, first: Option<Day>| {
            last.zip(first).is_some_and(|(last, first)| last < first)
        };
        self.kind == other.kind
            && is_same_text(self.title.as_ref(), other.title.as_ref())
            && are_about_the_same(countries(self), countries(other))
            && !is_before(last, from)
            && !is_before(until, first)
    }
}

/// A point of a programme's life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Point<'a> {
    Milestone(&'a Milestone),
    Bound(ProgrammeBound),
}

/// The points of a programme's life with their dates: its milestones in the order in which they are given, then its
/// start and its end where no milestone says that it opened, or closed.
pub(crate) fn points(programme: &Programme) -> Vec<(CivilDate, Point<'_>)> {
    let has = |kinds: &[MilestoneKind]| {
        let mut milestones = programme.milestones.iter();
        milestones.any(|milestone| kinds.contains(&milestone.kind()))
    };
    let milestones = programme.milestones.iter();
    let mut points: Vec<_> = milestones
        .filter_map(|one| Some((stored_date(one.date)?, Point::Milestone(one))))
        .collect();
    let start = stored_date(programme.start_date);
    let start = start.filter(|_| !has(&[MilestoneKind::Opened, MilestoneKind::Trial]));
    points.extend(start.map(|date| (date, Point::Bound(ProgrammeBound::Start))));
    let end = stored_date(programme.end_date).filter(|_| !has(&[MilestoneKind::Closed]));
    points.extend(end.map(|date| (date, Point::Bound(ProgrammeBound::End))));
    points
}

/// Where a list of what happened between two countries finds a programme.
fn points_by_pair(programme: &Programme) -> Vec<Place> {
    let points = points(programme);
    let dates: BTreeSet<u32> = points.iter().map(|(date, _)| date.ordinal()).collect();
    let topics = programme.topics();
    let pairs = topics.iter().filter(|topic| topic.is_pair());
    let places = pairs.flat_map(|pair| {
        dates.iter().map(|at| Place {
            index: BY_POINT,
            group: pair.bytes().to_vec(),
            at: *at,
        })
    });
    places.collect()
}

/// The groups of those of the same kind and title in any of its languages.
fn titles(programme: &Programme) -> BTreeSet<Vec<u8>> {
    let kind = programme.kind.to_be_bytes();
    let titles = programme
        .title
        .iter()
        .flat_map(|title| title.texts.values());
    titles
        .map(|title| [&kind[..], &text_group(title)].concat())
        .collect()
}

/// The countries that take part.
pub(crate) fn countries(programme: &Programme) -> impl Iterator<Item = &str> {
    programme.countries.iter().map(|one| one.country.as_str())
}

/// What a list by institution finds one by.
fn texts(programme: &Programme) -> impl Iterator<Item = &str> {
    let institutions = programme.institutions.iter();
    let organisations = institutions.filter_map(|one| one.organisation.as_ref());
    organisations.flat_map(organisation_texts)
}

/// Whether an institution is what a filter names.
pub(crate) fn has_institution(programme: &Programme, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    texts(programme).any(|text| text.to_lowercase() == wanted)
}

/// The first and the last day that a programme may have; without one, it may always have begun, or may always go on.
pub(crate) fn days(programme: &Programme) -> (Option<Day>, Option<Day>) {
    let (start, end) = (programme.start_date, programme.end_date);
    (
        stored_date(start).map(CivilDate::first),
        stored_date(end).map(CivilDate::last),
    )
}

/// The statuses that are observed last: several when they are observed on the same date.
pub(crate) fn last_observed(programme: &Programme) -> Vec<i32> {
    let date = |observed: &ObservedStatus| {
        let date = stored_date(observed.date);
        date.map(|date| (date.last(), date.ordinal()))
    };
    let latest = programme.observed_statuses.iter().map(date).max();
    let last = programme.observed_statuses.iter();
    last.filter(|observed| Some(date(observed)) == latest)
        .map(|observed| observed.status)
        .collect()
}

fn check(programme: Programme) -> Result<Programme, Violations> {
    let Programme {
        name: _,
        kind,
        countries,
        institutions,
        places,
        start_date,
        end_date,
        milestones,
        observed_statuses,
        inferred_status,
        legal_basis,
        title,
        summary,
        themes,
        sources,
        etag: _,
        create_time: _,
        update_time: _,
    } = programme;
    let mut violations = Violations::new();
    let known = &mut violations;
    known.check("kind", one_of::<ProgrammeKind>(kind, "kind of a programme"));
    let countries = check_countries(countries, known);
    let most = 0..=MAX_INSTITUTIONS;
    let institutions = check_list("institutions", institutions, most, check_institution, known);
    let places = check_list("places", places, 0..=MAX_PLACES, check_place, known);
    let (start_date, end_date) = check_dates(start_date, end_date, known);
    let sources = check_sources(sources, known);
    let check = |milestone| check_milestone(milestone, sources.len());
    let milestones = check_list("milestones", milestones, 0..=MAX_MILESTONES, check, known);
    let check = |observed| check_observed(observed, sources.len());
    let field = "observed_statuses";
    let observed_statuses = check_list(field, observed_statuses, 0..=MAX_STATUSES, check, known);
    let inferred_status = inferred_status.map(|inferred| check_inferred(inferred, sources.len()));
    let inferred_status = known.check_nested("inferred_status", inferred_status.transpose());
    let legal_basis = check_legal_basis(legal_basis, known);
    let title = check_title(title, MAX_TITLE, known);
    let summary = check_summary(summary, known);
    let themes = check_themes(&themes, known);
    let programme = Programme {
        kind,
        countries,
        institutions,
        places,
        start_date: start_date.map(Into::into),
        end_date: end_date.map(Into::into),
        milestones,
        observed_statuses,
        inferred_status: inferred_status.flatten(),
        legal_basis,
        title,
        summary,
        themes,
        sources,
        ..Programme::default()
    };
    records::check_size(&programme, &mut violations);
    let entries = points_by_pair(&programme).len();
    if entries > MAX_ENTRIES {
        let description = format!(
            "{entries} entries of indexes for {} countries; at most {MAX_ENTRIES}",
            programme.countries.len()
        );
        violations.push("milestones", description);
    }
    violations.into_result(programme)
}

fn check_countries(
    countries: Vec<ProgrammeCountry>,
    violations: &mut Violations,
) -> Vec<ProgrammeCountry> {
    let codes = countries.iter().map(|one| &one.country);
    check_once("countries", codes, violations);
    let count = 1..=MAX_COUNTRIES;
    check_list("countries", countries, count, check_country, violations)
}

fn check_country(country: ProgrammeCountry) -> Result<ProgrammeCountry, Violations> {
    let ProgrammeCountry { country, role } = country;
    let mut violations = Violations::new();
    let country = violations.check("country", one_country(&country));
    violations.check("role", one_of::<ProgrammeRole>(role, "role of a country"));
    violations.into_result(ProgrammeCountry {
        country: country
            .map(|country| country.to_string())
            .unwrap_or_default(),
        role,
    })
}

fn check_institution(institution: Institution) -> Result<Institution, Violations> {
    let Institution {
        organisation,
        country,
        role,
    } = institution;
    let mut violations = Violations::new();
    let organisation = organisation.ok_or_else(|| Violations::one("", "is required"));
    let organisation = organisation.and_then(check_organisation);
    let organisation = violations.check_nested("organisation", organisation);
    let country = violations.check("country", given(&country, one_country));
    let known = one_of::<InstitutionRole>(role, "role of an institution");
    violations.check("role", known);
    let country = country.flatten().map(|country| country.to_string());
    violations.into_result(Institution {
        organisation,
        country: country.unwrap_or_default(),
        role,
    })
}

fn check_dates(
    start: Option<WireDate>,
    end: Option<WireDate>,
    violations: &mut Violations,
) -> (Option<CivilDate>, Option<CivilDate>) {
    let mut date = |field: &str, date: Option<WireDate>| {
        let date = date.map(CivilDate::try_from).transpose();
        violations.check_nested(field, date).flatten()
    };
    let (start, end) = (date("start_date", start), date("end_date", end));
    if let (Some(start), Some(end)) = (start, end)
        && end.last() < start.first()
    {
        violations.push("end_date", format!("{end} is before `start_date`, {start}"));
    }
    (start, end)
}

/// A date that is required.
fn required(date: Option<WireDate>) -> Result<CivilDate, Violations> {
    let date = date.ok_or_else(|| Violations::one("", "is required"));
    date.and_then(CivilDate::try_from)
}

fn check_milestone(milestone: Milestone, sources: usize) -> Result<Milestone, Violations> {
    let Milestone {
        kind,
        date,
        source,
        note,
    } = milestone;
    let mut violations = Violations::new();
    violations.check("kind", one_of::<MilestoneKind>(kind, "kind of a milestone"));
    let date = violations.check_nested("date", required(date));
    violations.check("source", source_index(source, sources));
    let note = violations.check("note", given(&note, |text| check_text(text, MAX_NOTE)));
    violations.into_result(Milestone {
        kind,
        date: date.map(Into::into),
        source,
        note: note.flatten().unwrap_or_default(),
    })
}

fn status(status: i32) -> Result<ProgrammeStatus, String> {
    one_of(status, "status of a programme")
}

fn check_observed(observed: ObservedStatus, sources: usize) -> Result<ObservedStatus, Violations> {
    let ObservedStatus {
        status: number,
        date,
        source,
    } = observed;
    let mut violations = Violations::new();
    violations.check("status", status(number));
    let date = violations.check_nested("date", required(date));
    violations.check("source", source_index(source, sources));
    violations.into_result(ObservedStatus {
        status: number,
        date: date.map(Into::into),
        source,
    })
}

fn check_inferred(inferred: InferredStatus, sources: usize) -> Result<InferredStatus, Violations> {
    let InferredStatus {
        status: number,
        date,
        basis,
        source,
    } = inferred;
    let mut violations = Violations::new();
    violations.check("status", status(number));
    let date = date.map(CivilDate::try_from).transpose();
    let date = violations.check_nested("date", date).flatten();
    let basis = violations.check("basis", check_text(&basis, MAX_NOTE));
    if source != 0 {
        violations.check("source", source_index(source, sources));
    }
    violations.into_result(InferredStatus {
        status: number,
        date: date.map(Into::into),
        basis: basis.unwrap_or_default(),
        source,
    })
}

fn check_legal_basis(names: Vec<String>, violations: &mut Violations) -> Vec<String> {
    check_once("legal_basis", &names, violations);
    let check = |name: String| match parse_agreement_name(&name) {
        Ok(_) => Ok(name),
        Err(error) => Err(Violations::one("", error.to_string())),
    };
    check_list("legal_basis", names, 0..=MAX_LEGAL_BASIS, check, violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::r#type::v1 as parts;

    fn date(text: &str) -> Option<WireDate> {
        (!text.is_empty()).then(|| text.parse::<CivilDate>().expect("a date").into())
    }

    fn text(text: &str) -> parts::LocalizedText {
        parts::LocalizedText {
            texts: [("en".to_owned(), text.to_owned())].into(),
        }
    }

    fn source() -> parts::Source {
        parts::Source {
            title: "The workshop opened".into(),
            publisher: "Kazinform".into(),
            ..parts::Source::default()
        }
    }

    fn programme(countries: &str, title: &str, start: &str, end: &str) -> Programme {
        let country = |code: &str| ProgrammeCountry {
            country: code.into(),
            role: ProgrammeRole::Mutual.into(),
        };
        Programme {
            kind: ProgrammeKind::VocationalWorkshop.into(),
            countries: countries.split_whitespace().map(country).collect(),
            title: Some(text(title)),
            start_date: date(start),
            end_date: date(end),
            sources: vec![source()],
            ..Programme::default()
        }
    }

    #[test]
    fn the_same_title_on_dates_that_may_overlap_is_entered_twice() {
        let known = programme("CHN KAZ", "Lu Ban workshop", "2023-12", "");
        let looks_alike = |countries, title, start, end| {
            let other = programme(countries, title, start, end);
            assert_eq!(known.resembles(&other), other.resembles(&known));
            known.resembles(&other)
        };
        assert!(looks_alike("KAZ CHN", "LU BAN WORKSHOP", "2024", ""));
        assert!(looks_alike("CHN KAZ UZB", "Lu Ban workshop", "", ""));
        assert!(looks_alike("CHN KAZ", "Lu Ban workshop", "2023", "2023"));
        assert!(!looks_alike("CHN KAZ", "Lu Ban workshop", "", "2023-11-30"));
        assert!(!looks_alike(
            "CHN KAZ",
            "Lu Ban workshop in Almaty",
            "2023-12",
            ""
        ));
        assert!(!looks_alike("CHN UZB", "Lu Ban workshop", "2023-12", ""));
        assert!(!looks_alike("CHN", "Lu Ban workshop", "2023-12", ""));
        let festival = Programme {
            kind: ProgrammeKind::Festival.into(),
            ..programme("CHN KAZ", "Lu Ban workshop", "2023-12", "")
        };
        assert!(!known.resembles(&festival));
    }

    #[test]
    fn what_looks_alike_stands_near() {
        let known = programme("CHN KAZ", "Lu Ban workshop", "2023-12", "");
        let other = programme("CHN KAZ", "lu ban workshop", "", "2023-12-01");
        for (one, other) in [(&known, &other), (&other, &known)] {
            let places = other.places();
            let is_met = |span: Span| {
                places.iter().any(|place| {
                    place.index == span.index
                        && place.group == span.group
                        && span.from <= place.at
                        && span.until.is_none_or(|until| place.at < until)
                })
            };
            assert!(one.near().into_iter().any(is_met));
        }
    }

    #[test]
    fn the_last_observation_counts_and_not_the_last_written() {
        let observed = |status: ProgrammeStatus, on: &str| ObservedStatus {
            status: status.into(),
            date: date(on),
            source: 1,
        };
        let (trial, active) = (ProgrammeStatus::Trial, ProgrammeStatus::Active);
        let last = |observed_statuses: Vec<ObservedStatus>| {
            let one = Programme {
                observed_statuses,
                ..Programme::default()
            };
            last_observed(&one)
        };
        let later = vec![observed(active, "2024-05"), observed(trial, "2023-12-09")];
        assert_eq!(last(later), [i32::from(active)]);
        // A year may mean its last day.
        let vague = vec![observed(trial, "2024"), observed(active, "2024-12-30")];
        assert_eq!(last(vague), [i32::from(trial)]);
        let disagree = vec![observed(trial, "2024"), observed(active, "2024")];
        assert_eq!(last(disagree), [i32::from(trial), i32::from(active)]);
        assert!(last(Vec::new()).is_empty());
    }

    #[test]
    fn a_programme_that_is_right_is_kept_as_it_is() {
        let right = Programme {
            institutions: vec![Institution {
                organisation: Some(parts::Organisation {
                    code: String::new(),
                    display_name: Some(text("Tianjin Vocational Institute")),
                }),
                country: "CHN".into(),
                role: InstitutionRole::Organiser.into(),
            }],
            milestones: vec![Milestone {
                kind: MilestoneKind::Opened.into(),
                date: date("2023-12-09"),
                source: 1,
                note: "Seen from afar".into(),
            }],
            inferred_status: Some(InferredStatus {
                status: ProgrammeStatus::Active.into(),
                date: None,
                basis: "Its page answers".into(),
                source: 0,
            }),
            legal_basis: vec!["agreements/lu-ban-2023".into()],
            ..programme("CHN KAZ", "Lu Ban workshop", "2023-12", "")
        };
        assert_eq!(right.clone().check().expect("it is right"), right);
        assert!(has_institution(&right, "tianjin vocational institute"));
        assert!(!has_institution(&right, "tianjin"));
    }

    #[test]
    fn each_fault_is_named_by_its_field() {
        let twice = |name: &str| vec![name.to_owned(), name.to_owned()];
        let wrong = Programme {
            kind: 99,
            institutions: vec![Institution::default()],
            places: vec![parts::Place::default()],
            end_date: date("2023-11"),
            milestones: vec![Milestone {
                source: 2,
                ..Milestone::default()
            }],
            observed_statuses: vec![ObservedStatus::default()],
            inferred_status: Some(InferredStatus {
                source: -1,
                ..InferredStatus::default()
            }),
            legal_basis: [twice("agreements/a"), vec!["treaties/a".into()]].concat(),
            title: None,
            summary: Some(parts::LocalizedText::default()),
            themes: vec![77],
            ..programme("CHN CHN WLD", "", "2023-12-09", "")
        };
        let violations = wrong.check().expect_err("it is wrong");
        let fields: Vec<&str> = violations.iter().map(|(field, _)| field).collect();
        let expected = [
            "kind",
            "countries[1]",
            "countries[2].country",
            "institutions[0].organisation",
            "institutions[0].role",
            "places[0]",
            "end_date",
            "milestones[0].kind",
            "milestones[0].date",
            "milestones[0].source",
            "observed_statuses[0].status",
            "observed_statuses[0].date",
            "observed_statuses[0].source",
            "inferred_status.status",
            "inferred_status.basis",
            "inferred_status.source",
            "legal_basis[1]",
            "legal_basis[2]",
            "title",
            "summary.texts",
            "themes[0]",
        ];
        assert_eq!(fields, expected);
        let none = Programme::default().check().expect_err("nothing is given");
        for field in ["kind", "countries", "title", "sources"] {
            assert!(none.iter().any(|(named, _)| named == field), "{field}");
        }
    }
}
