//! Ingestion: from a batch of rows to figures, each batch whole or not at all.
//!
//! A batch is parsed by the handler (`batch.rs`), held against the state by the writer (`compare.rs`), and
//! journaled as what is new or differs; `apply.rs` puts that into blocks. Here is what is decided, and how
//! far an ingest came.

use prost::Message;
use proto::trade::v1 as wire;
use proto::{Slug, Violations, dataset_name, ingest_name, to_timestamp};
use store::{Decision, Micros, Stamp, State};
use wire::{ObservationsRecorded, RowCounts, RowRejection};
use wire::{TradeChange, trade_change::Change};

use crate::batch::{Batch, Header};
use crate::compare::compare;
use crate::dataset::Record as DatasetRecord;
use crate::error::Error;
use crate::keys;

/// The state of an ingest as it is stored.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Record {
    /// Its number within the dataset, which figures carry.
    #[prost(uint32, tag = "1")]
    pub(crate) number: u32,
    #[prost(int64, tag = "2")]
    pub(crate) last_sequence: i64,
    #[prost(message, required, tag = "3")]
    pub(crate) counts: RowCounts,
    #[prost(int64, tag = "4")]
    pub(crate) updated: Micros,
}

impl Record {
    pub(crate) fn find(
        state: &State<'_>,
        dataset: u32,
        id: &Slug,
    ) -> Result<Option<Record>, store::Error> {
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
    let record = record.ok_or_else(|| Error::not_found(ingest_name(dataset, ingest)))?;
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
