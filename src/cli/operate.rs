//! `meridian drain` and `meridian ready`: a region or an origin is let go of, and taken back, by each of the nodes that are named.
//!
//! An operator's word holds on the node that hears it; nodes do not pass it on. So what is printed says whose word it is now.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

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
    /// The admin addresses of those who are told.
    pub(super) nodes: Vec<SocketAddr>,
    /// One for all of them, or one for each.
    pub(super) token_files: Vec<PathBuf>,
    pub(super) json: bool,
}

/// No new work from now on, or less and less for so long before.
pub(super) fn drain(order: &Order, over: Option<String>, expires_in: Option<String>) -> ExitCode {
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
    call(order, &Method::PUT, request.as_ref().map(serde_json::to_string), &words)
}

/// Nobody's word against it any more.
pub(super) fn ready(order: &Order) -> ExitCode {
    let request = order.subject.parse().map(|subject| ClearRequest {
        subject,
        author: order.author.clone(),
        reason: order.reason.clone(),
    });
    let words = format!("{} is left to its checks", order.subject);
    call(order, &Method::DELETE, request.as_ref().map(serde_json::to_string), &words)
}

fn call(order: &Order, method: &Method, request: Result<serde_json::Result<String>, &String>, words: &str) -> ExitCode {
    let body = match request {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => return fail(&format!("{error}\n")),
        Err(why) => return fail(why),
    };
    let token_files = &order.token_files;
    if token_files.len() != 1 && token_files.len() != order.nodes.len() {
        return fail("`--token-file` is given once for all nodes, or once for each `--admin`\n");
    }
    let is_alone = order.nodes.len() == 1;
    let alone = if is_alone { "; no other was told" } else { "" };
    // Whoever does not answer keeps nobody else from being told.
    let mut exit = ExitCode::SUCCESS;
    for (node, token_file) in order.nodes.iter().zip(token_files.iter().cycle()) {
        match client::call(*node, token_file, method.clone(), "/v1/overrides", body.clone()) {
            Ok(answer) if order.json && is_alone => _ = report::say(&(answer + "\n")),
            Ok(answer) if order.json => _ = report::say(&line(*node, &answer)),
            Ok(_) => _ = report::say(&format!("{words} on this node ({node}){alone}\n")),
            Err(error) => exit = fail(&error),
        }
    }
    exit
}

/// What one of several nodes answered.
fn line(node: SocketAddr, answer: &str) -> String {
    let answer = serde_json::from_str(answer).unwrap_or(serde_json::Value::Null);
    format!("{{\"node\":\"{node}\",\"answer\":{answer}}}\n")
}

fn fail(message: &str) -> ExitCode {
    report::complain(message);
    ExitCode::from(report::COULD_NOT_TELL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_of_several_answers_is_one_line_that_says_who() {
        let node = "127.0.0.1:9900".parse().unwrap();
        let expected = "{\"node\":\"127.0.0.1:9900\",\"answer\":{\"action\":\"drain\"}}\n";
        assert_eq!(line(node, "{\n  \"action\": \"drain\"\n}"), expected);
        assert_eq!(line(node, ""), "{\"node\":\"127.0.0.1:9900\",\"answer\":null}\n");
    }
}
