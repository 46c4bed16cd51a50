//! What happened between two countries, over all services in one order.
//!
//! Each service lists its own part by date, from where a page begins; `merge.rs` puts the parts together. All pages
//! answer as of the first one: the token has, for each service, the instant of the last record that it had then.

use futures_util::FutureExt;
use futures_util::future::join3;
use prost::Message;
use prost_types::Timestamp;
use proto::gateway::v1 as wire;
use proto::{Country, PageToken, PageTokenError, Violations, check_each, one_of, parse_timestamp};
use proto::{culture, events, query_digest, stored_date, to_timestamp, trade};
use tonic::Status;
use wire::timeline_entry::Entry;
use wire::{ListTimelineRequest, ListTimelineResponse, TimelineEntry, TimelineKind};

use crate::ask::{Asking, Service, Services};
use crate::asked::{pair, parse_audience};
use crate::merge::{self, List, Listed, Mark};
use crate::outage::unreachable;
use crate::stand::stand_of;
use crate::which::Which;

/// An instant that is not known yet.
const UNKNOWN: i64 = i64::MIN;

/// A page of a timeline.
#[derive(Debug)]
pub(crate) struct Query {
    pair: [Country; 2],
    window: Option<proto::r#type::v1::DateWindow>,
    back: bool,
    kinds: Vec<TimelineKind>,
    is_public: bool,
    as_of: Option<i64>,
    size: usize,
    digest: u64,
    start: Start,
}

/// Where a page begins, for each service in their order.
#[derive(Debug)]
struct Start {
    marks: [Mark; 3],
    /// As of when each answers; `None`: it was not reached yet.
    as_of: [Option<i64>; 3],
}

impl Start {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (mark, as_of) in self.marks.iter().zip(self.as_of) {
            bytes.extend(as_of.unwrap_or(UNKNOWN).to_be_bytes());
            mark.encode(&mut bytes);
        }
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Option<Start> {
        let mut start = Start {
            marks: [Mark::START; 3],
            as_of: [None; 3],
        };
        for (mark, as_of) in start.marks.iter_mut().zip(&mut start.as_of) {
            let (instant, rest) = bytes.split_first_chunk()?;
            bytes = rest;
            let instant = i64::from_be_bytes(*instant);
            *as_of = (instant != UNKNOWN).then_some(instant);
            *mark = Mark::decode(&mut bytes)?;
        }
        bytes.is_empty().then_some(start)
    }
}

impl TryFrom<ListTimelineRequest> for Query {
    type Error = Status;

    fn try_from(mut request: ListTimelineRequest) -> Result<Query, Status> {
        let token = std::mem::take(&mut request.page_token);
        let asked_size = std::mem::take(&mut request.page_size);
        let digest = query_digest(&[b"ListTimeline", &request.encode_to_vec()]);
        let ListTimelineRequest {
            country,
            partner,
            window,
            descending,
            kinds,
            audience,
            page_size: _,
            page_token: _,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let pair = pair(&country, &partner, &mut violations);
        let checked = window.map(proto::DateWindow::try_from).transpose();
        violations.check_nested("window", checked);
        let kind = |number| one_of::<TimelineKind>(number, "kind of an entry");
        let kinds = check_each("kinds", &kinds, kind, &mut violations);
        let is_public = violations.check("audience", parse_audience(audience));
        let size = proto::page_size(asked_size, 50, 500);
        let size = violations.check_nested("", size);
        let as_of = violations.check("as_of", as_of.as_ref().map(parse_timestamp).transpose());
        let (Some(pair), Some(is_public), Some(size), Some(as_of)) = (pair, is_public, size, as_of)
        else {
            return Err(violations.into());
        };
        violations.into_result(())?;
        let kinds = kinds.into_iter().filter_map(|kind| kind.try_into().ok());
        let mut query = Query {
            pair,
            window,
            back: descending,
            kinds: kinds.collect(),
            is_public,
            as_of,
            size: size as usize,
            digest,
            start: Start {
                marks: [Mark::START; 3],
                as_of: [None; 3],
            },
        };
        query.start = query.parse_start(&token)?;
        Ok(query)
    }
}

/// The services in the order in which they tell of one day.
const ORDER: [Which; 3] = [Which::Events, Which::Culture, Which::Trade];
/// The kinds of entries of each, in this order.
const KINDS: [[TimelineKind; 2]; 3] = [
    [TimelineKind::Event, TimelineKind::AgreementStep],
    [TimelineKind::Milestone, TimelineKind::VisaRule],
    [TimelineKind::Statement, TimelineKind::Figures],
];

impl Query {
    fn parse_start(&self, token: &str) -> Result<Start, PageTokenError> {
        if !token.is_empty() {
            let bytes = PageToken::decode(token, self.digest)?;
            return Start::decode(&bytes).ok_or(PageTokenError::Malformed);
        }
        let mark = |kinds: [TimelineKind; 2]| {
            let is_asked =
                self.kinds.is_empty() || kinds.iter().any(|one| self.kinds.contains(one));
            if is_asked { Mark::START } else { Mark::Ended }
        };
        Ok(Start {
            marks: KINDS.map(mark),
            as_of: [None; 3],
        })
    }

    /// The numbers by which a service calls the kinds of its that are asked for.
    fn kinds_of(&self, service: usize) -> Vec<i32> {
        let kinds = (1..).zip(KINDS[service]);
        let asked = kinds.filter(|(_, kind)| self.kinds.contains(kind));
        asked.map(|(number, _)| number).collect()
    }
}

/// A page of a timeline.
///
/// # Errors
/// That of a service which says that the question is wrong.
pub(crate) async fn list(
    services: &Services,
    query: &Query,
    asking: &Asking,
) -> Result<ListTimelineResponse, Status> {
    let as_of = instants(services, query, asking).await;
    let lists = lists(services, query, &as_of, asking);
    let merged = merge::page(lists, query.size, query.back).await?;
    let lost = ORDER.iter().zip(&merged.lost);
    let lost = lost.filter_map(|(which, status)| Some(unreachable(which.name(), status.as_ref()?)));
    let next = Start {
        marks: merged
            .marks
            .try_into()
            .expect("three lists have three marks"),
        as_of: as_of.map(|instant| instant.ok().flatten()),
    };
    let is_over = next.marks.iter().all(|mark| *mark == Mark::Ended);
    let next_page_token = (!is_over).then(|| PageToken::encode(query.digest, &next.encode()));
    let found = merged.entries.len();
    let told = merged.entries.into_iter();
    let mut entries: Vec<_> = told
        .filter(|one| !query.is_public || is_open(one))
        .collect();
    if query.is_public {
        entries.iter_mut().for_each(forget_references);
    }
    Ok(ListTimelineResponse {
        withheld: i32::try_from(found - entries.len()).unwrap_or(i32::MAX),
        entries,
        next_page_token: next_page_token.unwrap_or_default(),
        unreachable: lost.collect(),
    })
}

/// As of when a service answers: `None` when it is not asked.
type Instant = Result<Option<i64>, Status>;

/// As of when each service answers: what the token says, or where its journal stands.
async fn instants(services: &Services, query: &Query, asking: &Asking) -> [Instant; 3] {
    let (events, culture, trade) = join3(
        instant(&services.events, query, 0, asking),
        instant(&services.culture, query, 1, asking),
        instant(&services.trade, query, 2, asking),
    )
    .await;
    [events, culture, trade]
}

async fn instant<C>(
    service: &Service<C>,
    query: &Query,
    number: usize,
    asking: &Asking,
) -> Instant {
    let known = query.start.as_of[number];
    let is_asked = query.start.marks[number] != Mark::Ended;
    if known.is_some() || !is_asked {
        return Ok(known);
    }
    let stand = stand_of(service, asking).await?;
    // Of an empty journal nothing is told, whatever comes meanwhile.
    let last = stand.time.unwrap_or(0);
    Ok(Some(query.as_of.map_or(last, |asked| asked.min(last))))
}

/// The question to a service, whichever it is: the messages have the same fields.
macro_rules! list {
    ($package:path, $service:expr, $number:literal, $query:ident, $as_of:ident, $asking:ident) => {{
        let (client, as_of) = ($service.client.clone(), $as_of[$number].clone());
        List {
            mark: $query.start.marks[$number].clone(),
            read: Box::new(move |page_token, page_size| {
                use $package as service;
                let [country, partner] = $query.pair.map(|country| country.to_string());
                let (mut client, as_of) = (client.clone(), as_of.clone());
                async move {
                    let asked = service::ListTimelineRequest {
                        country,
                        partner,
                        window: $query.window,
                        descending: $query.back,
                        kinds: $query.kinds_of($number),
                        page_size,
                        page_token,
                        as_of: as_of?.map(to_timestamp) as Option<Timestamp>,
                    };
                    let page = client.list_timeline($asking.call(asked));
                    let page = $asking.in_time(page).await?.into_inner();
                    let entries = page.entries.into_iter().map(Told::told);
                    let listed: Listed<TimelineEntry> = (entries.collect(), page.next_page_token);
                    Ok(listed)
                }
                .boxed()
            }),
        }
    }};
}

fn lists<'a>(
    services: &Services,
    query: &'a Query,
    as_of: &[Instant; 3],
    asking: &'a Asking,
) -> Vec<List<'a, TimelineEntry>> {
    vec![
        list!(events::v1, services.events, 0, query, as_of, asking),
        list!(culture::v1, services.culture, 1, query, as_of, asking),
        list!(trade::v1, services.trade, 2, query, as_of, asking),
    ]
}

/// An entry of a service, as it is told of all, with what orders it: its date.
trait Told: Sized {
    fn told(self) -> (i64, TimelineEntry);
}

fn entry(
    date: Option<proto::r#type::v1::CivilDate>,
    kind: TimelineKind,
    entry: Entry,
) -> (i64, TimelineEntry) {
    let at = stored_date(date).map_or(0, |date| i64::from(date.ordinal()));
    let entry = TimelineEntry {
        date,
        kind: kind.into(),
        entry: Some(entry),
    };
    (at, entry)
}

impl Told for events::v1::TimelineEntry {
    fn told(self) -> (i64, TimelineEntry) {
        use events::v1::timeline_entry::Entry as Of;
        let kind = match &self.entry {
            Some(Of::Event(_)) => TimelineKind::Event,
            Some(Of::Step(_)) => TimelineKind::AgreementStep,
            None => TimelineKind::Unspecified,
        };
        entry(self.date, kind, Entry::Events(self))
    }
}

impl Told for culture::v1::TimelineEntry {
    fn told(self) -> (i64, TimelineEntry) {
        use culture::v1::timeline_entry::Entry as Of;
        let kind = match &self.entry {
            Some(Of::Milestone(_)) => TimelineKind::Milestone,
            Some(Of::VisaChange(_)) => TimelineKind::VisaRule,
            None => TimelineKind::Unspecified,
        };
        entry(self.date, kind, Entry::Culture(self))
    }
}

impl Told for trade::v1::TimelineEntry {
    fn told(self) -> (i64, TimelineEntry) {
        use trade::v1::timeline_entry::Entry as Of;
        let kind = match &self.entry {
            Some(Of::Statement(_)) => TimelineKind::Statement,
            Some(Of::Figures(_)) => TimelineKind::Figures,
            None => TimelineKind::Unspecified,
        };
        entry(self.date, kind, Entry::Trade(self))
    }
}

/// Whether all sources of an entry let it be shown outside. What this build does not know is not shown.
fn is_open(entry: &TimelineEntry) -> bool {
    match &entry.entry {
        Some(Entry::Events(told)) => open_events(told),
        Some(Entry::Culture(told)) => open_culture(told),
        Some(Entry::Trade(told)) => open_trade(told),
        None => false,
    }
}

/// Leaves out the names of other records: whether they may be shown is not known here.
fn forget_references(entry: &mut TimelineEntry) {
    use culture::v1::timeline_entry::Entry as OfCulture;
    use events::v1::timeline_entry::Entry as OfEvents;
    match &mut entry.entry {
        Some(Entry::Events(told)) => match &mut told.entry {
            Some(OfEvents::Event(event)) => event.links.clear(),
            Some(OfEvents::Step(_)) | None => {}
        },
        Some(Entry::Culture(told)) => match &mut told.entry {
            Some(OfCulture::VisaChange(change)) => {
                let rules = change.visa_rule.iter_mut();
                rules.for_each(|rule| rule.legal_basis.clear());
            }
            Some(OfCulture::Milestone(_)) | None => {}
        },
        Some(Entry::Trade(_)) | None => {}
    }
}

/// Whether there are sources, and all let be shown outside what is known from them.
fn all_open<'a>(sources: impl IntoIterator<Item = &'a proto::r#type::v1::Source>) -> bool {
    let mut sources = sources.into_iter().peekable();
    sources.peek().is_some() && sources.all(|source| source.may_be_shown_outside)
}

fn open_events(told: &events::v1::TimelineEntry) -> bool {
    use events::v1::timeline_entry::Entry as Of;
    match &told.entry {
        Some(Of::Event(event)) => all_open(&event.sources),
        Some(Of::Step(step)) => step.may_be_shown_outside && all_open(&step.source),
        None => false,
    }
}

fn open_culture(told: &culture::v1::TimelineEntry) -> bool {
    use culture::v1::timeline_entry::Entry as Of;
    match &told.entry {
        Some(Of::Milestone(told)) => told.may_be_shown_outside && all_open(&told.sources),
        Some(Of::VisaChange(told)) => {
            all_open(told.visa_rule.iter().flat_map(|rule| &rule.sources))
        }
        None => false,
    }
}

fn open_trade(told: &trade::v1::TimelineEntry) -> bool {
    use trade::v1::timeline_entry::Entry as Of;
    match &told.entry {
        Some(Of::Statement(told)) => all_open(told.statement.iter().flat_map(|one| &one.source)),
        Some(Of::Figures(told)) => {
            let figures = told.totals.iter().flat_map(|change| &change.observation);
            all_open(
                figures
                    .flat_map(|figure| &figure.source)
                    .chain(&told.source),
            )
        }
        None => false,
    }
}
