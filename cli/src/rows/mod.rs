//! Rows of figures out of files, whatever their kind: what the readers of all kinds share.
//!
//! # Layout
//!
//! * `input`: counts the bytes and unpacks gzip. `text`: UTF-8 out of UTF-8 or UTF-16, by the byte order
//!   mark.
//! * `csv`: cuts text into records, in bounded memory. `number`: exact decimals.
//! * `record`: what a row comes to. `error`: what ends the reading. `excerpt`: a text of the file, as it
//!   may stand in a message.
//! * [`RowReader`]: the face that an import knows of a reader.

pub(crate) mod csv;
mod error;
mod excerpt;
mod input;
pub(crate) mod number;
mod record;
mod text;

pub use error::ReadError;
pub(crate) use excerpt::excerpt;
pub(crate) use input::Drawn;
pub use record::{Flags, GroupKey, Place, Record, Rejection, Row, Summary};
pub(crate) use text::Text;

/// What a row is called in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// By the line of the file in which it starts.
    Lines,
    /// By its number among the rows: the lines of JSON mean little.
    Rows,
}

impl Numbering {
    /// The number of a row.
    pub(crate) fn of(self, place: Place) -> u64 {
        match self {
            Numbering::Lines => place.line,
            Numbering::Rows => place.row,
        }
    }

    /// A row that is rejected, for people.
    pub(crate) fn told(self, number: u64, column: &str, reason: &str) -> String {
        let what = match self {
            Numbering::Lines => "line",
            Numbering::Rows => "row",
        };
        if column.is_empty() {
            return format!("{what} {number}: {reason}");
        }
        format!("{what} {number}, {column}: {reason}")
    }
}

/// Reads a file of some kind, a row at a time, in memory that does not grow with it. It ends after the
/// first [`ReadError`].
pub(crate) trait RowReader: Iterator<Item = Result<Record, ReadError>> {
    /// What kind of file it is, for people.
    fn kind(&self) -> &'static str;

    /// How its rows are numbered.
    fn numbering(&self) -> Numbering;

    /// How many bytes were drawn from the source, packed as they are there.
    fn bytes_read(&self) -> u64;

    /// What the rows so far came to.
    fn summary(&self) -> &Summary;

    /// What else a person should know about the file as a whole.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}
