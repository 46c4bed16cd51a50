//! What files of every kind come to.

mod forms;
mod hostile;
mod rules;
mod samples;

use std::io::Read;

use super::{ReadError, Reader, Record, Rejection, Row};

/// The columns that matter, with a figure that has everything.
const FIGURE: [(&str, &str); 23] = [
    ("typeCode", "C"),
    ("freqCode", "A"),
    ("refYear", "2012"),
    ("refMonth", "52"),
    ("period", "2012"),
    ("reporterCode", "156"),
    ("flowCode", "X"),
    ("partnerCode", "398"),
    ("partner2Code", "0"),
    ("classificationCode", "H4"),
    ("cmdCode", "870380"),
    ("aggrLevel", "6"),
    ("customsCode", "C00"),
    ("mosCode", "0"),
    ("motCode", "0"),
    ("qtyUnitCode", "5"),
    ("qty", "12.0"),
    ("isQtyEstimated", "False"),
    ("netWgt", "18000.5"),
    ("isNetWgtEstimated", "False"),
    ("primaryValue", "250000.0"),
    ("legacyEstimationFlag", "0"),
    ("isAggregate", "False"),
];

const LEGACY_FIGURE: [(&str, &str); 16] = [
    ("Classification", "H4"),
    ("Year", "2012"),
    ("Period", "201205"),
    ("Aggregate Level", "4"),
    ("Trade Flow Code", "2"),
    ("Reporter Code", "156"),
    ("Reporter", "\"China, mainland\""),
    ("Partner Code", "398"),
    ("2nd Partner Code", ""),
    ("Customs Proc. Code", ""),
    ("Mode of Transport Code", ""),
    ("Commodity Code", "8703"),
    ("Qty Unit Code", "5"),
    ("Qty", "12"),
    ("Netweight (kg)", "18000"),
    ("Trade Value (US$)", "250000"),
];

type Cell<'a> = (&'a str, &'a str);

/// A file with one row: `figure` with some columns changed, or added.
fn csv<'a>(figure: &[Cell<'a>], changes: &[Cell<'a>]) -> String {
    let mut cells = figure.to_vec();
    for change in changes {
        match cells.iter_mut().find(|(name, _)| *name == change.0) {
            Some(cell) => *cell = *change,
            None => cells.push(*change),
        }
    }
    let (names, values): (Vec<_>, Vec<_>) = cells.into_iter().unzip();
    format!("{}\n{}\n", names.join(","), values.join(","))
}

/// A file of the API's layout with the figure so many times.
fn repeated(times: usize) -> String {
    let file = csv(&FIGURE, &[]);
    let (header, row) = file.split_once('\n').unwrap();
    format!("{header}\n{}", row.repeat(times))
}

fn read(file: impl Read) -> Result<Vec<Record>, ReadError> {
    Reader::new(file)?.collect()
}

fn only(file: &str) -> Record {
    let records = read(file.as_bytes()).unwrap();
    let [record] = <[Record; 1]>::try_from(records).unwrap();
    record
}

fn figure(record: Record) -> Row {
    match record {
        Record::Row(row) => row,
        other @ (Record::LeftOut { .. } | Record::Rejected(_)) => panic!("no figure: {other:?}"),
    }
}

fn rejection(record: Record) -> Rejection {
    match record {
        Record::Rejected(rejection) => rejection,
        other @ (Record::Row(_) | Record::LeftOut { .. }) => panic!("not rejected: {other:?}"),
    }
}

/// The figure of a file with some columns changed.
fn taken(changes: &[Cell<'_>]) -> Row {
    figure(only(&csv(&FIGURE, changes)))
}

/// Why a file with some columns changed is rejected: `column: reason`.
fn refused(changes: &[Cell<'_>]) -> String {
    let Rejection { column, reason, .. } = rejection(only(&csv(&FIGURE, changes)));
    format!("{column}: {reason}")
}
