//! What became of a service's records between two instants.

use std::io::Write;

use proto::r#type::v1::ChangeKind;

use super::feeds::{Changed, Feed};
use super::list::More;
use crate::args::answer::{AnswerArgs, Output};
use crate::args::records::ChangesArgs;
use crate::{names, output, words};

/// The most changes of a page.
const PAGE: i32 = 500;

/// Shows the changes in the order in which they were recorded.
pub(crate) async fn changes<F: Feed>(
    args: &ChangesArgs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut feed = F::connect(server).await?;
    let limit = args.limit.limit as usize;
    let all = output::pages(limit, async |token, left: i32| {
        feed.changes(args, left.min(PAGE), token).await
    });
    let all = all.await?;
    let answer = F::answer(all.entries, all.next);
    let (changes, next) = F::listed(&answer);
    match output {
        Output::Table => table::<F>(changes, More::of(next), &args.language.language, out),
        Output::Json => output::json(out, F::CHANGES, &answer),
        Output::Csv => csv::<F>(changes, &args.language.language, out),
    }
}

fn table<F: Feed>(
    changes: &[F::Change],
    more: More,
    language: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let titles = ["recorded (UTC)", "record", "change", "fields", "title"];
    let mut table = output::table(&titles, &[]);
    output::wrap(&mut table);
    for change in changes {
        let change = F::changed(change, language);
        table.add_row([
            words::second(change.record_time),
            change.name.to_owned(),
            names::shown::<ChangeKind>(change.change),
            fields(&change),
            change.title,
        ]);
    }
    let count = changes.len();
    Ok(writeln!(out, "{table}\n{count} changes{}", more.remark())?)
}

/// The fields that changed; of a new record all did, which says nothing.
fn fields(change: &Changed<'_>) -> String {
    match ChangeKind::try_from(change.change).unwrap_or_default() {
        ChangeKind::Created => String::new(),
        ChangeKind::Unspecified | ChangeKind::Updated | ChangeKind::Deleted => {
            change.fields.join(", ")
        }
    }
}

fn csv<F: Feed>(changes: &[F::Change], language: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = ["recorded", "record", "change", "changed_fields", "title"];
    let mut writer = output::csv(out, &titles)?;
    for change in changes {
        let change = F::changed(change, language);
        writer.write_record([
            words::instant(change.record_time),
            change.name.to_owned(),
            names::shown::<ChangeKind>(change.change),
            change.fields.join(" "),
            output::safe(&change.title),
        ])?;
    }
    Ok(writer.flush()?)
}
