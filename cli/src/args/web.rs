//! Options of what is served over HTTP to browsers and to those who have no gRPC.

use clap::Args;

/// Who may read answers from a browser.
#[derive(Debug, Args)]
pub(crate) struct WebArgs {
    /// Let pages of this origin (`https://desk.example.org`) read answers; may be given several times. `*` lets any, but
    /// without credentials. Default: none
    #[arg(
        long = "cors-origin",
        env = "ENTENTE_CORS_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub(crate) cors_origins: Vec<String>,
}
