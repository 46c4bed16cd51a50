//! Requests that break off say so.
//!
//! hyper's HTTP/2 bodies end as if they were whole when their client resets the call with CANCEL, which is what clients
//! do that give up. An upload would then look complete to whoever reads it before the call is dropped.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use proto::error::v1::ErrorReason;
use tonic::{Code, Status};

/// A request's body whose end is an end.
#[derive(Debug)]
pub(crate) struct Whole {
    body: Incoming,
    /// Whether the body itself knows if it has ended; that of HTTP/1 does not, and fails when it breaks off.
    knows: bool,
}

/// Gives a request such a body.
pub(crate) fn whole(request: Request<Incoming>) -> Request<Whole> {
    let knows = request.version() == Version::HTTP_2;
    request.map(|body| Whole { body, knows })
}

impl Body for Whole {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        Poll::Ready(match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            Some(Ok(frame)) => Some(Ok(frame)),
            // Over HTTP/1 whatever is wrong with a body is the client's doing.
            Some(Err(error)) if !this.knows && is_nonsense(&error) => Some(Err(unreadable())),
            Some(Err(_)) if !this.knows => Some(Err(broken_off())),
            Some(Err(error)) => Some(Err(Status::from_error(error.into()))),
            None if this.knows && !this.body.is_end_stream() => Some(Err(broken_off())),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whether what came is not what HTTP lets come, such as a chunk without its length.
fn is_nonsense(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    cause.is_some_and(|cause: &io::Error| cause.kind() == io::ErrorKind::InvalidInput)
}

fn unreadable() -> Status {
    let what = "the body cannot be read: its chunks are not written as HTTP says";
    proto::status(Code::InvalidArgument, ErrorReason::InvalidField, what, [])
}

fn broken_off() -> Status {
    Status::cancelled("the client went away before its request was whole")
}
