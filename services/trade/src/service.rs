//! The calls: parse, act, reply.

use std::pin::Pin;
use std::sync::Arc;

use chassis::Shutdown;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use proto::trade::v1 as wire;
use proto::{PageToken, PageTokenError, Violations};
use proto::{parse_dataset_name, parse_ingest_name, parse_observation_name, parse_timestamp};
use store::{State, Store, Watch};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status, Streaming};
use wire::trade_service_server::{TradeService, TradeServiceServer};

use crate::dataset::{self, NewDataset, Record};
use crate::error::Error;
use crate::export::{self, Export, Piece};
use crate::upload::{self, Upload};
use crate::{
    Model, changes, comparison, coverage, indicators, ingest, list, mirror, query, ranking, series,
    vintages, watch,
};

/// A batch of a mebibyte, and what is around it.
const MAX_REQUEST: usize = (1 << 20) + 1024;
/// What a client takes if nobody told it otherwise.
const MAX_RESPONSE: usize = 4 << 20;
/// Watchers at a time: each may hold an open file and some megabytes that it has read ahead.
const MAX_WATCHERS: usize = 256;
/// Exports at a time: each holds a message, and the numbers of the sources that it has sent.
const MAX_EXPORTS: usize = 32;

/// The trade service over a store.
#[derive(Clone, Debug)]
pub struct Trade {
    store: Store<Model>,
    shutdown: Shutdown,
    watchers: Arc<Semaphore>,
    exports: Arc<Semaphore>,
}

impl Trade {
    /// Serves `store`; its streams end when `shutdown` is triggered.
    pub fn new(store: Store<Model>, shutdown: Shutdown) -> Trade {
        Trade {
            store,
            shutdown,
            watchers: Arc::new(Semaphore::new(MAX_WATCHERS)),
            exports: Arc::new(Semaphore::new(MAX_EXPORTS)),
        }
    }

    /// The service as a server takes it, with the largest messages that it takes and sends.
    pub fn server(self) -> TradeServiceServer<Trade> {
        TradeServiceServer::new(self)
            .max_decoding_message_size(MAX_REQUEST)
            .max_encoding_message_size(MAX_RESPONSE)
    }
}

type Reply<T> = Result<Response<T>, Status>;
type Changes = Pin<Box<dyn Stream<Item = Result<wire::WatchChangesResponse, Status>> + Send>>;

#[tonic::async_trait]
impl TradeService for Trade {
    async fn create_dataset(
        &self,
        request: Request<wire::CreateDatasetRequest>,
    ) -> Reply<wire::Dataset> {
        let (new, origin) = NewDataset::parse(request.into_inner())?;
        let asked = origin.request;
        let decide = move |state: &State<'_>, stamp| new.decide(state, stamp, asked);
        let written = self.store.write(origin, decide).await?;
        Ok(Response::new(written.reply))
    }

    async fn get_dataset(&self, request: Request<wire::GetDatasetRequest>) -> Reply<wire::Dataset> {
        let id = checked("name", parse_dataset_name(&request.get_ref().name))?;
        let dataset = self
            .store
            .read(|state| Ok::<_, Error>(Record::find(state, &id, None)?.dataset(state)?))?;
        Ok(Response::new(dataset))
    }

    async fn list_datasets(
        &self,
        request: Request<wire::ListDatasetsRequest>,
    ) -> Reply<wire::ListDatasetsResponse> {
        let wire::ListDatasetsRequest {
            page_size,
            page_token,
            as_of: _,
        } = request.into_inner();
        let size = proto::page_size(page_size, 50, 1_000)? as usize;
        let after = dataset_cursor(&page_token)?;
        let (datasets, next) = self
            .store
            .read(|state| dataset::list(state, &after, size))
            .map_err(Error::from)?;
        let token = next.map(|next| PageToken::encode(DATASETS, next.as_bytes()));
        Ok(Response::new(wire::ListDatasetsResponse {
            datasets,
            next_page_token: token.unwrap_or_default(),
        }))
    }

    async fn ingest_observations(
        &self,
        request: Request<Streaming<wire::IngestObservationsRequest>>,
    ) -> Reply<wire::IngestObservationsResponse> {
        let mut stream = request.into_inner();
        let header = upload::header(&mut stream).await?;
        let mut upload = Upload::start(self.store.clone(), header)?;
        loop {
            let next = tokio::select! {
                next = upload::next_batch(&mut stream) => next,
                () = self.shutdown.wait() => Err(Error::Stopping.into()),
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
        let ingest = self.store.read(|state| ingest::get(state, &dataset, &id))?;
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
            .store
            .read(|state| query::get(state, &dataset, &key, as_of))?;
        Ok(Response::new(found))
    }

    async fn list_observations(
        &self,
        request: Request<wire::ListObservationsRequest>,
    ) -> Reply<wire::ListObservationsResponse> {
        let query = list::Query::try_from(request.into_inner())?;
        let page = self
            .read_aside(move |state| list::list(state, query))
            .await?;
        Ok(Response::new(page))
    }

    async fn get_series(&self, request: Request<wire::GetSeriesRequest>) -> Reply<wire::Series> {
        let query = series::Query::try_from(request.into_inner())?;
        let series = self
            .read_aside(move |state| series::get(state, &query))
            .await?;
        Ok(Response::new(series))
    }

    async fn update_dataset(&self, _: Request<wire::UpdateDatasetRequest>) -> Reply<wire::Dataset> {
        Err(Status::unimplemented("update_dataset"))
    }

    async fn list_coverage(
        &self,
        request: Request<wire::ListCoverageRequest>,
    ) -> Reply<wire::ListCoverageResponse> {
        let query = coverage::Query::try_from(request.into_inner())?;
        let page = self
            .read_aside(move |state| coverage::list(state, &query))
            .await?;
        Ok(Response::new(page))
    }

    async fn compare_observations(
        &self,
        request: Request<wire::CompareObservationsRequest>,
    ) -> Reply<wire::Comparison> {
        let query = comparison::Query::try_from(request.into_inner())?;
        let comparison = self
            .store
            .read(|state| comparison::compare(state, &query))?;
        Ok(Response::new(comparison))
    }

    type ExportObservationsStream =
        Pin<Box<dyn Stream<Item = Result<wire::ExportObservationsResponse, Status>> + Send>>;

    async fn export_observations(
        &self,
        request: Request<wire::ExportObservationsRequest>,
    ) -> Reply<Self::ExportObservationsStream> {
        let query = export::Query::try_from(request.into_inner())?;
        let place = Arc::clone(&self.exports).try_acquire_owned();
        let place = place.map_err(|_| Error::TooManyExports)?;
        let export = self.store.read(|state| Export::start(state, query))?;
        let exporting = (self.clone(), export, place);
        let messages = stream::try_unfold(exporting, next_message);
        Ok(Response::new(Box::pin(messages.map_err(Status::from))))
    }

    async fn list_vintages(
        &self,
        request: Request<wire::ListVintagesRequest>,
    ) -> Reply<wire::ListVintagesResponse> {
        let query = vintages::Query::try_from(request.into_inner())?;
        let page = self
            .read_aside(move |state| vintages::list(state, &query))
            .await?;
        Ok(Response::new(page))
    }

    async fn list_observation_changes(
        &self,
        request: Request<wire::ListObservationChangesRequest>,
    ) -> Reply<wire::ListObservationChangesResponse> {
        let query = changes::Query::try_from(request.into_inner())?;
        let page = self
            .read_aside(move |state| changes::list(state, &query))
            .await?;
        Ok(Response::new(page))
    }

    async fn rank_partners(
        &self,
        request: Request<wire::RankPartnersRequest>,
    ) -> Reply<wire::Ranking> {
        self.rank(ranking::Query::try_from(request.into_inner())?)
            .await
    }

    async fn rank_commodities(
        &self,
        request: Request<wire::RankCommoditiesRequest>,
    ) -> Reply<wire::Ranking> {
        self.rank(ranking::Query::try_from(request.into_inner())?)
            .await
    }

    async fn get_mirror(&self, request: Request<wire::GetMirrorRequest>) -> Reply<wire::Mirror> {
        let query = mirror::Query::try_from(request.into_inner())?;
        let mirror = self
            .read_aside(move |state| mirror::get(state, &query))
            .await?;
        Ok(Response::new(mirror))
    }

    async fn get_indicators(
        &self,
        request: Request<wire::GetIndicatorsRequest>,
    ) -> Reply<wire::Indicators> {
        let query = indicators::Query::try_from(request.into_inner())?;
        let found = self
            .read_aside(move |state| indicators::get(state, &query))
            .await?;
        Ok(Response::new(found))
    }

    async fn create_sector(&self, _: Request<wire::CreateSectorRequest>) -> Reply<wire::Sector> {
        Err(Status::unimplemented("create_sector"))
    }

    async fn get_sector(&self, _: Request<wire::GetSectorRequest>) -> Reply<wire::Sector> {
        Err(Status::unimplemented("get_sector"))
    }

    async fn list_sectors(
        &self,
        _: Request<wire::ListSectorsRequest>,
    ) -> Reply<wire::ListSectorsResponse> {
        Err(Status::unimplemented("list_sectors"))
    }

    async fn update_sector(&self, _: Request<wire::UpdateSectorRequest>) -> Reply<wire::Sector> {
        Err(Status::unimplemented("update_sector"))
    }

    async fn delete_sector(&self, _: Request<wire::DeleteSectorRequest>) -> Reply<()> {
        Err(Status::unimplemented("delete_sector"))
    }

    async fn record_concordance(
        &self,
        _: Request<wire::RecordConcordanceRequest>,
    ) -> Reply<wire::Concordance> {
        Err(Status::unimplemented("record_concordance"))
    }

    async fn list_concordances(
        &self,
        _: Request<wire::ListConcordancesRequest>,
    ) -> Reply<wire::ListConcordancesResponse> {
        Err(Status::unimplemented("list_concordances"))
    }

    async fn convert_commodity(
        &self,
        _: Request<wire::ConvertCommodityRequest>,
    ) -> Reply<wire::Conversion> {
        Err(Status::unimplemented("convert_commodity"))
    }

    async fn record_commodity_names(
        &self,
        _: Request<wire::RecordCommodityNamesRequest>,
    ) -> Reply<wire::RecordCommodityNamesResponse> {
        Err(Status::unimplemented("record_commodity_names"))
    }

    async fn list_commodities(
        &self,
        _: Request<wire::ListCommoditiesRequest>,
    ) -> Reply<wire::ListCommoditiesResponse> {
        Err(Status::unimplemented("list_commodities"))
    }

    async fn create_statement(
        &self,
        _: Request<wire::CreateStatementRequest>,
    ) -> Reply<wire::Statement> {
        Err(Status::unimplemented("create_statement"))
    }

    async fn batch_create_statements(
        &self,
        _: Request<wire::BatchCreateStatementsRequest>,
    ) -> Reply<wire::BatchCreateStatementsResponse> {
        Err(Status::unimplemented("batch_create_statements"))
    }

    async fn get_statement(&self, _: Request<wire::GetStatementRequest>) -> Reply<wire::Statement> {
        Err(Status::unimplemented("get_statement"))
    }

    async fn list_statements(
        &self,
        _: Request<wire::ListStatementsRequest>,
    ) -> Reply<wire::ListStatementsResponse> {
        Err(Status::unimplemented("list_statements"))
    }

    async fn update_statement(
        &self,
        _: Request<wire::UpdateStatementRequest>,
    ) -> Reply<wire::Statement> {
        Err(Status::unimplemented("update_statement"))
    }

    async fn delete_statement(&self, _: Request<wire::DeleteStatementRequest>) -> Reply<()> {
        Err(Status::unimplemented("delete_statement"))
    }

    async fn check_statement(
        &self,
        _: Request<wire::CheckStatementRequest>,
    ) -> Reply<wire::StatementCheck> {
        Err(Status::unimplemented("check_statement"))
    }

    type WatchChangesStream = Changes;

    async fn watch_changes(
        &self,
        request: Request<wire::WatchChangesRequest>,
    ) -> Reply<Self::WatchChangesStream> {
        let query = watch::Query::try_from(request.into_inner())?;
        let place = Arc::clone(&self.watchers).try_acquire_owned();
        let place = place.map_err(|_| Error::TooManyWatchers)?;
        let watch = self.store.watch(query.after).map_err(Error::from)?;
        let changes = stream::try_unfold((watch, query, place), next_change);
        let stopping = stream::once(async { Err(Error::Stopping) });
        let until_stop = changes.take_until(self.shutdown.wait()).chain(stopping);
        Ok(Response::new(Box::pin(until_stop.map_err(Status::from))))
    }
}

impl Trade {
    async fn rank(&self, query: ranking::Query) -> Reply<wire::Ranking> {
        let ranking = self
            .read_aside(move |state| ranking::get(state, &query))
            .await?;
        Ok(Response::new(ranking))
    }

    /// Reads on a thread that may wait for the disk: for pages, which look at many blocks.
    async fn read_aside<T: Send + 'static>(
        &self,
        reader: impl FnOnce(&State<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let store = self.store.clone();
        let read = tokio::task::spawn_blocking(move || store.read(reader)).await;
        read.map_err(|error| store::Error::Panicked(error.to_string()))?
    }
}

fn checked<T, E: std::fmt::Display>(field: &str, parsed: Result<T, E>) -> Result<T, Violations> {
    parsed.map_err(|error| Violations::one(field, error.to_string()))
}

/// What a page token of `ListDatasets` is bound to: the list has no filter.
const DATASETS: u64 = 1;

fn dataset_cursor(token: &str) -> Result<String, PageTokenError> {
    if token.is_empty() {
        return Ok(String::new());
    }
    let after = PageToken::decode(token, DATASETS)?;
    String::from_utf8(after).map_err(|_| PageTokenError::Malformed)
}

/// A watch with its filter, and its place among the watchers, which ends with it.
type Watching = (Watch, watch::Query, OwnedSemaphorePermit);

async fn next_change(
    (mut watch, query, place): Watching,
) -> Result<Option<(wire::WatchChangesResponse, Watching)>, Error> {
    let event = watch.next().await?;
    let response = query.response(&event)?;
    Ok(Some((response, (watch, query, place))))
}

/// An export, the service that it reads from, and its place among the exports, which ends with it.
type Exporting = (Trade, Export, OwnedSemaphorePermit);

/// The next message of an export that has anything to say. Each piece of the walk is a read of its own, so
/// that writes come between.
async fn next_message(
    (trade, mut export, place): Exporting,
) -> Result<Option<(wire::ExportObservationsResponse, Exporting)>, Error> {
    loop {
        if trade.shutdown.is_triggered() {
            return Err(Error::Stopping);
        }
        let read = trade.read_aside(move |state| {
            let piece = export.next(state)?;
            Ok((export, piece))
        });
        let (moved, piece) = read.await?;
        export = moved;
        match piece {
            Piece::Message(message) => return Ok(Some((message, (trade, export, place)))),
            Piece::Nothing => {}
            Piece::End => return Ok(None),
        }
    }
}
