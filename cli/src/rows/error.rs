//! What ends the reading of a file. A bad row does not: it is a
//! [`Rejection`](super::Rejection).

use std::io;

/// Why a file cannot be read, or not to its end. The rows before stay good, except before a
/// [`ReadError::Compression`]: gzip has its checksum at the end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("cannot read after {bytes} bytes: {source}")]
    Io {
        /// Bytes of the (decompressed) input read before.
        bytes: u64,
        /// What it said.
        source: io::Error,
    },
    /// A gzip stream without its end: a download that broke off.
    #[error(
        "the gzip stream ends too early: {bytes} bytes were unpacked, the last of them in line {line}"
    )]
    Truncated {
        /// Bytes unpacked before.
        bytes: u64,
        /// The line in which it breaks off.
        line: u64,
    },
    /// A gzip stream that does not unpack, or not to what it was made of.
    #[error("the gzip stream is damaged after {bytes} unpacked bytes, in line {line}: {reason}")]
    Compression {
        /// Bytes unpacked before.
        bytes: u64,
        /// The line in which it breaks off.
        line: u64,
        /// What the decoder said.
        reason: String,
    },
    /// Bytes that are no text.
    #[error("not valid {encoding} in line {line}, at byte {byte}")]
    Encoding {
        /// `UTF-8`, `UTF-16LE` or `UTF-16BE`.
        encoding: &'static str,
        /// The line.
        line: u64,
        /// The offset from the start of the (decompressed) input, from 0.
        byte: u64,
    },
    /// A file of another kind.
    #[error("not {wanted}: {seen}. {accepted}")]
    OtherKind {
        /// What it should be.
        wanted: &'static str,
        /// What it starts with.
        seen: String,
        /// What is accepted instead.
        accepted: &'static str,
    },
    /// A packed file whose packing is not understood.
    #[error("it is a zip archive; unpack it first")]
    Zip,
    /// A file that lacks what every row needs.
    #[error("{file} without the columns {}{hint}", columns.join(", "))]
    MissingColumns {
        /// Which kind of file it is.
        file: &'static str,
        /// All that are missing, by their official names.
        columns: Vec<String>,
        /// What to do about it, from its `;` on; or nothing.
        hint: &'static str,
    },
    /// A header that names a column twice, so that nobody knows which counts.
    #[error("the header names the column {column} twice")]
    DuplicateColumn {
        /// Its title.
        column: String,
    },
    /// A quoted field without its end.
    #[error("a quote opens in line {line} and does not close")]
    UnclosedQuote {
        /// Where it opens.
        line: u64,
    },
    /// A field over 64 KiB.
    #[error("a field in line {line} is over 64 KiB")]
    FieldTooLarge {
        /// The line in which the field starts.
        line: u64,
    },
    /// A row over 1 MiB.
    #[error("the row that starts in line {line} is over 1 MiB")]
    RowTooLarge {
        /// The line in which the row starts.
        line: u64,
    },
    /// JSON that breaks off or is none.
    #[error("not valid JSON in line {line}, column {column}: {reason}")]
    Json {
        /// The line.
        line: u64,
        /// The character in the line, from 1.
        column: u64,
        /// What is wrong.
        reason: String,
    },
    /// The publisher's service answered with an error instead of data.
    #[error("{service} answered with an error: {text}")]
    Service {
        /// Which service.
        service: &'static str,
        /// Its text.
        text: String,
    },
}
