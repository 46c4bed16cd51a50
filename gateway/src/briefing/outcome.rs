//! What each service came to.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use proto::gateway::v1 as wire;
use proto::to_timestamp;
use tonic::Status;
use wire::{BriefingSection as Section, ServicePosition};

use super::query::Query;
use super::{changes, culture, events, trade};
use crate::ask::{Asking, Service, Services};
use crate::stand::{Stand, stand_of};
use crate::which::Which;

/// The sections that each service is asked for.
const OF_TRADE: [Section; 2] = [Section::Trade, Section::Changes];
const OF_EVENTS: [Section; 4] = [
    Section::Meetings,
    Section::Events,
    Section::Agreements,
    Section::Changes,
];
const OF_CULTURE: [Section; 3] = [Section::Exchange, Section::Visa, Section::Changes];

/// Where the journals of the services stand that are asked; `None` for one that is not.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    trade: Option<Result<Stand, Status>>,
    events: Option<Result<Stand, Status>>,
    culture: Option<Result<Stand, Status>>,
}

/// The positions of the services that were asked.
pub(crate) type Positions = [Option<Stand>; 3];

impl Head {
    pub(crate) fn positions(&self) -> Positions {
        let stand = |stand: &Option<Result<Stand, Status>>| match stand {
            Some(Ok(stand)) => Some(*stand),
            Some(Err(_)) | None => None,
        };
        [&self.trade, &self.events, &self.culture].map(stand)
    }

    /// Whether every service that was asked answered.
    pub(crate) fn is_whole(&self) -> bool {
        let mut all = [&self.trade, &self.events, &self.culture]
            .into_iter()
            .flatten();
        all.all(Result::is_ok)
    }
}

/// Asks where the journals stand.
pub(crate) async fn stand(services: &Services, query: &Query, asking: &Asking) -> Head {
    let Services {
        trade,
        events,
        culture,
    } = services;
    let (trade, events, culture) = tokio::join!(
        stand_if(query.wants_any(&OF_TRADE), trade, asking),
        stand_if(query.wants_any(&OF_EVENTS), events, asking),
        stand_if(query.wants_any(&OF_CULTURE), culture, asking),
    );
    Head {
        trade,
        events,
        culture,
    }
}

async fn stand_if<C>(
    is_wanted: bool,
    service: &Service<C>,
    asking: &Asking,
) -> Option<Result<Stand, Status>> {
    if !is_wanted {
        return None;
    }
    Some(stand_of(service, asking).await)
}

/// What a service was asked for: nothing, an answer, or why there is none.
pub(crate) type Asked<T> = Option<Result<T, Status>>;

/// What the services came to. Their messages have their own lists of sources yet.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) positions: Vec<ServicePosition>,
    pub(crate) trade: Asked<trade::Gathered>,
    pub(crate) events: Asked<events::Gathered>,
    pub(crate) culture: Asked<culture::Gathered>,
    pub(crate) changes: [(&'static str, Asked<changes::Gathered>); 3],
}

/// Gathers all that is wanted, from all services at once.
pub(crate) async fn gather(
    services: &Services,
    query: &Query,
    head: Head,
    asking: &Asking,
) -> Outcome {
    let positions = positions(&head);
    let Head {
        trade: of_trade,
        events: of_events,
        culture: of_culture,
    } = head;
    let Services {
        trade,
        events,
        culture,
    } = services;
    let wants_trade = query.wants(Section::Trade);
    let wants_events = query.wants_any(&OF_EVENTS[..3]);
    let wants_culture = query.wants_any(&OF_CULTURE[..2]);
    let wants_changes = query.wants(Section::Changes);
    let (from_trade, from_events, from_culture, trade_changes, events_changes, culture_changes) = tokio::join!(
        part(wants_trade, of_trade.as_ref(), asking, |stand| {
            trade::gather(trade.client.clone(), query, stand, asking).boxed()
        }),
        part(wants_events, of_events.as_ref(), asking, |stand| {
            events::gather(events.client.clone(), query, stand, asking).boxed()
        }),
        part(wants_culture, of_culture.as_ref(), asking, |stand| {
            culture::gather(culture.client.clone(), query, stand, asking).boxed()
        }),
        part(wants_changes, of_trade.as_ref(), asking, |stand| {
            changes::of_trade(trade.client.clone(), query, stand, asking).boxed()
        }),
        part(wants_changes, of_events.as_ref(), asking, |stand| {
            changes::of_events(events.client.clone(), query, stand, asking).boxed()
        }),
        part(wants_changes, of_culture.as_ref(), asking, |stand| {
            changes::of_culture(culture.client.clone(), query, stand, asking).boxed()
        }),
    );
    Outcome {
        positions,
        trade: from_trade,
        events: from_events,
        culture: from_culture,
        changes: [
            (trade.name, trade_changes),
            (events.name, events_changes),
            (culture.name, culture_changes),
        ],
    }
}

async fn part<'a, T>(
    is_wanted: bool,
    stand: Option<&Result<Stand, Status>>,
    asking: &Asking,
    gather: impl FnOnce(Stand) -> BoxFuture<'a, Result<T, Status>>,
) -> Asked<T> {
    match stand.filter(|_| is_wanted)? {
        Ok(stand) => Some(asking.in_time(gather(*stand)).await),
        Err(status) => Some(Err(status.clone())),
    }
}

fn positions(head: &Head) -> Vec<ServicePosition> {
    let known = Which::ALL.into_iter().zip(head.positions());
    known
        .filter_map(|(service, stand)| {
            let Stand { position, time } = stand?;
            Some(ServicePosition {
                service: service.name().to_owned(),
                position,
                record_time: time.map(to_timestamp),
            })
        })
        .collect()
}
