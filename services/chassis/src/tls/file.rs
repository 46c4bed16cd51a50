//! PEM files: read within bounds, and told by name when they cannot be used.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::unusable;
use crate::Error;

/// Bytes that are read of a file; all authorities of the web have a quarter of it.
const MAX_BYTES: u64 = 1 << 20;

/// Files as they are read together, and what tells them from others.
#[derive(Default)]
pub(super) struct Reading {
    digest: DefaultHasher,
}

/// What a file holds. Not to be shown: it may be a key.
pub(super) struct PemFile {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Reading {
    pub(super) fn file(&mut self, path: &Path) -> Result<PemFile, Error> {
        let bytes = read(path).map_err(|source| Error::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        bytes.hash(&mut self.digest);
        Ok(PemFile {
            path: path.to_owned(),
            bytes,
        })
    }

    /// Differs when a file does.
    pub(super) fn digest(&self) -> u64 {
        self.digest.finish()
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

impl PemFile {
    /// All certificates in it; at least one.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        let found = CertificateDer::pem_slice_iter(&self.bytes).collect::<Result<Vec<_>, _>>();
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
        let found = PrivateKeyDer::from_pem_slice(&self.bytes);
        found.map_err(|error| self.lacks("a private key that is not encrypted", error))
    }

    /// The authorities that its certificates are of.
    pub(super) fn authorities(&self) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates()? {
            roots
                .add(certificate)
                .map_err(|error| unusable(&self.path, error))?;
        }
        Ok(roots)
    }

    fn lacks(&self, what: &'static str, source: pem::Error) -> Error {
        Error::NotPem {
            path: self.path.clone(),
            what,
            source,
        }
    }
}
