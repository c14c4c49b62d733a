//! Opening a connection to an origin.

use std::{
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::pin,
    rc::Rc,
    task::Poll,
};

use tokio::net::TcpStream;

use super::Lent;
use crate::proxy::{
    Refusal,
    io::{Deadline, Wire},
    route::PoolPlan,
    worker::Worker,
};

/// Connects within the pool's limit.
pub(in crate::proxy) async fn open(
    address: SocketAddr,
    pool: &PoolPlan,
    worker: &Rc<Worker>,
    deadline: &Deadline,
) -> Result<Lent, Refusal> {
    deadline.set(pool.settings.timeouts.connect);
    let mut connecting = pin!(TcpStream::connect(address));
    let connected = poll_fn(|cx| match connecting.as_mut().poll(cx) {
        Poll::Ready(connected) => Poll::Ready(Some(connected)),
        Poll::Pending if deadline.is_over(cx) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    match connected.await {
        Some(Ok(stream)) => {
            // Without it small requests wait for acknowledgements; a socket that cannot do it works all the same.
            _ = stream.set_nodelay(true);
            Ok(worker.connections.lend(Wire::new(stream, &worker.buffers), address, pool))
        }
        Some(Err(error)) => {
            tracing::debug!(%address, %error, "origin did not accept a connection");
            Err(Refusal::ConnectFailed)
        }
        None => Err(Refusal::ConnectTimeout),
    }
}
