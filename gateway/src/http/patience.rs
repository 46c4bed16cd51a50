//! Bodies that must come.
//!
//! A client of HTTP/1.1 that goes silent in the middle of a body is not found out by pings, and a stream of a client
//! has no deadline of its own.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use proto::error::v1::ErrorReason;
use tokio::time::Sleep;
use tonic::body::Body;
use tonic::{Code, Status};

/// How long the next part of a body may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long, and how much, is read of a body that nobody wants.
const DRAINED: Duration = Duration::from_secs(1);
const MAX_DRAINED: usize = 64 << 10;

/// A body that fails when nothing comes of it for a while.
///
/// Dropped before its end, as it is with a request that is refused, what has come of it is read on for a moment: HTTP/2
/// would otherwise reset the stream behind the answer, and some clients then tell their users of the reset alone.
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

impl Drop for Patient {
    fn drop(&mut self) {
        if !self.inner.is_end_stream() && tokio::runtime::Handle::try_current().is_ok() {
            let rest = std::mem::take(&mut self.inner);
            tokio::spawn(tokio::time::timeout(DRAINED, drain(rest)));
        }
    }
}

/// Reads a little of what nobody wants.
async fn drain(mut rest: Body) {
    let mut bytes = 0;
    while let Some(Ok(frame)) = rest.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > MAX_DRAINED {
            return;
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
    use http_body_util::StreamBody;
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
