//! Requests over HTTP as messages: told one by one, and held against messages of any kind.

mod any;

use http::Method;
use proptest::prelude::*;
use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage};
use serde_json::{Value, json};
use tonic::Status;
use tonic_types::StatusExt;

use super::ask::Asked;
use super::query::Query;
use super::routes::{Found, Route, Routes};

thread_local! {
    static ROUTES: Routes = Routes::new(&pool()).unwrap();
}

pub(super) fn pool() -> DescriptorPool {
    DescriptorPool::decode(proto::DESCRIPTORS).unwrap()
}

/// The message that a request makes; none when its path or its query is not taken.
fn made(verb: &Method, target: &str, body: &[u8]) -> Option<Result<DynamicMessage, Status>> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    ROUTES.with(|routes| match routes.find(verb, path) {
        Found::Route(route, segments) => Some(message(route, &segments, query, body)),
        Found::Other(_) | Found::Nothing => None,
    })
}

fn message(
    route: &Route,
    segments: &[&str],
    query: &str,
    body: &[u8],
) -> Result<DynamicMessage, Status> {
    let query = Query::parse(query).map_err(Status::from)?;
    Asked::new(route, segments, query).message(body)
}

fn get(target: &str) -> Value {
    let message = made(&Method::GET, target, b"").unwrap();
    serde_json::to_value(message.unwrap_or_else(|status| panic!("{target}: {status}"))).unwrap()
}

/// Which fields are refused.
fn refused(verb: &Method, target: &str, body: &str) -> Vec<(String, String)> {
    let status = made(verb, target, body.as_bytes()).unwrap().unwrap_err();
    let details = status.get_error_details();
    let violations = details.bad_request().unwrap().field_violations.iter();
    violations
        .map(|one| (one.field.clone(), one.description.clone()))
        .collect()
}

#[test]
fn parameters_fill_the_fields_that_they_name() {
    let series = "/v1/datasets/china-customs/series";
    for (target, expected) in [
        (
            series.to_owned(),
            json!({ "parent": "datasets/china-customs" }),
        ),
        (
            format!("{series}?reporter=CHN&window.start=2023&window.end=2024-05"),
            json!({ "parent": "datasets/china-customs", "reporter": "CHN",
                    "window": { "start": "2023", "end": "2024-05" } }),
        ),
        (
            format!("{series}?flow=FLOW_IMPORT&asOf=2024-07-01T00:00:00Z"),
            json!({ "parent": "datasets/china-customs", "flow": "FLOW_IMPORT",
                    "asOf": "2024-07-01T00:00:00Z" }),
        ),
        (
            format!("{series}?as_of=2024-07-01T02:00:00%2B02:00&flow=1"),
            json!({ "parent": "datasets/china-customs", "flow": "FLOW_IMPORT",
                    "asOf": "2024-07-01T00:00:00Z" }),
        ),
        (
            "/v1/observationChanges?totalsOnly&pageSize=5&first=CHN".to_owned(),
            json!({ "first": "CHN", "totalsOnly": true, "pageSize": 5 }),
        ),
        (
            "/v1/changes:watch?afterPosition=18446744073709551615".to_owned(),
            json!({ "afterPosition": "18446744073709551615" }),
        ),
        (
            "/v1/observationChanges?first=%E4%B8%AD+%26&$prettyPrint=true".to_owned(),
            json!({ "first": "中 &" }),
        ),
    ] {
        assert_eq!(get(&target), expected, "{target}");
    }
}

#[test]
fn what_no_field_takes_is_refused_by_its_name() {
    let series = "/v1/datasets/china-customs/series";
    for (parameters, field, why) in [
        ("nation=CHN", "nation", "no parameter"),
        ("window=2023", "window", "is a message"),
        ("reporter=CHN&reporter=KAZ", "reporter", "twice"),
        ("window.start=1&window.start=2", "window.start", "twice"),
        ("asOf=2024&as_of=2024", "as_of", "cannot be read"),
        ("parent=datasets/other", "parent", "twice"),
        ("flow=EXPORT", "flow", "none of the names"),
        ("asOf=yesterday", "as_of", "cannot be read"),
        ("prettyPrint=perhaps", "prettyPrint", "`true` or `false`"),
        ("reporter=%FF", "reporter", "UTF-8"),
        ("reporter.name=x", "reporter.name", "no parameter"),
        ("window..start=x", "window..start", "no parameter"),
    ] {
        let told = refused(&Method::GET, &format!("{series}?{parameters}"), "");
        let (named, description) = &told[0];
        assert_eq!(named, field, "{parameters}");
        assert!(description.contains(why), "{parameters}: {description}");
    }
}

#[test]
fn parameters_are_bounded_in_number_and_size() {
    let series = "/v1/datasets/china-customs/series";
    let many = vec!["reporter=CHN"; 300].join("&");
    let long = format!("reporter={}", "C".repeat(10_000));
    for (parameters, why) in [(many, "more than 256"), (long, "longer than 8192")] {
        let told = refused(&Method::GET, &format!("{series}?{parameters}"), "");
        assert_eq!(told[0].0, "query");
        assert!(told[0].1.contains(why), "{}", told[0].1);
    }
}

#[test]
fn a_body_is_the_request_or_the_field_that_its_path_says() {
    let sector =
        r#"{"displayName":{"texts":{"en":"Cars"}},"classification":"H6","codes":["8703"]}"#;
    let created = made(
        &Method::POST,
        "/v1/sectors?sectorId=cars",
        sector.as_bytes(),
    );
    let created = serde_json::to_value(created.unwrap().unwrap()).unwrap();
    assert_eq!(created["sectorId"], "cars");
    assert_eq!(created["sector"]["codes"], json!(["8703"]));

    let target = "/v1/sectors/cars?updateMask=displayName,codes";
    let changed = made(
        &Method::PATCH,
        target,
        br#"{"codes":["87"],"name":"sectors/other"}"#,
    );
    let changed = serde_json::to_value(changed.unwrap().unwrap()).unwrap();
    assert_eq!(
        changed["sector"],
        json!({ "name": "sectors/cars", "codes": ["87"] })
    );
    assert_eq!(changed["updateMask"], "displayName,codes");

    let snake = "/v1/sectors/cars?update_mask=display_name";
    let changed = made(&Method::PATCH, snake, b"{}").unwrap().unwrap();
    let changed = serde_json::to_value(changed).unwrap();
    assert_eq!(changed["updateMask"], "displayName");
}

#[test]
fn a_body_that_is_no_message_is_refused_with_the_place() {
    for (target, body, why) in [
        ("/v1/sectors", "", "EOF"),
        ("/v1/sectors", "{} {}", "trailing"),
        ("/v1/sectors", r#"{"codez":[]}"#, "codez"),
        ("/v1/sectors", r#"{"codes":"8703"}"#, "line 1"),
        ("/v1/sectors", "[]", "line 1"),
        ("/v1/statements:check", &"[".repeat(100_000), "line 1"),
    ] {
        let told = refused(&Method::POST, target, body);
        assert_eq!(told[0].0, "body", "{target}");
        assert!(told[0].1.contains(why), "{}", told[0].1);
    }
    let told = refused(&Method::POST, "/v1/sectors?sector.name=x", "{}");
    assert_eq!(told[0].0, "sector.name");
    let told = refused(&Method::POST, "/v1/statements:check?name=x", "{}");
    assert!(told[0].1.contains("part of the body"), "{}", told[0].1);
}

proptest! {
    /// Whatever a method can be asked can be asked over HTTP, and arrives as it was.
    #[test]
    fn a_message_that_is_written_as_a_request_is_read_as_it_was((at, bytes) in any::route_and_seed()) {
        ROUTES.with(|routes| {
            let all: Vec<&Route> = routes.iter().collect();
            let route = all[at % all.len()];
            let asked = any::message(route, &bytes);
            let (target, body) = any::request(route, &asked);
            let Some(read) = made(&route.verb, &target, body.as_bytes()) else {
                panic!("{} {target} is not found", route.verb);
            };
            let read = read.unwrap_or_else(|status| panic!("{} {target}: {status}", route.verb));
            assert_eq!(read, asked, "{} {target} {body}", route.verb);
            assert_eq!(read.descriptor(), route.method.input());
        });
    }

    /// No bytes make more than an error.
    #[test]
    fn no_request_is_more_than_an_error(
        at in any::<prop::sample::Index>(),
        query in "([a-zA-Z_.$]{0,12}(=[ -~]{0,12})?&){0,6}",
        tail in "[/:%a-z0-9*.]{0,16}",
        body in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        ROUTES.with(|routes| {
            let route = routes.iter().collect::<Vec<_>>()[at.index(routes.iter().count())];
            let path = format!("{}{tail}?{query}", any::path(route, &any::message(route, &[])));
            drop(made(&route.verb, &path, &body));
        });
    }
}
