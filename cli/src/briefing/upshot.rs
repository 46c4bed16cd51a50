//! What a reader must know of the briefing itself: who did not answer, what changed, what is not shown.

use std::collections::BTreeMap;

use proto::gateway::v1 as wire;
use wire::relationship_change::Change;
use wire::{
    Audience, Briefing, ChangesSection, FigureChanges, Omission, OmissionReason, RelationshipChange,
};

use super::page::{Page, Text};
use super::section_name;
use crate::relationship::{Cells, cells};
use crate::words;

/// Records of a kind that are named where changes are told by kind.
const SHOWN: usize = 5;

/// Which services did not answer.
pub(super) fn unreachable(briefing: &Briefing, page: &mut Page) {
    for missing in &briefing.unreachable {
        let sections = missing
            .sections
            .iter()
            .map(|section| section_name(*section));
        let sections = sections.collect::<Vec<_>>().join(", ");
        page.paragraph(Text::of(format!(
            "Not complete: the {} service did not answer ({}); missing: {sections}.",
            missing.service, missing.code
        )));
    }
}

/// What changed: by kind, or each by when it was recorded.
pub(super) fn changes(briefing: &Briefing, language: &str, is_each_told: bool, page: &mut Page) {
    let Some(section) = &briefing.changes else {
        return;
    };
    let since = words::second(section.since.as_ref());
    page.section(format!("Recorded since {since}"));
    if section.changes.is_empty() {
        page.paragraph(Text::of("Nothing."));
    }
    if is_each_told {
        for change in &section.changes {
            page.point(Text::of(change_line(change, language)));
        }
        return;
    }
    for figures in &section.figures {
        page.point(Text::of(figures_line(figures)));
    }
    records(section, language, page);
}

fn change_line(change: &RelationshipChange, language: &str) -> String {
    let at = words::second(change.record_time.as_ref());
    let told = cells(change, language);
    let fields = match told.fields.as_slice() {
        [] => String::new(),
        fields => format!(" ({})", fields.join(", ")),
    };
    let title = match told.title.as_str() {
        "" => String::new(),
        title => format!(": {title}"),
    };
    format!("{at} {} {}{fields}{title}", told.change, told.name)
}

/// How many figures of a side: `figures of comtrade, China with Kazakhstan: 31 new, 412 revised, January 2019 to …`.
fn figures_line(figures: &FigureChanges) -> String {
    let counts = [(figures.recorded, "new"), (figures.revised, "revised")];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let [first, last] = [&figures.first_month, &figures.last_month].map(|at| words::period(at));
    let time = if first == last {
        first
    } else {
        format!("{first} to {last}")
    };
    format!(
        "figures of {}, {} with {}: {}; {time}",
        words::id(&figures.dataset),
        words::country(&figures.reporter),
        words::country(&figures.partner),
        counts.join(", "),
    )
}

/// How many records of each kind, and which they are.
fn records(section: &ChangesSection, language: &str, page: &mut Page) {
    let mut kinds: BTreeMap<String, Vec<Cells>> = BTreeMap::new();
    for change in &section.changes {
        if !matches!(change.change, Some(Change::Observation(_))) {
            let told = cells(change, language);
            kinds.entry(kind_of(&told.name)).or_default().push(told);
        }
    }
    for (kind, changes) in kinds {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for told in &changes {
            *counts.entry(&told.change).or_default() += 1;
        }
        let counts = counts.iter().map(|(what, count)| format!("{count} {what}"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        page.point(Text::of(format!("{kind}: {counts}")));
        page.detail(Text::of(some(&changes)));
    }
}

/// What records are called whose names begin like this: `visa rules` of `visaRules/a`.
fn kind_of(name: &str) -> String {
    match name.split('/').next().unwrap_or_default() {
        "visaRules" => "visa rules".to_owned(),
        kind => kind.to_owned(),
    }
}

/// A few of the records by their titles, and how many more there are.
fn some(changes: &[Cells]) -> String {
    let named = changes.iter().take(SHOWN).map(|told| {
        let title = match told.title.as_str() {
            "" => words::id(&told.name),
            title => title,
        };
        match told.change.as_str() {
            "created" => title.to_owned(),
            change => format!("{title} ({change})"),
        }
    });
    let named = named.collect::<Vec<_>>().join("; ");
    match changes.len().saturating_sub(SHOWN) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

/// Whether nothing at all is known of the two: then the sections have nothing to say.
pub(super) fn is_empty(briefing: &Briefing) -> bool {
    let Briefing {
        trade,
        meetings,
        events,
        agreements,
        exchange,
        visa,
        changes,
        unreachable,
        omissions,
        ..
    } = briefing;
    let trade = trade
        .iter()
        .all(|section| section.sides.is_empty() && section.statements.is_empty());
    let meetings = meetings.iter().all(|section| section.levels.is_empty());
    let events = events
        .iter()
        .all(|section| section.bilateral.is_empty() && section.multilateral.is_empty());
    let agreements = agreements
        .iter()
        .all(|section| section.agreements.is_empty());
    let exchange = exchange
        .iter()
        .all(|section| section.programmes.is_empty() && section.measures.is_empty());
    let rules = visa.iter().flat_map(|section| &section.directions);
    let visa = rules
        .into_iter()
        .all(|way| way.in_force.is_empty() && way.uncertain.is_empty());
    let changes = changes.iter().all(|section| section.changes.is_empty());
    let whole = unreachable.is_empty() && omissions.is_empty();
    trade && meetings && events && agreements && exchange && visa && changes && whole
}

/// What to add where nothing is told: of a page for the public only what may be shown is known.
pub(super) fn that_is_shown(briefing: &Briefing) -> &'static str {
    match briefing.audience() {
        Audience::Public => " that may be shown outside",
        Audience::Unspecified | Audience::Internal => "",
    }
}

/// What is not shown, and why.
pub(super) fn omissions(briefing: &Briefing, page: &mut Page) {
    if briefing.omissions.is_empty() {
        return;
    }
    page.section("Not shown");
    for omission in &briefing.omissions {
        page.point(Text::of(omission_line(omission)));
    }
}

fn omission_line(omission: &Omission) -> String {
    let section = section_name(omission.section);
    let least = if omission.at_least { "at least " } else { "" };
    let count = omission.count;
    let why = match omission.reason() {
        OmissionReason::Licence => "may not be shown outside",
        OmissionReason::TooMany => "more than a briefing shows",
        OmissionReason::AfterDay => "known only after the day",
        OmissionReason::Unspecified => "another reason",
    };
    format!("{section}: {least}{count}, {why}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::events::v1::RecordChange;
    use proto::r#type::v1::ChangeKind;

    fn event(id: usize, change: ChangeKind) -> RelationshipChange {
        RelationshipChange {
            change: Some(Change::Events(RecordChange {
                name: format!("events/visit-{id}"),
                change: change.into(),
                ..Default::default()
            })),
            ..Default::default()
        }
    }

    fn written(section: ChangesSection, is_each_told: bool) -> String {
        let briefing = Briefing {
            changes: Some(section),
            ..Default::default()
        };
        let (mut page, mut out) = (Page::default(), Vec::new());
        changes(&briefing, "en", is_each_told, &mut page);
        page.write_text(&[], &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn section() -> ChangesSection {
        let mut changes: Vec<_> = (0..7).map(|id| event(id, ChangeKind::Created)).collect();
        changes.insert(0, event(9, ChangeKind::Deleted));
        ChangesSection {
            changes,
            figures: vec![FigureChanges {
                dataset: "datasets/customs".into(),
                reporter: "CHN".into(),
                partner: "KAZ".into(),
                recorded: 31,
                revised: 412,
                first_month: "2019-01".into(),
                last_month: "2024-05".into(),
            }],
            ..Default::default()
        }
    }

    #[test]
    fn changes_are_told_by_kind() {
        let text = written(section(), false);
        for line in [
            "• figures of customs, China with Kazakhstan: 31 new, 412 revised; January 2019 to May 2024",
            "• events: 7 created, 1 deleted",
            "visit-9 (deleted); visit-0; visit-1; visit-2; visit-3; and 3 more",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }

    #[test]
    fn each_change_is_told_where_that_is_asked_for() {
        let text = written(section(), true);
        assert!(text.contains("deleted events/visit-9"), "{text}");
        assert!(text.contains("created events/visit-6"), "{text}");
    }

    #[test]
    fn a_briefing_of_nothing_is_told_from_one_that_lacks_something() {
        let visa = wire::VisaSection {
            directions: vec![wire::VisaDirection::default(); 2],
        };
        let mut briefing = Briefing {
            trade: Some(wire::TradeSection::default()),
            visa: Some(visa),
            ..Default::default()
        };
        assert!(is_empty(&briefing));
        briefing.omissions.push(Omission::default());
        assert!(!is_empty(&briefing));
    }
}
