//! The `OpenAPI` 3.1 document, made of the schema: its annotations are the paths, its comments the descriptions.
//!
//! * [`comments`]: what the schema says in words. [`schema`]: messages as JSON Schema. [`operation`]: one way to ask.

mod comments;
mod operation;
mod schema;

use prost_reflect::DescriptorPool;
use serde_json::{Map, Value, json};

use self::comments::Comments;
use self::operation::operation;
use self::schema::Schemas;
use super::routes::{Route, Routes};

/// What is behind every answer that is no success.
const ERROR: &str = "google.rpc.Status";

/// The document of all routes.
pub(super) fn document(pool: &DescriptorPool, routes: &Routes) -> Value {
    let comments = Comments::new(pool);
    let mut schemas = Schemas::new(&comments, routes.iter().map(|route| route.method.output()));
    let mut paths = Map::new();
    for route in routes.iter() {
        let path = paths
            .entry(operation::path(route))
            .or_insert_with(|| json!({}));
        path[route.verb.as_str().to_ascii_lowercase()] = operation(route, &comments, &mut schemas);
    }
    let mut components = schemas.finish();
    components.insert(ERROR.into(), error());
    json!({
        "openapi": "3.1.0",
        "info": info(),
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }, {}],
        "tags": tags(routes, &comments),
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": { "Error": {
                "description": "What went wrong, for people in `message` and for programs in `details`.",
                "content": { "application/json": { "schema": schema::reference(ERROR) } },
            } },
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn info() -> Value {
    json!({
        "title": "Entente",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "The relationship between two countries as data: trade, diplomatic events, culture, by side and source",
        "description": "The same calls as over gRPC, in canonical protobuf JSON. Fields that have their default are \
                        left out of answers. Parameters may be named in lowerCamelCase or as the schema names them; \
                        a field of a message is named by its path, as in `window.start`.",
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    })
}

fn tags(routes: &Routes, comments: &Comments) -> Vec<Value> {
    let mut tags: Vec<Value> = Vec::new();
    for service in routes
        .iter()
        .map(|route| route.method.parent_service().clone())
    {
        if !tags.iter().any(|tag| tag["name"] == service.name()) {
            let description = comments.of(&service.parent_file(), service.path());
            tags.push(json!({ "name": service.name(), "description": description }));
        }
    }
    tags
}

/// `google.rpc.Status`, whose schema is not among ours.
fn error() -> Value {
    json!({
        "type": "object",
        "description": "An error.",
        "required": ["code", "message"],
        "properties": {
            "code": { "type": "integer", "format": "int32", "description": "The code, as `google.rpc.Code` numbers it." },
            "message": { "type": "string", "description": "What went wrong, in English." },
            "details": {
                "type": "array",
                "description": "`google.rpc.ErrorInfo` with the reason, `google.rpc.BadRequest` with the fields, \
                                `google.rpc.RetryInfo` with when to try again.",
                "items": {
                    "type": "object",
                    "required": ["@type"],
                    "properties": { "@type": { "type": "string" } },
                    "additionalProperties": true,
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn made() -> Value {
        let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
        let routes = Routes::new(&pool).unwrap();
        document(&pool, &routes)
    }

    fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
        let paths = document["paths"].as_object().unwrap().iter();
        let each = paths.flat_map(|(path, item)| {
            let verbs = item.as_object().unwrap().iter();
            verbs.map(move |(verb, operation)| (path.as_str(), verb.as_str(), operation))
        });
        each.collect()
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_a_description_and_an_error() {
        let document = made();
        let mut names = BTreeSet::new();
        for (path, verb, operation) in operations(&document) {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{name} is there twice");
            let description = operation["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty(), "{verb} {path}");
            assert!(
                operation["responses"]["default"].is_object(),
                "{verb} {path}"
            );
        }
        assert!(names.len() > 80, "{}", names.len());
    }

    #[test]
    fn every_part_of_a_path_is_a_parameter_and_every_parameter_is_explained() {
        let document = made();
        for (path, verb, operation) in operations(&document) {
            let parameters = operation["parameters"].as_array().unwrap();
            let named = |place: &str| -> BTreeSet<&str> {
                let there = parameters.iter().filter(|one| one["in"] == place);
                there.map(|one| one["name"].as_str().unwrap()).collect()
            };
            let parts = path.split('{').skip(1);
            let parts: BTreeSet<&str> = parts.map(|part| part.split_once('}').unwrap().0).collect();
            assert_eq!(named("path"), parts, "{verb} {path}");
            for parameter in parameters {
                let words = parameter["description"].as_str().unwrap_or_default();
                assert!(!words.is_empty(), "{verb} {path}: {}", parameter["name"]);
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
            match value {
                Value::Object(all) => {
                    found.extend(all.get("$ref").and_then(Value::as_str));
                    all.values().for_each(|inner| walk(inner, found));
                }
                Value::Array(all) => all.iter().for_each(|inner| walk(inner, found)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let document = made();
        let mut references = BTreeSet::new();
        walk(&document, &mut references);
        assert!(references.len() > 100);
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn what_is_required_is_so_of_requests_and_not_of_answers() {
        let document = made();
        let event = &document["components"]["schemas"]["entente.events.v1.Event"];
        assert!(event["properties"]["sources"].is_object() && event["required"].is_null());
        let body = |verb: &str, path: &str| {
            let operation = &document["paths"][path][verb];
            operation["requestBody"]["content"]["application/json"]["schema"].clone()
        };
        let created = body("post", "/v1/events");
        let required = created["allOf"][1]["required"].as_array().unwrap();
        assert!(required.contains(&json!("sources")), "{created}");
        let changed = body("patch", "/v1/events/{event}");
        assert_eq!(changed, schema::reference("entente.events.v1.Event"));
    }
}
