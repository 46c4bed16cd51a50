//! Events: visits, summits, calls, statements.

use std::collections::BTreeSet;

use proto::events::v1 as wire;
use proto::r#type::v1::{CivilDate as WireDate, LocalizedText as WireText};
use proto::{CivilDate, Country, Day, LocalizedText, Violations};
use proto::{
    check_list, check_once, check_organisation, check_place, check_sources, check_summary,
};
use proto::{check_themes, check_title, event_name, given, one_country, one_of};
use proto::{organisation_texts, parse_agreement_name, parse_event_name};
use records::{Place, Record, Span, Topic, are_about_the_same, countries_only_in, text_group};
use wire::{BatchCreateEventsRequest, BatchCreateEventsResponse, CreateEventRequest};
use wire::{DeleteEventRequest, ListEventVersionsRequest, ListEventsRequest, UpdateEventRequest};
use wire::{Event, EventKind, EventStatus, EventsChange, LinkKind, OfficeLevel, Participant};
use wire::{ParticipantRole, events_change::Change};

use crate::Model;

pub(crate) use proto::stored_date as date;

const MAX_PARTICIPANTS: usize = 100;
/// Every two of them are a key.
pub(crate) const MAX_COUNTRIES: usize = 40;
const MAX_TITLE: usize = 300;
const MAX_NAME: usize = 200;
const MAX_LINKS: usize = 50;
/// How long an event may last, so that a window of days need not be looked for in all that began before it.
pub(crate) const MAX_DAYS: i32 = 731;
/// What lasts no longer than a month is held apart from what may last two years: fewer are in the way.
const SHORT_DAYS: i32 = 31;

/// All events by date.
pub(crate) const BY_DATE: u8 = 1;
/// By pair, by date.
pub(crate) const BY_PAIR: u8 = 2;
/// By the text of a participant, a country's code included, by date.
pub(crate) const BY_PARTICIPANT: u8 = 3;
/// Meetings by pair and level (0: any), by date.
pub(crate) const BY_LEVEL: u8 = 4;
/// By topic, kind, and whether it is short, by date: what may have been entered twice.
const BY_LIKENESS: u8 = 5;

records::fields!(
    Model,
    Event,
    "event",
    [
        kind,
        status,
        themes,
        participants,
        place,
        start_date,
        end_date,
        title,
        summary,
        sources,
        links,
        cameo_code,
    ],
    event_name,
    parse_event_name
);
records::create_request!(Model, CreateEventRequest, event_id, event: Event, allow_duplicate);
records::batch_request!(
    Model,
    BatchCreateEventsRequest of CreateEventRequest,
    BatchCreateEventsResponse { events }
);
records::update_request!(Model, UpdateEventRequest, event: Event);
records::delete_request!(Model, DeleteEventRequest of Event);
records::list_request!(Model, ListEventsRequest);
records::list_request!(Model, now: ListEventVersionsRequest);

impl Record<Model> for Event {
    const KIND: u8 = 1;

    fn check(self) -> Result<Event, Violations> {
        check(self)
    }

    fn recorded(self, before: Option<&Event>) -> EventsChange {
        let former = before.map(|before| countries_only_in(countries(before), countries(&self)));
        let recorded = wire::EventRecorded {
            former_countries: former.unwrap_or_default(),
            event: Some(self),
        };
        EventsChange {
            change: Some(Change::EventRecorded(recorded)),
        }
    }

    fn deleted(self) -> EventsChange {
        let deleted = wire::EventDeleted {
            countries: countries(&self).map(ToString::to_string).collect(),
            name: self.name,
        };
        EventsChange {
            change: Some(Change::EventDeleted(deleted)),
        }
    }

    fn places(&self) -> Vec<Place> {
        let at = date(self.start_date).map_or(0, CivilDate::ordinal);
        let place = |index: u8, group: Vec<u8>| Place { index, group, at };
        let mut places = vec![place(BY_DATE, Vec::new())];
        let topics = self.topics();
        let pairs: Vec<Topic> = topics
            .iter()
            .copied()
            .filter(|topic| topic.is_pair())
            .collect();
        places.extend(
            pairs
                .iter()
                .map(|pair| place(BY_PAIR, pair.bytes().to_vec())),
        );
        let texts = self.participants.iter().flat_map(texts).map(text_group);
        let texts: BTreeSet<[u8; 8]> = texts.collect();
        places.extend(
            texts
                .into_iter()
                .map(|text| place(BY_PARTICIPANT, text.to_vec())),
        );
        if is_meeting(self.kind()) {
            for pair in &pairs {
                let level = level_for(self, *pair);
                let levels = [OfficeLevel::Unspecified, level];
                let differ = if level == OfficeLevel::Unspecified {
                    1
                } else {
                    2
                };
                let levels = levels[..differ].iter();
                places.extend(levels.map(|level| place(BY_LEVEL, level_group(*pair, *level))));
            }
        }
        let is_short = days(self).is_none_or(|(first, last)| first.days_until(last) <= SHORT_DAYS);
        let likeness = alike(&topics).map(|topic| likeness_group(topic, self.kind, is_short));
        places.extend(likeness.map(|group| place(BY_LIKENESS, group)));
        places
    }

    fn until(&self) -> Option<u32> {
        days(self).map(|(_, last)| last.ordinal())
    }

    fn topics(&self) -> Vec<Topic> {
        Topic::all_named(countries(self))
    }

    fn near(&self) -> Vec<Span> {
        let Some((first, last)) = days(self) else {
            return Vec::new();
        };
        let topics = self.topics();
        let span = |topic: Topic, is_short: bool| {
            // What is known to the month is short, what is known to the year is not.
            let from = if is_short {
                first.plus(-SHORT_DAYS).month().ordinal()
            } else {
                start_of_year(first.plus(-MAX_DAYS))
            };
            let group = likeness_group(topic, self.kind, is_short);
            Span::of(BY_LIKENESS, group).between(from, Some(last.ordinal() + 1))
        };
        let spans = alike(&topics).flat_map(|topic| [span(topic, true), span(topic, false)]);
        spans.collect()
    }

    fn resembles(&self, other: &Event) -> bool {
        if self.kind != other.kind {
            return false;
        }
        let overlap = days(self)
            .zip(days(other))
            .is_some_and(|((first, last), (from, until))| first <= until && from <= last);
        overlap && are_about_the_same(countries(self), countries(other))
    }
}

/// The topics by which what was entered twice is found: pairs, or the one country there is.
fn alike(topics: &[Topic]) -> impl Iterator<Item = Topic> {
    let only = topics.len() == 1;
    topics
        .iter()
        .copied()
        .filter(move |topic| only || topic.is_pair())
}

fn likeness_group(topic: Topic, kind: i32, is_short: bool) -> Vec<u8> {
    [
        &topic.bytes()[..],
        &kind.to_be_bytes(),
        &[u8::from(is_short)],
    ]
    .concat()
}

pub(crate) fn level_group(pair: Topic, level: OfficeLevel) -> Vec<u8> {
    [&pair.bytes()[..], &i32::from(level).to_be_bytes()].concat()
}

/// The ordinal before all dates of a day's year, of whatever precision.
pub(crate) fn start_of_year(day: Day) -> u32 {
    day.year().ordinal()
}

/// The countries that take part; some may be there twice.
pub(crate) fn countries(event: &Event) -> impl Iterator<Item = &str> {
    let codes = event
        .participants
        .iter()
        .map(|participant| participant.country.as_str());
    codes.filter(|code| !code.is_empty())
}

/// What a list by participant finds one by.
fn texts(participant: &Participant) -> impl Iterator<Item = &str> {
    let organisation = participant.organisation.iter().flat_map(organisation_texts);
    let person = participant.person.iter();
    let names = person.flat_map(|name| name.texts.values());
    let country = Some(participant.country.as_str()).filter(|code| !code.is_empty());
    let names = names.map(String::as_str);
    country.into_iter().chain(organisation).chain(names)
}

/// Whether a participant is what a filter names: a country code, or a text.
pub(crate) fn takes_part(event: &Event, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    let is_it =
        |participant: &Participant| texts(participant).any(|text| text.to_lowercase() == wanted);
    event.participants.iter().any(is_it)
}

/// Visits, summits and the like: where people of both sides meet.
pub(crate) fn is_meeting(kind: EventKind) -> bool {
    match kind {
        EventKind::StateVisit
        | EventKind::OfficialVisit
        | EventKind::WorkingVisit
        | EventKind::Visit
        | EventKind::Summit
        | EventKind::Ministerial
        | EventKind::Consultation
        | EventKind::MultilateralMeeting => true,
        EventKind::Unspecified
        | EventKind::TelephoneCall
        | EventKind::Signing
        | EventKind::Statement
        | EventKind::Interview
        | EventKind::Anniversary => false,
    }
}

/// The level of a meeting for a pair: the lower of the highest that each of the two has there.
pub(crate) fn level_for(event: &Event, pair: Topic) -> OfficeLevel {
    let highest = |country: Country| {
        let code = country.to_string();
        let of_country = event.participants.iter().filter(|one| one.country == code);
        let levels = of_country.map(|one| one.level).filter(|level| *level != 0);
        levels.min()
    };
    let [one, other] = pair.countries().map(highest);
    let level = one.zip(other).map_or(0, |(one, other)| one.max(other));
    OfficeLevel::try_from(level).unwrap_or_default()
}

/// The first and the last day that an event may have.
pub(crate) fn days(event: &Event) -> Option<(Day, Day)> {
    let start = date(event.start_date)?;
    let end = date(event.end_date).unwrap_or(start);
    Some((start.first(), end.last()))
}

fn check(event: Event) -> Result<Event, Violations> {
    let Event {
        name: _,
        kind,
        status,
        themes,
        participants,
        place,
        start_date,
        end_date,
        title,
        summary,
        sources,
        links,
        cameo_code,
        etag: _,
        create_time: _,
        update_time: _,
    } = event;
    let mut violations = Violations::new();
    violations.check("kind", one_of::<EventKind>(kind, "kind of an event"));
    violations.check(
        "status",
        one_of::<EventStatus>(status, "status of an event"),
    );
    let themes = check_themes(&themes, &mut violations);
    let participants = check_participants(participants, &mut violations);
    let place = violations.check_nested("place", place.map(check_place).transpose());
    let (start_date, end_date) = check_dates(start_date, end_date, &mut violations);
    let title = check_title(title, MAX_TITLE, &mut violations);
    let summary = check_summary(summary, &mut violations);
    let sources = check_sources(sources, &mut violations);
    let links = check_links(links, &mut violations);
    if !cameo_code.is_empty() && !is_cameo(&cameo_code) {
        violations.push("cameo_code", "is no CAMEO event code: 2 to 4 digits");
    }
    let event = Event {
        kind,
        status,
        themes,
        participants,
        place: place.flatten(),
        start_date: start_date.map(Into::into),
        end_date: end_date.map(Into::into),
        title,
        summary,
        sources,
        links,
        cameo_code,
        ..Event::default()
    };
    records::check_size(&event, &mut violations);
    violations.into_result(event)
}

fn is_cameo(code: &str) -> bool {
    (2..=4).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit())
}

fn check_dates(
    start: Option<WireDate>,
    end: Option<WireDate>,
    violations: &mut Violations,
) -> (Option<CivilDate>, Option<CivilDate>) {
    let start = start.ok_or_else(|| Violations::one("", "is required"));
    let start = violations.check_nested("start_date", start.and_then(CivilDate::try_from));
    let end = end.map(CivilDate::try_from).transpose();
    let end = violations.check_nested("end_date", end).flatten();
    if let (Some(start), Some(end)) = (start, end) {
        if end.last() < start.first() {
            violations.push("end_date", format!("{end} is before `start_date`, {start}"));
        } else if start.first().days_until(end.last()) > MAX_DAYS {
            violations.push(
                "end_date",
                format!("{end} is more than two years after {start}"),
            );
        }
    }
    (start, end)
}

fn check_participants(
    participants: Vec<Participant>,
    violations: &mut Violations,
) -> Vec<Participant> {
    let checked = check_list(
        "participants",
        participants,
        1..=MAX_PARTICIPANTS,
        check_participant,
        violations,
    );
    let codes = checked.iter().map(|one| one.country.as_str());
    let countries: BTreeSet<&str> = codes.filter(|code| !code.is_empty()).collect();
    if countries.len() > MAX_COUNTRIES {
        let description = format!("{} countries; at most {MAX_COUNTRIES}", countries.len());
        violations.push("participants", description);
    }
    checked
}

fn check_participant(participant: Participant) -> Result<Participant, Violations> {
    let Participant {
        country,
        organisation,
        person,
        office,
        level,
        role,
    } = participant;
    let mut violations = Violations::new();
    if country.is_empty() && organisation.is_none() {
        violations.push("", "has neither country nor organisation");
    }
    let country = violations.check("country", given(&country, one_country));
    let organisation = organisation.map(check_organisation).transpose();
    let organisation = violations.check_nested("organisation", organisation);
    let names = |text: Option<WireText>| {
        let names = text.map(|text| LocalizedText::names(text, MAX_NAME));
        names.transpose()
    };
    let person = violations.check_nested("person", names(person));
    let office = violations.check_nested("office", names(office));
    if OfficeLevel::try_from(level).is_err() {
        violations.push("level", format!("{level} is no level of an office"));
    }
    violations.check(
        "role",
        one_of::<ParticipantRole>(role, "role of a participant"),
    );
    let text = |country: Option<Country>| country.map(|c| c.to_string()).unwrap_or_default();
    violations.into_result(Participant {
        country: text(country.flatten()),
        organisation: organisation.flatten(),
        person: person.flatten().map(Into::into),
        office: office.flatten().map(Into::into),
        level,
        role,
    })
}

fn check_links(links: Vec<wire::Link>, violations: &mut Violations) -> Vec<wire::Link> {
    let keys = links.iter().map(|link| (link.kind, &link.name));
    check_once("links", keys, violations);
    check_list("links", links, 0..=MAX_LINKS, check_link, violations)
}

fn check_link(link: wire::Link) -> Result<wire::Link, Violations> {
    let wire::Link { kind, name } = &link;
    let kind = one_of(*kind, "kind of a link").map_err(|why| Violations::one("kind", why))?;
    let parsed = match kind {
        LinkKind::SignedAgreement | LinkKind::DiscussedAgreement => parse_agreement_name(name),
        LinkKind::FollowsUp | LinkKind::Prepares | LinkKind::SideEventOf => parse_event_name(name),
        LinkKind::Unspecified => return Ok(link),
    };
    match parsed {
        Ok(_) => Ok(link),
        Err(error) => Err(Violations::one("name", error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::r#type::v1::Organisation;

    #[test]
    fn an_organisation_is_no_country() {
        let countries = [
            "AFG", "ARE", "ARM", "AUT", "AZE", "BEL", "BGR", "BLR", "CHE", "CHN", "CZE", "DEU",
            "DNK", "EGY", "ESP", "EST", "FIN", "FRA", "GBR", "GEO", "GRC", "HUN", "IDN", "IND",
            "IRL", "IRN", "ITA", "JPN", "KAZ", "KGZ", "KOR", "LTU", "LVA", "MNG", "NLD", "PAK",
            "POL", "RUS", "TJK", "UZB",
        ];
        assert_eq!(countries.len(), MAX_COUNTRIES);
        let party = |country: &str| Participant {
            country: country.into(),
            role: ParticipantRole::Party.into(),
            ..Participant::default()
        };
        let organisation = Participant {
            organisation: Some(Organisation {
                code: "SCO".into(),
                display_name: None,
            }),
            ..party("")
        };
        let violations_of = |last: Participant| {
            let mut violations = Violations::new();
            let all = countries.map(party).into_iter().chain([last]).collect();
            check_participants(all, &mut violations);
            violations.to_string()
        };
        assert_eq!(violations_of(organisation), "");
        let expected = "participants: 41 countries; at most 40";
        assert_eq!(violations_of(party("VNM")), expected);
    }
}
