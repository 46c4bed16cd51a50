//! Streams as they come: a line of JSON a message, events of a browser, or the bytes of a file.
//!
//! A message is read when the client has taken the one before, and a client that goes away drops the stream and
//! with it the call. An error after the head can no longer be the answer's code: it is the last line, or an event.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream::{self, Stream, StreamExt};
use http::{HeaderValue, Response, header};
use http_body::Frame;
use http_body_util::StreamBody;
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde_json::json;
use tonic::Status;
use tonic::body::Body;

use super::ask::Refusal;
use super::error;
use super::messages::{Messages, broken};
use super::reply::{Wants, aside, render};

/// Fields that name a message of a feed, so that the feed can go on after it.
const NAMES: [&str; 2] = ["cursor", "position"];

/// The messages of a call on their way to JSON.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) messages: Messages,
    pub(super) output: MessageDescriptor,
    pub(super) refusal: Refusal,
}

impl Feed {
    /// The next message as `write` has it, or the error that ends the feed.
    async fn next<T: Send + 'static>(
        &mut self,
        write: fn(MessageDescriptor, &[u8]) -> Result<T, Status>,
    ) -> Option<Result<T, Status>> {
        let written = match self.messages.next().await? {
            Ok(bytes) => {
                let output = self.output.clone();
                aside(bytes.len(), move || write(output, &bytes)).await
            }
            Err(status) => Err(status),
        };
        Some(written.map_err(|status| self.refusal.or(status)))
    }

    /// The chunks that messages are written as; the last one tells an error.
    fn chunks(
        self,
        write: fn(MessageDescriptor, &[u8]) -> Result<Bytes, Status>,
        tell: fn(&Status) -> Bytes,
    ) -> impl Stream<Item = Bytes> + Send {
        stream::unfold(Some(self), move |feed| async move {
            let mut feed = feed?;
            match feed.next(write).await? {
                Ok(chunk) => Some((chunk, Some(feed))),
                Err(status) => Some((tell(&status), None)),
            }
        })
    }
}

/// The feed as the client wants it.
pub(super) fn respond(feed: Feed, wants: &Wants) -> Response<Body> {
    if wants.events {
        return answer(
            "text/event-stream",
            feed.chunks(event, error_event).boxed(),
            false,
        );
    }
    let lines = feed.chunks(line, error_line).boxed();
    answer("application/x-ndjson", lines, wants.gzip)
}

fn answer(
    kind: &'static str,
    chunks: impl Stream<Item = Bytes> + Send + 'static,
    gzip: bool,
) -> Response<Body> {
    let mut response = Response::new(body(chunks, gzip));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let fresh = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, fresh);
    if gzip {
        let gzip = HeaderValue::from_static("gzip");
        headers.insert(header::CONTENT_ENCODING, gzip);
    }
    headers.insert(
        header::VARY,
        HeaderValue::from_static("accept, accept-encoding"),
    );
    response
}

fn body(chunks: impl Stream<Item = Bytes> + Send + 'static, gzip: bool) -> Body {
    if gzip {
        return plain(compressed(chunks.boxed()));
    }
    plain(chunks)
}

fn plain(chunks: impl Stream<Item = Bytes> + Send + 'static) -> Body {
    let frames = chunks.map(|chunk| Ok::<_, Status>(Frame::data(chunk)));
    Body::new(StreamBody::new(frames))
}

/// Each chunk compressed and flushed, so that it can be read when it comes; then gzip's end.
fn compressed(
    chunks: stream::BoxStream<'static, Bytes>,
) -> impl Stream<Item = Bytes> + Send + 'static {
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    stream::unfold(Some((encoder, chunks)), |state| async move {
        let (mut encoder, mut chunks) = state?;
        let Some(chunk) = chunks.next().await else {
            let end = encoder.finish().expect("memory takes what is written");
            return Some((end.into(), None));
        };
        let (packed, encoder) = aside(chunk.len(), move || {
            let written = encoder.write_all(&chunk).and_then(|()| encoder.flush());
            written.expect("memory takes what is written");
            (std::mem::take(encoder.get_mut()), encoder)
        })
        .await;
        Some((packed.into(), Some((encoder, chunks))))
    })
}

fn line(output: MessageDescriptor, bytes: &[u8]) -> Result<Bytes, Status> {
    let mut line = render(output, bytes, false)?;
    line.push(b'\n');
    Ok(line.into())
}

fn error_line(status: &Status) -> Bytes {
    format!("{}\n", json!({ "error": error::body(status) })).into()
}

fn event(output: MessageDescriptor, bytes: &[u8]) -> Result<Bytes, Status> {
    let name = name(&output, bytes);
    let data = render(output, bytes, false)?;
    let mut event = name.map_or_else(Vec::new, |name| format!("id: {name}\n").into_bytes());
    event.extend_from_slice(b"data: ");
    event.extend_from_slice(&data);
    event.extend_from_slice(b"\n\n");
    Ok(event.into())
}

fn error_event(status: &Status) -> Bytes {
    format!("event: error\ndata: {}\n\n", error::body(status)).into()
}

/// What a message of a feed is called, if it is.
fn name(output: &MessageDescriptor, bytes: &[u8]) -> Option<String> {
    let mut known = NAMES.iter();
    let field = known.find_map(|name| output.get_field_by_name(name))?;
    let message = DynamicMessage::decode(output.clone(), bytes).ok()?;
    let value = message.get_field(&field);
    let text = value.as_str().filter(|text| is_one_line(text));
    text.map(str::to_owned)
        .or_else(|| Some(value.as_u64()?.to_string()))
}

fn is_one_line(text: &str) -> bool {
    !text.is_empty() && !text.contains(['\r', '\n', '\0'])
}

/// A file: the first message says of which kind, all together are its bytes.
pub(super) async fn file(mut feed: Feed) -> Result<Response<Body>, Status> {
    let first = match feed.next(part).await {
        Some(first) => first?,
        None => return Err(broken("the answer of a service has no first part")),
    };
    let kind = HeaderValue::from_str(&first.content_type);
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let rest = stream::unfold(feed, |mut feed| async move {
        let next = feed.next(part).await?;
        Some((next.map(|part| part.data), feed))
    });
    let first = stream::iter([Ok(first.data)]);
    let frames = first
        .chain(rest)
        .map(|data| data.map(|data| Frame::data(data.into())));
    let mut response = Response::new(Body::new(StreamBody::new(frames)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    let fresh = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, fresh);
    Ok(response)
}

fn part(_: MessageDescriptor, bytes: &[u8]) -> Result<proto::google::api::HttpBody, Status> {
    let part = proto::google::api::HttpBody::decode(bytes);
    part.map_err(|_| broken("the answer of a service cannot be read"))
}
