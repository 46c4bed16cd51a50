//! What a serving process tells of itself while it serves: log, metrics, traces.

use std::io::Write;
use std::net::SocketAddr;

use anyhow::Context;
use chassis::Shutdown;
use chassis::telemetry::{self, Meter, Otlp, Recording};
use tokio::net::TcpListener;

use crate::args::serve::{ListenerArgs, LogFormat};

/// What is told; to be ended when the process has served.
pub(crate) struct Telemetry {
    metrics: Option<SocketAddr>,
    recording: Option<Recording>,
    shutdown: Shutdown,
}

impl Telemetry {
    /// Starts the log, and counts and records what is asked for. `service` is what the process is called in traces.
    pub(crate) async fn start(
        filter: &str,
        args: &ListenerArgs,
        service: String,
    ) -> anyhow::Result<Telemetry> {
        let format = match args.log_format {
            LogFormat::Text => telemetry::LogFormat::Text,
            LogFormat::Json => telemetry::LogFormat::Json,
        };
        let shutdown = Shutdown::new();
        // First, since whatever is counted takes its counters when it is made: so does what sends traces.
        let metrics = match args.telemetry.metrics {
            None => None,
            Some(address) => Some(count(address, &shutdown).await?),
        };
        let recording = match &args.telemetry.otlp {
            None => {
                telemetry::init(format, filter)?;
                None
            }
            Some(url) => {
                let otlp = Otlp {
                    url: url.to_string(),
                    ratio: args.telemetry.trace_ratio,
                    service,
                };
                Some(telemetry::init_recording(format, filter, &otlp)?)
            }
        };
        Ok(Telemetry {
            metrics,
            recording,
            shutdown,
        })
    }

    /// Says where metrics are.
    pub(crate) fn announce(&self) -> anyhow::Result<()> {
        if let Some(address) = self.metrics {
            let mut out = std::io::stdout().lock();
            writeln!(out, "Metrics on http://{address}/metrics")?;
            out.flush()?;
        }
        Ok(())
    }

    /// Sends what is left to be told.
    pub(crate) async fn end(self) {
        self.shutdown.trigger();
        if let Some(recording) = self.recording {
            recording.end().await;
        }
    }
}

/// Counts from here on, and answers Prometheus at an address until the shutdown.
async fn count(address: SocketAddr, shutdown: &Shutdown) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("metrics cannot be served on {address}: name a free address"))?;
    let address = listener.local_addr()?;
    tokio::spawn(Meter::start()?.serve(listener, shutdown.clone()));
    Ok(address)
}
