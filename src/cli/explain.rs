//! `meridian explain`: why a running node decides as it does.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
    process::ExitCode,
};

use http::Method;

use super::{client, report};
use crate::admin::{Explanation, RouteQuestion};

/// How a DNS question would be answered, step by step.
pub(super) fn dns(name: &str, from: IpAddr, kind: &str, admin: SocketAddr, token_file: &Path, json: bool) -> ExitCode {
    let path =
        format!("/v1/explain/dns?name={}&from={}&type={}", escaped(name), escaped(&from.to_string()), escaped(kind));
    show(client::question(admin, token_file, &path), admin, json)
}

/// Where a request would go, step by step.
pub(super) fn route(question: &RouteQuestion, admin: SocketAddr, token_file: &Path, json: bool) -> ExitCode {
    let body = serde_json::to_string(question).map_err(|error| format!("{error}\n"));
    let said = body.and_then(|body| client::call(admin, token_file, Method::POST, "/v1/explain/route", body));
    show(said, admin, json)
}

fn show(said: Result<String, String>, admin: SocketAddr, json: bool) -> ExitCode {
    let text = said.and_then(|body| {
        if json {
            return Ok(body + "\n");
        }
        let explanation: Explanation = serde_json::from_str(&body)
            .map_err(|error| format!("the node at {admin} answered something else: {error}\n"))?;
        Ok(render(&explanation))
    });
    match text {
        Ok(text) => report::say(&text),
        Err(error) => {
            report::complain(&error);
            ExitCode::from(report::COULD_NOT_TELL)
        }
    }
}

fn render(explanation: &Explanation) -> String {
    let steps = explanation.steps.iter().enumerate().map(|(at, step)| format!("{:>3}. {step}\n", at + 1));
    let answer = explanation.answer.iter().map(|record| format!("     {record}\n"));
    format!("{}\n{}", steps.collect::<String>(), answer.collect::<String>())
}

/// Whatever could mean something in a query, in percent.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}
