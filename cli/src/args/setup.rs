//! Options of a setup.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::certs::parse_host;

/// Options of `entente setup`.
#[derive(Debug, Args)]
pub(crate) struct SetupArgs {
    /// Folder in which each process has a folder of its own
    #[arg(
        long,
        env = "ENTENTE_SETUP",
        default_value = "setup",
        value_name = "DIR"
    )]
    pub(crate) dir: PathBuf,
    /// A further name or IP address under which the gateway can be reached; may be given several times
    ///
    /// Counts for certificates that are made; those that are there get it with --renew.
    #[arg(long = "name", value_name = "HOST", value_parser = parse_host)]
    pub(crate) names: Vec<String>,
    /// For how many days the certificates hold; the authority holds for ten years
    #[arg(
        long,
        default_value_t = 365,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=3_650)
    )]
    pub(crate) days: u16,
    /// Make all certificates and their keys anew, of the authority that is there; the processes take them while they run
    #[arg(long)]
    pub(crate) renew: bool,
    /// Make nothing: print this, and nothing else
    #[arg(long, value_name = "WHAT", conflicts_with = "renew")]
    pub(crate) show: Option<Shown>,
}

/// What can be printed for whoever wants to call the gateway.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shown {
    /// The certificate of the authority, by which the gateway is believed (PEM)
    Ca,
    /// The secret token of the first administrator
    Token,
}
