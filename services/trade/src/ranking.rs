//! Ranking: partners of a reporter, goods or sectors of a pair, in the order of their values, with all that
//! makes up the total.
//!
//! What is ranked is gathered in one pass over the blocks of the period and of the one a year before: for
//! partners one look a partner, for goods one a chapter. So the cost follows what is ranked, not how long the
//! series are.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use proto::trade::v1 as wire;
use proto::{Classification, Code, Country, Flow, Period, Slug, Violations};
use proto::{parse_dataset_name, parse_timestamp, sector_name};
use store::{Micros, State};
use wire::{GrowthGap, MissingFigure, RankedEntry, ShareOf, growth::Outcome};

use crate::absence::{Wanted, any_partner, missing_figure, unpublished};
use crate::amount::{Amount, Concentration, Total, shares};
use crate::convert::Converted;
use crate::error::Error;
use crate::goods::{Amounts, Asked, ByCode, Codes, Found, Gathered, Goods};
use crate::goods::{amounts, find, select};
use crate::growth::{self, Side};
use crate::reading::{Line, Reading, Span, Year, Years, standing};
use crate::sources::{Sources, bounded};
use crate::{commodity, sector};

const DEFAULT_TOP: u32 = 10;
const MAX_TOP: u32 = 1_000;
/// Sectors that one ranking looks at.
const MAX_SECTORS: usize = 200;

/// Which ranking.
#[derive(Debug)]
pub(crate) struct Query {
    dataset: Slug,
    reporter: Country,
    flow: Flow,
    ranked: Ranked,
    classification: Option<Classification>,
    span: Span,
    top: usize,
    as_of: Option<Micros>,
}

/// What is ranked.
#[derive(Debug)]
enum Ranked {
    /// The partners with whom some goods are traded.
    Partners(Asked),
    /// Codes of a level, of all goods or within one shorter code.
    Commodities {
        partner: Country,
        codes: Codes,
    },
    Sectors {
        partner: Country,
    },
}

impl Query {
    fn line(&self, partner: Country) -> Line {
        Line {
            reporter: self.reporter,
            partner,
            flow: self.flow,
        }
    }
}

impl TryFrom<wire::RankPartnersRequest> for Query {
    type Error = Violations;

    fn try_from(request: wire::RankPartnersRequest) -> Result<Query, Violations> {
        let wire::RankPartnersRequest {
            parent,
            reporter,
            flow,
            code,
            sector,
            classification,
            period,
            basis,
            top,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let goods = Asked::parse(&mut violations, &code, &sector, Some(Code::TOTAL));
        let frame = Frame {
            parent,
            reporter,
            flow,
            classification,
            period,
            basis,
            top,
            as_of,
        };
        frame.parse(violations, goods.map(Ranked::Partners))
    }
}

impl TryFrom<wire::RankCommoditiesRequest> for Query {
    type Error = Violations;

    fn try_from(request: wire::RankCommoditiesRequest) -> Result<Query, Violations> {
        let wire::RankCommoditiesRequest {
            parent,
            reporter,
            partner,
            flow,
            level,
            within,
            sectors,
            classification,
            period,
            basis,
            top,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let partner = violations.check("partner", partner.parse());
        let ranked = if sectors {
            if level != 0 || !within.is_empty() {
                violations.push("sectors", "are ranked without `level` and `within`");
            }
            partner.map(|partner| Ranked::Sectors { partner })
        } else {
            let codes = codes(&mut violations, level, &within);
            let both = partner.zip(codes);
            both.map(|(partner, codes)| Ranked::Commodities { partner, codes })
        };
        let frame = Frame {
            parent,
            reporter,
            flow,
            classification,
            period,
            basis,
            top,
            as_of,
        };
        frame.parse(violations, ranked)
    }
}

fn codes(violations: &mut Violations, level: i32, within: &str) -> Option<Codes> {
    let level = violations.check("level", parse_level(level));
    let within = (!within.is_empty())
        .then(|| within.parse::<Code>())
        .transpose();
    let within = violations.check("within", within)?;
    let level = level?;
    match within {
        Some(code) if code.is_total() || code.level() >= level => {
            violations.push(
                "within",
                format!("must have fewer digits than `level`, {level}"),
            );
            None
        }
        within => Some(Codes { level, within }),
    }
}

/// Digits of codes that are compared with each other: 2, 4 or 6.
pub(crate) fn parse_level(level: i32) -> Result<u8, &'static str> {
    match level {
        2 => Ok(2),
        4 => Ok(4),
        6 => Ok(6),
        _ => Err("must be 2, 4 or 6"),
    }
}

/// What both questions have in common.
struct Frame {
    parent: String,
    reporter: String,
    flow: i32,
    classification: String,
    period: String,
    basis: i32,
    top: i32,
    as_of: Option<prost_types::Timestamp>,
}

impl Frame {
    fn parse(
        self,
        mut violations: Violations,
        ranked: Option<Ranked>,
    ) -> Result<Query, Violations> {
        let classification = &self.classification;
        let classification = (!classification.is_empty()).then(|| classification.parse());
        let as_of = self.as_of.as_ref().map(parse_timestamp).transpose();
        let dataset = violations.check("parent", parse_dataset_name(&self.parent));
        let reporter = violations.check("reporter", self.reporter.parse());
        let flow = violations.check("flow", Flow::from_wire(self.flow));
        let classification = violations.check("classification", classification.transpose());
        let span = Span::parse(&mut violations, &self.period, self.basis);
        let top = violations.check_nested("", parse_top(self.top, DEFAULT_TOP, MAX_TOP));
        let as_of = violations.check("as_of", as_of);
        let (Some(dataset), Some(reporter), Some(flow), Some(ranked)) =
            (dataset, reporter, flow, ranked)
        else {
            return Err(violations);
        };
        let (Some(classification), Some(span), Some(top), Some(as_of)) =
            (classification, span, top, as_of)
        else {
            return Err(violations);
        };
        violations.into_result(Query {
            dataset,
            reporter,
            flow,
            ranked,
            classification,
            span,
            top,
            as_of,
        })
    }
}

/// How many entries: 0 asks for `default`, more than `max` gets `max`.
pub(crate) fn parse_top(top: i32, default: u32, max: u32) -> Result<usize, Violations> {
    let negative = |_| Violations::one("top", format!("{top} is negative"));
    let top = proto::page_size(top, default, max).map_err(negative)?;
    Ok(top as usize)
}

/// What is ranked, by which its values are gathered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Partner(Country),
    Code(Code),
    Sector(Slug),
}

impl Key {
    fn text(&self) -> String {
        match self {
            Key::Partner(country) => country.to_string(),
            Key::Code(code) => code.to_string(),
            Key::Sector(id) => sector_name(id),
        }
    }
}

/// The value of what is ranked in one span.
#[derive(Clone, Debug)]
struct Value {
    amount: Amount,
    classification: Classification,
    conversion: Option<Arc<Converted>>,
}

/// What was found of all that is ranked.
#[derive(Debug, Default)]
struct Values {
    found: HashMap<Key, Value>,
    /// Those whose goods are no goods as a whole in the classification of the figures.
    split: BTreeMap<Key, Arc<Converted>>,
}

impl Values {
    /// The newest classification of any.
    fn newest(&self) -> Option<Classification> {
        let classifications = self.found.values().map(|value| value.classification);
        classifications.max_by_key(|c| standing(*c))
    }

    fn put(&mut self, key: Key, found: Found) {
        if let (Some(amount), Some(classification)) = (found.amount, found.classification) {
            let value = Value {
                amount,
                classification,
                conversion: found.conversion,
            };
            self.found.insert(key, value);
        } else if let Some(conversion) = found.conversion {
            self.split.insert(key, conversion);
        }
    }
}

/// A ranking that is being made.
struct Making<'a> {
    query: &'a Query,
    reading: &'a Reading<'a>,
    read: Read,
}

/// What was read of all that is ranked, of the span and of the year before at once.
enum Read {
    ByKey(Vec<(Key, Line, Goods, Amounts)>),
    ByCode(Gathered),
}

/// Reads what is ranked. Groups of countries and the world hold others, and are no partners here.
fn read(query: &Query, reading: &Reading<'_>, goods: &Goods) -> Result<Read, store::Error> {
    let times = Years::of(query.span).times();
    let mut by_key = Vec::new();
    match &query.ranked {
        Ranked::Partners(_) => {
            for partner in reading.partners(query.reporter) {
                let partner = partner?;
                if partner.stands_beside_others() {
                    let line = query.line(partner);
                    let amounts = amounts(reading, line, goods, times)?;
                    by_key.push((Key::Partner(partner), line, goods.clone(), amounts));
                }
            }
        }
        Ranked::Commodities { partner, codes } => {
            let line = query.line(*partner);
            return Ok(Read::ByCode(codes.gather(
                reading,
                line,
                Years::of(query.span),
            )?));
        }
        Ranked::Sectors { partner } => {
            let line = query.line(*partner);
            for sector in sector::all(reading.state, reading.as_of, MAX_SECTORS)? {
                let key = Key::Sector(sector.id.clone());
                let goods = Goods::from(sector);
                let amounts = amounts(reading, line, &goods, times)?;
                by_key.push((key, line, goods, amounts));
            }
        }
    }
    Ok(Read::ByKey(by_key))
}

impl Making<'_> {
    /// The level of detail that the reporter must have published.
    fn level(&self, goods: &Goods) -> u8 {
        match &self.query.ranked {
            Ranked::Commodities { codes, .. } => codes.level,
            Ranked::Partners(_) => goods.level(),
            Ranked::Sectors { .. } => 6,
        }
    }

    /// The values of a year before, of the same goods where it has them: under the classification of the
    /// values that they are compared with.
    fn base(&self, goods: &Goods, span: Span, now: &Values) -> Result<Values, Error> {
        if let Some(under) = self.ranked_under(goods, now) {
            let same = self.values(goods, span, Some(under))?;
            if !same.found.is_empty() {
                return Ok(same);
            }
        }
        self.values(goods, span, self.query.classification)
    }

    /// The classification of codes that are ranked; of totals and sectors, only what was asked for.
    fn ranked_under(&self, goods: &Goods, values: &Values) -> Option<Classification> {
        match (&self.query.ranked, goods) {
            (Ranked::Commodities { .. }, _) => values.newest(),
            (Ranked::Partners(_), Goods::Code(code)) if !code.is_total() => values.newest(),
            (Ranked::Partners(_) | Ranked::Sectors { .. }, _) => None,
        }
        .or(self.query.classification)
    }

    /// What is ranked in a span, all of the same goods.
    fn values(
        &self,
        goods: &Goods,
        span: Span,
        asked: Option<Classification>,
    ) -> Result<Values, Error> {
        let read = match &self.read {
            Read::ByKey(read) => read,
            Read::ByCode(gathered) => {
                let year = if span == self.query.span {
                    Year::Now
                } else {
                    Year::Before
                };
                let found = gathered.clone().take(year, asked);
                return Ok(found.map_or_else(Values::default, by_code));
            }
        };
        let mut values = Values::default();
        for (key, line, goods, amounts) in read {
            let found = select(self.reading, *line, goods, asked, span, amounts)?;
            values.put(key.clone(), found);
        }
        if let (Ranked::Partners(_), Goods::Code(_), Some(newest)) =
            (&self.query.ranked, goods, values.newest())
        {
            let found = &mut values.found;
            found.retain(|_, value| goods.counts_the_same(value.classification, newest));
        }
        Ok(values)
    }

    /// The published figure that the parts make up, where there is one; of the same goods as they.
    fn published_total(&self, goods: &Goods, values: &Values) -> Result<Option<Amount>, Error> {
        let (line, goods) = match &self.query.ranked {
            Ranked::Partners(_) => (self.query.line(Country::WORLD), goods.clone()),
            Ranked::Commodities { partner, codes } => {
                let whole = codes.within.unwrap_or(Code::TOTAL);
                (self.query.line(*partner), Goods::Code(whole))
            }
            Ranked::Sectors { partner } => (self.query.line(*partner), Goods::Code(Code::TOTAL)),
        };
        let asked = match &goods {
            Goods::Code(code) if !code.is_total() => self.ranked_under(&goods, values),
            Goods::Code(_) | Goods::Group { .. } => self.query.classification,
        };
        let found = find(self.reading, line, &goods, asked, self.query.span)?;
        let both = found.classification.zip(values.newest());
        let same = both.is_some_and(|(total, parts)| goods.counts_the_same(total, parts));
        let same = same || matches!(goods, Goods::Group { .. });
        Ok(found.whole().filter(|_| same).cloned())
    }

    /// Months that the reporter did not publish at this level, of the span or of the one a year before.
    fn missing(
        &self,
        goods: &Goods,
        span: Option<Span>,
        under: Option<Classification>,
    ) -> Result<Vec<MissingFigure>, Error> {
        let Some(span) = span.filter(|span| span.sums_months) else {
            return Ok(Vec::new());
        };
        let level = self.level(goods);
        let (reporter, flow) = (self.query.reporter, self.query.flow);
        let periods = unpublished(self.reading, reporter, flow, level, under, span)?;
        let mut missing = Vec::new();
        for period in periods {
            let wanted = Wanted {
                classification: under,
                ..self.wanted(goods, period)?
            };
            let (line, code) = (self.all_together(wanted.line), wanted.code);
            let reason = wanted.why_absent(self.reading)?;
            missing.push(missing_figure(self.reading, line, code, period, reason));
        }
        Ok(missing)
    }

    /// The line that is named where something of all partners is missing.
    fn all_together(&self, line: Line) -> Line {
        match &self.query.ranked {
            Ranked::Partners(_) => self.query.line(Country::WORLD),
            Ranked::Commodities { .. } | Ranked::Sectors { .. } => line,
        }
    }

    /// What stands for all that is ranked, where something of a period is missing.
    fn wanted(&self, goods: &Goods, period: Period) -> Result<Wanted, store::Error> {
        let code = match goods {
            Goods::Code(code) => *code,
            Goods::Group { codes, .. } => codes.first().copied().unwrap_or(Code::TOTAL),
        };
        Ok(match &self.query.ranked {
            Ranked::Partners(_) => {
                let (reporter, flow) = (self.query.reporter, self.query.flow);
                let partner = any_partner(self.reading, reporter, flow, code)?;
                Wanted::of_period(self.query.line(partner), code, period)
            }
            Ranked::Commodities { partner, codes } => {
                let within = codes.within.unwrap_or(Code::TOTAL);
                Wanted {
                    level: codes.level,
                    ..Wanted::of_period(self.query.line(*partner), within, period)
                }
            }
            Ranked::Sectors { partner } => {
                Wanted::of_period(self.query.line(*partner), Code::TOTAL, period)
            }
        })
    }
}

/// One value a code, all under one classification.
fn by_code((classification, codes): ByCode) -> Values {
    let value = |(code, amount)| {
        let value = Value {
            amount,
            classification,
            conversion: None,
        };
        (Key::Code(code), value)
    };
    Values {
        found: codes.into_iter().map(value).collect(),
        split: BTreeMap::new(),
    }
}

/// A ranking.
pub(crate) fn get(state: &State<'_>, query: &Query) -> Result<wire::Ranking, Error> {
    let reading = Reading::open(state, &query.dataset, query.as_of)?;
    let goods = match &query.ranked {
        Ranked::Partners(goods) => goods.goods(&reading)?,
        Ranked::Commodities { .. } | Ranked::Sectors { .. } => Goods::Code(Code::TOTAL),
    };
    let making = Making {
        query,
        reading: &reading,
        read: read(query, &reading, &goods)?,
    };
    let base_span = query.span.year_before();
    let values = making.values(&goods, query.span, query.classification)?;
    let base = match base_span {
        Some(span) if !values.found.is_empty() => making.base(&goods, span, &values)?,
        Some(_) | None => Values::default(),
    };
    let under = making.ranked_under(&goods, &values);
    let under_before = making.ranked_under(&goods, &base).or(under);
    let mut missing = making.missing(&goods, Some(query.span), under)?;
    missing.extend(making.missing(&goods, base_span, under_before)?);
    let mut ranking = frame(query, &reading);
    if values.found.is_empty() {
        let wanted = Wanted {
            frequency: query.span.frequency(),
            classification: query.classification,
            ..making.wanted(&goods, query.span.period)?
        };
        ranking.empty_reason = wanted.why_absent(&reading)?.into();
        ranking.missing = missing;
        ranking.conversion = values.split.into_values().next().map(|c| c.of_figures());
        return Ok(ranking);
    }
    let total = making.published_total(&goods, &values)?;
    let like_for_like = missing.is_empty();
    ranking.missing = missing;
    fill(&mut ranking, &making, total, values, &base, like_for_like)?;
    Ok(bounded(ranking, "top")?)
}

fn frame(query: &Query, reading: &Reading<'_>) -> wire::Ranking {
    let mut ranking = wire::Ranking {
        dataset: reading.name(),
        reporter: query.reporter.to_string(),
        flow: query.flow.to_wire().into(),
        period: query.span.period.to_string(),
        basis: query.span.basis().into(),
        base_period: query
            .span
            .year_before()
            .map(|span| span.period.to_string())
            .unwrap_or_default(),
        currency_code: reading.record.currency_code.clone(),
        valuation: reading.record.valuation(query.flow).into(),
        ..wire::Ranking::default()
    };
    match &query.ranked {
        Ranked::Partners(goods) => {
            ranking.code = goods.code();
            ranking.sector = goods.sector();
        }
        Ranked::Commodities { partner, codes } => {
            ranking.partner = partner.to_string();
            ranking.level = i32::from(codes.level);
            let within = codes.within.map(|code| code.to_string());
            ranking.code = within.unwrap_or_default();
        }
        Ranked::Sectors { partner } => ranking.partner = partner.to_string(),
    }
    ranking
}

/// Values in their order: the largest first, equal ones by their keys as they are told.
fn in_order(found: HashMap<Key, Value>) -> Vec<(Key, Value)> {
    let mut values: Vec<(Key, Value)> = found.into_iter().collect();
    values.sort_unstable_by(|(a, of_a), (b, of_b)| {
        let by_value = of_b.amount.value.cmp(&of_a.amount.value);
        by_value.then_with(|| a.text().cmp(&b.text()))
    });
    values
}

fn fill(
    ranking: &mut wire::Ranking,
    making: &Making<'_>,
    published: Option<Amount>,
    values: Values,
    base: &Values,
    like_for_like: bool,
) -> Result<(), Error> {
    let overlap = matches!(making.query.ranked, Ranked::Sectors { .. });
    let newest = values.newest();
    let Values { found, split } = values;
    let values = in_order(found);
    let sum: Total = values.iter().map(|(_, value)| value.amount.value).sum();
    let top = making.query.top.min(values.len());
    let total = published.as_ref().map_or(sum, |published| published.value);
    let beyond: Total = values[top..]
        .iter()
        .map(|(_, value)| value.amount.value)
        .sum();
    let unallocated = if overlap { Total::ZERO } else { total - sum };
    let mut parts: Vec<Total> = values[..top]
        .iter()
        .map(|(_, value)| value.amount.value)
        .collect();
    parts.extend(
        (!overlap)
            .then_some([beyond, unallocated])
            .into_iter()
            .flatten(),
    );
    let shares = shares(&parts, total).unwrap_or_default();
    let share = |place: usize| shares.get(place).map(Total::to_string).unwrap_or_default();
    let remainder = |value: Total, place: usize, parts: usize| wire::Remainder {
        value: value.to_string(),
        share: share(place),
        parts: i32::try_from(parts).unwrap_or(i32::MAX),
    };

    if !overlap {
        let concentration = Concentration::of(values.iter().map(|(_, value)| value.amount.value));
        ranking.concentration = concentration.map(|found| found.to_wire());
        ranking.rest = (top < values.len()).then(|| remainder(beyond, top, values.len() - top));
        ranking.unallocated = (!unallocated.is_zero()).then(|| remainder(unallocated, top + 1, 0));
        ranking.sum_of_parts = sum.to_string();
    }
    ranking.share_of = match &published {
        _ if shares.is_empty() => ShareOf::Unspecified,
        Some(_) => ShareOf::PublishedTotal,
        None => ShareOf::SumOfParts,
    }
    .into();
    ranking.published_total = published.map(|p| p.value.to_string()).unwrap_or_default();
    ranking.classification = newest.map(|c| c.to_string()).unwrap_or_default();
    if let Ranked::Partners(Asked::Sector(_)) = making.query.ranked {
        let conversion = values
            .iter()
            .find_map(|(_, value)| value.conversion.as_ref());
        ranking.conversion = conversion.map(|converted| converted.of_figures());
    }

    let places = places(base);
    let mut sources = Sources::default();
    for (place, (key, value)) in values.iter().take(top).enumerate() {
        let growth = making.growth(value, base.found.get(key), like_for_like);
        ranking.entries.push(RankedEntry {
            rank: i32::try_from(place + 1).unwrap_or(i32::MAX),
            key: key.text(),
            display_name: making.display_name(key, value.classification)?,
            value: value.amount.value.to_string(),
            share: share(place),
            growth,
            rank_before: places.get(key).copied().unwrap_or_default(),
            flags: value.amount.flags.to_wire(),
            figures: i32::try_from(value.amount.figures).unwrap_or(i32::MAX),
            sources: sources.cite_all(making.reading, &value.amount.sources)?,
            conversion: value
                .conversion
                .as_ref()
                .filter(|_| overlap)
                .map(|converted| converted.of_figures()),
        });
    }
    let split = split.iter().filter(|_| overlap);
    ranking
        .entries
        .extend(split.map(|(key, conversion)| RankedEntry {
            key: key.text(),
            conversion: Some(conversion.of_figures()),
            ..RankedEntry::default()
        }));
    ranking.sources = sources.into_list();
    Ok(())
}

/// The place of each in the ranking a year before.
fn places(base: &Values) -> HashMap<Key, i32> {
    let ordered = in_order(base.found.clone());
    let keys = ordered.into_iter().map(|(key, _)| key);
    keys.zip(1..).collect()
}

impl Making<'_> {
    /// Growth over the year before; unless every month of both was published, there is none.
    fn growth(
        &self,
        now: &Value,
        base: Option<&Value>,
        like_for_like: bool,
    ) -> Option<wire::Growth> {
        let base_span = self.query.span.year_before()?;
        let is_total =
            matches!(&self.query.ranked, Ranked::Partners(Asked::Code(code)) if code.is_total());
        let side = |value: &Value| Side {
            value: value.amount.value,
            flags: value.amount.flags,
            classification: value.classification,
        };
        let outcome = match base {
            None => Err(GrowthGap::BaseNotPublished),
            Some(_) if !like_for_like => Err(GrowthGap::MonthsMissing),
            Some(base) if is_converted(now, base) => same_goods(side(now), side(base)),
            Some(base) => growth::ratio(is_total, side(now), side(base)),
        };
        Some(wire::Growth {
            base_period: base_span.period.to_string(),
            outcome: Some(match outcome {
                Ok(ratio) => Outcome::Ratio(ratio),
                Err(gap) => Outcome::Gap(gap.into()),
            }),
            missing: Vec::new(),
            base_sources: Vec::new(),
        })
    }

    fn display_name(&self, key: &Key, classification: Classification) -> Result<String, Error> {
        Ok(match key {
            Key::Partner(country) => country.name().to_owned(),
            Key::Code(code) => {
                commodity::name(self.reading.state, classification, *code)?.unwrap_or_default()
            }
            Key::Sector(id) => sector::find(self.reading.state, id, self.reading.as_of)?.title(),
        })
    }
}

/// Whether a sector's codes were brought, as a whole, to the revisions of both figures.
fn is_converted(now: &Value, base: &Value) -> bool {
    now.conversion.is_some() || base.conversion.is_some()
}

fn same_goods(now: Side, base: Side) -> Result<String, GrowthGap> {
    growth::ratio(
        true,
        now,
        Side {
            classification: now.classification,
            ..base
        },
    )
}

impl Concentration {
    pub(crate) fn to_wire(&self) -> wire::Concentration {
        wire::Concentration {
            hhi: proto::format_decimal(self.hhi),
            hhi_normalised: self
                .normalised
                .map(proto::format_decimal)
                .unwrap_or_default(),
            parts: i32::try_from(self.parts).unwrap_or(i32::MAX),
        }
    }
}
