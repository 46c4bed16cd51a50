//! Backups: a folder with a copy of each service's journal, made while the services serve, carried on and checked.
//!
//! # The folder
//!
//! | file | what |
//! |---|---|
//! | `manifest.json` | what the backup holds: positions, sizes, hashes. Written last, and anew as a whole each time |
//! | `trade.journal`, `events.journal`, `culture.journal` | a journal each; only what the manifest counts is part of the backup |
//!
//! A journal's file begins with the line `entente journal copy 1`; the rest are messages
//! `entente.journal.v1.BackupJournalResponse`, each behind its length as a protobuf varint. Each run appends to it. What
//! stands behind the manifest's end is what an interrupted run left: the next one takes up the whole messages of it, each
//! of whose entries must follow by its hash, and goes on behind them. Positions go from 1 on without a gap, and each entry
//! has the hash over itself and the hash of the entry before, so the last one vouches for all before it.
//!
//! # Layout
//!
//! * this file: a backup from services. `growing`: one journal's file while it grows. `throttle`: how fast.
//! * `manifest`: the manifest. `file`: how a journal's file is read. `seen`: whether entries follow each other.
//! * `check`: a backup read through.

mod check;
mod file;
mod growing;
mod manifest;
mod seen;
mod throttle;

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use proto::journal::v1 as wire;
use tokio::time::Instant;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use self::growing::Growing;
use self::throttle::Throttle;
use crate::args::answer::ServerArgs;
use crate::args::backup::BackupArgs;
use crate::args::serve::Role;
use crate::client::{self, JournalsClient, request};
use crate::export::interrupted;
use crate::figures;

pub(crate) use self::check::{Fault, Found, check};
pub(crate) use self::file::Reader;
pub(crate) use self::manifest::{Kept, Manifest};
pub(crate) use self::seen::{Seen, time};

/// How long a service may be away, as one that starts again is, before a backup gives up.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_secs(1);

/// Copies the journals of services into a folder, or what is new of them.
pub(crate) async fn run(args: &BackupArgs) -> anyhow::Result<()> {
    let folder = &args.folder;
    tokio::select! {
        done = back_up(args) => done.with_context(|| format!("backing up to {}", folder.display())),
        () = interrupted() => bail!(
            "interrupted: {} is as it was, and the next run goes on where this one ended", folder.display()
        ),
    }
}

async fn back_up(args: &BackupArgs) -> anyhow::Result<()> {
    let folder = &args.folder;
    let _lock = take(folder)?;
    let mut manifest = Manifest::read(folder)?.unwrap_or_default();
    let mut client = client::journals(&args.server.server, "gateway").await?;
    let roles = roles(&mut client, args, &manifest).await?;
    let mut throttle = Throttle::new(args.rate);
    for role in roles {
        let copied = copy(
            &mut client,
            role,
            folder,
            &mut manifest,
            &mut throttle,
            args,
        )
        .await;
        copied.with_context(|| format!("the journal of {}", role.name()))?;
    }
    Ok(writeln!(
        io::stdout(),
        "{} is complete and on the disk.",
        folder.display()
    )?)
}

/// Takes the folder for this process alone; one that is not there is made, for its owner alone: it will hold all that
/// the services were told.
fn take(folder: &Path) -> anyhow::Result<File> {
    let mut made = fs::DirBuilder::new();
    made.recursive(true).mode(0o700).create(folder)?;
    let file = File::open(folder)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("another process uses it"),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Whose journals to copy: those asked for, or all that are served.
async fn roles(
    client: &mut JournalsClient,
    args: &BackupArgs,
    manifest: &Manifest,
) -> anyhow::Result<Vec<Role>> {
    let wanted = match &args.only[..] {
        [] => Role::value_variants(),
        only => only,
    };
    let mut served = Vec::new();
    for role in wanted {
        let asked = wire::GetJournalRequest { name: name(*role) };
        match client.get_journal(request(asked, &args.server)).await {
            Ok(_) => served.push(*role),
            Err(status) if status.code() == Code::NotFound && args.only.is_empty() => ensure!(
                manifest.kept(*role).is_none(),
                "the backup has {}, which is not served there; name the others with --only",
                role.name()
            ),
            Err(status) => {
                return Err(status).with_context(|| format!("the journal of {}", role.name()));
            }
        }
    }
    Ok(served)
}

/// Copies what is new of a journal, and counts it in the manifest when it is on the disk.
async fn copy(
    client: &mut JournalsClient,
    role: Role,
    folder: &Path,
    manifest: &mut Manifest,
    throttle: &mut Throttle,
    args: &BackupArgs,
) -> anyhow::Result<()> {
    let before = manifest.kept(role).map_or(0, |kept| kept.position);
    let mut growing = Growing::open(folder, role, manifest.kept(role))?;
    fetch(client, &mut growing, throttle).await?;
    let version = version(client, role, &args.server).await;
    if let Some(kept) = growing.finish(manifest.kept(role), version)? {
        manifest.keep(role, kept);
        manifest.write(folder)?;
    }
    let kept = manifest
        .kept(role)
        .context("the service sent nothing of it")?;
    tell(role, before, kept)
}

/// Fetches what follows, again after each interruption: a service that is started again is away for a moment.
async fn fetch(
    client: &mut JournalsClient,
    growing: &mut Growing,
    throttle: &mut Throttle,
) -> anyhow::Result<()> {
    let (mut since, mut reached) = (Instant::now(), growing.last());
    let bar = progress(growing.role());
    loop {
        let fetched = fetch_on(client, growing, throttle, &bar).await;
        if growing.last() > reached {
            (since, reached) = (Instant::now(), growing.last());
        }
        match fetched {
            Err(error) if since.elapsed() < PATIENCE => match pause(&error) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            },
            ended => {
                bar.finish_and_clear();
                return ended;
            }
        }
    }
}

async fn fetch_on(
    client: &mut JournalsClient,
    growing: &mut Growing,
    throttle: &mut Throttle,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    // Without a deadline: it takes as long as it needs.
    let asked = Request::new(wire::BackupJournalRequest {
        name: name(growing.role()),
        after_position: growing.last(),
    });
    let mut parts = client.backup_journal(asked).await?.into_inner();
    while let Some(part) = parts.message().await? {
        let bytes = growing.take(&part)?;
        bar.set_length(growing.end());
        bar.set_position(growing.last());
        throttle.pass(bytes).await;
    }
    growing.check_whole()
}

/// How long to wait before what has failed is tried again, if that may help.
fn pause(error: &anyhow::Error) -> Option<Duration> {
    let status = error.downcast_ref::<Status>()?;
    let retry = status.get_error_details().retry_info().cloned();
    let pause = retry.and_then(|retry| retry.retry_delay).unwrap_or(PAUSE);
    // A connection that breaks in the middle of a stream is Unknown or Internal to the client.
    let is_broken = std::error::Error::source(status).is_some();
    (status.code() == Code::Unavailable || is_broken).then_some(pause)
}

/// The version of the service; one that does not tell has none.
async fn version(client: &mut JournalsClient, role: Role, server: &ServerArgs) -> String {
    let asked = wire::GetJournalStatusRequest { name: name(role) };
    let told = client.get_journal_status(request(asked, server)).await;
    told.map(|status| status.into_inner().version)
        .unwrap_or_default()
}

/// How the journal of a role is called.
pub(crate) fn name(role: Role) -> String {
    format!("journals/{}", role.name())
}

/// Drawn on standard error where that is a terminal.
fn progress(role: Role) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{msg:8} {bar:40} {human_pos} of {human_len} entries, {eta} left",
    );
    let bar = ProgressBar::no_length().with_message(role.name());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn tell(role: Role, before: u64, kept: &Kept) -> anyhow::Result<()> {
    let grouped = |number: u64| figures::grouped(&number.to_string());
    let new = grouped(kept.position - before);
    Ok(writeln!(
        io::stdout(),
        "{:<8} {new} new entries, {} in all, {} bytes",
        role.name(),
        grouped(kept.position),
        grouped(kept.bytes)
    )?)
}
