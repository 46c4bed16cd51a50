//! Trade between countries as published: by side, by source, with every revision kept.
//!
//! # Layout
//!
//! * [`Trade`] (`service.rs`): the calls; each parses, acts and replies.
//! * [`Model`] (`model.rs`): what the store journals, and what applying it does.
//! * `keys.rs`: every key. `block.rs`, `figure.rs`: what is behind them. `shelf.rs`: blocks that stand together.
//! * `upload.rs`, `batch.rs`, `compare.rs`, `ingest.rs`, `apply.rs`: the way of a figure in: one call, its
//!   batches parsed, held against the state, decided, applied. `coverage.rs`: what each reporter published;
//!   `sides.rs`: who publishes what passed between two.
//! * `query.rs`: one figure, and any block, as of an instant. `filter.rs`: a filter, walked block by block;
//!   `list.rs`, `export.rs`: its figures in pages, and as a stream. `vintages.rs`, `changes.rs`: the versions of a
//!   figure, and what a pair went through. `releases.rs`: the days on which figures of a pair were recorded, for
//!   `timeline.rs`: what was said and published, by date; [`recompute()`] (`recompute.rs`) counts them anew.
//!   `comparison.rs`: two figures held against each other.
//! * `reading.rs`: a dataset as of an instant, under every question about figures. `goods.rs`: what was traded,
//!   and its figure in a span of time. `amount.rs`: exact sums, ratios, shares, concentration. `growth.rs`:
//!   growth like for like. `absence.rs`: why there is no figure. `sources.rs`: what an answer cites.
//! * The questions: `series.rs` with `cells.rs`, `ranking.rs`, `mirror.rs`, `indicators.rs`, `check.rs` with
//!   `evidence.rs`.
//! * `dataset.rs`, `sector.rs`, `statement.rs`: the records of trade; `record_changes.rs`: what
//!   became of them.
//! * `concordance.rs`, `convert.rs`: tables between revisions, and what codes are by them. `commodity.rs`,
//!   `chapters.rs`: names of codes.
//! * `watch.rs`: the change feed. `audit.rs`: changes told in a line. `error.rs`: why a call failed, and how that is
//!   told.

mod absence;
mod amount;
mod apply;
mod audit;
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
mod recompute;
mod record_changes;
mod releases;
mod sector;
mod series;
mod service;
mod shelf;
mod sides;
mod sources;
mod statement;
mod timeline;
mod upload;
mod vintages;
mod watch;

pub use model::Model;
pub use recompute::recompute;
pub use service::Trade;
