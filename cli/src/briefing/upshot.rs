//! What a reader must know of the briefing itself: who did not answer, what changed, what is not shown.

use proto::gateway::v1 as wire;
use proto::trade::v1::ObservationChange;
use proto::r#type::v1::ChangeKind;
use wire::relationship_change::Change;
use wire::{Briefing, Omission, OmissionReason, RelationshipChange};

use super::page::{Page, Text};
use super::section_name;
use crate::{figures, names, words};

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

/// What changed, by when it was recorded.
pub(super) fn changes(briefing: &Briefing, language: &str, page: &mut Page) {
    let Some(section) = &briefing.changes else {
        return;
    };
    let since = words::second(section.since.as_ref());
    page.section(format!("Recorded since {since}"));
    if section.changes.is_empty() {
        page.paragraph(Text::of("Nothing."));
    }
    for change in &section.changes {
        page.point(Text::of(change_line(change, language)));
    }
}

fn change_line(change: &RelationshipChange, language: &str) -> String {
    use proto::culture::v1::record_change::Record as OfCulture;
    use proto::events::v1::record_change::Record as OfEvents;
    use proto::trade::v1::record_change::Record as OfTrade;
    let at = words::second(change.record_time.as_ref());
    let title = |texts| words::text_in(texts, language);
    let told = |kind: i32, name: &str, fields: &[String], title: String| {
        let kind = names::shown::<ChangeKind>(kind);
        let fields = match kind.as_str() {
            "updated" => format!(" ({})", fields.join(", ")),
            _ => String::new(),
        };
        let title = if title.is_empty() {
            title
        } else {
            format!(": {title}")
        };
        format!("{at} {kind} {name}{fields}{title}")
    };
    match &change.change {
        None => at,
        Some(Change::Observation(change)) => format!("{at} {}", figure_line(change)),
        Some(Change::Trade(change)) => {
            let said = match &change.record {
                Some(OfTrade::Statement(said)) => said.speaker.clone(),
                Some(OfTrade::Dataset(dataset)) => title(dataset.display_name.as_ref()),
                Some(OfTrade::Sector(sector)) => title(sector.display_name.as_ref()),
                None => String::new(),
            };
            told(change.change, &change.name, &change.changed_fields, said)
        }
        Some(Change::Events(change)) => {
            let title = match &change.record {
                Some(OfEvents::Event(event)) => title(event.title.as_ref()),
                Some(OfEvents::Agreement(agreement)) => title(agreement.title.as_ref()),
                None => String::new(),
            };
            told(change.change, &change.name, &change.changed_fields, title)
        }
        Some(Change::Culture(change)) => {
            let title = match &change.record {
                Some(OfCulture::Programme(programme)) => title(programme.title.as_ref()),
                Some(OfCulture::Measure(_) | OfCulture::VisaRule(_)) | None => String::new(),
            };
            told(change.change, &change.name, &change.changed_fields, title)
        }
    }
}

fn figure_line(change: &ObservationChange) -> String {
    let figure = change.observation.clone().unwrap_or_default();
    let value = figure.value.unwrap_or_default();
    let now = format!("{} {}", figures::short(&value.amount), value.currency_code);
    match change.previous_value.as_str() {
        "" => format!("recorded {}: {now}", figure.name),
        before => format!(
            "revised {}: {now}, before {}",
            figure.name,
            figures::short(before)
        ),
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
