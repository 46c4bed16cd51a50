//! From arguments to an exit code.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser};

use crate::args::import::ImportCommand;
use crate::args::{Cli, Command};
use crate::import::Imported;
use crate::{
    audit, backup, briefing, certs, client, culture, demo, events, generate, healthcheck, import,
    load, relationship, restore, serve, setup, status,
};
use crate::{token, trade, verify};

/// Some rows of an import were rejected; the others are in.
const ROWS_REJECTED: u8 = 3;

/// How long work that nobody waits for may hold up the end of the process.
const LEFT_OVER: Duration = Duration::from_secs(2);

/// Runs the command that the process was started with.
///
/// The exit code is 0 when all went well, 1 for an error, 2 for a command that does not parse, 3 when
/// an import left out rejected rows, and 4 when a load test broke a threshold.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = chassis::runtime()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| {
            let outcome = runtime.block_on(dispatch(cli.command));
            // What is left are reads whose callers are gone; the store is closed.
            runtime.shutdown_timeout(LEFT_OVER);
            outcome
        });
    match outcome {
        Ok(code) => code,
        // Whoever read the output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when this fails too.
            drop(writeln!(io::stderr(), "error: {}", client::explain(&error)));
            ExitCode::FAILURE
        }
    }
}

/// Whether an output was closed by whoever read it. A connection that breaks says the same of itself.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_remote = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<tonic::Status>() || cause.is::<tonic::transport::Error>()
    };
    if error.chain().any(is_remote) {
        return false;
    }
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        // The CSV writer's error does not name the system's as its source.
        let csv = cause.downcast_ref::<csv::Error>().map(csv::Error::kind);
        // Neither does that of the JSON writer.
        let json = cause.downcast_ref::<serde_json::Error>();
        let kind = match (io, csv) {
            (Some(io), _) | (None, Some(csv::ErrorKind::Io(io))) => Some(io.kind()),
            (None, _) => json.and_then(serde_json::Error::io_error_kind),
        };
        kind == Some(io::ErrorKind::BrokenPipe)
    })
}

async fn run_import(command: ImportCommand) -> anyhow::Result<Imported> {
    match command {
        ImportCommand::Demo(args) => demo::import(&args).await,
        ImportCommand::Comtrade(args) => import::comtrade(&args).await,
        ImportCommand::Sdmx(args) => import::sdmx(&args).await,
        ImportCommand::Statements(args) => import::statements(&args).await,
        ImportCommand::Concordance(args) => import::concordance(&args).await,
        ImportCommand::Nomenclature(args) => import::nomenclature(&args).await,
    }
}

/// What an import came to, for scripts.
fn code(imported: Imported) -> ExitCode {
    match imported {
        Imported::Whole => ExitCode::SUCCESS,
        Imported::WithRejections => ExitCode::from(ROWS_REJECTED),
    }
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => serve::run(&args).await?,
        Command::Demo(args) => demo::run(&args).await?,
        Command::Briefing(args) => briefing::run(&args).await?,
        Command::Trade(command) => trade::run(command).await?,
        Command::Import(command) => return Ok(code(run_import(command).await?)),
        Command::Events(command) => return Ok(code(events::run(command).await?)),
        Command::Agreements(command) => return Ok(code(events::run_agreements(command).await?)),
        Command::Culture(command) => culture::run(command).await?,
        Command::Programmes(command) => return Ok(code(culture::run_programmes(command).await?)),
        Command::Measures(command) => return Ok(code(culture::run_measures(command).await?)),
        Command::Visa(command) => return Ok(code(culture::run_visa(command).await?)),
        Command::Timeline(args) => relationship::run_timeline(&args).await?,
        Command::Changes(args) => relationship::run_changes(&args).await?,
        Command::Watch(args) => relationship::run_watch(&args).await?,
        Command::Backup(args) => backup::run(&args).await?,
        Command::Restore(args) => restore::run(&args).await?,
        Command::Verify(args) => verify::run(&args).await?,
        Command::Status(args) => status::run(&args).await?,
        Command::Certs(args) => certs::run(&args)?,
        Command::Setup(args) => setup::run(&args)?,
        Command::Healthcheck(args) => healthcheck::run(&args).await?,
        Command::Token(command) => token::run(&command)?,
        Command::Audit(args) => audit::run(&args).await?,
        Command::Load(args) => return load::run(&args).await,
        Command::Generate(args) => generate::run(&args).await?,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "entente", &mut script);
            io::stdout().write_all(&script)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
