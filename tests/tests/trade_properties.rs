//! What must hold of every answer, whatever the figures: shares make up the whole, a ranking is what a plain
//! loop finds, a mirror has no favourite side, a balance is exports less imports, and an answer as of an instant
//! is that of a service which was told nothing later.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::collections::BTreeMap;
use std::fmt::Write;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use prost_types::Timestamp;
use proto::{Decimal, format_decimal, parse_decimal};
use tests::wire::{
    EmptyReason, Flow, Frequency, GetMirrorRequest, GetSeriesRequest, Measure, Mirror,
    MirrorDirection, MirrorLine, MirrorSide, MissingFigure, PeriodBasis, RankCommoditiesRequest,
    RankPartnersRequest, Ranking, Series,
};
use tests::{Client, Server, Way, dataset, record, within_limit};

const REPORTERS: [&str; 2] = ["CHN", "KAZ"];
const PARTNERS: [&str; 6] = ["CHN", "KAZ", "RUS", "UZB", "WLD", "CT097"];
const PERIODS: [&str; 5] = ["2022", "2023", "2023-01", "2023-02", "2022-01"];
const CODES: [&str; 5] = ["TOTAL", "84", "87", "8703", "8704"];

/// Reporter, partner, flow, code and period; and under which revision.
type Key = (usize, usize, bool, usize, usize, bool);

/// Figures by what they are of; values in thousandths.
type Table = BTreeMap<Key, u32>;

fn figures() -> impl Strategy<Value = Table> {
    let key = (
        0..2_usize,
        0..6_usize,
        any::<bool>(),
        0..5_usize,
        0..5_usize,
    );
    // The sixth revision is the usual one.
    let key = (key, prop::bool::weighted(0.85));
    let key = key.prop_map(|((r, p, f, c, t), h6)| (r, p, f, c, t, h6));
    // Few values, so that some are equal, and zero among them.
    let value = prop_oneof![0..5_u32, 1_u32..1_000_000];
    prop::collection::btree_map(key, value, 1..160)
}

fn flow(exports: bool) -> Flow {
    if exports { Flow::Export } else { Flow::Import }
}

fn decimal(thousandths: u32) -> Decimal {
    Decimal::new(thousandths.into(), 3)
}

fn text(table: &Table) -> String {
    let mut text = String::new();
    for ((reporter, partner, exports, code, period, h6), value) in table {
        let (reporter, partner) = (REPORTERS[*reporter], PARTNERS[*partner]);
        let (code, period) = (CODES[*code], PERIODS[*period]);
        let flow = if *exports { "X" } else { "M" };
        let revision = if *h6 { "H6" } else { "H5" };
        let value = decimal(*value);
        writeln!(
            text,
            "{reporter} {partner} {flow} {revision} {code} {period} {value}"
        )
        .unwrap();
    }
    text
}

/// A dataset with figures; the instant at which they were all recorded.
async fn with_dataset(client: &Client, id: &str, table: &Table) -> Option<Timestamp> {
    let created = client.clone().create_dataset(dataset(id)).await;
    created.expect("created");
    let answer = record(client, id, "early", &text(table)).await;
    assert!(answer.rejections.is_empty(), "{:?}", answer.rejections);
    answer.ingest.unwrap().update_time
}

/// All questions about a dataset as of an instant.
struct Questions<'a> {
    client: &'a Client,
    id: &'a str,
    as_of: Option<Timestamp>,
}

impl Questions<'_> {
    fn parent(&self) -> String {
        format!("datasets/{}", self.id)
    }

    async fn partners(&self, reporter: &str, exports: bool, code: &str, period: &str) -> Ranking {
        let asked = RankPartnersRequest {
            parent: self.parent(),
            reporter: reporter.into(),
            flow: flow(exports).into(),
            code: code.into(),
            period: period.into(),
            top: 2,
            as_of: self.as_of,
            ..RankPartnersRequest::default()
        };
        self.client
            .clone()
            .rank_partners(asked)
            .await
            .unwrap()
            .into_inner()
    }

    async fn goods(&self, partner: &str, level: i32, basis: PeriodBasis) -> Ranking {
        let asked = RankCommoditiesRequest {
            parent: self.parent(),
            reporter: "CHN".into(),
            partner: partner.into(),
            flow: Flow::Export.into(),
            level,
            period: "2023-01..2023-02".into(),
            basis: basis.into(),
            as_of: self.as_of,
            ..RankCommoditiesRequest::default()
        };
        self.client
            .clone()
            .rank_commodities(asked)
            .await
            .unwrap()
            .into_inner()
    }

    async fn mirror(&self, first: &str, second: &str, code: &str, level: i32) -> Mirror {
        let side = |reporter: &str| {
            Some(MirrorSide {
                dataset: self.parent(),
                reporter: reporter.into(),
            })
        };
        let asked = GetMirrorRequest {
            first: side(first),
            second: side(second),
            period: "2023".into(),
            code: code.into(),
            level,
            as_of: self.as_of,
            ..GetMirrorRequest::default()
        };
        self.client
            .clone()
            .get_mirror(asked)
            .await
            .unwrap()
            .into_inner()
    }

    async fn series(&self, of: impl FnOnce(&mut GetSeriesRequest)) -> Series {
        let mut asked = GetSeriesRequest {
            parent: self.parent(),
            reporter: "CHN".into(),
            partner: "KAZ".into(),
            code: "TOTAL".into(),
            frequency: Frequency::Year.into(),
            as_of: self.as_of,
            ..GetSeriesRequest::default()
        };
        of(&mut asked);
        self.client
            .clone()
            .get_series(asked)
            .await
            .unwrap()
            .into_inner()
    }

    async fn flow(&self, exports: bool, code: &str) -> Series {
        let of = |asked: &mut GetSeriesRequest| {
            asked.flow = flow(exports).into();
            asked.code = code.into();
        };
        self.series(of).await
    }

    async fn balance(&self, code: &str) -> Series {
        let of = |asked: &mut GetSeriesRequest| {
            asked.measure = Measure::Balance.into();
            asked.code = code.into();
        };
        self.series(of).await
    }

    /// The answers to some of them, without what tells when and in which dataset.
    async fn answers(&self) -> Vec<String> {
        let mut answers = Vec::new();
        for code in CODES {
            let mut ranking = self.partners("CHN", true, code, "2023").await;
            let mut series = self.balance(code).await;
            let mut mirror = self.mirror("CHN", "KAZ", code, 0).await;
            let mut lines = self.mirror("CHN", "KAZ", "", 2).await;
            undated_ranking(&mut ranking);
            undated_series(&mut series);
            undated_mirror(&mut mirror);
            undated_mirror(&mut lines);
            let all = format!("{ranking:#?}\n{series:#?}\n{mirror:#?}\n{lines:#?}");
            answers.push(
                all.replace(&format!("/{}\"", self.id), "/\"")
                    .replace(self.id, ""),
            );
        }
        for basis in [PeriodBasis::Published, PeriodBasis::SumOfMonths] {
            let mut ranking = self.goods("KAZ", 2, basis).await;
            undated_ranking(&mut ranking);
            answers.push(format!("{ranking:#?}").replace(self.id, ""));
        }
        answers
    }
}

/// What is recorded later is told as not yet recorded; who was told nothing later cannot know it.
fn unreasoned(missing: &mut [MissingFigure]) {
    for figure in missing {
        figure.reason = EmptyReason::Unspecified.into();
    }
}

fn undated_ranking(ranking: &mut Ranking) {
    ranking.empty_reason = i32::from(ranking.entries.is_empty());
    unreasoned(&mut ranking.missing);
}

fn undated_series(series: &mut Series) {
    series.empty_reason = i32::from(series.points.is_empty());
    for point in &mut series.points {
        unreasoned(&mut point.missing);
        if let Some(growth) = &mut point.growth {
            unreasoned(&mut growth.missing);
        }
    }
}

fn undated_mirror(mirror: &mut Mirror) {
    let directions = [&mut mirror.first_to_second, &mut mirror.second_to_first];
    for direction in directions.into_iter().flatten() {
        let MirrorDirection { total, lines, .. } = direction;
        total.iter_mut().chain(lines).for_each(undated_line);
    }
    mirror.turnover.iter_mut().for_each(undated_line);
}

fn undated_line(line: &mut MirrorLine) {
    unreasoned(&mut line.missing);
    let figures = [&mut line.exporter_figure, &mut line.importer_figure];
    for figure in figures.into_iter().flatten() {
        figure.vintage = None;
    }
}

fn number(text: &str) -> Decimal {
    parse_decimal(text).unwrap_or_else(|_| panic!("{text:?} is no number"))
}

/// Shares of entries, rest and what is not broken down are exactly 1, and so are their values the total.
fn assert_whole(ranking: &Ranking) {
    let remainders = [&ranking.rest, &ranking.unallocated].into_iter().flatten();
    let parts: Vec<(&str, &str)> = ranking
        .entries
        .iter()
        .map(|entry| (&*entry.value, &*entry.share))
        .chain(remainders.map(|part| (&*part.value, &*part.share)))
        .collect();
    let whole = match &*ranking.published_total {
        "" if ranking.entries.is_empty() => Decimal::ZERO,
        "" => number(&ranking.sum_of_parts),
        total => number(total),
    };
    let values: Decimal = parts.iter().map(|(value, _)| number(value)).sum();
    assert_eq!(values, whole, "{ranking:#?}");
    if whole > Decimal::ZERO {
        let shares: Decimal = parts.iter().map(|(_, share)| number(share)).sum();
        assert_eq!(shares, Decimal::ONE, "{ranking:#?}");
    } else {
        assert!(parts.iter().all(|(_, share)| share.is_empty()));
    }
}

/// What a plain loop finds: partners of China's exports of a code in 2023, under the newest revision of any
/// (a total under each partner's), in their order.
fn ranked(table: &Table, code: usize) -> Vec<(String, String)> {
    let mut of_partner: BTreeMap<usize, (bool, u32)> = BTreeMap::new();
    for ((reporter, partner, exports, of, period, h6), value) in table {
        if (*reporter, *exports, *of, *period) == (0, true, code, 1) && *partner < 4 {
            // The sixth revision comes behind the fifth in the table's order and takes its place.
            of_partner.insert(*partner, (*h6, *value));
        }
    }
    let newest = of_partner.values().map(|(h6, _)| *h6).max();
    of_partner.retain(|_, (h6, _)| CODES[code] == "TOTAL" || Some(*h6) == newest);
    let mut ranked: Vec<(&str, u32)> = of_partner
        .into_iter()
        .map(|(partner, (_, value))| (PARTNERS[partner], value))
        .collect();
    ranked.sort_by_key(|(partner, value)| (std::cmp::Reverse(*value), *partner));
    let told = |(partner, value): (&str, u32)| (partner.into(), format_decimal(decimal(value)));
    ranked.into_iter().map(told).collect()
}

async fn assert_ranked(questions: &Questions<'_>, table: &Table) {
    for (at, code) in CODES.into_iter().enumerate() {
        let ranking = questions.partners("CHN", true, code, "2023").await;
        let expected = ranked(table, at);
        let told: Vec<(String, String)> = ranking
            .entries
            .iter()
            .map(|entry| (entry.key.clone(), entry.value.clone()))
            .collect();
        let top = expected.len().min(2);
        assert_eq!(told, expected[..top], "{code}");
        let beyond: Decimal = expected[top..].iter().map(|(_, value)| number(value)).sum();
        let rest = ranking.rest.as_ref().map(|rest| number(&rest.value));
        assert_eq!(rest.unwrap_or_default(), beyond, "{code}");
    }
}

async fn assert_all_make_up_the_whole(questions: &Questions<'_>) {
    for reporter in REPORTERS {
        for code in CODES {
            for period in PERIODS {
                assert_whole(&questions.partners(reporter, true, code, period).await);
                assert_whole(&questions.partners(reporter, false, code, period).await);
            }
        }
    }
    for partner in PARTNERS {
        for level in [2, 4, 6] {
            assert_whole(
                &questions
                    .goods(partner, level, PeriodBasis::SumOfMonths)
                    .await,
            );
        }
    }
}

async fn assert_no_favourite(questions: &Questions<'_>) {
    for (code, level) in [("TOTAL", 2), ("TOTAL", 4), ("87", 4), ("8703", 0)] {
        let one = questions.mirror("CHN", "KAZ", code, level).await;
        let other = questions.mirror("KAZ", "CHN", code, level).await;
        assert_eq!(one.first_to_second, other.second_to_first);
        assert_eq!(one.second_to_first, other.first_to_second);
        let (a, b) = (one.turnover.unwrap(), other.turnover.unwrap());
        assert_eq!(a.exporter_figure, b.importer_figure);
        assert_eq!(a.importer_figure, b.exporter_figure);
        assert_eq!(a.gap.is_empty(), b.gap.is_empty());
        if !a.gap.is_empty() {
            assert_eq!(number(&a.gap), -number(&b.gap));
        }
    }
}

/// The values of a series by period.
fn by_period(series: &Series) -> BTreeMap<&str, &str> {
    let points = series.points.iter();
    points
        .map(|point| (&*point.period, &*point.value))
        .collect()
}

async fn assert_balanced(questions: &Questions<'_>) {
    let exports = questions.flow(true, "TOTAL").await;
    let imports = questions.flow(false, "TOTAL").await;
    let (x, m) = (by_period(&exports), by_period(&imports));
    let balance = questions.balance("TOTAL").await;
    let periods: Vec<&str> = balance.points.iter().map(|p| &*p.period).collect();
    let mut expected: Vec<&str> = x.keys().chain(m.keys()).copied().collect();
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(periods, expected);
    for point in &balance.points {
        let both = x.get(&*point.period).zip(m.get(&*point.period));
        let value = both.map(|(x, m)| format_decimal(number(x) - number(m)));
        assert_eq!(point.value, value.clone().unwrap_or_default());
        assert_eq!(point.missing.is_empty(), value.is_some());
    }
}

fn merged(early: &Table, late: &Table) -> Table {
    let mut all = early.clone();
    all.extend(late);
    all
}

/// Puts figures into a running service: early ones, and later ones that revise some of them; and holds all
/// answers to what must hold of them.
async fn assert_all(client: &Client, case: u32, early: &Table, late: &Table) {
    let (all, only) = (format!("all-{case}"), format!("early-{case}"));
    with_dataset(client, &only, early).await;
    let then = with_dataset(client, &all, early).await;
    record(client, &all, "late", &text(late)).await;
    let of = |id| Questions {
        client,
        id,
        as_of: None,
    };

    let now = of(&all);
    assert_ranked(&now, &merged(early, late)).await;
    assert_all_make_up_the_whole(&now).await;
    assert_no_favourite(&now).await;
    assert_balanced(&now).await;
    let as_of_then = Questions {
        as_of: then,
        ..of(&all)
    };
    assert_ranked(&as_of_then, early).await;
    assert_eq!(as_of_then.answers().await, of(&only).answers().await);
}

#[test]
fn every_answer_holds_whatever_the_figures() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    });
    let mut server = runtime.block_on(Server::start(Way::InProcess));
    let client = server.client();
    let cases = std::cell::Cell::new(0_u32);
    let outcome = runner.run(&(figures(), figures()), |(early, late)| {
        cases.set(cases.get() + 1);
        runtime.block_on(within_limit(assert_all(
            &client,
            cases.get(),
            &early,
            &late,
        )));
        Ok(())
    });
    outcome.unwrap();
    runtime.block_on(server.stop());
}
