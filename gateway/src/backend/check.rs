//! A question for the health of a service, over the connection that calls take.

use bytes::{Bytes, BytesMut};
use chassis::{HealthCheckRequest, HealthCheckResponse, ServingStatus};
use h2::RecvStream;
use h2::client::SendRequest;
use http::header::{CONTENT_TYPE, TE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};
use prost::Message;
use tonic::{Code, Status};

use super::address::Address;
use super::failure::Failure;
use crate::frame;

const PATH: PathAndQuery = PathAndQuery::from_static("/grpc.health.v1.Health/Check");
/// More is no answer to this question.
const MOST_BYTES: usize = 1_024;

/// Asks for the health of one service at one address.
#[derive(Clone, Debug)]
pub(super) struct Check {
    address: Address,
    question: Bytes,
}

impl Check {
    pub(super) fn new(address: &Address, service: &str) -> Check {
        let question = HealthCheckRequest {
            service: service.to_owned(),
        };
        Check {
            address: address.clone(),
            question: frame::frame(&question).expect("a name is short"),
        }
    }

    /// Whether the service says that it serves.
    pub(super) async fn ask(&self, sender: &SendRequest<Bytes>) -> Result<bool, Failure> {
        let mut sender = sender.clone().ready().await?;
        let (answer, mut question) = sender.send_request(self.head(), false)?;
        question.send_data(self.question.clone(), true)?;
        let (head, body) = answer.await?.into_parts();
        if head.status != StatusCode::OK {
            return Err(Failure::Foreign(head.status));
        }
        succeeded(&head.headers)?;
        read(body).await
    }

    fn head(&self) -> Request<()> {
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = self.address.uri(PATH);
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        request
    }
}

async fn read(mut body: RecvStream) -> Result<bool, Failure> {
    let mut frames = BytesMut::new();
    while let Some(bytes) = body.data().await {
        let bytes = bytes?;
        body.flow_control().release_capacity(bytes.len())?;
        if frames.len() + bytes.len() > MOST_BYTES {
            return Err(Failure::Unhealthy(Code::Internal));
        }
        frames.extend_from_slice(&bytes);
    }
    if let Some(trailers) = body.trailers().await? {
        succeeded(&trailers)?;
    }
    let message = frame::take(&mut frames).unwrap_or_default();
    let answer = HealthCheckResponse::decode(message);
    let answer = answer.map_err(|_| Failure::Unhealthy(Code::Internal))?;
    Ok(answer.status() == ServingStatus::Serving)
}

fn succeeded(headers: &HeaderMap) -> Result<(), Failure> {
    match Status::from_header_map(headers).map(|status| status.code()) {
        None | Some(Code::Ok) => Ok(()),
        Some(code) => Err(Failure::Unhealthy(code)),
    }
}
