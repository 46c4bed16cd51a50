//! Options for what a serving process tells of itself.

use std::ffi::OsStr;
use std::net::SocketAddr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Args, Command};

use super::url::Url;

/// What a serving process counts and records.
#[derive(Debug, Args)]
#[command(next_help_heading = "Metrics and traces")]
pub(crate) struct TelemetryArgs {
    /// Address that Prometheus asks for metrics, at /metrics; nothing is counted without it
    #[arg(long, env = "ENTENTE_METRICS", value_name = "ADDR")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Collector that traces are sent to by OTLP over gRPC, as http://HOST:PORT; nothing is recorded without it
    #[arg(long, env = "ENTENTE_OTLP", value_name = "URL", value_parser = Collector)]
    pub(crate) otlp: Option<Url>,
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

/// Reads where a collector is. What is refused is not shown: it may have a password, and the log tells the address.
#[derive(Clone)]
struct Collector;

impl TypedValueParser for Collector {
    type Value = Url;

    fn parse_ref(
        &self,
        command: &Command,
        _: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Url, clap::Error> {
        let url = value.to_str().and_then(|text| text.parse().ok());
        url.ok_or_else(|| {
            let refused =
                "--otlp: name a collector as http://HOST:PORT, without user, password and path\n";
            clap::Error::raw(ErrorKind::ValueValidation, refused).with_cmd(command)
        })
    }
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok();
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "not a number from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Process {
        #[command(flatten)]
        telemetry: TelemetryArgs,
    }

    #[test]
    fn a_collector_with_a_password_is_refused_and_the_password_not_shown() {
        let parse = |url| Process::try_parse_from(["serve", "--otlp", url]);
        let plain = parse("http://collector:4317").ok().unwrap();
        let url = plain.telemetry.otlp.unwrap().to_string();
        assert_eq!(url, "http://collector:4317");
        for url in [
            "http://desk:SECRET@collector:4317",
            "http://SECRET@collector",
            "http://collector:4317/SECRET",
        ] {
            let refused = parse(url).err().unwrap().to_string();
            assert!(refused.contains("without user"), "{refused}");
            assert!(!refused.contains("SECRET"), "{refused}");
        }
    }
}
