//! What became of programmes and visa rules between two countries, by date.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, wherever it does"
)]

use proto::culture::v1 as wire;
use proto::r#type::v1::DateWindow;
use tests::{CultureClient, Server, both_ways, date, fields, pages, programme, reason, source};
use wire::timeline_entry::Entry;
use wire::timeline_milestone::Point;
use wire::{
    CreateVisaRuleRequest, ListTimelineRequest, Milestone, MilestoneKind, Programme, ProgrammeBound,
};
use wire::{TimelineEntry, TimelineKind, UpdateProgrammeRequest, VisaRequirement, VisaRule};

both_ways!(Culture:
    milestones_starts_ends_and_rules_are_in_one_order,
    pages_are_the_timeline_both_ways,
    an_earlier_instant_knows_nothing_later,
    a_window_holds_what_may_lie_in_it,
    a_bad_question_names_every_field,
);

fn told(entry: &TimelineEntry) -> String {
    let date = proto::stored_date(entry.date).unwrap();
    match entry.entry.as_ref().unwrap() {
        Entry::Milestone(told) => {
            let what = match told.point.as_ref().unwrap() {
                Point::Milestone(milestone) => milestone.kind().as_str_name().to_owned(),
                Point::Bound(bound) => {
                    let bound = ProgrammeBound::try_from(*bound).unwrap();
                    bound.as_str_name().to_owned()
                }
            };
            let what = what.rsplit('_').next().unwrap().to_lowercase();
            format!(
                "{date} {} {what}",
                told.programme.replace("programmes/", "")
            )
        }
        Entry::VisaChange(told) => {
            let rule = told.visa_rule.as_ref().unwrap();
            let what = if told.ended { "ended" } else { "began" };
            let after = proto::stored_date(told.after).map(|after| format!(" after {after}"));
            let name = rule.name.replace("visaRules/", "");
            format!("{date} {name} {what}{}", after.unwrap_or_default())
        }
    }
}

async fn timeline(
    client: &CultureClient,
    asked: ListTimelineRequest,
    page_size: i32,
) -> Vec<String> {
    let pages = pages(async |page_token| {
        let request = ListTimelineRequest {
            country: "KAZ".into(),
            partner: "CHN".into(),
            page_size,
            page_token,
            ..asked.clone()
        };
        let page = client.clone().list_timeline(request).await.unwrap();
        let page = page.into_inner();
        assert!(page.entries.len() <= usize::try_from(page_size).unwrap());
        (page.entries, page.next_page_token)
    });
    pages.await.concat().iter().map(told).collect()
}

/// A programme with milestones as kind and date.
async fn programme_with(
    client: &CultureClient,
    id: &str,
    start: &str,
    end: &str,
    milestones: &[(MilestoneKind, &str)],
) {
    let milestone = |(kind, when): &(MilestoneKind, &str)| Milestone {
        kind: (*kind).into(),
        date: Some(date(when)),
        source: 1,
        note: String::new(),
    };
    let mut request = programme(id, &["CHN", "KAZ"], start);
    let with = request.programme.as_mut().unwrap();
    with.end_date = (!end.is_empty()).then(|| date(end));
    with.milestones = milestones.iter().map(milestone).collect();
    client.clone().create_programme(request).await.unwrap();
}

/// A visa rule with dates as `after start after end`, `-` for none.
async fn rule(client: &CultureClient, id: &str, dates: &str) {
    let dates: Vec<_> = dates
        .split(' ')
        .map(|text| (text != "-").then(|| date(text)))
        .collect();
    let request = CreateVisaRuleRequest {
        visa_rule_id: id.into(),
        visa_rule: Some(VisaRule {
            citizens_of: "CHN".into(),
            destination: "KAZ".into(),
            requirement: VisaRequirement::VisaFree.into(),
            start_after: dates[0],
            start_date: dates[1],
            end_after: dates[2],
            end_date: dates[3],
            sources: vec![source("The agreement")],
            ..VisaRule::default()
        }),
        request_id: String::new(),
    };
    client.clone().create_visa_rule(request).await.unwrap();
}

async fn relationship(client: &CultureClient) {
    let workshop = [
        (MilestoneKind::Opened, "2023-12-09"),
        (MilestoneKind::Announced, "2023"),
        (MilestoneKind::Opened, "2023-12"),
    ];
    programme_with(client, "workshop", "2023-12-09", "2025-01-01", &workshop).await;
    programme_with(client, "year", "2024", "", &[]).await;
    let closed = [(MilestoneKind::Closed, "2024-03")];
    programme_with(client, "closed", "2024-03", "2024-03", &closed).await;
    rule(client, "free", "- 2023-11-10 - -").await;
    rule(
        client,
        "seen",
        "2023-01-01 2023-12-09 2024-02-01 2024-03-05",
    )
    .await;
    rule(client, "always", "- - - 2023-11-10").await;
    let others = programme("others", &["CHN", "UZB"], "2024");
    client.clone().create_programme(others).await.unwrap();
}

const ALL: [&str; 11] = [
    "2023 workshop announced",
    "2023-11-10 always ended",
    "2023-11-10 free began",
    "2023-12 workshop opened",
    "2023-12-09 workshop opened",
    "2023-12-09 seen began after 2023-01-01",
    "2024 year start",
    "2024-03 closed closed",
    "2024-03 closed start",
    "2024-03-05 seen ended after 2024-02-01",
    "2025-01-01 workshop end",
];

async fn milestones_starts_ends_and_rules_are_in_one_order(server: &mut Server) {
    let client = server.culture();
    relationship(&client).await;
    let all = timeline(&client, ListTimelineRequest::default(), 100).await;
    assert_eq!(all, ALL);
    let only = |kind: TimelineKind| ListTimelineRequest {
        kinds: vec![kind.into()],
        ..ListTimelineRequest::default()
    };
    let rules = timeline(&client, only(TimelineKind::VisaRule), 2).await;
    assert_eq!(rules, [ALL[1], ALL[2], ALL[5], ALL[9]]);
    let milestones = timeline(&client, only(TimelineKind::Milestone), 2).await;
    assert_eq!(milestones.len(), ALL.len() - rules.len());
}

async fn pages_are_the_timeline_both_ways(server: &mut Server) {
    let client = server.culture();
    relationship(&client).await;
    for page_size in 1..=12 {
        let forward = timeline(&client, ListTimelineRequest::default(), page_size).await;
        assert_eq!(forward, ALL);
        let descending = ListTimelineRequest {
            descending: true,
            ..ListTimelineRequest::default()
        };
        let mut back = timeline(&client, descending, page_size).await;
        back.reverse();
        assert_eq!(back, ALL);
    }
}

async fn an_earlier_instant_knows_nothing_later(server: &mut Server) {
    let client = server.culture();
    programme_with(&client, "year", "2024", "", &[]).await;
    let asked = wire::GetProgrammeRequest {
        name: "programmes/year".into(),
        as_of: None,
    };
    let found = client.clone().get_programme(asked).await.unwrap();
    let then = found.into_inner().update_time;
    let moved = UpdateProgrammeRequest {
        programme: Some(Programme {
            name: "programmes/year".into(),
            start_date: Some(date("2025")),
            ..Programme::default()
        }),
        ..UpdateProgrammeRequest::default()
    };
    client.clone().update_programme(moved).await.unwrap();
    let now = timeline(&client, ListTimelineRequest::default(), 1).await;
    assert_eq!(now, ["2025 year start"]);
    let asked = ListTimelineRequest {
        as_of: then,
        ..ListTimelineRequest::default()
    };
    assert_eq!(timeline(&client, asked, 1).await, ["2024 year start"]);
    server.restart_without_view().await;
    let again = timeline(&server.culture(), ListTimelineRequest::default(), 1).await;
    assert_eq!(again, now);
}

async fn a_window_holds_what_may_lie_in_it(server: &mut Server) {
    let client = server.culture();
    relationship(&client).await;
    let window = |start: &str, end: &str| ListTimelineRequest {
        window: Some(DateWindow {
            start: Some(date(start)),
            end: Some(date(end)),
        }),
        ..ListTimelineRequest::default()
    };
    let december = timeline(&client, window("2023-12-05", "2024"), 2).await;
    assert_eq!(december, [ALL[0], ALL[3], ALL[4], ALL[5]]);
    let march = timeline(&client, window("2024-03-05", "2024-03-06"), 1).await;
    assert_eq!(march, [ALL[6], ALL[7], ALL[8], ALL[9]]);
}

async fn a_bad_question_names_every_field(server: &mut Server) {
    let wrong = ListTimelineRequest {
        country: "chn".into(),
        partner: "KAZ".into(),
        kinds: vec![1, 7],
        page_size: -1,
        ..ListTimelineRequest::default()
    };
    let refused = server.culture().list_timeline(wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    assert_eq!(fields(&refused), ["page_size", "country", "kinds[1]"]);
}
