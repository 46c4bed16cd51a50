//! Bars that say how far something is. They are drawn on standard error where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use crate::args::serve::Role;

/// A bar to a length, or to one that is told later.
pub(crate) fn bar(length: Option<u64>, template: &str) -> ProgressBar {
    let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let style = ProgressStyle::with_template(template);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// For what has no length that is known before.
pub(crate) fn spinner(template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template);
    ProgressBar::new_spinner()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

/// What is done with the bytes of a journal in a backup.
pub(crate) fn of_journal(role: Role, what: &str, bytes: u64) -> ProgressBar {
    bar(
        Some(bytes),
        "{msg:18} {bar:40} {bytes} of {total_bytes}, {eta} left",
    )
    .with_message(format!("{} {what}", role.name()))
}
