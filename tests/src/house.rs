//! All three services and a gateway before them, for stories about more than one service.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};

use chassis::Shutdown;
use gateway::{Backend, Backends, Gateway};
use http::{Request, Response};
use proto::culture::v1::culture_service_server::CultureServiceServer;
use proto::events::v1::events_service_server::EventsServiceServer;
use proto::gateway::v1::gateway_service_client::GatewayServiceClient;
use proto::gateway::v1::gateway_service_server::GatewayServiceServer;
use proto::journal::v1::journal_service_server::JournalServiceServer;
use proto::trade::v1::trade_service_server::TradeServiceServer;
use records::Journals;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::Channel;

use crate::{Role, Server, Way};

/// A client of a gateway in the same process.
pub type GatewayClient = GatewayServiceClient<GatewayServiceServer<Gateway>>;

/// Three services and the lines to them.
#[derive(Debug)]
pub struct House {
    /// Trade.
    pub trade: Server,
    /// Events.
    pub events: Server,
    /// Culture.
    pub culture: Server,
    lines: [Line; 3],
}

/// The line to a service, which may be cut.
#[derive(Clone, Debug)]
struct Line(Arc<RwLock<Option<Channel>>>);

impl Line {
    async fn to(server: &Server) -> Line {
        Line(Arc::new(RwLock::new(Some(server.channel().await))))
    }

    /// Cuts it: whoever calls is told that the service is not there.
    fn cut(&self) {
        self.put(None);
    }

    /// Connects it again, after it was cut or the service started anew.
    async fn mend(&self, server: &Server) {
        self.put(Some(server.channel().await));
    }

    fn put(&self, channel: Option<Channel>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = channel;
    }

    fn channel(&self) -> Option<Channel> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn backend<S: NamedService + 'static>(&self) -> Backend {
        let routes = Routes::new(Passing::<S>::over(self.clone()));
        let journals = Passing::<JournalServiceServer<Journals>>::over(self.clone());
        Backend::direct(routes.add_service(journals))
    }
}

impl House {
    /// Starts all of it on empty folders.
    pub async fn start(way: Way) -> House {
        let trade = Server::start_as(Role::Trade, way).await;
        let events = Server::start_as(Role::Events, way).await;
        let culture = Server::start_as(Role::Culture, way).await;
        let lines = [
            Line::to(&trade).await,
            Line::to(&events).await,
            Line::to(&culture).await,
        ];
        House {
            trade,
            events,
            culture,
            lines,
        }
    }

    /// A new gateway before the services, which ends with `shutdown`.
    pub fn gateway(&self, shutdown: &Shutdown) -> Gateway {
        let [trade, events, culture] = &self.lines;
        let backends = Backends {
            trade: trade.backend::<TradeServiceServer<trade::Trade>>(),
            events: events.backend::<EventsServiceServer<events::Events>>(),
            culture: culture.backend::<CultureServiceServer<culture::Culture>>(),
        };
        Gateway::new(&backends, shutdown.clone())
    }

    /// A client of a new gateway.
    pub fn client(&self) -> GatewayClient {
        GatewayServiceClient::new(self.gateway(&Shutdown::new()).server())
    }

    /// A service.
    pub fn server(&mut self, role: Role) -> &mut Server {
        match role {
            Role::Trade => &mut self.trade,
            Role::Events => &mut self.events,
            Role::Culture => &mut self.culture,
        }
    }

    /// Cuts the line to a service.
    pub fn cut(&self, role: Role) {
        self.line(role).cut();
    }

    /// Mends the line to a service, after it was cut or the service was started again.
    pub async fn mend(&mut self, role: Role) {
        let line = self.line(role).clone();
        line.mend(self.server(role)).await;
    }

    fn line(&self, role: Role) -> &Line {
        match role {
            Role::Trade => &self.lines[0],
            Role::Events => &self.lines[1],
            Role::Culture => &self.lines[2],
        }
    }

    /// Stops the services in good order.
    pub async fn stop(&mut self) {
        self.trade.stop().await;
        self.events.stop().await;
        self.culture.stop().await;
    }
}

/// A service that is at the other end of a line, by the name of `S`.
struct Passing<S> {
    line: Line,
    name: PhantomData<fn() -> S>,
}

impl<S> Passing<S> {
    fn over(line: Line) -> Passing<S> {
        let name = PhantomData;
        Passing { line, name }
    }
}

impl<S> Clone for Passing<S> {
    fn clone(&self) -> Passing<S> {
        Passing::over(self.line.clone())
    }
}

impl<S: NamedService> NamedService for Passing<S> {
    const NAME: &'static str = S::NAME;
}

type Calling = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<S> Service<Request<Body>> for Passing<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Calling;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Calling {
        let channel = self.line.channel();
        Box::pin(async move {
            let Some(channel) = channel else {
                return Ok(Status::unavailable("the line is cut").into_http());
            };
            let answer = tower::ServiceExt::oneshot(channel, request).await;
            let lost = |error| Status::unavailable(format!("the line broke: {error}")).into_http();
            Ok(answer.map_or_else(lost, |answer| answer.map(Body::new)))
        })
    }
}
