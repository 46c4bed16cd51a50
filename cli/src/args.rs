//! Every command and option: the commands here, each command's options in a module of its name.

pub(crate) mod agreements;
pub(crate) mod amount;
pub(crate) mod answer;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod backup;
pub(crate) mod briefing;
pub(crate) mod bulk;
pub(crate) mod certs;
pub(crate) mod commodities;
pub(crate) mod culture;
pub(crate) mod datasets;
pub(crate) mod events;
pub(crate) mod generate;
pub(crate) mod healthcheck;
pub(crate) mod import;
pub(crate) mod load;
pub(crate) mod measures;
pub(crate) mod mirror;
pub(crate) mod programmes;
pub(crate) mod rank;
pub(crate) mod records;
pub(crate) mod relationship;
pub(crate) mod sectors;
pub(crate) mod series;
pub(crate) mod serve;
pub(crate) mod setup;
pub(crate) mod statements;
pub(crate) mod status;
pub(crate) mod telemetry;
pub(crate) mod texts;
pub(crate) mod tls;
pub(crate) mod token;
pub(crate) mod trade;
pub(crate) mod url;
pub(crate) mod verify;
pub(crate) mod vintages;
pub(crate) mod visa;
pub(crate) mod web;

use clap::{Parser, Subcommand};

use agreements::AgreementsCommand;
use audit::AuditArgs;
use backup::{BackupArgs, RestoreArgs};
use briefing::BriefingArgs;
use certs::CertsArgs;
use culture::CultureCommand;
use events::EventsCommand;
use generate::GenerateArgs;
use healthcheck::HealthcheckArgs;
use import::ImportCommand;
use load::LoadArgs;
use measures::MeasuresCommand;
use programmes::ProgrammesCommand;
use relationship::{ChangesArgs, TimelineArgs, WatchArgs};
use serve::{DemoArgs, ServeArgs};
use setup::SetupArgs;
use status::StatusArgs;
use token::TokenCommand;
use trade::TradeCommand;
use verify::VerifyArgs;
use visa::VisaCommand;

/// The relationship between two countries as data: trade figures by side and source, events and agreements, exchange
/// of people.
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
    /// Run services
    ///
    /// Example: `entente serve trade --data /var/lib/entente --listen 127.0.0.1:50051`
    Serve(ServeArgs),
    /// Show what a desk officer must know of two countries: trade by side, meetings, events and agreements, exchange,
    /// visas, what changed; each point with its sources
    ///
    /// It asks a gateway, which asks the three services at once; one that does not answer is named, and the rest is
    /// shown. Example: `entente briefing CHN KAZ --period 2024-01..2024-05 --on 2024-07-01`
    Briefing(Box<BriefingArgs>),
    /// Bring published figures in
    #[command(subcommand)]
    Import(ImportCommand),
    /// Ask the trade service
    #[command(subcommand)]
    Trade(TradeCommand),
    /// Ask the events service about events: visits, summits, calls, and what became of them
    #[command(subcommand)]
    Events(EventsCommand),
    /// Ask the events service about agreements and the steps of their lives
    #[command(subcommand)]
    Agreements(AgreementsCommand),
    /// Ask the culture service what became of all that it keeps
    #[command(subcommand)]
    Culture(CultureCommand),
    /// Ask the culture service about programmes of exchange
    #[command(subcommand)]
    Programmes(ProgrammesCommand),
    /// Ask the culture service about figures of exchange: students, visits, funds
    #[command(subcommand)]
    Measures(MeasuresCommand),
    /// Ask the culture service who needs a visa for where
    #[command(subcommand)]
    Visa(VisaCommand),
    /// Show what happened between two countries, over all services by date
    ///
    /// Events, steps of agreements, milestones of programmes, visa rules, figures of trade as they were published and
    /// revised, and what was said of it. Asks a gateway.
    ///
    /// Example: `entente timeline CHN KAZ --from 2023 --to 2024-07 --kind event --kind agreement-step`
    Timeline(TimelineArgs),
    /// Show what was recorded, changed and deleted of two countries, over all services
    ///
    /// Ends with a cursor: `--cursor CURSOR` shows what came since, and `entente watch` goes on from it. Asks a gateway.
    ///
    /// Example: `entente changes CHN KAZ --since 2024-06-01`
    Changes(ChangesArgs),
    /// Print what is recorded of two countries as it is recorded, over all services, a line each, until Ctrl-C
    ///
    /// A connection that breaks is opened again from the last message. Ends with the cursor from which it goes on.
    /// Asks a gateway.
    ///
    /// Example: `entente watch CHN KAZ --cursor CURSOR`
    Watch(WatchArgs),
    /// Show how all of it is: versions, since when, where the journals stand, sizes, room on the disks, replicas
    ///
    /// Asks a gateway and through it the services, or one service. Ends with exit code 1 when something is not well.
    ///
    /// Example: `entente status --watch 5`
    Status(StatusArgs),
    /// Copy the services' journals into a folder while they serve, or what is new of them
    ///
    /// A journal holds all that its service was ever told. A copy is checked as it comes: no entry may be missing, and
    /// each must have the hash that goes over it and all entries before. A run that is interrupted is gone on with by the
    /// next. docs/operations.md says more.
    ///
    /// Example: `entente backup /var/backups/entente --rate 20MiB/s`
    Backup(BackupArgs),
    /// Make the services' data folders from a backup
    ///
    /// All hashes are checked before anything is written. The folders appear under their names when all are complete;
    /// services that are then started on them make the rest from their journals.
    ///
    /// Example: `entente restore /var/backups/entente --data /var/lib/entente`
    Restore(RestoreArgs),
    /// Check that what is kept is what was recorded: of running services, or of a backup
    ///
    /// A running service reads its journal, makes a view of it beside the one that it answers from, and holds the two
    /// against each other; it goes on serving meanwhile. A backup is read here. Faults are named by file, byte and entry;
    /// the exit code is then 1.
    ///
    /// Example: `entente verify --effort 50`; `entente verify /var/backups/entente`
    Verify(VerifyArgs),
    /// Make, list and take back the tokens that a service believes when it is started with --tokens
    ///
    /// Example: `entente token create desk-7 --role editor --days 90 --tokens tokens.json > desk-7.token`
    #[command(subcommand)]
    Token(TokenCommand),
    /// Show who wrote what into a service's journal, the oldest first
    ///
    /// Example: `entente audit events --caller desk-7 --record events/xi-astana-2024-07`
    Audit(AuditArgs),
    /// Make a development authority, and certificates of it for TLS between gateway, services and clients
    ///
    /// Makes an authority (ca.pem, ca.key), certificates with their keys for gateway, trade, events and culture,
    /// gateway-client, with which the gateway proves its name to services, and probe, with which their health is asked
    /// for. An authority that is there is used again.
    /// Nothing is overwritten unasked, and either all files are written or none. docs/operations.md says more.
    ///
    /// Example: `entente certs --dir certs --name desk.example.org`
    Certs(CertsArgs),
    /// Make what a system of several processes needs to trust each other, once: certificates, and a first token
    ///
    /// Each process gets a folder with what it needs and no more: trade, events, culture, gateway; the authority's key
    /// stays in `authority`. The token of the first administrator goes into `access`, beside the certificate by which
    /// the gateway is believed. Running it again changes nothing.
    ///
    /// Example: `entente setup --dir /etc/entente --name desk.example.org`
    Setup(SetupArgs),
    /// Ask a process whether it serves; the exit code is 0 when it does and 1 when not
    ///
    /// Needs no token. A process that lets in only known clients wants `--client-cert` and `--client-key`.
    ///
    /// Example: `entente healthcheck --server https://127.0.0.1:50051 --ca certs/ca.pem`
    Healthcheck(HealthcheckArgs),
    /// Make calls at a rate, whatever the answers, and tell latencies, errors and what broke
    ///
    /// Calls begin when they are due, and latency counts from then, so a server that stalls shows. The exit code is 4 when
    /// a threshold broke. docs/load-testing.md says more.
    ///
    /// Example: `entente load read-only --html report.html`
    Load(Box<LoadArgs>),
    /// Make data of any size that look like the real ones: the same seed, the same bytes, on every machine
    ///
    /// Figures of 48 countries as both sides count them, by month and year, chapter and code, with a gap between the
    /// sides; directly into a server also their revisions, events, agreements and programmes. Nothing of it happened.
    ///
    /// Example: `entente generate --rows 1000000 --format direct`
    Generate(GenerateArgs),
    /// Print a completion script: `entente completions bash > /etc/bash_completion.d/entente`
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }
}
