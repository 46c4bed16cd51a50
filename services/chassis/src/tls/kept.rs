//! What was made of files, and is made again when they change.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::file::Reading;
use crate::Error;

/// What files are made into.
pub(super) trait Source: Send + Sync + 'static {
    type Made: Send + Sync + 'static;

    /// Reads the files and makes it.
    fn read(&self, reading: &mut Reading) -> Result<Self::Made, Error>;
}

/// What was made of files last.
pub(super) struct Kept<S: Source> {
    source: S,
    state: Mutex<State<S::Made>>,
}

struct State<M> {
    made: Arc<M>,
    digest: u64,
    trouble: Option<Trouble>,
}

/// Why the files as they are now were not taken.
struct Trouble {
    why: String,
    is_told: bool,
}

/// What a look at the files came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// They hold what they held.
    Same,
    /// They have changed; what was made of them is in place.
    Changed,
    /// They cannot be used; what was made before stays. They may be half written: nobody is told yet.
    Doubted,
    /// They could not be used twice, and the log says so, once.
    Told,
}

impl<S: Source> Kept<S> {
    /// Reads the files for the first time.
    pub(super) fn new(source: S) -> Result<Self, Error> {
        let mut reading = Reading::default();
        let made = source.read(&mut reading)?;
        let state = State {
            made: Arc::new(made),
            digest: reading.digest(),
            trouble: None,
        };
        Ok(Self {
            source,
            state: Mutex::new(state),
        })
    }

    pub(super) fn source(&self) -> &S {
        &self.source
    }

    /// What new connections take.
    pub(super) fn current(&self) -> Arc<S::Made> {
        self.state().made.clone()
    }

    /// Reads the files again, on a thread that may wait for the disk.
    pub(super) async fn look_aside(self: &Arc<Self>) -> Look {
        let kept = self.clone();
        let looked = tokio::task::spawn_blocking(move || kept.look()).await;
        looked.unwrap_or_else(|error| {
            tracing::error!(%error, "certificates were not looked at");
            Look::Doubted
        })
    }

    fn look(&self) -> Look {
        let mut reading = Reading::default();
        let read = self.source.read(&mut reading);
        let mut state = self.state();
        match read {
            Ok(made) => state.take(made, reading.digest()),
            Err(error) => state.keep(&error),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<S::Made>> {
        // Each change of it is one assignment, so that none is half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> State<M> {
    fn take(&mut self, made: M, digest: u64) -> Look {
        self.trouble = None;
        if digest == self.digest {
            return Look::Same;
        }
        self.made = Arc::new(made);
        self.digest = digest;
        Look::Changed
    }

    fn keep(&mut self, error: &Error) -> Look {
        let why = error.to_string();
        match &mut self.trouble {
            Some(trouble) if trouble.why != why => self.doubt(why),
            None => self.doubt(why),
            Some(trouble) => trouble.tell(error),
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
    fn tell(&mut self, error: &Error) -> Look {
        if !self.is_told {
            self.is_told = true;
            let source = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(%error, source, "certificates have changed and cannot be used; those from before stay");
        }
        Look::Told
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use rustls::RootCertStore;

    use super::*;

    struct Authorities(PathBuf);

    impl Source for Authorities {
        type Made = RootCertStore;

        fn read(&self, reading: &mut Reading) -> Result<RootCertStore, Error> {
            reading.file(&self.0)?.authorities()
        }
    }

    fn pem() -> String {
        let params = rcgen::CertificateParams::default();
        let key = rcgen::KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn what_is_whole_takes_its_place_and_what_is_not_is_told_at_the_second_look_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let (first, second) = (pem(), pem());
        fs::write(&path, &first).unwrap();
        let kept = Kept::new(Authorities(path.clone())).unwrap();
        let before = kept.current();
        assert_eq!(kept.look(), Look::Same);
        let half = &first[..first.len() / 2];
        for (broken, look) in [
            (Some(half), Look::Doubted),
            (Some(half), Look::Told),
            (Some(half), Look::Told),
            (None, Look::Doubted),
            (None, Look::Told),
        ] {
            match broken {
                Some(text) => fs::write(&path, text).unwrap(),
                None => drop(fs::remove_file(&path)),
            }
            assert_eq!(kept.look(), look);
            assert!(Arc::ptr_eq(&kept.current(), &before));
        }
        fs::write(&path, &first).unwrap();
        assert_eq!(kept.look(), Look::Same);
        fs::write(&path, &second).unwrap();
        assert_eq!(kept.look(), Look::Changed);
        assert!(!Arc::ptr_eq(&kept.current(), &before));
    }

    #[test]
    fn a_file_without_end_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        fs::write(&path, pem().repeat(4_000)).unwrap();
        let refused = Kept::new(Authorities(path)).err().unwrap();
        assert!(matches!(refused, Error::Unreadable { .. }), "{refused}");
    }
}
