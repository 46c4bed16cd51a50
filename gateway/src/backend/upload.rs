//! A request that is piped, at the pace at which the service takes it.

use std::future::poll_fn;
use std::pin::pin;

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::{Body as _, Frame};
use tokio::sync::oneshot;
use tonic::body::Body;

use super::connection::{Abandoned, Place};

/// A request on its way; dropped, it goes no further.
#[derive(Debug)]
pub(super) struct Upload {
    _held: oneshot::Sender<()>,
}

/// How the sending of a request ended.
enum Ended {
    /// It was sent to its end, or the service wants no more of it.
    Well,
    /// There was more to come.
    Short,
}

/// Sends `first` and then what comes.
pub(super) fn start(
    mut request: SendStream<Bytes>,
    first: Bytes,
    rest: Body,
    place: Place,
) -> Upload {
    let (held, dropped) = oneshot::channel();
    tokio::spawn(async move {
        let ended = tokio::select! {
            ended = send(&mut request, first, rest) => ended,
            _ = dropped => Ended::Short,
        };
        if let Ended::Short = ended {
            place.abandon(|place| Abandoned::Request(request, place));
        }
    });
    Upload { _held: held }
}

async fn send(request: &mut SendStream<Bytes>, first: Bytes, rest: Body) -> Ended {
    let mut rest = pin!(rest);
    let mut frame = Frame::data(first);
    loop {
        let sent = match frame.into_data() {
            Ok(bytes) => send_bytes(request, bytes).await,
            Err(frame) => return send_trailers(request, frame),
        };
        if sent.is_err() {
            // It has ended on the other side, and the answer says how.
            return Ended::Well;
        }
        let next = tokio::select! {
            next = poll_fn(|cx| rest.as_mut().poll_frame(cx)) => next,
            _ = poll_fn(|cx| request.poll_reset(cx)) => return Ended::Well,
        };
        frame = match next {
            Some(Ok(frame)) => frame,
            Some(Err(_)) => return Ended::Short,
            None => return send_end(request),
        };
    }
}

async fn send_bytes(request: &mut SendStream<Bytes>, mut bytes: Bytes) -> Result<(), h2::Error> {
    while !bytes.is_empty() {
        request.reserve_capacity(bytes.len());
        let Some(granted) = poll_fn(|cx| request.poll_capacity(cx)).await else {
            return Err(Reason::STREAM_CLOSED.into());
        };
        let part = bytes.split_to(granted?.min(bytes.len()));
        request.send_data(part, false)?;
    }
    Ok(())
}

fn send_end(request: &mut SendStream<Bytes>) -> Ended {
    // Fails when it has ended on the other side.
    drop(request.send_data(Bytes::new(), true));
    Ended::Well
}

fn send_trailers(request: &mut SendStream<Bytes>, frame: Frame<Bytes>) -> Ended {
    let trailers = frame.into_trailers().unwrap_or_default();
    drop(request.send_trailers(trailers));
    Ended::Well
}
