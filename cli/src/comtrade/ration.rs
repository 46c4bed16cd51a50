//! A text that ends with an error when one row takes too much of it: the JSON reader itself would
//! hold a name or a string of any length.

use std::io::{self, Read};

use crate::rows::{ReadError, Text};

/// What a row may take.
const RATION: usize = 1024 * 1024;

/// Why it ended. It is kept here because an [`io::Error`] could carry it only in a box.
pub(super) enum Failure {
    Read(ReadError),
    TooLarge,
}

/// A text in rations.
pub(super) struct Rationed<R> {
    text: Text<R>,
    left: usize,
    failure: Option<Failure>,
}

impl<R: Read> Rationed<R> {
    pub(super) fn new(text: Text<R>) -> Self {
        Self {
            text,
            left: RATION,
            failure: None,
        }
    }

    /// Starts the next ration.
    pub(super) fn renew(&mut self) {
        self.left = RATION;
    }

    pub(super) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    fn fail(&mut self, failure: Failure) -> io::Error {
        self.failure = Some(failure);
        io::Error::other("the failure says why")
    }
}

impl<R: Read> Read for Rationed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(self.fail(Failure::TooLarge));
        }
        let piece = match self.text.fill() {
            Ok(piece) => piece,
            Err(error) => return Err(self.fail(Failure::Read(error))),
        };
        let length = piece.len().min(buffer.len()).min(self.left);
        buffer[..length].copy_from_slice(&piece[..length]);
        self.text.consume(length);
        self.left -= length;
        Ok(length)
    }
}
