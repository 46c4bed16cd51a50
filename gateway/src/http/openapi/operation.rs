//! One way to ask: its parameters, its body, its answers.

use http::Method;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::Route;
use super::comments::{Comments, first_sentence};
use super::schema::{self, Schemas};
use crate::http::RAW;
use crate::http::routes::Takes;
use crate::http::template::Segment;
use crate::http::text;

/// The path with a parameter for each `*`: a template of gRPC names a whole path where `OpenAPI` names its parts.
pub(super) fn path(route: &Route) -> String {
    let mut names = names(route).into_iter();
    let mut path = String::new();
    for segment in &route.template.segments {
        path.push('/');
        match segment {
            Segment::Literal(text) => path.push_str(text),
            Segment::Any => {
                let name = names.next().unwrap_or_default();
                path.extend(["{", &name, "}"]);
            }
        }
    }
    if let Some(verb) = &route.template.verb {
        path.push(':');
        path.push_str(verb);
    }
    path
}

/// A name for each `*`: of `datasets/*` it is `dataset`, of a variable that is one segment its own.
fn names(route: &Route) -> Vec<String> {
    let segments = route.template.segments.iter().enumerate();
    let any = segments.filter(|(_, segment)| **segment == Segment::Any);
    let names = any.map(|(at, _)| {
        let mut variables = route.template.variables.iter();
        if let Some(own) = variables.find(|variable| variable.segments == (at..at + 1)) {
            return own.field.clone();
        }
        match at
            .checked_sub(1)
            .map(|before| &route.template.segments[before])
        {
            Some(Segment::Literal(many)) => many.strip_suffix('s').unwrap_or(many).to_owned(),
            Some(Segment::Any) | None => format!("part{at}"),
        }
    });
    names.collect()
}

/// An operation of the document.
pub(super) fn operation(route: &Route, comments: &Comments, schemas: &mut Schemas<'_>) -> Value {
    let method = &route.method;
    let description = comments.of(&method.parent_service().parent_file(), method.path());
    let mut operation = json!({
        "operationId": name(route),
        "tags": [method.parent_service().name()],
        "summary": first_sentence(description),
        "description": description,
        "parameters": parameters(route, schemas),
    });
    if let Some(body) = body(route, schemas) {
        operation["requestBody"] = body;
    }
    operation["responses"] = responses(route, schemas);
    operation
}

fn name(route: &Route) -> String {
    let service = route.method.parent_service();
    let (service, method) = (service.name(), route.method.name());
    match route.binding {
        0 => format!("{service}_{method}"),
        more => format!("{service}_{method}_{}", more + 1),
    }
}

fn parameters(route: &Route, schemas: &mut Schemas<'_>) -> Vec<Value> {
    let mut parameters: Vec<Value> = names(route).iter().map(|name| in_path(name)).collect();
    if !matches!(route.takes, Takes::Whole) {
        let mut leaves = Leaves {
            route,
            schemas,
            found: Vec::new(),
        };
        leaves.walk(&route.method.input(), &mut Vec::new());
        parameters.append(&mut leaves.found);
    }
    parameters
}

fn in_path(name: &str) -> Value {
    json!({
        "name": name,
        "in": "path",
        "required": true,
        "description": format!("The {name}, by the part of its name that stands here."),
        "schema": { "type": "string", "minLength": 1 },
    })
}

/// Fields that are given as query parameters.
struct Leaves<'a, 'b> {
    route: &'a Route,
    schemas: &'a mut Schemas<'b>,
    found: Vec<Value>,
}

impl Leaves<'_, '_> {
    fn walk(&mut self, message: &MessageDescriptor, above: &mut Vec<FieldDescriptor>) {
        for field in message.fields() {
            above.push(field.clone());
            if !self.is_elsewhere(above) {
                self.take(&field, above);
            }
            above.pop();
        }
    }

    fn take(&mut self, field: &FieldDescriptor, chain: &mut Vec<FieldDescriptor>) {
        if field.is_map() {
            return;
        }
        if text::is_text(field) {
            let parameter = self.parameter(field, chain);
            self.found.push(parameter);
            return;
        }
        let is_cycle = chain
            .iter()
            .any(|above| above.parent_message().full_name() == inner(field));
        if let Kind::Message(message) = field.kind()
            && !field.is_list()
            && !is_cycle
        {
            self.walk(&message, chain);
        }
    }

    /// Whether a field stands in the path or is the body.
    fn is_elsewhere(&self, chain: &[FieldDescriptor]) -> bool {
        let in_path = self
            .route
            .path_fields
            .iter()
            .any(|field| field.chain == chain);
        let is_body = match &self.route.takes {
            Takes::Field(body) => chain == std::slice::from_ref(body),
            Takes::Nothing | Takes::Whole => false,
        };
        in_path || is_body
    }

    fn parameter(&mut self, field: &FieldDescriptor, chain: &[FieldDescriptor]) -> Value {
        let names: Vec<&str> = chain.iter().map(FieldDescriptor::json_name).collect();
        json!({
            "name": names.join("."),
            "in": "query",
            "required": chain.iter().all(schema::is_required),
            "description": self.schemas.comment(field),
            "schema": self.schemas.field(field),
        })
    }
}

fn inner(field: &FieldDescriptor) -> String {
    let kind = field.kind();
    kind.as_message()
        .map_or("", MessageDescriptor::full_name)
        .to_owned()
}

fn body(route: &Route, schemas: &mut Schemas<'_>) -> Option<Value> {
    let message = match &route.takes {
        Takes::Nothing => return None,
        Takes::Whole => route.method.input(),
        Takes::Field(field) => field.kind().as_message()?.clone(),
    };
    let schema = if route.verb == Method::PATCH {
        schemas.message(&message)
    } else {
        schemas.body(&message)
    };
    let kind = if route.method.is_client_streaming() {
        "application/x-ndjson"
    } else {
        "application/json"
    };
    let mut content = Map::new();
    content.insert(kind.into(), json!({ "schema": schema }));
    Some(json!({ "required": true, "content": content }))
}

fn responses(route: &Route, schemas: &mut Schemas<'_>) -> Value {
    let mut responses = json!({ "200": {
        "description": "What was asked for.",
        "content": content(route, schemas),
    } });
    if route.is_kept() {
        responses["304"] =
            json!({ "description": "As it was when `If-None-Match` was its `ETag`." });
    }
    responses["default"] = json!({ "$ref": "#/components/responses/Error" });
    responses
}

fn content(route: &Route, schemas: &mut Schemas<'_>) -> Value {
    let output = route.method.output();
    if output.full_name() == RAW {
        return json!({ "*/*": {} });
    }
    let schema = schemas.message(&output);
    if route.method.is_server_streaming() {
        let events = json!({ "type": "string" });
        return json!({
            "application/x-ndjson": { "schema": schema },
            "text/event-stream": { "schema": events },
        });
    }
    json!({ "application/json": { "schema": schema } })
}
