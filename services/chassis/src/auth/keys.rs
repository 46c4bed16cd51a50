//! The public keys of an authority, from a JSON Web Key Set (RFC 7517), and the tokens that they have verified.
//!
//! What a key may verify follows from the key, never from a token: a token that names an algorithm of another family
//! is refused, so that nobody signs with the bytes of a public key as if they were a shared secret. Such secrets
//! (`oct`), and private keys, have no place in the file.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::watched::Written;
use crate::Caller;

const MAX_KEYS: usize = 64;
/// Verified tokens that are remembered: verifying takes some 100 µs, finding one a fraction of one.
const MAX_REMEMBERED: usize = 4_096;
/// A shorter modulus of RSA is refused (NIST SP 800-131A).
const MIN_RSA_BYTES: usize = 256;

/// The keys of a file. A changed file makes new ones, which remember nothing.
#[derive(Debug)]
pub(super) struct Keys {
    by_id: HashMap<String, Key>,
    verified: RwLock<HashMap<[u8; 32], Verified>>,
}

/// A key, and what it may verify.
pub(super) struct Key {
    pub(super) decoding: DecodingKey,
    /// A hash of all that the file says of it: another key may come under the same id.
    pub(super) digest: [u8; 32],
    pub(super) algorithms: Vec<Algorithm>,
}

/// What a token that was verified says.
#[derive(Clone, Debug)]
pub(super) struct Verified {
    pub(super) caller: Caller,
    pub(super) key_id: String,
    pub(super) key_digest: [u8; 32],
    pub(super) expires: Timestamp,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key")
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

/// What is wrong with the bytes of a key set, and where.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("keys: a list is required")]
    NoList,
    #[error("keys: {0} of them; at most {MAX_KEYS}")]
    TooMany(usize),
    #[error("keys[{index}]: {what}")]
    Key { index: usize, what: KeyFault },
    #[error("keys[{0}].kid: is there twice")]
    Twice(usize),
    #[error("keys: none that verifies tokens")]
    Useless,
}

/// What is wrong with a key in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyFault {
    #[error("kty: `oct` is a shared secret; only public keys are taken")]
    Secret,
    #[error("it holds a private key; only public keys are taken")]
    Private,
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Unusable(#[from] jsonwebtoken::errors::Error),
    #[error("kid: is required, since tokens name their key by it")]
    Nameless,
    #[error("n: a modulus of {0} bits is too short")]
    Short(usize),
}

impl Written for Keys {
    const MAX_BYTES: u64 = 256 << 10;
    type Fault = Fault;

    /// Keys for encryption, and of kinds that are not known here, are passed over.
    fn parse(bytes: &[u8]) -> Result<Keys, Fault> {
        let mut set: Value = serde_json::from_slice(bytes)?;
        let Some(Value::Array(keys)) = set.get_mut("keys").map(Value::take) else {
            return Err(Fault::NoList);
        };
        if keys.len() > MAX_KEYS {
            return Err(Fault::TooMany(keys.len()));
        }
        // None at all is an order to believe nobody; some that are of no use are a mistake.
        let is_emptied = keys.is_empty();
        let mut by_id = HashMap::new();
        for (index, key) in keys.into_iter().enumerate() {
            let read = read_key(key).map_err(|what| Fault::Key { index, what })?;
            let Some((id, key)) = read else { continue };
            if by_id.insert(id, key).is_some() {
                return Err(Fault::Twice(index));
            }
        }
        if by_id.is_empty() && !is_emptied {
            return Err(Fault::Useless);
        }
        Ok(Keys {
            by_id,
            verified: RwLock::default(),
        })
    }
}

impl Keys {
    pub(super) fn find(&self, id: &str) -> Option<&Key> {
        self.by_id.get(id)
    }

    /// What a token, by its SHA-256, was found to say.
    pub(super) fn remembered(&self, digest: &[u8; 32]) -> Option<Verified> {
        let verified = self.verified.read().unwrap_or_else(PoisonError::into_inner);
        verified.get(digest).cloned()
    }

    pub(super) fn remember(&self, digest: [u8; 32], found: Verified) {
        let mut verified = self
            .verified
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= MAX_REMEMBERED {
            let now = Timestamp::now();
            verified.retain(|_, token| token.expires > now);
        }
        if verified.len() >= MAX_REMEMBERED {
            verified.clear();
        }
        verified.insert(digest, found);
    }
}

fn read_key(value: Value) -> Result<Option<(String, Key)>, KeyFault> {
    refuse_secrets(&value)?;
    if value.get("use").is_some_and(|purpose| purpose != "sig") {
        return Ok(None);
    }
    let digest = Sha256::digest(value.to_string()).into();
    let jwk: Jwk = serde_json::from_value(value)?;
    let algorithms = algorithms(&jwk)?;
    if algorithms.is_empty() {
        return Ok(None);
    }
    let decoding = DecodingKey::from_jwk(&jwk)?;
    let id = jwk.common.key_id.filter(|id| !id.is_empty());
    let id = id.ok_or(KeyFault::Nameless)?;
    let key = Key {
        decoding,
        digest,
        algorithms,
    };
    Ok(Some((id, key)))
}

fn refuse_secrets(value: &Value) -> Result<(), KeyFault> {
    if value.get("kty").is_some_and(|kind| kind == "oct") {
        return Err(KeyFault::Secret);
    }
    if value.get("d").is_some() || value.get("k").is_some() {
        return Err(KeyFault::Private);
    }
    Ok(())
}

/// What a key may verify: what it says, if that is of its kind, or all of its kind.
fn algorithms(jwk: &Jwk) -> Result<Vec<Algorithm>, KeyFault> {
    let of_kind = algorithms_of_kind(&jwk.algorithm)?;
    let Some(said) = jwk.common.key_algorithm else {
        return Ok(of_kind.to_vec());
    };
    let said = algorithm(said).filter(|said| of_kind.contains(said));
    Ok(said.into_iter().collect())
}

fn algorithms_of_kind(parameters: &AlgorithmParameters) -> Result<&'static [Algorithm], KeyFault> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    if let AlgorithmParameters::RSA(rsa) = parameters {
        check_modulus(&rsa.n)?;
        return Ok(&[RS256, RS384, RS512, PS256, PS384, PS512]);
    }
    Ok(match curve(parameters) {
        Some(EllipticCurve::P256) => &[ES256],
        Some(EllipticCurve::P384) => &[ES384],
        Some(EllipticCurve::Ed25519) => &[EdDSA],
        Some(_) | None => &[],
    })
}

fn curve(parameters: &AlgorithmParameters) -> Option<&EllipticCurve> {
    if let AlgorithmParameters::EllipticCurve(key) = parameters {
        return Some(&key.curve);
    }
    if let AlgorithmParameters::OctetKeyPair(key) = parameters {
        return Some(&key.curve);
    }
    None
}

fn check_modulus(n: &str) -> Result<(), KeyFault> {
    // Four letters of base64 are three bytes.
    let bytes = n.len() * 3 / 4;
    if bytes < MIN_RSA_BYTES {
        return Err(KeyFault::Short(bytes * 8));
    }
    Ok(())
}

fn algorithm(said: KeyAlgorithm) -> Option<Algorithm> {
    said.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(keys: &str) -> Result<Keys, String> {
        let parsed = Keys::parse(format!(r#"{{"keys":[{keys}]}}"#).as_bytes());
        parsed.map_err(|fault| fault.to_string())
    }

    /// The key of RFC 8037, appendix A.2.
    const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    #[test]
    fn a_key_verifies_what_is_of_its_kind() {
        let keys = parsed(ED25519).unwrap();
        assert_eq!(keys.find("a").unwrap().algorithms, [Algorithm::EdDSA]);
        let other = ED25519.replace(r#""kid""#, r#""alg":"ES256","kid""#);
        assert!(parsed(&other).unwrap_err().contains("none"));
    }

    #[test]
    fn secrets_have_no_place_among_public_keys() {
        let oct = r#"{"kty":"oct","kid":"b","k":"c2VjcmV0"}"#;
        assert!(parsed(oct).unwrap_err().starts_with("keys[0]: kty"));
        let both = format!("{ED25519},{oct}");
        assert!(parsed(&both).unwrap_err().starts_with("keys[1]: kty"));
        let private = ED25519.replace(r#""kid""#, r#""d":"AAAA","kid""#);
        assert!(parsed(&private).unwrap_err().contains("private"));
    }

    #[test]
    fn what_cannot_verify_is_passed_over_or_refused() {
        let encrypts = ED25519.replace(r#""kid":"a""#, r#""use":"enc","kid":"b""#);
        let unknown = r#"{"kty":"new-kind","kid":"c"}"#;
        let keys = parsed(&format!("{encrypts},{unknown},{ED25519}")).unwrap();
        assert_eq!(keys.by_id.len(), 1);
        assert!(parsed(&encrypts).is_err());
        let emptied = parsed("").unwrap();
        assert!(emptied.by_id.is_empty(), "it believes nobody");
        assert!(
            parsed(&format!("{ED25519},{ED25519}"))
                .unwrap_err()
                .contains("twice")
        );
        let nameless = ED25519.replace(r#""kid":"a","#, "");
        assert!(parsed(&nameless).unwrap_err().contains("kid"));
        let short = r#"{"kty":"RSA","kid":"d","e":"AQAB","n":"AQAB"}"#;
        assert!(parsed(short).unwrap_err().contains("too short"));
    }
}
