//! One journal's file in a backup while it grows.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use prost::Message;
use proto::journal::v1::BackupJournalResponse;
use sha2::{Digest, Sha256};
use store::Position;
use tempfile::NamedTempFile;

use super::file::{BUFFER, MAGIC, Reader, ensure_regular};
use super::left::follow;
use super::manifest::{Part, hex, now};
use super::{Kept, Left, Seen, name};
use crate::args::serve::Role;

/// A copy of a journal that grows behind what the manifest counts.
#[derive(Debug)]
pub(super) struct Growing {
    role: Role,
    path: PathBuf,
    file: BufWriter<File>,
    /// Where this run's part begins, and how far the file goes.
    start: u64,
    length: u64,
    first: Position,
    /// The last entry that was there already.
    found: Position,
    hash: Sha256,
    seen: Seen,
}

impl Growing {
    /// Opens a journal's file behind what counts of it, and takes up what an interrupted run left there.
    pub(super) fn open(folder: &Path, role: Role, kept: Option<&Kept>) -> anyhow::Result<Growing> {
        let path = Kept::path(folder, role);
        let named = || path.display().to_string();
        ensure_regular(&path).with_context(named)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            // It holds all that the service was told: for its owner alone, until they decide otherwise.
            .mode(0o600)
            .open(&path)
            .with_context(named)?;
        let (start, seen) = match kept {
            Some(kept) => (kept.bytes, Seen::after(name(role), kept)?),
            None => (0, Seen::default()),
        };
        let first = seen.last() + 1;
        let mut growing = Growing {
            role,
            file: BufWriter::with_capacity(BUFFER, file),
            start,
            length: start,
            first,
            found: 0,
            hash: Sha256::new(),
            seen,
            path: path.clone(),
        };
        growing.take_up().with_context(named)?;
        growing.found = growing.last();
        Ok(growing)
    }

    /// Whether an interrupted run left entries, and nothing has followed them since.
    pub(super) fn has_left(&self) -> bool {
        self.found >= self.first && self.last() == self.found
    }

    /// Says that what an interrupted run left is of another journal than what is served, and no manifest says which counts.
    pub(super) fn foreign(&self, error: &anyhow::Error) -> String {
        format!(
            "{} has {} entries of an interrupted run that are of another journal than this one ({error:#}); back up \
             elsewhere, or remove it if nobody needs them",
            self.path.display(),
            self.found
        )
    }

    /// What an interrupted run left.
    pub(super) fn left(&self) -> anyhow::Result<Left> {
        let there = self.file.get_ref().metadata()?.len();
        Ok(Left {
            bytes: there - self.start,
            entries: self.found + 1 - self.first,
            beyond: there.saturating_sub(self.length),
        })
    }

    /// Moves what an interrupted run left into a file of its own, which is on the disk before it is cut off here; which
    /// file. A journal that was restored from the backup meanwhile goes on in another way.
    pub(super) fn set_aside(&mut self, kept: &Kept) -> anyhow::Result<PathBuf> {
        self.file.flush()?;
        let folder = self.path.parent().unwrap_or(Path::new(".")).to_owned();
        let mut left = tempfile::Builder::new()
            .prefix(".entente-left-")
            .tempfile_in(&folder)?;
        left.write_all(MAGIC)?;
        let mut file = self.file.get_ref();
        file.seek(SeekFrom::Start(self.start))?;
        io::copy(&mut file, &mut left)?;
        left.as_file().sync_all()?;
        let aside = self.name_left(left)?;
        File::open(&folder)?.sync_all()?;
        self.file.get_ref().set_len(self.start)?;
        *self = Growing::open(&folder, self.role, Some(kept))?;
        Ok(aside)
    }

    /// Gives a file the first name for what is left that nothing has.
    fn name_left(&self, mut left: NamedTempFile) -> anyhow::Result<PathBuf> {
        for number in 1_u32.. {
            let ending = match number {
                1 => "journal.left".to_owned(),
                _ => format!("journal.left.{number}"),
            };
            let path = self.path.with_extension(ending);
            match left.persist_noclobber(&path) {
                Ok(_) => return Ok(path),
                Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => {
                    left = taken.file;
                }
                Err(failed) => {
                    return Err(failed.error).with_context(|| path.display().to_string());
                }
            }
        }
        bail!("no name is free")
    }

    /// Takes up the whole messages behind the start. What follows them stays until this run has written as much or is
    /// complete: if the journal does not go on behind them, it is kept aside with them.
    fn take_up(&mut self) -> anyhow::Result<()> {
        let there = self.file.get_ref().metadata()?.len();
        ensure!(
            there >= self.start,
            "it has {there} bytes and {} belong to the backup: it was damaged; begin a new backup elsewhere",
            self.start
        );
        if there <= MAGIC.len() as u64 {
            self.file.get_ref().set_len(0)?;
            return self.put(MAGIC);
        }
        let mut reader = Reader::part_of(&self.path, self.start, there)?;
        let end = follow(&mut reader, &mut self.seen, |_| Ok(()))?;
        self.resume(end)
    }

    /// Goes on at a place behind the start.
    fn resume(&mut self, end: u64) -> anyhow::Result<()> {
        let file = self.file.get_mut();
        file.seek(SeekFrom::Start(self.start))?;
        let mut rest = file.take(end - self.start);
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = rest.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            self.hash.update(&buffer[..read]);
        }
        self.length = end;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Writes what comes from the service, which must follow what is there; how many bytes it has.
    pub(super) fn take(&mut self, part: &BackupJournalResponse) -> anyhow::Result<u64> {
        let known = self.seen.journal().map(|journal| journal.last_position);
        self.seen.take(part)?;
        let bytes = part.encode_length_delimited_to_vec();
        // An interrupted run may have left a later end than the journal has now.
        if !part.entries.is_empty() || known != Some(self.end()) {
            self.put(&bytes)
                .with_context(|| self.path.display().to_string())?;
        }
        Ok(bytes.len() as u64)
    }

    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// The last entry that is there.
    pub(super) fn last(&self) -> Position {
        self.seen.last()
    }

    /// The last entry that the journal had.
    pub(super) fn end(&self) -> Position {
        let journal = self.seen.journal();
        journal.map_or(0, |journal| journal.last_position)
    }

    /// Whether all is there that the service said that there is.
    pub(super) fn check_whole(&self) -> anyhow::Result<()> {
        let whole = self.seen.whole();
        whole.context("the service sent a copy that is not whole")?;
        Ok(())
    }

    /// Puts it on the disk; what counts of it then, with what counted before. None when nothing is new.
    pub(super) fn finish(
        mut self,
        before: Option<&Kept>,
        service_version: String,
    ) -> anyhow::Result<Option<Kept>> {
        self.file.flush()?;
        self.file.get_ref().set_len(self.length)?;
        self.file.get_ref().sync_all()?;
        if self.length == self.start {
            return Ok(None);
        }
        // Its name too, which may be new, before the manifest counts on it.
        let folder = self.path.parent().unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
        let hash: [u8; 32] = self.hash.finalize().into();
        let part = Part {
            offset: self.start,
            bytes: self.length - self.start,
            first: self.first,
            last: self.seen.last(),
            sha256: hex(&hash),
            copied: now(),
        };
        let mut parts = before.map_or_else(Vec::new, |before| before.parts.clone());
        parts.push(part);
        let file = self.path.file_name().unwrap_or_default();
        let committed = self.seen.time().and_then(|at| instant(at).ok());
        Ok(Some(Kept {
            file: file.to_string_lossy().into_owned(),
            service_version,
            position: self.seen.last(),
            entries: self.seen.last(),
            last_hash: hex(&self.seen.hash()),
            last_commit: committed.unwrap_or_default(),
            bytes: self.length,
            parts,
        }))
    }
}

fn instant(micros: i64) -> Result<String, jiff::Error> {
    Ok(jiff::Timestamp::from_microsecond(micros)?.to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proto::journal::v1::{Journal, JournalEntry};
    use store::Chain;

    use super::*;

    /// The parts that a service with so many entries sends after a position, an entry each.
    fn parts(after: u64, last: u64) -> Vec<BackupJournalResponse> {
        let (mut chain, mut hash) = ([0; 32], [0; 32]);
        let mut entries = Vec::new();
        for position in 1..=last {
            let body = format!("entry {position}").into_bytes();
            let time = i64::try_from(position).unwrap();
            hash = Chain::after(position - 1, chain).hash_of(time, &body);
            chain = hash;
            entries.push(JournalEntry {
                position,
                commit_time: Some(proto::to_timestamp(time)),
                hash: hash.to_vec(),
                body,
            });
        }
        let mut journal = Some(Journal {
            name: "journals/events".into(),
            last_position: last,
            last_hash: hash.to_vec(),
            ..Journal::default()
        });
        let entries = entries.into_iter().skip(usize::try_from(after).unwrap());
        let part = |entry| BackupJournalResponse {
            journal: journal.take(),
            entries: vec![entry],
        };
        entries.map(part).collect()
    }

    fn open(folder: &Path, kept: Option<&Kept>) -> Growing {
        Growing::open(folder, Role::Events, kept).unwrap()
    }

    fn take(growing: &mut Growing, parts: &[BackupJournalResponse]) {
        for part in parts {
            growing.take(part).unwrap();
        }
    }

    #[test]
    fn an_interrupted_run_goes_on_wherever_it_was_cut() {
        let folder = tempfile::tempdir().unwrap();
        let mut whole = open(folder.path(), None);
        take(&mut whole, &parts(0, 5));
        whole.check_whole().unwrap();
        let path = whole.path.clone();
        whole.finish(None, String::new()).unwrap().unwrap();
        let bytes = fs::read(&path).unwrap();
        for cut in 0..bytes.len() {
            fs::write(&path, &bytes[..cut]).unwrap();
            let mut again = open(folder.path(), None);
            let last = again.last();
            take(&mut again, &parts(last, 5));
            again.check_whole().unwrap();
            let kept = again.finish(None, String::new()).unwrap().unwrap();
            assert_eq!((kept.position, kept.parts.len()), (5, 1));
            let file = fs::read(&path).unwrap();
            assert_eq!(file.len() as u64, kept.bytes);
            let hash: [u8; 32] = Sha256::digest(&file).into();
            assert_eq!(kept.parts[0].sha256, hex(&hash));
            let mut reader = Reader::part_of(&path, 0, kept.bytes).unwrap();
            let mut seen = Seen::default();
            while let Some(part) = reader.part().unwrap() {
                seen.take(&part).unwrap();
            }
            assert_eq!(seen.whole().unwrap().last_position, 5);
        }
    }

    #[test]
    fn a_later_run_adds_a_part_and_nothing_new_adds_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = open(folder.path(), None);
        take(&mut first, &parts(0, 2));
        let kept = first.finish(None, "1".into()).unwrap().unwrap();
        let mut second = open(folder.path(), Some(&kept));
        take(&mut second, &parts(2, 3));
        let more = second.finish(Some(&kept), "2".into()).unwrap().unwrap();
        assert_eq!(more.parts[0], kept.parts[0]);
        assert_eq!((more.parts[1].first, more.parts[1].last), (3, 3));
        assert_eq!(more.parts[1].offset, kept.bytes);

        let mut third = open(folder.path(), Some(&more));
        let mut journal = parts(2, 3)[0].clone();
        journal.entries.clear();
        third.take(&journal).unwrap();
        third.check_whole().unwrap();
        assert_eq!(third.finish(Some(&more), String::new()).unwrap(), None);
    }

    #[test]
    fn what_an_interrupted_run_left_is_set_aside_while_nothing_follows_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = open(folder.path(), None);
        take(&mut first, &parts(0, 2));
        let kept = first.finish(None, String::new()).unwrap().unwrap();
        assert!(!open(folder.path(), Some(&kept)).has_left());
        let mut interrupted = open(folder.path(), Some(&kept));
        take(&mut interrupted, &parts(2, 4));
        interrupted.file.flush().unwrap();
        drop(interrupted);

        let mut followed = open(folder.path(), Some(&kept));
        assert_eq!(followed.last(), 4);
        take(&mut followed, &parts(4, 5));
        assert!(!followed.has_left());
        drop(followed);
        let mut again = open(folder.path(), Some(&kept));
        assert_eq!(again.last(), 5);
        assert!(again.has_left());
        assert_eq!(again.left().unwrap().entries, 3);
        let aside = again.set_aside(&kept).unwrap();
        assert!(aside.ends_with("events.journal.left"));
        assert_eq!((again.last(), again.length), (2, kept.bytes));
        take(&mut again, &parts(2, 3));
        again.check_whole().unwrap();
        let kept = again.finish(Some(&kept), String::new()).unwrap().unwrap();
        assert_eq!(kept.position, 3);
    }

    #[test]
    fn the_last_run_says_where_the_journal_ends_now() {
        let folder = tempfile::tempdir().unwrap();
        let mut interrupted = open(folder.path(), None);
        take(&mut interrupted, &parts(0, 3)[..2]);
        interrupted.file.flush().unwrap();
        drop(interrupted);
        let mut again = open(folder.path(), None);
        let mut journal = parts(0, 2)[0].clone();
        journal.entries.clear();
        again.take(&journal).unwrap();
        again.check_whole().unwrap();
        let path = again.path.clone();
        let kept = again.finish(None, String::new()).unwrap().unwrap();
        let mut reader = Reader::part_of(&path, 0, kept.bytes).unwrap();
        let mut seen = Seen::default();
        while let Some(part) = reader.part().unwrap() {
            seen.take(&part).unwrap();
        }
        assert_eq!(seen.whole().unwrap().last_position, 2);
    }

    #[test]
    fn another_journal_does_not_follow_and_a_shorter_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = open(folder.path(), None);
        take(&mut first, &parts(0, 2));
        let path = first.path.clone();
        let kept = first.finish(None, String::new()).unwrap().unwrap();
        let mut other = parts(2, 3)[0].clone();
        other.entries[0].body = b"of another journal".to_vec();
        let mut second = open(folder.path(), Some(&kept));
        let refused = second.take(&other).unwrap_err();
        assert!(refused.to_string().contains("entry 3"), "{refused}");
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(kept.bytes - 1).unwrap();
        let damaged = Growing::open(folder.path(), Role::Events, Some(&kept));
        let damaged = format!("{:#}", damaged.unwrap_err());
        assert!(damaged.contains("damaged"), "{damaged}");
    }
}
