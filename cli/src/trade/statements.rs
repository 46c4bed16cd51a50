//! Statements: list, show, delete.

use std::io::Write;

use proto::statement_name;
use proto::trade::v1 as wire;
use wire::Statement;

use super::window;
use crate::args::answer::{AnswerArgs, Output, ServerArgs};
use crate::args::statements::{
    DeleteStatementArgs, ListStatementsArgs, ShowStatementArgs, StatementsArgs, StatementsCommand,
};
use crate::client::{self, TradeClient, request};
use crate::{figures, output, sources, words};

/// Does what was asked for.
pub(super) async fn run(args: StatementsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    match args.command {
        None => list(&args.list, out).await,
        Some(StatementsCommand::List(args)) => list(&args, out).await,
        Some(StatementsCommand::Show(args)) => show(&args, out).await,
        Some(StatementsCommand::Delete(args)) => delete(&args, out).await,
    }
}

async fn list(args: &ListStatementsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let country = |at: usize| args.pair.get(at).map(ToString::to_string);
    let asked = wire::ListStatementsRequest {
        country: country(0).unwrap_or_default(),
        partner: country(1).unwrap_or_default(),
        window: window(&args.window),
        as_of: args.as_of.to_wire(),
        ..Default::default()
    };
    let answer = wire::ListStatementsResponse {
        statements: all(&mut client, &asked, server).await?,
        next_page_token: String::new(),
    };
    match output {
        Output::Table => table(&answer.statements, out),
        Output::Json => output::json(out, "entente.trade.v1.ListStatementsResponse", &answer),
        Output::Csv => csv(&answer.statements, out),
    }
}

/// Every statement that a request lists.
pub(super) async fn all(
    client: &mut TradeClient,
    asked: &wire::ListStatementsRequest,
    server: &ServerArgs,
) -> Result<Vec<Statement>, tonic::Status> {
    let all = output::pages(usize::MAX, async |page_token, _| {
        let asked = wire::ListStatementsRequest {
            page_token,
            ..asked.clone()
        };
        let page = client.list_statements(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.statements, page.next_page_token))
    });
    Ok(all.await?.entries)
}

fn table(statements: &[Statement], out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "statement",
        "about",
        "period",
        "value",
        "growth",
        "side",
        "notes",
    ];
    let mut table = output::table(&titles, &[3, 4]);
    for statement in statements {
        table.add_row([
            words::id(&statement.name).to_owned(),
            about(statement),
            statement.period.clone(),
            value(statement),
            growth(statement),
            statement.side.clone(),
            figures::flags(&statement.flags),
        ]);
    }
    output::hide_empty(&mut table);
    Ok(writeln!(out, "{table}\n{} statements", statements.len())?)
}

/// What a statement is about: `turnover CHN KAZ`.
pub(super) fn about(statement: &Statement) -> String {
    let partners = match statement.partners.as_slice() {
        [one] => one.clone(),
        [first, others @ ..] => format!("{first} +{}", others.len()),
        [] => String::new(),
    };
    let measure = words::stated_measure(statement.measure);
    format!("{measure} {} {partners}", statement.country)
}

/// The value in bn or m with its currency.
pub(super) fn value(statement: &Statement) -> String {
    let value = statement.value.clone().unwrap_or_default();
    let amount = figures::stated(&value.amount, &statement.value_precision);
    format!("{amount} {}", value.currency_code)
}

fn growth(statement: &Statement) -> String {
    match statement.growth.as_str() {
        "" => String::new(),
        growth => figures::stated_percent(growth, &statement.growth_precision),
    }
}

fn csv(statements: &[Statement], out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "statement",
        "country",
        "partners",
        "measure",
        "period",
        "value",
        "currency",
        "value_precision",
        "growth",
        "growth_precision",
        "side",
        "flags",
        "speaker",
        "note",
        "source_title",
        "source_publisher",
        "source_uri",
    ];
    let mut writer = output::csv(out, &titles)?;
    for statement in statements {
        let value = statement.value.clone().unwrap_or_default();
        let source = statement.source.clone().unwrap_or_default();
        writer.write_record([
            &statement.name,
            &statement.country,
            &statement.partners.join(" "),
            words::stated_measure(statement.measure),
            &statement.period,
            &value.amount,
            &value.currency_code,
            &statement.value_precision,
            &statement.growth,
            &statement.growth_precision,
            &statement.side,
            &figures::flags(&statement.flags),
            &output::safe(&statement.speaker),
            &output::safe(&statement.note),
            &output::safe(&source.title),
            &output::safe(&source.publisher),
            &output::safe(&source.uri),
        ])?;
    }
    Ok(writer.flush()?)
}

async fn show(args: &ShowStatementArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let asked = wire::GetStatementRequest {
        name: statement_name(&args.id),
        as_of: args.as_of.to_wire(),
    };
    let mut client = client::trade(&server.server).await?;
    let statement = client.get_statement(request(asked, server)).await?;
    let statement = statement.into_inner();
    match output {
        Output::Table => lines(&statement, out),
        Output::Json => output::json(out, "entente.trade.v1.Statement", &statement),
        Output::Csv => csv(&[statement], out),
    }
}

fn lines(statement: &Statement, out: &mut dyn Write) -> anyhow::Result<()> {
    let value = statement.value.clone().unwrap_or_default();
    let partners = statement.partners.iter();
    let partners = partners.map(|code| words::country_with_code(code));
    let source = statement.source.clone().unwrap_or_default();
    let precise = |digit: &str| match digit {
        "" => ", exact".to_owned(),
        digit => format!(", to {}", figures::grouped(digit)),
    };
    let growth = match growth(statement).as_str() {
        "" => String::new(),
        growth => format!("{growth} over the same months a year before"),
    };
    let rows = [
        ("name", statement.name.clone()),
        ("said by", statement.speaker.clone()),
        ("about", words::country_with_code(&statement.country)),
        ("with", partners.collect::<Vec<_>>().join(", ")),
        ("measure", words::stated_measure(statement.measure).into()),
        ("period", statement.period.clone()),
        (
            "value",
            figures::money(&value) + &precise(&statement.value_precision),
        ),
        ("growth", growth),
        ("side", words::country_with_code(&statement.side)),
        ("notes", figures::flags(&statement.flags)),
        ("remark", statement.note.clone()),
        ("recorded", words::second(statement.create_time.as_ref())),
        ("source", sources::line(&source)),
    ];
    output::lines(out, &rows.map(|(title, text)| (title.to_owned(), text)))
}

async fn delete(args: &DeleteStatementArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let name = statement_name(&args.id);
    let asked = wire::DeleteStatementRequest {
        name: name.clone(),
        etag: String::new(),
        request_id: String::new(),
    };
    let mut client = client::trade(&args.server.server).await?;
    client
        .delete_statement(request(asked, &args.server))
        .await?;
    Ok(writeln!(out, "Deleted {name}.")?)
}
