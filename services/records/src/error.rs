//! Why a call failed, and how that is told.

use std::time::Duration;

use proto::error::v1::ErrorReason as Reason;
use proto::{PageTokenError, Violations, status, status_retry};
use tonic::{Code, Status};

/// Why a call failed, in the words that all services share.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something in the request does not parse.
    #[error("{0}")]
    Invalid(#[from] Violations),
    /// There is no such record, or was none then.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The name is taken.
    #[error("{0} exists already, or did once: a name is never used again")]
    AlreadyExists(String),
    /// One that is there looks like it.
    #[error("it looks like {0}; ask with `allow_duplicate` if they are two")]
    LooksLike(String),
    /// The request id stands for another request.
    #[error("the request id was used for another request")]
    RequestIdReused,
    /// The record has changed.
    #[error("{0} has another etag: it was changed since it was read")]
    EtagMismatch(String),
    /// The page token is of another query, or none.
    #[error(transparent)]
    PageToken(#[from] PageTokenError),
    /// An answer would be larger than one may be.
    #[error("{0}")]
    TooLarge(String),
    /// The store's.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// More at a time than there are places.
    #[error("too many {0}; try again in a moment, or another replica")]
    TooMany(&'static str),
    /// The process ends.
    #[error("the service is stopping")]
    Stopping,
}

impl From<Error> for Status {
    fn from(error: Error) -> Status {
        let message = error.to_string();
        match error {
            Error::Invalid(violations) => violations.into(),
            Error::NotFound(_) => status(Code::NotFound, Reason::NotFound, message, []),
            Error::AlreadyExists(_) => {
                status(Code::AlreadyExists, Reason::AlreadyExists, message, [])
            }
            Error::LooksLike(name) => status(
                Code::AlreadyExists,
                Reason::LooksLikeDuplicate,
                message,
                [("name", name)],
            ),
            Error::RequestIdReused => {
                status(Code::AlreadyExists, Reason::RequestIdReused, message, [])
            }
            Error::EtagMismatch(_) => status(Code::Aborted, Reason::EtagMismatch, message, []),
            Error::TooLarge(_) => status(Code::ResourceExhausted, Reason::TooLarge, message, []),
            Error::TooMany(_) => status_retry(
                Code::ResourceExhausted,
                Reason::Overloaded,
                message,
                Duration::from_secs(1),
            ),
            Error::PageToken(error) => error.into(),
            Error::Store(error) => store_status(&error),
            Error::Stopping => status_retry(
                Code::Unavailable,
                Reason::ShuttingDown,
                message,
                Duration::from_secs(1),
            ),
        }
    }
}

/// What a caller may know of a store's error; the operator's log has the rest.
fn store_status(error: &store::Error) -> Status {
    use store::Error as E;
    let message = error.to_string();
    match error {
        E::Overloaded => status_retry(
            Code::ResourceExhausted,
            Reason::Overloaded,
            message,
            Duration::from_millis(100),
        ),
        E::Full { .. } => {
            tracing::warn!(%error, "refused for want of room on the disk");
            status_retry(
                Code::ResourceExhausted,
                Reason::StorageFull,
                "the disk is nearly full; reads go on, and what needs room is refused until there is some",
                Duration::from_secs(30),
            )
        }
        E::TooLarge { .. } => status(Code::ResourceExhausted, Reason::TooLarge, message, []),
        E::Closed => Error::Stopping.into(),
        E::PositionGone { oldest, .. } => status(
            Code::OutOfRange,
            Reason::PositionGone,
            message,
            [("oldest", oldest.to_string())],
        ),
        E::PositionAhead { last, .. } => status(
            Code::OutOfRange,
            Reason::PositionAhead,
            message,
            [("last", last.to_string())],
        ),
        E::Damaged { .. } | E::View(_) | E::Files(_) | E::Undecodable { .. } => {
            tracing::error!(%error, "stored data cannot be read");
            status(
                Code::DataLoss,
                Reason::DataDamaged,
                "stored data cannot be read; the operator's log says which",
                [],
            )
        }
        E::Locked { .. }
        | E::Io { .. }
        | E::TooManyFiles { .. }
        | E::Conflict { .. }
        | E::SecondView(_)
        | E::Panicked(_) => {
            tracing::error!(%error, "the store failed");
            status(
                Code::Internal,
                Reason::Internal,
                "the store failed; the operator's log says how",
                [],
            )
        }
    }
}
