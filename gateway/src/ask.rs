//! Asking the services on behalf of a caller.

use std::collections::VecDeque;
use std::time::Duration;

use chassis::{Caller, Deadline};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use proto::culture::v1::culture_service_client::CultureServiceClient;
use proto::error::v1::ErrorReason;
use proto::events::v1::events_service_client::EventsServiceClient;
use proto::journal::v1::journal_service_client::JournalServiceClient;
use proto::trade::v1::trade_service_client::TradeServiceClient;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Status};

use crate::which::Which;
use crate::{Backend, Backends};

/// The largest answer of a service.
const MAX_ANSWER: usize = 16 << 20;
/// How long a question may take whose caller said nothing, and which did not come through a listener.
const DEFAULT_LIMIT: Duration = Duration::from_secs(60);
/// What is kept of the caller's time for putting the answers together.
const KEPT: u32 = 20;
const MOST_KEPT: Duration = Duration::from_millis(200);
/// Calls of a kind side by side.
const MAX_CALLS: usize = 16;
/// Pages that are read for the end of a list.
const MAX_PAGES: usize = 100;
/// What tells one call from another in the logs of all processes.
const NAMES: [&str; 2] = ["x-request-id", "traceparent"];

/// The client of a service, and that of its journal.
#[derive(Clone, Debug)]
pub(crate) struct Service<C> {
    /// `trade`, `events` or `culture`.
    pub(crate) name: &'static str,
    /// The service.
    pub(crate) client: C,
    /// Its journal.
    pub(crate) journals: JournalServiceClient<Backend>,
}

pub(crate) type Trade = TradeServiceClient<Backend>;
pub(crate) type Events = EventsServiceClient<Backend>;
pub(crate) type Culture = CultureServiceClient<Backend>;

/// The services behind a gateway as clients.
#[derive(Clone, Debug)]
pub(crate) struct Services {
    pub(crate) trade: Service<Trade>,
    pub(crate) events: Service<Events>,
    pub(crate) culture: Service<Culture>,
}

impl Services {
    pub(crate) fn new(backends: &Backends) -> Services {
        let Backends {
            trade,
            events,
            culture,
        } = backends;
        Services {
            trade: Service {
                name: Which::Trade.name(),
                client: Trade::new(trade.clone()).max_decoding_message_size(MAX_ANSWER),
                journals: JournalServiceClient::new(trade.clone()),
            },
            events: Service {
                name: Which::Events.name(),
                client: Events::new(events.clone()).max_decoding_message_size(MAX_ANSWER),
                journals: JournalServiceClient::new(events.clone()),
            },
            culture: Service {
                name: Which::Culture.name(),
                client: Culture::new(culture.clone()).max_decoding_message_size(MAX_ANSWER),
                journals: JournalServiceClient::new(culture.clone()),
            },
        }
    }
}

/// On whose behalf services are asked, and until when.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    limit: Instant,
    names: MetadataMap,
    caller: Option<Caller>,
}

impl Asking {
    /// On behalf of the caller of a request.
    pub(crate) fn of<T>(request: &Request<T>) -> Asking {
        let deadline = request.extensions().get::<Deadline>();
        let left = deadline.map_or(DEFAULT_LIMIT, |deadline| deadline.remaining());
        let mut names = MetadataMap::new();
        for name in NAMES {
            if let Some(value) = request.metadata().get(name) {
                names.insert(name, value.clone());
            }
        }
        Asking {
            limit: Instant::now() + left.saturating_sub((left / KEPT).min(MOST_KEPT)),
            names,
            caller: request.extensions().get().cloned(),
        }
    }

    /// A call to a service.
    pub(crate) fn call<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        *request.metadata_mut() = self.names.clone();
        request.extensions_mut().insert(Deadline(self.limit));
        if let Some(caller) = &self.caller {
            request.extensions_mut().insert(caller.clone());
        }
        request
    }

    /// Waits for a service no longer than there is time.
    pub(crate) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        tokio::time::timeout_at(self.limit, work)
            .await
            .unwrap_or_else(|_| Err(late()))
    }

    /// Half of the time that is left.
    pub(crate) fn half_time(&self) -> Duration {
        self.limit.saturating_duration_since(Instant::now()) / 2
    }

    /// Waits no longer than for half of the time that is left: for what must be known before services are asked for the
    /// rest, so that one which says nothing leaves the others time.
    pub(crate) async fn in_half_time<T>(
        &self,
        work: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        tokio::time::timeout(self.half_time(), work)
            .await
            .unwrap_or_else(|_| Err(late()))
    }
}

/// Makes calls side by side, a bounded number at a time; their answers in the order of the calls.
pub(crate) async fn all<T>(calls: Vec<BoxFuture<'_, Result<T, Status>>>) -> Result<Vec<T>, Status> {
    at_once(MAX_CALLS, calls).await
}

/// The same for what makes calls side by side itself: so many at a time.
pub(crate) async fn at_once<T>(
    most: usize,
    calls: Vec<BoxFuture<'_, Result<T, Status>>>,
) -> Result<Vec<T>, Status> {
    stream::iter(calls).buffered(most).try_collect().await
}

/// The last entries of a list, so many at most, and whether there are more: it is followed to its end, as far as it is
/// worth.
pub(crate) async fn last_pages<T, F>(
    most: usize,
    mut page: impl FnMut(String) -> F,
) -> Result<(Vec<T>, bool), Status>
where
    F: Future<Output = Result<(Vec<T>, String), Status>>,
{
    let mut last = VecDeque::new();
    let (mut token, mut are_more) = (String::new(), false);
    for _ in 0..MAX_PAGES {
        let (entries, next) = page(token).await?;
        last.extend(entries);
        are_more |= last.len() > most;
        last.drain(..last.len().saturating_sub(most));
        if next.is_empty() {
            return Ok((last.into(), are_more));
        }
        token = next;
    }
    Ok((last.into(), true))
}

/// Follows a list from page to page, to its end or until there are so many entries; and whether there are more.
pub(crate) async fn pages<T, F>(
    most: usize,
    mut page: impl FnMut(String) -> F,
) -> Result<(Vec<T>, bool), Status>
where
    F: Future<Output = Result<(Vec<T>, String), Status>>,
{
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let (entries, next) = page(token).await?;
        all.extend(entries);
        if next.is_empty() || all.len() >= most {
            return Ok((all, !next.is_empty()));
        }
        token = next;
    }
}

/// Follows a list of a service as [`pages`] or [`last_pages`] does: what `call(request)` answers, page by page, on
/// behalf of whoever `$from` asks for (it has a `client` and an `asking`).
macro_rules! listed {
    ($pages:ident($most:expr), $from:expr, $call:ident($asked:expr), $entries:ident) => {{
        let (asked, from) = ($asked, &$from);
        $crate::ask::$pages($most, move |page_token| {
            let mut request = asked.clone();
            request.page_token = page_token;
            async move {
                let mut client = from.client.clone();
                let page = client.$call(from.asking.call(request)).await?;
                let page = page.into_inner();
                Ok((page.$entries, page.next_page_token))
            }
        })
    }};
}

pub(crate) use listed;

fn late() -> Status {
    proto::status(
        Code::DeadlineExceeded,
        ErrorReason::DeadlineExceeded,
        "it did not answer before the deadline of the call",
        [],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_a_long_list_the_last_entries_are_kept() {
        let page = |token: String| async move {
            let start: i32 = token.parse().unwrap_or(0);
            let next = if start < 12 {
                (start + 4).to_string()
            } else {
                String::new()
            };
            Ok(((start..start + 4).collect(), next))
        };
        assert_eq!(
            last_pages(5, page).await.unwrap(),
            ((11..16).collect(), true)
        );
        assert_eq!(
            last_pages(16, page).await.unwrap(),
            ((0..16).collect(), false)
        );
        assert_eq!(pages(5, page).await.unwrap(), ((0..8).collect(), true));
    }
}
