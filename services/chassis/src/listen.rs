//! The address of a process.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use crate::{Config, Error, Missing};

/// Connections that the kernel completes while all places are taken.
const BACKLOG: u32 = 1_024;

/// Listens on an address. One that other machines can reach is refused unless calls are encrypted and callers asked
/// who they are, or the configuration says that it does not matter.
///
/// # Panics
///
/// Outside a Tokio runtime.
pub fn bind(address: SocketAddr, config: &Config) -> Result<TcpListener, Error> {
    refuse_exposed(address, config)?;
    listen(address).map_err(|source| Error::Bind { address, source })
}

/// The same rule for a listener that came from elsewhere.
pub(crate) fn refuse_exposed(address: SocketAddr, config: &Config) -> Result<(), Error> {
    if config.insecure || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    match missing(config.tls.is_some(), config.login.is_some()) {
        None => Ok(()),
        Some(missing) => Err(Error::Exposed { address, missing }),
    }
}

fn missing(is_encrypted: bool, asks_who: bool) -> Option<Missing> {
    match (is_encrypted, asks_who) {
        (true, true) => None,
        (false, true) => Some(Missing::Tls),
        (true, false) => Some(Missing::Login),
        (false, false) => Some(Missing::Both),
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart must not wait for the old process's connections to time out; on Windows the option
    // would instead let two processes share the address.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
