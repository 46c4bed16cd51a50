//! Watching: the journal's changes, as far as they pass a filter.

use std::pin::Pin;

use chassis::Shutdown;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use prost::Message;
use prost_types::Timestamp;
use proto::to_timestamp;
use store::{Event, Watch};
use tokio::sync::OwnedSemaphorePermit;
use tonic::Status;

use crate::error::Error;

/// A stream of messages.
pub type Messages<R> = Pin<Box<dyn Stream<Item = Result<R, Status>> + Send>>;

/// A watch with what it lets through and how it tells it, and its place among the watchers, which ends with it.
struct Watching<P, T> {
    watch: Watch,
    pass: P,
    tell: T,
    _place: OwnedSemaphorePermit,
}

/// The changes of a watch as messages, until the service stops.
pub(crate) fn follow<C, R>(
    watch: Watch,
    place: OwnedSemaphorePermit,
    shutdown: &Shutdown,
    pass: impl Fn(C) -> Option<C> + Send + 'static,
    tell: impl Fn(u64, Option<Timestamp>, Vec<C>) -> R + Send + 'static,
) -> Messages<R>
where
    C: Message + Default + 'static,
    R: Send + 'static,
{
    let watching = Watching {
        watch,
        pass,
        tell,
        _place: place,
    };
    let changes = stream::try_unfold(watching, async |mut watching| {
        let Watching {
            watch, pass, tell, ..
        } = &mut watching;
        let message = match watch.next().await? {
            Event::Idle(position) => tell(position, None, Vec::new()),
            Event::Entry(entry) => {
                let changes = entry.changes::<C>()?.into_iter().filter_map(&*pass);
                let (position, time) = (entry.stamp.position, to_timestamp(entry.stamp.time));
                tell(position, Some(time), changes.collect())
            }
        };
        Ok(Some((message, watching)))
    });
    let stopping = stream::once(async { Err(Error::Stopping) });
    let until_stop = changes.take_until(shutdown.wait()).chain(stopping);
    Box::pin(until_stop.map_err(Status::from))
}
