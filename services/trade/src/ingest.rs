//! Ingestion: from a batch of rows to figures, each batch whole or not at all.
//!
//! A batch is parsed by the handler, compared with what is stored by the writer (the decision), and
//! journaled as what is new or differs. Applying that puts it into blocks.

use std::collections::BTreeMap;

use prost::Message;
use proto::trade::v1 as wire;
use proto::r#type::v1::Source as WireSource;
use proto::{Classification, Country, Flow, Period, Slug, Source, Violations};
use proto::{dataset_name, ingest_name, parse_dataset_name, to_timestamp};
use store::{Decision, Micros, Stamp, State};
use wire::{ObservationGroup, ObservationRow, ObservationsRecorded, RowCounts, RowRejection};
use wire::{TradeChange, trade_change::Change};

use crate::block::{Block, MAX_FIGURES};
use crate::dataset::{self, Record as DatasetRecord};
use crate::error::Error;
use crate::figure::{Figure, Row};
use crate::keys::{self, BlockKey, Counter, Part};

const MAX_ROWS: usize = 20_000;
const MAX_SOURCES: usize = 1_000;
/// With 1 MiB of rows, an entry of the journal still fits the largest message to a watcher.
const MAX_SOURCE_BYTES: usize = 512 << 10;
const DEFAULT_REJECTIONS: usize = 100;
const MAX_REJECTIONS: i32 = 1_000;

/// What an ingest's header asks for.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) dataset: Slug,
    pub(crate) ingest: Slug,
    pub(crate) validate_only: bool,
    pub(crate) strict: bool,
    pub(crate) max_rejections: usize,
}

impl TryFrom<wire::IngestHeader> for Header {
    type Error = Violations;

    fn try_from(header: wire::IngestHeader) -> Result<Header, Violations> {
        let wire::IngestHeader {
            parent,
            ingest_id,
            validate_only,
            strict,
            max_rejections,
        } = header;
        let mut violations = Violations::new();
        let dataset = violations.check("header.parent", parse_dataset_name(&parent));
        let ingest = violations.check("header.ingest_id", Slug::parse_loose(&ingest_id));
        if max_rejections < 0 {
            violations.push("header.max_rejections", "must not be negative");
        }
        let (Some(dataset), Some(ingest)) = (dataset, ingest) else {
            return Err(violations);
        };
        let max_rejections = match usize::try_from(max_rejections.min(MAX_REJECTIONS)) {
            Ok(0) | Err(_) => DEFAULT_REJECTIONS,
            Ok(given) => given,
        };
        violations.into_result(Header {
            dataset,
            ingest,
            validate_only,
            strict,
            max_rejections,
        })
    }
}

/// The state of an ingest as it is stored.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Record {
    /// Its number within the dataset, which figures carry.
    #[prost(uint32, tag = "1")]
    number: u32,
    #[prost(int64, tag = "2")]
    last_sequence: i64,
    #[prost(message, required, tag = "3")]
    counts: RowCounts,
    #[prost(int64, tag = "4")]
    updated: Micros,
}

impl Record {
    fn find(state: &State<'_>, dataset: u32, id: &Slug) -> Result<Option<Record>, store::Error> {
        let found = state.get(&keys::ingest(dataset, id))?;
        let parse = |bytes: store::Value| Record::decode(&*bytes);
        found
            .map(parse)
            .transpose()
            .map_err(|error| store::Error::View(format!("an ingest: {error}")))
    }

    fn to_wire(&self, dataset: &Slug, ingest: &Slug) -> wire::Ingest {
        wire::Ingest {
            name: ingest_name(dataset, ingest),
            next_sequence: self.last_sequence + 1,
            counts: Some(self.counts),
            update_time: Some(to_timestamp(self.updated)),
        }
    }
}

/// The state of an ingest.
pub(crate) fn get(state: &State<'_>, dataset: &Slug, ingest: &Slug) -> Result<wire::Ingest, Error> {
    let number = DatasetRecord::find(state, dataset, None)?.number;
    let record = Record::find(state, number, ingest)?;
    let record = record.ok_or_else(|| Error::NotFound(ingest_name(dataset, ingest)))?;
    Ok(record.to_wire(dataset, ingest))
}

/// Where an ingest stands, if only at its beginning.
pub(crate) fn standing(
    state: &State<'_>,
    dataset: &Slug,
    ingest: &Slug,
) -> Result<wire::Ingest, Error> {
    let number = DatasetRecord::find(state, dataset, None)?.number;
    let record = Record::find(state, number, ingest)?;
    Ok(match record {
        Some(record) => record.to_wire(dataset, ingest),
        None => wire::Ingest {
            name: ingest_name(dataset, ingest),
            next_sequence: 1,
            counts: Some(RowCounts::default()),
            update_time: None,
        },
    })
}

/// A batch whose rows are parsed; those that did not parse are rejected already.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) sequence: i64,
    groups: Vec<Group>,
    sources: Vec<WireSource>,
    rejections: Vec<RowRejection>,
}

/// Rows of a batch with the same reporter, partner, flow, classification and period.
#[derive(Clone, Debug)]
struct Group {
    key: GroupKey,
    rows: Vec<GivenRow>,
}

/// A row and what it parsed to: the row itself is journaled, so that nothing is written anew for it.
#[derive(Clone, Debug)]
struct GivenRow {
    given: ObservationRow,
    parsed: Row,
}

#[derive(Clone, Copy, Debug)]
struct GroupKey {
    reporter: Country,
    partner: Country,
    flow: Flow,
    classification: Classification,
    period: Period,
}

impl TryFrom<wire::ObservationBatch> for Batch {
    type Error = Violations;

    fn try_from(batch: wire::ObservationBatch) -> Result<Batch, Violations> {
        let wire::ObservationBatch {
            sequence,
            groups,
            sources,
        } = batch;
        let mut violations = Violations::new();
        if sequence < 1 {
            violations.push("batch.sequence", "must be at least 1");
        }
        let rows: usize = groups.iter().map(|group| group.rows.len()).sum();
        if rows > MAX_ROWS {
            violations.push("batch.groups", format!("{rows} rows; at most {MAX_ROWS}"));
        }
        if sources.len() > MAX_SOURCES {
            let count = sources.len();
            violations.push("batch.sources", format!("{count}; at most {MAX_SOURCES}"));
        }
        for (index, _) in groups.iter().enumerate().filter(|(_, g)| g.rows.is_empty()) {
            violations.push(format!("batch.groups[{index}].rows"), "at least one");
        }
        let sources = parse_sources(&mut violations, sources);
        let bytes: usize = sources.iter().map(Message::encoded_len).sum();
        if bytes > MAX_SOURCE_BYTES {
            violations.push(
                "batch.sources",
                format!("{bytes} bytes; at most {MAX_SOURCE_BYTES}"),
            );
        }
        if !violations.is_empty() {
            return Err(violations);
        }
        let mut parsed = Batch {
            sequence,
            groups: Vec::with_capacity(groups.len()),
            sources,
            rejections: Vec::new(),
        };
        for group in groups {
            parsed.take_in(group);
        }
        Ok(parsed)
    }
}

fn parse_sources(violations: &mut Violations, sources: Vec<WireSource>) -> Vec<WireSource> {
    let parse = |(index, source): (usize, WireSource)| {
        let field = format!("batch.sources[{index}]");
        violations.check_nested(&field, Source::try_from(source))
    };
    let parsed = sources.into_iter().enumerate().filter_map(parse);
    parsed.map(Into::into).collect()
}

impl Batch {
    fn take_in(&mut self, group: ObservationGroup) {
        let ObservationGroup {
            reporter,
            partner,
            flow,
            classification,
            period,
            rows,
        } = group;
        let mut violations = Violations::new();
        let key = (
            violations.check("reporter", reporter.parse()),
            violations.check("partner", partner.parse()),
            violations.check("flow", Flow::from_wire(flow)),
            violations.check("classification", classification.parse()),
            violations.check("period", period.parse()),
        );
        let (Some(reporter), Some(partner), Some(flow), Some(classification), Some(period)) = key
        else {
            for row in &rows {
                self.rejections.push(rejection(row.number, &violations));
            }
            return;
        };
        let key = GroupKey {
            reporter,
            partner,
            flow,
            classification,
            period,
        };
        let mut rows_parsed = Vec::with_capacity(rows.len());
        for row in rows {
            match Row::parse(&row, self.sources.len()) {
                Ok(parsed)
                    if classification == Classification::Na && !parsed.figure.code.is_total() =>
                {
                    let only =
                        Violations::one("code", "only TOTAL stands without a classification");
                    self.rejections.push(rejection(row.number, &only));
                }
                Ok(parsed) => rows_parsed.push(GivenRow { given: row, parsed }),
                Err(violations) => self.rejections.push(rejection(row.number, &violations)),
            }
        }
        self.groups.push(Group {
            key,
            rows: rows_parsed,
        });
    }
}

fn rejection(row: i64, violations: &Violations) -> RowRejection {
    let (field, reason) = violations.iter().next().unwrap_or_default();
    RowRejection {
        row,
        field: field.to_owned(),
        reason: reason.to_owned(),
    }
}

/// What became of a batch.
#[derive(Clone, Debug)]
pub(crate) struct BatchOutcome {
    /// The batch was in already.
    pub(crate) skipped: bool,
    pub(crate) counts: RowCounts,
    pub(crate) rejections: Vec<RowRejection>,
    /// The ingest afterwards; `None` when nothing is written.
    pub(crate) ingest: Option<wire::Ingest>,
}

/// Compares a batch with the state, and counts; writes nothing.
pub(crate) fn validate(
    header: &Header,
    batch: Batch,
    state: &State<'_>,
) -> Result<BatchOutcome, Error> {
    let dataset = DatasetRecord::find(state, &header.dataset, None)?;
    let compared = compare(state, dataset.number, 0, batch)?;
    check_strict(header, &compared.rejections)?;
    Ok(BatchOutcome {
        skipped: false,
        counts: compared.counts,
        rejections: compared.rejections,
        ingest: None,
    })
}

/// Decides what a batch changes.
pub(crate) fn decide(
    header: &Header,
    batch: Batch,
    state: &State<'_>,
    stamp: Stamp,
) -> Result<Decision<TradeChange, BatchOutcome>, Error> {
    let dataset = DatasetRecord::find(state, &header.dataset, None)?;
    let before = Record::find(state, dataset.number, &header.ingest)?.unwrap_or_default();
    let next = before.last_sequence + 1;
    let sequence = batch.sequence;
    if sequence > next {
        let given = sequence;
        return Err(Error::SequenceGap { given, next });
    }
    if sequence < next {
        return Ok(Decision::nothing(BatchOutcome {
            skipped: true,
            counts: RowCounts::default(),
            rejections: Vec::new(),
            ingest: Some(before.to_wire(&header.dataset, &header.ingest)),
        }));
    }
    let compared = compare(state, dataset.number, before.number, batch)?;
    check_strict(header, &compared.rejections)?;
    let after = Record {
        last_sequence: sequence,
        counts: sum(before.counts, compared.counts),
        updated: stamp.time,
        ..before
    };
    let ingest = after.to_wire(&header.dataset, &header.ingest);
    let subject = ingest.name.clone();
    let outcome = BatchOutcome {
        skipped: false,
        counts: compared.counts,
        rejections: compared.rejections,
        ingest: Some(ingest),
    };
    let recorded = ObservationsRecorded {
        dataset: dataset_name(&header.dataset),
        ingest_id: header.ingest.to_string(),
        sequence,
        groups: compared.groups,
        sources: compared.sources,
        counts: Some(compared.counts),
    };
    let change = TradeChange {
        change: Some(Change::ObservationsRecorded(recorded)),
    };
    Ok(Decision::change(change, subject, outcome))
}

fn check_strict(header: &Header, rejections: &[RowRejection]) -> Result<(), Error> {
    if !header.strict || rejections.is_empty() {
        return Ok(());
    }
    let mut violations = Violations::new();
    for RowRejection { row, field, reason } in rejections {
        violations.push(format!("row {row}.{field}"), reason);
    }
    Err(Error::RowsRejected(violations))
}

pub(crate) fn sum(a: RowCounts, b: RowCounts) -> RowCounts {
    RowCounts {
        new: a.new + b.new,
        revised: a.revised + b.revised,
        unchanged: a.unchanged + b.unchanged,
        rejected: a.rejected + b.rejected,
    }
}

/// A batch held against the state.
struct Compared {
    groups: Vec<ObservationGroup>,
    sources: Vec<WireSource>,
    counts: RowCounts,
    rejections: Vec<RowRejection>,
}

fn compare(state: &State<'_>, dataset: u32, ingest: u32, batch: Batch) -> Result<Compared, Error> {
    let Batch {
        sequence: _,
        groups,
        sources,
        rejections,
    } = batch;
    let mut comparison = Comparison {
        state,
        dataset,
        ingest,
        sources: source_numbers(state, dataset, &sources)?,
        blocks: BTreeMap::new(),
        counts: RowCounts::default(),
        rejections,
    };
    let mut changed = Vec::with_capacity(groups.len());
    for Group { key, rows } in groups {
        let rows = comparison.keep_changes(&key, rows)?;
        if !rows.is_empty() {
            changed.push(key.to_wire(rows));
        }
    }
    let mut counts = comparison.counts;
    let mut rejections = comparison.rejections;
    rejections.sort_by_key(|rejection| rejection.row);
    counts.rejected = i64::try_from(rejections.len()).unwrap_or(i64::MAX);
    Ok(Compared {
        groups: changed,
        sources,
        counts,
        rejections,
    })
}

/// Numbers that the state has for the sources of a batch. One that is new to it gets a number that no
/// stored source has, the same for the same source.
fn source_numbers(
    state: &State<'_>,
    dataset: u32,
    sources: &[WireSource],
) -> Result<Vec<u32>, store::Error> {
    let mut new: BTreeMap<u128, u32> = BTreeMap::new();
    let mut numbers = Vec::with_capacity(sources.len());
    for source in sources {
        let next = u32::MAX - u32::try_from(new.len()).unwrap_or_default();
        numbers.push(match find_source(state, dataset, source)? {
            Some(number) => number,
            None => *new.entry(hash(source)).or_insert(next),
        });
    }
    Ok(numbers)
}

fn find_source(
    state: &State<'_>,
    dataset: u32,
    source: &WireSource,
) -> Result<Option<u32>, store::Error> {
    let key = keys::source_by_hash(dataset, hash(source));
    let found = state.get(&key)?;
    found.map(|bytes| dataset::parse_u32(&bytes)).transpose()
}

fn hash(source: &WireSource) -> u128 {
    xxhash_rust::xxh3::xxh3_128(&source.encode_to_vec())
}

/// What is needed to hold rows against the state, and what came of it so far.
struct Comparison<'a> {
    state: &'a State<'a>,
    dataset: u32,
    ingest: u32,
    sources: Vec<u32>,
    /// Blocks with the batch's earlier rows in them, so that a figure given twice is noticed.
    blocks: BTreeMap<BlockKey, Block>,
    counts: RowCounts,
    rejections: Vec<RowRejection>,
}

/// The vintage of a figure of the batch at hand, while rows are compared.
const THIS_BATCH: Micros = Micros::MAX;

impl Comparison<'_> {
    /// The rows that are new or differ from what is stored, in the order of their codes.
    fn keep_changes(
        &mut self,
        key: &GroupKey,
        mut rows: Vec<GivenRow>,
    ) -> Result<Vec<ObservationRow>, Error> {
        let part = |row: &GivenRow| Part::of(row.parsed.figure.code);
        rows.sort_by_key(|row| (part(row), row.parsed.figure.code));
        let mut kept = Vec::with_capacity(rows.len());
        for rows in rows.chunk_by_mut(|a, b| part(a) == part(b)) {
            let key = key.block_key(self.dataset, part(&rows[0]));
            self.compare_part(&key, rows, &mut kept)?;
        }
        Ok(kept)
    }

    fn compare_part(
        &mut self,
        key: &BlockKey,
        rows: &mut [GivenRow],
        kept: &mut Vec<ObservationRow>,
    ) -> Result<(), Error> {
        let mut block = match self.blocks.remove(key) {
            Some(block) => block,
            None => load(self.state, key)?,
        };
        let mut given: Vec<Figure> = Vec::with_capacity(rows.len());
        let mut codes = block.figures().len();
        for GivenRow { given: row, parsed } in rows {
            let figure = self.figure(parsed);
            let before = given.last().filter(|last| last.code == figure.code);
            let stored = before.or_else(|| block.get(figure.code));
            match self.verdict(&figure, stored, codes < MAX_FIGURES) {
                Verdict::Rejected(reason) => {
                    self.reject(row.number, reason);
                    continue;
                }
                Verdict::Unchanged => self.counts.unchanged += 1,
                Verdict::New => {
                    self.counts.new += 1;
                    codes += 1;
                    kept.push(journaled(row));
                }
                Verdict::Revised => {
                    self.counts.revised += 1;
                    kept.push(journaled(row));
                }
            }
            // Also one that changes nothing: another value for it in this batch contradicts it.
            given.push(figure);
        }
        given.dedup_by_key(|figure| figure.code);
        block.put(given);
        self.blocks.insert(*key, block);
        Ok(())
    }

    fn figure(&self, row: &Row) -> Figure {
        let source = row.source_index.checked_sub(1);
        Figure {
            source: source.map_or(0, |at| self.sources[at]),
            since: THIS_BATCH,
            ingest: self.ingest,
            ..row.figure
        }
    }

    fn verdict(&self, figure: &Figure, stored: Option<&Figure>, room: bool) -> Verdict {
        let Some(stored) = stored else {
            if room {
                return Verdict::New;
            }
            return Verdict::Rejected("too many codes of this chapter in one period");
        };
        let same_ingest = self.ingest != 0 && stored.ingest == self.ingest;
        if figure.says_the_same(stored) {
            Verdict::Unchanged
        } else if stored.since == THIS_BATCH || same_ingest {
            Verdict::Rejected("this ingest has given the figure already, with another value")
        } else {
            Verdict::Revised
        }
    }

    fn reject(&mut self, row: i64, reason: &str) {
        self.rejections.push(RowRejection {
            row,
            field: "code".into(),
            reason: reason.into(),
        });
    }
}

/// What a row is against what is stored.
enum Verdict {
    New,
    Revised,
    Unchanged,
    Rejected(&'static str),
}

impl GroupKey {
    fn block_key(&self, dataset: u32, part: Part) -> BlockKey {
        BlockKey {
            dataset,
            reporter: self.reporter,
            partner: self.partner,
            flow: self.flow,
            part,
            period: self.period,
            classification: self.classification,
        }
    }

    fn to_wire(self, rows: Vec<ObservationRow>) -> ObservationGroup {
        ObservationGroup {
            reporter: self.reporter.to_string(),
            partner: self.partner.to_string(),
            flow: self.flow.to_wire().into(),
            classification: self.classification.to_string(),
            period: self.period.to_string(),
            rows,
        }
    }
}

/// The row as it is journaled: without its number, which means nothing later.
fn journaled(row: &mut ObservationRow) -> ObservationRow {
    row.number = 0;
    std::mem::take(row)
}

/// The figures of a block as they are now.
pub(crate) fn load(state: &State<'_>, key: &BlockKey) -> Result<Block, store::Error> {
    let stored = state.get(&key.block())?;
    stored.map_or_else(|| Ok(Block::default()), |bytes| Block::decode(&bytes))
}

/// Applies a recorded batch.
pub(crate) fn apply_recorded(
    state: &mut State<'_>,
    recorded: &ObservationsRecorded,
    stamp: Stamp,
) -> Result<(), store::Error> {
    let ObservationsRecorded {
        dataset,
        ingest_id,
        sequence,
        groups,
        sources,
        counts,
    } = recorded;
    let dataset = parse_dataset_name(dataset).map_err(|e| unreadable(&e.to_string()))?;
    let ingest = Slug::parse_loose(ingest_id).map_err(|e| unreadable(&e.to_string()))?;
    let number = match DatasetRecord::find(state, &dataset, None) {
        Ok(record) => record.number,
        Err(Error::Store(error)) => return Err(error),
        Err(error) => return Err(unreadable(&error.to_string())),
    };
    let ingest = move_on(state, number, &ingest, *sequence, *counts, stamp)?;
    let sources = intern_all(state, number, sources)?;
    for group in groups {
        apply_group(state, number, ingest, &sources, group, stamp)?;
    }
    Ok(())
}

fn unreadable(what: &str) -> store::Error {
    store::Error::View(format!("a recorded batch cannot be applied: {what}"))
}

/// Notes that an ingest came as far as `sequence`; its number.
fn move_on(
    state: &mut State<'_>,
    dataset: u32,
    id: &Slug,
    sequence: i64,
    counts: Option<RowCounts>,
    stamp: Stamp,
) -> Result<u32, store::Error> {
    let mut record = Record::find(state, dataset, id)?.unwrap_or_default();
    if record.number == 0 {
        record.number = dataset::next_number(state, Counter::Ingests(dataset))?;
    }
    record.last_sequence = sequence;
    record.counts = sum(record.counts, counts.unwrap_or_default());
    record.updated = stamp.time;
    state.put(keys::ingest(dataset, id), record.encode_to_vec())?;
    Ok(record.number)
}

/// The numbers of sources, each new one stored.
fn intern_all(
    state: &mut State<'_>,
    dataset: u32,
    sources: &[WireSource],
) -> Result<Vec<u32>, store::Error> {
    let mut numbers = Vec::with_capacity(sources.len());
    for source in sources {
        let number = match find_source(state, dataset, source)? {
            Some(number) => number,
            None => intern(state, dataset, source)?,
        };
        numbers.push(number);
    }
    Ok(numbers)
}

fn intern(state: &mut State<'_>, dataset: u32, source: &WireSource) -> Result<u32, store::Error> {
    let number = dataset::next_number(state, Counter::Sources(dataset))?;
    let by_hash = keys::source_by_hash(dataset, hash(source));
    state.put(keys::source(dataset, number), source.encode_to_vec())?;
    state.put(by_hash, number.to_be_bytes().to_vec())?;
    Ok(number)
}

fn apply_group(
    state: &mut State<'_>,
    dataset: u32,
    ingest: u32,
    sources: &[u32],
    group: &ObservationGroup,
    stamp: Stamp,
) -> Result<(), store::Error> {
    let key = parse_key(group).ok_or_else(|| unreadable("the key of a group"))?;
    let mut figures = Vec::with_capacity(group.rows.len());
    for row in &group.rows {
        let row = Row::parse(row, sources.len()).map_err(|e| unreadable(&e.to_string()))?;
        let source = row.source_index.checked_sub(1).map_or(0, |at| sources[at]);
        figures.push(Figure {
            source,
            since: stamp.time,
            ingest,
            ..row.figure
        });
    }
    for figures in figures.chunk_by(|a, b| Part::of(a.code) == Part::of(b.code)) {
        let key = key.block_key(dataset, Part::of(figures[0].code));
        put_figures(state, &key, figures, stamp)?;
    }
    Ok(())
}

fn parse_key(group: &ObservationGroup) -> Option<GroupKey> {
    Some(GroupKey {
        reporter: group.reporter.parse().ok()?,
        partner: group.partner.parse().ok()?,
        flow: Flow::from_wire(group.flow).ok()?,
        classification: group.classification.parse().ok()?,
        period: group.period.parse().ok()?,
    })
}

fn put_figures(
    state: &mut State<'_>,
    key: &BlockKey,
    figures: &[Figure],
    stamp: Stamp,
) -> Result<(), store::Error> {
    let mut block = load(state, key)?;
    let superseded = block.put(figures.iter().copied());
    state.put(key.block(), block.encode())?;
    if superseded.is_empty() {
        return Ok(());
    }
    // Two groups of one batch may have the same key.
    let history = key.history(stamp.time);
    let mut kept = match state.get(&history)? {
        Some(bytes) => Block::decode(&bytes)?,
        None => Block::default(),
    };
    kept.put(superseded);
    state.put(history, kept.encode())
}
