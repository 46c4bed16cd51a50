//! One door to trade, events and culture: passes their calls through, and answers over all three together.
//!
//! # Layout
//!
//! * [`Backend`] (`backend.rs`): a service that calls are passed to, in this process or behind addresses;
//!   [`Backends`]: the three.
//! * [`Gateway`] (`service.rs`): the calls that only a gateway can answer. `ask.rs`: asking the services for a caller.
//! * `briefing`: the briefing; its head says how an answer comes about.

mod ask;
mod backend;
mod briefing;
mod service;

pub use backend::{Backend, Backends};
pub use service::Gateway;
