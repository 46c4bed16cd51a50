//! What a pair went through: figures recorded and revised, by both sides, in the order of time.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use prost_types::Timestamp;
use proto::{Country, PageToken, parse_timestamp, to_timestamp};
use tests::wire::{
    IngestObservationsResponse, ListObservationChangesRequest, ListObservationChangesResponse,
    ObservationChange,
};
use tests::{Client, Server, both_ways, dataset, fields, reason, record};
use tonic::Status;

both_ways!(
    both_sides_are_told_in_the_order_of_time,
    a_revision_says_what_it_took_the_place_of,
    a_window_holds_its_ends,
    each_version_is_told_whatever_became_of_it_later,
    datasets_are_told_together_or_one_alone,
    totals_are_told_alone,
    a_country_may_trade_with_itself,
    pages_hold_together_although_figures_are_revised_meanwhile,
    other_pairs_cost_nothing,
    a_filter_that_matches_nothing_ends_in_bounded_pages,
    a_token_continues_its_own_list_only,
    a_bad_question_names_every_field,
);

async fn with_dataset(server: &Server) -> Client {
    let client = server.client();
    let created = client.clone().create_dataset(dataset("comtrade")).await;
    created.expect("created");
    client
}

/// Records figures; the instant at which they were.
async fn recorded(client: &Client, dataset: &str, ingest: &str, table: &str) -> i64 {
    let answer = record(client, dataset, ingest, table).await;
    assert!(answer.rejections.is_empty(), "{:?}", answer.rejections);
    instant(&answer)
}

fn instant(answer: &IngestObservationsResponse) -> i64 {
    let ingest = answer.ingest.as_ref().unwrap();
    parse_timestamp(&ingest.update_time.unwrap()).unwrap()
}

fn pair() -> ListObservationChangesRequest {
    ListObservationChangesRequest {
        first: "CHN".into(),
        second: "KAZ".into(),
        ..ListObservationChangesRequest::default()
    }
}

fn between(since: i64, until: i64) -> ListObservationChangesRequest {
    ListObservationChangesRequest {
        since: Some(to_timestamp(since)),
        until: Some(to_timestamp(until)),
        ..pair()
    }
}

async fn page(
    client: &Client,
    request: ListObservationChangesRequest,
) -> Result<ListObservationChangesResponse, Status> {
    let answer = client.clone().list_observation_changes(request).await?;
    Ok(answer.into_inner())
}

async fn pages(
    client: &Client,
    request: ListObservationChangesRequest,
) -> Vec<Vec<ObservationChange>> {
    let ask = async |page_token| {
        let request = ListObservationChangesRequest {
            page_token,
            ..request.clone()
        };
        let page = page(client, request).await.expect("a page");
        (page.changes, page.next_page_token)
    };
    tests::pages(ask).await
}

async fn all(client: &Client, request: ListObservationChangesRequest) -> Vec<ObservationChange> {
    pages(client, request).await.concat()
}

/// The key of a figure, its value, and its value before.
fn told(changes: &[ObservationChange]) -> Vec<String> {
    let line = |change: &ObservationChange| {
        let (key, value, _) = tests::shape(change.observation.as_ref().unwrap());
        format!("{key} {} -> {value}", change.previous_value)
    };
    changes.iter().map(line).collect()
}

async fn both_sides_are_told_in_the_order_of_time(server: &mut Server) {
    let client = with_dataset(server).await;
    let steps = [
        ("a", "KAZ CHN M H6 TOTAL 2023 16\nKAZ RUS M H6 TOTAL 2023 1"),
        ("b", "CHN KAZ X H6 TOTAL 2023 24\nCHN RUS X H6 TOTAL 2023 1"),
        (
            "c",
            "CHN KAZ X H6 TOTAL 2023 25\nKAZ CHN M H6 TOTAL 2023 17",
        ),
        ("d", "KAZ CHN X H6 TOTAL 2023 13"),
    ];
    for (ingest, table) in steps {
        recorded(&client, "comtrade", ingest, table).await;
    }
    let expected = [
        "KAZ.CHN.M.H6.TOTAL.2023  -> 16",
        "CHN.KAZ.X.H6.TOTAL.2023  -> 24",
        "CHN.KAZ.X.H6.TOTAL.2023 24 -> 25",
        "KAZ.CHN.M.H6.TOTAL.2023 16 -> 17",
        "KAZ.CHN.X.H6.TOTAL.2023  -> 13",
    ];
    let changes = all(&client, pair()).await;
    assert_eq!(told(&changes), expected);
    let turned = ListObservationChangesRequest {
        first: "KAZ".into(),
        second: "CHN".into(),
        ..pair()
    };
    assert_eq!(all(&client, turned).await, changes, "a pair has no order");
    server.restart_without_view().await;
    assert_eq!(all(&server.client(), pair()).await, changes);
}

async fn a_revision_says_what_it_took_the_place_of(server: &mut Server) {
    let client = with_dataset(server).await;
    let table = "CHN KAZ X H6 8701 2023 20\nCHN KAZ X H6 8702 2023 0\nCHN KAZ X H6 8703 2023 3";
    let first = recorded(&client, "comtrade", "a", table).await;
    let table = "CHN KAZ X H6 8701 2023 24.7\nCHN KAZ X H6 8702 2023 1
                 CHN KAZ X H6 8703 2023 3 provisional\nCHN KAZ X H6 8704 2023 4";
    let second = recorded(&client, "comtrade", "b", table).await;
    let changes = all(&client, between(second, second)).await;
    let said: Vec<_> = changes
        .iter()
        .map(|change| {
            let before = change
                .previous_vintage
                .map(|at| parse_timestamp(&at).unwrap());
            (
                change.previous_value.as_str(),
                before,
                change.revision.as_str(),
            )
        })
        .collect();
    let expected = [
        ("20", Some(first), "0.235"),
        ("0", Some(first), ""),
        ("3", Some(first), "0"),
        ("", None, ""),
    ];
    assert_eq!(said, expected);
    let flags = changes
        .iter()
        .map(|c| c.observation.as_ref().unwrap().flags.len());
    assert_eq!(flags.collect::<Vec<_>>(), [0, 0, 1, 0]);
    for change in &changes {
        let vintage = change.observation.as_ref().unwrap().vintage;
        assert_eq!(vintage, Some(to_timestamp(second)));
    }
}

async fn a_window_holds_its_ends(server: &mut Server) {
    let client = with_dataset(server).await;
    let mut at = Vec::new();
    for value in 1..=4 {
        let table = format!("CHN KAZ X H6 TOTAL 2023 {value}");
        at.push(recorded(&client, "comtrade", &format!("step-{value}"), &table).await);
    }
    let values = async |request| {
        let changes = all(&client, request).await;
        let value = |c: &ObservationChange| tests::shape(c.observation.as_ref().unwrap()).1;
        changes.iter().map(value).collect::<Vec<_>>().concat()
    };
    assert_eq!(values(between(at[1], at[2])).await, "23");
    assert_eq!(values(between(at[1] + 1, at[2] - 1)).await, "");
    assert_eq!(values(between(at[1] + 1, at[3])).await, "34");
    assert_eq!(values(between(0, at[0] - 1)).await, "");
    assert_eq!(values(between(-1, at[0])).await, "1");
    assert_eq!(values(between(-2, -1)).await, "");
    let open = ListObservationChangesRequest {
        until: None,
        ..between(at[3], at[3])
    };
    assert_eq!(values(open).await, "4");
    let ages = 4_000_000_000_000_000;
    assert_eq!(values(between(0, ages)).await, "1234");
    assert_eq!(values(between(ages, ages)).await, "");
}

async fn each_version_is_told_whatever_became_of_it_later(server: &mut Server) {
    let client = with_dataset(server).await;
    let table = "CHN KAZ X H6 8701 2023 1\nCHN KAZ X H6 8702 2023 2\nCHN KAZ X H6 8703 2023 3";
    let first = recorded(&client, "comtrade", "all", table).await;
    let known = all(&client, between(first, first)).await;
    assert_eq!(known.len(), 3);
    for (ingest, table) in [
        ("late", "CHN KAZ X H6 8702 2023 4"),
        (
            "later",
            "CHN KAZ X H6 8702 2023 5\nCHN KAZ X H6 8705 2023 5",
        ),
        ("last", "CHN KAZ X H6 8701 2023 6\nCHN KAZ X H6 8702 2023 6"),
    ] {
        recorded(&client, "comtrade", ingest, table).await;
        assert_eq!(all(&client, between(first, first)).await, known);
    }
    assert_eq!(all(&client, pair()).await.len(), 8);
}

async fn datasets_are_told_together_or_one_alone(server: &mut Server) {
    let client = with_dataset(server).await;
    for id in ["press", "customs"] {
        client.clone().create_dataset(dataset(id)).await.unwrap();
    }
    for (dataset, value) in [
        ("customs", 1),
        ("comtrade", 2),
        ("press", 3),
        ("comtrade", 4),
    ] {
        let table = format!("CHN KAZ X H6 TOTAL 2023 {value}\nKAZ CHN M H6 TOTAL 2023 {value}");
        recorded(&client, dataset, &format!("{dataset}-{value}"), &table).await;
    }
    let of = |dataset: &str| ListObservationChangesRequest {
        dataset: dataset.into(),
        ..pair()
    };
    let together = all(&client, of("")).await;
    assert_eq!(together.len(), 8);
    for (name, count) in [("comtrade", 4), ("press", 2), ("customs", 2)] {
        let name = format!("datasets/{name}");
        let mut alone = together.clone();
        alone.retain(|change| {
            let observation = change.observation.as_ref().unwrap();
            observation.name.starts_with(&format!("{name}/"))
        });
        assert_eq!(alone.len(), count);
        assert_eq!(all(&client, of(&name)).await, alone);
    }
    let missing = page(&client, of("datasets/nobody")).await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
}

async fn totals_are_told_alone(server: &mut Server) {
    let client = with_dataset(server).await;
    let table = "CHN KAZ X H6 87 2023 1\nCHN KAZ X H6 TOTAL 2023 2\nCHN KAZ X H6 870380 2023 3
                 CHN KAZ X H6 88 2022 4\nCHN KAZ M H6 TOTAL 2023-05 5";
    recorded(&client, "comtrade", "a", table).await;
    let totals = ListObservationChangesRequest {
        totals_only: true,
        ..pair()
    };
    let expected = [
        "CHN.KAZ.M.H6.TOTAL.2023-05  -> 5",
        "CHN.KAZ.X.H6.TOTAL.2023  -> 2",
    ];
    assert_eq!(told(&all(&client, totals).await), expected);
    assert_eq!(all(&client, pair()).await.len(), 5);
}

async fn a_country_may_trade_with_itself(server: &mut Server) {
    let client = with_dataset(server).await;
    let table = "CHN CHN M H6 TOTAL 2023 1\nCHN KAZ M H6 TOTAL 2023 2";
    recorded(&client, "comtrade", "a", table).await;
    let itself = ListObservationChangesRequest {
        second: "CHN".into(),
        page_size: 1,
        ..pair()
    };
    let expected = ["CHN.CHN.M.H6.TOTAL.2023  -> 1"];
    assert_eq!(told(&all(&client, itself).await), expected);
}

async fn pages_hold_together_although_figures_are_revised_meanwhile(server: &mut Server) {
    let mut client = with_dataset(server).await;
    for step in 1..=4 {
        let rows = (8700..8704).map(|code| {
            format!("CHN KAZ X H6 {code} 2023 {step}\nKAZ CHN M H6 {code}10 2023 {step}\n")
        });
        let table = rows.collect::<String>() + "KAZ CHN M H6 TOTAL 2023 1";
        recorded(&client, "comtrade", &format!("step-{step}"), &table).await;
    }
    let whole = all(&client, pair()).await;
    assert_eq!(whole.len(), 33);
    let mut asked = ListObservationChangesRequest {
        page_size: 3,
        ..pair()
    };
    let mut seen = Vec::new();
    for round in 0.. {
        let answer = page(&client, asked.clone()).await.expect("a page");
        assert!(answer.changes.len() <= asked.page_size.unsigned_abs() as usize);
        seen.extend(answer.changes);
        if answer.next_page_token.is_empty() {
            break;
        }
        asked.page_token = answer.next_page_token;
        let table = format!("CHN KAZ X H6 8701 2023 1{round}\nKAZ CHN M H6 88 2023 1{round}");
        recorded(&client, "comtrade", &format!("round-{round}"), &table).await;
        if round == 4 {
            server.restart_without_view().await;
            client = server.client();
        }
        asked.page_size = 1 + round % 4;
    }
    assert_eq!(seen, whole, "until the instant of the first page");
}

async fn other_pairs_cost_nothing(server: &mut Server) {
    let client = with_dataset(server).await;
    let before = recorded(&client, "comtrade", "first", "CHN KAZ X H6 TOTAL 2022 1").await;
    let partners = Country::all().filter(|country| country.to_string() != "KAZ");
    let flows = ["M", "X", "RM", "RX", "DX", "FM", "T", "XIP", "XOP"];
    let rows = partners
        .take(250)
        .flat_map(|partner| flows.map(|flow| format!("CHN {partner} {flow} H6 TOTAL 2023 1\n")));
    recorded(&client, "comtrade", "others", &rows.collect::<String>()).await;
    recorded(&client, "comtrade", "last", "KAZ CHN M H6 TOTAL 2022 1").await;
    let whole = pages(&client, pair()).await;
    assert_eq!((whole.len(), whole[0].len()), (1, 2));
    let early = pages(&client, between(before, before)).await;
    assert_eq!((early.len(), early[0].len()), (1, 1));
}

async fn a_filter_that_matches_nothing_ends_in_bounded_pages(server: &mut Server) {
    let client = with_dataset(server).await;
    client
        .clone()
        .create_dataset(dataset("press"))
        .await
        .unwrap();
    let months = (0..2_500).map(|at| {
        let (year, month) = (1_800 + at / 12, 1 + at % 12);
        format!("CHN KAZ X H6 87 {year}-{month:02} 1\n")
    });
    recorded(&client, "comtrade", "many", &months.collect::<String>()).await;
    let totals = ListObservationChangesRequest {
        totals_only: true,
        ..pair()
    };
    let pages_of_totals = pages(&client, totals).await;
    assert!(pages_of_totals.iter().all(Vec::is_empty));
    assert_eq!(pages_of_totals.len(), 2, "a page looks at 2,000 entries");
    let press = ListObservationChangesRequest {
        dataset: "datasets/press".into(),
        ..pair()
    };
    assert_eq!(
        pages(&client, press).await,
        [vec![]],
        "they are passed over"
    );
    let most = ListObservationChangesRequest {
        page_size: 1_001,
        ..pair()
    };
    let all_of_them = pages(&client, most).await;
    assert!(all_of_them.iter().all(|page| page.len() <= 1_000));
    assert_eq!(all_of_them.concat().len(), 2_500);
}

async fn a_token_continues_its_own_list_only(server: &mut Server) {
    let client = with_dataset(server).await;
    let table = "CHN KAZ X H6 TOTAL 2023 1\nCHN KAZ X H6 TOTAL 2022 1";
    recorded(&client, "comtrade", "a", table).await;
    let asked = ListObservationChangesRequest {
        page_size: 1,
        ..pair()
    };
    let token = page(&client, asked.clone()).await.unwrap().next_page_token;
    assert!(!token.is_empty());
    let with = |token: &str| ListObservationChangesRequest {
        page_token: token.into(),
        ..asked.clone()
    };
    let mut others = vec![
        ListObservationChangesRequest {
            second: "RUS".into(),
            ..with(&token)
        },
        ListObservationChangesRequest {
            totals_only: true,
            ..with(&token)
        },
        ListObservationChangesRequest {
            since: Some(Timestamp::default()),
            ..with(&token)
        },
        with("garbage"),
        with(&token[1..]),
    ];
    let digest = {
        let query = ListObservationChangesRequest {
            page_size: 0,
            ..asked.clone()
        };
        proto::query_digest(&[&prost::Message::encode_to_vec(&query)])
    };
    let foreign = [&[0x7f; 14][..], &[0x23], &[0x7f; 24]].concat();
    for cursor in [vec![], vec![0; 39], vec![0xff; 39], foreign] {
        others.push(with(&PageToken::encode(digest, &cursor)));
    }
    for other in others {
        let refused = page(&client, other).await.expect_err("another list");
        assert_eq!(reason(&refused), "InvalidArgument INVALID_PAGE_TOKEN");
    }
}

async fn a_bad_question_names_every_field(server: &mut Server) {
    let client = with_dataset(server).await;
    let wrong = ListObservationChangesRequest {
        first: String::new(),
        second: "\u{41a}AZ".into(),
        dataset: "comtrade".into(),
        page_size: -1,
        ..between(5, 4)
    };
    let refused = page(&client, wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    let expected = ["first", "second", "until", "dataset", "page_size"];
    assert_eq!(fields(&refused), expected);
    let refused = page(&client, between(5, 4)).await.unwrap_err();
    assert_eq!(fields(&refused), ["until"]);
    let none = Some(Timestamp {
        seconds: i64::MAX,
        nanos: 0,
    });
    let wrong = ListObservationChangesRequest {
        since: none,
        until: none,
        ..pair()
    };
    let refused = page(&client, wrong).await.unwrap_err();
    assert_eq!(fields(&refused), ["since", "until"]);
}
