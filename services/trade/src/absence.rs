//! Why there is no figure: not published yet, outside coverage, no such code, or published without it.

use std::collections::BTreeMap;

use proto::trade::v1 as wire;
use proto::{Classification, Code, Country, Flow, Frequency, Month, Period, PeriodWindow};
use wire::{EmptyReason, MissingFigure};

use crate::block::Block;
use crate::commodity;
use crate::coverage;
use crate::goods::Codes;
use crate::keys::{Part, Place};
use crate::reading::{Line, Reading, Span, Times};

/// Blocks that may be looked at to say why there is nothing.
const MAX_SEARCHED: usize = 4_000;
/// How many missing figures an answer names.
pub(crate) const MAX_NAMED: usize = 24;

/// Figures that were looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) line: Line,
    pub(crate) code: Code,
    /// The digits of `code`; or more, where any code below it would do.
    pub(crate) level: u8,
    /// `None`: any.
    pub(crate) classification: Option<Classification>,
    pub(crate) frequency: Frequency,
    pub(crate) window: PeriodWindow,
}

impl Wanted {
    /// The figure of one period.
    pub(crate) fn of_period(line: Line, code: Code, period: Period) -> Wanted {
        Wanted {
            line,
            code,
            level: code.level(),
            classification: None,
            frequency: period.frequency(),
            window: PeriodWindow::new(Some(period.start()), Some(period.end())).unwrap_or_default(),
        }
    }

    /// Why none of them is there: the first thing that holds, in the order that [`EmptyReason`] documents.
    pub(crate) fn why_absent(&self, reading: &Reading<'_>) -> Result<EmptyReason, store::Error> {
        if reading.as_of.is_some() && self.is_there(&reading.now())? {
            return Ok(EmptyReason::NotYetRecorded);
        }
        let published = Publishing::of(reading, self)?;
        if self.is_unknown(reading, &published)? {
            return Ok(EmptyReason::UnknownCode);
        }
        let line = self.line;
        let reporter = Place::dataset(reading.record.number).reporter(line.reporter);
        let partner = reporter.clone().partner(line.partner);
        let places = [
            (reporter, EmptyReason::ReporterNotCovered),
            (partner, EmptyReason::PartnerNotCovered),
            (reading.place(line), EmptyReason::FlowNotCovered),
        ];
        for (place, reason) in places {
            if !reading.has_any(&place) {
                return Ok(reason);
            }
        }
        if published.ends_before(self.window.start()) {
            return Ok(EmptyReason::NotPublishedYet);
        }
        let in_part = |part| reading.place(line).part(part);
        if !self.has_code(reading, in_part)? {
            return Ok(published.or_not_reported(EmptyReason::CommodityNotCovered));
        }
        if !self.has_code(reading, |part| in_part(part).frequency(self.frequency))? {
            return Ok(published.or_not_reported(EmptyReason::FrequencyNotCovered));
        }
        Ok(published.or_not_reported(EmptyReason::PeriodNotCovered))
    }

    fn is_there(&self, reading: &Reading<'_>) -> Result<bool, store::Error> {
        let times = Times::within(self.frequency, self.window);
        for part in self.parts(reading)? {
            for block in reading.blocks(self.line, part, times).take(MAX_SEARCHED) {
                let (key, value) = block?;
                let wanted = self.window.contains(key.period) && self.wants(key.classification);
                if wanted && self.stands_in(&value)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn wants(&self, classification: Classification) -> bool {
        self.classification
            .is_none_or(|asked| asked == classification)
    }

    fn is_unknown(
        &self,
        reading: &Reading<'_>,
        published: &Publishing,
    ) -> Result<bool, store::Error> {
        let Some(classification) = self.classification.or(published.classification) else {
            return Ok(false);
        };
        Ok(commodity::known(reading.state, classification, self.code)? == Some(false))
    }

    fn has_code(
        &self,
        reading: &Reading<'_>,
        place: impl Fn(Part) -> Place,
    ) -> Result<bool, store::Error> {
        let places: Vec<Place> = self.parts(reading)?.into_iter().map(place).collect();
        let blocks = places.iter().flat_map(|place| reading.blocks_at(place));
        for block in blocks.take(MAX_SEARCHED) {
            let (key, value) = block?;
            if self.wants(key.classification) && self.stands_in(&value)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All codes that would do, where it is not `code` alone.
    fn codes(&self) -> Option<Codes> {
        (self.level > self.code.level()).then_some(Codes {
            level: self.level,
            within: Some(self.code),
        })
    }

    fn parts(&self, reading: &Reading<'_>) -> Result<Vec<Part>, store::Error> {
        match self.codes() {
            Some(codes) => codes.parts(reading, self.line),
            None => Ok(vec![Part::of(self.code)]),
        }
    }

    fn stands_in(&self, block: &[u8]) -> Result<bool, store::Error> {
        let Some(codes) = self.codes() else {
            return Ok(Block::find(block, self.code)?.is_some());
        };
        let block = Block::decode(block)?;
        Ok(block
            .figures()
            .iter()
            .any(|figure| codes.takes(figure.code)))
    }
}

/// What the reporter published in the flow and at the length that is wanted.
struct Publishing {
    last: Option<Period>,
    /// Something within the window, at the level of the code.
    in_window: bool,
    classification: Option<Classification>,
}

impl Publishing {
    fn of(reading: &Reading<'_>, wanted: &Wanted) -> Result<Publishing, store::Error> {
        let Wanted {
            line,
            level: wanted_level,
            frequency,
            window,
            ..
        } = *wanted;
        let mut publishing = Publishing {
            last: None,
            in_window: false,
            classification: None,
        };
        for (period, published) in coverage::periods(reading, line.reporter, frequency)? {
            for (flow, classification, level) in published.kinds(reading.as_of) {
                if flow != line.flow {
                    continue;
                }
                publishing.last = publishing.last.max(Some(period));
                let wanted = level == wanted_level && wanted.wants(classification);
                if wanted && window.contains(period) {
                    publishing.in_window = true;
                    publishing.classification = Some(classification);
                }
            }
        }
        Ok(publishing)
    }

    fn ends_before(&self, start: Option<Month>) -> bool {
        let end = self.last.map(Period::end);
        end.zip(start).is_some_and(|(end, start)| end <= start)
    }

    fn or_not_reported(&self, reason: EmptyReason) -> EmptyReason {
        if self.in_window {
            EmptyReason::NotReported
        } else {
            reason
        }
    }
}

/// The figure of each period of a line that was looked for, in one classification or in any, and not found,
/// with the reason. At most 24 are named.
pub(crate) fn missing(
    reading: &Reading<'_>,
    line: Line,
    code: Code,
    classification: Option<Classification>,
    periods: &[Period],
) -> Result<Vec<MissingFigure>, store::Error> {
    Absences::default().missing(reading, line, code, classification, periods)
}

/// Reasons that were found for figures of one code, so that each is looked for once: it depends on the period
/// only by whether the reporter published that, and whether it published anything later.
#[derive(Debug, Default)]
pub(crate) struct Absences {
    last: BTreeMap<(Line, Frequency), Option<Period>>,
    reasons: BTreeMap<(Line, Frequency, Option<Classification>, bool, bool), EmptyReason>,
}

impl Absences {
    /// See [`missing`]; always of the same code.
    pub(crate) fn missing(
        &mut self,
        reading: &Reading<'_>,
        line: Line,
        code: Code,
        classification: Option<Classification>,
        periods: &[Period],
    ) -> Result<Vec<MissingFigure>, store::Error> {
        let mut named = Vec::new();
        for period in periods.iter().take(MAX_NAMED) {
            let wanted = Wanted {
                classification,
                ..Wanted::of_period(line, code, *period)
            };
            let reason = self.reason(reading, &wanted, *period)?;
            named.push(missing_figure(reading, line, code, *period, reason));
        }
        Ok(named)
    }

    fn reason(
        &mut self,
        reading: &Reading<'_>,
        wanted: &Wanted,
        period: Period,
    ) -> Result<EmptyReason, store::Error> {
        if reading.as_of.is_some() && wanted.is_there(&reading.now())? {
            return Ok(EmptyReason::NotYetRecorded);
        }
        let Wanted {
            line,
            level,
            classification,
            frequency,
            ..
        } = *wanted;
        let last = if let Some(last) = self.last.get(&(line, frequency)) {
            *last
        } else {
            let last = Publishing::of(reading, wanted)?.last;
            self.last.insert((line, frequency), last);
            last
        };
        let published = coverage::Published::find(reading, line.reporter, period)?;
        let published = published.has(line.flow, level, classification, reading.as_of);
        let is_later = last.is_some_and(|last| last.end() <= period.start());
        let kind = (line, frequency, classification, published, is_later);
        if let Some(reason) = self.reasons.get(&kind) {
            return Ok(*reason);
        }
        let reason = wanted.why_absent(reading)?;
        self.reasons.insert(kind, reason);
        Ok(reason)
    }
}

pub(crate) fn missing_figure(
    reading: &Reading<'_>,
    line: Line,
    code: Code,
    period: Period,
    reason: EmptyReason,
) -> MissingFigure {
    MissingFigure {
        dataset: reading.name(),
        reporter: line.reporter.to_string(),
        partner: line.partner.to_string(),
        flow: line.flow.to_wire().into(),
        code: code.to_string(),
        period: period.to_string(),
        reason: reason.into(),
    }
}

/// A partner that stands for all of a reporter's where something about all of them is missing: the world or
/// else another with whom it has goods like these, or the flow, or anything at all.
pub(crate) fn any_partner(
    reading: &Reading<'_>,
    reporter: Country,
    flow: Flow,
    code: Code,
) -> Result<Country, store::Error> {
    let mut partners = vec![Country::WORLD];
    for partner in reading.partners(reporter) {
        partners.push(partner?);
    }
    let line = |partner: Country| Line {
        reporter,
        partner,
        flow,
    };
    let of_goods = |partner: &Country| {
        let place = reading.place(line(*partner));
        reading.has_any(&place.part(Part::of(code)))
    };
    let of_flow = |partner: &Country| reading.has_any(&reading.place(line(*partner)));
    let found = partners.iter().find(|partner| of_goods(partner));
    let found = found.or_else(|| partners.iter().find(|partner| of_flow(partner)));
    Ok(found.or(partners.last()).copied().unwrap_or(Country::WORLD))
}

/// The periods of a span that a reporter did not publish in a flow at a level of detail, under a
/// classification or, of totals, one of its kin; `None` is any.
pub(crate) fn unpublished(
    reading: &Reading<'_>,
    reporter: Country,
    flow: Flow,
    level: u8,
    under: Option<Classification>,
    span: Span,
) -> Result<Vec<Period>, store::Error> {
    let mut unpublished = Vec::new();
    for period in span.periods() {
        let published = coverage::Published::find(reading, reporter, period)?;
        if !published.has(flow, level, under, reading.as_of) {
            unpublished.push(period);
        }
    }
    Ok(unpublished)
}
