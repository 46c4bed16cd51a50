//! One call, from the client's request to the answer of a replica.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body as _;
use tonic::Status;
use tonic::body::Body;

use super::answer::Answer;
use super::connection::Begun;
use super::exchange::{Exchange, Message};
use super::failure::Failure;
use super::head::Head;
use super::pool::{Choice, Pool};
use super::replica::{Kind, Replica};
use crate::methods::Method;

/// A request up to this size is kept until its call is answered; so many bytes for each call that runs are what it
/// costs at most.
pub(crate) const KEPT_BYTES: usize = 64 << 10;
/// How often a call is sent at most.
const ATTEMPTS: usize = 3;
/// UNAVAILABLE.
const UNAVAILABLE: &str = "14";

type Outcome = Result<Response<Answer>, Failure>;

/// Passes a call to a replica of a service.
pub(super) async fn pass(pool: &Pool, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let head = Head::new(parts);
    let outcome = send(pool, &head, body).await;
    told(&head, outcome)
}

/// Passes a call of one small message to one replica, which is asked for itself.
pub(super) async fn pass_to(replica: &Arc<Replica>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let head = Head::new(parts);
    let asked = async {
        let Message::Whole(message) = gather(body).await? else {
            return Err(Failure::Full);
        };
        let choice = Choice::of(replica, Kind::Whole).ok_or(Failure::Nowhere)?;
        let request = head.request(replica.address())?;
        let begun = choice.connection.begin(request)?;
        // It says nothing of how the replica answers calls.
        Exchange::send(begun, message).await
    };
    let outcome = asked.await;
    told(&head, outcome)
}

/// The answer to whoever called.
fn told(head: &Head, outcome: Outcome) -> Response<Body> {
    match outcome {
        Ok(response) => response.map(Body::new),
        Err(failure) => {
            tracing::debug!(method = head.path(), %failure, "a call was not passed");
            Status::from(&failure).into_http()
        }
    }
}

async fn send(pool: &Pool, head: &Head, body: Body) -> Outcome {
    let method = Method::find(head.path());
    pool.budget.deposit();
    let message = if method.one_message {
        gather(body).await?
    } else {
        Message::Piped(Bytes::new(), body)
    };
    match message {
        Message::Whole(message) => repeat(pool, head, message, method).await,
        Message::Piped(first, rest) => pipe(pool, head, first, rest).await,
    }
}

/// Waits for all of a request, or for more than is kept.
pub(crate) async fn gather(mut body: Body) -> Result<Message, Failure> {
    let mut whole = Bytes::new();
    while !body.is_end_stream() {
        match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            Some(Ok(frame)) => whole = joined(whole, frame.into_data().unwrap_or_default()),
            Some(Err(_)) => return Err(Failure::Gone),
            None => break,
        }
        if whole.len() > KEPT_BYTES {
            return Ok(Message::Piped(whole, body));
        }
    }
    Ok(Message::Whole(whole))
}

fn joined(start: Bytes, more: Bytes) -> Bytes {
    if start.is_empty() {
        return more;
    }
    // Most clients end a request with an empty frame.
    if more.is_empty() {
        return start;
    }
    let mut joined = BytesMut::from(start);
    joined.extend_from_slice(&more);
    joined.freeze()
}

/// Sends a request that is kept, again where that may be done and helps.
async fn repeat(pool: &Pool, head: &Head, message: Bytes, method: Method) -> Outcome {
    let mut tried: Option<Arc<Replica>> = None;
    for _ in 1..ATTEMPTS {
        let choice = choose(pool, tried.as_deref()).await?;
        let outcome = ask(&choice, head, message.clone()).await;
        if !may_repeat(pool, &choice.replica, method, &outcome) {
            return outcome;
        }
        tried = Some(choice.replica);
    }
    let choice = choose(pool, tried.as_deref()).await?;
    ask(&choice, head, message).await
}

/// Chooses where a request that is kept is sent, and counts it if it was sent before.
async fn choose(pool: &Pool, tried: Option<&Replica>) -> Result<Choice, Failure> {
    let choice = pool.choose(Kind::Whole, tried).await?;
    if tried.is_some() {
        pool.retries.increment(1);
    }
    Ok(choice)
}

async fn ask(choice: &Choice, head: &Head, message: Bytes) -> Outcome {
    let request = head.request(choice.replica.address())?;
    let begun = choice.connection.begin(request)?;
    judged(&choice.replica, Exchange::send(begun, message).await)
}

async fn pipe(pool: &Pool, head: &Head, first: Bytes, rest: Body) -> Outcome {
    let (replica, begun) = begin(pool, head).await?;
    judged(&replica, Exchange::pipe(begun, first, rest).await)
}

/// Begins a call whose request can be sent once: on another connection if one takes no more calls.
async fn begin(pool: &Pool, head: &Head) -> Result<(Arc<Replica>, Begun), Failure> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let choice = pool.choose(Kind::Piped, None).await?;
        let request = head.request(choice.replica.address())?;
        if attempt > 1 {
            pool.retries.increment(1);
        }
        match choice.connection.begin(request) {
            Err(Failure::Refused(_)) if attempt < ATTEMPTS => {}
            begun => return Ok((choice.replica, begun?)),
        }
    }
}

/// Takes down what an outcome says of the replica.
fn judged(replica: &Replica, outcome: Outcome) -> Outcome {
    let outcome = outcome.and_then(|response| match response.status() {
        StatusCode::OK => Ok(response),
        other => Err(Failure::Foreign(other)),
    });
    match &outcome {
        Ok(response) if is_unavailable(response.headers()) => replica.failed(),
        Ok(_) => replica.succeeded(),
        // Whoever refuses a call goes away in good order.
        Err(Failure::Refused(_)) => {}
        // It is the call that is wrong, such as one with too large metadata.
        Err(Failure::Foreign(code)) if code.is_client_error() => {}
        Err(_) => replica.failed(),
    }
    outcome
}

fn may_repeat(pool: &Pool, replica: &Replica, method: Method, outcome: &Outcome) -> bool {
    match outcome {
        Ok(response) => {
            is_unavailable(response.headers())
                && method.repeatable
                && pool.has_other(replica)
                && pool.budget.withdraw()
        }
        Err(Failure::Refused(_)) => true,
        Err(Failure::Broken(_)) => method.repeatable && pool.budget.withdraw(),
        Err(
            Failure::Nowhere
            | Failure::Full
            | Failure::Unconnected(_)
            | Failure::Silent
            | Failure::Foreign(_)
            | Failure::Unhealthy(_)
            | Failure::Late
            | Failure::Gone,
        ) => false,
    }
}

fn is_unavailable(headers: &HeaderMap) -> bool {
    headers
        .get(Status::GRPC_STATUS)
        .is_some_and(|code| code == UNAVAILABLE)
}
