//! Coverage: what each reporter published, in which flow, at which length and detail.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use tests::wire::{Coverage, Flow, Frequency, ListCoverageRequest, ListCoverageResponse};
use tests::{Client, Server, both_ways, dataset, fields, reason, record, with_figures};
use tonic::Status;

both_ways!(
    each_reporter_flow_and_length_has_a_line,
    a_revision_covers_nothing_new,
    coverage_is_answered_as_of_its_day,
    pages_answer_as_of_the_first,
    one_reporter_may_be_asked_for,
    a_dataset_without_figures_covers_nothing,
    a_replayed_journal_covers_the_same,
    what_is_wrong_is_named,
);

fn of(reporter: &str) -> ListCoverageRequest {
    ListCoverageRequest {
        parent: "datasets/comtrade".into(),
        reporter: reporter.into(),
        ..ListCoverageRequest::default()
    }
}

async fn ask(client: &Client, asked: ListCoverageRequest) -> Result<ListCoverageResponse, Status> {
    Ok(client.clone().list_coverage(asked).await?.into_inner())
}

/// `reporter flow frequency first last periods levels classifications`.
fn line(coverage: &Coverage) -> String {
    let Coverage {
        reporter,
        flow,
        frequency,
        first_period,
        last_period,
        periods,
        levels,
        classifications,
    } = coverage;
    let flow = proto::Flow::from_wire(*flow).unwrap().code();
    let frequency = Frequency::try_from(*frequency).unwrap().as_str_name();
    let frequency = frequency.trim_start_matches("FREQUENCY_");
    let classifications = classifications.join("+");
    format!(
        "{reporter} {flow} {frequency} {first_period} {last_period} {periods} {levels:?} {classifications}"
    )
}

async fn lines(client: &Client, asked: ListCoverageRequest) -> Vec<String> {
    let found = ask(client, asked).await.expect("coverage");
    assert_eq!(found.next_page_token, "");
    found.coverage.iter().map(line).collect()
}

const FIGURES: &str = "CHN KAZ X H5 TOTAL 2021 1
     CHN KAZ X H6 8703 2023 1
     CHN RUS X H6 TOTAL 2023 1
     CHN KAZ M H6 TOTAL 2022 1
     CHN KAZ X H6 87 2023-05 1
     CHN KAZ X H6 870380 2023-01 1
     CHN KAZ T NA TOTAL 2023-01..2023-05 1
     KAZ CHN X H6 TOTAL 2022 1";

async fn each_reporter_flow_and_length_has_a_line(server: &mut Server) {
    let client = with_figures(server, FIGURES).await;
    let expected = [
        "CHN M YEAR 2022 2022 1 [0] H6",
        "CHN X YEAR 2021 2023 2 [0, 4] H5+H6",
        "CHN X MONTH 2023-01 2023-05 2 [2, 6] H6",
        "CHN T CUMULATED 2023-01..2023-05 2023-01..2023-05 1 [0] NA",
        "KAZ X YEAR 2022 2022 1 [0] H6",
    ];
    assert_eq!(lines(&client, of("")).await, expected);
    let found = ask(&client, of("KAZ")).await.unwrap();
    assert_eq!(found.coverage[0].flow(), Flow::Export);
}

async fn a_revision_covers_nothing_new(server: &mut Server) {
    let client = with_figures(server, FIGURES).await;
    let before = lines(&client, of("")).await;
    record(&client, "comtrade", "revision", "CHN KAZ X H5 TOTAL 2021 2").await;
    assert_eq!(lines(&client, of("")).await, before);
}

async fn coverage_is_answered_as_of_its_day(server: &mut Server) {
    let client = with_figures(server, "CHN KAZ X H5 TOTAL 2021 1").await;
    let then = record(&client, "comtrade", "more", "CHN KAZ X H5 TOTAL 2022 1").await;
    let later = "CHN KAZ X H6 87 2023 1
                 CHN KAZ X H6 TOTAL 2020 1
                 AUT KAZ X H6 TOTAL 2020 1";
    record(&client, "comtrade", "later", later).await;
    let asked = ListCoverageRequest {
        as_of: then.ingest.unwrap().update_time,
        ..of("")
    };
    let expected = ["CHN X YEAR 2021 2022 2 [0] H5"];
    assert_eq!(lines(&client, asked).await, expected);
    let now = lines(&client, of("CHN")).await;
    assert_eq!(now, ["CHN X YEAR 2020 2023 4 [0, 2] H5+H6"]);
}

async fn pages_answer_as_of_the_first(server: &mut Server) {
    let table = "CHN WLD X H6 TOTAL 2022 1
                 KAZ WLD X H6 TOTAL 2022 1
                 KGZ WLD X H6 TOTAL 2022 1
                 UZB WLD X H6 TOTAL 2022 1
                 UZB WLD M H6 TOTAL 2022 1";
    let client = with_figures(server, table).await;
    let mut asked = ListCoverageRequest {
        page_size: 2,
        ..of("")
    };
    let first = ask(&client, asked.clone()).await.unwrap();
    assert_eq!(first.coverage.len(), 2);
    let later = "KGZ WLD X H6 TOTAL 2023 1
                 KGZ WLD M H6 TOTAL 2023 1";
    record(&client, "comtrade", "later", later).await;
    asked.page_token = first.next_page_token;
    let second = ask(&client, asked.clone()).await.unwrap();
    let told: Vec<String> = second.coverage.iter().map(line).collect();
    let expected = [
        "KGZ X YEAR 2022 2022 1 [0] H6",
        "UZB M YEAR 2022 2022 1 [0] H6",
        "UZB X YEAR 2022 2022 1 [0] H6",
    ];
    assert_eq!(
        (told, &*second.next_page_token),
        (expected.map(String::from).into(), "")
    );
    // A token continues its own list alone.
    let other = ListCoverageRequest {
        reporter: "KAZ".into(),
        ..asked.clone()
    };
    let noise = ListCoverageRequest {
        page_token: "next".into(),
        ..of("")
    };
    for wrong in [other, noise] {
        let refused = ask(&client, wrong).await.unwrap_err();
        assert_eq!(reason(&refused), "InvalidArgument INVALID_PAGE_TOKEN");
    }
}

async fn one_reporter_may_be_asked_for(server: &mut Server) {
    let client = with_figures(server, FIGURES).await;
    assert_eq!(
        lines(&client, of("KAZ")).await,
        ["KAZ X YEAR 2022 2022 1 [0] H6"]
    );
    assert!(lines(&client, of("UZB")).await.is_empty());
}

async fn a_dataset_without_figures_covers_nothing(server: &mut Server) {
    let client = with_figures(server, FIGURES).await;
    client
        .clone()
        .create_dataset(dataset("empty"))
        .await
        .expect("created");
    let asked = ListCoverageRequest {
        parent: "datasets/empty".into(),
        ..of("")
    };
    assert!(lines(&client, asked).await.is_empty());
    let none = ListCoverageRequest {
        parent: "datasets/none".into(),
        ..of("")
    };
    let refused = ask(&client, none).await.unwrap_err();
    assert_eq!(reason(&refused), "NotFound NOT_FOUND");
}

async fn a_replayed_journal_covers_the_same(server: &mut Server) {
    let client = with_figures(server, FIGURES).await;
    let before = ask(&client, of("")).await.unwrap();
    server.restart_without_view().await;
    assert_eq!(ask(&server.client(), of("")).await.unwrap(), before);
}

async fn what_is_wrong_is_named(server: &mut Server) {
    let client = with_figures(server, FIGURES).await;
    let wrong = ListCoverageRequest {
        parent: "comtrade".into(),
        reporter: "Kasachstan".into(),
        page_size: -1,
        as_of: Some(prost_types::Timestamp {
            seconds: 0,
            nanos: -1,
        }),
        ..ListCoverageRequest::default()
    };
    let refused = ask(&client, wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    let mut named = fields(&refused);
    named.sort();
    assert_eq!(named, ["as_of", "page_size", "parent", "reporter"]);
    let many = ListCoverageRequest {
        page_size: i32::MAX,
        ..of("")
    };
    assert_eq!(lines(&client, many).await.len(), 5);
}
