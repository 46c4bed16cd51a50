//! A client of HTTP/1.1, as plain as they come.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value;
use tokio::net::TcpStream;

/// An answer that is there whole.
#[derive(Debug)]
pub struct Page {
    /// Its code.
    pub code: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// An answer that comes in parts. Dropped, its client is gone.
#[derive(Debug)]
pub struct Parts {
    /// What came before the parts.
    pub response: Response<Incoming>,
    text: String,
}

/// Asks an address, over a connection of its own.
pub async fn ask(address: SocketAddr, request: Request<Bytes>) -> Page {
    let (head, body) = send(address, request).await.into_parts();
    Page {
        code: head.status,
        headers: head.headers,
        body: body.collect().await.expect("a whole answer").to_bytes(),
    }
}

/// Asks for a path.
pub async fn get(address: SocketAddr, path: &str) -> Page {
    let request = Request::get(path).body(Bytes::new());
    ask(address, request.expect("a request")).await
}

/// Sends JSON to a path.
pub async fn send_json(address: SocketAddr, verb: &str, path: &str, body: &str) -> Page {
    let request = Request::builder()
        .method(verb)
        .uri(path)
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_owned()));
    ask(address, request.expect("a request")).await
}

/// Asks for an answer that comes in parts.
pub async fn follow(address: SocketAddr, request: Request<Bytes>) -> Parts {
    Parts {
        response: send(address, request).await,
        text: String::new(),
    }
}

async fn send(address: SocketAddr, mut request: Request<Bytes>) -> Response<Incoming> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .expect("HTTP/1.1");
    tokio::spawn(connection);
    let host = address.to_string().parse().expect("an address is a header");
    request.headers_mut().insert("host", host);
    let sent = sender.send_request(request.map(Full::new)).await;
    sent.expect("an answer")
}

impl Page {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        let parsed = serde_json::from_slice(&self.body);
        parsed.unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body as a message of the schema.
    pub fn message<M: prost::Message + Default>(&self, name: &str) -> M {
        let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the schema");
        let kind = pool
            .get_message_by_name(name)
            .expect("a message of the schema");
        let message = DynamicMessage::deserialize(kind, self.json());
        let message = message.unwrap_or_else(|error| panic!("{error}: {self:?}"));
        message.transcode_to().expect("the same message")
    }

    /// Which fields an error names.
    pub fn fields(&self) -> Vec<String> {
        let details = self.json()["details"].clone();
        let details = details.as_array().cloned().unwrap_or_default();
        let violations = details
            .iter()
            .filter_map(|one| one["fieldViolations"].as_array());
        violations
            .flatten()
            .map(|one| one["field"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// The reason of an error.
    pub fn reason(&self) -> String {
        self.json()["details"][0]["reason"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

impl Parts {
    /// What comes next up to an end; nothing when nothing more comes.
    pub async fn until(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some(at) = self.text.find(end) {
                let part = self.text.drain(..at + end.len());
                return Some(part.as_str()[..at].to_owned());
            }
            let frame = self.response.body_mut().frame().await?;
            let data = frame
                .expect("a whole answer")
                .into_data()
                .unwrap_or_default();
            self.text.push_str(&String::from_utf8_lossy(&data));
        }
    }
}
