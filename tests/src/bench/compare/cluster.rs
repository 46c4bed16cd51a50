//! A PostgreSQL server of its own: made in the run's folder from the system's package, ended with the run.

use std::fs::{File, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tokio::time::Instant;
use tokio_postgres::{Client, NoTls};

/// The version that the comparison is with.
const MAJOR: &str = "(PostgreSQL) 15.";
/// What runs the server when this program is root's, which PostgreSQL does not take.
const USER: &str = "postgres";
/// How long it may take until it answers.
const STARTED_WITHIN: Duration = Duration::from_secs(60);

/// What differs from the defaults. Durability is the default's: every commit is synced. The memory is
/// what a machine of some gibibytes would give it, an SSD reads at any place alike, checkpoints do not
/// come in the middle of a load, and short questions gain nothing from compiled expressions.
const SETTINGS: [&str; 8] = [
    "shared_buffers=1GB",
    "effective_cache_size=4GB",
    "work_mem=64MB",
    "maintenance_work_mem=1GB",
    "max_wal_size=16GB",
    "checkpoint_timeout=30min",
    "random_page_cost=1.1",
    "jit=off",
];

/// Where the server's programs are.
#[derive(Clone, Debug)]
pub(super) struct Binaries(PathBuf);

/// A server that runs; ended when it is dropped.
pub(super) struct Cluster {
    child: Child,
    port: u16,
}

impl Binaries {
    /// In `folder`, or where the system's `pg_config` says.
    pub(super) fn find(folder: Option<&Path>) -> Result<Binaries> {
        const INSTALL: &str = "PostgreSQL 15 is needed: `apt-get install postgresql-15`, and \
             `--postgres DIR` where its programs are in no usual place; or leave it out by `--only`";
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => bindir().context(INSTALL)?,
        };
        let version = output(Command::new(folder.join("postgres")).arg("--version"));
        let version = version.context(INSTALL)?;
        ensure!(version.contains(MAJOR), "{INSTALL}. Found: {version}");
        Ok(Binaries(folder))
    }

    fn command(&self, name: &str) -> Command {
        let program = self.0.join(name);
        if !geteuid().is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        let (user, group) = (format!("--reuid={USER}"), format!("--regid={USER}"));
        command.args([&user, &group, "--clear-groups", "--"]);
        command.arg(program);
        command
    }
}

fn bindir() -> Result<PathBuf> {
    const DEBIAN: &str = "/usr/lib/postgresql/15/bin";
    if Path::new(DEBIAN).exists() {
        return Ok(DEBIAN.into());
    }
    output(Command::new("pg_config").arg("--bindir")).map(PathBuf::from)
}

/// What a short command prints.
fn output(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?}: {}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

impl Cluster {
    /// Makes a cluster below `folder`, and starts it.
    pub(super) fn start(binaries: &Binaries, folder: &Path) -> Result<Cluster> {
        let data = folder.join("postgres");
        make_folder(folder, &data)?;
        let log = File::create(folder.join("postgres.log"))?;
        let mut initdb = binaries.command("initdb");
        initdb.args(["--username=bench", "--auth=trust", "--encoding=UTF8"]);
        initdb.args(["--locale=C", "--pgdata"]).arg(&data);
        output(initdb.current_dir(&data).stderr(Stdio::inherit()))?;
        let port = free_port()?;
        let mut postgres = binaries.command("postgres");
        postgres.arg("-D").arg(&data);
        postgres.args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""]);
        for setting in SETTINGS {
            postgres.args(["-c", setting]);
        }
        let postgres = postgres.current_dir(&data).stdin(Stdio::null());
        let child = postgres.stdout(log.try_clone()?).stderr(log).spawn()?;
        Ok(Cluster { child, port })
    }

    /// A client, once the server takes one.
    pub(super) async fn connect(&self) -> Result<Client> {
        let address = format!(
            "host=127.0.0.1 port={} user=bench dbname=postgres",
            self.port
        );
        let until = Instant::now() + STARTED_WITHIN;
        let mut pause = tokio::time::interval(Duration::from_millis(50));
        loop {
            pause.tick().await;
            match tokio_postgres::connect(&address, NoTls).await {
                Ok((client, connection)) => {
                    // Its end is the client's.
                    tokio::spawn(connection);
                    return Ok(client);
                }
                Err(error) if Instant::now() > until => {
                    bail!("PostgreSQL did not start; see postgres.log: {error}")
                }
                Err(_) => {}
            }
        }
    }
}

impl Drop for Cluster {
    /// At once, and with all of its processes; what it has written goes with the folder.
    fn drop(&mut self) {
        let process = Pid::from_child(&self.child);
        // It may have ended already.
        kill_process(process, Signal::QUIT).ok();
        drop(self.child.wait());
    }
}

/// A folder that the server's user owns and can reach.
fn make_folder(above: &Path, folder: &Path) -> Result<()> {
    let mut install = Command::new("install");
    install.args(["-d", "-m", "0700"]);
    if geteuid().is_root() {
        std::fs::set_permissions(above, Permissions::from_mode(0o711))?;
        install.args(["-o", USER, "-g", USER]);
    }
    output(install.arg(folder)).map(drop)
}

/// One that nobody listened on a moment ago.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
