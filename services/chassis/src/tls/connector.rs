//! Connections for tonic's channels.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tonic::codegen::Service;

use super::client::{ClientTls, SecureStream, without_brackets};

/// The port of `https` where an address names none.
const HTTPS: u16 = 443;

type Connecting = Pin<Box<dyn Future<Output = io::Result<TokioIo<SecureStream>>> + Send>>;

/// Connects to an address and makes the connection secure, as `Endpoint::connect_with_connector` asks for it.
impl Service<Uri> for ClientTls {
    type Response = TokioIo<SecureStream>;
    type Error = io::Error;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: Uri) -> Connecting {
        let tls = self.clone();
        Box::pin(async move { Ok(TokioIo::new(reach(&tls, &address).await?)) })
    }
}

async fn reach(tls: &ClientTls, address: &Uri) -> io::Result<SecureStream> {
    let host = without_brackets(address.host().unwrap_or_default());
    let port = address.port_u16().unwrap_or(HTTPS);
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    tls.connect(host, stream).await
}
