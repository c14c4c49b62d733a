//! Names that others refer to, and what is said when a reference leads nowhere.

use std::collections::HashMap;

use crate::config::{
    diagnostic::{Code, Diagnostic, Diagnostics, Place},
    document::{Named, Written, bad_name},
};

/// All names of one kind, in name order: a name's position is its id.
#[derive(Debug)]
pub(super) struct Names<'a> {
    kind: &'static str,
    list: Vec<&'a str>,
    /// Where each is written.
    places: Vec<Option<Place>>,
    positions: HashMap<&'a str, usize>,
    /// Those that are defined, but not so that they can be read.
    unreadable: &'a [String],
    /// Whether none of them could be read.
    is_unknown: bool,
}

impl<'a> Names<'a> {
    pub(super) fn new<T>(kind: &'static str, named: &'a Written<Named<T>>) -> Self {
        let list: Vec<_> = named.iter().map(|entry| entry.name.as_str()).collect();
        let positions = list.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let places = named.iter().map(|entry| entry.place).collect();
        Self { kind, list, places, positions, unreadable: &named.unreadable, is_unknown: named.is_stand_in }
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// The position of the only one there is.
    pub(super) fn only(&self) -> Option<usize> {
        (self.list.len() == 1).then_some(0)
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn name(&self, position: usize) -> &'a str {
        self.list[position]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a str> {
        self.list.iter().copied()
    }

    /// Where a name is written.
    pub(super) fn place(&self, position: usize) -> Option<Place> {
        self.places[position]
    }

    /// Whether there may be such a name, so that it cannot be said to be missing.
    pub(super) fn is_defined(&self, name: &str) -> bool {
        self.is_unknown || self.positions.contains_key(name) || self.unreadable.iter().any(|one| one == name)
    }

    /// Whether all that are defined are known, so that something can be said to be missing.
    pub(super) fn is_complete(&self) -> bool {
        self.unreadable.is_empty() && !self.is_unknown
    }

    /// The position of a name that somebody refers to; where there is none, that is reported.
    pub(super) fn find(&self, name: &str, place: Option<Place>, problems: &mut Diagnostics) -> Option<usize> {
        let found = self.position(name);
        if found.is_none() && !self.is_defined(name) {
            let code = match self.kind {
                "region" => Code::UnknownRegion,
                "check" => Code::UnknownCheck,
                _ => Code::UnknownPool,
            };
            let kind = self.kind;
            let hint = problems
                .did_you_mean(name, self.list.iter().copied())
                .unwrap_or_else(|| format!("define it under `[{kind}s.{name}]`"));
            let message = format!("there is no {kind} `{name}`");
            problems.push(Diagnostic::error(code, message).at(place, format!("no such {kind}")).hint(hint));
        }
        found
    }
}

/// Reports a name that an entry cannot have.
pub(super) fn check_name(kind: &str, name: &str, place: Option<Place>, problems: &mut Diagnostics) {
    if let Some(why) = bad_name(name) {
        let message = format!("`{}` cannot be the name of a {kind}", name.escape_debug());
        problems.push(Diagnostic::error(Code::BadName, message).at(place, why));
    }
}
