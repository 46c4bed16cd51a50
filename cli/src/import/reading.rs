//! One reading of a file: its rows into batches, on a thread of its own.

use std::collections::HashMap;
use std::io::Read;

use indicatif::ProgressBar;
use proto::trade::v1 as wire;
use tokio::sync::mpsc;
use wire::IngestObservationsRequest as Message;
use wire::ingest_observations_request::Part;

use crate::batches::Batches;
use crate::rows::{Numbering, Place, ReadError, Record, Rejection, Row, RowReader, Summary};

/// How many records pass between two updates of the progress bar.
const PROGRESS: u64 = 4_096;

/// Opens a file of some kind.
pub(super) type Open =
    dyn Fn(Box<dyn Read + Send>) -> Result<Box<dyn RowReader>, ReadError> + Send + Sync;

/// One reading of a file.
pub(super) struct Pass {
    pub(super) header: wire::IngestHeader,
    /// How many rejections are kept to be shown.
    pub(super) shown: usize,
    pub(super) seen: Option<Seen>,
}

/// What reading a file came to.
pub(super) struct Reading {
    pub(super) kind: &'static str,
    pub(super) numbering: Numbering,
    pub(super) summary: Summary,
    pub(super) remarks: Vec<String>,
    pub(super) rejections: Vec<String>,
}

/// Sends the rows that a reader gives; a closed channel means that the service has ended the call, which
/// says why.
pub(super) fn read(
    mut reader: Box<dyn RowReader>,
    pass: Pass,
    sender: &mpsc::Sender<Message>,
    bar: &ProgressBar,
) -> Result<Reading, ReadError> {
    let Pass {
        header,
        shown,
        mut seen,
    } = pass;
    let numbering = reader.numbering();
    let header = Message {
        part: Some(Part::Header(header)),
    };
    let mut open = sender.blocking_send(header).is_ok();
    let mut batches = Batches::default();
    let mut rejections = Vec::new();
    let mut given_twice = 0;
    let mut records: u64 = 0;
    while open && let Some(record) = reader.next().transpose()? {
        records += 1;
        if records.is_multiple_of(PROGRESS) {
            bar.set_position(reader.bytes_read());
        }
        let rejection = match record {
            Record::Row(row) if seen.as_mut().is_some_and(|seen| seen.differs(&row)) => {
                given_twice += 1;
                Some(twice(row.place))
            }
            Record::Row(row) => {
                if let Some(batch) = batches.push(&row, numbering.of(row.place)) {
                    open = sender.blocking_send(batch).is_ok();
                }
                None
            }
            Record::LeftOut { .. } => None,
            Record::Rejected(rejection) => Some(rejection),
        };
        if let Some(Rejection {
            place,
            column,
            reason,
        }) = rejection
            && rejections.len() < shown
        {
            rejections.push(numbering.told(numbering.of(place), &column, &reason));
        }
    }
    if let Some(batch) = batches.finish() {
        drop(sender.blocking_send(batch));
    }
    let mut summary = reader.summary().clone();
    summary.rejected += given_twice;
    summary.rows -= given_twice;
    Ok(Reading {
        kind: reader.kind(),
        numbering,
        summary,
        remarks: reader.remarks(),
        rejections,
    })
}

fn twice(place: Place) -> Rejection {
    Rejection {
        place,
        column: "code".to_owned(),
        reason: "given before with another value".to_owned(),
    }
}

/// Every figure of a file, so that one that is given twice with different values is found.
#[derive(Default)]
pub(super) struct Seen(HashMap<u128, u64>);

impl Seen {
    /// Whether the row's figure was given before, and differs.
    fn differs(&mut self, row: &Row) -> bool {
        let key = format!("{:?}{}", row.key, row.code);
        let says = format!(
            "{} {:?} {:?} {} {:?} {:?}",
            row.value, row.net_weight, row.quantity, row.quantity_unit, row.flags, row.source
        );
        let key = xxhash_rust::xxh3::xxh3_128(key.as_bytes());
        let says = xxhash_rust::xxh3::xxh3_64(says.as_bytes());
        *self.0.entry(key).or_insert(says) != says
    }
}
