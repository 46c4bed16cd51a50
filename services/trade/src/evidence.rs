//! What one side published about a statement's subject: the figure of a time as published, else the sum of what
//! it is made of; and those of longer and shorter times.

use proto::trade::v1 as wire;
use proto::{Code, Commodity, Country, Flow, Frequency, ObservationKey, Period, PeriodWindow};
use wire::{EmptyReason, MissingFigure, ObservationFlag, StatedMeasure};

use crate::absence::{Wanted, missing_figure};
use crate::amount::Total;
use crate::figure::{Figure, Flags};
use crate::reading::{Line, Point, Reading, Span, Times, standing};

/// The figures of one side that a statement is about.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) reading: &'a Reading<'a>,
    pub(crate) reporter: Country,
    pub(crate) partners: &'a [Country],
    pub(crate) measure: StatedMeasure,
}

/// An observed value, and the published figures that it is computed from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed<'a> {
    pub(crate) value: Total,
    pub(crate) terms: Vec<Observation<'a>>,
}

/// One published figure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observation<'a> {
    /// The dataset in which it stands.
    pub(crate) reading: &'a Reading<'a>,
    pub(crate) key: ObservationKey,
    pub(crate) figure: Figure,
    pub(crate) sign: i32,
}

impl<'a> Observed<'a> {
    fn of(reading: &'a Reading<'a>, line: Line, point: Point) -> Observed<'a> {
        let key = ObservationKey {
            reporter: line.reporter,
            partner: line.partner,
            flow: line.flow,
            commodity: Commodity {
                classification: point.classification,
                code: Code::TOTAL,
            },
            period: point.period,
        };
        Observed {
            value: point.figure.value.into(),
            terms: vec![Observation {
                reading,
                key,
                figure: point.figure,
                sign: 1,
            }],
        }
    }

    fn and(mut self, other: Observed<'a>) -> Observed<'a> {
        self.value += other.value;
        self.terms.extend(other.terms);
        self
    }

    pub(crate) fn less(mut self, other: Observed<'a>) -> Observed<'a> {
        self.value = self.value - other.value;
        self.terms
            .extend(other.terms.into_iter().map(|term| Observation {
                sign: -term.sign,
                ..term
            }));
        self
    }

    pub(crate) fn flags(&self) -> Flags {
        let flags = self.terms.iter().map(|term| term.figure.flags);
        flags.fold(Flags::default(), Flags::and)
    }
}

/// Whether a figure says more than the statement does.
fn is_evidence(figure: &Figure) -> bool {
    !figure.flags.contains(ObservationFlag::Implied)
        && !figure.flags.contains(ObservationFlag::Unverified)
}

/// What was looked for, or what is missing.
pub(crate) type Sought<'a> = Result<Observed<'a>, Vec<MissingFigure>>;

/// All of several, added up, or all that is missing of any.
fn all<'a>(
    parts: impl Iterator<Item = Result<Sought<'a>, store::Error>>,
) -> Result<Sought<'a>, store::Error> {
    let mut sum = Observed::default();
    let mut lacking = Vec::new();
    for part in parts {
        match part? {
            Ok(observed) => sum = sum.and(observed),
            Err(missing) => lacking.extend(missing),
        }
    }
    Ok(if lacking.is_empty() {
        Ok(sum)
    } else {
        Err(lacking)
    })
}

impl<'a> Side<'a> {
    fn flows(&self) -> &'static [Flow] {
        match self.measure {
            StatedMeasure::Exports | StatedMeasure::MirrorGap => &[Flow::Export],
            StatedMeasure::Imports => &[Flow::Import],
            StatedMeasure::Turnover | StatedMeasure::Unspecified => &[Flow::TotalTrade],
        }
    }

    fn line(&self, partner: Country, flow: Flow) -> Line {
        Line {
            reporter: self.reporter,
            partner,
            flow,
        }
    }

    /// The figure of a period with all partners.
    pub(crate) fn observe(&self, period: Period) -> Result<Sought<'a>, store::Error> {
        all(self.partners.iter().map(|partner| match self.measure {
            StatedMeasure::Turnover | StatedMeasure::Unspecified => self.turnover(*partner, period),
            StatedMeasure::Exports | StatedMeasure::MirrorGap => {
                self.flow(self.line(*partner, Flow::Export), period)
            }
            StatedMeasure::Imports => self.flow(self.line(*partner, Flow::Import), period),
        }))
    }

    /// As the side states it, else its exports + imports.
    fn turnover(&self, partner: Country, period: Period) -> Result<Sought<'a>, store::Error> {
        let stated = self.flow(self.line(partner, Flow::TotalTrade), period)?;
        let Err(missing) = stated else {
            return Ok(stated);
        };
        let flows = [Flow::Export, Flow::Import];
        let parts = flows.map(|flow| self.flow(self.line(partner, flow), period));
        let both = all(parts.into_iter())?;
        Ok(both.map_err(|_| missing))
    }

    /// As published for the period, else the sum of its months.
    fn flow(&self, line: Line, period: Period) -> Result<Sought<'a>, store::Error> {
        if let Some(observed) = self.published(line, period)? {
            return Ok(Ok(observed));
        }
        let lacking = || -> Result<Sought<'a>, store::Error> {
            let reason = Wanted::of_period(line, Code::TOTAL, period).why_absent(self.reading)?;
            Ok(Err(vec![self.missing(line, period, reason)]))
        };
        if period.frequency() == Frequency::Month {
            return lacking();
        }
        let span = Span {
            period,
            sums_months: true,
        };
        let mut sum = Observed::default();
        for month in span.periods() {
            match self.published(line, month)? {
                Some(observed) => sum = sum.and(observed),
                None => return lacking(),
            }
        }
        Ok(Ok(sum))
    }

    fn published(&self, line: Line, period: Period) -> Result<Option<Observed<'a>>, store::Error> {
        let span = Span {
            period,
            sums_months: false,
        };
        let mut best: Option<Point> = None;
        for point in self.reading.points(line, Code::TOTAL, span.times()) {
            let point = point?;
            let newer = best
                .is_none_or(|best| standing(point.classification) > standing(best.classification));
            if point.period == period && newer && is_evidence(&point.figure) {
                best = Some(point);
            }
        }
        Ok(best.map(|point| Observed::of(self.reading, line, point)))
    }

    fn missing(&self, line: Line, period: Period, reason: EmptyReason) -> MissingFigure {
        missing_figure(self.reading, line, Code::TOTAL, period, reason)
    }

    /// Published figures of times that hold `period`, or that it holds.
    pub(crate) fn around(&self, period: Period) -> Result<Vec<(bool, Observed<'a>)>, store::Error> {
        let [partner] = self.partners else {
            return Ok(Vec::new());
        };
        let mut around = Vec::new();
        for flow in self.flows() {
            let line = self.line(*partner, *flow);
            for frequency in [Frequency::Year, Frequency::Cumulated, Frequency::Month] {
                let times = Times::within(frequency, PeriodWindow::ALL);
                for point in self.reading.points(line, Code::TOTAL, times) {
                    let point = point?;
                    let other = point.period;
                    let contains = other.start() <= period.start() && period.end() <= other.end();
                    let within = period.start() <= other.start() && other.end() <= period.end();
                    if (contains != within) && is_evidence(&point.figure) {
                        around.push((contains, Observed::of(self.reading, line, point)));
                    }
                }
            }
        }
        Ok(around)
    }
}
