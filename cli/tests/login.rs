//! Tokens made, used, listed and taken back, and the audit, on the command line.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Child;
use std::sync::mpsc;
use std::time::Duration;

use common::{Ran, entente, interrupt, run, start};

/// A service behind a login, with a folder for its tokens.
struct House {
    folder: tempfile::TempDir,
    url: String,
    process: Child,
}

impl House {
    /// The trade service alone.
    fn open(tokens: &[(&str, &str)]) -> House {
        House::serving(&["serve", "trade"], tokens)
    }

    fn serving(what: &[&str], tokens: &[(&str, &str)]) -> House {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.json");
        for (name, role) in tokens {
            let made = token(&file, &["create", name, "--role", role, "--days", "30"]);
            assert_eq!(made.code, 0, "{made:?}");
            fs::write(folder.path().join(name), made.out).unwrap();
        }
        let data = folder.path().join("data");
        let [data, file] = [&data, &file].map(|path| path.to_str().unwrap());
        let options = ["--data", data, "--log", "info", "--tokens", file];
        let (process, url, _) = start(&[what, &options[..]].concat());
        House {
            folder,
            url,
            process,
        }
    }

    /// Waits until a line of the log says this.
    fn wait_for(&mut self, said: &'static str) {
        let log = BufReader::new(self.process.stderr.take().unwrap());
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            // To its end, so that the process can go on writing.
            for line in log.lines().map_while(Result::ok) {
                if line.contains(said) {
                    tell.send(()).ok();
                }
            }
        });
        told.recv_timeout(Duration::from_secs(60)).expect(said);
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("tokens.json")
    }

    /// Asks over HTTP with these logins; the line of the status.
    fn ask_by_http(&self, logins: &[&str]) -> String {
        let mut socket = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        let logins = logins
            .iter()
            .map(|token| format!("authorization: Bearer {token}\r\n"));
        let headers = logins.collect::<String>();
        write!(
            socket,
            "GET /v1/datasets HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n"
        )
        .unwrap();
        let mut line = String::new();
        BufReader::new(socket).read_line(&mut line).unwrap();
        line
    }

    /// Runs a command as somebody whose token lies in the folder.
    fn run_as(&self, who: &str, arguments: &[&str]) -> Ran {
        let mut command = entente();
        command.env("ENTENTE_SERVER", &self.url).args(arguments);
        command
            .arg("--token-file")
            .arg(self.folder.path().join(who));
        run(command, b"")
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // Fails when it has ended already, which is as well.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn token(file: &std::path::Path, arguments: &[&str]) -> Ran {
    let mut command = entente();
    command
        .arg("token")
        .args(arguments)
        .arg("--tokens")
        .arg(file);
    run(command, b"")
}

const CREATE: [&str; 11] = [
    "trade",
    "datasets",
    "create",
    "yearbook",
    "--name",
    "Yearbook",
    "--publisher",
    "Statistics Office",
    "--title=Foreign trade",
    "--currency",
    "USD",
];

#[test]
fn a_token_is_printed_once_and_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.json");
    let made = token(&file, &["create", "desk-7", "--role", "reader"]);
    let text = made.out.trim_end();
    assert_eq!(made.out, format!("{text}\n"));
    let id = text
        .strip_prefix("ent_")
        .unwrap()
        .split('_')
        .next()
        .unwrap();
    assert!(made.err.contains(id) && made.err.contains("does not expire"));
    let secret = text.rsplit_once('_').unwrap().1;
    let stored: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let hash = stored["tokens"][0]["hash"].as_str().unwrap().to_owned();
    for output in ["table", "json", "csv"] {
        let listed = token(&file, &["list", "--output", output]).out;
        assert!(listed.contains(id) && listed.contains("desk-7"), "{listed}");
        assert!(
            !listed.contains(secret) && !listed.contains(&hash),
            "{listed}"
        );
    }
    assert!(!made.err.contains(secret) && !stored.to_string().contains(secret));
}

#[test]
fn what_cannot_be_a_token_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.json");
    for (arguments, why) in [
        (
            &["create", "two words", "--role", "reader"][..],
            "no spaces",
        ),
        (&["create", "desk", "--role", "root"], "one of: reader"),
        (&["create", "desk"], "--role"),
        (
            &[
                "create",
                "desk",
                "--role",
                "reader",
                "--expires",
                "2024-07-01",
            ],
            "expired",
        ),
        (&["revoke", "desk"], "no token"),
    ] {
        let refused = token(&file, arguments);
        assert_ne!(refused.code, 0, "{arguments:?}");
        assert!(refused.err.contains(why), "{refused:?}");
        assert!(refused.out.is_empty() && !file.exists());
    }
}

#[test]
fn roles_hold_and_the_audit_names_who_wrote() {
    let mut house = House::open(&[
        ("desk-7", "editor"),
        ("guest", "reader"),
        ("office", "admin"),
    ]);
    let refused = house.run_as("guest", &CREATE);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("NOT_ALLOWED"), "{refused:?}");
    let created = house.run_as("desk-7", &CREATE);
    assert_eq!(created.code, 0, "{created:?}");
    assert_eq!(house.run_as("guest", &["trade", "datasets"]).code, 0);

    let audit = house
        .run_as("office", &["audit", "trade", "--output", "csv"])
        .out;
    let rows: Vec<&str> = audit.lines().collect();
    assert_eq!(rows.len(), 2, "{audit}");
    assert!(rows[1].contains(",1,desk-7,"), "{audit}");
    assert!(
        rows[1].ends_with(",dataset_created,datasets/yearbook"),
        "{audit}"
    );
    let table = house
        .run_as("office", &["audit", "trade", "--caller", "desk-7"])
        .out;
    assert!(
        table.contains("dataset created") && table.contains("1 writes"),
        "{table}"
    );
    let none = house
        .run_as("office", &["audit", "trade", "--caller", "guest"])
        .out;
    assert!(none.contains("0 writes"), "{none}");
    assert_eq!(house.run_as("desk-7", &["audit", "trade"]).code, 1);
    assert_eq!(interrupt(&mut house.process), 0);
}

#[test]
fn without_a_token_it_is_told_where_one_may_be_named() {
    let house = House::open(&[("desk", "reader")]);
    let mut command = entente();
    command
        .env("ENTENTE_SERVER", &house.url)
        .args(["trade", "datasets"]);
    let refused = run(command, b"");
    assert!(refused.err.contains("NOT_LOGGED_IN") && refused.err.contains("--token-file"));
    let mut command = entente();
    let token = fs::read_to_string(house.folder.path().join("desk")).unwrap();
    command
        .env("ENTENTE_SERVER", &house.url)
        .env("ENTENTE_TOKEN", token);
    command.args(["trade", "datasets"]);
    assert_eq!(run(command, b"").code, 0);
}

#[test]
fn a_token_that_is_taken_back_stops() {
    let mut house = House::open(&[("desk", "reader")]);
    assert_eq!(house.run_as("desk", &["trade", "datasets"]).code, 0);
    let revoked = token(&house.file(), &["revoke", "desk"]);
    assert!(revoked.out.contains("is revoked"), "{revoked:?}");
    house.wait_for("a file of the login has changed");
    assert_eq!(house.run_as("desk", &["trade", "datasets"]).code, 1);
    assert!(token(&house.file(), &["list"]).out.contains("revoked"));
}

#[test]
fn of_two_logins_neither_is_believed() {
    let house = House::serving(&["serve"], &[("desk", "reader")]);
    let token = fs::read_to_string(house.folder.path().join("desk")).unwrap();
    let token = token.trim();
    assert!(house.ask_by_http(&[token]).contains("200"));
    for logins in [&[token, token][..], &[token, "x"], &["x", token], &[]] {
        let answer = house.ask_by_http(logins);
        assert!(answer.contains("401"), "{logins:?}: {answer}");
    }
}

#[test]
fn the_demonstration_opens_no_door_but_the_one_with_the_login() {
    let mut house = House::serving(&["demo"], &[("desk", "reader")]);
    assert!(house.ask_by_http(&[]).contains("401"));
    let asked = house.run_as("desk", &["trade", "datasets"]);
    assert!(asked.out.contains("china-customs"), "{asked:?}");
    assert_eq!(interrupt(&mut house.process), 0);
    let mut log = String::new();
    let mut stderr = house.process.stderr.take().unwrap();
    stderr.read_to_string(&mut log).unwrap();
    let doors: Vec<&str> = log
        .lines()
        .filter(|line| line.contains(" serving "))
        .collect();
    assert_eq!(doors.len(), 1, "{log}");
    assert!(doors[0].contains("login=true"), "{log}");
}
