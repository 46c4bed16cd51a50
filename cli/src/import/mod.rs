//! Files into a service.
//!
//! # Layout
//!
//! * this file: a command's files, one after another, each read once or twice while its batches are sent.
//! * `input`: what is read. `reading`: rows into batches. `report`: what came of it, in words.
//! * `comtrade`: the dataset of UN Comtrade's figures.
//! * `statements` (as `claims` reads them), `concordance`, `nomenclature`: records from small CSV files, which
//!   `sheet` reads whole.
//! * `records`: records that keep their versions, and `measures`: figures of exchange, into their services. `cells`:
//!   what a row holds. `events`, `agreements`: own layouts. `ceias`, `bridash`, `aiddata`, `visa`: layouts of known
//!   datasets, with `countries` by the names that they write.

mod agreements;
mod aiddata;
mod bridash;
mod ceias;
mod cells;
mod claims;
mod comtrade;
mod concordance;
mod countries;
mod events;
mod input;
mod measures;
mod nomenclature;
mod reading;
mod records;
mod report;
mod sheet;
mod statements;
mod visa;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use indicatif::ProgressBar;
use proto::trade::v1 as wire;
use proto::{Slug, dataset_name};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use self::input::{Input, is_stream};
use self::reading::{Open, Pass, Seen};
use self::report::Report;
use crate::args::bulk::{ImportArgs, SdmxArgs};
use crate::args::import::ComtradeArgs;
use crate::client::{self, TradeClient, request};
use crate::rows::ReadError;
use crate::{progress, sdmx};

/// Batches that wait to be sent while the next is read.
const AHEAD: usize = 4;

pub(crate) use agreements::agreements;
pub(crate) use bridash::programmes;
pub(crate) use concordance::concordance;
pub(crate) use events::events;
pub(crate) use measures::measures;
pub(crate) use nomenclature::nomenclature;
pub(crate) use statements::statements;
pub(crate) use visa::visa;

/// How an import ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Imported {
    /// Every row is in.
    Whole,
    /// Some rows were rejected.
    WithRejections,
}

/// Imports files of UN Comtrade.
pub(crate) async fn comtrade(args: &ComtradeArgs) -> anyhow::Result<Imported> {
    let mut client = client::trade(&args.import.server.server).await?;
    let import = Import {
        args: &args.import,
        dataset: &args.dataset,
        prefix: "comtrade",
        open: Arc::new(|source| Ok(Box::new(crate::comtrade::Reader::new(source)?))),
    };
    import.check_heads()?;
    comtrade::ensure_dataset(&mut client, args).await?;
    import.run(&mut client).await
}

/// Imports files of SDMX-CSV into a dataset, which must exist: such a file does not say what a dataset needs.
pub(crate) async fn sdmx(args: &SdmxArgs) -> anyhow::Result<Imported> {
    let mut client = client::trade(&args.import.server.server).await?;
    let asked = wire::GetDatasetRequest {
        name: dataset_name(&args.dataset),
        as_of: None,
    };
    let dataset = client
        .get_dataset(request(asked, &args.import.server))
        .await;
    let dataset = dataset.map_err(|status| missing(status, &args.dataset))?;
    let terms = sdmx::Terms::new(dataset.into_inner(), &args.map, &args.set)?;
    let import = Import {
        args: &args.import,
        dataset: &args.dataset,
        prefix: "sdmx",
        open: Arc::new(move |source| Ok(Box::new(sdmx::Reader::new(source, terms.clone())?))),
    };
    import.check_heads()?;
    import.run(&mut client).await
}

fn missing(status: Status, dataset: &Slug) -> anyhow::Error {
    let is_missing = status.code() == tonic::Code::NotFound;
    let error = anyhow::Error::new(status);
    if !is_missing {
        return error;
    }
    let create = format!("entente trade datasets create {dataset}");
    error.context(format!(
        "an SDMX file does not say what a dataset is; create it with `{create} …`"
    ))
}

/// Files of one kind into one dataset.
struct Import<'a> {
    args: &'a ImportArgs,
    dataset: &'a Slug,
    /// How the ids of its ingests begin.
    prefix: &'static str,
    open: Arc<Open>,
}

impl Import<'_> {
    /// Reads the beginning of each file, so that one that cannot be imported leaves no dataset behind.
    fn check_heads(&self) -> anyhow::Result<()> {
        for path in self.args.files.iter().filter(|path| !is_stream(path)) {
            self.check_head(path)
                .with_context(|| format!("importing {}", path.display()))?;
        }
        Ok(())
    }

    fn check_head(&self, path: &Path) -> anyhow::Result<()> {
        (self.open)(Box::new(File::open(path)?))?;
        Ok(())
    }

    /// Imports the files, one after another.
    async fn run(&self, client: &mut TradeClient) -> anyhow::Result<Imported> {
        let mut imported = Imported::Whole;
        for (index, path) in self.args.files.iter().enumerate() {
            let input = Input::open(path, self.args.all_or_nothing)?;
            let ingest = self.ingest_id(index)?;
            let report = self.import_file(client, &input, &ingest).await;
            let report = report.with_context(|| format!("importing {}", input.name))?;
            if report.rejected() > 0 {
                imported = Imported::WithRejections;
            }
        }
        Ok(imported)
    }

    /// The id of the ingest of one file; several files under one given id are told apart by their place.
    fn ingest_id(&self, index: usize) -> anyhow::Result<Slug> {
        let text = match &self.args.ingest_id {
            Some(given) if self.args.files.len() == 1 => given.to_string(),
            Some(given) => format!("{given}-{}", index + 1),
            None => format!("{}-{}", self.prefix, uuid::Uuid::new_v4()),
        };
        Slug::parse_loose(&text)
            .with_context(|| format!("`{text}` is too long; choose a shorter --ingest-id"))
    }

    fn pass(&self, ingest: &Slug, validate_only: bool) -> Pass {
        let args = self.args;
        Pass {
            header: wire::IngestHeader {
                parent: dataset_name(self.dataset),
                ingest_id: ingest.to_string(),
                validate_only,
                strict: args.all_or_nothing && !validate_only,
                max_rejections: args.max_rejections.into(),
            },
            shown: args.max_rejections.into(),
            seen: (args.all_or_nothing && validate_only).then(Seen::default),
        }
    }

    async fn import_file(
        &self,
        client: &mut TradeClient,
        input: &Input,
        ingest: &Slug,
    ) -> anyhow::Result<Report> {
        if self.args.all_or_nothing || self.args.dry_run {
            let report = self.send(client, input, self.pass(ingest, true)).await?;
            if self.args.dry_run || report.rejected() > 0 {
                report.show(&input.name, "nothing was written")?;
                return Ok(report);
            }
        }
        // Told before anything is sent: an importer that is killed has no last word.
        writeln!(std::io::stderr(), "{}: importing as {ingest}", input.name)?;
        let report = self.send(client, input, self.pass(ingest, false)).await;
        let report = report.map_err(|error| match error.downcast_ref::<Status>() {
            Some(_) => error.context(format!(
                "to go on, import the file with --ingest-id {ingest}"
            )),
            None => error,
        })?;
        report.show(&input.name, "")?;
        Ok(report)
    }

    /// Reads a file on a thread of its own while its batches are sent.
    async fn send(
        &self,
        client: &mut TradeClient,
        input: &Input,
        pass: Pass,
    ) -> anyhow::Result<Report> {
        let (source, bytes) = input.reader()?;
        let progress = progress(bytes, &input.name);
        let (sender, receiver) = mpsc::channel(AHEAD);
        let bar = progress.clone();
        let open = Arc::clone(&self.open);
        let reading =
            tokio::task::spawn_blocking(move || reading::read(open(source)?, pass, &sender, &bar));
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
    let bar = match bytes {
        Some(_) => progress::bar(
            bytes,
            "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        ),
        None => progress::spinner("{msg} {spinner} {bytes} {bytes_per_sec}"),
    };
    bar.with_message(name.to_owned())
}

/// How many of so many entries are done.
fn counter(entries: usize, name: &str) -> ProgressBar {
    let template = "{msg} {wide_bar} {pos}/{len} {eta}";
    progress::bar(Some(entries as u64), template).with_message(name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// A real file, where it is at hand; some of them may not be passed on.
    pub(super) fn sample(name: &str) -> Option<Vec<u8>> {
        let folder = std::env::var_os("ENTENTE_SHARED_DATA").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
            std::path::PathBuf::from,
        );
        if let Ok(text) = std::fs::read(folder.join(name)) {
            return Some(text);
        }
        let why = "the sample files are not at hand; ENTENTE_SHARED_DATA may name their folder";
        let required = std::env::var("ENTENTE_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|one| one == "samples"), "{why}");
        println!("NOT CHECKED: {why}");
        None
    }
}
