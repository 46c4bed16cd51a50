//! Two figures held against each other: the growth from one to the other, or all that differs.

use proto::trade::v1 as wire;
use proto::{Classification, ObservationKey, Period, Slug, Violations};
use proto::{observation_name, parse_observation_name, parse_timestamp};
use store::{Micros, State};
use wire::GrowthGap;

use crate::amount::change;
use crate::error::Error;
use crate::figure::Figure;
use crate::growth::{Side, gaps};
use crate::keys::Place;
use crate::query::{Found, figure_as_of, find};
use crate::reading::standing;
use crate::shelf;

/// Which figures.
#[derive(Debug)]
pub(crate) struct Query {
    dataset: Slug,
    key: ObservationKey,
    /// `None`: the same months a year before in the same series.
    base: Option<(Slug, ObservationKey)>,
    as_of: Option<Micros>,
}

impl TryFrom<wire::CompareObservationsRequest> for Query {
    type Error = Violations;

    fn try_from(request: wire::CompareObservationsRequest) -> Result<Query, Violations> {
        let wire::CompareObservationsRequest {
            name,
            base_name,
            as_of,
        } = request;
        let mut violations = Violations::new();
        let name = violations.check("name", parse_observation_name(&name));
        let base = (!base_name.is_empty()).then(|| parse_observation_name(&base_name));
        let base = violations.check("base_name", base.transpose());
        let as_of = as_of.as_ref().map(parse_timestamp).transpose();
        let as_of = violations.check("as_of", as_of);
        let (Some((dataset, key)), Some(base), Some(as_of)) = (name, base, as_of) else {
            return Err(violations);
        };
        Ok(Query {
            dataset,
            key,
            base,
            as_of,
        })
    }
}

/// Holds a figure against another one.
pub(crate) fn compare(state: &State<'_>, query: &Query) -> Result<wire::Comparison, Error> {
    let Query {
        dataset,
        key,
        base,
        as_of,
    } = query;
    let named = find(state, dataset, key, *as_of)?;
    let missing = || Error::not_found(observation_name(dataset, key));
    let figure = named.figure.ok_or_else(missing)?;
    let (base_dataset, base) = match base {
        Some((dataset, key)) => (dataset, find(state, dataset, key, *as_of)?),
        None => (dataset, year_before(state, &named, *as_of)?),
    };
    let mut differences = differing_names(&named, &base);
    let now = side(named.block.classification, &figure);
    let is_total = named.code.is_total() && base.code.is_total();
    let growth = match &base.figure {
        None => {
            differences.push(GrowthGap::BaseNotPublished);
            None
        }
        Some(of_base) => {
            let before = side(base.block.classification, of_base);
            differences.extend(gaps(is_total, now, before));
            let alike = differences.is_empty();
            change(now.value, before.value).filter(|_| alike)
        }
    };
    Ok(wire::Comparison {
        figure: named.observation(state, dataset)?,
        base: base.observation(state, base_dataset)?,
        growth: growth.unwrap_or_default(),
        differences: differences.into_iter().map(i32::from).collect(),
    })
}

fn side(classification: Classification, figure: &Figure) -> Side {
    Side {
        value: figure.value.into(),
        flags: figure.flags,
        classification,
    }
}

/// What the names of two figures and their datasets say that differs.
fn differing_names(named: &Found, base: &Found) -> Vec<GrowthGap> {
    let (a, b) = (&named.block, &base.block);
    let months = |period: Period| (period.start().month(), period.months());
    let (of_a, of_b) = (&named.record, &base.record);
    let pairs = [
        (a.dataset != b.dataset, GrowthGap::DatasetDiffers),
        (a.reporter != b.reporter, GrowthGap::ReporterDiffers),
        (a.partner != b.partner, GrowthGap::PartnerDiffers),
        (a.flow != b.flow, GrowthGap::FlowDiffers),
        (named.code != base.code, GrowthGap::CodeDiffers),
        (
            months(a.period) != months(b.period),
            GrowthGap::MonthsDiffer,
        ),
        (
            of_a.valuation(a.flow) != of_b.valuation(b.flow),
            GrowthGap::ValuationDiffers,
        ),
        (
            of_a.currency_code != of_b.currency_code,
            GrowthGap::CurrencyDiffers,
        ),
    ];
    let differing = pairs.into_iter().filter(|(differs, _)| *differs);
    differing.map(|(_, gap)| gap).collect()
}

/// The figure of the same months a year before in the same series: under the same classification where
/// there is one, else the one that stands for that period.
fn year_before(state: &State<'_>, named: &Found, as_of: Option<Micros>) -> Result<Found, Error> {
    let mut base = named.clone();
    base.figure = None;
    let Some(period) = named.block.period.year_before() else {
        return Ok(base);
    };
    base.block.period = period;
    let mut rank = None;
    let place = Place::period(&base.block);
    for block in shelf::range(state, &place.start(), &place.end()) {
        let (key, value) = block?;
        let Some(figure) = figure_as_of(state, &key, &value, named.code, as_of)? else {
            continue;
        };
        let classification = key.classification;
        let same = classification == named.block.classification;
        let its_rank = Some((same, standing(classification)));
        if its_rank > rank {
            rank = its_rank;
            base.block = key;
            base.figure = Some(figure);
        }
    }
    Ok(base)
}
