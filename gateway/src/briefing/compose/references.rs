//! What a briefing for the public says of records that it does not show: nothing, not even their names.

use std::collections::HashSet;

use proto::culture::v1::record_change::Record as OfCulture;
use proto::culture::v1::{Programme, VisaRule};
use proto::events::v1::record_change::Record as OfEvents;
use proto::events::v1::{Agreement, Event};
use proto::gateway::v1::relationship_change::Change;
use proto::gateway::v1::{Briefing, EventPoint, RelationshipChange, measure_figure};
use proto::trade::v1::StatementCheck;

/// Leaves out the names of records that the briefing does not show, and the figures of such programmes; how many of
/// these.
pub(super) fn withhold(briefing: &mut Briefing) -> usize {
    let shown = shown(briefing);
    let is_shown = |name: &String| shown.contains(name);
    events(briefing).for_each(|event| forget_in_event(event, &is_shown));
    let points = briefing.agreements.iter_mut();
    let points = points.flat_map(|section| &mut section.agreements);
    let on_day = points.filter_map(|point| point.agreement.as_mut());
    let agreements = on_day.filter_map(|on_day| on_day.agreement.as_mut());
    agreements.for_each(|agreement| forget_in_agreement(agreement, &is_shown));
    let rules = briefing.visa.iter_mut();
    let rules = rules.flat_map(|section| &mut section.directions);
    let rules = rules.flat_map(|way| way.in_force.iter_mut().chain(&mut way.uncertain));
    let rules = rules.filter_map(|point| point.visa_rule.as_mut());
    rules.for_each(|rule| forget_in_rule(rule, &is_shown));
    let statements = briefing.trade.iter_mut();
    let statements = statements.flat_map(|section| &mut section.statements);
    let checks = statements.filter_map(|point| point.check.as_mut());
    checks.for_each(|check| forget_in_check(check, &is_shown));
    let changes = briefing.changes.iter_mut();
    let changes = changes.flat_map(|section| &mut section.changes);
    changes.for_each(|change| forget_in_change(change, &is_shown));
    let Some(exchange) = &mut briefing.exchange else {
        return 0;
    };
    let programmes = exchange.programmes.iter_mut();
    let programmes = programmes.filter_map(|point| point.programme.as_mut());
    programmes.for_each(|programme| forget_in_programme(programme, &is_shown));
    let found = exchange.measures.len();
    exchange.measures.retain(|figure| match &figure.subject {
        Some(measure_figure::Subject::Programme(name)) => is_shown(name),
        Some(measure_figure::Subject::Direction(_)) | None => true,
    });
    found - exchange.measures.len()
}

/// The names of the records that are shown.
fn shown(briefing: &mut Briefing) -> HashSet<String> {
    let mut shown: HashSet<String> = events(briefing).map(|event| event.name.clone()).collect();
    let points = briefing.agreements.iter();
    let points = points.flat_map(|section| &section.agreements);
    let on_day = points.filter_map(|point| point.agreement.as_ref());
    let agreements = on_day.filter_map(|on_day| on_day.agreement.as_ref());
    shown.extend(agreements.map(|agreement| agreement.name.clone()));
    let points = briefing.exchange.iter();
    let points = points.flat_map(|section| &section.programmes);
    let programmes = points.filter_map(|point| point.programme.as_ref());
    shown.extend(programmes.map(|programme| programme.name.clone()));
    let sides = briefing.trade.iter().flat_map(|section| &section.sides);
    shown.extend(sides.map(|side| side.dataset.clone()));
    shown
}

fn events(briefing: &mut Briefing) -> impl Iterator<Item = &mut Event> {
    let levels = briefing.meetings.iter_mut();
    let levels = levels.flat_map(|section| &mut section.levels);
    let meetings = levels.flat_map(|at| {
        let known = [&mut at.last, &mut at.last_bilateral, &mut at.next];
        known.into_iter().flatten().chain(&mut at.uncertain)
    });
    let sections = briefing.events.iter_mut();
    let around = sections.flat_map(|section| {
        let bilateral = section.bilateral.iter_mut();
        bilateral.chain(&mut section.multilateral)
    });
    let points = meetings.chain(around);
    points.filter_map(|point: &mut EventPoint| point.event.as_mut())
}

fn forget_in_event(event: &mut Event, is_shown: &impl Fn(&String) -> bool) {
    event.links.retain(|link| is_shown(&link.name));
}

fn forget_in_agreement(agreement: &mut Agreement, is_shown: &impl Fn(&String) -> bool) {
    if !is_shown(&agreement.event) {
        agreement.event.clear();
    }
}

fn forget_in_programme(programme: &mut Programme, is_shown: &impl Fn(&String) -> bool) {
    programme.legal_basis.retain(is_shown);
}

fn forget_in_rule(rule: &mut VisaRule, is_shown: &impl Fn(&String) -> bool) {
    if !is_shown(&rule.legal_basis) {
        rule.legal_basis.clear();
    }
}

fn forget_in_check(check: &mut StatementCheck, is_shown: &impl Fn(&String) -> bool) {
    check.sides.retain(|side| is_shown(&side.dataset));
    check.missing.retain(|missing| is_shown(&missing.dataset));
}

fn forget_in_change(change: &mut RelationshipChange, is_shown: &impl Fn(&String) -> bool) {
    match &mut change.change {
        Some(Change::Events(change)) => match &mut change.record {
            Some(OfEvents::Event(event)) => forget_in_event(event, is_shown),
            Some(OfEvents::Agreement(agreement)) => forget_in_agreement(agreement, is_shown),
            None => {}
        },
        Some(Change::Culture(change)) => match &mut change.record {
            Some(OfCulture::Programme(programme)) => forget_in_programme(programme, is_shown),
            Some(OfCulture::VisaRule(rule)) => forget_in_rule(rule, is_shown),
            Some(OfCulture::Measure(_)) | None => {}
        },
        Some(Change::Trade(_) | Change::Observation(_)) | None => {}
    }
}
