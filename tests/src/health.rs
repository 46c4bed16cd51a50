//! What a process says of itself: the health of its services, and their names.

use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

const SERVING: i32 = 1;

/// `grpc.health.v1.HealthCheckRequest`.
#[derive(Clone, PartialEq, prost::Message)]
struct Question {
    #[prost(string, tag = "1")]
    service: String,
}

/// `grpc.health.v1.HealthCheckResponse`.
#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// `grpc.reflection.v1.ServerReflectionRequest`, as far as it is used.
#[derive(Clone, PartialEq, prost::Message)]
struct Reflect {
    #[prost(string, optional, tag = "7")]
    list_services: Option<String>,
}

/// `grpc.reflection.v1.ServerReflectionResponse`, as far as it is used.
#[derive(Clone, PartialEq, prost::Message)]
struct Reflected {
    #[prost(message, optional, tag = "6")]
    listed: Option<Listed>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Listed {
    #[prost(message, repeated, tag = "1")]
    services: Vec<Named>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

/// A watch of one service's health.
#[derive(Debug)]
pub struct Health {
    statuses: Streaming<Answer>,
}

impl Health {
    /// Whether a service says that it serves.
    pub async fn check(channel: &Channel, service: &str) -> Result<bool, Status> {
        let path = PathAndQuery::from_static("/grpc.health.v1.Health/Check");
        let mut client = ready(channel).await;
        let answer = client
            .unary(question(service), path, ProstCodec::<_, Answer>::default())
            .await?;
        Ok(answer.into_inner().status == SERVING)
    }

    /// Watches a service.
    pub async fn watch(channel: &Channel, service: &str) -> Health {
        let path = PathAndQuery::from_static("/grpc.health.v1.Health/Watch");
        let mut client = ready(channel).await;
        let codec = ProstCodec::<_, Answer>::default();
        let watched = client.server_streaming(question(service), path, codec);
        Health {
            statuses: watched.await.expect("watched").into_inner(),
        }
    }

    /// Waits until it serves, or until it does not.
    pub async fn until(&mut self, serving: bool) {
        while let Some(answer) = self.statuses.message().await.expect("it goes on") {
            if (answer.status == SERVING) == serving {
                return;
            }
        }
        panic!("the watch ended");
    }
}

/// The names of the services that reflection lists.
pub async fn services(channel: &Channel) -> Vec<String> {
    let path =
        PathAndQuery::from_static("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
    let list = Reflect {
        list_services: Some(String::new()),
    };
    let mut client = ready(channel).await;
    let codec = ProstCodec::<_, Reflected>::default();
    let answered = client.streaming(Request::new(tokio_stream::iter([list])), path, codec);
    let mut answers = answered.await.expect("answered").into_inner();
    let answer = answers.message().await.expect("one").expect("at least");
    let services = answer.listed.expect("a list").services;
    services.into_iter().map(|service| service.name).collect()
}

fn question(service: &str) -> Request<Question> {
    Request::new(Question {
        service: service.to_owned(),
    })
}

async fn ready(channel: &Channel) -> Grpc<Channel> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.expect("it accepts");
    client
}
