//! Files of UN Comtrade, imported and read back.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

mod common;

use std::io::Write;

use common::{Server, file, row, samples};

const KOREA: [&str; 5] = ["trade", "series", "CHN", "KOR", "-ocsv"];
const KAZAKHSTAN: [&str; 5] = ["trade", "series", "CHN", "KAZ", "-ocsv"];

/// A column of a CSV answer.
fn column(answer: &str, title: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(answer.as_bytes());
    let at = reader.headers().unwrap().iter().position(|t| t == title);
    let at = at.unwrap_or_else(|| panic!("no column {title} in {answer}"));
    reader
        .records()
        .map(|record| record.unwrap()[at].to_owned())
        .collect()
}

fn import(server: &Server, input: &str, options: &[&str]) -> common::Ran {
    let arguments = [&["import", "comtrade", "-"], options].concat();
    server.run_with(&arguments, input.as_bytes())
}

#[test]
fn chinas_exports_come_back_as_series_across_revisions() {
    let Some(samples) = samples() else { return };
    let server = Server::start();
    let sample = samples.join("comtradr_vignette_2_CHN_KOR_etc_exports_2012.csv");
    let sample = sample.to_str().unwrap();
    assert!(
        server
            .ask(&["import", "comtrade", sample])
            .contains("new 33, revised 0")
    );
    for partner in ["KOR", "MEX", "USA"] {
        let series = server.ask(&["trade", "series", "CHN", partner, "-ocsv"]);
        let years: Vec<String> = (2012..=2022).map(|year| year.to_string()).collect();
        assert_eq!(column(&series, "period"), years);
        let growth = column(&series, "growth");
        assert!(
            growth[0].is_empty() && growth[1..].iter().all(|g| !g.is_empty()),
            "{growth:?}"
        );
    }
    let korea = server.ask(&KOREA);
    assert_eq!(column(&korea, "value")[0], "87673764182");
    assert_eq!(column(&korea, "classification")[4..6], ["H4", "H5"]);
    let again = server.ask(&["import", "comtrade", sample]);
    assert!(again.contains("new 0, revised 0, unchanged 33") && again.contains("nothing changed"));
}

#[test]
fn thailands_re_imports_are_not_added_to_its_imports() {
    let Some(samples) = samples() else { return };
    let server = Server::start();
    let sample = samples.join("comtradr_vignette_3_THA_imports_shrimp_2007.csv");
    let imported = server.ask(&["import", "comtrade", sample.to_str().unwrap()]);
    assert!(imported.contains("new 1,586"), "{imported}");
    let flows = |flow: &str| {
        let list = [
            "trade",
            "list",
            "--reporter",
            "THA",
            "--flow",
            flow,
            "--limit",
            "2000",
            "-ocsv",
        ];
        column(&server.ask(&list), "value").len()
    };
    assert_eq!([flows("M"), flows("X"), flows("RM")], [388, 1183, 15]);
    let own = [
        "trade",
        "list",
        "--reporter",
        "THA",
        "--partner",
        "THA",
        "--from",
        "2007",
    ];
    let own = server.ask(&[&own[..], &["--to", "2007", "--code", "030613", "-ocsv"]].concat());
    assert_eq!(column(&own, "flow"), ["M", "RM"]);
    // The same goods, once as imports and once as the part of these that are re-imports.
    assert_eq!(column(&own, "value"), ["694103", "694103"]);
}

#[test]
fn the_bulk_file_the_old_csv_and_json_are_read_too() {
    let Some(samples) = samples() else { return };
    let server = Server::start();
    let names = [
        "comtradr_bulkfile_ARG_2000_H0_first100.csv",
        "legacy_comtrade_2016_HS01_excerpt.csv",
        "api_get_C_A_HS_CHN_imports_2010_2011.json",
        "bulk_error.json",
    ];
    let paths = names.map(|name| samples.join(name).to_str().unwrap().to_owned());
    let mut arguments = vec!["import", "comtrade"];
    arguments.extend(paths.iter().map(String::as_str));
    let imported = server.ask(&arguments);
    for count in ["100 figures", "12 figures", "4 figures", "0 figures"] {
        assert!(imported.contains(count), "{imported}");
    }
    let argentina = server.ask(&["trade", "series", "ARG", "WLD", "-ocsv"]);
    assert_eq!(column(&argentina, "value"), ["26341029193"]);
    let hong_kong = server.ask(&["trade", "list", "--reporter", "HKG", "-ocsv"]);
    assert_eq!(column(&hong_kong, "flow"), ["M", "X", "RX"]);
    assert_eq!(
        column(&hong_kong, "value"),
        ["596925427", "1373442", "1188902"]
    );
}

#[test]
fn a_changed_value_is_a_revision_and_the_old_one_is_kept() {
    let server = Server::start();
    let first = import(
        &server,
        &file(&[row(2022, "TOTAL", "100"), row(2023, "TOTAL", "130")]),
        &[],
    );
    assert!(first.out.contains("new 2"), "{first:?}");
    let name = "datasets/comtrade/observations/CHN.KAZ.X.H6.TOTAL.2023";
    let then = column(&server.ask(&["trade", "get", name, "-ocsv"]), "vintage").remove(0);
    let second = import(
        &server,
        &file(&[row(2022, "TOTAL", "100"), row(2023, "TOTAL", "135")]),
        &[],
    );
    assert!(
        second.out.contains("new 0, revised 1, unchanged 1"),
        "{second:?}"
    );
    assert_eq!(column(&server.ask(&KAZAKHSTAN), "value"), ["100", "135"]);
    let before = [&KAZAKHSTAN[..], &["--as-of", &then]].concat();
    let before = server.ask(&before);
    assert_eq!(column(&before, "value"), ["100", "130"]);
    assert_eq!(column(&before, "growth"), ["", "0.3"]);
}

#[test]
fn a_rejected_row_is_told_by_line_and_the_others_go_in() {
    let server = Server::start();
    let rows = [
        row(2021, "TOTAL", "100"),
        row(2022, "TOTAL", "NaN"),
        row(2023, "TOTAL", "1e400"),
        row(2023, "8703", "１００"),
        row(2023, "8704", "1,5"),
        row(2024, "TOTAL", "140"),
    ];
    let ran = import(&server, &file(&rows), &[]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.out.contains("new 2") && ran.out.contains("rejected 4"),
        "{ran:?}"
    );
    for line in [
        "line 3, primaryValue",
        "line 4, primaryValue",
        "line 5, primaryValue",
        "line 6",
    ] {
        assert!(ran.err.contains(line), "{line} in {}", ran.err);
    }
    assert_eq!(column(&server.ask(&KAZAKHSTAN), "value"), ["100", "140"]);
}

#[test]
fn a_figure_given_twice_with_two_values_is_rejected_however_far_apart() {
    let server = Server::start();
    let mut rows = vec![row(2022, "TOTAL", "100")];
    rows.extend(
        (0..25_000).map(|n| row(1990 + n / 1_000, &format!("{:06}", 10_000 + n % 1_000), "1")),
    );
    rows.push(row(2022, "TOTAL", "101"));
    let ran = import(&server, &file(&rows), &[]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(
        ran.err.contains("line 25003") && ran.err.contains("another value"),
        "{}",
        ran.err
    );
    assert_eq!(column(&server.ask(&KAZAKHSTAN), "value"), ["100"]);
}

#[test]
fn all_or_nothing_writes_nothing_of_a_file_with_a_bad_row() {
    let server = Server::start();
    let bad = [row(2021, "TOTAL", "100"), row(2022, "TOTAL", "-5")];
    let twice = [row(2021, "TOTAL", "100"), row(2021, "TOTAL", "101")];
    for rows in [&bad, &twice] {
        let ran = import(&server, &file(rows), &["--all-or-nothing"]);
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(
            ran.out.contains("nothing was written") && ran.err.contains("line 3"),
            "{ran:?}"
        );
    }
    assert!(column(&server.ask(&KAZAKHSTAN), "value").is_empty());
    let good = import(
        &server,
        &file(&[row(2021, "TOTAL", "100")]),
        &["--all-or-nothing"],
    );
    assert_eq!(good.code, 0, "{good:?}");
    assert_eq!(column(&server.ask(&KAZAKHSTAN), "value"), ["100"]);
}

#[test]
fn a_dry_run_counts_and_writes_nothing() {
    let server = Server::start();
    import(&server, &file(&[row(2021, "TOTAL", "100")]), &[]);
    let rows = file(&[row(2021, "TOTAL", "105"), row(2022, "TOTAL", "110")]);
    let ran = import(&server, &rows, &["--dry-run"]);
    assert!(ran.out.contains("new 1, revised 1"), "{ran:?}");
    assert_eq!(column(&server.ask(&KAZAKHSTAN), "value"), ["100"]);
}

#[test]
fn breakdowns_never_end_up_in_totals() {
    let server = Server::start();
    let total = row(2022, "TOTAL", "100");
    let rows = [
        total.clone(),
        total.replace(",398,0,", ",398,643,").replace(",100", ",40"),
        total.replace(",C00,", ",C06,").replace(",100", ",30"),
        total
            .replace(",C00,0,", ",C00,2100,")
            .replace(",100", ",20"),
    ];
    let ran = import(&server, &file(&rows), &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        ran.out.matches("left out as breakdowns").count(),
        3,
        "{}",
        ran.out
    );
    assert_eq!(column(&server.ask(&KAZAKHSTAN), "value"), ["100"]);
}

#[test]
fn a_gzip_file_and_a_truncated_one() {
    let server = Server::start();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed
        .write_all(file(&[row(2021, "TOTAL", "100")]).as_bytes())
        .unwrap();
    let packed = packed.finish().unwrap();
    let ran = server.run_with(&["import", "comtrade", "-"], &packed[..packed.len() - 6]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("gzip stream ends too early"), "{ran:?}");
    let ran = server.run_with(&["import", "comtrade", "-"], &packed);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(column(&server.ask(&KAZAKHSTAN), "value"), ["100"]);
}

#[test]
fn an_import_goes_on_under_its_id() {
    let server = Server::start();
    let rows = file(&[row(2021, "TOTAL", "100"), row(2022, "TOTAL", "110")]);
    import(&server, &rows, &["--ingest-id", "mine"]);
    let again = import(&server, &rows, &["--ingest-id", "mine"]);
    assert!(
        again.out.contains("batches that were in already: 1"),
        "{again:?}"
    );
    assert!(again.out.contains("nothing changed"), "{again:?}");
}

#[test]
fn what_is_no_comtrade_file_is_told() {
    let server = Server::start();
    for (input, told) in [
        ("a,b,c\n1,2,3\n", "not a UN Comtrade file"),
        ("", "not a UN Comtrade file"),
        ("{\"error\": \"quota exceeded\"}", "quota exceeded"),
    ] {
        let ran = import(&server, input, &[]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
    let unclosed = file(&[row(2021, "\"TOTAL", "100")]) + &"x".repeat(100 << 10);
    let ran = import(&server, &unclosed, &[]);
    assert!(ran.err.contains("line 2"), "{}", ran.err);
    let missing = server.run(&["import", "comtrade", "/nowhere/at-all.csv"]);
    assert_eq!(missing.code, 1);
    assert!(
        missing.err.contains("/nowhere/at-all.csv"),
        "{}",
        missing.err
    );
}

#[test]
fn an_import_whose_service_dies_says_so_and_how_to_go_on() {
    let mut server = Server::start();
    // More than fits into the connection, and no end: the rest never comes.
    let rows: Vec<String> = (0..60_000)
        .map(|n| {
            row(
                1990 + n / 10_000,
                &format!("{:06}", 10_000 + n % 10_000),
                "1",
            )
        })
        .collect();
    let mut import = common::entente();
    import
        .env("ENTENTE_SERVER", &server.url)
        .args(["import", "comtrade", "-"]);
    let mut import = import
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = import.stdin.take().unwrap();
    stdin.write_all(file(&rows).as_bytes()).unwrap();
    server.kill();
    drop(stdin);
    let output = import.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("--ingest-id comtrade-"), "{err}");
}

#[test]
fn a_file_that_is_refused_leaves_no_dataset_behind() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no.csv");
    std::fs::write(&path, "a,b\n1,2\n").unwrap();
    let ran = server.run(&["import", "comtrade", path.to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        !server
            .ask(&["trade", "datasets"])
            .contains("datasets/comtrade")
    );
}

#[test]
fn rejections_of_batches_that_are_in_are_told_again() {
    let server = Server::start();
    let rows = file(&[row(2021, "TOTAL", "100"), row(2021, "TOTAL", "101")]);
    for _ in 0..2 {
        let ran = import(&server, &rows, &["--ingest-id", "mine"]);
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.out.contains("rejected 1"), "{ran:?}");
    }
}
