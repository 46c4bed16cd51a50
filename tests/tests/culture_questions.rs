//! Figures of exchange with their vintages and growth, and visa rules on a day.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use proto::culture::v1 as wire;
use proto::r#type::v1::PeriodWindow;
use tests::{CultureClient, Server, both_ways, date, fields, programme, reason, source};
use tonic::Status;
use wire::measure::Subject;
use wire::{
    Direction, FindVisaRulesRequest, GetMeasureRequest, GetMeasureSeriesRequest,
    ListMeasureVersionsRequest, ListMeasuresRequest, ListVisaChangesRequest, Measure,
    MeasureFilter, MeasureFlag, MeasureKind, RecordMeasuresRequest, RecordMeasuresResponse,
    VisaRequirement, VisaRule,
};

both_ways!(Culture:
    figures_are_recorded_all_or_none,
    a_revision_is_a_vintage_and_the_same_again_is_none,
    a_figure_that_is_not_available_is_not_zero,
    two_publishers_stand_side_by_side,
    a_series_grows_like_for_like,
    figures_of_a_programme_and_of_a_pair_are_found,
    what_was_observed_is_kept_apart_from_what_was_inferred,
    the_rule_in_force_on_a_day_is_found_both_ways,
    between_what_sources_saw_a_rule_is_uncertain,
    what_changed_between_two_days_is_listed,
);

fn direction(from: &str, to: &str) -> Direction {
    Direction {
        from: from.into(),
        to: to.into(),
    }
}

fn students(period: &str, value: &str) -> Measure {
    Measure {
        subject: Some(Subject::Direction(direction("KAZ", "CHN"))),
        kind: MeasureKind::Students.into(),
        unit: "persons".into(),
        period: period.into(),
        value: value.into(),
        source: Some(source("A yearbook")),
        ..Measure::default()
    }
}

async fn record(
    client: &CultureClient,
    measures: Vec<Measure>,
) -> Result<RecordMeasuresResponse, Status> {
    let request = RecordMeasuresRequest {
        measures,
        request_id: String::new(),
    };
    Ok(client.clone().record_measures(request).await?.into_inner())
}

async fn get(
    client: &CultureClient,
    name: &str,
    as_of: Option<prost_types::Timestamp>,
) -> Result<Measure, Status> {
    let name = name.into();
    let found = client
        .clone()
        .get_measure(GetMeasureRequest { name, as_of })
        .await?;
    Ok(found.into_inner())
}

/// `period value growth-or-gap` of each line.
async fn series(client: &CultureClient) -> Vec<String> {
    let request = GetMeasureSeriesRequest {
        subject: Some(wire::get_measure_series_request::Subject::Direction(
            direction("KAZ", "CHN"),
        )),
        ..GetMeasureSeriesRequest::default()
    };
    let found = client
        .clone()
        .get_measure_series(request)
        .await
        .unwrap()
        .into_inner();
    let told = found.lines.iter().map(|line| {
        let points = line.points.iter().map(|point| {
            assert!(usize::try_from(point.source).unwrap() <= found.sources.len());
            let gap = point
                .growth_gap()
                .as_str_name()
                .replace("MEASURE_GROWTH_GAP_", "");
            let growth = if point.growth.is_empty() {
                gap
            } else {
                point.growth.clone()
            };
            format!("{} {} {growth}", point.period, point.value)
        });
        points.collect::<Vec<_>>().join(", ")
    });
    told.collect()
}

async fn figures_are_recorded_all_or_none(server: &mut Server) {
    let client = server.culture();
    let wrong = Measure {
        value: "-1".into(),
        unit: "Persons".into(),
        period: "2017-13".into(),
        ..students("2017", "1")
    };
    let refused = record(&client, vec![students("2002", "200"), wrong])
        .await
        .unwrap_err();
    let expected = [
        "measures[1].unit",
        "measures[1].period",
        "measures[1].value",
    ];
    assert_eq!(fields(&refused), expected);
    let twice = record(
        &client,
        vec![students("2002", "200"), students("2002", "201")],
    )
    .await;
    assert_eq!(reason(&twice.unwrap_err()), "InvalidArgument INVALID_FIELD");
    assert!(series(&client).await.is_empty(), "nothing was recorded");
    let recorded = record(
        &client,
        vec![students("2002", "200"), students("2017", "14224")],
    )
    .await;
    let recorded = recorded.unwrap();
    assert_eq!(
        (recorded.new, recorded.revised, recorded.unchanged),
        (2, 0, 0)
    );
    server.restart_without_view().await;
    assert_eq!(
        series(&server.culture()).await,
        ["2002 200 NO_BASE, 2017 14224 NO_BASE"]
    );
}

async fn a_revision_is_a_vintage_and_the_same_again_is_none(server: &mut Server) {
    let client = server.culture();
    let first = record(&client, vec![students("2017", "14224")])
        .await
        .unwrap();
    let name = first.measures[0].name.clone();
    assert!(
        name.starts_with("measures/kaz-chn-students-2017-"),
        "{name}"
    );
    let again = record(&client, vec![students("2017", "14224.0")])
        .await
        .unwrap();
    assert_eq!((again.new, again.revised, again.unchanged), (0, 0, 1));
    assert_eq!(again.measures, first.measures);
    let revised = record(&client, vec![students("2017", "14225")])
        .await
        .unwrap();
    assert_eq!((revised.new, revised.revised, revised.unchanged), (0, 1, 0));
    assert_eq!(get(&client, &name, None).await.unwrap().value, "14225");
    let then = get(&client, &name, first.measures[0].update_time)
        .await
        .unwrap();
    assert_eq!(then, first.measures[0]);
    let versions = ListMeasureVersionsRequest {
        name,
        ..ListMeasureVersionsRequest::default()
    };
    let versions = client
        .clone()
        .list_measure_versions(versions)
        .await
        .unwrap()
        .into_inner();
    let values: Vec<String> = versions
        .versions
        .into_iter()
        .map(|one| one.measure.unwrap().value)
        .collect();
    assert_eq!(values, ["14225", "14224"]);
}

async fn a_figure_that_is_not_available_is_not_zero(server: &mut Server) {
    let client = server.culture();
    let not_available = Measure {
        flags: vec![MeasureFlag::NotAvailable.into()],
        ..students("2003", "")
    };
    let zero = students("2004", "0");
    record(
        &client,
        vec![
            students("2002", "200"),
            not_available,
            zero,
            students("2005", "5"),
        ],
    )
    .await
    .unwrap();
    let expected = "2002 200 NO_BASE, 2003  NOT_AVAILABLE, 2004 0 NOT_AVAILABLE, 2005 5 ZERO_BASE";
    assert_eq!(series(&client).await, [expected]);
    let empty = record(&client, vec![students("2006", "")])
        .await
        .unwrap_err();
    assert_eq!(fields(&empty), ["measures[0].value"]);
    let both = Measure {
        flags: vec![MeasureFlag::NotAvailable.into()],
        ..students("2006", "0")
    };
    assert_eq!(
        fields(&record(&client, vec![both]).await.unwrap_err()),
        ["measures[0].value"]
    );
}

async fn two_publishers_stand_side_by_side(server: &mut Server) {
    let client = server.culture();
    let mut other = students("2017", "13996");
    other.source.as_mut().unwrap().publisher = "A ministry".into();
    let recorded = record(&client, vec![students("2017", "14224"), other])
        .await
        .unwrap();
    assert_eq!(recorded.new, 2);
    assert_eq!(
        series(&client).await,
        ["2017 13996 NO_BASE", "2017 14224 NO_BASE"]
    );
}

async fn a_series_grows_like_for_like(server: &mut Server) {
    let client = server.culture();
    let more_than = Measure {
        flags: vec![MeasureFlag::LowerBound.into()],
        ..students("2018", "14000")
    };
    let figures = vec![
        students("2016", "12000"),
        students("2017", "14224"),
        more_than,
        students("2017-05", "10"),
        students("2018-05", "15"),
    ];
    record(&client, figures).await.unwrap();
    // A month grows from the same month; a year from a year.
    let expected = "2016 12000 NO_BASE, 2017 14224 0.185333, 2017-05 10 NO_BASE, \
                    2018 14000 LOWER_BOUND, 2018-05 15 0.5";
    assert_eq!(series(&client).await, [expected]);
}

async fn figures_of_a_programme_and_of_a_pair_are_found(server: &mut Server) {
    let client = server.culture();
    client
        .clone()
        .create_programme(programme("workshop", &["CHN", "KAZ"], "2023-12"))
        .await
        .unwrap();
    let of_programme = Measure {
        subject: Some(Subject::Programme("programmes/workshop".into())),
        ..students("2024", "60")
    };
    let there = Measure {
        subject: Some(Subject::Direction(direction("CHN", "KAZ"))),
        ..students("2024", "1400")
    };
    record(&client, vec![of_programme, there, students("2024", "3449")])
        .await
        .unwrap();
    let values = async |filter: MeasureFilter| {
        let request = ListMeasuresRequest {
            filter: Some(filter),
            ..ListMeasuresRequest::default()
        };
        let page = client
            .clone()
            .list_measures(request)
            .await
            .unwrap()
            .into_inner();
        let mut values: Vec<String> = page.measures.into_iter().map(|one| one.value).collect();
        values.sort();
        values.join(" ")
    };
    let by_programme = MeasureFilter {
        programme: "programmes/workshop".into(),
        ..MeasureFilter::default()
    };
    assert_eq!(values(by_programme).await, "60");
    let by_pair = MeasureFilter {
        country: "KAZ".into(),
        partner: "CHN".into(),
        ..MeasureFilter::default()
    };
    assert_eq!(values(by_pair.clone()).await, "1400 3449");
    let later = MeasureFilter {
        window: Some(PeriodWindow {
            start: "2025".into(),
            end: String::new(),
        }),
        ..by_pair
    };
    assert_eq!(values(later).await, "");
}

async fn what_was_observed_is_kept_apart_from_what_was_inferred(server: &mut Server) {
    let client = server.culture();
    let mut request = programme("institute", &["CHN", "KAZ"], "2007");
    let institute = request.programme.as_mut().unwrap();
    institute.observed_statuses = vec![wire::ObservedStatus {
        status: wire::ProgrammeStatus::Active.into(),
        date: Some(date("2024")),
        source: 1,
    }];
    institute.inferred_status = Some(wire::InferredStatus {
        status: wire::ProgrammeStatus::Closed.into(),
        date: Some(date("2022")),
        basis: "Its page no longer answers.".into(),
        source: 0,
    });
    client.clone().create_programme(request).await.unwrap();
    let find = async |observed: &[wire::ProgrammeStatus], inferred: &[wire::ProgrammeStatus]| {
        let numbers = |of: &[wire::ProgrammeStatus]| of.iter().map(|one| (*one).into()).collect();
        let request = wire::ListProgrammesRequest {
            filter: Some(wire::ProgrammeFilter {
                observed_statuses: numbers(observed),
                inferred_statuses: numbers(inferred),
                ..wire::ProgrammeFilter::default()
            }),
            ..wire::ListProgrammesRequest::default()
        };
        client
            .clone()
            .list_programmes(request)
            .await
            .unwrap()
            .into_inner()
            .programmes
            .len()
    };
    let (active, closed) = (wire::ProgrammeStatus::Active, wire::ProgrammeStatus::Closed);
    assert_eq!(find(&[active], &[]).await, 1);
    assert_eq!(
        find(&[closed], &[]).await,
        0,
        "an inferred status is never an observed one"
    );
    assert_eq!(find(&[], &[closed]).await, 1);
    assert_eq!(find(&[active], &[active]).await, 0);
}

async fn rule(client: &CultureClient, id: &str, rule: VisaRule) {
    let request = wire::CreateVisaRuleRequest {
        visa_rule_id: id.into(),
        visa_rule: Some(VisaRule {
            sources: vec![source("The consulate's page")],
            ..rule
        }),
        request_id: String::new(),
    };
    client.clone().create_visa_rule(request).await.unwrap();
}

fn of(citizens_of: &str, destination: &str, requirement: VisaRequirement) -> VisaRule {
    VisaRule {
        citizens_of: citizens_of.into(),
        destination: destination.into(),
        requirement: requirement.into(),
        ..VisaRule::default()
    }
}

/// `in force / uncertain` for Chinese in Kazakhstan, and for Kazakhs in China.
async fn on(client: &CultureClient, day: &str) -> [String; 2] {
    let request = FindVisaRulesRequest {
        country: "CHN".into(),
        partner: "KAZ".into(),
        day: Some(date(day)),
        ..FindVisaRulesRequest::default()
    };
    let found = client
        .clone()
        .find_visa_rules(request)
        .await
        .unwrap()
        .into_inner();
    let ids = |rules: &[VisaRule]| {
        let ids = rules.iter().map(|one| one.name.replace("visaRules/", ""));
        ids.collect::<Vec<_>>().join(" ")
    };
    let told = |at: usize| {
        let direction = &found.directions[at];
        format!(
            "{} / {}",
            ids(&direction.in_force),
            ids(&direction.uncertain)
        )
    };
    assert_eq!(found.directions[0].citizens_of, "CHN");
    [told(0), told(1)]
}

async fn the_rule_in_force_on_a_day_is_found_both_ways(server: &mut Server) {
    let client = server.culture();
    let accord = |citizens_of: &str, destination: &str| VisaRule {
        days_allowed: 30,
        start_date: Some(date("2023-11-10")),
        legal_basis: "agreements/visa-exemption-2023".into(),
        ..of(citizens_of, destination, VisaRequirement::VisaFree)
    };
    rule(&client, "chn-kaz-free", accord("CHN", "KAZ")).await;
    rule(&client, "kaz-chn-free", accord("KAZ", "CHN")).await;
    let before = VisaRule {
        end_date: Some(date("2023-11-10")),
        ..of("KAZ", "CHN", VisaRequirement::VisaRequired)
    };
    rule(&client, "kaz-chn-visa", before).await;
    assert_eq!(on(&client, "2023-11-09").await, [" / ", "kaz-chn-visa / "]);
    assert_eq!(
        on(&client, "2023-11-10").await,
        ["chn-kaz-free / ", "kaz-chn-free / "]
    );
}

async fn between_what_sources_saw_a_rule_is_uncertain(server: &mut Server) {
    let client = server.culture();
    let seen = VisaRule {
        start_after: Some(date("2022-07-03")),
        start_date: Some(date("2022-08-03")),
        end_after: Some(date("2023-11-06")),
        end_date: Some(date("2023-12-03")),
        days_allowed: 14,
        ..of("CHN", "KAZ", VisaRequirement::VisaFree)
    };
    rule(&client, "fortnight", seen).await;
    for (day, expected) in [
        ("2022-07-03", " / "),
        ("2022-07-04", " / fortnight"),
        ("2022-08-03", "fortnight / "),
        ("2023-11-06", "fortnight / "),
        ("2023-11-07", " / fortnight"),
        ("2023-12-03", " / "),
    ] {
        assert_eq!(on(&client, day).await[0], expected, "on {day}");
    }
}

async fn what_changed_between_two_days_is_listed(server: &mut Server) {
    let client = server.culture();
    let free = VisaRule {
        start_date: Some(date("2023-11-10")),
        days_allowed: 30,
        ..of("CHN", "KAZ", VisaRequirement::VisaFree)
    };
    rule(&client, "free", free).await;
    let visa = VisaRule {
        end_date: Some(date("2023-11-10")),
        ..of("CHN", "KAZ", VisaRequirement::VisaRequired)
    };
    rule(&client, "visa", visa).await;
    let changes = async |start: &str, end: &str| {
        let request = ListVisaChangesRequest {
            country: "KAZ".into(),
            partner: "CHN".into(),
            start_day: Some(date(start)),
            end_day: Some(date(end)),
            as_of: None,
        };
        let found = client
            .clone()
            .list_visa_changes(request)
            .await?
            .into_inner();
        let of_china = &found.directions[1];
        assert_eq!(
            (of_china.citizens_of.as_str(), of_china.destination.as_str()),
            ("CHN", "KAZ")
        );
        let told = of_china.changes.iter().map(|change| {
            let name = &change.visa_rule.as_ref().unwrap().name;
            format!(
                "{}{}",
                if change.ended { "-" } else { "+" },
                name.replace("visaRules/", "")
            )
        });
        let mut told: Vec<String> = told.collect();
        told.sort();
        Ok::<_, Status>(format!("{} {}", of_china.differs, told.join(" ")))
    };
    assert_eq!(
        changes("2023-01-01", "2024-01-01").await.unwrap(),
        "true +free -visa"
    );
    assert_eq!(changes("2023-11-10", "2024-01-01").await.unwrap(), "false ");
    let backwards = changes("2024-01-01", "2023-01-01").await.unwrap_err();
    assert_eq!(fields(&backwards), ["end_day"]);
}
