//! A connection to ask over, in the clear or by TLS. A fresh one each time: a kept one would not notice that nobody new can connect.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::Failure;
use crate::{resolver::Reach, tls::OriginTls};

/// What bytes go over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connects, and shakes hands where there is TLS.
pub(super) async fn connect(target: &Reach, tls: Option<&OriginTls>) -> Result<Box<dyn Stream>, Failure> {
    match tls {
        None => Ok(Box::new(plain(target).await?)),
        Some(tls) => Ok(Box::new(secured(target, tls).await?)),
    }
}

pub(super) async fn plain(target: &Reach) -> Result<TcpStream, Failure> {
    let (stream, _) = target.connect().await.map_err(Failure::Connection)?;
    Ok(stream)
}

/// The certificate is verified, and is for whom it should be.
pub(super) async fn secured(target: &Reach, tls: &OriginTls) -> Result<TlsStream<TcpStream>, Failure> {
    let stream = plain(target).await?;
    let name = tls.server_name(target.address());
    TlsConnector::from(tls.config()).connect(name, stream).await.map_err(Failure::Tls)
}

/// Lets it close with a reset, so that ten thousand probes a second leave no `TIME_WAIT` behind.
pub(super) fn close_at_once(stream: &TcpStream) -> Result<(), Failure> {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).map_err(Failure::Connection)
}
