//! Services as a process.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use chassis::{App, Config, Drained, Shutdown, telemetry};
use culture::Culture;
use events::Events;
use gateway::{Address, Backend, Backends, Cors, Gateway, Web};
use proto::culture::v1::culture_service_server::{CultureServiceServer, SERVICE_NAME as CULTURE};
use proto::events::v1::events_service_server::{EventsServiceServer, SERVICE_NAME as EVENTS};
use proto::journal::v1::journal_service_server::JournalServiceServer;
use proto::trade::v1::trade_service_server::{SERVICE_NAME as TRADE, TradeServiceServer};
use records::Journals;
use store::Store;
use tokio::net::TcpListener;
use tonic::service::Routes;
use trade::Trade;

use crate::args::serve::{BackendArgs, ListenerArgs, Part, Role, ServeArgs, StorageArgs};
use crate::args::web::WebArgs;
use crate::client;
use crate::telemetry::Telemetry;

const ALL: [Role; 3] = [Role::Trade, Role::Events, Role::Culture];

/// Runs services until they are told to stop.
pub(crate) async fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let plan = Plan::read(&args.parts, &args.backends)?;
    let telemetry = Telemetry::start(&args.log, &args.listener, plan.name()).await?;
    let serving = Serving::start(plan, &args.data, &args.listener, &args.storage).await?;
    let serving = serving.with_web(&args.web)?;
    announce(serving.address)?;
    telemetry.announce()?;
    let served = serving.run().await;
    telemetry.end().await;
    served
}

/// Says where it serves; scripts wait for this line.
pub(crate) fn announce(address: SocketAddr) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "Serving on {address}")?;
    Ok(out.flush()?)
}

/// What a process is to serve.
#[derive(Debug)]
pub(crate) enum Plan<'a> {
    /// All services and the gateway to them, which calls them directly.
    Whole,
    /// Some services.
    Services(Vec<Role>),
    /// The gateway to services in other processes.
    Gateway(&'a BackendArgs),
}

impl<'a> Plan<'a> {
    /// What the process is called in traces.
    pub(crate) fn name(&self) -> String {
        let roles: Vec<&str> = match self {
            Plan::Whole => Vec::new(),
            Plan::Services(roles) => roles.iter().map(|role| role.name()).collect(),
            Plan::Gateway(_) => vec!["gateway"],
        };
        [&["entente"], &roles[..]].concat().join("-")
    }

    fn read(parts: &[Part], backends: &'a BackendArgs) -> anyhow::Result<Plan<'a>> {
        match parts {
            [] => Ok(Plan::Whole),
            [Part::Gateway] => Ok(Plan::Gateway(backends)),
            services => match services.iter().map(|part| part.role()).collect() {
                Some(services) => Ok(Plan::Services(services)),
                None => bail!(
                    "a gateway runs by itself, or in one process with all services: name `gateway` alone, or nothing"
                ),
            },
        }
    }
}

/// Services that are ready to serve.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    listener: TcpListener,
    served: Served,
    web: Option<Web>,
    config: Config,
    shutdown: Shutdown,
}

/// What a process serves.
enum Served {
    /// Services over their stores, and the gateway if it is there too.
    Services { stores: Arc<Stores>, gateway: bool },
    /// The gateway to services in other processes.
    Gateway(Backends),
}

/// The stores of the services that a process runs.
#[derive(Default)]
struct Stores {
    trade: Option<Store<trade::Model>>,
    events: Option<Store<events::Model>>,
    culture: Option<Store<culture::Model>>,
}

/// The servers of the services that a process runs, with their journals: the same ones for whoever calls, and for the
/// gateway in the process, so that their limits hold for both together.
struct Servers {
    trade: Option<TradeServiceServer<Trade>>,
    events: Option<EventsServiceServer<Events>>,
    culture: Option<CultureServiceServer<Culture>>,
    journals: JournalServiceServer<Journals>,
}

impl Servers {
    fn app(self) -> App {
        let mut app = App::new(proto::DESCRIPTORS);
        if let Some(trade) = self.trade {
            app = app.service(trade);
        }
        if let Some(events) = self.events {
            app = app.service(events);
        }
        if let Some(culture) = self.culture {
            app = app.service(culture);
        }
        app.service(self.journals)
    }

    /// The services as the gateway in the process calls them; none unless all are there.
    fn backends(&self) -> Option<Backends> {
        let direct = |routes: Routes| Backend::direct(routes.add_service(self.journals.clone()));
        Some(Backends {
            trade: direct(Routes::new(self.trade.clone()?)),
            events: direct(Routes::new(self.events.clone()?)),
            culture: direct(Routes::new(self.culture.clone()?)),
        })
    }
}

impl Serving {
    /// Takes the address and opens the stores; signals stop it from here on, the opening too.
    pub(crate) async fn start(
        plan: Plan<'_>,
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
            tls: listener.tls.load()?,
            insecure: listener.insecure,
            login: listener.auth.login(),
            rates: listener.auth.rates(),
            ..Config::default()
        };
        let socket = chassis::bind(listener.listen, &config)?;
        let storage = store::Config {
            cache_bytes: storage.cache_mib << 20,
            reserve_bytes: storage.reserve_mib << 20,
            ballast_bytes: storage.ballast_mib << 20,
            ..store::Config::default()
        };
        let served = tokio::select! {
            served = Served::start(plan, data, &storage) => served?,
            // An opening may take minutes, and what it does is done again at the next start.
            () = shutdown.wait() => bail!("stopped while it opened its data"),
        };
        Ok(Serving {
            address: socket.local_addr()?,
            listener: socket,
            served,
            web: None,
            config,
            shutdown,
        })
    }

    /// Serves what a gateway serves over HTTP too, to those who have no gRPC.
    pub(crate) fn with_web(mut self, args: &WebArgs) -> anyhow::Result<Serving> {
        if self.served.is_gateway() {
            let origins = args.cors_origins.iter().map(String::as_str);
            self.web = Some(Web::new(proto::DESCRIPTORS, Cors::new(origins)?)?);
        }
        Ok(self)
    }

    /// The services over the same stores, for what this process itself asks them, whatever the listener wants of
    /// others.
    pub(crate) fn direct(&self) -> Routes {
        self.served.app(&self.shutdown).direct()
    }

    /// Serves until it is told to stop, then closes the stores.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let mut app = self.served.app(&self.shutdown);
        if let Some(web) = self.web {
            app = app.edge(web);
        }
        let drained = chassis::serve(self.listener, app, &self.config, self.shutdown).await?;
        self.served.close().await;
        match drained {
            // Connections that say nothing are cut, and nobody misses an answer.
            Drained::Clean | Drained::LimitReached { calls: 0 } => Ok(()),
            Drained::LimitReached { calls } => {
                anyhow::bail!("{calls} calls had not ended when the drain limit was reached")
            }
        }
    }
}

impl Served {
    async fn start(plan: Plan<'_>, data: &Path, config: &store::Config) -> anyhow::Result<Served> {
        let (roles, gateway) = match plan {
            Plan::Whole => (ALL.to_vec(), true),
            Plan::Services(roles) => (roles, false),
            Plan::Gateway(args) => return Ok(Served::Gateway(remote(args)?)),
        };
        let stores = Arc::new(Stores::open(&roles, data, config).await?);
        telemetry::before_scrape(&stores, Stores::report);
        Ok(Served::Services { stores, gateway })
    }

    fn app(&self, shutdown: &Shutdown) -> App {
        match self {
            Served::Services { stores, gateway } => {
                let servers = stores.servers(shutdown);
                let backends = gateway.then(|| servers.backends()).flatten();
                with_gateway(servers.app(), backends.as_ref(), shutdown)
            }
            Served::Gateway(backends) => {
                let app = gateway::passed(App::new(proto::DESCRIPTORS), backends);
                with_gateway(app, Some(backends), shutdown)
            }
        }
    }

    fn is_gateway(&self) -> bool {
        match self {
            Served::Services { gateway, .. } => *gateway,
            Served::Gateway(_) => true,
        }
    }

    async fn close(&self) {
        match self {
            Served::Services { stores, .. } => stores.close().await,
            Served::Gateway(_) => {}
        }
    }
}

/// Adds what is asked over all services.
fn with_gateway(app: App, backends: Option<&Backends>, shutdown: &Shutdown) -> App {
    match backends {
        Some(backends) => app.service(Gateway::new(backends, shutdown.clone()).server()),
        None => app,
    }
}

/// The services behind a gateway.
fn remote(args: &BackendArgs) -> anyhow::Result<Backends> {
    let tls = args.tls.load()?;
    let backend = |role: Role, service, addresses: &[Address]| {
        if addresses.is_empty() {
            let name = role.name();
            bail!("a gateway must know where {name} is served: pass --{name} http://HOST:PORT");
        }
        if let Some(unproved) = addresses.iter().find(|address| address.is_secure())
            && tls.is_none()
        {
            bail!(client::unbelieved(unproved));
        }
        Ok(Backend::remote(service, addresses.to_vec(), tls.clone()))
    };
    Ok(Backends {
        trade: backend(Role::Trade, TRADE, &args.trade)?,
        events: backend(Role::Events, EVENTS, &args.events)?,
        culture: backend(Role::Culture, CULTURE, &args.culture)?,
    })
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

    /// The servers over the stores.
    fn servers(&self, shutdown: &Shutdown) -> Servers {
        let mut journals = Journals::new(shutdown.clone());
        if let Some(store) = &self.trade {
            journals = journals.with("trade", store);
        }
        if let Some(store) = &self.events {
            journals = journals.with("events", store);
        }
        if let Some(store) = &self.culture {
            journals = journals.with("culture", store);
        }
        let (trade, events, culture) = (&self.trade, &self.events, &self.culture);
        let stop = || shutdown.clone();
        Servers {
            trade: trade
                .clone()
                .map(|store| Trade::new(store, stop()).server()),
            events: events
                .clone()
                .map(|store| Events::new(store, stop()).server()),
            culture: culture
                .clone()
                .map(|store| Culture::new(store, stop()).server()),
            journals: journals.server(),
        }
    }

    /// Says to those who count what they are.
    fn report(&self) {
        self.trade.iter().for_each(Store::report);
        self.events.iter().for_each(Store::report);
        self.culture.iter().for_each(Store::report);
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
