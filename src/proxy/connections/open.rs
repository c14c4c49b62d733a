//! Opening a connection to an origin.

use std::{
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::pin,
    task::Poll,
};

use tokio::net::TcpStream;

use super::Lent;
use crate::proxy::{
    Refusal,
    io::{Stream, Wire},
    peer::Seat,
    route::PoolPlan,
};

/// Connects within the pool's limit, for HTTP/1.
pub(in crate::proxy) async fn open(address: SocketAddr, pool: &PoolPlan, seat: &Seat) -> Result<Lent, Refusal> {
    let stream = connect(address, pool, seat).await?;
    let worker = &seat.worker;
    Ok(worker.connections.lend(Wire::new(stream, &worker.buffers), address, pool))
}

/// Connects within the pool's limit.
pub(super) async fn connect(address: SocketAddr, pool: &PoolPlan, seat: &Seat) -> Result<Stream, Refusal> {
    seat.deadline.set(pool.settings.timeouts.connect);
    let mut connecting = pin!(TcpStream::connect(address));
    let connected = poll_fn(|cx| match connecting.as_mut().poll(cx) {
        Poll::Ready(connected) => Poll::Ready(Some(connected)),
        Poll::Pending if seat.deadline.is_over(cx) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    match connected.await {
        Some(Ok(stream)) => {
            // Without it small requests wait for acknowledgements; a socket that cannot do it works all the same.
            _ = stream.set_nodelay(true);
            Ok(Stream::Plain(stream))
        }
        Some(Err(error)) => {
            tracing::debug!(%address, %error, "origin did not accept a connection");
            Err(Refusal::ConnectFailed)
        }
        None => Err(Refusal::ConnectTimeout),
    }
}
