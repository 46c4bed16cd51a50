//! How a journal's file in a backup is read.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Take};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use prost::Message;
use proto::journal::v1::BackupJournalResponse;

use crate::client::MAX_ANSWER;

/// How a file begins.
pub(super) const MAGIC: &[u8] = b"entente journal copy 1\n";
pub(super) const BUFFER: usize = 256 << 10;

/// Opens a file of a backup for reading.
pub(super) fn open(path: &Path) -> io::Result<File> {
    ensure_regular(path)?;
    File::open(path)
}

/// Refuses what is there and is no file: a pipe or a device may be waited for without an end.
pub(super) fn ensure_regular(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(io::Error::other("it is no regular file")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Reads a copy, part by part. Its errors say where in the file.
#[derive(Debug)]
pub(crate) struct Reader {
    file: BufReader<Take<File>>,
    offset: u64,
    end: u64,
}

impl Reader {
    /// Opens what a file has from a place between two messages, or its beginning, to an end.
    pub(crate) fn part_of(path: &Path, start: u64, end: u64) -> anyhow::Result<Reader> {
        let mut file = open(path)?;
        file.seek(SeekFrom::Start(start))?;
        let file = file.take(end.saturating_sub(start));
        let mut reader = Reader {
            file: BufReader::with_capacity(BUFFER, file),
            offset: start,
            end,
        };
        if start == 0 {
            reader.greet()?;
        }
        Ok(reader)
    }

    fn greet(&mut self) -> anyhow::Result<()> {
        let mut magic = Vec::new();
        let limit = MAGIC.len() as u64;
        (&mut self.file).take(limit).read_to_end(&mut magic)?;
        ensure!(magic == MAGIC, "it is no copy of a journal");
        self.offset = limit;
        Ok(())
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

    /// How far it goes.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proto::journal::v1::Journal;

    use super::*;

    fn part(name: &str) -> BackupJournalResponse {
        BackupJournalResponse {
            journal: Some(Journal {
                name: name.into(),
                ..Journal::default()
            }),
            entries: Vec::new(),
        }
    }

    #[test]
    fn a_file_that_is_cut_off_is_told_wherever_it_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        let mut bytes = MAGIC.to_vec();
        bytes.extend(part(&"long".repeat(1_000)).encode_length_delimited_to_vec());
        fs::write(&path, &bytes).unwrap();
        let whole = bytes.len() as u64;
        let read = |end| Reader::part_of(&path, 0, end).and_then(|mut reader| reader.part());
        assert_eq!(read(whole).unwrap(), Some(part(&"long".repeat(1_000))));
        assert_eq!(read(MAGIC.len() as u64).unwrap(), None);
        for end in MAGIC.len() as u64 + 1..whole {
            let error = format!("{:#}", read(end).unwrap_err());
            assert!(error.contains("cut off"), "{end}: {error}");
        }
        assert!(read(MAGIC.len() as u64 - 1).is_err());
        fs::write(&path, [MAGIC, &[0xff; 12]].concat()).unwrap();
        assert!(read(whole).is_err());
    }
}
