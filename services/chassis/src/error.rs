//! What can fail at the start of a process.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use rustls::pki_types::pem;
use tracing_subscriber::filter::ParseError;

/// Why a process does not start; each message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address can be reached from outside, and not all that would protect it is there.
    #[error(
        "{address} can be reached from other machines, and {missing}: listen on 127.0.0.1 or [::1], protect it, or \
         pass --insecure if the network around it is trusted"
    )]
    Exposed {
        /// The address.
        address: SocketAddr,
        /// What would protect it.
        missing: Missing,
    },
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
    /// A file of certificates or a key cannot be read.
    #[error("cannot read {path}: name a PEM file that this process may read, of at most 1 MiB")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file does not have in it what it was named for.
    #[error(
        "{path} does not hold {what} in PEM, with lines `-----BEGIN …-----` and `-----END …-----` around it"
    )]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What it was named for.
        what: &'static str,
        /// Why.
        source: pem::Error,
    },
    /// A key belongs to another certificate.
    #[error(
        "the key in {key} is not that of the first certificate in {certificate}: name the two that were made together"
    )]
    KeyMismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// Certificates or a key that TLS has no use for.
    #[error("what {path} holds cannot be used for TLS: make it anew, as `entente certs` does")]
    Certificates {
        /// The file of the certificates.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
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
    #[error("{}, which the login rests on, cannot be read", path.display())]
    Login {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The collector of traces cannot be named so.
    #[error(
        "traces cannot be sent to {url:?}: {why}; name a collector that takes OTLP over gRPC as http://HOST:PORT"
    )]
    Collector {
        /// The collector as given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Metrics were started before.
    #[error("what the process does is counted already: start one Meter, at the start of main")]
    Meter(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A log was set up before.
    #[error("the log is set up already: call telemetry::init once, at the start of main")]
    Telemetry(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What an address lacks that others can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// TLS.
    #[error("calls are not encrypted (--tls-cert, --tls-key)")]
    Tls,
    /// Login.
    #[error("callers are not asked who they are (--tokens, --jwks or --forwarder)")]
    Login,
    /// TLS and login.
    #[error(
        "calls are not encrypted (--tls-cert, --tls-key), nor callers asked who they are (--tokens, --jwks or \
         --forwarder)"
    )]
    Both,
}
