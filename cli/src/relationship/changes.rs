//! What was recorded, changed and deleted of two countries, over all services.

use std::io::Write;

use proto::gateway::v1 as wire;
use wire::list_changes_request::Since;
use wire::{ListChangesRequest, ListChangesResponse, RelationshipChange};

use super::{told, warn};
use crate::args::answer::{AnswerArgs, AsOf, Output};
use crate::args::relationship::{ChangesArgs, Since as Asked};
use crate::client::{self, request};
use crate::record::More;
use crate::{output, words};

/// The most changes of a page.
const PAGE: i32 = 500;

/// Shows the changes in the order in which they were recorded, and the cursor behind them.
pub(super) async fn run(args: &ChangesArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::gateway(&server.server).await?;
    let limit = args.limit.limit as usize;
    let mut answer = ListChangesResponse::default();
    loop {
        let left = i32::try_from(limit - answer.changes.len()).unwrap_or(i32::MAX);
        let asked = asked(args, left.min(PAGE), answer.next_page_token);
        let page = client.list_changes(request(asked, server)).await?;
        let page = page.into_inner();
        answer.changes.extend(page.changes);
        answer.next_page_token = page.next_page_token;
        answer.cursor = page.cursor;
        answer.unreachable = page.unreachable;
        let is_lost = !answer.unreachable.is_empty();
        if is_lost || answer.next_page_token.is_empty() || answer.changes.len() >= limit {
            break;
        }
    }
    warn(&answer.unreachable);
    match output {
        Output::Table => table(&answer, &args.language.language, out),
        Output::Json => output::json(out, "entente.gateway.v1.ListChangesResponse", &answer),
        Output::Csv => csv(&answer.changes, &args.language.language, out),
    }
}

fn asked(args: &ChangesArgs, page_size: i32, page_token: String) -> ListChangesRequest {
    let since = args.since.map(|since| match since {
        Asked::Day(day) => Since::SinceDay(day.into()),
        Asked::Instant(instant) => Since::SinceTime(AsOf::to_wire(instant)),
    });
    ListChangesRequest {
        country: args.pair.first.to_string(),
        partner: args.pair.second.to_string(),
        since: since.or(args.cursor.clone().map(Since::SinceCursor)),
        page_size,
        page_token,
    }
}

fn table(answer: &ListChangesResponse, language: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = ["recorded (UTC)", "record", "change", "fields", "title"];
    let mut table = output::table(&titles, &[]);
    output::wrap(&mut table);
    for change in &answer.changes {
        let cells = told::cells(change, language);
        table.add_row([
            words::second(change.record_time.as_ref()),
            cells.name,
            cells.change,
            cells.fields.join(", "),
            cells.title,
        ]);
    }
    let more = More::of(&answer.next_page_token);
    let count = answer.changes.len();
    writeln!(out, "{table}\n{count} changes{}", more.remark())?;
    // Behind all that there is, not behind what a limit showed.
    if more == More::No {
        writeln!(out, "cursor {}", answer.cursor)?;
    }
    Ok(())
}

fn csv(changes: &[RelationshipChange], language: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = ["recorded", "record", "change", "changed_fields", "title"];
    let mut writer = output::csv(out, &titles)?;
    for change in changes {
        let cells = told::cells(change, language);
        writer.write_record([
            words::instant(change.record_time.as_ref()),
            cells.name,
            cells.change,
            cells.fields.join(" "),
            output::safe(&cells.title),
        ])?;
    }
    Ok(writer.flush()?)
}
