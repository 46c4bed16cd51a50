//! Datasets: list, show with their coverage, change their words.

use std::io::Write;

use proto::dataset_name;
use proto::trade::v1 as wire;
use wire::Dataset;

use super::coverage;
use crate::args::answer::{AnswerArgs, AsOfArgs, Output, ServerArgs};
use crate::args::datasets::{
    DatasetsArgs, DatasetsCommand, ListDatasetsArgs, ShowDatasetArgs, UpdateDatasetArgs,
};
use crate::args::texts::merged;
use crate::client::{self, TradeClient, request};
use crate::{figures, output, sources, words};

/// Does what was asked for.
pub(super) async fn run(args: DatasetsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    match args.command {
        None => list(&args.list, out).await,
        Some(DatasetsCommand::List(args)) => list(&args, out).await,
        Some(DatasetsCommand::Show(args)) => show(&args, out).await,
        Some(DatasetsCommand::Create(args)) => crate::datasets::create(&args, out).await,
        Some(DatasetsCommand::Update(args)) => update(&args, out).await,
    }
}

async fn list(args: &ListDatasetsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let all = output::pages(usize::MAX, async |page_token, _| {
        let asked = wire::ListDatasetsRequest {
            page_size: 0,
            page_token,
            as_of: args.as_of.to_wire(),
        };
        let page = client.list_datasets(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.datasets, page.next_page_token))
    });
    let answer = wire::ListDatasetsResponse {
        datasets: all.await?.entries,
        next_page_token: String::new(),
    };
    match output {
        Output::Table => table(&answer.datasets, out),
        Output::Json => output::json(out, "entente.trade.v1.ListDatasetsResponse", &answer),
        Output::Csv => csv(&answer.datasets, out),
    }
}

const TITLES: [&str; 5] = ["dataset", "title", "publisher", "currency", "licence"];

fn cells(dataset: &Dataset) -> [String; 5] {
    let source = dataset.source.clone().unwrap_or_default();
    [
        dataset.name.clone(),
        words::text(dataset.display_name.as_ref()),
        source.publisher,
        dataset.currency_code.clone(),
        source.licence,
    ]
}

fn table(datasets: &[Dataset], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut table = output::table(&TITLES, &[]);
    for dataset in datasets {
        table.add_row(cells(dataset));
    }
    Ok(writeln!(out, "{table}")?)
}

fn csv(datasets: &[Dataset], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut writer = output::csv(out, &TITLES)?;
    for dataset in datasets {
        writer.write_record(cells(dataset).map(|cell| output::safe(&cell)))?;
    }
    Ok(writer.flush()?)
}

async fn show(args: &ShowDatasetArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let dataset = get(&mut client, dataset_name(&args.id), &args.as_of, server).await?;
    let answer = coverage::ask(&mut client, args).await?;
    match output {
        Output::Table => {
            lines(&dataset, out)?;
            writeln!(out)?;
            coverage::table(&answer.coverage, out)
        }
        Output::Json => coverage::json(&dataset, &answer, out),
        Output::Csv => coverage::csv(&dataset, &answer.coverage, out),
    }
}

async fn get(
    client: &mut TradeClient,
    name: String,
    as_of: &AsOfArgs,
    server: &ServerArgs,
) -> Result<Dataset, tonic::Status> {
    let asked = wire::GetDatasetRequest {
        name,
        as_of: as_of.to_wire(),
    };
    let dataset = client.get_dataset(request(asked, server)).await?;
    Ok(dataset.into_inner())
}

fn lines(dataset: &Dataset, out: &mut dyn Write) -> anyhow::Result<()> {
    let source = dataset.source.clone().unwrap_or_default();
    let shown = if source.may_be_shown_outside {
        "may be shown outside"
    } else {
        "may not be shown outside"
    };
    let terms = [source.licence.as_str(), shown];
    let terms = terms.into_iter().filter(|text| !text.is_empty());
    let mut rows = vec![("name".to_owned(), dataset.name.clone())];
    rows.extend(words::texts("", dataset.display_name.as_ref()));
    rows.extend(words::texts("covers ", dataset.description.as_ref()));
    rows.push((
        "values".into(),
        format!(
            "{}; exports {}, imports {}",
            dataset.currency_code,
            figures::valuation(dataset.export_valuation),
            figures::valuation(dataset.import_valuation)
        ),
    ));
    rows.push(("source".into(), sources::line(&source)));
    rows.push(("licence".into(), terms.collect::<Vec<_>>().join("; ")));
    rows.push((
        "recorded".into(),
        words::second(dataset.create_time.as_ref()),
    ));
    rows.push((
        "changed".into(),
        words::second(dataset.update_time.as_ref()),
    ));
    output::lines(out, &rows)
}

/// Reads the dataset, and writes it back with its etag: a change by somebody else in between is told.
async fn update(args: &UpdateDatasetArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let now = AsOfArgs { as_of: None };
    let mut dataset = get(&mut client, dataset_name(&args.id), &now, server).await?;
    let paths = put_into(args, &mut dataset);
    anyhow::ensure!(
        !paths.is_empty(),
        "nothing to change: give --name, --description, or a part of the source such as --licence"
    );
    let asked = wire::UpdateDatasetRequest {
        dataset: Some(dataset),
        update_mask: Some(prost_types::FieldMask { paths }),
        request_id: String::new(),
    };
    let dataset = client.update_dataset(request(asked, server)).await?;
    let dataset = dataset.into_inner();
    match output {
        Output::Table => lines(&dataset, out),
        Output::Json => output::json(out, "entente.trade.v1.Dataset", &dataset),
        Output::Csv => csv(&[dataset], out),
    }
}

/// Puts what is given into a dataset; the fields that it is in.
fn put_into(args: &UpdateDatasetArgs, dataset: &mut Dataset) -> Vec<String> {
    let mut paths = Vec::new();
    if !args.name.is_empty() {
        dataset.display_name = merged(dataset.display_name.take(), &args.name);
        paths.push("display_name".to_owned());
    }
    if !args.description.is_empty() {
        dataset.description = merged(dataset.description.take(), &args.description);
        paths.push("description".to_owned());
    }
    if args.source.put_into(dataset.source.get_or_insert_default()) {
        paths.push("source".to_owned());
    }
    paths
}
