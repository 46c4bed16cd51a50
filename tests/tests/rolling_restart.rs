//! Every process is started again in turn while clients call at a constant rate: with the retries that the answers ask
//! for, no call fails, and no write is done twice.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, wherever it does, and tells what it counted"
)]

use std::error::Error;
use std::iter::successors;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use proto::culture::v1::ListProgrammesRequest;
use proto::events::v1::{CreateEventRequest, ListEventsRequest, OfficeLevel};
use proto::journal::v1::ListAuditEntriesRequest;
use tests::wire::GetObservationRequest;
use tests::{Role, Server, Way, World, build_binary, event, within_limit};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep};
use tonic::{Code, Status};
use tonic_types::StatusExt;

const FIGURE: &str = "CHN KAZ X H6 TOTAL 2023 24500";
const NAME: &str = "datasets/comtrade/observations/CHN.KAZ.X.H6.TOTAL.2023";
/// Each kind of caller calls so often.
const EVERY: Duration = Duration::from_millis(20);
/// Turns that run at a time at most: a machine that is slower than the callers is no fault of a restart.
const MOST: usize = 100;
/// How long a client tries, from the first time that nobody was there.
const PATIENCE: Duration = Duration::from_secs(30);

/// Calls as a client does with the standard policy: UNAVAILABLE is tried again, after the time that the answer names,
/// and so is what never left the client.
async fn retried<C: Future<Output = Result<(), Status>>>(
    call: impl Fn() -> C,
    again: &AtomicU64,
) -> Result<(), Status> {
    let mut gone = None;
    loop {
        match call().await {
            Err(status)
                if may_help(&status)
                    && gone.get_or_insert_with(Instant::now).elapsed() < PATIENCE =>
            {
                again.fetch_add(1, Ordering::Relaxed);
                let retry = status.get_error_details().retry_info().cloned();
                let delay = retry.and_then(|retry| retry.retry_delay);
                // Who is told nothing waits as long as gRPC's own policy does at first.
                sleep(delay.unwrap_or(Duration::from_millis(100))).await;
            }
            answered => return answered,
        }
    }
}

/// Whether to call again. gRPC's own clients send a call once more that was still waiting when its connection closed;
/// tonic leaves that to its caller.
fn may_help(status: &Status) -> bool {
    let causes = successors(Error::source(status), |cause| (*cause).source());
    let mut causes = causes.filter_map(|cause| cause.downcast_ref::<hyper::Error>());
    status.code() == Code::Unavailable || causes.any(hyper::Error::is_canceled)
}

/// What callers came to.
#[derive(Debug, Default)]
struct Counts {
    stop: AtomicBool,
    read: AtomicU64,
    written: AtomicU64,
    again: AtomicU64,
    failed: AtomicU64,
}

impl Counts {
    fn note(&self, counter: &AtomicU64, outcome: Result<(), Status>) {
        counter.fetch_add(1, Ordering::Relaxed);
        if let Err(status) = outcome {
            eprintln!("a caller saw {status:?}");
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until each kind has called so often again.
    async fn more(&self, calls: u64) {
        let counters = [&self.read, &self.written];
        let until = counters.map(|counter| counter.load(Ordering::Relaxed) + calls);
        let mut turns = interval(EVERY);
        while counters
            .iter()
            .zip(until)
            .any(|(now, until)| now.load(Ordering::Relaxed) < until)
        {
            turns.tick().await;
        }
    }
}

/// Callers at a constant rate, whatever becomes of the calls before.
fn call(world: &World, counts: &Arc<Counts>, callers: &mut JoinSet<()>) {
    let (trade, culture) = (world.trade_client(), world.culture_client());
    let events = world.events_client();
    let counts = Arc::clone(counts);
    callers.spawn(async move {
        let (mut turns, mut calls) = (interval(EVERY), JoinSet::new());
        let mut number = 0;
        while !counts.stop.load(Ordering::Relaxed) {
            turns.tick().await;
            while let Some(ended) = calls.try_join_next() {
                ended.unwrap();
            }
            if calls.len() >= MOST {
                continue;
            }
            number += 1;
            let (counted, trade, culture) = (Arc::clone(&counts), trade.clone(), culture.clone());
            calls.spawn(async move {
                let figure = || {
                    let mut trade = trade.clone();
                    async move { trade.get_observation(figure()).await.map(drop) }
                };
                let programmes = || {
                    let (mut culture, asked) = (culture.clone(), ListProgrammesRequest::default());
                    async move { culture.list_programmes(asked).await.map(drop) }
                };
                counted.note(&counted.read, retried(figure, &counted.again).await);
                counted.note(&counted.read, retried(programmes, &counted.again).await);
            });
            let (counted, events) = (Arc::clone(&counts), events.clone());
            calls.spawn(async move {
                let create = || {
                    let mut events = events.clone();
                    async move { events.create_event(visit(number)).await.map(drop) }
                };
                counted.note(&counted.written, retried(create, &counted.again).await);
            });
        }
        while let Some(ended) = calls.join_next().await {
            ended.unwrap();
        }
    });
}

fn figure() -> GetObservationRequest {
    GetObservationRequest {
        name: NAME.into(),
        as_of: None,
    }
}

/// A write that stands for itself, however often it is sent.
fn visit(number: u64) -> CreateEventRequest {
    let id = format!("visit-{number}");
    let mut request = event(&id, &["CHN", "KAZ"], OfficeLevel::Minister, "2024", "");
    request.allow_duplicate = true;
    request.request_id = format!("00000000-0000-4000-8000-{number:012x}");
    request
}

async fn count_events(world: &World) -> u64 {
    let (mut count, mut page_token) = (0, String::new());
    loop {
        let asked = ListEventsRequest {
            page_size: 500,
            page_token,
            ..ListEventsRequest::default()
        };
        let page = world
            .events_client()
            .list_events(asked)
            .await
            .unwrap()
            .into_inner();
        count += page.events.len() as u64;
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return count;
        }
    }
}

async fn count_writes(world: &World) -> u64 {
    let (mut count, mut page_token) = (0, String::new());
    loop {
        let asked = ListAuditEntriesRequest {
            parent: "journals/events".into(),
            page_size: 500,
            page_token,
            ..ListAuditEntriesRequest::default()
        };
        let page = world
            .journals()
            .list_audit_entries(asked)
            .await
            .unwrap()
            .into_inner();
        count += page.entries.len() as u64;
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return count;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_process_starts_again_in_turn_and_no_retrying_client_notices() {
    build_binary().await;
    within_limit(async {
        let mut original = Server::start(Way::InProcess).await;
        tests::with_figures(&original, FIGURE).await;
        original.stop().await;
        let mut world = World::with_replicas(&[original.data(), original.data()]).await;
        let (counts, mut callers) = (Arc::new(Counts::default()), JoinSet::new());
        call(&world, &counts, &mut callers);
        counts.more(10).await;
        for replica in 0..2 {
            world.trade[replica].stop().await;
            counts.more(5).await;
            world.trade[replica].start_again().await;
            world.all_serve().await;
        }
        for role in [Role::Events, Role::Culture] {
            world.node(role).stop().await;
            world.node(role).start_again().await;
            world.all_serve().await;
            counts.more(10).await;
        }
        // The gateway has one process: who calls it calls again.
        drop(world.door.end().await);
        world.door.start_again().await;
        counts.more(10).await;
        world.all_serve().await;
        counts.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = callers.join_next().await {
            ended.unwrap();
        }
        eprintln!("{counts:?}");
        assert_eq!(counts.failed.load(Ordering::Relaxed), 0);
        let written = counts.written.load(Ordering::Relaxed);
        assert_eq!(count_events(&world).await, written);
        assert_eq!(count_writes(&world).await, written);
        world.end().await;
    })
    .await;
}
