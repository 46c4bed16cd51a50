//! A service says how it is, and checks its journal and its view while it serves.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::fs;
use std::path::PathBuf;

use proto::events::v1::OfficeLevel;
use proto::journal::v1::verify_journal_response::Report;
use proto::journal::v1::{FaultKind, GetJournalStatusRequest, JournalStatus, Verdict};
use proto::journal::v1::{VerifyJournalRequest, VerifyJournalResponse};
use proto::parse_timestamp;
use tests::{Server, Way, both_ways, event, fields, reason};
use tonic::{Status, Streaming};

both_ways!(Events:
    a_service_says_what_it_keeps_and_how_much_room_is_left,
    a_whole_service_is_found_whole_while_it_is_written_to,
    a_damaged_journal_is_found_and_named,
    one_verification_runs_at_a_time_and_ends_with_its_reader,
    a_verification_does_not_hold_up_the_end_of_a_process,
);

async fn record(server: &Server, ids: std::ops::Range<usize>) {
    for id in ids {
        let id = format!("e{id}");
        let pair = ["CHN", "KAZ"];
        let mut request = event(&id, &pair, OfficeLevel::Minister, "2024", "");
        request.allow_duplicate = true;
        server.events().create_event(request).await.unwrap();
    }
}

async fn status(server: &Server) -> JournalStatus {
    let asked = GetJournalStatusRequest {
        name: "journals/events".into(),
    };
    let answer = server.journals().get_journal_status(asked).await;
    answer.unwrap().into_inner()
}

async fn begin(
    server: &Server,
    effort_percent: i32,
) -> Result<Streaming<VerifyJournalResponse>, Status> {
    let asked = VerifyJournalRequest {
        name: "journals/events".into(),
        effort_percent,
    };
    Ok(server.journals().verify_journal(asked).await?.into_inner())
}

/// Reads to the end; how many messages came before the verdict.
async fn end(mut reports: Streaming<VerifyJournalResponse>) -> Result<(usize, Verdict), Status> {
    let mut before = 0;
    loop {
        match reports.message().await?.unwrap().report.unwrap() {
            Report::Progress(progress) => {
                assert!(progress.position <= progress.last_position);
                before += 1;
            }
            Report::Verdict(verdict) => {
                assert!(reports.message().await?.is_none());
                return Ok((before, verdict));
            }
        }
    }
}

async fn verify(server: &Server) -> Verdict {
    let (_, verdict) = end(begin(server, 100).await.unwrap()).await.unwrap();
    verdict
}

async fn a_service_says_what_it_keeps_and_how_much_room_is_left(server: &mut Server) {
    let empty = status(server).await;
    assert_eq!(empty.journal.as_ref().unwrap().last_position, 0);
    record(server, 0..10).await;
    let status = status(server).await;
    let journal = status.journal.unwrap();
    assert_eq!(
        (&*journal.name, journal.last_position),
        ("journals/events", 10)
    );
    assert_eq!(status.version, env!("CARGO_PKG_VERSION"));
    let started = parse_timestamp(&status.start_time.unwrap()).unwrap();
    let committed = parse_timestamp(&journal.last_commit_time.unwrap()).unwrap();
    assert!(started < committed);
    let files = segments(server);
    let bytes: u64 = files
        .iter()
        .map(|file| fs::metadata(file).unwrap().len())
        .sum();
    assert_eq!(status.journal_bytes, bytes);
    assert!(status.journal_bytes > empty.journal_bytes);
    assert!(status.view_bytes > 0 && status.view_records > 10);
    assert!(status.free_bytes > 0 && status.reserve_bytes > 0);
    assert_eq!((status.ballast_bytes, status.wanted_ballast_bytes), (0, 0));
    let nothing = GetJournalStatusRequest {
        name: "journals/gossip".into(),
    };
    let refused = server.journals().get_journal_status(nothing).await;
    assert_eq!(reason(&refused.unwrap_err()), "NotFound NOT_FOUND");
}

fn segments(server: &Server) -> Vec<PathBuf> {
    let folder = server.data().join("events").join("journal");
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

async fn a_whole_service_is_found_whole_while_it_is_written_to(server: &mut Server) {
    record(server, 0..50).await;
    let reports = begin(server, 0).await.unwrap();
    record(server, 50..60).await;
    let (before, verdict) = end(reports).await.unwrap();
    assert!(before > 0, "it tells that it has begun");
    assert_eq!(verdict.faults, []);
    let verified = verdict.journal.unwrap();
    assert!((50..=60).contains(&verified.last_position));
    let again = verify(server).await;
    assert_eq!(again.journal, status(server).await.journal);
    assert_eq!(again.records, status(server).await.view_records);
    // What is rebuilt from the same journal is the same.
    server.restart_without_view().await;
    let rebuilt = verify(server).await;
    assert_eq!((rebuilt.digest, rebuilt.faults), (again.digest, vec![]));
}

async fn a_damaged_journal_is_found_and_named(server: &mut Server) {
    record(server, 0..20).await;
    let file = segments(server).pop().unwrap();
    let whole = fs::read(&file).unwrap();
    let words = b"events/e7";
    let at = whole
        .windows(words.len())
        .position(|at| at == words)
        .unwrap();
    let mut damaged = whole.clone();
    damaged[at] ^= 1;
    fs::write(&file, &damaged).unwrap();
    let verdict = verify(server).await;
    let [fault] = &verdict.faults[..] else {
        panic!("{verdict:?}");
    };
    assert_eq!(fault.kind(), FaultKind::JournalDamaged);
    assert_eq!(fault.file, file.display().to_string());
    assert_eq!(fault.position, 8);
    assert!(fault.offset < at as u64 && at as u64 - fault.offset < 500);
    assert_eq!(verdict.journal.unwrap().last_position, 7);
    fs::write(&file, &whole).unwrap();
    assert_eq!(verify(server).await.faults, []);
}

async fn one_verification_runs_at_a_time_and_ends_with_its_reader(server: &mut Server) {
    record(server, 0..5).await;
    let below_nothing = begin(server, -1).await.unwrap_err();
    assert_eq!(fields(&below_nothing), ["effort_percent"]);
    let (first, second) = loop {
        let first = begin(server, 1).await;
        // On a busy machine the first one may have ended before the second is asked for.
        match begin(server, 100).await {
            Err(second) => break (first, second),
            Ok(second) => drop((first, second)),
        }
    };
    assert_eq!(reason(&second), "ResourceExhausted OVERLOADED");
    drop(first);
    let third = loop {
        match begin(server, 100).await {
            Ok(third) => break third,
            Err(busy) => assert_eq!(reason(&busy), "ResourceExhausted OVERLOADED"),
        }
    };
    assert_eq!(end(third).await.unwrap().1.faults, []);
    let beside = server.data().join("events").join("view.verifying");
    assert!(!beside.exists());
}

async fn a_verification_does_not_hold_up_the_end_of_a_process(server: &mut Server) {
    record(server, 0..200).await;
    let mut reports = begin(server, 1).await.unwrap();
    assert!(reports.message().await.unwrap().is_some());
    server.ask_to_stop();
    match end(reports).await {
        Ok((_, verdict)) => assert_eq!(verdict.faults, []),
        Err(stopped) => assert_eq!(reason(&stopped), "Unavailable SHUTTING_DOWN"),
    }
    server.stop().await;
    // What a process leaves behind goes at the next start; a task of this one ends in its own time.
    let beside = server.data().join("events").join("view.verifying");
    while server.way() == Way::InProcess && beside.exists() {
        tokio::task::yield_now().await;
    }
    server.start_again().await;
    assert_eq!(verify(server).await.faults, []);
}
