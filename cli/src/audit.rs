//! Who wrote what into a service's journal.

use std::io::Write;

use proto::journal::v1 as wire;

use crate::args::answer::{AnswerArgs, Output};
use crate::args::audit::AuditArgs;
use crate::client::{self, request};
use crate::{output, words};

const PAGE: i32 = 500;
/// Kinds of change that a row of the table names.
const KINDS: usize = 3;
const TITLES: [&str; 5] = ["written (UTC)", "position", "caller", "what", "record"];

/// Shows the writes, the oldest first.
pub(crate) async fn run(args: &AuditArgs) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::journals(&server.server, args.role.name()).await?;
    let all = output::pages(args.limit as usize, async |page_token, left: i32| {
        let asked = request(asked(args, page_token, left.min(PAGE)), server);
        let page = client.list_audit_entries(asked).await?.into_inner();
        Ok((page.entries, page.next_page_token))
    });
    let all = all.await?;
    let answer = wire::ListAuditEntriesResponse {
        entries: all.entries,
        next_page_token: all.next,
    };
    let mut out = output::stdout();
    match output {
        Output::Table => table(&answer, &mut out)?,
        Output::Json => output::json(
            &mut out,
            "entente.journal.v1.ListAuditEntriesResponse",
            &answer,
        )?,
        Output::Csv => csv(&answer.entries, &mut out)?,
    }
    Ok(out.flush()?)
}

fn asked(args: &AuditArgs, page_token: String, page_size: i32) -> wire::ListAuditEntriesRequest {
    wire::ListAuditEntriesRequest {
        parent: format!("journals/{}", args.role.name()),
        after_position: args.after,
        caller: args.caller.clone(),
        name_prefix: args.record.clone(),
        page_size,
        page_token,
    }
}

fn table(answer: &wire::ListAuditEntriesResponse, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut table = output::table(&TITLES, &[1]);
    for entry in &answer.entries {
        let caller = match entry.caller.as_str() {
            "" => "no login",
            caller => caller,
        };
        table.add_row([
            words::second(entry.record_time.as_ref()),
            entry.position.to_string(),
            caller.to_owned(),
            what(entry),
            entry.subject.clone(),
        ]);
    }
    let more = match answer.next_page_token.as_str() {
        "" => "",
        _ => "; there are more, raise --limit",
    };
    Ok(writeln!(
        out,
        "{table}\n{} writes{more}",
        answer.entries.len()
    )?)
}

/// What a write did, by kinds of change.
fn what(entry: &wire::AuditEntry) -> String {
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for change in &entry.changes {
        let kind = change.kind.as_str();
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind, 1)),
        }
    }
    let told = kinds.iter().take(KINDS).map(|(kind, count)| match count {
        1 => kind.replace('_', " "),
        _ => format!("{} ×{count}", kind.replace('_', " ")),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// A row a change.
fn csv(entries: &[wire::AuditEntry], out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "written",
        "position",
        "caller",
        "request_id",
        "change",
        "record",
    ];
    let mut csv = output::csv(out, &titles)?;
    for entry in entries {
        for change in &entry.changes {
            csv.write_record([
                words::instant(entry.record_time.as_ref()),
                entry.position.to_string(),
                output::safe(&entry.caller),
                entry.request_id.clone(),
                change.kind.clone(),
                output::safe(&change.name),
            ])?;
        }
    }
    Ok(csv.flush()?)
}
