//! Indicators of trade, each from published figures where all are there, else with the reason why not.
//!
//! In the formulas i is the reporter, j the partner, k the commodity, w the world, x exports, m imports; X
//! and M are of all goods with all partners.

use std::collections::{BTreeSet, HashMap};

use proto::trade::v1 as wire;
use proto::{Classification, Code, Country, Decimal, Flow, Period, Slug};
use proto::{Violations, parse_dataset_name, parse_timestamp};
use store::{Micros, State};
use wire::{
    Indicator, IndicatorGap, IndicatorInput, IndicatorKind, MissingFigure, ObservationFlag,
    WorldReference,
};

use crate::absence::{MAX_NAMED, Wanted, any_partner, missing, missing_figure, unpublished};
use crate::amount::{Amount, Concentration, Total, ratio};
use crate::error::Error;
use crate::goods::{Codes, Found, Goods, find};
use crate::ranking::parse_level;
use crate::reading::{Line, Reading, Span, standing};
use crate::sources::{Sources, bounded};

/// All indicators, in the order in which they are told.
const ALL: [IndicatorKind; 6] = [
    IndicatorKind::Rca,
    IndicatorKind::TradeIntensity,
    IndicatorKind::GrubelLloyd,
    IndicatorKind::GrubelLloydAggregate,
    IndicatorKind::PartnerConcentration,
    IndicatorKind::CommodityConcentration,
];

/// Which indicators.
#[derive(Debug)]
pub(crate) struct Query {
    dataset: Slug,
    reporter: Country,
    partner: Country,
    code: Code,
    classification: Option<Classification>,
    span: Span,
    world: WorldReference,
    kinds: Vec<IndicatorKind>,
    /// Of the codes below `code`; `None` where there are none finer.
    level: Option<u8>,
    as_of: Option<Micros>,
}

impl TryFrom<wire::GetIndicatorsRequest> for Query {
    type Error = Violations;

    fn try_from(request: wire::GetIndicatorsRequest) -> Result<Query, Violations> {
        let wire::GetIndicatorsRequest {
            parent,
            reporter,
            partner,
            code,
            classification,
            period,
            basis,
            world,
            kinds,
            level,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let classification = (!classification.is_empty()).then(|| classification.parse());
        let as_of = as_of.as_ref().map(parse_timestamp).transpose();
        let dataset = violations.check("parent", parse_dataset_name(&parent));
        let reporter = violations.check("reporter", reporter.parse());
        let partner = match partner.as_str() {
            "" => Some(Country::WORLD),
            given => violations.check("partner", given.parse()),
        };
        let code = match code.as_str() {
            "" => Some(Code::TOTAL),
            given => violations.check("code", given.parse()),
        };
        let classification = violations.check("classification", classification.transpose());
        let span = Span::parse(&mut violations, &period, basis);
        let world = violations.check("world", parse_world(world));
        let kinds = violations.check_nested("kinds", parse_kinds(&kinds));
        let level = violations.check("level", finer(code.unwrap_or(Code::TOTAL), level));
        let as_of = violations.check("as_of", as_of);
        let (Some(dataset), Some(reporter), Some(partner), Some(code), Some(classification)) =
            (dataset, reporter, partner, code, classification)
        else {
            return Err(violations);
        };
        let (Some(span), Some(world), Some(kinds), Some(level), Some(as_of)) =
            (span, world, kinds, level, as_of)
        else {
            return Err(violations);
        };
        violations.into_result(Query {
            dataset,
            reporter,
            partner,
            code,
            classification,
            span,
            world,
            kinds,
            level,
            as_of,
        })
    }
}

/// The level of the codes that are looked at below `code`.
fn finer(code: Code, level: i32) -> Result<Option<u8>, String> {
    if level == 0 {
        return Ok([2, 4, 6].into_iter().find(|finer| *finer > code.level()));
    }
    let level = parse_level(level)?;
    if level <= code.level() {
        return Err(format!("must have more digits than `code`, {code}"));
    }
    Ok(Some(level))
}

fn parse_world(world: i32) -> Result<WorldReference, String> {
    match WorldReference::try_from(world) {
        Ok(WorldReference::Unspecified) => Ok(WorldReference::Published),
        Ok(world) => Ok(world),
        Err(_) => Err(format!("{world} is no reference")),
    }
}

fn parse_kinds(numbers: &[i32]) -> Result<Vec<IndicatorKind>, Violations> {
    if numbers.is_empty() {
        return Ok(ALL.to_vec());
    }
    let mut violations = Violations::new();
    let mut kinds = Vec::with_capacity(ALL.len());
    for number in numbers {
        match ALL.into_iter().find(|kind| i32::from(*kind) == *number) {
            Some(kind) if kinds.contains(&kind) => {
                violations.push("", format!("{} twice", kind.as_str_name()));
            }
            Some(kind) => kinds.push(kind),
            None => violations.push("", format!("{number} is no indicator")),
        }
    }
    violations.into_result(kinds)
}

/// Why an indicator has no value.
#[derive(Debug)]
enum Gap {
    Missing(Vec<MissingFigure>),
    DividesByZero,
    NeedsCommodity,
    NeedsPartner,
    NeedsFinerCodes,
    LowerBound,
    Store(store::Error),
}

impl From<store::Error> for Gap {
    fn from(error: store::Error) -> Gap {
        Gap::Store(error)
    }
}

/// A value, and where there is one, its normalised form.
type Value = (Decimal, Option<Decimal>);

/// An indicator that is being computed: what has gone in so far.
struct Computing<'a> {
    query: &'a Query,
    reading: &'a Reading<'a>,
    inputs: Vec<(&'static str, Amount)>,
    /// The classification of the goods: the one asked for, else that of the first input. A code stands for
    /// other goods in any other.
    goods: Option<Classification>,
}

/// Indicators, each with its inputs.
pub(crate) fn get(state: &State<'_>, query: &Query) -> Result<wire::Indicators, Error> {
    let reading = Reading::open(state, &query.dataset, query.as_of)?;
    let mut sources = Sources::default();
    let mut indicators = Vec::with_capacity(query.kinds.len());
    for kind in &query.kinds {
        let mut computing = Computing {
            query,
            reading: &reading,
            inputs: Vec::new(),
            goods: query.classification,
        };
        let computed = match computing.compute(*kind) {
            Err(Gap::Store(error)) => return Err(error.into()),
            computed => computed,
        };
        for (_, amount) in &computing.inputs {
            sources.cite_all(&reading, &amount.sources)?;
        }
        indicators.push(to_wire(*kind, computing.inputs, computed));
    }
    let indicators = wire::Indicators {
        dataset: reading.name(),
        reporter: query.reporter.to_string(),
        partner: query.partner.to_string(),
        code: query.code.to_string(),
        classification: query
            .classification
            .map(|c| c.to_string())
            .unwrap_or_default(),
        period: query.span.period.to_string(),
        basis: query.span.basis().into(),
        world: query.world.into(),
        indicators,
        sources: sources.into_list(),
    };
    Ok(bounded(indicators, "kinds")?)
}

fn formula(kind: IndicatorKind) -> &'static str {
    match kind {
        IndicatorKind::Unspecified => "",
        IndicatorKind::Rca => "(x_ik / X_i) / (x_wk / X_w)",
        IndicatorKind::TradeIntensity => "(x_ij / X_i) / (x_wj / X_w)",
        IndicatorKind::GrubelLloyd => "1 - |x_ijk - m_ijk| / (x_ijk + m_ijk)",
        IndicatorKind::GrubelLloydAggregate => "1 - sum_k |x_ijk - m_ijk| / sum_k (x_ijk + m_ijk)",
        IndicatorKind::PartnerConcentration => "sum_j (x_ij / sum_j x_ij)^2",
        IndicatorKind::CommodityConcentration => "sum_k (x_ijk / sum_k x_ijk)^2",
    }
}

fn to_wire(
    kind: IndicatorKind,
    inputs: Vec<(&'static str, Amount)>,
    computed: Result<Value, Gap>,
) -> Indicator {
    let inputs = inputs.into_iter().map(|(symbol, amount)| IndicatorInput {
        symbol: symbol.into(),
        value: amount.value.to_string(),
        figures: i32::try_from(amount.figures).unwrap_or(i32::MAX),
        flags: amount.flags.to_wire(),
    });
    let mut indicator = Indicator {
        kind: kind.into(),
        formula: formula(kind).into(),
        inputs: inputs.collect(),
        ..Indicator::default()
    };
    let gap = match computed {
        Ok((value, normalised)) => {
            indicator.value = ratio(value);
            indicator.normalised = normalised.map(ratio).unwrap_or_default();
            return indicator;
        }
        Err(Gap::Missing(missing)) => {
            indicator.missing = missing;
            IndicatorGap::InputMissing
        }
        Err(Gap::DividesByZero) => IndicatorGap::DividesByZero,
        Err(Gap::NeedsCommodity) => IndicatorGap::NeedsCommodity,
        Err(Gap::NeedsPartner) => IndicatorGap::NeedsPartner,
        Err(Gap::NeedsFinerCodes) => IndicatorGap::NeedsFinerCodes,
        Err(Gap::LowerBound) => IndicatorGap::LowerBound,
        // Told as an error of the call before.
        Err(Gap::Store(_)) => IndicatorGap::Unspecified,
    };
    indicator.gap = gap.into();
    indicator
}

impl Computing<'_> {
    fn compute(&mut self, kind: IndicatorKind) -> Result<Value, Gap> {
        match kind {
            IndicatorKind::Unspecified => Err(Gap::Missing(Vec::new())),
            IndicatorKind::Rca => self.rca(),
            IndicatorKind::TradeIntensity => self.trade_intensity(),
            IndicatorKind::GrubelLloyd => self.grubel_lloyd(),
            IndicatorKind::GrubelLloydAggregate => self.grubel_lloyd_aggregate(),
            IndicatorKind::PartnerConcentration => self.partner_concentration(),
            IndicatorKind::CommodityConcentration => self.commodity_concentration(),
        }
    }

    /// Revealed comparative advantage: (`x_ik` / `X_i`) / (`x_wk` / `X_w`). Above 1 the reporter exports
    /// relatively more of the good than the world does. (Balassa 1965; WITS)
    fn rca(&mut self) -> Result<Value, Gap> {
        let Query { code, reporter, .. } = *self.query;
        if code.is_total() {
            return Err(Gap::NeedsCommodity);
        }
        let inputs = [
            self.exports("x_ik", reporter, Country::WORLD, code),
            self.exports("X_i", reporter, Country::WORLD, Code::TOTAL),
            self.world_exports("x_wk", Country::WORLD, code),
            self.world_exports("X_w", Country::WORLD, Code::TOTAL),
        ];
        double_ratio(all(inputs)?)
    }

    /// Trade intensity: (`x_ij` / `X_i`) / (`x_wj` / `X_w`). Above 1 the reporter exports relatively more to
    /// the partner than the world does. (ESCAP ST/ESCAP/2559; WITS)
    fn trade_intensity(&mut self) -> Result<Value, Gap> {
        let Query {
            reporter, partner, ..
        } = *self.query;
        if partner == Country::WORLD {
            return Err(Gap::NeedsPartner);
        }
        let inputs = [
            self.exports("x_ij", reporter, partner, Code::TOTAL),
            self.exports("X_i", reporter, Country::WORLD, Code::TOTAL),
            self.world_exports("x_wj", partner, Code::TOTAL),
            self.world_exports("X_w", Country::WORLD, Code::TOTAL),
        ];
        double_ratio(all(inputs)?)
    }

    /// Grubel–Lloyd index: 1 − |x − m| / (x + m) of one good. 1: as much goes out as comes in; 0: one way
    /// only. (Grubel and Lloyd 1971)
    fn grubel_lloyd(&mut self) -> Result<Value, Gap> {
        let Query {
            code,
            reporter,
            partner,
            ..
        } = *self.query;
        if code.is_total() {
            return Err(Gap::NeedsCommodity);
        }
        let inputs = [
            self.exports("x_ijk", reporter, partner, code),
            self.flow("m_ijk", reporter, partner, Flow::Import, code),
        ];
        let [x, m] = all(inputs)?;
        one_less((x - m).abs(), x + m)
    }

    /// Grubel–Lloyd index over all codes of a level: 1 − Σ|x − m| / Σ(x + m). (Grubel and Lloyd 1971)
    fn grubel_lloyd_aggregate(&mut self) -> Result<Value, Gap> {
        let exports = self.codes(Flow::Export)?;
        let imports = self.codes(Flow::Import)?;
        let codes: BTreeSet<Code> = exports.keys().chain(imports.keys()).copied().collect();
        let value = |of: &HashMap<Code, Amount>, code: &Code| {
            of.get(code).map(|amount| amount.value).unwrap_or_default()
        };
        let apart = codes
            .iter()
            .map(|code| (value(&exports, code) - value(&imports, code)).abs());
        let apart: Total = apart.sum();
        let x = self.sum("sum_k x_ijk", exports.into_values())?;
        let m = self.sum("sum_k m_ijk", imports.into_values())?;
        one_less(apart, x + m)
    }

    /// Herfindahl–Hirschman index of the reporter's partners: Σ (`x_ij` / Σ `x_ij`)². (WITS)
    fn partner_concentration(&mut self) -> Result<Value, Gap> {
        let Query { reporter, code, .. } = *self.query;
        let mut amounts = Vec::new();
        for partner in self.reading.partners(reporter) {
            let partner = partner?;
            if !partner.stands_beside_others() {
                continue;
            }
            let found = self.find(line(reporter, partner, Flow::Export), code)?;
            amounts.extend(found.classification.zip(found.amount));
        }
        let newest = amounts.iter().map(|(classification, _)| *classification);
        let Some(newest) = newest.max_by_key(|c| standing(*c)) else {
            let periods = self.query.span.periods();
            return Err(self.of_all_partners(code, self.under(code), &periods)?);
        };
        let (level, span, under) = (code.level(), self.query.span, Some(newest));
        let lacking = unpublished(self.reading, reporter, Flow::Export, level, under, span)?;
        if !lacking.is_empty() {
            return Err(self.of_all_partners(code, under, &lacking)?);
        }
        let goods = Goods::Code(code);
        amounts.retain(|(classification, _)| goods.counts_the_same(*classification, newest));
        let amounts = amounts.into_iter().map(|(_, amount)| amount);
        self.concentration("sum_j x_ij", amounts.collect())
    }

    /// Herfindahl–Hirschman index of what goes to the partner: Σ (`x_ijk` / Σ `x_ijk`)². (WITS)
    fn commodity_concentration(&mut self) -> Result<Value, Gap> {
        let codes = self.codes(Flow::Export)?;
        self.concentration("sum_k x_ijk", codes.into_values().collect())
    }

    fn concentration(&mut self, symbol: &'static str, parts: Vec<Amount>) -> Result<Value, Gap> {
        let values: Vec<Total> = parts.iter().map(|part| part.value).collect();
        self.sum(symbol, parts.into_iter())?;
        let found = Concentration::of(values.into_iter()).ok_or(Gap::DividesByZero)?;
        Ok((found.hhi, found.normalised))
    }

    fn find(&self, line: Line, code: Code) -> Result<Found, store::Error> {
        let (goods, under) = (Goods::Code(code), self.under(code));
        find(self.reading, line, &goods, under, self.query.span)
    }

    /// The classification in which a code is looked for; a total is of the same goods in all that are kin.
    fn under(&self, code: Code) -> Option<Classification> {
        if code.is_total() {
            self.query.classification
        } else {
            self.goods
        }
    }

    fn exports(
        &mut self,
        symbol: &'static str,
        reporter: Country,
        partner: Country,
        code: Code,
    ) -> Result<Total, Gap> {
        self.flow(symbol, reporter, partner, Flow::Export, code)
    }

    /// One input: a published figure of the whole span.
    fn flow(
        &mut self,
        symbol: &'static str,
        reporter: Country,
        partner: Country,
        flow: Flow,
        code: Code,
    ) -> Result<Total, Gap> {
        let line = line(reporter, partner, flow);
        let found = self.find(line, code)?;
        if !code.is_total() {
            self.goods = self.goods.or(found.classification);
        }
        if let Some(amount) = found.whole() {
            return self.take(symbol, amount.clone());
        }
        let under = self.under(code);
        let named = missing(self.reading, line, code, under, &found.missing)?;
        Err(Gap::Missing(named))
    }

    /// The world's exports: published, or the sum over all reporters that published the span.
    fn world_exports(
        &mut self,
        symbol: &'static str,
        partner: Country,
        code: Code,
    ) -> Result<Total, Gap> {
        if self.query.world != WorldReference::SumOfReporters {
            return self.exports(symbol, Country::WORLD, partner, code);
        }
        let mut sum: Option<Amount> = None;
        for reporter in self.reading.reporters() {
            let reporter = reporter?;
            if !reporter.stands_beside_others() {
                continue;
            }
            let line = line(reporter, partner, Flow::Export);
            if let Some(amount) = self.find(line, code)?.whole() {
                let sum = sum.get_or_insert_default();
                sum.value += amount.value;
                sum.take_in(amount);
            }
        }
        match sum {
            Some(sum) => self.take(symbol, sum),
            None => Err(self.nothing(partner, code)?),
        }
    }

    /// All codes of the level in a flow with the partner.
    fn codes(&mut self, flow: Flow) -> Result<HashMap<Code, Amount>, Gap> {
        let Query {
            reporter,
            partner,
            code,
            level,
            span,
            ..
        } = *self.query;
        let line = line(reporter, partner, flow);
        let level = level.ok_or(Gap::NeedsFinerCodes)?;
        let codes = Codes {
            level,
            within: Some(code),
        };
        let found = codes.find(self.reading, line, self.goods, span)?;
        let Some((classification, found)) = found else {
            let named = self.named(line, code, level, self.goods, &span.periods())?;
            return Err(Gap::Missing(named));
        };
        self.goods = Some(classification);
        self.require_published(partner, flow, code, level, classification)?;
        Ok(found)
    }

    /// Refuses a span of which a month was not published: the rest is not all of it.
    fn require_published(
        &self,
        partner: Country,
        flow: Flow,
        code: Code,
        level: u8,
        under: Classification,
    ) -> Result<(), Gap> {
        let Query { reporter, span, .. } = *self.query;
        let under = Some(under);
        let lacking = unpublished(self.reading, reporter, flow, level, under, span)?;
        if lacking.is_empty() {
            return Ok(());
        }
        let line = line(reporter, partner, flow);
        Err(Gap::Missing(
            self.named(line, code, level, under, &lacking)?,
        ))
    }

    /// The periods of which codes of a level are missing, with the reason.
    fn named(
        &self,
        line: Line,
        code: Code,
        level: u8,
        classification: Option<Classification>,
        periods: &[Period],
    ) -> Result<Vec<MissingFigure>, store::Error> {
        let named = periods.iter().map(|period| {
            let wanted = Wanted {
                level,
                classification,
                ..Wanted::of_period(line, code, *period)
            };
            let reason = wanted.why_absent(self.reading)?;
            let reading = self.reading;
            Ok(missing_figure(reading, line, code, *period, reason))
        });
        named.take(MAX_NAMED).collect()
    }

    /// Periods of which exports to all partners are missing.
    fn of_all_partners(
        &self,
        code: Code,
        under: Option<Classification>,
        periods: &[Period],
    ) -> Result<Gap, store::Error> {
        let reporter = self.query.reporter;
        let partner = any_partner(self.reading, reporter, Flow::Export, code)?;
        let line = line(reporter, partner, Flow::Export);
        let mut named = missing(self.reading, line, code, under, periods)?;
        for figure in &mut named {
            figure.partner = Country::WORLD.to_string();
        }
        Ok(Gap::Missing(named))
    }

    fn nothing(&self, partner: Country, code: Code) -> Result<Gap, store::Error> {
        let line = line(self.query.reporter, partner, Flow::Export);
        let periods = self.query.span.periods();
        let named = missing(self.reading, line, code, self.under(code), &periods)?;
        Ok(Gap::Missing(named))
    }

    fn sum(
        &mut self,
        symbol: &'static str,
        parts: impl Iterator<Item = Amount>,
    ) -> Result<Total, Gap> {
        let mut sum = Amount::default();
        for part in parts {
            sum.value += part.value;
            sum.take_in(&part);
        }
        self.take(symbol, sum)
    }

    fn take(&mut self, symbol: &'static str, amount: Amount) -> Result<Total, Gap> {
        let value = amount.value;
        let is_lower_bound = amount.flags.contains(ObservationFlag::LowerBound);
        self.inputs.push((symbol, amount));
        if is_lower_bound {
            return Err(Gap::LowerBound);
        }
        Ok(value)
    }
}

fn line(reporter: Country, partner: Country, flow: Flow) -> Line {
    Line {
        reporter,
        partner,
        flow,
    }
}

/// All inputs, or all figures that are missing.
fn all<const N: usize>(inputs: [Result<Total, Gap>; N]) -> Result<[Total; N], Gap> {
    let mut values = [Total::ZERO; N];
    let mut lacking = Vec::new();
    for (value, input) in values.iter_mut().zip(inputs) {
        match input {
            Ok(found) => *value = found,
            Err(Gap::Missing(missing)) => lacking.extend(missing),
            Err(other) => return Err(other),
        }
    }
    if lacking.is_empty() {
        Ok(values)
    } else {
        Err(Gap::Missing(lacking))
    }
}

/// (a / b) / (c / d).
fn double_ratio([a, b, c, d]: [Total; 4]) -> Result<Value, Gap> {
    let own = a.over(b).ok_or(Gap::DividesByZero)?;
    let world = c.over(d).ok_or(Gap::DividesByZero)?;
    let value = own.checked_div(world).ok_or(Gap::DividesByZero)?;
    Ok((value, None))
}

/// 1 − a / b.
fn one_less(a: Total, b: Total) -> Result<Value, Gap> {
    let share = a.over(b).ok_or(Gap::DividesByZero)?;
    Ok((Decimal::ONE - share, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(text: &str) -> Total {
        text.parse::<proto::Scaled>().expect("a decimal").into()
    }

    /// By hand: (20 / 100) / (300 / 3000) = 0.2 / 0.1 = 2.
    #[test]
    fn a_double_ratio_worked_by_hand() {
        let (value, _) = double_ratio(["20", "100", "300", "3000"].map(total)).expect("no zero");
        assert_eq!(ratio(value), "2");
    }

    /// By hand: 1 − |30 − 10| / 40 = 0.5.
    #[test]
    fn grubel_lloyd_worked_by_hand() {
        let (x, m) = (total("30"), total("10"));
        let (value, _) = one_less((x - m).abs(), x + m).expect("no zero");
        assert_eq!(ratio(value), "0.5");
        assert!(matches!(
            one_less(Total::ZERO, Total::ZERO),
            Err(Gap::DividesByZero)
        ));
    }
}
