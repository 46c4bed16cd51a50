//! Coverage: which periods each reporter published, in which flow, classification and detail.
//!
//! It is what tells "not published yet" from "published, and this is not in it". One record a dataset,
//! reporter and period, written with the first figure of its kind; so the question about a period is one
//! look, and the question about all periods of a reporter reads as many records as there are periods.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use proto::trade::v1 as wire;
use proto::{Classification, Country, Flow, Frequency, PageToken, PageTokenError, Period, Slug};
use proto::{Violations, parse_dataset_name, parse_timestamp};
use store::{Micros, State};

use crate::error::Error;
use crate::figure::Figure;
use crate::keys::{self, BlockKey};
use crate::reading::Reading;

const DEFAULT_PAGE: u32 = 20;
const MAX_PAGE: u32 = 100;

/// What a reporter published for one period.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Published {
    /// Each kind of figure: [`kind`].
    #[prost(uint32, repeated, tag = "1")]
    kinds: Vec<u32>,
    /// When the first figure of that kind was recorded.
    #[prost(int64, repeated, tag = "2")]
    since: Vec<Micros>,
}

/// A flow, a classification and a level of detail as one number.
fn kind(flow: Flow, classification: Classification, level: u8) -> u32 {
    u32::from_be_bytes([0, flow.id(), classification.id(), level])
}

impl Published {
    pub(crate) fn find(
        reading: &Reading<'_>,
        reporter: Country,
        period: Period,
    ) -> Result<Published, store::Error> {
        let key = keys::coverage(reading.record.number, reporter, period);
        let found = reading.state.get(&key)?;
        found.map_or_else(|| Ok(Published::default()), |bytes| parse(&bytes))
    }

    /// The kinds of figures that were there as of an instant.
    pub(crate) fn kinds(
        &self,
        as_of: Option<Micros>,
    ) -> impl Iterator<Item = (Flow, Classification, u8)> + use<'_> {
        let known = self.kinds.iter().zip(&self.since);
        let known = known.filter(move |(_, since)| as_of.is_none_or(|instant| **since <= instant));
        known.filter_map(|(kind, _)| {
            let [_, flow, classification, level] = kind.to_be_bytes();
            Some((
                Flow::from_id(flow)?,
                Classification::from_id(classification)?,
                level,
            ))
        })
    }

    /// Whether there is any figure of a flow at a level: under a classification or, of totals, one of its
    /// kin; `None` is any.
    pub(crate) fn has(
        &self,
        flow: Flow,
        level: u8,
        under: Option<Classification>,
        as_of: Option<Micros>,
    ) -> bool {
        let counts = |found: Classification| {
            under.is_none_or(|under| found == under || level == 0 && found.is_kin_of(under))
        };
        let mut kinds = self.kinds(as_of);
        kinds
            .any(|(published, found, detail)| (published, detail) == (flow, level) && counts(found))
    }
}

fn parse(bytes: &[u8]) -> Result<Published, store::Error> {
    Published::decode(bytes).map_err(|error| store::Error::View(format!("coverage: {error}")))
}

/// Notes the kinds of figures of a block that are recorded now.
pub(crate) fn note(
    state: &mut State<'_>,
    key: &BlockKey,
    figures: &[Figure],
    now: Micros,
) -> Result<(), store::Error> {
    let place = keys::coverage(key.dataset, key.reporter, key.period);
    let found = state.get(&place)?;
    let mut published = found.map_or_else(|| Ok(Published::default()), |bytes| parse(&bytes))?;
    let known = published.kinds.len();
    for figure in figures {
        let kind = kind(key.flow, key.classification, figure.code.level());
        if !published.kinds.contains(&kind) {
            published.kinds.push(kind);
            published.since.push(now);
        }
    }
    if published.kinds.len() == known {
        return Ok(());
    }
    state.put(place, published.encode_to_vec())
}

/// All periods of a length that a reporter published, in order.
pub(crate) fn periods(
    reading: &Reading<'_>,
    reporter: Country,
    frequency: Frequency,
) -> Result<BTreeMap<Period, Published>, store::Error> {
    let (start, end) = keys::coverage_of(reading.record.number, reporter, frequency);
    let mut periods = BTreeMap::new();
    for record in reading.state.range(&start, &end) {
        let (key, value) = record?;
        if let Some(period) = keys::coverage_period(&key) {
            periods.insert(period, parse(&value)?);
        }
    }
    Ok(periods)
}

/// A page of coverage.
#[derive(Debug)]
pub(crate) struct Query {
    dataset: Slug,
    reporter: Option<Country>,
    page_size: usize,
    /// The last reporter of the page before, and the instant as of which all pages answer.
    after: Option<(Country, Micros)>,
    as_of: Option<Micros>,
    digest: u64,
}

impl TryFrom<wire::ListCoverageRequest> for Query {
    type Error = Error;

    fn try_from(request: wire::ListCoverageRequest) -> Result<Query, Error> {
        let digest = digest(&request);
        let wire::ListCoverageRequest {
            parent,
            reporter,
            page_size,
            page_token,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let dataset = violations.check("parent", parse_dataset_name(&parent));
        let reporter = (!reporter.is_empty()).then(|| reporter.parse()).transpose();
        let reporter = violations.check("reporter", reporter).flatten();
        let size = proto::page_size(page_size, DEFAULT_PAGE, MAX_PAGE);
        let size = violations.check_nested("", size);
        let as_of = as_of.as_ref().map(parse_timestamp).transpose();
        let as_of = violations.check("as_of", as_of);
        let (Some(dataset), Some(size), Some(as_of)) = (dataset, size, as_of) else {
            return Err(violations.into());
        };
        Ok(violations.into_result(Query {
            dataset,
            reporter,
            page_size: size as usize,
            after: parse_token(&page_token, digest)?,
            as_of,
            digest,
        })?)
    }
}

fn digest(request: &wire::ListCoverageRequest) -> u64 {
    let query = wire::ListCoverageRequest {
        page_size: 0,
        page_token: String::new(),
        ..request.clone()
    };
    proto::query_digest(&[&query.encode_to_vec()])
}

fn parse_token(token: &str, digest: u64) -> Result<Option<(Country, Micros)>, PageTokenError> {
    if token.is_empty() {
        return Ok(None);
    }
    let cursor = PageToken::decode(token, digest)?;
    let parse = |bytes: &[u8]| {
        let (country, instant) = bytes.split_first_chunk()?;
        let country = Country::from_id(u16::from_be_bytes(*country))?;
        Some((country, Micros::from_be_bytes(instant.try_into().ok()?)))
    };
    parse(&cursor).map(Some).ok_or(PageTokenError::Malformed)
}

fn token(digest: u64, country: Country, instant: Micros) -> String {
    let cursor = [&country.id().to_be_bytes()[..], &instant.to_be_bytes()].concat();
    PageToken::encode(digest, &cursor)
}

/// A page of what a dataset covers.
pub(crate) fn list(state: &State<'_>, query: &Query) -> Result<wire::ListCoverageResponse, Error> {
    let instant = query.after.map(|(_, instant)| instant).or(query.as_of);
    let instant = instant.unwrap_or(state.stamp().time);
    let reading = Reading::open(state, &query.dataset, Some(instant))?;
    let mut reporters = reading.reporters().filter(|reporter| {
        reporter.as_ref().map_or(true, |reporter| {
            query.after.is_none_or(|(after, _)| *reporter > after)
                && query.reporter.is_none_or(|asked| *reporter == asked)
        })
    });
    let mut response = wire::ListCoverageResponse::default();
    let mut last = None;
    for reporter in reporters.by_ref().take(query.page_size) {
        let reporter = reporter?;
        last = Some(reporter);
        response.coverage.extend(of_reporter(&reading, reporter)?);
    }
    if let (Some(last), Some(_)) = (last, reporters.next()) {
        response.next_page_token = token(query.digest, last, instant);
    }
    Ok(response)
}

fn of_reporter(
    reading: &Reading<'_>,
    reporter: Country,
) -> Result<Vec<wire::Coverage>, store::Error> {
    let mut coverage = Vec::new();
    for frequency in [Frequency::Year, Frequency::Month, Frequency::Cumulated] {
        let mut flows: BTreeMap<Flow, Gathered> = BTreeMap::new();
        for (period, published) in periods(reading, reporter, frequency)? {
            for (flow, classification, level) in published.kinds(reading.as_of) {
                let gathered = flows.entry(flow).or_default();
                gathered.periods.insert(period);
                gathered.levels.insert(level);
                gathered.classifications.insert(classification);
            }
        }
        let flows = flows.into_iter();
        coverage.extend(flows.map(|(flow, gathered)| gathered.to_wire(reporter, flow, frequency)));
    }
    Ok(coverage)
}

/// What was gathered of one flow.
#[derive(Default)]
struct Gathered {
    periods: BTreeSet<Period>,
    levels: BTreeSet<u8>,
    classifications: BTreeSet<Classification>,
}

impl Gathered {
    fn to_wire(&self, reporter: Country, flow: Flow, frequency: Frequency) -> wire::Coverage {
        let text = |period: Option<&Period>| period.map(Period::to_string).unwrap_or_default();
        wire::Coverage {
            reporter: reporter.to_string(),
            flow: flow.to_wire().into(),
            frequency: frequency.to_wire().into(),
            first_period: text(self.periods.first()),
            last_period: text(self.periods.last()),
            periods: i32::try_from(self.periods.len()).unwrap_or(i32::MAX),
            levels: self.levels.iter().map(|level| i32::from(*level)).collect(),
            classifications: self
                .classifications
                .iter()
                .map(Classification::to_string)
                .collect(),
        }
    }
}
