//! Records: what one costs to write and to read, and what a list costs, as more and more are there.
//!
//! The records are of two hundred pairs of countries over seventy years, so each pair's history grows with their
//! number; a page does not.

mod events;
mod measures;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use tokio::time::Instant;
use tonic::transport::Channel;

use self::events::Events;
use self::measures::Measures;
use super::load::{self, Answered, Latencies, float, mebi};
use super::report::{Report, readable};
use super::server::Server;
use super::{Plan, bytes_below, folder_of};

/// Callers at a time where many are meant.
const MANY: usize = 64;
/// Callers that send batches while a service is filled.
const FILLERS: u64 = 4;
/// Where what single callers write begins, behind all that is filled in.
const SINGLE: u64 = 1 << 40;

/// A kind of record, as the benchmark writes and reads it.
trait Subject: Clone + Send + Sync + 'static {
    /// The service, by which the server is started.
    const ROLE: &'static str;
    /// What is written.
    const NAME: &'static str;
    /// Records of a batch.
    const BATCH: u64;
    /// What is asked, in the order of [`Subject::ask`].
    const QUESTIONS: &'static [&'static str];

    fn new(channel: Channel) -> Self;
    /// Writes one record.
    fn write(self, number: u64) -> impl Future<Output = Result<()>> + Send;
    /// Writes a batch; answers the name of one of it.
    fn write_all(
        self,
        numbers: std::ops::Range<u64>,
    ) -> impl Future<Output = Result<String>> + Send;
    /// Reads one record.
    fn read(self, name: String) -> impl Future<Output = Result<()>> + Send;
    /// Asks a question about a pair; how many records came back.
    fn ask(self, question: usize, pair: u64) -> impl Future<Output = Result<usize>> + Send;
}

/// Pairs of countries.
pub(super) const PAIRS: u64 = 200;

/// The countries of a pair.
fn pair(number: u64) -> [&'static str; 2] {
    const FIRST: [&str; 10] = [
        "CHN", "KAZ", "UZB", "KGZ", "TJK", "TKM", "RUS", "BLR", "IND", "PAK",
    ];
    const SECOND: [&str; 20] = [
        "AFG", "ARE", "ARM", "AUT", "AZE", "BEL", "BGR", "CHE", "CZE", "DEU", "EGY", "ESP", "EST",
        "FIN", "FRA", "GBR", "GEO", "GRC", "HUN", "IRN",
    ];
    let number = usize::try_from(number % PAIRS).unwrap_or_default();
    [FIRST[number % 10], SECOND[number / 10]]
}

/// A number that jumps about, the same in every run.
fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
}

pub(super) async fn measure(plan: &Plan, report: &mut Report) -> Result<()> {
    of::<Events>(plan, report).await?;
    of::<Measures>(plan, report).await
}

async fn of<S: Subject>(plan: &Plan, report: &mut Report) -> Result<()> {
    let folder = folder_of(plan, S::ROLE)?;
    let mut server = Server::records(S::ROLE, &folder, plan)?;
    let channels = load::connect(server.address()).await?;
    let clients: Vec<S> = channels.into_iter().map(S::new).collect();
    let mut there = 0;
    let mut names = Vec::new();
    for stage in stages(plan.records) {
        let started = Instant::now();
        names.extend(fill(&clients, there..stage).await?);
        let filled = float(stage - there) / started.elapsed().as_secs_f64();
        there = stage;
        let mut add = |what: &str, value: f64, unit: &'static str| {
            let name = format!("{}: {what}, {} there", S::NAME, readable(float(stage)));
            report.add("records", name, value, unit);
        };
        add("written in batches", filled, "records/s");
        for callers in [1, MANY] {
            let rate = writing(&clients, callers, plan).await?;
            let what = format!("written one by one, {callers} callers");
            add(&what, rate, "records/s");
        }
        let rate = reading(&clients, &names, plan).await?;
        add(&format!("read by name, {MANY} callers"), rate, "reads/s");
        for (question, name) in S::QUESTIONS.iter().enumerate() {
            let latencies = asking(&clients[0], question, plan).await?;
            add(&format!("{name}, median"), latencies.micros(0.5), "µs");
            add(&format!("{name}, p99"), latencies.micros(0.99), "µs");
        }
        let journal = bytes_below(&folder.join("journal"))?;
        let view = bytes_below(&folder)? - journal;
        add("journal", float(journal) / float(stage), "bytes/record");
        add("view", float(view) / float(stage), "bytes/record");
        add("peak memory", mebi(server.peak_memory()), "MiB");
    }
    server.stop()
}

/// How many records are there when they are asked about.
fn stages(records: u64) -> Vec<u64> {
    let smaller = [10_000, 100_000, 1_000_000]
        .into_iter()
        .filter(|stage| *stage < records);
    smaller.chain([records]).collect()
}

/// Writes records in batches; answers the names of some.
async fn fill<S: Subject>(clients: &[S], numbers: std::ops::Range<u64>) -> Result<Vec<String>> {
    let next = Arc::new(AtomicU64::new(numbers.start));
    let mut filling = tokio::task::JoinSet::new();
    for filler in 0..FILLERS {
        let client = clients[usize::try_from(filler)? % clients.len()].clone();
        let (next, end) = (Arc::clone(&next), numbers.end);
        filling.spawn(async move {
            let mut names = Vec::new();
            loop {
                let start = next.fetch_add(S::BATCH, Ordering::Relaxed);
                if start >= end {
                    return anyhow::Ok(names);
                }
                names.push(
                    client
                        .clone()
                        .write_all(start..end.min(start + S::BATCH))
                        .await?,
                );
            }
        });
    }
    let mut names = Vec::new();
    while let Some(filled) = filling.join_next().await {
        names.extend(filled??);
    }
    Ok(names)
}

async fn writing<S: Subject>(clients: &[S], callers: usize, plan: &Plan) -> Result<f64> {
    static NEXT: AtomicU64 = AtomicU64::new(SINGLE);
    let answered = load::closed(callers, plan.round, |caller, until| {
        let client = clients[caller % clients.len()].clone();
        async move {
            let mut calls = 0;
            while Instant::now() < until {
                client
                    .clone()
                    .write(NEXT.fetch_add(1, Ordering::Relaxed))
                    .await?;
                calls += 1;
            }
            Ok(calls)
        }
    });
    answered.await.map(Answered::per_second)
}

async fn reading<S: Subject>(clients: &[S], names: &[String], plan: &Plan) -> Result<f64> {
    let names: Arc<[String]> = names.into();
    let answered = load::closed(MANY, plan.round, |caller, until| {
        let (client, names) = (clients[caller % clients.len()].clone(), Arc::clone(&names));
        async move {
            let mut calls = 0;
            while Instant::now() < until {
                let place = scattered(calls * 64 + caller as u64) % names.len() as u64;
                let name = names[usize::try_from(place)?].clone();
                client.clone().read(name).await?;
                calls += 1;
            }
            Ok(calls)
        }
    });
    answered.await.map(Answered::per_second)
}

async fn asking<S: Subject>(client: &S, question: usize, plan: &Plan) -> Result<Latencies> {
    let mut latencies = Latencies::new()?;
    let until = Instant::now() + plan.round;
    let mut found = 0;
    for call in 0.. {
        let started = Instant::now();
        if started >= until {
            break;
        }
        found += client
            .clone()
            .ask(question, scattered(call) % PAIRS)
            .await?;
        latencies.record(started.elapsed())?;
    }
    anyhow::ensure!(found > 0, "{} found nothing", S::QUESTIONS[question]);
    Ok(latencies)
}
