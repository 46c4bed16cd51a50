//! Options of TLS: of a process that serves, and of a connection to one.

use std::path::PathBuf;

use chassis::{ClientFiles, ClientTls, Identity, ServerFiles, ServerTls};
use clap::Args;

const HEADING: &str = "TLS";

/// TLS of a listener.
#[derive(Debug, Args)]
pub(crate) struct TlsArgs {
    /// Serve over TLS with this certificate, and the ones behind it that lead to its authority (PEM)
    ///
    /// The files of all three options are read again every 5 seconds. A set that has changed and fits together holds
    /// for new connections.
    #[arg(
        id = "tls_cert",
        long = "tls-cert",
        env = "ENTENTE_TLS_CERT",
        value_name = "FILE",
        help_heading = HEADING,
        requires = "tls_key"
    )]
    cert: Option<PathBuf>,
    /// The certificate's private key, not encrypted (PEM)
    #[arg(
        id = "tls_key",
        long = "tls-key",
        env = "ENTENTE_TLS_KEY",
        value_name = "FILE",
        help_heading = HEADING,
        requires = "tls_cert"
    )]
    key: Option<PathBuf>,
    /// Let in only clients with a certificate of one of these authorities (PEM)
    #[arg(
        id = "tls_client_ca",
        long = "tls-client-ca",
        env = "ENTENTE_TLS_CLIENT_CA",
        value_name = "FILE",
        help_heading = HEADING,
        requires = "tls_cert"
    )]
    client_ca: Option<PathBuf>,
}

impl TlsArgs {
    /// TLS, if a certificate is named.
    pub(crate) fn load(&self) -> Result<Option<ServerTls>, chassis::Error> {
        let files = identity(self.cert.as_ref(), self.key.as_ref());
        let files = files.map(|identity| ServerFiles {
            identity,
            client_ca: self.client_ca.clone(),
        });
        files.map(ServerTls::load).transpose()
    }
}

/// TLS of a connection to a server.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ClientTlsArgs {
    /// For https: believe servers with a certificate of one of these authorities, and no others (PEM)
    #[arg(long, env = "ENTENTE_CA", value_name = "FILE", help_heading = HEADING)]
    ca: Option<PathBuf>,
    /// Prove who is asking with this certificate, where a server wants to know (PEM)
    #[arg(
        long,
        env = "ENTENTE_CLIENT_CERT",
        value_name = "FILE",
        help_heading = HEADING,
        requires = "client_key"
    )]
    client_cert: Option<PathBuf>,
    /// The certificate's private key, not encrypted (PEM)
    #[arg(
        long,
        env = "ENTENTE_CLIENT_KEY",
        value_name = "FILE",
        help_heading = HEADING,
        requires = "client_cert"
    )]
    client_key: Option<PathBuf>,
}

impl ClientTlsArgs {
    /// TLS, if it is said who is believed.
    pub(crate) fn load(&self) -> Result<Option<ClientTls>, chassis::Error> {
        let files = self.ca.clone().map(|ca| ClientFiles {
            ca,
            identity: identity(self.client_cert.as_ref(), self.client_key.as_ref()),
            server_name: None,
        });
        files.map(ClientTls::load).transpose()
    }
}

fn identity(certificate: Option<&PathBuf>, key: Option<&PathBuf>) -> Option<Identity> {
    Some(Identity {
        certificate: certificate?.clone(),
        key: key?.clone(),
    })
}
