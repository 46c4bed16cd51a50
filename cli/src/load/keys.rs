//! What calls ask about: figures that are there, and pairs of countries.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use proto::trade::v1 as trade;
use tonic::Code;

use super::result::count;
use super::scenario::{KeySource, Part, Scenario};
use super::table::amount;
use crate::args::answer::ServerArgs;
use crate::client::{self, TradeClient, request, within};
use crate::generate::{Chance, Edition, Figures, Plan};

/// Datasets, and reporters of each, that are looked at.
const MOST_DATASETS: usize = 20;
const MOST_REPORTERS: usize = 20;
/// Pages of a dataset's coverage that are looked at.
const MOST_PAGES: usize = 20;
/// Figures of a page, how many are looked at for each that is wanted, so that not only the first have a chance, and how
/// many at most.
const PAGE: usize = 1_000;
const LOOKED_AT: usize = 8;
const MOST_LOOKED_AT: usize = 2_000_000;
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
    pub(super) pairs: Vec<Pair>,
}

/// Two countries.
pub(super) type Pair = [String; 2];

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
        let own = str::to_owned;
        Some(Figure {
            dataset: own(dataset),
            reporter: own(reporter),
            partner: own(partner),
            flow: own(flow),
            classification: own(classification),
            code: own(code),
            period: own(period),
        })
    }

    /// One that looks like any.
    pub(super) fn example() -> Figure {
        let name = "datasets/comtrade/observations/CHN.KAZ.X.H6.TOTAL.2022";
        Figure::parse(name).expect("it is a name")
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
    pub(super) async fn gather(scenario: &Scenario, server: &ServerArgs) -> anyhow::Result<Keys> {
        let needs_figures = scenario.mix.iter().any(Part::needs_figures);
        let needs_pairs = scenario.mix.iter().any(Part::needs_pairs);
        let named = scenario.pairs()?;
        let mut keys = Keys::default();
        if needs_figures || (needs_pairs && named.is_empty()) {
            keys.figures = match scenario.keys.from {
                KeySource::Server => {
                    let url = &server.server.url;
                    let sampled = sampled(scenario, server).await;
                    sampled.with_context(|| format!("looking for figures to ask for at {url}"))?
                }
                KeySource::Generated => generated(scenario).await,
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
        Chance::of(scenario.keys.seed, &[]).shuffle(&mut keys.figures);
        Chance::of(scenario.keys.seed, &[]).shuffle(&mut keys.pairs);
        Ok(keys)
    }

    /// What is to be said when there are fewer figures than were to be chosen from.
    pub(super) fn few(&self, scenario: &Scenario) -> Option<String> {
        let (found, wanted) = (self.figures.len(), scenario.keys.sample as usize);
        (1..wanted).contains(&found).then(|| {
            let [found, wanted] = [found, wanted].map(|number| amount(count(number as u64)));
            format!(
                "There are {found} figures to ask about, fewer than the {wanted} of keys.sample."
            )
        })
    }
}

/// The pairs of figures, one way round.
fn pairs(figures: &[Figure]) -> Vec<Pair> {
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
    let all: BTreeSet<Pair> = figures.iter().filter_map(pair).collect();
    all.into_iter().collect()
}

/// Figures that `entente generate` makes. An interruption is heard between them.
async fn generated(scenario: &Scenario) -> Vec<Figure> {
    let keys = &scenario.keys;
    let plan = Plan {
        seed: keys.seed,
        rows: keys.rows,
    };
    let groups = Figures::new(plan, Edition::First).take(MOST_GROUPS);
    let mut sample = Sample::new(scenario);
    for group in groups {
        tokio::task::yield_now().await;
        let flow = if group.flow() == trade::Flow::Import {
            "M"
        } else {
            "X"
        };
        for row in group.rows {
            sample.look_at(Figure {
                dataset: keys.dataset.clone(),
                reporter: group.reporter.clone(),
                partner: group.partner.clone(),
                flow: flow.into(),
                classification: group.classification.clone(),
                code: row.code,
                period: group.period.clone(),
            });
        }
    }
    sample.kept
}

/// A fair sample of all that ever came.
struct Sample<T> {
    kept: Vec<T>,
    most: usize,
    seen: u64,
    chance: Chance,
}

impl<T> Sample<T> {
    fn new(scenario: &Scenario) -> Sample<T> {
        Sample::of(scenario.keys.sample as usize, scenario.keys.seed)
    }

    fn of(most: usize, seed: u64) -> Sample<T> {
        Sample {
            kept: Vec::new(),
            most,
            seen: 0,
            chance: Chance::of(seed, &[]),
        }
    }

    fn look_at(&mut self, one: T) {
        self.seen += 1;
        if self.kept.len() < self.most {
            self.kept.push(one);
        } else if let Ok(place) = usize::try_from(self.chance.below(self.seen))
            && let Some(there) = self.kept.get_mut(place)
        {
            *there = one;
        }
    }
}

/// Figures that the server has: of each dataset and reporter alike.
async fn sampled(scenario: &Scenario, server: &ServerArgs) -> anyhow::Result<Vec<Figure>> {
    let mut client = client::trade(&server.server).await?;
    let asked = trade::ListDatasetsRequest {
        page_size: i32::try_from(MOST_DATASETS)?,
        ..trade::ListDatasetsRequest::default()
    };
    let asked = client.list_datasets(request(asked, server));
    let datasets = match within(server.limit(), asked).await {
        // A process that serves events alone has pairs and no figures.
        Err(status) if status.code() == Code::Unimplemented => return Ok(Vec::new()),
        listed => listed?.into_inner().datasets,
    };
    let mut sources = Vec::new();
    for dataset in datasets {
        for reporter in reporters(&mut client, server, &dataset.name).await? {
            sources.push((dataset.name.clone(), reporter));
        }
    }
    let mut sample = Sample::new(scenario);
    let wanted = (LOOKED_AT * scenario.keys.sample as usize).min(MOST_LOOKED_AT);
    let share = wanted.div_ceil(sources.len().max(1) * CODES.len());
    for (parent, reporter) in &sources {
        for code in CODES {
            let filter = trade::ObservationFilter {
                reporter: reporter.clone(),
                code: code.into(),
                ..trade::ObservationFilter::default()
            };
            look(&mut client, server, parent, filter, share, &mut sample).await?;
        }
    }
    let mut figures = sample.kept;
    // A total comes among the totals and among all.
    figures.sort();
    figures.dedup();
    Ok(figures)
}

async fn reporters(
    client: &mut TradeClient,
    server: &ServerArgs,
    parent: &str,
) -> anyhow::Result<BTreeSet<String>> {
    let (mut reporters, mut page_token) = (BTreeSet::new(), String::new());
    for _ in 0..MOST_PAGES {
        let asked = trade::ListCoverageRequest {
            parent: parent.to_owned(),
            page_size: 100,
            page_token,
            ..trade::ListCoverageRequest::default()
        };
        let asked = client.list_coverage(request(asked, server));
        let found = within(server.limit(), asked).await?.into_inner();
        reporters.extend(found.coverage.into_iter().map(|one| one.reporter));
        page_token = found.next_page_token;
        if page_token.is_empty() || reporters.len() >= MOST_REPORTERS {
            break;
        }
    }
    Ok(reporters.into_iter().take(MOST_REPORTERS).collect())
}

/// What is looked at of a reporter: the totals with all partners, and whatever comes first.
const CODES: [&str; 2] = ["TOTAL", ""];

/// Looks at about so many figures, page by page.
async fn look(
    client: &mut TradeClient,
    server: &ServerArgs,
    parent: &str,
    filter: trade::ObservationFilter,
    wanted: usize,
    sample: &mut Sample<Figure>,
) -> anyhow::Result<()> {
    let (mut seen, mut page_token) = (0, String::new());
    while seen < wanted {
        let asked = trade::ListObservationsRequest {
            parent: parent.to_owned(),
            filter: Some(filter.clone()),
            page_size: i32::try_from(PAGE.min(wanted))?,
            page_token,
            ..trade::ListObservationsRequest::default()
        };
        let asked = client.list_observations(request(asked, server));
        let found = within(server.limit(), asked).await?.into_inner();
        seen += found.observations.len();
        let named = found.observations.iter();
        named
            .filter_map(|figure| Figure::parse(&figure.name))
            .for_each(|figure| sample.look_at(figure));
        page_token = found.next_page_token;
        if page_token.is_empty() {
            break;
        }
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
        let mut sample = Sample::of(100, 1);
        (0..10_000).for_each(|one| sample.look_at(one));
        let kept = sample.kept;
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
