//! Bytes as they come: counted, and unpacked when they are gzip.

use std::io::{self, Chain, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use super::ReadError;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZIP: [u8; 4] = *b"PK\x03\x04";

/// How many bytes were drawn from a source; shared with the decoder that owns the source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drawn(Arc<AtomicU64>);

impl Drawn {
    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A source that counts what is drawn from it.
pub(crate) struct Counted<R> {
    source: R,
    drawn: Drawn,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.drawn.0.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The source after a look at its first bytes, which are put back.
pub(crate) type Peeked<R> = Chain<Cursor<Vec<u8>>, Counted<R>>;

/// The unpacked bytes of a source.
pub(crate) enum Input<R> {
    Plain(Peeked<R>),
    Gzip(Box<MultiGzDecoder<Peeked<R>>>),
}

impl<R: Read> Input<R> {
    /// Looks at the first bytes of `source` for what packs them.
    pub(crate) fn open(source: R) -> Result<(Self, Drawn), ReadError> {
        let drawn = Drawn::default();
        let mut counted = Counted {
            source,
            drawn: drawn.clone(),
        };
        let mut magic = Vec::new();
        counted
            .by_ref()
            .take(ZIP.len() as u64)
            .read_to_end(&mut magic)
            .map_err(|source| ReadError::Io { bytes: 0, source })?;
        if magic == ZIP {
            return Err(ReadError::Zip);
        }
        let packed = magic.starts_with(&GZIP);
        let peeked = Cursor::new(magic).chain(counted);
        let input = if packed {
            Self::Gzip(Box::new(MultiGzDecoder::new(peeked)))
        } else {
            Self::Plain(peeked)
        };
        Ok((input, drawn))
    }

    /// What a failed read means, after `bytes` unpacked bytes, in `line`.
    pub(crate) fn explain(&self, error: io::Error, bytes: u64, line: u64) -> ReadError {
        let packed = matches!(self, Self::Gzip(_));
        let kind = error.kind();
        if packed && kind == io::ErrorKind::UnexpectedEof {
            return ReadError::Truncated { bytes, line };
        }
        if packed && [io::ErrorKind::InvalidInput, io::ErrorKind::InvalidData].contains(&kind) {
            let reason = error.to_string();
            return ReadError::Compression {
                bytes,
                line,
                reason,
            };
        }
        ReadError::Io {
            bytes,
            source: error,
        }
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(source) => source.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
        }
    }
}
