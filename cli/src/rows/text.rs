//! Bytes into valid UTF-8, a piece at a time: byte order marks, UTF-16, and the place of what is
//! no text.

use std::io::{self, Read};

use super::ReadError;
use super::input::{Drawn, Input};

const PIECE: usize = 64 * 1024;

#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

/// The text of an input. All that it hands out, taken together, is valid UTF-8.
pub(crate) struct Text<R> {
    input: Input<R>,
    encoding: Encoding,
    /// Bytes read; the first `pending` of them are not decoded yet.
    raw: Box<[u8]>,
    pending: usize,
    /// Text decoded; what is before `start` was consumed.
    decoded: Vec<u8>,
    start: usize,
    /// Bytes decoded, and the line in which the next one is.
    offset: u64,
    line: u64,
    /// Found behind text that is still to be handed out.
    failure: Option<ReadError>,
    ended: bool,
}

impl<R: Read> Text<R> {
    /// Reads the byte order mark, if there is one.
    pub(crate) fn open(input: Input<R>) -> Self {
        let mut text = Self {
            input,
            encoding: Encoding::Utf8,
            raw: vec![0; PIECE].into_boxed_slice(),
            pending: 0,
            decoded: Vec::with_capacity(PIECE),
            start: 0,
            offset: 0,
            line: 1,
            failure: None,
            ended: false,
        };
        while text.pending < 3 && !text.ended {
            text.failure = text.read_raw();
        }
        text.take_mark();
        text.decode();
        text
    }

    /// The text of a source, however packed and encoded, and what is drawn from it.
    pub(crate) fn of(source: R) -> Result<(Self, Drawn), ReadError> {
        let (input, drawn) = Input::open(source)?;
        Ok((Self::open(input), drawn))
    }

    /// The next piece of text; empty at the end.
    pub(crate) fn fill(&mut self) -> Result<&[u8], ReadError> {
        if self.start == self.decoded.len() {
            self.extend()?;
        }
        Ok(self.rest())
    }

    /// Marks the first `count` bytes of what [`Self::fill`] returned as used.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// The first line that is not blank, without consuming it. It is cut at 64 KiB or a little more.
    pub(crate) fn peek_line(&mut self) -> Result<&str, ReadError> {
        while !has_line(self.rest()) && self.rest().len() < PIECE && self.extend()? {}
        let text = valid_start(self.rest()).trim_start();
        Ok(text.split(['\n', '\r']).next().unwrap_or_default())
    }

    fn rest(&self) -> &[u8] {
        &self.decoded[self.start..]
    }

    /// Decodes more; false at the end.
    fn extend(&mut self) -> Result<bool, ReadError> {
        self.decoded.drain(..self.start);
        self.start = 0;
        let before = self.decoded.len();
        while self.decoded.len() == before {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            if self.ended {
                return Ok(false);
            }
            self.read_more();
        }
        Ok(true)
    }

    /// Decodes what a read gave, also the last one before it failed.
    fn read_more(&mut self) {
        let failure = self.read_raw();
        self.decode();
        self.failure = failure.or(self.failure.take());
    }

    fn read_raw(&mut self) -> Option<ReadError> {
        if self.ended {
            return None;
        }
        match self.input.read(&mut self.raw[self.pending..]) {
            Ok(0) => self.ended = true,
            Ok(count) => self.pending += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Some(self.fail(error)),
        }
        None
    }

    fn fail(&mut self, error: io::Error) -> ReadError {
        self.ended = true;
        let bytes = self.offset + self.pending as u64;
        self.input.explain(error, bytes, self.line)
    }

    fn take_mark(&mut self) {
        let (encoding, mark) = match &self.raw[..self.pending] {
            [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
            [0xff, 0xfe, ..] => (Encoding::Utf16Le, 2),
            [0xfe, 0xff, ..] => (Encoding::Utf16Be, 2),
            _ => (Encoding::Utf8, 0),
        };
        self.encoding = encoding;
        self.drop_raw(mark);
    }

    fn decode(&mut self) {
        let before = self.decoded.len();
        let raw = &self.raw[..self.pending];
        let (used, bad) = self.encoding.decode(raw, &mut self.decoded);
        self.line += memchr::memchr_iter(b'\n', &self.decoded[before..]).count() as u64;
        self.drop_raw(used);
        if bad || (self.ended && self.pending > 0) {
            self.failure.get_or_insert(ReadError::Encoding {
                encoding: self.encoding.name(),
                line: self.line,
                byte: self.offset,
            });
        }
    }

    fn drop_raw(&mut self, count: usize) {
        self.raw.copy_within(count..self.pending, 0);
        self.pending -= count;
        self.offset += count as u64;
    }
}

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
        }
    }

    /// How many bytes it could decode, and whether what follows them can never be decoded.
    fn decode(self, raw: &[u8], text: &mut Vec<u8>) -> (usize, bool) {
        match self {
            Self::Utf8 => decode_utf8(raw, text),
            Self::Utf16Le => decode_utf16(raw, u16::from_le_bytes, text),
            Self::Utf16Be => decode_utf16(raw, u16::from_be_bytes, text),
        }
    }
}

fn decode_utf8(raw: &[u8], text: &mut Vec<u8>) -> (usize, bool) {
    let (valid, bad) = match std::str::from_utf8(raw) {
        Ok(valid) => (valid.len(), false),
        Err(error) => (error.valid_up_to(), error.error_len().is_some()),
    };
    text.extend_from_slice(&raw[..valid]);
    (valid, bad)
}

fn decode_utf16(raw: &[u8], unit: fn([u8; 2]) -> u16, text: &mut Vec<u8>) -> (usize, bool) {
    let units = raw.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let mut used = 0;
    for character in char::decode_utf16(units) {
        let Ok(character) = character else {
            // Half a pair may only wait for its other half.
            return (used, used + 4 <= raw.len());
        };
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        used += 2 * character.len_utf16();
    }
    (used, false)
}

fn has_line(text: &[u8]) -> bool {
    let line = text.trim_ascii_start();
    memchr::memchr2(b'\n', b'\r', line).is_some()
}

fn valid_start(text: &[u8]) -> &str {
    match std::str::from_utf8(text) {
        Ok(valid) => valid,
        Err(error) => valid_start(&text[..error.valid_up_to()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte a call, so that every character is cut.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(buffer.len()).min(1);
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn decoded(bytes: &[u8]) -> Result<String, ReadError> {
        let (input, _) = Input::open(Drip(bytes))?;
        let mut text = Text::open(input);
        let mut whole = Vec::new();
        loop {
            let piece = text.fill()?;
            if piece.is_empty() {
                return Ok(String::from_utf8(whole).unwrap());
            }
            let length = piece.len();
            whole.extend_from_slice(piece);
            text.consume(length);
        }
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn a_byte_order_mark_is_taken_off() {
        assert_eq!(decoded(b"\xef\xbb\xbfa\xc3\xa9").unwrap(), "aé");
        assert_eq!(decoded(b"\xef\xbb\xbf").unwrap(), "");
        assert_eq!(decoded(b"").unwrap(), "");
    }

    #[test]
    fn utf16_of_both_orders_is_decoded_across_cuts() {
        let text = "\u{feff}Côte d'Ivoire, 中国 𝄞\n";
        let plain = text.trim_start_matches('\u{feff}');
        assert_eq!(decoded(&utf16(text, u16::to_le_bytes)).unwrap(), plain);
        assert_eq!(decoded(&utf16(text, u16::to_be_bytes)).unwrap(), plain);
    }

    #[test]
    fn bytes_that_are_no_text_are_named_by_line_and_offset() {
        let error = decoded(b"a\nb\n\xc3\x28").unwrap_err();
        assert!(
            matches!(
                error,
                ReadError::Encoding {
                    line: 3,
                    byte: 4,
                    ..
                }
            ),
            "{error}"
        );
        let error = decoded(b"ab\n\xe4\xb8").unwrap_err();
        assert!(
            matches!(
                error,
                ReadError::Encoding {
                    line: 2,
                    byte: 3,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn half_a_surrogate_pair_is_no_text() {
        let lone = [0xff, 0xfe, b'a', 0, 0x00, 0xd8, b'b', 0];
        let error = decoded(&lone).unwrap_err();
        assert_eq!(error.to_string(), "not valid UTF-16LE in line 1, at byte 4");
        assert!(decoded(&lone[..6]).is_err());
        assert!(decoded(&lone[..5]).is_err());
    }
}
