//! Rows, cut into batches.

use prost::Message;
use proto::trade::v1 as wire;
use wire::ingest_observations_request::Part;

use crate::comtrade::{GroupKey, Row};

/// Rows of a batch; the service takes twice as many.
const MAX_ROWS: usize = 10_000;
/// Bytes of a batch, well below the megabyte that the service takes.
const MAX_BYTES: usize = 900 << 10;
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
}

impl Batches {
    /// Takes a row, known to the service by `number`; a batch when one is full.
    pub(crate) fn push(
        &mut self,
        row: &Row,
        number: u64,
    ) -> Option<wire::IngestObservationsRequest> {
        let message = to_wire(row, number);
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
        (self.rows >= MAX_ROWS || self.bytes >= MAX_BYTES).then(|| self.take())
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
            sources: Vec::new(),
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

fn to_wire(row: &Row, number: u64) -> wire::ObservationRow {
    let text = |amount: Option<proto::Scaled>| amount.map(|a| a.to_string()).unwrap_or_default();
    wire::ObservationRow {
        number: i64::try_from(number).unwrap_or(i64::MAX),
        code: row.code.to_string(),
        value: row.value.to_string(),
        net_weight: text(row.net_weight),
        quantity: text(row.quantity),
        quantity_unit: row.quantity_unit.into(),
        flags: row.flags.iter().map(Into::into).collect(),
        source: 0,
        vintage: None,
    }
}
