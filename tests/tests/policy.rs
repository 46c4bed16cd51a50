//! The table of rights against the schema, and each call by each role against a server.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::collections::BTreeSet;

use chassis::policy::{self, Needs};
use chassis::{Login, TokenFile};
use prost_reflect::DescriptorPool;
use tests::{Role, Server, reason, within_limit};
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower::{Service, ServiceExt};

/// What every process serves beside its own services.
const AROUND: [(&str, &str); 4] = [
    ("grpc.health.v1.Health", "Check"),
    ("grpc.health.v1.Health", "Watch"),
    (
        "grpc.reflection.v1.ServerReflection",
        "ServerReflectionInfo",
    ),
    (
        "grpc.reflection.v1alpha.ServerReflection",
        "ServerReflectionInfo",
    ),
];

/// Who calls: nobody, or somebody of a role.
const ROLES: [Option<chassis::Role>; 4] = [
    None,
    Some(chassis::Role::Reader),
    Some(chassis::Role::Editor),
    Some(chassis::Role::Admin),
];

fn methods() -> BTreeSet<(String, String)> {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    let mut methods =
        BTreeSet::from(AROUND.map(|(service, method)| (service.into(), method.into())));
    for service in pool.services() {
        let of = service.methods();
        methods.extend(of.map(|method| (service.full_name().into(), method.name().into())));
    }
    methods
}

#[test]
fn every_method_has_a_rule_and_every_rule_a_method() {
    let rules = policy::table().map(|(service, method, _)| (service.into(), method.into()));
    let rules: BTreeSet<(String, String)> = rules.collect();
    let methods = methods();
    let lawless: Vec<_> = methods.difference(&rules).collect();
    assert!(
        lawless.is_empty(),
        "say in policy.rs who may call {lawless:?}"
    );
    let idle: Vec<_> = rules.difference(&methods).collect();
    assert!(idle.is_empty(), "there is no {idle:?}");
}

#[test]
fn only_an_editor_may_change_what_others_read() {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    for (service, method, needs) in policy::table() {
        let Some(service) = pool.get_service_by_name(service) else {
            continue;
        };
        let method = service.methods().find(|one| one.name() == method).unwrap();
        let options = method
            .method_descriptor_proto()
            .options
            .clone()
            .unwrap_or_default();
        // google.protobuf.MethodOptions.IdempotencyLevel.NO_SIDE_EFFECTS
        let reads = options.idempotency_level == Some(1);
        let is_editors = needs == Needs::Role(chassis::Role::Editor);
        assert_eq!(reads, !is_editors, "{}", method.full_name());
    }
}

/// A server, and a token of each role.
struct Guarded {
    server: Server,
    tokens: [Option<String>; 4],
    _folder: tempfile::TempDir,
}

impl Guarded {
    async fn start(role: Role) -> Guarded {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let file = TokenFile::new(&path);
        let create = |role: chassis::Role| {
            let made = file.create(role.name(), role, None).unwrap();
            made.text().to_owned()
        };
        let tokens = ROLES.map(|role| role.map(create));
        let login = Login {
            tokens: Some(path),
            ..Login::default()
        };
        Guarded {
            server: Server::start_with_login(role, login).await,
            tokens,
            _folder: folder,
        }
    }
}

/// Calls a method with an empty message; what the head of the answer says. A refusal is never later than that.
async fn call(channel: &Channel, path: &str, token: Option<&String>) -> Status {
    let message = http_body_util::Full::new(bytes::Bytes::from_static(&[0; 5]));
    let mut request = http::Request::post(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::new(message)).unwrap();
    let mut channel = channel.clone();
    let answer = channel.ready().await.unwrap().call(request).await.unwrap();
    Status::from_header_map(answer.headers()).unwrap_or_else(|| Status::new(Code::Ok, "it begins"))
}

async fn every_call_by_every_role(role: Role) {
    let Guarded {
        mut server,
        tokens,
        _folder,
    } = Guarded::start(role).await;
    let channel = server.channel().await;
    for (service, method, needs) in policy::table() {
        for (role, token) in ROLES.iter().zip(&tokens) {
            let path = format!("/{service}/{method}");
            let answer = call(&channel, &path, token.as_ref()).await;
            let what = format!("{path} by {role:?}: {answer:?}");
            match (needs, role) {
                (Needs::Role(_), None) => {
                    assert_eq!(reason(&answer), "Unauthenticated NOT_LOGGED_IN", "{what}");
                }
                (Needs::Role(needed), Some(role)) if *role < needed => {
                    assert_eq!(reason(&answer), "PermissionDenied NOT_ALLOWED", "{what}");
                }
                (Needs::Nothing | Needs::Role(_), _) => {
                    let refusals = [Code::Unauthenticated, Code::PermissionDenied];
                    assert!(!refusals.contains(&answer.code()), "{what}");
                }
            }
        }
    }
    for token in &tokens {
        let answer = call(
            &channel,
            "/entente.trade.v1.TradeService/Drop",
            token.as_ref(),
        )
        .await;
        assert_eq!(reason(&answer), "PermissionDenied NOT_ALLOWED");
    }
    drop(channel);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trade_service_lets_in_whom_the_table_lets_in() {
    within_limit(every_call_by_every_role(Role::Trade)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_events_service_does_too() {
    within_limit(every_call_by_every_role(Role::Events)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_culture_service_does_too() {
    within_limit(every_call_by_every_role(Role::Culture)).await;
}
