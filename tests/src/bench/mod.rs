//! The benchmark: what a figure costs to keep and to read, as ratios in one run on one machine.
//!
//! # Layout
//!
//! * The parts, by their names on the command line: `writes.rs`, `ingest.rs`, `point.rs`, `series.rs`,
//!   `reopen.rs`.
//! * `briefing.rs`: a briefing beside its slowest service, and kept ones.
//! * `watchers.rs`: many who watch one pair through a gateway.
//! * `operation.rs`: reads beside a backup and a verification.
//! * `records/`: records of events and culture, as more and more are there.
//! * `pass.rs`: the same service directly, through `HAProxy` (`haproxy.rs`) and through the gateway.
//! * `generate.rs`: the figures that are ingested. `echo.rs`: the bare service that reads are held
//!   against.
//! * `server.rs`: a server in a process of its own, so that its memory and its CPU time are its own.
//! * `telling.rs`: what servers tell of themselves meanwhile.
//! * `load.rs`: callers in a loop, calls at a rate. `process.rs`: what the system says of a process.
//! * `report.rs`: the table.
//! * `compare/`: the same rows and questions for PostgreSQL and DuckDB, as a command of its own.

mod briefing;
mod compare;
mod echo;
mod generate;
mod haproxy;
mod ingest;
mod load;
mod operation;
mod pass;
mod point;
mod process;
mod records;
mod reopen;
mod report;
mod series;
mod server;
mod telling;
mod watchers;
mod writes;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand, ValueEnum};
use tempfile::TempDir;
use tokio::runtime::Builder;

use self::generate::Generator;
use self::report::{Format, Report};
use self::server::Role;
use self::telling::Telling;

/// Measures what a figure costs to keep and to read. Ratios within one run are what counts: the absolute
/// figures are those of the machine.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Options {
    /// What to measure.
    #[arg(value_enum, required = true)]
    parts: Vec<Name>,
    /// Rows to ingest.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Records to write, for `records`.
    #[arg(long, default_value_t = 100_000)]
    records: u64,
    /// Watchers, for `watchers`.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=2_000))]
    watchers: u16,
    /// A folder on the disk to measure; a new folder is made inside, and removed at the end. Default: the
    /// system's temporary folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How the figures are printed.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
    /// Seconds that each round of a measurement takes.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Rounds of `point` and `pass`, of which the medians are told.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    #[command(flatten)]
    telling: Telling,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What is done instead of measuring parts.
#[derive(Debug, Subcommand)]
enum Command {
    /// Compares with PostgreSQL 15 and DuckDB, on the same rows.
    Compare(compare::Options),
    #[command(flatten)]
    Role(Role),
}

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Durable single writes, with 1 and 200 callers.
    Writes,
    /// Rows through the client stream, with the memory and the disk they take.
    Ingest,
    /// Reads of one figure, against a bare echo.
    Point,
    /// A series of ten years, as the rows around it grow.
    Series,
    /// Records of events and culture: writes, reads, lists, as they grow tenfold.
    Records,
    /// Many who watch one pair through a gateway: memory, and time from a write to the last one's message.
    Watchers,
    /// A briefing beside the slowest service that it is made of, and kept ones.
    Briefing,
    /// Reads of one figure directly, through `HAProxy` and through the gateway.
    Pass,
    /// Reads of one figure beside a backup and beside a verification, and how fast those go.
    Operation,
    /// Opening after a clean end, after a kill, and without the view.
    Reopen,
    /// All of them, on one data folder.
    All,
}

/// What all parts are told.
#[derive(Clone, Debug)]
struct Plan {
    folder: PathBuf,
    rows: u64,
    records: u64,
    watchers: usize,
    round: Duration,
    rounds: usize,
    telling: Telling,
}

/// Runs the benchmark, or the server role that it starts itself in.
///
/// # Errors
/// When a server does not start, or a call fails.
pub fn main() -> Result<()> {
    let options = Options::parse();
    let mut runtime = match options.command {
        // One caller is answered soonest where no other thread has to be woken.
        Some(Command::Compare(_)) => Builder::new_current_thread(),
        Some(Command::Role(_)) | None => chassis::runtime(),
    };
    let runtime = runtime.enable_all().build()?;
    runtime.block_on(async {
        let measuring = async {
            match options.command {
                Some(Command::Role(role)) => server::play(role).await,
                Some(Command::Compare(options)) => compare::measure(options).await,
                None => measure(options).await,
            }
        };
        tokio::select! {
            measured = measuring => measured,
            stopped = tokio::signal::ctrl_c() => {
                stopped?;
                bail!("interrupted; the data folder is removed")
            }
        }
    })
}

async fn measure(options: Options) -> Result<()> {
    let folder = new_folder(options.data.as_deref())?;
    let plan = Plan {
        folder: folder.path().to_owned(),
        rows: options.rows,
        records: options.records,
        watchers: options.watchers.into(),
        round: Duration::try_from_secs_f64(options.seconds)?,
        rounds: options.rounds.max(1),
        telling: options.telling,
    };
    let mut report = Report::default();
    run(&plan, &options.parts, &mut report).await?;
    report.print(options.output);
    folder.close()?;
    Ok(())
}

async fn run(plan: &Plan, parts: &[Name], report: &mut Report) -> Result<()> {
    let wanted = |part| parts.contains(&part) || parts.contains(&Name::All);
    if wanted(Name::Writes) {
        writes::measure(plan, report).await?;
    }
    if wanted(Name::Records) {
        records::measure(plan, report).await?;
    }
    if wanted(Name::Watchers) {
        watchers::measure(plan, report).await?;
    }
    if wanted(Name::Briefing) {
        briefing::measure(plan, report).await?;
    }
    if wanted(Name::Pass) {
        pass::measure(plan, report).await?;
    }
    let on_rows = [
        Name::Ingest,
        Name::Point,
        Name::Series,
        Name::Operation,
        Name::Reopen,
    ];
    if !on_rows.into_iter().any(wanted) {
        return Ok(());
    }
    let mut filling = ingest::Filling::start(plan, Box::new(Generator::new())).await?;
    for rows in stages(plan.rows, wanted(Name::Series)) {
        filling.fill_to(rows).await?;
        if wanted(Name::Series) {
            series::measure(&mut filling, plan, report).await?;
        }
    }
    if wanted(Name::Ingest) {
        filling.tell(report)?;
    }
    if wanted(Name::Point) {
        point::measure(&filling, plan, report).await?;
    }
    if wanted(Name::Operation) {
        operation::measure(&filling, plan, report).await?;
    }
    if wanted(Name::Reopen) {
        reopen::measure(&mut filling, plan, report).await?;
    }
    Ok(())
}

/// How many rows are in when a series is measured: each tenfold of the one before.
fn stages(rows: u64, series: bool) -> Vec<u64> {
    let smaller = [100_000, 1_000_000, 10_000_000];
    let mut stages: Vec<u64> = smaller
        .into_iter()
        .filter(|stage| series && *stage < rows)
        .collect();
    stages.push(rows);
    stages
}

/// A folder of the run's own, removed when it is dropped.
fn new_folder(above: Option<&Path>) -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("entente-bench-");
    Ok(match above {
        Some(above) => builder.tempdir_in(above)?,
        None => builder.tempdir()?,
    })
}

fn folder_of(plan: &Plan, name: &str) -> Result<PathBuf> {
    let folder = plan.folder.join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Bytes of all files below a folder.
fn bytes_below(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() {
            bytes_below(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(bytes)
}
