//! Where figures are read: one dataset as of an instant; and what of it: a line of figures, goods, a span of
//! time. Every question about figures is asked through this.

use proto::trade::v1 as wire;
use proto::{Classification, Code, Country, Flow, Frequency, Month, Period, PeriodWindow, Slug};
use proto::{Violations, dataset_name};
use store::{Micros, State};
use wire::PeriodBasis;

use crate::block::Block;
use crate::dataset::Record;
use crate::error::Error;
use crate::figure::Figure;
use crate::keys::{BlockKey, Part, Place};
use crate::query::{figure_as_of, figures_as_of};
use crate::shelf::{self, Stored};

/// A dataset as of an instant.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) state: &'a State<'a>,
    pub(crate) id: Slug,
    pub(crate) record: Record,
    /// `None` is now.
    pub(crate) as_of: Option<Micros>,
}

/// Whose figures, with whom, in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line {
    pub(crate) reporter: Country,
    pub(crate) partner: Country,
    pub(crate) flow: Flow,
}

/// A range of periods of one length, as keys have it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) frequency: Frequency,
    /// The first month in which a period may start.
    pub(crate) start: Option<Month>,
    /// The first in which none may start any more.
    pub(crate) end: Option<Month>,
}

impl Times {
    /// All periods of a length that may lie in a window.
    pub(crate) fn within(frequency: Frequency, window: PeriodWindow) -> Times {
        Times {
            frequency,
            start: window.start(),
            end: window.end(),
        }
    }
}

/// One period's figure, with the classification under which it was published.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) period: Period,
    pub(crate) classification: Classification,
    pub(crate) figure: Figure,
}

/// Which of several classifications stands for a period: the newest revision of the Harmonized System, where
/// there is one, else the last in their order.
pub(crate) fn standing(classification: Classification) -> (bool, Classification) {
    (classification.is_hs(), classification)
}

impl<'a> Reading<'a> {
    /// Opens a dataset.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it does not exist, or did not yet.
    pub(crate) fn open(
        state: &'a State<'a>,
        id: &Slug,
        as_of: Option<Micros>,
    ) -> Result<Reading<'a>, Error> {
        Ok(Reading {
            state,
            id: id.clone(),
            record: Record::find(state, id, as_of)?,
            as_of,
        })
    }

    /// Whether there is any figure of a reporter with a partner, whenever it was recorded.
    pub(crate) fn covers(&self, reporter: Country, partner: Country) -> bool {
        let place = Place::dataset(self.record.number);
        self.has_any(&place.reporter(reporter).partner(partner))
    }

    /// `datasets/{dataset}`.
    pub(crate) fn name(&self) -> String {
        dataset_name(&self.id)
    }

    /// The same dataset as it is now.
    pub(crate) fn now(&self) -> Reading<'a> {
        Reading {
            state: self.state,
            id: self.id.clone(),
            record: self.record.clone(),
            as_of: None,
        }
    }

    /// The blocks of a part in a range of time, with their keys, in the order of time.
    pub(crate) fn blocks(
        &self,
        line: Line,
        part: Part,
        times: Times,
    ) -> impl Iterator<Item = Result<(BlockKey, Stored), store::Error>> + use<'_, 'a> {
        let place = self.place(line).part(part).frequency(times.frequency);
        let start = times
            .start
            .map_or_else(|| place.start(), |month| place.clone().month(month).start());
        let end = times
            .end
            .map_or_else(|| place.end(), |month| place.clone().month(month).start());
        shelf::range(self.state, &start, &end)
    }

    /// The blocks at a place, with their keys.
    pub(crate) fn blocks_at(
        &self,
        place: &Place,
    ) -> impl Iterator<Item = Result<(BlockKey, Stored), store::Error>> + use<'_, 'a> {
        shelf::range(self.state, &place.start(), &place.end())
    }

    /// The figures of one code in a range of time; of a period that was published under several
    /// classifications, each.
    pub(crate) fn points(
        &self,
        line: Line,
        code: Code,
        times: Times,
    ) -> impl Iterator<Item = Result<Point, store::Error>> + use<'_, 'a> {
        let point = move |block: Result<(BlockKey, Stored), store::Error>| {
            let (key, value) = block?;
            let figure = figure_as_of(self.state, &key, &value, code, self.as_of)?;
            Ok(figure.map(|figure| Point {
                period: key.period,
                classification: key.classification,
                figure,
            }))
        };
        let blocks = self.blocks(line, Part::of(code), times);
        blocks.filter_map(move |block| point(block).transpose())
    }

    /// All figures of a block as of this reading's instant.
    pub(crate) fn figures(&self, key: &BlockKey, value: &[u8]) -> Result<Block, store::Error> {
        figures_as_of(self.state, key, Block::decode(value)?, self.as_of)
    }

    /// The partners of a reporter of whom there is any figure, now or ever.
    pub(crate) fn partners(
        &self,
        reporter: Country,
    ) -> impl Iterator<Item = Result<Country, store::Error>> + use<'_, 'a> {
        let reporter = Place::dataset(self.record.number).reporter(reporter);
        let partner = |key: &BlockKey| key.partner;
        self.leaps(reporter.clone(), partner, move |partner| {
            reporter.clone().partner(partner)
        })
    }

    /// The reporters of whom there is any figure, now or ever.
    pub(crate) fn reporters(
        &self,
    ) -> impl Iterator<Item = Result<Country, store::Error>> + use<'_, 'a> {
        let dataset = Place::dataset(self.record.number);
        let reporter = |key: &BlockKey| key.reporter;
        self.leaps(dataset.clone(), reporter, move |reporter| {
            dataset.clone().reporter(reporter)
        })
    }

    /// The parts of a line of which there is any figure, now or ever.
    pub(crate) fn parts(
        &self,
        line: Line,
    ) -> impl Iterator<Item = Result<Part, store::Error>> + use<'_, 'a> {
        let line = self.place(line);
        let part = |key: &BlockKey| key.part;
        self.leaps(line.clone(), part, move |part| line.clone().part(part))
    }

    /// The distinct values of one component of the keys in `all`: each found by one look behind all that
    /// starts with the one before.
    fn leaps<T, F, P>(
        &self,
        all: Place,
        component: F,
        place: P,
    ) -> impl Iterator<Item = Result<T, store::Error>> + use<'_, 'a, T, F, P>
    where
        T: Copy,
        F: Fn(&BlockKey) -> T,
        P: Fn(T) -> Place,
    {
        let mut from = all.start();
        std::iter::from_fn(move || {
            let next = shelf::range(self.state, &from, &all.end()).next()?;
            Some(next.map(|(key, _)| {
                let found = component(&key);
                from = place(found).end();
                found
            }))
        })
    }

    /// Whether there is any block at a place.
    pub(crate) fn has_any(&self, place: &Place) -> bool {
        shelf::range(self.state, &place.start(), &place.end())
            .next()
            .is_some()
    }

    pub(crate) fn place(&self, line: Line) -> Place {
        Place::dataset(self.record.number)
            .reporter(line.reporter)
            .partner(line.partner)
            .flow(line.flow)
    }
}

/// A period, and what a figure of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) period: Period,
    /// Its months are added up; else the figure is the one that was published for it as a whole.
    pub(crate) sums_months: bool,
}

impl Span {
    /// Parses a question's `period` and `basis`.
    pub(crate) fn parse(violations: &mut Violations, period: &str, basis: i32) -> Option<Span> {
        let period = violations.check("period", period.parse::<Period>());
        let known = PeriodBasis::try_from(basis).map_err(|_| format!("{basis} is no basis"));
        let basis = violations.check("basis", known);
        let span = Span {
            period: period?,
            sums_months: basis? == PeriodBasis::SumOfMonths,
        };
        Some(span)
    }

    pub(crate) fn basis(self) -> PeriodBasis {
        if self.sums_months {
            PeriodBasis::SumOfMonths
        } else {
            PeriodBasis::Published
        }
    }

    /// The same months a year before.
    pub(crate) fn year_before(self) -> Option<Span> {
        let period = self.period.year_before()?;
        Some(Span { period, ..self })
    }

    pub(crate) fn frequency(self) -> Frequency {
        if self.sums_months {
            Frequency::Month
        } else {
            self.period.frequency()
        }
    }

    /// The keys among which its figures stand.
    pub(crate) fn times(self) -> Times {
        let start = self.period.start();
        let end = if self.sums_months {
            Some(self.period.end())
        } else {
            start.plus(1)
        };
        Times {
            frequency: self.frequency(),
            start: Some(start),
            end,
        }
    }

    /// Whether a figure of this period, found among [`Span::times`], is one of its own.
    pub(crate) fn takes(self, period: Period) -> bool {
        self.sums_months || period == self.period
    }

    /// Whether a period is one of its own, wherever it was found.
    pub(crate) fn holds(self, period: Period) -> bool {
        let Times { start, end, .. } = self.times();
        let first = period.start();
        self.takes(period)
            && start.is_none_or(|start| start <= first)
            && end.is_none_or(|end| first < end)
    }

    /// The periods of which it needs a figure.
    pub(crate) fn periods(self) -> Vec<Period> {
        if !self.sums_months {
            return vec![self.period];
        }
        let start = self.period.start();
        let months = (0..i32::try_from(self.period.months()).unwrap_or_default())
            .filter_map(|month| start.plus(month));
        months
            .filter_map(|month| Period::month(month.year(), month.month()))
            .collect()
    }
}

/// A span, and the one a year before: what is asked about both is read in one pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Years {
    pub(crate) now: Span,
    pub(crate) before: Option<Span>,
}

impl Years {
    pub(crate) fn of(now: Span) -> Years {
        Years {
            now,
            before: now.year_before(),
        }
    }

    /// The keys among which the figures of both stand.
    pub(crate) fn times(self) -> Times {
        let earlier = self.before.unwrap_or(self.now);
        Times {
            start: earlier.times().start,
            ..self.now.times()
        }
    }

    /// Which of the two a period is of, and among whose keys it stands.
    pub(crate) fn year_of(self, period: Period) -> Option<Year> {
        if self.now.holds(period) {
            Some(Year::Now)
        } else if self.before.is_some_and(|before| before.holds(period)) {
            Some(Year::Before)
        } else {
            None
        }
    }
}

/// One of [`Years`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Year {
    Now,
    Before,
}
