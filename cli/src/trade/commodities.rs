//! The codes of a classification with their names.

use std::io::Write;

use proto::trade::v1 as wire;
use wire::{CommodityDescription, ListCommoditiesResponse};

use super::PAGE;
use crate::args::answer::{AnswerArgs, Output};
use crate::args::commodities::CommoditiesArgs;
use crate::chart::text::plain;
use crate::client::{self, request};
use crate::{output, words};

/// Lists the codes.
pub(super) async fn run(args: CommoditiesArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::trade(&server.server).await?;
    let all = output::pages(args.limit as usize, async |page_token, left: i32| {
        let asked = wire::ListCommoditiesRequest {
            classification: args.classification.to_string(),
            code: args.code.clone(),
            contains: args.contains.clone(),
            page_size: left.min(PAGE),
            page_token,
        };
        let page = client.list_commodities(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.commodities, page.next_page_token))
    });
    let all = all.await?;
    let answer = ListCommoditiesResponse {
        commodities: all.entries,
        next_page_token: all.next,
    };
    match output {
        Output::Table => table(&answer, out),
        Output::Json => output::json(out, "entente.trade.v1.ListCommoditiesResponse", &answer),
        Output::Csv => csv(&answer.commodities, out),
    }
}

fn table(answer: &ListCommoditiesResponse, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut table = output::table(&["code", "name"], &[]);
    for commodity in &answer.commodities {
        let name = plain(&words::text(commodity.names.as_ref()));
        table.add_row([commodity.code.clone(), name]);
    }
    writeln!(out, "{table}")?;
    let count = answer.commodities.len();
    let more = if answer.next_page_token.is_empty() {
        ""
    } else {
        "; there are more, raise --limit"
    };
    let built_in = answer.commodities.iter().any(|one| one.built_in);
    let hint = if built_in {
        "; names of all codes come in by `entente import nomenclature`"
    } else {
        ""
    };
    Ok(writeln!(out, "{count} codes{more}{hint}")?)
}

fn csv(commodities: &[CommodityDescription], out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = ["classification", "code", "language", "name"];
    let mut writer = output::csv(out, &titles)?;
    for commodity in commodities {
        let names = commodity.names.clone().unwrap_or_default().texts;
        let mut names: Vec<(String, String)> = names.into_iter().collect();
        names.sort_unstable();
        for (language, name) in names {
            writer.write_record([
                &commodity.classification,
                &commodity.code,
                &language,
                &output::safe(&name),
            ])?;
        }
    }
    Ok(writer.flush()?)
}
