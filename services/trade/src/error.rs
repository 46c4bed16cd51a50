//! Why a call to the trade service failed, and how that is told.

use std::time::Duration;

use proto::error::v1::ErrorReason as Reason;
use proto::{PageTokenError, Violations, status, status_retry};
use tonic::{Code, Status};

use crate::record::Refused;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Invalid(#[from] Violations),
    #[error("{0} does not exist")]
    NotFound(String),
    #[error("{0} exists already")]
    AlreadyExists(String),
    #[error("the request id was used for another request")]
    RequestIdReused,
    #[error("{0} has another etag: it was changed since it was read")]
    EtagMismatch(String),
    #[error("batch {given} does not follow; batch {next} is expected")]
    SequenceGap { given: i64, next: i64 },
    #[error("a strict ingest has rejected rows, the batch was not recorded: {0}")]
    RowsRejected(Violations),
    #[error(transparent)]
    PageToken(#[from] PageTokenError),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("too many watchers; try again in a moment, or another replica")]
    TooManyWatchers,
    #[error("too many exports; try again in a moment, or another replica")]
    TooManyExports,
    #[error("the service is stopping")]
    Stopping,
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Error {
        match refused {
            Refused::Invalid(violations) => Error::Invalid(violations),
            Refused::NotFound(name) => Error::NotFound(name),
            Refused::AlreadyExists(name) => Error::AlreadyExists(name),
            Refused::RequestIdReused => Error::RequestIdReused,
            Refused::EtagMismatch(name) => Error::EtagMismatch(name),
            Refused::PageToken(error) => Error::PageToken(error),
            Refused::Store(error) => Error::Store(error),
        }
    }
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
            Error::RequestIdReused => {
                status(Code::AlreadyExists, Reason::RequestIdReused, message, [])
            }
            Error::EtagMismatch(_) => status(Code::Aborted, Reason::EtagMismatch, message, []),
            Error::SequenceGap { next, .. } => status(
                Code::FailedPrecondition,
                Reason::SequenceGap,
                message,
                [("next_sequence", next.to_string())],
            ),
            Error::RowsRejected(violations) => proto::status_violations(
                Code::FailedPrecondition,
                Reason::RowsRejected,
                message,
                &violations,
            ),
            Error::TooManyWatchers | Error::TooManyExports => status_retry(
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
            tracing::warn!(%error, "a write was refused");
            status_retry(
                Code::ResourceExhausted,
                Reason::StorageFull,
                "the disk is nearly full; reads go on, writes are refused until there is room",
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
        E::Damaged { .. } | E::View(_) | E::Undecodable { .. } => {
            tracing::error!(%error, "stored data cannot be read");
            status(
                Code::DataLoss,
                Reason::DataDamaged,
                "stored data cannot be read; the operator's log says which",
                [],
            )
        }
        E::Locked { .. } | E::Io { .. } | E::Conflict { .. } | E::Panicked(_) => {
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
