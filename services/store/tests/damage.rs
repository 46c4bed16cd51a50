//! Files that are torn, flipped, missing, strange or of another time: a store either answers in full or
//! says what is wrong.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use common::{Notes, assert_holds, copy_folder, files_below, filled, note, open, small};
use store::{Error, Event, Store};

const NOTES: u64 = 120;

struct Sample {
    whole: tempfile::TempDir,
    work: tempfile::TempDir,
}

impl Sample {
    async fn new(notes: u64) -> Sample {
        let whole = tempfile::tempdir().unwrap();
        filled(whole.path(), notes).await;
        let work = tempfile::tempdir().unwrap();
        Sample { whole, work }
    }

    /// A fresh copy of the store.
    fn copy(&self) -> PathBuf {
        let folder = self.work.path().join("copy");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        copy_folder(self.whole.path(), &folder);
        folder
    }
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    files_below(&folder.join("journal"))
}

fn length(file: &Path) -> u64 {
    std::fs::metadata(file).unwrap().len()
}

fn cut(file: &Path, bytes: u64) {
    let file = OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(bytes).unwrap();
}

fn flip(file: &Path, bit: u64) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
    std::fs::write(file, bytes).unwrap();
}

/// Opens, and if that goes well reads everything, by the view and by a watch. `Ok` means that all notes
/// were there.
async fn read_all(folder: &Path) -> Result<(), Error> {
    let store = Store::<Notes>::open(folder, &small())?;
    assert_holds(&store, 1..=NOTES);
    let watched = watch_all(&store).await;
    store.close().await;
    watched
}

async fn watch_all(store: &Store<Notes>) -> Result<(), Error> {
    let mut watch = store.watch(0)?;
    for expected in 1..=store.last().position {
        if let Event::Entry(entry) = watch.next().await? {
            assert_eq!(entry.stamp.position, expected);
        }
    }
    Ok(())
}

/// Length of the last segment without its last entry, found by letting the store cut a torn one.
async fn length_before_last(sample: &Sample) -> u64 {
    let folder = sample.copy();
    let last = segments(&folder).pop().unwrap();
    cut(&last, length(&last) - 1);
    let store = open(&folder);
    store.close().await;
    length(&last)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_torn_at_any_byte_is_cut_off_and_all_before_it_is_there() {
    let sample = Sample::new(NOTES).await;
    let whole = length(segments(sample.whole.path()).last().unwrap());
    let before = length_before_last(&sample).await;
    assert!(whole - before > 64, "{whole} {before}");
    for end in before..whole {
        let folder = sample.copy();
        // The view of that time is gone too: the crash came before the entry reached it.
        std::fs::remove_dir_all(folder.join("view")).unwrap();
        cut(segments(&folder).last().unwrap(), end);
        let store = open(&folder);
        assert_holds(&store, 1..NOTES);
        note(&store, NOTES).await.unwrap();
        assert_holds(&store, 1..=NOTES);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn zeros_where_an_entry_should_have_been_are_cut_off() {
    let sample = Sample::new(NOTES).await;
    for zeros in [1, 63, 64, 200, 600, 5_000] {
        let folder = sample.copy();
        let last = segments(&folder).pop().unwrap();
        cut(&last, length(&last) + zeros);
        let store = open(&folder);
        assert_holds(&store, 1..=NOTES);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_the_journal_is_never_a_silent_loss() {
    let sample = Sample::new(NOTES).await;
    let mut found = 0;
    let count = segments(sample.whole.path()).len();
    assert!(count > 1, "several segments");
    for segment in 0..count {
        let bits = length(&segments(sample.whole.path())[segment]) * 8;
        for place in 0..40 {
            let folder = sample.copy();
            let file = &segments(&folder)[segment];
            flip(file, (place * 104_729 + place % 8) % bits);
            match read_all(&folder).await {
                Err(Error::Damaged { file: named, .. }) => {
                    assert_eq!(&named, file);
                    found += 1;
                }
                other => panic!("bit {place} of segment {segment} went unnoticed: {other:?}"),
            }
        }
    }
    println!("{found} flipped bits, each named with its file");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_view_a_store_with_a_flipped_bit_does_not_open() {
    let sample = Sample::new(NOTES).await;
    for segment in segments(sample.whole.path()) {
        let folder = sample.copy();
        std::fs::remove_dir_all(folder.join("view")).unwrap();
        let file = folder.join("journal").join(segment.file_name().unwrap());
        flip(&file, length(&file) * 8 - 100);
        let opened = Store::<Notes>::open(&folder, &small());
        assert!(matches!(opened, Err(Error::Damaged { .. })), "{opened:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_shortened_segment_is_named() {
    let sample = Sample::new(NOTES).await;
    let folder = sample.copy();
    let first = &segments(&folder)[0];
    cut(first, length(first) - 1);
    assert!(matches!(
        read_all(&folder).await,
        Err(Error::Damaged { .. })
    ));
    for segment in 0..segments(sample.whole.path()).len() {
        for bytes in [0, 10, 63] {
            let folder = sample.copy();
            cut(&segments(&folder)[segment], bytes);
            let read = read_all(&folder).await;
            assert!(
                matches!(read, Err(Error::Damaged { .. })),
                "{segment} {bytes} {read:?}"
            );
        }
    }
    let folder = sample.copy();
    std::fs::remove_file(&segments(&folder)[1]).unwrap();
    assert!(matches!(
        read_all(&folder).await,
        Err(Error::Damaged { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_the_view_is_never_a_short_answer() {
    let sample = Sample::new(NOTES).await;
    for file in files_below(&sample.whole.path().join("view")) {
        let bits = length(&file) * 8;
        let name = file.strip_prefix(sample.whole.path()).unwrap();
        for place in 0..bits.min(50) {
            let folder = sample.copy();
            flip(&folder.join(name), place * (bits / bits.min(50)));
            read_all(&folder).await.expect("the journal is whole");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_cut_short_is_rebuilt() {
    let sample = Sample::new(NOTES).await;
    for file in files_below(&sample.whole.path().join("view")) {
        let name = file.strip_prefix(sample.whole.path()).unwrap();
        for part in 0..10 {
            let folder = sample.copy();
            cut(&folder.join(name), length(&file) * part / 10);
            read_all(&folder).await.expect("the journal is whole");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_files_in_the_view_do_no_harm() {
    let sample = Sample::new(NOTES).await;
    let junk: [(&str, &[u8]); 5] = [
        ("snap.00000000000000FF.generating", b"junk"),
        ("snap.00000000000000FF", b"junk"),
        ("blobs/12345", b"junk"),
        ("conf", b""),
        ("db", b""),
    ];
    for (name, content) in junk {
        let folder = sample.copy();
        let file = folder.join("view").join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
        read_all(&folder).await.expect("the journal is whole");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_view_is_rebuilt() {
    let sample = Sample::new(NOTES).await;
    let folder = sample.copy();
    std::fs::remove_dir_all(folder.join("view")).unwrap();
    read_all(&folder).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_ahead_of_the_journal_is_rebuilt_to_what_the_journal_holds() {
    let sample = Sample::new(NOTES).await;
    let before = length_before_last(&sample).await;
    let folder = sample.copy();
    cut(segments(&folder).last().unwrap(), before);
    let store = open(&folder);
    assert_holds(&store, 1..NOTES);
    assert!(folder.join("view.damaged").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_behind_the_journal_is_caught_up() {
    let sample = Sample::new(NOTES).await;
    let folder = sample.copy();
    let older = sample.work.path().join("older");
    copy_folder(&folder.join("view"), &older);
    let store = open(&folder);
    for number in NOTES + 1..=2 * NOTES {
        note(&store, number).await.unwrap();
    }
    store.close().await;
    drop(store);
    std::fs::remove_dir_all(folder.join("view")).unwrap();
    copy_folder(&older, &folder.join("view"));
    let store = open(&folder);
    assert_holds(&store, 1..=2 * NOTES);
    assert!(
        !folder.join("view.damaged").exists(),
        "replayed, not rebuilt"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_view_of_another_journal_is_not_believed() {
    let sample = Sample::new(NOTES).await;
    let other = tempfile::tempdir().unwrap();
    let store = open(other.path());
    for number in 1..=NOTES {
        note(&store, number + 1_000).await.unwrap();
    }
    store.close().await;
    drop(store);
    let folder = sample.copy();
    std::fs::remove_dir_all(folder.join("view")).unwrap();
    copy_folder(&other.path().join("view"), &folder.join("view"));
    read_all(&folder).await.unwrap();
}
