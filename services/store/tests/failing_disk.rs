//! A disk that is full, or fails. Each test runs its store in a process of its own.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]
#![allow(
    clippy::print_stdout,
    reason = "a child tells its parent, and a check that is left out is told"
)]

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{assert_holds, child, child_folder, child_of, note, open, runtime, small};
use store::{Config, Error, Store};

fn finished(child: std::process::Child) -> (Output, String) {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output, text)
}

#[test]
fn a_failed_fsync_ends_the_process_before_any_acknowledgement() {
    if let Some(folder) = child_folder() {
        return write_with_failing_fsync(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "a_failed_fsync_ends_the_process_before_any_acknowledgement";
    let (output, text) = finished(child(name, folder.path()));
    assert!(!output.status.success(), "{text}");
    assert!(text.contains("acknowledged 3"), "{text}");
    assert!(!text.contains("acknowledged 4"), "{text}");
    let store = open(folder.path());
    store.read(|state| assert!(common::count(state) >= 3));
}

fn write_with_failing_fsync(folder: &Path) {
    runtime().block_on(async {
        let store = open(folder);
        for number in 1..=3 {
            note(&store, number).await.unwrap();
            println!("acknowledged {number}");
        }
        fail::cfg("journal.sync", "return").unwrap();
        for number in 4..=6 {
            // The process is gone before this answers, so even an error would be a wrong answer.
            let answer = note(&store, number).await;
            println!("acknowledged {number} with {answer:?}");
        }
    });
}

#[test]
fn want_of_open_files_is_no_damage_of_a_journal() {
    let name = "want_of_open_files_is_no_damage_of_a_journal";
    let Some(folder) = child_folder() else {
        let folder = tempfile::tempdir().unwrap();
        let (output, text) = finished(child(name, folder.path()));
        assert!(output.status.success(), "{text}");
        return;
    };
    runtime().block_on(async {
        let store = open(&folder);
        for number in 1..=200 {
            note(&store, number).await.unwrap();
        }
        let mut verification = store.verify().unwrap();
        fail::cfg("segment.open", "return").unwrap();
        let failed = verification.step();
        assert!(matches!(failed, Err(Error::TooManyFiles { .. })));
        assert_eq!(verification.end().faults, []);
        fail::remove("segment.open");
        let mut verification = store.verify().unwrap();
        while verification.step().unwrap() {}
        assert_eq!(verification.end().faults, []);
    });
}

#[test]
fn a_failed_write_is_refused_and_taken_back() {
    if let Some(folder) = child_folder() {
        return runtime().block_on(write_with_failing_write(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let (output, text) = finished(child(
        "a_failed_write_is_refused_and_taken_back",
        folder.path(),
    ));
    assert!(output.status.success(), "{text}");
}

async fn write_with_failing_write(folder: &Path) {
    let store = open(folder);
    note(&store, 1).await.unwrap();
    fail::cfg("journal.write", "return").unwrap();
    let refused = note(&store, 2).await;
    assert!(matches!(refused, Err(Error::Full { .. })), "{refused:?}");
    assert_holds(&store, [1]);
    fail::cfg("journal.write", "off").unwrap();
    note(&store, 3).await.unwrap();
    store.close().await;
    drop(store);
    assert_holds(&open(folder), [1, 3]);
}

#[test]
fn a_new_segment_that_the_disk_has_no_room_for_is_refused_and_taken_back() {
    if let Some(folder) = child_folder() {
        return runtime().block_on(write_without_room_for_a_segment(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "a_new_segment_that_the_disk_has_no_room_for_is_refused_and_taken_back";
    let (output, text) = finished(child(name, folder.path()));
    assert!(output.status.success(), "{text}");
}

async fn write_without_room_for_a_segment(folder: &Path) {
    let store = open(folder);
    fail::cfg("segment.write", "return").unwrap();
    let mut written = 0;
    // The first segment takes some notes; the next one needs a new segment.
    while note(&store, written + 1).await.is_ok() {
        written += 1;
    }
    assert!(written > 10, "{written}");
    let refused = note(&store, written + 1).await;
    assert!(matches!(refused, Err(Error::Full { .. })), "{refused:?}");
    assert_holds(&store, 1..=written);
    fail::cfg("segment.write", "off").unwrap();
    note(&store, written + 1).await.unwrap();
    store.close().await;
    drop(store);
    assert_holds(&open(folder), 1..=written + 1);
}

/// Each place where a failure leaves in doubt what is durable or seen: the process ends there.
#[test]
fn a_failure_that_leaves_doubt_ends_the_process() {
    if let Some(folder) = child_folder() {
        return write_until_doubt(&folder);
    }
    for (place, action) in [
        ("segment.sync", "return"),
        ("view.apply", "return"),
        ("view.apply", "panic"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("fail"), format!("{place} {action}")).unwrap();
        let name = "a_failure_that_leaves_doubt_ends_the_process";
        let (output, text) = finished(child(name, folder.path()));
        assert!(!output.status.success(), "{place} {action}: {text}");
        assert!(text.contains("writing"), "{place} {action}: {text}");
        assert!(!text.contains("went on"), "{place} {action}: {text}");
        // The entry was durable or never there; either way the next start is whole.
        let store = open(&folder.path().join("store"));
        store.read(common::assert_twins);
    }
}

fn write_until_doubt(folder: &Path) {
    let asked = std::fs::read_to_string(folder.join("fail")).unwrap();
    let (place, action) = asked.split_once(' ').unwrap();
    runtime().block_on(async {
        let store = open(&folder.join("store"));
        note(&store, 1).await.unwrap();
        fail::cfg(place, action).unwrap();
        println!("writing");
        for number in 2..=500 {
            note(&store, number).await.unwrap();
        }
        println!("went on");
    });
}

const DISK: &str = "size=96m";

/// A real full disk: a small file system mounted in a name space of its own.
#[test]
fn a_full_disk_refuses_writes_and_reads_go_on_over_a_restart() {
    if let Some(folder) = child_folder() {
        return runtime().block_on(fill_the_disk(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let mount = format!(
        "mount -t tmpfs -o {DISK} tmpfs '{}'",
        folder.path().display()
    );
    if !can_mount(&mount) {
        common::not_checked(
            "mount",
            "this machine lets nobody mount a file system in a name space",
        );
        return;
    }
    let mut apart = unshare();
    let executable = std::env::current_exe().unwrap();
    apart.arg(format!("{mount} && exec '{}' \"$@\"", executable.display()));
    apart.arg("sh");
    let name = "a_full_disk_refuses_writes_and_reads_go_on_over_a_restart";
    let (output, text) = finished(child_of(apart, name, folder.path()));
    assert!(output.status.success(), "{text}");
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
    command
}

fn can_mount(mount: &str) -> bool {
    let tried = unshare().arg(mount).output();
    tried.is_ok_and(|output| output.status.success())
}

#[test]
fn a_file_system_that_takes_no_room_ahead_has_a_ballast_too() {
    let name = "a_file_system_that_takes_no_room_ahead_has_a_ballast_too";
    if let Some(folder) = child_folder() {
        return runtime().block_on(lay_the_ballast(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let (output, text) = finished(child(name, folder.path()));
    assert!(output.status.success(), "{text}");
}

async fn lay_the_ballast(folder: &Path) {
    fail::cfg("space.allocate", "return").unwrap();
    let ballast_bytes = (1 << 20) + 7;
    let config = Config {
        ballast_bytes,
        ..small()
    };
    let store = Store::<common::Notes>::open(folder, &config).unwrap();
    let usage = store.usage().unwrap();
    assert_eq!(
        (usage.ballast, usage.wanted_ballast),
        (ballast_bytes, ballast_bytes)
    );
    let ballast = std::fs::read(folder.join("ballast")).unwrap();
    assert!(ballast.iter().all(|byte| *byte == 0));
    store.close().await;
}

async fn fill_the_disk(folder: &Path) {
    let config = Config {
        reserve_bytes: 8 << 20,
        ballast_bytes: 16 << 20,
        ..small()
    };
    let store = Store::open(folder, &config).unwrap();
    for number in 1..=500 {
        note(&store, number).await.unwrap();
    }
    fill(&folder.join("somebody-elses-file"));
    let refused = note(&store, 501).await;
    assert!(matches!(refused, Err(Error::Full { .. })), "{refused:?}");
    assert_holds(&store, 1..=500);
    store.close().await;
    drop(store);

    let store = Store::open(folder, &config).expect("the ballast makes room to open");
    assert_holds(&store, 1..=500);
    // While there is room, what was replayed goes to the disk: sled does not get over it when its own write fails.
    store.close().await;
    drop(store);
    let store = Store::open(folder, &config).unwrap();
    let last = store.last();
    fill(&folder.join("another-file"));
    let refused = note(&store, 501).await;
    assert!(matches!(refused, Err(Error::Full { .. })), "{refused:?}");
    assert_eq!(store.last(), last);

    std::fs::remove_file(folder.join("somebody-elses-file")).unwrap();
    note(&store, 501).await.expect("there is room again");
    assert_holds(&store, 1..=501);
    store.close().await;
}

/// Writes until nothing more fits.
fn fill(file: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(file).unwrap();
    for size in [1 << 20, 4 << 10, 1] {
        let block = vec![1; size];
        while file.write_all(&block).is_ok() {}
    }
}
