//! The log of a process, seen from outside: this test starts itself again and reads what it writes.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::process::{Command, Output};

use chassis::Error;
use chassis::telemetry::{LogFormat, init};
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
