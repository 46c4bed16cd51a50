//! Deadlines are the caller's, and are told apart from a cancellation.

use std::time::Duration;

use chassis::Config;
use tonic::{Code, Request};
use tonic_types::StatusExt;

use crate::desk::{Running, get, reason, watch, within};

#[tokio::test]
async fn a_handler_that_outlasts_the_deadline_is_dropped_and_answered_deadline_exceeded() {
    let process = Running::start();
    let mut client = process.patient_client().await;
    let mut request = get("gate");
    request.set_timeout(Duration::from_millis(50));
    let status = within(client.get_dataset(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(reason(&status), "DEADLINE_EXCEEDED");
    process.desk.begun().await;
    process.desk.left().await;
}

#[tokio::test]
async fn a_unary_call_without_a_deadline_is_given_one() {
    let process = Running::with(&Config {
        default_deadline: Duration::from_millis(50),
        ..Config::default()
    });
    let mut client = process.client().await;
    let status = within(client.get_dataset(get("gate"))).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(reason(&status), "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn an_upload_without_a_deadline_has_none() {
    let process = Running::with(&Config {
        default_deadline: Duration::from_millis(50),
        ..Config::default()
    });
    let (desk, mut client) = (process.desk.clone(), process.client().await);
    let upload = tokio::spawn(async move {
        let rows = futures_util::stream::pending();
        client.ingest_observations(rows).await
    });
    desk.begun().await;
    desk.open_gate();
    let response = within(upload).await.unwrap().unwrap().into_inner();
    assert_eq!(response.skipped_batches, 0, "the desk saw a deadline");
}

#[tokio::test]
async fn a_deadline_above_the_maximum_is_shortened_and_the_handler_sees_what_is_left() {
    let process = Running::start();
    let mut client = process.client().await;
    let mut request = get("time left");
    request.set_timeout(Duration::from_secs(86_400));
    let answer = within(client.get_dataset(request)).await.unwrap();
    let left: u64 = answer.into_inner().name.parse().unwrap();
    assert!((580_000..=600_000).contains(&left), "{left} ms");
}

#[tokio::test]
async fn the_header_is_taken_out_so_that_nobody_counts_it_again() {
    let process = Running::start();
    let mut client = process.client().await;
    let mut request = get("timeout");
    request.set_timeout(Duration::from_secs(30));
    let answer = within(client.get_dataset(request)).await.unwrap();
    assert_eq!(answer.into_inner().name, "");
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline_though_it_began_in_time() {
    for dataset in ["silent", "busy"] {
        let process = Running::start();
        let mut client = process.patient_client().await;
        let mut request = watch(dataset);
        request.set_timeout(Duration::from_secs(1));
        let answer = within(client.watch_changes(request)).await.unwrap();
        let mut changes = answer.into_inner();
        within(changes.message()).await.unwrap().unwrap();
        let status = within(async {
            loop {
                if let Err(status) = changes.message().await {
                    return status;
                }
            }
        })
        .await;
        assert_eq!(status.code(), Code::DeadlineExceeded, "{dataset}");
        assert_eq!(reason(&status), "DEADLINE_EXCEEDED");
        process.desk.left().await;
    }
}

#[tokio::test]
async fn a_timeout_that_is_none_is_named() {
    let process = Running::start();
    let mut client = process.patient_client().await;
    let mut request: Request<_> = get("echo");
    let metadata = request.metadata_mut();
    metadata.insert("grpc-timeout", "soon".parse().unwrap());
    let status = within(client.get_dataset(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_error_details();
    let violations = &details.bad_request().unwrap().field_violations;
    assert_eq!(violations[0].field, "grpc-timeout");
}
