//! The desk: a trade service that does as the name asked for says, the process around it, and clients.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use chassis::{App, Caller, Config, Deadline, Drained, Error, PeerNames, Shutdown};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use hyper_util::rt::{TokioExecutor, TokioIo};
use proto::trade::v1::trade_service_client::TradeServiceClient;
use proto::trade::v1::trade_service_server::SERVICE_NAME;
use proto::trade::v1::{
    Dataset, GetDatasetRequest, IngestObservationsRequest, IngestObservationsResponse,
    WatchChangesRequest, WatchChangesResponse,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::server::{
    ClientStreamingService, Grpc, NamedService, ServerStreamingService, UnaryService,
};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;
use tower::util::BoxCloneService;

pub(crate) const METHOD: &str = "/entente.trade.v1.TradeService/GetDataset";

/// A limit for whatever is waited for: reached only by a failing test.
pub(crate) async fn within<T>(awaited: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(20);
    let waited = tokio::time::timeout(limit, awaited).await;
    waited.expect("what the test waits for did not happen")
}

/// A trade service that does as it is told.
#[derive(Clone)]
pub(crate) struct Desk {
    begun: Arc<Semaphore>,
    gate: Arc<Semaphore>,
    left: Arc<Semaphore>,
    shutdown: Shutdown,
}

/// A desk in a process.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) desk: Desk,
    pub(crate) shutdown: Shutdown,
    serving: JoinHandle<Result<Drained, Error>>,
}

impl Running {
    pub(crate) fn start() -> Self {
        Self::with(&Config::default())
    }

    pub(crate) fn with(config: &Config) -> Self {
        let listener = chassis::bind(([127, 0, 0, 1], 0).into(), config).unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let desk = Desk::new(shutdown.clone());
        let app = App::new(proto::DESCRIPTORS).service(DeskServer(desk.clone()));
        let (config, stop) = (config.clone(), shutdown.clone());
        let serve = async move { chassis::serve(listener, app, &config, stop).await };
        Self {
            address,
            desk,
            shutdown,
            serving: tokio::spawn(serve),
        }
    }

    /// How the serving ended, once it does.
    pub(crate) async fn drained(self) -> Drained {
        within(self.serving).await.unwrap().unwrap()
    }

    /// Why it did not serve.
    pub(crate) async fn failed(self) -> Error {
        within(self.serving).await.unwrap().unwrap_err()
    }

    pub(crate) async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        within(endpoint.connect()).await.unwrap()
    }

    pub(crate) async fn client(&self) -> TradeServiceClient<Channel> {
        TradeServiceClient::new(self.channel().await)
    }

    /// A generated client over plain HTTP/2: tonic's channel has a timer of its own, which ends a call
    /// with CANCELLED at about the time when the server's answer comes.
    pub(crate) async fn patient_client(&self) -> TradeServiceClient<Http> {
        client_over(self.socket().await).await
    }

    /// A connection on which nothing was sent.
    pub(crate) async fn socket(&self) -> TcpStream {
        within(TcpStream::connect(self.address)).await.unwrap()
    }
}

/// A generated client over HTTP/2 on a stream.
pub(crate) async fn client_over<S>(stream: S) -> TradeServiceClient<Http>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    try_client_over(stream).await.unwrap()
}

/// The same where the server may hang up.
pub(crate) async fn try_client_over<S>(stream: S) -> hyper::Result<TradeServiceClient<Http>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(stream);
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
    let (sender, connection) = within(handshake).await?;
    tokio::spawn(connection);
    let send = move |request| sender.clone().send_request(request);
    let http = Http::new(tower::service_fn(send));
    let origin = "http://trade".parse().unwrap();
    Ok(TradeServiceClient::with_origin(http, origin))
}

pub(crate) type Http =
    BoxCloneService<http::Request<Body>, http::Response<hyper::body::Incoming>, hyper::Error>;

/// `GetDataset` of a name; the desk does as it says.
pub(crate) fn get(name: &str) -> Request<GetDatasetRequest> {
    let name = name.to_owned();
    Request::new(GetDatasetRequest { name, as_of: None })
}

/// `WatchChanges` of a dataset; the desk does as it says.
pub(crate) fn watch(dataset: &str) -> Request<WatchChangesRequest> {
    let dataset = dataset.to_owned();
    Request::new(WatchChangesRequest {
        dataset,
        ..WatchChangesRequest::default()
    })
}

pub(crate) fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().unwrap().reason.clone()
}

impl Desk {
    pub(crate) fn new(shutdown: Shutdown) -> Self {
        let closed = || Arc::new(Semaphore::new(0));
        Self {
            begun: closed(),
            gate: closed(),
            left: closed(),
            shutdown,
        }
    }

    /// A call has begun to wait.
    pub(crate) async fn begun(&self) {
        within(self.begun.acquire()).await.unwrap().forget();
    }

    /// A waiting call was dropped or answered.
    pub(crate) async fn left(&self) {
        within(self.left.acquire()).await.unwrap().forget();
    }

    /// Lets one call through that waits at the gate.
    pub(crate) fn open_gate(&self) {
        self.gate.add_permits(1);
    }

    async fn wait_at_the_gate(&self) {
        let _leaving = Leaving(self.left.clone());
        self.begun.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
    }
}

struct Leaving(Arc<Semaphore>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

fn metadata(request: &Request<GetDatasetRequest>, key: &str) -> String {
    let value = request.metadata().get(key);
    value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
}

fn caller(request: &Request<GetDatasetRequest>) -> String {
    let caller = request.extensions().get::<Caller>();
    caller.map_or_else(String::new, |caller| {
        format!("{} ({})", caller.name, caller.role.name())
    })
}

/// What is left of what the caller showed.
fn shown(request: &Request<GetDatasetRequest>) -> String {
    let names = ["authorization", "x-entente-caller", "x-entente-role"];
    names.map(|name| metadata(request, name)).concat()
}

fn left_ms(request: &Request<GetDatasetRequest>) -> String {
    let deadline = request.extensions().get::<Deadline>().unwrap();
    deadline.remaining().as_millis().to_string()
}

fn peer_names(request: &Request<GetDatasetRequest>) -> String {
    let names = request.extensions().get::<PeerNames>();
    names.map_or_else(|| "nobody".to_owned(), |names| names.0.join(" "))
}

type Changes = BoxStream<'static, Result<WatchChangesResponse, Status>>;

/// What the desk does with a call; of the trade service it has these three.
impl Desk {
    async fn get_dataset(
        &self,
        request: Request<GetDatasetRequest>,
    ) -> Result<Response<Dataset>, Status> {
        let name = match request.get_ref().name.as_str() {
            "gate" => {
                self.wait_at_the_gate().await;
                "through".to_owned()
            }
            "panic" => panic!("the desk fell over"),
            "defect" => return Err(Status::internal("a defect")),
            "missing" => return Err(Status::not_found("no such dataset")),
            "caller" => caller(&request),
            "shown" => shown(&request),
            "request id" => metadata(&request, "x-request-id"),
            "timeout" => metadata(&request, "grpc-timeout"),
            "time left" => left_ms(&request),
            "peer names" => peer_names(&request),
            "peer" => request.remote_addr().unwrap().to_string(),
            other => other.to_owned(),
        };
        Ok(Response::new(Dataset {
            name,
            ..Dataset::default()
        }))
    }

    fn watch_changes(
        &self,
        request: &Request<WatchChangesRequest>,
    ) -> Result<Response<Changes>, Status> {
        let message = Ok(WatchChangesResponse::default());
        let leaving = Leaving(self.left.clone());
        let changes = match request.get_ref().dataset.as_str() {
            "busy" => stream::repeat(message).boxed(),
            "panic" => stream::iter([message])
                .chain(stream::once(async {
                    // Until a stream waits, tonic keeps what it has said back.
                    tokio::task::yield_now().await;
                    panic!("the watch fell over")
                }))
                .boxed(),
            "silent" => stream::iter([message]).chain(stream::pending()).boxed(),
            "until shutdown" => stream::iter([message])
                .chain(stream::pending())
                .take_until(self.shutdown.wait())
                .boxed(),
            other => return Err(Status::invalid_argument(other)),
        };
        let held = changes.inspect(move |_| {
            let _held = &leaving;
        });
        Ok(Response::new(held.boxed()))
    }

    async fn ingest_observations(
        &self,
        request: Request<Streaming<IngestObservationsRequest>>,
    ) -> Result<Response<IngestObservationsResponse>, Status> {
        let limited = request.extensions().get::<Deadline>().is_some();
        self.wait_at_the_gate().await;
        Ok(Response::new(IngestObservationsResponse {
            skipped_batches: i64::from(limited),
            ..IngestObservationsResponse::default()
        }))
    }
}

/// A server of the desk, as a generated one is made: it stands under the trade service's name, so that its
/// client and its schema fit, and has no more methods than the stories need.
#[derive(Clone)]
pub(crate) struct DeskServer(pub(crate) Desk);

impl NamedService for DeskServer {
    const NAME: &'static str = SERVICE_NAME;
}

type Answering = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl Service<http::Request<Body>> for DeskServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answering {
        let desk = self.0.clone();
        Box::pin(async move {
            let method = request.uri().path().rsplit('/').next().unwrap_or_default();
            Ok(match method {
                "GetDataset" => grpc().unary(Get(desk), request).await,
                "WatchChanges" => grpc().server_streaming(Watching(desk), request).await,
                "IngestObservations" => grpc().client_streaming(Ingesting(desk), request).await,
                _ => Status::unimplemented("not here").into_http(),
            })
        })
    }
}

fn grpc<A, Q>() -> Grpc<ProstCodec<A, Q>>
where
    A: prost::Message + Send + 'static,
    Q: prost::Message + Default + Send + 'static,
{
    Grpc::new(ProstCodec::default())
}

struct Get(Desk);

impl UnaryService<GetDatasetRequest> for Get {
    type Response = Dataset;
    type Future = BoxFuture<'static, Result<Response<Dataset>, Status>>;

    fn call(&mut self, request: Request<GetDatasetRequest>) -> Self::Future {
        let desk = self.0.clone();
        Box::pin(async move { desk.get_dataset(request).await })
    }
}

struct Watching(Desk);

impl ServerStreamingService<WatchChangesRequest> for Watching {
    type Response = WatchChangesResponse;
    type ResponseStream = Changes;
    type Future = std::future::Ready<Result<Response<Changes>, Status>>;

    fn call(&mut self, request: Request<WatchChangesRequest>) -> Self::Future {
        std::future::ready(self.0.watch_changes(&request))
    }
}

struct Ingesting(Desk);

impl ClientStreamingService<IngestObservationsRequest> for Ingesting {
    type Response = IngestObservationsResponse;
    type Future = BoxFuture<'static, Result<Response<IngestObservationsResponse>, Status>>;

    fn call(&mut self, request: Request<Streaming<IngestObservationsRequest>>) -> Self::Future {
        let desk = self.0.clone();
        Box::pin(async move { desk.ingest_observations(request).await })
    }
}
