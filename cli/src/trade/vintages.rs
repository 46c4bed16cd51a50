//! The versions of one figure.

use std::io::Write;

use proto::trade::v1 as wire;
use wire::Vintage;

use super::observation::parts;
use crate::args::answer::{AnswerArgs, Output};
use crate::args::vintages::VintagesArgs;
use crate::client::{self, request};
use crate::sources::Footnotes;
use crate::{figures, output, words};

/// Shows the versions, the latest first.
pub(super) async fn run(args: VintagesArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let all = output::pages(usize::MAX, async |page_token, _| {
        let asked = wire::ListVintagesRequest {
            name: args.name.clone(),
            page_size: 0,
            page_token,
            as_of: args.as_of.to_wire(),
        };
        let page = client.list_vintages(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.vintages, page.next_page_token))
    });
    let answer = wire::ListVintagesResponse {
        vintages: all.await?.entries,
        next_page_token: String::new(),
    };
    match output {
        Output::Table => table(&answer.vintages, out),
        Output::Json => output::json(out, "entente.trade.v1.ListVintagesResponse", &answer),
        Output::Csv => csv(&answer.vintages, out),
    }
}

fn table(vintages: &[Vintage], out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = ["recorded (UTC)", "until", "value", "notes", "source"];
    let mut table = output::table(&titles, &[2]);
    let mut footnotes = Footnotes::default();
    for vintage in vintages {
        let observation = vintage.observation.clone().unwrap_or_default();
        let (_, value) = parts(&observation);
        let source = observation.source.unwrap_or_default();
        table.add_row([
            words::second(observation.vintage.as_ref()),
            match &vintage.superseded {
                None => "stands".into(),
                until @ Some(_) => words::second(until.as_ref()),
            },
            figures::money(&value),
            figures::flags(&observation.flags),
            format!("[{}]", footnotes.number(&source)),
        ]);
    }
    let name = vintages
        .first()
        .and_then(|vintage| vintage.observation.as_ref());
    let name = name.map_or("", |observation| observation.name.as_str());
    writeln!(out, "{name}\n{table}")?;
    footnotes.write(out)
}

fn csv(vintages: &[Vintage], out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "name",
        "recorded",
        "superseded",
        "value",
        "currency",
        "flags",
        "source_title",
        "source_uri",
    ];
    let mut writer = output::csv(out, &titles)?;
    for vintage in vintages {
        let observation = vintage.observation.clone().unwrap_or_default();
        let (_, value) = parts(&observation);
        let source = observation.source.unwrap_or_default();
        writer.write_record([
            &observation.name,
            &words::instant(observation.vintage.as_ref()),
            &words::instant(vintage.superseded.as_ref()),
            &value.amount,
            &value.currency_code,
            &figures::flags(&observation.flags),
            &output::safe(&source.title),
            &output::safe(&source.uri),
        ])?;
    }
    Ok(writer.flush()?)
}
