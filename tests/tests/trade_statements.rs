//! Statements: what was said is kept as it was said, found by who it is about, and is no observation.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use prost_types::{FieldMask, Timestamp};
use proto::r#type::v1::PeriodWindow;
use tests::wire::trade_change::Change;
use tests::wire::{
    BatchCreateStatementsRequest, BatchCreateStatementsResponse, CreateStatementRequest,
    DeleteStatementRequest, GetStatementRequest, ListStatementsRequest, ListStatementsResponse,
    ObservationFlag, StatedMeasure, Statement, UpdateStatementRequest, WatchChangesRequest,
};
use tests::{Client, Server, both_ways, fields, reason, statement};
use tonic::Status;

both_ways!(
    a_statement_is_found_as_it_was_said,
    a_pair_is_found_in_either_order,
    a_pair_is_found_as_of_an_instant,
    a_batch_is_recorded_whole_or_not_at_all,
    a_batch_sent_again_is_recorded_once,
    everything_that_is_wrong_is_named_at_once,
    what_contradicts_itself_is_refused,
    pages_go_through_a_country_and_end,
    a_watcher_of_a_pair_is_told_of_its_statements,
);

async fn create(client: &Client, request: CreateStatementRequest) -> Result<Statement, Status> {
    Ok(client.clone().create_statement(request).await?.into_inner())
}

async fn batch(
    client: &Client,
    requests: Vec<CreateStatementRequest>,
    request_id: &str,
) -> Result<BatchCreateStatementsResponse, Status> {
    let request = BatchCreateStatementsRequest {
        requests,
        request_id: request_id.into(),
    };
    let created = client.clone().batch_create_statements(request).await?;
    Ok(created.into_inner())
}

async fn get(client: &Client, name: &str, as_of: Option<Timestamp>) -> Result<Statement, Status> {
    let name = name.into();
    let request = GetStatementRequest { name, as_of };
    Ok(client.clone().get_statement(request).await?.into_inner())
}

async fn update(
    client: &Client,
    statement: Statement,
    paths: &[&str],
) -> Result<Statement, Status> {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let request = UpdateStatementRequest {
        statement: Some(statement),
        update_mask: Some(FieldMask { paths }),
        request_id: String::new(),
    };
    Ok(client.clone().update_statement(request).await?.into_inner())
}

async fn delete(client: &Client, name: &str) -> Result<(), Status> {
    let request = DeleteStatementRequest {
        name: name.into(),
        ..DeleteStatementRequest::default()
    };
    client.clone().delete_statement(request).await?;
    Ok(())
}

async fn page(
    client: &Client,
    request: ListStatementsRequest,
) -> Result<ListStatementsResponse, Status> {
    Ok(client.clone().list_statements(request).await?.into_inner())
}

fn about(country: &str, partner: &str) -> ListStatementsRequest {
    ListStatementsRequest {
        country: country.into(),
        partner: partner.into(),
        ..ListStatementsRequest::default()
    }
}

/// The ids of a list that fits on a page.
async fn ids(client: &Client, request: ListStatementsRequest) -> Vec<String> {
    let page = page(client, request).await.expect("a page");
    assert_eq!(page.next_page_token, "");
    let id = |statement: Statement| statement.name.replace("statements/", "");
    page.statements.into_iter().map(id).collect()
}

/// The ambassador's words before the visit of July 2024.
fn ambassador() -> CreateStatementRequest {
    let mut request = statement(
        "ambassador",
        "CHN",
        &["KAZ"],
        "2024-01..2024-05",
        "17620000000",
    );
    let said = request.statement.as_mut().unwrap();
    said.speaker = "The ambassador of China".into();
    said.side = "CHN".into();
    said.value_precision = "10000000".into();
    said.growth = "0.18".into();
    said.growth_precision = "0.01".into();
    said.note = "Said before the visit.\nNo table is named.".into();
    let flags = [ObservationFlag::Unverified, ObservationFlag::Provisional];
    said.flags = flags.map(i32::from).to_vec();
    request
}

async fn a_statement_is_found_as_it_was_said(server: &mut Server) {
    let created = create(&server.client(), ambassador())
        .await
        .expect("created");
    let mut said = ambassador().statement.unwrap();
    // Flags are a set, told in their own order.
    said.flags.sort_unstable();
    said.name = "statements/ambassador".into();
    said.etag.clone_from(&created.etag);
    said.create_time = created.create_time;
    said.update_time = created.create_time;
    assert_eq!(created, said);

    let mut corrected = said.clone();
    corrected.growth = "0.180".into();
    corrected.speaker = String::new();
    let paths = ["growth", "speaker"];
    let corrected = update(&server.client(), corrected, &paths).await;
    let corrected = corrected.expect("updated");
    // A decimal has one form.
    assert_eq!(
        (&corrected.growth[..], &corrected.speaker[..]),
        ("0.18", "")
    );
    for _ in 0..2 {
        let client = server.client();
        let now = get(&client, &said.name, None).await.expect("found");
        assert_eq!(now, corrected);
        let then = get(&client, &said.name, said.update_time)
            .await
            .expect("found");
        assert_eq!(then, said);
        server.restart_without_view().await;
    }
}

async fn a_pair_is_found_in_either_order(server: &mut Server) {
    let client = server.client();
    for request in [
        statement("a", "CHN", &["KAZ"], "2022", "1"),
        statement("b", "KAZ", &["CHN"], "2023", "2"),
        statement("c", "CHN", &["KAZ", "KGZ", "UZB"], "2023", "3"),
        statement("d", "KAZ", &["RUS"], "2023-05", "4"),
        statement("e", "RUS", &["CHN", "KGZ"], "2024", "5"),
    ] {
        create(&client, request).await.expect("created");
    }
    for (country, partner, expected) in [
        ("CHN", "KAZ", &["a", "b", "c"][..]),
        ("KAZ", "CHN", &["a", "b", "c"]),
        ("CHN", "", &["a", "b", "c", "e"]),
        ("KGZ", "", &["c", "e"]),
        // Both are partners of another country: nothing was said of their trade with each other.
        ("KAZ", "KGZ", &[]),
        ("KGZ", "CHN", &["c"]),
        ("FJI", "", &[]),
        ("", "", &["a", "b", "c", "d", "e"]),
    ] {
        let found = ids(&client, about(country, partner)).await;
        assert_eq!(found, expected, "{country} {partner}");
    }
    let within = |start: &str, end: &str, country: &str| ListStatementsRequest {
        window: Some(PeriodWindow {
            start: start.into(),
            end: end.into(),
        }),
        ..about(country, "")
    };
    assert_eq!(
        ids(&client, within("2023", "2024", "")).await,
        ["b", "c", "d"]
    );
    assert_eq!(
        ids(&client, within("2023", "", "CHN")).await,
        ["b", "c", "e"]
    );
    // A year that is not whole inside is outside.
    assert_eq!(ids(&client, within("2023-02", "2023-12", "")).await, ["d"]);
}

async fn a_pair_is_found_as_of_an_instant(server: &mut Server) {
    let client = server.client();
    let first = create(&client, statement("a", "CHN", &["KAZ"], "2022", "1")).await;
    let first = first.expect("created");
    let mut moved = first.clone();
    moved.partners = vec!["KGZ".into()];
    let moved = update(&client, moved, &["partners"])
        .await
        .expect("updated");
    let other = create(&client, statement("b", "KAZ", &["CHN"], "2023", "2")).await;
    let other = other.expect("created");
    delete(&client, "statements/a").await.expect("deleted");
    for _ in 0..2 {
        for (at, partner, expected) in [
            (first.update_time, "KAZ", &["a"][..]),
            (first.update_time, "KGZ", &[]),
            (moved.update_time, "KAZ", &[]),
            (moved.update_time, "KGZ", &["a"]),
            (other.update_time, "", &["a", "b"]),
            (None, "", &["b"]),
            (None, "KGZ", &[]),
        ] {
            let mut request = about("CHN", partner);
            request.as_of = at;
            let found = ids(&server.client(), request).await;
            assert_eq!(found, expected, "with {partner} as of {at:?}");
        }
        server.restart_without_view().await;
    }
}

async fn a_batch_is_recorded_whole_or_not_at_all(server: &mut Server) {
    let client = server.client();
    let said = |id: &str| statement(id, "CHN", &["KAZ"], "2022", "1");
    create(&client, said("taken")).await.expect("created");
    let refused = batch(&client, vec![said("new"), said("taken")], "").await;
    assert_eq!(
        reason(&refused.unwrap_err()),
        "AlreadyExists ALREADY_EXISTS"
    );
    assert_eq!(ids(&client, about("", "")).await, ["taken"]);

    let mut wrong = said("wrong");
    wrong.statement.as_mut().unwrap().period = "2022-13".into();
    let mut with_id = said("with-id");
    with_id.request_id = "7b1c1f0a-6a4e-4b1e-9d57-3f6d3a1f0c11".into();
    let requests = vec![said("new"), wrong, with_id, said("new"), said("New")];
    let refused = batch(&client, requests, "").await.unwrap_err();
    let expected = [
        "requests[1].statement.period",
        "requests[2].request_id",
        "requests[3].statement_id",
        "requests[4].statement_id",
    ];
    assert_eq!(fields(&refused), expected);
    for count in [0, 501] {
        let requests = vec![CreateStatementRequest::default(); count];
        let refused = batch(&client, requests, "").await.unwrap_err();
        assert_eq!(fields(&refused), ["requests"], "{count}");
    }
    assert_eq!(ids(&client, about("", "")).await, ["taken"]);

    let many: Vec<_> = (0..500).map(|id| said(&format!("s{id:03}"))).collect();
    let created = batch(&client, many, "").await.expect("created");
    assert_eq!(created.statements.len(), 500);
    assert_eq!(created.statements[499].name, "statements/s499");
    let found = get(&client, "statements/s499", None).await.expect("found");
    assert_eq!(found, created.statements[499]);
}

async fn a_batch_sent_again_is_recorded_once(server: &mut Server) {
    let id = "7b1c1f0a-6a4e-4b1e-9d57-3f6d3a1f0c11";
    let said = |id: &str| statement(id, "CHN", &["KAZ"], "2022", "1");
    let both = || vec![said("a"), said("b")];
    let first = batch(&server.client(), both(), id).await.expect("created");
    server.restart_without_view().await;
    let client = server.client();
    assert_eq!(batch(&client, both(), id).await.expect("again"), first);
    let other = batch(&client, vec![said("a"), said("c")], id)
        .await
        .unwrap_err();
    assert_eq!(reason(&other), "AlreadyExists REQUEST_ID_REUSED");
    // One id stands for one request, whatever its method.
    let mut single = said("d");
    single.request_id = id.into();
    let other = create(&client, single).await.unwrap_err();
    assert_eq!(reason(&other), "AlreadyExists REQUEST_ID_REUSED");
}

async fn everything_that_is_wrong_is_named_at_once(server: &mut Server) {
    let client = server.client();
    let mut wrong = ambassador();
    wrong.statement_id = "a_b".into();
    wrong.request_id = "x".into();
    let said = wrong.statement.as_mut().unwrap();
    said.speaker = "\u{202e}rotcod".into();
    said.country = "China".into();
    said.partners = vec!["KAZ".into(), "kaz".into(), "KAZ".into()];
    said.measure = 77;
    said.side = "XXX".into();
    said.period = "2024-05..2024-01".into();
    said.value = None;
    said.value_precision = "0".into();
    said.growth = "-1".into();
    said.growth_precision = "1e-2".into();
    said.flags = vec![ObservationFlag::Rounded.into(), 0, -3];
    said.source = None;
    said.note = "x".repeat(1_001);
    let refused = create(&client, wrong).await.unwrap_err();
    let expected = [
        "statement_id",
        "statement.speaker",
        "statement.country",
        "statement.partners[1]",
        "statement.partners[2]",
        "statement.measure",
        "statement.side",
        "statement.period",
        "statement.value",
        "statement.value_precision",
        "statement.growth",
        "statement.growth_precision",
        "statement.flags[0]",
        "statement.flags[1]",
        "statement.flags[2]",
        "statement.note",
        "statement.source",
        "request_id",
    ];
    assert_eq!(fields(&refused), expected);

    let nothing = CreateStatementRequest {
        statement_id: "a".into(),
        statement: Some(Statement::default()),
        request_id: String::new(),
    };
    let refused = create(&client, nothing).await.unwrap_err();
    let required = [
        "country", "partners", "measure", "period", "value", "source",
    ];
    let required = required.map(|field| format!("statement.{field}"));
    assert_eq!(fields(&refused), required);

    let list = ListStatementsRequest {
        country: "chn".into(),
        partner: "K\u{410}Z".into(),
        window: Some(PeriodWindow {
            start: "2024".into(),
            end: "2023".into(),
        }),
        page_size: -1,
        as_of: Some(Timestamp {
            seconds: i64::MAX,
            nanos: 0,
        }),
        ..ListStatementsRequest::default()
    };
    let refused = page(&client, list).await.unwrap_err();
    let expected = ["page_size", "as_of", "country", "partner", "window.end"];
    assert_eq!(fields(&refused), expected);
    let refused = page(&client, about("", "KAZ")).await.unwrap_err();
    assert_eq!(fields(&refused), ["country"]);
}

async fn what_contradicts_itself_is_refused(server: &mut Server) {
    let client = server.client();
    let but = |change: fn(&mut Statement)| {
        let mut request = statement("a", "CHN", &["KAZ", "KGZ"], "2022", "1");
        change(request.statement.as_mut().unwrap());
        request
    };
    let cases: [(CreateStatementRequest, &str); 4] = [
        (
            but(|said| said.measure = StatedMeasure::MirrorGap.into()),
            "statement.partners",
        ),
        (
            but(|said| said.value.as_mut().unwrap().amount = "-1".into()),
            "statement.value.amount",
        ),
        (
            but(|said| said.growth_precision = "0.01".into()),
            "statement.growth_precision",
        ),
        (
            but(|said| said.partners = vec!["CHN".into()]),
            "statement.partners[0]",
        ),
    ];
    for (request, expected) in cases {
        let refused = create(&client, request).await.unwrap_err();
        assert_eq!(fields(&refused), [expected]);
    }
    let many: Vec<String> = vec!["KAZ".into(); 21];
    let mut request = but(|_| {});
    request.statement.as_mut().unwrap().partners = many;
    let refused = create(&client, request).await.unwrap_err();
    assert_eq!(fields(&refused), ["statement.partners"]);
    // A gap may well be negative.
    let mut gap = statement("gap", "CHN", &["KAZ"], "2021", "-5800000000");
    gap.statement.as_mut().unwrap().measure = StatedMeasure::MirrorGap.into();
    create(&client, gap).await.expect("created");
    // An update is held to the same.
    let negative = Statement {
        name: "statements/gap".into(),
        measure: StatedMeasure::Exports.into(),
        ..Statement::default()
    };
    let refused = update(&client, negative, &["measure"]).await.unwrap_err();
    assert_eq!(fields(&refused), ["statement.value.amount"]);
}

async fn pages_go_through_a_country_and_end(server: &mut Server) {
    let client = server.client();
    let said = |id: usize| {
        let country = if id.is_multiple_of(3) { "RUS" } else { "KAZ" };
        statement(&format!("s{id:04}"), "CHN", &[country], "2022", "1")
    };
    // More than a page may look at.
    for from in (0..2_500).step_by(500) {
        let some = (from..from + 500).map(said).collect();
        batch(&client, some, "").await.expect("created");
    }
    let (mut seen, mut pages, mut token) = (Vec::new(), 0, String::new());
    while pages == 0 || !token.is_empty() {
        let request = ListStatementsRequest {
            page_size: 500,
            page_token: token,
            ..about("CHN", "RUS")
        };
        let page = page(&client, request).await.expect("a page");
        seen.extend(page.statements.into_iter().map(|said| said.name));
        token = page.next_page_token;
        pages += 1;
        assert!(pages < 10, "the list does not end");
    }
    let expected: Vec<String> = (0..2_500)
        .step_by(3)
        .map(|id| format!("statements/s{id:04}"))
        .collect();
    assert_eq!(seen, expected);
    // By what only stands behind those that a page may look at.
    create(&client, statement("t", "KGZ", &["UZB"], "1999", "1"))
        .await
        .expect("created");
    let old = ListStatementsRequest {
        window: Some(PeriodWindow {
            start: "1999".into(),
            end: "2000".into(),
        }),
        ..ListStatementsRequest::default()
    };
    let first = page(&client, old.clone()).await.expect("a page");
    assert!(first.statements.is_empty() && !first.next_page_token.is_empty());
    let second = ListStatementsRequest {
        page_token: first.next_page_token,
        ..old
    };
    let second = page(&client, second).await.expect("a page");
    assert_eq!(second.statements[0].name, "statements/t");
}

async fn a_watcher_of_a_pair_is_told_of_its_statements(server: &mut Server) {
    let client = server.client();
    for (id, country, partner) in [
        ("a", "CHN", "KAZ"),
        ("b", "KAZ", "CHN"),
        ("c", "CHN", "RUS"),
    ] {
        let said = statement(id, country, &[partner], "2022", "1");
        create(&client, said).await.expect("created");
    }
    let dataset = client
        .clone()
        .create_dataset(tests::dataset("comtrade"))
        .await;
    dataset.expect("created");
    let sector = client
        .clone()
        .create_sector(tests::sector("cars", &["8703"]))
        .await;
    sector.expect("created");
    delete(&client, "statements/a").await.expect("deleted");
    for (dataset, reporter, partner, expected) in [
        ("", "", "", "a b c comtrade cars -a"),
        ("", "CHN", "KAZ", "a b comtrade -a"),
        ("", "KAZ", "", "a b comtrade -a"),
        ("", "", "RUS", "c comtrade"),
        ("datasets/comtrade", "", "", "comtrade"),
        ("datasets/comtrade", "CHN", "", "comtrade"),
    ] {
        let request = WatchChangesRequest {
            after_position: 0,
            dataset: dataset.into(),
            reporter: reporter.into(),
            partner: partner.into(),
            country: String::new(),
        };
        let mut watch = client
            .clone()
            .watch_changes(request)
            .await
            .expect("watched")
            .into_inner();
        let (mut told, mut position) = (Vec::new(), 0);
        while position < 6 {
            let entry = watch.message().await.expect("no error").expect("no end");
            position = entry.position;
            told.extend(
                entry
                    .changes
                    .into_iter()
                    .map(|change| word(change.change.unwrap())),
            );
        }
        assert_eq!(told.join(" "), expected, "{dataset} {reporter} {partner}");
    }
}

/// The id of what changed, with a sign before one that was deleted.
fn word(change: Change) -> String {
    let name = match change {
        Change::DatasetCreated(created) => created.dataset.unwrap().name,
        Change::SectorRecorded(recorded) => recorded.sector.unwrap().name,
        Change::StatementRecorded(recorded) => recorded.statement.unwrap().name,
        Change::StatementDeleted(deleted) => return deleted.name.replace("statements/", "-"),
        Change::ObservationsRecorded(_)
        | Change::DatasetUpdated(_)
        | Change::SectorDeleted(_)
        | Change::ConcordanceRecorded(_)
        | Change::CommodityNamesRecorded(_) => panic!("nobody made such a change"),
    };
    name.rsplit('/').next().unwrap_or_default().to_owned()
}
