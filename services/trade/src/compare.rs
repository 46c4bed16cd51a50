//! A batch held against the state: which rows are new, revise what is stored, change nothing, or cannot be.

use std::collections::BTreeMap;

use proto::trade::v1 as wire;
use proto::r#type::v1::Source as WireSource;
use store::{Micros, State};
use wire::{ObservationGroup, ObservationRow, RowCounts, RowRejection};

use crate::apply::{find_source, hash, load};
use crate::batch::{Batch, GivenRow, Group, GroupKey};
use crate::block::{Block, MAX_FIGURES};
use crate::error::Error;
use crate::figure::{Figure, Row};
use crate::keys::{BlockKey, Part};

/// A batch held against the state.
pub(crate) struct Compared {
    /// What is new or differs.
    pub(crate) groups: Vec<ObservationGroup>,
    pub(crate) sources: Vec<WireSource>,
    pub(crate) counts: RowCounts,
    pub(crate) rejections: Vec<RowRejection>,
}

/// Compares a batch of the ingest numbered `ingest`, 0 for a new one.
pub(crate) fn compare(
    state: &State<'_>,
    dataset: u32,
    ingest: u32,
    batch: Batch,
) -> Result<Compared, Error> {
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

/// The row as it is journaled: without its number, which means nothing later, and without a vintage, which
/// its entry gives it.
fn journaled(row: &mut ObservationRow) -> ObservationRow {
    row.number = 0;
    row.vintage = None;
    std::mem::take(row)
}
