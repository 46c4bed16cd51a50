//! What SDMX-CSV files come to.

use std::io::Read;

use proptest::prelude::*;
use proto::trade::v1 as wire;
use proto::trade::v1::ObservationFlag as Flag;
use proto::r#type::v1::Source;

use super::{Assignment, Reader, Terms};
use crate::rows::{ReadError, Record, Rejection, Row, RowReader};

const OWN: &str = "STRUCTURE,STRUCTURE_ID,ACTION,REPORTER,PARTNER,FLOW,CLASSIFICATION,CODE,FREQ,TIME_PERIOD,\
                   OBS_VALUE,OBS_STATUS,UNIT_MEASURE,UNIT_MULT,FLAGS,SOURCE_TITLE,SOURCE_PUBLISHER";
const ROW: &str = "dataflow,ENTENTE:TRADE(1.0),I,CHN,KAZ,X,H6,870380,A,2024,1234.5,A,USD,0,,,";

fn dataset() -> wire::Dataset {
    wire::Dataset {
        name: "datasets/press".into(),
        currency_code: "USD".into(),
        import_valuation: wire::Valuation::Cif.into(),
        export_valuation: wire::Valuation::Fob.into(),
        source: Some(Source {
            title: "Yearbook".into(),
            publisher: "Customs".into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn assignments(texts: &[&str]) -> Vec<Assignment> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn open<R: Read>(source: R, map: &[&str], set: &[&str]) -> Result<Reader<R>, ReadError> {
    let terms = Terms::new(dataset(), &assignments(map), &assignments(set)).unwrap();
    Reader::new(source, terms)
}

fn records(file: &str) -> Vec<Record> {
    let reader = open(file.as_bytes(), &[], &[]).unwrap();
    reader.collect::<Result<_, _>>().unwrap()
}

/// The own row with some columns changed.
fn own(changes: &[(&str, &str)]) -> Record {
    let titles: Vec<&str> = OWN.split(',').collect();
    let mut cells: Vec<&str> = ROW.split(',').collect();
    for (title, cell) in changes {
        let place = titles.iter().position(|one| one == title).unwrap();
        cells[place] = cell;
    }
    records(&format!("{OWN}\n{}\n", cells.join(","))).remove(0)
}

fn figure(record: Record) -> Row {
    match record {
        Record::Row(row) => row,
        other @ (Record::LeftOut { .. } | Record::Rejected(_)) => panic!("no figure: {other:?}"),
    }
}

fn taken(changes: &[(&str, &str)]) -> Row {
    figure(own(changes))
}

fn refused(changes: &[(&str, &str)]) -> Rejection {
    match own(changes) {
        Record::Rejected(rejection) => rejection,
        other @ (Record::LeftOut { .. } | Record::Row(_)) => panic!("not rejected: {other:?}"),
    }
}

#[test]
fn a_row_of_our_own_is_a_figure() {
    let row = taken(&[]);
    assert_eq!(row.key.reporter.to_string(), "CHN");
    assert_eq!(row.key.partner.to_string(), "KAZ");
    assert_eq!((row.key.flow.code(), row.code.as_str()), ("X", "870380"));
    assert_eq!(row.key.period.to_string(), "2024");
    assert_eq!(row.value.to_string(), "1234.5");
    assert!(row.flags.is_empty() && row.source.is_none());
    assert_eq!((row.place.row, row.place.line), (1, 2));
}

#[test]
fn the_multiplier_is_applied_exactly_or_the_row_is_refused() {
    let value = |value, mult| {
        taken(&[("OBS_VALUE", value), ("UNIT_MULT", mult)])
            .value
            .to_string()
    };
    assert_eq!(value("17.62", "9"), "17620000000");
    assert_eq!(value("0.1", "6: Millions"), "100000");
    assert_eq!(value("123456", "-3"), "123.456");
    let told = refused(&[("OBS_VALUE", "0.5"), ("UNIT_MULT", "-6")]);
    assert_eq!(told.reason, "`0.5` with UNIT_MULT -6: over 6 decimals");
    let told = refused(&[("OBS_VALUE", "17.62"), ("UNIT_MULT", "18")]);
    assert_eq!(told.reason, "`17.62` with UNIT_MULT 18: over 18 digits");
    assert_eq!(refused(&[("UNIT_MULT", "six")]).column, "UNIT_MULT");
    assert_eq!(refused(&[("OBS_VALUE", "0.1234567")]).column, "OBS_VALUE");
    assert_eq!(refused(&[("OBS_VALUE", "-1")]).column, "OBS_VALUE");
}

#[test]
fn what_has_no_value_is_counted_and_never_zero() {
    let missing = [
        ("OBS_VALUE", ""),
        ("OBS_VALUE", "NaN"),
        ("OBS_STATUS", "M"),
        ("OBS_STATUS", "Q"),
        ("OBS_STATUS", "L: Missing"),
        ("OBS_STATUS", "K"),
    ];
    for change in missing {
        let record = own(&[change]);
        assert!(
            matches!(
                record,
                Record::LeftOut {
                    why: "without a value",
                    ..
                }
            ),
            "{record:?}"
        );
    }
    assert_eq!(taken(&[("OBS_VALUE", "0")]).value.to_string(), "0");
}

#[test]
fn actions_state_a_figure_or_are_refused() {
    for action in ["", "I", "A", "R", "M", "I: Information"] {
        taken(&[("ACTION", action)]);
    }
    let told = refused(&[("ACTION", "D"), ("OBS_VALUE", "")]);
    assert_eq!(told.column, "ACTION");
    assert!(told.reason.contains("deletes"), "{}", told.reason);
    let told = refused(&[("ACTION", "M"), ("OBS_VALUE", "")]);
    assert!(told.reason.contains("whole ones"), "{}", told.reason);
    assert_eq!(refused(&[("ACTION", "X")]).column, "ACTION");
}

#[test]
fn a_merged_row_and_a_status_without_a_flag_are_told() {
    let row = ROW
        .replace(",I,CHN", ",M,CHN")
        .replace(",1234.5,A,", ",1234.5,B,");
    let foreign = row.replace("ENTENTE:TRADE(1.0)", "OTHER:FLOW(2.1)");
    let mut reader = open(format!("{OWN}\n{foreign}\n").as_bytes(), &[], &[])
        .map(|mut reader| {
            figure(reader.next().unwrap().unwrap());
            reader.summary().remarks.clone()
        })
        .unwrap()
        .into_keys();
    assert_eq!(reader.next(), Some("merged rows, taken as whole figures"));
    assert_eq!(reader.next(), Some("statuses that are not kept"));
}

#[test]
fn our_flags_say_more_than_a_status_and_must_agree_with_it() {
    let row = taken(&[("FLAGS", "PROVISIONAL ROUNDED"), ("OBS_STATUS", "P")]);
    let flags: Vec<Flag> = row.flags.iter().collect();
    assert_eq!(flags, [Flag::Provisional, Flag::Rounded]);
    let row = taken(&[("FLAGS", "IMPLIED"), ("OBS_STATUS", "E")]);
    assert!(!row.flags.contains(Flag::Estimated));
    assert_eq!(
        refused(&[("FLAGS", "ROUNDED"), ("OBS_STATUS", "P")]).column,
        "OBS_STATUS"
    );
    assert_eq!(refused(&[("FLAGS", "SURE")]).column, "FLAGS");
    let foreign = [
        ("STRUCTURE_ID", "ESTAT:X(1.0)"),
        ("FLAGS", "bcd"),
        ("OBS_STATUS", "E"),
    ];
    let flags: Vec<Flag> = taken(&foreign).flags.iter().collect();
    assert_eq!(flags, [Flag::Estimated]);
    assert_eq!(refused(&[("OBS_STATUS", "F")]).column, "OBS_STATUS");
    assert_eq!(refused(&[("OBS_STATUS", "?")]).column, "OBS_STATUS");
}

#[test]
fn countries_are_known_by_letters_and_by_number() {
    for (text, country) in [
        ("CHN", "CHN"),
        ("CN", "CHN"),
        ("156", "CHN"),
        ("840", "USA"),
        ("842", "USA"),
        ("699", "IND"),
        ("356", "IND"),
        ("490", "CT490"),
        ("CT490", "CT490"),
        ("W0", "WLD"),
        ("W00", "WLD"),
        ("0", "WLD"),
        ("CN: China", "CHN"),
    ] {
        let partner = taken(&[("PARTNER", text)]).key.partner;
        assert_eq!(partner.to_string(), country, "{text}");
    }
    for text in ["", "China", "ZZ", "9999", "EU27_2020", "ＣＮ"] {
        assert_eq!(refused(&[("PARTNER", text)]).column, "PARTNER", "{text}");
    }
}

#[test]
fn another_currency_or_valuation_is_not_taken_for_the_datasets() {
    let told = refused(&[("UNIT_MEASURE", "EUR")]);
    assert_eq!(told.reason, "`EUR`: the dataset is in USD");
    let file = format!("{OWN},VALUATION\n{ROW},CIF\n{ROW},FOB\n");
    let records = records(&file);
    assert!(matches!(&records[0], Record::Rejected(r) if r.column == "VALUATION"));
    assert!(matches!(&records[1], Record::Row(_)));
}

#[test]
fn a_period_and_its_frequency_agree() {
    assert_eq!(
        taken(&[("TIME_PERIOD", "2024-01-01/P5M"), ("FREQ", "_O")])
            .key
            .period
            .to_string(),
        "2024-01..2024-05"
    );
    assert_eq!(refused(&[("FREQ", "M")]).column, "FREQ");
    assert_eq!(
        refused(&[("TIME_PERIOD", "2024-05-07")]).column,
        "TIME_PERIOD"
    );
}

#[test]
fn a_source_is_read_checked_and_left_out_where_it_is_the_datasets() {
    let source = |title, publisher| {
        taken(&[("SOURCE_TITLE", title), ("SOURCE_PUBLISHER", publisher)]).source
    };
    assert!(source("Yearbook", "Customs").is_none());
    let other = source("'=Speech", "Kazinform").unwrap();
    assert_eq!(
        (other.title.as_str(), other.publisher.as_str()),
        ("=Speech", "Kazinform")
    );
    assert_eq!(
        refused(&[("SOURCE_TITLE", "Speech")]).column,
        "SOURCE_PUBLISHER"
    );
    let foreign = taken(&[
        ("STRUCTURE_ID", "OTHER:FLOW(1.0)"),
        ("SOURCE_TITLE", "'t Hof"),
        ("SOURCE_PUBLISHER", "Paper"),
    ]);
    assert_eq!(foreign.source.unwrap().title, "'t Hof");
}

#[test]
fn foreign_names_and_both_kinds_of_labels_are_understood() {
    let pairs = "STRUCTURE,STRUCTURE_ID,STRUCTURE_NAME,ACTION,REF_AREA,Reference area,COUNTERPART_AREA,Counterpart \
                 area,FLOW,Flow,CLASSIFICATION,Classification,product,Product,freq,Freq,TIME_PERIOD,Time \
                 period,obs_value,OBS_STATUS,Obs status\n\
                 dataflow,OECD:TRADE(1.0),Trade,I,CN,China,KZ,Kazakhstan,X,Exports,H6,HS 2022,87,Vehicles,M,\
                 Monthly,2024-M05,,12,P,Provisional\n";
    let row = figure(records(pairs).remove(0));
    assert_eq!(row.key.period.to_string(), "2024-05");
    assert!(row.flags.contains(Flag::Provisional));
    let cells = "DATAFLOW,REPORTER: Reporter,PARTNER: Partner,FLOW: Flow,CLASSIFICATION: Class,CODE: Code,FREQ: \
                 Frequency,TIME_PERIOD: Time,OBS_VALUE\n\
                 ESTAT:DS(1.0),CN: China,KZ: Kazakhstan,1: Imports,H6: HS,TOTAL: All,A: Annual,2024,12\n";
    let row = figure(records(cells).remove(0));
    assert_eq!((row.key.flow.code(), row.code.is_total()), ("M", true));
}

#[test]
fn columns_are_mapped_and_set() {
    let file =
        "DATAFLOW,DECL,PARTNER,GOODS,CODE,TIME_PERIOD,OBS_VALUE\nX:Y(1.0),CN,KZ,8703,no,2024,5\n";
    let map = ["REPORTER=DECL", "CODE=goods"];
    let set = ["FLOW=X", "CLASSIFICATION=H6"];
    let mut reader = open(file.as_bytes(), &map, &set).unwrap();
    let row = figure(reader.next().unwrap().unwrap());
    assert_eq!(
        (row.code.as_str(), row.key.classification.as_str()),
        ("8703", "H6")
    );
    assert_eq!(reader.remarks(), ["columns passed over: `CODE`"]);
    let error = open(file.as_bytes(), &["REPORTER=NO"], &set[..1])
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "SDMX-CSV without the columns NO, CLASSIFICATION; name a column with --map REPORTER=COLUMN, or what \
         holds for all rows with --set FLOW=X"
    );
    let twice = assignments(&["FLOW=A", "FLOW=B"]);
    assert!(Terms::new(dataset(), &twice, &[]).is_err());
}

#[test]
fn unknown_columns_are_told_with_a_bound() {
    let extra: Vec<String> = (0..50).map(|n| format!("EXTRA_{n}")).collect();
    let file = format!("{OWN},{}\n{ROW},{}\n", extra.join(","), ",".repeat(49));
    let reader = open(file.as_bytes(), &[], &[]).unwrap();
    let told = reader.remarks();
    assert!(told[0].ends_with("`EXTRA_7` and 42 more"), "{told:?}");
}

#[test]
fn hostile_files_end_with_an_error_that_names_the_line() {
    let told = |file: &[u8]| {
        let reader = open(file, &[], &[]);
        let ended = reader.and_then(Iterator::collect::<Result<Vec<_>, _>>);
        ended.unwrap_err().to_string()
    };
    let unclosed = format!("{OWN}\n{ROW}\n\"{}", "x\n".repeat(60 << 10));
    assert_eq!(
        told(unclosed.as_bytes()),
        "a quote opens in line 3 and does not close"
    );
    let field = format!("{OWN}\n{}", "x".repeat(70 << 10));
    assert_eq!(told(field.as_bytes()), "a field in line 2 is over 64 KiB");
    let row = format!("{OWN}\n{}", format!("{},", "x".repeat(60 << 10)).repeat(40));
    assert_eq!(
        told(row.as_bytes()),
        "the row that starts in line 2 is over 1 MiB"
    );
    let twice = format!("{OWN},FLOW\n{ROW},X\n");
    assert!(
        told(twice.as_bytes()).contains("`FLOW`"),
        "{}",
        told(twice.as_bytes())
    );
    for no_sdmx in [
        "",
        "a,b\n1,2\n",
        "{\"data\": []}",
        "typeCode,period\nC,2024\n",
    ] {
        assert!(
            told(no_sdmx.as_bytes()).starts_with("not an SDMX-CSV file"),
            "{no_sdmx}"
        );
    }
    assert!(told(b"S\0T\0R\0").contains("NUL"));
    assert!(told(b"PK\x03\x04").contains("zip"));
    let no_text = [OWN.as_bytes(), b"\n\xc3\x28"].concat();
    assert!(told(&no_text).contains("not valid UTF-8 in line 2"));
}

#[test]
fn rows_that_are_cut_or_hold_nul_are_rejected_alone() {
    let file = format!(
        "{OWN}\nshort,row\n{}\n{ROW}\n",
        ROW.replace("870380", "87\u{0}0380")
    );
    let records = records(&file);
    assert!(matches!(&records[0], Record::Rejected(r) if r.reason.contains("2 fields")));
    assert!(matches!(&records[1], Record::Rejected(r) if r.column == "CODE"));
    assert!(matches!(&records[2], Record::Row(row) if row.place.line == 4));
}

#[test]
fn utf16_with_its_mark_is_read() {
    let text = format!("\u{feff}{OWN}\n{ROW}\n");
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut reader = open(&bytes[..], &[], &[]).unwrap();
    figure(reader.next().unwrap().unwrap());
}

proptest! {
    #[test]
    fn nothing_breaks_the_reader(bytes in any::<Vec<u8>>(), cells in "[A-Z0-9:;,'\"=. \n/-]{0,80}") {
        let files = [bytes, cells.clone().into_bytes(), format!("{OWN}\n{cells}\n{ROW}\n").into_bytes()];
        for file in files {
            if let Ok(reader) = open(&file[..], &[], &[]) {
                for record in reader.flatten() {
                    if let Record::Rejected(rejection) = record {
                        prop_assert!(!rejection.reason.is_empty());
                    }
                }
            }
        }
    }
}
