//! A filter over figures, walked block by block.
//!
//! Blocks are sorted by reporter, partner, flow, part, frequency, period, classification. Where a filter
//! names one of these, the walk jumps to the next block that can match instead of passing over all in
//! between, and each piece of it looks at a bounded number of blocks.

use std::ops::ControlFlow;

use proto::Violations;
use proto::trade::v1 as wire;
use proto::{Classification, CodePattern, Country, Flow, Frequency, Month, PeriodWindow};
use store::{Micros, State};

use crate::block::Block;
use crate::figure::Figure;
use crate::keys::{BlockKey, Part, Place};
use crate::query::figures_as_of;
use crate::shelf;

/// Blocks and jumps that one piece of a walk may cost.
const MAX_STEPS: usize = 2_000;

/// Which figures; `None` is any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    reporter: Option<Country>,
    partner: Option<Country>,
    flow: Option<Flow>,
    classification: Option<Classification>,
    code: Option<CodePattern>,
    frequency: Option<Frequency>,
    window: Option<PeriodWindow>,
}

impl TryFrom<wire::ObservationFilter> for Filter {
    type Error = Violations;

    fn try_from(filter: wire::ObservationFilter) -> Result<Filter, Violations> {
        let wire::ObservationFilter {
            reporter,
            partner,
            flow,
            classification,
            code,
            frequency,
            window,
        } = filter;
        let mut violations = Violations::new();
        let window = window.map(PeriodWindow::try_from).transpose();
        let filter = Filter {
            reporter: optional(&mut violations, "reporter", &reporter),
            partner: optional(&mut violations, "partner", &partner),
            classification: optional(&mut violations, "classification", &classification),
            code: optional(&mut violations, "code", &code),
            window: violations.check_nested("window", window).flatten(),
            flow: number(&mut violations, "flow", flow, Flow::from_wire),
            frequency: number(
                &mut violations,
                "frequency",
                frequency,
                Frequency::from_wire,
            ),
        };
        violations.into_result(filter)
    }
}

fn optional<T>(violations: &mut Violations, field: &str, text: &str) -> Option<T>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    if text.is_empty() {
        return None;
    }
    violations.check(field, text.parse())
}

fn number<T, E: std::fmt::Display>(
    violations: &mut Violations,
    field: &str,
    number: i32,
    parse: impl Fn(i32) -> Result<T, E>,
) -> Option<T> {
    if number == 0 {
        return None;
    }
    violations.check(field, parse(number))
}

/// What the filter says of a block.
enum Step {
    Match,
    /// Not this one; the next that can match is at or after this key.
    Seek(Vec<u8>),
}

impl Filter {
    fn start(&self, dataset: u32) -> Vec<u8> {
        let place = Place::dataset(dataset);
        let Some(reporter) = self.reporter else {
            return place.start();
        };
        let place = place.reporter(reporter);
        let Some(partner) = self.partner else {
            return place.start();
        };
        place.partner(partner).start()
    }

    /// Compares a block with the filter, component by component in the order of its key.
    fn step(&self, key: &BlockKey) -> Step {
        let dataset = Place::dataset(key.dataset);
        let reporter = dataset.clone().reporter(key.reporter);
        if let Some(wanted) = self.reporter.filter(|wanted| *wanted != key.reporter) {
            return seek(
                key.reporter < wanted,
                &dataset.clone().reporter(wanted),
                &dataset,
            );
        }
        let partner = reporter.clone().partner(key.partner);
        if let Some(wanted) = self.partner.filter(|wanted| *wanted != key.partner) {
            return seek(
                key.partner < wanted,
                &reporter.clone().partner(wanted),
                &reporter,
            );
        }
        let flow = partner.clone().flow(key.flow);
        if let Some(wanted) = self.flow.filter(|wanted| *wanted != key.flow) {
            return seek(
                key.flow.id() < wanted.id(),
                &partner.clone().flow(wanted),
                &partner,
            );
        }
        let part = flow.clone().part(key.part);
        match self.next_part(key.part) {
            Some(next) if next == key.part => {}
            Some(next) => return Step::Seek(flow.part(next).start()),
            None => return Step::Seek(flow.end()),
        }
        let frequency = part.clone().frequency(key.period.frequency());
        if let Some(wanted) = self.frequency.filter(|f| *f != key.period.frequency()) {
            let before = key.period.frequency().id() < wanted.id();
            return seek(before, &part.clone().frequency(wanted), &part);
        }
        if let Some(start) = self.window_start().filter(|m| key.period.start() < *m) {
            return Step::Seek(frequency.month(start).start());
        }
        if self
            .window_end()
            .is_some_and(|end| key.period.start() >= end)
        {
            return Step::Seek(frequency.end());
        }
        let inside = self.window.is_none_or(|window| window.contains(key.period));
        let classified = self.classification.is_none_or(|c| c == key.classification);
        if inside && classified {
            return Step::Match;
        }
        Step::Seek([&key.block()[..], &[0]].concat())
    }

    /// The first part, from `part` on, that can hold codes that match.
    fn next_part(&self, part: Part) -> Option<Part> {
        let Some(pattern) = self.code else {
            return Some(part);
        };
        let parts = match (pattern.exact(), pattern.chapter()) {
            // A single code stands in one part only.
            (Some(code), _) => [Some(Part::of(code)), None],
            (None, Some(chapter)) => [Some(Part::CHAPTERS), Some(Part::within(chapter))],
            (None, None) => [Some(part), None],
        };
        parts.into_iter().flatten().find(|next| *next >= part)
    }

    fn wants(&self, figure: &Figure) -> bool {
        self.code.is_none_or(|code| code.matches(figure.code))
    }

    fn window_start(&self) -> Option<Month> {
        self.window.and_then(PeriodWindow::start)
    }

    fn window_end(&self) -> Option<Month> {
        self.window.and_then(PeriodWindow::end)
    }
}

/// To `wanted` when it is still ahead, else behind everything in `around`.
fn seek(ahead: bool, wanted: &Place, around: &Place) -> Step {
    Step::Seek(if ahead { wanted.start() } else { around.end() })
}

/// Where a walk goes on.
#[derive(Clone, Debug)]
pub(crate) struct Resume {
    /// The key of a block, which need not exist.
    pub(crate) key: Vec<u8>,
    /// How many of the matching figures of the block at this key were taken.
    pub(crate) skip: u32,
}

/// A walk over the figures of a dataset that match a filter, as of an instant.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    pub(crate) filter: &'a Filter,
    /// The dataset's number.
    pub(crate) dataset: u32,
    pub(crate) as_of: Micros,
}

impl Walk<'_> {
    /// Hands out figures from `from` on, until `take` breaks, to leave a figure and all after it to the next
    /// piece, or enough blocks were looked at. Where the walk goes on, if it did not come to its end.
    pub(crate) fn go(
        &self,
        state: &State<'_>,
        from: Option<Resume>,
        mut take: impl FnMut(&BlockKey, &Figure) -> Result<ControlFlow<()>, store::Error>,
    ) -> Result<Option<Resume>, store::Error> {
        let end = Place::dataset(self.dataset).end();
        let (mut from, mut skip) = match from {
            Some(Resume { key, skip }) => (key, skip),
            None => (self.filter.start(self.dataset), 0),
        };
        let mut steps = 0;
        'jumps: loop {
            for block in shelf::range(state, &from, &end) {
                let (key, value) = block?;
                let skip = std::mem::take(&mut skip);
                if steps == MAX_STEPS {
                    let key = key.block();
                    return Ok(Some(Resume { key, skip }));
                }
                steps += 1;
                match self.filter.step(&key) {
                    Step::Seek(next) => {
                        from = next;
                        continue 'jumps;
                    }
                    Step::Match => {}
                }
                let figures = Block::decode(&value)?;
                let figures = figures_as_of(state, &key, figures, Some(self.as_of))?;
                if let Some(skip) = self.hand_out(&key, &figures, skip, &mut take)? {
                    let key = key.block();
                    return Ok(Some(Resume { key, skip }));
                }
            }
            return Ok(None);
        }
    }

    /// Hands out a block's figures; how many were taken in all when `take` breaks before their end.
    fn hand_out(
        &self,
        key: &BlockKey,
        figures: &Block,
        skip: u32,
        take: &mut impl FnMut(&BlockKey, &Figure) -> Result<ControlFlow<()>, store::Error>,
    ) -> Result<Option<u32>, store::Error> {
        let matching = figures.figures().iter().filter(|f| self.filter.wants(f));
        for (taken, figure) in (0..).zip(matching).skip(skip as usize) {
            if take(key, figure)?.is_break() {
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }
}
