//! Errors on the wire: a code, and the details that a program reads.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::error::v1::ErrorReason;
use crate::fields::Violations;

/// The domain of every `google.rpc.ErrorInfo` that Entente sends.
pub const DOMAIN: &str = "entente";

/// Details travel in a header, and clients refuse header lists above 8 to 16 KiB; base64 and the
/// message, which repeats what the details say first, take their part of it.
const MAX_VIOLATION_BYTES: usize = 4 * 1024;
const MAX_MESSAGE_CHARS: usize = 500;

/// An error with its reason, and metadata such as `next_sequence` where the reason documents some.
pub fn status(
    code: Code,
    reason: ErrorReason,
    message: impl Into<String>,
    metadata: impl IntoIterator<Item = (&'static str, String)>,
) -> Status {
    let mut details = ErrorDetails::new();
    describe(&mut details, reason, metadata);
    Status::with_error_details(code, shortened(message.into()), details)
}

/// An error that passes: its reason, and when to try again.
pub fn status_retry(
    code: Code,
    reason: ErrorReason,
    message: impl Into<String>,
    retry_after: Duration,
) -> Status {
    let mut details = ErrorDetails::new();
    describe(&mut details, reason, []);
    details.set_retry_info(Some(retry_after));
    Status::with_error_details(code, shortened(message.into()), details)
}

/// The name of a code as the wire has it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

impl From<Violations> for Status {
    fn from(violations: Violations) -> Status {
        invalid(ErrorReason::InvalidField, &violations)
    }
}

/// `INVALID_ARGUMENT` that names fields.
pub(crate) fn invalid(reason: ErrorReason, violations: &Violations) -> Status {
    let message = violations.to_string();
    status_violations(Code::InvalidArgument, reason, message, violations)
}

/// An error that names fields, or rows.
pub fn status_violations(
    code: Code,
    reason: ErrorReason,
    message: impl Into<String>,
    violations: &Violations,
) -> Status {
    let told = within_budget(violations);
    let total = [("violations", violations.len().to_string())];
    let metadata = total.into_iter().filter(|_| told.len() < violations.len());
    let mut details = ErrorDetails::new();
    describe(&mut details, reason, metadata);
    details.set_bad_request(told);
    Status::with_error_details(code, shortened(message.into()), details)
}

fn describe(
    details: &mut ErrorDetails,
    reason: ErrorReason,
    metadata: impl IntoIterator<Item = (&'static str, String)>,
) {
    let name = reason.as_str_name();
    let name = name.strip_prefix("ERROR_REASON_").unwrap_or(name);
    let metadata: std::collections::HashMap<_, _> = metadata
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    details.set_error_info(name, DOMAIN, metadata);
}

fn within_budget(violations: &Violations) -> Vec<FieldViolation> {
    let mut left = MAX_VIOLATION_BYTES;
    violations
        .iter()
        .map_while(|(field, description)| {
            left = left.checked_sub(field.len() + description.len())?;
            Some(FieldViolation::new(field, description))
        })
        .collect()
}

fn shortened(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE_CHARS) {
        message.truncate(end);
        message.push_str("...");
    }
    message
}

#[cfg(test)]
mod tests {
    use super::{DOMAIN, status, status_retry};
    use crate::error::v1::ErrorReason;
    use crate::fields::Violations;
    use std::time::Duration;
    use tonic::{Code, Status};
    use tonic_types::StatusExt;

    #[test]
    fn violations_name_every_field() {
        let mut violations = Violations::one("reporter", "unknown");
        violations.push("period", "empty");
        let status = Status::from(violations);
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "reporter: unknown; period: empty");

        let details = status.get_error_details();
        let fields = &details.bad_request().unwrap().field_violations;
        assert_eq!(fields.len(), 2);
        assert_eq!(fields[0].field, "reporter");
        let info = details.error_info().unwrap();
        assert_eq!(info.reason, "INVALID_FIELD");
        assert_eq!(info.domain, DOMAIN);
        assert!(info.metadata.is_empty());
    }

    #[test]
    fn what_does_not_fit_a_header_is_counted() {
        let mut violations = Violations::new();
        for row in 0..200 {
            violations.push(format!("rows[{row}].value"), "long ".repeat(60));
        }
        let status = Status::from(violations);
        assert!(status.details().len() < 6 * 1024);
        let info = status.get_error_details().error_info().unwrap().clone();
        assert_eq!(info.metadata["violations"], "200");
    }

    #[test]
    fn the_reason_stands_without_its_prefix() {
        let metadata = [("next_sequence", "7".to_owned())];
        let gap = status(
            Code::FailedPrecondition,
            ErrorReason::SequenceGap,
            "a gap",
            metadata,
        );
        let info = gap.get_error_details().error_info().unwrap().clone();
        assert_eq!(info.reason, "SEQUENCE_GAP");
        assert_eq!(info.metadata["next_sequence"], "7");
    }

    #[test]
    fn overload_says_when_to_try_again() {
        let wait = Duration::from_millis(250);
        let busy = status_retry(
            Code::ResourceExhausted,
            ErrorReason::Overloaded,
            "busy",
            wait,
        );
        let details = busy.get_error_details();
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(wait));
    }
}
