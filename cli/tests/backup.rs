//! A journal is copied while it is served, carried on, checked, and becomes a service again.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Child;

use common::{Ran, Server, entente, interrupt, run};

const EVENTS: &str = "\
id,kind,status,start_date,title_en,countries,source_title,source_publisher
visit-2013,state visit,concluded,2013-09,Visit of 2013,KAZ;CHN,Chronicle,Ministry
visit-2024,state-visit,concluded,2024-07-02,State visit,KAZ;CHN,Programme,Embassy
";

/// A server with events, recorded one after another, so that each is an entry.
fn start() -> Server {
    let server = Server::start_role("events");
    let rows = EVENTS.lines().skip(1);
    rows.for_each(|row| record(&server, row));
    server
}

fn record(server: &Server, row: &str) {
    let titles = EVENTS.lines().next().unwrap();
    let text = format!("{titles}\n{row}\n");
    let ran = server.run_with(&["events", "import", "-"], text.as_bytes());
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// Runs a command that needs no service.
fn offline(arguments: &[&str]) -> Ran {
    let mut command = entente();
    command.args(arguments);
    run(command, b"")
}

fn serve(data: &Path) -> (Child, String) {
    let data = data.to_str().unwrap();
    let (process, url, _) = common::start(&["serve", "events", "--data", data, "--log", "warn"]);
    (process, url)
}

/// All that can be asked of the records: as they are, their versions, and the changes.
fn answers(url: &str) -> Vec<String> {
    let ask = |arguments: &[&str]| {
        let mut command = entente();
        command.env("ENTENTE_SERVER", url).args(arguments);
        let ran = run(command, b"");
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out
    };
    vec![
        ask(&["events", "list", "-o", "json"]),
        ask(&["events", "versions", "visit-2013", "-o", "json"]),
        ask(&["events", "changes", "-o", "json"]),
    ]
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

#[test]
fn a_copy_that_was_carried_on_becomes_the_service_again() {
    let server = start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.journal");
    let file = file.to_str().unwrap();
    let backup = ["backup", "events", "--out", file];
    let first = server.ask(&backup);
    assert!(first.contains("Copied 2 entries"), "{first}");
    let again = server.run(&backup);
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.err.contains(file) && again.err.contains("--continue"));
    record(
        &server,
        "call-2025,telephone-call,concluded,2025-01-10,Call,KAZ;CHN,Notice,Ministry",
    );
    server.ask(&["events", "delete", "visit-2024"]);
    let carried_on = server.ask(&[&backup[..], &["--continue"]].concat());
    assert!(carried_on.contains("Copied 2 entries"), "{carried_on}");
    let nothing = server.ask(&[&backup[..], &["--continue"]].concat());
    assert!(nothing.contains("Copied 0 entries"), "{nothing}");
    assert_eq!(names(folder.path()), ["events.journal"]);

    let checked = offline(&["backup", "--check", file]);
    assert_eq!(checked.code, 0, "{checked:?}");
    for line in [
        "journal     journals/events",
        "positions   1 to 4",
        "whole       yes",
    ] {
        assert!(checked.out.contains(line), "{checked:?}");
    }

    let data = folder.path().join("restored");
    fs::create_dir_all(data.join("events")).unwrap();
    let restore = ["restore", file, "--data", data.to_str().unwrap()];
    let restored = offline(&restore);
    assert_eq!(restored.code, 0, "{restored:?}");
    assert!(restored.out.contains("Restored 4 entries"), "{restored:?}");
    assert_eq!(names(&data), ["events"]);
    let taken = offline(&restore);
    assert_eq!(taken.code, 1, "{taken:?}");
    assert!(taken.err.contains("is not empty"), "{taken:?}");
    let (mut process, url) = serve(&data);
    assert_eq!(answers(&url), answers(&server.url));
    // The copy goes on from what was restored as from what was copied.
    let mut command = entente();
    command.env("ENTENTE_SERVER", &url);
    command.args(backup).arg("--continue");
    let from_restored = run(command, b"");
    assert_eq!(from_restored.code, 0, "{from_restored:?}");
    assert_eq!(interrupt(&mut process), 0);
}

#[test]
fn a_copy_that_was_tampered_with_or_cut_off_is_refused_and_leaves_nothing() {
    let server = start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.journal");
    let file = path.to_str().unwrap();
    server.ask(&["backup", "events", "--out", file]);
    let copy = fs::read(&path).unwrap();
    let at = copy.windows(5).position(|text| text == b"State").unwrap();
    let mut tampered = copy.clone();
    tampered[at] = b'M';
    let cut = &copy[..copy.len() - 1];
    let data = folder.path().join("data");
    let commands = [
        vec!["backup", "--check", file],
        vec!["restore", file, "--data", data.to_str().unwrap()],
        vec!["backup", "events", "--out", file, "--continue"],
    ];
    for (bytes, fault) in [(&tampered[..], "entry 2 "), (cut, "cut off")] {
        fs::write(&path, bytes).unwrap();
        for command in &commands {
            let refused = server.run(command);
            assert_eq!(refused.code, 1, "{command:?}: {refused:?}");
            let err = &refused.err;
            assert!(err.contains(file) && err.contains(fault), "{refused:?}");
        }
        assert!(offline(&commands[0]).out.contains("whole       no"));
        assert_eq!(fs::read(&path).unwrap(), bytes);
        assert!(!data.join("events").exists() && !data.join("events.restoring").exists());
    }
    assert!(
        names(folder.path())
            .iter()
            .all(|name| name != "events.journal.part")
    );
}

#[test]
fn a_copy_of_another_journal_is_not_carried_on() {
    let (server, other) = (start(), start());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.journal");
    let file = path.to_str().unwrap();
    let backup = ["backup", "events", "--out", file, "--continue"];
    server.ask(&backup);
    let copy = fs::read(&path).unwrap();
    let same_length = other.run(&backup);
    assert!(
        same_length.err.contains("another journal"),
        "{same_length:?}"
    );
    record(
        &other,
        "call-2025,telephone-call,concluded,2025-01-10,Call,KAZ;CHN,Notice,Ministry",
    );
    let longer = other.run(&backup);
    assert!(
        longer.err.contains("entry 3 has another hash"),
        "{longer:?}"
    );
    assert_eq!(fs::read(&path).unwrap(), copy);
    let role =
        Server::start_role("culture").run(&["backup", "culture", "--out", file, "--continue"]);
    assert!(role.err.contains("not of journals/culture"), "{role:?}");
}
