//! One call on a connection: its request on the way, until the head of its answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::client::ResponseFuture;
use http::Response;
use tonic::body::Body;

use super::answer::Answer;
use super::connection::{Abandoned, Begun, Place};
use super::failure::Failure;
use super::upload::{self, Upload};

/// The request of a call.
#[derive(Debug)]
pub(crate) enum Message {
    /// All of it; can be sent again.
    Whole(Bytes),
    /// What has come of it, and what is to come.
    Piped(Bytes, Body),
}

/// A call that is under way. Dropped before its answer has begun, it is swept up by its connection.
#[derive(Debug)]
pub(super) struct Exchange {
    waiting: Option<(ResponseFuture, Place)>,
    upload: Option<Upload>,
}

impl Exchange {
    /// Sends a request that can be kept.
    pub(super) fn send(begun: Begun, message: Bytes) -> Exchange {
        let Begun {
            answer,
            mut request,
            place,
        } = begun;
        // Fails when the connection has broken by now, and so does the answer.
        drop(request.send_data(message, true));
        Exchange {
            waiting: Some((answer, place)),
            upload: None,
        }
    }

    /// Sends what has come of a request, and the rest as it comes.
    pub(super) fn pipe(begun: Begun, first: Bytes, rest: Body) -> Exchange {
        let Begun {
            answer,
            request,
            place,
        } = begun;
        let upload = upload::start(request, first, rest, place.another());
        Exchange {
            waiting: Some((answer, place)),
            upload: Some(upload),
        }
    }
}

impl Future for Exchange {
    type Output = Result<Response<Answer>, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (answer, _) = self.waiting.as_mut().expect("it is not ready yet");
        let answered = ready!(Pin::new(answer).poll(cx));
        let (_, place) = self.waiting.take().expect("it was there a line ago");
        let upload = self.upload.take();
        let response = answered.map_err(|error| {
            if !error.is_reset() {
                place.give_up();
            }
            Failure::from(error)
        })?;
        Poll::Ready(Ok(response.map(|body| Answer::new(body, place, upload))))
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some((answer, place)) = self.waiting.take() {
            place.abandon(|place| Abandoned::Answer(answer, place));
        }
    }
}
