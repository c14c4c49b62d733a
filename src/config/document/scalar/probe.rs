//! What probes send, and what they take for good.

use data_encoding::HEXLOWER_PERMISSIVE;

use super::{
    kind::{Json, Kind, Misread, Scalar, text_of},
    number::Statuses,
};
use crate::config::document::tree::Value;

/// Bytes on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Scalar for Bytes {
    const KIND: Kind = Kind { what: "a text, or `hex:` and bytes in hex", example: "\"PING\\r\\n\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        let bytes = match text.strip_prefix("hex:") {
            Some(hex) => HEXLOWER_PERMISSIVE
                .decode(hex.as_bytes())
                .map_err(|_| Misread::bad("after `hex:` stand two hex digits for each byte"))?,
            None => text.as_bytes().to_vec(),
        };
        if bytes.is_empty() || bytes.len() > 1024 {
            return Err(Misread::bad("it is 1 to 1,024 bytes"));
        }
        Ok(Self(bytes))
    }
}

/// Several statuses and ranges of them; not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatusSet(pub(crate) Vec<(u16, u16)>);

impl Scalar for StatusSet {
    const KIND: Kind = Kind {
        what: "statuses and ranges of them",
        example: "\"200-299, 404\"",
        json: Json::PatternOrInteger(
            "^ *[1-5][0-9][0-9](-[1-5][0-9][0-9])? *(, *[1-5][0-9][0-9](-[1-5][0-9][0-9])? *)*$",
        ),
    };

    fn read(value: &Value) -> Result<Self, Misread> {
        let Value::Text(text) = value else { return Statuses::read(value).map(|one| Self(vec![(one.0, one.1)])) };
        let one = |part: &str| Statuses::read(&Value::Text(part.trim().to_owned())).map(|one| (one.0, one.1));
        let all = text.split(',').map(one).collect::<Result<Vec<_>, _>>()?;
        if all.len() > 64 { Err(Misread::bad("these are more than 64")) } else { Ok(Self(all)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<T: Scalar>(text: &str) -> Option<T> {
        T::read(&Value::Text(text.into())).ok()
    }

    #[test]
    fn bytes_are_a_text_or_hex() {
        assert_eq!(text::<Bytes>("PING\r\n").unwrap().0, b"PING\r\n");
        assert_eq!(text::<Bytes>("hex:00fFfe").unwrap().0, [0, 255, 254]);
        for bad in ["", "hex:", "hex:0", "hex:zz", &"a".repeat(1025)] {
            assert_eq!(text::<Bytes>(bad), None, "{bad}");
        }
    }

    #[test]
    fn several_statuses_stand_between_commas() {
        assert_eq!(text::<StatusSet>("200-299, 404").unwrap().0, [(200, 299), (404, 404)]);
        assert_eq!(StatusSet::read(&Value::Integer(204)).unwrap().0, [(204, 204)]);
        for bad in ["", "200,", "200;201", "700", "299-200"] {
            assert_eq!(text::<StatusSet>(bad), None, "{bad}");
        }
    }
}
