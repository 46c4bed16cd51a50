//! The properties of a `VEVENT` as an event.

use std::collections::HashSet;

use proto::events::v1::{Event, EventStatus};
use proto::r#type::v1::{LocalizedText, Place};
use proto::{CivilDate, Day, Slug, Violations, check_language};
use records::Record;

use super::dates::{self, Moment};
use super::lines::Line;
use super::own::Own;
use super::remarks::Report;
use super::walk::Draft;
use super::words::{self, LANGUAGE};
use super::write;
use crate::Model;

/// Characters of a UID that an id keeps.
const MAX_KEPT: usize = 40;

/// What is done with a property of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// It is read.
    Read,
    /// It says nothing of what is kept here.
    Implied,
    /// It is left out, with a note.
    Unknown,
}

/// What is done with a property of this name.
pub(super) fn usage(name: &str) -> Usage {
    match name {
        "UID" | "DTSTAMP" | "DTSTART" | "DTEND" | "DURATION" | "SUMMARY" | "DESCRIPTION"
        | "LOCATION" | "STATUS" | "RRULE" | "RDATE" | "EXRULE" | "EXDATE" | "RECURRENCE-ID"
        | "CATEGORIES" | "URL" => Usage::Read,
        "CREATED" | "LAST-MODIFIED" | "SEQUENCE" | "TRANSP" => Usage::Implied,
        name if name.starts_with(words::OWN) => Usage::Read,
        _ => Usage::Unknown,
    }
}

/// What holds for all events of a calendar.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    /// The language of texts that do not name theirs.
    pub(super) language: &'a str,
    /// What the calendar does not say.
    pub(super) defaults: &'a Event,
}

/// An event that was read; checked.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) id: Slug,
    pub(super) event: Event,
    /// The line of its BEGIN.
    pub(super) at: usize,
}

/// Reads an event; `None` when it is refused, or left out, and why is in the report.
pub(super) fn event(draft: &Draft, context: Context<'_>, report: &mut Report) -> Option<Found> {
    if let Some(line) = draft.lines.iter().find(|l| l.name == "RECURRENCE-ID") {
        let text = "the event is left out: it is one occurrence of another, and recurrence is not unrolled";
        report.note(line.at, &line.name, text);
        return None;
    }
    let before = report.refusals.len();
    let mut reading = Reading::new(draft, report);
    for line in &draft.lines {
        reading.line(line, context);
    }
    let found = reading.finish(context);
    found.filter(|_| report.refusals.len() == before)
}

/// An event while its lines are read.
struct Reading<'a> {
    draft: &'a Draft,
    report: &'a mut Report,
    event: Event,
    own: Own,
    fields: Fields,
    seen: HashSet<&'a str>,
    start: Option<Moment>,
    end: Option<(&'a Line, Result<Moment, String>)>,
    duration: Option<&'a Line>,
    description: Option<&'a Line>,
    location: Option<&'a Line>,
    status: Option<(&'a Line, EventStatus)>,
    recurs: Option<&'a Line>,
}

impl<'a> Reading<'a> {
    fn new(draft: &'a Draft, report: &'a mut Report) -> Reading<'a> {
        Reading {
            draft,
            report,
            event: Event::default(),
            own: Own::default(),
            fields: Fields::default(),
            seen: HashSet::new(),
            start: None,
            end: None,
            duration: None,
            description: None,
            location: None,
            status: None,
            recurs: None,
        }
    }

    fn line(&mut self, line: &'a Line, context: Context<'_>) {
        let may_repeat = matches!(
            &line.name[..],
            "RRULE" | "RDATE" | "EXRULE" | "EXDATE" | "CATEGORIES"
        );
        let is_own = line.name.starts_with(words::OWN);
        if !self.seen.insert(&line.name) && !may_repeat && !is_own {
            self.report.refuse(line.at, &line.name, "is there twice");
            return;
        }
        match &line.name[..] {
            "DTSTART" => self.start(line),
            "DTEND" => self.end = Some((line, Moment::read(line))),
            "DURATION" => self.duration = Some(line),
            "SUMMARY" => self.title(line, context.language),
            "DESCRIPTION" => self.description = Some(line),
            "LOCATION" => self.location = Some(line),
            "STATUS" => self.status(line),
            "RRULE" | "RDATE" | "EXRULE" | "EXDATE" => {
                self.recurs.get_or_insert(line);
            }
            _ if is_own => {
                let (event, fields) = (&mut self.event, &mut self.fields);
                self.own.line(line, event, fields, self.report);
            }
            _ => {}
        }
    }

    fn start(&mut self, line: &Line) {
        self.fields.set("start_date", line);
        match Moment::read(line) {
            Ok(moment) => {
                if moment.time.is_some() {
                    let text = "the time of day is dropped, and the date taken as it is written";
                    self.report.note(line.at, &line.name, text);
                }
                self.start = Some(moment);
            }
            Err(why) => self.report.refuse(line.at, &line.name, why),
        }
    }

    fn title(&mut self, line: &Line, language: &str) {
        let language = self.language(line, language);
        self.fields.set("title", line);
        self.fields.set(&format!("title.texts[{language}]"), line);
        let title = self.event.title.get_or_insert_default();
        title.texts.insert(language, line.text());
    }

    /// The language of a text: its own, or that of the request.
    fn language(&mut self, line: &Line, language: &str) -> String {
        match line.param(LANGUAGE).map(check_language) {
            None => language.to_owned(),
            Some(Ok(own)) => own,
            Some(Err(error)) => {
                let text = format!("LANGUAGE: {error}; taken as `{language}`");
                self.report.note(line.at, &line.name, text);
                language.to_owned()
            }
        }
    }

    fn status(&mut self, line: &'a Line) {
        let status = match line.value().to_ascii_uppercase().as_str() {
            "TENTATIVE" => EventStatus::Planned,
            "CONFIRMED" => EventStatus::Confirmed,
            "CANCELLED" => EventStatus::Cancelled,
            _ => {
                let text = "is no status of an event; passed over";
                return self.report.note(line.at, &line.name, text);
            }
        };
        self.status = Some((line, status));
    }

    /// Sets the status. An own line says more than STATUS; where they differ, another program has changed STATUS.
    fn settle_status(&mut self) {
        let Some((line, status)) = self.status else {
            return;
        };
        let own = self.event.status();
        if own != EventStatus::Unspecified {
            if write::status(own) == write::status(status) {
                return;
            }
            let text = format!("is not what {} says, and is taken", words::STATUS);
            self.report.note(line.at, &line.name, text);
        }
        self.event.status = status.into();
        self.fields.set("status", line);
    }

    fn finish(mut self, context: Context<'_>) -> Option<Found> {
        self.note_what_is_missing();
        let days = self.days();
        let has_days = days.is_some();
        if let Some((start, end)) = days {
            self.event.start_date = Some(start.into());
            self.event.end_date = end.map(Into::into);
        }
        self.settle_status();
        if self.event.kind == 0 {
            self.texts_of_others(context.language);
        }
        let (event, fields) = (&mut self.event, &mut self.fields);
        self.own.apply(event, fields, self.report);
        complete(event, context.defaults);
        let checked = Record::<Model>::check(std::mem::take(event));
        let event = checked.map_err(|violations| self.refuse(&violations, has_days));
        Some(Found {
            id: self.id(),
            event: event.ok().filter(|_| has_days)?,
            at: self.draft.at,
        })
    }

    fn refuse(&mut self, violations: &Violations, has_days: bool) {
        for (field, why) in violations.iter() {
            // That there is no date was said, and why.
            if has_days || field != "start_date" {
                let (at, property) = self.fields.find(field, self.draft.at);
                self.report.refuse(at, property, told(field, why));
            }
        }
    }

    fn note_what_is_missing(&mut self) {
        for name in ["UID", "DTSTAMP"] {
            if !self.seen.contains(name) {
                let text = match name {
                    "UID" => "is missing; the id is made from dates and texts",
                    _ => "is missing",
                };
                self.report.note(self.draft.at, name, text);
            }
        }
        if let Some(line) = self.recurs.filter(|_| self.start.is_some()) {
            let text = "recurrence is dropped: only the first occurrence is taken";
            self.report.note(line.at, &line.name, text);
        }
    }

    /// The first day, and the last one where that is another.
    fn days(&mut self) -> Option<(CivilDate, Option<CivilDate>)> {
        let Some(start) = self.start.take() else {
            if !self.seen.contains("DTSTART") {
                let (at, name) = self
                    .recurs
                    .map_or((self.draft.at, "VEVENT"), |line| (line.at, &line.name));
                self.report
                    .refuse(at, name, "DTSTART is missing: there is no date");
            }
            return None;
        };
        let last = self.last_day(&start)?;
        let first = self.of_precision(words::DATE_PRECISION, start.day, dates::starting);
        let first = first.unwrap_or_else(|| start.day.date());
        let end = self.of_precision(words::END_PRECISION, last, dates::ending);
        let end = end.or_else(|| (last != first.last()).then(|| last.date()));
        Some((first, end))
    }

    fn last_day(&mut self, start: &Moment) -> Option<Day> {
        let (line, last) = match (self.end.take(), self.duration) {
            (Some((line, end)), duration) => {
                if let Some(duration) = duration {
                    let text = "is passed over: DTEND says when it ends";
                    self.report.note(duration.at, &duration.name, text);
                }
                (line, end.and_then(|end| dates::until(start, &end)))
            }
            (None, Some(line)) => (line, dates::lasting(start, line.value())),
            (None, None) => return Some(start.day),
        };
        self.fields.set("end_date", line);
        match last {
            Ok((day, note)) => {
                if let Some(note) = note {
                    self.report.note(line.at, &line.name, note);
                }
                Some(day)
            }
            Err(why) => {
                self.report.refuse(line.at, &line.name, why);
                None
            }
        }
    }

    /// A date that an own line says is less precise than the day in the calendar.
    fn of_precision(
        &mut self,
        name: &str,
        day: Day,
        date: fn(Day, &str) -> Option<CivilDate>,
    ) -> Option<CivilDate> {
        let line = self.draft.lines.iter().find(|line| line.name == name)?;
        let date = date(day, line.value());
        if date.is_none() {
            let text = format!("does not go with {day}, which is taken as the day that it is");
            self.report.note(line.at, name, text);
        }
        date
    }

    /// The texts of an event that another program wrote.
    fn texts_of_others(&mut self, language: &str) {
        if let Some(line) = self.description {
            self.fields.set("summary", line);
            let language = self.language(line, language);
            self.event.summary = given(&line.text(), language);
        }
        if let Some(line) = self.location {
            self.fields.set("place", line);
            let language = self.language(line, language);
            let name = given(&self.one_line(line), language);
            self.event.place = name.map(|name| Place {
                country: String::new(),
                name: Some(name),
            });
        }
        for name in ["CATEGORIES", "URL"] {
            let mut lines = self.draft.lines.iter();
            if let Some(line) = lines.find(|line| line.name == name) {
                let text = "is left out: kind, themes and sources are those of the request";
                self.report.note(line.at, name, text);
            }
        }
    }

    /// A text of several lines, as an address is, in one.
    fn one_line(&mut self, line: &Line) -> String {
        let text = line.text();
        let rows = text.lines().map(str::trim).filter(|row| !row.is_empty());
        let rows: Vec<&str> = rows.collect();
        if rows.len() > 1 {
            let text = "its lines are joined by commas";
            self.report.note(line.at, &line.name, text);
        }
        rows.join(", ")
    }

    fn id(&self) -> Slug {
        let text = |name: &str| {
            let line = self.draft.lines.iter().find(|line| line.name == name);
            line.map(Line::text).unwrap_or_default()
        };
        let uid = text("UID");
        let uid = uid.trim();
        let own = uid.strip_suffix(words::UID_DOMAIN);
        if let Some(Ok(id)) = own.map(Slug::parse) {
            return id;
        }
        if !uid.is_empty() {
            return made_id(uid, uid);
        }
        let names = ["DTSTART", "DTEND", "DURATION", "SUMMARY", "LOCATION"];
        made_id(&text("SUMMARY"), &names.map(text).join("\n"))
    }
}

/// An id that is the same for the same text; `readable` is what people know it by.
fn made_id(readable: &str, text: &str) -> Slug {
    let kept: String = readable
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(MAX_KEPT)
        .collect();
    let digest = xxhash_rust::xxh3::xxh3_64(text.as_bytes()) >> 32;
    let dash = if kept.is_empty() { "" } else { "-" };
    let id = format!("ics-{}{dash}{digest:08x}", kept.to_ascii_lowercase());
    Slug::parse(&id).expect("letters, digits and dashes between them, 53 at most")
}

/// An optional text: a blank one is none.
fn given(text: &str, language: String) -> Option<LocalizedText> {
    (!text.trim().is_empty()).then(|| LocalizedText {
        texts: [(language, text.to_owned())].into(),
    })
}

/// Takes from the defaults what an event does not say.
fn complete(event: &mut Event, defaults: &Event) {
    if event.kind == 0 {
        event.kind = defaults.kind;
    }
    if event.status == 0 {
        event.status = defaults.status;
    }
    if event.participants.is_empty() {
        event.participants.clone_from(&defaults.participants);
    }
    if event.themes.is_empty() {
        event.themes.clone_from(&defaults.themes);
    }
    if event.sources.is_empty() {
        event.sources.clone_from(&defaults.sources);
    }
}

fn told(field: &str, why: &str) -> String {
    if field.is_empty() {
        why.to_owned()
    } else {
        format!("{field}: {why}")
    }
}

/// Which line gave which field.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, usize, String)>);

impl Fields {
    pub(super) fn set(&mut self, field: &str, line: &Line) {
        self.set_at(field, line.at, &line.name);
    }

    pub(super) fn set_at(&mut self, field: &str, at: usize, property: &str) {
        self.0.push((field.to_owned(), at, property.to_owned()));
    }

    /// The line and the property of a field; those of the event when no property gave it.
    fn find(&self, field: &str, event: usize) -> (usize, &str) {
        let is_in = |part: &str| {
            let rest = field.strip_prefix(part);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let parts = self.0.iter().filter(|(part, ..)| is_in(part));
        let nearest = parts.max_by_key(|(part, ..)| part.len());
        nearest.map_or((event, "VEVENT"), |(_, at, name)| (*at, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_of_any_text() {
        let id = |text: &str| made_id(text, text).as_str().to_owned();
        let texts = [
            "",
            "1961094_636238800000000000",
            "访问",
            &"x".repeat(10_000),
            "A b-c@d.e",
            "-",
        ];
        for text in texts {
            assert!(id(text).starts_with("ics-"), "{text}");
            assert_eq!(id(text), id(text));
        }
        assert_eq!(id("").len(), 12);
        assert_eq!(id(&"x".repeat(10_000)).len(), 53);
        assert_ne!(id("a-b"), id("a_b"));
    }

    #[test]
    fn a_field_is_found_by_its_nearest_line() {
        let read = super::super::lines::read(b"A:1\nB:2\nC:3\n");
        let lines: Vec<Line> = read.map(Result::unwrap).collect();
        let mut fields = Fields::default();
        fields.set("participants[1]", &lines[0]);
        fields.set("participants[1].person", &lines[1]);
        fields.set("title", &lines[2]);
        assert_eq!(fields.find("participants[1].role", 9), (1, "A"));
        assert_eq!(fields.find("participants[1].person.texts[en]", 9), (2, "B"));
        assert_eq!(fields.find("participants[10].role", 9), (9, "VEVENT"));
        assert_eq!(fields.find("title", 9), (3, "C"));
    }
}
