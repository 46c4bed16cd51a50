//! What a dataset covers.

use std::io::Write;

use proto::dataset_name;
use proto::trade::v1 as wire;
use tonic::Status;
use wire::{Coverage, Dataset, ListCoverageResponse};

use crate::args::datasets::ShowDatasetArgs;
use crate::client::{TradeClient, request};
use crate::{output, words};

/// All of it, or that of one reporter.
pub(super) async fn ask(
    client: &mut TradeClient,
    args: &ShowDatasetArgs,
) -> Result<ListCoverageResponse, Status> {
    let reporter = args.reporter.map(|reporter| reporter.to_string());
    let all = output::pages(usize::MAX, async |page_token, _| {
        let asked = wire::ListCoverageRequest {
            parent: dataset_name(&args.id),
            reporter: reporter.clone().unwrap_or_default(),
            page_size: 0,
            page_token,
            as_of: args.as_of.to_wire(),
        };
        let page = client.list_coverage(request(asked, &args.answer.server));
        let page = page.await?.into_inner();
        Ok((page.coverage, page.next_page_token))
    });
    Ok(ListCoverageResponse {
        coverage: all.await?.entries,
        next_page_token: String::new(),
    })
}

const TITLES: [&str; 8] = [
    "reporter",
    "flow",
    "frequency",
    "first",
    "last",
    "periods",
    "detail",
    "revisions",
];

fn cells(coverage: &Coverage) -> [String; 8] {
    let level = |level: &i32| match level {
        0 => "total".to_owned(),
        digits => digits.to_string(),
    };
    let frequency = proto::Frequency::from_wire(coverage.frequency);
    [
        coverage.reporter.clone(),
        words::flow(coverage.flow),
        frequency.map(|f| f.to_string()).unwrap_or_default(),
        coverage.first_period.clone(),
        coverage.last_period.clone(),
        coverage.periods.to_string(),
        coverage
            .levels
            .iter()
            .map(level)
            .collect::<Vec<_>>()
            .join(" "),
        coverage.classifications.join(" "),
    ]
}

/// The coverage as a table.
pub(super) fn table(coverage: &[Coverage], out: &mut dyn Write) -> anyhow::Result<()> {
    if coverage.is_empty() {
        return Ok(writeln!(out, "It has no figures.")?);
    }
    let mut table = output::table(&TITLES, &[5]);
    for one in coverage {
        table.add_row(cells(one));
    }
    Ok(writeln!(out, "{table}")?)
}

/// The dataset and its coverage as one object.
pub(super) fn json(
    dataset: &Dataset,
    answer: &ListCoverageResponse,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    write!(out, "{{\"dataset\": ")?;
    output::json(out, "entente.trade.v1.Dataset", dataset)?;
    write!(out, ",\"coverage\": ")?;
    output::json(out, "entente.trade.v1.ListCoverageResponse", answer)?;
    Ok(writeln!(out, "}}")?)
}

/// The coverage as rows.
pub(super) fn csv(
    dataset: &Dataset,
    coverage: &[Coverage],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let titles = std::iter::once("dataset").chain(TITLES);
    let titles: Vec<&str> = titles.collect();
    let mut writer = output::csv(out, &titles)?;
    for one in coverage {
        writer.write_record(std::iter::once(&dataset.name).chain(&cells(one)))?;
    }
    Ok(writer.flush()?)
}
