//! `meridian drain` and `meridian ready`: a region or an origin is let go of, and taken back.

use std::{net::SocketAddr, path::Path, process::ExitCode};

use http::Method;

use super::{client, report};
use crate::admin::{ActionName, ClearRequest, OverrideRequest, SubjectName};

/// Whom it is about, and who decides.
#[derive(Debug)]
pub(super) struct Order {
    /// A region, or `POOL/ADDRESS`.
    pub(super) subject: String,
    pub(super) author: String,
    pub(super) reason: String,
    pub(super) admin: SocketAddr,
    pub(super) json: bool,
}

/// No new work from now on, or less and less for so long before.
pub(super) fn drain(order: &Order, over: Option<String>, expires_in: Option<String>, token_file: &Path) -> ExitCode {
    let action = over.map_or(ActionName::Drain, ActionName::Evacuate);
    let words = match &action {
        ActionName::Evacuate(over) => format!("{} is evacuated over {over}", order.subject),
        _ => format!("{} takes no new work", order.subject),
    };
    let request = order.subject.parse().map(|subject: SubjectName| OverrideRequest {
        subject,
        action,
        author: order.author.clone(),
        reason: order.reason.clone(),
        expires_in,
    });
    call(order, Method::PUT, request.as_ref().map(serde_json::to_string), &words, token_file)
}

/// Nobody's word against it any more.
pub(super) fn ready(order: &Order, token_file: &Path) -> ExitCode {
    let request = order.subject.parse().map(|subject| ClearRequest {
        subject,
        author: order.author.clone(),
        reason: order.reason.clone(),
    });
    let words = format!("{} is left to its checks", order.subject);
    call(order, Method::DELETE, request.as_ref().map(serde_json::to_string), &words, token_file)
}

fn call(
    order: &Order,
    method: Method,
    request: Result<serde_json::Result<String>, &String>,
    words: &str,
    token_file: &Path,
) -> ExitCode {
    let body = match request {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => return fail(&format!("{error}\n")),
        Err(why) => return fail(why),
    };
    match client::call(order.admin, token_file, method, "/v1/overrides", body) {
        Ok(answer) if order.json => report::say(&(answer + "\n")),
        Ok(_) => report::say(&format!("{words}\n")),
        Err(error) => fail(&error),
    }
}

fn fail(message: &str) -> ExitCode {
    report::complain(message);
    ExitCode::from(report::COULD_NOT_TELL)
}
