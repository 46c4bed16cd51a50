//! Classifications: conversion tables between revisions, and names of commodities.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tests::wire::{
    CommodityName, Concordance, ConcordanceRow, Conversion, ConvertCommodityRequest,
    ListCommoditiesRequest, ListCommoditiesResponse, ListConcordancesRequest,
    RecordCommodityNamesRequest, RecordCommodityNamesResponse, RecordConcordanceRequest, Relation,
};
use tests::{Client, Server, both_ways, fields, reason, source};
use tonic::Status;

both_ways!(
    a_table_says_what_a_code_is_in_another_revision,
    a_set_is_exact_when_it_is_the_same_goods_as_a_whole,
    codes_are_carried_over_several_tables,
    what_no_table_knows_is_said_to_be_unknown,
    a_table_recorded_again_changes_nothing_and_another_replaces_it,
    a_table_that_contradicts_itself_is_refused,
    the_published_table_is_taken_as_it_is,
    chapters_have_names_from_the_start,
    names_are_recorded_by_language_and_found_by_their_words,
    bad_names_are_each_named,
);

/// A table from rows such as `870380 870380 1:1`; the relation may be left out.
fn table(from: &str, to: &str, rows: &str) -> RecordConcordanceRequest {
    let rows = rows.lines().map(str::trim).filter(|row| !row.is_empty());
    RecordConcordanceRequest {
        from: from.into(),
        to: to.into(),
        rows: rows.map(row).collect(),
        source: Some(source("Correlation table")),
        validate_only: false,
    }
}

fn row(row: &str) -> ConcordanceRow {
    let mut words = row.split([' ', ',']).map(str::to_owned);
    let relation = |word: String| match word.as_str() {
        "1:1" => Relation::OneToOne,
        "n:1" => Relation::ManyToOne,
        "1:n" => Relation::OneToMany,
        "n:n" => Relation::ManyToMany,
        other => panic!("{other} is no relation"),
    };
    ConcordanceRow {
        from_code: words.next().unwrap_or_default(),
        to_code: words.next().unwrap_or_default(),
        relation: words.next().map_or(Relation::Unspecified, relation).into(),
    }
}

async fn record(client: &Client, request: RecordConcordanceRequest) -> Result<Concordance, Status> {
    Ok(client
        .clone()
        .record_concordance(request)
        .await?
        .into_inner())
}

async fn tables(client: &Client) -> Vec<(String, i32)> {
    let (mut tables, mut token) = (Vec::new(), String::new());
    loop {
        let request = ListConcordancesRequest {
            page_size: 2,
            page_token: token,
        };
        let page = client
            .clone()
            .list_concordances(request)
            .await
            .expect("a page")
            .into_inner();
        assert!(page.concordances.len() <= 2);
        tables.extend(
            page.concordances
                .into_iter()
                .map(|one| (one.name, one.row_count)),
        );
        token = page.next_page_token;
        if token.is_empty() {
            return tables;
        }
    }
}

async fn convert(client: &Client, from: &str, codes: &str, to: &str) -> Result<Conversion, Status> {
    let request = ConvertCommodityRequest {
        from: from.into(),
        codes: codes.split_whitespace().map(str::to_owned).collect(),
        to: to.into(),
    };
    Ok(client
        .clone()
        .convert_commodity(request)
        .await?
        .into_inner())
}

/// What a conversion came to, in a line: `870380 n:1 870390`, with `=` for one that is exact.
async fn words(client: &Client, from: &str, codes: &str, to: &str) -> String {
    let Conversion {
        from_codes,
        to_codes,
        relation,
        exact,
        ..
    } = convert(client, from, codes, to).await.expect("converted");
    let relation = match Relation::try_from(relation).unwrap() {
        Relation::Unspecified => "?",
        Relation::OneToOne => "1:1",
        Relation::ManyToOne => "n:1",
        Relation::OneToMany => "1:n",
        Relation::ManyToMany => "n:n",
    };
    let exact = if exact { "=" } else { "" };
    format!(
        "{} {exact}{relation} {}",
        from_codes.join("+"),
        to_codes.join("+")
    )
}

/// One code kept, one renamed, two joined, one split, two that exchanged goods.
const TABLE: &str = "010121 010121 1:1
                     020110 020111 1:1
                     030111 030100 n:1
                     030119 030100 n:1
                     040110 040111 1:n
                     040110 040119 1:n
                     050111 050101 n:n
                     050111 050102 1:n
                     050112 050101 n:1";

async fn a_table_says_what_a_code_is_in_another_revision(server: &mut Server) {
    let recorded = record(&server.client(), table("H6", "H5", TABLE))
        .await
        .expect("recorded");
    assert_eq!(recorded.name, "concordances/H6-H5");
    assert_eq!(recorded.row_count, 9);
    for _ in 0..2 {
        let client = server.client();
        for (codes, expected) in [
            ("010121", "010121 =1:1 010121"),
            ("020110", "020110 =1:1 020111"),
            ("030111", "030111 n:1 030100"),
            ("040110", "040110 =1:n 040111+040119"),
            ("050111", "050111 n:n 050101+050102"),
            ("050112", "050112 n:1 050101"),
        ] {
            assert_eq!(words(&client, "H6", codes, "H5").await, expected);
        }
        // The way back, over the same table.
        for (codes, expected) in [
            ("020111", "020111 =1:1 020110"),
            ("030100", "030100 =1:n 030111+030119"),
            ("040111", "040111 n:1 040110"),
            ("050102", "050102 n:1 050111"),
        ] {
            assert_eq!(words(&client, "H5", codes, "H6").await, expected);
        }
        server.restart_without_view().await;
    }
}

async fn a_set_is_exact_when_it_is_the_same_goods_as_a_whole(server: &mut Server) {
    let client = server.client();
    record(&client, table("H6", "H5", TABLE))
        .await
        .expect("recorded");
    for (codes, expected) in [
        ("030119 030111", "030111+030119 =n:1 030100"),
        ("050112 050111", "050111+050112 =n:n 050101+050102"),
        ("03", "030111+030119 =n:1 030100"),
        ("0301 0301 030111", "030111+030119 =n:1 030100"),
        ("0501 01", "010121+050111+050112 =n:n 010121+050101+050102"),
        ("030111 010121", "010121+030111 n:n 010121+030100"),
    ] {
        assert_eq!(words(&client, "H6", codes, "H5").await, expected, "{codes}");
    }
    let same = convert(&client, "H6", "87 8703", "H6")
        .await
        .expect("converted");
    assert_eq!((same.from_codes.clone(), same.exact), (same.to_codes, true));
    assert_eq!(same.path, ["H6"]);
}

async fn codes_are_carried_over_several_tables(server: &mut Server) {
    let client = server.client();
    record(&client, table("H6", "H5", "870380 870390\n870340 870390"))
        .await
        .expect("recorded");
    record(
        &client,
        table("H5", "H4", "870390 870390\n870310 870390\n870320 870320"),
    )
    .await
    .expect("recorded");
    record(&client, table("H3", "H4", "870391 870390\n870320 870320"))
        .await
        .expect("recorded");
    let led = convert(&client, "H6", "870380 870340", "H3")
        .await
        .expect("converted");
    assert_eq!(led.path, ["H6", "H5", "H4", "H3"]);
    assert_eq!(led.to_codes, ["870391"]);
    // Whole as far as H5, where 870310 comes in.
    assert!(!led.exact);
    assert_eq!(
        words(&client, "H6", "8703", "H5").await,
        "870340+870380 =n:1 870390"
    );
    // A table of its own is shorter than a way round.
    record(&client, table("H6", "H3", "870380 870388"))
        .await
        .expect("recorded");
    let direct = convert(&client, "H6", "870380", "H3")
        .await
        .expect("converted");
    assert_eq!(
        (direct.path.join(" "), direct.to_codes),
        ("H6 H3".into(), vec!["870388".into()])
    );
    // The table that leads there is preferred to the one that leads back.
    record(&client, table("H3", "H6", "870388 870389"))
        .await
        .expect("recorded");
    assert_eq!(
        words(&client, "H3", "870388", "H6").await,
        "870388 =1:1 870389"
    );
    assert_eq!(
        words(&client, "H6", "870380", "H3").await,
        "870380 =1:1 870388"
    );
}

async fn what_no_table_knows_is_said_to_be_unknown(server: &mut Server) {
    let client = server.client();
    let none = convert(&client, "H6", "8703", "H5")
        .await
        .expect("an answer");
    assert_eq!(
        (none.relation(), none.exact),
        (Relation::Unspecified, false)
    );
    assert_eq!(none.from_codes, ["8703"]);
    assert!(none.to_codes.is_empty() && none.path.is_empty());

    record(&client, table("H6", "H5", TABLE))
        .await
        .expect("recorded");
    assert_eq!(words(&client, "H6", "999999", "H5").await, "999999 ? ");
    assert_eq!(words(&client, "H6", "99", "H5").await, "99 ? ");
    // What is known of a set is given, and that it is not all.
    let partly = "010121+999999 ? 010121";
    assert_eq!(words(&client, "H6", "010121 999999", "H5").await, partly);
    assert_eq!(words(&client, "H6", "010121", "H0").await, "010121 ? ");

    let many = (0..1_001)
        .map(|code| format!("{code:06}"))
        .collect::<Vec<_>>()
        .join(" ");
    for (from, codes, to, expected) in [
        ("HS", "87", "H7", &["from", "to"][..]),
        ("", "", "", &["from", "codes", "to"]),
        (
            "H6",
            "TOTAL 870 8\u{ff17} 87",
            "H5",
            &["codes[0]", "codes[1]", "codes[2]"],
        ),
        ("H6", &many, "H5", &["codes"]),
    ] {
        let refused = convert(&client, from, codes, to).await.unwrap_err();
        assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
        assert_eq!(fields(&refused), expected);
    }
}

async fn a_table_recorded_again_changes_nothing_and_another_replaces_it(server: &mut Server) {
    let client = server.client();
    let first = record(&client, table("H6", "H5", TABLE))
        .await
        .expect("recorded");
    let dry = RecordConcordanceRequest {
        validate_only: true,
        ..table("H5", "H4", TABLE)
    };
    assert_eq!(record(&client, dry).await.expect("valid").row_count, 9);
    // The same rows in another order, their relation not stated.
    let again: Vec<&str> = TABLE
        .lines()
        .map(|row| row.trim().split_at(13).0)
        .rev()
        .collect();
    let again = record(&client, table("H6", "H5", &again.join("\n"))).await;
    assert_eq!(again.expect("recorded"), first);
    let watched = tests::wire::WatchChangesRequest::default();
    let mut watch = client
        .clone()
        .watch_changes(watched)
        .await
        .expect("watched")
        .into_inner();
    let entry = watch.message().await.expect("no error").expect("no end");
    assert_eq!((entry.position, entry.changes.len()), (1, 1));
    let other = record(&client, table("H6", "H5", "870380 870390"))
        .await
        .expect("recorded");
    assert_eq!(other.row_count, 1);
    let entry = loop {
        let entry = watch.message().await.expect("no error").expect("no end");
        if entry.commit_time.is_some() {
            break entry;
        }
    };
    assert_eq!(entry.position, 2, "nothing was journaled between the two");

    record(&client, table("H5", "H4", "870390 870390"))
        .await
        .expect("recorded");
    record(&client, table("H1", "H0", "870390 870390"))
        .await
        .expect("recorded");
    for _ in 0..2 {
        let client = server.client();
        // Nothing is left of the first table.
        assert_eq!(
            words(&client, "H6", "01 030111", "H5").await,
            "030111+01 ? "
        );
        assert_eq!(
            words(&client, "H6", "870380", "H4").await,
            "870380 =1:1 870390"
        );
        let expected = [("H1-H0", 1), ("H5-H4", 1), ("H6-H5", 1)];
        let expected = expected.map(|(name, rows)| (format!("concordances/{name}"), rows));
        assert_eq!(tables(&client).await, expected);
        server.restart_without_view().await;
    }
    let forged = ListConcordancesRequest {
        page_size: 0,
        page_token: "AQAA".into(),
    };
    let refused = server.client().list_concordances(forged).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_PAGE_TOKEN");
}

async fn a_table_that_contradicts_itself_is_refused(server: &mut Server) {
    let client = server.client();
    for (rows, expected) in [
        ("", &["rows"][..]),
        ("010121 010121 n:1", &["rows[0].relation"]),
        (
            "010121 010121 1:1\n010121 010129 1:n",
            &["rows[0].relation"],
        ),
        ("010121 010121\n020110 020110\n010121 010121", &["rows[2]"]),
        (
            "0101 010121\n010121 87",
            &["rows[0].from_code", "rows[1].to_code"],
        ),
        (
            "01012\u{661} TOTAL",
            &["rows[0].from_code", "rows[0].to_code"],
        ),
        ("+10121 -10121", &["rows[0].from_code", "rows[0].to_code"]),
    ] {
        let refused = record(&client, table("H6", "H5", rows)).await.unwrap_err();
        assert_eq!(fields(&refused), expected, "{rows}");
    }
    let mut wrong = table("HS", "S4", "010121 010121");
    wrong.rows[0].relation = 9;
    wrong.source = None;
    let refused = record(&client, wrong).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        ["from", "to", "rows[0].relation", "source"]
    );
    let same = record(&client, table("H6", "H6", TABLE)).await.unwrap_err();
    assert_eq!(fields(&same), ["to"]);
    let mut long = table("H6", "H5", "");
    long.rows = vec![row("1 1"); 40_001];
    let refused = record(&client, long).await.unwrap_err();
    assert_eq!(fields(&refused), ["rows"]);
    assert!(tables(&client).await.is_empty());
    // As large as it may be, and all of it in one chapter.
    let rows = (0..40_000).map(|row| format!("85{:04} 85{:04}\n", row / 200, row % 200));
    let dense = table("H6", "H5", &rows.collect::<String>());
    assert_eq!(
        record(&client, dense).await.expect("recorded").row_count,
        40_000
    );
    let whole = convert(&client, "H6", "85", "H5").await.expect("converted");
    assert_eq!(
        (whole.from_codes.len(), whole.to_codes.len(), whole.exact),
        (200, 200, true)
    );
}

/// Real code lists, where they are at hand.
#[expect(clippy::print_stdout, reason = "says what was not checked")]
fn samples() -> Option<PathBuf> {
    let folder = std::env::var_os("ENTENTE_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let samples = folder.join("codes");
    if samples.is_dir() {
        return Some(samples);
    }
    let why = "the sample files are not at hand; ENTENTE_SHARED_DATA may name their folder";
    let required = std::env::var("ENTENTE_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|one| one == "samples"), "{why}");
    println!("NOT CHECKED: {why}");
    None
}

async fn the_published_table_is_taken_as_it_is(server: &mut Server) {
    let Some(samples) = samples() else {
        return;
    };
    let client = server.client();
    let published = std::fs::read_to_string(samples.join("HS2022toHS2017_correlation.csv"));
    let published = published.expect("the table is text");
    let rows = published
        .split_once('\n')
        .expect("a head")
        .1
        .replace('\r', "");
    // Each stated relation is held against the rows.
    let recorded = record(&client, table("H6", "H5", &rows))
        .await
        .expect("recorded");
    assert_eq!(recorded.row_count, 15_657);
    let cars = convert(&client, "H6", "8703", "H5")
        .await
        .expect("converted");
    assert!(cars.exact, "{cars:?}");
    assert!(
        cars.from_codes
            .iter()
            .chain(&cars.to_codes)
            .all(|code| code.starts_with("8703"))
    );
    // Solar cells were one code with other diodes until 2017.
    let solar = convert(&client, "H6", "854142 854143", "H5")
        .await
        .expect("converted");
    assert_eq!(solar.to_codes, ["854140"]);
    assert!(!solar.exact);
}

async fn names(
    client: &Client,
    classification: &str,
    language: &str,
    names: &[(&str, &str)],
) -> Result<RecordCommodityNamesResponse, Status> {
    let request = RecordCommodityNamesRequest {
        classification: classification.into(),
        language_code: language.into(),
        names: names.iter().map(|(code, text)| name(code, text)).collect(),
        validate_only: false,
    };
    let recorded = client.clone().record_commodity_names(request).await?;
    Ok(recorded.into_inner())
}

fn name(code: &str, text: &str) -> CommodityName {
    CommodityName {
        code: code.into(),
        text: text.into(),
    }
}

fn asking(classification: &str, code: &str, contains: &str) -> ListCommoditiesRequest {
    ListCommoditiesRequest {
        classification: classification.into(),
        code: code.into(),
        contains: contains.into(),
        ..ListCommoditiesRequest::default()
    }
}

async fn page(
    client: &Client,
    request: ListCommoditiesRequest,
) -> Result<ListCommoditiesResponse, Status> {
    Ok(client.clone().list_commodities(request).await?.into_inner())
}

/// The codes of all pages, joined.
async fn codes(client: &Client, request: ListCommoditiesRequest) -> String {
    let (mut codes, mut token) = (Vec::new(), String::new());
    loop {
        let request = ListCommoditiesRequest {
            page_token: token,
            ..request.clone()
        };
        let page = page(client, request).await.expect("a page");
        codes.extend(page.commodities.into_iter().map(|one| one.code));
        token = page.next_page_token;
        if token.is_empty() {
            return codes.join(" ");
        }
    }
}

async fn chapters_have_names_from_the_start(server: &mut Server) {
    let client = server.client();
    let all = page(&client, asking("H6", "", "")).await.expect("a page");
    assert_eq!(all.commodities.len(), 97);
    assert!(all.commodities.iter().all(|one| one.built_in));
    let vehicles = page(&client, asking("H0", "87", "")).await.expect("a page");
    let [vehicles] = &vehicles.commodities[..] else {
        panic!("one chapter: {vehicles:?}");
    };
    assert_eq!(vehicles.name, "classifications/H0/commodities/87");
    assert_eq!(
        vehicles.names.as_ref().unwrap().texts["en"],
        "Vehicles other than railway"
    );
    let three = ListCommoditiesRequest {
        page_size: 3,
        ..asking("H6", "", "MACHINERY")
    };
    assert_eq!(codes(&client, three).await, "84 85");
    assert_eq!(codes(&client, asking("S4", "", "")).await, "");
}

async fn names_are_recorded_by_language_and_found_by_their_words(server: &mut Server) {
    let client = server.client();
    let english = [
        ("TOTAL", "All commodities"),
        ("87", "Vehicles"),
        ("8703", "Motor cars"),
        ("870380", "Electric motor cars"),
        ("8704", "Lorries"),
        ("88", "Aircraft"),
    ];
    let first = names(&client, "H6", "en", &english)
        .await
        .expect("recorded");
    assert_eq!((first.new, first.changed, first.unchanged), (6, 0, 0));
    let russian = [("8703", "Легковые автомобили"), ("871680", "Тележки")];
    names(&client, "H6", "RU", &russian)
        .await
        .expect("recorded");
    let again = [
        ("87", "Vehicles"),
        ("88", "Aircraft, spacecraft"),
        ("89", "Ships"),
    ];
    let dry = RecordCommodityNamesRequest {
        classification: "H6".into(),
        language_code: "en".into(),
        names: again.map(|(code, text)| name(code, text)).to_vec(),
        validate_only: true,
    };
    let dry = client
        .clone()
        .record_commodity_names(dry)
        .await
        .expect("valid")
        .into_inner();
    let second = names(&client, "H6", "en", &again).await.expect("recorded");
    assert_eq!((second.new, second.changed, second.unchanged), (1, 1, 1));
    assert_eq!(dry, second);
    for _ in 0..2 {
        let client = server.client();
        for (code, contains, expected) in [
            ("", "", "TOTAL 87 8703 870380 8704 871680 88 89"),
            ("87*", "", "87 8703 870380 8704 871680"),
            ("8703*", "", "8703 870380"),
            ("8703", "", "8703"),
            ("TOTAL", "", "TOTAL"),
            ("", "CARS", "8703 870380"),
            ("", "АВТОМОБИЛИ", "8703"),
            ("88*", "motor", ""),
        ] {
            for page_size in [0, 1, 3] {
                let request = ListCommoditiesRequest {
                    page_size,
                    ..asking("H6", code, contains)
                };
                let found = codes(&client, request).await;
                assert_eq!(found, expected, "{code} {contains} {page_size}");
            }
        }
        let cars = page(&client, asking("H6", "8703", ""))
            .await
            .expect("a page");
        let texts = &cars.commodities[0].names.as_ref().unwrap().texts;
        assert_eq!(texts["ru"], "Легковые автомобили");
        assert_eq!(texts["en"], "Motor cars");
        assert!(!cars.commodities[0].built_in);
        // Other revisions know nothing of them.
        assert_eq!(codes(&client, asking("H5", "8703", "")).await, "");
        server.restart_without_view().await;
    }
    let client = server.client();
    let all: BTreeSet<String> = (0..1_200)
        .map(|code| format!("{:04}", 1_000 + code))
        .collect();
    let many: Vec<(&str, &str)> = all.iter().map(|code| (code.as_str(), "Goods")).collect();
    for language in ["en", "fr"] {
        names(&client, "H4", language, &many)
            .await
            .expect("recorded");
    }
    // More names than a page may look at, of which none is the one.
    let searched = page(&client, asking("H4", "", "no such word"))
        .await
        .expect("a page");
    assert!(searched.commodities.is_empty() && !searched.next_page_token.is_empty());
    assert_eq!(codes(&client, asking("H4", "", "no such word")).await, "");
    let listed = codes(&client, asking("H4", "", "GOODS")).await;
    assert_eq!(listed.split(' ').count(), 1_200);
}

async fn bad_names_are_each_named(server: &mut Server) {
    let client = server.client();
    let long = "x".repeat(1_001);
    let bad = [
        ("87", "Vehicles"),
        ("87", "Vehicles"),
        ("8", "x"),
        ("870\u{ff13}", "x"),
        ("88", ""),
        ("89", "a\u{202e}b"),
        ("90", &long),
    ];
    let refused = names(&client, "HS", "no tag", &bad).await.unwrap_err();
    let expected = [
        "classification",
        "language_code",
        "names[1].code",
        "names[2].code",
        "names[3].code",
        "names[4].text",
        "names[5].text",
        "names[6].text",
    ];
    assert_eq!(fields(&refused), expected);
    assert_eq!(
        fields(&names(&client, "H6", "en", &[]).await.unwrap_err()),
        ["names"]
    );
    let many = vec![("87", "x"); 10_001];
    assert_eq!(
        fields(&names(&client, "H6", "en", &many).await.unwrap_err()),
        ["names"]
    );
    for language in 0..32 {
        let tag = format!("en-x-{language}");
        names(&client, "H6", &tag, &[("87", "x")])
            .await
            .expect("32 languages are taken");
    }
    let refused = names(&client, "H6", "en", &[("87", "x")])
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), ["language_code"]);

    let wrong = ListCommoditiesRequest {
        page_size: -1,
        ..asking("", "87-", &"x".repeat(101))
    };
    let refused = page(&client, wrong).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        ["classification", "code", "contains", "page_size"]
    );
    let forged = ListCommoditiesRequest {
        page_token: "AQAA".into(),
        ..asking("H6", "", "")
    };
    let refused = page(&client, forged).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_PAGE_TOKEN");
}
