//! Streams that are open while a scenario runs: how long it takes from when an event was to be recorded to its message.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::bail;
use hdrhistogram::Histogram;
use prost::Message;
use proto::events::v1::events_change::Change;
use proto::gateway::v1::{WatchRelationshipRequest, WatchRelationshipResponse};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::Code;

use super::calls::intended;
use super::ledger::Ledger;
use super::meter::{histogram, note};
use super::result::{Latency, Watched};
use super::wire::{Failure, Line, Messages, Target, framed};

const PATH: &str = "/entente.gateway.v1.GatewayService/WatchRelationship";
/// Streams of a connection: a gateway takes 256 calls on one (`max_streams` of the chassis), many a proxy before it 100.
const BY_CONNECTION: usize = 90;
/// How long all streams may take to open.
const OPEN_LIMIT: Duration = Duration::from_secs(60);
/// How often is looked whether all messages have come.
const LOOK: Duration = Duration::from_millis(20);
/// Before a stream that broke is opened again.
const PAUSE: Duration = Duration::from_millis(250);

/// Watchers of a pair. Dropped, they leave.
#[derive(Debug)]
pub(super) struct Crowd {
    _watching: JoinSet<()>,
    seen: Arc<Mutex<Seen>>,
    streams: usize,
}

#[derive(Debug)]
struct Seen {
    /// What was to be recorded before, since the epoch, does not count.
    from: Duration,
    ledger: Ledger,
    latency: Histogram<u64>,
    messages: u64,
    others: u64,
    broken: u64,
}

/// One of them.
struct Watcher {
    number: usize,
    line: Arc<Line>,
    target: Arc<Target>,
    run: String,
    epoch: Instant,
    request: WatchRelationshipRequest,
    seen: Arc<Mutex<Seen>>,
    greeted: Option<Greeted>,
    /// Whether a message came since it broke the last time.
    is_open: bool,
}

/// Takes that a stream is open, or why it is not.
type Greeted = mpsc::UnboundedSender<Result<(), Failure>>;

impl Crowd {
    /// Watchers who all know where they begin. Times count from `epoch`, in the events of a run.
    pub(super) async fn gather(
        target: &Arc<Target>,
        pair: &[String; 2],
        streams: usize,
        run: &str,
        epoch: Instant,
    ) -> anyhow::Result<Crowd> {
        let seen = Arc::new(Mutex::new(Seen::new(Duration::ZERO, streams)));
        let (greeted, mut greetings) = mpsc::unbounded_channel();
        let mut watching = JoinSet::new();
        let mut line = Line::open(target).await?;
        for number in 0..streams {
            if number > 0 && number % BY_CONNECTION == 0 {
                line = Line::open(target).await?;
            }
            let [country, partner] = pair.clone();
            let watcher = Watcher {
                number,
                line: line.clone(),
                target: target.clone(),
                run: run.to_owned(),
                epoch,
                request: WatchRelationshipRequest {
                    country,
                    partner,
                    ..WatchRelationshipRequest::default()
                },
                seen: seen.clone(),
                greeted: Some(greeted.clone()),
                is_open: false,
            };
            watching.spawn(watcher.watch());
        }
        drop(greeted);
        opened(&mut greetings, streams).await?;
        Ok(Crowd {
            _watching: watching,
            seen,
            streams,
        })
    }

    /// Forgets what came so far, and what was to be recorded before a time since the epoch.
    pub(super) fn start_over(&self, from: Duration) {
        *lock(&self.seen) = Seen::new(as_named(from), self.streams);
    }

    /// The call of this number, which was to be made at a time since the epoch, may record an event.
    pub(super) fn expect(&self, number: u64, due: Duration) {
        let mut seen = lock(&self.seen);
        if as_named(due) >= seen.from {
            seen.ledger.expect(number);
        }
    }

    /// The call ended: of an event that it recorded every stream is to be told.
    pub(super) fn ended(&self, number: u64, has_recorded: bool) {
        let ledger = &mut lock(&self.seen).ledger;
        if has_recorded {
            ledger.record(number);
        } else {
            ledger.fail(number);
        }
    }

    /// What came of the events that were recorded, each of which is told to every stream.
    pub(super) fn watched(&self) -> Watched {
        let seen = lock(&self.seen);
        Watched {
            streams: self.streams as u64,
            messages: seen.messages,
            expected: seen.ledger.expected(),
            missing: seen.ledger.missing(),
            others: seen.others,
            broken: seen.broken,
            latency: Latency::of(&seen.latency),
        }
    }

    /// Waits until every stream was told of every event, and no longer than this.
    pub(super) async fn settle(&self, limit: Duration) {
        let last = Instant::now() + limit;
        while lock(&self.seen).ledger.missing() > 0 && Instant::now() < last {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// A time as the names of events say it: to the microsecond.
fn as_named(time: Duration) -> Duration {
    Duration::from_micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

/// Waits until so many streams are open. Who is not there may come; any other failure is one of all streams.
async fn opened(
    greetings: &mut mpsc::UnboundedReceiver<Result<(), Failure>>,
    streams: usize,
) -> anyhow::Result<()> {
    let (mut open, mut why) = (0, "no message came".to_owned());
    let last = tokio::time::Instant::now() + OPEN_LIMIT;
    while open < streams {
        match tokio::time::timeout_at(last, greetings.recv()).await {
            Ok(Some(Ok(()))) => open += 1,
            Ok(Some(Err(failure))) if failure.code == Code::Unavailable => {
                why = failure.to_string();
            }
            Ok(Some(Err(failure))) => bail!(
                "streams of changes do not open: {} ({failure})",
                proto::code_name(failure.code)
            ),
            Ok(None) | Err(_) => bail!(
                "{open} of {streams} streams of changes opened; does a gateway answer there? ({why})"
            ),
        }
    }
    Ok(())
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    // Counters that panicked half-way are still counters.
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seen {
    fn new(from: Duration, streams: usize) -> Seen {
        Seen {
            from,
            ledger: Ledger::new(streams),
            latency: histogram(),
            messages: 0,
            others: 0,
            broken: 0,
        }
    }
}

impl Watcher {
    /// Follows the stream, and opens it again from the last message where it breaks.
    async fn watch(mut self) {
        loop {
            // A stream that ends in good order was ended by a server that leaves.
            if let (Err(failure), Some(greeted)) = (self.follow().await, &self.greeted) {
                // Who counts the greetings may have given up.
                greeted.send(Err(failure)).ok();
            }
            lock(&self.seen).broken += u64::from(std::mem::take(&mut self.is_open));
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn follow(&mut self) -> Result<(), Failure> {
        let head = self.target.head(PATH);
        let head = head.map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
        let mut answer = self.line.stream(head, framed(&self.request)).await?;
        let mut messages = Messages::default();
        while let Some(bytes) = answer.next().await? {
            let now = Instant::now();
            messages.push(&bytes);
            while let Some(message) = messages.next()? {
                let message = WatchRelationshipResponse::decode(message);
                let message =
                    message.map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
                self.take(message, now);
            }
        }
        Ok(())
    }

    fn take(&mut self, message: WatchRelationshipResponse, now: Instant) {
        self.count(&message, now.saturating_duration_since(self.epoch));
        self.request.cursor = message.cursor;
        self.is_open = true;
        if let Some(greeted) = self.greeted.take() {
            greeted.send(Ok(())).ok();
        }
    }

    /// Counts a message that came so long after the epoch.
    fn count(&self, message: &WatchRelationshipResponse, since: Duration) {
        let run = &self.run;
        let named = message.events.iter().filter_map(|change| {
            let Some(Change::EventRecorded(recorded)) = &change.change else {
                return None;
            };
            recorded.event.as_ref()
        });
        let told: Vec<(u64, Duration)> = named
            .filter_map(|event| intended(run, &event.name))
            .collect();
        let mut seen = lock(&self.seen);
        let from = seen.from;
        if told.is_empty() {
            seen.others += 1;
        } else if told.iter().any(|(_, due)| *due >= from) {
            seen.messages += 1;
        }
        for (number, due) in told.into_iter().filter(|(_, due)| *due >= from) {
            if seen.ledger.tell(number, self.number) {
                note(&mut seen.latency, since.saturating_sub(due));
            }
        }
    }
}
