//! What a record is.

use prost::Message;
use proto::{NameError, Slug, Violations, to_timestamp};
use store::{Micros, Model};

use crate::error::Error;
use crate::place::{Place, Span};
use crate::topic::Topic;

/// The largest record in bytes.
const MAX_BYTES: usize = 64 << 10;
/// The largest answer in bytes: a client takes 4 MiB if nobody told it otherwise.
const MAX_ANSWER: usize = 3 << 20;

/// The fields that all records have, and those that an update may change; [`fields!`](crate::fields) writes it. `S` is
/// the model of the service whose records they are: messages are another crate's, and a service says what they are
/// to it.
pub trait Fields<S>: Message + Default + Clone + std::fmt::Debug + 'static {
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
}

/// A message that is kept by name with all its versions.
pub trait Record<S: Model>: Fields<S> {
    /// Its byte among the kinds of a service; journals and views hold it.
    const KIND: u8;

    /// The record in its normal form, or all that is wrong with it.
    fn check(self) -> Result<Self, Violations>;
    /// The change that creating it is, or changing it from what it was before.
    fn recorded(self, before: Option<&Self>) -> S::Change;
    /// The change that deleting it is.
    fn deleted(self) -> S::Change;

    /// The places at which lists find it.
    fn places(&self) -> Vec<Place> {
        Vec::new()
    }

    /// The last day that it may touch, as [`proto::Day::ordinal`]; `None`: any. It stands beside its places, so that
    /// whoever looks for what touches a window need not read what had ended.
    fn until(&self) -> Option<u32> {
        None
    }

    /// Which countries it is about.
    fn topics(&self) -> Vec<Topic> {
        Vec::new()
    }

    /// Where records stand that may look like it.
    fn near(&self) -> Vec<Span> {
        Vec::new()
    }

    /// Whether another one looks like it: what was entered twice.
    fn resembles(&self, _other: &Self) -> bool {
        false
    }
}

/// A field that an update may change.
pub struct Field<M> {
    /// Its name, as an update mask has it.
    pub path: &'static str,
    /// Whether it has a value.
    pub is_given: fn(&M) -> bool,
    /// Whether both have the same value.
    pub is_same: fn(&M, &M) -> bool,
    /// Gives the first the value of the second.
    pub set: fn(&mut M, &M),
}

impl<M> std::fmt::Debug for Field<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.path)
    }
}

/// When a version was recorded.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// When the record was created.
    pub created: Micros,
    /// When this version was recorded.
    pub updated: Micros,
}

impl Times {
    /// The etag of the version: no two versions of a record have the same instant.
    pub fn etag(self) -> String {
        format!("{:x}", self.updated)
    }

    /// As messages have them: when created, when updated.
    pub fn to_wire(self) -> [Option<prost_types::Timestamp>; 2] {
        [self.created, self.updated].map(|time| Some(to_timestamp(time)))
    }
}

/// Writes [`Fields`] for a message that has the fields `name`, `etag`, `create_time` and `update_time`. What is said of
/// a field by hand, such as that of a oneof, comes before the others.
#[macro_export]
macro_rules! fields {
    (
        $model:ty, $message:ty, $field:literal, [$($change:ident),+ $(,)?], $name:path, $parse_name:path
        $(, by hand: [$($by_hand:path),+])?
    ) => {
        impl $crate::Fields<$model> for $message {
            const FIELD: &'static str = $field;
            const FIELDS: &'static [$crate::Field<Self>] = &[$($($by_hand,)+)? $($crate::Field {
                path: stringify!($change),
                is_given: |of| $crate::is_given(&of.$change),
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

            fn complete(&mut self, name: String, times: $crate::Times) {
                self.name = name;
                self.etag = times.etag();
                [self.create_time, self.update_time] = times.to_wire();
            }
        }
    };
}

/// Whether a field has another value than one that was left out.
pub fn is_given<T: Default + PartialEq>(value: &T) -> bool {
    *value != T::default()
}

/// Notes when a record is larger than what is kept of one.
pub fn check_size<M: Message>(record: &M, violations: &mut Violations) {
    let bytes = record.encoded_len();
    if bytes > MAX_BYTES {
        violations.push("", format!("{bytes} bytes in all; at most {MAX_BYTES}"));
    }
}

/// An answer that is not too large.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn bounded<M: Message>(answer: M) -> Result<M, Error> {
    if answer.encoded_len() > MAX_ANSWER {
        let what = "the answer has more than 3 MiB; ask for less of it";
        return Err(Error::TooLarge(what.into()));
    }
    Ok(answer)
}
