//! A server before it serves.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{entente, interrupt};

/// How long it may take to open its data.
const LIMIT: Duration = Duration::from_secs(120);

/// Waits until a process has a file open.
fn await_open(process: &mut Child, file: &Path) {
    let open = format!("/proc/{}/fd", process.id());
    let has = || {
        let files = fs::read_dir(&open).into_iter().flatten().flatten();
        files.filter_map(|entry| fs::read_link(entry.path()).ok())
    };
    let until = Instant::now() + LIMIT;
    while !has().any(|open| open == file) {
        assert!(Instant::now() < until, "it never opens {}", file.display());
        assert!(process.try_wait().unwrap().is_none(), "it ended before");
        std::thread::yield_now();
    }
}

#[test]
fn a_server_that_is_told_to_stop_while_it_opens_its_data_stops() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().canonicalize().unwrap();
    fs::create_dir_all(data.join("trade/journal")).unwrap();
    let segment = data.join("trade/journal/00000000000000000001.journal");
    assert!(
        Command::new("mkfifo")
            .arg(&segment)
            .status()
            .unwrap()
            .success()
    );
    // To read it takes as long as somebody may still write to it.
    let mut writable = OpenOptions::new();
    let _held = writable.read(true).write(true).open(&segment).unwrap();
    let mut process = entente()
        .args([
            "serve",
            "trade",
            "--listen",
            "127.0.0.1:0",
            "--reserve-mib",
            "1",
        ])
        .args(["--ballast-mib", "0", "--data"])
        .arg(&data)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    await_open(&mut process, &segment);
    assert_eq!(interrupt(&mut process), 1);
    let mut said = String::new();
    let mut stderr = process.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert!(said.contains("stopped while it opened its data"), "{said}");
}
