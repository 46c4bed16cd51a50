//! What is done at once for several writes, in the traces of their calls: a step of each of them.
//!
//! A span has one parent, and the writer works for a group. So the spans of a group stand beside the work, on the thread
//! that does it, and each step is a span below every one of them.

use std::cell::RefCell;

use tracing::{Span, debug_span};

use crate::vitals::TRACED;

thread_local! {
    /// Below which the next step of this thread is.
    static ABOVE: RefCell<Vec<Span>> = const { RefCell::new(Vec::new()) };
}

/// Does work that belongs to these spans.
pub(crate) fn of<T>(spans: Vec<Span>, work: impl FnOnce() -> T) -> T {
    let before = ABOVE.replace(spans);
    let done = work();
    drop(ABOVE.replace(before));
    done
}

/// Does a step of whatever this thread works for; nothing but that where none of it is recorded.
pub(crate) fn step<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    let part = || debug_span!(target: TRACED, "step", otel.name = name);
    let steps = ABOVE.with_borrow(|above| above.iter().map(|span| span.in_scope(part)).collect());
    of(steps, work)
}
