//! The handle that ends a process.

use std::io;
use std::sync::Arc;

use tokio::sync::watch;

use crate::Error;

/// Says when the process is to stop. A cheap handle: clone it into whatever must end with it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use chassis::Shutdown;
/// use futures_util::StreamExt;
///
/// let shutdown = Shutdown::new();
/// let endless = futures_util::stream::pending::<u32>().take_until(shutdown.wait());
/// shutdown.trigger();
/// assert_eq!(endless.count().await, 0);
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    triggered: Arc<watch::Sender<bool>>,
}

impl Shutdown {
    /// One that only [`Shutdown::trigger`] triggers.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that SIGINT or SIGTERM triggers. From here on these signals no longer end the process.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn on_signal() -> Result<Self, Error> {
        let signal = signal().map_err(Error::Signals)?;
        let shutdown = Self::new();
        let handle = shutdown.clone();
        tokio::spawn(async move {
            let name = signal.await;
            tracing::info!(signal = name, "shutting down");
            handle.trigger();
        });
        Ok(shutdown)
    }

    /// Triggers it, for every clone and for good.
    pub fn trigger(&self) {
        self.triggered.send_replace(true);
    }

    /// Whether it was triggered.
    pub fn is_triggered(&self) -> bool {
        *self.triggered.borrow()
    }

    /// Waits until it is triggered.
    pub fn wait(&self) -> impl Future<Output = ()> + Send + use<> {
        let triggered = self.triggered.clone();
        async move {
            let mut seen = triggered.subscribe();
            seen.wait_for(|triggered| *triggered)
                .await
                .expect("the sender lives in this future");
        }
    }
}

#[cfg(unix)]
fn signal() -> io::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        }
    })
}

#[cfg(not(unix))]
fn signal() -> io::Result<impl Future<Output = &'static str>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
        "CTRL-C"
    })
}
