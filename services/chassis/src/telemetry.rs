//! What the process tells of itself: its log on standard error, what it counts, and traces of calls.
//!
//! # Layout
//!
//! * [`init`], [`init_recording`]: the log, and with it the traces.
//! * [`Meter`] (`meter.rs`): what is counted. `port.rs`: where Prometheus asks for it. `process.rs`: what the system
//!   says of the process.
//! * [`Recording`] (`recording.rs`): traces. `collector.rs`: where they go.

mod collector;
mod meter;
mod port;
mod process;
pub(crate) mod recording;

use std::io::{self, IsTerminal};
use std::panic::{self, PanicHookInfo};

use metrics::counter;
use tracing::Subscriber;
use tracing_subscriber::fmt::Layer as Lines;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::Error;
use crate::call::panic_message;

pub use self::meter::{Meter, before_scrape};
pub use self::recording::{Otlp, Recording, TRACED};

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
/// a line at its end; at `warn` only those that end in a defect do.
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
    EnvFilter::try_new(filter).map_err(|source| Error::Filter {
        filter: filter.to_owned(),
        source,
    })
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

/// Counts a call that a limit turned away.
pub(crate) fn refused(reason: &'static str) {
    counter!("entente_calls_refused_total", "reason" => reason).increment(1);
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(tracing::field::display);
    tracing::error!(panic = panic_message(panic.payload()), location, "panicked");
}
