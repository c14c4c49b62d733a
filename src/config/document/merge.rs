//! Several files becoming one document.
//!
//! Top-level tables are merged key by key, `[[routes]]` are put one behind the other. The same key or named entry in
//! two files is a mistake that names both: which of them wins must never depend on file names.

use std::collections::btree_map::Entry as Slot;

use super::tree::{Table, Value};
use crate::config::diagnostic::{Code, Diagnostic, Diagnostics, Place};

/// Adds what another file says.
pub(crate) fn merge(into: &mut Table, from: Table, problems: &mut Diagnostics) {
    for (key, entry) in from {
        match into.entry(key) {
            Slot::Vacant(free) => {
                free.insert(entry);
            }
            Slot::Occupied(mut taken) => {
                let key = taken.key().clone();
                let (first, again) = (taken.get_mut(), entry);
                match (&mut first.node.value, again.node.value) {
                    (Value::Table(table), Value::Table(more)) => merge_keys(&key, table, more, problems),
                    (Value::List(list), Value::List(more)) if key == "routes" => list.extend(more),
                    _ => problems.push(twice(&key, first.key, again.key)),
                }
            }
        }
    }
}

fn merge_keys(section: &str, into: &mut Table, from: Table, problems: &mut Diagnostics) {
    for (key, entry) in from {
        match into.entry(key) {
            Slot::Vacant(free) => {
                free.insert(entry);
            }
            Slot::Occupied(taken) => {
                problems.push(twice(&format!("{section}.{}", taken.key()), taken.get().key, entry.key));
            }
        }
    }
}

fn twice(path: &str, first: Option<Place>, again: Option<Place>) -> Diagnostic {
    Diagnostic::error(Code::DuplicateKey, format!("`{path}` is defined twice"))
        .at(again, "defined again here")
        .at(first, "first defined here")
        .hint("keep one of them, or put all of its keys in one file".to_owned())
}
