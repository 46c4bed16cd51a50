//! Questions to the trade service, and their answers on the terminal.

use std::io::Write;

use proto::trade::v1 as wire;
use proto::{Month, PeriodWindow, dataset_name, to_timestamp};
use tonic::Status;
use wire::{Observation, Series};

use crate::args::{AnswerArgs, AsOfArgs, DatasetsArgs, DatasetsCommand, FilterArgs, GetArgs};
use crate::args::{ListArgs, Output, SeriesArgs, TradeCommand, WindowArgs};
use crate::client::{self, TradeClient, request};
use crate::plot::Bar;
use crate::{datasets, export, figures, output, plot};

/// The most figures that a page of the service has.
const PAGE: u32 = 1_000;

/// Asks, and writes the answer to standard output.
pub(crate) async fn run(command: TradeCommand) -> anyhow::Result<()> {
    let mut out = output::stdout();
    match command {
        TradeCommand::Datasets(args) => match &args.command {
            Some(DatasetsCommand::Create(args)) => datasets::create(args, &mut out).await?,
            None => datasets(&args, &mut out).await?,
        },
        TradeCommand::Series(args) => series(&args, &mut out).await?,
        TradeCommand::List(args) => list(&args, &mut out).await?,
        TradeCommand::Get(args) => get(args, &mut out).await?,
        TradeCommand::Export(args) => export::run(&args).await?,
    }
    Ok(out.flush()?)
}

async fn datasets(args: &DatasetsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let mut answer = wire::ListDatasetsResponse::default();
    let mut page_token = String::new();
    loop {
        let asked = wire::ListDatasetsRequest {
            page_size: 0,
            page_token,
            as_of: None,
        };
        let page = client
            .list_datasets(request(asked, server))
            .await?
            .into_inner();
        answer.datasets.extend(page.datasets);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    match output {
        Output::Table => datasets_table(&answer.datasets, out),
        Output::Json => output::json(out, "entente.trade.v1.ListDatasetsResponse", &answer),
        Output::Csv => datasets_csv(&answer.datasets, out),
    }
}

const DATASET_TITLES: [&str; 5] = ["dataset", "title", "publisher", "currency", "licence"];

fn dataset_cells(dataset: &wire::Dataset) -> [String; 5] {
    let source = dataset.source.clone().unwrap_or_default();
    let title = dataset.display_name.clone().and_then(|texts| {
        let parsed = proto::LocalizedText::try_from(texts).ok()?;
        Some(parsed.get("en").to_owned())
    });
    [
        dataset.name.clone(),
        title.unwrap_or_default(),
        source.publisher,
        dataset.currency_code.clone(),
        source.licence,
    ]
}

fn datasets_table(datasets: &[wire::Dataset], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut table = output::table(&DATASET_TITLES, &[]);
    for dataset in datasets {
        table.add_row(dataset_cells(dataset));
    }
    Ok(writeln!(out, "{table}")?)
}

fn datasets_csv(datasets: &[wire::Dataset], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut writer = output::csv(out, &DATASET_TITLES)?;
    for dataset in datasets {
        writer.write_record(dataset_cells(dataset).map(|cell| output::safe(&cell)))?;
    }
    Ok(writer.flush()?)
}

async fn series(args: &SeriesArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let asked = wire::GetSeriesRequest {
        parent: dataset_name(&args.dataset),
        reporter: args.reporter.to_string(),
        partner: args.partner.to_string(),
        flow: args.flow.to_wire().into(),
        code: args.code.to_string(),
        classification: args
            .classification
            .map(|c| c.to_string())
            .unwrap_or_default(),
        frequency: args.frequency.to_wire().into(),
        window: window(&args.window),
        as_of: as_of(&args.as_of),
        ..Default::default()
    };
    let mut client = client::trade(&server.server).await?;
    let series = client
        .get_series(request(asked, server))
        .await?
        .into_inner();
    match output {
        Output::Table => series_table(&series, out),
        Output::Json => output::json(out, "entente.trade.v1.Series", &series),
        Output::Csv => series_csv(&series, out),
    }
}

/// The periods from the start of the first to the end of the last.
fn window(args: &WindowArgs) -> Option<proto::r#type::v1::PeriodWindow> {
    let window = PeriodWindow::new(
        args.from.map(proto::Period::start),
        args.to.map(proto::Period::end),
    );
    match window {
        Some(PeriodWindow::ALL) => None,
        Some(window) => Some(window.into()),
        // The service says what is wrong with it.
        None => Some(proto::r#type::v1::PeriodWindow {
            start: args.from.map(|p| p.start().to_string()).unwrap_or_default(),
            end: args
                .to
                .map(|p| Month::to_string(&p.end()))
                .unwrap_or_default(),
        }),
    }
}

pub(crate) fn as_of(args: &AsOfArgs) -> Option<prost_types::Timestamp> {
    args.as_of.map(|instant| to_timestamp(instant.0))
}

fn series_table(series: &Series, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{}", series_title(series))?;
    if series.points.is_empty() {
        writeln!(out, "\nNo figures: {}.", figures::empty(series))?;
        return Ok(());
    }
    let titles = [
        "period",
        &series.currency_code,
        "growth",
        "revision",
        "notes",
        "source",
    ];
    let mut table = output::table(&titles, &[1, 2]);
    for point in &series.points {
        table.add_row([
            point.period.clone(),
            figures::grouped(&point.value),
            figures::growth(point.growth.as_ref()),
            point.classification.clone(),
            figures::flags(&point.flags),
            format!("[{}]", point.source),
        ]);
    }
    writeln!(out, "{table}")?;
    plot::draw(out, &bars(series), 48)?;
    writeln!(out)?;
    for point in &series.breaks {
        writeln!(
            out,
            "From {} on the classification is {} (before: {}).",
            point.period, point.after, point.before
        )?;
    }
    sources(&series.sources, out)
}

fn series_title(series: &Series) -> String {
    let flow = proto::Flow::from_wire(series.flow);
    format!(
        "{} with {}, flow {}, {}, {}, {}",
        series.reporter,
        series.partner,
        flow.map(|flow| flow.to_string()).unwrap_or_default(),
        series.code,
        series.dataset,
        figures::valuation(series.valuation),
    )
}

fn bars(series: &Series) -> Vec<Bar> {
    let bar = |point: &wire::SeriesPoint| Bar {
        label: point.period.clone(),
        value: point.value.parse().unwrap_or_default(),
        note: String::new(),
    };
    series.points.iter().map(bar).collect()
}

/// Numbered sources, as footnotes.
pub(crate) fn sources(
    sources: &[proto::r#type::v1::Source],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for (index, source) in sources.iter().enumerate() {
        writeln!(out, "[{}] {}", index + 1, source_line(source))?;
    }
    Ok(())
}

fn source_line(source: &proto::r#type::v1::Source) -> String {
    let date = source.published_on;
    let date = date.and_then(|date| proto::CivilDate::try_from(date).ok());
    let date = date.map(|date| date.to_string()).unwrap_or_default();
    let named = format!("{}: {}", source.publisher, source.title);
    let parts = [&named, &date, &source.uri, &source.note];
    let given = parts.into_iter().filter(|part| !part.is_empty());
    given.map(String::as_str).collect::<Vec<_>>().join(" · ")
}

fn series_csv(series: &Series, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "dataset",
        "reporter",
        "partner",
        "flow",
        "code",
        "period",
        "value",
        "currency",
        "valuation",
        "classification",
        "growth",
        "growth_gap",
        "base_period",
        "flags",
        "source_title",
        "source_uri",
    ];
    let mut writer = output::csv(out, &titles)?;
    for point in &series.points {
        let source = usize::try_from(point.source - 1).ok();
        let source = source.and_then(|at| series.sources.get(at)).cloned();
        let source = source.unwrap_or_default();
        let (ratio, gap) = growth_cells(point.growth.as_ref());
        let base = point
            .growth
            .as_ref()
            .map(|growth| growth.base_period.clone());
        writer.write_record([
            &series.dataset,
            &series.reporter,
            &series.partner,
            &proto::Flow::from_wire(series.flow)
                .map(|f| f.to_string())
                .unwrap_or_default(),
            &series.code,
            &point.period,
            &point.value,
            &series.currency_code,
            figures::valuation(series.valuation),
            &point.classification,
            &ratio,
            &gap,
            &base.unwrap_or_default(),
            &figures::flags(&point.flags),
            &output::safe(&source.title),
            &output::safe(&source.uri),
        ])?;
    }
    Ok(writer.flush()?)
}

/// Growth as a ratio, or the name of the reason why there is none.
fn growth_cells(growth: Option<&wire::Growth>) -> (String, String) {
    match growth.and_then(|growth| growth.outcome.as_ref()) {
        Some(wire::growth::Outcome::Ratio(ratio)) => (ratio.clone(), String::new()),
        Some(wire::growth::Outcome::Gap(gap)) => {
            let gap = wire::GrowthGap::try_from(*gap).unwrap_or_default();
            (String::new(), gap.as_str_name().to_owned())
        }
        None => Default::default(),
    }
}

async fn list(args: &ListArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let answer = collect(&mut client, args).await?;
    match output {
        Output::Table => observations_table(&answer, out),
        Output::Json => output::json(out, "entente.trade.v1.ListObservationsResponse", &answer),
        Output::Csv => observations_csv(&answer.observations, out),
    }
}

/// As many figures as were asked for, and the token of what follows.
async fn collect(
    client: &mut TradeClient,
    args: &ListArgs,
) -> Result<wire::ListObservationsResponse, Status> {
    let limit = args.limit as usize;
    let mut answer = wire::ListObservationsResponse::default();
    loop {
        let left = limit - answer.observations.len();
        let asked = wire::ListObservationsRequest {
            parent: dataset_name(&args.dataset),
            filter: Some(filter(&args.filter)),
            page_size: i32::try_from(left)
                .unwrap_or(i32::MAX)
                .min(PAGE.cast_signed()),
            page_token: answer.next_page_token,
            as_of: as_of(&args.as_of),
        };
        let page = client
            .list_observations(request(asked, &args.answer.server))
            .await?;
        let page = page.into_inner();
        answer.observations.extend(page.observations);
        answer.next_page_token = page.next_page_token;
        if answer.next_page_token.is_empty() || answer.observations.len() >= limit {
            return Ok(answer);
        }
    }
}

pub(crate) fn filter(args: &FilterArgs) -> wire::ObservationFilter {
    let text = |country: Option<proto::Country>| country.map(|c| c.to_string());
    wire::ObservationFilter {
        reporter: text(args.reporter).unwrap_or_default(),
        partner: text(args.partner).unwrap_or_default(),
        flow: args
            .flow
            .map(|flow| flow.to_wire().into())
            .unwrap_or_default(),
        classification: args
            .classification
            .map(|c| c.to_string())
            .unwrap_or_default(),
        code: args
            .code
            .map(|pattern| pattern.to_string())
            .unwrap_or_default(),
        frequency: args
            .frequency
            .map(|f| f.to_wire().into())
            .unwrap_or_default(),
        window: window(&args.window),
    }
}

fn observations_table(
    answer: &wire::ListObservationsResponse,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let titles = [
        "reporter",
        "partner",
        "flow",
        "class.",
        "code",
        "period",
        "value",
        "net weight kg",
        "quantity",
        "unit",
        "notes",
    ];
    let mut table = output::table(&titles, &[6, 7, 8]);
    for observation in &answer.observations {
        let (commodity, value) = parts(observation);
        table.add_row([
            observation.reporter.clone(),
            observation.partner.clone(),
            flow_code(observation),
            commodity.classification,
            commodity.code,
            observation.period.clone(),
            format!(
                "{} {}",
                figures::grouped(&value.amount),
                value.currency_code
            ),
            figures::grouped(&observation.net_weight),
            figures::grouped(&observation.quantity),
            unit(observation),
            figures::flags(&observation.flags),
        ]);
    }
    writeln!(out, "{table}")?;
    let count = answer.observations.len();
    let more = !answer.next_page_token.is_empty();
    let hint = if more {
        "; there are more, raise --limit"
    } else {
        ""
    };
    Ok(writeln!(out, "{count} figures{hint}")?)
}

fn parts(observation: &Observation) -> (wire::Commodity, proto::r#type::v1::Money) {
    let commodity = observation.commodity.clone().unwrap_or_default();
    (commodity, observation.value.clone().unwrap_or_default())
}

fn flow_code(observation: &Observation) -> String {
    let flow = proto::Flow::from_wire(observation.flow);
    flow.map(|flow| flow.to_string()).unwrap_or_default()
}

fn unit(observation: &Observation) -> String {
    match observation.quantity_unit {
        0 => String::new(),
        5 => "items".into(),
        8 => "kg".into(),
        12 => "m³".into(),
        other => format!("unit {other}"),
    }
}

fn observations_csv(observations: &[Observation], out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "name",
        "reporter",
        "partner",
        "flow",
        "classification",
        "code",
        "period",
        "value",
        "currency",
        "valuation",
        "net_weight_kg",
        "quantity",
        "quantity_unit",
        "flags",
        "source_title",
        "source_publisher",
        "source_uri",
        "vintage",
    ];
    let mut writer = output::csv(out, &titles)?;
    for observation in observations {
        let (commodity, value) = parts(observation);
        let source = observation.source.clone().unwrap_or_default();
        writer.write_record([
            &observation.name,
            &observation.reporter,
            &observation.partner,
            &flow_code(observation),
            &commodity.classification,
            &commodity.code,
            &observation.period,
            &value.amount,
            &value.currency_code,
            figures::valuation(observation.valuation),
            &observation.net_weight,
            &observation.quantity,
            &observation.quantity_unit.to_string(),
            &figures::flags(&observation.flags),
            &output::safe(&source.title),
            &output::safe(&source.publisher),
            &output::safe(&source.uri),
            &vintage(observation),
        ])?;
    }
    Ok(writer.flush()?)
}

fn vintage(observation: &Observation) -> String {
    let micros = observation.vintage.as_ref();
    let micros = micros.and_then(|vintage| proto::parse_timestamp(vintage).ok());
    let instant = micros.and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok());
    instant
        .map(|instant| instant.to_string())
        .unwrap_or_default()
}

async fn get(args: GetArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let asked = wire::GetObservationRequest {
        name: args.name,
        as_of: as_of(&args.as_of),
    };
    let mut client = client::trade(&server.server).await?;
    let found = client
        .get_observation(request(asked, server))
        .await?
        .into_inner();
    match output {
        Output::Table => observation_lines(&found, out),
        Output::Json => output::json(out, "entente.trade.v1.Observation", &found),
        Output::Csv => observations_csv(&[found], out),
    }
}

fn observation_lines(observation: &Observation, out: &mut dyn Write) -> anyhow::Result<()> {
    let (commodity, value) = parts(observation);
    let source = observation.source.clone().unwrap_or_default();
    let lines = [
        ("name", observation.name.clone()),
        ("reporter", country(&observation.reporter)),
        ("partner", country(&observation.partner)),
        ("flow", flow_code(observation)),
        (
            "commodity",
            format!("{} {}", commodity.classification, commodity.code),
        ),
        ("period", observation.period.clone()),
        (
            "value",
            format!(
                "{} {}",
                figures::grouped(&value.amount),
                value.currency_code
            ),
        ),
        (
            "valuation",
            figures::valuation(observation.valuation).to_owned(),
        ),
        ("net weight", with_unit(&observation.net_weight, "kg")),
        (
            "quantity",
            with_unit(&observation.quantity, &unit(observation)),
        ),
        ("notes", figures::flags(&observation.flags)),
        ("vintage", vintage(observation)),
        ("source", source_line(&source)),
    ];
    for (title, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        writeln!(out, "{title:<11} {text}")?;
    }
    Ok(())
}

fn country(code: &str) -> String {
    let country = code.parse::<proto::Country>();
    country.map_or_else(|_| code.to_owned(), |c| format!("{code} ({})", c.name()))
}

fn with_unit(amount: &str, unit: &str) -> String {
    if amount.is_empty() {
        return String::new();
    }
    format!("{} {unit}", figures::grouped(amount))
}
