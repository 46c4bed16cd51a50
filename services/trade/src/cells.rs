//! What each period of a series has: a flow's figures, months added up, two flows put together.
//!
//! Every kind of series passes the same way: the [`amounts`] of each flow by period and classification,
//! brought to another classification or added up over months where that is asked for, then the two flows of a
//! measure put together.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proto::{Classification, Code, Flow, Period};
use wire::MissingFigure;

use proto::trade::v1 as wire;

use crate::absence::Absences;
use crate::amount::{Amount, Total};
use crate::convert::Converted;
use crate::goods::{Amounts, Goods, amounts};
use crate::growth::Side;
use crate::reading::{Line, Reading, Span, standing};
use crate::series::{MonthSpan, Query, Shown};

/// What one period has under one classification.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) classification: Classification,
    /// Its value; `None` when a part is missing, or would have to be split.
    pub(crate) value: Option<Total>,
    /// All that it is made of; what that adds up to is not used.
    pub(crate) made_of: Amount,
    pub(crate) exports: Option<Total>,
    pub(crate) imports: Option<Total>,
    /// Whether it is made of exports and imports.
    pub(crate) is_of_two: bool,
    pub(crate) missing: Vec<MissingFigure>,
    pub(crate) conversion: Option<Arc<Converted>>,
}

impl Cell {
    fn of(
        classification: Classification,
        amount: Amount,
        conversion: Option<Arc<Converted>>,
    ) -> Cell {
        let splits = conversion
            .as_ref()
            .is_some_and(|converted| !converted.exact);
        Cell {
            classification,
            value: Some(amount.value).filter(|_| !splits),
            made_of: amount,
            exports: None,
            imports: None,
            is_of_two: false,
            missing: Vec::new(),
            conversion,
        }
    }

    /// Its value as a growth takes it.
    pub(crate) fn side(&self) -> Option<Side> {
        Some(Side {
            value: self.value?,
            flags: self.made_of.flags,
            classification: self.classification,
        })
    }
}

/// The cells of each period, one a classification, the one that stands for the period first.
pub(crate) type Cells = BTreeMap<Period, Vec<Cell>>;

fn by_period(amounts: Amounts) -> Cells {
    let mut cells = Cells::new();
    for ((period, classification), (amount, conversion)) in amounts {
        let of_period: &mut Vec<Cell> = cells.entry(period).or_default();
        of_period.push(Cell::of(classification, amount, conversion));
        of_period.sort_by_key(|cell| Reverse(standing(cell.classification)));
    }
    cells
}

/// The cells of a series as they are made.
pub(crate) struct Making<'a> {
    pub(crate) query: &'a Query,
    pub(crate) reading: &'a Reading<'a>,
    pub(crate) goods: &'a Goods,
    pub(crate) absences: RefCell<Absences>,
}

impl Making<'_> {
    pub(crate) fn cells(&self) -> Result<Cells, store::Error> {
        match self.query.shown {
            Shown::Flow(flow) => self.of_flow(flow),
            Shown::Balance => self.of_both(|exports, imports| exports - imports),
            Shown::Turnover => self.of_both(|exports, imports| exports + imports),
        }
    }

    /// The code to name where something is missing.
    pub(crate) fn code(&self) -> Code {
        match self.goods {
            Goods::Code(code) => *code,
            Goods::Group { codes, .. } => codes.first().copied().unwrap_or(Code::TOTAL),
        }
    }

    fn missing(
        &self,
        line: Line,
        under: Option<Classification>,
        periods: &[Period],
    ) -> Result<Vec<MissingFigure>, store::Error> {
        let mut absences = self.absences.borrow_mut();
        absences.missing(self.reading, line, self.code(), under, periods)
    }

    fn of_flow(&self, flow: Flow) -> Result<Cells, store::Error> {
        let line = self.query.line(flow);
        let mut found = amounts(self.reading, line, self.goods, self.query.times())?;
        match (self.query.classification, self.goods) {
            (Some(asked), Goods::Code(code)) if self.query.convert && !code.is_total() => {
                found = self.converted(line, *code, asked)?;
            }
            (Some(asked), _) if !self.query.convert => {
                found.retain(|(_, classification), _| *classification == asked);
            }
            (Some(_) | None, _) => {}
        }
        match self.query.months {
            Some(span) => self.add_up(line, span, found),
            None => Ok(by_period(found)),
        }
    }

    /// Figures of a code of one classification, where need be from what it is in another: of a period that
    /// was published under several, from the one asked for, else from the one that stands.
    fn converted(
        &self,
        line: Line,
        code: Code,
        asked: Classification,
    ) -> Result<Amounts, store::Error> {
        let goods = Goods::Group {
            classification: asked,
            codes: vec![code],
        };
        let found = amounts(self.reading, line, &goods, self.query.times())?;
        let preference = |from: Classification| (from == asked, standing(from));
        let mut best: BTreeMap<Period, Classification> = BTreeMap::new();
        for (period, from) in found.keys() {
            let of_period = best.entry(*period).or_insert(*from);
            if preference(*from) > preference(*of_period) {
                *of_period = *from;
            }
        }
        let chosen = found.into_iter();
        let chosen = chosen.filter(|((period, from), _)| best.get(period) == Some(from));
        Ok(chosen
            .map(|((period, _), amount)| ((period, asked), amount))
            .collect())
    }

    /// Adds up the months of each year; a year that lacks one has no value.
    fn add_up(&self, line: Line, span: MonthSpan, months: Amounts) -> Result<Cells, store::Error> {
        let mut years: BTreeMap<Period, BTreeMap<Period, Cell>> = BTreeMap::new();
        for (month, of_month) in by_period(months) {
            if let Some(period) = span.period_of(month.start())
                && let Some(cell) = of_month.into_iter().next()
            {
                years.entry(period).or_default().insert(month, cell);
            }
        }
        let sum = |(period, months)| Ok((period, vec![self.sum_of(line, period, months)?]));
        years.into_iter().map(sum).collect()
    }

    fn sum_of(
        &self,
        line: Line,
        period: Period,
        mut months: BTreeMap<Period, Cell>,
    ) -> Result<Cell, store::Error> {
        let newest = months.values().map(|cell| cell.classification);
        let newest = newest
            .max_by_key(|c| standing(*c))
            .unwrap_or(Classification::Na);
        months.retain(|_, cell| self.goods.counts_the_same(cell.classification, newest));
        let mut lacking = Span {
            period,
            sums_months: true,
        }
        .periods();
        lacking.retain(|month| !months.contains_key(month));
        let mut sum = Cell::of(newest, Amount::default(), None);
        for cell in months.into_values() {
            sum.value = sum.value.zip(cell.value).map(|(sum, value)| sum + value);
            sum.made_of.take_in(&cell.made_of);
            sum.conversion = cell.conversion.or(sum.conversion.take());
        }
        if !lacking.is_empty() {
            sum.value = None;
            let under = self.looked_for_under(newest);
            sum.missing = self.missing(line, under, &lacking)?;
        }
        Ok(sum)
    }

    /// Exports and imports put together, period by period.
    fn of_both(&self, value: impl Fn(Total, Total) -> Total) -> Result<Cells, store::Error> {
        let exports = self.of_flow(Flow::Export)?;
        let imports = self.of_flow(Flow::Import)?;
        let periods: BTreeSet<Period> = exports.keys().chain(imports.keys()).copied().collect();
        let mut cells = Cells::new();
        for period in periods {
            let x = exports.get(&period).map_or(&[][..], Vec::as_slice);
            let m = imports.get(&period).map_or(&[][..], Vec::as_slice);
            let cell = match (x.first(), m.first()) {
                (Some(first_x), Some(first_m)) => {
                    let (x, m) = self.pair(x, m).unwrap_or((first_x, first_m));
                    self.put_together(period, x, m, &value)?
                }
                (Some(exports), None) => {
                    let lacking = self.lacking(Flow::Import, period, exports.classification)?;
                    half(exports, exports.value, None, &lacking)
                }
                (None, Some(imports)) => {
                    let lacking = self.lacking(Flow::Export, period, imports.classification)?;
                    half(imports, None, imports.value, &lacking)
                }
                (None, None) => continue,
            };
            cells.insert(period, vec![cell]);
        }
        Ok(cells)
    }

    /// The first two that count the same goods.
    fn pair<'c>(&self, exports: &'c [Cell], imports: &'c [Cell]) -> Option<(&'c Cell, &'c Cell)> {
        let pairs = exports
            .iter()
            .flat_map(|x| imports.iter().map(move |m| (x, m)));
        let mut pairs = pairs.into_iter();
        pairs.find(|(x, m)| {
            self.goods
                .counts_the_same(x.classification, m.classification)
        })
    }

    /// One value of two; where they are of different goods there is none, and imports of the exports' goods
    /// are missing.
    fn put_together(
        &self,
        period: Period,
        x: &Cell,
        m: &Cell,
        value: impl Fn(Total, Total) -> Total,
    ) -> Result<Cell, store::Error> {
        let same = self
            .goods
            .counts_the_same(x.classification, m.classification);
        let both = x.value.zip(m.value).filter(|_| same);
        let mut cell = if same {
            half(x, x.value, m.value, &m.missing)
        } else {
            let lacking = self.lacking(Flow::Import, period, x.classification)?;
            half(x, x.value, m.value, &lacking)
        };
        cell.value = both.map(|(x, m)| value(x, m));
        cell.made_of.take_in(&m.made_of);
        Ok(cell)
    }

    /// The figures of a flow that the other flow's of a period would need.
    fn lacking(
        &self,
        flow: Flow,
        period: Period,
        other: Classification,
    ) -> Result<Vec<MissingFigure>, store::Error> {
        let span = Span {
            period,
            sums_months: self.query.months.is_some(),
        };
        let (line, under) = (self.query.line(flow), self.looked_for_under(other));
        self.missing(line, under, &span.periods())
    }

    /// The classification in which a figure is missed that others, of `found`, would need: a code stands for
    /// other goods in any other, totals are of the same in all that are kin.
    fn looked_for_under(&self, found: Classification) -> Option<Classification> {
        match self.goods {
            Goods::Code(code) if !code.is_total() => Some(found),
            Goods::Code(_) => self.query.classification,
            Goods::Group { .. } => None,
        }
    }
}

/// A cell of two flows that has no value yet.
fn half(
    made_of: &Cell,
    exports: Option<Total>,
    imports: Option<Total>,
    missing: &[MissingFigure],
) -> Cell {
    Cell {
        value: None,
        exports,
        imports,
        is_of_two: true,
        missing: [&made_of.missing[..], missing].concat(),
        ..made_of.clone()
    }
}
