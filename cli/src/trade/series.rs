//! A series with growth like for like.

use std::io::Write;

use proto::dataset_name;
use proto::trade::v1 as wire;
use wire::{Measure, Series, SeriesPoint};

use super::{draw, window};
use crate::args::answer::{AnswerArgs, Output};
use crate::args::series::{MeasureArg, SeriesArgs};
use crate::client::{self, request};
use crate::plot::Bar;
use crate::reasons::Reasons;
use crate::{figures, output, plot, series_chart, sources, svg, words};

/// From so many points on they are drawn as lines; more lines than these cannot be told apart.
const MANY: usize = 12;
const MOST_LINES: usize = 6;
/// In characters: what a terminal of a hundred columns shows at a glance.
const PLOT_WIDTH: usize = 96;
const PLOT_HEIGHT: usize = 15;

/// Shows a series.
pub(super) async fn run(args: &SeriesArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let series = client.get_series(request(asked(args), server)).await?;
    let series = series.into_inner();
    if draw(out, &args.chart, || svg::series(&series_chart::of(&series)))? {
        return Ok(());
    }
    match output {
        Output::Table => table(&series, out),
        Output::Json => output::json(out, "entente.trade.v1.Series", &series),
        Output::Csv => csv(&[series], out),
    }
}

fn asked(args: &SeriesArgs) -> wire::GetSeriesRequest {
    let flow = match args.measure {
        None => args.flow.to_wire(),
        Some(_) => wire::Flow::Unspecified,
    };
    let measure = args.measure.map(MeasureArg::to_wire);
    wire::GetSeriesRequest {
        parent: dataset_name(&args.goods.dataset),
        reporter: args.reporter.to_string(),
        partner: args.partner.to_string(),
        flow: flow.into(),
        code: args.goods.code_text(),
        classification: args.goods.classification_text(),
        frequency: args.time.frequency().to_wire().into(),
        window: window(&args.time.window),
        as_of: args.as_of.to_wire(),
        measure: measure.unwrap_or_default().into(),
        sector: args.goods.sector_name(),
        months: args.time.months,
        convert: args.convert,
    }
}

fn table(series: &Series, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{}", title(series))?;
    if series.points.is_empty() {
        writeln!(out, "\nNo figures: {}.", figures::empty(series))?;
        return Ok(());
    }
    if is_measure(series) {
        let mut reasons = Reasons::default();
        writeln!(out, "{}", parts_table(series, &mut reasons))?;
        reasons.write(out)?;
    } else {
        writeln!(out, "{}", points_table(series))?;
    }
    plot(series, out)?;
    writeln!(out)?;
    remarks(series, out)?;
    sources::footnotes(&series.sources, out)
}

/// Whether it is computed from exports and imports.
fn is_measure(series: &Series) -> bool {
    series.measure != i32::from(Measure::Unspecified)
}

fn points_table(series: &Series) -> comfy_table::Table {
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
            notes(point),
            marks(point),
        ]);
    }
    table
}

/// With the figures that each value is computed from. There is no room for reasons in full.
fn parts_table(series: &Series, reasons: &mut Reasons) -> comfy_table::Table {
    let name = measure(series);
    let titles = ["period", "exports", "imports", name, "growth", "source"];
    let mut table = output::table(&titles, &[1, 2, 3, 4]);
    for point in &series.points {
        let notes = match notes(point).as_str() {
            "" => String::new(),
            notes => format!(" {}", reasons.mark(notes)),
        };
        table.add_row([
            point.period.clone(),
            figures::grouped(&point.exports),
            figures::grouped(&point.imports),
            figures::grouped(&point.value),
            reasons.growth(point.growth.as_ref()),
            marks(point) + &notes,
        ]);
    }
    table
}

/// Flags, and what keeps a value from being there.
fn notes(point: &SeriesPoint) -> String {
    let flags = figures::flags(&point.flags);
    let missing = if point.missing.is_empty() {
        ""
    } else {
        "figures are missing"
    };
    let given = [flags.as_str(), missing];
    let given = given.into_iter().filter(|text| !text.is_empty());
    given.collect::<Vec<_>>().join(", ")
}

fn marks(point: &SeriesPoint) -> String {
    let indices = cited(point);
    let marks = indices.iter().map(|index| format!("[{index}]"));
    marks.collect::<Vec<_>>().join(" ")
}

/// Indices of a point's sources.
pub(super) fn cited(point: &SeriesPoint) -> Vec<i32> {
    match (point.sources.as_slice(), point.source) {
        ([], 0) => Vec::new(),
        ([], one) => vec![one],
        (several, _) => several.to_vec(),
    }
}

/// What is missing, how figures were converted, and where the classification changes.
pub(super) fn remarks(series: &Series, out: &mut dyn Write) -> anyhow::Result<()> {
    for point in &series.points {
        for missing in &point.missing {
            writeln!(out, "{}: missing {}", point.period, words::missing(missing))?;
        }
    }
    for (first, last, conversion) in conversions(series) {
        let periods = if first == last {
            first.to_owned()
        } else {
            format!("{first} to {last}")
        };
        let text = format!("{periods}: {}", words::conversion(conversion));
        output::paragraph(out, &text, "  ")?;
    }
    for point in &series.breaks {
        writeln!(out, "{}", figures::class_break(point))?;
    }
    Ok(())
}

/// Conversions with the first and the last of the periods in a row that they are the same for.
fn conversions(series: &Series) -> Vec<(&str, &str, &wire::Conversion)> {
    let same = |a: &SeriesPoint, b: &SeriesPoint| a.conversion == b.conversion;
    let mut found = Vec::new();
    for run in series.points.chunk_by(same) {
        if let (Some(first), Some(last)) = (run.first(), run.last())
            && let Some(conversion) = &first.conversion
        {
            found.push((first.period.as_str(), last.period.as_str(), conversion));
        }
    }
    found
}

/// Bars for a few points, which can be read one by one; lines for many, where the course is looked at.
fn plot(series: &Series, out: &mut dyn Write) -> std::io::Result<()> {
    let chart = series_chart::of(series);
    if series.points.len() < MANY || chart.lines.len() > MOST_LINES {
        return plot::draw(out, &bars(series), 48);
    }
    plot::lines(out, &chart, PLOT_WIDTH, PLOT_HEIGHT)
}

/// Lines where the course of time is looked at: of a balance, whatever the number of points.
pub(super) fn plot_lines(chart: &crate::chart::Chart, out: &mut dyn Write) -> std::io::Result<()> {
    plot::lines(out, chart, PLOT_WIDTH, PLOT_HEIGHT)
}

fn title(series: &Series) -> String {
    let flow = match Measure::try_from(series.measure).unwrap_or_default() {
        Measure::Unspecified => format!("flow {}", words::flow(series.flow)),
        Measure::Balance => "balance (exports − imports)".into(),
        Measure::Turnover => "turnover (exports + imports)".into(),
    };
    let currency = if is_measure(series) {
        format!(", {}", series.currency_code)
    } else {
        String::new()
    };
    format!(
        "{} with {}, {flow}, {}, {}, {}{currency}",
        series.reporter,
        series.partner,
        goods(series),
        series.dataset,
        figures::series_valuation(series),
    )
}

/// What is computed, in a word.
fn measure(series: &Series) -> &'static str {
    match Measure::try_from(series.measure).unwrap_or_default() {
        Measure::Unspecified => "",
        Measure::Balance => "balance",
        Measure::Turnover => "turnover",
    }
}

/// The code or the sector.
pub(super) fn goods(series: &Series) -> &str {
    if series.sector.is_empty() {
        &series.code
    } else {
        &series.sector
    }
}

fn bars(series: &Series) -> Vec<Bar> {
    let bar = |point: &SeriesPoint| Bar {
        label: point.period.clone(),
        value: point.value.parse().unwrap_or_default(),
        note: String::new(),
    };
    let published = series.points.iter().filter(|point| !point.value.is_empty());
    published.map(bar).collect()
}

/// Series as rows, a row a point.
pub(super) fn csv(all: &[Series], out: &mut dyn Write) -> anyhow::Result<()> {
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
        "measure",
        "sector",
        "exports",
        "imports",
        "figures",
        "missing",
        "conversion",
    ];
    let mut writer = output::csv(out, &titles)?;
    for series in all {
        for point in &series.points {
            writer.write_record(cells(series, point))?;
        }
    }
    Ok(writer.flush()?)
}

fn cells(series: &Series, point: &SeriesPoint) -> Vec<String> {
    let source = sources::cited(&series.sources, point.source).cloned();
    let source = source.unwrap_or_default();
    let (ratio, gap) = figures::growth_cells(point.growth.as_ref());
    let base = point.growth.as_ref().map(|growth| &growth.base_period);
    let missing: Vec<String> = point.missing.iter().map(words::missing).collect();
    let conversion = point.conversion.as_ref().map(words::conversion);
    vec![
        series.dataset.clone(),
        series.reporter.clone(),
        series.partner.clone(),
        words::flow(series.flow),
        series.code.clone(),
        point.period.clone(),
        point.value.clone(),
        series.currency_code.clone(),
        figures::series_valuation(series),
        point.classification.clone(),
        ratio,
        gap,
        base.cloned().unwrap_or_default(),
        figures::flags(&point.flags),
        output::safe(&source.title),
        output::safe(&source.uri),
        measure(series).into(),
        series.sector.clone(),
        point.exports.clone(),
        point.imports.clone(),
        point.figures.to_string(),
        missing.join("; "),
        conversion.unwrap_or_default(),
    ]
}
