//! Load: callers that each wait for their answer, and calls that come at a rate whatever the answers.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tonic::transport::{Channel, Endpoint};

/// Connections over which callers are spread.
const CONNECTIONS: usize = 4;

/// What callers came to together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    pub(super) calls: u64,
    pub(super) took: Duration,
}

impl Answered {
    pub(super) fn per_second(self) -> f64 {
        float(self.calls) / self.took.as_secs_f64()
    }
}

/// Runs `callers` loops until `length` has passed; each gets its number and the end, and says how many
/// calls it made.
pub(super) async fn closed<F>(
    callers: usize,
    length: Duration,
    caller: impl Fn(usize, Instant) -> F,
) -> Result<Answered>
where
    F: Future<Output = Result<u64>> + Send + 'static,
{
    let started = Instant::now();
    let mut running = JoinSet::new();
    for number in 0..callers {
        running.spawn(caller(number, started + length));
    }
    let mut calls = 0;
    while let Some(made) = running.join_next().await {
        calls += made??;
    }
    Ok(Answered {
        calls,
        took: started.elapsed(),
    })
}

/// Latencies of calls that are sent `rate` times a second for `length`, whether or not those before were
/// answered: what a slow answer holds up is counted. The timer is no finer than a millisecond, so calls
/// leave in small bunches, and each counts from when it leaves.
pub(super) async fn latencies<F>(
    rate: u32,
    length: Duration,
    call: impl Fn(usize) -> F,
) -> Result<Latencies>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let until = Instant::now() + length;
    let mut running = JoinSet::new();
    let mut latencies = Latencies::new()?;
    for number in 0.. {
        if ticks.tick().await >= until {
            break;
        }
        let call = call(number);
        let started = Instant::now();
        running.spawn(async move { call.await.map(|()| started.elapsed()) });
        while let Some(ended) = running.try_join_next() {
            latencies.record(ended??)?;
        }
    }
    while let Some(ended) = running.join_next().await {
        latencies.record(ended??)?;
    }
    Ok(latencies)
}

/// How long calls took.
#[derive(Debug)]
pub(super) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(super) fn new() -> Result<Latencies> {
        Ok(Latencies(Histogram::new(3)?))
    }

    pub(super) fn record(&mut self, latency: Duration) -> Result<()> {
        Ok(self.0.record(u64::try_from(latency.as_nanos())?)?)
    }

    pub(super) fn add(&mut self, other: &Latencies) -> Result<()> {
        Ok(self.0.add(&other.0)?)
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that a share of the calls did not exceed, in microseconds.
    pub(super) fn micros(&self, share: f64) -> f64 {
        float(self.0.value_at_quantile(share)) / 1e3
    }
}

/// Connections to a server, each a channel of its own.
pub(super) async fn connect(address: &str) -> Result<Vec<Channel>> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
    let mut channels = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        channels.push(endpoint.connect().await?);
    }
    Ok(channels)
}

/// The middle one; of an even number the upper.
pub(super) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "what is counted here stays far below 2^52"
)]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

/// Mebibytes.
pub(super) fn mebi(bytes: u64) -> f64 {
    float(bytes) / f64::from(1 << 20)
}
