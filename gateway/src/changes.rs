//! What was recorded, changed and deleted of two countries, over all services in the order in which it was recorded.
//!
//! # Why a watch goes on from here without a gap
//!
//! For the first page each service is asked where its journal stands: a position, and the instant of the last write in
//! the entry there. Every write has an instant of its own, later than all before it in that journal; so what was
//! recorded by that instant is exactly what the entries up to that position hold. The list ends at these instants, and
//! the cursor has these positions.

use futures_util::FutureExt;
use futures_util::future::join3;
use prost::Message;
use proto::error::v1::ErrorReason;
use proto::gateway::v1 as wire;
use proto::{Country, Day, PageToken, PageTokenError, Violations, culture, events};
use proto::{parse_timestamp, query_digest, to_timestamp, trade};
use tonic::{Code, Status};
use wire::list_changes_request::Since;
use wire::relationship_change::Change;
use wire::{ListChangesRequest, ListChangesResponse, RelationshipChange};

use crate::ask::{Asking, Service, Services};
use crate::asked::pair;
use crate::cursor::{Cursor, Point};
use crate::merge::{self, List, Listed, Mark};
use crate::outage::unreachable;
use crate::stand::stand_of;
use crate::which::Which;

/// Where each service stands among the points of a cursor.
const TRADE: usize = Which::Trade.place();
const EVENTS: usize = Which::Events.place();
const CULTURE: usize = Which::Culture.place();
/// Which service each list is of: figures, statements, events, culture.
const SERVICE: [Which; 4] = [Which::Trade, Which::Trade, Which::Events, Which::Culture];

/// A page of changes.
#[derive(Debug)]
pub(crate) struct Query {
    pair: [Country; 2],
    size: usize,
    digest: u64,
    start: Start,
}

/// Where a page begins.
#[derive(Debug)]
struct Start {
    marks: [Mark; 4],
    /// What the list follows.
    after: [Point; 3],
    /// Where it ends; `None`: the service was not reached yet.
    until: [Option<Point>; 3],
}

impl Start {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (after, until) in self.after.iter().zip(self.until) {
            Point::encode(Some(*after), &mut bytes);
            Point::encode(until, &mut bytes);
        }
        self.marks.iter().for_each(|mark| mark.encode(&mut bytes));
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Option<Start> {
        let mut start = Start {
            marks: [Mark::START; 4],
            after: [Point::START; 3],
            until: [None; 3],
        };
        for (after, until) in start.after.iter_mut().zip(&mut start.until) {
            *after = Point::decode(&mut bytes).ok()??;
            *until = Point::decode(&mut bytes).ok()?;
        }
        for mark in &mut start.marks {
            *mark = Mark::decode(&mut bytes)?;
        }
        bytes.is_empty().then_some(start)
    }

    /// Where the list ends, or begins where a service was not reached.
    fn cursor(&self) -> Cursor {
        let points = self.until.iter().zip(self.after);
        let points: Vec<_> = points.map(|(until, after)| until.or(Some(after))).collect();
        Cursor(points.try_into().unwrap_or_default())
    }
}

impl TryFrom<ListChangesRequest> for Query {
    type Error = Status;

    fn try_from(mut request: ListChangesRequest) -> Result<Query, Status> {
        let token = std::mem::take(&mut request.page_token);
        let asked_size = std::mem::take(&mut request.page_size);
        let digest = query_digest(&[b"ListChanges", &request.encode_to_vec()]);
        let ListChangesRequest {
            country,
            partner,
            since,
            page_size: _,
            page_token: _,
        } = request;
        let mut violations = Violations::new();
        let pair = pair(&country, &partner, &mut violations);
        let size = proto::page_size(asked_size, 50, 500);
        let size = violations.check_nested("", size);
        let after = parse_since(since, &mut violations);
        let (Some(pair), Some(size), Some(after)) = (pair, size, after) else {
            return Err(violations.into());
        };
        violations.into_result(())?;
        Ok(Query {
            pair,
            size: size as usize,
            digest,
            start: parse_start(&token, digest, after)?,
        })
    }
}

fn parse_since(since: Option<Since>, violations: &mut Violations) -> Option<[Point; 3]> {
    match since {
        None => Some([Point::START; 3]),
        Some(Since::SinceDay(day)) => {
            let day = violations.check_nested("since_day", Day::try_from(day))?;
            Some([Point::after(day.start() - 1); 3])
        }
        Some(Since::SinceTime(time)) => {
            let time = violations.check("since_time", parse_timestamp(&time))?;
            Some([Point::after(time); 3])
        }
        Some(Since::SinceCursor(text)) => {
            let cursor = violations.check("since_cursor", Cursor::parse(&text))?;
            if cursor.0.contains(&None) {
                let what = "is of a watch that has not reached every service yet";
                violations.push("since_cursor", what);
            }
            Some(cursor.0.map(|point| point.unwrap_or(Point::START)))
        }
    }
}

fn parse_start(token: &str, digest: u64, after: [Point; 3]) -> Result<Start, PageTokenError> {
    if token.is_empty() {
        return Ok(Start {
            marks: [Mark::START; 4],
            after,
            until: [None; 3],
        });
    }
    let bytes = PageToken::decode(token, digest)?;
    Start::decode(&bytes).ok_or(PageTokenError::Malformed)
}

/// A page of changes.
///
/// # Errors
/// That of a service which says that the question is wrong.
pub(crate) async fn list(
    services: &Services,
    query: &Query,
    asking: &Asking,
) -> Result<ListChangesResponse, Status> {
    let ends = ends(services, query, asking).await;
    for (which, end) in Which::ALL.into_iter().zip(&ends) {
        let after = query.start.after[which.place()].position;
        if let Some(end) = end.as_ref().ok().filter(|end| end.position < after) {
            return Err(ahead(which, after, end.position));
        }
    }
    let lists = lists(services, query, &ends, asking);
    let merged = merge::page(lists, query.size, false).await?;
    let start = Start {
        marks: merged.marks.try_into().expect("four lists have four marks"),
        after: query.start.after,
        until: ends.map(Result::ok),
    };
    let mut lost: [Option<Status>; 3] = Default::default();
    for (service, status) in SERVICE.into_iter().zip(merged.lost) {
        let known = &mut lost[service.place()];
        *known = known.take().or(status);
    }
    let lost = Which::ALL.iter().zip(&lost);
    let lost = lost.filter_map(|(which, status)| Some(unreachable(which.name(), status.as_ref()?)));
    let is_over = start.marks.iter().all(|mark| *mark == Mark::Ended);
    let next = (!is_over).then(|| PageToken::encode(query.digest, &start.encode()));
    Ok(ListChangesResponse {
        changes: merged.entries,
        next_page_token: next.unwrap_or_default(),
        cursor: start.cursor().encode(),
        unreachable: lost.collect(),
    })
}

/// Of another system, or of this one before an older copy of its journal was restored.
fn ahead(which: Which, position: u64, last: u64) -> Status {
    let name = which.name();
    let what = format!("{name}: position {position} does not exist yet; the last is {last}");
    proto::status(Code::OutOfRange, ErrorReason::PositionAhead, what, [])
}

/// Where the list ends in each journal: what the token says, or where the journal stands.
async fn ends(services: &Services, query: &Query, asking: &Asking) -> [Result<Point, Status>; 3] {
    let known = query.start.until;
    let (trade, events, culture) = join3(
        end(&services.trade, known[TRADE], asking),
        end(&services.events, known[EVENTS], asking),
        end(&services.culture, known[CULTURE], asking),
    )
    .await;
    [trade, events, culture]
}

async fn end<C>(
    service: &Service<C>,
    known: Option<Point>,
    asking: &Asking,
) -> Result<Point, Status> {
    match known {
        Some(point) => Ok(point),
        None => here(service, asking).await,
    }
}

/// Where a journal stands.
pub(crate) async fn here<C>(service: &Service<C>, asking: &Asking) -> Result<Point, Status> {
    let stand = stand_of(service, asking).await?;
    Ok(Point {
        position: stand.position,
        time: stand.time.unwrap_or(Point::START.time),
    })
}

/// A list of the changes of a service's records, whichever it is: the messages have the same fields.
macro_rules! records {
    ($package:path, $variant:path, $service:expr, $list:literal, $query:ident, $ends:ident, $asking:ident) => {{
        let (client, end) = (
            $service.client.clone(),
            $ends[SERVICE[$list].place()].clone(),
        );
        let after = $query.start.after[SERVICE[$list].place()].time;
        List {
            mark: $query.start.marks[$list].clone(),
            read: Box::new(move |page_token, page_size| {
                use $package as service;
                let [country, partner] = $query.pair.map(|country| country.to_string());
                let (mut client, end) = (client.clone(), end.clone());
                async move {
                    let end = end?.time;
                    if end <= after {
                        return Ok(Listed::default());
                    }
                    let asked = service::ListChangesRequest {
                        country,
                        partner,
                        start_time: (after >= 0).then(|| to_timestamp(after)),
                        end_time: Some(to_timestamp(end)),
                        page_size,
                        page_token,
                    };
                    let page = client.list_changes($asking.call(asked));
                    let page = $asking.in_time(page).await?.into_inner();
                    let told = page
                        .changes
                        .into_iter()
                        .map(|change| told(change.record_time, $variant(change)));
                    Ok((told.collect(), page.next_page_token))
                }
                .boxed()
            }),
        }
    }};
}

fn lists<'a>(
    services: &Services,
    query: &'a Query,
    ends: &[Result<Point, Status>; 3],
    asking: &'a Asking,
) -> Vec<List<'a, RelationshipChange>> {
    let Services {
        trade: of_trade,
        events: of_events,
        culture: of_culture,
    } = services;
    vec![
        figures(of_trade.client.clone(), query, ends[TRADE].clone(), asking),
        records!(trade::v1, Change::Trade, of_trade, 1, query, ends, asking),
        records!(
            events::v1,
            Change::Events,
            of_events,
            2,
            query,
            ends,
            asking
        ),
        records!(
            culture::v1,
            Change::Culture,
            of_culture,
            3,
            query,
            ends,
            asking
        ),
    ]
}

/// The list of the changes of figures.
fn figures<'a>(
    client: crate::ask::Trade,
    query: &'a Query,
    end: Result<Point, Status>,
    asking: &'a Asking,
) -> List<'a, RelationshipChange> {
    let after = query.start.after[TRADE].time;
    let read = move |page_token, page_size| {
        let [first, second] = query.pair.map(|country| country.to_string());
        let (mut client, end) = (client.clone(), end.clone());
        async move {
            let end = end?.time;
            if end <= after {
                return Ok(Listed::default());
            }
            let asked = trade::v1::ListObservationChangesRequest {
                first,
                second,
                // The first instant that is after it.
                since: Some(to_timestamp(after.saturating_add(1))),
                until: Some(to_timestamp(end)),
                page_size,
                page_token,
                ..Default::default()
            };
            let page = client.list_observation_changes(asking.call(asked));
            let page = asking.in_time(page).await?.into_inner();
            let told = page.changes.into_iter().map(|change| {
                let figure = change.observation.as_ref();
                let recorded = figure.and_then(|figure| figure.vintage);
                told(recorded, Change::Observation(change))
            });
            Ok((told.collect(), page.next_page_token))
        }
        .boxed()
    };
    List {
        mark: query.start.marks[0].clone(),
        read: Box::new(read),
    }
}

/// A change with what orders it: when it was recorded.
fn told(record_time: Option<prost_types::Timestamp>, change: Change) -> (i64, RelationshipChange) {
    let at = record_time.and_then(|time| parse_timestamp(&time).ok());
    let change = RelationshipChange {
        record_time,
        change: Some(change),
    };
    (at.unwrap_or_default(), change)
}
