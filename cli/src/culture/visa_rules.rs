//! The rules between two countries: on a day, and from one day to another.

use std::io::Write;

use proto::culture::v1 as wire;
use wire::{VisaChange, VisaChanges, VisaRule, VisaRulesOnDay};

use super::visa::{begins, bounded, ends, requirement};
use crate::args::answer::{AnswerArgs, Output};
use crate::args::visa::{VisaChangesArgs, VisaRulesArgs};
use crate::client::{self, request};
use crate::reasons::Reasons;
use crate::record::{Shown, VisaRules};
use crate::sources::Footnotes;
use crate::{dates, names, output, words};

/// Shows the rules on a day, both ways.
pub(super) async fn on_day(args: &VisaRulesArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let asked = wire::FindVisaRulesRequest {
        country: args.pair.first.to_string(),
        partner: args.pair.second.to_string(),
        day: args.on.map(Into::into),
        purpose: names::number(args.purpose),
        as_of: args.as_of.to_wire(),
    };
    let mut client = client::culture(&server.server).await?;
    let found = client.find_visa_rules(request(asked, server)).await?;
    let found = found.into_inner();
    match output {
        Output::Table => {
            writeln!(out, "On {}", dates::date(found.day.as_ref()))?;
            table(&found.directions, out)
        }
        Output::Json => output::json(out, "entente.culture.v1.FindVisaRulesResponse", &found),
        Output::Csv => csv(&found.directions, out),
    }
}

/// Rules of a direction, each with how sure it is.
fn rules(direction: &VisaRulesOnDay) -> Vec<(&'static str, &VisaRule)> {
    let sure = direction.in_force.iter().map(|rule| ("in force", rule));
    let perhaps = direction.uncertain.iter().map(|rule| ("uncertain", rule));
    sure.chain(perhaps).collect()
}

fn table(directions: &[VisaRulesOnDay], out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "citizens of",
        "enter",
        "requirement",
        "how sure",
        "begins",
        "ends",
        "source",
    ];
    let mut table = output::table(&titles, &[]);
    let mut notes = Footnotes::default();
    let mut remarks = Reasons::default();
    for direction in directions {
        let VisaRulesOnDay {
            citizens_of,
            destination,
            ..
        } = direction;
        let ends_of = [citizens_of.clone(), destination.clone()];
        let found = rules(direction);
        if found.is_empty() {
            let [citizens_of, destination] = ends_of.clone();
            table.add_row([citizens_of, destination, "no rule is known".to_owned()]);
        }
        for (sure, rule) in found {
            let [citizens_of, destination] = ends_of.clone();
            table.add_row([
                citizens_of,
                destination,
                requirement(rule),
                sure.to_owned(),
                begins(rule),
                ends(rule),
                marks(rule, &mut notes, &mut remarks),
            ]);
        }
    }
    writeln!(out, "{table}")?;
    remarks.write(out)?;
    notes.write(out)
}

/// Where a rule is known from, with the letter of what a reader must know of it.
fn marks(rule: &VisaRule, notes: &mut Footnotes, remarks: &mut Reasons) -> String {
    let sources = notes.all_marks(&rule.sources);
    match rule.note.as_str() {
        "" => sources,
        note => format!("{sources} {}", remarks.mark(note)),
    }
}

fn csv(directions: &[VisaRulesOnDay], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut titles = vec!["certainty"];
    titles.extend(VisaRules::CSV);
    let mut writer = output::csv(out, &titles)?;
    for (sure, rule) in directions.iter().flat_map(rules) {
        let mut row = vec![sure.to_owned()];
        row.extend(VisaRules::cells(rule, "en"));
        writer.write_record(row)?;
    }
    Ok(writer.flush()?)
}

/// Shows what changed from one day to another, both ways.
pub(super) async fn changes(args: &VisaChangesArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let asked = wire::ListVisaChangesRequest {
        country: args.pair.first.to_string(),
        partner: args.pair.second.to_string(),
        start_day: Some(args.since.into()),
        end_day: args.until.map(Into::into),
        as_of: args.as_of.to_wire(),
    };
    let mut client = client::culture(&server.server).await?;
    let found = client.list_visa_changes(request(asked, server)).await?;
    let found = found.into_inner();
    match output {
        Output::Table => changes_table(&found.directions, out),
        Output::Json => output::json(out, "entente.culture.v1.ListVisaChangesResponse", &found),
        Output::Csv => changes_csv(&found.directions, out),
    }
}

fn changes_table(directions: &[VisaChanges], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut notes = Footnotes::default();
    let mut remarks = Reasons::default();
    for direction in directions {
        let VisaChanges {
            citizens_of,
            destination,
            differs,
            first,
            last,
            changes,
        } = direction;
        let differs = if *differs {
            "differs"
        } else {
            "asks for the same"
        };
        writeln!(out, "{citizens_of} to {destination}: {differs}")?;
        let rows = [
            ("at first", state(first.as_ref())),
            ("at last", state(last.as_ref())),
        ];
        output::lines(out, &rows.map(|(title, text)| (title.to_owned(), text)))?;
        if !changes.is_empty() {
            let mut table = output::table(&["when", "what", "requirement", "source"], &[]);
            for change in changes {
                let rule = change.visa_rule.clone().unwrap_or_default();
                table.add_row([
                    when(change),
                    what(change).to_owned(),
                    requirement(&rule),
                    marks(&rule, &mut notes, &mut remarks),
                ]);
            }
            writeln!(out, "{table}")?;
        }
        writeln!(out)?;
    }
    remarks.write(out)?;
    notes.write(out)
}

/// The rules of a day in a line: `visa required`; `visa free, 30 days (uncertain)`.
fn state(on_day: Option<&VisaRulesOnDay>) -> String {
    let found = on_day.map(rules).unwrap_or_default();
    let told = found.into_iter().map(|(sure, rule)| match sure {
        "uncertain" => format!("{} (uncertain)", requirement(rule)),
        _ => requirement(rule),
    });
    match told.collect::<Vec<_>>().join("; ").as_str() {
        "" => "no rule is known".to_owned(),
        told => told.to_owned(),
    }
}

/// When a rule changed, as exactly as it is known.
fn when(change: &VisaChange) -> String {
    let by = dates::date(change.date.as_ref());
    match dates::date(change.after.as_ref()).as_str() {
        "" => by,
        after => bounded(after, &by),
    }
}

fn what(change: &VisaChange) -> &'static str {
    if change.ended {
        "ended"
    } else {
        "came into force"
    }
}

fn changes_csv(directions: &[VisaChanges], out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "citizens_of",
        "destination",
        "after",
        "date",
        "change",
        "requirement",
        "visa_rule",
        "recorded",
    ];
    let mut writer = output::csv(out, &titles)?;
    for direction in directions {
        for change in &direction.changes {
            let rule = change.visa_rule.clone().unwrap_or_default();
            writer.write_record([
                direction.citizens_of.as_str(),
                &direction.destination,
                &dates::date(change.after.as_ref()),
                &dates::date(change.date.as_ref()),
                what(change),
                &requirement(&rule),
                &rule.name,
                &words::instant(rule.create_time.as_ref()),
            ])?;
        }
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use proto::culture::v1::VisaRequirement;

    use super::*;

    #[test]
    fn a_day_without_a_rule_says_that_none_is_known() {
        assert_eq!(state(None), "no rule is known");
        let rule = VisaRule {
            requirement: VisaRequirement::VisaFree.into(),
            days_allowed: 30,
            ..Default::default()
        };
        let on_day = VisaRulesOnDay {
            uncertain: vec![rule],
            ..Default::default()
        };
        assert_eq!(state(Some(&on_day)), "visa free, 30 days (uncertain)");
    }
}
