//! One door to trade, events and culture: passes their calls through, and answers over all three together.
//!
//! # Layout
//!
//! * [`Backend`] (`backend.rs`): a service that calls are passed to, in this process or behind addresses;
//!   [`Backends`]: the three.

mod backend;

pub use backend::{Backend, Backends};
