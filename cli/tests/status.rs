//! How all of it is, as an operator sees it.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::time::{Duration, Instant};

use common::{Server, entente, interrupt, run, start};
use serde_json::Value;

/// How long a gateway may take to notice.
const LIMIT: Duration = Duration::from_secs(120);

#[test]
fn one_process_says_how_all_of_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let (mut process, url, _) = start(&["serve", "--data", data, "--log", "warn"]);
    let status = |arguments: &[&str]| {
        let mut command = entente();
        command.args(["status", "--server", &url]).args(arguments);
        run(command, b"")
    };
    let table = status(&[]);
    assert_eq!(table.code, 0, "{table:?}");
    for what in [
        "gateway",
        "trade",
        "events",
        "culture",
        "serves",
        "All is well.",
    ] {
        assert!(table.out.contains(what), "{what}: {}", table.out);
    }
    let told = status(&["--json"]);
    let told: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(told["isWell"], true);
    assert_eq!(told["gateway"]["backends"][2]["service"], "culture");
    assert_eq!(told["journals"][1]["journal"]["name"], "journals/events");
    assert_eq!(told["journals"][1]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(interrupt(&mut process), 0);
    let gone = status(&[]);
    assert_eq!(gone.code, 1, "{gone:?}");
    assert!(gone.out.contains("NOT REACHED"), "{gone:?}");
}

#[test]
fn a_gateway_names_the_processes_that_it_does_not_reach() {
    let (events, mut culture) = (Server::start_role("events"), Server::start_role("culture"));
    let trade = Server::start_role("trade");
    let urls = [&trade.url, &events.url, &culture.url];
    let [to_trade, to_events, to_culture] = urls.map(String::as_str);
    let (mut gateway, url, _) = start(&[
        "serve",
        "gateway",
        "--trade",
        to_trade,
        "--events",
        to_events,
        "--culture",
        to_culture,
        "--log",
        "error",
    ]);
    let status = |json: bool| {
        let mut command = entente();
        command.args(["status", "--server", &url]);
        command.args(json.then_some("--json"));
        run(command, b"")
    };
    let well = |ran: &common::Ran| ran.code == 0;
    // The gateway connects meanwhile.
    let mut waiting = entente();
    waiting.args(["status", "--server", &url, "--wait", "60"]);
    let apart = run(waiting, b"");
    assert!(well(&apart), "{apart:?}");
    assert!(
        apart.out.contains(to_culture.trim_start_matches("http://")),
        "{apart:?}"
    );
    culture.kill();
    let until = Instant::now() + LIMIT;
    loop {
        assert!(
            Instant::now() < until,
            "culture alone is never told as lost"
        );
        let lost: Value = serde_json::from_str(&status(true).out).unwrap();
        let problems = lost["problems"].to_string();
        assert_eq!(lost["isWell"], problems == "[]", "{lost}");
        // On a busy machine another one may be lost for a moment.
        if problems.contains("culture") && !problems.contains("events") {
            break;
        }
    }
    // What was found of the others is told all the same.
    let mut verify = entente();
    verify.args(["verify", "--server", &url, "--effort", "100"]);
    let verified = run(verify, b"");
    assert_eq!(verified.code, 1, "{verified:?}");
    assert_eq!(verified.out.matches("whole").count(), 3, "{verified:?}");
    assert!(verified.err.contains("verifying culture"), "{verified:?}");
    assert_eq!(interrupt(&mut gateway), 0);
}

#[test]
fn a_disk_that_is_too_full_is_told_by_who_keeps_something_there() {
    let server = Server::start_role("events");
    let alone = server.ask(&["status"]);
    assert!(
        !alone.contains("gateway") && !alone.contains("trade"),
        "{alone}"
    );
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let full = ["serve", "events", "--data", data, "--log", "error"];
    let mut command = entente();
    command.args(full).args(["--listen", "127.0.0.1:0"]);
    command.env("ENTENTE_RESERVE_MIB", "16777216");
    let (mut process, url) = common::started(command);
    let mut asked = entente();
    asked.args(["status", "--server", &url]);
    let ran = run(asked, b"");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("REFUSES WRITES"), "{ran:?}");
    assert!(ran.out.contains("no ballast"), "{ran:?}");
    assert_eq!(interrupt(&mut process), 0);
}
