//! `HAProxy`, as Debian packages it, in front of a server: HTTP/2 on both sides, a thread for each core.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::process;

const START_LIMIT: Duration = Duration::from_secs(10);

/// A running `HAProxy`; killed when it is dropped.
#[derive(Debug)]
pub(super) struct HaProxy {
    child: Child,
    address: SocketAddr,
}

impl HaProxy {
    /// Starts one in front of a server; none if the machine has none. Its configuration is written into `folder`.
    pub(super) async fn start(folder: &Path, server: &str) -> Result<Option<HaProxy>> {
        if version().is_none() {
            return Ok(None);
        }
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let file = folder.join("haproxy.cfg");
        std::fs::write(&file, configuration(address, server)?)?;
        let child = Command::new("haproxy")
            .arg("-db")
            .arg("-f")
            .arg(&file)
            .stdin(Stdio::null())
            .spawn()
            .context("haproxy does not start")?;
        let mut proxy = HaProxy { child, address };
        proxy.wait().await?;
        Ok(Some(proxy))
    }

    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn cpu_time(&self) -> Duration {
        process::cpu_time(self.child.id())
    }

    /// Waits until it accepts.
    async fn wait(&mut self) -> Result<()> {
        let started = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("haproxy ended with {status}");
            }
            if started.elapsed() > START_LIMIT {
                bail!("haproxy did not accept within {START_LIMIT:?}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The first line of what it says of itself.
pub(super) fn version() -> Option<String> {
    let told = Command::new("haproxy").arg("-v").output().ok()?;
    let told = String::from_utf8(told.stdout).ok()?;
    told.lines().next().map(str::to_owned)
}

/// Connections to the server are shared by all clients, as the gateway's are.
fn configuration(address: SocketAddr, server: &str) -> Result<String> {
    let mut text = String::new();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    writeln!(text, "global\n  nbthread {threads}\n  maxconn 4096")?;
    writeln!(text, "defaults\n  mode http\n  timeout connect 5s")?;
    writeln!(text, "  timeout client 60s\n  timeout server 60s")?;
    writeln!(text, "  http-reuse always")?;
    writeln!(text, "frontend door\n  bind {address} proto h2")?;
    writeln!(text, "  default_backend trade")?;
    writeln!(text, "backend trade\n  server trade {server} proto h2")?;
    Ok(text)
}
