//! Two figures held against each other.

use std::io::Write;

use proto::trade::v1 as wire;
use wire::{Comparison, GrowthGap, Observation};

use super::observation::parts;
use crate::args::answer::{AnswerArgs, Output};
use crate::args::vintages::CompareArgs;
use crate::client::{self, request};
use crate::sources::Footnotes;
use crate::{figures, output};

/// Shows the comparison.
pub(super) async fn run(args: CompareArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let asked = wire::CompareObservationsRequest {
        name: args.name,
        base_name: args.base,
        as_of: args.as_of.to_wire(),
    };
    let mut client = client::trade(&server.server).await?;
    let comparison = client.compare_observations(request(asked, server)).await?;
    let comparison = comparison.into_inner();
    match output {
        Output::Table => table(&comparison, out),
        Output::Json => output::json(out, "entente.trade.v1.Comparison", &comparison),
        Output::Csv => csv(&comparison, out),
    }
}

fn table(comparison: &Comparison, out: &mut dyn Write) -> anyhow::Result<()> {
    let Comparison {
        figure,
        base,
        growth,
        differences,
    } = comparison;
    let titles = ["", "figure", "value", "valuation", "notes", "source"];
    let mut table = output::table(&titles, &[2]);
    let mut footnotes = Footnotes::default();
    for (role, observation) in [("figure", figure), ("base", base)] {
        if let Some(observation) = observation {
            table.add_row(cells(role, observation, &mut footnotes));
        }
    }
    writeln!(out, "{table}")?;
    let values = [figure, base].map(|one| one.as_ref().map(|one| parts(one).1));
    match (growth.as_str(), values) {
        ("", _) => writeln!(
            out,
            "Not like for like: {}.",
            causes(differences).join(", ")
        )?,
        (growth, [Some(figure), Some(base)]) => writeln!(
            out,
            "{} / {} − 1 = {}",
            figures::short(&figure.amount),
            figures::short(&base.amount),
            figures::percent(growth)
        )?,
        (growth, _) => writeln!(out, "{}", figures::percent(growth))?,
    }
    footnotes.write(out)
}

fn cells(role: &str, observation: &Observation, footnotes: &mut Footnotes) -> [String; 6] {
    let (_, value) = parts(observation);
    let source = observation.source.clone().unwrap_or_default();
    let name = observation.name.strip_prefix("datasets/");
    let name = name.unwrap_or(&observation.name);
    [
        role.to_owned(),
        name.replacen("/observations/", " ", 1),
        figures::money(&value),
        figures::valuation(observation.valuation)
            .trim_start_matches("valuation ")
            .to_owned(),
        figures::flags(&observation.flags),
        format!("[{}]", footnotes.number(&source)),
    ]
}

fn causes(differences: &[i32]) -> Vec<String> {
    differences
        .iter()
        .map(|gap| figures::growth_gap(*gap))
        .collect()
}

fn csv(comparison: &Comparison, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "figure",
        "value",
        "base",
        "base_value",
        "growth",
        "differences",
    ];
    let sides = [&comparison.figure, &comparison.base];
    let [figure, base] = sides.map(|one| one.clone().unwrap_or_default());
    let name = |gap: &i32| GrowthGap::try_from(*gap).unwrap_or_default().as_str_name();
    let differences: Vec<&str> = comparison.differences.iter().map(name).collect();
    let mut writer = output::csv(out, &titles)?;
    writer.write_record([
        &figure.name,
        &parts(&figure).1.amount,
        &base.name,
        &parts(&base).1.amount,
        &comparison.growth,
        &differences.join(" "),
    ])?;
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observation(name: &str, amount: &str) -> Observation {
        Observation {
            name: format!("datasets/china-customs/observations/{name}"),
            value: Some(proto::r#type::v1::Money {
                currency_code: "USD".into(),
                amount: amount.into(),
            }),
            ..Default::default()
        }
    }

    fn shown(comparison: &Comparison) -> String {
        let mut out = Vec::new();
        table(comparison, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn growth_is_shown_with_its_division() {
        let text = shown(&Comparison {
            figure: Some(observation("CHN.KAZ.T.NA.TOTAL.2022", "31200000000")),
            base: Some(observation("CHN.KAZ.T.NA.TOTAL.2021", "25250000000")),
            growth: "0.235644".into(),
            differences: Vec::new(),
        });
        assert!(text.contains("31.2 bn / 25.25 bn − 1 = +23.6 %"), "{text}");
    }

    #[test]
    fn all_that_differs_is_said() {
        let gaps = [GrowthGap::DatasetDiffers, GrowthGap::ReporterDiffers];
        let text = shown(&Comparison {
            figure: Some(observation("CHN.KAZ.T.NA.TOTAL.2022", "31200000000")),
            base: Some(observation("KAZ.CHN.T.NA.TOTAL.2022", "24100000000")),
            growth: String::new(),
            differences: gaps.map(Into::into).to_vec(),
        });
        assert!(
            text.contains("Not like for like: another dataset, another reporter."),
            "{text}"
        );
    }
}
