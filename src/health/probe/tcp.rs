//! Does it accept a connection?

use std::time::Duration;

use super::Failure;
use crate::resolver::Reach;

/// Connects, and closes with a reset so that ten thousand probes a second leave no `TIME_WAIT` behind.
pub(super) async fn ask(target: &Reach) -> Result<(), Failure> {
    let (stream, _) = target.connect().await.map_err(Failure::Connection)?;
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).map_err(Failure::Connection)
}
