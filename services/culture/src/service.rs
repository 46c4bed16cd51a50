//! The calls: parse, act, reply.

use chassis::Shutdown;
use proto::culture::v1 as wire;
use records::{MAX_REQUEST, MAX_RESPONSE, Messages, Register, Reply};
use store::{State, Store};
use tonic::codec::CompressionEncoding;
use tonic::{Request, Response};
use wire::culture_service_server::{CultureService, CultureServiceServer};

use crate::recording::Recording;
use crate::{Model, filter, measure, series, timeline, visa, visa_rule, watch};

/// The culture service over a store.
#[derive(Clone, Debug)]
pub struct Culture {
    register: Register<Model>,
}

impl Culture {
    /// Serves `store`; its streams end when `shutdown` is triggered.
    pub fn new(store: Store<Model>, shutdown: Shutdown) -> Culture {
        Culture {
            register: Register::new(store, shutdown),
        }
    }

    /// The service as a server takes it, with the largest messages that it takes and sends; compressed for clients
    /// that ask for it.
    pub fn server(self) -> CultureServiceServer<Culture> {
        CultureServiceServer::new(self)
            .max_decoding_message_size(MAX_REQUEST)
            .max_encoding_message_size(MAX_RESPONSE)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip)
    }
}

#[tonic::async_trait]
impl CultureService for Culture {
    async fn create_programme(
        &self,
        request: Request<wire::CreateProgrammeRequest>,
    ) -> Reply<wire::Programme> {
        self.register.create(request).await
    }

    async fn batch_create_programmes(
        &self,
        request: Request<wire::BatchCreateProgrammesRequest>,
    ) -> Reply<wire::BatchCreateProgrammesResponse> {
        self.register.create_all(request).await
    }

    async fn get_programme(
        &self,
        request: Request<wire::GetProgrammeRequest>,
    ) -> Reply<wire::Programme> {
        let wire::GetProgrammeRequest { name, as_of } = request.into_inner();
        self.register.get(&name, as_of)
    }

    async fn list_programmes(
        &self,
        request: Request<wire::ListProgrammesRequest>,
    ) -> Reply<wire::ListProgrammesResponse> {
        let (programmes, next_page_token) = self
            .register
            .filtered::<filter::Filter, _>(request, |request| request.filter)
            .await?;
        Ok(Response::new(wire::ListProgrammesResponse {
            programmes,
            next_page_token,
        }))
    }

    async fn update_programme(
        &self,
        request: Request<wire::UpdateProgrammeRequest>,
    ) -> Reply<wire::Programme> {
        self.register.update(request).await
    }

    async fn delete_programme(&self, request: Request<wire::DeleteProgrammeRequest>) -> Reply<()> {
        self.register.delete(request).await
    }

    async fn list_programme_versions(
        &self,
        request: Request<wire::ListProgrammeVersionsRequest>,
    ) -> Reply<wire::ListProgrammeVersionsResponse> {
        self.register.versions(request).await
    }

    async fn record_measures(
        &self,
        request: Request<wire::RecordMeasuresRequest>,
    ) -> Reply<wire::RecordMeasuresResponse> {
        let (recording, origin) = Recording::parse(request)?;
        self.register
            .write(origin, move |state, stamp, request| {
                recording.decide(state, stamp, request)
            })
            .await
    }

    async fn get_measure(&self, request: Request<wire::GetMeasureRequest>) -> Reply<wire::Measure> {
        let wire::GetMeasureRequest { name, as_of } = request.into_inner();
        self.register.get(&name, as_of)
    }

    async fn list_measures(
        &self,
        request: Request<wire::ListMeasuresRequest>,
    ) -> Reply<wire::ListMeasuresResponse> {
        let (measures, next_page_token) = self
            .register
            .filtered::<measure::Filter, _>(request, |request| request.filter)
            .await?;
        Ok(Response::new(wire::ListMeasuresResponse {
            measures,
            next_page_token,
        }))
    }

    async fn delete_measure(&self, request: Request<wire::DeleteMeasureRequest>) -> Reply<()> {
        self.register.delete(request).await
    }

    async fn list_measure_versions(
        &self,
        request: Request<wire::ListMeasureVersionsRequest>,
    ) -> Reply<wire::ListMeasureVersionsResponse> {
        self.register.versions(request).await
    }

    async fn get_measure_series(
        &self,
        request: Request<wire::GetMeasureSeriesRequest>,
    ) -> Reply<wire::MeasureSeries> {
        self.register.answer(request, series::get).await
    }

    async fn create_visa_rule(
        &self,
        request: Request<wire::CreateVisaRuleRequest>,
    ) -> Reply<wire::VisaRule> {
        self.register.create(request).await
    }

    async fn batch_create_visa_rules(
        &self,
        request: Request<wire::BatchCreateVisaRulesRequest>,
    ) -> Reply<wire::BatchCreateVisaRulesResponse> {
        self.register.create_all(request).await
    }

    async fn get_visa_rule(
        &self,
        request: Request<wire::GetVisaRuleRequest>,
    ) -> Reply<wire::VisaRule> {
        let wire::GetVisaRuleRequest { name, as_of } = request.into_inner();
        self.register.get(&name, as_of)
    }

    async fn list_visa_rules(
        &self,
        request: Request<wire::ListVisaRulesRequest>,
    ) -> Reply<wire::ListVisaRulesResponse> {
        let (visa_rules, next_page_token) = self.register.find(request, visa_rule::list).await?;
        Ok(Response::new(wire::ListVisaRulesResponse {
            visa_rules,
            next_page_token,
        }))
    }

    async fn update_visa_rule(
        &self,
        request: Request<wire::UpdateVisaRuleRequest>,
    ) -> Reply<wire::VisaRule> {
        self.register.update(request).await
    }

    async fn delete_visa_rule(&self, request: Request<wire::DeleteVisaRuleRequest>) -> Reply<()> {
        self.register.delete(request).await
    }

    async fn list_visa_rule_versions(
        &self,
        request: Request<wire::ListVisaRuleVersionsRequest>,
    ) -> Reply<wire::ListVisaRuleVersionsResponse> {
        self.register.versions(request).await
    }

    async fn find_visa_rules(
        &self,
        request: Request<wire::FindVisaRulesRequest>,
    ) -> Reply<wire::FindVisaRulesResponse> {
        let request = request.into_inner();
        let asked = visa::Find::parse(&request, self.register.day(request.day))?;
        let find = move |state: &State<'_>| visa::find(state, &asked);
        Ok(Response::new(self.register.read_aside(find).await?))
    }

    async fn list_visa_changes(
        &self,
        request: Request<wire::ListVisaChangesRequest>,
    ) -> Reply<wire::ListVisaChangesResponse> {
        let request = request.into_inner();
        let asked = visa::Compare::parse(&request, self.register.day(request.end_day))?;
        let compare = move |state: &State<'_>| visa::compare(state, &asked);
        Ok(Response::new(self.register.read_aside(compare).await?))
    }

    async fn list_timeline(
        &self,
        request: Request<wire::ListTimelineRequest>,
    ) -> Reply<wire::ListTimelineResponse> {
        self.register.timeline(request, timeline::list).await
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
