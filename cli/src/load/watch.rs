//! Streams that are open while a scenario runs: how long it takes from when an event was to be recorded to its message.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use hdrhistogram::Histogram;
use prost::Message;
use proto::events::v1::events_change::Change;
use proto::gateway::v1::{WatchRelationshipRequest, WatchRelationshipResponse};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::calls::intended;
use super::meter::{histogram, note};
use super::result::{Latency, Watched};
use super::wire::{Failure, Line, Messages, Target, framed};

const PATH: &str = "/entente.gateway.v1.GatewayService/WatchRelationship";
/// Streams of a connection: a gateway takes 100.
const BY_CONNECTION: usize = 90;
/// How long all streams may take to open.
const OPEN_LIMIT: Duration = Duration::from_secs(60);
/// So long without a message is an end; how often that is waited for.
const QUIET: Duration = Duration::from_millis(200);
const MOST_QUIET: usize = 50;
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
    latency: Histogram<u64>,
    messages: u64,
    others: u64,
    broken: u64,
}

/// One of them.
struct Watcher {
    line: Arc<Line>,
    target: Arc<Target>,
    run: String,
    epoch: Instant,
    request: WatchRelationshipRequest,
    seen: Arc<Mutex<Seen>>,
    greeted: Option<mpsc::UnboundedSender<()>>,
}

impl Crowd {
    /// Watchers who all know where they begin. Times count from `epoch`, in the events of a run.
    pub(super) async fn gather(
        target: &Arc<Target>,
        pair: &[String; 2],
        streams: usize,
        run: &str,
        epoch: Instant,
    ) -> anyhow::Result<Crowd> {
        let seen = Arc::new(Mutex::new(Seen::new()));
        let (greeted, mut greetings) = mpsc::unbounded_channel();
        let mut watching = JoinSet::new();
        let mut line = Line::open(target).await?;
        for number in 0..streams {
            if number > 0 && number % BY_CONNECTION == 0 {
                line = Line::open(target).await?;
            }
            let [country, partner] = pair.clone();
            let watcher = Watcher {
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
            };
            watching.spawn(watcher.watch());
        }
        let all = async {
            for _ in 0..streams {
                greetings.recv().await;
            }
        };
        let opened = tokio::time::timeout(OPEN_LIMIT, all).await;
        opened.with_context(|| {
            format!("{streams} streams of changes did not open; does a gateway answer there?")
        })?;
        Ok(Crowd {
            _watching: watching,
            seen,
            streams,
        })
    }

    /// Forgets what came so far.
    pub(super) fn start_over(&self) {
        *lock(&self.seen) = Seen::new();
    }

    /// What came.
    pub(super) fn watched(&self) -> Watched {
        let seen = lock(&self.seen);
        Watched {
            streams: self.streams as u64,
            messages: seen.messages,
            others: seen.others,
            broken: seen.broken,
            latency: Latency::of(&seen.latency),
        }
    }

    /// Waits until nothing more comes of what was recorded last.
    pub(super) async fn settle(&self) {
        let mut came = self.messages();
        for _ in 0..MOST_QUIET {
            tokio::time::sleep(QUIET).await;
            let now = self.messages();
            if now == came {
                return;
            }
            came = now;
        }
    }

    fn messages(&self) -> u64 {
        lock(&self.seen).messages
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    // Counters that panicked half-way are still counters.
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seen {
    fn new() -> Seen {
        Seen {
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
            drop(self.follow().await);
            lock(&self.seen).broken += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn follow(&mut self) -> Result<(), Failure> {
        let head = self.target.head(PATH, None);
        let head = head.map_err(|error| Failure::new(tonic::Code::Internal, error.to_string()))?;
        let mut answer = self.line.stream(head, framed(&self.request)).await?;
        let mut messages = Messages::default();
        while let Some(bytes) = answer.next().await? {
            let now = Instant::now();
            messages.push(&bytes);
            while let Some(message) = messages.next()? {
                let message = WatchRelationshipResponse::decode(message);
                let message = message
                    .map_err(|error| Failure::new(tonic::Code::Internal, error.to_string()))?;
                self.take(message, now);
            }
        }
        Ok(())
    }

    fn take(&mut self, message: WatchRelationshipResponse, now: Instant) {
        let since = now.saturating_duration_since(self.epoch);
        let run = &self.run;
        let named = message.events.iter().filter_map(|change| {
            let Some(Change::EventRecorded(recorded)) = &change.change else {
                return None;
            };
            recorded.event.as_ref()
        });
        let due: Vec<Duration> = named
            .filter_map(|event| intended(run, &event.name))
            .collect();
        let mut seen = lock(&self.seen);
        if due.is_empty() {
            seen.others += 1;
        } else {
            seen.messages += 1;
        }
        for due in due {
            note(&mut seen.latency, since.saturating_sub(due));
        }
        drop(seen);
        self.request.cursor = message.cursor;
        if let Some(greeted) = self.greeted.take() {
            // Who counts the greetings may have given up.
            greeted.send(()).ok();
        }
    }
}
