//! From the tree to values: what cannot be read is reported where it stands, and the rest is read on.
//!
//! Not here: how the keys of a section are looked up (`keys`), and which there are (`section`, `sections`).

use super::{
    describe::Shape,
    scalar::{Json, Kind, Misread, Scalar},
    tree::{Entry, Node, Value},
    written::{Entitled, List, Named, Written},
};
use crate::config::diagnostic::{Code, Diagnostic, Diagnostics};

/// What a value is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose<'a> {
    pub(crate) key: &'a str,
    /// Smallest and largest, as they would be written.
    pub(crate) limits: Option<(&'static str, &'static str)>,
}

/// What can be read from a node.
pub(crate) trait Decode: Sized {
    /// What stands for its name in paths, where it is one of several named ones.
    const CALLED: &'static str = "NAME";

    /// What it looks like.
    fn shape() -> Shape;

    /// The value; `None` once a problem was reported.
    fn decode(node: &Node, purpose: Purpose<'_>, problems: &mut Diagnostics) -> Option<Self>;
}

impl<T: Scalar> Decode for T {
    fn shape() -> Shape {
        Shape::Scalar(T::KIND)
    }

    fn decode(node: &Node, Purpose { key, limits }: Purpose<'_>, problems: &mut Diagnostics) -> Option<Self> {
        match T::read(&node.value) {
            Ok(value) => match limits {
                Some((low, high)) if !value.is_within(low, high) => {
                    problems.push(out_of_limits(node, key, low, high));
                    None
                }
                _ => Some(value),
            },
            Err(Misread::OutOfRange) => {
                let (low, high) = limits.unwrap_or(("0", "a number that fits"));
                problems.push(out_of_limits(node, key, low, high));
                None
            }
            Err(Misread::WrongType) => {
                problems.push(wrong_type(node, key, T::KIND.what, &expected(T::KIND), T::hint(&node.value)));
                None
            }
            Err(Misread::Bad { why, hint }) => {
                let written = node.value.as_written().unwrap_or_default();
                let message = format!("`{key}` cannot be `{}`: {why}", shortened(&written));
                problems.push(Diagnostic::error(Code::BadValue, message).at(node.place, expected(T::KIND)).hint(hint));
                None
            }
        }
    }
}

impl<T: Decode> Decode for List<T> {
    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }

    fn decode(node: &Node, purpose: Purpose<'_>, problems: &mut Diagnostics) -> Option<Self> {
        let Value::List(nodes) = &node.value else {
            let hint = match (&node.value, T::shape()) {
                (Value::Text(text), _) => Some(format!("put it in brackets: `[\"{}\"]`", shortened(text))),
                (Value::Table(_), Shape::Section(_)) => {
                    Some("double the brackets, `[[...]]`, above each of them".to_owned())
                }
                _ => None,
            };
            problems.push(wrong_type(node, purpose.key, "a list", "expected a list", hint));
            return None;
        };
        let decoded = nodes.iter().filter_map(|node| {
            let value = T::decode(node, purpose, problems)?;
            Some(Written::new(value, node.place))
        });
        let items: Vec<_> = decoded.collect();
        Some(Self { is_broken: items.len() < nodes.len(), items })
    }
}

impl<T: Decode> Decode for Named<T> {
    fn shape() -> Shape {
        Shape::Named(T::CALLED, Box::new(T::shape()))
    }

    fn decode(node: &Node, purpose: Purpose<'_>, problems: &mut Diagnostics) -> Option<Self> {
        let Value::Table(table) = &node.value else {
            let what = "a table of named entries";
            problems.push(wrong_type(node, purpose.key, what, "each entry has a name of its own", None));
            return None;
        };
        let mut named = Self { entries: Vec::with_capacity(table.len()), unreadable: Vec::new() };
        for (name, Entry { key, node }) in table {
            match T::decode(node, Purpose { key: name, ..purpose }, problems) {
                Some(value) => named.entries.push(Entitled { name: name.clone(), place: *key, value }),
                None => named.unreadable.push(name.clone()),
            }
        }
        Some(named)
    }
}

fn expected(kind: Kind) -> String {
    match kind.json {
        Json::Choice(_) | Json::Boolean | Json::OneOf(_) => format!("expected {}", kind.what),
        _ => format!("expected {}, such as `{}`", kind.what, kind.example),
    }
}

pub(super) fn wrong_type(node: &Node, key: &str, what: &str, label: &str, hint: Option<String>) -> Diagnostic {
    Diagnostic::error(Code::WrongType, format!("`{}` must be {what}, not {}", shortened(key), node.value.what()))
        .at(node.place, label)
        .hint(hint)
}

fn out_of_limits(node: &Node, key: &str, low: &str, high: &str) -> Diagnostic {
    let written = node.value.as_written().unwrap_or_default();
    Diagnostic::error(Code::OutOfLimits, format!("`{}` cannot be `{}`", shortened(key), shortened(&written)))
        .at(node.place, format!("from `{low}` to `{high}`"))
}

/// Not more of what was written than fits a line.
pub(super) fn shortened(text: &str) -> &str {
    match text.char_indices().nth(60) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
