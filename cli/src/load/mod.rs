//! Load: a scenario against any address, with what came out as text, JSON and a page.
//!
//! # Layout
//!
//! * `scenario`: what is to be asked and what must hold. `span`: lengths of time. `arrival`: when calls are to be made.
//!   `kind`: the calls that there are. `thresholds`: what must hold, and whether it did.
//! * `keys`: what calls ask about. `calls`: their messages. `wire`: how they are made. `watch`: streams beside them.
//! * `pace`: the clock. `engine`: a run. `meter`: its counters. `live`: how far it is.
//! * `limit`: the highest rate at which all holds.
//! * `result`: what came out. `table`, `page`, `compare`: as text, as a page, and two side by side.

mod arrival;
mod calls;
mod compare;
mod engine;
mod keys;
mod kind;
mod limit;
mod live;
mod meter;
mod pace;
mod page;
mod result;
mod scenario;
mod span;
mod table;
mod thresholds;
mod watch;
mod wire;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use anyhow::Context;
use proto::trade::v1 as trade;
use proto::r#type::v1::{LocalizedText, Source};

use self::arrival::{Arrival, Segment};
use self::calls::Calls;
use self::engine::{Measured, Ready};
use self::keys::Keys;
use self::kind::Kind;
use self::live::Live;
use self::meter::Tally;
use self::result::{CodeCount, Counts, Generator, Latency, Method, Report, count, distribution};
use self::scenario::Scenario;
use self::thresholds::{Outcome, Verdict};
use self::watch::Crowd;
use self::wire::{Line, Target};
use crate::args::load::LoadArgs;
use crate::{client, output};

pub(crate) use self::span::Span;

/// A threshold did not hold.
pub(crate) const BROKEN: u8 = 4;

/// Runs a scenario; or lists them, or compares two results.
pub(crate) async fn run(args: &LoadArgs) -> anyhow::Result<ExitCode> {
    let mut out = output::stdout();
    if args.list {
        list(&mut out)?;
    } else if let [before, after] = &args.compare[..] {
        compare::write(&mut out, &Report::read(before)?, &Report::read(after)?)?;
    } else {
        let report = load(args).await?;
        return conclude(args, &report, &mut out);
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn list(out: &mut dyn Write) -> anyhow::Result<()> {
    for scenario in Scenario::bundled()? {
        output::paragraph(
            out,
            &format!("{:<12} {}", scenario.name, scenario.about),
            "             ",
        )?;
    }
    Ok(())
}

/// Tells what came out, in all forms that were asked for.
fn conclude(args: &LoadArgs, report: &Report, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    if let Some(limit) = &report.limit {
        table::write_limit(out, limit)?;
    }
    if report
        .limit
        .as_ref()
        .is_none_or(|limit| limit.rate.is_some())
    {
        table::write(out, report)?;
    }
    if let Some(path) = &args.json {
        report.write(path)?;
    }
    if let Some(path) = &args.html {
        let html = page::of(report);
        std::fs::write(path, html).with_context(|| format!("writing {}", path.display()))?;
    }
    out.flush()?;
    let held = report
        .limit
        .as_ref()
        .map_or(report.held(), |limit| limit.rate.is_some());
    Ok(if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(BROKEN)
    })
}

async fn load(args: &LoadArgs) -> anyhow::Result<Report> {
    let name = args.scenario.as_deref().unwrap_or("smoke");
    let scenario = changed(Scenario::find(name)?, args)?;
    let mut stage = Stage::set(&scenario, args).await?;
    if args.find_limit {
        limit::find(&mut stage, &scenario, args).await
    } else {
        let segments = scenario.segments()?;
        stage.measure(&scenario, &segments, &scenario.name).await
    }
}

/// The scenario as the command line changes it.
fn changed(mut scenario: Scenario, args: &LoadArgs) -> anyhow::Result<Scenario> {
    if let Some(rate) = args.rate {
        let total = scenario
            .segments()?
            .iter()
            .map(|segment| segment.length)
            .sum();
        scenario.arrival = Arrival::constant(rate);
        scenario.duration = scenario.duration.or(Some(Span(total)));
    }
    if let Some(duration) = args.duration {
        scenario.duration = Some(duration);
    }
    if let Some(connections) = args.connections {
        scenario.connections = connections;
    }
    for text in &args.threshold {
        scenario
            .thresholds
            .set(text)
            .map_err(|error| anyhow::anyhow!("--threshold {text}: {error}"))?;
    }
    scenario.check()?;
    Ok(scenario)
}

/// All that is there before the first call.
#[derive(Debug)]
struct Stage {
    ready: Arc<Ready>,
    crowd: Option<Crowd>,
    server: String,
    quiet: bool,
}

impl Stage {
    async fn set(scenario: &Scenario, args: &LoadArgs) -> anyhow::Result<Stage> {
        let server = &args.server;
        let target = Arc::new(Target::new(server)?);
        let mut lines = Vec::with_capacity(scenario.connections.into());
        for _ in 0..scenario.connections {
            lines.push(Line::open(&target).await?);
        }
        let run = run_id();
        prepare(scenario, args, &run).await?;
        let keys = Keys::gather(scenario, server).await?;
        let calls = Calls::new(scenario, &keys, &target, &run)?;
        let epoch = Instant::now();
        let crowd = match scenario.watchers.count {
            0 => None,
            streams => Some(
                Crowd::gather(&target, &scenario.watched()?, streams.into(), &run, epoch).await?,
            ),
        };
        let ready = Arc::new(Ready {
            lines,
            calls,
            epoch,
            numbers: AtomicU64::new(0),
        });
        Ok(Stage {
            ready,
            crowd,
            server: server.url.to_string(),
            quiet: args.quiet,
        })
    }

    /// Runs the scenario at these rates.
    async fn measure(
        &mut self,
        scenario: &Scenario,
        segments: &[Segment],
        title: &str,
    ) -> anyhow::Result<Report> {
        let length = segments.iter().map(|segment| segment.length).sum();
        let mut live = Live::new(title, length, self.quiet);
        if let Some(crowd) = &self.crowd {
            crowd.start_over();
        }
        let started = jiff::Timestamp::now();
        let measured = engine::run(&self.ready, scenario, segments, &mut live).await?;
        drop(live);
        if let Some(crowd) = &self.crowd {
            crowd.settle().await;
        }
        let mut report = self.report(scenario, &measured);
        report.started = format!("{started:.0}");
        let asked: f64 = segments.iter().map(Segment::calls).sum();
        report.rate_asked = asked / length.as_secs_f64();
        report.thresholds = judged(scenario, &report);
        Ok(report)
    }

    fn report(&self, scenario: &Scenario, measured: &Measured) -> Report {
        let seconds = measured.length.as_secs_f64().max(1e-9);
        let mut all = Tally::new();
        measured.tallies.iter().for_each(|tally| all.add(tally));
        let parts = self.ready.calls.parts().iter().zip(&measured.tallies);
        let methods = parts.map(|(part, tally)| method(part.kind, scenario, tally, seconds));
        Report {
            scenario: scenario.name.clone(),
            about: scenario.about.clone(),
            server: self.server.clone(),
            seconds,
            warm_up_seconds: scenario.warm_up.0.as_secs_f64(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            connections: scenario.connections,
            interrupted: measured.interrupted,
            calls: all.counts,
            rate_achieved: count(all.counts.in_time) / seconds,
            latency: Latency::of(&all.latency),
            distribution: distribution(&all.latency),
            errors: errors(&all),
            methods: methods.collect(),
            timeline: measured.timeline.clone(),
            watchers: self.crowd.as_ref().map(Crowd::watched),
            generator: Generator {
                lateness: Latency::of(&measured.lateness),
            },
            ..Report::new()
        }
    }
}

fn method(kind: Kind, scenario: &Scenario, tally: &Tally, seconds: f64) -> Method {
    let rate_achieved = count(tally.counts.in_time) / seconds;
    let rows = u32::from(scenario.ingest.batches) * u32::from(scenario.ingest.rows);
    Method {
        call: kind.name().into(),
        calls: tally.counts,
        rate_achieved,
        rows_achieved: (kind == Kind::Ingest).then(|| rate_achieved * f64::from(rows)),
        latency: Latency::of(&tally.latency),
    }
}

/// The most frequent first.
fn errors(tally: &Tally) -> Vec<CodeCount> {
    let mut errors: Vec<CodeCount> = tally.codes.values().cloned().collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    errors
}

/// What was to hold of all calls, of those of a part, and of the watchers.
fn judged(scenario: &Scenario, report: &Report) -> Vec<Verdict> {
    let outcome = |latency, calls: &Counts| Outcome {
        latency,
        asked: calls.asked,
        failed: calls.failed,
        in_time: calls.in_time,
    };
    let mut verdicts = scenario
        .thresholds
        .judge("", outcome(&report.latency, &report.calls));
    for (part, method) in scenario.mix.iter().zip(&report.methods) {
        let outcome = outcome(&method.latency, &method.calls);
        verdicts.extend(part.thresholds.judge(part.call.name(), outcome));
    }
    if let Some(watched) = &report.watchers {
        let outcome = Outcome {
            latency: &watched.latency,
            asked: watched.streams,
            failed: watched.broken,
            in_time: watched.streams.saturating_sub(watched.broken),
        };
        verdicts.extend(scenario.watchers.thresholds.judge("watchers", outcome));
    }
    verdicts
}

/// Names a run: when it was, and a few digits by chance, since two may begin in one second.
fn run_id() -> String {
    let now = jiff::Timestamp::now().strftime("%Y%m%dt%H%M%S").to_string();
    let chance = uuid::Uuid::new_v4().simple().to_string();
    format!("{now}-{}", &chance[..4])
}

/// Makes what the run writes to, and says so.
async fn prepare(scenario: &Scenario, args: &LoadArgs, run: &str) -> anyhow::Result<()> {
    let kinds = || scenario.mix.iter().map(|part| part.call);
    if scenario.writes() && !args.quiet {
        writeln!(
            std::io::stderr(),
            "This scenario writes to {}: all of it has names with load-{run}.",
            args.server.url
        )?;
    }
    if !kinds().any(|kind| kind == Kind::Ingest) {
        return Ok(());
    }
    let english = |text: String| LocalizedText {
        texts: [("en".to_owned(), text)].into(),
    };
    let mut client = client::trade(&args.server).await?;
    let source = Source {
        title: "A load test".into(),
        publisher: "entente load".into(),
        note: "Made up: no customs office counted it.".into(),
        ..Source::default()
    };
    let request = trade::CreateDatasetRequest {
        dataset_id: calls::dataset_of(run),
        dataset: Some(trade::Dataset {
            display_name: Some(english(format!("Load test {run}"))),
            source: Some(source),
            currency_code: "USD".into(),
            ..trade::Dataset::default()
        }),
        request_id: String::new(),
    };
    let created = client.create_dataset(request).await;
    created
        .map(drop)
        .context("creating the dataset of the load test")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_a_name_that_a_dataset_can_have() {
        let id = calls::dataset_of(&run_id());
        assert!(proto::Slug::parse(&id).is_ok(), "{id}");
    }
}
