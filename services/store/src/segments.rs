//! The journal as segment files in one folder.
//!
//! A segment is named by the position of its first entry and starts with a header that carries the hash
//! of the entry before and the length of the segment before, so that a segment that was exchanged,
//! shortened or removed is noticed at open without reading it. Only the last segment is read then; the
//! others are checked entry by entry whenever they are read.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use metrics::Histogram;

use crate::frame::{self, HEADER, Header, MAX_BODY};
use crate::journal::Cursor;
use crate::segment_reader::{Frame, SegmentReader, SegmentsCursor};
use crate::steps::step;
use crate::{Error, Journal, Micros, Position};

pub(crate) const SEGMENT_MAGIC: [u8; 8] = *b"ENTSEG01";
pub(crate) const SEGMENT_HEADER: usize = 64;

/// The journal in a folder of segment files.
#[derive(Debug)]
pub(crate) struct Segments {
    folder: PathBuf,
    segment_bytes: u64,
    /// First positions of all segments, ascending; never empty.
    bases: Arc<RwLock<Vec<Position>>>,
    tail: Mutex<Tail>,
    syncs: Histogram,
}

/// The end of the last segment, where the next entry goes.
#[derive(Debug)]
struct Tail {
    file: File,
    path: PathBuf,
    length: u64,
    last: Position,
    hash: [u8; 32],
}

impl Segments {
    /// Opens the journal in `folder`, or makes one there.
    ///
    /// `witness` is the last position that the view has seen. An entry at the journal's end that is whole
    /// and wrong is damage. One that ends too early is cut off, also when the view has seen it: the view is
    /// then ahead and is rebuilt. One that is zeros to the end of the file is damage when the view has seen
    /// it, else the trace of a crash, and cut off.
    pub(crate) fn open(
        folder: &Path,
        segment_bytes: u64,
        witness: Position,
    ) -> Result<Segments, Error> {
        let mut bases = list(folder)?;
        discard_unborn(folder, &mut bases, witness)?;
        let tail = if let Some(&base) = bases.last() {
            open_tail(folder, &bases, base, witness)?
        } else {
            bases.push(1);
            create(folder, 1, [0; 32], 0)?
        };
        Ok(Segments {
            folder: folder.to_owned(),
            segment_bytes,
            bases: Arc::new(RwLock::new(bases)),
            tail: Mutex::new(tail),
            syncs: Histogram::noop(),
        })
    }

    /// Counts how long its syncs take.
    pub(crate) fn timed(self, syncs: Histogram) -> Segments {
        Segments { syncs, ..self }
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn roll(&self, tail: &mut Tail) -> Result<(), Error> {
        let base = tail.last + 1;
        *tail = create(&self.folder, base, tail.hash, tail.length)?;
        let mut bases = self.bases.write().unwrap_or_else(PoisonError::into_inner);
        bases.push(base);
        Ok(())
    }

    /// The end of the journal, if an entry of this size may follow `expected` there.
    fn tail_after(&self, expected: Position, body: &[u8]) -> Result<MutexGuard<'_, Tail>, Error> {
        if body.len() > MAX_BODY {
            return Err(Error::TooLarge {
                what: "a journal entry",
                bytes: body.len(),
                limit: MAX_BODY,
            });
        }
        let tail = self.tail();
        if tail.last != expected {
            return Err(Error::Conflict {
                expected,
                last: tail.last,
            });
        }
        Ok(tail)
    }

    /// Appends one entry that is durable only after [`Segments::sync`]: for a journal that counts for nothing before
    /// it is complete.
    pub(crate) fn append_unsynced(
        &self,
        expected: Position,
        time: Micros,
        body: &[u8],
    ) -> Result<(), Error> {
        let mut tail = self.tail_after(expected, body)?;
        if tail.length >= self.segment_bytes {
            tail.finish()?;
            self.roll(&mut tail)?;
        }
        let header = tail.put(time, body)?;
        tail.advance(&header, body);
        Ok(())
    }

    /// Makes durable what was appended.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.tail().finish()
    }

    fn check_range(&self, position: Position) -> Result<(), Error> {
        let last = self.last();
        let first = read_lock(&self.bases)[0];
        if position.saturating_add(1) < first {
            return Err(Error::PositionGone {
                asked: position,
                oldest: first,
            });
        }
        if position > last {
            return Err(Error::PositionAhead {
                asked: position,
                last,
            });
        }
        Ok(())
    }
}

impl Journal for Segments {
    fn append(&self, expected: Position, time: Micros, body: &[u8]) -> Result<Position, Error> {
        let mut tail = self.tail_after(expected, body)?;
        if tail.length >= self.segment_bytes {
            self.roll(&mut tail)?;
        }
        tail.append(time, body, &self.syncs)
    }

    fn after(&self, position: Position) -> Result<Box<dyn Cursor>, Error> {
        self.check_range(position)?;
        let at_end = {
            let tail = self.tail();
            (tail.last == position).then_some((tail.length, tail.hash))
        };
        let bases = read_lock(&self.bases);
        let segment = bases.partition_point(|base| *base <= position + 1) - 1;
        let base = bases[segment];
        drop(bases);
        let mut reader = SegmentReader::open(&self.folder, base)?;
        match at_end {
            // A roll in between leaves the cursor at the end of a finished segment, from where it goes on.
            Some((length, hash)) if reader.length()? >= length && base <= position => {
                reader.jump(length, position + 1, hash)?;
            }
            Some(_) | None => reader.skip_to(position + 1)?,
        }
        Ok(Box::new(SegmentsCursor {
            folder: self.folder.clone(),
            bases: Arc::clone(&self.bases),
            reader,
        }))
    }

    fn oldest(&self) -> Position {
        read_lock(&self.bases)[0]
    }

    fn last(&self) -> Position {
        self.tail().last
    }

    fn last_hash(&self) -> [u8; 32] {
        self.tail().hash
    }

    fn check_end(&self) -> Result<(), Error> {
        // Whoever appends has the tail, so nothing is half written here.
        self.tail().check_end()
    }
}

impl Tail {
    fn append(&mut self, time: Micros, body: &[u8], syncs: &Histogram) -> Result<Position, Error> {
        let header = self.put(time, body)?;
        if let Err(error) = self.sync(syncs) {
            // The kernel may have dropped the pages and reported it once: nothing may be acknowledged
            // any more, and a second attempt would prove nothing.
            fatal("syncing", &self.path, &error.to_string());
        }
        Ok(self.advance(&header, body))
    }

    /// Writes an entry behind the last one, or leaves nothing of it.
    fn put(&mut self, time: Micros, body: &[u8]) -> Result<[u8; HEADER], Error> {
        let header = Header::new(self.last + 1, time, self.hash, body).encode();
        if let Err(error) = self.write(&header, body) {
            self.undo()?;
            return Err(refused("writing", &self.path, &error, body.len()));
        }
        Ok(header)
    }

    /// Counts the entry that was written as the last one.
    fn advance(&mut self, header: &[u8; HEADER], body: &[u8]) -> Position {
        self.length += (HEADER + body.len()) as u64;
        self.last += 1;
        self.hash = frame::hash(header, body);
        self.last
    }

    /// Syncs what was put here without a sync of its own.
    fn finish(&self) -> Result<(), Error> {
        let synced = self.file.sync_data();
        synced.map_err(|e| Error::io("syncing", &self.path, &e))
    }

    fn write(&mut self, header: &[u8], body: &[u8]) -> std::io::Result<()> {
        fail::fail_point!("journal.write", |_| Err(ErrorKind::StorageFull.into()));
        let mut frame = Vec::with_capacity(header.len() + body.len());
        frame.extend_from_slice(header);
        frame.extend_from_slice(body);
        self.file.write_all(&frame)
    }

    fn sync(&self, syncs: &Histogram) -> std::io::Result<()> {
        fail::fail_point!("journal.sync", |_| Err(ErrorKind::Other.into()));
        let started = Instant::now();
        step("journal.sync", || self.file.sync_data())?;
        syncs.record(started.elapsed());
        Ok(())
    }

    /// By the file's name, as the next start finds it.
    fn check_end(&self) -> Result<(), Error> {
        let found = std::fs::metadata(&self.path);
        let found = found.map_err(|e| Error::io("reading", &self.path, &e))?;
        if found.len() == self.length {
            return Ok(());
        }
        let (last, end, bytes) = (self.last, self.length, found.len());
        let what = format!("entry {last} ends at byte {end}, and the file has {bytes} bytes");
        Err(damaged(&self.path, end.min(bytes), &what))
    }

    /// Takes back what a failed write left, so that the next entry follows the last whole one.
    fn undo(&mut self) -> Result<(), Error> {
        let undone = self.file.set_len(self.length).and_then(|()| {
            self.file
                .seek(SeekFrom::Start(self.length))
                .and_then(|_| self.file.sync_data())
        });
        undone.map_err(|e| fatal("taking back a failed write to", &self.path, &e.to_string()))
    }
}

/// Ends the process: the journal can no longer say what is durable.
fn fatal(what: &str, file: &Path, error: &str) -> ! {
    tracing::error!(file = %file.display(), error, "{what} the journal failed; the process ends, nothing after this is acknowledged");
    std::process::abort()
}

pub(crate) fn path_of(folder: &Path, base: Position) -> PathBuf {
    folder.join(format!("{base:020}.journal"))
}

fn list(folder: &Path) -> Result<Vec<Position>, Error> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io("listing", folder, &e))?;
    let mut bases = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| Error::io("listing", folder, &e))?.path();
        if path.extension().is_some_and(|end| end == "journal") {
            bases.push(base_of(&path)?);
        }
    }
    bases.sort_unstable();
    Ok(bases)
}

fn base_of(path: &Path) -> Result<Position, Error> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let base = stem.and_then(|stem| stem.parse().ok()).filter(|b| *b > 0);
    base.ok_or_else(|| damaged(path, 0, "its name is not a position"))
}

pub(crate) fn damaged(file: &Path, offset: u64, what: &str) -> Error {
    Error::Damaged {
        file: file.to_owned(),
        offset,
        what: what.to_owned(),
    }
}

/// A segment whose header never arrived holds nothing: a crash came while it was made.
fn discard_unborn(
    folder: &Path,
    bases: &mut Vec<Position>,
    witness: Position,
) -> Result<(), Error> {
    let Some(&base) = bases.last() else {
        return Ok(());
    };
    let path = path_of(folder, base);
    let bytes = std::fs::metadata(&path).map_err(|e| Error::io("reading", &path, &e))?;
    if bytes.len() > SEGMENT_HEADER as u64 || base <= witness {
        return Ok(());
    }
    let header = std::fs::read(&path).map_err(|e| Error::io("reading", &path, &e))?;
    if header.len() == SEGMENT_HEADER && header.iter().any(|byte| *byte != 0) {
        return Ok(());
    }
    tracing::warn!(file = %path.display(), "a segment whose creation was cut off is removed");
    std::fs::remove_file(&path).map_err(|e| Error::io("removing", &path, &e))?;
    bases.pop();
    Ok(())
}

fn create(
    folder: &Path,
    base: Position,
    hash: [u8; 32],
    length_before: u64,
) -> Result<Tail, Error> {
    let path = path_of(folder, base);
    let made = write_new(&path, &segment_header(base, hash, length_before));
    let file = match made {
        Ok(file) => file,
        Err(error) => {
            // A half-made segment would stand in the way of the next attempt.
            if let Err(e) = std::fs::remove_file(&path)
                && e.kind() != ErrorKind::NotFound
            {
                fatal("removing a half-made segment of", &path, &e.to_string());
            }
            return Err(refused("creating", &path, &error, SEGMENT_HEADER));
        }
    };
    if let Err(error) = sync_new(&file, folder) {
        // As with an entry: what a sync reported once, a second one would not.
        fatal("syncing a new segment of", &path, &error.to_string());
    }
    Ok(Tail {
        file,
        path,
        length: SEGMENT_HEADER as u64,
        last: base - 1,
        hash,
    })
}

/// A write that the disk has no room for, or that failed in another way.
fn refused(what: &'static str, file: &Path, error: &std::io::Error, bytes: usize) -> Error {
    if ![ErrorKind::StorageFull, ErrorKind::QuotaExceeded].contains(&error.kind()) {
        return Error::io(what, file, error);
    }
    Error::Full {
        folder: file.parent().unwrap_or(file).to_owned(),
        free: 0,
        needed: bytes as u64,
    }
}

fn write_new(path: &Path, header: &[u8]) -> std::io::Result<File> {
    fail::fail_point!("segment.write", |_| Err(ErrorKind::StorageFull.into()));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(header)?;
    Ok(file)
}

fn sync_new(file: &File, folder: &Path) -> std::io::Result<()> {
    fail::fail_point!("segment.sync", |_| Err(ErrorKind::Other.into()));
    file.sync_all()?;
    File::open(folder)?.sync_all()
}

/// Magic, first position, length of the segment before, hash of the entry before, CRC-32C.
fn segment_header(base: Position, hash: [u8; 32], length_before: u64) -> [u8; SEGMENT_HEADER] {
    let mut bytes = [0; SEGMENT_HEADER];
    bytes[0..8].copy_from_slice(&SEGMENT_MAGIC);
    bytes[8..16].copy_from_slice(&base.to_le_bytes());
    bytes[16..24].copy_from_slice(&length_before.to_le_bytes());
    bytes[24..56].copy_from_slice(&hash);
    let crc = crc32c::crc32c(&bytes[..60]);
    bytes[60..64].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Opens the last segment for appending and cuts off what a crash left at its end.
fn open_tail(
    folder: &Path,
    bases: &[Position],
    base: Position,
    witness: Position,
) -> Result<Tail, Error> {
    check_lengths(folder, bases)?;
    let mut reader = SegmentReader::open(folder, base)?;
    let torn = loop {
        match reader.read()? {
            Frame::Whole(_) => {}
            Frame::End => break false,
            Frame::Torn => break true,
            Frame::Bad(what) => {
                if reader.next <= witness || !reader.zeros_to_the_end()? {
                    return Err(reader.damaged(what));
                }
                break true;
            }
        }
    };
    let path = reader.path.clone();
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .map_err(|e| Error::io("opening", &path, &e))?;
    // What a killed process wrote may still be in memory only; from here on it counts as durable.
    file.sync_all()
        .map_err(|e| Error::io("syncing", &path, &e))?;
    if torn {
        tracing::warn!(file = %path.display(), offset = reader.offset, after = reader.next - 1,
            "the journal ends in an entry that was never finished; it is cut off");
        file.set_len(reader.offset)
            .and_then(|()| file.sync_all())
            .map_err(|e| Error::io("cutting", &path, &e))?;
    }
    file.seek(SeekFrom::Start(reader.offset))
        .map_err(|e| Error::io("seeking in", &path, &e))?;
    Ok(Tail {
        file,
        length: reader.offset,
        last: reader.next - 1,
        hash: reader.hash,
        path,
    })
}

/// Each segment says how long the one before it was when it was finished.
fn check_lengths(folder: &Path, bases: &[Position]) -> Result<(), Error> {
    for pair in bases.windows(2) {
        let finished = path_of(folder, pair[0]);
        let reader = SegmentReader::open(folder, pair[1])?;
        let bytes =
            std::fs::metadata(&finished).map_err(|e| Error::io("reading", &finished, &e))?;
        if bytes.len() != reader.length_before {
            let what = format!(
                "it has {} bytes and had {} when it was finished, or a segment after it is missing",
                bytes.len(),
                reader.length_before
            );
            return Err(damaged(&finished, bytes.len(), &what));
        }
    }
    Ok(())
}

pub(crate) fn read_lock(
    bases: &RwLock<Vec<Position>>,
) -> std::sync::RwLockReadGuard<'_, Vec<Position>> {
    bases.read().unwrap_or_else(PoisonError::into_inner)
}
