//! Every limit of a process, with its unit.

use std::time::Duration;

use crate::{Login, Rates, ServerTls};

/// The limits of a process. Everything that grows has one.
#[derive(Debug, Clone)]
pub struct Config {
    /// Connections at a time; the next one waits in the listener's queue. Default 1,024.
    pub max_connections: usize,
    /// Calls at a time on one connection. Default 256.
    pub max_streams: u32,
    /// Calls at a time in the process, streams included; the next one is answered `RESOURCE_EXHAUSTED`
    /// with the reason OVERLOADED. Default 4,096.
    pub max_calls: usize,
    /// Streams that a client has reset before they were looked at, before its connection is closed.
    /// Default 20.
    pub max_pending_resets: usize,
    /// Streams that were reset here because of the client's errors, before its connection is closed.
    /// Default 256.
    pub max_error_resets: usize,
    /// Bytes of a call's metadata, as HTTP/2 counts them. Default 8 KiB.
    pub max_header_bytes: u32,
    /// Bytes that a client may send ahead on one stream. Default 256 KiB.
    pub stream_window: u32,
    /// Bytes that a client may send ahead on one connection. Default 1 MiB.
    pub connection_window: u32,
    /// How long a new connection may take until it speaks HTTP/2 or begins to speak HTTP/1.1, a TLS handshake included.
    /// Default 10 s.
    pub greeting_limit: Duration,
    /// Pause between two pings of a connection. HTTP/1.1 has none: there it is how long the head of a request may
    /// take, from the answer before on. Default 30 s.
    pub keepalive_interval: Duration,
    /// How long a ping may stay unanswered before the connection is closed. Default 10 s.
    pub keepalive_timeout: Duration,
    /// The deadline of a unary call that brings none. Streams that bring none have none. Default 60 s.
    pub default_deadline: Duration,
    /// The longest deadline a unary call is granted; a longer one is shortened to it. Default 10 min.
    pub max_deadline: Duration,
    /// How long calls in flight may take to end after the shutdown. Default 25 s.
    pub drain_limit: Duration,
    /// TLS of the listener. Default none.
    pub tls: Option<ServerTls>,
    /// Whether an address other than loopback may be served without TLS and login. Default no.
    pub insecure: bool,
    /// What is believed of callers. Default: no login, and everybody may do everything.
    pub login: Option<Login>,
    /// How often callers may call. Default: as often as they like.
    pub rates: Rates,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_connections: 1_024,
            max_streams: 256,
            max_calls: 4_096,
            max_pending_resets: 20,
            max_error_resets: 256,
            max_header_bytes: 8 * 1024,
            stream_window: 256 * 1024,
            connection_window: 1024 * 1024,
            greeting_limit: Duration::from_secs(10),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            default_deadline: Duration::from_secs(60),
            max_deadline: Duration::from_secs(600),
            drain_limit: Duration::from_secs(25),
            tls: None,
            insecure: false,
            login: None,
            rates: Rates::default(),
        }
    }
}
