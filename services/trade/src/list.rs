//! Lists of figures: a filter, walked block by block.
//!
//! Blocks are sorted by reporter, partner, flow, part, frequency, period, classification. Where a filter
//! names one of these, the walk jumps to the next block that can match instead of passing over all in
//! between, and a page looks at a bounded number of blocks.

use prost::Message;
use proto::trade::v1 as wire;
use proto::{Classification, CodePattern, Country, Flow, Frequency, Month, PeriodWindow, Slug};
use proto::{PageToken, PageTokenError, Violations, parse_dataset_name, parse_timestamp};
use store::{Micros, State};

use crate::block::Block;
use crate::dataset::Record;
use crate::error::Error;
use crate::keys::{BlockKey, Part, Place};
use crate::query::{figures_as_of, observation};

const DEFAULT_PAGE: u32 = 100;
const MAX_PAGE: u32 = 1_000;
/// A page that has reached this size ends; a client takes 4 MiB if nobody told it otherwise.
pub(crate) const PAGE_BYTES: usize = 1 << 20;
/// Blocks and jumps that one page may cost.
const MAX_STEPS: usize = 2_000;

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Query {
    dataset: Slug,
    filter: Filter,
    page_size: usize,
    as_of: Option<Micros>,
    digest: u64,
    cursor: Option<Cursor>,
}

/// Which figures; `None` is any.
#[derive(Debug, Default)]
struct Filter {
    reporter: Option<Country>,
    partner: Option<Country>,
    flow: Option<Flow>,
    classification: Option<Classification>,
    code: Option<CodePattern>,
    frequency: Option<Frequency>,
    window: Option<PeriodWindow>,
}

/// Where the next page starts.
#[derive(Debug)]
struct Cursor {
    /// All pages answer as of this.
    as_of: Micros,
    /// How many figures of the first block were on the page before.
    skip: u32,
    /// The key of the first block.
    key: Vec<u8>,
}

impl Cursor {
    fn encode(&self) -> Vec<u8> {
        [
            &self.as_of.to_be_bytes()[..],
            &self.skip.to_be_bytes(),
            &self.key,
        ]
        .concat()
    }

    fn decode(bytes: &[u8]) -> Option<Cursor> {
        let (as_of, rest) = bytes.split_first_chunk()?;
        let (skip, key) = rest.split_first_chunk()?;
        Some(Cursor {
            as_of: Micros::from_be_bytes(*as_of),
            skip: u32::from_be_bytes(*skip),
            key: key.to_vec(),
        })
    }
}

impl TryFrom<wire::ListObservationsRequest> for Query {
    type Error = Error;

    fn try_from(request: wire::ListObservationsRequest) -> Result<Query, Error> {
        let digest = digest(&request);
        let wire::ListObservationsRequest {
            parent,
            filter,
            page_size,
            page_token,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let dataset = violations.check("parent", parse_dataset_name(&parent));
        let filter = parse_filter(filter.unwrap_or_default());
        let filter = violations.check_nested("filter", filter);
        let size = proto::page_size(page_size, DEFAULT_PAGE, MAX_PAGE);
        let size = violations.check_nested("", size);
        let as_of = as_of.as_ref().map(parse_timestamp).transpose();
        let as_of = violations.check("as_of", as_of);
        let (Some(dataset), Some(filter), Some(size), Some(as_of)) = (dataset, filter, size, as_of)
        else {
            return Err(violations.into());
        };
        Ok(Query {
            dataset,
            filter,
            page_size: size as usize,
            as_of,
            digest,
            cursor: parse_token(&page_token, digest)?,
        })
    }
}

fn parse_token(token: &str, digest: u64) -> Result<Option<Cursor>, PageTokenError> {
    if token.is_empty() {
        return Ok(None);
    }
    let cursor = PageToken::decode(token, digest)?;
    let cursor = Cursor::decode(&cursor).ok_or(PageTokenError::Malformed)?;
    Ok(Some(cursor))
}

/// What a page token is bound to: everything but the page.
fn digest(request: &wire::ListObservationsRequest) -> u64 {
    let query = wire::ListObservationsRequest {
        page_size: 0,
        page_token: String::new(),
        ..request.clone()
    };
    proto::query_digest(&[&query.encode_to_vec()])
}

fn parse_filter(filter: wire::ObservationFilter) -> Result<Filter, Violations> {
    let wire::ObservationFilter {
        reporter,
        partner,
        flow,
        classification,
        code,
        frequency,
        window,
    } = filter;
    let mut violations = Violations::new();
    let window = window.map(PeriodWindow::try_from).transpose();
    let filter = Filter {
        reporter: optional(&mut violations, "reporter", &reporter),
        partner: optional(&mut violations, "partner", &partner),
        classification: optional(&mut violations, "classification", &classification),
        code: optional(&mut violations, "code", &code),
        window: violations.check_nested("window", window).flatten(),
        flow: number(&mut violations, "flow", flow, Flow::from_wire),
        frequency: number(
            &mut violations,
            "frequency",
            frequency,
            Frequency::from_wire,
        ),
    };
    violations.into_result(filter)
}

fn optional<T>(violations: &mut Violations, field: &str, text: &str) -> Option<T>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    if text.is_empty() {
        return None;
    }
    violations.check(field, text.parse())
}

fn number<T, E: std::fmt::Display>(
    violations: &mut Violations,
    field: &str,
    number: i32,
    parse: impl Fn(i32) -> Result<T, E>,
) -> Option<T> {
    if number == 0 {
        return None;
    }
    violations.check(field, parse(number))
}

/// What the filter says of a block.
enum Step {
    Match,
    /// Not this one; the next that can match is at or after this key.
    Seek(Vec<u8>),
}

impl Filter {
    fn start(&self, dataset: u32) -> Vec<u8> {
        let place = Place::dataset(dataset);
        let Some(reporter) = self.reporter else {
            return place.start();
        };
        let place = place.reporter(reporter);
        let Some(partner) = self.partner else {
            return place.start();
        };
        place.partner(partner).start()
    }

    /// Compares a block with the filter, component by component in the order of its key.
    fn step(&self, key: &BlockKey) -> Step {
        let dataset = Place::dataset(key.dataset);
        let reporter = dataset.clone().reporter(key.reporter);
        if let Some(wanted) = self.reporter.filter(|wanted| *wanted != key.reporter) {
            return seek(
                key.reporter < wanted,
                &dataset.clone().reporter(wanted),
                &dataset,
            );
        }
        let partner = reporter.clone().partner(key.partner);
        if let Some(wanted) = self.partner.filter(|wanted| *wanted != key.partner) {
            return seek(
                key.partner < wanted,
                &reporter.clone().partner(wanted),
                &reporter,
            );
        }
        let flow = partner.clone().flow(key.flow);
        if let Some(wanted) = self.flow.filter(|wanted| *wanted != key.flow) {
            return seek(
                key.flow.id() < wanted.id(),
                &partner.clone().flow(wanted),
                &partner,
            );
        }
        let part = flow.clone().part(key.part);
        match self.next_part(key.part) {
            Some(next) if next == key.part => {}
            Some(next) => return Step::Seek(flow.part(next).start()),
            None => return Step::Seek(flow.end()),
        }
        let frequency = part.clone().frequency(key.period.frequency());
        if let Some(wanted) = self.frequency.filter(|f| *f != key.period.frequency()) {
            let before = key.period.frequency().id() < wanted.id();
            return seek(before, &part.clone().frequency(wanted), &part);
        }
        if let Some(start) = self.window_start().filter(|m| key.period.start() < *m) {
            return Step::Seek(frequency.month(start).start());
        }
        if self
            .window_end()
            .is_some_and(|end| key.period.start() >= end)
        {
            return Step::Seek(frequency.end());
        }
        let inside = self.window.is_none_or(|window| window.contains(key.period));
        let classified = self.classification.is_none_or(|c| c == key.classification);
        if inside && classified {
            return Step::Match;
        }
        Step::Seek([&key.block()[..], &[0]].concat())
    }

    /// The first part, from `part` on, that can hold codes that match.
    fn next_part(&self, part: Part) -> Option<Part> {
        let Some(pattern) = self.code else {
            return Some(part);
        };
        let parts = match (pattern.exact(), pattern.chapter()) {
            // A single code stands in one part only.
            (Some(code), _) => [Some(Part::of(code)), None],
            (None, Some(chapter)) => [Some(Part::CHAPTERS), Some(Part::within(chapter))],
            (None, None) => [Some(part), None],
        };
        parts.into_iter().flatten().find(|next| *next >= part)
    }

    fn window_start(&self) -> Option<Month> {
        self.window.and_then(PeriodWindow::start)
    }

    fn window_end(&self) -> Option<Month> {
        self.window.and_then(PeriodWindow::end)
    }
}

/// To `wanted` when it is still ahead, else behind everything in `around`.
fn seek(ahead: bool, wanted: &Place, around: &Place) -> Step {
    Step::Seek(if ahead { wanted.start() } else { around.end() })
}

/// A page of figures, and the token of the next.
pub(crate) fn list(
    state: &State<'_>,
    query: Query,
) -> Result<wire::ListObservationsResponse, Error> {
    let Query {
        dataset,
        filter,
        page_size,
        as_of,
        digest,
        cursor,
    } = query;
    let record = Record::find(state, &dataset, as_of)?;
    // What comes after the first page's instant is on no page.
    let as_of = cursor.as_ref().map(|cursor| cursor.as_of).or(as_of);
    let now = state.stamp().time;
    let as_of = as_of.map_or(now, |asked| asked.min(now));
    let mut page = Page {
        observations: Vec::new(),
        size: page_size,
        bytes: 0,
        skip: cursor.as_ref().map_or(0, |cursor| cursor.skip as usize),
        steps: 0,
    };
    let from = match cursor {
        Some(cursor) => checked_key(cursor.key, record.number)?,
        None => filter.start(record.number),
    };
    let next = page.fill(state, &dataset, &record, &filter, as_of, from)?;
    let token = next.map(|(key, skip)| {
        let cursor = Cursor { as_of, skip, key };
        PageToken::encode(digest, &cursor.encode())
    });
    Ok(wire::ListObservationsResponse {
        observations: page.observations,
        next_page_token: token.unwrap_or_default(),
    })
}

/// A token is bound to its query, so only a forged one leads outside the dataset.
fn checked_key(key: Vec<u8>, dataset: u32) -> Result<Vec<u8>, PageTokenError> {
    match BlockKey::parse(&key) {
        Some(parsed) if parsed.dataset == dataset => Ok(key),
        Some(_) | None => Err(PageTokenError::Malformed),
    }
}

/// A page that is being filled.
struct Page {
    observations: Vec<wire::Observation>,
    size: usize,
    bytes: usize,
    /// Figures of the next block that are on the page before.
    skip: usize,
    steps: usize,
}

impl Page {
    /// Fills the page from the key `from` on; where the next one starts, if there is one.
    fn fill(
        &mut self,
        state: &State<'_>,
        dataset: &Slug,
        record: &Record,
        filter: &Filter,
        as_of: Micros,
        mut from: Vec<u8>,
    ) -> Result<Option<(Vec<u8>, u32)>, store::Error> {
        let end = Place::dataset(record.number).end();
        'jumps: loop {
            for block in state.range(&from, &end) {
                let (bytes, value) = block?;
                let key = BlockKey::parse(&bytes)
                    .ok_or_else(|| store::Error::View("the key of a block".into()))?;
                if self.steps == MAX_STEPS {
                    return Ok(Some((bytes.to_vec(), 0)));
                }
                self.steps += 1;
                match filter.step(&key) {
                    Step::Seek(next) => {
                        from = next;
                        continue 'jumps;
                    }
                    Step::Match => {}
                }
                let figures = Block::decode(&value)?;
                let figures = figures_as_of(state, &key, figures, Some(as_of))?;
                if let Some(skip) = self.take(state, dataset, record, filter, &key, &figures)? {
                    return Ok(Some((bytes.to_vec(), skip)));
                }
            }
            return Ok(None);
        }
    }

    /// Takes a block's figures; how many were taken in all when the page is full before its end.
    fn take(
        &mut self,
        state: &State<'_>,
        dataset: &Slug,
        record: &Record,
        filter: &Filter,
        key: &BlockKey,
        figures: &Block,
    ) -> Result<Option<u32>, store::Error> {
        let matching = figures
            .figures()
            .iter()
            .filter(|figure| filter.code.is_none_or(|code| code.matches(figure.code)));
        let skip = std::mem::take(&mut self.skip);
        for (index, figure) in matching.enumerate().skip(skip) {
            if self.observations.len() == self.size || self.bytes > PAGE_BYTES {
                return Ok(Some(u32::try_from(index).unwrap_or(u32::MAX)));
            }
            let observation = observation(state, dataset, record, key, figure)?;
            self.bytes += observation.encoded_len();
            self.observations.push(observation);
        }
        Ok(None)
    }
}
