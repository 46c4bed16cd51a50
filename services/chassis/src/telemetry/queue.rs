//! The queue of spans in front of the collector. What does not fit is lost, and counted: the exporter's own queue drops
//! spans without a word to anybody, so it is never let run full.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metrics::Counter;
use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::collector::lost;

/// Spans that have ended and are neither sent nor lost, those under way to the collector included.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn begin(&self, most: usize) -> bool {
        let more = |waiting: usize| (waiting < most).then_some(waiting + 1);
        let begun = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        begun.is_ok()
    }

    /// So many wait no longer.
    pub(super) fn end(&self, spans: usize) {
        self.0.fetch_sub(spans, Ordering::Relaxed);
    }
}

/// Lets so many spans through to an exporter that ends their waiting.
#[derive(Debug)]
pub(super) struct Queue<P> {
    exporter: P,
    waiting: Waiting,
    most: usize,
    lost: Counter,
}

impl<P> Queue<P> {
    pub(super) fn new(exporter: P, waiting: Waiting, most: usize) -> Queue<P> {
        Queue {
            exporter,
            waiting,
            most,
            lost: lost(),
        }
    }
}

impl<P: SpanProcessor> SpanProcessor for Queue<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.exporter.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.waiting.begin(self.most) {
            self.exporter.on_end(span);
        } else {
            self.lost.increment(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_than_may_wait_is_turned_away_until_some_are_sent() {
        let waiting = Waiting::default();
        let begun = |wanted| (0..wanted).filter(|_| waiting.begin(4)).count();
        assert_eq!(begun(6), 4);
        waiting.end(3);
        assert_eq!(begun(6), 3);
    }
}
