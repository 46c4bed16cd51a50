//! Copies of journals in files: made from a service while it serves, carried on, and checked.
//!
//! # The file
//!
//! | bytes | what |
//! |---|---|
//! | the first line | `entente journal copy 1` |
//! | the rest | messages `entente.journal.v1.BackupJournalResponse`, each behind its length as a protobuf varint |
//!
//! The first message of each run says where the journal stood when the run began, and the run ends with the entry that
//! was the last one then. A copy that was carried on has several runs. Positions go from 1 on without a gap, and each
//! entry has the hash over itself and the hash of the entry before: the last run's end vouches for all before it.
//!
//! # Layout
//!
//! * this file: a copy from a service. `file`: how one is read and written. `seen`: whether it is whole.
//!   `check`: what a copy holds.

mod check;
mod file;
mod seen;

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;

use anyhow::{Context, ensure};
use indicatif::ProgressBar;
use proto::journal::v1 as wire;
use tonic::Request;

use self::file::Target;
use crate::args::answer::ServerArgs;
use crate::args::backup::BackupArgs;
use crate::args::serve::Role;
use crate::export::interrupted;
use crate::{client, figures};

pub(crate) use self::file::Reader;
pub(crate) use self::seen::{Seen, time};

/// Copies a journal, or checks a copy.
pub(crate) async fn run(args: &BackupArgs) -> anyhow::Result<()> {
    if let Some(file) = &args.check {
        return check::run(file);
    }
    let (Some(role), Some(path)) = (args.role, &args.out) else {
        anyhow::bail!("which service's journal, and into which file?");
    };
    tokio::select! {
        done = copy(role, path, args.carry_on, &args.server) => {
            done.with_context(|| format!("copying the journal of {} to {}", role.name(), path.display()))
        }
        () = interrupted() => anyhow::bail!("interrupted: {} is as it was", path.display()),
    }
}

async fn copy(role: Role, path: &Path, carry_on: bool, server: &ServerArgs) -> anyhow::Result<()> {
    let mut target = Target::open(path)?;
    let before = match File::open(path) {
        Ok(found) => {
            ensure!(carry_on, "it is there already; --continue carries it on");
            take_over(found, path, role, &mut target)?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            target.begin()?;
            Seen::default()
        }
        Err(error) => return Err(error.into()),
    };
    let seen = fetch(role, &before, server, &mut target).await?;
    if seen.last() > before.last() || before.journal().is_none() {
        target.commit()?;
    }
    tell(&before, &seen, path)
}

/// Takes a copy that is there as the beginning of the one that is made.
fn take_over(
    mut found: File,
    path: &Path,
    role: Role,
    target: &mut Target,
) -> anyhow::Result<Seen> {
    let mut reader = Reader::new(found.try_clone()?, path)?;
    let mut seen = Seen::default();
    while let Some(part) = reader.part()? {
        seen.take(&part)?;
    }
    let journal = seen.whole()?;
    let name = name(role);
    ensure!(
        journal.name == name,
        "it is a copy of {}, not of {name}",
        journal.name
    );
    found.rewind()?;
    target.append(&mut found)?;
    Ok(seen)
}

/// Asks for what follows, and writes it as it comes; what was seen with it.
async fn fetch(
    role: Role,
    before: &Seen,
    server: &ServerArgs,
    target: &mut Target,
) -> anyhow::Result<Seen> {
    let mut client = client::journals(&server.server, role.name()).await?;
    // Without a deadline: it takes as long as it needs.
    let asked = Request::new(wire::BackupJournalRequest {
        name: name(role),
        after_position: before.last(),
    });
    let mut parts = client.backup_journal(asked).await?.into_inner();
    let mut seen = before.clone();
    let bar = ProgressBar::no_length();
    while let Some(part) = parts.message().await? {
        seen.take(&part)?;
        target.write(&part)?;
        let journal = seen.journal().map(|journal| journal.last_position);
        bar.set_length(journal.unwrap_or_default());
        bar.set_position(seen.last());
    }
    bar.finish_and_clear();
    seen.whole()
        .context("the service sent a copy that is not whole")?;
    Ok(seen)
}

/// How the journal of a role is called.
fn name(role: Role) -> String {
    format!("journals/{}", role.name())
}

fn tell(before: &Seen, seen: &Seen, path: &Path) -> anyhow::Result<()> {
    let new = figures::grouped(&(seen.last() - before.last()).to_string());
    let (last, path) = (seen.last(), path.display());
    Ok(writeln!(
        io::stdout(),
        "Copied {new} entries; {path} ends at position {last}."
    )?)
}
