//! Events as an RFC 5545 calendar, and back.
//!
//! # What is written
//!
//! An event is a `VEVENT` of whole days that blocks nobody's time. Its UID is `{event}@entente`, and its SEQUENCE is
//! the number of times it was changed. A date of which only the month or the year is known covers all of its days;
//! `X-ENTENTE-DATE-PRECISION` and `X-ENTENTE-END-PRECISION` say so. SUMMARY, DESCRIPTION, LOCATION, CATEGORIES and URL
//! are for readers, in their language. All that they leave out stands in `X-ENTENTE-` lines (`words.rs` lists them),
//! so that an event comes back from its own export as it was: every language, participants, sources, links. What does
//! not come back is what a record has of its own: etag, times, versions.
//!
//! # What is read
//!
//! Any calendar. DTSTART, DTEND, DURATION, SUMMARY, DESCRIPTION, LOCATION, STATUS and UID are understood, and the
//! `X-ENTENTE-` lines, which come before the defaults of the request. In an event that names its kind in such a line,
//! DESCRIPTION, LOCATION, CATEGORIES and URL are passed over, for these lines say the same and more. Dates are civil
//! dates, as they are written: a time of day and a time zone are dropped, with a note. Recurrence is not unrolled.
//!
//! # Why content lines are read here and not by a library
//!
//! A remark names the line of the file, as an editor counts it, for what could be read as well as for what could not,
//! and an import tells all faults of a file at once. The crates that read calendars keep no line for a property that
//! they could read: `ical` has one in an error only, and `icalendar` that of the unfolded text, and both stop at the
//! first fault; `calcard` has none. `icalendar` and `calcard` bring `chrono` besides, a second library of dates beside
//! the one that the workspace has. The grammar of a line is small: name, parameters, value.
//!
//! # Layout
//!
//! * [`Export`] (`export.rs`): the stream of parts. `write.rs`: an event as a `VEVENT`.
//! * [`Import`] (`import.rs`): the request, and the decision to create what was read.
//! * `walk.rs`: components, which leave the properties of each `VEVENT`; `read.rs`: those as an event, with `own.rs`
//!   for the lines that only an export of Entente has; `dates.rs`: its days.
//! * `lines.rs`: content lines, written and read. `words.rs`: names that reading and writing share.
//! * `remarks.rs`: notes and refusals by line.

mod dates;
mod export;
mod import;
mod lines;
mod own;
mod read;
mod remarks;
#[cfg(test)]
mod tests;
mod walk;
mod words;
mod write;

pub(crate) use export::Export;
pub(crate) use import::Import;
