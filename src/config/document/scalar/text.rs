//! Texts: free ones, names of things, file paths, bodies.

use std::{ops::Deref, path::PathBuf};

use super::kind::{Json, Kind, Misread, Scalar, text_of};
use crate::config::document::tree::Value;

/// Any text on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Scalar for Text {
    const KIND: Kind = Kind { what: "a text", example: "\"shop\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        if text.is_empty() || text.len() > 255 || text.chars().any(char::is_control) {
            return Err(Misread::bad("it is one line of 1 to 255 bytes"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// What a fixed answer says, on as many lines as it likes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Body(pub(crate) String);

impl Scalar for Body {
    const KIND: Kind = Kind { what: "a text", example: "\"down for an hour\\n\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        if text.len() > 16 * 1024 {
            let hint = "larger answers belong to an origin";
            return Err(Misread::bad("it is longer than 16 KiB").hint(hint));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A name that goes into metrics, logs and paths of the admin API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(pub(crate) String);

impl Scalar for Name {
    const KIND: Kind =
        Kind { what: "a name", example: "\"fra-1\"", json: Json::Pattern("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$") };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        bad_name(text).map_or_else(|| Ok(Self(text.to_owned())), |why| Err(Misread::bad(why)))
    }
}

/// Why a text is no name for a node, a region or a pool; `None` where it is one.
pub(crate) fn bad_name(text: &str) -> Option<&'static str> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.len() > 63 {
        return Some("a name has 1 to 63 characters");
    }
    if !text.chars().all(is_allowed) {
        return Some("a name is made of letters, digits, `-`, `_` and `.`");
    }
    text.starts_with(['-', '.']).then_some("a name begins with a letter, a digit or `_`")
}

impl Scalar for PathBuf {
    const KIND: Kind = Kind { what: "a file path", example: "\"path/to/it\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        if text.is_empty() || text.contains('\0') {
            return Err(Misread::bad("it names no file"));
        }
        Ok(Self::from(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_metrics_and_paths() {
        assert_eq!(bad_name("eu-central"), None);
        for text in ["", "a b", "ä", "-a", &"a".repeat(64)] {
            assert!(bad_name(text).is_some(), "{text}");
        }
    }
}
