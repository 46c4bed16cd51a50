//! The comparison with PostgreSQL 15 and DuckDB: the same rows, the same questions about the same keys,
//! in one run. Each is timed as its client sees it, by one caller that waits for each answer; the three
//! are asked by turns, and a question is timed only after they have answered it alike.
//!
//! # Layout
//!
//! * `world.rs`: the rows. `question.rs`: what is asked, about what. `figure.rs`: a row of a table.
//! * `contender.rs`: what the three have in common, and the clock.
//! * `ours.rs`: the service over gRPC.
//! * `postgres.rs` with `cluster.rs`; `duckdb.rs` with `tests/bench/duckdb_side.py`.
//! * `results.rs`: the table.

mod cluster;
mod contender;
mod duckdb;
mod figure;
mod ours;
mod postgres;
mod question;
mod results;
mod world;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};

use self::cluster::{Binaries, Cluster};
use self::contender::{Contender, Effort, Loaded};
use self::duckdb::{DuckDb, Python};
use self::ours::Ours;
use self::postgres::Postgres;
use self::question::Question;
use self::results::Results;
use self::world::World;
use super::load::Latencies;
use super::report::Format;
use super::telling::Telling;
use super::{Plan, new_folder};

/// Keys for which the answers are held against each other.
const CHECKED: usize = 50;
/// The systems are asked by so many turns, so that what else the machine does meets all of them.
const TURNS: usize = 10;
/// Calls of each turn before the clock runs.
const WARM_UP: usize = 20;

/// What to compare, and how.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// About how many rows: whole reporters of half a million each, two at least and 200 at most.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Who takes part.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = System::ALL)]
    only: Vec<System>,
    /// A folder on the disk to measure; a new folder is made inside, and removed at the end. Default: the
    /// system's temporary folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How the figures are printed.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
    /// Calls of each question, after those that warm up.
    #[arg(long, default_value_t = 2_000)]
    calls: usize,
    /// Seconds that the calls of a question may take; then fewer are made, in each of ten turns.
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// A Python that has DuckDB (tests/bench/requirements.txt).
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: PathBuf,
    /// The folder of PostgreSQL 15's programs. Default: where Debian's package has them, or `pg_config`.
    #[arg(long, value_name = "DIR")]
    postgres: Option<PathBuf>,
    #[command(flatten)]
    telling: Telling,
}

/// Who is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum System {
    /// The trade service, over gRPC.
    Ours,
    /// PostgreSQL 15.
    Postgres,
    /// DuckDB.
    #[value(name = "duckdb")]
    DuckDb,
}

impl System {
    const ALL: [System; 3] = [System::Ours, System::Postgres, System::DuckDb];

    fn name(self) -> &'static str {
        match self {
            System::Ours => "Entente",
            System::Postgres => "PostgreSQL",
            System::DuckDb => "DuckDB",
        }
    }
}

/// A system that takes part, with what it needs from the machine.
enum Entrant {
    Ours,
    Postgres(Binaries),
    DuckDb(Python),
}

pub(super) async fn measure(options: Options) -> Result<()> {
    // What is missing is told before anything takes its time.
    let entrants = entrants(&options)?;
    let folder = new_folder(options.data.as_deref())?;
    let plan = Plan {
        folder: folder.path().to_owned(),
        rows: options.rows,
        records: 0,
        watchers: 0,
        round: Duration::ZERO,
        rounds: 1,
        telling: options.telling,
    };
    let turn = Effort {
        warm_up: WARM_UP,
        calls: options.calls.div_ceil(TURNS),
        limit: Duration::try_from_secs_f64(options.seconds / 10.0)?,
    };
    let world = World::of(options.rows);
    let mut results = Results::default();
    let mut contenders = load(&plan, world, entrants, &mut results).await?;
    for question in Question::ALL {
        check(&mut contenders, question, world).await?;
        ask(&mut contenders, question, world, turn, &mut results).await?;
    }
    for (_, contender) in &contenders {
        if let Contender::Ours(ours) = contender {
            results.memory(ours.peak_memory());
        }
    }
    results.print(options.output);
    drop(contenders);
    folder.close()?;
    Ok(())
}

fn entrants(options: &Options) -> Result<Vec<(System, Entrant)>> {
    let wanted = System::ALL
        .into_iter()
        .filter(|it| options.only.contains(it));
    let entrant = |system| {
        let entrant = match system {
            System::Ours => Entrant::Ours,
            System::Postgres => Entrant::Postgres(Binaries::find(options.postgres.as_deref())?),
            System::DuckDb => Entrant::DuckDb(Python::find(&options.python)?),
        };
        Ok((system, entrant))
    };
    wanted.map(entrant).collect()
}

async fn load(
    plan: &Plan,
    world: World,
    entrants: Vec<(System, Entrant)>,
    results: &mut Results,
) -> Result<Vec<(System, Contender)>> {
    let mut contenders = Vec::new();
    let mut rows = None;
    for (system, entrant) in entrants {
        let (contender, loaded) = entrant.load(plan, world).await?;
        let first = *rows.get_or_insert(loaded.rows);
        ensure!(
            loaded.rows == first,
            "{} has {} rows, others {first}",
            system.name(),
            loaded.rows
        );
        results.loaded(system, &loaded);
        contenders.push((system, contender));
    }
    Ok(contenders)
}

impl Entrant {
    async fn load(self, plan: &Plan, world: World) -> Result<(Contender, Loaded)> {
        Ok(match self {
            Entrant::Ours => {
                let (ours, loaded) = Ours::load(plan, world).await?;
                (Contender::Ours(Box::new(ours)), loaded)
            }
            Entrant::Postgres(binaries) => {
                let cluster = Cluster::start(&binaries, &plan.folder)?;
                let (postgres, loaded) = Postgres::load(cluster, world).await?;
                (Contender::Postgres(Box::new(postgres)), loaded)
            }
            Entrant::DuckDb(python) => {
                let (duckdb, loaded) = DuckDb::load(&python, &plan.folder, world).await?;
                (Contender::DuckDb(Box::new(duckdb)), loaded)
            }
        })
    }
}

/// All must give the same answers, and not empty ones.
async fn check(
    contenders: &mut [(System, Contender)],
    question: Question,
    world: World,
) -> Result<()> {
    let keys = question.keys(world, CHECKED);
    let mut first = None;
    for (system, contender) in contenders {
        let answers = contender.answers(question, &keys).await?;
        let (other, expected) = first.get_or_insert_with(|| (*system, answers.clone()));
        for ((key, answer), expected) in keys.iter().zip(&answers).zip(expected) {
            let name = question.name();
            ensure!(
                !answer.0.is_empty(),
                "{name}, {key:?}: {} has nothing",
                system.name()
            );
            ensure!(
                answer == expected,
                "{name}, {key:?}:\n{} answers {answer}\n{} answers {expected}",
                system.name(),
                other.name()
            );
        }
    }
    Ok(())
}

async fn ask(
    contenders: &mut [(System, Contender)],
    question: Question,
    world: World,
    turn: Effort,
    results: &mut Results,
) -> Result<()> {
    let calls = turn.warm_up + turn.calls;
    let keys = question.keys(world, calls * TURNS);
    let all = contenders.iter().map(|_| Latencies::new());
    let mut all: Vec<Latencies> = all.collect::<Result<_>>()?;
    for keys in keys.chunks(calls) {
        for ((_, contender), all) in contenders.iter_mut().zip(&mut all) {
            all.add(&contender.measure(question, keys, turn).await?)?;
        }
    }
    for ((system, _), latencies) in contenders.iter().zip(&all) {
        results.answered(*system, question, latencies);
    }
    Ok(())
}
