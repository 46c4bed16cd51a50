//! Figures by filter.

use std::io::Write;

use proto::dataset_name;
use proto::trade::v1 as wire;
use wire::Observation;

use super::observation::{parts, unit};
use super::{PAGE, window};
use crate::args::answer::{AnswerArgs, Output};
use crate::args::trade::{FilterArgs, ListArgs};
use crate::client::{self, request};
use crate::{figures, output, words};

/// Lists figures.
pub(super) async fn run(args: &ListArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let all = output::pages(args.limit as usize, async |page_token, left: i32| {
        let asked = wire::ListObservationsRequest {
            parent: dataset_name(&args.dataset),
            filter: Some(filter(&args.filter)),
            page_size: left.min(PAGE),
            page_token,
            as_of: args.as_of.to_wire(),
        };
        let page = client.list_observations(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.observations, page.next_page_token))
    });
    let all = all.await?;
    let answer = wire::ListObservationsResponse {
        observations: all.entries,
        next_page_token: all.next,
    };
    match output {
        Output::Table => observations_table(&answer, out),
        Output::Json => output::json(out, "entente.trade.v1.ListObservationsResponse", &answer),
        Output::Csv => observations_csv(&answer.observations, out),
    }
}

/// The filter as the wire has it.
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
            words::flow(observation.flow),
            commodity.classification,
            commodity.code,
            observation.period.clone(),
            figures::money(&value),
            figures::grouped(&observation.net_weight),
            figures::grouped(&observation.quantity),
            unit(observation),
            figures::flags(&observation.flags),
        ]);
    }
    output::hide_empty(&mut table);
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

/// Figures as rows.
pub(super) fn observations_csv(
    observations: &[Observation],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
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
            &words::flow(observation.flow),
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
            &words::instant(observation.vintage.as_ref()),
        ])?;
    }
    Ok(writer.flush()?)
}
