//! One question, one answer: good, or why not.

mod answer;
mod command;
mod connect;
mod grpc;
mod http;
mod report;
mod tcp;
mod tls;

use tokio::sync::OwnedSemaphorePermit;

pub(super) use answer::{Answer, Failure, Good};
pub(super) use report::{Report, Weight};

use super::Asked;
use crate::{config::CheckKind, resolver::Reach, tls::OriginTls};

/// Bytes of a body, or of what comes over a bare connection, that are looked at.
const MAX_SEEN: usize = 5_120;

/// Who is asked, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) asked: &'a Asked,
    pub(super) reach: &'a Reach,
    /// How TLS is spoken, where the check wants it.
    pub(super) tls: Option<&'a OriginTls>,
}

/// Asks once, within the time of the check. The place is given back when nothing of the probe is left.
pub(super) async fn ask(question: Question<'_>, place: OwnedSemaphorePermit) -> Answer {
    let limit = question.asked.check.timing.timeout;
    let asking = async {
        // A program may outlive the question by what it takes to kill it.
        if let CheckKind::Command { program, arguments, pool } = &question.asked.check.kind {
            return command::ask(question.asked, program, arguments, pool.as_deref(), place).await.into();
        }
        let answer = ask_by_network(question).await;
        drop(place);
        answer
    };
    tokio::time::timeout(limit, asking).await.unwrap_or_else(|_| Failure::Timeout.into())
}

async fn ask_by_network(question: Question<'_>) -> Answer {
    let Question { asked, reach, tls } = question;
    if asked.check.tls.is_some() && tls.is_none() {
        return Failure::NoTls.into();
    }
    match &asked.check.kind {
        CheckKind::Tcp { send, expect } => tcp::ask(reach, send, expect).await.into(),
        CheckKind::Tls { min_days } => tls::ask(reach, tls, *min_days).await.into(),
        CheckKind::Http(check) => Box::pin(http::ask(reach, tls, check)).await,
        CheckKind::Grpc { service, host } => Box::pin(grpc::ask(reach, tls, service, host)).await.into(),
        // Asked before any network is.
        CheckKind::Command { .. } => Failure::Timeout.into(),
    }
}

#[cfg(test)]
mod tests;
