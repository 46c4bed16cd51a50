//! The face: rows out of whatever a file is.

use std::fmt;
use std::io::Read;

use super::cells::Cells;
use super::csv::CsvRows;
use super::json::JsonRows;
use super::layout::{Column, Layout, not_comtrade};
use super::row::{Mapped, Mapper};
use crate::rows::{
    Drawn, Numbering, Place, ReadError, Record, Rejection, RowReader, Summary, Text,
};

/// Reads a UN Comtrade file, a row at a time.
///
/// It ends after the first [`ReadError`]. What it holds in memory does not grow with the file.
pub struct Reader<R: Read> {
    rows: Rows<R>,
    mapper: Mapper,
    layout: Layout,
    drawn: Drawn,
    summary: Summary,
    ended: bool,
}

enum Rows<R: Read> {
    Csv(Box<CsvRows<R>>),
    Json(Box<JsonRows<R>>),
}

impl<R: Read> Reader<R> {
    /// Looks at the start of `source`: how it is packed and encoded, and which layout it has.
    pub fn new(source: R) -> Result<Self, ReadError> {
        let (mut text, drawn) = Text::of(source)?;
        let is_json = is_json(text.peek_line()?)?;
        let rows = if is_json {
            Rows::Json(Box::new(JsonRows::open(text)))
        } else {
            Rows::Csv(Box::new(CsvRows::open(text)?))
        };
        let layout = rows.layout();
        Ok(Self {
            rows,
            mapper: Mapper::new(layout),
            layout,
            drawn,
            summary: Summary::default(),
            ended: false,
        })
    }

    /// How the file is laid out.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// How many bytes were drawn from the source, packed as they are there: compare it with the
    /// file's size.
    pub fn bytes_read(&self) -> u64 {
        self.drawn.bytes()
    }

    /// What the rows so far came to.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    fn read(&mut self) -> Result<Option<Record>, ReadError> {
        let Some((place, wrong)) = self.rows.advance()? else {
            return Ok(None);
        };
        let record = match wrong {
            Some(reason) => Record::Rejected(Rejection {
                place,
                column: String::new(),
                reason,
            }),
            None => self.map(place),
        };
        self.summary.count(&record);
        self.summary.rounded = self.mapper.rounded;
        Ok(Some(record))
    }

    fn map(&mut self, place: Place) -> Record {
        match self.mapper.map(place, self.rows.cells()) {
            Ok(Mapped::Row(row)) => Record::Row(row),
            Ok(Mapped::Breakdown(why)) => Record::LeftOut { place, why },
            Err(fault) => Record::Rejected(Rejection {
                place,
                column: self.rows.title(fault.column),
                reason: fault.reason,
            }),
        }
    }
}

fn is_json(first_line: &str) -> Result<bool, ReadError> {
    if first_line.contains('\0') {
        let seen = "it holds NUL bytes; UTF-16 needs a byte order mark";
        return Err(not_comtrade(seen));
    }
    Ok(first_line.starts_with(['{', '[']))
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
        self.layout.as_str()
    }

    fn numbering(&self) -> Numbering {
        match self.layout {
            Layout::ApiJson => Numbering::Rows,
            Layout::ApiCsv | Layout::BulkCsv | Layout::LegacyCsv => Numbering::Lines,
        }
    }

    fn bytes_read(&self) -> u64 {
        self.drawn.bytes()
    }

    fn summary(&self) -> &Summary {
        &self.summary
    }
}

impl<R: Read> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("layout", &self.layout)
            .field("bytes_read", &self.bytes_read())
            .field("summary", &self.summary)
            .finish_non_exhaustive()
    }
}

impl<R: Read> Rows<R> {
    fn layout(&self) -> Layout {
        match self {
            Self::Csv(rows) => rows.header().layout,
            Self::Json(_) => Layout::ApiJson,
        }
    }

    fn title(&self, column: Column) -> String {
        match self {
            Self::Csv(rows) => rows.header().title(column),
            Self::Json(_) => column.to_string(),
        }
    }

    fn advance(&mut self) -> Result<Option<(Place, Option<String>)>, ReadError> {
        match self {
            Self::Csv(rows) => rows.advance(),
            Self::Json(rows) => rows.advance(),
        }
    }

    fn cells(&self) -> Cells<'_> {
        match self {
            Self::Csv(rows) => rows.cells(),
            Self::Json(rows) => rows.cells(),
        }
    }
}
