//! The calls: parse, act, reply.

use chassis::Shutdown;
use proto::events::v1 as wire;
use proto::google::api::HttpBody;
use records::{MAX_REQUEST, MAX_RESPONSE, Messages, Register, Reply};
use store::{State, Store};
use tonic::codec::CompressionEncoding;
use tonic::{Request, Response};
use wire::events_service_server::{EventsService, EventsServiceServer};

use crate::calendar::{Export, Import};
use crate::{Model, agreement, filter, life, meetings, timeline, watch};

/// The events service over a store.
#[derive(Clone, Debug)]
pub struct Events {
    register: Register<Model>,
}

impl Events {
    /// Serves `store`; its streams end when `shutdown` is triggered.
    pub fn new(store: Store<Model>, shutdown: Shutdown) -> Events {
        Events {
            register: Register::new(store, shutdown),
        }
    }

    /// The service as a server takes it, with the largest messages that it takes and sends; compressed for clients
    /// that ask for it.
    pub fn server(self) -> EventsServiceServer<Events> {
        EventsServiceServer::new(self)
            .max_decoding_message_size(MAX_REQUEST)
            .max_encoding_message_size(MAX_RESPONSE)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip)
    }
}

#[tonic::async_trait]
impl EventsService for Events {
    async fn create_event(&self, request: Request<wire::CreateEventRequest>) -> Reply<wire::Event> {
        self.register.create(request).await
    }

    async fn batch_create_events(
        &self,
        request: Request<wire::BatchCreateEventsRequest>,
    ) -> Reply<wire::BatchCreateEventsResponse> {
        self.register.create_all(request).await
    }

    async fn get_event(&self, request: Request<wire::GetEventRequest>) -> Reply<wire::Event> {
        let wire::GetEventRequest { name, as_of } = request.into_inner();
        self.register.get(&name, as_of)
    }

    async fn list_events(
        &self,
        request: Request<wire::ListEventsRequest>,
    ) -> Reply<wire::ListEventsResponse> {
        let (events, next_page_token) = self
            .register
            .filtered::<filter::Filter, _>(request, |request| request.filter)
            .await?;
        Ok(Response::new(wire::ListEventsResponse {
            events,
            next_page_token,
        }))
    }

    async fn update_event(&self, request: Request<wire::UpdateEventRequest>) -> Reply<wire::Event> {
        self.register.update(request).await
    }

    async fn delete_event(&self, request: Request<wire::DeleteEventRequest>) -> Reply<()> {
        self.register.delete(request).await
    }

    async fn list_event_versions(
        &self,
        request: Request<wire::ListEventVersionsRequest>,
    ) -> Reply<wire::ListEventVersionsResponse> {
        self.register.versions(request).await
    }

    async fn create_agreement(
        &self,
        request: Request<wire::CreateAgreementRequest>,
    ) -> Reply<wire::Agreement> {
        self.register.create(request).await
    }

    async fn batch_create_agreements(
        &self,
        request: Request<wire::BatchCreateAgreementsRequest>,
    ) -> Reply<wire::BatchCreateAgreementsResponse> {
        self.register.create_all(request).await
    }

    async fn get_agreement(
        &self,
        request: Request<wire::GetAgreementRequest>,
    ) -> Reply<wire::Agreement> {
        let wire::GetAgreementRequest { name, as_of } = request.into_inner();
        self.register.get(&name, as_of)
    }

    async fn list_agreements(
        &self,
        request: Request<wire::ListAgreementsRequest>,
    ) -> Reply<wire::ListAgreementsResponse> {
        let (agreements, next_page_token) = self
            .register
            .filtered::<agreement::Filter, _>(request, |request| request.filter)
            .await?;
        Ok(Response::new(wire::ListAgreementsResponse {
            agreements,
            next_page_token,
        }))
    }

    async fn update_agreement(
        &self,
        request: Request<wire::UpdateAgreementRequest>,
    ) -> Reply<wire::Agreement> {
        self.register.update(request).await
    }

    async fn delete_agreement(&self, request: Request<wire::DeleteAgreementRequest>) -> Reply<()> {
        self.register.delete(request).await
    }

    async fn list_agreement_versions(
        &self,
        request: Request<wire::ListAgreementVersionsRequest>,
    ) -> Reply<wire::ListAgreementVersionsResponse> {
        self.register.versions(request).await
    }

    async fn list_agreement_states(
        &self,
        request: Request<wire::ListAgreementStatesRequest>,
    ) -> Reply<wire::ListAgreementStatesResponse> {
        let request = request.into_inner();
        let day = self.register.day(request.day);
        let query = life::Query::parse(request, day)?;
        let list = move |state: &State<'_>| life::list(state, &query);
        let (agreements, next_page_token) = self.register.read_aside(list).await?;
        Ok(Response::new(wire::ListAgreementStatesResponse {
            agreements,
            next_page_token,
        }))
    }

    async fn list_timeline(
        &self,
        request: Request<wire::ListTimelineRequest>,
    ) -> Reply<wire::ListTimelineResponse> {
        self.register.timeline(request, timeline::list).await
    }

    async fn find_meetings(
        &self,
        request: Request<wire::FindMeetingsRequest>,
    ) -> Reply<wire::FindMeetingsResponse> {
        let request = request.into_inner();
        let asked = meetings::Find::parse(&request, self.register.day(request.day))?;
        let find = move |state: &State<'_>| meetings::find(state, &asked);
        Ok(Response::new(self.register.read_aside(find).await?))
    }

    async fn count_meetings(
        &self,
        request: Request<wire::CountMeetingsRequest>,
    ) -> Reply<wire::CountMeetingsResponse> {
        self.register.answer(request, meetings::count).await
    }

    type ExportCalendarStream = Messages<HttpBody>;

    async fn export_calendar(
        &self,
        request: Request<wire::ExportCalendarRequest>,
    ) -> Reply<Self::ExportCalendarStream> {
        let export = Export::try_from(request.into_inner())?;
        let parts = self.register.stream("exports", export, Export::next)?;
        Ok(Response::new(parts))
    }

    async fn import_calendar(
        &self,
        request: Request<wire::ImportCalendarRequest>,
    ) -> Reply<wire::ImportCalendarResponse> {
        let (import, origin) = Import::parse(request)?;
        if import.validate_only() {
            let now = self.register.store().now();
            let look = move |state: &State<'_>| import.decide(state, now, None);
            let decided = self.register.read_aside(look).await?;
            return Ok(Response::new(decided.reply));
        }
        self.register
            .write(origin, move |state, stamp, request| {
                import.decide(state, stamp.time, request)
            })
            .await
    }

    async fn list_changes(
        &self,
        request: Request<wire::ListChangesRequest>,
    ) -> Reply<wire::ListChangesResponse> {
        self.register.changes(request).await
    }

    type WatchChangesStream = Messages<wire::WatchChangesResponse>;

    async fn watch_changes(
        &self,
        request: Request<wire::WatchChangesRequest>,
    ) -> Reply<Self::WatchChangesStream> {
        self.register.watch_topic(request, watch::is_about)
    }
}
