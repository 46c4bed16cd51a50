//! What the sinks write of the groups of a stream.

use std::fs::File;
use std::sync::{Arc, Mutex};

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::RowAccessor;
use proto::to_timestamp;
use proto::r#type::v1::{CivilDate, LocalizedText, Source};
use wire::ObservationFlag as Flag;

use super::*;
use crate::output;
use crate::rows::{Record, Row};
use crate::sdmx::{Reader, Terms};

/// A buffer that a sink writes to, and its test reads.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn source(title: &str) -> Source {
    Source {
        title: title.into(),
        publisher: "Customs".into(),
        ..Default::default()
    }
}

fn dataset() -> wire::Dataset {
    wire::Dataset {
        name: "datasets/china".into(),
        display_name: Some(LocalizedText {
            texts: [("en".to_owned(), "China's customs".to_owned())].into(),
        }),
        currency_code: "USD".into(),
        import_valuation: wire::Valuation::Cif.into(),
        export_valuation: wire::Valuation::Fob.into(),
        source: Some(Source {
            licence: "CC-BY-4.0".into(),
            may_be_shown_outside: true,
            ..source("Yearbook")
        }),
        ..Default::default()
    }
}

fn group(
    partner: &str,
    flow: wire::Flow,
    period: &str,
    rows: Vec<wire::ObservationRow>,
) -> wire::ObservationGroup {
    wire::ObservationGroup {
        reporter: "CHN".into(),
        partner: partner.into(),
        flow: flow.into(),
        classification: "H6".into(),
        period: period.into(),
        rows,
    }
}

fn row(code: &str, value: &str) -> wire::ObservationRow {
    wire::ObservationRow {
        code: code.into(),
        value: value.into(),
        vintage: Some(to_timestamp(1_720_000_000_123_456)),
        ..Default::default()
    }
}

/// Two messages: a plain figure; one with all that a figure can have, and a cumulated one.
fn messages() -> Vec<wire::ExportObservationsResponse> {
    let as_of = Some(to_timestamp(1_720_000_001_000_000));
    let full = wire::ObservationRow {
        net_weight: "18000.5".into(),
        quantity: "12".into(),
        quantity_unit: 5,
        flags: vec![Flag::Provisional.into(), Flag::QuantityEstimated.into()],
        source: 1,
        ..row("060311", "123456789012345678")
    };
    let quoted = wire::ObservationRow {
        flags: vec![Flag::Implied.into(), Flag::Rounded.into()],
        source: 2,
        ..row("TOTAL", "0.000001")
    };
    let speech = Source {
        uri: "https://www.inform.kz/a?id=1".into(),
        published_on: Some(CivilDate {
            year: 2024,
            month: 7,
            day: 0,
        }),
        note: "'quoted', by \"Kazinform\"\nrounded".into(),
        ..source("=cmd|'/c calc'!A0")
    };
    vec![
        wire::ExportObservationsResponse {
            as_of,
            groups: vec![group(
                "KAZ",
                wire::Flow::Export,
                "2023",
                vec![row("TOTAL", "24700000000")],
            )],
            sources: Vec::new(),
        },
        wire::ExportObservationsResponse {
            as_of,
            groups: vec![
                group("KAZ", wire::Flow::Import, "2024-05", vec![full]),
                group(
                    "CT490",
                    wire::Flow::TotalTrade,
                    "2024-01..2024-05",
                    vec![quoted],
                ),
            ],
            sources: vec![source("Monthly bulletin"), speech],
        },
    ]
}

/// Writes messages through the sink of a format.
fn write(format: ExportFormat, messages: Vec<wire::ExportObservationsResponse>) -> Vec<u8> {
    let subject = Subject::new(dataset());
    let page = Page::default();
    let mut sink = sink(format, &subject, Box::new(page.clone())).unwrap();
    let mut figures = Figures::new(&subject);
    for message in messages {
        figures
            .take(message, &mut |figure| sink.row(figure))
            .unwrap();
    }
    sink.finish(Some(1_720_000_001_000_000)).unwrap();
    let page = page.0.lock().unwrap();
    page.clone()
}

fn text(format: ExportFormat) -> String {
    String::from_utf8(write(format, messages())).unwrap()
}

fn cells(csv: &str, title: &str) -> Vec<String> {
    let mut reader = ::csv::Reader::from_reader(csv.as_bytes());
    let place = reader
        .headers()
        .unwrap()
        .iter()
        .position(|one| one == title)
        .unwrap();
    reader
        .records()
        .map(|record| record.unwrap()[place].to_owned())
        .collect()
}

#[test]
fn csv_has_a_row_a_figure_and_no_formula() {
    let csv = text(ExportFormat::Csv);
    assert_eq!(
        cells(&csv, "value"),
        ["24700000000", "123456789012345678", "0.000001"]
    );
    assert_eq!(cells(&csv, "code"), ["TOTAL", "060311", "TOTAL"]);
    assert_eq!(
        cells(&csv, "valuation"),
        ["FOB", "CIF", "valuation not stated"]
    );
    assert_eq!(
        cells(&csv, "source_title"),
        ["Yearbook", "Monthly bulletin", "'=cmd|'/c calc'!A0"]
    );
    assert_eq!(
        cells(&csv, "may_be_shown_outside"),
        ["true", "false", "false"]
    );
    assert_eq!(cells(&csv, "flags")[1], "provisional, quantity estimated");
    assert_eq!(cells(&csv, "vintage")[0], "2024-07-03T09:46:40.123456Z");
}

#[test]
fn a_line_of_json_is_an_observation_of_the_schema() {
    let lines = text(ExportFormat::Jsonl);
    let read = |line: &str| {
        output::from_json::<wire::Observation>("entente.trade.v1.Observation", line).unwrap()
    };
    let observations: Vec<wire::Observation> = lines.lines().map(read).collect();
    let full = &observations[1];
    assert_eq!(
        full.name,
        "datasets/china/observations/CHN.KAZ.M.H6.060311.2024-05"
    );
    assert_eq!(full.value.as_ref().unwrap().amount, "123456789012345678");
    assert_eq!(
        (full.valuation(), full.quantity_unit),
        (wire::Valuation::Cif, 5)
    );
    assert_eq!(full.flags, [1, 3]);
    assert_eq!(full.vintage, Some(to_timestamp(1_720_000_000_123_456)));
    let cumulated = &observations[2];
    assert_eq!(cumulated.source, Some(messages()[1].sources[1].clone()));
    let keys = |line: &str| {
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).unwrap();
        object.keys().cloned().collect::<Vec<_>>()
    };
    let all: Vec<Vec<String>> = lines.lines().map(keys).collect();
    assert!(
        all.iter().all(|keys| *keys == all[0] && keys.len() == 14),
        "{all:?}"
    );
}

#[test]
fn sdmx_is_written_by_its_rules() {
    let sdmx = text(ExportFormat::Sdmx);
    assert!(
        sdmx.starts_with("STRUCTURE,STRUCTURE_ID,ACTION,DATASET,REPORTER,"),
        "{sdmx}"
    );
    assert_eq!(cells(&sdmx, "STRUCTURE_ID")[0], "ENTENTE:TRADE(1.0)");
    assert_eq!(cells(&sdmx, "FREQ"), ["A", "M", "_O"]);
    assert_eq!(
        cells(&sdmx, "TIME_PERIOD"),
        ["2023", "2024-05", "2024-01-01/P5M"]
    );
    assert_eq!(cells(&sdmx, "OBS_STATUS"), ["A", "P", "E"]);
    assert_eq!(
        cells(&sdmx, "FLAGS"),
        ["", "PROVISIONAL QUANTITY_ESTIMATED", "IMPLIED ROUNDED"]
    );
    assert_eq!(cells(&sdmx, "VALUATION"), ["FOB", "CIF", ""]);
    assert_eq!(cells(&sdmx, "SOURCE_TITLE")[2], "'=cmd|'/c calc'!A0");
    assert_eq!(
        cells(&sdmx, "SOURCE_NOTE")[2],
        "''quoted', by \"Kazinform\"\nrounded"
    );
}

#[test]
fn our_own_sdmx_is_read_again_to_the_same_figures() {
    let sdmx = write(ExportFormat::Sdmx, messages());
    let terms = Terms::new(dataset(), &[], &[]).unwrap();
    let reader = Reader::new(&sdmx[..], terms).unwrap();
    let rows: Vec<Row> = reader
        .map(|record| match record.unwrap() {
            Record::Row(row) => row,
            other @ (Record::LeftOut { .. } | Record::Rejected(_)) => panic!("{other:?}"),
        })
        .collect();
    let messages = messages();
    let sources: Vec<Source> = messages.iter().flat_map(|m| m.sources.clone()).collect();
    let given = messages.iter().flat_map(|message| &message.groups);
    let given = given.flat_map(|group| group.rows.iter().map(move |row| (group, row)));
    assert_eq!(rows.len(), 3);
    for (row, (group, given)) in rows.iter().zip(given) {
        assert_eq!(row.key.partner.to_string(), group.partner);
        assert_eq!(i32::from(row.key.flow.to_wire()), group.flow);
        assert_eq!(row.key.period.to_string(), group.period);
        assert_eq!(
            (row.code.as_str(), row.value.to_string()),
            (given.code.as_str(), given.value.clone())
        );
        assert_eq!(figure::decimal(row.net_weight), given.net_weight);
        assert_eq!(figure::decimal(row.quantity), given.quantity);
        assert_eq!(i32::from(row.quantity_unit), given.quantity_unit);
        assert_eq!(
            row.flags.iter().map(i32::from).collect::<Vec<_>>(),
            given.flags
        );
        let source = usize::try_from(given.source - 1)
            .ok()
            .map(|place| &sources[place]);
        assert_eq!(row.source.as_deref(), source);
    }
}

#[test]
fn parquet_is_read_back_with_equal_values_and_its_terms() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&write(ExportFormat::Parquet, messages()))
        .unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let metadata = reader
        .metadata()
        .file_metadata()
        .key_value_metadata()
        .unwrap();
    let of = |key: &str| {
        metadata
            .iter()
            .find(|pair| pair.key == key)
            .unwrap()
            .value
            .clone()
            .unwrap()
    };
    assert_eq!(of("entente.licence"), "CC-BY-4.0");
    assert_eq!(of("entente.may_be_shown_outside"), "true");
    assert_eq!(
        (of("entente.as_of"), of("entente.figures")),
        ("2024-07-03T09:46:41Z".into(), "3".into())
    );
    let rows = reader.get_row_iter(None).unwrap();
    let rows: Vec<::parquet::record::Row> = rows.map(Result::unwrap).collect();
    let cell = |row: usize, name: &str| {
        let mut cells = rows[row].get_column_iter();
        cells
            .find(|(title, _)| *title == name)
            .unwrap()
            .1
            .to_string()
    };
    assert_eq!(cell(0, "value"), "24700000000.000000");
    assert_eq!(cell(1, "value"), "123456789012345678.000000");
    assert_eq!(cell(2, "value"), "0.000001");
    assert_eq!(
        (cell(0, "quantity_unit"), cell(1, "quantity_unit")),
        ("null".into(), "5".into())
    );
    assert_eq!(cell(1, "net_weight_kg"), "18000.500000");
    let names: Vec<String> = rows[1]
        .get_column_iter()
        .map(|(name, _)| name.clone())
        .collect();
    let flags = names.iter().position(|name| name == "flags").unwrap();
    let listed = |row: usize| rows[row].get_list(flags).unwrap().elements().len();
    assert_eq!([listed(0), listed(1), listed(2)], [0, 2, 2]);
    assert_eq!(cell(2, "flags"), "[\"IMPLIED\", \"ROUNDED\"]");
}

#[test]
fn many_figures_are_written_in_row_groups_of_bounded_size() {
    let rows = (0..70_000).map(|number| row(&format!("{number:06}"), &number.to_string()));
    let message = wire::ExportObservationsResponse {
        groups: vec![group("KAZ", wire::Flow::Export, "2023", rows.collect())],
        ..Default::default()
    };
    let mut file: File = tempfile::tempfile().unwrap();
    file.write_all(&write(ExportFormat::Parquet, vec![message]))
        .unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let groups: Vec<i64> = reader
        .metadata()
        .row_groups()
        .iter()
        .map(::parquet::file::metadata::RowGroupMetaData::num_rows)
        .collect();
    assert_eq!(groups, [65_536, 4_464]);
}

#[test]
fn an_export_without_figures_is_a_whole_file() {
    assert_eq!(write(ExportFormat::Jsonl, Vec::new()), b"");
    for format in [ExportFormat::Csv, ExportFormat::Sdmx] {
        let written = String::from_utf8(write(format, Vec::new())).unwrap();
        assert_eq!(written.lines().count(), 1);
    }
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&write(ExportFormat::Parquet, Vec::new()))
        .unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
}

#[test]
fn what_is_not_understood_ends_the_export() {
    let subject = Subject::new(dataset());
    let refused = |group: wire::ObservationGroup| {
        let message = wire::ExportObservationsResponse {
            groups: vec![group],
            ..Default::default()
        };
        let taken = Figures::new(&subject).take(message, &mut |_| Ok(()));
        format!("{:#}", taken.unwrap_err())
    };
    let export = wire::Flow::Export;
    let unsent = wire::ObservationRow {
        source: 1,
        ..row("TOTAL", "1")
    };
    let strange = wire::ObservationRow {
        flags: vec![99],
        ..row("TOTAL", "1")
    };
    assert!(refused(group("KAZ", export, "2023", vec![unsent])).contains("source 1 was not sent"));
    assert!(refused(group("KAZ", export, "2023", vec![strange])).contains("flag 99"));
    assert!(refused(group("KAZ", export, "2023", vec![row("TOTAL", "NaN")])).contains("NaN"));
    assert!(refused(group("Mars", export, "2023", Vec::new())).contains("Mars"));
}

#[test]
fn the_terms_are_told() {
    let told = Subject::new(dataset()).terms();
    assert_eq!(
        told,
        "datasets/china (China's customs, USD): CC-BY-4.0; may be shown outside your organisation"
    );
    let told = Subject::new(wire::Dataset::default()).terms();
    assert!(
        told.ends_with("no licence stated; may not be shown outside your organisation"),
        "{told}"
    );
}
