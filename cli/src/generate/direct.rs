//! Generated data into a running server. What is in already is passed over, so that a run that was cut off is carried on
//! by the same command.

use std::future::pending;
use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use indicatif::ProgressBar;
use prost::Message;
use proto::dataset_name;
use proto::trade::v1 as wire;
use proto::r#type::v1::Source;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};
use uuid::Uuid;
use wire::ingest_observations_request::Part;

use super::figures::{Edition, Figures, Plan, REVISED};
use super::records::{Records, english};
use crate::args::answer::ServerArgs;
use crate::args::generate::GenerateArgs;
use crate::client::{self, TradeClient, request, within};
use crate::progress;

/// Rows and bytes of a batch, below what a service takes.
const MAX_ROWS: usize = 10_000;
const MAX_BYTES: usize = 800 << 10;
/// Batches that are made before they are sent.
const AHEAD: usize = 4;
/// Records of a batch.
const RECORDS: u64 = 200;
/// One record of a kind for so many figures, where it is not said how many.
const FIGURES_A_RECORD: u64 = 500;
/// And no more.
const USUAL_RECORDS: u64 = 20_000;

/// Fills a server: figures, their revisions, and records.
pub(super) async fn run(plan: Plan, args: &GenerateArgs) -> anyhow::Result<()> {
    let mut trade = client::trade(&args.server.server).await?;
    ensure_dataset(&mut trade, args).await?;
    let first = ingest(&mut trade, plan, Edition::First, args).await?;
    let revised = ingest(&mut trade, plan, Edition::Revised, args).await?;
    let usual = (plan.rows / FIGURES_A_RECORD).min(USUAL_RECORDS);
    let wanted = args.records.unwrap_or(usual);
    let told = records(plan, wanted, args).await?;
    let name = dataset_name(&args.dataset);
    writeln!(
        std::io::stdout(),
        "{name}: {}\nrevisions: {}\n{told}",
        counted(&first),
        counted(&revised)
    )?;
    Ok(())
}

fn counted(response: &wire::IngestObservationsResponse) -> String {
    let counts = response.counts.unwrap_or_default();
    let skipped = match response.skipped_batches {
        0 => String::new(),
        skipped => format!("; {skipped} of its batches were in already"),
    };
    format!(
        "{} new, {} revised, {} unchanged, {} rejected{skipped}",
        counts.new, counts.revised, counts.unchanged, counts.rejected
    )
}

async fn ensure_dataset(trade: &mut TradeClient, args: &GenerateArgs) -> anyhow::Result<()> {
    let source = Source {
        title: "Generated figures".into(),
        publisher: "entente generate".into(),
        may_be_shown_outside: true,
        note: "Made up for load tests: no customs office counted them.".into(),
        ..Source::default()
    };
    let dataset = wire::Dataset {
        display_name: Some(english("Generated figures, both sides")),
        source: Some(source),
        currency_code: "USD".into(),
        import_valuation: wire::Valuation::Cif.into(),
        export_valuation: wire::Valuation::Fob.into(),
        ..wire::Dataset::default()
    };
    let asked = wire::CreateDatasetRequest {
        dataset_id: args.dataset.to_string(),
        dataset: Some(dataset),
        request_id: String::new(),
    };
    let (server, url) = (&args.server, &args.server.server.url);
    let created = trade.create_dataset(request(asked, server));
    match within(server.limit(), created).await {
        Err(status) if status.code() == Code::AlreadyExists => Ok(()),
        created => {
            let created = created.map(drop);
            created.with_context(|| format!("creating the dataset at {url}"))
        }
    }
}

/// Sends an edition. Batches that the server has are not even sent.
async fn ingest(
    trade: &mut TradeClient,
    plan: Plan,
    edition: Edition,
    args: &GenerateArgs,
) -> anyhow::Result<wire::IngestObservationsResponse> {
    let id = match edition {
        Edition::First => format!("generated-{}-{}", plan.seed, plan.rows),
        Edition::Revised => format!("revised-{}-{}", plan.seed, plan.rows),
    };
    let parent = dataset_name(&args.dataset);
    let name = format!("{parent}/ingests/{id}");
    let done = next_sequence(trade, name, &args.server).await?;
    let header = wire::IngestHeader {
        parent,
        ingest_id: id,
        ..wire::IngestHeader::default()
    };
    let bar = progress(plan.rows, edition);
    let (sender, receiver) = mpsc::channel(AHEAD);
    let (told, moves) = watch::channel(());
    let shown = bar.clone();
    let making = tokio::task::spawn_blocking(move || {
        make(plan, edition, header, done, &sender, |rows| {
            shown.inc(rows);
            told.send_replace(());
        });
    });
    let asked = trade.ingest_observations(ReceiverStream::new(receiver));
    let answer = unless_silent(args.server.limit(), moves, asked).await;
    bar.finish_and_clear();
    let mut answer = answer
        .context("sending figures; the same command carries on from here")?
        .into_inner();
    making.await?;
    answer.skipped_batches += done - 1;
    Ok(answer)
}

/// An answer, as long as something moves on the way to it: no more than `limit` passes without.
async fn unless_silent<T>(
    limit: Duration,
    mut moves: watch::Receiver<()>,
    asked: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    let silence = async {
        while within(limit, moved(&mut moves)).await? {}
        // All is sent.
        within(limit, pending()).await
    };
    tokio::select! {
        answer = asked => answer,
        late = silence => late,
    }
}

/// The batch that the server expects of an ingest.
async fn next_sequence(
    trade: &mut TradeClient,
    name: String,
    server: &ServerArgs,
) -> anyhow::Result<i64> {
    let asked = request(wire::GetIngestRequest { name }, server);
    match within(server.limit(), trade.get_ingest(asked)).await {
        Ok(found) => Ok(found.into_inner().next_sequence.max(1)),
        Err(status) if status.code() == Code::NotFound => Ok(1),
        Err(status) => Err(status.into()),
    }
}

/// Waits until something moves; false when nothing will.
async fn moved(moves: &mut watch::Receiver<()>) -> Result<bool, Status> {
    Ok(moves.changed().await.is_ok())
}

/// Makes the messages of an ingest until there are no more, or nobody takes them; tells the rows of each batch that was
/// taken.
fn make(
    plan: Plan,
    edition: Edition,
    header: wire::IngestHeader,
    first: i64,
    sender: &mpsc::Sender<wire::IngestObservationsRequest>,
    taken: impl Fn(u64),
) {
    let send = |part: Part| {
        let message = wire::IngestObservationsRequest { part: Some(part) };
        sender.blocking_send(message).is_ok()
    };
    if !send(Part::Header(header)) {
        return;
    }
    for batch in Batches::new(plan, edition) {
        let rows = batch.groups.iter().map(|group| group.rows.len() as u64);
        let rows = rows.sum();
        if batch.sequence >= first && !send(Part::Batch(batch)) {
            return;
        }
        taken(rows);
    }
}

/// Groups in batches. The same plan makes the same batches.
struct Batches {
    figures: Figures,
    /// A group that had no room in the last batch.
    left: Option<wire::ObservationGroup>,
    sequence: i64,
}

impl Batches {
    fn new(plan: Plan, edition: Edition) -> Batches {
        Batches {
            figures: Figures::new(plan, edition),
            left: None,
            sequence: 0,
        }
    }
}

impl Iterator for Batches {
    type Item = wire::ObservationBatch;

    fn next(&mut self) -> Option<wire::ObservationBatch> {
        let mut groups = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        while let Some(group) = self.left.take().or_else(|| self.figures.next()) {
            rows += group.rows.len();
            bytes += group.encoded_len();
            if !groups.is_empty() && (rows > MAX_ROWS || bytes > MAX_BYTES) {
                self.left = Some(group);
                break;
            }
            groups.push(group);
        }
        self.sequence += 1;
        (!groups.is_empty()).then_some(wire::ObservationBatch {
            sequence: self.sequence,
            groups,
            sources: Vec::new(),
        })
    }
}

/// Records so many events and agreements, and programmes; what became of it, in words.
async fn records(plan: Plan, wanted: u64, args: &GenerateArgs) -> anyhow::Result<String> {
    let records = Records::new(plan, wanted);
    let server = &args.server;
    let mut events = client::events(&server.server).await?;
    let mut culture = client::culture(&server.server).await?;
    let bar = counter(wanted * 2 + wanted / 4);
    let made = by_batches("events", wanted, &bar, async |range, request_id| {
        let requests = range.map(|number| records.event(number)).collect();
        let batch = proto::events::v1::BatchCreateEventsRequest {
            requests,
            request_id,
        };
        let asked = events.batch_create_events(request(batch, server));
        within(server.limit(), asked).await.map(drop)
    });
    let made_events = made.await?;
    let made = by_batches("agreements", wanted, &bar, async |range, request_id| {
        let requests = range.map(|number| records.agreement(number)).collect();
        let batch = proto::events::v1::BatchCreateAgreementsRequest {
            requests,
            request_id,
        };
        let asked = events.batch_create_agreements(request(batch, server));
        within(server.limit(), asked).await.map(drop)
    });
    let made_agreements = made.await?;
    let made = by_batches("programmes", wanted / 4, &bar, async |range, request_id| {
        let requests = range.map(|number| records.programme(number)).collect();
        let batch = proto::culture::v1::BatchCreateProgrammesRequest {
            requests,
            request_id,
        };
        let asked = culture.batch_create_programmes(request(batch, server));
        within(server.limit(), asked).await.map(drop)
    });
    let made_programmes = made.await?;
    bar.finish_and_clear();
    Ok(format!(
        "{made_events}\n{made_agreements}\n{made_programmes}"
    ))
}

/// Records what has these numbers, by batches that are each in whole or not at all, whichever run began them.
async fn by_batches(
    what: &str,
    wanted: u64,
    bar: &ProgressBar,
    mut create: impl AsyncFnMut(std::ops::Range<u64>, String) -> Result<(), Status>,
) -> anyhow::Result<String> {
    let (mut new, mut there, mut at) = (0, 0, 0);
    while at < wanted {
        let end = (at + RECORDS).min(wanted);
        match create(at..end, Uuid::new_v4().to_string()).await {
            Ok(()) => new += end - at,
            Err(status) if status.code() == Code::AlreadyExists => there += end - at,
            Err(status) if status.code() == Code::Unimplemented => {
                return Ok(format!("{what}: not served here, left out"));
            }
            Err(status) => return Err(status).with_context(|| format!("recording {what}")),
        }
        bar.inc(end - at);
        at = end;
    }
    Ok(match there {
        0 => format!("{what}: {new} new"),
        _ => format!("{what}: {new} new, {there} were in already"),
    })
}

fn progress(rows: u64, edition: Edition) -> ProgressBar {
    let (what, rows) = match edition {
        Edition::First => ("figures", rows),
        Edition::Revised => ("revisions", rows / REVISED),
    };
    let template = "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}";
    progress::bar(Some(rows), template).with_message(what)
}

fn counter(records: u64) -> ProgressBar {
    let template = "{msg} {wide_bar} {human_pos}/{human_len} {eta}";
    progress::bar(Some(records), template).with_message("records")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_have_all_rows_and_stay_within_what_a_service_takes() {
        let plan = Plan {
            seed: 1,
            rows: 120_000,
        };
        let mut rows = 0;
        for (batch, sequence) in Batches::new(plan, Edition::First).zip(1..) {
            assert_eq!(batch.sequence, sequence);
            assert!(batch.encoded_len() < 1 << 20, "{}", batch.encoded_len());
            rows += batch
                .groups
                .iter()
                .map(|group| group.rows.len() as u64)
                .sum::<u64>();
        }
        assert_eq!(rows, plan.rows);
    }
}
