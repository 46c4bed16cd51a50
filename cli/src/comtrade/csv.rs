//! Rows of CSV under Comtrade's titles.

use std::io::Read;

use super::cells::{Cells, Spans};
use super::layout::{COLUMNS, Header, not_comtrade};
use crate::rows::csv::Records;
use crate::rows::{Place, ReadError, Text};

/// Rows of data under a header.
pub(super) struct CsvRows<R> {
    records: Records<R>,
    header: Header,
    spans: Spans,
    row: u64,
}

impl<R: Read> CsvRows<R> {
    /// Reads the header.
    pub(super) fn open(text: Text<R>) -> Result<Self, ReadError> {
        let mut records = Records::open(text)?;
        if !records.advance()? {
            return Err(not_comtrade("it is empty"));
        }
        let header = Header::read(records.titles())?;
        Ok(Self {
            records,
            header,
            spans: [(0, 0); COLUMNS],
            row: 0,
        })
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// Reads the next row: where it is, and what is wrong with it as a whole.
    pub(super) fn advance(&mut self) -> Result<Option<(Place, Option<String>)>, ReadError> {
        if !self.records.advance()? {
            return Ok(None);
        }
        self.row += 1;
        let place = Place {
            row: self.row,
            line: self.records.line(),
        };
        let wrong = self.records.wrong_width(self.header.titles.len());
        if wrong.is_none() {
            self.locate();
        }
        Ok(Some((place, wrong)))
    }

    pub(super) fn cells(&self) -> Cells<'_> {
        Cells {
            text: self.records.record(),
            spans: &self.spans,
        }
    }

    fn locate(&mut self) {
        for (span, place) in self.spans.iter_mut().zip(self.header.places()) {
            if let Some(place) = *place {
                *span = self.records.span(place);
            }
        }
    }
}
