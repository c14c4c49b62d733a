//! Opening a connection to an origin.

use std::{
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::pin,
    task::Poll,
};

use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream};

use super::Lent;
use crate::{
    config::Protocol,
    proxy::{
        Refusal,
        io::{Stream, Wire},
        peer::Seat,
        route::PoolPlan,
    },
    tls::OriginTls,
};

/// Connects within the pool's limit, for HTTP/1.
pub(in crate::proxy) async fn open(address: SocketAddr, pool: &PoolPlan, seat: &Seat) -> Result<Lent, Refusal> {
    let stream = connect(address, pool, seat).await?;
    let worker = &seat.worker;
    Ok(worker.connections.lend(Wire::new(stream, &worker.buffers), address, pool))
}

/// Connects within the pool's limit, TLS included.
pub(super) async fn connect(address: SocketAddr, pool: &PoolPlan, seat: &Seat) -> Result<Stream, Refusal> {
    seat.deadline.set(pool.settings.timeouts.connect);
    let mut connecting = pin!(reach(address, pool));
    let connected = poll_fn(|cx| match connecting.as_mut().poll(cx) {
        Poll::Ready(connected) => Poll::Ready(Some(connected)),
        Poll::Pending if seat.deadline.is_over(cx) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    match connected.await {
        Some(Ok(stream)) => Ok(stream),
        Some(Err(error)) => {
            tracing::debug!(%address, %error, "origin did not accept a connection");
            Err(Refusal::ConnectFailed)
        }
        None => Err(Refusal::ConnectTimeout),
    }
}

async fn reach(address: SocketAddr, pool: &PoolPlan) -> io::Result<Stream> {
    let stream = TcpStream::connect(address).await?;
    // Without it small requests wait for acknowledgements; a socket that cannot do it works all the same.
    _ = stream.set_nodelay(true);
    match &pool.tls {
        None => Ok(Stream::Plain(stream)),
        // Boxed: few connections are made, and every request has room for making one.
        Some(tls) => Box::pin(secure(stream, address, tls, pool.settings.protocol)).await,
    }
}

async fn secure(stream: TcpStream, address: SocketAddr, tls: &OriginTls, protocol: Protocol) -> io::Result<Stream> {
    let stream = TlsConnector::from(tls.config()).connect(tls.server_name(address.ip()), stream).await?;
    if protocol == Protocol::H2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err(io::Error::other("it does not speak HTTP/2"));
    }
    Ok(Stream::Tls(Box::new(TlsStream::Client(stream))))
}
