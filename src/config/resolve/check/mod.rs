//! How it is known whether something works: checks that are written in place, and those that others share by name.
//!
//! What is wrong with a check is reported once, where it stands, however many use it. What comes of it differs with who uses it, since
//! host, port, version and TLS follow the pool or the front door where the check leaves them open.

mod build;
mod graph;
mod validate;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use regex::bytes::Regex;

use super::names::{Names, check_name};
use crate::config::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    document::{self, Document, Entitled, List, OrNone, Text, Written},
    resolved::{Checks, OriginTls, Protocol},
};

/// Checks that lead to each other, from the first to one that asks something.
const MAX_DEPTH: usize = 8;
/// Checks that one thing is probed by.
const MAX_LEAVES: usize = 16;

/// Who is probed.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    name: &'a str,
    /// What is asked for, where a check does not say.
    host: &'a str,
    is_pool: bool,
    protocol: Protocol,
    /// How TLS is spoken with it, and whether that is so for every check, or for handshakes alone.
    tls: Option<&'a OriginTls>,
    is_tls_for_all: bool,
    /// Where a front door is asked: in the clear, and by TLS.
    ports: Option<[u16; 2]>,
}

impl<'a> Owner<'a> {
    /// A pool with its origins.
    pub(super) fn pool(name: &'a str, protocol: Protocol, tls: Option<&'a OriginTls>) -> Self {
        Self { name, host: name, is_pool: true, protocol, tls, is_tls_for_all: true, ports: None }
    }

    /// A region's front door, asked at these ports in the clear and by TLS.
    pub(super) fn door(name: &'a str, ports: [u16; 2], tls: Option<&'a OriginTls>) -> Self {
        Self {
            name,
            host: name,
            is_pool: false,
            protocol: Protocol::H1,
            tls,
            is_tls_for_all: false,
            ports: Some(ports),
        }
    }
}

/// The checks that have names.
pub(super) struct SharedChecks<'a> {
    names: Names<'a>,
    written: &'a [Entitled<document::Check>],
    is_used: Vec<Cell<bool>>,
    /// Who asks by TLS for anybody.
    is_secured: Vec<Cell<bool>>,
    /// Expressions that were compiled: thousands of pools may share one.
    compiled: RefCell<HashMap<String, Regex>>,
}

impl<'a> SharedChecks<'a> {
    /// All of them; reports what is wrong with any.
    pub(super) fn look(document: &'a Document, problems: &mut Diagnostics) -> Self {
        let written: &[Entitled<document::Check>] = &document.checks;
        let names = Names::new("check", &document.checks);
        let unmarked = vec![Cell::new(false); written.len()];
        let shared =
            Self { names, written, is_used: unmarked.clone(), is_secured: unmarked, compiled: RefCell::default() };
        for check in written {
            check_name("check", &check.name, check.place, problems);
            validate::check(&check.value, check.place, &shared, problems);
        }
        graph::check(&shared, problems);
        shared
    }

    /// What a pool or a region wrote.
    pub(super) fn resolve(
        &self,
        written: &Written<OrNone<document::Check>>,
        owner: &Owner<'_>,
        problems: &mut Diagnostics,
    ) -> Checks {
        let Some(check) = &written.value.0 else { return Checks::None };
        validate::check(check, written.place, self, problems);
        let mut left = MAX_LEAVES;
        let built = self.build(check, owner, MAX_DEPTH + 1, &mut left);
        if built.is_none() && !problems.has_errors() {
            let message = format!("more than {MAX_LEAVES} checks come together in one place");
            let error = Diagnostic::error(Code::TooMany, message).at(written.place, "too many, all counted");
            problems.push(error.hint("each counts as often as it is used".to_owned()));
        }
        let built = built.unwrap_or(Checks::None);
        if built.only().is_some_and(|check| check.tls.is_none()) {
            refuse_server_name(check, problems);
        }
        built
    }

    /// Reports what nothing came of, once everybody was resolved: checks that nobody uses, and names of hosts for handshakes that nobody makes.
    pub(super) fn report_unused(&self, problems: &mut Diagnostics) {
        for (at, check) in self.written.iter().enumerate() {
            if self.is_used[at].get() && !self.is_secured[at].get() {
                refuse_server_name(&check.value, problems);
            }
        }
        for (check, _) in self.written.iter().zip(&self.is_used).filter(|(_, is_used)| !is_used.get()) {
            let message = format!("no pool and no region uses check `{}`", check.name);
            let hint = format!("write `check = {{ use = \"{}\" }}`, or remove it", check.name);
            problems.push(Diagnostic::warning(Code::UnusedCheck, message).at(check.place, "unused").hint(hint));
        }
    }
}

/// A host that is asked for in no handshake.
fn refuse_server_name(written: &document::Check, problems: &mut Diagnostics) {
    let http = written.http.as_ref().and_then(|http| http.server_name.as_ref());
    let name = http.or_else(|| written.grpc.as_ref().and_then(|grpc| grpc.server_name.as_ref()));
    let Some(name) = name else { return };
    let error = Diagnostic::error(Code::Contradiction, "`server_name` is given, and it is asked in the clear");
    let error = error.at(name.place, "there is no handshake");
    problems.push(error.hint("add `tls = {}` to the check, or remove `server_name`".to_owned()));
}

/// The others that a check is made of, and how many of them have to say that it works; nothing where it asks by itself.
fn members(check: &document::Check) -> Option<(Vec<&Written<Text>>, usize)> {
    let all = |list: &'_ List<Text>| list.items.len();
    if let Some(name) = check.used.as_ref() {
        return Some((vec![name], 1));
    }
    let (list, count) = match (check.all.as_ref(), check.any.as_ref(), check.at_least.as_ref()) {
        (Some(list), ..) => (list, all(list)),
        (None, Some(list), _) => (list, 1),
        (None, None, Some(some)) => (some.of.as_ref()?, some.count.as_ref().map_or(1, |count| count.value as usize)),
        (None, None, None) => return None,
    };
    Some((list.items.iter().collect(), count))
}

#[cfg(test)]
mod tests;
