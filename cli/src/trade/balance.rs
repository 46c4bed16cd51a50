//! Exports, imports, balance and turnover side by side.

use std::io::Write;

use proto::dataset_name;
use proto::trade::v1 as wire;
use wire::{Measure, Series, SeriesPoint};

use super::series::{cited, csv, goods, plot_lines, remarks};
use super::{draw, window};
use crate::args::answer::{AnswerArgs, Output};
use crate::args::series::BalanceArgs;
use crate::client::{self, request};
use crate::plot::Bar;
use crate::reasons::Reasons;
use crate::sources::Footnotes;
use crate::{figures, output, plot, series_chart, svg};

/// From so many points on they are drawn as lines.
const MANY: usize = 6;

/// Shows the balance.
pub(super) async fn run(args: &BalanceArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let mut ask = async |measure| {
        let series = client.get_series(request(asked(args, measure), server));
        series.await.map(tonic::Response::into_inner)
    };
    let balance = ask(Measure::Balance).await?;
    let turnover = ask(Measure::Turnover).await?;
    if draw(out, &args.chart, || {
        svg::series(&series_chart::balance(&balance))
    })? {
        return Ok(());
    }
    match output {
        Output::Table => table(&balance, &turnover, out),
        Output::Json => output::json_list(out, "entente.trade.v1.Series", &[balance, turnover]),
        Output::Csv => csv(&[balance, turnover], out),
    }
}

fn asked(args: &BalanceArgs, measure: Measure) -> wire::GetSeriesRequest {
    wire::GetSeriesRequest {
        parent: dataset_name(&args.goods.dataset),
        reporter: args.reporter.to_string(),
        partner: args.partner.to_string(),
        code: args.goods.code_text(),
        classification: args.goods.classification_text(),
        frequency: args.time.frequency().to_wire().into(),
        window: window(&args.time.window),
        as_of: args.as_of.to_wire(),
        measure: measure.into(),
        sector: args.goods.sector_name(),
        months: args.time.months,
        ..Default::default()
    }
}

fn table(balance: &Series, turnover: &Series, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(
        out,
        "{} with {}, {}, {}, {}, m {}",
        balance.reporter,
        balance.partner,
        goods(balance),
        balance.dataset,
        figures::series_valuation(balance),
        balance.currency_code,
    )?;
    if balance.points.is_empty() {
        writeln!(out, "\nNo figures: {}.", figures::empty(balance))?;
        return Ok(());
    }
    let titles = [
        "period", "exports", "imports", "balance", "growth", "turnover", "growth", "source",
    ];
    let mut table = output::table(&titles, &[1, 2, 3, 4, 5, 6]);
    let mut reasons = Reasons::default();
    let mut footnotes = Footnotes::default();
    for point in &balance.points {
        let same_period = |other: &&SeriesPoint| other.period == point.period;
        let both = turnover.points.iter().find(same_period);
        let both = both.cloned().unwrap_or_default();
        table.add_row([
            point.period.clone(),
            figures::millions(&point.exports),
            figures::millions(&point.imports),
            figures::millions(&point.value),
            reasons.growth(point.growth.as_ref()),
            figures::millions(&both.value),
            reasons.growth(both.growth.as_ref()),
            footnotes.marks(&balance.sources, &cited(point)),
        ]);
    }
    writeln!(
        out,
        "{table}\nBalance is exports − imports, turnover exports + imports; exact in --output csv and json."
    )?;
    reasons.write(out)?;
    draw_balance(balance, out)?;
    writeln!(out)?;
    remarks(balance, out)?;
    footnotes.write(out)
}

/// Bars of the balance for a few points, the three lines for many.
fn draw_balance(balance: &Series, out: &mut dyn Write) -> anyhow::Result<()> {
    let published = || {
        balance
            .points
            .iter()
            .filter(|point| !point.value.is_empty())
    };
    if published().count() >= MANY {
        writeln!(out)?;
        return Ok(plot_lines(&series_chart::balance(balance), out)?);
    }
    let bar = |point: &SeriesPoint| Bar {
        label: point.period.clone(),
        value: point.value.parse().unwrap_or_default(),
        note: figures::short(&point.value),
    };
    let bars: Vec<Bar> = published().map(bar).collect();
    if !bars.is_empty() {
        writeln!(out, "\nBalance, {}", balance.currency_code)?;
    }
    Ok(plot::draw(out, &bars, 48)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(period: &str, exports: &str, imports: &str, value: &str) -> SeriesPoint {
        SeriesPoint {
            period: period.into(),
            exports: exports.into(),
            imports: imports.into(),
            value: value.into(),
            sources: vec![1],
            ..Default::default()
        }
    }

    fn series(measure: Measure, points: Vec<SeriesPoint>) -> Series {
        Series {
            dataset: "datasets/comtrade".into(),
            reporter: "CHN".into(),
            partner: "KAZ".into(),
            code: "TOTAL".into(),
            currency_code: "USD".into(),
            measure: measure.into(),
            export_valuation: wire::Valuation::Fob.into(),
            import_valuation: wire::Valuation::Cif.into(),
            sources: vec![proto::r#type::v1::Source {
                title: "UN Comtrade".into(),
                publisher: "UN".into(),
                ..Default::default()
            }],
            points,
            ..Default::default()
        }
    }

    #[test]
    fn both_flows_stand_beside_balance_and_turnover() {
        let balance = series(
            Measure::Balance,
            vec![
                point("2021", "14000000000", "10200000000", "3800000000"),
                point("2022", "16400000000", "", ""),
            ],
        );
        let turnover = series(
            Measure::Turnover,
            vec![point("2021", "14000000000", "10200000000", "24200000000")],
        );
        let mut out = Vec::new();
        table(&balance, &turnover, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("exports FOB, imports CIF, m USD"), "{text}");
        let line = text.lines().find(|line| line.starts_with(" 2021")).unwrap();
        let cells: Vec<&str> = line.split_whitespace().collect();
        let figures = ["2021", "14,000.0", "10,200.0", "3,800.0", "24,200.0", "[1]"];
        assert_eq!(cells, figures, "{text}");
        assert!(
            text.contains("3.8 bn") && text.contains("[1] UN: UN Comtrade"),
            "{text}"
        );
    }
}
