//! The whole system: a gateway and the three services, in one process or each in its own.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use proto::culture::v1::culture_service_client::CultureServiceClient;
use proto::culture::v1::culture_service_server::SERVICE_NAME as CULTURE;
use proto::events::v1::events_service_client::EventsServiceClient;
use proto::events::v1::events_service_server::SERVICE_NAME as EVENTS;
use proto::gateway::v1::gateway_service_client::GatewayServiceClient;
use proto::gateway::v1::{GetStatusRequest, ReplicaState, ReplicaStatus};
use proto::journal::v1::journal_service_client::JournalServiceClient;
use proto::trade::v1::trade_service_client::TradeServiceClient;
use proto::trade::v1::trade_service_server::SERVICE_NAME as TRADE;
use rustix::process::Signal;
use tempfile::TempDir;
use tonic::transport::Channel;

use crate::counts::Counts;
use crate::health::Health;
use crate::hosts::Hosts;
use crate::server::{Binary, channel};
use crate::{Client, CultureClient, EventsClient, JournalClient, Role};

/// Makes two tests of each story: one of a single process, one of a process for each part. The file that has the stories
/// tells them with a function `tell`, which takes a [`Setting`] and a story.
#[macro_export]
macro_rules! both_settings {
    ($($story:ident),+ $(,)?) => {
        mod together {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::tell($crate::Setting::Together, super::$story).await;
            })+
        }
        mod apart {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::tell($crate::Setting::Apart, super::$story).await;
            })+
        }
    };
}

/// How often is looked at what the gateway says of its backends.
const LOOK: Duration = Duration::from_millis(20);
/// A port of this machine that the system chooses.
const HERE: &str = "127.0.0.1:0";

/// How the system is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// `entente serve`: one process.
    Together,
    /// `entente serve gateway`, and a process for each service.
    Apart,
}

/// A system with folders of its own. Dropped, it ends at once.
#[derive(Debug)]
pub struct World {
    /// The processes of trade: one, or replicas on copies of the same data. None when all is one process.
    pub trade: Vec<Node>,
    /// That of events, unless all is one process.
    pub events: Option<Node>,
    /// That of culture, unless all is one process.
    pub culture: Option<Node>,
    /// The one that stories talk to.
    pub door: Node,
    shared: Channel,
    _folder: TempDir,
}

/// A process of the system.
#[derive(Debug)]
pub struct Node {
    args: Vec<String>,
    folder: PathBuf,
    address: SocketAddr,
    hosts: Option<Arc<Hosts>>,
    running: Option<Binary>,
}

impl World {
    /// Starts a system on empty folders.
    pub async fn start(shape: Setting) -> World {
        match shape {
            Setting::Together => World::together(&[]).await,
            Setting::Apart => World::apart(&[], &[], &[]).await,
        }
    }

    /// The same, where all processes have some options more.
    pub async fn with_options(shape: Setting, options: &[&str]) -> World {
        match shape {
            Setting::Together => World::together(options).await,
            Setting::Apart => World::apart(&[], &[], options).await,
        }
    }

    async fn together(options: &[&str]) -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let door = Node::start(options, HERE, &folder.path().join("all"), None).await;
        World {
            trade: Vec::new(),
            events: None,
            culture: None,
            shared: channel(door.address).await,
            door,
            _folder: folder,
        }
    }

    /// Starts a system whose trade is served by processes on copies of the given folders.
    pub async fn with_replicas(copies_of: &[&Path]) -> World {
        World::apart(copies_of, &[], &[]).await
    }

    /// Starts a system whose gateway gives calls that bring no deadline a second.
    pub async fn impatient() -> World {
        World::apart(&[], &["--default-deadline", "1"], &[]).await
    }

    /// `options` are the gateway's alone, `all` everybody's.
    async fn apart(copies_of: &[&Path], options: &[&str], all: &[&str]) -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut trade = Vec::new();
        for (number, original) in copies_of.iter().enumerate() {
            let copy = folder.path().join(format!("trade-{number}"));
            copy_folder(original, &copy);
            trade.push(Node::start(&[&["trade"], all].concat(), HERE, &copy, None).await);
        }
        if trade.is_empty() {
            let folder = folder.path().join("trade");
            trade.push(Node::start(&[&["trade"], all].concat(), HERE, &folder, None).await);
        }
        let addresses: Vec<_> = trade.iter().map(|node| url(&node.address)).collect();
        let trade_at = addresses.join(",");
        let mut world = World::with_trade_at(&trade_at, options, all, folder, None).await;
        world.trade = trade;
        world.all_serve().await;
        world
    }

    /// Starts a system whose trade is somewhere else, in one process or several.
    pub async fn with_trade_elsewhere(addresses: &[SocketAddr]) -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let trade: Vec<_> = addresses.iter().map(url).collect();
        World::with_trade_at(&trade.join(","), &[], &[], folder, None).await
    }

    /// Starts a system whose trade has a name that leads nowhere.
    pub async fn with_trade_nowhere() -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        World::with_trade_at("http://trade.invalid:1", &[], &[], folder, None).await
    }

    /// Starts a system whose trade is found by a name: processes at the same port of the places to which it may lead.
    pub async fn with_trade_behind(name: &str, places: &[IpAddr], hosts: Arc<Hosts>) -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (mut trade, mut port) = (Vec::<Node>::new(), 0);
        for (number, place) in places.iter().enumerate() {
            let folder = folder.path().join(format!("trade-{number}"));
            let at = SocketAddr::new(*place, port).to_string();
            let node = Node::start(&["trade"], &at, &folder, None).await;
            port = node.address.port();
            trade.push(node);
        }
        let url = format!("http://{name}:{port}");
        let mut world = World::with_trade_at(&url, &[], &[], folder, Some(hosts)).await;
        world.trade = trade;
        world.all_serve().await;
        world
    }

    async fn with_trade_at(
        trade: &str,
        options: &[&str],
        all: &[&str],
        folder: TempDir,
        hosts: Option<Arc<Hosts>>,
    ) -> World {
        let start = async |role| {
            let args = [&[role], all].concat();
            Node::start(&args, HERE, &folder.path().join(role), None).await
        };
        let (events, culture) = (start("events").await, start("culture").await);
        let args = [
            "gateway",
            "--trade",
            trade,
            "--events",
            &url(&events.address),
            "--culture",
            &url(&culture.address),
        ];
        let args = [&args, options, all].concat();
        let door = Node::start(&args, HERE, &folder.path().join("gateway"), hosts).await;
        let world = World {
            trade: Vec::new(),
            events: Some(events),
            culture: Some(culture),
            shared: channel(door.address).await,
            door,
            _folder: folder,
        };
        world.reached(&[EVENTS, CULTURE]).await;
        world
    }

    /// Waits until the gateway reaches every process of every service.
    pub async fn all_serve(&self) {
        self.reached(&[TRADE, EVENTS, CULTURE]).await;
        let mut turns = tokio::time::interval(LOOK);
        let serves = |replica: ReplicaStatus| replica.state() == ReplicaState::Serving;
        while !self.replicas().await.into_iter().all(serves) {
            turns.tick().await;
        }
    }

    /// Waits until the gateway reaches the process at an address.
    pub async fn serves(&self, address: SocketAddr) {
        let mut turns = tokio::time::interval(LOOK);
        let serves = |replica: &ReplicaStatus| {
            replica.address == address.to_string() && replica.state() == ReplicaState::Serving
        };
        while !self.replicas().await.iter().any(serves) {
            turns.tick().await;
        }
    }

    /// The processes of all services, as the gateway tells of them.
    pub async fn replicas(&self) -> Vec<ReplicaStatus> {
        let status = self.gateway_client().get_status(GetStatusRequest {}).await;
        let backends = status.expect("a status").into_inner().backends;
        let replicas = backends.into_iter().flat_map(|backend| backend.replicas);
        replicas.collect()
    }

    /// Waits until services can be reached.
    async fn reached(&self, services: &[&str]) {
        for service in services {
            Health::watch(&self.shared, service).await.until(true).await;
        }
    }

    /// A trade client, over the connection that all stories share.
    pub fn trade_client(&self) -> Client {
        TradeServiceClient::new(self.shared.clone())
    }

    /// The same for events.
    pub fn events_client(&self) -> EventsClient {
        EventsServiceClient::new(self.shared.clone())
    }

    /// The same for culture.
    pub fn culture_client(&self) -> CultureClient {
        CultureServiceClient::new(self.shared.clone())
    }

    /// The same for journals.
    pub fn journals(&self) -> JournalClient {
        JournalServiceClient::new(self.shared.clone())
    }

    /// The same for what is asked over all services.
    pub fn gateway_client(&self) -> GatewayServiceClient<Channel> {
        GatewayServiceClient::new(self.shared.clone())
    }

    /// The connection that all stories share.
    pub fn channel(&self) -> &Channel {
        &self.shared
    }

    /// The process of a service, where each has its own.
    pub fn node(&mut self, role: Role) -> &mut Node {
        let node = match role {
            Role::Trade => self.trade.first_mut(),
            Role::Events => self.events.as_mut(),
            Role::Culture => self.culture.as_mut(),
        };
        node.expect("it has a process of its own")
    }

    /// Stops all of it in good order; nothing unusual must have been logged.
    pub async fn stop(mut self) {
        self.door.stop().await;
        self.stop_services().await;
    }

    /// The same after something unusual; answers what the gateway logged.
    pub async fn end(mut self) -> String {
        let log = self.door.end().await;
        self.stop_services().await;
        log
    }

    async fn stop_services(&mut self) {
        let records = [self.events.as_mut(), self.culture.as_mut()];
        for node in self.trade.iter_mut().chain(records.into_iter().flatten()) {
            node.stop().await;
        }
    }
}

impl Node {
    async fn start(args: &[&str], listen: &str, folder: &Path, hosts: Option<Arc<Hosts>>) -> Node {
        fs::create_dir_all(folder).expect("a folder");
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let (running, address) = Binary::run(&on(&args, listen), folder, hosts.as_ref()).await;
        Node {
            args,
            folder: folder.to_owned(),
            address,
            hosts,
            running: Some(running),
        }
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it counts.
    pub async fn counts(&self) -> Counts {
        let running = self.running.as_ref().expect("it runs");
        Counts::of(running.metrics).await
    }

    /// Where it tells what it counts.
    pub fn metrics(&self) -> SocketAddr {
        self.running.as_ref().expect("it runs").metrics
    }

    /// The folder of its data.
    pub fn data(&self) -> &Path {
        &self.folder
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Starts it again on the same folder, at the same address.
    pub async fn start_again(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        let args = on(&self.args, &self.address.to_string());
        let (running, _) = Binary::run(&args, &self.folder, self.hosts.as_ref()).await;
        self.running = Some(running);
    }

    /// Stops it in good order, if it runs; nothing unusual must have been logged.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// Stops it in good order, whatever it logged, which is answered.
    pub async fn end(&mut self) -> String {
        self.running.take().expect("it runs").end().await
    }

    /// Ends it where it stands (kill -9).
    pub fn kill(&mut self) {
        self.running.take().expect("it runs").kill();
    }

    /// Lets it stand still: it keeps its connections and says nothing.
    pub fn freeze(&self) {
        self.running.as_ref().expect("it runs").signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.running.as_ref().expect("it runs").signal(Signal::CONT);
    }
}

fn on(args: &[String], address: &str) -> Vec<String> {
    let listen = ["--listen", address].map(str::to_owned);
    args.iter().cloned().chain(listen).collect()
}

fn url(address: &SocketAddr) -> String {
    format!("http://{address}")
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copied");
        }
    }
}
