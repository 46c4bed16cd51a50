//! The bytes of an entry in a segment file.
//!
//! A frame is a header of 64 bytes and a body. All numbers are little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | magic `ENTJ` |
//! | 4..8 | length of the body |
//! | 8..16 | position |
//! | 16..24 | commit time of the last write, microseconds since 1970 |
//! | 24..56 | hash of the frame before: SHA-256 of its header and body |
//! | 56..60 | CRC-32C of the body |
//! | 60..64 | CRC-32C of the header's first 60 bytes |
//!
//! The header has a checksum of its own so that its length can be believed: only then can an entry that
//! ends too early (torn by a crash, cut back) be told from one whose length was damaged (an error).

use sha2::{Digest, Sha256};

use crate::{Micros, Position};

pub(crate) const HEADER: usize = 64;
/// The largest body; an entry above it is refused before it is written.
pub(crate) const MAX_BODY: usize = 64 << 20;
const MAGIC: [u8; 4] = *b"ENTJ";

/// A frame's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) length: usize,
    pub(crate) position: Position,
    pub(crate) time: Micros,
    pub(crate) previous: [u8; 32],
    pub(crate) body_crc: u32,
}

impl Header {
    pub(crate) fn new(position: Position, time: Micros, previous: [u8; 32], body: &[u8]) -> Header {
        Header {
            length: body.len(),
            position,
            time,
            previous,
            body_crc: crc32c::crc32c(body),
        }
    }

    pub(crate) fn encode(&self) -> [u8; HEADER] {
        let length = u32::try_from(self.length).expect("a body is at most MAX_BODY");
        let mut bytes = [0; HEADER];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.position.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.time.to_le_bytes());
        bytes[24..56].copy_from_slice(&self.previous);
        bytes[56..60].copy_from_slice(&self.body_crc.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..64].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header, or what is wrong with its bytes.
    pub(crate) fn decode(bytes: &[u8; HEADER]) -> Result<Header, &'static str> {
        if crc32c::crc32c(&bytes[..60]) != u32_at(bytes, 60) {
            return Err("an entry's header does not match its checksum");
        }
        let length = u32_at(bytes, 4) as usize;
        if bytes[0..4] != MAGIC || length > MAX_BODY {
            return Err("no entry starts here");
        }
        Ok(Header {
            length,
            position: u64_at(bytes, 8),
            time: i64::from_le_bytes(array_at(bytes, 16)),
            previous: array_at(bytes, 24),
            body_crc: u32_at(bytes, 56),
        })
    }
}

/// The hash that the next frame's header carries.
pub(crate) fn hash(header: &[u8; HEADER], body: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(header);
    hasher.update(body);
    hasher.finalize().into()
}

pub(crate) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_survives_the_way_to_bytes_and_back() {
        let header = Header::new(7, 1_700_000_000_000_000, [9; 32], b"body");
        assert_eq!(Header::decode(&header.encode()), Ok(header));
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_noticed() {
        let bytes = Header::new(7, 1, [9; 32], b"body").encode();
        for bit in 0..HEADER * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&flipped).is_err(), "bit {bit}");
        }
    }
}
