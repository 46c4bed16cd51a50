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
//! of whose entries must follow by its hash, and goes on behind them; if the journal does not, because it was restored
//! from the backup meanwhile, they may be all that there is of the one before: they are kept aside as `trade.journal.left`,
//! with the same first line. Positions go from 1 on without a gap, and each entry has the hash over itself and the hash of
//! the entry before, so the last one vouches for all before it.
//!
//! # Layout
//!
//! * this file: a backup from services. `growing`: one journal's file while it grows. `throttle`: how fast.
//! * `manifest`: the manifest. `file`: how a journal's file is read. `seen`: whether entries follow each other.
//! * `left`: what an interrupted run left. `check`: a backup read through.

mod check;
mod file;
mod growing;
mod left;
mod manifest;
mod seen;
mod throttle;

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use indicatif::ProgressBar;
use proto::journal::v1 as wire;
use store::Position;
use tokio::time::Instant;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use self::growing::Growing;
use self::throttle::Throttle;
use crate::args::answer::ServerArgs;
use crate::args::backup::BackupArgs;
use crate::args::serve::Role;
use crate::client::{self, JournalsClient, explain, request, within};
use crate::interrupt::interrupted;
use crate::{figures, progress};

pub(crate) use self::check::{Fault, Found, check};
pub(crate) use self::file::Reader;
pub(crate) use self::left::{Left, kept_aside};
pub(crate) use self::manifest::{Kept, Manifest};
pub(crate) use self::seen::{Seen, time};

/// How long services may be away, as one that starts again is, before a backup gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one is waited for that is asked when nothing of that is left.
const LEAST: Duration = Duration::from_secs(5);
/// How long a service may send nothing of a copy.
const SILENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_secs(1);

/// Copies the journals of services into a folder, or what is new of them.
pub(crate) async fn run(args: &BackupArgs) -> anyhow::Result<()> {
    let folder = &args.folder;
    tokio::select! {
        done = back_up(args) => done.with_context(|| format!("backing up to {}", folder.display())),
        () = interrupted() => bail!(
            "interrupted: what {} counts stays, also of this run, and the next one goes on where it ended",
            folder.display()
        ),
    }
}

async fn back_up(args: &BackupArgs) -> anyhow::Result<()> {
    let folder = &args.folder;
    let _lock = take(folder)?;
    let mut manifest = Manifest::read(folder)?.unwrap_or_default();
    let mut client = client::journals(&args.server.server, "gateway").await?;
    let roles = match &args.only[..] {
        [] => Role::value_variants(),
        only => only,
    };
    let (mut throttle, mut patience) = (Throttle::new(args.rate), Patience::new());
    let (mut copied, mut failed) = (0, Vec::new());
    for role in roles {
        let (manifest, throttle) = (&mut manifest, &mut throttle);
        match copy(&mut client, *role, manifest, throttle, &mut patience, args).await {
            Ok(Some(before)) => {
                copied += 1;
                tell(*role, before, manifest.kept(*role))?;
            }
            Ok(None) => {}
            Err(error) => failed.push((*role, error)),
        }
    }
    ended(&failed)?;
    ensure!(copied > 0, "no service is served there");
    Ok(writeln!(
        io::stdout(),
        "{} is complete and on the disk.",
        folder.display()
    )?)
}

/// One lost service does not keep the others from being copied; what the manifest has of it stays.
fn ended(failed: &[(Role, anyhow::Error)]) -> anyhow::Result<()> {
    let told = |(role, error): &(Role, anyhow::Error)| {
        format!("the journal of {}: {}", role.name(), explain(error))
    };
    let told: Vec<String> = failed.iter().map(told).collect();
    ensure!(told.is_empty(), "{}", told.join("\n"));
    Ok(())
}

/// Takes the folder for this process alone; one that is not there is made, for its owner alone: it will hold all that
/// the services were told.
fn take(folder: &Path) -> anyhow::Result<File> {
    store::create_durably(folder, store::OWNER_ONLY)?;
    let file = File::open(folder)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("another process uses it"),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Copies what is new of a journal, and counts it in the manifest when it is on the disk; the last entry that was counted
/// before. None when no journal is served.
async fn copy(
    client: &mut JournalsClient,
    role: Role,
    manifest: &mut Manifest,
    throttle: &mut Throttle,
    patience: &mut Patience,
    args: &BackupArgs,
) -> anyhow::Result<Option<Position>> {
    let (folder, kept) = (&args.folder, manifest.kept(role).cloned());
    if !is_served(client, role, patience, args, kept.is_some()).await? {
        return Ok(None);
    }
    let mut growing = Growing::open(folder, role, kept.as_ref())?;
    // What was read of the disk meanwhile is no silence of a service; nor is what is synced below.
    patience.renew();
    let fetched = fetch(client, &mut growing, throttle, patience).await;
    if let Err(error) = fetched {
        if !does_not_follow(&error) || !growing.has_left() {
            return Err(error);
        }
        let kept = kept.as_ref().with_context(|| growing.foreign(&error))?;
        goes_on(client, role, kept).await?;
        set_aside(&mut growing, kept)?;
        fetch(client, &mut growing, throttle, patience).await?;
    }
    let version = version(client, role, &args.server).await;
    if let Some(kept) = growing.finish(kept.as_ref(), version)? {
        manifest.keep(role, kept);
        manifest.write(folder)?;
    }
    patience.renew();
    manifest
        .kept(role)
        .context("the service sent nothing of it")?;
    Ok(Some(kept.map_or(0, |kept| kept.position)))
}

/// Keeps what an interrupted run left out of the way, and says where.
fn set_aside(growing: &mut Growing, kept: &Kept) -> anyhow::Result<()> {
    let (role, left) = (growing.role().name(), growing.left()?);
    let aside = growing.set_aside(kept)?;
    Ok(writeln!(
        io::stderr(),
        "note: {role}: {left} of an interrupted run are not of the journal as it is now; they are kept as {}",
        aside.display()
    )?)
}

/// Whether a journal goes on behind what the backup counts of it. Another one does not, and then what an interrupted run
/// left may be all that there is of the one before.
async fn goes_on(client: &mut JournalsClient, role: Role, kept: &Kept) -> anyhow::Result<()> {
    let asked = Request::new(wire::BackupJournalRequest {
        name: name(role),
        after_position: kept.position,
    });
    let parts = within(SILENCE, client.backup_journal(asked)).await?;
    let mut seen = Seen::after(name(role), kept)?;
    if let Some(part) = within(SILENCE, parts.into_inner().message()).await? {
        seen.take(&part)?;
    }
    let end = seen.journal().map_or(0, |journal| journal.last_position);
    if seen.last() == end {
        seen.whole()
            .context("it is another journal than that of the backup")?;
    }
    Ok(())
}

/// Whether a journal is there. Where it was asked for, or is in the backup, it must be.
async fn is_served(
    client: &mut JournalsClient,
    role: Role,
    patience: &mut Patience,
    args: &BackupArgs,
    is_kept: bool,
) -> anyhow::Result<bool> {
    loop {
        let asked = request(wire::GetJournalRequest { name: name(role) }, &args.server);
        let limit = patience.limit(args.server.limit());
        let Err(status) = within(limit, client.get_journal(asked)).await else {
            patience.renew();
            return Ok(true);
        };
        if status.code() == Code::NotFound && args.only.is_empty() {
            patience.renew();
            ensure!(
                !is_kept,
                "the backup has it, and it is not served there; name the others with --only"
            );
            return Ok(false);
        }
        patience.wait(status.into()).await?;
    }
}

/// Fetches what follows, again after each interruption.
async fn fetch(
    client: &mut JournalsClient,
    growing: &mut Growing,
    throttle: &mut Throttle,
    patience: &mut Patience,
) -> anyhow::Result<()> {
    let mut reached = growing.last();
    let template = "{msg:8} {bar:40} {human_pos} of {human_len} entries, {eta} left";
    let bar = progress::bar(None, template).with_message(growing.role().name());
    loop {
        let Err(error) = fetch_on(client, growing, throttle, &bar).await else {
            bar.finish_and_clear();
            patience.renew();
            return Ok(());
        };
        if growing.last() > reached {
            reached = growing.last();
            patience.renew();
        }
        let waited = patience.wait(error).await;
        waited.inspect_err(|_| bar.finish_and_clear())?;
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
    let mut parts = within(SILENCE, client.backup_journal(asked))
        .await?
        .into_inner();
    while let Some(part) = within(SILENCE, parts.message()).await? {
        let bytes = growing.take(&part)?;
        bar.set_length(growing.end());
        bar.set_position(growing.last());
        throttle.pass(bytes).await;
    }
    growing.check_whole()
}

/// Since when no service answers: one that is started again is away for a moment. It is of a run and not of each service,
/// since one that is lost with its server takes the others with it.
struct Patience {
    since: Instant,
}

impl Patience {
    fn new() -> Patience {
        Patience {
            since: Instant::now(),
        }
    }

    /// A service answers.
    fn renew(&mut self) {
        *self = Patience::new();
    }

    /// How long a question may take that has this limit.
    fn limit(&self, limit: Duration) -> Duration {
        let left = PATIENCE.saturating_sub(self.since.elapsed());
        limit.min(left.max(LEAST))
    }

    /// Waits before what has failed is tried again. If that may not help, or not in time, it is the error.
    async fn wait(&self, error: anyhow::Error) -> anyhow::Result<()> {
        match pause(&error) {
            Some(pause) if self.since.elapsed() + pause <= PATIENCE => {
                tokio::time::sleep(pause).await;
                Ok(())
            }
            Some(_) | None => Err(error),
        }
    }
}

/// How long to wait before what has failed is tried again, if that may help.
fn pause(error: &anyhow::Error) -> Option<Duration> {
    let status = error.downcast_ref::<Status>()?;
    let retry = status.get_error_details().retry_info().cloned();
    let told = retry.and_then(|retry| retry.retry_delay);
    // A connection that breaks in the middle of a stream is Unknown or Internal to the client.
    let is_broken = std::error::Error::source(status).is_some();
    if status.code() == Code::Unavailable || is_broken {
        return Some(told.unwrap_or(PAUSE));
    }
    // Too many callers, or too many calls of this one; what is too large stays so, and tells no time.
    told.filter(|_| status.code() == Code::ResourceExhausted)
}

/// Whether a journal goes on in another way than what is there of it: it ends before, or by other hashes.
fn does_not_follow(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<Status>() {
        Some(status) => status.code() == Code::OutOfRange,
        None => !left::is_of_the_disk(error),
    }
}

/// The version of the service; one that does not tell has none.
async fn version(client: &mut JournalsClient, role: Role, server: &ServerArgs) -> String {
    let asked = wire::GetJournalStatusRequest { name: name(role) };
    let told = client.get_journal_status(request(asked, server));
    let told = within(server.limit(), told).await;
    told.map(|status| status.into_inner().version)
        .unwrap_or_default()
}

/// How the journal of a role is called.
pub(crate) fn name(role: Role) -> String {
    format!("journals/{}", role.name())
}

fn tell(role: Role, before: Position, kept: Option<&Kept>) -> anyhow::Result<()> {
    let kept = kept.context("the manifest does not count it")?;
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

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[tokio::test]
    async fn services_that_are_all_away_are_waited_for_once() {
        let mut patience = Patience {
            since: Instant::now() - PATIENCE,
        };
        assert_eq!(patience.limit(Duration::from_secs(30)), LEAST);
        assert_eq!(
            patience.limit(Duration::from_secs(3)),
            Duration::from_secs(3)
        );
        let away = || Status::unavailable("away").into();
        assert!(patience.wait(away()).await.is_err());
        patience.renew();
        assert!(patience.limit(PATIENCE) > LEAST);
        let refused = Status::permission_denied("no admin").into();
        assert!(patience.wait(refused).await.is_err());
    }

    #[tokio::test]
    async fn who_says_when_to_come_again_is_asked_then_if_that_is_not_too_late() {
        let full = |seconds: Option<u64>| {
            let wait = ErrorDetails::with_retry_info(seconds.map(Duration::from_secs));
            Status::with_error_details(Code::ResourceExhausted, "too many", wait).into()
        };
        assert_eq!(pause(&full(Some(7))), Some(Duration::from_secs(7)));
        assert_eq!(pause(&full(None)), None);
        let patience = Patience::new();
        patience.wait(full(Some(0))).await.unwrap();
        assert!(patience.wait(full(Some(61))).await.is_err());
    }
}
