//! Many who watch one pair through a gateway, in one process with the services: what each costs in memory, and how long
//! it takes from a write until the last of them is told.

use std::time::Duration;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use proto::events::v1::OfficeLevel;
use proto::events::v1::events_service_client::EventsServiceClient;
use proto::gateway::v1::gateway_service_client::GatewayServiceClient;
use proto::gateway::v1::{WatchRelationshipRequest, WatchRelationshipResponse};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

use super::load::{float, mebi};
use super::report::Report;
use super::server::Server;
use super::{Plan, folder_of};

/// Watchers of one connection: a listener takes 256 streams on one.
const BY_CONNECTION: usize = 125;
/// Writes that are timed.
const WRITES: u32 = 200;

pub(super) async fn measure(plan: &Plan, report: &mut Report) -> Result<()> {
    let folder = folder_of(plan, "watchers")?;
    let mut server = Server::house(&folder, plan)?;
    let channel = connect(&server).await?;
    let mut writes = Writes {
        client: EventsServiceClient::new(channel),
        number: 0,
    };
    let mut one = Crowd::gather(&server, 1).await?;
    tell(&mut one, &mut writes, report, "with 1 watcher").await?;
    drop(one);
    let before = server.memory();
    let count = plan.watchers;
    let mut crowd = Crowd::gather(&server, count).await?;
    let each = |bytes: u64| mebi(bytes) * 1024.0 / float(count as u64);
    let idle = server.memory().saturating_sub(before);
    report.add(
        "watchers",
        format!("{count}, memory of each, quiet"),
        each(idle),
        "KiB",
    );
    let what = format!("with {count} watchers");
    tell(&mut crowd, &mut writes, report, &what).await?;
    let busy = server.memory().saturating_sub(before);
    let what = format!("{count}, memory of each, after {WRITES} writes");
    report.add("watchers", what, each(busy), "KiB");
    report.add(
        "watchers",
        "memory of the process",
        mebi(server.memory()),
        "MiB",
    );
    drop(crowd);
    server.stop()
}

/// Times writes until the last watcher was told.
async fn tell(
    crowd: &mut Crowd,
    writes: &mut Writes,
    report: &mut Report,
    who: &str,
) -> Result<()> {
    let mut times = Histogram::<u64>::new(3)?;
    for _ in 0..WRITES {
        let started = Instant::now();
        writes.write().await?;
        crowd.all_told().await?;
        times.record(u64::try_from(started.elapsed().as_micros())?)?;
    }
    for (quantile, name) in [(0.5, "median"), (0.99, "99 %")] {
        let took = float(times.value_at_quantile(quantile)) / 1_000.0;
        let what = format!("{who}: write to the last one's message, {name}");
        report.add("watchers", what, took, "ms");
    }
    Ok(())
}

async fn connect(server: &Server) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address()))?;
    Ok(endpoint.tcp_nodelay(true).connect().await?)
}

/// Events of the pair, one after the other.
struct Writes {
    client: EventsServiceClient<Channel>,
    number: u32,
}

impl Writes {
    async fn write(&mut self) -> Result<()> {
        self.number += 1;
        let id = format!("visit-{}", self.number);
        let mut request = crate::event(&id, &["CHN", "KAZ"], OfficeLevel::Minister, "2024", "");
        request.allow_duplicate = true;
        self.client.create_event(request).await?;
        Ok(())
    }
}

/// Watchers, each of which says when it was told of a change.
struct Crowd {
    watching: JoinSet<()>,
    told: mpsc::UnboundedReceiver<()>,
    count: usize,
}

impl Crowd {
    /// Watchers who all know where they begin.
    async fn gather(server: &Server, count: usize) -> Result<Crowd> {
        let (tell, told) = mpsc::unbounded_channel();
        let mut watching = JoinSet::new();
        let mut left = count;
        while left > 0 {
            let client = GatewayServiceClient::new(connect(server).await?);
            for _ in 0..left.min(BY_CONNECTION) {
                let mut watch = watch(client.clone()).await?;
                watch.message().await?.context("a greeting")?;
                watching.spawn(follow(watch, tell.clone()));
            }
            left = left.saturating_sub(BY_CONNECTION);
        }
        Ok(Crowd {
            watching,
            told,
            count,
        })
    }

    /// Waits until each of them was told once.
    async fn all_told(&mut self) -> Result<()> {
        for _ in 0..self.count {
            let told = tokio::time::timeout(Duration::from_secs(30), self.told.recv());
            told.await?.context("a watcher ended")?;
        }
        anyhow::ensure!(!self.watching.is_empty(), "nobody watches");
        Ok(())
    }
}

async fn watch(
    mut client: GatewayServiceClient<Channel>,
) -> Result<Streaming<WatchRelationshipResponse>> {
    let request = WatchRelationshipRequest {
        country: "CHN".into(),
        partner: "KAZ".into(),
        ..WatchRelationshipRequest::default()
    };
    Ok(client.watch_relationship(request).await?.into_inner())
}

async fn follow(mut watch: Streaming<WatchRelationshipResponse>, tell: mpsc::UnboundedSender<()>) {
    while let Ok(Some(message)) = watch.message().await {
        if !message.events.is_empty() && tell.send(()).is_err() {
            break;
        }
    }
}
