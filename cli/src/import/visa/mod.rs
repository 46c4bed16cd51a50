//! Visa rules from dated snapshots of the Passport Index dataset: a direction of a snapshot a row.
//!
//! # Layout
//!
//! * this file: rows into observations, and observations of one direction that follow each other and say the same
//!   into rules. `vocabulary`: what a value means in its snapshot.
//!
//! A snapshot says what it saw on its day and nothing of the days between, so a rule begins after the last snapshot
//! that saw another one and by the first that saw it, and ends likewise. Of the first observation of a direction
//! nobody knows when the rule began, only that it had: `start_by` alone. Of the last one nothing is known of later days:
//! `end_after` alone.

mod vocabulary;

use std::collections::BTreeMap;

use proto::culture::v1::{CreateVisaRuleRequest, VisaRule};
use proto::r#type::v1::Source;
use proto::{Country, Day};

use self::vocabulary::{Form, Meaning};
use super::cells::{Cells, checked, parse_rows};
use super::sheet::{Rejection, Sheet};
use super::{Imported, records};
use crate::args::records::ImportRecordsArgs;
use crate::record::VisaRules;

/// The columns that are read.
const REQUIRED: [&str; 4] = [
    "snapshot_date",
    "passport_iso3",
    "destination_iso3",
    "requirement",
];

/// Imports a file of snapshots.
pub(crate) async fn visa(args: &ImportRecordsArgs) -> anyhow::Result<Imported> {
    let mut sheet = Sheet::open_whole(&args.file, &REQUIRED)?;
    let rows = sheet.rows.len();
    let entries = rules(&mut sheet)?;
    let remarks = vec![format!("made of {rows} rows")];
    records::import::<VisaRules>(sheet, entries, remarks, args).await
}

/// A direction of a snapshot, as the file has it.
#[derive(Debug)]
struct Observation {
    day: Day,
    way: Way,
    value: String,
}

/// Whose citizens, and where they enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    citizens_of: Country,
    destination: Country,
}

/// The rules that the rows of a file come to.
fn rules(sheet: &mut Sheet) -> anyhow::Result<Vec<(u64, CreateVisaRuleRequest)>> {
    let observations = parse_rows(sheet, observation);
    let forms = forms(observations.iter().map(|(_, observation)| observation));
    let mut seen: BTreeMap<Way, BTreeMap<Day, Seen>> = BTreeMap::new();
    for (line, observation) in observations {
        let Observation { day, way, value } = observation;
        // What citizens need at home is no rule.
        if way.citizens_of == way.destination {
            continue;
        }
        let form = forms.get(&day).copied().unwrap_or(Form::Words);
        let meaning = match vocabulary::meaning(form, day, &value) {
            Ok(meaning) => meaning,
            Err(reason) => {
                sheet
                    .rejected
                    .push(Rejection::new(line, "requirement", reason));
                continue;
            }
        };
        let days = seen.entry(way).or_default();
        if days.contains_key(&day) {
            let reason = "this direction was given before in this snapshot";
            sheet.rejected.push(Rejection::new(line, "", reason));
            continue;
        }
        let seen = Seen {
            line,
            form,
            meaning,
            value,
        };
        days.insert(day, seen);
    }
    let source = source()?;
    let of_way = seen
        .iter()
        .flat_map(|(way, days)| rules_of(*way, days, &source));
    Ok(of_way.collect())
}

/// What a snapshot says of a direction.
#[derive(Debug)]
struct Seen {
    line: u64,
    form: Form,
    meaning: Meaning,
    value: String,
}

fn observation(cells: &Cells<'_>) -> Result<Observation, Rejection> {
    let day = cells.required("snapshot_date")?;
    let day = crate::dates::parse_day(day).map_err(|reason| cells.reject("snapshot_date", reason));
    let country = |column: &str| {
        let code = match cells.required(column)? {
            // Kosovo, for which ISO 3166-1 has no code.
            "XKX" => "CT412",
            code => code,
        };
        cells.country(column, code)
    };
    Ok(Observation {
        day: day?,
        way: Way {
            citizens_of: country("passport_iso3")?,
            destination: country("destination_iso3")?,
        },
        value: cells.required("requirement")?.to_owned(),
    })
}

/// The vocabulary of each snapshot, by all its values.
fn forms<'a>(observations: impl Iterator<Item = &'a Observation>) -> BTreeMap<Day, Form> {
    let mut values: BTreeMap<Day, Vec<&str>> = BTreeMap::new();
    for observation in observations {
        let of_day = values.entry(observation.day).or_default();
        of_day.push(&observation.value);
    }
    let of_day = values.into_iter();
    of_day
        .map(|(day, values)| (day, Form::of(&values)))
        .collect()
}

/// Observations that follow each other and mean the same.
#[derive(Debug)]
struct Run<'a> {
    first: Day,
    last: Day,
    seen: Vec<&'a Seen>,
}

fn runs(days: &BTreeMap<Day, Seen>) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for (day, seen) in days {
        let current = runs.last_mut();
        let same = current.filter(|run| run.seen.iter().all(|one| one.meaning == seen.meaning));
        match same {
            Some(run) => {
                run.last = *day;
                run.seen.push(seen);
            }
            None => runs.push(Run {
                first: *day,
                last: *day,
                seen: vec![seen],
            }),
        }
    }
    runs
}

fn rules_of(
    way: Way,
    days: &BTreeMap<Day, Seen>,
    source: &Source,
) -> Vec<(u64, CreateVisaRuleRequest)> {
    let runs = runs(days);
    let rule = |(at, run): (usize, &Run<'_>)| {
        let before = at.checked_sub(1).and_then(|before| runs.get(before));
        let after = runs.get(at + 1);
        rule(way, before, run, after, source)
    };
    runs.iter().enumerate().filter_map(rule).collect()
}

/// The rule that a run of observations saw, between the runs that saw others.
fn rule(
    way: Way,
    before: Option<&Run<'_>>,
    run: &Run<'_>,
    after: Option<&Run<'_>>,
    source: &Source,
) -> Option<(u64, CreateVisaRuleRequest)> {
    let first = run.seen.first()?;
    let Way {
        citizens_of,
        destination,
    } = way;
    let rule = VisaRule {
        citizens_of: citizens_of.to_string(),
        destination: destination.to_string(),
        requirement: first.meaning.requirement.into(),
        days_allowed: first.meaning.days,
        start_date: before.map(|_| run.first.into()),
        start_after: before.map(|before| before.last.into()),
        start_by: before.is_none().then(|| run.first.into()),
        end_date: after.map(|after| after.first.into()),
        end_after: Some(run.last.into()),
        sources: vec![source.clone()],
        note: note(before, run),
        ..Default::default()
    };
    let id = format!("passport-index-{citizens_of}-{destination}-{}", run.first);
    let request = CreateVisaRuleRequest {
        visa_rule_id: id.to_lowercase(),
        visa_rule: Some(rule),
        request_id: String::new(),
    };
    Some((first.line, request))
}

/// What the source's own values were, and whether a change may be one of words alone.
fn note(before: Option<&Run<'_>>, run: &Run<'_>) -> String {
    let mut values: Vec<String> = Vec::new();
    for seen in &run.seen {
        let value = format!("`{}`", seen.value);
        if !values.contains(&value) {
            values.push(value);
        }
    }
    let values = format!("The source's own value: {}.", values.join(", then "));
    let beginning = match before {
        Some(before) if form_of(before.seen.last()) != form_of(run.seen.first()) => format!(
            " The source changed its vocabulary between {} and {}: this may be the rule before in other words.",
            before.last, run.first
        ),
        Some(_) | None => String::new(),
    };
    values + &beginning
}

fn form_of(seen: Option<&&Seen>) -> Option<Form> {
    seen.map(|seen| seen.form)
}

fn source() -> anyhow::Result<Source> {
    let source = Source {
        title: "Passport Index Dataset".into(),
        publisher: "Ilya Ilyankou".into(),
        uri: "https://github.com/ilyankou/passport-index-dataset".into(),
        licence: "MIT".into(),
        may_be_shown_outside: true,
        note: "Dated snapshots of passportindex.org, which is built from publicly available information. Rules may \
               have changed between two snapshots and back."
            .into(),
        ..Default::default()
    };
    checked(source).map_err(|(field, reason)| anyhow::anyhow!("source.{field}: {reason}"))
}

#[cfg(test)]
mod tests {
    use proto::culture::v1::VisaRequirement;

    use super::*;
    use crate::import::tests::sample;

    fn day(text: &str) -> Option<proto::r#type::v1::CivilDate> {
        text.parse::<proto::CivilDate>().ok().map(Into::into)
    }

    fn read(rows: &str) -> (Vec<VisaRule>, Vec<Rejection>) {
        let text = format!("{}\n{rows}", REQUIRED.join(","));
        let mut sheet = Sheet::parse_whole("visa.csv", text.as_bytes(), &REQUIRED).unwrap();
        let rules = rules(&mut sheet).unwrap();
        let rules = rules.into_iter().map(|(_, request)| VisaRule {
            name: request.visa_rule_id,
            ..request.visa_rule.unwrap()
        });
        (rules.collect(), sheet.rejected)
    }

    #[test]
    fn snapshots_that_say_the_same_make_one_rule() {
        let (rules, rejected) = read(
            "2019-11-23,KAZ,CHN,0\n2020-02-07,KAZ,CHN,VR\n2023-11-06,KAZ,CHN,visa required\n\
             2023-12-03,KAZ,CHN,30\n2024-01-05,KAZ,CHN,30\n",
        );
        assert_eq!(rejected, []);
        let [required, free] = rules.as_slice() else {
            panic!("{rules:?}");
        };
        assert_eq!(required.name, "passport-index-kaz-chn-2019-11-23");
        assert_eq!((required.start_date, required.start_after), (None, None));
        assert!(
            required
                .note
                .contains("`0`, then `VR`, then `visa required`")
        );
        assert_eq!(required.start_by, day("2019-11-23"));
        assert_eq!(required.end_after, day("2023-11-06"));
        assert_eq!(required.end_date, day("2023-12-03"));
        assert_eq!(free.requirement, i32::from(VisaRequirement::VisaFree));
        assert_eq!(free.days_allowed, 30);
        assert_eq!(free.start_by, None);
        assert_eq!(free.start_after, day("2023-11-06"));
        assert_eq!(free.start_date, day("2023-12-03"));
        assert_eq!((free.end_date, free.end_after), (None, day("2024-01-05")));
    }

    #[test]
    fn rows_may_stand_in_any_order() {
        let ordered = "2021-01-25,CHN,KAZ,covid ban\n2022-06-06,CHN,KAZ,e-visa\n";
        let turned = "2022-06-06,CHN,KAZ,e-visa\n2021-01-25,CHN,KAZ,covid ban\n";
        assert_eq!(read(ordered).0, read(turned).0);
    }

    #[test]
    fn a_rule_that_comes_with_another_vocabulary_says_so() {
        let (rules, _) =
            read("2019-12-17,KAZ,RUS,3\n2020-02-07,KAZ,RUS,90\n2020-02-07,CHN,RUS,VR\n");
        let ninety = rules.iter().find(|rule| rule.days_allowed == 90).unwrap();
        assert!(ninety.note.contains("vocabulary"), "{}", ninety.note);
    }

    #[test]
    fn what_means_nothing_known_is_rejected_and_says_nothing() {
        let (rules, rejected) = read(
            "2023-01-01,CHN,KAZ,14\n2023-02-01,CHN,KAZ,Hayya Entry Permit\n2023-03-01,CHN,KAZ,14\n\
             2023-03-01,CHN,KAZ,30\n2023-03-01,CHN,XXX,visa free\nsoon,CHN,KAZ,30\n2023-03-01,CHN,CHN,-1\n",
        );
        assert_eq!(rules.len(), 1);
        assert_eq!(rules[0].end_after, day("2023-03-01"));
        let mut places: Vec<(u64, &str)> = rejected
            .iter()
            .map(|one| (one.line, one.column.as_str()))
            .collect();
        places.sort_unstable();
        assert_eq!(
            places,
            [
                (3, "requirement"),
                (5, ""),
                (6, "destination_iso3"),
                (7, "snapshot_date")
            ]
        );
    }

    #[test]
    fn the_whole_file_is_read() {
        let Some(text) = sample("visa/visa_history_CHN_KAZ_neighbours_53_snapshots.csv") else {
            return;
        };
        let mut sheet = Sheet::parse_whole("visa.csv", &text, &REQUIRED).unwrap();
        let rules = rules(&mut sheet).unwrap();
        assert_eq!(sheet.rejected, []);
        let of = |way: &str| -> Vec<(i32, i32)> {
            let of_way = rules.iter().filter(|(_, r)| r.visa_rule_id.contains(way));
            let rules = of_way.map(|(_, request)| request.visa_rule.clone().unwrap());
            rules
                .map(|rule| (rule.requirement, rule.days_allowed))
                .collect()
        };
        assert_eq!(
            of("chn-kaz"),
            [(5, 0), (4, 0), (6, 0), (4, 0), (1, 14), (1, 30)]
        );
        assert_eq!(of("kaz-chn"), [(5, 0), (1, 30)]);
        // Given on arrival, by the code of that time; visa free from the next snapshot on.
        assert_eq!(of("chn-uzb"), [(3, 0), (1, 7), (1, 10)]);
    }
}
