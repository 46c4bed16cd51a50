//! What changed of the two since an instant.

use proto::gateway::v1::RelationshipChange;
use proto::gateway::v1::relationship_change::Change;
use proto::trade::v1::ListObservationChangesRequest;
use proto::r#type::v1::Source;
use proto::{culture, events, parse_timestamp, to_timestamp, trade};
use tonic::Status;

use super::query::Query;
use crate::ask::{Asking, Culture, Events, Trade, listed};
use crate::stand::Stand;

/// Changes of records of a service that are looked at.
const MAX_RECORDS: usize = 500;
/// Changes of figures that are looked at.
const MAX_FIGURES: usize = 5_000;

/// Changes as they were gathered from a service, in the order in which they were recorded.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) changes: Vec<RelationshipChange>,
    /// Whether there are more than were looked at.
    pub(crate) is_at_least: bool,
}

/// One briefing's questions to a service for what changed.
#[derive(Debug)]
struct Gathering<'a, C> {
    client: C,
    query: &'a Query,
    until: Option<prost_types::Timestamp>,
    asking: &'a Asking,
}

impl<'a, C> Gathering<'a, C> {
    /// None where nothing was recorded after the instant.
    fn new(client: C, query: &'a Query, stand: Stand, asking: &'a Asking) -> Option<Self> {
        let last = stand.time?;
        let until = query.as_of.map_or(last, |as_of| as_of.min(last));
        let is_over = query.since.is_none_or(|since| since >= until);
        (!is_over).then(|| Gathering {
            client,
            query,
            until: Some(stand.as_of(query.as_of)),
            asking,
        })
    }
}

/// The changes of a service's records, whichever it is: the messages have the same fields.
macro_rules! records {
    ($package:path, $variant:path, $from:expr) => {{
        use $package as wire;
        let [country, partner] = $from.query.codes();
        let asked = wire::ListChangesRequest {
            country,
            partner,
            start_time: $from.query.since.map(to_timestamp),
            end_time: $from.until,
            page_size: 500,
            ..Default::default()
        };
        let (changes, is_at_least) =
            listed!(last_pages(MAX_RECORDS), $from, list_changes(asked), changes).await?;
        let changes = changes.into_iter().map(|change| RelationshipChange {
            record_time: change.record_time,
            change: Some($variant(change)),
        });
        Ok(Gathered {
            changes: changes.collect(),
            is_at_least,
        })
    }};
}

/// Figures, and statements.
pub(crate) async fn of_trade(
    client: Trade,
    query: &Query,
    stand: Stand,
    asking: &Asking,
) -> Result<Gathered, Status> {
    let Some(from) = Gathering::new(client, query, stand, asking) else {
        return Ok(Gathered::default());
    };
    let (statements, figures) = tokio::try_join!(statements(&from), figures(&from))?;
    let mut changes = statements.changes;
    changes.extend(figures.changes);
    changes.sort_by_cached_key(instant);
    Ok(Gathered {
        changes,
        is_at_least: statements.is_at_least || figures.is_at_least,
    })
}

async fn statements(from: &Gathering<'_, Trade>) -> Result<Gathered, Status> {
    records!(trade::v1, Change::Trade, from)
}

async fn figures(from: &Gathering<'_, Trade>) -> Result<Gathered, Status> {
    let [first, second] = from.query.codes();
    // The first instant that is after it.
    let since = from.query.since.map(|since| since.saturating_add(1));
    let asked = ListObservationChangesRequest {
        first,
        second,
        since: since.map(to_timestamp),
        until: from.until,
        page_size: 500,
        ..Default::default()
    };
    let call = listed!(
        last_pages(MAX_FIGURES),
        from,
        list_observation_changes(asked),
        changes
    );
    let (changes, is_at_least) = call.await?;
    let changes = changes.into_iter().map(|change| RelationshipChange {
        record_time: change
            .observation
            .as_ref()
            .and_then(|figure| figure.vintage),
        change: Some(Change::Observation(change)),
    });
    Ok(Gathered {
        changes: changes.collect(),
        is_at_least,
    })
}

/// Events and agreements.
pub(crate) async fn of_events(
    client: Events,
    query: &Query,
    stand: Stand,
    asking: &Asking,
) -> Result<Gathered, Status> {
    match Gathering::new(client, query, stand, asking) {
        Some(from) => records!(events::v1, Change::Events, from),
        None => Ok(Gathered::default()),
    }
}

/// Programmes, measures and visa rules.
pub(crate) async fn of_culture(
    client: Culture,
    query: &Query,
    stand: Stand,
    asking: &Asking,
) -> Result<Gathered, Status> {
    match Gathering::new(client, query, stand, asking) {
        Some(from) => records!(culture::v1, Change::Culture, from),
        None => Ok(Gathered::default()),
    }
}

/// When a change was recorded.
pub(crate) fn instant(change: &RelationshipChange) -> i64 {
    let time = change.record_time.as_ref().map(parse_timestamp);
    time.and_then(Result::ok).unwrap_or_default()
}

/// What a changed record is known from.
pub(crate) fn sources(change: &RelationshipChange) -> Vec<Source> {
    use culture::v1::record_change::Record as OfCulture;
    use events::v1::record_change::Record as OfEvents;
    use trade::v1::record_change::Record as OfTrade;
    match &change.change {
        None => Vec::new(),
        Some(Change::Observation(change)) => {
            let figure = change.observation.as_ref();
            figure
                .and_then(|figure| figure.source.clone())
                .into_iter()
                .collect()
        }
        Some(Change::Trade(change)) => match &change.record {
            None | Some(OfTrade::Sector(_)) => Vec::new(),
            Some(OfTrade::Statement(statement)) => statement.source.clone().into_iter().collect(),
            Some(OfTrade::Dataset(dataset)) => dataset.source.clone().into_iter().collect(),
        },
        Some(Change::Events(change)) => match &change.record {
            None => Vec::new(),
            Some(OfEvents::Event(event)) => event.sources.clone(),
            Some(OfEvents::Agreement(agreement)) => agreement.sources.clone(),
        },
        Some(Change::Culture(change)) => match &change.record {
            None => Vec::new(),
            Some(OfCulture::Programme(programme)) => programme.sources.clone(),
            Some(OfCulture::Measure(measure)) => measure.source.clone().into_iter().collect(),
            Some(OfCulture::VisaRule(rule)) => rule.sources.clone(),
        },
    }
}
