//! Calls over HTTP/2 as gRPC has them, with messages that were encoded before: what a generator spends on a call is not
//! there for the server on the same machine, and a client that decodes every answer measures itself.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use bytes::{BufMut, Bytes, BytesMut};
use chassis::{ClientTls, Gather};
use h2::client::SendRequest;
use h2::{Ping, PingPong};
use http::{HeaderMap, HeaderValue, Request, Uri};
use percent_encoding::percent_decode;
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::Code;

use crate::args::answer::ServerArgs;
use crate::client;

/// What may come ahead on one call, and on a connection.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 64 << 20;
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long is waited before a lost connection is made again: from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How long is waited before a peer is asked whether it is there, and how long for its answer.
const PING_PAUSE: Duration = Duration::from_secs(20);
const PONG_LIMIT: Duration = Duration::from_secs(20);
/// The mark and the length before a message.
const PREFIX: usize = 5;

/// Where calls go, and who makes them.
#[derive(Debug)]
pub(super) struct Target {
    host: String,
    port: u16,
    origin: Uri,
    tls: Option<ClientTls>,
    authorization: Option<HeaderValue>,
    /// How long a connection may take to come about.
    limit: Duration,
}

/// A connection that is made again when it is lost.
#[derive(Debug)]
pub(super) struct Line {
    target: Arc<Target>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sender: Option<SendRequest<Bytes>>,
    /// Counts connections, so that the news of an old one's end says nothing of the new one.
    number: u64,
}

/// Why a call failed: its code, and what was said.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) code: Code,
    pub(super) message: String,
}

/// An answer: how many bytes of messages came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) bytes: u64,
}

impl Target {
    /// An address with how it is proved and who asks.
    pub(super) fn new(args: &ServerArgs) -> anyhow::Result<Target> {
        let server = &args.server;
        let origin = server.url.uri();
        let host = origin.host().context("an address has a host")?.to_owned();
        let secure = server.url.is_secure();
        let port = origin.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tls = secure.then(|| server.tls.load()).transpose()?.flatten();
        anyhow::ensure!(tls.is_some() || !secure, client::unbelieved(&server.url));
        Ok(Target {
            host,
            port,
            origin,
            tls,
            authorization: client::authorization(server)?,
            limit: args.limit().min(CONNECT_LIMIT),
        })
    }

    async fn connect(&self) -> anyhow::Result<Connected> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port)).await?;
        stream.set_nodelay(true)?;
        Ok(match &self.tls {
            None => Connected::over(stream).await?,
            Some(tls) => Connected::over(tls.connect(&self.host, stream).await?).await?,
        })
    }

    /// The head of a call.
    pub(super) fn head(&self, path: &str) -> anyhow::Result<Request<()>> {
        let uri = Uri::builder()
            .scheme(self.origin.scheme_str().unwrap_or("http"))
            .authority(
                self.origin
                    .authority()
                    .context("an address has a host")?
                    .as_str(),
            )
            .path_and_query(path)
            .build()?;
        let mut request = Request::post(uri).body(())?;
        let headers = request.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        headers.insert("te", HeaderValue::from_static("trailers"));
        headers.insert("user-agent", HeaderValue::from_static("entente-load"));
        if let Some(authorization) = &self.authorization {
            headers.insert("authorization", authorization.clone());
        }
        Ok(request)
    }
}

/// A connection to somebody who is there.
struct Connected {
    sender: SendRequest<Bytes>,
    /// Asks whether anybody is there.
    pings: PingPong,
    driving: Driving,
}

/// Moves the bytes of a connection.
type Driving = Pin<Box<dyn Future<Output = Result<(), h2::Error>> + Send>>;

impl Connected {
    async fn over<S>(stream: S) -> anyhow::Result<Connected>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut settings = h2::client::Builder::new();
        settings
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_concurrent_reset_streams(1_024)
            .max_local_error_reset_streams(None)
            .enable_push(false);
        let (sender, mut connection) = settings.handshake(stream).await?;
        let mut pings = connection.ping_pong().context("it is asked for once")?;
        let mut driving: Driving = Box::pin(Gather::new(connection));
        // A handshake is over when it is sent; whether anybody reads it, an answer says.
        tokio::select! {
            pong = pings.ping(Ping::opaque()) => {
                pong?;
            }
            ended = &mut driving => {
                ended?;
                bail!("the connection was closed at once");
            }
        }
        Ok(Connected {
            sender,
            pings,
            driving,
        })
    }
}

/// Moves the bytes of a connection until it ends or its peer is silent.
async fn drive(driving: Driving, pings: PingPong, pause: Duration, limit: Duration) {
    tokio::select! {
        // Why it ended is told by the calls that it failed.
        _ = driving => {}
        () = silence(pings, pause, limit) => {}
    }
}

/// Ready when a ping is not answered in time.
async fn silence(mut pings: PingPong, pause: Duration, limit: Duration) {
    loop {
        tokio::time::sleep(pause).await;
        match timeout(limit, pings.ping(Ping::opaque())).await {
            Ok(Ok(_)) => {}
            // What has ended says so itself.
            Ok(Err(_)) => std::future::pending().await,
            Err(_) => return,
        }
    }
}

impl Line {
    /// A connection that must come about.
    pub(super) async fn open(target: &Arc<Target>) -> anyhow::Result<Arc<Line>> {
        let line = Arc::new(Line {
            target: target.clone(),
            state: Mutex::default(),
        });
        let told = || format!("cannot reach {}", target.origin);
        let greeted = timeout(target.limit, line.connect()).await.map_err(|_| {
            anyhow!(
                "nothing that speaks HTTP/2 answered within {:?}",
                target.limit
            )
        });
        greeted.and_then(|greeted| greeted).with_context(told)?;
        Ok(line)
    }

    /// Makes the connection.
    async fn connect(self: &Arc<Self>) -> anyhow::Result<()> {
        let Connected {
            sender,
            pings,
            driving,
        } = self.target.connect().await?;
        let number = {
            let mut state = self.state();
            state.sender = Some(sender);
            state.number += 1;
            state.number
        };
        let line = self.clone();
        tokio::spawn(async move {
            drive(driving, pings, PING_PAUSE, PONG_LIMIT).await;
            line.lost(number);
        });
        Ok(())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // It holds no more than a handle and a number: neither can be half written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether calls can be made on it now.
    pub(super) fn is_up(&self) -> bool {
        self.state().sender.is_some()
    }

    /// Makes a connection again that takes no more calls, unless that is being done.
    fn lost(self: &Arc<Self>, number: u64) {
        {
            let mut state = self.state();
            if state.number != number || state.sender.take().is_none() {
                return;
            }
        }
        let line = self.clone();
        tokio::spawn(async move { line.again().await });
    }

    async fn again(self: &Arc<Self>) {
        let mut pause = FIRST_PAUSE;
        while !matches!(timeout(self.target.limit, self.connect()).await, Ok(Ok(()))) {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Makes a call with messages that are sent one after the other.
    pub(super) async fn call(
        self: &Arc<Self>,
        head: Request<()>,
        messages: Bytes,
    ) -> Result<Answered, Failure> {
        let mut answer = self.stream(head, messages).await?;
        let mut answered = Answered::default();
        while let Some(bytes) = answer.next().await? {
            answered.bytes += bytes.len() as u64;
        }
        Ok(answered)
    }

    /// Makes a call, and gives its answer piece by piece.
    pub(super) async fn stream(
        self: &Arc<Self>,
        head: Request<()>,
        messages: Bytes,
    ) -> Result<Answer, Failure> {
        let (sender, number) = {
            let state = self.state();
            (state.sender.clone(), state.number)
        };
        let sender = sender.ok_or_else(|| Failure::unavailable("not connected"))?;
        let began = begin(sender, head, messages).await;
        let response = began.map_err(|error| {
            // A reset is of this call alone; anything else is the end of the connection.
            if !error.is_reset() {
                self.lost(number);
            }
            Failure::from(error)
        })?;
        Answer::new(response)
    }
}

async fn begin(
    sender: SendRequest<Bytes>,
    head: Request<()>,
    messages: Bytes,
) -> Result<http::Response<h2::RecvStream>, h2::Error> {
    let mut sender = sender.ready().await?;
    let (response, mut body) = sender.send_request(head, false)?;
    body.send_data(messages, true)?;
    response.await
}

/// An answer that is on its way.
#[derive(Debug)]
pub(super) struct Answer {
    body: h2::RecvStream,
}

impl Answer {
    fn new(response: http::Response<h2::RecvStream>) -> Result<Answer, Failure> {
        if response.status() != http::StatusCode::OK {
            let code = if response.status().is_server_error() {
                Code::Unavailable
            } else {
                Code::Unknown
            };
            return Err(Failure::new(
                code,
                format!("HTTP status {}", response.status()),
            ));
        }
        status(response.headers()).transpose()?;
        Ok(Answer {
            body: response.into_body(),
        })
    }

    /// What comes next; none when it has ended well.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        if let Some(bytes) = self.body.data().await {
            let bytes = bytes?;
            self.body.flow_control().release_capacity(bytes.len())?;
            return Ok(Some(bytes));
        }
        let trailers = self.body.trailers().await?.unwrap_or_default();
        match status(&trailers) {
            Some(Ok(())) => Ok(None),
            Some(Err(failure)) => Err(failure),
            None => Err(Failure::new(Code::Unknown, "the answer has no status")),
        }
    }
}

/// What the headers say of how a call ended, if they do.
fn status(headers: &HeaderMap) -> Option<Result<(), Failure>> {
    let status = headers.get("grpc-status")?;
    let code = Code::from_bytes(status.as_bytes());
    if code == Code::Ok {
        return Some(Ok(()));
    }
    let message = headers.get("grpc-message").map(HeaderValue::as_bytes);
    let message = percent_decode(message.unwrap_or_default()).decode_utf8_lossy();
    Some(Err(Failure::new(code, message)))
}

impl Failure {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Failure {
        let message = message.into();
        Failure { code, message }
    }

    fn unavailable(message: &str) -> Failure {
        Failure::new(Code::Unavailable, message)
    }
}

impl From<h2::Error> for Failure {
    fn from(error: h2::Error) -> Failure {
        let code = match error.reason() {
            Some(h2::Reason::CANCEL) => Code::Cancelled,
            Some(h2::Reason::ENHANCE_YOUR_CALM) => Code::ResourceExhausted,
            Some(_) | None => Code::Unavailable,
        };
        Failure::new(code, error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)
    }
}

/// A message with what gRPC puts before it.
pub(super) fn framed(message: &impl Message) -> Bytes {
    let mut bytes = BytesMut::new();
    frame(message, &mut bytes);
    bytes.freeze()
}

/// Adds a message with what gRPC puts before it.
pub(super) fn frame(message: &impl Message, bytes: &mut BytesMut) {
    let length = message.encoded_len();
    bytes.reserve(PREFIX + length);
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    message.encode(bytes).expect("the bytes grow as they must");
}

/// Messages out of the pieces in which they come.
#[derive(Debug, Default)]
pub(super) struct Messages(BytesMut);

/// The largest message that is taken together.
const MAX_MESSAGE: usize = 16 << 20;

impl Messages {
    /// Takes a piece.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next message that is whole.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some(prefix) = self.0.first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let [compressed, length @ ..] = *prefix;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if compressed != 0 || length > MAX_MESSAGE {
            return Err(Failure::new(
                Code::Internal,
                "a message that cannot be read",
            ));
        }
        if self.0.len() < PREFIX + length {
            return Ok(None);
        }
        let mut message = self.0.split_to(PREFIX + length);
        Ok(Some(message.split_off(PREFIX).freeze()))
    }
}

/// Tells the server how long the call may take.
pub(super) fn tell_left(head: &mut Request<()>, left: Duration) {
    let left = HeaderValue::from_str(&grpc_timeout(left)).expect("digits and a letter");
    head.headers_mut().insert("grpc-timeout", left);
}

/// As the header has it: at most eight digits and a unit.
fn grpc_timeout(deadline: Duration) -> String {
    match u64::try_from(deadline.as_micros()) {
        Ok(micros) if micros < 100_000_000 => format!("{micros}u"),
        _ => format!("{}m", deadline.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer that answers as long as it is polled, and holds its end as long as it is there.
    async fn answer(stream: tokio::io::DuplexStream) {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        drop(connection.accept().await);
    }

    #[tokio::test]
    async fn a_connection_whose_peer_falls_silent_is_given_up() {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let mut peer = Box::pin(answer(theirs));
        let connected = tokio::select! {
            connected = Connected::over(ours) => connected.unwrap(),
            () = &mut peer => panic!("it ended"),
        };
        let Connected { pings, driving, .. } = connected;
        let moment = Duration::from_millis(1);
        let given_up = drive(driving, pings, moment, moment);
        let limit = Duration::from_secs(120);
        assert!(timeout(limit, given_up).await.is_ok());
        drop(peer);
    }

    #[test]
    fn messages_are_found_again_in_whatever_pieces_they_come() {
        let sent: Vec<String> = ["one", "", "three"].map(str::to_owned).into();
        let mut bytes = BytesMut::new();
        for text in &sent {
            frame(text, &mut bytes);
        }
        let mut messages = Messages::default();
        let mut found = Vec::new();
        for piece in bytes.chunks(3) {
            messages.push(piece);
            while let Some(message) = messages.next().unwrap() {
                found.push(String::decode(message).unwrap());
            }
        }
        assert_eq!(found, sent);
    }

    #[test]
    fn a_length_that_nobody_would_send_is_refused() {
        let mut messages = Messages::default();
        messages.push(&[0, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(messages.next().unwrap_err().code, Code::Internal);
    }

    #[test]
    fn a_deadline_has_at_most_eight_digits() {
        assert_eq!(grpc_timeout(Duration::from_millis(5)), "5000u");
        assert_eq!(grpc_timeout(Duration::from_secs(3_600)), "3600000m");
    }

    #[test]
    fn a_status_is_read_from_headers() {
        let mut headers = HeaderMap::new();
        assert_eq!(status(&headers), None);
        headers.insert("grpc-status", HeaderValue::from_static("0"));
        assert_eq!(status(&headers), Some(Ok(())));
        headers.insert("grpc-status", HeaderValue::from_static("5"));
        headers.insert("grpc-message", HeaderValue::from_static("no %E4%B8%AD%25"));
        let failure = status(&headers).unwrap().unwrap_err();
        assert_eq!(failure, Failure::new(Code::NotFound, "no 中%"));
    }
}
