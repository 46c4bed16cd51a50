//! Figures exported to files, and what of them comes back.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::fs::File;
use std::path::Path;

use common::{Server, file, row};
use parquet::file::reader::{FileReader, SerializedFileReader};

const TITLES: &str = "STRUCTURE,STRUCTURE_ID,ACTION,REPORTER,PARTNER,FLOW,CLASSIFICATION,CODE,FREQ,TIME_PERIOD,\
                      OBS_VALUE,OBS_STATUS,UNIT_MEASURE,UNIT_MULT,NET_WEIGHT,QUANTITY,QUANTITY_UNIT,FLAGS,\
                      SOURCE_TITLE,SOURCE_PUBLISHER";

/// Figures with everything that a figure can have.
const ROWS: [&str; 4] = [
    "X,H6,TOTAL,A,2023,24.7,A,USD,9,,,,,,",
    "X,H6,870380,M,2024-05,1234.5,P,USD,0,18000.5,12,5,PROVISIONAL QUANTITY_ESTIMATED,,",
    "T,NA,TOTAL,_O,2024-01-01/P5M,17.62,V,USD,9,,,,UNVERIFIED ROUNDED,'=Interview,Kazinform",
    "M,H6,0306,A,2023,0.000001,A,USD,0,,,,,''Quoted',Paper",
];

/// A service with some figures in `press`, and an empty `copy`.
fn start() -> Server {
    let server = Server::start();
    for id in ["press", "copy"] {
        create(&server, id);
    }
    let rows = ROWS.map(|row| format!("dataflow,ENTENTE:TRADE(1.0),I,CHN,KAZ,{row}"));
    let file = format!("{TITLES}\n{}\n", rows.join("\n"));
    let ran = server.run_with(
        &["import", "sdmx", "-", "--dataset", "press"],
        file.as_bytes(),
    );
    assert!(ran.out.contains("new 4"), "{ran:?}");
    server
}

fn create(server: &Server, id: &str) {
    let arguments = [
        "trade",
        "datasets",
        "create",
        id,
        "--name",
        "Press",
        "--currency",
        "USD",
    ];
    let source = [
        "--publisher",
        "China's customs",
        "--title",
        "Figures in the press",
    ];
    let terms = ["--licence", "CC-BY-4.0", "--export-valuation", "fob"];
    server.ask(&[&arguments[..], &source, &terms].concat());
}

fn export(server: &Server, dataset: &str, format: &str, options: &[&str]) -> String {
    let arguments = ["trade", "export", "--dataset", dataset, "--format", format];
    server.ask(&[&arguments[..], options].concat())
}

/// The answer without its names and vintages, which a copy has of its own.
fn figures(server: &Server, dataset: &str) -> String {
    let lines = export(server, dataset, "jsonl", &[]);
    let plain = lines.lines().map(|line| {
        let mut figure: serde_json::Value = serde_json::from_str(line).unwrap();
        figure["name"].take();
        figure["vintage"].take();
        figure.to_string()
    });
    plain.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_export_comes_back_in_another_dataset_as_the_same_figures() {
    let server = start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("press.csv");
    let path = path.to_str().unwrap();
    assert_eq!(export(&server, "press", "sdmx", &["--out", path]), "");
    let imported = server.ask(&["import", "sdmx", path, "--dataset", "copy"]);
    assert!(
        imported.contains("new 4, revised 0, unchanged 0, rejected 0"),
        "{imported}"
    );
    let (given, copied) = (figures(&server, "press"), figures(&server, "copy"));
    assert_eq!(given.lines().count(), 4);
    assert_eq!(given, copied);
    let again = server.ask(&["import", "sdmx", path, "--dataset", "press"]);
    assert!(again.contains("unchanged 4"), "{again}");
}

#[test]
fn a_filter_lets_through_what_it_says_and_the_terms_are_told() {
    let server = start();
    let arguments = ["trade", "export", "--dataset", "press", "--format", "csv"];
    let ran = server.run(&[&arguments[..], &["--flow", "M"]].concat());
    assert_eq!(ran.out.lines().count(), 2, "{ran:?}");
    assert!(ran.out.contains(",0306,2023,0.000001,USD,"), "{ran:?}");
    assert!(ran.out.contains(",'Quoted',"), "{ran:?}");
    for told in [
        "CC-BY-4.0; may not be shown outside",
        "datasets/press: 1 figures as of",
    ] {
        assert!(ran.err.contains(told), "{told} in {}", ran.err);
    }
    let none = server.run(&[&arguments[..], &["--partner", "MNG"]].concat());
    assert_eq!((none.code, none.out.lines().count()), (0, 1), "{none:?}");
}

#[test]
fn parquet_holds_all_figures_of_a_larger_dataset() {
    let server = Server::start();
    create(&server, "empty");
    let rows: Vec<String> = (0..20_000)
        .map(|n| {
            row(
                2000 + n / 1_000,
                &format!("{:06}", 10_000 + n % 1_000),
                "1.5",
            )
        })
        .collect();
    let ran = server.run_with(&["import", "comtrade", "-"], file(&rows).as_bytes());
    assert!(ran.out.contains("new 20,000"), "{ran:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.parquet");
    export(
        &server,
        "comtrade",
        "parquet",
        &["--out", path.to_str().unwrap()],
    );
    let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 20_000);
    let first = reader.get_row_iter(None).unwrap().next().unwrap().unwrap();
    let value = first
        .get_column_iter()
        .find(|(name, _)| *name == "value")
        .unwrap();
    assert_eq!(value.1.to_string(), "1.500000");
}

#[test]
fn an_export_that_fails_leaves_no_file_and_names_it() {
    let server = start();
    let folder = tempfile::tempdir().unwrap();
    let told = |dataset: &str, path: &Path| {
        let path = path.to_str().unwrap();
        let arguments = [
            "trade",
            "export",
            "--format",
            "sdmx",
            "--out",
            path,
            "--dataset",
            dataset,
        ];
        let ran = server.run(&arguments);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(path), "{ran:?}");
    };
    told("nowhere", &folder.path().join("out.csv"));
    told("press", &folder.path().join("no-folder/out.csv"));
    told("press", folder.path());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    let ran = server.run(&["trade", "export", "--format", "parquet"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("--out"), "{ran:?}");
}
