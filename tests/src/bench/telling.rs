//! What servers tell of themselves while they are measured.

use std::net::Ipv4Addr;

use anyhow::Result;
use chassis::Shutdown;
use chassis::telemetry::{self, LogFormat, Meter, Otlp};
use clap::Args;
use tokio::net::TcpListener;

/// Log, metrics and traces of a server.
#[derive(Args, Clone, Debug)]
pub(super) struct Telling {
    /// Level of the servers' logs; at `info` each call writes a line to standard error.
    #[arg(long, default_value = "warn")]
    log: String,
    /// Have the servers count, as `--metrics` does.
    #[arg(long)]
    metrics: bool,
    /// Have the servers record calls, for a collector at this URL.
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,
    /// Share of the calls that are recorded.
    #[arg(long, default_value_t = 0.01)]
    trace_ratio: f64,
}

impl Telling {
    /// It, as arguments of a server.
    pub(super) fn args(&self) -> Vec<String> {
        let mut args = vec![format!("--log={}", self.log)];
        args.extend(self.metrics.then(|| "--metrics".to_owned()));
        if let Some(otlp) = &self.otlp {
            args.push(format!("--otlp={otlp}"));
            args.push(format!("--trace-ratio={}", self.trace_ratio));
        }
        args
    }

    /// Starts to tell, for as long as the process runs.
    pub(super) async fn start(&self) -> Result<()> {
        if self.metrics {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            tokio::spawn(Meter::start()?.serve(listener, Shutdown::new()));
        }
        match &self.otlp {
            None => telemetry::init(LogFormat::Text, &self.log)?,
            Some(url) => {
                let otlp = Otlp {
                    url: url.clone(),
                    ratio: self.trace_ratio,
                    service: "bench".to_owned(),
                };
                let recording = telemetry::init_recording(LogFormat::Text, &self.log, &otlp)?;
                // What is recorded last is nobody's concern.
                std::mem::forget(recording);
            }
        }
        Ok(())
    }
}
