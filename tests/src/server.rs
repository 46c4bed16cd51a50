//! A service that a story talks to, and the two ways to start it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chassis::{App, Drained, Login, Shutdown};
use culture::Culture;
use events::Events;
use proto::culture::v1::culture_service_client::CultureServiceClient;
use proto::events::v1::events_service_client::EventsServiceClient;
use proto::journal::v1::journal_service_client::JournalServiceClient;
use proto::trade::v1::trade_service_client::TradeServiceClient;
use records::Journals;
use rustix::process::{Pid, Signal, kill_process};
use store::Store;
use tempfile::TempDir;
use tokio::task::{JoinHandle, spawn_blocking};
use tonic::transport::{Channel, Endpoint};
use trade::Trade;

use crate::hosts::Hosts;

/// A client of the trade service over a socket.
pub type Client = TradeServiceClient<Channel>;
/// A client of the events service over a socket.
pub type EventsClient = EventsServiceClient<Channel>;
/// A client of the culture service over a socket.
pub type CultureClient = CultureServiceClient<Channel>;
/// A client of the journals over a socket.
pub type JournalClient = JournalServiceClient<Channel>;

/// How long a story may take, its server's start and end included.
const LIMIT: Duration = Duration::from_secs(600);

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Trade.
    Trade,
    /// Events and agreements.
    Events,
    /// Programmes, measures, visa rules.
    Culture,
}

impl Role {
    /// Its name, by which commands and folders call it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Trade => "trade",
            Role::Events => "events",
            Role::Culture => "culture",
        }
    }
}

/// How the service is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A task of the test's process.
    InProcess,
    /// `entente serve`, a process of its own. `ENTENTE_BIN` names the binary; without it, the one
    /// beside the tests is built.
    Binary,
}

/// Tells a story to a new server, and stops it: it must end cleanly and have logged nothing unusual.
pub async fn tell(way: Way, role: Role, story: impl AsyncFnOnce(&mut Server)) {
    if way == Way::Binary {
        build_binary().await;
    }
    let told = async {
        let mut server = Server::start_as(role, way).await;
        story(&mut server).await;
        server.stop().await;
    };
    within_limit(told).await;
}

/// Waits for something that must not take for ever.
pub async fn within_limit<T>(work: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(LIMIT, work).await;
    ended.unwrap_or_else(|_| panic!("it did not end within {LIMIT:?}"))
}

/// A service with a folder of its own. Dropped, it ends at once.
#[derive(Debug)]
pub struct Server {
    way: Way,
    role: Role,
    login: Option<Login>,
    folder: TempDir,
    shared: Channel,
    address: SocketAddr,
    running: Option<Running>,
    was_killed: bool,
}

#[derive(Debug)]
enum Running {
    InProcess(InProcess),
    Binary(Binary),
}

impl Server {
    /// Starts a trade service on an empty folder.
    pub async fn start(way: Way) -> Server {
        Server::start_as(Role::Trade, way).await
    }

    /// Starts a service on an empty folder.
    pub async fn start_as(role: Role, way: Way) -> Server {
        Server::start_with(way, role, None).await
    }

    /// Starts a service of this process on an empty folder, which believes this.
    pub async fn start_with_login(role: Role, login: Login) -> Server {
        Server::start_with(Way::InProcess, role, Some(login)).await
    }

    async fn start_with(way: Way, role: Role, login: Option<Login>) -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (running, address) = Running::start(way, role, folder.path(), login.clone()).await;
        Server {
            way,
            role,
            login,
            shared: channel(address).await,
            folder,
            address,
            was_killed: false,
            running: Some(running),
        }
    }

    /// A trade client over the connection that all stories share.
    pub fn client(&self) -> Client {
        TradeServiceClient::new(self.shared.clone())
    }

    /// The same for events.
    pub fn events(&self) -> EventsClient {
        EventsServiceClient::new(self.shared.clone())
    }

    /// The same for culture.
    pub fn culture(&self) -> CultureClient {
        CultureServiceClient::new(self.shared.clone())
    }

    /// The same for journals.
    pub fn journals(&self) -> JournalClient {
        JournalServiceClient::new(self.shared.clone())
    }

    /// A trade client over a connection of its own.
    pub async fn another_client(&self) -> Client {
        TradeServiceClient::new(self.channel().await)
    }

    /// The folder of its data.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// A connection of its own, for what no generated client would send.
    pub async fn channel(&self) -> Channel {
        channel(self.address).await
    }

    /// How it was started.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Stops it in good order. After a kill it may have told of what it found, be it a view that it made anew.
    pub async fn stop(&mut self) {
        match self.running.take() {
            Some(Running::InProcess(running)) => running.stop().await,
            Some(Running::Binary(running)) if self.was_killed => drop(running.end().await),
            Some(Running::Binary(running)) => running.stop().await,
            None => {}
        }
    }

    /// Asks it to stop and does not wait for it.
    pub fn ask_to_stop(&self) {
        match self.running.as_ref().expect("it runs") {
            Running::InProcess(running) => running.shutdown.trigger(),
            Running::Binary(running) => running.signal(Signal::TERM),
        }
    }

    /// Ends the process where it stands (kill -9), while others still use it; [`Server::kill`] has it buried.
    pub fn strike(&self) {
        match self.running.as_ref().expect("it runs") {
            Running::Binary(running) => running.signal(Signal::KILL),
            running @ Running::InProcess(_) => panic!("only a process can be killed: {running:?}"),
        }
    }

    /// Ends the process where it stands (kill -9).
    pub fn kill(&mut self) {
        self.was_killed = true;
        match self.running.take() {
            Some(Running::Binary(mut running)) => running.kill(),
            other => panic!("only a process can be killed: {other:?}"),
        }
    }

    /// Starts again on the same folder, after [`Server::stop`] or [`Server::kill`].
    pub async fn start_again(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        let login = self.login.clone();
        let started = Running::start(self.way, self.role, self.folder.path(), login);
        let (running, address) = started.await;
        self.shared = channel(address).await;
        self.address = address;
        self.running = Some(running);
    }

    /// Stops and starts again.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Stops, throws the view away, and starts again: all that is left is the journal.
    pub async fn restart_without_view(&mut self) {
        self.stop().await;
        let view = self.folder.path().join(self.role.name()).join("view");
        fs::remove_dir_all(view).expect("there is a view");
        self.start_again().await;
    }
}

pub(crate) async fn channel(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    endpoint.connect().await.expect("the service accepts")
}

impl Running {
    async fn start(
        way: Way,
        role: Role,
        data: &Path,
        login: Option<Login>,
    ) -> (Running, SocketAddr) {
        match way {
            Way::InProcess => InProcess::start(role, data, login).await,
            Way::Binary => Binary::start(role, data).await,
        }
    }
}

#[derive(Debug)]
struct InProcess {
    store: Opened,
    shutdown: Shutdown,
    serving: JoinHandle<Result<Drained, chassis::Error>>,
}

/// The store of a service.
#[derive(Debug)]
enum Opened {
    Trade(Store<trade::Model>),
    Events(Store<events::Model>),
    Culture(Store<culture::Model>),
}

impl Opened {
    async fn open(role: Role, folder: PathBuf) -> Opened {
        match role {
            Role::Trade => Opened::Trade(open(folder).await),
            Role::Events => Opened::Events(open(folder).await),
            Role::Culture => Opened::Culture(open(folder).await),
        }
    }

    fn app(&self, shutdown: &Shutdown) -> App {
        let app = App::new(proto::DESCRIPTORS);
        let journals = Journals::new(shutdown.clone());
        let (app, journals) = match self {
            Opened::Trade(store) => (
                app.service(Trade::new(store.clone(), shutdown.clone()).server()),
                journals.with("trade", store),
            ),
            Opened::Events(store) => (
                app.service(Events::new(store.clone(), shutdown.clone()).server()),
                journals.with("events", store),
            ),
            Opened::Culture(store) => (
                app.service(Culture::new(store.clone(), shutdown.clone()).server()),
                journals.with("culture", store),
            ),
        };
        app.service(journals.server())
    }

    async fn close(&self) {
        match self {
            Opened::Trade(store) => store.close().await,
            Opened::Events(store) => store.close().await,
            Opened::Culture(store) => store.close().await,
        }
    }
}

async fn open<M: store::Model>(folder: PathBuf) -> Store<M> {
    let config = store::Config {
        ballast_bytes: 0,
        cache_bytes: 16 << 20,
        idle: Duration::from_millis(50),
        ..store::Config::default()
    };
    let opening = spawn_blocking(move || Store::open(&folder, &config));
    opening.await.expect("opening ends").expect("it opens")
}

impl InProcess {
    async fn start(role: Role, data: &Path, login: Option<Login>) -> (Running, SocketAddr) {
        let store = Opened::open(role, data.join(role.name())).await;
        let shutdown = Shutdown::new();
        let config = chassis::Config::default();
        let listener = chassis::bind(([127, 0, 0, 1], 0).into(), &config).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let app = store.app(&shutdown);
        let until = shutdown.clone();
        let config = chassis::Config { login, ..config };
        let serving = async move { chassis::serve(listener, app, &config, until).await };
        let running = InProcess {
            store,
            shutdown,
            serving: tokio::spawn(serving),
        };
        (Running::InProcess(running), address)
    }

    async fn stop(self) {
        let InProcess {
            store,
            shutdown,
            serving,
        } = self;
        shutdown.trigger();
        let drained = serving.await.expect("no panic").expect("it served");
        assert_eq!(drained, Drained::Clean);
        store.close().await;
    }
}

/// A process of its own.
#[derive(Debug)]
pub(crate) struct Binary {
    child: Child,
    log: PathBuf,
    /// Where it tells what it counts.
    pub(crate) metrics: SocketAddr,
    // Held, so that the process can go on writing.
    _stdout: BufReader<ChildStdout>,
}

impl Binary {
    async fn start(role: Role, data: &Path) -> (Running, SocketAddr) {
        let args = [role.name(), "--listen", "127.0.0.1:0"];
        let (binary, address) = Binary::run(&args.map(str::to_owned), data, None).await;
        (Running::Binary(binary), address)
    }

    /// Starts `entente serve` with some arguments on a folder, where names may lead elsewhere.
    pub(crate) async fn run(
        args: &[String],
        data: &Path,
        hosts: Option<&Arc<Hosts>>,
    ) -> (Binary, SocketAddr) {
        let (args, data) = (args.to_owned(), data.to_owned());
        let hosts = hosts.cloned();
        let started = spawn_blocking(move || Binary::spawn(&args, &data, hosts.as_deref())).await;
        started.expect("the process starts")
    }

    fn spawn(args: &[String], data: &Path, hosts: Option<&Hosts>) -> (Binary, SocketAddr) {
        let log = data.join("log");
        let plain = || Command::new(executable());
        let mut child = hosts
            .map_or_else(plain, |hosts| hosts.command(executable()))
            .arg("serve")
            .args(args)
            .args(["--log", "warn", "--cache-mib", "16", "--ballast-mib", "0"])
            .args(["--metrics", "127.0.0.1:0"])
            .arg("--data")
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("a log"))
            .spawn()
            .expect("the binary starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut said = |before: &str, behind: &str| {
            let mut line = String::new();
            stdout.read_line(&mut line).expect("it says where it is");
            let place = line.trim().strip_prefix(before);
            let place = place.and_then(|place| place.strip_suffix(behind)?.parse().ok());
            let log = || fs::read_to_string(&log).unwrap_or_default();
            place.unwrap_or_else(|| panic!("it said `{line}`, and logged {}", log()))
        };
        let address = said("Serving on ", "");
        let metrics = said("Metrics on http://", "/metrics");
        let binary = Binary {
            child,
            log,
            metrics,
            _stdout: stdout,
        };
        (binary, address)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process"), signal).expect("it runs");
    }

    /// Stops it in good order: it must have logged nothing unusual.
    pub(crate) async fn stop(self) {
        let log = self.end().await;
        let unusual: Vec<&str> = log.lines().filter(|line| is_unusual(line)).collect();
        assert!(unusual.is_empty(), "it logged {unusual:#?}");
    }

    /// Stops it in good order, whatever it logged, which is answered.
    pub(crate) async fn end(mut self) -> String {
        self.signal_if_running();
        let ended = spawn_blocking(move || {
            let status = self.child.wait();
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            (status, log)
        });
        let (status, log) = ended.await.expect("no panic");
        let status = status.expect("it ends");
        assert!(status.success(), "it ended with {status}:\n{log}");
        log
    }

    fn signal_if_running(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::TERM);
        }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        // Fails when it has ended already, which is as well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whether a line of the log tells of what does not happen to a process that nobody harms. On a busy machine an answer
/// for the health may be late.
fn is_unusual(line: &str) -> bool {
    let is_late = line.contains("a replica is lost") && line.contains("it does not answer");
    (line.contains("WARN") || line.contains("ERROR")) && !is_late
}

/// Sees that the binary is there, which may take longer than a story.
pub async fn build_binary() {
    spawn_blocking(executable).await.expect("no panic");
}

/// The binary: given, or built as the tests are and found beside them.
fn executable() -> &'static Path {
    static EXECUTABLE: OnceLock<PathBuf> = OnceLock::new();
    EXECUTABLE.get_or_init(|| match std::env::var_os("ENTENTE_BIN") {
        Some(path) => path.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    // target/PROFILE/deps/TEST, or the benchmark, target/PROFILE/bench.
    let tests = std::env::current_exe().expect("this test is a file");
    let folder = tests.parent().expect("a file is in a folder");
    let above = folder.ends_with("deps").then(|| folder.parent());
    let profile_folder = above.flatten().unwrap_or(folder);
    let target = profile_folder.parent().expect("target/PROFILE");
    let profile = match profile_folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "-p",
            "cli",
            "--bin",
            "entente",
            "--profile",
            profile,
        ])
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the binary does not build");
    profile_folder.join("entente")
}
