//! One span for each call, and one line in the log at its end.
//!
//! The span carries the names of the call, so that whatever the handler logs can be found by them. The
//! line carries them again and stands by itself: it is complete where the filter leaves no span, and a
//! JSON log need not read a span's fields back to write it, which cost more than the line.

use std::net::SocketAddr;
use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request};
use tokio::time::Instant;
use tonic::Code;
use tracing::{Level, Span};

use crate::Caller;

use super::ids::{self, REQUEST_ID, TraceId};

const GRPC_STATUS: &str = "grpc-status";

/// A call as the log sees it. Its line is written when it is dropped.
#[derive(Debug)]
pub(super) struct Call {
    method: PathAndQuery,
    request_id: HeaderValue,
    trace_id: TraceId,
    peer: SocketAddr,
    caller: Option<Arc<str>>,
    started: Instant,
    span: Span,
    code: Option<Code>,
}

/// How loud the end of a call is.
enum Weight {
    /// Something is wrong with this process.
    Defect,
    /// A call, whatever came of it: a client's error is the client's.
    Usual,
    /// Probes and tools ask often and mean little.
    Quiet,
}

/// Macros of `tracing` want their level as a constant.
macro_rules! span {
    ($level:expr, $call:expr) => {
        tracing::span!(
            $level,
            "call",
            rpc.method = $call.method.path(),
            request_id = $call.request_id(),
            trace_id = %$call.trace_id,
            peer = %$call.peer,
            caller = tracing::field::Empty,
        )
    };
}

macro_rules! line {
    ($level:expr, $call:expr, $code:expr) => {
        tracing::event!(
            parent: None,
            $level,
            rpc.method = $call.method.path(),
            code = proto::code_name($code),
            duration_ms = $call.duration_ms(),
            request_id = $call.request_id(),
            trace_id = %$call.trace_id,
            peer = %$call.peer,
            caller = $call.caller.as_deref(),
            "call ended"
        )
    };
}

impl Call {
    pub(super) fn begin<B>(request: &mut Request<B>, peer: SocketAddr) -> Self {
        let method = request.uri().path_and_query().cloned();
        let mut call = Self {
            method: method.unwrap_or_else(|| PathAndQuery::from_static("/")),
            request_id: ids::request_id(request.headers_mut()),
            trace_id: TraceId::of(request.headers()),
            peer,
            caller: None,
            started: Instant::now(),
            span: Span::none(),
            code: None,
        };
        call.span = call.new_span();
        call
    }

    /// Keeps who makes it.
    pub(super) fn made_by(&mut self, caller: &Caller) {
        self.span.record("caller", &*caller.name);
        self.caller = Some(Arc::clone(&caller.name));
    }

    pub(super) fn started(&self) -> Instant {
        self.started
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// Tells the client the name under which the log knows its call.
    pub(super) fn identify(&self, headers: &mut HeaderMap) {
        let mut id = self.request_id.clone();
        // HTTP/2 would keep it in the table of headers that come again, and push those out.
        id.set_sensitive(true);
        headers.insert(REQUEST_ID, id);
    }

    /// Says in a call that is passed on which trace it belongs to, as the parent of what comes of it.
    pub(super) fn hand_on(&self, headers: &mut HeaderMap) {
        self.trace_id.hand_on(headers);
    }

    /// Takes the code from a head or from trailers, if it stands there.
    pub(super) fn note(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get(GRPC_STATUS) {
            self.code = Some(Code::from_bytes(code.as_bytes()));
        }
    }

    /// The answer ended by itself: without a code in it, nobody knows what came of the call.
    pub(super) fn complete(&mut self) {
        self.code.get_or_insert(Code::Unknown);
    }

    fn new_span(&self) -> Span {
        if self.is_quiet() {
            return span!(Level::DEBUG, self);
        }
        span!(Level::INFO, self)
    }

    fn is_quiet(&self) -> bool {
        self.method.path().starts_with("/grpc.")
    }

    fn weight(&self, code: Code) -> Weight {
        if [Code::Unknown, Code::Internal, Code::DataLoss].contains(&code) {
            return Weight::Defect;
        }
        if self.is_quiet() {
            return Weight::Quiet;
        }
        Weight::Usual
    }

    fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    fn duration_ms(&self) -> f64 {
        (self.started.elapsed().as_secs_f64() * 1e6).round() / 1e3
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Without a code the client went away, or its connection did.
        let code = self.code.unwrap_or(Code::Cancelled);
        match self.weight(code) {
            Weight::Defect => line!(Level::ERROR, self, code),
            Weight::Usual => line!(Level::INFO, self, code),
            Weight::Quiet => line!(Level::DEBUG, self, code),
        }
    }
}
