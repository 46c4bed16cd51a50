//! Tokens: made, listed and taken back in the file that serving processes read.

use std::io::{self, Write};

use chassis::{TokenFile, TokenRecord, TokenState};
use jiff::{SignedDuration, Timestamp};

use crate::args::answer::{AsOf, Output};
use crate::args::token::{CreateArgs, ListArgs, RevokeArgs, TokenCommand};
use crate::output;

const TITLES: [&str; 6] = ["id", "name", "role", "created", "expires", "state"];
const EXPIRES: usize = 4;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Runs a command on tokens.
pub(crate) fn run(command: &TokenCommand) -> anyhow::Result<()> {
    match command {
        TokenCommand::Create(args) => create(args),
        TokenCommand::List(args) => list(args),
        TokenCommand::Revoke(args) => revoke(args),
    }
}

fn create(args: &CreateArgs) -> anyhow::Result<()> {
    let file = TokenFile::new(&args.file.tokens);
    let made = file.create(&args.name, args.role, expiry(args))?;
    writeln!(io::stdout(), "{}", made.text())?;
    let TokenRecord {
        id, name, expires, ..
    } = &made.record;
    let until = expires.map_or("does not expire".to_owned(), |end| format!("ends {end:.0}"));
    writeln!(
        io::stderr(),
        "Token {id} of {name} ({}) {until}. It is shown this once.",
        args.role.name()
    )?;
    Ok(())
}

fn expiry(args: &CreateArgs) -> Option<Timestamp> {
    if let Some(days) = args.days {
        return Some(Timestamp::now() + DAY * i32::from(days));
    }
    // The last hours of the calendar are no instants here, and nobody will miss them.
    let end =
        |expires: AsOf| Timestamp::from_microsecond(expires.micros()).unwrap_or(Timestamp::MAX);
    args.expires.map(end)
}

fn revoke(args: &RevokeArgs) -> anyhow::Result<()> {
    let revoked = TokenFile::new(&args.file.tokens).revoke(&args.which)?;
    for TokenRecord { id, name, role, .. } in revoked {
        writeln!(
            io::stdout(),
            "Token {id} of {name} ({}) is revoked.",
            role.name()
        )?;
    }
    Ok(())
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let tokens = TokenFile::new(&args.file.tokens).list()?;
    let rows = tokens.iter().map(cells);
    let mut out = output::stdout();
    match args.output {
        Output::Table => {
            let mut table = output::table(&TITLES, &[]);
            table.add_rows(rows);
            writeln!(out, "{table}")?;
        }
        Output::Csv => {
            let mut csv = output::csv(&mut out, &TITLES)?;
            for row in rows {
                csv.write_record(row.map(|cell| output::safe(&cell)))?;
            }
            csv.flush()?;
        }
        Output::Json => json(&mut out, &tokens)?,
    }
    Ok(out.flush()?)
}

fn json(out: &mut dyn Write, tokens: &[TokenRecord]) -> anyhow::Result<()> {
    let object = |token: &TokenRecord| {
        let mut cells = cells(token).map(serde_json::Value::from);
        if token.expires.is_none() {
            cells[EXPIRES] = serde_json::Value::Null;
        }
        let titles = TITLES.into_iter().map(str::to_owned);
        serde_json::Value::Object(titles.zip(cells).collect())
    };
    let objects: Vec<_> = tokens.iter().map(object).collect();
    serde_json::to_writer_pretty(&mut *out, &objects)?;
    Ok(writeln!(out)?)
}

/// A row of the list. What is kept of the secret is not part of it.
fn cells(token: &TokenRecord) -> [String; 6] {
    let state = match token.state(Timestamp::now()) {
        TokenState::Valid => "valid",
        TokenState::Expired => "expired",
        TokenState::Revoked => "revoked",
    };
    let instant = |time: Timestamp| format!("{time:.0}");
    [
        token.id.clone(),
        token.name.clone(),
        token.role.name().to_owned(),
        instant(token.created),
        token.expires.map_or_else(|| "never".to_owned(), instant),
        state.to_owned(),
    ]
}
