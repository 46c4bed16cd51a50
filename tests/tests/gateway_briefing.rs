//! Briefings: what a desk officer is told of two countries, and what when a service does not answer.

use std::collections::BTreeSet;
use std::time::Duration;

use prost::Message;
use proto::culture::v1::measure::Subject;
use proto::culture::v1::{
    CreateVisaRuleRequest, Direction, Measure, MeasureKind, RecordMeasuresRequest, VisaRequirement,
    VisaRule,
};
use proto::events::v1::record_change::Record;
use proto::events::v1::{Link, LinkKind, OfficeLevel, StepKind};
use proto::gateway::v1::relationship_change::Change;
use proto::gateway::v1::{
    Audience, Briefing, BriefingSection as Section, ChangesSection, GetBriefingRequest,
    OmissionReason,
};
use tests::wire::Verdict;
use tests::{
    Role, Setting, World, agreement, build_binary, dataset, date, event, fields, programme, reason,
    record, sector, source, statement, within_limit,
};
use tonic::{Code, Request};

/// Both sides of two years, a half year of one, and chapters of the last year.
const FIGURES: &str = "
    CHN KAZ X NA TOTAL 2022 14000000000
    CHN KAZ M NA TOTAL 2022 10200000000
    CHN KAZ X NA TOTAL 2023 16000000000
    CHN KAZ M NA TOTAL 2023 11000000000
    CHN KAZ X NA TOTAL 2024-01..2024-05 7000000000
    CHN KAZ X NA TOTAL 2024 20000000000
    CHN KAZ X H6 87 2022 1000000000
    CHN KAZ X H6 85 2022 3200000000
    CHN KAZ X H6 87 2023 2500000000
    CHN KAZ X H6 85 2023 2400000000
    KAZ CHN M NA TOTAL 2022 8200000000
    KAZ CHN X NA TOTAL 2022 9800000000
    KAZ CHN M NA TOTAL 2023 9000000000
";

fn asked() -> GetBriefingRequest {
    GetBriefingRequest {
        country: "KAZ".into(),
        partner: "CHN".into(),
        period: "2024-01..2024-05".into(),
        day: Some(date("2024-07-01")),
        ..GetBriefingRequest::default()
    }
}

async fn record_figures(world: &World, dataset_id: &str, table: &str) {
    let mut trade = world.trade_client();
    trade
        .create_dataset(dataset(dataset_id))
        .await
        .expect("recorded");
    record(&trade, dataset_id, "first", table).await;
}

/// What passed between the two by July 2024, and what came later.
async fn record_all(world: &World) {
    record_figures(world, "comtrade", FIGURES).await;
    let mut trade = world.trade_client();
    trade
        .create_sector(sector("automobiles", &["87"]))
        .await
        .expect("recorded");
    let said = statement("said-2023", "CHN", &["KAZ"], "2023", "27000000000");
    trade.create_statement(said).await.expect("recorded");
    let later = statement("said-2024", "CHN", &["KAZ"], "2024", "44000000000");
    trade.create_statement(later).await.expect("recorded");
    let mut events = world.events_client();
    for (id, countries, start, end) in [
        (
            "state-visit",
            &["CHN", "KAZ"][..],
            "2024-07-02",
            "2024-07-04",
        ),
        ("working-visit", &["CHN", "KAZ"], "2022-02-05", ""),
        ("summit", &["CHN", "KAZ", "KGZ"], "2023-05-18", "2023-05-19"),
        ("next-year", &["CHN", "KAZ"], "2025-06-16", ""),
    ] {
        let level = OfficeLevel::HeadOfState;
        let visit = event(id, countries, level, start, end);
        events.create_event(visit).await.expect("recorded");
    }
    for (id, steps) in [
        (
            "visas",
            &[
                (StepKind::Signed, "2023-05-17"),
                (StepKind::EnteredIntoForce, "2023-11-10"),
                (StepKind::Denounced, "2025-01-01"),
            ][..],
        ),
        ("later", &[(StepKind::Signed, "2025-06-17")]),
    ] {
        let accord = agreement(id, &["CHN", "KAZ"], steps);
        events.create_agreement(accord).await.expect("recorded");
    }
    let mut culture = world.culture_client();
    for (id, start) in [("tourism-year", "2024"), ("workshop-2025", "2025-08-30")] {
        let created = programme(id, &["CHN", "KAZ"], start);
        culture.create_programme(created).await.expect("recorded");
    }
    culture
        .create_visa_rule(visa_rule())
        .await
        .expect("recorded");
    culture.record_measures(students()).await.expect("recorded");
}

fn visa_rule() -> CreateVisaRuleRequest {
    CreateVisaRuleRequest {
        visa_rule_id: "kaz-chn".into(),
        visa_rule: Some(VisaRule {
            citizens_of: "KAZ".into(),
            destination: "CHN".into(),
            requirement: VisaRequirement::VisaFree.into(),
            days_allowed: 30,
            start_date: Some(date("2023-11-10")),
            sources: vec![source("The accord")],
            ..VisaRule::default()
        }),
        request_id: String::new(),
    }
}

fn students() -> RecordMeasuresRequest {
    let figure = |period: &str, value: &str| Measure {
        subject: Some(Subject::Direction(Direction {
            from: "KAZ".into(),
            to: "CHN".into(),
        })),
        kind: MeasureKind::Students.into(),
        unit: "persons".into(),
        period: period.into(),
        value: value.into(),
        source: Some(source("The ministry's table")),
        ..Measure::default()
    };
    RecordMeasuresRequest {
        measures: vec![
            figure("2022", "10000"),
            figure("2023", "12000"),
            figure("2025", "20000"),
        ],
        request_id: String::new(),
    }
}

async fn briefing(world: &World, asked: GetBriefingRequest) -> Briefing {
    let answer = world.gateway_client().get_briefing(asked).await;
    answer.expect("a briefing").into_inner()
}

async fn tell(setting: Setting, story: impl AsyncFnOnce(&World)) {
    build_binary().await;
    within_limit(async {
        let world = World::start(setting).await;
        record_all(&world).await;
        story(&world).await;
        world.stop().await;
    })
    .await;
}

tests::both_settings!(
    every_section_tells_what_is_known_by_the_day,
    trade_stands_by_side_with_its_growth_and_its_gap,
    sources_are_numbered_once_and_every_number_leads_to_one,
    a_document_has_one_number_whatever_is_noted_of_it,
    an_instant_to_come_is_told_on_the_day_of_today,
    the_same_question_gets_the_same_answer_until_something_is_recorded,
    the_past_is_told_as_it_was_known,
    what_was_recorded_since_is_told_in_order,
    what_changed_is_told_as_it_was_known_on_the_day,
    many_figures_hide_no_record,
    the_public_is_told_what_sources_let_out,
    a_question_is_refused_with_all_that_is_wrong_with_it,
);

async fn every_section_tells_what_is_known_by_the_day(world: &World) {
    let told = briefing(world, asked()).await;
    assert_eq!((&*told.country, &*told.partner), ("CHN", "KAZ"));
    assert!(told.unreachable.is_empty(), "{:?}", told.unreachable);

    let meetings = told.meetings.as_ref().expect("told");
    let first = &meetings.levels[0];
    assert_eq!(first.level(), OfficeLevel::HeadOfState);
    let name = |point: &Option<proto::gateway::v1::EventPoint>| {
        let event = point.as_ref().and_then(|point| point.event.as_ref());
        event.map(|event| event.name.clone()).unwrap_or_default()
    };
    assert_eq!(name(&first.last), "events/summit");
    assert_eq!(name(&first.last_bilateral), "events/working-visit");
    assert_eq!(name(&first.next), "events/state-visit");

    let events = told.events.as_ref().expect("told");
    let names = |points: &[proto::gateway::v1::EventPoint]| {
        let events = points.iter().filter_map(|point| point.event.as_ref());
        events.map(|event| event.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        names(&events.bilateral),
        ["events/working-visit", "events/state-visit"]
    );
    assert_eq!(names(&events.multilateral), ["events/summit"]);

    let agreements = &told.agreements.as_ref().expect("told").agreements;
    assert_eq!(agreements.len(), 1, "{agreements:?}");
    let on_day = agreements[0].agreement.as_ref().expect("told");
    assert_eq!(on_day.state().as_str_name(), "AGREEMENT_STATE_IN_FORCE");
    let steps = &on_day.agreement.as_ref().expect("told").steps;
    assert_eq!(steps.len(), 2, "a step after the day is not told");

    let exchange = told.exchange.as_ref().expect("told");
    assert_eq!(exchange.programmes.len(), 1);
    let points = &exchange.measures[0].line.as_ref().expect("told").points;
    let values: Vec<&str> = points.iter().map(|point| point.value.as_str()).collect();
    assert_eq!(
        values,
        ["10000", "12000"],
        "the latest by the day, and its base"
    );
    assert_eq!(points[1].growth, "0.2");

    let visa = &told.visa.as_ref().expect("told").directions;
    assert_eq!(visa.len(), 2);
    assert!(visa[0].in_force.is_empty());
    assert_eq!(visa[1].in_force.len(), 1);

    let left: Vec<_> = told
        .omissions
        .iter()
        .map(|omission| (omission.section(), omission.reason(), omission.count))
        .collect();
    let after = OmissionReason::AfterDay;
    assert_eq!(
        left,
        [
            (Section::Trade, after, 1),
            (Section::Agreements, after, 1),
            (Section::Exchange, after, 1),
        ]
    );
}

async fn trade_stands_by_side_with_its_growth_and_its_gap(world: &World) {
    let told = briefing(world, asked()).await;
    let trade = told.trade.expect("told");
    let reporters: Vec<&str> = trade
        .sides
        .iter()
        .map(|side| side.reporter.as_str())
        .collect();
    assert_eq!(reporters, ["CHN", "KAZ"]);
    let exports = trade.sides[0].series.iter().find(|series| {
        series.flow().as_str_name() == "FLOW_EXPORT" && series.points[0].period == "2022"
    });
    let points = &exports.expect("told").points;
    let told: Vec<(&str, &str)> = points
        .iter()
        .map(|point| (point.period.as_str(), point.value.as_str()))
        .collect();
    assert_eq!(
        told,
        [("2022", "14000000000"), ("2023", "16000000000")],
        "2024 had not ended"
    );
    let mirror = trade.mirrors.iter().find(|mirror| mirror.period == "2022");
    let way = mirror
        .expect("told")
        .first_to_second
        .as_ref()
        .expect("told");
    let line = way.total.as_ref().expect("told");
    assert_eq!(line.gap, "5800000000");
    assert_eq!(line.asymmetry.as_ref().expect("told").of_mean, "0.522523");
    assert_ne!(
        line.gap_at_fob, "",
        "an import at CIF against an export at FOB"
    );

    let movers = &trade.sides[0].movers;
    let of = |level: i32| {
        movers
            .iter()
            .find(|movers| movers.level == level)
            .expect("told")
    };
    let chapters = of(2);
    assert_eq!(
        chapters.period, "2023",
        "the last year that was published by chapter"
    );
    let moved: Vec<(&str, &str)> = chapters
        .movers
        .iter()
        .map(|mover| {
            (
                mover.entry.as_ref().expect("told").key.as_str(),
                mover.change.as_str(),
            )
        })
        .collect();
    assert_eq!(moved, [("87", "1500000000"), ("85", "-800000000")]);
    let sectors: Vec<&str> = of(0)
        .movers
        .iter()
        .map(|mover| mover.entry.as_ref().expect("told").key.as_str())
        .collect();
    assert_eq!(sectors, ["sectors/automobiles"]);

    assert_eq!(trade.statements.len(), 1);
    let check = trade.statements[0].check.as_ref().expect("told");
    assert_eq!(check.verdict(), Verdict::Supported);
}

async fn sources_are_numbered_once_and_every_number_leads_to_one(world: &World) {
    let told = briefing(world, asked()).await;
    let count = told.sources.len();
    let mut cited = BTreeSet::new();
    let trade = told.trade.expect("told");
    for point in trade
        .sides
        .iter()
        .flat_map(|side| &side.series)
        .flat_map(|series| &series.points)
    {
        cited.insert(point.source);
        cited.extend(&point.sources);
        let growth = point.growth.iter();
        cited.extend(growth.flat_map(|growth| &growth.base_sources));
    }
    cited.extend(trade.statements.iter().map(|point| point.source));
    let events = told.events.expect("told");
    for point in events.bilateral.iter().chain(&events.multilateral) {
        assert!(point.event.as_ref().expect("told").sources.is_empty());
        cited.extend(&point.sources);
    }
    for point in told.agreements.expect("told").agreements {
        let agreement = point.agreement.expect("told").agreement.expect("told");
        cited.extend(agreement.steps.iter().map(|step| step.source));
        cited.extend(&point.sources);
    }
    let exchange = told.exchange.expect("told");
    cited.extend(exchange.programmes.iter().flat_map(|point| &point.sources));
    let lines = exchange
        .measures
        .iter()
        .filter_map(|figure| figure.line.as_ref());
    cited.extend(
        lines
            .flat_map(|line| &line.points)
            .map(|point| point.source),
    );
    for direction in told.visa.expect("told").directions {
        cited.extend(direction.in_force.iter().flat_map(|point| &point.sources));
    }
    cited.remove(&0);
    let all: BTreeSet<i32> = (1..=i32::try_from(count).expect("told")).collect();
    assert_eq!(cited, all);
    let distinct: BTreeSet<Vec<u8>> = told.sources.iter().map(Message::encode_to_vec).collect();
    assert_eq!(distinct.len(), count, "no source has two numbers");
}

async fn a_document_has_one_number_whatever_is_noted_of_it(world: &World) {
    let before = briefing(world, asked()).await;
    let noted = |id: &str, day: &str, note: &str| {
        let mut call = event(id, &["CHN", "KAZ"], OfficeLevel::Minister, day, "");
        call.event.as_mut().expect("told").sources[0].note = note.into();
        call
    };
    for call in [
        noted("first", "2024-06-01", "Quotes the ministry."),
        noted("second", "2024-06-02", "The date is read from its address."),
    ] {
        let mut events = world.events_client();
        events.create_event(call).await.expect("recorded");
    }
    let told = briefing(world, asked()).await;
    assert_eq!(told.sources.len(), before.sources.len());
    let events = told.events.expect("told").bilateral;
    let numbers: BTreeSet<&Vec<i32>> = events.iter().map(|point| &point.sources).collect();
    assert_eq!(numbers.len(), 1, "all are known from one announcement");
    let number = usize::try_from(events[0].sources[0]).expect("a number");
    assert_eq!(
        told.sources[number - 1].note,
        "The date is read from its address. Quotes the ministry.",
        "in the order in which they are cited"
    );
}

async fn an_instant_to_come_is_told_on_the_day_of_today(world: &World) {
    let today = async || {
        let mut now = asked();
        (now.period, now.day) = (String::new(), None);
        briefing(world, now).await
    };
    let before = today().await;
    let mut later = asked();
    (later.period, later.day) = (String::new(), None);
    later.as_of = Some(prost_types::Timestamp {
        seconds: 32_503_680_000,
        nanos: 0,
    });
    let told = briefing(world, later).await;
    let after = today().await;
    // Midnight may pass meanwhile.
    let days = [(before.day, before.period), (after.day, after.period)];
    assert!(days.contains(&(told.day, told.period)), "{:?}", told.day);
}

async fn the_same_question_gets_the_same_answer_until_something_is_recorded(world: &World) {
    let first = briefing(world, asked()).await;
    let again = briefing(world, asked()).await;
    assert_eq!(first, again);
    let mut other_way = asked();
    std::mem::swap(&mut other_way.country, &mut other_way.partner);
    assert_eq!(
        briefing(world, other_way).await,
        first,
        "a pair has no order"
    );
    for number in 0..20 {
        let call = event(
            &format!("call-{number}"),
            &["CHN", "KAZ"],
            OfficeLevel::Minister,
            &format!("2024-06-{:02}", number + 1),
            "",
        );
        world
            .events_client()
            .create_event(call)
            .await
            .expect("recorded");
        let told = briefing(world, asked()).await;
        let known = told.events.expect("told").bilateral.len();
        assert_eq!(known, 3 + number, "what was acknowledged before is told");
        assert_ne!(told.etag, first.etag);
    }
}

/// The instant of the last record of any service.
fn last_record(told: &Briefing) -> prost_types::Timestamp {
    let records = told.positions.iter().filter_map(|at| at.record_time);
    let last = records.max_by_key(|time| (time.seconds, time.nanos));
    last.expect("told")
}

async fn the_past_is_told_as_it_was_known(world: &World) {
    let before = briefing(world, asked()).await;
    let last = last_record(&before);
    let call = event(
        "call",
        &["CHN", "KAZ"],
        OfficeLevel::Minister,
        "2024-06-01",
        "",
    );
    world
        .events_client()
        .create_event(call)
        .await
        .expect("recorded");
    let now = briefing(world, asked()).await;
    assert_ne!(now.etag, before.etag);
    let mut then = asked();
    then.as_of = Some(last);
    let then = briefing(world, then).await;
    assert_eq!(then.etag, before.etag);
    assert_eq!(then.events, before.events);
}

/// The names of what changed.
fn changed(told: &ChangesSection) -> Vec<&str> {
    let changes = told.changes.iter().filter_map(|one| one.change.as_ref());
    let names = changes.map(|change| match change {
        Change::Observation(change) => &*change.observation.as_ref().expect("told").name,
        Change::Trade(change) => &change.name,
        Change::Events(change) => &change.name,
        Change::Culture(change) => &change.name,
    });
    names.collect()
}

async fn what_was_recorded_since_is_told_in_order(world: &World) {
    let before = briefing(world, asked()).await;
    assert!(before.changes.is_none(), "nobody asked");
    let last = last_record(&before);
    let call = event(
        "call",
        &["CHN", "KAZ"],
        OfficeLevel::Minister,
        "2024-06-01",
        "",
    );
    world
        .events_client()
        .create_event(call)
        .await
        .expect("recorded");
    let added = programme("festival", &["CHN", "KAZ"], "2024-06");
    world
        .culture_client()
        .create_programme(added)
        .await
        .expect("recorded");
    record_figures(world, "office", "KAZ CHN M NA TOTAL 2023 9100000000").await;
    let elsewhere = event(
        "other",
        &["CHN", "MNG"],
        OfficeLevel::Minister,
        "2024-06-01",
        "",
    );
    world
        .events_client()
        .create_event(elsewhere)
        .await
        .expect("recorded");
    let mut since = asked();
    since.since = Some(last);
    let told = briefing(world, since).await.changes.expect("told");
    assert_eq!(
        changed(&told),
        [
            "events/call",
            "programmes/festival",
            "datasets/office/observations/KAZ.CHN.M.NA.TOTAL.2023",
        ]
    );
}

async fn what_changed_is_told_as_it_was_known_on_the_day(world: &World) {
    let last = last_record(&briefing(world, asked()).await);
    let pair = ["CHN", "KAZ"];
    let level = OfficeLevel::Minister;
    let mut events = world.events_client();
    for (id, start) in [("this-year", "2024-06-01"), ("next-summer", "2025-06-01")] {
        let visit = event(id, &pair, level, start, "");
        events.create_event(visit).await.expect("recorded");
    }
    let steps = [
        (StepKind::Signed, "2024-05-01"),
        (StepKind::Ratified, "2025-02-01"),
    ];
    for accord in [
        agreement("rails", &pair, &steps),
        agreement("roads", &pair, &steps[1..]),
    ] {
        events.create_agreement(accord).await.expect("recorded");
    }
    let mut culture = world.culture_client();
    let late = programme("autumn", &pair, "2024-09");
    culture.create_programme(late).await.expect("recorded");
    let mut trade = world.trade_client();
    let said = statement("said-later", "CHN", &["KAZ"], "2024", "45000000000");
    trade.create_statement(said).await.expect("recorded");
    let figures = "KAZ CHN M NA TOTAL 2023 9100000000
                   KAZ CHN M NA TOTAL 2023-01..2023-05 3100000000
                   KAZ CHN M NA TOTAL 2024 9900000000";
    record_figures(world, "office", figures).await;
    record(
        &trade,
        "office",
        "second",
        "KAZ CHN M NA TOTAL 2023 9200000000",
    )
    .await;

    let mut since = asked();
    since.since = Some(last);
    let told = briefing(world, since).await;
    let changes = told.changes.expect("told");
    let records = changed(&changes);
    let records: Vec<&str> = records
        .into_iter()
        .filter(|name| !name.starts_with("datasets/"))
        .collect();
    assert_eq!(records, ["events/this-year", "agreements/rails"]);
    let rails = changes.changes.iter().find_map(|one| {
        let Some(Change::Events(change)) = &one.change else {
            return None;
        };
        match &change.record {
            Some(Record::Agreement(rails)) => Some(rails),
            Some(Record::Event(_)) | None => None,
        }
    });
    assert_eq!(rails.expect("told").steps.len(), 1, "one step was taken");
    let [figures] = &changes.figures[..] else {
        panic!("one side: {:?}", changes.figures);
    };
    assert_eq!(
        (&*figures.dataset, &*figures.reporter, &*figures.partner),
        ("datasets/office", "KAZ", "CHN")
    );
    assert_eq!((figures.recorded, figures.revised), (2, 1));
    assert_eq!(
        (&*figures.first_month, &*figures.last_month),
        ("2023-01", "2023-12")
    );
    let omitted = told.omissions.iter().find(|omission| {
        omission.section() == Section::Changes && omission.reason() == OmissionReason::AfterDay
    });
    assert_eq!(omitted.expect("told").count, 5);
}

async fn many_figures_hide_no_record(world: &World) {
    let last = last_record(&briefing(world, asked()).await);
    let call = event(
        "call",
        &["CHN", "KAZ"],
        OfficeLevel::Minister,
        "2024-06-01",
        "",
    );
    world
        .events_client()
        .create_event(call)
        .await
        .expect("recorded");
    let chapters = (10..90).flat_map(|chapter| {
        ["2021", "2022", "2023"].map(|year| format!("KAZ CHN M H6 {chapter} {year} 1000"))
    });
    let table: Vec<String> = chapters.collect();
    record_figures(world, "office", &table.join("\n")).await;
    let mut since = asked();
    since.since = Some(last);
    let told = briefing(world, since).await;
    let changes = told.changes.expect("told");
    assert!(changed(&changes).contains(&"events/call"));
    assert_eq!(changes.figures[0].recorded, 240, "all are counted");
    let omitted = told.omissions.iter().find(|omission| {
        omission.section() == Section::Changes && omission.reason() == OmissionReason::TooMany
    });
    let left = usize::try_from(omitted.expect("told").count).expect("a count");
    let figures = changes
        .changes
        .iter()
        .filter(|one| matches!(one.change, Some(Change::Observation(_))));
    assert_eq!(figures.count() + left, 240);
}

async fn the_public_is_told_what_sources_let_out(world: &World) {
    let mut open = event(
        "open",
        &["CHN", "KAZ"],
        OfficeLevel::Minister,
        "2024-06-01",
        "",
    );
    let sources = &mut open.event.as_mut().expect("told").sources;
    sources[0].may_be_shown_outside = true;
    let withheld = Link {
        kind: LinkKind::FollowsUp.into(),
        name: "events/half".into(),
    };
    let mut half = event(
        "half",
        &["CHN", "KAZ"],
        OfficeLevel::Minister,
        "2024-06-02",
        "",
    );
    let sources = &mut half.event.as_mut().expect("told").sources;
    sources[0].may_be_shown_outside = true;
    sources.push(source("A cable"));
    open.event.as_mut().expect("told").links = vec![withheld];
    for event in [half, open] {
        let mut events = world.events_client();
        events.create_event(event).await.expect("recorded");
    }
    let mut public = asked();
    public.audience = Audience::Public.into();
    let told = briefing(world, public).await;
    assert!(
        told.sources
            .iter()
            .all(|source| source.may_be_shown_outside)
    );
    let trade = told.trade.expect("told");
    assert!(trade.sides.is_empty() && trade.mirrors.is_empty() && trade.statements.is_empty());
    let events = told.events.expect("told");
    let names: Vec<&str> = events
        .bilateral
        .iter()
        .map(|point| point.event.as_ref().expect("told").name.as_str())
        .collect();
    assert_eq!(names, ["events/open"]);
    let open = events.bilateral[0].event.as_ref().expect("told");
    assert!(
        open.links.is_empty(),
        "not even the name of what is withheld"
    );
    let withheld = told
        .omissions
        .iter()
        .filter(|omission| omission.reason() == OmissionReason::Licence);
    let sections: Vec<Section> = withheld
        .map(proto::gateway::v1::Omission::section)
        .collect();
    for section in [
        Section::Trade,
        Section::Events,
        Section::Agreements,
        Section::Visa,
    ] {
        assert!(sections.contains(&section), "{sections:?}");
    }
}

async fn a_question_is_refused_with_all_that_is_wrong_with_it(world: &World) {
    let wrong = GetBriefingRequest {
        country: "CHN".into(),
        partner: "Atlantis".into(),
        period: "2024-03".into(),
        day: Some(date("2024-07-01")),
        sections: vec![99],
        required_sections: vec![Section::Trade.into()],
        audience: 7,
        years: 40,
        cif_fob_ratio: "2".into(),
        ..GetBriefingRequest::default()
    };
    let refused = world
        .gateway_client()
        .get_briefing(wrong)
        .await
        .expect_err("refused");
    assert_eq!(reason(&refused), "InvalidArgument INVALID_FIELD");
    assert_eq!(
        fields(&refused),
        [
            "partner",
            "period",
            "sections[0]",
            "audience",
            "years",
            "cif_fob_ratio",
        ]
    );
    let mut late = asked();
    late.period = "2024".into();
    late.sections = vec![Section::Changes.into()];
    let refused = world
        .gateway_client()
        .get_briefing(late)
        .await
        .expect_err("refused");
    assert_eq!(fields(&refused), ["period", "since"]);
}

/// What a briefing lacks without a service.
const LACKING: [(Role, &str, &[Section]); 3] = [
    (Role::Trade, "trade", &[Section::Trade]),
    (
        Role::Events,
        "events",
        &[Section::Meetings, Section::Events, Section::Agreements],
    ),
    (
        Role::Culture,
        "culture",
        &[Section::Exchange, Section::Visa],
    ),
];

fn is_there(told: &Briefing, section: Section) -> bool {
    match section {
        Section::Trade => told.trade.is_some(),
        Section::Meetings => told.meetings.is_some(),
        Section::Events => told.events.is_some(),
        Section::Agreements => told.agreements.is_some(),
        Section::Exchange => told.exchange.is_some(),
        Section::Visa => told.visa.is_some(),
        Section::Changes => told.changes.is_some(),
        Section::Unspecified => false,
    }
}

const ASKED: [Section; 6] = [
    Section::Trade,
    Section::Meetings,
    Section::Events,
    Section::Agreements,
    Section::Exchange,
    Section::Visa,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_down_is_named_and_the_rest_is_told_until_it_is_back() {
    build_binary().await;
    within_limit(Box::pin(async {
        let mut world = World::start(Setting::Apart).await;
        record_all(&world).await;
        let whole = briefing(&world, asked()).await;
        for (role, name, lacking) in LACKING {
            world.node(role).stop().await;
            let told = briefing(&world, asked()).await;
            assert_eq!(told.unreachable.len(), 1, "{:?}", told.unreachable);
            let unreachable = &told.unreachable[0];
            assert_eq!(
                (&*unreachable.service, &*unreachable.code),
                (name, "UNAVAILABLE")
            );
            let sections: Vec<Section> = unreachable.sections().collect();
            assert_eq!(sections, lacking);
            for section in ASKED {
                assert_eq!(is_there(&told, section), !lacking.contains(&section));
            }
            let mut required = asked();
            required.required_sections = vec![lacking[0].into()];
            let refused = world
                .gateway_client()
                .get_briefing(required)
                .await
                .expect_err("refused");
            assert_eq!(refused.code(), Code::Unavailable);
            let mut without = asked();
            let others = ASKED.iter().filter(|section| !lacking.contains(section));
            without.sections = others.map(|section| i32::from(*section)).collect();
            let told = briefing(&world, without).await;
            assert!(
                told.unreachable.is_empty(),
                "who is not asked is not missed"
            );

            world.node(role).start_again().await;
            let mut again = briefing(&world, asked()).await;
            while !again.unreachable.is_empty() {
                tokio::task::yield_now().await;
                again = briefing(&world, asked()).await;
            }
            assert_eq!(again.etag, whole.etag, "as before the outage");
        }
        world.end().await;
    }))
    .await;
}

async fn in_time(world: &World) -> Briefing {
    let mut request = Request::new(asked());
    // A service that says nothing is waited for half of it, and the others have as long.
    request.set_timeout(Duration::from_secs(10));
    let told = world.gateway_client().get_briefing(request).await;
    told.expect("the rest in time").into_inner()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_slow_is_named_within_the_callers_deadline() {
    build_binary().await;
    within_limit(Box::pin(async {
        let mut world = World::start(Setting::Apart).await;
        record_all(&world).await;
        for (role, name, lacking) in LACKING {
            world.node(role).freeze();
            let mut told = in_time(&world).await;
            // What is told to stand still may answer once more.
            while told.unreachable.is_empty() {
                told = in_time(&world).await;
            }
            assert_eq!(told.unreachable.len(), 1, "{:?}", told.unreachable);
            assert_eq!(told.unreachable[0].service, name);
            for section in ASKED {
                assert_eq!(is_there(&told, section), !lacking.contains(&section));
            }
            world.node(role).thaw();
            while !briefing(&world, asked()).await.unreachable.is_empty() {
                tokio::task::yield_now().await;
            }
        }
        world.end().await;
    }))
    .await;
}
