//! The health service: serving until the shutdown is triggered, not serving from then on. A service that calls are
//! passed to serves while it can be reached.
//!
//! It reads the [`Shutdown`], and what is known of the way to a service, instead of keeping a status for each service,
//! so that it cannot be behind; and its watches end there, because one that stays open would hold every drain to its
//! limit.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::watch;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::{Health, HealthServer};

use proto::error::v1::ErrorReason;

use crate::Shutdown;

pub use tonic_health::pb::health_check_response::ServingStatus;
pub use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// Whether each service can be reached.
pub(crate) type Services = HashMap<&'static str, watch::Receiver<bool>>;

pub(crate) struct Liveness {
    services: Arc<Services>,
    shutdown: Shutdown,
}

pub(crate) fn server(services: Services, shutdown: Shutdown) -> HealthServer<Liveness> {
    let services = services.into();
    HealthServer::new(Liveness { services, shutdown })
}

impl Liveness {
    /// What is known of a service. The empty name is the process.
    fn find(&self, service: &str) -> Option<watch::Receiver<bool>> {
        if service.is_empty() {
            return Some(always());
        }
        self.services.get(service).cloned()
    }

    fn status(&self, reached: bool) -> ServingStatus {
        if reached && !self.shutdown.is_triggered() {
            return ServingStatus::Serving;
        }
        ServingStatus::NotServing
    }
}

#[tonic::async_trait]
impl Health for Liveness {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let HealthCheckRequest { service } = request.into_inner();
        let reached = self.find(&service).ok_or_else(unknown)?;
        let status = self.status(*reached.borrow());
        Ok(Response::new(response(status)))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let HealthCheckRequest { service } = request.into_inner();
        let shutdown = self.shutdown.wait();
        let statuses = match self.find(&service) {
            Some(reached) => changes(reached).boxed(),
            None => unknown_for_ever().boxed(),
        };
        let last = stream::iter([ServingStatus::NotServing]);
        let statuses = statuses.take_until(shutdown).chain(last);
        Ok(Response::new(statuses.map(response).map(Ok).boxed()))
    }
}

/// Whether a process says that it serves: itself, under the empty name, or a service by its full name.
pub async fn serves(process: Channel, service: &str) -> Result<bool, Status> {
    let asked = HealthCheckRequest {
        service: service.to_owned(),
    };
    let answer = HealthClient::new(process).check(asked).await?;
    Ok(answer.get_ref().status() == ServingStatus::Serving)
}

/// What can be said of a service of this process: it serves as long as the process does.
pub(crate) fn always() -> watch::Receiver<bool> {
    watch::channel(true).1
}

fn unknown_for_ever() -> impl Stream<Item = ServingStatus> {
    stream::iter([ServingStatus::ServiceUnknown]).chain(stream::pending())
}

/// What is so, and what it becomes.
fn changes(reached: watch::Receiver<bool>) -> impl Stream<Item = ServingStatus> {
    stream::unfold((reached, true), |(mut reached, first)| async move {
        if !first && reached.changed().await.is_err() {
            // Whoever could tell more is gone: it stays as it is.
            return std::future::pending().await;
        }
        let serving = *reached.borrow_and_update();
        let status = if serving {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        Some((status, (reached, false)))
    })
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}

fn unknown() -> Status {
    proto::status(
        Code::NotFound,
        ErrorReason::NotFound,
        "no service of that name is served here",
        [],
    )
}
