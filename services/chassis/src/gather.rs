//! Connections that write for many calls at once.
//!
//! A connection is woken by the first call that has something for it, and tokio runs what was woken last before anything
//! else: so with many calls ready it would write, and its peer read, frame by frame. One that goes once more to the end
//! of the queue first finds what all the calls before it have left. Alone on a connection a call loses the time of one
//! look into an empty queue; with many, a system call and a wakeup are shared by all of them (docs/benchmarks.md).

use std::pin::Pin;
use std::task::{Context, Poll};

/// A connection that lets other tasks go before each time it is polled.
#[derive(Debug)]
pub struct Gather<F> {
    connection: F,
    has_waited: bool,
}

impl<F> Gather<F> {
    /// Lets others go before it.
    pub fn new(connection: F) -> Self {
        Self {
            connection,
            has_waited: false,
        }
    }
}

impl<F: Future + Unpin> Future for Gather<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.has_waited = !self.has_waited;
        if self.has_waited {
            // A task that wakes itself while it runs goes to the end of the queue.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut self.connection).poll(cx)
    }
}
