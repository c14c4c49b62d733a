//! Does it accept a connection?

use std::{net::SocketAddr, time::Duration};

use tokio::net::TcpStream;

use super::Failure;

/// Connects, and closes with a reset so that ten thousand probes a second leave no `TIME_WAIT` behind.
pub(super) async fn ask(address: SocketAddr) -> Result<(), Failure> {
    let stream = TcpStream::connect(address).await.map_err(Failure::Connection)?;
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).map_err(Failure::Connection)
}
