//! One door to trade, events and culture: passes their calls through, and answers over all three together.
//!
//! # Layout
//!
//! * [`Backend`] (`backend.rs`): a service that calls are passed to, in this process or behind addresses;
//!   [`Backends`]: the three. [`Address`]: where a process of a service is.
//! * [`passed`] (`pass.rs`): the services of the backends on the gateway's own port. `methods`: what the schema says of
//!   a method to whom passes its calls.
//! * [`Gateway`] (`service.rs`): the calls that only a gateway can answer. `ask.rs`: asking the services for a caller;
//!   `asked.rs`: what every question about two countries has; `stand.rs`: where the journal of a service stands.
//! * `briefing`: the briefing; its head says how an answer comes about.
//! * `timeline.rs`, `changes.rs`: lists over all services, put together by `merge.rs`. `watch`: their feeds in one
//!   stream; `cursor.rs`: how far a reader has come in all journals. `outage.rs`: who did not answer. `backoff.rs`: how long to
//!   wait before one is tried again. `frame.rs`: gRPC's frames. `which.rs`: the services in order. `status.rs`: how the gateway
//!   is, and what it sees of their processes. `vitals.rs`: what an operator sees of it in figures.
//! * [`Web`] (`http/`): HTTP/JSON, gRPC-Web and the `OpenAPI` document, for browsers and for whoever has no gRPC.

mod ask;
mod asked;
mod backend;
mod backoff;
mod briefing;
mod changes;
mod cursor;
mod frame;
mod http;
mod merge;
mod methods;
mod outage;
mod pass;
mod service;
mod stand;
mod status;
mod timeline;
mod vitals;
mod watch;
mod which;

pub use self::http::{Cors, OriginError, RouteError, Web};
pub use backend::{Address, AddressError, Backend, Backends};
pub use pass::passed;
pub use service::Gateway;
