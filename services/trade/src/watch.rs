//! Watching: the journal's changes, as far as they pass a filter.

use prost_types::Timestamp;
use proto::trade::v1 as wire;
use proto::{Country, Slug, Violations, dataset_name, parse_dataset_name};
use wire::{TradeChange, trade_change::Change};

/// Which changes, after which position.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) after: u64,
    dataset: Option<String>,
    reporter: Option<String>,
    partner: Option<String>,
    /// A country that trades with the partner, in either direction.
    country: Option<String>,
}

impl TryFrom<wire::WatchChangesRequest> for Query {
    type Error = Violations;

    fn try_from(request: wire::WatchChangesRequest) -> Result<Query, Violations> {
        let wire::WatchChangesRequest {
            after_position,
            dataset,
            reporter,
            partner,
            country,
        } = request;
        let mut violations = Violations::new();
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let parse_dataset =
            |name: String| parse_dataset_name(&name).map(|id: Slug| dataset_name(&id));
        let parse_country = |text: String| text.parse().map(|country: Country| country.to_string());
        let dataset = given(&dataset).map(parse_dataset).transpose();
        let reporter = given(&reporter).map(parse_country).transpose();
        let partner = given(&partner).map(parse_country).transpose();
        let country = given(&country).map(parse_country).transpose();
        let query = Query {
            after: after_position,
            dataset: violations.check("dataset", dataset).flatten(),
            reporter: violations.check("reporter", reporter).flatten(),
            partner: violations.check("partner", partner).flatten(),
            country: violations.check("country", country).flatten(),
        };
        query.check_together(&mut violations);
        violations.into_result(query)
    }
}

impl Query {
    fn check_together(&self, violations: &mut Violations) {
        if self.country.is_none() {
            return;
        }
        if self.partner.is_none() {
            violations.push("partner", "is required with `country`");
        }
        if self.partner == self.country {
            violations.push("partner", "is the country itself");
        }
        if self.reporter.is_some() {
            violations.push("reporter", "is given only without `country`");
        }
    }

    /// Whether a group is of the countries that are asked for.
    fn is_of(&self, group: &wire::ObservationGroup) -> bool {
        match (&self.country, &self.partner) {
            (Some(country), Some(partner)) => {
                let sides = (&group.reporter, &group.partner);
                sides == (country, partner) || sides == (partner, country)
            }
            _ => {
                matches(self.reporter.as_deref(), &group.reporter)
                    && matches(self.partner.as_deref(), &group.partner)
            }
        }
    }

    /// What passes of a change: of a batch, the groups of the countries that are asked for.
    pub(crate) fn pass(&self, mut change: TradeChange) -> Option<TradeChange> {
        if let Some(Change::ObservationsRecorded(recorded)) = &mut change.change {
            recorded.groups.retain(|group| self.is_of(group));
        }
        self.passes(change.change.as_ref()?).then_some(change)
    }

    fn passes(&self, change: &Change) -> bool {
        match change {
            Change::DatasetCreated(created) => self.passes_dataset(created.dataset.as_ref()),
            Change::DatasetUpdated(updated) => self.passes_dataset(updated.dataset.as_ref()),
            Change::StatementRecorded(recorded) => {
                let statement = recorded.statement.iter();
                let countries =
                    statement.flat_map(|said| said.partners.iter().chain([&said.country]));
                self.dataset.is_none()
                    && self.is_among(&countries.chain(&recorded.former_countries))
            }
            Change::StatementDeleted(deleted) => {
                self.dataset.is_none() && self.is_among(&deleted.countries.iter())
            }
            Change::SectorRecorded(_)
            | Change::SectorDeleted(_)
            | Change::ConcordanceRecorded(_)
            | Change::CommodityNamesRecorded(_) => {
                self.dataset.is_none() && !self.names_a_country()
            }
            Change::ObservationsRecorded(recorded) => {
                matches(self.dataset.as_deref(), &recorded.dataset)
                    && (!recorded.groups.is_empty() || !self.names_a_country())
            }
        }
    }

    fn passes_dataset(&self, dataset: Option<&wire::Dataset>) -> bool {
        let name = dataset.map_or("", |dataset| dataset.name.as_str());
        matches(self.dataset.as_deref(), name)
    }

    /// Whether the countries that are asked for are all among those of a statement.
    fn is_among<'a>(&self, countries: &(impl Iterator<Item = &'a String> + Clone)) -> bool {
        let asked = [&self.reporter, &self.partner, &self.country]
            .into_iter()
            .flatten();
        asked
            .into_iter()
            .all(|one| countries.clone().any(|country| country == one))
    }

    fn names_a_country(&self) -> bool {
        let countries = [&self.reporter, &self.partner, &self.country];
        countries.into_iter().any(Option::is_some)
    }
}

/// Whether a filter, if there is one, is what is given.
fn matches(wanted: Option<&str>, given: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == given)
}

/// What a watcher is sent.
pub(crate) fn tell(
    position: u64,
    commit_time: Option<Timestamp>,
    changes: Vec<TradeChange>,
) -> wire::WatchChangesResponse {
    wire::WatchChangesResponse {
        position,
        commit_time,
        changes,
    }
}
