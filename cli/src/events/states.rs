//! Agreements with the state that each has on a day.

use std::io::Write;

use proto::events::v1 as wire;
use wire::{AgreementKind, AgreementOnDay, AgreementState};

use super::PAGE;
use super::agreements::{filter, parties, step};
use crate::args::agreements::StatesArgs;
use crate::args::answer::{AnswerArgs, Output};
use crate::client::{self, request};
use crate::record::More;
use crate::sources::Footnotes;
use crate::{dates, names, output, words};

/// Shows the states.
pub(super) async fn run(args: &StatesArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::events(&server.server).await?;
    let limit = args.limit.limit as usize;
    let all = output::pages(limit, async |page_token, left: i32| {
        let asked = wire::ListAgreementStatesRequest {
            filter: Some(filter(&args.filter)),
            day: args.on.map(Into::into),
            states: names::numbers(&args.state),
            page_size: left.min(PAGE),
            page_token,
            as_of: args.as_of.to_wire(),
        };
        let page = client.list_agreement_states(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.agreements, page.next_page_token))
    });
    let all = all.await?;
    let answer = wire::ListAgreementStatesResponse {
        agreements: all.entries,
        next_page_token: all.next,
    };
    match output {
        Output::Table => table(&answer, &args.language.language, out),
        Output::Json => output::json(
            out,
            "entente.events.v1.ListAgreementStatesResponse",
            &answer,
        ),
        Output::Csv => csv(&answer.agreements, &args.language.language, out),
    }
}

fn table(
    answer: &wire::ListAgreementStatesResponse,
    language: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let titles = [
        "agreement",
        "kind",
        "parties",
        "title",
        "state",
        "perhaps",
        "by these steps",
    ];
    let mut table = output::table(&titles, &[]);
    output::wrap(&mut table);
    let mut notes = Footnotes::default();
    for entry in &answer.agreements {
        let agreement = entry.agreement.clone().unwrap_or_default();
        table.add_row([
            words::id(&agreement.name).to_owned(),
            names::shown::<AgreementKind>(agreement.kind),
            parties(&agreement, language),
            words::text_in(agreement.title.as_ref(), language),
            state(entry),
            names::all_shown::<AgreementState>(&entry.possible_states),
            deciding(entry, &mut notes),
        ]);
    }
    output::hide_empty(&mut table);
    let day = answer.agreements.first().and_then(|entry| entry.day);
    if let Some(day) = &day {
        writeln!(out, "On {}", dates::date(Some(day)))?;
    }
    let more = More::of(&answer.next_page_token);
    let count = answer.agreements.len();
    writeln!(out, "{table}\n{count} agreements{}", more.remark())?;
    notes.write(out)
}

/// The state that it surely has reached, with who has ratified or denounced it where not all have.
fn state(entry: &AgreementOnDay) -> String {
    let state = match names::shown::<AgreementState>(entry.state).as_str() {
        "" => "nothing yet".to_owned(),
        state => state.to_owned(),
    };
    let who = |done: &str, countries: &[String]| match countries {
        [] => String::new(),
        countries => format!(", {done} by {}", countries.join(" ")),
    };
    let ratified = who("ratified", &entry.ratified_by);
    let denounced = who("denounced", &entry.denounced_by);
    state + &ratified + &denounced
}

/// The steps that decide, each with the footnote of who says so.
fn deciding(entry: &AgreementOnDay, notes: &mut Footnotes) -> String {
    let agreement = entry.agreement.clone().unwrap_or_default();
    let steps = entry.deciding_steps.iter().filter_map(|place| {
        let at = usize::try_from(*place).ok()?.checked_sub(1)?;
        let mut one = agreement.steps.get(at)?.clone();
        let source = crate::sources::cited(&agreement.sources, one.source)?;
        one.source = i32::try_from(notes.number(source)).unwrap_or_default();
        Some(step(&one))
    });
    steps.collect::<Vec<_>>().join("; ")
}

fn csv(entries: &[AgreementOnDay], language: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "agreement",
        "kind",
        "parties",
        "title",
        "day",
        "state",
        "possible_states",
        "ratified_by",
        "denounced_by",
        "deciding_steps",
    ];
    let mut writer = output::csv(out, &titles)?;
    for entry in entries {
        let agreement = entry.agreement.clone().unwrap_or_default();
        let steps = entry.deciding_steps.iter().map(ToString::to_string);
        writer.write_record([
            agreement.name.clone(),
            names::shown::<AgreementKind>(agreement.kind),
            output::safe(&parties(&agreement, language)),
            output::safe(&words::text_in(agreement.title.as_ref(), language)),
            dates::date(entry.day.as_ref()),
            names::shown::<AgreementState>(entry.state),
            names::all_shown::<AgreementState>(&entry.possible_states),
            entry.ratified_by.join(" "),
            entry.denounced_by.join(" "),
            steps.collect::<Vec<_>>().join(" "),
        ])?;
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_says_who_is_ahead_of_the_others() {
        let entry = AgreementOnDay {
            state: AgreementState::Signed.into(),
            ratified_by: vec!["KAZ".into()],
            ..Default::default()
        };
        assert_eq!(state(&entry), "signed, ratified by KAZ");
        assert_eq!(state(&AgreementOnDay::default()), "nothing yet");
    }
}
