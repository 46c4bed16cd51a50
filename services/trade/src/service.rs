//! The calls: parse, act, reply.

use std::pin::Pin;
use std::sync::Arc;

use chassis::Shutdown;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use proto::trade::v1 as wire;
use proto::{NameError, Slug, Violations, parse_sector_name, parse_statement_name};
use proto::{parse_dataset_name, parse_ingest_name, parse_observation_name, parse_timestamp};
use store::{Decision, Origin, Stamp, State, Store, Watch};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status, Streaming};
use wire::trade_service_server::{TradeService, TradeServiceServer};

use crate::commodity::{self, NewNames};
use crate::concordance::{self, NewTable};
use crate::error::Error;
use crate::export::{self, Export, Piece};
use crate::record::{self, Record, Refused};
use crate::upload::{self, Upload};
use crate::{
    Model, changes, check, comparison, convert, coverage, dataset, indicators, ingest, list,
    mirror, query, ranking, record_list, sector, series, statement, vintages, watch,
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
        let (asked, origin) = dataset::parse_create(request.into_inner())?;
        self.write_record(origin, move |state, stamp, request| {
            asked.decide(state, stamp, request, dataset::created)
        })
        .await
    }

    async fn get_dataset(&self, request: Request<wire::GetDatasetRequest>) -> Reply<wire::Dataset> {
        let wire::GetDatasetRequest { name, as_of } = request.into_inner();
        self.get_record(parse_dataset_name(&name), as_of)
    }

    async fn list_datasets(
        &self,
        request: Request<wire::ListDatasetsRequest>,
    ) -> Reply<wire::ListDatasetsResponse> {
        let paging = dataset::parse_list(request.into_inner())?;
        let list = move |state: &State<'_>| Ok(record_list::page(state, &paging, |_| true)?);
        let (datasets, next_page_token) = self.read_aside(list).await?;
        Ok(Response::new(wire::ListDatasetsResponse {
            datasets,
            next_page_token,
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

    async fn update_dataset(
        &self,
        request: Request<wire::UpdateDatasetRequest>,
    ) -> Reply<wire::Dataset> {
        let (asked, origin) = dataset::parse_update(request.into_inner())?;
        self.write_record(origin, move |state, stamp, request| {
            asked.decide(state, stamp, request, dataset::updated)
        })
        .await
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

    async fn create_sector(
        &self,
        request: Request<wire::CreateSectorRequest>,
    ) -> Reply<wire::Sector> {
        let (asked, origin) = sector::parse_create(request.into_inner())?;
        self.write_record(origin, move |state, stamp, request| {
            asked.decide(state, stamp, request, sector::recorded)
        })
        .await
    }

    async fn get_sector(&self, request: Request<wire::GetSectorRequest>) -> Reply<wire::Sector> {
        let wire::GetSectorRequest { name, as_of } = request.into_inner();
        self.get_record(parse_sector_name(&name), as_of)
    }

    async fn list_sectors(
        &self,
        request: Request<wire::ListSectorsRequest>,
    ) -> Reply<wire::ListSectorsResponse> {
        let paging = sector::parse_list(request.into_inner())?;
        let list = move |state: &State<'_>| Ok(record_list::page(state, &paging, |_| true)?);
        let (sectors, next_page_token) = self.read_aside(list).await?;
        Ok(Response::new(wire::ListSectorsResponse {
            sectors,
            next_page_token,
        }))
    }

    async fn update_sector(
        &self,
        request: Request<wire::UpdateSectorRequest>,
    ) -> Reply<wire::Sector> {
        let (asked, origin) = sector::parse_update(request.into_inner())?;
        self.write_record(origin, move |state, stamp, request| {
            asked.decide(state, stamp, request, sector::recorded)
        })
        .await
    }

    async fn delete_sector(&self, request: Request<wire::DeleteSectorRequest>) -> Reply<()> {
        let (asked, origin) = sector::parse_delete(request.into_inner())?;
        self.write_record(origin, move |state, _, request| {
            asked.decide(state, request, sector::deleted)
        })
        .await
    }

    async fn record_concordance(
        &self,
        request: Request<wire::RecordConcordanceRequest>,
    ) -> Reply<wire::Concordance> {
        let request = request.into_inner();
        let validate_only = request.validate_only;
        let table = NewTable::try_from(request)?;
        if validate_only {
            return Ok(Response::new(table.validated()));
        }
        let decide = move |state: &State<'_>, _| table.decide(state);
        let written = self.store.write(Origin::default(), decide).await?;
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
            .read_aside(move |state| concordance::list(state, size, &page_token))
            .await?;
        Ok(Response::new(page))
    }

    async fn convert_commodity(
        &self,
        request: Request<wire::ConvertCommodityRequest>,
    ) -> Reply<wire::Conversion> {
        let query = convert::Query::try_from(request.into_inner())?;
        let conversion = self
            .read_aside(move |state| Ok(convert::get(state, &query)?))
            .await?;
        Ok(Response::new(conversion))
    }

    async fn record_commodity_names(
        &self,
        request: Request<wire::RecordCommodityNamesRequest>,
    ) -> Reply<wire::RecordCommodityNamesResponse> {
        let request = request.into_inner();
        let validate_only = request.validate_only;
        let names = NewNames::try_from(request)?;
        if validate_only {
            let validate = move |state: &State<'_>| names.compared(state);
            let (_, counts) = self.read_aside(validate).await?;
            return Ok(Response::new(counts));
        }
        let decide = move |state: &State<'_>, _| names.decide(state);
        let written = self.store.write(Origin::default(), decide).await?;
        Ok(Response::new(written.reply))
    }

    async fn list_commodities(
        &self,
        request: Request<wire::ListCommoditiesRequest>,
    ) -> Reply<wire::ListCommoditiesResponse> {
        let query = commodity::Query::try_from(request.into_inner())?;
        let page = self
            .read_aside(move |state| Ok(commodity::list(state, &query)?))
            .await?;
        Ok(Response::new(page))
    }

    async fn create_statement(
        &self,
        request: Request<wire::CreateStatementRequest>,
    ) -> Reply<wire::Statement> {
        let (asked, origin) = statement::parse_create(request.into_inner())?;
        self.write_record(origin, move |state, stamp, request| {
            asked.decide(state, stamp, request, statement::recorded)
        })
        .await
    }

    async fn batch_create_statements(
        &self,
        request: Request<wire::BatchCreateStatementsRequest>,
    ) -> Reply<wire::BatchCreateStatementsResponse> {
        let (batch, origin) = statement::Batch::parse(request.into_inner())?;
        self.write_record(origin, move |state, stamp, request| {
            batch.decide(state, stamp, request)
        })
        .await
    }

    async fn get_statement(
        &self,
        request: Request<wire::GetStatementRequest>,
    ) -> Reply<wire::Statement> {
        let wire::GetStatementRequest { name, as_of } = request.into_inner();
        self.get_record(parse_statement_name(&name), as_of)
    }

    async fn list_statements(
        &self,
        request: Request<wire::ListStatementsRequest>,
    ) -> Reply<wire::ListStatementsResponse> {
        let query = statement::Query::try_from(request.into_inner())?;
        let list = move |state: &State<'_>| Ok(statement::list(state, &query)?);
        let (statements, next_page_token) = self.read_aside(list).await?;
        Ok(Response::new(wire::ListStatementsResponse {
            statements,
            next_page_token,
        }))
    }

    async fn update_statement(
        &self,
        request: Request<wire::UpdateStatementRequest>,
    ) -> Reply<wire::Statement> {
        let (asked, origin) = statement::parse_update(request.into_inner())?;
        self.write_record(origin, move |state, stamp, request| {
            asked.decide(state, stamp, request, statement::recorded)
        })
        .await
    }

    async fn delete_statement(&self, request: Request<wire::DeleteStatementRequest>) -> Reply<()> {
        let (asked, origin) = statement::parse_delete(request.into_inner())?;
        self.write_record(origin, move |state, _, request| {
            asked.decide(state, request, statement::deleted)
        })
        .await
    }

    async fn check_statement(
        &self,
        request: Request<wire::CheckStatementRequest>,
    ) -> Reply<wire::StatementCheck> {
        let query = check::Query::try_from(request.into_inner())?;
        let check = self
            .read_aside(move |state| check::get(state, &query))
            .await?;
        Ok(Response::new(check))
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

    /// Writes what is decided about a record.
    async fn write_record<R: Send + 'static>(
        &self,
        origin: Origin,
        decide: impl FnOnce(
            &State<'_>,
            Stamp,
            Option<store::Request>,
        ) -> Result<Decision<wire::TradeChange, R>, Refused>
        + Send
        + 'static,
    ) -> Reply<R> {
        let request = origin.request;
        let decide = move |state: &State<'_>, stamp| decide(state, stamp, request);
        let written = self.store.write(origin, decide).await;
        Ok(Response::new(written.map_err(Error::from)?.reply))
    }

    /// A record by its name, as of an instant or now.
    fn get_record<M: Record>(
        &self,
        id: Result<Slug, NameError>,
        as_of: Option<prost_types::Timestamp>,
    ) -> Reply<M> {
        let mut violations = Violations::new();
        let id = violations.check("name", id);
        let as_of = violations.check("as_of", as_of.as_ref().map(parse_timestamp).transpose());
        let (Some(id), Some(as_of)) = (id, as_of) else {
            return Err(violations.into());
        };
        let found = self.store.read(|state| record::get(state, &id, as_of));
        Ok(Response::new(found.map_err(Error::from)?))
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
