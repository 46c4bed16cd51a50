//! Cultural and humanitarian exchange between countries: programmes, figures, visa rules, each with its sources.
//!
//! # Layout
//!
//! * [`Culture`] (`service.rs`): the calls; each parses, acts and replies.
//! * [`Model`] (`model.rs`): what the store journals, and what applying it does.
//! * `programme.rs`, `measure.rs`, `visa_rule.rs`: the records: what is refused, and where lists find them. Keys stand
//!   in `records`.
//! * `filter.rs`: which programmes a list asks for.
//! * `identity.rs`: what identifies a measure, and its id. `recording.rs`: many measures recorded at once.
//! * The questions: `series.rs` (figures line by line, with growth), `force.rs` (whether a visa rule is in force on a
//!   day), `visa.rs` (the rules on a day, and what changed between two), `timeline.rs` (what happened, by date).
//! * `changes.rs`: what became of records. `watch.rs`: the feed of changes. `audit.rs`: changes told in a line.

mod audit;
mod changes;
mod filter;
mod force;
mod identity;
mod measure;
mod model;
mod programme;
mod recording;
mod series;
mod service;
mod timeline;
mod visa;
mod visa_rule;
mod watch;

pub use model::Model;
pub use service::Culture;
