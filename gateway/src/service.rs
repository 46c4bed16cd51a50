//! The calls that only a gateway can answer: parse, act, reply.

use std::sync::Arc;

use chassis::{Caller, Shutdown, telemetry};
use jiff::Timestamp;
use proto::gateway::v1 as wire;
use tonic::{Request, Response, Status};
use wire::gateway_service_server::{GatewayService, GatewayServiceServer};

use crate::Backends;
use crate::ask::{Asking, Services};
use crate::briefing::{Briefings, Query};
use crate::watch::{Messages, Watches};
use crate::{changes, status, timeline, vitals, watch};

/// What a call answers.
type Reply<T> = Result<Response<T>, Status>;

/// What a client takes if nobody told it otherwise.
const MAX_RESPONSE: usize = 4 << 20;
/// A question over all services has a handful of short fields.
const MAX_REQUEST: usize = 64 << 10;

/// Answers over trade, events and culture together; a cheap handle, to be cloned.
#[derive(Clone, Debug)]
pub struct Gateway {
    backends: Backends,
    started: i64,
    services: Services,
    briefings: Arc<Briefings>,
    watches: Arc<Watches>,
}

impl Gateway {
    /// Asks `backends`; streams end when `shutdown` is triggered.
    pub fn new(backends: &Backends, shutdown: Shutdown) -> Gateway {
        vitals::describe();
        let services = Services::new(backends);
        let watches = Arc::new(Watches::new(services.clone(), shutdown));
        telemetry::before_scrape(&watches, Watches::report);
        Gateway {
            briefings: Arc::new(Briefings::new(backends)),
            watches,
            backends: backends.clone(),
            started: Timestamp::now().as_microsecond(),
            services,
        }
    }

    /// The service as a server takes it.
    pub fn server(self) -> GatewayServiceServer<Gateway> {
        GatewayServiceServer::new(self)
            .max_decoding_message_size(MAX_REQUEST)
            .max_encoding_message_size(MAX_RESPONSE)
    }
}

#[tonic::async_trait]
impl GatewayService for Gateway {
    async fn get_briefing(
        &self,
        request: Request<wire::GetBriefingRequest>,
    ) -> Reply<wire::Briefing> {
        let asking = Asking::of(&request);
        let query = Query::try_from(request.into_inner())?;
        let briefing = self.briefings.get(query, asking).await?;
        Ok(Response::new(Arc::unwrap_or_clone(briefing)))
    }

    async fn list_timeline(
        &self,
        request: Request<wire::ListTimelineRequest>,
    ) -> Reply<wire::ListTimelineResponse> {
        let asking = Asking::of(&request);
        let query = timeline::Query::try_from(request.into_inner())?;
        let page = timeline::list(&self.services, &query, &asking).await?;
        Ok(Response::new(page))
    }

    async fn list_changes(
        &self,
        request: Request<wire::ListChangesRequest>,
    ) -> Reply<wire::ListChangesResponse> {
        let asking = Asking::of(&request);
        let query = changes::Query::try_from(request.into_inner())?;
        let page = changes::list(&self.services, &query, &asking).await?;
        Ok(Response::new(page))
    }

    type WatchRelationshipStream = Messages;

    async fn watch_relationship(
        &self,
        request: Request<wire::WatchRelationshipRequest>,
    ) -> Reply<Messages> {
        let query = watch::Query::try_from(request.into_inner())?;
        Ok(Response::new(self.watches.watch(&query)?))
    }

    async fn get_status(
        &self,
        request: Request<wire::GetStatusRequest>,
    ) -> Reply<wire::GatewayStatus> {
        let asking = Asking::of(&request);
        let caller = request.extensions().get::<Caller>();
        let status = status::status(&self.backends, self.started, &asking, caller);
        Ok(Response::new(status.await))
    }
}
