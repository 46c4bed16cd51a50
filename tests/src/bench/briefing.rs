//! Briefings: what one costs beside the slowest service that it is made of, and what a kept one costs; with all in one
//! process, and each in its own.
//!
//! Every briefing that is to be made is asked as of another microsecond, so that none is found kept; the services read
//! the same for all of them.

use std::time::Duration;

use anyhow::{Context, Result};
use prost_types::Timestamp;
use proto::events::v1::{OfficeLevel, StepKind};
use proto::gateway::v1::gateway_service_client::GatewayServiceClient;
use proto::gateway::v1::{BriefingSection as Section, GetBriefingRequest};
use tokio::time::Instant;
use tonic::transport::Channel;

use super::Plan;
use super::load::{closed, float, median};
use super::report::Report;
use crate::{Setting, World, agreement, dataset, date, event, programme, record, statement};

/// Years of figures, and of everything else.
const YEARS: std::ops::Range<u32> = 2010..2025;
const CALLERS: usize = 64;

/// What each service is asked for.
const PARTS: [(&str, &[Section]); 3] = [
    ("trade", &[Section::Trade]),
    (
        "events",
        &[Section::Meetings, Section::Events, Section::Agreements],
    ),
    ("culture", &[Section::Exchange, Section::Visa]),
];

pub(super) async fn measure(plan: &Plan, report: &mut Report) -> Result<()> {
    for (setting, name) in [
        (Setting::Together, "in one process"),
        (Setting::Apart, "apart"),
    ] {
        let world = World::start(setting).await;
        fill(&world).await?;
        tell(&world, name, plan, report).await?;
        world.end().await;
    }
    Ok(())
}

/// Two datasets with both sides of fifteen years and their chapters, a dozen statements, and records of each kind.
async fn fill(world: &World) -> Result<()> {
    let mut trade = world.trade_client();
    for id in ["first-office", "second-office"] {
        trade.create_dataset(dataset(id)).await?;
        record(&trade, id, "all", &figures()).await;
    }
    let (mut events, mut culture) = (world.events_client(), world.culture_client());
    for year in YEARS {
        let said = statement(
            &format!("said-{year}"),
            "CHN",
            &["KAZ"],
            &year.to_string(),
            "30000000000",
        );
        trade.create_statement(said).await?;
        for month in 1..=12 {
            let (id, start) = (
                format!("visit-{year}-{month}"),
                format!("{year}-{month:02}-10"),
            );
            let visit = event(&id, &["CHN", "KAZ"], OfficeLevel::Minister, &start, "");
            events.create_event(visit).await?;
        }
        let steps = [(StepKind::Signed, &*format!("{year}-05-17"))];
        let accord = agreement(&format!("accord-{year}"), &["CHN", "KAZ"], &steps);
        events.create_agreement(accord).await?;
        let year_of = programme(&format!("year-{year}"), &["CHN", "KAZ"], &year.to_string());
        culture.create_programme(year_of).await?;
    }
    Ok(())
}

fn figures() -> String {
    let mut lines = Vec::new();
    for (reporter, partner) in [("CHN", "KAZ"), ("KAZ", "CHN")] {
        for flow in ["X", "M"] {
            for year in YEARS {
                let line = format!("{reporter} {partner} {flow} H6");
                lines.push(format!("{line} TOTAL {year} {year}000000"));
                let of = |chapter| format!("{line} {chapter:02} {year} {year}{chapter:02}00");
                lines.extend((1..=97).map(of));
            }
        }
    }
    lines.join("\n")
}

fn asked(sections: &[Section], as_of: Option<Timestamp>) -> GetBriefingRequest {
    GetBriefingRequest {
        country: "CHN".into(),
        partner: "KAZ".into(),
        period: "2023".into(),
        day: Some(date("2024-07-01")),
        sections: sections.iter().map(|section| i32::from(*section)).collect(),
        as_of,
        ..GetBriefingRequest::default()
    }
}

async fn tell(world: &World, name: &str, plan: &Plan, report: &mut Report) -> Result<()> {
    let client = world.gateway_client();
    let mut making = Making::new(client.clone()).await?;
    let all: Vec<Section> = PARTS
        .iter()
        .flat_map(|(_, sections)| *sections)
        .copied()
        .collect();
    let mut times: [Vec<f64>; 4] = Default::default();
    let until = Instant::now() + plan.round * u32::try_from(plan.rounds)?;
    // By turns, so that whatever else the machine does meets all of them alike.
    while Instant::now() < until {
        for (at, sections) in PARTS.iter().map(|(_, sections)| *sections).enumerate() {
            times[at].push(making.time(sections).await?);
        }
        times[3].push(making.time(&all).await?);
    }
    let mut slowest: f64 = 0.0;
    let [of_trade, of_events, of_culture, of_all] = times;
    for ((service, _), times) in PARTS.iter().zip([of_trade, of_events, of_culture]) {
        let took = median(times);
        slowest = slowest.max(took);
        report.add(
            "briefing",
            format!("{name}: the part of {service}, median"),
            took,
            "ms",
        );
    }
    let took = median(of_all);
    report.add("briefing", format!("{name}: all of it, median"), took, "ms");
    let ratio = took / slowest;
    report.add(
        "briefing",
        format!("{name}: all of it / the slowest part"),
        ratio,
        "",
    );
    kept(client, name, plan, report).await
}

/// Briefings that were not made before.
struct Making {
    client: GatewayServiceClient<Channel>,
    next: i64,
}

impl Making {
    async fn new(mut client: GatewayServiceClient<Channel>) -> Result<Making> {
        let briefing = client.get_briefing(asked(&[], None)).await?.into_inner();
        let records = briefing.positions.iter().filter_map(|at| at.record_time);
        let last = records.map(|time| time.seconds).max().context("records")?;
        Ok(Making {
            client,
            next: (last + 1) * 1_000_000,
        })
    }

    /// How long one takes, in milliseconds.
    async fn time(&mut self, sections: &[Section]) -> Result<f64> {
        self.next += 1;
        let request = asked(sections, Some(proto::to_timestamp(self.next)));
        let started = Instant::now();
        let briefing = self.client.get_briefing(request).await?.into_inner();
        let took = started.elapsed();
        anyhow::ensure!(
            briefing.unreachable.is_empty(),
            "{:?}",
            briefing.unreachable
        );
        Ok(took.as_secs_f64() * 1e3)
    }
}

/// The same question again and again.
async fn kept(
    mut client: GatewayServiceClient<Channel>,
    name: &str,
    plan: &Plan,
    report: &mut Report,
) -> Result<()> {
    let mut times = Vec::new();
    let until = Instant::now() + plan.round;
    while Instant::now() < until {
        let started = Instant::now();
        client.get_briefing(asked(&[], None)).await?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    report.add(
        "briefing",
        format!("{name}: a kept one, median"),
        median(times),
        "ms",
    );
    let answered = closed(
        CALLERS,
        plan.round.max(Duration::from_millis(100)),
        |_, end| {
            let mut client = client.clone();
            async move {
                let mut calls = 0;
                while Instant::now() < end {
                    client.get_briefing(asked(&[], None)).await?;
                    calls += 1;
                }
                Ok(calls)
            }
        },
    );
    let what = format!("{name}: kept ones, {CALLERS} callers");
    report.add("briefing", what, answered.await?.per_second(), "calls/s");
    let size = client.get_briefing(asked(&[], None)).await?.into_inner();
    let bytes = prost::Message::encoded_len(&size) as u64;
    report.add(
        "briefing",
        format!("{name}: size"),
        float(bytes) / 1024.0,
        "KiB",
    );
    Ok(())
}
