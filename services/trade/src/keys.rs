//! Every key of the trade service's state, in one place.
//!
//! | first byte | then | value |
//! |---|---|---|
//! | `DATASET` | id | [`crate::dataset::Record`]: what every read needs |
//! | `COUNTER` | what is counted, dataset number | how many there are, `u32` |
//! | `BLOCK` | [`BlockKey`] | [`crate::block::Block`]: the figures as they are now |
//! | `BLOCK` | the same up to the length of the period, January of its year | blocks of a year: see [`crate::shelf`] |
//! | `HISTORY` | [`BlockKey`], when superseded | [`crate::block::Block`]: the figures that were superseded then |
//! | `COVERAGE` | dataset number, reporter, period | [`crate::coverage::Published`]: what was published for it |
//! | `CHANGE` | [`ChangeKey`] | which parts were recorded then, and how many figures of each |
//! | `RELEASE` | [`ReleaseKey`] | [`crate::releases::Release`]: how many figures were recorded and revised that day |
//! | `SOURCE` | dataset number, source number (0: the dataset's own) | the source as a message |
//! | `SOURCE_BY_HASH` | dataset number, XXH3-128 of the source | its number |
//! | `OWN_SOURCE` | dataset number, when superseded | the number of the dataset's own source until then |
//! | `INGEST` | dataset number, id | [`crate::ingest::Record`] |
//! | 0x50 to 0x5f | | the records': see `records` |
//! | `CONCORDANCE` | from, to | [`crate::concordance::Table`] |
//! | `CONCORDANCE_ROWS` | from, to, whether from right to left, chapter, part | pairs of codes |
//! | `NAME_LANGUAGES` | classification | the languages of its names |
//! | `COMMODITY_NAME` | classification, code, language | the name |
//!
//! Numbers are big-endian, so that keys sort as what they mean.

use proto::{Classification, Code, Country, Flow, Frequency, Month, ObservationKey, Period, Slug};
use store::Micros;

const DATASET: u8 = 0x10;
const COUNTER: u8 = 0x11;
const BLOCK: u8 = 0x20;
const HISTORY: u8 = 0x21;
const COVERAGE: u8 = 0x22;
const CHANGE: u8 = 0x23;
const RELEASE: u8 = 0x24;
const SOURCE: u8 = 0x30;
const SOURCE_BY_HASH: u8 = 0x31;
const OWN_SOURCE: u8 = 0x32;
const INGEST: u8 = 0x40;
const CONCORDANCE: u8 = 0x60;
const CONCORDANCE_ROWS: u8 = 0x61;
const NAME_LANGUAGES: u8 = 0x62;
const COMMODITY_NAME: u8 = 0x63;

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counter {
    Datasets,
    Sources(u32),
    Ingests(u32),
}

pub(crate) fn counter(counter: Counter) -> Vec<u8> {
    match counter {
        Counter::Datasets => vec![COUNTER, 0],
        Counter::Sources(dataset) => [&[COUNTER, 1], &dataset.to_be_bytes()[..]].concat(),
        Counter::Ingests(dataset) => [&[COUNTER, 2], &dataset.to_be_bytes()[..]].concat(),
    }
}

pub(crate) fn dataset(id: &str) -> Vec<u8> {
    [&[DATASET], id.as_bytes()].concat()
}

/// The id in the key of a dataset.
pub(crate) fn dataset_id(key: &[u8]) -> Option<Slug> {
    let id = std::str::from_utf8(key.strip_prefix(&[DATASET])?).ok()?;
    Slug::parse(id).ok()
}

/// The keys before the first and after the last dataset.
pub(crate) fn datasets() -> (Vec<u8>, Vec<u8>) {
    (vec![DATASET], vec![DATASET + 1])
}

pub(crate) fn source(dataset: u32, number: u32) -> Vec<u8> {
    [&[SOURCE], &dataset.to_be_bytes()[..], &number.to_be_bytes()].concat()
}

pub(crate) fn source_by_hash(dataset: u32, hash: u128) -> Vec<u8> {
    [
        &[SOURCE_BY_HASH],
        &dataset.to_be_bytes()[..],
        &hash.to_be_bytes(),
    ]
    .concat()
}

pub(crate) fn ingest(dataset: u32, id: &Slug) -> Vec<u8> {
    [
        &[INGEST],
        &dataset.to_be_bytes()[..],
        id.as_str().as_bytes(),
    ]
    .concat()
}

pub(crate) fn coverage(dataset: u32, reporter: Country, period: Period) -> Vec<u8> {
    let (mut key, _) = coverage_of(dataset, reporter, period.frequency());
    key.extend_from_slice(&period_bytes(period)[1..]);
    key
}

/// Keys of all periods of a length that a reporter published.
pub(crate) fn coverage_of(
    dataset: u32,
    reporter: Country,
    frequency: Frequency,
) -> (Vec<u8>, Vec<u8>) {
    let key = |frequency: u8| {
        [
            &[COVERAGE],
            &dataset.to_be_bytes()[..],
            &reporter.id().to_be_bytes(),
            &[frequency],
        ]
        .concat()
    };
    (key(frequency.id()), key(frequency.id() + 1))
}

/// The period in a key of coverage.
pub(crate) fn coverage_period(key: &[u8]) -> Option<Period> {
    parse_period(*key.last_chunk()?)
}

const PERIOD: usize = 6;

/// Length, start, months: in the order of time among periods of a length.
fn period_bytes(period: Period) -> [u8; PERIOD] {
    let mut bytes = [0; PERIOD];
    bytes[0] = period.frequency().id();
    bytes[1..5].copy_from_slice(&period.start().ordinal().to_be_bytes());
    bytes[5] = u8::try_from(period.months()).unwrap_or(u8::MAX);
    bytes
}

fn parse_period(bytes: [u8; PERIOD]) -> Option<Period> {
    let start = Month::from_ordinal(u32::from_be_bytes(bytes[1..5].try_into().ok()?))?;
    match Frequency::from_id(bytes[0])? {
        Frequency::Year => Period::year(start.year()),
        Frequency::Month => Period::month(start.year(), start.month()),
        Frequency::Cumulated => Period::cumulated(start, start.plus(i32::from(bytes[5]) - 1)?),
    }
}

/// Keys of what a dataset's own source was until an instant after this one.
pub(crate) fn own_source_after(dataset: u32, instant: Micros) -> (Vec<u8>, Vec<u8>) {
    (
        own_source(dataset, instant.saturating_add(1)),
        [&own_source(dataset, Micros::MAX)[..], &[0]].concat(),
    )
}

pub(crate) fn own_source(dataset: u32, superseded: Micros) -> Vec<u8> {
    [
        &[OWN_SOURCE],
        &dataset.to_be_bytes()[..],
        &superseded.to_be_bytes(),
    ]
    .concat()
}

/// Two revisions, in the order in which a conversion table leads.
pub(crate) type Revisions = (Classification, Classification);

pub(crate) fn concordance((from, to): Revisions) -> Vec<u8> {
    vec![CONCORDANCE, from.id(), to.id()]
}

/// The revisions of a table's key, or `None` when the bytes are none.
pub(crate) fn parse_concordance(key: &[u8]) -> Option<Revisions> {
    let [CONCORDANCE, from, to] = *key else {
        return None;
    };
    Some((Classification::from_id(from)?, Classification::from_id(to)?))
}

/// The keys before the first and after the last conversion table.
pub(crate) fn concordances() -> (Vec<u8>, Vec<u8>) {
    (vec![CONCORDANCE], vec![CONCORDANCE + 1])
}

/// The keys before the first and after the last row of a table.
pub(crate) fn concordance_rows((from, to): Revisions) -> (Vec<u8>, Vec<u8>) {
    let prefix = [CONCORDANCE_ROWS, from.id(), to.id()];
    (prefix.to_vec(), [&prefix[..], &[u8::MAX]].concat())
}

/// The key of a part of the rows of a chapter; `backward` when they are sorted by the code that the table
/// leads to.
pub(crate) fn concordance_part(
    (from, to): Revisions,
    backward: bool,
    chapter: u8,
    part: u8,
) -> Vec<u8> {
    let backward = u8::from(backward);
    vec![
        CONCORDANCE_ROWS,
        from.id(),
        to.id(),
        backward,
        chapter,
        part,
    ]
}

pub(crate) fn name_languages(classification: Classification) -> Vec<u8> {
    vec![NAME_LANGUAGES, classification.id()]
}

/// What stands before the languages of a code's names; all of one length, so that codes sort as they do.
pub(crate) fn names_of(classification: Classification, code: Code) -> Vec<u8> {
    let mut key = vec![COMMODITY_NAME, classification.id()];
    if !code.is_total() {
        key.extend_from_slice(code.as_str().as_bytes());
    }
    key.resize(NAMES_OF, 0);
    key
}

const NAMES_OF: usize = 8;

pub(crate) fn commodity_name(
    classification: Classification,
    code: Code,
    language: &str,
) -> Vec<u8> {
    [&names_of(classification, code)[..], language.as_bytes()].concat()
}

/// Code and language of a name's key, or `None` when the bytes are none.
pub(crate) fn parse_commodity_name(key: &[u8]) -> Option<(Code, &str)> {
    let (code, language) = key.get(2..)?.split_at_checked(NAMES_OF - 2)?;
    let code = std::str::from_utf8(code).ok()?.trim_end_matches('\0');
    let code = if code.is_empty() {
        Code::TOTAL
    } else {
        code.parse().ok()?
    };
    Some((code, std::str::from_utf8(language).ok()?))
}

/// The keys before the first and after the last name of a classification.
pub(crate) fn commodity_names(classification: Classification) -> (Vec<u8>, Vec<u8>) {
    let prefix = [COMMODITY_NAME, classification.id()];
    (prefix.to_vec(), [&prefix[..], &[u8::MAX]].concat())
}

/// Which figures of a period share a block: small enough to rewrite, large enough to scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part([u8; 2]);

impl Part {
    pub(crate) const TOTAL: Part = Part([0, 0]);
    /// All 2-digit codes.
    pub(crate) const CHAPTERS: Part = Part([0, 1]);

    /// The longer codes of one chapter.
    pub(crate) fn within(chapter: [u8; 2]) -> Part {
        Part(chapter)
    }

    pub(crate) fn bytes(self) -> [u8; 2] {
        self.0
    }

    pub(crate) fn of(code: Code) -> Part {
        match code.chapter() {
            None => Part::TOTAL,
            Some(_) if code.level() == 2 => Part::CHAPTERS,
            Some(chapter) => Part::within(chapter),
        }
    }
}

/// What the figures of a block have in common, in the order of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BlockKey {
    pub(crate) dataset: u32,
    pub(crate) reporter: Country,
    pub(crate) partner: Country,
    pub(crate) flow: Flow,
    pub(crate) part: Part,
    pub(crate) period: Period,
    pub(crate) classification: Classification,
}

/// Bytes of a [`BlockKey`] without the first byte of its key.
const BLOCK_KEY: usize = 18;
/// Bytes of a block's key before its part.
const PART: usize = 10;
/// Bytes of a block's key before the start of its period.
const LINE: usize = 13;
/// Bytes of the key of a shelf.
pub(crate) const SHELF: usize = LINE + 4;
/// Bytes of a block's key from the start of its period on.
pub(crate) const SLOT: usize = BLOCK_KEY + 1 - LINE;

/// The place of a block on a shelf: the start of its period, its months, its classification.
pub(crate) type Slot = [u8; SLOT];

/// Whether a key leads into a line whose blocks stand on shelves.
fn is_shelved(key: &[u8]) -> bool {
    let is_block = key.first() == Some(&BLOCK);
    // The total and the chapters are the only parts that begin with a zero.
    is_block && key.len() > LINE && key[PART] == 0
}

/// The key of the shelf that a block's key, or what begins like one, leads to.
fn shelf_of(key: &[u8]) -> Vec<u8> {
    let (line, rest) = key.split_at(LINE);
    let start = rest
        .first_chunk()
        .map_or(0, |start| u32::from_be_bytes(*start));
    let january = start - start % 12;
    [line, &january.to_be_bytes()].concat()
}

impl BlockKey {
    /// The block of a dataset that a figure stands in.
    pub(crate) fn of(dataset: u32, key: &ObservationKey) -> BlockKey {
        let ObservationKey {
            reporter,
            partner,
            flow,
            commodity,
            period,
        } = *key;
        BlockKey {
            dataset,
            reporter,
            partner,
            flow,
            part: Part::of(commodity.code),
            period,
            classification: commodity.classification,
        }
    }

    fn bytes(&self) -> [u8; BLOCK_KEY] {
        let mut bytes = [0; BLOCK_KEY];
        bytes[0..4].copy_from_slice(&self.dataset.to_be_bytes());
        bytes[4..6].copy_from_slice(&self.reporter.id().to_be_bytes());
        bytes[6..8].copy_from_slice(&self.partner.id().to_be_bytes());
        bytes[8] = self.flow.id();
        bytes[9..11].copy_from_slice(&self.part.0);
        bytes[11..17].copy_from_slice(&period_bytes(self.period));
        bytes[17] = self.classification.id();
        bytes
    }

    pub(crate) fn block(&self) -> Vec<u8> {
        [&[BLOCK], &self.bytes()[..]].concat()
    }

    /// The key of the shelf on which the block stands, if it stands on one: the total and the chapters do.
    pub(crate) fn shelf(&self) -> Option<Vec<u8>> {
        (self.part <= Part::CHAPTERS).then(|| shelf_of(&self.block()))
    }

    /// Its place on the shelf.
    pub(crate) fn slot(&self) -> Slot {
        *self
            .bytes()
            .last_chunk()
            .expect("a slot is a part of a key")
    }

    /// The key of the block in a slot of a shelf.
    pub(crate) fn on_shelf(shelf: &[u8; SHELF], slot: Slot) -> [u8; BLOCK_KEY + 1] {
        let mut key = [0; BLOCK_KEY + 1];
        key[..LINE].copy_from_slice(&shelf[..LINE]);
        key[LINE..].copy_from_slice(&slot);
        key
    }

    /// Where the stored keys begin that hold blocks from the key `start` on.
    pub(crate) fn stored_from(start: &[u8]) -> Vec<u8> {
        match (is_shelved(start), start.len()) {
            (true, SHELF..) => shelf_of(start),
            (true, _) => start[..LINE].to_vec(),
            (false, _) => start.to_vec(),
        }
    }

    /// Behind which stored keys there are no blocks before the key `end` any more.
    pub(crate) fn stored_to(end: &[u8]) -> Vec<u8> {
        match (is_shelved(end), end.len()) {
            (true, SHELF..) => [&shelf_of(end)[..], &[0]].concat(),
            (true, _) => Place(end[..LINE].to_vec()).end(),
            (false, _) => end.to_vec(),
        }
    }

    pub(crate) fn history(&self, superseded: Micros) -> Vec<u8> {
        [&[HISTORY], &self.bytes()[..], &superseded.to_be_bytes()].concat()
    }

    /// Keys of all figures of this block that were superseded after `instant`.
    pub(crate) fn history_after(&self, instant: Micros) -> (Vec<u8>, Vec<u8>) {
        (
            self.history(instant.saturating_add(1)),
            [&self.history(Micros::MAX)[..], &[0]].concat(),
        )
    }

    /// The key of a block, or `None` when the bytes are none.
    pub(crate) fn parse(key: &[u8]) -> Option<BlockKey> {
        let bytes: [u8; BLOCK_KEY] = key.strip_prefix(&[BLOCK])?.try_into().ok()?;
        Some(BlockKey {
            dataset: u32::from_be_bytes(bytes[0..4].try_into().ok()?),
            reporter: Country::from_id(u16::from_be_bytes([bytes[4], bytes[5]]))?,
            partner: Country::from_id(u16::from_be_bytes([bytes[6], bytes[7]]))?,
            flow: Flow::from_id(bytes[8])?,
            part: Part([bytes[9], bytes[10]]),
            period: parse_period(bytes[11..17].try_into().ok()?)?,
            classification: Classification::from_id(bytes[17])?,
        })
    }
}

/// Blocks that differ in their part only, and the instant at which figures of them were recorded: an entry
/// of the index of what a pair went through, in the order of its key.
///
/// One entry stands for all parts that a batch brings of a period: a key for each block would be up to a
/// hundred times as many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChangeKey {
    pub(crate) reporter: Country,
    pub(crate) partner: Country,
    pub(crate) recorded: Micros,
    pub(crate) dataset: u32,
    pub(crate) flow: Flow,
    pub(crate) period: Period,
    pub(crate) classification: Classification,
}

/// Bytes of a [`ChangeKey`] without the first byte of its key.
const CHANGE_KEY: usize = 24;

impl ChangeKey {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut key = ChangeKey::start(self.reporter, self.partner, self.recorded);
        key.extend(self.dataset.to_be_bytes());
        key.push(self.flow.id());
        key.extend(period_bytes(self.period));
        key.push(self.classification.id());
        key
    }

    /// Where the changes of a reporter's figures with a partner start that were recorded at an instant or
    /// later. None were recorded before 1970.
    pub(crate) fn start(reporter: Country, partner: Country, instant: Micros) -> Vec<u8> {
        let pair = [reporter.id().to_be_bytes(), partner.id().to_be_bytes()].concat();
        [&[CHANGE], &pair[..], &instant.max(0).to_be_bytes()].concat()
    }

    /// Where the next entry can be that is of a dataset, or of any.
    pub(crate) fn next(&self, dataset: Option<u32>) -> Vec<u8> {
        let instant = |micros| ChangeKey::start(self.reporter, self.partner, micros);
        match dataset {
            Some(later) if self.dataset < later => {
                [&instant(self.recorded)[..], &later.to_be_bytes()].concat()
            }
            Some(earlier) if self.dataset > earlier => instant(self.recorded.saturating_add(1)),
            Some(_) | None => [&self.bytes()[..], &[0]].concat(),
        }
    }

    /// The key of a change, or `None` when the bytes are none.
    pub(crate) fn parse(key: &[u8]) -> Option<ChangeKey> {
        let bytes: [u8; CHANGE_KEY] = key.strip_prefix(&[CHANGE])?.try_into().ok()?;
        Some(ChangeKey {
            reporter: Country::from_id(u16::from_be_bytes([bytes[0], bytes[1]]))?,
            partner: Country::from_id(u16::from_be_bytes([bytes[2], bytes[3]]))?,
            recorded: Micros::from_be_bytes(bytes[4..12].try_into().ok()?),
            dataset: u32::from_be_bytes(bytes[12..16].try_into().ok()?),
            flow: Flow::from_id(bytes[16])?,
            period: parse_period(bytes[17..23].try_into().ok()?)?,
            classification: Classification::from_id(bytes[23])?,
        })
    }

    pub(crate) fn block(&self, part: Part) -> BlockKey {
        BlockKey {
            dataset: self.dataset,
            reporter: self.reporter,
            partner: self.partner,
            flow: self.flow,
            part,
            period: self.period,
            classification: self.classification,
        }
    }
}

/// A day on which figures of one dataset and reporter with a partner were recorded, in the order of its key: both sides
/// of a pair stand together, by day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReleaseKey {
    pub(crate) reporter: Country,
    pub(crate) partner: Country,
    /// As [`proto::CivilDate::ordinal`].
    pub(crate) day: u32,
    pub(crate) dataset: u32,
}

impl ReleaseKey {
    /// What stands before the days of a pair, whichever side is named first.
    pub(crate) fn pair(one: Country, other: Country) -> Vec<u8> {
        let (low, high) = (one.min(other), one.max(other));
        [
            &[RELEASE],
            &low.id().to_be_bytes()[..],
            &high.id().to_be_bytes(),
        ]
        .concat()
    }

    /// Where all releases start and end.
    pub(crate) fn all() -> (Vec<u8>, Vec<u8>) {
        (vec![RELEASE], vec![RELEASE + 1])
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut key = ReleaseKey::pair(self.reporter, self.partner);
        key.extend(self.day.to_be_bytes());
        key.extend(self.id());
        key
    }

    /// What stands behind the day.
    pub(crate) fn id(&self) -> Vec<u8> {
        let (dataset, reporter) = (self.dataset.to_be_bytes(), self.reporter.id().to_be_bytes());
        [&dataset[..], &reporter].concat()
    }

    /// The key of a release, or `None` when the bytes are none.
    pub(crate) fn parse(key: &[u8]) -> Option<ReleaseKey> {
        let bytes: [u8; 14] = key.strip_prefix(&[RELEASE])?.try_into().ok()?;
        let country = |at: usize| Country::from_id(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
        let (low, high, reporter) = (country(0)?, country(2)?, country(12)?);
        Some(ReleaseKey {
            reporter,
            partner: if reporter == low { high } else { low },
            day: u32::from_be_bytes(bytes[4..8].try_into().ok()?),
            dataset: u32::from_be_bytes(bytes[8..12].try_into().ok()?),
        })
    }
}

/// A place among the blocks: the first components of a [`BlockKey`], for a range that starts or ends
/// there. Each step names one component more.
#[derive(Clone, Debug)]
pub(crate) struct Place(Vec<u8>);

impl Place {
    pub(crate) fn dataset(dataset: u32) -> Place {
        Place([&[BLOCK], &dataset.to_be_bytes()[..]].concat())
    }

    /// All blocks that differ from this one in their classification only.
    pub(crate) fn period(key: &BlockKey) -> Place {
        let mut block = key.block();
        block.pop();
        Place(block)
    }

    pub(crate) fn reporter(self, country: Country) -> Place {
        self.with(&country.id().to_be_bytes())
    }

    pub(crate) fn partner(self, country: Country) -> Place {
        self.with(&country.id().to_be_bytes())
    }

    pub(crate) fn flow(self, flow: Flow) -> Place {
        self.with(&[flow.id()])
    }

    pub(crate) fn part(self, part: Part) -> Place {
        self.with(&part.0)
    }

    pub(crate) fn frequency(self, frequency: Frequency) -> Place {
        self.with(&[frequency.id()])
    }

    pub(crate) fn month(self, month: Month) -> Place {
        self.with(&month.ordinal().to_be_bytes())
    }

    fn with(mut self, bytes: &[u8]) -> Place {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn start(&self) -> Vec<u8> {
        self.0.clone()
    }

    /// The key after all that start with this place.
    pub(crate) fn end(&self) -> Vec<u8> {
        let mut end = self.0.clone();
        while let Some(byte) = end.pop() {
            if byte < u8::MAX {
                end.push(byte + 1);
                break;
            }
        }
        end
    }
}
