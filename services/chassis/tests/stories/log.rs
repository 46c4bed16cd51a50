//! Every call leaves one line, and the line says what came of it.
//!
//! One subscriber for all tests, so that they may run at once; each finds its lines by its request ids.

use std::io;
use std::sync::{LazyLock, Mutex};

use chassis::Role;
use serde_json::Value;
use tonic::Request;
use tonic::metadata::MetadataValue;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::desk::{METHOD, Running, get, watch, within};
use crate::login::{Login, with_token};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

static LOG: LazyLock<()> = LazyLock::new(|| {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(|| Lines)
        .init();
});

struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn named<T>(mut request: Request<T>, id: &'static str) -> Request<T> {
    let id = MetadataValue::from_static(id);
    request.metadata_mut().insert("x-request-id", id);
    request
}

fn lines(id: &str) -> Vec<Value> {
    matching(|line| line["request_id"] == id)
}

/// The lines so far that are like this.
pub(crate) fn matching(like: impl Fn(&Value) -> bool) -> Vec<Value> {
    LazyLock::force(&LOG);
    let written = LINES.lock().unwrap().clone();
    let lines = written
        .split(|byte| *byte == b'\n')
        .filter(|l| !l.is_empty());
    let parsed = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
    parsed.filter(like).collect()
}

/// The one line of a call; it is written a moment after the client has its answer.
async fn line(id: &str) -> Value {
    within(async {
        while lines(id).is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut lines = lines(id);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

#[tokio::test]
async fn a_line_names_the_caller_and_nothing_tells_a_token() {
    LazyLock::force(&LOG);
    let login = Login::start();
    let desk = login.token("desk-7", Role::Reader);
    let mut client = login.process.client().await;
    let mut ask = async |token: &str, id: &'static str| {
        let request = named(with_token(get("echo"), token), id);
        within(client.get_dataset(request)).await
    };
    ask(&desk, "log-caller").await.unwrap();
    assert_eq!(line("log-caller").await["caller"], "desk-7");
    let made_up = desk.replace(&desk[4..12], "00000000");
    let refused = ask(&made_up, "log-made-up").await.unwrap_err();
    assert_eq!(line("log-made-up").await["code"], "UNAUTHENTICATED");
    let secret = &desk[13..];
    let told = format!("{refused:?}");
    let written = String::from_utf8(LINES.lock().unwrap().clone()).unwrap();
    assert!(!written.contains(secret) && !told.contains(secret));
}

#[tokio::test]
async fn a_call_is_one_line_with_its_names_its_code_and_its_duration() {
    LazyLock::force(&LOG);
    let process = Running::start();
    let mut client = process.client().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut request = named(get("echo"), "log-ok");
    let parent = format!("00-{trace}-00f067aa0ba902b7-01").parse().unwrap();
    request.metadata_mut().insert("traceparent", parent);
    within(client.get_dataset(request)).await.unwrap();

    let line = line("log-ok").await;
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["rpc.method"], METHOD);
    assert_eq!(line["code"], "OK");
    assert_eq!(line["trace_id"], trace);
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0);
    let peer = line["peer"].as_str().unwrap();
    assert!(peer.starts_with("127.0.0.1:"), "{peer}");
}

#[tokio::test]
async fn junk_in_traceparent_is_not_taken_over() {
    LazyLock::force(&LOG);
    let process = Running::start();
    let mut client = process.client().await;
    let mut request = named(get("echo"), "log-junk");
    let junk = "00-\\u001b[31m-00f067aa0ba902b7-01".parse().unwrap();
    request.metadata_mut().insert("traceparent", junk);
    within(client.get_dataset(request)).await.unwrap();

    let line = line("log-junk").await;
    let trace = line["trace_id"].as_str().unwrap();
    let hex = |digit: u8| digit.is_ascii_hexdigit();
    assert!(trace.len() == 32 && trace.bytes().all(hex), "{trace}");
}

#[tokio::test]
async fn a_clients_mistake_is_not_an_alarm_and_a_defect_is() {
    LazyLock::force(&LOG);
    let process = Running::start();
    let mut client = process.client().await;
    let missing = named(get("missing"), "log-missing");
    within(client.get_dataset(missing)).await.unwrap_err();
    let defect = named(get("defect"), "log-defect");
    within(client.get_dataset(defect)).await.unwrap_err();

    let (missing, defect) = (line("log-missing").await, line("log-defect").await);
    assert_eq!(missing["level"], "INFO");
    assert_eq!(missing["code"], "NOT_FOUND");
    assert_eq!(defect["level"], "ERROR");
    assert_eq!(defect["code"], "INTERNAL");
}

#[tokio::test]
async fn a_stream_is_one_line_at_its_end_and_a_client_that_leaves_cancels() {
    LazyLock::force(&LOG);
    let process = Running::start();
    let mut client = process.client().await;
    let request = named(watch("silent"), "log-stream");
    let mut changes = within(client.watch_changes(request))
        .await
        .unwrap()
        .into_inner();
    within(changes.message()).await.unwrap().unwrap();
    assert_eq!(lines("log-stream").len(), 0);
    drop(changes);
    assert_eq!(line("log-stream").await["code"], "CANCELLED");

    let request = named(watch("until shutdown"), "log-ended");
    let mut changes = within(client.watch_changes(request))
        .await
        .unwrap()
        .into_inner();
    process.shutdown.trigger();
    while within(changes.message()).await.unwrap().is_some() {}
    assert_eq!(line("log-ended").await["code"], "OK");
}

#[tokio::test]
async fn a_call_that_is_given_up_before_its_answer_is_cancelled() {
    LazyLock::force(&LOG);
    let process = Running::start();
    let mut client = process.client().await;
    let request = named(get("gate"), "log-given-up");
    let waiting = tokio::spawn(async move { client.get_dataset(request).await });
    process.desk.begun().await;
    waiting.abort();
    process.desk.left().await;
    assert_eq!(line("log-given-up").await["code"], "CANCELLED");
}

#[tokio::test]
async fn a_panic_is_logged_within_its_call() {
    LazyLock::force(&LOG);
    let process = Running::start();
    let mut client = process.client().await;
    let request = named(get("panic"), "log-panic");
    within(client.get_dataset(request)).await.unwrap_err();
    assert_eq!(line("log-panic").await["code"], "INTERNAL");

    let written = String::from_utf8(LINES.lock().unwrap().clone()).unwrap();
    let mut lines = written
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let within_the_call = |line: &Value| line["span"]["request_id"] == "log-panic";
    let panicked: Value = lines.find(within_the_call).unwrap();
    assert_eq!(panicked["level"], "ERROR");
    assert_eq!(panicked["panic"], "the desk fell over");
}

#[tokio::test]
async fn probes_are_quiet() {
    LazyLock::force(&LOG);
    let process = Running::start();
    let mut health = HealthClient::new(process.channel().await);
    let check = Request::new(HealthCheckRequest::default());
    within(health.check(named(check, "log-probe")))
        .await
        .unwrap();
    assert_eq!(line("log-probe").await["level"], "DEBUG");
}
