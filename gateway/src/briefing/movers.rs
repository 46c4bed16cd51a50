//! The goods whose trade changed most.

use futures_util::FutureExt;
use proto::gateway::v1::{Mover, Movers, MoversGap};
use proto::trade::v1 as wire;
use proto::r#type::v1::Source;
use proto::{Decimal, Frequency, Period, format_decimal, parse_decimal};
use tonic::Status;
use wire::growth::Outcome;
use wire::{EmptyReason, Flow, GrowthGap, PeriodBasis, RankCommoditiesRequest, RankedEntry};
use wire::{Ranking, Side};

use super::trade::{Gathering, dataset_of};
use crate::ask::all;

/// Goods that are shown: those that moved most, and the largest.
const SHOWN: usize = 5;
/// All chapters and sectors that there may be.
const ALL: i32 = 1_000;
/// Sectors, then chapters.
const LEVELS: [i32; 2] = [0, 2];

/// What was found of a side: movers with the sources of their ranking, and why there are none.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) movers: Vec<(Movers, Vec<Source>)>,
    pub(crate) gaps: Vec<MoversGap>,
}

/// The movers of a side, by flow and level.
pub(crate) async fn of_side(gathering: &Gathering<'_>, side: &Side) -> Result<Found, Status> {
    let mut calls = Vec::new();
    for flow in [Flow::Export, Flow::Import] {
        for level in LEVELS {
            let ranking = ranked(gathering, side, flow, level);
            calls.push(
                ranking
                    .map(move |ranking| Ok((flow, level, ranking?)))
                    .boxed(),
            );
        }
    }
    let mut found = Found::default();
    for (flow, level, ranking) in all(calls).await? {
        if ranking.entries.is_empty() {
            found.gaps.push(MoversGap {
                flow: flow.into(),
                level,
                reason: ranking.empty_reason,
            });
        } else {
            found.movers.push(movers(ranking));
        }
    }
    Ok(found)
}

/// The ranking of the period; where it was not published, of its months, then of the last year that had ended.
async fn ranked(
    gathering: &Gathering<'_>,
    side: &Side,
    flow: Flow,
    level: i32,
) -> Result<Ranking, Status> {
    let query = gathering.query;
    let is_year = query.period.frequency() == Frequency::Year;
    let year = Period::year(query.year().saturating_sub(u16::from(!is_year)));
    let sum = (query.period, PeriodBasis::SumOfMonths);
    let last = year.map(|year| (year, PeriodBasis::Published));
    let later = [Some(sum), last.filter(|_| !is_year)];
    let first = (query.period, PeriodBasis::Published);
    let mut ranking = rank(gathering, side, flow, level, first).await?;
    for fallback in later.into_iter().flatten() {
        if !is_of_the_time(ranking.empty_reason()) {
            break;
        }
        let other = rank(gathering, side, flow, level, fallback).await?;
        if !other.entries.is_empty() {
            ranking = other;
        }
    }
    Ok(ranking)
}

/// Whether another period may have what this one lacks.
fn is_of_the_time(reason: EmptyReason) -> bool {
    !matches!(
        reason,
        EmptyReason::Unspecified
            | EmptyReason::ReporterNotCovered
            | EmptyReason::PartnerNotCovered
            | EmptyReason::FlowNotCovered
    )
}

async fn rank(
    gathering: &Gathering<'_>,
    side: &Side,
    flow: Flow,
    level: i32,
    (period, basis): (Period, PeriodBasis),
) -> Result<Ranking, Status> {
    let asked = RankCommoditiesRequest {
        parent: dataset_of(side).to_owned(),
        reporter: side.reporter.clone(),
        partner: side.partner.clone(),
        flow: flow.into(),
        level,
        sectors: level == 0,
        period: period.to_string(),
        basis: basis.into(),
        top: ALL,
        as_of: gathering.as_of,
        ..Default::default()
    };
    let mut client = gathering.client.clone();
    let ranking = client
        .rank_commodities(gathering.asking.call(asked))
        .await?;
    Ok(ranking.into_inner())
}

fn movers(ranking: Ranking) -> (Movers, Vec<Source>) {
    let changes = ranking.entries.iter().filter_map(|entry| {
        let change = change(entry)?;
        (!change.is_zero()).then_some((change, entry))
    });
    let mut changes: Vec<(Decimal, &RankedEntry)> = changes.collect();
    changes.sort_by_key(|(change, _)| std::cmp::Reverse(change.abs()));
    let movers = changes
        .into_iter()
        .take(SHOWN)
        .map(|(change, entry)| Mover {
            entry: Some(entry.clone()),
            change: format_decimal(change),
        });
    let movers = movers.collect();
    let is_ranked = |entry: &RankedEntry| entry.rank > 0;
    let largest = ranking.entries.into_iter().filter(is_ranked).take(SHOWN);
    let movers = Movers {
        flow: ranking.flow,
        level: ranking.level,
        classification: ranking.classification,
        period: ranking.period,
        basis: ranking.basis,
        base_period: ranking.base_period,
        currency_code: ranking.currency_code,
        movers,
        largest: largest.collect(),
    };
    (movers, ranking.sources)
}

/// value − value / (1 + growth), in whole units; the value of what had no figure a year before.
fn change(entry: &RankedEntry) -> Option<Decimal> {
    let value = parse_decimal(&entry.value).ok()?;
    match entry.growth.as_ref()?.outcome.as_ref()? {
        Outcome::Ratio(ratio) => {
            let factor = parse_decimal(ratio).ok()?.checked_add(Decimal::ONE)?;
            let before = value.checked_div(factor)?;
            Some((value - before).round())
        }
        Outcome::Gap(gap) if *gap == i32::from(GrowthGap::BaseNotPublished) => {
            (entry.rank_before == 0).then(|| value.round())
        }
        Outcome::Gap(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Growth;

    fn entry(value: &str, outcome: Outcome) -> RankedEntry {
        RankedEntry {
            rank: 1,
            value: value.to_owned(),
            growth: Some(Growth {
                outcome: Some(outcome),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    #[test]
    fn a_change_is_what_growth_says_of_the_year_before() {
        let grown = entry("118", Outcome::Ratio("0.18".into()));
        assert_eq!(change(&grown), Some(Decimal::from(18)));
        let shrunk = entry("50", Outcome::Ratio("-0.5".into()));
        assert_eq!(change(&shrunk), Some(Decimal::from(-50)));
        let gone = entry("0", Outcome::Ratio("-1".into()));
        assert_eq!(change(&gone), None);
    }

    #[test]
    fn what_is_new_moved_by_all_of_its_value() {
        let new = entry("70", Outcome::Gap(GrowthGap::BaseNotPublished.into()));
        assert_eq!(change(&new), Some(Decimal::from(70)));
        let unclear = entry("70", Outcome::Gap(GrowthGap::LowerBound.into()));
        assert_eq!(change(&unclear), None);
    }
}
