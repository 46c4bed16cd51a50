//! Requests that are no gRPC calls, and who answers them.
//!
//! An edge translates a request into a call, hands it to [`Grpc`], and translates the answer back. So what happens
//! to every call (its deadline, its place, its line in the log) happens once, by the name of its method, whatever the
//! protocol was. A request that is a call goes past the edge without being looked into.

use std::convert::Infallible;
use std::fmt::Debug;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body::Frame;
use http_body_util::Full;
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
    names_itself: bool,
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
    /// With `names_itself`, what is no call is answered only under a name of this machine.
    pub(crate) fn new(calls: Calls, edge: Option<Arc<dyn Edge>>, names_itself: bool) -> Door {
        Door {
            calls,
            edge,
            names_itself,
        }
    }
}

impl hyper::service::Service<Request<Incoming>> for Door {
    type Response = Response<Leaving>;
    type Error = Infallible;
    type Future = Passing;

    fn call(&self, request: Request<Incoming>) -> Passing {
        let request = whole(request);
        match &self.edge {
            Some(_) if !is_call(&request) && self.names_itself && is_misdirected(&request) => {
                Passing::Edge(Box::pin(async { misdirected() }))
            }
            Some(edge) if !is_call(&request) => {
                let calls = self.calls.clone();
                Passing::Edge(edge.answer(request.map(Body::new), Grpc { calls }))
            }
            _ => Passing::Call(self.calls.start(request)),
        }
    }
}

/// Whether a request is meant for a name that is none of this machine's. A page whose own name was made to lead here
/// is of the same origin as what it asks for, so nothing else keeps it from reading, and writing, whatever there is.
fn is_misdirected<B>(request: &Request<B>) -> bool {
    let header = request.headers().get(HOST).map(HeaderValue::to_str);
    let host = match (request.uri().authority(), header) {
        (Some(authority), _) => authority.host(),
        (None, Some(Ok(host))) => host_of(host),
        (None, Some(Err(_))) => return true,
        // No page can leave it out.
        (None, None) => return false,
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok();
    !is_here
}

/// A host without its port.
fn host_of(host: &str) -> &str {
    let port = host
        .rfind(':')
        .filter(|colon| !host[*colon..].contains(']'));
    port.map_or(host, |colon| &host[..colon])
}

fn misdirected() -> Response<Body> {
    let words = r#"{"code":9,"message":"without a login, this process answers to localhost and to addresses only, so that no page can have its own name lead here"}"#;
    told(StatusCode::MISDIRECTED_REQUEST, words)
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

/// `google.rpc.Status`, as all errors over HTTP are.
fn defect() -> Response<Body> {
    let words = r#"{"code":13,"message":"a defect of this service; its log holds more"}"#;
    told(StatusCode::INTERNAL_SERVER_ERROR, words)
}

fn told(code: StatusCode, words: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(Bytes::from_static(words.as_bytes()))));
    *response.status_mut() = code;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn misdirected_to(uri: &str, host: Option<&'static str>) -> bool {
        let mut request = Request::new(());
        *request.uri_mut() = uri.parse().unwrap();
        if let Some(host) = host {
            let host = HeaderValue::from_static(host);
            request.headers_mut().insert(HOST, host);
        }
        is_misdirected(&request)
    }

    #[test]
    fn a_name_that_leads_here_is_no_name_of_this_machine() {
        for host in [
            "localhost",
            "LOCALHOST:50051",
            "127.0.0.1:1",
            "[::1]:50051",
            "10.1.2.3",
        ] {
            assert!(!misdirected_to("/v1/datasets", Some(host)), "{host}");
        }
        for host in [
            "desk.example",
            "desk.example:50051",
            "localhost.example",
            "127.0.0.1.example",
            "",
        ] {
            assert!(misdirected_to("/v1/datasets", Some(host)), "{host}");
        }
        assert!(misdirected_to(
            "http://desk.example/v1/datasets",
            Some("localhost")
        ));
        assert!(!misdirected_to("/v1/datasets", None));
    }
}
