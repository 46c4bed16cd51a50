//! Writing records: what is asked for, parsed, and the decisions.
//!
//! A request id stands for one request (AIP-155): the same again answers the record as it is now, another
//! one is refused. An update replaces the fields that its mask names, and what comes of it is checked as a
//! whole, by the writer, since it may rest on what is stored.

use std::marker::PhantomData;

use prost::Message;
use prost_types::FieldMask;
use proto::{Excerpt, NameError, Slug, Violations};
use store::{Decision, Origin, Request, Stamp, State};

use crate::record::{Field, Record, Refused, Times, Version, find, get};

/// What a request id stands for: the method and the request without the id, which has more than one
/// spelling. The origin of a write without one is empty.
pub(crate) fn origin<R: Message>(
    method: &str,
    request_id: &str,
    without_id: &R,
) -> Result<Origin, String> {
    let digest = || proto::query_digest(&[method.as_bytes(), &without_id.encode_to_vec()]);
    Ok(Origin {
        who: String::new(),
        request: parse_request(request_id, digest)?,
    })
}

/// A request id with the digest of what it stands for; `None` when none is given.
pub(crate) fn parse_request(
    id: &str,
    digest: impl FnOnce() -> u64,
) -> Result<Option<Request>, String> {
    if id.is_empty() {
        return Ok(None);
    }
    let id = uuid::Uuid::try_parse(id).map_err(|_| format!("`{id:.40}` is no UUID"))?;
    Ok(Some(Request {
        id: id.into_bytes(),
        digest: digest(),
    }))
}

/// Whether this very request was done already.
///
/// # Errors
/// [`Refused::RequestIdReused`] when its id was used for another one.
pub(crate) fn is_done(
    state: &State<'_>,
    request: Option<Request>,
    subject: &str,
) -> Result<bool, Refused> {
    let Some(request) = request else {
        return Ok(false);
    };
    match state.seen(&request.id)? {
        None => Ok(false),
        Some(seen) if seen.digest == request.digest && seen.subject == subject => Ok(true),
        Some(_) => Err(Refused::RequestIdReused),
    }
}

/// A record to be created; checked.
#[derive(Debug)]
pub(crate) struct New<M> {
    pub(crate) id: Slug,
    pub(crate) record: M,
}

impl<M: Record> New<M> {
    /// Parses an id and a record; `field` names the id in the request.
    pub(crate) fn parse(
        field: &str,
        id: &str,
        record: Option<M>,
        violations: &mut Violations,
    ) -> Option<New<M>> {
        let id = violations.check(field, Slug::parse(id));
        let record = record.ok_or_else(|| Violations::one("", "is required"));
        let record = violations.check_nested(M::FIELD, record.and_then(M::check));
        Some(New {
            id: id?,
            record: record?,
        })
    }

    /// Decides to create it.
    pub(crate) fn decide<C>(
        self,
        state: &State<'_>,
        stamp: Stamp,
        request: Option<Request>,
        change: fn(M) -> C,
    ) -> Result<Decision<C, M>, Refused> {
        let name = M::NAME(&self.id);
        if is_done(state, request, &name)? {
            return Ok(Decision::nothing(get(state, &self.id, None)?));
        }
        let record = self.created(state, stamp)?;
        Ok(Decision::change(change(record.clone()), name, record))
    }

    /// The record as it is once it is created.
    pub(crate) fn created(self, state: &State<'_>, stamp: Stamp) -> Result<M, Refused> {
        let New { id, mut record } = self;
        let name = M::NAME(&id);
        if Version::current(state, M::KIND, id.as_str())?.is_some() {
            return Err(Refused::AlreadyExists(name));
        }
        let times = Times {
            created: stamp.time,
            updated: stamp.time,
        };
        record.complete(name, times);
        Ok(record)
    }
}

/// A record to be changed.
#[derive(Debug)]
pub(crate) struct Changed<M: Record> {
    id: Slug,
    given: M,
    fields: Vec<&'static Field<M>>,
}

impl<M> std::fmt::Debug for Field<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.path)
    }
}

impl<M: Record> Changed<M> {
    /// Parses the record that is given, and the mask.
    pub(crate) fn parse(
        given: Option<M>,
        mask: Option<FieldMask>,
        violations: &mut Violations,
    ) -> Option<Changed<M>> {
        let Some(given) = given else {
            violations.push(M::FIELD, "is required");
            return None;
        };
        let field = format!("{}.name", M::FIELD);
        let id = violations.check(&field, M::PARSE_NAME(given.name()));
        let fields = masked(&given, mask.unwrap_or_default());
        let fields = violations.check_nested("update_mask", fields);
        Some(Changed {
            id: id?,
            fields: fields?,
            given,
        })
    }

    /// Decides to change it. An update that changes nothing makes no version, unless its request id is to
    /// be remembered.
    pub(crate) fn decide<C>(
        self,
        state: &State<'_>,
        stamp: Stamp,
        request: Option<Request>,
        change: fn(M) -> C,
    ) -> Result<Decision<C, M>, Refused> {
        let name = M::NAME(&self.id);
        let now: M = get(state, &self.id, None)?;
        if is_done(state, request, &name)? {
            return Ok(Decision::nothing(now));
        }
        check_etag(self.given.etag(), &now)?;
        let mut next = self.laid_over(&now)?;
        let is_same = M::FIELDS.iter().all(|field| (field.is_same)(&next, &now));
        if is_same && request.is_none() {
            return Ok(Decision::nothing(now));
        }
        let before = Version::current(state, M::KIND, self.id.as_str())?;
        let times = Times {
            created: before.map_or(stamp.time, |before| before.created),
            updated: stamp.time,
        };
        next.complete(name.clone(), times);
        Ok(Decision::change(change(next.clone()), name, next))
    }

    fn laid_over(&self, now: &M) -> Result<M, Violations> {
        let mut next = now.clone();
        for field in &self.fields {
            (field.set)(&mut next, &self.given);
        }
        next.check().map_err(|inner| {
            let mut violations = Violations::new();
            violations.nest(M::FIELD, inner);
            violations
        })
    }
}

/// The fields that a mask names; without one, all that are given.
fn masked<M: Record>(given: &M, mask: FieldMask) -> Result<Vec<&'static Field<M>>, Violations> {
    let FieldMask { paths } = mask;
    if paths.is_empty() {
        let given = M::FIELDS.iter().filter(|field| (field.is_given)(given));
        return Ok(given.collect());
    }
    let mut violations = Violations::new();
    let mut fields = Vec::new();
    for path in &paths {
        match M::FIELDS.iter().find(|field| field.path == path) {
            Some(field) => fields.push(field),
            None => violations.push("", unknown_path::<M>(path)),
        }
    }
    violations.into_result(fields)
}

fn unknown_path<M: Record>(path: &str) -> String {
    let known: Vec<&str> = M::FIELDS.iter().map(|field| field.path).collect();
    let path = Excerpt::of(path);
    format!(
        "{path} is no field that can be changed: {}",
        known.join(", ")
    )
}

fn check_etag<M: Record>(given: &str, now: &M) -> Result<(), Refused> {
    if given.is_empty() || given == now.etag() {
        return Ok(());
    }
    Err(Refused::EtagMismatch(now.name().to_owned()))
}

/// A record to be deleted.
#[derive(Debug)]
pub(crate) struct Removed<M> {
    id: Slug,
    etag: String,
    record: PhantomData<fn() -> M>,
}

impl<M: Record> Removed<M> {
    pub(crate) fn parse(name: &str, etag: String) -> Result<Removed<M>, NameError> {
        Ok(Removed {
            id: M::PARSE_NAME(name)?,
            etag,
            record: PhantomData,
        })
    }

    /// Decides to delete it.
    pub(crate) fn decide<C>(
        self,
        state: &State<'_>,
        request: Option<Request>,
        change: fn(String) -> C,
    ) -> Result<Decision<C, ()>, Refused> {
        let name = M::NAME(&self.id);
        if is_done(state, request, &name)? {
            return Ok(Decision::nothing(()));
        }
        let now = find::<M>(state, &self.id, None)?;
        let now = now.ok_or_else(|| Refused::NotFound(name.clone()))?;
        check_etag(&self.etag, &now)?;
        Ok(Decision::change(change(name.clone()), name, ()))
    }
}
