//! What the service keeps: created, listed, revised, deleted, and still there when the store is opened again.

use std::path::Path;

use chassis::Shutdown;
use culture::{Culture, Model};
use proto::culture::v1::culture_service_server::CultureService;
use proto::culture::v1::{self as wire, measure::Subject};
use proto::r#type::v1::{ChangeKind, CivilDate, DateWindow, LocalizedText, PeriodWindow, Source};
use store::Store;
use tempfile::TempDir;
use tonic::{Code, Request};
use wire::{Measure, MeasureKind, Programme, ProgrammeKind, VisaRequirement, VisaRule};

/// A service over a folder of its own.
struct House {
    folder: TempDir,
    store: Store<Model>,
    culture: Culture,
}

impl House {
    fn new() -> House {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = open(folder.path());
        let culture = Culture::new(store.clone(), Shutdown::new());
        House {
            folder,
            store,
            culture,
        }
    }

    /// The same folder, opened again.
    async fn again(self) -> House {
        let House {
            folder,
            store,
            culture,
        } = self;
        drop(culture);
        store.close().await;
        drop(store);
        let store = open(folder.path());
        let culture = Culture::new(store.clone(), Shutdown::new());
        House {
            folder,
            store,
            culture,
        }
    }

    /// Holds the indexes against the records.
    fn check_indexes(&self) {
        let wrong = self.store.read(|state| {
            [
                records::recompute::<Model, Programme>(state),
                records::recompute::<Model, Measure>(state),
                records::recompute::<Model, VisaRule>(state),
            ]
        });
        for wrong in wrong {
            assert!(wrong.expect("the view can be read").is_empty());
        }
    }

    async fn record(&self, measures: Vec<Measure>, request_id: &str) -> [i32; 3] {
        let request = wire::RecordMeasuresRequest {
            measures,
            request_id: request_id.into(),
        };
        let recorded = self.culture.record_measures(Request::new(request)).await;
        let recorded = recorded.expect("they are recorded").into_inner();
        [recorded.new, recorded.revised, recorded.unchanged]
    }

    async fn measures(&self, filter: wire::MeasureFilter) -> Vec<Measure> {
        let request = wire::ListMeasuresRequest {
            filter: Some(filter),
            ..wire::ListMeasuresRequest::default()
        };
        let listed = self.culture.list_measures(Request::new(request)).await;
        listed.expect("they are listed").into_inner().measures
    }

    async fn programmes(&self, filter: wire::ProgrammeFilter) -> Vec<String> {
        let request = wire::ListProgrammesRequest {
            filter: Some(filter),
            ..wire::ListProgrammesRequest::default()
        };
        let listed = self.culture.list_programmes(Request::new(request)).await;
        let listed = listed.expect("they are listed").into_inner().programmes;
        listed.into_iter().map(|programme| programme.name).collect()
    }

    async fn create(&self, id: &str, programme: Programme) -> Result<Programme, tonic::Status> {
        let request = wire::CreateProgrammeRequest {
            programme_id: id.into(),
            programme: Some(programme),
            ..wire::CreateProgrammeRequest::default()
        };
        let created = self.culture.create_programme(Request::new(request)).await;
        created.map(tonic::Response::into_inner)
    }
}

fn open(folder: &Path) -> Store<Model> {
    let config = store::Config {
        ballast_bytes: 0,
        ..store::Config::default()
    };
    Store::open(folder, &config).expect("the store opens")
}

fn date(text: &str) -> Option<CivilDate> {
    (!text.is_empty()).then(|| text.parse::<proto::CivilDate>().expect("a date").into())
}

fn source(publisher: &str) -> Source {
    Source {
        title: "A page".into(),
        publisher: publisher.into(),
        ..Source::default()
    }
}

fn programme(title: &str, start: &str, end: &str) -> Programme {
    let country = |code: &str, role: wire::ProgrammeRole| wire::ProgrammeCountry {
        country: code.into(),
        role: role.into(),
    };
    Programme {
        kind: ProgrammeKind::VocationalWorkshop.into(),
        countries: vec![
            country("CHN", wire::ProgrammeRole::From),
            country("KAZ", wire::ProgrammeRole::To),
        ],
        title: Some(LocalizedText {
            texts: [("en".to_owned(), title.to_owned())].into(),
        }),
        start_date: date(start),
        end_date: date(end),
        sources: vec![source("Kazinform")],
        ..Programme::default()
    }
}

fn students(period: &str, value: &str) -> Measure {
    Measure {
        subject: Some(Subject::Direction(wire::Direction {
            from: "KAZ".into(),
            to: "CHN".into(),
        })),
        kind: MeasureKind::Students.into(),
        unit: "persons".into(),
        period: period.into(),
        value: value.into(),
        source: Some(source("AidData")),
        ..Measure::default()
    }
}

fn rule(requirement: VisaRequirement, start: &str, end: &str) -> VisaRule {
    VisaRule {
        citizens_of: "CHN".into(),
        destination: "KAZ".into(),
        requirement: requirement.into(),
        start_date: date(start),
        end_date: date(end),
        sources: vec![source("Passport Index")],
        ..VisaRule::default()
    }
}

#[tokio::test]
async fn programmes_are_found_by_what_they_are() {
    let house = House::new();
    let oskemen = programme("Lu Ban workshop in Oskemen", "2023-12", "");
    let year = Programme {
        kind: ProgrammeKind::TourismYear.into(),
        ..programme("Year of Kazakh tourism", "2024", "2024")
    };
    let old = Programme {
        institutions: vec![wire::Institution {
            organisation: Some(proto::r#type::v1::Organisation {
                code: "HANBAN".into(),
                display_name: None,
            }),
            country: "CHN".into(),
            role: wire::InstitutionRole::Organiser.into(),
        }],
        ..programme("Confucius institute", "", "2010")
    };
    for (id, one) in [("year", year), ("oskemen", oskemen.clone()), ("old", old)] {
        house.create(id, one).await.expect("it is created");
    }
    let names =
        |ids: &[&str]| -> Vec<String> { ids.iter().map(|id| format!("programmes/{id}")).collect() };
    let all = house.programmes(wire::ProgrammeFilter::default()).await;
    assert_eq!(all, names(&["old", "oskemen", "year"]));
    let pair = wire::ProgrammeFilter {
        country: "KAZ".into(),
        partner: "CHN".into(),
        window: Some(DateWindow {
            start: date("2025"),
            end: date("2026"),
        }),
        ..wire::ProgrammeFilter::default()
    };
    assert_eq!(house.programmes(pair).await, names(&["oskemen"]));
    let by_institution = wire::ProgrammeFilter {
        institution: "hanban".into(),
        ..wire::ProgrammeFilter::default()
    };
    assert_eq!(house.programmes(by_institution).await, names(&["old"]));
    let again = house.create("oskemen-2", oskemen.clone()).await;
    let again = again.expect_err("it looks like the first");
    assert_eq!(again.code(), Code::AlreadyExists);
    assert!(again.message().contains("programmes/oskemen"));
    let astana = programme("Lu Ban workshop in Astana", "2023-12", "");
    house.create("astana", astana).await.expect("another title");
    house.check_indexes();
}

#[tokio::test]
async fn figures_are_new_revised_or_as_they_were() {
    let house = House::new();
    let figures = vec![students("2016", "13996"), students("2017", "14224")];
    let request = "6f1a1f0e-0b0a-4c35-9c0f-3f3b0a4a5d11";
    assert_eq!(house.record(figures.clone(), request).await, [2, 0, 0]);
    // The same request is done once, and the same figures make no vintage.
    assert_eq!(house.record(figures.clone(), request).await, [0, 0, 2]);
    assert_eq!(house.record(figures, "").await, [0, 0, 2]);
    let figures = vec![students("2017", "14225"), students("2018", "1")];
    assert_eq!(house.record(figures, "").await, [1, 1, 0]);

    let house = house.again().await;
    let listed = house
        .measures(wire::MeasureFilter {
            country: "KAZ".into(),
            window: Some(PeriodWindow {
                start: "2017".into(),
                end: "2018".into(),
            }),
            ..wire::MeasureFilter::default()
        })
        .await;
    let [now] = &listed[..] else {
        panic!("one figure is in the window: {listed:?}");
    };
    assert_eq!(now.value, "14225");
    assert_ne!(now.create_time, now.update_time);

    let versions = wire::ListMeasureVersionsRequest {
        name: now.name.clone(),
        ..wire::ListMeasureVersionsRequest::default()
    };
    let versions = house.culture.list_measure_versions(Request::new(versions));
    let versions = versions
        .await
        .expect("it has versions")
        .into_inner()
        .versions;
    let changed: Vec<_> = versions
        .iter()
        .map(|version| version.changed_fields.join(" "))
        .collect();
    let first = "direction kind unit period value source";
    assert_eq!(changed, ["value", first]);
    house.check_indexes();
}

#[tokio::test]
async fn a_deleted_figure_recorded_again_is_new() {
    let house = House::new();
    assert_eq!(
        house.record(vec![students("2017", "1")], "").await,
        [1, 0, 0]
    );
    let name = house.measures(wire::MeasureFilter::default()).await[0]
        .name
        .clone();
    let delete = wire::DeleteMeasureRequest {
        name: name.clone(),
        ..wire::DeleteMeasureRequest::default()
    };
    let deleted = house.culture.delete_measure(Request::new(delete)).await;
    deleted.expect("it is deleted");
    assert!(
        house
            .measures(wire::MeasureFilter::default())
            .await
            .is_empty()
    );
    assert_eq!(
        house.record(vec![students("2017", "1")], "").await,
        [1, 0, 0]
    );

    let request = wire::ListChangesRequest {
        country: "KAZ".into(),
        ..wire::ListChangesRequest::default()
    };
    let changes = house.culture.list_changes(Request::new(request)).await;
    let changes = changes.expect("they are listed").into_inner().changes;
    let kinds: Vec<ChangeKind> = changes.iter().map(wire::RecordChange::change).collect();
    let expected = [
        ChangeKind::Created,
        ChangeKind::Deleted,
        ChangeKind::Created,
    ];
    assert_eq!(kinds, expected);
    assert!(changes.iter().all(|change| change.name == name));
    house.check_indexes();
}

#[tokio::test]
async fn figures_are_told_as_series_with_growth() {
    let house = House::new();
    let by_ministry = Measure {
        source: Some(source("Ministry of Education")),
        ..students("2017", "1")
    };
    let figures = vec![
        students("2016", "100"),
        students("2017", "125"),
        by_ministry,
    ];
    house.record(figures, "").await;
    let request = wire::GetMeasureSeriesRequest {
        subject: Some(wire::get_measure_series_request::Subject::Direction(
            wire::Direction {
                from: "KAZ".into(),
                to: "CHN".into(),
            },
        )),
        window: Some(PeriodWindow {
            start: "2017".into(),
            end: String::new(),
        }),
        ..wire::GetMeasureSeriesRequest::default()
    };
    let series = house
        .culture
        .get_measure_series(Request::new(request))
        .await;
    let series = series.expect("there are figures").into_inner();
    let told: Vec<_> = series
        .lines
        .iter()
        .map(|line| (&line.publisher[..], &line.points[0].growth[..]))
        .collect();
    assert_eq!(told, [("AidData", "0.25"), ("Ministry of Education", "")]);
    assert_eq!(series.sources.len(), 2);
}

#[tokio::test]
async fn visa_rules_follow_each_other() {
    let house = House::new();
    let rules = [
        (
            "required",
            rule(VisaRequirement::VisaRequired, "", "2023-11-10"),
        ),
        ("free", rule(VisaRequirement::VisaFree, "2023-11-10", "")),
    ];
    let requests = rules.map(|(id, rule)| wire::CreateVisaRuleRequest {
        visa_rule_id: id.into(),
        visa_rule: Some(rule),
        request_id: String::new(),
    });
    let request = wire::BatchCreateVisaRulesRequest {
        requests: requests.into(),
        request_id: String::new(),
    };
    let created = house.culture.batch_create_visa_rules(Request::new(request));
    created.await.expect("they are created");

    let house = house.again().await;
    let find = async |day: &str| {
        let request = wire::FindVisaRulesRequest {
            country: "CHN".into(),
            partner: "KAZ".into(),
            day: date(day),
            ..wire::FindVisaRulesRequest::default()
        };
        let found = house.culture.find_visa_rules(Request::new(request)).await;
        let [chinese, kazakh] = &found.expect("it is asked well").into_inner().directions[..]
        else {
            panic!("two directions");
        };
        assert!(kazakh.in_force.is_empty() && kazakh.uncertain.is_empty());
        let names = chinese.in_force.iter().map(|rule| rule.name.clone());
        names.collect::<Vec<String>>()
    };
    assert_eq!(find("2023-11-09").await, ["visaRules/required"]);
    assert_eq!(find("2023-11-10").await, ["visaRules/free"]);

    let request = wire::ListVisaChangesRequest {
        country: "KAZ".into(),
        partner: "CHN".into(),
        start_day: date("2023-01-01"),
        ..wire::ListVisaChangesRequest::default()
    };
    let changes = house.culture.list_visa_changes(Request::new(request)).await;
    let directions = changes.expect("it is asked well").into_inner().directions;
    let told: Vec<_> = directions
        .iter()
        .map(|one| (&one.citizens_of[..], one.differs, one.changes.len()))
        .collect();
    assert_eq!(told, [("KAZ", false, 0), ("CHN", true, 2)]);

    let request = wire::ListVisaRulesRequest {
        country: "CHN".into(),
        window: Some(DateWindow {
            start: date("2024"),
            end: None,
        }),
        ..wire::ListVisaRulesRequest::default()
    };
    let listed = house.culture.list_visa_rules(Request::new(request)).await;
    let listed = listed.expect("they are listed").into_inner().visa_rules;
    assert_eq!(listed.len(), 1);
    house.check_indexes();
}
