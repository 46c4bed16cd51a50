//! Data of any size that look like the real ones, for load tests and trials: the same seed gives the same bytes on every
//! machine.
//!
//! # Layout
//!
//! * `chance`: numbers by chance. `world`: who trades, and in what.
//! * `figures`: trade as both sides count it, and how it was revised. `records`: events, agreements, programmes.
//! * `comtrade`: figures as a file of UN Comtrade. `direct`: all of it into a running server.

mod chance;
mod comtrade;
mod direct;
mod figures;
mod records;
mod world;

use std::io::Write;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::args::generate::{GenerateArgs, GenerateFormat};
use crate::interrupt::interrupted;
use crate::target::Target;

pub(crate) use self::chance::{Chance, Zipf};
pub(crate) use self::figures::{Edition, Figures, MOST_ROWS, Plan};
pub(crate) use self::records::english;

/// Makes data, into a file or into a server.
pub(crate) async fn run(args: &GenerateArgs) -> anyhow::Result<()> {
    let plan = Plan {
        seed: args.seed,
        rows: args.rows,
    };
    match args.format {
        GenerateFormat::Comtrade => to_file(plan, args.out.as_deref()).await,
        GenerateFormat::Direct => {
            ensure!(
                args.out.is_none(),
                "--out: --format direct writes into a server and no file"
            );
            direct::run(plan, args).await
        }
    }
}

async fn to_file(plan: Plan, path: Option<&Path>) -> anyhow::Result<()> {
    let path = path.filter(|path| path.as_os_str() != "-");
    let target = Target::open(path)?;
    let mut out = target.writer()?;
    let writing = tokio::task::spawn_blocking(move || {
        comtrade::write(&mut out, plan)?;
        out.flush()
    });
    tokio::select! {
        written = writing => written??,
        () = interrupted() => anyhow::bail!("interrupted: no file was written"),
    }
    target.commit().context("writing the file")
}
