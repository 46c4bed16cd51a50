//! The briefing on a page: facts in short points, each with its sources.

mod exchange;
mod page;
mod relations;
mod trade;
mod upshot;

use std::io::Write;

use proto::gateway::v1 as wire;
use wire::{Audience, Briefing, BriefingSection, GetBriefingRequest};

use crate::args::briefing::{BriefingArgs, BriefingOutput};
use crate::client::{self, request};
use crate::{dates, names, output, words};
use page::{Page, Text};

/// Asks for a briefing and writes it.
pub(crate) async fn run(args: &BriefingArgs) -> anyhow::Result<()> {
    let asked = GetBriefingRequest {
        country: args.pair.first.to_string(),
        partner: args.pair.second.to_string(),
        period: args
            .period
            .map(|period| period.to_string())
            .unwrap_or_default(),
        day: args.on.map(Into::into),
        as_of: args.as_of.to_wire(),
        since: args.since.map(crate::args::answer::AsOf::to_wire),
        sections: names::numbers(&args.section),
        required_sections: names::numbers(&args.require),
        audience: audience(args.public).into(),
        years: args.years,
        ..Default::default()
    };
    let mut client = client::gateway(&args.server.server).await?;
    let briefing = client.get_briefing(request(asked, &args.server)).await?;
    let briefing = briefing.into_inner();
    let out = &mut output::stdout();
    match args.output {
        BriefingOutput::Json => output::json(out, "entente.gateway.v1.Briefing", &briefing)?,
        BriefingOutput::Text => page(&briefing, args).write_text(&briefing.sources, out)?,
        BriefingOutput::Markdown => page(&briefing, args).write_markdown(&briefing.sources, out)?,
    }
    Ok(out.flush()?)
}

fn audience(is_public: bool) -> Audience {
    if is_public {
        Audience::Public
    } else {
        Audience::Internal
    }
}

/// What is told of a briefing, in the order in which it is read.
fn page(briefing: &Briefing, args: &BriefingArgs) -> Page {
    let language = &args.language.language;
    let mut page = Page::default();
    let [country, partner] =
        [&briefing.country, &briefing.partner].map(|code| words::country(code));
    let day = dates::date(briefing.day.as_ref());
    page.title(format!("{country} and {partner}: briefing for {day}"));
    let for_whom = match briefing.audience() {
        Audience::Public => "For everybody: only what its sources let out.",
        Audience::Unspecified | Audience::Internal => "For internal use.",
    };
    page.paragraph(Text::of(for_whom));
    upshot::unreachable(briefing, &mut page);
    if upshot::is_empty(briefing) {
        page.paragraph(Text::of(nothing(args.as_of.to_wire().as_ref())));
        return page;
    }
    trade::write(briefing, language, &mut page);
    relations::write(briefing, language, &mut page);
    exchange::write(briefing, language, &mut page);
    upshot::changes(briefing, language, args.each_change, &mut page);
    upshot::omissions(briefing, &mut page);
    page
}

fn nothing(as_of: Option<&prost_types::Timestamp>) -> String {
    match as_of {
        Some(_) => format!(
            "Nothing of the two was recorded by {}.",
            words::second(as_of)
        ),
        None => "Nothing of the two is recorded.".to_owned(),
    }
}

/// A section's name for people.
fn section_name(section: i32) -> String {
    names::shown::<BriefingSection>(section)
}
