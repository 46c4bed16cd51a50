//! Events and agreements as records: their life, what is refused, what looks like what is there.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use prost_types::{FieldMask, Timestamp};
use proto::events::v1::{
    BatchCreateEventsRequest, CreateEventRequest, DeleteEventRequest, Event, EventFilter,
    EventKind, EventStatus, GetEventRequest, Link, LinkKind, ListEventVersionsRequest,
    ListEventsRequest, OfficeLevel, Participant, ParticipantRole, StepKind, UpdateEventRequest,
};
use proto::r#type::v1::{CivilDate, DateWindow, LocalizedText, Organisation, Place};
use tests::{
    EventsClient, Server, agreement, both_ways, date, event, fields, metadata, pages, reason, text,
};
use tonic::Status;

both_ways!(Events:
    an_event_lives_through_all_its_calls,
    a_deleted_event_is_found_as_of_before_and_its_name_stays_taken,
    a_batch_is_created_whole_or_not_at_all,
    a_repeated_request_is_done_once,
    what_looks_like_an_event_that_is_there_needs_a_word,
    documents_of_one_day_are_told_apart_by_their_titles,
    everything_that_is_wrong_is_named_at_once,
    a_date_is_no_more_precise_than_it_says_and_exists,
    a_name_holds_nothing_that_hides,
    lists_find_by_each_part_of_a_filter,
    a_window_finds_what_may_lie_in_it,
    an_event_of_many_is_found_by_any_two,
);

const PRESIDENTS: OfficeLevel = OfficeLevel::HeadOfState;

async fn create(client: &EventsClient, request: CreateEventRequest) -> Result<Event, Status> {
    Ok(client.clone().create_event(request).await?.into_inner())
}

async fn get(client: &EventsClient, name: &str, as_of: Option<Timestamp>) -> Result<Event, Status> {
    let name = name.into();
    let found = client
        .clone()
        .get_event(GetEventRequest { name, as_of })
        .await?;
    Ok(found.into_inner())
}

async fn update(client: &EventsClient, event: Event, paths: &[&str]) -> Result<Event, Status> {
    let request = UpdateEventRequest {
        event: Some(event),
        update_mask: Some(FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
        request_id: String::new(),
    };
    Ok(client.clone().update_event(request).await?.into_inner())
}

async fn delete(client: &EventsClient, name: &str, etag: &str) -> Result<(), Status> {
    let request = DeleteEventRequest {
        name: name.into(),
        etag: etag.into(),
        request_id: String::new(),
    };
    client.clone().delete_event(request).await.map(|_| ())
}

/// Ids of the events that a filter lets through, over pages of two.
async fn listed(client: &EventsClient, filter: EventFilter) -> String {
    let pages = pages(async |page_token| {
        let request = ListEventsRequest {
            filter: Some(filter.clone()),
            page_size: 2,
            page_token,
            as_of: None,
        };
        let page = client.clone().list_events(request).await.unwrap();
        let page = page.into_inner();
        assert!(page.events.len() <= 2);
        (page.events, page.next_page_token)
    });
    let ids = pages.await.concat().into_iter();
    let ids = ids.map(|event| event.name.replace("events/", ""));
    ids.collect::<Vec<_>>().join(" ")
}

fn visit(id: &str, start: &str, end: &str) -> CreateEventRequest {
    event(id, &["CHN", "KAZ"], PRESIDENTS, start, end)
}

async fn an_event_lives_through_all_its_calls(server: &mut Server) {
    let client = server.events();
    let created = create(&client, visit("astana", "2024-07-02", "2024-07-04"))
        .await
        .unwrap();
    assert_eq!(created.name, "events/astana");
    assert!(!created.etag.is_empty() && created.create_time == created.update_time);
    let place = Place {
        country: "KAZ".into(),
        name: Some(text("en", "Astana")),
    };
    let given = Event {
        place: Some(place.clone()),
        ..created.clone()
    };
    let updated = update(&client, given, &["place"]).await.unwrap();
    assert_eq!(updated.place, Some(place));
    assert_ne!(updated.etag, created.etag);
    let stale = update(&client, created.clone(), &["status"])
        .await
        .unwrap_err();
    assert_eq!(reason(&stale), "Aborted ETAG_MISMATCH");
    let unknown = update(&client, updated.clone(), &["status", "colour"])
        .await
        .unwrap_err();
    assert_eq!(reason(&unknown), "InvalidArgument INVALID_FIELD");
    assert_eq!(fields(&unknown), ["update_mask"]);
    assert!(unknown.message().contains("colour"), "{unknown}");
    server.restart_without_view().await;
    let client = server.events();
    assert_eq!(get(&client, "events/astana", None).await.unwrap(), updated);
    assert_eq!(
        get(&client, "events/astana", created.update_time)
            .await
            .unwrap(),
        created
    );
    delete(&client, "events/astana", &updated.etag)
        .await
        .unwrap();
    let versions = ListEventVersionsRequest {
        name: "events/astana".into(),
        ..ListEventVersionsRequest::default()
    };
    let versions = client
        .clone()
        .list_event_versions(versions)
        .await
        .unwrap()
        .into_inner();
    let told = versions.versions.iter().map(|version| {
        let change = version.change().as_str_name().replace("CHANGE_KIND_", "");
        format!("{change} {}", version.changed_fields.join(","))
    });
    let expected = [
        "DELETED ",
        "UPDATED place",
        "CREATED kind,status,participants,start_date,end_date,title,sources",
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

async fn a_deleted_event_is_found_as_of_before_and_its_name_stays_taken(server: &mut Server) {
    let client = server.events();
    let created = create(&client, visit("a", "2024-07-02", "")).await.unwrap();
    delete(&client, "events/a", "").await.unwrap();
    let gone = get(&client, "events/a", None).await.unwrap_err();
    assert_eq!(reason(&gone), "NotFound NOT_FOUND");
    assert_eq!(
        get(&client, "events/a", created.update_time).await.unwrap(),
        created
    );
    assert_eq!(listed(&client, EventFilter::default()).await, "");
    let again = create(&client, visit("a", "2020", "")).await.unwrap_err();
    assert_eq!(reason(&again), "AlreadyExists ALREADY_EXISTS");
    let twice = delete(&client, "events/a", "").await.unwrap_err();
    assert_eq!(reason(&twice), "NotFound NOT_FOUND");
}

async fn a_batch_is_created_whole_or_not_at_all(server: &mut Server) {
    let client = server.events();
    create(&client, visit("there", "2015-05", ""))
        .await
        .unwrap();
    let batch = |requests| BatchCreateEventsRequest {
        requests,
        request_id: String::new(),
    };
    let taken = batch(vec![
        visit("new", "2019-09", ""),
        visit("there", "2022-09", ""),
    ]);
    let refused = client.clone().batch_create_events(taken).await.unwrap_err();
    assert_eq!(reason(&refused), "AlreadyExists ALREADY_EXISTS");
    let alike = batch(vec![
        visit("one", "2019-09-11", "2019-09-12"),
        visit("other", "2019-09", ""),
    ]);
    let refused = client.clone().batch_create_events(alike).await.unwrap_err();
    assert_eq!(reason(&refused), "AlreadyExists LOOKS_LIKE_DUPLICATE");
    assert_eq!(metadata(&refused, "name"), "events/one");
    let mut wrong = visit("wrong", "2019-09", "");
    wrong.request_id = "6f8c1c52-8d3e-4c5a-9a53-0b9e0f6b1b11".into();
    wrong.event.as_mut().unwrap().sources.clear();
    let requests = batch(vec![visit("new", "2018", ""), wrong]);
    let refused = client.clone().batch_create_events(requests).await;
    let fields_of = fields(&refused.unwrap_err());
    assert_eq!(
        fields_of,
        ["requests[1].request_id", "requests[1].event.sources"]
    );
    assert_eq!(listed(&client, EventFilter::default()).await, "there");
    let good = batch(vec![visit("c", "2022-09", ""), visit("b", "2019-09", "")]);
    let created = client
        .clone()
        .batch_create_events(good)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(created.events[0].name, "events/c");
    assert_eq!(listed(&client, EventFilter::default()).await, "there b c");
}

async fn a_repeated_request_is_done_once(server: &mut Server) {
    let client = server.events();
    let mut request = visit("a", "2024-07-02", "");
    request.request_id = "6f8c1c52-8d3e-4c5a-9a53-0b9e0f6b1b11".into();
    let first = create(&client, request.clone()).await.unwrap();
    server.restart_without_view().await;
    let client = server.events();
    assert_eq!(create(&client, request.clone()).await.unwrap(), first);
    request.event.as_mut().unwrap().status = EventStatus::Planned.into();
    let reused = create(&client, request.clone()).await.unwrap_err();
    assert_eq!(reason(&reused), "AlreadyExists REQUEST_ID_REUSED");
    // What was done is answered, also when it was undone since.
    request.event.as_mut().unwrap().status = EventStatus::Concluded.into();
    delete(&client, "events/a", "").await.unwrap();
    assert_eq!(create(&client, request).await.unwrap(), first);
}

async fn what_looks_like_an_event_that_is_there_needs_a_word(server: &mut Server) {
    let client = server.events();
    create(&client, visit("first", "2024-07-02", "2024-07-04"))
        .await
        .unwrap();
    // The same visit from the other side, known to the month.
    let mut same = event("second", &["KAZ", "CHN"], PRESIDENTS, "2024-07", "");
    let refused = create(&client, same.clone()).await.unwrap_err();
    assert_eq!(reason(&refused), "AlreadyExists LOOKS_LIKE_DUPLICATE");
    assert_eq!(metadata(&refused, "name"), "events/first");
    same.allow_duplicate = true;
    create(&client, same).await.unwrap();
    create(&client, visit("later", "2024-08", ""))
        .await
        .unwrap();
    create(
        &client,
        event("others", &["CHN", "UZB"], PRESIDENTS, "2024-07-03", ""),
    )
    .await
    .unwrap();
    let mut talks = visit("talks", "2024-07-03", "");
    talks.event.as_mut().unwrap().kind = EventKind::Signing.into();
    create(&client, talks).await.unwrap();
    // One that lasted two years, and a day in it.
    create(&client, visit("long", "2016-01-01", "2017-12-31"))
        .await
        .unwrap();
    let within = create(&client, visit("within", "2017-06-07", ""))
        .await
        .unwrap_err();
    assert_eq!(metadata(&within, "name"), "events/long");
    delete(&client, "events/long", "").await.unwrap();
    create(&client, visit("within", "2017-06-07", ""))
        .await
        .unwrap();
}

async fn documents_of_one_day_are_told_apart_by_their_titles(server: &mut Server) {
    let client = server.events();
    let signed = [(StepKind::Signed, "2024-07-03")];
    let create = async |id: &str, countries: &[&str], title: &str| {
        let mut request = agreement(id, countries, &signed);
        request.agreement.as_mut().unwrap().title = Some(text("en", title));
        client.clone().create_agreement(request).await
    };
    let pair = ["CHN", "KAZ"];
    create("a", &pair, "On transit").await.unwrap();
    create("b", &pair, "On energy").await.unwrap();
    let refused = create("c", &pair, "ON ENERGY").await.unwrap_err();
    assert_eq!(metadata(&refused, "name"), "agreements/b");
    // Of one country alone, or with organisations only, it is the same country that counts.
    create("d", &["KAZ"], "On energy").await.unwrap();
    create("e", &["CHN"], "On energy").await.unwrap();
    let refused = create("f", &["KAZ"], "On energy").await.unwrap_err();
    assert_eq!(metadata(&refused, "name"), "agreements/d");
}

async fn everything_that_is_wrong_is_named_at_once(server: &mut Server) {
    let mut request = visit("Not-an-id", "2024-07-02", "2024-07-01");
    let event = request.event.as_mut().unwrap();
    event.kind = 0;
    event.status = 77;
    event.themes = vec![1, 1, 0];
    event.participants.push(Participant::default());
    event.participants[0].country = "WLD".into();
    event.participants[1].organisation = Some(Organisation {
        code: "sco".into(),
        display_name: None,
    });
    event.title = None;
    event.sources[0].uri = "javascript:alert(1)".into();
    event.links = vec![
        Link {
            kind: LinkKind::SignedAgreement.into(),
            name: "events/x".into(),
        },
        Link {
            kind: 0,
            name: String::new(),
        },
    ];
    event.cameo_code = "4".into();
    let refused = create(&server.events(), request).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    let expected = [
        "event_id",
        "event.kind",
        "event.status",
        "event.themes[1]",
        "event.themes[2]",
        "event.participants[0].country",
        "event.participants[1].organisation.code",
        "event.participants[2]",
        "event.participants[2].role",
        "event.end_date",
        "event.title",
        "event.sources[0].uri",
        "event.links[0].name",
        "event.links[1].kind",
        "event.cameo_code",
    ];
    assert_eq!(fields(&refused), expected);
}

async fn a_date_is_no_more_precise_than_it_says_and_exists(server: &mut Server) {
    let client = server.events();
    let with = async |year, month, day| {
        let mut request = visit("dated", "2024", "");
        request.event.as_mut().unwrap().start_date = Some(CivilDate { year, month, day });
        create(&client, request).await
    };
    for (year, month, day, field) in [
        (0, 1, 1, "year"),
        (10_000, 1, 1, "year"),
        (-44, 3, 15, "year"),
        (2023, 2, 29, "day"),
        (1900, 2, 29, "day"),
        (2024, 13, 1, "month"),
        (2024, 0, 2, "day"),
        (2024, -1, 0, "month"),
        (2024, 4, 31, "day"),
    ] {
        let refused = with(year, month, day).await.unwrap_err();
        let expected = format!("event.start_date.{field}");
        assert_eq!(fields(&refused), [expected], "{year}-{month}-{day}");
    }
    let created = with(2024, 2, 29).await.unwrap();
    assert_eq!(created.start_date, Some(date("2024-02-29")));
    let mut none = visit("none", "2024", "");
    none.event.as_mut().unwrap().start_date = None;
    assert_eq!(
        fields(&create(&client, none).await.unwrap_err()),
        ["event.start_date"]
    );
    let mut endless = visit("endless", "2020", "");
    endless.event.as_mut().unwrap().end_date = Some(date("2022-02"));
    assert_eq!(
        fields(&create(&client, endless).await.unwrap_err()),
        ["event.end_date"]
    );
}

async fn a_name_holds_nothing_that_hides(server: &mut Server) {
    let client = server.events();
    for hidden in [
        "Xi\u{202E}",
        "Xi\u{200B}",
        "Xi\u{200D}",
        "Xi\u{200E}",
        "\u{3164}",
        "Xi\n",
    ] {
        let mut request = visit("a", "2024", "");
        let event = request.event.as_mut().unwrap();
        event.participants[0].person = Some(text("en", hidden));
        let refused = create(&client, request).await.unwrap_err();
        assert_eq!(
            fields(&refused),
            ["event.participants[0].person.texts[en]"],
            "{hidden:?}"
        );
    }
    let mut long = visit("a", "2024", "");
    long.event.as_mut().unwrap().title = Some(text("kk", &"ш".repeat(301)));
    assert_eq!(
        fields(&create(&client, long).await.unwrap_err()),
        ["event.title.texts[kk]"]
    );
    let mut no_language = visit("a", "2024", "");
    no_language.event.as_mut().unwrap().title = Some(LocalizedText::default());
    assert_eq!(
        fields(&create(&client, no_language).await.unwrap_err()),
        ["event.title.texts"]
    );
    let mut decomposed = visit("a", "2024", "");
    decomposed.event.as_mut().unwrap().title = Some(text("FR", "Te\u{301}le\u{301}phone"));
    let created = create(&client, decomposed).await.unwrap();
    assert_eq!(created.title, Some(text("fr", "T\u{e9}l\u{e9}phone")));
}

async fn lists_find_by_each_part_of_a_filter(server: &mut Server) {
    let client = server.events();
    let people = |request: &mut CreateEventRequest| {
        let event = request.event.as_mut().unwrap();
        event.participants[0].person = Some(text("zh", "习近平"));
        event.participants.push(Participant {
            organisation: Some(Organisation {
                code: "SCO".into(),
                display_name: None,
            }),
            role: ParticipantRole::Host.into(),
            ..Participant::default()
        });
        event.kind = EventKind::Summit.into();
        event.themes = vec![4];
    };
    let mut summit = visit("summit", "2024-07-03", "2024-07-04");
    people(&mut summit);
    create(&client, summit).await.unwrap();
    create(&client, visit("visit", "2024-07-02", "2024-07-04"))
        .await
        .unwrap();
    let mut planned = event("planned", &["CHN", "UZB"], PRESIDENTS, "2025", "");
    planned.event.as_mut().unwrap().status = EventStatus::Planned.into();
    create(&client, planned).await.unwrap();
    let filter = EventFilter::default;
    for (asked, expected) in [
        (filter(), "visit summit planned"),
        (
            EventFilter {
                country: "UZB".into(),
                ..filter()
            },
            "planned",
        ),
        (
            EventFilter {
                country: "KAZ".into(),
                partner: "CHN".into(),
                ..filter()
            },
            "visit summit",
        ),
        (
            EventFilter {
                country: "KAZ".into(),
                partner: "UZB".into(),
                ..filter()
            },
            "",
        ),
        (
            EventFilter {
                kinds: vec![5],
                ..filter()
            },
            "summit",
        ),
        (
            EventFilter {
                themes: vec![4, 1],
                ..filter()
            },
            "summit",
        ),
        (
            EventFilter {
                statuses: vec![1],
                ..filter()
            },
            "planned",
        ),
        (
            EventFilter {
                participant: "sco".into(),
                ..filter()
            },
            "summit",
        ),
        (
            EventFilter {
                participant: "习近平".into(),
                ..filter()
            },
            "summit",
        ),
        (
            EventFilter {
                participant: "KAZ".into(),
                ..filter()
            },
            "visit summit",
        ),
        (
            EventFilter {
                participant: "kaz".into(),
                country: "CHN".into(),
                ..filter()
            },
            "visit summit",
        ),
        (
            EventFilter {
                participant: "nobody".into(),
                ..filter()
            },
            "",
        ),
    ] {
        assert_eq!(listed(&client, asked.clone()).await, expected, "{asked:?}");
    }
    let wrong = ListEventsRequest {
        filter: Some(EventFilter {
            country: String::new(),
            partner: "kaz".into(),
            kinds: vec![99],
            statuses: vec![0],
            ..filter()
        }),
        page_size: -1,
        ..ListEventsRequest::default()
    };
    let refused = client.clone().list_events(wrong).await.unwrap_err();
    let expected = [
        "page_size",
        "filter.country",
        "filter.partner",
        "filter.kinds[0]",
        "filter.statuses[0]",
    ];
    assert_eq!(fields(&refused), expected);
}

async fn a_window_finds_what_may_lie_in_it(server: &mut Server) {
    let client = server.events();
    for (id, start, end) in [
        ("year", "2013", ""),
        ("month", "2013-09", ""),
        ("days", "2013-09-06", "2013-09-08"),
        ("long", "2012-01-01", "2013-12-31"),
        ("after", "2014-01-01", ""),
    ] {
        let mut request = visit(id, start, end);
        request.allow_duplicate = true;
        create(&client, request).await.unwrap();
    }
    let within = async |start: &str, end: &str| {
        let bound = |text: &str| (!text.is_empty()).then(|| date(text));
        let window = DateWindow {
            start: bound(start),
            end: bound(end),
        };
        let asked = EventFilter {
            country: "CHN".into(),
            window: Some(window),
            ..EventFilter::default()
        };
        listed(&client, asked).await
    };
    assert_eq!(within("", "").await, "long year month days after");
    assert_eq!(
        within("2013-09-08", "2013-09-09").await,
        "long year month days"
    );
    assert_eq!(within("2013-09-09", "2013-10").await, "long year month");
    assert_eq!(within("2014", "").await, "after");
    assert_eq!(within("", "2013").await, "long");
    assert_eq!(within("2013-12-31", "2014-01-01").await, "long year");
}

async fn an_event_of_many_is_found_by_any_two(server: &mut Server) {
    let client = server.events();
    let many = [
        "CHN", "KAZ", "KGZ", "TJK", "UZB", "RUS", "IND", "PAK", "IRN", "BLR",
    ];
    create(
        &client,
        event("sco", &many, PRESIDENTS, "2024-07-03", "2024-07-04"),
    )
    .await
    .unwrap();
    for pair in many.windows(2) {
        let asked = EventFilter {
            country: pair[1].into(),
            partner: pair[0].into(),
            ..EventFilter::default()
        };
        assert_eq!(listed(&client, asked).await, "sco");
    }
    let too_many: Vec<String> = proto::Country::all()
        .filter(|country| country.kind() == proto::CountryKind::Country)
        .map(|country| country.to_string())
        .take(41)
        .collect();
    let too_many: Vec<&str> = too_many.iter().map(String::as_str).collect();
    let refused = create(&client, event("un", &too_many, PRESIDENTS, "2024", ""))
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), ["event.participants"]);
}
