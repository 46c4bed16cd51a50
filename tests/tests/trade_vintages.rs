//! Vintages: what was known when.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use prost_types::Timestamp;
use proto::{parse_timestamp, to_timestamp};
use tests::wire::{
    Frequency, GetDatasetRequest, GetObservationRequest, GetSeriesRequest, ListObservationsRequest,
    Observation, Series, SeriesPoint,
};
use tests::{Client, Server, Way, both_ways, dataset, fields, reason, record, shape};
use tonic::Status;

both_ways!(
    a_revision_keeps_the_old_value,
    a_read_as_of_an_instant_answers_as_that_instant_did,
    before_its_dataset_there_was_nothing,
    figures_of_one_batch_have_one_vintage,
    an_instant_that_is_none_is_refused,
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
    let mut request = list_request(as_of);
    let mut all = Vec::new();
    loop {
        let page = client.clone().list_observations(request.clone()).await;
        let page = page.expect("a page").into_inner();
        all.extend(page.observations);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
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

async fn assert_history(client: &Client, history: &[(i64, Known)]) {
    let mut before = Known::new();
    for (time, after) in history {
        let just_before = list(client, Some(to_timestamp(time - 1))).await;
        assert_eq!(known(&just_before), before, "just before {time}");
        let at = list(client, Some(to_timestamp(*time))).await;
        assert_eq!(known(&at), *after, "at {time}");
        before = after.clone();
    }
    assert_eq!(known(&list(client, None).await), before, "now");
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
