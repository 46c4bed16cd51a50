//! Reads the files of UN Comtrade: figures out of them, row by row, whatever their form.
//!
//! ```no_run
//! use cli::comtrade::{ReadError, Reader, Record};
//!
//! # fn main() -> Result<(), ReadError> {
//! let mut reader = Reader::new(std::io::stdin())?;
//! while let Some(record) = reader.next().transpose()? {
//!     match record {
//!         Record::Row(row) => println!("{} {}", row.code, row.value),
//!         Record::Breakdown { .. } => {}
//!         Record::Rejected(rejection) => println!("{rejection:?}"),
//!     }
//! }
//! println!("{:?}", reader.summary());
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! A byte passes these modules in order; each knows nothing of the next.
//!
//! * `input`: counts the bytes and unpacks gzip.
//! * `text`: UTF-8 out of UTF-8 or UTF-16, by the byte order mark.
//! * `csv`; `json` with `ration`: cuts the text into rows, in bounded memory.
//! * `layout`: which of a row's fields is which column. `cells`: the columns of one row.
//! * `row`, `measures`, `number`: the rules by which a row becomes a figure, a breakdown or a
//!   rejection.
//! * `record`, `error`: what comes out. `reader`: the face.

mod cells;
mod csv;
mod error;
mod input;
mod json;
mod layout;
mod measures;
mod number;
mod ration;
mod reader;
mod record;
mod row;
#[cfg(test)]
mod tests;
mod text;

pub use error::ReadError;
pub use layout::{Column, Layout};
pub use reader::Reader;
pub use record::{Flags, GroupKey, Place, Record, Rejection, Row, Summary};
