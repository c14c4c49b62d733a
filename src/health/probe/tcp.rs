//! Does it accept a connection, and say what it should?

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Failure, Good, MAX_SEEN, connect};
use crate::resolver::Reach;

/// What has to come may be anywhere in the first bytes.
pub(super) async fn ask(target: &Reach, send: &[u8], expect: &[u8]) -> Result<Good, Failure> {
    let mut stream = connect::plain(target).await?;
    connect::close_at_once(&stream)?;
    stream.write_all(send).await.map_err(Failure::Connection)?;
    let mut seen = Vec::new();
    while memmem::find(&seen, expect).is_none() {
        if seen.len() >= MAX_SEEN {
            return Err(Failure::Body);
        }
        let mut room = [0; 1024];
        let most = room.len().min(MAX_SEEN - seen.len());
        match stream.read(&mut room[..most]).await.map_err(Failure::Connection)? {
            0 => return Err(Failure::Closed),
            count => seen.extend_from_slice(&room[..count]),
        }
    }
    Ok(Good::Connected)
}
