//! A service that answers every call with the same text: what the RPC layer alone costs.
//!
//! It stands under the name of the trade service, so that the same client calls it, and a text is a
//! message of one field that this client can read: on the wire it differs from a read of a figure only
//! in what the bytes say.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use proto::trade::v1::trade_service_server::SERVICE_NAME;
use tonic::body::Body;
use tonic::codegen::{Service, StdError, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

/// A message of one text, whose field every message of the trade service has as its name.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

/// The service.
#[derive(Clone, Debug)]
pub(super) struct Echo {
    answer: Text,
}

impl Echo {
    /// Answers with a message of about `bytes` bytes.
    pub(super) fn new(bytes: usize) -> Echo {
        Echo {
            answer: Text {
                text: "x".repeat(bytes.saturating_sub(3)),
            },
        }
    }
}

impl NamedService for Echo {
    const NAME: &'static str = SERVICE_NAME;
}

type Answering = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

/// As the generated servers do it.
impl<B> Service<http::Request<B>> for Echo
where
    B: tonic::codegen::Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Answering {
        let echo = self.clone();
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).unary(echo, request).await) })
    }
}

impl UnaryService<Text> for Echo {
    type Response = Text;
    type Future = std::future::Ready<Result<Response<Text>, Status>>;

    fn call(&mut self, _: Request<Text>) -> Self::Future {
        std::future::ready(Ok(Response::new(self.answer.clone())))
    }
}
