//! Rows of JSON: the API's envelope or the bare array, a row at a time.

use std::collections::HashMap;
use std::io::Read;

use struson::reader::{
    JsonReader, JsonReaderPosition, JsonStreamReader, JsonSyntaxError, ReaderError, ReaderSettings,
    ValueType,
};

use super::cells::{Cells, Spans};
use super::layout::{COLUMNS, Column, Layout, not_comtrade, plain};
use super::ration::{Failure, Rationed};
use crate::rows::{Place, ReadError, Text};

const MAX_FIELD: usize = 64 * 1024;
/// Keys that are remembered; a row of the API has 47.
const MAX_KEYS: usize = 256;

/// What stops the reading.
enum Stop {
    Json(ReaderError),
    Read(ReadError),
}

impl From<ReaderError> for Stop {
    fn from(error: ReaderError) -> Self {
        Self::Json(error)
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

enum State {
    Start,
    /// Among the members of the envelope.
    Envelope,
    Rows,
    End,
}

/// What the envelope says beside its rows.
#[derive(Default)]
struct Envelope {
    opened: bool,
    has_data: bool,
    error: String,
    message: String,
}

/// Rows of data in JSON.
pub(super) struct JsonRows<R: Read> {
    json: JsonStreamReader<Rationed<R>>,
    state: State,
    envelope: Envelope,
    keys: HashMap<String, Option<Column>>,
    row: JsonRow,
    place: Place,
}

/// A row: the texts of its columns, one after the other.
struct JsonRow {
    text: String,
    spans: Spans,
    seen: [bool; COLUMNS],
    wrong: Option<String>,
}

impl<R: Read> JsonRows<R> {
    pub(super) fn open(text: Text<R>) -> Self {
        let settings = ReaderSettings {
            track_path: false,
            // So that whatever follows the first value can be refused.
            allow_multiple_top_level: true,
            // A number out of range rejects its row, not the file.
            restrict_number_values: false,
            ..ReaderSettings::default()
        };
        Self {
            json: JsonStreamReader::new_custom(Rationed::new(text), settings),
            state: State::Start,
            envelope: Envelope::default(),
            keys: HashMap::new(),
            row: JsonRow {
                text: String::new(),
                spans: [(0, 0); COLUMNS],
                seen: [false; COLUMNS],
                wrong: None,
            },
            place: Place { row: 0, line: 1 },
        }
    }

    /// Reads the next row: where it is, and what is wrong with it as a whole.
    pub(super) fn advance(&mut self) -> Result<Option<(Place, Option<String>)>, ReadError> {
        match self.step() {
            Ok(true) => Ok(Some((self.place, self.row.wrong.take()))),
            Ok(false) => Ok(None),
            Err(Stop::Read(error)) => Err(error),
            Err(Stop::Json(error)) => Err(self.explain(error)),
        }
    }

    pub(super) fn cells(&self) -> Cells<'_> {
        Cells {
            text: &self.row.text,
            spans: &self.row.spans,
        }
    }

    /// Goes on to the next row; false at the end.
    fn step(&mut self) -> Result<bool, Stop> {
        loop {
            self.json.reader_mut().renew();
            match self.state {
                State::Start => self.start()?,
                State::Envelope => self.member()?,
                State::Rows if self.json.has_next()? => return self.read_row().map(|()| true),
                State::Rows => self.end_rows()?,
                State::End => return Ok(false),
            }
        }
    }

    fn start(&mut self) -> Result<(), Stop> {
        if self.json.peek()? == ValueType::Object {
            self.json.begin_object()?;
            self.envelope.opened = true;
            self.state = State::Envelope;
        } else {
            self.json.begin_array()?;
            self.state = State::Rows;
        }
        Ok(())
    }

    /// Reads a member of the envelope, or its end.
    fn member(&mut self) -> Result<(), Stop> {
        if !self.json.has_next()? {
            self.json.end_object()?;
            self.check_envelope()?;
            return self.end();
        }
        match plain(self.json.next_name()?).as_str() {
            "data" => self.begin_data()?,
            "error" => self.envelope.error = self.message()?,
            "message" => self.envelope.message = self.message()?,
            _ => self.json.skip_value()?,
        }
        Ok(())
    }

    fn begin_data(&mut self) -> Result<(), Stop> {
        self.envelope.has_data = true;
        if self.json.peek()? == ValueType::Null {
            self.json.next_null()?;
        } else {
            self.json.begin_array()?;
            self.state = State::Rows;
        }
        Ok(())
    }

    fn message(&mut self) -> Result<String, Stop> {
        match self.json.peek()? {
            ValueType::String => return Ok(self.json.next_string()?),
            ValueType::Null => self.json.next_null()?,
            ValueType::Array | ValueType::Object | ValueType::Number | ValueType::Boolean => {
                self.json.skip_value()?;
                return Ok("one that is no text".to_owned());
            }
        }
        Ok(String::new())
    }

    fn check_envelope(&self) -> Result<(), ReadError> {
        let Envelope {
            has_data,
            error,
            message,
            ..
        } = &self.envelope;
        let text = if error.is_empty() && !has_data {
            message
        } else {
            error
        };
        if !text.is_empty() {
            return Err(ReadError::Service {
                service: "UN Comtrade",
                text: text.clone(),
            });
        }
        if *has_data {
            return Ok(());
        }
        Err(not_comtrade("it is a JSON object without `data`"))
    }

    fn end_rows(&mut self) -> Result<(), Stop> {
        self.json.end_array()?;
        if self.envelope.opened {
            self.state = State::Envelope;
            return Ok(());
        }
        self.end()
    }

    /// Nothing may follow.
    fn end(&mut self) -> Result<(), Stop> {
        self.state = State::End;
        if !self.json.has_next()? {
            return Ok(());
        }
        let place = self.json.current_position(false);
        Err(misplaced(&place, "more than one value").into())
    }

    fn read_row(&mut self) -> Result<(), Stop> {
        let kind = self.json.peek()?;
        let position = self.json.current_position(false);
        self.place.row += 1;
        self.place.line = line_and_column(&position).0;
        self.row.clear();
        if kind != ValueType::Object {
            self.json.skip_value()?;
            self.row.wrong = Some("a row is an object".to_owned());
            return Ok(());
        }
        self.json.begin_object()?;
        while self.json.has_next()? {
            self.read_cell()?;
        }
        self.json.end_object()?;
        if self.place.row == 1 {
            self.check_first()?;
        }
        Ok(())
    }

    /// What the first row lacks, all rows lack, as with the header of CSV.
    fn check_first(&self) -> Result<(), ReadError> {
        if self.row.seen.contains(&true) {
            return Layout::ApiJson.check(|column| self.row.seen[column as usize]);
        }
        Err(not_comtrade("its JSON rows have none of the columns"))
    }

    fn read_cell(&mut self) -> Result<(), Stop> {
        let Some(column) = column(&mut self.keys, self.json.next_name()?) else {
            return Ok(self.json.skip_value()?);
        };
        let start = self.row.text.len();
        match self.json.peek()? {
            ValueType::String => self.row.text.push_str(self.json.next_str()?),
            ValueType::Number => self.row.text.push_str(self.json.next_number_as_str()?),
            ValueType::Boolean => {
                let truth = self.json.next_bool()?;
                self.row.text.push_str(if truth { "true" } else { "false" });
            }
            ValueType::Null => self.json.next_null()?,
            ValueType::Array | ValueType::Object => {
                self.json.skip_value()?;
                self.row.wrong = Some(format!("`{column}` is not a plain value"));
            }
        }
        self.end_cell(column, start)
    }

    fn end_cell(&mut self, column: Column, start: usize) -> Result<(), Stop> {
        let end = self.row.text.len();
        if end - start > MAX_FIELD {
            let line = self.place.line;
            return Err(ReadError::FieldTooLarge { line }.into());
        }
        if self.row.seen[column as usize] {
            self.row.wrong = Some(format!("`{column}` is given twice"));
        }
        self.row.seen[column as usize] = true;
        self.row.spans[column as usize] = (start, end);
        Ok(())
    }

    fn explain(&mut self, error: ReaderError) -> ReadError {
        match self.json.reader_mut().take_failure() {
            Some(Failure::Read(error)) => return error,
            Some(Failure::TooLarge) => {
                let line = self.place.line;
                return ReadError::RowTooLarge { line };
            }
            None => {}
        }
        if let ReaderError::SyntaxError(JsonSyntaxError { kind, location }) = error {
            return misplaced(&location, &words(&kind.to_string()));
        }
        let position = self.json.current_position(false);
        if let ReaderError::UnexpectedValueType {
            expected, actual, ..
        } = error
        {
            return misplaced(&position, &words(&format!("{actual}Where{expected}IsDue")));
        }
        misplaced(&position, &error.to_string())
    }
}

impl JsonRow {
    fn clear(&mut self) {
        self.text.clear();
        self.spans = [(0, 0); COLUMNS];
        self.seen = [false; COLUMNS];
        self.wrong = None;
    }
}

fn column(keys: &mut HashMap<String, Option<Column>>, name: &str) -> Option<Column> {
    if let Some(column) = keys.get(name) {
        return *column;
    }
    let column = Layout::ApiJson.column(name);
    if keys.len() < MAX_KEYS {
        keys.insert(name.to_owned(), column);
    }
    column
}

fn misplaced(position: &JsonReaderPosition, reason: &str) -> ReadError {
    let (line, column) = line_and_column(position);
    ReadError::Json {
        line,
        column,
        reason: reason.to_owned(),
    }
}

/// From 1, as people count.
fn line_and_column(position: &JsonReaderPosition) -> (u64, u64) {
    let place = position.line_pos.as_ref();
    place.map_or((0, 0), |place| (place.line + 1, place.column + 1))
}

/// `MissingComma` as `missing comma`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(character.to_ascii_lowercase());
    }
    words
}
