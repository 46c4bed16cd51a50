//! The way to a service: a connection, or the service itself where it runs in this process.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};
use tonic::service::Routes;
use tonic::transport::{Channel, Error};

/// A way to a service; a cheap handle.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// To another process.
    Connection(Channel),
    /// To this one, past its door.
    Direct(Routes),
}

impl Service<Request<Body>> for Way {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self {
            Way::Connection(channel) => channel.poll_ready(cx),
            // They are always ready.
            Way::Direct(_) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self {
            Way::Connection(channel) => Box::pin(channel.call(request)),
            Way::Direct(routes) => {
                let answering = routes.call(request);
                Box::pin(async {
                    let Ok::<_, Infallible>(response) = answering.await;
                    Ok(response)
                })
            }
        }
    }
}
