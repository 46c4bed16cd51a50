//! Series: figures of one reporter, partner and goods in the order of time: a flow as published, the balance
//! or turnover of two, or months added up; with growth like for like.
//!
//! What a period has is made in `cells.rs`; here is the question, the growth from cell to cell, and the answer.

use std::cell::RefCell;

use prost::Message;
use proto::trade::v1 as wire;
use proto::{Classification, Country, Flow, Frequency, Month, Period, PeriodWindow, Slug};
use proto::{Violations, parse_dataset_name, parse_timestamp};
use store::{Micros, State};
use wire::{EmptyReason, GrowthGap, Measure, growth::Outcome};

use crate::absence::{MAX_NAMED, Wanted};
use crate::amount::Total;
use crate::cells::{Cell, Cells, Making};
use crate::error::Error;
use crate::goods::Asked;
use crate::growth;
use crate::reading::{Line, Reading, Times};
use crate::sources::{MAX_ANSWER, Sources};

/// The most points of one series: a hundred years of months.
const MAX_POINTS: usize = 1_200;

/// Which series.
#[derive(Debug)]
pub(crate) struct Query {
    dataset: Slug,
    reporter: Country,
    partner: Country,
    pub(crate) shown: Shown,
    goods: Asked,
    pub(crate) classification: Option<Classification>,
    pub(crate) convert: bool,
    frequency: Frequency,
    pub(crate) months: Option<MonthSpan>,
    pub(crate) window: PeriodWindow,
    as_of: Option<Micros>,
}

impl Query {
    pub(crate) fn line(&self, flow: Flow) -> Line {
        Line {
            reporter: self.reporter,
            partner: self.partner,
            flow,
        }
    }

    /// The keys of the window and of the year before it, which growth is measured against.
    pub(crate) fn times(&self) -> Times {
        let frequency = match self.months {
            Some(_) => Frequency::Month,
            None => self.frequency,
        };
        Times {
            start: self.window.start().and_then(|month| month.plus(-12)),
            ..Times::within(frequency, self.window)
        }
    }
}

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Flow(Flow),
    /// Exports − imports.
    Balance,
    /// Exports + imports.
    Turnover,
}

impl Shown {
    fn parse(flow: i32, measure: i32) -> Result<Shown, Violations> {
        let refused = |what: &str| Violations::one("flow", what);
        match Measure::try_from(measure) {
            Ok(Measure::Unspecified) => {
                let flow = Flow::from_wire(flow);
                flow.map(Shown::Flow).map_err(|e| refused(&e.to_string()))
            }
            Ok(Measure::Balance | Measure::Turnover) if flow != 0 => Err(refused(
                "a measure is made of exports and imports: leave it out, or leave out `measure`",
            )),
            Ok(Measure::Balance) => Ok(Shown::Balance),
            Ok(Measure::Turnover) => Ok(Shown::Turnover),
            Err(_) => Err(Violations::one(
                "measure",
                format!("{measure} is no measure"),
            )),
        }
    }

    fn measure(self) -> Measure {
        match self {
            Shown::Flow(_) => Measure::Unspecified,
            Shown::Balance => Measure::Balance,
            Shown::Turnover => Measure::Turnover,
        }
    }

    fn flows(self) -> Vec<Flow> {
        match self {
            Shown::Flow(flow) => vec![flow],
            Shown::Balance | Shown::Turnover => vec![Flow::Export, Flow::Import],
        }
    }
}

/// Months of every year.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MonthSpan {
    first: u8,
    last: u8,
}

impl MonthSpan {
    fn parse(span: wire::MonthSpan) -> Result<MonthSpan, Violations> {
        let wire::MonthSpan { first, last } = span;
        let month = |number: i32| u8::try_from(number).ok().filter(|m| (1..=12).contains(m));
        match (month(first), month(last)) {
            (Some(first), Some(last)) if first < last => Ok(MonthSpan { first, last }),
            (Some(_), Some(_)) => Err(Violations::one("last", "must be after `first`")),
            (None, _) => Err(Violations::one("first", "must be 1 to 12")),
            (_, None) => Err(Violations::one("last", "must be 1 to 12")),
        }
    }

    /// The months of a year as one period, if this month is among them.
    pub(crate) fn period_of(self, month: Month) -> Option<Period> {
        if !(self.first..=self.last).contains(&month.month()) {
            return None;
        }
        let bound = |at: u8| Month::new(month.year(), at);
        match (self.first, self.last) {
            (1, 12) => Period::year(month.year()),
            (first, last) => Period::cumulated(bound(first)?, bound(last)?),
        }
    }

    fn to_wire(self) -> wire::MonthSpan {
        wire::MonthSpan {
            first: self.first.into(),
            last: self.last.into(),
        }
    }
}

impl TryFrom<wire::GetSeriesRequest> for Query {
    type Error = Violations;

    fn try_from(request: wire::GetSeriesRequest) -> Result<Query, Violations> {
        let wire::GetSeriesRequest {
            parent,
            reporter,
            partner,
            flow,
            code,
            classification,
            frequency,
            window,
            as_of,
            measure,
            sector,
            months,
            convert,
        } = request;
        let mut violations = Violations::new();
        let window = window.map_or(Ok(PeriodWindow::ALL), PeriodWindow::try_from);
        let as_of = as_of.as_ref().map(parse_timestamp).transpose();
        let classification = (!classification.is_empty()).then(|| classification.parse());
        let dataset = violations.check("parent", parse_dataset_name(&parent));
        let reporter = violations.check("reporter", reporter.parse());
        let partner = violations.check("partner", partner.parse());
        let shown = violations.check_nested("", Shown::parse(flow, measure));
        let goods = Asked::parse(&mut violations, &code, &sector, None);
        let classification = violations.check("classification", classification.transpose());
        let frequency = violations.check("frequency", Frequency::from_wire(frequency));
        let months = violations.check_nested("months", months.map(MonthSpan::parse).transpose());
        let window = violations.check_nested("window", window);
        let as_of = violations.check("as_of", as_of);
        if let (Some(Some(_)), Some(frequency)) = (months, frequency)
            && frequency != Frequency::Cumulated
        {
            violations.push("months", "needs `frequency` FREQUENCY_CUMULATED");
        }
        if convert && classification == Some(None) {
            violations.push("classification", "is required to convert to");
        }
        if convert && !sector.is_empty() {
            violations.push("convert", "a sector is brought to every revision as it is");
        }
        let (Some(dataset), Some(reporter), Some(partner), Some(shown), Some(goods)) =
            (dataset, reporter, partner, shown, goods)
        else {
            return Err(violations);
        };
        let (Some(classification), Some(frequency), Some(months), Some(window), Some(as_of)) =
            (classification, frequency, months, window, as_of)
        else {
            return Err(violations);
        };
        violations.into_result(Query {
            dataset,
            reporter,
            partner,
            shown,
            goods,
            classification,
            convert,
            frequency,
            months,
            window,
            as_of,
        })
    }
}

/// A series with growth like for like.
pub(crate) fn get(state: &State<'_>, query: &Query) -> Result<wire::Series, Error> {
    let reading = Reading::open(state, &query.dataset, query.as_of)?;
    let goods = query.goods.goods(&reading)?;
    let making = Making {
        query,
        reading: &reading,
        goods: &goods,
        absences: RefCell::default(),
    };
    let cells = making.cells()?;
    let inside = |period: &&Period| query.window.contains(**period);
    if cells.keys().filter(inside).count() > MAX_POINTS {
        return Err(too_long().into());
    }
    let mut series = frame(query, &reading);
    let mut sources = Sources::default();
    for (period, of_period) in &cells {
        if let Some(cell) = of_period.first().filter(|_| query.window.contains(*period)) {
            note_break(&mut series, *period, cell);
            let base = base(*period, cell, &cells);
            let growth = growth(goods.is_total(), *period, cell, base);
            let mut point = point(&reading, &mut sources, *period, cell, growth)?;
            if let (Some(growth), Some(base)) = (&mut point.growth, base) {
                cite_base(&reading, &mut sources, growth, [cell, base])?;
            }
            series.points.push(point);
        }
    }
    if series.points.is_empty() {
        series.empty_reason = why_empty(query, &reading, &making)?.into();
    }
    series.sources = sources.into_list();
    if series.encoded_len() > MAX_ANSWER {
        return Err(too_long().into());
    }
    Ok(series)
}

fn too_long() -> Violations {
    let what =
        format!("the series has more than {MAX_POINTS} points or 3 MiB; ask for a part of it");
    Violations::one("window", what)
}

/// The series without its points.
fn frame(query: &Query, reading: &Reading<'_>) -> wire::Series {
    let valued = |flow| reading.record.valuation(flow);
    let (flow, valuation) = match query.shown {
        Shown::Flow(flow) => (flow.to_wire(), valued(flow)),
        Shown::Balance | Shown::Turnover => Default::default(),
    };
    let of_measure = |flow| match query.shown {
        Shown::Flow(_) => wire::Valuation::Unspecified,
        Shown::Balance | Shown::Turnover => valued(flow),
    };
    wire::Series {
        dataset: reading.name(),
        reporter: query.reporter.to_string(),
        partner: query.partner.to_string(),
        flow: flow.into(),
        code: query.goods.code(),
        currency_code: reading.record.currency_code.clone(),
        valuation: valuation.into(),
        points: Vec::new(),
        breaks: Vec::new(),
        empty_reason: EmptyReason::Unspecified.into(),
        sources: Vec::new(),
        measure: query.shown.measure().into(),
        sector: query.goods.sector(),
        months: query.months.map(MonthSpan::to_wire),
        export_valuation: of_measure(Flow::Export).into(),
        import_valuation: of_measure(Flow::Import).into(),
    }
}

/// Notes a change of classification since the last point.
fn note_break(series: &mut wire::Series, period: Period, cell: &Cell) {
    let after = cell.classification.to_string();
    if let Some(before) = series.points.last()
        && before.classification != after
    {
        series.breaks.push(wire::ClassificationBreak {
            period: period.to_string(),
            before: before.classification.clone(),
            after,
        });
    }
}

fn point(
    reading: &Reading<'_>,
    sources: &mut Sources,
    period: Period,
    cell: &Cell,
    growth: Option<wire::Growth>,
) -> Result<wire::SeriesPoint, store::Error> {
    let text = |total: Option<Total>| total.map(|t| t.to_string()).unwrap_or_default();
    let cited = sources.cite_all(reading, &cell.made_of.sources)?;
    Ok(wire::SeriesPoint {
        period: period.to_string(),
        value: text(cell.value),
        classification: cell.classification.to_string(),
        flags: cell.made_of.flags.to_wire(),
        growth,
        source: cited.first().copied().unwrap_or_default(),
        exports: text(cell.exports),
        imports: text(cell.imports),
        figures: i32::try_from(cell.made_of.figures).unwrap_or(i32::MAX),
        missing: cell.missing.clone(),
        conversion: cell
            .conversion
            .as_ref()
            .map(|converted| converted.of_figures()),
        sources: if cited.len() > 1 { cited } else { Vec::new() },
    })
}

/// The same months a year before: under the same classification, where there are any.
fn base<'a>(period: Period, cell: &Cell, cells: &'a Cells) -> Option<&'a Cell> {
    let bases = cells.get(&period.year_before()?)?;
    let kin = bases
        .iter()
        .find(|base| base.classification == cell.classification);
    kin.or(bases.first())
}

/// Cites what the base of a growth is known from, unless the figure is known from the same.
fn cite_base(
    reading: &Reading<'_>,
    sources: &mut Sources,
    growth: &mut wire::Growth,
    [cell, base]: [&Cell; 2],
) -> Result<(), store::Error> {
    let [own, of_base] = [cell, base].map(|cell| &cell.made_of.sources);
    let is_own = |source: u32| own.iter().any(|own| own == source);
    let is_ratio = matches!(growth.outcome, Some(Outcome::Ratio(_)));
    if is_ratio && !of_base.iter().all(is_own) {
        growth.base_sources = sources.cite_all(reading, of_base)?;
    }
    Ok(())
}

/// Growth over the same months a year before, in the same series, or why there is none.
fn growth(
    is_total: bool,
    period: Period,
    cell: &Cell,
    base: Option<&Cell>,
) -> Option<wire::Growth> {
    let base_period = period.year_before()?;
    let outcome = match (cell.side(), base.map(|base| (base, base.side()))) {
        (_, None) => Err(GrowthGap::BaseNotPublished),
        (Some(now), Some((base, Some(then)))) => {
            // What was brought to another revision as a whole is the same goods there.
            let converted = cell.conversion.is_some() || base.conversion.is_some();
            growth::ratio(is_total || converted, now, then)
        }
        (None, Some((base, _))) | (Some(_), Some((base, None))) => Err(lacking(cell, base)),
    };
    let missing = match outcome {
        Err(GrowthGap::MonthsMissing | GrowthGap::PartMissing) => {
            let of_base = base.map_or(&[][..], |base| &base.missing);
            let all = cell.missing.iter().chain(of_base);
            all.take(MAX_NAMED).cloned().collect()
        }
        Ok(_) | Err(_) => Vec::new(),
    };
    Some(wire::Growth {
        base_period: base_period.to_string(),
        outcome: Some(match outcome {
            Ok(ratio) => Outcome::Ratio(ratio),
            Err(gap) => Outcome::Gap(gap.into()),
        }),
        missing,
        base_sources: Vec::new(),
    })
}

/// What keeps a value, now or then, from being there.
fn lacking(cell: &Cell, base: &Cell) -> GrowthGap {
    let splits = |cell: &Cell| cell.conversion.as_ref().is_some_and(|c| !c.exact);
    if splits(cell) || splits(base) {
        GrowthGap::ClassificationDiffers
    } else if cell.is_of_two || base.is_of_two {
        GrowthGap::PartMissing
    } else {
        GrowthGap::MonthsMissing
    }
}

/// Why there is no point, of the first flow that has none.
fn why_empty(
    query: &Query,
    reading: &Reading<'_>,
    making: &Making<'_>,
) -> Result<EmptyReason, store::Error> {
    let wanted = Wanted {
        line: query.line(query.shown.flows()[0]),
        code: making.code(),
        level: making.code().level(),
        classification: query.classification.filter(|_| !query.convert),
        frequency: query.times().frequency,
        window: query.window,
    };
    wanted.why_absent(reading)
}
