//! A role as a process.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use chassis::{App, Config, Drained, Shutdown, telemetry};
use store::Store;
use tokio::net::TcpListener;
use trade::Trade;

use crate::args::serve::{ListenerArgs, LogFormat, ServeArgs, StorageArgs};

/// Runs the trade service until it is told to stop.
pub(crate) async fn trade(args: &ServeArgs) -> anyhow::Result<()> {
    start_log(&args.log, args.listener.log_format)?;
    let serving = Serving::start(&args.data, &args.listener, &args.storage).await?;
    announce(serving.address)?;
    serving.run().await
}

/// Starts the log.
pub(crate) fn start_log(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let format = match format {
        LogFormat::Text => telemetry::LogFormat::Text,
        LogFormat::Json => telemetry::LogFormat::Json,
    };
    Ok(telemetry::init(format, filter)?)
}

/// Says where it serves; scripts wait for this line.
pub(crate) fn announce(address: SocketAddr) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "Serving on {address}")?;
    Ok(out.flush()?)
}

/// A trade service that is ready to serve.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    listener: TcpListener,
    store: Store<trade::Model>,
    config: Config,
    shutdown: Shutdown,
}

impl Serving {
    /// Takes the address and opens the store; signals stop it from here on.
    pub(crate) async fn start(
        data: &Path,
        listener: &ListenerArgs,
        storage: &StorageArgs,
    ) -> anyhow::Result<Serving> {
        let shutdown = Shutdown::on_signal()?;
        let config = Config {
            max_connections: listener.max_connections as usize,
            max_calls: listener.max_calls as usize,
            default_deadline: Duration::from_secs(listener.default_deadline),
            drain_limit: Duration::from_secs(listener.drain),
            insecure: listener.insecure,
            ..Config::default()
        };
        let socket = chassis::bind(listener.listen, config.insecure)?;
        let folder = data.join("trade");
        let storage = store::Config {
            cache_bytes: storage.cache_mib << 20,
            reserve_bytes: storage.reserve_mib << 20,
            ballast_bytes: storage.ballast_mib << 20,
            ..store::Config::default()
        };
        let opened = tokio::task::spawn_blocking(move || Store::open(&folder, &storage)).await?;
        let store = opened.context("the store does not open")?;
        Ok(Serving {
            address: socket.local_addr()?,
            listener: socket,
            store,
            config,
            shutdown,
        })
    }

    /// Serves until it is told to stop, then closes the store.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let trade = Trade::new(self.store.clone(), self.shutdown.clone());
        let app = App::new(proto::DESCRIPTORS).service(trade.server());
        let drained = chassis::serve(self.listener, app, &self.config, self.shutdown).await?;
        self.store.close().await;
        match drained {
            // Connections that say nothing are cut, and nobody misses an answer.
            Drained::Clean | Drained::LimitReached { calls: 0 } => Ok(()),
            Drained::LimitReached { calls } => {
                anyhow::bail!("{calls} calls had not ended when the drain limit was reached")
            }
        }
    }
}
