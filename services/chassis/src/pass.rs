//! Services that run elsewhere: their calls are passed on, by the name in their path and undecoded.
//!
//! They stand beside the routes and not among them: a router would look at every path for what is known by a prefix.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use http::{Request, Response};
use tokio::sync::watch;
use tonic::body::Body;

/// A call that is passed on, until the head of its answer.
pub type Passing = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// A way to a service that runs elsewhere.
pub trait Pass: fmt::Debug + Send + Sync + 'static {
    /// Passes a call on. What goes wrong on the way is an answer with a status, as if the service had given it. The
    /// call has its [`Deadline`](crate::Deadline) in the extensions.
    fn pass(&self, request: Request<Body>) -> Passing;

    /// Whether the service can be reached, now and from now on.
    fn reached(&self) -> watch::Receiver<bool>;
}

/// The ways, by the names of services.
#[derive(Debug)]
pub(crate) struct Passed(HashMap<&'static str, Arc<dyn Pass>>);

impl Passed {
    pub(crate) fn new(ways: HashMap<&'static str, Arc<dyn Pass>>) -> Passed {
        Passed(ways)
    }

    /// The way of a call, if its service runs elsewhere.
    pub(crate) fn way(&self, path: &str) -> Option<&dyn Pass> {
        if self.0.is_empty() {
            return None;
        }
        let (service, _) = path.strip_prefix('/')?.split_once('/')?;
        self.0.get(service).map(AsRef::as_ref)
    }
}
