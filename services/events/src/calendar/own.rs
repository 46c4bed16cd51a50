//! The lines that only an export of Entente has.

use std::collections::btree_map::Entry;

use proto::events::v1 as wire;
use proto::r#type::v1::{CivilDate as WireDate, LocalizedText, Source, Theme};
use proto::{CivilDate, Excerpt};
use wire::ParticipantRole;
use wire::{Event, EventKind, EventStatus, Link, LinkKind, OfficeLevel, Participant};

use super::lines::Line;
use super::read::Fields;
use super::remarks::Report;
use super::words::{self, LANGUAGE};

/// Participants, sources or links of which it is known that they are too many; an event has fewer of each.
const TOO_MANY: usize = 101;

/// Texts of participants, which may stand before them.
#[derive(Debug, Default)]
pub(super) struct Own {
    texts: Vec<TextOf>,
}

#[derive(Debug)]
struct TextOf {
    /// From 0.
    participant: usize,
    part: Part,
    language: String,
    text: String,
    at: usize,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Person,
    Office,
    Organisation,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Part::Person => words::PERSON,
            Part::Office => words::OFFICE,
            Part::Organisation => words::ORGANISATION,
        }
    }

    fn field(self) -> &'static str {
        match self {
            Part::Person => "person",
            Part::Office => "office",
            Part::Organisation => "organisation.display_name",
        }
    }

    fn of(self, participant: &mut Participant) -> &mut LocalizedText {
        let text = match self {
            Part::Person => &mut participant.person,
            Part::Office => &mut participant.office,
            Part::Organisation => {
                let organisation = participant.organisation.get_or_insert_default();
                &mut organisation.display_name
            }
        };
        text.get_or_insert_default()
    }
}

/// A line, and what becomes of it.
struct Taking<'a> {
    line: &'a Line,
    fields: &'a mut Fields,
    report: &'a mut Report,
}

impl Own {
    /// Takes a line of which the name begins as ours do.
    pub(super) fn line(
        &mut self,
        line: &Line,
        event: &mut Event,
        fields: &mut Fields,
        report: &mut Report,
    ) {
        let mut taking = Taking {
            line,
            fields,
            report,
        };
        match line.name.as_str() {
            words::KIND => {
                let kind = taking.value("kind", words::KINDS, EventKind::from_str_name);
                event.kind = kind.map_or(0, Into::into);
            }
            words::STATUS => {
                let status = taking.value("status", words::STATUSES, EventStatus::from_str_name);
                event.status = status.map_or(0, Into::into);
            }
            words::THEMES => event.themes = taking.themes(),
            words::TITLE => taking.text("title", event.title.get_or_insert_default()),
            words::SUMMARY => taking.text("summary", event.summary.get_or_insert_default()),
            words::PLACE_COUNTRY => {
                taking.fields.set("place.country", line);
                let place = event.place.get_or_insert_default();
                line.value().clone_into(&mut place.country);
            }
            words::PLACE => {
                let place = event.place.get_or_insert_default();
                taking.text("place.name", place.name.get_or_insert_default());
            }
            words::PARTICIPANT => taking.participant(&mut event.participants),
            words::PERSON => self.texts.extend(taking.text_of(Part::Person)),
            words::OFFICE => self.texts.extend(taking.text_of(Part::Office)),
            words::ORGANISATION => self.texts.extend(taking.text_of(Part::Organisation)),
            words::SOURCE => taking.source(&mut event.sources),
            words::LINK => taking.link(&mut event.links),
            words::CAMEO => {
                taking.fields.set("cameo_code", line);
                line.value().clone_into(&mut event.cameo_code);
            }
            // Read with the dates.
            words::DATE_PRECISION | words::END_PRECISION => {}
            _ => report.note(line.at, &line.name, "is not known here; left out"),
        }
    }

    /// Gives participants their texts.
    pub(super) fn apply(&mut self, event: &mut Event, fields: &mut Fields, report: &mut Report) {
        for text in std::mem::take(&mut self.texts) {
            let TextOf {
                participant,
                part,
                language,
                text,
                at,
            } = text;
            let field = format!("participants[{participant}].{}", part.field());
            fields.set_at(&field, at, part.name());
            match event.participants.get_mut(participant) {
                Some(participant) => {
                    insert(
                        part.of(participant),
                        language,
                        text,
                        (at, part.name()),
                        report,
                    );
                }
                None => report.refuse(at, part.name(), "there is no such participant"),
            }
        }
    }
}

fn insert(
    into: &mut LocalizedText,
    language: String,
    text: String,
    (at, property): (usize, &str),
    report: &mut Report,
) {
    match into.texts.entry(language) {
        Entry::Vacant(place) => {
            place.insert(text);
        }
        Entry::Occupied(other) => {
            let text = format!("the language {} is there twice", Excerpt::of(other.key()));
            report.refuse(at, property, text);
        }
    }
}

impl Taking<'_> {
    fn refuse(&mut self, why: impl Into<String>) {
        self.report.refuse(self.line.at, &self.line.name, why);
    }

    /// The value of an enum that the line names.
    fn value<E>(&mut self, field: &str, prefix: &str, parse: fn(&str) -> Option<E>) -> Option<E> {
        self.fields.set(field, self.line);
        self.named(self.line.value(), prefix, parse)
    }

    fn named<E>(&mut self, word: &str, prefix: &str, parse: fn(&str) -> Option<E>) -> Option<E> {
        let named = parse(&format!("{prefix}{}", word.to_ascii_uppercase()));
        if named.is_none() {
            self.refuse(format!("{} is not known here", Excerpt::of(word)));
        }
        named
    }

    /// The value of an enum that a parameter names; 0 without it.
    fn param<E: Into<i32>>(
        &mut self,
        name: &str,
        prefix: &str,
        parse: fn(&str) -> Option<E>,
    ) -> i32 {
        let word = self.line.param(name);
        let value = word.and_then(|word| self.named(word, prefix, parse));
        value.map_or(0, Into::into)
    }

    fn themes(&mut self) -> Vec<i32> {
        self.fields.set("themes", self.line);
        let words = self.line.value().split(',').take(TOO_MANY);
        let themes =
            words.map(|word| self.named(word.trim(), words::THEME_NAMES, Theme::from_str_name));
        themes.flatten().map(Into::into).collect()
    }

    fn language(&self) -> String {
        self.line.param(LANGUAGE).unwrap_or_default().to_owned()
    }

    fn text(&mut self, field: &str, into: &mut LocalizedText) {
        let language = self.language();
        self.fields
            .set(&format!("{field}.texts[{language}]"), self.line);
        let place = (self.line.at, &self.line.name[..]);
        insert(into, language, self.line.text(), place, self.report);
    }

    fn text_of(&mut self, part: Part) -> Option<TextOf> {
        let place = self.line.param(words::OF_PARTICIPANT);
        let place = place.and_then(|place| place.parse::<usize>().ok()?.checked_sub(1));
        let Some(participant) = place else {
            self.refuse(format!(
                "{}: a number from 1 is needed",
                words::OF_PARTICIPANT
            ));
            return None;
        };
        Some(TextOf {
            participant,
            part,
            language: self.language(),
            text: self.line.text(),
            at: self.line.at,
        })
    }

    /// Notes where the next one of a field comes from; whether there is room for it.
    fn has_room(&mut self, field: &str, there: usize) -> bool {
        if there < TOO_MANY {
            self.fields.set(&format!("{field}[{there}]"), self.line);
        }
        there < TOO_MANY
    }

    fn participant(&mut self, into: &mut Vec<Participant>) {
        if !self.has_room("participants", into.len()) {
            return;
        }
        let param = |name: &str| self.line.param(name).unwrap_or_default().to_owned();
        let (country, code) = (param(words::COUNTRY), param(words::CODE));
        let role = self.param(words::ROLE, words::ROLES, ParticipantRole::from_str_name);
        let level = self.param(words::LEVEL, words::LEVELS, OfficeLevel::from_str_name);
        let organisation = (!code.is_empty()).then_some(proto::r#type::v1::Organisation {
            code,
            display_name: None,
        });
        into.push(Participant {
            country,
            organisation,
            person: None,
            office: None,
            level,
            role,
        });
    }

    fn source(&mut self, into: &mut Vec<Source>) {
        if !self.has_room("sources", into.len()) {
            return;
        }
        let param = |name: &str| self.line.param(name).unwrap_or_default().to_owned();
        into.push(Source {
            title: self.line.text(),
            publisher: param(words::PUBLISHER),
            uri: param(words::ADDRESS),
            licence: param(words::LICENCE),
            note: param(words::NOTE),
            may_be_shown_outside: param(words::SHOWN).eq_ignore_ascii_case("TRUE"),
            published_on: self.date(words::PUBLISHED),
            read_on: self.date(words::READ),
        });
    }

    fn date(&mut self, name: &str) -> Option<WireDate> {
        let date = self.line.param(name)?.parse::<CivilDate>();
        if let Err(error) = &date {
            self.refuse(format!("{name}: {error}"));
        }
        date.ok().map(Into::into)
    }

    fn link(&mut self, into: &mut Vec<Link>) {
        if !self.has_room("links", into.len()) {
            return;
        }
        let kind = self.param(words::LINK_KIND, words::LINK_KINDS, LinkKind::from_str_name);
        into.push(Link {
            kind,
            name: self.line.text(),
        });
    }
}
