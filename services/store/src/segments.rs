//! The journal as segment files in one folder.
//!
//! A segment is named by the position of its first entry and starts with a header that carries the hash
//! of the entry before and the length of the segment before, so that a segment that was exchanged,
//! shortened or removed is noticed at open without reading it. Only the last segment is read then; the
//! others are checked entry by entry whenever they are read.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::Bytes;

use crate::frame::{self, HEADER, Header, MAX_BODY};
use crate::journal::Cursor;
use crate::{Entry, Error, Journal, Micros, Position};

const SEGMENT_MAGIC: [u8; 8] = *b"ENTSEG01";
const SEGMENT_HEADER: usize = 64;
const READ_BUFFER: usize = 256 << 10;

/// The journal in a folder of segment files.
#[derive(Debug)]
pub(crate) struct Segments {
    folder: PathBuf,
    segment_bytes: u64,
    /// First positions of all segments, ascending; never empty.
    bases: Arc<RwLock<Vec<Position>>>,
    tail: Mutex<Tail>,
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

/// What stands at a place of a segment.
enum Frame {
    Whole(Entry),
    End,
    Torn,
    Bad(&'static str),
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
        })
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

    fn check_range(&self, position: Position) -> Result<(), Error> {
        let last = self.last();
        let first = read_lock(&self.bases)[0];
        if position + 1 < first {
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
        if body.len() > MAX_BODY {
            return Err(Error::TooLarge {
                what: "a journal entry",
                bytes: body.len(),
                limit: MAX_BODY,
            });
        }
        let mut tail = self.tail();
        if tail.last != expected {
            return Err(Error::Conflict {
                expected,
                last: tail.last,
            });
        }
        if tail.length >= self.segment_bytes {
            self.roll(&mut tail)?;
        }
        tail.append(time, body)
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
}

impl Tail {
    fn append(&mut self, time: Micros, body: &[u8]) -> Result<Position, Error> {
        let position = self.last + 1;
        let header = Header::new(position, time, self.hash, body).encode();
        if let Err(error) = self.write(&header, body) {
            self.undo()?;
            return Err(refused("writing", &self.path, &error, body.len()));
        }
        if let Err(error) = self.sync() {
            // The kernel may have dropped the pages and reported it once: nothing may be acknowledged
            // any more, and a second attempt would prove nothing.
            fatal("syncing", &self.path, &error.to_string());
        }
        self.length += (HEADER + body.len()) as u64;
        self.last = position;
        self.hash = frame::hash(&header, body);
        Ok(position)
    }

    fn write(&mut self, header: &[u8], body: &[u8]) -> std::io::Result<()> {
        fail::fail_point!("journal.write", |_| Err(ErrorKind::StorageFull.into()));
        let mut frame = Vec::with_capacity(header.len() + body.len());
        frame.extend_from_slice(header);
        frame.extend_from_slice(body);
        self.file.write_all(&frame)
    }

    fn sync(&self) -> std::io::Result<()> {
        fail::fail_point!("journal.sync", |_| Err(ErrorKind::Other.into()));
        self.file.sync_data()
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

fn path_of(folder: &Path, base: Position) -> PathBuf {
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

fn damaged(file: &Path, offset: u64, what: &str) -> Error {
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

/// Reads one segment from its start.
#[derive(Debug)]
struct SegmentReader {
    path: PathBuf,
    file: BufReader<File>,
    offset: u64,
    next: Position,
    hash: [u8; 32],
    length_before: u64,
}

impl SegmentReader {
    fn open(folder: &Path, base: Position) -> Result<SegmentReader, Error> {
        let path = path_of(folder, base);
        let file = File::open(&path).map_err(|e| Error::io("opening", &path, &e))?;
        let mut file = BufReader::with_capacity(READ_BUFFER, file);
        let mut header = [0; SEGMENT_HEADER];
        let read = fill(&mut file, &mut header).map_err(|e| Error::io("reading", &path, &e))?;
        if read < SEGMENT_HEADER {
            return Err(damaged(
                &path,
                read as u64,
                "the segment's header is cut short",
            ));
        }
        let crc_holds = crc32c::crc32c(&header[..60]) == frame::u32_at(&header, 60);
        if !crc_holds || header[0..8] != SEGMENT_MAGIC || frame::u64_at(&header, 8) != base {
            return Err(damaged(&path, 0, "the segment's header is not its own"));
        }
        Ok(SegmentReader {
            path,
            file,
            offset: SEGMENT_HEADER as u64,
            next: base,
            hash: frame::array_at(&header, 24),
            length_before: frame::u64_at(&header, 16),
        })
    }

    fn length(&self) -> Result<u64, Error> {
        let metadata = self.file.get_ref().metadata();
        metadata
            .map(|m| m.len())
            .map_err(|e| Error::io("reading", &self.path, &e))
    }

    fn jump(&mut self, offset: u64, next: Position, hash: [u8; 32]) -> Result<(), Error> {
        self.file
            .seek(SeekFrom::Start(offset))
            .map_err(|e| Error::io("seeking in", &self.path, &e))?;
        self.offset = offset;
        self.next = next;
        self.hash = hash;
        Ok(())
    }

    fn skip_to(&mut self, position: Position) -> Result<(), Error> {
        while self.next < position {
            match self.read()? {
                Frame::Whole(_) => {}
                Frame::End | Frame::Torn => return Err(self.missing()),
                Frame::Bad(what) => return Err(self.damaged(what)),
            }
        }
        Ok(())
    }

    fn damaged(&self, what: &str) -> Error {
        damaged(&self.path, self.offset, what)
    }

    fn missing(&self) -> Error {
        self.damaged(&format!("entry {} is missing", self.next))
    }

    /// Reads the frame here and moves behind it when it is whole; otherwise stays before it.
    fn read(&mut self) -> Result<Frame, Error> {
        let frame = self.read_frame();
        let frame = frame.map_err(|e| Error::io("reading", &self.path, &e))?;
        if !matches!(frame, Frame::Whole(_)) {
            self.file
                .seek(SeekFrom::Start(self.offset))
                .map_err(|e| Error::io("seeking in", &self.path, &e))?;
        }
        Ok(frame)
    }

    fn read_frame(&mut self) -> std::io::Result<Frame> {
        let mut head = [0; HEADER];
        match fill(&mut self.file, &mut head)? {
            0 => return Ok(Frame::End),
            HEADER => {}
            _ => return Ok(Frame::Torn),
        }
        let header = match Header::decode(&head) {
            Ok(header) => header,
            Err(what) => return Ok(Frame::Bad(what)),
        };
        if header.position != self.next || header.previous != self.hash {
            return Ok(Frame::Bad("the entry does not follow the one before it"));
        }
        let mut body = vec![0; header.length];
        if fill(&mut self.file, &mut body)? < header.length {
            return Ok(Frame::Torn);
        }
        if crc32c::crc32c(&body) != header.body_crc {
            return Ok(Frame::Bad("an entry's body does not match its checksum"));
        }
        self.hash = frame::hash(&head, &body);
        self.next += 1;
        self.offset += (HEADER + header.length) as u64;
        let body = Bytes::from(body);
        Ok(Frame::Whole(Entry::new(
            header.position,
            header.time,
            self.hash,
            body,
        )))
    }

    /// Whether the file's end, from the last 512-byte boundary on, is zeros: space that the file system
    /// gave to a write whose data never arrived.
    fn zeros_to_the_end(&mut self) -> Result<bool, Error> {
        let length = self.length()?;
        let sector = (length - 1) / 512 * 512;
        let start = sector.max(self.offset);
        let mut rest = vec![0; usize::try_from(length - start).unwrap_or(512)];
        let read = self
            .file
            .seek(SeekFrom::Start(start))
            .and_then(|_| fill(&mut self.file, &mut rest))
            .map_err(|e| Error::io("reading", &self.path, &e))?;
        Ok(rest[..read].iter().all(|byte| *byte == 0))
    }
}

/// Reads until `buffer` is full or the file ends; how much was read.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn read_lock(bases: &RwLock<Vec<Position>>) -> std::sync::RwLockReadGuard<'_, Vec<Position>> {
    bases.read().unwrap_or_else(PoisonError::into_inner)
}

/// A cursor over all segments.
#[derive(Debug)]
struct SegmentsCursor {
    folder: PathBuf,
    bases: Arc<RwLock<Vec<Position>>>,
    reader: SegmentReader,
}

impl Cursor for SegmentsCursor {
    fn next(&mut self, until: Position) -> Result<Option<Entry>, Error> {
        while self.reader.next <= until {
            let frame = match self.reader.read()? {
                // What was buffered may be of a write that was taken back: the file itself decides.
                Frame::Bad(_) | Frame::Torn => self.reader.read()?,
                frame @ (Frame::Whole(_) | Frame::End) => frame,
            };
            match frame {
                Frame::Whole(entry) => return Ok(Some(entry)),
                Frame::End if self.is_finished() => self.open_next()?,
                Frame::End | Frame::Torn => return Err(self.reader.missing()),
                Frame::Bad(what) => return Err(self.reader.damaged(what)),
            }
        }
        Ok(None)
    }
}

impl SegmentsCursor {
    /// Whether another segment starts where this one ends.
    fn is_finished(&self) -> bool {
        let next = self.reader.next;
        let starts_here = read_lock(&self.bases).binary_search(&next).is_ok();
        starts_here && self.reader.path != path_of(&self.folder, next)
    }

    fn open_next(&mut self) -> Result<(), Error> {
        let hash = self.reader.hash;
        self.reader = SegmentReader::open(&self.folder, self.reader.next)?;
        if self.reader.hash == hash {
            return Ok(());
        }
        Err(self.reader.damaged("it does not follow the segment before"))
    }
}
