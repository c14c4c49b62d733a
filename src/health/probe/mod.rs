//! One question, one answer: good, or why not.

mod http;
mod tcp;

use std::fmt;

use rustix::io::Errno;

use super::target::Manner;
use crate::{
    config::{Check, CheckKind},
    resolver::Reach,
};

/// Why an answer was not good.
#[derive(Debug)]
pub(super) enum Failure {
    /// No connection, or it broke.
    Connection(std::io::Error),
    /// Not HTTP.
    Protocol(hyper::Error),
    /// Not HTTP/2.
    Http2(h2::Error),
    /// A status outside the good range.
    Status(u16),
    /// No answer in time.
    Timeout,
}

impl Failure {
    /// Whether this node could not even ask: out of files or buffers. That says nothing about the target.
    pub(super) fn is_our_own(&self) -> bool {
        let Self::Connection(error) = self else { return false };
        let code = error.raw_os_error().map(Errno::from_raw_os_error);
        matches!(code, Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => write!(f, "connection: {error}"),
            Self::Protocol(error) => write!(f, "not a good answer: {error}"),
            Self::Http2(error) => write!(f, "not a good answer: {error}"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Timeout => f.write_str("no answer in time"),
        }
    }
}

/// Asks several addresses at the same time; the first good answer is the answer.
pub(super) async fn ask(addresses: &[Reach], check: &Check, manner: &Manner) -> Result<(), Failure> {
    let mut asked = tokio::task::JoinSet::new();
    for address in addresses {
        let (address, kind, manner) = (address.clone(), check.kind.clone(), manner.clone());
        let limit = check.timing.timeout;
        asked.spawn(async move {
            tokio::time::timeout(limit, ask_one(&address, &kind, &manner)).await.unwrap_or(Err(Failure::Timeout))
        });
    }
    let mut last = Failure::Timeout;
    while let Some(answer) = asked.join_next().await {
        match answer {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(failure)) => last = failure,
            Err(_) => {}
        }
    }
    Err(last)
}

async fn ask_one(address: &Reach, kind: &CheckKind, manner: &Manner) -> Result<(), Failure> {
    match kind {
        CheckKind::Tcp => tcp::ask(address).await,
        CheckKind::Http { path, host, statuses, .. } => {
            let status = http::ask(address, manner, path, host).await?;
            if (statuses.0..=statuses.1).contains(&status) { Ok(()) } else { Err(Failure::Status(status)) }
        }
    }
}
