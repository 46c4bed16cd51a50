//! A verification on its way to its reader: at its own pace, told now and then.

use std::time::Duration;

use chassis::Shutdown;
use futures_util::stream::{self, Stream};
use proto::Violations;
use proto::journal::v1 as wire;
use store::{Checked, Fault, FaultKind, Position, Progress, Verification};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tonic::Status;
use wire::verify_journal_response::Report as Told;

use crate::error::Error;
use crate::journals::{aside, at};

/// How often a reader is told how far it is.
const PAUSE: Duration = Duration::from_secs(1);
/// What counts of a step at most. A longer one waited for the disk, or followed what was written meanwhile; if that
/// asked for a rest too, it might never come to an end.
const LONGEST_STEP: Duration = Duration::from_millis(25);
const DEFAULT_EFFORT: u32 = 25;

/// How much of a processor's time a verification may take, in per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effort(u32);

impl Effort {
    pub(crate) fn parse(percent: i32) -> Result<Effort, Violations> {
        match u32::try_from(percent) {
            Ok(0) => Ok(Effort(DEFAULT_EFFORT)),
            Ok(percent) => Ok(Effort(percent.min(100))),
            Err(_) => Err(Violations::one(
                "effort_percent",
                "it is at least 1; 0 is the default",
            )),
        }
    }

    /// How long to rest after some work.
    fn rest(self, worked: Duration) -> Duration {
        worked.min(LONGEST_STEP) * (100 - self.0) / self.0
    }
}

/// What a reader is told.
#[derive(Debug)]
pub(crate) enum Report {
    /// How far it is.
    Progress(Progress),
    /// How it ended.
    Verdict(Checked),
}

struct Running {
    work: Work,
    effort: Effort,
    shutdown: Shutdown,
    told: Option<Instant>,
}

/// A verification, and its place, which is free when its files are gone: a thread removes them that may wait for the
/// disk.
struct Work(Option<(Verification, OwnedSemaphorePermit)>);

/// The reports of a verification. Dropped, it ends.
pub(crate) fn reports(
    verification: Verification,
    effort: Effort,
    shutdown: Shutdown,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Report, Status>> + Send {
    let running = Running {
        work: Work(Some((verification, place))),
        effort,
        shutdown,
        told: None,
    };
    stream::try_unfold(Some(running), async |running| match running {
        Some(running) => Ok(Some(running.report().await?)),
        None => Ok(None),
    })
}

impl Running {
    /// Works until there is something to tell.
    async fn report(mut self) -> Result<(Report, Option<Running>), Error> {
        loop {
            if self.shutdown.is_triggered() {
                return Err(Error::Stopping);
            }
            if !self.step().await? {
                return Ok((Report::Verdict(self.work.end().await?), None));
            }
            if self.told.is_none_or(|told| told.elapsed() >= PAUSE) {
                self.told = Some(Instant::now());
                return Ok((Report::Progress(self.work.progress()), Some(self)));
            }
        }
    }

    /// Works for a moment and rests; whether there is more to do.
    async fn step(&mut self) -> Result<bool, Error> {
        let started = Instant::now();
        let more = self.work.step().await?;
        if more {
            tokio::time::sleep(self.effort.rest(started.elapsed())).await;
        }
        Ok(more)
    }
}

impl Work {
    async fn step(&mut self) -> Result<bool, Error> {
        // Held by the step while it works, so that it ends there when nobody waits for it any more.
        let mut work = Work(self.0.take());
        let stepped = aside(move || {
            let more = match &mut work.0 {
                Some((verification, _)) => verification.step()?,
                None => false,
            };
            Ok((more, work))
        });
        let (more, work) = stepped.await?;
        *self = work;
        Ok(more)
    }

    fn progress(&self) -> Progress {
        let (verification, _) = self.0.as_ref().expect("it is there between two steps");
        verification.progress()
    }

    async fn end(mut self) -> Result<Checked, Error> {
        let (verification, place) = self.0.take().expect("it is there between two steps");
        let end = aside(move || {
            let checked = verification.end();
            drop(place);
            Ok(checked)
        });
        end.await
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let Some(work) = self.0.take() else {
            return;
        };
        match Handle::try_current() {
            Ok(handle) => drop(handle.spawn_blocking(move || drop(work))),
            Err(_) => drop(work),
        }
    }
}

impl Report {
    /// As the wire has it, of the journal of a name whose oldest entry is this.
    pub(crate) fn into_wire(self, name: &str, oldest: Position) -> wire::VerifyJournalResponse {
        let report = match self {
            Report::Progress(progress) => Told::Progress(told(progress)),
            Report::Verdict(checked) => Told::Verdict(verdict(checked, name, oldest)),
        };
        wire::VerifyJournalResponse {
            report: Some(report),
        }
    }
}

fn told(progress: Progress) -> wire::VerifyProgress {
    let Progress {
        position,
        last,
        compared,
        records,
    } = progress;
    wire::VerifyProgress {
        position,
        last_position: last,
        records: compared,
        view_records: records,
    }
}

fn verdict(checked: Checked, name: &str, oldest: Position) -> wire::Verdict {
    let Checked {
        head,
        journal_bytes,
        compared,
        digest,
        faults,
    } = checked;
    wire::Verdict {
        journal: Some(at(name.to_owned(), oldest, head)),
        journal_bytes,
        records: compared,
        digest,
        faults: faults.into_iter().map(fault).collect(),
    }
}

fn fault(fault: Fault) -> wire::Fault {
    let Fault {
        kind,
        file,
        offset,
        position,
        key,
        what,
    } = fault;
    wire::Fault {
        kind: kind_to_wire(kind).into(),
        file: file.display().to_string(),
        offset,
        position,
        key,
        description: what,
    }
}

fn kind_to_wire(kind: FaultKind) -> wire::FaultKind {
    match kind {
        FaultKind::Journal => wire::FaultKind::JournalDamaged,
        FaultKind::Entry => wire::FaultKind::EntryNotApplicable,
        FaultKind::Missing => wire::FaultKind::RecordMissing,
        FaultKind::Unexpected => wire::FaultKind::RecordUnexpected,
        FaultKind::Differs => wire::FaultKind::RecordDiffers,
        FaultKind::Unreadable => wire::FaultKind::ViewUnreadable,
        FaultKind::Digest => wire::FaultKind::DigestDiffers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_time_rests_for_three() {
        let worked = Duration::from_millis(10);
        assert_eq!(Effort::parse(0).unwrap().rest(worked), worked * 3);
        assert_eq!(Effort::parse(50).unwrap().rest(worked), worked);
        assert_eq!(Effort::parse(500).unwrap().rest(worked), Duration::ZERO);
        assert!(Effort::parse(-1).is_err());
    }

    #[test]
    fn a_step_that_took_long_does_not_ask_for_a_long_rest() {
        let effort = Effort::parse(20).unwrap();
        assert_eq!(effort.rest(Duration::from_secs(9)), LONGEST_STEP * 4);
    }
}
