//! What happened between two countries: events, and steps of agreements, in one order. On one date events come before
//! steps.

use proto::events::v1 as wire;
use records::{Error, Lane, Page, Span, TimelineQuery, record_lane};
use store::{Micros, State};
use wire::{
    Agreement, AgreementStep, Event, ListTimelineRequest, ListTimelineResponse, TimelineEntry,
};
use wire::{TimelineKind, TimelineStep, timeline_entry::Entry};

use crate::Model;
use crate::agreement::{BY_STEP, is_about};
use crate::event::{BY_PAIR, date};
use crate::filter::{overlaps, within};

records::timeline_request!(
    Model,
    ListTimelineRequest,
    ListTimelineResponse { TimelineEntry of TimelineKind }
);

/// A page of a timeline.
pub(crate) fn list(state: &State<'_>, query: &TimelineQuery) -> Result<Page<TimelineEntry>, Error> {
    query.page(state, |as_of| {
        let mut lanes = Vec::new();
        if query.wants(TimelineKind::Event) {
            lanes.push(events(state, query, as_of));
        }
        if query.wants(TimelineKind::Step) {
            lanes.push(steps(state, query, as_of));
        }
        lanes
    })
}

fn events<'s>(
    state: &'s State<'_>,
    query: &'s TimelineQuery,
    as_of: Micros,
) -> Lane<'s, TimelineEntry> {
    let span = Span::of(BY_PAIR, query.pair.bytes());
    let span = within(span, Some(query.window));
    record_lane::<Model, Event, _>(state, span, as_of, |_, event| {
        let event = Some(event).filter(|event| overlaps(query.window, event));
        let entry = event.map(|event| TimelineEntry {
            date: event.start_date,
            entry: Some(Entry::Event(event)),
        });
        entry.into_iter().collect()
    })
}

/// The steps of agreements, those of one agreement on one date in the order in which they are given.
fn steps<'s>(
    state: &'s State<'_>,
    query: &'s TimelineQuery,
    as_of: Micros,
) -> Lane<'s, TimelineEntry> {
    let span = Span::of(BY_STEP, query.pair.bytes()).dated(query.window);
    record_lane::<Model, Agreement, _>(state, span, as_of, |at, agreement| {
        let stands_here = |step: &&AgreementStep| {
            let date = date(step.date).filter(|date| date.ordinal() == at);
            is_about(&step.country, query.pair)
                && date.is_some_and(|date| query.window.may_hold(date))
        };
        let steps = agreement.steps.iter().filter(stands_here);
        steps.map(|step| entry(&agreement, step)).collect()
    })
}

fn entry(agreement: &Agreement, step: &AgreementStep) -> TimelineEntry {
    let place = usize::try_from(step.source - 1).unwrap_or(usize::MAX);
    let told = TimelineStep {
        agreement: agreement.name.clone(),
        title: agreement.title.clone(),
        source: agreement.sources.get(place).cloned(),
        may_be_shown_outside: agreement.sources.iter().all(|one| one.may_be_shown_outside),
        step: Some(step.clone()),
    };
    TimelineEntry {
        date: step.date,
        entry: Some(Entry::Step(told)),
    }
}
