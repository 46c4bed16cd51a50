//! Which method of which service a path asks for: a table made of the schema's annotations when the process starts.
//!
//! A path is looked up along a tree of its segments, a literal before `*`. Two methods under one path are an error of
//! the schema, told at the start and not at the first request.

use std::collections::BTreeMap;

use http::Method;
use http::uri::PathAndQuery;
use percent_encoding::percent_decode_str;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MethodDescriptor};
use prost_types::method_options::IdempotencyLevel;

use super::fields;
use super::template::{Segment, Template, TemplateError};

/// Why the schema's annotations make no table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// The embedded schema cannot be read.
    #[error("the embedded schema cannot be read: this build is broken, build it again")]
    Descriptors(#[source] prost_reflect::DescriptorError),
    /// The schema does not know the annotation.
    #[error("google.api.http is not part of the embedded schema")]
    NoAnnotation,
    /// A path cannot be read.
    #[error("the path {path} of {method} cannot be read: {why}")]
    Path {
        /// The method.
        method: String,
        /// The path.
        path: String,
        /// Why.
        why: String,
    },
    /// An annotation has neither of the methods that are known.
    #[error("the annotation of {0} has neither get, put, post, patch nor delete")]
    NoMethod(String),
    /// An annotation names a field that is none.
    #[error("the annotation of {method} names {field}, which is no field for that")]
    Field {
        /// The method.
        method: String,
        /// The field.
        field: String,
    },
    /// Two methods have one path.
    #[error("{first} and {second} have one path and method")]
    Conflict {
        /// The method that was there.
        first: String,
        /// The method that came to it.
        second: String,
    },
}

/// What a method takes from the body.
#[derive(Clone, Debug)]
pub(super) enum Takes {
    Nothing,
    Field(FieldDescriptor),
    Whole,
}

/// A field that segments of the path are put into.
#[derive(Clone, Debug)]
pub(super) struct PathField {
    pub(super) chain: Vec<FieldDescriptor>,
    pub(super) segments: std::ops::Range<usize>,
}

/// One way to ask for a method.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) verb: Method,
    pub(super) template: Template,
    pub(super) method: MethodDescriptor,
    /// Where gRPC finds the method.
    pub(super) path: PathAndQuery,
    pub(super) takes: Takes,
    pub(super) path_fields: Vec<PathField>,
    /// Which of the method's ways this is; the first is the annotation itself.
    pub(super) binding: usize,
}

/// All ways to ask.
#[derive(Debug)]
pub(super) struct Routes {
    routes: Vec<Route>,
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    literals: BTreeMap<String, Node>,
    any: Option<Box<Node>>,
    ends: BTreeMap<Option<String>, Vec<(Method, usize)>>,
}

/// What a path asks for.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// A method, and the segments of the path as they came.
    Route(&'a Route, Vec<&'a str>),
    /// Something that can be asked for by these methods only.
    Other(Vec<Method>),
    Nothing,
}

impl Routes {
    /// The table of all services of the schema.
    pub(super) fn new(pool: &DescriptorPool) -> Result<Routes, RouteError> {
        let http = pool
            .get_extension_by_name("google.api.http")
            .ok_or(RouteError::NoAnnotation)?;
        let mut routes = Routes {
            routes: Vec::new(),
            root: Node::default(),
        };
        for service in pool.services() {
            for method in service.methods() {
                let options = method.options();
                if !options.has_extension(&http) {
                    continue;
                }
                let rule = options.get_extension(&http);
                if let Some(rule) = rule.as_message() {
                    routes.add(&method, rule)?;
                }
            }
        }
        Ok(routes)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }

    fn add(&mut self, method: &MethodDescriptor, rule: &DynamicMessage) -> Result<(), RouteError> {
        self.insert(Route::new(method, rule, 0)?)?;
        let more = rule.get_field_by_name("additional_bindings");
        let more = more.as_deref().and_then(|list| list.as_list());
        let more = more.unwrap_or_default().iter();
        for (at, rule) in more.filter_map(|one| one.as_message()).enumerate() {
            self.insert(Route::new(method, rule, at + 1)?)?;
        }
        Ok(())
    }

    fn insert(&mut self, route: Route) -> Result<(), RouteError> {
        let mut node = &mut self.root;
        for segment in &route.template.segments {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::Any => node.any.get_or_insert_default(),
            };
        }
        let ends = node.ends.entry(route.template.verb.clone()).or_default();
        if let Some((_, first)) = ends.iter().find(|(verb, _)| *verb == route.verb) {
            return Err(RouteError::Conflict {
                first: self.routes[*first].method.full_name().to_owned(),
                second: route.method.full_name().to_owned(),
            });
        }
        ends.push((route.verb.clone(), self.routes.len()));
        self.routes.push(route);
        Ok(())
    }

    /// What a request asks for; a HEAD asks for what a GET would.
    pub(super) fn find<'a>(&'a self, verb: &Method, path: &'a str) -> Found<'a> {
        let verb = if verb == Method::HEAD {
            &Method::GET
        } else {
            verb
        };
        let Some((segments, ending)) = split(path) else {
            return Found::Nothing;
        };
        let Some(ends) = self.root.find(&segments, ending) else {
            return Found::Nothing;
        };
        match ends.iter().find(|(known, _)| known == verb) {
            Some((_, at)) => Found::Route(&self.routes[*at], segments),
            None => Found::Other(ends.iter().map(|(known, _)| known.clone()).collect()),
        }
    }
}

/// The segments of a path without its verb, and the verb.
fn split(path: &str) -> Option<(Vec<&str>, Option<&str>)> {
    /// No path of the schema has as many.
    const MOST: usize = 32;
    let path = path.strip_prefix('/')?;
    let slash = path.rfind('/').map_or(0, |at| at + 1);
    let (path, verb) = match path[slash..].split_once(':') {
        Some((last, verb)) => (&path[..slash + last.len()], Some(verb)),
        None => (path, None),
    };
    let segments: Vec<&str> = path.split('/').take(MOST).collect();
    (segments.len() < MOST).then_some((segments, verb))
}

impl Node {
    fn find(&self, segments: &[&str], verb: Option<&str>) -> Option<&[(Method, usize)]> {
        let Some((first, rest)) = segments.split_first() else {
            let mut ends = self.ends.iter();
            let found = ends.find(|(known, _)| known.as_deref() == verb)?;
            return Some(found.1);
        };
        let literal = self.literals.get(*first);
        let literal = literal.and_then(|node| node.find(rest, verb));
        let any = self.any.as_ref().filter(|_| !first.is_empty());
        literal.or_else(|| any?.find(rest, verb))
    }
}

impl Route {
    fn new(
        method: &MethodDescriptor,
        rule: &DynamicMessage,
        binding: usize,
    ) -> Result<Route, RouteError> {
        let name = || method.full_name().to_owned();
        let (verb, text) = pattern(rule).ok_or_else(|| RouteError::NoMethod(name()))?;
        let template = Template::parse(&text).map_err(|why| unreadable(method, &text, why))?;
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        Ok(Route {
            path_fields: path_fields(method, &template)?,
            takes: takes(method, rule)?,
            path: path.parse().expect("names of a schema are visible ASCII"),
            method: method.clone(),
            verb,
            template,
            binding,
        })
    }

    /// Whether a client may keep the answer, and ask whether it still is that.
    pub(super) fn is_kept(&self) -> bool {
        let options = self.method.method_descriptor_proto().options.as_ref();
        let level = options.map(prost_types::MethodOptions::idempotency_level);
        let is_read = level == Some(IdempotencyLevel::NoSideEffects);
        is_read && self.verb == Method::GET && !self.method.is_server_streaming()
    }

    /// The text of a field that stands in the path; nothing when that is no UTF-8.
    pub(super) fn path_text(field: &PathField, segments: &[&str]) -> Option<String> {
        let several = field.segments.len() > 1;
        let parts = segments.get(field.segments.clone())?.iter();
        let parts = parts.map(|segment| decode(segment, several));
        Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
    }
}

/// An encoded slash stays encoded where others stand around it, so that it is not taken for one of them.
fn decode(segment: &str, several: bool) -> Option<String> {
    let decoded = percent_decode_str(segment).decode_utf8().ok()?;
    Some(if several {
        decoded.replace('/', "%2F")
    } else {
        decoded.into_owned()
    })
}

fn unreadable(method: &MethodDescriptor, path: &str, why: TemplateError) -> RouteError {
    RouteError::Path {
        method: method.full_name().to_owned(),
        path: path.to_owned(),
        why: why.to_string(),
    }
}

fn pattern(rule: &DynamicMessage) -> Option<(Method, String)> {
    let known = [
        ("get", Method::GET),
        ("put", Method::PUT),
        ("post", Method::POST),
        ("patch", Method::PATCH),
        ("delete", Method::DELETE),
    ];
    known.into_iter().find_map(|(field, verb)| {
        let path = rule.get_field_by_name(field)?.as_str()?.to_owned();
        Some((verb, path)).filter(|(_, path)| !path.is_empty())
    })
}

fn takes(method: &MethodDescriptor, rule: &DynamicMessage) -> Result<Takes, RouteError> {
    let body = rule.get_field_by_name("body");
    match body
        .as_deref()
        .and_then(|body| body.as_str())
        .unwrap_or_default()
    {
        "" => Ok(Takes::Nothing),
        "*" => Ok(Takes::Whole),
        field => {
            let found = method.input().get_field_by_name(field);
            let message = found.filter(|field| !field.is_list() && !field.is_map());
            let message = message.filter(|field| matches!(field.kind(), Kind::Message(_)));
            message
                .map(Takes::Field)
                .ok_or_else(|| no_field(method, field))
        }
    }
}

fn path_fields(
    method: &MethodDescriptor,
    template: &Template,
) -> Result<Vec<PathField>, RouteError> {
    let variables = template.variables.iter();
    let fields = variables.map(|variable| {
        let chain = fields::chain(&method.input(), &variable.field)
            .filter(|chain| matches!(chain.last().map(FieldDescriptor::kind), Some(Kind::String)))
            .ok_or_else(|| no_field(method, &variable.field))?;
        Ok(PathField {
            chain,
            segments: variable.segments.clone(),
        })
    });
    fields.collect()
}

fn no_field(method: &MethodDescriptor, field: &str) -> RouteError {
    RouteError::Field {
        method: method.full_name().to_owned(),
        field: field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
        Routes::new(&pool).unwrap()
    }

    /// A path that a template matches.
    fn sample(template: &Template) -> String {
        let mut path = String::new();
        for segment in &template.segments {
            path.push('/');
            path.push_str(match segment {
                Segment::Literal(text) => text,
                Segment::Any => "some-id",
            });
        }
        if let Some(verb) = &template.verb {
            path.extend([":", verb]);
        }
        path
    }

    fn asked(routes: &Routes, verb: &Method, path: &str) -> String {
        match routes.find(verb, path) {
            Found::Route(route, _) => route.method.name().to_owned(),
            Found::Other(methods) => {
                let mut names: Vec<&str> = methods.iter().map(Method::as_str).collect();
                names.sort_unstable();
                names.join(" or ")
            }
            Found::Nothing => "nothing".into(),
        }
    }

    #[test]
    fn every_method_of_the_schema_is_found_under_its_own_path() {
        let routes = routes();
        for route in routes.iter() {
            let path = sample(&route.template);
            let Found::Route(found, _) = routes.find(&route.verb, &path) else {
                panic!("{} {path} is not found", route.verb);
            };
            assert_eq!(
                (&found.path, found.binding),
                (&route.path, route.binding),
                "{path}"
            );
        }
        let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
        let methods = pool
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>());
        for method in methods {
            let mut known = routes.iter();
            assert!(
                known.any(|route| route.method.full_name() == method.full_name()),
                "{} has no path",
                method.full_name()
            );
        }
    }

    #[test]
    fn a_path_asks_for_one_method_or_for_nothing() {
        let routes = routes();
        for (verb, path, method) in [
            (Method::GET, "/v1/datasets", "ListDatasets"),
            (Method::HEAD, "/v1/datasets", "ListDatasets"),
            (Method::POST, "/v1/datasets", "CreateDataset"),
            (Method::PATCH, "/v1/datasets/un-comtrade", "UpdateDataset"),
            (
                Method::GET,
                "/v1/datasets/a/observations/b:compare",
                "CompareObservations",
            ),
            (
                Method::GET,
                "/v1/datasets/a/observations:export",
                "ExportObservations",
            ),
            (Method::POST, "/v1/statements:check", "CheckStatement"),
            (Method::GET, "/v1/statements/a:check", "CheckStatement"),
            (Method::DELETE, "/v1/datasets", "GET or POST"),
            (Method::OPTIONS, "/v1/statements:check", "POST"),
            (Method::GET, "/v1/datasets/", "nothing"),
            (Method::GET, "/v1//datasets", "nothing"),
            (Method::GET, "/v1/datasets/a/b", "nothing"),
            (Method::GET, "/v1/datasets/a:watch", "nothing"),
            (Method::GET, "/v1/datasets:", "nothing"),
            (Method::GET, "v1/datasets", "nothing"),
            (Method::GET, "*", "nothing"),
            (Method::GET, "", "nothing"),
        ] {
            let found = asked(&routes, &verb, path);
            assert_eq!(found, method, "{verb} {path}");
        }
        assert_eq!(
            asked(&routes, &Method::GET, &"/a".repeat(10_000)),
            "nothing"
        );
    }

    #[test]
    fn two_methods_under_one_path_are_an_error() {
        let mut routes = routes();
        let again = routes.routes[0].clone();
        let conflict = routes.insert(again).unwrap_err();
        assert!(
            matches!(conflict, RouteError::Conflict { .. }),
            "{conflict}"
        );
    }

    #[test]
    fn an_encoded_slash_does_not_part_a_name() {
        let routes = routes();
        let text = |path: &str| match routes.find(&Method::GET, path) {
            Found::Route(route, segments) => Route::path_text(&route.path_fields[0], &segments),
            other @ (Found::Other(_) | Found::Nothing) => panic!("{path}: {other:?}"),
        };
        assert_eq!(
            text("/v1/datasets/a%2Fb").as_deref(),
            Some("datasets/a%2Fb")
        );
        assert_eq!(
            text("/v1/datasets/%E4%B8%AD%20").as_deref(),
            Some("datasets/中 ")
        );
        assert_eq!(
            text("/v1/classifications/a%2Fb/commodities").as_deref(),
            Some("a/b")
        );
        assert_eq!(text("/v1/datasets/%FF"), None);
    }
}
