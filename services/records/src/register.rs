//! The records of a service: its store, and the calls on them.

use std::sync::Arc;

use chassis::Shutdown;
use futures_util::stream;
use prost_types::Timestamp;
use proto::r#type::v1 as wire;
use proto::{Day, Violations, parse_timestamp};
use store::{Decision, Origin, Stamp, State, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status};
use tracing::Span;

use crate::error::Error;
use crate::feed::{self, Messages};
use crate::filter::{Filter, Filtered};
use crate::history::{self, ChangesQuery, ChangesRequest};
use crate::list::{self, Page, Paging};
use crate::record::{Fields, Record};
use crate::request::{BatchRequest, CreateRequest, DeleteRequest, ListRequest, UpdateRequest};
use crate::request::{VersionsRequest, WatchParts, WatchRequest};
use crate::timeline::{TimelineQuery, TimelineRequest};
use crate::topic::Topic;
use crate::version;
use crate::write::{Batch, Changed, New, Removed};

/// What a client takes if nobody told it otherwise.
pub const MAX_RESPONSE: usize = 4 << 20;
/// The largest request. A group of writes may come to 2 MiB before the last one joins it, and what they make is one
/// message of the feed: with names, etags and times it must be one that a client takes.
pub const MAX_REQUEST: usize = 3 << 19;
/// Watchers at a time: each may hold an open file and some megabytes that it has read ahead.
const MAX_WATCHERS: usize = 256;
/// Streams made of reads at a time: each holds a message.
const MAX_STREAMS: usize = 32;

/// What a call answers.
pub type Reply<T> = Result<Response<T>, Status>;

/// The records of a service; a cheap handle, to be cloned.
#[derive(Debug)]
pub struct Register<M: store::Model> {
    store: Store<M>,
    shutdown: Shutdown,
    watchers: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl<M: store::Model> Clone for Register<M> {
    fn clone(&self) -> Register<M> {
        Register {
            store: self.store.clone(),
            shutdown: self.shutdown.clone(),
            watchers: Arc::clone(&self.watchers),
            streams: Arc::clone(&self.streams),
        }
    }
}

impl<M: store::Model> Register<M> {
    /// The records in `store`; streams end when `shutdown` is triggered.
    pub fn new(store: Store<M>, shutdown: Shutdown) -> Register<M> {
        Register {
            store,
            shutdown,
            watchers: Arc::new(Semaphore::new(MAX_WATCHERS)),
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
        }
    }

    /// The store.
    pub fn store(&self) -> &Store<M> {
        &self.store
    }

    /// What ends its streams.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// The day that is asked about: the one that is given, or today in UTC.
    ///
    /// # Errors
    /// What is wrong with the one that is given, by field.
    pub fn day(&self, given: Option<wire::CivilDate>) -> Result<Day, Violations> {
        match given {
            Some(date) => Day::try_from(date),
            None => Day::of_instant(self.store.now()).ok_or_else(|| {
                Violations::one("", "is required: the clock stands outside of time")
            }),
        }
    }

    /// Creates a record.
    ///
    /// # Errors
    /// Those of [`New::parse`] and [`New::decide`].
    pub async fn create<Q: CreateRequest<M>>(&self, request: Request<Q>) -> Reply<Q::Record> {
        let (asked, origin) = New::<M, Q::Record>::parse(request)?;
        self.write(origin, move |state, stamp, request| {
            asked.decide(state, stamp, request)
        })
        .await
    }

    /// Creates several records, all or none.
    ///
    /// # Errors
    /// Those of [`Batch::parse`] and [`Batch::decide`].
    pub async fn create_all<Q: BatchRequest<M>>(&self, request: Request<Q>) -> Reply<Q::Response> {
        let (asked, origin) = Batch::<M, Q>::parse(request)?;
        self.write(origin, move |state, stamp, request| {
            asked.decide(state, stamp, request)
        })
        .await
    }

    /// Changes a record.
    ///
    /// # Errors
    /// Those of [`Changed::parse`] and [`Changed::decide`].
    pub async fn update<Q: UpdateRequest<M>>(&self, request: Request<Q>) -> Reply<Q::Record> {
        let (asked, origin) = Changed::<M, Q::Record>::parse(request)?;
        self.write(origin, move |state, stamp, request| {
            asked.decide(state, stamp, request)
        })
        .await
    }

    /// Deletes a record.
    ///
    /// # Errors
    /// Those of [`Removed::parse`] and [`Removed::decide`].
    pub async fn delete<Q: DeleteRequest<M>>(&self, request: Request<Q>) -> Reply<()> {
        let (asked, origin) = Removed::<M, Q::Record>::parse(request)?;
        self.write(origin, move |state, _, request| {
            asked.decide(state, request)
        })
        .await
    }

    /// Writes what is decided.
    ///
    /// # Errors
    /// Those of the decision, and the store's.
    pub async fn write<R: Send + 'static>(
        &self,
        origin: Origin,
        decide: impl FnOnce(
            &State<'_>,
            Stamp,
            Option<store::Request>,
        ) -> Result<Decision<M::Change, R>, Error>
        + Send
        + 'static,
    ) -> Reply<R> {
        let request = origin.request;
        let decide = move |state: &State<'_>, stamp| decide(state, stamp, request);
        let written = self.store.write(origin, decide).await;
        Ok(Response::new(written?.reply))
    }

    /// A record by its name, as of an instant or now.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::Invalid`] for what does not parse.
    pub fn get<R: Record<M>>(&self, name: &str, as_of: Option<Timestamp>) -> Reply<R> {
        let mut violations = Violations::new();
        let id = violations.check("name", R::PARSE_NAME(name));
        let as_of = violations.check("as_of", as_of.as_ref().map(parse_timestamp).transpose());
        let (Some(id), Some(as_of)) = (id, as_of) else {
            return Err(violations.into());
        };
        let found = self
            .store
            .read(|state| version::get::<M, R>(state, &id, as_of));
        Ok(Response::new(found?))
    }

    /// A page of all records of a kind, in the order of their ids.
    ///
    /// # Errors
    /// [`Error::PageToken`], and [`Error::Invalid`] for what does not parse.
    pub async fn list<Q: ListRequest<M>, R: Record<M>>(
        &self,
        request: Request<Q>,
    ) -> Result<Page<R>, Status> {
        let mut request = request.into_inner();
        let mut violations = Violations::new();
        let paging = Paging::take(&mut request, (50, 1_000), &mut violations);
        let paging = paging.ok_or(violations)?;
        let page = self.read_aside(move |state| list::page::<M, R>(state, &paging, |_| true));
        Ok(page.await?)
    }

    /// A page of the records that a filter lets through, which is taken out of a request.
    ///
    /// # Errors
    /// [`Error::PageToken`], and [`Error::Invalid`] for what does not parse.
    pub async fn filtered<F: Filter<M>, Q: ListRequest<M>>(
        &self,
        request: Request<Q>,
        filter: fn(Q) -> Option<F::Wire>,
    ) -> Result<Page<F::Record>, Status> {
        let list = Filtered::<F>::parse(request.into_inner(), filter)?;
        Ok(self.read_aside(move |state| list.page(state)).await?)
    }

    /// A page of the versions of a record, the latest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it never was there; [`Error::PageToken`], and [`Error::Invalid`] for what does not
    /// parse.
    pub async fn versions<Q: VersionsRequest<M>>(&self, request: Request<Q>) -> Reply<Q::Response> {
        let mut request = request.into_inner();
        let mut violations = Violations::new();
        let paging = Paging::take(&mut request, (50, 500), &mut violations);
        let id = violations.check("name", Q::Record::PARSE_NAME(&request.name()));
        let (paging, id) = paging.zip(id).ok_or(violations)?;
        let page = self.read_aside(move |state| history::versions(state, &id, &paging));
        Ok(Response::new(Q::response(page.await?)))
    }

    /// A page of what changed between two instants.
    ///
    /// # Errors
    /// [`Error::PageToken`], and [`Error::Invalid`] for what does not parse.
    pub async fn changes<Q: ChangesRequest<M>>(&self, request: Request<Q>) -> Reply<Q::Response> {
        let query = ChangesQuery::parse::<M, Q>(request.into_inner())?;
        let page = self.read_aside(move |state| query.page(state, |change| Q::tell(state, change)));
        Ok(Response::new(Q::response(page.await?)))
    }

    /// A page of what happened, as `list` finds it.
    ///
    /// # Errors
    /// Those of `list`, and [`Error::Invalid`] for what does not parse.
    pub async fn timeline<Q: TimelineRequest<M>>(
        &self,
        request: Request<Q>,
        list: impl Fn(&State<'_>, &TimelineQuery) -> Result<Page<Q::Entry>, Error> + Send + 'static,
    ) -> Reply<Q::Response> {
        let query = TimelineQuery::parse::<M, Q>(request.into_inner())?;
        let page = self.read_aside(move |state| list(state, &query)).await?;
        Ok(Response::new(Q::response(page)))
    }

    /// Answers what is found for a query, which the request is parsed into.
    ///
    /// # Errors
    /// Those of [`Register::find`].
    pub async fn answer<R, Q, T, E>(
        &self,
        request: Request<R>,
        find: fn(&State<'_>, &Q) -> Result<T, E>,
    ) -> Reply<T>
    where
        Q: TryFrom<R, Error: Into<Status>> + Send + 'static,
        T: Send + 'static,
        E: From<store::Error> + Into<Status> + Send + 'static,
    {
        self.find(request, find).await.map(Response::new)
    }

    /// What is found for a query, which the request is parsed into; read on a thread that may wait for the disk.
    ///
    /// # Errors
    /// What is wrong with the request, and those of `find`.
    pub async fn find<R, Q, T, E>(
        &self,
        request: Request<R>,
        find: fn(&State<'_>, &Q) -> Result<T, E>,
    ) -> Result<T, Status>
    where
        Q: TryFrom<R, Error: Into<Status>> + Send + 'static,
        T: Send + 'static,
        E: From<store::Error> + Into<Status> + Send + 'static,
    {
        let query = Q::try_from(request.into_inner()).map_err(Into::into)?;
        let found = self.read_aside(move |state| find(state, &query)).await;
        found.map_err(E::into)
    }

    /// Reads on a thread that may wait for the disk: for pages, which look at many records.
    ///
    /// # Errors
    /// The reader's.
    pub async fn read_aside<T: Send + 'static, E: From<store::Error> + Send + 'static>(
        &self,
        reader: impl FnOnce(&State<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (store, span) = (self.store.clone(), Span::current());
        store::aside(move || span.in_scope(|| store.read(reader))).await
    }

    /// The changes after a position that pass a filter, and then those to come.
    ///
    /// # Errors
    /// [`Error::TooMany`] watchers, or [`Error::Store`] for a position that is not in the journal.
    pub fn watch<R: Send + 'static>(
        &self,
        after: u64,
        pass: impl Fn(M::Change) -> Option<M::Change> + Send + 'static,
        tell: impl Fn(u64, Option<Timestamp>, Vec<M::Change>) -> R + Send + 'static,
    ) -> Result<Messages<R>, Error> {
        let place = Arc::clone(&self.watchers).try_acquire_owned();
        let place = place.map_err(|_| Error::TooMany("watchers"))?;
        let watch = self.store.watch(after)?;
        Ok(feed::follow(watch, place, &self.shutdown, pass, tell))
    }

    /// The changes after a position that are of a topic, or all, and then those to come.
    ///
    /// # Errors
    /// Those of [`Register::watch`], and [`Error::Invalid`] for what does not parse.
    pub fn watch_topic<Q: WatchRequest<M>>(
        &self,
        request: Request<Q>,
        is_about: impl Fn(Topic, &M::Change) -> bool + Send + 'static,
    ) -> Reply<Messages<Q::Response>> {
        let WatchParts {
            after_position,
            country,
            partner,
        } = request.into_inner().parts();
        let mut violations = Violations::new();
        let topic = Topic::parse(&country, &partner, &mut violations);
        let topic = violations.into_result(topic.flatten())?;
        let pass = move |change: M::Change| {
            let passes = topic.is_none_or(|topic| is_about(topic, &change));
            passes.then_some(change)
        };
        let changes = self.watch(after_position, pass, Q::response)?;
        Ok(Response::new(changes))
    }

    /// A stream of which each message is made when it is taken, by a read of its own, so that writes come between.
    /// `next` answers a message, or nothing yet, or the end; `what` is what there can be too many of.
    ///
    /// # Errors
    /// [`Error::TooMany`] streams.
    pub fn stream<S, T>(
        &self,
        what: &'static str,
        walk: S,
        next: impl Fn(&mut S, &State<'_>) -> Result<Piece<T>, Error> + Clone + Send + 'static,
    ) -> Result<Messages<T>, Error>
    where
        S: Send + 'static,
        T: Send + 'static,
    {
        let place = Arc::clone(&self.streams).try_acquire_owned();
        let place = place.map_err(|_| Error::TooMany(what))?;
        let start: (Register<M>, S, OwnedSemaphorePermit) = (self.clone(), walk, place);
        let messages = stream::try_unfold(start, move |(register, walk, place)| {
            let next = next.clone();
            async move {
                let taken = register.take(walk, next).await?;
                Ok(taken.map(|(message, walk)| (message, (register, walk, place))))
            }
        });
        Ok(Box::pin(messages))
    }

    /// The next message of a walk, and the walk behind it; `None` at its end.
    async fn take<S, T>(
        &self,
        mut walk: S,
        next: impl Fn(&mut S, &State<'_>) -> Result<Piece<T>, Error> + Clone + Send + 'static,
    ) -> Result<Option<(T, S)>, Error>
    where
        S: Send + 'static,
        T: Send + 'static,
    {
        while !self.shutdown.is_triggered() {
            let next = next.clone();
            let read = self.read_aside(move |state| {
                let piece = next(&mut walk, state)?;
                Ok::<_, Error>((walk, piece))
            });
            let (moved, piece) = read.await?;
            walk = moved;
            match piece {
                Piece::Message(message) => return Ok(Some((message, walk))),
                Piece::Nothing => {}
                Piece::End => return Ok(None),
            }
        }
        Err(Error::Stopping)
    }
}

/// What a step of a stream came to.
#[derive(Debug)]
pub enum Piece<T> {
    /// A message.
    Message(T),
    /// Nothing to say yet.
    Nothing,
    /// The end.
    End,
}
