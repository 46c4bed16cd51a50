//! Two figures held against each other: growth like for like, or all that keeps them from it.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use prost_types::Timestamp;
use tests::wire::{
    CompareObservationsRequest, Comparison, CreateDatasetRequest, GrowthGap, Observation, Valuation,
};
use tests::{Client, Server, both_ways, dataset, fields, reason, record};
use tonic::Status;

both_ways!(
    a_figure_is_held_against_the_same_months_a_year_before,
    a_base_may_be_any_figure_of_the_same_months,
    all_that_differs_is_named,
    a_bound_and_an_implied_figure_say_nothing_of_growth,
    the_base_of_a_code_stands_in_its_own_revision,
    a_base_that_is_not_published_is_no_zero,
    a_comparison_can_be_repeated_as_of_its_day,
    a_figure_that_is_not_there_is_not_compared,
    a_bad_question_names_every_field,
);

async fn with_figures(server: &Server, table: &str) -> Client {
    let client = server.client();
    let created = client.clone().create_dataset(dataset("comtrade")).await;
    created.expect("created");
    let answer = record(&client, "comtrade", "figures", table).await;
    assert!(answer.rejections.is_empty(), "{:?}", answer.rejections);
    client
}

/// A name in the dataset `comtrade`, or in the one before a `/`.
fn name(key: &str) -> String {
    match key.split_once('/') {
        Some((dataset, key)) => format!("datasets/{dataset}/observations/{key}"),
        None if key.is_empty() => String::new(),
        None => format!("datasets/comtrade/observations/{key}"),
    }
}

async fn ask(
    client: &Client,
    key: &str,
    base: &str,
    as_of: Option<Timestamp>,
) -> Result<Comparison, Status> {
    let request = CompareObservationsRequest {
        name: name(key),
        base_name: name(base),
        as_of,
    };
    let answer = client.clone().compare_observations(request).await?;
    Ok(answer.into_inner())
}

async fn compare(client: &Client, key: &str, base: &str) -> Comparison {
    let answer = ask(client, key, base, None).await;
    answer.unwrap_or_else(|status| panic!("{key} against {base}: {status:?}"))
}

fn differences(comparison: &Comparison) -> Vec<GrowthGap> {
    comparison.differences().collect()
}

fn value(observation: Option<&Observation>) -> Option<&str> {
    let value = observation?.value.as_ref()?;
    Some(&value.amount)
}

async fn a_figure_is_held_against_the_same_months_a_year_before(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 24.7
                 CHN KAZ X H6 TOTAL 2022 16.4
                 CHN KAZ X H6 TOTAL 2022-05 2
                 CHN KAZ X H6 TOTAL 2023-05 3
                 CHN KAZ X H6 TOTAL 2022-01..2022-05 7
                 CHN KAZ X H6 TOTAL 2023-01..2023-05 6";
    let client = with_figures(server, table).await;
    for (period, growth, before) in [
        ("2023", "0.506098", "16.4"),
        ("2023-05", "0.5", "2"),
        ("2023-01..2023-05", "-0.142857", "7"),
    ] {
        let comparison = compare(&client, &format!("CHN.KAZ.X.H6.TOTAL.{period}"), "").await;
        assert_eq!(comparison.growth, growth, "{period}");
        assert_eq!(value(comparison.base.as_ref()), Some(before));
        assert!(comparison.differences.is_empty());
        assert_eq!(comparison.figure.unwrap().period, period);
    }
}

async fn a_base_may_be_any_figure_of_the_same_months(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2024 30
                 CHN KAZ X H4 TOTAL 2014 12";
    let client = with_figures(server, table).await;
    let now = "CHN.KAZ.X.H6.TOTAL.2024";
    let decade = compare(&client, now, "CHN.KAZ.X.H4.TOTAL.2014").await;
    assert_eq!(decade.growth, "1.5");
    let itself = compare(&client, now, now).await;
    assert_eq!((itself.growth.as_str(), itself.figure), ("0", itself.base));
}

async fn all_that_differs_is_named(server: &mut Server) {
    let client = with_figures(
        server,
        "CHN KAZ X H6 8703 2024 30\nCHN KAZ M H6 8703 2023 9",
    )
    .await;
    let CreateDatasetRequest {
        dataset: described, ..
    } = dataset("customs");
    let customs = CreateDatasetRequest {
        dataset: Some(tests::wire::Dataset {
            currency_code: "KZT".into(),
            import_valuation: Valuation::Fob.into(),
            ..described.unwrap()
        }),
        ..dataset("customs")
    };
    client.clone().create_dataset(customs).await.unwrap();
    let table = "KAZ CHN T H5 TOTAL 2023-01..2023-05 0 lower-bound implied
                 CHN KAZ M H6 8703 2023 5";
    record(&client, "customs", "figures", table).await;
    let all = compare(
        &client,
        "CHN.KAZ.X.H6.8703.2024",
        "customs/KAZ.CHN.T.H5.TOTAL.2023-01..2023-05",
    )
    .await;
    let expected = [
        GrowthGap::DatasetDiffers,
        GrowthGap::ReporterDiffers,
        GrowthGap::PartnerDiffers,
        GrowthGap::FlowDiffers,
        GrowthGap::CodeDiffers,
        GrowthGap::MonthsDiffer,
        GrowthGap::ValuationDiffers,
        GrowthGap::CurrencyDiffers,
        GrowthGap::ClassificationDiffers,
        GrowthGap::LowerBound,
        GrowthGap::Implied,
        GrowthGap::BaseIsZero,
    ];
    assert_eq!(differences(&all), expected);
    assert_eq!(all.growth, "");
    assert!(all.figure.is_some() && all.base.is_some());
    let flows = compare(&client, "CHN.KAZ.X.H6.8703.2024", "CHN.KAZ.M.H6.8703.2023").await;
    let expected = [GrowthGap::FlowDiffers, GrowthGap::ValuationDiffers];
    assert_eq!(differences(&flows), expected, "FOB against CIF");
    let datasets = compare(
        &client,
        "CHN.KAZ.M.H6.8703.2023",
        "customs/CHN.KAZ.M.H6.8703.2023",
    )
    .await;
    let expected = [
        GrowthGap::DatasetDiffers,
        GrowthGap::ValuationDiffers,
        GrowthGap::CurrencyDiffers,
    ];
    assert_eq!(differences(&datasets), expected);
}

async fn a_bound_and_an_implied_figure_say_nothing_of_growth(server: &mut Server) {
    let table = "CHN KAZ T NA TOTAL 2022 24
                 CHN KAZ T NA TOTAL 2023 30 lower-bound
                 CHN KAZ T NA TOTAL 2024 43 rounded
                 CHN KAZ T NA TOTAL 2025 50 implied
                 CHN KAZ T NA TOTAL 2026 0
                 CHN KAZ T NA TOTAL 2027 1";
    let client = with_figures(server, table).await;
    for (year, gap) in [
        ("2023", GrowthGap::LowerBound),
        ("2024", GrowthGap::LowerBound),
        ("2025", GrowthGap::Implied),
        ("2026", GrowthGap::Implied),
        ("2027", GrowthGap::BaseIsZero),
    ] {
        let comparison = compare(&client, &format!("CHN.KAZ.T.NA.TOTAL.{year}"), "").await;
        assert_eq!(differences(&comparison), [gap], "{year}");
        assert_eq!(comparison.growth, "");
    }
}

async fn the_base_of_a_code_stands_in_its_own_revision(server: &mut Server) {
    let table = "CHN KAZ X H5 8703 2022 10
                 CHN KAZ X H6 8703 2022 8
                 CHN KAZ X H5 8703 2023 20
                 CHN KAZ X H6 8703 2024 30
                 CHN KAZ X H5 TOTAL 2023 50
                 CHN KAZ X H6 TOTAL 2024 60
                 CHN KAZ X S3 TOTAL 2023 40
                 CHN KAZ X EB TOTAL 2024 70";
    let client = with_figures(server, table).await;
    let same = compare(&client, "CHN.KAZ.X.H5.8703.2023", "").await;
    assert_eq!(same.growth, "1", "the newer revision is not its base");
    let other = compare(&client, "CHN.KAZ.X.H6.8703.2024", "").await;
    assert_eq!(differences(&other), [GrowthGap::ClassificationDiffers]);
    assert_eq!(value(other.base.as_ref()), Some("20"), "it is shown");
    // The total is the same goods in every revision.
    let total = compare(&client, "CHN.KAZ.X.H6.TOTAL.2024", "").await;
    assert_eq!((total.growth.as_str(), total.differences.len()), ("0.2", 0));
    // Goods and services are not.
    let services = compare(&client, "CHN.KAZ.X.EB.TOTAL.2024", "").await;
    assert_eq!(differences(&services), [GrowthGap::ClassificationDiffers]);
}

async fn a_base_that_is_not_published_is_no_zero(server: &mut Server) {
    let table = "CHN KAZ X H6 TOTAL 2023 20\nCHN KAZ X H6 TOTAL 0001 1\nCHN KAZ X H6 87 2022 1";
    let client = with_figures(server, table).await;
    for key in ["CHN.KAZ.X.H6.TOTAL.2023", "CHN.KAZ.X.H6.TOTAL.0001"] {
        let comparison = compare(&client, key, "").await;
        assert_eq!(differences(&comparison), [GrowthGap::BaseNotPublished]);
        assert_eq!((comparison.base, comparison.growth), (None, String::new()));
    }
    // What its name says that differs is told all the same.
    let elsewhere = compare(
        &client,
        "CHN.KAZ.X.H6.TOTAL.2023",
        "CHN.KAZ.M.H6.TOTAL.2022-05",
    )
    .await;
    let expected = [
        GrowthGap::FlowDiffers,
        GrowthGap::MonthsDiffer,
        GrowthGap::ValuationDiffers,
        GrowthGap::BaseNotPublished,
    ];
    assert_eq!(differences(&elsewhere), expected);
}

async fn a_comparison_can_be_repeated_as_of_its_day(server: &mut Server) {
    let client = with_figures(server, "CHN KAZ X H6 TOTAL 2023 20").await;
    let key = "CHN.KAZ.X.H6.TOTAL.2023";
    let mut known = vec![compare(&client, key, "").await];
    for (ingest, table) in [
        ("base", "CHN KAZ X H6 TOTAL 2022 10"),
        ("lower", "CHN KAZ X H6 TOTAL 2022 8"),
        ("higher", "CHN KAZ X H6 TOTAL 2023 24"),
    ] {
        record(&client, "comtrade", ingest, table).await;
        known.push(compare(&client, key, "").await);
    }
    let growth: Vec<&str> = known.iter().map(|c| c.growth.as_str()).collect();
    assert_eq!(growth, ["", "1", "1.5", "2"]);
    server.restart_without_view().await;
    let client = server.client();
    for then in known {
        let vintage = |o: &Option<Observation>| o.as_ref().and_then(|o| o.vintage);
        let seen = [vintage(&then.figure), vintage(&then.base)];
        let as_of = seen
            .into_iter()
            .max_by_key(|at| at.map(|t| (t.seconds, t.nanos)));
        let again = ask(&client, key, "", as_of.flatten()).await.unwrap();
        assert_eq!(again, then);
    }
}

async fn a_figure_that_is_not_there_is_not_compared(server: &mut Server) {
    let client = with_figures(server, "CHN KAZ X H6 TOTAL 2023 20").await;
    let there = "CHN.KAZ.X.H6.TOTAL.2023";
    let missing = [
        ask(&client, "CHN.KAZ.X.H6.TOTAL.2022", there, None).await,
        ask(&client, "CHN.KAZ.X.H6.87.2023", "", None).await,
        ask(&client, &format!("customs/{there}"), "", None).await,
        ask(&client, there, &format!("customs/{there}"), None).await,
        ask(&client, there, "", Some(Timestamp::default())).await,
    ];
    for missing in missing {
        assert_eq!(reason(&missing.unwrap_err()), "NotFound NOT_FOUND");
    }
}

async fn a_bad_question_names_every_field(server: &mut Server) {
    let client = with_figures(server, "CHN KAZ X H6 TOTAL 2023 20").await;
    let bad = Timestamp {
        seconds: 0,
        nanos: -1,
    };
    let refused = ask(&client, "CHN.KAZ", "CHN.XXX.X.H6.TOTAL.2023", Some(bad)).await;
    let refused = refused.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    assert_eq!(fields(&refused), ["name", "base_name", "as_of"]);
    let refused = ask(&client, "", "", None).await.unwrap_err();
    assert_eq!(fields(&refused), ["name"]);
}
