//! A trade service that does as a story says, and a gateway in this process in front of it.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use chassis::{App, Drained, Shutdown};
use gateway::{Address, Backend};
use proto::trade::v1::trade_service_client::TradeServiceClient;
use proto::trade::v1::trade_service_server::SERVICE_NAME;
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::Client;
use crate::health::Health;
use crate::server::channel;

/// What a stub does with a call.
pub type Answering = Pin<Box<dyn Future<Output = http::Response<Body>> + Send>>;
type Act = Arc<dyn Fn(http::Request<Body>) -> Answering + Send + Sync>;

/// A stub that serves until it is dropped.
#[derive(Debug)]
pub struct Stub {
    address: SocketAddr,
    serving: JoinHandle<Drained>,
}

/// A gateway in front of stubs.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    serving: JoinHandle<Drained>,
}

impl Stub {
    /// Starts one.
    pub fn start(act: impl Fn(http::Request<Body>) -> Answering + Send + Sync + 'static) -> Stub {
        let act = Acting(Arc::new(act));
        let (address, serving) = serve(App::new(proto::DESCRIPTORS).service(act));
        Stub { address, serving }
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Door {
    /// Starts a gateway to them, and waits until one can be reached.
    pub async fn to(stubs: &[&Stub]) -> Door {
        let addresses = stubs.iter().map(|stub| format!("http://{}", stub.address));
        let addresses = addresses.map(|address| address.parse::<Address>().expect("an address"));
        let backend = Backend::remote(SERVICE_NAME, addresses.collect(), None);
        let mut reached = backend.reached();
        let (address, serving) = serve(App::new(proto::DESCRIPTORS).passed(SERVICE_NAME, backend));
        reached.wait_for(|reached| *reached).await.expect("reached");
        Door { address, serving }
    }

    /// A client with a connection of its own.
    pub async fn client(&self) -> Client {
        TradeServiceClient::new(self.channel().await)
    }

    /// A connection of its own.
    pub async fn channel(&self) -> Channel {
        channel(self.address).await
    }

    /// A watch of the stubs' health, as the gateway tells it.
    pub async fn health(&self) -> Health {
        Health::watch(&self.channel().await, SERVICE_NAME).await
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// An answer with a message in it.
pub fn ok(message: &impl prost::Message) -> http::Response<Body> {
    let bytes = message.encode_to_vec();
    let length = u32::try_from(bytes.len()).expect("a small message");
    let mut frame = vec![0];
    frame.extend(length.to_be_bytes());
    frame.extend(bytes);
    let mut trailers = http::HeaderMap::new();
    trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
    let body = http_body_util::Full::new(bytes::Bytes::from(frame));
    let body = http_body_util::BodyExt::with_trailers(body, async { Some(Ok(trailers)) });
    let mut response = http::Response::new(Body::new(body));
    let grpc = http::HeaderValue::from_static("application/grpc");
    response.headers_mut().insert("content-type", grpc);
    response
}

/// An answer that is a status.
pub fn refused(code: Code) -> http::Response<Body> {
    Status::new(code, "as the story says").into_http()
}

fn serve(app: App) -> (SocketAddr, JoinHandle<Drained>) {
    let config = chassis::Config::default();
    let listener = chassis::bind(([127, 0, 0, 1], 0).into(), &config).expect("a free port");
    let address = listener.local_addr().expect("bound");
    let serving = async move {
        let served = chassis::serve(listener, app, &config, Shutdown::new()).await;
        served.expect("it serves")
    };
    (address, tokio::spawn(serving))
}

#[derive(Clone)]
struct Acting(Act);

impl fmt::Debug for Acting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acting")
    }
}

impl NamedService for Acting {
    const NAME: &'static str = SERVICE_NAME;
}

impl Service<http::Request<Body>> for Acting {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answering = (self.0)(request);
        Box::pin(async move { Ok(answering.await) })
    }
}
