//! A call to a service in a trace, from its request to the end of the answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use chassis::telemetry::is_failure;
use http::{HeaderMap, Response};
use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::{Span, debug_span};

use crate::methods::Method;
use crate::vitals::TRACED;

/// The span of a call to a method; disabled where no call that is recorded asks.
pub(super) fn span(path: &str) -> Span {
    debug_span!(
        target: TRACED,
        "question",
        otel.name = Method::name(path),
        otel.kind = "client",
        otel.status_code = tracing::field::Empty,
        rpc.system = "grpc",
        rpc.grpc.status_code = tracing::field::Empty,
    )
}

/// A call that is recorded. Its span has the code of its end when it is dropped.
#[derive(Debug)]
pub(super) struct Question {
    span: Span,
    code: Option<Code>,
}

/// The answer of a call that is recorded.
#[derive(Debug)]
struct Answered {
    body: Body,
    question: Question,
}

impl Question {
    pub(super) fn new(span: Span) -> Question {
        Question { span, code: None }
    }

    /// Goes on to the end of the answer.
    pub(super) fn answered(mut self, response: Response<Body>) -> Response<Body> {
        self.note(response.headers());
        response.map(|body| {
            Body::new(Answered {
                body,
                question: self,
            })
        })
    }

    /// Takes the code from a head or from trailers, if it stands there.
    fn note(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get(Status::GRPC_STATUS) {
            self.code = Some(Code::from_bytes(code.as_bytes()));
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        // Without a code, whoever asked went away.
        let code = self.code.unwrap_or(Code::Cancelled);
        self.span.record("rpc.grpc.status_code", code as i32);
        if is_failure(code) {
            self.span.record("otel.status_code", "ERROR");
        }
    }
}

impl http_body::Body for Answered {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { body, question } = self.get_mut();
        let frame = ready!(Pin::new(body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => frame.trailers_ref().map_or((), |end| question.note(end)),
            Some(Err(status)) => question.code = Some(status.code()),
            None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
