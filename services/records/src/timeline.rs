//! What happened, told in one order from several indexes by date, a page at a time.
//!
//! Each index is a *lane*, and what stands in it at a date under an id is a *stop*, which tells some entries. The order
//! is by date, then by lane, by id, and by the entry's place at its stop; back from the end it is all of that reversed.
//! A page walks all lanes side by side from where it begins, so what it costs does not grow with what lies before.

use std::cmp::Reverse;
use std::iter::Peekable;

use prost::Message;
use proto::{DateWindow, PageTokenError, Violations, check_each, has_wanted};
use store::{Micros, Model, State};

use crate::error::Error;
use crate::list::{Page, Paging};
use crate::place::{Ahead, Span, Standing, standing_ahead};
use crate::record::Record;
use crate::request::ListRequest;
use crate::topic::Topic;

/// What a page may look at.
const MAX_LOOKS: usize = 2_000;

/// What stands in a lane at a date under an id.
#[derive(Debug)]
pub struct Stop<E> {
    /// Its date: see [`proto::CivilDate::ordinal`].
    pub at: u32,
    /// Its id.
    pub id: Vec<u8>,
    /// What it tells, in the order in which it is told forward.
    pub entries: Vec<E>,
    /// What was looked at for it, at least 1.
    pub looks: usize,
}

/// The stops of a lane that are ahead.
pub type Stops<'s, E> = Box<dyn Iterator<Item = Result<Stop<E>, store::Error>> + 's>;

/// A lane, which is asked once for the stops that are ahead.
pub type Lane<'s, E> = Box<dyn FnOnce(&Ahead) -> Stops<'s, E> + 's>;

/// A lane of the records of one kind along a span, each of which tells what is made of it.
pub fn record_lane<'s, S: Model, M: Record<S>, E: 's>(
    state: &'s State<'s>,
    span: Span,
    as_of: Micros,
    tell: impl Fn(u32, M) -> Vec<E> + 's,
) -> Lane<'s, E> {
    Box::new(move |ahead| {
        let met = standing_ahead::<S, M>(state, &span, as_of, ahead);
        Box::new(met.map(move |met| {
            let Standing { at, id, record } = met?;
            let entries = record.map(|record| tell(at, record));
            Ok(Stop {
                at,
                id: id.into_bytes(),
                entries: entries.unwrap_or_default(),
                looks: 1,
            })
        }))
    })
}

/// Where an entry stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    at: u32,
    lane: u8,
    id: Vec<u8>,
    step: u16,
}

impl Position {
    fn encode(&self) -> Vec<u8> {
        let step = self.step.to_be_bytes();
        [&self.at.to_be_bytes()[..], &[self.lane], &step, &self.id].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Position> {
        let (at, rest) = bytes.split_first_chunk()?;
        let (lane, rest) = rest.split_first()?;
        let (step, id) = rest.split_first_chunk()?;
        Some(Position {
            at: u32::from_be_bytes(*at),
            lane: *lane,
            id: id.to_vec(),
            step: u16::from_be_bytes(*step),
        })
    }

    /// Behind all that its stop tells.
    fn end_of_stop(self, back: bool) -> Position {
        let step = if back { 0 } else { u16::MAX };
        Position { step, ..self }
    }

    /// The part of a lane that begins with this position's stop, or with what comes next in another lane.
    fn ahead(&self, lane: u8, back: bool) -> Ahead {
        let bound = match lane.cmp(&self.lane) {
            std::cmp::Ordering::Less => (self.at.saturating_add(1), Vec::new()),
            std::cmp::Ordering::Equal if back => (self.at, [&self.id[..], &[0]].concat()),
            std::cmp::Ordering::Equal => (self.at, self.id.clone()),
            std::cmp::Ordering::Greater => (self.at, Vec::new()),
        };
        Ahead {
            back,
            bound: Some(bound),
        }
    }
}

/// What a request for a page of a timeline says; [`timeline_request!`](crate::timeline_request) takes it apart.
#[derive(Debug)]
pub struct TimelineParts {
    /// One of the pair.
    pub country: String,
    /// The other one.
    pub partner: String,
    /// The window.
    pub window: Option<proto::r#type::v1::DateWindow>,
    /// Whether the latest comes first.
    pub descending: bool,
    /// The kinds of entries.
    pub kinds: Vec<i32>,
}

/// A request for a page of a timeline; [`timeline_request!`](crate::timeline_request) writes it.
pub trait TimelineRequest<S>: ListRequest<S> {
    /// What happened.
    type Entry: Message + 'static;
    /// Its answer.
    type Response: Send + 'static;

    /// Takes it apart.
    fn parts(self) -> TimelineParts;
    /// The kind of an entry by its number.
    fn kind(number: i32) -> Result<i32, String>;
    /// The answer with a page of entries.
    fn response(page: Page<Self::Entry>) -> Self::Response;
}

/// Names a request for a page of a timeline, its response, its entries and their kinds.
#[macro_export]
macro_rules! timeline_request {
    ($model:ty, $request:ident, $response:ident { $entry:ident of $kind:ty }) => {
        $crate::list_request!($model, $request);

        impl $crate::TimelineRequest<$model> for $request {
            type Entry = $entry;
            type Response = $response;

            fn response(page: $crate::Page<$entry>) -> $response {
                let (entries, next_page_token) = page;
                $response {
                    entries,
                    next_page_token,
                }
            }

            fn parts(self) -> $crate::TimelineParts {
                let $request {
                    country,
                    partner,
                    window,
                    descending,
                    kinds,
                    page_size: _,
                    page_token: _,
                    as_of: _,
                } = self;
                $crate::TimelineParts {
                    country,
                    partner,
                    window,
                    descending,
                    kinds,
                }
            }

            fn kind(number: i32) -> Result<i32, String> {
                proto::one_of::<$kind>(number, "kind of an entry").map(i32::from)
            }
        }
    };
}

/// A page of a timeline that is asked for.
#[derive(Debug)]
pub struct TimelineQuery {
    paging: Paging,
    back: bool,
    kinds: Vec<i32>,
    /// The two countries.
    pub pair: Topic,
    /// The window; open where it was not given.
    pub window: DateWindow,
}

impl TimelineQuery {
    /// Parses a request.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn parse<S, Q: TimelineRequest<S>>(
        mut request: Q,
    ) -> Result<TimelineQuery, Violations> {
        let mut violations = Violations::new();
        let paging = Paging::take(&mut request, (50, 500), &mut violations);
        let TimelineParts {
            country,
            partner,
            window,
            descending,
            kinds,
        } = request.parts();
        let pair = Topic::parse_pair(&country, &partner, &mut violations);
        let window = window.map(DateWindow::try_from).transpose();
        let window = violations.check_nested("window", window);
        let kinds = check_each("kinds", &kinds, Q::kind, &mut violations);
        let (Some(paging), Some(pair), Some(window)) = (paging, pair, window) else {
            return Err(violations);
        };
        violations.into_result(TimelineQuery {
            paging,
            back: descending,
            kinds,
            pair,
            window: window.unwrap_or_default(),
        })
    }

    /// Whether entries of a kind are asked for.
    pub fn wants(&self, kind: impl Into<i32>) -> bool {
        has_wanted(&self.kinds, &[kind.into()])
    }

    /// A page of what the lanes tell as of an instant.
    ///
    /// # Errors
    /// [`Error::PageToken`].
    pub fn page<'s, E: Message>(
        &self,
        state: &State<'_>,
        lanes: impl FnOnce(Micros) -> Vec<Lane<'s, E>>,
    ) -> Result<Page<E>, Error> {
        let (as_of, after) = self.paging.start(state)?;
        let after = match &after[..] {
            [] => None,
            bytes => Some(Position::decode(bytes).ok_or(PageTokenError::Malformed)?),
        };
        let filling = Filling {
            query: self,
            as_of,
            last: after.clone(),
            after,
            page: Vec::new(),
            bytes: 0,
        };
        filling.fill(lanes(as_of))
    }
}

/// A page that is being filled.
struct Filling<'q, E> {
    query: &'q TimelineQuery,
    as_of: Micros,
    /// Where the page before ended.
    after: Option<Position>,
    /// How far this one has come.
    last: Option<Position>,
    page: Vec<E>,
    bytes: usize,
}

impl<E: Message> Filling<'_, E> {
    fn fill(mut self, lanes: Vec<Lane<'_, E>>) -> Result<Page<E>, Error> {
        let mut walks = Vec::with_capacity(lanes.len());
        for (lane, number) in lanes.into_iter().zip(0..) {
            walks.push((number, lane(&self.ahead(number)).peekable()));
        }
        let mut looks = 0;
        while let Some((lane, stop)) = next_stop(&mut walks, self.query.back) {
            // A page that only comes to where the last one ended would never end.
            let stop = stop?;
            looks += stop.looks;
            if !self.take(lane, stop) || looks >= MAX_LOOKS {
                return Ok(self.unfinished());
            }
        }
        Ok((self.page, String::new()))
    }

    fn ahead(&self, lane: u8) -> Ahead {
        let back = self.query.back;
        let after = self.after.as_ref();
        after.map_or(Ahead { back, bound: None }, |after| after.ahead(lane, back))
    }

    /// Takes what a stop tells; false when the page is full before its end.
    fn take(&mut self, lane: u8, stop: Stop<E>) -> bool {
        let Stop {
            at, id, entries, ..
        } = stop;
        let back = self.query.back;
        let position = |step| Position {
            at,
            lane,
            id: id.clone(),
            step,
        };
        let mut entries: Vec<(u16, E)> = (0..).zip(entries).collect();
        if back {
            entries.reverse();
        }
        for (step, entry) in entries {
            let position = position(step);
            if !self.is_ahead(&position) {
                continue;
            }
            if self.query.paging.is_full(self.page.len(), self.bytes) {
                return false;
            }
            self.bytes += entry.encoded_len();
            self.page.push(entry);
            self.last = Some(position);
        }
        self.last = Some(position(0).end_of_stop(back));
        true
    }

    fn is_ahead(&self, position: &Position) -> bool {
        self.after.as_ref().is_none_or(|after| {
            if self.query.back {
                position < after
            } else {
                position > after
            }
        })
    }

    fn unfinished(self) -> Page<E> {
        let last = self.last.as_ref();
        let after = last.map(Position::encode).unwrap_or_default();
        (self.page, self.query.paging.token(self.as_of, &after))
    }
}

/// The stop that comes next in all lanes, and its lane. What cannot be read comes first.
fn next_stop<E>(
    walks: &mut [(u8, Peekable<Stops<'_, E>>)],
    back: bool,
) -> Option<(u8, Result<Stop<E>, store::Error>)> {
    let mut dates = Vec::with_capacity(walks.len());
    for (lane, walk) in walks.iter_mut() {
        let Some(stop) = walk.peek() else { continue };
        dates.push(
            stop.as_ref()
                .map_or((None, *lane), |stop| (Some(stop.at), *lane)),
        );
    }
    let unreadable = dates.iter().find(|(date, _)| date.is_none());
    let next = match unreadable {
        Some(first) => Some(first),
        None if back => dates.iter().min_by_key(|key| Reverse(**key)),
        None => dates.iter().min(),
    };
    let lane = next?.1;
    let (_, walk) = walks.iter_mut().find(|(number, _)| *number == lane)?;
    Some((lane, walk.next()?))
}
