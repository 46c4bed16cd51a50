//! What those have who have no gRPC: JSON over HTTP/1.1, feeds, and the calls of browsers.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode};
use prost::Message;
use proto::gateway::v1::GetBriefingRequest;
use proto::trade::v1::{
    Dataset, Flow, Frequency, GetDatasetRequest, GetSectorRequest, GetSeriesRequest, Sector, Series,
};
use serde_json::{Value, json};
use tests::http::{ask, follow, get, send_json};
use tests::{Setting, World, build_binary, dataset, record, sector, within_limit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

tests::both_settings!(
    an_answer_is_what_the_call_would_have_answered,
    a_record_lives_over_http,
    figures_come_in_line_by_line_or_not_at_all,
    what_is_wrong_is_told_in_the_words_of_http,
    a_feed_goes_on_after_its_last_event_and_ends_with_the_process,
    a_watch_of_a_pair_that_began_at_the_beginning_goes_on_after_its_last_event,
    chunks_without_a_length_are_refused,
    whoever_leaves_a_feed_leaves_its_place,
    a_call_of_a_browser_has_its_trailers_in_its_body,
    no_bytes_are_more_than_an_error,
);

async fn tell(setting: Setting, story: impl AsyncFnOnce(&World)) {
    build_binary().await;
    within_limit(async {
        let world = World::start(setting).await;
        story(&world).await;
        world.stop().await;
    })
    .await;
}

const FIGURES: &str = "
    CHN KAZ X H6 TOTAL 2022 14000000000
    CHN KAZ X H6 TOTAL 2023 16000000000
";

async fn with_figures(world: &World) -> SocketAddr {
    let mut trade = world.trade_client();
    trade.create_dataset(dataset("comtrade")).await.unwrap();
    record(&trade, "comtrade", "first", FIGURES).await;
    world.door.address()
}

async fn an_answer_is_what_the_call_would_have_answered(world: &World) {
    let door = with_figures(world).await;
    let mut trade = world.trade_client();
    let asked = GetDatasetRequest {
        name: "datasets/comtrade".into(),
        ..GetDatasetRequest::default()
    };
    let told = trade.get_dataset(asked).await.unwrap().into_inner();
    let page = get(door, "/v1/datasets/comtrade").await;
    assert_eq!(page.message::<Dataset>("entente.trade.v1.Dataset"), told);

    let asked = GetSeriesRequest {
        parent: "datasets/comtrade".into(),
        reporter: "CHN".into(),
        partner: "KAZ".into(),
        flow: Flow::Export.into(),
        code: "TOTAL".into(),
        frequency: Frequency::Year.into(),
        ..GetSeriesRequest::default()
    };
    let path = format!(
        "/v1/datasets/comtrade/series?reporter=CHN&partner=KAZ&flow={}&code=TOTAL&frequency={}",
        asked.flow, asked.frequency
    );
    let told = trade.get_series(asked).await.unwrap().into_inner();
    let page = get(door, &path).await;
    assert_eq!(page.message::<Series>("entente.trade.v1.Series"), told);
    assert_ne!(told.points.len() + told.sources.len(), 0, "{told:?}");

    let etag = page.headers["etag"].clone();
    let again = Request::get(&path).header("if-none-match", etag.clone());
    let again = ask(door, again.body(Bytes::new()).unwrap()).await;
    assert_eq!(
        (again.code, again.body.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );
    record(
        &trade,
        "comtrade",
        "later",
        "CHN KAZ X H6 TOTAL 2023 17000000000",
    )
    .await;
    let changed = Request::get(&path).header("if-none-match", etag);
    let changed = ask(door, changed.body(Bytes::new()).unwrap()).await;
    assert_eq!(changed.code, StatusCode::OK);

    let page = get(door, "/v1/briefing?country=KAZ&partner=CHN&period=2023").await;
    let asked = GetBriefingRequest {
        country: "KAZ".into(),
        partner: "CHN".into(),
        period: "2023".into(),
        ..GetBriefingRequest::default()
    };
    let told = world.gateway_client().get_briefing(asked).await;
    assert_eq!(page.code == StatusCode::OK, told.is_ok(), "{page:?}");
    assert_eq!(
        get(door, "/healthz").await.json(),
        json!({ "status": "SERVING" })
    );
}

async fn a_record_lives_over_http(world: &World) {
    let door = world.door.address();
    let made_up = sector("automobiles", &["8703"]);
    let body = r#"{"displayName":{"texts":{"en":"Cars"}},"classification":"H6","codes":["8703"]}"#;
    let path = format!("/v1/sectors?sectorId={}", made_up.sector_id);
    let created = send_json(door, "POST", &path, body).await;
    assert_eq!(created.code, StatusCode::OK, "{created:?}");
    let again = send_json(door, "POST", &path, body).await;
    assert_eq!(
        (again.code, again.reason()),
        (StatusCode::CONFLICT, "ALREADY_EXISTS".into())
    );

    let path = "/v1/sectors/automobiles?updateMask=codes";
    let changed = send_json(door, "PATCH", path, r#"{"codes":["8703","8704"]}"#).await;
    let changed: Sector = changed.message("entente.trade.v1.Sector");
    let asked = GetSectorRequest {
        name: "sectors/automobiles".into(),
        ..GetSectorRequest::default()
    };
    let mut trade = world.trade_client();
    assert_eq!(
        trade.get_sector(asked.clone()).await.unwrap().into_inner(),
        changed
    );
    assert_eq!(changed.codes, ["8703", "8704"]);

    let deleted = send_json(door, "DELETE", "/v1/sectors/automobiles", "").await;
    assert_eq!((deleted.code, deleted.json()), (StatusCode::OK, json!({})));
    assert_eq!(
        trade.get_sector(asked).await.unwrap_err().code(),
        Code::NotFound
    );
}

fn ingest(lines: &[Value]) -> Request<Bytes> {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    Request::post("/v1/observations:ingest")
        .header("content-type", "application/x-ndjson")
        .body(lines.join("\n\n").into())
        .unwrap()
}

async fn figures_come_in_line_by_line_or_not_at_all(world: &World) {
    let door = with_figures(world).await;
    let header = |id: &str| json!({ "header": { "parent": "datasets/comtrade", "ingestId": id } });
    let batch = |value: &str| {
        json!({ "batch": { "sequence": "1", "groups": [{
            "reporter": "KAZ", "partner": "CHN", "flow": "FLOW_IMPORT", "classification": "H6", "period": "2023",
            "rows": [{ "number": "1", "code": "TOTAL", "value": value }],
        }] } })
    };
    let taken = ask(door, ingest(&[header("lines"), batch("9000000000")])).await;
    assert_eq!(taken.code, StatusCode::OK, "{taken:?}");
    assert_eq!(taken.json()["counts"]["new"], "1");

    let wrong = ask(door, ingest(&[header("wrong"), json!({ "batsch": {} })])).await;
    assert_eq!(
        (wrong.code, wrong.fields()),
        (StatusCode::BAD_REQUEST, vec!["body".to_owned()])
    );

    let exported = get(door, "/v1/datasets/comtrade/observations:export").await;
    assert_eq!(exported.headers["content-type"], "application/x-ndjson");
    let text = String::from_utf8(exported.body.to_vec()).unwrap();
    assert!(
        text.contains("9000000000") && text.ends_with("}\n"),
        "{text}"
    );
    for line in text.lines() {
        assert!(
            serde_json::from_str::<Value>(line).unwrap()["groups"].is_array(),
            "{line}"
        );
    }
}

async fn what_is_wrong_is_told_in_the_words_of_http(world: &World) {
    let door = with_figures(world).await;
    let series = "/v1/datasets/comtrade/series";
    let wrong = get(
        door,
        &format!("{series}?reporter=China&flow=FLOW_EXPORT&frequency=FREQUENCY_YEAR&code=TOTAL&partner=KAZ"),
    )
    .await;
    assert_eq!(
        (wrong.code, wrong.fields()),
        (StatusCode::BAD_REQUEST, vec!["reporter".to_owned()])
    );
    let unknown = get(door, &format!("{series}?nation=CHN")).await;
    assert_eq!(
        (unknown.code, unknown.fields()),
        (StatusCode::BAD_REQUEST, vec!["nation".to_owned()])
    );
    assert!(unknown.headers.contains_key("x-request-id"));

    let packed = Request::post("/v1/sectors")
        .header("content-type", "application/json")
        .header("content-encoding", "gzip");
    let packed = ask(door, packed.body(Bytes::from_static(b"{}")).unwrap()).await;
    assert_eq!(
        (packed.code, packed.fields()),
        (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            vec!["content-encoding".to_owned()]
        )
    );
    let broken = send_json(door, "POST", "/v1/sectors", "{").await;
    assert_eq!(
        (broken.code, broken.fields()),
        (StatusCode::BAD_REQUEST, vec!["body".to_owned()])
    );
    let long = format!("{{\"codes\":[\"{}\"]}}", "8".repeat(2 << 20));
    let long = send_json(door, "POST", "/v1/sectors", &long).await;
    assert_eq!(
        (long.code, long.reason()),
        (StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE".into())
    );

    let late = Request::get("/v1/datasets").header("grpc-timeout", "1n");
    let late = ask(door, late.body(Bytes::new()).unwrap()).await;
    assert_eq!(
        (late.code, late.reason()),
        (StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED".into())
    );
    assert_eq!(
        get(door, "/v1/datasets/none").await.code,
        StatusCode::NOT_FOUND
    );
    assert_eq!(get(door, "/v1/nations").await.code, StatusCode::NOT_FOUND);
    let other = send_json(door, "PUT", "/v1/datasets", "{}").await;
    assert_eq!(other.headers["allow"], "GET, HEAD, POST");
}

fn feed(after: Option<&str>) -> Request<Bytes> {
    let mut request = Request::get("/v1/changes:watch").header("accept", "text/event-stream");
    if let Some(last) = after {
        request = request.header("last-event-id", last);
    }
    request.body(Bytes::new()).unwrap()
}

async fn a_feed_goes_on_after_its_last_event_and_ends_with_the_process(world: &World) {
    let door = with_figures(world).await;
    let mut first = follow(door, feed(None)).await;
    let event = first.until("\n\n").await.unwrap();
    assert!(
        event.starts_with("id: 1\ndata: {\"position\":\"1\""),
        "{event}"
    );
    drop(first);

    let mut resumed = follow(door, feed(Some("1"))).await;
    let event = resumed.until("\n\n").await.unwrap();
    assert!(
        event.starts_with("id: 2\n") && event.contains("observationsRecorded"),
        "{event}"
    );
    record(
        &world.trade_client(),
        "comtrade",
        "second",
        "KAZ CHN M H6 TOTAL 2023 9",
    )
    .await;
    let event = resumed.until("\n\n").await.unwrap();
    assert!(event.starts_with("id: 3\n"), "{event}");

    let ahead = ask(door, feed(Some("4611686018427387904"))).await;
    assert_eq!(
        (ahead.code, ahead.reason()),
        (StatusCode::BAD_REQUEST, "POSITION_AHEAD".into())
    );
    let nonsense = ask(door, feed(Some("yesterday"))).await;
    assert_eq!(nonsense.fields(), ["Last-Event-ID"]);
}

async fn a_watch_of_a_pair_that_began_at_the_beginning_goes_on_after_its_last_event(world: &World) {
    let door = with_figures(world).await;
    let watch = |last: Option<&str>| {
        let path = "/v1/relationshipChanges:watch?country=CHN&partner=KAZ&fromBeginning=true";
        let mut request = Request::get(path).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        request.body(Bytes::new()).unwrap()
    };
    let mut first = follow(door, watch(None)).await;
    let event = loop {
        let event = first.until("\n\n").await.unwrap();
        if event.contains("\"trade\":") {
            break event;
        }
    };
    let last = event.lines().find_map(|line| line.strip_prefix("id: "));
    drop(first);

    record(
        &world.trade_client(),
        "comtrade",
        "second",
        "KAZ CHN M H6 TOTAL 2023 9",
    )
    .await;
    let mut resumed = follow(door, watch(last)).await;
    let told = loop {
        let event = resumed.until("\n\n").await.unwrap();
        if event.contains("\"trade\":") {
            break event;
        }
    };
    assert!(!told.contains("datasetRecorded"), "{told}");
    assert_ne!(told, event);
}

async fn chunks_without_a_length_are_refused(world: &World) {
    let door = with_figures(world).await;
    let mut socket = TcpStream::connect(door).await.unwrap();
    let request = "POST /v1/sectors HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
        transfer-encoding: chunked\r\n\r\nmany\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("INVALID_FIELD"), "{answer}");
}

async fn whoever_leaves_a_feed_leaves_its_place(world: &World) {
    /// As many as may watch at a time.
    const PLACES: usize = 256;
    let door = with_figures(world).await;
    for turn in 0..=PLACES {
        let mut left = follow(door, feed(None)).await;
        assert_eq!(left.response.status(), StatusCode::OK, "turn {turn}");
        left.until("\n\n").await.unwrap();
    }
}

async fn a_call_of_a_browser_has_its_trailers_in_its_body(world: &World) {
    let door = with_figures(world).await;
    let call = |name: &str| {
        let message = GetDatasetRequest {
            name: name.into(),
            ..GetDatasetRequest::default()
        };
        let message = message.encode_to_vec();
        let mut frame = vec![0, 0, 0, 0, u8::try_from(message.len()).unwrap()];
        frame.extend(message);
        Request::post("/entente.trade.v1.TradeService/GetDataset")
            .header("content-type", "application/grpc-web-text")
            .body(Bytes::from(STANDARD.encode(frame)))
            .unwrap()
    };
    let page = ask(door, call("datasets/comtrade")).await;
    assert_eq!(
        page.headers["content-type"],
        "application/grpc-web-text+proto"
    );
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    // Each part of the body is padded by itself.
    let parts = text
        .split_inclusive("==")
        .flat_map(|part| part.split_inclusive('='));
    let bytes: Vec<u8> = parts.flat_map(decoded).collect();
    let length = u32::from_be_bytes(bytes[1..5].try_into().unwrap()) as usize;
    let told = Dataset::decode(&bytes[5..5 + length]).unwrap();
    assert_eq!(told.name, "datasets/comtrade");
    let trailers = &bytes[5 + length..];
    assert_eq!(trailers[0], 0x80);
    assert!(String::from_utf8_lossy(&trailers[5..]).contains("grpc-status: 0\r\n"));

    let refused = ask(door, call("datasets/none")).await;
    assert_eq!(refused.code, StatusCode::OK);
    assert_eq!(refused.headers["grpc-status"], "5");
    assert!(refused.headers.contains_key("grpc-status-details-bin"));
}

fn decoded(part: &str) -> Vec<u8> {
    STANDARD.decode(part).unwrap_or_default()
}

async fn no_bytes_are_more_than_an_error(world: &World) {
    let door = world.door.address();
    let noise: Vec<u8> = (0..4_096_u32)
        .map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[1])
        .collect();
    let header =
        "POST /v1/sectors HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    for bytes in [
        noise.clone(),
        b"GET /v1/%FF/%00?%FF=%FF&=&&== HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
            .to_vec(),
        b"GET * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_vec(),
        b"CONNECT x:1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_vec(),
        format!("{header}content-length: 9\r\n\r\n{{\"a\"").into_bytes(),
        [
            format!("{header}content-length: 4096\r\nconnection: close\r\n\r\n").as_bytes(),
            &noise,
        ]
        .concat(),
        format!("{header}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n").into_bytes(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nand then nothing of the kind".to_vec(),
    ] {
        let mut socket = TcpStream::connect(door).await.unwrap();
        // The other end may have enough before it has all.
        drop(socket.write_all(&bytes).await);
        drop(socket.shutdown().await);
        drop(socket.read_to_end(&mut Vec::new()).await);
        assert_eq!(get(door, "/healthz").await.code, StatusCode::OK);
    }
}
