//! One door to trade, events and culture: passes their calls through, and answers over all three together.
//!
//! # Layout
//!
//! * [`Backend`] (`backend.rs`): a service that calls are passed to, in this process or behind addresses;
//!   [`Backends`]: the three. [`Address`]: where a process of a service is.
//! * [`passed`] (`pass.rs`): the services of the backends on the gateway's own port. `methods`: what the schema says of
//!   a method to whom passes its calls.
//! * [`Gateway`] (`service.rs`): the calls that only a gateway can answer. `ask.rs`: asking the services for a caller.
//! * `briefing`: the briefing; its head says how an answer comes about.

mod ask;
mod backend;
mod briefing;
mod methods;
mod pass;
mod service;

pub use backend::{Address, AddressError, Backend, Backends};
pub use pass::passed;
pub use service::Gateway;
