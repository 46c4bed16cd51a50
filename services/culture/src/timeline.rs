//! What became of programmes and visa rules between two countries, in one order. On one date programmes come before
//! rules.

use proto::culture::v1 as wire;
use proto::stored_date;
use records::{Error, Lane, Page, Span, TimelineQuery, record_lane};
use store::{Micros, State};
use wire::{
    ListTimelineRequest, ListTimelineResponse, Programme, TimelineEntry, TimelineKind,
    TimelineMilestone,
};
use wire::{VisaChange, VisaRule, timeline_entry::Entry, timeline_milestone::Point as Told};

use crate::Model;
use crate::programme::{self, Point, points};
use crate::visa_rule;

records::timeline_request!(
    Model,
    ListTimelineRequest,
    ListTimelineResponse { TimelineEntry of TimelineKind }
);

/// A page of a timeline.
pub(crate) fn list(state: &State<'_>, query: &TimelineQuery) -> Result<Page<TimelineEntry>, Error> {
    query.page(state, |as_of| {
        let mut lanes = Vec::new();
        if query.wants(TimelineKind::Milestone) {
            lanes.push(milestones(state, query, as_of));
        }
        if query.wants(TimelineKind::VisaRule) {
            lanes.push(rules(state, query, as_of));
        }
        lanes
    })
}

fn milestones<'s>(
    state: &'s State<'_>,
    query: &'s TimelineQuery,
    as_of: Micros,
) -> Lane<'s, TimelineEntry> {
    let span = Span::of(programme::BY_POINT, query.pair.bytes()).dated(query.window);
    record_lane::<Model, Programme, _>(state, span, as_of, |at, programme| {
        let points = points(&programme).into_iter();
        let here = points.filter(|(date, _)| date.ordinal() == at && query.window.may_hold(*date));
        let entry = |(date, point): (proto::CivilDate, Point<'_>)| TimelineEntry {
            date: Some(date.into()),
            entry: Some(Entry::Milestone(told(&programme, point))),
        };
        here.map(entry).collect()
    })
}

fn told(programme: &Programme, point: Point<'_>) -> TimelineMilestone {
    let (point, sources) = match point {
        Point::Milestone(milestone) => {
            let place = usize::try_from(milestone.source - 1).unwrap_or(usize::MAX);
            let source = programme.sources.get(place).cloned();
            (Told::Milestone(milestone.clone()), Vec::from_iter(source))
        }
        Point::Bound(bound) => (Told::Bound(bound.into()), programme.sources.clone()),
    };
    TimelineMilestone {
        programme: programme.name.clone(),
        title: programme.title.clone(),
        kind: programme.kind,
        sources,
        may_be_shown_outside: programme.sources.iter().all(|one| one.may_be_shown_outside),
        point: Some(point),
    }
}

/// Rules that end on a date come before those that begin on it only by their ids: they are different rules.
fn rules<'s>(
    state: &'s State<'_>,
    query: &'s TimelineQuery,
    as_of: Micros,
) -> Lane<'s, TimelineEntry> {
    let span = Span::of(visa_rule::BY_CHANGE, query.pair.bytes()).dated(query.window);
    record_lane::<Model, VisaRule, _>(state, span, as_of, |at, rule| {
        let begins = (rule.start_date, rule.start_after, false);
        let ends = (rule.end_date, rule.end_after, true);
        let is_here = |date: proto::CivilDate| date.ordinal() == at && query.window.may_hold(date);
        let here = [begins, ends]
            .into_iter()
            .filter(|(date, ..)| stored_date(*date).is_some_and(is_here));
        here.map(|(date, after, ended)| TimelineEntry {
            date,
            entry: Some(Entry::VisaChange(VisaChange {
                date,
                after,
                ended,
                visa_rule: Some(rule.clone()),
            })),
        })
        .collect()
    })
}
