//! HTTP/JSON, gRPC-Web and the `OpenAPI` document: what asks without speaking gRPC.
//!
//! Every request becomes a call before it is let in, and the call's answer becomes the request's. Which request asks
//! for which call, and what its parts mean, is read from the annotations of the schema when the process starts, so
//! a method that is added to a service is there over HTTP as well.
//!
//! * [`routes`], [`template`]: which method a path asks for. [`ask`]: its request, from path, query and body
//!   ([`query`], [`text`], [`fields`]).
//! * [`messages`]: what a service answers. [`reply`], [`stream`], [`error`]: the same as JSON, as lines or events, and
//!   errors.
//! * [`patience`]: bodies that must come. [`grpc_web`] and [`cors`]: calls of browsers. [`openapi`]: the document. [`fixed`]: what is no call of a service.

mod ask;
mod cors;
mod error;
mod fields;
mod fixed;
mod grpc_web;
mod messages;
mod openapi;
mod patience;
mod query;
mod reply;
mod routes;
mod stream;
mod template;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

use chassis::{Answering, Edge, Grpc};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use prost_reflect::DescriptorPool;
use proto::Violations;
use proto::error::v1::ErrorReason;
use tonic::body::Body;
use tonic::{Code, Status};

use self::ask::{Asked, Refusal};
use self::fixed::Fixed;
use self::grpc_web::Form;
use self::messages::{Messages, broken};
use self::patience::Patient;
use self::query::Query;
use self::reply::{Wants, aside, render};
use self::routes::{Found, Route, Routes, Takes};
use self::stream::Feed;

pub use self::cors::{Cors, OriginError};
pub use self::routes::RouteError;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RAW: &str = "google.api.HttpBody";

/// Everything over HTTP that is no gRPC, for the services of the schema.
#[derive(Clone, Debug)]
pub struct Web {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    routes: Routes,
    cors: Cors,
    fixed: Fixed,
}

impl Web {
    /// What the schema's annotations say. `descriptors` is an encoded `FileDescriptorSet` with all imports.
    pub fn new(descriptors: &[u8], cors: Cors) -> Result<Web, RouteError> {
        let pool = DescriptorPool::decode(descriptors).map_err(RouteError::Descriptors)?;
        let routes = Routes::new(&pool)?;
        let fixed = Fixed::new(&openapi::document(&pool, &routes));
        let shared = Arc::new(Shared {
            routes,
            cors,
            fixed,
        });
        Ok(Web { shared })
    }
}

impl Edge for Web {
    fn answer(&self, request: Request<Body>, grpc: Grpc) -> Answering {
        let shared = self.shared.clone();
        let request = request.map(|body| Body::new(Patient::new(body)));
        Box::pin(async move {
            let origin = request.headers().get(header::ORIGIN).cloned();
            let mut response = shared.answer(request, grpc).await;
            shared.cors.sign(origin.as_ref(), response.headers_mut());
            response
        })
    }
}

impl Shared {
    async fn answer(&self, request: Request<Body>, grpc: Grpc) -> Response<Body> {
        if let Some(preflight) = self.cors.preflight(&request) {
            return preflight;
        }
        if let Some(form) = Form::of(request.headers()) {
            return grpc_web::answer(request, form, grpc).await;
        }
        let is_head = *request.method() == Method::HEAD;
        let response = self.answer_json(request, grpc).await;
        if is_head { headed(response) } else { response }
    }

    async fn answer_json(&self, request: Request<Body>, grpc: Grpc) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let (method, headers) = (request.method().clone(), request.headers());
        let fixed = self.fixed.answer(&path, &method, headers, &grpc);
        if let Some(fixed) = fixed.await {
            return fixed;
        }
        match self.routes.find(request.method(), &path) {
            Found::Route(route, segments) => call(route, &segments, request, &grpc).await,
            Found::Other(methods) => not_allowed(&methods),
            Found::Nothing => error::response(&not_found()),
        }
    }
}

/// Asks for what a route names, and answers with what it says.
async fn call(
    route: &Route,
    segments: &[&str],
    request: Request<Body>,
    grpc: &Grpc,
) -> Response<Body> {
    if let Err(refused) = check_content_type(route, request.headers()) {
        return error::response_with(StatusCode::UNSUPPORTED_MEDIA_TYPE, &refused);
    }
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let pretty = query.as_ref().is_ok_and(|query| query.pretty);
    let wants = Wants::of(request.headers(), pretty);
    let asked = query.map_err(Status::from).map(|query| Asked {
        last_event: last_event(&wants, request.headers()),
        ..Asked::new(route, segments, query)
    });
    let refusal = Refusal::default();
    let response = grpc.call(ask::call(route, asked, request, &refusal)).await;
    let id = response.headers().get(REQUEST_ID).cloned();
    let answered = answer(route, response, &wants, &refusal).await;
    let mut response = answered.unwrap_or_else(|status| refused(&refusal, status));
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn refused(refusal: &Refusal, status: Status) -> Response<Body> {
    error::response(&refusal.or(status))
}

async fn answer(
    route: &Route,
    response: Response<Body>,
    wants: &Wants,
    refusal: &Refusal,
) -> Result<Response<Body>, Status> {
    let mut messages = Messages::of(response)?;
    let output = route.method.output();
    if !route.method.is_server_streaming() {
        let message = messages.next().await;
        let message = message.ok_or_else(|| broken("the answer of a service is empty"))??;
        if let Some(more) = messages.next().await {
            more?;
            return Err(broken("the answer of a service has a second message"));
        }
        let pretty = wants.pretty;
        let json = aside(message.len(), move || render(output, &message, pretty)).await?;
        let response = wants.reply(json.into(), route.is_kept()).await;
        return Ok(response.map(|body| messages.held_by(body)));
    }
    let is_raw = output.full_name() == RAW;
    let feed = Feed {
        messages,
        output,
        refusal: refusal.clone(),
    };
    if is_raw {
        return stream::file(feed).await;
    }
    Ok(stream::respond(feed, wants))
}

fn last_event(wants: &Wants, headers: &HeaderMap) -> Option<String> {
    let last = headers.get("last-event-id").filter(|_| wants.events)?;
    Some(String::from_utf8_lossy(last.as_bytes()).into_owned())
}

/// A body is JSON as it is, and says so: what a page of another origin can send without asking is refused.
fn check_content_type(route: &Route, headers: &HeaderMap) -> Result<(), Status> {
    if matches!(route.takes, Takes::Nothing) {
        return Ok(());
    }
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err(Violations::one("content-encoding", "bodies are taken as they are").into());
    }
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let lines = route.method.is_client_streaming();
    let known = kind.eq_ignore_ascii_case("application/json")
        || (lines && kind.eq_ignore_ascii_case("application/x-ndjson"));
    if known {
        return Ok(());
    }
    Err(Violations::one(
        "content-type",
        "the body of this call is `application/json`",
    )
    .into())
}

fn not_found() -> Status {
    let what = "nothing is served under that path; /openapi.json says what is";
    proto::status(Code::NotFound, ErrorReason::NotFound, what, [])
}

fn not_allowed(methods: &[Method]) -> Response<Body> {
    let mut names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.sort_unstable();
    let names = names.join(", ");
    let what = format!("that path is there for {names} only");
    let status = Status::from(Violations::one("method", what));
    let mut response = error::response_with(StatusCode::METHOD_NOT_ALLOWED, &status);
    if let Ok(allowed) = HeaderValue::from_str(&names) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

/// The head of an answer, with the length that the body would have.
fn headed(response: Response<Body>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    if let Some(length) = http_body::Body::size_hint(&body).exact() {
        head.headers
            .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(head, Body::empty())
}
