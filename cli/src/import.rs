//! Files into a service.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use proto::trade::v1 as wire;
use proto::{Slug, dataset_name};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};
use wire::IngestObservationsRequest as Message;
use wire::ingest_observations_request::Part;

use crate::args::ComtradeArgs;
use crate::batches::Batches;
use crate::client::{self, TradeClient, request};
use crate::comtrade::{Layout, ReadError, Reader, Record, Row, Summary};
use crate::{figures, output};

/// Batches that wait to be sent while the next is read.
const AHEAD: usize = 4;
/// How many records pass between two updates of the progress bar.
const PROGRESS: u64 = 4_096;

/// How an import ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Imported {
    /// Every row is in.
    Whole,
    /// Some rows were rejected.
    WithRejections,
}

/// Imports files of UN Comtrade, one after another.
pub(crate) async fn comtrade(args: &ComtradeArgs) -> anyhow::Result<Imported> {
    let mut client = client::trade(&args.server.server).await?;
    for path in &args.files {
        check_head(path).with_context(|| format!("importing {}", path.display()))?;
    }
    ensure_dataset(&mut client, args).await?;
    let mut imported = Imported::Whole;
    for (index, path) in args.files.iter().enumerate() {
        let input = Input::open(path, args.all_or_nothing)?;
        let ingest = ingest_id(args, index)?;
        let report = import_file(&mut client, args, &input, &ingest).await;
        let report = report.with_context(|| format!("importing {}", input.name))?;
        if report.rejected() > 0 {
            imported = Imported::WithRejections;
        }
    }
    Ok(imported)
}

/// Reads the beginning of a file, so that one that cannot be imported leaves no dataset behind.
fn check_head(path: &Path) -> anyhow::Result<()> {
    if is_stream(path) {
        return Ok(());
    }
    Reader::new(File::open(path)?)?;
    Ok(())
}

/// Whether it can be read once only: standard input, a pipe.
fn is_stream(path: &Path) -> bool {
    let is_stream = |metadata: std::fs::Metadata| !metadata.is_file() && !metadata.is_dir();
    path.as_os_str() == "-" || std::fs::metadata(path).is_ok_and(is_stream)
}

/// The id of the ingest of one file; several files under one given id are told apart by their place.
fn ingest_id(args: &ComtradeArgs, index: usize) -> anyhow::Result<Slug> {
    let text = match &args.ingest_id {
        Some(given) if args.files.len() == 1 => given.to_string(),
        Some(given) => format!("{given}-{}", index + 1),
        None => format!("comtrade-{}", uuid::Uuid::new_v4()),
    };
    Slug::parse_loose(&text)
        .with_context(|| format!("`{text}` is too long; choose a shorter --ingest-id"))
}

async fn ensure_dataset(client: &mut TradeClient, args: &ComtradeArgs) -> anyhow::Result<()> {
    let name = dataset_name(&args.dataset);
    let asked = wire::GetDatasetRequest {
        name: name.clone(),
        as_of: None,
    };
    match client.get_dataset(request(asked, &args.server)).await {
        Err(status) if status.code() == Code::NotFound && args.dry_run => {
            anyhow::bail!("{name} does not exist, and a dry run does not create it")
        }
        Err(status) if status.code() == Code::NotFound => {
            let create = comtrade_dataset(&args.dataset);
            match client.create_dataset(request(create, &args.server)).await {
                // Somebody else was faster.
                Err(status) if status.code() == Code::AlreadyExists => Ok(()),
                created => created.map(drop).map_err(Into::into),
            }
        }
        found => found.map(drop).map_err(Into::into),
    }
}

fn comtrade_dataset(id: &Slug) -> wire::CreateDatasetRequest {
    let text = |text: &str| proto::r#type::v1::LocalizedText {
        texts: [("en".to_owned(), text.to_owned())].into(),
    };
    let source = proto::r#type::v1::Source {
        title: "UN Comtrade, as reported".into(),
        publisher: "United Nations Statistics Division".into(),
        uri: "https://comtradeplus.un.org/".into(),
        licence: "UN Comtrade terms: no passing on without permission".into(),
        ..Default::default()
    };
    let dataset = wire::Dataset {
        display_name: Some(text("UN Comtrade")),
        description: Some(text(
            "Trade in goods as the reporters' customs gave it to the United Nations: each figure is the \
             reporter's. Imports are mostly CIF, exports FOB.",
        )),
        source: Some(source),
        currency_code: "USD".into(),
        import_valuation: wire::Valuation::Cif.into(),
        export_valuation: wire::Valuation::Fob.into(),
        ..Default::default()
    };
    wire::CreateDatasetRequest {
        dataset_id: id.to_string(),
        dataset: Some(dataset),
        request_id: String::new(),
    }
}

/// Something to read, perhaps twice.
struct Input {
    name: String,
    kind: InputKind,
}

enum InputKind {
    Path(PathBuf),
    Stdin,
    /// Standard input that was kept.
    Kept(File),
}

impl Input {
    fn open(path: &Path, twice: bool) -> anyhow::Result<Input> {
        let is_stdin = path.as_os_str() == "-";
        let read_once = is_stdin || (twice && is_stream(path));
        if !read_once {
            return Ok(Input {
                name: path.display().to_string(),
                kind: InputKind::Path(path.to_owned()),
            });
        }
        let mut source: Box<dyn Read> = if is_stdin {
            Box::new(std::io::stdin())
        } else {
            Box::new(File::open(path)?)
        };
        let kind = if twice {
            let mut kept = tempfile::tempfile().context("keeping the input")?;
            std::io::copy(&mut source, &mut kept).context("keeping the input")?;
            InputKind::Kept(kept)
        } else {
            InputKind::Stdin
        };
        let name = path.display().to_string();
        Ok(Input {
            name: if is_stdin {
                "standard input".into()
            } else {
                name
            },
            kind,
        })
    }

    /// A reader from the start, and how many bytes it has where that is known.
    fn reader(&self) -> anyhow::Result<(Box<dyn Read + Send>, Option<u64>)> {
        match &self.kind {
            InputKind::Stdin => Ok((Box::new(std::io::stdin()), None)),
            InputKind::Path(path) => {
                let file = File::open(path)?;
                let bytes = file.metadata()?.len();
                Ok((Box::new(file), Some(bytes).filter(|bytes| *bytes > 0)))
            }
            InputKind::Kept(file) => {
                let mut file = file.try_clone()?;
                let bytes = file.seek(SeekFrom::End(0))?;
                file.seek(SeekFrom::Start(0))?;
                Ok((Box::new(file), Some(bytes)))
            }
        }
    }
}

async fn import_file(
    client: &mut TradeClient,
    args: &ComtradeArgs,
    input: &Input,
    ingest: &Slug,
) -> anyhow::Result<Report> {
    let pass = |validate_only| Pass {
        header: wire::IngestHeader {
            parent: dataset_name(&args.dataset),
            ingest_id: ingest.to_string(),
            validate_only,
            strict: args.all_or_nothing && !validate_only,
            max_rejections: args.max_rejections.into(),
        },
        shown: args.max_rejections.into(),
        seen: (args.all_or_nothing && validate_only).then(Seen::default),
    };
    if args.all_or_nothing || args.dry_run {
        let report = send(client, input, pass(true)).await?;
        if args.dry_run || report.rejected() > 0 {
            report.show(&input.name, "nothing was written")?;
            return Ok(report);
        }
    }
    // Told before anything is sent: an importer that is killed has no last word.
    writeln!(std::io::stderr(), "{}: importing as {ingest}", input.name)?;
    let report = send(client, input, pass(false)).await;
    let report = report.map_err(|error| match error.downcast_ref::<Status>() {
        Some(_) => error.context(format!(
            "to go on, import the file with --ingest-id {ingest}"
        )),
        None => error,
    })?;
    report.show(&input.name, "")?;
    Ok(report)
}

/// One reading of a file.
struct Pass {
    header: wire::IngestHeader,
    /// How many rejections are kept to be shown.
    shown: usize,
    seen: Option<Seen>,
}

/// Reads a file on a thread of its own while its batches are sent.
async fn send(client: &mut TradeClient, input: &Input, pass: Pass) -> anyhow::Result<Report> {
    let (source, bytes) = input.reader()?;
    let progress = progress(bytes, &input.name);
    let (sender, receiver) = mpsc::channel(AHEAD);
    let bar = progress.clone();
    let reading = tokio::task::spawn_blocking(move || read(source, pass, &sender, &bar));
    let response = client
        .ingest_observations(ReceiverStream::new(receiver))
        .await;
    let reading = reading.await?;
    progress.finish_and_clear();
    let response = response.map(tonic::Response::into_inner);
    let reading = match (reading, &response) {
        (Ok(reading), _) => reading,
        (Err(error), Ok(sent)) => return Err(broken_off(error, sent)),
        // The service ended the call for want of a header: the file is at fault all the same.
        (Err(error), Err(_)) => return Err(error.into()),
    };
    Ok(Report {
        response: response?,
        reading,
    })
}

/// A file that could not be read to its end: what of it is in already.
fn broken_off(error: ReadError, sent: &wire::IngestObservationsResponse) -> anyhow::Error {
    let counts = sent.counts.unwrap_or_default();
    let written = counts.new + counts.revised;
    match &sent.ingest {
        Some(_) if written > 0 => anyhow::Error::new(error)
            .context(format!("{written} figures from before the fault are in")),
        Some(_) | None => error.into(),
    }
}

fn progress(bytes: Option<u64>, name: &str) -> ProgressBar {
    let (bar, template) = match bytes {
        Some(bytes) => (
            ProgressBar::new(bytes),
            "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{msg} {spinner} {bytes} {bytes_per_sec}",
        ),
    };
    let style = ProgressStyle::with_template(template);
    bar.with_message(name.to_owned())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What reading a file came to.
struct Reading {
    layout: Layout,
    summary: Summary,
    rejections: Vec<String>,
}

fn read(
    source: Box<dyn Read + Send>,
    pass: Pass,
    sender: &mpsc::Sender<Message>,
    bar: &ProgressBar,
) -> Result<Reading, ReadError> {
    let Pass {
        header,
        shown,
        mut seen,
    } = pass;
    let mut reader = Reader::new(source)?;
    let layout = reader.layout();
    let header = Message {
        part: Some(Part::Header(header)),
    };
    let mut open = sender.blocking_send(header).is_ok();
    let mut batches = Batches::default();
    let mut rejections = Vec::new();
    let mut given_twice = 0;
    let mut records: u64 = 0;
    while open && let Some(record) = reader.next().transpose()? {
        records += 1;
        if records.is_multiple_of(PROGRESS) {
            bar.set_position(reader.bytes_read());
        }
        let rejection = match record {
            Record::Row(row) if seen.as_mut().is_some_and(|seen| seen.differs(&row)) => {
                given_twice += 1;
                let reason = "given before with another value".to_owned();
                Some((row.place, "code".to_owned(), reason))
            }
            Record::Row(row) => {
                if let Some(batch) = batches.push(&row, number(layout, row.place)) {
                    open = sender.blocking_send(batch).is_ok();
                }
                None
            }
            Record::Breakdown { .. } => None,
            Record::Rejected(rejection) => {
                Some((rejection.place, rejection.column, rejection.reason))
            }
        };
        if let Some((place, column, reason)) = rejection
            && rejections.len() < shown
        {
            rejections.push(rejected_line(
                number(layout, place),
                layout,
                &column,
                &reason,
            ));
        }
    }
    if let Some(batch) = batches.finish() {
        // A closed channel means that the service has ended the call, which says why.
        drop(sender.blocking_send(batch));
    }
    let mut summary = reader.summary().clone();
    summary.rejected += given_twice;
    summary.rows -= given_twice;
    Ok(Reading {
        layout,
        summary,
        rejections,
    })
}

/// What a row is called: a line of the file, or in JSON, whose lines mean little, a row.
fn number(layout: Layout, place: crate::comtrade::Place) -> u64 {
    match layout {
        Layout::ApiJson => place.row,
        Layout::ApiCsv | Layout::BulkCsv | Layout::LegacyCsv => place.line,
    }
}

fn rejected_line(number: u64, layout: Layout, column: &str, reason: &str) -> String {
    let what = match layout {
        Layout::ApiJson => "row",
        Layout::ApiCsv | Layout::BulkCsv | Layout::LegacyCsv => "line",
    };
    if column.is_empty() {
        return format!("{what} {number}: {reason}");
    }
    format!("{what} {number}, {column}: {reason}")
}

/// Every figure of a file, so that one that is given twice with different values is found.
#[derive(Default)]
struct Seen(HashMap<u128, u64>);

impl Seen {
    /// Whether the row's figure was given before, and differs.
    fn differs(&mut self, row: &Row) -> bool {
        let key = format!("{:?}{}", row.key, row.code);
        let says = format!(
            "{} {:?} {:?} {} {:?}",
            row.value, row.net_weight, row.quantity, row.quantity_unit, row.flags
        );
        let key = xxhash_rust::xxh3::xxh3_128(key.as_bytes());
        let says = xxhash_rust::xxh3::xxh3_64(says.as_bytes());
        *self.0.entry(key).or_insert(says) != says
    }
}

/// What became of a file.
struct Report {
    reading: Reading,
    response: wire::IngestObservationsResponse,
}

impl Report {
    fn counts(&self) -> wire::RowCounts {
        self.response.counts.unwrap_or_default()
    }

    fn rejected(&self) -> u64 {
        let standing = self.response.ingest.as_ref();
        let standing = standing.and_then(|ingest| ingest.counts);
        // Rows of batches that were in already were rejected then.
        let by_service = match standing {
            Some(standing) if self.response.skipped_batches > 0 => standing.rejected,
            Some(_) | None => self.counts().rejected,
        };
        self.reading.summary.rejected + by_service.unsigned_abs()
    }

    /// Tells what became of the file: rejected rows on standard error, the sums on standard output.
    fn show(&self, name: &str, remark: &str) -> anyhow::Result<()> {
        let mut err = std::io::stderr().lock();
        let of_service = self.response.rejections.iter().map(|rejection| {
            let number = rejection.row.unsigned_abs();
            rejected_line(
                number,
                self.reading.layout,
                &rejection.field,
                &rejection.reason,
            )
        });
        let lines: Vec<String> = self
            .reading
            .rejections
            .iter()
            .cloned()
            .chain(of_service)
            .collect();
        for line in &lines {
            writeln!(err, "{name}: {line}")?;
        }
        let untold = self.rejected() - lines.len() as u64;
        if untold > 0 {
            writeln!(err, "{name}: and {untold} more rejected rows")?;
        }
        self.show_sums(name, remark, &mut output::stdout())
    }

    fn show_sums(&self, name: &str, remark: &str, out: &mut dyn Write) -> anyhow::Result<()> {
        let Reading {
            layout, summary, ..
        } = &self.reading;
        let counts = self.counts();
        let count = |number: u64| figures::grouped(&number.to_string());
        writeln!(out, "{name}: {layout}, {} figures", count(summary.rows))?;
        writeln!(
            out,
            "  new {}, revised {}, unchanged {}, rejected {}",
            count(counts.new.unsigned_abs()),
            count(counts.revised.unsigned_abs()),
            count(counts.unchanged.unsigned_abs()),
            count(self.rejected()),
        )?;
        for (column, rows) in &summary.breakdowns {
            writeln!(
                out,
                "  left out as breakdowns by {column}: {}",
                count(*rows)
            )?;
        }
        if summary.rounded > 0 {
            writeln!(out, "  rounded to 6 decimals: {}", count(summary.rounded))?;
        }
        if self.response.skipped_batches > 0 {
            writeln!(
                out,
                "  batches that were in already: {}",
                self.response.skipped_batches
            )?;
        }
        if !remark.is_empty() {
            writeln!(out, "  {remark}")?;
        } else if counts.new + counts.revised == 0 {
            writeln!(out, "  nothing changed")?;
        }
        Ok(out.flush()?)
    }
}
