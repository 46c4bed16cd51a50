//! The other commands: demonstration, serving, questions, help.

mod common;

use std::process::Stdio;

use common::{Server, entente, file, interrupt, row, run, start};

#[test]
fn the_demonstration_shows_both_sides_and_finds_its_data_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let (mut first, _, printed) = start(&["demo", "--data", data]);
    assert!(
        printed.contains("Loaded 19 demonstration figures"),
        "{printed}"
    );
    for figure in [
        "25.25 bn [",
        "18.2 bn [",
        "over 30 bn",
        "52.3 % of the\n  mean, 41.4 % of China's, 70.7 % of Kazakhstan's",
        "It implies 14.93 bn for January to May 2023.",
        "next, head of state: 2024-07-02 to 2024-07-04, state visit",
    ] {
        assert!(printed.contains(figure), "{figure} in {printed}");
    }
    assert_eq!(interrupt(&mut first), 0);
    let (mut second, url, printed) = start(&["demo", "--data", data]);
    assert!(
        printed.contains("Found the demonstration figures"),
        "{printed}"
    );
    let mut series = entente();
    series.args([
        "trade", "series", "CHN", "KAZ", "--server", &url, "--flow", "T",
    ]);
    series.args(["--dataset", "china-customs", "--output", "json"]);
    let ran = run(series, b"");
    assert!(
        ran.out.contains("\"25250000000\"") && ran.out.contains("\"0.235644\""),
        "{ran:?}"
    );
    assert_eq!(interrupt(&mut second), 0);
}

#[test]
fn what_was_said_is_no_figure_of_the_demonstration() {
    let folder = tempfile::tempdir().unwrap();
    let (mut demo, url, _) = start(&["demo", "--data", folder.path().to_str().unwrap()]);
    let ask = |arguments: &[&str]| {
        let mut command = entente();
        command.args(arguments).args(["--server", &url]);
        let ran = run(command, b"");
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out
    };
    let cumulated = ask(&[
        "trade",
        "series",
        "CHN",
        "KAZ",
        "--flow",
        "T",
        "--dataset",
        "china-customs",
        "--frequency",
        "cumulated",
        "-ocsv",
    ]);
    assert!(
        cumulated.contains("2023-01..2023-10,32700000000"),
        "{cumulated}"
    );
    assert!(!cumulated.contains("17620000000"), "{cumulated}");
    let said = ask(&["trade", "statements", "show", "ambassador-2024"]);
    assert!(said.contains("17,620,000,000 USD, to 10,000,000"), "{said}");
    assert!(ask(&["trade", "check", "--all"]).contains("central-asia-2024"));
    assert!(ask(&["trade", "sectors"]).contains("automobiles"));
    assert_eq!(interrupt(&mut demo), 0);
}

#[test]
fn an_address_that_others_reach_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut serve = entente();
    serve
        .args(["serve", "trade", "--listen", "0.0.0.0:0", "--data"])
        .arg(folder.path());
    let ran = run(serve, b"");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("--insecure"), "{ran:?}");
}

#[test]
fn a_second_process_on_the_same_data_is_told() {
    let server = Server::start();
    let mut second = entente();
    second
        .args(["serve", "trade", "--listen", "127.0.0.1:0", "--data"])
        .arg(server.folder.path());
    let ran = run(second, b"");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("in use by another process"), "{ran:?}");
}

#[test]
fn a_service_that_is_not_there_is_told_with_what_to_do() {
    let mut ask = entente();
    ask.args([
        "trade",
        "series",
        "CHN",
        "KAZ",
        "--server",
        "http://127.0.0.1:1",
    ]);
    let ran = run(ask, b"");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains("cannot reach http://127.0.0.1:1"),
        "{ran:?}"
    );
    assert!(ran.err.contains("entente serve trade"), "{ran:?}");
}

#[test]
fn a_wrong_question_names_its_field() {
    let server = Server::start();
    let country = server.run(&["trade", "series", "XXX", "KAZ"]);
    assert_eq!(country.code, 2, "{country:?}");
    assert!(country.err.contains("XXX"), "{country:?}");
    server.run_with(
        &["import", "comtrade", "-"],
        file(&[row(2021, "TOTAL", "1")]).as_bytes(),
    );
    let window = server.run(&[
        "trade", "series", "CHN", "KAZ", "--from", "2022", "--to", "2020",
    ]);
    assert_eq!(window.code, 1, "{window:?}");
    assert!(
        window.err.contains("window.end: must be after"),
        "{window:?}"
    );
    let name = server.run(&["trade", "get", "datasets/comtrade/observations/CHN.KAZ"]);
    assert!(name.err.contains("name: "), "{name:?}");
}

#[test]
fn an_empty_answer_says_why() {
    let server = Server::start();
    server.run_with(
        &["import", "comtrade", "-"],
        file(&[row(2021, "TOTAL", "1")]).as_bytes(),
    );
    let why = |arguments: &[&str]| server.ask(&[&["trade", "series"], arguments].concat());
    assert!(why(&["KAZ", "CHN"]).contains("has no figures of KAZ"));
    assert!(why(&["CHN", "USA"]).contains("has no figures of CHN with USA"));
    assert!(why(&["CHN", "KAZ", "--flow", "M"]).contains("in this flow"));
    assert!(why(&["CHN", "KAZ", "--code", "87"]).contains("for 87"));
    assert!(why(&["CHN", "KAZ", "--frequency", "month"]).contains("of another length"));
    assert!(why(&["CHN", "KAZ", "--from", "2030"]).contains("has not published these periods yet"));
    assert!(why(&["CHN", "KAZ", "--as-of", "2999-01-01"]).contains("2021"));
}

#[test]
fn a_series_is_drawn_into_a_file_or_to_standard_output() {
    let server = Server::start();
    let rows: Vec<_> = (2005..2020)
        .map(|year| row(year, "TOTAL", "5000000"))
        .collect();
    server.run_with(&["import", "comtrade", "-"], file(&rows).as_bytes());
    let path = server.folder.path().join("chart.svg");
    let path = path.to_str().unwrap();
    let ask = ["trade", "series", "CHN", "KAZ", "--svg"];
    let table = server.ask(&[&ask[..], &[path]].concat());
    assert!(table.contains("m USD") && table.contains('┤'), "{table}");
    let svg = std::fs::read_to_string(path).unwrap();
    assert!(svg.contains("China with Kazakhstan: exports"), "{svg}");
    let printed = server.ask(&[&ask[..], &["-"]].concat());
    assert_eq!(printed, svg);
    let folder = server.folder.path().to_str().unwrap();
    let refused = server.run(&[&ask[..], &[folder]].concat());
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains(folder), "{refused:?}");
}

#[test]
fn output_that_nobody_reads_to_its_end_is_no_error() {
    let server = Server::start();
    let rows: Vec<String> = (0..3_000)
        .map(|n| row(2021, &format!("{:06}", 10_000 + n), "1"))
        .collect();
    server.run_with(&["import", "comtrade", "-"], file(&rows).as_bytes());
    let mut list = entente()
        .args([
            "trade",
            "list",
            "--limit",
            "3000",
            "-ocsv",
            "--server",
            &server.url,
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(list.stdout.take());
    let output = list.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn help_and_completions_are_there() {
    for arguments in [
        &["--help"][..],
        &["serve", "trade", "--help"],
        &["import", "comtrade", "--help"],
        &["trade", "series", "--help"],
    ] {
        let mut help = entente();
        help.args(arguments);
        let ran = run(help, b"");
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.contains("Usage:"), "{ran:?}");
    }
    let mut serve = entente();
    serve.args(["serve", "trade", "--help"]);
    let help = run(serve, b"").out;
    assert!(
        help.contains("env: ENTENTE_LISTEN") && help.contains("127.0.0.1:50051"),
        "{help}"
    );
    let mut completions = entente();
    completions.args(["completions", "bash"]);
    assert!(run(completions, b"").out.contains("_entente"));
}
