//! A copy of a journal as a file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use prost::Message;
use proto::journal::v1::BackupJournalResponse;

use crate::client::MAX_ANSWER;

const MAGIC: &[u8] = b"entente journal copy 1\n";
const BUFFER: usize = 256 << 10;

/// Reads a copy, part by part. Its errors say where in the file.
#[derive(Debug)]
pub(crate) struct Reader {
    file: BufReader<File>,
    offset: u64,
    bytes: u64,
}

impl Reader {
    /// Opens a copy.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Reader> {
        Reader::new(File::open(path)?, path)
    }

    pub(super) fn new(file: File, path: &Path) -> anyhow::Result<Reader> {
        let bytes = file.metadata()?.len();
        let mut file = BufReader::with_capacity(BUFFER, file);
        let mut magic = Vec::new();
        (&mut file)
            .take(MAGIC.len() as u64)
            .read_to_end(&mut magic)?;
        ensure!(magic == MAGIC, "{} is no copy of a journal", path.display());
        Ok(Reader {
            file,
            offset: MAGIC.len() as u64,
            bytes,
        })
    }

    /// The next part; `None` at the end of the file.
    pub(crate) fn part(&mut self) -> anyhow::Result<Option<BackupJournalResponse>> {
        let at = self.offset;
        if self.file.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let part = self.read();
        Ok(Some(part.with_context(|| format!("at byte {at}"))?))
    }

    fn read(&mut self) -> anyhow::Result<BackupJournalResponse> {
        let length = self.length()?;
        ensure!(
            length <= MAX_ANSWER as u64,
            "no part of a copy has {length} bytes"
        );
        let mut bytes = Vec::new();
        (&mut self.file).take(length).read_to_end(&mut bytes)?;
        ensure!(bytes.len() as u64 == length, "the file is cut off");
        self.offset += length;
        BackupJournalResponse::decode(&bytes[..]).context("no part of a copy")
    }

    /// A varint of protobuf.
    fn length(&mut self) -> anyhow::Result<u64> {
        let mut length = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let mut byte = [0];
            let read = self.file.read(&mut byte)?;
            ensure!(read == 1, "the file is cut off");
            self.offset += 1;
            length |= u64::from(byte[0] & 0x7f) << shift;
            if byte[0] < 0x80 {
                return Ok(length);
            }
        }
        bail!("no length of a part")
    }

    /// How many bytes were read.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// How many bytes the file has.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A copy that is made: under its name with `.part` behind it, until it is complete. Dropped before, it is gone.
#[derive(Debug)]
pub(super) struct Target {
    path: PathBuf,
    part: PathBuf,
    file: BufWriter<File>,
    is_complete: bool,
}

impl Target {
    /// Takes the file with `.part` for itself. One that a killed process left is written anew; one that another
    /// process writes is refused.
    pub(super) fn open(path: &Path) -> anyhow::Result<Target> {
        let name = path.file_name().context("it names no file")?;
        let mut part = name.to_owned();
        part.push(".part");
        let part = path.with_file_name(part);
        let named = || format!("in {}", part.display());
        // It holds all that the service was told: for its owner alone, until they decide otherwise.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&part)
            .with_context(named)?;
        take(&file, &part)?;
        file.set_len(0).with_context(named)?;
        Ok(Target {
            path: path.to_owned(),
            part,
            file: BufWriter::with_capacity(BUFFER, file),
            is_complete: false,
        })
    }

    /// Begins a copy.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        self.file.write_all(MAGIC)
    }

    /// Writes what another copy holds; who may read that one may read this one.
    pub(super) fn append(&mut self, copy: &mut File) -> io::Result<()> {
        self.file.flush()?;
        let permissions = copy.metadata()?.permissions();
        self.file.get_ref().set_permissions(permissions)?;
        io::copy(copy, self.file.get_mut())?;
        Ok(())
    }

    pub(super) fn write(&mut self, part: &BackupJournalResponse) -> io::Result<()> {
        self.file.write_all(&part.encode_length_delimited_to_vec())
    }

    /// Gives the copy its name, when it is on the disk.
    pub(super) fn commit(mut self) -> anyhow::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.part, &self.path)?;
        self.is_complete = true;
        let folder = self.path.parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        Ok(File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !self.is_complete {
            // What stays is overwritten by the next copy.
            drop(fs::remove_file(&self.part));
        }
    }
}

/// Takes an open file for this process alone.
fn take(file: &File, path: &Path) -> anyhow::Result<()> {
    match file.try_lock() {
        Ok(()) if is_still(file, path) => Ok(()),
        Ok(()) | Err(TryLockError::WouldBlock) => {
            bail!("another process copies to {}", path.display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("locking {}", path.display()))
        }
    }
}

/// Whether a name still is that of an open file: who had the lock before may have renamed it.
fn is_still(file: &File, path: &Path) -> bool {
    let numbers = |found: fs::Metadata| (found.dev(), found.ino());
    let open = file.metadata().map(numbers);
    let named = fs::metadata(path).map(numbers);
    matches!((open, named), (Ok(open), Ok(named)) if open == named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::journal::v1::Journal;

    fn part(name: &str) -> BackupJournalResponse {
        BackupJournalResponse {
            journal: Some(Journal {
                name: name.into(),
                ..Journal::default()
            }),
            entries: Vec::new(),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        entries.map(|entry| name(entry.unwrap())).collect()
    }

    #[test]
    fn what_is_written_is_read_and_has_its_name_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        let mut target = Target::open(&path).unwrap();
        target.begin().unwrap();
        target.write(&part("journals/events")).unwrap();
        target.write(&part(&"long".repeat(1_000))).unwrap();
        assert!(Target::open(&path).is_err());
        assert_eq!(names(folder.path()), ["a.journal.part"]);
        target.commit().unwrap();
        assert_eq!(names(folder.path()), ["a.journal"]);
        let mut reader = Reader::open(&path).unwrap();
        assert_eq!(reader.part().unwrap(), Some(part("journals/events")));
        assert!(reader.part().unwrap().is_some());
        assert!(reader.part().unwrap().is_none());
        assert_eq!(reader.offset(), reader.bytes());
    }

    #[test]
    fn what_breaks_off_leaves_nothing_and_what_was_left_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        fs::write(folder.path().join("a.journal.part"), "left").unwrap();
        let mut target = Target::open(&path).unwrap();
        target.begin().unwrap();
        drop(target);
        assert!(names(folder.path()).is_empty());
        let other = folder.path().join("other");
        fs::write(&other, "figures").unwrap();
        assert!(Reader::open(&other).is_err());
    }

    #[test]
    fn a_file_that_is_cut_off_is_told_wherever_it_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        let mut bytes = MAGIC.to_vec();
        bytes.extend(part(&"name".repeat(100)).encode_length_delimited_to_vec());
        for length in MAGIC.len() + 1..bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            let error = Reader::open(&path).unwrap().part().unwrap_err();
            assert!(
                format!("{error:#}").contains("cut off"),
                "{length}: {error:#}"
            );
        }
        fs::write(&path, [MAGIC, &[0xff; 12]].concat()).unwrap();
        assert!(Reader::open(&path).unwrap().part().is_err());
    }
}
