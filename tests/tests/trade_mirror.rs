//! Mirror: both sides' figures of the same trade next to each other, their gap, and what keeps it from being said.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use tests::wire::{
    Asymmetry, Dataset, Flow, GetMirrorRequest, Mirror, MirrorDirection, MirrorFigure, MirrorGap,
    MirrorLine, MirrorSide, ObservationFlag, PeriodBasis, Valuation,
};
use tests::{
    Client, Server, both_ways, dataset, fields, missing, reason, record, record_long_sources,
    with_figures,
};
use tonic::Status;

both_ways!(
    both_directions_of_2021_stand_next_to_each_other,
    exchanging_the_sides_exchanges_the_directions_and_nothing_else,
    freight_is_taken_off_by_the_parameter_that_the_answer_names,
    a_valuation_that_is_not_stated_brings_nothing_to_fob,
    a_side_that_has_no_figure_says_why,
    different_currencies_have_no_gap,
    a_lower_bound_has_no_gap,
    codes_of_different_revisions_have_no_gap_but_totals_do,
    two_zeros_have_a_gap_and_no_ratio,
    lines_come_by_their_gaps_and_the_rest_is_counted,
    a_line_without_a_gap_stands_behind_those_with_one,
    lines_of_a_chapter_stand_within_it,
    a_line_that_one_side_lacks_says_why,
    lines_of_a_month_that_was_not_published_are_not_compared,
    a_stated_turnover_stands_before_a_computed_one,
    a_turnover_of_one_flow_is_none,
    months_are_added_up_or_named,
    a_mirror_is_answered_as_of_its_day_and_after_a_replay,
    all_that_is_wrong_is_named_at_once,
    an_answer_with_too_many_sources_is_refused_by_its_field,
);

/// China's and Kazakhstan's own figures of 2021, in one dataset.
const YEAR_2021: &str = "CHN KAZ X H5 TOTAL 2021 14000000000 rounded
     KAZ CHN M H5 TOTAL 2021 8200000000
     KAZ CHN X H5 TOTAL 2021 9800000000
     CHN KAZ M H5 TOTAL 2021 10200000000";

fn side(dataset: &str, reporter: &str) -> MirrorSide {
    MirrorSide {
        dataset: format!("datasets/{dataset}"),
        reporter: reporter.into(),
    }
}

/// China's figures of a period against Kazakhstan's.
fn of(period: &str) -> GetMirrorRequest {
    GetMirrorRequest {
        first: Some(side("comtrade", "CHN")),
        second: Some(side("comtrade", "KAZ")),
        period: period.into(),
        ..GetMirrorRequest::default()
    }
}

async fn ask(client: &Client, asked: GetMirrorRequest) -> Result<Mirror, Status> {
    Ok(client.clone().get_mirror(asked).await?.into_inner())
}

async fn mirror(client: &Client, asked: GetMirrorRequest) -> Mirror {
    ask(client, asked).await.expect("a mirror")
}

async fn with_dataset(client: &Client, id: &str, changed: impl FnOnce(&mut Dataset)) {
    let mut request = dataset(id);
    changed(request.dataset.as_mut().unwrap());
    client
        .clone()
        .create_dataset(request)
        .await
        .expect("created");
}

/// There, back and the turnover.
fn parts(mirror: &Mirror) -> (&MirrorDirection, &MirrorDirection, &MirrorLine) {
    let Mirror {
        first_to_second,
        second_to_first,
        turnover,
        ..
    } = mirror;
    let there = first_to_second.as_ref().unwrap();
    (
        there,
        second_to_first.as_ref().unwrap(),
        turnover.as_ref().unwrap(),
    )
}

fn there(mirror: &Mirror) -> &MirrorLine {
    parts(mirror).0.total.as_ref().unwrap()
}

fn back(mirror: &Mirror) -> &MirrorLine {
    parts(mirror).1.total.as_ref().unwrap()
}

fn value(figure: Option<&MirrorFigure>) -> &str {
    figure.map_or("", |figure| figure.value.as_str())
}

/// `code exporter importer gap`, and all reasons why something is not said.
fn told(line: &MirrorLine) -> String {
    let values = [&line.exporter_figure, &line.importer_figure].map(|f| value(f.as_ref()));
    let gap = |gap: &i32| {
        let gap = MirrorGap::try_from(*gap).unwrap().as_str_name();
        format!(" {}", gap.trim_start_matches("MIRROR_GAP_"))
    };
    let gaps: String = line.gaps.iter().map(gap).collect();
    format!(
        "{} {} {} {}{gaps}",
        line.code, values[0], values[1], line.gap
    )
}

fn lines(direction: &MirrorDirection) -> Vec<String> {
    direction.lines.iter().map(told).collect()
}

fn ratios(asymmetry: Option<&Asymmetry>) -> [&str; 3] {
    let found = asymmetry.unwrap();
    [&found.of_mean, &found.of_exporter, &found.of_importer]
}

/// By hand: 14.0 − 8.2 = 5.8; over the mean 11.1 it is 0.522523, over 14 0.414286, over 8.2 0.707317.
/// 8.2 / 1.06 = 7.735849056604 at FOB leaves 6.264150943396, which over the mean 10.867924528302 is 0.576389.
/// Back: 9.8 − 10.2 = −0.4, over 10 −0.04. Turnover: 14 + 10.2 = 24.2 against 9.8 + 8.2 = 18.
async fn both_directions_of_2021_stand_next_to_each_other(server: &mut Server) {
    let client = with_figures(server, YEAR_2021).await;
    let mirror = mirror(&client, of("2021")).await;
    let line = there(&mirror);
    assert_eq!(told(line), "TOTAL 14000000000 8200000000 5800000000");
    let expected = ["0.522523", "0.414286", "0.707317"];
    assert_eq!(ratios(line.asymmetry.as_ref()), expected);
    assert_eq!(line.importer_at_fob, "7735849056.603774");
    assert_eq!(line.gap_at_fob, "6264150943.396226");
    assert_eq!(ratios(line.asymmetry_at_fob.as_ref())[0], "0.576389");
    assert_eq!(
        told(back(&mirror)),
        "TOTAL 9800000000 10200000000 -400000000"
    );
    assert_eq!(ratios(back(&mirror).asymmetry.as_ref())[0], "-0.04");
    let (there, back, turnover) = parts(&mirror);
    assert_eq!((&*there.exporter, &*there.importer), ("CHN", "KAZ"));
    assert_eq!((&*back.exporter, &*back.importer), ("KAZ", "CHN"));
    assert_eq!(
        told(turnover),
        "TOTAL 24200000000 18000000000 6200000000 VALUATION_NOT_STATED"
    );
    let computed = turnover.exporter_figure.as_ref().unwrap();
    assert_eq!((computed.flow(), computed.figures), (Flow::Unspecified, 2));
    assert_eq!(computed.flags, [i32::from(ObservationFlag::Rounded)]);

    let figure = there
        .total
        .as_ref()
        .unwrap()
        .importer_figure
        .clone()
        .unwrap();
    assert_eq!(
        [
            &figure.dataset,
            &figure.reporter,
            &figure.partner,
            &figure.classification
        ],
        ["datasets/comtrade", "KAZ", "CHN", "H5"]
    );
    assert_eq!(
        (figure.flow(), figure.valuation()),
        (Flow::Import, Valuation::Cif)
    );
    assert_eq!((&*figure.currency_code, figure.figures), ("USD", 1));
    assert_eq!(figure.sources, [1]);
    assert!(figure.vintage.is_some());
    assert_eq!((&*mirror.cif_fob_ratio, mirror.sources.len()), ("0.06", 1));
    assert_eq!(mirror.basis(), PeriodBasis::Published);
}

async fn exchanging_the_sides_exchanges_the_directions_and_nothing_else(server: &mut Server) {
    let table = format!(
        "{YEAR_2021}
         CHN KAZ X H5 87 2021 5
         KAZ CHN M H5 87 2021 3
         CHN KAZ X H5 84 2021 5
         KAZ CHN M H5 27 2021 3"
    );
    let client = with_figures(server, &table).await;
    let asked = GetMirrorRequest {
        level: 2,
        ..of("2021")
    };
    let exchanged = GetMirrorRequest {
        first: asked.second.clone(),
        second: asked.first.clone(),
        ..asked.clone()
    };
    let (one, other) = (
        mirror(&client, asked).await,
        mirror(&client, exchanged).await,
    );
    assert_eq!(one.first_to_second, other.second_to_first);
    assert_eq!(one.second_to_first, other.first_to_second);
    assert_eq!((one.first, one.second), (other.second, other.first));
    let (a, b) = (one.turnover.unwrap(), other.turnover.unwrap());
    assert_eq!(a.exporter_figure, b.importer_figure);
    assert_eq!((&*a.gap, &*b.gap), ("6200000000", "-6200000000"));
}

/// By hand: 110 / 1.1 = 100.
async fn freight_is_taken_off_by_the_parameter_that_the_answer_names(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 100
                 KAZ CHN M H6 TOTAL 2023 110";
    let client = with_figures(server, table).await;
    let asked = |ratio: &str| GetMirrorRequest {
        cif_fob_ratio: ratio.into(),
        ..of("2023")
    };
    let tenth = mirror(&client, asked("0.1")).await;
    let line = there(&tenth);
    assert_eq!((&*line.importer_at_fob, &*line.gap_at_fob), ("100", "0"));
    assert_eq!(ratios(line.asymmetry_at_fob.as_ref()), ["0", "0", "0"]);
    assert_eq!((&*line.gap, &*tenth.cif_fob_ratio), ("-10", "0.1"));
    let none = mirror(&client, asked("0")).await;
    assert_eq!(there(&none).importer_at_fob, "110");
    let twice = mirror(&client, asked("1")).await;
    assert_eq!(there(&twice).importer_at_fob, "55");
    for ratio in ["-0.01", "1.000001", "six", "1e-1"] {
        let refused = ask(&client, asked(ratio)).await.unwrap_err();
        assert_eq!(fields(&refused), ["cif_fob_ratio"], "{ratio}");
    }
}

async fn a_valuation_that_is_not_stated_brings_nothing_to_fob(server: &mut Server) {
    let client = with_figures(server, "CHN KAZ X H6 TOTAL 2023 100").await;
    let unstated = |d: &mut Dataset| d.import_valuation = Valuation::Unspecified.into();
    with_dataset(&client, "unstated", unstated).await;
    with_dataset(&client, "fob", |d| {
        d.import_valuation = Valuation::Fob.into();
    })
    .await;
    for id in ["unstated", "fob"] {
        record(&client, id, "figures", "KAZ CHN M H6 TOTAL 2023 80").await;
        let asked = GetMirrorRequest {
            second: Some(side(id, "KAZ")),
            ..of("2023")
        };
        let mirror = mirror(&client, asked).await;
        let line = there(&mirror);
        assert_eq!(told(line), "TOTAL 100 80 20 VALUATION_NOT_STATED");
        assert_eq!((&*line.importer_at_fob, &*line.gap_at_fob), ("", ""));
        assert_eq!(line.asymmetry_at_fob, None);
        assert_eq!(mirror.sources.len(), 2, "each dataset has its own source");
    }
}

async fn a_side_that_has_no_figure_says_why(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2024 100
                 CHN KAZ X H6 TOTAL 2023 90
                 CHN KAZ X H6 TOTAL 2022 80
                 CHN KAZ X H6 TOTAL 2020 70
                 KAZ CHN M H6 TOTAL 2022 5
                 KAZ RUS M H6 TOTAL 2023 5
                 KAZ CHN M H6 TOTAL 2021 5";
    let client = with_figures(server, table).await;
    let cases = [
        ("2024", "KAZ CHN M TOTAL 2024 NOT_PUBLISHED_YET"),
        ("2023", "KAZ CHN M TOTAL 2023 NOT_REPORTED"),
        ("2020", "KAZ CHN M TOTAL 2020 PERIOD_NOT_COVERED"),
    ];
    for (period, why) in cases {
        let mirror = mirror(&client, of(period)).await;
        let line = there(&mirror);
        assert!(told(line).ends_with(" IMPORTER_MISSING"), "{}", told(line));
        assert_eq!(missing(&line.missing), [why]);
        assert_eq!((line.asymmetry.clone(), &*line.importer_at_fob), (None, ""));
    }
    let neither = mirror(&client, of("2019")).await;
    let line = back(&neither);
    assert_eq!(told(line), "TOTAL    EXPORTER_MISSING IMPORTER_MISSING");
    let why = [
        "KAZ CHN X TOTAL 2019 FLOW_NOT_COVERED",
        "CHN KAZ M TOTAL 2019 FLOW_NOT_COVERED",
    ];
    assert_eq!(missing(&line.missing), why);
}

async fn different_currencies_have_no_gap(server: &mut Server) {
    let client = with_figures(server, "CHN KAZ X H6 TOTAL 2023 100").await;
    with_dataset(&client, "tenge", |d| d.currency_code = "KZT".into()).await;
    record(&client, "tenge", "figures", "KAZ CHN M H6 TOTAL 2023 45000").await;
    let asked = GetMirrorRequest {
        second: Some(side("tenge", "KAZ")),
        ..of("2023")
    };
    let mirror = mirror(&client, asked).await;
    let line = there(&mirror);
    assert_eq!(told(line), "TOTAL 100 45000  CURRENCY_DIFFERS");
    assert_eq!((line.asymmetry.clone(), &*line.importer_at_fob), (None, ""));
}

async fn a_lower_bound_has_no_gap(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 41
                 KAZ CHN M H6 TOTAL 2023 30 lower-bound
                 KAZ CHN X H6 TOTAL 2023 30
                 CHN KAZ M H6 TOTAL 2023 35";
    let client = with_figures(server, table).await;
    let mirror = mirror(&client, of("2023")).await;
    assert_eq!(told(there(&mirror)), "TOTAL 41 30  LOWER_BOUND");
    assert_eq!(there(&mirror).asymmetry, None);
    // The bound goes into the turnover.
    assert_eq!(told(parts(&mirror).2), "TOTAL 76 60  LOWER_BOUND");
}

async fn codes_of_different_revisions_have_no_gap_but_totals_do(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2022 41
                 KAZ CHN M H5 TOTAL 2022 30
                 CHN KAZ X H6 8703 2022 4
                 KAZ CHN M H5 8703 2022 3";
    let client = with_figures(server, table).await;
    let asked = GetMirrorRequest {
        level: 4,
        ..of("2022")
    };
    let found = mirror(&client, asked).await;
    assert_eq!(there(&found).gap, "11");
    let by_code = lines(parts(&found).0);
    assert_eq!(by_code, ["8703 4 3  CLASSIFICATION_DIFFERS"]);
    let car = GetMirrorRequest {
        code: "8703".into(),
        ..of("2022")
    };
    let found = mirror(&client, car).await;
    assert_eq!(told(there(&found)), "8703 4 3  CLASSIFICATION_DIFFERS");
}

async fn two_zeros_have_a_gap_and_no_ratio(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 0
                 KAZ CHN M H6 TOTAL 2023 0
                 KAZ CHN X H6 TOTAL 2023 5
                 CHN KAZ M H6 TOTAL 2023 0";
    let client = with_figures(server, table).await;
    let mirror = mirror(&client, of("2023")).await;
    assert_eq!(told(there(&mirror)), "TOTAL 0 0 0 BOTH_ZERO");
    assert_eq!(there(&mirror).asymmetry, None);
    // 5 − 0 over the mean 2.5 is 2, over 5 is 1, over 0 nothing.
    assert_eq!(ratios(back(&mirror).asymmetry.as_ref()), ["2", "1", ""]);
}

/// By hand: the gaps are −7, 5 and 0; 27 has none.
async fn lines_come_by_their_gaps_and_the_rest_is_counted(server: &mut Server) {
    let table = "CHN KAZ X H6 84 2023 3
                 CHN KAZ X H6 85 2023 9
                 CHN KAZ X H6 87 2023 4
                 CHN KAZ X H6 27 2023 900
                 KAZ CHN M H6 84 2023 10
                 KAZ CHN M H6 85 2023 4
                 KAZ CHN M H6 87 2023 4
                 KAZ CHN M H6 27 2022 1
                 KAZ CHN X H6 72 2023 1";
    let client = with_figures(server, table).await;
    let asked = |top| GetMirrorRequest {
        level: 2,
        top,
        ..of("2023")
    };
    let all = mirror(&client, asked(0)).await;
    let expected = [
        "84 3 10 -7",
        "85 9 4 5",
        "87 4 4 0",
        "27 900   IMPORTER_MISSING",
    ];
    let (forth, back, _) = parts(&all);
    assert_eq!(lines(forth), expected);
    assert_eq!(forth.omitted_lines, 0);
    let why = missing(&forth.lines[3].missing);
    assert_eq!(why, ["KAZ CHN M 27 2023 NOT_REPORTED"]);
    assert_eq!(lines(back), ["72 1   IMPORTER_MISSING"]);
    let one = mirror(&client, asked(1)).await;
    let forth = parts(&one).0;
    assert_eq!(
        (lines(forth), forth.omitted_lines),
        (vec!["84 3 10 -7".into()], 3)
    );
}

async fn a_line_without_a_gap_stands_behind_those_with_one(server: &mut Server) {
    let table = "CHN KAZ X H6 84 2023 900 lower-bound
                 CHN KAZ X H6 85 2023 9
                 KAZ CHN M H6 84 2023 10
                 KAZ CHN M H6 85 2023 4";
    let client = with_figures(server, table).await;
    let asked = GetMirrorRequest {
        level: 2,
        ..of("2023")
    };
    let found = mirror(&client, asked).await;
    assert_eq!(
        lines(parts(&found).0),
        ["85 9 4 5", "84 900 10  LOWER_BOUND"]
    );
}

async fn lines_of_a_chapter_stand_within_it(server: &mut Server) {
    let table = "CHN KAZ X H6 87 2023 20
                 KAZ CHN M H6 87 2023 15
                 CHN KAZ X H6 870380 2023 9
                 KAZ CHN M H6 870380 2023 4
                 CHN KAZ X H6 870410 2023 3
                 KAZ CHN M H6 870410 2023 1
                 CHN KAZ X H6 840820 2023 99
                 KAZ CHN M H6 840820 2023 1";
    let client = with_figures(server, table).await;
    let asked = |code: &str| GetMirrorRequest {
        code: code.into(),
        level: 6,
        ..of("2023")
    };
    let chapter = mirror(&client, asked("87")).await;
    assert_eq!(told(there(&chapter)), "87 20 15 5");
    assert_eq!(lines(parts(&chapter).0), ["870380 9 4 5", "870410 3 1 2"]);
    let heading = mirror(&client, asked("8703")).await;
    assert_eq!(lines(parts(&heading).0), ["870380 9 4 5"]);
}

async fn a_line_that_one_side_lacks_says_why(server: &mut Server) {
    // Kazakhstan published its total of 2023, and no chapter yet.
    let table = "CHN KAZ X H6 84 2023 3
                 KAZ CHN M H6 TOTAL 2023 10
                 KAZ CHN M H6 84 2022 10";
    let client = with_figures(server, table).await;
    let asked = GetMirrorRequest {
        level: 2,
        ..of("2023")
    };
    let found = mirror(&client, asked).await;
    let line = &parts(&found).0.lines[0];
    assert_eq!(told(line), "84 3   IMPORTER_MISSING");
    assert_eq!(
        missing(&line.missing),
        ["KAZ CHN M 84 2023 PERIOD_NOT_COVERED"]
    );
}

async fn lines_of_a_month_that_was_not_published_are_not_compared(server: &mut Server) {
    let table = "CHN KAZ X H6 84 2023-01 3
                 CHN KAZ X H6 84 2023-02 3
                 CHN KAZ X H6 85 2023-01 1
                 KAZ CHN M H6 84 2023-01 3";
    let client = with_figures(server, table).await;
    let asked = GetMirrorRequest {
        level: 2,
        basis: PeriodBasis::SumOfMonths.into(),
        ..of("2023-01..2023-02")
    };
    let found = mirror(&client, asked).await;
    let forth = parts(&found).0;
    // 85 was not traded in February, which China published: its 1 is of both months.
    let expected = ["84 6   IMPORTER_MISSING", "85 1   IMPORTER_MISSING"];
    assert_eq!(lines(forth), expected);
    let why = missing(&forth.lines[0].missing);
    assert_eq!(why, ["KAZ CHN M 84 2023-02 NOT_PUBLISHED_YET"]);
}

/// By hand: China states 25; Kazakhstan's 8 + 10 = 18.
async fn a_stated_turnover_stands_before_a_computed_one(server: &mut Server) {
    let table = "CHN KAZ T NA TOTAL 2021 25 unverified
                 CHN KAZ X H5 TOTAL 2021 14
                 CHN KAZ M H5 TOTAL 2021 10
                 KAZ CHN M H5 TOTAL 2021 8 provisional
                 KAZ CHN X H5 TOTAL 2021 10";
    let client = with_figures(server, table).await;
    let mirror = mirror(&client, of("2021")).await;
    let turnover = parts(&mirror).2;
    let stated = turnover.exporter_figure.as_ref().unwrap();
    assert_eq!((stated.flow(), &*stated.value), (Flow::TotalTrade, "25"));
    assert_eq!(stated.flags, [i32::from(ObservationFlag::Unverified)]);
    let computed = turnover.importer_figure.as_ref().unwrap();
    assert_eq!(
        (computed.flow(), &*computed.value),
        (Flow::Unspecified, "18")
    );
    assert_eq!(computed.flags, [i32::from(ObservationFlag::Provisional)]);
    // A total without a classification is not known to be of the same goods.
    assert_eq!(told(turnover), "TOTAL 25 18  CLASSIFICATION_DIFFERS");
}

async fn a_turnover_of_one_flow_is_none(server: &mut Server) {
    let table = "CHN KAZ X H5 TOTAL 2021 14
                 CHN KAZ M H5 TOTAL 2020 10
                 KAZ CHN M H5 TOTAL 2021 8
                 KAZ CHN X H5 TOTAL 2021 10";
    let client = with_figures(server, table).await;
    let mirror = mirror(&client, of("2021")).await;
    let turnover = parts(&mirror).2;
    assert_eq!(told(turnover), "TOTAL  18  EXPORTER_MISSING");
    assert_eq!(
        missing(&turnover.missing),
        ["CHN KAZ M TOTAL 2021 NOT_PUBLISHED_YET"]
    );
}

/// By hand: 3 + 4 = 7 against 2 + 4 = 6.
async fn months_are_added_up_or_named(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023-01 3
                 CHN KAZ X H6 TOTAL 2023-02 4
                 CHN KAZ X H6 TOTAL 2023-03 4
                 CHN KAZ X H6 TOTAL 2023-01..2023-02 9
                 KAZ CHN M H6 TOTAL 2023-01 2
                 KAZ CHN M H6 TOTAL 2023-02 4";
    let client = with_figures(server, table).await;
    let sum = |period: &str| GetMirrorRequest {
        basis: PeriodBasis::SumOfMonths.into(),
        ..of(period)
    };
    let two = mirror(&client, sum("2023-01..2023-02")).await;
    assert_eq!(told(there(&two)), "TOTAL 7 6 1");
    assert_eq!(there(&two).exporter_figure.as_ref().unwrap().figures, 2);
    assert_eq!(two.basis(), PeriodBasis::SumOfMonths);
    let three = mirror(&client, sum("2023-01..2023-03")).await;
    assert_eq!(told(there(&three)), "TOTAL 11   IMPORTER_MISSING");
    let why = missing(&there(&three).missing);
    assert_eq!(why, ["KAZ CHN M TOTAL 2023-03 NOT_PUBLISHED_YET"]);
    let published = mirror(&client, of("2023-01..2023-02")).await;
    assert_eq!(value(there(&published).exporter_figure.as_ref()), "9");
}

async fn a_mirror_is_answered_as_of_its_day_and_after_a_replay(server: &mut Server) {
    let client = with_figures(server, YEAR_2021).await;
    let then = record(&client, "comtrade", "none", "CHN KAZ X H5 TOTAL 2020 1").await;
    let then = then.ingest.unwrap().update_time;
    let before = mirror(&client, of("2021")).await;
    let revised = "KAZ CHN M H5 TOTAL 2021 8300000000
                   CHN KAZ T NA TOTAL 2021 25250000000";
    record(&client, "comtrade", "revision", revised).await;
    let now = mirror(&client, of("2021")).await;
    assert_eq!(there(&now).gap, "5700000000");
    server.restart_without_view().await;
    let client = server.client();
    assert_eq!(mirror(&client, of("2021")).await, now);
    let asked = GetMirrorRequest {
        as_of: then,
        ..of("2021")
    };
    assert_eq!(mirror(&client, asked).await, before);
}

async fn all_that_is_wrong_is_named_at_once(server: &mut Server) {
    let client = with_figures(server, YEAR_2021).await;
    let wrong = GetMirrorRequest {
        first: Some(side("Comtrade", "CHN")),
        second: None,
        period: "21".into(),
        basis: 5,
        code: "87038".repeat(2),
        level: 3,
        top: -1,
        cif_fob_ratio: "2".into(),
        as_of: None,
    };
    let refused = ask(&client, wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    let mut named = fields(&refused);
    named.sort();
    let expected = [
        "basis",
        "cif_fob_ratio",
        "code",
        "first.dataset",
        "level",
        "period",
        "second",
        "top",
    ];
    assert_eq!(named, expected);
    let twice = GetMirrorRequest {
        second: Some(side("comtrade", "CHN")),
        top: -1,
        ..of("2021")
    };
    let mut named = fields(&ask(&client, twice).await.unwrap_err());
    named.sort();
    assert_eq!(named, ["second.reporter", "top"]);
    for (code, level) in [("8703", 4), ("870380", 6), ("87", 2), ("TOTAL", 5)] {
        let no_finer = GetMirrorRequest {
            code: code.into(),
            level,
            ..of("2021")
        };
        let refused = ask(&client, no_finer).await.unwrap_err();
        assert_eq!(fields(&refused), ["level"], "{code} {level}");
    }
    let elsewhere = GetMirrorRequest {
        second: Some(side("none", "KAZ")),
        ..of("2021")
    };
    let refused = ask(&client, elsewhere).await.unwrap_err();
    assert_eq!(reason(&refused), "NotFound NOT_FOUND");
}

async fn an_answer_with_too_many_sources_is_refused_by_its_field(server: &mut Server) {
    let client = with_figures(server, YEAR_2021).await;
    record_long_sources(&client, "comtrade").await;
    let asked = |top| GetMirrorRequest {
        level: 6,
        top,
        ..of("2023")
    };
    let refused = ask(&client, asked(1_000)).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    assert_eq!(fields(&refused), ["top"]);
    let some = mirror(&client, asked(500)).await;
    let forth = parts(&some).0;
    assert_eq!((forth.lines.len(), forth.omitted_lines), (500, 500));
}
