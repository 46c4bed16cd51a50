//! A statement held against the observations of each side.
//!
//! A side is a country's figures in one dataset. Of each, the figure of the statement's time is looked for: as
//! published, else the sum of what it is made of (exports + imports for a turnover, months for a part of a
//! year, partners for a group of them). Its growth is measured the same way. Where a figure is missing, those
//! of longer and shorter times still bound it: a part of a time cannot have more trade than the whole.
//!
//! A figure that is itself only implied, or that nobody could verify, is no evidence: it may be the very
//! statement in the form of an observation. Nor does one support a statement that is known from the very
//! document in which it was made; it may still contradict it.

use std::collections::BTreeSet;

use proto::trade::v1 as wire;
use proto::{Code, Country, Decimal, Document, Flow, Period, Slug, Violations};
use proto::{format_decimal, observation_name};
use proto::{parse_dataset_name, parse_statement_name, parse_timestamp};
use store::{Micros, State};
use wire::check_statement_request::Subject;
use wire::{
    BoundCheck, EmptyReason, GrowthCheck, GrowthGap, MissingFigure, ObservationFlag, SideCheck,
    SideOutcome, StatedMeasure, StatementCheck, Term, ValueCheck, Verdict,
};

use crate::amount::{Total, change, parse_share, ratio};
use crate::dataset;
use crate::error::Error;
use crate::evidence::{Observation, Observed, Side, Sought};
use crate::reading::Reading;
use crate::sources::{Sources, bounded};
use crate::statement::{self, Statement};

/// Bounds that are told of a side's value, and of its base.
const MAX_BOUNDS: usize = 24;
/// Pairs of datasets that a stated gap is held against.
const MAX_PAIRS: usize = 100;
/// Datasets that one check looks at.
const MAX_DATASETS: usize = 50;

/// Which statement, held against what.
#[derive(Debug)]
pub(crate) struct Query {
    subject: Asked,
    datasets: Vec<Slug>,
    tolerance: Decimal,
    as_of: Option<Micros>,
}

#[derive(Debug)]
enum Asked {
    Stored(Slug),
    Given(Box<wire::Statement>),
}

impl TryFrom<wire::CheckStatementRequest> for Query {
    type Error = Violations;

    fn try_from(request: wire::CheckStatementRequest) -> Result<Query, Violations> {
        let wire::CheckStatementRequest {
            subject,
            datasets,
            tolerance,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let subject = match subject {
            Some(Subject::Name(name)) => violations
                .check("name", parse_statement_name(&name))
                .map(Asked::Stored),
            Some(Subject::Statement(given)) => violations
                .check_nested("statement", Statement::parse(given.clone()))
                .map(|_| Asked::Given(Box::new(given))),
            None => {
                violations.push("name", "a stored statement, or `statement`, is required");
                None
            }
        };
        let datasets = violations.check_nested("datasets", parse_datasets(&datasets));
        let tolerance = violations.check("tolerance", parse_share(&tolerance, Decimal::new(5, 3)));
        let as_of = as_of.as_ref().map(parse_timestamp).transpose();
        let as_of = violations.check("as_of", as_of);
        let (Some(subject), Some(datasets), Some(tolerance), Some(as_of)) =
            (subject, datasets, tolerance, as_of)
        else {
            return Err(violations);
        };
        violations.into_result(Query {
            subject,
            datasets,
            tolerance,
            as_of,
        })
    }
}

fn parse_datasets(names: &[String]) -> Result<Vec<Slug>, Violations> {
    let mut violations = Violations::new();
    if names.len() > MAX_DATASETS {
        let count = names.len();
        violations.push("", format!("{count} datasets; at most {MAX_DATASETS}"));
        return Err(violations);
    }
    let mut datasets = Vec::with_capacity(names.len());
    for name in names {
        datasets.extend(violations.check("", parse_dataset_name(name)));
    }
    violations.into_result(datasets)
}

/// What a statement claims, as numbers.
#[derive(Debug)]
struct Claim<'a> {
    statement: &'a Statement,
    tolerance: Decimal,
    value: Total,
    lowest: Total,
    /// `None`: the statement is a lower bound.
    highest: Option<Total>,
    /// value / (1 + growth), its period, and the range that rounding and tolerance leave it.
    base: Option<Base>,
}

#[derive(Clone, Copy, Debug)]
struct Base {
    value: Total,
    period: Period,
    lowest: Total,
    highest: Option<Total>,
}

impl<'a> Claim<'a> {
    fn new(statement: &'a Statement, tolerance: Decimal) -> Option<Claim<'a>> {
        let value = statement.value.amount;
        let half = statement.value_precision.unwrap_or_default() / Decimal::TWO;
        let lower_bound = statement.flags.contains(&ObservationFlag::LowerBound);
        let (lowest, highest) = (value - half, value + half);
        let lowest = lowest - lowest.abs() * tolerance;
        let highest = highest + highest.abs() * tolerance;
        // A gap may be below zero; trade is not.
        let lowest = match statement.measure {
            StatedMeasure::MirrorGap => lowest,
            StatedMeasure::Unspecified
            | StatedMeasure::Turnover
            | StatedMeasure::Exports
            | StatedMeasure::Imports => lowest.max(Decimal::ZERO),
        };
        let highest = (!lower_bound).then_some(highest);
        Some(Claim {
            statement,
            tolerance,
            value: Total::rounded(value)?,
            lowest: Total::rounded(lowest)?,
            highest: match highest {
                Some(highest) => Some(Total::rounded(highest)?),
                None => None,
            },
            base: implied_base(statement, value, lowest, highest),
        })
    }

    fn fits(&self, observed: Total) -> SideOutcome {
        let fits =
            observed >= self.lowest && self.highest.is_none_or(|highest| observed <= highest);
        outcome(fits)
    }
}

fn outcome(fits: bool) -> SideOutcome {
    if fits {
        SideOutcome::Fits
    } else {
        SideOutcome::Contradicts
    }
}

/// value / (1 + growth), and the same from both ends of what value and growth may have been rounded from.
fn implied_base(
    statement: &Statement,
    value: Decimal,
    lowest: Decimal,
    highest: Option<Decimal>,
) -> Option<Base> {
    let growth = statement.growth?;
    let half = statement.growth_precision.unwrap_or_default() / Decimal::TWO;
    let before = |value: Decimal, growth: Decimal| {
        let divided = value.checked_div(Decimal::ONE + growth)?;
        Total::rounded(divided).filter(|base| !base.is_negative())
    };
    Some(Base {
        value: before(value, growth)?,
        period: statement.period.year_before()?,
        lowest: before(lowest, growth + half)?,
        highest: highest.and_then(|highest| before(highest, growth - half)),
    })
}

/// What a statement says of a time: its own value, or the base that its growth implies.
#[derive(Clone, Copy)]
struct Expected {
    period: Period,
    lowest: Total,
    highest: Option<Total>,
    of_base: bool,
}

impl Expected {
    /// Whether a figure of a time that holds this one, or lies within it, cannot be true beside it.
    fn is_contradicted(&self, contains: bool, observed: &Observed<'_>) -> bool {
        if contains {
            // The whole has less than the part is said to have.
            let is_bound = observed.flags().contains(ObservationFlag::LowerBound);
            observed.value < self.lowest && !is_bound
        } else {
            self.highest.is_some_and(|highest| observed.value > highest)
        }
    }
}

/// A check that is being made.
struct Making<'a> {
    claim: &'a Claim<'a>,
    /// Where the statement was made.
    said_in: Option<Document>,
    sources: Sources,
}

/// A statement, held against every side that it may be about.
pub(crate) fn get(state: &State<'_>, query: &Query) -> Result<StatementCheck, Error> {
    let told = match &query.subject {
        Asked::Stored(id) => statement::find(state, id, query.as_of)?,
        Asked::Given(given) => wire::Statement::clone(given),
    };
    let statement = &Statement::parse(told.clone())?;
    let too_large = || Violations::one("statement.value", "is too large to be reckoned with");
    let claim = Claim::new(statement, query.tolerance).ok_or_else(too_large)?;
    let mut making = Making {
        claim: &claim,
        said_in: told.source.as_ref().map(Document::of),
        sources: Sources::default(),
    };
    let mut sides = Vec::new();
    for id in datasets(state, query, statement)? {
        let reading = Reading::open(state, &id, query.as_of)?;
        making.sides(&reading, !query.datasets.is_empty(), &mut sides)?;
    }
    if statement.measure == StatedMeasure::MirrorGap {
        sides = making.mirror_gaps(state, query)?;
    }
    let verdict = verdict(&sides);
    let missing = if sides.is_empty() {
        nowhere(statement)
    } else {
        Vec::new()
    };
    let base = claim.base;
    let text = |total: Option<Total>| total.map(|t| t.to_string()).unwrap_or_default();
    let check = StatementCheck {
        statement: Some(told),
        verdict: verdict.into(),
        tolerance: format_decimal(query.tolerance),
        lowest_value: claim.lowest.to_string(),
        highest_value: text(claim.highest),
        implied_base: text(base.map(|base| base.value)),
        implied_base_period: base.map(|base| base.period.to_string()).unwrap_or_default(),
        sides,
        sources: making.sources.into_list(),
        missing,
    };
    Ok(bounded(check, "datasets")?)
}

/// The datasets asked for, or the first of those that have figures of the pair.
fn datasets(state: &State<'_>, query: &Query, statement: &Statement) -> Result<Vec<Slug>, Error> {
    if !query.datasets.is_empty() {
        return Ok(query.datasets.clone());
    }
    let mut covering = Vec::new();
    for id in dataset::ids(state, query.as_of)? {
        let reading = Reading::open(state, &id, query.as_of)?;
        let has = |of: Country, with: Country| reading.covers(of, with);
        let mut partners = statement.partners.iter().copied();
        if partners.any(|with| has(statement.country, with) || has(with, statement.country)) {
            covering.push(id);
        }
        if covering.len() == MAX_DATASETS {
            break;
        }
    }
    Ok(covering)
}

/// The figures that no dataset has.
fn nowhere(statement: &Statement) -> Vec<MissingFigure> {
    let flow = match statement.measure {
        StatedMeasure::Exports | StatedMeasure::MirrorGap => Flow::Export,
        StatedMeasure::Imports => Flow::Import,
        StatedMeasure::Turnover | StatedMeasure::Unspecified => Flow::TotalTrade,
    };
    let missing = |partner: &Country| MissingFigure {
        dataset: String::new(),
        reporter: statement.country.to_string(),
        partner: partner.to_string(),
        flow: flow.to_wire().into(),
        code: Code::TOTAL.to_string(),
        period: statement.period.to_string(),
        reason: EmptyReason::PartnerNotCovered.into(),
    };
    statement.partners.iter().map(missing).collect()
}

/// What all sides together say: see [`Verdict`].
fn verdict(sides: &[SideCheck]) -> Verdict {
    let of = |reporter: &str| {
        let mut outcomes = sides.iter().filter(|side| side.reporter == reporter);
        let any = |wanted: SideOutcome| {
            let mut outcomes = sides.iter().filter(|side| side.reporter == reporter);
            outcomes.any(|side| side.outcome() == wanted)
        };
        if any(SideOutcome::Fits) {
            SideOutcome::Fits
        } else if any(SideOutcome::Contradicts) {
            SideOutcome::Contradicts
        } else {
            outcomes
                .next()
                .map_or(SideOutcome::Unspecified, |_| SideOutcome::CannotBeChecked)
        }
    };
    let reporters: BTreeSet<&str> = sides.iter().map(|side| side.reporter.as_str()).collect();
    let outcomes: Vec<SideOutcome> = reporters.iter().map(|reporter| of(reporter)).collect();
    let has = |wanted: SideOutcome| outcomes.contains(&wanted);
    let named = sides.iter().find(|side| side.named);
    let named = named.map(|side| of(&side.reporter));
    if has(SideOutcome::Fits) && has(SideOutcome::Contradicts) {
        Verdict::FitsOneSide
    } else if has(SideOutcome::Fits) {
        Verdict::Supported
    } else if named == Some(SideOutcome::Contradicts)
        || has(SideOutcome::Contradicts) && !has(SideOutcome::CannotBeChecked)
    {
        Verdict::Contradicted
    } else {
        Verdict::CannotBeChecked
    }
}

impl Making<'_> {
    /// The country's side, and where it has one partner that partner's, of one dataset; of a dataset that
    /// was not asked for only sides of which it has anything.
    fn sides(
        &mut self,
        reading: &Reading<'_>,
        asked_for: bool,
        sides: &mut Vec<SideCheck>,
    ) -> Result<(), Error> {
        let statement = self.claim.statement;
        let same_currency = reading.record.currency_code == statement.value.currency.as_str();
        if statement.measure == StatedMeasure::MirrorGap {
            return Ok(());
        }
        let own = [statement.country];
        let mut both = vec![(
            statement.country,
            &statement.partners[..],
            statement.measure,
        )];
        if let [partner] = statement.partners[..]
            && partner != statement.country
        {
            both.push((partner, &own[..], mirrored(statement.measure)));
        }
        for (reporter, partners, measure) in both {
            let side = Side {
                reading,
                reporter,
                partners,
                measure,
            };
            let covered = partners
                .iter()
                .any(|partner| reading.covers(reporter, *partner));
            if !covered && !asked_for {
                continue;
            }
            sides.push(if same_currency {
                self.side(&side)?
            } else {
                SideCheck {
                    dataset: reading.name(),
                    reporter: reporter.to_string(),
                    named: statement.side == Some(reporter),
                    outcome: SideOutcome::CannotBeChecked.into(),
                    currency_code: reading.record.currency_code.clone(),
                    ..SideCheck::default()
                }
            });
        }
        Ok(())
    }

    fn side(&mut self, side: &Side<'_>) -> Result<SideCheck, Error> {
        let statement = self.claim.statement;
        let mut check = SideCheck {
            dataset: side.reading.name(),
            reporter: side.reporter.to_string(),
            named: statement.side == Some(side.reporter),
            ..SideCheck::default()
        };
        let observed = side.observe(statement.period)?;
        let before = match self.claim.base {
            Some(base) => Some((base, side.observe(base.period)?)),
            None => None,
        };
        check.value = Some(self.value(&observed, self.claim.value, |observed| {
            self.claim.fits(observed)
        })?);
        if let Some((base, before)) = &before {
            check.growth = Some(self.growth(&observed, before));
            check.base = Some(self.value(before, base.value, |observed| {
                let below = base.highest.is_some_and(|highest| observed > highest);
                outcome(observed >= base.lowest && !below)
            })?);
            let expected = Expected {
                period: base.period,
                lowest: base.lowest,
                highest: base.highest,
                of_base: true,
            };
            check.bounds = self.bounds(side, before, expected)?;
        }
        let expected = Expected {
            period: statement.period,
            lowest: self.claim.lowest,
            highest: self.claim.highest,
            of_base: false,
        };
        check.bounds.extend(self.bounds(side, &observed, expected)?);
        let lacking = [Some(observed), before.map(|(_, before)| before)];
        for sought in lacking.into_iter().flatten() {
            check.missing.extend(sought.err().unwrap_or_default());
        }
        check.outcome = together(&check).into();
        Ok(check)
    }

    fn value(
        &mut self,
        observed: &Sought<'_>,
        stated: Total,
        judge: impl Fn(Total) -> SideOutcome,
    ) -> Result<ValueCheck, store::Error> {
        let Ok(observed) = observed else {
            return Ok(ValueCheck {
                outcome: SideOutcome::CannotBeChecked.into(),
                ..ValueCheck::default()
            });
        };
        // A published lower bound says nothing against a smaller value than it might be.
        let is_bound = observed.flags().contains(ObservationFlag::LowerBound);
        let judged = judge(observed.value);
        let terms = self.terms(observed)?;
        let is_itself = judged == SideOutcome::Fits && terms.iter().all(|term| term.own_source);
        let is_open =
            is_itself || judged == SideOutcome::Contradicts && is_bound && stated >= observed.value;
        let outcome = if is_open {
            SideOutcome::CannotBeChecked
        } else {
            judged
        };
        Ok(ValueCheck {
            outcome: outcome.into(),
            observed: observed.value.to_string(),
            difference: (stated - observed.value).to_string(),
            ratio: change(stated, observed.value).unwrap_or_default(),
            terms,
        })
    }

    fn terms(&mut self, observed: &Observed<'_>) -> Result<Vec<Term>, store::Error> {
        let mut terms = Vec::with_capacity(observed.terms.len());
        for Observation {
            reading,
            key,
            figure,
            sign,
        } in &observed.terms
        {
            let source = self.sources.cite(reading, figure.source)?;
            let document = self.sources.get(source).map(Document::of);
            terms.push(Term {
                observation: observation_name(&reading.id, key),
                sign: *sign,
                value: figure.value.to_string(),
                flags: figure.flags.to_wire(),
                source,
                own_source: document.is_some() && document == self.said_in,
            });
        }
        Ok(terms)
    }

    /// The stated growth against that of the side's own figures.
    fn growth(&self, now: &Sought<'_>, before: &Sought<'_>) -> GrowthCheck {
        let statement = self.claim.statement;
        let stated = statement.growth.unwrap_or_default();
        let slack = statement.growth_precision.unwrap_or_default() / Decimal::TWO;
        let slack = slack + self.claim.tolerance;
        let mut check = GrowthCheck {
            lowest: ratio(stated - slack),
            highest: ratio(stated + slack),
            outcome: SideOutcome::CannotBeChecked.into(),
            ..GrowthCheck::default()
        };
        let (Ok(now), Ok(before)) = (now, before) else {
            check.gap = GrowthGap::BaseNotPublished.into();
            return check;
        };
        let is_bound =
            |observed: &Observed<'_>| observed.flags().contains(ObservationFlag::LowerBound);
        if is_bound(now) || is_bound(before) {
            check.gap = GrowthGap::LowerBound.into();
            return check;
        }
        let Some(quotient) = now.value.over(before.value) else {
            check.gap = GrowthGap::BaseIsZero.into();
            return check;
        };
        let observed = quotient - Decimal::ONE;
        check.observed = ratio(observed);
        check.difference = ratio(stated - observed);
        check.outcome = outcome((stated - observed).abs() <= slack).into();
        check
    }

    /// Where a figure is missing, what those of longer and shorter times say about it: those that contradict
    /// first.
    fn bounds(
        &mut self,
        side: &Side<'_>,
        sought: &Sought<'_>,
        range: Expected,
    ) -> Result<Vec<BoundCheck>, store::Error> {
        if sought.is_ok() {
            return Ok(Vec::new());
        }
        let mut around = side.around(range.period)?;
        around.sort_by_key(|(contains, observed)| !range.is_contradicted(*contains, observed));
        around.truncate(MAX_BOUNDS);
        let mut bounds = Vec::with_capacity(around.len());
        for (contains, observed) in around {
            let period = observed
                .terms
                .first()
                .map(|term| term.key.period.to_string());
            bounds.push(BoundCheck {
                of_base: range.of_base,
                contains,
                figure: self.terms(&observed)?.into_iter().next(),
                period: period.unwrap_or_default(),
                contradicts: range.is_contradicted(contains, &observed),
            });
        }
        Ok(bounds)
    }

    /// A stated mirror gap against the gap of every two datasets that have both sides: the exporter's
    /// dataset names the side.
    fn mirror_gaps(&mut self, state: &State<'_>, query: &Query) -> Result<Vec<SideCheck>, Error> {
        let statement = self.claim.statement;
        let partner = statement
            .partners
            .first()
            .copied()
            .unwrap_or(Country::WORLD);
        let ids = datasets(state, query, statement)?;
        let mut exporters = Vec::new();
        let mut importers = Vec::new();
        let mut lacking = Vec::new();
        let readings = ids.iter().map(|id| Reading::open(state, id, query.as_of));
        let readings: Vec<Reading<'_>> = readings.collect::<Result<_, _>>()?;
        let own = [statement.country];
        for reading in &readings {
            if reading.record.currency_code != statement.value.currency.as_str() {
                continue;
            }
            let exporter = Side {
                reading,
                reporter: statement.country,
                partners: &statement.partners,
                measure: StatedMeasure::Exports,
            };
            let importer = Side {
                reporter: partner,
                partners: &own,
                measure: StatedMeasure::Imports,
                ..exporter
            };
            for (side, found) in [(exporter, &mut exporters), (importer, &mut importers)] {
                match side.observe(statement.period)? {
                    Ok(observed) => found.push((side, observed)),
                    Err(missing) => lacking.extend(missing),
                }
            }
        }
        let mut sides = Vec::new();
        for (exporter, exported) in &exporters {
            for (_, imported) in importers.iter().take(MAX_PAIRS / exporters.len()) {
                let gap = exported.clone().less(imported.clone());
                let value = self.value(&Ok(gap), self.claim.value, |observed| {
                    self.claim.fits(observed)
                })?;
                sides.push(SideCheck {
                    dataset: exporter.reading.name(),
                    reporter: exporter.reporter.to_string(),
                    outcome: value.outcome,
                    value: Some(value),
                    ..SideCheck::default()
                });
            }
        }
        if sides.is_empty() {
            sides.push(SideCheck {
                reporter: statement.country.to_string(),
                outcome: SideOutcome::CannotBeChecked.into(),
                missing: lacking,
                ..SideCheck::default()
            });
        }
        Ok(sides)
    }
}

/// What the other side counts of the same trade.
fn mirrored(measure: StatedMeasure) -> StatedMeasure {
    match measure {
        StatedMeasure::Exports => StatedMeasure::Imports,
        StatedMeasure::Imports => StatedMeasure::Exports,
        other @ (StatedMeasure::Unspecified
        | StatedMeasure::Turnover
        | StatedMeasure::MirrorGap) => other,
    }
}

/// A side contradicts when any part does; it fits when the value does.
fn together(check: &SideCheck) -> SideOutcome {
    let value = check
        .value
        .as_ref()
        .map(ValueCheck::outcome)
        .unwrap_or_default();
    let growth = check.growth.as_ref().map(GrowthCheck::outcome);
    let base = check.base.as_ref().map(ValueCheck::outcome);
    let parts = [Some(value), growth, base];
    let contradicts = parts.contains(&Some(SideOutcome::Contradicts))
        || check.bounds.iter().any(|bound| bound.contradicts);
    if contradicts {
        SideOutcome::Contradicts
    } else if value == SideOutcome::Fits {
        SideOutcome::Fits
    } else {
        SideOutcome::CannotBeChecked
    }
}
