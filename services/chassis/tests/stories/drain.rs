//! Shutdown: not ready, drain under a limit, leave.

use std::time::Duration;

use chassis::{Config, Drained};
use proto::trade::v1::trade_service_server;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::desk::{Running, get, watch, within};

fn short_drain() -> Config {
    Config {
        drain_limit: Duration::from_millis(200),
        ..Config::default()
    }
}

fn of(service: &str) -> HealthCheckRequest {
    let service = service.to_owned();
    HealthCheckRequest { service }
}

async fn refused(process: &Running) {
    within(async { while TcpStream::connect(process.address).await.is_ok() {} }).await;
}

#[tokio::test]
async fn a_call_in_flight_finishes_and_nothing_new_is_accepted() {
    let process = Running::start();
    let mut client = process.client().await;
    let running = tokio::spawn(async move { client.get_dataset(get("gate")).await });
    process.desk.begun().await;
    process.shutdown.trigger();
    refused(&process).await;

    process.desk.open_gate();
    let answer = within(running).await.unwrap().unwrap();
    assert_eq!(answer.into_inner().name, "through");
    assert_eq!(process.drained().await, Drained::Clean);
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cut_at_the_limit() {
    let process = Running::with(&short_drain());
    let (desk, mut client) = (process.desk.clone(), process.client().await);
    let running = tokio::spawn(async move { client.get_dataset(get("gate")).await });
    desk.begun().await;
    process.shutdown.trigger();
    assert_eq!(process.drained().await, Drained::LimitReached { calls: 1 });
    within(running).await.unwrap().unwrap_err();
    desk.left().await;
}

#[tokio::test]
async fn a_silent_socket_does_not_hold_the_process_beyond_the_limit() {
    let process = Running::with(&short_drain());
    let silent = TcpStream::connect(process.address).await.unwrap();
    // Connections are accepted in order: once this one is served, the silent one is open.
    let mut client = process.client().await;
    within(client.get_dataset(get("echo"))).await.unwrap();
    drop(client);
    let triggered = Instant::now();
    process.shutdown.trigger();
    assert_eq!(process.drained().await, Drained::LimitReached { calls: 0 });
    assert!(triggered.elapsed() >= short_drain().drain_limit);
    drop(silent);
}

#[tokio::test]
async fn an_idle_client_does_not_hold_the_process() {
    let process = Running::start();
    let mut client = process.client().await;
    within(client.get_dataset(get("echo"))).await.unwrap();
    process.shutdown.trigger();
    assert_eq!(process.drained().await, Drained::Clean);
}

#[tokio::test]
async fn a_stream_that_watches_the_shutdown_ends_with_it() {
    let process = Running::start();
    let mut client = process.client().await;
    let request = watch("until shutdown");
    let mut changes = within(client.watch_changes(request))
        .await
        .unwrap()
        .into_inner();
    within(changes.message()).await.unwrap().unwrap();
    process.shutdown.trigger();
    assert_eq!(within(changes.message()).await.unwrap(), None);
    assert_eq!(process.drained().await, Drained::Clean);
}

#[tokio::test]
async fn each_service_is_healthy_until_the_shutdown_and_unknown_ones_never_are() {
    let process = Running::start();
    let mut health = HealthClient::new(process.channel().await);
    for service in ["", trade_service_server::SERVICE_NAME] {
        let checked = within(health.check(of(service))).await.unwrap();
        assert_eq!(checked.into_inner().status(), ServingStatus::Serving);
    }
    let unknown = within(health.check(of("entente.war.v1.WarService"))).await;
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn watchers_learn_that_the_process_drains_while_a_call_still_runs() {
    let process = Running::start();
    let mut client = process.client().await;
    let running = tokio::spawn(async move { client.get_dataset(get("gate")).await });
    process.desk.begun().await;
    let mut health = HealthClient::new(process.channel().await);
    let mut statuses = Vec::new();
    for service in ["", trade_service_server::SERVICE_NAME] {
        let mut watch = within(health.watch(of(service)))
            .await
            .unwrap()
            .into_inner();
        let first = within(watch.message()).await.unwrap().unwrap();
        assert_eq!(first.status(), ServingStatus::Serving);
        statuses.push(watch);
    }
    process.shutdown.trigger();
    for mut watch in statuses {
        let last = within(watch.message()).await.unwrap().unwrap();
        assert_eq!(last.status(), ServingStatus::NotServing);
        assert_eq!(within(watch.message()).await.unwrap(), None);
    }
    assert!(!running.is_finished());
    process.desk.open_gate();
    within(running).await.unwrap().unwrap();
    assert_eq!(process.drained().await, Drained::Clean);
}

#[tokio::test]
async fn whoever_watches_an_unknown_service_is_told_so_until_the_shutdown() {
    let process = Running::start();
    let mut health = HealthClient::new(process.channel().await);
    let unknown = of("entente.war.v1.WarService");
    let mut watch = within(health.watch(unknown)).await.unwrap().into_inner();
    let first = within(watch.message()).await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::ServiceUnknown);
    process.shutdown.trigger();
    assert_eq!(process.drained().await, Drained::Clean);
}
