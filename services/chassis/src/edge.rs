//! Requests that are no gRPC calls, and who answers them.
//!
//! An edge translates a request into a call, hands it to [`Grpc`], and translates the answer back. So what happens
//! to every call (its deadline, its place, its line in the log) happens once, by the name of its method, whatever the
//! protocol was. A request that is a call goes past the edge without being looked into.

use std::convert::Infallible;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode, Version};
use http_body::Frame;
use hyper::body::Incoming;
use tonic::Status;
use tonic::body::Body;

use crate::call::{Calls, Reply, ReplyBody, catch, whole};

/// An answer on its way.
pub type Answering = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// Answers what is no gRPC call; with one, a process also speaks HTTP/1.1.
pub trait Edge: Debug + Send + Sync + 'static {
    /// Answers a request, by calls where it wants some.
    fn answer(&self, request: Request<Body>, grpc: Grpc) -> Answering;
}

/// Makes calls on behalf of the other end of a connection; a cheap handle.
#[derive(Clone, Debug)]
pub struct Grpc {
    calls: Calls,
}

impl Grpc {
    /// Makes a gRPC call as if it had come by itself. Its extensions are those of the request it is made for.
    pub async fn call(&self, request: Request<Body>) -> Response<Body> {
        match self.calls.start(request).await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        }
    }
}

/// Where the requests of a connection come in.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    calls: Calls,
    edge: Option<Arc<dyn Edge>>,
}

/// A request until its response head.
#[expect(
    clippy::large_enum_variant,
    reason = "most are calls, and a box would cost each an allocation"
)]
pub(crate) enum Passing {
    Call(Reply),
    Edge(Answering),
}

/// The body of a response.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "most are calls, and a box would cost each an allocation"
)]
pub(crate) enum Leaving {
    Call(ReplyBody),
    Edge(Body),
}

impl Door {
    pub(crate) fn new(calls: Calls, edge: Option<Arc<dyn Edge>>) -> Door {
        Door { calls, edge }
    }
}

impl hyper::service::Service<Request<Incoming>> for Door {
    type Response = Response<Leaving>;
    type Error = Infallible;
    type Future = Passing;

    fn call(&self, request: Request<Incoming>) -> Passing {
        let request = whole(request);
        match &self.edge {
            Some(edge) if !is_call(&request) => {
                let calls = self.calls.clone();
                Passing::Edge(edge.answer(request.map(Body::new), Grpc { calls }))
            }
            _ => Passing::Call(self.calls.start(request)),
        }
    }
}

fn is_call<B>(request: &Request<B>) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE);
    let rest = content_type.and_then(|kind| kind.as_bytes().strip_prefix(b"application/grpc"));
    request.version() == Version::HTTP_2 && rest.is_some_and(|rest| !rest.starts_with(b"-"))
}

impl Future for Passing {
    type Output = Result<Response<Leaving>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Passing::Call(reply) => Pin::new(reply)
                .poll(cx)
                .map_ok(|response| response.map(Leaving::Call)),
            Passing::Edge(answering) => catch(|| answering.as_mut().poll(cx))
                .unwrap_or_else(|_| Poll::Ready(defect()))
                .map(|response| Ok(response.map(Leaving::Edge))),
        }
    }
}

fn defect() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

impl http_body::Body for Leaving {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.get_mut() {
            Leaving::Call(body) => Pin::new(body).poll_frame(cx),
            Leaving::Edge(body) => catch(|| Pin::new(body).poll_frame(cx))
                .unwrap_or_else(|panicked| Poll::Ready(Some(Err(panicked)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Leaving::Call(body) => body.is_end_stream(),
            Leaving::Edge(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Leaving::Call(body) => body.size_hint(),
            Leaving::Edge(body) => body.size_hint(),
        }
    }
}
