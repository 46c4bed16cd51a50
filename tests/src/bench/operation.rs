//! What an operator's work costs those who ask meanwhile: a backup at full speed and held back, a verification at some
//! efforts; and how fast each goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use proto::journal::v1::journal_service_client::JournalServiceClient;
use proto::journal::v1::verify_journal_response::Report as Told;
use proto::journal::v1::{BackupJournalRequest, VerifyJournalRequest};
use proto::trade::v1::GetObservationRequest;
use proto::trade::v1::trade_service_client::TradeServiceClient;
use tokio::time::{Instant, sleep_until};
use tonic::transport::Channel;

use super::Plan;
use super::ingest::Filling;
use super::load::{self, Latencies, connect, float, mebi};
use super::report::Report;

/// Calls a second that leave the machine idle most of the time.
const MODEST: u32 = 500;
const EFFORTS: [i32; 2] = [25, 100];
/// Bytes a second of a backup that is held back.
const HELD: u64 = 20 << 20;
const NAME: &str = "journals/trade";

/// What an operator does.
#[derive(Clone, Copy, Debug)]
enum Work {
    Nothing,
    Backup(Option<u64>),
    Verify(i32),
}

pub(super) async fn measure(filling: &Filling, plan: &Plan, report: &mut Report) -> Result<()> {
    let works = [
        Work::Nothing,
        Work::Backup(None),
        Work::Backup(Some(HELD)),
        Work::Verify(EFFORTS[0]),
        Work::Verify(EFFORTS[1]),
    ];
    for work in works {
        let (done, latencies) = beside(work, filling, plan).await?;
        tell(work, done, filling.rows, &latencies, report);
    }
    Ok(())
}

/// Reads at a rate while the work is done, over and over; what was done of it a second.
async fn beside(work: Work, filling: &Filling, plan: &Plan) -> Result<(f64, Latencies)> {
    let channels = connect(filling.server.address()).await?;
    let client = JournalServiceClient::new(channels[0].clone());
    let stop = Arc::new(AtomicBool::new(false));
    let working = tokio::spawn(work.over_and_over(client, Arc::clone(&stop)));
    let latencies = read(&channels[1], &filling.names, 2 * plan.round).await?;
    stop.store(true, Ordering::Relaxed);
    Ok((working.await??, latencies))
}

async fn read(channel: &Channel, names: &[String], length: Duration) -> Result<Latencies> {
    let client = TradeServiceClient::new(channel.clone());
    let read = load::latencies(MODEST, length, |number| {
        let mut client = client.clone();
        let name = names[number.wrapping_mul(7_919) % names.len()].clone();
        async move {
            let request = GetObservationRequest { name, as_of: None };
            client.get_observation(request).await?;
            Ok(())
        }
    });
    read.await
}

impl Work {
    /// Does it until it is told to stop, but once at least; what was done a second.
    async fn over_and_over(
        self,
        mut client: JournalServiceClient<Channel>,
        stop: Arc<AtomicBool>,
    ) -> Result<f64> {
        let (started, mut done) = (Instant::now(), 0);
        loop {
            done += match self {
                Work::Nothing => return Ok(0.0),
                Work::Backup(rate) => back_up(&mut client, rate).await?,
                Work::Verify(effort) => verify(&mut client, effort).await?,
            };
            if stop.load(Ordering::Relaxed) {
                return Ok(float(done) / started.elapsed().as_secs_f64());
            }
        }
    }

    fn name(self) -> String {
        match self {
            Work::Nothing => "beside nothing".into(),
            Work::Backup(None) => "beside a backup".into(),
            Work::Backup(Some(rate)) => format!("beside a backup of {} MiB/s", rate >> 20),
            Work::Verify(effort) => format!("beside a verification, effort {effort} %"),
        }
    }
}

/// Takes a whole journal; how many bytes.
async fn back_up(client: &mut JournalServiceClient<Channel>, rate: Option<u64>) -> Result<u64> {
    let asked = BackupJournalRequest {
        name: NAME.into(),
        after_position: 0,
    };
    let mut parts = client.backup_journal(asked).await?.into_inner();
    let (started, mut bytes) = (Instant::now(), 0);
    while let Some(part) = parts.message().await? {
        let entries = part.entries.iter();
        bytes += entries.map(|entry| entry.body.len() as u64).sum::<u64>();
        if let Some(rate) = rate {
            sleep_until(started + Duration::from_secs_f64(float(bytes) / float(rate))).await;
        }
    }
    Ok(bytes)
}

/// Has a whole journal verified: counts as one.
async fn verify(client: &mut JournalServiceClient<Channel>, effort_percent: i32) -> Result<u64> {
    let asked = VerifyJournalRequest {
        name: NAME.into(),
        effort_percent,
    };
    let mut reports = client.verify_journal(asked).await?.into_inner();
    while let Some(told) = reports.message().await? {
        if let Some(Told::Verdict(verdict)) = told.report {
            anyhow::ensure!(verdict.faults.is_empty(), "{:?}", verdict.faults);
            return Ok(1);
        }
    }
    None.context("a verification without a verdict")
}

fn tell(work: Work, done: f64, rows: u64, latencies: &Latencies, report: &mut Report) {
    const PART: &str = "operation";
    let name = work.name();
    for (what, share) in [("median", 0.5), ("p99", 0.99)] {
        let what = format!("read at {MODEST} calls/s {name}, {what}");
        report.add(PART, what, latencies.micros(share), "µs");
    }
    match work {
        Work::Nothing => {}
        Work::Backup(_) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "bytes a second"
            )]
            report.add(PART, format!("it, {name}"), mebi(done as u64), "MiB/s");
        }
        Work::Verify(_) => report.add(PART, format!("it, {name}"), done * float(rows), "rows/s"),
    }
}
