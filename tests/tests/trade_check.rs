//! Statements held against what each side published.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use proto::r#type::v1::Money;
use tests::wire::check_statement_request::Subject;
use tests::wire::{
    CheckStatementRequest, EmptyReason, GrowthCheck, GrowthGap, ObservationFlag, SideCheck,
    SideOutcome, StatedMeasure, Statement, StatementCheck, Verdict,
};
use tests::{Client, Server, both_ways, dataset, fields, reason, record};
use tonic::Status;

both_ways!(
    a_statement_without_its_figures_cannot_be_checked_and_says_which_are_missing,
    a_part_of_a_time_cannot_have_more_than_the_whole,
    a_turnover_may_fit_one_side_only,
    a_statement_that_fits_no_side_is_contradicted,
    a_value_may_fit_and_its_growth_not,
    a_turnover_nobody_stated_is_exports_and_imports,
    a_part_of_a_year_is_the_sum_of_its_months,
    a_group_of_partners_is_added_up_by_the_country_alone,
    a_gap_is_held_against_both_sides,
    a_lower_bound_is_met_from_above,
    an_implied_or_unverified_figure_is_no_evidence,
    a_document_does_not_support_itself,
    the_side_that_is_named_decides,
    a_bad_check_names_every_field,
    rounding_is_taken_into_account,
    what_cannot_be_checked_anywhere_says_why,
);

const BN: &str = "000000000";

/// What the two sides published of their trade, as the press had it.
async fn both_sides(server: &Server) -> Client {
    let client = server.client();
    for id in ["china", "kazakhstan"] {
        client.clone().create_dataset(dataset(id)).await.unwrap();
    }
    let china = "CHN KAZ T NA TOTAL 2021 25250000000 rounded
                 CHN KAZ T NA TOTAL 2022 31200000000 rounded
                 CHN KAZ T NA TOTAL 2023 41000000000 rounded
                 CHN KAZ T NA TOTAL 2024 43820000000 rounded
                 CHN KAZ X NA TOTAL 2021 14000000000 rounded
                 CHN KAZ M NA TOTAL 2021 10200000000 rounded";
    let kazakhstan = "KAZ CHN T NA TOTAL 2021 18200000000 rounded
                      KAZ CHN T NA TOTAL 2022 24100000000 rounded
                      KAZ CHN T NA TOTAL 2023-01..2023-06 13600000000 rounded
                      KAZ CHN T NA TOTAL 2023 30000000000 rounded lower-bound
                      KAZ CHN M NA TOTAL 2021 8200000000 rounded
                      KAZ CHN X NA TOTAL 2021 9800000000 rounded";
    record(&client, "china", "press", china).await;
    record(&client, "kazakhstan", "press", kazakhstan).await;
    client
}

/// A statement about China and Kazakhstan.
fn said(measure: StatedMeasure, period: &str, value: &str) -> Statement {
    Statement {
        country: "CHN".into(),
        partners: vec!["KAZ".into()],
        measure: measure.into(),
        period: period.into(),
        value: Some(Money {
            currency_code: "USD".into(),
            amount: value.into(),
        }),
        value_precision: "100000000".into(),
        ..Statement::default()
    }
}

fn turnover(period: &str, value: &str) -> Statement {
    said(StatedMeasure::Turnover, period, value)
}

async fn check(client: &Client, statement: Statement) -> StatementCheck {
    try_check(client, statement).await.expect("a check")
}

async fn try_check(client: &Client, statement: Statement) -> Result<StatementCheck, Status> {
    let request = CheckStatementRequest {
        subject: Some(Subject::Statement(statement)),
        ..CheckStatementRequest::default()
    };
    Ok(client.clone().check_statement(request).await?.into_inner())
}

fn side<'a>(check: &'a StatementCheck, reporter: &str) -> &'a SideCheck {
    let mut sides = check.sides.iter().filter(|side| side.reporter == reporter);
    let side = sides.next().expect("the side is told");
    assert!(sides.next().is_none(), "{reporter} once");
    side
}

fn outcomes(check: &StatementCheck) -> Vec<(&str, SideOutcome)> {
    let mut outcomes: Vec<_> = check
        .sides
        .iter()
        .map(|side| (side.reporter.as_str(), side.outcome()))
        .collect();
    outcomes.sort_unstable();
    outcomes
}

/// "17.62 bn in January to May 2024, +18 %": by hand, 17.62 / 1.18 = 14.932203...
async fn a_statement_without_its_figures_cannot_be_checked_and_says_which_are_missing(
    server: &mut Server,
) {
    let client = both_sides(server).await;
    let announced = Statement {
        growth: "0.18".into(),
        growth_precision: "0.01".into(),
        value_precision: "10000000".into(),
        ..turnover("2024-01..2024-05", "17620000000")
    };
    let found = check(&client, announced).await;
    assert_eq!(found.verdict(), Verdict::CannotBeChecked);
    assert_eq!(found.implied_base, "14932203389.830508");
    assert_eq!(found.implied_base_period, "2023-01..2023-05");
    let china = side(&found, "CHN");
    assert_eq!(china.outcome(), SideOutcome::CannotBeChecked);
    let missing: Vec<_> = china
        .missing
        .iter()
        .map(|missing| (missing.period.as_str(), missing.code.as_str()))
        .collect();
    assert_eq!(
        missing,
        [("2024-01..2024-05", "TOTAL"), ("2023-01..2023-05", "TOTAL")]
    );
    let bound = china.bounds.iter().find(|bound| !bound.of_base).unwrap();
    assert_eq!((bound.period.as_str(), bound.contains), ("2024", true));
    assert!(!bound.contradicts);
}

/// Kazakhstan counted 13.6 bn in January to June 2023, so January to May cannot have had 14.93 bn.
async fn a_part_of_a_time_cannot_have_more_than_the_whole(server: &mut Server) {
    let client = both_sides(server).await;
    let announced = Statement {
        growth: "0.18".into(),
        growth_precision: "0.01".into(),
        ..turnover("2024-01..2024-05", "17620000000")
    };
    let found = check(&client, announced).await;
    let kazakhstan = side(&found, "KAZ");
    assert_eq!(kazakhstan.outcome(), SideOutcome::Contradicts);
    let bound = kazakhstan
        .bounds
        .iter()
        .find(|bound| bound.contradicts)
        .unwrap();
    assert!(bound.of_base && bound.contains);
    assert_eq!(bound.period, "2023-01..2023-06");
    assert_eq!(
        bound.figure.as_ref().unwrap().value,
        format!("13{}", "600000000")
    );
}

/// 31.2 bn, +23.6 %: by hand 31.2 / 25.25 − 1 = 0.235644, and on the other side 24.1 / 18.2 − 1 = 0.324176.
async fn a_turnover_may_fit_one_side_only(server: &mut Server) {
    let client = both_sides(server).await;
    let statement = Statement {
        growth: "0.236".into(),
        growth_precision: "0.001".into(),
        ..turnover("2022", "31200000000")
    };
    let found = check(&client, statement).await;
    assert_eq!(found.verdict(), Verdict::FitsOneSide);
    assert_eq!(
        outcomes(&found),
        [
            ("CHN", SideOutcome::Fits),
            ("KAZ", SideOutcome::Contradicts)
        ]
    );
    let growth = side(&found, "CHN").growth.as_ref().unwrap();
    assert_eq!(
        (growth.observed.as_str(), growth.outcome()),
        ("0.235644", SideOutcome::Fits)
    );
    let growth = side(&found, "KAZ").growth.as_ref().unwrap();
    assert_eq!(growth.observed, "0.324176");
    let value = side(&found, "KAZ").value.as_ref().unwrap();
    assert_eq!(value.difference, "7100000000");
    assert_eq!(value.ratio, "0.294606");
    let term = &value.terms[0];
    assert_eq!(
        term.observation,
        "datasets/kazakhstan/observations/KAZ.CHN.T.NA.TOTAL.2022"
    );
    assert_eq!(found.sources.len(), 2);
}

async fn a_statement_that_fits_no_side_is_contradicted(server: &mut Server) {
    let client = both_sides(server).await;
    let found = check(&client, turnover("2022", "50000000000")).await;
    assert_eq!(found.verdict(), Verdict::Contradicted);
}

/// The same 41.0 bn was quoted with +32 % and with +30 %; 41.0 / 31.2 − 1 = 0.314103.
async fn a_value_may_fit_and_its_growth_not(server: &mut Server) {
    let client = both_sides(server).await;
    let quoted = |growth: &str| Statement {
        growth: growth.into(),
        growth_precision: "0.01".into(),
        ..turnover("2023", "41000000000")
    };
    let found = check(&client, quoted("0.32")).await;
    assert_eq!(side(&found, "CHN").outcome(), SideOutcome::Fits);
    let found = check(&client, quoted("0.3")).await;
    let china = side(&found, "CHN");
    assert_eq!(china.value.as_ref().unwrap().outcome(), SideOutcome::Fits);
    assert_eq!(
        china.growth.as_ref().unwrap().outcome(),
        SideOutcome::Contradicts
    );
    assert_eq!(china.outcome(), SideOutcome::Contradicts);
}

/// 14.0 + 10.2 = 24.2 where no turnover is stated.
async fn a_turnover_nobody_stated_is_exports_and_imports(server: &mut Server) {
    let client = server.client();
    client
        .clone()
        .create_dataset(dataset("china"))
        .await
        .unwrap();
    let figures = "CHN KAZ X NA TOTAL 2021 14000000000
                   CHN KAZ M NA TOTAL 2021 10200000000";
    record(&client, "china", "press", figures).await;
    let found = check(&client, turnover("2021", "24200000000")).await;
    assert_eq!(found.verdict(), Verdict::Supported);
    let value = side(&found, "CHN").value.as_ref().unwrap();
    assert_eq!(value.observed, format!("24{}", "200000000"));
    let terms: Vec<_> = value
        .terms
        .iter()
        .map(|term| (term.sign, term.value.as_str()))
        .collect();
    assert_eq!(terms, [(1, "14000000000"), (1, "10200000000")]);
}

async fn a_part_of_a_year_is_the_sum_of_its_months(server: &mut Server) {
    let client = server.client();
    client
        .clone()
        .create_dataset(dataset("china"))
        .await
        .unwrap();
    let figures = "CHN KAZ T H6 TOTAL 2024-01 3000000000
                   CHN KAZ T H6 TOTAL 2024-02 3100000000
                   CHN KAZ T H6 TOTAL 2024-03 3200000000";
    record(&client, "china", "customs", figures).await;
    let found = check(&client, turnover("2024-01..2024-03", "9300000000")).await;
    assert_eq!(found.verdict(), Verdict::Supported);
    assert_eq!(side(&found, "CHN").value.as_ref().unwrap().terms.len(), 3);
    let found = check(&client, turnover("2024-01..2024-04", "12500000000")).await;
    assert_eq!(found.verdict(), Verdict::CannotBeChecked);
    assert_eq!(side(&found, "CHN").missing[0].period, "2024-01..2024-04");
}

/// 43.82 + 22.71 = 66.53.
async fn a_group_of_partners_is_added_up_by_the_country_alone(server: &mut Server) {
    let client = both_sides(server).await;
    record(
        &client,
        "china",
        "more",
        "CHN KGZ T NA TOTAL 2024 22710000000",
    )
    .await;
    let two = Statement {
        partners: vec!["KAZ".into(), "KGZ".into()],
        ..turnover("2024", "66530000000")
    };
    let found = check(&client, two).await;
    assert_eq!(found.verdict(), Verdict::Supported);
    assert_eq!(outcomes(&found), [("CHN", SideOutcome::Fits)]);
    let three = Statement {
        partners: vec!["KAZ".into(), "KGZ".into(), "UZB".into()],
        ..turnover("2024", "80000000000")
    };
    let found = check(&client, three).await;
    assert_eq!(found.verdict(), Verdict::CannotBeChecked);
    let missing = &side(&found, "CHN").missing;
    assert_eq!((missing.len(), missing[0].partner.as_str()), (1, "UZB"));
    assert_eq!(missing[0].reason(), EmptyReason::PartnerNotCovered);
}

/// 14.0 − 8.2 = 5.8.
async fn a_gap_is_held_against_both_sides(server: &mut Server) {
    let client = both_sides(server).await;
    let gap = said(StatedMeasure::MirrorGap, "2021", "5800000000");
    let found = check(&client, gap).await;
    assert_eq!(found.verdict(), Verdict::Supported);
    let value = found.sides[0].value.as_ref().unwrap();
    assert_eq!(value.observed, format!("5{}", "800000000"));
    let terms: Vec<_> = value
        .terms
        .iter()
        .map(|term| (term.sign, term.observation.as_str()))
        .collect();
    let expected = [
        (1, "datasets/china/observations/CHN.KAZ.X.NA.TOTAL.2021"),
        (
            -1,
            "datasets/kazakhstan/observations/KAZ.CHN.M.NA.TOTAL.2021",
        ),
    ];
    assert_eq!(terms, expected);
    let publishers = found.sources.iter().map(|source| source.title.as_str());
    assert!(publishers.eq(["Tables of china", "Tables of kazakhstan"]));
    // The other way round the gap is below zero: 9.8 − 10.2 = −0.4.
    let other_way = Statement {
        country: "KAZ".into(),
        partners: vec!["CHN".into()],
        ..said(StatedMeasure::MirrorGap, "2021", "-400000000")
    };
    let found = check(&client, other_way).await;
    assert_eq!(found.verdict(), Verdict::Supported);
    assert_eq!(
        (found.lowest_value.as_str(), found.highest_value.as_str()),
        ("-452250000", "-348250000")
    );
    let gap = said(StatedMeasure::MirrorGap, "2022", "5200000000");
    assert_eq!(
        check(&client, gap).await.verdict(),
        Verdict::CannotBeChecked
    );
}

/// What a statement's own document publishes may contradict it; that it agrees says nothing.
async fn a_document_does_not_support_itself(server: &mut Server) {
    let client = both_sides(server).await;
    let own = |value: &str, note: &str| Statement {
        source: Some(proto::r#type::v1::Source {
            title: "Tables of china".into(),
            publisher: "Office of statistics".into(),
            note: note.into(),
            ..Default::default()
        }),
        ..turnover("2022", value)
    };
    let found = check(&client, own("31200000000", "Read out by the minister")).await;
    let china = side(&found, "CHN").value.as_ref().unwrap();
    assert_eq!(china.outcome(), SideOutcome::CannotBeChecked);
    assert!(china.terms[0].own_source);
    let kazakhstan = side(&found, "KAZ").value.as_ref().unwrap();
    assert_eq!(kazakhstan.outcome(), SideOutcome::Contradicts);
    assert!(!kazakhstan.terms[0].own_source);
    assert_eq!(found.verdict(), Verdict::CannotBeChecked);

    let found = check(&client, own("39000000000", "")).await;
    assert_eq!(side(&found, "CHN").outcome(), SideOutcome::Contradicts);

    let mut elsewhere = own("31200000000", "");
    elsewhere.source.as_mut().unwrap().title = "An interview".into();
    let found = check(&client, elsewhere).await;
    assert_eq!(side(&found, "CHN").outcome(), SideOutcome::Fits);
}

async fn a_lower_bound_is_met_from_above(server: &mut Server) {
    let client = both_sides(server).await;
    let over = |value: &str| Statement {
        flags: vec![ObservationFlag::LowerBound.into()],
        ..turnover("2023", value)
    };
    let found = check(&client, over("30000000000")).await;
    assert_eq!(found.highest_value, "");
    assert_eq!(found.verdict(), Verdict::Supported);
    // Kazakhstan's figure is itself only "more than 30 bn": it says nothing against 35.
    let found = check(&client, over("35000000000")).await;
    assert_eq!(side(&found, "CHN").outcome(), SideOutcome::Fits);
    assert_eq!(side(&found, "KAZ").outcome(), SideOutcome::CannotBeChecked);
}

async fn an_implied_or_unverified_figure_is_no_evidence(server: &mut Server) {
    let client = both_sides(server).await;
    let figures = "CHN KAZ T NA TOTAL 2024-01..2024-05 17620000000 unverified
                   CHN KAZ T NA TOTAL 2023-01..2023-05 14930000000 implied";
    record(&client, "china", "announcement", figures).await;
    let found = check(&client, turnover("2024-01..2024-05", "17620000000")).await;
    assert_eq!(side(&found, "CHN").outcome(), SideOutcome::CannotBeChecked);
}

async fn the_side_that_is_named_decides(server: &mut Server) {
    let client = both_sides(server).await;
    let named = |side: &str| Statement {
        side: side.into(),
        ..turnover("2024", "24000000000")
    };
    // China's figure is 43.82 bn; Kazakhstan has published none.
    let found = check(&client, named("CHN")).await;
    assert_eq!(found.verdict(), Verdict::Contradicted);
    assert!(side(&found, "CHN").named && !side(&found, "KAZ").named);
    let found = check(&client, named("KAZ")).await;
    assert_eq!(found.verdict(), Verdict::CannotBeChecked);
}

async fn a_bad_check_names_every_field(server: &mut Server) {
    let client = both_sides(server).await;
    let request = CheckStatementRequest {
        subject: Some(Subject::Statement(Statement {
            country: "XXX".into(),
            ..turnover("2024-13", "1")
        })),
        datasets: vec!["china".into()],
        tolerance: "2".into(),
        ..CheckStatementRequest::default()
    };
    let refused = client.clone().check_statement(request).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    let named = fields(&refused);
    for field in [
        "statement.country",
        "statement.period",
        "datasets",
        "tolerance",
    ] {
        assert!(
            named.iter().any(|named| named == field),
            "{field} in {named:?}"
        );
    }
    let elsewhere = Statement {
        side: "USA".into(),
        partners: vec!["WLD".into(), "KAZ".into()],
        ..turnover("2022", "1")
    };
    let refused = try_check(&client, elsewhere).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        ["statement.side", "statement.partners[0]"]
    );
    let nothing = CheckStatementRequest::default();
    let refused = client.clone().check_statement(nothing).await.unwrap_err();
    assert_eq!(fields(&refused), ["name"]);
    let unknown = CheckStatementRequest {
        subject: Some(Subject::Name("statements/nobody".into())),
        ..CheckStatementRequest::default()
    };
    let refused = client.clone().check_statement(unknown).await.unwrap_err();
    assert_eq!(reason(&refused), "NotFound NOT_FOUND");
}

async fn what_cannot_be_checked_anywhere_says_why(server: &mut Server) {
    let client = both_sides(server).await;
    let in_euros = Statement {
        value: Some(Money {
            currency_code: "EUR".into(),
            amount: "31200000000".into(),
        }),
        ..turnover("2022", "1")
    };
    let found = check(&client, in_euros).await;
    assert_eq!(found.verdict(), Verdict::CannotBeChecked);
    assert_eq!(side(&found, "CHN").currency_code, "USD");
    assert_eq!(side(&found, "KAZ").outcome(), SideOutcome::CannotBeChecked);
    let elsewhere = Statement {
        country: "FRA".into(),
        ..turnover("2022", "1")
    };
    let found = check(&client, elsewhere).await;
    assert_eq!(found.verdict(), Verdict::CannotBeChecked);
    assert!(found.sides.is_empty());
    let missing = &found.missing[0];
    assert_eq!(
        (missing.reporter.as_str(), missing.partner.as_str()),
        ("FRA", "KAZ")
    );
}

/// "31 bn" may have been anything from 30.5 to 31.5 bn, and half a per cent around that.
async fn rounding_is_taken_into_account(server: &mut Server) {
    let client = both_sides(server).await;
    let rounded = Statement {
        value_precision: format!("1{BN}"),
        ..turnover("2022", "31000000000")
    };
    let found = check(&client, rounded).await;
    assert_eq!(found.lowest_value, "30347500000");
    assert_eq!(found.highest_value, "31657500000");
    assert_eq!(side(&found, "CHN").outcome(), SideOutcome::Fits);
    let exact = Statement {
        value_precision: String::new(),
        ..turnover("2022", "31000000000")
    };
    let found = check(&client, exact).await;
    assert_eq!(side(&found, "CHN").outcome(), SideOutcome::Contradicts);
    assert_eq!(
        side(&found, "CHN").growth.as_ref().map(GrowthCheck::gap),
        None::<GrowthGap>
    );
}
