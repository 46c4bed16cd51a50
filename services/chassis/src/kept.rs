//! What is made of files, and made again when they change.
//!
//! What counts is what the files hold, not when they were written: two changes within one tick of the disk's clock have
//! the same time, and a link may come to point elsewhere. Files that cannot be used change nothing. They may be half
//! written at the first look, so that is told at the second.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::Error;

/// What files are made into.
pub(crate) trait Source: fmt::Debug + Send + Sync + 'static {
    type Made: Send + Sync + 'static;
    /// Bytes that one of the files may have.
    const MAX_BYTES: u64;

    /// The files.
    fn paths(&self) -> Vec<&Path>;
    /// Why a file that cannot be read is missed.
    fn unreadable(path: &Path, source: io::Error) -> Error;
    /// Makes it.
    fn make(&self, files: &Files<'_>) -> Result<Self::Made, Error>;
}

/// Files as they were read together. Not to be shown: they may hold keys.
pub(crate) struct Files<'s>(Vec<(&'s Path, Vec<u8>)>);

/// What was made of files last.
pub(crate) struct Kept<S: Source> {
    source: S,
    state: Mutex<State<S::Made>>,
}

struct State<M> {
    made: Arc<M>,
    digest: [u8; 32],
    trouble: Option<Trouble>,
}

/// Why the files as they are now were not taken.
struct Trouble {
    why: String,
    is_told: bool,
}

/// What a look at the files came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// They hold what they held.
    Same,
    /// They have changed; what was made of them is in place.
    Changed,
    /// They cannot be used; what was made before stays. They may be half written: nobody is told yet.
    Doubted,
    /// They could not be used twice, and the log says so, once.
    Told,
}

impl<'s> Files<'s> {
    fn read<S: Source>(source: &'s S) -> Result<Files<'s>, Error> {
        let read = |path: &'s Path| {
            let bytes = read_bounded(path, S::MAX_BYTES);
            let bytes = bytes.map_err(|error| S::unreadable(path, error))?;
            Ok((path, bytes))
        };
        source
            .paths()
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Files)
    }

    /// What one of the source's files holds.
    ///
    /// # Panics
    ///
    /// When it is none of them.
    pub(crate) fn of(&self, path: &Path) -> &[u8] {
        let found = self.0.iter().find(|(read, _)| *read == path);
        &found.expect("a source names its files").1
    }

    /// Differs when a file does.
    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        for (_, bytes) in &self.0 {
            digest.update(Sha256::digest(bytes));
        }
        digest.finalize().into()
    }
}

impl<S: Source> Kept<S> {
    /// Reads the files for the first time; what cannot be used then is an error.
    pub(crate) fn new(source: S) -> Result<Self, Error> {
        let files = Files::read(&source)?;
        let state = State {
            made: Arc::new(source.make(&files)?),
            digest: files.digest(),
            trouble: None,
        };
        Ok(Self {
            source,
            state: Mutex::new(state),
        })
    }

    pub(crate) fn source(&self) -> &S {
        &self.source
    }

    /// What was made of the files as they could last be used.
    pub(crate) fn current(&self) -> Arc<S::Made> {
        self.state().made.clone()
    }

    /// Reads the files again, on a thread that may wait for the disk.
    pub(crate) async fn look_aside(self: &Arc<Self>) -> Look {
        let kept = self.clone();
        let looked = tokio::task::spawn_blocking(move || kept.look()).await;
        looked.unwrap_or_else(|error| {
            tracing::error!(%error, "files were not looked at");
            Look::Doubted
        })
    }

    /// Reads the files again. It waits for the disk.
    pub(crate) fn look(&self) -> Look {
        let read = Files::read(&self.source);
        let digest = read.as_ref().map(Files::digest).unwrap_or_default();
        if read.is_ok() && self.state().is_of(digest) {
            return Look::Same;
        }
        let made = read.and_then(|files| self.source.make(&files));
        let mut state = self.state();
        match made {
            Ok(made) => state.take(made, digest),
            Err(error) => state.keep(&error),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<S::Made>> {
        // Each change of it is one assignment, so that none is half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Source> fmt::Debug for Kept<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kept").field(&self.source).finish()
    }
}

impl<M> State<M> {
    /// Whether it was made of what the files hold now; then there is no trouble with them any more.
    fn is_of(&mut self, digest: [u8; 32]) -> bool {
        let is_same = self.digest == digest;
        self.trouble.take_if(|_| is_same);
        is_same
    }

    fn take(&mut self, made: M, digest: [u8; 32]) -> Look {
        *self = State {
            made: Arc::new(made),
            digest,
            trouble: None,
        };
        Look::Changed
    }

    fn keep(&mut self, error: &Error) -> Look {
        let why = reason(error);
        match &mut self.trouble {
            Some(trouble) if trouble.why == why => trouble.tell(),
            Some(_) | None => self.doubt(why),
        }
    }

    fn doubt(&mut self, why: String) -> Look {
        self.trouble = Some(Trouble {
            why,
            is_told: false,
        });
        Look::Doubted
    }
}

impl Trouble {
    fn tell(&mut self) -> Look {
        if !self.is_told {
            self.is_told = true;
            let why = &self.why;
            tracing::warn!(
                why,
                "files have changed and cannot be used; what they said before still holds"
            );
        }
        Look::Told
    }
}

fn reason(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Reads a file that is not larger than it may be.
pub(crate) fn read_bounded(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        let message = format!("it is larger than {max} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    /// A number in each of two files.
    #[derive(Debug)]
    struct Numbers([PathBuf; 2]);

    impl Numbers {
        fn in_folder(folder: &tempfile::TempDir) -> Numbers {
            Numbers(["first", "second"].map(|name| folder.path().join(name)))
        }

        fn write(&self, texts: [&str; 2]) {
            for (path, text) in self.0.iter().zip(texts) {
                fs::write(path, text).unwrap();
            }
        }
    }

    impl Source for Numbers {
        type Made = [u32; 2];
        const MAX_BYTES: u64 = 10;

        fn paths(&self) -> Vec<&Path> {
            self.0.iter().map(PathBuf::as_path).collect()
        }

        fn unreadable(path: &Path, source: io::Error) -> Error {
            Error::Login {
                path: path.to_owned(),
                source: source.into(),
            }
        }

        fn make(&self, files: &Files<'_>) -> Result<[u32; 2], Error> {
            let number = |path: &PathBuf| {
                let text = String::from_utf8_lossy(files.of(path));
                let unreadable = |error| Error::Login {
                    path: path.clone(),
                    source: Box::new(error),
                };
                text.parse().map_err(unreadable)
            };
            let [first, second] = &self.0;
            Ok([number(first)?, number(second)?])
        }
    }

    #[test]
    fn what_is_whole_takes_its_place_and_what_is_not_is_told_at_the_second_look_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let files = Numbers::in_folder(&folder);
        files.write(["1", "2"]);
        let kept = Kept::new(Numbers::in_folder(&folder)).unwrap();
        let before = kept.current();
        assert_eq!((kept.look(), *before), (Look::Same, [1, 2]));
        let (half, long) = (["1", "two"], ["1", "12345678901"]);
        for (texts, looks) in [
            (half, [Look::Doubted, Look::Told, Look::Told]),
            (long, [Look::Doubted, Look::Told, Look::Told]),
        ] {
            files.write(texts);
            assert_eq!([(); 3].map(|()| kept.look()), looks);
            assert!(Arc::ptr_eq(&kept.current(), &before));
        }
        fs::remove_file(&files.0[1]).unwrap();
        assert_eq!([kept.look(), kept.look()], [Look::Doubted, Look::Told]);
        files.write(["1", "2"]);
        assert_eq!(kept.look(), Look::Same);
        assert!(Arc::ptr_eq(&kept.current(), &before));
        files.write(["1", "3"]);
        assert_eq!((kept.look(), *kept.current()), (Look::Changed, [1, 3]));
    }

    #[test]
    fn what_moves_from_one_file_to_another_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let files = Numbers::in_folder(&folder);
        files.write(["12", "3"]);
        let kept = Kept::new(Numbers::in_folder(&folder)).unwrap();
        files.write(["1", "23"]);
        assert_eq!((kept.look(), *kept.current()), (Look::Changed, [1, 23]));
    }

    #[test]
    fn what_cannot_be_used_from_the_beginning_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let files = Numbers::in_folder(&folder);
        let missing = Kept::new(Numbers::in_folder(&folder)).unwrap_err();
        assert!(missing.to_string().contains("first"), "{missing}");
        files.write(["1", "two"]);
        let wrong = Kept::new(files).unwrap_err();
        assert!(wrong.to_string().contains("second"), "{wrong}");
    }
}
