//! The forms in which files arrive.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::comtrade::Layout;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn json_row(changes: &[Cell<'_>]) -> String {
    let change = |name: &str| changes.iter().find(|(changed, _)| *changed == name);
    let member = |(name, text): &Cell<'_>| {
        let quoted = format!("\"{text}\"");
        let token = change(name).map_or(quoted.as_str(), |(_, token)| *token);
        format!("\"{name}\": {token}")
    };
    let members: Vec<_> = FIGURE.iter().map(member).collect();
    format!("{{{}}}", members.join(", "))
}

fn json_figure(changes: &[Cell<'_>]) -> Record {
    only(&format!("[{}]", json_row(changes)))
}

fn error(file: &str) -> String {
    read(file.as_bytes()).unwrap_err().to_string()
}

#[test]
fn gzip_is_unpacked_with_all_its_members() {
    let file = repeated(3);
    let (start, end) = file.split_at(file.len() / 2);
    let packed = [gzip(start.as_bytes()), gzip(end.as_bytes())].concat();
    let mut reader = Reader::new(&packed[..]).unwrap();
    assert_eq!(reader.by_ref().count(), 3);
    assert_eq!(reader.bytes_read(), packed.len() as u64);
    assert_eq!(reader.layout(), Layout::ApiCsv);
}

#[test]
fn a_gzip_stream_that_breaks_off_says_how_far_it_came() {
    let packed = gzip(repeated(100).as_bytes());
    let mut reader = Reader::new(&packed[..packed.len() - 9]).unwrap();
    let records: Vec<_> = reader.by_ref().collect();
    let (last, rows) = records.split_last().unwrap();
    assert!(rows.iter().all(Result::is_ok));
    assert!(rows.len() > 90, "{} rows", rows.len());
    let Err(ReadError::Truncated { bytes, line }) = last else {
        panic!("{last:?}");
    };
    assert!(*bytes > 5_000 && *line > 90, "{bytes} {line}");
    assert!(reader.next().is_none());
    assert!(matches!(
        read(&packed[..2]),
        Err(ReadError::Truncated { .. })
    ));
}

#[test]
fn damaged_gzip_and_zip_are_told_apart() {
    let mut packed = gzip(repeated(100).as_bytes());
    let checksum = packed.len() - 8;
    packed[checksum] ^= 0xff;
    let damaged = read(&packed[..]).unwrap_err();
    assert!(
        matches!(damaged, ReadError::Compression { .. }),
        "{damaged}"
    );
    assert!(error("PK\x03\x04....").contains("zip archive"));
}

#[test]
fn utf16_and_marks_change_nothing() {
    let file = csv(&LEGACY_FIGURE, &[("Reporter", "Côte d'Ivoire 中国")]);
    let plain = read(file.as_bytes()).unwrap();
    let marked = format!("\u{feff}{file}");
    assert_eq!(read(marked.as_bytes()).unwrap(), plain);
    let little: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(&little[..]).unwrap(), plain);
    let big: Vec<u8> = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(read(&gzip(&big)[..]).unwrap(), plain);
}

#[test]
fn utf16_without_its_mark_is_not_taken_for_rows_of_rubbish() {
    let bare: Vec<u8> = repeated(1)
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let told = read(&bare[..]).unwrap_err().to_string();
    assert!(told.contains("UTF-16 needs a byte order mark"), "{told}");
}

#[test]
fn a_reader_can_move_to_another_thread() {
    let reader = Reader::new(std::io::Cursor::new(repeated(2))).unwrap();
    let rows = std::thread::spawn(move || reader.count()).join().unwrap();
    assert_eq!(rows, 2);
}

#[test]
fn text_in_another_encoding_is_told_with_its_line() {
    let mut file = repeated(2).into_bytes();
    file.extend_from_slice(b"C\xf4te");
    let offset = file.len() - 3;
    let records: Vec<_> = Reader::new(&file[..]).unwrap().collect();
    assert_eq!(records.len(), 3);
    let told = records[2].as_ref().unwrap_err().to_string();
    assert_eq!(told, format!("not valid UTF-8 in line 4, at byte {offset}"));
}

#[test]
fn tabs_and_semicolons_delimit_too() {
    let file = csv(&FIGURE, &[]);
    for delimiter in [";", "\t"] {
        assert_eq!(
            read(file.replace(',', delimiter).as_bytes()).unwrap(),
            [only(&file)]
        );
    }
}

#[test]
fn line_ends_of_every_kind_and_blank_lines_keep_the_count() {
    let file = repeated(2);
    let lines = |file: &str| -> Vec<_> {
        let records = read(file.as_bytes()).unwrap();
        records
            .into_iter()
            .map(|record| figure(record).place.line)
            .collect()
    };
    assert_eq!(lines(&file), [2, 3]);
    assert_eq!(lines(&file.replace('\n', "\r\n")), [2, 3]);
    assert_eq!(lines(file.trim_end()), [2, 3]);
    assert_eq!(
        lines(&format!("\n\n{}", file.replace('\n', "\r\n\r\n"))),
        [5, 7]
    );
}

#[test]
fn a_header_alone_is_no_data_and_no_error() {
    assert_eq!(read(repeated(0).as_bytes()).unwrap(), []);
    assert_eq!(read(repeated(0).trim_end().as_bytes()).unwrap(), []);
}

#[test]
fn the_bulk_layout_is_known_by_its_first_column() {
    let file = csv(
        &FIGURE,
        &[("datasetCode", "20032201201052000"), ("isAggregate", "0")],
    );
    let file = file.to_uppercase().replace("PARTNER2CODE", "partner2_code");
    let reader = Reader::new(file.as_bytes()).unwrap();
    assert_eq!(reader.layout(), Layout::BulkCsv);
    assert_eq!(
        reader
            .filter(|record| matches!(record, Ok(Record::Row(_))))
            .count(),
        1
    );
}

#[test]
fn a_row_of_the_wrong_width_is_rejected_and_the_others_go_in() {
    let file = repeated(3);
    let mut lines: Vec<_> = file.lines().map(str::to_owned).collect();
    lines[2].push_str(",more");
    let mut reader = Reader::new(lines.join("\n").leak().as_bytes()).unwrap();
    let records: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
    let told = rejection(records[1].clone());
    assert_eq!(told.reason, "24 fields where the header names 23");
    assert_eq!(
        (told.column.as_str(), told.place.row, told.place.line),
        ("", 2, 3)
    );
    let summary = reader.summary();
    assert_eq!((summary.rows, summary.rejected), (2, 1));
}

#[test]
fn a_quote_that_swallows_a_line_end_is_told_with_both_lines() {
    let figure = csv(&FIGURE, &[("cmdDesc", "x")]);
    let row = figure.lines().nth(1).unwrap();
    let open = row.replace(",x", ",\"x");
    let file = format!("{figure}{open}\n\"C\"{}\n{row}\n", &row[1..]);
    let records = read(file.as_bytes()).unwrap();
    assert_eq!(records.len(), 3);
    let told = rejection(records[1].clone()).reason;
    assert!(told.ends_with("(a quote runs on until line 4)"), "{told}");
    assert!(matches!(records[2], Record::Row(_)));
}

#[test]
fn json_comes_in_an_envelope_or_bare() {
    let row = json_row(&[]);
    let enveloped = format!(
        "{{\"ElapsedTime\": \"0.1 secs\", \"COUNT\": 2, \"Data\": [{row},\n{row}], \"error\": null}}"
    );
    let records = read(enveloped.as_bytes()).unwrap();
    let lines: Vec<_> = records
        .into_iter()
        .map(|record| figure(record).place)
        .collect();
    assert_eq!((lines[0].row, lines[0].line), (1, 1));
    assert_eq!((lines[1].row, lines[1].line), (2, 2));
    let bare = format!("\n [{row}]\n");
    let mut reader = Reader::new(bare.as_bytes()).unwrap();
    assert_eq!(reader.layout(), Layout::ApiJson);
    assert_eq!(figure(reader.next().unwrap().unwrap()).place.line, 2);
    assert!(reader.next().is_none());
    assert_eq!(read(&b"[]"[..]).unwrap(), []);
}

#[test]
fn keys_of_json_have_any_case() {
    let upper = json_row(&[])
        .replace("primaryValue", "PRIMARY_VALUE")
        .replace("motCode", "MotCode");
    figure(only(&format!("[{upper}]")));
}

#[test]
fn numbers_of_json_stay_exact() {
    let value = |token| {
        figure(json_figure(&[("primaryValue", token)]))
            .value
            .to_string()
    };
    assert_eq!(value("53621601767.0"), "53621601767");
    assert_eq!(value("0.1"), "0.1");
    assert_eq!(value("123456789012.123456"), "123456789012.123456");
    assert_eq!(value("5.3621601767E+10"), "53621601767");
    let told = rejection(json_figure(&[("primaryValue", "1e400")]));
    assert_eq!(
        (told.column.as_str(), told.reason.as_str()),
        ("primaryValue", "`1e400`: out of range")
    );
    assert_eq!(
        rejection(json_figure(&[("primaryValue", "null")])).reason,
        "no value"
    );
    let row = figure(json_figure(&[
        ("isAggregate", "true"),
        ("netWgt", "null"),
        ("motCode", "0"),
    ]));
    assert_eq!((row.flags.iter().count(), row.net_weight), (1, None));
}

#[test]
fn rows_of_json_that_are_wrong_are_rejected_and_the_others_go_in() {
    let row = json_row(&[]);
    let twice = row.replacen('{', "{\"QTY\": 1, ", 1);
    let nested = json_row(&[("cmdCode", "[1, {\"a\": 2}]")]);
    let file = format!("[{row}, 5, {twice}, {nested}, {row}]");
    let records = read(file.as_bytes()).unwrap();
    let told: Vec<_> = records[1..4]
        .iter()
        .map(|record| rejection(record.clone()).reason)
        .collect();
    let due = [
        "a row is an object",
        "`qty` is given twice",
        "`cmdCode` is not a plain value",
    ];
    assert_eq!(told, due);
    assert!(matches!(records[4], Record::Row(_)));
}

#[test]
fn an_error_in_the_envelope_is_an_error() {
    let nothing = "{\"elapsedTime\": \"0.08 secs\", \"count\": 0, \"data\": [], \"error\": \"\"}";
    assert_eq!(read(nothing.as_bytes()).unwrap(), []);
    assert_eq!(
        error("{\"count\": 0, \"data\": null, \"error\": \"period is too long\"}"),
        "UN Comtrade answered with an error: period is too long"
    );
    let denied = "{\"statusCode\": 401, \"message\": \"Access denied due to missing key\"}";
    assert!(error(denied).ends_with("Access denied due to missing key"));
    assert!(error("{\"a\": []}").contains("a JSON object without `data`"));
}

#[test]
fn json_that_breaks_is_told_with_line_and_column() {
    let row = json_row(&[]);
    let told = error(&format!("{{\"data\": [\n{row}\n{row}]}}"));
    assert_eq!(told, "not valid JSON in line 3, column 1: missing comma");
    assert!(error(&format!("[{row},\n")).starts_with("not valid JSON in line 2"));
    assert!(error("[] []").ends_with("more than one value"));
    assert!(error("{\"data\": 5}").ends_with("number where array is due"));
    assert!(error("[{\"cmdCode\": NaN}]").starts_with("not valid JSON"));
}

#[test]
fn json_rows_without_the_columns_are_refused_at_once() {
    assert!(error("[{\"a\": 1}]").contains("none of the columns"));
    let told = error("[{\"typeCode\": \"C\", \"period\": \"2012\"}]");
    assert!(
        told.starts_with("JSON from the API without the columns freqCode, "),
        "{told}"
    );
    assert!(told.ends_with(", primaryValue"), "{told}");
}

#[test]
fn other_files_are_told_what_is_accepted() {
    for file in [
        "",
        "\n\n",
        "hello",
        "a,b,c\n1,2,3\n",
        "<html>",
        "\u{0}\u{1}\u{2}",
    ] {
        let told = read(file.as_bytes()).unwrap_err();
        assert!(matches!(told, ReadError::OtherKind { .. }), "{told}");
        assert!(told.to_string().contains("Accepted are"), "{told}");
    }
}
