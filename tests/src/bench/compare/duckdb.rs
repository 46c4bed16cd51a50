//! DuckDB in a Python process of its own: `tests/bench/duckdb_side.py`, one JSON object a line each way.
//! Nothing here blocks: the connections to the other two have to be kept alive meanwhile.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::contender::{Effort, Loaded, Step};
use super::figure::{Figure, figures};
use super::question::{Answer, Key, Question, text};
use super::world::World;
use crate::bench::load::Latencies;

const SCRIPT: &str = include_str!("../../../bench/duckdb_side.py");

/// A Python that has DuckDB.
#[derive(Clone, Debug)]
pub(super) struct Python(PathBuf);

/// The process with the rows in it; killed when it is dropped.
pub(super) struct DuckDb {
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    _child: Child,
}

impl Python {
    pub(super) fn find(program: &Path) -> Result<Python> {
        let tried = std::process::Command::new(program)
            .args(["-c", "import duckdb"])
            .output();
        let found = tried.is_ok_and(|tried| tried.status.success());
        ensure!(
            found,
            "a Python with DuckDB is needed: `python3 -m venv .venv`, `.venv/bin/pip install -r \
             tests/bench/requirements.txt`, and `--python .venv/bin/python`; or leave it out by `--only`"
        );
        Ok(Python(program.to_owned()))
    }
}

impl DuckDb {
    /// Loads all rows of the world from a file, which is written before the time runs.
    pub(super) async fn load(
        python: &Python,
        folder: &Path,
        world: World,
    ) -> Result<(DuckDb, Loaded)> {
        let file = folder.join("figures.csv");
        let written = file.clone();
        tokio::task::spawn_blocking(move || write(&written, world)).await??;
        let mut duckdb = DuckDb::start(python)?;
        let into = folder.join("figures.duckdb");
        let loaded = duckdb.request(&json!({"load": file, "into": into})).await?;
        std::fs::remove_file(file)?;
        Ok((duckdb, told(&loaded)?))
    }

    fn start(python: &Python) -> Result<DuckDb> {
        let mut command = Command::new(&python.0);
        let piped = command.args(["-c", SCRIPT]).stdin(Stdio::piped());
        let piped = piped.stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = piped.spawn()?;
        Ok(DuckDb {
            requests: child.stdin.take().context("its input is piped")?,
            answers: BufReader::new(child.stdout.take().context("its output is piped")?),
            _child: child,
        })
    }

    pub(super) async fn answers(
        &mut self,
        question: Question,
        keys: &[Key],
    ) -> Result<Vec<Answer>> {
        let keys = told_keys(question, keys);
        let request = json!({"answers": question.name(), "keys": keys});
        let mut told = self.request(&request).await?;
        let answers: Vec<Vec<Vec<String>>> = serde_json::from_value(told["answers"].take())?;
        Ok(answers
            .into_iter()
            .map(|rows| Answer::of_table(question, rows))
            .collect())
    }

    pub(super) async fn measure(
        &mut self,
        question: Question,
        keys: &[Key],
        effort: Effort,
    ) -> Result<Latencies> {
        let keys = &keys[..keys.len().min(effort.warm_up + effort.calls)];
        let request = json!({
            "measure": question.name(),
            "keys": told_keys(question, keys),
            "warm_up": effort.warm_up,
            "seconds": effort.limit.as_secs_f64(),
        });
        let mut told = self.request(&request).await?;
        let nanos: Vec<u64> = serde_json::from_value(told["nanos"].take())?;
        let mut latencies = Latencies::new()?;
        for nanos in nanos {
            latencies.record(Duration::from_nanos(nanos))?;
        }
        Ok(latencies)
    }

    async fn request(&mut self, request: &Value) -> Result<Value> {
        self.requests
            .write_all(format!("{request}\n").as_bytes())
            .await?;
        let mut line = String::new();
        self.answers.read_line(&mut line).await?;
        ensure!(!line.is_empty(), "DuckDB's process ended");
        Ok(serde_json::from_str(&line)?)
    }
}

fn told_keys(question: Question, keys: &[Key]) -> Vec<Value> {
    keys.iter().map(|key| key.json(question)).collect()
}

fn told(loaded: &Value) -> Result<Loaded> {
    let seconds = loaded["seconds"].as_object().context("seconds")?;
    let step = |(name, seconds): (&String, &Value)| {
        let seconds = seconds.as_f64().context("a number of seconds")?;
        Ok(Step::new(name, Duration::try_from_secs_f64(seconds)?))
    };
    Ok(Loaded {
        rows: loaded["rows"].as_u64().context("rows")?,
        steps: seconds.iter().map(step).collect::<Result<_>>()?,
        bytes: loaded["bytes"].as_u64().context("bytes")?,
        about: loaded["about"].as_str().context("about")?.to_owned(),
    })
}

fn write(file: &Path, world: World) -> Result<()> {
    let mut file = BufWriter::new(File::create(file)?);
    for figure in world.groups().flat_map(figures) {
        line(&mut file, &figure)?;
    }
    Ok(file.into_inner()?.sync_data()?)
}

fn line(file: &mut impl Write, figure: &Figure) -> Result<()> {
    let Figure {
        reporter,
        partner,
        flow,
        period,
        level,
        code,
        value,
        net_weight,
        quantity,
        quantity_unit,
        flags,
    } = figure;
    let [net_weight, quantity] = [net_weight, quantity].map(|it| text(it.as_ref()));
    let unit = text(quantity_unit.as_ref());
    writeln!(
        file,
        "1,{reporter},{partner},{flow},{period},{level},{code},{value},{net_weight},{quantity},{unit},{flags}"
    )?;
    Ok(())
}
