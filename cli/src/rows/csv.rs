//! Records of CSV.
//!
//! On `csv_core` and not on the `csv` crate's reader: that one grows with a row without end, and can
//! neither say that a quote never closed nor where it opened.

use std::io::Read;

use csv_core::ReadRecordResult;

use super::ReadError;
use super::text::Text;

const MAX_FIELD: usize = 64 * 1024;
const MAX_ROW: usize = 1024 * 1024;
const MAX_FIELDS: usize = 64 * 1024;

/// Records of text, whatever they mean.
pub(crate) struct Records<R> {
    text: Text<R>,
    parser: csv_core::Reader,
    /// The fields of the record, one after the other.
    output: Vec<u8>,
    filled: usize,
    /// Where each field ends in `output`.
    ends: Vec<usize>,
    fields: usize,
    /// The line in which the record starts.
    line: u64,
}

impl<R: Read> Records<R> {
    /// Cuts at the delimiter that the first line has most of.
    pub(crate) fn open(mut text: Text<R>) -> Result<Self, ReadError> {
        let delimiter = delimiter(text.peek_line()?);
        Ok(Self {
            text,
            parser: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            output: vec![0; MAX_FIELD],
            filled: 0,
            ends: vec![0; 64],
            fields: 0,
            line: 1,
        })
    }

    /// Reads the next record; false at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, ReadError> {
        self.skip_blank()?;
        self.filled = 0;
        self.fields = 0;
        loop {
            let piece = self.text.fill()?;
            let at_end = piece.is_empty();
            // The last line may lack its end. A line end that ends no record is inside a quote.
            let input = if at_end { b"\n" } else { piece };
            let (result, read, written, ended) = self.parser.read_record(
                input,
                &mut self.output[self.filled..],
                &mut self.ends[self.fields..],
            );
            self.text.consume(if at_end { 0 } else { read });
            self.filled += written;
            self.fields += ended;
            match result {
                ReadRecordResult::Record => return self.check_sizes().map(|()| true),
                ReadRecordResult::InputEmpty if at_end => return self.end(),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.grow()?,
                ReadRecordResult::OutputEndsFull => self.grow_ends()?,
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    fn skip_blank(&mut self) -> Result<(), ReadError> {
        loop {
            let piece = self.text.fill()?;
            let blank = piece
                .iter()
                .take_while(|byte| matches!(byte, b'\n' | b'\r'));
            let blank = blank.count();
            let lines = count_lines(&piece[..blank]);
            let done = blank < piece.len() || piece.is_empty();
            self.text.consume(blank);
            self.parser.set_line(self.parser.line() + lines);
            if done {
                self.line = self.parser.line();
                return Ok(());
            }
        }
    }

    fn end(&self) -> Result<bool, ReadError> {
        if self.filled == 0 && self.fields == 0 {
            return Ok(false);
        }
        let line = self.field_line(self.fields);
        Err(ReadError::UnclosedQuote { line })
    }

    fn grow(&mut self) -> Result<(), ReadError> {
        self.check_field(self.fields, self.filled)?;
        if self.output.len() >= MAX_ROW {
            return Err(ReadError::RowTooLarge { line: self.line });
        }
        self.output.resize(self.output.len() * 2, 0);
        Ok(())
    }

    fn grow_ends(&mut self) -> Result<(), ReadError> {
        if self.ends.len() >= MAX_FIELDS {
            return Err(ReadError::RowTooLarge { line: self.line });
        }
        self.ends.resize(self.ends.len() * 2, 0);
        Ok(())
    }

    fn check_sizes(&self) -> Result<(), ReadError> {
        if self.filled <= MAX_FIELD {
            return Ok(());
        }
        (0..self.fields).try_for_each(|field| self.check_field(field, self.ends[field]))
    }

    /// A field that is too large and runs over lines is one whose quote did not close in time.
    fn check_field(&self, field: usize, end: usize) -> Result<(), ReadError> {
        let start = self.start(field);
        if end - start <= MAX_FIELD {
            return Ok(());
        }
        let line = self.field_line(field);
        if self.output[start..end].contains(&b'\n') {
            Err(ReadError::UnclosedQuote { line })
        } else {
            Err(ReadError::FieldTooLarge { line })
        }
    }

    fn start(&self, field: usize) -> usize {
        field.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    /// The line in which a field starts: line ends within the record stand in the fields before it.
    fn field_line(&self, field: usize) -> u64 {
        self.line + count_lines(&self.output[..self.start(field)])
    }

    /// The line in which the record starts, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The text of all fields, one after the other.
    pub(crate) fn record(&self) -> &str {
        let record = std::str::from_utf8(&self.output[..self.filled]);
        record.expect("text is valid UTF-8, and the parser takes only ASCII out of it")
    }

    /// The fields as they are, for a header.
    pub(crate) fn titles(&self) -> Vec<String> {
        let field = |(start, end): (usize, usize)| self.record()[start..end].to_owned();
        (0..self.fields)
            .map(|place| field(self.span(place)))
            .collect()
    }

    /// Where a field stands in [`Self::record`].
    pub(crate) fn span(&self, field: usize) -> (usize, usize) {
        (self.start(field), self.ends[field])
    }

    /// What is wrong with a record that has not as many fields as its header.
    pub(crate) fn wrong_width(&self, due: usize) -> Option<String> {
        let has = self.fields;
        if has == due {
            return None;
        }
        let over = count_lines(&self.output[..self.filled]);
        let until = match over {
            0 => String::new(),
            _ => format!(" (a quote runs on until line {})", self.line + over),
        };
        Some(format!("{has} fields where the header names {due}{until}"))
    }
}

fn count_lines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

/// The delimiter that a header has most of.
fn delimiter(header: &str) -> u8 {
    let count = |wanted: u8| header.bytes().filter(|byte| *byte == wanted).count();
    let wanted = [b';', b'\t', b','];
    wanted
        .into_iter()
        .max_by_key(|byte| count(*byte))
        .unwrap_or(b',')
}
