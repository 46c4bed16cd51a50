//! Questions to the trade service, and their answers on the terminal: a module a question.

mod balance;
mod changes;
mod check;
mod commodities;
mod compare;
mod convert;
mod coverage;
mod datasets;
mod get;
mod indicators;
mod list;
mod mirror;
mod observation;
mod rank;
mod sectors;
mod series;
mod statements;
mod vintages;

use std::io::Write;

use proto::{Month, PeriodWindow};

use crate::args::answer::{ChartArgs, WindowArgs};
use crate::args::trade::TradeCommand;
use crate::{export, output, svg};

pub(crate) use check::verdict_in_words;
pub(crate) use list::filter;

/// The most entries that a page of the service has.
const PAGE: i32 = 1_000;

/// Asks, and writes the answer to standard output.
pub(crate) async fn run(command: TradeCommand) -> anyhow::Result<()> {
    let mut out = output::stdout();
    match command {
        TradeCommand::Datasets(args) => datasets::run(args, &mut out).await?,
        TradeCommand::Series(args) => series::run(&args, &mut out).await?,
        TradeCommand::Balance(args) => balance::run(&args, &mut out).await?,
        TradeCommand::Rank(command) => rank::run(command, &mut out).await?,
        TradeCommand::Mirror(args) => mirror::run(&args, &mut out).await?,
        TradeCommand::Indicators(args) => indicators::run(&args, &mut out).await?,
        TradeCommand::Sectors(args) => sectors::run(args, &mut out).await?,
        TradeCommand::Statements(args) => statements::run(args, &mut out).await?,
        TradeCommand::Check(args) => check::run(&args, &mut out).await?,
        TradeCommand::Vintages(args) => vintages::run(args, &mut out).await?,
        TradeCommand::Changes(args) => changes::run(&args, &mut out).await?,
        TradeCommand::Compare(args) => compare::run(args, &mut out).await?,
        TradeCommand::Commodities(args) => commodities::run(args, &mut out).await?,
        TradeCommand::Convert(args) => convert::run(&args, &mut out).await?,
        TradeCommand::List(args) => list::run(&args, &mut out).await?,
        TradeCommand::Get(args) => get::run(args, &mut out).await?,
        TradeCommand::Export(args) => export::run(&args).await?,
    }
    Ok(out.flush()?)
}

/// The periods from the start of the first to the end of the last.
pub(crate) fn window(args: &WindowArgs) -> Option<proto::r#type::v1::PeriodWindow> {
    let window = PeriodWindow::new(
        args.from.map(proto::Period::start),
        args.to.map(proto::Period::end),
    );
    match window {
        Some(PeriodWindow::ALL) => None,
        Some(window) => Some(window.into()),
        // The service says what is wrong with it.
        None => Some(proto::r#type::v1::PeriodWindow {
            start: args.from.map(|p| p.start().to_string()).unwrap_or_default(),
            end: args
                .to
                .map(|p| Month::to_string(&p.end()))
                .unwrap_or_default(),
        }),
    }
}

/// Draws into the file that was asked for, if one was; whether that takes the place of the answer.
fn draw(
    out: &mut dyn Write,
    args: &ChartArgs,
    chart: impl FnOnce() -> String,
) -> anyhow::Result<bool> {
    let Some(path) = &args.svg else {
        return Ok(false);
    };
    svg::write(out, path, &chart())?;
    Ok(path.as_os_str() == "-")
}
