//! What changed of the two since an instant.

use proto::gateway::v1::RelationshipChange;
use proto::gateway::v1::relationship_change::Change;
use proto::trade::v1::ListObservationChangesRequest;
use proto::r#type::v1::Source;
use proto::{culture, events, parse_timestamp, to_timestamp, trade};
use tonic::Status;

use super::outcome::Stand;
use super::query::Query;
use crate::ask::{Asking, Culture, Events, Trade, pages};

/// Changes of one kind that are looked at.
const MAX_LOOKED_AT: usize = 500;

/// Changes as they were gathered from a service, in the order in which they were recorded.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) changes: Vec<RelationshipChange>,
    /// Whether there are more than were looked at.
    pub(crate) is_at_least: bool,
}

/// A question for changes, whatever the service: the messages have the same fields.
macro_rules! asked {
    ($package:path, $query:expr, $stand:expr, $token:expr) => {{
        use $package as wire;
        let [country, partner] = $query.codes();
        wire::ListChangesRequest {
            country,
            partner,
            start_time: $query.since.map(to_timestamp),
            end_time: $stand.as_of($query.as_of),
            page_size: 500,
            page_token: $token,
        }
    }};
}

/// Figures, and statements.
pub(crate) async fn of_trade(
    client: Trade,
    query: &Query,
    stand: Stand,
    asking: &Asking,
) -> Result<Gathered, Status> {
    if is_over(query, stand) {
        return Ok(Gathered::default());
    }
    let statements = pages(MAX_LOOKED_AT, |token| {
        let asked = asked!(trade::v1, query, stand, token);
        let mut client = client.clone();
        async move {
            let page = client.list_changes(asking.call(asked)).await?.into_inner();
            Ok((page.changes, page.next_page_token))
        }
    });
    let figures = pages(MAX_LOOKED_AT, |page_token| {
        let [first, second] = query.codes();
        let asked = ListObservationChangesRequest {
            first,
            second,
            // The first instant that is after it.
            since: query
                .since
                .map(|since| to_timestamp(since.saturating_add(1))),
            until: stand.as_of(query.as_of),
            page_size: 500,
            page_token,
            ..Default::default()
        };
        let mut client = client.clone();
        async move {
            let page = client.list_observation_changes(asking.call(asked)).await?;
            let page = page.into_inner();
            Ok((page.changes, page.next_page_token))
        }
    });
    let ((statements, more_statements), (figures, more_figures)) =
        tokio::try_join!(statements, figures)?;
    let statements = statements.into_iter().map(|change| RelationshipChange {
        record_time: change.record_time,
        change: Some(Change::Trade(change)),
    });
    let figures = figures.into_iter().map(|change| RelationshipChange {
        record_time: change
            .observation
            .as_ref()
            .and_then(|figure| figure.vintage),
        change: Some(Change::Observation(change)),
    });
    let mut changes: Vec<RelationshipChange> = statements.chain(figures).collect();
    changes.sort_by_cached_key(instant);
    Ok(Gathered {
        changes,
        is_at_least: more_statements || more_figures,
    })
}

/// Events and agreements.
pub(crate) async fn of_events(
    client: Events,
    query: &Query,
    stand: Stand,
    asking: &Asking,
) -> Result<Gathered, Status> {
    if is_over(query, stand) {
        return Ok(Gathered::default());
    }
    let (changes, is_at_least) = pages(MAX_LOOKED_AT, |token| {
        let asked = asked!(events::v1, query, stand, token);
        let mut client = client.clone();
        async move {
            let page = client.list_changes(asking.call(asked)).await?.into_inner();
            Ok((page.changes, page.next_page_token))
        }
    })
    .await?;
    let changes = changes.into_iter().map(|change| RelationshipChange {
        record_time: change.record_time,
        change: Some(Change::Events(change)),
    });
    Ok(Gathered {
        changes: changes.collect(),
        is_at_least,
    })
}

/// Programmes, measures and visa rules.
pub(crate) async fn of_culture(
    client: Culture,
    query: &Query,
    stand: Stand,
    asking: &Asking,
) -> Result<Gathered, Status> {
    if is_over(query, stand) {
        return Ok(Gathered::default());
    }
    let (changes, is_at_least) = pages(MAX_LOOKED_AT, |token| {
        let asked = asked!(culture::v1, query, stand, token);
        let mut client = client.clone();
        async move {
            let page = client.list_changes(asking.call(asked)).await?.into_inner();
            Ok((page.changes, page.next_page_token))
        }
    })
    .await?;
    let changes = changes.into_iter().map(|change| RelationshipChange {
        record_time: change.record_time,
        change: Some(Change::Culture(change)),
    });
    Ok(Gathered {
        changes: changes.collect(),
        is_at_least,
    })
}

/// Whether nothing was recorded after the instant.
fn is_over(query: &Query, stand: Stand) -> bool {
    let until = query.as_of.or(stand.time).unwrap_or(i64::MIN);
    let last = stand.time.unwrap_or(i64::MIN);
    query.since.is_none_or(|since| since >= until.min(last))
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
