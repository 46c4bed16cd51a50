//! Ctrl-C and SIGTERM, for what takes long and leaves something when it ends early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{JoinError, spawn_blocking};

/// Ctrl-C and SIGTERM; nothing where these cannot be listened for: then they end the process.
#[derive(Debug)]
pub(crate) struct Interruptions(Option<[Signal; 2]>);

impl Interruptions {
    /// Listens from now on.
    pub(crate) fn listen() -> Interruptions {
        let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
        let [Ok(interrupt), Ok(terminate)] = signals else {
            return Interruptions(None);
        };
        Interruptions(Some([interrupt, terminate]))
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        let Some([interrupt, terminate]) = &mut self.0 else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// Ends with the first one.
pub(crate) async fn interrupted() {
    Interruptions::listen().next().await;
}

/// Works on a thread that may wait for the disk. An interruption tells the work to stop, and it is waited for until it has.
pub(crate) async fn stoppable<T: Send + 'static>(
    work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
) -> Result<T, JoinError> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let mut work = spawn_blocking(move || work(&asked));
    tokio::select! {
        done = &mut work => done,
        () = interrupted() => {
            stop.store(true, Ordering::Relaxed);
            work.await
        }
    }
}
