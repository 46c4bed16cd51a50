//! What was recorded or revised of a pair.

use std::io::Write;

use proto::dataset_name;
use proto::trade::v1 as wire;
use wire::ObservationChange;

use super::PAGE;
use super::observation::parts;
use crate::args::answer::{AnswerArgs, AsOf, Output};
use crate::args::vintages::ChangesArgs;
use crate::client::{self, request};
use crate::{figures, output, words};

/// Shows the changes in the order of time.
pub(super) async fn run(args: &ChangesArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let all = output::pages(args.limit as usize, async |page_token, left: i32| {
        let asked = asked(args, page_token, left.min(PAGE));
        let page = client.list_observation_changes(request(asked, server));
        let page = page.await?.into_inner();
        Ok((page.changes, page.next_page_token))
    });
    let all = all.await?;
    let answer = wire::ListObservationChangesResponse {
        changes: all.entries,
        next_page_token: all.next,
    };
    match output {
        Output::Table => table(&answer, out),
        Output::Json => output::json(
            out,
            "entente.trade.v1.ListObservationChangesResponse",
            &answer,
        ),
        Output::Csv => csv(&answer.changes, out),
    }
}

fn asked(
    args: &ChangesArgs,
    page_token: String,
    page_size: i32,
) -> wire::ListObservationChangesRequest {
    wire::ListObservationChangesRequest {
        first: args.first.to_string(),
        second: args.second.to_string(),
        since: args.since.map(AsOf::to_wire),
        until: args.until.map(AsOf::to_wire),
        dataset: args.dataset.as_ref().map(dataset_name).unwrap_or_default(),
        totals_only: args.totals,
        page_size,
        page_token,
    }
}

fn table(answer: &wire::ListObservationChangesResponse, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "recorded (UTC)",
        "dataset",
        "figure",
        "before",
        "value",
        "revision",
    ];
    let mut table = output::table(&titles, &[3, 4, 5]);
    for change in &answer.changes {
        let observation = change.observation.clone().unwrap_or_default();
        let (_, value) = parts(&observation);
        table.add_row([
            words::second(observation.vintage.as_ref()),
            dataset_of(&observation.name).to_owned(),
            words::id(&observation.name).to_owned(),
            match change.previous_value.as_str() {
                "" => "new".into(),
                before => figures::grouped(before),
            },
            figures::money(&value),
            match change.revision.as_str() {
                "" => String::new(),
                revision => figures::percent(revision),
            },
        ]);
    }
    let more = if answer.next_page_token.is_empty() {
        ""
    } else {
        "; there are more, raise --limit"
    };
    Ok(writeln!(
        out,
        "{table}\n{} changes{more}",
        answer.changes.len()
    )?)
}

/// The id of the dataset in a figure's name.
fn dataset_of(name: &str) -> &str {
    name.split('/').nth(1).unwrap_or_default()
}

fn csv(changes: &[ObservationChange], out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "name",
        "recorded",
        "value",
        "currency",
        "previous_value",
        "previous_recorded",
        "revision",
        "flags",
    ];
    let mut writer = output::csv(out, &titles)?;
    for change in changes {
        let observation = change.observation.clone().unwrap_or_default();
        let (_, value) = parts(&observation);
        writer.write_record([
            &observation.name,
            &words::instant(observation.vintage.as_ref()),
            &value.amount,
            &value.currency_code,
            &change.previous_value,
            &words::instant(change.previous_vintage.as_ref()),
            &change.revision,
            &figures::flags(&observation.flags),
        ])?;
    }
    Ok(writer.flush()?)
}
