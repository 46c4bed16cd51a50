//! Sectors, statements and their check, vintages and changes, names and conversions; and how they come in.

mod common;

use common::{Server, entente, file, row, run};

const CLAIMS: &str = "\
claim_id,pair,metric,period,value_usd_bn,growth_pct,statistical_side,source_url,source_date,note
1,CHN-KAZ,turnover,2021,25.25,,CHN (GACC),https://example.org/a,2023,
2,CHN-KAZ,CHN exports to KAZ,2021,14.0,23.6,CHN,https://www.example.org/b,2023-01,
3,CHN-KAZ,turnover,2023,30.0,30,KAZ (PM: 'exceeds 30 bn'),https://example.org/c,2024,lower bound
4,CHN-CA5,turnover,2024,94.82,,CHN (GACC),https://example.org/d,2025-01-23,\"five, together\"
5,CHN-KAZ,mirror gap CHN exports vs KAZ imports,2022,5.2,,both,https://example.org/e,,
6,CHN-KAZ,turnover,2024-01..2024-05,17.62,18,UNVERIFIED (given),,,not found
";

fn import(server: &Server, kind: &[&str], text: &str) -> common::Ran {
    server.run_with(&[&["import"], kind].concat(), text.as_bytes())
}

#[test]
fn claims_come_in_once_and_are_told_when_they_say_something_else() {
    let server = Server::start();
    let dry = import(&server, &["statements", "-", "--dry-run"], CLAIMS);
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(dry.out.contains("nothing was written"), "{dry:?}");
    let first = import(&server, &["statements", "-"], CLAIMS);
    assert_eq!(first.code, 0, "{first:?}");
    assert!(
        first.out.contains("new 6, unchanged 0, rejected 0"),
        "{first:?}"
    );
    let again = import(&server, &["statements", "-"], CLAIMS);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(
        again.out.contains("new 0, unchanged 6, rejected 0"),
        "{again:?}"
    );
    assert!(again.out.contains("nothing changed"), "{again:?}");
    let changed = import(
        &server,
        &["statements", "-"],
        &CLAIMS.replace("94.82", "94.9"),
    );
    assert_eq!(changed.code, 3, "{changed:?}");
    assert!(
        changed
            .err
            .contains("line 5, claim_id: the stored statement of this id says something else"),
        "{changed:?}"
    );
}

#[test]
fn a_claim_that_is_none_is_named_and_the_others_go_in() {
    let server = Server::start();
    let wrong = CLAIMS.replace("2021,14.0", "2021,fourteen");
    let ran = import(&server, &["statements", "-"], &wrong);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("line 3, value_usd_bn: "), "{ran:?}");
    assert!(
        ran.out.contains("new 5, unchanged 0, rejected 1"),
        "{ran:?}"
    );
    let titles = import(&server, &["statements", "-"], "claim,pair\n1,CHN-KAZ\n");
    assert_eq!(titles.code, 1, "{titles:?}");
    assert!(
        titles.err.contains("there is no column `claim_id`"),
        "{titles:?}"
    );
}

#[test]
fn the_claims_of_the_press_come_in_as_they_are() {
    let Some(samples) = common::samples() else {
        return;
    };
    let claims = samples.join("../claims/press_claims_CHN_KAZ_trade.csv");
    let server = Server::start();
    let claims = claims.to_str().unwrap();
    let ran = server.run(&["import", "statements", claims]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("25 statements") && ran.out.contains("new 25"),
        "{ran:?}"
    );
    let listed = server.ask(&["trade", "statements", "-ojson"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["statements"].as_array().unwrap().len(), 25);
    let quoting = server.ask(&["trade", "statements", "show", "claim-21"]);
    assert!(quoting.contains("KAZ president quoting"), "{quoting}");
    assert!(!quoting.contains("\nside"), "{quoting}");
    let again = server.run(&["import", "statements", claims]);
    assert!(again.out.contains("unchanged 25"), "{again:?}");
    let all = server.ask(&["trade", "check", "--all", "-ocsv"]);
    assert_eq!(
        all.lines()
            .filter(|line| line.contains("statements/claim-"))
            .count(),
        25,
        "{all}"
    );
}

#[test]
fn a_statement_is_listed_shown_and_deleted() {
    let server = Server::start();
    import(&server, &["statements", "-"], CLAIMS);
    let pair = server.ask(&["trade", "statements", "list", "--pair", "CHN", "KGZ"]);
    assert!(
        pair.contains("turnover CHN KAZ +4") && pair.contains("1 statements"),
        "{pair}"
    );
    let shown = server.ask(&["trade", "statements", "show", "claim-3"]);
    for part in [
        "30,000,000,000 USD, to 100,000,000",
        "30 %",
        "lower bound",
        "KAZ (Kazakhstan)",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    server.ask(&["trade", "statements", "delete", "claim-3"]);
    let gone = server.run(&["trade", "statements", "show", "claim-3"]);
    assert!(gone.code == 1 && gone.err.contains("NOT_FOUND"), "{gone:?}");
    let again = import(&server, &["statements", "-"], CLAIMS);
    assert!(
        again
            .err
            .contains("line 4, claim_id: a statement of this id was deleted"),
        "{again:?}"
    );
    assert!(again.out.contains("unchanged 5, rejected 1"), "{again:?}");
}

#[test]
fn a_check_says_the_verdict_first_and_then_its_arithmetic() {
    let server = Server::start();
    let rows = [
        row(2023, "TOTAL", "100000000000"),
        row(2022, "TOTAL", "80000000000"),
    ];
    let ran = import(&server, &["comtrade", "-"], &file(&rows));
    assert_eq!(ran.code, 0, "{ran:?}");
    let check = |value: &str, growth: &str| {
        server.ask(&[
            "trade",
            "check",
            "--country",
            "CHN",
            "--partner",
            "KAZ",
            "--measure",
            "exports",
            "--period",
            "2023",
            "--value",
            value,
            "--growth",
            growth,
        ])
    };
    let right = check("100bn", "25%");
    assert!(right.starts_with("Supported: "), "{right}");
    assert!(
        right.contains("100 bn / (1 + 0.25) = 80 bn for 2022."),
        "{right}"
    );
    assert!(
        right.contains("100 bn against 100 bn [1]: off by 0 (+0.0 %), fits"),
        "{right}"
    );
    let wrong = check("120bn", "25%");
    assert!(wrong.starts_with("Contradicted: "), "{wrong}");
    assert!(
        wrong.contains("off by 20 bn (+20.0 %), contradicts"),
        "{wrong}"
    );
    let none = server.ask(&[
        "trade",
        "check",
        "--country",
        "FRA",
        "--partner",
        "KAZ",
        "--period",
        "2023",
        "--value",
        "1bn",
    ]);
    assert!(none.starts_with("Cannot be checked: "), "{none}");
    let nothing = server.run(&["trade", "check"]);
    assert_eq!(nothing.code, 2, "{nothing:?}");
}

#[test]
fn sectors_are_installed_once_and_changed_by_language() {
    let server = Server::start();
    assert!(
        server
            .ask(&["trade", "sectors"])
            .contains("trade sectors install")
    );
    let first = server.ask(&["trade", "sectors", "install"]);
    assert!(
        first.lines().count() >= 3 && first.lines().all(|line| line.starts_with("created ")),
        "{first}"
    );
    let again = server.ask(&["trade", "sectors", "install"]);
    assert!(
        again.lines().all(|line| line.contains("left as it is")),
        "{again}"
    );
    server.ask(&[
        "trade",
        "sectors",
        "create",
        "--id",
        "cars",
        "--name",
        "en=Cars",
        "--classification",
        "H6",
        "--codes",
        "8703,8704",
    ]);
    server.ask(&[
        "trade",
        "sectors",
        "update",
        "cars",
        "--name",
        "fr=Voitures",
        "--codes",
        "8703",
    ]);
    let shown = server.ask(&["trade", "sectors", "show", "cars"]);
    for part in ["Cars", "Voitures", "H6 8703\n"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let same = server.run(&["trade", "sectors", "update", "cars"]);
    assert!(
        same.code == 1 && same.err.contains("nothing to change"),
        "{same:?}"
    );
    server.ask(&["trade", "sectors", "delete", "cars"]);
    assert_eq!(server.run(&["trade", "sectors", "show", "cars"]).code, 1);
}

#[test]
fn a_sector_comes_from_a_file() {
    let server = Server::start();
    let one = r#"{"sectorId": "tea", "sector": {"displayName": {"texts": {"en": "Tea"}},
        "classification": "H6", "codes": ["0902"]}}"#;
    let made = server.run_with(
        &["trade", "sectors", "create", "--from", "-"],
        one.as_bytes(),
    );
    assert_eq!(made.code, 0, "{made:?}");
    assert!(
        server
            .ask(&["trade", "sectors", "-ocsv"])
            .contains("sectors/tea,Tea,,H6,0902")
    );
    let wrong = server.run_with(
        &["trade", "sectors", "create", "--from", "-"],
        b"{\"id\": 5}",
    );
    assert!(
        wrong.code == 1 && wrong.err.contains("CreateSectorRequest"),
        "{wrong:?}"
    );
}

#[test]
fn a_table_between_revisions_comes_in_whole_or_not_at_all() {
    let server = Server::start();
    let table = "from,to,relationship\n870380,870380,1:1\n850760,850760,n:1\n850761,850760,n:1\n";
    let command = ["concordance", "-", "--from", "H6", "--to", "H5"];
    let wrong = import(&server, &command, &table.replace("850761", "8507x1"));
    assert_eq!(wrong.code, 3, "{wrong:?}");
    assert!(wrong.err.contains("line 4, from: "), "{wrong:?}");
    assert!(wrong.out.contains("nothing was written"), "{wrong:?}");
    let right = import(&server, &command, table);
    assert_eq!(right.code, 0, "{right:?}");
    let converted = server.ask(&["trade", "convert", "870380", "--from", "H6", "--to", "H5"]);
    assert!(
        converted.contains("H5 870380") && converted.contains("1:1"),
        "{converted}"
    );
    assert!(
        converted.contains("the same goods as a whole"),
        "{converted}"
    );
    let both = server.ask(&[
        "trade", "convert", "850760", "850761", "--from", "H6", "--to", "H5",
    ]);
    assert!(both.contains("n:1"), "{both}");
}

#[test]
fn names_of_codes_come_in_and_are_found() {
    let server = Server::start();
    let names = "hscode,description\n8703,Motor cars\n870380,\"Cars, electric\"\nx,Nothing\n";
    let command = [
        "nomenclature",
        "-",
        "--classification",
        "H6",
        "--language",
        "en",
    ];
    let ran = import(&server, &command, names);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("line 4, hscode: "), "{ran:?}");
    assert!(
        ran.out
            .contains("new 2, changed 0, unchanged 0, rejected 1"),
        "{ran:?}"
    );
    let found = server.ask(&["trade", "commodities", "H6", "--contains", "ELECTRIC"]);
    assert!(
        found.contains("870380   Cars, electric") && found.contains("1 codes"),
        "{found}"
    );
    let again = import(&server, &command, names);
    assert!(
        again.out.contains("new 0, changed 0, unchanged 2"),
        "{again:?}"
    );
}

#[test]
fn a_revision_is_a_vintage_and_a_change() {
    let server = Server::start();
    for value in ["25000000000", "26000000000"] {
        let ran = import(
            &server,
            &["comtrade", "-"],
            &file(&[row(2023, "TOTAL", value)]),
        );
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let name = "datasets/comtrade/observations/CHN.KAZ.X.H6.TOTAL.2023";
    let vintages = server.ask(&["trade", "vintages", name]);
    let latest = vintages.find("26,000,000,000 USD").unwrap();
    assert!(
        latest < vintages.find("25,000,000,000 USD").unwrap(),
        "{vintages}"
    );
    assert!(vintages.contains("stands"), "{vintages}");
    let changes = server.ask(&[
        "trade",
        "changes",
        "CHN",
        "KAZ",
        "--since",
        "2020-01-01",
        "--totals",
    ]);
    assert!(
        changes.contains("+4.0 %") && changes.contains("2 changes"),
        "{changes}"
    );
    let csv = server.ask(&["trade", "changes", "CHN", "KAZ", "-ocsv"]);
    assert!(csv.contains("26000000000,USD,25000000000,"), "{csv}");
    let later = server.ask(&["trade", "changes", "CHN", "KAZ", "--since", "2999-01-01"]);
    assert!(later.contains("0 changes"), "{later}");
}

#[test]
fn two_figures_are_compared_or_all_that_differs_is_said() {
    let server = Server::start();
    let rows = [
        row(2023, "TOTAL", "100"),
        row(2022, "TOTAL", "80"),
        row(2023, "87", "10"),
    ];
    import(&server, &["comtrade", "-"], &file(&rows));
    let name = |rest: &str| format!("datasets/comtrade/observations/CHN.KAZ.X.H6.{rest}");
    let growth = server.ask(&["trade", "compare", &name("TOTAL.2023")]);
    assert!(growth.contains("100 / 80 − 1 = +25.0 %"), "{growth}");
    let differ = server.ask(&["trade", "compare", &name("TOTAL.2023"), &name("87.2023")]);
    assert!(
        differ.contains("Not like for like: other goods"),
        "{differ}"
    );
}

#[test]
fn the_words_of_a_dataset_are_changed_and_the_rest_stays() {
    let server = Server::start();
    import(
        &server,
        &["comtrade", "-"],
        &file(&[row(2023, "TOTAL", "100")]),
    );
    let changed = server.ask(&[
        "trade",
        "datasets",
        "update",
        "comtrade",
        "--name",
        "fr=Comtrade",
        "--licence",
        "Ours",
        "--shown-outside",
        "yes",
    ]);
    for part in [
        "fr          Comtrade",
        "en          UN Comtrade",
        "Ours; may be shown outside",
    ] {
        assert!(changed.contains(part), "{part} in {changed}");
    }
    let nothing = server.run(&["trade", "datasets", "update", "comtrade"]);
    assert!(nothing.err.contains("nothing to change"), "{nothing:?}");
}

#[test]
fn every_command_explains_itself() {
    for command in [
        "balance",
        "series",
        "mirror",
        "indicators",
        "check",
        "vintages",
        "changes",
        "compare",
        "commodities",
        "convert",
    ] {
        let mut help = entente();
        help.args(["trade", command, "--help"]);
        let ran = run(help, b"");
        assert!(ran.code == 0 && ran.out.contains("Example: "), "{ran:?}");
    }
}
