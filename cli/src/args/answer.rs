//! Options that many questions share: who answers, as of when, about which time, and in which form.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use proto::trade::v1::PeriodBasis;
use proto::{Frequency, Period};
use tonic::service::Routes;

use super::tls::ClientTlsArgs;
use super::url::Url;

/// Where a service is, and whether it is believed.
#[derive(Clone, Debug, Args)]
pub(crate) struct Address {
    /// Address of the service; with https, `--ca` says whose certificates are believed
    #[arg(
        long = "server",
        env = "ENTENTE_SERVER",
        default_value_t,
        value_name = "URL"
    )]
    pub(crate) url: Url,
    /// File with the token to log in with; without one, the token in `ENTENTE_TOKEN`, if there is any
    #[arg(long, env = "ENTENTE_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tls: ClientTlsArgs,
    /// Services of this process, which are asked instead of those at the address.
    #[arg(skip)]
    pub(crate) direct: Option<Routes>,
}

impl Address {
    /// Services of this process, asked without a socket.
    pub(crate) fn inside(services: Routes) -> Address {
        Address {
            url: Url::default(),
            token_file: None,
            tls: ClientTlsArgs::default(),
            direct: Some(services),
        }
    }
}

/// Which service answers.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServerArgs {
    #[command(flatten)]
    pub(crate) server: Address,
    /// How long a question may take, in seconds; an import takes as long as it needs
    #[arg(
        long,
        env = "ENTENTE_TIMEOUT",
        default_value_t = 30,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    pub(crate) timeout: u64,
}

impl ServerArgs {
    /// How long a question may take.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

/// How to answer.
#[derive(Debug, Args)]
pub(crate) struct AnswerArgs {
    /// How the answer is written
    #[arg(long, short, default_value = "table", value_name = "FORMAT")]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For reading
    Table,
    /// The service's message as canonical protobuf JSON
    Json,
    /// One row a figure; text cells are safe to open in a spreadsheet
    Csv,
}

/// As of when a question is answered.
#[derive(Debug, Args)]
pub(crate) struct AsOfArgs {
    /// Answer as it was known then: an instant (`2024-07-01T12:00:00Z`), or a day (its end, UTC)
    #[arg(long, value_name = "TIME", value_parser = parse_as_of)]
    pub(crate) as_of: Option<AsOf>,
}

impl AsOfArgs {
    /// As the wire has it; unset is now.
    pub(crate) fn to_wire(&self) -> Option<prost_types::Timestamp> {
        self.as_of.map(AsOf::to_wire)
    }
}

/// An instant in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AsOf(i64);

impl AsOf {
    /// One that the wire has room for.
    fn bounded(micros: i64) -> Result<AsOf, &'static str> {
        let instant = proto::parse_timestamp(&proto::to_timestamp(micros));
        instant.map(AsOf).map_err(|_| NO_TIME)
    }

    /// In microseconds since 1970.
    pub(crate) fn micros(self) -> i64 {
        self.0
    }

    /// As the wire has it.
    pub(crate) fn to_wire(self) -> prost_types::Timestamp {
        proto::to_timestamp(self.0)
    }
}

/// Microseconds of a day; UTC has no other.
const DAY: i64 = 86_400_000_000;

const NO_TIME: &str =
    "neither a day (2024-07-01) nor an instant (2024-07-01T12:00:00Z) of the years 1 to 9999";

/// An instant, or the end of a day.
pub(super) fn parse_as_of(text: &str) -> Result<AsOf, &'static str> {
    parse_instant_after(text).or_else(|_| AsOf::bounded(start_of(text)? + DAY - 1))
}

/// An instant, or the start of a day.
pub(super) fn parse_since(text: &str) -> Result<AsOf, &'static str> {
    parse_instant_after(text).or_else(|_| AsOf::bounded(start_of(text)?))
}

/// An instant, and no day.
pub(super) fn parse_instant_after(text: &str) -> Result<AsOf, &'static str> {
    let instant: Timestamp = text.parse().map_err(|_| NO_TIME)?;
    AsOf::bounded(instant.as_microsecond())
}

/// When a day starts, in microseconds since 1970; also the last day of all, which has instants that jiff has not.
fn start_of(text: &str) -> Result<i64, &'static str> {
    let day: Date = text.parse().map_err(|_| NO_TIME)?;
    Ok(i64::from((day - jiff::civil::date(1970, 1, 1)).get_days()) * DAY)
}

/// What a figure of a period is.
#[derive(Debug, Args)]
pub(crate) struct BasisArgs {
    /// Add up the published months, instead of the figure that was published for the time as a whole
    #[arg(long)]
    sum_of_months: bool,
}

impl BasisArgs {
    /// As the wire has it.
    pub(crate) fn to_wire(&self) -> PeriodBasis {
        if self.sum_of_months {
            PeriodBasis::SumOfMonths
        } else {
            PeriodBasis::Published
        }
    }
}

/// Whether the answer is drawn into a file.
#[derive(Debug, Args)]
pub(crate) struct ChartArgs {
    /// Draw the figures into this SVG file as well; `-` is standard output, in place of the answer
    ///
    /// A file that is there is overwritten.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

/// Which periods.
#[derive(Debug, Args)]
pub(crate) struct WindowArgs {
    /// First period: 2012 or 2012-01
    #[arg(long, value_name = "PERIOD")]
    pub(crate) from: Option<Period>,
    /// Last period, included: 2022 or 2022-12
    #[arg(long, value_name = "PERIOD")]
    pub(crate) to: Option<Period>,
}

pub(crate) fn parse_frequency(text: &str) -> Result<Frequency, String> {
    match text {
        "year" => Ok(Frequency::Year),
        "month" => Ok(Frequency::Month),
        "cumulated" => Ok(Frequency::Cumulated),
        _ => {
            Err("one of: year, month, cumulated (ranges of months published as one figure)".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_means_its_end() {
        let AsOf(day) = parse_as_of("2024-07-01").unwrap();
        let AsOf(instant) = parse_as_of("2024-07-01T23:59:59.999999Z").unwrap();
        assert_eq!(day, instant);
        assert!(parse_as_of("yesterday").is_err());
    }

    #[test]
    fn every_day_of_the_calendar_has_an_end_and_what_lies_outside_is_told_in_own_words() {
        assert!(parse_as_of("0001-01-01").is_ok());
        let AsOf(last) = parse_as_of("9999-12-31").unwrap();
        assert_eq!(last % DAY, DAY - 1);
        for outside in [
            "10000-01-01",
            "0000-12-31",
            "-000001-01-01",
            "9999-12-31T23:00:00Z",
        ] {
            assert_eq!(parse_as_of(outside), Err(NO_TIME), "{outside}");
        }
    }

    #[test]
    fn since_a_day_means_from_its_start() {
        let AsOf(day) = parse_since("2024-07-01").unwrap();
        let AsOf(instant) = parse_since("2024-07-01T00:00:00Z").unwrap();
        assert_eq!(day, instant);
    }
}
