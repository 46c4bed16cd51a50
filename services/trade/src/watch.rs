//! Watching: the journal's changes, as far as they pass a filter.

use proto::trade::v1 as wire;
use proto::{Country, Slug, Violations, dataset_name, parse_dataset_name, to_timestamp};
use store::{Entry, Event};
use wire::{TradeChange, trade_change::Change};

use crate::error::Error;

/// Which changes, after which position.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) after: u64,
    dataset: Option<String>,
    reporter: Option<String>,
    partner: Option<String>,
}

impl TryFrom<wire::WatchChangesRequest> for Query {
    type Error = Violations;

    fn try_from(request: wire::WatchChangesRequest) -> Result<Query, Violations> {
        let wire::WatchChangesRequest {
            after_position,
            dataset,
            reporter,
            partner,
        } = request;
        let mut violations = Violations::new();
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let parse_dataset =
            |name: String| parse_dataset_name(&name).map(|id: Slug| dataset_name(&id));
        let parse_country = |text: String| text.parse().map(|country: Country| country.to_string());
        let dataset = given(&dataset).map(parse_dataset).transpose();
        let reporter = given(&reporter).map(parse_country).transpose();
        let partner = given(&partner).map(parse_country).transpose();
        let query = Query {
            after: after_position,
            dataset: violations.check("dataset", dataset).flatten(),
            reporter: violations.check("reporter", reporter).flatten(),
            partner: violations.check("partner", partner).flatten(),
        };
        violations.into_result(query)
    }
}

impl Query {
    /// What a watcher is sent for an event.
    pub(crate) fn response(&self, event: &Event) -> Result<wire::WatchChangesResponse, Error> {
        match event {
            Event::Idle(position) => Ok(wire::WatchChangesResponse {
                position: *position,
                commit_time: None,
                changes: Vec::new(),
            }),
            Event::Entry(entry) => self.changes_of(entry),
        }
    }

    fn changes_of(&self, entry: &Entry) -> Result<wire::WatchChangesResponse, Error> {
        let changes = entry.changes::<TradeChange>()?;
        Ok(wire::WatchChangesResponse {
            position: entry.stamp.position,
            commit_time: Some(to_timestamp(entry.stamp.time)),
            changes: changes.into_iter().filter_map(|c| self.pass(c)).collect(),
        })
    }

    /// What passes of a change.
    fn pass(&self, change: TradeChange) -> Option<TradeChange> {
        let change = match change.change? {
            Change::DatasetCreated(created) => {
                let name = created
                    .dataset
                    .as_ref()
                    .map(|dataset| dataset.name.as_str());
                let asked = self.dataset.as_deref();
                (asked.is_none() || asked == name).then_some(Change::DatasetCreated(created))
            }
            Change::ObservationsRecorded(mut recorded) => {
                let matches = |wanted: &Option<String>, given: &str| {
                    wanted.as_deref().is_none_or(|wanted| wanted == given)
                };
                recorded.groups.retain(|group| {
                    matches(&self.reporter, &group.reporter)
                        && matches(&self.partner, &group.partner)
                });
                let passes = matches(&self.dataset, &recorded.dataset);
                let any = !recorded.groups.is_empty()
                    || (self.reporter.is_none() && self.partner.is_none());
                (passes && any).then_some(Change::ObservationsRecorded(recorded))
            }
            Change::DatasetUpdated(_)
            | Change::SectorRecorded(_)
            | Change::SectorDeleted(_)
            | Change::StatementRecorded(_)
            | Change::StatementDeleted(_)
            | Change::ConcordanceRecorded(_)
            | Change::CommodityNamesRecorded(_) => None,
        };
        change.map(|change| TradeChange {
            change: Some(change),
        })
    }
}
