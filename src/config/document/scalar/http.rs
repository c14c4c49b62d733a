//! Parts of HTTP messages: methods, names and values of headers, statuses.

use super::kind::{Json, Kind, Misread, Scalar, text_of};
use crate::config::document::tree::Value;

/// A request's method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Method(pub(crate) String);

impl Scalar for Method {
    const KIND: Kind = Kind { what: "a method", example: "\"GET\"", json: Json::Pattern("^[A-Z][A-Z_-]{0,31}$") };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        let is_method = |text: &str| {
            (1..=32).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'))
        };
        match text {
            "CONNECT" => Err(Misread::bad("it is refused before any route is looked for")),
            _ if is_method(text) => Ok(Self(text.to_owned())),
            _ => {
                let capitals = text.to_ascii_uppercase();
                let error = Misread::bad("methods are 1 to 32 capital letters, as they are sent");
                Err(if is_method(&capitals) { error.hint(format!("write `{capitals}`")) } else { error })
            }
        }
    }
}

/// A header's name, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderName(pub(crate) String);

impl Scalar for HeaderName {
    const KIND: Kind = Kind { what: "a header's name", example: "\"x-version\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        if !is_header_name(text) {
            return Err(Misread::bad(BAD_HEADER_NAME));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

/// A cookie's name (RFC 6265 §4.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CookieName(pub(crate) String);

impl Scalar for CookieName {
    const KIND: Kind = Kind { what: "a cookie's name", example: "\"session\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        if !is_header_name(text) {
            return Err(Misread::bad("names of cookies are up to 64 letters, digits and ``!#$%&'*+-.^_`|~``"));
        }
        Ok(Self(text.to_owned()))
    }
}

pub(crate) const BAD_HEADER_NAME: &str = "names of headers are up to 64 letters, digits and ``!#$%&'*+-.^_`|~``";

/// Whether a text is the name of a header (RFC 9110 §5.6.2).
pub(crate) fn is_header_name(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(is_token)
}

/// Why a text cannot be a header's value: whatever could end its line, or be read in more than one way.
pub(super) fn bad_header_value(text: &str) -> Option<&'static str> {
    if text.is_empty() || text.len() > 1024 {
        return Some("a header's value has 1 to 1,024 characters");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Some("a header's value is visible ASCII characters and spaces");
    }
    (text.trim() != text).then_some("a header's value neither begins nor ends with a space")
}

/// A header's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderValue(pub(crate) String);

impl Scalar for HeaderValue {
    const KIND: Kind = Kind { what: "a header's value", example: "\"text/html\"", json: Json::Pattern("^[ -~]+$") };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        bad_header_value(text).map_or_else(|| Ok(Self(text.to_owned())), |why| Err(Misread::bad(why)))
    }
}

/// A status that sends a client elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RedirectStatus(pub(crate) u16);

impl RedirectStatus {
    const ALL: [u16; 5] = [301, 302, 303, 307, 308];
}

impl Scalar for RedirectStatus {
    const KIND: Kind = Kind { what: "301, 302, 303, 307 or 308", example: "308", json: Json::OneOf(&Self::ALL) };

    fn read(value: &Value) -> Result<Self, Misread> {
        let Value::Integer(number) = value else { return Err(Misread::WrongType) };
        let status = Self::ALL.into_iter().find(|status| i128::from(*status) == *number);
        status.map(Self).ok_or_else(|| Misread::bad("it sends nobody elsewhere"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Scalar>(text: &str) -> Option<T> {
        T::read(&Value::Text(text.into())).ok()
    }

    #[test]
    fn parts_of_messages_are_what_may_stand_on_their_lines() {
        assert_eq!(read::<HeaderName>("X-Version").unwrap().0, "x-version");
        for text in ["", "a b", "a:", "a\r\n", "ä", &"a".repeat(65)] {
            assert_eq!(read::<HeaderName>(text), None, "{text}");
        }
        assert!(read::<HeaderValue>("text/html; charset=utf-8").is_some());
        for text in ["", " a", "a ", "a\r\nb: c", "a\0", "ä", "a\tb"] {
            assert_eq!(read::<HeaderValue>(text), None, "{text}");
        }
        assert!(read::<Method>("M-SEARCH").is_some());
        for text in ["", "get", "CONNECT", "GET ", "G\n"] {
            assert_eq!(read::<Method>(text), None, "{text}");
        }
    }
}
