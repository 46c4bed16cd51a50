//! What is no call of a service: the first page, the document, and whether the process is well.

use bytes::Bytes;
use chassis::Grpc;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use prost::Message;
use serde_json::{Value, json};
use tonic::body::Body;

use super::frame::Messages;
use super::not_allowed;
use super::reply::{self, Wants};

/// Serving, as `grpc.health.v1` numbers it.
const SERVING: i32 = 1;

/// The answers that are the same for everyone.
#[derive(Debug)]
pub(super) struct Fixed {
    document: Bytes,
    root: Bytes,
}

/// Of `grpc.health.v1.HealthCheckResponse`, whose schema the chassis has.
#[derive(Clone, Copy, PartialEq, Message)]
struct Health {
    #[prost(int32, tag = "1")]
    status: i32,
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
            document: document.to_string().into(),
            root: format!("{root:#}\n").into(),
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
            "/" => wants.reply(self.root.clone(), true).await,
            _ => wants.reply(self.document.clone(), true).await,
        })
    }
}

/// Whether the process is well, asked as any other would ask it.
async fn health(grpc: &Grpc) -> Response<Body> {
    let status = match Messages::of(grpc.call(check()).await) {
        Ok(mut messages) => messages.next().await.and_then(Result::ok),
        Err(_) => None,
    };
    let health = status.and_then(|bytes| Health::decode(bytes).ok());
    if health.is_some_and(|health| health.status == SERVING) {
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
    let mut request = Request::new(reply::full(Bytes::from_static(&[0; 5])));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static("/grpc.health.v1.Health/Check");
    let grpc = http::HeaderValue::from_static("application/grpc");
    let headers = request.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, grpc);
    request
}
