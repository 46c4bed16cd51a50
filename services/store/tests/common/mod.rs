//! A model for the store's tests: notes by number. Each note is kept twice and counted, so that a write
//! that is half there shows.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::print_stdout, reason = "a check that is left out is told")]
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::path::Path;
use std::process::{Child, Command, Stdio};

use prost::Message;
use store::{Config, Decision, Error, Model, Origin, Stamp, State, Store, Written};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Noted {
    #[prost(uint64, tag = "1")]
    pub(crate) number: u64,
    #[prost(string, tag = "2")]
    pub(crate) text: String,
}

#[derive(Debug)]
pub(crate) struct Notes;

impl Model for Notes {
    type Change = Noted;
    const NAME: &'static str = "notes";
    const LAYOUT: u32 = 1;

    fn apply(state: &mut State<'_>, change: &Noted, _stamp: Stamp) -> Result<(), Error> {
        assert_ne!(change.text, "panic while applied");
        if state.get(&first_key(change.number))?.is_none() {
            let count = count(state) + 1;
            state.put(vec![3], count.to_be_bytes().to_vec())?;
        }
        state.put(first_key(change.number), change.text.clone().into_bytes())?;
        state.put(second_key(change.number), change.text.clone().into_bytes())
    }
}

pub(crate) fn first_key(number: u64) -> Vec<u8> {
    [&[1], &number.to_be_bytes()[..]].concat()
}

pub(crate) fn second_key(number: u64) -> Vec<u8> {
    [&[2], &number.to_be_bytes()[..]].concat()
}

pub(crate) fn count(state: &State<'_>) -> u64 {
    let stored = state.get(&[3]).expect("readable");
    stored.map_or(0, |value| u64::from_be_bytes(value[..].try_into().unwrap()))
}

pub(crate) fn text_of(number: u64) -> String {
    format!("note {number} {}", "x".repeat((number % 200) as usize))
}

/// Small limits, so that a few hundred notes make several segments.
pub(crate) fn small() -> Config {
    Config {
        reserve_bytes: 1 << 20,
        ballast_bytes: 0,
        segment_bytes: 8 << 10,
        cache_bytes: 8 << 20,
        idle: std::time::Duration::from_millis(50),
        ..Config::default()
    }
}

pub(crate) fn open(folder: &Path) -> Store<Notes> {
    Store::open(folder, &small()).expect("the store opens")
}

pub(crate) async fn note(store: &Store<Notes>, number: u64) -> Result<Written<()>, Error> {
    note_as(store, number, text_of(number), Origin::default()).await
}

pub(crate) async fn note_as(
    store: &Store<Notes>,
    number: u64,
    text: String,
    origin: Origin,
) -> Result<Written<()>, Error> {
    let decide = move |_: &State<'_>, _| {
        let change = Noted { number, text };
        Ok(Decision::change(change, format!("notes/{number}"), ()))
    };
    store.write(origin, decide).await
}

/// Checks that exactly the notes of `numbers` are there, each whole.
pub(crate) fn assert_holds(store: &Store<Notes>, numbers: impl IntoIterator<Item = u64>) {
    store.read(|state| {
        let mut expected = 0;
        for number in numbers {
            let text = text_of(number).into_bytes();
            let first = state.get(&first_key(number)).expect("readable");
            assert_eq!(first.as_deref(), Some(&text[..]), "note {number}");
            expected += 1;
        }
        assert_eq!(count(state), expected);
        assert_twins(state);
    });
}

/// Checks that no note is half there.
pub(crate) fn assert_twins(state: &State<'_>) {
    let numbered = |first: u8| {
        state
            .range(&[first], &[first + 1])
            .map(|record| record.expect("readable"))
            .map(|(key, value)| (key[1..].to_vec(), value.to_vec()))
            .collect::<Vec<_>>()
    };
    let notes = numbered(1);
    assert_eq!(notes, numbered(2));
    assert_eq!(notes.len() as u64, count(state));
}

/// Fills a new store with notes 1 to `last`, one entry each, and closes it.
pub(crate) async fn filled(folder: &Path, last: u64) {
    let store = open(folder);
    for number in 1..=last {
        note(&store, number).await.expect("durable");
    }
    store.close().await;
}

/// Runs one test of this same test binary in a process of its own, where `ENTENTE_CHILD` is `folder`.
pub(crate) fn child(test: &str, folder: &Path) -> Child {
    child_of(Command::new(std::env::current_exe().unwrap()), test, folder)
}

pub(crate) fn child_of(mut command: Command, test: &str, folder: &Path) -> Child {
    command
        .args(["--exact", test, "--nocapture"])
        .env("ENTENTE_CHILD", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the child starts")
}

/// The folder, when this process is a child.
pub(crate) fn child_folder() -> Option<std::path::PathBuf> {
    std::env::var_os("ENTENTE_CHILD").map(Into::into)
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

pub(crate) fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Tells that a check is left out for want of `what`, or fails when `ENTENTE_REQUIRE` names it.
pub(crate) fn not_checked(what: &str, why: &str) {
    let required = std::env::var("ENTENTE_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|one| one == what), "{why}");
    println!("NOT CHECKED: {why}");
}
