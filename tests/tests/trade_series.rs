//! Series: figures in the order of time, growth like for like, and why there is none.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use prost_types::Timestamp;
use proto::r#type::v1::{PeriodWindow, Source};
use tests::wire::growth::Outcome;
use tests::wire::{
    EmptyReason, Flow, Frequency, GetSeriesRequest, GrowthGap, ObservationBatch, Series,
    SeriesPoint, Valuation,
};
use tests::with_figures;
use tests::{Client, Server, both_ways, dataset, fields, header, ingest, reason, record};
use tonic::Status;

both_ways!(
    growth_is_measured_within_a_revision_where_both_years_have_it,
    the_total_is_one_series_over_all_revisions_of_the_classification,
    a_code_over_a_revision_is_not_compared,
    a_series_may_be_asked_for_in_one_classification,
    of_several_classifications_the_newest_harmonized_system_is_taken,
    goods_are_never_compared_with_services,
    cumulated_months_grow_against_the_same_months,
    months_grow_against_the_same_month_a_year_before,
    growth_is_rounded_half_to_even,
    a_base_of_zero_or_a_lower_bound_gives_no_growth,
    the_base_may_lie_outside_the_window,
    a_window_holds_what_lies_inside_as_a_whole,
    an_empty_series_says_why,
    a_long_series_is_asked_for_in_parts,
    a_window_of_many_cumulated_figures_is_answered_whatever_lies_around_it,
    a_long_series_that_was_not_yet_recorded_says_so,
    the_two_sides_stay_apart,
    every_point_names_its_source_once,
    a_bad_request_names_every_field,
);

/// China's exports to Kazakhstan, all goods.
fn request(frequency: Frequency) -> GetSeriesRequest {
    GetSeriesRequest {
        parent: "datasets/comtrade".into(),
        reporter: "CHN".into(),
        partner: "KAZ".into(),
        flow: Flow::Export.into(),
        code: "TOTAL".into(),
        frequency: frequency.into(),
        ..GetSeriesRequest::default()
    }
}

fn years() -> GetSeriesRequest {
    request(Frequency::Year)
}

fn of_code(code: &str) -> GetSeriesRequest {
    GetSeriesRequest {
        code: code.into(),
        ..years()
    }
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

async fn ask(client: &Client, request: GetSeriesRequest) -> Result<Series, Status> {
    Ok(client.clone().get_series(request).await?.into_inner())
}

async fn series(client: &Client, request: GetSeriesRequest) -> Series {
    ask(client, request).await.expect("a series")
}

fn periods(series: &Series) -> Vec<&str> {
    series
        .points
        .iter()
        .map(|point| point.period.as_str())
        .collect()
}

fn values(series: &Series) -> Vec<&str> {
    series
        .points
        .iter()
        .map(|point| point.value.as_str())
        .collect()
}

/// Growth of each point: the ratio, or why there is none; and against what.
fn growths(series: &Series) -> Vec<(String, String)> {
    let growth = |point: &SeriesPoint| {
        let growth = point.growth.clone().unwrap();
        let outcome = match growth.outcome.unwrap() {
            Outcome::Ratio(ratio) => proto::format_decimal(proto::parse_decimal(&ratio).unwrap()),
            Outcome::Gap(gap) => GrowthGap::try_from(gap).unwrap().as_str_name()[11..].into(),
        };
        (outcome, growth.base_period)
    };
    series.points.iter().map(growth).collect()
}

fn is(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(a, b)| ((*a).into(), (*b).into()))
        .collect()
}

async fn the_total_is_one_series_over_all_revisions_of_the_classification(server: &mut Server) {
    let client = with_figures(
        server,
        "CHN KAZ X H4 TOTAL 2016 8292000000
         CHN KAZ X H5 TOTAL 2017 11564000000
         CHN KAZ X H5 TOTAL 2018 11351000000
         CHN KAZ X H6 TOTAL 2022 16350000000
         CHN KAZ X H6 TOTAL 2023 24700000000",
    )
    .await;
    let series = series(&client, years()).await;
    assert_eq!(periods(&series), ["2016", "2017", "2018", "2022", "2023"]);
    let breaks: Vec<_> = series
        .breaks
        .iter()
        .map(|b| (b.period.as_str(), b.before.as_str(), b.after.as_str()))
        .collect();
    assert_eq!(breaks, [("2017", "H4", "H5"), ("2022", "H5", "H6")]);
    let expected = is(&[
        ("BASE_NOT_PUBLISHED", "2015"),
        ("0.394597", "2016"),
        ("-0.018419", "2017"),
        ("BASE_NOT_PUBLISHED", "2021"),
        ("0.510703", "2022"),
    ]);
    assert_eq!(growths(&series), expected);
    assert_eq!(series.currency_code, "USD");
    assert_eq!(series.valuation(), Valuation::Fob);
    assert_eq!(series.empty_reason(), EmptyReason::Unspecified);
    assert_eq!(series.dataset, "datasets/comtrade");
}

async fn a_code_over_a_revision_is_not_compared(server: &mut Server) {
    let client = with_figures(
        server,
        "CHN KAZ X H5 870380 2020 1
         CHN KAZ X H5 870380 2021 2
         CHN KAZ X H6 870380 2022 4
         CHN KAZ X H6 870380 2023 5",
    )
    .await;
    let series = series(&client, of_code("870380")).await;
    let expected = is(&[
        ("BASE_NOT_PUBLISHED", "2019"),
        ("1", "2020"),
        ("CLASSIFICATION_DIFFERS", "2021"),
        ("0.25", "2022"),
    ]);
    assert_eq!(growths(&series), expected);
    assert_eq!(series.breaks.len(), 1);
}

async fn a_series_may_be_asked_for_in_one_classification(server: &mut Server) {
    let client = with_figures(
        server,
        "CHN KAZ X H5 TOTAL 2021 10
         CHN KAZ X H5 TOTAL 2022 11
         CHN KAZ X H6 TOTAL 2022 12
         CHN KAZ X H6 TOTAL 2023 15",
    )
    .await;
    let asked = |classification: &str| GetSeriesRequest {
        classification: classification.into(),
        ..years()
    };
    // Published under two, a period has its newest revision.
    assert_eq!(
        values(&series(&client, asked("")).await),
        ["10", "12", "15"]
    );
    let old = series(&client, asked("H5")).await;
    assert_eq!(values(&old), ["10", "11"]);
    assert_eq!(growths(&old)[1], ("0.1".into(), "2021".into()));
    assert!(old.breaks.is_empty());
    assert_eq!(values(&series(&client, asked("H6")).await), ["12", "15"]);
    let none = series(&client, asked("H4")).await;
    assert_eq!(none.empty_reason(), EmptyReason::CommodityNotCovered);
}

async fn of_several_classifications_the_newest_harmonized_system_is_taken(server: &mut Server) {
    let client = with_figures(
        server,
        "CHN KAZ X H6 TOTAL 2022 12
         CHN KAZ X S1 TOTAL 2022 13
         CHN KAZ X S3 TOTAL 2022 14
         CHN KAZ X B4 TOTAL 2022 15",
    )
    .await;
    // SITC revision 1 is of 1961 and no newer revision of the Harmonized System of 2022.
    let series = series(&client, years()).await;
    let classifications: Vec<_> = series
        .points
        .iter()
        .map(|p| &p.classification[..])
        .collect();
    assert_eq!((values(&series), classifications), (vec!["12"], vec!["H6"]));
}

async fn goods_are_never_compared_with_services(server: &mut Server) {
    let client = with_figures(
        server,
        "CHN KAZ X H6 TOTAL 2022 12
         CHN KAZ X EB TOTAL 2023 3",
    )
    .await;
    let series = series(&client, years()).await;
    let point = growths(&series)
        .into_iter()
        .find(|(_, base)| base == "2022");
    assert!(
        point.is_none_or(|(growth, _)| growth == "CLASSIFICATION_DIFFERS"),
        "goods of 2022 and services of 2023 are different things: {series:?}"
    );
}

async fn cumulated_months_grow_against_the_same_months(server: &mut Server) {
    let client = with_figures(
        server,
        "CHN KAZ T H6 TOTAL 2022-01..2022-10 25200000000
         CHN KAZ T H6 TOTAL 2022-01..2022-11 28000000000
         CHN KAZ T H6 TOTAL 2023-01..2023-10 32700000000
         CHN KAZ T H6 TOTAL 2024-01..2024-05 17620000000
         CHN KAZ T H6 TOTAL 2023 41000000000
         CHN KAZ T H6 TOTAL 2023-05 3500000000",
    )
    .await;
    let turnover = |frequency| GetSeriesRequest {
        flow: Flow::TotalTrade.into(),
        ..request(frequency)
    };
    let cumulated = series(&client, turnover(Frequency::Cumulated)).await;
    let expected = is(&[
        ("BASE_NOT_PUBLISHED", "2021-01..2021-10"),
        ("BASE_NOT_PUBLISHED", "2021-01..2021-11"),
        ("0.297619", "2022-01..2022-10"),
        ("BASE_NOT_PUBLISHED", "2023-01..2023-05"),
    ]);
    assert_eq!(growths(&cumulated), expected);
    assert_eq!(cumulated.valuation(), Valuation::Unspecified);
    // Each length of period is a series of its own.
    assert_eq!(
        periods(&series(&client, turnover(Frequency::Year)).await),
        ["2023"]
    );
    assert_eq!(
        periods(&series(&client, turnover(Frequency::Month)).await),
        ["2023-05"]
    );
}

async fn months_grow_against_the_same_month_a_year_before(server: &mut Server) {
    let client = with_figures(
        server,
        "CHN KAZ X H6 TOTAL 2022-12 100
         CHN KAZ X H6 TOTAL 2023-01 80
         CHN KAZ X H6 TOTAL 2023-12 150
         CHN KAZ X H6 TOTAL 2024-01 100
         CHN KAZ X H6 TOTAL 2024-02 90",
    )
    .await;
    let series = series(&client, request(Frequency::Month)).await;
    let expected = is(&[
        ("BASE_NOT_PUBLISHED", "2021-12"),
        ("BASE_NOT_PUBLISHED", "2022-01"),
        ("0.5", "2022-12"),
        ("0.25", "2023-01"),
        ("BASE_NOT_PUBLISHED", "2023-02"),
    ]);
    assert_eq!(growths(&series), expected);
}

async fn growth_is_rounded_half_to_even(server: &mut Server) {
    let client = with_figures(
        server,
        "CHN KAZ X H6 TOTAL 2020 2000000
         CHN KAZ X H6 TOTAL 2021 2000001
         CHN KAZ X H6 01 2020 2000000
         CHN KAZ X H6 01 2021 2000003
         CHN KAZ X H6 02 2020 3
         CHN KAZ X H6 02 2021 2
         CHN KAZ X H6 03 2020 0.000001
         CHN KAZ X H6 03 2021 99999.999999
         CHN KAZ X H6 04 2020 999999999999999999
         CHN KAZ X H6 04 2021 0",
    )
    .await;
    let expected = [
        ("TOTAL", "0"),
        ("01", "0.000002"),
        ("02", "-0.333333"),
        ("03", "99999999998"),
        ("04", "-1"),
    ];
    for (code, ratio) in expected {
        let series = series(&client, of_code(code)).await;
        assert_eq!(growths(&series)[1].0, ratio, "{code}");
    }
}

async fn a_base_of_zero_or_a_lower_bound_gives_no_growth(server: &mut Server) {
    let client = with_figures(
        server,
        "CHN KAZ X H6 TOTAL 2020 0
         CHN KAZ X H6 TOTAL 2021 5
         CHN KAZ X H6 TOTAL 2022 30 lower-bound
         CHN KAZ X H6 TOTAL 2023 40 provisional
         CHN KAZ X H6 TOTAL 2024 50 estimated",
    )
    .await;
    let series = series(&client, years()).await;
    let expected = is(&[
        ("BASE_NOT_PUBLISHED", "2019"),
        ("BASE_IS_ZERO", "2020"),
        ("LOWER_BOUND", "2021"),
        ("LOWER_BOUND", "2022"),
        ("0.25", "2023"),
    ]);
    assert_eq!(growths(&series), expected);
}

async fn the_base_may_lie_outside_the_window(server: &mut Server) {
    let client = with_figures(
        server,
        "CHN KAZ X H6 TOTAL 2021 8
         CHN KAZ X H6 TOTAL 2022 10
         CHN KAZ X H6 TOTAL 2022-03 4
         CHN KAZ X H6 TOTAL 2023-03 5
         CHN KAZ X H6 TOTAL 2021-11..2022-03 4
         CHN KAZ X H6 TOTAL 2022-11..2023-03 3",
    )
    .await;
    let edges = [
        (Frequency::Year, "2022", "2023", ("0.25", "2021")),
        (Frequency::Month, "2023-03", "2023-04", ("0.25", "2022-03")),
        (
            Frequency::Cumulated,
            "2022-11",
            "",
            ("-0.25", "2021-11..2022-03"),
        ),
    ];
    for (frequency, start, end, growth) in edges {
        let asked = GetSeriesRequest {
            window: window(start, end),
            ..request(frequency)
        };
        let series = series(&client, asked).await;
        assert_eq!(growths(&series), is(&[growth]), "{frequency:?}");
        assert!(series.breaks.is_empty());
    }
}

async fn a_window_holds_what_lies_inside_as_a_whole(server: &mut Server) {
    let client = with_figures(
        server,
        "CHN KAZ X H6 TOTAL 2021 1
         CHN KAZ X H6 TOTAL 2022 2
         CHN KAZ X H6 TOTAL 2023 3
         CHN KAZ X H6 TOTAL 2022-12 4
         CHN KAZ X H6 TOTAL 2023-01 5
         CHN KAZ X H6 TOTAL 2022-11..2023-01 6
         CHN KAZ X H6 TOTAL 2022-11..2022-12 7",
    )
    .await;
    let cases: [(Frequency, &str, &str, &[&str]); 9] = [
        (Frequency::Year, "", "", &["2021", "2022", "2023"]),
        (Frequency::Year, "2022", "2023", &["2022"]),
        (Frequency::Year, "2022-02", "2024", &["2023"]),
        (Frequency::Year, "", "2022-12", &["2021"]),
        (Frequency::Year, "2023", "9999", &["2023"]),
        (Frequency::Month, "", "2023", &["2022-12"]),
        (Frequency::Month, "2023", "", &["2023-01"]),
        (Frequency::Cumulated, "2022", "2023", &["2022-11..2022-12"]),
        (
            Frequency::Cumulated,
            "",
            "",
            &["2022-11..2022-12", "2022-11..2023-01"],
        ),
    ];
    for (frequency, start, end, expected) in cases {
        let asked = GetSeriesRequest {
            window: window(start, end),
            ..request(frequency)
        };
        let series = series(&client, asked).await;
        assert_eq!(periods(&series), expected, "{frequency:?} {start}..{end}");
    }
    let refusals = [
        ("2023", "2022", "window.end"),
        ("2023", "2023-01", "window.end"),
        ("x", "", "window.start"),
        ("", "2022-13", "window.end"),
        ("2022-01..2022-05", "", "window.start"),
    ];
    for (start, end, field) in refusals {
        let asked = GetSeriesRequest {
            window: window(start, end),
            ..years()
        };
        let refused = ask(&client, asked).await.unwrap_err();
        assert_eq!(fields(&refused), [field], "{start}..{end}");
    }
}

async fn an_empty_series_says_why(server: &mut Server) {
    let client = with_figures(server, "KAZ CHN M H6 TOTAL 2020 1").await;
    let before = record(&client, "comtrade", "more", "KAZ CHN M H6 TOTAL 2021 1").await;
    let before = before.ingest.unwrap().update_time;
    record(
        &client,
        "comtrade",
        "china",
        "CHN KGZ X H6 TOTAL 2023 1
         CHN KAZ M H6 TOTAL 2023 1
         CHN KAZ X H6 TOTAL 2023 1
         CHN KAZ X H6 8703 2023 1",
    )
    .await;
    let base = years();
    let cases: [(GetSeriesRequest, EmptyReason); 10] = [
        (
            GetSeriesRequest {
                reporter: "UZB".into(),
                ..base.clone()
            },
            EmptyReason::ReporterNotCovered,
        ),
        (
            GetSeriesRequest {
                partner: "UZB".into(),
                ..base.clone()
            },
            EmptyReason::PartnerNotCovered,
        ),
        (
            GetSeriesRequest {
                flow: Flow::ReExport.into(),
                ..base.clone()
            },
            EmptyReason::FlowNotCovered,
        ),
        (of_code("87"), EmptyReason::CommodityNotCovered),
        (of_code("870380"), EmptyReason::CommodityNotCovered),
        (
            GetSeriesRequest {
                classification: "H5".into(),
                ..base.clone()
            },
            EmptyReason::CommodityNotCovered,
        ),
        (request(Frequency::Month), EmptyReason::FrequencyNotCovered),
        (
            GetSeriesRequest {
                window: window("2024", ""),
                ..base.clone()
            },
            EmptyReason::NotPublishedYet,
        ),
        (
            GetSeriesRequest {
                window: window("", "2020"),
                ..base.clone()
            },
            EmptyReason::PeriodNotCovered,
        ),
        (
            GetSeriesRequest {
                as_of: before,
                ..base.clone()
            },
            EmptyReason::NotYetRecorded,
        ),
    ];
    for (asked, why) in cases {
        let empty = series(&client, asked.clone()).await;
        assert!(empty.points.is_empty());
        assert_eq!(empty.empty_reason(), why, "{asked:?}");
    }
    // What is not there now was not there then: the same reason as today.
    let asked = GetSeriesRequest {
        as_of: before,
        window: window("2024", ""),
        ..base
    };
    let empty = series(&client, asked).await;
    assert_eq!(empty.empty_reason(), EmptyReason::PeriodNotCovered);
}

fn months(count: u16) -> String {
    let month = |month: u16| format!("{}-{:02}", 1900 + month / 12, month % 12 + 1);
    let rows = (0..count).map(|at| format!("CHN KAZ X H6 TOTAL {} {at}\n", month(at)));
    rows.collect()
}

async fn a_long_series_is_asked_for_in_parts(server: &mut Server) {
    let client = with_figures(server, &months(1_201)).await;
    let asked = |window| GetSeriesRequest {
        window,
        ..request(Frequency::Month)
    };
    let refused = ask(&client, asked(None)).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    assert_eq!(fields(&refused), ["window"]);
    let whole = series(&client, asked(window("", "2000"))).await;
    assert_eq!(whole.points.len(), 1_200);
    let later = series(&client, asked(window("1900-02", ""))).await;
    assert_eq!(later.points.len(), 1_200);
    assert_eq!(later.points[1_199].period, "2000-01");
}

/// Cumulated figures that start in each month of `years`, of 2 to `longest` months.
fn cumulated(years: std::ops::Range<u16>, longest: u16) -> String {
    let month = |at: u16| format!("{:04}-{:02}", at / 12, at % 12 + 1);
    let starts = years.start * 12..years.end * 12;
    let periods = starts.flat_map(|start| (1..longest).map(move |more| (start, start + more)));
    let rows = periods.map(|(first, last)| {
        let (first, last) = (month(first), month(last));
        format!("CHN KAZ X H6 TOTAL {first}..{last} 1\n")
    });
    rows.collect()
}

async fn a_window_of_many_cumulated_figures_is_answered_whatever_lies_around_it(
    server: &mut Server,
) {
    // 1,188 in the window of eleven years, and 108 more in the year before it.
    let client = with_figures(server, &cumulated(2001..2013, 10)).await;
    let asked = GetSeriesRequest {
        window: window("2002", "2014"),
        ..request(Frequency::Cumulated)
    };
    let series = ask(&client, asked).await.expect("fewer than 1,200 points");
    assert_eq!(series.points.len(), 11 * 12 * 9);
    let known = growths(&series)
        .into_iter()
        .filter(|(g, _)| g != "BASE_NOT_PUBLISHED");
    assert_eq!(known.count(), series.points.len());
}

async fn a_long_series_that_was_not_yet_recorded_says_so(server: &mut Server) {
    let client = with_figures(server, "KAZ CHN M H6 TOTAL 2020 1").await;
    let before = record(&client, "comtrade", "more", "KAZ CHN M H6 TOTAL 2021 1").await;
    record(&client, "comtrade", "long", &months(1_300)).await;
    let asked = GetSeriesRequest {
        as_of: before.ingest.unwrap().update_time,
        ..request(Frequency::Month)
    };
    let empty = ask(&client, asked).await.expect("an empty series");
    assert_eq!(empty.empty_reason(), EmptyReason::NotYetRecorded);
}

async fn the_two_sides_stay_apart(server: &mut Server) {
    // China's exports to Kazakhstan and Kazakhstan's imports from China: one trade, two figures.
    let client = with_figures(
        server,
        "CHN KAZ X H6 TOTAL 2020 11
         CHN KAZ X H6 TOTAL 2021 14.0
         KAZ CHN M H6 TOTAL 2021 8.2
         CHN KAZ M H6 TOTAL 2021 10.2
         KAZ CHN X H6 TOTAL 2021 9.8
         CHN KAZ RX H6 TOTAL 2021 1",
    )
    .await;
    let side = |reporter: &str, partner: &str, flow: Flow| GetSeriesRequest {
        reporter: reporter.into(),
        partner: partner.into(),
        flow: flow.into(),
        ..years()
    };
    let sides = [
        (
            side("CHN", "KAZ", Flow::Export),
            vec!["11", "14"],
            Valuation::Fob,
        ),
        (
            side("KAZ", "CHN", Flow::Import),
            vec!["8.2"],
            Valuation::Cif,
        ),
        (
            side("CHN", "KAZ", Flow::Import),
            vec!["10.2"],
            Valuation::Cif,
        ),
        (
            side("KAZ", "CHN", Flow::Export),
            vec!["9.8"],
            Valuation::Fob,
        ),
        (
            side("CHN", "KAZ", Flow::ReExport),
            vec!["1"],
            Valuation::Fob,
        ),
    ];
    for (asked, expected, valuation) in sides {
        let series = series(&client, asked).await;
        assert_eq!(values(&series), expected);
        assert_eq!(series.valuation(), valuation);
    }
    // Another dataset is another publisher, even for the same side.
    client
        .clone()
        .create_dataset(dataset("customs"))
        .await
        .expect("created");
    record(&client, "customs", "own", "CHN KAZ X H6 TOTAL 2021 14.1").await;
    let other = GetSeriesRequest {
        parent: "datasets/customs".into(),
        ..years()
    };
    let other = series(&client, other).await;
    assert_eq!(values(&other), ["14.1"]);
    assert_eq!(growths(&other)[0].0, "BASE_NOT_PUBLISHED");
}

async fn every_point_names_its_source_once(server: &mut Server) {
    let client = with_figures(server, "CHN KAZ X H6 TOTAL 2020 1").await;
    let press = Source {
        title: "Ambassador's interview".into(),
        publisher: "Kazinform".into(),
        uri: "https://www.inform.kz/".into(),
        note: "Quotes China's customs.".into(),
        ..Source::default()
    };
    let table = "CHN KAZ X H6 TOTAL 2021 2 source=1
                 CHN KAZ X H6 TOTAL 2022 3
                 CHN KAZ X H6 TOTAL 2023 4 source=1
                 CHN KAZ X H6 TOTAL 2024 5 source=1";
    let quoted = ObservationBatch {
        sources: vec![press.clone()],
        ..tests::batch(1, table)
    };
    let answer = ingest(&client, header("comtrade", "press"), vec![quoted]).await;
    answer.expect("taken");
    let series = series(&client, years()).await;
    let own = dataset("comtrade").dataset.unwrap().source.unwrap();
    assert_eq!(series.sources, [own, press]);
    let indices: Vec<i32> = series.points.iter().map(|point| point.source).collect();
    assert_eq!(indices, [1, 2, 1, 2, 2]);
    let bases = series.points.iter().map(|point| {
        let growth = point.growth.as_ref().expect("told");
        growth.base_sources.clone()
    });
    let bases: Vec<Vec<i32>> = bases.collect();
    assert_eq!(
        bases,
        [vec![], vec![1], vec![2], vec![1], vec![]],
        "a base of another source than the figure's is cited"
    );
}

async fn a_bad_request_names_every_field(server: &mut Server) {
    let client = with_figures(server, "CHN KAZ X H6 TOTAL 2020 1").await;
    let wrong = GetSeriesRequest {
        parent: "comtrade".into(),
        reporter: "chn".into(),
        partner: String::new(),
        flow: 99,
        code: "87*".into(),
        classification: "HS".into(),
        frequency: 0,
        window: window("2023", "2022"),
        as_of: Some(Timestamp {
            seconds: 0,
            nanos: -1,
        }),
        ..GetSeriesRequest::default()
    };
    let refused = ask(&client, wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    let expected = [
        "parent",
        "reporter",
        "partner",
        "flow",
        "code",
        "classification",
        "frequency",
        "window.end",
        "as_of",
    ];
    assert_eq!(fields(&refused), expected);
    let unknown = GetSeriesRequest {
        parent: "datasets/customs".into(),
        ..years()
    };
    let missing = ask(&client, unknown).await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
}

async fn growth_is_measured_within_a_revision_where_both_years_have_it(server: &mut Server) {
    let table = "CHN KAZ X H4 87 2017 100
                 CHN KAZ X H5 87 2017 90
                 CHN KAZ X H4 87 2018 110";
    let client = with_figures(server, table).await;
    let series = series(&client, of_code("87")).await;
    let outcome = series.points[1].growth.as_ref().unwrap().outcome.as_ref();
    assert_eq!(outcome, Some(&Outcome::Ratio("0.1".into())), "{series:?}");
}
