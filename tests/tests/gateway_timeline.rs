//! What happened between two countries, over all services in one order.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use proto::events::v1::{Link, LinkKind, OfficeLevel, StepKind};
use proto::gateway::v1 as wire;
use proto::{culture, events, trade};
use tests::{GatewayClient, House, Role, Way, agreement, dataset, date, event, fields, programme};
use tests::{reason, record, source, statement, within_limit};
use wire::timeline_entry::Entry;
use wire::{Audience, ListTimelineRequest, ListTimelineResponse, TimelineEntry, TimelineKind};

fn name(entry: &TimelineEntry) -> String {
    let name = match entry.entry.as_ref().unwrap() {
        Entry::Events(told) => match told.entry.as_ref().unwrap() {
            events::v1::timeline_entry::Entry::Event(event) => event.name.clone(),
            events::v1::timeline_entry::Entry::Step(step) => step.agreement.clone(),
        },
        Entry::Culture(told) => match told.entry.as_ref().unwrap() {
            culture::v1::timeline_entry::Entry::Milestone(told) => told.programme.clone(),
            culture::v1::timeline_entry::Entry::VisaChange(told) => {
                told.visa_rule.as_ref().unwrap().name.clone()
            }
        },
        Entry::Trade(told) => match told.entry.as_ref().unwrap() {
            trade::v1::timeline_entry::Entry::Statement(told) => {
                told.statement.as_ref().unwrap().name.clone()
            }
            trade::v1::timeline_entry::Entry::Figures(told) => told.dataset.clone(),
        },
    };
    name.split_once('/').unwrap().1.to_owned()
}

fn told(entry: &TimelineEntry) -> String {
    format!(
        "{} {}",
        proto::stored_date(entry.date).unwrap(),
        name(entry)
    )
}

fn pair() -> ListTimelineRequest {
    ListTimelineRequest {
        country: "KAZ".into(),
        partner: "CHN".into(),
        ..ListTimelineRequest::default()
    }
}

async fn page(client: &GatewayClient, asked: ListTimelineRequest) -> ListTimelineResponse {
    let answer = client.clone().list_timeline(asked).await;
    answer.unwrap().into_inner()
}

/// All pages of a size.
async fn all(
    client: &GatewayClient,
    asked: ListTimelineRequest,
    page_size: i32,
) -> Vec<TimelineEntry> {
    let (mut entries, mut page_token) = (Vec::new(), String::new());
    loop {
        let asked = ListTimelineRequest {
            page_size,
            page_token,
            ..asked.clone()
        };
        let page = page(client, asked).await;
        assert!(page.unreachable.is_empty(), "{:?}", page.unreachable);
        assert!(page.entries.len() <= usize::try_from(page_size).unwrap());
        entries.extend(page.entries);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return entries;
        }
    }
}

fn lines(entries: &[TimelineEntry]) -> Vec<String> {
    entries.iter().map(told).collect()
}

/// A visit, the steps of an agreement, a year of tourism, a statement: each on its dates.
async fn relationship(house: &House) {
    for (id, start) in [
        ("visit", "2024-07-02"),
        ("summit", "2024"),
        ("call", "2023-05-17"),
    ] {
        let mut request = event(id, &["CHN", "KAZ"], OfficeLevel::HeadOfState, start, "");
        request.allow_duplicate = true;
        house.events.events().create_event(request).await.unwrap();
    }
    let steps = [
        (StepKind::Signed, "2024-07-02"),
        (StepKind::EnteredIntoForce, "2023-11-10"),
    ];
    let treaty = agreement("treaty", &["CHN", "KAZ"], &steps);
    house
        .events
        .events()
        .create_agreement(treaty)
        .await
        .unwrap();
    for (id, start) in [("year", "2024"), ("workshop", "2024-07-02")] {
        let request = programme(id, &["CHN", "KAZ"], start);
        house
            .culture
            .culture()
            .create_programme(request)
            .await
            .unwrap();
    }
    for (id, published) in [("said", "2024-07-02"), ("vague", "2024-07")] {
        let mut request = statement(id, "KAZ", &["CHN"], "2023", "1");
        let source = request.statement.as_mut().unwrap().source.as_mut().unwrap();
        source.published_on = Some(date(published));
        house
            .trade
            .client()
            .create_statement(request)
            .await
            .unwrap();
    }
    let client = house.trade.client();
    client
        .clone()
        .create_dataset(dataset("comtrade"))
        .await
        .unwrap();
    record(&client, "comtrade", "a", "CHN KAZ X H6 TOTAL 2022 10").await;
}

/// All but the figures, which stand on the day of the test.
const ALL: [&str; 9] = [
    "2023-05-17 call",
    "2023-11-10 treaty",
    "2024 summit",
    "2024 year",
    "2024-07 vague",
    "2024-07-02 visit",
    "2024-07-02 treaty",
    "2024-07-02 workshop",
    "2024-07-02 said",
];

/// A house with a relationship in it, and what is told of it.
async fn with_relationship(story: impl AsyncFnOnce(&mut House)) {
    let told = async {
        let mut house = House::start(Way::InProcess).await;
        relationship(&house).await;
        story(&mut house).await;
        house.stop().await;
    };
    within_limit(told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_services_are_told_in_one_order() {
    with_relationship(async |house| {
        let entries = all(&house.client(), pair(), 100).await;
        let told = lines(&entries);
        assert_eq!(told[..9], ALL);
        assert_eq!(told.len(), 10);
        assert_eq!(entries[9].kind(), TimelineKind::Figures);
        assert_eq!(entries[8].kind(), TimelineKind::Statement);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_any_size_are_the_whole_both_ways() {
    with_relationship(async |house| {
        let client = house.client();
        let whole = all(&client, pair(), 100).await;
        for page_size in 1..=11 {
            assert_eq!(all(&client, pair(), page_size).await, whole);
            let descending = ListTimelineRequest {
                descending: true,
                ..pair()
            };
            let mut back = all(&client, descending, page_size).await;
            back.reverse();
            assert_eq!(back, whole);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kinds_that_are_not_asked_for_need_no_service() {
    with_relationship(async |house| {
        house.cut(Role::Culture);
        house.cut(Role::Trade);
        let steps = ListTimelineRequest {
            kinds: vec![TimelineKind::AgreementStep.into()],
            ..pair()
        };
        assert_eq!(
            lines(&all(&house.client(), steps, 1).await),
            [ALL[1], ALL[6]]
        );
        house.mend(Role::Trade).await;
        let some = ListTimelineRequest {
            kinds: vec![TimelineKind::Statement.into(), TimelineKind::Event.into()],
            ..pair()
        };
        let told = lines(&all(&house.client(), some, 2).await);
        assert_eq!(told, [ALL[0], ALL[2], ALL[4], ALL[5], ALL[8]]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_pages_answer_as_of_the_first() {
    with_relationship(async |house| {
        let client = house.client();
        let first = page(
            &client,
            ListTimelineRequest {
                page_size: 2,
                ..pair()
            },
        )
        .await;
        assert_eq!(lines(&first.entries), ALL[..2]);
        let mut later = event(
            "later",
            &["CHN", "KAZ"],
            OfficeLevel::HeadOfState,
            "2024-07-01",
            "",
        );
        later.allow_duplicate = true;
        house.events.events().create_event(later).await.unwrap();
        let later = programme("later-year", &["CHN", "KAZ"], "2024");
        house
            .culture
            .culture()
            .create_programme(later)
            .await
            .unwrap();
        let rest = ListTimelineRequest {
            page_size: 7,
            page_token: first.next_page_token,
            ..pair()
        };
        assert_eq!(lines(&page(&client, rest).await.entries), ALL[2..]);
        assert_eq!(all(&client, pair(), 3).await.len(), 12);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_lost_keeps_its_place_in_the_list() {
    with_relationship(async |house| {
        let client = house.client();
        let asked = |page_size, token: &ListTimelineResponse| ListTimelineRequest {
            page_size,
            page_token: token.next_page_token.clone(),
            ..pair()
        };
        let first = page(&client, asked(2, &ListTimelineResponse::default())).await;
        house.cut(Role::Events);
        let second = page(&client, asked(3, &first)).await;
        assert_eq!(lines(&second.entries), [ALL[3], ALL[4], ALL[7]]);
        let lost = &second.unreachable[..];
        assert_eq!(
            (lost.len(), &lost[0].service[..], &lost[0].code[..]),
            (1, "events", "UNAVAILABLE")
        );
        let third = page(&client, asked(20, &second)).await;
        assert_eq!(lines(&third.entries[..1]), [ALL[8]]);
        assert_eq!(third.entries.len(), 2);
        assert!(!third.next_page_token.is_empty());
        house.mend(Role::Events).await;
        let fourth = page(&client, asked(20, &third)).await;
        assert_eq!(lines(&fourth.entries), [ALL[2], ALL[5], ALL[6]]);
        assert!(fourth.next_page_token.is_empty() && fourth.unreachable.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_was_never_there_is_told_once_it_is() {
    with_relationship(async |house| {
        let client = house.client();
        house.cut(Role::Culture);
        let first = page(
            &client,
            ListTimelineRequest {
                page_size: 100,
                ..pair()
            },
        )
        .await;
        assert_eq!((first.entries.len(), first.unreachable.len()), (8, 1));
        house.mend(Role::Culture).await;
        let rest = ListTimelineRequest {
            page_size: 100,
            page_token: first.next_page_token,
            ..pair()
        };
        let rest = page(&client, rest).await;
        assert_eq!(lines(&rest.entries), [ALL[3], ALL[7]]);
        assert!(rest.next_page_token.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_sees_what_its_sources_let_out() {
    with_relationship(async |house| {
        let mut open = event(
            "open",
            &["CHN", "KAZ"],
            OfficeLevel::HeadOfState,
            "2024-08",
            "",
        );
        let told = open.event.as_mut().unwrap();
        told.sources[0].may_be_shown_outside = true;
        told.links = vec![Link {
            kind: LinkKind::FollowsUp.into(),
            name: "events/visit".into(),
        }];
        open.allow_duplicate = true;
        house.events.events().create_event(open).await.unwrap();
        // Its step is known from an open source, and the record from another as well.
        let signed = [(StepKind::Signed, "2024-08-01")];
        let mut half = agreement("half", &["CHN", "KAZ"], &signed);
        let sources = &mut half.agreement.as_mut().unwrap().sources;
        sources[0].may_be_shown_outside = true;
        sources.push(source("A cable"));
        house.events.events().create_agreement(half).await.unwrap();
        let public = ListTimelineRequest {
            audience: Audience::Public.into(),
            page_size: 100,
            ..pair()
        };
        let told = page(&house.client(), public).await;
        assert_eq!(lines(&told.entries), ["2024-08 open"]);
        assert_eq!(told.withheld, 11);
        let Some(Entry::Events(told)) = &told.entries[0].entry else {
            panic!("{:?}", told.entries);
        };
        let Some(events::v1::timeline_entry::Entry::Event(event)) = &told.entry else {
            panic!("{told:?}");
        };
        assert!(
            event.links.is_empty(),
            "not even the name of what is withheld"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_continues_its_own_list_only() {
    with_relationship(async |house| {
        let client = house.client();
        let first = page(
            &client,
            ListTimelineRequest {
                page_size: 2,
                ..pair()
            },
        )
        .await;
        let other = ListTimelineRequest {
            descending: true,
            page_token: first.next_page_token,
            ..pair()
        };
        let refused = client.clone().list_timeline(other).await.unwrap_err();
        assert_eq!(reason(&refused), "InvalidArgument INVALID_PAGE_TOKEN");
        let wrong = ListTimelineRequest {
            country: "KAZ".into(),
            partner: "KAZ".into(),
            kinds: vec![9],
            audience: 7,
            page_size: -1,
            ..ListTimelineRequest::default()
        };
        let refused = client.clone().list_timeline(wrong).await.unwrap_err();
        let named = fields(&refused);
        assert_eq!(named, ["partner", "kinds[0]", "audience", "page_size"]);
    })
    .await;
}

/// Dates of a few years, some known by the month or the year only, so that many fall together.
fn any_date() -> impl Strategy<Value = String> {
    (2020..2023, 0..3, 0..3).prop_map(|(year, month, day)| match (month, day) {
        (0, _) => format!("{year}"),
        (month, 0) => format!("{year}-{month:02}"),
        (month, day) => format!("{year}-{month:02}-{day:02}"),
    })
}

#[test]
fn pages_of_any_relationship_are_the_whole() {
    let config = Config {
        cases: 8,
        failure_persistence: None,
        ..Config::default()
    };
    let dates = || prop::collection::vec(any_date(), 0..12);
    let any = (dates(), dates(), dates(), 1..9_i32, any::<bool>());
    let outcome = TestRunner::new(config).run(&any, |(visits, years, words, size, descending)| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(within_limit(async {
            let mut house = House::start(Way::InProcess).await;
            for (number, date) in visits.iter().enumerate() {
                let id = format!("e-{number}");
                let mut request = event(&id, &["CHN", "KAZ"], OfficeLevel::HeadOfState, date, "");
                request.allow_duplicate = true;
                house.events.events().create_event(request).await.unwrap();
            }
            for (number, date) in years.iter().enumerate() {
                let request = programme(&format!("c-{number}"), &["CHN", "KAZ"], date);
                house
                    .culture
                    .culture()
                    .create_programme(request)
                    .await
                    .unwrap();
            }
            for (number, published) in words.iter().enumerate() {
                let id = format!("t-{number}");
                let mut request = statement(&id, "KAZ", &["CHN"], "2023", "1");
                let source = request.statement.as_mut().unwrap().source.as_mut().unwrap();
                source.published_on = Some(date(published));
                house
                    .trade
                    .client()
                    .create_statement(request)
                    .await
                    .unwrap();
            }
            let asked = ListTimelineRequest {
                descending,
                ..pair()
            };
            let paged = all(&house.client(), asked, size).await;
            let of = |prefix: &str, dates: &[String]| -> Vec<(proto::CivilDate, String)> {
                let ids = dates.iter().enumerate();
                ids.map(|(number, date)| (date.parse().unwrap(), format!("{prefix}-{number}")))
                    .collect()
            };
            let rank = |name: &str| "ect".find(&name[..1]).unwrap();
            let mut expected = [of("e", &visits), of("c", &years), of("t", &words)].concat();
            expected.sort_by_key(|(date, name)| (date.ordinal(), rank(name), name.clone()));
            if descending {
                expected.reverse();
            }
            let expected: Vec<String> = expected
                .iter()
                .map(|(d, name)| format!("{d} {name}"))
                .collect();
            assert_eq!(lines(&paged), expected);
            house.stop().await;
        }));
        Ok(())
    });
    outcome.unwrap();
}
