//! An authority, and what it certifies.

use std::fs;
use std::path::{Path, PathBuf};

use chassis::{ClientFiles, ClientTls, Identity, ServerFiles, ServerTls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

/// An authority, with a folder for what it certifies.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub(crate) folder: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// Its own certificate.
    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A new certificate of a name, in its folder.
    pub(crate) fn certify(&self, name: &str) -> Identity {
        self.certify_into(self.folder.path(), name)
    }

    /// A new certificate of a name, over the one that may be there.
    pub(crate) fn certify_into(&self, folder: &Path, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let identity = identity(folder, name);
        fs::write(&identity.certificate, certificate.pem()).unwrap();
        fs::write(&identity.key, key.serialize_pem()).unwrap();
        identity
    }

    /// TLS of a listener that is called `trade` and asks nobody for a name.
    pub(crate) fn server(&self) -> ServerTls {
        let identity = self.certify("trade");
        let files = ServerFiles {
            identity,
            client_ca: None,
        };
        ServerTls::load(files).unwrap()
    }

    /// TLS of a listener that is called `trade` and lets in whom this authority knows.
    pub(crate) fn mutual_server(&self) -> ServerTls {
        let files = ServerFiles {
            identity: self.certify("trade"),
            client_ca: Some(self.ca()),
        };
        ServerTls::load(files).unwrap()
    }

    /// TLS of a client that believes this authority.
    pub(crate) fn client(&self, identity: Option<Identity>) -> ClientTls {
        let files = ClientFiles {
            ca: self.ca(),
            identity,
            server_name: None,
        };
        ClientTls::load(files).unwrap()
    }
}

/// Where the certificate of a name and its key stand in a folder.
pub(crate) fn identity(folder: &Path, name: &str) -> Identity {
    Identity {
        certificate: folder.join(format!("{name}.pem")),
        key: folder.join(format!("{name}.key")),
    }
}
