//! kill -9 in the middle of an ingest: what was acknowledged is there, and going on ends with the file.
//!
//! `ENTENTE_KILLS` says how often (5).

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::collections::BTreeSet;

use tests::wire::ingest_observations_request::Part;
use tests::wire::{
    GetIngestRequest, IngestObservationsRequest, ListObservationsRequest, ObservationBatch,
    RowCounts,
};
use tests::{
    Client, Server, Shape, Way, dataset, header, ingest, observations, shape, within_limit,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

const BATCHES: i64 = 40;
const ROWS: i64 = 500;

/// Batch by batch: each a year of five hundred figures, and each figure only once in the file.
fn file() -> Vec<ObservationBatch> {
    let year = |sequence: i64| {
        let rows = (0..ROWS).map(|row| {
            let code = 100_000 + row * 1_789;
            format!(
                "CHN KAZ X H6 {code} {} {}.5\n",
                1980 + sequence,
                sequence * 1_000 + row
            )
        });
        tests::batch(sequence, &rows.collect::<String>())
    };
    (1..=BATCHES).map(year).collect()
}

/// What the first batches say.
fn figures(file: &[ObservationBatch]) -> BTreeSet<Shape> {
    let groups = file.iter().flat_map(|batch| &batch.groups);
    let figures = groups.flat_map(|group| {
        group.rows.iter().map(|row| {
            let key = format!("CHN.KAZ.X.H6.{}.{}", row.code, group.period);
            (key, row.value.clone(), vec![])
        })
    });
    figures.collect()
}

async fn stored(client: &Client) -> BTreeSet<Shape> {
    let request = ListObservationsRequest {
        parent: "datasets/comtrade".into(),
        page_size: 1_000,
        ..ListObservationsRequest::default()
    };
    let stored = observations(client, request).await;
    stored.iter().map(shape).collect()
}

/// How many batches are in.
async fn taken(client: &Client) -> i64 {
    let request = GetIngestRequest {
        name: "datasets/comtrade/ingests/file".into(),
    };
    match client.clone().get_ingest(request).await {
        Ok(ingest) => ingest.into_inner().next_sequence - 1,
        Err(status) => {
            assert_eq!(status.code(), Code::NotFound, "{status:?}");
            0
        }
    }
}

/// Sends the file until the process dies under it, once at least `enough` batches are in; how many were
/// acknowledged before that.
async fn ingest_until_killed(server: &mut Server, file: &[ObservationBatch], enough: i64) -> i64 {
    let (sender, stream) = mpsc::channel(2);
    let mut sending = server.another_client().await;
    let call = async move {
        sending
            .ingest_observations(ReceiverStream::new(stream))
            .await
    };
    let call = tokio::spawn(call);
    let file = file.to_vec();
    let feed = tokio::spawn(async move {
        let parts = file.into_iter().map(Part::Batch);
        for part in [Part::Header(header("comtrade", "file"))]
            .into_iter()
            .chain(parts)
        {
            let message = IngestObservationsRequest { part: Some(part) };
            if sender.send(message).await.is_err() {
                return;
            }
        }
        // Never ends its side: the answer must not come before the kill.
        std::future::pending::<()>().await;
    });
    let client = server.client();
    let mut acknowledged = taken(&client).await;
    while acknowledged < enough {
        acknowledged = taken(&client).await;
    }
    server.kill();
    assert!(
        call.await.unwrap().is_err(),
        "the call ends with its service"
    );
    feed.abort();
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_every_acknowledged_batch_is_there_and_the_file_can_be_finished() {
    let kills = std::env::var("ENTENTE_KILLS").map_or(5, |kills| kills.parse().unwrap());
    let file = file();
    let mut server = Server::start(Way::Binary).await;
    server
        .client()
        .create_dataset(dataset("comtrade"))
        .await
        .expect("created");
    for kill in 1..=kills {
        let enough = (BATCHES * kill / (kills + 1)).max(1);
        let killed = ingest_until_killed(&mut server, &file, enough);
        let acknowledged = within_limit(killed).await;
        server.start_again().await;
        let client = server.client();
        let there = taken(&client).await;
        assert!(
            there >= acknowledged,
            "{there} of {acknowledged} batches are left"
        );
        let whole = usize::try_from(there).unwrap();
        assert_eq!(
            stored(&client).await,
            figures(&file[..whole]),
            "whole batches only"
        );
    }
    let client = server.client();
    let before = taken(&client).await;
    let answer = ingest(&client, header("comtrade", "file"), file.clone())
        .await
        .expect("taken");
    assert_eq!(answer.skipped_batches, before);
    let expected = RowCounts {
        new: BATCHES * ROWS,
        ..RowCounts::default()
    };
    assert_eq!(answer.ingest.unwrap().counts, Some(expected));
    assert_eq!(stored(&client).await, figures(&file));
    server.restart_without_view().await;
    assert_eq!(stored(&server.client()).await, figures(&file));
    server.stop().await;
}
