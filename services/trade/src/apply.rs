//! What a recorded batch does to the state: figures into blocks, those they supersede into the history,
//! sources to their numbers, the ingest to its next place.

use prost::Message;
use proto::trade::v1 as wire;
use proto::r#type::v1::Source as WireSource;
use proto::{Flow, Slug, parse_dataset_name};
use store::{Stamp, State};
use wire::{ObservationGroup, ObservationsRecorded, RowCounts};

use crate::batch::GroupKey;
use crate::block::Block;
use crate::changes;
use crate::coverage;
use crate::dataset::{self, Record as DatasetRecord};
use crate::error::Error;
use crate::figure::{Figure, Row};
use crate::ingest::{Record, sum};
use crate::keys::{self, BlockKey, Counter, Part};
use crate::releases::Releases;
use crate::shelf;

/// The figures of a block as they are now.
pub(crate) fn load(state: &State<'_>, key: &BlockKey) -> Result<Block, store::Error> {
    let stored = shelf::get(state, key)?;
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
        Err(Error::Record(records::Error::Store(error))) => return Err(error),
        Err(error) => return Err(unreadable(&error.to_string())),
    };
    let ingest = move_on(state, number, &ingest, *sequence, *counts, stamp)?;
    let sources = intern_all(state, number, sources)?;
    let mut indexes = Indexes::default();
    for group in groups {
        apply_group(state, number, ingest, &sources, group, stamp, &mut indexes)?;
    }
    let Indexes { changes, releases } = indexes;
    changes.put(state)?;
    releases.put(state, number, stamp.time)
}

/// What a batch brings to the indexes.
#[derive(Default)]
struct Indexes {
    changes: changes::Index,
    releases: Releases,
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
        numbers.push(number_of(state, dataset, source)?);
    }
    Ok(numbers)
}

/// The number of a source, which is stored when it is new.
pub(crate) fn number_of(
    state: &mut State<'_>,
    dataset: u32,
    source: &WireSource,
) -> Result<u32, store::Error> {
    match find_source(state, dataset, source)? {
        Some(number) => Ok(number),
        None => intern(state, dataset, source),
    }
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
    indexes: &mut Indexes,
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
    let mut recorded = Vec::new();
    for figures in figures.chunk_by(|a, b| Part::of(a.code) == Part::of(b.code)) {
        let part = Part::of(figures[0].code);
        let revised = put_figures(state, &key.block_key(dataset, part), figures, stamp)?;
        indexes
            .releases
            .note(key.reporter, key.partner, figures.len(), revised);
        recorded.push((part, figures.len()));
    }
    let changes = &mut indexes.changes;
    changes.note(&key.change_key(dataset, stamp.time), &recorded);
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

/// Puts figures into their block; how many of them took the place of another.
fn put_figures(
    state: &mut State<'_>,
    key: &BlockKey,
    figures: &[Figure],
    stamp: Stamp,
) -> Result<usize, store::Error> {
    coverage::note(state, key, figures, stamp.time)?;
    let mut block = load(state, key)?;
    let superseded = block.put(figures.iter().copied());
    shelf::put(state, key, block.encode())?;
    let revised = superseded.len();
    if revised == 0 {
        return Ok(0);
    }
    // Two groups of one batch may have the same key.
    let history = key.history(stamp.time);
    let mut kept = match state.get(&history)? {
        Some(bytes) => Block::decode(&bytes)?,
        None => Block::default(),
    };
    kept.put(superseded);
    state.put(history, kept.encode())?;
    Ok(revised)
}

pub(crate) fn find_source(
    state: &State<'_>,
    dataset: u32,
    source: &WireSource,
) -> Result<Option<u32>, store::Error> {
    let key = keys::source_by_hash(dataset, hash(source));
    let found = state.get(&key)?;
    found.map(|bytes| dataset::parse_u32(&bytes)).transpose()
}

pub(crate) fn hash(source: &WireSource) -> u128 {
    xxhash_rust::xxh3::xxh3_128(&source.encode_to_vec())
}
