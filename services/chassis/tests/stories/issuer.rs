//! An authority that signs tokens, with keys that were made for these stories and sign nothing else.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::sign;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// RSA of 2,048 bits as PKCS #1.
const RSA: &str = "MIIEpAIBAAKCAQEAvGyMMfj89MyvC2vtGDiN8FTlX1/NqCSFflnX92Zs29msTEoKShVJSDXdyxgJP1u+xMmSWrzFYX/pHkJtGjfO\
    QUiEsmmuWm+Q//KynmvIs/wslwYbUlT8uj3IvW6fLdTR7O0EhhJpFlaDj/OJ+24WpvRj+9EQH7s0eHj1ekxngNyQ98DDmt+o8pc2\
    YnFV4B1xAPRiy+5Ji8QNcsg7u9g8k5X88J+uOQVKgMORTs6Eyoq+V8Qg4QFDQl8NYL5EoGlpA/TXRZVjH4Fm1fsKhAxGGTUet7Hc\
    Se2ULXRzaxXDpkAB99YTf4jZaPQx1TyBWG+lTUdgyUQowZqqXyXnwYxVWQIDAQABAoIBAAKY/n/L3nTjg4BFTyH32aEYEodzkyq/\
    wiVhSLRs8ZBAWns8xBKMY5O+xl1/6dS5R5J/8ugUVSZIdKbJpKZpYYsN3GJ3SYOOqTGWH3dGpiAxGE5Gs8a5TDinFGbkKQahOfmp\
    tNfCVjeMHskzwtG4DVDk6qH0mmPNmWYVyNCUUBL7MWT3O00sXhqrQblkQxrucjLiWBl+2Y6ylDonIhRu4DoBysDbiPF7x+c5bLhL\
    xcAv/4AVh1nELGVorkZRcG1f62VA/a3umvLThqGEc5/ZSBoK3weQg9GnH4vxPoPD+dgUtIHD0XYI62KLOQGY7xR0IXUa7+65NcQn\
    9mWUpW3SoYECgYEA6jjyU/tVN6Wb0o8D38ScTIavVvRM9ki3ekZeeBn4mip5cmt+/HFWs2u/3bsDeP+zFSOPI0a+FOWvgjXoMhV4\
    71g77Va8ZMMDANcfXlW/6KMZ/CTVivUxHWdxsDPZfQTpbrTMHjWHmyyigQ6SpbK7ExecEenBLuxQNZ9f5uGkwfkCgYEAzfF9LsPC\
    v8a3j0bkv90DTS90gr/8Q2GciMQKfsLlQYpmIup7j+pT8+AUAmz6NZjDEL4Lf9tIYH2IG2OV962M8grQ4AmvPAH5GQ5G4Kfg/gZV\
    xD0jC3CFJ9gP8z1UeHt/fk2SdxoDG4lbl+SStyDCDhrsUxPjvYTl/wIQPIbrBmECgYBKdHnL6oxHWTS0dVP08QoCZZodWSGR9MGm\
    c/IZ2Z+mWjQrBDLkyp6WAH2IXaeX8iiaYqhgvV81Q2JMURiTuzGrW/AI3Vab7UXqIXhOQ5HywM5E0eyz9Id9YmHIcmMDk+kkkQKF\
    49xMnp61yc0iMTO4uPua0iTf5q0ErroMqdP2+QKBgQCB/Qk8uUd1cOJvxxmfmMr6rxdlZ/S8OyJomQTe2fmGkurA4yw2vHtdFXTL\
    yylrJw8IxEvR2gEnFlUQpJ0GBj9Oj1Ej+DjpMX2fOQm3x38WF72O7d/u2ojRi2kV6QImQh1JBYGLN5n6iYqMpzOL71tNN+Uu0wEO\
    oJHjkdPZwHccQQKBgQCghexrs6cQDB2r5IqiLbEg8mixgN4ay7QVdkjValdqVK921zoIHSdYKF8/twfPxnAxW/99UbBfkBhM8Du9\
    8pNbZoOIga8V8IMb7Mna8BIYYTV/Ba0m7XW4BAtcZOdbEKCmiEgXM58dLReJUg2YaVsA8DcAKZzA6VbVSKZHmEumMg==";
/// Its public part as a file would have it.
pub(crate) const RSA_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvGyMMfj89MyvC2vtGDiN\n\
8FTlX1/NqCSFflnX92Zs29msTEoKShVJSDXdyxgJP1u+xMmSWrzFYX/pHkJtGjfO\n\
QUiEsmmuWm+Q//KynmvIs/wslwYbUlT8uj3IvW6fLdTR7O0EhhJpFlaDj/OJ+24W\n\
pvRj+9EQH7s0eHj1ekxngNyQ98DDmt+o8pc2YnFV4B1xAPRiy+5Ji8QNcsg7u9g8\n\
k5X88J+uOQVKgMORTs6Eyoq+V8Qg4QFDQl8NYL5EoGlpA/TXRZVjH4Fm1fsKhAxG\n\
GTUet7HcSe2ULXRzaxXDpkAB99YTf4jZaPQx1TyBWG+lTUdgyUQowZqqXyXnwYxV\n\
WQIDAQAB\n\
-----END PUBLIC KEY-----\n";
/// PKCS #8 up to the private key: Ed25519, and P-256.
const ED25519: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
const P256: &[u8] =
    b"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\
    \x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20";

/// A key of the authority.
pub(crate) struct Key {
    id: &'static str,
    algorithm: Algorithm,
    private: EncodingKey,
}

impl Key {
    pub(crate) fn rsa(id: &'static str, algorithm: Algorithm) -> Key {
        let der = STANDARD.decode(RSA).unwrap();
        let private = EncodingKey::from_rsa_der(&der);
        Key {
            id,
            algorithm,
            private,
        }
    }

    pub(crate) fn ed25519(id: &'static str, seed: u8) -> Key {
        let private = EncodingKey::from_ed_der(&[ED25519, &[seed; 32]].concat());
        let algorithm = Algorithm::EdDSA;
        Key {
            id,
            algorithm,
            private,
        }
    }

    pub(crate) fn p256(id: &'static str) -> Key {
        let private = EncodingKey::from_ec_der(&[P256, &[7; 32]].concat());
        let algorithm = Algorithm::ES256;
        Key {
            id,
            algorithm,
            private,
        }
    }

    /// Its public part as the key set has it.
    pub(crate) fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.private, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.id.to_owned());
        jwk.common.key_algorithm = None;
        serde_json::to_value(jwk).unwrap()
    }

    /// A token that says this.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(&self.header(), claims)
    }

    /// One whose claims stand there to the letter.
    pub(crate) fn sign_text(&self, claims: &str) -> String {
        let header = serde_json::to_string(&self.header()).unwrap();
        let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let message = format!("{header}.{claims}");
        let signature = sign(message.as_bytes(), &self.private, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// One with a header of its own.
    pub(crate) fn sign_as(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.private).unwrap()
    }

    pub(crate) fn header(&self) -> Header {
        Header {
            kid: Some(self.id.to_owned()),
            ..Header::new(self.algorithm)
        }
    }
}

/// What a token of a reader says, for an hour.
pub(crate) fn claims() -> Value {
    let now = jsonwebtoken::get_current_timestamp();
    json!({
        "iss": "https://login.example",
        "aud": "entente",
        "sub": "desk-7",
        "entente_role": "reader",
        "exp": now + 3_600,
    })
}
