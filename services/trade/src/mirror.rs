//! Mirror: what both sides publish about the same goods, next to each other and never merged.
//!
//! In each direction the exporter's exports stand against the importer's imports. With a the exporter's and b
//! the importer's figure, the gap is a − b, and the asymmetry (a − b) / mean(a, b). (SDMX cross-domain concept
//! `ASYMMETRY_COEFF`) An import at CIF is brought to FOB by FOB = CIF / (1 + t). (IMF, Direction of Trade
//! Statistics)

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use proto::trade::v1 as wire;
use proto::{Classification, Code, Country, Decimal, Flow, Period, Slug, Violations};
use proto::{format_decimal, parse_dataset_name, parse_timestamp, to_timestamp};
use store::{Micros, State};
use wire::{
    Asymmetry, EmptyReason, MirrorDirection, MirrorFigure, MirrorGap, MirrorLine, MissingFigure,
    ObservationFlag, Valuation,
};

use crate::absence::{Wanted, missing, missing_figure, unpublished};
use crate::amount::{Amount, Total, parse_share, ratio};
use crate::commodity;
use crate::error::Error;
use crate::goods::{Codes, Goods, find};
use crate::ranking::{parse_level, parse_top};
use crate::reading::{Line, Reading, Span};
use crate::sources::{Sources, bounded};

const DEFAULT_TOP: u32 = 20;
/// t in FOB = CIF / (1 + t) where none is asked for. (IMF, Direction of Trade Statistics)
const CIF_FOB: Decimal = Decimal::from_parts(6, 0, 0, false, 2);
const MAX_TOP: u32 = 1_000;

/// Which comparison.
#[derive(Debug)]
pub(crate) struct Query {
    first: Side,
    second: Side,
    span: Span,
    code: Code,
    level: Option<u8>,
    top: usize,
    /// t in FOB = CIF / (1 + t).
    cif_fob: Decimal,
    as_of: Option<Micros>,
}

/// A country's statistics in one dataset.
#[derive(Clone, Debug)]
struct Side {
    dataset: Slug,
    reporter: Country,
}

impl TryFrom<wire::MirrorSide> for Side {
    type Error = Violations;

    fn try_from(side: wire::MirrorSide) -> Result<Side, Violations> {
        let wire::MirrorSide { dataset, reporter } = side;
        let mut violations = Violations::new();
        let dataset = violations.check("dataset", parse_dataset_name(&dataset));
        let reporter = violations.check("reporter", reporter.parse());
        match (dataset, reporter) {
            (Some(dataset), Some(reporter)) => Ok(Side { dataset, reporter }),
            _ => Err(violations),
        }
    }
}

impl TryFrom<wire::GetMirrorRequest> for Query {
    type Error = Violations;

    fn try_from(request: wire::GetMirrorRequest) -> Result<Query, Violations> {
        let wire::GetMirrorRequest {
            first,
            second,
            period,
            basis,
            code,
            level,
            top,
            cif_fob_ratio,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let side = |side: Option<wire::MirrorSide>| {
            let side = side.ok_or_else(|| Violations::one("", "is required"));
            side.and_then(Side::try_from)
        };
        let as_of = as_of.as_ref().map(parse_timestamp).transpose();
        let first = violations.check_nested("first", side(first));
        let second = violations.check_nested("second", side(second));
        let span = Span::parse(&mut violations, &period, basis);
        let code = match code.as_str() {
            "" => Some(Code::TOTAL),
            given => violations.check("code", given.parse()),
        };
        let level = violations.check("level", below(code.unwrap_or(Code::TOTAL), level));
        let top = violations.check_nested("", parse_top(top, DEFAULT_TOP, MAX_TOP));
        let cif_fob = violations.check("cif_fob_ratio", parse_share(&cif_fob_ratio, CIF_FOB));
        let as_of = violations.check("as_of", as_of);
        if let (Some(first), Some(second)) = (&first, &second)
            && first.reporter == second.reporter
        {
            violations.push("second.reporter", "must be another country than the first");
        }
        let (Some(first), Some(second), Some(span), Some(code)) = (first, second, span, code)
        else {
            return Err(violations);
        };
        let (Some(level), Some(top), Some(cif_fob), Some(as_of)) = (level, top, cif_fob, as_of)
        else {
            return Err(violations);
        };
        violations.into_result(Query {
            first,
            second,
            span,
            code,
            level,
            top,
            cif_fob,
            as_of,
        })
    }
}

/// The level of the codes that are compared below `code`; 0 is none.
fn below(code: Code, level: i32) -> Result<Option<u8>, String> {
    if level == 0 {
        return Ok(None);
    }
    let level = parse_level(level)?;
    if level <= code.level() {
        return Err(format!("must have more digits than `code`, {code}"));
    }
    Ok(Some(level))
}

/// A comparison that is being made.
struct Making<'a> {
    query: &'a Query,
    sources: Sources,
}

/// One side's statistics about one flow with the other.
#[derive(Clone, Copy)]
struct Account<'a> {
    reading: &'a Reading<'a>,
    line: Line,
}

impl<'a> Account<'a> {
    fn new(reading: &'a Reading<'a>, of: &Side, with: &Side, flow: Flow) -> Account<'a> {
        let line = Line {
            reporter: of.reporter,
            partner: with.reporter,
            flow,
        };
        Account { reading, line }
    }
}

/// One side's value, as it stands in a line.
#[derive(Clone)]
struct Value<'a> {
    account: Account<'a>,
    /// `None` where it was computed from two flows.
    flow: Option<Flow>,
    amount: Amount,
    classification: Classification,
}

impl Value<'_> {
    fn valuation(&self) -> Valuation {
        let record = &self.account.reading.record;
        self.flow
            .map_or(Valuation::Unspecified, |flow| record.valuation(flow))
    }

    fn currency(&self) -> &str {
        &self.account.reading.record.currency_code
    }

    fn is_lower_bound(&self) -> bool {
        self.amount.flags.contains(ObservationFlag::LowerBound)
    }
}

/// One side's value, or what it would need.
type Counted<'a> = Result<Value<'a>, Lacking<'a>>;

/// Figures that are missing. Why is looked up only where it is told.
#[derive(Clone)]
enum Lacking<'a> {
    Periods(Account<'a>, Code, Vec<Period>),
    Named(Vec<MissingFigure>),
}

impl Lacking<'_> {
    fn named(self) -> Result<Vec<MissingFigure>, store::Error> {
        match self {
            Lacking::Periods(Account { reading, line }, code, periods) => {
                missing(reading, line, code, None, &periods)
            }
            Lacking::Named(missing) => Ok(missing),
        }
    }
}

/// Both sides' figures.
pub(crate) fn get(state: &State<'_>, query: &Query) -> Result<wire::Mirror, Error> {
    let first = Reading::open(state, &query.first.dataset, query.as_of)?;
    let second = Reading::open(state, &query.second.dataset, query.as_of)?;
    let account = |is_first: bool, flow| {
        if is_first {
            Account::new(&first, &query.first, &query.second, flow)
        } else {
            Account::new(&second, &query.second, &query.first, flow)
        }
    };
    let mut making = Making {
        query,
        sources: Sources::default(),
    };
    let of_first = making.both_flows(account(true, Flow::Export), account(true, Flow::Import))?;
    let of_second =
        making.both_flows(account(false, Flow::Export), account(false, Flow::Import))?;
    let first_to_second = making.direction(&of_first, &of_second)?;
    let second_to_first = making.direction(&of_second, &of_first)?;
    let stated = |first| making.value(account(first, Flow::TotalTrade), query.code);
    let a = turnover(query.code, stated(true)?, of_first)?;
    let b = turnover(query.code, stated(false)?, of_second)?;
    let turnover = making.line(query.code, a, b)?;
    let mirror = wire::Mirror {
        first: Some(to_wire(&query.first)),
        second: Some(to_wire(&query.second)),
        period: query.span.period.to_string(),
        basis: query.span.basis().into(),
        first_to_second: Some(first_to_second),
        second_to_first: Some(second_to_first),
        turnover: Some(turnover),
        cif_fob_ratio: format_decimal(query.cif_fob),
        sources: making.sources.into_list(),
    };
    Ok(bounded(mirror, "top")?)
}

fn to_wire(side: &Side) -> wire::MirrorSide {
    wire::MirrorSide {
        dataset: proto::dataset_name(&side.dataset),
        reporter: side.reporter.to_string(),
    }
}

impl Making<'_> {
    /// One side's exports and imports.
    fn both_flows<'a>(
        &self,
        exports: Account<'a>,
        imports: Account<'a>,
    ) -> Result<BothFlows<'a>, store::Error> {
        let code = self.query.code;
        Ok(BothFlows {
            exports: (exports, self.value(exports, code)?),
            imports: (imports, self.value(imports, code)?),
        })
    }

    fn direction(
        &mut self,
        from: &BothFlows<'_>,
        to: &BothFlows<'_>,
    ) -> Result<MirrorDirection, Error> {
        let ((exporter, a), (importer, b)) = (&from.exports, &to.imports);
        let total = self.line(self.query.code, a.clone(), b.clone())?;
        let (lines, omitted_lines) = match self.query.level {
            Some(level) => self.lines(*exporter, *importer, level)?,
            None => (Vec::new(), 0),
        };
        Ok(MirrorDirection {
            exporter: exporter.line.reporter.to_string(),
            importer: importer.line.reporter.to_string(),
            total: Some(total),
            lines,
            omitted_lines,
        })
    }

    fn value<'a>(&self, account: Account<'a>, code: Code) -> Result<Counted<'a>, store::Error> {
        let Account { reading, line } = account;
        let span = self.query.span;
        let found = find(reading, line, &Goods::Code(code), None, span)?;
        if let (Some(amount), Some(classification)) = (found.whole(), found.classification) {
            return Ok(Ok(Value {
                account,
                flow: Some(line.flow),
                amount: amount.clone(),
                classification,
            }));
        }
        Ok(Err(Lacking::Periods(account, code, found.missing)))
    }

    /// The codes of a level, the largest gap first, as many as were asked for; and how many more there are.
    fn lines<'a>(
        &mut self,
        exporter: Account<'a>,
        importer: Account<'a>,
        level: u8,
    ) -> Result<(Vec<MirrorLine>, i32), Error> {
        let a = self.by_code(exporter, level)?;
        let b = self.by_code(importer, level)?;
        let codes: BTreeSet<Code> = a.codes.keys().chain(b.codes.keys()).copied().collect();
        let gap = |code: &Code| match (a.value(*code), b.value(*code)) {
            (Ok(a), Ok(b)) if apart(*code, &a, &b).is_empty() => {
                Some((a.amount.value - b.amount.value).abs())
            }
            _ => None,
        };
        let mut codes: Vec<Code> = codes.into_iter().collect();
        codes.sort_by_cached_key(|code| (Reverse(gap(code)), *code));
        let omitted = codes.len().saturating_sub(self.query.top);
        codes.truncate(self.query.top);
        let mut lines = Vec::with_capacity(codes.len());
        for code in codes {
            let line = self.line(code, a.value(code), b.value(code))?;
            lines.push(line);
        }
        Ok((lines, i32::try_from(omitted).unwrap_or(i32::MAX)))
    }

    fn by_code<'a>(&self, account: Account<'a>, level: u8) -> Result<ByCode<'a>, store::Error> {
        let Account { reading, line } = account;
        let codes = Codes {
            level,
            within: Some(self.query.code),
        };
        let span = self.query.span;
        let found = codes.find(reading, line, None, span)?;
        let (classification, codes) = found.unzip();
        let unpublished = unpublished(
            reading,
            line.reporter,
            line.flow,
            level,
            classification,
            span,
        )?;
        let absence = match unpublished.first() {
            Some(period) => {
                let wanted = Wanted {
                    level,
                    classification,
                    ..Wanted::of_period(line, self.query.code, *period)
                };
                (*period, wanted.why_absent(reading)?)
            }
            None => (span.period, EmptyReason::NotReported),
        };
        Ok(ByCode {
            account,
            classification: classification.unwrap_or(Classification::Na),
            codes: codes.unwrap_or_default(),
            is_whole: unpublished.is_empty(),
            absence,
        })
    }

    fn line(&mut self, code: Code, a: Counted<'_>, b: Counted<'_>) -> Result<MirrorLine, Error> {
        let mut line = MirrorLine {
            code: code.to_string(),
            ..MirrorLine::default()
        };
        let named = a.as_ref().or(b.as_ref()).ok();
        if let Some(value) = named {
            let name = commodity::name(value.account.reading.state, value.classification, code)?;
            line.display_name = name.unwrap_or_default();
        }
        match (&a, &b) {
            (Ok(a), Ok(b)) => compare(&mut line, code, a, b, self.query.cif_fob),
            (a, b) => {
                let gaps = [
                    (a.is_err(), MirrorGap::ExporterMissing),
                    (b.is_err(), MirrorGap::ImporterMissing),
                ];
                let missing = gaps.into_iter().filter(|(missing, _)| *missing);
                line.gaps = missing.map(|(_, gap)| gap.into()).collect();
            }
        }
        line.exporter_figure = self.figure(a, &mut line.missing)?;
        line.importer_figure = self.figure(b, &mut line.missing)?;
        Ok(line)
    }

    fn figure(
        &mut self,
        value: Counted<'_>,
        lacking: &mut Vec<MissingFigure>,
    ) -> Result<Option<MirrorFigure>, store::Error> {
        let value = match value {
            Ok(value) => value,
            Err(missing) => {
                lacking.extend(missing.named()?);
                return Ok(None);
            }
        };
        let Account { reading, line } = value.account;
        Ok(Some(MirrorFigure {
            dataset: reading.name(),
            reporter: line.reporter.to_string(),
            partner: line.partner.to_string(),
            flow: value
                .flow
                .map(|flow| flow.to_wire().into())
                .unwrap_or_default(),
            classification: value.classification.to_string(),
            value: value.amount.value.to_string(),
            currency_code: value.currency().to_owned(),
            valuation: value.valuation().into(),
            flags: value.amount.flags.to_wire(),
            figures: i32::try_from(value.amount.figures).unwrap_or(i32::MAX),
            vintage: Some(to_timestamp(value.amount.vintage)),
            sources: self.sources.cite_all(reading, &value.amount.sources)?,
        }))
    }
}

/// One side's figures of all goods asked for.
struct BothFlows<'a> {
    exports: (Account<'a>, Counted<'a>),
    imports: (Account<'a>, Counted<'a>),
}

/// What a side gives as its turnover: stated, or else exports + imports.
fn turnover<'a>(
    code: Code,
    stated: Counted<'a>,
    of_side: BothFlows<'a>,
) -> Result<Counted<'a>, store::Error> {
    if stated.is_ok() {
        return Ok(stated);
    }
    match (of_side.exports.1, of_side.imports.1) {
        (Ok(mut x), Ok(m))
            if Goods::Code(code).counts_the_same(x.classification, m.classification) =>
        {
            x.amount.value += m.amount.value;
            x.amount.take_in(&m.amount);
            x.flow = None;
            Ok(Ok(x))
        }
        (Ok(_), Ok(_)) => Ok(stated),
        (Err(missing), Ok(_)) | (Ok(_), Err(missing)) => Ok(Err(missing)),
        (Err(x), Err(m)) => Ok(Err(Lacking::Named([x.named()?, m.named()?].concat()))),
    }
}

/// One side's figures by code.
struct ByCode<'a> {
    account: Account<'a>,
    classification: Classification,
    codes: HashMap<Code, Amount>,
    /// Whether every period of the span was published: else what there is of a code is not all of it.
    is_whole: bool,
    /// Why a code has no value, and for which period.
    absence: (Period, EmptyReason),
}

impl<'a> ByCode<'a> {
    fn value(&self, code: Code) -> Counted<'a> {
        if let Some(amount) = self.codes.get(&code).filter(|_| self.is_whole) {
            return Ok(Value {
                account: self.account,
                flow: Some(self.account.line.flow),
                amount: amount.clone(),
                classification: self.classification,
            });
        }
        let Account { reading, line } = self.account;
        let (period, reason) = self.absence;
        let missing = missing_figure(reading, line, code, period, reason);
        Err(Lacking::Named(vec![missing]))
    }
}

/// What keeps two values from having a gap.
fn apart(code: Code, a: &Value<'_>, b: &Value<'_>) -> Vec<MirrorGap> {
    let same = Goods::Code(code).counts_the_same(a.classification, b.classification);
    let bounded = a.is_lower_bound() || b.is_lower_bound();
    let checks = [
        (a.currency() != b.currency(), MirrorGap::CurrencyDiffers),
        (!same, MirrorGap::ClassificationDiffers),
        (bounded, MirrorGap::LowerBound),
    ];
    let apart = checks.into_iter().filter(|(apart, _)| *apart);
    apart.map(|(_, gap)| gap).collect()
}

/// Fills in what follows from both values.
fn compare(line: &mut MirrorLine, code: Code, a: &Value<'_>, b: &Value<'_>, cif_fob: Decimal) {
    let apart = apart(code, a, b);
    line.gaps = apart.into_iter().map(MirrorGap::into).collect();
    if !line.gaps.is_empty() {
        return;
    }
    let (exported, imported) = (a.amount.value, b.amount.value);
    line.gap = (exported - imported).to_string();
    line.asymmetry = asymmetry(exported, imported);
    if line.asymmetry.is_none() {
        line.gaps.push(MirrorGap::BothZero.into());
    }
    let is_cif_against_fob = a.valuation() == Valuation::Fob && b.valuation() == Valuation::Cif;
    let at_fob = imported.without(cif_fob).filter(|_| is_cif_against_fob);
    match at_fob {
        Some(at_fob) => {
            line.importer_at_fob = at_fob.to_string();
            line.gap_at_fob = (exported - at_fob).to_string();
            line.asymmetry_at_fob = asymmetry(exported, at_fob);
        }
        None => line.gaps.push(MirrorGap::ValuationNotStated.into()),
    }
}

/// (a − b) over the mean of both, over a, and over b; `None` when both are zero.
fn asymmetry(a: Total, b: Total) -> Option<Asymmetry> {
    let gap = a - b;
    let over = |base: Total| gap.over(base).map(ratio).unwrap_or_default();
    // (a − b) / ((a + b) / 2) is twice the gap over the sum.
    let of_mean = (gap + gap).over(a + b).map(ratio)?;
    Some(Asymmetry {
        of_mean,
        of_exporter: over(a),
        of_importer: over(b),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(text: &str) -> Total {
        text.parse::<proto::Scaled>().expect("a decimal").into()
    }

    /// By hand, from the figures of 2021: 14.0 − 8.2 = 5.8; 5.8 / 11.1 = 0.522523, 5.8 / 14 = 0.414286,
    /// 5.8 / 8.2 = 0.707317.
    #[test]
    fn the_gap_of_2021_by_three_denominators() {
        let found = asymmetry(total("14.0"), total("8.2")).expect("not zero");
        assert_eq!(found.of_mean, "0.522523");
        assert_eq!(found.of_exporter, "0.414286");
        assert_eq!(found.of_importer, "0.707317");
    }

    #[test]
    fn without_any_trade_there_is_no_ratio() {
        assert_eq!(asymmetry(Total::ZERO, Total::ZERO), None);
        let one_sided = asymmetry(total("3"), Total::ZERO).expect("not both zero");
        assert_eq!(one_sided.of_mean, "2");
        assert_eq!(one_sided.of_importer, "");
    }

    /// By hand: 106 / 1.06 = 100.
    #[test]
    fn freight_is_taken_off_an_import() {
        let at_fob = total("106").without(CIF_FOB);
        assert_eq!(at_fob, Some(total("100")));
    }
}
