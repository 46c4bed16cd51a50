//! Vintages: what was known when.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use prost_types::Timestamp;
use proto::PageToken;
use proto::{parse_timestamp, to_timestamp};
use tests::wire::{
    ExportObservationsRequest, Frequency, GetDatasetRequest, GetObservationRequest,
    GetSeriesRequest, ListObservationChangesRequest, ListObservationsRequest, ListVintagesRequest,
    ListVintagesResponse, Observation, ObservationChange, Series, SeriesPoint,
};
use tests::{Client, Server, Way, both_ways, dataset, fields, observations, reason, record, shape};
use tonic::Status;

both_ways!(
    a_revision_keeps_the_old_value,
    a_read_as_of_an_instant_answers_as_that_instant_did,
    before_its_dataset_there_was_nothing,
    figures_of_one_batch_have_one_vintage,
    an_instant_that_is_none_is_refused,
    every_version_of_a_figure_is_listed_the_latest_first,
    versions_as_of_an_instant_are_those_that_were_there,
    figures_around_it_do_not_stand_in_a_figure_s_way,
    pages_of_versions_hold_together_although_the_figure_is_revised,
    more_versions_than_a_page_may_look_at_are_found_all_the_same,
    a_figure_that_never_was_has_no_versions,
    a_bad_question_about_versions_names_every_field,
);

type AsOf = Option<Timestamp>;

async fn with_dataset(server: &Server) -> Client {
    let client = server.client();
    let created = client.clone().create_dataset(dataset("comtrade")).await;
    created.expect("created");
    client
}

async fn figure(client: &Client, key: &str, as_of: AsOf) -> Result<Observation, Status> {
    let request = GetObservationRequest {
        name: format!("datasets/comtrade/observations/{key}"),
        as_of,
    };
    Ok(client.clone().get_observation(request).await?.into_inner())
}

async fn value(client: &Client, key: &str, as_of: AsOf) -> Option<String> {
    match figure(client, key, as_of).await {
        Ok(found) => Some(found.value.unwrap().amount),
        Err(missing) => {
            assert_eq!(reason(&missing), "NotFound NOT_FOUND");
            None
        }
    }
}

fn list_request(as_of: AsOf) -> ListObservationsRequest {
    ListObservationsRequest {
        parent: "datasets/comtrade".into(),
        page_size: 7,
        as_of,
        ..ListObservationsRequest::default()
    }
}

async fn list(client: &Client, as_of: AsOf) -> Vec<Observation> {
    let request = list_request(as_of);
    observations(client, request).await
}

fn series_request(as_of: AsOf) -> GetSeriesRequest {
    GetSeriesRequest {
        parent: "datasets/comtrade".into(),
        reporter: "CHN".into(),
        partner: "KAZ".into(),
        flow: tests::wire::Flow::Export.into(),
        code: "TOTAL".into(),
        frequency: Frequency::Year.into(),
        as_of,
        ..GetSeriesRequest::default()
    }
}

async fn series(client: &Client, as_of: AsOf) -> Series {
    let series = client.clone().get_series(series_request(as_of)).await;
    series.expect("a series").into_inner()
}

fn values(points: &[SeriesPoint]) -> Vec<(&str, &str)> {
    points
        .iter()
        .map(|p| (p.period.as_str(), p.value.as_str()))
        .collect()
}

fn micros(time: Timestamp) -> i64 {
    parse_timestamp(&time).unwrap()
}

const Y2023: &str = "CHN.KAZ.X.H6.TOTAL.2023";

async fn a_revision_keeps_the_old_value(server: &mut Server) {
    let client = with_dataset(server).await;
    record(
        &client,
        "comtrade",
        "may",
        "CHN KAZ X H6 TOTAL 2023 24 provisional",
    )
    .await;
    let first = figure(&client, Y2023, None).await.unwrap();
    record(&client, "comtrade", "july", "CHN KAZ X H6 TOTAL 2023 24.7").await;
    record(&client, "comtrade", "same", "CHN KAZ X H6 TOTAL 2023 24.7").await;
    let second = figure(&client, Y2023, None).await.unwrap();
    assert!(micros(second.vintage.unwrap()) > micros(first.vintage.unwrap()));
    assert_eq!(second.value.as_ref().unwrap().amount, "24.7");
    assert!(second.flags.is_empty());
    server.restart_without_view().await;
    let client = server.client();
    assert_eq!(figure(&client, Y2023, None).await.unwrap(), second);
    assert_eq!(figure(&client, Y2023, first.vintage).await.unwrap(), first);
}

async fn a_read_as_of_an_instant_answers_as_that_instant_did(server: &mut Server) {
    let client = with_dataset(server).await;
    let mut known = Vec::new();
    let vintages = [
        (
            "CHN KAZ X H6 TOTAL 2022 16
             CHN KAZ X H6 TOTAL 2023 20",
            "20",
            vec![("2022", "16"), ("2023", "20")],
        ),
        (
            "CHN KAZ X H6 TOTAL 2023 21",
            "21",
            vec![("2022", "16"), ("2023", "21")],
        ),
        (
            "CHN KAZ X H6 TOTAL 2024 28
             CHN KAZ X H6 TOTAL 2023 24",
            "24",
            vec![("2022", "16"), ("2023", "24"), ("2024", "28")],
        ),
    ];
    for (ingest, (table, value, points)) in ["a", "b", "c"].into_iter().zip(vintages) {
        record(&client, "comtrade", ingest, table).await;
        let vintage = figure(&client, Y2023, None).await.unwrap().vintage.unwrap();
        known.push((micros(vintage), value, points));
    }
    for round in 0..2 {
        let client = server.client();
        for (index, (vintage, now, points)) in known.iter().enumerate() {
            let before = index.checked_sub(1).map(|index| &known[index]);
            let at = Some(to_timestamp(*vintage));
            let just_before = Some(to_timestamp(vintage - 1));
            let just_after = Some(to_timestamp(vintage + 1));
            // Up to the microsecond that it was recorded in, the nanoseconds included.
            let within = at.map(|at| Timestamp {
                nanos: at.nanos + 999,
                ..at
            });
            let earlier = before.map(|(_, value, _)| (*value).to_owned());
            assert_eq!(value(&client, Y2023, just_before).await, earlier);
            for as_of in [at, within, just_after] {
                assert_eq!(value(&client, Y2023, as_of).await.as_deref(), Some(*now));
                assert_eq!(values(&series(&client, as_of).await.points), *points);
                let listed = list(&client, as_of).await;
                let listed: Vec<_> = listed
                    .iter()
                    .map(|o| (o.period.as_str(), o.value.as_ref().unwrap().amount.as_str()))
                    .collect();
                assert_eq!(listed, *points);
            }
            let earlier = before.map_or(&[][..], |(_, _, points)| &points[..]);
            assert_eq!(values(&series(&client, just_before).await.points), earlier);
            assert_eq!(list(&client, just_before).await.len(), earlier.len());
        }
        if round == 0 {
            server.restart_without_view().await;
        }
    }
}

async fn before_its_dataset_there_was_nothing(server: &mut Server) {
    let client = with_dataset(server).await;
    record(&client, "comtrade", "first", "CHN KAZ X H6 TOTAL 2023 20").await;
    let request = GetDatasetRequest {
        name: "datasets/comtrade".into(),
        as_of: None,
    };
    let created = client
        .clone()
        .get_dataset(request)
        .await
        .unwrap()
        .into_inner();
    let created = micros(created.create_time.unwrap());
    for instant in [created - 1, 0, -62_135_596_800_000_000] {
        let as_of = Some(to_timestamp(instant));
        let asked = [
            figure(&client, Y2023, as_of).await.unwrap_err(),
            client
                .clone()
                .list_observations(list_request(as_of))
                .await
                .unwrap_err(),
            client
                .clone()
                .get_series(series_request(as_of))
                .await
                .unwrap_err(),
        ];
        for missing in asked {
            assert_eq!(reason(&missing), "NotFound NOT_FOUND");
        }
    }
    let as_of = Some(to_timestamp(created));
    assert!(list(&client, as_of).await.is_empty());
    assert_eq!(value(&client, Y2023, as_of).await, None);
    assert!(series(&client, as_of).await.points.is_empty());
}

async fn figures_of_one_batch_have_one_vintage(server: &mut Server) {
    let client = with_dataset(server).await;
    let table = "CHN KAZ X H6 TOTAL 2022 1
                 CHN KAZ M H5 87 2021-01 2
                 KAZ CHN T H6 8703 2023-01..2023-05 3";
    record(&client, "comtrade", "batch", table).await;
    let listed = list(&client, None).await;
    assert_eq!(listed.len(), 3);
    let vintage = micros(listed[0].vintage.unwrap());
    assert!(listed.iter().all(|o| micros(o.vintage.unwrap()) == vintage));
    // All or none of them, whenever it is asked for.
    assert_eq!(
        list(&client, Some(to_timestamp(vintage - 1))).await.len(),
        0
    );
    assert_eq!(list(&client, Some(to_timestamp(vintage))).await.len(), 3);
}

async fn an_instant_that_is_none_is_refused(server: &mut Server) {
    let client = with_dataset(server).await;
    for (seconds, nanos) in [(0, -1), (0, 1_000_000_000), (i64::MAX, 0), (i64::MIN, 0)] {
        let as_of = Some(Timestamp { seconds, nanos });
        let refused = [
            figure(&client, Y2023, as_of).await.unwrap_err(),
            client
                .clone()
                .list_observations(list_request(as_of))
                .await
                .unwrap_err(),
            client
                .clone()
                .get_series(series_request(as_of))
                .await
                .unwrap_err(),
        ];
        for refused in refused {
            assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
            assert_eq!(fields(&refused), ["as_of"]);
        }
    }
}

fn versions_request(key: &str, as_of: AsOf) -> ListVintagesRequest {
    ListVintagesRequest {
        name: format!("datasets/comtrade/observations/{key}"),
        as_of,
        ..ListVintagesRequest::default()
    }
}

async fn versions_page(
    client: &Client,
    request: ListVintagesRequest,
) -> Result<ListVintagesResponse, Status> {
    Ok(client.clone().list_vintages(request).await?.into_inner())
}

/// Value, vintage and end of each version.
type Versions = Vec<(String, i64, Option<i64>)>;

fn versions_in(page: ListVintagesResponse) -> Versions {
    let vintages = page.vintages.into_iter();
    let version = vintages.map(|vintage| {
        let observation = vintage.observation.unwrap();
        let since = micros(observation.vintage.unwrap());
        (
            observation.value.unwrap().amount,
            since,
            vintage.superseded.map(micros),
        )
    });
    version.collect()
}

async fn versions(client: &Client, mut request: ListVintagesRequest) -> Versions {
    let mut all = Versions::new();
    loop {
        let page = versions_page(client, request.clone())
            .await
            .expect("a page");
        request.page_token.clone_from(&page.next_page_token);
        all.extend(versions_in(page));
        if request.page_token.is_empty() {
            return all;
        }
    }
}

/// Records the same figure again and again; each value with its vintage.
async fn revise(client: &Client, values: std::ops::Range<i64>) -> Vec<(String, i64)> {
    let mut recorded = Vec::new();
    for value in values {
        let table = format!("CHN KAZ X H6 TOTAL 2023 {value}");
        let answer = record(client, "comtrade", &format!("value-{value}"), &table).await;
        let time = micros(answer.ingest.unwrap().update_time.unwrap());
        recorded.push((value.to_string(), time));
    }
    recorded
}

/// What the list of versions says of values recorded one after the other.
fn latest_first(recorded: &[(String, i64)]) -> Versions {
    let mut superseded = None;
    let latest_first = recorded.iter().rev();
    let version =
        latest_first.map(|(value, since)| (value.clone(), *since, superseded.replace(*since)));
    version.collect()
}

async fn every_version_of_a_figure_is_listed_the_latest_first(server: &mut Server) {
    let client = with_dataset(server).await;
    let recorded = revise(&client, 1..5).await;
    record(&client, "comtrade", "same", "CHN KAZ X H6 TOTAL 2023 4").await;
    let flagged = "CHN KAZ X H6 TOTAL 2023 4 provisional";
    let flagged = record(&client, "comtrade", "flagged", flagged).await;
    let time = micros(flagged.ingest.unwrap().update_time.unwrap());
    let recorded = [recorded, vec![("4".into(), time)]].concat();
    for round in 0..2 {
        let client = server.client();
        let all = versions(&client, versions_request(Y2023, None)).await;
        assert_eq!(all, latest_first(&recorded));
        let page = versions_page(&client, versions_request(Y2023, None))
            .await
            .unwrap();
        let latest = page.vintages[0].observation.clone();
        assert_eq!(latest.unwrap(), figure(&client, Y2023, None).await.unwrap());
        for vintage in page.vintages {
            let then = vintage.observation.unwrap();
            let read = figure(&client, Y2023, then.vintage).await.unwrap();
            assert_eq!(read, then, "each version is what a read as of it says");
        }
        if round == 0 {
            server.restart_without_view().await;
        }
    }
}

async fn versions_as_of_an_instant_are_those_that_were_there(server: &mut Server) {
    let client = with_dataset(server).await;
    let recorded = revise(&client, 1..6).await;
    for (known, (_, time)) in (1..).zip(&recorded) {
        let at = versions_request(Y2023, Some(to_timestamp(*time)));
        assert_eq!(
            versions(&client, at.clone()).await,
            latest_first(&recorded[..known])
        );
        let paged = ListVintagesRequest { page_size: 1, ..at };
        assert_eq!(
            versions(&client, paged).await,
            latest_first(&recorded[..known])
        );
        let just_before = versions_request(Y2023, Some(to_timestamp(time - 1)));
        match known {
            1 => {
                let missing = versions_page(&client, just_before).await.unwrap_err();
                assert_eq!(reason(&missing), "NotFound NOT_FOUND");
            }
            _ => assert_eq!(
                versions(&client, just_before).await,
                latest_first(&recorded[..known - 1])
            ),
        }
    }
}

async fn figures_around_it_do_not_stand_in_a_figure_s_way(server: &mut Server) {
    let client = with_dataset(server).await;
    record(
        &client,
        "comtrade",
        "first",
        "CHN KAZ X H6 8703 2023 1\nCHN KAZ X H6 8704 2023 1",
    )
    .await;
    for value in 2..30 {
        let table = format!("CHN KAZ X H6 8704 2023 {value}\nCHN KAZ X H6 87{value:02}10 2023 1");
        record(&client, "comtrade", &format!("around-{value}"), &table).await;
    }
    record(&client, "comtrade", "last", "CHN KAZ X H6 8703 2023 2").await;
    let request = versions_request("CHN.KAZ.X.H6.8703.2023", None);
    let all = versions(&client, request).await;
    let values: Vec<&str> = all.iter().map(|(value, ..)| value.as_str()).collect();
    assert_eq!(values, ["2", "1"]);
    let request = versions_request("CHN.KAZ.X.H6.8704.2023", None);
    assert_eq!(versions(&client, request).await.len(), 29);
}

async fn pages_of_versions_hold_together_although_the_figure_is_revised(server: &mut Server) {
    let client = with_dataset(server).await;
    let recorded = revise(&client, 1..8).await;
    let mut request = ListVintagesRequest {
        page_size: 2,
        ..versions_request(Y2023, None)
    };
    let mut seen = Versions::new();
    for value in 100.. {
        let page = versions_page(&client, request.clone()).await.unwrap();
        request.page_token.clone_from(&page.next_page_token);
        let page = versions_in(page);
        assert!(page.len() <= 2);
        seen.extend(page);
        if request.page_token.is_empty() {
            break;
        }
        revise(&client, value..value + 1).await;
    }
    assert_eq!(seen, latest_first(&recorded));
    let token = {
        let request = ListVintagesRequest {
            page_token: String::new(),
            ..request.clone()
        };
        versions_page(&client, request)
            .await
            .unwrap()
            .next_page_token
    };
    let with = |token: &str| ListVintagesRequest {
        page_token: token.into(),
        ..request.clone()
    };
    let digest = {
        let query = ListVintagesRequest {
            page_size: 0,
            ..with("")
        };
        proto::query_digest(&[&prost::Message::encode_to_vec(&query)])
    };
    let forged = |cursor: &[u8]| with(&PageToken::encode(digest, cursor));
    let others = [
        ListVintagesRequest {
            name: with("").name.replace("2023", "2022"),
            ..with(&token)
        },
        ListVintagesRequest {
            as_of: Some(to_timestamp(4_000_000_000_000_000)),
            ..with(&token)
        },
        with("garbage"),
        forged(&[]),
        forged(&[0; 16]),
        forged(&[0xff; 16]),
    ];
    for other in others {
        let refused = versions_page(&client, other)
            .await
            .expect_err("another list");
        assert_eq!(reason(&refused), "InvalidArgument INVALID_PAGE_TOKEN");
    }
}

async fn more_versions_than_a_page_may_look_at_are_found_all_the_same(server: &mut Server) {
    let client = with_dataset(server).await;
    let recorded = revise(&client, 1..2_103).await;
    let early = Some(to_timestamp(recorded[9].1));
    let request = ListVintagesRequest {
        page_size: 1_001,
        ..versions_request(Y2023, early)
    };
    let first = versions_page(&client, request.clone()).await.unwrap();
    assert!(first.vintages.is_empty(), "it looks at 2,000 versions");
    assert!(!first.next_page_token.is_empty());
    let expected = latest_first(&recorded[..10]);
    assert_eq!(versions(&client, request.clone()).await, expected);
    let whole = ListVintagesRequest {
        as_of: None,
        ..request.clone()
    };
    let page = versions_page(&client, whole.clone()).await.unwrap();
    assert_eq!(page.vintages.len(), 1_000);
    assert_eq!(versions(&client, whole).await, latest_first(&recorded));
    // Before its first version it was not there, on whichever page that turns out.
    let mut never = ListVintagesRequest {
        as_of: Some(to_timestamp(recorded[0].1 - 1)),
        ..request
    };
    never.page_token = versions_page(&client, never.clone())
        .await
        .unwrap()
        .next_page_token;
    let missing = versions_page(&client, never).await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
}

async fn a_figure_that_never_was_has_no_versions(server: &mut Server) {
    let client = with_dataset(server).await;
    record(&client, "comtrade", "first", "CHN KAZ X H6 8703 2023 1").await;
    for key in ["CHN.KAZ.X.H6.8704.2023", Y2023, "CHN.KAZ.X.H5.8703.2023"] {
        let missing = versions_page(&client, versions_request(key, None)).await;
        assert_eq!(reason(&missing.unwrap_err()), "NotFound NOT_FOUND", "{key}");
    }
    let elsewhere = ListVintagesRequest {
        name: "datasets/customs/observations/CHN.KAZ.X.H6.8703.2023".into(),
        ..ListVintagesRequest::default()
    };
    let missing = versions_page(&client, elsewhere).await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
}

async fn a_bad_question_about_versions_names_every_field(server: &mut Server) {
    let wrong = ListVintagesRequest {
        page_size: -1,
        ..versions_request(
            "CHN.KAZ.X.H6",
            Some(Timestamp {
                seconds: 0,
                nanos: -1,
            }),
        )
    };
    let refused = versions_page(&server.client(), wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    assert_eq!(fields(&refused), ["name", "page_size", "as_of"]);
}

/// One ingest: figures by a small key, so that they meet often, with a value and perhaps a flag.
type Step = BTreeMap<(usize, usize), (u32, bool)>;

const CODES: [&str; 6] = ["TOTAL", "87", "88", "8703", "870380", "8802"];
const KEYS: [&str; 3] = ["CHN KAZ X H6", "CHN KAZ X H5", "KAZ CHN M H6"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = (0..CODES.len(), 0..KEYS.len());
    let figure = (0..3_u32, any::<bool>());
    let step = prop::collection::btree_map(key, figure, 1..10);
    prop::collection::vec(step, 1..8)
}

fn table(step: &Step) -> String {
    let lines = step.iter().map(|((code, key), (value, flagged))| {
        let flag = if *flagged { "provisional" } else { "" };
        format!("{} {} 2023 {value} {flag}\n", KEYS[*key], CODES[*code])
    });
    lines.collect()
}

/// Name, value, flags and vintage of every figure.
type Known = BTreeMap<String, (String, Vec<i32>, i64)>;

fn known(observations: &[Observation]) -> Known {
    let describe = |observation: &Observation| {
        let (key, value, flags) = shape(observation);
        (key, (value, flags, micros(observation.vintage.unwrap())))
    };
    observations.iter().map(describe).collect()
}

/// What is known after a step that was recorded at `time`, by the plainest of all models.
fn replayed(before: &Known, step: &Step, time: i64) -> Known {
    let mut after = before.clone();
    for ((code, key), (value, flagged)) in step {
        let name = format!("{} {} 2023", KEYS[*key], CODES[*code]).replace(' ', ".");
        let (value, flags) = (value.to_string(), vec![1; usize::from(*flagged)]);
        let same = after
            .get(&name)
            .is_some_and(|(v, f, _)| (v, f) == (&value, &flags));
        if !same {
            after.insert(name, (value, flags, time));
        }
    }
    after
}

/// Ingests the steps; what is known at each instant that matters.
async fn history(server: &Server, steps: &[Step]) -> Vec<(i64, Known)> {
    let client = with_dataset(server).await;
    let mut history: Vec<(i64, Known)> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let answer = record(&client, "comtrade", &format!("step-{index}"), &table(step)).await;
        let time = micros(answer.ingest.unwrap().update_time.unwrap());
        let before = history.last().map(|(_, known)| known.clone());
        let after = replayed(&before.unwrap_or_default(), step, time);
        history.push((time, after));
    }
    history
}

/// The same figures as an export sends them.
async fn exported(client: &Client, as_of: AsOf) -> Known {
    let request = ExportObservationsRequest {
        parent: "datasets/comtrade".into(),
        as_of,
        ..ExportObservationsRequest::default()
    };
    let export = client.clone().export_observations(request).await;
    let mut export = export.expect("an export").into_inner();
    let mut all = Known::new();
    while let Some(message) = export.message().await.expect("no error") {
        for group in message.groups {
            let flow = proto::Flow::from_wire(group.flow).unwrap();
            for row in group.rows {
                let (reporter, partner, code) = (&group.reporter, &group.partner, row.code);
                let (revision, period) = (&group.classification, &group.period);
                let name = format!("{reporter}.{partner}.{flow}.{revision}.{code}.{period}");
                let said = (row.value, row.flags, micros(row.vintage.unwrap()));
                assert_eq!(all.insert(name, said), None, "each figure once");
            }
        }
    }
    all
}

/// What the plain model says of a figure's versions by the last instant of a history.
fn versions_of(name: &str, history: &[(i64, Known)]) -> Versions {
    let mut recorded: Vec<(String, i64)> = Vec::new();
    for (time, known) in history {
        if let Some((value, _, vintage)) = known.get(name)
            && vintage == time
        {
            recorded.push((value.clone(), *time));
        }
    }
    latest_first(&recorded)
}

/// A change as the plain model knows it: when, the figure, its value, the value before.
type Change = (i64, String, String, Option<(String, i64)>);

fn changes_between(before: &Known, time: i64, after: &Known) -> Vec<Change> {
    let new = after.iter().filter(|(_, (.., vintage))| *vintage == time);
    let change = new.map(|(name, (value, ..))| {
        let previous = before
            .get(name)
            .map(|(value, _, vintage)| (value.clone(), *vintage));
        (time, name.clone(), value.clone(), previous)
    });
    change.collect()
}

async fn changes(client: &Client, since: i64, until: i64, page_size: i32) -> Vec<Change> {
    let mut request = ListObservationChangesRequest {
        first: "KAZ".into(),
        second: "CHN".into(),
        since: Some(to_timestamp(since)),
        until: Some(to_timestamp(until)),
        page_size,
        ..ListObservationChangesRequest::default()
    };
    let change = |change: ObservationChange| {
        let observation = change.observation.unwrap();
        let previous = change
            .previous_vintage
            .map(|at| (change.previous_value, micros(at)));
        let (name, value, _) = shape(&observation);
        (micros(observation.vintage.unwrap()), name, value, previous)
    };
    let mut all = Vec::new();
    loop {
        let page = client
            .clone()
            .list_observation_changes(request.clone())
            .await;
        let page = page.expect("a page").into_inner();
        all.extend(page.changes.into_iter().map(change));
        if page.next_page_token.is_empty() {
            assert!(all.is_sorted_by_key(|change: &Change| change.0));
            all.sort();
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

async fn assert_history(client: &Client, history: &[(i64, Known)]) {
    let mut before = Known::new();
    let mut told = Vec::new();
    for (index, (time, after)) in history.iter().enumerate() {
        let (at, just_before) = (Some(to_timestamp(*time)), Some(to_timestamp(time - 1)));
        for (as_of, expected) in [(just_before, &before), (at, after)] {
            assert_eq!(
                known(&list(client, as_of).await),
                *expected,
                "{as_of:?} of {time}"
            );
            assert_eq!(
                exported(client, as_of).await,
                *expected,
                "{as_of:?} of {time}"
            );
        }
        for name in after.keys() {
            let listed = versions(client, versions_request(name, at)).await;
            assert_eq!(
                listed,
                versions_of(name, &history[..=index]),
                "{name} at {time}"
            );
        }
        let changed = changes_between(&before, *time, after);
        assert_eq!(changes(client, *time, *time, 2).await, changed);
        told.extend(changed);
        before = after.clone();
    }
    assert_eq!(known(&list(client, None).await), before, "now");
    assert_eq!(exported(client, None).await, before, "now");
    let last = history.last().map_or(0, |(time, _)| *time);
    assert_eq!(changes(client, 0, last, 7).await, told);
}

#[test]
fn every_instant_answers_as_a_plain_model_replayed_to_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&steps(), |steps| {
        runtime.block_on(async {
            let mut server = Server::start(Way::InProcess).await;
            let history = history(&server, &steps).await;
            assert_history(&server.client(), &history).await;
            server.restart().await;
            assert_history(&server.client(), &history).await;
            server.restart_without_view().await;
            assert_history(&server.client(), &history).await;
            server.stop().await;
        });
        Ok(())
    });
    outcome.unwrap();
}
