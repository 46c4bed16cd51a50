//! Who wrote what: the journal by caller.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use chassis::{Login, TokenFile};
use proto::culture::v1::culture_service_client::CultureServiceClient;
use proto::culture::v1::{
    CreateVisaRuleRequest, Direction, Measure, MeasureKind, VisaRequirement, VisaRule, measure,
};
use proto::culture::v1::{DeleteProgrammeRequest, RecordMeasuresRequest};
use proto::events::v1::events_service_client::EventsServiceClient;
use proto::events::v1::{
    DeleteEventRequest, Event, ImportCalendarRequest, OfficeLevel, UpdateEventRequest,
};
use proto::journal::v1::journal_service_client::JournalServiceClient;
use proto::journal::v1::{AuditEntry, ListAuditEntriesRequest};
use proto::trade::v1::ingest_observations_request::Part;
use proto::trade::v1::trade_service_client::TradeServiceClient;
use proto::trade::v1::{
    BatchCreateStatementsRequest, CommodityName, ConcordanceRow, IngestObservationsRequest,
    RecordCommodityNamesRequest, RecordConcordanceRequest,
};
use tests::{
    Role, Server, batch, dataset, event, fields, header, programme, reason, sector, source,
    statement, text, within_limit,
};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// A connection whose calls bring a token.
type Connection = InterceptedService<Channel, Bearer>;

#[derive(Clone)]
struct Bearer(MetadataValue<Ascii>);

impl tonic::service::Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A service with two desks that write, and an office that audits.
struct House {
    server: Server,
    folder: tempfile::TempDir,
}

impl House {
    async fn open(role: Role) -> House {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let file = TokenFile::new(&path);
        for (name, role) in [
            ("desk-7", chassis::Role::Editor),
            ("desk-9", chassis::Role::Editor),
            ("office", chassis::Role::Admin),
        ] {
            let made = file.create(name, role, None).unwrap();
            std::fs::write(folder.path().join(name), made.text()).unwrap();
        }
        let login = Login {
            tokens: Some(path),
            ..Login::default()
        };
        House {
            server: Server::start_with_login(role, login).await,
            folder,
        }
    }

    async fn connection(&self, who: &str) -> Connection {
        let token = std::fs::read_to_string(self.folder.path().join(who)).unwrap();
        let bearer = format!("Bearer {token}").parse().unwrap();
        InterceptedService::new(self.server.channel().await, Bearer(bearer))
    }

    async fn events(&self, who: &str) -> EventsServiceClient<Connection> {
        EventsServiceClient::new(self.connection(who).await)
    }

    async fn trade(&self, who: &str) -> TradeServiceClient<Connection> {
        TradeServiceClient::new(self.connection(who).await)
    }

    async fn page(
        &self,
        asked: ListAuditEntriesRequest,
    ) -> Result<(Vec<AuditEntry>, String), Status> {
        let mut office = JournalServiceClient::new(self.connection("office").await);
        let page = office.list_audit_entries(asked).await?.into_inner();
        Ok((page.entries, page.next_page_token))
    }

    /// All that passes, page by page.
    async fn audit(&self, asked: ListAuditEntriesRequest) -> Vec<AuditEntry> {
        let (mut entries, mut asked) = (Vec::new(), asked);
        loop {
            let (page, next) = self.page(asked.clone()).await.unwrap();
            entries.extend(page);
            if next.is_empty() {
                return entries;
            }
            asked.page_token = next;
        }
    }
}

fn journal(role: &str) -> ListAuditEntriesRequest {
    ListAuditEntriesRequest {
        parent: format!("journals/{role}"),
        ..ListAuditEntriesRequest::default()
    }
}

fn visit(id: &str, start: &str) -> proto::events::v1::CreateEventRequest {
    event(id, &["CHN", "KAZ"], OfficeLevel::Minister, start, "")
}

/// Caller, kind of change and record of each write.
fn told(entries: &[AuditEntry]) -> Vec<String> {
    let line = |entry: &AuditEntry| {
        let changes: Vec<_> = entry
            .changes
            .iter()
            .map(|c| format!("{} {}", c.kind, c.name))
            .collect();
        format!("{}: {}", entry.caller, changes.join(", "))
    };
    entries.iter().map(line).collect()
}

async fn write_and_change(house: &House) {
    let (mut seven, mut nine) = (house.events("desk-7").await, house.events("desk-9").await);
    seven.create_event(visit("a", "2021")).await.unwrap();
    nine.create_event(visit("b", "2022")).await.unwrap();
    let update = UpdateEventRequest {
        event: Some(Event {
            name: "events/a".into(),
            title: Some(text("en", "Another title")),
            ..Event::default()
        }),
        ..UpdateEventRequest::default()
    };
    nine.update_event(update).await.unwrap();
    let delete = DeleteEventRequest {
        name: "events/b".into(),
        ..DeleteEventRequest::default()
    };
    seven.delete_event(delete).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_created_changed_and_deleted_what_is_told() {
    within_limit(async {
        let mut house = House::open(Role::Events).await;
        write_and_change(&house).await;
        let all = house.audit(journal("events")).await;
        let expected = [
            "desk-7: event_recorded events/a",
            "desk-9: event_recorded events/b",
            "desk-9: event_recorded events/a",
            "desk-7: event_deleted events/b",
        ];
        assert_eq!(told(&all), expected);
        let times: Vec<_> = all.iter().map(|entry| entry.record_time.unwrap()).collect();
        assert!(times.is_sorted_by(|a, b| (a.seconds, a.nanos) < (b.seconds, b.nanos)));
        assert!(all.iter().all(|entry| entry.change_count == 1));
        house.server.restart().await;
        assert_eq!(house.audit(journal("events")).await, all);
        house.server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_is_narrowed_to_a_caller_a_record_and_what_came_later() {
    within_limit(async {
        let mut house = House::open(Role::Events).await;
        write_and_change(&house).await;
        let all = house.audit(journal("events")).await;
        let asked = async |caller: &str, prefix: &str, after| {
            let asked = ListAuditEntriesRequest {
                caller: caller.into(),
                name_prefix: prefix.into(),
                after_position: after,
                page_size: 1,
                ..journal("events")
            };
            house.audit(asked).await
        };
        let of = |places: &[usize]| {
            places
                .iter()
                .map(|place| all[*place].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(asked("", "", 0).await, all);
        assert_eq!(asked("desk-7", "", 0).await, of(&[0, 3]));
        assert_eq!(asked("", "events/a", 0).await, of(&[0, 2]));
        assert_eq!(asked("desk-9", "events/b", 0).await, of(&[1]));
        assert_eq!(asked("desk", "", 0).await, []);
        assert_eq!(asked("", "agreements/", 0).await, []);
        assert_eq!(asked("", "", all[1].position).await, of(&[2, 3]));
        assert_eq!(asked("", "", all[3].position).await, []);
        let ahead = ListAuditEntriesRequest {
            after_position: all[3].position + 1,
            ..journal("events")
        };
        let ahead = house.page(ahead).await.unwrap_err();
        assert_eq!(reason(&ahead), "OutOfRange POSITION_AHEAD");
        let nothing = house.page(journal("nothing")).await.unwrap_err();
        assert_eq!(reason(&nothing), "NotFound NOT_FOUND");
        let mut wrong = journal("events");
        wrong.parent = "events".into();
        assert_eq!(fields(&house.page(wrong).await.unwrap_err()), ["parent"]);
        house.server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_is_the_offices_alone() {
    within_limit(async {
        let mut house = House::open(Role::Events).await;
        let mut desk = JournalServiceClient::new(house.connection("desk-7").await);
        let refused = desk
            .list_audit_entries(journal("events"))
            .await
            .unwrap_err();
        assert_eq!(reason(&refused), "PermissionDenied NOT_ALLOWED");
        house.server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_answered_by_anothers_request_id() {
    within_limit(async {
        let mut house = House::open(Role::Events).await;
        let (mut seven, mut nine) = (house.events("desk-7").await, house.events("desk-9").await);
        let id = "6f1c0a52-6a41-4b0c-9d53-5d2f0b6f4b1e";
        let mut request = visit("a", "2021");
        request.request_id = id.into();
        let first = seven
            .create_event(request.clone())
            .await
            .unwrap()
            .into_inner();
        let again = seven
            .create_event(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(again, first);
        let other = nine.create_event(request).await.unwrap_err();
        assert_eq!(reason(&other), "AlreadyExists REQUEST_ID_REUSED");
        let all = house.audit(journal("events")).await;
        assert_eq!(all.len(), 1);
        assert_eq!((&*all[0].request_id, &*all[0].subject), (id, "events/a"));
        house.server.stop().await;
    })
    .await;
}

async fn trade_writes(house: &House) {
    let mut desk = house.trade("desk-7").await;
    desk.create_dataset(dataset("comtrade")).await.unwrap();
    let parts = [
        Part::Header(header("comtrade", "first")),
        Part::Batch(batch(1, "CHN KAZ X H6 TOTAL 2021 100")),
        Part::Batch(batch(2, "CHN KAZ X H6 TOTAL 2022 100")),
    ];
    let parts = parts.map(|part| IngestObservationsRequest { part: Some(part) });
    desk.ingest_observations(tokio_stream::iter(parts))
        .await
        .unwrap();
    desk.create_sector(sector("solar", &["854142"]))
        .await
        .unwrap();
    let statements = ["one", "two"].map(|id| statement(id, "CHN", &["KAZ"], "2021", "1"));
    let statements = BatchCreateStatementsRequest {
        requests: statements.to_vec(),
        ..BatchCreateStatementsRequest::default()
    };
    desk.batch_create_statements(statements).await.unwrap();
    let row = ConcordanceRow {
        from_code: "854142".into(),
        to_code: "854140".into(),
        ..ConcordanceRow::default()
    };
    let table = RecordConcordanceRequest {
        from: "H6".into(),
        to: "H5".into(),
        rows: vec![row],
        source: Some(source("Correlation table")),
        validate_only: false,
    };
    desk.record_concordance(table).await.unwrap();
    let name = CommodityName {
        code: "854142".into(),
        text: "Photovoltaic cells".into(),
    };
    let names = RecordCommodityNamesRequest {
        classification: "H6".into(),
        language_code: "en".into(),
        names: vec![name],
        validate_only: false,
    };
    desk.record_commodity_names(names).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_write_of_trade_has_its_caller() {
    within_limit(async {
        let mut house = House::open(Role::Trade).await;
        trade_writes(&house).await;
        let expected = [
            "desk-7: dataset_created datasets/comtrade",
            "desk-7: observations_recorded datasets/comtrade/ingests/first",
            "desk-7: observations_recorded datasets/comtrade/ingests/first",
            "desk-7: sector_recorded sectors/solar",
            "desk-7: statement_recorded statements/one, statement_recorded statements/two",
            "desk-7: concordance_recorded concordances/H6-H5",
            "desk-7: commodity_names_recorded classifications/H6",
        ];
        assert_eq!(told(&house.audit(journal("trade")).await), expected);
        house.server.stop().await;
    })
    .await;
}

fn students() -> Measure {
    Measure {
        subject: Some(measure::Subject::Direction(Direction {
            from: "KAZ".into(),
            to: "CHN".into(),
        })),
        kind: MeasureKind::Students.into(),
        unit: "persons".into(),
        period: "2017".into(),
        value: "14000".into(),
        source: Some(source("A yearbook")),
        ..Measure::default()
    }
}

fn visa_free() -> CreateVisaRuleRequest {
    CreateVisaRuleRequest {
        visa_rule_id: "chn-kaz-free".into(),
        visa_rule: Some(VisaRule {
            citizens_of: "CHN".into(),
            destination: "KAZ".into(),
            requirement: VisaRequirement::VisaFree.into(),
            days_allowed: 30,
            sources: vec![source("The consulate's page")],
            ..VisaRule::default()
        }),
        request_id: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_write_of_culture_has_its_caller() {
    within_limit(async {
        let mut house = House::open(Role::Culture).await;
        let mut desk = CultureServiceClient::new(house.connection("desk-7").await);
        let created = programme("year-of-tourism", &["CHN", "KAZ"], "2024");
        desk.create_programme(created).await.unwrap();
        let measures = RecordMeasuresRequest {
            measures: vec![students()],
            ..RecordMeasuresRequest::default()
        };
        let recorded = desk.record_measures(measures).await.unwrap().into_inner();
        desk.create_visa_rule(visa_free()).await.unwrap();
        let delete = DeleteProgrammeRequest {
            name: "programmes/year-of-tourism".into(),
            ..DeleteProgrammeRequest::default()
        };
        desk.delete_programme(delete).await.unwrap();
        let expected = [
            "desk-7: programme_recorded programmes/year-of-tourism".to_owned(),
            format!("desk-7: measure_recorded {}", recorded.measures[0].name),
            "desk-7: visa_rule_recorded visaRules/chn-kaz-free".to_owned(),
            "desk-7: programme_deleted programmes/year-of-tourism".to_owned(),
        ];
        assert_eq!(told(&house.audit(journal("culture")).await), expected);
        house.server.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_imported_calendar_has_its_caller() {
    within_limit(async {
        let mut house = House::open(Role::Events).await;
        let lines = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Desk//EN",
            "BEGIN:VEVENT",
            "UID:one@desk",
            "DTSTAMP:20240101T000000Z",
            "DTSTART;VALUE=DATE:20240702",
            "SUMMARY:A visit",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ];
        let Event {
            kind,
            status,
            participants,
            sources,
            ..
        } = visit("x", "2024").event.unwrap();
        let defaults = Event {
            kind,
            status,
            participants,
            sources,
            ..Event::default()
        };
        let request = ImportCalendarRequest {
            content: lines.join("\r\n").into(),
            defaults: Some(defaults),
            ..ImportCalendarRequest::default()
        };
        let mut desk = house.events("desk-9").await;
        let created = desk.import_calendar(request).await.unwrap().into_inner();
        let all = house.audit(journal("events")).await;
        let name = &created.events[0].name;
        assert_eq!(told(&all), [format!("desk-9: event_recorded {name}")]);
        house.server.stop().await;
    })
    .await;
}
