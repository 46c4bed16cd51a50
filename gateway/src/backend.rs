//! A service that calls are passed to.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::service::Routes;

/// A service that calls are passed to; a cheap handle, to be cloned. Generated clients run over it.
///
/// What goes wrong on the way is an answer with a status, as if the service had given it.
#[derive(Clone, Debug)]
pub struct Backend {
    routes: Routes,
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
            routes: routes.prepare(),
        }
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
        let mut routes = self.routes.clone();
        Box::pin(async move { routes.call(request).await })
    }
}
