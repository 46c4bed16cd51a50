//! The port that Prometheus asks: `GET /metrics` and nothing else.
//!
//! It has no login, so whoever reaches it may connect and say nothing. Such a connection gives way to the next one.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use super::Meter;

/// Connections at a time. The next one takes the place of the oldest that has not asked yet, or waits for an answer's end.
const MAX_CONNECTIONS: usize = 8;
/// How long the head of a request may take.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// How long a connection may take altogether: it is for one request.
const LIMIT: Duration = Duration::from_secs(30);
/// Bytes of a head.
const MAX_HEAD: usize = 8 << 10;
/// After a failed accept, usually for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// The connections that are open.
#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    /// Those that had not asked when this was last looked at, the oldest first.
    silent: VecDeque<Connection>,
}

struct Connection {
    task: AbortHandle,
    has_asked: Arc<AtomicBool>,
}

/// Answers for as long as it is polled.
pub(super) async fn serve(listener: TcpListener, meter: Meter) {
    let mut connections = Connections::default();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => connections.add(stream, meter.clone()).await,
            Err(error) => {
                tracing::warn!(%error, "a connection for metrics was not accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

impl Connections {
    async fn add(&mut self, stream: TcpStream, meter: Meter) {
        self.make_room().await;
        let has_asked = Arc::new(AtomicBool::new(false));
        let answering = answer(stream, meter, Arc::clone(&has_asked));
        let task = self.tasks.spawn(async {
            // What takes longer has had its time.
            drop(tokio::time::timeout(LIMIT, answering).await);
        });
        self.silent.push_back(Connection { task, has_asked });
    }

    async fn make_room(&mut self) {
        while self.tasks.try_join_next().is_some() {}
        self.silent.retain(Connection::is_silent);
        if self.tasks.len() < MAX_CONNECTIONS {
            return;
        }
        if let Some(oldest) = self.silent.pop_front() {
            oldest.task.abort();
        }
        self.tasks.join_next().await;
    }
}

impl Connection {
    fn is_silent(&self) -> bool {
        !self.task.is_finished() && !self.has_asked.load(Ordering::Relaxed)
    }
}

async fn answer(stream: TcpStream, meter: Meter, has_asked: Arc<AtomicBool>) {
    let service = service_fn(|request| {
        has_asked.store(true, Ordering::Relaxed);
        reply(request, meter.clone())
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(MAX_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection for metrics failed");
    }
}

async fn reply(
    request: Request<Incoming>,
    meter: Meter,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() != "/metrics" {
        return Ok(refusal(StatusCode::NOT_FOUND));
    }
    if request.method() != Method::GET {
        let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED);
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET"));
        return Ok(response);
    }
    let Some(text) = meter.text().await else {
        return Ok(refusal(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let mut response = Response::new(Full::from(text));
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    Ok(response)
}

fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Asks, and reads the answer to its end.
    async fn scrape(mut stream: TcpStream) -> String {
        let asked = b"GET /metrics HTTP/1.1\r\nhost: desk\r\n\r\n";
        stream.write_all(asked).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Whether the other side has closed, by now.
    fn is_closed(stream: &TcpStream) -> bool {
        match stream.try_read(&mut [0]) {
            Ok(_) => true,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    #[tokio::test]
    async fn silent_connections_give_way_to_whoever_asks_the_oldest_first() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(serve(listener, Meter::apart()));
        let mut silent = Vec::new();
        for _ in 0..MAX_CONNECTIONS + 100 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let asking = TcpStream::connect(address).await.unwrap();
        let answer = scrape(asking).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let (given_way, left) = silent.split_at(silent.len() - MAX_CONNECTIONS + 1);
        for stream in given_way {
            stream.readable().await.unwrap();
            assert!(is_closed(stream));
        }
        // Their own time is not over: nobody waited for it.
        assert!(!left.iter().any(is_closed));
        serving.abort();
    }
}
