//! Sources, numbered over the whole briefing, and what they let out.

use std::collections::HashMap;

use proto::Document;
use proto::culture::v1::{Programme, VisaRule};
use proto::events::v1::{Agreement, Event};
use proto::trade::v1::{Mirror, MirrorDirection, MirrorLine, Series, StatementCheck, ValueCheck};
use proto::r#type::v1::{CivilDate, Source};

/// The sources of a briefing, in the order in which they are cited first: one number a document, with all that is
/// noted of it.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    numbers: HashMap<Document, usize>,
    list: Vec<Source>,
}

impl Sources {
    /// The number of a source, from 1.
    pub(crate) fn number(&mut self, source: Source) -> i32 {
        let next = self.list.len();
        let place = *self.numbers.entry(Document::of(&source)).or_insert(next);
        match self.list.get_mut(place) {
            Some(known) => join(known, source),
            None => self.list.push(source),
        }
        i32::try_from(place + 1).unwrap_or(i32::MAX)
    }

    /// The numbers of a record's sources, each once.
    pub(crate) fn numbers(&mut self, sources: Vec<Source>) -> Vec<i32> {
        let numbers = sources.into_iter().map(|source| self.number(source));
        let mut numbers: Vec<i32> = numbers.collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// All of them.
    pub(crate) fn into_list(self) -> Vec<Source> {
        self.list
    }

    /// Cites the sources of a message by the briefing's numbers instead of its own.
    pub(crate) fn cite(&mut self, message: &mut impl Citing) {
        let own = message.take_sources();
        message.renumber(&mut |number| *number = self.renumbered(*number, &own));
    }

    /// The briefing's number of a source that an answer cites by its own; 0, which cites nothing, for a number that
    /// leads nowhere.
    pub(crate) fn renumbered(&mut self, number: i32, own: &[Source]) -> i32 {
        cited(own, number).map_or(0, |source| self.number(source.clone()))
    }
}

/// Adds to a source what is said of the same document elsewhere. It may be shown where all that is said of it may.
fn join(known: &mut Source, other: Source) {
    let Source {
        title: _,
        publisher: _,
        uri: _,
        published_on: _,
        read_on,
        licence,
        may_be_shown_outside,
        note,
    } = other;
    let order = |date: &CivilDate| (date.year, date.month, date.day);
    known.read_on = known.read_on.into_iter().chain(read_on).max_by_key(order);
    known.may_be_shown_outside &= may_be_shown_outside;
    add(&mut known.licence, &licence, "; ");
    add(&mut known.note, &note, " ");
}

fn add(known: &mut String, other: &str, between: &str) {
    if known.contains(other) {
        return;
    }
    if !known.is_empty() {
        known.push_str(between);
    }
    known.push_str(other);
}

fn cited(own: &[Source], number: i32) -> Option<&Source> {
    own.get(usize::try_from(number).ok()?.checked_sub(1)?)
}

/// Whether all of these may be shown outside.
pub(crate) fn let_out(sources: &[Source]) -> bool {
    sources.iter().all(|source| source.may_be_shown_outside)
}

/// Whether all that a message cites may be shown outside.
pub(crate) fn cites_openly(own: &[Source], numbers: &[i32]) -> bool {
    let mut cited = numbers.iter().filter_map(|number| cited(own, *number));
    cited.all(|source| source.may_be_shown_outside)
}

/// A message that has a list of sources and cites them by number.
pub(crate) trait Citing {
    /// Takes the list out of it.
    fn take_sources(&mut self) -> Vec<Source>;
    /// Hands out every number by which it cites one.
    fn renumber(&mut self, number: &mut dyn FnMut(&mut i32));
}

impl Citing for Series {
    fn take_sources(&mut self) -> Vec<Source> {
        std::mem::take(&mut self.sources)
    }

    fn renumber(&mut self, number: &mut dyn FnMut(&mut i32)) {
        for point in &mut self.points {
            number(&mut point.source);
            point.sources.iter_mut().for_each(&mut *number);
            let growth = point.growth.iter_mut();
            let bases = growth.flat_map(|growth| &mut growth.base_sources);
            bases.for_each(&mut *number);
        }
    }
}

impl Citing for Mirror {
    fn take_sources(&mut self) -> Vec<Source> {
        std::mem::take(&mut self.sources)
    }

    fn renumber(&mut self, number: &mut dyn FnMut(&mut i32)) {
        let directions = [&mut self.first_to_second, &mut self.second_to_first];
        for MirrorDirection { total, lines, .. } in directions.into_iter().flatten() {
            total
                .iter_mut()
                .chain(lines)
                .for_each(|line| renumber_line(line, number));
        }
        self.turnover
            .iter_mut()
            .for_each(|line| renumber_line(line, number));
    }
}

fn renumber_line(line: &mut MirrorLine, number: &mut dyn FnMut(&mut i32)) {
    let figures = [&mut line.exporter_figure, &mut line.importer_figure];
    for figure in figures.into_iter().flatten() {
        figure.sources.iter_mut().for_each(&mut *number);
    }
}

impl Citing for StatementCheck {
    fn take_sources(&mut self) -> Vec<Source> {
        std::mem::take(&mut self.sources)
    }

    fn renumber(&mut self, number: &mut dyn FnMut(&mut i32)) {
        for side in &mut self.sides {
            for ValueCheck { terms, .. } in side.value.iter_mut().chain(&mut side.base) {
                for term in terms {
                    number(&mut term.source);
                }
            }
            let figures = side
                .bounds
                .iter_mut()
                .filter_map(|bound| bound.figure.as_mut());
            figures.for_each(|figure| number(&mut figure.source));
        }
    }
}

impl Citing for Agreement {
    fn take_sources(&mut self) -> Vec<Source> {
        std::mem::take(&mut self.sources)
    }

    fn renumber(&mut self, number: &mut dyn FnMut(&mut i32)) {
        self.steps
            .iter_mut()
            .for_each(|step| number(&mut step.source));
    }
}

impl Citing for Programme {
    fn take_sources(&mut self) -> Vec<Source> {
        std::mem::take(&mut self.sources)
    }

    fn renumber(&mut self, number: &mut dyn FnMut(&mut i32)) {
        self.milestones
            .iter_mut()
            .for_each(|milestone| number(&mut milestone.source));
        self.observed_statuses
            .iter_mut()
            .for_each(|status| number(&mut status.source));
        self.inferred_status
            .iter_mut()
            .for_each(|status| number(&mut status.source));
    }
}

impl Citing for Event {
    fn take_sources(&mut self) -> Vec<Source> {
        std::mem::take(&mut self.sources)
    }

    fn renumber(&mut self, _: &mut dyn FnMut(&mut i32)) {}
}

impl Citing for VisaRule {
    fn take_sources(&mut self) -> Vec<Source> {
        std::mem::take(&mut self.sources)
    }

    fn renumber(&mut self, _: &mut dyn FnMut(&mut i32)) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::trade::v1::{Growth, SeriesPoint};

    fn source(title: &str, note: &str) -> Source {
        Source {
            title: title.into(),
            publisher: "Office".into(),
            may_be_shown_outside: true,
            note: note.into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_document_has_one_number_and_all_that_is_noted_of_it() {
        let mut sources = Sources::default();
        let table = source("Table", "Rounded.");
        let closed = Source {
            may_be_shown_outside: false,
            ..source("Table", "Quotes the customs.")
        };
        let numbers = sources.numbers(vec![
            table.clone(),
            source("Speech", ""),
            closed,
            table.clone(),
        ]);
        assert_eq!(numbers, [1, 2]);
        let list = sources.into_list();
        assert_eq!(list[0].note, "Rounded. Quotes the customs.");
        assert!(!list[0].may_be_shown_outside && list[1].may_be_shown_outside);
    }

    #[test]
    fn a_point_and_the_base_of_its_growth_are_cited_by_the_numbers_of_all() {
        let mut sources = Sources::default();
        sources.number(source("Speech", ""));
        let mut series = Series {
            points: vec![SeriesPoint {
                source: 1,
                growth: Some(Growth {
                    base_sources: vec![2],
                    ..Default::default()
                }),
                ..Default::default()
            }],
            sources: vec![source("Table", ""), source("Speech", "")],
            ..Default::default()
        };
        sources.cite(&mut series);
        let point = &series.points[0];
        let base = &point.growth.as_ref().unwrap().base_sources;
        assert_eq!((point.source, base.as_slice()), (2, &[1][..]));
        assert!(series.sources.is_empty());
    }

    #[test]
    fn another_date_is_another_document() {
        let mut sources = Sources::default();
        let first = source("Table", "");
        let mut second = first.clone();
        second.published_on = Some(CivilDate {
            year: 2023,
            ..Default::default()
        });
        assert_eq!((sources.number(first), sources.number(second)), (1, 2));
    }
}
