//! One door to trade, events and culture: passes their calls through, and answers over all three together.
//!
//! # Layout
//!
//! * [`Backend`] (`backend.rs`): a service that calls are passed to, in this process or behind addresses;
//!   [`Backends`]: the three. [`Address`]: where a process of a service is.
//! * [`passed`] (`pass.rs`): the services of the backends on the gateway's own port.
//! * `methods`: what the schema says of a method to whom passes its calls.

mod backend;
mod methods;
mod pass;

pub use backend::{Address, AddressError, Backend, Backends};
pub use pass::passed;
