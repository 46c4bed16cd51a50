//! A call has a name that both sides know, and the handler knows who calls.

use tonic::Response;
use tonic::metadata::MetadataValue;

use crate::desk::{Running, get, within};

fn request_id<T>(response: &Response<T>) -> String {
    let id = response.metadata().get("x-request-id").unwrap();
    id.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_callers_request_id_comes_back_and_the_handler_sees_it() {
    let process = Running::start();
    let mut client = process.client().await;
    let mut request = get("request id");
    let id = MetadataValue::from_static("desk-7:42");
    request.metadata_mut().insert("x-request-id", id);
    let response = within(client.get_dataset(request)).await.unwrap();
    assert_eq!(request_id(&response), "desk-7:42");
    assert_eq!(response.into_inner().name, "desk-7:42");
}

#[tokio::test]
async fn a_call_without_one_or_with_junk_is_given_a_uuid() {
    let process = Running::start();
    let mut client = process.client().await;
    for junk in [None, Some("two words"), Some("")] {
        let mut request = get("request id");
        if let Some(junk) = junk {
            let id = MetadataValue::from_static(junk);
            request.metadata_mut().insert("x-request-id", id);
        }
        let response = within(client.get_dataset(request)).await.unwrap();
        let id = request_id(&response);
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{id}");
        assert_eq!(response.into_inner().name, id);
    }
}

#[tokio::test]
async fn errors_carry_it_too() {
    let process = Running::start();
    let mut client = process.client().await;
    for failing in ["missing", "panic"] {
        let status = within(client.get_dataset(get(failing))).await.unwrap_err();
        assert!(status.metadata().contains_key("x-request-id"), "{failing}");
    }
}

#[tokio::test]
async fn the_handler_knows_the_callers_address() {
    let process = Running::start();
    let mut client = process.client().await;
    let response = within(client.get_dataset(get("peer"))).await.unwrap();
    assert!(response.into_inner().name.starts_with("127.0.0.1:"));
}
