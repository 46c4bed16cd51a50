//! The services' data folders from a backup.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use proto::journal::v1::BackupJournalResponse;
use store::Restore;

use crate::args::backup::RestoreArgs;
use crate::args::serve::Role;
use crate::backup::{Kept, Left, Manifest, Reader, Seen, check, time};
use crate::interrupt::stoppable;
use crate::{figures, progress};

/// Restores a backup; what does not go well, or is interrupted, leaves nothing. A kill leaves folders behind.
pub(crate) async fn run(args: &RestoreArgs) -> anyhow::Result<()> {
    let asked = args.clone();
    let restored = stoppable(move |stop| restore(&asked, stop)).await?;
    let restored = restored.with_context(|| format!("restoring {}", args.folder.display()))?;
    for line in restored.told {
        writeln!(io::stdout(), "{line}")?;
    }
    for note in restored.left {
        writeln!(io::stderr(), "note: {note}")?;
    }
    Ok(())
}

/// What a restore came to.
struct Restored {
    /// A line for each service.
    told: Vec<String>,
    /// What stands in the backup and was not restored.
    left: Vec<String>,
}

fn restore(args: &RestoreArgs, stop: &AtomicBool) -> anyhow::Result<Restored> {
    ensure!(args.folder.is_dir(), "there is no such folder");
    let manifest = manifest(args)?;
    let roles = choose(&manifest, args, stop)?;
    ensure_apart(&args.folder, &args.data)?;
    for role in &roles {
        ensure_empty(&args.data.join(role.name()))?;
    }
    for role in &roles {
        if let Some(kept) = manifest.kept(*role) {
            ensure_whole(&args.folder, *role, kept, stop)?;
        }
    }
    let left = if args.with_left {
        Vec::new()
    } else {
        not_restored(&manifest, args, stop)
    };
    let mut restored = write_all(&manifest, &roles, args, stop)?;
    restored.left.extend(left);
    Ok(restored)
}

/// Fills a folder for each service, and gives all their names, or none.
fn write_all(
    manifest: &Manifest,
    roles: &[Role],
    args: &RestoreArgs,
    stop: &AtomicBool,
) -> anyhow::Result<Restored> {
    let make = |role: &Role| Pending::make(&args.data.join(role.name()));
    let all = roles.iter().map(make).collect::<anyhow::Result<Vec<_>>>()?;
    let write = |(role, pending): (&Role, &Pending)| {
        let copy = Copy {
            backup: &args.folder,
            role: *role,
            kept: manifest.kept(*role),
        };
        copy.write(pending, args.with_left, stop)
    };
    let written = roles.iter().zip(&all).map(write);
    let written: Vec<_> = written.collect::<anyhow::Result<_>>()?;
    commit(all, &args.data)?;
    let (told, left): (Vec<_>, Vec<_>) = written.into_iter().unzip();
    Ok(Restored {
        told,
        left: left.into_iter().flatten().collect(),
    })
}

/// The manifest of the backup. Where what is left is wanted, there may be none yet.
fn manifest(args: &RestoreArgs) -> anyhow::Result<Manifest> {
    if args.with_left {
        return Ok(Manifest::read(&args.folder)?.unwrap_or_default());
    }
    Manifest::of(&args.folder)
}

/// Which services are restored: those asked for, or all of which there is something.
fn choose(manifest: &Manifest, args: &RestoreArgs, stop: &AtomicBool) -> anyhow::Result<Vec<Role>> {
    if !args.with_left {
        return manifest.choose(&args.only);
    }
    let mut roles = Vec::new();
    for role in asked(&args.only) {
        let is_there = manifest.kept(*role).is_some()
            || Left::of(&args.folder, *role, None, stop)?.entries > 0;
        if is_there {
            roles.push(*role);
        } else {
            ensure!(
                args.only.is_empty(),
                "the backup has nothing of {}",
                role.name()
            );
        }
    }
    ensure!(!roles.is_empty(), "it has no journals");
    Ok(roles)
}

fn asked(only: &[Role]) -> &[Role] {
    match only {
        [] => Role::value_variants(),
        only => only,
    }
}

/// A line for each service of which an interrupted backup left more than counts.
fn not_restored(manifest: &Manifest, args: &RestoreArgs, stop: &AtomicBool) -> Vec<String> {
    let left = |role| Left::of(&args.folder, role, manifest.kept(role), stop);
    let told = |role: &Role| match left(*role) {
        Ok(left) if left == Left::default() => None,
        Ok(left) if left.entries == 0 => Some(format!(
            "{}: {left} that an interrupted backup left do not count: nothing of them can be restored",
            role.name()
        )),
        Ok(left) => Some(format!(
            "{}: {left} that an interrupted backup left do not count and were not restored; --with-left takes the \
             entries in",
            role.name()
        )),
        Err(error) => Some(format!("{}: {error:#}", role.name())),
    };
    asked(&args.only).iter().filter_map(told).collect()
}

/// Checks all hashes of a journal before anything is written.
fn ensure_whole(backup: &Path, role: Role, kept: &Kept, stop: &AtomicBool) -> anyhow::Result<()> {
    let bar = progress::of_journal(role, "checking", kept.bytes);
    let found = check(backup, role, kept, &bar, stop)?;
    bar.finish_and_clear();
    let Some(fault) = found.faults.last() else {
        return Ok(());
    };
    bail!(
        "{} is damaged at byte {}, at entry {}: {}",
        fault.file.display(),
        fault.offset,
        fault.position,
        fault.what
    )
}

/// Refuses data within the backup. Of a folder that is not there yet, the first one above it that is there counts.
fn ensure_apart(backup: &Path, data: &Path) -> anyhow::Result<()> {
    let there = |folder: &Path| {
        let is_here = folder.as_os_str().is_empty();
        let folder = if is_here { Path::new(".") } else { folder };
        folder.canonicalize().ok()
    };
    let (backup, above) = (backup.canonicalize()?, data.ancestors().find_map(there));
    ensure!(
        above.is_none_or(|above| !above.starts_with(&backup)),
        "{} is within the backup: name a folder elsewhere",
        data.display()
    );
    Ok(())
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

/// The copy of a journal in a backup.
struct Copy<'a> {
    backup: &'a Path,
    role: Role,
    /// What counts of it, which may be nothing.
    kept: Option<&'a Kept>,
}

impl Copy<'_> {
    /// Writes all entries into an empty folder; a line about it, and one about what could not be taken.
    fn write(
        &self,
        to: &Pending,
        with_left: bool,
        stop: &AtomicBool,
    ) -> anyhow::Result<(String, Option<String>)> {
        let mut restore = Restore::start(&to.folder, &store::Config::default())?;
        if let Some(kept) = self.kept {
            self.write_counted(kept, &mut restore, stop)?;
        }
        let mut left = Left::default();
        if with_left {
            left = Left::read(self.backup, self.role, self.kept, |part| {
                ensure!(!stop.load(Ordering::Relaxed), "interrupted");
                append(&mut restore, part)
            })?;
        }
        let last = restore.last();
        restore.finish()?;
        Ok((told(to, last, left), self.not_taken(left)))
    }

    /// A run that was killed leaves the beginning of a message; more than one is nobody's.
    fn not_taken(&self, left: Left) -> Option<String> {
        let (bytes, role) = (grouped(left.beyond), self.role.name());
        let told = || {
            format!(
                "{role}: {bytes} bytes behind the last entry that follows were not taken in: a message that was cut off, \
                 or damage"
            )
        };
        (left.beyond > 0).then(told)
    }

    fn write_counted(
        &self,
        kept: &Kept,
        restore: &mut Restore,
        stop: &AtomicBool,
    ) -> anyhow::Result<()> {
        let mut reader = Reader::part_of(&Kept::path(self.backup, self.role), 0, kept.bytes)?;
        let mut seen = Seen::default();
        let bar = progress::of_journal(self.role, "writing", reader.end());
        while let Some(part) = reader.part()? {
            ensure!(!stop.load(Ordering::Relaxed), "interrupted");
            seen.take(&part)?;
            append(restore, &part)?;
            bar.set_position(reader.offset());
        }
        bar.finish_and_clear();
        seen.whole()?;
        Ok(())
    }
}

fn told(to: &Pending, last: u64, left: Left) -> String {
    let (last, folder) = (grouped(last), to.target.display());
    let left = match left.entries {
        0 => String::new(),
        left => format!(", {} of them left by an interrupted backup", grouped(left)),
    };
    format!("Restored {last} entries into {folder}{left}.")
}

fn grouped(number: u64) -> String {
    figures::grouped(&number.to_string())
}

fn append(restore: &mut Restore, part: &BackupJournalResponse) -> anyhow::Result<()> {
    for entry in &part.entries {
        let position = entry.position;
        let appended = restore.append(position, time(entry)?, &entry.hash, &entry.body);
        appended.with_context(|| format!("entry {position}"))?;
    }
    Ok(())
}

/// A folder that is filled beside the one whose name it takes in the end. Dropped before, it is gone.
struct Pending {
    folder: PathBuf,
    target: PathBuf,
    is_complete: bool,
}

impl Pending {
    fn make(target: &Path) -> anyhow::Result<Pending> {
        let pending = target.with_extension("restoring");
        if let Some(data) = target.parent() {
            store::create_durably(data, store::OWNER_ONLY)?;
        }
        match DirBuilder::new().mode(store::OWNER_ONLY).create(&pending) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => bail!(
                "{} is there: another restore fills it, or one was killed; if none runs, remove it",
                pending.display()
            ),
            made => made.with_context(|| format!("in {}", pending.display()))?,
        }
        Ok(Pending {
            folder: pending,
            target: target.to_owned(),
            is_complete: false,
        })
    }

    /// Gives the folder its name. One that was filled meanwhile stays as it is.
    fn rename(&mut self) -> anyhow::Result<()> {
        let renamed = fs::rename(&self.folder, &self.target);
        renamed.with_context(|| format!("as {}", self.target.display()))?;
        self.is_complete = true;
        Ok(())
    }

    /// Takes the name back.
    fn undo(&mut self) {
        if self.is_complete && fs::rename(&self.target, &self.folder).is_ok() {
            self.is_complete = false;
        }
    }
}

/// Gives all folders their names, durably, or none; a process that is killed between two names leaves the rest with
/// theirs of before.
fn commit(mut all: Vec<Pending>, data: &Path) -> anyhow::Result<()> {
    let renamed = all.iter_mut().try_for_each(Pending::rename);
    let named = renamed.and_then(|()| Ok(File::open(data)?.sync_all()?));
    named.inspect_err(|_| all.iter_mut().for_each(Pending::undo))
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
    use super::*;

    #[test]
    fn data_within_the_backup_are_refused_and_data_beside_it_not() {
        let folder = tempfile::tempdir().unwrap();
        let backup = folder.path().join("backup");
        fs::create_dir(&backup).unwrap();
        for within in ["", "new", "new/newer"] {
            let refused = ensure_apart(&backup, &backup.join(within)).unwrap_err();
            assert!(refused.to_string().contains("within the backup"));
        }
        ensure_apart(&backup, &folder.path().join("backup-data/new")).unwrap();
        ensure_apart(&backup, Path::new("new")).unwrap();
    }

    #[test]
    fn all_folders_get_their_names_or_none() {
        let data = tempfile::tempdir().unwrap();
        let make = |name: &str| Pending::make(&data.path().join(name)).unwrap();
        let all = vec![make("trade"), make("events")];
        let taken = data.path().join("events");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("something"), "").unwrap();
        assert!(commit(all, data.path()).is_err());
        let left = || fs::read_dir(data.path()).unwrap().count();
        assert_eq!(left(), 1);
        // Nor do they have them when these cannot be put on the disk.
        let nowhere = data.path().join("nowhere");
        assert!(commit(vec![make("trade"), make("culture")], &nowhere).is_err());
        assert_eq!(left(), 1);
        commit(vec![make("trade"), make("culture")], data.path()).unwrap();
        assert!(data.path().join("trade").exists() && data.path().join("culture").exists());
    }
}
