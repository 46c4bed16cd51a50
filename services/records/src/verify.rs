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
    /// What was found, to the end, or until it could not go on: then an error follows.
    Verdict(Checked),
}

struct Running {
    work: Work,
    effort: Effort,
    shutdown: Shutdown,
    told: Option<Instant>,
}

/// A verification, which is gone when a step of it has panicked; and its place, which is free when its files are gone: a thread removes them that may wait for the
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
    stream::try_unfold(
        Some(Turn::Work(Box::new(running))),
        async |turn| match turn {
            Some(Turn::Work(running)) => Ok(Some(running.report().await?)),
            Some(Turn::Fail(error)) => Err(error.into()),
            None => Ok(None),
        },
    )
}

/// What comes next.
enum Turn {
    Work(Box<Running>),
    Fail(Error),
}

impl Running {
    /// Works until there is something to tell.
    async fn report(mut self: Box<Self>) -> Result<(Report, Option<Turn>), Error> {
        loop {
            match self.step().await {
                Ok(true) => {}
                Ok(false) => return Ok((Report::Verdict(self.work.end().await?), None)),
                Err(error) => return self.failed(error).await,
            }
            if self.told.is_none_or(|told| told.elapsed() >= PAUSE) {
                self.told = Some(Instant::now());
                let progress = Report::Progress(self.work.progress());
                return Ok((progress, Some(Turn::Work(self))));
            }
        }
    }

    /// Tells the faults that were found before it could not go on. Where there are none, nothing is known.
    async fn failed(self: Box<Self>, error: Error) -> Result<(Report, Option<Turn>), Error> {
        if self.work.0.is_none() {
            return Err(error);
        }
        let checked = self.work.end().await?;
        if checked.faults.is_empty() {
            return Err(error);
        }
        Ok((Report::Verdict(checked), Some(Turn::Fail(error))))
    }

    /// Works for a moment and rests; whether there is more to do.
    async fn step(&mut self) -> Result<bool, Error> {
        if self.shutdown.is_triggered() {
            return Err(Error::Stopping);
        }
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
                Some((verification, _)) => verification.step(),
                None => Ok(false),
            };
            Ok((more, work))
        });
        let (more, work) = stepped.await?;
        *self = work;
        Ok(more?)
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
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures_util::StreamExt;
    use store::{Config, Decision, Model, Origin, Stamp, State, Store};
    use tokio::sync::Semaphore;
    use tonic::Code;

    use super::*;

    /// What every record has as its value, and should not depend on: a replay makes other records when it is changed.
    static VALUE: AtomicU64 = AtomicU64::new(1);

    /// Many records of one change.
    struct Fickle;

    impl Model for Fickle {
        type Change = ();
        const NAME: &'static str = "fickle";
        const LAYOUT: u32 = 1;

        fn apply(state: &mut State<'_>, (): &(), _: Stamp) -> Result<(), store::Error> {
            let value = VALUE.load(Ordering::SeqCst).to_be_bytes();
            for number in 0..2_000_u32 {
                state.put(number.to_be_bytes().to_vec(), value.to_vec())?;
            }
            Ok(())
        }
    }

    async fn store(folder: &Path) -> Store<Fickle> {
        let config = Config {
            reserve_bytes: 0,
            ballast_bytes: 0,
            ..Config::default()
        };
        let store = Store::<Fickle>::open(folder, &config).unwrap();
        let decide = |_: &State<'_>, _| Ok(Decision::change((), "", ()));
        let written = store.write::<(), Error, _>(Origin::default(), decide).await;
        written.unwrap();
        store
    }

    /// What is told of a verification that has compared some records when the process stops.
    async fn told(store: &Store<Fickle>) -> Vec<Result<Report, Status>> {
        let mut verification = store.verify().unwrap();
        while verification.progress().compared == 0 {
            assert!(verification.step().unwrap());
        }
        let shutdown = Shutdown::new();
        shutdown.trigger();
        let place = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
        let reports = reports(verification, Effort(100), shutdown, place);
        reports.collect().await
    }

    #[tokio::test]
    async fn what_was_found_is_told_before_it_cannot_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let nothing = told(&store).await;
        assert!(matches!(&nothing[..], [Err(error)] if error.code() == Code::Unavailable));
        VALUE.store(2, Ordering::SeqCst);
        let found = told(&store).await;
        let [Ok(Report::Verdict(checked)), Err(error)] = &found[..] else {
            panic!("a verdict and an error, and not {found:?}");
        };
        assert_eq!(checked.faults[0].kind, FaultKind::Differs);
        assert_eq!(error.code(), Code::Unavailable);
        store.close().await;
    }

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
