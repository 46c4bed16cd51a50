//! Events as a calendar, and back.

use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, ensure};
use proto::events::v1 as wire;
use proto::r#type::v1::Source;
use tonic::Request;
use wire::{CalendarRemark, Event, ImportCalendarResponse, Participant, ParticipantRole};

use super::list::filter;
use crate::args::events::{ExportCalendarArgs, ImportCalendarArgs};
use crate::client::{self, request};
use crate::import::Imported;
use crate::interrupt::interrupted;
use crate::names;
use crate::target::Target;

/// The service takes a megabyte; what is much larger is not read to its end to be told so.
const MAX_BYTES: u64 = 4 << 20;

/// Writes events as a calendar. Ctrl-C or SIGTERM ends it, and no file is left of it.
pub(super) async fn export(args: &ExportCalendarArgs) -> anyhow::Result<()> {
    let Some(path) = &args.out else {
        return write(args).await;
    };
    tokio::select! {
        done = write(args) => done.with_context(|| format!("exporting to {}", path.display())),
        () = interrupted() => anyhow::bail!("interrupted: {} was not written", path.display()),
    }
}

async fn write(args: &ExportCalendarArgs) -> anyhow::Result<()> {
    let mut client = client::events(&args.server.server).await?;
    // Without a deadline: an export takes as long as its reader.
    let asked = Request::new(wire::ExportCalendarRequest {
        filter: Some(filter(&args.filter)),
        calendar_name: args.name.clone(),
        language_code: args.language.language.clone(),
        as_of: args.as_of.to_wire(),
    });
    let mut parts = client.export_calendar(asked).await?.into_inner();
    let target = Target::open(args.out.as_deref())?;
    let mut out = target.writer()?;
    while let Some(part) = parts.message().await? {
        out.write_all(&part.data)?;
    }
    out.flush()?;
    drop(out);
    target.commit()
}

/// Creates events from a calendar.
pub(super) async fn import(
    args: &ImportCalendarArgs,
    out: &mut dyn Write,
) -> anyhow::Result<Imported> {
    let asked = wire::ImportCalendarRequest {
        content: read(&args.file)?,
        defaults: Some(defaults(args)?),
        language_code: args.language.clone(),
        skip_refused: args.skip_refused,
        allow_duplicate: args.duplicate.allow_duplicate,
        validate_only: args.validate_only,
        request_id: String::new(),
    };
    let mut client = client::events(&args.server.server).await?;
    let answer = client.import_calendar(request(asked, &args.server)).await?;
    let answer = answer.into_inner();
    let name = args.file.display().to_string();
    remarks(&name, &answer, &mut std::io::stderr().lock())?;
    sums(&name, args, &answer, out)?;
    out.flush()?;
    Ok(if answer.refusals.is_empty() {
        Imported::Whole
    } else {
        Imported::WithRejections
    })
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let named = path.display();
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).with_context(|| format!("opening {named}"))?)
    };
    let mut content = Vec::new();
    let read = source.take(MAX_BYTES).read_to_end(&mut content);
    read.with_context(|| format!("reading {named}"))?;
    Ok(content)
}

/// What the calendar does not say of its events.
fn defaults(args: &ImportCalendarArgs) -> anyhow::Result<Event> {
    ensure!(
        args.role.is_empty() || args.role.len() == args.country.len(),
        "{} countries and {} roles: give a --role for each --country, or none",
        args.country.len(),
        args.role.len()
    );
    let participants = args.country.iter().enumerate().map(|(at, country)| {
        let role = args.role.get(at).map(|choice| choice.0);
        Participant {
            country: country.to_string(),
            role: role.unwrap_or(ParticipantRole::Party).into(),
            ..Default::default()
        }
    });
    Ok(Event {
        kind: args.kind.0.into(),
        status: names::number(args.status),
        themes: names::numbers(&args.theme),
        participants: participants.collect(),
        sources: vec![Source {
            title: args.source_title.clone(),
            publisher: args.source_publisher.clone(),
            uri: args.source_uri.clone(),
            licence: args.source_licence.clone(),
            ..Default::default()
        }],
        ..Default::default()
    })
}

/// Notes and refusals by line.
fn remarks(
    name: &str,
    answer: &ImportCalendarResponse,
    err: &mut dyn Write,
) -> std::io::Result<()> {
    let notes = answer.notes.iter().map(|note| ("note", note));
    let refusals = answer.refusals.iter().map(|refusal| ("refused", refusal));
    let mut all: Vec<(&str, &CalendarRemark)> = notes.chain(refusals).collect();
    all.sort_by_key(|(_, remark)| remark.line);
    for (what, remark) in all {
        let CalendarRemark {
            line,
            property,
            text,
        } = remark;
        let place = match property.as_str() {
            "" => format!("line {line}"),
            property => format!("line {line}, {property}"),
        };
        writeln!(err, "{name}: {place}: {what}: {text}")?;
    }
    Ok(())
}

fn sums(
    name: &str,
    args: &ImportCalendarArgs,
    answer: &ImportCalendarResponse,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let (new, refused) = (answer.events.len(), answer.refusals.len());
    let notes = answer.notes.len();
    writeln!(out, "{name}: new {new}, refused {refused}, notes {notes}")?;
    let held_back = refused > 0 && !args.skip_refused;
    if args.validate_only || held_back {
        return writeln!(out, "  nothing was written");
    }
    for event in &answer.events {
        writeln!(out, "  created {}", event.name)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::events::{CalendarCommand, EventsCommand};
    use crate::args::{Cli, Command};

    fn parsed(more: &str) -> ImportCalendarArgs {
        let line = format!(
            "entente events calendar import a.ics --kind visit --source-title T \
             --source-publisher P {more}"
        );
        let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();
        let Command::Events(EventsCommand::Calendar(CalendarCommand::Import(args))) = cli.command
        else {
            panic!("{:?}", cli.command);
        };
        *args
    }

    #[test]
    fn a_role_belongs_to_the_country_of_its_place() {
        let event = defaults(&parsed(
            "--country KAZ --country CHN --role host --role guest",
        ))
        .unwrap();
        let roles: Vec<(&str, i32)> = event
            .participants
            .iter()
            .map(|one| (one.country.as_str(), one.role))
            .collect();
        let (host, guest) = (ParticipantRole::Host.into(), ParticipantRole::Guest.into());
        assert_eq!(roles, [("KAZ", host), ("CHN", guest)]);
        let parties = defaults(&parsed("--country KAZ --country CHN")).unwrap();
        assert_eq!(
            parties.participants[1].role,
            i32::from(ParticipantRole::Party)
        );
        let error = defaults(&parsed("--country KAZ --country CHN --role host")).unwrap_err();
        assert!(error.to_string().contains("2 countries and 1 roles"));
    }

    #[test]
    fn remarks_stand_in_the_order_of_lines() {
        let remark = |line, text: &str| CalendarRemark {
            line,
            property: "DTSTART".into(),
            text: text.into(),
        };
        let answer = ImportCalendarResponse {
            events: Vec::new(),
            notes: vec![remark(9, "mended")],
            refusals: vec![remark(3, "no date")],
        };
        let mut err = Vec::new();
        remarks("a.ics", &answer, &mut err).unwrap();
        assert_eq!(
            String::from_utf8(err).unwrap(),
            "a.ics: line 3, DTSTART: refused: no date\na.ics: line 9, DTSTART: note: mended\n"
        );
    }
}
