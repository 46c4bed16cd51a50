//! The feed of a service for a pair, whichever service it is.

use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use futures_util::{TryFutureExt, TryStreamExt};
use prost::Message;
use proto::culture::v1::{self as culture, CultureChange};
use proto::events::v1::{self as events, EventsChange};
use proto::trade::v1::{self as trade, TradeChange};
use proto::{Country, parse_timestamp};
use tonic::{Request, Status};

use crate::ask::{Asking, Services};
use crate::changes::here;
use crate::cursor::Point;
use crate::which::Which;

/// What a service recorded together of a pair.
#[derive(Clone, Debug)]
pub(crate) enum Changes {
    Trade(Vec<TradeChange>),
    Events(Vec<EventsChange>),
    Culture(Vec<CultureChange>),
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Changes::Trade(changes) => changes.is_empty(),
            Changes::Events(changes) => changes.is_empty(),
            Changes::Culture(changes) => changes.is_empty(),
        }
    }
}

/// A message of a feed.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) position: u64,
    /// When it was committed; `None`: a sign of life.
    pub(crate) time: Option<i64>,
    pub(crate) changes: Changes,
    /// Its size on the wire.
    pub(crate) bytes: usize,
}

/// How long a feed may be silent, from its opening on: services say every ten seconds where they stand.
const SILENCE: Duration = Duration::from_secs(45);

/// The messages of a feed.
pub(crate) type Entries = BoxStream<'static, Result<Entry, Status>>;

/// The messages of a feed after a position, which is opened with the first of them.
pub(crate) fn watch(services: Services, which: Which, pair: [Country; 2], after: u64) -> Entries {
    let opening = async move { open(&services, which, pair, after).await };
    opening.try_flatten_stream().boxed()
}

/// Opens a feed after a position; it fails when it falls silent.
pub(crate) async fn open(
    services: &Services,
    which: Which,
    pair: [Country; 2],
    after: u64,
) -> Result<Entries, Status> {
    let entries = in_time(open_unbounded(services, which, pair, after)).await?;
    let heard = stream::try_unfold(entries, async |mut entries| {
        let next = in_time(entries.try_next()).await?;
        Ok(next.map(|entry| (entry, entries)))
    });
    Ok(heard.boxed())
}

async fn in_time<T>(next: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let next = tokio::time::timeout(SILENCE, next).await;
    next.unwrap_or_else(|_| Err(Status::unavailable("the feed says nothing any more")))
}

macro_rules! feed {
    ($client:expr, $request:expr, $changes:path) => {{
        let mut client = $client.clone();
        // Without a deadline: it goes on until somebody ends it, or it falls silent.
        let stream = client.watch_changes(Request::new($request)).await?;
        let entries = stream.into_inner().map_ok(|message| Entry {
            position: message.position,
            time: message
                .commit_time
                .and_then(|time| parse_timestamp(&time).ok()),
            bytes: message.encoded_len(),
            changes: $changes(message.changes),
        });
        Ok(entries.boxed())
    }};
}

async fn open_unbounded(
    services: &Services,
    which: Which,
    pair: [Country; 2],
    after_position: u64,
) -> Result<Entries, Status> {
    let [country, partner] = pair.map(|country| country.to_string());
    match which {
        Which::Trade => {
            let request = trade::WatchChangesRequest {
                after_position,
                country,
                partner,
                ..Default::default()
            };
            feed!(services.trade.client, request, Changes::Trade)
        }
        Which::Events => {
            let request = events::WatchChangesRequest {
                after_position,
                country,
                partner,
            };
            feed!(services.events.client, request, Changes::Events)
        }
        Which::Culture => {
            let request = culture::WatchChangesRequest {
                after_position,
                country,
                partner,
            };
            feed!(services.culture.client, request, Changes::Culture)
        }
    }
}

/// Where a service's journal stands.
pub(crate) async fn stand(services: &Services, which: Which) -> Result<Point, Status> {
    let asking = Asking::of(&Request::new(()));
    match which {
        Which::Trade => here(&services.trade, &asking).await,
        Which::Events => here(&services.events, &asking).await,
        Which::Culture => here(&services.culture, &asking).await,
    }
}
