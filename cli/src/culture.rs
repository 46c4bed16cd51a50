//! Questions to the culture service, and their answers on the terminal: a module a question.

mod measures;
mod programmes;
mod series;
mod visa;
mod visa_rules;

use std::io::Write;

use crate::args::culture::CultureCommand;
use crate::args::measures::MeasuresCommand;
use crate::args::programmes::ProgrammesCommand;
use crate::args::visa::VisaCommand;
use crate::import::{self, Imported};
use crate::record::{self, CultureFeed, Programmes, VisaRules};
use crate::{output, words};

pub(crate) use measures::title as measure_title;
pub(crate) use visa::{begins as visa_begins, ends as visa_ends, requirement as visa_requirement};

/// The most records that a page of the service has.
const PAGE: i32 = 500;

/// Asks about all that the service keeps, and writes the answer to standard output.
pub(crate) async fn run(command: CultureCommand) -> anyhow::Result<()> {
    let mut out = output::stdout();
    match command {
        CultureCommand::Changes(args) => record::changes::<CultureFeed>(&args, &mut out).await?,
        CultureCommand::Watch(args) => record::watch::<CultureFeed>(&args, &mut out).await?,
    }
    Ok(out.flush()?)
}

/// Asks about programmes, and writes the answer to standard output.
pub(crate) async fn run_programmes(command: ProgrammesCommand) -> anyhow::Result<Imported> {
    let mut out = output::stdout();
    match command {
        ProgrammesCommand::List(args) => programmes::list(&args, &mut out).await?,
        ProgrammesCommand::Show(args) => record::show::<Programmes>(&args, &mut out).await?,
        ProgrammesCommand::Create(args) => {
            let allow = args.duplicate.allow_duplicate;
            record::create::<Programmes>(&args.create, allow, &mut out).await?;
        }
        ProgrammesCommand::Update(args) => record::update::<Programmes>(&args, &mut out).await?,
        ProgrammesCommand::Delete(args) => record::delete::<Programmes>(&args, &mut out).await?,
        ProgrammesCommand::Versions(args) => {
            record::versions::<Programmes>(&args, &mut out).await?;
        }
        ProgrammesCommand::Import(args) => {
            drop(out);
            return import::programmes(&args).await;
        }
    }
    out.flush()?;
    Ok(Imported::Whole)
}

/// Asks about measures, and writes the answer to standard output.
pub(crate) async fn run_measures(command: MeasuresCommand) -> anyhow::Result<Imported> {
    let mut out = output::stdout();
    match command {
        MeasuresCommand::List(args) => measures::list(&args, &mut out).await?,
        MeasuresCommand::Show(args) => measures::show(&args, &mut out).await?,
        MeasuresCommand::Record(args) => measures::record(&args, &mut out).await?,
        MeasuresCommand::Delete(args) => measures::delete(&args, &mut out).await?,
        MeasuresCommand::Versions(args) => measures::versions(&args, &mut out).await?,
        MeasuresCommand::Series(args) => series::run(&args, &mut out).await?,
        MeasuresCommand::Import(args) => {
            drop(out);
            return import::measures(&args).await;
        }
    }
    out.flush()?;
    Ok(Imported::Whole)
}

/// Asks about visa rules, and writes the answer to standard output.
pub(crate) async fn run_visa(command: VisaCommand) -> anyhow::Result<Imported> {
    let mut out = output::stdout();
    match command {
        VisaCommand::List(args) => visa::list(&args, &mut out).await?,
        VisaCommand::Show(args) => record::show::<VisaRules>(&args, &mut out).await?,
        // Two rules of one direction are never taken for one.
        VisaCommand::Create(args) => record::create::<VisaRules>(&args, false, &mut out).await?,
        VisaCommand::Update(args) => record::update::<VisaRules>(&args, &mut out).await?,
        VisaCommand::Delete(args) => record::delete::<VisaRules>(&args, &mut out).await?,
        VisaCommand::Versions(args) => record::versions::<VisaRules>(&args, &mut out).await?,
        VisaCommand::Rules(args) => visa_rules::on_day(&args, &mut out).await?,
        VisaCommand::Changes(args) => visa_rules::changes(&args, &mut out).await?,
        VisaCommand::Import(args) => {
            drop(out);
            return import::visa(&args).await;
        }
    }
    out.flush()?;
    Ok(Imported::Whole)
}

/// An organisation by its name, else its code.
fn organisation(found: Option<&proto::r#type::v1::Organisation>, language: &str) -> String {
    let found = found.cloned().unwrap_or_default();
    match words::text_in(found.display_name.as_ref(), language).as_str() {
        "" => found.code,
        name => name.to_owned(),
    }
}
