//! What happened between two countries, over all services in one order.

use std::io::Write;

use proto::gateway::v1 as wire;
use proto::r#type::v1::Source;
use proto::{culture::v1 as culture, trade::v1 as trade};
use wire::timeline_entry::Entry;
use wire::{Audience, ListTimelineRequest, ListTimelineResponse, TimelineEntry};

use super::{told, warn};
use crate::args::answer::{AnswerArgs, Output};
use crate::args::relationship::TimelineArgs;
use crate::client::{self, request};
use crate::record::{More, Shown, VisaRules};
use crate::sources::Footnotes;
use crate::{dates, events, names, output, words};

/// The most entries of a page.
const PAGE: i32 = 500;

/// Shows the timeline.
pub(super) async fn run(args: &TimelineArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::gateway(&server.server).await?;
    let limit = args.limit.limit as usize;
    let mut answer = ListTimelineResponse::default();
    loop {
        let left = i32::try_from(limit - answer.entries.len()).unwrap_or(i32::MAX);
        let asked = asked(args, left.min(PAGE), answer.next_page_token);
        let page = client.list_timeline(request(asked, server)).await?;
        let page = page.into_inner();
        answer.entries.extend(page.entries);
        answer.next_page_token = page.next_page_token;
        answer.withheld += page.withheld;
        // A service that is away keeps its place; whoever asks again gets what it has.
        answer.unreachable = page.unreachable;
        let is_lost = !answer.unreachable.is_empty();
        if is_lost || answer.next_page_token.is_empty() || answer.entries.len() >= limit {
            break;
        }
    }
    warn(&answer.unreachable);
    match output {
        Output::Table => table(&answer, &args.language.language, out),
        Output::Json => output::json(out, "entente.gateway.v1.ListTimelineResponse", &answer),
        Output::Csv => csv(&answer.entries, &args.language.language, out),
    }
}

fn asked(args: &TimelineArgs, page_size: i32, page_token: String) -> ListTimelineRequest {
    let audience = if args.public {
        Audience::Public
    } else {
        Audience::Internal
    };
    ListTimelineRequest {
        country: args.pair.first.to_string(),
        partner: args.pair.second.to_string(),
        window: args.dates.to_wire(),
        descending: args.latest_first,
        kinds: names::numbers(&args.kinds),
        audience: audience.into(),
        page_size,
        page_token,
        as_of: args.as_of.to_wire(),
    }
}

fn table(answer: &ListTimelineResponse, language: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = ["date", "what", "title", "record", "source"];
    let mut table = output::table(&titles, &[]);
    output::wrap(&mut table);
    let mut notes = Footnotes::default();
    for entry in &answer.entries {
        let Line {
            date,
            what,
            title,
            record,
            sources,
        } = line(entry, language);
        table.add_row([date, what, title, record, notes.all_marks(&sources)]);
    }
    let more = More::of(&answer.next_page_token);
    let count = answer.entries.len();
    writeln!(out, "{table}\n{count} entries{}", more.remark())?;
    if answer.withheld > 0 {
        let withheld = answer.withheld;
        writeln!(out, "{withheld} entries may not be shown outside")?;
    }
    notes.write(out)
}

fn csv(entries: &[TimelineEntry], language: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "date",
        "kind",
        "what",
        "title",
        "record",
        "source_title",
        "source_uri",
    ];
    let mut writer = output::csv(out, &titles)?;
    for entry in entries {
        let line = line(entry, language);
        let source = line.sources.first().cloned().unwrap_or_default();
        writer.write_record([
            dates::date(entry.date.as_ref()),
            names::shown::<wire::TimelineKind>(entry.kind),
            line.what,
            output::safe(&line.title),
            line.record,
            output::safe(&source.title),
            output::safe(&source.uri),
        ])?;
    }
    Ok(writer.flush()?)
}

/// An entry in words.
#[derive(Debug, Default)]
struct Line {
    date: String,
    what: String,
    title: String,
    record: String,
    sources: Vec<Source>,
}

fn line(entry: &TimelineEntry, language: &str) -> Line {
    let date = dates::date(entry.date.as_ref());
    match &entry.entry {
        Some(Entry::Events(found)) => {
            let (cells, sources) = events::timeline_line(found, language);
            let [date, what, title, record] = cells;
            Line {
                date,
                what,
                title,
                record,
                sources,
            }
        }
        Some(Entry::Culture(found)) => Line {
            date,
            ..of_culture(found, language)
        },
        Some(Entry::Trade(found)) => Line {
            date,
            ..of_trade(found, language)
        },
        None => Line::default(),
    }
}

fn of_culture(found: &culture::TimelineEntry, language: &str) -> Line {
    use culture::timeline_entry::Entry;
    match &found.entry {
        Some(Entry::Milestone(milestone)) => Line {
            what: format!("programme {}", point(milestone)),
            title: words::text_in(milestone.title.as_ref(), language),
            record: milestone.programme.clone(),
            sources: milestone.sources.clone(),
            ..Line::default()
        },
        Some(Entry::VisaChange(change)) => {
            let rule = change.visa_rule.clone().unwrap_or_default();
            Line {
                what: visa_change(change),
                title: VisaRules::title(&rule, language),
                record: rule.name,
                sources: rule.sources,
                ..Line::default()
            }
        }
        None => Line::default(),
    }
}

/// What happened to a programme: `opened`, `began`, `ended`.
fn point(milestone: &culture::TimelineMilestone) -> String {
    use culture::timeline_milestone::Point;
    match &milestone.point {
        Some(Point::Milestone(milestone)) => names::shown::<culture::MilestoneKind>(milestone.kind),
        Some(Point::Bound(bound)) if *bound == i32::from(culture::ProgrammeBound::End) => {
            "ended".into()
        }
        Some(Point::Bound(_)) => "began".into(),
        None => String::new(),
    }
}

/// What happened to a rule: `visa rule ended, after 2024-02-01`.
fn visa_change(change: &culture::VisaChange) -> String {
    let what = if change.ended { "ended" } else { "began" };
    match &change.after {
        None => format!("visa rule {what}"),
        Some(after) => format!("visa rule {what}, after {}", dates::date(Some(after))),
    }
}

fn of_trade(found: &trade::TimelineEntry, language: &str) -> Line {
    use trade::timeline_entry::Entry;
    match &found.entry {
        Some(Entry::Statement(said)) => {
            let statement = said.statement.clone().unwrap_or_default();
            let what = if said.dated_by_period {
                "statement, date not known"
            } else {
                "statement"
            };
            Line {
                what: what.into(),
                title: told::statement(&statement),
                record: statement.name,
                sources: statement.source.into_iter().collect(),
                ..Line::default()
            }
        }
        Some(Entry::Figures(figures)) => Line {
            what: recorded(figures),
            title: figures_title(figures, language),
            record: figures.dataset.clone(),
            sources: figures.source.clone().into_iter().collect(),
            ..Line::default()
        },
        None => Line::default(),
    }
}

/// How many figures: `figures: 12 new, 3 revised`.
fn recorded(figures: &trade::TimelineFigures) -> String {
    let counts = [(figures.recorded, "new"), (figures.revised, "revised")];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let least = if figures.at_least { "at least " } else { "" };
    format!("figures: {least}{}", counts.join(", "))
}

/// Whose figures, of which time, and what became of the total that is told last.
fn figures_title(figures: &trade::TimelineFigures, language: &str) -> String {
    let name = words::text_in(figures.display_name.as_ref(), language);
    let sides = format!("{} with {}", figures.reporter, figures.partner);
    let periods = match &figures.periods[..] {
        [] => String::new(),
        [one] => format!(", {one}"),
        [first, .., last] => format!(", {first} to {last}"),
    };
    let total = figures.totals.last().map(told::figure);
    let total = total.map(|total| format!("; {total}")).unwrap_or_default();
    format!("{name}: {sides}{periods}{total}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_is_counted_by_what_it_replaced() {
        let mut figures = trade::TimelineFigures {
            recorded: 12,
            revised: 3,
            ..Default::default()
        };
        assert_eq!(recorded(&figures), "figures: 12 new, 3 revised");
        figures.recorded = 0;
        figures.at_least = true;
        assert_eq!(recorded(&figures), "figures: at least 3 revised");
    }

    #[test]
    fn a_rule_that_was_only_seen_says_between_which_days() {
        let mut change = culture::VisaChange {
            ended: true,
            ..Default::default()
        };
        assert_eq!(visa_change(&change), "visa rule ended");
        change.after = Some("2024-02-01".parse::<proto::CivilDate>().unwrap().into());
        assert_eq!(visa_change(&change), "visa rule ended, after 2024-02-01");
    }
}
