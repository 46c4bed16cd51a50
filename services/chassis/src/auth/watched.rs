//! A file that is looked at again and again: what it says now, or what it last said that could be read.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use sha2::{Digest, Sha256};

use super::token_file::read_bounded;
use crate::Error;

/// Reads the bytes of a file, or says what is wrong with them.
type Parse<T> = fn(&[u8]) -> Result<T, String>;

/// What a file says.
#[derive(Debug)]
pub(super) struct Watched<T> {
    path: PathBuf,
    max_bytes: u64,
    parse: Parse<T>,
    current: RwLock<Arc<T>>,
    /// SHA-256 of what was looked at last; `None` when that could not be read. Contents are compared, since two
    /// changes within one tick of the disk's clock have the same time.
    seen: Mutex<Option<[u8; 32]>>,
}

impl<T> Watched<T> {
    /// Reads it for the first time; what cannot be read then is an error.
    pub(super) fn open(path: PathBuf, max_bytes: u64, parse: Parse<T>) -> Result<Self, Error> {
        let unreadable = |what: String| Error::Login {
            path: path.clone(),
            what,
        };
        let bytes =
            read_bounded(&path, max_bytes).map_err(|error| unreadable(error.to_string()))?;
        let current = parse(&bytes).map_err(unreadable)?;
        Ok(Self {
            path,
            max_bytes,
            parse,
            current: RwLock::new(Arc::new(current)),
            seen: Mutex::new(Some(Sha256::digest(&bytes).into())),
        })
    }

    /// What it says.
    pub(super) fn now(&self) -> Arc<T> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks whether it says something else. It waits for the disk.
    pub(super) fn look(&self) {
        let read = read_bounded(&self.path, self.max_bytes);
        let digest = read.as_ref().ok().map(|bytes| Sha256::digest(bytes).into());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == digest {
            return;
        }
        *seen = digest;
        let read = read.map_err(|error| error.to_string());
        match read.and_then(|bytes| (self.parse)(&bytes)) {
            Ok(next) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
                tracing::info!(file = %self.path.display(), "a file of the login has changed");
            }
            Err(reason) => tracing::warn!(
                file = %self.path.display(),
                reason,
                "a file of the login cannot be read; what it last said is still believed"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn number(bytes: &[u8]) -> Result<u32, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        text.parse().map_err(|_| "no number".to_owned())
    }

    #[test]
    fn what_can_be_read_is_taken_over_and_what_cannot_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        let missing = Watched::open(path.clone(), 10, number).unwrap_err();
        assert!(missing.to_string().contains("number"));
        fs::write(&path, "1").unwrap();
        let watched = Watched::open(path.clone(), 10, number).unwrap();
        let after = |text: &str| {
            fs::write(&path, text).unwrap();
            watched.look();
            *watched.now()
        };
        assert_eq!(after("2"), 2);
        assert_eq!(after("two"), 2);
        assert_eq!(after("12345678901"), 2);
        assert_eq!(after("3"), 3);
        fs::remove_file(&path).unwrap();
        watched.look();
        assert_eq!(*watched.now(), 3);
        assert_eq!(after("3"), 3);
        assert_eq!(after("4"), 4);
    }
}
