//! Rows through the client stream, into a server of their own.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use proto::trade::v1::ingest_observations_request::Part;
use proto::trade::v1::trade_service_client::TradeServiceClient;
use proto::trade::v1::{CreateDatasetRequest, Dataset, GetIngestRequest, IngestHeader};
use proto::trade::v1::{IngestObservationsRequest, ObservationBatch, ObservationGroup, Valuation};
use proto::r#type::v1::{LocalizedText, Source};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use super::generate::{self, DATASET};
use super::load::{float, mebi};
use super::report::Report;
use super::server::Server;
use super::{Plan, bytes_below, folder_of, load, process};

/// Rows of a batch, at least; the last group may bring as many as a pair trades.
const BATCH_ROWS: usize = 12_000;
/// Batches that are made while those before are sent.
const BATCHES_AHEAD: usize = 8;
/// How long an ingest may take until it is killed.
const KILL_LIMIT: Duration = Duration::from_secs(120);
/// Names of figures that are kept for reading.
const NAMES: u64 = 16_384;

/// Where rows come from.
pub(super) type Groups = Box<dyn Iterator<Item = ObservationGroup> + Send>;

/// A server that is filled step by step.
pub(super) struct Filling {
    pub(super) server: Server,
    pub(super) folder: PathBuf,
    pub(super) client: TradeServiceClient<Channel>,
    /// Names of figures that are in, spread over all rows.
    pub(super) names: Vec<String>,
    pub(super) rows: u64,
    groups: Option<Groups>,
    name_every: i64,
    steps: u32,
    took: Duration,
    server_cpu: Duration,
    client_cpu: Duration,
}

/// What the generator's thread gives back.
struct Made {
    groups: Groups,
    names: Vec<String>,
    rows: u64,
}

impl Filling {
    /// Starts a server on an empty store and creates the dataset.
    pub(super) async fn start(plan: &Plan, groups: Groups) -> Result<Filling> {
        let folder = folder_of(plan, "trade")?;
        let server = Server::trade(&folder, plan)?;
        let mut client = client(&server).await?;
        client
            .create_dataset(new_dataset(DATASET.trim_start_matches("datasets/")))
            .await?;
        Ok(Filling {
            server,
            folder,
            client,
            names: Vec::new(),
            rows: 0,
            groups: Some(groups),
            name_every: i64::try_from(plan.rows / NAMES)?.max(1),
            steps: 0,
            took: Duration::ZERO,
            server_cpu: Duration::ZERO,
            client_cpu: Duration::ZERO,
        })
    }

    /// Ingests until about so many rows are in: a group is not split.
    pub(super) async fn fill_to(&mut self, rows: u64) -> Result<()> {
        let step = self.step(rows.saturating_sub(self.rows))?;
        let before = (self.server.cpu_time(), own_cpu_time());
        let started = Instant::now();
        let made = step.await?;
        self.took += started.elapsed();
        self.server_cpu += self.server.cpu_time().saturating_sub(before.0);
        self.client_cpu += own_cpu_time().saturating_sub(before.1);
        self.rows += made.rows;
        self.names.extend(made.names);
        self.groups = Some(made.groups);
        Ok(())
    }

    /// Starts the server on its store again, ingests, and kills it once `more` rows are in; nothing can
    /// be ingested after that. How many rows were in shortly before.
    pub(super) async fn fill_and_kill(&mut self, plan: &Plan, more: u64) -> Result<u64> {
        self.server = Server::trade(&self.folder, plan)?;
        self.client = client(&self.server).await?;
        let step = tokio::spawn(self.step(u64::MAX)?);
        let recorded = tokio::time::timeout(KILL_LIMIT, self.recorded(more)).await;
        self.server.kill()?;
        // It cannot have ended well.
        drop(step.await);
        Ok(self.rows + recorded?)
    }

    /// Waits until the ingest at hand has recorded `more` rows; answers how many it has.
    async fn recorded(&mut self, more: u64) -> u64 {
        let mut pause = tokio::time::interval(Duration::from_millis(10));
        loop {
            pause.tick().await;
            let name = format!("{DATASET}/ingests/{}", self.ingest_id());
            let ingest = self.client.get_ingest(GetIngestRequest { name }).await;
            // Until its first batch is in, it does not exist.
            let counts = ingest.ok().and_then(|ingest| ingest.into_inner().counts);
            let recorded = counts.unwrap_or_default().new.unsigned_abs();
            if recorded >= more {
                return recorded;
            }
        }
    }

    fn ingest_id(&self) -> String {
        format!("step-{}", self.steps)
    }

    /// One ingest of so many rows.
    fn step(&mut self, rows: u64) -> Result<impl Future<Output = Result<Made>> + use<>> {
        let groups = self.groups.take().context("the last step failed")?;
        self.steps += 1;
        let header = header(&self.ingest_id());
        let (mut client, name_every) = (self.client.clone(), self.name_every);
        let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
        Ok(async move {
            let making = move || make(groups, header, rows, name_every, &sender);
            let making = tokio::task::spawn_blocking(making);
            let sent = ReceiverStream::new(receiver);
            let response = client.ingest_observations(sent).await?.into_inner();
            let made = making.await?;
            let counts = response.counts.unwrap_or_default();
            ensure!(counts.new.unsigned_abs() == made.rows, "{counts:?}");
            Ok(made)
        })
    }

    /// How long the steps took together.
    pub(super) fn took(&self) -> Duration {
        self.took
    }

    /// What the rows cost, all steps together.
    pub(super) fn tell(&self, report: &mut Report) -> Result<()> {
        let rows = float(self.rows);
        let what = |what: &str| format!("{what}, {} rows", self.rows);
        let mut add = |name: &str, figure, unit| report.add("ingest", what(name), figure, unit);
        add("over gRPC", rows / self.took.as_secs_f64(), "rows/s");
        let of_a_row = |cpu: Duration| cpu.as_secs_f64() * 1e6 / rows;
        add("server's CPU time", of_a_row(self.server_cpu), "µs/row");
        add("client's CPU time", of_a_row(self.client_cpu), "µs/row");
        let memory = self.server.peak_memory();
        add("server's peak memory", mebi(memory), "MiB");
        for part in ["journal", "view"] {
            let bytes = bytes_below(&self.folder.join(part))?;
            add(part, float(bytes) / rows, "bytes/row");
        }
        Ok(())
    }
}

fn own_cpu_time() -> Duration {
    process::cpu_time(std::process::id())
}

/// Makes requests until they hold `wanted` rows, there are no more, or nobody takes them any more.
fn make(
    mut groups: Groups,
    header: IngestHeader,
    wanted: u64,
    name_every: i64,
    sender: &mpsc::Sender<IngestObservationsRequest>,
) -> Made {
    let mut names = Vec::new();
    let mut rows = 0;
    let mut taken = sender.blocking_send(request(Part::Header(header)));
    for sequence in 1.. {
        if rows >= wanted || taken.is_err() {
            break;
        }
        let (batch, size) = batch(&mut groups, sequence);
        if size == 0 {
            break;
        }
        for group in &batch.groups {
            let sampled = group.rows.iter().filter(|row| row.number % name_every == 0);
            names.extend(sampled.map(|row| generate::name(group, row)));
        }
        rows += size;
        taken = sender.blocking_send(request(Part::Batch(batch)));
    }
    Made {
        groups,
        names,
        rows,
    }
}

/// The next batch, and how many rows it has.
fn batch(from: &mut Groups, sequence: i64) -> (ObservationBatch, u64) {
    let mut groups = Vec::new();
    let mut rows = 0;
    while rows < BATCH_ROWS
        && let Some(group) = from.next()
    {
        rows += group.rows.len();
        groups.push(group);
    }
    let batch = ObservationBatch {
        sequence,
        groups,
        sources: Vec::new(),
    };
    (batch, rows as u64)
}

/// A client of a server, over a connection of its own.
pub(super) async fn client(server: &Server) -> Result<TradeServiceClient<Channel>> {
    let channels = load::connect(server.address()).await?;
    let channel = channels.into_iter().next().context("a connection")?;
    Ok(TradeServiceClient::new(channel))
}

/// The header of an ingest of that id.
pub(super) fn header(ingest: &str) -> IngestHeader {
    IngestHeader {
        parent: DATASET.into(),
        ingest_id: ingest.into(),
        strict: true,
        ..IngestHeader::default()
    }
}

pub(super) fn request(part: Part) -> IngestObservationsRequest {
    IngestObservationsRequest { part: Some(part) }
}

/// A dataset as short as real ones are.
pub(super) fn new_dataset(id: &str) -> CreateDatasetRequest {
    let texts = [("en".to_owned(), "Monthly trade as reported".to_owned())];
    let source = Source {
        title: "Monthly trade statistics".into(),
        publisher: "A customs office".into(),
        uri: "https://example.org/statistics/monthly".into(),
        licence: "CC-BY-4.0".into(),
        may_be_shown_outside: true,
        ..Source::default()
    };
    let dataset = Dataset {
        display_name: Some(LocalizedText {
            texts: texts.into_iter().collect(),
        }),
        source: Some(source),
        currency_code: "USD".into(),
        import_valuation: Valuation::Cif.into(),
        export_valuation: Valuation::Fob.into(),
        ..Dataset::default()
    };
    CreateDatasetRequest {
        dataset_id: id.into(),
        dataset: Some(dataset),
        request_id: String::new(),
    }
}
