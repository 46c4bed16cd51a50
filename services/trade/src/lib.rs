//! Trade between countries as published: by side, by source, with every revision kept.
//!
//! # Layout
//!
//! * [`Trade`] (`service.rs`): the calls; each parses, acts and replies.
//! * [`Model`] (`model.rs`): what the store journals, and what applying it does.
//! * `keys.rs`: every key. `block.rs`, `figure.rs`: what is behind them.
//! * `dataset.rs`: datasets. `ingest.rs`: from batches of rows to figures and revisions.
//! * `query.rs`: one figure, and any block, as of an instant. `list.rs`: pages by filter.
//! * `series.rs`: series, growth like for like, and why an answer is empty.
//! * `watch.rs`: the change feed. `error.rs`: why a call failed, and how that is told.

mod block;
mod dataset;
mod error;
mod figure;
mod ingest;
mod keys;
mod list;
mod model;
mod query;
mod series;
mod service;
mod watch;

pub use model::Model;
pub use service::Trade;
