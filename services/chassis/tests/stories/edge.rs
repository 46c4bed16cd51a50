//! What is no gRPC call: who answers it, and that HTTP/1.1 holds no place and no drain.

use std::time::Duration;

use bytes::Bytes;
use chassis::{Answering, App, Config, Drained, Edge, Error, Grpc, Shutdown};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tonic::body::Body;

use crate::desk::{Desk, DeskServer, METHOD, get, within};

/// Tells what it was asked; under `/desk` it asks the desk for a name.
#[derive(Debug)]
struct Teller;

impl Edge for Teller {
    fn answer(&self, request: Request<Body>, grpc: Grpc) -> Answering {
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            match path.strip_prefix("/desk/") {
                Some("panic") => panic!("the edge fell over"),
                Some(name) => grpc.call(asking(&name.replace('-', " "))).await,
                None => Response::new(Body::new(Full::new(Bytes::from(path)))),
            }
        })
    }
}

/// A call as an edge makes it.
fn asking(name: &str) -> Request<Body> {
    let message = prost::Message::encode_to_vec(get(name).get_ref());
    let mut frame = vec![0, 0, 0, 0, u8::try_from(message.len()).unwrap()];
    frame.extend(message);
    let mut request = Request::new(Body::new(Full::new(Bytes::from(frame))));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = METHOD.parse().unwrap();
    let grpc = HeaderValue::from_static("application/grpc");
    request.headers_mut().insert(CONTENT_TYPE, grpc);
    request
}

/// A desk behind an edge.
struct Edged {
    address: std::net::SocketAddr,
    desk: Desk,
    shutdown: Shutdown,
    serving: JoinHandle<Result<Drained, Error>>,
}

impl Edged {
    fn with(config: Config) -> Edged {
        let listener = chassis::bind(([127, 0, 0, 1], 0).into(), &Config::default()).unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let desk = Desk::new(shutdown.clone());
        let app = App::new(proto::DESCRIPTORS).service(DeskServer(desk.clone()));
        let (app, stop) = (app.edge(Teller), shutdown.clone());
        let serve = async move { chassis::serve(listener, app, &config, stop).await };
        Edged {
            address,
            desk,
            shutdown,
            serving: tokio::spawn(serve),
        }
    }

    fn start() -> Edged {
        Edged::with(Config::default())
    }

    async fn socket(&self) -> TcpStream {
        within(TcpStream::connect(self.address)).await.unwrap()
    }

    async fn drained(self) -> Drained {
        within(self.serving).await.unwrap().unwrap()
    }
}

/// Sends a request and reads until the other end is done or its answer is whole.
async fn asked(socket: &mut TcpStream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    within(socket.write_all(request.as_bytes())).await.unwrap();
    read_until(socket, |text| text.ends_with(path)).await
}

async fn read_until(socket: &mut TcpStream, done: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    let mut buffer = [0; 1_024];
    while !done(&text) {
        // A connection that is reset has said all that it will.
        let read = within(socket.read(&mut buffer)).await.unwrap_or_default();
        if read == 0 {
            break;
        }
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    text
}

async fn is_closed(socket: &mut TcpStream) -> bool {
    matches!(within(socket.read(&mut [0; 64])).await, Ok(0) | Err(_))
}

#[tokio::test]
async fn a_request_of_http_1_is_answered_by_the_edge_one_after_the_other() {
    let process = Edged::start();
    let mut socket = process.socket().await;
    for path in ["/first", "/second"] {
        let answer = asked(&mut socket, path).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.ends_with(path), "{answer}");
    }
}

#[tokio::test]
async fn a_call_goes_past_the_edge_and_other_requests_of_http_2_go_to_it() {
    let process = Edged::start();
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", process.address));
    let channel = within(endpoint.unwrap().connect()).await.unwrap();
    let client = proto::trade::v1::trade_service_client::TradeServiceClient::new(channel.clone());
    let told = within(client.clone().get_dataset(get("echo")))
        .await
        .unwrap();
    assert_eq!(told.into_inner().name, "echo");

    let request = Request::get("/page").body(Body::empty()).unwrap();
    let answer = within(tower::ServiceExt::oneshot(channel, request))
        .await
        .unwrap();
    let body = within(answer.into_body().collect())
        .await
        .unwrap()
        .to_bytes();
    assert_eq!(&body[..], b"/page");
}

#[tokio::test]
async fn a_call_of_the_edge_is_a_call_like_any_other() {
    let process = Edged::start();
    let mut socket = process.socket().await;
    let request = b"GET /desk/peer HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    within(socket.write_all(request)).await.unwrap();
    let answer = read_until(&mut socket, |_| false).await;
    assert!(answer.contains("x-request-id: "), "{answer}");
    assert!(answer.contains("127.0.0.1:"), "{answer}");
}

#[tokio::test]
async fn a_process_without_a_login_answers_under_no_name_that_a_page_can_make_its_own() {
    let process = Edged::start();
    let mut socket = process.socket().await;
    let request = b"GET /page HTTP/1.1\r\nhost: desk.example\r\nconnection: close\r\n\r\n";
    within(socket.write_all(request)).await.unwrap();
    let answer = read_until(&mut socket, |_| false).await;
    assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
    assert!(!answer.contains("/page"), "{answer}");
}

#[tokio::test]
async fn a_panic_of_the_edge_ends_its_request_alone() {
    let process = Edged::start();
    let mut socket = process.socket().await;
    let request = b"GET /desk/panic HTTP/1.1\r\nhost: localhost\r\n\r\n";
    within(socket.write_all(request)).await.unwrap();
    let answer = read_until(&mut socket, |text| text.contains("\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert!(asked(&mut socket, "/next").await.ends_with("/next"));
}

#[tokio::test]
async fn a_client_that_says_nothing_keeps_no_place_in_either_protocol() {
    let process = Edged::with(Config {
        greeting_limit: Duration::from_millis(50),
        keepalive_interval: Duration::from_millis(50),
        ..Config::default()
    });
    for beginning in ["", "PRI * HT", "GET /slow HTTP/1.1\r\nhost:"] {
        let mut socket = process.socket().await;
        within(socket.write_all(beginning.as_bytes()))
            .await
            .unwrap();
        assert!(is_closed(&mut socket).await, "{beginning:?}");
    }
    let mut idle = process.socket().await;
    assert!(asked(&mut idle, "/once").await.ends_with("/once"));
    assert!(is_closed(&mut idle).await);
}

#[tokio::test]
async fn headers_are_bounded_in_number_and_size() {
    let process = Edged::start();
    let many = "a: b\r\n".repeat(100);
    let long = format!("a: {}\r\n", "b".repeat(64 * 1_024));
    for headers in [many, long] {
        let mut socket = process.socket().await;
        let request = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        // What is too long may be refused before it is sent.
        drop(within(socket.write_all(request.as_bytes())).await);
        let answer = read_until(&mut socket, |text| text.contains("\r\n\r\n")).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn idle_connections_end_at_the_drain_and_an_answer_on_its_way_is_finished() {
    let process = Edged::start();
    let mut idle = process.socket().await;
    assert!(asked(&mut idle, "/once").await.ends_with("/once"));
    let silent = process.socket().await;
    let mut waiting = process.socket().await;
    let request = b"GET /desk/gate HTTP/1.1\r\nhost: localhost\r\n\r\n";
    within(waiting.write_all(request)).await.unwrap();
    process.desk.begun().await;

    process.shutdown.trigger();
    assert!(is_closed(&mut idle).await);
    process.desk.open_gate();
    let answer = read_until(&mut waiting, |_| false).await;
    assert!(answer.contains("through"), "{answer}");
    assert_eq!(process.drained().await, Drained::Clean);
    drop(silent);
}

#[tokio::test]
async fn without_an_edge_http_1_is_not_spoken() {
    let process = crate::desk::Running::start();
    let mut socket = within(TcpStream::connect(process.address)).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    within(socket.write_all(request)).await.unwrap();
    let answer = read_until(&mut socket, |_| false).await;
    assert!(!answer.contains("HTTP/1.1 200"), "{answer}");
}
