//! What can go wrong between a gateway and a service.

use std::io;
use std::time::Duration;

use h2::Reason;
use http::StatusCode;
use proto::error::v1::ErrorReason;
use tonic::{Code, Status};

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a call was not answered by its service, or a replica not reached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No replica is there to be asked.
    #[error("none of its addresses can be reached")]
    Nowhere,
    /// All places on the connections are taken.
    #[error("too many calls are under way to it")]
    Full,
    /// No connection came about.
    #[error("it cannot be connected to: {0}")]
    Unconnected(#[from] io::Error),
    /// The service has surely not looked at the call.
    #[error("it took no more calls: {0}")]
    Refused(#[source] h2::Error),
    /// The service may have done what it was asked.
    #[error("the connection to it broke: {0}")]
    Broken(#[source] h2::Error),
    /// It did not answer a question for its health in time.
    #[error("it does not answer")]
    Silent,
    /// It answers, but not as a service does.
    #[error("it does not speak gRPC (HTTP status {0})")]
    Foreign(StatusCode),
    /// It answers the question for its health with an error.
    #[error("it does not tell its health (gRPC status {0:?})")]
    Unhealthy(Code),
    /// The deadline of the call has passed.
    #[error("the deadline of the call passed on its way to the service")]
    Late,
    /// Whoever made the call went away before its request was whole.
    #[error("the request ended before it was whole")]
    Gone,
}

impl From<h2::Error> for Failure {
    fn from(error: h2::Error) -> Failure {
        // A backend that goes away names the last call that it looked at, and h2 fails those after it with its words.
        let unseen = error.is_go_away() && error.is_remote();
        if unseen || error.reason() == Some(Reason::REFUSED_STREAM) {
            return Failure::Refused(error);
        }
        Failure::Broken(error)
    }
}

impl From<&Failure> for Status {
    fn from(failure: &Failure) -> Status {
        match failure {
            Failure::Foreign(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE) => proto::status(
                Code::ResourceExhausted,
                ErrorReason::TooLarge,
                "the metadata of the call is larger than a service takes",
                [],
            ),
            Failure::Nowhere
            | Failure::Unconnected(_)
            | Failure::Refused(_)
            | Failure::Broken(_)
            | Failure::Silent
            | Failure::Foreign(_)
            | Failure::Unhealthy(_) => proto::status_retry(
                Code::Unavailable,
                ErrorReason::Unreachable,
                "a service behind the gateway cannot be reached",
                RETRY_AFTER,
            ),
            Failure::Full => proto::status_retry(
                Code::ResourceExhausted,
                ErrorReason::Overloaded,
                "too many calls are under way to a service behind the gateway",
                RETRY_AFTER,
            ),
            Failure::Late => proto::status(
                Code::DeadlineExceeded,
                ErrorReason::DeadlineExceeded,
                failure.to_string(),
                [],
            ),
            Failure::Gone => Status::cancelled(failure.to_string()),
        }
    }
}
