//! Where a record stands in an index, and a walk along one.
//!
//! A record's places follow from what it says. One that it has left stays in the index, since reads as of an
//! earlier instant come through it; whoever walks along looks whether the record, as it was then, still stands
//! there.

use proto::{DateWindow, Day};
use store::{Micros, Model, State};

use crate::keys;
use crate::record::Record;
use crate::version::Version;

/// Bytes of the date in a place.
const AT: usize = 4;

/// A place at which lists find a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which index; its groups are all of one length.
    pub index: u8,
    /// What the records there have in common.
    pub group: Vec<u8>,
    /// Where it stands among them: see [`proto::CivilDate::ordinal`].
    pub at: u32,
}

/// A stretch of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which index.
    pub index: u8,
    /// What the records there have in common.
    pub group: Vec<u8>,
    /// From here on.
    pub from: u32,
    /// Up to here, which is outside; `None`: to the end.
    pub until: Option<u32>,
    /// Only what may touch this day or a later one.
    pub touching: u32,
}

impl Span {
    /// A whole group.
    pub fn of(index: u8, group: impl Into<Vec<u8>>) -> Span {
        Span {
            index,
            group: group.into(),
            from: 0,
            until: None,
            touching: 0,
        }
    }

    /// Only what may touch this day or a later one: see [`Record::until`].
    #[must_use]
    pub fn touching(self, day: u32) -> Span {
        Span {
            touching: day,
            ..self
        }
    }

    /// A part of a group.
    #[must_use]
    pub fn between(self, from: u32, until: Option<u32>) -> Span {
        Span {
            from,
            until,
            ..self
        }
    }

    /// The part in which dates may lie in a window: one of which only the year is known may lie in one that begins
    /// later in it.
    #[must_use]
    pub fn dated(self, window: DateWindow) -> Span {
        let from = window.start().map_or(0, |start| start.year().ordinal());
        self.between(from, window.end().map(Day::ordinal))
    }

    fn keys(&self, kind: u8) -> (Vec<u8>, Vec<u8>) {
        let group = keys::group(kind, self.index, &self.group);
        let end = match self.until {
            Some(until) => [&group[..], &until.to_be_bytes()].concat(),
            None => [&group[..], &[u8::MAX; AT + 1]].concat(),
        };
        ([&group[..], &self.from.to_be_bytes()].concat(), end)
    }
}

/// What stands beside a place: the last day that the record may touch, or nothing where there is none. Of several
/// versions it is that of the longest, since reads of the past come by here as well.
pub(crate) fn value(before: Option<&[u8]>, until: Option<u32>) -> Vec<u8> {
    let Some(until) = until.map(u32::to_be_bytes) else {
        return Vec::new();
    };
    match before {
        None => until.to_vec(),
        Some([]) => Vec::new(),
        Some(before) => before.max(&until[..]).to_vec(),
    }
}

/// The group of what is the same text but for the case of its letters.
pub fn text_group(text: &str) -> [u8; 8] {
    xxhash_rust::xxh3::xxh3_64(text.to_lowercase().as_bytes()).to_be_bytes()
}

/// A place along the way, and the record that stands there.
#[derive(Debug)]
pub struct Standing<M> {
    /// Its date.
    pub at: u32,
    /// The record's id.
    pub id: String,
    /// `None` when it stood there at another time only, or had ended before the day that is to be touched.
    pub record: Option<M>,
}

impl<M> Standing<M> {
    /// What to go on after.
    pub(crate) fn cursor(&self) -> Vec<u8> {
        [&self.at.to_be_bytes()[..], self.id.as_bytes()].concat()
    }
}

/// Which part of a group is ahead of whoever walks along it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// Whether the walk goes back from the end.
    pub back: bool,
    /// The date and the id from which on it goes, itself included; on the way back, those before which it goes. `None`:
    /// from the beginning, or the end.
    pub bound: Option<(u32, Vec<u8>)>,
}

impl Ahead {
    /// What comes after a date and an id; all without them.
    fn after(last: Option<(u32, &str)>, back: bool) -> Ahead {
        // The zero is behind the id, and before all that continue it.
        let behind: &[u8] = if back { &[] } else { &[0] };
        let bound = last.map(|(at, id)| (at, [id.as_bytes(), behind].concat()));
        Ahead { back, bound }
    }

    /// The part of keys that is ahead, where `prefix` stands before the dates.
    pub fn keys(&self, prefix: &[u8], (start, end): (Vec<u8>, Vec<u8>)) -> (Vec<u8>, Vec<u8>) {
        let Some((at, id)) = &self.bound else {
            return (start, end);
        };
        let bound = [prefix, &at.to_be_bytes(), id].concat();
        if self.back {
            (start, bound.min(end))
        } else {
            (bound.max(start), end)
        }
    }
}

/// Walks along a span as of an instant, forward, or back from its end; after a date and an id where they are given.
pub fn standing<'s, S: Model, M: Record<S>>(
    state: &'s State<'_>,
    span: &Span,
    as_of: Micros,
    back: bool,
    after: Option<(u32, &str)>,
) -> Box<dyn Iterator<Item = Result<Standing<M>, store::Error>> + 's> {
    standing_ahead::<S, M>(state, span, as_of, &Ahead::after(after, back))
}

/// Walks along the part of a span that is ahead, as of an instant.
pub(crate) fn standing_ahead<'s, S: Model, M: Record<S>>(
    state: &'s State<'_>,
    span: &Span,
    as_of: Micros,
    ahead: &Ahead,
) -> Box<dyn Iterator<Item = Result<Standing<M>, store::Error>> + 's> {
    let prefix = keys::group(M::KIND, span.index, &span.group);
    let (start, end) = ahead.keys(&prefix, span.keys(M::KIND));
    let (index, group) = (span.index, span.group.clone());
    let touching = span.touching.to_be_bytes();
    let stands = move |entry: Result<(store::Value, store::Value), store::Error>| {
        let (key, until) = entry?;
        let parsed = parse(&key, group.len());
        let (at, id) = parsed.ok_or_else(|| store::Error::View("the key of a place".into()))?;
        if !until.is_empty() && until[..] < touching[..] {
            let id = id.to_owned();
            return Ok(Standing {
                at,
                id,
                record: None,
            });
        }
        let place = Place {
            index,
            group: group.clone(),
            at,
        };
        let record = record_at(state, &place, id, as_of)?;
        let id = id.to_owned();
        Ok(Standing { at, id, record })
    };
    if ahead.back {
        Box::new(state.range_back(&start, &end).map(stands))
    } else {
        Box::new(state.range(&start, &end).map(stands))
    }
}

fn parse(key: &[u8], group: usize) -> Option<(u32, &str)> {
    let (at, id) = key.get(3 + group..)?.split_first_chunk::<AT>()?;
    Some((u32::from_be_bytes(*at), std::str::from_utf8(id).ok()?))
}

fn record_at<S: Model, M: Record<S>>(
    state: &State<'_>,
    place: &Place,
    id: &str,
    as_of: Micros,
) -> Result<Option<M>, store::Error> {
    let Some(current) = Version::current(state, M::KIND, id)? else {
        return Ok(None);
    };
    // Of a record that never changed, all places are its own.
    let is_only = current.revision() == 1;
    let version = current.stepped_back(state, M::KIND, id, as_of)?;
    let record: Option<M> = Version::record_of(version.as_ref())?;
    Ok(record.filter(|record| is_only || record.places().contains(place)))
}
