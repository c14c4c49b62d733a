//! Does it finish a handshake with a certificate that is good, for long enough?

use super::{Failure, Good, connect};
use crate::{
    clock,
    resolver::Reach,
    tls::{self, OriginTls},
};

const DAY: u64 = 86_400;

/// A full handshake: what it is asked with keeps no sessions.
pub(super) async fn ask(target: &Reach, tls: Option<&OriginTls>, min_days: u32) -> Result<Good, Failure> {
    let stream = connect::secured(target, tls.ok_or(Failure::NoTls)?).await?;
    let (stream, session) = stream.get_ref();
    connect::close_at_once(stream)?;
    let ends = session.peer_certificates().and_then(tls::end_of);
    let days = ends.map(|ends| ends.saturating_sub(clock::unix_time()).as_secs() / DAY);
    match days {
        Some(days) if days < u64::from(min_days) => Err(Failure::EndsSoon(days)),
        _ => Ok(Good::Secured(days)),
    }
}
