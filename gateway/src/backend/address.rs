//! Where processes of a service are.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use chassis::ClientTls;
use http::Uri;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// An address of a service: `http://host:port`, or `https://host:port`. A name may stand for several processes (32 at
/// most), and is asked for again and again, so that processes may come and go behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    scheme: Scheme,
    authority: Authority,
    port: u16,
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an address is `http://HOST:PORT` or `https://HOST:PORT` without a path, such as http://127.0.0.1:50061"
)]
pub struct AddressError;

/// How long a look-up of a name may take.
const LOOKUP_LIMIT: Duration = Duration::from_secs(5);
/// Places that a name may lead to; each is connected to.
const MAX_PLACES: usize = 32;

/// What carries the bytes of a connection.
pub(super) type Stream = Box<dyn Carrier>;

/// A socket, or what makes one secure.
pub(super) trait Carrier: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Carrier for S {}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        let uri: Uri = text.parse().map_err(|_| AddressError)?;
        let is_bare = uri.query().is_none() && matches!(uri.path(), "" | "/");
        let authority = uri.authority().ok_or(AddressError)?;
        let named = !authority.host().is_empty() && !authority.as_str().contains('@');
        let scheme = uri.scheme().ok_or(AddressError)?;
        let is_known = [Scheme::HTTP, Scheme::HTTPS].contains(scheme);
        if !is_known || !is_bare || !named {
            return Err(AddressError);
        }
        Ok(Address {
            scheme: scheme.clone(),
            port: authority.port_u16().ok_or(AddressError)?,
            authority: authority.clone(),
        })
    }
}

impl Address {
    /// A path at this address.
    pub(super) fn uri(&self, path: PathAndQuery) -> Uri {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).expect("it has all its parts")
    }

    fn host(&self) -> &str {
        let host = self.authority.host();
        let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        inner.unwrap_or(host)
    }

    /// Whether it stands for whatever a name leads to.
    pub(super) fn is_name(&self) -> bool {
        self.host().parse::<IpAddr>().is_err()
    }

    /// Where it leads now: to different places, the same ones as long as they are named.
    pub(super) async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let found = timeout(LOOKUP_LIMIT, lookup_host((self.host(), self.port))).await;
        let found = found.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let mut places: Vec<SocketAddr> = found.collect();
        places.sort_unstable();
        places.dedup();
        places.truncate(MAX_PLACES);
        Ok(places)
    }

    /// Whether the service must prove that it is what the address names.
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// Connects to one of the places that it leads to.
    pub(super) async fn connect(
        &self,
        place: SocketAddr,
        tls: Option<&ClientTls>,
    ) -> io::Result<Stream> {
        let stream = TcpStream::connect(place).await?;
        // A small request must not wait for more.
        stream.set_nodelay(true)?;
        if !self.is_secure() {
            return Ok(Box::new(stream));
        }
        let unknown = || io::Error::other("nothing says whose certificate the service may show");
        let tls = tls.ok_or_else(unknown)?;
        Ok(Box::new(tls.connect(self.host(), stream).await?))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_addresses() {
        let named: Address = "http://trade:50061".parse().unwrap();
        assert!(named.is_name());
        assert_eq!(named.to_string(), "http://trade:50061");
        let four: Address = "http://127.0.0.1:50061/".parse().unwrap();
        assert!(!four.is_name());
        let six: Address = "http://[::1]:50061".parse().unwrap();
        assert!(!six.is_name() && !six.is_secure());
        let secure: Address = "https://trade:50061".parse().unwrap();
        assert!(secure.is_secure());
        assert_eq!(secure.to_string(), "https://trade:50061");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "trade:50061",
            "http://trade",
            "http://:1",
            "ftp://trade:1",
            "http://trade:1/v1",
            "http://trade:1?x",
            "http://a@trade:1",
            "http://trade:99999",
        ] {
            assert_eq!(text.parse::<Address>(), Err(AddressError), "{text:?}");
        }
    }
}
