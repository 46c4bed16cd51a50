//! Ingests: what becomes of each row, what is refused, and where to go on after a cut.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use proto::r#type::v1::Source;
use tests::wire::ingest_observations_request::Part;
use tests::wire::{
    GetIngestRequest, GetObservationRequest, Ingest, IngestHeader, IngestObservationsRequest,
    IngestObservationsResponse, ListObservationsRequest, Observation, ObservationBatch,
    ObservationGroup, RowCounts, RowRejection,
};
use tests::{
    Client, Server, both_ways, dataset, fields, groups, header, ingest, metadata, observations,
    reason, record,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

both_ways!(
    rows_are_counted_by_what_became_of_them,
    an_open_ingest_does_not_hold_a_stopping_service,
    a_bad_row_is_told_by_its_number_and_its_field,
    a_bad_group_costs_its_own_rows_only,
    a_group_without_rows_is_refused,
    rejections_are_bounded_and_the_rest_is_counted,
    a_figure_given_twice_with_the_same_value_is_unchanged,
    a_figure_given_twice_with_another_value_is_rejected,
    a_contradiction_is_rejected_although_the_first_row_changed_nothing,
    the_same_source_listed_twice_is_one_source,
    another_ingest_may_revise_what_this_one_may_not,
    a_revision_of_a_whole_chapter_leaves_room_for_a_new_code,
    an_ingest_sent_again_skips_what_is_in,
    an_ingest_without_a_batch_answers_where_it_stands,
    a_gap_says_which_batch_comes_next,
    a_strict_ingest_refuses_a_batch_whole,
    the_first_batch_that_is_refused_is_the_one_that_is_told,
    validation_counts_everything_and_writes_nothing,
    the_header_comes_first_and_once,
    a_header_names_everything_that_is_wrong,
    a_batch_over_its_limits_is_refused_whole,
    a_batch_of_more_than_a_mebibyte_is_too_large,
    figures_of_an_unknown_dataset_are_not_taken,
    five_thousand_rows_are_one_batch,
    a_cut_leaves_whole_batches_and_says_where_to_go_on,
    two_ingests_at_once_leave_one_consistent_history,
);

async fn with_dataset(server: &Server) -> Client {
    let client = server.client();
    let created = client.clone().create_dataset(dataset("comtrade")).await;
    created.expect("created");
    client
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "as the field of the message takes it"
)]
fn counts(new: i64, revised: i64, unchanged: i64, rejected: i64) -> Option<RowCounts> {
    Some(RowCounts {
        new,
        revised,
        unchanged,
        rejected,
    })
}

fn batch(sequence: i64, table: &str) -> ObservationBatch {
    tests::batch(sequence, table)
}

async fn send(
    client: &Client,
    ingest_id: &str,
    batches: Vec<ObservationBatch>,
) -> Result<IngestObservationsResponse, Status> {
    ingest(client, header("comtrade", ingest_id), batches).await
}

async fn state_of(client: &Client, ingest_id: &str) -> Result<Ingest, Status> {
    let request = GetIngestRequest {
        name: format!("datasets/comtrade/ingests/{ingest_id}"),
    };
    Ok(client.clone().get_ingest(request).await?.into_inner())
}

async fn figure(client: &Client, key: &str) -> Result<Observation, Status> {
    let request = GetObservationRequest {
        name: format!("datasets/comtrade/observations/{key}"),
        as_of: None,
    };
    Ok(client.clone().get_observation(request).await?.into_inner())
}

async fn value(client: &Client, key: &str) -> String {
    let found = figure(client, key).await;
    found
        .unwrap_or_else(|e| panic!("{key}: {e:?}"))
        .value
        .unwrap()
        .amount
}

/// All figures of the dataset.
async fn all(client: &Client) -> Vec<Observation> {
    let request = ListObservationsRequest {
        parent: "datasets/comtrade".into(),
        page_size: 1_000,
        ..ListObservationsRequest::default()
    };
    observations(client, request).await
}

fn places(rejections: &[RowRejection]) -> Vec<(i64, &str)> {
    rejections
        .iter()
        .map(|r| (r.row, r.field.as_str()))
        .collect()
}

fn message(part: Part) -> IngestObservationsRequest {
    IngestObservationsRequest { part: Some(part) }
}

async fn rows_are_counted_by_what_became_of_them(server: &mut Server) {
    let client = with_dataset(server).await;
    let first = record(
        &client,
        "comtrade",
        "2023",
        "CHN KAZ X H6 TOTAL 2022 16350000000
         CHN KAZ X H6 87    2022 1900000000
         CHN KAZ X H6 8703  2022 600000000",
    )
    .await;
    assert_eq!(first.counts, counts(3, 0, 0, 0));
    assert!(first.position > 0);
    let second = record(
        &client,
        "comtrade",
        "2024",
        "CHN KAZ X H6 TOTAL 2022 16350000000
         CHN KAZ X H6 87    2022 1950000000.50
         CHN KAZ X H6 8703  2022 600000000.000
         CHN KAZ X H6 TOTAL 2023 24700000000
         CHN KAZ X H6 8703  2023 -1",
    )
    .await;
    assert_eq!(second.counts, counts(1, 1, 2, 1));
    assert!(second.position > first.position);
    let ingest = second.ingest.expect("it stands somewhere");
    assert_eq!(ingest.name, "datasets/comtrade/ingests/2024");
    assert_eq!(ingest.next_sequence, 2);
    assert_eq!(ingest.counts, second.counts);
    assert_eq!(state_of(&client, "2024").await.expect("known"), ingest);
    assert_eq!(value(&client, "CHN.KAZ.X.H6.87.2022").await, "1950000000.5");

    server.restart_without_view().await;
    let client = server.client();
    assert_eq!(state_of(&client, "2024").await.expect("known"), ingest);
    let missing = state_of(&client, "2025").await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
}

async fn a_bad_row_is_told_by_its_number_and_its_field(server: &mut Server) {
    let client = with_dataset(server).await;
    let answer = record(
        &client,
        "comtrade",
        "hostile",
        "CHN KAZ X H6 TOTAL 2023 1
         CHN KAZ X H6 8     2023 1
         CHN KAZ X H6 8703801 2023 1
         CHN KAZ X H6 \u{ff18}\u{ff17} 2023 1
         CHN KAZ X H6 87    2023 NaN
         CHN KAZ X H6 87    2023 1e400
         CHN KAZ X H6 87    2023 1,000
         CHN KAZ X H6 87    2023 -1
         CHN KAZ X H6 87    2023 \u{ff11}
         CHN KAZ X H6 87    2023 1.2345678
         CHN KAZ X H6 87    2023 1234567890123456789
         CHN KAZ X H6 87    2023 1 weight=-1
         CHN KAZ X H6 87    2023 1 quantity=5
         CHN KAZ X H6 87    2023 1 quantity=x unit=5
         CHN KAZ X H6 87    2023 1 quantity=5 unit=100
         CHN KAZ X H6 87    2023 1 unspecified
         CHN KAZ X H6 87    2023 1 source=1
         CHN KAZ X H6 87    2023 1 source=-1
         CHN KAZ X H6 87    2023 999999999999.999999 weight=0 quantity=0.5 unit=99",
    )
    .await;
    let expected = [
        (2, "code"),
        (3, "code"),
        (4, "code"),
        (5, "value"),
        (6, "value"),
        (7, "value"),
        (8, "value"),
        (9, "value"),
        (10, "value"),
        (11, "value"),
        (12, "net_weight"),
        (13, "quantity_unit"),
        (14, "quantity"),
        (15, "quantity_unit"),
        (16, "flags"),
        (17, "source"),
        (18, "source"),
    ];
    assert_eq!(places(&answer.rejections), expected);
    assert!(
        answer
            .rejections
            .iter()
            .all(|rejection| !rejection.reason.is_empty())
    );
    assert_eq!(answer.counts, counts(2, 0, 0, 17));
    assert_eq!(
        value(&client, "CHN.KAZ.X.H6.87.2023").await,
        "999999999999.999999"
    );
}

async fn a_bad_group_costs_its_own_rows_only(server: &mut Server) {
    let client = with_dataset(server).await;
    let answer = record(
        &client,
        "comtrade",
        "hostile",
        "CHN KAZ X H6 TOTAL 2023 1
         XXX KAZ X H6 TOTAL 2023 1
         CHN kaz X H6 TOTAL 2023 1
         CHN KAZ ? H6 TOTAL 2023 1
         CHN KAZ ? H6 87    2023 1
         CHN KAZ X HS TOTAL 2023 1
         CHN KAZ X H6 TOTAL 2023-13 1
         CHN KAZ X H6 TOTAL 2023-01..2023-12 1
         CHN KAZ X H6 TOTAL 2023-05..2023-01 1
         CHN KAZ X H6 TOTAL 10000 1
         CHN KAZ X H6 TOTAL 2024 1",
    )
    .await;
    let expected = [
        (2, "reporter"),
        (3, "partner"),
        (4, "flow"),
        (5, "flow"),
        (6, "classification"),
        (7, "period"),
        (8, "period"),
        (9, "period"),
        (10, "period"),
    ];
    assert_eq!(places(&answer.rejections), expected);
    assert_eq!(answer.counts, counts(2, 0, 0, 9));
}

async fn a_group_without_rows_is_refused(server: &mut Server) {
    let client = with_dataset(server).await;
    let mut empty = batch(1, "CHN KAZ X H6 TOTAL 2023 1");
    empty.groups.push(ObservationGroup::default());
    let refused = send(&client, "empty", vec![empty]).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    assert_eq!(fields(&refused), ["batch.groups[1].rows"]);
}

async fn rejections_are_bounded_and_the_rest_is_counted(server: &mut Server) {
    let client = with_dataset(server).await;
    let bad = "CHN KAZ X H6 TOTAL 2023 bad\n".repeat(1_500);
    for (asked, told) in [
        (0, 100),
        (1, 1),
        (250, 250),
        (1_000, 1_000),
        (i32::MAX, 1_000),
    ] {
        let header = IngestHeader {
            max_rejections: asked,
            ..header("comtrade", &format!("bad-{asked}"))
        };
        let answer = ingest(&client, header, vec![batch(1, &bad)])
            .await
            .expect("taken");
        assert_eq!(answer.counts, counts(0, 0, 0, 1_500));
        let rows: Vec<i64> = answer.rejections.iter().map(|r| r.row).collect();
        assert_eq!(rows, (1..=told).collect::<Vec<_>>(), "asked for {asked}");
    }
    // The bound is one of the whole stream.
    let batches = vec![batch(1, &bad), batch(2, &bad)];
    let answer = send(&client, "twice", batches).await.expect("taken");
    assert_eq!(answer.counts, counts(0, 0, 0, 3_000));
    assert_eq!(answer.rejections.len(), 100);
    let header = IngestHeader {
        max_rejections: -1,
        ..header("comtrade", "negative")
    };
    let refused = ingest(&client, header, vec![]).await.unwrap_err();
    assert_eq!(fields(&refused), ["header.max_rejections"]);
}

async fn a_figure_given_twice_with_the_same_value_is_unchanged(server: &mut Server) {
    let client = with_dataset(server).await;
    let batches = vec![
        batch(
            1,
            "CHN KAZ X H6 TOTAL 2023 5
             CHN KAZ M H6 TOTAL 2023 6
             CHN KAZ X H6 TOTAL 2023 5.00
             CHN KAZ X H6 TOTAL 2023 5",
        ),
        batch(2, "CHN KAZ X H6 87 2023 1"),
        batch(3, "CHN KAZ X H6 TOTAL 2023 5"),
    ];
    let answer = send(&client, "far-apart", batches).await.expect("taken");
    assert_eq!(answer.counts, counts(3, 0, 3, 0));
}

async fn a_figure_given_twice_with_another_value_is_rejected(server: &mut Server) {
    let client = with_dataset(server).await;
    let batches = vec![
        batch(
            1,
            "CHN KAZ X H6 TOTAL 2023 5
             CHN KAZ M H6 TOTAL 2023 6
             CHN KAZ X H6 TOTAL 2023 7
             CHN KAZ M H6 TOTAL 2023 6 provisional
             CHN KAZ M H6 TOTAL 2023 6 weight=0",
        ),
        batch(2, "CHN KAZ X H6 87 2023 1"),
        batch(3, "CHN KAZ X H6 TOTAL 2023 8"),
    ];
    let answer = send(&client, "far-apart", batches).await.expect("taken");
    assert_eq!(answer.counts, counts(3, 0, 0, 4));
    let expected = [(3, "code"), (4, "code"), (5, "code"), (1, "code")];
    assert_eq!(places(&answer.rejections), expected);
    assert_eq!(value(&client, "CHN.KAZ.X.H6.TOTAL.2023").await, "5");
    assert_eq!(
        figure(&client, "CHN.KAZ.M.H6.TOTAL.2023")
            .await
            .unwrap()
            .flags,
        [0_i32; 0]
    );
}

async fn a_contradiction_is_rejected_although_the_first_row_changed_nothing(server: &mut Server) {
    let client = with_dataset(server).await;
    record(&client, "comtrade", "before", "CHN KAZ X H6 TOTAL 2023 5").await;
    // The file says 5 and then 7: whichever is meant, it is no revision.
    let both = "CHN KAZ X H6 TOTAL 2023 5
                CHN KAZ X H6 TOTAL 2023 7";
    let answer = record(&client, "comtrade", "one-batch", both).await;
    assert_eq!(answer.counts, counts(0, 0, 1, 1), "in one batch");
    assert_eq!(value(&client, "CHN.KAZ.X.H6.TOTAL.2023").await, "5");

    let batches = vec![
        batch(1, "CHN KAZ X H6 TOTAL 2023 5"),
        batch(2, "CHN KAZ X H6 TOTAL 2023 7"),
    ];
    // What an earlier batch gave unchanged is not remembered, as the contract says.
    let answer = send(&client, "far-apart", batches).await.expect("taken");
    assert_eq!(answer.counts, counts(0, 1, 1, 0), "in two batches");
}

async fn the_same_source_listed_twice_is_one_source(server: &mut Server) {
    let client = with_dataset(server).await;
    let customs = Source {
        title: "Main figures of 2023".into(),
        publisher: "General Administration of Customs".into(),
        ..Source::default()
    };
    let table = "CHN KAZ X H6 TOTAL 2023 5 source=1
                 CHN KAZ X H6 TOTAL 2023 5 source=2";
    let twice = ObservationBatch {
        sources: vec![customs.clone(), customs.clone()],
        ..batch(1, table)
    };
    let answer = send(&client, "twice", vec![twice]).await.expect("taken");
    assert_eq!(answer.counts, counts(1, 0, 1, 0), "{:?}", answer.rejections);
    let found = figure(&client, "CHN.KAZ.X.H6.TOTAL.2023").await.unwrap();
    assert_eq!(found.source, Some(customs));
}

async fn another_ingest_may_revise_what_this_one_may_not(server: &mut Server) {
    let client = with_dataset(server).await;
    record(&client, "comtrade", "first", "CHN KAZ X H6 TOTAL 2023 5").await;
    let answer = record(&client, "comtrade", "second", "CHN KAZ X H6 TOTAL 2023 6").await;
    assert_eq!(answer.counts, counts(0, 1, 0, 0));
    // What differs in anything but the value is a revision too.
    let flagged = "CHN KAZ X H6 TOTAL 2023 6 provisional weight=1";
    let answer = record(&client, "comtrade", "third", flagged).await;
    assert_eq!(answer.counts, counts(0, 1, 0, 0));
    // The first may speak of it again, now that the figure is another's.
    let batches = vec![batch(2, "CHN KAZ X H6 TOTAL 2023 5")];
    let answer = send(&client, "first", batches).await.expect("taken");
    assert_eq!(answer.counts, counts(0, 1, 0, 0));
    assert_eq!(answer.ingest.unwrap().counts, counts(1, 1, 0, 0));
}

async fn a_revision_of_a_whole_chapter_leaves_room_for_a_new_code(server: &mut Server) {
    let client = with_dataset(server).await;
    let chapter = |value: u32| {
        let rows = (0..1_500).map(|code| format!("CHN KAZ X H6 87{code:04} 2023 {value}\n"));
        rows.collect::<String>()
    };
    let first = record(&client, "comtrade", "first", &chapter(1)).await;
    assert_eq!(first.counts, counts(1_500, 0, 0, 0));
    let revised = chapter(2) + "CHN KAZ X H6 879999 2023 1";
    let second = record(&client, "comtrade", "second", &revised).await;
    assert_eq!(second.counts, counts(1, 1_500, 0, 0));
}

async fn an_ingest_sent_again_skips_what_is_in(server: &mut Server) {
    let client = with_dataset(server).await;
    let batches = vec![
        batch(1, "CHN KAZ X H6 TOTAL 2021 1"),
        batch(2, "CHN KAZ X H6 TOTAL 2022 2"),
        batch(3, "CHN KAZ X H6 TOTAL 2023 3"),
    ];
    let half = send(&client, "file", batches[..2].to_vec())
        .await
        .expect("taken");
    assert_eq!((half.skipped_batches, half.counts), (0, counts(2, 0, 0, 0)));
    server.restart().await;
    let client = server.client();
    assert_eq!(state_of(&client, "file").await.unwrap().next_sequence, 3);
    let whole = send(&client, "file", batches.clone()).await.expect("taken");
    assert_eq!(
        (whole.skipped_batches, whole.counts),
        (2, counts(1, 0, 0, 0))
    );
    assert_eq!(whole.ingest.as_ref().unwrap().counts, counts(3, 0, 0, 0));
    let again = send(&client, "file", batches).await.expect("taken");
    assert_eq!(
        (again.skipped_batches, again.counts),
        (3, counts(0, 0, 0, 0))
    );
    assert_eq!(again.position, 0, "nothing was written");
    assert_eq!(again.ingest, whole.ingest);
}

async fn an_ingest_without_a_batch_answers_where_it_stands(server: &mut Server) {
    let client = with_dataset(server).await;
    let before = record(&client, "comtrade", "file", "CHN KAZ X H6 TOTAL 2021 1").await;
    let answer = send(&client, "file", vec![]).await.expect("taken");
    assert_eq!(answer.counts, counts(0, 0, 0, 0));
    assert_eq!(answer.ingest, before.ingest);
}

async fn a_gap_says_which_batch_comes_next(server: &mut Server) {
    let client = with_dataset(server).await;
    let first = batch(1, "CHN KAZ X H6 TOTAL 2021 1");
    let third = batch(3, "CHN KAZ X H6 TOTAL 2023 3");
    let refused = send(&client, "file", vec![first, third.clone()])
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "FailedPrecondition SEQUENCE_GAP");
    assert_eq!(metadata(&refused, "next_sequence"), "2");
    assert_eq!(state_of(&client, "file").await.unwrap().next_sequence, 2);
    assert_eq!(all(&client).await.len(), 1);

    let refused = send(&client, "new", vec![third.clone()]).await.unwrap_err();
    assert_eq!(metadata(&refused, "next_sequence"), "1");
    for sequence in [0, -1, i64::MIN] {
        let wrong = ObservationBatch {
            sequence,
            ..third.clone()
        };
        let refused = send(&client, "new", vec![wrong]).await.unwrap_err();
        assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
        assert_eq!(fields(&refused), ["batch.sequence"]);
    }
    let last = ObservationBatch {
        sequence: i64::MAX,
        ..third
    };
    let refused = send(&client, "new", vec![last]).await.unwrap_err();
    assert_eq!(reason(&refused), "FailedPrecondition SEQUENCE_GAP");
}

fn strict(ingest_id: &str) -> IngestHeader {
    IngestHeader {
        strict: true,
        ..header("comtrade", ingest_id)
    }
}

async fn a_strict_ingest_refuses_a_batch_whole(server: &mut Server) {
    let client = with_dataset(server).await;
    let batches = vec![
        batch(1, "CHN KAZ X H6 TOTAL 2021 1"),
        batch(
            2,
            "CHN KAZ X H6 TOTAL 2022 2
             CHN KAZ X H6 TOTAL 2023 -3",
        ),
        batch(3, "CHN KAZ X H6 TOTAL 2024 4"),
    ];
    let refused = ingest(&client, strict("file"), batches).await.unwrap_err();
    assert_eq!(reason(&refused), "FailedPrecondition ROWS_REJECTED");
    assert!(refused.message().contains("row 2"), "{}", refused.message());
    assert_eq!(state_of(&client, "file").await.unwrap().next_sequence, 2);
    assert_eq!(all(&client).await.len(), 1);
    // A contradiction with what is in counts as well.
    let contradiction = batch(2, "CHN KAZ X H6 TOTAL 2021 7");
    let refused = ingest(&client, strict("file"), vec![contradiction])
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "FailedPrecondition ROWS_REJECTED");
    let good = batch(2, "CHN KAZ X H6 TOTAL 2022 2");
    let answer = ingest(&client, strict("file"), vec![good])
        .await
        .expect("taken");
    assert_eq!(answer.ingest.unwrap().next_sequence, 3);
}

async fn the_first_batch_that_is_refused_is_the_one_that_is_told(server: &mut Server) {
    let client = with_dataset(server).await;
    let batches = vec![
        batch(1, "CHN KAZ X H6 TOTAL 2021 -1"),
        batch(0, "CHN KAZ X H6 TOTAL 2022 2"),
    ];
    let refused = ingest(&client, strict("file"), batches).await.unwrap_err();
    assert_eq!(reason(&refused), "FailedPrecondition ROWS_REJECTED");
}

async fn validation_counts_everything_and_writes_nothing(server: &mut Server) {
    let client = with_dataset(server).await;
    let before = "CHN KAZ X H6 TOTAL 2021 1
                  CHN KAZ X H6 TOTAL 2022 2";
    let recorded = record(&client, "comtrade", "before", before).await;
    let only = |header: IngestHeader| IngestHeader {
        validate_only: true,
        ..header
    };
    let batches = vec![
        batch(
            1,
            "CHN KAZ X H6 TOTAL 2021 1
             CHN KAZ X H6 TOTAL 2022 7
             CHN KAZ X H6 TOTAL 2023 3
             CHN KAZ X H6 TOTAL 2023 4
             CHN KAZ X H6 TOTAL 2023 x",
        ),
        batch(2, "CHN KAZ X H6 TOTAL 2024 1"),
    ];
    let header = only(header("comtrade", "trial"));
    let answer = ingest(&client, header, batches.clone())
        .await
        .expect("checked");
    assert_eq!(answer.counts, counts(2, 1, 1, 2));
    assert_eq!(answer.rejections.len(), 2);
    assert_eq!((answer.ingest, answer.position), (None, 0));
    let missing = state_of(&client, "trial").await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
    assert_eq!(all(&client).await.len(), 2);
    assert_eq!(value(&client, "CHN.KAZ.X.H6.TOTAL.2022").await, "2");

    let refused = ingest(&client, only(strict("trial")), batches)
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "FailedPrecondition ROWS_REJECTED");
    // The journal did not move either.
    let next = record(&client, "comtrade", "after", "CHN KAZ X H6 TOTAL 2024 1").await;
    assert_eq!(next.position, recorded.position + 1);
}

async fn the_header_comes_first_and_once(server: &mut Server) {
    let client = with_dataset(server).await;
    let header = || message(Part::Header(header("comtrade", "file")));
    let figures = || message(Part::Batch(batch(1, "CHN KAZ X H6 TOTAL 2021 1")));
    let nothing = || IngestObservationsRequest { part: None };
    let streams = [
        (vec![], "header"),
        (vec![figures()], "header"),
        (vec![nothing()], "header"),
        (vec![header(), header()], "header"),
        (vec![header(), nothing()], "part"),
    ];
    for (messages, field) in streams {
        let told = format!("{messages:?}");
        let stream = tokio_stream::iter(messages);
        let refused = client
            .clone()
            .ingest_observations(stream)
            .await
            .unwrap_err();
        assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD", "{told}");
        assert_eq!(fields(&refused), [field], "{told}");
    }
    assert!(all(&client).await.is_empty());
}

async fn a_header_names_everything_that_is_wrong(server: &mut Server) {
    let client = with_dataset(server).await;
    let wrong = IngestHeader {
        parent: "comtrade".into(),
        ingest_id: "Ingest 1".into(),
        max_rejections: -5,
        ..IngestHeader::default()
    };
    let refused = ingest(&client, wrong, vec![]).await.unwrap_err();
    let expected = ["header.parent", "header.ingest_id", "header.max_rejections"];
    assert_eq!(fields(&refused), expected);
    for id in ["", "-a", "a_b", "A", "a/b", &"a".repeat(64)] {
        let refused = ingest(&client, header("comtrade", id), vec![])
            .await
            .unwrap_err();
        assert_eq!(fields(&refused), ["header.ingest_id"], "{id:?}");
    }
    let longest = "7".repeat(63);
    record(&client, "comtrade", &longest, "CHN KAZ X H6 TOTAL 2021 1").await;
    assert_eq!(state_of(&client, &longest).await.unwrap().next_sequence, 2);
}

/// Rows of many chapters; of each chapter all 4-digit codes and then 5-digit ones.
fn many(rows: usize, value: &str) -> String {
    let codes = (10_000..100_000).step_by(4).take(rows);
    let lines = codes.map(|code| format!("CHN KAZ X H6 {code} 2023 {value}\n"));
    lines.collect()
}

async fn a_batch_over_its_limits_is_refused_whole(server: &mut Server) {
    let client = with_dataset(server).await;
    let refused = send(&client, "rows", vec![batch(1, &many(20_001, "1"))])
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    assert_eq!(fields(&refused), ["batch.groups"]);

    let source = |title: &str| Source {
        title: title.into(),
        publisher: "Customs".into(),
        ..Source::default()
    };
    let sources = (0..1_001)
        .map(|number| source(&format!("Table {number}")))
        .collect();
    let wide = ObservationBatch {
        sources,
        ..batch(1, "CHN KAZ X H6 TOTAL 2021 1 source=1001")
    };
    let refused = send(&client, "sources", vec![wide]).await.unwrap_err();
    assert_eq!(fields(&refused), ["batch.sources"]);

    let bad = ObservationBatch {
        sources: vec![source("Good"), source("Ba\u{202e}d"), source("")],
        ..batch(1, "CHN KAZ X H6 TOTAL 2021 1 source=1")
    };
    let refused = send(&client, "sources", vec![bad]).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        ["batch.sources[1].title", "batch.sources[2].title"]
    );
    assert!(all(&client).await.is_empty());
    let missing = state_of(&client, "sources").await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
}

async fn a_batch_of_more_than_a_mebibyte_is_too_large(server: &mut Server) {
    let client = with_dataset(server).await;
    let wordy = many(
        19_000,
        "1.123456 weight=12345678.123456 quantity=123456.123456 unit=8",
    );
    let refused = send(&client, "large", vec![batch(1, &wordy)])
        .await
        .unwrap_err();
    assert!(all(&client).await.is_empty());
    assert_eq!(reason(&refused), "ResourceExhausted TOO_LARGE");
}

async fn figures_of_an_unknown_dataset_are_not_taken(server: &mut Server) {
    let client = with_dataset(server).await;
    for validate_only in [false, true] {
        for batches in [vec![batch(1, "CHN KAZ X H6 TOTAL 2021 1")], vec![]] {
            let count = batches.len();
            let header = IngestHeader {
                validate_only,
                ..header("customs", "file")
            };
            let refused = ingest(&client, header, batches)
                .await
                .expect_err("no such dataset");
            assert_eq!(reason(&refused), "NotFound NOT_FOUND", "{count} batches");
        }
    }
    let request = GetIngestRequest {
        name: "datasets/customs/ingests/file".into(),
    };
    let missing = client.clone().get_ingest(request).await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
}

async fn five_thousand_rows_are_one_batch(server: &mut Server) {
    let client = with_dataset(server).await;
    let answer = record(&client, "comtrade", "large", &many(5_000, "12.5")).await;
    assert_eq!(answer.counts, counts(5_000, 0, 0, 0));
    assert_eq!(all(&client).await.len(), 5_000);
    let first = all(&client).await[0].vintage;
    assert!(
        all(&client).await.iter().all(|o| o.vintage == first),
        "one batch, one vintage"
    );
}

async fn a_cut_leaves_whole_batches_and_says_where_to_go_on(server: &mut Server) {
    let client = with_dataset(server).await;
    let file: Vec<ObservationBatch> = (1..=6)
        .map(|sequence| {
            let year = 2000 + sequence;
            let rows = (10..60).map(|code| format!("CHN KAZ X H6 {code} {year} {sequence}\n"));
            batch(sequence, &rows.collect::<String>())
        })
        .collect();
    for (cut, after) in [(Cut::Stream, 3), (Cut::Connection, 5)] {
        let (sender, stream) = mpsc::channel(1);
        let mut alone = server.another_client().await;
        let call = async move { alone.ingest_observations(ReceiverStream::new(stream)).await };
        let call = tokio::spawn(call);
        let header = message(Part::Header(header("comtrade", "file")));
        sender.send(header).await.expect("it listens");
        for batch in &file[..usize::try_from(after).unwrap()] {
            let part = message(Part::Batch(batch.clone()));
            sender.send(part).await.expect("it listens");
        }
        match cut {
            // The client goes away in the middle of its call.
            Cut::Stream => call.abort(),
            // Its connection goes with it, and what was under way too.
            Cut::Connection => {
                call.abort();
                drop(sender);
            }
        }
        assert!(call.await.is_err_and(|ended| ended.is_cancelled()));
        let next = match state_of(&client, "file").await {
            Ok(ingest) => ingest.next_sequence,
            Err(missing) => {
                assert_eq!(reason(&missing), "NotFound NOT_FOUND");
                1
            }
        };
        assert!((1..=after + 1).contains(&next), "{next}");
        // The file's batches are whole years of fifty figures.
        for (year, figures) in years(&all(&client).await) {
            assert_eq!(figures, 50, "{year}");
        }
    }
    let answer = send(&client, "file", file).await.expect("taken");
    let done = answer.ingest.unwrap();
    assert_eq!((done.next_sequence, done.counts), (7, counts(300, 0, 0, 0)));
    assert_eq!(years(&all(&client).await).len(), 6);
}

#[derive(Clone, Copy)]
enum Cut {
    Stream,
    Connection,
}

fn years(figures: &[Observation]) -> std::collections::BTreeMap<String, usize> {
    let mut years = std::collections::BTreeMap::new();
    for figure in figures {
        *years.entry(figure.period.clone()).or_default() += 1;
    }
    years
}

async fn two_ingests_at_once_leave_one_consistent_history(server: &mut Server) {
    let client = with_dataset(server).await;
    let rows = |value: i64| {
        let rows = (10..40).map(|code| format!("CHN KAZ X H6 {code} 2023 {value}\n"));
        rows.collect::<String>()
    };
    let (mut even, mut odd) = (Vec::new(), Vec::new());
    for round in 0..10 {
        // An ingest does not contradict itself, so each round is an ingest of its own.
        even.push((format!("even-{round}"), batch(1, &rows(round * 2))));
        odd.push((format!("odd-{round}"), batch(1, &rows(round * 2 + 1))));
    }
    let all_of = |client: Client, ingests: Vec<(String, ObservationBatch)>| async move {
        let mut counted = Vec::new();
        for (id, batch) in ingests {
            let answer = send(&client, &id, vec![batch]).await.expect("taken");
            counted.push(answer.counts.unwrap());
        }
        counted
    };
    let (even, odd) = tokio::join!(
        all_of(server.another_client().await, even),
        all_of(server.another_client().await, odd)
    );
    let counted: Vec<RowCounts> = even.into_iter().chain(odd).collect();
    assert_eq!(counted.iter().map(|c| c.new).sum::<i64>(), 30);
    assert_eq!(counted.iter().map(|c| c.revised).sum::<i64>(), 19 * 30);
    // Walk each figure's versions back from now: twenty values, each once, the same for all figures.
    let mut histories = Vec::new();
    for code in [10, 25, 39] {
        let (mut history, mut as_of) = (Vec::new(), None);
        while let Some(version) = version(&client, code, as_of).await {
            history.push((version.value.unwrap().amount, version.vintage));
            let vintage = proto::parse_timestamp(&version.vintage.unwrap()).unwrap();
            as_of = Some(proto::to_timestamp(vintage - 1));
        }
        histories.push(history);
    }
    let mut values: Vec<i64> = histories[0]
        .iter()
        .map(|(v, _)| v.parse().unwrap())
        .collect();
    values.sort_unstable();
    assert_eq!(values, (0..20).collect::<Vec<_>>());
    assert!(histories.iter().all(|history| *history == histories[0]));
}

async fn version(
    client: &Client,
    code: i32,
    as_of: Option<prost_types::Timestamp>,
) -> Option<Observation> {
    let request = GetObservationRequest {
        name: format!("datasets/comtrade/observations/CHN.KAZ.X.H6.{code}.2023"),
        as_of,
    };
    let found = client.clone().get_observation(request).await;
    found.ok().map(tonic::Response::into_inner)
}

#[test]
fn a_table_becomes_groups() {
    let groups = groups(
        "CHN KAZ X H6 TOTAL 2023 1
         CHN KAZ X H6 87    2023 2 provisional
         KAZ CHN M H6 TOTAL 2023 3",
    );
    assert_eq!(
        groups.iter().map(|g| g.rows.len()).collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(groups[1].rows[0].number, 3);
}

async fn an_open_ingest_does_not_hold_a_stopping_service(server: &mut Server) {
    let client = with_dataset(server).await;
    let (sender, receiver) = mpsc::channel(4);
    let mut uploader = client.clone();
    let upload = tokio::spawn(async move {
        let stream = ReceiverStream::new(receiver);
        uploader.ingest_observations(stream).await
    });
    let parts = [
        Part::Header(header("comtrade", "open")),
        Part::Batch(batch(1, "CHN KAZ X H6 TOTAL 2023 5")),
    ];
    for part in parts {
        let message = IngestObservationsRequest { part: Some(part) };
        sender.send(message).await.unwrap();
    }
    let name = "datasets/comtrade/ingests/open".to_owned();
    while client
        .clone()
        .get_ingest(GetIngestRequest { name: name.clone() })
        .await
        .is_err()
    {
        tokio::task::yield_now().await;
    }
    // The stream is still open; the story's end asserts that the service drains all the same.
    server.stop().await;
    let status = upload.await.unwrap().unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}");
    drop(sender);
    server.start_again().await;
    assert_eq!(
        value(&server.client(), "CHN.KAZ.X.H6.TOTAL.2023").await,
        "5"
    );
}
