//! The collector of traces, which may be slow, or not there: then spans are lost, and nothing else.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::{Counter, counter};
use opentelemetry_otlp::SpanExporter as Exporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::queue::Waiting;

/// Pause between two lines of the log about a collector that takes nothing.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Sends spans, counts what becomes of them, and tells now and then that they are lost.
#[derive(Debug)]
pub(super) struct Collector {
    exporter: Exporter,
    url: String,
    sent: Counter,
    lost: Counter,
    waiting: Waiting,
    told: Mutex<Option<Instant>>,
}

impl Collector {
    pub(super) fn new(exporter: Exporter, url: &str, waiting: Waiting) -> Collector {
        Collector {
            exporter,
            url: url.to_owned(),
            sent: counter!("entente_spans_total", "outcome" => "sent"),
            lost: lost(),
            waiting,
            told: Mutex::default(),
        }
    }

    fn is_to_be_told(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told.is_none_or(|told| told.elapsed() >= TOLD_EVERY);
        if is_due {
            *told = Some(Instant::now());
        }
        is_due
    }
}

/// Spans that nobody gets.
pub(super) fn lost() -> Counter {
    counter!("entente_spans_total", "outcome" => "lost")
}

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let waited = batch.len();
        let spans = u64::try_from(waited).unwrap_or(u64::MAX);
        let sent = self.exporter.export(batch).await;
        self.waiting.end(waited);
        match &sent {
            Ok(()) => self.sent.increment(spans),
            Err(error) => {
                self.lost.increment(spans);
                if self.is_to_be_told() {
                    let collector = &self.url;
                    tracing::warn!(%error, spans, collector, "the collector takes no spans; they are lost");
                }
            }
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
