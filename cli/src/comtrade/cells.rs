//! The columns of one row as text.

use super::layout::{COLUMNS, Column};

/// Where each column's text stands in its row; an absent column is empty.
pub(super) type Spans = [(usize, usize); COLUMNS];

/// A row's columns.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    pub(super) text: &'a str,
    pub(super) spans: &'a Spans,
}

impl<'a> Cells<'a> {
    /// A column as it is written.
    pub(super) fn exact(self, column: Column) -> &'a str {
        let (start, end) = self.spans[column as usize];
        &self.text[start..end]
    }

    /// A column without the spaces around it: Comtrade itself writes `0 ` for a code.
    pub(super) fn code(self, column: Column) -> &'a str {
        self.exact(column).trim_ascii()
    }
}
