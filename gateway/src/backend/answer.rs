//! The answer of a service on its way back.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame, SizeHint};
use tonic::Status;

use super::connection::Place;
use super::failure::Failure;
use super::upload::Upload;

/// The body of an answer. Dropped before its end, the call is reset: its replica has answered it, so it has taken it
/// up.
#[derive(Debug)]
pub(super) struct Answer {
    body: RecvStream,
    data_ended: bool,
    place: Place,
    _upload: Option<Upload>,
}

impl Answer {
    pub(super) fn new(body: RecvStream, place: Place, upload: Option<Upload>) -> Answer {
        Answer {
            body,
            data_ended: false,
            place,
            _upload: upload,
        }
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, h2::Error>>> {
        let Some(data) = ready!(self.body.poll_data(cx)) else {
            return Poll::Ready(None);
        };
        let passed = data.and_then(|bytes| {
            self.body.flow_control().release_capacity(bytes.len())?;
            Ok(bytes)
        });
        Poll::Ready(Some(passed))
    }

    /// What the client is told in place of what did not come.
    fn broken(&self, error: h2::Error) -> Status {
        if !error.is_reset() {
            self.place.give_up();
        }
        Status::from(&Failure::from(error))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if !this.data_ended {
            if let Some(data) = ready!(this.poll_data(cx)) {
                let passed = data.map(Frame::data).map_err(|error| this.broken(error));
                return Poll::Ready(Some(passed));
            }
            this.data_ended = true;
        }
        let trailers = ready!(this.body.poll_trailers(cx));
        let trailers = trailers.map_err(|error| this.broken(error));
        Poll::Ready(
            trailers
                .transpose()
                .map(|result| result.map(Frame::trailers)),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
