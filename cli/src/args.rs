//! Every command and option.

mod bulk;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use proto::{Classification, Code, CodePattern, Country, Flow, Frequency, Period, Slug};

pub(crate) use self::bulk::{
    CreateDatasetArgs, ExportArgs, ExportFormat, ImportArgs, SdmxArgs, ValuationArg,
};

/// The relationship between two countries as data: trade figures by side and source.
///
/// An option that names an environment variable takes its value from there when it is not given, and its
/// default when that is not set either.
#[derive(Debug, Parser)]
#[command(
    name = "entente",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the platform with its demonstration figures, show them, and go on serving until Ctrl-C
    Demo(DemoArgs),
    /// Run a service
    #[command(subcommand)]
    Serve(ServeCommand),
    /// Bring published figures in
    #[command(subcommand)]
    Import(ImportCommand),
    /// Ask the trade service
    #[command(subcommand)]
    Trade(TradeCommand),
    /// Print a completion script: `entente completions bash > /etc/bash_completion.d/entente`
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

/// Which service.
#[derive(Debug, Subcommand)]
pub(crate) enum ServeCommand {
    /// The trade service: datasets, figures, series
    Trade(ServeArgs),
}

/// Options of a serving process.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Folder of the data; the service keeps its own in a folder of its name inside
    #[arg(long, env = "ENTENTE_DATA", default_value = "data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) listener: ListenerArgs,
    /// What to log: a level (error, warn, info, debug), or levels by crate (`info,store=debug`)
    #[arg(
        long,
        env = "ENTENTE_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    pub(crate) log: String,
    #[command(flatten)]
    pub(crate) storage: StorageArgs,
}

/// Options of the demonstration.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Folder of the data; a second run finds its figures there again
    #[arg(
        long,
        env = "ENTENTE_DEMO_DATA",
        default_value = "data/demo",
        value_name = "DIR"
    )]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) listener: ListenerArgs,
    /// What to log: a level (error, warn, info, debug), or levels by crate
    #[arg(
        long,
        env = "ENTENTE_LOG",
        default_value = "warn",
        value_name = "FILTER"
    )]
    pub(crate) log: String,
    #[command(flatten)]
    pub(crate) storage: StorageArgs,
}

/// Where to listen, and how the log looks.
#[derive(Debug, Args)]
pub(crate) struct ListenerArgs {
    /// Address to serve on; port 0 takes any free one
    #[arg(
        long,
        env = "ENTENTE_LISTEN",
        default_value = "127.0.0.1:50051",
        value_name = "ADDR"
    )]
    pub(crate) listen: SocketAddr,
    /// Serve an address that other machines can reach although there is neither TLS nor login
    #[arg(long, env = "ENTENTE_INSECURE")]
    pub(crate) insecure: bool,
    /// How long calls in flight may take to end after Ctrl-C or SIGTERM, in seconds
    #[arg(
        long,
        env = "ENTENTE_DRAIN",
        default_value_t = 25,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(0..=3_600)
    )]
    pub(crate) drain: u64,
    /// Connections at a time; the next one waits
    #[arg(
        long,
        env = "ENTENTE_MAX_CONNECTIONS",
        default_value_t = 1_024,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(crate) max_connections: u32,
    /// Calls at a time, streams included; the next one is refused as overload
    #[arg(
        long,
        env = "ENTENTE_MAX_CALLS",
        default_value_t = 4_096,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(crate) max_calls: u32,
    /// The deadline of a question that brings none, in seconds
    #[arg(
        long,
        env = "ENTENTE_DEFAULT_DEADLINE",
        default_value_t = 60,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=600)
    )]
    pub(crate) default_deadline: u64,
    /// How a line of the log looks
    #[arg(
        long,
        env = "ENTENTE_LOG_FORMAT",
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub(crate) log_format: LogFormat,
}

/// How data are kept.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_field_names,
    reason = "the unit is part of each option's name"
)]
pub(crate) struct StorageArgs {
    /// Memory for the view's cache in MiB; the process may hold twice as much
    #[arg(
        long,
        env = "ENTENTE_CACHE_MIB",
        default_value_t = 256,
        value_name = "MIB",
        value_parser = clap::value_parser!(u64).range(8..=1_048_576)
    )]
    pub(crate) cache_mib: u64,
    /// Free disk space in MiB below which writes are refused
    #[arg(
        long,
        env = "ENTENTE_RESERVE_MIB",
        default_value_t = 256,
        value_name = "MIB",
        value_parser = clap::value_parser!(u64).range(0..=1_048_576)
    )]
    pub(crate) reserve_mib: u64,
    /// Size in MiB of a file that is given up when the disk is full, so that a restart still opens
    #[arg(
        long,
        env = "ENTENTE_BALLAST_MIB",
        default_value_t = 64,
        value_name = "MIB",
        value_parser = clap::value_parser!(u64).range(0..=1_048_576)
    )]
    pub(crate) ballast_mib: u64,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// For programs: one JSON object a line
    Json,
}

/// Which service answers.
#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// Address of the service
    #[arg(
        long,
        env = "ENTENTE_SERVER",
        default_value = "http://127.0.0.1:50051",
        value_name = "URL"
    )]
    pub(crate) server: String,
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

/// Where the figures come from.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Files of UN Comtrade: JSON or CSV from the API, bulk "final" CSV, CSV of the old site; plain or .gz
    ///
    /// Rows go in by batches, each whole or not at all. Importing a file again changes nothing (unless the
    /// file contradicts itself, which --all-or-nothing finds); a changed value becomes a revision and the
    /// old one is kept. Breakdowns (by customs procedure, mode of
    /// transport, second partner) are counted and left out, so they never end up in totals. A rejected
    /// row is told with line, column and reason, and the exit code is 3; the other rows go in.
    Comtrade(ComtradeArgs),
    /// Files of SDMX-CSV, 2.0 or 1.0: what `entente trade export --format sdmx` wrote, or another system; plain
    /// or .gz
    ///
    /// Each row states a whole figure. Rows without a value are counted and left out. A row whose unit is another
    /// currency than the dataset's, or whose action is a deletion, is rejected. What is expected of a file, and
    /// what each column means, stands in docs/sdmx.md.
    Sdmx(SdmxArgs),
}

/// Options of an import from UN Comtrade.
#[derive(Debug, Args)]
pub(crate) struct ComtradeArgs {
    /// Dataset that takes the figures; it is created as UN Comtrade's when it does not exist
    #[arg(long, default_value = "comtrade", value_name = "ID", value_parser = Slug::parse)]
    pub(crate) dataset: Slug,
    #[command(flatten)]
    pub(crate) import: ImportArgs,
}

/// Which question.
#[derive(Debug, Subcommand)]
pub(crate) enum TradeCommand {
    /// List the datasets, or create one
    Datasets(DatasetsArgs),
    /// Show the series of a reporter with a partner, with growth like for like
    ///
    /// Example: `entente trade series CHN KOR --flow X --from 2012 --to 2022`
    Series(SeriesArgs),
    /// List figures by filter
    ///
    /// Example: `entente trade list --reporter THA --flow M --code '0306*' --output csv`
    List(ListArgs),
    /// Show one figure by its name, with its source and vintage
    ///
    /// Example: `entente trade get datasets/comtrade/observations/CHN.KOR.X.H4.TOTAL.2012`
    Get(GetArgs),
    /// Write all figures that a filter lets through to a file: CSV, JSON lines, SDMX-CSV 2.0 or Parquet
    ///
    /// Example: `entente trade export --dataset comtrade --reporter CHN --format parquet --out china.parquet`
    Export(ExportArgs),
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

/// An instant in microseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AsOf(pub(crate) i64);

fn parse_as_of(text: &str) -> Result<AsOf, String> {
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Ok(AsOf(instant.as_microsecond()));
    }
    let day: jiff::civil::Date = text
        .parse()
        .map_err(|_| "neither an instant (2024-07-01T12:00:00Z) nor a day (2024-07-01)")?;
    let end = day
        .tomorrow()
        .and_then(|next| next.to_zoned(jiff::tz::TimeZone::UTC))
        .map_err(|error| error.to_string())?;
    Ok(AsOf(end.timestamp().as_microsecond() - 1))
}

/// Options of `entente trade datasets`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DatasetsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<DatasetsCommand>,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// What to do with datasets instead of listing them.
#[derive(Debug, Subcommand)]
pub(crate) enum DatasetsCommand {
    /// Create a dataset: one publisher's figures in one currency
    Create(Box<CreateDatasetArgs>),
}

/// Options of `entente trade series`.
#[derive(Debug, Args)]
pub(crate) struct SeriesArgs {
    /// Whose statistics: ISO 3166-1 alpha-3, such as CHN
    pub(crate) reporter: Country,
    /// With whom: alpha-3, or WLD for all partners together
    pub(crate) partner: Country,
    /// Dataset that is asked; figures of different datasets are never merged
    #[arg(long, default_value = "comtrade", value_name = "ID", value_parser = Slug::parse)]
    pub(crate) dataset: Slug,
    /// M imports, X exports, T total trade as published, RM, RX, DX, FM, MIP, MOP, XIP, XOP
    #[arg(long, default_value = "X")]
    pub(crate) flow: Flow,
    /// TOTAL, or a code of 2 to 6 digits
    #[arg(long, default_value = "TOTAL")]
    pub(crate) code: Code,
    /// Only figures published under this classification: H0 to H6, S1 to S4, B4, B5, NA
    #[arg(long, value_name = "CODE")]
    pub(crate) classification: Option<Classification>,
    /// How long each period is
    #[arg(long, default_value = "year", value_name = "LENGTH", value_parser = parse_frequency)]
    pub(crate) frequency: Frequency,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
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

fn parse_frequency(text: &str) -> Result<Frequency, String> {
    match text {
        "year" => Ok(Frequency::Year),
        "month" => Ok(Frequency::Month),
        "cumulated" => Ok(Frequency::Cumulated),
        _ => {
            Err("one of: year, month, cumulated (ranges of months published as one figure)".into())
        }
    }
}

/// Options of `entente trade list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Dataset whose figures are listed
    #[arg(long, default_value = "comtrade", value_name = "ID", value_parser = Slug::parse)]
    pub(crate) dataset: Slug,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Show at most this many figures
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// Which figures; all that is given must hold.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    /// Whose statistics
    #[arg(long, value_name = "COUNTRY")]
    pub(crate) reporter: Option<Country>,
    /// With whom
    #[arg(long, value_name = "COUNTRY")]
    pub(crate) partner: Option<Country>,
    /// M, X, T, RM, RX, …
    #[arg(long)]
    pub(crate) flow: Option<Flow>,
    /// TOTAL, a code, or its first digits and `*`: 87, 870380, '8703*'
    #[arg(long, value_name = "PATTERN")]
    pub(crate) code: Option<CodePattern>,
    /// H0 to H6, S1 to S4, B4, B5, NA
    #[arg(long, value_name = "CODE")]
    pub(crate) classification: Option<Classification>,
    /// How long each period is: year, month, cumulated
    #[arg(long, value_name = "LENGTH", value_parser = parse_frequency)]
    pub(crate) frequency: Option<Frequency>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
}

/// Options of `entente trade get`.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// `datasets/{dataset}/observations/{reporter}.{partner}.{flow}.{classification}.{code}.{period}`
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_day_means_its_end() {
        let AsOf(day) = parse_as_of("2024-07-01").unwrap();
        let AsOf(instant) = parse_as_of("2024-07-01T23:59:59.999999Z").unwrap();
        assert_eq!(day, instant);
        assert!(parse_as_of("yesterday").is_err());
    }
}
