//! The one writer: a thread that takes all that waits, decides, journals, applies, publishes, answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use prost::Message;
use tokio::sync::{mpsc, watch};
use tracing::Span;

use crate::space::Space;
use crate::state::{Effects, bytes_of};
use crate::steps::{self, step};
use crate::store::panicked;
use crate::view::View;
use crate::vitals::Vitals;
use crate::{Clock, Decision, Error, Journal, Model, Origin, Request, Stamp, State, Write};
use crate::{entry, requests};

/// What the writer is told.
pub(crate) enum Command<M: Model> {
    Write(Job<M>),
    Stop,
}

/// A write that waits: decided in the writer's thread, answered once its group is durable.
pub(crate) type Job<M> = Box<dyn FnOnce(&State<'_>, Stamp) -> Outcome<M> + Send>;

/// Tells the caller how it ended.
pub(crate) type Answer = Box<dyn FnOnce(Result<Stamp, Error>) + Send>;

/// What a decision came to.
pub(crate) struct Outcome<M: Model> {
    pub(crate) origin: Origin,
    /// What is done for it in the trace of its call.
    pub(crate) span: Span,
    pub(crate) decided: Decision<M::Change, Answer>,
}

/// Effects after which no further write joins a group.
const MAX_EFFECT_BYTES: usize = 32 << 20;

/// How much is committed at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupLimits {
    pub(crate) writes: usize,
    pub(crate) bytes: usize,
}

pub(crate) struct Writer<M: Model> {
    pub(crate) queue: mpsc::Receiver<Command<M>>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) view: Arc<View>,
    pub(crate) space: Space,
    pub(crate) clock: Clock,
    pub(crate) limits: GroupLimits,
    pub(crate) published: watch::Sender<Stamp>,
    pub(crate) vitals: Arc<Vitals>,
}

/// The writes that become one entry.
#[derive(Default)]
struct Group {
    effects: Effects,
    writes: Vec<Write>,
    bytes: usize,
    effect_bytes: usize,
    answers: Vec<(Answer, Result<(), Error>)>,
    /// Of those of its writes whose calls are recorded.
    spans: Vec<Span>,
}

impl<M: Model> Writer<M> {
    pub(crate) fn run(mut self) {
        while let Some(Command::Write(job)) = self.queue.blocking_recv() {
            if self.commit_group(job).is_break() {
                break;
            }
        }
        if let Err(error) = self.view.flush() {
            tracing::warn!(%error, "the view was not flushed; the next open replays the journal");
        }
    }

    fn commit_group(&mut self, job: Job<M>) -> std::ops::ControlFlow<()> {
        let first = self.view.meta().stamp.next((self.clock)());
        let mut group = Group::default();
        let mut flow = std::ops::ControlFlow::Continue(());
        let mut next = Some(job);
        while let Some(job) = next.take() {
            self.decide(&mut group, job, first);
            if group.has_room(self.limits) {
                match self.queue.try_recv() {
                    Ok(Command::Write(job)) => next = Some(job),
                    Ok(Command::Stop) => flow = std::ops::ControlFlow::Break(()),
                    Err(_) => {}
                }
            }
        }
        let Group {
            effects,
            writes,
            bytes,
            effect_bytes: _,
            answers,
            spans,
        } = group;
        let number = writes.len() as u64;
        let committed = steps::of(spans, || self.commit(effects, writes, bytes, first));
        if let Err(Error::Full { .. }) = committed {
            self.vitals.full.increment(number);
        }
        for (answer, applied) in answers {
            answer(applied.and_then(|()| committed.clone()));
        }
        flow
    }

    /// Decides one write on the state that the group has made so far, and adds its effects to the group.
    /// One that panics or cannot be applied adds nothing.
    fn decide(&self, group: &mut Group, job: Job<M>, first: Stamp) {
        let stamp = first.of_write(group.writes.len());
        let state = self.view.state_within(&group.effects);
        let Outcome {
            origin,
            span,
            decided,
        } = job(&state, stamp);
        let Decision {
            changes,
            subject,
            reply: answer,
        } = decided;
        if changes.is_empty() {
            return group.answers.push((answer, Ok(())));
        }
        let applied = catch_unwind(AssertUnwindSafe(|| {
            apply::<M>(state, &changes, origin.request.as_ref(), &subject, stamp)
        }));
        match applied.unwrap_or_else(|panic| Err(panicked(&*panic))) {
            Ok(effects) => {
                group.add(effects, to_write(origin, subject, &changes), answer, span);
            }
            Err(error) => group.answers.push((answer, Err(error))),
        }
    }

    fn commit(
        &self,
        effects: Effects,
        writes: Vec<Write>,
        bytes: usize,
        first: Stamp,
    ) -> Result<Stamp, Error> {
        let last = self.view.meta().stamp;
        if writes.is_empty() {
            return Ok(last);
        }
        self.space.check(bytes as u64)?;
        let group = u32::try_from(writes.len()).unwrap_or(u32::MAX);
        let stamp = first.of_write(writes.len() - 1);
        let body = entry::encode(writes);
        step("journal.append", || {
            self.journal.append(last.position, stamp.time, &body)
        })?;
        self.vitals.group.record(group);
        let started = Instant::now();
        let applied = step("view.apply", || {
            self.view.apply(effects, stamp, self.journal.last_hash())
        });
        self.vitals.apply.record(started.elapsed());
        if let Err(error) = applied {
            // The entry is durable, but readers could not see it: only a new start brings both together.
            tracing::error!(%error, "the view refused a durable entry; the process ends and replays it");
            std::process::abort();
        }
        self.published.send_replace(stamp);
        Ok(stamp)
    }
}

impl Group {
    fn has_room(&self, limits: GroupLimits) -> bool {
        self.answers.len() < limits.writes
            && self.bytes < limits.bytes
            && self.effect_bytes < MAX_EFFECT_BYTES
    }

    fn add(&mut self, effects: Effects, write: Write, answer: Answer, span: Span) {
        // A small change may rewrite large values: both are held until the group is committed.
        self.effect_bytes += bytes_of(&effects);
        self.bytes += write.encoded_len();
        self.effects.extend(effects);
        self.writes.push(write);
        self.answers.push((answer, Ok(())));
        if !span.is_disabled() {
            self.spans.push(span);
        }
    }
}

fn to_write<C: Message>(origin: Origin, subject: String, changes: &[C]) -> Write {
    let (request_id, request_digest) = origin.request.map_or_else(Default::default, |request| {
        (Bytes::copy_from_slice(&request.id), request.digest)
    });
    Write {
        who: origin.who,
        request_id,
        request_digest,
        subject,
        changes: changes.iter().map(|c| c.encode_to_vec().into()).collect(),
    }
}

/// Applies one write's changes to `state`; the same when it is made and when it is replayed.
pub(crate) fn apply<M: Model>(
    mut state: State<'_>,
    changes: &[M::Change],
    request: Option<&Request>,
    subject: &str,
    stamp: Stamp,
) -> Result<Effects, Error> {
    for change in changes {
        M::apply(&mut state, change, stamp)?;
    }
    if let Some(request) = request {
        requests::remember(&mut state, request, subject)?;
    }
    Ok(state.into_effects())
}
