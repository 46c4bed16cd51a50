//! Both sides' figures of the same trade next to each other.

use std::io::Write;

use proto::dataset_name;
use proto::trade::v1 as wire;
use wire::{Asymmetry, Mirror, MirrorDirection, MirrorFigure, MirrorGap, MirrorLine};

use crate::args::answer::{AnswerArgs, Output};
use crate::args::mirror::MirrorArgs;
use crate::chart::text::{clipped, plain};
use crate::client::{self, request};
use crate::reasons::Reasons;
use crate::sources::Footnotes;
use crate::{figures, output, words};

/// Columns of a commodity's name.
const NAME: usize = 24;

/// Shows the comparison.
pub(super) async fn run(args: &MirrorArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let asked = asked(args)?;
    let mut client = client::trade(&server.server).await?;
    let mirror = client.get_mirror(request(asked, server)).await?;
    let mirror = mirror.into_inner();
    match output {
        Output::Table => table(&mirror, out),
        Output::Json => output::json(out, "entente.trade.v1.Mirror", &mirror),
        Output::Csv => csv(&mirror, out),
    }
}

fn asked(args: &MirrorArgs) -> anyhow::Result<wire::GetMirrorRequest> {
    let [first, second] = match args.datasets.as_slice() {
        [both] => [both, both],
        [first, second] => [first, second],
        _ => anyhow::bail!("--datasets takes one dataset, or the first side's and the second's"),
    };
    let side = |dataset, reporter: proto::Country| wire::MirrorSide {
        dataset: dataset_name(dataset),
        reporter: reporter.to_string(),
    };
    Ok(wire::GetMirrorRequest {
        first: Some(side(first, args.first)),
        second: Some(side(second, args.second)),
        period: args.period.to_string(),
        basis: args.basis.to_wire().into(),
        code: args.code.to_string(),
        level: args.level.unwrap_or_default(),
        top: args.top,
        cif_fob_ratio: proto::format_decimal(args.cif_fob.value),
        as_of: args.as_of.to_wire(),
    })
}

/// Both directions and the turnover, in words and figures.
pub(crate) fn table(mirror: &Mirror, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut footnotes = Footnotes::default();
    let directions = [&mirror.first_to_second, &mirror.second_to_first];
    for direction in directions.into_iter().flatten() {
        show_direction(mirror, direction, &mut footnotes, out)?;
    }
    if let Some(line) = &mirror.turnover {
        let countries =
            [&mirror.first, &mirror.second].map(|side| side.clone().unwrap_or_default().reporter);
        let [first, second] = &countries;
        writeln!(
            out,
            "Turnover of {} and {}, {}",
            words::country(first),
            words::country(second),
            words::period(&mirror.period)
        )?;
        show_line(mirror, line, [first, second], &mut footnotes, out)?;
    }
    footnotes.write(out)
}

fn show_direction(
    mirror: &Mirror,
    direction: &MirrorDirection,
    footnotes: &mut Footnotes,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let MirrorDirection {
        exporter,
        importer,
        total,
        lines,
        omitted_lines,
    } = direction;
    writeln!(
        out,
        "From {} to {}, {}",
        words::country(exporter),
        words::country(importer),
        words::period(&mirror.period)
    )?;
    if let Some(total) = total {
        show_line(mirror, total, [exporter, importer], footnotes, out)?;
    }
    if !lines.is_empty() {
        lines_table(direction, out)?;
    }
    if *omitted_lines > 0 {
        writeln!(
            out,
            "and {omitted_lines} more codes; raise --top to see them\n"
        )?;
    }
    Ok(())
}

/// The two figures with all that they are, and what lies between them.
fn show_line(
    mirror: &Mirror,
    line: &MirrorLine,
    sides: [&str; 2],
    footnotes: &mut Footnotes,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let [exporter, importer] = sides.map(words::country);
    let mut table = output::table(&["", &exporter, &importer], &[]);
    let pair = [&line.exporter_figure, &line.importer_figure];
    let [first, second] = pair.map(|figure| {
        let marks = figure.as_ref().map(|figure| &figure.sources);
        let marks = marks.map(|indices| footnotes.marks(&mirror.sources, indices));
        figure_cells(figure.as_ref(), &line.code, marks.unwrap_or_default())
    });
    let rows = FIGURE_ROWS.into_iter().zip(first).zip(second);
    for ((name, first), second) in rows {
        if !(first.is_empty() && second.is_empty()) {
            table.add_row([name.to_owned(), first, second]);
        }
    }
    writeln!(out, "{table}")?;
    for sentence in sentences(mirror, line, sides) {
        writeln!(out, "{sentence}")?;
    }
    Ok(writeln!(out)?)
}

/// What is said of a figure, in the order of [`figure_cells`].
const FIGURE_ROWS: [&str; 8] = [
    "figure",
    "value",
    "valuation",
    "class.",
    "dataset",
    "notes",
    "vintage",
    "source",
];

fn figure_cells(figure: Option<&MirrorFigure>, code: &str, marks: String) -> [String; 8] {
    let Some(figure) = figure else {
        let mut cells: [String; 8] = Default::default();
        "none".clone_into(&mut cells[1]);
        return cells;
    };
    let kind = match words::flow(figure.flow).as_str() {
        "" => format!("X + M {code}"),
        flow => format!("{flow} {code}"),
    };
    let value = figures::grouped(&figure.value);
    [
        kind,
        format!("{value} {}", figure.currency_code),
        figures::valuation(figure.valuation)
            .trim_start_matches("valuation ")
            .to_owned(),
        figure.classification.clone(),
        words::id(&figure.dataset).to_owned(),
        figures::flags(&figure.flags),
        words::second(figure.vintage.as_ref()),
        marks,
    ]
}

/// The gap, the gap at FOB, and why a number is missing.
fn sentences(mirror: &Mirror, line: &MirrorLine, sides: [&str; 2]) -> Vec<String> {
    let mut sentences = Vec::new();
    if !line.gap.is_empty() {
        let currency = line.exporter_figure.as_ref();
        let currency = currency.map_or("", |figure| figure.currency_code.as_str());
        sentences.push(format!(
            "Gap {} {currency}:\n  {}",
            figures::short(&line.gap),
            asymmetry(line.asymmetry.as_ref(), sides)
        ));
    }
    if !line.importer_at_fob.is_empty() {
        sentences.push(format!(
            "At FOB: {} / (1 + {}) = {}, gap {}:\n  {}",
            value(line.importer_figure.as_ref()),
            mirror.cif_fob_ratio,
            figures::short(&line.importer_at_fob),
            figures::short(&line.gap_at_fob),
            asymmetry(line.asymmetry_at_fob.as_ref(), sides)
        ));
    }
    let reasons = line.gaps.iter().map(|gap| reason(*gap, sides));
    sentences.extend(reasons.map(|reason| format!("Note: {reason}.")));
    let missing = line.missing.iter().map(words::missing);
    sentences.extend(missing.map(|figure| format!("Missing: {figure}.")));
    sentences
}

fn value(figure: Option<&MirrorFigure>) -> String {
    figure.map_or(String::new(), |figure| figures::short(&figure.value))
}

/// The gap as a ratio, each with what it is of.
fn asymmetry(asymmetry: Option<&Asymmetry>, [exporter, importer]: [&str; 2]) -> String {
    let Some(asymmetry) = asymmetry else {
        return "no ratio".into();
    };
    let of = |ratio: &str, what: &str| match ratio {
        "" => format!("no ratio to {what}"),
        ratio => format!("{} of {what}", figures::share(ratio)),
    };
    [
        of(&asymmetry.of_mean, "the mean"),
        of(&asymmetry.of_exporter, &of_country(exporter)),
        of(&asymmetry.of_importer, &of_country(importer)),
    ]
    .join(", ")
}

fn of_country(code: &str) -> String {
    format!("{}'s figure", words::country(code))
}

fn reason(gap: i32, [exporter, importer]: [&str; 2]) -> String {
    match MirrorGap::try_from(gap).unwrap_or_default() {
        MirrorGap::ExporterMissing => format!("{} has no figure", words::country(exporter)),
        MirrorGap::ImporterMissing => format!("{} has no figure", words::country(importer)),
        MirrorGap::Unspecified
        | MirrorGap::CurrencyDiffers
        | MirrorGap::ClassificationDiffers
        | MirrorGap::LowerBound
        | MirrorGap::ValuationNotStated
        | MirrorGap::BothZero => words::mirror_gap(gap).into(),
    }
}

fn lines_table(direction: &MirrorDirection, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "code",
        "",
        &direction.exporter,
        &direction.importer,
        "gap",
        "of mean",
        "of exp.",
        "of imp.",
        "why",
    ];
    let mut table = output::table(&titles, &[2, 3, 4, 5, 6, 7]);
    let mut reasons = Reasons::default();
    for line in &direction.lines {
        let ratios = line.asymmetry.clone().unwrap_or_default();
        let share = |ratio: &str| match ratio {
            "" => String::new(),
            ratio => figures::share(ratio),
        };
        let millions = |figure: &Option<MirrorFigure>| {
            figure
                .as_ref()
                .map_or(String::new(), |figure| figures::millions(&figure.value))
        };
        let why = line.gaps.iter();
        let why =
            why.map(|gap| reasons.mark(&reason(*gap, [&direction.exporter, &direction.importer])));
        let why = why.collect::<Vec<_>>().join(" ");
        table.add_row([
            line.code.clone(),
            clipped(&plain(&line.display_name), NAME),
            millions(&line.exporter_figure),
            millions(&line.importer_figure),
            figures::millions(&line.gap),
            share(&ratios.of_mean),
            share(&ratios.of_exporter),
            share(&ratios.of_importer),
            why,
        ]);
    }
    writeln!(out, "By code, the largest gap first, in millions")?;
    writeln!(out, "{table}")?;
    reasons.write(out)?;
    Ok(writeln!(out)?)
}

fn csv(mirror: &Mirror, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "exporter",
        "importer",
        "period",
        "code",
        "name",
        "exporter_dataset",
        "exporter_value",
        "exporter_valuation",
        "importer_dataset",
        "importer_value",
        "importer_valuation",
        "currency",
        "gap",
        "of_mean",
        "of_exporter",
        "of_importer",
        "cif_fob_ratio",
        "importer_at_fob",
        "gap_at_fob",
        "gaps",
    ];
    let mut writer = output::csv(out, &titles)?;
    let directions = [&mirror.first_to_second, &mirror.second_to_first];
    for direction in directions.into_iter().flatten() {
        for line in direction.total.iter().chain(&direction.lines) {
            let ends = [&direction.exporter, &direction.importer];
            writer.write_record(line_cells(mirror, ends, line))?;
        }
    }
    Ok(writer.flush()?)
}

fn line_cells(
    mirror: &Mirror,
    [exporter, importer]: [&String; 2],
    line: &MirrorLine,
) -> [String; 20] {
    let sides = [&line.exporter_figure, &line.importer_figure];
    let [first, second] = sides.map(|figure| figure.clone().unwrap_or_default());
    let ratios = line.asymmetry.clone().unwrap_or_default();
    let gap = |gap: &i32| MirrorGap::try_from(*gap).unwrap_or_default().as_str_name();
    let currency = if first.currency_code.is_empty() {
        second.currency_code
    } else {
        first.currency_code
    };
    [
        exporter.clone(),
        importer.clone(),
        mirror.period.clone(),
        line.code.clone(),
        output::safe(&line.display_name),
        first.dataset,
        first.value,
        figures::valuation(first.valuation).into(),
        second.dataset,
        second.value,
        figures::valuation(second.valuation).into(),
        currency,
        line.gap.clone(),
        ratios.of_mean,
        ratios.of_exporter,
        ratios.of_importer,
        mirror.cif_fob_ratio.clone(),
        line.importer_at_fob.clone(),
        line.gap_at_fob.clone(),
        line.gaps.iter().map(gap).collect::<Vec<_>>().join(" "),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(
        reporter: &str,
        flow: wire::Flow,
        value: &str,
        valuation: wire::Valuation,
    ) -> MirrorFigure {
        MirrorFigure {
            dataset: "datasets/comtrade".into(),
            reporter: reporter.into(),
            flow: flow.into(),
            value: value.into(),
            currency_code: "USD".into(),
            valuation: valuation.into(),
            figures: 1,
            ..Default::default()
        }
    }

    fn mirror() -> Mirror {
        let ratios = |mean: &str, exporter: &str, importer: &str| Asymmetry {
            of_mean: mean.into(),
            of_exporter: exporter.into(),
            of_importer: importer.into(),
        };
        let total = MirrorLine {
            code: "TOTAL".into(),
            exporter_figure: Some(figure(
                "CHN",
                wire::Flow::Export,
                "14000000000",
                wire::Valuation::Fob,
            )),
            importer_figure: Some(figure(
                "KAZ",
                wire::Flow::Import,
                "8200000000",
                wire::Valuation::Cif,
            )),
            gap: "5800000000".into(),
            asymmetry: Some(ratios("0.522523", "0.414286", "0.707317")),
            importer_at_fob: "7735849056.603774".into(),
            gap_at_fob: "6264150943.396226".into(),
            asymmetry_at_fob: Some(ratios("0.576389", "0.447439", "0.809756")),
            ..Default::default()
        };
        let back = MirrorLine {
            code: "TOTAL".into(),
            importer_figure: Some(figure(
                "CHN",
                wire::Flow::Import,
                "10200000000",
                wire::Valuation::Cif,
            )),
            gaps: vec![MirrorGap::ExporterMissing.into()],
            missing: vec![wire::MissingFigure {
                dataset: "datasets/comtrade".into(),
                reporter: "KAZ".into(),
                partner: "CHN".into(),
                flow: wire::Flow::Export.into(),
                code: "TOTAL".into(),
                period: "2021".into(),
                reason: wire::EmptyReason::ReporterNotCovered.into(),
            }],
            ..Default::default()
        };
        let direction = |exporter: &str, importer: &str, total| MirrorDirection {
            exporter: exporter.into(),
            importer: importer.into(),
            total: Some(total),
            ..Default::default()
        };
        Mirror {
            period: "2021".into(),
            first_to_second: Some(direction("CHN", "KAZ", total)),
            second_to_first: Some(direction("KAZ", "CHN", back)),
            cif_fob_ratio: "0.06".into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_gap_names_what_it_is_of_and_what_it_is_at_fob() {
        let mut out = Vec::new();
        table(&mirror(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for part in [
            "From China to Kazakhstan, 2021",
            "Gap 5.8 bn USD:\n  52.3 % of the mean, 41.4 % of China's figure, 70.7 % of Kazakhstan's figure",
            "At FOB: 8.2 bn / (1 + 0.06) = 7.74 bn, gap 6.26 bn:\n  57.6 % of the mean",
            "Kazakhstan has no figure",
            "Missing: KAZ with CHN, X, TOTAL, 2021, comtrade: no figures of this reporter",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_mirror_as_rows_has_a_row_a_line() {
        let mut out = Vec::new();
        csv(&mirror(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains(",0.06,7735849056.603774,"), "{text}");
        assert!(text.contains("MIRROR_GAP_EXPORTER_MISSING"), "{text}");
    }
}
