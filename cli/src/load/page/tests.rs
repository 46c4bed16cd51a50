use roxmltree::{Document, ParsingOptions};

use super::super::result::{CodeCount, Step};
use super::*;

fn latency(millis: f64) -> Latency {
    Latency {
        count: 10,
        mean_ms: millis,
        p50_ms: millis,
        p90_ms: millis,
        p95_ms: millis,
        p99_ms: millis * 2.0,
        p999_ms: millis * 3.0,
        max_ms: millis * 4.0,
    }
}

fn report(seconds: u32) -> Report {
    let tick = |second: u32| Tick {
        at: f64::from(second) + 1.0,
        asked: 100.0,
        answered: 99.0,
        failed: 1.0,
        in_flight: 3,
        latency: latency(if second == 5 { 1_000.0 } else { 1.5 }),
    };
    Report {
        scenario: "read-mostly".into(),
        seconds: f64::from(seconds),
        latency: latency(1.5),
        timeline: (0..seconds).map(tick).collect(),
        distribution: vec![(0.0, 0.1), (0.5, 1.0), (0.99, 9.0), (1.0, 1_000.0)],
        methods: vec![Method {
            call: "point-read".into(),
            latency: latency(1.5),
            ..Method::default()
        }],
        ..Report::new()
    }
}

/// The picture under a title, as XML.
fn picture(page: &str, title: &str) -> String {
    let (_, rest) = page.split_once(&format!("<b>{title}</b>")).expect(title);
    let (_, rest) = rest.split_once("<svg").expect("a picture");
    let (picture, _) = rest.split_once("</svg>").expect("its end");
    format!("<svg{picture}</svg>")
}

fn count_of(svg: &str, element: &str) -> usize {
    let document = Document::parse_with_options(svg, ParsingOptions::default()).unwrap();
    let nodes = document.descendants();
    nodes
        .filter(|node| node.tag_name().name() == element)
        .count()
}

#[test]
fn a_page_refers_to_nothing_and_runs_nothing() {
    let page = of(&report(20));
    for outside in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("prefers-color-scheme: dark"));
    let links = page.matches("http").count();
    // The rule that forbids what is outside, and the name of SVG in each of four pictures.
    assert_eq!(links, 1 + 4);
}

#[test]
fn text_from_outside_is_text() {
    let mut hostile = report(3);
    let text = "</title><script>alert(1)</script>\u{202e}";
    hostile.scenario = text.into();
    hostile.about = text.into();
    hostile.server = text.into();
    hostile.started = text.into();
    hostile.methods[0].call = text.into();
    hostile.errors = vec![CodeCount {
        code: text.into(),
        count: 1,
        example: text.into(),
    }];
    let page = of(&hostile);
    assert!(!page.contains("<script") && !page.contains('\u{202e}'));
    assert!(page.contains("&lt;script&gt;"));
}

#[test]
fn each_second_has_its_point_and_a_second_without_answers_interrupts_the_line() {
    let mut report = report(20);
    let points = |report: &Report| count_of(&picture(&of(report), "Latency over time"), "circle");
    assert_eq!(points(&report), 4 * 20);
    report.timeline[7].latency = Latency::default();
    assert_eq!(points(&report), 4 * 19);
    assert_eq!(
        count_of(&picture(&of(&report), "Latency over time"), "polyline"),
        4 * 2
    );
}

#[test]
fn the_stall_of_a_long_run_is_still_drawn() {
    let mut ticks = report(10_000).timeline;
    ticks[5].answered = 0.0;
    let points = over_time(&ticks, |tick| Some(tick.latency.max_ms), f64::max);
    assert!(points.len() <= 600);
    assert!(points.iter().any(|(_, value)| *value == Some(4_000.0)));
    let answered = over_time(&ticks, |tick| Some(tick.answered), f64::min);
    assert_eq!(answered[0].1, Some(0.0));
}

#[test]
fn the_marks_of_an_axis_have_no_decimals_that_say_nothing() {
    let picture = picture(&of(&report(20)), "Latency over time");
    assert!(
        picture.contains("1 ms") && picture.contains("10 s"),
        "{picture}"
    );
    assert!(!picture.contains("1.00 ms"), "{picture}");
}

#[test]
fn nothing_and_one_second_are_drawn() {
    let empty = of(&Report::new());
    assert!(!empty.contains("<svg"));
    assert!(of(&report(1)).contains("Latency over time"));
}

#[test]
fn a_search_for_the_limit_has_its_knee_and_its_table() {
    let mut report = report(5);
    let step = |rate: f64, held| Step {
        rate,
        held,
        latency: latency(rate / 100.0),
        broken: vec!["p99".into(), "achieved".into()],
        ..Step::default()
    };
    report.limit = Some(Limit {
        rate: Some(1_000.0),
        found: true,
        interrupted: false,
        steps: vec![step(500.0, true), step(1_000.0, true), step(2_000.0, false)],
    });
    let page = of(&report);
    assert!(page.contains("The limit is at 1,000 calls a second."));
    assert!(page.contains("broke p99, achieved"));
    assert_eq!(
        count_of(&picture(&page, "Latency by rate"), "circle"),
        2 * 3
    );
}
