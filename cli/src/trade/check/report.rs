//! The check of one statement in plain words: the verdict, what was said, and each side with its arithmetic.

use std::io::Write;

use proto::trade::v1 as wire;
use wire::{
    BoundCheck, GrowthCheck, GrowthGap, SideCheck, SideOutcome, StatedMeasure, Statement,
    StatementCheck, Term, ValueCheck, Verdict,
};

use crate::sources::Footnotes;
use crate::{figures, output, words};

/// Below `Said: `.
const INDENT: &str = "      ";

/// Writes the verdict first, then what it rests on.
pub(crate) fn report(check: &StatementCheck, out: &mut dyn Write) -> anyhow::Result<()> {
    let statement = check.statement.clone().unwrap_or_default();
    let mut footnotes = Footnotes::default();
    writeln!(out, "{}\n", verdict(check, &statement))?;
    said(&statement, &mut footnotes, out)?;
    range(check, &statement, out)?;
    for side in &check.sides {
        writeln!(out)?;
        show_side(check, &statement, side, &mut footnotes, out)?;
    }
    for missing in &check.missing {
        writeln!(out, "Missing: {}", words::missing(missing))?;
    }
    writeln!(out)?;
    footnotes.write(out)
}

/// What the check came to, as a sentence.
pub(crate) fn verdict(check: &StatementCheck, statement: &Statement) -> String {
    let fits = reporters(check, statement, SideOutcome::Fits);
    let contradicts = reporters(check, statement, SideOutcome::Contradicts);
    let named = words::country(&statement.side);
    match Verdict::try_from(check.verdict).unwrap_or_default() {
        Verdict::Unspecified => {
            "This check came to something that this program does not know.".into()
        }
        Verdict::Supported => format!("Supported: it agrees with the figures of {fits}."),
        Verdict::Contradicted if rests_on_itself(check, SideOutcome::Contradicts) => {
            "Contradicted by its own source: it does not agree with the figures there.".into()
        }
        Verdict::Contradicted if !statement.side.is_empty() => {
            format!("Contradicted: it does not agree with the side that it names, {named}.")
        }
        Verdict::Contradicted => {
            format!("Contradicted: it does not agree with the figures of {contradicts}.")
        }
        Verdict::FitsOneSide => format!(
            "Fits one side only: it agrees with the figures of {fits}, and not with those of {contradicts}."
        ),
        Verdict::CannotBeChecked if rests_on_itself(check, SideOutcome::CannotBeChecked) => {
            let others = match contradicts.as_str() {
                "" => String::new(),
                others => format!("; those of {others} contradict it"),
            };
            format!(
                "Cannot be checked: what would support it is known from the statement's own source{others}."
            )
        }
        Verdict::CannotBeChecked if contradicts.is_empty() => {
            "Cannot be checked: the figures that it needs are not there.".into()
        }
        Verdict::CannotBeChecked => format!(
            "Cannot be checked: no side that could support it has the figures; those of {contradicts} contradict it."
        ),
    }
}

/// Whether values with an outcome were held against figures of the statement's own source alone.
fn rests_on_itself(check: &StatementCheck, outcome: SideOutcome) -> bool {
    let values = check.sides.iter().filter_map(|side| side.value.as_ref());
    let decisive = values.filter(|value| value.outcome() == outcome && !value.terms.is_empty());
    let mut terms = decisive.flat_map(|value| &value.terms).peekable();
    terms.peek().is_some() && terms.all(|term| term.own_source)
}

/// The countries with an outcome, each once: `China and Kazakhstan`. A gap is between the figures of both.
fn reporters(check: &StatementCheck, statement: &Statement, outcome: SideOutcome) -> String {
    let sides = check.sides.iter();
    let sides = sides.filter(|side| side.outcome == i32::from(outcome));
    let mut codes: Vec<&str> = sides.map(|side| side.reporter.as_str()).collect();
    if statement.measure() == StatedMeasure::MirrorGap && !codes.is_empty() {
        codes.extend(statement.partners.iter().map(String::as_str));
    }
    let mut names: Vec<String> = codes.into_iter().map(words::country).collect();
    names.dedup();
    names.join(" and ")
}

fn said(
    statement: &Statement,
    footnotes: &mut Footnotes,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let value = statement.value.clone().unwrap_or_default();
    let partners = statement.partners.iter().map(|code| words::country(code));
    let growth = match statement.growth.as_str() {
        "" => String::new(),
        growth => {
            let growth = figures::stated_percent(growth, &statement.growth_precision);
            format!(", growth {growth}")
        }
    };
    let source = statement.source.as_ref();
    let mark = source.map(|source| format!(" [{}]", footnotes.number(source)));
    let line = format!(
        "Said: {} of {} with {}, {}: {} {} ({}){growth}{}",
        words::stated_measure(statement.measure),
        words::country(&statement.country),
        partners.collect::<Vec<_>>().join(", "),
        words::period(&statement.period),
        figures::stated(&value.amount, &statement.value_precision),
        value.currency_code,
        figures::grouped(&value.amount),
        mark.unwrap_or_default(),
    );
    output::paragraph(out, &line, INDENT)?;
    let flags = figures::flags(&statement.flags);
    let remarks = [
        ("by ", &statement.speaker),
        ("of the statistics of ", &words::country(&statement.side)),
        ("", &flags),
        ("", &statement.note),
    ];
    for (lead, text) in remarks.iter().filter(|(_, text)| !text.is_empty()) {
        output::paragraph(out, &format!("{INDENT}{lead}{text}"), INDENT)?;
    }
    Ok(())
}

/// Which values support it, and what its growth implies.
fn range(check: &StatementCheck, statement: &Statement, out: &mut dyn Write) -> anyhow::Result<()> {
    let tolerance = figures::exact_percent(&check.tolerance);
    let rounding = match statement.value_precision.as_str() {
        "" => String::new(),
        digit => format!("half of its last digit ({}) and ", figures::short(digit)),
    };
    let values = match check.highest_value.as_str() {
        "" => format!("from {} on", figures::fine(&check.lowest_value)),
        highest => format!(
            "from {} to {}",
            figures::fine(&check.lowest_value),
            figures::fine(highest)
        ),
    };
    writeln!(
        out,
        "Values {values} support it: {rounding}{tolerance} tolerance."
    )?;
    if !check.implied_base.is_empty() {
        let value = statement.value.clone().unwrap_or_default();
        writeln!(
            out,
            "Implied: {} / (1 + {}) = {} for {}.",
            figures::short(&value.amount),
            statement.growth,
            figures::short(&check.implied_base),
            words::period(&check.implied_base_period),
        )?;
    }
    Ok(())
}

fn show_side(
    check: &StatementCheck,
    statement: &Statement,
    side: &SideCheck,
    footnotes: &mut Footnotes,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let named = if side.named {
        ", the side that it names"
    } else {
        ""
    };
    writeln!(
        out,
        "{}, {}{named}: {}",
        words::country(&side.reporter),
        side.dataset,
        figures::outcome(side.outcome)
    )?;
    let stated = statement.value.clone().unwrap_or_default();
    let mut sum = |terms: &[Term]| terms_text(check, terms, footnotes);
    if let Some(value) = asked(side.value.as_ref()) {
        let text = value_text(value, &stated.amount, &sum(&value.terms));
        let remark = figures::term_remark(&value.terms);
        writeln!(out, "  value   {text}{remark}")?;
    }
    if let Some(base) = asked(side.base.as_ref()) {
        let text = value_text(base, &check.implied_base, &sum(&base.terms));
        let remark = figures::term_remark(&base.terms);
        writeln!(out, "  base    {text}{remark}")?;
    }
    let growth = side.growth.as_ref();
    if let Some(text) = growth.and_then(|growth| growth_text(growth, &statement.growth)) {
        writeln!(out, "  growth  {text}")?;
    }
    for bound in &side.bounds {
        let figure = bound.figure.clone().unwrap_or_default();
        let text = bound_text(bound, &stated.amount, &check.implied_base, &sum(&[figure]));
        writeln!(out, "  bound   {text}")?;
    }
    for missing in lacking(side) {
        writeln!(out, "  missing {missing}")?;
    }
    Ok(())
}

/// What a side would need to be held against the statement.
pub(super) fn lacking(side: &SideCheck) -> Vec<String> {
    let currency = match side.currency_code.as_str() {
        "" => None,
        code => Some(format!(
            "figures in the statement's currency: these are in {code}"
        )),
    };
    let missing = side.missing.iter().map(words::missing);
    missing.chain(currency).collect()
}

/// A check that was made and found a figure; what was not found stands under the missing ones.
fn asked(value: Option<&ValueCheck>) -> Option<&ValueCheck> {
    value.filter(|value| !value.observed.is_empty())
}

/// `17.62 bn against 17.7 bn [2]: −0.08 bn (−0.5 %), fits`.
fn value_text(value: &ValueCheck, stated: &str, sum: &str) -> String {
    let ratio = match value.ratio.as_str() {
        "" => String::new(),
        ratio => format!(" ({})", figures::percent(ratio)),
    };
    format!(
        "{} against {sum}: off by {}{ratio}, {}",
        figures::short(stated),
        figures::short(&value.difference),
        figures::outcome(value.outcome)
    )
}

/// One figure, or a sum with its result: `14 bn [1] + 10.2 bn [2] = 24.2 bn`.
fn terms_text(check: &StatementCheck, terms: &[Term], footnotes: &mut Footnotes) -> String {
    let mut text = String::new();
    let mut total = proto::Decimal::ZERO;
    for (at, term) in terms.iter().enumerate() {
        let sign = match (at, term.sign) {
            (0, 0..) => "",
            (0, ..0) => "−",
            (_, 0..) => " + ",
            (_, ..0) => " − ",
        };
        let value = proto::parse_decimal(&term.value).unwrap_or_default();
        total += if term.sign < 0 { -value } else { value };
        let mark = footnotes.marks(&check.sources, &[term.source]);
        text = format!("{text}{sign}{} {mark}", figures::short(&term.value));
        let flags = figures::flags(&term.flags);
        if flags.contains("lower bound") || flags.contains("implied") {
            text = format!("{text} ({flags})");
        }
    }
    let text = text.trim_end().to_owned();
    if terms.len() < 2 {
        return text;
    }
    let total = proto::format_decimal(total);
    format!("{text} = {}", figures::short(&total))
}

fn growth_text(growth: &GrowthCheck, stated: &str) -> Option<String> {
    let stated = figures::exact_percent(stated);
    if growth.observed.is_empty() {
        let gap = GrowthGap::try_from(growth.gap).unwrap_or_default();
        return (gap != GrowthGap::Unspecified).then(|| {
            let why = figures::growth_gap(growth.gap);
            format!("{stated} against none: {why}")
        });
    }
    Some(format!(
        "{stated} against {}: {}, {} to {} would support it",
        figures::percent(&growth.observed).trim_start_matches('+'),
        figures::outcome(growth.outcome),
        figures::percent(&growth.lowest).trim_start_matches('+'),
        figures::percent(&growth.highest).trim_start_matches('+'),
    ))
}

/// A figure of a longer time, which holds the stated one, or of a shorter time, which it holds.
fn bound_text(bound: &BoundCheck, stated: &str, implied: &str, figure: &str) -> String {
    let (of, amount) = if bound.of_base {
        ("base", implied)
    } else {
        ("value", stated)
    };
    let time = if bound.contains { "longer" } else { "shorter" };
    let outcome = if bound.contradicts {
        "contradicts"
    } else {
        "no contradiction"
    };
    format!(
        "{of} {} against {figure} of the {time} {}: {outcome}",
        figures::short(amount),
        words::period(&bound.period)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> Statement {
        Statement {
            country: "CHN".into(),
            partners: vec!["KAZ".into()],
            measure: wire::StatedMeasure::Turnover.into(),
            period: "2024-01..2024-05".into(),
            value: Some(proto::r#type::v1::Money {
                currency_code: "USD".into(),
                amount: "17620000000".into(),
            }),
            value_precision: "10000000".into(),
            growth: "0.18".into(),
            growth_precision: "0.01".into(),
            ..Default::default()
        }
    }

    fn term(value: &str, sign: i32) -> Term {
        Term {
            value: value.into(),
            sign,
            source: 1,
            ..Default::default()
        }
    }

    fn check(verdict: Verdict, sides: Vec<SideCheck>) -> StatementCheck {
        StatementCheck {
            statement: Some(statement()),
            verdict: verdict.into(),
            tolerance: "0.005".into(),
            lowest_value: "17526925000".into(),
            highest_value: "17713125000".into(),
            implied_base: "14932203389.830508".into(),
            implied_base_period: "2023-01..2023-05".into(),
            sides,
            sources: vec![proto::r#type::v1::Source {
                title: "Table".into(),
                publisher: "GACC".into(),
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    fn shown(check: &StatementCheck) -> String {
        let mut out = Vec::new();
        report(check, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_cannot_be_checked_says_what_is_missing() {
        let side = SideCheck {
            reporter: "CHN".into(),
            dataset: "gacc".into(),
            outcome: SideOutcome::CannotBeChecked.into(),
            currency_code: "CNY".into(),
            ..Default::default()
        };
        let text = shown(&check(Verdict::CannotBeChecked, vec![side]));
        let line = "  missing figures in the statement's currency: these are in CNY\n";
        assert!(text.contains(line), "{text}");
        let nowhere = StatementCheck {
            missing: vec![wire::MissingFigure {
                reporter: "FRA".into(),
                partner: "KAZ".into(),
                flow: wire::Flow::TotalTrade.into(),
                code: "TOTAL".into(),
                period: "2022".into(),
                reason: wire::EmptyReason::PartnerNotCovered.into(),
                ..Default::default()
            }],
            ..check(Verdict::CannotBeChecked, Vec::new())
        };
        let text = shown(&nowhere);
        let line = "Missing: FRA with KAZ, T, TOTAL, 2022: no figures with this partner\n";
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn the_arithmetic_is_written_as_a_person_writes_it() {
        let bound = BoundCheck {
            contains: true,
            figure: Some(term("43820000000", 1)),
            period: "2024".into(),
            ..Default::default()
        };
        let side = SideCheck {
            dataset: "datasets/china-customs".into(),
            reporter: "CHN".into(),
            outcome: SideOutcome::CannotBeChecked.into(),
            bounds: vec![bound],
            ..Default::default()
        };
        let text = shown(&check(Verdict::CannotBeChecked, vec![side]));
        assert!(text.starts_with("Cannot be checked: "), "{text}");
        for part in [
            "turnover of China with Kazakhstan, January to May 2024: 17.62 bn USD (17,620,000,000), growth",
            "Values from 17.527 bn to 17.713 bn support it",
            "17.62 bn / (1 + 0.18) = 14.93 bn for January to May 2023.",
            "value 17.62 bn against 43.82 bn [1] of the longer 2024: no contradiction",
            "[1] GACC: Table",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_statement_that_only_one_series_could_support_says_so() {
        let bound = |of_base, period: &str, value: &str, contradicts| BoundCheck {
            of_base,
            contains: true,
            figure: Some(term(value, 1)),
            period: period.into(),
            contradicts,
        };
        let missing = |reporter: &str, partner: &str, dataset: &str| wire::MissingFigure {
            dataset: format!("datasets/{dataset}"),
            reporter: reporter.into(),
            partner: partner.into(),
            flow: wire::Flow::TotalTrade.into(),
            code: "TOTAL".into(),
            period: "2024-01..2024-05".into(),
            reason: wire::EmptyReason::PeriodNotCovered.into(),
        };
        let china = SideCheck {
            dataset: "datasets/china-customs".into(),
            reporter: "CHN".into(),
            outcome: SideOutcome::CannotBeChecked.into(),
            bounds: vec![
                bound(false, "2024", "43820000000", false),
                bound(true, "2023-01..2023-10", "32700000000", false),
            ],
            missing: vec![missing("CHN", "KAZ", "china-customs")],
            ..Default::default()
        };
        let kazakhstan = SideCheck {
            dataset: "datasets/kazakhstan-statistics".into(),
            reporter: "KAZ".into(),
            outcome: SideOutcome::Contradicts.into(),
            bounds: vec![bound(true, "2023-01..2023-06", "13600000000", true)],
            missing: vec![missing("KAZ", "CHN", "kazakhstan-statistics")],
            ..Default::default()
        };
        let text = shown(&check(Verdict::CannotBeChecked, vec![china, kazakhstan]));
        let verdict = "Cannot be checked: no side that could support it has the figures; those of \
                       Kazakhstan contradict it.";
        assert!(text.starts_with(verdict), "{text}");
        for part in [
            "missing CHN with KAZ, T, TOTAL, 2024-01..2024-05, china-customs: not for this period",
            "base 14.93 bn against 32.7 bn [1] of the longer January to October 2023: no contradiction",
            "base 14.93 bn against 13.6 bn [1] of the longer January to June 2023: contradicts",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_verdict_that_rests_on_the_statements_own_source_says_so() {
        let own = |outcome: SideOutcome| {
            let mut figure = term("17620000000", 1);
            figure.own_source = true;
            figure.flags = vec![wire::ObservationFlag::Rounded.into()];
            SideCheck {
                reporter: "CHN".into(),
                outcome: outcome.into(),
                value: Some(ValueCheck {
                    outcome: outcome.into(),
                    observed: "17620000000".into(),
                    terms: vec![figure],
                    ..Default::default()
                }),
                ..Default::default()
            }
        };
        let open = own(SideOutcome::CannotBeChecked);
        let text = shown(&check(Verdict::CannotBeChecked, vec![open]));
        let verdict =
            "Cannot be checked: what would support it is known from the statement's own source.";
        assert!(text.starts_with(verdict), "{text}");
        let remark = "cannot be checked (a rounded figure of the statement's own source)";
        assert!(text.contains(remark), "{text}");
        let against = own(SideOutcome::Contradicts);
        let text = shown(&check(Verdict::Contradicted, vec![against]));
        assert!(
            text.starts_with("Contradicted by its own source: "),
            "{text}"
        );
    }

    #[test]
    fn a_side_shows_the_sum_that_it_was_held_against() {
        let value = ValueCheck {
            outcome: SideOutcome::Contradicts.into(),
            observed: "10800000000".into(),
            difference: "6820000000".into(),
            ratio: "0.631481".into(),
            terms: vec![term("5000000000", 1), term("5800000000", 1)],
        };
        let side = |reporter: &str, outcome: SideOutcome, value| SideCheck {
            dataset: "datasets/kazakhstan".into(),
            reporter: reporter.into(),
            outcome: outcome.into(),
            value,
            ..Default::default()
        };
        let text = shown(&check(
            Verdict::FitsOneSide,
            vec![
                side("CHN", SideOutcome::Fits, None),
                side("KAZ", SideOutcome::Contradicts, Some(value)),
            ],
        ));
        assert!(
            text.starts_with(
                "Fits one side only: it agrees with the figures of China, and not with those of Kazakhstan."
            ),
            "{text}"
        );
        let sum = "17.62 bn against 5 bn [1] + 5.8 bn [1] = 10.8 bn: off by 6.82 bn (+63.1 %), contradicts";
        assert!(text.contains(sum), "{text}");
    }
}
