//! Exports: a dataset's figures as a stream, as of its start, for readers of any speed.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use prost::Message;
use proto::trade::v1::trade_service_server::SERVICE_NAME;
use proto::r#type::v1::Source;
use proto::{parse_timestamp, to_timestamp};
use tests::wire::{
    ExportObservationsRequest, ExportObservationsResponse, ListObservationsRequest, Observation,
    ObservationBatch, ObservationFilter, ObservationGroup,
};
use tests::{
    Client, Health, Server, both_ways, dataset, fields, header, ingest, observations, reason,
    record,
};
use tonic::{Status, Streaming};

both_ways!(
    an_export_says_what_a_list_says,
    a_source_is_sent_once_and_counted_over_the_whole_stream,
    what_was_exported_can_be_recorded_elsewhere,
    an_export_answers_as_of_its_start_whatever_is_written_meanwhile,
    an_export_as_of_a_day_can_be_repeated,
    an_export_without_figures_says_as_of_when,
    a_wide_filter_finds_the_few_that_match,
    a_stopping_service_ends_its_exports,
    more_exports_than_there_are_places_are_told_to_come_again,
    a_bad_question_names_every_field,
);

type Export = Streaming<ExportObservationsResponse>;

async fn with_dataset(server: &Server) -> Client {
    let client = server.client();
    let created = client.clone().create_dataset(dataset("comtrade")).await;
    created.expect("created");
    client
}

async fn with_figures(server: &Server, table: &str) -> Client {
    let client = with_dataset(server).await;
    let answer = record(&client, "comtrade", "figures", table).await;
    assert!(answer.rejections.is_empty(), "{:?}", answer.rejections);
    client
}

fn whole() -> ExportObservationsRequest {
    ExportObservationsRequest {
        parent: "datasets/comtrade".into(),
        ..ExportObservationsRequest::default()
    }
}

async fn export(client: &Client, request: ExportObservationsRequest) -> Result<Export, Status> {
    let started = client.clone().export_observations(request).await?;
    Ok(started.into_inner())
}

async fn rest(export: &mut Export) -> Vec<ExportObservationsResponse> {
    let mut messages = Vec::new();
    while let Some(message) = export.message().await.expect("no error") {
        messages.push(message);
    }
    messages
}

async fn exported(
    client: &Client,
    request: ExportObservationsRequest,
) -> Vec<ExportObservationsResponse> {
    let mut started = export(client, request).await.expect("an export");
    rest(&mut started).await
}

/// All that rows say, one by one; a source by its title, and `dataset` for the dataset's own.
fn rows(messages: &[ExportObservationsResponse]) -> Vec<String> {
    let mut sources = vec!["dataset".to_owned()];
    let mut rows = Vec::new();
    for message in messages {
        sources.extend(message.sources.iter().map(|source| source.title.clone()));
        for group in &message.groups {
            assert!(!group.rows.is_empty(), "a group without rows");
            rows.extend(rows_of(group, &sources));
        }
    }
    rows
}

fn rows_of(group: &ObservationGroup, sources: &[String]) -> Vec<String> {
    let ObservationGroup {
        reporter,
        partner,
        flow,
        classification,
        period,
        rows,
    } = group;
    let flow = proto::Flow::from_wire(*flow).unwrap();
    let line = |row: &tests::wire::ObservationRow| {
        let key = format!(
            "{reporter}.{partner}.{flow}.{classification}.{}.{period}",
            row.code
        );
        let source = &sources[usize::try_from(row.source).unwrap()];
        let amounts = [&row.value, &row.net_weight, &row.quantity];
        let (unit, flags, vintage) = (row.quantity_unit, &row.flags, row.vintage);
        assert_eq!(row.number, 0);
        format!("{key} {amounts:?} {unit} {flags:?} {source} {vintage:?}")
    };
    rows.iter().map(line).collect()
}

/// The same of a list's figures.
fn listed(observations: &[Observation]) -> Vec<String> {
    let line = |observation: &Observation| {
        let (key, value, flags) = tests::shape(observation);
        let amounts = [&value, &observation.net_weight, &observation.quantity];
        let (unit, vintage) = (observation.quantity_unit, observation.vintage);
        let title = &observation.source.as_ref().unwrap().title;
        let source = title
            .strip_prefix("Tables of ")
            .map_or(title.as_str(), |_| "dataset");
        format!("{key} {amounts:?} {unit} {flags:?} {source} {vintage:?}")
    };
    observations.iter().map(line).collect()
}

async fn list(client: &Client, filter: &ObservationFilter) -> Vec<Observation> {
    let request = ListObservationsRequest {
        parent: "datasets/comtrade".into(),
        filter: Some(filter.clone()),
        page_size: 1_000,
        ..ListObservationsRequest::default()
    };
    observations(client, request).await
}

/// A source as long as it may be, in three bytes a character.
fn wordy(number: usize) -> Source {
    Source {
        title: format!("{number} {}", "\u{8d38}".repeat(400)),
        publisher: "\u{6613}".repeat(200),
        note: "\u{6ce8}".repeat(1_000),
        ..Source::default()
    }
}

/// Records figures with a wordy source each, about 5 KiB a figure, from one code on.
async fn record_wordy(client: &Client, figures: usize) {
    let mut batches = Vec::new();
    for (sequence, first) in (1..).zip((0..figures).step_by(90)) {
        let numbers = first..figures.min(first + 90);
        let row = |(source, number): (usize, usize)| {
            let code = 870_000 + number;
            format!("CHN KAZ X H6 {code} 2023 1 source={source}\n")
        };
        let table: String = (1..).zip(numbers.clone()).map(row).collect();
        batches.push(ObservationBatch {
            sources: numbers.map(wordy).collect(),
            ..tests::batch(sequence, &table)
        });
    }
    let taken = ingest(client, header("comtrade", "wordy"), batches).await;
    assert!(taken.expect("taken").rejections.is_empty());
}

const MIXED: &str = "CHN KAZ X H6 TOTAL 2023 1.5 rounded
                     CHN KAZ X H6 87 2023 2 weight=3.5
                     CHN KAZ X H6 8703 2023 3 quantity=7 unit=5 provisional estimated
                     CHN KAZ X H5 TOTAL 2023 4
                     CHN KAZ M H6 TOTAL 2023 5
                     CHN KGZ X H6 TOTAL 2023-05 6
                     KAZ CHN M H6 TOTAL 2022-11..2023-01 7
                     CHN KAZ X H6 TOTAL 2022 0";

async fn an_export_says_what_a_list_says(server: &mut Server) {
    let client = with_figures(server, MIXED).await;
    record(&client, "comtrade", "revision", "CHN KAZ X H6 87 2023 9").await;
    let source = |title: &str| Source {
        title: title.into(),
        publisher: title.into(),
        ..Source::default()
    };
    let sourced = ObservationBatch {
        sources: vec![source("Xinhua"), source("Kazinform")],
        ..tests::batch(
            1,
            "CHN KAZ X H6 88 2023 1 source=2
             CHN KAZ X H6 89 2023 1 source=1
             KAZ CHN M H6 90 2023 1 source=2",
        )
    };
    ingest(&client, header("comtrade", "sourced"), vec![sourced])
        .await
        .unwrap();
    let filters = [
        ObservationFilter::default(),
        ObservationFilter {
            partner: "CHN".into(),
            ..ObservationFilter::default()
        },
        ObservationFilter {
            code: "87*".into(),
            ..ObservationFilter::default()
        },
        ObservationFilter {
            frequency: tests::wire::Frequency::Cumulated.into(),
            ..ObservationFilter::default()
        },
    ];
    for round in 0..2 {
        let client = server.client();
        for filter in &filters {
            let request = ExportObservationsRequest {
                filter: Some(filter.clone()),
                ..whole()
            };
            let messages = exported(&client, request).await;
            let expected = listed(&list(&client, filter).await);
            assert!(!expected.is_empty());
            assert_eq!(rows(&messages), expected, "{filter:?}");
        }
        if round == 0 {
            server.restart_without_view().await;
        }
    }
}

async fn a_source_is_sent_once_and_counted_over_the_whole_stream(server: &mut Server) {
    let client = with_dataset(server).await;
    record_wordy(&client, 500).await;
    // Figures at the end of the stream that come from its first, its last and no source.
    let late = ObservationBatch {
        sources: vec![wordy(499), wordy(0)],
        ..tests::batch(
            1,
            "KAZ CHN X H6 87 2023 1 source=2
             KAZ CHN X H6 88 2023 1 source=1
             KAZ CHN X H6 89 2023 1",
        )
    };
    ingest(&client, header("comtrade", "late"), vec![late])
        .await
        .unwrap();
    let messages = exported(&client, whole()).await;
    assert!(messages.len() > 2, "it takes more than a message");
    for message in &messages {
        assert!(
            message.encoded_len() < (1 << 20) + (16 << 10),
            "about 1 MiB"
        );
        assert_eq!(message.as_of, messages[0].as_of);
    }
    let mut titles: Vec<&str> = Vec::new();
    for message in &messages {
        titles.extend(message.sources.iter().map(|source| source.title.as_str()));
        let sent = i32::try_from(titles.len()).unwrap();
        let used = message.groups.iter().flat_map(|group| &group.rows);
        assert!(
            used.map(|row| row.source).all(|source| source <= sent),
            "before its row"
        );
    }
    let distinct: std::collections::BTreeSet<_> = titles.iter().collect();
    assert_eq!((titles.len(), distinct.len()), (500, 500));
    let expected = listed(&list(&client, &ObservationFilter::default()).await);
    assert_eq!(rows(&messages), expected);
}

async fn what_was_exported_can_be_recorded_elsewhere(server: &mut Server) {
    let client = with_figures(server, MIXED).await;
    client
        .clone()
        .create_dataset(dataset("copy"))
        .await
        .unwrap();
    let messages = exported(&client, whole()).await;
    let batch = ObservationBatch {
        sequence: 1,
        groups: messages
            .into_iter()
            .flat_map(|message| message.groups)
            .collect(),
        sources: Vec::new(),
    };
    let taken = ingest(&client, header("copy", "all"), vec![batch])
        .await
        .unwrap();
    assert_eq!(taken.counts.unwrap().new, 8);
    let without_vintage = |messages: &[ExportObservationsResponse]| {
        let mut messages = messages.to_vec();
        let groups = messages.iter_mut().flat_map(|message| &mut message.groups);
        for row in groups.flat_map(|group| &mut group.rows) {
            assert!(row.vintage.take().is_some());
        }
        rows(&messages)
    };
    let copy = ExportObservationsRequest {
        parent: "datasets/copy".into(),
        ..whole()
    };
    let copied = exported(&client, copy).await;
    let original = exported(&client, whole()).await;
    assert_eq!(without_vintage(&copied), without_vintage(&original));
    assert_ne!(rows(&copied), rows(&original), "it was recorded later");
}

async fn an_export_answers_as_of_its_start_whatever_is_written_meanwhile(server: &mut Server) {
    let client = with_dataset(server).await;
    // More than is on the way to a reader at a time.
    record_wordy(&client, 1_600).await;
    let expected = listed(&list(&client, &ObservationFilter::default()).await);
    let mut started = export(&client, whole()).await.unwrap();
    let first = started.message().await.unwrap().unwrap();
    for round in 0..3 {
        let rows = |pair: &str| {
            let row = |code| format!("{pair} X H6 {code} 2023 {round}\n");
            (870_000..871_600).map(row).collect::<String>()
        };
        let table = rows("CHN KAZ") + &rows("KAZ CHN");
        record(&client, "comtrade", &format!("round-{round}"), &table).await;
    }
    let mut messages = vec![first];
    messages.extend(rest(&mut started).await);
    assert_eq!(rows(&messages), expected);
    assert_eq!(rows(&exported(&client, whole()).await).len(), 3_200);
}

async fn an_export_as_of_a_day_can_be_repeated(server: &mut Server) {
    let client = with_figures(server, MIXED).await;
    let first = exported(&client, whole()).await;
    let day = first[0].as_of.unwrap();
    record(&client, "comtrade", "later", "CHN KAZ X H6 TOTAL 2023 2").await;
    server.restart_without_view().await;
    let client = server.client();
    let again = ExportObservationsRequest {
        as_of: Some(day),
        ..whole()
    };
    assert_eq!(exported(&client, again).await, first);
    // Tomorrow is not known yet: it answers as of now, and says so.
    let tomorrow = ExportObservationsRequest {
        as_of: Some(to_timestamp(253_402_300_799_000_000)),
        ..whole()
    };
    let latest = exported(&client, tomorrow).await;
    let said = parse_timestamp(&latest[0].as_of.unwrap()).unwrap();
    assert!(said > parse_timestamp(&day).unwrap() && said < 253_402_300_799_000_000);
    let before = ExportObservationsRequest {
        as_of: Some(to_timestamp(0)),
        ..whole()
    };
    let missing = export(&client, before).await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
}

async fn an_export_without_figures_says_as_of_when(server: &mut Server) {
    let client = with_dataset(server).await;
    let messages = exported(&client, whole()).await;
    assert_eq!(messages.len(), 1);
    assert!(messages[0].as_of.is_some());
    assert!(messages[0].groups.is_empty() && messages[0].sources.is_empty());
}

async fn a_wide_filter_finds_the_few_that_match(server: &mut Server) {
    // More blocks than one piece of the walk may look at, and the match behind them.
    let months = (0..4_500).map(|at| {
        let (year, month) = (1_600 + at / 12, 1 + at % 12);
        format!("CHN KAZ X H6 87 {year}-{month:02} 1\n")
    });
    let table = months.collect::<String>() + "KAZ CHN M H5 88 2023 7\n";
    let client = with_figures(server, &table).await;
    let request = |classification: &str| ExportObservationsRequest {
        filter: Some(ObservationFilter {
            classification: classification.into(),
            ..ObservationFilter::default()
        }),
        ..whole()
    };
    let found = exported(&client, request("H5")).await;
    assert_eq!((found.len(), rows(&found).len()), (1, 1));
    let nothing = exported(&client, request("H4")).await;
    assert_eq!((nothing.len(), rows(&nothing).len()), (1, 0));
    assert_eq!(rows(&exported(&client, request("H6")).await).len(), 4_500);
}

async fn a_stopping_service_ends_its_exports(server: &mut Server) {
    let client = with_dataset(server).await;
    record_wordy(&client, 2_000).await;
    let mut started = export(&client, whole()).await.unwrap();
    started.message().await.unwrap().unwrap();
    let mut health = Health::watch(&server.channel().await, SERVICE_NAME).await;
    health.until(true).await;
    server.ask_to_stop();
    // The rest is not told before it has heard of it: more than fits on the way is still to come.
    health.until(false).await;
    let ended = loop {
        match started.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ended as if all were told"),
            Err(status) => break status,
        }
    };
    assert_eq!(reason(&ended), "Unavailable SHUTTING_DOWN");
}

async fn more_exports_than_there_are_places_are_told_to_come_again(server: &mut Server) {
    let client = with_dataset(server).await;
    record_wordy(&client, 2_000).await;
    let readers = server.another_client().await;
    let mut exports = Vec::new();
    for _ in 0..32 {
        exports.push(export(&readers, whole()).await.expect("an export"));
    }
    let refused = export(&client, whole()).await.unwrap_err();
    assert_eq!(reason(&refused), "ResourceExhausted OVERLOADED");
    drop(exports.pop());
    // The service notices in its own time that a reader has gone.
    while export(&client, whole()).await.is_err() {
        tokio::task::yield_now().await;
    }
}

async fn a_bad_question_names_every_field(server: &mut Server) {
    let client = with_dataset(server).await;
    let wrong = ExportObservationsRequest {
        parent: "comtrade".into(),
        filter: Some(ObservationFilter {
            reporter: "\u{421}HN".into(),
            code: "8*".into(),
            ..ObservationFilter::default()
        }),
        as_of: Some(prost_types::Timestamp {
            seconds: 0,
            nanos: -1,
        }),
    };
    let refused = export(&client, wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    let mut named = fields(&refused);
    named.sort();
    assert_eq!(named, ["as_of", "filter.code", "filter.reporter", "parent"]);
    let unknown = ExportObservationsRequest {
        parent: "datasets/customs".into(),
        ..whole()
    };
    let missing = export(&client, unknown).await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
}
