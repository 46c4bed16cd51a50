//! The health service: serving until the shutdown is triggered, not serving from then on.
//!
//! It reads the [`Shutdown`] instead of keeping a status for each service, so that it cannot be behind;
//! and its watches end there, because one that stays open would hold every drain to its limit.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{self, Stream, StreamExt};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use proto::error::v1::ErrorReason;

use crate::Shutdown;

pub(crate) struct Liveness {
    services: Arc<[&'static str]>,
    shutdown: Shutdown,
}

pub(crate) fn server(services: &[&'static str], shutdown: Shutdown) -> HealthServer<Liveness> {
    let services = services.into();
    HealthServer::new(Liveness { services, shutdown })
}

impl Liveness {
    /// The empty name is the process.
    fn knows(&self, service: &str) -> bool {
        service.is_empty() || self.services.contains(&service)
    }

    fn status(&self) -> ServingStatus {
        if self.shutdown.is_triggered() {
            return ServingStatus::NotServing;
        }
        ServingStatus::Serving
    }
}

#[tonic::async_trait]
impl Health for Liveness {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let HealthCheckRequest { service } = request.into_inner();
        if !self.knows(&service) {
            return Err(unknown());
        }
        Ok(Response::new(response(self.status())))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let HealthCheckRequest { service } = request.into_inner();
        let first = if self.knows(&service) {
            self.status()
        } else {
            ServingStatus::ServiceUnknown
        };
        let shutdown = self.shutdown.wait();
        let last = stream::once(async move {
            shutdown.await;
            ServingStatus::NotServing
        });
        let statuses = stream::iter([first]).chain(last);
        Ok(Response::new(statuses.map(response).map(Ok).boxed()))
    }
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
