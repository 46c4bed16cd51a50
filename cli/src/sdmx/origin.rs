//! The source of a row.

use std::sync::Arc;

use proto::r#type::v1 as wire;
use proto::{CivilDate, Source};

use super::column::Column;
use super::row::{Cells, Fault, fault};
use crate::rows::excerpt;

const COLUMNS: [Column; 8] = [
    Column::SourceTitle,
    Column::SourcePublisher,
    Column::SourceUri,
    Column::SourcePublishedOn,
    Column::SourceReadOn,
    Column::SourceLicence,
    Column::SourceShownOutside,
    Column::SourceNote,
];

/// Reads the sources of rows. It remembers the last one, because rows of one source follow one another.
pub(super) struct Origins {
    /// The dataset's own: a row that names it needs none.
    own: wire::Source,
    cells: Vec<String>,
    last: Option<Arc<wire::Source>>,
}

impl Origins {
    pub(super) fn new(own: wire::Source) -> Self {
        Self {
            own,
            cells: vec![String::new(); COLUMNS.len()],
            last: None,
        }
    }

    pub(super) fn of(&mut self, cells: Cells<'_>) -> Result<Option<Arc<wire::Source>>, Fault> {
        let mut pairs = COLUMNS.iter().zip(&self.cells);
        if pairs.all(|(column, text)| cells.text(*column) == text) {
            return Ok(self.last.clone());
        }
        let source = read(cells)?.filter(|source| *source != self.own);
        for (column, text) in COLUMNS.iter().zip(&mut self.cells) {
            text.clear();
            text.push_str(cells.text(*column));
        }
        self.last = source.map(Arc::new);
        Ok(self.last.clone())
    }
}

fn read(cells: Cells<'_>) -> Result<Option<wire::Source>, Fault> {
    if COLUMNS.iter().all(|column| cells.text(*column).is_empty()) {
        return Ok(None);
    }
    let text = |column| cells.text(column).to_owned();
    let source = wire::Source {
        title: text(Column::SourceTitle),
        publisher: text(Column::SourcePublisher),
        uri: text(Column::SourceUri),
        published_on: date(cells, Column::SourcePublishedOn)?,
        read_on: date(cells, Column::SourceReadOn)?,
        licence: text(Column::SourceLicence),
        may_be_shown_outside: truth(cells, Column::SourceShownOutside)?,
        note: text(Column::SourceNote),
    };
    match Source::try_from(source) {
        Ok(source) => Ok(Some(source.into())),
        Err(violations) => {
            let (field, reason) = violations.iter().next().unwrap_or_default();
            Err(fault(column(field), reason))
        }
    }
}

/// The column of a field of a source.
fn column(field: &str) -> Column {
    match field {
        "publisher" => Column::SourcePublisher,
        "uri" => Column::SourceUri,
        "licence" => Column::SourceLicence,
        "note" => Column::SourceNote,
        _ => Column::SourceTitle,
    }
}

fn date(cells: Cells<'_>, column: Column) -> Result<Option<wire::CivilDate>, Fault> {
    let text = cells.text(column);
    if text.is_empty() {
        return Ok(None);
    }
    let date: CivilDate = text
        .parse()
        .map_err(|error: proto::DateError| fault(column, error.to_string()))?;
    Ok(Some(date.into()))
}

fn truth(cells: Cells<'_>, column: Column) -> Result<bool, Fault> {
    match cells.text(column) {
        "" | "false" => Ok(false),
        "true" => Ok(true),
        other => {
            let reason = format!("{} is neither `true` nor `false`", excerpt(other));
            Err(fault(column, reason))
        }
    }
}
