//! The text of a token: `ent_`, an id of 8 hexadecimal digits, `_`, and a secret of 32 bytes in URL-safe base64.
//!
//! The id finds the token's entry, so that a secret is held against one hash. The secret has 256 bits from the
//! operating system: it cannot be guessed, so a plain SHA-256 of it gives nothing away, and costs a call nothing.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub(super) const PREFIX: &str = "ent_";
const ID: usize = 8;
const SECRET_BYTES: usize = 32;
const SECRET: usize = 43;

/// The id of a token; no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id(u32);

/// SHA-256 of a secret.
#[derive(Clone, Copy)]
pub(super) struct Hash([u8; 32]);

/// A token that was made.
pub(super) struct Made {
    pub(super) id: Id,
    pub(super) hash: Hash,
    pub(super) text: String,
}

impl Id {
    pub(super) fn parse(text: &str) -> Option<Id> {
        let lower = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != ID || !text.bytes().all(lower) {
            return None;
        }
        u32::from_str_radix(text, 16).ok().map(Id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl Hash {
    fn of(secret: &str) -> Hash {
        Hash(Sha256::digest(secret).into())
    }

    /// Whether both are of the same secret; how long this takes does not tell where they differ.
    pub(super) fn is(&self, other: &Hash) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// Reads 64 hexadecimal digits.
    pub(super) fn parse(text: &str) -> Option<Hash> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut hash = [0; 32];
        for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Hash(hash))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash")
    }
}

/// Id and hash of a token's text.
pub(super) fn parse(text: &str) -> Option<(Id, Hash)> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_at_checked(ID)?;
    let secret = secret.strip_prefix('_')?;
    let id = Id::parse(id)?;
    (secret.len() == SECRET).then(|| (id, Hash::of(secret)))
}

/// Makes a token.
pub(super) fn make() -> Result<Made, getrandom::Error> {
    let mut secret = [0; SECRET_BYTES];
    getrandom::fill(&mut secret)?;
    let secret = URL_SAFE_NO_PAD.encode(secret);
    let id = Id(getrandom::u32()?);
    Ok(Made {
        id,
        hash: Hash::of(&secret),
        text: format!("{PREFIX}{id}_{secret}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_read_back() {
        let made = make().unwrap();
        let (id, hash) = parse(&made.text).unwrap();
        assert_eq!(id, made.id);
        assert!(hash.is(&made.hash));
        assert!(Hash::parse(&made.hash.to_string()).unwrap().is(&hash));
        let another = make().unwrap();
        assert!(!another.hash.is(&hash));
    }

    #[test]
    fn junk_is_no_token() {
        let text = make().unwrap().text;
        let upper = text.to_uppercase();
        for junk in [
            "",
            "ent_",
            "ent_00000000",
            "ent_00000000_",
            "ent_é000000_",
            &text[1..],
            &text[..text.len() - 1],
            &format!("{text}A"),
            &upper,
        ] {
            assert!(parse(junk).is_none(), "{junk:?}");
        }
    }
}
