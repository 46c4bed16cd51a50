//! Figures of exchange: list, show, record, delete, versions.

use std::io::Write;

use anyhow::ensure;
use proto::culture::v1 as wire;
use proto::r#type::v1::ChangeKind;
use wire::measure::Subject;
use wire::{Measure, MeasureFlag, MeasureKind};

use crate::args::answer::{AnswerArgs, Output};
use crate::args::measures::{ListMeasuresArgs, RecordMeasuresArgs, ShowMeasureArgs};
use crate::args::records::{DeleteRecordArgs, VersionsRecordArgs};
use crate::client::{self, request};
use crate::reasons::Reasons;
use crate::record::{More, Programmes, from_file, full_name};
use crate::sources::{self, Footnotes};
use crate::trade::window;
use crate::{figures, names, output, words};

/// The most figures of a page.
const PAGE: i32 = 1_000;
/// The most figures of one call.
const BATCH: usize = 2_000;

/// Lists figures.
pub(super) async fn list(args: &ListMeasuresArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::culture(&server.server).await?;
    let limit = args.limit.limit as usize;
    let all = output::pages(limit, async |page_token, left: i32| {
        let asked = wire::ListMeasuresRequest {
            filter: Some(filter(args)),
            page_size: left.min(PAGE),
            page_token,
            as_of: args.as_of.to_wire(),
        };
        let page = client.list_measures(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.measures, page.next_page_token))
    });
    let all = all.await?;
    let answer = wire::ListMeasuresResponse {
        measures: all.entries,
        next_page_token: all.next,
    };
    match output {
        Output::Table => {
            let more = More::of(&answer.next_page_token);
            table(&answer.measures, more, out)
        }
        Output::Json => output::json(out, "entente.culture.v1.ListMeasuresResponse", &answer),
        Output::Csv => csv(&answer.measures, out),
    }
}

fn filter(args: &ListMeasuresArgs) -> wire::MeasureFilter {
    let (country, partner) = args.countries.to_wire();
    let programme = args.programme.as_deref();
    wire::MeasureFilter {
        programme: programme.map(full_name::<Programmes>).unwrap_or_default(),
        country,
        partner,
        kinds: names::numbers(&args.kind),
        item: args.item.clone(),
        window: window(&args.window),
    }
}

fn table(measures: &[Measure], more: More, out: &mut dyn Write) -> anyhow::Result<()> {
    let titles = [
        "of", "kind", "item", "period", "value", "unit", "notes", "source",
    ];
    let mut table = output::table(&titles, &[4]);
    let mut notes = Footnotes::default();
    let mut remarks = Reasons::default();
    for measure in measures {
        let source = measure.source.clone().unwrap_or_default();
        table.add_row([
            subject(measure),
            names::shown::<MeasureKind>(measure.kind),
            measure.item.clone(),
            measure.period.clone(),
            figures::grouped(&measure.value),
            measure.unit.clone(),
            names::all_shown::<MeasureFlag>(&measure.flags),
            match measure.note.as_str() {
                "" => format!("[{}]", notes.number(&source)),
                note => format!("[{}] {}", notes.number(&source), remarks.mark(note)),
            },
        ]);
    }
    output::hide_empty(&mut table);
    let count = measures.len();
    writeln!(out, "{table}\n{count} measures{}", more.remark())?;
    remarks.write(out)?;
    notes.write(out)
}

/// What a figure is of: `KAZ to CHN`, or the programme's name.
fn subject(measure: &Measure) -> String {
    match &measure.subject {
        Some(Subject::Programme(name)) => name.clone(),
        Some(Subject::Direction(direction)) => format!("{} to {}", direction.from, direction.to),
        None => String::new(),
    }
}

/// A figure in a line: `KAZ to CHN, students 2017: 14,224 persons`.
pub(crate) fn title(measure: &Measure) -> String {
    let kind = names::shown::<MeasureKind>(measure.kind);
    let item = match measure.item.as_str() {
        "" => String::new(),
        item => format!(" {item}"),
    };
    let value = match measure.value.as_str() {
        "" => names::all_shown::<MeasureFlag>(&measure.flags),
        value => format!("{} {}", figures::grouped(value), measure.unit),
    };
    let (of, period) = (subject(measure), &measure.period);
    format!("{of}, {kind}{item} {period}: {value}")
}

const CSV: [&str; 16] = [
    "measure",
    "programme",
    "from",
    "to",
    "kind",
    "item",
    "unit",
    "period",
    "value",
    "flags",
    "note",
    "source_title",
    "source_publisher",
    "source_uri",
    "recorded",
    "vintage",
];

fn cells(measure: &Measure) -> Vec<String> {
    let (programme, from, to) = match &measure.subject {
        Some(Subject::Programme(name)) => (name.clone(), String::new(), String::new()),
        Some(Subject::Direction(way)) => (String::new(), way.from.clone(), way.to.clone()),
        None => Default::default(),
    };
    let source = measure.source.clone().unwrap_or_default();
    vec![
        measure.name.clone(),
        programme,
        from,
        to,
        names::shown::<MeasureKind>(measure.kind),
        measure.item.clone(),
        measure.unit.clone(),
        measure.period.clone(),
        measure.value.clone(),
        names::all_shown::<MeasureFlag>(&measure.flags),
        output::safe(&measure.note),
        output::safe(&source.title),
        output::safe(&source.publisher),
        output::safe(&source.uri),
        words::instant(measure.create_time.as_ref()),
        words::instant(measure.update_time.as_ref()),
    ]
}

fn csv(measures: &[Measure], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut writer = output::csv(out, &CSV)?;
    for measure in measures {
        writer.write_record(cells(measure))?;
    }
    Ok(writer.flush()?)
}

/// A figure's name by its id.
fn name(id: &str) -> String {
    if id.contains('/') {
        return id.to_owned();
    }
    format!("measures/{id}")
}

/// Shows one figure.
pub(super) async fn show(args: &ShowMeasureArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let asked = wire::GetMeasureRequest {
        name: name(&args.id),
        as_of: args.as_of.to_wire(),
    };
    let mut client = client::culture(&server.server).await?;
    let measure = client.get_measure(request(asked, server)).await?;
    let measure = measure.into_inner();
    match output {
        Output::Table => lines(&measure, out),
        Output::Json => output::json(out, "entente.culture.v1.Measure", &measure),
        Output::Csv => csv(&[measure], out),
    }
}

fn lines(measure: &Measure, out: &mut dyn Write) -> anyhow::Result<()> {
    let value = match measure.value.as_str() {
        "" => "not available".to_owned(),
        value => format!("{} {}", figures::grouped(value), measure.unit),
    };
    let source = measure.source.clone().unwrap_or_default();
    let rows = [
        ("name", measure.name.clone()),
        ("of", subject(measure)),
        ("kind", names::shown::<MeasureKind>(measure.kind)),
        ("item", measure.item.clone()),
        ("period", words::period(&measure.period)),
        ("value", value),
        ("notes", names::all_shown::<MeasureFlag>(&measure.flags)),
        ("remark", measure.note.clone()),
        ("recorded", words::second(measure.create_time.as_ref())),
        ("vintage", words::second(measure.update_time.as_ref())),
        ("etag", measure.etag.clone()),
        ("source", sources::line(&source)),
    ];
    output::lines(out, &rows.map(|(title, text)| (title.to_owned(), text)))
}

/// Records the figures of a file.
pub(super) async fn record(args: &RecordMeasuresArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let measures = from_file::<Measure>(&args.file, "entente.culture.v1.Measure")?;
    ensure!(
        measures.len() <= BATCH,
        "{} figures in one file, where {BATCH} can be recorded at once; cut it",
        measures.len()
    );
    let asked = wire::RecordMeasuresRequest {
        measures,
        request_id: String::new(),
    };
    let mut client = client::culture(&server.server).await?;
    let answer = client.record_measures(request(asked, server)).await?;
    let answer = answer.into_inner();
    match output {
        Output::Table => {
            for measure in &answer.measures {
                writeln!(out, "{}", measure.name)?;
            }
            let wire::RecordMeasuresResponse {
                new,
                revised,
                unchanged,
                ..
            } = answer;
            Ok(writeln!(
                out,
                "new {new}, revised {revised}, unchanged {unchanged}"
            )?)
        }
        Output::Json => output::json(out, "entente.culture.v1.RecordMeasuresResponse", &answer),
        Output::Csv => csv(&answer.measures, out),
    }
}

/// Deletes one figure.
pub(super) async fn delete(args: &DeleteRecordArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let name = name(&args.id);
    let asked = wire::DeleteMeasureRequest {
        name: name.clone(),
        etag: args.etag.clone().unwrap_or_default(),
        request_id: String::new(),
    };
    let mut client = client::culture(&args.server.server).await?;
    client.delete_measure(request(asked, &args.server)).await?;
    Ok(writeln!(out, "Deleted {name}.")?)
}

/// Shows the vintages of one figure, the latest first.
pub(super) async fn versions(args: &VersionsRecordArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let AnswerArgs { output, server } = &args.answer;
    let mut client = client::culture(&server.server).await?;
    let name = name(&args.id);
    let all = output::pages(usize::MAX, async |page_token, _| {
        let asked = wire::ListMeasureVersionsRequest {
            name: name.clone(),
            page_size: 0,
            page_token,
        };
        let page = client.list_measure_versions(request(asked, server)).await?;
        let page = page.into_inner();
        Ok((page.versions, page.next_page_token))
    });
    let versions = all.await?.entries;
    match output {
        Output::Table => versions_table(&name, &versions, out),
        Output::Json => output::json_list(out, "entente.culture.v1.MeasureVersion", &versions),
        Output::Csv => versions_csv(&versions, out),
    }
}

fn versions_table(
    name: &str,
    versions: &[wire::MeasureVersion],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let titles = [
        "recorded (UTC)",
        "change",
        "value",
        "unit",
        "notes",
        "source",
    ];
    let mut table = output::table(&titles, &[2]);
    let mut notes = Footnotes::default();
    for version in versions {
        let measure = version.measure.clone().unwrap_or_default();
        table.add_row([
            words::second(version.record_time.as_ref()),
            names::shown::<ChangeKind>(version.change),
            figures::grouped(&measure.value),
            measure.unit,
            names::all_shown::<MeasureFlag>(&measure.flags),
            notes.all_marks(measure.source.as_slice()),
        ]);
    }
    writeln!(out, "{name}\n{table}")?;
    notes.write(out)
}

fn versions_csv(versions: &[wire::MeasureVersion], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut titles = vec!["record_time", "change", "changed_fields"];
    titles.extend(CSV);
    let mut writer = output::csv(out, &titles)?;
    for version in versions {
        let mut row = vec![
            words::instant(version.record_time.as_ref()),
            names::shown::<ChangeKind>(version.change),
            version.changed_fields.join(" "),
        ];
        row.extend(cells(&version.measure.clone().unwrap_or_default()));
        writer.write_record(row)?;
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_is_not_available_says_so_and_shows_no_zero() {
        let measure = Measure {
            kind: MeasureKind::Students.into(),
            flags: vec![MeasureFlag::NotAvailable.into()],
            subject: Some(Subject::Direction(wire::Direction {
                from: "KAZ".into(),
                to: "CHN".into(),
            })),
            ..Default::default()
        };
        let mut out = Vec::new();
        lines(&measure, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("value       not available"), "{text}");
        assert!(text.contains("KAZ to CHN"), "{text}");
        assert_eq!(cells(&measure).len(), CSV.len());
        assert_eq!(cells(&measure)[8], "");
    }
}
