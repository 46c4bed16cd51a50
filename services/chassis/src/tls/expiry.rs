//! When a certificate ends.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use metrics::gauge;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};

/// From when on a certificate's end is told.
const SOON: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The end of a certificate that is in use, told in good time.
pub(super) struct Expiry {
    path: PathBuf,
    end: Option<UnixTime>,
    is_told: AtomicBool,
}

impl Expiry {
    /// Of the first certificate, which the others lead to its authority.
    pub(super) fn of(path: &Path, chain: &[CertificateDer<'_>]) -> Self {
        Self {
            path: path.to_owned(),
            end: chain.first().and_then(end),
            is_told: AtomicBool::new(false),
        }
    }

    /// Tells once of one that has ended or soon will.
    pub(super) fn tell(&self, now: UnixTime) {
        if let Some(left) = self.due(now) {
            let (path, hours) = (self.path.display(), left.as_secs() / 3_600);
            tracing::warn!(%path, hours, "the certificate ends soon; exchange the file, no restart is needed");
        }
    }

    /// Says when it ends.
    pub(super) fn report(&self, used_by: &'static str) {
        if let Some(end) = self.end {
            let end = Duration::from_secs(end.as_secs()).as_secs_f64();
            gauge!("entente_certificate_end_timestamp_seconds", "used_by" => used_by).set(end);
        }
    }

    /// How long it still holds, when that is to be told.
    fn due(&self, now: UnixTime) -> Option<Duration> {
        let left = self.left(now).filter(|left| *left < SOON)?;
        let was_told = self.is_told.swap(true, Ordering::Relaxed);
        (!was_told).then_some(left)
    }

    /// How long it still holds.
    fn left(&self, now: UnixTime) -> Option<Duration> {
        let end = self.end?.as_secs();
        Some(Duration::from_secs(end.saturating_sub(now.as_secs())))
    }
}

/// Its end. webpki does not show it, but says it when it refuses a certificate whose end has come, and that it looks
/// at before it looks for authorities: at the end of all times, it is what every certificate is refused for.
fn end(certificate: &CertificateDer<'_>) -> Option<UnixTime> {
    let never = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
    let algorithms = ring::default_provider().signature_verification_algorithms;
    let usage = KeyUsage::server_auth();
    let parsed = EndEntityCert::try_from(certificate).ok()?;
    let refused = parsed.verify_for_usage(algorithms.all, &[], &[], never, usage, None, None);
    if let Error::CertExpired { not_after, .. } = refused.err()? {
        return Some(not_after);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(year: i32) -> CertificateDer<'static> {
        let mut params = rcgen::CertificateParams::new(["gateway".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().into()
    }

    const DAY: Duration = Duration::from_secs(24 * 3_600);

    /// So many days before 2030, to the second.
    fn before(days: u32) -> UnixTime {
        let seconds = 1_893_456_000 - u64::from(days) * DAY.as_secs();
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn the_end_of_a_certificate_is_known() {
        assert_eq!(end(&certificate(2030)), Some(before(0)));
    }

    #[test]
    fn a_certificate_that_ends_soon_is_told_once() {
        let expiry = Expiry::of(Path::new("gateway.pem"), &[certificate(2030)]);
        assert_eq!(expiry.due(before(8)), None);
        assert_eq!(expiry.due(before(7)), None);
        assert_eq!(expiry.due(before(6)), Some(6 * DAY));
        assert_eq!(expiry.due(before(5)), None);
    }

    #[test]
    fn one_that_has_ended_has_nothing_left() {
        let expiry = Expiry::of(Path::new("gateway.pem"), &[certificate(2029)]);
        assert_eq!(expiry.due(before(1)), Some(Duration::ZERO));
    }
}
