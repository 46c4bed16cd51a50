//! Meetings, events and agreements on the page.

use std::collections::{BTreeMap, HashSet};

use proto::events::v1::{
    AgreementKind, AgreementOnDay, AgreementState, Event, EventStatus, OfficeLevel, StepKind,
};
use proto::gateway::v1 as wire;
use proto::r#type::v1::Theme;
use wire::{AgreementPoint, Briefing, EventPoint, MeetingsSection, ThemeGroup};

use super::page::{Page, Text};
use super::upshot::that_is_shown;
use crate::events::event_in_a_line;
use crate::{dates, names, words};

pub(super) fn write(briefing: &Briefing, language: &str, page: &mut Page) {
    if let Some(section) = &briefing.meetings {
        let none = format!("None is known{}.", that_is_shown(briefing));
        meetings(section, &none, language, page);
    }
    by_theme(briefing, language, page);
    if let Some(section) = &briefing.events {
        let (start, end) = (section.start_day.as_ref(), section.end_day.as_ref());
        page.section(format!(
            "With others, {} to {}",
            dates::date(start),
            dates::date(end)
        ));
        if section.multilateral.is_empty() {
            let shown = that_is_shown(briefing);
            page.paragraph(Text::of(format!("No event is known in these days{shown}.")));
        }
        for point in &section.multilateral {
            page.point(event(point, language));
        }
    }
}

fn meetings(section: &MeetingsSection, none: &str, language: &str, page: &mut Page) {
    page.section("Meetings");
    if section.levels.is_empty() {
        page.paragraph(Text::of(none));
    }
    let mut told = HashSet::new();
    for at in &section.levels {
        let level = match names::shown::<OfficeLevel>(at.level).as_str() {
            "" => "at any level".to_owned(),
            level => level.to_owned(),
        };
        let last = at.last.iter().map(|point| ("last", point));
        let bilateral = at.last_bilateral.iter();
        let bilateral = bilateral.map(|point| ("last of the two alone", point));
        let next = at.next.iter().map(|point| ("next", point));
        let uncertain = at
            .uncertain
            .iter()
            .map(|point| ("at an uncertain date", point));
        for (what, point) in last.chain(bilateral).chain(next).chain(uncertain) {
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
    let none = i32::from(Theme::Unspecified);
    let first = |themes: &[i32]| themes.first().copied().unwrap_or(none);
    for point in briefing
        .events
        .iter()
        .flat_map(|section| &section.bilateral)
    {
        let themes = point
            .event
            .as_ref()
            .map_or(none, |event| first(&event.themes));
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
        let themes = agreement.map_or(none, |agreement| first(&agreement.themes));
        groups
            .entry(themes)
            .or_default()
            .push(self::agreement(point, language));
    }
    for group in &briefing.themes {
        page.section(match names::shown::<Theme>(group.theme).as_str() {
            "" => "Other matters".to_owned(),
            theme => capitalised(theme),
        });
        let own = groups.remove(&group.theme).unwrap_or_default();
        for text in own {
            page.point(text);
        }
        let elsewhere = elsewhere(briefing, group);
        if !elsewhere.is_empty() {
            page.point(Text::of(format!(
                "also on this theme: {}",
                elsewhere.join(", ")
            )));
        }
    }
}

/// The records of a theme that are told elsewhere: under another theme, with others, or as programmes.
fn elsewhere(briefing: &Briefing, group: &ThemeGroup) -> Vec<String> {
    let is_first = |themes: &[i32]| themes.first().is_none_or(|first| *first == group.theme);
    let events = briefing
        .events
        .iter()
        .flat_map(|section| &section.bilateral);
    let events = events.filter_map(|point| point.event.as_ref());
    let events = events
        .filter(|event| is_first(&event.themes))
        .map(|event| &event.name);
    let agreements = briefing
        .agreements
        .iter()
        .flat_map(|section| &section.agreements);
    let agreements = agreements.filter_map(|point| point.agreement.as_ref()?.agreement.as_ref());
    let agreements = agreements.filter(|agreement| is_first(&agreement.themes));
    let here: HashSet<&String> = events
        .chain(agreements.map(|agreement| &agreement.name))
        .collect();
    let all = group
        .events
        .iter()
        .chain(&group.agreements)
        .chain(&group.programmes);
    let all = all.filter(|name| !here.contains(name));
    all.map(|name| words::id(name).to_owned()).collect()
}

fn event(point: &EventPoint, language: &str) -> Text {
    let event = point.event.clone().unwrap_or_default();
    let line = event_in_a_line(&event, language);
    let (who, status) = (persons(&event, language), unless_concluded(&event));
    Text::of(format!("{line}{who}{status}")).cite(&point.sources)
}

/// Who takes part by name, a few of them.
fn persons(event: &Event, language: &str) -> String {
    let people = event.participants.iter();
    let names = people.map(|one| words::text_in(one.person.as_ref(), language));
    let names: Vec<String> = names.filter(|name| !name.is_empty()).take(4).collect();
    if names.is_empty() {
        return String::new();
    }
    format!("; {}", names.join(", "))
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
    let mut steps = agreement.steps.clone();
    steps.sort_by_key(|step| dates::date(step.date.as_ref()));
    let steps = steps.iter().map(|step| {
        let whose = match step.country.as_str() {
            "" => String::new(),
            country => format!(" by {country}"),
        };
        let kind = names::shown::<StepKind>(step.kind);
        let date = dates::date(step.date.as_ref());
        let note = noted(&step.note);
        Text::of(format!("{kind} {date}{whose}"))
            .cite(&[step.source])
            .and(note)
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

/// What a reader must know to judge it, where there is anything.
pub(super) fn noted(note: &str) -> String {
    if note.is_empty() {
        return String::new();
    }
    format!(" ({})", note.trim_end_matches('.'))
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
