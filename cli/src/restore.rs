//! A service's folder from a copy of its journal.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use proto::journal::v1::{BackupJournalResponse, Journal};
use store::Restore;

use crate::args::backup::RestoreArgs;
use crate::args::serve::Role;
use crate::backup::{Reader, Seen, time};
use crate::export::interrupted;
use crate::figures;

/// Restores a copy; what does not go well, or is interrupted, leaves nothing.
pub(crate) async fn run(args: &RestoreArgs) -> anyhow::Result<()> {
    let (file, data) = (args.file.clone(), args.data.clone());
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let mut work = tokio::task::spawn_blocking(move || restore(&file, &data, &asked));
    let restored = tokio::select! {
        done = &mut work => done,
        () = interrupted() => {
            stop.store(true, Ordering::Relaxed);
            work.await
        }
    };
    let restored = restored?.with_context(|| format!("restoring {}", args.file.display()))?;
    let Restored { entries, folder } = restored;
    let entries = figures::grouped(&entries.to_string());
    Ok(writeln!(
        io::stdout(),
        "Restored {entries} entries into {}.",
        folder.display()
    )?)
}

/// What a restore came to.
struct Restored {
    entries: u64,
    folder: PathBuf,
}

fn restore(file: &Path, data: &Path, stop: &AtomicBool) -> anyhow::Result<Restored> {
    let mut reader = Reader::open(file)?;
    let mut seen = Seen::default();
    let first = reader.part()?.context("there is nothing in it")?;
    seen.take(&first)?;
    let folder = data.join(role(seen.journal())?.name());
    ensure_empty(&folder)?;
    let pending = Pending::make(&folder)?;
    write(&first, &mut reader, &mut seen, &pending.folder, stop)?;
    pending.commit(&folder)?;
    Ok(Restored {
        entries: seen.last(),
        folder,
    })
}

/// Whose journal it is.
fn role(journal: Option<&Journal>) -> anyhow::Result<Role> {
    let name = journal.map_or("", |journal| &journal.name);
    let role = name.strip_prefix("journals/");
    let role = role.and_then(|role| Role::from_str(role, false).ok());
    role.with_context(|| format!("it is a copy of `{name}`, which no service here keeps"))
}

fn ensure_empty(folder: &Path) -> anyhow::Result<()> {
    match fs::read_dir(folder) {
        Ok(mut found) => ensure!(
            found.next().is_none(),
            "{} is not empty; a journal is restored into a folder that is empty or not there",
            folder.display()
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => bail!("{}: {error}", folder.display()),
    }
    Ok(())
}

/// Writes all entries of a copy, which must be whole, into an empty folder.
fn write(
    first: &BackupJournalResponse,
    reader: &mut Reader,
    seen: &mut Seen,
    folder: &Path,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let mut restore = Restore::start(folder, &store::Config::default())?;
    let bar = progress(reader.bytes());
    append(&mut restore, first)?;
    while let Some(part) = reader.part()? {
        ensure!(!stop.load(Ordering::Relaxed), "interrupted");
        seen.take(&part)?;
        append(&mut restore, &part)?;
        bar.set_position(reader.offset());
    }
    bar.finish_and_clear();
    seen.whole()?;
    Ok(File::open(folder)?.sync_all()?)
}

fn append(restore: &mut Restore, part: &BackupJournalResponse) -> anyhow::Result<()> {
    for entry in &part.entries {
        let position = entry.position;
        let appended = restore.append(position, time(entry)?, &entry.hash, &entry.body);
        appended.with_context(|| format!("entry {position}"))?;
    }
    Ok(())
}

/// Drawn on standard error where that is a terminal.
fn progress(bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
    let bar = ProgressBar::new(bytes);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A folder that is filled beside the one whose name it takes in the end. Dropped before, it is gone.
struct Pending {
    folder: PathBuf,
    is_complete: bool,
}

impl Pending {
    fn make(folder: &Path) -> anyhow::Result<Pending> {
        let pending = folder.with_extension("restoring");
        if let Some(data) = folder.parent() {
            fs::create_dir_all(data).with_context(|| format!("in {}", data.display()))?;
        }
        match fs::create_dir(&pending) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => bail!(
                "{} is there: another restore fills it, or one was killed; if none runs, remove it",
                pending.display()
            ),
            made => made.with_context(|| format!("in {}", pending.display()))?,
        }
        Ok(Pending {
            folder: pending,
            is_complete: false,
        })
    }

    /// Gives the folder its name, durably. One that was filled meanwhile stays as it is.
    fn commit(mut self, folder: &Path) -> anyhow::Result<()> {
        let named = || format!("as {}", folder.display());
        fs::rename(&self.folder, folder).with_context(named)?;
        self.is_complete = true;
        let data = folder.parent().unwrap_or(folder);
        Ok(File::open(data)?.sync_all()?)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.is_complete {
            // What stays says by its name what it is.
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn only_the_name_of_a_service_becomes_a_folder() {
        let role = |name: &str| {
            let journal = Journal {
                name: name.into(),
                ..Journal::default()
            };
            role(Some(&journal)).map(Role::name)
        };
        assert_eq!(role("journals/culture").unwrap(), "culture");
        for wrong in ["journals/../etc", "journals/", "culture", ""] {
            assert!(role(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_interrupted_or_not_whole_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events.journal");
        let journal = Journal {
            name: "journals/events".into(),
            last_position: 1,
            ..Journal::default()
        };
        let first = BackupJournalResponse {
            journal: Some(journal),
            entries: Vec::new(),
        };
        let mut bytes = b"entente journal copy 1\n".to_vec();
        bytes.extend(first.encode_length_delimited_to_vec());
        bytes.extend(BackupJournalResponse::default().encode_length_delimited_to_vec());
        fs::write(&file, bytes).unwrap();
        let data = folder.path().join("data");
        for (stop, fault) in [(true, "interrupted"), (false, "it ends after entry 0")] {
            let refused = restore(&file, &data, &AtomicBool::new(stop)).err().unwrap();
            assert!(refused.to_string().contains(fault), "{refused}");
            assert!(fs::read_dir(&data).unwrap().next().is_none());
        }
    }
}
