//! A statement held against the figures of each side.

mod report;

use std::io::Write;

use proto::trade::v1 as wire;
use proto::{dataset_name, statement_name};
use wire::check_statement_request::Subject;
use wire::{SideOutcome, Statement, StatementCheck, Verdict};

use super::statements::{about, all, value};
use crate::args::amount::Amount;
use crate::args::answer::{AnswerArgs, Output};
use crate::args::statements::{CheckArgs, SaidArgs};
use crate::client::{self, TradeClient, request};
use crate::{figures, output, words};

pub(crate) use report::{report, verdict as verdict_in_words};

/// Checks one statement, or all that are stored.
pub(super) async fn run(args: &CheckArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    if !args.all {
        let subject = match &args.id {
            Some(id) => Subject::Name(statement_name(id)),
            None => Subject::Statement(said(&args.said)),
        };
        let check = check(&mut client, args, subject).await?;
        return match output {
            Output::Table => report(&check, out),
            Output::Json => output::json(out, "entente.trade.v1.StatementCheck", &check),
            Output::Csv => csv(&[check], out),
        };
    }
    let asked = wire::ListStatementsRequest {
        as_of: args.as_of.to_wire(),
        ..Default::default()
    };
    let mut checks = Vec::new();
    for statement in all(&mut client, &asked, server).await? {
        checks.push(check(&mut client, args, Subject::Name(statement.name)).await?);
    }
    match output {
        Output::Table => table(&checks, out),
        Output::Json => output::json_list(out, "entente.trade.v1.StatementCheck", &checks),
        Output::Csv => csv(&checks, out),
    }
}

async fn check(
    client: &mut TradeClient,
    args: &CheckArgs,
    subject: Subject,
) -> Result<StatementCheck, tonic::Status> {
    let asked = wire::CheckStatementRequest {
        subject: Some(subject),
        datasets: args.datasets.iter().map(dataset_name).collect(),
        tolerance: proto::format_decimal(args.tolerance.value),
        as_of: args.as_of.to_wire(),
    };
    let checked = client.check_statement(request(asked, &args.answer.server));
    Ok(checked.await?.into_inner())
}

/// The statement that options make.
fn said(args: &SaidArgs) -> Statement {
    let value = args.value.as_ref();
    let money = value.map(|amount| proto::r#type::v1::Money {
        currency_code: args.currency.to_string(),
        amount: proto::format_decimal(amount.value),
    });
    let growth = args.growth.as_ref();
    let country = |country: Option<proto::Country>| country.map(|c| c.to_string());
    Statement {
        country: country(args.country).unwrap_or_default(),
        partners: args.partner.iter().map(ToString::to_string).collect(),
        measure: args.measure.to_wire().into(),
        side: country(args.side).unwrap_or_default(),
        period: args.period.map(|p| p.to_string()).unwrap_or_default(),
        value: money,
        value_precision: value.map(Amount::precision_text).unwrap_or_default(),
        growth: growth
            .map(|growth| proto::format_decimal(growth.value))
            .unwrap_or_default(),
        growth_precision: growth.map(Amount::precision_text).unwrap_or_default(),
        flags: args.flag.iter().map(|flag| flag.to_wire().into()).collect(),
        ..Default::default()
    }
}

fn table(checks: &[StatementCheck], out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = ["statement", "about", "period", "value", "verdict"];
    let mut table = output::table(&titles, &[3]);
    for check in checks {
        let statement = check.statement.clone().unwrap_or_default();
        table.add_row([
            words::id(&statement.name).to_owned(),
            about(&statement),
            statement.period.clone(),
            value(&statement),
            verdict_by_side(check),
        ]);
    }
    Ok(writeln!(
        out,
        "{table}\n{} statements; `entente trade check ID` shows the arithmetic of one",
        checks.len()
    )?)
}

/// The verdict with the sides that it rests on: `fits CHN, not KAZ`.
fn verdict_by_side(check: &StatementCheck) -> String {
    let fits = sides(check, SideOutcome::Fits);
    let contradicts = sides(check, SideOutcome::Contradicts);
    match Verdict::try_from(check.verdict).unwrap_or_default() {
        Verdict::Supported => format!("supported: {fits}"),
        Verdict::Contradicted => format!("contradicted: {contradicts}"),
        Verdict::FitsOneSide => format!("fits {fits}, not {contradicts}"),
        Verdict::CannotBeChecked | Verdict::Unspecified => verdict(check).to_owned(),
    }
}

fn verdict(check: &StatementCheck) -> &'static str {
    match Verdict::try_from(check.verdict).unwrap_or_default() {
        Verdict::Unspecified => "another verdict",
        Verdict::Supported => "supported",
        Verdict::Contradicted => "contradicted",
        Verdict::FitsOneSide => "fits one side",
        Verdict::CannotBeChecked => "cannot be checked",
    }
}

/// Reporters of the sides with an outcome, each once.
fn sides(check: &StatementCheck, outcome: SideOutcome) -> String {
    let sides = check.sides.iter();
    let sides = sides.filter(|side| side.outcome == i32::from(outcome));
    let mut reporters: Vec<&str> = sides.map(|side| side.reporter.as_str()).collect();
    reporters.dedup();
    reporters.join(" ")
}

fn csv(checks: &[StatementCheck], out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "statement",
        "about",
        "period",
        "stated",
        "verdict",
        "dataset",
        "reporter",
        "named",
        "outcome",
        "observed",
        "difference",
        "observed_growth",
        "implied_base",
        "observed_base",
        "missing",
    ];
    let mut writer = output::csv(out, &titles)?;
    for check in checks {
        let statement = check.statement.clone().unwrap_or_default();
        let amount = statement.value.clone().unwrap_or_default().amount;
        let head = [
            statement.name.clone(),
            about(&statement),
            statement.period.clone(),
            amount,
            verdict(check).to_owned(),
        ];
        if check.sides.is_empty() {
            let mut cells = vec![String::new(); titles.len() - head.len() - 1];
            let missing: Vec<String> = check.missing.iter().map(words::missing).collect();
            cells.push(missing.join("; "));
            writer.write_record(head.iter().chain(&cells))?;
        }
        for side in &check.sides {
            let cells = side_cells(check, side);
            writer.write_record(head.iter().chain(&cells))?;
        }
    }
    Ok(writer.flush()?)
}

fn side_cells(check: &StatementCheck, side: &wire::SideCheck) -> [String; 10] {
    let value = side.value.clone().unwrap_or_default();
    let growth = side.growth.clone().unwrap_or_default();
    let base = side.base.clone().unwrap_or_default();
    [
        side.dataset.clone(),
        side.reporter.clone(),
        side.named.to_string(),
        figures::outcome(side.outcome).to_owned(),
        value.observed,
        value.difference,
        growth.observed,
        check.implied_base.clone(),
        base.observed,
        report::lacking(side).join("; "),
    ]
}
