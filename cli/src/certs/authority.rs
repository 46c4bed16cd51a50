//! An authority for development.

use anyhow::{Context, ensure};
use jiff::civil::Date;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor};

const NAME: &str = "Entente development authority";

/// From the start of a day to the start of another, UTC.
type Days = (Date, Date);

/// Signs certificates.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// What a certificate is for; it serves for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A server proves its name.
    Server,
    /// A client does.
    Client,
}

/// A certificate and its key, in PEM.
pub(super) struct Signed {
    pub(super) pem: String,
    pub(super) key: String,
}

impl Authority {
    /// A new one.
    pub(super) fn new(days: Days) -> anyhow::Result<Authority> {
        Authority::with(KeyPair::generate()?, days)
    }

    /// The one that these are of.
    pub(super) fn again(certificate: &str, key: &str, days: Days) -> anyhow::Result<Authority> {
        let key = KeyPair::from_pem(key).context("ca.key holds no private key in PEM")?;
        let found = CertificateDer::from_pem_slice(certificate.as_bytes());
        let found = found.context("ca.pem holds no certificate in PEM")?;
        let authority = Authority::with(key, days)?;
        let [found, made] = [&found, authority.issuer.der()].map(anchor);
        ensure!(
            found.context("ca.pem is of no authority")? == made?,
            "ca.pem and ca.key do not belong together, or were not made here; --force makes all anew"
        );
        Ok(authority)
    }

    fn with(key: KeyPair, days: Days) -> anyhow::Result<Authority> {
        let mut params = params(NAME, &[], days)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, key)?;
        Ok(Authority { issuer })
    }

    /// Its own certificate, in PEM.
    pub(super) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Its key, in PEM.
    pub(super) fn key(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A certificate of these names, with a new key.
    pub(super) fn certify(
        &self,
        title: &str,
        names: &[String],
        purpose: Purpose,
        days: Days,
    ) -> anyhow::Result<Signed> {
        let mut params = params(title, names, days)?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match purpose {
            Purpose::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Purpose::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Signed {
            pem: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

/// What whoever believes an authority keeps of its certificate: its name and its public key.
fn anchor(certificate: &CertificateDer<'static>) -> anyhow::Result<Option<TrustAnchor<'static>>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone())?;
    Ok(roots.roots.pop())
}

fn params(title: &str, names: &[String], (from, until): Days) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, title);
    let [not_before, not_after] = [from, until].map(|day| {
        let date = (i32::from(day.year()), day.month(), day.day());
        date_time_ymd(date.0, date.1.unsigned_abs(), date.2.unsigned_abs())
    });
    params.not_before = not_before;
    params.not_after = not_after;
    Ok(params)
}
