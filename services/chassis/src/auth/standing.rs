//! Whether whoever opened a stream may still have it: looked at each second, since a stream may outlive its token.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};
use tonic::Status;

use super::believer::{Believer, Identity};

const EVERY: Duration = Duration::from_secs(1);

/// Looks again and again. The runtime's timer is asked for at the first wait.
#[derive(Debug)]
pub(crate) struct Standing {
    believer: Arc<Believer>,
    identity: Identity,
    next: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Standing {
    pub(super) fn new(believer: Arc<Believer>, identity: Identity) -> Standing {
        Standing {
            believer,
            identity,
            next: Instant::now() + EVERY,
            sleep: None,
        }
    }

    /// Fails once the caller is no longer believed; looks when it is time to.
    pub(crate) fn check(&mut self) -> Result<(), Status> {
        let now = Instant::now();
        if now < self.next {
            return Ok(());
        }
        self.next = now + EVERY;
        Ok(self.believer.look(&self.identity)?)
    }

    /// Ready once the caller is no longer believed.
    pub(crate) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<Status> {
        loop {
            if let Err(lost) = self.check() {
                return Poll::Ready(lost);
            }
            let next = self.next;
            let sleep = self
                .sleep
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(next)));
            if sleep.deadline() != next {
                sleep.as_mut().reset(next);
            }
            ready!(sleep.as_mut().poll(cx));
        }
    }
}
