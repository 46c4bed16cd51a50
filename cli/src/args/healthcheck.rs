//! Options of a health check.

use std::time::Duration;

use clap::Args;

use super::answer::Address;
use super::serve::Role;
use super::tls::ClientTlsArgs;
use super::url::Url;

/// Options of `entente healthcheck`.
#[derive(Debug, Args)]
pub(crate) struct HealthcheckArgs {
    /// A service that the process has, or that a gateway leads to; the process itself when none is named
    #[arg(value_name = "SERVICE")]
    pub(crate) service: Option<Role>,
    /// Address of the process
    #[arg(
        long = "server",
        env = "ENTENTE_SERVER",
        default_value_t,
        value_name = "URL"
    )]
    url: Url,
    /// How long it may take to answer, in seconds
    #[arg(
        long,
        default_value_t = 3,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=60)
    )]
    timeout: u64,
    #[command(flatten)]
    tls: ClientTlsArgs,
}

impl HealthcheckArgs {
    /// Where to ask. Health is told without a token, so none is read.
    pub(crate) fn address(&self) -> Address {
        Address {
            url: self.url.clone(),
            token_file: None,
            tls: self.tls.clone(),
            direct: None,
        }
    }

    /// How long the connection and the answer may take together.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}
