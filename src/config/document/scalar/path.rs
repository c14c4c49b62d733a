//! Paths of requests: what a check asks for, what a route takes, what it makes of them.

use super::kind::{Json, Kind, Misread, Scalar, text_of};
use crate::config::document::tree::Value;

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

/// The beginning of paths; no slash at its end but for `/` itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathPrefix(pub(crate) String);

impl Scalar for PathPrefix {
    const KIND: Kind = Kind { what: "a path", example: "\"/cart\"", json: Json::Pattern("^/[!-~]*$") };

    fn read(value: &Value) -> Result<Self, Misread> {
        let mut path = plain(text_of(value)?)?;
        if path.len() > 1 && path.ends_with('/') {
            path.pop();
        }
        Ok(Self(path))
    }
}

/// A whole path, with its last slash or without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WholePath(pub(crate) String);

impl Scalar for WholePath {
    const KIND: Kind = Kind { what: "a path", example: "\"/cart\"", json: Json::Pattern("^/[!-~]*$") };

    fn read(value: &Value) -> Result<Self, Misread> {
        plain(text_of(value)?).map(Self)
    }
}

const PARAMETERS: &str = "paths are compared without `;` and what follows it in a segment";

/// A path as a route compares it, of which there is one spelling: encoded is what has to be, and nothing else.
fn plain(text: &str) -> Result<String, Misread> {
    begins_well(text)?;
    if text.contains('?') {
        return Err(Misread::bad("a path stands here without its query").hint("leave out everything from the `?` on"));
    }
    if text.contains('*') {
        return Err(
            Misread::bad("a path is written without `*`").hint("`path = \"/cart\"` is everything below `/cart`, too")
        );
    }
    if text.contains(';') {
        return Err(Misread::bad(PARAMETERS));
    }
    if text.contains('\\') {
        return Err(Misread::bad("`\\` is compared as `/`").hint("write `/`"));
    }
    let inner = text.strip_suffix('/').unwrap_or(text);
    if inner.split('/').skip(1).any(|segment| matches!(segment, "" | "." | "..")) {
        return Err(Misread::bad("it has an empty segment, `.` or `..`"));
    }
    encoded(text)
}

/// Looks at everything behind a `%`; its digits become upper case.
fn encoded(text: &str) -> Result<String, Misread> {
    let mut parts = text.split('%');
    let mut path = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = byte.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            None => return Err(Misread::bad("`%` is followed by two hexadecimal digits").hint("`%` itself is `%25`")),
            Some(b'/' | b'\\') => return Err(Misread::bad("`%2F` and `%5C` are compared as `/`").hint("write `/`")),
            Some(b';') => return Err(Misread::bad(PARAMETERS)),
            Some(0..=0x1f | 0x7f) => return Err(Misread::bad("requests with a control character are refused")),
            Some(byte) if byte.is_ascii_graphic() && !matches!(byte, b'%' | b'?' | b'#' | b'*') => {
                let as_is = char::from(byte);
                return Err(Misread::bad(format!("`%{byte:02X}` is `{as_is}`")).hint(format!("write `{as_is}`")));
            }
            Some(byte) => path.push_str(&format!("%{byte:02X}")),
        }
        path.push_str(&part[2..]);
    }
    Ok(path)
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
    fn a_prefix_is_the_same_with_and_without_its_last_slash_and_a_whole_path_is_not() {
        assert_eq!(read::<PathPrefix>("/cart/").unwrap().0, "/cart");
        assert_eq!(read::<PathPrefix>("/").unwrap().0, "/");
        assert_eq!(read::<WholePath>("/cart/").unwrap().0, "/cart/");
        assert!(read::<RequestTarget>("/healthz?full=1").is_some());
    }

    #[test]
    fn a_path_has_one_spelling() {
        assert_eq!(read::<PathPrefix>("/caf%c3%a9").unwrap().0, "/caf%C3%A9");
        for text in ["", "cart", "/a?b", "/a#b", "//", "/a//b", "/a/../b", "/*", "/a b", "/a;b", "/a\\b"] {
            assert_eq!(read::<PathPrefix>(text), None, "{text}");
        }
        for text in ["/%61", "/%2f", "/%5C", "/%3b", "/%2e%2E", "/%00", "/%", "/%4", "/%zz", "/%4\u{e9}"] {
            assert_eq!(read::<WholePath>(text), None, "{text}");
        }
    }
}
