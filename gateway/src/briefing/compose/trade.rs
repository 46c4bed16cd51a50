//! The section of trade.

use std::collections::HashSet;

use proto::Period;
use proto::gateway::v1 as wire;
use proto::trade::v1::growth::Outcome;
use proto::trade::v1::{Growth, Mirror, Series, SeriesPoint, Statement, StatementCheck};
use proto::r#type::v1::Source;
use wire::{
    BriefingSection as Section, Movers, OmissionReason, StatementPoint, TradeSection, TradeSide,
};

use super::Composing;
use crate::briefing::sources::cites_openly;
use crate::briefing::trade;

impl Composing<'_> {
    pub(super) fn trade(&mut self, gathered: trade::Gathered) -> TradeSection {
        let trade::Gathered {
            sides,
            mirrors,
            statements,
            left,
        } = gathered;
        self.leave(Section::Trade, left);
        let sides = sides
            .into_iter()
            .filter_map(|side| self.side(side))
            .collect();
        let mirrors = mirrors
            .into_iter()
            .filter_map(|mirror| self.mirror(mirror))
            .collect();
        let statements = statements.into_iter();
        let statements = statements.filter_map(|(said, check)| self.statement(said, check));
        TradeSection {
            sides,
            mirrors,
            statements: statements.collect(),
        }
    }

    /// A side with its series; none without anything that may be shown.
    fn side(&mut self, gathered: trade::GatheredSide) -> Option<TradeSide> {
        let trade::GatheredSide {
            side,
            series,
            movers,
        } = gathered;
        let series = series.into_iter().filter_map(|series| self.series(series));
        let series: Vec<Series> = series.collect();
        let found = movers.movers.into_iter();
        let shown = found.filter_map(|(movers, sources)| self.movers(movers, &sources));
        let shown: Vec<Movers> = shown.collect();
        if series.is_empty() && shown.is_empty() {
            return None;
        }
        let dataset = side.dataset.unwrap_or_default();
        Some(TradeSide {
            dataset: dataset.name,
            display_name: dataset.display_name,
            reporter: side.reporter,
            partner: side.partner,
            series,
            movers: shown,
            gaps: movers.gaps,
        })
    }

    /// A series with the points of the years that are shown, and that may be.
    fn series(&mut self, mut series: Series) -> Option<Series> {
        if self.query.is_public {
            let withheld = withhold(&mut series);
            self.omit(Section::Trade, OmissionReason::Licence, withheld, false);
        }
        let first = self.query.first_year();
        series.points.retain(|point| {
            let period: Option<Period> = point.period.parse().ok();
            period.is_none_or(|period| period.start().year() >= first)
        });
        if series.points.is_empty() {
            return None;
        }
        self.sources.cite(&mut series);
        series.points.iter_mut().for_each(forget_same_base);
        Some(series)
    }

    fn movers(&mut self, mut movers: Movers, sources: &[Source]) -> Option<Movers> {
        if !self.shows(Section::Trade, sources) {
            return None;
        }
        let entries = movers
            .movers
            .iter_mut()
            .filter_map(|mover| mover.entry.as_mut());
        for entry in entries.chain(&mut movers.largest) {
            for number in &mut entry.sources {
                *number = self.sources.renumbered(*number, sources);
            }
        }
        Some(movers)
    }

    fn mirror(&mut self, mut mirror: Mirror) -> Option<Mirror> {
        if !self.shows(Section::Trade, &mirror.sources) {
            return None;
        }
        self.sources.cite(&mut mirror);
        Some(mirror)
    }

    fn statement(
        &mut self,
        mut statement: Statement,
        mut check: StatementCheck,
    ) -> Option<StatementPoint> {
        let source = statement.source.take().unwrap_or_default();
        if !self.shows(Section::Trade, std::slice::from_ref(&source)) {
            return None;
        }
        let shows_check = self.shows(Section::Trade, &check.sources);
        let source = self.sources.number(source);
        if shows_check {
            self.sources.cite(&mut check);
        }
        Some(StatementPoint {
            statement: Some(statement),
            source,
            check: shows_check.then_some(check),
        })
    }
}

/// Leaves out what a series may not show: points, and a growth whose base is not shown. How many points that were.
fn withhold(series: &mut Series) -> usize {
    let all = std::mem::take(&mut series.points);
    let open = |point: &SeriesPoint| {
        let first = std::slice::from_ref(&point.source);
        cites_openly(&series.sources, first) && cites_openly(&series.sources, &point.sources)
    };
    let (mut shown, withheld): (Vec<_>, Vec<_>) = all.into_iter().partition(open);
    let periods: HashSet<String> = shown.iter().map(|point| point.period.clone()).collect();
    for point in &mut shown {
        let has_base = |growth: &mut Growth| periods.contains(&growth.base_period);
        point
            .growth
            .take_if(|growth| growth_is_said(growth) && !has_base(growth));
    }
    series.points = shown;
    withheld.len()
}

/// Forgets the sources of a growth's base where they are the documents that the figure itself is known from.
fn forget_same_base(point: &mut SeriesPoint) {
    let Some(growth) = &mut point.growth else {
        return;
    };
    let is_own = |number: &i32| point.source == *number || point.sources.contains(number);
    if growth.base_sources.iter().all(is_own) {
        growth.base_sources.clear();
    }
}

fn growth_is_said(growth: &Growth) -> bool {
    matches!(growth.outcome, Some(Outcome::Ratio(_)))
}
