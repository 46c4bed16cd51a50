//! What a process promises around its domain, told over real sockets.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod authority;
mod deadline;
mod desk;
mod drain;
mod edge;
mod exposure;
mod identity;
mod issuer;
mod jwt;
mod limits;
mod log;
mod login;
mod panics;
mod reflection;
mod tls;
