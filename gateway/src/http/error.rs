//! Errors as JSON: `google.rpc.Status` with its details, under the HTTP code that fits.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Response, StatusCode, header};
use prost::Message;
use prost_types::Any;
use serde_json::{Map, Value, json};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::pb;

use super::reply;

/// The reason of what will be too large the next time as well.
const TOO_LARGE: &str = "TOO_LARGE";
/// How many details of an error are shown; services send two or three.
const MAX_DETAILS: usize = 16;

/// An error as an answer. What is too large stays so, and must not look as if it were worth another try.
pub(super) fn response(status: &Status) -> Response<Body> {
    let reasons = details(status);
    let mut reasons = reasons.iter().filter_map(reason);
    if reasons.any(|reason| reason == TOO_LARGE) {
        return response_with(StatusCode::PAYLOAD_TOO_LARGE, status);
    }
    response_with(http_code(status.code()), status)
}

/// The same under a code of HTTP's own.
pub(super) fn response_with(code: StatusCode, status: &Status) -> Response<Body> {
    let mut response = reply::json(code, body(status).to_string().into());
    let headers = response.headers_mut();
    if code == StatusCode::UNAUTHORIZED {
        let bearer = HeaderValue::from_static("Bearer");
        headers.insert(header::WWW_AUTHENTICATE, bearer);
    }
    if let Some(seconds) = retry_after(status) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// An error as JSON has it.
pub(super) fn body(status: &Status) -> Value {
    let mut body = Map::new();
    body.insert("code".into(), json!(i32::from(status.code())));
    body.insert("message".into(), json!(status.message()));
    let details: Vec<Value> = details(status).iter().map(expand).collect();
    if !details.is_empty() {
        body.insert("details".into(), Value::Array(details));
    }
    Value::Object(body)
}

fn details(status: &Status) -> Vec<Any> {
    let decoded = pb::Status::decode(status.details());
    let mut details = decoded.map(|status| status.details).unwrap_or_default();
    details.truncate(MAX_DETAILS);
    details
}

fn retry_after(status: &Status) -> Option<u64> {
    let details = details(status);
    let mut found = details.iter().filter_map(retry_info);
    let delay = found.next()?.retry_delay?;
    let seconds = u64::try_from(delay.seconds).ok()?;
    Some(seconds + u64::from(delay.nanos > 0))
}

fn reason(detail: &Any) -> Option<String> {
    let info: pb::ErrorInfo = decoded(detail, "google.rpc.ErrorInfo")?;
    Some(info.reason)
}

fn retry_info(detail: &Any) -> Option<pb::RetryInfo> {
    decoded(detail, "google.rpc.RetryInfo")
}

fn decoded<M: Message + Default>(detail: &Any, name: &str) -> Option<M> {
    let kind = detail.type_url.rsplit('/').next()?;
    M::decode(&*detail.value).ok().filter(|_| kind == name)
}

/// A detail with its parts; one of a kind that no service sends stays as it is.
fn expand(detail: &Any) -> Value {
    let known = error_info(detail)
        .or_else(|| bad_request(detail))
        .or_else(|| retry(detail));
    let value = || json!({ "value": STANDARD.encode(&detail.value) });
    let mut expanded = json!({ "@type": detail.type_url });
    if let (Value::Object(all), Value::Object(parts)) = (&mut expanded, known.unwrap_or_else(value))
    {
        all.extend(parts);
    }
    expanded
}

fn error_info(detail: &Any) -> Option<Value> {
    let info: pb::ErrorInfo = decoded(detail, "google.rpc.ErrorInfo")?;
    let mut metadata: Vec<_> = info.metadata.into_iter().collect();
    metadata.sort();
    let metadata: Map<String, Value> = metadata
        .into_iter()
        .map(|(key, value)| (key, Value::String(value)))
        .collect();
    let mut shown = json!({ "reason": info.reason, "domain": info.domain });
    if !metadata.is_empty() {
        shown["metadata"] = Value::Object(metadata);
    }
    Some(shown)
}

fn bad_request(detail: &Any) -> Option<Value> {
    let bad: pb::BadRequest = decoded(detail, "google.rpc.BadRequest")?;
    let violations = bad.field_violations.into_iter();
    let violations: Vec<Value> = violations
        .map(|one| json!({ "field": one.field, "description": one.description }))
        .collect();
    Some(json!({ "fieldViolations": violations }))
}

fn retry(detail: &Any) -> Option<Value> {
    let delay = retry_info(detail)?.retry_delay.unwrap_or_default();
    let seconds = delay.seconds;
    let delay = match delay.nanos {
        0 => format!("{seconds}s"),
        nanos => format!("{seconds}.{nanos:09}s"),
    };
    Some(json!({ "retryDelay": delay }))
}

/// The HTTP code that `google/rpc/code.proto` names for each code of gRPC.
fn http_code(code: Code) -> StatusCode {
    /// Nginx's: the client went away, so that nobody reads it.
    const CLIENT_CLOSED: u16 = 499;
    match code {
        Code::Ok => StatusCode::OK,
        Code::Cancelled => {
            StatusCode::from_u16(CLIENT_CLOSED).unwrap_or(StatusCode::REQUEST_TIMEOUT)
        }
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => {
            StatusCode::BAD_REQUEST
        }
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
