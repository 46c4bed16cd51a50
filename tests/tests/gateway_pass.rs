//! The whole system through its one door, in one process and apart; and what callers see when a part of it is down,
//! stands still, answers nonsense or starts again.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, wherever it does, and tells what it counted"
)]

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use proto::culture::v1::culture_service_server::SERVICE_NAME as CULTURE;
use proto::culture::v1::{GetProgrammeRequest, ListProgrammesRequest};
use proto::events::v1::events_service_server::SERVICE_NAME as EVENTS;
use proto::events::v1::{ExportCalendarRequest, GetEventRequest, ListEventsRequest, OfficeLevel};
use proto::gateway::v1::gateway_service_server::SERVICE_NAME as GATEWAY;
use proto::gateway::v1::{
    GetBriefingRequest, ListChangesRequest, ListTimelineRequest, ReplicaStatus,
};
use proto::journal::v1::journal_service_server::SERVICE_NAME as JOURNALS;
use proto::journal::v1::{BackupJournalRequest, GetJournalRequest};
use proto::trade::v1::trade_service_server::SERVICE_NAME as TRADE;
use tests::wire::{
    GetDatasetRequest, GetObservationRequest, ListDatasetsRequest, WatchChangesRequest,
};
use tests::{
    Client, Health, Hosts, Role, Server, Setting, Way, World, build_binary, dataset, event, fields,
    programme, reason, record, services, within_limit,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

const FIGURE: &str = "CHN KAZ X H6 TOTAL 2023 24500";
const NAME: &str = "datasets/comtrade/observations/CHN.KAZ.X.H6.TOTAL.2023";

tests::both_settings!(
    what_is_recorded_through_the_door_is_read_back,
    errors_arrive_with_their_details,
    the_door_names_every_service_and_its_health,
    each_journal_is_found_by_its_name,
    a_briefing_is_over_all_of_them,
);

/// Runs a story under the limit of time, once what it needs is built.
async fn in_time(story: impl AsyncFnOnce()) {
    build_binary().await;
    within_limit(story()).await;
}

async fn tell(setting: Setting, story: impl AsyncFnOnce(&World)) {
    in_time(async || {
        let world = World::start(setting).await;
        story(&world).await;
        world.stop().await;
    })
    .await;
}

async fn what_is_recorded_through_the_door_is_read_back(world: &World) {
    let mut trade = world.trade_client();
    trade.create_dataset(dataset("comtrade")).await.unwrap();
    let watched = trade.watch_changes(WatchChangesRequest::default()).await;
    let mut changes = watched.unwrap().into_inner();
    let recorded = record(&trade, "comtrade", "figures", FIGURE).await;
    assert_eq!(recorded.counts.unwrap().new, 1);
    let read = get(&trade).await.unwrap();
    assert_eq!(read, "24500");
    let mut positions = Vec::new();
    while positions.len() < 2 {
        let told = changes.message().await.unwrap().unwrap();
        positions.extend((!told.changes.is_empty()).then_some(told.position));
    }
    assert_eq!(positions, [1, 2]);

    let visit = event(
        "visit",
        &["CHN", "KAZ"],
        OfficeLevel::HeadOfState,
        "2024-07-02",
        "2024-07-04",
    );
    let mut events = world.events_client();
    let created = events.create_event(visit).await.unwrap().into_inner();
    let name = created.name.clone();
    let got = events
        .get_event(GetEventRequest { name, as_of: None })
        .await;
    assert_eq!(got.unwrap().into_inner(), created);
    let exported = events
        .export_calendar(ExportCalendarRequest::default())
        .await;
    let mut calendar = exported.unwrap().into_inner();
    let mut text = Vec::new();
    while let Some(part) = calendar.message().await.unwrap() {
        text.extend(part.data);
    }
    assert!(String::from_utf8(text).unwrap().contains("BEGIN:VEVENT"));

    let mut culture = world.culture_client();
    let created = culture
        .create_programme(programme("year", &["CHN", "KAZ"], "2024"))
        .await
        .unwrap()
        .into_inner();
    let name = created.name.clone();
    let got = culture
        .get_programme(GetProgrammeRequest { name, as_of: None })
        .await;
    assert_eq!(got.unwrap().into_inner(), created);
}

async fn get(client: &Client) -> Result<String, Status> {
    let request = GetObservationRequest {
        name: NAME.into(),
        as_of: None,
    };
    let got = client.clone().get_observation(request).await?.into_inner();
    Ok(got.value.unwrap_or_default().amount)
}

async fn errors_arrive_with_their_details(world: &World) {
    let mut trade = world.trade_client();
    trade.create_dataset(dataset("comtrade")).await.unwrap();
    let again = trade.create_dataset(dataset("comtrade")).await.unwrap_err();
    assert_eq!(reason(&again), "AlreadyExists ALREADY_EXISTS");
    let nameless = trade.get_dataset(GetDatasetRequest::default()).await;
    let nameless = nameless.unwrap_err();
    assert_eq!(reason(&nameless), "InvalidArgument INVALID_FIELD");
    assert_eq!(fields(&nameless), ["name"]);
    assert!(nameless.metadata().contains_key("x-request-id"));
}

async fn the_door_names_every_service_and_its_health(world: &World) {
    let listed = services(world.channel()).await;
    for service in [TRADE, EVENTS, CULTURE, JOURNALS, GATEWAY] {
        assert!(listed.iter().any(|name| name == service), "{listed:?}");
        let mut health = Health::watch(world.channel(), service).await;
        health.until(true).await;
    }
    let process = Health::check(world.channel(), "").await;
    assert!(process.unwrap());
    let unknown = Health::check(world.channel(), "entente.gossip.v1").await;
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
}

async fn each_journal_is_found_by_its_name(world: &World) {
    let mut trade = world.trade_client();
    trade.create_dataset(dataset("comtrade")).await.unwrap();
    let mut journals = world.journals();
    for (role, last) in [("trade", 1), ("events", 0), ("culture", 0)] {
        let name = format!("journals/{role}");
        let journal = journals
            .get_journal(GetJournalRequest { name: name.clone() })
            .await;
        let journal = journal.unwrap().into_inner();
        assert_eq!((journal.name, journal.last_position), (name, last));
    }
    let copied = journals
        .backup_journal(BackupJournalRequest {
            name: "journals/trade".into(),
            after_position: 0,
        })
        .await;
    let first = copied.unwrap().into_inner().message().await.unwrap();
    assert_eq!(first.unwrap().entries.len(), 1);
    let asked = |name: &str| {
        let mut journals = world.journals();
        let name = name.to_owned();
        async move {
            journals
                .get_journal(GetJournalRequest { name })
                .await
                .unwrap_err()
        }
    };
    assert_eq!(
        reason(&asked("journals/gossip").await),
        "NotFound NOT_FOUND"
    );
    assert_eq!(fields(&asked("gossip").await), ["name"]);
}

async fn a_briefing_is_over_all_of_them(world: &World) {
    let briefing = world
        .gateway_client()
        .get_briefing(GetBriefingRequest {
            country: "CHN".into(),
            partner: "KAZ".into(),
            ..GetBriefingRequest::default()
        })
        .await;
    assert_eq!(briefing.unwrap().into_inner().unreachable, []);
}

/// Asks something of a service, and waits for it.
async fn ask(world: &World, role: Role) -> Result<(), Status> {
    ask_within(world, role, Some(60)).await
}

/// Asks something of a service within so many seconds, or without saying in which time.
async fn ask_within(world: &World, role: Role, seconds: Option<u64>) -> Result<(), Status> {
    match role {
        Role::Trade => {
            let request = within(seconds, ListDatasetsRequest::default());
            world.trade_client().list_datasets(request).await.map(drop)
        }
        Role::Events => {
            let request = within(seconds, ListEventsRequest::default());
            world.events_client().list_events(request).await.map(drop)
        }
        Role::Culture => {
            let request = within(seconds, ListProgrammesRequest::default());
            let mut client = world.culture_client();
            client.list_programmes(request).await.map(drop)
        }
    }
}

fn within<T>(seconds: Option<u64>, request: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(request);
    if let Some(seconds) = seconds {
        request.set_timeout(Duration::from_secs(seconds));
    }
    request
}

const SERVICES: [(Role, &str); 3] = [
    (Role::Trade, TRADE),
    (Role::Events, EVENTS),
    (Role::Culture, CULTURE),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_service_may_be_down_and_comes_back() {
    in_time(async || {
        let mut world = World::start(Setting::Apart).await;
        for (down, name) in SERVICES {
            let mut health = Health::watch(world.channel(), name).await;
            health.until(true).await;
            world.node(down).kill();
            health.until(false).await;
            for (role, _) in SERVICES {
                let asked = ask(&world, role).await;
                if role == down {
                    let status = asked.unwrap_err();
                    assert_eq!(reason(&status), "Unavailable UNREACHABLE");
                    assert!(status.get_error_details().retry_info().is_some());
                } else {
                    asked.unwrap();
                }
            }
            let lost = vec![down.name().to_owned()];
            assert_eq!(missing(&world).await, [lost.clone(), lost]);
            world.node(down).start_again().await;
            health.until(true).await;
            ask(&world, down).await.unwrap();
            assert_eq!(missing(&world).await, [vec![], vec![]] as [Vec<String>; 2]);
        }
        let log = world.end().await;
        assert!(!log.contains("ERROR"), "{log}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_stands_still_costs_its_callers_their_deadline() {
    in_time(async || {
        let mut world = World::impatient().await;
        for (still, name) in SERVICES {
            ask(&world, still).await.unwrap();
            world.node(still).freeze();
            let late = loop {
                // It may answer until the signal has reached all its threads.
                if let Err(status) = ask_within(&world, still, None).await {
                    break status;
                }
            };
            assert_eq!(reason(&late), "DeadlineExceeded DEADLINE_EXCEEDED");
            let lost = vec![still.name().to_owned()];
            assert_eq!(missing(&world).await, [lost.clone(), lost]);
            let mut health = Health::watch(world.channel(), name).await;
            health.until(false).await;
            world.node(still).thaw();
            health.until(true).await;
            ask(&world, still).await.unwrap();
        }
        world.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_in_place_of_a_service_is_told_from_an_answer() {
    in_time(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let babble = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let nonsense = b"HTTP/1.0 200 OK\r\n\r\nThere is nothing like this here.";
                // Whoever hears it may hang up at once.
                drop(stream.write_all(nonsense).await);
                drop(stream.read(&mut [0; 64]).await);
            }
        });
        let world = World::with_trade_elsewhere(&[address]).await;
        let asked = ask(&world, Role::Trade).await;
        assert_eq!(reason(&asked.unwrap_err()), "Unavailable UNREACHABLE");
        assert!(!Health::check(world.channel(), TRADE).await.unwrap());
        let lost = vec!["trade".to_owned()];
        assert_eq!(missing(&world).await, [lost.clone(), lost]);
        ask(&world, Role::Events).await.unwrap();
        babble.abort();
        world.end().await;
    })
    .await;
}

/// Seconds for a list over all services. Half of it is waited for one that says nothing, and the others have as long.
const FOR_A_LIST: Option<u64> = Some(6);

/// The services that lists over all name as not reached, and the rest is told.
async fn missing(world: &World) -> [Vec<String>; 2] {
    let pair = || ("CHN".to_owned(), "KAZ".to_owned());
    let (country, partner) = pair();
    let timeline = ListTimelineRequest {
        country,
        partner,
        ..ListTimelineRequest::default()
    };
    let (country, partner) = pair();
    let changes = ListChangesRequest {
        country,
        partner,
        ..ListChangesRequest::default()
    };
    let mut gateway = world.gateway_client();
    let timeline = gateway.list_timeline(within(FOR_A_LIST, timeline)).await;
    let changes = gateway.list_changes(within(FOR_A_LIST, changes)).await;
    let (timeline, changes) = (
        timeline.unwrap().into_inner(),
        changes.unwrap().into_inner(),
    );
    [timeline.unreachable, changes.unreachable]
        .map(|lost| lost.into_iter().map(|one| one.service).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_come_and_go_behind_a_name() {
    const LEADING: &str = "trade.test";
    let folder = tempfile::tempdir().unwrap();
    let Some(hosts) = Hosts::new(folder.path()) else {
        return;
    };
    in_time(async || {
        let hosts = Arc::new(hosts);
        let places: [IpAddr; 2] = [[127, 0, 0, 1].into(), [127, 0, 0, 2].into()];
        hosts.lead(LEADING, &places[..1]);
        let mut world = World::with_trade_behind(LEADING, &places, Arc::clone(&hosts)).await;
        ask(&world, Role::Trade).await.unwrap();
        let mut health = Health::watch(world.channel(), TRADE).await;
        health.until(true).await;

        world.trade[1].stop().await;
        hosts.lead(LEADING, &places[1..]);
        health.until(false).await;
        world.trade[1].start_again().await;
        health.until(true).await;
        world.serves(world.trade[1].address()).await;
        world.trade[0].kill();
        ask(&world, Role::Trade).await.unwrap();

        hosts.lead(LEADING, &[]);
        while !world.door.log().contains("leads nowhere") {
            tokio::task::yield_now().await;
        }
        // What it led to is kept as long as nothing better is known.
        ask(&world, Role::Trade).await.unwrap();
        world.end().await;
    })
    .await;
}

/// Callers that read one figure over and over.
struct Callers {
    stop: Arc<AtomicBool>,
    made: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    running: JoinSet<()>,
}

impl Callers {
    fn start(world: &World, count: usize) -> Callers {
        let mut callers = Callers {
            stop: Arc::default(),
            made: Arc::default(),
            failed: Arc::default(),
            running: JoinSet::new(),
        };
        for _ in 0..count {
            let client = world.trade_client();
            let (stop, made) = (callers.stop.clone(), callers.made.clone());
            let failed = callers.failed.clone();
            callers.running.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    if let Err(status) = get(&client).await {
                        eprintln!("a caller saw {status:?}");
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                    made.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        callers
    }

    fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Waits until they have made so many calls more.
    async fn make(&self, calls: u64) {
        let until = self.made.load(Ordering::Relaxed) + calls;
        let mut turns = tokio::time::interval(Duration::from_millis(5));
        while self.made.load(Ordering::Relaxed) < until {
            turns.tick().await;
        }
    }

    async fn stop(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.running.join_next().await {
            ended.unwrap();
        }
        self.failed()
    }
}

/// Two replicas of trade on copies of the same figures.
async fn with_replicas() -> World {
    let mut original = Server::start(Way::InProcess).await;
    tests::with_figures(&original, FIGURE).await;
    original.stop().await;
    World::with_replicas(&[original.data(), original.data()]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_process_says_of_itself_how_it_is() {
    in_time(async || {
        let mut world = with_replicas().await;
        let journals = loop {
            // One that is late says nothing this time.
            let said = world.replicas().await.into_iter();
            let journals: Option<Vec<_>> = said.map(|one| one.journal).collect();
            if let Some(journals) = journals {
                break journals;
            }
        };
        let stands = journals.iter().map(|status| {
            assert_eq!(status.version, env!("CARGO_PKG_VERSION"));
            assert!(status.journal_bytes > 0 && status.free_bytes > 0);
            let journal = status.journal.as_ref().expect("it has one");
            (&*journal.name, journal.last_position)
        });
        let expected = [
            ("journals/trade", 2),
            ("journals/trade", 2),
            ("journals/events", 0),
            ("journals/culture", 0),
        ];
        assert_eq!(stands.collect::<Vec<_>>(), expected);

        world.trade[0].kill();
        let killed = world.trade[0].address().to_string();
        let is_lost = |one: &ReplicaStatus| one.address == killed && one.journal.is_none();
        while !world.replicas().await.iter().any(is_lost) {}
        world.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_replicas_dies_and_no_reader_notices() {
    in_time(async || {
        let mut world = with_replicas().await;
        let callers = Callers::start(&world, 8);
        callers.make(200).await;
        world.trade[0].kill();
        callers.make(500).await;
        let during = callers.failed();
        callers.make(1_000).await;
        let after = callers.stop().await - during;
        eprintln!("failed calls: {during} while it died, {after} after that");
        assert_eq!((during, after), (0, 0));
        world.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_start_again_in_turn_and_no_reader_notices() {
    in_time(async || {
        let mut world = with_replicas().await;
        let callers = Callers::start(&world, 8);
        for replica in 0..2 {
            callers.make(200).await;
            world.all_serve().await;
            world.trade[replica].stop().await;
            callers.make(200).await;
            world.trade[replica].start_again().await;
        }
        callers.make(200).await;
        assert_eq!(callers.stop().await, 0);
        world.end().await;
    })
    .await;
}
