//! Reflection speaks of what is served, with everything its schema says.

use proto::trade::v1::trade_service_server;
use tonic::Streaming;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
use tonic_reflection::pb::v1alpha;

use crate::desk::{Running, within};

async fn ask(process: &Running, question: MessageRequest) -> MessageResponse {
    let mut client = ServerReflectionClient::new(process.channel().await);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(question),
    };
    let questions = futures_util::stream::iter([request]);
    let answered = within(client.server_reflection_info(questions)).await;
    let mut answers: Streaming<ServerReflectionResponse> = answered.unwrap().into_inner();
    let answer = within(answers.message()).await.unwrap().unwrap();
    answer.message_response.unwrap()
}

#[tokio::test]
async fn it_lists_the_services_that_are_served_and_no_others() {
    let process = Running::start();
    let question = MessageRequest::ListServices(String::new());
    let MessageResponse::ListServicesResponse(list) = ask(&process, question).await else {
        panic!("an answer to another question");
    };
    let mut names: Vec<_> = list.service.iter().map(|service| &*service.name).collect();
    names.sort_unstable();
    let expected = [
        trade_service_server::SERVICE_NAME,
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn custom_options_survive() {
    let process = Running::start();
    let symbol = trade_service_server::SERVICE_NAME.to_owned();
    let question = MessageRequest::FileContainingSymbol(symbol);
    let MessageResponse::FileDescriptorResponse(files) = ask(&process, question).await else {
        panic!("an answer to another question");
    };
    let file = &files.file_descriptor_proto[0];
    let path = b"/v1/datasets";
    assert!(file.windows(path.len()).any(|part| part == path));
    let mut schema = proto::DESCRIPTORS.windows(file.len());
    assert!(schema.any(|part| part == file), "the file was written anew");
}

#[tokio::test]
async fn older_tools_are_answered_too() {
    use v1alpha::server_reflection_client::ServerReflectionClient;
    use v1alpha::server_reflection_request::MessageRequest;
    let process = Running::start();
    let mut client = ServerReflectionClient::new(process.channel().await);
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let questions = futures_util::stream::iter([request]);
    let answered = within(client.server_reflection_info(questions)).await;
    let mut answers = answered.unwrap().into_inner();
    assert!(within(answers.message()).await.unwrap().is_some());
}
