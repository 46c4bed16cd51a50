//! The same trade service asked directly, through `HAProxy` and through the gateway, by turns and by the same client:
//! what a hop costs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use proto::trade::v1::GetObservationRequest;
use proto::trade::v1::trade_service_client::TradeServiceClient;
use tokio::time::Instant;
use tonic::transport::Channel;

use super::generate::Generator;
use super::haproxy::{self, HaProxy};
use super::ingest::Filling;
use super::load::{self, Latencies, connect, float, median};
use super::report::Report;
use super::server::Server;
use super::{Plan, folder_of};

const CALLERS: usize = 64;
/// A read of one figure is the same among these as among more.
const ROWS: u64 = 100_000;

/// A way to the service.
struct Way<'a> {
    name: &'static str,
    hop: Option<Hop<'a>>,
    clients: Vec<TradeServiceClient<Channel>>,
    rounds: Vec<Round>,
}

/// What stands in between.
#[derive(Clone, Copy)]
enum Hop<'a> {
    HaProxy(&'a HaProxy),
    Gateway(&'a Server),
}

/// What one round came to.
struct Round {
    calls_per_second: f64,
    hop_micros: f64,
    alone_median: f64,
    alone_p99: f64,
}

pub(super) async fn measure(plan: &Plan, report: &mut Report) -> Result<()> {
    let plan = &Plan {
        folder: folder_of(plan, "pass")?,
        ..plan.clone()
    };
    let mut filling = Filling::start(plan, Box::new(Generator::new())).await?;
    filling.fill_to(plan.rows.min(ROWS)).await?;
    let names: Arc<[String]> = filling.names.clone().into();
    let service = filling.server.address();
    let folder = folder_of(plan, "haproxy")?;
    let haproxy = HaProxy::start(&folder, service).await?;
    let gateway = Server::gateway(service, plan)?;

    let mut ways = vec![Way::new("direct", None, service).await?];
    if let Some(haproxy) = &haproxy {
        let hop = Some(Hop::HaProxy(haproxy));
        ways.push(Way::new("HAProxy", hop, &haproxy.address()).await?);
    }
    let hop = Some(Hop::Gateway(&gateway));
    ways.push(Way::new("gateway", hop, gateway.address()).await?);
    for way in &ways {
        way.round(&names, plan.round / 2).await?;
    }
    for _ in 0..plan.rounds {
        for way in &mut ways {
            let round = way.round(&names, plan.round).await?;
            way.rounds.push(round);
        }
    }
    tell(&ways, report);
    Ok(())
}

fn request(names: &[String], number: usize) -> GetObservationRequest {
    // A stride that is prime to most counts of them, so that neighbours are far apart.
    let name = &names[number.wrapping_mul(7_919) % names.len()];
    GetObservationRequest {
        name: name.into(),
        as_of: None,
    }
}

impl<'a> Way<'a> {
    async fn new(name: &'static str, hop: Option<Hop<'a>>, address: &str) -> Result<Way<'a>> {
        let channels = connect(address).await?;
        Ok(Way {
            name,
            hop,
            clients: channels.into_iter().map(TradeServiceClient::new).collect(),
            rounds: Vec::new(),
        })
    }

    async fn round(&self, names: &Arc<[String]>, length: Duration) -> Result<Round> {
        let before = self.hop_cpu();
        let answered = self.many(names, length).await?;
        let cpu = self.hop_cpu().saturating_sub(before);
        let alone = self.one(names, length).await?;
        Ok(Round {
            calls_per_second: answered.per_second(),
            hop_micros: cpu.as_secs_f64() * 1e6 / float(answered.calls),
            alone_median: alone.micros(0.5),
            alone_p99: alone.micros(0.99),
        })
    }

    /// Many callers at once, over several connections.
    async fn many(&self, names: &Arc<[String]>, length: Duration) -> Result<load::Answered> {
        load::closed(CALLERS, length, |caller, until| {
            let mut client = self.clients[caller % self.clients.len()].clone();
            let names = Arc::clone(names);
            async move {
                let mut calls = 0;
                while Instant::now() < until {
                    let request = request(&names, caller + CALLERS * calls);
                    client.get_observation(request).await?;
                    calls += 1;
                }
                Ok(calls as u64)
            }
        })
        .await
    }

    /// One caller, who waits for each answer.
    async fn one(&self, names: &[String], length: Duration) -> Result<Latencies> {
        let mut client = self.clients[0].clone();
        let mut latencies = Latencies::new()?;
        let until = Instant::now() + length;
        for number in 0.. {
            let started = Instant::now();
            if started >= until {
                break;
            }
            client.get_observation(request(names, number)).await?;
            latencies.record(started.elapsed())?;
        }
        Ok(latencies)
    }

    fn hop_cpu(&self) -> Duration {
        match self.hop {
            Some(Hop::HaProxy(haproxy)) => haproxy.cpu_time(),
            Some(Hop::Gateway(gateway)) => gateway.cpu_time(),
            None => Duration::ZERO,
        }
    }

    fn median(&self, figure: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(figure).collect())
    }

    /// The median, over the rounds, of what stands between this and another way in the same round.
    fn against(&self, other: &Way<'_>, figure: impl Fn(&Round, &Round) -> f64) -> f64 {
        let pairs = self.rounds.iter().zip(&other.rounds);
        median(pairs.map(|(own, other)| figure(own, other)).collect())
    }
}

fn tell(ways: &[Way<'_>], report: &mut Report) {
    let version = haproxy::version();
    let without = "HAProxy is not on this machine (Debian: apt-get install haproxy)";
    report.note(version.as_deref().unwrap_or(without));
    for way in ways {
        let what = format!("{}, {CALLERS} callers", way.name);
        let calls = way.median(|round| round.calls_per_second);
        report.add("pass", what, calls, "calls/s");
    }
    let Some((direct, hops)) = ways.split_first() else {
        return;
    };
    for hop in hops {
        let name = hop.name;
        let share = hop.against(direct, |own, other| {
            own.calls_per_second / other.calls_per_second
        });
        report.add("pass", format!("{name} / direct"), share, "ratio");
        let cpu = hop.median(|round| round.hop_micros);
        report.add("pass", format!("{name}, CPU time"), cpu, "µs/call");
        let added = hop.against(direct, |own, other| own.alone_median - other.alone_median);
        report.add(
            "pass",
            format!("{name} adds for 1 caller, median"),
            added,
            "µs",
        );
        let added = hop.against(direct, |own, other| own.alone_p99 - other.alone_p99);
        report.add(
            "pass",
            format!("{name} adds for 1 caller, p99"),
            added,
            "µs",
        );
    }
    if let [haproxy, gateway] = hops {
        let share = gateway.against(haproxy, |own, other| {
            own.calls_per_second / other.calls_per_second
        });
        report.add("pass", "gateway / HAProxy", share, "ratio");
    }
}
