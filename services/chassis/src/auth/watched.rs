//! A file of the login: what it says now, or what it last said that could be read.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::kept::{Files, Kept, Look, Source};

/// What a file of the login may say.
pub(super) trait Written: Sized + fmt::Debug + Send + Sync + 'static {
    /// Bytes that it may have.
    const MAX_BYTES: u64;
    /// What is wrong with bytes that do not say it.
    type Fault: std::error::Error + Send + Sync + 'static;

    fn parse(bytes: &[u8]) -> Result<Self, Self::Fault>;
}

/// A file that says this, looked at again and again.
pub(super) type Watched<T> = Kept<Place<T>>;

/// Where a file is.
#[derive(Debug)]
pub(super) struct Place<T> {
    path: PathBuf,
    says: PhantomData<fn() -> T>,
}

/// Reads a file for the first time; what cannot be read then is an error.
pub(super) fn open<T: Written>(path: PathBuf) -> Result<Watched<T>, Error> {
    Kept::new(Place {
        path,
        says: PhantomData,
    })
}

/// Looks whether a file says something else. It waits for the disk.
pub(super) fn look<T: Written>(file: &Watched<T>) {
    if file.look() == Look::Changed {
        let path = file.source().path.display();
        tracing::info!(file = %path, "a file of the login has changed");
    }
}

impl<T: Written> Source for Place<T> {
    type Made = T;
    const MAX_BYTES: u64 = T::MAX_BYTES;

    fn paths(&self) -> Vec<&Path> {
        vec![&self.path]
    }

    fn unreadable(path: &Path, source: io::Error) -> Error {
        unusable(path, source)
    }

    fn make(&self, files: &Files<'_>) -> Result<T, Error> {
        T::parse(files.of(&self.path)).map_err(|fault| unusable(&self.path, fault))
    }
}

fn unusable(path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Login {
        path: path.to_owned(),
        source: Box::new(source),
    }
}
