//! A panic ends its call and nothing else.

use tonic::Code;

use crate::desk::{Running, get, reason, watch, within};

#[tokio::test]
async fn a_panic_is_answered_internal_and_the_next_call_is_served() {
    let process = Running::start();
    let mut client = process.client().await;
    let status = within(client.get_dataset(get("panic"))).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(reason(&status), "INTERNAL");
    assert!(!status.message().contains("fell over"));

    let answer = within(client.get_dataset(get("echo"))).await.unwrap();
    assert_eq!(answer.into_inner().name, "echo");
}

#[tokio::test]
async fn a_panic_in_a_stream_ends_it_with_internal() {
    let process = Running::start();
    let mut client = process.client().await;
    let answer = within(client.watch_changes(watch("panic"))).await.unwrap();
    let mut changes = answer.into_inner();
    within(changes.message()).await.unwrap().unwrap();
    let status = within(changes.message()).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(reason(&status), "INTERNAL");

    within(client.get_dataset(get("echo"))).await.unwrap();
}
