//! What DNS records say, as zone files write it: `10 mail.shop.example`, `0 issue "ca.example"`.

use super::data::RecordData;
use super::{
    host::name,
    kind::{Json, Kind, Misread, Scalar, text_of},
};
use crate::config::document::tree::Value;

/// One TXT record: a text, or a list of its parts.
#[derive(Clone, Debug)]
pub(crate) struct Texts(pub(crate) Vec<Box<[u8]>>);

/// One MX record.
#[derive(Clone, Debug)]
pub(crate) struct Mx(pub(crate) RecordData);

/// One SRV record.
#[derive(Clone, Debug)]
pub(crate) struct Srv(pub(crate) RecordData);

/// One CAA record.
#[derive(Clone, Debug)]
pub(crate) struct Caa(pub(crate) RecordData);

impl Scalar for Texts {
    const KIND: Kind = Kind { what: "a text", example: "\"v=spf1 -all\"", json: Json::TextOrTexts };

    fn read(value: &Value) -> Result<Self, Misread> {
        let part = |value: &Value| {
            let text = text_of(value)?;
            if text.len() > 255 {
                return Err(Misread::bad(format!("it is {} bytes long, and one text is at most 255", text.len()))
                    .hint(
                        "write its parts as a list: `[\"first\", \"second\"]`; whoever reads the record joins them",
                    ));
            }
            Ok(Box::from(text.as_bytes()))
        };
        match value {
            Value::List(nodes) if nodes.is_empty() => Err(Misread::bad("a record has at least one text")),
            Value::List(nodes) => nodes.iter().map(|node| part(&node.value)).collect::<Result<_, _>>().map(Self),
            one => Ok(Self(vec![part(one)?])),
        }
    }
}

impl Scalar for Mx {
    const KIND: Kind = Kind {
        what: "a preference and a host",
        example: "\"10 mail.shop.example\"",
        json: Json::Pattern("^[0-9]+ +[^ ]+$"),
    };

    fn read(value: &Value) -> Result<Self, Misread> {
        let [preference, exchange] = words(text_of(value)?)?;
        Ok(Self(RecordData::Mx { preference: number(preference, "preference")?, exchange: name(exchange)? }))
    }
}

impl Scalar for Srv {
    const KIND: Kind = Kind {
        what: "priority, weight, port and host",
        example: "\"10 5 443 www.shop.example\"",
        json: Json::Pattern("^[0-9]+ +[0-9]+ +[0-9]+ +[^ ]+$"),
    };

    fn read(value: &Value) -> Result<Self, Misread> {
        let [priority, weight, port, target] = words(text_of(value)?)?;
        Ok(Self(RecordData::Srv {
            priority: number(priority, "priority")?,
            weight: number(weight, "weight")?,
            port: number(port, "port")?,
            target: name(target)?,
        }))
    }
}

impl Scalar for Caa {
    const KIND: Kind = Kind {
        what: "flags, a tag and a value",
        example: "'0 issue \"ca.example\"'",
        json: Json::Pattern("^(0|128) +[A-Za-z0-9]+ +.*$"),
    };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?.trim();
        let mut parts = text.splitn(3, ' ');
        let (Some(flags), Some(tag), Some(said)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Misread::bad("it is not flags, a tag and a value"));
        };
        let flags = match flags {
            "0" => 0,
            "128" => 128,
            _ => return Err(Misread::bad("the flags are 0, or 128 where the tag is critical")),
        };
        if tag.is_empty() || tag.len() > 15 || !tag.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Misread::bad("the tag is 1 to 15 letters and digits, such as `issue`"));
        }
        let said = said.trim();
        let said = said.strip_prefix('"').and_then(|said| said.strip_suffix('"')).unwrap_or(said);
        if said.contains('"') || said.len() > 255 {
            return Err(Misread::bad("the value is up to 255 bytes, in quotes or without"));
        }
        Ok(Self(RecordData::Caa { flags, tag: tag.to_ascii_lowercase().into(), value: said.as_bytes().into() }))
    }
}

fn words<const N: usize>(text: &str) -> Result<[&str; N], Misread> {
    let words: Vec<_> = text.split_whitespace().collect();
    words.try_into().map_err(|words: Vec<_>| Misread::bad(format!("it takes {N} parts, and here are {}", words.len())))
}

fn number(word: &str, what: &str) -> Result<u16, Misread> {
    word.parse().map_err(|_| Misread::bad(format!("the {what} is a number from 0 to 65535")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Scalar>(text: &str) -> Result<T, Misread> {
        T::read(&Value::Text(text.into()))
    }

    #[test]
    fn records_read_as_zone_files_write_them() {
        assert!(read::<Mx>("10 mail.shop.example").is_ok());
        assert!(read::<Srv>("10 5 443 www.shop.example.").is_ok());
        let RecordData::Caa { tag, value, .. } = read::<Caa>("0 Issue \"ca.example; x=1\"").unwrap().0 else {
            panic!()
        };
        assert_eq!((&*tag, &*value), ("issue", &b"ca.example; x=1"[..]));
        for text in ["mail.shop.example", "10", "70000 a", "10 a b", "10 *"] {
            assert!(read::<Mx>(text).is_err(), "{text}");
        }
        for text in ["", "0 issue", "1 issue x", "0 is-sue x", "0 issue \"a\" \"b\""] {
            assert!(read::<Caa>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_over_255_bytes_is_written_in_parts() {
        assert!(read::<Texts>(&"a".repeat(255)).is_ok());
        assert!(matches!(read::<Texts>(&"a".repeat(256)), Err(Misread::Bad { hint: Some(_), .. })));
    }
}
