//! Traces over OTLP: which calls are recorded, and where their spans go.
//!
//! A span is exported if it has the target [`TRACED`] and belongs to a call that is recorded. Whether one is, is
//! decided at its start, once: by whoever calls if they say so, else by chance. So of a call that is not recorded
//! nothing is made, and without a collector the spans are switched off where they stand in the code.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider,
};
use opentelemetry::{Context as Parent, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, IdGenerator, RandomIdGenerator, Sampler, SdkTracer,
    SdkTracerProvider,
};
use tonic::transport::Endpoint;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use super::collector::Collector;
use super::queue::{Queue, Waiting};
use crate::{Error, Trace};

/// The target of what is exported.
pub const TRACED: &str = "entente::traced";
/// The span of a call, which stands above all others of this process.
const CALL: &str = "call";

/// Spans that wait for the collector; one more is lost.
const QUEUE: usize = 4_096;
/// Spans that are sent at once.
const BATCH: usize = 512;
/// How long spans wait for others.
const DELAY: Duration = Duration::from_secs(2);
/// How long the collector may take to be reached, and to take a batch.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const EXPORT_LIMIT: Duration = Duration::from_secs(10);
/// How long the last spans may take at the end of the process.
const END_LIMIT: Duration = Duration::from_secs(5);

/// Of how many calls that bring no decision one is recorded; not set without a collector.
static SHARE: OnceLock<f64> = OnceLock::new();

thread_local! {
    /// The id of the trace that is begun next on this thread.
    static NEXT: Cell<Option<u128>> = const { Cell::new(None) };
}

/// Where traces go, and how many.
#[derive(Clone, Debug, PartialEq)]
pub struct Otlp {
    /// The collector, as `http://HOST:PORT`. It takes gRPC.
    pub url: String,
    /// The share of calls that are recorded, of those whose caller does not say; from 0 to 1.
    pub ratio: f64,
    /// What the process is called in traces.
    pub service: String,
}

/// Traces that are recorded and sent.
#[derive(Debug)]
#[must_use]
pub struct Recording {
    provider: SdkTracerProvider,
}

impl Recording {
    /// Begins to record; nothing is recorded before there is a layer of it.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub(super) fn start(otlp: &Otlp) -> Result<Recording, Error> {
        let exporter = exporter(&otlp.url)?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        let waiting = Waiting::default();
        let collector = Collector::new(exporter, &otlp.url, waiting.clone());
        let sending = BatchSpanProcessor::builder(collector).with_batch_config(batches);
        let queue = Queue::new(sending.build(), waiting, QUEUE);
        let resource = Resource::builder_empty().with_attributes([
            KeyValue::new("service.name", otlp.service.clone()),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ]);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(queue)
            .with_sampler(Sampler::AlwaysOn)
            .with_id_generator(Named::default())
            .with_resource(resource.build())
            .build();
        // A second start is refused with the second log.
        SHARE.get_or_init(|| otlp.ratio);
        Ok(Recording { provider })
    }

    /// What takes the spans.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let tracer: SdkTracer = self.provider.tracer("entente");
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(Recorded)
    }

    /// Sends what is left, for a few seconds at most.
    pub async fn end(self) {
        let ending =
            tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(END_LIMIT));
        match tokio::time::timeout(END_LIMIT + Duration::from_secs(1), ending).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the last spans were not sent"),
            Ok(Err(_)) | Err(_) => tracing::warn!("the last spans were not sent"),
        }
    }
}

fn exporter(url: &str) -> Result<SpanExporter, Error> {
    let refused = |why: String| Error::Collector {
        url: url.to_owned(),
        why,
    };
    if !url.starts_with("http://") {
        return Err(refused("it does not begin with http://".to_owned()));
    }
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|e| refused(e.to_string()))?;
    let channel = endpoint
        .connect_timeout(CONNECT_LIMIT)
        .timeout(EXPORT_LIMIT)
        .connect_lazy();
    let exporter = SpanExporter::builder().with_tonic().with_channel(channel);
    exporter.build().map_err(|e| refused(e.to_string()))
}

/// Whether a call is recorded whose caller says this of its trace.
pub(crate) fn wants(given: Option<Trace>) -> bool {
    let Some(share) = SHARE.get() else {
        return false;
    };
    given.map_or_else(|| Trace::chance() < *share, Trace::is_sampled)
}

/// Begins the span of a call in its trace, under its caller's if the trace was `given`; answers the trace as what comes
/// of the call belongs to it.
pub(crate) fn start(trace: Trace, given: bool, make: impl FnOnce() -> Span) -> (Span, Trace) {
    NEXT.set((!given).then_some(trace.id().0));
    let span = make();
    if given {
        // Fails only where nothing is recorded.
        drop(span.set_parent(Parent::new().with_remote_span_context(remote(trace))));
    }
    let begun = under(trace, &span);
    NEXT.set(None);
    (span, begun)
}

/// A trace as what belongs to a span of it goes on with it; itself when the span is not recorded.
pub(crate) fn under(trace: Trace, span: &Span) -> Trace {
    if SHARE.get().is_none() {
        return trace;
    }
    let context = span.context();
    let begun = context.span().span_context().clone();
    if begun.is_valid() {
        return trace.under(u64::from_be_bytes(begun.span_id().to_bytes()));
    }
    trace
}

fn remote(trace: Trace) -> SpanContext {
    SpanContext::new(
        TraceId::from(trace.id().0),
        SpanId::from(trace.parent()),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    )
}

/// Gives a trace the id that the log has for it.
#[derive(Debug, Default)]
struct Named(RandomIdGenerator);

impl IdGenerator for Named {
    fn new_trace_id(&self) -> TraceId {
        let named = NEXT.take().map(TraceId::from);
        named.unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

/// Lets spans of calls that are recorded pass, and what is below them.
struct Recorded;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Filter<S> for Recorded {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        metadata.target() == TRACED
            && (metadata.name() == CALL || context.lookup_current().is_some())
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.target() == TRACED {
            return Interest::sometimes();
        }
        Interest::never()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }
}
