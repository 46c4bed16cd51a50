//! TLS of the listener, and of connections to other processes: rustls on ring, certificates from PEM files.
//!
//! The files are read again while the process runs (see [`kept`](crate::kept)). A set that has changed and is whole
//! takes the place of the one before, for connections that are made from then on; those that are open go on. A set that
//! cannot be used changes nothing: a certificate that somebody is about to copy there must not end a service. So it
//! does not matter how files are exchanged: in place, by renaming, or by a link that points elsewhere.
//!
//! Each part is a file: [`client`], [`connector`], [`expiry`], [`file`], [`server`].

mod client;
mod connector;
mod expiry;
mod file;
mod server;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Error;
use crate::kept::Files;

pub use self::client::{ClientFiles, ClientTls, SecureStream};
pub(crate) use self::server::peer_names;
pub use self::server::{ServerFiles, ServerTls};

use self::file::PemFile;

/// How often the files are looked at, unless told otherwise.
const LOOK_EVERY: Duration = Duration::from_secs(5);

const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// A certificate and its key, each in a PEM file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and behind it those that lead to its authority, if there are any between.
    pub certificate: PathBuf,
    /// Its private key: PKCS #8, SEC 1 or PKCS #1, not encrypted.
    pub key: PathBuf,
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Identity {
    fn paths(&self) -> [&Path; 2] {
        [&self.certificate, &self.key]
    }

    fn among(&self, files: &Files<'_>) -> Result<Pair, Error> {
        let chain = PemFile::among(files, &self.certificate).certificates()?;
        let key = PemFile::among(files, &self.key).key()?;
        Ok((chain, key))
    }

    /// Why rustls does not take the two, which were read.
    fn refuse(&self, error: rustls::Error) -> Error {
        if let rustls::Error::InconsistentKeys(_) = error {
            return Error::KeyMismatch {
                certificate: self.certificate.clone(),
                key: self.key.clone(),
            };
        }
        unusable(&self.certificate, error)
    }
}

fn unusable(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Certificates {
        path: path.to_owned(),
        source: Box::new(error),
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
