//! Figures of sectors, and figures brought from one revision to another: never split.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use tests::wire::{
    ConcordanceRow, Conversion, Flow, Frequency, GetSeriesRequest, RankCommoditiesRequest,
    RankPartnersRequest, Ranking, RecordConcordanceRequest, Relation, Series, SeriesPoint,
};
use tests::with_figures;
use tests::{Client, Server, both_ways, entries, fields, growth, reason, sector, source};
use tonic::Status;

both_ways!(
    a_sector_is_the_sum_over_its_codes,
    a_sector_is_followed_into_the_revision_before_as_a_whole,
    a_sector_that_would_have_to_be_split_has_no_value_there,
    a_code_is_brought_back_to_the_revision_asked_for,
    a_code_that_split_is_not_carried_forward,
    sectors_are_ranked_and_those_to_be_split_stand_apart,
    partners_are_ranked_by_a_sector,
    a_sector_that_is_not_there_is_told,
);

/// Of solar cells, H5 knows one code where H6 has two; lithium cells are the same in both.
const TABLE: [(&str, &str); 4] = [
    ("854142", "854140"),
    ("854143", "854140"),
    ("850760", "850760"),
    ("870380", "870380"),
];

const FIGURES: &str = "CHN KAZ X H5 TOTAL 2021 1000
                       CHN KAZ X H5 854140 2021 100
                       CHN KAZ X H5 850760 2021 40
                       CHN KAZ X H6 TOTAL 2022 2000
                       CHN KAZ X H6 854142 2022 90
                       CHN KAZ X H6 854143 2022 60
                       CHN KAZ X H6 850760 2022 50
                       CHN KAZ X H6 870380 2022 400 estimated
                       CHN KGZ X H6 854142 2022 10";

async fn start(server: &Server) -> Client {
    let client = with_figures(server, FIGURES).await;
    let row = |(from, to): (&str, &str)| ConcordanceRow {
        from_code: from.into(),
        to_code: to.into(),
        ..ConcordanceRow::default()
    };
    let table = RecordConcordanceRequest {
        from: "H6".into(),
        to: "H5".into(),
        rows: TABLE.map(row).to_vec(),
        source: Some(source("Correlation table")),
        validate_only: false,
    };
    client.clone().record_concordance(table).await.unwrap();
    let sectors = [
        sector("solar", &["854142", "854143"]),
        sector("panels", &["854143"]),
        sector("electric", &["850760", "870380"]),
    ];
    for sector in sectors {
        client.clone().create_sector(sector).await.unwrap();
    }
    client
}

fn years(sector: &str) -> GetSeriesRequest {
    GetSeriesRequest {
        parent: "datasets/comtrade".into(),
        reporter: "CHN".into(),
        partner: "KAZ".into(),
        flow: Flow::Export.into(),
        frequency: Frequency::Year.into(),
        sector: sector.into(),
        ..GetSeriesRequest::default()
    }
}

async fn series(client: &Client, request: GetSeriesRequest) -> Result<Series, Status> {
    Ok(client.clone().get_series(request).await?.into_inner())
}

/// Each point as `period classification value growth`.
fn lines(series: &Series) -> Vec<String> {
    let line = |point: &SeriesPoint| {
        let growth = growth(point.growth.as_ref());
        let SeriesPoint {
            period,
            classification,
            value,
            ..
        } = point;
        format!("{period} {classification} {value} {growth}")
    };
    series.points.iter().map(line).collect()
}

/// A conversion as `from codes -> to codes RELATION exact`.
fn words(conversion: &Conversion) -> String {
    let Conversion {
        from,
        from_codes,
        to,
        to_codes,
        exact,
        ..
    } = conversion;
    let relation = conversion.relation().as_str_name();
    let relation = relation.trim_start_matches("RELATION_");
    let (from_codes, to_codes) = (from_codes.join(","), to_codes.join(","));
    format!("{from} {from_codes} -> {to} {to_codes} {relation} {exact}")
}

/// 50 + 400 = 450 in 2022; of 2021 only the cells were published, 40: 450 / 40 − 1 = 10.25.
async fn a_sector_is_the_sum_over_its_codes(server: &mut Server) {
    let client = start(server).await;
    let found = series(&client, years("sectors/electric")).await.unwrap();
    assert_eq!(
        (found.sector.as_str(), found.code.as_str()),
        ("sectors/electric", "")
    );
    assert_eq!(
        lines(&found),
        ["2021 H5 40 BASE_NOT_PUBLISHED", "2022 H6 450 10.25"]
    );
    assert_eq!(found.points[1].figures, 2);
    assert_eq!(
        found.points[1].flags.len(),
        1,
        "estimated, as one of them is"
    );
    server.restart_without_view().await;
    let again = series(&server.client(), years("sectors/electric")).await;
    assert_eq!(again.unwrap(), found);
}

/// Both codes of 2022 were one in 2021: 90 + 60 = 150, and 150 / 100 − 1 = 0.5.
async fn a_sector_is_followed_into_the_revision_before_as_a_whole(server: &mut Server) {
    let client = start(server).await;
    let found = series(&client, years("sectors/solar")).await.unwrap();
    assert_eq!(
        lines(&found),
        ["2021 H5 100 BASE_NOT_PUBLISHED", "2022 H6 150 0.5"]
    );
    let conversion = found.points[0].conversion.as_ref().unwrap();
    assert_eq!(
        words(conversion),
        "H5 854140 -> H6 854142,854143 ONE_TO_MANY true"
    );
    assert_eq!(conversion.path, ["H5", "H6"]);
    assert_eq!(found.points[1].conversion, None);
}

async fn a_sector_that_would_have_to_be_split_has_no_value_there(server: &mut Server) {
    let client = start(server).await;
    let found = series(&client, years("sectors/panels")).await.unwrap();
    assert_eq!(
        lines(&found),
        [
            "2021 H5  BASE_NOT_PUBLISHED",
            "2022 H6 60 CLASSIFICATION_DIFFERS"
        ]
    );
    let conversion = found.points[0].conversion.as_ref().unwrap();
    assert!(!conversion.exact);
}

/// What H6 has in two codes is one in H5: 90 + 60.
async fn a_code_is_brought_back_to_the_revision_asked_for(server: &mut Server) {
    let client = start(server).await;
    let asked = GetSeriesRequest {
        sector: String::new(),
        code: "854140".into(),
        classification: "H5".into(),
        convert: true,
        ..years("")
    };
    let found = series(&client, asked.clone()).await.unwrap();
    assert_eq!(
        lines(&found),
        ["2021 H5 100 BASE_NOT_PUBLISHED", "2022 H5 150 0.5"]
    );
    assert_eq!(found.points[0].conversion, None);
    let conversion = found.points[1].conversion.as_ref().unwrap();
    assert_eq!(
        words(conversion),
        "H6 854142,854143 -> H5 854140 MANY_TO_ONE true"
    );
    assert_eq!(conversion.relation(), Relation::ManyToOne);
    let unconverted = GetSeriesRequest {
        convert: false,
        ..asked
    };
    let found = series(&client, unconverted).await.unwrap();
    assert_eq!(lines(&found), ["2021 H5 100 BASE_NOT_PUBLISHED"]);
}

async fn a_code_that_split_is_not_carried_forward(server: &mut Server) {
    let client = start(server).await;
    let asked = GetSeriesRequest {
        sector: String::new(),
        code: "854143".into(),
        classification: "H6".into(),
        convert: true,
        ..years("")
    };
    let found = series(&client, asked).await.unwrap();
    assert_eq!(
        lines(&found),
        [
            "2021 H6  BASE_NOT_PUBLISHED",
            "2022 H6 60 CLASSIFICATION_DIFFERS"
        ]
    );
    assert!(!found.points[0].conversion.as_ref().unwrap().exact);
}

async fn rank_sectors(client: &Client, period: &str) -> Ranking {
    let request = RankCommoditiesRequest {
        parent: "datasets/comtrade".into(),
        reporter: "CHN".into(),
        partner: "KAZ".into(),
        flow: Flow::Export.into(),
        sectors: true,
        period: period.into(),
        ..RankCommoditiesRequest::default()
    };
    let ranking = client.clone().rank_commodities(request).await;
    ranking.expect("a ranking").into_inner()
}

/// Of 2,000 in 2022: 450, 150 and 60; of 1,000 in 2021: 100 and 40, and the panels cannot be told.
async fn sectors_are_ranked_and_those_to_be_split_stand_apart(server: &mut Server) {
    let client = start(server).await;
    let ranking = rank_sectors(&client, "2022").await;
    assert_eq!(
        entries(&ranking),
        [
            "1 sectors/electric 450 0.225 10.25 2",
            "2 sectors/solar 150 0.075 0.5 1",
            "3 sectors/panels 60 0.03 BASE_NOT_PUBLISHED 0",
        ]
    );
    assert_eq!(ranking.entries[0].display_name, "Goods of electric");
    assert_eq!(
        (ranking.rest, ranking.unallocated, ranking.concentration),
        (None, None, None)
    );
    let ranking = rank_sectors(&client, "2021").await;
    let keys: Vec<_> = ranking
        .entries
        .iter()
        .map(|e| (e.rank, e.key.as_str()))
        .collect();
    assert_eq!(
        keys,
        [
            (1, "sectors/solar"),
            (2, "sectors/electric"),
            (0, "sectors/panels")
        ]
    );
    let apart = &ranking.entries[2];
    assert!(apart.value.is_empty() && !apart.conversion.as_ref().unwrap().exact);
}

async fn partners_are_ranked_by_a_sector(server: &mut Server) {
    let client = start(server).await;
    let request = RankPartnersRequest {
        parent: "datasets/comtrade".into(),
        reporter: "CHN".into(),
        flow: Flow::Export.into(),
        sector: "sectors/solar".into(),
        period: "2022".into(),
        ..RankPartnersRequest::default()
    };
    let ranking = client
        .clone()
        .rank_partners(request)
        .await
        .unwrap()
        .into_inner();
    // 150 of 160 and 10 of 160.
    assert_eq!(
        entries(&ranking),
        [
            "1 KAZ 150 0.9375 0.5 1",
            "2 KGZ 10 0.0625 BASE_NOT_PUBLISHED 0"
        ]
    );
    assert_eq!(ranking.sector, "sectors/solar");
}

async fn a_sector_that_is_not_there_is_told(server: &mut Server) {
    let client = start(server).await;
    let missing = series(&client, years("sectors/nothing")).await.unwrap_err();
    assert_eq!(reason(&missing), "NotFound NOT_FOUND");
    let both = GetSeriesRequest {
        code: "TOTAL".into(),
        ..years("sectors/solar")
    };
    let refused = series(&client, both).await.unwrap_err();
    assert_eq!(fields(&refused), ["sector"]);
    let neither = series(&client, years("")).await.unwrap_err();
    assert_eq!(fields(&neither), ["code"]);
}
