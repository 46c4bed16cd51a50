//! How an event is shown.

use prost_types::Timestamp;
use proto::events::v1 as wire;
use wire::{Event, EventKind, EventStatus, LinkKind, OfficeLevel, Participant, ParticipantRole};

use super::{each_once, organisation, themes};
use crate::record::{Events, Kind, Shown};
use crate::sources::Footnotes;
use crate::{dates, names, output, words};

impl Shown for Events {
    const TITLES: &'static [&'static str] = &[
        "event", "date", "kind", "status", "who", "place", "title", "source",
    ];
    const CSV: &'static [&'static str] = &[
        "event",
        "kind",
        "status",
        "start_date",
        "end_date",
        "title",
        "summary",
        "participants",
        "place_country",
        "place",
        "themes",
        "links",
        "cameo_code",
        "source_title",
        "source_publisher",
        "source_uri",
        "recorded",
    ];

    fn row(event: &Event, language: &str, notes: &mut Footnotes) -> Vec<String> {
        vec![
            words::id(&event.name).to_owned(),
            date(event),
            names::shown::<EventKind>(event.kind),
            names::shown::<EventStatus>(event.status),
            who(event, language),
            place(event, language),
            words::text_in(event.title.as_ref(), language),
            notes.all_marks(&event.sources),
        ]
    }

    fn cells(event: &Event, language: &str) -> Vec<String> {
        let people = event.participants.iter();
        let people: Vec<String> = people.map(|one| participant(one, language)).collect();
        let links: Vec<String> = event.links.iter().map(link).collect();
        let place = event.place.clone().unwrap_or_default();
        let source = event.sources.first().cloned().unwrap_or_default();
        vec![
            event.name.clone(),
            names::shown::<EventKind>(event.kind),
            names::shown::<EventStatus>(event.status),
            dates::date(event.start_date.as_ref()),
            dates::date(event.end_date.as_ref()),
            output::safe(&words::text_in(event.title.as_ref(), language)),
            output::safe(&words::text_in(event.summary.as_ref(), language)),
            output::safe(&people.join("; ")),
            place.country.clone(),
            output::safe(&words::text_in(place.name.as_ref(), language)),
            themes(&event.themes),
            output::safe(&links.join("; ")),
            event.cameo_code.clone(),
            output::safe(&source.title),
            output::safe(&source.publisher),
            output::safe(&source.uri),
            words::instant(event.create_time.as_ref()),
        ]
    }

    fn lines(event: &Event, language: &str) -> Vec<(String, String)> {
        let mut rows = words::texts_from("title", event.title.as_ref(), language);
        let mut line = |title: &str, text: String| rows.push((title.to_owned(), text));
        line("kind", names::shown::<EventKind>(event.kind));
        line("status", names::shown::<EventStatus>(event.status));
        line("date", date(event));
        line("place", place(event, language));
        for one in &event.participants {
            let role = names::shown::<ParticipantRole>(one.role);
            line(&role, participant(one, language));
        }
        line("themes", themes(&event.themes));
        line("CAMEO", event.cameo_code.clone());
        for one in &event.links {
            line("link", link(one));
        }
        rows.extend(words::texts_from(
            "summary",
            event.summary.as_ref(),
            language,
        ));
        rows
    }

    fn times(event: &Event) -> (Option<&Timestamp>, Option<&Timestamp>) {
        (event.create_time.as_ref(), event.update_time.as_ref())
    }

    fn title(event: &Event, language: &str) -> String {
        words::text_in(event.title.as_ref(), language)
    }

    fn etag(event: &Event) -> &str {
        &event.etag
    }
}

/// When it takes place, as precisely as it is known.
pub(super) fn date(event: &Event) -> String {
    dates::span(event.start_date.as_ref(), event.end_date.as_ref())
}

/// The countries, each once, then organisations without a country: `CHN KAZ SCO`.
pub(super) fn who(event: &Event, language: &str) -> String {
    let people = &event.participants;
    let countries = each_once(people.iter().map(|one| one.country.as_str()));
    let without = people.iter().filter(|one| one.country.is_empty());
    let organisations = without.map(|one| organisation(one.organisation.as_ref(), language));
    let organisations = organisations.filter(|name| !name.is_empty());
    let all = countries.into_iter().map(str::to_owned);
    all.chain(organisations).collect::<Vec<_>>().join(" ")
}

/// Where it takes place: `Astana, KAZ`.
pub(super) fn place(event: &Event, language: &str) -> String {
    event
        .place
        .as_ref()
        .map(|place| place_text(place, language))
        .unwrap_or_default()
}

/// A place in a word or two: `Astana, KAZ`.
pub(crate) fn place_text(place: &proto::r#type::v1::Place, language: &str) -> String {
    let name = words::text_in(place.name.as_ref(), language);
    let parts = [name, place.country.clone()].into_iter();
    let given = parts.filter(|part| !part.is_empty());
    given.collect::<Vec<_>>().join(", ")
}

/// Who takes part, in full: `CHN, Xi Jinping, President (head of state)`.
fn participant(one: &Participant, language: &str) -> String {
    let level = match names::shown::<OfficeLevel>(one.level).as_str() {
        "" => String::new(),
        level => format!("({level})"),
    };
    let parts = [
        one.country.clone(),
        organisation(one.organisation.as_ref(), language),
        words::text_in(one.person.as_ref(), language),
        words::text_in(one.office.as_ref(), language),
    ];
    let given: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{} {level}", given.join(", "))
        .trim_end()
        .to_owned()
}

fn link(link: &wire::Link) -> String {
    format!("{} {}", names::shown::<LinkKind>(link.kind), link.name)
}

/// An event in one line, for what is not a list: `2024-07-02 to 2024-07-04, state visit: …`.
pub(crate) fn in_a_line(event: &Event, language: &str) -> String {
    let kind = names::shown::<EventKind>(event.kind);
    let title = Events::title(event, language);
    let place = match place(event, language).as_str() {
        "" => String::new(),
        place => format!(" ({place})"),
    };
    format!("{}, {kind}: {title}{place}", date(event))
}

/// Its name without the collection, where there is an event.
pub(super) fn id(event: &Event) -> &str {
    words::id(Events::name(event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_participant_is_told_with_person_office_and_level() {
        let text = |text: &str| proto::LocalizedText::new("en", text).ok().map(Into::into);
        let one = Participant {
            country: "CHN".into(),
            person: text("Zhou Enlai"),
            office: text("Premier"),
            level: OfficeLevel::HeadOfGovernment.into(),
            ..Default::default()
        };
        assert_eq!(
            participant(&one, "en"),
            "CHN, Zhou Enlai, Premier (head of government)"
        );
        let event = Event {
            participants: vec![one.clone(), one, Participant::default()],
            ..Default::default()
        };
        assert_eq!(who(&event, "en"), "CHN");
    }

    #[test]
    fn as_many_cells_as_titles() {
        let event = Event::default();
        let row = Events::row(&event, "en", &mut Footnotes::default());
        assert_eq!(row.len(), Events::TITLES.len());
        assert_eq!(Events::cells(&event, "en").len(), Events::CSV.len());
    }
}
