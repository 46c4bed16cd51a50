//! Journal and view checked while both are used.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use common::{Notes, assert_holds, files_below, filled, note, open, small};
use store::{Checked, Config, Error, FaultKind, Progress, Store, Verification};

const NOTES: u64 = 400;

fn finish(mut verification: Verification) -> Result<Checked, Error> {
    while verification.step()? {}
    Ok(verification.end())
}

fn verify(store: &Store<Notes>) -> Checked {
    finish(store.verify().unwrap()).unwrap()
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    files_below(&folder.join("journal"))
}

fn is_beside(folder: &Path) -> bool {
    folder.join("view.verifying").exists()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_store_is_found_whole_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), NOTES).await;
    let store = open(folder.path());
    let verification = store.verify().unwrap();
    assert!(is_beside(folder.path()));
    let begun = Progress {
        position: 0,
        last: NOTES,
        compared: 0,
        records: 2 * NOTES + 1,
    };
    assert_eq!(verification.progress(), begun);
    let checked = finish(verification).unwrap();
    assert_eq!(checked.faults, []);
    assert_eq!(checked.head, store.head());
    assert_eq!(checked.compared, 2 * NOTES + 1);
    assert!(checked.journal_bytes > 0);
    assert!(!is_beside(folder.path()));
    // The same journal makes the same digest.
    assert_eq!(verify(&store).digest, checked.digest);
    note(&store, NOTES + 1).await.unwrap();
    assert_ne!(verify(&store).digest, checked.digest);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_meanwhile_makes_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), NOTES).await;
    let store = open(folder.path());
    let mut verification = store.verify().unwrap();
    let mut number = NOTES;
    while verification.step().unwrap() {
        // New notes stand behind what was compared, the old ones before it.
        number += 1;
        note(&store, number).await.unwrap();
        note(&store, number % 7 + 1).await.unwrap();
    }
    let checked = verification.end();
    assert_eq!(checked.faults, []);
    assert!(number > NOTES + 1, "it took some steps");
    assert_holds(&store, 1..=number);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_entry_is_named_by_file_byte_and_position() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), NOTES).await;
    let store = open(folder.path());
    let segments = segments(folder.path());
    assert!(segments.len() > 2);
    for segment in [0, 1, segments.len() - 1] {
        let file = &segments[segment];
        let whole = fs::read(file).unwrap();
        let mut damaged = whole.clone();
        let at = damaged.len() - 10;
        damaged[at] ^= 1;
        fs::write(file, damaged).unwrap();
        let checked = verify(&store);
        let [fault] = &checked.faults[..] else {
            panic!("{checked:?}");
        };
        assert_eq!((fault.kind, &fault.file), (FaultKind::Journal, file));
        let at = at as u64;
        assert!(fault.offset <= at && fault.offset + 400 > at, "{fault:?}");
        assert_eq!(fault.position, checked.head.stamp.position + 1);
        let next = segments.get(segment + 1);
        let base = next.map_or(NOTES + 1, |next| {
            next.file_stem().unwrap().to_str().unwrap().parse().unwrap()
        });
        assert_eq!(fault.position, base - 1, "the last entry of its file");
        fs::write(file, whole).unwrap();
    }
    let gone = folder.path().join("gone");
    fs::rename(&segments[1], &gone).unwrap();
    let checked = verify(&store);
    assert_eq!(checked.faults[0].file, segments[1]);
    fs::rename(&gone, &segments[1]).unwrap();
    assert_eq!(verify(&store).faults, []);
    store.close().await;
}

/// No entry leads there, and no reader stumbles over it: the next start would.
#[tokio::test(flavor = "multi_thread")]
async fn what_stands_behind_the_last_entry_is_told_and_gone_once_it_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 3).await;
    let store = open(folder.path());
    let file = &segments(folder.path())[0];
    let end = fs::metadata(file).unwrap().len();
    let mut appending = fs::OpenOptions::new().append(true).open(file).unwrap();
    appending.write_all(&[7; 200]).unwrap();
    let checked = verify(&store);
    let [fault] = &checked.faults[..] else {
        panic!("{checked:?}");
    };
    assert_eq!((fault.kind, &fault.file), (FaultKind::Journal, file));
    assert_eq!((fault.offset, fault.position), (end, 4));
    assert!(fault.what.contains("entry 3 ends"), "{fault:?}");
    assert_eq!(checked.head, store.head());
    note(&store, 199).await.unwrap();
    assert_eq!(verify(&store).faults, []);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_is_damaged_at_its_very_start_as_well_as_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), NOTES).await;
    let store = open(folder.path());
    let first = &segments(folder.path())[0];
    let whole = fs::read(first).unwrap();
    let mut damaged = whole.clone();
    damaged[20] ^= 1;
    fs::write(first, damaged).unwrap();
    assert_first_is_damaged(&verify(&store), first);
    fs::remove_file(first).unwrap();
    assert_first_is_damaged(&verify(&store), first);
    fs::write(first, whole).unwrap();
    assert_eq!(verify(&store).faults, []);
    store.close().await;
}

fn assert_first_is_damaged(checked: &Checked, first: &Path) {
    let [fault] = &checked.faults[..] else {
        panic!("{checked:?}");
    };
    assert_eq!((fault.kind, &*fault.file), (FaultKind::Journal, first));
    assert_eq!((fault.position, fault.offset), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_a_journal_without_entries_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert_eq!(verify(&store).faults, []);
    let first = &segments(folder.path())[0];
    fs::write(first, [0; 64]).unwrap();
    assert_first_is_damaged(&verify(&store), first);
    store.close().await;
}

/// Each step finds that something was written while it caught up, and is done with it all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_never_end_do_not_keep_a_verification_from_its_end() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), NOTES).await;
    let store = open(folder.path());
    let writer = store.clone();
    let writing = tokio::spawn(async move {
        for number in 1.. {
            note(&writer, number % 100 + 1).await.unwrap();
        }
    });
    let mut verification = store.verify().unwrap();
    let mut steps = 0;
    while tokio::task::block_in_place(|| verification.step()).unwrap() {
        steps += 1;
        assert!(steps < 1_000, "{verification:?}");
    }
    writing.abort();
    assert_eq!(verification.end().faults, []);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_or_killed_leaves_nothing_for_long() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), NOTES).await;
    let store = open(folder.path());
    let mut verification = store.verify().unwrap();
    assert!(verification.step().unwrap());
    drop(verification);
    assert!(!is_beside(folder.path()));
    store.close().await;
    drop(store);
    // As a process that was killed leaves it.
    fs::create_dir(folder.path().join("view.verifying")).unwrap();
    fs::write(folder.path().join("view.verifying/db"), "left").unwrap();
    let store = open(folder.path());
    assert!(!is_beside(folder.path()));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_room_is_told_before_it_is_filled() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 3).await;
    let config = Config {
        reserve_bytes: u64::MAX / 2,
        ..small()
    };
    let store = Store::<Notes>::open(folder.path(), &config).unwrap();
    assert!(matches!(store.verify(), Err(Error::Full { .. })));
    assert!(!is_beside(folder.path()));
    let usage = store.usage().unwrap();
    assert!(usage.free < usage.reserve);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_says_what_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        ballast_bytes: 1 << 16,
        ..small()
    };
    let store = Store::<Notes>::open(folder.path(), &config).unwrap();
    for number in 1..=20 {
        note(&store, number).await.unwrap();
    }
    let usage = store.usage().unwrap();
    let journal: u64 = segments(folder.path())
        .iter()
        .map(|file| fs::metadata(file).unwrap().len())
        .sum();
    assert_eq!((usage.journal, usage.records), (journal, 41));
    assert_eq!((usage.ballast, usage.wanted_ballast), (1 << 16, 1 << 16));
    assert!(usage.view > 0 && usage.free > 0);
    store.close().await;
}
