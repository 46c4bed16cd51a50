//! What was traded, as a question names it: a code, or a sector's codes; and its figure in a span of time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use proto::{Classification, Code, Period, Slug, Violations, parse_sector_name, sector_name};
use store::State;

use crate::absence::unpublished;
use crate::amount::Amount;
use crate::convert::{Converted, convert};
use crate::error::Error;
use crate::keys::Part;
use crate::reading::{Line, Reading, Span, Times, Year, Years, standing};
use crate::sector::{self, Sector};

/// Goods.
#[derive(Clone, Debug)]
pub(crate) enum Goods {
    Code(Code),
    /// The sum over codes that are meant in a classification.
    Group {
        classification: Classification,
        codes: Vec<Code>,
    },
}

impl From<Sector> for Goods {
    fn from(sector: Sector) -> Goods {
        Goods::Group {
            classification: sector.classification,
            codes: sector.codes,
        }
    }
}

impl Goods {
    pub(crate) fn is_total(&self) -> bool {
        matches!(self, Goods::Code(code) if code.is_total())
    }

    /// Whether figures of two classifications count the same goods.
    pub(crate) fn counts_the_same(&self, a: Classification, b: Classification) -> bool {
        a == b || self.is_total() && a.is_kin_of(b)
    }

    /// The finest level of detail that their figure needs.
    pub(crate) fn level(&self) -> u8 {
        match self {
            Goods::Code(code) => code.level(),
            Goods::Group { codes, .. } => codes.iter().map(|c| c.level()).max().unwrap_or_default(),
        }
    }

    /// The codes by which the goods are found in another classification than their own.
    pub(crate) fn in_classification(
        &self,
        state: &State<'_>,
        wanted: Classification,
    ) -> Result<InClassification, store::Error> {
        match self {
            Goods::Code(code) => Ok(InClassification::as_is(vec![*code])),
            Goods::Group {
                classification,
                codes,
            } if *classification == wanted => Ok(InClassification::as_is(codes.clone())),
            Goods::Group {
                classification,
                codes,
            } => {
                let converted = convert(state, *classification, codes, wanted)?;
                Ok(InClassification {
                    codes: converted.to_codes.clone(),
                    conversion: Some(Arc::new(converted)),
                })
            }
        }
    }

    /// Codes by the part of blocks in which their figures stand.
    fn parts(codes: &[Code]) -> BTreeMap<Part, Vec<Code>> {
        let mut parts: BTreeMap<Part, Vec<Code>> = BTreeMap::new();
        for code in codes {
            parts.entry(Part::of(*code)).or_default().push(*code);
        }
        parts
    }
}

/// Goods as they are asked for; a sector is looked up when the question is answered.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Code(Code),
    Sector(Slug),
}

impl Asked {
    /// Parses a question's `code` and `sector`; without either, `default`.
    pub(crate) fn parse(
        violations: &mut Violations,
        code: &str,
        sector: &str,
        default: Option<Code>,
    ) -> Option<Asked> {
        match (code.is_empty(), sector.is_empty()) {
            (false, false) => {
                violations.push("sector", "give a code or a sector, not both");
                None
            }
            (_, true) if code.is_empty() && default.is_some() => default.map(Asked::Code),
            (_, true) => violations.check("code", code.parse()).map(Asked::Code),
            (true, false) => violations
                .check("sector", parse_sector_name(sector))
                .map(Asked::Sector),
        }
    }

    pub(crate) fn goods(&self, reading: &Reading<'_>) -> Result<Goods, Error> {
        match self {
            Asked::Code(code) => Ok(Goods::Code(*code)),
            Asked::Sector(id) => Ok(sector::find(reading.state, id, reading.as_of)?.into()),
        }
    }

    pub(crate) fn code(&self) -> String {
        match self {
            Asked::Code(code) => code.to_string(),
            Asked::Sector(_) => String::new(),
        }
    }

    pub(crate) fn sector(&self) -> String {
        match self {
            Asked::Code(_) => String::new(),
            Asked::Sector(id) => sector_name(id),
        }
    }
}

/// Codes of one classification, and how they were come by.
#[derive(Clone, Debug)]
pub(crate) struct InClassification {
    pub(crate) codes: Vec<Code>,
    pub(crate) conversion: Option<Arc<Converted>>,
}

impl InClassification {
    fn as_is(codes: Vec<Code>) -> InClassification {
        InClassification {
            codes,
            conversion: None,
        }
    }

    /// Whether the codes are the goods as a whole.
    pub(crate) fn is_exact(&self) -> bool {
        self.conversion
            .as_ref()
            .is_none_or(|converted| converted.exact)
    }
}

/// The figures of some goods by period and classification.
pub(crate) type Amounts = BTreeMap<(Period, Classification), (Amount, Option<Arc<Converted>>)>;

/// Every period's sum over the goods' codes, by the classification under which they were published. Goods
/// that cannot be brought to a classification as a whole have an amount of no figures there.
pub(crate) fn amounts(
    reading: &Reading<'_>,
    line: Line,
    goods: &Goods,
    times: Times,
) -> Result<Amounts, store::Error> {
    match goods {
        Goods::Code(code) => {
            let mut amounts = Amounts::new();
            for point in reading.points(line, *code, times) {
                let point = point?;
                let key = (point.period, point.classification);
                amounts.insert(key, (Amount::of(&point.figure), None));
            }
            Ok(amounts)
        }
        Goods::Group { codes, .. } => group_amounts(reading, line, goods, codes, times),
    }
}

fn group_amounts(
    reading: &Reading<'_>,
    line: Line,
    goods: &Goods,
    own: &[Code],
    times: Times,
) -> Result<Amounts, store::Error> {
    let mut amounts = Amounts::new();
    for classification in classifications(reading, line, own, times)? {
        let there = goods.in_classification(reading.state, classification)?;
        let exact = there.is_exact();
        for (part, codes) in Goods::parts(&there.codes) {
            for block in reading.blocks(line, part, times) {
                let (key, value) = block?;
                if key.classification != classification {
                    continue;
                }
                let figures = reading.figures(&key, &value)?;
                let found = codes.iter().filter_map(|code| figures.get(*code));
                for figure in found {
                    let place = (key.period, classification);
                    let entry = amounts.entry(place);
                    let (amount, _) =
                        entry.or_insert_with(|| (Amount::default(), there.conversion.clone()));
                    if exact {
                        amount.add(figure);
                    }
                }
            }
        }
    }
    Ok(amounts)
}

/// The classifications of the blocks in which a group's figures may stand.
fn classifications(
    reading: &Reading<'_>,
    line: Line,
    codes: &[Code],
    times: Times,
) -> Result<BTreeSet<Classification>, store::Error> {
    let mut classifications = BTreeSet::new();
    for part in Goods::parts(codes).into_keys() {
        for block in reading.blocks(line, part, times) {
            classifications.insert(block?.0.classification);
        }
    }
    classifications.retain(|classification| classification.is_hs());
    Ok(classifications)
}

/// The figure of some goods in a span of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// What was found, of all periods that have it; `None` when there is nothing.
    pub(crate) amount: Option<Amount>,
    pub(crate) classification: Option<Classification>,
    pub(crate) conversion: Option<Arc<Converted>>,
    /// Periods of the span without a figure, so that the amount is not of the whole.
    pub(crate) missing: Vec<Period>,
}

impl Found {
    /// The amount, where it is of the whole span.
    pub(crate) fn whole(&self) -> Option<&Amount> {
        self.amount.as_ref().filter(|_| self.missing.is_empty())
    }
}

/// Finds the figure of some goods in a span: under the classification asked for, or the one that stands.
pub(crate) fn find(
    reading: &Reading<'_>,
    line: Line,
    goods: &Goods,
    asked: Option<Classification>,
    span: Span,
) -> Result<Found, store::Error> {
    let amounts = amounts(reading, line, goods, span.times())?;
    select(reading, line, goods, asked, span, &amounts)
}

/// [`find`], out of amounts of these and of other times.
pub(crate) fn select(
    reading: &Reading<'_>,
    line: Line,
    goods: &Goods,
    asked: Option<Classification>,
    span: Span,
    amounts: &Amounts,
) -> Result<Found, store::Error> {
    let wanted = |period: Period, classification: Classification| {
        span.holds(period) && asked.is_none_or(|asked| asked == classification)
    };
    let own = amounts.iter().filter(|((p, c), _)| wanted(*p, *c));
    let mut found = Found {
        classification: own
            .clone()
            .map(|((_, c), _)| *c)
            .max_by_key(|c| standing(*c)),
        ..Found::default()
    };
    let mut periods: Vec<Period> = Vec::new();
    // Of a period's classifications the last one stands for it.
    for ((period, classification), (amount, conversion)) in own.rev() {
        let same = found
            .classification
            .is_some_and(|best| goods.counts_the_same(*classification, best));
        if !same || periods.last() == Some(period) {
            continue;
        }
        periods.push(*period);
        found.conversion = conversion.clone().or(found.conversion.take());
        let sum = found.amount.get_or_insert_default();
        sum.value += amount.value;
        sum.take_in(amount);
    }
    if found
        .conversion
        .as_ref()
        .is_some_and(|converted| !converted.exact)
    {
        found.amount = None;
    }
    found.missing = missing_periods(reading, line, goods, span, &periods)?;
    Ok(found)
}

/// Which periods of a span lack a figure. A code that a published month does not have is missing; of a
/// group, whose codes seldom are all traded, only months that were not published at all.
fn missing_periods(
    reading: &Reading<'_>,
    line: Line,
    goods: &Goods,
    span: Span,
    found: &[Period],
) -> Result<Vec<Period>, store::Error> {
    let mut missing = match goods {
        Goods::Code(_) => span.periods(),
        Goods::Group { .. } => {
            unpublished(reading, line.reporter, line.flow, goods.level(), None, span)?
        }
    };
    missing.retain(|period| !found.contains(period));
    Ok(missing)
}

/// The figures of codes, all under one classification.
pub(crate) type ByCode = (Classification, HashMap<Code, Amount>);

/// All codes of a level, of all goods or within one shorter code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codes {
    pub(crate) level: u8,
    pub(crate) within: Option<Code>,
}

impl Codes {
    /// The figure of each code in a span, all under one classification, since codes of different ones are
    /// different goods: the one asked for, or the one that stands.
    pub(crate) fn find(
        self,
        reading: &Reading<'_>,
        line: Line,
        asked: Option<Classification>,
        span: Span,
    ) -> Result<Option<ByCode>, store::Error> {
        let years = Years {
            now: span,
            before: None,
        };
        let mut found = self.gather(reading, line, years)?;
        Ok(found.take(Year::Now, asked))
    }

    /// The figures of all codes in a span and in the one a year before, read in one pass.
    pub(crate) fn gather(
        self,
        reading: &Reading<'_>,
        line: Line,
        years: Years,
    ) -> Result<Gathered, store::Error> {
        let mut gathered = Gathered::default();
        for part in self.parts(reading, line)? {
            for block in reading.blocks(line, part, years.times()) {
                let (key, value) = block?;
                let Some(year) = years.year_of(key.period) else {
                    continue;
                };
                let codes = gathered.0.entry((year, key.classification)).or_default();
                for figure in reading.figures(&key, &value)?.figures() {
                    if self.takes(figure.code) {
                        codes.entry(figure.code).or_default().add(figure);
                    }
                }
            }
        }
        gathered.0.retain(|_, codes| !codes.is_empty());
        Ok(gathered)
    }

    pub(crate) fn takes(self, code: Code) -> bool {
        let within = self
            .within
            .is_none_or(|within| within.is_total() || code.as_str().starts_with(within.as_str()));
        code.level() == self.level && within
    }

    /// The parts of blocks in which they may stand.
    pub(crate) fn parts(
        self,
        reading: &Reading<'_>,
        line: Line,
    ) -> Result<Vec<Part>, store::Error> {
        if self.level == 2 {
            return Ok(vec![Part::CHAPTERS]);
        }
        match self.within.and_then(Code::chapter) {
            Some(chapter) => Ok(vec![Part::within(chapter)]),
            None => reading
                .parts(line)
                .filter(|part| !matches!(part, Ok(Part::TOTAL | Part::CHAPTERS)))
                .collect(),
        }
    }
}

/// The figures of codes by year and classification.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathered(BTreeMap<(Year, Classification), HashMap<Code, Amount>>);

impl Gathered {
    /// Those of a year under the classification asked for, or the one that stands.
    pub(crate) fn take(&mut self, of: Year, asked: Option<Classification>) -> Option<ByCode> {
        let of_year = self.0.keys().filter(|(year, _)| *year == of);
        let wanted = of_year.filter(|(_, c)| asked.is_none_or(|asked| asked == *c));
        let place = *wanted.max_by_key(|(_, c)| standing(*c))?;
        Some((place.1, self.0.remove(&place)?))
    }
}
