//! Bodies that must come.
//!
//! A client of HTTP/1.1 that goes silent in the middle of a body is not found out by pings, and a stream of a client
//! has no deadline of its own.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use proto::error::v1::ErrorReason;
use tokio::time::Sleep;
use tonic::body::Body;
use tonic::{Code, Status};

/// How long the next part of a body may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A body that fails when nothing comes of it for a while.
#[derive(Debug)]
pub(super) struct Patient {
    inner: Body,
    /// How long the part may take that is waited for.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    pub(super) fn new(inner: Body) -> Patient {
        Patient {
            inner,
            waiting: None,
        }
    }
}

impl http_body::Body for Patient {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) {
            this.waiting = None;
            return Poll::Ready(frame);
        }
        let new = || Box::pin(tokio::time::sleep(PATIENCE));
        let waiting = this.waiting.get_or_insert_with(new);
        waiting.as_mut().poll(cx).map(|()| Some(Err(late())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn late() -> Status {
    let what = format!("nothing came of the body for {} s", PATIENCE.as_secs());
    let reason = ErrorReason::DeadlineExceeded;
    proto::status(Code::DeadlineExceeded, reason, what, [])
}

#[cfg(test)]
mod tests {
    use futures_util::stream::{self, StreamExt};
    use http_body_util::{BodyExt, StreamBody};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_may_take_its_time_but_not_say_nothing() {
        let part = || Ok::<_, Status>(Frame::data(Bytes::from_static(b"a")));
        let slow = stream::iter([(); 3]).then(move |()| async move {
            tokio::time::sleep(PATIENCE.mul_f32(0.9)).await;
            part()
        });
        let body = Body::new(StreamBody::new(slow.chain(stream::pending()).boxed()));
        let mut body = Patient::new(body);
        for _ in 0..3 {
            assert!(body.frame().await.unwrap().is_ok());
            // Whoever reads may take theirs as well.
            tokio::time::sleep(2 * PATIENCE).await;
        }
        let before = Instant::now();
        let late = body.frame().await.unwrap().unwrap_err();
        assert_eq!(late.code(), Code::DeadlineExceeded);
        assert!(before.elapsed() >= PATIENCE);
    }
}
