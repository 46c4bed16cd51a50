//! The components of a calendar: each `VEVENT` with its own properties; the others are passed over.
//!
//! After a fault the walk goes on where the next component begins or ends, so that all faults are told at once. An
//! event in which there is one is left out.

use std::collections::HashSet;

use super::lines::{Fault, Line, read};
use super::read::{Usage, usage};
use super::remarks::Report;

/// Nobody nests deeper than an alarm in an event.
const MAX_DEPTH: usize = 16;
const CALENDAR: &str = "VCALENDAR";
const EVENT: &str = "VEVENT";

/// An event as its properties stand in the calendar.
#[derive(Debug)]
pub(super) struct Draft {
    /// The line of its BEGIN.
    pub(super) at: usize,
    /// Its properties, in their order; those of components inside it are not among them.
    pub(super) lines: Vec<Line>,
    is_faulty: bool,
}

/// Walks through a calendar: its events without a fault. `most` of them are kept, and all are counted, the faulty
/// ones too.
pub(super) fn walk(content: &[u8], most: usize, report: &mut Report) -> (Vec<Draft>, usize) {
    let mut walk = Walk {
        report,
        most,
        open: Vec::new(),
        draft: None,
        drafts: Vec::new(),
        events: 0,
        has_calendar: false,
        has_version: true,
        noted: HashSet::new(),
        is_over: false,
    };
    for line in read(content) {
        match line {
            Ok(line) => walk.line(line),
            Err(fault) => walk.fault(&fault),
        }
        if walk.is_over {
            return (walk.drafts, walk.events);
        }
    }
    walk.close_down_to(0);
    if !walk.has_calendar && walk.report.refusals.len() == 0 {
        walk.refuse(1, CALENDAR, "there is none");
    }
    (walk.drafts, walk.events)
}

struct Open {
    name: String,
    at: usize,
}

struct Walk<'a> {
    report: &'a mut Report,
    most: usize,
    open: Vec<Open>,
    draft: Option<Draft>,
    drafts: Vec<Draft>,
    events: usize,
    has_calendar: bool,
    has_version: bool,
    noted: HashSet<String>,
    is_over: bool,
}

impl Walk<'_> {
    fn line(&mut self, line: Line) {
        match line.name.as_str() {
            "BEGIN" => self.begin(line.value().to_ascii_uppercase(), line.at),
            "END" => self.end(&line.value().to_ascii_uppercase(), line.at),
            _ => self.property(line),
        }
    }

    fn fault(&mut self, fault: &Fault) {
        self.refuse(fault.at, &fault.property, fault.text.clone());
    }

    /// Refuses a line, and the event around it.
    fn refuse(&mut self, at: usize, property: &str, text: impl Into<String>) {
        self.report.refuse(at, property, text);
        if let Some(draft) = &mut self.draft {
            draft.is_faulty = true;
        }
    }

    fn begin(&mut self, name: String, at: usize) {
        match name.as_str() {
            CALENDAR => {
                self.close_down_to(0);
                self.has_calendar = true;
                self.has_version = false;
            }
            EVENT => self.begin_event(at),
            _ => self.pass_over(&name, at),
        }
        if self.open.len() == MAX_DEPTH {
            let text = format!("more than {MAX_DEPTH} components inside another; not read on");
            self.refuse(at, &name, text);
            self.is_over = true;
        }
        self.open.push(Open { name, at });
    }

    fn begin_event(&mut self, at: usize) {
        let outer = self.open.first().filter(|outer| outer.name == CALENDAR);
        let is_inside = outer.is_some();
        self.close_down_to(usize::from(is_inside));
        self.events += 1;
        self.draft = Some(Draft {
            at,
            lines: Vec::new(),
            is_faulty: false,
        });
        if !is_inside {
            self.refuse(at, EVENT, "stands outside of a calendar");
        }
    }

    /// Notes a kind of component that is not looked into, once.
    fn pass_over(&mut self, name: &str, at: usize) {
        let is_nested = self
            .open
            .last()
            .is_some_and(|outer| outer.name != CALENDAR && outer.name != EVENT);
        if !is_nested && self.noted.insert(name.to_owned()) {
            let why = if name == "VTIMEZONE" {
                "is passed over: dates are taken as they are written"
            } else {
                "is passed over: only events are read"
            };
            self.report.note(at, name, why);
        }
    }

    fn end(&mut self, name: &str, at: usize) {
        let Some(place) = self.open.iter().rposition(|open| open.name == name) else {
            self.refuse(at, name, "END without BEGIN");
            return;
        };
        self.close_down_to(place + 1);
        let Some(open) = self.open.pop() else {
            return;
        };
        match name {
            EVENT => self.end_event(),
            CALENDAR if !self.has_version => {
                let text = "VERSION is missing; read as 2.0";
                self.report.note(open.at, CALENDAR, text);
            }
            _ => {}
        }
    }

    fn end_event(&mut self) {
        let draft = self.draft.take().filter(|draft| !draft.is_faulty);
        if self.drafts.len() < self.most {
            self.drafts.extend(draft);
        }
    }

    /// Gives up what was opened and not closed, until so many are open.
    fn close_down_to(&mut self, left: usize) {
        while self.open.len() > left {
            let Some(Open { name, at }) = self.open.pop() else {
                return;
            };
            self.refuse(at, &name, "is not closed");
            if name == EVENT {
                self.draft = None;
            }
        }
    }

    fn property(&mut self, line: Line) {
        match self.open.last().map(|open| open.name.as_str()) {
            Some(EVENT) => self.property_of_event(line),
            Some(CALENDAR) => self.property_of_calendar(&line),
            Some(_) => {}
            None => self.refuse(line.at, &line.name, "stands outside of a calendar"),
        }
    }

    fn property_of_calendar(&mut self, line: &Line) {
        match line.name.as_str() {
            "VERSION" => {
                self.has_version = true;
                if line.value() != "2.0" {
                    self.report
                        .note(line.at, &line.name, "is not 2.0; read as if it were");
                }
            }
            "CALSCALE" if !line.value().eq_ignore_ascii_case("GREGORIAN") => {
                let text = "is not GREGORIAN: its dates are not understood; not read on";
                self.refuse(line.at, &line.name, text);
                self.is_over = true;
            }
            _ => {}
        }
    }

    fn property_of_event(&mut self, line: Line) {
        match usage(&line.name) {
            Usage::Read => {
                if let Some(draft) = &mut self.draft {
                    draft.lines.push(line);
                }
            }
            Usage::Implied => {}
            Usage::Unknown => {
                if self.noted.insert(line.name.clone()) {
                    self.report
                        .note(line.at, &line.name, "is left out wherever it stands");
                }
            }
        }
    }
}
