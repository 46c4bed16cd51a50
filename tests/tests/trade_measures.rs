//! Measures: the balance and the turnover that follow from two flows, and months added up.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use proto::r#type::v1::PeriodWindow;
use tests::wire::{
    EmptyReason, Flow, Frequency, GetSeriesRequest, Measure, MonthSpan, ObservationFlag, Series,
    SeriesPoint, Valuation,
};
use tests::{Client, Server, both_ways, fields, growth, missing, reason, record, with_figures};
use tonic::Status;

both_ways!(
    centuries_with_a_month_a_year_are_answered_or_refused_at_once,
    a_balance_is_exports_less_imports,
    a_balance_with_one_flow_has_no_value_and_says_which_is_missing,
    a_balance_is_one_series_over_a_revision_of_the_classification,
    a_balance_of_a_code_takes_the_revision_that_both_flows_have,
    a_balance_over_two_revisions_of_a_code_has_no_value_and_says_so,
    growth_over_a_negative_balance_says_nothing,
    a_stated_turnover_is_never_computed_nor_a_computed_one_stated,
    flags_and_sources_of_both_flows_are_carried,
    january_to_may_is_added_up_from_months,
    a_month_that_is_missing_now_or_then_is_named,
    a_sum_of_months_is_not_the_figure_published_for_them,
    a_whole_year_of_months_is_named_as_the_year,
    months_of_two_revisions_of_a_code_are_not_added_up,
    a_balance_of_months_names_the_months_of_a_flow_that_has_none,
    no_answer_names_more_than_24_missing_figures,
    a_measure_answers_as_of_its_day_and_after_a_replay,
    an_empty_measure_says_why,
    an_empty_series_knows_the_calendar_of_its_reporter,
    all_that_is_wrong_is_named_at_once,
);

/// Years of China's balance with Kazakhstan.
fn balance() -> GetSeriesRequest {
    GetSeriesRequest {
        parent: "datasets/comtrade".into(),
        reporter: "CHN".into(),
        partner: "KAZ".into(),
        code: "TOTAL".into(),
        frequency: Frequency::Year.into(),
        measure: Measure::Balance.into(),
        ..GetSeriesRequest::default()
    }
}

fn turnover() -> GetSeriesRequest {
    GetSeriesRequest {
        measure: Measure::Turnover.into(),
        ..balance()
    }
}

/// China's exports to Kazakhstan in the same months of every year.
fn months(first: i32, last: i32) -> GetSeriesRequest {
    GetSeriesRequest {
        measure: Measure::Unspecified.into(),
        flow: Flow::Export.into(),
        frequency: Frequency::Cumulated.into(),
        months: Some(MonthSpan { first, last }),
        ..balance()
    }
}

async fn ask(client: &Client, asked: GetSeriesRequest) -> Result<Series, Status> {
    Ok(client.clone().get_series(asked).await?.into_inner())
}

async fn series(client: &Client, asked: GetSeriesRequest) -> Series {
    ask(client, asked).await.expect("a series")
}

/// `period value growth` of each point.
fn points(series: &Series) -> Vec<String> {
    let told = |point: &SeriesPoint| {
        let growth = growth(point.growth.as_ref());
        format!("{} {} {growth}", point.period, point.value)
    };
    series.points.iter().map(told).collect()
}

fn lacking(series: &Series, at: usize) -> Vec<String> {
    missing(&series.points[at].missing)
}

fn lacking_for_growth(series: &Series, at: usize) -> Vec<String> {
    missing(&series.points[at].growth.as_ref().unwrap().missing)
}

/// By hand: 14.5 − 10.2 = 4.3 and 16 − 6 = 10, which is 10 / 4.3 − 1 = 1.325581; 24.7 and 22,
/// 22 / 24.7 − 1 = −0.109312.
async fn a_balance_is_exports_less_imports(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2022 14.5
                 CHN KAZ M H6 TOTAL 2022 10.2
                 CHN KAZ X H6 TOTAL 2023 16
                 CHN KAZ M H6 TOTAL 2023 6
                 CHN KAZ RX H6 TOTAL 2023 3
                 KAZ CHN M H6 TOTAL 2023 99";
    let client = with_figures(server, table).await;
    let found = series(&client, balance()).await;
    assert_eq!(
        points(&found),
        ["2022 4.3 BASE_NOT_PUBLISHED", "2023 10 1.325581"]
    );
    let point = &found.points[1];
    assert_eq!(
        (&*point.exports, &*point.imports, point.figures),
        ("16", "6", 2)
    );
    assert_eq!(
        (found.flow(), found.measure()),
        (Flow::Unspecified, Measure::Balance)
    );
    assert_eq!(found.valuation(), Valuation::Unspecified);
    let valued = (found.export_valuation(), found.import_valuation());
    assert_eq!(valued, (Valuation::Fob, Valuation::Cif));
    let found = series(&client, turnover()).await;
    assert_eq!(
        points(&found),
        ["2022 24.7 BASE_NOT_PUBLISHED", "2023 22 -0.109312"]
    );
}

async fn a_balance_with_one_flow_has_no_value_and_says_which_is_missing(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2021 3
                 CHN KAZ M H6 TOTAL 2021 1
                 CHN KAZ X H6 TOTAL 2022 5
                 CHN RUS M H6 TOTAL 2022 5
                 CHN KAZ M H6 TOTAL 2023 2
                 CHN KAZ X H6 TOTAL 2024 9
                 CHN KAZ M H6 TOTAL 2024 4";
    let client = with_figures(server, table).await;
    let found = series(&client, balance()).await;
    let expected = [
        "2021 2 BASE_NOT_PUBLISHED",
        "2022  PART_MISSING",
        "2023  PART_MISSING",
        "2024 5 PART_MISSING",
    ];
    assert_eq!(points(&found), expected);
    // China published imports of 2022, none from Kazakhstan; and no exports of 2023 at all.
    assert_eq!(lacking(&found, 1), ["CHN KAZ M TOTAL 2022 NOT_REPORTED"]);
    assert_eq!(
        lacking(&found, 2),
        ["CHN KAZ X TOTAL 2023 PERIOD_NOT_COVERED"]
    );
    let point = &found.points[1];
    assert_eq!(
        (&*point.exports, &*point.imports, point.figures),
        ("5", "", 1)
    );
    assert_eq!(
        lacking_for_growth(&found, 1),
        ["CHN KAZ M TOTAL 2022 NOT_REPORTED"]
    );
    let both = [
        "CHN KAZ X TOTAL 2023 PERIOD_NOT_COVERED",
        "CHN KAZ M TOTAL 2022 NOT_REPORTED",
    ];
    assert_eq!(lacking_for_growth(&found, 2), both);
    assert_eq!(lacking_for_growth(&found, 3), both[..1]);
    assert!(found.points[3].missing.is_empty());
}

/// By hand: 4 − 1 = 3 and 9 − 3 = 6, a growth of 1.
async fn a_balance_is_one_series_over_a_revision_of_the_classification(server: &mut Server) {
    let table = "CHN KAZ X H5 TOTAL 2021 4
                 CHN KAZ M H5 TOTAL 2021 1
                 CHN KAZ X H6 TOTAL 2022 9
                 CHN KAZ M H5 TOTAL 2022 3";
    let client = with_figures(server, table).await;
    let found = series(&client, balance()).await;
    assert_eq!(points(&found), ["2021 3 BASE_NOT_PUBLISHED", "2022 6 1"]);
    assert_eq!(found.breaks.len(), 1);
    let change = &found.breaks[0];
    assert_eq!(
        [&change.period, &change.before, &change.after],
        ["2022", "H5", "H6"]
    );
}

async fn a_balance_of_a_code_takes_the_revision_that_both_flows_have(server: &mut Server) {
    let table = "CHN KAZ X H5 8703 2022 5
                 CHN KAZ X H6 8703 2022 9
                 CHN KAZ M H5 8703 2022 3";
    let client = with_figures(server, table).await;
    let asked = GetSeriesRequest {
        code: "8703".into(),
        ..balance()
    };
    let found = series(&client, asked).await;
    let point = &found.points[0];
    assert_eq!((&*point.value, &*point.classification), ("2", "H5"));
}

async fn a_balance_over_two_revisions_of_a_code_has_no_value_and_says_so(server: &mut Server) {
    let table = "CHN KAZ X H6 8703 2022 9
                 CHN KAZ M H5 8703 2022 3
                 CHN RUS M H6 8703 2022 3";
    let client = with_figures(server, table).await;
    let asked = GetSeriesRequest {
        code: "8703".into(),
        ..balance()
    };
    let found = series(&client, asked).await;
    let point = &found.points[0];
    assert_eq!(
        (&*point.value, &*point.exports, &*point.imports),
        ("", "9", "3")
    );
    // Of the sixth revision, China published imports in 2022, and none of cars from Kazakhstan.
    assert_eq!(lacking(&found, 0), ["CHN KAZ M 8703 2022 NOT_REPORTED"]);
}

/// By hand: 1 − 4 = −3, 5 − 1 = 4, 2 − 4 = −2: −2 / 4 − 1 = −1.5; 3 − 3 = 0 and then 1.
async fn growth_over_a_negative_balance_says_nothing(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2019 1
                 CHN KAZ M H6 TOTAL 2019 4
                 CHN KAZ X H6 TOTAL 2020 5
                 CHN KAZ M H6 TOTAL 2020 1
                 CHN KAZ X H6 TOTAL 2021 2
                 CHN KAZ M H6 TOTAL 2021 4
                 CHN KAZ X H6 TOTAL 2022 3
                 CHN KAZ M H6 TOTAL 2022 3
                 CHN KAZ X H6 TOTAL 2023 2
                 CHN KAZ M H6 TOTAL 2023 1";
    let client = with_figures(server, table).await;
    let expected = [
        "2019 -3 BASE_NOT_PUBLISHED",
        "2020 4 BASE_IS_NEGATIVE",
        "2021 -2 -1.5",
        "2022 0 BASE_IS_NEGATIVE",
        "2023 1 BASE_IS_ZERO",
    ];
    assert_eq!(points(&series(&client, balance()).await), expected);
}

async fn a_stated_turnover_is_never_computed_nor_a_computed_one_stated(server: &mut Server) {
    let table = "CHN KAZ T NA TOTAL 2021 25.25
                 CHN KAZ X H6 TOTAL 2022 14
                 CHN KAZ M H6 TOTAL 2022 10
                 CHN KAZ T NA TOTAL 2022 31.2";
    let client = with_figures(server, table).await;
    let computed = series(&client, turnover()).await;
    assert_eq!(points(&computed), ["2022 24 BASE_NOT_PUBLISHED"]);
    let stated = GetSeriesRequest {
        measure: Measure::Unspecified.into(),
        flow: Flow::TotalTrade.into(),
        ..balance()
    };
    let stated = series(&client, stated).await;
    assert_eq!(
        points(&stated),
        ["2021 25.25 BASE_NOT_PUBLISHED", "2022 31.2 0.235644"]
    );
    assert_eq!(stated.points[0].exports, "");
}

async fn flags_and_sources_of_both_flows_are_carried(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2022 14 provisional rounded
                 CHN KAZ M H6 TOTAL 2022 10 estimated
                 CHN KAZ X H6 TOTAL 2023 14 lower-bound
                 CHN KAZ M H6 TOTAL 2023 10
                 CHN KAZ X H6 TOTAL 2024 14
                 CHN KAZ M H6 TOTAL 2024 10 implied";
    let client = with_figures(server, table).await;
    let found = series(&client, balance()).await;
    let flags = [
        ObservationFlag::Provisional,
        ObservationFlag::Estimated,
        ObservationFlag::Rounded,
    ];
    assert_eq!(found.points[0].flags, flags.map(i32::from));
    assert_eq!((found.points[0].source, found.sources.len()), (1, 1));
    let expected = [
        "2022 4 BASE_NOT_PUBLISHED",
        "2023 4 LOWER_BOUND",
        "2024 4 LOWER_BOUND",
    ];
    assert_eq!(points(&found), expected);
}

fn row(period: &str, value: u32) -> String {
    format!("CHN KAZ X H6 TOTAL {period} {value}\n")
}

/// Months of a year, each with a value.
fn of_year(year: u16, values: &[u32]) -> String {
    let month = |(value, month): (&u32, u8)| row(&format!("{year}-{month:02}"), *value);
    values.iter().zip(1..).map(month).collect()
}

/// By hand: 1 + 2 + 3 + 4 + 5 = 15 and 2 + 3 + 4 + 5 + 6 = 20, a growth of 1/3.
async fn january_to_may_is_added_up_from_months(server: &mut Server) {
    let table = of_year(2023, &[1, 2, 3, 4, 5, 100]) + &of_year(2024, &[2, 3, 4, 5, 6]);
    let client = with_figures(server, &table).await;
    let found = series(&client, months(1, 5)).await;
    let expected = [
        "2023-01..2023-05 15 BASE_NOT_PUBLISHED",
        "2024-01..2024-05 20 0.333333",
    ];
    assert_eq!(points(&found), expected);
    assert_eq!(found.points[0].figures, 5);
    assert_eq!(found.months, Some(MonthSpan { first: 1, last: 5 }));
    // The year before lies outside the window, and is still what growth is measured against.
    let asked = GetSeriesRequest {
        window: Some(PeriodWindow {
            start: "2024".into(),
            end: String::new(),
        }),
        ..months(1, 5)
    };
    assert_eq!(points(&series(&client, asked).await), expected[1..]);
}

async fn a_month_that_is_missing_now_or_then_is_named(server: &mut Server) {
    let table = of_year(2022, &[1, 1, 1])
        + &of_year(2023, &[1, 2])
        + &of_year(2024, &[2, 3, 4])
        + &of_year(2025, &[2]);
    let client = with_figures(server, &table).await;
    record(
        &client,
        "comtrade",
        "russia",
        "CHN RUS X H6 TOTAL 2023-03 1",
    )
    .await;
    let found = series(&client, months(1, 3)).await;
    let expected = [
        "2022-01..2022-03 3 BASE_NOT_PUBLISHED",
        "2023-01..2023-03  MONTHS_MISSING",
        "2024-01..2024-03 9 MONTHS_MISSING",
        "2025-01..2025-03  MONTHS_MISSING",
    ];
    assert_eq!(points(&found), expected);
    let march = ["CHN KAZ X TOTAL 2023-03 NOT_REPORTED"];
    assert_eq!(lacking(&found, 1), march);
    assert_eq!(found.points[1].figures, 2);
    assert_eq!(lacking_for_growth(&found, 1), march);
    assert_eq!(lacking_for_growth(&found, 2), march);
    assert!(lacking(&found, 2).is_empty());
    let ahead = [
        "CHN KAZ X TOTAL 2025-02 NOT_PUBLISHED_YET",
        "CHN KAZ X TOTAL 2025-03 NOT_PUBLISHED_YET",
    ];
    assert_eq!(lacking(&found, 3), ahead);
}

async fn a_sum_of_months_is_not_the_figure_published_for_them(server: &mut Server) {
    let table = of_year(2023, &[1, 2]) + &row("2023-01..2023-02", 4) + &row("2023", 50);
    let client = with_figures(server, &table).await;
    let added = series(&client, months(1, 2)).await;
    assert_eq!(points(&added), ["2023-01..2023-02 3 BASE_NOT_PUBLISHED"]);
    let published = GetSeriesRequest {
        months: None,
        ..months(1, 2)
    };
    let published = series(&client, published).await;
    assert_eq!(
        points(&published),
        ["2023-01..2023-02 4 BASE_NOT_PUBLISHED"]
    );
}

async fn a_whole_year_of_months_is_named_as_the_year(server: &mut Server) {
    let table = of_year(2023, &[1; 12]) + &of_year(2024, &[2; 11]);
    let client = with_figures(server, &table).await;
    let found = series(&client, months(1, 12)).await;
    assert_eq!(
        points(&found),
        ["2023 12 BASE_NOT_PUBLISHED", "2024  MONTHS_MISSING"]
    );
    assert_eq!(
        lacking(&found, 1),
        ["CHN KAZ X TOTAL 2024-12 NOT_PUBLISHED_YET"]
    );
}

async fn months_of_two_revisions_of_a_code_are_not_added_up(server: &mut Server) {
    let table = "CHN KAZ X H5 8703 2022-01 3
                 CHN KAZ X H6 8703 2022-02 4
                 CHN KAZ X H5 TOTAL 2022-01 30
                 CHN KAZ X H6 TOTAL 2022-02 40";
    let client = with_figures(server, table).await;
    let asked = GetSeriesRequest {
        code: "8703".into(),
        ..months(1, 2)
    };
    let found = series(&client, asked).await;
    assert_eq!(
        (&*found.points[0].value, &*found.points[0].classification),
        ("", "H6")
    );
    // January has the code of the fifth revision, which is another one.
    assert_eq!(
        lacking(&found, 0),
        ["CHN KAZ X 8703 2022-01 PERIOD_NOT_COVERED"]
    );
    let total = series(&client, months(1, 2)).await;
    assert_eq!(total.points[0].value, "70");
}

async fn a_balance_of_months_names_the_months_of_a_flow_that_has_none(server: &mut Server) {
    let table = of_year(2023, &[1, 2]) + "CHN KAZ M H6 TOTAL 2022-01 1";
    let client = with_figures(server, &table).await;
    let asked = GetSeriesRequest {
        flow: Flow::Unspecified.into(),
        measure: Measure::Balance.into(),
        ..months(1, 2)
    };
    let found = series(&client, asked).await;
    let expected = [
        "2022-01..2022-02  BASE_NOT_PUBLISHED",
        "2023-01..2023-02  PART_MISSING",
    ];
    assert_eq!(points(&found), expected);
    assert_eq!(found.points[1].exports, "3");
    let imports = [
        "CHN KAZ M TOTAL 2023-01 NOT_PUBLISHED_YET",
        "CHN KAZ M TOTAL 2023-02 NOT_PUBLISHED_YET",
    ];
    assert_eq!(lacking(&found, 1), imports);
}

async fn no_answer_names_more_than_24_missing_figures(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2022-01 1
                 CHN KAZ M H6 TOTAL 2022-02 1
                 CHN KAZ X H6 TOTAL 2023-01 1
                 CHN KAZ M H6 TOTAL 2023-02 1";
    let client = with_figures(server, table).await;
    let asked = GetSeriesRequest {
        flow: Flow::Unspecified.into(),
        measure: Measure::Balance.into(),
        ..months(1, 12)
    };
    let found = series(&client, asked).await;
    assert_eq!(lacking(&found, 1).len(), 22);
    assert_eq!(lacking_for_growth(&found, 1).len(), 24);
}

async fn a_measure_answers_as_of_its_day_and_after_a_replay(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 5
                 CHN KAZ M H6 TOTAL 2023 3";
    let client = with_figures(server, table).await;
    let then = record(&client, "comtrade", "none", "KAZ CHN X H6 TOTAL 2023 1").await;
    let then = then.ingest.unwrap().update_time;
    record(&client, "comtrade", "revision", "CHN KAZ M H6 TOTAL 2023 1").await;
    let now = series(&client, balance()).await;
    assert_eq!(points(&now), ["2023 4 BASE_NOT_PUBLISHED"]);
    server.restart_without_view().await;
    let client = server.client();
    assert_eq!(series(&client, balance()).await, now);
    let asked = GetSeriesRequest {
        as_of: then,
        ..balance()
    };
    assert_eq!(
        points(&series(&client, asked).await),
        ["2023 2 BASE_NOT_PUBLISHED"]
    );
}

async fn an_empty_measure_says_why(server: &mut Server) {
    let table = "CHN KAZ T NA TOTAL 2023 5
                 CHN RUS X H6 TOTAL 2023 5";
    let client = with_figures(server, table).await;
    let cases = [
        (balance(), EmptyReason::FlowNotCovered),
        (
            GetSeriesRequest {
                partner: "RUS".into(),
                frequency: Frequency::Month.into(),
                ..turnover()
            },
            EmptyReason::FrequencyNotCovered,
        ),
        (
            GetSeriesRequest {
                partner: "UZB".into(),
                ..turnover()
            },
            EmptyReason::PartnerNotCovered,
        ),
        (
            GetSeriesRequest {
                reporter: "UZB".into(),
                ..months(1, 5)
            },
            EmptyReason::ReporterNotCovered,
        ),
    ];
    for (asked, why) in cases {
        let found = series(&client, asked.clone()).await;
        assert!(found.points.is_empty());
        assert_eq!(found.empty_reason(), why, "{asked:?}");
    }
}

async fn an_empty_series_knows_the_calendar_of_its_reporter(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2020 5
                 CHN RUS X H6 TOTAL 2022 5
                 CHN RUS X H6 TOTAL 2023-04 5
                 CHN KAZ X H6 TOTAL 2023-02 5";
    let client = with_figures(server, table).await;
    let then = record(&client, "comtrade", "none", "KAZ CHN X H6 TOTAL 2023 1").await;
    record(&client, "comtrade", "late", "CHN KAZ X H6 TOTAL 2018 5").await;
    let within = |start: &str, end: &str, frequency: Frequency| GetSeriesRequest {
        measure: Measure::Unspecified.into(),
        flow: Flow::Export.into(),
        frequency: frequency.into(),
        window: Some(PeriodWindow {
            start: start.into(),
            end: end.into(),
        }),
        ..balance()
    };
    let cases = [
        (
            within("2023", "", Frequency::Year),
            EmptyReason::NotPublishedYet,
        ),
        (
            within("2022", "2023", Frequency::Year),
            EmptyReason::NotReported,
        ),
        (
            within("2021", "2022", Frequency::Year),
            EmptyReason::PeriodNotCovered,
        ),
        (
            within("2023-05", "", Frequency::Month),
            EmptyReason::NotPublishedYet,
        ),
        (
            within("2023-04", "2023-05", Frequency::Month),
            EmptyReason::NotReported,
        ),
        (
            within("2023-03", "2023-04", Frequency::Month),
            EmptyReason::PeriodNotCovered,
        ),
    ];
    for (asked, why) in cases {
        let found = series(&client, asked.clone()).await;
        assert_eq!(found.empty_reason(), why, "{asked:?}");
    }
    let asked = GetSeriesRequest {
        as_of: then.ingest.unwrap().update_time,
        ..within("2018", "2019", Frequency::Year)
    };
    let found = series(&client, asked).await;
    assert_eq!(found.empty_reason(), EmptyReason::NotYetRecorded);
}

async fn all_that_is_wrong_is_named_at_once(server: &mut Server) {
    let client = with_figures(server, "CHN KAZ X H6 TOTAL 2020 5").await;
    let cases = [
        (
            GetSeriesRequest {
                flow: Flow::Export.into(),
                ..balance()
            },
            vec!["flow"],
        ),
        (
            GetSeriesRequest {
                measure: 7,
                ..balance()
            },
            vec!["measure"],
        ),
        (
            GetSeriesRequest {
                frequency: Frequency::Month.into(),
                ..months(1, 5)
            },
            vec!["months"],
        ),
        (months(0, 5), vec!["months.first"]),
        (months(5, 5), vec!["months.last"]),
        (months(5, 13), vec!["months.last"]),
        (months(6, 2), vec!["months.last"]),
        (
            GetSeriesRequest {
                reporter: "XXX".into(),
                measure: -1,
                ..months(0, 0)
            },
            vec!["reporter", "measure", "months.first"],
        ),
        (
            GetSeriesRequest {
                convert: true,
                ..balance()
            },
            vec!["classification"],
        ),
        (
            GetSeriesRequest {
                sector: "sectors/cars".into(),
                ..balance()
            },
            vec!["sector"],
        ),
        (
            GetSeriesRequest {
                code: String::new(),
                ..balance()
            },
            vec!["code"],
        ),
    ];
    for (asked, named) in cases {
        let refused = ask(&client, asked.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
        assert_eq!(fields(&refused), named, "{asked:?}");
    }
}

/// One month of each of 1,300 years: the eleven others are missing, each with its reason, and what is asked for
/// in all is more than a series holds.
async fn centuries_with_a_month_a_year_are_answered_or_refused_at_once(server: &mut Server) {
    let month = |year: u32| format!("CHN KAZ X H6 TOTAL {year:04}-{:02} 1", 1 + year % 9);
    let table: Vec<String> = (700..2_000).map(month).collect();
    let client = with_figures(server, &table.join("\n")).await;
    let refused = ask(&client, months(1, 12)).await.unwrap_err();
    assert_eq!(fields(&refused), ["window"]);
    let some = GetSeriesRequest {
        window: Some(PeriodWindow {
            start: "1000".into(),
            end: "1200".into(),
        }),
        ..months(1, 12)
    };
    let found = series(&client, some).await;
    assert_eq!(found.points.len(), 200);
    assert!(found.points.iter().all(|point| point.value.is_empty()));
    let first = lacking(&found, 0);
    assert_eq!(first.len(), 11);
    assert_eq!(first[0], "CHN KAZ X TOTAL 1000-01 PERIOD_NOT_COVERED");
}
