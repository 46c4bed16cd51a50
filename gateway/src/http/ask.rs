//! From a request to the call it asks for.
//!
//! The body is translated while the service reads it, and not before: so nobody who is not let in, or for whom there
//! is no place, has a body read, and the call's deadline holds for a body that does not come. What is wrong with a
//! request is then told by the body of the call, as an error of its stream; [`Refusal`] keeps it for the answer.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body::Frame;
use http_body_util::BodyExt;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, Value};
use proto::Violations;
use proto::error::v1::ErrorReason;
use tonic::body::Body;
use tonic::{Code, Status};

use super::fields::{self, Filling};
use super::query::Query;
use super::routes::{Route, Takes};
use super::text;
use crate::frame::frame;

/// Bytes of a message in JSON, which needs more of them than the wire; the services' own limits hold for what it
/// says.
const MAX_JSON: usize = 2 << 20;

/// Headers that the call has from the request.
const PASSED: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::USER_AGENT,
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("grpc-timeout"),
];

/// Fields that a stream is resumed by.
const RESUMED: [&str; 2] = ["cursor", "after_position"];

/// What was wrong with a request, once its translation has come upon it.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusal(Arc<OnceLock<Status>>);

impl Refusal {
    /// The reason, or else what the service said.
    pub(super) fn or(&self, status: Status) -> Status {
        self.0.get().cloned().unwrap_or(status)
    }

    fn note(&self, status: Status) -> Status {
        self.0.get_or_init(|| status).clone()
    }
}

/// What a request asks for, beside its body.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) input: MessageDescriptor,
    pub(super) takes: Takes,
    pub(super) path: Vec<(Vec<FieldDescriptor>, Option<String>)>,
    pub(super) query: Query,
    /// The event after which a stream is to go on.
    pub(super) last_event: Option<String>,
}

impl Asked {
    pub(super) fn new(route: &Route, segments: &[&str], query: Query) -> Asked {
        let path = route.path_fields.iter();
        let path = path.map(|field| (field.chain.clone(), Route::path_text(field, segments)));
        Asked {
            input: route.method.input(),
            takes: route.takes.clone(),
            path: path.collect(),
            query,
            last_event: None,
        }
    }

    /// The message of a call, from all parts of the request.
    pub(super) fn message(&self, body: &[u8]) -> Result<DynamicMessage, Status> {
        let mut violations = Violations::new();
        let mut filling = self.begin(body)?;
        for (chain, _) in &self.path {
            filling.reserve(chain);
        }
        match &self.takes {
            Takes::Whole => self.query.refuse(&mut violations),
            Takes::Field(_) | Takes::Nothing => {
                self.query.fill(&self.input, &mut filling, &mut violations);
            }
        }
        self.resume(&mut filling, &mut violations);
        for (chain, value) in &self.path {
            match value {
                Some(text) => filling.overwrite(chain, Value::String(text.clone())),
                None => violations.push(fields::path(chain), "is not UTF-8"),
            }
        }
        Ok(violations.into_result(filling.finish())?)
    }

    /// What the body says.
    fn begin(&self, body: &[u8]) -> Result<Filling, Status> {
        match &self.takes {
            Takes::Nothing => Ok(Filling::new(DynamicMessage::new(self.input.clone()))),
            Takes::Whole => Ok(Filling::new(from_json(self.input.clone(), body)?)),
            Takes::Field(field) => {
                let inner = field.kind().as_message().cloned();
                let inner = inner.expect("routes have only fields that are messages");
                let mut message = DynamicMessage::new(self.input.clone());
                message.set_field(field, Value::Message(from_json(inner, body)?));
                let mut filling = Filling::new(message);
                filling.reserve(std::slice::from_ref(field));
                Ok(filling)
            }
        }
    }

    fn resume(&self, filling: &mut Filling, violations: &mut Violations) {
        let Some(last) = &self.last_event else {
            return;
        };
        let mut known = RESUMED.iter();
        let field = known.find_map(|name| self.input.get_field_by_name(name));
        if let Some(field) = field {
            match text::parse(&field, last) {
                Ok(value) => filling.overwrite(&[field], value),
                Err(error) => violations.push("Last-Event-ID", error.to_string()),
            }
        }
        // Who comes back asks for the same address again, and is past the beginning.
        if let Some(beginning) = self.input.get_field_by_name("from_beginning") {
            filling.overwrite(&[beginning], Value::Bool(false));
        }
    }
}

fn from_json(message: MessageDescriptor, json: &[u8]) -> Result<DynamicMessage, Status> {
    let mut parser = serde_json::Deserializer::from_slice(json);
    let read = DynamicMessage::deserialize(message, &mut parser);
    let ended = read.and_then(|message| parser.end().map(|()| message));
    ended.map_err(|error| Violations::one("body", error.to_string()).into())
}

/// The call that a request asks for; what is wrong with it is noted in `refusal` when it is found.
pub(super) fn call(
    route: &Route,
    asked: Result<Asked, Status>,
    request: Request<Body>,
    refusal: &Refusal,
) -> Request<Body> {
    let (mut head, body) = request.into_parts();
    let is_stream = route.method.is_client_streaming();
    let frames = match asked {
        Err(status) => stream::iter([Err(status)]).boxed(),
        Ok(asked) if is_stream => lines(asked, body).boxed(),
        Ok(asked) => stream::once(whole(asked, body)).boxed(),
    };
    let sent = Sent {
        frames,
        is_stream,
        ended: false,
        refusal: refusal.clone(),
    };
    head.method = Method::POST;
    head.uri = route.path.clone().into();
    head.headers = headers(&head.headers);
    Request::from_parts(head, Body::new(sent))
}

/// The body of a call, which says that it is over as soon as that is known: a call that is passed on waits for it.
struct Sent {
    frames: BoxStream<'static, Result<Bytes, Status>>,
    is_stream: bool,
    ended: bool,
    refusal: Refusal,
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        let next = ready!(this.frames.poll_next_unpin(cx));
        this.ended = !this.is_stream || !matches!(next, Some(Ok(_)));
        Poll::Ready(next.map(|frame| match frame {
            Ok(bytes) => Ok(Frame::data(bytes)),
            Err(status) => Err(this.refusal.note(status)),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}

fn headers(given: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in PASSED {
        // All of them: of two logins neither is the right one, and whoever reads them says so.
        for value in given.get_all(&name) {
            headers.append(&name, value.clone());
        }
    }
    let grpc = HeaderValue::from_static("application/grpc");
    headers.insert(header::CONTENT_TYPE, grpc);
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    headers
}

/// The one message of a call, once the whole body is there.
async fn whole(asked: Asked, mut body: Body) -> Result<Bytes, Status> {
    let mut json = BytesMut::new();
    if !matches!(asked.takes, Takes::Nothing) {
        while let Some(data) = read(&mut body).await? {
            extend(&mut json, &data)?;
        }
    }
    frame(&asked.message(&json)?)
}

/// A message a line, each as soon as its line has ended.
fn lines(asked: Asked, body: Body) -> impl Stream<Item = Result<Bytes, Status>> + Send {
    let lines = Lines {
        body,
        buffer: BytesMut::new(),
        searched: 0,
        ended: false,
    };
    stream::try_unfold((asked, lines), |(asked, mut lines)| async move {
        let Some(line) = lines.next().await? else {
            return Ok(None);
        };
        let framed = frame(&asked.message(&line)?)?;
        Ok(Some((framed, (asked, lines))))
    })
}

/// The lines of a body that say something.
struct Lines {
    body: Body,
    buffer: BytesMut,
    /// How much of the buffer has no line break.
    searched: usize,
    ended: bool,
}

impl Lines {
    async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            match self.take() {
                Some(line) if line.trim_ascii().is_empty() => {}
                Some(line) => return Ok(Some(line)),
                None if self.ended => return Ok(None),
                None => self.read().await?,
            }
        }
    }

    /// Takes a line out of what was read; at the end what is left is one.
    fn take(&mut self) -> Option<Bytes> {
        let new = self.buffer.get(self.searched..).unwrap_or_default();
        let found = new.iter().position(|byte| *byte == b'\n');
        let line = match found {
            Some(at) => self.buffer.split_to(self.searched + at + 1),
            None if self.ended && !self.buffer.is_empty() => self.buffer.split(),
            None => {
                self.searched = self.buffer.len();
                return None;
            }
        };
        self.searched = 0;
        Some(line.freeze())
    }

    async fn read(&mut self) -> Result<(), Status> {
        if let Some(data) = read(&mut self.body).await? {
            return self.extend(&data);
        }
        self.ended = true;
        Ok(())
    }

    /// What was read may hold many lines; the limit is one line's.
    fn extend(&mut self, data: &[u8]) -> Result<(), Status> {
        if self.buffer.len() > MAX_JSON {
            return Err(too_large());
        }
        self.buffer.extend_from_slice(data);
        Ok(())
    }
}

async fn read(body: &mut Body) -> Result<Option<Bytes>, Status> {
    loop {
        let Some(frame) = body.frame().await.transpose()? else {
            return Ok(None);
        };
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
}

fn extend(buffer: &mut BytesMut, data: &[u8]) -> Result<(), Status> {
    if buffer.len() + data.len() > MAX_JSON {
        return Err(too_large());
    }
    buffer.extend_from_slice(data);
    Ok(())
}

fn too_large() -> Status {
    let what = format!("a message in JSON has more than {MAX_JSON} bytes");
    proto::status(Code::ResourceExhausted, ErrorReason::TooLarge, what, [])
}
