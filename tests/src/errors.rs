//! What an error says to a program.

use tonic::Status;
use tonic_types::StatusExt;

/// The reason of an error, with its code. Panics when it is not told as documented.
pub fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info();
    let info = info.unwrap_or_else(|| panic!("an error without ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "entente", "{status:?}");
    format!("{:?} {}", status.code(), info.reason)
}

/// The fields that an error names, in its order.
pub fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details
        .bad_request()
        .map(|bad| bad.field_violations.clone());
    let violations = violations.unwrap_or_default();
    violations
        .into_iter()
        .map(|violation| violation.field)
        .collect()
}

/// One value of an error's metadata; empty when there is none.
pub fn metadata(status: &Status, key: &str) -> String {
    let details = status.get_error_details();
    let info = details.error_info();
    info.and_then(|info| info.metadata.get(key).cloned())
        .unwrap_or_default()
}
