//! What codes of one revision are in another.

use std::io::Write;

use proto::trade::v1 as wire;
use wire::Conversion;

use crate::args::answer::{AnswerArgs, Output};
use crate::args::commodities::ConvertArgs;
use crate::client::{self, request};
use crate::{output, words};

/// Shows the conversion.
pub(super) async fn run(args: &ConvertArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let asked = wire::ConvertCommodityRequest {
        from: args.from.to_string(),
        codes: args.codes.iter().map(ToString::to_string).collect(),
        to: args.to.to_string(),
    };
    let mut client = client::trade(&server.server).await?;
    let conversion = client.convert_commodity(request(asked, server)).await?;
    let conversion = conversion.into_inner();
    match output {
        Output::Table => lines(&conversion, out),
        Output::Json => output::json(out, "entente.trade.v1.Conversion", &conversion),
        Output::Csv => csv(&conversion, out),
    }
}

fn lines(conversion: &Conversion, out: &mut dyn Write) -> anyhow::Result<()> {
    let outcome = if conversion.exact {
        "the same goods as a whole: figures of the ones add up to those of the others"
    } else {
        "not the same goods: no figure is brought from the ones to the others"
    };
    let rows = [
        (
            "from",
            format!("{} {}", conversion.from, conversion.from_codes.join(" ")),
        ),
        (
            "to",
            format!("{} {}", conversion.to, conversion.to_codes.join(" ")),
        ),
        ("relation", words::relation(conversion.relation).into()),
        ("goods", outcome.into()),
        ("path", conversion.path.join(" → ")),
    ];
    output::lines(out, &rows.map(|(title, text)| (title.to_owned(), text)))
}

fn csv(conversion: &Conversion, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "from",
        "from_codes",
        "to",
        "to_codes",
        "relation",
        "exact",
        "path",
    ];
    let mut writer = output::csv(out, &titles)?;
    writer.write_record([
        &conversion.from,
        &conversion.from_codes.join(" "),
        &conversion.to,
        &conversion.to_codes.join(" "),
        words::relation(conversion.relation),
        &conversion.exact.to_string(),
        &conversion.path.join(" "),
    ])?;
    Ok(writer.flush()?)
}
