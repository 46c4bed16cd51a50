//! Lists: every filter against a naive one, pages that hold together, and bounds on both.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use proto::r#type::v1::{PeriodWindow, Source};
use proto::{Classification, Code, CodePattern, Country, Month, ObservationKey, Period};
use tests::wire::{
    ExportObservationsRequest, Flow, Frequency, ListObservationsRequest, ListObservationsResponse,
    Observation, ObservationBatch, ObservationFilter,
};
use tests::{
    Client, Server, Way, both_ways, dataset, fields, header, ingest, pages_from, reason, record,
};
use tonic::Status;

both_ways!(
    each_filter_alone_lets_through_what_it_names,
    all_pages_answer_as_of_the_first_although_figures_are_revised_meanwhile,
    a_list_as_of_tomorrow_does_not_change_between_its_pages,
    a_page_size_is_bounded_and_not_negative,
    a_token_continues_its_own_list_only,
    a_list_goes_on_after_a_restart,
    a_filter_that_matches_nothing_ends_in_bounded_pages,
    a_page_of_figures_with_wordy_sources_fits_into_a_message,
    a_bad_filter_names_every_field,
);

async fn with_figures(server: &Server, table: &str) -> Client {
    let client = server.client();
    let created = client.clone().create_dataset(dataset("comtrade")).await;
    created.expect("created");
    let answer = record(&client, "comtrade", "figures", table).await;
    assert!(answer.rejections.is_empty(), "{:?}", answer.rejections);
    client
}

fn request(filter: ObservationFilter, page_size: i32) -> ListObservationsRequest {
    ListObservationsRequest {
        parent: "datasets/comtrade".into(),
        filter: Some(filter),
        page_size,
        ..ListObservationsRequest::default()
    }
}

async fn page(
    client: &Client,
    request: ListObservationsRequest,
) -> Result<ListObservationsResponse, Status> {
    Ok(client
        .clone()
        .list_observations(request)
        .await?
        .into_inner())
}

/// All pages from this one on.
async fn pages(client: &Client, request: ListObservationsRequest) -> Vec<Vec<Observation>> {
    let ask = async |page_token| {
        let request = ListObservationsRequest {
            page_token,
            ..request.clone()
        };
        let page = page(client, request).await.expect("a page");
        (page.observations, page.next_page_token)
    };
    pages_from(request.page_token.clone(), ask).await
}

async fn all(client: &Client, request: ListObservationsRequest) -> Vec<Observation> {
    pages(client, request).await.concat()
}

fn key(observation: &Observation) -> String {
    observation.name.rsplit('/').next().unwrap().to_owned()
}

fn keys(observations: &[Observation]) -> Vec<String> {
    observations.iter().map(key).collect()
}

fn value(observation: &Observation) -> &str {
    observation.value.as_ref().map_or("", |value| &value.amount)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "as the field of the message takes it"
)]
fn window(start: &str, end: &str) -> Option<PeriodWindow> {
    Some(PeriodWindow {
        start: start.into(),
        end: end.into(),
    })
}

const MIXED: &str = "CHN KAZ X H6 TOTAL 2023 1
                     CHN KAZ X H6 87 2023 2
                     CHN KAZ X H6 8703 2023 3
                     CHN KAZ X H6 870380 2023 4
                     CHN KAZ X H6 88 2023 5
                     CHN KAZ X H6 8802 2023 6
                     CHN KAZ X H5 TOTAL 2021 7
                     CHN KAZ M H6 TOTAL 2023 8
                     CHN KGZ X H6 TOTAL 2023 9
                     KAZ CHN M H6 TOTAL 2023 10
                     CHN KAZ X H6 TOTAL 2023-01 11
                     CHN KAZ X H6 TOTAL 2023-12 12
                     CHN KAZ X H6 TOTAL 2023-11..2024-01 13
                     CHN WLD X H6 TOTAL 2023 14
                     CHN CHN X H6 TOTAL 2023 15
                     CHN CT490 T S3 781 2023 16";

async fn each_filter_alone_lets_through_what_it_names(server: &mut Server) {
    let client = with_figures(server, MIXED).await;
    let any = ObservationFilter::default;
    let cases: Vec<(ObservationFilter, &[i64])> = vec![
        (
            any(),
            &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
        ),
        (
            ObservationFilter {
                reporter: "KAZ".into(),
                ..any()
            },
            &[10],
        ),
        (
            ObservationFilter {
                reporter: "UZB".into(),
                ..any()
            },
            &[],
        ),
        (
            ObservationFilter {
                partner: "WLD".into(),
                ..any()
            },
            &[14],
        ),
        (
            ObservationFilter {
                partner: "CT490".into(),
                ..any()
            },
            &[16],
        ),
        (
            ObservationFilter {
                partner: "CHN".into(),
                ..any()
            },
            &[10, 15],
        ),
        (
            ObservationFilter {
                flow: Flow::Import.into(),
                ..any()
            },
            &[8, 10],
        ),
        (
            ObservationFilter {
                flow: Flow::TotalTrade.into(),
                ..any()
            },
            &[16],
        ),
        (
            ObservationFilter {
                classification: "H5".into(),
                ..any()
            },
            &[7],
        ),
        (
            ObservationFilter {
                code: "87".into(),
                ..any()
            },
            &[2],
        ),
        (
            ObservationFilter {
                code: "8703".into(),
                ..any()
            },
            &[3],
        ),
        (
            ObservationFilter {
                code: "87*".into(),
                ..any()
            },
            &[2, 3, 4],
        ),
        (
            ObservationFilter {
                code: "8703*".into(),
                ..any()
            },
            &[3, 4],
        ),
        (
            ObservationFilter {
                code: "87038*".into(),
                ..any()
            },
            &[4],
        ),
        (
            ObservationFilter {
                code: "78*".into(),
                ..any()
            },
            &[16],
        ),
        (
            ObservationFilter {
                code: "99*".into(),
                ..any()
            },
            &[],
        ),
        (
            ObservationFilter {
                frequency: Frequency::Month.into(),
                ..any()
            },
            &[11, 12],
        ),
        (
            ObservationFilter {
                frequency: Frequency::Cumulated.into(),
                ..any()
            },
            &[13],
        ),
        (
            ObservationFilter {
                window: window("", "2023"),
                ..any()
            },
            &[7],
        ),
        (
            ObservationFilter {
                window: window("2023-12", "2024"),
                ..any()
            },
            &[12],
        ),
        (
            ObservationFilter {
                window: window("2023-11", ""),
                ..any()
            },
            &[12, 13],
        ),
    ];
    for (filter, expected) in cases {
        let found = all(&client, request(filter.clone(), 0)).await;
        let found: BTreeSet<i64> = found.iter().map(|o| value(o).parse().unwrap()).collect();
        assert_eq!(found, expected.iter().copied().collect(), "{filter:?}");
    }
}

async fn all_pages_answer_as_of_the_first_although_figures_are_revised_meanwhile(
    server: &mut Server,
) {
    let codes = |value: &str| {
        let rows = (8700..8730).map(|code| format!("CHN KAZ X H6 {code} 2023 {value}\n"));
        rows.collect::<String>()
    };
    let client = with_figures(server, &codes("1")).await;
    let mut seen = Vec::new();
    let mut asked = request(ObservationFilter::default(), 7);
    for round in 2.. {
        let answer = page(&client, asked.clone()).await.expect("a page");
        seen.extend(answer.observations);
        if answer.next_page_token.is_empty() {
            break;
        }
        asked.page_token = answer.next_page_token;
        // Figures before, on and after the next page are revised, and new ones come between.
        let more = format!(
            "{}CHN KAZ X H6 87{round}001 2023 5\nCHN KAZ X H6 87 2023 {round}",
            codes(&round.to_string())
        );
        record(&client, "comtrade", &format!("round-{round}"), &more).await;
    }
    assert_eq!(seen.len(), 30);
    assert!(
        seen.iter().all(|observation| value(observation) == "1"),
        "{seen:?}"
    );
}

async fn a_list_as_of_tomorrow_does_not_change_between_its_pages(server: &mut Server) {
    let client = with_figures(server, "CHN KAZ X H6 87 2023 1\nCHN KAZ X H6 88 2023 1").await;
    let tomorrow = proto::to_timestamp(253_402_300_799_000_000);
    let mut asked = ListObservationsRequest {
        as_of: Some(tomorrow),
        ..request(ObservationFilter::default(), 1)
    };
    let first = page(&client, asked.clone()).await.expect("a page");
    record(&client, "comtrade", "meanwhile", "CHN KAZ X H6 88 2023 2").await;
    asked.page_token = first.next_page_token;
    let second = page(&client, asked).await.expect("a page");
    assert_eq!(value(&first.observations[0]), "1");
    assert_eq!(value(&second.observations[0]), "1", "as of the first page");
}

async fn a_page_size_is_bounded_and_not_negative(server: &mut Server) {
    let rows = (0..1_100).map(|at| format!("CHN KAZ X H6 {} 2023 1\n", 870_000 + at));
    let client = with_figures(server, &rows.collect::<String>()).await;
    for (asked, given) in [
        (0, 100),
        (1, 1),
        (1_000, 1_000),
        (1_001, 1_000),
        (i32::MAX, 1_000),
    ] {
        let answer = page(&client, request(ObservationFilter::default(), asked)).await;
        let answer = answer.expect("a page");
        assert_eq!(answer.observations.len(), given, "asked for {asked}");
        assert!(!answer.next_page_token.is_empty());
    }
    for asked in [-1, i32::MIN] {
        let refused = page(&client, request(ObservationFilter::default(), asked)).await;
        let refused = refused.unwrap_err();
        assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
        assert_eq!(fields(&refused), ["page_size"]);
    }
}

async fn a_token_continues_its_own_list_only(server: &mut Server) {
    let client = with_figures(server, MIXED).await;
    client
        .clone()
        .create_dataset(dataset("customs"))
        .await
        .expect("created");
    let asked = request(ObservationFilter::default(), 3);
    let token = page(&client, asked.clone()).await.unwrap().next_page_token;
    let with = |token: &str| ListObservationsRequest {
        page_token: token.into(),
        ..asked.clone()
    };
    // The size of a page is no part of the query.
    let other_size = ListObservationsRequest {
        page_size: 5,
        ..with(&token)
    };
    assert_eq!(
        page(&client, other_size)
            .await
            .expect("a page")
            .observations
            .len(),
        5
    );
    let mut others = vec![
        ListObservationsRequest {
            parent: "datasets/customs".into(),
            ..with(&token)
        },
        ListObservationsRequest {
            as_of: Some(proto::to_timestamp(4_000_000_000_000_000)),
            ..with(&token)
        },
        with("garbage"),
        with("\u{202e}"),
        with(&token[1..]),
        with(&format!("{token}A")),
        with(&"A".repeat(100_000)),
    ];
    let filters = [
        ObservationFilter {
            reporter: "CHN".into(),
            ..ObservationFilter::default()
        },
        ObservationFilter {
            window: window("2000", ""),
            ..ObservationFilter::default()
        },
    ];
    others.extend(filters.map(|filter| ListObservationsRequest {
        filter: Some(filter),
        ..with(&token)
    }));
    for other in others {
        let refused = page(&client, other.clone())
            .await
            .expect_err("another list");
        assert_eq!(
            reason(&refused),
            "InvalidArgument INVALID_PAGE_TOKEN",
            "{other:?}"
        );
        assert_eq!(fields(&refused), ["page_token"]);
    }
    // A token that was forged with the right checksum leads nowhere either.
    let digest = {
        let query = ListObservationsRequest {
            page_size: 0,
            ..asked.clone()
        };
        proto::query_digest(&[&prost::Message::encode_to_vec(&query)])
    };
    let foreign = [&[0_u8; 12][..], &[0x20], &[0xff; 18]].concat();
    for cursor in [vec![], vec![0; 11], vec![0; 12], foreign, vec![0xff; 600]] {
        let forged = with(&proto::PageToken::encode(digest, &cursor));
        let refused = page(&client, forged).await.expect_err("forged");
        assert_eq!(reason(&refused), "InvalidArgument INVALID_PAGE_TOKEN");
    }
}

async fn a_list_goes_on_after_a_restart(server: &mut Server) {
    let client = with_figures(server, MIXED).await;
    let mut asked = request(ObservationFilter::default(), 5);
    let whole = keys(&all(&client, asked.clone()).await);
    let first = page(&client, asked.clone()).await.unwrap();
    server.restart_without_view().await;
    let client = server.client();
    asked.page_token = first.next_page_token;
    let rest = all(&client, asked).await;
    assert_eq!(keys(&[first.observations, rest].concat()), whole);
}

async fn a_filter_that_matches_nothing_ends_in_bounded_pages(server: &mut Server) {
    // More blocks than a page may look at: every partner in every flow.
    let flows = [
        "M", "X", "RM", "RX", "DX", "FM", "MIP", "MOP", "XIP", "XOP", "T",
    ];
    let partners: Vec<String> = Country::all().map(|country| country.to_string()).collect();
    let pairs = partners
        .iter()
        .take(250)
        .flat_map(|partner| flows.map(|flow| (partner, flow)));
    let rows = pairs.map(|(partner, flow)| format!("CHN {partner} {flow} H6 TOTAL 2023 1\n"));
    let table: String = rows.collect();
    let client = with_figures(server, &table).await;
    let blocks = 250 * flows.len();
    let nothing = [
        ObservationFilter {
            classification: "H0".into(),
            ..ObservationFilter::default()
        },
        ObservationFilter {
            code: "87*".into(),
            ..ObservationFilter::default()
        },
        ObservationFilter {
            window: window("1990", "1991"),
            ..ObservationFilter::default()
        },
        ObservationFilter {
            frequency: Frequency::Month.into(),
            ..ObservationFilter::default()
        },
    ];
    for filter in nothing {
        let pages = pages(&client, request(filter.clone(), 1_000)).await;
        assert!(pages.iter().all(Vec::is_empty), "{filter:?}");
        assert!(
            pages.len() > 1,
            "one page looks at 2,000 blocks at most: {filter:?}"
        );
        assert!(pages.len() <= blocks.div_ceil(1_000), "{filter:?}");
    }
    // A filter that names where its figures are finds them at once.
    let last = partners[249].clone();
    let narrow = ObservationFilter {
        partner: last,
        flow: Flow::TotalTrade.into(),
        ..ObservationFilter::default()
    };
    let found = pages(&client, request(narrow, 10)).await;
    assert_eq!((found.len(), found[0].len()), (1, 1));
    assert_eq!(
        all(&client, request(ObservationFilter::default(), 1_000))
            .await
            .len(),
        blocks
    );
}

async fn a_page_of_figures_with_wordy_sources_fits_into_a_message(server: &mut Server) {
    let client = with_figures(server, "CHN KAZ X H6 TOTAL 2023 1").await;
    // As long as a source may be, in three bytes a character: 1,000 figures make more than 4 MiB, which
    // is what a client takes by default.
    let source = Source {
        title: "\u{8d38}".repeat(500),
        publisher: "\u{6613}".repeat(200),
        note: "\u{6ce8}".repeat(1_000),
        ..Source::default()
    };
    let rows = (0..1_000).map(|at| format!("CHN KAZ X H6 {} 2023 1 source=1\n", 870_000 + at));
    let wordy = ObservationBatch {
        sources: vec![source],
        ..tests::batch(1, &rows.collect::<String>())
    };
    ingest(&client, header("comtrade", "wordy"), vec![wordy])
        .await
        .expect("taken");
    let listed = all(&client, request(ObservationFilter::default(), 1_000)).await;
    assert_eq!(listed.len(), 1_001);
}

async fn a_bad_filter_names_every_field(server: &mut Server) {
    let client = with_figures(server, MIXED).await;
    let filter = ObservationFilter {
        reporter: "\u{421}HN".into(),
        partner: "CT156".into(),
        flow: -1,
        classification: "HS".into(),
        code: "8*".into(),
        frequency: 4,
        window: window("2023", "2023"),
    };
    let wrong = ListObservationsRequest {
        parent: "datasets/".into(),
        page_size: -1,
        ..request(filter, 0)
    };
    let refused = page(&client, wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    let mut named = fields(&refused);
    named.sort();
    let expected = [
        "filter.classification",
        "filter.code",
        "filter.flow",
        "filter.frequency",
        "filter.partner",
        "filter.reporter",
        "filter.window.end",
        "page_size",
        "parent",
    ];
    assert_eq!(named, expected);
    for code in ["*", "8*", "870380*", "TOTAL*", "87**", "8 7"] {
        let filter = ObservationFilter {
            code: code.into(),
            ..ObservationFilter::default()
        };
        let refused = page(&client, request(filter, 0)).await.unwrap_err();
        assert_eq!(fields(&refused), ["filter.code"], "{code}");
    }
    let unknown = ListObservationsRequest {
        parent: "datasets/customs".into(),
        ..request(ObservationFilter::default(), 0)
    };
    let missing = page(&client, unknown).await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
}

const COUNTRIES: [&str; 4] = ["CHN", "KAZ", "WLD", "CT490"];
const FLOWS: [proto::Flow; 3] = [
    proto::Flow::Import,
    proto::Flow::Export,
    proto::Flow::TotalTrade,
];
const REVISIONS: [&str; 3] = ["H5", "H6", "S3"];
const CODES: [&str; 8] = ["TOTAL", "87", "88", "8703", "87038", "870380", "8802", "78"];
const PERIODS: [&str; 7] = [
    "2022",
    "2023",
    "2022-12",
    "2023-01",
    "2023-02",
    "2022-11..2023-01",
    "2023-01..2023-02",
];
const BOUNDS: [&str; 5] = ["", "2022", "2022-12", "2023", "2023-02"];
const PATTERNS: [&str; 9] = [
    "", "TOTAL", "87", "8703", "87*", "8703*", "87038*", "78*", "99",
];

fn figures() -> impl Strategy<Value = BTreeSet<ObservationKey>> {
    let key = (
        prop::sample::select(&COUNTRIES[..]),
        prop::sample::select(&COUNTRIES[..]),
        prop::sample::select(&FLOWS[..]),
        prop::sample::select(&REVISIONS[..]),
        prop::sample::select(&CODES[..]),
        prop::sample::select(&PERIODS[..]),
    );
    let key = key.prop_map(|(reporter, partner, flow, revision, code, period)| {
        let key = format!("{reporter}.{partner}.{flow}.{revision}.{code}.{period}");
        key.parse::<ObservationKey>().unwrap()
    });
    prop::collection::btree_set(key, 0..120)
}

fn filters() -> impl Strategy<Value = ObservationFilter> {
    let country = || prop_oneof![Just(""), prop::sample::select(&COUNTRIES[..])];
    let flow = prop::option::of(prop::sample::select(&FLOWS[..]));
    let revision = prop_oneof![Just(""), prop::sample::select(&REVISIONS[..])];
    let bounds = (0..BOUNDS.len(), 0..BOUNDS.len());
    let window = bounds.prop_map(|(start, end)| {
        // A window ends after its start; 0 is an open end.
        let ordered = start == 0 || end == 0 || start < end;
        ordered
            .then(|| window(BOUNDS[start], BOUNDS[end]))
            .flatten()
    });
    let rest = (prop::sample::select(&PATTERNS[..]), 0..4_i32, window);
    let parts = (country(), country(), flow, revision, rest);
    parts.prop_map(
        |(reporter, partner, flow, revision, (code, frequency, window))| ObservationFilter {
            reporter: reporter.into(),
            partner: partner.into(),
            flow: flow.map_or(0, |flow| flow.to_wire().into()),
            classification: revision.into(),
            code: code.into(),
            frequency,
            window,
        },
    )
}

/// The plainest of all filters.
fn passes(filter: &ObservationFilter, key: &ObservationKey) -> bool {
    let named = |asked: &str, given: &dyn ToString| asked.is_empty() || asked == given.to_string();
    let bound = |text: &str| {
        let period: Option<Period> = text.parse().ok();
        period.map(Period::start)
    };
    let pattern: CodePattern = filter.code.parse().unwrap();
    let window = filter.window.clone().unwrap_or_default();
    let frequency: i32 = key.period.frequency().to_wire().into();
    named(&filter.reporter, &key.reporter)
        && named(&filter.partner, &key.partner)
        && (filter.flow == 0 || filter.flow == i32::from(key.flow.to_wire()))
        && named(&filter.classification, &key.commodity.classification)
        && pattern.matches(key.commodity.code)
        && (filter.frequency == 0 || filter.frequency == frequency)
        && bound(&window.start).is_none_or(|start| start <= key.period.start())
        && bound(&window.end).is_none_or(|end| key.period.end() <= end)
}

/// Reporter, partner, flow, chapter (totals, then 2-digit codes, then what is within each chapter),
/// period (years, months, cumulated months), classification, code.
type Order = (
    u16,
    u16,
    u8,
    [u8; 2],
    (u8, Month, u32),
    Classification,
    Code,
);

fn order(key: &ObservationKey) -> Order {
    let code = key.commodity.code;
    let chapter = match (code.chapter(), code.level()) {
        (None, _) => [0, 0],
        (Some(_), 2) => [0, 1],
        (Some(chapter), _) => chapter,
    };
    let period = key.period;
    (
        key.reporter.id(),
        key.partner.id(),
        key.flow.id(),
        chapter,
        (period.frequency().id(), period.start(), period.months()),
        key.commodity.classification,
        code,
    )
}

/// The same as an export sends it.
async fn exported(client: &Client, filter: &ObservationFilter) -> Vec<String> {
    let request = ExportObservationsRequest {
        parent: "datasets/comtrade".into(),
        filter: Some(filter.clone()),
        as_of: None,
    };
    let export = client.clone().export_observations(request).await;
    let mut export = export.expect("an export").into_inner();
    let mut keys = Vec::new();
    while let Some(message) = export.message().await.expect("no error") {
        for group in message.groups {
            let flow = proto::Flow::from_wire(group.flow).unwrap();
            let (reporter, partner) = (group.reporter, group.partner);
            let (revision, period) = (group.classification, group.period);
            let key = |code| format!("{reporter}.{partner}.{flow}.{revision}.{code}.{period}");
            keys.extend(group.rows.into_iter().map(|row| key(row.code)));
        }
    }
    keys
}

#[test]
fn every_filter_finds_in_every_page_size_what_a_naive_one_finds() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    });
    let cases = (figures(), prop::collection::vec(filters(), 1..12));
    let outcome = runner.run(&cases, |(figures, filters)| {
        runtime.block_on(async {
            let mut server = Server::start(Way::InProcess).await;
            let lines = figures.iter().map(|key| {
                let ObservationKey {
                    reporter,
                    partner,
                    flow,
                    commodity,
                    period,
                } = key;
                let (revision, code) = (commodity.classification, commodity.code);
                format!("{reporter} {partner} {flow} {revision} {code} {period} 1\n")
            });
            let client = with_figures(&server, &lines.collect::<String>()).await;
            let all_of_them = ObservationFilter::default();
            for filter in filters.iter().chain([&all_of_them]) {
                let mut naive: Vec<_> = figures.iter().filter(|key| passes(filter, key)).collect();
                naive.sort_by_key(|key| order(key));
                let naive: Vec<String> = naive.iter().map(ToString::to_string).collect();
                assert_eq!(
                    exported(&client, filter).await,
                    naive,
                    "{filter:?} exported"
                );
                for size in [1, 7, 1_000] {
                    let found = pages(&client, request(filter.clone(), size)).await;
                    assert!(
                        found
                            .iter()
                            .all(|page| page.len() <= size.unsigned_abs() as usize)
                    );
                    assert_eq!(
                        keys(&found.concat()),
                        naive,
                        "{filter:?} in pages of {size}"
                    );
                }
            }
            server.stop().await;
        });
        Ok(())
    });
    outcome.unwrap();
}
