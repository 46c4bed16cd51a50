//! SDMX-CSV files, imported and read back.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use common::{Ran, Server};

const TITLES: &str = "STRUCTURE,STRUCTURE_ID,ACTION,REPORTER,PARTNER,FLOW,CLASSIFICATION,CODE,FREQ,TIME_PERIOD,\
                      OBS_VALUE,OBS_STATUS,UNIT_MEASURE,UNIT_MULT,FLAGS,SOURCE_TITLE,SOURCE_PUBLISHER,REMARK";

fn row(period: &str, value: &str, rest: &str) -> String {
    let frequency = if period.contains('/') { "_O" } else { "A" };
    format!("dataflow,ENTENTE:TRADE(1.0),I,CHN,KAZ,T,NA,TOTAL,{frequency},{period},{value},{rest},")
}

fn file(rows: &[String]) -> String {
    format!("{TITLES}\n{}\n", rows.join("\n"))
}

/// A service with the dataset `press`.
fn start() -> Server {
    let server = Server::start();
    let create = [
        "trade",
        "datasets",
        "create",
        "press",
        "--name",
        "Press",
        "--publisher",
        "China's customs, quoted",
        "--title",
        "Figures in the press",
        "--currency",
        "USD",
        "--licence",
        "CC-BY-4.0",
        "--may-be-shown-outside",
    ];
    assert_eq!(server.ask(&create), "datasets/press created\n");
    server
}

fn import(server: &Server, input: &str, options: &[&str]) -> Ran {
    let arguments = [&["import", "sdmx", "-", "--dataset", "press"], options].concat();
    server.run_with(&arguments, input.as_bytes())
}

fn list(server: &Server) -> String {
    server.ask(&["trade", "list", "--dataset", "press", "-ojson"])
}

#[test]
fn a_dataset_is_created_once_and_listed_with_its_terms() {
    let server = start();
    let listed = server.ask(&["trade", "datasets"]);
    for text in ["datasets/press", "Press", "CC-BY-4.0", "USD"] {
        assert!(listed.contains(text), "{text} in {listed}");
    }
    let again = [
        "trade",
        "datasets",
        "create",
        "press",
        "--name",
        "P",
        "--publisher",
        "P",
        "--title",
        "T",
        "--currency",
        "USD",
    ];
    let ran = server.run(&again);
    assert_eq!(ran.code, 1, "{ran:?}");
    let ran = server.run(&[&again[..11], &["ABC"]].concat());
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[test]
fn figures_come_in_with_period_flags_and_source() {
    let server = start();
    let rows = [
        row("2021", "25.25", "A,USD,9,ROUNDED,,"),
        row(
            "2024-01-01/P5M",
            "17.62",
            "V,USD,9,UNVERIFIED,'=Interview,Kazinform",
        ),
        row("2022", "NaN", "M,USD,9,,,"),
    ];
    let ran = import(&server, &file(&rows), &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for told in [
        "SDMX-CSV, 2 figures",
        "new 2",
        "left out without a value: 1",
        "columns passed over: `REMARK`",
    ] {
        assert!(ran.out.contains(told), "{told} in {}", ran.out);
    }
    let listed = list(&server);
    for text in [
        "\"25250000000\"",
        "\"2024-01..2024-05\"",
        "OBSERVATION_FLAG_UNVERIFIED",
        "\"=Interview\"",
        "\"Figures in the press\"",
    ] {
        assert!(listed.contains(text), "{text} in {listed}");
    }
    let again = import(&server, &file(&rows), &[]);
    assert!(
        again.out.contains("unchanged 2") && again.out.contains("nothing changed"),
        "{again:?}"
    );
}

#[test]
fn rows_that_are_wrong_are_told_by_line_and_column() {
    let server = start();
    let rows = [
        row("2021", "25.25", "A,EUR,9,,,"),
        row("2022", "31.2", "A,USD,9,,,"),
        row("2023", "41", "A,USD,9,,,").replace(",I,", ",D,"),
        row("2024-13", "41", "A,USD,9,,,"),
    ];
    let ran = import(&server, &file(&rows), &[]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.out.contains("new 1") && ran.out.contains("rejected 3"),
        "{ran:?}"
    );
    for line in [
        "line 2, UNIT_MEASURE",
        "line 4, ACTION",
        "line 5, TIME_PERIOD",
    ] {
        assert!(ran.err.contains(line), "{line} in {}", ran.err);
    }
    let twice = [
        row("2023", "41", "A,USD,9,,,"),
        row("2023", "42", "A,USD,9,,,"),
    ];
    for options in [["--all-or-nothing"], ["--dry-run"]] {
        let ran = import(&server, &file(&twice), &options);
        assert!(ran.out.contains("nothing was written"), "{ran:?}");
    }
    assert!(!list(&server).contains("\"2023\""));
}

#[test]
fn many_sources_are_spread_over_batches() {
    let server = start();
    let rows: Vec<String> = (0..2_500)
        .map(|year| {
            row(
                &format!("{:04}", year + 1),
                "1",
                &format!("A,USD,9,,Speech {year},Paper"),
            )
        })
        .collect();
    let ran = import(&server, &file(&rows), &[]);
    assert!(ran.out.contains("new 2,500"), "{ran:?}");
    let name = "datasets/press/observations/CHN.KAZ.T.NA.TOTAL.2024";
    let found = server.ask(&["trade", "get", name]);
    assert!(found.contains("Paper: Speech 2023"), "{found}");
}

#[test]
fn a_file_for_a_dataset_that_is_not_there_is_told_how_to_create_it() {
    let server = Server::start();
    let ran = import(&server, &file(&[row("2021", "1", "A,USD,9,,,")]), &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains("entente trade datasets create press"),
        "{ran:?}"
    );
}

#[test]
fn names_that_make_no_sense_are_refused_before_anything_is_sent() {
    let server = start();
    for options in [["--map", "GOODS=X"], ["--set", "FLOW"]] {
        let ran = import(&server, "", &options);
        assert_eq!(ran.code, 2, "{ran:?}");
    }
    let ran = import(&server, "a,b\n1,2\n", &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("not an SDMX-CSV file"), "{ran:?}");
}
