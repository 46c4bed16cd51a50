//! Generated data: the same every time, and taken by the commands that take real ones.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::path::Path;
use std::process::Stdio;

use common::{Server, entente, run, start};

fn generate(seed: &str, rows: &str, path: &Path) {
    let mut command = entente();
    command
        .args(["generate", "--rows", rows, "--seed", seed, "--out"])
        .arg(path);
    let ran = run(command, b"");
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_generated_file_is_the_same_every_time_and_the_importer_takes_all_of_it() {
    let server = Server::start();
    let [one, again, other] =
        ["one.csv", "again.csv", "other.csv"].map(|name| server.folder.path().join(name));
    generate("7", "5000", &one);
    generate("7", "5000", &again);
    generate("8", "5000", &other);
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    assert_eq!(read(&one), read(&again));
    assert_ne!(read(&one), read(&other));
    let imported = server.run(&["import", "comtrade", one.to_str().unwrap()]);
    assert_eq!(imported.code, 0, "{imported:?}");
    let told = format!("{}{}", imported.out, imported.err);
    assert!(told.contains("5,000") || told.contains("5000"), "{told}");
    let series = server.ask(&["trade", "series", "CHN", "KAZ", "--flow", "X", "-ocsv"]);
    assert!(series.lines().count() >= 5, "{series}");
}

#[test]
fn without_a_file_the_figures_go_to_standard_output() {
    let mut command = entente();
    command.args(["generate", "--rows", "10"]);
    let ran = run(command, b"");
    assert_eq!((ran.code, ran.out.lines().count()), (0, 11), "{ran:?}");
}

#[test]
fn a_server_is_no_file() {
    let mut command = entente();
    command.args(["generate", "--rows", "10", "--format", "direct"]);
    command.args(["--out", "figures.csv"]);
    let ran = run(command, b"");
    assert!(ran.code == 1 && ran.err.contains("--out"), "{ran:?}");
}

#[test]
fn more_than_can_be_made_is_refused() {
    for options in [
        &["--rows", "5000000001"][..],
        &["--rows", "10", "--records", "100000000"],
    ] {
        let mut command = entente();
        command.arg("generate").args(options);
        let ran = run(command, b"");
        assert!(ran.code == 2 && ran.err.contains("is not in"), "{ran:?}");
    }
}

#[test]
fn a_server_that_takes_no_more_figures_is_not_waited_for() {
    let server = Server::start();
    let mut fill = entente();
    fill.args(["generate", "--rows", "100000000", "--format", "direct"]);
    fill.args(["--timeout", "15", "--server", &server.url]);
    let fill = fill.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut fill = fill.unwrap();
    let figures = [
        "trade",
        "list",
        "--dataset",
        "generated",
        "--limit",
        "1",
        "-ocsv",
    ];
    while server.run(&figures).out.lines().count() < 2 {
        assert_eq!(fill.try_wait().unwrap(), None, "it ended before");
    }
    server.signal("-STOP");
    let ran = fill.wait_with_output().unwrap();
    let err = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(1), "{err}");
    let told = "the same command carries on from here: no answer came in time";
    assert!(err.contains(told), "{err}");
}

#[test]
fn a_server_is_filled_once_with_both_sides_their_revisions_and_records() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let (mut process, url, _) = start(&["serve", "--data", data, "--log", "warn"]);
    let ask = |arguments: &[&str]| {
        let mut command = entente();
        command.args(arguments).args(["--server", &url]);
        let ran = run(command, b"");
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out
    };
    let fill = [
        "generate",
        "--rows",
        "20000",
        "--format",
        "direct",
        "--records",
        "40",
    ];
    let told = ask(&fill);
    assert!(told.contains("20000 new"), "{told}");
    assert!(told.contains("revisions: 0 new,"), "{told}");
    for records in ["events: 40 new", "agreements: 40 new", "programmes: 10 new"] {
        assert!(told.contains(records), "{told}");
    }
    let again = ask(&fill);
    assert!(
        again.contains("0 new, 0 revised") && again.contains("of its batches were in already"),
        "{again}"
    );
    assert!(
        again.contains("events: 0 new, 40 were in already"),
        "{again}"
    );
    let more = ask(&[&fill[..6], &["90"]].concat());
    for records in ["events: 90 new", "agreements: 90 new", "programmes: 22 new"] {
        assert!(more.contains(records), "{more}");
    }
    let mirror = ask(&[
        "trade",
        "mirror",
        "CHN",
        "KAZ",
        "--datasets",
        "generated,generated",
        "--period",
        "2020",
        "-ojson",
    ]);
    assert!(mirror.contains("\"gap\""), "{mirror}");
    assert!(!ask(&["events", "list", "-ocsv", "--limit", "100"]).is_empty());
    process.kill().unwrap();
    process.wait().unwrap();
}
