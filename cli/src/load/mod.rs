//! Load: a scenario against any address, with what came out as text, JSON and a page.
//!
//! # Layout
//!
//! * `scenario`: what is to be asked and what must hold. `span`: lengths of time. `arrival`: when calls are to be made.
//!   `kind`: the calls that there are. `method`: any other of the schema that reads. `thresholds`: what must hold, and
//!   whether it did.
//! * `keys`: what calls ask about. `calls`: their messages. `wire`: how they are made.
//!   `watch`: streams beside them. `ledger`: which of them was told of what.
//! * `pace`: the clock. `engine`: a run. `meter`: its counters. `timeline`: the same by second. `live`: how far it is.
//!   `stop`: Ctrl-C.
//! * `limit`: the highest rate at which all holds.
//! * `result`: what came out. `table`, `page`, `compare`: as text, as a page, and two side by side.

mod arrival;
mod calls;
mod compare;
mod engine;
mod keys;
mod kind;
mod ledger;
mod limit;
mod live;
mod meter;
mod method;
mod pace;
mod page;
mod result;
mod scenario;
mod span;
mod stop;
mod table;
mod thresholds;
mod timeline;
mod watch;
mod wire;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use proto::trade::v1 as trade;
use proto::r#type::v1::Source;
use tokio::task::spawn_blocking;

use self::arrival::{Arrival, Segment};
use self::calls::{Calls, Part};
use self::engine::{Measured, Ready};
use self::keys::Keys;
use self::kind::Kind;
use self::live::Live;
use self::meter::Tally;
use self::result::{
    CodeCount, Counts, Generator, Latency, Method, Report, Watched, count, distribution,
};
use self::scenario::Scenario;
use self::stop::Stop;
use self::thresholds::{Outcome, Thresholds, Verdict};
use self::watch::Crowd;
use self::wire::{Line, Target};
use crate::args::load::LoadArgs;
use crate::client::{request, within};
use crate::generate::english;
use crate::run::is_broken_pipe;
use crate::target::Target as File;
use crate::{client, output};

pub(crate) use self::span::Span;

/// A threshold did not hold.
pub(crate) const BROKEN: u8 = 4;
/// Before the first call, so that all is there when it is due.
const LEAD: Duration = Duration::from_millis(20);

/// Runs a scenario; or lists them, or compares two results.
pub(crate) async fn run(args: &LoadArgs) -> anyhow::Result<ExitCode> {
    let mut out = output::stdout();
    if args.list {
        list(&mut out)?;
    } else if let [before, after] = &args.compare[..] {
        compare::write(&mut out, &Report::read(before)?, &Report::read(after)?)?;
    } else {
        // Before the first file is begun, which is to go with whoever insists.
        let stop = Stop::listen();
        return tokio::select! {
            code = Box::pin(concluded(args, &stop, &mut out)) => code,
            () = stop.insisted() => Ok(ExitCode::from(stop::ENDED)),
        };
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Runs a scenario, and gives out what came of it. Dropped, it takes with it what it has begun of the files.
async fn concluded(args: &LoadArgs, stop: &Stop, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    // Before the first call, since a path that cannot be written to is not to cost a run.
    let files = stop.before_calls(Files::open(args)).await?;
    let report = load(args, stop).await?;
    // A disk that is full takes no file; what came out is told all the same.
    let written = files.write(&report).await;
    let code = conclude(&report, out)?;
    written.map(|()| code)
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

/// Where a result goes beside the screen.
struct Files {
    json: Option<File>,
    html: Option<File>,
}

impl Files {
    async fn open(args: &LoadArgs) -> anyhow::Result<Files> {
        if let (Some(json), Some(html)) = (&args.json, &args.html) {
            let is_one = json == html || place(json).is_some_and(|json| place(html) == Some(json));
            ensure!(
                !is_one,
                "--json and --html name one file, {}",
                json.display()
            );
        }
        Ok(Files {
            json: open(args.json.clone()).await?,
            html: open(args.html.clone()).await?,
        })
    }

    async fn write(self, report: &Report) -> anyhow::Result<()> {
        if let Some(file) = self.json {
            let saved = save(file, report.json()?).await;
            unless_unread(saved).context("writing the result")?;
        }
        if let Some(file) = self.html {
            let saved = save(file, page::of(report)).await;
            unless_unread(saved).context("writing the page")?;
        }
        Ok(())
    }
}

/// Opens a file on a thread that may wait: a pipe is open when somebody reads it.
async fn open(path: Option<PathBuf>) -> anyhow::Result<Option<File>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let opening = spawn_blocking(move || {
        let file = File::open(Some(&path));
        file.with_context(|| format!("writing {}", path.display()))
    });
    opening.await?.map(Some)
}

/// Where a file is or will be, by whichever way it is named.
fn place(path: &Path) -> Option<PathBuf> {
    if let Ok(there) = path.canonicalize() {
        return Some(there);
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
    Some(folder.join(path.file_name()?))
}

/// Writes a file on a thread that may wait for whoever reads it.
async fn save(file: File, text: String) -> anyhow::Result<()> {
    let mut out = file.writer()?;
    let writing = spawn_blocking(move || {
        out.write_all(text.as_bytes())?;
        out.flush()
    });
    writing.await??;
    file.commit()
}

/// Whoever has read enough is no failure.
fn unless_unread(written: anyhow::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        written => written,
    }
}

/// Tells what came out, and whether all held.
fn conclude(report: &Report, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    unless_unread(tell(report, out))?;
    Ok(match &report.limit {
        Some(limit) if limit.interrupted => ExitCode::FAILURE,
        Some(limit) if limit.rate.is_some() => ExitCode::SUCCESS,
        None if report.held() => ExitCode::SUCCESS,
        Some(_) | None => ExitCode::from(BROKEN),
    })
}

fn tell(report: &Report, out: &mut dyn Write) -> anyhow::Result<()> {
    if let Some(limit) = &report.limit {
        table::write_limit(out, limit)?;
    }
    let limit = report.limit.as_ref();
    if limit.is_none_or(|limit| limit.rate.is_some()) {
        table::write(out, report)?;
    }
    Ok(out.flush()?)
}

async fn load(args: &LoadArgs, stop: &Stop) -> anyhow::Result<Report> {
    let name = args.scenario.as_deref().unwrap_or("smoke");
    let scenario = changed(Scenario::find(name)?, args)?;
    let set = Stage::set(&scenario, args, stop);
    let mut stage = stop.before_calls(set).await?;
    if args.find_limit {
        return limit::find(&mut stage, &scenario, args).await;
    }
    let segments = scenario.segments()?;
    let report = stage.measure(&scenario, &segments, &scenario.name).await?;
    ensure!(report.seconds > 0.0, "interrupted while warming up");
    Ok(report)
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
        ensure!(
            !scenario.arrival.is_staged(),
            "--duration: the stages of {} say how long it is, unless --rate takes their place",
            scenario.name
        );
        scenario.duration = Some(duration);
    }
    if let Some(connections) = args.connections {
        scenario.connections = connections;
    }
    if args.only_thresholds {
        scenario.drop_thresholds();
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
    server: String,
    /// Whether one short run follows the other, in which a rare call may not come at all.
    is_search: bool,
    stop: Stop,
    quiet: bool,
}

impl Stage {
    async fn set(scenario: &Scenario, args: &LoadArgs, stop: &Stop) -> anyhow::Result<Stage> {
        let server = &args.server;
        let target = Arc::new(Target::new(server)?);
        let mut lines = Vec::with_capacity(scenario.connections.into());
        for _ in 0..scenario.connections {
            lines.push(Line::open(&target).await?);
        }
        let run = run_id();
        prepare(scenario, args, &run).await?;
        let keys = Keys::gather(scenario, server).await?;
        if let Some(told) = keys.few(scenario).filter(|_| !args.quiet) {
            writeln!(std::io::stderr(), "{told}")?;
        }
        let calls = Calls::new(scenario, &keys, &target, &run).await?;
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
            crowd,
            epoch,
            numbers: AtomicU64::new(0),
        });
        Ok(Stage {
            ready,
            server: server.server.url.to_string(),
            is_search: args.find_limit,
            stop: stop.clone(),
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
        let start = Instant::now() + LEAD;
        if let Some(crowd) = &self.ready.crowd {
            let measured = start + scenario.warm_up.0;
            crowd.start_over(measured.saturating_duration_since(self.ready.epoch));
        }
        let started = jiff::Timestamp::now();
        let run = engine::run(
            &self.ready,
            scenario,
            segments,
            start,
            &self.stop,
            &mut live,
        );
        let measured = run.await?;
        drop(live);
        let mut report = self.report(scenario, &measured);
        report.interrupted = measured.cut_short;
        if let Some(crowd) = &self.ready.crowd {
            tokio::select! {
                biased;
                () = crowd.settle(scenario.deadline.0) => {}
                () = self.stop.asked() => report.interrupted = true,
            }
            report.watchers = Some(crowd.watched());
        }
        report.started = format!("{started:.0}");
        report.rate_asked = rate_asked(segments, measured.length);
        report.thresholds = judged(scenario, &report, self.is_search);
        Ok(report)
    }

    fn report(&self, scenario: &Scenario, measured: &Measured) -> Report {
        let length = measured.length.as_secs_f64();
        let seconds = length.max(1e-9);
        let mut all = Tally::new();
        measured.tallies.iter().for_each(|tally| all.add(tally));
        let parts = self.ready.calls.parts().iter().zip(&measured.tallies);
        let methods = parts.map(|(part, tally)| method(part, scenario, tally, seconds));
        Report {
            scenario: scenario.name.clone(),
            about: scenario.about.clone(),
            server: self.server.clone(),
            seconds: length,
            warm_up_seconds: scenario.warm_up.0.as_secs_f64(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            connections: scenario.connections,
            calls: all.counts,
            rate_achieved: count(all.counts.in_time) / seconds,
            latency: Latency::of(&all.latency),
            distribution: distribution(&all.latency),
            errors: errors(&all),
            methods: methods.collect(),
            timeline: measured.timeline.clone(),
            generator: Generator {
                lateness: Latency::of(&measured.lateness),
            },
            ..Report::new()
        }
    }
}

/// Calls a second that came due in so much of some segments.
fn rate_asked(segments: &[Segment], length: Duration) -> f64 {
    let mut left = length;
    let calls = segments.iter().map(|segment| {
        let part = segment.first(left);
        left -= part.length;
        part.calls()
    });
    calls.sum::<f64>() / length.as_secs_f64().max(1e-9)
}

fn method(part: &Part, scenario: &Scenario, tally: &Tally, seconds: f64) -> Method {
    let rate_achieved = count(tally.counts.in_time) / seconds;
    let rows = u32::from(scenario.ingest.batches) * u32::from(scenario.ingest.rows);
    Method {
        call: part.name.clone(),
        calls: tally.counts,
        rate_achieved,
        rows_achieved: (part.kind == Some(Kind::Ingest)).then(|| rate_achieved * f64::from(rows)),
        latency: Latency::of(&tally.latency),
    }
}

/// The most frequent first.
fn errors(tally: &Tally) -> Vec<CodeCount> {
    let mut errors: Vec<CodeCount> = tally.codes.values().cloned().collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    errors
}

/// What was to hold of all calls, of those of a part, and of the watchers. A search for the limit passes over what did
/// not come at all.
fn judged(scenario: &Scenario, report: &Report, is_search: bool) -> Vec<Verdict> {
    let mut verdicts = scenario
        .thresholds
        .judge("", outcome(&report.latency, &report.calls));
    for (part, method) in scenario.mix.iter().zip(&report.methods) {
        if is_search && method.calls.asked == 0 {
            continue;
        }
        let outcome = outcome(&method.latency, &method.calls);
        verdicts.extend(part.thresholds.judge(&method.call, outcome));
    }
    if let Some(watched) = &report.watchers
        && !(is_search && watched.expected == 0)
    {
        // Of a run that was cut off, messages may have been on their way.
        let missing = if report.interrupted {
            0
        } else {
            watched.missing
        };
        let thresholds = &scenario.watchers.thresholds;
        verdicts.extend(judged_watchers(thresholds, watched, missing));
    }
    verdicts
}

fn outcome<'a>(latency: &'a Latency, calls: &Counts) -> Outcome<'a> {
    Outcome {
        latency,
        asked: calls.asked,
        failed: calls.failed,
        in_time: calls.in_time,
    }
}

/// A message that does not come is a failure, also where nobody thought of it.
fn judged_watchers(thresholds: &Thresholds, watched: &Watched, missing: u64) -> Vec<Verdict> {
    let mut thresholds = thresholds.clone();
    if watched.expected > 0 {
        thresholds.errors.get_or_insert(0.0);
    }
    let outcome = Outcome {
        latency: &watched.latency,
        asked: watched.expected,
        failed: missing,
        in_time: watched.expected - missing,
    };
    thresholds.judge("watchers", outcome)
}

/// Names a run: when it was, and a few digits by chance, since two may begin in one second.
fn run_id() -> String {
    let now = jiff::Timestamp::now().strftime("%Y%m%dt%H%M%S").to_string();
    let chance = uuid::Uuid::new_v4().simple().to_string();
    format!("{now}-{}", &chance[..4])
}

/// Makes what the run writes to, and says so.
async fn prepare(scenario: &Scenario, args: &LoadArgs, run: &str) -> anyhow::Result<()> {
    if scenario.writes() && !args.quiet {
        writeln!(
            std::io::stderr(),
            "This scenario writes to {}: all of it has names with load-{run}.",
            args.server.server.url
        )?;
    }
    let mut kinds = scenario.mix.iter().map(|part| part.call);
    if !kinds.any(|kind| kind == Some(Kind::Ingest)) {
        return Ok(());
    }
    let server = &args.server;
    let mut client = client::trade(&server.server).await?;
    let source = Source {
        title: "A load test".into(),
        publisher: "entente load".into(),
        note: "Made up: no customs office counted it.".into(),
        ..Source::default()
    };
    let asked = trade::CreateDatasetRequest {
        dataset_id: calls::dataset_of(run),
        dataset: Some(trade::Dataset {
            display_name: Some(english(&format!("Load test {run}"))),
            source: Some(source),
            currency_code: "USD".into(),
            ..trade::Dataset::default()
        }),
        request_id: String::new(),
    };
    let created = client.create_dataset(request(asked, server));
    let created = within(server.limit(), created).await.map(drop);
    let url = &server.server.url;
    created.with_context(|| format!("creating the dataset of the load test at {url}"))
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
