//! Options of certificates for development.

use std::path::PathBuf;

use clap::Args;
use rustls::pki_types::ServerName;

/// Options of `entente certs`.
#[derive(Debug, Args)]
pub(crate) struct CertsArgs {
    /// Folder of the files
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// A further name or IP address under which each of the servers can be reached; may be given several times
    ///
    /// Each has its own name (gateway, trade, events, culture), localhost and its addresses anyway.
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
    /// Make all certificates and their keys anew, of the authority that is there
    #[arg(long)]
    pub(crate) renew: bool,
    /// Make all anew, the authority too: what believes the old one does not believe the new certificates
    #[arg(long, conflicts_with = "renew")]
    pub(crate) force: bool,
}

impl CertsArgs {
    /// Whether certificates that are there are made once more.
    pub(crate) fn anew(&self) -> bool {
        self.renew || self.force
    }
}

pub(super) fn parse_host(text: &str) -> Result<String, String> {
    match ServerName::try_from(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("neither a DNS name (desk.example.org) nor an IP address".into()),
    }
}
