//! A service that calls are passed to.
//!
//! Behind addresses, each call goes this way: [`call`] prepares it ([`head`]), keeps its request if that is one small
//! message, and makes attempts within the [`budget`]; [`pool`] chooses a [`replica`], which is one process of the
//! service, known healthy or not ([`check`], [`eject`]); [`connection`] is one of its HTTP/2 connections, on which
//! [`exchange`] is the call, [`upload`] its request if that is piped, and [`answer`] what comes back. [`failure`] is
//! what can go wrong, and [`question`] what of it stands in traces. `h2` is used directly: a client above it would hand each call to a task of its own and back,
//! and would say neither whether a backend has seen a call nor when it may be reset.

mod address;
mod answer;
mod budget;
mod call;
mod check;
mod connection;
mod eject;
mod exchange;
mod failure;
mod head;
mod pool;
mod question;
mod replica;
mod upload;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use chassis::{ClientTls, Trace, telemetry};
use http::{Request, Response};
use proto::gateway::v1::ReplicaState;
use tokio::sync::watch;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::service::Routes;
use tracing::Instrument;

pub use self::address::{Address, AddressError};
pub(crate) use self::call::gather;
pub(crate) use self::exchange::Message;

use self::pool::Pool;
use self::question::Question;
use self::replica::Replica;
use crate::vitals;

/// A service that calls are passed to; a cheap handle, to be cloned. Generated clients run over it.
///
/// What goes wrong on the way is an answer with a status, as if the service had given it.
#[derive(Clone, Debug)]
pub struct Backend {
    way: Way,
}

#[derive(Clone, Debug)]
enum Way {
    Direct(Routes),
    Remote(Arc<Pool>),
}

/// The services behind a gateway.
#[derive(Clone, Debug)]
pub struct Backends {
    /// Trade, and its journal.
    pub trade: Backend,
    /// Events, and its journal.
    pub events: Backend,
    /// Culture, and its journal.
    pub culture: Backend,
}

impl Backend {
    /// A service in this process: called directly, without a socket.
    pub fn direct(routes: Routes) -> Backend {
        Backend {
            way: Way::Direct(routes.prepare()),
        }
    }

    /// A service behind addresses, each of which may be that of several processes. They are connected to from here
    /// on, and asked for the health of `service`, until the last handle is dropped. Those of `https` are believed by
    /// `tls` alone; without it they are not reached.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn remote(
        service: &'static str,
        addresses: Vec<Address>,
        tls: Option<ClientTls>,
    ) -> Backend {
        vitals::describe();
        let pool = Arc::new(Pool::start(service, addresses, tls));
        telemetry::before_scrape(&pool, Pool::report);
        Backend {
            way: Way::Remote(pool),
        }
    }

    /// Whether calls can be passed to it, now and from now on.
    pub fn reached(&self) -> watch::Receiver<bool> {
        match &self.way {
            Way::Direct(_) => watch::channel(true).1,
            Way::Remote(pool) => pool.reached(),
        }
    }

    /// Its processes as they are seen from here; none when it runs in this process.
    pub(crate) fn processes(&self) -> Vec<Process> {
        match &self.way {
            Way::Direct(_) => Vec::new(),
            Way::Remote(pool) => pool.replicas().into_iter().map(Process).collect(),
        }
    }

    /// Passes a call on, as a part of the trace that it belongs to.
    pub(crate) async fn pass(self, mut request: Request<Body>) -> Response<Body> {
        let span = question::span(request.uri().path());
        if let Some(trace) = request.extensions().get::<Trace>().copied() {
            trace.within(&span).hand_on(request.headers_mut());
        }
        if span.is_disabled() {
            return self.send(request).await;
        }
        let question = Question::new(span.clone());
        let response = self.send(request).instrument(span).await;
        question.answered(response)
    }

    async fn send(self, request: Request<Body>) -> Response<Body> {
        match self.way {
            Way::Direct(mut routes) => {
                let Ok(response) = routes.call(request).await;
                response
            }
            Way::Remote(pool) => call::pass(&pool, request).await,
        }
    }
}

/// A process of a service: how it is seen from here, and a way to ask it and no other.
#[derive(Clone, Debug)]
pub(crate) struct Process(Arc<Replica>);

impl Process {
    pub(crate) fn place(&self) -> SocketAddr {
        self.0.place()
    }

    pub(crate) fn state(&self) -> ReplicaState {
        if self.0.is_well() {
            ReplicaState::Serving
        } else if self.0.is_reached() {
            ReplicaState::LeftOut
        } else {
            ReplicaState::NotServing
        }
    }

    /// Calls that are under way to it.
    pub(crate) fn calls(&self) -> usize {
        self.0.load()
    }
}

/// A call on its way.
type Calling = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl Service<Request<Body>> for Backend {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Calling;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Calling {
        let passing = self.clone().pass(request);
        Box::pin(async move { Ok(passing.await) })
    }
}

impl Service<Request<Body>> for Process {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Calling;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Calling {
        let replica = self.0.clone();
        Box::pin(async move { Ok(call::pass_to(&replica, request).await) })
    }
}
