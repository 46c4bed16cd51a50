//! Options of the processes that serve.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gateway::Address;

use super::auth::AuthArgs;
use super::telemetry::TelemetryArgs;
use super::tls::{ClientTlsArgs, TlsArgs};
use super::web::WebArgs;

/// A service, and its journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Role {
    /// Datasets, figures, series, statements
    Trade,
    /// Diplomatic events and agreements
    Events,
    /// Programmes, measures, visa rules
    Culture,
}

impl Role {
    /// Its name, which its folder, its journal and the command line have.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Trade => "trade",
            Role::Events => "events",
            Role::Culture => "culture",
        }
    }
}

/// What a process serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Datasets, figures, series, statements
    Trade,
    /// Diplomatic events and agreements
    Events,
    /// Programmes, measures, visa rules
    Culture,
    /// All of these on one port, each in processes of its own; and what is asked over all of them
    Gateway,
}

impl Part {
    /// The service, if it is one.
    pub(crate) fn role(self) -> Option<Role> {
        match self {
            Part::Trade => Some(Role::Trade),
            Part::Events => Some(Role::Events),
            Part::Culture => Some(Role::Culture),
            Part::Gateway => None,
        }
    }
}

/// Options of a serving process.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Which services, or the gateway to them; all of them and the gateway, on one port, when none is named
    #[arg(value_name = "SERVICE")]
    pub(crate) parts: Vec<Part>,
    #[command(flatten)]
    pub(crate) backends: BackendArgs,
    /// Folder of the data; each service keeps its own in a folder of its name inside
    #[arg(long, env = "ENTENTE_DATA", default_value = "data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) listener: ListenerArgs,
    /// What to log: a level (error, warn, info, debug), or levels by crate (`info,store=debug`)
    #[arg(
        long,
        env = "ENTENTE_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    pub(crate) log: String,
    #[command(flatten)]
    pub(crate) storage: StorageArgs,
    #[command(flatten)]
    pub(crate) web: WebArgs,
}

/// Where a gateway finds the services.
#[derive(Debug, Args)]
#[command(next_help_heading = "Services behind a gateway")]
pub(crate) struct BackendArgs {
    /// Where trade is served, as http://HOST:PORT or https://HOST:PORT; repeated or separated by commas for several processes, and a host
    /// name may lead to several
    #[arg(
        long,
        env = "ENTENTE_TRADE",
        value_name = "ADDR",
        value_delimiter = ','
    )]
    pub(crate) trade: Vec<Address>,
    /// Where events are served
    #[arg(
        long,
        env = "ENTENTE_EVENTS",
        value_name = "ADDR",
        value_delimiter = ','
    )]
    pub(crate) events: Vec<Address>,
    /// Where culture is served
    #[arg(
        long,
        env = "ENTENTE_CULTURE",
        value_name = "ADDR",
        value_delimiter = ','
    )]
    pub(crate) culture: Vec<Address>,
    #[command(flatten)]
    pub(crate) tls: ClientTlsArgs,
}

/// Options of the demonstration.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Folder of the data; a second run finds its figures there again
    #[arg(
        long,
        env = "ENTENTE_DEMO_DATA",
        default_value = "data/demo",
        value_name = "DIR"
    )]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) listener: ListenerArgs,
    /// What to log: a level (error, warn, info, debug), or levels by crate
    #[arg(
        long,
        env = "ENTENTE_LOG",
        default_value = "warn",
        value_name = "FILTER"
    )]
    pub(crate) log: String,
    #[command(flatten)]
    pub(crate) storage: StorageArgs,
    #[command(flatten)]
    pub(crate) web: WebArgs,
}

/// Where to listen, and how the log looks.
#[derive(Debug, Args)]
pub(crate) struct ListenerArgs {
    /// Address to serve on; port 0 takes any free one
    #[arg(
        long,
        env = "ENTENTE_LISTEN",
        default_value = "127.0.0.1:50051",
        value_name = "ADDR"
    )]
    pub(crate) listen: SocketAddr,
    /// Serve an address that other machines can reach although TLS or login is missing
    #[arg(long, env = "ENTENTE_INSECURE")]
    pub(crate) insecure: bool,
    /// How long calls in flight may take to end after Ctrl-C or SIGTERM, in seconds
    #[arg(
        long,
        env = "ENTENTE_DRAIN",
        default_value_t = 25,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(0..=3_600)
    )]
    pub(crate) drain: u64,
    /// Connections at a time; the next one waits
    #[arg(
        long,
        env = "ENTENTE_MAX_CONNECTIONS",
        default_value_t = 1_024,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(crate) max_connections: u32,
    /// Calls at a time, streams included; the next one is refused as overload
    #[arg(
        long,
        env = "ENTENTE_MAX_CALLS",
        default_value_t = 4_096,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(crate) max_calls: u32,
    /// The deadline of a question that brings none, in seconds
    #[arg(
        long,
        env = "ENTENTE_DEFAULT_DEADLINE",
        default_value_t = 60,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=600)
    )]
    pub(crate) default_deadline: u64,
    /// How a line of the log looks
    #[arg(
        long,
        env = "ENTENTE_LOG_FORMAT",
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub(crate) log_format: LogFormat,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    #[command(flatten)]
    pub(crate) auth: AuthArgs,
    #[command(flatten)]
    pub(crate) telemetry: TelemetryArgs,
}

/// How data are kept.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_field_names,
    reason = "the unit is part of each option's name"
)]
pub(crate) struct StorageArgs {
    /// Memory for the cache of each service's view in MiB; the process may hold twice as much
    #[arg(
        long,
        env = "ENTENTE_CACHE_MIB",
        default_value_t = 256,
        value_name = "MIB",
        value_parser = clap::value_parser!(u64).range(8..=1_048_576)
    )]
    pub(crate) cache_mib: u64,
    /// Free disk space in MiB below which writes are refused
    #[arg(
        long,
        env = "ENTENTE_RESERVE_MIB",
        default_value_t = 256,
        value_name = "MIB",
        value_parser = clap::value_parser!(u64).range(0..=16_777_216)
    )]
    pub(crate) reserve_mib: u64,
    /// Size in MiB of a file that is given up when the disk is full, so that a restart still opens
    #[arg(
        long,
        env = "ENTENTE_BALLAST_MIB",
        default_value_t = 64,
        value_name = "MIB",
        value_parser = clap::value_parser!(u64).range(0..=1_048_576)
    )]
    pub(crate) ballast_mib: u64,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// For programs: one JSON object a line
    Json,
}
