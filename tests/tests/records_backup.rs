//! A journal streamed out, and a service from the copy.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use proto::events::v1::{Event, EventFilter, ListEventsRequest, OfficeLevel};
use proto::journal::v1::{BackupJournalRequest, GetJournalRequest, Journal, JournalEntry};
use proto::parse_timestamp;
use tests::{Server, both_ways, event, fields, metadata, reason};
use tokio_stream::StreamExt;
use tonic::Status;

both_ways!(Events:
    a_copy_of_a_journal_is_the_journal,
    a_copy_is_carried_on_after_its_last_entry,
    a_copy_that_was_tampered_with_is_refused,
    a_journal_that_is_not_there_is_told,
);

async fn record(server: &Server, ids: std::ops::Range<usize>) {
    for id in ids {
        let mut request = event(
            &format!("e{id}"),
            &["CHN", "KAZ"],
            OfficeLevel::Minister,
            "2024",
            "",
        );
        request.allow_duplicate = true;
        server.events().create_event(request).await.unwrap();
    }
}

async fn copy(
    server: &Server,
    after_position: u64,
) -> Result<(Journal, Vec<JournalEntry>), Status> {
    let request = BackupJournalRequest {
        name: "journals/events".into(),
        after_position,
    };
    let mut parts = server
        .journals()
        .backup_journal(request)
        .await?
        .into_inner();
    let (mut journal, mut entries) = (None, Vec::new());
    while let Some(part) = parts.next().await {
        let part = part?;
        journal = journal.or(part.journal);
        entries.extend(part.entries);
    }
    Ok((
        journal.expect("the first part says where the journal stands"),
        entries,
    ))
}

fn restore(folder: &std::path::Path, entries: &[JournalEntry]) -> Result<u64, store::Error> {
    let mut restore = store::Restore::start(folder, &store::Config::default())?;
    for entry in entries {
        let time = parse_timestamp(&entry.commit_time.unwrap()).unwrap();
        restore.append(entry.position, time, &entry.hash, &entry.body)?;
    }
    Ok(restore.last())
}

/// The events, whole: to be compared.
async fn listed(server: &Server) -> Vec<Event> {
    let request = ListEventsRequest {
        filter: Some(EventFilter::default()),
        page_size: 500,
        ..ListEventsRequest::default()
    };
    let page = server
        .events()
        .list_events(request)
        .await
        .unwrap()
        .into_inner();
    page.events
}

async fn a_copy_of_a_journal_is_the_journal(server: &mut Server) {
    record(server, 0..30).await;
    let before = listed(server).await;
    let (journal, entries) = copy(server, 0).await.unwrap();
    assert_eq!(
        entries.last().map(|entry| entry.position),
        Some(journal.last_position)
    );
    assert_eq!(
        entries.last().map(|entry| &entry.hash),
        Some(&journal.last_hash)
    );
    let described = GetJournalRequest {
        name: "journals/events".into(),
    };
    let described = server
        .journals()
        .get_journal(described)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(described, journal);
    server.stop().await;
    let folder = server.data().join("events");
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(restore(&folder, &entries).unwrap(), journal.last_position);
    server.start_again().await;
    assert_eq!(listed(server).await, before);
    record(server, 30..31).await;
    assert_eq!(listed(server).await.len(), 31);
}

async fn a_copy_is_carried_on_after_its_last_entry(server: &mut Server) {
    record(server, 0..5).await;
    let (first, mut entries) = copy(server, 0).await.unwrap();
    record(server, 5..9).await;
    let (second, rest) = copy(server, first.last_position).await.unwrap();
    assert_eq!(rest.len(), 4);
    entries.extend(rest);
    let folder = tempfile::tempdir().unwrap();
    let restored = restore(&folder.path().join("events"), &entries).unwrap();
    assert_eq!(restored, second.last_position);
    let (_, nothing) = copy(server, second.last_position).await.unwrap();
    assert!(nothing.is_empty());
    let ahead = copy(server, second.last_position + 1).await.unwrap_err();
    assert_eq!(reason(&ahead), "OutOfRange POSITION_AHEAD");
    assert_eq!(metadata(&ahead, "last"), second.last_position.to_string());
    let far = copy(server, u64::MAX).await.unwrap_err();
    assert_eq!(reason(&far), "OutOfRange POSITION_AHEAD");
}

async fn a_copy_that_was_tampered_with_is_refused(server: &mut Server) {
    record(server, 0..4).await;
    let (_, entries) = copy(server, 0).await.unwrap();
    let refused = |entries: &[JournalEntry]| {
        let folder = tempfile::tempdir().unwrap();
        restore(&folder.path().join("events"), entries).unwrap_err()
    };
    let mut changed = entries.clone();
    changed[1].body[10] ^= 1;
    let damaged = refused(&changed).to_string();
    assert!(damaged.contains("entry 2"), "{damaged}");
    let mut swapped = entries.clone();
    swapped.swap(1, 2);
    let without_the_first = &entries[1..];
    for does_not_follow in [&swapped[..], without_the_first] {
        let error = refused(does_not_follow);
        assert!(matches!(error, store::Error::Conflict { .. }), "{error}");
    }
    let taken = tempfile::tempdir().unwrap();
    std::fs::write(taken.path().join("something"), "").unwrap();
    assert!(
        restore(taken.path(), &entries)
            .unwrap_err()
            .to_string()
            .contains("not empty")
    );
}

async fn a_journal_that_is_not_there_is_told(server: &mut Server) {
    let get = async |name: &str| {
        let request = GetJournalRequest { name: name.into() };
        server.journals().get_journal(request).await.unwrap_err()
    };
    assert_eq!(reason(&get("journals/nothing").await), "NotFound NOT_FOUND");
    assert_eq!(fields(&get("events").await), ["name"]);
}
