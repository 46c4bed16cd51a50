//! Panics: those of a handler end its call and nothing else, and all of the process are counted.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use proto::error::v1::ErrorReason;
use tonic::{Code, Status};

static PANICS: AtomicU64 = AtomicU64::new(0);

/// How often something has panicked since the log of the process was started, on whatever thread and whatever came of
/// it.
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Counts a panic, where each of them comes by.
pub(crate) fn count() {
    PANICS.fetch_add(1, Ordering::Relaxed);
}

/// Does some work of a handler; a panic in it is logged and becomes INTERNAL.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Status> {
    // What the panic may have left half done is dropped with the call and never looked at again.
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| answer(&*payload))
}

#[cold]
fn answer(payload: &(dyn Any + Send)) -> Status {
    tracing::error!(panic = message(payload), "a call panicked");
    proto::status(
        Code::Internal,
        ErrorReason::Internal,
        "a defect of this service; its log holds more under the request id",
        [],
    )
}

pub(crate) fn message(payload: &(dyn Any + Send)) -> &str {
    if let Some(message) = payload.downcast_ref::<&'static str>() {
        return message;
    }
    payload
        .downcast_ref::<String>()
        .map_or("no message", String::as_str)
}
