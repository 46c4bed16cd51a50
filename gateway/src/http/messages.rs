//! What a service answers, message by message.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use proto::error::v1::ErrorReason;
use tonic::body::Body;
use tonic::{Code, Status};

use crate::frame;

/// Bytes of a message that a service answers; what they send is far below.
const MAX_MESSAGE: usize = 16 << 20;

/// The messages of an answer, one after the other.
#[derive(Debug)]
pub(super) struct Messages {
    body: Body,
    buffer: BytesMut,
    ended: bool,
}

impl Messages {
    /// The messages of an answer; the status of one that has none because the call was refused.
    pub(super) fn of(response: Response<Body>) -> Result<Messages, Status> {
        let (head, body) = response.into_parts();
        if let Some(status) = Status::from_header_map(&head.headers)
            && status.code() != Code::Ok
        {
            return Err(status);
        }
        Ok(Messages {
            body,
            buffer: BytesMut::new(),
            ended: false,
        })
    }

    /// The next message; nothing once the call has ended well.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, Status>> {
        loop {
            match self.take() {
                Ok(None) if !self.ended => {}
                Ok(message) => return message.map(Ok),
                Err(status) => return Some(Err(self.end(status))),
            }
            if let Err(status) = self.read().await {
                return Some(Err(self.end(status)));
            }
        }
    }

    /// Another body, which holds the call and its place as long as it is being sent.
    pub(super) fn held_by(self, body: Body) -> Body {
        Body::new(Holding {
            body,
            _call: self.body,
        })
    }

    fn end(&mut self, status: Status) -> Status {
        self.ended = true;
        self.buffer.clear();
        status
    }

    /// Takes a whole message out of what was read.
    fn take(&mut self) -> Result<Option<Bytes>, Status> {
        if let Some((flag, length, _)) = frame::split(&self.buffer)
            && (flag != frame::PLAIN || length > MAX_MESSAGE)
        {
            return Err(broken("the answer of a service cannot be read"));
        }
        Ok(frame::take(&mut self.buffer))
    }

    async fn read(&mut self) -> Result<(), Status> {
        let cut = || broken("the answer of a service ends without saying how");
        let frame = self.body.frame().await.ok_or_else(cut)??;
        match frame.into_data() {
            Ok(data) => self.buffer.extend_from_slice(&data),
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                self.ended = true;
                judge(&trailers)?;
            }
        }
        Ok(())
    }
}

/// A body that holds a call.
#[derive(Debug)]
struct Holding {
    body: Body,
    _call: Body,
}

impl http_body::Body for Holding {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What trailers say of the call.
fn judge(trailers: &HeaderMap) -> Result<(), Status> {
    let status = Status::from_header_map(trailers);
    let status = status.ok_or_else(|| broken("the answer of a service ends without a status"))?;
    if status.code() == Code::Ok {
        return Ok(());
    }
    Err(status)
}

/// What is nobody's fault but ours.
pub(super) fn broken(what: &'static str) -> Status {
    proto::status(Code::Internal, ErrorReason::Internal, what, [])
}
