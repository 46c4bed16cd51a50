//! A series of ten years, read by one caller, as the rows around it grow. The aim is that it stays flat.

use anyhow::{Result, ensure};
use proto::trade::v1::{Frequency, GetSeriesRequest};
use tokio::time::Instant;

use super::Plan;
use super::generate::{DATASET, MONTHS, Pair};
use super::ingest::Filling;
use super::load::Latencies;
use super::report::Report;

pub(super) async fn measure(filling: &mut Filling, plan: &Plan, report: &mut Report) -> Result<()> {
    let request = request();
    let points = filling.client.get_series(request.clone()).await?;
    let points = points.into_inner().points.len() as u64;
    ensure!(
        points == MONTHS,
        "{points} months are in; 20,000 rows are needed for {MONTHS}"
    );
    let mut latencies = Latencies::new()?;
    let until = Instant::now() + plan.round;
    while Instant::now() < until {
        let started = Instant::now();
        filling.client.get_series(request.clone()).await?;
        latencies.record(started.elapsed())?;
    }
    let what = |share| format!("10 years of TOTAL, {share}, {} rows", filling.rows);
    report.add("series", what("median"), latencies.micros(0.5), "µs");
    report.add("series", what("p99"), latencies.micros(0.99), "µs");
    Ok(())
}

fn request() -> GetSeriesRequest {
    let pair = Pair::first();
    GetSeriesRequest {
        parent: DATASET.into(),
        reporter: pair.reporter.into(),
        partner: pair.partner.into(),
        flow: pair.flow.into(),
        code: "TOTAL".into(),
        frequency: Frequency::Month.into(),
        ..GetSeriesRequest::default()
    }
}
