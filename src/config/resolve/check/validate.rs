//! What is wrong with a check as it is written.

use std::collections::HashMap;

use super::{SharedChecks, build::compile, members};
use crate::config::{
    diagnostic::{Code, Diagnostic, Diagnostics, Place},
    document::{self, BAD_HEADER_NAME, CommandCheck, HttpCheck, Optional, TextMatch, Timing, Written, is_header_name},
    resolve::{tls, twice::duplicate},
};

/// Headers that one probe sends.
const MAX_HEADERS: usize = 32;
/// What one program is given.
const MAX_ARGUMENTS: usize = 64;
/// What frames a message, belongs to a connection (over HTTP/2 such a request is not even sent), or is another key's.
const OWN_HEADERS: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Reports all of it.
pub(super) fn check(
    written: &document::Check,
    place: Option<Place>,
    shared: &SharedChecks<'_>,
    problems: &mut Diagnostics,
) {
    if let Some(http) = written.http.as_ref() {
        check_http(http, problems);
    }
    if let Some(grpc) = written.grpc.as_ref() {
        check_tls(&grpc.tls, Some(&grpc.plain), problems);
        check_timing(&grpc.timing, problems);
    }
    if let Some(tls) = written.tls.as_ref() {
        check_tls(&tls.tls, None, problems);
        check_timing(&tls.timing, problems);
    }
    if let Some(tcp) = written.tcp.as_ref() {
        check_timing(&tcp.timing, problems);
    }
    if let Some(command) = written.command.as_ref() {
        check_command(command, problems);
    }
    check_members(written, place, shared, problems);
}

fn check_members(
    written: &document::Check,
    place: Option<Place>,
    shared: &SharedChecks<'_>,
    problems: &mut Diagnostics,
) {
    let Some((members, count)) = members(written) else { return };
    let is_broken =
        [&written.all, &written.any].into_iter().any(|list| list.as_ref().is_some_and(|list| list.is_broken))
            || written.at_least.as_ref().is_some_and(|some| some.of.as_ref().is_none_or(|of| of.is_broken));
    if members.is_empty() && !is_broken {
        let error = Diagnostic::error(Code::MissingKey, "nothing is asked: there is no check in the list");
        problems
            .push(error.at(place, "at least one check is needed").hint("write `\"none\"` to ask nobody".to_owned()));
    } else if count > members.len() && !is_broken {
        let message = format!("`count` is {count}, and there are {} checks", members.len());
        let count = written.at_least.as_ref().and_then(|some| some.count.as_ref()).and_then(|count| count.place);
        problems.push(Diagnostic::error(Code::Contradiction, message).at(count, "it could never work"));
    }
    let mut seen: HashMap<&str, Option<Place>> = HashMap::new();
    for name in members {
        if let Some(first) = seen.insert(name, name.place) {
            let message = format!("check `{}` is twice in one list", &***name);
            problems.push(duplicate(Code::DuplicateName, message, name.place, first));
        }
        shared.names.find(name, name.place, problems);
    }
}

fn check_http(http: &Written<HttpCheck>, problems: &mut Diagnostics) {
    check_timing(&http.timing, problems);
    check_tls(&http.tls, Some(&http.plain), problems);
    if let Some(body) = http.body.as_ref() {
        check_match(body, problems);
        if http.method.0 == "HEAD" {
            let error = Diagnostic::error(Code::Contradiction, "an answer to `HEAD` has no body");
            problems.push(error.at(body.place, "nothing could be found").at(http.method.place, "the method"));
        }
    }
    if let Some(header) = http.header.as_ref()
        && let Some(value) = header.says.as_ref()
    {
        check_match(value, problems);
    }
    let mut seen: HashMap<String, Option<Place>> = HashMap::new();
    for header in http.headers.iter() {
        let name = header.name.to_ascii_lowercase();
        if !is_header_name(&name) {
            let message = format!("`{}` cannot be the name of a header", name.escape_debug());
            problems.push(Diagnostic::error(Code::BadName, message).at(header.place, BAD_HEADER_NAME));
        } else if OWN_HEADERS.contains(&&*name) {
            let message = format!("`{name}` is not for a check to send");
            let hint = (name == "host").then(|| "write `host` of the check".to_owned());
            let error = Diagnostic::error(Code::ReservedHeader, message);
            problems.push(error.at(header.place, "a part of how the request is sent").hint(hint));
        }
        if let Some(first) = seen.insert(name, header.place) {
            let message = format!("header `{}` is sent twice", header.name.escape_debug());
            problems.push(duplicate(Code::DuplicateName, message, header.place, first));
        }
    }
    if http.headers.len() > MAX_HEADERS {
        let message = format!("{} headers are sent, and a check sends at most {MAX_HEADERS}", http.headers.len());
        problems.push(Diagnostic::error(Code::TooMany, message).at(http.headers.place, "too many"));
    }
}

fn check_match(written: &Written<TextMatch>, problems: &mut Diagnostics) {
    if written.contains.as_ref().is_none() && written.regex.as_ref().is_none() {
        if !written.contains.is_unreadable() && !written.regex.is_unreadable() {
            let error = Diagnostic::error(Code::MissingKey, "nothing says what is looked for");
            problems.push(error.at(written.place, "`contains` or `regex` is missing here"));
        }
        return;
    }
    let Some(regex) = written.regex.as_ref() else { return };
    if let Err(error) = compile(regex) {
        // What regex says of a place in the expression takes several lines; the last says what it is.
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let error = Diagnostic::error(Code::BadValue, format!("the expression cannot be used: {why}"));
        problems.push(error.at(regex.place, "not an expression"));
    }
}

fn check_tls(written: &Optional<document::OriginTls>, plain: Option<&Written<bool>>, problems: &mut Diagnostics) {
    let Some(tls) = written.as_ref() else { return };
    tls::origins(tls, tls.place, problems);
    if let Some(plain) = plain.filter(|plain| plain.value) {
        let error = Diagnostic::error(Code::Contradiction, "`plain` asks in the clear, and `tls` does not");
        problems
            .push(error.at(plain.place, "in the clear").at(tls.place, "by TLS").hint("keep one of them".to_owned()));
    }
}

fn check_command(command: &CommandCheck, problems: &mut Diagnostics) {
    check_timing(&command.timing, problems);
    if command.arguments.items.len() > MAX_ARGUMENTS {
        let message = format!("a command has at most {MAX_ARGUMENTS} arguments");
        problems.push(Diagnostic::error(Code::TooMany, message).at(command.arguments.place, "too many"));
    }
}

fn check_timing(written: &Timing, problems: &mut Diagnostics) {
    let is_read = !written.recheck.is_stand_in && !written.interval.is_stand_in;
    if is_read && written.recheck.value > written.interval.value {
        let (recheck, interval) = (
            document::duration_as_written(written.recheck.value),
            document::duration_as_written(written.interval.value),
        );
        problems.push(
            Diagnostic::error(
                Code::Contradiction,
                format!("`recheck` ({recheck}) is longer than `interval` ({interval})"),
            )
            .at(
                written.recheck.place.or(written.interval.place),
                "a verdict about to change is looked at sooner, not later",
            )
            .at(written.interval.place.filter(|_| written.recheck.place.is_some()), "the interval")
            .hint(format!("set `recheck` to at most `{interval}`")),
        );
    }
}
