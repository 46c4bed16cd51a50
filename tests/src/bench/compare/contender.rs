//! Whoever is compared: it takes the rows, it answers, and it is timed by one caller that waits for each
//! answer.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::duckdb::DuckDb;
use super::ours::Ours;
use super::postgres::Postgres;
use super::question::{Answer, Key, Question};
use crate::bench::load::Latencies;

/// One that is loaded.
pub(super) enum Contender {
    Ours(Box<Ours>),
    Postgres(Box<Postgres>),
    DuckDb(Box<DuckDb>),
}

/// What taking the rows came to.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) rows: u64,
    /// What had to be done until every question can be asked, in order.
    pub(super) steps: Vec<Step>,
    /// On disk.
    pub(super) bytes: u64,
    /// Its version and its settings.
    pub(super) about: String,
}

/// A part of the loading.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) took: Duration,
}

/// How much to ask in a turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Calls that are not counted.
    pub(super) warm_up: usize,
    /// Calls that are, unless the time is over before.
    pub(super) calls: usize,
    pub(super) limit: Duration,
}

/// One that this process asks itself.
pub(super) trait Asked {
    /// A question that is ready to be sent.
    type Call;
    /// What came back, in the client's own types.
    type Reply;

    fn call(&self, question: Question, key: &Key) -> Self::Call;

    async fn ask(&mut self, call: Self::Call) -> Result<Self::Reply>;

    fn answer(question: Question, reply: Self::Reply) -> Result<Answer>;
}

impl Step {
    pub(super) fn new(name: impl Into<String>, took: Duration) -> Step {
        Step {
            name: name.into(),
            took,
        }
    }
}

impl Loaded {
    /// Until every question can be asked.
    pub(super) fn took(&self) -> Duration {
        self.steps.iter().map(|step| step.took).sum()
    }
}

impl Contender {
    /// Its answers to the keys.
    pub(super) async fn answers(
        &mut self,
        question: Question,
        keys: &[Key],
    ) -> Result<Vec<Answer>> {
        match self {
            Contender::Ours(ours) => answers(ours.as_mut(), question, keys).await,
            Contender::Postgres(postgres) => answers(postgres.as_mut(), question, keys).await,
            Contender::DuckDb(duckdb) => duckdb.answers(question, keys).await,
        }
    }

    /// Asks about one key after the other.
    pub(super) async fn measure(
        &mut self,
        question: Question,
        keys: &[Key],
        effort: Effort,
    ) -> Result<Latencies> {
        match self {
            Contender::Ours(ours) => measure(ours.as_mut(), question, keys, effort).await,
            Contender::Postgres(postgres) => {
                measure(postgres.as_mut(), question, keys, effort).await
            }
            Contender::DuckDb(duckdb) => duckdb.measure(question, keys, effort).await,
        }
    }
}

async fn answers<A: Asked>(asked: &mut A, question: Question, keys: &[Key]) -> Result<Vec<Answer>> {
    let mut answers = Vec::with_capacity(keys.len());
    for key in keys {
        let reply = asked.ask(asked.call(question, key)).await?;
        answers.push(A::answer(question, reply)?);
    }
    Ok(answers)
}

async fn measure<A: Asked>(
    asked: &mut A,
    question: Question,
    keys: &[Key],
    effort: Effort,
) -> Result<Latencies> {
    let calls: Vec<A::Call> = keys.iter().map(|key| asked.call(question, key)).collect();
    let mut latencies = Latencies::new()?;
    let mut until = None;
    for (number, call) in calls
        .into_iter()
        .take(effort.warm_up + effort.calls)
        .enumerate()
    {
        if number >= effort.warm_up {
            let until = *until.get_or_insert_with(|| Instant::now() + effort.limit);
            if Instant::now() >= until {
                break;
            }
        }
        let started = Instant::now();
        let reply = asked.ask(call).await?;
        let took = started.elapsed();
        drop(reply);
        if number >= effort.warm_up {
            latencies.record(took)?;
        }
    }
    Ok(latencies)
}
