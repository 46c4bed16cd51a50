//! Agreements: who is bound, and the steps of their life.

use std::collections::BTreeSet;

use proto::events::v1 as wire;
use proto::{CivilDate, DateWindow, Day, Violations, agreement_name, check_each, check_list};
use proto::{check_organisation, check_sources, check_summary, check_text, check_themes};
use proto::{check_title, given, has_wanted, is_same_text, one_country, one_of};
use proto::{parse_agreement_name, parse_event_name, source_index};
use records::{Place, Record, Span, Topic};
use records::{are_about_the_same, countries_only_in, text_group};
use wire::{
    Agreement, AgreementFilter, AgreementKind, AgreementStep, EventsChange, Party, StepKind,
};
use wire::{BatchCreateAgreementsRequest, BatchCreateAgreementsResponse, CreateAgreementRequest};
use wire::{DeleteAgreementRequest, ListAgreementVersionsRequest, ListAgreementsRequest};
use wire::{UpdateAgreementRequest, events_change::Change};

use crate::Model;
use crate::event::{MAX_COUNTRIES, date};

const MAX_PARTIES: usize = 60;
const MAX_TITLE: usize = 500;
const MAX_STEPS: usize = 100;
const MAX_NOTE: usize = 1_000;
/// Every two parties find every date of a step by an entry of its own.
const MAX_PLACES: usize = 8_000;

/// All agreements, by the date of their first step.
const BY_DATE: u8 = 1;
/// By topic, by the date of their first step.
const BY_TOPIC: u8 = 2;
/// By the event at which they were signed.
const BY_EVENT: u8 = 3;
/// By pair, by the date of each step.
pub(crate) const BY_STEP: u8 = 4;
/// By kind and title: what may have been entered twice.
const BY_LIKENESS: u8 = 5;

records::fields!(
    Model,
    Agreement,
    "agreement",
    [kind, parties, title, summary, themes, steps, event, sources],
    agreement_name,
    parse_agreement_name
);
records::create_request!(
    Model, CreateAgreementRequest, agreement_id, agreement: Agreement, allow_duplicate
);
records::batch_request!(
    Model,
    BatchCreateAgreementsRequest of CreateAgreementRequest,
    BatchCreateAgreementsResponse { agreements }
);
records::update_request!(Model, UpdateAgreementRequest, agreement: Agreement);
records::delete_request!(Model, DeleteAgreementRequest of Agreement);
records::list_request!(Model, ListAgreementsRequest);
records::list_request!(Model, now: ListAgreementVersionsRequest);

impl Record<Model> for Agreement {
    const KIND: u8 = 2;

    fn check(self) -> Result<Agreement, Violations> {
        check(self)
    }

    fn recorded(self, before: Option<&Agreement>) -> EventsChange {
        let former = before.map(|before| countries_only_in(countries(before), countries(&self)));
        let recorded = wire::AgreementRecorded {
            former_countries: former.unwrap_or_default(),
            agreement: Some(self),
        };
        EventsChange {
            change: Some(Change::AgreementRecorded(recorded)),
        }
    }

    fn deleted(self) -> EventsChange {
        let deleted = wire::AgreementDeleted {
            countries: countries(&self).map(ToString::to_string).collect(),
            name: self.name,
        };
        EventsChange {
            change: Some(Change::AgreementDeleted(deleted)),
        }
    }

    fn places(&self) -> Vec<Place> {
        let first = step_dates(self).map(CivilDate::ordinal).min().unwrap_or(0);
        let place = |index: u8, group: &[u8], at: u32| Place {
            index,
            group: group.to_vec(),
            at,
        };
        let mut places = vec![place(BY_DATE, &[], first)];
        if !self.event.is_empty() {
            places.push(place(BY_EVENT, &text_group(&self.event), first));
        }
        places.extend(
            likenesses(self)
                .iter()
                .map(|group| place(BY_LIKENESS, group, first)),
        );
        let topics = self.topics();
        places.extend(
            topics
                .iter()
                .map(|topic| place(BY_TOPIC, &topic.bytes(), first)),
        );
        let pairs: Vec<Topic> = topics.into_iter().filter(|topic| topic.is_pair()).collect();
        let steps: BTreeSet<(u32, &str)> = self.steps.iter().filter_map(dated).collect();
        let mut taken = BTreeSet::new();
        for (at, country) in steps {
            let concerned = pairs.iter().filter(|pair| is_about(country, **pair));
            taken.extend(concerned.map(|pair| (pair.bytes(), at)));
        }
        places.extend(
            taken
                .into_iter()
                .map(|(pair, at)| place(BY_STEP, &pair, at)),
        );
        places
    }

    fn topics(&self) -> Vec<Topic> {
        Topic::all_named(countries(self))
    }

    fn near(&self) -> Vec<Span> {
        let groups = likenesses(self).into_iter();
        groups.map(|group| Span::of(BY_LIKENESS, group)).collect()
    }

    fn resembles(&self, other: &Agreement) -> bool {
        let meet = |one: CivilDate, other: CivilDate| {
            one.first() <= other.last() && other.first() <= one.last()
        };
        self.kind == other.kind
            && is_same_text(self.title.as_ref(), other.title.as_ref())
            && are_about_the_same(countries(self), countries(other))
            && step_dates(self).any(|one| step_dates(other).any(|other| meet(one, other)))
    }
}

/// The groups of those of the same kind and title in any of its languages.
fn likenesses(agreement: &Agreement) -> BTreeSet<Vec<u8>> {
    let titles = agreement
        .title
        .iter()
        .flat_map(|title| title.texts.values());
    let kind = agreement.kind.to_be_bytes();
    titles
        .map(|title| [&kind[..], &text_group(title)].concat())
        .collect()
}

/// When a step was taken, and by whom.
fn dated(step: &AgreementStep) -> Option<(u32, &str)> {
    Some((date(step.date)?.ordinal(), &step.country))
}

/// Whether a step is one of a pair: of all parties, or of one of the two.
pub(crate) fn is_about(country: &str, pair: Topic) -> bool {
    country.is_empty()
        || pair
            .countries()
            .iter()
            .any(|one| one.to_string() == country)
}

/// The countries among the parties.
pub(crate) fn countries(agreement: &Agreement) -> impl Iterator<Item = &str> {
    let codes = agreement.parties.iter().map(|party| party.country.as_str());
    codes.filter(|code| !code.is_empty())
}

fn step_dates(agreement: &Agreement) -> impl Iterator<Item = CivilDate> {
    agreement.steps.iter().filter_map(|step| date(step.date))
}

fn check(agreement: Agreement) -> Result<Agreement, Violations> {
    let Agreement {
        name: _,
        kind,
        parties,
        title,
        summary,
        themes,
        steps,
        event,
        sources,
        etag: _,
        create_time: _,
        update_time: _,
    } = agreement;
    let mut violations = Violations::new();
    violations.check(
        "kind",
        one_of::<AgreementKind>(kind, "kind of an agreement"),
    );
    let parties = check_parties(parties, &mut violations);
    let title = check_title(title, MAX_TITLE, &mut violations);
    let summary = check_summary(summary, &mut violations);
    let themes = check_themes(&themes, &mut violations);
    let sources = check_sources(sources, &mut violations);
    let steps = check_steps(steps, &parties, sources.len(), &mut violations);
    violations.check("event", given(&event, parse_event_name));
    let agreement = Agreement {
        kind,
        parties,
        title,
        summary,
        themes,
        steps,
        event,
        sources,
        ..Agreement::default()
    };
    records::check_size(&agreement, &mut violations);
    let places = Record::<Model>::places(&agreement).len();
    if violations.is_empty() && places > MAX_PLACES {
        let description = format!(
            "{places} entries of indexes for {} countries; at most {MAX_PLACES}",
            countries(&agreement).count()
        );
        violations.push("steps", description);
    }
    violations.into_result(agreement)
}

fn check_parties(parties: Vec<Party>, violations: &mut Violations) -> Vec<Party> {
    if parties.is_empty() || parties.len() > MAX_PARTIES {
        let description = format!("{} parties: 1 to {MAX_PARTIES} are required", parties.len());
        violations.push("parties", description);
        return Vec::new();
    }
    let mut checked: Vec<Party> = Vec::with_capacity(parties.len());
    for (index, party) in parties.into_iter().enumerate() {
        let field = format!("parties[{index}]");
        let party = violations.check_nested(&field, check_party(party));
        if let Some(party) = party {
            if checked.contains(&party) {
                violations.push(field, "twice");
            }
            checked.push(party);
        }
    }
    let countries = checked
        .iter()
        .filter(|party| !party.country.is_empty())
        .count();
    if countries > MAX_COUNTRIES {
        violations.push(
            "parties",
            format!("{countries} countries; at most {MAX_COUNTRIES}"),
        );
    }
    checked
}

fn check_party(party: Party) -> Result<Party, Violations> {
    let Party {
        country,
        organisation,
    } = party;
    let mut violations = Violations::new();
    if country.is_empty() == organisation.is_none() {
        violations.push("", "a country or an organisation is required, not both");
    }
    let country = violations.check("country", given(&country, one_country));
    let organisation = organisation.map(check_organisation).transpose();
    let organisation = violations.check_nested("organisation", organisation);
    let country = country.flatten().map(|country| country.to_string());
    violations.into_result(Party {
        country: country.unwrap_or_default(),
        organisation: organisation.flatten(),
    })
}

fn check_steps(
    steps: Vec<AgreementStep>,
    parties: &[Party],
    sources: usize,
    violations: &mut Violations,
) -> Vec<AgreementStep> {
    let check = |step| check_step(step, parties, sources);
    check_list("steps", steps, 0..=MAX_STEPS, check, violations)
}

fn check_step(
    step: AgreementStep,
    parties: &[Party],
    sources: usize,
) -> Result<AgreementStep, Violations> {
    let AgreementStep {
        kind,
        date,
        country,
        source,
        note,
    } = step;
    let mut violations = Violations::new();
    violations.check("kind", one_of::<StepKind>(kind, "kind of a step"));
    let date = date.ok_or_else(|| Violations::one("", "is required"));
    let date = violations.check_nested("date", date.and_then(CivilDate::try_from));
    if !country.is_empty() && parties.iter().all(|party| party.country != country) {
        violations.push("country", "is no party to the agreement");
    }
    violations.check("source", source_index(source, sources));
    let note = violations.check("note", given(&note, |text| check_text(text, MAX_NOTE)));
    violations.into_result(AgreementStep {
        kind,
        date: date.map(Into::into),
        country,
        source,
        note: note.flatten().unwrap_or_default(),
    })
}

/// Which agreements; all that is given must hold.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    topic: Option<Topic>,
    kinds: Vec<i32>,
    themes: Vec<i32>,
    window: Option<DateWindow>,
    event: String,
}

impl TryFrom<AgreementFilter> for Filter {
    type Error = Violations;

    fn try_from(filter: AgreementFilter) -> Result<Filter, Violations> {
        let AgreementFilter {
            country,
            partner,
            kinds,
            themes,
            window,
            event,
        } = filter;
        let mut violations = Violations::new();
        let topic = Topic::parse(&country, &partner, &mut violations);
        let kind = |number| one_of::<AgreementKind>(number, "kind of an agreement");
        let kinds = check_each("kinds", &kinds, kind, &mut violations);
        let themes = check_themes(&themes, &mut violations);
        let window = window.map(DateWindow::try_from).transpose();
        let window = violations.check_nested("window", window);
        violations.check("event", given(&event, parse_event_name));
        violations.into_result(Filter {
            topic: topic.flatten(),
            kinds,
            themes,
            window: window.flatten(),
            event,
        })
    }
}

impl records::Filter<Model> for Filter {
    type Wire = AgreementFilter;
    type Record = Agreement;

    /// An agreement may take a step long after its first, so a window bounds its first step on one side only.
    fn span(&self) -> Span {
        let span = match self.topic {
            _ if !self.event.is_empty() => Span::of(BY_EVENT, text_group(&self.event)),
            Some(topic) => Span::of(BY_TOPIC, topic.bytes()),
            None => Span::of(BY_DATE, []),
        };
        let until = self.window.and_then(DateWindow::end).map(Day::ordinal);
        span.between(0, until)
    }

    fn lets_through(&self, agreement: &Agreement) -> bool {
        has_wanted(&self.kinds, &[agreement.kind])
            && has_wanted(&self.themes, &agreement.themes)
            && (self.event.is_empty() || self.event == agreement.event)
            && self
                .topic
                .is_none_or(|topic| topic.is_among(countries(agreement)))
            && self
                .window
                .is_none_or(|window| step_dates(agreement).any(|date| window.may_hold(date)))
    }
}
