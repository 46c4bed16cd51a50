//! What a pair went through: its figures as they were recorded and revised, in the order of time.
//!
//! An index beside the blocks says at which instants figures of a reporter with a partner were recorded, of
//! which blocks, and how many. The figures are in the blocks and their history. So a page costs what its
//! window holds of the pair, and nothing for other pairs or other times.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use prost::Message;
use proto::trade::v1 as wire;
use proto::{Country, PageToken, PageTokenError, Slug, Violations};
use proto::{parse_dataset_name, parse_timestamp, to_timestamp};
use store::{Micros, State};

use crate::amount::change;
use crate::apply::load;
use crate::block::Block;
use crate::dataset::{self, Record};
use crate::error::Error;
use crate::figure::Figure;
use crate::keys::{BlockKey, ChangeKey, Part};
use crate::list::PAGE_BYTES;
use crate::query::observation;

const DEFAULT_PAGE: u32 = 100;
const MAX_PAGE: u32 = 1_000;
/// Entries of the index, blocks and pieces of history that one page may look at.
const MAX_STEPS: usize = 2_000;

/// The beginning of an entry: its first part, and no figure of it left out.
const START: (Part, u32) = (Part::TOTAL, 0);

/// How many figures were recorded of a part. A block is bounded, and so is this.
pub(crate) type Counts = BTreeMap<Part, u16>;

/// What a batch brings, as entries of the index. Two of its groups may share one.
#[derive(Debug, Default)]
pub(crate) struct Index(BTreeMap<Vec<u8>, Counts>);

impl Index {
    /// Notes how many figures of which parts were recorded.
    pub(crate) fn note(&mut self, key: &ChangeKey, recorded: &[(Part, usize)]) {
        let counts = self.0.entry(key.bytes()).or_default();
        for (part, figures) in recorded {
            let count = counts.entry(*part).or_default();
            *count = count.saturating_add(u16::try_from(*figures).unwrap_or(u16::MAX));
        }
    }

    /// Puts the entries; there are none yet of the instant at which a batch is recorded.
    pub(crate) fn put(self, state: &mut State<'_>) -> Result<(), store::Error> {
        for (key, counts) in self.0 {
            state.put(key, encode(&counts))?;
        }
        Ok(())
    }
}

fn encode(counts: &Counts) -> Vec<u8> {
    let entry = |(part, count): (&Part, &u16)| {
        let [a, b] = part.bytes();
        let [c, d] = count.to_be_bytes();
        [a, b, c, d]
    };
    counts.iter().flat_map(entry).collect()
}

fn parse(value: &[u8]) -> Result<Counts, store::Error> {
    let (entries, rest) = value.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(store::Error::View("the index of changes".into()));
    }
    let entry = |[a, b, c, d]: &[u8; 4]| (Part::within([*a, *b]), u16::from_be_bytes([*c, *d]));
    Ok(entries.iter().map(entry).collect())
}

/// A page of changes.
#[derive(Debug)]
pub(crate) struct Query {
    /// The sides: each reporter with its partner, in the order of the index; one when a country trades with
    /// itself.
    sides: Vec<(Country, Country)>,
    since: Micros,
    until: Option<Micros>,
    dataset: Option<Slug>,
    totals_only: bool,
    page_size: usize,
    digest: u64,
    cursor: Option<Cursor>,
}

/// Where the next page starts.
#[derive(Debug)]
struct Cursor {
    /// All pages answer until this.
    until: Micros,
    /// The part in the entry that it starts with.
    part: Part,
    /// How many of the figures recorded there were on the page before.
    skip: u32,
    /// The entry.
    key: ChangeKey,
}

impl Cursor {
    fn encode(&self) -> Vec<u8> {
        [
            &self.until.to_be_bytes()[..],
            &self.part.bytes(),
            &self.skip.to_be_bytes(),
            &self.key.bytes(),
        ]
        .concat()
    }

    fn decode(bytes: &[u8]) -> Option<Cursor> {
        let (until, rest) = bytes.split_first_chunk()?;
        let (part, rest) = rest.split_first_chunk()?;
        let (skip, key) = rest.split_first_chunk()?;
        Some(Cursor {
            until: Micros::from_be_bytes(*until),
            part: Part::within(*part),
            skip: u32::from_be_bytes(*skip),
            key: ChangeKey::parse(key)?,
        })
    }
}

impl TryFrom<wire::ListObservationChangesRequest> for Query {
    type Error = Error;

    fn try_from(request: wire::ListObservationChangesRequest) -> Result<Query, Error> {
        let digest = digest(&request);
        let wire::ListObservationChangesRequest {
            first,
            second,
            since,
            until,
            dataset,
            totals_only,
            page_size,
            page_token,
        } = request;
        let mut violations = Violations::new();
        let first = violations.check("first", first.parse());
        let second = violations.check("second", second.parse());
        let since = since.as_ref().map(parse_timestamp).transpose();
        let since = violations.check("since", since);
        let until = until.as_ref().map(parse_timestamp).transpose();
        let until = violations.check("until", until);
        if let (Some(Some(since)), Some(Some(until))) = (since, until)
            && until < since
        {
            violations.push("until", "must not be before `since`");
        }
        let dataset = (!dataset.is_empty()).then(|| parse_dataset_name(&dataset));
        let dataset = violations.check("dataset", dataset.transpose());
        let size = proto::page_size(page_size, DEFAULT_PAGE, MAX_PAGE);
        let size = violations.check_nested("", size);
        let (Some(first), Some(second), Some(since), Some(until), Some(dataset), Some(size)) =
            (first, second, since, until, dataset, size)
        else {
            return Err(violations.into());
        };
        let sides = sides(first, second);
        let query = Query {
            cursor: parse_token(&page_token, digest, &sides)?,
            sides,
            since: since.unwrap_or(0),
            until,
            dataset,
            totals_only,
            page_size: size as usize,
            digest,
        };
        Ok(violations.into_result(query)?)
    }
}

fn sides(first: Country, second: Country) -> Vec<(Country, Country)> {
    let (low, high) = (first.min(second), first.max(second));
    let mut sides = vec![(low, high), (high, low)];
    sides.dedup();
    sides
}

/// A token is bound to its query, so only a forged one leads to another pair.
fn parse_token(
    token: &str,
    digest: u64,
    sides: &[(Country, Country)],
) -> Result<Option<Cursor>, PageTokenError> {
    if token.is_empty() {
        return Ok(None);
    }
    let cursor = Cursor::decode(&PageToken::decode(token, digest)?);
    let of_pair = |key: &ChangeKey| sides.contains(&(key.reporter, key.partner));
    let cursor = cursor.filter(|cursor| of_pair(&cursor.key));
    Ok(Some(cursor.ok_or(PageTokenError::Malformed)?))
}

/// What a page token is bound to: everything but the page.
fn digest(request: &wire::ListObservationChangesRequest) -> u64 {
    let query = wire::ListObservationChangesRequest {
        page_size: 0,
        page_token: String::new(),
        ..request.clone()
    };
    proto::query_digest(&[&query.encode_to_vec()])
}

/// A page of changes, and the token of the next.
pub(crate) fn list(
    state: &State<'_>,
    query: &Query,
) -> Result<wire::ListObservationChangesResponse, Error> {
    let now = state.stamp().time;
    let until = query.cursor.as_ref().map(|cursor| cursor.until);
    let until = until.unwrap_or_else(|| query.until.map_or(now, |asked| asked.min(now)));
    let only = query.dataset.as_ref();
    let only = only.map(|id| Record::find(state, id, None)).transpose()?;
    let mut page = Page::new(state, query.page_size, None);
    let next = page.fill(query, only.map(|record| record.number), until)?;
    let token = next.map(|next| PageToken::encode(query.digest, &next.encode()));
    Ok(wire::ListObservationChangesResponse {
        changes: page.changes,
        next_page_token: token.unwrap_or_default(),
    })
}

/// What was recorded of one side, in the order of the index.
struct Side {
    head: Option<(ChangeKey, Counts)>,
    end: Vec<u8>,
}

impl Side {
    /// Moves on to the first entry at or after a key.
    fn seek(&mut self, state: &State<'_>, from: &[u8]) -> Result<(), store::Error> {
        let entry = state.range(from, &self.end).next().transpose()?;
        let parsed = entry.map(|(key, value)| {
            let key = ChangeKey::parse(&key);
            let key = key.ok_or_else(|| store::Error::View("the key of a change".into()));
            Ok::<_, store::Error>((key?, parse(&value)?))
        });
        self.head = parsed.transpose()?;
        Ok(())
    }
}

impl Query {
    /// Both sides, each where the page starts.
    fn sides_from(&self, state: &State<'_>, until: Micros) -> Result<Vec<Side>, store::Error> {
        let mut sides = Vec::with_capacity(self.sides.len());
        for (reporter, partner) in &self.sides {
            let start = |instant| ChangeKey::start(*reporter, *partner, instant);
            let from = match self.cursor.as_ref().map(|cursor| &cursor.key) {
                None => start(self.since),
                Some(last) if last.reporter == *reporter => last.bytes(),
                // What was recorded of this side at that instant comes before, or after.
                Some(last) => {
                    let before = i64::from(*reporter < last.reporter);
                    start(last.recorded.saturating_add(before))
                }
            };
            let end = start(until.saturating_add(1));
            let mut side = Side { head: None, end };
            side.seek(state, &from)?;
            sides.push(side);
        }
        Ok(sides)
    }
}

/// The index of one side and dataset between two instants, both included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    pub(crate) reporter: Country,
    pub(crate) partner: Country,
    pub(crate) dataset: u32,
    pub(crate) times: (Micros, Micros),
}

/// Entries of the index that were met.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    pub(crate) entries: Vec<(ChangeKey, Counts)>,
    /// How many were looked at, those of other datasets included.
    pub(crate) steps: usize,
    /// Whether there are more.
    pub(crate) is_cut: bool,
}

impl Stretch {
    /// Walks along it, so many entries at most.
    pub(crate) fn walk(self, state: &State<'_>, limit: usize) -> Result<Walked, store::Error> {
        let (first, last) = self.times;
        let start = |instant| ChangeKey::start(self.reporter, self.partner, instant);
        let end = start(last.saturating_add(1));
        let mut side = Side { head: None, end };
        side.seek(state, &start(first))?;
        let mut walked = Walked::default();
        while let Some((key, counts)) = side.head.take() {
            if walked.steps == limit {
                walked.is_cut = true;
                break;
            }
            walked.steps += 1;
            side.seek(state, &key.next(Some(self.dataset)))?;
            if key.dataset == self.dataset {
                walked.entries.push((key, counts));
            }
        }
        Ok(walked)
    }
}

/// What entries of the index hold, as far as it was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) recorded: u64,
    pub(crate) revised: u64,
    pub(crate) steps: usize,
    pub(crate) is_cut: bool,
}

/// Counts the figures of entries: those that took the place of another stand in the history of their instant.
pub(crate) fn count(
    state: &State<'_>,
    entries: &[(ChangeKey, Counts)],
    limit: usize,
) -> Result<Counted, store::Error> {
    let mut counted = Counted::default();
    let mut page = Page::new(state, 0, None);
    for (key, counts) in entries {
        for (part, count) in counts {
            if page.steps == limit {
                counted.is_cut = true;
                break;
            }
            let before = page.block(&key.block(*part).history(key.recorded))?;
            let revised = before.figures().len() as u64;
            counted.revised += revised;
            counted.recorded += u64::from(*count).saturating_sub(revised);
        }
    }
    counted.steps = page.steps;
    Ok(counted)
}

/// The totals of entries with what was there before, and what was looked at for them.
pub(crate) fn totals(
    state: &State<'_>,
    entries: &[(ChangeKey, u16)],
    as_of: Micros,
) -> Result<(Vec<wire::ObservationChange>, usize), store::Error> {
    let mut page = Page::new(state, usize::MAX, Some(as_of));
    for (key, count) in entries {
        let block = key.block(Part::TOTAL);
        page.take_part(&block, key.recorded, usize::from(*count), 0)?;
    }
    Ok((page.changes, page.steps))
}

/// A page that is being filled.
struct Page<'a> {
    state: &'a State<'a>,
    /// The datasets that were met.
    datasets: BTreeMap<u32, (Slug, Record)>,
    /// As of when they are told; `None`: now.
    as_of: Option<Micros>,
    changes: Vec<wire::ObservationChange>,
    size: usize,
    bytes: usize,
    steps: usize,
}

/// The entry that comes next of both sides, taken from its side.
fn next_entry(sides: &mut [Side]) -> Option<(&mut Side, ChangeKey, Counts)> {
    let waiting = sides.iter_mut().filter(|side| side.head.is_some());
    let order = |side: &&mut Side| {
        side.head
            .as_ref()
            .map(|(key, _)| (key.recorded, key.reporter))
    };
    let side = waiting.min_by_key(order)?;
    let (key, counts) = side.head.take()?;
    Some((side, key, counts))
}

impl<'a> Page<'a> {
    fn new(state: &'a State<'a>, size: usize, as_of: Option<Micros>) -> Page<'a> {
        Page {
            state,
            datasets: BTreeMap::new(),
            as_of,
            changes: Vec::new(),
            size,
            bytes: 0,
            steps: 0,
        }
    }

    /// Fills the page; where the next one starts, if there is one.
    fn fill(
        &mut self,
        query: &Query,
        only: Option<u32>,
        until: Micros,
    ) -> Result<Option<Cursor>, store::Error> {
        let mut sides = query.sides_from(self.state, until)?;
        let cursor = query.cursor.as_ref();
        let mut from = cursor.map_or(START, |cursor| (cursor.part, cursor.skip));
        while let Some((side, key, counts)) = next_entry(&mut sides) {
            let from = std::mem::replace(&mut from, START);
            let wanted = only.is_none_or(|only| only == key.dataset);
            let counts = if wanted { counts } else { Counts::new() };
            if let Some((part, skip)) = self.take(&key, &counts, query.totals_only, from)? {
                return Ok(Some(Cursor {
                    until,
                    part,
                    skip,
                    key,
                }));
            }
            side.seek(self.state, &key.next(only))?;
        }
        Ok(None)
    }

    /// Takes what an entry holds from a place in it on; where it is broken off when the page is full.
    fn take(
        &mut self,
        key: &ChangeKey,
        counts: &Counts,
        totals_only: bool,
        from: (Part, u32),
    ) -> Result<Option<(Part, u32)>, store::Error> {
        let (first, mut skip) = from;
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Ok(Some(from));
        }
        for (part, count) in counts.range(first..) {
            if totals_only && *part != Part::TOTAL {
                break;
            }
            if self.steps >= MAX_STEPS {
                return Ok(Some((*part, skip)));
            }
            let (block, skip) = (key.block(*part), std::mem::take(&mut skip));
            let count = usize::from(*count);
            if let Some(taken) = self.take_part(&block, key.recorded, count, skip)? {
                return Ok(Some((*part, taken)));
            }
        }
        Ok(None)
    }

    /// Takes the figures of a block that were recorded at an instant, `skip` of them left out; how many were
    /// taken in all when the page is full before their end.
    fn take_part(
        &mut self,
        block: &BlockKey,
        instant: Micros,
        count: usize,
        skip: u32,
    ) -> Result<Option<u32>, store::Error> {
        let before = self.block(&block.history(instant))?;
        let figures = self.recorded(block, instant, count)?;
        for (taken, figure) in (0..).zip(&figures).skip(skip as usize) {
            if self.changes.len() == self.size || self.bytes > PAGE_BYTES {
                return Ok(Some(taken));
            }
            self.push(block, figure, before.get(figure.code))?;
        }
        Ok(None)
    }

    /// The figures of a block that were recorded at an instant, of which there are `count`: they stand in
    /// the block, or in the history of what was superseded later.
    fn recorded(
        &mut self,
        block: &BlockKey,
        instant: Micros,
        count: usize,
    ) -> Result<Vec<Figure>, store::Error> {
        let mut figures: Vec<Figure> = Vec::with_capacity(count);
        let of_then = |figure: &&Figure| figure.since == instant;
        self.steps += 1;
        let now = load(self.state, block)?;
        figures.extend(now.figures().iter().filter(of_then));
        let (start, end) = block.history_after(instant);
        let mut later = self.state.range(&start, &end);
        while figures.len() < count
            && let Some(superseded) = later.next()
        {
            self.steps += 1;
            let superseded = Block::decode(&superseded?.1)?;
            figures.extend(superseded.figures().iter().filter(of_then));
        }
        figures.sort_unstable_by_key(|figure| figure.code);
        Ok(figures)
    }

    fn block(&mut self, key: &[u8]) -> Result<Block, store::Error> {
        self.steps += 1;
        let stored = self.state.get(key)?;
        stored.map_or_else(|| Ok(Block::default()), |bytes| Block::decode(&bytes))
    }

    fn push(
        &mut self,
        block: &BlockKey,
        figure: &Figure,
        before: Option<&Figure>,
    ) -> Result<(), store::Error> {
        let (dataset, record) = match self.datasets.entry(block.dataset) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let (id, record) = dataset::numbered(self.state, block.dataset)?;
                new.insert((id, record.known_at(self.state, self.as_of)?))
            }
        };
        let revision = before.and_then(|before| change(figure.value.into(), before.value.into()));
        let change = wire::ObservationChange {
            observation: Some(observation(self.state, dataset, record, block, figure)?),
            previous_value: before.map(|b| b.value.to_string()).unwrap_or_default(),
            previous_vintage: before.map(|before| to_timestamp(before.since)),
            // There is none to a value of zero.
            revision: revision.unwrap_or_default(),
        };
        self.bytes += change.encoded_len();
        self.changes.push(change);
        Ok(())
    }
}
