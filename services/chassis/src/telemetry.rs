//! What the process tells of itself: its log on standard error, what it counts, and traces of calls.
//!
//! # Layout
//!
//! * [`init`], [`init_recording`]: the log, and with it the traces.
//! * [`Meter`] (`meter.rs`): what is counted. `port.rs`: where Prometheus asks for it. `process.rs`: what the system
//!   says of the process.
//! * [`Recording`] (`recording.rs`): traces. `collector.rs`: where they go; `queue.rs`: where they wait for it.

mod collector;
mod meter;
mod port;
mod process;
mod queue;
pub(crate) mod recording;

use std::io::{self, IsTerminal};
use std::panic::{self, PanicHookInfo};

use metrics::counter;
use tonic::Code;
use tracing::Subscriber;
use tracing_subscriber::fmt::Layer as Lines;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::Error;
use crate::call::{count_panic, panic_message};

pub use self::meter::{Meter, before_scrape};
pub use self::recording::{Otlp, Recording, TRACED};

/// Of the spans that are for traces, the log has that of the call, which names it, and none below, which would hide it.
const CALLS_ALONE: &str = "entente::traced=info";

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Starts the log of the process; panics go to it from then on.
///
/// The filter is a level, or levels by crate: `info`, `warn,chassis=debug`. At `info` every call writes
/// a line at its end; at `warn` only those that end in a defect do. Lines written within a call that is recorded have its
/// names at every level.
pub fn init(format: LogFormat, filter: &str) -> Result<(), Error> {
    let filter = parse(filter)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .try_init(),
    }
    .map_err(Error::Telemetry)?;
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Starts the log as [`init`] does, and traces of calls; what is left of them is sent by [`Recording::end`].
///
/// # Panics
///
/// Outside a Tokio runtime.
pub fn init_recording(format: LogFormat, filter: &str, otlp: &Otlp) -> Result<Recording, Error> {
    let filter = parse(filter)?;
    let recording = Recording::start(otlp)?;
    tracing_subscriber::registry()
        .with(lines(format).with_filter(filter))
        .with(recording.layer())
        .try_init()
        .map_err(|error| Error::Telemetry(error.into()))?;
    panic::set_hook(Box::new(log_panic));
    Ok(recording)
}

fn parse(filter: &str) -> Result<EnvFilter, Error> {
    let parsed = EnvFilter::try_new(filter).map_err(|source| Error::Filter {
        filter: filter.to_owned(),
        source,
    })?;
    Ok(parsed.add_directive(CALLS_ALONE.parse().expect("a directive")))
}

fn lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = Lines::new()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed(),
    }
}

/// Which limit turns a call away: that of the calls that run, of those who watch the health, of the caller.
pub(crate) const OVERLOADED: &str = "overloaded";
pub(crate) const WATCHERS: &str = "watchers";
pub(crate) const RATE_LIMITED: &str = "rate_limited";

/// A count as a gauge has it.
pub fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Whether a call that ends with this code has failed, and not its caller.
pub fn is_failure(code: Code) -> bool {
    let failures = [
        Code::Unknown,
        Code::Internal,
        Code::DataLoss,
        Code::Unavailable,
        Code::DeadlineExceeded,
    ];
    failures.contains(&code)
}

/// Counts a call that a limit turned away.
pub(crate) fn refused(reason: &'static str) {
    counter!("entente_calls_refused_total", "reason" => reason).increment(1);
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    count_panic();
    let location = panic.location().map(tracing::field::display);
    tracing::error!(panic = panic_message(panic.payload()), location, "panicked");
}
