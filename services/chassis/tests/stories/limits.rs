//! Everything that grows has a limit, and who meets it is told.

use std::time::Duration;

use chassis::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use crate::desk::{Running, get, reason, watch, within};

fn one_call() -> Config {
    Config {
        max_calls: 1,
        ..Config::default()
    }
}

#[tokio::test]
async fn the_call_above_the_limit_is_shed_and_told_when_to_come_back() {
    let process = Running::with(&one_call());
    let mut client = process.client().await;
    let mut other = client.clone();
    let running = tokio::spawn(async move { other.get_dataset(get("gate")).await });
    process.desk.begun().await;

    let shed = within(client.get_dataset(get("echo"))).await.unwrap_err();
    assert_eq!(shed.code(), Code::ResourceExhausted);
    assert_eq!(reason(&shed), "OVERLOADED");
    let details = shed.get_error_details();
    assert!(details.retry_info().unwrap().retry_delay.is_some());

    process.desk.open_gate();
    within(running).await.unwrap().unwrap();
    within(client.get_dataset(get("echo"))).await.unwrap();
}

#[tokio::test]
async fn a_stream_keeps_its_place_until_it_ends() {
    let process = Running::with(&one_call());
    let mut client = process.client().await;
    let answer = within(client.watch_changes(watch("silent"))).await.unwrap();
    let shed = within(client.get_dataset(get("echo"))).await.unwrap_err();
    assert_eq!(shed.code(), Code::ResourceExhausted);

    drop(answer);
    process.desk.left().await;
    within(async { while client.get_dataset(get("echo")).await.is_err() {} }).await;
}

#[tokio::test]
async fn a_process_under_load_is_not_unwell() {
    let process = Running::with(&one_call());
    let channel = process.channel().await;
    let mut client = process.client().await;
    let running = tokio::spawn(async move { client.get_dataset(get("gate")).await });
    process.desk.begun().await;

    let check = HealthCheckRequest::default();
    within(HealthClient::new(channel).check(check))
        .await
        .unwrap();
    process.desk.open_gate();
    within(running).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_above_the_limit_waits_for_a_place() {
    let process = Running::with(&Config {
        max_connections: 1,
        ..Config::default()
    });
    let mut first = process.client().await;
    within(first.get_dataset(get("echo"))).await.unwrap();
    let mut second = process.patient_client().await;
    let mut waiting = Box::pin(second.get_dataset(get("second")));
    for _ in 0..20 {
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("there was no place"),
            answer = within(first.get_dataset(get("first"))) => drop(answer.unwrap()),
        }
    }
    drop(first);
    let answer = within(waiting).await.unwrap();
    assert_eq!(answer.into_inner().name, "second");
}

#[tokio::test]
async fn metadata_above_the_limit_does_not_reach_the_handler() {
    let process = Running::start();
    let mut client = process.client().await;
    let with = |bytes: usize| {
        let mut request = get("echo");
        let value = "a".repeat(bytes).parse().unwrap();
        request.metadata_mut().insert("x-ballast", value);
        request
    };
    within(client.get_dataset(with(7 * 1024))).await.unwrap();
    within(client.get_dataset(with(9 * 1024)))
        .await
        .unwrap_err();
    within(client.get_dataset(get("echo"))).await.unwrap();
}

#[tokio::test]
async fn a_socket_that_does_not_greet_is_closed() {
    let process = Running::with(&Config {
        greeting_limit: Duration::from_millis(50),
        ..Config::default()
    });
    for greeting in ["", "PRI * HTTP"] {
        let mut socket = TcpStream::connect(process.address).await.unwrap();
        socket.write_all(greeting.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        // That it ends is the point; closed or reset depends on what was left unread.
        drop(within(socket.read_to_end(&mut received)).await);
    }
}

#[tokio::test]
async fn a_connection_that_greeted_may_be_idle() {
    let process = Running::with(&Config {
        greeting_limit: Duration::from_millis(50),
        ..Config::default()
    });
    let mut client = process.patient_client().await;
    within(client.get_dataset(get("echo"))).await.unwrap();
    let mut silent = TcpStream::connect(process.address).await.unwrap();
    drop(within(silent.read_u8()).await);
    within(client.get_dataset(get("echo"))).await.unwrap();
}
