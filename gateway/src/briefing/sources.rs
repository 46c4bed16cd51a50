//! Sources, numbered over the whole briefing, and what they let out.

use std::collections::HashMap;

use proto::culture::v1::{Programme, VisaRule};
use proto::events::v1::{Agreement, Event};
use proto::trade::v1::{Mirror, MirrorDirection, MirrorLine, Series, StatementCheck, ValueCheck};
use proto::r#type::v1::Source;

/// The sources of a briefing, in the order in which they are cited first.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    numbers: HashMap<Source, i32>,
    list: Vec<Source>,
}

impl Sources {
    /// The number of a source, from 1.
    pub(crate) fn number(&mut self, source: Source) -> i32 {
        let next = i32::try_from(self.list.len() + 1).unwrap_or(i32::MAX);
        *self.numbers.entry(source).or_insert_with_key(|source| {
            self.list.push(source.clone());
            next
        })
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
