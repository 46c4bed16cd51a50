//! A calendar that is to be read, and the decision to create its events.

use std::collections::HashSet;

use prost::Message;
use proto::events::v1 as wire;
use proto::{Slug, Violations, check_language, given, parse_event_name};
use records::{Error, New, Record, Who, get_version};
use store::{Decision, Micros, Origin, Request, Stamp, State};
use wire::{Event, EventsChange, ImportCalendarRequest, ImportCalendarResponse};

use super::lines::bare_end;
use super::read::{self, Context, Found};
use super::remarks::Report;
use super::walk::walk;
use crate::Model;

const MAX_CONTENT: usize = 1_000_000;
const MAX_EVENTS: usize = 500;
/// What is created is one write, and an entry of the journal with another write beside it must fit the message that
/// a watcher takes.
const MAX_BYTES: usize = 1_500_000;
const MARK: &[u8] = b"\xEF\xBB\xBF";
const METHOD: &str = "ImportCalendarRequest";

/// A calendar that was read.
#[derive(Debug)]
pub(crate) struct Import {
    read: Vec<Candidate>,
    report: Report,
    skip_refused: bool,
    allow_duplicate: bool,
    validate_only: bool,
}

/// An event that may be created.
#[derive(Debug)]
struct Candidate {
    found: Found,
    /// Those before it that look like it.
    alike: Vec<usize>,
}

impl Import {
    /// Reads a calendar. What is refused in it is told by [`Import::decide`], together with what looks like an event
    /// that is there.
    ///
    /// # Errors
    /// All that is wrong with the request beside the lines of its calendar.
    pub(crate) fn parse(
        request: tonic::Request<ImportCalendarRequest>,
    ) -> Result<(Import, Origin), Violations> {
        let (who, mut request) = Who::take(request);
        let request_id = std::mem::take(&mut request.request_id);
        let origin = who.asks(METHOD, &request_id, &request);
        let ImportCalendarRequest {
            content,
            defaults,
            language_code,
            skip_refused,
            allow_duplicate,
            validate_only,
            request_id: _,
        } = request;
        let mut violations = Violations::new();
        let origin = violations.check("request_id", origin);
        let language = violations.check("language_code", given(&language_code, check_language));
        let defaults = violations.check_nested("defaults", check_defaults(defaults));
        violations.check("content", check_size(&content));
        let (Some(origin), Some(language), Some(defaults)) = (origin, language, defaults) else {
            return Err(violations);
        };
        violations.into_result(())?;
        let context = Context {
            language: language.as_deref().unwrap_or("en"),
            defaults: &defaults,
        };
        let mut report = Report::default();
        let found = find(&content, context, &mut report)?;
        let import = Import {
            read: candidates(found, allow_duplicate),
            report,
            skip_refused,
            allow_duplicate,
            validate_only,
        };
        Ok((import, origin))
    }

    /// Whether it is only asked what would be done.
    pub(crate) fn validate_only(&self) -> bool {
        self.validate_only
    }

    /// Decides to create the events that are not there.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what is refused, by line, unless that is to be left out; [`Error::RequestIdReused`].
    pub(crate) fn decide(
        mut self,
        state: &State<'_>,
        time: Micros,
        request: Option<Request>,
    ) -> Result<Decision<EventsChange, ImportCalendarResponse>, Error> {
        if let Some(subject) = records::done(state, request)? {
            return self.already_done(state, &subject);
        }
        let read = std::mem::take(&mut self.read);
        let mut events = Vec::new();
        let mut names: Vec<Option<String>> = Vec::with_capacity(read.len());
        for Candidate { found, alike } in read {
            let twin = alike.iter().find_map(|index| names[*index].clone());
            let created = self.create(state, time, found, twin)?;
            names.push(created.as_ref().map(|event| event.name.clone()));
            events.extend(created);
        }
        if self.report.refusals.len() > 0 && !self.skip_refused {
            return Err(self.refused().into());
        }
        let subject = names.into_iter().flatten().next().unwrap_or_default();
        let changes = events.iter().cloned();
        Ok(Decision {
            changes: changes
                .map(|event| Record::<Model>::recorded(event, None))
                .collect(),
            subject,
            reply: self.response(events),
        })
    }

    /// An event as it is once it is created; `None` when it is not, and why is in the report.
    fn create(
        &mut self,
        state: &State<'_>,
        time: Micros,
        found: Found,
        twin: Option<String>,
    ) -> Result<Option<Event>, Error> {
        let Found { id, event, at } = found;
        let stamp = Stamp {
            time,
            ..state.stamp()
        };
        let new = New::<Model, Event>::checked(id, event, self.allow_duplicate);
        let decided = match new.decide(state, stamp, None) {
            Ok(decision) => match twin {
                None => Ok(decision.reply),
                Some(twin) => Err(Error::LooksLike(twin)),
            },
            Err(error) => Err(error),
        };
        match decided {
            Ok(event) => return Ok(Some(event)),
            Err(Error::AlreadyExists(name)) => self.note_there(at, &name),
            Err(Error::LooksLike(name)) => {
                let text = format!("looks like {name}; ask with `allow_duplicate` if they are two");
                self.report.refuse(at, "VEVENT", text);
            }
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    fn note_there(&mut self, at: usize, name: &str) {
        let text = format!("{name} is there already, or was; left as it is");
        self.report.note(at, "UID", text);
    }

    /// The answer to a request that was done: the events that it created, as they are now. They have one time of
    /// creation, which no other write has.
    fn already_done(
        mut self,
        state: &State<'_>,
        first: &str,
    ) -> Result<Decision<EventsChange, ImportCalendarResponse>, Error> {
        let first = parse_event_name(first).ok();
        let first = first.map(|id| get_version::<Model, Event>(state, &id, Micros::MAX));
        let then = first.transpose()?.map(|version| version.created());
        let mut events = Vec::new();
        for Candidate { found, alike: _ } in std::mem::take(&mut self.read) {
            let Found { id, event: _, at } = found;
            match get_version::<Model, Event>(state, &id, Micros::MAX) {
                Ok(version) if Some(version.created()) == then => {
                    events.extend(version.record::<Event>()?);
                }
                Ok(_) => self.note_there(at, &proto::event_name(&id)),
                Err(Error::NotFound(_)) => {
                    let text = "was refused when it was asked for first";
                    self.report.refuse(at, "VEVENT", text);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Decision::nothing(self.response(events)))
    }

    fn refused(self) -> Violations {
        let mut violations = Violations::new();
        for remark in self.report.refusals.into_wire() {
            let property = remark.property;
            let separator = if property.is_empty() { "" } else { ": " };
            let text = format!("{property}{separator}{}", remark.text);
            violations.push(format!("content[line {}]", remark.line), text);
        }
        violations
    }

    fn response(self, mut events: Vec<Event>) -> ImportCalendarResponse {
        if self.validate_only {
            for event in &mut events {
                // They have neither yet.
                event.etag.clear();
                (event.create_time, event.update_time) = (None, None);
            }
        }
        ImportCalendarResponse {
            events,
            notes: self.report.notes.into_wire(),
            refusals: self.report.refusals.into_wire(),
        }
    }
}

fn check_size(content: &[u8]) -> Result<(), String> {
    match content.len() {
        0 => Err("is required".into()),
        1..=MAX_CONTENT => Ok(()),
        bytes => Err(format!("{bytes} bytes; at most {MAX_CONTENT}")),
    }
}

/// Checks what the request gives for all events.
fn check_defaults(defaults: Option<Event>) -> Result<Event, Violations> {
    let defaults = defaults.ok_or_else(|| Violations::one("", "is required"))?;
    let mut violations = Violations::new();
    for field in others_given(&defaults) {
        let text = "must be empty: a calendar says it, or nobody does";
        violations.push(field, text);
    }
    // What is not given may be in the calendar.
    let given = [
        ("kind", defaults.kind != 0),
        ("status", defaults.status != 0),
        ("themes", !defaults.themes.is_empty()),
        ("participants", !defaults.participants.is_empty()),
        ("sources", !defaults.sources.is_empty()),
    ];
    if let Err(wrong) = Record::<Model>::check(defaults.clone()) {
        for (field, why) in wrong.iter() {
            let root = field.split(['.', '[']).next().unwrap_or_default();
            if given.contains(&(root, true)) {
                violations.push(field, why);
            }
        }
    }
    violations.into_result(defaults)
}

/// The fields that are given although they are not the same for all events.
fn others_given(defaults: &Event) -> impl Iterator<Item = &'static str> {
    let Event {
        name,
        kind: _,
        status: _,
        themes: _,
        participants: _,
        place,
        start_date,
        end_date,
        title,
        summary,
        sources: _,
        links,
        cameo_code,
        etag,
        create_time,
        update_time,
    } = defaults;
    let others = [
        ("name", !name.is_empty()),
        ("place", place.is_some()),
        ("start_date", start_date.is_some()),
        ("end_date", end_date.is_some()),
        ("title", title.is_some()),
        ("summary", summary.is_some()),
        ("links", !links.is_empty()),
        ("cameo_code", !cameo_code.is_empty()),
        ("etag", !etag.is_empty()),
        ("create_time", create_time.is_some()),
        ("update_time", update_time.is_some()),
    ];
    let given = others.into_iter().filter(|(_, is_given)| *is_given);
    given.map(|(field, _)| field)
}

/// The events of a calendar.
pub(super) fn find(
    bytes: &[u8],
    context: Context<'_>,
    report: &mut Report,
) -> Result<Vec<Found>, Violations> {
    let (drafts, events) = walk(without_mark(bytes, report), MAX_EVENTS, report);
    if events > MAX_EVENTS {
        let text = format!("{events} events; at most {MAX_EVENTS}");
        return Err(Violations::one("content", text));
    }
    let read = drafts
        .iter()
        .filter_map(|draft| read::event(draft, context, report));
    let read: Vec<Found> = read.collect();
    let sizes = read.iter().map(|found| found.event.encoded_len());
    let size: usize = sizes.sum();
    if size > MAX_BYTES {
        let text = format!("its events are {size} bytes in all; at most {MAX_BYTES}");
        return Err(Violations::one("content", text));
    }
    records::check_weight::<Model, _>("content", read.iter().map(|found| &found.event))?;
    Ok(each_once(read, report))
}

/// The calendar after a byte order mark.
fn without_mark<'a>(bytes: &'a [u8], report: &mut Report) -> &'a [u8] {
    let text = bytes.strip_prefix(MARK);
    if text.is_some() {
        report.note(1, "", "begins with a byte order mark; passed over");
    }
    let text = text.unwrap_or(bytes);
    if let Some(at) = bare_end(text) {
        let why = "lines end with CR or LF alone, here first; read as CRLF";
        report.note(at, "", why);
    }
    text
}

/// The first event of each id.
fn each_once(read: Vec<Found>, report: &mut Report) -> Vec<Found> {
    let mut ids = HashSet::<Slug>::new();
    let is_first = |found: &Found| {
        let is_first = ids.insert(found.id.clone());
        if !is_first {
            report.refuse(found.at, "UID", "another event before it has the same");
        }
        is_first
    };
    read.into_iter().filter(is_first).collect()
}

/// Holds the events of a calendar against each other, here and not by the writer, whom others wait for.
fn candidates(found: Vec<Found>, allow_duplicate: bool) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::with_capacity(found.len());
    for found in found {
        let before = candidates.iter().enumerate();
        let is_alike = |other: &Candidate| {
            Record::<Model>::resembles(&found.event, &other.found.event) && !allow_duplicate
        };
        let alike = before.filter(|(_, other)| is_alike(other));
        let alike = alike.map(|(index, _)| index).collect();
        candidates.push(Candidate { found, alike });
    }
    candidates
}
