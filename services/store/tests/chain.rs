//! A copy of a journal is followed entry by entry.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use common::{Notes, note, open};
use store::{Chain, Entry, Store, Unchained};

/// The entries of a store with so many notes, an entry each.
async fn entries(store: &Store<Notes>, notes: u64) -> Vec<Entry> {
    for number in 1..=notes {
        note(store, number).await.unwrap();
    }
    let last = store.last().position;
    let mut cursor = store.entries(0).unwrap();
    let mut entries = Vec::new();
    while let Some(entry) = cursor.next(last).unwrap() {
        entries.push(entry);
    }
    entries
}

fn follow(chain: &mut Chain, entry: &Entry, body: &[u8]) -> Result<(), Unchained> {
    chain.follow(entry.stamp.position, entry.stamp.time, &entry.hash, body)
}

#[tokio::test]
async fn entries_follow_each_other_over_the_segments_of_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let entries = entries(&open(folder.path()), 200).await;
    let mut chain = Chain::default();
    for entry in &entries {
        follow(&mut chain, entry, entry.body()).unwrap();
    }
    let last = entries.last().unwrap();
    assert_eq!(
        (chain.last(), chain.hash()),
        (last.stamp.position, last.hash)
    );
}

#[tokio::test]
async fn an_entry_that_is_not_the_next_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let entries = entries(&open(folder.path()), 3).await;
    let mut chain = Chain::default();
    follow(&mut chain, &entries[0], entries[0].body()).unwrap();
    let skipped = follow(&mut chain, &entries[2], entries[2].body());
    let (found, expected) = (3, 2);
    assert_eq!(skipped, Err(Unchained::Gap { found, expected }));
    let twice = follow(&mut chain, &entries[0], entries[0].body());
    assert!(matches!(twice, Err(Unchained::Gap { .. })), "{twice:?}");
    let mut changed = entries[1].body().to_vec();
    changed[4] ^= 1;
    let changed = follow(&mut chain, &entries[1], &changed);
    assert_eq!(changed, Err(Unchained::Hash(2)));
    let stamp = entries[1].stamp;
    let later = chain.follow(2, stamp.time + 1, &entries[1].hash, entries[1].body());
    assert_eq!(later, Err(Unchained::Hash(2)));
    follow(&mut chain, &entries[1], entries[1].body()).unwrap();
}
