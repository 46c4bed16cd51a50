//! Meetings, events and agreements on the page.

use std::collections::{BTreeMap, HashSet};

use proto::events::v1::{
    AgreementKind, AgreementOnDay, AgreementState, Event, EventStatus, OfficeLevel, StepKind,
};
use proto::gateway::v1 as wire;
use proto::r#type::v1::Theme;
use wire::{AgreementPoint, Briefing, EventPoint, MeetingsSection};

use super::page::{Page, Text};
use crate::events::event_in_a_line;
use crate::{dates, names, words};

pub(super) fn write(briefing: &Briefing, language: &str, page: &mut Page) {
    if let Some(section) = &briefing.meetings {
        meetings(section, language, page);
    }
    by_theme(briefing, language, page);
    if let Some(section) = &briefing.events {
        page.section("With others");
        if section.multilateral.is_empty() {
            page.paragraph(Text::of("No event is known in these days."));
        }
        for point in &section.multilateral {
            page.point(event(point, language));
        }
    }
}

fn meetings(section: &MeetingsSection, language: &str, page: &mut Page) {
    page.section("Meetings");
    if section.levels.is_empty() {
        page.paragraph(Text::of("None is known."));
    }
    let mut told = HashSet::new();
    for at in &section.levels {
        let level = match names::shown::<OfficeLevel>(at.level).as_str() {
            "" => "at any level".to_owned(),
            level => level.to_owned(),
        };
        let last = at.last.iter().map(|point| ("last", point));
        let next = at.next.iter().map(|point| ("next", point));
        let uncertain = at
            .uncertain
            .iter()
            .map(|point| ("at an uncertain date", point));
        for (what, point) in last.chain(next).chain(uncertain) {
            // A higher level was told before.
            let name = point.event.as_ref().map(|event| event.name.clone());
            if told.insert((what, name)) {
                page.point(Text::of(format!("{what}, {level}: ")).join(event(point, language)));
            }
        }
    }
}

/// Events of the two and agreements under the first of their themes.
fn by_theme(briefing: &Briefing, language: &str, page: &mut Page) {
    let mut groups: BTreeMap<i32, Vec<Text>> = BTreeMap::new();
    let first = |themes: &[i32]| themes.first().copied().unwrap_or(i32::MAX);
    for point in briefing
        .events
        .iter()
        .flat_map(|section| &section.bilateral)
    {
        let themes = point
            .event
            .as_ref()
            .map_or(i32::MAX, |event| first(&event.themes));
        groups
            .entry(themes)
            .or_default()
            .push(event(point, language));
    }
    for point in briefing
        .agreements
        .iter()
        .flat_map(|section| &section.agreements)
    {
        let agreement = point.agreement.as_ref();
        let agreement = agreement.and_then(|on_day| on_day.agreement.as_ref());
        let themes = agreement.map_or(i32::MAX, |agreement| first(&agreement.themes));
        groups
            .entry(themes)
            .or_default()
            .push(self::agreement(point, language));
    }
    for (theme, points) in groups {
        page.section(match names::shown::<Theme>(theme).as_str() {
            "" => "Other matters".to_owned(),
            theme => capitalised(theme),
        });
        for text in points {
            page.point(text);
        }
    }
}

fn event(point: &EventPoint, language: &str) -> Text {
    let event = point.event.clone().unwrap_or_default();
    let line = event_in_a_line(&event, language);
    Text::of(format!("{line}{}", unless_concluded(&event))).cite(&point.sources)
}

fn unless_concluded(event: &Event) -> String {
    match event.status() {
        EventStatus::Concluded | EventStatus::Unspecified => String::new(),
        EventStatus::Planned
        | EventStatus::Confirmed
        | EventStatus::UnderWay
        | EventStatus::Postponed
        | EventStatus::Cancelled => format!("; {}", names::shown::<EventStatus>(event.status)),
    }
}

/// What it is called, its state on the day, and its steps; where sources disagree, each date with its own.
fn agreement(point: &AgreementPoint, language: &str) -> Text {
    let on_day = point.agreement.clone().unwrap_or_default();
    let agreement = on_day.agreement.clone().unwrap_or_default();
    let kind = names::shown::<AgreementKind>(agreement.kind);
    let title = words::text_in(agreement.title.as_ref(), language);
    let lead = Text::of(format!("{title} ({kind}): "));
    let steps = agreement.steps.iter().map(|step| {
        let whose = match step.country.as_str() {
            "" => String::new(),
            country => format!(" by {country}"),
        };
        let kind = names::shown::<StepKind>(step.kind);
        let date = dates::date(step.date.as_ref());
        Text::of(format!("{kind} {date}{whose}")).cite(&[step.source])
    });
    let steps: Vec<Text> = steps.collect();
    if steps.is_empty() {
        return lead.and(state(&on_day)).cite(&point.sources);
    }
    // One step says its state as well.
    let lead = match steps.len() {
        1 if on_day.possible_states.is_empty() => lead,
        _ => lead.and(format!("{}; ", state(&on_day))),
    };
    lead.join(Text::list(steps, ", "))
}

fn state(on_day: &AgreementOnDay) -> String {
    let surely = match names::shown::<AgreementState>(on_day.state).as_str() {
        "" => "no step is known".to_owned(),
        state => state.to_owned(),
    };
    let perhaps = names::all_shown::<AgreementState>(&on_day.possible_states);
    if perhaps.is_empty() {
        return surely;
    }
    format!("{surely}, perhaps {perhaps}")
}

fn capitalised(words: &str) -> String {
    let mut characters = words.chars();
    let first = characters
        .next()
        .map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}
