//! The face: rows out of an SDMX-CSV file.

use std::io::Read;

use super::column::{COLUMNS, Column};
use super::header::{Header, not_sdmx};
use super::row::{Cells, Mapped, Mapper, Spans};
use super::terms::Terms;
use crate::rows::csv::Records;
use crate::rows::{
    Drawn, Numbering, Place, ReadError, Record, Rejection, RowReader, Summary, Text,
};

/// Reads an SDMX-CSV file, a row at a time.
pub(crate) struct Reader<R> {
    records: Records<R>,
    header: Header,
    spans: Spans,
    terms: Terms,
    mapper: Mapper,
    drawn: Drawn,
    row: u64,
    summary: Summary,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    pub(crate) fn new(source: R, terms: Terms) -> Result<Self, ReadError> {
        let (mut text, drawn) = Text::of(source)?;
        if text.peek_line()?.contains('\0') {
            let seen = "it holds NUL bytes; UTF-16 needs a byte order mark";
            return Err(not_sdmx(seen));
        }
        let mut records = Records::open(text)?;
        if !records.advance()? {
            return Err(not_sdmx("it is empty"));
        }
        Ok(Self {
            header: Header::read(records.titles(), &terms)?,
            records,
            spans: [None; COLUMNS],
            mapper: Mapper::new(&terms),
            terms,
            drawn,
            row: 0,
            summary: Summary::default(),
            ended: false,
        })
    }

    fn read(&mut self) -> Result<Option<Record>, ReadError> {
        if !self.records.advance()? {
            return Ok(None);
        }
        self.row += 1;
        let place = Place {
            row: self.row,
            line: self.records.line(),
        };
        let record = match self.records.wrong_width(self.header.titles.len()) {
            Some(reason) => Record::Rejected(Rejection {
                place,
                column: String::new(),
                reason,
            }),
            None => self.map(place),
        };
        self.summary.count(&record);
        Ok(Some(record))
    }

    fn map(&mut self, place: Place) -> Record {
        for (span, column) in self.spans.iter_mut().zip(Column::all()) {
            *span = self.header.place(column).map(|at| self.records.span(at));
        }
        let cells = Cells {
            text: self.records.record(),
            spans: &self.spans,
            terms: &self.terms,
        };
        match self.mapper.map(place, cells) {
            Ok(Mapped::Row(row)) => {
                for what in &self.mapper.unkept {
                    *self.summary.remarks.entry(what).or_default() += 1;
                }
                Record::Row(row)
            }
            Ok(Mapped::LeftOut(why)) => Record::LeftOut { place, why },
            Err(fault) => Record::Rejected(Rejection {
                place,
                column: self.header.title(fault.column),
                reason: fault.reason,
            }),
        }
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = self.read().transpose();
        self.ended = !matches!(record, Some(Ok(_)));
        record
    }
}

impl<R: Read> RowReader for Reader<R> {
    fn kind(&self) -> &'static str {
        "SDMX-CSV"
    }

    fn numbering(&self) -> Numbering {
        Numbering::Lines
    }

    fn bytes_read(&self) -> u64 {
        self.drawn.bytes()
    }

    fn summary(&self) -> &Summary {
        &self.summary
    }

    fn remarks(&self) -> Vec<String> {
        self.header.passed_over().into_iter().collect()
    }
}
