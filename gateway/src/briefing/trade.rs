//! Trade: who publishes it, what they publish, how the two sides differ, what is said about it.

use std::collections::BTreeSet;
use std::iter;

use futures_util::FutureExt;
use proto::trade::v1 as wire;
use proto::{Frequency, Month, Period, PeriodWindow};
use tonic::Status;
use wire::check_statement_request::Subject;
use wire::{
    BoundCheck, CheckStatementRequest, Flow, GetMirrorRequest, GetSeriesRequest, ListSidesRequest,
    ListStatementsRequest, Measure, Mirror, MirrorLine, MirrorSide, MonthSpan, Series, Side,
    Statement, StatementCheck,
};

use super::left::{Left, first, known};
use super::movers::{self, Found};
use super::query::Query;
use super::taken;
use crate::ask::{Asking, Trade, all, at_once, listed};
use crate::stand::Stand;

/// Sides that are shown.
const MAX_SIDES: usize = 20;
/// Sides whose figures are asked for at a time: each is many calls side by side.
const SIDES_AT_ONCE: usize = 2;
/// Pairs of sides that are held against each other.
const MAX_MIRRORED: usize = 4;
/// Statements that are shown.
const MAX_STATEMENTS: usize = 20;
/// Statements that are looked at.
const MAX_LOOKED_AT: usize = 1_000;

/// What a series shows: a flow as published, or what is computed of two.
const SHOWN: [(Flow, Measure); 5] = [
    (Flow::TotalTrade, Measure::Unspecified),
    (Flow::Export, Measure::Unspecified),
    (Flow::Import, Measure::Unspecified),
    (Flow::Unspecified, Measure::Turnover),
    (Flow::Unspecified, Measure::Balance),
];

/// Trade as it was gathered.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) sides: Vec<GatheredSide>,
    pub(crate) mirrors: Vec<Mirror>,
    pub(crate) statements: Vec<(Statement, StatementCheck)>,
    pub(crate) left: Left,
}

/// A side as it was gathered.
#[derive(Debug)]
pub(crate) struct GatheredSide {
    pub(crate) side: Side,
    pub(crate) series: Vec<Series>,
    pub(crate) movers: Found,
}

/// Gathers trade.
pub(crate) async fn gather(
    client: Trade,
    query: &Query,
    stand: Stand,
    asking: &Asking,
) -> Result<Gathered, Status> {
    let gathering = Gathering {
        client,
        query,
        as_of: Some(stand.as_of(query.as_of)),
        asking,
    };
    let (sides, statements) = tokio::try_join!(gathering.sides(), gathering.statements())?;
    let ((sides, more_sides), (statements, left)) = (sides, statements);
    let (pairs, more_pairs) = gathering.mirrored(&sides);
    let periods = gathering.mirrored_periods();
    let (sides, mut mirrors, statements) = tokio::try_join!(
        gathering.figures(sides),
        gathering.mirrors(&pairs, &periods),
        gathering.checks(statements),
    )?;
    let [country, _] = query.codes();
    let months = last_in_common(&sides, &country);
    if let Some(months) = months.filter(|months| !periods.contains(months)) {
        let latest = gathering.mirrors(&pairs, &[months]).await?;
        mirrors.splice(0..0, latest);
    }
    Ok(Gathered {
        sides,
        mirrors,
        statements,
        left: Left {
            too_many: left.too_many + more_sides + more_pairs,
            ..left
        },
    })
}

/// One briefing's questions to the trade service.
#[derive(Debug)]
pub(crate) struct Gathering<'a> {
    pub(crate) client: Trade,
    pub(crate) query: &'a Query,
    pub(crate) as_of: Option<prost_types::Timestamp>,
    pub(crate) asking: &'a Asking,
}

impl Gathering<'_> {
    /// The sides, and how many more there are.
    async fn sides(&self) -> Result<(Vec<Side>, usize), Status> {
        let [country, partner] = self.query.codes();
        let asked = ListSidesRequest {
            country: country.clone(),
            partner,
            as_of: self.as_of,
            ..Default::default()
        };
        let call = listed!(pages(usize::MAX), self, list_sides(asked), sides);
        let (mut all, _) = call.await?;
        all.sort_by_key(|side| side.reporter != country);
        let more = first(&mut all, MAX_SIDES);
        Ok((all, more))
    }

    /// The figures of each side.
    async fn figures(&self, sides: Vec<Side>) -> Result<Vec<GatheredSide>, Status> {
        let gather = sides.into_iter().map(|side| self.figures_of(side).boxed());
        at_once(SIDES_AT_ONCE, gather.collect()).await
    }

    async fn figures_of(&self, side: Side) -> Result<GatheredSide, Status> {
        let (series, movers) = tokio::try_join!(self.series(&side), movers::of_side(self, &side))?;
        Ok(GatheredSide {
            side,
            series,
            movers,
        })
    }

    /// All series of a side that have a point.
    async fn series(&self, side: &Side) -> Result<Vec<Series>, Status> {
        let mut asked = Vec::new();
        for shown in SHOWN {
            for frequency in [Frequency::Year, Frequency::Cumulated] {
                asked.push(self.series_request(side, shown, frequency, None));
            }
            if let Some(months) = span(self.query.period) {
                let frequency = Frequency::Cumulated;
                asked.push(self.series_request(side, shown, frequency, Some(months)));
            }
        }
        let calls = asked
            .into_iter()
            .map(|asked| self.one_series(asked).boxed());
        let found = all(calls.collect()).await?;
        let with_points = found.into_iter().filter(|series| !series.points.is_empty());
        Ok(with_points.collect())
    }

    async fn one_series(&self, asked: GetSeriesRequest) -> Result<Series, Status> {
        let mut client = self.client.clone();
        let series = client.get_series(self.asking.call(asked)).await?;
        Ok(series.into_inner())
    }

    /// A year more than is shown, so that every growth that is shown stands beside its base.
    fn series_request(
        &self,
        side: &Side,
        (flow, measure): (Flow, Measure),
        frequency: Frequency,
        months: Option<MonthSpan>,
    ) -> GetSeriesRequest {
        let start = Month::new(self.query.first_year().saturating_sub(1).max(1), 1);
        let window = PeriodWindow::new(start, Some(self.query.end_of_figures()));
        GetSeriesRequest {
            parent: dataset_of(side).to_owned(),
            reporter: side.reporter.clone(),
            partner: side.partner.clone(),
            flow: flow.into(),
            measure: measure.into(),
            code: "TOTAL".to_owned(),
            frequency: frequency.to_wire().into(),
            window: Some(window.unwrap_or_default().into()),
            months,
            as_of: self.as_of,
            ..Default::default()
        }
    }

    /// Which sides are held against each other: those of one dataset first. And how many more there would be.
    fn mirrored(&self, sides: &[Side]) -> (Vec<[MirrorSide; 2]>, usize) {
        let [country, _] = self.query.codes();
        let of_country = |side: &&Side| side.reporter == country;
        let pairs = sides.iter().filter(of_country).flat_map(|own| {
            let others = sides.iter().filter(|side| !of_country(side));
            others.map(move |other| [own, other])
        });
        let mut pairs: Vec<[&Side; 2]> = pairs.collect();
        pairs.sort_by_key(|[own, other]| dataset_of(own) != dataset_of(other));
        let more = first(&mut pairs, MAX_MIRRORED);
        let mirrored = |side: &Side| MirrorSide {
            dataset: dataset_of(side).to_owned(),
            reporter: side.reporter.clone(),
        };
        let pairs = pairs.into_iter().map(|pair| pair.map(mirrored));
        (pairs.collect(), more)
    }

    /// Whether a figure that bounds a statement was known on the day, or decides.
    fn is_known(&self, bound: &BoundCheck) -> bool {
        let period: Option<Period> = bound.period.parse().ok();
        let end = self.query.end_of_figures();
        bound.contradicts || period.is_none_or(|period| period.end() <= end)
    }

    /// What two sides say of some periods, where both say something.
    async fn mirrors(
        &self,
        pairs: &[[MirrorSide; 2]],
        periods: &[Period],
    ) -> Result<Vec<Mirror>, Status> {
        let mut calls = Vec::new();
        for period in periods {
            for [first, second] in pairs {
                let asked = GetMirrorRequest {
                    first: Some(first.clone()),
                    second: Some(second.clone()),
                    period: period.to_string(),
                    cif_fob_ratio: self.query.cif_fob_ratio.clone(),
                    as_of: self.as_of,
                    ..Default::default()
                };
                calls.push(self.mirror(asked).boxed());
            }
        }
        let found = all(calls).await?;
        Ok(found.into_iter().filter(has_both).collect())
    }

    async fn mirror(&self, asked: GetMirrorRequest) -> Result<Mirror, Status> {
        let mut client = self.client.clone();
        let mirror = client.get_mirror(self.asking.call(asked)).await?;
        Ok(mirror.into_inner())
    }

    /// The reference period, and the years that had ended, the latest first.
    fn mirrored_periods(&self) -> Vec<Period> {
        let query = self.query;
        let years = (query.first_year()..=query.year()).rev();
        let years = years.filter_map(Period::year);
        let ended = years.filter(|year| year.end() <= query.end_of_figures());
        let own = iter::once(query.period);
        own.chain(ended.filter(|year| *year != query.period))
            .collect()
    }

    /// The statements that are told, the latest period first.
    async fn statements(&self) -> Result<(Vec<Statement>, Left), Status> {
        let [country, partner] = self.query.codes();
        let asked = ListStatementsRequest {
            country,
            partner,
            page_size: 500,
            as_of: self.as_of,
            ..Default::default()
        };
        let call = listed!(
            pages(MAX_LOOKED_AT),
            self,
            list_statements(asked),
            statements
        );
        let (mut all, mut left) = known(call.await?, |said| is_known_by(said, self.query));
        all.sort_by_cached_key(|statement| std::cmp::Reverse(ending(statement)));
        left.too_many = first(&mut all, MAX_STATEMENTS);
        Ok((all, left))
    }

    /// Holds each statement against the figures.
    async fn checks(
        &self,
        statements: Vec<Statement>,
    ) -> Result<Vec<(Statement, StatementCheck)>, Status> {
        let checks = statements
            .into_iter()
            .map(|statement| self.check(statement).boxed());
        all(checks.collect()).await
    }

    async fn check(&self, statement: Statement) -> Result<(Statement, StatementCheck), Status> {
        let asked = CheckStatementRequest {
            subject: Some(Subject::Name(statement.name.clone())),
            as_of: self.as_of,
            ..Default::default()
        };
        let mut client = self.client.clone();
        let check = client.check_statement(self.asking.call(asked)).await?;
        let mut check = check.into_inner();
        check.statement = None;
        for side in &mut check.sides {
            side.bounds.retain(|bound| self.is_known(bound));
        }
        Ok((statement, check))
    }
}

/// The spans of months of which a side has a figure in a flow.
fn cumulated(side: &GatheredSide, flow: Flow) -> BTreeSet<Period> {
    let of_flow = side.series.iter().filter(|series| series.flow() == flow);
    let points = of_flow.flat_map(|series| &series.points);
    let with_value = points.filter(|point| !point.value.is_empty());
    let periods = with_value.filter_map(|point| point.period.parse::<Period>().ok());
    periods
        .filter(|period| period.frequency() == Frequency::Cumulated)
        .collect()
}

/// The last months of which both countries have a figure of the same goods.
fn last_in_common(sides: &[GatheredSide], country: &str) -> Option<Period> {
    let same = [
        (Flow::TotalTrade, Flow::TotalTrade),
        (Flow::Export, Flow::Import),
        (Flow::Import, Flow::Export),
    ];
    let (own, other): (Vec<_>, Vec<_>) =
        sides.iter().partition(|side| side.side.reporter == country);
    let mut common = BTreeSet::new();
    for (flow, mirrored) in same {
        let of = |sides: &[&GatheredSide], flow| -> BTreeSet<Period> {
            sides
                .iter()
                .flat_map(|side| cumulated(side, flow))
                .collect()
        };
        common.extend(of(&own, flow).intersection(&of(&other, mirrored)));
    }
    let latest = |period: &Period| (period.end(), period.months());
    common.into_iter().max_by_key(latest)
}

/// The dataset of a side.
pub(crate) fn dataset_of(side: &Side) -> &str {
    side.dataset.as_ref().map_or("", |dataset| &dataset.name)
}

/// The months of a period that is no year.
fn span(period: Period) -> Option<MonthSpan> {
    let last = period.end().plus(-1)?;
    (period.frequency() == Frequency::Cumulated).then(|| MonthSpan {
        first: period.start().month().into(),
        last: last.month().into(),
    })
}

fn has_both(mirror: &Mirror) -> bool {
    let directions = [&mirror.first_to_second, &mirror.second_to_first];
    let totals = directions
        .into_iter()
        .flatten()
        .filter_map(|way| way.total.as_ref());
    let mut lines = totals.chain(&mirror.turnover);
    lines.any(|line: &MirrorLine| line.exporter_figure.is_some() && line.importer_figure.is_some())
}

/// Whether its period had ended by the day, and it was not surely published after it.
pub(crate) fn is_known_by(statement: &Statement, query: &Query) -> bool {
    let source = statement.source.as_ref();
    let published = source.and_then(|source| source.published_on);
    let is_later = taken(published).is_some_and(|date| date.first() > query.day);
    !is_later && ending(statement).is_none_or(|end| end <= query.end_of_figures())
}

/// The first month behind its period.
fn ending(statement: &Statement) -> Option<Month> {
    let period: Period = statement.period.parse().ok()?;
    Some(period.end())
}
