//! Sectors: their whole life, with every version found as of its time.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use prost_types::{FieldMask, Timestamp};
use tests::wire::{
    CreateSectorRequest, DeleteSectorRequest, GetSectorRequest, ListSectorsRequest,
    ListSectorsResponse, Sector, UpdateSectorRequest,
};
use tests::{Client, Server, both_ways, fields, reason, sector, text};
use tonic::Status;

both_ways!(
    a_sector_lives_and_each_version_is_found_as_of_its_time,
    an_update_changes_what_its_mask_names_and_no_more,
    an_etag_that_is_old_stops_a_change,
    a_request_sent_again_is_done_once,
    the_id_of_a_deleted_sector_stays_taken,
    everything_that_is_wrong_is_named_at_once,
    codes_that_overlap_are_refused,
    pages_answer_as_of_the_first,
    a_list_as_of_an_instant_is_what_it_was_then,
);

const REQUEST: &str = "7b1c1f0a-6a4e-4b1e-9d57-3f6d3a1f0c11";

async fn create(client: &Client, request: CreateSectorRequest) -> Result<Sector, Status> {
    Ok(client.clone().create_sector(request).await?.into_inner())
}

async fn update(client: &Client, request: UpdateSectorRequest) -> Result<Sector, Status> {
    Ok(client.clone().update_sector(request).await?.into_inner())
}

async fn delete(client: &Client, name: &str, etag: &str) -> Result<(), Status> {
    let request = DeleteSectorRequest {
        name: name.into(),
        etag: etag.into(),
        request_id: String::new(),
    };
    client.clone().delete_sector(request).await?;
    Ok(())
}

async fn get_as_of(
    client: &Client,
    name: &str,
    as_of: Option<Timestamp>,
) -> Result<Sector, Status> {
    let name = name.into();
    let request = GetSectorRequest { name, as_of };
    Ok(client.clone().get_sector(request).await?.into_inner())
}

async fn page(client: &Client, request: ListSectorsRequest) -> Result<ListSectorsResponse, Status> {
    Ok(client.clone().list_sectors(request).await?.into_inner())
}

async fn ids_as_of(client: &Client, as_of: Option<Timestamp>) -> Vec<String> {
    let request = ListSectorsRequest {
        as_of,
        ..ListSectorsRequest::default()
    };
    let sectors = page(client, request).await.expect("a page").sectors;
    sectors.into_iter().map(|sector| sector.name).collect()
}

fn changed(name: &str, paths: &[&str], change: impl FnOnce(&mut Sector)) -> UpdateSectorRequest {
    let mut sector = Sector {
        name: name.into(),
        ..Sector::default()
    };
    change(&mut sector);
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    UpdateSectorRequest {
        sector: Some(sector),
        update_mask: (!paths.is_empty()).then_some(FieldMask { paths }),
        request_id: String::new(),
    }
}

async fn a_sector_lives_and_each_version_is_found_as_of_its_time(server: &mut Server) {
    let client = server.client();
    let name = "sectors/automobiles";
    let first = create(&client, sector("automobiles", &["8703"])).await;
    let first = first.expect("created");
    assert_eq!(
        (first.name.as_str(), &first.codes[..]),
        (name, &["8703".to_owned()][..])
    );
    assert_eq!(first.create_time, first.update_time);
    let wider = changed(name, &[], |sector| {
        sector.codes = vec!["8703".into(), "8704".into()];
    });
    let second = update(&client, wider).await.expect("updated");
    assert_ne!(second.etag, first.etag);
    assert_eq!(second.create_time, first.create_time);
    assert_eq!(second.display_name, first.display_name);
    delete(&client, name, &second.etag).await.expect("deleted");

    for stage in [
        "as it was written",
        "after a restart",
        "from the journal alone",
    ] {
        let client = server.client();
        let gone = get_as_of(&client, name, None).await.unwrap_err();
        assert_eq!(reason(&gone), "NotFound NOT_FOUND", "{stage}");
        for version in [&first, &second] {
            let then = get_as_of(&client, name, version.update_time).await;
            assert_eq!(&then.expect("it was there"), version, "{stage}");
            assert_eq!(
                ids_as_of(&client, version.update_time).await,
                [name],
                "{stage}"
            );
        }
        let before = first.create_time.map(|time| Timestamp {
            seconds: time.seconds - 1,
            nanos: time.nanos,
        });
        let missing = get_as_of(&client, name, before).await.unwrap_err();
        assert_eq!(reason(&missing), "NotFound NOT_FOUND", "{stage}");
        assert!(ids_as_of(&client, before).await.is_empty(), "{stage}");
        assert!(ids_as_of(&client, None).await.is_empty(), "{stage}");
        match stage {
            "as it was written" => server.restart().await,
            _ => server.restart_without_view().await,
        }
    }
}

async fn an_update_changes_what_its_mask_names_and_no_more(server: &mut Server) {
    let client = server.client();
    let mut request = sector("copper", &["74"]);
    request.sector.as_mut().unwrap().description = Some(text("en", "Refined and not"));
    let created = create(&client, request).await.expect("created");

    // Given, but not named by the mask; named, but not given: that clears it.
    let masked = changed("sectors/copper", &["description"], |sector| {
        sector.codes = vec!["7403".into()];
    });
    let updated = update(&client, masked).await.expect("updated");
    assert_eq!(updated.description, None);
    assert_eq!(updated.codes, ["74"]);
    assert_eq!(updated.display_name, created.display_name);

    // What is required cannot be cleared.
    let cleared = changed("sectors/copper", &["codes", "display_name"], |_| {});
    let refused = update(&client, cleared).await.unwrap_err();
    assert_eq!(fields(&refused), ["sector.display_name", "sector.codes"]);
    // The rest is not lost from sight: 5 digits are a code, and no group.
    let wrong = changed("sectors/copper", &[], |sector| {
        sector.classification = "S4".into();
        sector.codes = vec!["74031".into()];
    });
    let refused = update(&client, wrong).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        ["sector.classification", "sector.codes[0]"]
    );
    for path in [
        "name",
        "etag",
        "codes.0",
        "*",
        "",
        "Codes",
        "create_time",
        "\u{202e}",
    ] {
        let unknown = changed("sectors/copper", &[path], |_| {});
        let refused = update(&client, unknown).await.unwrap_err();
        assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
        assert_eq!(fields(&refused), ["update_mask"], "{path:?}");
    }
    // What changes nothing is no version.
    let same = changed("sectors/copper", &[], |sector| {
        sector.codes = vec!["74".into()];
    });
    assert_eq!(update(&client, same).await.expect("as it is"), updated);
    let missing = changed("sectors/tin", &[], |sector| {
        sector.codes = vec!["80".into()];
    });
    let missing = update(&client, missing).await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
    let nothing = update(&client, UpdateSectorRequest::default())
        .await
        .unwrap_err();
    assert_eq!(fields(&nothing), ["sector"]);
}

async fn an_etag_that_is_old_stops_a_change(server: &mut Server) {
    let client = server.client();
    let name = "sectors/cereals";
    let first = create(&client, sector("cereals", &["10"]))
        .await
        .expect("created");
    let with = |etag: &str, code: &str| {
        changed(name, &["codes"], |sector| {
            sector.etag = etag.into();
            sector.codes = vec![code.into()];
        })
    };
    let second = update(&client, with(&first.etag, "1001"))
        .await
        .expect("updated");
    let stale = update(&client, with(&first.etag, "1002"))
        .await
        .unwrap_err();
    assert_eq!(reason(&stale), "Aborted ETAG_MISMATCH");
    let stale = delete(&client, name, &first.etag).await.unwrap_err();
    assert_eq!(reason(&stale), "Aborted ETAG_MISMATCH");
    assert_eq!(get_as_of(&client, name, None).await.expect("found"), second);
    // Of many who read the same version, one changes it.
    let codes = ["1003", "1004", "1005", "1006", "1007", "1008"];
    let race = codes.map(|code| update(&client, with(&second.etag, code)));
    let ended = futures_util::future::join_all(race).await;
    assert_eq!(ended.iter().filter(|updated| updated.is_ok()).count(), 1);
}

async fn a_request_sent_again_is_done_once(server: &mut Server) {
    let client = server.client();
    let name = "sectors/meat";
    let mut request = sector("meat", &["02"]);
    request.request_id = REQUEST.into();
    let first = create(&client, request.clone()).await.expect("created");
    assert_eq!(
        create(&client, request.clone()).await.expect("again"),
        first
    );
    request.sector.as_mut().unwrap().codes = vec!["0201".into()];
    let other = create(&client, request).await.unwrap_err();
    assert_eq!(reason(&other), "AlreadyExists REQUEST_ID_REUSED");

    let mut wider = changed(name, &[], |sector| {
        sector.codes = vec!["02".into(), "1602".into()];
    });
    wider.request_id = "7b1c1f0a-6a4e-4b1e-9d57-3f6d3a1f0c12".into();
    // The etag is of the version that the first of the two replaces.
    wider.sector.as_mut().unwrap().etag.clone_from(&first.etag);
    let second = update(&client, wider.clone()).await.expect("updated");
    assert_eq!(update(&client, wider).await.expect("again"), second);

    let removal = DeleteSectorRequest {
        name: name.into(),
        etag: second.etag.clone(),
        request_id: "7B1C1F0A-6A4E-4B1E-9D57-3F6D3A1F0C13".into(),
    };
    client
        .clone()
        .delete_sector(removal.clone())
        .await
        .expect("deleted");
    server.restart_without_view().await;
    let client = server.client();
    client.clone().delete_sector(removal).await.expect("again");
    let gone = delete(&client, name, "").await.unwrap_err();
    assert_eq!(reason(&gone), "NotFound NOT_FOUND");
}

async fn the_id_of_a_deleted_sector_stays_taken(server: &mut Server) {
    let client = server.client();
    create(&client, sector("wind", &["850231"]))
        .await
        .expect("created");
    let taken = create(&client, sector("wind", &["850300"]))
        .await
        .unwrap_err();
    assert_eq!(reason(&taken), "AlreadyExists ALREADY_EXISTS");
    delete(&client, "sectors/wind", "").await.expect("deleted");
    let taken = create(&client, sector("wind", &["850300"]))
        .await
        .unwrap_err();
    assert_eq!(reason(&taken), "AlreadyExists ALREADY_EXISTS");
}

async fn everything_that_is_wrong_is_named_at_once(server: &mut Server) {
    let client = server.client();
    let mut wrong = sector("Wind-", &["85", "wind", "8\u{ff15}"]);
    wrong.request_id = "not a uuid".into();
    let given = wrong.sector.as_mut().unwrap();
    given.classification = "HS".into();
    given.display_name = Some(text("en", "Wind \u{202e}dniW"));
    given.description = Some(text("no tag", "Wind"));
    let refused = create(&client, wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    let mut named = fields(&refused);
    named.sort();
    let expected = [
        "request_id",
        "sector.classification",
        "sector.codes[1]",
        "sector.codes[2]",
        "sector.description.texts[no tag]",
        "sector.display_name.texts[en]",
        "sector_id",
    ];
    assert_eq!(named, expected);
    let nothing = create(&client, CreateSectorRequest::default())
        .await
        .unwrap_err();
    assert_eq!(fields(&nothing), ["sector_id", "sector"]);

    let mut wordy = sector("wordy", &["85"]);
    let languages = ["en", "fr", "de", "es", "it", "nl", "pl", "kk", "ru"];
    let texts = languages.map(|language| (language.to_owned(), "\u{8d38}".repeat(4_000)));
    let described = wordy
        .sector
        .as_mut()
        .unwrap()
        .description
        .get_or_insert_default();
    described.texts = texts.into();
    let refused = create(&client, wordy).await.unwrap_err();
    assert_eq!(fields(&refused), ["sector"]);
    for name in [
        "",
        "wind",
        "sectors/",
        "sectors/a/b",
        "datasets/wind",
        "sectors/../x",
    ] {
        let refused = get_as_of(&client, name, None).await.unwrap_err();
        assert_eq!(fields(&refused), ["name"], "{name}");
        let refused = delete(&client, name, "").await.unwrap_err();
        assert_eq!(fields(&refused), ["name"], "{name}");
    }
    let nonsense = Timestamp {
        seconds: 1,
        nanos: -1,
    };
    let refused = get_as_of(&client, "sectors/wind", Some(nonsense))
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), ["as_of"]);
}

async fn codes_that_overlap_are_refused(server: &mut Server) {
    let client = server.client();
    let cases: [(&[&str], &[&str]); 6] = [
        (&[], &["sector.codes"]),
        (&["8703", "8703"], &["sector.codes[1]"]),
        (
            &["870340", "87", "8703"],
            &["sector.codes[2]", "sector.codes[0]"],
        ),
        (&["TOTAL"], &["sector.codes[0]"]),
        (&["870", "87034"], &["sector.codes[0]", "sector.codes[1]"]),
        (
            &["", "8", "8703400"],
            &["sector.codes[0]", "sector.codes[1]", "sector.codes[2]"],
        ),
    ];
    for (codes, expected) in cases {
        let refused = create(&client, sector("group", codes)).await.unwrap_err();
        assert_eq!(fields(&refused), expected, "{codes:?}");
    }
    let many: Vec<String> = (0..501)
        .map(|code| format!("{:04}", 1_000 + code))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let refused = create(&client, sector("group", &many)).await.unwrap_err();
    assert_eq!(fields(&refused), ["sector.codes"]);
    create(&client, sector("group", &many[..500]))
        .await
        .expect("500 are taken");
    let apart = create(&client, sector("apart", &["8704", "8703", "87"])).await;
    assert_eq!(
        fields(&apart.unwrap_err()),
        ["sector.codes[1]", "sector.codes[0]"]
    );
    let ordered = create(&client, sector("apart", &["8704", "01", "870310"])).await;
    assert_eq!(ordered.expect("created").codes, ["8704", "01", "870310"]);
}

async fn pages_answer_as_of_the_first(server: &mut Server) {
    let client = server.client();
    for id in ["a", "b", "c", "d"] {
        create(&client, sector(id, &["01"])).await.expect("created");
    }
    let ask = |token: &str| ListSectorsRequest {
        page_size: 2,
        page_token: token.into(),
        as_of: None,
    };
    let first = page(&client, ask("")).await.expect("a page");
    delete(&client, "sectors/c", "").await.expect("deleted");
    create(&client, sector("bb", &["02"]))
        .await
        .expect("created");
    let wider = changed("sectors/d", &[], |sector| sector.codes = vec!["03".into()]);
    update(&client, wider).await.expect("updated");
    let second = page(&client, ask(&first.next_page_token))
        .await
        .expect("a page");
    let seen: Vec<(&str, &str)> = second
        .sectors
        .iter()
        .map(|sector| (sector.name.as_str(), sector.codes[0].as_str()))
        .collect();
    assert_eq!(seen, [("sectors/c", "01"), ("sectors/d", "01")]);
    assert_eq!(second.next_page_token, "");

    let of_another = ListSectorsRequest {
        as_of: Some(Timestamp::default()),
        ..ask(&first.next_page_token)
    };
    let refused = page(&client, of_another).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_PAGE_TOKEN");
    for token in ["garbage", "AQAA", &"A".repeat(5_000)] {
        let refused = page(&client, ask(token)).await.unwrap_err();
        assert_eq!(reason(&refused), "InvalidArgument INVALID_PAGE_TOKEN");
    }
    let negative = ListSectorsRequest {
        page_size: -1,
        ..ListSectorsRequest::default()
    };
    assert_eq!(
        fields(&page(&client, negative).await.unwrap_err()),
        ["page_size"]
    );
}

async fn a_list_as_of_an_instant_is_what_it_was_then(server: &mut Server) {
    let client = server.client();
    // What there is after each of some changes, as it is told at once.
    let mut told = Vec::new();
    for (step, id) in ["a", "b", "ab", "a", "b", "a"].into_iter().enumerate() {
        let name = format!("sectors/{id}");
        let code = format!("{:02}", step + 1);
        let wider = changed(&name, &[], |sector| sector.codes = vec![code.clone()]);
        let at = match update(&client, wider).await {
            Ok(updated) => updated.update_time,
            Err(_) => {
                create(&client, sector(id, &[&code]))
                    .await
                    .expect("created")
                    .update_time
            }
        };
        let now = page(&client, ListSectorsRequest::default())
            .await
            .expect("a page");
        told.push((at, now.sectors));
    }
    for _ in 0..2 {
        for (at, expected) in &told {
            let then = ListSectorsRequest {
                as_of: *at,
                ..ListSectorsRequest::default()
            };
            let then = page(&server.client(), then).await.expect("a page");
            assert_eq!(&then.sectors, expected);
        }
        server.restart_without_view().await;
    }
}
