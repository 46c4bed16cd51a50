//! What became of the records of all services, in words.

use proto::Flow;
use proto::gateway::v1 as wire;
use proto::trade::v1 as trade;
use proto::r#type::v1::ChangeKind;
use wire::relationship_change::Change;
use wire::{RelationshipChange, WatchRelationshipResponse};

use crate::record::{CultureFeed, EventsFeed, Feed, culture_line, event_line};
use crate::{figures, names, words};

/// A change, as its cells show it.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    pub(crate) name: String,
    pub(crate) change: String,
    pub(crate) fields: Vec<String>,
    pub(crate) title: String,
}

/// A change of any service.
pub(crate) fn cells(change: &RelationshipChange, language: &str) -> Cells {
    match &change.change {
        Some(Change::Observation(change)) => observation(change),
        Some(Change::Trade(change)) => trade_record(change, language),
        Some(Change::Events(change)) => of_feed::<EventsFeed>(change, language),
        Some(Change::Culture(change)) => of_feed::<CultureFeed>(change, language),
        None => Cells::default(),
    }
}

fn of_feed<F: Feed>(change: &F::Change, language: &str) -> Cells {
    let changed = F::changed(change, language);
    Cells {
        name: changed.name.to_owned(),
        change: names::shown::<ChangeKind>(changed.change),
        fields: fields(changed.change, changed.fields),
        title: changed.title,
    }
}

/// The fields that changed; of a new record all did, which says nothing.
fn fields(change: i32, fields: &[String]) -> Vec<String> {
    if change == i32::from(ChangeKind::Created) {
        return Vec::new();
    }
    fields.to_vec()
}

fn observation(change: &trade::ObservationChange) -> Cells {
    let observation = change.observation.clone().unwrap_or_default();
    let what = if change.previous_value.is_empty() {
        "created"
    } else {
        "updated"
    };
    Cells {
        name: observation.name,
        change: what.into(),
        fields: Vec::new(),
        title: figure(change),
    }
}

/// A figure: what it is of, its value, and the one before: `exports 2023: 12 (before: 10)`.
pub(super) fn figure(change: &trade::ObservationChange) -> String {
    let observation = change.observation.clone().unwrap_or_default();
    let code = observation.commodity.unwrap_or_default().code;
    let of = match &code[..] {
        "" | "TOTAL" => String::new(),
        code => format!(" of {code}"),
    };
    let flow = flow(observation.flow);
    let value = figures::money(&observation.value.unwrap_or_default());
    let before = match &change.previous_value[..] {
        "" => String::new(),
        before => format!(" (before: {})", figures::grouped(before)),
    };
    format!("{flow}{of} {}: {value}{before}", observation.period)
}

/// A flow as a sentence has it.
fn flow(flow: i32) -> String {
    match Flow::from_wire(flow) {
        Ok(Flow::Import) => "imports".into(),
        Ok(Flow::Export) => "exports".into(),
        Ok(Flow::TotalTrade) => "total trade".into(),
        Ok(other) => format!("flow {other}"),
        Err(_) => "unknown flow".into(),
    }
}

fn trade_record(change: &trade::RecordChange, language: &str) -> Cells {
    use trade::record_change::Record;
    let title = match &change.record {
        Some(Record::Dataset(dataset)) => words::text_in(dataset.display_name.as_ref(), language),
        Some(Record::Sector(sector)) => words::text_in(sector.display_name.as_ref(), language),
        Some(Record::Statement(said)) => statement(said),
        None => String::new(),
    };
    Cells {
        name: change.name.clone(),
        change: names::shown::<ChangeKind>(change.change),
        fields: fields(change.change, &change.changed_fields),
        title,
    }
}

/// What was said: `KAZ with CHN, turnover 2023: USD 41,000,000,000`.
pub(super) fn statement(said: &trade::Statement) -> String {
    let value = figures::money(&said.value.clone().unwrap_or_default());
    format!(
        "{} with {}, {} {}: {value}",
        said.country,
        said.partners.join(", "),
        words::stated_measure(said.measure),
        words::period(&said.period),
    )
}

/// The changes of a message, a line each.
pub(super) fn lines(message: &WatchRelationshipResponse, language: &str) -> Vec<String> {
    let trade = message.trade.iter().filter_map(|one| one.change.as_ref());
    let events = message.events.iter().filter_map(|one| one.change.as_ref());
    let culture = message.culture.iter().filter_map(|one| one.change.as_ref());
    let trade = trade.map(|change| trade_line(change, language));
    let events = events.map(|change| event_line(change, language));
    let culture = culture.map(|change| culture_line(change, language));
    trade.chain(events).chain(culture).collect()
}

fn trade_line(change: &trade::trade_change::Change, language: &str) -> String {
    use trade::trade_change::Change;
    let dataset = |dataset: Option<&trade::Dataset>| {
        let dataset = dataset.cloned().unwrap_or_default();
        let title = words::text_in(dataset.display_name.as_ref(), language);
        format!("recorded {}: {title}", dataset.name)
    };
    match change {
        Change::DatasetCreated(created) => dataset(created.dataset.as_ref()),
        Change::DatasetUpdated(updated) => dataset(updated.dataset.as_ref()),
        Change::ObservationsRecorded(recorded) => observations(recorded),
        Change::StatementRecorded(recorded) => {
            let said = recorded.statement.clone().unwrap_or_default();
            format!("recorded {}: {}", said.name, statement(&said))
        }
        Change::StatementDeleted(deleted) => format!("deleted {}", deleted.name),
        Change::SectorRecorded(recorded) => {
            let sector = recorded.sector.clone().unwrap_or_default();
            format!("recorded {}", sector.name)
        }
        Change::SectorDeleted(deleted) => format!("deleted {}", deleted.name),
        Change::ConcordanceRecorded(recorded) => {
            format!(
                "recorded conversions from {} to {}",
                recorded.from, recorded.to
            )
        }
        Change::CommodityNamesRecorded(recorded) => {
            format!("recorded names of {}", recorded.classification)
        }
    }
}

/// Figures of a batch: how many, and of which periods.
fn observations(recorded: &trade::ObservationsRecorded) -> String {
    let figures: usize = recorded.groups.iter().map(|group| group.rows.len()).sum();
    let mut periods: Vec<&str> = recorded
        .groups
        .iter()
        .map(|group| &group.period[..])
        .collect();
    periods.sort_unstable();
    periods.dedup();
    let of = match periods[..] {
        [] => String::new(),
        [one] => format!(" of {one}"),
        [first, .., last] => format!(" of {first} to {last}"),
    };
    format!("recorded {}: {figures} figures{of}", recorded.dataset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_told_by_how_many_figures_of_which_time() {
        let group = |period: &str, rows: usize| trade::ObservationGroup {
            period: period.into(),
            rows: vec![trade::ObservationRow::default(); rows],
            ..Default::default()
        };
        let recorded = trade::ObservationsRecorded {
            dataset: "datasets/a".into(),
            groups: vec![group("2023", 2), group("2021", 1), group("2023", 1)],
            ..Default::default()
        };
        assert_eq!(
            observations(&recorded),
            "recorded datasets/a: 4 figures of 2021 to 2023"
        );
    }
}
