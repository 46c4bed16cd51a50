//! Figures into a file.
//!
//! # Layout
//!
//! * this file: the stream of an export, message by message into a [`Sink`].
//! * `subject`: the dataset, and what is told of it. `figure`: a figure with all that a row says.
//! * `csv`, `jsonl`, `sdmx`, `parquet`: one sink each.

mod csv;
mod figure;
mod jsonl;
mod parquet;
mod sdmx;
mod subject;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use proto::trade::v1 as wire;
use proto::{dataset_name, parse_timestamp};
use tonic::{Request, Streaming};

use self::figure::{Figure, Figures};
use self::subject::Subject;
use crate::args::bulk::{ExportArgs, ExportFormat};
use crate::client::{self, request};
use crate::interrupt::interrupted;
use crate::target::{Out, Target};
use crate::{figures, progress, trade};

/// Takes figures in one format.
trait Sink {
    /// Writes a figure.
    fn row(&mut self, figure: &Figure<'_>) -> anyhow::Result<()>;

    /// Writes what is left, of an export that answers as of an instant in microseconds since 1970.
    fn finish(self: Box<Self>, as_of: Option<i64>) -> anyhow::Result<()>;
}

/// Exports figures. It takes as long as it needs; Ctrl-C or SIGTERM ends it, and no file is left of it.
pub(crate) async fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let Some(path) = &args.out else {
        return export(args).await;
    };
    tokio::select! {
        done = export(args) => done.with_context(|| format!("exporting to {}", path.display())),
        () = interrupted() => anyhow::bail!("interrupted: {} was not written", path.display()),
    }
}

async fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let target = Target::open(args.out.as_deref())?;
    let mut client = client::trade(&args.server.server).await?;
    let asked = wire::GetDatasetRequest {
        name: dataset_name(&args.dataset),
        as_of: args.as_of.to_wire(),
    };
    let dataset = client.get_dataset(request(asked, &args.server)).await?;
    let subject = Subject::new(dataset.into_inner());
    writeln!(std::io::stderr(), "{}", subject.terms())?;
    let asked = wire::ExportObservationsRequest {
        parent: dataset_name(&args.dataset),
        filter: Some(trade::filter(&args.filter)),
        as_of: args.as_of.to_wire(),
    };
    let stream = client.export_observations(Request::new(asked)).await?;
    let sink = sink(args.format, &subject, target.writer()?)?;
    let told = write(stream.into_inner(), &subject, sink).await?;
    target.commit()?;
    told.tell(&subject, args.out.as_deref())
}

fn sink(format: ExportFormat, subject: &Subject, out: Out) -> anyhow::Result<Box<dyn Sink>> {
    Ok(match format {
        ExportFormat::Csv => Box::new(csv::Csv::new(out)?),
        ExportFormat::Jsonl => Box::new(jsonl::JsonLines::new(out)),
        ExportFormat::Sdmx => Box::new(sdmx::Sdmx::new(out)?),
        ExportFormat::Parquet => Box::new(parquet::Parquet::new(out, subject)?),
    })
}

/// What an export came to.
struct Written {
    figures: u64,
    as_of: Option<i64>,
}

async fn write(
    mut stream: Streaming<wire::ExportObservationsResponse>,
    subject: &Subject,
    mut sink: Box<dyn Sink>,
) -> anyhow::Result<Written> {
    // How many figures come is not known before.
    let progress = progress::spinner("{spinner} {human_pos} figures, {per_sec}");
    let mut figures = Figures::new(subject);
    let mut as_of = None;
    while let Some(message) = stream.message().await? {
        as_of = message.as_of.as_ref().map(parse_timestamp).transpose()?;
        figures.take(message, &mut |figure| sink.row(figure))?;
        progress.set_position(figures.count());
    }
    progress.finish_and_clear();
    sink.finish(as_of)?;
    Ok(Written {
        figures: figures.count(),
        as_of,
    })
}

impl Written {
    fn tell(&self, subject: &Subject, path: Option<&Path>) -> anyhow::Result<()> {
        let count = figures::grouped(&self.figures.to_string());
        let as_of = self.as_of.map(figure::instant).unwrap_or_default();
        let of = match as_of.as_str() {
            "" => String::new(),
            as_of => format!(" as of {as_of}"),
        };
        let place = path.map(|path| format!(" in {}", path.display()));
        let line = format!(
            "{}: {count} figures{of}{}",
            subject.name(),
            place.unwrap_or_default()
        );
        Ok(writeln!(std::io::stderr(), "{line}")?)
    }
}
