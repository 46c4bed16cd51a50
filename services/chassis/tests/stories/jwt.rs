//! Signed tokens: which are believed, and what is tried to have others believed.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chassis::{Config, Jwt};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::{Code, Status};

use crate::desk::{Running, get, within};
use crate::issuer::{Key, RSA_PUBLIC, claims};
use crate::login::with_token;

struct Login {
    process: Running,
    folder: TempDir,
}

impl Login {
    fn start(keys: &[Value]) -> Login {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        fs::write(&path, json!({ "keys": keys }).to_string()).unwrap();
        let jwt = Jwt {
            keys: path,
            issuer: "https://login.example".into(),
            audience: "entente".into(),
            role_claim: "entente_role".into(),
        };
        let config = Config {
            login: Some(chassis::Login {
                jwt: Some(jwt),
                ..chassis::Login::default()
            }),
            ..Config::default()
        };
        Login {
            process: Running::with(&config),
            folder,
        }
    }

    async fn ask(&self, token: &str) -> Result<String, Status> {
        let mut client = self.process.client().await;
        let request = with_token(get("caller"), token);
        Ok(client.get_dataset(request).await?.into_inner().name)
    }

    async fn refuses(&self, token: &str, why: &str) {
        let refused = self.ask(token).await.expect_err(why);
        assert_eq!(refused.code(), Code::Unauthenticated, "{why}");
        assert!(token.is_empty() || !refused.message().contains(token));
    }
}

/// The claims of a token with one of them changed, or taken out.
fn with(claim: &str, value: Value) -> Value {
    let mut claims = claims();
    let object = claims.as_object_mut().unwrap();
    if value.is_null() {
        object.remove(claim);
    } else {
        object.insert(claim.to_owned(), value);
    }
    claims
}

fn part(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

#[tokio::test]
async fn what_the_authority_has_signed_is_believed() {
    let keys = [
        Key::ed25519("ed", 1),
        Key::p256("ec"),
        Key::rsa("rsa", Algorithm::RS256),
    ];
    let login = Login::start(&keys.each_ref().map(Key::public));
    for key in keys.iter().chain([&Key::rsa("rsa", Algorithm::PS384)]) {
        let token = key.sign(&claims());
        // The second time it is remembered.
        for _ in 0..2 {
            assert_eq!(login.ask(&token).await.unwrap(), "desk-7 (reader)");
        }
    }
    let many = with("aud", json!(["other", "entente"]));
    assert!(login.ask(&keys[0].sign(&many)).await.is_ok());
    let began = with("nbf", json!(get_current_timestamp() + 30));
    assert!(login.ask(&keys[0].sign(&began)).await.is_ok());
}

#[tokio::test]
async fn what_it_does_not_say_or_says_otherwise_is_refused() {
    let key = Key::ed25519("ed", 1);
    let login = Login::start(&[key.public()]);
    let now = get_current_timestamp();
    for (claim, value) in [
        ("exp", json!(now - 61)),
        ("exp", json!((now + 3_600).to_string())),
        ("exp", json!(-1)),
        ("exp", Value::Null),
        ("nbf", json!(now + 3_600)),
        ("nbf", json!("soon")),
        ("iss", json!("https://login.evil")),
        ("iss", json!(["https://login.example"])),
        (
            "iss",
            json!(["https://login.example", "https://login.evil"]),
        ),
        ("iss", Value::Null),
        ("aud", json!("another")),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("sub", json!("two words")),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", Value::Null),
        ("entente_role", json!("root")),
        ("entente_role", json!(["admin"])),
        ("entente_role", Value::Null),
    ] {
        let why = format!("{claim}: {value}");
        login.refuses(&key.sign(&with(claim, value)), &why).await;
    }
    let expired = login.ask(&key.sign(&with("exp", json!(now - 61)))).await;
    assert!(expired.unwrap_err().message().contains("expired"));
}

#[tokio::test]
async fn a_claim_that_is_there_twice_says_nothing() {
    let key = Key::ed25519("ed", 1);
    let login = Login::start(&[key.public()]);
    let whole = claims().to_string();
    assert!(login.ask(&key.sign_text(&whole)).await.is_ok());
    for claim in [
        r#""entente_role":"admin""#,
        r#""entente_role":"reader""#,
        r#""iss":"https://login.example""#,
        r#""sub":"desk-7""#,
        r#""note":1,"note":2"#,
    ] {
        let twice = format!("{{{claim},{}", &whole[1..]);
        login.refuses(&key.sign_text(&twice), claim).await;
    }
}

#[tokio::test]
async fn a_token_that_nobody_signed_is_refused() {
    let key = Key::ed25519("ed", 1);
    let login = Login::start(&[key.public()]);
    let token = key.sign(&claims());
    for alg in ["none", "None", "NONE", ""] {
        let header = part(&json!({"alg": alg, "kid": "ed", "typ": "JWT"}));
        login
            .refuses(&format!("{header}.{}.", part(&claims())), alg)
            .await;
    }
    let (head, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = head.split_once('.').unwrap();
    let admin = part(&with("entente_role", json!("admin")));
    login
        .refuses(&format!("{header}.{admin}.{signature}"), "other claims")
        .await;
    login.refuses(&format!("{head}."), "no signature").await;
    login.refuses(head, "two parts").await;
    login
        .refuses(&token[..token.len() - 4], "half a signature")
        .await;
    login.refuses("..", "nothing").await;
    assert!(login.ask(&token).await.is_ok());
}

#[tokio::test]
async fn a_key_verifies_only_what_it_has_signed() {
    let key = Key::ed25519("ed", 1);
    let login = Login::start(&[key.public(), Key::p256("ec").public()]);
    let others = Key::ed25519("ed", 2).sign(&claims());
    login.refuses(&others, "another's key").await;
    let unknown = Key::ed25519("new", 1).sign(&claims());
    login.refuses(&unknown, "an id that is not there").await;
    let crossed = Key::ed25519("ec", 1).sign(&claims());
    login
        .refuses(&crossed, "the id of a key of another kind")
        .await;
    let nameless = key.sign_as(&Header::new(Algorithm::EdDSA), &claims());
    login.refuses(&nameless, "no id of a key").await;
}

/// The public key is known to all: whoever signs with its bytes as if they were a shared secret must not be believed.
#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let key = Key::rsa("rsa", Algorithm::RS256);
    let public = key.public();
    let login = Login::start(std::slice::from_ref(&public));
    let modulus = public["n"].as_str().unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(modulus).unwrap();
    let whole = public.to_string();
    let secrets = [
        RSA_PUBLIC.as_bytes(),
        RSA_PUBLIC.trim().as_bytes(),
        &bytes,
        modulus.as_bytes(),
        whole.as_bytes(),
    ];
    for secret in secrets {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let mut header = key.header();
            header.alg = algorithm;
            let token = encode(&header, &claims(), &EncodingKey::from_secret(secret)).unwrap();
            login.refuses(&token, "a public key as a secret").await;
        }
    }
    assert!(login.ask(&key.sign(&claims())).await.is_ok());
}

#[tokio::test]
async fn what_must_be_understood_and_is_not_is_refused() {
    let key = Key::ed25519("ed", 1);
    let login = Login::start(&[key.public()]);
    let mut header = key.header();
    header.crit = Some(vec!["b64".into()]);
    let token = key.sign_as(&header, &claims());
    login.refuses(&token, "crit").await;
}

#[tokio::test]
async fn a_key_that_is_withdrawn_ends_what_it_had_signed() {
    let (old, new) = (Key::ed25519("old", 1), Key::ed25519("new", 2));
    let login = Login::start(&[old.public()]);
    let token = old.sign(&claims());
    assert!(login.ask(&token).await.is_ok());
    let path = login.folder.path().join("keys.json");
    fs::write(path, json!({"keys": [new.public()]}).to_string()).unwrap();
    within(async { while login.ask(&token).await.is_ok() {} }).await;
    assert!(login.ask(&new.sign(&claims())).await.is_ok());
}
