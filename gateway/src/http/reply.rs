//! Whole answers: their bytes, what names them, and what is compressed.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, SerializeOptions,
};
use serde_json::Value;
use tokio::task::JoinSet;
use tonic::Status;
use tonic::body::Body;
use xxhash_rust::xxh3::xxh3_128;

use super::messages::broken;

/// Below this, compression makes an answer no shorter in packets.
const WORTH_COMPRESSING: usize = 1_024;
/// Above this, work on the bytes takes a thread that may be held up.
const SHORT: usize = 64 * 1_024;

/// Canonical: names in lowerCamelCase, enumerations by name, 64-bit integers as text, defaults left out.
const OPTIONS: SerializeOptions = SerializeOptions::new();

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer in JSON that nobody keeps.
pub(super) fn json(code: StatusCode, body: Bytes) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    let fresh = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, fresh);
    response
}

pub(super) fn full(body: Bytes) -> Body {
    Body::new(Full::new(body))
}

/// A message as canonical JSON.
pub(super) fn render(
    message: MessageDescriptor,
    bytes: &[u8],
    pretty: bool,
) -> Result<Vec<u8>, Status> {
    let message = DynamicMessage::decode(message, bytes);
    let message = message.map_err(|_| broken("the answer of a service cannot be read"))?;
    let value = message.serialize_with_options(serde_json::value::Serializer, &OPTIONS);
    let mut value =
        value.map_err(|_| broken("the answer of a service cannot be written as JSON"))?;
    order(&message.descriptor(), &mut value);
    let mut json = Vec::with_capacity(2 * bytes.len());
    let written = if pretty {
        serde_json::to_writer_pretty(&mut json, &value)
    } else {
        serde_json::to_writer(&mut json, &value)
    };
    written.expect("memory takes what is written");
    Ok(json)
}

/// Puts the entries of maps into the order of their keys, since the same message must always have the same bytes.
fn order(message: &MessageDescriptor, value: &mut Value) {
    let Value::Object(object) = value else {
        return;
    };
    for field in message.fields() {
        if let Some(inner) = object.get_mut(field.json_name()) {
            order_field(&field, inner);
        }
    }
}

fn order_field(field: &FieldDescriptor, value: &mut Value) {
    let Kind::Message(message) = field.kind() else {
        return;
    };
    if let Value::Array(list) = value {
        for one in list {
            order(&message, one);
        }
        return;
    }
    if !field.is_map() {
        order(&message, value);
        return;
    }
    if let Value::Object(map) = value {
        map.sort_keys();
        let field = message.map_entry_value_field();
        for one in map.values_mut() {
            order_field(&field, one);
        }
    }
}

/// What a client says of the answers that it takes.
#[derive(Clone, Debug)]
pub(super) struct Wants {
    pub(super) gzip: bool,
    pub(super) events: bool,
    pub(super) pretty: bool,
    known: Option<HeaderValue>,
}

impl Wants {
    pub(super) fn of(headers: &HeaderMap, pretty: bool) -> Wants {
        Wants {
            gzip: takes(headers, &header::ACCEPT_ENCODING, "gzip"),
            events: takes(headers, &header::ACCEPT, "text/event-stream"),
            pretty,
            known: headers.get(header::IF_NONE_MATCH).cloned(),
        }
    }

    /// The answer with these bytes. One that may be asked for again is named by a hash of them.
    pub(super) async fn reply(&self, body: Bytes, kept: bool) -> Response<Body> {
        let packed = self.gzip && body.len() >= WORTH_COMPRESSING;
        let tag = kept.then(|| tag(&body, packed));
        if let Some(tag) = tag.as_ref().filter(|tag| self.knows(tag)) {
            return named(not_modified(), tag);
        }
        let response = if packed {
            compressed(aside(body.len(), move || compress(&body)).await)
        } else {
            varied(json(StatusCode::OK, body))
        };
        match &tag {
            Some(tag) => named(response, tag),
            None => response,
        }
    }

    /// The answer that was made before.
    pub(super) fn repeat(&self, made: &Made) -> Response<Body> {
        let packed = made.packed.as_ref().filter(|_| self.gzip);
        let (_, tag) = packed.unwrap_or(&made.plain);
        if self.knows(tag) {
            return named(not_modified(), tag);
        }
        let response = match packed {
            Some((body, _)) => compressed(body.clone()),
            None => varied(json(StatusCode::OK, made.plain.0.clone())),
        };
        named(response, tag)
    }

    fn knows(&self, tag: &str) -> bool {
        let known = self.known.as_ref().and_then(|known| known.to_str().ok());
        known.is_some_and(|known| {
            let mut tags = known.split(',').map(str::trim);
            tags.any(|one| one == "*" || one.trim_start_matches("W/") == tag)
        })
    }
}

/// An answer that is given again and again: its bytes with their name, and, if that is worth it, packed with theirs.
#[derive(Debug)]
pub(super) struct Made {
    plain: (Bytes, String),
    packed: Option<(Bytes, String)>,
}

impl Made {
    pub(super) fn new(body: String) -> Made {
        let body = Bytes::from(body);
        let packed = (body.len() >= WORTH_COMPRESSING).then(|| (compress(&body), tag(&body, true)));
        let name = tag(&body, false);
        Made {
            packed,
            plain: (body, name),
        }
    }
}

/// The name of an answer: a hash of its bytes, and how they are written.
fn tag(body: &[u8], packed: bool) -> String {
    let form = if packed { "-gzip" } else { "" };
    format!("\"{:032x}{form}\"", xxh3_128(body))
}

fn compressed(body: Bytes) -> Response<Body> {
    let mut response = varied(json(StatusCode::OK, body));
    let gzip = HeaderValue::from_static("gzip");
    response
        .headers_mut()
        .insert(header::CONTENT_ENCODING, gzip);
    response
}

fn varied(mut response: Response<Body>) -> Response<Body> {
    let vary = HeaderValue::from_static("accept-encoding");
    response.headers_mut().insert(header::VARY, vary);
    response
}

fn named(mut response: Response<Body>, tag: &str) -> Response<Body> {
    let headers = response.headers_mut();
    let checked = HeaderValue::from_static("private, no-cache");
    headers.insert(header::CACHE_CONTROL, checked);
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn not_modified() -> Response<Body> {
    let mut response = varied(Response::new(Body::empty()));
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

/// Whether a list of what is taken names something, and not with a weight of zero.
fn takes(headers: &HeaderMap, list: &HeaderName, name: &str) -> bool {
    let values = headers.get_all(list).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|one| one.eq_ignore_ascii_case(name));
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        named && weight.is_none_or(|weight| weight.parse().is_ok_and(|weight: f32| weight > 0.0))
    })
}

/// Does what takes long with many bytes on a thread that may be held up.
pub(super) async fn aside<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    if bytes <= SHORT {
        return work();
    }
    // In a set, it does not begin for a client who has gone before.
    let mut set = JoinSet::new();
    set.spawn_blocking(work);
    let done = set.join_next().await.expect("one was begun");
    done.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))
}

fn compress(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.expect("memory takes what is written").into()
}
