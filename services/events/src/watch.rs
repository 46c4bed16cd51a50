//! Watching: which changes are about a topic.

use proto::events::v1 as wire;
use records::Topic;
use wire::{EventsChange, WatchChangesRequest, WatchChangesResponse, events_change::Change};

use crate::{Model, agreement, event};

records::watch_request!(Model, WatchChangesRequest, WatchChangesResponse);

/// Whether a change is of a record about a topic, before or after.
pub(crate) fn is_about(topic: Topic, change: &EventsChange) -> bool {
    let Some(change) = &change.change else {
        return false;
    };
    match change {
        Change::EventRecorded(recorded) => {
            let now = recorded.event.iter().flat_map(event::countries);
            topic.is_among(now.chain(texts(&recorded.former_countries)))
        }
        Change::AgreementRecorded(recorded) => {
            let now = recorded.agreement.iter().flat_map(agreement::countries);
            topic.is_among(now.chain(texts(&recorded.former_countries)))
        }
        Change::EventDeleted(deleted) => topic.is_among(texts(&deleted.countries)),
        Change::AgreementDeleted(deleted) => topic.is_among(texts(&deleted.countries)),
    }
}

fn texts(countries: &[String]) -> impl Iterator<Item = &str> {
    countries.iter().map(String::as_str)
}
