//! What of a file may stand in a message.

/// A text of the file as it may stand in a message: short, and all but printable ASCII escaped.
pub(crate) fn excerpt(text: &str) -> String {
    const LENGTH: usize = 60;
    let short: String = text
        .chars()
        .take(LENGTH)
        .flat_map(char::escape_default)
        .collect();
    let dots = if text.chars().nth(LENGTH).is_some() {
        "..."
    } else {
        ""
    };
    format!("`{short}{dots}`")
}
