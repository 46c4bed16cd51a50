//! Indicators, each with its inputs or the reason why it cannot be computed.

use std::io::Write;

use proto::dataset_name;
use proto::trade::v1 as wire;
use wire::{Indicator, IndicatorInput, Indicators, WorldReference};

use crate::args::answer::{AnswerArgs, Output};
use crate::args::mirror::IndicatorsArgs;
use crate::client::{self, request};
use crate::{figures, output, sources, words};

/// Shows the indicators.
pub(super) async fn run(args: &IndicatorsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let indicators = client.get_indicators(request(asked(args), server)).await?;
    let indicators = indicators.into_inner();
    match output {
        Output::Table => table(&indicators, out),
        Output::Json => output::json(out, "entente.trade.v1.Indicators", &indicators),
        Output::Csv => csv(&indicators, out),
    }
}

fn asked(args: &IndicatorsArgs) -> wire::GetIndicatorsRequest {
    let classification = args.classification.map(|given| given.to_string());
    wire::GetIndicatorsRequest {
        parent: dataset_name(&args.dataset),
        reporter: args.reporter.to_string(),
        partner: args.partner.to_string(),
        code: args.code.to_string(),
        classification: classification.unwrap_or_default(),
        period: args.period.to_string(),
        basis: args.basis.to_wire().into(),
        world: args.world.to_wire().into(),
        kinds: args.kind.iter().map(|kind| kind.to_wire().into()).collect(),
        level: args.level,
        as_of: args.as_of.to_wire(),
    }
}

fn table(indicators: &Indicators, out: &mut dyn Write) -> anyhow::Result<()> {
    let world = match WorldReference::try_from(indicators.world).unwrap_or_default() {
        WorldReference::Unspecified | WorldReference::Published => "as published",
        WorldReference::SumOfReporters => "the sum of the reporters",
    };
    writeln!(
        out,
        "i = {}, j = {}, k = {}, {}, {}; the world w {world}\n",
        indicators.reporter,
        indicators.partner,
        format!("{} {}", indicators.classification, indicators.code).trim(),
        indicators.period,
        indicators.dataset,
    )?;
    for indicator in &indicators.indicators {
        show(indicator, out)?;
    }
    sources::footnotes(&indicators.sources, out)
}

fn show(indicator: &Indicator, out: &mut dyn Write) -> anyhow::Result<()> {
    let name = words::indicator(indicator.kind);
    let normalised = match indicator.normalised.as_str() {
        "" => String::new(),
        normalised => format!(", normalised {normalised}"),
    };
    match indicator.value.as_str() {
        "" => writeln!(
            out,
            "{name}: none, since {}",
            words::indicator_gap(indicator.gap)
        )?,
        value => writeln!(out, "{name}: {value}{normalised}")?,
    }
    writeln!(out, "  = {}", indicator.formula)?;
    let widest = indicator
        .inputs
        .iter()
        .map(|input| input.symbol.chars().count());
    let widest = widest.max().unwrap_or_default();
    for input in &indicator.inputs {
        writeln!(out, "  {}", input_line(input, widest))?;
    }
    for missing in &indicator.missing {
        writeln!(out, "  missing {}", words::missing(missing))?;
    }
    Ok(writeln!(out)?)
}

fn input_line(input: &IndicatorInput, widest: usize) -> String {
    let IndicatorInput {
        symbol,
        value,
        figures: count,
        flags,
    } = input;
    let mut notes = match count {
        0 | 1 => String::new(),
        count => format!("  from {count} figures"),
    };
    let flags = figures::flags(flags);
    if !flags.is_empty() {
        notes = format!("{notes}  {flags}");
    }
    format!("{symbol:<widest$}  {:>21}{notes}", figures::grouped(value))
}

fn csv(indicators: &Indicators, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "dataset",
        "reporter",
        "partner",
        "code",
        "period",
        "indicator",
        "value",
        "normalised",
        "formula",
        "inputs",
        "gap",
        "missing",
    ];
    let mut writer = output::csv(out, &titles)?;
    for indicator in &indicators.indicators {
        let inputs = indicator.inputs.iter();
        let inputs = inputs.map(|input| format!("{} = {}", input.symbol, input.value));
        let missing = indicator.missing.iter().map(words::missing);
        writer.write_record([
            &indicators.dataset,
            &indicators.reporter,
            &indicators.partner,
            &indicators.code,
            &indicators.period,
            words::indicator(indicator.kind),
            &indicator.value,
            &indicator.normalised,
            &output::safe(&indicator.formula),
            &output::safe(&inputs.collect::<Vec<_>>().join("; ")),
            words::indicator_gap(indicator.gap),
            &missing.collect::<Vec<_>>().join("; "),
        ])?;
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_indicator_stands_with_what_went_in_or_with_what_is_missing() {
        let input = |symbol: &str, value: &str, figures| IndicatorInput {
            symbol: symbol.into(),
            value: value.into(),
            figures,
            flags: Vec::new(),
        };
        let answer = Indicators {
            indicators: vec![
                Indicator {
                    kind: wire::IndicatorKind::GrubelLloyd.into(),
                    value: "0.842975".into(),
                    formula: "1 − |x_ijk − m_ijk| / (x_ijk + m_ijk)".into(),
                    inputs: vec![
                        input("x_ijk", "14000000000", 1),
                        input("m_ijk", "10200000000", 12),
                    ],
                    ..Default::default()
                },
                Indicator {
                    kind: wire::IndicatorKind::Rca.into(),
                    gap: wire::IndicatorGap::NeedsCommodity.into(),
                    ..Default::default()
                },
            ],
            ..Default::default()
        };
        let mut out = Vec::new();
        table(&answer, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("Grubel-Lloyd: 0.842975"), "{text}");
        assert!(
            text.contains("m_ijk         10,200,000,000  from 12 figures"),
            "{text}"
        );
        assert!(
            text.contains("none, since it is about single goods: give --code"),
            "{text}"
        );
    }
}
