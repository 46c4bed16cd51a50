//! An event as a `VEVENT`.

use proto::events::v1 as wire;
use proto::r#type::v1::{LocalizedText as WireText, Source, Theme};
use proto::{CivilDate, LocalizedText, parse_event_name, parse_timestamp};
use wire::{Event, EventStatus, Participant};

use super::dates;
use super::lines::Lines;
use super::words::{self, LANGUAGE, readable, word};
use crate::event::date;

/// Writes an event, in the language of a reader. `changes` says how often it was changed.
pub(super) fn event(lines: &mut Lines, event: &Event, changes: u32, language: &str) {
    lines.raw("BEGIN", "VEVENT");
    identity(lines, event, changes);
    if let Some(start) = date(event.start_date) {
        dates::write(lines, start, date(event.end_date));
    }
    for_readers(lines, event, language);
    for_us(lines, event, language);
    lines.raw("END", "VEVENT");
}

fn identity(lines: &mut Lines, event: &Event, changes: u32) {
    if let Ok(id) = parse_event_name(&event.name) {
        lines.text("UID", &[], &format!("{id}{}", words::UID_DOMAIN));
    }
    let times = [
        ("DTSTAMP", event.update_time),
        ("CREATED", event.create_time),
        ("LAST-MODIFIED", event.update_time),
    ];
    for (name, time) in times {
        let micros = time.and_then(|time| parse_timestamp(&time).ok());
        if let Some(utc) = micros.and_then(dates::utc) {
            lines.raw(name, &utc);
        }
    }
    lines.raw("SEQUENCE", &changes.to_string());
    lines.raw("STATUS", status(event.status()));
    lines.raw("TRANSP", "TRANSPARENT");
}

/// The status in the words of RFC 5545, which has three.
pub(super) fn status(status: EventStatus) -> &'static str {
    match status {
        EventStatus::Planned | EventStatus::Postponed => "TENTATIVE",
        EventStatus::Confirmed
        | EventStatus::UnderWay
        | EventStatus::Concluded
        | EventStatus::Unspecified => "CONFIRMED",
        EventStatus::Cancelled => "CANCELLED",
    }
}

/// What calendars show.
fn for_readers(lines: &mut Lines, event: &Event, language: &str) {
    if let Some((language, title)) = shown(event.title.as_ref(), language) {
        lines.text("SUMMARY", &[(LANGUAGE, &language)], &title);
    }
    let description = description(event, language);
    if !description.is_empty() {
        lines.text("DESCRIPTION", &[], &description);
    }
    let place = event.place.as_ref();
    let name = place.and_then(|place| text(place.name.as_ref(), language));
    let country = place.map(|place| place.country.clone());
    let location = joined([name, country]);
    if !location.is_empty() {
        lines.text("LOCATION", &[], &location);
    }
    let kind = readable(word(event.kind().as_str_name(), words::KINDS));
    let themes = event.themes().map(|theme| readable(theme_word(theme)));
    let categories: Vec<String> = [kind].into_iter().chain(themes).collect();
    // The words of enums hold nothing that is escaped.
    lines.raw("CATEGORIES", &categories.join(","));
    let mut addresses = event.sources.iter().map(|source| source.uri.as_str());
    if let Some(address) = addresses.find(|address| !address.is_empty()) {
        lines.raw("URL", address);
    }
}

fn theme_word(theme: Theme) -> &'static str {
    word(theme.as_str_name(), words::THEME_NAMES)
}

/// Summary, participants and sources, a paragraph each.
fn description(event: &Event, language: &str) -> String {
    let summary = text(event.summary.as_ref(), language).unwrap_or_default();
    let people: Vec<String> = event
        .participants
        .iter()
        .map(|one| participant(one, language))
        .collect();
    let sources: Vec<String> = event.sources.iter().map(source).collect();
    let paragraphs = [summary, people.join("\n"), sources.join("\n")];
    let given: Vec<String> = paragraphs
        .into_iter()
        .filter(|paragraph| !paragraph.is_empty())
        .collect();
    given.join("\n\n")
}

/// `KAZ, Askar, Minister of Trade (host)`.
fn participant(participant: &Participant, language: &str) -> String {
    let organisation = participant.organisation.as_ref();
    let name = organisation.and_then(|one| text(one.display_name.as_ref(), language));
    let name = name.or_else(|| organisation.map(|one| one.code.clone()));
    let person = text(participant.person.as_ref(), language);
    let office = text(participant.office.as_ref(), language);
    let who = joined([Some(participant.country.clone()), name, person, office]);
    let role = word(participant.role().as_str_name(), words::ROLES);
    format!("{who} ({})", role.to_ascii_lowercase())
}

fn source(source: &Source) -> String {
    let parts = [&source.title, &source.publisher, &source.uri];
    format!("Source: {}", joined(parts.map(|part| Some(part.clone()))))
}

fn joined<const N: usize>(parts: [Option<String>; N]) -> String {
    let parts = parts.into_iter().flatten();
    let given: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    given.join(", ")
}

/// What a text says to a reader of a language, and in which language that is.
fn shown(text: Option<&WireText>, language: &str) -> Option<(String, String)> {
    let text = LocalizedText::try_from(text?.clone()).ok()?;
    let shown = text.get(language);
    let (language, _) = text.iter().find(|(_, text)| *text == shown)?;
    Some((language.to_owned(), shown.to_owned()))
}

fn text(text: Option<&WireText>, language: &str) -> Option<String> {
    shown(text, language).map(|(_, text)| text)
}

/// What makes the event again.
fn for_us(lines: &mut Lines, event: &Event, language: &str) {
    let kind = event.kind().as_str_name();
    lines.raw(words::KIND, word(kind, words::KINDS));
    let status = event.status().as_str_name();
    lines.raw(words::STATUS, word(status, words::STATUSES));
    if !event.themes.is_empty() {
        let themes: Vec<&str> = event.themes().map(theme_word).collect();
        lines.raw(words::THEMES, &themes.join(","));
    }
    other_titles(lines, event, language);
    each_language(lines, words::SUMMARY, "", event.summary.as_ref());
    if let Some(place) = &event.place {
        if !place.country.is_empty() {
            lines.raw(words::PLACE_COUNTRY, &place.country);
        }
        each_language(lines, words::PLACE, "", place.name.as_ref());
    }
    for (one, place) in event.participants.iter().zip(1_usize..) {
        participant_for_us(lines, one, &place.to_string(), language);
    }
    for source in &event.sources {
        source_for_us(lines, source);
    }
    for link in &event.links {
        let kind = word(link.kind().as_str_name(), words::LINK_KINDS);
        lines.text(words::LINK, &[(words::LINK_KIND, kind)], &link.name);
    }
    if !event.cameo_code.is_empty() {
        lines.raw(words::CAMEO, &event.cameo_code);
    }
}

/// The title in the languages in which SUMMARY does not have it.
fn other_titles(lines: &mut Lines, event: &Event, language: &str) {
    let summary = shown(event.title.as_ref(), language).map(|(language, _)| language);
    let titles = event.title.iter().flat_map(|title| &title.texts);
    for (language, title) in titles.filter(|(language, _)| Some(*language) != summary.as_ref()) {
        lines.text(words::TITLE, &[(LANGUAGE, language)], title);
    }
}

fn each_language(lines: &mut Lines, name: &str, participant: &str, text: Option<&WireText>) {
    for (language, text) in text.iter().flat_map(|text| &text.texts) {
        let params = [(words::OF_PARTICIPANT, participant), (LANGUAGE, language)];
        lines.text(name, &params, text);
    }
}

fn participant_for_us(lines: &mut Lines, one: &Participant, place: &str, language: &str) {
    let organisation = one.organisation.as_ref();
    let level = match word(one.level().as_str_name(), words::LEVELS) {
        "UNSPECIFIED" => "",
        level => level,
    };
    let params = [
        (words::ROLE, word(one.role().as_str_name(), words::ROLES)),
        (words::LEVEL, level),
        (words::COUNTRY, &one.country),
        (words::CODE, organisation.map_or("", |one| &one.code)),
    ];
    lines.text(words::PARTICIPANT, &params, &participant(one, language));
    let name = organisation.and_then(|one| one.display_name.as_ref());
    each_language(lines, words::ORGANISATION, place, name);
    each_language(lines, words::PERSON, place, one.person.as_ref());
    each_language(lines, words::OFFICE, place, one.office.as_ref());
}

fn source_for_us(lines: &mut Lines, source: &Source) {
    let day = |given| date(given).map(|date: CivilDate| date.to_string());
    let published = day(source.published_on).unwrap_or_default();
    let read = day(source.read_on).unwrap_or_default();
    let params = [
        (words::PUBLISHER, &source.publisher[..]),
        (words::ADDRESS, &source.uri),
        (words::PUBLISHED, &published),
        (words::READ, &read),
        (words::LICENCE, &source.licence),
        (
            words::SHOWN,
            if source.may_be_shown_outside {
                "TRUE"
            } else {
                ""
            },
        ),
        (words::NOTE, &source.note),
    ];
    lines.text(words::SOURCE, &params, &source.title);
}
