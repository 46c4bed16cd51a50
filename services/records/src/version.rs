//! What is stored of a record: each of its versions, and the instant that a read is of.
//!
//! Beside the current version stand those that were superseded, each under the instant at which it was; a deletion
//! is a version too. So a read as of an instant costs nothing for what has not changed since, and one look-up for
//! what has. An id stays taken when its record is deleted: what was said of it as of an earlier instant must not
//! come to mean another.

use prost::Message;
use proto::Slug;
use store::{Micros, Model, State};

use crate::error::Error;
use crate::keys;
use crate::record::Record;

/// A version as it is stored.
#[derive(Clone, PartialEq, Message)]
pub struct Version {
    #[prost(int64, tag = "1")]
    created: Micros,
    #[prost(int64, tag = "2")]
    since: Micros,
    /// Whether the record was deleted then; nothing else is left of it.
    #[prost(bool, tag = "3")]
    deleted: bool,
    #[prost(bytes = "vec", tag = "4")]
    message: Vec<u8>,
    #[prost(uint32, tag = "5")]
    revision: u32,
}

impl Version {
    /// The version that follows another one, or the first.
    pub(crate) fn next<M: Message>(
        before: Option<&Version>,
        since: Micros,
        record: Option<&M>,
    ) -> Version {
        Version {
            created: before.map_or(since, |before| before.created),
            since,
            deleted: record.is_none(),
            message: record.map(Message::encode_to_vec).unwrap_or_default(),
            revision: before.map_or(0, |before| before.revision) + 1,
        }
    }

    /// When the record was created.
    pub fn created(&self) -> Micros {
        self.created
    }

    /// When this version was recorded.
    pub(crate) fn since(&self) -> Micros {
        self.since
    }

    /// Which version of the record it is, from 1; a deletion counts too.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// The record; `None` when it was deleted.
    ///
    /// # Errors
    /// [`store::Error::View`] when the bytes are none.
    pub fn record<M: Message + Default>(&self) -> Result<Option<M>, store::Error> {
        let parsed = (!self.deleted).then(|| M::decode(&self.message[..]));
        parsed.transpose().map_err(|error| malformed(&error))
    }

    /// The record of a version that there may be; `None` when there is none, or it was deleted.
    pub(crate) fn record_of<M: Message + Default>(
        version: Option<&Version>,
    ) -> Result<Option<M>, store::Error> {
        version.map_or(Ok(None), Version::record)
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Version, store::Error> {
        Version::decode(bytes).map_err(|error| malformed(&error))
    }

    /// The current version of an id, a deletion included.
    pub(crate) fn current(
        state: &State<'_>,
        kind: u8,
        id: &str,
    ) -> Result<Option<Version>, store::Error> {
        let found = state.get(&keys::record(kind, id))?;
        found.map(|bytes| Version::parse(&bytes)).transpose()
    }

    /// The version of an id as of an instant, a deletion included.
    pub(crate) fn as_of(
        state: &State<'_>,
        kind: u8,
        id: &str,
        instant: Micros,
    ) -> Result<Option<Version>, store::Error> {
        match Version::current(state, kind, id)? {
            Some(current) => current.stepped_back(state, kind, id, instant),
            None => Ok(None),
        }
    }

    /// The version as of an instant, given the current one.
    pub(crate) fn stepped_back(
        self,
        state: &State<'_>,
        kind: u8,
        id: &str,
        instant: Micros,
    ) -> Result<Option<Version>, store::Error> {
        if self.since <= instant {
            return Ok(Some(self));
        }
        let (start, end) = keys::record_history_after(kind, id, instant);
        let first = state.range(&start, &end).next().transpose()?;
        let then = first.map(|(_, bytes)| Version::parse(&bytes)).transpose()?;
        Ok(then.filter(|version| version.since <= instant))
    }

    /// The version that this one superseded.
    pub(crate) fn before(
        &self,
        state: &State<'_>,
        kind: u8,
        id: &str,
    ) -> Result<Option<Version>, store::Error> {
        let before = state.get(&keys::record_history(kind, id, self.since))?;
        before.map(|bytes| Version::parse(&bytes)).transpose()
    }
}

fn malformed(error: &prost::DecodeError) -> store::Error {
    store::Error::View(format!("a record: {error}"))
}

/// The record of an id, as of an instant or now.
pub fn find<S: Model, M: Record<S>>(
    state: &State<'_>,
    id: &Slug,
    as_of: Option<Micros>,
) -> Result<Option<M>, store::Error> {
    let instant = as_of.unwrap_or(Micros::MAX);
    let version = Version::as_of(state, M::KIND, id.as_str(), instant)?;
    Version::record_of(version.as_ref())
}

/// The record of an id that must exist.
///
/// # Errors
/// [`Error::NotFound`] when it does not, or did not then.
pub fn get<S: Model, M: Record<S>>(
    state: &State<'_>,
    id: &Slug,
    as_of: Option<Micros>,
) -> Result<M, Error> {
    let found = find::<S, M>(state, id, as_of)?;
    found.ok_or_else(|| Error::NotFound(M::NAME(id)))
}

/// The version of an id as it is now, a deletion included.
pub fn find_version<S: Model, M: Record<S>>(
    state: &State<'_>,
    id: &Slug,
) -> Result<Option<Version>, store::Error> {
    Version::current(state, M::KIND, id.as_str())
}

/// The record of an id as it is, or as it was last before it was deleted: what a repeated request answers.
///
/// # Errors
/// [`Error::NotFound`] when it never was there.
pub(crate) fn last<S: Model, M: Record<S>>(state: &State<'_>, id: &Slug) -> Result<M, Error> {
    let mut version = Version::current(state, M::KIND, id.as_str())?;
    while let Some(now) = version {
        if let Some(record) = now.record::<M>()? {
            return Ok(record);
        }
        version = now.before(state, M::KIND, id.as_str())?;
    }
    Err(Error::NotFound(M::NAME(id)))
}

/// The version of an id that must exist, a deletion included.
///
/// # Errors
/// [`Error::NotFound`] when it does not, or did not then.
pub fn get_version<S: Model, M: Record<S>>(
    state: &State<'_>,
    id: &Slug,
    as_of: Micros,
) -> Result<Version, Error> {
    let found = Version::as_of(state, M::KIND, id.as_str(), as_of)?;
    found.ok_or_else(|| Error::NotFound(M::NAME(id)))
}

/// The first records of a kind that there were at an instant, or are now, in the order of their ids.
pub fn all<S: Model, M: Record<S>>(
    state: &State<'_>,
    as_of: Option<Micros>,
    most: usize,
) -> Result<Vec<M>, store::Error> {
    let (first, end) = keys::records(M::KIND);
    let instant = as_of.unwrap_or(Micros::MAX);
    let mut records = Vec::new();
    for entry in state.range(&first, &end) {
        let (key, value) = entry?;
        let id = id_in(&key)?;
        let version = Version::parse(&value)?.stepped_back(state, M::KIND, id, instant)?;
        records.extend(Version::record_of::<M>(version.as_ref())?);
        if records.len() == most {
            break;
        }
    }
    Ok(records)
}

pub(crate) fn id_in(key: &[u8]) -> Result<&str, store::Error> {
    keys::record_id(key).ok_or_else(|| store::Error::View("the id of a record".into()))
}
