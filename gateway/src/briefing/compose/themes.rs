//! What the records of a briefing are about.

use std::collections::BTreeMap;

use proto::gateway::v1::{Briefing, ThemeGroup};
use proto::r#type::v1::Theme;

/// The names of the records of a briefing by theme, those without one last.
pub(super) fn of(briefing: &Briefing) -> Vec<ThemeGroup> {
    let mut groups: BTreeMap<i32, ThemeGroup> = BTreeMap::new();
    let mut put = |themes: &[i32], add: &dyn Fn(&mut ThemeGroup)| {
        let none = [i32::from(Theme::Unspecified)];
        let themes = if themes.is_empty() { &none[..] } else { themes };
        for theme in themes {
            let group = groups.entry(*theme).or_insert_with(|| ThemeGroup {
                theme: *theme,
                ..Default::default()
            });
            add(group);
        }
    };
    let sections = briefing.events.iter();
    let points = sections.flat_map(|section| section.bilateral.iter().chain(&section.multilateral));
    for event in points.filter_map(|point| point.event.as_ref()) {
        put(&event.themes, &|group| {
            group.events.push(event.name.clone());
        });
    }
    let points = briefing
        .agreements
        .iter()
        .flat_map(|section| &section.agreements);
    let on_day = points.filter_map(|point| point.agreement.as_ref());
    for agreement in on_day.filter_map(|on_day| on_day.agreement.as_ref()) {
        put(&agreement.themes, &|group| {
            group.agreements.push(agreement.name.clone());
        });
    }
    let points = briefing
        .exchange
        .iter()
        .flat_map(|section| &section.programmes);
    for programme in points.filter_map(|point| point.programme.as_ref()) {
        put(&programme.themes, &|group| {
            group.programmes.push(programme.name.clone());
        });
    }
    let last = groups.remove(&i32::from(Theme::Unspecified));
    groups.into_values().chain(last).collect()
}
