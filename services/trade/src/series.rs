//! Series: the published figures of one reporter, partner, flow and commodity in the order of time.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use prost::Message;
use proto::trade::v1 as wire;
use proto::r#type::v1::Source as WireSource;
use proto::{Classification, Code, Country, Flow, Frequency, Month, Period, PeriodWindow, Slug};
use proto::{Decimal, Violations, dataset_name, parse_dataset_name, parse_timestamp};
use store::{Micros, State, Value};
use wire::{EmptyReason, GrowthGap, ObservationFlag, growth::Outcome};

use crate::block::Block;
use crate::dataset::Record;
use crate::error::Error;
use crate::figure::Figure;
use crate::keys::{BlockKey, Part, Place};
use crate::query::{figure_as_of, source};

/// The most points of one series: a hundred years of months.
const MAX_POINTS: usize = 1_200;
/// The most bytes of one series: a client takes 4 MiB if nobody told it otherwise.
const MAX_BYTES: usize = 3 << 20;
/// Blocks that may be looked at to say why a series is empty.
const MAX_SEARCHED: usize = 4_000;

/// Which series.
#[derive(Debug)]
pub(crate) struct Query {
    dataset: Slug,
    reporter: Country,
    partner: Country,
    flow: Flow,
    code: Code,
    classification: Option<Classification>,
    frequency: Frequency,
    window: PeriodWindow,
    as_of: Option<Micros>,
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
        } = request;
        let mut violations = Violations::new();
        let window = window.map_or(Ok(PeriodWindow::ALL), PeriodWindow::try_from);
        let as_of = as_of.as_ref().map(parse_timestamp).transpose();
        let classification = (!classification.is_empty()).then(|| classification.parse());
        let dataset = violations.check("parent", parse_dataset_name(&parent));
        let reporter = violations.check("reporter", reporter.parse());
        let partner = violations.check("partner", partner.parse());
        let flow = violations.check("flow", Flow::from_wire(flow));
        let code = violations.check("code", code.parse());
        let classification = violations.check("classification", classification.transpose());
        let frequency = violations.check("frequency", Frequency::from_wire(frequency));
        let window = violations.check_nested("window", window);
        let as_of = violations.check("as_of", as_of);
        let (Some(dataset), Some(reporter), Some(partner), Some(flow)) =
            (dataset, reporter, partner, flow)
        else {
            return Err(violations);
        };
        let (Some(code), Some(classification), Some(frequency), Some(window), Some(as_of)) =
            (code, classification, frequency, window, as_of)
        else {
            return Err(violations);
        };
        Ok(Query {
            dataset,
            reporter,
            partner,
            flow,
            code,
            classification,
            frequency,
            window,
            as_of,
        })
    }
}

/// One period's figure, with the classification under which it was published.
#[derive(Clone, Copy, Debug)]
struct Point {
    classification: Classification,
    figure: Figure,
}

impl Point {
    /// Which of a period's figures stands for it: that of the newest revision of the Harmonized System,
    /// where there is one.
    fn rank(&self) -> (bool, Classification) {
        (self.classification.is_hs(), self.classification)
    }
}

/// The figures of each period, one a classification, the one that stands for the period first.
type Points = BTreeMap<Period, Vec<Point>>;

impl Query {
    fn places(&self, dataset: u32) -> [Place; 6] {
        let dataset = Place::dataset(dataset);
        let reporter = dataset.clone().reporter(self.reporter);
        let partner = reporter.clone().partner(self.partner);
        let flow = partner.clone().flow(self.flow);
        let part = flow.clone().part(Part::of(self.code));
        let frequency = part.clone().frequency(self.frequency);
        [dataset, reporter, partner, flow, part, frequency]
    }

    /// The figures of the window and of the year before it, which growth is measured against; of a period
    /// that was published under several classifications, each.
    fn figures<'a>(
        &'a self,
        state: &'a State<'_>,
        dataset: u32,
        as_of: Option<Micros>,
    ) -> impl Iterator<Item = Result<(Period, Point), store::Error>> {
        let [.., frequency] = self.places(dataset);
        let year_before = |month: Month| month.plus(-12);
        let start = match self.window.start().and_then(year_before) {
            Some(month) => frequency.clone().month(month).start(),
            None => frequency.start(),
        };
        let end = match self.window.end() {
            Some(month) => frequency.month(month).start(),
            None => frequency.end(),
        };
        let figure = move |block: Result<(Value, Value), store::Error>| {
            let (key, value) = block?;
            let Some(key) = BlockKey::parse(&key).filter(|key| self.wants(key)) else {
                return Ok(None);
            };
            let figure = figure_as_of(state, &key, &value, self.code, as_of)?;
            let point = |figure| Point {
                classification: key.classification,
                figure,
            };
            Ok(figure.map(|figure| (key.period, point(figure))))
        };
        let blocks = state.range(&start, &end);
        blocks.filter_map(move |block| figure(block).transpose())
    }

    /// The figures by period, the one that stands for the period first.
    fn collect(
        &self,
        state: &State<'_>,
        dataset: u32,
        as_of: Option<Micros>,
    ) -> Result<Points, Error> {
        let mut points = Points::new();
        let mut inside = 0;
        for figure in self.figures(state, dataset, as_of) {
            let (period, point) = figure?;
            let of_period = points.entry(period).or_default();
            inside += usize::from(of_period.is_empty() && self.window.contains(period));
            of_period.push(point);
            of_period.sort_by_key(|point| Reverse(point.rank()));
            if inside > MAX_POINTS {
                return Err(too_long().into());
            }
        }
        Ok(points)
    }

    fn wants(&self, key: &BlockKey) -> bool {
        let asked = self.classification;
        asked.is_none_or(|classification| classification == key.classification)
    }

    /// Why there is no point: the first thing that the dataset does not have.
    fn why_empty(
        &self,
        state: &State<'_>,
        dataset: u32,
        as_of: Option<Micros>,
    ) -> Result<EmptyReason, Error> {
        if as_of.is_some() && self.has_points(state, dataset)? {
            return Ok(EmptyReason::NotYetRecorded);
        }
        let [_, reporter, partner, flow, part, frequency] = self.places(dataset);
        let reasons = [
            (reporter, EmptyReason::ReporterNotCovered),
            (partner, EmptyReason::PartnerNotCovered),
            (flow, EmptyReason::FlowNotCovered),
            (part.clone(), EmptyReason::CommodityNotCovered),
        ];
        for (place, reason) in reasons {
            if state.range(&place.start(), &place.end()).next().is_none() {
                return Ok(reason);
            }
        }
        if !self.has_code(state, &part)? {
            return Ok(EmptyReason::CommodityNotCovered);
        }
        if !self.has_code(state, &frequency)? {
            return Ok(EmptyReason::FrequencyNotCovered);
        }
        Ok(EmptyReason::PeriodNotCovered)
    }

    fn has_points(&self, state: &State<'_>, dataset: u32) -> Result<bool, Error> {
        for figure in self.figures(state, dataset, None) {
            if self.window.contains(figure?.0) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_code(&self, state: &State<'_>, place: &Place) -> Result<bool, Error> {
        let blocks = state.range(&place.start(), &place.end());
        for block in blocks.take(MAX_SEARCHED) {
            let (key, value) = block?;
            let wanted = BlockKey::parse(&key).is_some_and(|key| self.wants(&key));
            if wanted && Block::find(&value, self.code)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn too_long() -> Violations {
    let what =
        format!("the series has more than {MAX_POINTS} points or 3 MiB; ask for a part of it");
    Violations::one("window", what)
}

/// A series with growth like for like.
pub(crate) fn get(state: &State<'_>, query: &Query) -> Result<wire::Series, Error> {
    let record = Record::find(state, &query.dataset, query.as_of)?;
    let points = query.collect(state, record.number, query.as_of)?;
    let mut series = wire::Series {
        dataset: dataset_name(&query.dataset),
        reporter: query.reporter.to_string(),
        partner: query.partner.to_string(),
        flow: query.flow.to_wire().into(),
        code: query.code.to_string(),
        currency_code: record.currency_code.clone(),
        valuation: record.valuation(query.flow).into(),
        points: Vec::new(),
        breaks: Vec::new(),
        empty_reason: EmptyReason::Unspecified.into(),
        sources: Vec::new(),
    };
    let mut sources = Sources::default();
    let mut before: Option<Classification> = None;
    for (period, of_period) in &points {
        let Some(point) = of_period.first().filter(|_| query.window.contains(*period)) else {
            continue;
        };
        if let Some(before) = before.replace(point.classification)
            && before != point.classification
        {
            series.breaks.push(wire::ClassificationBreak {
                period: period.to_string(),
                before: before.to_string(),
                after: point.classification.to_string(),
            });
        }
        series.points.push(wire::SeriesPoint {
            period: period.to_string(),
            value: point.figure.value.to_string(),
            classification: point.classification.to_string(),
            flags: point.figure.flags.to_wire(),
            growth: growth(query.code, *period, point, &points),
            source: sources.index(state, &record, point.figure.source)?,
        });
    }
    if series.points.is_empty() {
        let reason = query.why_empty(state, record.number, query.as_of)?;
        series.empty_reason = reason.into();
    }
    series.sources = sources.list;
    if series.encoded_len() > MAX_BYTES {
        return Err(too_long().into());
    }
    Ok(series)
}

/// Growth = V(t) / V(same months a year before) − 1 of one published series, or why there is none.
///
/// Both figures stand in one dataset and flow, so side, currency and valuation are the same. The goods
/// are the same for the total across revisions, and for a code within one revision.
fn growth(code: Code, period: Period, point: &Point, points: &Points) -> Option<wire::Growth> {
    let base_period = period.year_before()?;
    let bases = points.get(&base_period).map_or(&[][..], Vec::as_slice);
    let kin = bases
        .iter()
        .find(|base| base.classification == point.classification);
    let outcome = match kin.or(bases.first()) {
        None => Outcome::Gap(GrowthGap::BaseNotPublished.into()),
        Some(base) => match ratio(code, point, base) {
            Ok(ratio) => Outcome::Ratio(ratio),
            Err(gap) => Outcome::Gap(gap.into()),
        },
    };
    Some(wire::Growth {
        base_period: base_period.to_string(),
        outcome: Some(outcome),
    })
}

fn ratio(code: Code, point: &Point, base: &Point) -> Result<String, GrowthGap> {
    let (now, then) = (point.classification, base.classification);
    if now != then && !(code.is_total() && now.is_kin_of(then)) {
        return Err(GrowthGap::ClassificationDiffers);
    }
    let either = |flag| point.figure.flags.contains(flag) || base.figure.flags.contains(flag);
    if either(ObservationFlag::LowerBound) {
        return Err(GrowthGap::LowerBound);
    }
    // A base that was computed from the growth that somebody stated would only give that back.
    if either(ObservationFlag::Implied) {
        return Err(GrowthGap::Implied);
    }
    let (now, then) = (
        Decimal::from(point.figure.value),
        Decimal::from(base.figure.value),
    );
    let quotient = now.checked_div(then).ok_or(GrowthGap::BaseIsZero)?;
    // `round_dp` rounds half to even.
    let growth = (quotient - Decimal::ONE).round_dp(6);
    Ok(proto::format_decimal(growth))
}

/// The sources of a series, each once.
#[derive(Default)]
struct Sources {
    numbers: Vec<u32>,
    list: Vec<WireSource>,
}

impl Sources {
    fn index(
        &mut self,
        state: &State<'_>,
        record: &Record,
        number: u32,
    ) -> Result<i32, store::Error> {
        let known = self.numbers.iter().position(|known| *known == number);
        let at = if let Some(at) = known {
            at
        } else {
            let source = source(state, record, number)?;
            self.list.push(source.unwrap_or_default());
            self.numbers.push(number);
            self.list.len() - 1
        };
        Ok(i32::try_from(at + 1).unwrap_or_default())
    }
}
