//! A collector of traces, in the process of the test.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// Takes spans until it is dropped.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    taken: watch::Receiver<Spans>,
    serving: JoinHandle<()>,
}

/// Spans, each with the name of the process that sent it.
#[derive(Clone, Debug, Default)]
pub struct Spans(pub Vec<(String, Span)>);

impl Collector {
    /// Starts one on a free port.
    pub async fn start() -> Collector {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (taking, taken) = watch::channel(Spans::default());
        let server = TraceServiceServer::new(Taking(Arc::new(taking)));
        let serving = tonic::transport::Server::builder().add_service(server);
        let serving = serving.serve_with_incoming(TcpIncoming::from(listener));
        Collector {
            address,
            taken,
            serving: tokio::spawn(async move { serving.await.expect("it serves") }),
        }
    }

    /// Where processes send to.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until what came is as it should be.
    pub async fn until(&mut self, is_so: impl FnMut(&Spans) -> bool) -> Spans {
        let taken = self.taken.wait_for(is_so).await;
        taken.expect("the collector serves").clone()
    }

    /// What has come so far.
    pub fn so_far(&self) -> Spans {
        self.taken.borrow().clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Spans {
    /// Those of a trace.
    #[must_use]
    pub fn of_trace(&self, id: &str) -> Spans {
        let of_trace = self.0.iter().filter(|(_, span)| trace_id(span) == id);
        Spans(of_trace.cloned().collect())
    }

    /// Those of a name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &(String, Span)> {
        self.0.iter().filter(move |(_, span)| span.name == name)
    }

    /// The processes that sent any.
    pub fn processes(&self) -> BTreeSet<&str> {
        self.0.iter().map(|(process, _)| &**process).collect()
    }

    /// The span under which another one is, if it is here.
    pub fn above(&self, span: &Span) -> Option<&(String, Span)> {
        let mut all = self.0.iter();
        all.find(|(_, other)| other.span_id == span.parent_span_id)
    }
}

/// The number that a span has under a name.
pub fn number(span: &Span, name: &str) -> Option<i64> {
    let found = span.attributes.iter().find(|found| found.key == name)?;
    if let Value::IntValue(number) = found.value.as_ref()?.value.as_ref()? {
        return Some(*number);
    }
    None
}

/// The id of a span's trace, as it is written.
pub fn trace_id(span: &Span) -> String {
    let id = span.trace_id[..].try_into().map(u128::from_be_bytes);
    format!("{:032x}", id.expect("16 bytes"))
}

struct Taking(Arc<watch::Sender<Spans>>);

#[tonic::async_trait]
impl TraceService for Taking {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for sent in request.into_inner().resource_spans {
            let resource = sent.resource.unwrap_or_default();
            let named = resource
                .attributes
                .into_iter()
                .find(|a| a.key == "service.name");
            let name = match named.and_then(|named| named.value?.value) {
                Some(Value::StringValue(name)) => name,
                _ => String::new(),
            };
            let spans = sent.scope_spans.into_iter().flat_map(|scope| scope.spans);
            self.0.send_modify(|taken| {
                taken.0.extend(spans.map(|span| (name.clone(), span)));
            });
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}
