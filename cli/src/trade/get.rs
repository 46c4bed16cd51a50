//! One figure by its name.

use std::io::Write;

use proto::trade::v1 as wire;
use wire::Observation;

use super::list::observations_csv;
use super::observation::{parts, unit};
use crate::args::answer::{AnswerArgs, Output};
use crate::args::trade::GetArgs;
use crate::client::{self, request};
use crate::{figures, output, sources, words};

/// Shows a figure.
pub(super) async fn run(args: GetArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let asked = wire::GetObservationRequest {
        name: args.name,
        as_of: args.as_of.to_wire(),
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
        ("reporter", words::country_with_code(&observation.reporter)),
        ("partner", words::country_with_code(&observation.partner)),
        ("flow", words::flow(observation.flow)),
        (
            "commodity",
            format!("{} {}", commodity.classification, commodity.code),
        ),
        ("period", observation.period.clone()),
        ("value", figures::money(&value)),
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
        ("vintage", words::instant(observation.vintage.as_ref())),
        ("source", sources::line(&source)),
    ];
    output::lines(out, &lines.map(|(title, text)| (title.to_owned(), text)))
}

fn with_unit(amount: &str, unit: &str) -> String {
    if amount.is_empty() {
        return String::new();
    }
    format!("{} {unit}", figures::grouped(amount))
}
