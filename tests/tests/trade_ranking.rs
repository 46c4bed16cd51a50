//! Rankings: places, shares that make up the whole, growth, concentration, and what keeps them from being said.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use tests::wire::{
    EmptyReason, Flow, ObservationFlag, PeriodBasis, RankCommoditiesRequest, RankPartnersRequest,
    Ranking, Remainder, ShareOf, Valuation,
};
use tests::{Client, Server, both_ways, fields, reason, record, record_long_sources, with_figures};
use tests::{entries, missing};
use tonic::Status;

both_ways!(
    partners_in_the_order_of_their_values_make_up_the_total,
    equal_values_are_in_the_order_of_their_codes_and_share_no_rank,
    more_may_be_asked_for_than_there_are,
    a_total_above_the_sum_leaves_a_rest_that_is_not_broken_down,
    a_total_below_the_sum_leaves_less_than_nothing,
    without_a_published_total_shares_are_of_the_sum,
    nothing_has_no_shares,
    groups_and_the_world_are_no_partners,
    a_country_may_be_its_own_partner,
    what_is_not_specified_is_a_code_like_any,
    codes_within_a_chapter_make_up_its_own_figure,
    months_are_added_up_and_flags_carried,
    a_month_that_was_not_published_is_named,
    a_month_under_another_revision_only_is_named,
    codes_of_another_revision_are_not_compared,
    a_year_before_is_taken_under_the_revision_of_today_where_it_has_one,
    of_two_revisions_the_newest_is_ranked_for_all_partners,
    the_chapter_that_parts_make_up_is_of_their_revision,
    services_are_not_ranked_among_goods,
    a_total_of_some_months_is_no_total,
    concentration_is_over_all_parts_whatever_is_shown,
    a_revised_ranking_is_answered_as_of_its_day,
    a_replayed_journal_ranks_the_same,
    an_empty_ranking_says_why,
    an_empty_ranking_says_why_where_the_world_is_no_partner,
    codes_of_a_level_that_was_never_published_are_not_covered,
    all_that_is_wrong_is_named_at_once,
    a_million_entries_are_a_thousand,
    an_answer_with_too_many_sources_is_refused_by_its_field,
);

/// China's exports by partner in 2023.
fn exports() -> RankPartnersRequest {
    RankPartnersRequest {
        parent: "datasets/comtrade".into(),
        reporter: "CHN".into(),
        flow: Flow::Export.into(),
        period: "2023".into(),
        ..RankPartnersRequest::default()
    }
}

/// China's exports to Kazakhstan in 2023 by code.
fn goods(level: i32) -> RankCommoditiesRequest {
    RankCommoditiesRequest {
        parent: "datasets/comtrade".into(),
        reporter: "CHN".into(),
        partner: "KAZ".into(),
        flow: Flow::Export.into(),
        level,
        period: "2023".into(),
        ..RankCommoditiesRequest::default()
    }
}

async fn ask_partners(client: &Client, asked: RankPartnersRequest) -> Result<Ranking, Status> {
    Ok(client.clone().rank_partners(asked).await?.into_inner())
}

async fn ask_goods(client: &Client, asked: RankCommoditiesRequest) -> Result<Ranking, Status> {
    Ok(client.clone().rank_commodities(asked).await?.into_inner())
}

async fn partners(client: &Client, asked: RankPartnersRequest) -> Ranking {
    ask_partners(client, asked).await.expect("a ranking")
}

async fn commodities(client: &Client, asked: RankCommoditiesRequest) -> Ranking {
    ask_goods(client, asked).await.expect("a ranking")
}

/// `value share parts`, or nothing.
fn part(remainder: Option<&Remainder>) -> String {
    let told = |part: &Remainder| format!("{} {} {}", part.value, part.share, part.parts);
    remainder.map(told).unwrap_or_default()
}

fn keys(ranking: &Ranking) -> Vec<&str> {
    ranking.entries.iter().map(|e| e.key.as_str()).collect()
}

/// By hand: 60, 30 and 10 of 100; 60 / 40 − 1 = 0.5, 30 / 60 − 1 = −0.5. H = 0.36 + 0.09 + 0.01 = 0.46, and
/// (0.46 − 1/3) / (2/3) = 0.19.
async fn partners_in_the_order_of_their_values_make_up_the_total(server: &mut Server) {
    let table = "CHN RUS X H6 TOTAL 2023 30
                 CHN KAZ X H6 TOTAL 2023 60 provisional
                 CHN KGZ X H6 TOTAL 2023 10
                 CHN WLD X H6 TOTAL 2023 100
                 CHN KAZ M H6 TOTAL 2023 99
                 KAZ CHN X H6 TOTAL 2023 99
                 CHN RUS X H6 TOTAL 2022 60
                 CHN KAZ X H6 TOTAL 2022 40";
    let client = with_figures(server, table).await;
    let ranking = partners(&client, exports()).await;
    let expected = [
        "1 KAZ 60 0.6 0.5 2",
        "2 RUS 30 0.3 -0.5 1",
        "3 KGZ 10 0.1 BASE_NOT_PUBLISHED 0",
    ];
    assert_eq!(entries(&ranking), expected);
    let said = (&*ranking.published_total, &*ranking.sum_of_parts);
    assert_eq!(said, ("100", "100"));
    assert_eq!(ranking.share_of(), ShareOf::PublishedTotal);
    assert_eq!((ranking.rest, ranking.unallocated), (None, None));
    let concentration = ranking.concentration.unwrap();
    assert_eq!(
        (&*concentration.hhi, &*concentration.hhi_normalised),
        ("0.46", "0.19")
    );
    assert_eq!(concentration.parts, 3);
    assert_eq!(
        [
            &ranking.dataset,
            &ranking.reporter,
            &ranking.partner,
            &ranking.code,
            &ranking.classification
        ],
        ["datasets/comtrade", "CHN", "", "TOTAL", "H6"]
    );
    assert_eq!(
        [
            &ranking.period,
            &ranking.base_period,
            &ranking.currency_code
        ],
        ["2023", "2022", "USD"]
    );
    let first = &ranking.entries[0];
    assert_eq!(first.display_name, "Kazakhstan");
    assert_eq!(first.flags, [i32::from(ObservationFlag::Provisional)]);
    assert_eq!((first.figures, &first.sources[..]), (1, &[1][..]));
    assert_eq!(ranking.sources.len(), 1);
    assert_eq!(
        (ranking.flow, ranking.valuation),
        (Flow::Export.into(), Valuation::Fob.into())
    );
    assert_eq!(ranking.basis, i32::from(PeriodBasis::Published));
    assert_eq!(ranking.empty_reason, i32::from(EmptyReason::Unspecified));
}

/// By hand: three of 1/3 each are 0.333333 and what rounding leaves, 0.000001, goes to the first.
async fn equal_values_are_in_the_order_of_their_codes_and_share_no_rank(server: &mut Server) {
    // By area code Austria (40) stands before the Emirates (784), by name behind them.
    let table = "CHN KAZ X H6 TOTAL 2023 5
                 CHN AUT X H6 TOTAL 2023 5
                 CHN ARE X H6 TOTAL 2023 5
                 CHN KAZ X H6 87 2023 7
                 CHN KAZ X H6 01 2023 7";
    let client = with_figures(server, table).await;
    let ranking = partners(&client, exports()).await;
    let expected = [
        "1 ARE 5 0.333334 BASE_NOT_PUBLISHED 0",
        "2 AUT 5 0.333333 BASE_NOT_PUBLISHED 0",
        "3 KAZ 5 0.333333 BASE_NOT_PUBLISHED 0",
    ];
    assert_eq!(entries(&ranking), expected);
    assert_eq!(keys(&commodities(&client, goods(2)).await), ["01", "87"]);
}

async fn more_may_be_asked_for_than_there_are(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 5
                 CHN RUS X H6 TOTAL 2023 3
                 CHN KGZ X H6 TOTAL 2023 2";
    let client = with_figures(server, table).await;
    let all = partners(
        &client,
        RankPartnersRequest {
            top: 1_000,
            ..exports()
        },
    )
    .await;
    assert_eq!((all.entries.len(), all.rest), (3, None));
    let first = partners(
        &client,
        RankPartnersRequest {
            top: 1,
            ..exports()
        },
    )
    .await;
    assert_eq!(entries(&first), ["1 KAZ 5 0.5 BASE_NOT_PUBLISHED 0"]);
    assert_eq!(part(first.rest.as_ref()), "5 0.5 2");
}

/// By hand: of 100, the parts are 50 and 30, and 20 stay.
async fn a_total_above_the_sum_leaves_a_rest_that_is_not_broken_down(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 50
                 CHN RUS X H6 TOTAL 2023 30
                 CHN WLD X H6 TOTAL 2023 100";
    let client = with_figures(server, table).await;
    let ranking = partners(
        &client,
        RankPartnersRequest {
            top: 1,
            ..exports()
        },
    )
    .await;
    assert_eq!(part(ranking.rest.as_ref()), "30 0.3 1");
    assert_eq!(part(ranking.unallocated.as_ref()), "20 0.2 0");
    assert_eq!(ranking.sum_of_parts, "80");
}

/// By hand: of 64, the parts are 50 and 30 with shares 0.78125 and 0.46875, and −16 / 64 = −0.25 make it 1.
async fn a_total_below_the_sum_leaves_less_than_nothing(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 50
                 CHN RUS X H6 TOTAL 2023 30
                 CHN WLD X H6 TOTAL 2023 64";
    let client = with_figures(server, table).await;
    let ranking = partners(&client, exports()).await;
    assert_eq!(ranking.entries[0].share, "0.78125");
    assert_eq!(ranking.entries[1].share, "0.46875");
    assert_eq!(part(ranking.unallocated.as_ref()), "-16 -0.25 0");
}

async fn without_a_published_total_shares_are_of_the_sum(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 3
                 CHN RUS X H6 TOTAL 2023 1";
    let client = with_figures(server, table).await;
    let ranking = partners(&client, exports()).await;
    assert_eq!(ranking.share_of(), ShareOf::SumOfParts);
    assert_eq!(ranking.published_total, "");
    assert_eq!(ranking.entries[0].share, "0.75");
    assert_eq!(ranking.unallocated, None);
}

async fn nothing_has_no_shares(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 0
                 CHN RUS X H6 TOTAL 2023 0
                 CHN KAZ M H6 TOTAL 2023 5
                 CHN WLD M H6 TOTAL 2023 0";
    let client = with_figures(server, table).await;
    let ranking = partners(&client, exports()).await;
    assert_eq!(ranking.share_of(), ShareOf::Unspecified);
    let expected = [
        "1 KAZ 0  BASE_NOT_PUBLISHED 0",
        "2 RUS 0  BASE_NOT_PUBLISHED 0",
    ];
    assert_eq!(entries(&ranking), expected);
    assert_eq!(ranking.concentration, None);
    // A published total of zero over parts that are not.
    let imports = RankPartnersRequest {
        flow: Flow::Import.into(),
        ..exports()
    };
    let ranking = partners(&client, imports).await;
    assert_eq!(ranking.share_of(), ShareOf::Unspecified);
    assert_eq!(part(ranking.unallocated.as_ref()), "-5  0");
    assert_eq!(ranking.published_total, "0");
}

async fn groups_and_the_world_are_no_partners(server: &mut Server) {
    // CT097 is the European Union; what is not specified is a partner, since nobody else holds it.
    let table = "CHN CT097 X H6 TOTAL 2023 500
                 CHN WLD X H6 TOTAL 2023 900
                 CHN DEU X H6 TOTAL 2023 300
                 CHN CT490 X H6 TOTAL 2023 200
                 CHN CT899 X H6 TOTAL 2023 100";
    let client = with_figures(server, table).await;
    let ranking = partners(&client, exports()).await;
    assert_eq!(keys(&ranking), ["DEU", "CT490", "CT899"]);
    assert_eq!(ranking.sum_of_parts, "600");
    assert_eq!(ranking.concentration.unwrap().parts, 3);
}

async fn a_country_may_be_its_own_partner(server: &mut Server) {
    let table = "CHN CHN M H6 TOTAL 2023 7
                 CHN KAZ M H6 TOTAL 2023 3";
    let client = with_figures(server, table).await;
    let asked = RankPartnersRequest {
        flow: Flow::Import.into(),
        ..exports()
    };
    assert_eq!(keys(&partners(&client, asked).await), ["CHN", "KAZ"]);
}

/// By hand: 99 has 50 of 100, the chapter 27 has 40, and 10 are in no chapter.
async fn what_is_not_specified_is_a_code_like_any(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 100
                 CHN KAZ X H6 99 2023 50
                 CHN KAZ X H6 27 2023 40
                 CHN KAZ X H6 9999 2023 50
                 CHN KAZ X H6 2709 2023 30
                 CHN KAZ X H6 999999 2023 50
                 CHN KAZ X H6 270900 2023 30";
    let client = with_figures(server, table).await;
    let expected = [
        (2, ["99", "27"]),
        (4, ["9999", "2709"]),
        (6, ["999999", "270900"]),
    ];
    for (level, codes) in expected {
        let ranking = commodities(&client, goods(level)).await;
        assert_eq!(keys(&ranking), codes);
        assert_eq!(ranking.published_total, "100");
    }
    let chapters = commodities(&client, goods(2)).await;
    assert_eq!(part(chapters.unallocated.as_ref()), "10 0.1 0");
    assert_eq!((chapters.level, &*chapters.partner), (2, "KAZ"));
}

/// By hand: of the chapter's 80, 8703 has 50 and 8704 has 20, and 10 are not broken down.
async fn codes_within_a_chapter_make_up_its_own_figure(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 1000
                 CHN KAZ X H6 87 2023 80
                 CHN KAZ X H6 8703 2023 50
                 CHN KAZ X H6 8704 2023 20
                 CHN KAZ X H6 870323 2023 30
                 CHN KAZ X H6 870380 2023 15
                 CHN KAZ X H6 870410 2023 20
                 CHN KAZ X H6 8408 2023 70";
    let client = with_figures(server, table).await;
    let within = |level, within: &str| RankCommoditiesRequest {
        within: within.into(),
        ..goods(level)
    };
    let chapter = commodities(&client, within(4, "87")).await;
    let expected = [
        "1 8703 50 0.625 BASE_NOT_PUBLISHED 0",
        "2 8704 20 0.25 BASE_NOT_PUBLISHED 0",
    ];
    assert_eq!(entries(&chapter), expected);
    assert_eq!((&*chapter.code, &*chapter.published_total), ("87", "80"));
    assert_eq!(part(chapter.unallocated.as_ref()), "10 0.125 0");
    assert_eq!(
        keys(&commodities(&client, within(6, "87")).await),
        ["870323", "870410", "870380"]
    );
    let heading = commodities(&client, within(6, "8703")).await;
    assert_eq!(keys(&heading), ["870323", "870380"]);
    assert_eq!(heading.published_total, "50");
    // Five digits have no published figure: shares are of the sum.
    let narrow = commodities(&client, within(6, "87032")).await;
    assert_eq!(keys(&narrow), ["870323"]);
    assert_eq!(narrow.share_of(), ShareOf::SumOfParts);
}

fn of_months(period: &str) -> RankPartnersRequest {
    RankPartnersRequest {
        basis: PeriodBasis::SumOfMonths.into(),
        period: period.into(),
        ..exports()
    }
}

/// By hand: 1 + 2 = 3 against 2 + 2 = 4 is −0.25.
async fn months_are_added_up_and_flags_carried(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023-01 1 estimated
                 CHN KAZ X H6 TOTAL 2023-02 2 provisional
                 CHN KAZ X H6 TOTAL 2023-03 50
                 CHN RUS X H6 TOTAL 2023-02 2
                 CHN KAZ X H6 TOTAL 2023-01..2023-02 4
                 CHN KAZ X H6 TOTAL 2022-01 2
                 CHN KAZ X H6 TOTAL 2022-02 2
                 CHN WLD X H6 TOTAL 2023-01 5
                 CHN WLD X H6 TOTAL 2023-02 5";
    let client = with_figures(server, table).await;
    let ranking = partners(&client, of_months("2023-01..2023-02")).await;
    let expected = ["1 KAZ 3 0.3 -0.25 1", "2 RUS 2 0.2 BASE_NOT_PUBLISHED 0"];
    assert_eq!(entries(&ranking), expected);
    assert_eq!(
        (ranking.entries[0].figures, ranking.entries[1].figures),
        (2, 1)
    );
    let flags = [ObservationFlag::Provisional, ObservationFlag::Estimated];
    assert_eq!(ranking.entries[0].flags, flags.map(i32::from));
    assert_eq!(ranking.basis(), PeriodBasis::SumOfMonths);
    assert_eq!(ranking.published_total, "10");
    assert!(ranking.missing.is_empty());
    // As published, the same months are another figure.
    let published = RankPartnersRequest {
        period: "2023-01..2023-02".into(),
        ..exports()
    };
    assert_eq!(partners(&client, published).await.entries[0].value, "4");
}

async fn a_month_that_was_not_published_is_named(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023-01 1
                 CHN KAZ X H6 TOTAL 2023-02 2
                 CHN RUS X H6 TOTAL 2023-01 2
                 CHN KAZ X H6 TOTAL 2022-01 2
                 CHN KAZ M H6 TOTAL 2022-02 2
                 CHN WLD X H6 TOTAL 2023-01 9";
    let client = with_figures(server, table).await;
    let ranking = partners(&client, of_months("2023-01..2023-03")).await;
    let expected = [
        "1 KAZ 3 0.6 MONTHS_MISSING 1",
        "2 RUS 2 0.4 BASE_NOT_PUBLISHED 0",
    ];
    assert_eq!(entries(&ranking), expected);
    let lacking = [
        "CHN WLD X TOTAL 2023-03 NOT_PUBLISHED_YET",
        "CHN WLD X TOTAL 2022-02 PERIOD_NOT_COVERED",
        "CHN WLD X TOTAL 2022-03 PERIOD_NOT_COVERED",
    ];
    assert_eq!(missing(&ranking.missing), lacking);
    // The total of one month of three is no total of the three.
    assert_eq!(ranking.published_total, "");
}

async fn a_month_under_another_revision_only_is_named(server: &mut Server) {
    let table = "CHN KAZ X H5 87 2023-01 1
                 CHN KAZ X H6 87 2023-02 2
                 CHN KAZ X H6 84 2023-02 3
                 CHN KAZ X H5 TOTAL 2023-01 9
                 CHN KAZ X H6 TOTAL 2023-02 9";
    let client = with_figures(server, table).await;
    let asked = RankCommoditiesRequest {
        basis: PeriodBasis::SumOfMonths.into(),
        period: "2023-01..2023-02".into(),
        ..goods(2)
    };
    let ranking = commodities(&client, asked.clone()).await;
    assert_eq!(
        (&*ranking.classification, &*ranking.sum_of_parts),
        ("H6", "5")
    );
    let lacking = missing(&ranking.missing);
    assert_eq!(lacking[0], "CHN KAZ X TOTAL 2023-01 PERIOD_NOT_COVERED");
    // Totals are one series over the revisions.
    assert_eq!(ranking.published_total, "18");
    let by_partner = RankPartnersRequest {
        code: "87".into(),
        ..of_months("2023-01..2023-02")
    };
    let ranking = partners(&client, by_partner).await;
    assert_eq!(
        (&*ranking.entries[0].value, ranking.missing.len()),
        ("2", 3)
    );
    assert_eq!(
        partners(&client, of_months("2023-01..2023-02"))
            .await
            .missing
            .len(),
        2
    );
    let older = RankCommoditiesRequest {
        classification: "H5".into(),
        ..asked
    };
    let older = commodities(&client, older).await;
    let lacking = missing(&older.missing);
    assert_eq!(lacking[0], "CHN KAZ X TOTAL 2023-02 PERIOD_NOT_COVERED");
}

async fn codes_of_another_revision_are_not_compared(server: &mut Server) {
    let table = "CHN KAZ X H6 87 2023 6
                 CHN KAZ X H5 87 2022 4
                 CHN KAZ X H6 TOTAL 2023 6
                 CHN KAZ X H5 TOTAL 2022 4";
    let client = with_figures(server, table).await;
    let ranking = commodities(&client, goods(2)).await;
    assert_eq!(entries(&ranking), ["1 87 6 1 CLASSIFICATION_DIFFERS 1"]);
    let of_code = RankPartnersRequest {
        code: "87".into(),
        ..exports()
    };
    let ranking = partners(&client, of_code).await;
    assert_eq!(entries(&ranking), ["1 KAZ 6 1 CLASSIFICATION_DIFFERS 1"]);
    let ranking = partners(&client, exports()).await;
    assert_eq!(entries(&ranking), ["1 KAZ 6 1 0.5 1"]);
}

/// By hand: 6 / 4 − 1 = 0.5, both of the fifth revision; the sixth has another figure then.
async fn a_year_before_is_taken_under_the_revision_of_today_where_it_has_one(server: &mut Server) {
    let table = "CHN KAZ X H5 87 2023 6
                 CHN KAZ X H5 87 2022 4
                 CHN KAZ X H6 87 2022 3
                 CHN KAZ X H6 84 2022 9";
    let client = with_figures(server, table).await;
    let ranking = commodities(&client, goods(2)).await;
    assert_eq!(entries(&ranking), ["1 87 6 1 0.5 1"]);
    let of_code = RankPartnersRequest {
        code: "87".into(),
        ..exports()
    };
    assert_eq!(
        entries(&partners(&client, of_code).await),
        ["1 KAZ 6 1 0.5 1"]
    );
}

async fn of_two_revisions_the_newest_is_ranked_for_all_partners(server: &mut Server) {
    let table = "CHN KAZ X H6 8703 2023 6
                 CHN KAZ X H5 8703 2023 5
                 CHN RUS X H5 8703 2023 9
                 CHN WLD X H5 8703 2023 14
                 CHN RUS X H5 TOTAL 2023 9
                 CHN KAZ X H6 TOTAL 2023 6";
    let client = with_figures(server, table).await;
    let of = |classification: &str| RankPartnersRequest {
        code: "8703".into(),
        classification: classification.into(),
        ..exports()
    };
    let newest = partners(&client, of("")).await;
    assert_eq!(
        (keys(&newest), &*newest.classification),
        (vec!["KAZ"], "H6")
    );
    assert_eq!(
        newest.published_total, "",
        "the world's is of another revision"
    );
    let older = partners(&client, of("H5")).await;
    assert_eq!(
        (keys(&older), &*older.published_total),
        (vec!["RUS", "KAZ"], "14")
    );
    // Totals count the same goods under both.
    assert_eq!(keys(&partners(&client, exports()).await), ["RUS", "KAZ"]);
}

async fn the_chapter_that_parts_make_up_is_of_their_revision(server: &mut Server) {
    let table = "CHN KAZ X H6 87 2023 100
                 CHN KAZ X H5 87 2023 50
                 CHN KAZ X H5 8703 2023 40";
    let client = with_figures(server, table).await;
    let asked = RankCommoditiesRequest {
        within: "87".into(),
        ..goods(4)
    };
    let ranking = commodities(&client, asked).await;
    assert_eq!(
        (&*ranking.classification, &*ranking.published_total),
        ("H5", "50")
    );
    assert_eq!(ranking.entries[0].share, "0.8");
}

async fn services_are_not_ranked_among_goods(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 6
                 CHN RUS X EB TOTAL 2023 9
                 CHN WLD X EB TOTAL 2023 30";
    let client = with_figures(server, table).await;
    let ranking = partners(&client, exports()).await;
    assert_eq!(
        (keys(&ranking), &*ranking.published_total),
        (vec!["KAZ"], "")
    );
    let services = RankPartnersRequest {
        classification: "EB".into(),
        ..exports()
    };
    let services = partners(&client, services).await;
    assert_eq!(
        (keys(&services), &*services.published_total),
        (vec!["RUS"], "30")
    );
}

async fn a_total_of_some_months_is_no_total(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023-01 4
                 CHN KAZ X H6 TOTAL 2023-02 4
                 CHN WLD X H6 TOTAL 2023-01 9";
    let client = with_figures(server, table).await;
    let ranking = partners(&client, of_months("2023-01..2023-02")).await;
    assert_eq!(ranking.share_of(), ShareOf::SumOfParts);
    assert_eq!(ranking.entries[0].share, "1");
}

/// By hand: 0.5² + 0.25² + 0.25² = 0.375, and (0.375 − 1/3) / (2/3) = 0.0625; the zero is no part.
async fn concentration_is_over_all_parts_whatever_is_shown(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 2
                 CHN RUS X H6 TOTAL 2023 1
                 CHN KGZ X H6 TOTAL 2023 1
                 CHN UZB X H6 TOTAL 2023 0
                 CHN WLD X H6 TOTAL 2023 900
                 CHN KAZ M H6 TOTAL 2023 9";
    let client = with_figures(server, table).await;
    let ranking = partners(
        &client,
        RankPartnersRequest {
            top: 1,
            ..exports()
        },
    )
    .await;
    let found = ranking.concentration.unwrap();
    assert_eq!(
        (&*found.hhi, &*found.hhi_normalised, found.parts),
        ("0.375", "0.0625", 3)
    );
    assert_eq!(ranking.rest.unwrap().parts, 3);
    let single = RankPartnersRequest {
        flow: Flow::Import.into(),
        ..exports()
    };
    let found = partners(&client, single).await.concentration.unwrap();
    assert_eq!(
        (&*found.hhi, &*found.hhi_normalised, found.parts),
        ("1", "", 1)
    );
}

async fn a_revised_ranking_is_answered_as_of_its_day(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 5
                 CHN RUS X H6 TOTAL 2023 3";
    let client = with_figures(server, table).await;
    let then = record(&client, "comtrade", "none", "KAZ CHN X H6 TOTAL 2023 1").await;
    let then = then.ingest.unwrap().update_time;
    let before = partners(&client, exports()).await;
    let revised = "CHN RUS X H6 TOTAL 2023 8
                   CHN KGZ X H6 TOTAL 2023 6
                   CHN WLD X H6 TOTAL 2023 20";
    record(&client, "comtrade", "revision", revised).await;
    assert_eq!(
        keys(&partners(&client, exports()).await),
        ["RUS", "KGZ", "KAZ"]
    );
    let asked = RankPartnersRequest {
        as_of: then,
        ..exports()
    };
    assert_eq!(partners(&client, asked).await, before);
}

async fn a_replayed_journal_ranks_the_same(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 5
                 CHN RUS X H6 TOTAL 2023 3 rounded
                 CHN KAZ X H6 87 2023 3
                 CHN KAZ X H6 84 2023 1";
    let client = with_figures(server, table).await;
    record(&client, "comtrade", "again", "CHN KAZ X H6 TOTAL 2023 6").await;
    let before = (
        partners(&client, exports()).await,
        commodities(&client, goods(2)).await,
    );
    server.restart_without_view().await;
    let client = server.client();
    let after = (
        partners(&client, exports()).await,
        commodities(&client, goods(2)).await,
    );
    assert_eq!(after, before);
}

async fn an_empty_ranking_says_why(server: &mut Server) {
    let table = "CHN WLD X H6 TOTAL 2023 9
                 CHN WLD X H6 87 2023 9
                 CHN KAZ X H6 TOTAL 2022 5
                 CHN KAZ X H6 TOTAL 2023-01 5";
    let client = with_figures(server, table).await;
    let cases = [
        (
            RankPartnersRequest {
                reporter: "UZB".into(),
                ..exports()
            },
            EmptyReason::ReporterNotCovered,
        ),
        (
            RankPartnersRequest {
                flow: Flow::Import.into(),
                ..exports()
            },
            EmptyReason::FlowNotCovered,
        ),
        (
            RankPartnersRequest {
                period: "2024".into(),
                ..exports()
            },
            EmptyReason::NotPublishedYet,
        ),
        (
            RankPartnersRequest {
                period: "2021".into(),
                ..exports()
            },
            EmptyReason::PeriodNotCovered,
        ),
        (
            RankPartnersRequest {
                code: "8703".into(),
                ..exports()
            },
            EmptyReason::CommodityNotCovered,
        ),
    ];
    for (asked, why) in cases {
        let ranking = partners(&client, asked.clone()).await;
        assert!(ranking.entries.is_empty());
        assert_eq!(ranking.empty_reason(), why, "{asked:?}");
    }
    let none = RankCommoditiesRequest {
        partner: "UZB".into(),
        ..goods(2)
    };
    let none = commodities(&client, none).await;
    assert_eq!(none.empty_reason(), EmptyReason::PartnerNotCovered);
}

async fn an_empty_ranking_says_why_where_the_world_is_no_partner(server: &mut Server) {
    let table = "CHN UZB M H6 TOTAL 2023 9
                 CHN KAZ X H6 TOTAL 2021 5
                 CHN KAZ X H6 TOTAL 2023 5
                 CHN KAZ X H6 87 2021 5
                 CHN KAZ X H6 84 2023 5
                 CHN KAZ X H6 TOTAL 2023-01 5";
    let client = with_figures(server, table).await;
    let cases = [
        ("2024", "TOTAL", EmptyReason::NotPublishedYet),
        ("2022", "TOTAL", EmptyReason::PeriodNotCovered),
        ("2023", "87", EmptyReason::NotReported),
        ("2023", "8703", EmptyReason::CommodityNotCovered),
    ];
    for (period, code, why) in cases {
        let asked = RankPartnersRequest {
            period: period.into(),
            code: code.into(),
            ..exports()
        };
        let ranking = partners(&client, asked).await;
        assert_eq!(ranking.empty_reason(), why, "{code} {period}");
    }
    let ranking = partners(&client, of_months("2023-01..2023-02")).await;
    let lacking = missing(&ranking.missing);
    assert_eq!(lacking[0], "CHN WLD X TOTAL 2023-02 NOT_PUBLISHED_YET");
}

async fn codes_of_a_level_that_was_never_published_are_not_covered(server: &mut Server) {
    // The total is there, and is no reason for codes that are not.
    let table = "CHN KAZ X H6 TOTAL 2023 9
                 CHN KAZ X H6 87 2022 9
                 CHN RUS X H6 84 2023 9";
    let client = with_figures(server, table).await;
    let six = commodities(&client, goods(6)).await;
    assert_eq!(six.empty_reason(), EmptyReason::CommodityNotCovered);
    // Chapters of the year were published, of others.
    let two = commodities(&client, goods(2)).await;
    assert_eq!(two.empty_reason(), EmptyReason::NotReported);
}

async fn all_that_is_wrong_is_named_at_once(server: &mut Server) {
    let client = with_figures(server, "CHN KAZ X H6 TOTAL 2023 5").await;
    let wrong = RankPartnersRequest {
        parent: "comtrade".into(),
        reporter: "China".into(),
        flow: 77,
        code: "8".into(),
        classification: "HS".into(),
        period: "2023-13".into(),
        basis: 9,
        top: -1,
        ..RankPartnersRequest::default()
    };
    let refused = ask_partners(&client, wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    let mut named = fields(&refused);
    named.sort();
    let expected = [
        "basis",
        "classification",
        "code",
        "flow",
        "parent",
        "period",
        "reporter",
        "top",
    ];
    assert_eq!(named, expected);
    let wrong = RankCommoditiesRequest {
        partner: "Kasachstan".into(),
        level: 3,
        within: "8703801".into(),
        top: -5,
        period: "2023-05..2023-01".into(),
        ..goods(3)
    };
    let refused = ask_goods(&client, wrong).await.unwrap_err();
    let mut named = fields(&refused);
    named.sort();
    assert_eq!(named, ["level", "partner", "period", "top", "within"]);
    for (level, within) in [(2, "87"), (4, "8703"), (4, "870380"), (6, "TOTAL")] {
        let longer = RankCommoditiesRequest {
            within: within.into(),
            ..goods(level)
        };
        let refused = ask_goods(&client, longer).await.unwrap_err();
        assert_eq!(fields(&refused), ["within"], "{within} within {level}");
    }
    let both = RankPartnersRequest {
        code: "87".into(),
        sector: "sectors/cars".into(),
        ..exports()
    };
    assert_eq!(
        fields(&ask_partners(&client, both).await.unwrap_err()),
        ["sector"]
    );
    let elsewhere = RankPartnersRequest {
        parent: "datasets/none".into(),
        ..exports()
    };
    let refused = ask_partners(&client, elsewhere).await.unwrap_err();
    assert_eq!(reason(&refused), "NotFound NOT_FOUND");
}

/// A table of `count` codes of six digits in twelve months.
fn codes(count: usize) -> Vec<String> {
    let month = |month: usize| {
        let row = |code: usize| {
            let (code, value) = (code + 10_000, code + 1);
            format!("CHN KAZ X H6 {code:06} 2023-{month:02} {value}\n")
        };
        (0..count).map(row).collect()
    };
    (1..=12).map(month).collect()
}

/// By hand: code 11199 has 1,200 in each of 12 months; all codes together 12 · 1,200 · 1,201 / 2.
async fn a_million_entries_are_a_thousand(server: &mut Server) {
    let client = with_figures(server, "CHN KAZ X H6 TOTAL 2023 5").await;
    for (number, table) in codes(1_200).iter().enumerate() {
        record(&client, "comtrade", &format!("month-{number}"), table).await;
    }
    let asked = RankCommoditiesRequest {
        basis: PeriodBasis::SumOfMonths.into(),
        top: 1_000_000,
        ..goods(6)
    };
    let ranking = commodities(&client, asked).await;
    assert_eq!(ranking.entries.len(), 1_000);
    assert_eq!(ranking.entries[0].key, "011199");
    assert_eq!(
        (&*ranking.entries[0].value, ranking.entries[0].figures),
        ("14400", 12)
    );
    assert_eq!(ranking.sum_of_parts, (12 * 1_200 * 1_201 / 2).to_string());
    assert_eq!(ranking.rest.unwrap().parts, 200);
}

async fn an_answer_with_too_many_sources_is_refused_by_its_field(server: &mut Server) {
    let client = with_figures(server, "CHN KAZ X H6 TOTAL 2023 5").await;
    record_long_sources(&client, "comtrade").await;
    let all = RankCommoditiesRequest {
        top: 1_000,
        ..goods(6)
    };
    let refused = ask_goods(&client, all).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    assert_eq!(fields(&refused), ["top"]);
    let some = commodities(
        &client,
        RankCommoditiesRequest {
            top: 500,
            ..goods(6)
        },
    )
    .await;
    assert_eq!((some.entries.len(), some.sources.len()), (500, 500));
}
