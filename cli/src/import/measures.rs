//! Figures of exchange into a service, in batches that are recorded whole or not at all. The service tells new,
//! revised and unchanged figures apart, so a file may be imported again.

use std::collections::HashSet;

use prost::Message;
use proto::culture::v1 as wire;
use tonic::Status;
use wire::{Measure, RecordMeasuresResponse};

use super::records::{batches, without};
use super::sheet::{Rejection, Sheet};
use super::{Imported, aiddata};
use crate::args::answer::ServerArgs;
use crate::args::measures::{ImportMeasuresArgs, MeasureLayout};
use crate::client::{self, CultureClient, entry_violations, request};
use crate::figures;

/// The most figures of one call.
const BATCH: usize = 2_000;

/// A figure with the line and the column that it stands in.
pub(super) struct Figure {
    pub(super) line: u64,
    pub(super) column: &'static str,
    pub(super) measure: Measure,
}

/// Imports a file of figures.
pub(crate) async fn measures(args: &ImportMeasuresArgs) -> anyhow::Result<Imported> {
    let MeasureLayout::Aiddata = args.layout;
    let mut sheet = Sheet::open_whole(&args.import.file, &aiddata::required())?;
    let figures = aiddata::figures(&mut sheet);
    let read = figures.len();
    let missing = figures.iter().filter(|one| one.measure.value.is_empty());
    let missing = missing.count();
    let mut counts = RecordMeasuresResponse::default();
    if !args.import.dry_run {
        let server = &args.import.server;
        let mut client = client::culture(&server.server).await?;
        let bar = super::counter(read, &sheet.name);
        for batch in batches(figures, BATCH, |figure| figure.measure.encoded_len()) {
            bar.inc(batch.len() as u64);
            let recorded = record(&mut client, batch, &mut sheet.rejected, server).await;
            let recorded = recorded.inspect_err(|_| bar.finish_and_clear())?;
            counts.new += recorded.new;
            counts.revised += recorded.revised;
            counts.unchanged += recorded.unchanged;
        }
        bar.finish_and_clear();
    }
    let sums = sums(
        read,
        missing,
        &counts,
        sheet.rejected.len(),
        args.import.dry_run,
    );
    sheet.tell(&sums)
}

fn sums(
    read: usize,
    missing: usize,
    counts: &RecordMeasuresResponse,
    rejected: usize,
    dry_run: bool,
) -> Vec<String> {
    let grouped = |number: usize| figures::grouped(&number.to_string());
    let RecordMeasuresResponse {
        new,
        revised,
        unchanged,
        ..
    } = counts;
    let mut sums = vec![format!(
        "{} figures, {} of them not available",
        grouped(read),
        grouped(missing)
    )];
    if dry_run {
        sums.push(format!("rejected {rejected}"));
        sums.push("nothing was written".into());
        return sums;
    }
    sums.push(format!(
        "new {new}, revised {revised}, unchanged {unchanged}, rejected {rejected}"
    ));
    if *new + *revised == 0 {
        sums.push("nothing changed".into());
    }
    sums
}

/// Records a batch; figures that the service refuses are rejected and the others recorded.
async fn record(
    client: &mut CultureClient,
    mut batch: Vec<Figure>,
    rejected: &mut Vec<Rejection>,
    server: &ServerArgs,
) -> Result<RecordMeasuresResponse, Status> {
    while !batch.is_empty() {
        let asked = wire::RecordMeasuresRequest {
            measures: batch.iter().map(|figure| figure.measure.clone()).collect(),
            request_id: String::new(),
        };
        let recorded = client.record_measures(request(asked, server)).await;
        let Err(status) = recorded else {
            return recorded.map(tonic::Response::into_inner);
        };
        let violations = entry_violations(&status, "measures").filter(|found| !found.is_empty());
        let Some(violations) = violations else {
            return Err(status);
        };
        let mut refused = HashSet::new();
        for violation in violations {
            let Some(figure) = batch.get(violation.entry) else {
                return Err(status);
            };
            refused.insert(violation.entry);
            let reason = format!("{} {}", violation.field, violation.reason);
            rejected.push(Rejection::new(figure.line, figure.column, reason.trim()));
        }
        batch = without(batch, &refused);
    }
    Ok(RecordMeasuresResponse::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_claims_nothing_new() {
        let counts = RecordMeasuresResponse::default();
        let told = sums(7_410, 2_067, &counts, 0, true);
        assert_eq!(told[0], "7,410 figures, 2,067 of them not available");
        assert_eq!(told[2], "nothing was written");
        assert_eq!(sums(2, 0, &counts, 0, false)[2], "nothing changed");
    }
}
