//! One HTTP/2 connection to a replica, shared by many calls.
//!
//! A server protects itself from a client that resets calls which it has not yet taken up, by closing the connection;
//! a gateway's connection carries the calls of many clients, and one of them could so cut off the others. So a call
//! whose client has gone is not reset before the replica has surely taken it up. A replica takes calls up in the order
//! in which they come: when one is answered, all before it were taken up. The [`sweep`] of a connection asks for the
//! health, which is such a later call, and resets the abandoned ones when it is answered. Until then they keep their
//! places, so there are never more than a connection has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chassis::Gather;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{PingPong, Reason, SendStream};
use http::Request;
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::timeout;

use super::address::Stream;
use super::check::Check;
use super::failure::Failure;

/// What a replica may send ahead on one call, and on all: as much as all calls may together, so that an answer that
/// nobody reads keeps no other from coming.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 64 << 20;
/// A replica's answer with its trailers. Twice what the services let in.
const MAX_HEADER_BYTES: u32 = 16 << 10;
/// Calls that were reset here, of which late frames are still to be told from nonsense.
const RESET_MEMORY: usize = 1_024;
/// Places that are kept for questions for the health.
const SPARE: usize = 8;
/// Calls at a time on one connection, whatever the replica says.
const MOST_CALLS: usize = 1_024;
const PING_PAUSE: Duration = Duration::from_secs(30);
const PONG_LIMIT: Duration = Duration::from_secs(10);
/// How long abandoned calls wait for the answer that shows that they were taken up.
const SWEEP_LIMIT: Duration = Duration::from_secs(10);
/// Abandoned calls that one question is asked for.
const SWEPT_AT_ONCE: usize = 1_024;

/// A connection. Dropped with its last call, it is closed in good order.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Bytes>,
    abandoned: UnboundedSender<Abandoned>,
    places: usize,
    taken: AtomicUsize,
    lost: Arc<Lost>,
}

/// A place among the calls of a connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Connection>);

/// A call whose head was sent.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) answer: ResponseFuture,
    pub(super) request: SendStream<Bytes>,
    pub(super) place: Place,
}

/// What is left of a call that nobody waits for.
#[derive(Debug)]
pub(super) enum Abandoned {
    /// Its answer, which has not begun.
    Answer(ResponseFuture, Place),
    /// Its request, which must not look as if it had ended.
    Request(SendStream<Bytes>, Place),
}

/// That a connection takes no more calls, and whom to tell.
#[derive(Debug)]
struct Lost {
    is_so: AtomicBool,
    told: Arc<Notify>,
}

impl Connection {
    /// Greets a replica; says whether it serves. `lost` is told when the connection takes no more calls.
    pub(super) async fn open(
        stream: Stream,
        check: &Check,
        lost: &Arc<Notify>,
    ) -> Result<(Arc<Connection>, bool), Failure> {
        let (sender, connection) = settings().handshake(stream).await?;
        let lost = Arc::new(Lost {
            is_so: AtomicBool::new(false),
            told: lost.clone(),
        });
        tokio::spawn(drive(connection, lost.clone()));
        // Nothing has come from the other side yet: only an answer shows that it speaks gRPC.
        let serving = check.ask(&sender).await?;
        let (abandoned, left) = mpsc::unbounded_channel();
        tokio::spawn(sweep(left, sender.clone(), check.clone(), lost.clone()));
        let places = sender.current_max_send_streams().min(MOST_CALLS);
        let connection = Connection {
            places: places.saturating_sub(SPARE).max(1),
            sender,
            abandoned,
            taken: AtomicUsize::new(0),
            lost,
        };
        Ok((Arc::new(connection), serving))
    }

    /// How many calls it carries.
    pub(super) fn load(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// How many it can carry.
    pub(super) fn places(&self) -> usize {
        self.places
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_so.load(Ordering::Relaxed)
    }

    /// Takes no more calls.
    pub(super) fn give_up(&self) {
        self.lost.tell();
    }

    /// Asks for the health over it.
    pub(super) async fn ask(&self, check: &Check) -> Result<bool, Failure> {
        check.ask(&self.sender).await
    }

    /// Sends the head of a call.
    pub(super) fn begin(self: &Arc<Self>, head: Request<()>) -> Result<Begun, Failure> {
        let place = Place::take(self);
        let sent = self.sender.clone().send_request(head, false);
        let (answer, request) = sent.map_err(|error| {
            self.give_up();
            // It was not sent at all.
            Failure::Refused(error)
        })?;
        Ok(Begun {
            answer,
            request,
            place,
        })
    }
}

impl Place {
    fn take(connection: &Arc<Connection>) -> Place {
        connection.taken.fetch_add(1, Ordering::Relaxed);
        Place(connection.clone())
    }

    /// Another place of the same call.
    pub(super) fn another(&self) -> Place {
        Place::take(&self.0)
    }

    /// Hands over what nobody waits for.
    pub(super) fn abandon(self, left: impl FnOnce(Place) -> Abandoned) {
        let abandoned = self.0.abandoned.clone();
        // Its sweep ends after the last place is given back.
        drop(abandoned.send(left(self)));
    }

    /// The connection broke under the call.
    pub(super) fn give_up(&self) {
        self.0.give_up();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lost {
    fn tell(&self) {
        if !self.is_so.swap(true, Ordering::Relaxed) {
            self.told.notify_one();
        }
    }
}

fn settings() -> Builder {
    let mut settings = Builder::new();
    settings
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MAX_HEADER_BYTES)
        .max_concurrent_reset_streams(RESET_MEMORY)
        // Frames of calls that were reset and forgotten are no attack: it is our own service that sends them.
        .max_local_error_reset_streams(None)
        .enable_push(false);
    settings
}

type Driven = h2::client::Connection<Stream, Bytes>;

/// Moves its bytes until it ends, or no longer answers.
async fn drive(mut connection: Driven, lost: Arc<Lost>) {
    let pings = connection.ping_pong().expect("it was not taken before");
    tokio::select! {
        ended = Gather::new(connection) => if let Err(error) = ended {
            tracing::debug!(%error, "a connection to a service failed");
        },
        () = silence(pings) => tracing::debug!("a connection to a service fell silent"),
    }
    lost.tell();
}

/// Ready when a ping is not answered in time.
async fn silence(mut pings: PingPong) {
    loop {
        tokio::time::sleep(PING_PAUSE).await;
        let pong = pings.ping(h2::Ping::opaque());
        match timeout(PONG_LIMIT, pong).await {
            Ok(Ok(_)) => {}
            // What has ended says so itself.
            Ok(Err(_)) => std::future::pending().await,
            Err(_) => return,
        }
    }
}

/// Resets abandoned calls when they have surely been taken up, or when the replica does not even tell its health: then
/// the connection is given up, so that they do not keep its places for ever.
async fn sweep(
    mut abandoned: UnboundedReceiver<Abandoned>,
    sender: SendRequest<Bytes>,
    check: Check,
    lost: Arc<Lost>,
) {
    let mut left = Vec::new();
    while abandoned.recv_many(&mut left, SWEPT_AT_ONCE).await > 0 {
        match timeout(SWEEP_LIMIT, check.ask(&sender)).await {
            Ok(Ok(_)) => {}
            Ok(Err(failure)) => {
                tracing::debug!(%failure, "calls were abandoned with their connection");
            }
            Err(_) => {
                tracing::debug!("a connection to a service tells no health, and is given up");
                lost.tell();
            }
        }
        left.drain(..).for_each(Abandoned::reset);
    }
}

impl Abandoned {
    fn reset(self) {
        match self {
            // A call that nobody holds is reset.
            Abandoned::Answer(answer, place) => drop((answer, place)),
            // CANCEL would be a clean end to whoever reads the request with hyper.
            Abandoned::Request(mut request, _place) => request.send_reset(Reason::REFUSED_STREAM),
        }
    }
}
