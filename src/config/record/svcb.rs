//! SVCB and HTTPS (RFC 9460): parameters in any order in a text, by number and each once in a message.

use std::net::{Ipv4Addr, Ipv6Addr};

use data_encoding::BASE64;

use super::{Bad, Field, Fields};

/// Parameters by number.
const KEYS: [&str; 10] = [
    "mandatory",
    "alpn",
    "no-default-alpn",
    "port",
    "ipv4hint",
    "ech",
    "ipv6hint",
    "dohpath",
    "ohttp",
    "tls-supported-groups",
];

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6HINT: u16 = 6;
const DOHPATH: u16 = 7;
const OHTTP: u16 = 8;
const GROUPS: u16 = 9;

/// Priority, target and parameters.
pub(super) fn read(fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Bad> {
    let first = fields.peek();
    wire.extend(fields.number::<u16>("priority")?.to_be_bytes());
    fields.name("target", wire)?;
    let mut parameters: Vec<(u16, Vec<u8>)> = Vec::new();
    while !fields.is_empty() {
        let (field, number, value) = parameter(fields)?;
        if parameters.iter().any(|(known, _)| *known == number) {
            return Err(field.bad(format!("`{}` is there twice", name(number))));
        }
        parameters.push((number, value));
    }
    parameters.sort_unstable_by_key(|(number, _)| *number);
    for (number, value) in &parameters {
        let Ok(length) = u16::try_from(value.len()) else {
            let why = format!("`{}` is longer than 65,535 bytes", name(*number));
            return Err(Bad::at(first.map_or(0..0, |first| first.span()), why));
        };
        wire.extend([number.to_be_bytes(), length.to_be_bytes()].as_flattened());
        wire.extend_from_slice(value);
    }
    let whole = first.map_or(0..0, |first| first.span());
    check(wire).map_err(|why| Bad::at(whole, why))
}

/// One parameter: `key`, `key=value`, or `key=` and a text in quotes.
fn parameter<'a>(fields: &mut Fields<'a>) -> Result<(Field<'a>, u16, Vec<u8>), Bad> {
    let field = fields.next("parameter")?;
    if field.is_quoted() {
        return Err(field.bad("only what follows the `=` stands in quotes"));
    }
    let (key, plain) = field.text.split_once('=').map_or((field.text, None), |(key, value)| (key, Some(value)));
    let number = number(key).ok_or_else(|| {
        field
            .bad(format!("there is no parameter `{}`", key.escape_debug()))
            .hint("one without a name is `key65400`".to_owned())
    })?;
    let mut value = Vec::new();
    // What stands before the value in its word is plain, so the whole word is read and the key left out.
    if plain.is_some_and(|plain| !plain.is_empty()) {
        field.bytes(&mut value)?;
        value.drain(..=key.len());
    }
    let quoted = fields.peek().filter(|next| next.is_quoted() && next.is_glued() && plain == Some(""));
    if let Some(quoted) = quoted {
        quoted.bytes(&mut value)?;
        fields.next("value")?;
    }
    let is_raw = key.starts_with("key");
    let value = if is_raw { Ok(value) } else { encode(number, plain.is_some(), &value) };
    value.map(|value| (field, number, value)).map_err(|why| field.bad(why))
}

/// A value as it stands in a message.
fn encode(number: u16, has_value: bool, text: &[u8]) -> Result<Vec<u8>, String> {
    let key = name(number);
    if matches!(number, NO_DEFAULT_ALPN | OHTTP) {
        return if text.is_empty() && !has_value { Ok(Vec::new()) } else { Err(format!("`{key}` has no value")) };
    }
    let parse = |item: &[u8], what: &str| {
        format!("`{}` in `{key}` is not {what}", String::from_utf8_lossy(item).escape_debug())
    };
    let mut wire = Vec::new();
    match number {
        MANDATORY => {
            let mut keys = Vec::new();
            for item in items(text) {
                keys.push(self::number(as_text(&item)).ok_or_else(|| parse(&item, "a parameter"))?);
            }
            keys.sort_unstable();
            wire.extend(keys.iter().flat_map(|key| key.to_be_bytes()));
        }
        ALPN => {
            for item in items(text) {
                let length = u8::try_from(item.len()).ok().filter(|length| *length > 0);
                wire.push(length.ok_or_else(|| format!("a protocol in `{key}` is 1 to 255 bytes long"))?);
                wire.extend(item);
            }
        }
        PORT => wire.extend(decimal(text).ok_or_else(|| parse(text, "a port"))?.to_be_bytes()),
        GROUPS => {
            for item in items(text) {
                wire.extend(decimal(&item).ok_or_else(|| parse(&item, "a number from 0 to 65535"))?.to_be_bytes());
            }
        }
        IPV4HINT => {
            for item in items(text) {
                wire.extend(as_text(&item).parse::<Ipv4Addr>().map_err(|_| parse(&item, "an IPv4 address"))?.octets());
            }
        }
        IPV6HINT => {
            for item in items(text) {
                wire.extend(as_text(&item).parse::<Ipv6Addr>().map_err(|_| parse(&item, "an IPv6 address"))?.octets());
            }
        }
        ECH => wire = BASE64.decode(text).map_err(|_| format!("`{key}` is not base64"))?,
        _ => wire.extend_from_slice(text),
    }
    Ok(wire)
}

fn as_text(item: &[u8]) -> &str {
    std::str::from_utf8(item).unwrap_or_default()
}

fn decimal(item: &[u8]) -> Option<u16> {
    as_text(item).parse().ok().filter(|_| item.iter().all(u8::is_ascii_digit))
}

/// The items of a list (RFC 9460 appendix A.1): between commas, `\,` and `\\` standing for themselves.
fn items(text: &[u8]) -> Vec<Vec<u8>> {
    let mut items = vec![Vec::new()];
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b',' => items.push(Vec::new()),
            b'\\' => items.last_mut().into_iter().for_each(|item| item.extend(bytes.next())),
            other => items.last_mut().into_iter().for_each(|item| item.push(*other)),
        }
    }
    items
}

/// Whether bytes whose name is sound are a priority, a target and parameters as they have to be.
pub(super) fn check(wire: &[u8]) -> Result<(), String> {
    let target = wire.get(2..).unwrap_or_default();
    let mut at = 0;
    while let Some(length) = target.get(at).filter(|length| **length > 0) {
        at += usize::from(*length) + 1;
    }
    let mut rest = target.get(at + 1..).ok_or("its target is no name")?;
    let is_alias = wire.starts_with(&[0, 0]);
    if is_alias && !rest.is_empty() {
        return Err("with priority 0 it leads elsewhere, and has no parameters".to_owned());
    }
    let mut values: Vec<(u16, &[u8])> = Vec::new();
    while !rest.is_empty() {
        let (&[a, b, c, d], tail) = rest.split_first_chunk::<4>().ok_or("its parameters are cut off")?;
        let (number, length) = (u16::from_be_bytes([a, b]), usize::from(u16::from_be_bytes([c, d])));
        let (value, tail) = tail.split_at_checked(length).ok_or("its parameters are cut off")?;
        if number == u16::MAX || values.last().is_some_and(|(last, _)| *last >= number) {
            return Err("its parameters are not in order of their numbers, each once".to_owned());
        }
        values.push((number, value));
        rest = tail;
    }
    values.iter().try_for_each(|(number, value)| check_value(*number, value, &values))
}

fn check_value(number: u16, value: &[u8], all: &[(u16, &[u8])]) -> Result<(), String> {
    let has = |wanted: u16| all.iter().any(|(number, _)| *number == wanted);
    let is_some_of = |size: usize| !value.is_empty() && value.len().is_multiple_of(size);
    let is_sound = match number {
        MANDATORY => {
            let keys: Vec<_> =
                value.chunks(2).map(|key| key.iter().fold(0, |number, byte| number << 8 | u16::from(*byte))).collect();
            if let Some(absent) = keys.iter().find(|key| !has(**key)) {
                return Err(format!("`{}` is mandatory, and not there", name(*absent)));
            }
            is_some_of(2) && keys.is_sorted_by(|one, next| one < next) && !keys.contains(&MANDATORY)
        }
        ALPN => {
            let mut rest = value;
            while let Some((length, tail)) = rest.split_first() {
                let Some(after) = tail.get(usize::from(*length)..).filter(|_| *length > 0) else {
                    return Err("a protocol in `alpn` is 1 to 255 bytes long".to_owned());
                };
                rest = after;
            }
            !value.is_empty()
        }
        NO_DEFAULT_ALPN if !has(ALPN) => return Err("`no-default-alpn` without `alpn` leaves no protocol".to_owned()),
        NO_DEFAULT_ALPN | OHTTP => value.is_empty(),
        PORT => value.len() == 2,
        IPV4HINT => is_some_of(4),
        IPV6HINT => is_some_of(16),
        GROUPS => is_some_of(2),
        ECH => !value.is_empty(),
        DOHPATH => std::str::from_utf8(value).is_ok_and(|path| path.starts_with('/') && path.contains("dns")),
        _ => true,
    };
    if is_sound { Ok(()) } else { Err(format!("`{}` has no such value", name(number))) }
}

fn number(key: &str) -> Option<u16> {
    let known = KEYS.iter().position(|known| *known == key).and_then(|at| u16::try_from(at).ok());
    let digits = key.strip_prefix("key").filter(|digits| !digits.starts_with('0') || *digits == "0");
    let is_number = |digits: &&str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    known.or_else(|| digits.filter(is_number)?.parse().ok().filter(|number| *number < u16::MAX))
}

fn name(number: u16) -> String {
    KEYS.get(usize::from(number)).map_or_else(|| format!("key{number}"), |key| (*key).to_owned())
}
