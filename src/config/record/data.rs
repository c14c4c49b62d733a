//! From the words of a record's data to its bytes, by its type.
//!
//! The types that zones are full of are read here, field by field: two to four times as fast as by way of `domain`, and with words of our
//! own for what is wrong. Names come out in lower case.

use std::net::{Ipv4Addr, Ipv6Addr};

use data_encoding::HEXLOWER_PERMISSIVE;

use super::{
    Bad, Field, Fields, Words, foreign,
    kind::{self, refusal},
    name::bad_host,
    svcb,
    word::Word,
};
use crate::config::diagnostic::nearest;

/// Bytes that a record's data has at most in a message.
const MAX_DATA: usize = 65_535;

/// The data of a record of this type: all that is left of `fields`.
pub(in crate::config) fn read(kind: u16, fields: &mut Fields<'_>) -> Result<Box<[u8]>, Bad> {
    let whole = fields.clone();
    let mut wire = Vec::with_capacity(64);
    if fields.peek().is_some_and(|first| first.text == "\\#" && !first.is_quoted()) {
        unknown(kind, fields, &mut wire)?;
    } else {
        known(kind, fields, &mut wire)?;
    }
    fields.finish()?;
    if wire.len() > MAX_DATA {
        return Err(whole_of(&whole, format!("its data is {} bytes long, and at most {MAX_DATA} fit", wire.len())));
    }
    Ok(wire.into())
}

/// The data that one text says, with every name written out.
pub(in crate::config) fn read_text(kind: u16, text: &str) -> Result<Box<[u8]>, Bad> {
    let words = words_of(text)?;
    read(kind, &mut Fields::new(text, &words, None))
}

/// Type and data from one text that begins with the type: `TYPE65400 \# 4 0A000001`.
pub(in crate::config) fn read_any(text: &str) -> Result<(u16, Box<[u8]>), Bad> {
    let words = words_of(text)?;
    let mut fields = Fields::new(text, &words, None);
    let first = fields.next("type")?;
    let kind = kind_of(&first)?;
    Ok((kind, read(kind, &mut fields)?))
}

/// The type that a word names, if there can be such records.
pub(in crate::config) fn kind_of(field: &Field<'_>) -> Result<u16, Bad> {
    let kind = kind::number(field.text).filter(|_| !field.is_quoted());
    let kind = kind.ok_or_else(|| {
        let hint = nearest(field.text, kind::NAMES).map(|name| format!("did you mean `{name}`?"));
        field.bad(format!("there is no type `{}`", field.text.escape_debug())).hint(hint)
    })?;
    refusal(kind).map_or(Ok(kind), |why| Err(field.bad(why)))
}

fn words_of(text: &str) -> Result<Vec<Word>, Bad> {
    let (mut words, mut more) = (Vec::new(), Vec::new());
    let mut lines = Words::of_value(text);
    if lines.next(&mut words)?.is_some() && lines.next(&mut more)?.is_some() {
        return Err(Bad::at(more[0].span().start..text.len(), "a record ends with its line"));
    }
    Ok(words)
}

fn known(kind: u16, fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Bad> {
    if let Some(why) = refusal(kind) {
        return Err(whole_of(fields, why));
    }
    match kind {
        kind::A => address::<Ipv4Addr>(fields, "IPv4", |address| wire.extend_from_slice(&address.octets())),
        kind::AAAA => address::<Ipv6Addr>(fields, "IPv6", |address| wire.extend_from_slice(&address.octets())),
        kind::CNAME | kind::PTR | kind::DNAME => fields.name("name", wire).map(drop),
        kind::NS => host(fields, "name server", wire),
        kind::MX | kind::AFSDB | kind::RT | kind::KX => {
            wire.extend(fields.number::<u16>("preference")?.to_be_bytes());
            host(fields, "host", wire)
        }
        kind::SRV => {
            for what in ["priority", "weight", "port"] {
                wire.extend(fields.number::<u16>(what)?.to_be_bytes());
            }
            host(fields, "host", wire)
        }
        kind::TXT | kind::SPF => texts(fields, wire),
        kind::CAA => caa(fields, wire),
        kind::URI => {
            for what in ["priority", "weight"] {
                wire.extend(fields.number::<u16>(what)?.to_be_bytes());
            }
            let target = fields.next("URI")?;
            let before = wire.len();
            target.bytes(wire)?;
            if wire.len() == before { Err(target.bad("a URI cannot be empty")) } else { Ok(()) }
        }
        kind::SVCB | kind::HTTPS => svcb::read(fields, wire),
        _ => foreign::read(kind, fields, wire),
    }
}

fn address<T: std::str::FromStr>(fields: &mut Fields<'_>, which: &str, put: impl FnOnce(T)) -> Result<(), Bad> {
    let field = fields.next("address")?;
    put(field.text.parse().map_err(|_| {
        let hint = match field.text.parse() {
            Ok(std::net::IpAddr::V4(_)) => Some("an IPv4 address stands in an `A` record".to_owned()),
            Ok(std::net::IpAddr::V6(_)) => Some("an IPv6 address stands in an `AAAA` record".to_owned()),
            Err(_) => None,
        };
        field.bad(format!("it is not an {which} address")).hint(hint)
    })?);
    Ok(())
}

fn host(fields: &mut Fields<'_>, what: &str, wire: &mut Vec<u8>) -> Result<(), Bad> {
    let before = wire.len();
    let field = fields.name(what, wire)?;
    bad_host(&wire[before..]).map_or(Ok(()), |why| Err(field.bad(why)))
}

fn texts(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Bad> {
    fields.next("text")?.character_string(wire)?;
    while !fields.is_empty() {
        fields.next("text")?.character_string(wire)?;
    }
    Ok(())
}

/// RFC 8659 §4.1.
fn caa(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Bad> {
    wire.push(fields.number("byte of flags")?);
    let tag = fields.next("tag")?;
    if tag.text.is_empty() || tag.text.len() > 15 || !tag.text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(tag.bad("the tag is 1 to 15 letters and digits, such as `issue`"));
    }
    wire.push(u8::try_from(tag.text.len()).unwrap_or_default());
    wire.extend(tag.text.bytes().map(|byte| byte.to_ascii_lowercase()));
    fields.next("value")?.bytes(wire)?;
    if let Some(more) = fields.peek() {
        return Err(more
            .bad("the value is one text")
            .hint("put it in quotes: `0 issue \"ca.example; account=1\"`".to_owned()));
    }
    Ok(())
}

/// Any data by its bytes (RFC 3597 §5): `\# 4 0A000001`. Where the type is known they have to be such data.
fn unknown(kind: u16, fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Bad> {
    let whole = fields.clone();
    fields.next("`\\#`")?;
    if let Some(why) = refusal(kind) {
        return Err(whole_of(&whole, why));
    }
    let length: u16 = fields.number("length")?;
    let mut digits = Vec::with_capacity(usize::from(length) * 2);
    while let Some(field) = fields.peek() {
        digits.extend_from_slice(field.text.as_bytes());
        fields.next("data")?;
    }
    let bytes = HEXLOWER_PERMISSIVE.decode(&digits);
    *wire = bytes.map_err(|_| whole_of(&whole, "after its length the data is pairs of hexadecimal digits"))?;
    if wire.len() != usize::from(length) {
        return Err(whole_of(&whole, format!("its length is said to be {length}, and is {}", wire.len())));
    }
    check(kind, wire).map_err(|why| whole_of(&whole, why))
}

/// Whether bytes that were not composed here are data of their type; names that are looked at later become lower case.
fn check(kind: u16, wire: &mut [u8]) -> Result<(), String> {
    foreign::check(kind, wire)?;
    let name = match kind {
        kind::CNAME | kind::PTR | kind::DNAME | kind::NS => 0,
        kind::MX | kind::AFSDB | kind::RT | kind::KX => 2,
        kind::SRV => 6,
        kind::SVCB | kind::HTTPS => return svcb::check(wire),
        kind::URI if wire.len() < 5 => return Err("it is too short for a URI".to_owned()),
        _ => return Ok(()),
    };
    // No length of a label is a letter.
    let name = wire.get_mut(name..).unwrap_or_default();
    name.make_ascii_lowercase();
    let is_host = !matches!(kind, kind::CNAME | kind::PTR | kind::DNAME);
    bad_host(name).filter(|_| is_host).map_or(Ok(()), Err)
}

fn whole_of(fields: &Fields<'_>, why: impl Into<String>) -> Bad {
    let words = fields.words();
    let span = match (words.first(), words.last()) {
        (Some(first), Some(last)) => first.span().start..last.span().end,
        _ => 0..0,
    };
    Bad::at(span, why)
}
