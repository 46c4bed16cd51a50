//! What was said and published of the trade of two countries, by date.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::collections::{BTreeMap, BTreeSet};

use prost_types::Timestamp;
use proto::{parse_timestamp, to_timestamp};
use tests::wire::timeline_entry::Entry;
use tests::wire::{ListObservationChangesRequest, ObservationChange};
use tests::wire::{ListTimelineRequest, TimelineEntry, TimelineFigures, TimelineKind};
use tests::{Client, Server, both_ways, dataset, date, pages, record, statement};

both_ways!(
    statements_stand_on_the_day_of_their_source,
    a_day_of_figures_is_an_entry,
    the_totals_of_a_day_are_told_with_what_they_replace,
    an_instant_within_a_day_cuts_it,
    pages_are_the_timeline_both_ways,
    what_is_told_of_a_day_is_bounded,
);

async fn entries(
    client: &Client,
    asked: ListTimelineRequest,
    page_size: i32,
) -> Vec<TimelineEntry> {
    let pages = pages(async |page_token| {
        let request = ListTimelineRequest {
            country: "KAZ".into(),
            partner: "CHN".into(),
            page_size,
            page_token,
            ..asked.clone()
        };
        let page = client.clone().list_timeline(request).await.unwrap();
        let page = page.into_inner();
        assert!(page.entries.len() <= usize::try_from(page_size).unwrap());
        (page.entries, page.next_page_token)
    });
    pages.await.concat()
}

async fn figures(client: &Client, as_of: Option<Timestamp>) -> Vec<TimelineFigures> {
    let asked = ListTimelineRequest {
        kinds: vec![TimelineKind::Figures.into()],
        as_of,
        ..ListTimelineRequest::default()
    };
    let entries = entries(client, asked, 100).await.into_iter();
    let figures = entries.map(|entry| match entry.entry.unwrap() {
        Entry::Figures(figures) => figures,
        Entry::Statement(_) => panic!("statements were not asked for"),
    });
    figures.collect()
}

/// A statement whose source was published on a date, or on none that is known.
async fn said(client: &Client, id: &str, period: &str, published: &str) {
    let mut request = statement(id, "CHN", &["KAZ"], period, "1");
    let source = request.statement.as_mut().unwrap().source.as_mut().unwrap();
    source.published_on = (!published.is_empty()).then(|| date(published));
    client.clone().create_statement(request).await.unwrap();
}

async fn with_dataset(server: &Server, id: &str) -> Client {
    let client = server.client();
    client.clone().create_dataset(dataset(id)).await.unwrap();
    client
}

/// Records figures; the instant at which they were.
async fn recorded(client: &Client, dataset: &str, ingest: &str, table: &str) -> Timestamp {
    let answer = record(client, dataset, ingest, table).await;
    assert!(answer.rejections.is_empty(), "{:?}", answer.rejections);
    answer.ingest.unwrap().update_time.unwrap()
}

fn totals(figures: &TimelineFigures) -> Vec<String> {
    let told = |change: &ObservationChange| {
        let observation = change.observation.as_ref().unwrap();
        let value = &observation.value.as_ref().unwrap().amount;
        format!("{} {value} {}", observation.period, change.previous_value)
    };
    figures.totals.iter().map(told).collect()
}

async fn statements_stand_on_the_day_of_their_source(server: &mut Server) {
    let client = server.client();
    said(&client, "undated", "2024-05", "").await;
    said(&client, "dated", "2023", "2024-05-31").await;
    said(&client, "month", "2023", "2024-05").await;
    said(&client, "later", "2024", "2024-07-01").await;
    let other = statement("others", "CHN", &["UZB"], "2024", "1");
    client.clone().create_statement(other).await.unwrap();
    let all = entries(&client, ListTimelineRequest::default(), 3).await;
    let told = |entry: &TimelineEntry| match entry.entry.as_ref().unwrap() {
        Entry::Statement(told) => {
            let name = told
                .statement
                .as_ref()
                .unwrap()
                .name
                .replace("statements/", "");
            let date = proto::stored_date(entry.date).unwrap();
            format!("{date} {name} {}", told.dated_by_period)
        }
        Entry::Figures(_) => panic!("no figures were recorded"),
    };
    let all: Vec<String> = all.iter().map(told).collect();
    let expected = [
        "2024-05 month false",
        "2024-05-31 dated false",
        "2024-05-31 undated true",
        "2024-07-01 later false",
    ];
    assert_eq!(all, expected);
}

async fn a_day_of_figures_is_an_entry(server: &mut Server) {
    let client = with_dataset(server, "comtrade").await;
    with_dataset(server, "customs").await;
    let table = "
        CHN KAZ X H6 TOTAL 2022 10
        CHN KAZ X H6 87    2022 4
        CHN KAZ X H6 8703  2022 3
        KAZ CHN M H6 TOTAL 2022 11
        CHN UZB X H6 TOTAL 2022 5";
    recorded(&client, "comtrade", "a", table).await;
    recorded(&client, "customs", "a", "CHN KAZ X H6 TOTAL 2023 20").await;
    let again = "
        CHN KAZ X H6 TOTAL 2022 12
        CHN KAZ X H6 87    2023 6";
    recorded(&client, "comtrade", "b", again).await;
    let told = figures(&client, None).await;
    // Added up over days, should one have ended meanwhile.
    let mut sums: BTreeMap<String, (i64, i64, BTreeSet<String>)> = BTreeMap::new();
    for day in &told {
        let side = format!("{} {} {}", day.dataset, day.reporter, day.partner);
        let (recorded, revised, periods) = sums.entry(side).or_default();
        *recorded += day.recorded;
        *revised += day.revised;
        periods.extend(day.periods.iter().cloned());
    }
    let line = |(side, (recorded, revised, periods)): (&String, &(i64, i64, BTreeSet<String>))| {
        let periods: Vec<&str> = periods.iter().map(String::as_str).collect();
        format!("{side} {recorded}+{revised} {}", periods.join(" "))
    };
    let lines: Vec<String> = sums.iter().map(line).collect();
    let expected = [
        "datasets/comtrade CHN KAZ 4+1 2022 2023",
        "datasets/comtrade KAZ CHN 1+0 2022",
        "datasets/customs CHN KAZ 1+0 2023",
    ];
    assert_eq!(lines, expected);
    assert!(
        told.iter()
            .all(|told| !told.cut && !told.at_least && told.source.is_some())
    );
    let of_comtrade = told
        .iter()
        .filter(|day| day.reporter == "CHN" && day.dataset == "datasets/comtrade");
    let totals: Vec<String> = of_comtrade.flat_map(totals).collect();
    assert_eq!(totals, ["2022 10 ", "2022 12 10"]);
}

async fn the_totals_of_a_day_are_told_with_what_they_replace(server: &mut Server) {
    let client = with_dataset(server, "comtrade").await;
    recorded(&client, "comtrade", "a", "CHN KAZ X H6 TOTAL 2022 10").await;
    recorded(&client, "comtrade", "b", "CHN KAZ X H6 TOTAL 2022 12").await;
    recorded(&client, "comtrade", "c", "CHN KAZ X H6 TOTAL 2021 9").await;
    let told: Vec<String> = figures(&client, None)
        .await
        .iter()
        .flat_map(totals)
        .collect();
    let changes = ListObservationChangesRequest {
        first: "CHN".into(),
        second: "KAZ".into(),
        ..ListObservationChangesRequest::default()
    };
    let changes = client
        .clone()
        .list_observation_changes(changes)
        .await
        .unwrap();
    assert_eq!(changes.into_inner().changes.len(), told.len());
    assert!(told.contains(&"2022 12 10".to_owned()), "{told:?}");
    server.restart_without_view().await;
    let again = figures(&server.client(), None).await;
    let again: Vec<String> = again.iter().flat_map(totals).collect();
    assert_eq!(again, told);
}

async fn an_instant_within_a_day_cuts_it(server: &mut Server) {
    let client = with_dataset(server, "comtrade").await;
    let table = "
        CHN KAZ X H6 TOTAL 2022 10
        CHN KAZ X H6 8703  2022 3
        CHN KAZ X H6 8704  2022 3";
    let first = recorded(&client, "comtrade", "a", table).await;
    let revised = "
        CHN KAZ X H6 TOTAL 2022 11
        CHN KAZ X H6 8703  2022 4
        CHN KAZ X H6 8705  2022 4";
    let second = recorded(&client, "comtrade", "b", revised).await;
    recorded(&client, "comtrade", "c", "CHN KAZ X H6 TOTAL 2022 12").await;
    let before = to_timestamp(parse_timestamp(&first).unwrap() - 1);
    assert!(figures(&client, Some(before)).await.is_empty());
    let counts = |told: Vec<TimelineFigures>| {
        let (recorded, revised): (Vec<i64>, Vec<i64>) = told
            .iter()
            .map(|told| (told.recorded, told.revised))
            .unzip();
        (recorded.iter().sum::<i64>(), revised.iter().sum::<i64>())
    };
    assert_eq!(counts(figures(&client, Some(first)).await), (3, 0));
    assert_eq!(counts(figures(&client, Some(second)).await), (4, 2));
    assert_eq!(counts(figures(&client, None).await), (4, 3));
}

async fn pages_are_the_timeline_both_ways(server: &mut Server) {
    let client = with_dataset(server, "comtrade").await;
    with_dataset(server, "customs").await;
    for (dataset, table) in [
        (
            "comtrade",
            "CHN KAZ X H6 TOTAL 2022 10\nKAZ CHN M H6 TOTAL 2022 10",
        ),
        ("customs", "CHN KAZ X H6 TOTAL 2022 10"),
    ] {
        recorded(&client, dataset, "a", table).await;
    }
    for (id, published) in [("a", "2024"), ("b", ""), ("c", "2024-05-01"), ("d", "2999")] {
        said(&client, id, "2023", published).await;
    }
    let all = entries(&client, ListTimelineRequest::default(), 100).await;
    assert_eq!(all.len(), 7);
    for page_size in 1..=8 {
        let forward = entries(&client, ListTimelineRequest::default(), page_size).await;
        assert_eq!(forward, all);
        let descending = ListTimelineRequest {
            descending: true,
            ..ListTimelineRequest::default()
        };
        let mut back = entries(&client, descending, page_size).await;
        back.reverse();
        assert_eq!(back, all);
    }
}

async fn what_is_told_of_a_day_is_bounded(server: &mut Server) {
    let client = with_dataset(server, "comtrade").await;
    let line = |number: u32| {
        format!(
            "CHN KAZ X H6 TOTAL {}-{:02} 1\n",
            1960 + number / 12,
            number % 12 + 1
        )
    };
    let table: String = (0..700).map(line).collect();
    recorded(&client, "comtrade", "a", &table).await;
    let told = figures(&client, None).await;
    assert_eq!(told.iter().map(|told| told.recorded).sum::<i64>(), 700);
    assert!(told[0].cut && told[0].periods.len() == 60 && told[0].totals.len() == 12);
}
