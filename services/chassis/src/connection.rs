//! Connections: accepting under a limit, HTTP within limits, and a deadline for the greeting.
//!
//! HTTP/1.1 is spoken where an edge is there to answer it; otherwise a connection is HTTP/2 from its first byte.
//!
//! The set of connection tasks is the limit: while it is full nothing is accepted, and whoever is next
//! waits in the listener's queue.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use metrics::{Counter, counter, gauge};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, Sleep};
use tokio_rustls::TlsAcceptor;

use crate::call::{Calls, EVERY, Places, Process};
use crate::edge::Door;
use crate::gather::Gather;
use crate::tls::peer_names;
use crate::{Config, Edge, ServerTls, Shutdown, telemetry};

/// After a failed accept, usually for want of file descriptors: they come back with the end of others.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// It, and the head of the settings that follow it.
const GREETING_BYTES: usize = PREFACE.len() + 9;
/// Headers of a request in HTTP/1.1.
const MAX_HEADERS: usize = 64;

type Http = auto::Builder<TokioExecutor>;

/// Accepts until the shutdown; the listener is closed on return, the connections are still open.
pub(crate) async fn accept(
    listener: TcpListener,
    process: &Arc<Process>,
    config: &Config,
    shutdown: &Shutdown,
) -> JoinSet<()> {
    let acceptor = Arc::new(Acceptor {
        process: process.clone(),
        http: http(config, process.edge().is_some()),
        edge: process.edge(),
        names_itself: config.login.is_none() && !config.insecure,
        greeting_limit: config.greeting_limit,
        tls: config.tls.clone(),
        shutdown: shutdown.clone(),
        open: Arc::new(Open {
            connections: AtomicUsize::new(0),
            limit: config.max_connections,
        }),
        accepted: counter!("entente_connections_accepted_total"),
    });
    let mut connections = JoinSet::new();
    telemetry::before_scrape(&acceptor.open, Open::report);
    let mut full = Full::default();
    let mut stop = pin!(shutdown.wait());
    loop {
        full.note(connections.len(), config.max_connections);
        tokio::select! {
            () = &mut stop => return connections,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < config.max_connections => {
                match accepted {
                    Ok((stream, peer)) => acceptor.spawn(stream, peer, &mut connections),
                    Err(error) => pause(&error).await,
                }
            }
        }
    }
}

struct Acceptor {
    process: Arc<Process>,
    http: Http,
    edge: Option<Arc<dyn Edge>>,
    names_itself: bool,
    greeting_limit: Duration,
    tls: Option<ServerTls>,
    shutdown: Shutdown,
    open: Arc<Open>,
    accepted: Counter,
}

/// The connections that are open, and how many may be.
struct Open {
    connections: AtomicUsize,
    limit: usize,
}

impl Open {
    fn report(&self) {
        let open = self.connections.load(Ordering::Relaxed);
        gauge!("entente_connections_open").set(telemetry::float(open));
        gauge!("entente_connections_limit").set(telemetry::float(self.limit));
    }
}

/// A connection as it is counted, until it is dropped.
struct Counted(Arc<Open>);

impl Counted {
    fn new(open: &Arc<Open>) -> Counted {
        open.connections.fetch_add(1, Ordering::Relaxed);
        Counted(open.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Acceptor {
    fn spawn(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr, connections: &mut JoinSet<()>) {
        // Small answers must not wait for more; a socket that refuses is closed already.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, %peer, "a connection closed at once");
        }
        self.accepted.increment(1);
        let connection = Connection {
            acceptor: self.clone(),
            counted: Counted::new(&self.open),
            calls: Calls::new(self.process.clone(), peer, stream.local_addr().ok()),
            limit: Box::pin(tokio::time::sleep(self.greeting_limit)),
            peer,
        };
        match &self.tls {
            None => connections.spawn(connection.serve(stream)),
            Some(tls) => connections.spawn(connection.secure(stream, tls.acceptor())),
        };
    }
}

/// A connection that has not greeted yet.
struct Connection {
    acceptor: Arc<Acceptor>,
    counted: Counted,
    calls: Calls,
    /// When it must have greeted.
    limit: Pin<Box<Sleep>>,
    peer: SocketAddr,
}

impl Connection {
    async fn secure(mut self, stream: TcpStream, tls: TlsAcceptor) {
        let shaken = tokio::select! {
            biased;
            () = self.acceptor.shutdown.wait() => return,
            shaken = tls.accept(stream) => shaken,
            () = &mut self.limit => Err(io::ErrorKind::TimedOut.into()),
        };
        match shaken {
            Ok(stream) => {
                let (_, session) = stream.get_ref();
                self.calls.know(peer_names(session.peer_certificates()));
                self.serve(stream).await;
            }
            Err(error) => tracing::debug!(%error, peer = %self.peer, "a TLS handshake failed"),
        }
    }

    async fn serve<S>(self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            acceptor,
            counted: _counted,
            calls,
            limit,
            peer,
        } = self;
        let io = TokioIo::new(Greeted::new(stream, limit));
        let places = calls.places();
        let door = Door::new(calls, acceptor.edge.clone(), acceptor.names_itself);
        let mut connection = pin!(acceptor.http.serve_connection(io, door));
        let ended = tokio::select! {
            biased;
            ended = Gather::new(connection.as_mut()) => ended,
            never = look_after(&places) => match never {},
            () = acceptor.shutdown.wait() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, %peer, "a connection failed");
        }
    }
}

/// Gives back what calls hold beyond their deadlines, for as long as it is polled.
async fn look_after(places: &Places) -> Infallible {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        places.give_back();
    }
}

/// Says that no place was left: once, until half of them are free again.
#[derive(Default)]
struct Full {
    told: bool,
}

impl Full {
    fn note(&mut self, open: usize, max: usize) {
        self.told &= open > max / 2;
        if open >= max && !self.told {
            self.told = true;
            tracing::warn!(
                max,
                "all places for connections are taken; the next ones wait"
            );
        }
    }
}

async fn pause(error: &io::Error) {
    tracing::warn!(%error, "a connection was not accepted");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

fn http(config: &Config, both: bool) -> Http {
    let mut http = Http::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .max_headers(MAX_HEADERS)
        .max_buf_size(2 * config.max_header_bytes as usize)
        .header_read_timeout(config.keepalive_interval);
    http.http2()
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .max_concurrent_streams(config.max_streams)
        .max_pending_accept_reset_streams(config.max_pending_resets)
        .max_local_error_reset_streams(config.max_error_resets)
        .max_header_list_size(config.max_header_bytes)
        .initial_stream_window_size(config.stream_window)
        .initial_connection_window_size(config.connection_window)
        .keep_alive_interval(config.keepalive_interval)
        .keep_alive_timeout(config.keepalive_timeout);
    if both { http } else { http.http2_only() }
}

/// A stream that fails when its greeting does not come in time: until then HTTP/2 sends no pings, nothing is known of
/// HTTP/1.1, and a silent client would keep its place for ever.
struct Greeted<S> {
    stream: S,
    awaited: Option<Awaited>,
}

struct Awaited {
    received: usize,
    limit: Pin<Box<Sleep>>,
}

impl<S> Greeted<S> {
    fn new(stream: S, limit: Pin<Box<Sleep>>) -> Self {
        let awaited = Awaited { received: 0, limit };
        Self {
            stream,
            awaited: Some(awaited),
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        self.awaited.take_if(|awaited| awaited.is_over(bytes));
    }

    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(awaited) = &mut self.awaited else {
            return Poll::Pending;
        };
        ready!(awaited.limit.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Awaited {
    /// Whether it came whole, or cannot become one of HTTP/2: HTTP/1.1 has a limit of its own for the head.
    fn is_over(&mut self, bytes: &[u8]) -> bool {
        let expected = PREFACE.get(self.received..).unwrap_or_default();
        let differs = expected.iter().zip(bytes).any(|(a, b)| a != b);
        self.received += bytes.len();
        differs || self.received >= GREETING_BYTES
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Greeted<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(read) => {
                this.received(&buf.filled()[before..]);
                Poll::Ready(read)
            }
            Poll::Pending => this.poll_late(cx),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Greeted<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
