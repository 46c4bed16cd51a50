//! What is recorded of a pair, listed since a cursor and watched from one: nothing is left out, nothing is told twice,
//! whatever ends in between.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::sync::atomic::{AtomicBool, Ordering};

use chassis::Shutdown;
use proto::events::v1::{OfficeLevel, UpdateEventRequest};
use proto::gateway::v1 as wire;
use proto::gateway::v1::gateway_service_client::GatewayServiceClient;
use proto::trade::v1::trade_change::Change as TradeChange;
use proto::{culture::v1 as culture, events::v1 as events};
use tests::{GatewayClient, House, Role, Way, dataset, date, event, fields, programme, reason};
use tests::{build_binary, record, statement, within_limit};
use tonic::{Status, Streaming};
use wire::list_changes_request::Since;
use wire::relationship_change::Change;
use wire::{ListChangesRequest, ListChangesResponse, RelationshipChange};
use wire::{WatchRelationshipRequest, WatchRelationshipResponse};

type Watch = Streaming<WatchRelationshipResponse>;

fn listing(since: Option<Since>) -> ListChangesRequest {
    ListChangesRequest {
        country: "CHN".into(),
        partner: "KAZ".into(),
        since,
        ..ListChangesRequest::default()
    }
}

fn watching(cursor: &str) -> WatchRelationshipRequest {
    WatchRelationshipRequest {
        country: "KAZ".into(),
        partner: "CHN".into(),
        cursor: cursor.into(),
        ..WatchRelationshipRequest::default()
    }
}

async fn watch(client: &GatewayClient, request: WatchRelationshipRequest) -> Result<Watch, Status> {
    Ok(client
        .clone()
        .watch_relationship(request)
        .await?
        .into_inner())
}

/// All pages; the changes, and the last page.
async fn all(
    client: &GatewayClient,
    asked: ListChangesRequest,
    page_size: i32,
) -> (Vec<RelationshipChange>, ListChangesResponse) {
    let (mut changes, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListChangesRequest {
            page_size,
            page_token,
            ..asked.clone()
        };
        let answer = client.clone().list_changes(request).await;
        let mut page = answer.unwrap().into_inner();
        assert!(page.unreachable.is_empty(), "{:?}", page.unreachable);
        changes.append(&mut page.changes);
        if page.next_page_token.is_empty() {
            return (changes, page);
        }
        page_token = page.next_page_token;
    }
}

fn name(change: &RelationshipChange) -> String {
    match change.change.as_ref().unwrap() {
        Change::Observation(change) => change.observation.as_ref().unwrap().period.clone(),
        Change::Trade(change) => change.name.clone(),
        Change::Events(change) => change.name.clone(),
        Change::Culture(change) => change.name.clone(),
    }
}

/// What a message of a watch names: records, and of figures their periods.
fn names(message: &WatchRelationshipResponse) -> Vec<String> {
    let mut names = Vec::new();
    for change in &message.trade {
        match change.change.as_ref().unwrap() {
            TradeChange::StatementRecorded(told) => {
                names.push(told.statement.as_ref().unwrap().name.clone());
            }
            TradeChange::StatementDeleted(told) => names.push(told.name.clone()),
            TradeChange::ObservationsRecorded(told) => {
                names.extend(told.groups.iter().map(|group| group.period.clone()));
            }
            // These are of no pair.
            TradeChange::DatasetCreated(_)
            | TradeChange::DatasetUpdated(_)
            | TradeChange::SectorRecorded(_)
            | TradeChange::SectorDeleted(_)
            | TradeChange::ConcordanceRecorded(_)
            | TradeChange::CommodityNamesRecorded(_) => {}
        }
    }
    for change in &message.events {
        use events::events_change::Change;
        names.push(match change.change.as_ref().unwrap() {
            Change::EventRecorded(told) => told.event.as_ref().unwrap().name.clone(),
            Change::EventDeleted(told) => told.name.clone(),
            Change::AgreementRecorded(told) => told.agreement.as_ref().unwrap().name.clone(),
            Change::AgreementDeleted(told) => told.name.clone(),
        });
    }
    for change in &message.culture {
        use culture::culture_change::Change;
        names.push(match change.change.as_ref().unwrap() {
            Change::ProgrammeRecorded(told) => told.programme.as_ref().unwrap().name.clone(),
            Change::ProgrammeDeleted(told) => told.name.clone(),
            Change::MeasureRecorded(_)
            | Change::MeasureDeleted(_)
            | Change::VisaRuleRecorded(_)
            | Change::VisaRuleDeleted(_) => panic!("no story records one: {change:?}"),
        });
    }
    names
}

/// What a watch names until it names something, and the cursor behind that.
async fn until(watch: &mut Watch, last: &str) -> (Vec<String>, String) {
    let mut told = Vec::new();
    loop {
        let message = watch.message().await.unwrap().expect("it goes on");
        assert!(message.cursor.len() <= 100);
        told.extend(names(&message));
        if told.last().is_some_and(|name| name == last) {
            return (told, message.cursor);
        }
    }
}

async fn visit(house: &House, id: &str) {
    let mut request = event(
        id,
        &["CHN", "KAZ"],
        OfficeLevel::HeadOfState,
        "2024-07-02",
        "",
    );
    request.allow_duplicate = true;
    house.events.events().create_event(request).await.unwrap();
}

async fn year(house: &House, id: &str) {
    let request = programme(id, &["CHN", "KAZ"], "2024");
    house
        .culture
        .culture()
        .create_programme(request)
        .await
        .unwrap();
}

async fn said(house: &House, id: &str) {
    let request = statement(id, "KAZ", &["CHN"], "2023", "1");
    house
        .trade
        .client()
        .create_statement(request)
        .await
        .unwrap();
}

async fn with_house(way: Way, story: impl AsyncFnOnce(&mut House)) {
    if way == Way::Binary {
        build_binary().await;
    }
    let told = async {
        let mut house = House::start(way).await;
        story(&mut house).await;
        house.stop().await;
    };
    within_limit(told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_told_in_the_order_in_which_they_were_recorded() {
    with_house(Way::InProcess, async |house| {
        visit(house, "first").await;
        year(house, "second").await;
        said(house, "third").await;
        let client = house.trade.client();
        client
            .clone()
            .create_dataset(dataset("comtrade"))
            .await
            .unwrap();
        record(&client, "comtrade", "a", "CHN KAZ X H6 TOTAL 2022 10").await;
        visit(house, "last").await;
        let expected = [
            "events/first",
            "programmes/second",
            "statements/third",
            "2022",
            "events/last",
        ];
        let gateway = house.client();
        for page_size in 1..=6 {
            let (changes, _) = all(&gateway, listing(None), page_size).await;
            let told: Vec<String> = changes.iter().map(name).collect();
            assert_eq!(told, expected);
        }
        let (changes, _) = all(&gateway, listing(None), 10).await;
        let since = Since::SinceTime(changes[1].record_time.unwrap());
        let (later, _) = all(&gateway, listing(Some(since)), 1).await;
        assert_eq!(later, changes[2..]);
        let (all_days, _) = all(
            &gateway,
            listing(Some(Since::SinceDay(date("2020-01-01")))),
            10,
        )
        .await;
        assert_eq!(all_days, changes);
        let (none, _) = all(
            &gateway,
            listing(Some(Since::SinceDay(date("9999-12-31")))),
            10,
        )
        .await;
        assert!(none.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_goes_on_from_its_cursor() {
    with_house(Way::InProcess, async |house| {
        let gateway = house.client();
        let (_, empty) = all(&gateway, listing(None), 10).await;
        visit(house, "first").await;
        let (changes, page) =
            all(&gateway, listing(Some(Since::SinceCursor(empty.cursor))), 1).await;
        assert_eq!(
            changes.iter().map(name).collect::<Vec<_>>(),
            ["events/first"]
        );
        year(house, "second").await;
        let (changes, _) = all(&gateway, listing(Some(Since::SinceCursor(page.cursor))), 1).await;
        assert_eq!(
            changes.iter().map(name).collect::<Vec<_>>(),
            ["programmes/second"]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_was_lost_is_listed_and_watched_from_where_the_list_began() {
    with_house(Way::InProcess, async |house| {
        visit(house, "before").await;
        let gateway = house.client();
        let (changes, _) = all(&gateway, listing(None), 10).await;
        let since = Since::SinceTime(changes[0].record_time.unwrap());
        visit(house, "missed").await;
        year(house, "listed").await;
        house.cut(Role::Events);
        let page = gateway.clone().list_changes(listing(Some(since))).await;
        let page = page.unwrap().into_inner();
        assert_eq!(
            page.changes.iter().map(name).collect::<Vec<_>>(),
            ["programmes/listed"]
        );
        assert_eq!(page.unreachable[0].service, "events");
        assert!(!page.next_page_token.is_empty());
        house.mend(Role::Events).await;
        let mut watch = watch(&gateway, watching(&page.cursor)).await.unwrap();
        let (told, _) = until(&mut watch, "events/missed").await;
        assert_eq!(told, ["events/missed"]);
    })
    .await;
}

/// Writes to all services until it is told to stop; the names of what was acknowledged.
async fn write_until(house: &House, prefix: &str, is_over: &AtomicBool) -> Vec<String> {
    let mut written = Vec::new();
    for number in 0.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let id = format!("{prefix}-{number}");
        visit(house, &id).await;
        year(house, &id).await;
        said(house, &id).await;
        written.push(format!("events/{id}"));
        written.push(format!("programmes/{id}"));
        written.push(format!("statements/{id}"));
    }
    written
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_goes_on_from_a_list_without_a_gap_or_a_double_while_many_write() {
    let story = with_house(Way::InProcess, async |house| {
        let gateway = house.client();
        let is_over = AtomicBool::new(false);
        let reader = async {
            let mut told = Vec::new();
            let mut cursor = None;
            // Lists, each from where the one before ended, and watches of a few messages between them.
            for round in 0..6 {
                let since = cursor.take().map(Since::SinceCursor);
                let (changes, page) = all(&gateway, listing(since), 7).await;
                told.extend(changes.iter().map(name));
                let mut watch = watch(&gateway, watching(&page.cursor)).await.unwrap();
                let mut last = page.cursor;
                let mut left = 4 + round;
                while left > 0 {
                    let message = watch.message().await.unwrap().unwrap();
                    left -= usize::from(!names(&message).is_empty());
                    told.extend(names(&message));
                    last = message.cursor;
                }
                cursor = Some(last);
            }
            is_over.store(true, Ordering::Relaxed);
            (told, cursor.unwrap())
        };
        let writers = futures_util::future::join(
            write_until(house, "a", &is_over),
            write_until(house, "b", &is_over),
        );
        let ((mut told, cursor), (one, other)) = futures_util::future::join(reader, writers).await;
        let (rest, _) = all(&gateway, listing(Some(Since::SinceCursor(cursor))), 100).await;
        told.extend(rest.iter().map(name));
        let mut written = [one, other].concat();
        written.sort();
        told.sort();
        assert_eq!(told, written);
    });
    Box::pin(story).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_tells_all_from_the_beginning_or_what_comes_from_now_on() {
    with_house(Way::InProcess, async |house| {
        visit(house, "old").await;
        year(house, "old").await;
        let gateway = house.client();
        let mut now = watch(&gateway, watching("")).await.unwrap();
        let greeting = now.message().await.unwrap().unwrap();
        assert!(names(&greeting).is_empty() && greeting.service.is_empty());
        let beginning = WatchRelationshipRequest {
            from_beginning: true,
            ..watching("")
        };
        let mut beginning = watch(&gateway, beginning).await.unwrap();
        let events_only = WatchRelationshipRequest {
            services: vec!["events".into()],
            from_beginning: true,
            ..watching("")
        };
        let mut events_only = watch(&gateway, events_only).await.unwrap();
        said(house, "new").await;
        visit(house, "new").await;
        let (told, cursor) = until(&mut now, "events/new").await;
        assert!(told.iter().all(|name| name.ends_with("new")), "{told:?}");
        let (told, _) = until(&mut events_only, "events/new").await;
        assert_eq!(told, ["events/old", "events/new"]);
        let mut count = 0;
        while count < 4 {
            let message = beginning.message().await.unwrap().unwrap();
            count += names(&message).len();
        }
        let mut resumed = watch(&gateway, watching(&cursor)).await.unwrap();
        year(house, "later").await;
        let (told, _) = until(&mut resumed, "programmes/later").await;
        assert!(told.len() <= 2, "{told:?}");
    })
    .await;
}

/// Watches through the loss of a service: it is named, the others go on, and nothing of it is missed or doubled.
async fn a_service_is_lost(house: &mut House, role: Role, cut: impl AsyncFn(&mut House, Role)) {
    let gateway = house.client();
    let mut watch = watch(&gateway, watching("")).await.unwrap();
    watch.message().await.unwrap().unwrap();
    for (round, kept) in [(0, "a"), (1, "b")] {
        let id = |what: &str| format!("{what}-{round}");
        visit(house, &id("before")).await;
        until(&mut watch, &format!("events/{}", id("before"))).await;
        cut(house, role).await;
        let lost = loop {
            let message = watch.message().await.unwrap().unwrap();
            if let Some(lost) = message.lost {
                break lost;
            }
        };
        assert_eq!(lost.service, role.name());
        assert!(!lost.message.is_empty());
        year(house, &format!("{kept}-{round}")).await;
        until(&mut watch, &format!("programmes/{kept}-{round}")).await;
        house.mend(role).await;
        visit(house, &id("after")).await;
        let mut is_back = false;
        let mut told = Vec::new();
        while told.last() != Some(&format!("events/{}", id("after"))) {
            let message = watch.message().await.unwrap().unwrap();
            is_back |= message.back;
            told.extend(names(&message));
        }
        assert!(is_back);
        assert_eq!(told, [format!("events/{}", id("after"))]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_restarts_is_named_and_nothing_of_it_is_missed() {
    with_house(Way::InProcess, async |house| {
        a_service_is_lost(house, Role::Events, async |house, role| {
            house.cut(role);
            house.server(role).restart().await;
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_killed_is_named_and_nothing_of_it_is_missed() {
    with_house(Way::Binary, async |house| {
        a_service_is_lost(house, Role::Events, async |house, role| {
            house.cut(role);
            house.server(role).kill();
            house.server(role).start_again().await;
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_resumes_at_another_gateway() {
    with_house(Way::InProcess, async |house| {
        let shutdown = Shutdown::new();
        let gateway = GatewayServiceClient::new(house.gateway(&shutdown).server());
        let mut first = watch(&gateway, watching("")).await.unwrap();
        let mut cursor = first.message().await.unwrap().unwrap().cursor;
        let mut told = Vec::new();
        visit(house, "one").await;
        year(house, "two").await;
        while told.is_empty() {
            let message = first.message().await.unwrap().unwrap();
            told.extend(names(&message));
            cursor = message.cursor;
        }
        shutdown.trigger();
        let ended = loop {
            match first.message().await {
                Ok(Some(message)) => {
                    told.extend(names(&message));
                    cursor = message.cursor;
                }
                Ok(None) => panic!("it ended as if all were told"),
                Err(status) => break status,
            }
        };
        assert_eq!(reason(&ended), "Unavailable SHUTTING_DOWN");
        for role in [Role::Trade, Role::Events, Role::Culture] {
            house.server(role).restart().await;
            house.mend(role).await;
        }
        said(house, "three").await;
        let mut second = watch(&house.client(), watching(&cursor)).await.unwrap();
        while told.len() < 3 {
            told.extend(names(&second.message().await.unwrap().unwrap()));
        }
        told.sort();
        assert_eq!(told, ["events/one", "programmes/two", "statements/three"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lags_behind_what_is_kept_misses_nothing() {
    with_house(Way::InProcess, async |house| {
        let gateway = house.client();
        let mut slow = watch(&gateway, watching("")).await.unwrap();
        let greeting = slow.message().await.unwrap().unwrap();
        let mut quick = watch(&gateway, watching(&greeting.cursor)).await.unwrap();
        // More entries than are kept, of which the slow one reads none until all are there.
        let mut expected = Vec::new();
        for number in 0..300 {
            visit(house, &format!("v-{number}")).await;
            expected.push(format!("events/v-{number}"));
        }
        assert_eq!(until(&mut quick, "events/v-299").await.0, expected);
        assert_eq!(until(&mut slow, "events/v-299").await.0, expected);
        let mut late = watch(&gateway, watching(&greeting.cursor)).await.unwrap();
        assert_eq!(until(&mut late, "events/v-299").await.0, expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_pairs_are_not_told_and_a_record_that_leaves_the_pair_is() {
    with_house(Way::InProcess, async |house| {
        let gateway = house.client();
        let mut watch = watch(&gateway, watching("")).await.unwrap();
        watch.message().await.unwrap().unwrap();
        let other = event(
            "other",
            &["CHN", "UZB"],
            OfficeLevel::HeadOfState,
            "2024",
            "",
        );
        house.events.events().create_event(other).await.unwrap();
        visit(house, "ours").await;
        assert_eq!(until(&mut watch, "events/ours").await.0, ["events/ours"]);
        let moved = event(
            "ours",
            &["FRA", "UZB"],
            OfficeLevel::HeadOfState,
            "2024",
            "",
        );
        let update = UpdateEventRequest {
            event: moved.event.map(|event| events::Event {
                name: "events/ours".into(),
                ..event
            }),
            ..UpdateEventRequest::default()
        };
        house.events.events().update_event(update).await.unwrap();
        assert_eq!(until(&mut watch, "events/ours").await.0, ["events/ours"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_that_a_journal_does_not_reach_ends_the_watch() {
    with_house(Way::InProcess, async |house| {
        visit(house, "one").await;
        let (_, ahead) = all(&house.client(), listing(None), 10).await;
        let mut younger = House::start(Way::InProcess).await;
        let mut watch = watch(&younger.client(), watching(&ahead.cursor))
            .await
            .unwrap();
        let ended = loop {
            if let Err(status) = watch.message().await {
                break status;
            }
        };
        assert_eq!(reason(&ended), "OutOfRange POSITION_AHEAD");
        let listed = listing(Some(Since::SinceCursor(ahead.cursor)));
        let listed = younger.client().list_changes(listed).await;
        assert_eq!(reason(&listed.unwrap_err()), "OutOfRange POSITION_AHEAD");
        assert!(
            ended.message().starts_with("events: "),
            "{}",
            ended.message()
        );
        younger.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_question_names_every_field() {
    with_house(Way::InProcess, async |house| {
        let gateway = house.client();
        let wrong = WatchRelationshipRequest {
            country: "chn".into(),
            partner: "KAZ".into(),
            cursor: "nothing".into(),
            from_beginning: true,
            services: vec!["trade".into(), "trade".into(), "gateway".into()],
        };
        let refused = watch(&gateway, wrong).await.unwrap_err();
        assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
        let expected = [
            "country",
            "from_beginning",
            "cursor",
            "services[1]",
            "services[2]",
        ];
        assert_eq!(fields(&refused), expected);
        let wrong = ListChangesRequest {
            page_size: -1,
            ..listing(Some(Since::SinceDay(date("2024-07"))))
        };
        let refused = gateway.clone().list_changes(wrong).await.unwrap_err();
        assert_eq!(fields(&refused), ["page_size", "since_day"]);
        let wrong = listing(Some(Since::SinceCursor("nothing".into())));
        let refused = gateway.clone().list_changes(wrong).await.unwrap_err();
        assert_eq!(fields(&refused), ["since_cursor"]);
    })
    .await;
}
