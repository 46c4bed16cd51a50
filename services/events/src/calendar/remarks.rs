//! Notes and refusals by line.

use proto::events::v1::CalendarRemark;

/// What is kept of either; the rest is counted.
const MAX_KEPT: usize = 1_000;
const MAX_TEXT: usize = 200;
const MAX_PROPERTY: usize = 64;

/// What is to be said of a calendar.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    /// What was mended, or left out without harm.
    pub(super) notes: Remarks,
    /// What was refused.
    pub(super) refusals: Remarks,
}

impl Report {
    pub(super) fn note(&mut self, at: usize, property: &str, text: impl Into<String>) {
        self.notes.push(at, property, text.into());
    }

    pub(super) fn refuse(&mut self, at: usize, property: &str, text: impl Into<String>) {
        self.refusals.push(at, property, text.into());
    }
}

/// Remarks of one sort: the first 1,000.
#[derive(Clone, Debug, Default)]
pub(super) struct Remarks {
    kept: Vec<CalendarRemark>,
    omitted: usize,
}

impl Remarks {
    fn push(&mut self, at: usize, property: &str, text: String) {
        if self.kept.len() == MAX_KEPT {
            self.omitted += 1;
            return;
        }
        self.kept.push(CalendarRemark {
            line: i32::try_from(at).unwrap_or(i32::MAX),
            property: property.chars().take(MAX_PROPERTY).collect(),
            text: shortened(text),
        });
    }

    /// How many there are, with those that were counted only.
    pub(super) fn len(&self) -> usize {
        self.kept.len() + self.omitted
    }

    /// In the order of their lines; the last one says how many more there are.
    pub(super) fn into_wire(self) -> Vec<CalendarRemark> {
        let Remarks { mut kept, omitted } = self;
        kept.sort_by_key(|remark| remark.line);
        if omitted > 0 {
            kept.push(CalendarRemark {
                line: kept.last().map_or(1, |last| last.line),
                property: String::new(),
                text: format!("and {omitted} more"),
            });
        }
        kept
    }
}

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_TEXT) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Report;

    #[test]
    fn a_thousand_remarks_are_kept_and_the_rest_is_counted() {
        let mut report = Report::default();
        for line in (1..=1_500).rev() {
            report.note(line, &"X".repeat(1_000), "ж".repeat(1_000));
        }
        assert_eq!(report.notes.len(), 1_500);
        let notes = report.notes.into_wire();
        assert_eq!(notes.len(), 1_001);
        assert_eq!((notes[0].line, notes[0].property.len()), (501, 64));
        assert_eq!(notes[0].text.chars().count(), 203);
        assert_eq!(notes[1_000].text, "and 500 more");
    }
}
