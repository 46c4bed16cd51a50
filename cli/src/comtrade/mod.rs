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
//!         Record::LeftOut { .. } => {}
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
//! A byte passes these modules in order; each knows nothing of the next. Before them it passes `rows`, which
//! unpacks and decodes it.
//!
//! * `csv`; `json` with `ration`: cuts the text into rows, in bounded memory.
//! * `layout`: which of a row's fields is which column. `cells`: the columns of one row.
//! * `row`, `measures`: the rules by which a row becomes a figure, a breakdown or a rejection.
//! * `reader`: the face.

mod cells;
mod csv;
mod json;
mod layout;
mod measures;
mod ration;
mod reader;
mod row;
#[cfg(test)]
mod tests;

pub use crate::rows::{Flags, GroupKey, Place, ReadError, Record, Rejection, Row, Summary};
pub use layout::{Column, Layout};
pub use reader::Reader;
