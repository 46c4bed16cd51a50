//! Questions about a pair: what happened in which order, who met last and meets next, how often, and where in their
//! lives agreements are.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use proto::events::v1::timeline_entry::Entry;
use proto::events::v1::{
    AgreementFilter, AgreementState, CountMeetingsRequest, CreateEventRequest, EventKind,
    EventStatus, FindMeetingsRequest, GetEventRequest, ListAgreementStatesRequest,
    ListAgreementsRequest, ListTimelineRequest, OfficeLevel, StepKind, TimelineEntry,
};
use proto::r#type::v1::DateWindow;
use tests::{EventsClient, Server, agreement, both_ways, date, event, fields, pages};

both_ways!(Events:
    a_timeline_has_events_and_steps_in_one_order,
    the_pages_of_a_timeline_are_the_timeline_both_ways,
    a_timeline_as_of_an_instant_knows_nothing_later,
    a_timeline_has_no_steps_of_others,
    an_agreement_of_many_with_many_steps_is_refused,
    the_last_and_the_next_meeting_are_found_by_level,
    the_last_meeting_of_the_two_alone_is_told_beside_a_later_one_with_others,
    a_meeting_that_may_lie_on_either_side_is_told_as_such,
    meetings_that_were_called_off_do_not_hide_the_last_one,
    the_last_day_there_is_has_its_meetings,
    meetings_are_counted_by_year_and_kind,
    agreements_are_listed_by_their_state_on_a_day,
    agreements_are_found_by_the_event_of_their_signing_and_by_window,
    a_bad_question_names_every_field,
);

const PRESIDENTS: OfficeLevel = OfficeLevel::HeadOfState;

async fn create(client: &EventsClient, request: CreateEventRequest) {
    let request = CreateEventRequest {
        allow_duplicate: true,
        ..request
    };
    client.clone().create_event(request).await.expect("created");
}

async fn agree(client: &EventsClient, id: &str, countries: &[&str], steps: &[(StepKind, &str)]) {
    let request = agreement(id, countries, steps);
    client
        .clone()
        .create_agreement(request)
        .await
        .expect("created");
}

fn told(entry: &TimelineEntry) -> String {
    match entry.entry.as_ref().expect("an entry") {
        Entry::Event(event) => event.name.replace("events/", ""),
        Entry::Step(told) => {
            let step = told.step.as_ref().expect("a step");
            assert!(told.source.is_some() && told.title.is_some());
            let kind = step
                .kind()
                .as_str_name()
                .replace("STEP_KIND_", "")
                .to_lowercase();
            format!("{}:{kind}", told.agreement.replace("agreements/", ""))
        }
    }
}

/// A timeline over pages of a size.
async fn timeline(
    client: &EventsClient,
    asked: ListTimelineRequest,
    page_size: i32,
) -> Vec<String> {
    let pages = pages(async |page_token| {
        let request = ListTimelineRequest {
            country: "KAZ".into(),
            partner: "CHN".into(),
            page_size,
            page_token,
            ..asked.clone()
        };
        let page = client.clone().list_timeline(request).await.unwrap();
        let page = page.into_inner();
        assert!(page.entries.len() <= usize::try_from(page_size).unwrap());
        (page.entries, page.next_page_token)
    });
    pages.await.concat().iter().map(told).collect()
}

/// What happened between China and Kazakhstan, and beside it.
async fn relationship(client: &EventsClient) {
    for (id, start, end) in [
        ("xi-2013", "2013-09", ""),
        ("year-2013", "2013", ""),
        ("xi-2024", "2024-07-02", "2024-07-04"),
        ("summit-2024", "2024-07-03", "2024-07-04"),
    ] {
        create(client, event(id, &["CHN", "KAZ"], PRESIDENTS, start, end)).await;
    }
    create(
        client,
        event("others", &["CHN", "UZB"], PRESIDENTS, "2023", ""),
    )
    .await;
    let visa_free = [
        (StepKind::Signed, "2023-05-17"),
        (StepKind::EnteredIntoForce, "2023-11-10"),
        (StepKind::Ratified, "2023-11-10"),
        (StepKind::Announced, "2023-05-17"),
    ];
    agree(client, "visa-free", &["KAZ", "CHN"], &visa_free).await;
    agree(
        client,
        "joint",
        &["CHN", "KAZ"],
        &[(StepKind::Signed, "2024-07-03")],
    )
    .await;
    agree(
        client,
        "other",
        &["CHN", "KGZ"],
        &[(StepKind::Signed, "2024-07-03")],
    )
    .await;
}

const WHOLE: [&str; 9] = [
    "year-2013",
    "xi-2013",
    "visa-free:signed",
    "visa-free:announced",
    "visa-free:entered_into_force",
    "visa-free:ratified",
    "xi-2024",
    "summit-2024",
    "joint:signed",
];

async fn a_timeline_has_events_and_steps_in_one_order(server: &mut Server) {
    let client = server.events();
    relationship(&client).await;
    let all = timeline(&client, ListTimelineRequest::default(), 100).await;
    assert_eq!(all, WHOLE);
    let within = async |start: &str, end: &str| {
        let bound = |text: &str| (!text.is_empty()).then(|| date(text));
        let asked = ListTimelineRequest {
            window: Some(DateWindow {
                start: bound(start),
                end: bound(end),
            }),
            ..ListTimelineRequest::default()
        };
        timeline(&client, asked, 100).await.join(" ")
    };
    assert_eq!(within("", "2014").await, "year-2013 xi-2013");
    assert_eq!(within("2013-10", "2014").await, "year-2013");
    assert_eq!(
        within("2023-11-10", "2024-07-03").await,
        "visa-free:entered_into_force visa-free:ratified xi-2024"
    );
    assert_eq!(within("2024-07-04", "").await, "xi-2024 summit-2024");
}

async fn the_pages_of_a_timeline_are_the_timeline_both_ways(server: &mut Server) {
    let client = server.events();
    relationship(&client).await;
    let mut back = WHOLE;
    back.reverse();
    for page_size in 1..=10 {
        let forward = timeline(&client, ListTimelineRequest::default(), page_size).await;
        assert_eq!(forward, WHOLE, "pages of {page_size}");
        let descending = ListTimelineRequest {
            descending: true,
            ..ListTimelineRequest::default()
        };
        assert_eq!(
            timeline(&client, descending, page_size).await,
            back,
            "pages of {page_size}"
        );
    }
}

async fn a_timeline_as_of_an_instant_knows_nothing_later(server: &mut Server) {
    let client = server.events();
    create(
        &client,
        event("a", &["CHN", "KAZ"], PRESIDENTS, "2013-09", ""),
    )
    .await;
    let asked = GetEventRequest {
        name: "events/a".into(),
        as_of: None,
    };
    let created = client.clone().get_event(asked).await.unwrap().into_inner();
    let then = created.update_time;
    relationship(&client).await;
    let asked = ListTimelineRequest {
        as_of: then,
        ..ListTimelineRequest::default()
    };
    assert_eq!(timeline(&client, asked, 1).await, ["a"]);
}

async fn a_timeline_has_no_steps_of_others(server: &mut Server) {
    let client = server.events();
    let mut of_three = agreement(
        "transit",
        &["CHN", "KAZ", "UZB"],
        &[
            (StepKind::Signed, "2020-01-01"),
            (StepKind::Ratified, "2020-02-01"),
            (StepKind::Ratified, "2020-03-01"),
        ],
    );
    let steps = &mut of_three.agreement.as_mut().unwrap().steps;
    steps[1].country = "KAZ".into();
    steps[2].country = "UZB".into();
    client.clone().create_agreement(of_three).await.unwrap();
    let told = timeline(&client, ListTimelineRequest::default(), 10).await;
    assert_eq!(told, ["transit:signed", "transit:ratified"]);
}

async fn an_agreement_of_many_with_many_steps_is_refused(server: &mut Server) {
    let client = server.events();
    let countries: Vec<String> = proto::Country::all()
        .filter(|country| country.kind() == proto::CountryKind::Country)
        .map(|country| country.to_string())
        .take(40)
        .collect();
    let names: Vec<&str> = countries.iter().map(String::as_str).collect();
    let dates: Vec<String> = (1..=100)
        .map(|at| format!("2020-{:02}-{:02}", 1 + at / 28, 1 + at % 28))
        .collect();
    let steps: Vec<(StepKind, &str)> = dates
        .iter()
        .map(|date| (StepKind::Signed, date.as_str()))
        .collect();
    let refused = client
        .clone()
        .create_agreement(agreement("many", &names, &steps))
        .await;
    assert_eq!(fields(&refused.unwrap_err()), ["agreement.steps"]);
    // Each country on a day of its own is what happens.
    let mut each = agreement("each", &names, &steps[..40]);
    let steps = &mut each.agreement.as_mut().unwrap().steps;
    for (step, country) in steps.iter_mut().zip(&countries) {
        step.kind = StepKind::Ratified.into();
        step.country.clone_from(country);
    }
    client.clone().create_agreement(each).await.unwrap();
    let batch = |start: usize| proto::events::v1::BatchCreateEventsRequest {
        requests: (start..start + 30)
            .map(|at| {
                event(
                    &format!("e{at}"),
                    &names,
                    PRESIDENTS,
                    &format!("{}", 1900 + 3 * at),
                    "",
                )
            })
            .collect(),
        request_id: String::new(),
    };
    let refused = client
        .clone()
        .batch_create_events(batch(0))
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), ["requests"]);
}

/// `last / next / uncertain` of China and Kazakhstan.
async fn meetings(client: &EventsClient, level: OfficeLevel, day: &str) -> String {
    let request = FindMeetingsRequest {
        country: "CHN".into(),
        partner: "KAZ".into(),
        level: level.into(),
        day: Some(date(day)),
        as_of: None,
    };
    let found = client
        .clone()
        .find_meetings(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(found.day, Some(date(day)));
    let id = |event: &proto::events::v1::Event| event.name.replace("events/", "");
    let one = |event: &Option<_>| event.as_ref().map(id).unwrap_or_default();
    let uncertain: Vec<String> = found.uncertain.iter().map(id).collect();
    format!(
        "{} / {} / {}",
        one(&found.last),
        one(&found.next),
        uncertain.join(" ")
    )
}

async fn the_last_and_the_next_meeting_are_found_by_level(server: &mut Server) {
    let client = server.events();
    let with_status = |mut request: CreateEventRequest, status: EventStatus| {
        request.event.as_mut().unwrap().status = status.into();
        request
    };
    let pair = ["CHN", "KAZ"];
    create(
        &client,
        event("xi-2022", &pair, PRESIDENTS, "2022-09-14", ""),
    )
    .await;
    create(
        &client,
        event("xi-2024", &pair, PRESIDENTS, "2024-07-02", "2024-07-04"),
    )
    .await;
    create(
        &client,
        event("wang-2024", &pair, OfficeLevel::Minister, "2024-05-20", ""),
    )
    .await;
    let mut mixed = event(
        "mixed",
        &pair,
        OfficeLevel::HeadOfGovernment,
        "2024-08-01",
        "",
    );
    mixed.event.as_mut().unwrap().participants[0].level = PRESIDENTS.into();
    create(&client, mixed).await;
    let mut call = event("call", &pair, PRESIDENTS, "2024-07-30", "");
    call.event.as_mut().unwrap().kind = EventKind::TelephoneCall.into();
    create(&client, call).await;
    let next = event("summit-2025", &pair, PRESIDENTS, "2025-06-16", "2025-06-18");
    create(&client, with_status(next, EventStatus::Confirmed)).await;
    let off = event("called-off", &pair, PRESIDENTS, "2024-10-01", "");
    create(&client, with_status(off, EventStatus::Cancelled)).await;
    let never_held = event("never-held", &pair, PRESIDENTS, "2024-09-01", "");
    create(&client, with_status(never_held, EventStatus::Planned)).await;
    create(
        &client,
        event("others", &["CHN", "UZB"], PRESIDENTS, "2024-11-01", ""),
    )
    .await;
    for (level, day, expected) in [
        (PRESIDENTS, "2024-07-01", "xi-2022 / xi-2024 / "),
        (PRESIDENTS, "2024-07-02", "xi-2024 / never-held / "),
        (PRESIDENTS, "2024-12-31", "xi-2024 / summit-2025 / "),
        (PRESIDENTS, "2022-09-13", " / xi-2022 / "),
        (OfficeLevel::HeadOfGovernment, "2024-12-31", "mixed /  / "),
        (OfficeLevel::Minister, "2024-12-31", "wang-2024 /  / "),
        (
            OfficeLevel::Unspecified,
            "2024-08-15",
            "mixed / never-held / ",
        ),
        (OfficeLevel::Official, "2024-12-31", " /  / "),
    ] {
        assert_eq!(
            meetings(&client, level, day).await,
            expected,
            "{level:?} on {day}"
        );
    }
}

async fn the_last_meeting_of_the_two_alone_is_told_beside_a_later_one_with_others(
    server: &mut Server,
) {
    let client = server.events();
    let pair = ["CHN", "KAZ"];
    let of_kind = |mut request: CreateEventRequest, kind: EventKind| {
        request.event.as_mut().unwrap().kind = kind.into();
        request
    };
    let visit = event("visit", &pair, PRESIDENTS, "2023-05-17", "");
    create(&client, visit).await;
    let summit = event(
        "summit",
        &["CHN", "KAZ", "UZB"],
        PRESIDENTS,
        "2023-05-18",
        "",
    );
    create(&client, of_kind(summit, EventKind::Summit)).await;
    let forum = event("forum", &pair, PRESIDENTS, "2023-10-17", "");
    create(&client, of_kind(forum, EventKind::MultilateralMeeting)).await;
    for (day, last, of_the_two) in [
        ("2023-05-17", "events/visit", None),
        ("2023-05-18", "events/summit", Some("events/visit")),
        ("2024-07-01", "events/forum", Some("events/visit")),
    ] {
        let asked = FindMeetingsRequest {
            country: "KAZ".into(),
            partner: "CHN".into(),
            level: PRESIDENTS.into(),
            day: Some(date(day)),
            as_of: None,
        };
        let found = client.clone().find_meetings(asked).await.unwrap();
        let found = found.into_inner();
        assert_eq!(found.last.expect("known").name, last, "on {day}");
        let bilateral = found.last_bilateral.map(|event| event.name);
        assert_eq!(bilateral.as_deref(), of_the_two, "on {day}");
    }
}

async fn a_meeting_that_may_lie_on_either_side_is_told_as_such(server: &mut Server) {
    let client = server.events();
    let pair = ["CHN", "KAZ"];
    create(&client, event("exact", &pair, PRESIDENTS, "2013-09-07", "")).await;
    create(&client, event("month", &pair, PRESIDENTS, "2013-09", "")).await;
    create(&client, event("year", &pair, PRESIDENTS, "2013", "")).await;
    for (day, expected) in [
        ("2012-12-31", " / year / month exact"),
        ("2013-08-31", " / month / year exact"),
        ("2013-09-01", " / exact / year month"),
        ("2013-09-08", "exact /  / year month"),
        ("2013-10-01", "exact /  / year month"),
        ("2014-01-01", "exact /  / year month"),
    ] {
        assert_eq!(
            meetings(&client, PRESIDENTS, day).await,
            expected,
            "on {day}"
        );
    }
}

async fn meetings_that_were_called_off_do_not_hide_the_last_one(server: &mut Server) {
    let client = server.events();
    let pair = ["CHN", "KAZ"];
    create(&client, event("held", &pair, PRESIDENTS, "2023", "")).await;
    for part in 0..6 {
        let off = (0..400).map(|at| {
            let mut off = event(
                &format!("off-{part}-{at}"),
                &pair,
                PRESIDENTS,
                "2024-01",
                "",
            );
            off.event.as_mut().unwrap().status = EventStatus::Cancelled.into();
            off.allow_duplicate = true;
            off
        });
        let batch = proto::events::v1::BatchCreateEventsRequest {
            requests: off.collect(),
            request_id: String::new(),
        };
        client.clone().batch_create_events(batch).await.unwrap();
    }
    assert_eq!(
        meetings(&client, PRESIDENTS, "2024-06-01").await,
        "held /  / "
    );
}

async fn the_last_day_there_is_has_its_meetings(server: &mut Server) {
    let client = server.events();
    create(
        &client,
        event("last", &["CHN", "KAZ"], PRESIDENTS, "9999-12-31", ""),
    )
    .await;
    assert_eq!(
        meetings(&client, PRESIDENTS, "9999-12-31").await,
        "last /  / "
    );
    let again = event("again", &["CHN", "KAZ"], PRESIDENTS, "9999-12-31", "");
    let refused = client.clone().create_event(again).await.unwrap_err();
    assert_eq!(tests::metadata(&refused, "name"), "events/last");
}

async fn meetings_are_counted_by_year_and_kind(server: &mut Server) {
    let client = server.events();
    relationship(&client).await;
    let mut planned = event("planned", &["CHN", "KAZ"], PRESIDENTS, "2024-12", "");
    planned.event.as_mut().unwrap().status = EventStatus::Planned.into();
    create(&client, planned).await;
    let mut summit = event(
        "summit",
        &["CHN", "KAZ", "UZB"],
        PRESIDENTS,
        "2024-07-04",
        "",
    );
    summit.event.as_mut().unwrap().kind = EventKind::Summit.into();
    create(&client, summit).await;
    let count = async |start_year, end_year| {
        let request = CountMeetingsRequest {
            country: "CHN".into(),
            partner: "KAZ".into(),
            start_year,
            end_year,
            as_of: None,
        };
        let counts = client
            .clone()
            .count_meetings(request)
            .await
            .unwrap()
            .into_inner()
            .counts;
        let words = counts
            .iter()
            .map(|count| format!("{} {} {}", count.year, count.kind, count.count));
        words.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(count(0, 0).await, "2013 1 2, 2024 1 2, 2024 5 1");
    assert_eq!(count(2014, 0).await, "2024 1 2, 2024 5 1");
    assert_eq!(count(0, 2024).await, "2013 1 2");
}

async fn agreements_are_listed_by_their_state_on_a_day(server: &mut Server) {
    let client = server.events();
    relationship(&client).await;
    agree(&client, "unsigned", &["CHN", "KAZ"], &[]).await;
    let states = async |day: &str, states: &[AgreementState]| {
        let request = ListAgreementStatesRequest {
            filter: Some(AgreementFilter {
                country: "CHN".into(),
                partner: "KAZ".into(),
                ..AgreementFilter::default()
            }),
            day: Some(date(day)),
            states: states.iter().map(|state| (*state).into()).collect(),
            ..ListAgreementStatesRequest::default()
        };
        let page = client
            .clone()
            .list_agreement_states(request)
            .await
            .unwrap()
            .into_inner();
        let word = |on_day: &proto::events::v1::AgreementOnDay| {
            let name = &on_day.agreement.as_ref().expect("an agreement").name;
            let state = on_day.state().as_str_name().replace("AGREEMENT_STATE_", "");
            format!("{} {state}", name.replace("agreements/", ""))
        };
        page.agreements
            .iter()
            .map(word)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let before = "unsigned UNSPECIFIED, visa-free UNSPECIFIED, joint UNSPECIFIED";
    assert_eq!(states("2023-05-16", &[]).await, before);
    let between = "unsigned UNSPECIFIED, visa-free SIGNED, joint UNSPECIFIED";
    assert_eq!(states("2023-11-09", &[]).await, between);
    assert_eq!(
        states("2024-07-03", &[AgreementState::InForce]).await,
        "visa-free IN_FORCE"
    );
    assert_eq!(
        states("2024-07-03", &[AgreementState::Signed]).await,
        "joint SIGNED"
    );
}

async fn agreements_are_found_by_the_event_of_their_signing_and_by_window(server: &mut Server) {
    let client = server.events();
    relationship(&client).await;
    let mut signed = agreement(
        "communique",
        &["CHN", "KAZ"],
        &[(StepKind::Signed, "2024-07-03")],
    );
    signed.agreement.as_mut().unwrap().event = "events/xi-2024".into();
    client.clone().create_agreement(signed).await.unwrap();
    let list = async |filter: AgreementFilter| {
        let request = ListAgreementsRequest {
            filter: Some(filter),
            ..ListAgreementsRequest::default()
        };
        let page = client
            .clone()
            .list_agreements(request)
            .await
            .unwrap()
            .into_inner();
        let ids = page
            .agreements
            .iter()
            .map(|one| one.name.replace("agreements/", ""));
        ids.collect::<Vec<_>>().join(" ")
    };
    let at_event = AgreementFilter {
        event: "events/xi-2024".into(),
        ..AgreementFilter::default()
    };
    assert_eq!(list(at_event).await, "communique");
    let since_june_2023 = AgreementFilter {
        country: "CHN".into(),
        window: Some(DateWindow {
            start: Some(date("2023-06")),
            end: Some(date("2024")),
        }),
        ..AgreementFilter::default()
    };
    assert_eq!(list(since_june_2023).await, "visa-free");
}

async fn a_bad_question_names_every_field(server: &mut Server) {
    let client = server.events();
    let meetings = FindMeetingsRequest {
        country: "CHN".into(),
        partner: "CHN".into(),
        level: 9,
        day: Some(date("2024-07")),
        as_of: None,
    };
    let refused = client.clone().find_meetings(meetings).await.unwrap_err();
    assert_eq!(fields(&refused), ["partner", "level", "day"]);
    let count = CountMeetingsRequest {
        country: "CHN".into(),
        partner: String::new(),
        start_year: 2024,
        end_year: 2024,
        as_of: None,
    };
    let refused = client.clone().count_meetings(count).await.unwrap_err();
    assert_eq!(fields(&refused), ["partner", "end_year"]);
    let timeline = ListTimelineRequest {
        country: "china".into(),
        window: Some(DateWindow {
            start: Some(date("2024")),
            end: Some(date("2023")),
        }),
        ..ListTimelineRequest::default()
    };
    let refused = client.clone().list_timeline(timeline).await.unwrap_err();
    assert_eq!(fields(&refused), ["partner", "window.end"]);
}
