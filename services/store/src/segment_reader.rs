//! Reading segment files: entry by entry, each checked against its checksums and the one before it.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use bytes::Bytes;

use crate::frame::{self, HEADER, Header};
use crate::journal::Cursor;
use crate::segments::{SEGMENT_HEADER, SEGMENT_MAGIC, damaged, path_of, read_lock};
use crate::{Entry, Error, Position};

const READ_BUFFER: usize = 256 << 10;

/// What stands at a place of a segment.
pub(crate) enum Frame {
    Whole(Entry),
    End,
    Torn,
    Bad(&'static str),
}

/// Reads one segment from its start.
#[derive(Debug)]
pub(crate) struct SegmentReader {
    pub(crate) path: PathBuf,
    file: BufReader<File>,
    pub(crate) offset: u64,
    pub(crate) next: Position,
    pub(crate) hash: [u8; 32],
    pub(crate) length_before: u64,
}

impl SegmentReader {
    pub(crate) fn open(folder: &Path, base: Position) -> Result<SegmentReader, Error> {
        let path = path_of(folder, base);
        let file = open(&path).map_err(|e| Error::io("opening", &path, &e))?;
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

    pub(crate) fn length(&self) -> Result<u64, Error> {
        let metadata = self.file.get_ref().metadata();
        metadata
            .map(|m| m.len())
            .map_err(|e| Error::io("reading", &self.path, &e))
    }

    pub(crate) fn jump(
        &mut self,
        offset: u64,
        next: Position,
        hash: [u8; 32],
    ) -> Result<(), Error> {
        self.file
            .seek(SeekFrom::Start(offset))
            .map_err(|e| Error::io("seeking in", &self.path, &e))?;
        self.offset = offset;
        self.next = next;
        self.hash = hash;
        Ok(())
    }

    pub(crate) fn skip_to(&mut self, position: Position) -> Result<(), Error> {
        while self.next < position {
            match self.read()? {
                Frame::Whole(_) => {}
                Frame::End | Frame::Torn => return Err(self.missing()),
                Frame::Bad(what) => return Err(self.damaged(what)),
            }
        }
        Ok(())
    }

    pub(crate) fn damaged(&self, what: &str) -> Error {
        damaged(&self.path, self.offset, what)
    }

    fn missing(&self) -> Error {
        self.damaged(&format!("entry {} is missing", self.next))
    }

    /// Reads the frame here and moves behind it when it is whole; otherwise stays before it.
    pub(crate) fn read(&mut self) -> Result<Frame, Error> {
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
    pub(crate) fn zeros_to_the_end(&mut self) -> Result<bool, Error> {
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

fn open(path: &Path) -> std::io::Result<File> {
    fail::fail_point!("segment.open", |_| Err(rustix::io::Errno::MFILE.into()));
    File::open(path)
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

/// A cursor over all segments.
#[derive(Debug)]
pub(crate) struct SegmentsCursor {
    pub(crate) folder: PathBuf,
    /// First positions of all segments.
    pub(crate) bases: Arc<RwLock<Vec<Position>>>,
    pub(crate) reader: SegmentReader,
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
