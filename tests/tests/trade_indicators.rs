//! Indicators: worked by hand, with all that goes in, and every reason why there is none.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use tests::wire::{
    GetIndicatorsRequest, Indicator, IndicatorGap, IndicatorInput, IndicatorKind, Indicators,
    ObservationFlag, PeriodBasis, WorldReference,
};
use tests::{
    Client, Server, both_ways, fields, missing, reason, record, record_long_sources, with_figures,
};
use tonic::Status;

both_ways!(
    advantage_and_intensity_are_ratios_of_shares,
    the_world_may_be_the_sum_of_reporters,
    trade_within_one_good_and_over_a_level,
    concentration_of_partners_and_of_goods,
    an_indicator_that_needs_more_says_what,
    an_input_that_is_missing_is_named,
    a_denominator_of_zero_divides_nothing,
    a_lower_bound_is_no_input_anywhere,
    inputs_are_of_one_revision,
    months_are_added_up_or_named,
    a_month_that_was_not_published_leaves_no_concentration,
    flags_of_all_figures_are_carried,
    indicators_come_in_the_order_asked_for,
    an_indicator_is_answered_as_of_its_day_and_after_a_replay,
    all_that_is_wrong_is_named_at_once,
    an_answer_with_too_many_sources_is_refused_by_its_field,
);

/// China's exports of 2023, and the world's.
const EXPORTS: &str = "CHN WLD X H6 TOTAL 2023 100
     CHN WLD X H6 8703 2023 20
     CHN KAZ X H6 TOTAL 2023 10
     WLD WLD X H6 TOTAL 2023 3000
     WLD WLD X H6 8703 2023 300
     WLD KAZ X H6 TOTAL 2023 150";

/// Indicators of China with Kazakhstan about cars in 2023.
fn of(kinds: &[IndicatorKind]) -> GetIndicatorsRequest {
    GetIndicatorsRequest {
        parent: "datasets/comtrade".into(),
        reporter: "CHN".into(),
        partner: "KAZ".into(),
        code: "8703".into(),
        period: "2023".into(),
        kinds: kinds.iter().map(|kind| i32::from(*kind)).collect(),
        ..GetIndicatorsRequest::default()
    }
}

async fn ask(client: &Client, asked: GetIndicatorsRequest) -> Result<Indicators, Status> {
    Ok(client.clone().get_indicators(asked).await?.into_inner())
}

async fn all(client: &Client, asked: GetIndicatorsRequest) -> Vec<Indicator> {
    ask(client, asked).await.expect("indicators").indicators
}

async fn one(client: &Client, kind: IndicatorKind, asked: GetIndicatorsRequest) -> Indicator {
    let asked = GetIndicatorsRequest {
        kinds: vec![kind.into()],
        ..asked
    };
    let found = all(client, asked).await;
    assert_eq!((found.len(), found[0].kind()), (1, kind));
    found.into_iter().next().unwrap()
}

/// `symbol value figures` of each input.
fn inputs(indicator: &Indicator) -> Vec<String> {
    let told = |i: &IndicatorInput| format!("{} {} {}", i.symbol, i.value, i.figures);
    indicator.inputs.iter().map(told).collect()
}

fn gaps(found: &[Indicator]) -> Vec<IndicatorGap> {
    found.iter().map(Indicator::gap).collect()
}

/// By hand: (20 / 100) / (300 / 3000) = 0.2 / 0.1 = 2; (10 / 100) / (150 / 3000) = 0.1 / 0.05 = 2.
async fn advantage_and_intensity_are_ratios_of_shares(server: &mut Server) {
    let client = with_figures(server, EXPORTS).await;
    let rca = one(&client, IndicatorKind::Rca, of(&[])).await;
    assert_eq!((&*rca.value, rca.gap()), ("2", IndicatorGap::Unspecified));
    assert_eq!(rca.formula, "(x_ik / X_i) / (x_wk / X_w)");
    let expected = ["x_ik 20 1", "X_i 100 1", "x_wk 300 1", "X_w 3000 1"];
    assert_eq!(inputs(&rca), expected);
    assert_eq!((&*rca.normalised, rca.missing.len()), ("", 0));
    let intensity = one(&client, IndicatorKind::TradeIntensity, of(&[])).await;
    assert_eq!(intensity.value, "2");
    let expected = ["x_ij 10 1", "X_i 100 1", "x_wj 150 1", "X_w 3000 1"];
    assert_eq!(inputs(&intensity), expected);
    let whole = ask(&client, of(&[])).await.unwrap();
    assert_eq!(
        [
            &whole.dataset,
            &whole.reporter,
            &whole.partner,
            &whole.code,
            &whole.period
        ],
        ["datasets/comtrade", "CHN", "KAZ", "8703", "2023"]
    );
    assert_eq!(whole.world(), WorldReference::Published);
    assert_eq!(
        (whole.basis(), whole.sources.len()),
        (PeriodBasis::Published, 1)
    );
}

/// By hand: cars 20 + 40 = 60, all goods 100 + 140 = 240; (20 / 100) / (60 / 240) = 0.2 / 0.25 = 0.8. With
/// Kazakhstan 10 + 2 = 12: (10 / 100) / (12 / 240) = 0.1 / 0.05 = 2. The European Union holds others.
async fn the_world_may_be_the_sum_of_reporters(server: &mut Server) {
    let table = format!(
        "{EXPORTS}
         RUS WLD X H6 TOTAL 2023 140
         RUS WLD X H6 8703 2023 40
         RUS KAZ X H6 TOTAL 2023 2
         CT097 WLD X H6 TOTAL 2023 9999
         CT097 WLD X H6 8703 2023 9999
         UZB WLD X H6 TOTAL 2022 9999"
    );
    let client = with_figures(server, &table).await;
    let asked = GetIndicatorsRequest {
        world: WorldReference::SumOfReporters.into(),
        ..of(&[])
    };
    let rca = one(&client, IndicatorKind::Rca, asked.clone()).await;
    assert_eq!(rca.value, "0.8");
    let expected = ["x_ik 20 1", "X_i 100 1", "x_wk 60 2", "X_w 240 2"];
    assert_eq!(inputs(&rca), expected);
    let intensity = one(&client, IndicatorKind::TradeIntensity, asked).await;
    assert_eq!(intensity.value, "2");
}

/// By hand: 1 − |30 − 10| / 40 = 0.5. Over chapters: |50 − 20| + |0 − 10| + |5 − 0| = 45 of 70 + 15 = 85, so
/// 1 − 45 / 85 = 0.470588.
async fn trade_within_one_good_and_over_a_level(server: &mut Server) {
    let table = "CHN KAZ X H6 8703 2023 30
                 CHN KAZ M H6 8703 2023 10
                 CHN KAZ X H6 87 2023 50
                 CHN KAZ M H6 87 2023 20
                 CHN KAZ M H6 27 2023 10
                 CHN KAZ X H6 99 2023 5";
    let client = with_figures(server, table).await;
    let single = one(&client, IndicatorKind::GrubelLloyd, of(&[])).await;
    assert_eq!(single.value, "0.5");
    assert_eq!(inputs(&single), ["x_ijk 30 1", "m_ijk 10 1"]);
    let asked = GetIndicatorsRequest {
        code: String::new(),
        ..of(&[])
    };
    let aggregate = one(&client, IndicatorKind::GrubelLloydAggregate, asked).await;
    assert_eq!(aggregate.value, "0.470588");
    assert_eq!(inputs(&aggregate), ["sum_k x_ijk 55 2", "sum_k m_ijk 30 2"]);
    // Within a chapter, its headings.
    let asked = GetIndicatorsRequest {
        code: "87".into(),
        level: 4,
        ..of(&[])
    };
    let within = one(&client, IndicatorKind::GrubelLloydAggregate, asked).await;
    assert_eq!(within.value, "0.5");
}

/// By hand: partners 6, 3 and 1 of 10: 0.36 + 0.09 + 0.01 = 0.46, normalised 0.19; chapters 3 and 1 of 4:
/// 0.5625 + 0.0625 = 0.625, normalised (0.625 − 0.5) / 0.5 = 0.25.
async fn concentration_of_partners_and_of_goods(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 6
                 CHN RUS X H6 TOTAL 2023 3
                 CHN CT899 X H6 TOTAL 2023 1
                 CHN WLD X H6 TOTAL 2023 500
                 CHN CT097 X H6 TOTAL 2023 80
                 CHN KAZ X H6 87 2023 3
                 CHN KAZ X H6 84 2023 1
                 CHN KAZ X H6 8703 2023 3";
    let client = with_figures(server, table).await;
    let total = GetIndicatorsRequest {
        code: "TOTAL".into(),
        ..of(&[])
    };
    let partners = one(&client, IndicatorKind::PartnerConcentration, total.clone()).await;
    assert_eq!((&*partners.value, &*partners.normalised), ("0.46", "0.19"));
    assert_eq!(inputs(&partners), ["sum_j x_ij 10 3"]);
    let goods = one(&client, IndicatorKind::CommodityConcentration, total).await;
    assert_eq!((&*goods.value, &*goods.normalised), ("0.625", "0.25"));
    let cars = one(&client, IndicatorKind::PartnerConcentration, of(&[])).await;
    assert_eq!((&*cars.value, &*cars.normalised), ("1", ""));
}

async fn an_indicator_that_needs_more_says_what(server: &mut Server) {
    let client = with_figures(server, EXPORTS).await;
    let neither = GetIndicatorsRequest {
        partner: String::new(),
        code: String::new(),
        ..of(&[
            IndicatorKind::Rca,
            IndicatorKind::TradeIntensity,
            IndicatorKind::GrubelLloyd,
        ])
    };
    let found = all(&client, neither).await;
    let expected = [
        IndicatorGap::NeedsCommodity,
        IndicatorGap::NeedsPartner,
        IndicatorGap::NeedsCommodity,
    ];
    assert_eq!(gaps(&found), expected);
    assert!(
        found
            .iter()
            .all(|i| i.value.is_empty() && i.missing.is_empty())
    );
}

async fn an_input_that_is_missing_is_named(server: &mut Server) {
    let table = "CHN WLD X H6 TOTAL 2023 100
                 CHN WLD X H6 8703 2022 20
                 CHN RUS X H6 8703 2023 20
                 WLD WLD X H6 8703 2023 300
                 WLD WLD X H6 TOTAL 2022 300";
    let client = with_figures(server, table).await;
    let rca = one(&client, IndicatorKind::Rca, of(&[])).await;
    assert_eq!((rca.gap(), &*rca.value), (IndicatorGap::InputMissing, ""));
    let lacking = [
        "CHN WLD X 8703 2023 NOT_REPORTED",
        "WLD WLD X TOTAL 2023 PERIOD_NOT_COVERED",
    ];
    assert_eq!(missing(&rca.missing), lacking);
    assert_eq!(inputs(&rca), ["X_i 100 1", "x_wk 300 1"]);
    let asked = GetIndicatorsRequest {
        code: String::new(),
        ..of(&[])
    };
    let aggregate = one(&client, IndicatorKind::GrubelLloydAggregate, asked).await;
    let why = missing(&aggregate.missing);
    assert_eq!(why, ["CHN KAZ X TOTAL 2023 PARTNER_NOT_COVERED"]);
}

async fn a_denominator_of_zero_divides_nothing(server: &mut Server) {
    let table = "CHN WLD X H6 TOTAL 2023 100
                 CHN WLD X H6 8703 2023 20
                 WLD WLD X H6 TOTAL 2023 100
                 WLD WLD X H6 8703 2023 0
                 CHN KAZ X H6 8703 2023 0
                 CHN KAZ M H6 8703 2023 0
                 CHN KAZ X H6 870380 2023 0";
    let client = with_figures(server, table).await;
    let zero = [
        IndicatorKind::Rca,
        IndicatorKind::GrubelLloyd,
        IndicatorKind::PartnerConcentration,
        IndicatorKind::CommodityConcentration,
    ];
    let found = all(&client, of(&zero)).await;
    assert_eq!(gaps(&found), [IndicatorGap::DividesByZero; 4]);
    assert_eq!(inputs(&found[1]), ["x_ijk 0 1", "m_ijk 0 1"]);
}

async fn a_lower_bound_is_no_input_anywhere(server: &mut Server) {
    let table = "CHN WLD X H6 TOTAL 2023 100 lower-bound
                 CHN WLD X H6 8703 2023 20
                 WLD WLD X H6 TOTAL 2023 100
                 WLD WLD X H6 8703 2023 50
                 WLD KAZ X H6 TOTAL 2023 50
                 CHN KAZ X H6 TOTAL 2023 50
                 CHN KAZ X H6 8703 2023 3
                 CHN KAZ M H6 8703 2023 3 lower-bound
                 CHN RUS X H6 8703 2023 4 lower-bound
                 CHN KAZ X H6 870340 2023 5
                 CHN KAZ X H6 870380 2023 5 lower-bound
                 CHN KAZ M H6 870380 2023 5";
    let client = with_figures(server, table).await;
    let found = all(&client, of(&[])).await;
    assert_eq!(gaps(&found), [IndicatorGap::LowerBound; 6]);
    assert!(found.iter().all(|indicator| indicator.value.is_empty()));
}

async fn inputs_are_of_one_revision(server: &mut Server) {
    let table = "CHN WLD X H6 TOTAL 2022 100
                 CHN WLD X H6 8703 2022 20
                 WLD WLD X H5 TOTAL 2022 1000
                 WLD WLD X H5 8703 2022 100
                 CHN KAZ X H6 8703 2022 9
                 CHN KAZ M H5 8703 2022 9
                 CHN KAZ X H6 870380 2022 9
                 CHN KAZ M H5 870380 2022 9
                 CHN RUS X H5 8703 2022 9";
    let client = with_figures(server, table).await;
    let asked = GetIndicatorsRequest {
        period: "2022".into(),
        ..of(&[
            IndicatorKind::Rca,
            IndicatorKind::GrubelLloyd,
            IndicatorKind::GrubelLloydAggregate,
        ])
    };
    let found = all(&client, asked).await;
    assert_eq!(gaps(&found), [IndicatorGap::InputMissing; 3]);
    // A total is of the same goods in both, a code is not.
    let world = ["WLD WLD X 8703 2022 COMMODITY_NOT_COVERED"];
    assert_eq!(missing(&found[0].missing), world);
    let imports = ["CHN KAZ M 8703 2022 COMMODITY_NOT_COVERED"];
    assert_eq!(missing(&found[1].missing), imports);
    // Russia's cars are of another revision than Kazakhstan's.
    let asked = GetIndicatorsRequest {
        period: "2022".into(),
        ..of(&[])
    };
    let partners = one(&client, IndicatorKind::PartnerConcentration, asked).await;
    assert_eq!(inputs(&partners), ["sum_j x_ij 9 1"]);
}

/// By hand: exports 1 + 2 = 3, imports 4 + 5 = 9: 1 − 6 / 12 = 0.5.
async fn months_are_added_up_or_named(server: &mut Server) {
    let table = "CHN KAZ X H6 8703 2023-01 1
                 CHN KAZ X H6 8703 2023-02 2
                 CHN KAZ X H6 8703 2023-03 3
                 CHN KAZ M H6 8703 2023-01 4
                 CHN KAZ M H6 8703 2023-02 5
                 CHN KAZ X H6 8703 2023-01..2023-02 99";
    let client = with_figures(server, table).await;
    let sum = |period: &str| GetIndicatorsRequest {
        basis: PeriodBasis::SumOfMonths.into(),
        period: period.into(),
        ..of(&[])
    };
    let two = one(&client, IndicatorKind::GrubelLloyd, sum("2023-01..2023-02")).await;
    assert_eq!(
        (&*two.value, inputs(&two)),
        ("0.5", vec!["x_ijk 3 2".into(), "m_ijk 9 2".into()])
    );
    let three = one(&client, IndicatorKind::GrubelLloyd, sum("2023-01..2023-03")).await;
    let why = missing(&three.missing);
    assert_eq!(why, ["CHN KAZ M 8703 2023-03 NOT_PUBLISHED_YET"]);
}

async fn a_month_that_was_not_published_leaves_no_concentration(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023-01 6
                 CHN RUS X H6 TOTAL 2023-01 3
                 CHN KAZ X H6 TOTAL 2023-03 6
                 CHN KAZ X H6 87 2023-01 6
                 CHN KAZ X H6 84 2023-03 6";
    let client = with_figures(server, table).await;
    let asked = GetIndicatorsRequest {
        basis: PeriodBasis::SumOfMonths.into(),
        period: "2023-01..2023-03".into(),
        code: String::new(),
        ..of(&[
            IndicatorKind::PartnerConcentration,
            IndicatorKind::CommodityConcentration,
        ])
    };
    let found = all(&client, asked.clone()).await;
    assert_eq!(gaps(&found), [IndicatorGap::InputMissing; 2]);
    let february = ["CHN WLD X TOTAL 2023-02 PERIOD_NOT_COVERED"];
    assert_eq!(missing(&found[0].missing), february);
    let february = ["CHN KAZ X TOTAL 2023-02 PERIOD_NOT_COVERED"];
    assert_eq!(missing(&found[1].missing), february);
    // With it, each month's figures add up: partners 15 and 3, chapters 6 and 9.
    let rows = "CHN KAZ X H6 TOTAL 2023-02 3
                CHN KAZ X H6 84 2023-02 3";
    record(&client, "comtrade", "february", rows).await;
    let found = all(&client, asked).await;
    assert_eq!(inputs(&found[0]), ["sum_j x_ij 18 4"]);
    // 0.4² + 0.6² = 0.52.
    assert_eq!(found[1].value, "0.52");
}

async fn flags_of_all_figures_are_carried(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 6 estimated
                 CHN RUS X H6 TOTAL 2023 3 provisional";
    let client = with_figures(server, table).await;
    let asked = GetIndicatorsRequest {
        code: String::new(),
        ..of(&[])
    };
    let found = one(&client, IndicatorKind::PartnerConcentration, asked).await;
    let flags = [ObservationFlag::Provisional, ObservationFlag::Estimated];
    assert_eq!(found.inputs[0].flags, flags.map(i32::from));
}

async fn indicators_come_in_the_order_asked_for(server: &mut Server) {
    let client = with_figures(server, EXPORTS).await;
    let kinds = [
        IndicatorKind::TradeIntensity,
        IndicatorKind::CommodityConcentration,
        IndicatorKind::Rca,
    ];
    let found = all(&client, of(&kinds)).await;
    let told: Vec<IndicatorKind> = found.iter().map(Indicator::kind).collect();
    assert_eq!(told, kinds);
    assert_eq!(all(&client, of(&[])).await.len(), 6);
}

async fn an_indicator_is_answered_as_of_its_day_and_after_a_replay(server: &mut Server) {
    let client = with_figures(server, EXPORTS).await;
    let then = record(&client, "comtrade", "none", "KAZ CHN X H6 TOTAL 2023 1").await;
    let then = then.ingest.unwrap().update_time;
    let before = ask(&client, of(&[])).await.unwrap();
    record(&client, "comtrade", "revision", "CHN WLD X H6 8703 2023 40").await;
    let now = ask(&client, of(&[])).await.unwrap();
    assert_eq!(now.indicators[0].value, "4");
    server.restart_without_view().await;
    let client = server.client();
    assert_eq!(ask(&client, of(&[])).await.unwrap(), now);
    let asked = GetIndicatorsRequest {
        as_of: then,
        ..of(&[])
    };
    let values = |of: &Indicators| -> Vec<_> {
        let told = |i: &Indicator| (i.value.clone(), i.inputs.clone(), i.gap);
        of.indicators.iter().map(told).collect()
    };
    assert_eq!(values(&ask(&client, asked).await.unwrap()), values(&before));
}

async fn all_that_is_wrong_is_named_at_once(server: &mut Server) {
    let client = with_figures(server, EXPORTS).await;
    let wrong = GetIndicatorsRequest {
        parent: "x".into(),
        reporter: String::new(),
        partner: "K".into(),
        code: "870".repeat(3),
        classification: "H9".into(),
        period: String::new(),
        basis: -3,
        world: 8,
        kinds: vec![99],
        level: 3,
        as_of: None,
    };
    let refused = ask(&client, wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    let mut named = fields(&refused);
    named.sort();
    let expected = [
        "basis",
        "classification",
        "code",
        "kinds",
        "level",
        "parent",
        "partner",
        "period",
        "reporter",
        "world",
    ];
    assert_eq!(named, expected);
    for kinds in [vec![0], vec![1, 1], vec![7], vec![-1]] {
        let asked = GetIndicatorsRequest {
            kinds: kinds.clone(),
            ..of(&[])
        };
        let refused = ask(&client, asked).await.unwrap_err();
        assert_eq!(fields(&refused), ["kinds"], "{kinds:?}");
    }
}

async fn an_answer_with_too_many_sources_is_refused_by_its_field(server: &mut Server) {
    let client = with_figures(server, EXPORTS).await;
    record_long_sources(&client, "comtrade").await;
    let asked = GetIndicatorsRequest {
        code: String::new(),
        level: 6,
        ..of(&[IndicatorKind::CommodityConcentration])
    };
    let refused = ask(&client, asked).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    assert_eq!(fields(&refused), ["kinds"]);
}
