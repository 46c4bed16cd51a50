//! PEM files, told by name when they cannot be used.

use std::io;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::unusable;
use crate::Error;
use crate::kept::Files;

/// Bytes that a file may have; all authorities of the web have a quarter of it.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// What a file holds. Not to be shown: it may be a key.
pub(super) struct PemFile<'f> {
    path: &'f Path,
    bytes: &'f [u8],
}

/// A file that cannot be read.
pub(super) fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::Unreadable {
        path: path.to_owned(),
        source,
    }
}

impl<'f> PemFile<'f> {
    /// One of the files that were read together.
    pub(super) fn among(files: &'f Files<'_>, path: &'f Path) -> PemFile<'f> {
        PemFile {
            path,
            bytes: files.of(path),
        }
    }

    /// All certificates in it; at least one.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        let found = CertificateDer::pem_slice_iter(self.bytes).collect::<Result<Vec<_>, _>>();
        match found {
            Ok(found) if found.is_empty() => {
                Err(self.lacks("a certificate", pem::Error::NoItemsFound))
            }
            Ok(found) => Ok(found),
            Err(error) => Err(self.lacks("a certificate", error)),
        }
    }

    /// The first private key in it.
    pub(super) fn key(&self) -> Result<PrivateKeyDer<'static>, Error> {
        let found = PrivateKeyDer::from_pem_slice(self.bytes);
        found.map_err(|error| self.lacks("a private key that is not encrypted", error))
    }

    /// The authorities that its certificates are of.
    pub(super) fn authorities(&self) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates()? {
            roots
                .add(certificate)
                .map_err(|error| unusable(self.path, error))?;
        }
        Ok(roots)
    }

    fn lacks(&self, what: &'static str, source: pem::Error) -> Error {
        Error::NotPem {
            path: self.path.to_owned(),
            what,
            source,
        }
    }
}
