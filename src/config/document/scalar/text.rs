//! Texts: free ones, names of things, file paths, request paths.

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

/// What a check asks for: a path, with a query or without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestTarget(pub(crate) String);

impl Scalar for RequestTarget {
    const KIND: Kind = Kind { what: "a path", example: "\"/healthz\"", json: Json::Pattern("^/[!-~]*$") };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        begins_well(text)?;
        Ok(Self(text.to_owned()))
    }
}

/// The beginning of paths that a route takes; no slash at its end but for `/` itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoutePath(pub(crate) String);

impl Scalar for RoutePath {
    const KIND: Kind = Kind { what: "a path", example: "\"/cart\"", json: Json::Pattern("^/[!-~]*$") };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        begins_well(text)?;
        if text.contains('?') {
            return Err(Misread::bad("routes go by path, not by query").hint("leave out everything from the `?` on"));
        }
        if text.contains('*') {
            return Err(
                Misread::bad("a path is the beginning, without `*`").hint("`/cart` is everything below `/cart`, too")
            );
        }
        let trimmed = text.strip_suffix('/').unwrap_or(text);
        if trimmed.split('/').skip(1).any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(Misread::bad("it has an empty segment, `.` or `..`"));
        }
        Ok(Self(if trimmed.is_empty() { "/".to_owned() } else { trimmed.to_owned() }))
    }
}

fn begins_well(text: &str) -> Result<(), Misread> {
    if !text.starts_with('/') {
        return Err(Misread::bad("a path begins with `/`").hint(format!("write `/{text}`")));
    }
    if text.contains('#') {
        return Err(Misread::bad("what follows `#` is never sent to a server"));
    }
    if text.len() > 1024 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Misread::bad("it is up to 1,024 visible ASCII characters").hint("others are written as `%XX`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Scalar>(text: &str) -> Option<T> {
        T::read(&Value::Text(text.into())).ok()
    }

    #[test]
    fn a_route_path_is_the_same_with_and_without_its_last_slash() {
        assert_eq!(read::<RoutePath>("/cart/").unwrap().0, "/cart");
        assert_eq!(read::<RoutePath>("/").unwrap().0, "/");
        for text in ["", "cart", "/a?b", "/a#b", "//", "/a//b", "/a/../b", "/*", "/a b"] {
            assert_eq!(read::<RoutePath>(text), None, "{text}");
        }
        assert!(read::<RequestTarget>("/healthz?full=1").is_some());
    }

    #[test]
    fn names_fit_metrics_and_paths() {
        assert_eq!(bad_name("eu-central"), None);
        for text in ["", "a b", "ä", "-a", &"a".repeat(64)] {
            assert!(bad_name(text).is_some(), "{text}");
        }
    }
}
