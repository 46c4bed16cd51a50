//! Durable single writes: what the disk gives, what the store makes of it, and what is left of that over
//! gRPC; alone and with 200 callers, whose writes share a sync.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use proto::trade::v1::ObservationBatch;
use proto::trade::v1::ingest_observations_request::Part;
use proto::trade::v1::trade_service_client::TradeServiceClient;
use store::{Decision, Origin, Stamp, State, Store};
use tonic::transport::Channel;

use super::generate::{self, Pair};
use super::ingest::{header, new_dataset, request};
use super::load::{self, Answered, Latencies, float};
use super::report::Report;
use super::server::Server;
use super::{Plan, folder_of};

const CALLERS: [usize; 2] = [1, 200];
/// About what a small write takes in the journal.
const APPENDED: usize = 600;

pub(super) async fn measure(plan: &Plan, report: &mut Report) -> Result<()> {
    disk(plan, report)?;
    for callers in CALLERS {
        let what = format!("store, {}", told(callers));
        report.add("writes", what, in_store(plan, callers).await?, "writes/s");
    }
    let mut server = Server::trade(&folder_of(plan, "writes")?, plan)?;
    let channels = load::connect(server.address()).await?;
    let clients: Vec<_> = channels.into_iter().map(TradeServiceClient::new).collect();
    clients[0]
        .clone()
        .create_dataset(new_dataset("bench"))
        .await?;
    let made = Arc::new(AtomicU64::new(0));
    for callers in CALLERS {
        let rate = creating(&clients, &made, callers, plan.round).await?;
        let what = format!("CreateDataset over gRPC, {}", told(callers));
        report.add("writes", what, rate, "writes/s");
    }
    for callers in CALLERS {
        let rate = ingesting(&clients, &made, callers, plan.round).await?;
        let what = format!("IngestObservations of one row over gRPC, {}", told(callers));
        report.add("writes", what, rate, "writes/s");
    }
    server.stop()
}

fn told(callers: usize) -> String {
    match callers {
        1 => "1 caller".into(),
        _ => format!("{callers} callers"),
    }
}

/// Appends and syncs, one after the other.
fn disk(plan: &Plan, report: &mut Report) -> Result<()> {
    let mut file = File::create(plan.folder.join("synced"))?;
    let mut latencies = Latencies::new()?;
    let started = Instant::now();
    let mut writes = 0;
    while started.elapsed() < plan.round {
        let before = Instant::now();
        file.write_all(&[1; APPENDED])?;
        file.sync_data()?;
        latencies.record(before.elapsed())?;
        writes += 1;
    }
    let rate = float(writes) / started.elapsed().as_secs_f64();
    let what = |what: &str| format!("disk, append {APPENDED} bytes and sync, {what}");
    report.add("writes", what("alone"), rate, "writes/s");
    report.add("writes", what("median"), latencies.micros(0.5), "µs");
    report.add("writes", what("p99"), latencies.micros(0.99), "µs");
    Ok(())
}

/// A model as small as can be: numbered notes.
struct Notes;

#[derive(Clone, PartialEq, prost::Message)]
struct Note {
    #[prost(uint64, tag = "1")]
    number: u64,
    #[prost(bytes = "vec", tag = "2")]
    text: Vec<u8>,
}

impl store::Model for Notes {
    type Change = Note;
    const NAME: &'static str = "notes";
    const LAYOUT: u32 = 1;

    fn apply(state: &mut State<'_>, note: &Note, _: Stamp) -> Result<(), store::Error> {
        let key = [&[1], &note.number.to_be_bytes()[..]].concat();
        state.put(key, note.text.clone())
    }
}

async fn in_store(plan: &Plan, callers: usize) -> Result<f64> {
    let folder = folder_of(plan, &format!("notes-{callers}"))?;
    let store = Store::<Notes>::open(&folder, &store::Config::default())?;
    let noted = Arc::new(AtomicU64::new(0));
    let answered = load::closed(callers, plan.round, |_, until| {
        let (store, noted) = (store.clone(), Arc::clone(&noted));
        async move {
            let mut calls = 0;
            while tokio::time::Instant::now() < until {
                note(&store, noted.fetch_add(1, Ordering::Relaxed)).await?;
                calls += 1;
            }
            Ok(calls)
        }
    })
    .await?;
    store.close().await;
    Ok(answered.per_second())
}

async fn note(store: &Store<Notes>, number: u64) -> Result<(), store::Error> {
    let decide = move |_: &State<'_>, _: Stamp| {
        let text = vec![1; APPENDED];
        Ok(Decision::change(Note { number, text }, "", ()))
    };
    store.write(Origin::default(), decide).await.map(drop)
}

async fn creating(
    clients: &[TradeServiceClient<Channel>],
    made: &Arc<AtomicU64>,
    callers: usize,
    length: Duration,
) -> Result<f64> {
    load::closed(callers, length, |caller, until| {
        let mut client = clients[caller % clients.len()].clone();
        let made = Arc::clone(made);
        async move {
            let mut calls = 0;
            while tokio::time::Instant::now() < until {
                let id = format!("d{}", made.fetch_add(1, Ordering::Relaxed));
                client.create_dataset(new_dataset(&id)).await?;
                calls += 1;
            }
            Ok(calls)
        }
    })
    .await
    .map(Answered::per_second)
}

/// Each call is a stream of its own, with a header and a batch of one row, as a figure that is typed in.
async fn ingesting(
    clients: &[TradeServiceClient<Channel>],
    made: &Arc<AtomicU64>,
    callers: usize,
    length: Duration,
) -> Result<f64> {
    load::closed(callers, length, |caller, until| {
        let mut client = clients[caller % clients.len()].clone();
        let made = Arc::clone(made);
        async move {
            let mut calls = 0;
            while tokio::time::Instant::now() < until {
                let number = made.fetch_add(1, Ordering::Relaxed);
                let stream = [
                    request(Part::Header(header(&format!("i{number}")))),
                    request(Part::Batch(one_row(number))),
                ];
                let response = client.ingest_observations(tokio_stream::iter(stream));
                let counts = response.await?.into_inner().counts.unwrap_or_default();
                ensure!(counts.new == 1, "a row that is not new: {counts:?}");
                calls += 1;
            }
            Ok(calls)
        }
    })
    .await
    .map(Answered::per_second)
}

fn one_row(number: u64) -> ObservationBatch {
    let pair = Pair::at(number);
    let number = number / Pair::COUNT;
    let row = generate::plain(generate::code(number), 1 + number);
    let period = generate::month(number % generate::MONTHS);
    ObservationBatch {
        sequence: 1,
        groups: vec![generate::group(pair, period, vec![row])],
        sources: Vec::new(),
    }
}
