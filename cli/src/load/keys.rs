//! What calls ask about: figures that are there, and pairs of countries.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use proto::trade::v1 as trade;
use tonic::Code;

use super::scenario::{KeySource, Scenario};
use crate::args::answer::Address;
use crate::client::{self, TradeClient};
use crate::generate::{Chance, Edition, Figures, Plan};

/// Datasets, and reporters of each, that are looked at.
const MOST_DATASETS: usize = 20;
const MOST_REPORTERS: usize = 20;
/// Groups of generated figures that are looked at: all of the first pairs.
const MOST_GROUPS: usize = 50_000;

/// A figure, as its name says it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Figure {
    pub(super) dataset: String,
    pub(super) reporter: String,
    pub(super) partner: String,
    /// By UN Comtrade's code: `X`, `M`.
    pub(super) flow: String,
    pub(super) classification: String,
    pub(super) code: String,
    pub(super) period: String,
}

/// What there is to ask about, in an order by chance.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) figures: Vec<Figure>,
    pub(super) pairs: Vec<[String; 2]>,
}

impl Figure {
    /// From `datasets/D/observations/CHN.KAZ.X.H6.87.2022`.
    fn parse(name: &str) -> Option<Figure> {
        let (dataset, key) = name
            .strip_prefix("datasets/")?
            .split_once("/observations/")?;
        // A cumulated period has points of its own.
        let parts: Vec<&str> = key.splitn(6, '.').collect();
        let [reporter, partner, flow, classification, code, period] = parts[..] else {
            return None;
        };
        let [
            dataset,
            reporter,
            partner,
            flow,
            classification,
            code,
            period,
        ] = [
            dataset,
            reporter,
            partner,
            flow,
            classification,
            code,
            period,
        ]
        .map(str::to_owned);
        Some(Figure {
            dataset,
            reporter,
            partner,
            flow,
            classification,
            code,
            period,
        })
    }

    pub(super) fn name(&self) -> String {
        let Figure {
            dataset,
            reporter,
            partner,
            flow,
            classification,
            code,
            period,
        } = self;
        format!(
            "datasets/{dataset}/observations/{reporter}.{partner}.{flow}.{classification}.{code}.{period}"
        )
    }

    pub(super) fn parent(&self) -> String {
        format!("datasets/{}", self.dataset)
    }

    pub(super) fn flow(&self) -> i32 {
        let flow = proto::Flow::from_code(&self.flow);
        flow.map_or(0, |flow| flow.to_wire().into())
    }

    pub(super) fn frequency(&self) -> trade::Frequency {
        if self.period.contains("..") {
            trade::Frequency::Cumulated
        } else if self.period.contains('-') {
            trade::Frequency::Month
        } else {
            trade::Frequency::Year
        }
    }
}

impl Keys {
    /// What the calls of a scenario ask about.
    pub(super) async fn gather(scenario: &Scenario, server: &Address) -> anyhow::Result<Keys> {
        let needs_figures = scenario.mix.iter().any(|part| part.call.needs_figures());
        let needs_pairs = scenario.mix.iter().any(|part| part.call.needs_pairs());
        let named = scenario.pairs()?;
        let mut keys = Keys::default();
        if needs_figures || (needs_pairs && named.is_empty()) {
            keys.figures = match scenario.keys.from {
                KeySource::Server => sampled(scenario, server).await?,
                KeySource::Generated => generated(scenario),
            };
        }
        ensure!(
            !needs_figures || !keys.figures.is_empty(),
            "there are no figures to ask for; `entente generate --format direct --rows 100000` makes some"
        );
        keys.pairs = if named.is_empty() {
            pairs(&keys.figures)
        } else {
            named
        };
        ensure!(
            !needs_pairs || !keys.pairs.is_empty(),
            "there are no pairs to ask for; name some as keys.pairs"
        );
        shuffle(&mut keys.figures, scenario.keys.seed);
        shuffle(&mut keys.pairs, scenario.keys.seed);
        Ok(keys)
    }
}

/// The pairs of figures, one way round.
fn pairs(figures: &[Figure]) -> Vec<[String; 2]> {
    let pair = |figure: &Figure| {
        let (a, b) = (&figure.reporter, &figure.partner);
        let is_pair = a != b
            && ![a, b]
                .iter()
                .any(|code| **code == "WLD" || code.starts_with("CT"));
        is_pair.then(|| {
            if a < b {
                [a.clone(), b.clone()]
            } else {
                [b.clone(), a.clone()]
            }
        })
    };
    let all: BTreeSet<[String; 2]> = figures.iter().filter_map(pair).collect();
    all.into_iter().collect()
}

fn shuffle<T>(list: &mut [T], seed: u64) {
    let mut chance = Chance::of(seed, &[list.len() as u64]);
    for last in (1..list.len()).rev() {
        let other = usize::try_from(chance.below(last as u64 + 1)).unwrap_or_default();
        list.swap(last, other);
    }
}

/// Figures that `entente generate` makes.
fn generated(scenario: &Scenario) -> Vec<Figure> {
    let keys = &scenario.keys;
    let plan = Plan {
        seed: keys.seed,
        rows: keys.rows,
    };
    let groups = Figures::new(plan, Edition::First).take(MOST_GROUPS);
    let mut figures = Vec::new();
    let (mut chance, mut seen) = (Chance::of(keys.seed, &[]), 0);
    for group in groups {
        let flow = if group.flow() == trade::Flow::Import {
            "M"
        } else {
            "X"
        };
        for row in group.rows {
            let figure = Figure {
                dataset: keys.dataset.clone(),
                reporter: group.reporter.clone(),
                partner: group.partner.clone(),
                flow: flow.into(),
                classification: group.classification.clone(),
                code: row.code,
                period: group.period.clone(),
            };
            keep(&mut figures, figure, keys.sample, &mut chance, &mut seen);
        }
    }
    figures
}

/// Keeps a fair sample of all that ever came.
fn keep<T>(kept: &mut Vec<T>, one: T, most: u32, chance: &mut Chance, seen: &mut u64) {
    *seen += 1;
    if kept.len() < most as usize {
        kept.push(one);
    } else if let Ok(place) = usize::try_from(chance.below(*seen))
        && let Some(there) = kept.get_mut(place)
    {
        *there = one;
    }
}

/// Figures that the server has: of each dataset and reporter alike.
async fn sampled(scenario: &Scenario, server: &Address) -> anyhow::Result<Vec<Figure>> {
    let mut client = client::trade(server).await?;
    let asked = trade::ListDatasetsRequest {
        page_size: i32::try_from(MOST_DATASETS)?,
        ..trade::ListDatasetsRequest::default()
    };
    let datasets = match client.list_datasets(asked).await {
        // A process that serves events alone has pairs and no figures.
        Err(status) if status.code() == Code::Unimplemented => return Ok(Vec::new()),
        listed => {
            listed
                .context("looking for figures to ask for")?
                .into_inner()
                .datasets
        }
    };
    let mut sources = Vec::new();
    for dataset in datasets {
        for reporter in reporters(&mut client, &dataset.name).await? {
            sources.push((dataset.name.clone(), reporter));
        }
    }
    shuffle(&mut sources, scenario.keys.seed);
    let mut figures = Vec::new();
    let wanted = scenario.keys.sample as usize;
    let pages = wanted.div_ceil(sources.len().max(1)).clamp(1, 1_000);
    for (parent, reporter) in sources {
        if figures.len() >= wanted {
            break;
        }
        page(&mut client, parent, reporter, pages, &mut figures).await?;
    }
    figures.truncate(wanted);
    Ok(figures)
}

async fn reporters(client: &mut TradeClient, parent: &str) -> anyhow::Result<Vec<String>> {
    let asked = trade::ListCoverageRequest {
        parent: parent.to_owned(),
        page_size: i32::try_from(MOST_REPORTERS)?,
        ..trade::ListCoverageRequest::default()
    };
    let coverage = client.list_coverage(asked).await?.into_inner().coverage;
    let reporters: BTreeSet<String> = coverage.into_iter().map(|one| one.reporter).collect();
    Ok(reporters.into_iter().collect())
}

/// A page of a reporter's totals and chapters, and one of whatever comes first.
async fn page(
    client: &mut TradeClient,
    parent: String,
    reporter: String,
    size: usize,
    figures: &mut Vec<Figure>,
) -> anyhow::Result<()> {
    for code in ["TOTAL", ""] {
        let asked = trade::ListObservationsRequest {
            parent: parent.clone(),
            filter: Some(trade::ObservationFilter {
                reporter: reporter.clone(),
                code: code.into(),
                ..trade::ObservationFilter::default()
            }),
            page_size: i32::try_from(size.div_ceil(2))?,
            ..trade::ListObservationsRequest::default()
        };
        let found = client.list_observations(asked).await?.into_inner();
        let named = found.observations.iter();
        figures.extend(named.filter_map(|figure| Figure::parse(&figure.name)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart_and_put_together() {
        for name in [
            "datasets/comtrade/observations/CHN.KAZ.X.H6.870380.2022-05",
            "datasets/press/observations/CHN.KAZ.T.NA.TOTAL.2023-01..2023-10",
        ] {
            assert_eq!(Figure::parse(name).unwrap().name(), name);
        }
        assert_eq!(Figure::parse("datasets/a/observations/CHN.KAZ"), None);
        let cumulated = Figure::parse("datasets/p/observations/A.B.T.NA.TOTAL.2023-01..2023-10");
        assert_eq!(cumulated.unwrap().frequency(), trade::Frequency::Cumulated);
    }

    #[test]
    fn a_sample_is_no_larger_than_asked_for_and_from_everywhere() {
        let (mut kept, mut chance, mut seen) = (Vec::new(), Chance::of(1, &[]), 0);
        (0..10_000).for_each(|one| keep(&mut kept, one, 100, &mut chance, &mut seen));
        assert_eq!(kept.len(), 100);
        assert!(kept.iter().any(|one| *one > 8_000) && kept.iter().any(|one| *one < 2_000));
    }

    #[test]
    fn a_pair_comes_once_whichever_side_counted() {
        let named = ["CHN.KAZ", "KAZ.CHN", "CHN.WLD", "CHN.CHN"];
        let figure = |key| Figure::parse(&format!("datasets/a/observations/{key}.X.H6.TOTAL.2022"));
        let figures: Vec<Figure> = named.into_iter().filter_map(figure).collect();
        assert_eq!(pairs(&figures), [["CHN".to_owned(), "KAZ".to_owned()]]);
    }
}
