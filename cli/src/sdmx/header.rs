//! Which of a file's columns is which.

use super::column::{COLUMNS, Column, REQUIRED, same};
use super::terms::Terms;
use crate::rows::{ReadError, excerpt};

/// Columns that are told by name; the others are counted.
const TOLD: usize = 8;
/// What SDMX-CSV has besides, and nobody misses.
const SILENT: [&str; 1] = ["STRUCTURE_NAME"];

/// A header.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) titles: Vec<String>,
    places: [Option<usize>; COLUMNS],
    /// Titles of columns that are passed over.
    unknown: Vec<usize>,
}

impl Header {
    pub(super) fn read(titles: Vec<String>, terms: &Terms) -> Result<Self, ReadError> {
        let mut header = Self {
            places: [None; COLUMNS],
            unknown: Vec::new(),
            titles,
        };
        let roles: Vec<Option<Column>> = header.titles.iter().map(|t| terms.role(t)).collect();
        if !resembles(&roles) {
            let seen = format!("it starts with {}", excerpt(&header.titles.join(",")));
            return Err(not_sdmx(seen));
        }
        for (place, role) in roles.iter().enumerate() {
            match role {
                Some(column) => header.take(*column, place)?,
                None => header.unknown.push(place),
            }
        }
        header.check_required(terms)?;
        Ok(header)
    }

    fn take(&mut self, column: Column, place: usize) -> Result<(), ReadError> {
        let Some(before) = self.places[column as usize] else {
            self.places[column as usize] = Some(place);
            return Ok(());
        };
        let (old, new) = (&self.titles[before], &self.titles[place]);
        let own = |title: &str| same(title, column.title());
        if before + 1 == place && old != new {
            // With both labels, each coded column is followed by the column of its labels.
            Ok(())
        } else if own(old) && !own(new) {
            self.unknown.push(place);
            Ok(())
        } else if own(new) && !own(old) {
            self.unknown.push(before);
            self.places[column as usize] = Some(place);
            Ok(())
        } else {
            let column = format!("{} ({column}; --map tells which one counts)", excerpt(new));
            Err(ReadError::DuplicateColumn { column })
        }
    }

    fn check_required(&self, terms: &Terms) -> Result<(), ReadError> {
        let is_missing = |column: &Column| {
            self.places[*column as usize].is_none() && terms.set(*column).is_none()
        };
        let missing = REQUIRED.iter().filter(|column| is_missing(column));
        let columns: Vec<String> = missing.map(|column| terms.expected(*column)).collect();
        if columns.is_empty() {
            return Ok(());
        }
        Err(ReadError::MissingColumns {
            file: "SDMX-CSV",
            columns,
            hint: "; name a column with --map REPORTER=COLUMN, or what holds for all rows with --set FLOW=X",
        })
    }

    /// Where a column stands in a row.
    pub(super) fn place(&self, column: Column) -> Option<usize> {
        self.places[column as usize]
    }

    /// A column's title in this file.
    pub(super) fn title(&self, column: Column) -> String {
        let place = self.place(column);
        place.map_or_else(|| column.to_string(), |place| self.titles[place].clone())
    }

    /// Which columns are passed over, for people.
    pub(super) fn passed_over(&self) -> Option<String> {
        let silent = |title: &str| SILENT.iter().any(|one| same(one, title));
        let titles = self.unknown.iter().map(|place| &self.titles[*place]);
        let titles: Vec<String> = titles
            .filter(|title| !silent(title))
            .map(|title| excerpt(title))
            .collect();
        let (told, more) = titles.split_at(titles.len().min(TOLD));
        let more = match more.len() {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        (!told.is_empty()).then(|| format!("columns passed over: {}{more}", told.join(", ")))
    }
}

/// An SDMX file names its structure; one of 1.0 without one has at least SDMX's name of the value.
fn resembles(roles: &[Option<Column>]) -> bool {
    let marks = [Column::Structure, Column::StructureId, Column::Value];
    roles.iter().flatten().any(|role| marks.contains(role))
}

/// A file of another kind, by what was seen of it.
pub(super) fn not_sdmx(seen: impl Into<String>) -> ReadError {
    ReadError::OtherKind {
        wanted: "an SDMX-CSV file",
        seen: seen.into(),
        accepted: "Accepted is SDMX-CSV 2.0 or 1.0 with a header; plain or gzip; UTF-8 or UTF-16",
    }
}
