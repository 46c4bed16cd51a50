//! The handle on a store.

use std::any::Any;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tracing::debug_span;

use crate::folder::{OWNER_ONLY, create_durably};
use crate::replay::{replay, replay_entry};
use crate::segments::Segments;
use crate::space::Space;
use crate::verify::{self, Parts};
use crate::view::{View, follows, panic_text};
use crate::vitals::{self, Now, TRACED, Vitals};
use crate::writer::{Command, GroupLimits, Outcome, Writer};
use crate::{Clock, Cursor, Decision, Error, Journal, Micros, Model, Origin, Position};
use crate::{Stamp, State, Usage, Verification, Watch, system_clock};

/// How a store is kept.
#[derive(Clone, Debug)]
pub struct Config {
    /// Free bytes below which writes are refused. Default 256 MiB.
    pub reserve_bytes: u64,
    /// Size of the ballast file that is given up when space is short. Default 64 MiB.
    pub ballast_bytes: u64,
    /// A journal segment that has reached this size is followed by a new one. Default 64 MiB.
    pub segment_bytes: u64,
    /// Memory for the view's cache; the process may hold twice as much. Default 256 MiB.
    pub cache_bytes: u64,
    /// Writes that may wait; one more is refused as overload. Default 4,096.
    pub queue: usize,
    /// Writes committed at once, at most. Default 1,024.
    pub group_writes: usize,
    /// Bytes of changes after which no further write joins a group. Default 2 MiB, so that an entry with one
    /// more large write still fits a message of 4 MiB.
    pub group_bytes: usize,
    /// How long a watcher waits for an entry before it is told that there is none. Default 10 s.
    pub idle: Duration,
    /// How long the view may take to open and be checked before it is rebuilt. Default 10 min.
    pub view_limit: Duration,
    /// The clock. Default: the machine's.
    pub clock: Clock,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            reserve_bytes: 256 << 20,
            ballast_bytes: 64 << 20,
            segment_bytes: 64 << 20,
            cache_bytes: 256 << 20,
            queue: 4_096,
            group_writes: 1_024,
            group_bytes: 2 << 20,
            idle: Duration::from_secs(10),
            view_limit: Duration::from_secs(600),
            clock: system_clock,
        }
    }
}

/// A store of one model; a cheap handle, to be cloned.
#[derive(Debug)]
pub struct Store<M: Model> {
    inner: Arc<Inner<M>>,
}

#[derive(Debug)]
struct Inner<M: Model> {
    queue: mpsc::Sender<Command<M>>,
    view: Arc<View>,
    journal: Arc<dyn Journal>,
    published: watch::Receiver<Stamp>,
    ended: watch::Receiver<bool>,
    folder: PathBuf,
    space: Space,
    ballast: u64,
    idle: Duration,
    clock: Clock,
    vitals: Arc<Vitals>,
    /// Dropped last, by whoever is last: the writer or the last handle.
    _lock: Arc<File>,
}

impl<M: Model> Clone for Store<M> {
    fn clone(&self) -> Store<M> {
        Store {
            inner: Arc::clone(&self.inner),
        }
    }
}

/// The last entry of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Where it stands, and when its last write was committed; position 0 when there is no entry yet.
    pub stamp: Stamp,
    /// Its hash, which chains over all entries before it; zeros when there is none.
    pub hash: [u8; 32],
}

/// A write that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<R> {
    /// Where the group ends that made it durable; for a write without changes, the last it has seen.
    pub stamp: Stamp,
    /// The decision's reply.
    pub reply: R,
}

/// A write that was taken; it is done whether or not this is waited for.
#[derive(Debug)]
pub struct Pending<R, E> {
    answer: oneshot::Receiver<Result<Written<R>, E>>,
}

impl<R, E: From<Error>> Pending<R, E> {
    /// Waits until the write is durable, or refused.
    ///
    /// # Errors
    /// The decision's error, or the store's as an `E`.
    pub async fn wait(self) -> Result<Written<R>, E> {
        // Only a writer that stopped drops a write without an answer.
        self.answer.await.map_err(|_| Error::Closed)?
    }
}

impl<M: Model> Store<M> {
    /// Opens the store in `folder`, or makes one there: takes the folder's lock, opens journal and view,
    /// and replays into the view what it lacks. Blocks while it works.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has it; [`Error::Damaged`] when the journal is not what was
    /// written; [`Error::Io`].
    pub fn open(folder: &Path, config: &Config) -> Result<Store<M>, Error> {
        let started = Instant::now();
        vitals::describe();
        create_durably(&folder.join("journal"), OWNER_ONLY)?;
        let lock = Arc::new(lock(folder)?);
        verify::clear(folder)?;
        let space = Space::new(folder, config.reserve_bytes);
        space.trim(config.ballast_bytes)?;
        let (journal, view) = open_both::<M>(folder, config)?;
        vitals::rebuilds(M::NAME).increment(view.was_rebuilt().into());
        let vitals = Vitals::new(M::NAME, started.elapsed(), config.cache_bytes);
        Ok(Store::start(
            folder, journal, view, space, config, lock, vitals,
        ))
    }

    fn start(
        folder: &Path,
        journal: Arc<dyn Journal>,
        view: View,
        space: Space,
        config: &Config,
        lock: Arc<File>,
        vitals: Vitals,
    ) -> Store<M> {
        let (view, vitals) = (Arc::new(view), Arc::new(vitals));
        let (queue, receiver) = mpsc::channel(config.queue);
        let (publish, published) = watch::channel(view.meta().stamp);
        let (end, ended) = watch::channel(false);
        let writer = Writer {
            queue: receiver,
            journal: Arc::clone(&journal),
            view: Arc::clone(&view),
            space: space.clone(),
            clock: config.clock,
            limits: GroupLimits {
                writes: config.group_writes,
                bytes: config.group_bytes,
            },
            published: publish,
            vitals: Arc::clone(&vitals),
        };
        let writers_lock = Arc::clone(&lock);
        std::thread::spawn(move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| writer.run())) {
                // What was journaled may not be in the view, and nobody would write any more.
                tracing::error!(
                    panic = panic_text(&*panic),
                    "the writer panicked; the process ends"
                );
                std::process::abort();
            }
            drop(writers_lock);
            end.send_replace(true);
        });
        Store {
            inner: Arc::new(Inner {
                queue,
                view,
                journal,
                published,
                ended,
                folder: folder.to_owned(),
                space,
                ballast: config.ballast_bytes,
                idle: config.idle,
                clock: config.clock,
                vitals,
                _lock: lock,
            }),
        }
    }

    /// Hands a decision to the writer and returns once it is in the queue. Writes are decided in the
    /// order in which they were submitted. `decide` gets the state and the stamp that its entry will
    /// have; it may depend on nothing else, and it must not block.
    ///
    /// # Errors
    /// [`Error::Overloaded`] or [`Error::Closed`]; nothing was done then.
    pub fn submit<R, E, F>(&self, origin: Origin, decide: F) -> Result<Pending<R, E>, Error>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&State<'_>, Stamp) -> Result<Decision<M::Change, R>, E> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel::<Result<Written<R>, E>>();
        let span = debug_span!(target: TRACED, "write", service = M::NAME);
        let job = Box::new(move |state: &State<'_>, stamp: Stamp| {
            let decided = span.in_scope(|| {
                let _span = debug_span!(target: TRACED, "decide").entered();
                catch_unwind(AssertUnwindSafe(|| decide(state, stamp)))
            });
            let decided = decided.unwrap_or_else(|panic| Err(E::from(panicked(&*panic))));
            Outcome {
                origin,
                span,
                decided: with_answer(decided, sender),
            }
        });
        match self.inner.queue.try_send(Command::Write(job)) {
            Ok(()) => Ok(Pending { answer }),
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.inner.vitals.overloaded.increment(1);
                Err(Error::Overloaded)
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Error::Closed),
        }
    }

    /// [`Store::submit`], then [`Pending::wait`].
    ///
    /// # Errors
    /// Those of both.
    pub async fn write<R, E, F>(&self, origin: Origin, decide: F) -> Result<Written<R>, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&State<'_>, Stamp) -> Result<Decision<M::Change, R>, E> + Send + 'static,
    {
        self.submit(origin, decide)?.wait().await
    }

    /// Runs a reader on the durable state. No entry is applied meanwhile, so it sees whole entries and
    /// must be short: a page, not a table. It may wait for the disk.
    pub fn read<T>(&self, reader: impl FnOnce(&State<'_>) -> T) -> T {
        self.inner.view.read(reader)
    }

    /// Says to those who count what the store is now. It looks at the disk.
    pub fn report(&self) {
        let queue = &self.inner.queue;
        self.inner.vitals.report(Now {
            queued: queue.max_capacity() - queue.capacity(),
            queue_limit: queue.max_capacity(),
            position: self.last().position,
        });
        if let Ok(usage) = self.usage() {
            self.inner.vitals.report_usage(&usage);
        }
    }

    /// The time by the store's clock.
    pub fn now(&self) -> Micros {
        (self.inner.clock)()
    }

    /// The last durable entry.
    pub fn last(&self) -> Stamp {
        *self.inner.published.borrow()
    }

    /// The last durable entry that readers see, by place, time and hash, all of one instant. It reads no disk.
    pub fn head(&self) -> Head {
        let meta = self.inner.view.meta();
        Head {
            stamp: meta.stamp,
            hash: meta.hash,
        }
    }

    /// The oldest position that the journal keeps.
    pub fn oldest(&self) -> Position {
        self.inner.journal.oldest()
    }

    /// Reads the entries after `position`. It reads the disk.
    ///
    /// # Errors
    /// [`Error::PositionGone`] before the first kept entry, [`Error::PositionAhead`] after the last.
    pub fn entries(&self, position: Position) -> Result<Box<dyn Cursor>, Error> {
        self.inner.journal.after(position)
    }

    /// What it takes of its disk, and what is left there. It reads the disk.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn usage(&self) -> Result<Usage, Error> {
        Ok(Usage {
            records: self.inner.view.meta().records,
            wanted_ballast: self.inner.ballast,
            ..self.inner.space.usage()?
        })
    }

    /// Begins to check the journal up to its last entry, and the view, while both are used.
    ///
    /// # Errors
    /// [`Error::Full`] when the disk has no room for a second view; [`Error::Io`].
    pub fn verify(&self) -> Result<Verification, Error> {
        Verification::start(Parts {
            folder: self.inner.folder.clone(),
            view: Arc::clone(&self.inner.view),
            journal: Arc::clone(&self.inner.journal),
            space: self.inner.space.clone(),
            replay: replay_entry::<M>,
        })
    }

    /// Every entry after `position`, and then those to come.
    ///
    /// # Errors
    /// [`Error::PositionGone`] before the first kept entry, [`Error::PositionAhead`] after the last.
    pub fn watch(&self, position: Position) -> Result<Watch, Error> {
        let last = self.last().position;
        if position > last {
            return Err(Error::PositionAhead {
                asked: position,
                last,
            });
        }
        let oldest = self.inner.journal.oldest();
        if position + 1 < oldest {
            return Err(Error::PositionGone {
                asked: position,
                oldest,
            });
        }
        let journal = Arc::clone(&self.inner.journal);
        let published = self.inner.published.clone();
        Ok(Watch::new(journal, published, self.inner.idle, position))
    }

    /// The view, to be damaged.
    #[cfg(test)]
    pub(crate) fn view(&self) -> &View {
        &self.inner.view
    }

    /// Stops taking writes, finishes those that were taken, and flushes the view. The folder is free for
    /// another process once all handles are dropped too.
    pub async fn close(&self) {
        // Either the writer is there and stops, or it has stopped already.
        drop(self.inner.queue.send(Command::Stop).await);
        let mut ended = self.inner.ended.clone();
        drop(ended.wait_for(|ended| *ended).await);
    }
}

/// A panic inside a write, as an error for its caller and a line for the operator.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic_text(panic);
    tracing::error!(panic = text, "a write panicked; its effects are discarded");
    Error::Panicked(text)
}

type Answered<R, E> = oneshot::Sender<Result<Written<R>, E>>;

/// Turns a decision's reply, or its error, into what is sent once the group is durable. An error waits
/// too: it may rest on a write of the same group that is not durable yet.
fn with_answer<C, R, E>(
    decided: Result<Decision<C, R>, E>,
    sender: Answered<R, E>,
) -> Decision<C, crate::writer::Answer>
where
    R: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (changes, subject, reply) = match decided {
        Ok(decision) => (decision.changes, decision.subject, Ok(decision.reply)),
        Err(error) => (Vec::new(), String::new(), Err(error)),
    };
    let answer = move |committed: Result<Stamp, Error>| {
        let answer = match committed {
            Ok(stamp) => reply.map(|reply| Written { stamp, reply }),
            Err(error) => Err(E::from(error)),
        };
        // The caller may be gone; the write is done all the same.
        drop(sender.send(answer));
    };
    Decision {
        changes,
        subject,
        reply: Box::new(answer),
    }
}

fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(|e| Error::io("creating", &path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::Locked {
            folder: folder.to_owned(),
        }),
        Err(std::fs::TryLockError::Error(e)) => Err(Error::io("locking", &path, &e)),
    }
}

fn open_both<M: Model>(folder: &Path, config: &Config) -> Result<(Arc<dyn Journal>, View), Error> {
    let path: PathBuf = folder.join("view");
    let view = View::open(&path, M::LAYOUT, config.cache_bytes, config.view_limit)?;
    let witness = view.meta().stamp.position;
    let journal = Segments::open(&folder.join("journal"), config.segment_bytes, witness)?;
    let journal = journal.timed(vitals::syncs(M::NAME));
    let view = match follows(&view.meta(), hash_at(&journal, witness)?) {
        Ok(()) => view,
        Err(reason) => {
            drop(view);
            View::start_over(&path, M::LAYOUT, config.cache_bytes, &reason)?
        }
    };
    replay::<M>(&journal, &view)?;
    Ok((Arc::new(journal), view))
}

/// The hash of the entry at `position`, or `None` after the journal's end.
fn hash_at(journal: &Segments, position: Position) -> Result<Option<[u8; 32]>, Error> {
    let last = journal.last();
    if position > last {
        return Ok(None);
    }
    if position == last {
        return Ok(Some(journal.last_hash()));
    }
    if position == 0 {
        return Ok(Some([0; 32]));
    }
    let entry = journal.after(position - 1)?.next(position)?;
    Ok(entry.map(|entry| entry.hash))
}
