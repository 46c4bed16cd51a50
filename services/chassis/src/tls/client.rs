//! TLS towards another process.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::{ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::expiry::Expiry;
use super::file::{self, PemFile};
use super::{HTTP2, Identity, LOOK_EVERY, provider, unusable};
use crate::kept::{Files, Kept, Source};
use crate::{Error, telemetry};

/// Whom a client believes, and how it proves its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFiles {
    /// Certificates of the authorities that are believed, in a PEM file; no others are.
    pub ca: PathBuf,
    /// What the client proves its name with, where a server asks for it.
    pub identity: Option<Identity>,
    /// The name that a server must prove, instead of the one by which it was reached.
    pub server_name: Option<String>,
}

/// A connection on which the other end has proved its name.
pub type SecureStream = TlsStream<TcpStream>;

/// TLS towards other processes; a cheap handle.
#[derive(Clone)]
pub struct ClientTls {
    kept: Arc<Kept<ClientFiles>>,
    looked: Arc<Mutex<Instant>>,
    every: Duration,
}

/// What the next connection takes.
pub(crate) struct Ready {
    config: Arc<ClientConfig>,
    expiry: Option<Expiry>,
}

impl ClientTls {
    /// Reads the files, which must fit together. They are read again for a connection that is made 5 s later or more.
    pub fn load(files: ClientFiles) -> Result<Self, Error> {
        let kept = Arc::new(Kept::new(files)?);
        kept.current().tell_expiry();
        telemetry::before_scrape(&kept, |kept| kept.current().report());
        Ok(Self {
            kept,
            looked: Arc::new(Mutex::new(Instant::now())),
            every: LOOK_EVERY,
        })
    }

    /// How old what was read may be, instead of 5 s.
    #[must_use]
    pub fn looking_every(mut self, pause: Duration) -> Self {
        self.every = pause;
        self
    }

    /// Makes a connection secure on which nothing was sent yet. The other end must prove that it is `server_name`, a
    /// DNS name or an IP address, and is asked for HTTP/2. It may keep silent for ever: give it a limit.
    pub async fn connect(&self, server_name: &str, stream: TcpStream) -> io::Result<SecureStream> {
        let name = self.expected(server_name)?;
        self.look_again().await;
        let connector = TlsConnector::from(self.kept.current().config.clone());
        connector.connect(name, stream).await
    }

    fn expected(&self, server_name: &str) -> io::Result<ServerName<'static>> {
        let named = self.kept.source().server_name.as_deref();
        let name = named.unwrap_or(server_name);
        let parsed = ServerName::try_from(without_brackets(name));
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        Ok(parsed.map_err(invalid)?.to_owned())
    }

    async fn look_again(&self) {
        if !self.is_due() {
            return;
        }
        self.kept.look_aside().await;
        self.kept.current().tell_expiry();
    }

    /// Whether it is time to look; for one of those who ask at a time.
    fn is_due(&self) -> bool {
        // An instant cannot be half written.
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = looked.elapsed() >= self.every;
        if is_due {
            *looked = Instant::now();
        }
        is_due
    }
}

/// A host as it is looked up and proved: in an address, IPv6 stands in brackets.
pub(super) fn without_brackets(host: &str) -> &str {
    let inside = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inside.unwrap_or(host)
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.kept.source();
        f.debug_tuple("ClientTls").field(files).finish()
    }
}

impl Source for ClientFiles {
    type Made = Ready;
    const MAX_BYTES: u64 = file::MAX_BYTES;

    fn paths(&self) -> Vec<&Path> {
        let identity = self.identity.iter().flat_map(Identity::paths);
        identity.chain([&*self.ca]).collect()
    }

    fn unreadable(path: &Path, source: io::Error) -> Error {
        file::unreadable(path, source)
    }

    fn make(&self, files: &Files<'_>) -> Result<Ready, Error> {
        let roots = PemFile::among(files, &self.ca).authorities()?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&self.ca, error))?
            .with_root_certificates(roots);
        let (mut config, expiry) = match &self.identity {
            None => (builder.with_no_client_auth(), None),
            Some(identity) => {
                let (chain, key) = identity.among(files)?;
                let expiry = Expiry::of(&identity.certificate, &chain);
                let config = builder.with_client_auth_cert(chain, key);
                (
                    config.map_err(|error| identity.refuse(error))?,
                    Some(expiry),
                )
            }
        };
        config.alpn_protocols = vec![HTTP2.to_vec()];
        Ok(Ready {
            config: Arc::new(config),
            expiry,
        })
    }
}

impl Ready {
    fn report(&self) {
        if let Some(expiry) = &self.expiry {
            expiry.report("client");
        }
    }

    fn tell_expiry(&self) {
        if let Some(expiry) = &self.expiry {
            expiry.tell(UnixTime::now());
        }
    }
}
