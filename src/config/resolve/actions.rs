//! What is done with a request: exactly one thing, and nothing is set that would have no effect.

use super::{
    edits::{self, Of},
    names::Names,
    routes::pool_id,
};
use crate::config::{
    diagnostic::{Code, Diagnostic, Diagnostics, Place},
    document::{self, Optional, PathPrefix, WholePath},
    resolved::{Action, Forward, PathChange, Redirect, Respond, RouteTimeouts},
};

/// Nothing once that was reported.
pub(super) fn resolve(
    route: &document::Route,
    place: Option<Place>,
    pools: &Names<'_>,
    problems: &mut Diagnostics,
) -> Option<Action> {
    let is_unreadable = route.pool.is_unreadable()
        || route.redirect.is_unreadable()
        || route.respond.is_unreadable()
        || route.dns.is_stand_in;
    let written = [
        route.pool.as_ref().map(|pool| ("pool", pool.place)),
        route.redirect.as_ref().map(|redirect| ("redirect", redirect.place)),
        route.respond.as_ref().map(|respond| ("respond", respond.place)),
        route.dns.value.then_some(("dns", route.dns.place)),
    ];
    let written: Vec<_> = written.into_iter().flatten().collect();
    if written.len() > 1 {
        let names: Vec<_> = written.iter().map(|(key, _)| format!("`{key}`")).collect();
        let error =
            Diagnostic::error(Code::Contradiction, format!("a route does one thing, not {}", names.join(" and ")));
        let error = written.iter().fold(error, |error, (_, place)| error.at(*place, ""));
        problems.push(error.hint("keep one of them".to_owned()));
    }
    if written.is_empty() && !is_unreadable {
        let error = Diagnostic::error(Code::MissingKey, "a route needs `pool`, `redirect`, `respond` or `dns`");
        problems.push(error.at(place, "what is done with such a request?").hint("add `pool = \"shop\"`".to_owned()));
    }
    // Each is looked at, so that every mistake is told.
    let forward = forward(route, pools, problems);
    let redirect = route.redirect.as_ref().map(|written| Action::Redirect(redirect(written, written.place, problems)));
    let respond = route.respond.as_ref().map(|written| Action::Respond(respond(written, written.place, problems)));
    if !is_unreadable && route.pool.as_ref().is_none() {
        idle(route, &written, problems);
    }
    forward.or(redirect).or(respond).or(route.dns.value.then_some(Action::Dns))
}

fn forward(route: &document::Route, pools: &Names<'_>, problems: &mut Diagnostics) -> Option<Action> {
    let request_headers = edits::resolve(&route.request_headers, Of::Requests, problems);
    let (mut path, mut host) = (None, None);
    if let Some(written) = route.rewrite.as_ref() {
        path = path_change(&written.path, &written.prefix, "a rewrite", problems);
        host = written.host.as_ref().map(|host| host.0.as_str().into());
        let is_read = !written.path.is_unreadable() && !written.prefix.is_unreadable() && !written.host.is_unreadable();
        if path.is_none() && host.is_none() && is_read {
            let error = Diagnostic::error(Code::MissingKey, "a rewrite changes nothing").at(written.place, "to what?");
            problems.push(error.hint("add `prefix`, `path` or `host`".to_owned()));
        }
    }
    let pool = route.pool.as_ref()?;
    let pool = pool_id(pools.find(pool, pool.place, problems)?);
    let timeouts = &route.timeouts;
    Some(Action::Forward(Forward {
        pool,
        path,
        host,
        request_headers,
        max_body_size: route.max_body_size.as_ref().map(|limit| limit.value),
        timeouts: RouteTimeouts {
            request: timeouts.request.as_ref().map(|time| time.value),
            response_head: timeouts.response_head.as_ref().map(|time| time.value),
            between_bytes: timeouts.between_bytes.as_ref().map(|time| time.value),
        },
    }))
}

/// Reports what only means something on the way to an origin, where there is none.
fn idle(route: &document::Route, written: &[(&str, Option<Place>)], problems: &mut Diagnostics) {
    let Some((action, action_at)) = written.first() else { return };
    for (key, place) in [
        ("rewrite", route.rewrite.as_ref().and_then(|rewrite| rewrite.place)),
        ("request_headers", route.request_headers.place),
        ("max_body_size", route.max_body_size.as_ref().and_then(|limit| limit.place)),
        ("timeouts", route.timeouts.place),
    ] {
        if place.is_some() {
            let message = format!("`{key}` has no effect beside `{action}`");
            let error = Diagnostic::error(Code::Contradiction, message).at(place, "no origin is asked");
            problems.push(error.at(*action_at, "").hint(format!("remove `{key}`")));
        }
    }
}

fn path_change(
    whole: &Optional<WholePath>,
    prefix: &Optional<PathPrefix>,
    noun: &str,
    problems: &mut Diagnostics,
) -> Option<PathChange> {
    match (whole.as_ref(), prefix.as_ref()) {
        (Some(whole), Some(prefix)) => {
            let error = Diagnostic::error(Code::Contradiction, format!("{noun} has `path` or `prefix`, not both"));
            problems.push(error.at(whole.place, "").at(prefix.place, "").hint("keep one of them".to_owned()));
            None
        }
        (Some(whole), None) => Some(PathChange::Whole(whole.0.as_str().into())),
        (None, Some(prefix)) => Some(PathChange::Prefix(prefix.0.as_str().into())),
        (None, None) => None,
    }
}

fn redirect(written: &document::Redirect, place: Option<Place>, problems: &mut Diagnostics) -> Redirect {
    let path = path_change(&written.path, &written.prefix, "a redirect", problems);
    let is_written = [
        !matches!(written.scheme, Optional::Absent),
        !matches!(written.host, Optional::Absent),
        !matches!(written.port, Optional::Absent),
        !matches!(written.path, Optional::Absent),
        !matches!(written.prefix, Optional::Absent),
    ];
    if is_written == [false; 5] {
        let error = Diagnostic::error(Code::MissingKey, "a redirect leads back to where it came from");
        let hint = "add `scheme`, `host`, `port`, `path` or `prefix`".to_owned();
        problems.push(error.at(place, "where to?").hint(hint));
    }
    Redirect {
        status: written.status.0,
        scheme: written.scheme.as_ref().map(|scheme| match scheme.value {
            document::Scheme::Http => "http",
            document::Scheme::Https => "https",
        }),
        host: written.host.as_ref().map(|host| host.0.as_str().into()),
        port: written.port.as_ref().map(|port| port.value),
        path,
        keep_query: written.keep_query.value,
    }
}

fn respond(written: &document::Respond, place: Option<Place>, problems: &mut Diagnostics) -> Respond {
    let status = written.status.value;
    if matches!(status, 204 | 205 | 304) && !written.body.0.is_empty() {
        let message = format!("an answer with status {status} has no body");
        let error =
            Diagnostic::error(Code::Contradiction, message).at(written.body.place.or(place), "nobody would read it");
        problems.push(error.at(written.status.place, "").hint("remove `body`, or change `status`".to_owned()));
    }
    Respond { status, content_type: written.content_type.0.as_str().into(), body: written.body.0.as_str().into() }
}
