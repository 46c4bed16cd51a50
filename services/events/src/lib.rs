//! Diplomatic events and agreements between countries, each with its sources.
//!
//! # Layout
//!
//! * [`Events`] (`service.rs`): the calls; each parses, acts and replies.
//! * [`Model`] (`model.rs`): what the store journals, and what applying it does.
//! * `event.rs`, `agreement.rs`: the records: what is refused, and where lists find them. Keys stand in `records`.
//! * `filter.rs`: which events a list asks for.
//! * The questions: `meetings.rs`, `timeline.rs`, `life.rs` (the state of an agreement on a day).
//! * `calendar`: events as an RFC 5545 calendar, and back.
//! * `changes.rs`: what became of records. `watch.rs`: the feed of changes. `audit.rs`: changes told in a line.

mod agreement;
mod audit;
mod calendar;
mod changes;
mod event;
mod filter;
mod life;
mod meetings;
mod model;
mod service;
mod timeline;
mod watch;

pub use model::Model;
pub use service::Events;
