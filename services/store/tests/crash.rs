//! `kill -9` at random moments under load: nothing acknowledged is lost, nothing is half there.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::time::Duration;

use common::{child, child_folder, note, open, runtime};

const WRITERS: u64 = 32;

/// How often the process is killed: `ENTENTE_KILLS`, else 30.
fn kills() -> u64 {
    let asked = std::env::var("ENTENTE_KILLS");
    asked.map_or(30, |kills| {
        kills.parse().expect("ENTENTE_KILLS is a number")
    })
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    if let Some(folder) = child_folder() {
        return write_until_killed(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for kill in 0..kills() {
        let before = acknowledged.len();
        acknowledged.extend(run_and_kill(folder.path(), kill));
        assert!(
            acknowledged.len() > before,
            "run {kill} acknowledged nothing"
        );
        runtime().block_on(check(folder.path(), &acknowledged));
    }
    println!(
        "{} kills, {} acknowledged writes, none lost",
        kills(),
        acknowledged.len()
    );
}

/// Starts a writer, kills it after a while, and returns what it had acknowledged.
fn run_and_kill(folder: &Path, kill: u64) -> Vec<u64> {
    let mut writer = child(
        "nothing_acknowledged_is_lost_when_the_process_is_killed",
        folder,
    );
    let mut lines = BufReader::new(writer.stdout.take().unwrap());
    let mut first = String::new();
    while !first.starts_with("acknowledged") {
        first.clear();
        assert_ne!(
            lines.read_line(&mut first).unwrap(),
            0,
            "{}",
            stderr(&mut writer)
        );
    }
    // A moment that differs from kill to kill, after the first acknowledgement.
    let moment = Duration::from_micros(500 + (kill * 7_919 * 37) % 120_000);
    let (_hold, never) = std::sync::mpsc::channel::<()>();
    assert!(never.recv_timeout(moment).is_err());
    writer.kill().unwrap();
    writer.wait().unwrap();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    let whole = rest.rfind('\n').map_or("", |end| &rest[..=end]);
    (first + whole).lines().filter_map(number_in).collect()
}

fn stderr(child: &mut std::process::Child) -> String {
    let mut text = String::new();
    let mut pipe = child.stderr.take().unwrap();
    pipe.read_to_string(&mut text).unwrap();
    format!("the writer ended early: {text}")
}

fn number_in(line: &str) -> Option<u64> {
    line.strip_prefix("acknowledged ")?.parse().ok()
}

async fn check(folder: &Path, acknowledged: &BTreeSet<u64>) {
    let store = open(folder);
    store.read(|state| {
        common::assert_twins(state);
        for number in acknowledged {
            let found = state.get(&common::first_key(*number)).unwrap();
            let text = common::text_of(*number);
            assert_eq!(found.as_deref(), Some(text.as_bytes()), "note {number}");
        }
    });
    store.close().await;
}

fn write_until_killed(folder: &Path) {
    runtime().block_on(async {
        let store = open(folder);
        // Numbers go on behind the last position, so that runs do not repeat each other.
        let base = store.last().position * 1_000_000;
        let writers = (0..WRITERS).map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for step in 0.. {
                    let number = base + step * WRITERS + writer;
                    note(&store, number).await.unwrap();
                    let mut out = std::io::stdout().lock();
                    out.write_all(format!("acknowledged {number}\n").as_bytes())
                        .unwrap();
                    out.flush().unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
    });
}
