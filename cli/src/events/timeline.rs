//! What happened between two countries, in one order.

use std::io::Write;

use proto::events::v1 as wire;
use proto::r#type::v1::Source;
use wire::timeline_entry::Entry;
use wire::{EventKind, EventStatus, StepKind, TimelineEntry, TimelineStep};

use super::{PAGE, event};
use crate::args::answer::{AnswerArgs, Output};
use crate::args::events::TimelineArgs;
use crate::client::{self, request};
use crate::record::More;
use crate::sources::Footnotes;
use crate::{dates, names, output, words};

/// Shows the timeline.
pub(super) async fn run(args: &TimelineArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::events(&server.server).await?;
    let limit = args.limit.limit as usize;
    let all = output::pages(limit, async |page_token, left: i32| {
        let asked = wire::ListTimelineRequest {
            country: args.pair.first.to_string(),
            partner: args.pair.second.to_string(),
            window: args.dates.to_wire(),
            descending: args.descending,
            page_size: left.min(PAGE),
            page_token,
            as_of: args.as_of.to_wire(),
            kinds: Vec::new(),
        };
        let page = client.list_timeline(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.entries, page.next_page_token))
    });
    let all = all.await?;
    let answer = wire::ListTimelineResponse {
        entries: all.entries,
        next_page_token: all.next,
    };
    match output {
        Output::Table => table(&answer, &args.language.language, out),
        Output::Json => output::json(out, "entente.events.v1.ListTimelineResponse", &answer),
        Output::Csv => csv(&answer.entries, &args.language.language, out),
    }
}

fn table(
    answer: &wire::ListTimelineResponse,
    language: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let titles = ["date", "what", "title", "record", "source"];
    let mut table = output::table(&titles, &[]);
    output::wrap(&mut table);
    let mut notes = Footnotes::default();
    for entry in &answer.entries {
        table.add_row(row(entry, language, &mut notes));
    }
    let more = More::of(&answer.next_page_token);
    let count = answer.entries.len();
    writeln!(out, "{table}\n{count} entries{}", more.remark())?;
    notes.write(out)
}

fn row(entry: &TimelineEntry, language: &str, notes: &mut Footnotes) -> [String; 5] {
    let ([date, what, title, record], sources) = line(entry, language);
    [date, what, title, record, notes.all_marks(&sources)]
}

/// Date, what happened, title and record of an entry; and where it is known from.
pub(crate) fn line(entry: &TimelineEntry, language: &str) -> ([String; 4], Vec<Source>) {
    match &entry.entry {
        Some(Entry::Event(found)) => {
            let title = words::text_in(found.title.as_ref(), language);
            let cells = [event::date(found), what(found), title, found.name.clone()];
            (cells, found.sources.clone())
        }
        Some(Entry::Step(found)) => {
            let date = dates::date(entry.date.as_ref());
            let title = words::text_in(found.title.as_ref(), language);
            let cells = [date, step_of(found), title, found.agreement.clone()];
            (cells, found.source.clone().into_iter().collect())
        }
        None => Default::default(),
    }
}

/// Kind of an event, and its status where it did not simply take place.
fn what(event: &wire::Event) -> String {
    let kind = names::shown::<EventKind>(event.kind);
    if event.status == i32::from(EventStatus::Concluded) {
        return kind;
    }
    format!("{kind}, {}", names::shown::<EventStatus>(event.status))
}

/// What happened to an agreement: `agreement ratified by KAZ`.
fn step_of(found: &TimelineStep) -> String {
    let step = found.step.clone().unwrap_or_default();
    let kind = names::shown::<StepKind>(step.kind);
    match step.country.as_str() {
        "" => format!("agreement {kind}"),
        country => format!("agreement {kind} by {country}"),
    }
}

fn csv(entries: &[TimelineEntry], language: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "date",
        "what",
        "title",
        "record",
        "source_title",
        "source_uri",
    ];
    let mut writer = output::csv(out, &titles)?;
    for entry in entries {
        let ([_, what, title, record], sources) = line(entry, language);
        let source = sources.into_iter().next().unwrap_or_default();
        writer.write_record([
            dates::date(entry.date.as_ref()),
            what,
            output::safe(&title),
            record,
            output::safe(&source.title),
            output::safe(&source.uri),
        ])?;
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_simply_take_place_says_so() {
        let mut visit = wire::Event {
            kind: EventKind::StateVisit.into(),
            status: EventStatus::Concluded.into(),
            ..Default::default()
        };
        assert_eq!(what(&visit), "state visit");
        visit.status = EventStatus::Postponed.into();
        assert_eq!(what(&visit), "state visit, postponed");
        let ratified = TimelineStep {
            step: Some(wire::AgreementStep {
                kind: StepKind::Ratified.into(),
                country: "KAZ".into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(step_of(&ratified), "agreement ratified by KAZ");
    }
}
