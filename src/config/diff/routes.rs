//! Routes, by their name. What is written into headers and bodies is not repeated: a log is no place for secrets.

use super::{
    change::Changes,
    fields::{self, pool_name},
};
use crate::config::{Action, Config, HeaderEdits, PathChange, Route, Template};

pub(super) fn compare(old: &Config, new: &Config, changes: &mut Changes) {
    let name = |route: &Route| std::sync::Arc::clone(&route.name);
    let both = changes.members(&old.routes, &new.routes, name, |name| format!("route `{name}`"));
    for (name, before, after) in both {
        let subject = format!("route `{name}`");
        compare_conditions(&subject, before, after, changes);
        compare_actions(&subject, (old, before), (new, after), changes);
        edits(&subject, "response_headers", &before.response_headers, &after.response_headers, changes);
    }
}

fn compare_conditions(subject: &str, old: &Route, new: &Route, changes: &mut Changes) {
    let (old, new) = (&old.conditions, &new.conditions);
    fields::number(changes, subject, "host", &old.host, &new.host);
    fields::number(changes, subject, "path", &old.path, &new.path);
    let (old, new) = (&old.further, &new.further);
    changes.field(subject, "methods", &fields::list(&old.methods), &fields::list(&new.methods));
    changes.field(subject, "clients", &fields::list(&old.clients), &fields::list(&new.clients));
    changes.plain(subject, "headers", &old.headers, &new.headers);
    changes.plain(subject, "query", &old.query, &new.query);
}

fn compare_actions(subject: &str, old: (&Config, &Route), new: (&Config, &Route), changes: &mut Changes) {
    changes.field(subject, "action", &action(old), &action(new));
    match (&old.1.action, &new.1.action) {
        (Action::Forward(old), Action::Forward(new)) => {
            let change = |path: &Option<PathChange>| path.as_ref().map_or("none".to_owned(), path_change);
            changes.field(subject, "rewritten path", &change(&old.path), &change(&new.path));
            let host = |host: &Option<_>| host.clone().unwrap_or_else(|| "none".into());
            changes.field(subject, "rewritten host", &host(&old.host), &host(&new.host));
            edits(subject, "request_headers", &old.request_headers, &new.request_headers, changes);
            changes.plain(subject, "max_body_size", &old.max_body_size, &new.max_body_size);
            changes.plain(subject, "timeouts", &old.timeouts, &new.timeouts);
        }
        (Action::Redirect(old), Action::Redirect(new)) => changes.plain(subject, "redirect", old, new),
        (Action::Respond(old), Action::Respond(new)) => changes.plain(subject, "respond", old, new),
        _ => {}
    }
}

fn action((config, route): (&Config, &Route)) -> String {
    match &route.action {
        Action::Forward(forward) => format!("pool `{}`", pool_name(config, forward.pool)),
        Action::Redirect(_) => "redirect".to_owned(),
        Action::Respond(_) => "respond".to_owned(),
        Action::Dns => "dns".to_owned(),
    }
}

fn path_change(change: &PathChange) -> String {
    match change {
        PathChange::Whole(path) => format!("path `{path}`"),
        PathChange::Prefix(path) => format!("prefix `{path}`"),
    }
}

/// Names that came and went are told, values are not.
fn edits(subject: &str, field: &str, old: &HeaderEdits, new: &HeaderEdits, changes: &mut Changes) {
    let names = |edits: &HeaderEdits| {
        let named = |edits: &[(std::sync::Arc<str>, Template)], sign: char| -> Vec<String> {
            edits.iter().map(|(name, _)| format!("{sign}{name}")).collect()
        };
        let removed = edits.remove.iter().map(|name| format!("-{name}")).collect();
        fields::list(&[removed, named(&edits.set, '='), named(&edits.add, '+')].concat())
    };
    let (before, after) = (names(old), names(new));
    if before == after {
        changes.plain(subject, field, old, new);
    } else {
        changes.field(subject, field, &before, &after);
    }
}
