//! Records into a service: those that are new are created, those that are there stay as they are.

use std::collections::HashSet;

use indicatif::ProgressBar;
use prost::Message;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::Imported;
use super::sheet::{Rejection, Sheet};
use crate::args::records::ImportRecordsArgs;
use crate::client::entry_violations;
use crate::record::{Kind, full_name};

/// The most records of one call.
const BATCH: usize = 500;
/// The most bytes of one call, below the 1.5 MiB that a service takes.
const BATCH_BYTES: usize = 1 << 20;

/// A request with the line that it comes from.
pub(super) type Entry<K> = (u64, <K as Kind>::Create);

/// Imports what the rows of a file ask for.
pub(super) async fn import<K: Kind>(
    mut sheet: Sheet,
    entries: Vec<Entry<K>>,
    remarks: Vec<String>,
    args: &ImportRecordsArgs,
) -> anyhow::Result<Imported> {
    let read = entries.len();
    let entries = each_once::<K>(entries, &mut sheet.rejected);
    let mut kind = K::connect(&args.server).await?;
    // Told while records are compared one by one, which takes the longest.
    let bar = super::counter(entries.len(), &sheet.name);
    let compared = compare(&mut kind, entries, &mut sheet.rejected, &bar).await;
    let (fresh, unchanged) = compared.inspect_err(|_| bar.finish_and_clear())?;
    let new = if args.dry_run {
        fresh.len()
    } else {
        let created = create_all(&mut kind, fresh, &mut sheet.rejected).await;
        created.inspect_err(|_| bar.finish_and_clear())?
    };
    bar.finish_and_clear();
    let rejected = sheet.rejected.len();
    let mut sums = vec![
        format!("{read} {}s", K::NOUN),
        format!("new {new}, unchanged {unchanged}, rejected {rejected}"),
    ];
    sums.extend(remarks);
    if args.dry_run {
        sums.push("nothing was written".into());
    } else if new == 0 {
        sums.push("nothing changed".into());
    }
    sheet.tell(&sums)
}

/// The entries whose ids come for the first time; the others are rejected.
fn each_once<K: Kind>(entries: Vec<Entry<K>>, rejected: &mut Vec<Rejection>) -> Vec<Entry<K>> {
    let mut seen = HashSet::new();
    let mut once = Vec::with_capacity(entries.len());
    for (line, request) in entries {
        let (id, _) = K::asked(&request);
        if seen.insert(id.to_owned()) {
            once.push((line, request));
        } else {
            let reason = format!("`{id}` was given before in this file");
            rejected.push(Rejection::new(line, "id", reason));
        }
    }
    once
}

/// Those that are not there yet, and how many are there as they are. What is stored and says something else is
/// told, and left as it is.
async fn compare<K: Kind>(
    kind: &mut K,
    entries: Vec<Entry<K>>,
    rejected: &mut Vec<Rejection>,
    bar: &ProgressBar,
) -> Result<(Vec<Entry<K>>, usize), Status> {
    let mut fresh = Vec::new();
    let mut unchanged = 0;
    for (line, request) in entries {
        bar.inc(1);
        let (id, wanted) = K::asked(&request);
        match kind.get(full_name::<K>(id), None).await {
            Ok(stored) if K::bare(stored.clone()) == K::bare(wanted) => unchanged += 1,
            Ok(_) => {
                let reason = format!(
                    "the stored {} of this id says something else, and is left as it is",
                    K::NOUN
                );
                rejected.push(Rejection::new(line, "id", reason));
            }
            Err(status) if status.code() == Code::NotFound => fresh.push((line, request)),
            Err(status) => return Err(status),
        }
    }
    Ok((fresh, unchanged))
}

/// Creates in batches, each whole or not at all. How many are in.
async fn create_all<K: Kind>(
    kind: &mut K,
    fresh: Vec<Entry<K>>,
    rejected: &mut Vec<Rejection>,
) -> Result<usize, Status> {
    let mut new = 0;
    let bytes = |(_, request): &Entry<K>| request.encoded_len();
    for batch in batches(fresh, BATCH, bytes) {
        new += create(kind, batch, rejected).await?;
    }
    Ok(new)
}

/// Cuts entries into batches that a call takes, in their order.
pub(super) fn batches<T>(entries: Vec<T>, most: usize, bytes: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut batches: Vec<Vec<T>> = Vec::new();
    let mut held = 0;
    for entry in entries {
        let size = bytes(&entry);
        match batches.last_mut() {
            Some(last) if last.len() < most && held + size <= BATCH_BYTES => {
                held += size;
                last.push(entry);
            }
            Some(_) | None => {
                held = size;
                batches.push(vec![entry]);
            }
        }
    }
    batches
}

/// Creates a batch; those that the service refuses are rejected and the others created. How many are in.
async fn create<K: Kind>(
    kind: &mut K,
    mut batch: Vec<Entry<K>>,
    rejected: &mut Vec<Rejection>,
) -> Result<usize, Status> {
    while !batch.is_empty() {
        let requests = batch.iter().map(|(_, request)| request.clone()).collect();
        let Err(status) = kind.create_batch(requests).await else {
            return Ok(batch.len());
        };
        if status.code() == Code::AlreadyExists {
            return one_by_one(kind, batch, rejected).await;
        }
        let Some(refused) = refused(&status, &lines::<K>(&batch), K::FIELD) else {
            return Err(status);
        };
        let entries: HashSet<usize> = refused.iter().map(|(entry, _)| *entry).collect();
        rejected.extend(refused.into_iter().map(|(_, rejection)| rejection));
        batch = without(batch, &entries);
    }
    Ok(0)
}

/// What is left of a batch without the entries that were refused.
pub(super) fn without<T>(batch: Vec<T>, refused: &HashSet<usize>) -> Vec<T> {
    let entries = batch.into_iter().enumerate();
    let left = entries.filter(|(at, _)| !refused.contains(at));
    left.map(|(_, entry)| entry).collect()
}

fn lines<K: Kind>(batch: &[Entry<K>]) -> Vec<u64> {
    batch.iter().map(|(line, _)| *line).collect()
}

/// The entries of a batch that a status refuses; none when it refuses the batch for another reason.
fn refused(status: &Status, lines: &[u64], field: &str) -> Option<Vec<(usize, Rejection)>> {
    let violations = entry_violations(status, "requests").filter(|found| !found.is_empty())?;
    let prefix = format!("{field}.");
    let rejected = violations.into_iter().map(|violation| {
        let line = lines.get(violation.entry)?;
        let column = violation
            .field
            .strip_prefix(&prefix)
            .unwrap_or(&violation.field);
        Some((
            violation.entry,
            Rejection::new(*line, column, violation.reason),
        ))
    });
    rejected.collect()
}

/// Creates each for itself, where one of a batch is there, was deleted, or looks like another.
async fn one_by_one<K: Kind>(
    kind: &mut K,
    batch: Vec<Entry<K>>,
    rejected: &mut Vec<Rejection>,
) -> Result<usize, Status> {
    let mut new = 0;
    for (line, request) in batch {
        match kind.create(request).await {
            Ok(_) => new += 1,
            Err(status) if status.code() == Code::AlreadyExists => {
                rejected.push(Rejection::new(line, "id", taken(&status, K::NOUN)));
            }
            Err(status) => return Err(status),
        }
    }
    Ok(new)
}

/// Why an id, or a record, is there already.
fn taken(status: &Status, noun: &str) -> String {
    let details = status.get_error_details();
    let info = details.error_info();
    match info.filter(|info| info.reason == "LOOKS_LIKE_DUPLICATE") {
        Some(info) => {
            let name = info.metadata.get("name").map_or("one", String::as_str);
            format!("looks like {name}, which is there; --allow-duplicate creates it all the same")
        }
        None => format!(
            "the id is taken: by another {noun} since this import began, or by a deleted one; ids are not used again"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proto::events::v1::CreateEventRequest;
    use tonic_types::{ErrorDetails, FieldViolation};

    use super::*;
    use crate::record::Events;

    #[test]
    fn an_id_that_comes_twice_is_rejected_by_its_second_line() {
        let entry = |line, id: &str| {
            let request = CreateEventRequest {
                event_id: id.into(),
                ..Default::default()
            };
            (line, request)
        };
        let mut rejected = Vec::new();
        let entries = vec![entry(2, "a"), entry(3, "b"), entry(4, "a")];
        assert_eq!(each_once::<Events>(entries, &mut rejected).len(), 2);
        assert_eq!((rejected[0].line, &*rejected[0].column), (4, "id"));
    }

    #[test]
    fn a_batch_has_no_more_entries_and_bytes_than_a_call_takes() {
        let sizes = |entries: Vec<usize>, most| -> Vec<usize> {
            let batches = batches(entries, most, |size| *size);
            batches.iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(vec![1; 5], 2), [2, 2, 1]);
        assert_eq!(sizes(vec![BATCH_BYTES / 2; 5], 500), [2, 2, 1]);
        // One that is too large goes by itself, and the service says so.
        assert_eq!(sizes(vec![1, BATCH_BYTES + 1, 1], 500), [1, 1, 1]);
        assert_eq!(sizes(Vec::new(), 500), [] as [usize; 0]);
    }

    #[test]
    fn what_is_refused_leaves_its_batch() {
        let batch = vec!["a", "b", "c", "d"];
        assert_eq!(without(batch, &[0, 2].into()), ["b", "d"]);
    }

    #[test]
    fn a_refusal_is_brought_back_to_its_line() {
        let violation = FieldViolation::new("requests[1].event.end_date", "is before the first");
        let details = ErrorDetails::with_bad_request(vec![violation]);
        let status = Status::with_error_details(Code::InvalidArgument, "invalid", details);
        let found = refused(&status, &[2, 7], "event").unwrap();
        assert_eq!(found[0].0, 1);
        assert_eq!((found[0].1.line, &*found[0].1.column), (7, "end_date"));
        assert_eq!(refused(&Status::internal("defect"), &[2, 7], "event"), None);
    }

    #[test]
    fn a_record_that_looks_like_another_names_it() {
        let metadata: HashMap<String, String> = [("name".into(), "events/b".into())].into();
        let details = ErrorDetails::with_error_info("LOOKS_LIKE_DUPLICATE", "entente", metadata);
        let status = Status::with_error_details(Code::AlreadyExists, "there", details);
        assert!(taken(&status, "event").contains("events/b"));
        assert!(taken(&Status::already_exists("there"), "event").contains("deleted"));
    }
}
