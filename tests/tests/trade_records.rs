//! What a dataset says of itself changes; what was said before is found as of its time, and so is the source
//! of figures that have none of their own.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use prost_types::{FieldMask, Timestamp};
use tests::wire::trade_change::Change;
use tests::wire::{
    Dataset, GetDatasetRequest, GetObservationRequest, ListDatasetsRequest,
    ListObservationsRequest, UpdateDatasetRequest, WatchChangesRequest,
};
use tests::{
    Client, Server, batch, both_ways, dataset, fields, header, ingest, reason, record, source, text,
};
use tonic::Status;

both_ways!(
    a_dataset_is_told_in_new_words_and_found_in_the_old_ones,
    figures_without_a_source_follow_their_dataset,
    currency_and_valuation_never_change,
    an_etag_that_is_old_stops_an_update,
    an_update_sent_again_is_done_once,
    datasets_are_listed_as_of_an_instant,
    an_update_is_told_to_watchers_of_the_dataset,
);

const NAME: &str = "datasets/comtrade";

async fn created(server: &Server) -> Dataset {
    let created = server.client().create_dataset(dataset("comtrade")).await;
    created.expect("created").into_inner()
}

async fn get(client: &Client, as_of: Option<Timestamp>) -> Result<Dataset, Status> {
    let name = NAME.into();
    let request = GetDatasetRequest { name, as_of };
    Ok(client.clone().get_dataset(request).await?.into_inner())
}

async fn update(client: &Client, request: UpdateDatasetRequest) -> Result<Dataset, Status> {
    Ok(client.clone().update_dataset(request).await?.into_inner())
}

fn changed(paths: &[&str], change: impl FnOnce(&mut Dataset)) -> UpdateDatasetRequest {
    let mut dataset = Dataset {
        name: NAME.into(),
        ..Dataset::default()
    };
    change(&mut dataset);
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    UpdateDatasetRequest {
        dataset: Some(dataset),
        update_mask: (!paths.is_empty()).then_some(FieldMask { paths }),
        request_id: String::new(),
    }
}

async fn a_dataset_is_told_in_new_words_and_found_in_the_old_ones(server: &mut Server) {
    let first = created(server).await;
    assert_eq!(first.update_time, first.create_time);
    let client = server.client();
    let request = changed(&[], |dataset| {
        dataset.display_name = Some(text("fr", "Chiffres"));
        dataset.description = Some(text("fr", "Cafe\u{301}"));
    });
    let second = update(&client, request).await.expect("updated");
    assert_eq!(second.description, Some(text("fr", "Caf\u{e9}")));
    assert_eq!(second.source, first.source);
    assert_eq!(second.create_time, first.create_time);
    assert_ne!(second.etag, first.etag);
    let request = changed(&["description"], |_| {});
    let third = update(&client, request).await.expect("updated");
    assert_eq!(third.description, None);
    for _ in 0..2 {
        let client = server.client();
        assert_eq!(get(&client, None).await.expect("found"), third);
        for version in [&first, &second, &third] {
            let then = get(&client, version.update_time).await.expect("found");
            assert_eq!(&then, version);
        }
        let missing = get(&client, Some(Timestamp::default())).await.unwrap_err();
        assert_eq!(reason(&missing), "NotFound NOT_FOUND");
        server.restart_without_view().await;
    }
}

/// The title of the source of a figure, read alone and in a list.
async fn title(client: &Client, code: &str, as_of: Option<Timestamp>) -> String {
    let one = GetObservationRequest {
        name: format!("{NAME}/observations/CHN.KAZ.X.H6.{code}.2023"),
        as_of,
    };
    let one = client
        .clone()
        .get_observation(one)
        .await
        .expect("found")
        .into_inner();
    let list = ListObservationsRequest {
        parent: NAME.into(),
        as_of,
        ..ListObservationsRequest::default()
    };
    let list = client
        .clone()
        .list_observations(list)
        .await
        .expect("a page")
        .into_inner();
    assert!(list.observations.contains(&one));
    one.source.expect("every figure has one").title
}

async fn figures_without_a_source_follow_their_dataset(server: &mut Server) {
    let first = created(server).await;
    let client = server.client();
    let mut rows = batch(
        1,
        "CHN KAZ X H6 87 2023 1\nCHN KAZ X H6 TOTAL 2023 2 source=1",
    );
    rows.sources = vec![source("A speech")];
    ingest(&client, header("comtrade", "a"), vec![rows])
        .await
        .expect("recorded");
    let request = GetObservationRequest {
        name: format!("{NAME}/observations/CHN.KAZ.X.H6.87.2023"),
        as_of: None,
    };
    let figure = client.clone().get_observation(request).await;
    let recorded = figure.expect("found").into_inner().vintage;
    // One of these is a source that a figure brought, and comes twice.
    let mut told = vec![(recorded, first.source.clone().unwrap().title)];
    for title in ["A new table", "A speech", "A speech", "A last table"] {
        let request = changed(&[], |dataset| dataset.source = Some(source(title)));
        let updated = update(&client, request).await.expect("updated");
        told.push((updated.update_time, title.to_owned()));
    }
    let words = changed(&[], |dataset| {
        dataset.display_name = Some(text("en", "Words"));
    });
    update(&client, words).await.expect("updated");
    for _ in 0..2 {
        let client = server.client();
        assert_eq!(title(&client, "87", None).await, "A last table");
        assert_eq!(title(&client, "TOTAL", None).await, "A speech");
        for (at, expected) in &told {
            assert_eq!(&title(&client, "87", *at).await, expected, "as of {at:?}");
            assert_eq!(title(&client, "TOTAL", *at).await, "A speech");
        }
        // What was recorded is as it was: sent again, nothing is new.
        let again = record(&client, "comtrade", "b", "CHN KAZ X H6 87 2023 1").await;
        assert_eq!(again.counts.unwrap_or_default().revised, 0);
        server.restart_without_view().await;
    }
}

async fn currency_and_valuation_never_change(server: &mut Server) {
    let first = created(server).await;
    let client = server.client();
    for path in [
        "currency_code",
        "import_valuation",
        "source.title",
        "name",
        "display_nam\u{435}",
    ] {
        let request = changed(&[path], |dataset| dataset.currency_code = "CNY".into());
        let refused = update(&client, request).await.unwrap_err();
        assert_eq!(fields(&refused), ["update_mask"], "{path}");
    }
    let request = changed(&[], |dataset| dataset.currency_code = "CNY".into());
    assert_eq!(update(&client, request).await.expect("as it is"), first);
    let request = changed(&["display_name", "source"], |dataset| {
        dataset.source = Some(source("Tables \u{202e}selbaT"));
    });
    let refused = update(&client, request).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        ["dataset.display_name", "dataset.source.title"]
    );
    let mut wrong = changed(&["x"], |dataset| dataset.name = "sectors/a".into());
    wrong.request_id = "x".into();
    let refused = update(&client, wrong).await.unwrap_err();
    let mut named = fields(&refused);
    named.sort();
    assert_eq!(named, ["dataset.name", "request_id", "update_mask"]);
    assert_eq!(get(&client, None).await.expect("found"), first);
}

async fn an_etag_that_is_old_stops_an_update(server: &mut Server) {
    let first = created(server).await;
    let client = server.client();
    let with = |etag: &str, title: &str| {
        changed(&[], |dataset| {
            dataset.etag = etag.into();
            dataset.source = Some(source(title));
        })
    };
    let second = update(&client, with(&first.etag, "Second"))
        .await
        .expect("updated");
    let stale = update(&client, with(&first.etag, "Third"))
        .await
        .unwrap_err();
    assert_eq!(reason(&stale), "Aborted ETAG_MISMATCH");
    assert_eq!(get(&client, None).await.expect("found"), second);
}

async fn an_update_sent_again_is_done_once(server: &mut Server) {
    let first = created(server).await;
    let client = server.client();
    let mut request = changed(&[], |dataset| {
        dataset.etag.clone_from(&first.etag);
        dataset.source = Some(source("Second"));
    });
    request.request_id = "7b1c1f0a-6a4e-4b1e-9d57-3f6d3a1f0c11".into();
    let second = update(&client, request.clone()).await.expect("updated");
    assert_eq!(
        update(&client, request.clone()).await.expect("again"),
        second
    );
    let third = changed(&[], |dataset| dataset.source = Some(source("Third")));
    let third = update(&client, third).await.expect("updated");
    // Done already; the answer is the dataset as it is now.
    assert_eq!(
        update(&client, request.clone()).await.expect("again"),
        third
    );
    request.dataset.as_mut().unwrap().source = Some(source("Fourth"));
    let other = update(&client, request).await.unwrap_err();
    assert_eq!(reason(&other), "AlreadyExists REQUEST_ID_REUSED");
}

async fn datasets_are_listed_as_of_an_instant(server: &mut Server) {
    let first = created(server).await;
    let client = server.client();
    let request = changed(&[], |dataset| dataset.source = Some(source("Second")));
    let second = update(&client, request).await.expect("updated");
    let other = client
        .clone()
        .create_dataset(dataset("a"))
        .await
        .expect("created")
        .into_inner();
    for (as_of, expected) in [
        (Some(Timestamp::default()), vec![]),
        (first.update_time, vec![first.clone()]),
        (second.update_time, vec![second.clone()]),
        (None, vec![other, second]),
    ] {
        let request = ListDatasetsRequest {
            as_of,
            ..ListDatasetsRequest::default()
        };
        let list = client
            .clone()
            .list_datasets(request)
            .await
            .expect("a page")
            .into_inner();
        assert_eq!(list.datasets, expected, "as of {as_of:?}");
    }
    let one = ListDatasetsRequest {
        page_size: 1,
        ..ListDatasetsRequest::default()
    };
    let list = client
        .clone()
        .list_datasets(one.clone())
        .await
        .expect("a page")
        .into_inner();
    let of_another = ListDatasetsRequest {
        page_token: list.next_page_token,
        as_of: first.update_time,
        ..one
    };
    let refused = client.clone().list_datasets(of_another).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_PAGE_TOKEN");
}

async fn an_update_is_told_to_watchers_of_the_dataset(server: &mut Server) {
    created(server).await;
    let client = server.client();
    client
        .clone()
        .create_dataset(dataset("customs"))
        .await
        .expect("created");
    let request = changed(&[], |dataset| dataset.source = Some(source("Second")));
    let updated = update(&client, request).await.expect("updated");
    for (filter, expected) in [("", 1), (NAME, 1), ("datasets/customs", 0)] {
        let request = WatchChangesRequest {
            after_position: 2,
            dataset: filter.into(),
            ..WatchChangesRequest::default()
        };
        let mut watch = client
            .clone()
            .watch_changes(request)
            .await
            .expect("watched")
            .into_inner();
        let entry = watch.message().await.expect("no error").expect("no end");
        assert_eq!(entry.changes.len(), expected, "{filter}");
        for change in entry.changes {
            let Some(Change::DatasetUpdated(told)) = change.change else {
                panic!("another change: {change:?}");
            };
            assert_eq!(told.dataset.as_ref(), Some(&updated));
        }
    }
}
