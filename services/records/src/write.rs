//! Writing records: what is asked for, parsed, and the decisions.
//!
//! A request id stands for one request (AIP-155): the same again answers the record as it is now, another
//! one is refused. An update replaces the fields that its mask names, and what comes of it is checked as a
//! whole, by the writer, since it may rest on what is stored.

use std::collections::HashSet;
use std::marker::PhantomData;

use prost_types::FieldMask;
use proto::{Excerpt, Slug, Violations};
use store::{Decision, Micros, Model, Origin, Request, Stamp, State};

use crate::error::Error;
use crate::place::standing;
use crate::record::{Field, Record, Times};
use crate::request::{BatchRequest, CreateParts, CreateRequest, DeleteRequest, UpdateRequest};
use crate::version::{Version, find, get, last};
use crate::who::Who;

/// Records that are created together, at most.
const MAX_BATCH: usize = 500;
/// Entries of indexes that one write may make: 500 records of two countries each have some ten thousand.
const MAX_ENTRIES: usize = 50_000;
/// Records that a new one is held against, at most: those of its kind and countries around its dates.
const MAX_HELD_AGAINST: usize = 10_000;

/// Whether this very request was done already.
///
/// # Errors
/// [`Error::RequestIdReused`] when its id was used for another one.
pub fn is_done(state: &State<'_>, request: Option<Request>, subject: &str) -> Result<bool, Error> {
    match done(state, request)? {
        None => Ok(false),
        Some(made) if made == subject => Ok(true),
        Some(_) => Err(Error::RequestIdReused),
    }
}

/// The record that this very request made or changed, if it was done already: for a request that does not say by
/// itself which one that is.
///
/// # Errors
/// [`Error::RequestIdReused`] when its id was used for another one.
pub fn done(state: &State<'_>, request: Option<Request>) -> Result<Option<String>, Error> {
    let Some(request) = request else {
        return Ok(None);
    };
    match state.seen(&request.id)? {
        None => Ok(None),
        Some(seen) if seen.digest == request.digest => Ok(Some(seen.subject)),
        Some(_) => Err(Error::RequestIdReused),
    }
}

/// A record to be created; checked.
#[derive(Debug)]
pub struct New<S, M> {
    id: Slug,
    record: M,
    allow_duplicate: bool,
    model: PhantomData<fn() -> S>,
}

impl<S: Model, M: Record<S>> New<S, M> {
    /// Parses a request to create a record.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse<Q: CreateRequest<S, Record = M>>(
        request: tonic::Request<Q>,
    ) -> Result<(New<S, M>, Origin), Violations> {
        let (who, mut request) = Who::take(request);
        let request_id = request.take_request_id();
        let origin = who.asks(Q::METHOD, &request_id, &request);
        let mut violations = Violations::new();
        let new = New::of(request, &mut violations);
        let origin = violations.check("request_id", origin);
        new.zip(origin).ok_or(violations)
    }

    fn of<Q: CreateRequest<S, Record = M>>(
        request: Q,
        violations: &mut Violations,
    ) -> Option<New<S, M>> {
        let CreateParts {
            id,
            record,
            allow_duplicate,
        } = request.parts();
        let id = violations.check(Q::ID, Slug::parse(&id));
        let record = record.ok_or_else(|| Violations::one("", "is required"));
        let record = violations.check_nested(M::FIELD, record.and_then(M::check));
        Some(New::checked(id?, record?, allow_duplicate))
    }

    /// One that is checked already.
    pub fn checked(id: Slug, record: M, allow_duplicate: bool) -> New<S, M> {
        New {
            id,
            record,
            allow_duplicate,
            model: PhantomData,
        }
    }

    /// Its name.
    pub fn name(&self) -> String {
        M::NAME(&self.id)
    }

    /// Decides to create it.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`], [`Error::LooksLike`], [`Error::RequestIdReused`].
    pub fn decide(
        self,
        state: &State<'_>,
        stamp: Stamp,
        request: Option<Request>,
    ) -> Result<Decision<S::Change, M>, Error> {
        let name = self.name();
        if is_done(state, request, &name)? {
            return Ok(Decision::nothing(last(state, &self.id)?));
        }
        let record = self.created(state, stamp)?;
        Ok(Decision::change(
            record.clone().recorded(None),
            name,
            record,
        ))
    }

    /// The record as it is once it is created.
    fn created(self, state: &State<'_>, stamp: Stamp) -> Result<M, Error> {
        let name = self.name();
        let New {
            id,
            mut record,
            allow_duplicate,
            model: _,
        } = self;
        if Version::current(state, M::KIND, id.as_str())?.is_some() {
            return Err(Error::AlreadyExists(name));
        }
        if !allow_duplicate && let Some(other) = look_alike(state, &record)? {
            return Err(Error::LooksLike(other));
        }
        let times = Times {
            created: stamp.time,
            updated: stamp.time,
        };
        record.complete(name, times);
        Ok(record)
    }
}

/// The name of a record that is there and looks like one that is not.
fn look_alike<S: Model, M: Record<S>>(
    state: &State<'_>,
    record: &M,
) -> Result<Option<String>, store::Error> {
    let mut looks = 0;
    for span in record.near() {
        for other in standing::<S, M>(state, &span, Micros::MAX, false, None) {
            looks += 1;
            let other = other?.record;
            match other {
                Some(other) if record.resembles(&other) => {
                    return Ok(Some(other.name().to_owned()));
                }
                _ if looks == MAX_HELD_AGAINST => return Ok(None),
                Some(_) | None => {}
            }
        }
    }
    Ok(None)
}

/// Records to be created together; checked.
#[derive(Debug)]
pub struct Batch<S: Model, Q: BatchRequest<S>> {
    news: Vec<New<S, RecordOf<S, Q>>>,
}

type RecordOf<S, Q> = <<Q as BatchRequest<S>>::Create as CreateRequest<S>>::Record;

impl<S: Model, Q: BatchRequest<S>> Batch<S, Q> {
    /// Parses a request to create several records.
    ///
    /// # Errors
    /// All that is wrong with it; [`Error::LooksLike`] when two of them look alike.
    pub fn parse(request: tonic::Request<Q>) -> Result<(Batch<S, Q>, Origin), Error> {
        let (who, mut request) = Who::take(request);
        let request_id = request.take_request_id();
        let origin = who.asks(Q::METHOD, &request_id, &request);
        let mut violations = Violations::new();
        let news = violations.check_nested("", parse_news(request.requests()));
        let origin = violations.check("request_id", origin);
        let (news, origin) = news.zip(origin).ok_or(violations)?;
        check_weight("requests", news.iter().map(|new| &new.record))?;
        check_apart(&news)?;
        Ok((Batch { news }, origin))
    }

    /// Decides to create them all, or none.
    ///
    /// # Errors
    /// Those of [`New::decide`].
    pub fn decide(
        self,
        state: &State<'_>,
        stamp: Stamp,
        request: Option<Request>,
    ) -> Result<Decision<S::Change, Q::Response>, Error> {
        let Batch { news } = self;
        let subject = news.first().map(New::name).unwrap_or_default();
        if is_done(state, request, &subject)? {
            let now = news.iter().map(|new| last(state, &new.id));
            let records = now.collect::<Result<_, Error>>()?;
            return Ok(Decision::nothing(Q::response(records)));
        }
        let created = news.into_iter().map(|new| new.created(state, stamp));
        let records: Vec<RecordOf<S, Q>> = created.collect::<Result<_, Error>>()?;
        Ok(Decision {
            changes: records
                .iter()
                .map(|record| record.clone().recorded(None))
                .collect(),
            subject,
            reply: Q::response(records),
        })
    }
}

fn parse_news<S: Model, Q: CreateRequest<S>>(
    requests: Vec<Q>,
) -> Result<Vec<New<S, Q::Record>>, Violations> {
    if requests.is_empty() || requests.len() > MAX_BATCH {
        let description = format!("{} requests: 1 to {MAX_BATCH} are required", requests.len());
        return Err(Violations::one("requests", description));
    }
    let mut violations = Violations::new();
    let mut news: Vec<New<S, Q::Record>> = Vec::with_capacity(requests.len());
    let mut ids = HashSet::new();
    for (index, mut request) in requests.into_iter().enumerate() {
        let mut inner = Violations::new();
        if !request.take_request_id().is_empty() {
            inner.push("request_id", "is that of the whole batch");
        }
        if let Some(new) = New::of(request, &mut inner) {
            if !ids.insert(new.id.clone()) {
                inner.push(Q::ID, format!("`{}` twice", new.id));
            }
            news.push(new);
        }
        violations.nest(&format!("requests[{index}]"), inner);
    }
    violations.into_result(news)
}

/// What one write asks of the indexes is bounded: the writer, whom others wait for, makes every entry.
///
/// # Errors
/// That it is too much, under `field`.
pub fn check_weight<'a, S: Model, M: Record<S>>(
    field: &str,
    records: impl Iterator<Item = &'a M>,
) -> Result<(), Violations> {
    let entries: usize = records
        .map(|one| one.places().len() + one.topics().len())
        .sum();
    if entries <= MAX_ENTRIES {
        return Ok(());
    }
    let what = format!("{entries} entries of indexes; at most {MAX_ENTRIES}: send fewer at once");
    Err(Violations::one(field, what))
}

/// No two of a batch may look alike. Held here and not by the writer, whom others wait for.
fn check_apart<S: Model, M: Record<S>>(news: &[New<S, M>]) -> Result<(), Error> {
    for (index, new) in news.iter().enumerate() {
        if new.allow_duplicate {
            continue;
        }
        let mut before = news[..index].iter();
        if let Some(other) = before.find(|other| new.record.resembles(&other.record)) {
            return Err(Error::LooksLike(other.name()));
        }
    }
    Ok(())
}

/// A record to be changed.
#[derive(Debug)]
pub struct Changed<S, M: 'static> {
    id: Slug,
    given: M,
    fields: Vec<&'static Field<M>>,
    model: PhantomData<fn() -> S>,
}

impl<S: Model, M: Record<S>> Changed<S, M> {
    /// Parses a request to change a record.
    ///
    /// # Errors
    /// All that is wrong with name, mask and request id; the record is checked as it will be.
    pub fn parse<Q: UpdateRequest<S, Record = M>>(
        request: tonic::Request<Q>,
    ) -> Result<(Changed<S, M>, Origin), Violations> {
        let (who, mut request) = Who::take(request);
        let request_id = request.take_request_id();
        let origin = who.asks(Q::METHOD, &request_id, &request);
        let (given, mask) = request.parts();
        let mut violations = Violations::new();
        let changed = Changed::of(given, mask, &mut violations);
        let origin = violations.check("request_id", origin);
        changed.zip(origin).ok_or(violations)
    }

    fn of(
        given: Option<M>,
        mask: Option<FieldMask>,
        violations: &mut Violations,
    ) -> Option<Changed<S, M>> {
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
            model: PhantomData,
        })
    }

    /// Decides to change it. An update that changes nothing makes no version, unless its request id is to
    /// be remembered.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::EtagMismatch`], [`Error::RequestIdReused`]; [`Error::Invalid`] when what comes
    /// of it is no record.
    pub fn decide(
        self,
        state: &State<'_>,
        stamp: Stamp,
        request: Option<Request>,
    ) -> Result<Decision<S::Change, M>, Error> {
        let name = M::NAME(&self.id);
        if is_done(state, request, &name)? {
            return Ok(Decision::nothing(last(state, &self.id)?));
        }
        let now: M = get(state, &self.id, None)?;
        check_etag(self.given.etag(), &now)?;
        let mut next = self.laid_over(&now)?;
        let is_same = M::FIELDS.iter().all(|field| (field.is_same)(&next, &now));
        if is_same && request.is_none() {
            return Ok(Decision::nothing(now));
        }
        let before = Version::current(state, M::KIND, self.id.as_str())?;
        let times = Times {
            created: before.map_or(stamp.time, |before| before.created()),
            updated: stamp.time,
        };
        next.complete(name.clone(), times);
        Ok(Decision::change(
            next.clone().recorded(Some(&now)),
            name,
            next,
        ))
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
fn masked<S: Model, M: Record<S>>(
    given: &M,
    mask: FieldMask,
) -> Result<Vec<&'static Field<M>>, Violations> {
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
            None => violations.push("", unknown_path::<S, M>(path)),
        }
    }
    violations.into_result(fields)
}

fn unknown_path<S: Model, M: Record<S>>(path: &str) -> String {
    let known: Vec<&str> = M::FIELDS.iter().map(|field| field.path).collect();
    let path = Excerpt::of(path);
    format!(
        "{path} is no field that can be changed: {}",
        known.join(", ")
    )
}

fn check_etag<S: Model, M: Record<S>>(given: &str, now: &M) -> Result<(), Error> {
    if given.is_empty() || given == now.etag() {
        return Ok(());
    }
    Err(Error::EtagMismatch(now.name().to_owned()))
}

/// A record to be deleted.
#[derive(Debug)]
pub struct Removed<S, M> {
    id: Slug,
    etag: String,
    record: PhantomData<fn() -> (S, M)>,
}

impl<S: Model, M: Record<S>> Removed<S, M> {
    /// Parses a request to delete a record.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse<Q: DeleteRequest<S, Record = M>>(
        request: tonic::Request<Q>,
    ) -> Result<(Removed<S, M>, Origin), Violations> {
        let (who, mut request) = Who::take(request);
        let request_id = request.take_request_id();
        let origin = who.asks(Q::METHOD, &request_id, &request);
        let (name, etag) = request.parts();
        let mut violations = Violations::new();
        let id = violations.check("name", M::PARSE_NAME(&name));
        let removed = id.map(|id| Removed {
            id,
            etag,
            record: PhantomData,
        });
        let origin = violations.check("request_id", origin);
        removed.zip(origin).ok_or(violations)
    }

    /// Decides to delete it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::EtagMismatch`], [`Error::RequestIdReused`].
    pub fn decide(
        self,
        state: &State<'_>,
        request: Option<Request>,
    ) -> Result<Decision<S::Change, ()>, Error> {
        let name = M::NAME(&self.id);
        if is_done(state, request, &name)? {
            return Ok(Decision::nothing(()));
        }
        let now = find::<S, M>(state, &self.id, None)?;
        let now = now.ok_or_else(|| Error::NotFound(name.clone()))?;
        check_etag(&self.etag, &now)?;
        Ok(Decision::change(now.deleted(), name, ()))
    }
}
