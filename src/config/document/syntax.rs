//! TOML text to a tree. What is broken is reported, what is whole is kept, so that one run finds the mistakes of both.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    decode::shortened,
    nesting::{MAX_OPEN, too_deep},
    tree::{Entry, Node, Table, Value},
};
use crate::config::diagnostic::{Code, Diagnostic, Diagnostics, FileId, Place};

/// Tables in tables, through dotted keys; no known key lies deeper.
const MAX_DEPTH: usize = 40;

/// Bytes looked through for where something was written before: many mistakes in a large file must not take minutes.
const MAX_LOOKED_BACK: usize = 256 << 10;

/// In a longer text only the first place where it is not TOML is told: collecting what junk of megabytes has wrong costs gigabytes.
const MAX_RECOVERED: usize = 256 * 1024;

/// Reads the text of a file.
pub(crate) fn parse(file: FileId, text: &str, problems: &mut Diagnostics) -> Table {
    if let Some(at) = too_deep(text) {
        let message = format!("brackets are nested more than {MAX_OPEN} deep");
        problems.push(
            Diagnostic::error(Code::Syntax, message)
                .at(Place::new(file, &(at..at + 1)), "one too many")
                .hint("is one of the brackets before it not closed?".to_owned()),
        );
        return Table::new();
    }
    if text.len() > MAX_RECOVERED
        && let Err(error) = DeTable::parse(text)
    {
        problems.push(describe(file, text, error.message(), error.span()));
        return Table::new();
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        problems.push(describe(file, text, error.message(), error.span()));
    }
    to_table(Some(file), table.into_inner(), 0)
}

/// Reads one value: a default, written in a section's definition.
pub(super) fn parse_value(text: &str) -> Option<Node> {
    to_node(None, DeValue::parse(text).ok()?, 0)
}

fn describe(file: FileId, text: &str, message: &str, span: Option<Range<usize>>) -> Diagnostic {
    let span = span.unwrap_or(text.len()..text.len());
    if message.starts_with("duplicate key") {
        return written_twice(file, text, span);
    }
    // The parser's words for one value that is wrong while the text around it is not.
    let is_of_value = message.starts_with("string values must be quoted") || message.starts_with("invalid ");
    let value = text.get(span.clone()).unwrap_or_default().trim();
    if is_of_value && !value.is_empty() && !value.starts_with(['"', '\'']) {
        return Diagnostic::error(Code::BareValue, "this is no number, date or boolean, and not in quotes")
            .at(Place::new(file, &value_around(text, span)), "not in quotes")
            .hint("texts, durations, sizes and addresses stand in quotes: `\"1s\"`".to_owned());
    }
    Diagnostic::error(Code::Syntax, format!("this is not TOML: {message}")).at(Place::new(file, &span), "here")
}

/// The whole of a value of which the parser names a part: up to what ends values.
fn value_around(text: &str, part: Range<usize>) -> Range<usize> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '=' | ',' | '[' | ']' | '{' | '}' | '#');
    let (before, after) = (text.get(..part.start).unwrap_or_default(), text.get(part.end..).unwrap_or_default());
    let start = before.len() - before.rsplit(is_end).next().map_or(0, str::len);
    let end = part.end + after.split(is_end).next().map_or(0, str::len);
    start..end
}

fn written_twice(file: FileId, text: &str, again: Range<usize>) -> Diagnostic {
    let line_start = text.get(..again.start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let header = line.trim_start().starts_with('[').then(|| line.rfind(']')).flatten();
    let again = header.map_or(again, |end| line_start..line_start + end + 1);
    let key = text.get(again.clone()).unwrap_or_default().trim();
    let first = first_written(text, key, line_start).map(|first| Place::new(file, &first));
    Diagnostic::error(Code::DuplicateKey, format!("`{}` is written twice", shortened(key)))
        .at(Place::new(file, &again), "written again here")
        .at(first, "first written here")
        .hint("keep one of them".to_owned())
}

/// Where a key or header was written before the line that starts at `end`. The parser does not say, so the lines above are
/// looked through: for a header as far as [`MAX_LOOKED_BACK`], for a key those up to its header.
fn first_written(text: &str, wanted: &str, mut end: usize) -> Option<Range<usize>> {
    let farthest = end.saturating_sub(MAX_LOOKED_BACK);
    while end > farthest {
        let start = text[..end - 1].rfind('\n').map_or(0, |newline| newline + 1);
        let candidate = text[start..end].trim();
        let is_header = candidate.starts_with('[');
        let is_same = match candidate.strip_prefix(wanted) {
            Some(rest) if is_header => rest.trim_start().is_empty() || rest.trim_start().starts_with('#'),
            Some(rest) => rest.trim_start().starts_with('='),
            None => false,
        };
        if is_same {
            let at = start + text[start..end].find(wanted)?;
            return Some(at..at + wanted.len());
        }
        if is_header && !wanted.starts_with('[') {
            return None;
        }
        end = start;
    }
    None
}

fn to_table(file: Option<FileId>, table: DeTable<'_>, depth: usize) -> Table {
    let entries = table.into_iter().filter_map(|(key, value)| {
        let place = file.map(|file| Place::new(file, &key.span()));
        let node = to_node(file, value, depth)?;
        Some((key.into_inner().into_owned(), Entry { key: place, node }))
    });
    entries.collect()
}

/// Nothing where it is nested too deep; dotted keys can do that without brackets, and no known key is there.
fn to_node(file: Option<FileId>, spanned: Spanned<DeValue<'_>>, depth: usize) -> Option<Node> {
    if depth > MAX_DEPTH {
        return None;
    }
    let place = file.map(|file| Place::new(file, &spanned.span()));
    let value = match spanned.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => Value::Integer(integer(number.as_str(), number.radix())),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(is_true) => Value::Boolean(is_true),
        DeValue::Datetime(_) => Value::Datetime,
        DeValue::Array(items) => {
            Value::List(items.into_iter().filter_map(|item| to_node(file, item, depth + 1)).collect())
        }
        DeValue::Table(table) => Value::Table(to_table(file, table, depth + 1)),
    };
    Some(Node { place, value })
}

fn integer(digits: &str, radix: u32) -> i128 {
    let cut = if digits.starts_with('-') { i128::MIN } else { i128::MAX };
    i128::from_str_radix(digits, radix).unwrap_or(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Table, Diagnostics) {
        let mut problems = Diagnostics::default();
        let file = problems.add_file("test.toml".into());
        problems.put_text(file, text.into());
        let table = parse(file, text, &mut problems);
        (table, problems)
    }

    #[test]
    fn what_is_whole_survives_what_is_broken() {
        let (table, problems) = parsed("a = 1\nb = = 2\nc = 3\n");
        assert!(problems.has_errors());
        assert!(table.contains_key("a") && table.contains_key("c"));
    }

    #[test]
    fn a_table_written_twice_names_both_places() {
        let (_, problems) = parsed("[pools.shop]\nretries = 1\n[pools.blog]\n[pools.shop]\nretries = 2\n");
        let text = problems.render_text(false);
        assert!(text.contains("first written here") && text.contains("test.toml:4:1"), "{text}");
    }

    #[test]
    fn deep_nesting_is_refused_before_it_hurts() {
        let brackets = format!("a = {}", "[".repeat(100_000));
        assert!(parsed(&brackets).1.has_errors());
        let dotted = format!("{}a = 1", "a.".repeat(70));
        let inline = format!("x = {}1{}", format!("{{ {}b = ", "a.".repeat(70)).repeat(30), " }".repeat(30));
        let both = format!("x = {}1{}", format!("{{ {}b = ", "a.".repeat(78)).repeat(15), " }".repeat(15));
        for text in [dotted, inline, both] {
            parsed(&text);
        }
    }

    #[test]
    fn numbers_that_fit_nowhere_are_cut() {
        assert_eq!(integer("99999999999999999999999999999999999999999", 10), i128::MAX);
        assert_eq!(integer("ff", 16), 255);
    }
}
