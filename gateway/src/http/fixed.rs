//! What is no call of a service: the first page, the document, and whether the process is well.

use chassis::{Grpc, HealthCheckRequest, HealthCheckResponse, ServingStatus};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use prost::Message;
use serde_json::{Value, json};
use tonic::body::Body;

use super::messages::Messages;
use super::not_allowed;
use super::reply::{self, Made, Wants};
use crate::frame::frame;

/// The answers that are the same for everyone.
#[derive(Debug)]
pub(super) struct Fixed {
    document: Made,
    root: Made,
}

impl Fixed {
    pub(super) fn new(document: &Value) -> Fixed {
        let root = json!({
            "name": "Entente",
            "description": document["info"]["summary"],
            "links": {
                "openapi": "/openapi.json",
                "health": "/healthz",
                "datasets": "/v1/datasets",
                "statements": "/v1/statements",
                "events": "/v1/events",
                "agreements": "/v1/agreements",
                "programmes": "/v1/programmes",
                "visaRules": "/v1/visaRules",
            }
        });
        Fixed {
            document: Made::new(document.to_string()),
            root: Made::new(format!("{root:#}\n")),
        }
    }

    /// The answer, if the path is one of these.
    pub(super) async fn answer(
        &self,
        path: &str,
        method: &Method,
        headers: &HeaderMap,
        grpc: &Grpc,
    ) -> Option<Response<Body>> {
        if !["/", "/openapi.json", "/healthz"].contains(&path) {
            return None;
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Some(not_allowed(&[Method::GET]));
        }
        let wants = Wants::of(headers, false);
        Some(match path {
            "/healthz" => health(grpc).await,
            "/" => wants.repeat(&self.root),
            _ => wants.repeat(&self.document),
        })
    }
}

/// Whether the process is well, asked as any other would ask it.
async fn health(grpc: &Grpc) -> Response<Body> {
    let status = match Messages::of(grpc.call(check()).await) {
        Ok(mut messages) => messages.next().await.and_then(Result::ok),
        Err(_) => None,
    };
    let health = status.and_then(|bytes| HealthCheckResponse::decode(bytes).ok());
    if health.is_some_and(|health| health.status() == ServingStatus::Serving) {
        return reply::json(
            StatusCode::OK,
            json!({ "status": "SERVING" }).to_string().into(),
        );
    }
    let not = json!({ "status": "NOT_SERVING" });
    reply::json(StatusCode::SERVICE_UNAVAILABLE, not.to_string().into())
}

/// A check of the process, which an empty message asks for.
fn check() -> Request<Body> {
    let message = frame(&HealthCheckRequest::default()).expect("an empty message is short");
    let mut request = Request::new(reply::full(message));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static("/grpc.health.v1.Health/Check");
    let grpc = http::HeaderValue::from_static("application/grpc");
    let headers = request.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, grpc);
    request
}
