//! Options for what a serving process tells of itself.

use std::net::SocketAddr;

use clap::Args;

/// What a serving process counts and records.
#[derive(Debug, Args)]
#[command(next_help_heading = "Metrics and traces")]
pub(crate) struct TelemetryArgs {
    /// Address that Prometheus asks for metrics, at /metrics; nothing is counted without it
    #[arg(long, env = "ENTENTE_METRICS", value_name = "ADDR")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Collector that traces are sent to by OTLP over gRPC, as http://HOST:PORT; nothing is recorded without it
    #[arg(long, env = "ENTENTE_OTLP", value_name = "URL")]
    pub(crate) otlp: Option<String>,
    /// Share of the calls that are recorded, from 0 to 1; a caller who sends a traceparent decides for itself
    #[arg(
        long,
        env = "ENTENTE_TRACE_RATIO",
        default_value_t = 0.01,
        value_name = "SHARE",
        value_parser = parse_share
    )]
    pub(crate) trace_ratio: f64,
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok();
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "not a number from 0 to 1".to_owned())
}
