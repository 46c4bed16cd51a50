//! Who is let in, as what, and for how long.

use std::fs;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use chassis::{Config, Rate, Rates, Role, TokenFile};
use proto::trade::v1::UpdateDatasetRequest;
use tempfile::TempDir;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::desk::{Running, get, reason, watch, within};

/// A desk behind a login.
pub(crate) struct Login {
    pub(crate) process: Running,
    folder: TempDir,
}

impl Login {
    pub(crate) fn start() -> Login {
        Login::with(Rates::default())
    }

    fn with(rates: Rates) -> Login {
        let folder = tempfile::tempdir().unwrap();
        let login = Login::file(&folder);
        fs::write(&login, r#"{"tokens":[]}"#).unwrap();
        let config = Config {
            login: Some(chassis::Login {
                tokens: Some(login),
                ..chassis::Login::default()
            }),
            rates,
            ..Config::default()
        };
        Login {
            process: Running::with(&config),
            folder,
        }
    }

    fn file(folder: &TempDir) -> PathBuf {
        folder.path().join("tokens.json")
    }

    fn tokens(&self) -> TokenFile {
        TokenFile::new(Login::file(&self.folder))
    }

    /// A new token; the process may not know it yet.
    pub(crate) fn token(&self, name: &str, role: Role) -> String {
        self.tokens()
            .create(name, role, None)
            .unwrap()
            .text()
            .to_owned()
    }

    /// A token that the process knows.
    async fn known(&self, name: &str, role: Role) -> String {
        let token = self.token(name, role);
        self.until(&token, "", true).await;
        token
    }

    /// Asks until a token is believed, or no longer is; the last refusal tells so.
    async fn until(&self, token: &str, told: &str, believed: bool) {
        within(async {
            loop {
                let asked = self.ask(token, "caller").await;
                let told = asked
                    .as_ref()
                    .err()
                    .is_none_or(|status| status.message().contains(told));
                if asked.is_ok() == believed && told {
                    return;
                }
            }
        })
        .await;
    }

    async fn ask(&self, token: &str, what: &str) -> Result<String, Status> {
        let request = with_token(get(what), token);
        let answer = self.process.client().await.get_dataset(request).await?;
        Ok(answer.into_inner().name)
    }

    /// Changes the file as somebody with an editor would.
    fn edit(&self, from: &str, to: &str) {
        let file = Login::file(&self.folder);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(file, text.replace(from, to)).unwrap();
    }
}

pub(crate) fn with_token<T>(mut request: Request<T>, token: &str) -> Request<T> {
    let bearer: MetadataValue<Ascii> = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

/// A request with the identity that a gateway would pass on.
fn forged(what: &str) -> Request<proto::trade::v1::GetDatasetRequest> {
    let mut request = get(what);
    let metadata = request.metadata_mut();
    metadata.insert("x-entente-caller", MetadataValue::from_static("root"));
    metadata.insert("x-entente-role", MetadataValue::from_static("admin"));
    request
}

#[tokio::test]
async fn who_is_known_is_let_in_by_name_and_role() {
    let login = Login::start();
    let token = login.known("desk-7", Role::Editor).await;
    assert_eq!(
        login.ask(&token, "caller").await.unwrap(),
        "desk-7 (editor)"
    );
    assert_eq!(login.ask(&token, "shown").await.unwrap(), "");
}

#[tokio::test]
async fn who_is_not_known_is_turned_away() {
    let login = Login::start();
    let token = login.known("desk", Role::Reader).await;
    let mut client = login.process.client().await;
    let nobody = client.get_dataset(get("caller")).await.unwrap_err();
    assert_eq!(
        (nobody.code(), &*reason(&nobody)),
        (Code::Unauthenticated, "NOT_LOGGED_IN")
    );
    let elsewhere = tempfile::tempdir().unwrap();
    let other = TokenFile::new(elsewhere.path().join("tokens.json"));
    let other = other.create("desk", Role::Admin, None).unwrap();
    let (half, longer) = (&token[..30], format!("{token}x"));
    let swapped = format!("{}{}", &token[..13], &other.text()[13..]);
    for made_up in [half, &longer, &swapped, other.text(), "ent_", "x", "a.b.c"] {
        let refused = login.ask(made_up, "caller").await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{made_up}");
        assert!(!refused.message().contains(made_up), "{refused}");
    }
    let large = "x".repeat(9 << 10);
    assert!(login.ask(&large, "caller").await.is_err());
    assert!(login.ask(&token, "caller").await.is_ok());
}

#[tokio::test]
async fn of_two_logins_neither_is_believed() {
    let login = Login::start();
    let token = login.known("desk", Role::Reader).await;
    let mut client = login.process.client().await;
    for other in ["Bearer x".to_owned(), format!("Bearer {token}")] {
        let mut request = with_token(get("caller"), &token);
        let other: MetadataValue<Ascii> = other.parse().unwrap();
        request.metadata_mut().append("authorization", other);
        let refused = client.get_dataset(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated);
        assert_eq!(reason(&refused), "NOT_LOGGED_IN");
    }
}

#[tokio::test]
async fn a_role_that_is_too_small_is_told_what_it_would_need() {
    let login = Login::start();
    let token = login.known("desk", Role::Reader).await;
    let mut client = login.process.client().await;
    let update = with_token(Request::new(UpdateDatasetRequest::default()), &token);
    let refused = client.update_dataset(update).await.unwrap_err();
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::PermissionDenied, "NOT_ALLOWED")
    );
    assert!(refused.message().contains("editor") && refused.message().contains("desk"));
}

#[tokio::test]
async fn a_revoked_token_ends_its_streams_too() {
    let login = Login::start();
    let (one, other) = (
        login.known("desk", Role::Reader).await,
        login.known("other", Role::Reader).await,
    );
    let mut client = login.process.client().await;
    let mut stream = async |token: &str, kind| {
        let changes = client.watch_changes(with_token(watch(kind), token)).await;
        changes.unwrap().into_inner()
    };
    let (mut silent, mut busy) = (stream(&one, "silent").await, stream(&one, "busy").await);
    let mut kept = stream(&other, "silent").await;
    silent.message().await.unwrap();
    kept.message().await.unwrap();
    login.tokens().revoke("desk").unwrap();
    let cut = within(silent.message()).await.unwrap_err();
    assert_eq!(
        (cut.code(), &*reason(&cut)),
        (Code::Unauthenticated, "NOT_LOGGED_IN")
    );
    let cut = within(async {
        loop {
            if let Err(cut) = busy.message().await {
                return cut;
            }
        }
    });
    assert_eq!(cut.await.code(), Code::Unauthenticated);
    login.until(&one, "not known", false).await;
    // The other's stream would have ended by now, and its head is there all the same.
    let ended = tokio::time::timeout(Duration::ZERO, kept.message()).await;
    assert!(ended.is_err());
}

#[tokio::test]
async fn an_expired_token_is_told_to_be_and_ends_its_streams() {
    let login = Login::start();
    let token = login.known("desk", Role::Reader).await;
    let mut client = login.process.client().await;
    let changes = client
        .watch_changes(with_token(watch("silent"), &token))
        .await;
    let mut changes = changes.unwrap().into_inner();
    changes.message().await.unwrap();
    login.edit(r#""expires": null"#, r#""expires": "2024-07-01T00:00:00Z""#);
    let cut = within(changes.message()).await.unwrap_err();
    assert!(cut.message().contains("expired"), "{cut}");
    login.until(&token, "expired", false).await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_takes_nothing_back() {
    let login = Login::start();
    let first = login.known("desk", Role::Reader).await;
    let whole = fs::read_to_string(Login::file(&login.folder)).unwrap();
    fs::write(Login::file(&login.folder), &whole[..whole.len() / 2]).unwrap();
    assert!(login.ask(&first, "caller").await.is_ok());
    fs::write(Login::file(&login.folder), whole).unwrap();
    login.known("other", Role::Reader).await;
    assert!(login.ask(&first, "caller").await.is_ok());
}

#[tokio::test]
async fn a_forged_identity_is_worth_nothing() {
    let login = Login::start();
    let token = login.known("desk", Role::Reader).await;
    let mut client = login.process.client().await;
    let refused = client.get_dataset(forged("caller")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    for (what, seen) in [("caller", "desk (reader)"), ("shown", "")] {
        let request = with_token(forged(what), &token);
        let answer = client.get_dataset(request).await.unwrap().into_inner();
        assert_eq!(answer.name, seen);
    }
    let open = Running::start();
    let mut client = open.client().await;
    for what in ["caller", "shown"] {
        let answer = client.get_dataset(forged(what)).await.unwrap().into_inner();
        assert_eq!(answer.name, "");
    }
}

#[tokio::test]
async fn who_calls_too_often_is_told_when_to_come_back() {
    let hour = Duration::from_secs(3_600);
    let login = Login::with(Rates {
        editor: Some(Rate::of(NonZeroU32::new(2).unwrap(), hour)),
        ..Rates::default()
    });
    let (one, other) = (
        login.token("desk", Role::Editor),
        login.token("other", Role::Editor),
    );
    login
        .until(&login.token("reader", Role::Reader), "", true)
        .await;
    assert!(login.ask(&one, "caller").await.is_ok() && login.ask(&one, "caller").await.is_ok());
    let refused = login.ask(&one, "caller").await.unwrap_err();
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::ResourceExhausted, "RATE_LIMITED")
    );
    let details = refused.get_error_details();
    let wait = details.retry_info().unwrap().retry_delay.unwrap();
    assert!(
        wait > hour / 4 && wait <= hour / 2 + Duration::from_millis(1),
        "{wait:?}"
    );
    assert!(login.ask(&other, "caller").await.is_ok());
}

#[tokio::test]
async fn without_its_files_a_process_does_not_start() {
    let config = Config {
        login: Some(chassis::Login {
            tokens: Some("nowhere/tokens.json".into()),
            ..chassis::Login::default()
        }),
        ..Config::default()
    };
    let failed = Running::with(&config).failed().await;
    assert!(
        failed.to_string().contains("nowhere/tokens.json"),
        "{failed}"
    );
}
