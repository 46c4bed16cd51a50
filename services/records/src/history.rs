//! Versions of a record, and changes of all.

use prost::Message;
use prost_types::Timestamp;
use proto::r#type::v1::ChangeKind;
use proto::{PageToken, PageTokenError, Slug, Violations, parse_timestamp};
use store::{Micros, Model, State};

use crate::error::Error;
use crate::keys;
use crate::list::{Page, Paging};
use crate::record::Record;
use crate::request::ListRequest;
use crate::topic::Topic;
use crate::version::Version;

/// A version, told by what it changed.
#[derive(Clone, Debug)]
pub struct Revision<M> {
    /// When it was recorded.
    pub time: Micros,
    /// What became of the record.
    pub change: ChangeKind,
    /// The fields that changed; all that were given when it was created.
    pub changed_fields: Vec<String>,
    /// The record; `None` when it was deleted.
    pub record: Option<M>,
}

fn revision<S: Model, M: Record<S>>(
    state: &State<'_>,
    id: &Slug,
    version: &Version,
) -> Result<(Revision<M>, Option<Version>), store::Error> {
    let before = version.before(state, M::KIND, id.as_str())?;
    let record = version.record::<M>()?;
    let was = Version::record_of(before.as_ref())?;
    let (change, base) = match (&record, was) {
        (None, _) => (ChangeKind::Deleted, None),
        (Some(_), None) => (ChangeKind::Created, Some(M::default())),
        (Some(_), was @ Some(_)) => (ChangeKind::Updated, was),
    };
    let changed = record.as_ref().zip(base);
    let changed_fields = changed.map(|(record, base)| {
        let fields = M::FIELDS
            .iter()
            .filter(|field| !(field.is_same)(record, &base));
        fields.map(|field| field.path.to_owned()).collect()
    });
    let revision = Revision {
        time: version.since(),
        change,
        changed_fields: changed_fields.unwrap_or_default(),
        record,
    };
    Ok((revision, before))
}

/// A page of the versions of a record, the latest first.
///
/// # Errors
/// [`Error::NotFound`] when it never was there; [`Error::PageToken`].
pub(crate) fn versions<S: Model, M: Record<S>>(
    state: &State<'_>,
    id: &Slug,
    paging: &Paging,
) -> Result<Page<Revision<M>>, Error> {
    let current = Version::current(state, M::KIND, id.as_str())?;
    let mut next = Some(current.ok_or_else(|| Error::NotFound(M::NAME(id)))?);
    if let Some(cursor) = paging.cursor()? {
        let superseded = <[u8; 8]>::try_from(&cursor[..]).map_err(|_| PageTokenError::Malformed)?;
        let key = keys::record_history(M::KIND, id.as_str(), Micros::from_be_bytes(superseded));
        next = state
            .get(&key)?
            .map(|bytes| Version::parse(&bytes))
            .transpose()?;
    }
    let (mut page, mut bytes) = (Vec::new(), 0);
    while let Some(version) = next {
        let (revision, before) = revision::<S, M>(state, id, &version)?;
        bytes += revision.record.as_ref().map_or(0, M::encoded_len);
        page.push(revision);
        if before.is_some() && paging.is_full(page.len(), bytes) {
            let token = PageToken::encode(paging.digest(), &version.since().to_be_bytes());
            return Ok((page, token));
        }
        next = before;
    }
    Ok((page, String::new()))
}

/// That a record changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When it was recorded.
    pub time: Micros,
    /// The record's kind.
    pub kind: u8,
    /// The record's id.
    pub id: Slug,
}

fn parse(key: &[u8]) -> Option<Change> {
    let (time, rest) = key.split_first_chunk()?;
    let (kind, id) = rest.split_first()?;
    Some(Change {
        time: Micros::from_be_bytes(*time),
        kind: *kind,
        id: Slug::parse_loose(std::str::from_utf8(id).ok()?).ok()?,
    })
}

/// A page of changes that is asked for.
#[derive(Debug)]
pub(crate) struct ChangesQuery {
    paging: Paging,
    topic: Option<Topic>,
    after: Micros,
    until: Micros,
}

/// What a request for changes says.
#[derive(Debug)]
pub struct ChangesParts {
    /// A country.
    pub country: String,
    /// Another one.
    pub partner: String,
    /// Changes after this instant.
    pub start_time: Option<Timestamp>,
    /// Changes until this instant.
    pub end_time: Option<Timestamp>,
}

/// A request for changes; [`changes_request!`](crate::changes_request) writes it.
pub trait ChangesRequest<S: Model>: ListRequest<S> {
    /// A change as it is told.
    type Change: Message;
    /// Its answer.
    type Response: Send + 'static;

    /// Takes it apart.
    fn parts(self) -> ChangesParts;
    /// Tells a change.
    ///
    /// # Errors
    /// [`Error::Store`] for one of a kind that the service has not.
    fn tell(state: &State<'_>, change: &Change) -> Result<Self::Change, Error>;
    /// The answer with a page of changes.
    fn response(page: Page<Self::Change>) -> Self::Response;
}

/// Names a request for changes, its response, and the message of a change with the records that it can be of: each is a
/// message and a variant of the same name.
#[macro_export]
macro_rules! changes_request {
    ($model:ty, $request:ident, $response:ident { $told:ident { $variants:ident: $($record:ident),+ } }) => {
        $crate::list_request!($model, now: $request);

        impl $crate::ChangesRequest<$model> for $request {
            type Change = $told;
            type Response = $response;

            fn tell(
                state: &store::State<'_>,
                change: &$crate::Change,
            ) -> Result<$told, $crate::Error> {
                match change.kind {
                    $(<$record as $crate::Record<$model>>::KIND => {
                        let revision = $crate::revision_of::<$model, $record>(state, change)?;
                        let $crate::Revision { time, change: kind, changed_fields, record } = revision;
                        Ok($told {
                            record_time: Some(proto::to_timestamp(time)),
                            name: <$record as $crate::Fields<$model>>::NAME(&change.id),
                            change: kind.into(),
                            changed_fields,
                            record: record.map($variants::$record),
                        })
                    })+
                    kind => Err(store::Error::View(format!("a change of the kind {kind}")).into()),
                }
            }

            fn response(page: $crate::Page<$told>) -> $response {
                let (changes, next_page_token) = page;
                $response {
                    changes,
                    next_page_token,
                }
            }

            fn parts(self) -> $crate::ChangesParts {
                let $request {
                    country,
                    partner,
                    start_time,
                    end_time,
                    page_size: _,
                    page_token: _,
                } = self;
                $crate::ChangesParts {
                    country,
                    partner,
                    start_time,
                    end_time,
                }
            }
        }
    };
}

impl ChangesQuery {
    /// Parses a request for changes.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn parse<S: Model, Q: ChangesRequest<S>>(
        mut request: Q,
    ) -> Result<ChangesQuery, Violations> {
        let mut violations = Violations::new();
        let paging = Paging::take(&mut request, (50, 500), &mut violations);
        let ChangesParts {
            country,
            partner,
            start_time,
            end_time,
        } = request.parts();
        let topic = Topic::parse(&country, &partner, &mut violations);
        let mut instant = |field: &str, time: Option<Timestamp>| {
            let instant = time.as_ref().map(parse_timestamp).transpose();
            violations.check(field, instant)
        };
        let start = instant("start_time", start_time);
        let end = instant("end_time", end_time);
        let (Some(paging), Some(topic), Some(start), Some(end)) = (paging, topic, start, end)
        else {
            return Err(violations);
        };
        if start.zip(end).is_some_and(|(start, end)| end < start) {
            violations.push("end_time", "is before `start_time`");
        }
        violations.into_result(ChangesQuery {
            paging,
            topic,
            after: start.unwrap_or(-1),
            until: end.unwrap_or(Micros::MAX),
        })
    }

    /// A page of what changed after an instant and until another, of a topic or of all, in the order in which it was
    /// recorded, each as it is told, and the token of the next page. What it costs does not depend on what else
    /// there is.
    ///
    /// # Errors
    /// [`Error::PageToken`], and those of `tell`.
    pub(crate) fn page<T: Message>(
        &self,
        state: &State<'_>,
        tell: impl Fn(&Change) -> Result<T, Error>,
    ) -> Result<Page<T>, Error> {
        let prefix = keys::changes(self.topic);
        let at = |instant: Micros| [&prefix[..], &instant.max(0).to_be_bytes()].concat();
        let start = match self.paging.cursor()? {
            Some(last) => [&prefix[..], &last, &[0]].concat(),
            None => at(self.after.saturating_add(1)),
        };
        let end = at(self.until.saturating_add(1));
        let (mut page, mut bytes) = (Vec::new(), 0);
        let mut last = Vec::new();
        for entry in state.range(&start, &end) {
            let (key, _) = entry?;
            if self.paging.is_full(page.len(), bytes) {
                return Ok((page, PageToken::encode(self.paging.digest(), &last)));
            }
            last = key[prefix.len()..].to_vec();
            let change = parse(&last);
            let change = change.ok_or_else(|| store::Error::View("the key of a change".into()))?;
            let told = tell(&change)?;
            bytes += told.encoded_len();
            page.push(told);
        }
        Ok((page, String::new()))
    }
}

/// The version of a record that a change made.
///
/// # Errors
/// [`Error::NotFound`] when it made none.
pub fn revision_of<S: Model, M: Record<S>>(
    state: &State<'_>,
    change: &Change,
) -> Result<Revision<M>, Error> {
    let Change { time, kind: _, id } = change;
    let version = Version::as_of(state, M::KIND, id.as_str(), *time)?;
    let version = version.filter(|version| version.since() == *time);
    let version = version.ok_or_else(|| Error::NotFound(M::NAME(id)))?;
    Ok(revision::<S, M>(state, id, &version)?.0)
}
