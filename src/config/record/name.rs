//! Names as master files write them: relative to an origin or with a closing dot, `@`, any byte escaped.

use super::word::unescape;
use crate::fleet::DnsName;

/// Why a text is no name, and what would help.
pub(super) type Fault = (String, Option<String>);

/// Puts a name in wire form and lower case behind `wire`. Without an origin every name is absolute, with its closing dot or without.
pub(in crate::config) fn push_name(text: &str, origin: Option<&DnsName>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let start = wire.len();
    match (text, origin) {
        ("@", Some(origin)) => wire.extend_from_slice(origin.as_wire()),
        ("@", None) => return Err(("`@` has no meaning here".to_owned(), Some("write the whole name".to_owned()))),
        (".", _) => wire.push(0),
        _ => push_labels(text, origin, wire)?,
    }
    if wire.len() - start > 255 {
        return Err(fault("a name is at most 255 bytes long"));
    }
    Ok(())
}

fn push_labels(text: &str, origin: Option<&DnsName>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    let (mut at, mut label) = (0, wire.len());
    wire.push(0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'.' => {
                close(wire, label)?;
                label = wire.len();
                wire.push(0);
                at += 1;
            }
            b'\\' => {
                let (byte, length) = unescape(&bytes[at..])
                    .ok_or_else(|| fault("`\\` is followed by a character, or by three digits up to 255"))?;
                wire.push(byte.to_ascii_lowercase());
                at += length;
            }
            0x80.. => {
                let hint = "write an international name by its `xn--` form, other bytes as `\\DDD`".to_owned();
                return Err(("a name is written in ASCII".to_owned(), Some(hint)));
            }
            byte => {
                wire.push(byte.to_ascii_lowercase());
                at += 1;
            }
        }
    }
    // After a closing dot the last label is the root's, which is empty.
    if wire.len() == label + 1 && !text.is_empty() {
        return Ok(());
    }
    close(wire, label)?;
    match origin {
        Some(origin) => wire.extend_from_slice(origin.as_wire()),
        None => wire.push(0),
    }
    Ok(())
}

/// Writes the length of the label that begins at `label`.
fn close(wire: &mut [u8], label: usize) -> Result<(), Fault> {
    match wire.len() - label - 1 {
        0 => Err(fault("a label between two dots cannot be empty")),
        length @ 1..=63 => {
            wire[label] = u8::try_from(length).unwrap_or(63);
            Ok(())
        }
        _ => Err(fault("a label is at most 63 bytes long")),
    }
}

fn fault(why: &str) -> Fault {
    (why.to_owned(), None)
}

/// What a host's name has that it cannot have: hosts are letters, digits, `-` and `_`.
pub(super) fn bad_host(wire: &[u8]) -> Option<String> {
    let name = DnsName::from_wire(wire)?;
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let bad = name.labels().flatten().find(|byte| !is_allowed(byte))?;
    let shown = if bad.is_ascii_graphic() { char::from(*bad).to_string() } else { format!("\\{bad:03}") };
    Some(format!("`{shown}` cannot stand in the name of a host: letters, digits, `-` and `_` can"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, origin: Option<&str>) -> Option<String> {
        let origin = origin.map(|origin| origin.parse::<DnsName>().unwrap());
        let mut wire = Vec::new();
        push_name(text, origin.as_ref(), &mut wire).ok()?;
        Some(DnsName::from_wire(&wire).unwrap_or_else(|| panic!("{text} became {wire:?}")).to_string())
    }

    #[test]
    fn names_are_relative_until_a_dot_closes_them() {
        assert_eq!(read("WWW", Some("shop.example")).unwrap(), "www.shop.example");
        assert_eq!(read("www.", Some("shop.example")).unwrap(), "www");
        assert_eq!(read("@", Some("shop.example")).unwrap(), "shop.example");
        assert_eq!(read(".", Some("shop.example")).unwrap(), ".");
        assert_eq!(read("www.shop.example", None).unwrap(), "www.shop.example");
        assert_eq!(read("www.shop.example.", None).unwrap(), "www.shop.example");
        assert_eq!(read("@", None), None);
    }

    #[test]
    fn labels_may_have_any_byte_and_none_is_empty() {
        assert_eq!(read(r"a\.b.c", None).unwrap(), r"a\.b.c");
        assert_eq!(read(r"\000\255.c", None).unwrap(), r"\000\255.c");
        assert_eq!(read(r"0/25.2.0.192", None).unwrap(), "0/25.2.0.192");
        assert_eq!(read("*", Some("c")).unwrap(), "*.c");
        for text in ["..", ".a", "a..b", "a..", r"a\", r"a\25", r"a\256", "ä", &"a".repeat(64), &"a.".repeat(128)] {
            assert_eq!(read(text, Some("c")), None, "{text}");
        }
        assert!(read(&"a".repeat(63), None).is_some() && read(&"a.".repeat(127), None).is_some());
    }

    #[test]
    fn hosts_are_plain() {
        assert_eq!(bad_host(b"\x04_a-1\x01b\0"), None);
        assert!(bad_host(b"\x01*\x01b\0").is_some() && bad_host(b"\x03a b\0").is_some());
    }
}
