//! What DNS records say, as zone files write it: `10 mail.shop.example`, `0 issue "ca.example"`. Names are written out.

use super::kind::{Json, Kind, Misread, Scalar, text_of};
use crate::config::{
    document::tree::Value,
    record::{Bad, kind, read_any, read_text},
};

/// The data of one record of type `KIND`, in wire form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Data<const KIND: u16>(pub(crate) Box<[u8]>);

impl<const KIND: u16> Scalar for Data<KIND> {
    const KIND: Kind = described(KIND);

    fn read(value: &Value) -> Result<Self, Misread> {
        read_text(KIND, text_of(value)?).map(Self).map_err(misread)
    }
}

const fn described(kind: u16) -> Kind {
    const NAME: &str = "\"www.shop.example\"";
    const SERVICE: &str = "priority, target and parameters";
    const DIGEST: &str = "numbers and a digest";
    let (what, example, json) = match kind {
        kind::MX => {
            ("a preference and a host", "\"10 mail.shop.example\"", Json::Pattern("^ *(\\\\#|[0-9]+) +[^ ].*$"))
        }
        kind::SRV => ("priority, weight, port and host", "\"10 5 443 www.shop.example\"", Json::Text),
        kind::CAA => ("flags, a tag and a value", "'0 issue \"ca.example\"'", Json::Text),
        kind::HTTPS | kind::SVCB => (SERVICE, "'1 . alpn=\"h2,h3\"'", Json::Text),
        kind::TLSA => (DIGEST, "\"3 1 1 0A0B0C...\"", Json::Text),
        kind::SSHFP => (DIGEST, "\"4 2 0A0B0C...\"", Json::Text),
        kind::DS => (DIGEST, "\"60485 13 2 0A0B0C...\"", Json::Text),
        kind::NAPTR => {
            ("numbers, texts and a name", "'10 100 \"s\" \"SIP+D2U\" \"\" _sip._udp.shop.example'", Json::Text)
        }
        _ => ("a domain name", NAME, Json::Text),
    };
    Kind { what, example, json }
}

/// A record of any type, which it begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnyRecord {
    pub(crate) kind: u16,
    /// In wire form.
    pub(crate) data: Box<[u8]>,
}

impl Scalar for AnyRecord {
    const KIND: Kind = Kind { what: "a type and its data", example: "'TYPE65400 \\# 4 0A000001'", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        read_any(text_of(value)?).map(|(kind, data)| Self { kind, data }).map_err(misread)
    }
}

fn misread(bad: Bad) -> Misread {
    Misread::Bad { why: bad.why, hint: bad.hint }
}

/// The data of one TXT record: a text, or a list of its parts, taken as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Texts(pub(crate) Box<[u8]>);

impl Scalar for Texts {
    const KIND: Kind = Kind { what: "a text", example: "\"v=spf1 -all\"", json: Json::TextOrTexts };

    fn read(value: &Value) -> Result<Self, Misread> {
        let mut wire = Vec::new();
        let mut part = |value: &Value| {
            let text = text_of(value)?;
            let length = u8::try_from(text.len()).map_err(|_| {
                let hint = "write its parts as a list: `[\"first\", \"second\"]`; whoever reads the record joins them";
                Misread::bad(format!("it is {} bytes long, and one text is at most 255", text.len())).hint(hint)
            })?;
            wire.push(length);
            wire.extend_from_slice(text.as_bytes());
            Ok(())
        };
        match value {
            Value::List(nodes) if nodes.is_empty() => return Err(Misread::bad("a record has at least one text")),
            Value::List(nodes) => nodes.iter().try_for_each(|node| part(&node.value))?,
            one => part(one)?,
        }
        if wire.len() > usize::from(u16::MAX) {
            return Err(Misread::bad(format!("it is {} bytes long, and at most 65,535 fit", wire.len())));
        }
        Ok(Self(wire.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Scalar>(text: &str) -> Result<T, Misread> {
        T::read(&Value::Text(text.into()))
    }

    #[test]
    fn records_read_as_zone_files_write_them() {
        assert_eq!(&*read::<Data<{ kind::MX }>>("10 Mail.shop").unwrap().0, b"\0\x0a\x04mail\x04shop\0");
        assert_eq!(
            &*read::<Data<{ kind::CAA }>>("0 Issue \"ca.example; x=1\"").unwrap().0,
            b"\0\x05issueca.example; x=1"
        );
        for text in ["mail.shop.example", "10", "70000 a", "10 a b", "10 *"] {
            assert!(read::<Data<{ kind::MX }>>(text).is_err(), "{text}");
        }
        let any = read::<AnyRecord>("TYPE65400 \\# 2 0a0b").unwrap();
        assert_eq!((any.kind, &*any.data), (65400, &[10, 11][..]));
    }

    #[test]
    fn a_text_over_255_bytes_is_written_in_parts() {
        assert_eq!(&*read::<Texts>("a; b").unwrap().0, b"\x04a; b");
        assert!(read::<Texts>(&"a".repeat(255)).is_ok());
        assert!(matches!(read::<Texts>(&"a".repeat(256)), Err(Misread::Bad { hint: Some(_), .. })));
    }
}
