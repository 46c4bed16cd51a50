//! What arrives one day: bytes that are no message, numbers that are no enum, calls that do not exist.
//! Each is answered with an error, and the next call works.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use prost::Message;
use tests::wire::{
    CreateDatasetRequest, Dataset, GetDatasetRequest, GetSeriesRequest, IngestObservationsRequest,
};
use tests::{Server, both_ways, dataset, fields, reason, record};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::ServiceExt;

both_ways!(
    fields_that_are_unknown_change_nothing,
    numbers_that_are_no_enum_are_named_by_their_field,
    bytes_that_are_no_message_are_refused,
    a_length_that_lies_is_refused,
    an_ingest_of_noise_is_refused,
    a_call_that_does_not_exist_is_unimplemented,
    every_error_carries_its_reason,
);

const SERVICE: &str = "/entente.trade.v1.TradeService";

/// One message of the stream: no compression, its length, its bytes.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    with_length(length, message)
}

fn with_length(length: u32, message: &[u8]) -> Vec<u8> {
    [&[0][..], &length.to_be_bytes(), message].concat()
}

/// Sends bytes as the body of a call, over a connection of their own; how the call ends.
async fn send(server: &Server, method: &str, body: Vec<u8>) -> Status {
    let channel = server.channel().await;
    let request = Request::post(format!("{SERVICE}/{method}"))
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers")
        .body(Body::new(Full::new(Bytes::from(body))))
        .unwrap();
    let answer = match channel.oneshot(request).await {
        Ok(answer) => answer,
        Err(error) => return Status::from_error(error.into()),
    };
    let (head, body) = answer.into_parts();
    if let Some(status) = Status::from_header_map(&head.headers) {
        return status;
    }
    let trailers = match body.collect().await {
        Ok(collected) => collected.trailers().cloned().unwrap_or_default(),
        Err(status) => return status,
    };
    Status::from_header_map(&trailers).expect("a status in the trailers")
}

/// The service is there and answers.
async fn assert_well(server: &Server) {
    let request = GetDatasetRequest {
        name: "datasets/comtrade".into(),
        as_of: None,
    };
    let found = server
        .client()
        .get_dataset(request)
        .await
        .expect("it answers");
    assert_eq!(found.into_inner().name, "datasets/comtrade");
}

async fn with_dataset(server: &Server) {
    let created = server.client().create_dataset(dataset("comtrade")).await;
    created.expect("created");
}

fn get_comtrade() -> Vec<u8> {
    let request = GetDatasetRequest {
        name: "datasets/comtrade".into(),
        as_of: None,
    };
    request.encode_to_vec()
}

async fn fields_that_are_unknown_change_nothing(server: &mut Server) {
    with_dataset(server).await;
    // Field 1000 as a number, field 1001 as bytes, a hundred thousand times.
    let unknown = [&[0xc0, 0x3e, 0x2a][..], &[0xca, 0x3e, 0x01, 0xff]].concat();
    let request = [get_comtrade(), unknown.repeat(100_000)].concat();
    let answer = send(server, "GetDataset", framed(&request)).await;
    assert_eq!(answer.code(), Code::Ok, "{answer:?}");
    assert_well(server).await;
}

async fn numbers_that_are_no_enum_are_named_by_their_field(server: &mut Server) {
    with_dataset(server).await;
    for number in [-1, 12, i32::MAX, i32::MIN] {
        let request = GetSeriesRequest {
            parent: "datasets/comtrade".into(),
            reporter: "CHN".into(),
            partner: "KAZ".into(),
            flow: number,
            code: "TOTAL".into(),
            frequency: number,
            ..GetSeriesRequest::default()
        };
        let refused = server.client().get_series(request).await.unwrap_err();
        assert_eq!(fields(&refused), ["flow", "frequency"], "{number}");

        let mut request = dataset("customs");
        let asked = request.dataset.get_or_insert_default();
        (asked.import_valuation, asked.export_valuation) = (number, number);
        let refused = server.client().create_dataset(request).await.unwrap_err();
        let expected = ["dataset.import_valuation", "dataset.export_valuation"];
        assert_eq!(fields(&refused), expected, "{number}");

        let mut batch = tests::batch(1, "CHN KAZ X H6 TOTAL 2023 1\nCHN KAZ X H6 87 2022 1");
        batch.groups[0].flow = number;
        batch.groups[1].rows[0].flags = vec![number];
        let header = tests::header("comtrade", &format!("n{}", number.unsigned_abs()));
        let answer = tests::ingest(&server.client(), header, vec![batch])
            .await
            .unwrap();
        let told: Vec<_> = answer
            .rejections
            .iter()
            .map(|r| (r.row, &r.field[..]))
            .collect();
        assert_eq!(told, [(1, "flow"), (2, "flags")], "{number}");
    }
    assert_well(server).await;
}

/// Bytes that no message of ours is.
fn noise() -> Vec<(&'static str, Vec<u8>)> {
    // A string of field 1 that is longer than what follows it.
    let truncated = vec![0x0a, 0x7f, b'd', b'a'];
    let wire_type = vec![0x0f, 0x01];
    let endless_varint = vec![0x08; 1].into_iter().chain(vec![0xff; 20]).collect();
    let no_utf8 = vec![0x0a, 0x02, 0xff, 0xfe];
    // A dataset (2) with a source (4) ... nested deeper than any parser goes, as groups (type 3).
    let nested = vec![0x13; 10_000];
    vec![
        ("truncated", truncated),
        ("wire type 7", wire_type),
        ("endless varint", endless_varint),
        ("no UTF-8", no_utf8),
        ("nested 10,000 deep", nested),
    ]
}

async fn bytes_that_are_no_message_are_refused(server: &mut Server) {
    with_dataset(server).await;
    for (what, bytes) in noise() {
        for method in [
            "GetDataset",
            "ListObservations",
            "GetSeries",
            "WatchChanges",
        ] {
            let answer = send(server, method, framed(&bytes)).await;
            assert_ne!(answer.code(), Code::Ok, "{what} to {method}");
            assert_well(server).await;
        }
    }
}

async fn a_length_that_lies_is_refused(server: &mut Server) {
    with_dataset(server).await;
    let message = get_comtrade();
    let lies = [
        ("4 GiB", with_length(u32::MAX, &message)),
        ("2 GiB", with_length(1 << 31, &message)),
        (
            "a byte too many",
            with_length(1 + u32::try_from(message.len()).unwrap(), &message),
        ),
        ("a head cut in half", vec![0, 0, 0]),
        ("no message", vec![]),
        (
            "a compression that is none",
            [&[7][..], &framed(&message)[1..]].concat(),
        ),
    ];
    for (what, body) in lies {
        for method in ["GetDataset", "IngestObservations"] {
            let answer = send(server, method, body.clone()).await;
            assert_ne!(answer.code(), Code::Ok, "{what} to {method}");
            assert_well(server).await;
        }
    }
}

async fn an_ingest_of_noise_is_refused(server: &mut Server) {
    with_dataset(server).await;
    record(
        &server.client(),
        "comtrade",
        "good",
        "CHN KAZ X H6 TOTAL 2023 1",
    )
    .await;
    let header = IngestObservationsRequest {
        part: Some(tests::wire::ingest_observations_request::Part::Header(
            tests::header("comtrade", "noise"),
        )),
    };
    let header = framed(&header.encode_to_vec());
    for (what, bytes) in noise() {
        let body = [&header[..], &framed(&bytes)].concat();
        let answer = send(server, "IngestObservations", body).await;
        assert_ne!(answer.code(), Code::Ok, "{what}");
    }
    // A part that this version does not know is no part.
    let later = [&header[..], &framed(&[0xfa, 0x01, 0x00])].concat();
    let answer = send(server, "IngestObservations", later).await;
    assert_eq!(fields(&answer), ["part"]);
    assert_well(server).await;
}

async fn a_call_that_does_not_exist_is_unimplemented(server: &mut Server) {
    with_dataset(server).await;
    for method in ["DropDataset", "", "GetDataset/x", "%00"] {
        let answer = send(server, method, framed(&[])).await;
        assert_eq!(answer.code(), Code::Unimplemented, "{method}");
    }
    assert_well(server).await;
}

async fn every_error_carries_its_reason(server: &mut Server) {
    with_dataset(server).await;
    // A client's mistake is the client's: no INTERNAL, which stands for a defect of the service.
    let unreadable = send(server, "GetDataset", framed(&[0x0a, 0x7f])).await;
    let too_large = CreateDatasetRequest {
        dataset: Some(Dataset {
            etag: "x".repeat(3 << 20),
            ..Dataset::default()
        }),
        ..dataset("customs")
    };
    let too_large = server.client().create_dataset(too_large).await.unwrap_err();
    let told = [reason(&unreadable), reason(&too_large)];
    assert_eq!(
        told,
        [
            "InvalidArgument INVALID_FIELD",
            "ResourceExhausted TOO_LARGE"
        ]
    );
}
