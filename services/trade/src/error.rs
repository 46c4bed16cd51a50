//! Why a call to the trade service failed, and how that is told.

use proto::error::v1::ErrorReason as Reason;
use proto::{PageTokenError, Violations, status};
use tonic::{Code, Status};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Record(#[from] records::Error),
    #[error("batch {given} does not follow; batch {next} is expected")]
    SequenceGap { given: i64, next: i64 },
    #[error("a strict ingest has rejected rows, the batch was not recorded: {0}")]
    RowsRejected(Violations),
}

impl Error {
    /// What is named does not exist.
    pub(crate) fn not_found(name: String) -> Error {
        records::Error::NotFound(name).into()
    }
}

impl From<Violations> for Error {
    fn from(violations: Violations) -> Error {
        records::Error::from(violations).into()
    }
}

impl From<PageTokenError> for Error {
    fn from(error: PageTokenError) -> Error {
        records::Error::from(error).into()
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        records::Error::from(error).into()
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Status {
        let message = error.to_string();
        match error {
            Error::Record(error) => error.into(),
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
        }
    }
}
