//! The calls: parse, act, reply.

use chassis::Shutdown;
use proto::trade::v1 as wire;
use proto::{Violations, parse_ingest_name, parse_observation_name, parse_timestamp};
use records::{MAX_RESPONSE, Messages, Register, Reply, Who};
use store::{State, Store};
use tonic::codec::CompressionEncoding;
use tonic::{Request, Response, Streaming};
use wire::trade_service_server::{TradeService, TradeServiceServer};

use crate::commodity::{self, NewNames};
use crate::concordance::{self, NewTable};
use crate::export::{self, Export};
use crate::upload::{self, Upload};
use crate::{
    Model, changes, check, comparison, convert, coverage, indicators, ingest, list, mirror, query,
    ranking, series, sides, statement, timeline, vintages, watch,
};

/// A batch of a mebibyte, and what is around it.
const MAX_REQUEST: usize = (1 << 20) + 1024;

/// The trade service over a store.
#[derive(Clone, Debug)]
pub struct Trade {
    register: Register<Model>,
}

impl Trade {
    /// Serves `store`; its streams end when `shutdown` is triggered.
    pub fn new(store: Store<Model>, shutdown: Shutdown) -> Trade {
        Trade {
            register: Register::new(store, shutdown),
        }
    }

    /// The service as a server takes it, with the largest messages that it takes and sends; compressed for clients
    /// that ask for it.
    pub fn server(self) -> TradeServiceServer<Trade> {
        TradeServiceServer::new(self)
            .max_decoding_message_size(MAX_REQUEST)
            .max_encoding_message_size(MAX_RESPONSE)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip)
    }
}

#[tonic::async_trait]
impl TradeService for Trade {
    async fn create_dataset(
        &self,
        request: Request<wire::CreateDatasetRequest>,
    ) -> Reply<wire::Dataset> {
        self.register.create(request).await
    }

    async fn get_dataset(&self, request: Request<wire::GetDatasetRequest>) -> Reply<wire::Dataset> {
        let wire::GetDatasetRequest { name, as_of } = request.into_inner();
        self.register.get(&name, as_of)
    }

    async fn list_datasets(
        &self,
        request: Request<wire::ListDatasetsRequest>,
    ) -> Reply<wire::ListDatasetsResponse> {
        let (datasets, next_page_token) = self.register.list(request).await?;
        Ok(Response::new(wire::ListDatasetsResponse {
            datasets,
            next_page_token,
        }))
    }

    async fn list_sides(
        &self,
        request: Request<wire::ListSidesRequest>,
    ) -> Reply<wire::ListSidesResponse> {
        self.register.answer(request, sides::list).await
    }

    async fn ingest_observations(
        &self,
        request: Request<Streaming<wire::IngestObservationsRequest>>,
    ) -> Reply<wire::IngestObservationsResponse> {
        let (who, mut stream) = Who::take(request);
        let header = upload::header(&mut stream).await?;
        let mut upload = Upload::start(self.register.store().clone(), who, header)?;
        loop {
            let next = tokio::select! {
                next = upload::next_batch(&mut stream) => next,
                () = self.register.shutdown().wait() => Err(records::Error::Stopping.into()),
            };
            match next {
                Ok(Some(batch)) => upload.take(batch).await?,
                Ok(None) => break,
                Err(refused) => {
                    // An earlier batch that was refused is the one to tell.
                    upload.settle().await?;
                    return Err(refused);
                }
            }
        }
        Ok(Response::new(upload.finish().await?))
    }

    async fn get_ingest(&self, request: Request<wire::GetIngestRequest>) -> Reply<wire::Ingest> {
        let (dataset, id) = checked("name", parse_ingest_name(&request.get_ref().name))?;
        let ingest = self
            .register
            .store()
            .read(|state| ingest::get(state, &dataset, &id))?;
        Ok(Response::new(ingest))
    }

    async fn get_observation(
        &self,
        request: Request<wire::GetObservationRequest>,
    ) -> Reply<wire::Observation> {
        let wire::GetObservationRequest { name, as_of } = request.into_inner();
        let mut violations = Violations::new();
        let name = violations.check("name", parse_observation_name(&name));
        let as_of = as_of.as_ref().map(parse_timestamp).transpose();
        let as_of = violations.check("as_of", as_of);
        let (Some((dataset, key)), Some(as_of)) = (name, as_of) else {
            return Err(violations.into());
        };
        let found = self
            .register
            .store()
            .read(|state| query::get(state, &dataset, &key, as_of))?;
        Ok(Response::new(found))
    }

    async fn list_observations(
        &self,
        request: Request<wire::ListObservationsRequest>,
    ) -> Reply<wire::ListObservationsResponse> {
        let query = list::Query::try_from(request.into_inner())?;
        let page = self
            .register
            .read_aside(move |state| list::list(state, query))
            .await?;
        Ok(Response::new(page))
    }

    async fn get_series(&self, request: Request<wire::GetSeriesRequest>) -> Reply<wire::Series> {
        self.register.answer(request, series::get).await
    }

    async fn update_dataset(
        &self,
        request: Request<wire::UpdateDatasetRequest>,
    ) -> Reply<wire::Dataset> {
        self.register.update(request).await
    }

    async fn list_coverage(
        &self,
        request: Request<wire::ListCoverageRequest>,
    ) -> Reply<wire::ListCoverageResponse> {
        self.register.answer(request, coverage::list).await
    }

    async fn compare_observations(
        &self,
        request: Request<wire::CompareObservationsRequest>,
    ) -> Reply<wire::Comparison> {
        let query = comparison::Query::try_from(request.into_inner())?;
        let comparison = self
            .register
            .store()
            .read(|state| comparison::compare(state, &query))?;
        Ok(Response::new(comparison))
    }

    type ExportObservationsStream = Messages<wire::ExportObservationsResponse>;

    async fn export_observations(
        &self,
        request: Request<wire::ExportObservationsRequest>,
    ) -> Reply<Self::ExportObservationsStream> {
        let query = export::Query::try_from(request.into_inner())?;
        let export = self
            .register
            .store()
            .read(|state| Export::start(state, query))?;
        let messages = self.register.stream("exports", export, Export::next)?;
        Ok(Response::new(messages))
    }

    async fn list_vintages(
        &self,
        request: Request<wire::ListVintagesRequest>,
    ) -> Reply<wire::ListVintagesResponse> {
        self.register.answer(request, vintages::list).await
    }

    async fn list_observation_changes(
        &self,
        request: Request<wire::ListObservationChangesRequest>,
    ) -> Reply<wire::ListObservationChangesResponse> {
        self.register.answer(request, changes::list).await
    }

    async fn rank_partners(
        &self,
        request: Request<wire::RankPartnersRequest>,
    ) -> Reply<wire::Ranking> {
        self.register.answer(request, ranking::get).await
    }

    async fn rank_commodities(
        &self,
        request: Request<wire::RankCommoditiesRequest>,
    ) -> Reply<wire::Ranking> {
        self.register.answer(request, ranking::get).await
    }

    async fn get_mirror(&self, request: Request<wire::GetMirrorRequest>) -> Reply<wire::Mirror> {
        self.register.answer(request, mirror::get).await
    }

    async fn get_indicators(
        &self,
        request: Request<wire::GetIndicatorsRequest>,
    ) -> Reply<wire::Indicators> {
        self.register.answer(request, indicators::get).await
    }

    async fn create_sector(
        &self,
        request: Request<wire::CreateSectorRequest>,
    ) -> Reply<wire::Sector> {
        self.register.create(request).await
    }

    async fn get_sector(&self, request: Request<wire::GetSectorRequest>) -> Reply<wire::Sector> {
        let wire::GetSectorRequest { name, as_of } = request.into_inner();
        self.register.get(&name, as_of)
    }

    async fn list_sectors(
        &self,
        request: Request<wire::ListSectorsRequest>,
    ) -> Reply<wire::ListSectorsResponse> {
        let (sectors, next_page_token) = self.register.list(request).await?;
        Ok(Response::new(wire::ListSectorsResponse {
            sectors,
            next_page_token,
        }))
    }

    async fn update_sector(
        &self,
        request: Request<wire::UpdateSectorRequest>,
    ) -> Reply<wire::Sector> {
        self.register.update(request).await
    }

    async fn delete_sector(&self, request: Request<wire::DeleteSectorRequest>) -> Reply<()> {
        self.register.delete(request).await
    }

    async fn record_concordance(
        &self,
        request: Request<wire::RecordConcordanceRequest>,
    ) -> Reply<wire::Concordance> {
        let (who, request) = Who::take(request);
        let validate_only = request.validate_only;
        let table = NewTable::try_from(request)?;
        if validate_only {
            return Ok(Response::new(table.validated()));
        }
        let decide = move |state: &State<'_>, _| table.decide(state);
        let written = self.register.store().write(who.origin(), decide).await?;
        Ok(Response::new(written.reply))
    }

    async fn list_concordances(
        &self,
        request: Request<wire::ListConcordancesRequest>,
    ) -> Reply<wire::ListConcordancesResponse> {
        let wire::ListConcordancesRequest {
            page_size,
            page_token,
        } = request.into_inner();
        let size = proto::page_size(page_size, 50, 1_000)? as usize;
        let page = self
            .register
            .read_aside(move |state| concordance::list(state, size, &page_token))
            .await?;
        Ok(Response::new(page))
    }

    async fn convert_commodity(
        &self,
        request: Request<wire::ConvertCommodityRequest>,
    ) -> Reply<wire::Conversion> {
        self.register.answer(request, convert::get).await
    }

    async fn record_commodity_names(
        &self,
        request: Request<wire::RecordCommodityNamesRequest>,
    ) -> Reply<wire::RecordCommodityNamesResponse> {
        let (who, request) = Who::take(request);
        let validate_only = request.validate_only;
        let names = NewNames::try_from(request)?;
        if validate_only {
            let validate = move |state: &State<'_>| names.compared(state);
            let (_, counts) = self.register.read_aside(validate).await?;
            return Ok(Response::new(counts));
        }
        let decide = move |state: &State<'_>, _| names.decide(state);
        let written = self.register.store().write(who.origin(), decide).await?;
        Ok(Response::new(written.reply))
    }

    async fn list_commodities(
        &self,
        request: Request<wire::ListCommoditiesRequest>,
    ) -> Reply<wire::ListCommoditiesResponse> {
        self.register.answer(request, commodity::list).await
    }

    async fn create_statement(
        &self,
        request: Request<wire::CreateStatementRequest>,
    ) -> Reply<wire::Statement> {
        self.register.create(request).await
    }

    async fn batch_create_statements(
        &self,
        request: Request<wire::BatchCreateStatementsRequest>,
    ) -> Reply<wire::BatchCreateStatementsResponse> {
        self.register.create_all(request).await
    }

    async fn get_statement(
        &self,
        request: Request<wire::GetStatementRequest>,
    ) -> Reply<wire::Statement> {
        let wire::GetStatementRequest { name, as_of } = request.into_inner();
        self.register.get(&name, as_of)
    }

    async fn list_statements(
        &self,
        request: Request<wire::ListStatementsRequest>,
    ) -> Reply<wire::ListStatementsResponse> {
        let (statements, next_page_token) = self.register.find(request, statement::list).await?;
        Ok(Response::new(wire::ListStatementsResponse {
            statements,
            next_page_token,
        }))
    }

    async fn update_statement(
        &self,
        request: Request<wire::UpdateStatementRequest>,
    ) -> Reply<wire::Statement> {
        self.register.update(request).await
    }

    async fn delete_statement(&self, request: Request<wire::DeleteStatementRequest>) -> Reply<()> {
        self.register.delete(request).await
    }

    async fn check_statement(
        &self,
        request: Request<wire::CheckStatementRequest>,
    ) -> Reply<wire::StatementCheck> {
        self.register.answer(request, check::get).await
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
        let query = watch::Query::try_from(request.into_inner())?;
        let after = query.after;
        let pass = move |change| query.pass(change);
        let changes = self.register.watch(after, pass, watch::tell)?;
        Ok(Response::new(changes))
    }
}

fn checked<T, E: std::fmt::Display>(field: &str, parsed: Result<T, E>) -> Result<T, Violations> {
    parsed.map_err(|error| Violations::one(field, error.to_string()))
}
