//! The platform in one process, with figures and records to look at.

mod relationship;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::Context;
use proto::trade::v1 as wire;
use proto::{Decimal, Flow, Frequency, Period, format_decimal, parse_decimal};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use wire::check_statement_request::Subject;
use wire::ingest_observations_request::Part;
use wire::{ObservationFlag, Series};

use crate::args::answer::Server;
use crate::args::serve::DemoArgs;
use crate::client::{self, TradeClient};
use crate::plot::Bar;
use crate::serve::{self, Serving, announce, start_log};
use crate::sources::Footnotes;
use crate::{figures, output, plot, records, trade};

/// The demonstration figures: a request that creates a dataset, and a batch of its figures.
const FILES: [&str; 2] = [
    include_str!("../demo/china-customs.json"),
    include_str!("../demo/kazakhstan-statistics.json"),
];
const INGEST: &str = "demo-1";
/// The year that is shown in both directions, and the statement that is checked.
const MIRRORED: &str = "2021";
const CHECKED: &str = "ambassador-2024";

/// Starts the platform, loads and shows the figures, and serves until it is told to stop.
pub(crate) async fn run(args: &DemoArgs) -> anyhow::Result<()> {
    start_log(&args.log, args.listener.log_format)?;
    let serving = Serving::start(&serve::ALL, &args.data, &args.listener, &args.storage).await?;
    let address = serving.address;
    let running = tokio::spawn(serving.run());
    let server = Server::at(format!("http://{}", local(address)));
    let mut client = client::trade(&server).await?;
    let mut out = output::stdout();
    let new = load(&mut client).await?;
    load_records(&mut client).await?;
    let records = relationship::load(&server).await?;
    let folder = args.data.display();
    match (new, records) {
        (0, 0) => writeln!(
            out,
            "Found the demonstration figures and records in {folder}.\n"
        )?,
        (new, records) => writeln!(
            out,
            "Loaded {new} demonstration figures and {records} records into {folder}.\n"
        )?,
    }
    show(&mut client, &mut out).await?;
    show_mirror(&mut client, &mut out).await?;
    show_check(&mut client, &mut out).await?;
    drop(client);
    out.flush()?;
    drop(out);
    relationship::show(&server.address).await?;
    announce(address)?;
    writeln!(std::io::stdout(), "Stop it with Ctrl-C.")?;
    running.await?
}

/// An address that reaches the listener from this machine.
fn local(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        return SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port());
    }
    address
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

/// A side of the trade between China and Kazakhstan.
struct Side {
    dataset: &'static str,
    reporter: &'static str,
    partner: &'static str,
    name: &'static str,
}

const CHINA: Side = Side {
    dataset: "datasets/china-customs",
    reporter: "CHN",
    partner: "KAZ",
    name: "China",
};
const KAZAKHSTAN: Side = Side {
    dataset: "datasets/kazakhstan-statistics",
    reporter: "KAZ",
    partner: "CHN",
    name: "Kazakhstan",
};

/// What is compared: the same goods, as each side counts them.
struct Compared {
    title: &'static str,
    china: Flow,
    kazakhstan: Flow,
}

const COMPARED: [Compared; 3] = [
    Compared {
        title: "total trade",
        china: Flow::TotalTrade,
        kazakhstan: Flow::TotalTrade,
    },
    Compared {
        title: "China to Kazakhstan",
        china: Flow::Export,
        kazakhstan: Flow::Import,
    },
    Compared {
        title: "Kazakhstan to China",
        china: Flow::Import,
        kazakhstan: Flow::Export,
    },
];

async fn show(client: &mut TradeClient, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(
        out,
        "Trade between China and Kazakhstan, bn USD, each side as published"
    )?;
    let titles = [
        "",
        "period",
        "China's figure",
        "growth",
        "Kazakhstan's figure",
        "growth",
    ];
    let mut table = output::table(&titles, &[2, 3, 4, 5]);
    let mut footnotes = Footnotes::default();
    let mut bars = BTreeMap::new();
    for subject in COMPARED {
        for frequency in [Frequency::Year, Frequency::Cumulated] {
            let china = series(client, &CHINA, subject.china, frequency).await?;
            let kazakhstan = series(client, &KAZAKHSTAN, subject.kazakhstan, frequency).await?;
            let china = by_period(china, &mut footnotes);
            let kazakhstan = by_period(kazakhstan, &mut footnotes);
            let periods: BTreeSet<Period> =
                china.keys().chain(kazakhstan.keys()).copied().collect();
            for period in periods {
                let sides = [china.get(&period), kazakhstan.get(&period)];
                let [a, b] = sides.map(|cells| cells.cloned().unwrap_or_default());
                table.add_row([
                    subject.title,
                    &period.to_string(),
                    &a.figure,
                    &a.growth,
                    &b.figure,
                    &b.growth,
                ]);
                if frequency == Frequency::Year && subject.china == Flow::TotalTrade {
                    bars.insert(period, [a, b]);
                }
            }
        }
    }
    writeln!(
        out,
        "{table}\nGrowth is over the same months a year before, in the same series; - where it has no such figure.\n\n\
         Total trade by year, bn USD"
    )?;
    plot::draw(out, &to_bars(&bars), 44)?;
    writeln!(out)?;
    footnotes.write(out)?;
    Ok(writeln!(out)?)
}

async fn series(
    client: &mut TradeClient,
    side: &Side,
    flow: Flow,
    frequency: Frequency,
) -> anyhow::Result<Series> {
    let asked = wire::GetSeriesRequest {
        parent: side.dataset.into(),
        reporter: side.reporter.into(),
        partner: side.partner.into(),
        flow: flow.to_wire().into(),
        code: "TOTAL".into(),
        frequency: frequency.to_wire().into(),
        ..Default::default()
    };
    Ok(client.get_series(asked).await?.into_inner())
}

/// What both sides say of 2021, in both directions.
async fn show_mirror(client: &mut TradeClient, out: &mut dyn Write) -> anyhow::Result<()> {
    let side = |side: &Side| wire::MirrorSide {
        dataset: side.dataset.into(),
        reporter: side.reporter.into(),
    };
    let asked = wire::GetMirrorRequest {
        first: Some(side(&CHINA)),
        second: Some(side(&KAZAKHSTAN)),
        period: MIRRORED.into(),
        ..Default::default()
    };
    let mirror = client.get_mirror(asked).await?.into_inner();
    writeln!(out, "Both sides of {MIRRORED}: `entente trade mirror`\n")?;
    trade::mirror(&mirror, out)?;
    Ok(writeln!(out)?)
}

/// What a stated figure is worth.
async fn show_check(client: &mut TradeClient, out: &mut dyn Write) -> anyhow::Result<()> {
    let asked = wire::CheckStatementRequest {
        subject: Some(Subject::Name(format!("statements/{CHECKED}"))),
        ..Default::default()
    };
    let check = client.check_statement(asked).await?.into_inner();
    writeln!(
        out,
        "A statement held against them: `entente trade check {CHECKED}`\n"
    )?;
    trade::report(&check, out)?;
    Ok(writeln!(out)?)
}

/// A figure's cells.
#[derive(Clone, Default)]
struct Cells {
    /// The figure with what qualifies it, and the same with its footnote.
    text: String,
    figure: String,
    growth: String,
    value: Decimal,
}

fn by_period(series: Series, footnotes: &mut Footnotes) -> BTreeMap<Period, Cells> {
    let mut cells = BTreeMap::new();
    for point in series.points {
        let mark = footnotes.marks(&series.sources, &[point.source]);
        let value = parse_decimal(&point.value).unwrap_or_default() / Decimal::from(1_000_000_000);
        let Ok(period) = point.period.parse() else {
            continue;
        };
        let text = qualified(value, &point.flags);
        let cell = Cells {
            figure: format!("{text} {mark}"),
            text,
            growth: growth(point.growth.as_ref()),
            value,
        };
        cells.insert(period, cell);
    }
    cells
}

/// Growth where it can be said; the table has no room for the reasons.
fn growth(growth: Option<&wire::Growth>) -> String {
    match growth.and_then(|growth| growth.outcome.as_ref()) {
        Some(wire::growth::Outcome::Ratio(ratio)) => figures::percent(ratio),
        Some(wire::growth::Outcome::Gap(_)) | None => "-".into(),
    }
}

/// A figure in bn with what qualifies it; all here are rounded, which needs no word.
fn qualified(value: Decimal, flags: &[i32]) -> String {
    let has = |flag: ObservationFlag| flags.contains(&flag.into());
    let mut text = in_bn(value);
    if has(ObservationFlag::LowerBound) {
        text = format!("over {text}");
    }
    if has(ObservationFlag::Implied) {
        text.push_str(" implied");
    }
    if has(ObservationFlag::Unverified) {
        text.push_str(" unverified");
    }
    text
}

fn in_bn(value: Decimal) -> String {
    let text = format_decimal(value);
    if text.contains('.') {
        text
    } else {
        text + ".0"
    }
}

fn to_bars(years: &BTreeMap<Period, [Cells; 2]>) -> Vec<Bar> {
    let mut bars = Vec::new();
    for (year, values) in years {
        for (side, cells) in [CHINA, KAZAKHSTAN].iter().zip(values) {
            if cells.value > Decimal::ZERO {
                bars.push(Bar {
                    label: format!("{year} {}", side.name),
                    value: cells.value.to_string().parse().unwrap_or_default(),
                    note: cells.text.clone(),
                });
            }
        }
    }
    bars
}
