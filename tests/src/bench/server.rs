//! Servers in processes of their own. This program starts itself in a role, reads the address from its
//! standard output, and ends it by closing its standard input: a server whose parent is gone ends too.
#![expect(
    clippy::print_stdout,
    reason = "by its standard output a child tells its parent"
)]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use chassis::{App, Drained, Shutdown};
use clap::Subcommand;
use culture::Culture;
use events::Events;
use gateway::{Address, Backend, Backends, Gateway};
use proto::trade::v1::trade_service_server::SERVICE_NAME;
use records::Journals;
use store::Store;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use trade::Trade;

use super::echo::Echo;
use super::telling::Telling;
use super::{Plan, process};

/// What this program is when it was started by itself.
#[derive(Debug, Subcommand)]
pub(super) enum Role {
    /// The trade service.
    #[command(hide = true)]
    ServeTrade {
        /// The folder of its store.
        #[arg(long)]
        data: PathBuf,
        #[command(flatten)]
        telling: Telling,
    },
    /// The events service or the culture service.
    #[command(hide = true)]
    ServeRecords {
        /// Which: `events` or `culture`.
        #[arg(long)]
        of: String,
        /// The folder of its store.
        #[arg(long)]
        data: PathBuf,
        #[command(flatten)]
        telling: Telling,
    },
    /// All three services, and a gateway that calls them directly.
    #[command(hide = true)]
    ServeHouse {
        /// The folder of their stores.
        #[arg(long)]
        data: PathBuf,
        #[command(flatten)]
        telling: Telling,
    },
    /// The bare echo.
    #[command(hide = true)]
    ServeEcho {
        /// Size of its answers.
        #[arg(long)]
        bytes: usize,
        /// Whether it stands in the chassis.
        #[arg(long)]
        chassis: bool,
        #[command(flatten)]
        telling: Telling,
    },
    /// The gateway to a trade service.
    #[command(hide = true)]
    ServeGateway {
        /// Where that is.
        #[arg(long)]
        trade: Address,
        #[command(flatten)]
        telling: Telling,
    },
    /// Opens a store, tells how long it took and what memory, and closes it.
    #[command(hide = true)]
    Open {
        /// The folder of the store.
        #[arg(long)]
        data: PathBuf,
    },
}

/// Plays a role until standard input ends.
pub(super) async fn play(role: Role) -> Result<()> {
    match role {
        Role::ServeTrade { data, telling } => {
            telling.start().await?;
            serve_trade(&data).await
        }
        Role::ServeRecords { of, data, telling } => {
            telling.start().await?;
            match of.as_str() {
                "events" => serve_events(&data).await,
                _ => serve_culture(&data).await,
            }
        }
        Role::ServeHouse { data, telling } => {
            telling.start().await?;
            serve_house(&data).await
        }
        Role::ServeEcho {
            bytes,
            chassis,
            telling,
        } => {
            telling.start().await?;
            let echo = Echo::new(bytes);
            if !chassis {
                return serve_bare(echo).await;
            }
            let app = App::new(proto::DESCRIPTORS).service(echo);
            serve(app, ended_input()).await
        }
        Role::ServeGateway { trade, telling } => {
            telling.start().await?;
            let app = App::new(proto::DESCRIPTORS);
            let trade = Backend::remote(SERVICE_NAME, vec![trade], None);
            serve(app.passed(SERVICE_NAME, trade), ended_input()).await
        }
        Role::Open { data } => open(&data).await,
    }
}

async fn serve_trade(data: &Path) -> Result<()> {
    let store = Store::open(data, &store::Config::default())?;
    let shutdown = ended_input();
    let trade = Trade::new(store.clone(), shutdown.clone());
    let journals = Journals::new(shutdown.clone()).with("trade", &store);
    let app = App::new(proto::DESCRIPTORS).service(trade.server());
    serve(app.service(journals.server()), shutdown).await?;
    store.close().await;
    Ok(())
}

async fn serve_events(data: &Path) -> Result<()> {
    let store = Store::open(data, &store::Config::default())?;
    let shutdown = ended_input();
    let events = Events::new(store.clone(), shutdown.clone());
    let app = App::new(proto::DESCRIPTORS).service(events.server());
    serve(app, shutdown).await?;
    store.close().await;
    Ok(())
}

async fn serve_culture(data: &Path) -> Result<()> {
    let store = Store::open(data, &store::Config::default())?;
    let shutdown = ended_input();
    let culture = Culture::new(store.clone(), shutdown.clone());
    let app = App::new(proto::DESCRIPTORS).service(culture.server());
    serve(app, shutdown).await?;
    store.close().await;
    Ok(())
}

async fn serve_house(data: &Path) -> Result<()> {
    let config = store::Config::default();
    let trade = Store::<trade::Model>::open(&data.join("trade"), &config)?;
    let events = Store::<events::Model>::open(&data.join("events"), &config)?;
    let culture = Store::<culture::Model>::open(&data.join("culture"), &config)?;
    let shutdown = ended_input();
    let of_trade = Trade::new(trade.clone(), shutdown.clone()).server();
    let of_events = Events::new(events.clone(), shutdown.clone()).server();
    let of_culture = Culture::new(culture.clone(), shutdown.clone()).server();
    let direct =
        |routes: Routes, journals: Journals| Backend::direct(routes.add_service(journals.server()));
    let journals = || Journals::new(shutdown.clone());
    let backends = Backends {
        trade: direct(Routes::new(of_trade), journals().with("trade", &trade)),
        events: direct(
            Routes::new(of_events.clone()),
            journals().with("events", &events),
        ),
        culture: direct(
            Routes::new(of_culture),
            journals().with("culture", &culture),
        ),
    };
    let gateway = Gateway::new(&backends, shutdown.clone());
    let app = App::new(proto::DESCRIPTORS).service(gateway.server());
    serve(app.service(of_events), shutdown).await?;
    trade.close().await;
    events.close().await;
    culture.close().await;
    Ok(())
}

async fn serve(app: App, shutdown: Shutdown) -> Result<()> {
    let config = chassis::Config::default();
    let listener = bind().await?;
    match chassis::serve(listener, app, &config, shutdown).await? {
        Drained::Clean => Ok(()),
        Drained::LimitReached { calls } => bail!("{calls} calls were cut"),
    }
}

/// Nothing around it but what sends small answers at once.
async fn serve_bare(echo: Echo) -> Result<()> {
    let incoming = TcpIncoming::from(bind().await?).with_nodelay(Some(true));
    let server = tonic::transport::Server::builder().add_service(echo);
    let ended = ended_input();
    server
        .serve_with_incoming_shutdown(incoming, ended.wait())
        .await?;
    Ok(())
}

async fn bind() -> Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?);
    Ok(listener)
}

async fn open(data: &Path) -> Result<()> {
    let started = Instant::now();
    let store = Store::<trade::Model>::open(data, &store::Config::default())?;
    let took = started.elapsed().as_millis();
    println!("{took} {}", process::peak_memory(std::process::id()));
    store.close().await;
    Ok(())
}

/// Triggered when the parent closes standard input, or ends.
fn ended_input() -> Shutdown {
    let shutdown = Shutdown::new();
    let handle = shutdown.clone();
    std::thread::spawn(move || {
        // An error is an end too.
        drop(std::io::stdin().read(&mut [0]));
        handle.trigger();
    });
    shutdown
}

/// A child of this process; killed when it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// The trade service over the store in `data`.
    pub(super) fn trade(data: &Path, plan: &Plan) -> Result<Server> {
        Server::start(
            command("serve-trade")?
                .arg("--data")
                .arg(data)
                .args(plan.telling.args()),
        )
    }

    /// The events service or the culture service over the store in `data`.
    pub(super) fn records(of: &str, data: &Path, plan: &Plan) -> Result<Server> {
        Server::start(
            command("serve-records")?
                .args(["--of", of])
                .args(plan.telling.args())
                .arg("--data")
                .arg(data),
        )
    }

    /// All three services and a gateway over the stores in `data`.
    pub(super) fn house(data: &Path, plan: &Plan) -> Result<Server> {
        Server::start(
            command("serve-house")?
                .args(plan.telling.args())
                .arg("--data")
                .arg(data),
        )
    }

    /// The echo with answers of `bytes` bytes, bare or in the chassis.
    pub(super) fn echo(bytes: usize, chassis: bool, plan: &Plan) -> Result<Server> {
        let mut command = command("serve-echo")?;
        command.args(["--bytes", &bytes.to_string()]);
        command.args(plan.telling.args());
        command.args(chassis.then_some("--chassis"));
        Server::start(&mut command)
    }

    /// The gateway to a trade service.
    pub(super) fn gateway(trade: &str, plan: &Plan) -> Result<Server> {
        Server::start(
            command("serve-gateway")?
                .args(["--trade", &format!("http://{trade}")])
                .args(plan.telling.args()),
        )
    }

    fn start(command: &mut Command) -> Result<Server> {
        let (child, address) = spawn(command)?;
        Ok(Server { child, address })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn peak_memory(&self) -> u64 {
        process::peak_memory(self.child.id())
    }

    pub(super) fn memory(&self) -> u64 {
        process::memory(self.child.id())
    }

    pub(super) fn cpu_time(&self) -> Duration {
        process::cpu_time(self.child.id())
    }

    /// Ends it as a signal would: what it has taken is finished.
    pub(super) fn stop(&mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        anyhow::ensure!(status.success(), "a server ended with {status}");
        Ok(())
    }

    /// Ends it on the spot.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.kill());
    }
}

/// How an opening in a fresh process went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened {
    pub(super) took: Duration,
    pub(super) peak_memory: u64,
}

/// Opens the store in `data` in a fresh process, and closes it.
pub(super) fn open_afresh(data: &Path) -> Result<Opened> {
    let (mut child, line) = spawn(command("open")?.arg("--data").arg(data))?;
    let status = child.wait()?;
    anyhow::ensure!(status.success(), "the opening ended with {status}");
    let (took, peak_memory) = line.split_once(' ').context("two numbers")?;
    Ok(Opened {
        took: Duration::from_millis(took.parse()?),
        peak_memory: peak_memory.parse()?,
    })
}

fn command(role: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(role);
    Ok(command)
}

/// Starts a child and waits for its first line.
fn spawn(command: &mut Command) -> Result<(Child, String)> {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped.spawn()?;
    let output = child.stdout.take().context("its output is piped")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    if line.is_empty() {
        bail!("a child of this process did not start: {}", child.wait()?);
    }
    Ok((child, line.trim().to_owned()))
}
