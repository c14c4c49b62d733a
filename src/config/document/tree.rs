//! A TOML document as a tree in which every key and value knows its place.
//!
//! Our own and not the parser's, so that several files can become one tree and the parser stays behind one file.
//!
//! Not here: how TOML becomes it (`syntax`).

use std::collections::BTreeMap;

use crate::config::diagnostic::Place;

/// A value and where it is written; a default's is nowhere.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Option<Place>,
    pub(crate) value: Value,
}

/// The kinds of values that TOML has.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    /// Cut to what fits: every number that does not is outside all limits.
    Integer(i128),
    Float(f64),
    Boolean(bool),
    Datetime,
    List(Vec<Node>),
    Table(Table),
}

/// Keys with their values, in the order of the keys' letters.
pub(crate) type Table = BTreeMap<String, Entry>;

/// One key of a table.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Option<Place>,
    pub(crate) node: Node,
}

impl Value {
    /// What it is, with its article, for "found ...".
    pub(crate) fn what(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number with a fraction",
            Self::Boolean(_) => "a boolean",
            Self::Datetime => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }

    /// As it would be written, where that is short.
    pub(crate) fn as_written(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Float(number) => Some(number.to_string()),
            Self::Boolean(is_true) => Some(is_true.to_string()),
            Self::Datetime | Self::List(_) | Self::Table(_) => None,
        }
    }
}
