//! What became of events and agreements between two instants.

use std::io::Write;

use proto::events::v1 as wire;
use proto::r#type::v1::ChangeKind;
use wire::RecordChange;
use wire::record_change::Record;

use super::PAGE;
use crate::args::answer::{AnswerArgs, AsOf, Output};
use crate::args::events::EventChangesArgs;
use crate::client::{self, request};
use crate::record::{Agreements, Events, More, Shown};
use crate::{names, output, words};

/// Shows the changes in the order in which they were recorded.
pub(super) async fn run(args: &EventChangesArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::events(&server.server).await?;
    let (country, partner) = args.countries.to_wire();
    let limit = args.limit.limit as usize;
    let all = output::pages(limit, async |page_token, left: i32| {
        let asked = wire::ListChangesRequest {
            country: country.clone(),
            partner: partner.clone(),
            start_time: args.since.map(AsOf::to_wire),
            end_time: args.until.map(AsOf::to_wire),
            page_size: left.min(PAGE),
            page_token,
        };
        let page = client.list_changes(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.changes, page.next_page_token))
    });
    let all = all.await?;
    let answer = wire::ListChangesResponse {
        changes: all.entries,
        next_page_token: all.next,
    };
    match output {
        Output::Table => table(&answer, &args.language.language, out),
        Output::Json => output::json(out, "entente.events.v1.ListChangesResponse", &answer),
        Output::Csv => csv(&answer.changes, &args.language.language, out),
    }
}

fn table(
    answer: &wire::ListChangesResponse,
    language: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let titles = ["recorded (UTC)", "record", "change", "fields", "title"];
    let mut table = output::table(&titles, &[]);
    output::wrap(&mut table);
    for change in &answer.changes {
        table.add_row([
            words::second(change.record_time.as_ref()),
            change.name.clone(),
            names::shown::<ChangeKind>(change.change),
            fields(change),
            title(change, language),
        ]);
    }
    let more = More::of(&answer.next_page_token);
    let count = answer.changes.len();
    Ok(writeln!(out, "{table}\n{count} changes{}", more.remark())?)
}

/// The fields that changed; of a new record all did, which says nothing.
fn fields(change: &RecordChange) -> String {
    match ChangeKind::try_from(change.change).unwrap_or_default() {
        ChangeKind::Created => String::new(),
        ChangeKind::Unspecified | ChangeKind::Updated | ChangeKind::Deleted => {
            change.changed_fields.join(", ")
        }
    }
}

fn title(change: &RecordChange, language: &str) -> String {
    match &change.record {
        Some(Record::Event(event)) => Events::title(event, language),
        Some(Record::Agreement(agreement)) => Agreements::title(agreement, language),
        None => String::new(),
    }
}

fn csv(changes: &[RecordChange], language: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = ["recorded", "record", "change", "changed_fields", "title"];
    let mut writer = output::csv(out, &titles)?;
    for change in changes {
        writer.write_record([
            words::instant(change.record_time.as_ref()),
            change.name.clone(),
            names::shown::<ChangeKind>(change.change),
            change.changed_fields.join(" "),
            output::safe(&title(change, language)),
        ])?;
    }
    Ok(writer.flush()?)
}
