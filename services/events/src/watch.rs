//! Watching: which changes pass a filter, and how they are told.

use prost_types::Timestamp;
use proto::Violations;
use proto::events::v1 as wire;
use records::Topic;
use wire::{EventsChange, WatchChangesRequest, WatchChangesResponse, events_change::Change};

use crate::{agreement, event};

/// Which changes, after which position.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) after: u64,
    topic: Option<Topic>,
}

impl TryFrom<WatchChangesRequest> for Query {
    type Error = Violations;

    fn try_from(request: WatchChangesRequest) -> Result<Query, Violations> {
        let WatchChangesRequest {
            after_position,
            country,
            partner,
        } = request;
        let mut violations = Violations::new();
        let topic = Topic::parse(&country, &partner, &mut violations);
        violations.into_result(Query {
            after: after_position,
            topic: topic.flatten(),
        })
    }
}

impl Query {
    /// A change that passes: of a record about the topic, before or after.
    pub(crate) fn pass(&self, change: EventsChange) -> Option<EventsChange> {
        let Some(topic) = self.topic else {
            return Some(change);
        };
        let is_about = match change.change.as_ref()? {
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
        };
        is_about.then_some(change)
    }
}

fn texts(countries: &[String]) -> impl Iterator<Item = &str> {
    countries.iter().map(String::as_str)
}

/// What a watcher is sent.
pub(crate) fn tell(
    position: u64,
    commit_time: Option<Timestamp>,
    changes: Vec<EventsChange>,
) -> WatchChangesResponse {
    WatchChangesResponse {
        position,
        commit_time,
        changes,
    }
}
