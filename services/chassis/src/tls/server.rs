//! TLS of a listener.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use tokio_rustls::TlsAcceptor;
use webpki::EndEntityCert;

use super::expiry::Expiry;
use super::file::{self, PemFile};
use super::{HTTP1, HTTP2, Identity, LOOK_EVERY, provider, unusable};
use crate::caller::PeerNames;
use crate::kept::{Files, Kept, Look, Source};
use crate::{Error, Shutdown, telemetry};

/// Where a listener's certificates are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFiles {
    /// What the listener proves its name with.
    pub identity: Identity,
    /// Certificates of authorities. Each client must prove its name with a certificate of one of them; without the
    /// file, none is asked for it.
    pub client_ca: Option<PathBuf>,
}

/// TLS of a listener; a cheap handle.
#[derive(Clone)]
pub struct ServerTls {
    kept: Arc<Kept<ServerFiles>>,
    every: Duration,
}

/// What the next connection takes.
pub(crate) struct Ready {
    config: Arc<ServerConfig>,
    expiry: Expiry,
}

impl ServerTls {
    /// Reads the files, which must fit together. While a process serves with it, they are read again every 5 s.
    pub fn load(files: ServerFiles) -> Result<Self, Error> {
        let kept = Arc::new(Kept::new(files)?);
        kept.current().expiry.tell(UnixTime::now());
        telemetry::before_scrape(&kept, |kept| kept.current().expiry.report("listener"));
        Ok(Self {
            kept,
            every: LOOK_EVERY,
        })
    }

    /// How often the files are read again, instead of every 5 s.
    #[must_use]
    pub fn looking_every(mut self, pause: Duration) -> Self {
        self.every = pause;
        self
    }

    /// What accepts the next connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.kept.current().config.clone())
    }

    /// Looks at the files until the shutdown.
    pub(crate) async fn watch(self, shutdown: Shutdown) {
        let watch = async {
            loop {
                tokio::time::sleep(self.every).await;
                self.look().await;
            }
        };
        tokio::select! {
            () = shutdown.wait() => {}
            () = watch => {}
        }
    }

    async fn look(&self) {
        if self.kept.look_aside().await == Look::Changed {
            let path = self.kept.source().identity.certificate.display();
            tracing::info!(%path, "certificates have changed; new connections have the new ones");
        }
        self.kept.current().expiry.tell(UnixTime::now());
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.kept.source();
        f.debug_tuple("ServerTls").field(files).finish()
    }
}

impl Source for ServerFiles {
    type Made = Ready;
    const MAX_BYTES: u64 = file::MAX_BYTES;

    fn paths(&self) -> Vec<&Path> {
        let identity = self.identity.paths().into_iter();
        identity.chain(self.client_ca.as_deref()).collect()
    }

    fn unreadable(path: &Path, source: io::Error) -> Error {
        file::unreadable(path, source)
    }

    fn make(&self, files: &Files<'_>) -> Result<Ready, Error> {
        let (chain, key) = self.identity.among(files)?;
        let expiry = Expiry::of(&self.identity.certificate, &chain);
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| self.identity.refuse(error))?;
        let builder = match self.verifier(files)? {
            None => builder.with_no_client_auth(),
            Some(verifier) => builder.with_client_cert_verifier(verifier),
        };
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|error| self.identity.refuse(error))?;
        config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
        Ok(Ready {
            config: Arc::new(config),
            expiry,
        })
    }
}

impl ServerFiles {
    fn verifier(&self, files: &Files<'_>) -> Result<Option<Arc<dyn ClientCertVerifier>>, Error> {
        let Some(path) = &self.client_ca else {
            return Ok(None);
        };
        let roots = Arc::new(PemFile::among(files, path).authorities()?);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
        Ok(Some(verifier.map_err(|error| unusable(path, error))?))
    }
}

/// Which names a client proved with the certificates that it sent; they are verified when the handshake is over.
pub(crate) fn peer_names(sent: Option<&[CertificateDer<'_>]>) -> Option<PeerNames> {
    let certificate = EndEntityCert::try_from(sent?.first()?).ok()?;
    let names = certificate.valid_dns_names().map(str::to_owned);
    Some(PeerNames(names.collect()))
}
