//! The platform in one process, with figures and records to look at.

mod relationship;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;

use anyhow::Context;
use clap::Parser;
use proto::trade::v1 as wire;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use wire::ingest_observations_request::Part;

use crate::args::answer::{Address, ServerArgs};
use crate::args::serve::DemoArgs;
use crate::args::{Cli, Command};
use crate::client::{self, TradeClient};
use crate::import::Imported;
use crate::serve::{Plan, Serving, announce};
use crate::telemetry::Telemetry;
use crate::{briefing, output, records};

/// The demonstration figures: a request that creates a dataset, and a batch of its figures.
const FILES: [&str; 2] = [
    include_str!("../demo/china-customs.json"),
    include_str!("../demo/kazakhstan-statistics.json"),
];
const INGEST: &str = "demo-1";
/// The question that the platform is for: what one must know before the state visit of 2 to 4 July 2024.
const SHOWN: [&str; 7] = [
    "briefing",
    "CHN",
    "KAZ",
    "--period",
    "2024-01..2024-05",
    "--on",
    "2024-07-01",
];
/// What to ask next.
const NEXT: [&str; 5] = [
    "trade mirror CHN KAZ --period 2021",
    "trade check ambassador-2024",
    "events timeline CHN KAZ --from 2024-06 --to 2024-08",
    "programmes list --pair CHN KAZ --kind vocational-workshop",
    "visa rules CHN KAZ --on 2023-11-10",
];

/// Starts the platform, loads and shows the figures, and serves until it is told to stop.
pub(crate) async fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&args.log, &args.listener, Plan::Whole.name()).await?;
    let serving = Serving::start(Plan::Whole, &args.data, &args.listener, &args.storage).await?;
    let serving = serving.with_web(&args.web)?;
    let address = serving.address;
    let server = Address::inside(serving.direct());
    let running = tokio::spawn(serving.run());
    let loaded = load_all(&server).await?;
    loaded.tell(args.data.display())?;
    writeln!(std::io::stdout())?;
    show(server).await?;
    announce(address)?;
    telemetry.announce()?;
    writeln!(std::io::stdout(), "Stop it with Ctrl-C.")?;
    let outcome = running.await?;
    telemetry.end().await;
    outcome
}

/// Loads the demonstration into a system that runs elsewhere.
pub(crate) async fn import(args: &ServerArgs) -> anyhow::Result<Imported> {
    let loaded = load_all(&args.server).await?;
    loaded.tell(&args.server.url)?;
    Ok(Imported::Whole)
}

/// What was not there before.
struct Loaded {
    figures: i64,
    records: usize,
}

impl Loaded {
    fn tell(&self, place: impl Display) -> anyhow::Result<()> {
        let mut out = std::io::stdout();
        match self {
            Loaded {
                figures: 0,
                records: 0,
            } => writeln!(
                out,
                "Found the demonstration figures and records in {place}."
            )?,
            Loaded { figures, records } => writeln!(
                out,
                "Loaded {figures} demonstration figures and {records} records into {place}."
            )?,
        }
        Ok(())
    }
}

/// Loads what is not there yet.
async fn load_all(server: &Address) -> anyhow::Result<Loaded> {
    let mut trade = client::trade(server).await?;
    let figures = load(&mut trade).await?;
    load_records(&mut trade).await?;
    let records = relationship::load(server).await?;
    Ok(Loaded { figures, records })
}

/// Asks for the briefing as somebody would who looks at the demonstration, and says what else can be asked.
async fn show(server: Address) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "`entente {}`\n", SHOWN.join(" "))?;
    let cli = Cli::try_parse_from(["entente"].into_iter().chain(SHOWN))?;
    let Command::Briefing(mut args) = cli.command else {
        anyhow::bail!("`{}` is not shown", SHOWN[0]);
    };
    args.server.server = server;
    briefing::run(&args).await?;
    writeln!(out, "\nAsk on, in another terminal:")?;
    for next in NEXT {
        writeln!(out, "  entente {next}")?;
    }
    Ok(writeln!(out)?)
}

/// Loads what is not there yet; how many figures that was.
async fn load(client: &mut TradeClient) -> anyhow::Result<i64> {
    let mut new = 0;
    for file in FILES {
        let (create, batch) = parse(file).context("reading the demonstration figures")?;
        let parent = format!("datasets/{}", create.dataset_id);
        unless_there(client.create_dataset(create).await)?;
        let header = wire::IngestHeader {
            parent,
            ingest_id: INGEST.into(),
            strict: true,
            ..Default::default()
        };
        let parts = [Part::Header(header), Part::Batch(batch)];
        let messages = parts.map(|part| wire::IngestObservationsRequest { part: Some(part) });
        let response = client
            .ingest_observations(tokio_stream::iter(messages))
            .await?;
        new += response.into_inner().counts.unwrap_or_default().new;
    }
    Ok(new)
}

/// Records the sectors and statements that are not there; those that are may have been changed, and stay.
async fn load_records(client: &mut TradeClient) -> anyhow::Result<()> {
    for sector in records::starting_sectors()? {
        unless_there(client.create_sector(sector).await)?;
    }
    for statement in records::demo_statements()? {
        unless_there(client.create_statement(statement).await)?;
    }
    Ok(())
}

/// Whether a record was created; one whose name is taken may have been changed, and stays. One that only looks like
/// another is an error.
fn unless_there<T>(created: Result<T, Status>) -> Result<bool, Status> {
    let Err(status) = created else {
        return Ok(true);
    };
    let details = status.get_error_details();
    let reason = details.error_info().map_or("", |info| info.reason.as_str());
    match (status.code(), reason) {
        (Code::AlreadyExists, "ALREADY_EXISTS") => Ok(false),
        _ => Err(status),
    }
}

fn parse(file: &str) -> anyhow::Result<(wire::CreateDatasetRequest, wire::ObservationBatch)> {
    let mut parts: BTreeMap<String, serde_json::Value> = serde_json::from_str(file)?;
    let mut part = |name: &str| parts.remove(name).unwrap_or_default().to_string();
    let create = output::from_json("entente.trade.v1.CreateDatasetRequest", &part("create"))?;
    let batch = output::from_json("entente.trade.v1.ObservationBatch", &part("batch"))?;
    Ok((create, batch))
}
