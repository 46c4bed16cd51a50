//! Tokens that an authority signs (RFC 7519), verified by its public keys without asking it.

use std::path::PathBuf;

use jiff::Timestamp;
use jsonwebtoken::{Validation, decode, decode_header, errors::ErrorKind};
use sha2::{Digest, Sha256};

use super::claims::Claims;
use super::keys::{Keys, Verified};
use super::refusal::Failure;
use super::watched::{self, Watched};
use crate::caller::is_name;
use crate::{Caller, Error, Role};

/// Clocks of two machines may differ by this much.
const LEEWAY_SECONDS: i64 = 60;

/// Which signed tokens are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwt {
    /// File of the authority's public keys, a JSON Web Key Set.
    pub keys: PathBuf,
    /// Who must have issued a token: its claim `iss`.
    pub issuer: String,
    /// Whom a token must be meant for: its claim `aud`, or one of them.
    pub audience: String,
    /// The claim that says the role: `reader`, `editor` or `admin`.
    pub role_claim: String,
}

/// Verifies tokens.
#[derive(Debug)]
pub(super) struct Verifier {
    keys: Watched<Keys>,
    settings: Jwt,
}

/// A token that was believed, to be looked at again.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    key_id: String,
    key_digest: [u8; 32],
    expires: Timestamp,
}

impl Verifier {
    pub(super) fn open(settings: Jwt) -> Result<Verifier, Error> {
        let keys = watched::open(settings.keys.clone())?;
        Ok(Verifier { keys, settings })
    }

    /// Looks whether there are other keys.
    pub(super) fn refresh(&self) {
        watched::look(&self.keys);
    }

    /// Whose token this is.
    pub(super) fn believe(&self, token: &str) -> Result<(Caller, Ticket), Failure> {
        let keys = self.keys.current();
        let digest = Sha256::digest(token).into();
        let verified = if let Some(verified) = keys.remembered(&digest) {
            verified
        } else {
            let verified = self.verify(&keys, token)?;
            keys.remember(digest, verified.clone());
            verified
        };
        let ticket = Ticket {
            key_id: verified.key_id,
            key_digest: verified.key_digest,
            expires: verified.expires,
        };
        check_time(&ticket)?;
        Ok((verified.caller, ticket))
    }

    /// Whether a token is still to be believed: its key may have been withdrawn since, or another put in its place.
    pub(super) fn look(&self, ticket: &Ticket) -> Result<(), Failure> {
        let keys = self.keys.current();
        let key = keys.find(&ticket.key_id);
        key.filter(|key| key.digest == ticket.key_digest)
            .ok_or(Failure::Unknown)?;
        check_time(ticket)
    }

    fn verify(&self, keys: &Keys, token: &str) -> Result<Verified, Failure> {
        let header = decode_header(token).map_err(|_| Failure::Unknown)?;
        // What must be understood to read a token is not understood here, whatever it is (RFC 7515, 4.1.11).
        if header.crit.is_some() {
            return Err(Failure::Unknown);
        }
        let key_id = header.kid.ok_or(Failure::Unknown)?;
        let key = keys.find(&key_id).ok_or(Failure::Unknown)?;
        let mut rules = self.rules();
        rules.algorithms.clone_from(&key.algorithms);
        let decoded = decode::<Claims>(token, &key.decoding, &rules);
        let claims = decoded.map_err(|error| failure(&error))?.claims;
        let said = self.caller(&claims).zip(expiry(&claims));
        let (caller, expires) = said.ok_or(Failure::Unknown)?;
        Ok(Verified {
            caller,
            key_id,
            key_digest: key.digest,
            expires,
        })
    }

    fn rules(&self) -> Validation {
        let mut rules = Validation::default();
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.set_issuer(&[&self.settings.issuer]);
        rules.set_audience(&[&self.settings.audience]);
        rules.leeway = LEEWAY_SECONDS.unsigned_abs();
        rules.validate_nbf = true;
        rules
    }

    fn caller(&self, claims: &Claims) -> Option<Caller> {
        // Verifying would take a list with the issuer among others, and a token has one.
        claims.text("iss")?;
        let name = claims.text("sub").filter(|name| is_name(name))?;
        let role = claims.text(&self.settings.role_claim)?;
        Some(Caller {
            name: name.into(),
            role: Role::parse(role)?,
        })
    }
}

/// When a token is no longer believed.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast of a float saturates, and an instant that is too late is none"
)]
fn expiry(claims: &Claims) -> Option<Timestamp> {
    let seconds = claims.number("exp")? as i64;
    let end = seconds.saturating_add(LEEWAY_SECONDS);
    Some(Timestamp::from_second(end).unwrap_or(Timestamp::MAX))
}

fn check_time(ticket: &Ticket) -> Result<(), Failure> {
    if ticket.expires <= Timestamp::now() {
        return Err(Failure::Expired);
    }
    Ok(())
}

fn failure(error: &jsonwebtoken::errors::Error) -> Failure {
    if matches!(error.kind(), ErrorKind::ExpiredSignature) {
        return Failure::Expired;
    }
    Failure::Unknown
}
