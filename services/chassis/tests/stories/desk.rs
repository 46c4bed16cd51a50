//! The desk: a trade service that does as the name asked for says, the process around it, and clients.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chassis::{App, Config, Deadline, Drained, Error, Shutdown};
use futures_util::stream::{self, BoxStream, StreamExt};
use hyper_util::rt::{TokioExecutor, TokioIo};
use proto::trade::v1::trade_service_client::TradeServiceClient;
use proto::trade::v1::trade_service_server::{TradeService, TradeServiceServer};
use proto::trade::v1::{
    CreateDatasetRequest, Dataset, GetDatasetRequest, GetIngestRequest, GetObservationRequest,
    GetSeriesRequest, Ingest, IngestObservationsRequest, IngestObservationsResponse,
    ListDatasetsRequest, ListDatasetsResponse, ListObservationsRequest, ListObservationsResponse,
    Observation, Series, WatchChangesRequest, WatchChangesResponse,
};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status, Streaming};
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
        let listener = chassis::bind(([127, 0, 0, 1], 0).into(), false).unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let desk = Desk::new(shutdown.clone());
        let app = App::new(proto::DESCRIPTORS).service(TradeServiceServer::new(desk.clone()));
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
        let stream = within(TcpStream::connect(self.address)).await.unwrap();
        let io = TokioIo::new(stream);
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
        let (sender, connection) = within(handshake).await.unwrap();
        tokio::spawn(connection);
        let send = move |request| sender.clone().send_request(request);
        let http = Http::new(tower::service_fn(send));
        let origin = format!("http://{}", self.address).parse().unwrap();
        TradeServiceClient::with_origin(http, origin)
    }
}

pub(crate) type Http =
    BoxCloneService<http::Request<Body>, http::Response<hyper::body::Incoming>, hyper::Error>;

/// `GetDataset` of a name; the desk does as it says.
pub(crate) fn get(name: &str) -> Request<GetDatasetRequest> {
    let name = name.to_owned();
    Request::new(GetDatasetRequest { name })
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
    fn new(shutdown: Shutdown) -> Self {
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

fn left_ms(request: &Request<GetDatasetRequest>) -> String {
    let deadline = request.extensions().get::<Deadline>().unwrap();
    deadline.remaining().as_millis().to_string()
}

#[tonic::async_trait]
impl TradeService for Desk {
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
            "request id" => metadata(&request, "x-request-id"),
            "timeout" => metadata(&request, "grpc-timeout"),
            "time left" => left_ms(&request),
            "peer" => request.remote_addr().unwrap().to_string(),
            other => other.to_owned(),
        };
        Ok(Response::new(Dataset {
            name,
            ..Dataset::default()
        }))
    }

    type WatchChangesStream = BoxStream<'static, Result<WatchChangesResponse, Status>>;

    async fn watch_changes(
        &self,
        request: Request<WatchChangesRequest>,
    ) -> Result<Response<Self::WatchChangesStream>, Status> {
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

    async fn create_dataset(
        &self,
        _: Request<CreateDatasetRequest>,
    ) -> Result<Response<Dataset>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_datasets(
        &self,
        _: Request<ListDatasetsRequest>,
    ) -> Result<Response<ListDatasetsResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_ingest(&self, _: Request<GetIngestRequest>) -> Result<Response<Ingest>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_observation(
        &self,
        _: Request<GetObservationRequest>,
    ) -> Result<Response<Observation>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_observations(
        &self,
        _: Request<ListObservationsRequest>,
    ) -> Result<Response<ListObservationsResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_series(&self, _: Request<GetSeriesRequest>) -> Result<Response<Series>, Status> {
        Err(Status::unimplemented("not here"))
    }
}
