//! Datasets: created once, found again, listed in pages, and refused with everything that is wrong.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::collections::BTreeMap;

use proto::r#type::v1::LocalizedText;
use tests::wire::{
    CreateDatasetRequest, Dataset, GetDatasetRequest, ListDatasetsRequest, ListDatasetsResponse,
};
use tests::{Client, Server, both_ways, dataset, fields, reason};
use tonic::Status;

both_ways!(
    a_dataset_is_found_as_it_was_created,
    the_same_request_again_makes_no_second_dataset,
    a_request_in_many_languages_is_recognised_when_it_is_sent_again,
    a_request_id_stands_for_one_request,
    an_id_is_taken_once,
    everything_that_is_wrong_is_named_at_once,
    ids_currencies_and_texts_that_deceive_are_refused,
    what_the_service_decides_is_not_taken_from_the_caller,
    datasets_come_in_pages_in_the_order_of_their_ids,
    a_page_of_wordy_datasets_fits_into_a_message,
);

async fn create(client: &Client, request: CreateDatasetRequest) -> Result<Dataset, Status> {
    let created = client.clone().create_dataset(request).await?;
    Ok(created.into_inner())
}

async fn get(client: &Client, name: &str) -> Result<Dataset, Status> {
    let request = GetDatasetRequest {
        name: name.into(),
        as_of: None,
    };
    Ok(client.clone().get_dataset(request).await?.into_inner())
}

async fn page(client: &Client, size: i32, token: &str) -> Result<ListDatasetsResponse, Status> {
    let request = ListDatasetsRequest {
        page_size: size,
        page_token: token.into(),
        as_of: None,
    };
    Ok(client.clone().list_datasets(request).await?.into_inner())
}

fn asked_as(request_id: &str, request: CreateDatasetRequest) -> CreateDatasetRequest {
    CreateDatasetRequest {
        request_id: request_id.into(),
        ..request
    }
}

/// A valid request in which one thing is changed.
fn but(change: impl FnOnce(&mut Dataset)) -> CreateDatasetRequest {
    let mut request = dataset("comtrade");
    change(request.dataset.get_or_insert_default());
    request
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "as the field of the message takes it"
)]
fn text(language: &str, text: &str) -> Option<LocalizedText> {
    let texts = BTreeMap::from([(language.to_owned(), text.to_owned())]);
    Some(LocalizedText { texts })
}

async fn a_dataset_is_found_as_it_was_created(server: &mut Server) {
    let client = server.client();
    let created = create(&client, dataset("comtrade")).await.expect("created");
    assert_eq!(created.name, "datasets/comtrade");
    assert!(!created.etag.is_empty());
    assert!(created.create_time.is_some());
    assert_eq!(
        get(&client, "datasets/comtrade").await.expect("found"),
        created
    );

    server.restart().await;
    let client = server.client();
    assert_eq!(
        get(&client, "datasets/comtrade").await.expect("found"),
        created
    );
    server.restart_without_view().await;
    let client = server.client();
    assert_eq!(
        get(&client, "datasets/comtrade").await.expect("found"),
        created
    );

    let missing = get(&client, "datasets/customs").await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
    for name in [
        "",
        "comtrade",
        "datasets/",
        "datasets/a/b",
        "datasets/../etc",
    ] {
        let refused = get(&client, name).await.unwrap_err();
        assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD", "{name}");
        assert_eq!(fields(&refused), ["name"], "{name}");
    }
}

const REQUEST: &str = "7b1c1f0a-6a4e-4b1e-9d57-3f6d3a1f0c11";

async fn the_same_request_again_makes_no_second_dataset(server: &mut Server) {
    let request = asked_as(REQUEST, dataset("comtrade"));
    let first = create(&server.client(), request.clone())
        .await
        .expect("created");
    let again = create(&server.client(), request.clone()).await;
    assert_eq!(again.expect("the same answer"), first);
    server.restart().await;
    let again = create(&server.client(), request.clone()).await;
    assert_eq!(again.expect("remembered over a restart"), first);
    server.restart_without_view().await;
    let again = create(&server.client(), request).await;
    assert_eq!(again.expect("remembered by the journal"), first);
}

async fn a_request_in_many_languages_is_recognised_when_it_is_sent_again(server: &mut Server) {
    let client = server.client();
    let languages = ["en", "fr", "kk", "ru", "zh-Hans", "de", "es", "ar"];
    let request = || {
        let texts = languages.map(|language| (language.to_owned(), "Trade".to_owned()));
        let display_name = LocalizedText {
            texts: BTreeMap::from(texts),
        };
        asked_as(
            REQUEST,
            but(|dataset| dataset.display_name = Some(display_name)),
        )
    };
    let first = create(&client, request()).await.expect("created");
    // A map has no order on the wire, and each copy of it may come in another one.
    for _ in 0..10 {
        let again = create(&client, request()).await;
        assert_eq!(again.expect("the same request"), first);
    }
}

async fn a_request_id_stands_for_one_request(server: &mut Server) {
    let client = server.client();
    let first = create(&client, asked_as(REQUEST, dataset("comtrade"))).await;
    first.expect("created");
    let others = [
        asked_as(REQUEST, dataset("customs")),
        asked_as(REQUEST, but(|dataset| dataset.currency_code = "CNY".into())),
    ];
    for other in others {
        let refused = create(&client, other).await.unwrap_err();
        assert_eq!(reason(&refused), "AlreadyExists REQUEST_ID_REUSED");
    }
    let missing = get(&client, "datasets/customs").await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
}

async fn an_id_is_taken_once(server: &mut Server) {
    let client = server.client();
    let first = create(&client, dataset("comtrade")).await.expect("created");
    let other = but(|dataset| dataset.currency_code = "KZT".into());
    let refused = create(&client, other.clone()).await.unwrap_err();
    assert_eq!(reason(&refused), "AlreadyExists ALREADY_EXISTS");
    let refused = create(&client, asked_as(REQUEST, other)).await.unwrap_err();
    assert_eq!(reason(&refused), "AlreadyExists ALREADY_EXISTS");
    // A refused request did nothing, so its id stands for nothing yet.
    create(&client, asked_as(REQUEST, dataset("customs")))
        .await
        .expect("created");
    assert_eq!(
        get(&client, "datasets/comtrade").await.expect("found"),
        first
    );

    // Of many at once, exactly one is first.
    let race = (0..20).map(|_| create(&client, dataset("race")));
    let ended = futures_util::future::join_all(race).await;
    assert_eq!(ended.iter().filter(|created| created.is_ok()).count(), 1);
    for lost in ended.into_iter().filter_map(Result::err) {
        assert_eq!(reason(&lost), "AlreadyExists ALREADY_EXISTS");
    }
}

async fn everything_that_is_wrong_is_named_at_once(server: &mut Server) {
    let client = server.client();
    let mut wrong = but(|dataset| {
        dataset.display_name = None;
        dataset.description = text("no tag", "Figures");
        dataset.source = None;
        dataset.currency_code = "DOLLAR".into();
        dataset.import_valuation = 77;
        dataset.export_valuation = -1;
    });
    wrong.dataset_id = "Com_Trade".into();
    wrong.request_id = "not a uuid".into();
    let refused = create(&client, wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    let mut named = fields(&refused);
    named.sort();
    let expected = [
        "dataset.currency_code",
        "dataset.description.texts[no tag]",
        "dataset.display_name",
        "dataset.export_valuation",
        "dataset.import_valuation",
        "dataset.source",
        "dataset_id",
        "request_id",
    ];
    assert_eq!(named, expected);

    let refused = create(&client, CreateDatasetRequest::default())
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), ["dataset_id", "dataset"]);
    let list = page(&client, 0, "").await.expect("a page");
    assert!(list.datasets.is_empty());
}

async fn ids_currencies_and_texts_that_deceive_are_refused(server: &mut Server) {
    let client = server.client();
    let long = "a".repeat(64);
    for id in [
        "", "2024", "-a", "a-", "a_b", "A", "a.b", "a/b", "\u{430}", &long,
    ] {
        let mut request = dataset("comtrade");
        request.dataset_id = id.into();
        let refused = create(&client, request).await.unwrap_err();
        assert_eq!(fields(&refused), ["dataset_id"], "{id:?}");
    }
    for code in ["", "usd", "US", "USDT", "ZZZ", "\u{ff35}SD"] {
        let request = but(|dataset| dataset.currency_code = code.into());
        let refused = create(&client, request).await.unwrap_err();
        assert_eq!(fields(&refused), ["dataset.currency_code"], "{code:?}");
    }
    for deceiving in [
        "Trade \u{202e}erutuf",
        "a\u{200b}b",
        "a\u{feff}",
        "a\0b",
        " ",
        "",
    ] {
        let request = but(|dataset| dataset.display_name = text("en", deceiving));
        let refused = create(&client, request).await.unwrap_err();
        let expected = ["dataset.display_name.texts[en]"];
        assert_eq!(fields(&refused), expected, "{deceiving:?}");

        let request = but(|dataset| {
            dataset.source.get_or_insert_default().title = deceiving.into();
        });
        let refused = create(&client, request).await.unwrap_err();
        assert_eq!(fields(&refused), ["dataset.source.title"], "{deceiving:?}");
    }
    for address in [
        "javascript:alert(1)",
        "ftp://x",
        "https://",
        "http://u:p@host/",
    ] {
        let request = but(|dataset| {
            dataset.source.get_or_insert_default().uri = address.into();
        });
        let refused = create(&client, request).await.unwrap_err();
        assert_eq!(fields(&refused), ["dataset.source.uri"], "{address}");
    }
    let list = page(&client, 0, "").await.expect("a page");
    assert!(list.datasets.is_empty());
}

async fn what_the_service_decides_is_not_taken_from_the_caller(server: &mut Server) {
    let client = server.client();
    let request = but(|dataset| {
        dataset.name = "datasets/another".into();
        dataset.etag = "mine".into();
        dataset.create_time = Some(prost_types::Timestamp {
            seconds: i64::MIN,
            nanos: -7,
        });
        dataset.description = text("ru", "Cafe\u{301}");
    });
    let created = create(&client, request).await.expect("created");
    assert_eq!(created.name, "datasets/comtrade");
    assert_ne!(created.etag, "mine");
    assert!(created.create_time.is_some_and(|time| time.seconds > 0));
    // Texts are kept in Unicode normal form C.
    assert_eq!(created.description, text("ru", "Caf\u{e9}"));
}

async fn datasets_come_in_pages_in_the_order_of_their_ids(server: &mut Server) {
    let client = server.client();
    let ids = ["b", "a", "comtrade", "a-2", "a10", "z9", "a2"];
    for id in ids {
        create(&client, dataset(id)).await.expect("created");
    }
    let mut sorted: Vec<String> = ids.iter().map(|id| format!("datasets/{id}")).collect();
    sorted.sort();
    for size in [0, 1, 3, 7, 1_000, i32::MAX] {
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let answer = page(&client, size, &token).await.expect("a page");
            let names = answer.datasets.into_iter().map(|dataset| dataset.name);
            let before = seen.len();
            seen.extend(names);
            assert!(size == 0 || seen.len() - before <= size.unsigned_abs() as usize);
            token = answer.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, sorted, "pages of {size}");
    }
    let refused = page(&client, -1, "").await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    assert_eq!(fields(&refused), ["page_size"]);
    for token in ["garbage", "AQAA", "\u{430}", &"A".repeat(5_000)] {
        let refused = page(&client, 1, token).await.unwrap_err();
        assert_eq!(reason(&refused), "InvalidArgument INVALID_PAGE_TOKEN");
        assert_eq!(fields(&refused), ["page_token"]);
    }
}

async fn a_page_of_wordy_datasets_fits_into_a_message(server: &mut Server) {
    let client = server.client();
    // 50 KB a dataset; a hundred of them would be more than the 4 MiB that a client takes by default.
    let wordy = |languages: &[&str]| {
        let texts = languages
            .iter()
            .map(|language| ((*language).to_owned(), "\u{8d38}".repeat(4_000)));
        LocalizedText {
            texts: texts.collect(),
        }
    };
    let mut too_wordy = dataset("too-wordy");
    let many = wordy(&["en", "fr", "de", "es", "it", "nl", "pl", "kk", "ru"]);
    too_wordy.dataset.get_or_insert_default().description = Some(many);
    let refused = create(&client, too_wordy).await.unwrap_err();
    assert_eq!(fields(&refused), ["dataset"]);
    for number in 0..100 {
        let mut request = dataset(&format!("wordy-{number}"));
        request.dataset.get_or_insert_default().description =
            Some(wordy(&["en", "fr", "kk", "ru"]));
        create(&client, request).await.expect("created");
    }
    let (mut seen, mut token) = (0, String::new());
    loop {
        let answer = page(&client, 1_000, &token)
            .await
            .expect("a page that fits");
        seen += answer.datasets.len();
        token = answer.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 100);
}
