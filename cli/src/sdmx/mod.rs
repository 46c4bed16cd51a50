//! SDMX-CSV: how a figure stands in it, both ways. `docs/sdmx.md` is the table of it for people.
//!
//! # Layout
//!
//! * `column`: what the columns are called, here and elsewhere. `header`: which of a file's columns is which.
//! * `period`, `status`, `text`: the forms of time, of what qualifies a figure, and of free text.
//! * `terms`: what a reader is told besides the file. `row`, `origin`: the rules by which a row becomes a
//!   figure. `reader`: the face.
//!
//! Writing is in `export::sdmx`, with the same `column`, `period`, `status` and `text`.

mod column;
mod header;
mod origin;
pub(crate) mod period;
mod reader;
mod row;
pub(crate) mod status;
mod terms;
#[cfg(test)]
mod tests;
pub(crate) mod text;

pub(crate) use column::{Assignment, Column};
pub(crate) use reader::Reader;
pub(crate) use terms::Terms;

/// The structure of Entente's own files, as SDMX names one.
pub(crate) const STRUCTURE_ID: &str = "ENTENTE:TRADE(1.0)";
