//! Refusals that tonic makes by itself, before or instead of a handler: they get a code that says whose
//! fault it is, and a reason like every other error.

use http::HeaderMap;
use http::response::Parts;
use proto::error::v1::ErrorReason;
use tonic::{Code, Status};

/// Gives a refusal its reason, where it has none.
pub(super) fn explain(head: &mut Parts) {
    let Some(status) = unexplained(&head.headers).and_then(|status| explained(&status)) else {
        return;
    };
    for name in ["grpc-status", "grpc-message"] {
        head.headers.remove(name);
    }
    // A status that does not fit into headers leaves the call without one, which clients take for UNKNOWN.
    if status.add_header(&mut head.headers).is_err() {
        tracing::warn!("a refusal does not fit into headers");
    }
}

/// The status of a response that is nothing else, if it comes without details.
fn unexplained(headers: &HeaderMap) -> Option<Status> {
    if headers.contains_key("grpc-status-details-bin") {
        return None;
    }
    Status::from_header_map(headers).filter(|status| status.code() != Code::Ok)
}

/// What tonic means. Its errors carry no type over the response, so they are told by their code and
/// words; the tests of hostile messages notice when these change.
fn explained(status: &Status) -> Option<Status> {
    let (code, message) = (status.code(), status.message());
    if code == Code::OutOfRange && message.contains("too large") {
        let reason = ErrorReason::TooLarge;
        return Some(proto::status(Code::ResourceExhausted, reason, message, []));
    }
    if code == Code::Internal && is_undecodable(message) {
        let what = format!("not a message of this call: {message}");
        let reason = ErrorReason::InvalidField;
        return Some(proto::status(Code::InvalidArgument, reason, what, []));
    }
    if code == Code::Unimplemented && message.is_empty() {
        let what = "this process has no such method; is the address that of another one, or older?";
        return Some(Status::unimplemented(what));
    }
    None
}

fn is_undecodable(message: &str) -> bool {
    let words = ["decode", "decoding", "compression flag", "Missing request"];
    words.iter().any(|words| message.contains(words))
}
