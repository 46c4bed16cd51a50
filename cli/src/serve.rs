//! Services as a process.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use chassis::{App, Config, Drained, Shutdown, telemetry};
use culture::Culture;
use events::Events;
use gateway::{Backend, Backends, Gateway};
use records::Journals;
use store::Store;
use tokio::net::TcpListener;
use tonic::service::Routes;
use trade::Trade;

use crate::args::serve::{ListenerArgs, LogFormat, Role, ServeArgs, StorageArgs};

/// What is served when nothing is named.
pub(crate) const ALL: [Role; 3] = [Role::Trade, Role::Events, Role::Culture];

/// Runs services until they are told to stop.
pub(crate) async fn run(args: &ServeArgs) -> anyhow::Result<()> {
    start_log(&args.log, args.listener.log_format)?;
    let named = args.roles.as_slice();
    let roles = if named.is_empty() { &ALL } else { named };
    let serving = Serving::start(roles, &args.data, &args.listener, &args.storage).await?;
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

/// Services that are ready to serve.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    listener: TcpListener,
    stores: Stores,
    config: Config,
    shutdown: Shutdown,
}

/// The stores of the services that a process runs.
#[derive(Default)]
struct Stores {
    trade: Option<Store<trade::Model>>,
    events: Option<Store<events::Model>>,
    culture: Option<Store<culture::Model>>,
}

impl Serving {
    /// Takes the address and opens the stores; signals stop it from here on.
    pub(crate) async fn start(
        roles: &[Role],
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
        let storage = store::Config {
            cache_bytes: storage.cache_mib << 20,
            reserve_bytes: storage.reserve_mib << 20,
            ballast_bytes: storage.ballast_mib << 20,
            ..store::Config::default()
        };
        Ok(Serving {
            address: socket.local_addr()?,
            listener: socket,
            stores: Stores::open(roles, data, &storage).await?,
            config,
            shutdown,
        })
    }

    /// Serves until it is told to stop, then closes the stores.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let app = self.stores.app(&self.shutdown);
        let drained = chassis::serve(self.listener, app, &self.config, self.shutdown).await?;
        self.stores.close().await;
        match drained {
            // Connections that say nothing are cut, and nobody misses an answer.
            Drained::Clean | Drained::LimitReached { calls: 0 } => Ok(()),
            Drained::LimitReached { calls } => {
                anyhow::bail!("{calls} calls had not ended when the drain limit was reached")
            }
        }
    }
}

impl Stores {
    async fn open(roles: &[Role], data: &Path, config: &store::Config) -> anyhow::Result<Stores> {
        let mut stores = Stores::default();
        for role in roles {
            match role {
                Role::Trade => stores.trade = Some(open(&data.join("trade"), config).await?),
                Role::Events => stores.events = Some(open(&data.join("events"), config).await?),
                Role::Culture => stores.culture = Some(open(&data.join("culture"), config).await?),
            }
        }
        Ok(stores)
    }

    /// The services over the stores, with their journals.
    fn app(&self, shutdown: &Shutdown) -> App {
        let mut app = App::new(proto::DESCRIPTORS);
        let mut journals = Journals::default();
        if let Some(store) = &self.trade {
            app = app.service(Trade::new(store.clone(), shutdown.clone()).server());
            journals = journals.with("trade", store);
        }
        if let Some(store) = &self.events {
            app = app.service(Events::new(store.clone(), shutdown.clone()).server());
            journals = journals.with("events", store);
        }
        if let Some(store) = &self.culture {
            app = app.service(Culture::new(store.clone(), shutdown.clone()).server());
            journals = journals.with("culture", store);
        }
        if let Some(backends) = self.backends(shutdown) {
            app = app.service(Gateway::new(&backends, shutdown.clone()).server());
        }
        app.service(journals.server())
    }

    /// The services as a gateway in the same process asks them; none unless all are there.
    fn backends(&self, shutdown: &Shutdown) -> Option<Backends> {
        let (trade, events, culture) = (
            self.trade.as_ref()?,
            self.events.as_ref()?,
            self.culture.as_ref()?,
        );
        let direct = |routes: Routes, journals: Journals| {
            Backend::direct(routes.add_service(journals.server()))
        };
        let journals = Journals::default;
        Some(Backends {
            trade: direct(
                Routes::new(Trade::new(trade.clone(), shutdown.clone()).server()),
                journals().with("trade", trade),
            ),
            events: direct(
                Routes::new(Events::new(events.clone(), shutdown.clone()).server()),
                journals().with("events", events),
            ),
            culture: direct(
                Routes::new(Culture::new(culture.clone(), shutdown.clone()).server()),
                journals().with("culture", culture),
            ),
        })
    }

    async fn close(&self) {
        if let Some(store) = &self.trade {
            store.close().await;
        }
        if let Some(store) = &self.events {
            store.close().await;
        }
        if let Some(store) = &self.culture {
            store.close().await;
        }
    }
}

/// Opens a store on a thread that may wait for the disk.
async fn open<M: store::Model>(folder: &Path, config: &store::Config) -> anyhow::Result<Store<M>> {
    let (folder, config) = (folder.to_owned(), config.clone());
    let opening = folder.clone();
    let opened = tokio::task::spawn_blocking(move || Store::open(&opening, &config)).await?;
    opened.with_context(|| format!("the store in {} does not open", folder.display()))
}
