//! Events by date.

use std::io::Write;

use proto::events::v1 as wire;

use super::PAGE;
use crate::args::answer::AnswerArgs;
use crate::args::events::{EventFilterArgs, ListEventsArgs};
use crate::client::{self, request};
use crate::record::{Events, More, write_list};
use crate::{names, output};

/// Lists the events.
pub(super) async fn run(args: &ListEventsArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::events(&server.server).await?;
    let limit = args.limit.limit as usize;
    let all = output::pages(limit, async |page_token, left: i32| {
        let asked = wire::ListEventsRequest {
            filter: Some(filter(&args.filter)),
            page_size: left.min(PAGE),
            page_token,
            as_of: args.as_of.to_wire(),
        };
        let page = client.list_events(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.events, page.next_page_token))
    });
    let all = all.await?;
    let answer = wire::ListEventsResponse {
        events: all.entries,
        next_page_token: all.next,
    };
    write_list::<Events>(
        &answer.events,
        &args.language.language,
        More::of(&answer.next_page_token),
        *output,
        ("entente.events.v1.ListEventsResponse", &answer),
        out,
    )
}

/// The filter as the wire has it.
pub(super) fn filter(args: &EventFilterArgs) -> wire::EventFilter {
    let (country, partner) = args.countries.to_wire();
    wire::EventFilter {
        country,
        partner,
        kinds: names::numbers(&args.kind),
        themes: names::numbers(&args.theme),
        statuses: names::numbers(&args.status),
        window: args.dates.to_wire(),
        participant: args.participant.clone(),
    }
}
