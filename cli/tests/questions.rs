//! Questions about figures: balances, rankings, both sides, indicators, coverage.

mod common;

use common::{Server, TITLES};

/// A row in the layout of the API.
fn row(period: &str, reporter: u16, flow: &str, partner: u16, code: &str, value: &str) -> String {
    let (frequency, month) = match period.len() {
        4 => ("A", "52"),
        _ => ("M", &period[4..]),
    };
    let year = &period[..4];
    format!(
        "C,{frequency},{year},{month},{period},{reporter},{flow},{partner},0,H6,{code},C00,0,0,-1,,,{value}"
    )
}

const CHN: u16 = 156;
const KAZ: u16 = 398;
const KOR: u16 = 410;
const WORLD: u16 = 0;

/// China's side of two years with two partners, Kazakhstan's of one.
fn desk() -> Server {
    let server = Server::start();
    let rows = [
        row("2022", CHN, "X", KAZ, "TOTAL", "13000000000"),
        row("2022", CHN, "X", KAZ, "87", "4000000000"),
        row("2022", CHN, "X", KAZ, "85", "5000000000"),
        row("2022", CHN, "X", KOR, "TOTAL", "26000000000"),
        row("2022", CHN, "X", WORLD, "TOTAL", "65000000000"),
        row("2022", CHN, "M", KAZ, "TOTAL", "10000000000"),
        row("2023", CHN, "X", KAZ, "TOTAL", "24000000000"),
        row("2023", CHN, "X", KAZ, "87", "8000000000"),
        row("2023", CHN, "X", KAZ, "85", "6000000000"),
        row("2023", CHN, "X", KOR, "TOTAL", "16000000000"),
        row("2023", CHN, "X", WORLD, "TOTAL", "80000000000"),
        row("2023", CHN, "M", KAZ, "TOTAL", "16000000000"),
        row("2023", KAZ, "M", CHN, "TOTAL", "16960000000"),
        row("202401", CHN, "X", KAZ, "TOTAL", "2000000000"),
        row("202402", CHN, "X", KAZ, "TOTAL", "1000000000"),
        row("202401", CHN, "M", KAZ, "TOTAL", "1500000000"),
        row("202402", CHN, "M", KAZ, "TOTAL", "500000000"),
    ];
    let file = format!("{TITLES}\n{}\n", rows.join("\n"));
    let ran = server.run_with(&["import", "comtrade", "-"], file.as_bytes());
    assert_eq!(ran.code, 0, "{ran:?}");
    server
}

/// The cells of the line that begins with a text.
fn cells<'a>(printed: &'a str, start: &str) -> Vec<&'a str> {
    let line = printed.lines().find(|line| line.trim().starts_with(start));
    line.unwrap_or_else(|| panic!("no line {start} in {printed}"))
        .split_whitespace()
        .collect()
}

#[test]
fn a_balance_shows_both_flows_and_what_they_make() {
    let desk = desk();
    let printed = desk.ask(&["trade", "balance", "CHN", "KAZ"]);
    assert_eq!(
        cells(&printed, "2023"),
        [
            "2023", "24,000.0", "16,000.0", "8,000.0", "+166.7", "%", "40,000.0", "+73.9", "%",
            "[1]"
        ]
    );
    assert!(
        printed.contains("(a) no figure for the year before"),
        "{printed}"
    );
    let csv = desk.ask(&["trade", "balance", "CHN", "KAZ", "-ocsv"]);
    assert!(csv.contains(",8000000000,USD,"), "{csv}");
    assert!(
        csv.contains(",turnover,,24000000000,16000000000,2,"),
        "{csv}"
    );
    let json = desk.ask(&["trade", "balance", "CHN", "KAZ", "-ojson"]);
    let both: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let measures: Vec<&str> = both
        .iter()
        .map(|one| one["measure"].as_str().unwrap())
        .collect();
    assert_eq!(measures, ["MEASURE_BALANCE", "MEASURE_TURNOVER"]);
}

#[test]
fn months_are_added_up_or_the_missing_one_is_named() {
    let desk = desk();
    let printed = desk.ask(&["trade", "balance", "CHN", "KAZ", "--months", "1..2"]);
    let line = cells(&printed, "2024-01..2024-02");
    assert_eq!(line[1..4], ["3,000.0", "2,000.0", "1,000.0"]);
    let short = desk.ask(&["trade", "balance", "CHN", "KAZ", "--months", "1..3"]);
    assert!(
        short.contains("missing CHN with KAZ, X, TOTAL, 2024-03"),
        "{short}"
    );
    let both = desk.run(&[
        "trade",
        "series",
        "CHN",
        "KAZ",
        "--months",
        "1..2",
        "--frequency",
        "month",
    ]);
    assert_eq!(both.code, 2, "{both:?}");
    let backwards = desk.run(&["trade", "series", "CHN", "KAZ", "--months", "5..1"]);
    assert!(
        backwards.err.contains("1..5 is January to May"),
        "{backwards:?}"
    );
}

#[test]
fn a_series_of_a_measure_shows_its_parts() {
    let desk = desk();
    let printed = desk.ask(&["trade", "series", "CHN", "KAZ", "--measure", "turnover"]);
    assert!(
        printed.contains("turnover (exports + imports)"),
        "{printed}"
    );
    assert_eq!(
        cells(&printed, "2022")[1..4],
        ["13,000,000,000", "10,000,000,000", "23,000,000,000"]
    );
    let either = desk.run(&[
        "trade",
        "series",
        "CHN",
        "KAZ",
        "--measure",
        "turnover",
        "--flow",
        "M",
    ]);
    assert_eq!(either.code, 2, "{either:?}");
}

#[test]
fn a_ranking_accounts_for_the_whole_and_shows_who_rose() {
    let desk = desk();
    let printed = desk.ask(&["trade", "rank", "partners", "CHN", "--period", "2023"]);
    assert_eq!(
        cells(&printed, "1"),
        [
            "1",
            "KAZ",
            "Kazakhstan",
            "24,000,000,000",
            "30.0",
            "%",
            "+84.6",
            "%",
            "▲",
            "2",
            "[1]"
        ]
    );
    assert_eq!(cells(&printed, "2 ")[0..2], ["2", "KOR"]);
    assert!(printed.contains("▼ 1"), "{printed}");
    assert!(
        printed.contains("Total as published: 80,000,000,000 USD; shares are of it."),
        "{printed}"
    );
    assert!(printed.contains("not broken down"), "{printed}");
    assert!(
        printed.contains("Concentration (HHI) 0.52, normalised 0.04"),
        "{printed}"
    );
    let top = desk.ask(&[
        "trade", "rank", "partners", "CHN", "--period", "2023", "--top", "1", "-ocsv",
    ]);
    assert!(top.contains(",the other 1,16000000000,USD,0.2,"), "{top}");
}

#[test]
fn goods_are_ranked_within_their_level() {
    let desk = desk();
    let printed = desk.ask(&[
        "trade",
        "rank",
        "commodities",
        "CHN",
        "KAZ",
        "--period",
        "2023",
    ]);
    let first = cells(&printed, "1 ");
    assert_eq!(first[1], "87", "{printed}");
    assert!(printed.contains("8,000,000,000"), "{printed}");
    let level = desk.run(&[
        "trade",
        "rank",
        "commodities",
        "CHN",
        "KAZ",
        "--period",
        "2023",
        "--level",
        "3",
    ]);
    assert!(
        level.code == 2 && level.err.contains("2, 4 or 6"),
        "{level:?}"
    );
    let none = desk.ask(&["trade", "rank", "partners", "FRA", "--period", "2023"]);
    assert!(
        none.contains("Nothing to rank: no figures of this reporter."),
        "{none}"
    );
}

#[test]
fn both_sides_stand_next_to_each_other_with_their_gap() {
    let desk = desk();
    let printed = desk.ask(&["trade", "mirror", "CHN", "KAZ", "--period", "2023"]);
    for part in [
        "From China to Kazakhstan, 2023",
        "24,000,000,000 USD",
        "16,960,000,000 USD",
        "Gap 7.04 bn USD",
        "34.4 % of the mean, 29.3 % of China's figure, 41.5 % of Kazakhstan's figure",
        "At FOB: 16.96 bn / (1 + 0.06) = 16 bn, gap 8 bn",
        "From Kazakhstan to China, 2023",
        "Kazakhstan has no figure",
        "Missing: KAZ with CHN, X, TOTAL, 2023, comtrade",
        "Turnover of China and Kazakhstan",
    ] {
        assert!(printed.contains(part), "{part} in {printed}");
    }
    let other = desk.ask(&[
        "trade",
        "mirror",
        "CHN",
        "KAZ",
        "--period",
        "2023",
        "--cif-fob",
        "10%",
    ]);
    assert!(other.contains("16.96 bn / (1 + 0.1) = 15.42 bn"), "{other}");
    let three = desk.run(&[
        "trade",
        "mirror",
        "CHN",
        "KAZ",
        "--period",
        "2023",
        "--datasets",
        "a,b,c",
    ]);
    assert!(
        three
            .err
            .contains("one dataset, or the first side's and the second's"),
        "{three:?}"
    );
}

#[test]
fn an_indicator_stands_with_its_inputs_or_its_reason() {
    let desk = desk();
    let printed = desk.ask(&[
        "trade",
        "indicators",
        "CHN",
        "KAZ",
        "--period",
        "2023",
        "--kind",
        "rca,commodities",
    ]);
    assert!(
        printed.contains("none, since it is about single goods: give --code"),
        "{printed}"
    );
    assert!(
        printed.contains("concentration of goods: 0.510204"),
        "{printed}"
    );
    let csv = desk.ask(&[
        "trade",
        "indicators",
        "CHN",
        "KAZ",
        "--period",
        "2023",
        "-ocsv",
    ]);
    assert_eq!(csv.lines().count(), 7, "{csv}");
}

#[test]
fn a_dataset_says_what_it_covers() {
    let desk = desk();
    let printed = desk.ask(&["trade", "datasets", "show", "comtrade"]);
    assert!(printed.contains("exports FOB, imports CIF"), "{printed}");
    let line = printed
        .lines()
        .find(|line| line.contains("CHN") && line.contains(" X ") && line.contains("year"));
    let line: Vec<&str> = line.unwrap().split_whitespace().collect();
    assert_eq!(
        line,
        ["CHN", "X", "year", "2022", "2023", "2", "total", "2", "H6"]
    );
    let json = desk.ask(&[
        "trade",
        "datasets",
        "show",
        "comtrade",
        "--reporter",
        "KAZ",
        "-ojson",
    ]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["coverage"]["coverage"].as_array().unwrap().len(), 1);
    assert!(desk.ask(&["trade", "datasets"]).contains("UN Comtrade"));
}

#[test]
fn a_balance_and_a_ranking_are_drawn_into_a_file() {
    let desk = desk();
    let file = desk.folder.path().join("chart.svg");
    let path = file.to_str().unwrap();
    desk.ask(&["trade", "balance", "CHN", "KAZ", "--svg", path]);
    let drawn = std::fs::read_to_string(&file).unwrap();
    assert!(drawn.contains("exports, imports, balance"), "{drawn}");
    desk.ask(&[
        "trade", "rank", "partners", "CHN", "--period", "2023", "--svg", path,
    ]);
    let drawn = std::fs::read_to_string(&file).unwrap();
    assert!(drawn.contains("KAZ Kazakhstan"), "{drawn}");
    let inline = desk.ask(&[
        "trade", "rank", "partners", "CHN", "--period", "2023", "--svg", "-",
    ]);
    assert!(
        inline.starts_with("<?xml") && !inline.contains("────"),
        "{inline}"
    );
}
