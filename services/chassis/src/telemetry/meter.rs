//! What the process counts, and its text for Prometheus.
//!
//! What happens is counted where it happens, by handles of the facade `metrics` that cost nothing until a [`Meter`]
//! was started. What *is*, such as a length or a size, is looked at when somebody asks: [`before_scrape`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::MetricKindMask;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::{OVERLOADED, RATE_LIMITED, WATCHERS, port, process};
use crate::{Error, Shutdown, failed_logins, panics};

/// Upper ends of what is counted by its duration, in seconds: from a record that is in memory to a call's longest
/// deadline.
const SECONDS: [f64; 19] = [
    0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1,
    0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0,
];
/// Upper ends of what is counted by its number.
const WRITES: [f64; 11] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0,
];
/// How long a gauge that nobody sets any more is still told, such as that of a replica that is gone.
const GONE: Duration = Duration::from_secs(60);
/// How often durations are put into their classes, so that they do not pile up where nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);

type Report = Box<dyn Fn() -> bool + Send>;

/// Whether anything is counted.
static COUNTS: AtomicBool = AtomicBool::new(false);
/// What is done before the text is made.
static REPORTS: Mutex<Vec<Report>> = Mutex::new(Vec::new());

/// Has `report` called before each scrape, for as long as `of` lives: to set gauges to what is so.
pub fn before_scrape<T: Send + Sync + 'static>(of: &Arc<T>, report: fn(&T)) {
    if !COUNTS.load(Ordering::Relaxed) {
        return;
    }
    let of: Weak<T> = Arc::downgrade(of);
    let report = move || {
        of.upgrade().is_some_and(|of| {
            report(&of);
            true
        })
    };
    let mut reports = REPORTS.lock().unwrap_or_else(PoisonError::into_inner);
    reports.push(Box::new(report));
}

/// Counts what the process does; a cheap handle.
#[derive(Clone)]
pub struct Meter {
    handle: PrometheusHandle,
    /// One text at a time.
    turn: Arc<Semaphore>,
}

impl Meter {
    /// Starts to count, once a process: before whatever is to be counted is made.
    pub fn start() -> Result<Meter, Error> {
        let recorder = builder().map_err(|error| Error::Meter(error.into()))?;
        let recorder = recorder.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|error| Error::Meter(error.into()))?;
        COUNTS.store(true, Ordering::Relaxed);
        process::start();
        describe();
        begin();
        Ok(Meter::of(handle))
    }

    /// One of which the process knows nothing.
    #[cfg(test)]
    pub(super) fn apart() -> Meter {
        Meter::of(builder().unwrap().build_recorder().handle())
    }

    fn of(handle: PrometheusHandle) -> Meter {
        let turn = Arc::new(Semaphore::new(1));
        Meter { handle, turn }
    }

    /// Answers Prometheus on a listener until the shutdown.
    pub async fn serve(self, listener: TcpListener, shutdown: Shutdown) {
        let handle = self.handle.clone();
        let tidying = async {
            let mut ticks = tokio::time::interval(UPKEEP);
            loop {
                ticks.tick().await;
                handle.run_upkeep();
            }
        };
        tokio::select! {
            () = shutdown.wait() => {}
            () = tidying => {}
            () = port::serve(listener, self) => {}
        }
    }

    /// All that is counted now, in the text format of Prometheus; none when a report panics.
    ///
    /// The reports look at the disk, on a thread that may wait for it: one thread, whoever asks and goes away, so that
    /// those of the calls are not spent on this.
    pub(super) async fn text(self) -> Option<String> {
        let turn = self.turn.clone().acquire_owned().await.ok()?;
        let rendering = spawn_blocking(move || {
            let text = self.render();
            drop(turn);
            text
        });
        rendering.await.ok()
    }

    fn render(&self) -> String {
        let mut reports = REPORTS.lock().unwrap_or_else(PoisonError::into_inner);
        reports.retain(|report| report());
        counter!("entente_login_failures_total").absolute(failed_logins());
        counter!("entente_panics_total").absolute(panics());
        gauge!("entente_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        let mut text = self.handle.render();
        process::write(&mut text);
        text
    }
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter").finish_non_exhaustive()
    }
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    let writes = Matcher::Full("entente_journal_group_writes".into());
    Ok(PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
        .set_buckets_for_metric(writes, &WRITES)?
        .idle_timeout(MetricKindMask::GAUGE, Some(GONE)))
}

/// Shows what has its labels from here at 0: a counter that appears with its first event hides that from whoever asks
/// how much it grew.
fn begin() {
    for reason in [OVERLOADED, WATCHERS, RATE_LIMITED] {
        counter!("entente_calls_refused_total", "reason" => reason).increment(0);
    }
}

/// What this crate counts.
fn describe() {
    describe_counter!("entente_calls_total", "Calls that have ended, by code.");
    describe_histogram!(
        "entente_call_seconds",
        "How long unary calls took, from their head to the end of the answer."
    );
    describe_gauge!("entente_calls_running", "Calls that run, streams included.");
    describe_counter!(
        "entente_calls_refused_total",
        "Calls that were turned away by a limit of the process or of their caller."
    );
    describe_gauge!("entente_calls_limit", "Calls that may run.");
    describe_gauge!("entente_connections_open", "Connections that are open.");
    describe_gauge!("entente_connections_limit", "Connections that may be open.");
    describe_counter!(
        "entente_connections_accepted_total",
        "Connections that were accepted."
    );
    describe_counter!("entente_login_failures_total", "Logins that failed.");
    describe_counter!("entente_panics_total", "Panics, wherever in the process.");
    describe_gauge!(
        "entente_certificate_end_timestamp_seconds",
        "When a certificate in use ends, in seconds since 1970."
    );
    describe_counter!(
        "entente_spans_total",
        "Spans of traces, by what became of them."
    );
    describe_gauge!("entente_build_info", "1, with the version as its label.");
}
