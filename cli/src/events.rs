//! Questions to the events service, and their answers on the terminal: a module a question.

mod agreements;
mod calendar;
mod count;
mod event;
mod list;
mod meetings;
mod states;
mod timeline;

use std::io::Write;

use crate::args::agreements::AgreementsCommand;
use crate::args::events::{CalendarCommand, EventsCommand};
use crate::import::{self, Imported};
use crate::record::{self, Agreements, Events, EventsFeed};
use crate::{names, output, words};

pub(crate) use event::{in_a_line as event_in_a_line, place_text};
pub(crate) use timeline::line as timeline_line;

/// The most records that a page of the service has.
const PAGE: i32 = 500;

/// Asks, and writes the answer to standard output.
pub(crate) async fn run(command: EventsCommand) -> anyhow::Result<Imported> {
    let mut out = output::stdout();
    match command {
        EventsCommand::List(args) => list::run(&args, &mut out).await?,
        EventsCommand::Show(args) => record::show::<Events>(&args, &mut out).await?,
        EventsCommand::Create(args) => {
            let allow = args.duplicate.allow_duplicate;
            record::create::<Events>(&args.create, allow, &mut out).await?;
        }
        EventsCommand::Update(args) => record::update::<Events>(&args, &mut out).await?,
        EventsCommand::Delete(args) => record::delete::<Events>(&args, &mut out).await?,
        EventsCommand::Versions(args) => record::versions::<Events>(&args, &mut out).await?,
        EventsCommand::Timeline(args) => timeline::run(&args, &mut out).await?,
        EventsCommand::Meetings(args) => meetings::run(&args, &mut out).await?,
        EventsCommand::Count(args) => count::run(&args, &mut out).await?,
        EventsCommand::Changes(args) => record::changes::<EventsFeed>(&args, &mut out).await?,
        EventsCommand::Calendar(CalendarCommand::Export(args)) => calendar::export(&args).await?,
        EventsCommand::Calendar(CalendarCommand::Import(args)) => {
            return calendar::import(&args, &mut out).await;
        }
        EventsCommand::Watch(args) => record::watch::<EventsFeed>(&args, &mut out).await?,
        EventsCommand::Import(args) => {
            drop(out);
            return import::events(&args).await;
        }
    }
    out.flush()?;
    Ok(Imported::Whole)
}

/// Asks about agreements, and writes the answer to standard output.
pub(crate) async fn run_agreements(command: AgreementsCommand) -> anyhow::Result<Imported> {
    let mut out = output::stdout();
    match command {
        AgreementsCommand::List(args) => agreements::list(&args, &mut out).await?,
        AgreementsCommand::Show(args) => record::show::<Agreements>(&args, &mut out).await?,
        AgreementsCommand::Create(args) => {
            let allow = args.duplicate.allow_duplicate;
            record::create::<Agreements>(&args.create, allow, &mut out).await?;
        }
        AgreementsCommand::Update(args) => record::update::<Agreements>(&args, &mut out).await?,
        AgreementsCommand::Delete(args) => record::delete::<Agreements>(&args, &mut out).await?,
        AgreementsCommand::Versions(args) => {
            record::versions::<Agreements>(&args, &mut out).await?;
        }
        AgreementsCommand::States(args) => states::run(&args, &mut out).await?,
        AgreementsCommand::Import(args) => {
            drop(out);
            return import::agreements(&args).await;
        }
    }
    out.flush()?;
    Ok(Imported::Whole)
}

/// Country codes, each once, in the order in which they come.
fn each_once<'a>(codes: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut once: Vec<&str> = Vec::new();
    for code in codes.filter(|code| !code.is_empty()) {
        if !once.contains(&code) {
            once.push(code);
        }
    }
    once
}

/// An organisation in a word: its code, else its name.
fn organisation(organisation: Option<&proto::r#type::v1::Organisation>, language: &str) -> String {
    let Some(organisation) = organisation else {
        return String::new();
    };
    match organisation.code.as_str() {
        "" => words::text_in(organisation.display_name.as_ref(), language),
        code => code.to_owned(),
    }
}

/// Themes, with commas between.
fn themes(themes: &[i32]) -> String {
    names::all_shown::<proto::r#type::v1::Theme>(themes)
}
