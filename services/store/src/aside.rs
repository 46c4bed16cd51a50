//! Work on a thread that may wait for the disk.

use tokio::task::JoinSet;

use crate::Error;

/// Does work on a thread that may wait for the disk. Dropped before the work has begun, it never begins: who asks and
/// goes away over and over leaves no work behind that others wait for.
///
/// # Errors
/// The work's, or [`Error::Panicked`].
pub async fn aside<T: Send + 'static, E: From<Error> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    // A set aborts what is left in it when it is dropped; a handle by itself would let it run.
    let mut set = JoinSet::new();
    set.spawn_blocking(work);
    let done = set.join_next().await.expect("one was begun");
    done.map_err(|error| Error::Panicked(error.to_string()))?
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, mpsc};
    use std::task::Poll;

    use super::*;

    /// Begins to wait for a future, which is not ready.
    async fn poll_once<F: Future + Unpin>(future: &mut F) {
        poll_fn(|cx| {
            assert!(Pin::new(&mut *future).poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
    }

    #[test]
    fn work_whose_caller_has_gone_never_begins() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (go_on, held_up) = mpsc::channel::<()>();
            let mut first = Box::pin(aside::<_, Error>(move || Ok(held_up.recv().is_ok())));
            poll_once(&mut first).await;
            let begun = Arc::new(AtomicUsize::new(0));
            for _ in 0..10 {
                let begun = begun.clone();
                let work = move || Ok::<_, Error>(begun.fetch_add(1, Ordering::Relaxed));
                poll_once(&mut Box::pin(aside(work))).await;
            }
            let last = begun.clone();
            let mut last = Box::pin(aside::<_, Error>(move || Ok(last.load(Ordering::Relaxed))));
            poll_once(&mut last).await;
            go_on.send(()).unwrap();
            assert!(first.await.unwrap());
            assert_eq!(last.await.unwrap(), 0);
        });
    }
}
