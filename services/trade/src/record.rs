//! Records with a name, of which every version is kept.
//!
//! A record is a message under a kind and an id. Beside its current version stand those that were
//! superseded, each under the instant at which it was; a deletion is a version too. So a read as of an
//! instant costs nothing for what has not changed since, and one look-up for what has. An id stays taken
//! when its record is deleted: what was said of it as of an earlier instant must not come to mean another.
//!
//! Nothing here knows what a record says. `record_write.rs` decides, `record_list.rs` makes pages.

use prost::Message;
use proto::{NameError, PageTokenError, Slug, Violations};
use store::{Micros, Stamp, State};

use crate::keys;

/// The largest record in bytes.
pub(crate) const MAX_BYTES: usize = 64 << 10;

/// A message that is kept by name with all its versions; [`record!`](crate::record::record) makes one of it.
pub(crate) trait Record: Message + Default + Clone + 'static {
    /// Its byte among the kinds of a service; journals and views hold it.
    const KIND: u8;
    /// What a request calls it: `sector`.
    const FIELD: &'static str;
    /// The fields that an update may change.
    const FIELDS: &'static [Field<Self>];
    /// Its name by its id.
    const NAME: fn(&Slug) -> String;
    /// Its id by its name.
    const PARSE_NAME: fn(&str) -> Result<Slug, NameError>;

    /// The name that it carries.
    fn name(&self) -> &str;
    /// The etag that it carries.
    fn etag(&self) -> &str;
    /// Sets name, etag and times.
    fn complete(&mut self, name: String, times: Times);
    /// The record in its normal form, or all that is wrong with it.
    fn check(self) -> Result<Self, Violations>;
}

/// A field that an update may change.
pub(crate) struct Field<M> {
    /// Its name, as an update mask has it.
    pub(crate) path: &'static str,
    /// Whether it has a value.
    pub(crate) is_given: fn(&M) -> bool,
    /// Whether both have the same value.
    pub(crate) is_same: fn(&M, &M) -> bool,
    /// Gives the first the value of the second.
    pub(crate) set: fn(&mut M, &M),
}

/// When a version was recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// When the record was created.
    pub(crate) created: Micros,
    /// When this version was recorded.
    pub(crate) updated: Micros,
}

impl Times {
    /// The etag of the version: no two versions of a record have the same instant.
    pub(crate) fn etag(self) -> String {
        format!("{:x}", self.updated)
    }
}

/// Makes a [`Record`] of a message that has the fields `name`, `etag`, `create_time` and `update_time`.
macro_rules! record {
    ($message:ty, kind: $kind:literal, field: $field:literal, changes: [$($change:ident),+],
     name: $name:path, parse_name: $parse_name:path, check: $check:path) => {
        impl $crate::record::Record for $message {
            const KIND: u8 = $kind;
            const FIELD: &'static str = $field;
            const FIELDS: &'static [$crate::record::Field<Self>] = &[$($crate::record::Field {
                path: stringify!($change),
                is_given: |of| $crate::record::is_given(&of.$change),
                is_same: |one, other| one.$change == other.$change,
                set: |to, from| to.$change.clone_from(&from.$change),
            }),+];
            const NAME: fn(&proto::Slug) -> String = $name;
            const PARSE_NAME: fn(&str) -> Result<proto::Slug, proto::NameError> = $parse_name;

            fn name(&self) -> &str {
                &self.name
            }

            fn etag(&self) -> &str {
                &self.etag
            }

            fn complete(&mut self, name: String, times: $crate::record::Times) {
                self.name = name;
                self.etag = times.etag();
                self.create_time = Some(proto::to_timestamp(times.created));
                self.update_time = Some(proto::to_timestamp(times.updated));
            }

            fn check(self) -> Result<Self, proto::Violations> {
                $check(self)
            }
        }
    };
}
pub(crate) use record;

/// Whether a field has another value than one that was left out.
pub(crate) fn is_given<T: Default + PartialEq>(value: &T) -> bool {
    *value != T::default()
}

/// Why a record is not read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("{0}")]
    Invalid(#[from] Violations),
    #[error("{0} does not exist")]
    NotFound(String),
    #[error("{0} exists already, or did once: a name is never used again")]
    AlreadyExists(String),
    #[error("the request id was used for another request")]
    RequestIdReused,
    #[error("{0} has another etag: it was changed since it was read")]
    EtagMismatch(String),
    #[error(transparent)]
    PageToken(#[from] PageTokenError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// A version as it is stored.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Version {
    #[prost(int64, tag = "1")]
    pub(crate) created: Micros,
    #[prost(int64, tag = "2")]
    pub(crate) since: Micros,
    /// Whether the record was deleted then; nothing else is left of it.
    #[prost(bool, tag = "3")]
    deleted: bool,
    #[prost(bytes = "vec", tag = "4")]
    message: Vec<u8>,
}

impl Version {
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

    /// What the record said as of an instant, given its current version.
    pub(crate) fn record_as_of<M: Record>(
        &self,
        state: &State<'_>,
        id: &str,
        instant: Micros,
    ) -> Result<Option<M>, store::Error> {
        let before;
        let then = if self.since <= instant {
            Some(self)
        } else {
            before = superseded_after(state, M::KIND, id, instant)?;
            before.as_ref()
        };
        let then = then.filter(|version| version.since <= instant && !version.deleted);
        then.map(Version::message).transpose()
    }

    fn message<M: Record>(&self) -> Result<M, store::Error> {
        M::decode(&self.message[..]).map_err(|error| malformed(&error))
    }
}

/// The first version that was superseded after an instant.
fn superseded_after(
    state: &State<'_>,
    kind: u8,
    id: &str,
    instant: Micros,
) -> Result<Option<Version>, store::Error> {
    let (start, end) = keys::record_history_after(kind, id, instant);
    let first = state.range(&start, &end).next().transpose()?;
    first.map(|(_, bytes)| Version::parse(&bytes)).transpose()
}

fn malformed(error: &prost::DecodeError) -> store::Error {
    store::Error::View(format!("a record: {error}"))
}

/// The record of an id, as of an instant or now.
pub(crate) fn find<M: Record>(
    state: &State<'_>,
    id: &Slug,
    as_of: Option<Micros>,
) -> Result<Option<M>, store::Error> {
    match Version::current(state, M::KIND, id.as_str())? {
        Some(version) => version.record_as_of(state, id.as_str(), as_of.unwrap_or(Micros::MAX)),
        None => Ok(None),
    }
}

/// The record of an id that must exist.
pub(crate) fn get<M: Record>(
    state: &State<'_>,
    id: &Slug,
    as_of: Option<Micros>,
) -> Result<M, Refused> {
    let found = find(state, id, as_of)?;
    found.ok_or_else(|| Refused::NotFound(M::NAME(id)))
}

/// The first records of a kind that there were at an instant, or are now, in the order of their ids.
pub(crate) fn all<M: Record>(
    state: &State<'_>,
    as_of: Option<Micros>,
    most: usize,
) -> Result<Vec<M>, store::Error> {
    let prefix = keys::record(M::KIND, "");
    let end = [&prefix[..], &[u8::MAX]].concat();
    let mut records = Vec::new();
    for entry in state.range(&prefix, &end) {
        let (key, value) = entry?;
        let id = std::str::from_utf8(&key[prefix.len()..]);
        let id = id.map_err(|_| store::Error::View("the id of a record".into()))?;
        let version = Version::parse(&value)?;
        records.extend(version.record_as_of(state, id, as_of.unwrap_or(Micros::MAX))?);
        if records.len() == most {
            break;
        }
    }
    Ok(records)
}

/// Applies that a record was created or changed.
pub(crate) fn apply_recorded<M: Record>(
    state: &mut State<'_>,
    record: &M,
    stamp: Stamp,
) -> Result<(), store::Error> {
    let id = id_of::<M>(record.name())?;
    let before = Version::current(state, M::KIND, id.as_str())?;
    let times = Times {
        created: before.as_ref().map_or(stamp.time, |before| before.created),
        updated: stamp.time,
    };
    let mut record = record.clone();
    record.complete(M::NAME(&id), times);
    let version = Version {
        created: times.created,
        since: times.updated,
        deleted: false,
        message: record.encode_to_vec(),
    };
    supersede(state, M::KIND, &id, before, &version)
}

/// Applies that a record was deleted.
pub(crate) fn apply_deleted<M: Record>(
    state: &mut State<'_>,
    name: &str,
    stamp: Stamp,
) -> Result<(), store::Error> {
    let id = id_of::<M>(name)?;
    let before = Version::current(state, M::KIND, id.as_str())?;
    let version = Version {
        created: before.as_ref().map_or(stamp.time, |before| before.created),
        since: stamp.time,
        deleted: true,
        message: Vec::new(),
    };
    supersede(state, M::KIND, &id, before, &version)
}

fn supersede(
    state: &mut State<'_>,
    kind: u8,
    id: &Slug,
    before: Option<Version>,
    version: &Version,
) -> Result<(), store::Error> {
    if let Some(before) = before {
        let history = keys::record_history(kind, id.as_str(), version.since);
        state.put(history, before.encode_to_vec())?;
    }
    state.put(keys::record(kind, id.as_str()), version.encode_to_vec())
}

fn id_of<M: Record>(name: &str) -> Result<Slug, store::Error> {
    let id = M::PARSE_NAME(name);
    id.map_err(|error| store::Error::View(format!("the name of a recorded change: {error}")))
}

/// Notes when a record is larger than what is kept of one.
pub(crate) fn check_size<M: Message>(record: &M, violations: &mut Violations) {
    let bytes = record.encoded_len();
    if bytes > MAX_BYTES {
        violations.push("", format!("{bytes} bytes in all; at most {MAX_BYTES}"));
    }
}
