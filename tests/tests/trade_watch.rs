//! Watching: every change once, in order, from any position, until the service stops.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use futures_util::future::join_all;
use proto::parse_timestamp;
use tests::wire::trade_change::Change;
use tests::wire::{
    GetObservationRequest, ListObservationsRequest, ObservationBatch, ObservationsRecorded,
    TradeChange, WatchChangesRequest, WatchChangesResponse,
};
use tests::{Client, Server, both_ways, dataset, fields, header, ingest, metadata, reason, record};
use tonic::{Status, Streaming};

both_ways!(
    everything_is_told_once_in_order_from_the_beginning,
    a_watch_goes_on_after_the_position_it_saw_last,
    a_watch_resumes_over_a_restart,
    what_comes_later_is_told_when_it_comes,
    a_filter_lets_through_what_it_names_and_still_moves_on,
    a_watcher_who_reads_slowly_misses_nothing,
    entries_of_large_batches_fit_into_a_message,
    an_entry_is_not_older_than_what_it_holds,
    a_quiet_service_says_where_it_stands,
    a_position_that_does_not_exist_yet_is_refused_with_the_last_one,
    a_stopping_service_ends_its_watches,
    a_bad_watch_names_every_field,
    more_watchers_than_there_are_places_are_told_to_come_again,
);

type Watch = Streaming<WatchChangesResponse>;

fn after(position: u64) -> WatchChangesRequest {
    WatchChangesRequest {
        after_position: position,
        ..WatchChangesRequest::default()
    }
}

async fn watch(client: &Client, request: WatchChangesRequest) -> Result<Watch, Status> {
    Ok(client.clone().watch_changes(request).await?.into_inner())
}

/// The next entry; signs of life are passed over.
async fn next(watch: &mut Watch) -> WatchChangesResponse {
    loop {
        let response = watch.message().await.expect("no error").expect("no end");
        if response.commit_time.is_some() {
            return response;
        }
        assert!(response.changes.is_empty());
    }
}

/// All entries up to `last`.
async fn until(watch: &mut Watch, last: u64) -> Vec<WatchChangesResponse> {
    let mut seen: Vec<WatchChangesResponse> = Vec::new();
    while seen.last().is_none_or(|entry| entry.position < last) {
        seen.push(next(watch).await);
    }
    seen
}

fn recorded(change: &TradeChange) -> Option<&ObservationsRecorded> {
    if let Change::ObservationsRecorded(recorded) = change.change.as_ref().expect("a change") {
        return Some(recorded);
    }
    None
}

/// A change in a few words: the dataset that was created, or the ingest and the figures.
fn words(change: &TradeChange) -> String {
    let Some(recorded) = recorded(change) else {
        return "created".into();
    };
    let groups = recorded.groups.iter().map(|group| {
        let rows = group
            .rows
            .iter()
            .map(|row| format!("{}={}", row.code, row.value));
        let rows: Vec<String> = rows.collect();
        format!(
            "{} {} {} {}",
            group.reporter,
            group.partner,
            group.period,
            rows.join(" ")
        )
    });
    let groups: Vec<String> = groups.collect();
    format!(
        "{} {}: {}",
        recorded.ingest_id,
        recorded.sequence,
        groups.join(", ")
    )
}

fn told(entries: &[WatchChangesResponse]) -> Vec<String> {
    entries
        .iter()
        .flat_map(|entry| &entry.changes)
        .map(words)
        .collect()
}

fn table(year: u32, value: u64) -> String {
    format!("CHN KAZ X H6 TOTAL {year} {value}")
}

async fn with_dataset(server: &Server) -> Client {
    let client = server.client();
    let created = client.clone().create_dataset(dataset("comtrade")).await;
    created.expect("created");
    client
}

async fn everything_is_told_once_in_order_from_the_beginning(server: &mut Server) {
    let client = with_dataset(server).await;
    record(
        &client,
        "comtrade",
        "a",
        "CHN KAZ X H6 TOTAL 2022 1\nCHN KAZ X H6 87 2022 2",
    )
    .await;
    // Of a batch, what is new or revised is told; one that changes nothing still moves its ingest on.
    record(
        &client,
        "comtrade",
        "b",
        "CHN KAZ X H6 TOTAL 2022 1\nCHN KAZ X H6 87 2022 3",
    )
    .await;
    let last = record(
        &client,
        "comtrade",
        "c",
        "CHN KAZ X H6 87 2022 3\nXXX KAZ X H6 87 2022 3",
    )
    .await;
    let expected = [
        "created",
        "a 1: CHN KAZ 2022 TOTAL=1 87=2",
        "b 1: CHN KAZ 2022 87=3",
        "c 1: ",
    ];
    for _ in 0..2 {
        let mut watch = watch(&server.client(), after(0)).await.expect("a watch");
        let entries = until(&mut watch, last.position).await;
        let positions: Vec<u64> = entries.iter().map(|entry| entry.position).collect();
        assert_eq!(positions, [1, 2, 3, 4]);
        assert_eq!(told(&entries), expected);
        let times: Vec<i64> = entries
            .iter()
            .map(|entry| parse_timestamp(&entry.commit_time.unwrap()).unwrap())
            .collect();
        assert!(times.is_sorted_by(|a, b| a < b));
        let counts = recorded(&entries[3].changes[0]).unwrap().counts.unwrap();
        assert_eq!((counts.unchanged, counts.rejected), (1, 1));
        server.restart_without_view().await;
    }
}

async fn a_watch_goes_on_after_the_position_it_saw_last(server: &mut Server) {
    let client = with_dataset(server).await;
    let mut positions = Vec::new();
    for year in 2015..2024 {
        let answer = record(&client, "comtrade", &year.to_string(), &table(year, 1)).await;
        positions.push(answer.position);
    }
    let last = *positions.last().unwrap();
    let mut whole = watch(&client, after(0)).await.expect("a watch");
    let whole = until(&mut whole, last).await;
    for (index, position) in positions[..8].iter().enumerate() {
        let mut rest = watch(&client, after(*position)).await.expect("a watch");
        assert_eq!(until(&mut rest, last).await, whole[index + 2..]);
    }
}

async fn a_watch_resumes_over_a_restart(server: &mut Server) {
    let client = with_dataset(server).await;
    let first = record(&client, "comtrade", "a", &table(2021, 1)).await;
    record(&client, "comtrade", "b", &table(2022, 2)).await;
    let mut before = watch(&client, after(0)).await.expect("a watch");
    let seen = until(&mut before, first.position).await;
    server.restart_without_view().await;
    let client = server.client();
    let last = record(&client, "comtrade", "c", &table(2023, 3)).await;
    let mut resumed = watch(&client, after(first.position))
        .await
        .expect("a watch");
    let rest = until(&mut resumed, last.position).await;
    let expected = [
        "created",
        "a 1: CHN KAZ 2021 TOTAL=1",
        "b 1: CHN KAZ 2022 TOTAL=2",
        "c 1: CHN KAZ 2023 TOTAL=3",
    ];
    assert_eq!(told(&[seen, rest].concat()), expected);
}

async fn what_comes_later_is_told_when_it_comes(server: &mut Server) {
    let client = with_dataset(server).await;
    let mut early = watch(&client, after(1)).await.expect("a watch");
    for year in 2000..2020 {
        let answer = record(&client, "comtrade", &year.to_string(), &table(year, 7)).await;
        let entry = next(&mut early).await;
        assert_eq!(entry.position, answer.position);
        assert_eq!(
            told(&[entry]),
            [format!("{year} 1: CHN KAZ {year} TOTAL=7")]
        );
    }
}

async fn a_filter_lets_through_what_it_names_and_still_moves_on(server: &mut Server) {
    let client = with_dataset(server).await;
    client
        .clone()
        .create_dataset(dataset("customs"))
        .await
        .expect("created");
    let sides = "CHN KAZ X H6 TOTAL 2023 1
                 KAZ CHN M H6 TOTAL 2023 2
                 CHN KGZ X H6 TOTAL 2023 3";
    record(&client, "comtrade", "a", sides).await;
    record(&client, "customs", "b", "CHN KAZ X H6 TOTAL 2023 4").await;
    let last = record(&client, "comtrade", "c", "UZB KGZ X H6 TOTAL 2023 5").await;
    let filter = |dataset: &str, reporter: &str, partner: &str| WatchChangesRequest {
        after_position: 2,
        dataset: dataset.into(),
        reporter: reporter.into(),
        partner: partner.into(),
        country: String::new(),
    };
    let pair = |country: &str, partner: &str| WatchChangesRequest {
        country: country.into(),
        ..filter("", "", partner)
    };
    let both_sides: &[&str] = &[
        "a 1: CHN KAZ 2023 TOTAL=1, KAZ CHN 2023 TOTAL=2",
        "b 1: CHN KAZ 2023 TOTAL=4",
    ];
    let cases: [(WatchChangesRequest, &[&str]); 9] = [
        (pair("CHN", "KAZ"), both_sides),
        (pair("KAZ", "CHN"), both_sides),
        (pair("KAZ", "UZB"), &[]),
        (
            filter("datasets/customs", "", ""),
            &["b 1: CHN KAZ 2023 TOTAL=4"],
        ),
        (
            filter("", "CHN", ""),
            &[
                "a 1: CHN KAZ 2023 TOTAL=1, CHN KGZ 2023 TOTAL=3",
                "b 1: CHN KAZ 2023 TOTAL=4",
            ],
        ),
        (
            filter("", "", "KGZ"),
            &["a 1: CHN KGZ 2023 TOTAL=3", "c 1: UZB KGZ 2023 TOTAL=5"],
        ),
        (
            filter("datasets/comtrade", "CHN", "KAZ"),
            &["a 1: CHN KAZ 2023 TOTAL=1"],
        ),
        (filter("datasets/comtrade", "KGZ", ""), &[]),
        (filter("datasets/nothing", "", ""), &[]),
    ];
    for (request, expected) in cases {
        let mut watch = watch(&client, request.clone()).await.expect("a watch");
        let entries = until(&mut watch, last.position).await;
        assert_eq!(told(&entries), expected, "{request:?}");
        assert_eq!(
            entries.len(),
            3,
            "each entry is told, if only by its position"
        );
    }
}

async fn a_watcher_who_reads_slowly_misses_nothing(server: &mut Server) {
    let client = with_dataset(server).await;
    let mut slow = watch(&server.another_client().await, after(1))
        .await
        .expect("a watch");
    // More than any window on the way holds: about 15 MB in all.
    let rows = |value: u64| {
        let rows =
            (10_000..15_000).map(|code| format!("CHN KAZ X H6 {code} 2023 {value}000000000\n"));
        rows.collect::<String>()
    };
    let mut last = 0;
    for round in 1..=60 {
        last = record(&client, "comtrade", &format!("round-{round}"), &rows(round))
            .await
            .position;
    }
    let entries = until(&mut slow, last).await;
    assert_eq!(entries.len(), 60);
    for (entry, round) in entries.iter().zip(1..) {
        let recorded = recorded(&entry.changes[0]).unwrap();
        assert_eq!(recorded.ingest_id, format!("round-{round}"));
        assert_eq!(
            recorded
                .groups
                .iter()
                .map(|group| group.rows.len())
                .sum::<usize>(),
            5_000
        );
    }
}

/// A batch of about 700 KB.
fn large(reporter: &str, sequence: i64) -> ObservationBatch {
    let year = 1990 + sequence;
    let numbers = "123456789012.5 weight=123456789012.5 quantity=123456789012.5 unit=8";
    let rows = (10_000..100_000)
        .step_by(8)
        .map(|code| format!("{reporter} KAZ X H6 {code} {year} {numbers}\n"));
    tests::batch(sequence, &rows.collect::<String>())
}

async fn entries_of_large_batches_fit_into_a_message(server: &mut Server) {
    let client = with_dataset(server).await;
    // What waits is committed together, so batches that each fit into a message may share an entry.
    let reporters = ["CHN", "UZB", "KGZ", "TJK"];
    let ingests = reporters.map(|reporter| {
        let client = client.clone();
        let batches: Vec<_> = (1..=4).map(|sequence| large(reporter, sequence)).collect();
        let header = header("comtrade", &reporter.to_ascii_lowercase());
        async move {
            ingest(&client, header, batches)
                .await
                .expect("taken")
                .position
        }
    });
    let last = join_all(ingests).await.into_iter().max().unwrap();
    let mut watch = watch(&client, after(1)).await.expect("a watch");
    let (mut seen, mut position) = (0, 0);
    while position < last {
        let entry = watch
            .message()
            .await
            .expect("an entry that fits")
            .expect("no end");
        position = entry.position;
        let recorded = entry.changes.iter().filter_map(recorded);
        seen += recorded
            .filter(|recorded| !recorded.groups.is_empty())
            .count();
    }
    assert!(seen >= 16, "all batches are told: {seen}");
}

async fn an_entry_is_not_older_than_what_it_holds(server: &mut Server) {
    let client = with_dataset(server).await;
    // Many small writes at once share entries.
    let writes = (0..200).map(|number| {
        let client = client.clone();
        async move {
            let table = format!("CHN KAZ X H6 {} 2023 1", 1_000 + number);
            record(&client, "comtrade", &format!("w{number}"), &table)
                .await
                .position
        }
    });
    let last = join_all(writes).await.into_iter().max().unwrap();
    let mut watch = watch(&client, after(1)).await.expect("a watch");
    for entry in until(&mut watch, last).await {
        for recorded in entry.changes.iter().filter_map(recorded) {
            let code = &recorded.groups[0].rows[0].code;
            let request = GetObservationRequest {
                name: format!("datasets/comtrade/observations/CHN.KAZ.X.H6.{code}.2023"),
                as_of: entry.commit_time,
            };
            // Who saw the entry and reads as of its time must find what it told.
            let found = client.clone().get_observation(request).await;
            assert!(
                found.is_ok(),
                "{code} of entry {}: {found:?}",
                entry.position
            );
        }
    }
    let request = ListObservationsRequest {
        parent: "datasets/comtrade".into(),
        page_size: 1_000,
        ..ListObservationsRequest::default()
    };
    let listed = client
        .clone()
        .list_observations(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(listed.observations.len(), 200);
}

async fn a_quiet_service_says_where_it_stands(server: &mut Server) {
    let client = with_dataset(server).await;
    let last = record(&client, "comtrade", "a", &table(2023, 1))
        .await
        .position;
    let filter = WatchChangesRequest {
        reporter: "UZB".into(),
        ..after(last)
    };
    for request in [after(last), filter] {
        let mut quiet = watch(&client, request).await.expect("a watch");
        let sign = quiet.message().await.expect("no error").expect("no end");
        assert_eq!((sign.position, sign.commit_time), (last, None));
        assert!(sign.changes.is_empty());
    }
}

async fn a_position_that_does_not_exist_yet_is_refused_with_the_last_one(server: &mut Server) {
    let empty = watch(&server.client(), after(1)).await.unwrap_err();
    assert_eq!(metadata(&empty, "last"), "0");
    let client = with_dataset(server).await;
    let last = record(&client, "comtrade", "a", &table(2023, 1))
        .await
        .position;
    for ahead in [last + 1, u64::MAX] {
        let refused = watch(&client, after(ahead)).await.unwrap_err();
        assert_eq!(reason(&refused), "OutOfRange POSITION_AHEAD");
        assert_eq!(metadata(&refused, "last"), last.to_string());
    }
    watch(&client, after(last))
        .await
        .expect("the last one is there");
}

async fn a_stopping_service_ends_its_watches(server: &mut Server) {
    let client = with_dataset(server).await;
    let last = record(&client, "comtrade", "a", &table(2023, 1))
        .await
        .position;
    let mut waiting = watch(&client, after(last)).await.expect("a watch");
    let mut behind = watch(&client, after(0)).await.expect("a watch");
    assert_eq!(next(&mut behind).await.position, 1);
    server.ask_to_stop();
    for watch in [&mut waiting, &mut behind] {
        let ended = loop {
            match watch.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended as if all were told"),
                Err(status) => break status,
            }
        };
        assert_eq!(reason(&ended), "Unavailable SHUTTING_DOWN");
    }
}

async fn a_bad_watch_names_every_field(server: &mut Server) {
    let wrong = WatchChangesRequest {
        after_position: 0,
        dataset: "comtrade".into(),
        reporter: "chn".into(),
        partner: "\u{41a}AZ".into(),
        country: String::new(),
    };
    let refused = watch(&server.client(), wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    assert_eq!(fields(&refused), ["dataset", "reporter", "partner"]);
    let half = WatchChangesRequest {
        reporter: "UZB".into(),
        country: "CHN".into(),
        ..WatchChangesRequest::default()
    };
    let refused = watch(&server.client(), half).await.unwrap_err();
    assert_eq!(fields(&refused), ["partner", "reporter"]);
}

async fn more_watchers_than_there_are_places_are_told_to_come_again(server: &mut Server) {
    let clients = [server.client(), server.another_client().await];
    let mut watches = Vec::new();
    for place in 0..256 {
        let client = &clients[place / 200];
        watches.push(watch(client, after(0)).await.unwrap());
    }
    let refused = watch(&clients[1], after(0)).await.unwrap_err();
    assert_eq!(reason(&refused), "ResourceExhausted OVERLOADED");
    drop(watches.pop());
    // The service notices in its own time that a watcher has gone.
    while watch(&clients[1], after(0)).await.is_err() {
        tokio::task::yield_now().await;
    }
}
