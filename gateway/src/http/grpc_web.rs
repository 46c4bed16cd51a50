//! gRPC-Web: calls as browsers can make them, over HTTP/1.1 or HTTP/2.
//!
//! A body is gRPC's, as bytes or as base64 of them; trailers, which browsers do not show, are a last frame of it. All
//! else of a call stays as it is, so deadlines, streams and the details of errors work as they do without.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Frame;
use proto::error::v1::ErrorReason;
use tonic::body::Body;
use tonic::{Code, Status};

use chassis::Grpc;

use crate::frame::begun;

/// The flag of the frame that has the trailers.
const TRAILERS: u8 = 0x80;

/// Headers that are about the connection, or that the call has its own of.
const LEFT_OUT: [HeaderName; 9] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::ORIGIN,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::COOKIE,
    header::ACCEPT,
    header::ACCEPT_ENCODING,
];

/// How the bytes of a body are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Bytes,
    Base64,
}

impl Form {
    /// The form that a content type names, if it is one of gRPC-Web.
    pub(super) fn of(headers: &HeaderMap) -> Option<Form> {
        let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let kind = kind.split(';').next().unwrap_or(kind).trim_end();
        match kind {
            "application/grpc-web" | "application/grpc-web+proto" => Some(Form::Bytes),
            "application/grpc-web-text" | "application/grpc-web-text+proto" => Some(Form::Base64),
            _ => None,
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Form::Bytes => "application/grpc-web+proto",
            Form::Base64 => "application/grpc-web-text+proto",
        })
    }
}

/// Makes a call of gRPC-Web.
pub(super) async fn answer(request: Request<Body>, form: Form, grpc: Grpc) -> Response<Body> {
    if request.method() != Method::POST {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let response = grpc.call(call(request, form)).await;
    let (mut head, body) = response.into_parts();
    head.headers
        .insert(header::CONTENT_TYPE, form.content_type());
    let fresh = HeaderValue::from_static("no-store");
    head.headers.insert(header::CACHE_CONTROL, fresh);
    let answered = Answered {
        inner: body,
        form,
        ended: false,
    };
    Response::from_parts(head, Body::new(answered))
}

fn call(request: Request<Body>, form: Form) -> Request<Body> {
    let (mut head, body) = request.into_parts();
    for name in LEFT_OUT {
        head.headers.remove(name);
    }
    let grpc = HeaderValue::from_static("application/grpc");
    head.headers.insert(header::CONTENT_TYPE, grpc);
    head.headers
        .insert(header::TE, HeaderValue::from_static("trailers"));
    if let Some(path) = head.uri.path_and_query().cloned() {
        head.uri = Uri::from(path);
    }
    let body = match form {
        Form::Bytes => body,
        Form::Base64 => Body::new(Decoded {
            inner: body,
            rest: BytesMut::new(),
        }),
    };
    Request::from_parts(head, body)
}

/// A body in base64, as bytes.
#[derive(Debug)]
struct Decoded {
    inner: Body,
    /// What does not make four letters yet.
    rest: BytesMut,
}

impl http_body::Body for Decoded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        loop {
            let frame = ready!(Pin::new(&mut this.inner).poll_frame(cx));
            let Some(frame) = frame.transpose()? else {
                return Poll::Ready(this.end().err().map(Err));
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let decoded = this.decode(&data)?;
            if !decoded.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(decoded))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }
}

impl Decoded {
    fn decode(&mut self, data: &[u8]) -> Result<Bytes, Status> {
        self.rest.extend_from_slice(data);
        let whole = self.rest.len() / 4 * 4;
        let letters = self.rest.split_to(whole);
        let mut bytes = Vec::with_capacity(whole / 4 * 3);
        // Bodies are put together of parts, each of which may end with padding.
        for part in parts(&letters) {
            STANDARD
                .decode_vec(part, &mut bytes)
                .map_err(|_| unreadable())?;
        }
        Ok(bytes.into())
    }

    fn end(&self) -> Result<(), Status> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(unreadable())
    }
}

/// The letters up to each group of four with padding, and those behind the last.
fn parts(letters: &[u8]) -> impl Iterator<Item = &[u8]> {
    let groups = letters.len() / 4;
    let mut begun = 0;
    (1..=groups).filter_map(move |group| {
        let end = group * 4;
        if letters[end - 1] != b'=' && group != groups {
            return None;
        }
        Some(&letters[std::mem::replace(&mut begun, end)..end])
    })
}

fn unreadable() -> Status {
    let what = "the body is not base64";
    proto::status(Code::InvalidArgument, ErrorReason::InvalidField, what, [])
}

/// An answer whose trailers are a frame of its body.
#[derive(Debug)]
struct Answered {
    inner: Body,
    form: Form,
    ended: bool,
}

impl http_body::Body for Answered {
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
        let frame = match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(status)) => return Poll::Ready(Some(Ok(this.told(&status)))),
            None => return Poll::Ready(None),
        };
        let bytes = match frame.into_data() {
            Ok(data) => data,
            Err(frame) => {
                this.ended = true;
                written(&frame.into_trailers().unwrap_or_default())
            }
        };
        Poll::Ready(Some(Ok(Frame::data(this.encoded(bytes)))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }
}

impl Answered {
    /// The end of an answer that broke off.
    fn told(&mut self, status: &Status) -> Frame<Bytes> {
        self.ended = true;
        let mut trailers = HeaderMap::new();
        let code = i32::from(status.code());
        if status.add_header(&mut trailers).is_err() {
            trailers.insert("grpc-status", HeaderValue::from(code));
        }
        Frame::data(self.encoded(written(&trailers)))
    }

    fn encoded(&self, bytes: Bytes) -> Bytes {
        match self.form {
            Form::Bytes => bytes,
            Form::Base64 => STANDARD.encode(bytes).into(),
        }
    }
}

/// Trailers as a frame.
fn written(trailers: &HeaderMap) -> Bytes {
    let mut text = BytesMut::new();
    for (name, value) in trailers {
        text.put_slice(name.as_str().as_bytes());
        text.put_slice(b": ");
        text.put_slice(value.as_bytes());
        text.put_slice(b"\r\n");
    }
    let mut frame = begun(TRAILERS, text.len()).expect("trailers are short");
    frame.put(text);
    frame.freeze()
}
