//! Figures of a programme or a direction as series, with growth like for like.

use std::io::Write;

use proto::culture::v1 as wire;
use wire::get_measure_series_request::Subject;
use wire::{MeasureFlag, MeasureGrowthGap, MeasureKind, MeasureLine, MeasurePoint, MeasureSeries};

use crate::args::answer::{AnswerArgs, Output};
use crate::args::measures::MeasureSeriesArgs;
use crate::client::{self, request};
use crate::plot::{self, Bar};
use crate::record::{Programmes, full_name};
use crate::trade::window;
use crate::{figures, names, output, sources, words};

/// In characters: as long as the bars of trade.
const PLOT_WIDTH: usize = 48;

/// Shows the series.
pub(super) async fn run(args: &MeasureSeriesArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let asked = wire::GetMeasureSeriesRequest {
        subject: subject(args),
        kind: names::number(args.kind),
        item: args.item.clone(),
        window: window(&args.window),
        as_of: args.as_of.to_wire(),
    };
    let mut client = client::culture(&server.server).await?;
    let series = client.get_measure_series(request(asked, server)).await?;
    let series = series.into_inner();
    match output {
        Output::Table => tables(&series, args.plot, out),
        Output::Json => output::json(out, "entente.culture.v1.MeasureSeries", &series),
        Output::Csv => csv(&series, out),
    }
}

fn subject(args: &MeasureSeriesArgs) -> Option<Subject> {
    if let Some(id) = &args.programme {
        return Some(Subject::Programme(full_name::<Programmes>(id)));
    }
    match args.direction.as_slice() {
        [from, to] => Some(Subject::Direction(wire::Direction {
            from: from.to_string(),
            to: to.to_string(),
        })),
        _ => None,
    }
}

fn tables(series: &MeasureSeries, with_plot: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if series.lines.is_empty() {
        return Ok(writeln!(out, "No figures are recorded.")?);
    }
    for line in &series.lines {
        writeln!(out, "{}", title(line))?;
        writeln!(out, "{}", table(line))?;
        if with_plot {
            plot::draw(out, &bars(line), PLOT_WIDTH)?;
        }
        writeln!(out)?;
    }
    sources::footnotes(&series.sources, out)
}

/// What a line counts, and who published it: `students, scholarships, in persons, by …`.
fn title(line: &MeasureLine) -> String {
    let kind = names::shown::<MeasureKind>(line.kind);
    let item = match line.item.as_str() {
        "" => String::new(),
        item => format!(", {item}"),
    };
    format!("{kind}{item}, in {}, by {}", line.unit, line.publisher)
}

fn table(line: &MeasureLine) -> comfy_table::Table {
    let titles = ["period", &line.unit, "growth", "notes", "source"];
    let mut table = output::table(&titles, &[1, 2]);
    for point in &line.points {
        table.add_row([
            point.period.clone(),
            figures::grouped(&point.value),
            growth(point),
            names::all_shown::<MeasureFlag>(&point.flags),
            format!("[{}]", point.source),
        ]);
    }
    table
}

/// Growth, or why there is none; that the figure itself is not available stands in its notes.
fn growth(point: &MeasurePoint) -> String {
    if !point.growth.is_empty() {
        return figures::percent(&point.growth);
    }
    names::shown::<MeasureGrowthGap>(point.growth_gap)
}

/// The wire's name of the reason why there is no growth; empty where there is none.
fn gap_name(gap: i32) -> String {
    let gap = MeasureGrowthGap::try_from(gap).unwrap_or_default();
    if gap == MeasureGrowthGap::Unspecified {
        return String::new();
    }
    gap.as_str_name().to_owned()
}

fn bars(line: &MeasureLine) -> Vec<Bar> {
    let known = line.points.iter().filter(|point| !point.value.is_empty());
    let bar = |point: &MeasurePoint| Bar {
        label: point.period.clone(),
        value: point.value.parse().unwrap_or_default(),
        note: figures::grouped(&point.value),
    };
    known.map(bar).collect()
}

fn csv(series: &MeasureSeries, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "kind",
        "item",
        "unit",
        "publisher",
        "period",
        "value",
        "growth",
        "growth_gap",
        "flags",
        "measure",
        "source_title",
        "source_uri",
        "vintage",
    ];
    let mut writer = output::csv(out, &titles)?;
    for line in &series.lines {
        for point in &line.points {
            let source = sources::cited(&series.sources, point.source).cloned();
            let source = source.unwrap_or_default();
            writer.write_record([
                names::shown::<MeasureKind>(line.kind),
                line.item.clone(),
                line.unit.clone(),
                output::safe(&line.publisher),
                point.period.clone(),
                point.value.clone(),
                point.growth.clone(),
                gap_name(point.growth_gap),
                names::all_shown::<MeasureFlag>(&point.flags),
                point.measure.clone(),
                output::safe(&source.title),
                output::safe(&source.uri),
                words::instant(point.vintage.as_ref()),
            ])?;
        }
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_has_growth_or_the_reason_why_it_has_none() {
        let mut point = MeasurePoint {
            growth: "0.25".into(),
            ..Default::default()
        };
        assert_eq!(growth(&point), "+25.0 %");
        point.growth = String::new();
        point.growth_gap = MeasureGrowthGap::ZeroBase.into();
        assert_eq!(growth(&point), "the year before is zero");
    }

    #[test]
    fn what_is_not_available_has_no_bar() {
        let point = |value: &str| MeasurePoint {
            value: value.into(),
            ..Default::default()
        };
        let line = MeasureLine {
            points: vec![point(""), point("0"), point("12")],
            ..Default::default()
        };
        assert_eq!(bars(&line).len(), 2);
    }
}
