//! The log of a process, seen from outside: this test starts itself again and reads what it writes.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::process::{Command, Output};

use chassis::Error;
use chassis::telemetry::{LogFormat, Otlp, TRACED, init, init_recording};
use serde_json::Value;

fn child(test: &str) -> Output {
    let this = std::env::current_exe().unwrap();
    let arguments = ["--exact", test, "--ignored", "--nocapture"];
    Command::new(this).args(arguments).output().unwrap()
}

#[test]
fn every_line_is_one_object_and_panics_are_among_them() {
    let output = child("writes_json");
    let log = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert_eq!(lines[0]["message"], "two\nlines");
    assert_eq!(lines[0]["level"], "WARN");
    assert_eq!(lines[1]["message"], "panicked");
    assert_eq!(lines[1]["panic"], "the child fell over");
    let location = lines[1]["location"].as_str().unwrap();
    assert!(location.contains("telemetry.rs"), "{location}");
}

#[test]
#[ignore = "the child of another test"]
fn writes_json() {
    init(LogFormat::Json, "warn").unwrap();
    tracing::info!("below the filter");
    tracing::warn!("two\nlines");
    let fallen = std::thread::spawn(|| panic!("the child fell over")).join();
    assert!(fallen.is_err());
    assert_eq!(chassis::panics(), 1);
}

/// Whatever the filter: by crate, and so fine that the spans below the call's are let through.
#[test]
fn a_line_within_a_recorded_call_has_the_names_of_the_call() {
    for test in ["writes_within_a_call", "writes_all_within_a_call"] {
        let log = String::from_utf8(child(test).stderr).unwrap();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let said: Vec<Value> = lines
            .filter(|line: &Value| line["message"] == "said within")
            .collect();
        let [line] = &said[..] else { panic!("{log}") };
        assert_eq!(line["span"]["trace_id"], "4bf92f35", "{line}");
    }
}

#[test]
#[ignore = "the child of another test"]
fn writes_within_a_call() {
    write_within_a_call("warn,chassis=info");
}

#[test]
#[ignore = "the child of another test"]
fn writes_all_within_a_call() {
    write_within_a_call("debug");
}

fn write_within_a_call(filter: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _within = runtime.enter();
    let nobody = Otlp {
        url: "http://127.0.0.1:9".to_owned(),
        ratio: 1.0,
        service: "child".to_owned(),
    };
    let _recording = init_recording(LogFormat::Json, filter, &nobody).unwrap();
    let call = tracing::info_span!(target: TRACED, "call", trace_id = "4bf92f35").entered();
    let step = tracing::debug_span!(target: TRACED, "decide").entered();
    tracing::warn!("said within");
    drop((step, call));
}

#[test]
fn text_is_for_people_and_has_no_colours_in_a_file() {
    let log = String::from_utf8(child("writes_text").stderr).unwrap();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("WARN") && log.contains("said once"), "{log}");
    assert!(!log.contains('\u{1b}'), "{log}");
}

#[test]
#[ignore = "the child of another test"]
fn writes_text() {
    init(LogFormat::Text, "warn").unwrap();
    tracing::warn!("said once");
    let again = init(LogFormat::Text, "warn").unwrap_err();
    assert!(matches!(again, Error::Telemetry(_)), "{again}");
}

#[test]
fn a_filter_that_is_none_is_shown() {
    let error = init(LogFormat::Text, "chassis=loud").unwrap_err();
    assert!(matches!(&error, Error::Filter { filter, .. } if filter == "chassis=loud"));
    assert!(error.to_string().contains("chassis=loud"), "{error}");
}
