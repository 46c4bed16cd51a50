//! What can fail at the start of a process.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tracing_subscriber::filter::ParseError;

/// Why a process does not start; each message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address can be reached from outside, and nothing protects it.
    #[error(
        "{0} can be reached from other machines, and calls are neither encrypted nor logged in yet: \
         listen on 127.0.0.1 or [::1], or pass --insecure if the network around it is trusted"
    )]
    Exposed(SocketAddr),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: choose another address, or stop the process that holds it"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The listener does not say its address.
    #[error("the listener has no address: hand over one that is bound")]
    Unbound(#[source] io::Error),
    /// The embedded schema cannot be read.
    #[error("the embedded schema cannot be read: this build is broken, build it again")]
    Descriptors(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Signals cannot be received.
    #[error("SIGINT and SIGTERM cannot be received: start it where a process may handle signals")]
    Signals(#[source] io::Error),
    /// The log filter cannot be read.
    #[error(
        "the log filter {filter:?} cannot be read: write it like `info` or `warn,chassis=debug`"
    )]
    Filter {
        /// The filter as given.
        filter: String,
        /// Why.
        source: ParseError,
    },
    /// A file of the login cannot be read.
    #[error("{}, which the login rests on, cannot be read: {what}", path.display())]
    Login {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A log was set up before.
    #[error("the log is set up already: call telemetry::init once, at the start of main")]
    Telemetry(#[source] Box<dyn std::error::Error + Send + Sync>),
}
