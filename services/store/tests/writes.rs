//! What a store promises while nothing fails.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use common::{Notes, assert_holds, filled, note, note_as, open, small};
use store::{Decision, Error, Event, Origin, Request, State, Store};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_read_and_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 300).await;
    let store = open(folder.path());
    assert_holds(&store, 1..=300);
    assert_eq!(store.last().position, 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_of_one_group_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let writers = (0..500).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let next = |state: &State<'_>, _| {
                let number = common::count(state) + 1;
                let text = common::text_of(number);
                let change = common::Noted { number, text };
                Ok::<_, Error>(Decision::change(change, "", number))
            };
            store.write(Origin::default(), next).await.unwrap()
        })
    });
    let mut numbers = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        numbers.push(writer.await.unwrap().reply);
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=500).collect::<Vec<_>>());
    assert_holds(&store, 1..=500);
    assert!(
        store.last().position < 500,
        "writes that wait share entries"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stamps_grow_even_when_the_clock_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    let config = store::Config {
        clock: || 1_000,
        ..small()
    };
    let store = Store::<Notes>::open(folder.path(), &config).unwrap();
    let first = note(&store, 1).await.unwrap().stamp;
    let second = note(&store, 2).await.unwrap().stamp;
    assert_eq!((first.position, first.time), (1, 1_000));
    assert_eq!((second.position, second.time), (2, 1_001));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_goes_on_when_its_caller_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let decide = |_: &State<'_>, _| {
        let text = common::text_of(1);
        Ok::<_, Error>(Decision::change(common::Noted { number: 1, text }, "", ()))
    };
    drop(store.submit(Origin::default(), decide).unwrap());
    note(&store, 2).await.unwrap();
    assert_holds(&store, 1..=2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_decision_or_its_effects_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let decide = |_: &State<'_>, _| -> Result<Decision<_, ()>, Error> { panic!("in a decision") };
    let decided = store.write(Origin::default(), decide).await;
    assert!(matches!(decided, Err(Error::Panicked(_))));
    let applied = note_as(&store, 1, "panic while applied".into(), Origin::default()).await;
    assert!(matches!(applied, Err(Error::Panicked(_))));
    note(&store, 2).await.unwrap();
    assert_holds(&store, [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_too_large_is_refused_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let refused = note_as(&store, 1, "x".repeat(200 << 10), Origin::default()).await;
    assert!(
        matches!(refused, Err(Error::TooLarge { .. })),
        "{refused:?}"
    );
    note(&store, 2).await.unwrap();
    assert_holds(&store, [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_remembered_over_a_restart_and_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    let request = Request {
        id: [7; 16],
        digest: 99,
    };
    let origin = Origin {
        who: "somebody".into(),
        request: Some(request),
    };
    let store = open(folder.path());
    note_as(&store, 1, common::text_of(1), origin)
        .await
        .unwrap();
    store.close().await;
    drop(store);
    std::fs::remove_dir_all(folder.path().join("view")).unwrap();
    let store = open(folder.path());
    let seen = store.read(|state| state.seen(&[7; 16])).unwrap().unwrap();
    assert_eq!((seen.digest, seen.subject.as_str()), (99, "notes/1"));
    assert_eq!(store.read(|state| state.seen(&[8; 16])).unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_opener_is_told_that_the_folder_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let _store = open(folder.path());
    let second = Store::<Notes>::open(folder.path(), &small());
    assert!(matches!(second, Err(Error::Locked { .. })), "{second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_store_takes_no_write_and_still_reads() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    note(&store, 1).await.unwrap();
    store.close().await;
    assert!(matches!(note(&store, 2).await, Err(Error::Closed)));
    assert_holds(&store, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_writes_than_the_queue_holds_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = store::Config {
        queue: 1,
        ..small()
    };
    let store = Store::<Notes>::open(folder.path(), &config).unwrap();
    let (release, wait_here) = std::sync::mpsc::channel::<()>();
    let (begin, under_way) = std::sync::mpsc::channel::<()>();
    let wait = move |_: &State<'_>, _| {
        begin.send(()).unwrap();
        wait_here.recv().unwrap();
        Ok::<_, Error>(Decision::nothing(()))
    };
    let first = store.submit(Origin::default(), wait).unwrap();
    under_way.recv().unwrap();
    let nothing = |_: &State<'_>, _| Ok::<_, Error>(Decision::nothing(()));
    let second = store.submit(Origin::default(), nothing).unwrap();
    let third = store.submit(Origin::default(), nothing);
    assert!(matches!(third, Err(Error::Overloaded)));
    release.send(()).unwrap();
    first.wait().await.unwrap();
    second.wait().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_whole_entries_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let reader = {
        let store = store.clone();
        std::thread::spawn(move || {
            let mut looked = 0;
            while store.last().position < 200 || looked < 100 {
                store.read(|state| {
                    common::assert_twins(state);
                    assert!(state.stamp().position <= store.last().position + 1);
                });
                looked += 1;
            }
        })
    };
    for number in 1..=200 {
        note(&store, number).await.unwrap();
    }
    reader.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_is_ordered_complete_and_resumes_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 100).await;
    let store = open(folder.path());
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 101..=200 {
                note(&store, number).await.unwrap();
            }
        })
    };
    for after in [0, 1, 57, 100] {
        let mut watch = store.watch(after).unwrap();
        for expected in after + 1..=200 {
            let entry = entry_of(&mut watch).await;
            assert_eq!(entry.stamp.position, expected);
            let changes = entry.changes::<common::Noted>().unwrap();
            assert_eq!(changes[0].text, common::text_of(expected));
        }
        assert!(matches!(watch.next().await, Ok(Event::Idle(200))));
    }
    writer.await.unwrap();
    assert!(matches!(store.watch(201), Err(Error::PositionAhead { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_whose_wait_is_dropped_misses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 300).await;
    let store = open(folder.path());
    let mut watch = store.watch(0).unwrap();
    let (mut expected, mut polls) = (1, 0);
    while expected <= 300 {
        // A future that is polled once and dropped: some of these lose the read that was under way.
        let polled = tokio::time::timeout(std::time::Duration::ZERO, watch.next()).await;
        polls += 1;
        if let Ok(event) = polled {
            let Event::Entry(entry) = event.unwrap() else {
                continue;
            };
            assert_eq!(entry.stamp.position, expected);
            expected += 1;
        } else if polls % 7 == 0 {
            let entry = entry_of(&mut watch).await;
            assert_eq!(entry.stamp.position, expected);
            expected += 1;
        }
    }
}

async fn entry_of(watch: &mut store::Watch) -> store::Entry {
    loop {
        if let Event::Entry(entry) = watch.next().await.unwrap() {
            return entry;
        }
    }
}
