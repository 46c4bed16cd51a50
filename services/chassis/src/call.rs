//! What happens to every call, whatever its service.
//!
//! One service, one future and one body hold all of it (deadline, place among the calls that run,
//! panics, span) instead of a stack of tower layers: as layers, each part would bring a service, a
//! future and a body of its own. And it stands where a layer cannot: tonic's `Server` puts its own
//! timer, which answers CANCELLED, around all layers that are handed to it, so that ours could lose the
//! race.
//!
//! Each part is a file: [`deadline`], [`limit`], [`mod@panic`], [`places`], [`refusal`], [`trace`], [`mod@whole`].

mod deadline;
mod ids;
mod limit;
mod panic;
mod places;
mod refusal;
mod trace;
mod whole;

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use metrics::gauge;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Service, StdError};
use tonic::service::Routes;
use tonic::transport::server::TcpConnectInfo;

use crate::app::Assembled;
use crate::auth::{Door, Standing};
use crate::caller::PeerNames;
use crate::methods::Methods;
use crate::pass::{Passed, Passing};
use crate::{Config, Edge, Error, telemetry};

pub use self::deadline::Deadline;
pub use self::ids::Trace;
pub use self::panic::panics;
pub(crate) use self::panic::{catch, count as count_panic, message as panic_message};
pub(crate) use self::places::{EVERY, Places};
pub(crate) use self::whole::whole;

use self::deadline::{Deadlines, Timer};
use self::limit::Limit;
use self::places::Place;
use self::trace::Call;

/// A call that is being answered, here or elsewhere.
#[expect(
    clippy::large_enum_variant,
    reason = "a box would cost each call that is answered here an allocation"
)]
enum Answering {
    Here(<Routes as Service<Request<Body>>>::Future),
    Elsewhere(Passing),
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Process {
    routes: Routes,
    passed: Passed,
    methods: Arc<Methods>,
    edge: Option<Arc<dyn Edge>>,
    deadlines: Deadlines,
    door: Arc<Door>,
    limit: Limit,
}

/// Answers the calls of one connection.
#[derive(Debug, Clone)]
pub(crate) struct Calls {
    process: Arc<Process>,
    peer: SocketAddr,
    info: TcpConnectInfo,
    names: Option<PeerNames>,
    places: Arc<Places>,
}

/// A call until its response head.
#[derive(Debug)]
pub(crate) struct Reply {
    work: Result<Answering, Status>,
    held: Option<Held>,
}

/// A call from its response head to its end.
#[derive(Debug)]
pub(crate) struct ReplyBody {
    inner: Body,
    ended: bool,
    held: Held,
}

/// What a call holds as long as it runs; the end of the call is its drop.
#[derive(Debug)]
struct Held {
    bounds: Bounds,
    place: Option<Place>,
    call: Call,
}

/// What may end a call before its handler does.
#[derive(Debug, Default)]
struct Bounds {
    timer: Timer,
    /// That of a stream; other calls are over soon.
    standing: Option<Standing>,
}

impl Answering {
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Response<Body>> {
        match self {
            Answering::Here(future) => match ready!(Pin::new(future).poll(cx)) {
                Ok(response) => Poll::Ready(response),
                Err(never) => match never {},
            },
            Answering::Elsewhere(future) => future.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Answering::Here(_) => "Here",
            Answering::Elsewhere(_) => "Elsewhere",
        })
    }
}

impl Process {
    pub(crate) fn new(app: Assembled, config: &Config) -> Result<Self, Error> {
        let Assembled {
            routes,
            passed,
            methods,
            edge,
        } = app;
        Ok(Self {
            routes,
            passed,
            methods,
            edge,
            deadlines: Deadlines::new(config),
            door: Arc::new(Door::open(config)?),
            limit: Limit::new(config.max_calls),
        })
    }

    /// Keeps what it believes of callers fresh, until it is dropped.
    pub(crate) fn tend(&self) -> impl Future<Output = ()> + use<> {
        Arc::clone(&self.door).tend()
    }

    /// Who answers what is no call.
    pub(crate) fn edge(&self) -> Option<Arc<dyn Edge>> {
        self.edge.clone()
    }

    /// Says to those who count how many calls run, and how many may.
    pub(crate) fn report(&self) {
        self.methods.report();
        gauge!("entente_calls_limit").set(telemetry::float(self.limit.max()));
    }

    /// How many calls run.
    pub(crate) fn running(&self) -> usize {
        self.limit.running()
    }
}

impl Calls {
    pub(crate) fn new(process: Arc<Process>, peer: SocketAddr, local: Option<SocketAddr>) -> Self {
        let info = TcpConnectInfo {
            local_addr: local,
            remote_addr: Some(peer),
        };
        Self {
            process,
            peer,
            info,
            names: None,
            places: Arc::default(),
        }
    }

    /// The places of its calls.
    pub(crate) fn places(&self) -> Arc<Places> {
        Arc::clone(&self.places)
    }

    /// The names that the other end has proved.
    pub(crate) fn know(&mut self, names: Option<PeerNames>) {
        self.names = names;
    }

    /// Generic over the body so that hyper's goes to the routes as it is, without a box of its own.
    pub(crate) fn start<B>(&self, mut request: Request<B>) -> Reply
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<StdError>,
    {
        if let Some(names) = &self.names {
            request.extensions_mut().insert(names.clone());
        }
        let mut held = Held {
            bounds: Bounds::default(),
            place: None,
            call: self.begin(&mut request),
        };
        let admitted = self.admit(&mut request, &mut held);
        Reply {
            work: admitted.and_then(|()| self.run(request, &held.call)),
            held: Some(held),
        }
    }

    fn begin<B>(&self, request: &mut Request<B>) -> Call {
        let method = self.process.methods.find(request.uri().path());
        let call = Call::begin(request, method.clone(), self.peer);
        request.extensions_mut().insert(call.trace());
        call
    }

    fn admit<B>(&self, request: &mut Request<B>, held: &mut Held) -> Result<(), Status> {
        let Process {
            deadlines,
            door,
            limit,
            ..
        } = &*self.process;
        let is_unary = held.call.method().is_unary();
        let timer = deadlines.timer(request, is_unary, held.call.started());
        let admitted = door.identify(request, self.peer)?;
        if let Some(caller) = admitted.caller() {
            held.call.made_by(caller);
        }
        door.allow(&admitted, self.peer)?;
        held.bounds.timer = timer?;
        if !is_unary {
            held.bounds.standing = admitted.standing();
        }
        let permit = limit.admit(request.uri().path())?;
        held.place = Some(self.places.hold(permit, held.bounds.timer.deadline()));
        held.call.let_in();
        Ok(())
    }

    fn run<B>(&self, mut request: Request<B>, call: &Call) -> Result<Answering, Status>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<StdError>,
    {
        let _entered = call.span().enter();
        if let Some(way) = self.process.passed.way(request.uri().path()) {
            return panic::catch(|| Answering::Elsewhere(way.pass(request.map(Body::new))));
        }
        request.extensions_mut().insert(self.info.clone());
        panic::catch(|| Answering::Here(self.process.routes.clone().call(request)))
    }
}

impl Future for Reply {
    type Output = Result<Response<ReplyBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { work, held } = self.get_mut();
        let waiting = held
            .as_mut()
            .expect("a future is not polled once it is ready");
        let answer = ready!(waiting.poll_answer(work, cx));
        let held = held.take().expect("it was there a line ago");
        Poll::Ready(Ok(held.into_response(answer)))
    }
}

impl Held {
    fn poll_answer(
        &mut self,
        work: &mut Result<Answering, Status>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<Body>, Status>> {
        let future = match work {
            Ok(future) => future,
            Err(refusal) => return Poll::Ready(Err(refusal.clone())),
        };
        let _entered = self.call.span().enter();
        match panic::catch(|| future.poll_answer(cx)) {
            Ok(Poll::Ready(response)) => Poll::Ready(Ok(response)),
            Ok(Poll::Pending) => self.bounds.poll_over(cx).map(Err),
            Err(panicked) => Poll::Ready(Err(panicked)),
        }
    }

    fn into_response(mut self, answer: Result<Response<Body>, Status>) -> Response<ReplyBody> {
        let response = answer.unwrap_or_else(Status::into_http);
        let (mut head, inner) = response.into_parts();
        refusal::explain(&mut head);
        self.call.note(&head.headers);
        self.call.identify(&mut head.headers);
        let body = ReplyBody {
            inner,
            ended: false,
            held: self,
        };
        Response::from_parts(head, body)
    }
}

impl Bounds {
    /// Ready once the call may not go on, however it stands with its handler.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<Status> {
        if let Poll::Ready(lost) = self
            .standing
            .as_mut()
            .map_or(Poll::Pending, |s| s.poll_lost(cx))
        {
            return Poll::Ready(lost);
        }
        self.timer.poll_passed(cx)
    }

    /// The same, for a stream that always has something to say and never comes to wait.
    fn check(&mut self) -> Result<(), Status> {
        self.timer.check()?;
        self.standing.as_mut().map_or(Ok(()), Standing::check)
    }
}

impl http_body::Body for ReplyBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        match this.poll_inner(cx) {
            Poll::Ready(Ok(frame)) => Poll::Ready(this.pass(frame)),
            Poll::Ready(Err(status)) => Poll::Ready(Some(this.cut(&status))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.inner.size_hint()
    }
}

impl ReplyBody {
    /// The next frame of the handler's answer, or why it ends here.
    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Frame<Bytes>>, Status>> {
        let Self { inner, held, .. } = self;
        held.bounds.check()?;
        let _entered = held.call.span().enter();
        let polled = panic::catch(|| http_body::Body::poll_frame(Pin::new(inner), cx))?;
        if polled.is_pending() {
            return held.bounds.poll_over(cx).map(Err);
        }
        polled.map(Option::transpose)
    }

    fn pass(&mut self, frame: Option<Frame<Bytes>>) -> Option<Result<Frame<Bytes>, Status>> {
        let trailers = frame.as_ref().and_then(Frame::trailers_ref);
        if let Some(trailers) = trailers {
            self.held.call.note(trailers);
        }
        if frame.is_none() || trailers.is_some() {
            self.held.call.complete();
            self.ended = true;
        }
        frame.map(Ok)
    }

    /// Ends the stream with a status; the handler's part of it is dropped with this body.
    fn cut(&mut self, status: &Status) -> Result<Frame<Bytes>, Status> {
        self.ended = true;
        let mut trailers = HeaderMap::new();
        status.add_header(&mut trailers)?;
        self.held.call.note(&trailers);
        Ok(Frame::trailers(trailers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::Method;
    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};
    use std::time::Duration;
    use tokio::time::Instant;
    use tonic::Code;

    /// A stream that says nothing, and whose head never had to wait.
    fn silent(timer: Timer) -> ReplyBody {
        let nothing = stream::pending::<Result<Frame<Bytes>, Status>>();
        let peer = ([127, 0, 0, 1], 1).into();
        let call = Call::begin(&mut Request::new(()), Method::unary(), peer);
        let held = Held {
            bounds: Bounds {
                timer,
                standing: None,
            },
            place: None,
            call,
        };
        ReplyBody {
            inner: Body::new(StreamBody::new(nothing)),
            ended: false,
            held,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_says_nothing_ends_at_its_deadline_and_not_before() {
        let deadline = Instant::now() + Duration::from_secs(3_600);
        let mut body = silent(Timer::until(deadline));
        let limit = Duration::from_secs(7_200);
        let ended = tokio::time::timeout(limit, body.frame()).await;
        let last = ended.unwrap().unwrap().unwrap();
        let late = Instant::now().duration_since(deadline);
        assert!(Instant::now() >= deadline && late < Duration::from_secs(1));
        let status = Status::from_header_map(last.trailers_ref().unwrap()).unwrap();
        assert_eq!(status.code(), Code::DeadlineExceeded);
        assert!(http_body::Body::is_end_stream(&body));
        assert!(body.frame().await.is_none());
    }
}
