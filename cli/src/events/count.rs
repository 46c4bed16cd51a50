//! Meetings by year and kind.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use proto::events::v1 as wire;
use wire::{EventKind, MeetingCount};

use crate::args::answer::{AnswerArgs, Output};
use crate::args::events::CountArgs;
use crate::client::{self, request};
use crate::{names, output};

/// Shows the counts, a row a year and a column a kind.
pub(super) async fn run(args: &CountArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let asked = wire::CountMeetingsRequest {
        country: args.pair.first.to_string(),
        partner: args.pair.second.to_string(),
        start_year: args.from_year.map(Into::into).unwrap_or_default(),
        // The service's span ends before its last year.
        end_year: args
            .to_year
            .map(|year| i32::from(year) + 1)
            .unwrap_or_default(),
        as_of: args.as_of.to_wire(),
    };
    let mut client = client::events(&server.server).await?;
    let found = client.count_meetings(request(asked, server)).await?;
    let found = found.into_inner();
    match output {
        Output::Table => {
            let pair = format!("{} and {}", args.pair.first, args.pair.second);
            writeln!(out, "Meetings of {pair}, by the year in which they began")?;
            table(&found.counts, out)
        }
        Output::Json => output::json(out, "entente.events.v1.CountMeetingsResponse", &found),
        Output::Csv => csv(&found.counts, out),
    }
}

fn table(counts: &[MeetingCount], out: &mut dyn Write) -> anyhow::Result<()> {
    let kinds: BTreeSet<i32> = counts.iter().map(|count| count.kind).collect();
    let mut years: BTreeMap<i32, BTreeMap<i32, i32>> = BTreeMap::new();
    for count in counts {
        *years
            .entry(count.year)
            .or_default()
            .entry(count.kind)
            .or_default() += count.count;
    }
    let named: Vec<String> = kinds
        .iter()
        .map(|kind| names::shown::<EventKind>(*kind))
        .collect();
    let mut titles = vec!["year"];
    titles.extend(named.iter().map(String::as_str));
    titles.push("all");
    let numbers: Vec<usize> = (1..titles.len()).collect();
    let mut table = output::table(&titles, &numbers);
    for (year, of_year) in &years {
        let mut row = vec![year.to_string()];
        row.extend(kinds.iter().map(|kind| cell(of_year.get(kind))));
        row.push(of_year.values().sum::<i32>().to_string());
        table.add_row(row);
    }
    let all: i32 = counts.iter().map(|count| count.count).sum();
    Ok(writeln!(
        out,
        "{table}\n{all} meetings; planned, postponed and cancelled ones are not counted"
    )?)
}

fn cell(count: Option<&i32>) -> String {
    count.map(ToString::to_string).unwrap_or_default()
}

fn csv(counts: &[MeetingCount], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut writer = output::csv(out, &["year", "kind", "count"])?;
    for count in counts {
        writer.write_record([
            count.year.to_string(),
            names::shown::<EventKind>(count.kind),
            count.count.to_string(),
        ])?;
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_a_row_and_a_kind_a_column() {
        let count = |year, kind: EventKind, count| MeetingCount {
            year,
            kind: kind.into(),
            count,
        };
        let counts = [
            count(2023, EventKind::Summit, 1),
            count(2023, EventKind::StateVisit, 1),
            count(2024, EventKind::StateVisit, 2),
        ];
        let mut out = Vec::new();
        table(&counts, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let words = |line: usize| {
            let line = text.lines().nth(line).unwrap();
            line.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(3), ["2023", "1", "1", "2"]);
        assert_eq!(words(4), ["2024", "2", "2"]);
        assert!(text.contains("4 meetings"), "{text}");
    }
}
