//! Opening a connection to an origin.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::spawn_local, time::timeout};

use crate::proxy::{Refusal, body::Upload, observe::PoolMetrics};

/// Counts a connection as closed when its task ends, however it ends.
struct Counted(Arc<PoolMetrics>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.closed.increment(1);
    }
}

/// Connects within the limit. The connection's task ends with the connection, or when its last sender is dropped.
pub(in crate::proxy) async fn open(
    address: SocketAddr,
    limit: Duration,
    metrics: &Arc<PoolMetrics>,
) -> Result<http1::SendRequest<Upload>, Refusal> {
    let stream = match timeout(limit, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%address, %error, "origin did not accept a connection");
            return Err(Refusal::ConnectFailed);
        }
        Err(_) => return Err(Refusal::ConnectTimeout),
    };
    // Without it small requests wait for acknowledgements; a socket that cannot do it works all the same.
    _ = stream.set_nodelay(true);
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|_| Refusal::ConnectFailed)?;
    metrics.opened.increment(1);
    let counted = Counted(Arc::clone(metrics));
    spawn_local(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%address, %error, "origin connection ended");
        }
        drop(counted);
    });
    Ok(sender)
}
