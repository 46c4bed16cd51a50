//! Rows, cut into batches.

use std::collections::HashMap;
use std::sync::Arc;

use prost::Message;
use proto::trade::v1 as wire;
use proto::r#type::v1::Source;
use wire::ingest_observations_request::Part;

use crate::rows::{GroupKey, Row};

/// Rows of a batch; the service takes twice as many.
const MAX_ROWS: usize = 10_000;
/// Bytes of a batch, well below the megabyte that the service takes.
const MAX_BYTES: usize = 900 << 10;
/// Sources of a batch, and their bytes: the service takes no more.
const MAX_SOURCES: usize = 1_000;
const MAX_SOURCE_BYTES: usize = 500 << 10;
/// More than a group adds to its rows.
const GROUP_BYTES: usize = 64;

/// Collects rows into batches. The same rows make the same batches, so that an import that was cut off
/// can be sent again.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    sequence: i64,
    groups: Vec<wire::ObservationGroup>,
    last_key: Option<GroupKey>,
    rows: usize,
    bytes: usize,
    sources: Sources,
}

/// The sources of a batch, each once.
#[derive(Debug, Default)]
struct Sources {
    list: Vec<Source>,
    numbers: HashMap<Vec<u8>, i32>,
    /// The one that was numbered last: rows of one source follow one another.
    last: Option<(Arc<Source>, i32)>,
    bytes: usize,
}

impl Sources {
    /// The number of a source in the batch, from 1; 0 for none.
    fn number(&mut self, source: Option<&Arc<Source>>) -> i32 {
        let Some(source) = source else { return 0 };
        if let Some((last, number)) = &self.last
            && Arc::ptr_eq(last, source)
        {
            return *number;
        }
        let encoded = source.encode_to_vec();
        let number = match self.numbers.get(&encoded) {
            Some(number) => *number,
            None => self.add(encoded, source),
        };
        self.last = Some((Arc::clone(source), number));
        number
    }

    fn add(&mut self, encoded: Vec<u8>, source: &Source) -> i32 {
        self.bytes += encoded.len() + 4;
        self.list.push(source.clone());
        let number = i32::try_from(self.list.len()).unwrap_or(i32::MAX);
        self.numbers.insert(encoded, number);
        number
    }

    /// One more would be as large as a source can be, some 14 KiB.
    fn is_full(&self) -> bool {
        self.list.len() >= MAX_SOURCES || self.bytes + (16 << 10) > MAX_SOURCE_BYTES
    }
}

impl Batches {
    /// Takes a row, known to the service by `number`; a batch when one is full.
    pub(crate) fn push(
        &mut self,
        row: &Row,
        number: u64,
    ) -> Option<wire::IngestObservationsRequest> {
        let source = self.sources.number(row.source.as_ref());
        let message = to_wire(row, number, source);
        self.rows += 1;
        self.bytes += message.encoded_len() + 4;
        match self.groups.last_mut() {
            Some(group) if self.last_key == Some(row.key) => group.rows.push(message),
            Some(_) | None => {
                self.bytes += GROUP_BYTES;
                self.groups.push(group(&row.key, message));
                self.last_key = Some(row.key);
            }
        }
        let is_full = self.rows >= MAX_ROWS
            || self.bytes + self.sources.bytes >= MAX_BYTES
            || self.sources.is_full();
        is_full.then(|| self.take())
    }

    /// What is left over at the end.
    pub(crate) fn finish(mut self) -> Option<wire::IngestObservationsRequest> {
        (self.rows > 0).then(|| self.take())
    }

    fn take(&mut self) -> wire::IngestObservationsRequest {
        let sequence = self.sequence + 1;
        let taken = std::mem::take(self);
        self.sequence = sequence;
        let batch = wire::ObservationBatch {
            sequence,
            groups: taken.groups,
            sources: taken.sources.list,
        };
        wire::IngestObservationsRequest {
            part: Some(Part::Batch(batch)),
        }
    }
}

fn group(key: &GroupKey, row: wire::ObservationRow) -> wire::ObservationGroup {
    wire::ObservationGroup {
        reporter: key.reporter.to_string(),
        partner: key.partner.to_string(),
        flow: key.flow.to_wire().into(),
        classification: key.classification.to_string(),
        period: key.period.to_string(),
        rows: vec![row],
    }
}

fn to_wire(row: &Row, number: u64, source: i32) -> wire::ObservationRow {
    let text = |amount: Option<proto::Scaled>| amount.map(|a| a.to_string()).unwrap_or_default();
    wire::ObservationRow {
        number: i64::try_from(number).unwrap_or(i64::MAX),
        code: row.code.to_string(),
        value: row.value.to_string(),
        net_weight: text(row.net_weight),
        quantity: text(row.quantity),
        quantity_unit: row.quantity_unit.into(),
        flags: row.flags.iter().map(Into::into).collect(),
        source,
        vintage: None,
    }
}
