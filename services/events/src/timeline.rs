//! What happened between two countries: events, and steps of agreements, in one order.
//!
//! Two indexes by date are walked side by side. The order is by date, then events before steps, then by id, then by
//! the step's place in its agreement; back from the end it is all of that reversed.

use proto::events::v1 as wire;
use proto::{DateWindow, Day, PageTokenError, Slug, Violations};
use records::{Error, Page, Paging, Span, Standing, Topic, standing};
use store::{Micros, State};
use wire::{Agreement, Event, ListTimelineRequest, TimelineEntry, TimelineStep, timeline_entry};

use crate::Model;
use crate::agreement::{BY_STEP, is_about};
use crate::event::{BY_PAIR, date};
use crate::filter::{may_lie, overlaps, within};

const MAX_LOOKS: usize = 2_000;

records::list_request!(Model, ListTimelineRequest);

/// A page of a timeline.
#[derive(Debug)]
pub(crate) struct Query {
    paging: Paging,
    pair: Topic,
    window: DateWindow,
    back: bool,
}

impl TryFrom<ListTimelineRequest> for Query {
    type Error = Violations;

    fn try_from(mut request: ListTimelineRequest) -> Result<Query, Violations> {
        let mut violations = Violations::new();
        let paging = Paging::take::<Model, _>(&mut request, (50, 500), &mut violations);
        let ListTimelineRequest {
            country,
            partner,
            window,
            descending,
            page_size: _,
            page_token: _,
            as_of: _,
        } = request;
        let pair = Topic::parse_pair(&country, &partner, &mut violations);
        let window =
            violations.check_nested("window", window.map(DateWindow::try_from).transpose());
        let (Some(paging), Some(pair), Some(window)) = (paging, pair, window) else {
            return Err(violations);
        };
        violations.into_result(Query {
            paging,
            pair,
            window: window.unwrap_or_default(),
            back: descending,
        })
    }
}

/// Where an entry stands: date, whether it is a step, id, place of the step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    at: u32,
    is_step: bool,
    id: String,
    step: u16,
}

impl Position {
    fn encode(&self) -> Vec<u8> {
        let step = [&[u8::from(self.is_step)], &self.step.to_be_bytes()[..]].concat();
        [&self.at.to_be_bytes()[..], &step, self.id.as_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Position> {
        let (at, rest) = bytes.split_first_chunk()?;
        let (is_step, rest) = rest.split_first()?;
        let (step, id) = rest.split_first_chunk()?;
        Some(Position {
            at: u32::from_be_bytes(*at),
            is_step: *is_step == 1,
            id: std::str::from_utf8(id).ok()?.to_owned(),
            step: u16::from_be_bytes(*step),
        })
    }
}

/// A page of a timeline.
pub(crate) fn list(state: &State<'_>, query: &Query) -> Result<Page<TimelineEntry>, Error> {
    let (as_of, after) = query.paging.start(state)?;
    let after = match &after[..] {
        [] => None,
        bytes => Some(Position::decode(bytes).ok_or(PageTokenError::Malformed)?),
    };
    let walk = Walk {
        state,
        query,
        as_of,
        after,
    };
    walk.page()
}

/// Which of the two walks goes on.
enum Turn {
    Event,
    Step,
}

/// Which walk goes on, by the dates at which they stand; none at the end of both.
fn turn(event: Option<u32>, step: Option<u32>, back: bool) -> Option<Turn> {
    let is_event = match (event, step) {
        (None, None) => return None,
        (Some(event), Some(step)) if event == step => !back,
        (Some(event), Some(step)) => (event < step) != back,
        (event, _) => event.is_some(),
    };
    Some(if is_event { Turn::Event } else { Turn::Step })
}

/// The date at which a walk stands. What cannot be read is told when its turn has come.
fn date_of<M>(ahead: Option<&Result<Standing<M>, store::Error>>) -> Option<u32> {
    ahead.map(|met| met.as_ref().map_or(0, |met| met.at))
}

struct Walk<'a> {
    state: &'a State<'a>,
    query: &'a Query,
    as_of: Micros,
    after: Option<Position>,
}

impl Walk<'_> {
    fn page(&self) -> Result<Page<TimelineEntry>, Error> {
        let Query { paging, back, .. } = self.query;
        let (mut page, mut bytes) = (Vec::new(), 0);
        let mut last = self.after.clone();
        let mut events = self.events().peekable();
        let mut steps = self.steps().peekable();
        let (mut reached, mut entries) = self.rest_of_agreement()?;
        for _ in 0..MAX_LOOKS {
            for (position, entry) in entries {
                if paging.is_full(page.len(), bytes) {
                    return Ok((page, self.token(last.as_ref())));
                }
                bytes += prost::Message::encoded_len(&entry);
                page.push(entry);
                last = Some(position);
            }
            last = reached.or(last);
            let turn = turn(date_of(events.peek()), date_of(steps.peek()), *back);
            let met = match turn {
                Some(Turn::Event) => events.next().map(|met| met.map(|met| self.event(met))),
                Some(Turn::Step) => steps.next().map(|met| met.map(|met| self.steps_of(&met))),
                None => None,
            };
            let Some(met) = met else {
                return Ok((page, String::new()));
            };
            (reached, entries) = met?;
        }
        Ok((page, self.token(last.as_ref())))
    }

    fn token(&self, last: Option<&Position>) -> String {
        let after = last.map(Position::encode).unwrap_or_default();
        self.query.paging.token(self.as_of, &after)
    }

    /// What is left of the agreement at which the page before ended, which has other steps of the same date.
    fn rest_of_agreement(&self) -> Result<Met, Error> {
        let Some(after) = self.after.as_ref().filter(|after| after.is_step) else {
            return Ok((None, Vec::new()));
        };
        let id = Slug::parse(&after.id).map_err(|_| PageTokenError::Malformed)?;
        let record = records::find::<Model, Agreement>(self.state, &id, Some(self.as_of))?;
        let (reached, mut entries) = self.steps_of(&Standing {
            at: after.at,
            id: after.id.clone(),
            record,
        });
        entries.retain(|(position, _)| {
            if self.query.back {
                position < after
            } else {
                position > after
            }
        });
        Ok((reached, entries))
    }

    /// The part of a span that is behind what was told, where `is_step` says of which of the two.
    fn ahead(&self, span: Span, is_step: bool) -> (Span, Option<(u32, String)>) {
        let Some(after) = &self.after else {
            return (span, None);
        };
        if after.is_step == is_step {
            return (span, Some((after.at, after.id.clone())));
        }
        // Events come before steps of the same date, and after them on the way back.
        let is_done = is_step == self.query.back;
        let (from, until) = (span.from, span.until);
        let span = if self.query.back {
            let bound = if is_done {
                after.at
            } else {
                after.at.saturating_add(1)
            };
            span.between(from, Some(until.map_or(bound, |until| until.min(bound))))
        } else {
            let bound = if is_done {
                after.at.saturating_add(1)
            } else {
                after.at
            };
            span.between(from.max(bound), until)
        };
        (span, None)
    }

    fn events(&self) -> impl Iterator<Item = Result<Standing<Event>, store::Error>> {
        let span = Span::of(BY_PAIR, self.query.pair.bytes());
        let (span, after) = self.ahead(within(span, Some(self.query.window)), false);
        let after = after.as_ref().map(|(at, id)| (*at, id.as_str()));
        standing::<Model, Event>(self.state, &span, self.as_of, self.query.back, after)
    }

    fn steps(&self) -> impl Iterator<Item = Result<Standing<Agreement>, store::Error>> {
        let window = self.query.window;
        // A step of which only the year is known may lie in a window that begins later in it.
        let from = window.start().map_or(0, crate::event::start_of_year);
        let until = window.end().map(Day::ordinal);
        let span = Span::of(BY_STEP, self.query.pair.bytes()).between(from, until);
        let (span, after) = self.ahead(span, true);
        let after = after.as_ref().map(|(at, id)| (*at, id.as_str()));
        standing::<Model, Agreement>(self.state, &span, self.as_of, self.query.back, after)
    }

    fn event(&self, met: Standing<Event>) -> Met {
        let position = Position {
            at: met.at,
            is_step: false,
            id: met.id,
            step: 0,
        };
        let event = met
            .record
            .filter(|event| overlaps(self.query.window, event));
        let entry = event.map(|event| TimelineEntry {
            date: event.start_date,
            entry: Some(timeline_entry::Entry::Event(event)),
        });
        let entries = entry.map(|entry| (position.clone(), entry));
        (Some(position), entries.into_iter().collect())
    }

    /// The steps of an agreement that are dated as it stands here.
    fn steps_of(&self, met: &Standing<Agreement>) -> Met {
        let position = |step: u16| Position {
            at: met.at,
            is_step: true,
            id: met.id.clone(),
            step,
        };
        let mut entries = Vec::new();
        if let Some(agreement) = &met.record {
            for (step, place) in agreement.steps.iter().zip(1..) {
                let is_about = is_about(&step.country, self.query.pair);
                let date = date(step.date).filter(|date| is_about && date.ordinal() == met.at);
                if date.is_some_and(|date| may_lie(self.query.window, date)) {
                    entries.push((position(place), entry(agreement, step)));
                }
            }
        }
        if self.query.back {
            entries.reverse();
        }
        let end = if self.query.back { 0 } else { u16::MAX };
        (Some(position(end)), entries)
    }
}

/// How far a walk has come, and what it has met there.
type Met = (Option<Position>, Vec<(Position, TimelineEntry)>);

fn entry(agreement: &Agreement, step: &wire::AgreementStep) -> TimelineEntry {
    let place = usize::try_from(step.source - 1).unwrap_or(usize::MAX);
    let told = TimelineStep {
        agreement: agreement.name.clone(),
        title: agreement.title.clone(),
        source: agreement.sources.get(place).cloned(),
        step: Some(step.clone()),
    };
    TimelineEntry {
        date: step.date,
        entry: Some(timeline_entry::Entry::Step(told)),
    }
}
