//! One span for each call, and one line in the log at its end.
//!
//! The span carries the names of the call, so that whatever the handler logs can be found by them. The
//! line carries them again and stands by itself: it is complete where the filter leaves no span, and a
//! JSON log need not read a span's fields back to write it, which cost more than the line.
//!
//! A call that is recorded has a span of another target, which alone is exported: the others cost no exporter anything.

use std::net::SocketAddr;
use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request};
use tokio::time::Instant;
use tonic::Code;
use tracing::{Level, Span};

use crate::Caller;
use crate::methods::Method;
use crate::telemetry::{TRACED, is_failure, recording};

use super::ids::{self, REQUEST_ID, SpanId, Trace};

const GRPC_STATUS: &str = "grpc-status";

/// A call as the log sees it. Its line is written when it is dropped.
#[derive(Debug)]
pub(super) struct Call {
    path: PathAndQuery,
    method: Arc<Method>,
    request_id: HeaderValue,
    trace: Trace,
    peer: SocketAddr,
    caller: Option<Arc<str>>,
    is_recorded: bool,
    started: Instant,
    /// Whether it was not turned away at the door.
    is_let_in: bool,
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
            rpc.method = $call.path.path(),
            request_id = $call.request_id(),
            trace_id = %$call.trace.id(),
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
            rpc.method = $call.path.path(),
            code = proto::code_name($code),
            duration_ms = $call.duration_ms(),
            request_id = $call.request_id(),
            trace_id = %$call.trace.id(),
            span_id = $call.span_id(),
            peer = %$call.peer,
            caller = $call.caller.as_deref(),
            "call ended"
        )
    };
}

impl Call {
    pub(super) fn begin<B>(
        request: &mut Request<B>,
        method: Arc<Method>,
        peer: SocketAddr,
    ) -> Self {
        let path = request.uri().path_and_query().cloned();
        let given = Trace::find(request.headers());
        let mut call = Self {
            path: path.unwrap_or_else(|| PathAndQuery::from_static("/")),
            method,
            request_id: ids::request_id(request.headers_mut()),
            trace: given.unwrap_or_else(Trace::new),
            is_recorded: false,
            peer,
            caller: None,
            started: Instant::now(),
            is_let_in: false,
            span: Span::none(),
            code: None,
        };
        call.method.begun();
        if !call.is_quiet() && recording::wants(given) {
            call.record(given);
        } else {
            call.span = call.new_span();
        }
        call
    }

    /// Has it recorded, as a part of the trace that its caller records or as the first of a new one.
    fn record(&mut self, given: Option<Trace>) {
        let recorded = recording::start(self.trace, given.is_some(), || self.recorded_span());
        (self.span, self.trace) = recorded;
        self.is_recorded = true;
    }

    /// It is not turned away.
    pub(super) fn let_in(&mut self) {
        self.is_let_in = true;
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

    /// The trace that it belongs to, as the parent of what comes of it.
    pub(super) fn trace(&self) -> Trace {
        self.trace
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
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

    /// What is exported, under the names that OpenTelemetry gives to calls. Names are the schema's, not the caller's.
    fn recorded_span(&self) -> Span {
        let name = self.method.full_name();
        let (service, method) = name.rsplit_once('/').unwrap_or(("", name));
        tracing::info_span!(
            target: TRACED,
            parent: None,
            "call",
            otel.name = name,
            otel.kind = "server",
            otel.status_code = tracing::field::Empty,
            rpc.system = "grpc",
            rpc.service = service,
            rpc.method = method,
            rpc.grpc.status_code = tracing::field::Empty,
            request_id = self.request_id(),
            trace_id = %self.trace.id(),
            client.address = %self.peer,
            caller = tracing::field::Empty,
        )
    }

    fn record_end(&self, code: Code) {
        self.span.record("rpc.grpc.status_code", code as i32);
        if is_failure(code) {
            self.span.record("otel.status_code", "ERROR");
        }
    }

    /// The span's id in the trace, if it is recorded.
    fn span_id(&self) -> Option<tracing::field::DisplayValue<SpanId>> {
        let id = self.is_recorded.then(|| SpanId(self.trace.parent()));
        id.map(tracing::field::display)
    }

    fn is_quiet(&self) -> bool {
        self.path.path().starts_with("/grpc.")
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
        self.method
            .ended(code, self.is_let_in.then(|| self.started.elapsed()));
        let weight = self.weight(code);
        if self.is_recorded {
            self.record_end(code);
        }
        match weight {
            Weight::Defect => line!(Level::ERROR, self, code),
            Weight::Usual => line!(Level::INFO, self, code),
            Weight::Quiet => line!(Level::DEBUG, self, code),
        }
    }
}
