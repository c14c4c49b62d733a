//! What a request must look like: in an order of its own, so that the same conditions are equal however they are written.

use std::sync::Arc;

use super::twice::duplicate;
use crate::config::{
    diagnostic::{Code, Diagnostic, Diagnostics, Place},
    document::{self, BAD_HEADER_NAME, Named, is_header_name},
    resolved::{Conditions, Further, PathPattern, Test},
};

/// Methods that one route may list.
const MAX_METHODS: usize = 16;
/// Networks that one route may list.
const MAX_CLIENTS: usize = 256;
/// Headers that one route may look at, and query parameters.
const MAX_TESTS: usize = 16;

/// The conditions, and whether all of them could be read.
pub(super) fn resolve(route: &document::Route, problems: &mut Diagnostics) -> (Conditions, bool) {
    let before = problems.count().0;
    let path = path(route, problems);
    for (count, limit, what, place) in [
        (route.methods.items.len(), MAX_METHODS, "methods", route.methods.place),
        (route.clients.items.len(), MAX_CLIENTS, "client networks", route.clients.place),
        (route.headers.len(), MAX_TESTS, "headers", route.headers.place),
        (route.query.len(), MAX_TESTS, "query parameters", route.query.place),
    ] {
        if count > limit {
            let message = format!("a route lists {count} {what}, and one route has at most {limit}");
            problems.push(Diagnostic::error(Code::TooMany, message).at(place, "too many"));
        }
    }
    let mut further = Further {
        methods: route.methods.items.iter().map(|method| method.0.as_str().into()).collect(),
        headers: headers(&route.headers, problems),
        query: route
            .query
            .iter()
            .filter_map(|entry| Some((entry.name.as_str().into(), test(entry, problems)?)))
            .collect(),
        clients: route.clients.items.iter().map(|network| network.value).collect(),
    };
    further.methods.sort_unstable();
    further.methods.dedup();
    further.clients.sort_unstable();
    further.clients.dedup();
    let lists = [(&route.headers, further.headers.len()), (&route.query, further.query.len())];
    let is_unread = route.host.is_stand_in
        || route.path.is_stand_in
        || route.path_exact.is_unreadable()
        || route.methods.is_stand_in
        || route.methods.is_broken
        || route.clients.is_stand_in
        || route.clients.is_broken
        || lists.iter().any(|(written, read)| written.is_stand_in || written.len() + written.unreadable.len() > *read);
    let is_read = !is_unread && problems.count().0 == before;
    (Conditions { host: route.host.value.clone(), path, further }, is_read)
}

fn path(route: &document::Route, problems: &mut Diagnostics) -> PathPattern {
    let Some(exact) = route.path_exact.as_ref() else { return PathPattern::Below(route.path.0.as_str().into()) };
    if let Some(place) = route.path.place {
        let message = "a route has `path` or `path_exact`, not both";
        let error = Diagnostic::error(Code::Contradiction, message).at(place, "").at(exact.place, "");
        problems.push(error.hint("keep one of them".to_owned()));
    }
    PathPattern::Exact(exact.0.as_str().into())
}

fn headers(written: &Named<document::Test>, problems: &mut Diagnostics) -> Vec<(Arc<str>, Test)> {
    let mut headers: Vec<(Arc<str>, Test, Option<Place>)> = Vec::with_capacity(written.len());
    for entry in written.iter() {
        if !is_header_name(&entry.name) {
            let message = format!("`{}` cannot be the name of a header", entry.name.escape_debug());
            problems.push(Diagnostic::error(Code::BadName, message).at(entry.place, BAD_HEADER_NAME));
        }
        let name = entry.name.to_ascii_lowercase();
        if let Some((_, _, first)) = headers.iter().find(|(known, ..)| **known == *name) {
            let message = format!("header `{name}` has two conditions");
            problems.push(duplicate(Code::DuplicateName, message, entry.place, *first));
            continue;
        }
        if let Some(test) = test(entry, problems) {
            headers.push((name.into(), test, entry.place));
        }
    }
    headers.sort_unstable_by(|(one, ..), (other, ..)| one.cmp(other));
    headers.into_iter().map(|(name, test, _)| (name, test)).collect()
}

fn test(entry: &document::Entitled<document::Test>, problems: &mut Diagnostics) -> Option<Test> {
    let document::Test { equals, prefix, present } = &entry.value;
    let test = match (equals.as_ref(), prefix.as_ref(), present.as_ref()) {
        (Some(value), ..) => Test::Equals(value.0.as_str().into()),
        (_, Some(value), _) => Test::Begins(value.0.as_str().into()),
        (.., Some(present)) if present.value => Test::Present,
        (.., Some(_)) => Test::Absent,
        (None, None, None) => {
            if !equals.is_unreadable() && !prefix.is_unreadable() && !present.is_unreadable() {
                let message = format!("the condition on `{}` asks for nothing", entry.name.escape_debug());
                let error = Diagnostic::error(Code::MissingKey, message).at(entry.place, "what must it be?");
                problems.push(error.hint("add `equals`, `prefix` or `present`, such as `present = true`".to_owned()));
            }
            return None;
        }
    };
    Some(test)
}
