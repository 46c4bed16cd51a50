//! Serving, from the first connection to the end of the drain.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::call::Process;
use crate::connection;
use crate::listen::refuse_exposed;
use crate::{App, Config, Error, Shutdown, telemetry};

/// How the serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Drained {
    /// Every call and every connection ended by itself.
    Clean,
    /// The limit was reached; what was open was cut.
    LimitReached {
        /// Calls that were cut. None means that only silent connections were left.
        calls: usize,
    },
}

/// Serves an app until the shutdown is triggered and the calls in flight have ended, or the limit for
/// that has passed.
///
/// From the trigger on, health answers `NOT_SERVING`, nothing is accepted, and open connections are told
/// to send no new calls. A stream without an end must watch the same [`Shutdown`].
pub async fn serve(
    listener: TcpListener,
    app: App,
    config: &Config,
    shutdown: Shutdown,
) -> Result<Drained, Error> {
    let address = listener.local_addr().map_err(Error::Unbound)?;
    refuse_exposed(address, config)?;
    let process = Arc::new(Process::new(app.assemble(&shutdown)?, config)?);
    telemetry::before_scrape(&process, Process::report);
    let mut tending = JoinSet::new();
    tending.spawn(process.tend());
    if let Some(tls) = &config.tls {
        tokio::spawn(tls.clone().watch(shutdown.clone()));
    }
    tracing::info!(%address, tls = config.tls.is_some(), login = config.login.is_some(), "serving");
    let connections = connection::accept(listener, &process, config, &shutdown).await;
    Ok(drain(connections, &process, config.drain_limit).await)
}

async fn drain(mut connections: JoinSet<()>, process: &Process, limit: Duration) -> Drained {
    tracing::info!(calls = process.running(), "draining");
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limit, ended).await.is_ok() {
        tracing::info!("drained");
        return Drained::Clean;
    }
    let calls = process.running();
    tracing::warn!(
        calls,
        ?limit,
        "the drain limit was reached; what was open is cut"
    );
    connections.shutdown().await;
    Drained::LimitReached { calls }
}
