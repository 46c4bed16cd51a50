//! Trade between countries as published: by side, by source, with every revision kept.
//!
//! # Layout
//!
//! * [`Trade`] (`service.rs`): the calls; each parses, acts and replies.
//! * [`Model`] (`model.rs`): what the store journals, and what applying it does.
//! * `keys.rs`: every key. `block.rs`, `figure.rs`: what is behind them. `shelf.rs`: blocks that
//!   stand together.
//! * `dataset.rs`: datasets. `coverage.rs`: what each reporter published.
//! * `upload.rs`, `batch.rs`, `compare.rs`, `ingest.rs`, `apply.rs`: the way of a figure in: one call, its
//!   batches parsed, held against the state, decided, applied.
//! * `query.rs`: one figure, and any block, as of an instant. `list.rs`: pages by filter.
//! * `reading.rs`: a dataset as of an instant, under every question about figures. `goods.rs`: what was traded,
//!   and its figure in a span of time. `amount.rs`: exact sums, ratios, shares, concentration. `growth.rs`:
//!   growth like for like. `absence.rs`: why there is no figure. `sources.rs`: what an answer cites.
//! * The questions: `series.rs` with `cells.rs`, `ranking.rs`, `mirror.rs`, `indicators.rs`, `check.rs` with
//!   `evidence.rs`.
//! * `watch.rs`: the change feed. `error.rs`: why a call failed, and how that is told.

mod absence;
mod amount;
mod apply;
mod batch;
mod block;
mod cells;
mod changes;
mod chapters;
mod check;
mod commodity;
mod compare;
mod comparison;
mod concordance;
mod convert;
mod coverage;
mod dataset;
mod error;
mod evidence;
mod export;
mod figure;
mod filter;
mod goods;
mod growth;
mod indicators;
mod ingest;
mod keys;
mod list;
mod mirror;
mod model;
mod query;
mod ranking;
mod reading;
mod record;
mod record_list;
mod record_write;
mod sector;
mod series;
mod service;
mod shelf;
mod sources;
mod statement;
mod upload;
mod vintages;
mod watch;

pub use model::Model;
pub use service::Trade;
