//! The keys of a section, looked up in its table: defaults filled in, unknown ones reported.
//!
//! A key that was reported is never reported again for being absent: `required` keys are `None` only after a mistake.

use super::{
    decode::{Decode, Purpose, shortened, wrong_type},
    describe::{SectionShape, Shape},
    section::Section,
    sections::Document,
    syntax::parse_value,
    tree::{Node, Table, Value},
    written::{Optional, Written},
};
use crate::config::diagnostic::{Code, Diagnostic, Diagnostics, Place};

/// A table on its way to becoming a section.
pub(crate) struct Keys<'a> {
    table: &'a Table,
    place: Option<Place>,
    noun: &'static str,
    taken: usize,
}

impl<'a> Keys<'a> {
    /// What is written under a key.
    pub(crate) fn take(&mut self, key: &str) -> Option<&'a Node> {
        let entry = self.table.get(key)?;
        self.taken += 1;
        Some(&entry.node)
    }

    /// A key that has no default.
    pub(crate) fn required<T: Decode>(
        &mut self,
        purpose: Purpose<'_>,
        problems: &mut Diagnostics,
    ) -> Option<Written<T>> {
        let Some(node) = self.take(purpose.key) else {
            let message = format!("{} needs `{}`", self.noun, purpose.key);
            let example = match T::shape() {
                Shape::Scalar(kind) => Some(format!("add `{} = {}`", purpose.key, kind.example)),
                _ => None,
            };
            let label = format!("`{}` is missing here", purpose.key);
            problems.push(Diagnostic::error(Code::MissingKey, message).at(self.place, label).hint(example));
            return None;
        };
        T::decode(node, purpose, problems).map(|value| Written::new(value, node.place))
    }

    /// A key that may be left out.
    pub(crate) fn optional<T: Decode>(&mut self, purpose: Purpose<'_>, problems: &mut Diagnostics) -> Optional<T> {
        let Some(node) = self.take(purpose.key) else { return Optional::Absent };
        match T::decode(node, purpose, problems) {
            Some(value) => Optional::Present(Written::new(value, node.place)),
            None => Optional::Unreadable,
        }
    }
}

/// What the text of a default means.
///
/// # Panics
/// Where a section's definition has a default that is not of its own type; the tests read all of them.
pub(crate) fn default_of<T: Decode>(text: &str, purpose: Purpose<'_>) -> Written<T> {
    let read = parse_value(text).and_then(|node| T::decode(&node, purpose, &mut Diagnostics::default()));
    match read {
        Some(value) => Written::new(value, None),
        None => panic!("`{text}`, the default of `{}`, is not a value that it takes", purpose.key),
    }
}

/// A section from its table. Only what is no table at all gives nothing.
pub(crate) fn decode_section<T: Section>(node: &Node, key: &str, problems: &mut Diagnostics) -> Option<T> {
    let Value::Table(table) = &node.value else {
        problems.push(wrong_type(node, key, "a table", "expected a table", None));
        return None;
    };
    let mut keys = Keys { table, place: node.place, noun: T::NOUN, taken: 0 };
    let section = T::take(&mut keys, problems);
    if keys.taken < table.len() {
        report_unknown(table, &T::section_shape(), T::NOUN, problems);
    }
    if T::IS_CHOICE && table.len() > 1 {
        report_choice(table, T::NOUN, problems);
    }
    Some(section)
}

/// The whole document.
pub(crate) fn decode_document(table: Table, problems: &mut Diagnostics) -> Document {
    let node = Node { place: None, value: Value::Table(table) };
    let nothing = Purpose { key: "", limits: None };
    decode_section(&node, "", problems).unwrap_or_else(|| default_of("{}", nothing).value)
}

fn report_unknown(table: &Table, shape: &SectionShape, noun: &str, problems: &mut Diagnostics) {
    let known: Vec<_> = shape.keys.iter().map(|key| key.key).collect();
    for (key, entry) in table.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
        let hint = problems.did_you_mean(key, known.iter().copied()).unwrap_or_else(|| {
            format!("known here: {}", known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", "))
        });
        let message = format!("{noun} has no key `{}`", shortened(key));
        problems.push(Diagnostic::error(Code::UnknownKey, message).at(entry.key, "unknown key").hint(hint));
    }
}

fn report_choice(table: &Table, noun: &str, problems: &mut Diagnostics) {
    let keys: Vec<_> = table.keys().map(|key| format!("`{}`", shortened(key))).collect();
    let message = format!("{noun} is one thing, not {} at once", keys.join(" and "));
    let labelled =
        table.values().fold(Diagnostic::error(Code::Contradiction, message), |one, entry| one.at(entry.key, ""));
    problems.push(labelled.hint("keep one of them".to_owned()));
}
