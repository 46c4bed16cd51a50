//! Reads of one figure against a bare echo, and against the echo in the chassis, so that the cost of the
//! chassis and of the read are told apart. The three are asked by turns, by the same client.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use prost::Message;
use proto::trade::v1::GetObservationRequest;
use proto::trade::v1::trade_service_client::TradeServiceClient;
use tonic::transport::Channel;

use super::Plan;
use super::ingest::Filling;
use super::load::{self, connect, float, median};
use super::report::Report;
use super::server::Server;

const CALLERS: usize = 64;
/// Calls a second that leave the machine idle most of the time.
const MODEST: u32 = 2_000;

/// One of those that are compared.
struct Contender<'a> {
    name: &'static str,
    server: &'a Server,
    clients: Vec<TradeServiceClient<Channel>>,
    rounds: Vec<Round>,
}

/// What one round came to.
#[derive(Clone, Copy)]
struct Round {
    calls_per_second: f64,
    server_micros: f64,
}

pub(super) async fn measure(filling: &Filling, plan: &Plan, report: &mut Report) -> Result<()> {
    let names: Arc<[String]> = filling.names.clone().into();
    let bytes = answer_bytes(filling, &names).await?;
    let bare = Server::echo(bytes, false, plan)?;
    let framed = Server::echo(bytes, true, plan)?;
    let mut contenders = [
        Contender::new("bare echo", &bare).await?,
        Contender::new("echo in the chassis", &framed).await?,
        Contender::new("GetObservation", &filling.server).await?,
    ];
    for contender in &contenders {
        contender.throughput(&names, plan.round / 2).await?;
    }
    for _ in 0..plan.rounds {
        for contender in &mut contenders {
            let round = contender.throughput(&names, plan.round).await?;
            contender.rounds.push(round);
        }
    }
    tell(&contenders, report);
    for contender in &contenders {
        contender.latency(&names, plan.round, report).await?;
    }
    Ok(())
}

async fn answer_bytes(filling: &Filling, names: &[String]) -> Result<usize> {
    let mut client = filling.client.clone();
    let mut bytes = 0;
    for name in names.iter().take(100) {
        bytes += client
            .get_observation(request(name))
            .await?
            .into_inner()
            .encoded_len();
    }
    Ok(bytes / names.len().clamp(1, 100))
}

fn request(name: &str) -> GetObservationRequest {
    GetObservationRequest {
        name: name.into(),
        as_of: None,
    }
}

/// A stride through the names that is prime to most counts of them, so that neighbours are far apart.
fn name_of(names: &[String], number: usize) -> &str {
    &names[number.wrapping_mul(7_919) % names.len()]
}

impl<'a> Contender<'a> {
    async fn new(name: &'static str, server: &'a Server) -> Result<Contender<'a>> {
        let channels = connect(server.address()).await?;
        Ok(Contender {
            name,
            server,
            clients: channels.into_iter().map(TradeServiceClient::new).collect(),
            rounds: Vec::new(),
        })
    }

    async fn throughput(&self, names: &Arc<[String]>, length: Duration) -> Result<Round> {
        let cpu_before = self.server.cpu_time();
        let answered = load::closed(CALLERS, length, |caller, until| {
            let mut client = self.clients[caller % self.clients.len()].clone();
            let names = Arc::clone(names);
            async move {
                let mut calls = 0;
                while tokio::time::Instant::now() < until {
                    let name = name_of(&names, caller + CALLERS * calls);
                    client.get_observation(request(name)).await?;
                    calls += 1;
                }
                Ok(calls as u64)
            }
        })
        .await?;
        let cpu = self.server.cpu_time().saturating_sub(cpu_before);
        Ok(Round {
            calls_per_second: answered.per_second(),
            server_micros: cpu.as_secs_f64() * 1e6 / float(answered.calls),
        })
    }

    async fn latency(
        &self,
        names: &Arc<[String]>,
        length: Duration,
        report: &mut Report,
    ) -> Result<()> {
        let latencies = load::latencies(MODEST, length, |number| {
            let mut client = self.clients[number % self.clients.len()].clone();
            let request = request(name_of(names, number));
            async move {
                client.get_observation(request).await?;
                Ok(())
            }
        })
        .await?;
        for (name, share) in [("median", 0.5), ("p99", 0.99)] {
            let what = format!("{} at {MODEST} calls/s, {name}", self.name);
            report.add("point", what, latencies.micros(share), "µs");
        }
        Ok(())
    }

    fn median(&self, figure: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(figure).collect())
    }

    /// The median, over the rounds, of what this reached of what the other did in the same round.
    fn share_of(&self, other: &Contender<'_>) -> f64 {
        let pairs = self.rounds.iter().zip(&other.rounds);
        median(
            pairs
                .map(|(own, other)| own.calls_per_second / other.calls_per_second)
                .collect(),
        )
    }
}

fn tell(contenders: &[Contender<'_>; 3], report: &mut Report) {
    let [bare, framed, read] = contenders;
    for contender in contenders {
        let what = format!("{}, {CALLERS} callers", contender.name);
        let calls = contender.median(|round| round.calls_per_second);
        report.add("point", what, calls, "calls/s");
    }
    for contender in contenders {
        let what = format!("{}, server's CPU time", contender.name);
        let micros = contender.median(|round| round.server_micros);
        report.add("point", what, micros, "µs/call");
    }
    for (of, what) in [(framed, "echo in the chassis"), (read, "GetObservation")] {
        let what = format!("{what} / bare echo");
        report.add("point", what, of.share_of(bare), "ratio");
    }
    let what = "GetObservation / echo in the chassis";
    report.add("point", what, read.share_of(framed), "ratio");
}
