//! What a signed token claims.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// The claims of a token, each once: of two with one name, another reader might take the other (RFC 7519, 4).
#[derive(Debug)]
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// A claim that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is a number.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Claims, D::Error> {
        deserializer.deserialize_map(Once).map(Claims)
    }
}

/// Takes each name once.
struct Once;

impl<'de> Visitor<'de> for Once {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut claims: A) -> Result<Self::Value, A::Error> {
        let mut met = Map::new();
        while let Some((name, value)) = claims.next_entry::<String, Value>()? {
            if met.insert(name, value).is_some() {
                return Err(A::Error::custom("a claim is there twice"));
            }
        }
        Ok(met)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(json: &str) -> Option<Claims> {
        serde_json::from_str(json).ok()
    }

    #[test]
    fn a_claim_that_is_there_twice_is_none() {
        let claims = parsed(r#"{"sub":"desk","exp":1}"#).unwrap();
        assert_eq!(
            (claims.text("sub"), claims.number("exp")),
            (Some("desk"), Some(1.0))
        );
        for twice in [
            r#"{"sub":"a","sub":"a"}"#,
            r#"{"role":"a","\u0072ole":"b"}"#,
            "[]",
        ] {
            assert!(parsed(twice).is_none(), "{twice}");
        }
    }
}
