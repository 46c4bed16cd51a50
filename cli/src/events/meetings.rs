//! The last and the next meeting of two countries.

use std::io::Write;

use proto::events::v1 as wire;
use wire::{Event, FindMeetingsResponse, OfficeLevel};

use super::event;
use crate::args::answer::{AnswerArgs, Output};
use crate::args::events::MeetingsArgs;
use crate::client::{self, request};
use crate::record::{Events, Shown};
use crate::sources::Footnotes;
use crate::{dates, names, output};

/// Shows the meetings.
pub(super) async fn run(args: &MeetingsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let asked = wire::FindMeetingsRequest {
        country: args.pair.first.to_string(),
        partner: args.pair.second.to_string(),
        level: names::number(args.level),
        day: args.on.map(Into::into),
        as_of: args.as_of.to_wire(),
    };
    let level = asked.level;
    let pair = format!("{} and {}", args.pair.first, args.pair.second);
    let mut client = client::events(&server.server).await?;
    let found = client.find_meetings(request(asked, server)).await?;
    let found = found.into_inner();
    let language = &args.language.language;
    match output {
        Output::Table => {
            writeln!(out, "{}", title(&pair, level, &found))?;
            lines(&found, language, out)
        }
        Output::Json => output::json(out, "entente.events.v1.FindMeetingsResponse", &found),
        Output::Csv => csv(&found, language, out),
    }
}

fn title(pair: &str, level: i32, found: &FindMeetingsResponse) -> String {
    let level = match names::shown::<OfficeLevel>(level).as_str() {
        "" => "at any level".to_owned(),
        level => format!("at the level of {level}"),
    };
    let day = dates::date(found.day.as_ref());
    format!("Meetings of {pair} {level}, seen from {day}")
}

/// Each meeting with what it is to the day.
fn meetings(found: &FindMeetingsResponse) -> Vec<(&'static str, &Event)> {
    let last = found.last.iter().map(|one| ("last", one));
    let bilateral = found.last_bilateral.iter();
    let bilateral = bilateral.map(|one| ("last of two", one));
    let next = found.next.iter().map(|one| ("next", one));
    let uncertain = found.uncertain.iter().map(|one| ("uncertain", one));
    last.chain(bilateral).chain(next).chain(uncertain).collect()
}

fn lines(found: &FindMeetingsResponse, language: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut notes = Footnotes::default();
    let mut row = |what: &str, one: Option<&Event>| {
        let text = one.map(|one| {
            let marks = notes.all_marks(&one.sources);
            let line = event::in_a_line(one, language);
            format!("{line}; {} {marks}", event::id(one))
        });
        let text = text.unwrap_or_else(|| "none is known".to_owned());
        (what.to_owned(), text)
    };
    let mut rows = vec![row("last", found.last.as_ref())];
    let bilateral = found.last_bilateral.iter();
    rows.extend(bilateral.map(|one| row("last of two", Some(one))));
    rows.push(row("next", found.next.as_ref()));
    rows.extend(
        found
            .uncertain
            .iter()
            .map(|one| row("uncertain", Some(one))),
    );
    output::lines(out, &rows)?;
    notes.write(out)
}

fn csv(found: &FindMeetingsResponse, language: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut titles = vec!["meeting"];
    titles.extend(Events::CSV);
    let mut writer = output::csv(out, &titles)?;
    for (what, one) in meetings(found) {
        let mut row = vec![what.to_owned()];
        row.extend(Events::cells(one, language));
        writer.write_record(row)?;
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_without_a_meeting_says_so_in_its_place() {
        let named = |name: &str| Event {
            name: format!("events/{name}"),
            ..Default::default()
        };
        let found = FindMeetingsResponse {
            next: Some(named("next-one")),
            uncertain: vec![named("some-time")],
            ..Default::default()
        };
        let mut out = Vec::new();
        lines(&found, "en", &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("last"), "{text}");
        assert!(lines[0].ends_with("none is known"), "{text}");
        assert!(lines[1].contains("next-one"), "{text}");
        assert!(lines[2].contains("some-time"), "{text}");
    }
}
